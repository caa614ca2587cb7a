//! Containers that ended.

use super::notation::check;

#[test]
fn the_policy_decides_whether_it_starts_again() {
    check(&[
        [
            "always, after a failure",
            "app=x",
            "ready; app/1 code=1",
            "remove/app/1 start/app/2~1: exited with code 1, restart = always",
        ],
        [
            "always, after success",
            "app=x",
            "ready; app/1 code=0",
            "remove/app/1 start/app/2~1: exited with code 0, restart = always",
        ],
        [
            "on-failure, after a failure",
            "app=x restart=on-failure",
            "ready; app/1 code=1",
            "remove/app/1 start/app/2~1: exited with code 1, restart = on-failure",
        ],
        ["on-failure, after success", "app=x restart=on-failure", "ready; app/1 code=0", ""],
        [
            "on-failure, after a signal",
            "app=x restart=on-failure",
            "ready; app/1 signal=9",
            "remove/app/1 start/app/2~1: killed by signal 9, restart = on-failure",
        ],
        [
            "on-failure, out of memory",
            "app=x restart=on-failure",
            "ready; app/1 oom",
            "remove/app/1 start/app/2~1: out of memory, restart = on-failure",
        ],
        [
            "on-failure, nobody saw it end",
            "app=x restart=on-failure",
            "ready; app/1 unseen",
            "remove/app/1 start/app/2~1: \
             monitor was lost, exit unknown, restart = on-failure",
        ],
        [
            "on-failure, it never started",
            "app=x restart=on-failure",
            "ready; app/1 start-failed",
            "remove/app/1 start/app/2~1: start failed: cannot execute /x, restart = on-failure",
        ],
        ["never, after a failure", "app=x restart=never", "ready; app/1 code=1", ""],
        ["never, after success", "app=x restart=never", "ready; app/1 code=0", ""],
        ["never, it never started", "app=x restart=never", "ready; app/1 start-failed", ""],
        ["never, missing", "app=x restart=never", "ready; app/1 missing gone", ""],
    ]);
}

#[test]
fn a_delay_holds_it_back() {
    check(&[
        ["it just ended", "app=x", "ready; app/1 code=1 ago=0s", "wake 1s"],
        ["half a second ago", "app=x", "ready; app/1 code=1 ago=0.5s", "wake 0.5s"],
        ["the second end", "app=x", "ready; app/2 s1 code=1 ago=0s", "wake 2s"],
        ["the seventh end", "app=x", "ready; app/7 s6 code=1 ago=0s", "wake 60s"],
        ["the delay stays at its most", "app=x", "ready; app/7 s40 code=1 ago=0s", "wake 60s"],
        [
            "the row is told",
            "app=x",
            "ready; app/3 s2 code=1 ago=10s",
            "remove/app/3 start/app/4~3: exited with code 1 (3 times in a row), restart = always",
        ],
        [
            "ten good minutes break the row",
            "app=x",
            "ready; app/9 s8 code=1 ran=10m ago=2s",
            "remove/app/9 start/app/10~1: exited with code 1, restart = always",
        ],
        ["but their end waits", "app=x", "ready; app/9 s8 code=1 ran=10m ago=0s", "wake 1s"],
        ["nine do not", "app=x", "ready; app/9 s8 code=1 ran=9m ago=2s", "wake 58s"],
        ["no retries left", "app=x retries=2", "ready; app/3 s2 code=1", ""],
        [
            "the last retry",
            "app=x retries=2",
            "ready; app/2 s1 code=1",
            "remove/app/2 start/app/3~2: exited with code 1 (2 times in a row), restart = always",
        ],
        [
            "a good run gives the retries back",
            "app=x retries=2",
            "ready; app/3 s2 code=1 ran=1h",
            "remove/app/3 start/app/4~1: exited with code 1, restart = always",
        ],
        ["no retries at all", "app=x retries=0", "ready; app/1 code=1", ""],
        ["an end at an unknown time", "app=x", "ready; app/1 unseen ran=0s ago=?", "wake 1s"],
        [
            "a start that fails at once",
            "app=x",
            "ready; app/1 start-failed ago=?  ran=0s",
            "wake 1s",
        ],
        [
            "the clock was set back a year",
            "app=x",
            "ready; app/1 code=1 ago=-9000h",
            "remove/app/1 start/app/2~1: exited with code 1, restart = always",
        ],
        ["the clock was set back a bit", "app=x", "ready; app/1 code=1 ago=-0.5s", "wake 1s"],
        [
            "the clock was set forward",
            "app=x",
            "ready; app/7 s6 code=1 ago=9000h",
            "remove/app/7 start/app/8~7: exited with code 1 (7 times in a row), restart = always",
        ],
    ]);
}

