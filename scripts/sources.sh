# shellcheck shell=bash
# Packages that are read and never installed: sources, and those of an older release. apt fetches and verifies them with
# lists of its own; the machine's configuration and lists are only read. Needs no root, where the programs are there.
# Sourced after lib.sh.

# The distribution's own releases, as apt has them configured: "ORIGIN URI CODENAME COMPONENT" a line. Sources may also say
# `stable`; what is called by its own name and more, as updates are, is no release.
apt_sources() {
    # shellcheck disable=SC2016  # apt expands these
    apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(RELEASE) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
        awk '$1 ~ /^(Debian|Ubuntu)$/ && $3 !~ /[-\/]/ && $5 ~ /^(main|universe)$/ { print $1, $2, $4, $5 }' | sort -u
}

is_ubuntu() { grep -q '^ID=ubuntu$' /etc/os-release; }

# use_lists DIR KIND [RELEASE]: reads the lists of packages that `apt_with DIR` is to know of. KIND is deb or deb-src;
# RELEASE is the machine's own, unless it is given.
use_lists() {
    local dir=$1 kind=$2 release=${3:-} own origin uri
    has apt-get || fail "this needs packages of Debian, and there is no apt" "run it on Debian"
    # shellcheck source=/dev/null
    own=$(source /etc/os-release && echo "${VERSION_CODENAME:-}")
    # apt knows a source's origin only once its lists are there.
    [[ -n $(apt_sources) ]] || apt_update
    read -r origin uri < <(apt_sources | awk -v release="$own" '$3 == release { print $1, $2; exit }') ||
        fail "apt has no source for \`$own\`"

    # Whose signature counts. Without the keyring's package, that is up to what apt trusts anyway.
    local keyring=/usr/share/keyrings/${origin,,}-archive-keyring.gpg signed=''
    [[ ! -r $keyring ]] || signed=" signed-by=$keyring"
    mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/none"
    : >"$dir/status"
    # `target`: the names of packages, and neither descriptions nor icons.
    local target=Packages
    [[ $kind != deb-src ]] || target=Sources
    apt_sources | awk -v origin="$origin" -v own="$own" '$1 == origin && $3 == own { print $4 }' | sort -u |
        sed "s|.*|$kind [target=$target$signed] $uri ${release:-$own} &|" >"$dir/sources.list"
    cat >"$dir/apt.conf" <<END
Dir::Etc::sourcelist "$dir/sources.list";
Dir::Etc::sourceparts "$dir/none";
Dir::Etc::preferencesparts "$dir/none";
Dir::State "$dir";
Dir::State::lists "$dir/lists";
Dir::State::status "$dir/status";
Dir::Cache "$dir/cache";
APT::Architectures { "$(dpkg --print-architecture)"; };
END
    # Run by root, apt would fetch as a user who can't get into a private directory.
    is_root && echo 'APT::Sandbox::User "root";' >>"$dir/apt.conf"
    apt_with "$dir" update || fail "could not read the lists of \`${release:-$own}\`" \
        "look at $origin's sources in /etc/apt; a release may have left its mirror"
}

# apt_with DIR ARGUMENT...: apt-get with the lists of that directory, run in it. What it says counts when it fails.
apt_with() {
    local dir=$1 log=$1/log
    shift
    if ! (cd "$dir" && APT_CONFIG=$dir/apt.conf apt-get -q -o Acquire::Retries=3 "$@") >"$log" 2>&1 </dev/null; then
        clear_progress
        tail -n 15 "$log" >&2
        return 1
    fi
}

# fetch_source PACKAGE DIR [OPTION...]: the newest source of the machine's release becomes DIR, with the distribution's
# patches, unless an option of dpkg-source says otherwise. A subshell, so that its lists go however it ends.
fetch_source() (
    package=$1 dir=$2
    shift 2
    need_commands dpkg-source:dpkg-dev
    progress "fetching the source of $package"
    work=$(mktemp -d)
    trap 'rm -rf -- "$work"' EXIT
    use_lists "$work" deb-src
    apt_with "$work" source --download-only --only-source "$package" || fail "could not fetch the source of $package"
    if ! dpkg-source --no-copy "$@" -x "$work"/*.dsc "$dir" >"$work/log" 2>&1; then
        clear_progress
        tail -n 15 "$work/log" >&2
        fail "could not unpack the source of $package"
    fi
    clear_progress
)

# fetch_packages DIR RELEASE PACKAGE...: binary packages of this architecture, unpacked over one another into DIR. A subshell
# as well.
fetch_packages() (
    dir=$1 release=$2
    shift 2
    progress "fetching $* of $release"
    work=$(mktemp -d)
    trap 'rm -rf -- "$work"' EXIT
    use_lists "$work" deb "$release"
    apt_with "$work" download "$@" || fail "could not fetch $*"
    for package in "$work"/*.deb; do
        dpkg-deb --extract "$package" "$dir"
    done
    clear_progress
)
