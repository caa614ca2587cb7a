# What scripts of machines with a disk begin with. Commands report on the serial line; what nobody
# asks for to be written stays in memory, so that it is gone when the power is.

mount -t ext4 -o commit=300,noatime /dev/vda /disk || echo "vm: cannot mount the disk"
echo 0 >/proc/sys/vm/dirty_writeback_centisecs

export TANK_ROOT=/disk/root TANK_RUN_ROOT=/run/tank

tank() {
    /payload/tank "$@"
}

# run NAME COMMAND...: what it prints comes between two lines that name it. It does not print on
# a terminal, which the serial line is.
run() {
    name=$1
    shift
    "$@" >/tmp/stdout 2>/tmp/stderr
    code=$?
    echo "vm: begin $name"
    cat /tmp/stdout
    echo "vm: end $name $code"
    cat /tmp/stderr
}

# check POD...: one pass, with which these pods are ready; another one, and what there is then.
check() {
    run doctor tank doctor -o json
    run pass tank reconcile -o json
    [ $# = 0 ] || run ready tank wait --for ready "$@"
    run again tank reconcile -o json
    run plan tank plan -o json
    run list tank list -o json
    run ps tank ps -o json
    run lives tank ps -a -o json
    run images tank image list -o json
    run kept ls /disk/root/containers
    run running ls /run/tank/containers
}

# at CONDITION COMMAND...: runs it, and asks for the power to be cut as soon as the condition holds.
at() {
    condition=$1
    shift
    "$@" >/dev/null 2>&1 &
    while :; do
        # What has ended has no program any more.
        running=
        [ -e "/proc/$!/exe" ] && running=yes
        eval "$condition" && break
        [ "$running" ] || {
            echo "vm: it ended before $condition"
            return
        }
    done
    lose_power
}

# Whether a pattern is the name of something.
there() {
    [ -e "$1" ]
}

lose_power() {
    echo "vm: cut"
    sleep 1000
}
