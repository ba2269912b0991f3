# shellcheck shell=bash
# One run of the tests: where it lives, who it runs as, and how everything that it made goes away. Sourced by test.

RUN_DIR=''
RUN_ID=''
# An ordinary user whose account only the tests see: nothing has to be made on the machine, or cleaned up.
USER_ID=61234
# What an ordinary user's run leaves out: these tests start an engine of their own, which takes root.
NEEDS_ROOT=(--skip private_engine::)
# What is another thing to root than to an ordinary user, who runs all other tests. Each is a part of a test's name.
# shellcheck disable=SC2034  # for scripts/test
AS_ROOT=(private_engine:: configured:: confinement:: container:: devcontainer:: errors:: home:: lifecycle:: root:: ssh::
    state_directory:: users::)
# What a second run by exec would show nothing new of. Each is a part of a test's name.
ONLY_ONCE=()
for module in battery branch build config devcontainer doctor drift elsewhere errors git history hostile_relay identity images \
    inspect list machine menu network picker plugin plugins ports pull quickstart readme rebuild relay root secrets \
    state_directory status surfaces targets test_images tmuxes users waiting; do
    ONLY_ONCE+=(--skip "$module::")
done
# What only a relay does: tell what rings, be asked again at once, and answer without the engine.
for test in a_bell_in_a_session activity_shows without_an_engine_the_menu the_menu_offers_a_way text_is_waited_for; do
    ONLY_ONCE+=(--skip "$test")
done

# What pauses a container. By exec, whoever lists containers runs a program in each of them, and an engine that pauses one
# meanwhile never gets it going again (moby/moby#27272): then they are run one at a time, and nothing beside them.
# shellcheck disable=SC2034  # for test
PAUSING=(
    idle::a_container_of_which_nobody_knows_whether_it_is_used_stays
    lifecycle::open_gets_into_a_container_that_is_paused_or_stopped
    lifecycle::rm_of_a_paused_container_has_to_be_forced
    lifecycle::start_works_from_every_state
    lifecycle::stop_takes_several_targets_and_tells_of_each_that_fails
    rebuild::open_fresh_with_live_sessions_has_to_be_forced
    sessions::a_client_whose_relay_is_frozen_ends_when_it_is_told_to
    status::one_line_says_how_a_container_stands
    surfaces::the_list_shows_every_state
    watch::a_container_whose_image_has_changed_is_marked
    watch::the_status_line_follows_what_becomes_of_the_container
)

