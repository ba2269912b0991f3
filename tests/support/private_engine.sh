# shellcheck shell=sh
# An engine that nobody else uses: `sh private_engine.sh DIRECTORY CGROUP [TREE KIND [UID]]`. It obeys the words that come in on
# standard input, and repeats each when it has done so. At the input's end the engine goes with all that it made, and that end
# comes however the test ends.
#
# Without TREE it is the machine's own dockerd. TREE is a Debian with engines, as scripts/engines.sh makes it, and KIND says which
# to start in it: `docker` or `podman`. With UID it is an ordinary user's.
set -eu
cd -- "$1"
directory=$1 cgroup=$2 tree=${3-} kind=${4-docker} uid=${5-}
socket=$directory/docker.sock

# In a network namespace of its own, because what an engine does with bridges and packet filters is done to a whole namespace.
# In a process namespace, because nothing outlives that one's first process, which is this shell. A mount namespace takes its
# mounts with it.
if [ -z "${STAGE-}" ]; then
    # What the kernel sends to processes whose test has crashed where one of them is frozen.
    trap '' HUP
    cp -- "$0" engine.sh
    STAGE=inside unshare --net --mount --pid --fork --mount-proc sh engine.sh "$@" || true
    # Version 2's place, and version 1's. Podman has a parent of its own for all that is on a machine.
    for group in /sys/fs/cgroup/"$cgroup" /sys/fs/cgroup/*/"$cgroup" /sys/fs/cgroup/*/libpod_parent; do
        if [ -d "$group" ]; then find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true; fi
    done
    rm -rf --one-file-system -- "$directory"
    exit
fi

# Goes on in the tree as its root, with /tmp, the homes and devices of the machine at the same paths. A mere chroot would not do:
# what an engine puts into a container by setns(2) would start at the machine's own root.
enter_tree() {
    # Out of all that is shared: nobody is to meet the machine's devices in the engine's directory.
    mount -t tmpfs tmpfs /run
    cd /run
    mkdir upper work root
    mount -t overlay overlay -o "lowerdir=$tree,upperdir=upper,workdir=work" root
    for shared in /dev /sys /tmp /home; do
        mkdir -p "root$shared"
        mount --rbind "$shared" "root$shared"
    done
    mount -t proc proc root/proc
    # Podman keeps its locks there, under one name for all that a user runs.
    mount -t tmpfs tmpfs root/dev/shm
    # crun takes no machine with both versions of cgroups at once.
    if mountpoint -q root/sys/fs/cgroup/unified; then umount root/sys/fs/cgroup/unified; fi
    mkdir root/old
    cd root
    pivot_root . old
    # shellcheck disable=SC2016  # for the inner shell
    STAGE=entered exec chroot . sh -c 'umount -l /old && exec sh "$0" "$@"' "$directory/engine.sh" "$directory" "$cgroup" "$tree" \
        "$kind" "$uid"
}

if [ "$STAGE" = inside ] && [ -n "$tree" ]; then enter_tree; fi
# Whoever runs tests on this engine does so in its network.
if [ -n "$tree" ]; then ip link set lo up; fi

# The shims' sockets are in /run/containerd, wherever the rest of containerd is.
mount -t tmpfs tmpfs /run

# The engine's own user, where it is not root's: an account, a range of other ids to map, and a place for sockets. What a user may
# open is what udev makes so.
as_owner() { exec "$@"; }
if [ -n "$uid" ]; then
    echo "wharftest:x:$uid:$uid::$directory/home:/bin/sh" >>/etc/passwd
    echo "wharftest:x:$uid:" >>/etc/group
    echo 'wharftest:200000:65536' | tee /etc/subuid >/etc/subgid
    mkdir -p "/run/user/$uid" home
    for device in fuse:229 net/tun:200; do
        node=/run/${device##*/}
        node=${node%:*}
        mknod -m 666 "$node" c 10 "${device#*:}"
        mount --bind "$node" "/dev/${device%:*}"
    done
    chown "$uid:$uid" "$directory" home "/run/user/$uid"
    as_owner() {
        exec env HOME="$directory/home" USER=wharftest LOGNAME=wharftest XDG_RUNTIME_DIR="/run/user/$uid" \
            setpriv --reuid "$uid" --regid "$uid" --clear-groups -- "$@"
    }
fi

start_containerd() {
    cat >containerd.toml <<END
version = 2
root = "$directory/containerd"
state = "$directory/containerd-state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime",
    "io.containerd.internal.v1.opt"]
[grpc]
address = "$directory/containerd.sock"
END
    containerd --config containerd.toml >containerd.log 2>&1 &
}

docker() {
    # The machine's own configuration is not for this engine.
    echo '{}' >dockerd.json
    # A test's engine has no network, and starts faster. That of a whole run has bridges in its own namespace.
    if [ -z "$tree" ]; then network='--bridge=none --iptables=false'; else network=; fi
    # shellcheck disable=SC2086
    as_owner dockerd --config-file dockerd.json --host "unix://$socket" --containerd "$directory/containerd.sock" \
        --data-root "$directory/data" --exec-root "$directory/exec" --pidfile "$directory/docker.pid" --live-restore \
        $network --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$cgroup"
}

# Its containers and their networks take the name of a project for a path of the machine, where no directory says otherwise.
podman() {
    # Of what podman asks for by itself, no more than this machine lets it have.
    limit() { awk -v of="Max $1" 'index($0, of) == 1 { sub(of, ""); print ($2 == "unlimited" ? -1 : $2) }' /proc/self/limits; }
    files=$(limit 'open files') processes=$(limit processes)
    cat >containers.conf <<END
[containers]
log_driver = "k8s-file"
default_ulimits = ["nofile=$files:$files", "nproc=$processes:$processes"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "$directory/libpod"
END
    # The tests' registry speaks no TLS.
    printf '[[registry]]\nlocation = "127.0.0.1"\ninsecure = true\n' >registries.conf
    export CONTAINERS_REGISTRIES_CONF="$directory/registries.conf"
    export CONTAINERS_CONF="$directory/containers.conf" PODMAN_IGNORE_CGROUPSV1_WARNING=1
    # As systemd has it start again when it has ended, which 5.8.6 does now and then where fifty ask at once.
    while :; do
        (as_owner podman --root "$directory/data" --runroot "$directory/exec" --cgroup-manager cgroupfs system service \
            --time 0 "unix://$socket") || true
    done
}

if [ "$kind" = docker ]; then start_containerd; fi
start() {
    "$kind" >>engine.log 2>&1 &
    engine=$!
}

end() {
    kill -s "$1" "$engine"
    wait "$engine" 2>/dev/null || true
}

while read -r word; do
    case $word in
    start) start ;;
    freeze)
        kill -STOP "$engine"
        # Its threads stop one by one.
        while grep -q '^State:.[^T]' /proc/"$engine"/task/*/status; do :; done
        ;;
    thaw) kill -CONT "$engine" ;;
    kill) end KILL ;;
    stop) end TERM ;;
    esac
    echo "$word"
done