#[test]
fn what_it_did_not_bring_about_itself_holds_nothing_back() {
    check(&[
        [
            "tank stopped it, and now it should run",
            "app=x restart=never",
            "ready; app/1 s3 stopped ago=0s",
            "remove/app/1 start/app/2: was stopped, should run",
        ],
        [
            "it was taken away while it waited",
            "app=x",
            "absent; app/3 s5 code=1 removed ago=0s",
            "create-sandbox start/app/4: \
             exited with code 1 (6 times in a row), restart = always",
        ],
        [
            "it was taken away when it had no retries left",
            "app=x retries=1",
            "absent; app/2 s1 code=1 removed ago=0s",
            "create-sandbox start/app/3: exited with code 1 (2 times in a row), restart = always",
        ],
        ["what is done stays done", "app=x restart=never", "absent; app/1 code=0 removed", ""],
        [
            "the host was restarted",
            "app=x",
            "absent; app/4 s3 reboot ago=?",
            "remove/app/4 create-sandbox start/app/5: host was restarted",
        ],
        [
            "the host was restarted, on-failure",
            "app=x restart=on-failure",
            "absent; app/4 s3 reboot ago=?",
            "remove/app/4 create-sandbox start/app/5: host was restarted",
        ],
        ["the host was restarted, never", "app=x restart=never", "absent; app/1 reboot ago=?", ""],
        [
            "the monitor was killed, the program perhaps lives",
            "app=x restart=never",
            "ready; app/1 unknown",
            "stop/app/1 remove/app/1 start/app/2~1: monitor was lost",
        ],
        [
            "the monitor was killed after a good run",
            "app=x",
            "ready; app/6 s5 unknown ran=1h",
            "stop/app/6 remove/app/6 start/app/7~1: monitor was lost",
        ],
        [
            "nothing is found of it",
            "app=x",
            "ready; app/1 missing gone ran=1h",
            "start/app/2~1: monitor was lost, exit unknown, restart = always",
        ],
        [
            "its start was interrupted",
            "app=x restart=never",
            "ready; app/2 s1 created",
            "remove/app/2: start was interrupted | remove-sandbox create-sandbox: \
             nothing was started in the sandbox | start/app/3~1: start was interrupted",
        ],
        [
            "its start was interrupted before anything was made",
            "app=x",
            "ready; app/1 created gone",
            "remove-sandbox create-sandbox: nothing was started in the sandbox \
             | start/app/2: start was interrupted",
        ],
        [
            "its removal was interrupted",
            "app=x",
            "ready; app/2 s1 removing",
            "remove/app/2 start/app/3~1: removal was interrupted",
        ],
        [
            "its removal was interrupted, its exit is known",
            "app=x",
            "ready; app/2 s1 removing code=1",
            "remove/app/2 start/app/3~2: exited with code 1 (2 times in a row), restart = always",
        ],
    ]);
}

#[test]
fn a_new_spec_is_a_new_beginning() {
    check(&[
        [
            "while it waited",
            "app=x:1 => app=x:2",
            "ready; app/6 s5 code=1 ago=0s",
            "remove/app/6 start/app/7: containers[app].image: x:1 -> x:2",
        ],
        [
            "when it was done",
            "app=x:1 restart=never => app=x:2 restart=never",
            "ready; app/1 code=0",
            "remove/app/1 start/app/2: containers[app].image: x:1 -> x:2",
        ],
        [
            "when it had no retries left",
            "app=x:1 retries=1 => app=x:2 retries=1",
            "ready; app/2 s1 code=1",
            "remove/app/2 start/app/3: containers[app].image: x:1 -> x:2",
        ],
        [
            "more processes for what failed",
            "app=x pids=5 restart=never => app=x pids=6 restart=never",
            "ready; app/1 oom",
            "remove/app/1 start/app/2: containers[app].pids: 5 -> 6",
        ],
        [
            "more processes for what is done",
            "app=x pids=5 restart=never => app=x pids=6 restart=never",
            "ready; app/1 code=0",
            "",
        ],
        ["a label", "app=x => app=x label=y", "ready; app/6 s5 code=1 ago=0s", "wake 32s"],
        [
            "another policy",
            "app=x restart=never => app=x",
            "ready; app/1 code=0",
            "remove/app/1 start/app/2~1: exited with code 0, restart = always",
        ],
        [
            "a lost revision proves no change",
            "app=x restart=never => app=y restart=never",
            "ready; app/1 code=0 lost",
            "",
        ],
    ]);
}
