# shellcheck shell=bash
# Finding the engine, and starting one where none answers. Sourced after lib.sh.
#
# An engine that was there before is never restarted, stopped or configured.

ENGINE_ERROR='' # what the last try to reach the engine said
ENGINE_PID=''   # of the engine that this script started as its own child
ENGINE_LOG=''
# Set, an engine that has to be started lives until stop_engine_if_started; otherwise it stays up.
ENGINE_TEMPORARY=''

engine_answers() {
    local status=0
    ENGINE_ERROR=$(timeout 10 docker version --format '{{.Server.Version}}' 2>&1 >/dev/null) || status=$?
    [[ $status -ne 124 ]] || ENGINE_ERROR="no answer within 10 seconds"
    return "$status"
}

fail_without_permission() {
    # shellcheck disable=SC2016  # $USER is for the reader's shell
    fail "no permission for the engine's socket" 'run `sudo usermod -aG docker $USER`, then log in again'
}

ensure_engine() {
    has docker || install_engine
    engine_answers && return
    case $ENGINE_ERROR in
    *'permission denied'*) fail_without_permission ;;
    'no answer'*) fail "the engine hangs: $ENGINE_ERROR" "look into its log, or restart it" ;;
    esac

    # Another endpoint than the usual socket is somebody's choice: starting an engine here would not help.
    local context
    context=$(docker context show 2>/dev/null || echo default)
    [[ -z ${DOCKER_HOST:-} ]] || fail "no engine answers at DOCKER_HOST=$DOCKER_HOST" "start it, or unset DOCKER_HOST"
    [[ $context == default ]] || fail "no engine answers in the docker context \`$context\`" \
        "start it, or run \`docker context use default\`"

    if ! has dockerd; then
        install_engine
        # On a machine with systemd the package has started it.
        engine_answers && return
        [[ $ENGINE_ERROR != *'permission denied'* ]] || fail_without_permission
    fi
    start_engine
}

image_id() { docker image inspect --format '{{.Id}}' "$1" 2>/dev/null; }

# remove_unnamed ID: an image that has lost its name to a newer one goes, unless a container or another name holds it.
remove_unnamed() {
    local id=$1
    if [[ -n $id && $(docker image inspect --format '{{len .RepoTags}}' "$id" 2>/dev/null) == 0 ]]; then
        docker image rm "$id" >/dev/null 2>&1 || true
    fi
}

# ensure_default_image WHARF: the program makes it. What it takes where no registry answers can be installed here.
ensure_default_image() {
    local wharf=$1
    [[ -z $(image_id wharf-default:latest) ]] || return 0
    say "making wharf-default:latest"
    "$wharf" image build >/dev/null && return
    has debootstrap && return 1
    need_commands debootstrap
    "$wharf" image build >/dev/null
}

install_engine() {
    local packages=(docker.io)
    has apt-get || fail "missing: Docker's engine and its client" "install them with your system's package manager"
    if can_be_root; then
        apt_update
        # Newer releases keep the client in a package of its own, which docker.io only recommends.
        [[ -z $(apt-cache show docker-cli 2>/dev/null) ]] || packages+=(docker-cli)
    fi
    install_packages "${packages[@]}"
}

start_engine() {
    if is_starting; then
        say "waiting for the engine"
        wait_for_engine
        return
    fi
    can_be_root || fail "no engine runs" "start it as root, for example with \`systemctl start docker\`"
    say "starting the engine"
    if [[ -n $ENGINE_TEMPORARY ]]; then
        is_root || fail "no engine runs" "run \`sudo systemctl start docker\`"
        start_own_engine "$(mktemp -t wharf-dockerd.XXXXXX)"
    elif [[ -d /run/systemd/system ]]; then
        as_root systemctl start docker || fail "the engine did not start" "\`journalctl -u docker\` says why"
    elif ! { [[ -e /etc/init.d/docker ]] && as_root service docker start >/dev/null 2>&1; }; then
        start_own_engine /var/log/docker.log
    fi
    wait_for_engine
}

# In a session of its own, so that a Ctrl-C meant for the script doesn't reach it.
start_own_engine() {
    ENGINE_LOG=$1
    remove_stale_pid_file
    if is_root; then
        setsid dockerd >>"$ENGINE_LOG" 2>&1 </dev/null &
        ENGINE_PID=$!
    else
        # shellcheck disable=SC2016  # expanded by the inner shell
        sudo sh -c 'setsid dockerd >>"$1" 2>&1 </dev/null &' sh "$ENGINE_LOG"
    fi
}

PID_FILE=/var/run/docker.pid

# Whether the machine's engine has been started: an engine that somebody else runs in namespaces of its own has another file.
is_starting() {
    [[ -e $PID_FILE && $(cat "/proc/$(cat "$PID_FILE")/comm" 2>/dev/null) == dockerd ]]
}

# dockerd refuses to start when the pid in this file lives, even if another program has that pid by now.
remove_stale_pid_file() {
    [[ ! -e $PID_FILE ]] || is_starting || as_root rm -f "$PID_FILE"
}

wait_for_engine() {
    local deadline=$((SECONDS + 30))
    until engine_answers; do
        [[ $ENGINE_ERROR != *'permission denied'* ]] || fail_without_permission
        if [[ -n $ENGINE_PID ]] && ! kill -0 "$ENGINE_PID" 2>/dev/null; then
            engine_failed "the engine ended"
        fi
        ((SECONDS < deadline)) || engine_failed "the engine does not answer after 30 seconds"
        sleep 0.2
    done
}

engine_failed() {
    clear_progress
    [[ ! -r $ENGINE_LOG ]] || tail -n 15 "$ENGINE_LOG" >&2
    fail "$1: $ENGINE_ERROR"
}

# Only ever ends the child that start_own_engine started.
stop_engine_if_started() {
    [[ -n $ENGINE_PID ]] || return 0
    say "stopping the engine that was started"
    kill "$ENGINE_PID" 2>/dev/null || true
    wait "$ENGINE_PID" 2>/dev/null || true
    rm -f "$ENGINE_LOG"
    ENGINE_PID=''
}
