# shellcheck shell=bash
# What the scripts share: progress on stderr, and the programs that they need. Sourced, never run.

unset CDPATH
# shellcheck disable=SC2034  # for those who source this
REPO=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)

# --- progress ---------------------------------------------------------------------------------------------------------

BOLD='' BLUE='' RED='' DIM='' RESET='' LIVE=''
if [[ -t 2 && ${TERM:-dumb} != dumb ]]; then
    LIVE=1
    if [[ -z ${NO_COLOR:-} ]]; then
        BOLD=$'\e[1m' BLUE=$'\e[34m' RED=$'\e[31m' DIM=$'\e[2m' RESET=$'\e[0m'
    fi
fi

# Erases the line that `progress` keeps rewriting.
clear_progress() {
    [[ -z $LIVE ]] || printf '\r\e[K' >&2
}

say() {
    clear_progress
    printf '%s==>%s %s%s%s\n' "$BLUE" "$RESET" "$BOLD" "$*" "$RESET" >&2
}

# One line that is rewritten on a terminal; a line of its own elsewhere.
progress() {
    if [[ -n $LIVE ]]; then
        printf '\r\e[K    %s%.70s%s' "$DIM" "$*" "$RESET" >&2
    else
        printf '    %.100s\n' "$*" >&2
    fi
}

# fail WHAT [HINT...]: the same shape as wharf's own errors.
fail() {
    clear_progress
    printf '%serror:%s %s\n' "$RED" "$RESET" "$1" >&2
    shift
    local hint
    for hint; do printf 'hint: %s\n' "$hint" >&2; done
    exit 1
}

# --- packages ---------------------------------------------------------------------------------------------------------

# sbin is missing from the PATH of an ordinary user on Debian; debootstrap and dockerd are there.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

has() { command -v "$1" >/dev/null 2>&1; }
is_root() { [[ $EUID -eq 0 ]]; }
can_be_root() { is_root || has sudo; }
as_root() { if is_root; then "$@"; else sudo "$@"; fi; }

# Exported, so that one script that calls another reads the lists once.
export WHARF_APT_UPDATED=${WHARF_APT_UPDATED:-}

apt_update() {
    [[ -z $WHARF_APT_UPDATED ]] || return 0
    progress "reading the lists of packages"
    # A broken third-party source must not stop us: what matters is whether the packages can be installed.
    as_root apt-get -o DPkg::Lock::Timeout=120 -qq update >/dev/null 2>&1 || true
    WHARF_APT_UPDATED=1
}

# install_packages PACKAGE...: by apt-get on Debian and Ubuntu; elsewhere says what is missing and ends.
install_packages() {
    has apt-get || fail "missing: $*" "install these with your system's package manager, then run this again"
    can_be_root || fail "missing: $*" "run as root: apt-get install $*"
    say "installing $*"
    apt_update
    progress "installing"
    local log
    log=$(mktemp)
    if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 \
        install -y -q --no-install-recommends "$@" >"$log" 2>&1 </dev/null; then
        clear_progress
        tail -n 15 "$log" >&2
        rm -f "$log"
        fail "could not install $*"
    fi
    rm -f "$log"
    clear_progress
}

# need_commands COMMAND[:PACKAGE]...: installs the packages of the commands that are missing.
need_commands() {
    local entry commands=() packages=()
    for entry; do
        has "${entry%%:*}" || { commands+=("${entry%%:*}") && packages+=("${entry##*:}"); }
    done
    [[ ${#commands[@]} -gt 0 ]] || return 0
    # Other systems have other packages.
    has apt-get || fail "missing: ${commands[*]}" \
        "install these with your system's package manager (on Debian: ${packages[*]}), then run this again"
    install_packages "${packages[@]}"
}

need_linux() {
    [[ $(uname -s) == Linux ]] || fail "wharf needs Linux" "run it in a virtual machine that has Linux and an engine"
}

# --- Rust -------------------------------------------------------------------------------------------------------------

# at_least VERSION WANTED
at_least() { [[ $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) == "$2" ]]; }

# In the repository, where rustup may have been told of another one.
rust_version() { (cd "$REPO" && rustc --version 2>/dev/null) | cut -d' ' -f2; }

# Rust can't come from the distribution: it is too old there.
need_cargo() {
    local wanted own=${CARGO_HOME:-${HOME:-}/.cargo}/env
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$REPO/Cargo.toml")
    if [[ -r $own ]] && ! { has cargo && at_least "$(rust_version)" "$wanted"; }; then
        # shellcheck source=/dev/null
        source "$own"
    fi
    has cargo || fail "missing: cargo" "install Rust $wanted or newer, for example with rustup"
    at_least "$(rust_version)" "$wanted" || fail "Rust is too old: wharf needs $wanted, and this is $(rust_version)" \
        "\`rustup update\`; where there is no rustup, install it, since distributions have older ones"
    need_commands cc:build-essential
}

# Whether a program for this target can be linked statically: some systems have that part of glibc in a package of its own.
links_statically() {
    local work status=0
    work=$(mktemp -d)
    echo 'fn main() {}' | rustc --target "$1" -C target-feature=+crt-static --out-dir "$work" - >/dev/null 2>&1 || status=$?
    rm -rf -- "$work"
    return "$status"
}

# release_program NAME CARGO-ARGUMENT...: prints where cargo has put the program. A static one, where that works.
release_program() {
    local name=$1 host options=(--locked --message-format=json-render-diagnostics)
    shift
    host=$(rustc -vV | sed -n 's/^host: //p')
    if [[ $host == *-linux-gnu ]] && ! links_statically "$host"; then
        say "no static C library here (glibc-static on Fedora): the program will need the libraries of this machine"
    elif [[ $host == *-linux-gnu ]]; then
        # Only with an explicit target are build scripts and procedural macros, which can't be static, built without the flag.
        options+=(--target "$host")
        export RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=+crt-static"
    fi
    # Cargo knows best where its output goes: the target directory can be set in three places.
    cargo "$@" "${options[@]}" | grep -F "\"name\":\"$name\"" | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1
}

# Builds the guest, the program for containers, and prints where it is. It is made of less than the host's, and for size.
guest_program() { release_program wharf-guest build --no-default-features --profile guest --bin wharf-guest; }
