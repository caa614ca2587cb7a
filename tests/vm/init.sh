#!/bin/busybox sh
# The first process of the virtual machine. It leaves the initial root, which pivot_root(2)
# refuses as an old root, makes the machine look like a booted Debian, runs what it is for and
# powers off. What it prints is what the test on the other end of the serial line reads.

export PATH=/bin HOME=/root

if [ -e /init ]; then
    mount -t tmpfs -o mode=755 root /new
    for entry in /*; do
        [ "$entry" = /init ] || [ "$entry" = /new ] || cp -a "$entry" /new/
    done
    cp /init /new/second
    exec switch_root /new /second
fi

fail() {
    echo "vm: cannot $1"
    poweroff -f
}

mount -t proc proc /proc || fail "mount proc"
mount -t sysfs sysfs /sys || fail "mount sysfs"
mount -t devtmpfs dev /dev || fail "mount devtmpfs"
mkdir -p /dev/pts /dev/shm /dev/mqueue
mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts || fail "mount devpts"
mount -t tmpfs shm /dev/shm || fail "mount shm"
mount -t mqueue mqueue /dev/mqueue || fail "mount mqueue"
mount -t tmpfs -o mode=1777 tmp /tmp || fail "mount tmp"
mount -t tmpfs -o mode=755 run /run || fail "mount run"
mount -t cgroup2 cgroup2 /sys/fs/cgroup || fail "mount cgroup2"
for controller in cpu cpuset io memory pids; do
    echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control || fail "enable $controller"
done
for module in /modules/*.ko; do
    insmod "$module" || fail "load $module"
done
ip link set lo up || fail "raise lo"
hostname vm

echo "vm: up after $(cut -d ' ' -f 1 /proc/uptime) s, $(uname -r)"
cd /root
sh /payload/start
echo "vm: done after $(cut -d ' ' -f 1 /proc/uptime) s"
poweroff -f
