# shellcheck shell=bash
# Engines that the tests run on beside the machine's own: those of Debian's suites, each in a tree that is made once and kept.
# Sourced after lib.sh and sources.sh.
#
#   WHARF_TEST_ENGINES   where the trees are kept; default: a directory of the user's cache

# A name is the engine's and its version; an ordinary user's engine has `-rootless` behind it.
ENGINES=(
    docker-20.10 docker-26.1 docker-28.5
    podman-4.3 podman-5.4 podman-5.8
    podman-4.3-rootless podman-5.4-rootless podman-5.8-rootless
)
ENGINE_PACKAGES=(
    docker.io rootlesskit podman crun netavark aardvark-dns passt slirp4netns fuse-overlayfs uidmap nftables iptables iproute2
    ca-certificates
)
# The one that runs.
OWN_ENGINE_DIR=''
OWN_ENGINE_SHELL=''
# For a command that is to reach what the engine's containers publish.
IN_ENGINES_NETWORK=()

# suite_of NAME: prints the suite whose packages have that engine.
suite_of() {
    local name
    for name in "${ENGINES[@]}"; do
        [[ $name != "$1" ]] || case $1 in
            docker-20.10* | podman-4.3*) echo bookworm && return ;;
            docker-26.1* | podman-5.4*) echo trixie && return ;;
            docker-28.5* | podman-5.8*) echo sid && return ;;
        esac
    done
    fail "there is no engine \`$1\` for the tests" "these are there: ${ENGINES[*]}"
}

# engine_tree SUITE: prints the directory of a Debian with that suite's engines, which is made where it is missing.
engine_tree() {
    local suite=$1 directory=${WHARF_TEST_ENGINES:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/wharf-test/engines} packages mirror
    local tree=$directory/$suite lock
    mkdir -p "$directory"
    exec {lock}>"$directory/$suite.lock"
    flock "$lock"
    if [[ ! -d $tree ]]; then
        need_commands debootstrap
        mirror=$(apt_sources | awk '$1 == "Debian" { print $2; exit }')
        [[ -n $mirror ]] || fail "engines come from Debian's packages, and apt has no source for these" "run it on Debian"
        packages=("${ENGINE_PACKAGES[@]}")
        # Since 26, the client is a package of its own; rootless Docker's network is started by it.
        [[ $suite == bookworm ]] || packages+=(docker-cli)
        say "making a tree with the engines of $suite"
        rm -rf --one-file-system -- "$tree.part"
        debootstrap --variant=minbase --include="$(IFS=, && echo "${packages[*]}")" "$suite" "$tree.part" "$mirror" \
            >"$directory/$suite.log" 2>&1 || fail "debootstrap could not make $suite" "look into $directory/$suite.log"
        # What was downloaded for it.
        rm -rf -- "$tree.part"/var/cache/apt/archives/*.deb "$tree.part"/var/lib/apt/lists/*
        mv -- "$tree.part" "$tree"
    fi
    exec {lock}>&-
    echo "$tree"
}

# start_named_engine NAME DIRECTORY UID: starts it, and has `docker` and wharf find it by DOCKER_HOST. It ends with this shell at
# the latest. UID is whose engine a rootless one is.
start_named_engine() {
    local name=$1 suite tree uid='' answer deadline=$((SECONDS + 60))
    is_root || fail "only root can start an engine of the tests' own" "run it as root"
    suite=$(suite_of "$name") || exit
    tree=$(engine_tree "$suite") || exit
    OWN_ENGINE_DIR=$2
    mkdir -p "$OWN_ENGINE_DIR"
    [[ $name != *-rootless ]] || uid=$3
    say "starting $name"
    # In a session of its own, so that a Ctrl-C that ends this shell does not end what cleans up after it.
    coproc OWN_ENGINE { exec setsid sh "$REPO/tests/support/private_engine.sh" "$OWN_ENGINE_DIR" "wharf-test-${OWN_ENGINE_DIR//\//-}" \
        "$tree" "${name%%-*}" "$uid" 2>"$OWN_ENGINE_DIR.log"; }
    # bash sets the other variable, and forgets it with the process.
    # shellcheck disable=SC2153
    OWN_ENGINE_SHELL=$OWN_ENGINE_PID
    echo start >&"${OWN_ENGINE[1]}"
    read -r -t 30 answer <&"${OWN_ENGINE[0]}" || true
    [[ ${answer:-} == start ]] || fail_of_named_engine "$name did not start"
    # shellcheck disable=SC2034  # for test-run.sh
    IN_ENGINES_NETWORK=(nsenter "--net=/proc/$(pgrep -P "$OWN_ENGINE_SHELL" unshare)/ns/net" --)
    export DOCKER_HOST=unix://$OWN_ENGINE_DIR/docker.sock
    until engine_answers; do
        ((SECONDS < deadline)) || fail_of_named_engine "$name does not answer: $ENGINE_ERROR"
        sleep 0.1
    done
    docker version --format '{{(index .Server.Components 0).Name}} {{.Server.Version}}' | sed 's/^/    /' >&2
}

fail_of_named_engine() {
    tail -n 15 "$OWN_ENGINE_DIR.log" "$OWN_ENGINE_DIR"/*.log >&2 || true
    fail "$1"
}

# save_images FILE: of the machine's engine, those that the tests use.
save_images() {
    local names=()
    mapfile -t names < <(docker image ls --filter reference='wharf-test-*:latest' --filter reference=wharf-default:latest \
        --format '{{.Repository}}:{{.Tag}}')
    docker save --output "$1" "${names[@]}"
}

# load_images FILE: gives them to the engine that was started, under the names that they had.
load_images() {
    local name
    docker load --quiet --input "$1" >/dev/null
    # Podman takes a name without a registry for one of this machine's.
    docker image ls --format '{{.Repository}}:{{.Tag}}' | sed -n 's|^localhost/||p' | while read -r name; do
        docker tag "localhost/$name" "$name"
        docker image rm --no-prune "localhost/$name" >/dev/null
    done
}

stop_named_engine() {
    [[ -n $OWN_ENGINE_SHELL ]] || return 0
    local input=${OWN_ENGINE[1]:-}
    [[ -z $input ]] || exec {input}>&-
    wait "$OWN_ENGINE_SHELL" 2>/dev/null || true
    unset DOCKER_HOST
    OWN_ENGINE_SHELL=''
}
