# shellcheck shell=sh
# An engine that belongs to one test: `sh private_engine.sh DIRECTORY CGROUP`. It obeys the words that come in on standard
# input, and repeats each when it has done so. At the input's end the engine goes with all that it made, and that end comes
# however the test ends.
set -eu
cd -- "$1"

# In a network namespace of its own, because `--bridge=none` deletes the `docker0` of its namespace. In a process namespace,
# because nothing outlives that one's first process, which is this shell. A mount namespace takes its mounts with it.
if [ "${3-}" != inside ]; then
    # What the kernel sends to processes whose test has crashed where one of them is frozen.
    trap '' HUP
    unshare --net --mount --pid --fork --mount-proc sh "$0" "$1" "$2" inside || true
    # Version 2's place, and version 1's.
    for cgroup in /sys/fs/cgroup/"$2" /sys/fs/cgroup/*/"$2"; do
        if [ -d "$cgroup" ]; then find "$cgroup" -depth -type d -exec rmdir {} + || true; fi
    done
    rm -rf --one-file-system -- "$1"
    exit
fi

# The shims' sockets are in /run/containerd, wherever the rest of containerd is.
mount -t tmpfs tmpfs /run
cat >containerd.toml <<END
version = 2
root = "$1/containerd"
state = "$1/containerd-state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
address = "$1/containerd.sock"
END
containerd --config containerd.toml >containerd.log 2>&1 &

# The machine's own configuration is not for this engine.
echo '{}' >dockerd.json
start() {
    dockerd --config-file dockerd.json --host "unix://$1/docker.sock" --containerd "$1/containerd.sock" \
        --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/docker.pid" --live-restore \
        --bridge=none --iptables=false --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$2" >>dockerd.log 2>&1 &
    dockerd=$!
}

end() {
    kill -s "$1" "$dockerd"
    wait "$dockerd" 2>/dev/null || true
}

while read -r word; do
    case $word in
    start) start "$1" "$2" ;;
    freeze)
        kill -STOP "$dockerd"
        # Its threads stop one by one.
        while grep -q '^State:.[^T]' /proc/"$dockerd"/task/*/status; do :; done
        ;;
    thaw) kill -CONT "$dockerd" ;;
    kill) end KILL ;;
    stop) end TERM ;;
    esac
    echo "$word"
done