# The directory is in /tmp, and everybody may look into it: the ordinary user can't get into a clone below /root.
# Short, because the paths of sockets below it may not be longer than 107 bytes.
make_run() {
    RUN_DIR=$(cd /tmp && mktemp -d "$(pwd -P)/wt.XXXXXX")
    RUN_ID=${RUN_DIR##*.}
    chmod 755 "$RUN_DIR"
}

# Builds the tests, and stages them and what they read in the run's directory. Its status counts: called by an `if`,
# which suspends `set -e`.
build_tests() {
    local artifacts=$RUN_DIR/artifacts.json
    cargo test --locked --no-run --lib --test main --message-format=json-render-diagnostics >"$artifacts" || return
    local main wharf guest
    main=$(executable '.target.name == "main" and .target.kind == ["test"]')
    wharf=$(executable '.target.name == "wharf" and .target.kind == ["bin"] and (.profile.test | not)')
    guest=$(executable '.target.name == "wharf-guest" and .target.kind == ["bin"] and (.profile.test | not)')
    mkdir "$RUN_DIR/repo" &&
        cp -- "$main" "$RUN_DIR/repo/tests-main" &&
        cp -R -- "$wharf" "$guest" wharf.tmux tmux scripts images docs ./*.md Cargo.toml "$RUN_DIR/repo/" &&
        chmod -R a+rX "$RUN_DIR/repo"
}

executable() {
    jq -r "select(.reason == \"compiler-artifact\" and .executable != null and $1) | .executable" \
        "$RUN_DIR/artifacts.json" | tail -n 1
}

# run_staged NAME [PREFIX...] -- ARGUMENT...: runs the test binary through PREFIX with a home and a temporary directory
# of its own. NAME is root, user or self.
run_staged() {
    local name=$1 prefix=() owner=$EUID user
    user=$(id -un 2>/dev/null || echo "$EUID")
    shift
    while [[ $1 != -- ]]; do prefix+=("$1") && shift; done
    shift
    if [[ $name == user ]]; then owner=$USER_ID user=wharftest; fi

    local tmp=$RUN_DIR/${name:0:1}
    mkdir -p "$tmp/home"
    if is_root; then chown -R "$owner:$owner" "$tmp"; fi

    local environment=(
        "HOME=$tmp/home" "USER=$user" "LOGNAME=$user" "SHELL=/bin/bash" "PATH=$PATH" "LANG=${LANG:-C.UTF-8}"
        "TERM=${TERM:-dumb}" "TMPDIR=$tmp"
        "WHARF_TEST_BIN=$RUN_DIR/repo/wharf" "WHARF_TEST_ROOT=$RUN_DIR/repo"
        "WHARF_TEST_TMP=$tmp" "WHARF_TEST_RUN=$RUN_ID"
    )
    [[ -z ${DOCKER_HOST:-} ]] || environment+=("DOCKER_HOST=$DOCKER_HOST")
    [[ -z ${WHARF_TEST_INSIDE:-} ]] || environment+=("WHARF_TEST_INSIDE=$WHARF_TEST_INSIDE")
    [[ -z ${WHARF_ATTACH:-} ]] || environment+=("WHARF_ATTACH=$WHARF_ATTACH")
    [[ -z ${CI:-} ]] || environment+=("CI=$CI")
    [[ -z ${RUST_BACKTRACE:-} ]] || environment+=("RUST_BACKTRACE=$RUST_BACKTRACE")
    # An interrupt is what it is for any program, also where this is run in the background.
    # shellcheck disable=SC2016  # perl's variables
    local heed='$SIG{INT} = $SIG{QUIT} = "DEFAULT"; exec @ARGV or die "$ARGV[0]: $!\n"'
    (cd "$RUN_DIR/repo" && exec env -i "${environment[@]}" perl -e "$heed" -- "${IN_ENGINES_NETWORK[@]}" "${prefix[@]}" ./tests-main "$@")
}

run_as_root() { run_staged root -- "$@"; }
run_as_self() { run_staged self -- "${NEEDS_ROOT[@]}" "$@"; }

# Root hides every mistake with permissions, and users are not root: this run has the engine's group, no more.
run_as_user() {
    local endpoint groups=(--clear-groups)
    endpoint=$(docker context inspect --format '{{.Endpoints.docker.Host}}')
    if [[ $endpoint == unix://* ]]; then
        groups=(--groups "$(stat -Lc %g "${endpoint#unix://}")")
    fi
    # OpenSSH's programs refuse a user without one.
    { cat /etc/passwd && echo "wharftest:x:$USER_ID:$USER_ID::$RUN_DIR/u/home:/bin/bash"; } >"$RUN_DIR/passwd"
    # shellcheck disable=SC2016  # for the inner shell
    run_staged user unshare --mount sh -c 'mount --bind "$1" /etc/passwd && shift && exec "$@"' sh "$RUN_DIR/passwd" \
        setpriv --reuid "$USER_ID" --regid "$USER_ID" "${groups[@]}" -- "${NEEDS_ROOT[@]}" "$@"
}

# Where no socket of the host's reaches a container, everything has to work by the engine's exec.
# What goes into no container is not run twice, and neither is what goes both ways by itself.
by_exec() { WHARF_ATTACH='exec' "$@" "${ONLY_ONCE[@]}"; }

# --- afterwards -------------------------------------------------------------------------------------------------------

# ours KIND: this run's containers, volumes, networks or images, by a label of the run or a project below its directory. Of the first
# two a list has the labels; `docker inspect` waits for ever on a container that the engine has lost hold of.
ours() {
    local kind=$1 labels='{{json (.Label "wharf.test")}},{{json (.Label "wharf.project")}}' images=()
    case $kind in
        container) docker container ls --all --format "[{{json .Names}},$labels]" ;;
        network) docker network ls --format "[{{json .Name}},$labels]" ;;
        volume) docker volume ls --format "[{{json .Name}},$labels]" ;;
        image)
            mapfile -t images < <({
                docker image ls -q --filter label=wharf=true
                docker image ls -q --filter "label=wharf.test=$RUN_ID"
            } | sort -u)
            [[ ${#images[@]} -eq 0 ]] || docker image inspect "${images[@]}" 2>/dev/null |
                jq -c '.[] | [.Id, .Config.Labels["wharf.test"], .Config.Labels["wharf.project"]]'
            ;;
    esac | jq -r --arg run "$RUN_ID" --arg below "$RUN_DIR/" '
        select(.[1] == $run or (.[2] // "" | startswith($below))) | .[0]'
}

# One that vanishes meanwhile is as good as removed.
remove_ours() {
    local kind=$1 found=() options=(--force)
    mapfile -t found < <(ours "$kind")
    case $kind in
        # And the volumes without a name that came with them.
        container) options+=(--volumes) ;;
        network) options=() ;;
    esac
    [[ ${#found[@]} -eq 0 ]] || timeout 60 docker "$kind" rm "${options[@]}" "${found[@]}" >/dev/null 2>&1 || true
}

# wharf's own networks have neither label; tests name them after their directories.
wharfs_networks() {
    local world
    for world in "$RUN_DIR"/?/w?????; do
        [[ ! -d $world ]] || docker network ls --quiet --filter label=wharf.network --filter "name=^wharf-${world##*/}$"
    done
}

remove_networks() {
    local found=()
    mapfile -t found < <(wharfs_networks)
    [[ ${#found[@]} -eq 0 ]] || timeout 60 docker network rm "${found[@]}" >/dev/null 2>&1 || true
    remove_ours network
}

# Names that tests have given to images.
remove_tags() {
    local found=()
    mapfile -t found < <(docker image ls --format '{{.Repository}}:{{.Tag}}' --filter "reference=wharf-test-tag-${RUN_ID,,}-*")
    [[ ${#found[@]} -eq 0 ]] || timeout 60 docker image rm --no-prune "${found[@]}" >/dev/null 2>&1 || true
}

tools_volumes() { docker volume ls -q --filter label=wharf.tools "$@" | sort; }

# wharf's tools belong to no project. Those that were there before the run, or that somebody uses, stay.
remove_new_tools() {
    local new=()
    mapfile -t new < <(comm -13 "$RUN_DIR/tools-before" <(tools_volumes --filter dangling=true))
    [[ ${#new[@]} -eq 0 ]] || docker volume rm "${new[@]}" >/dev/null 2>&1 || true
}

remove_run() {
    [[ -n $RUN_DIR ]] || return 0
    local socket
    # tmux servers that a failed test left behind: their sockets are in the run's directory.
    while IFS= read -r -d '' socket; do
        timeout 2 tmux -S "$socket" kill-server 2>/dev/null || true
    done < <(find "$RUN_DIR" -type s -print0 2>/dev/null)
    if engine_answers; then
        remove_ours container
        remove_networks
        remove_ours volume
        remove_tags
        remove_ours image
        remove_new_tools
    fi
    rm -rf --one-file-system -- "$RUN_DIR" || say "could not remove all of $RUN_DIR"
}
