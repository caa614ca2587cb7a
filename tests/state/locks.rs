//! Several commands about one pod at once: one after the other, or an error that names who is on it.

use rustix::process::Signal;

use crate::support::pods::{SOON, busybox, script, send, sleeper};
use crate::support::{Tank, wait};

#[test]
fn two_applies_at_once_both_succeed_one_after_the_other() {
    let tank = Tank::new();
    let file = tank.file("pod.toml", sleeper("web"));
    let apply = ["apply", "-f", file.to_str().unwrap()];
    let both = [tank.start(apply), tank.start(apply)];
    let mut told: Vec<_> = both
        .map(|apply| apply.finish(SOON).ok().stdout)
        .iter()
        .map(|stdout| stdout.lines().next().unwrap().to_owned())
        .collect();
    told.sort();
    assert_eq!(told, ["pod/web created", "pod/web unchanged"]);
    assert_eq!(tank.lives("web").len(), 1);
    assert_eq!(tank.listed("web")["sync"], "sync");
}

#[test]
fn many_changes_at_once_end_in_one_of_them() {
    let tank = Tank::new();
    let apply = |n: u32| {
        let pod = format!("{}env = {{ N = '{n}' }}\n", sleeper("web"));
        let file = tank.file(&format!("{n}.toml"), pod);
        tank.start(["apply", "-f", file.to_str().unwrap()])
    };
    let all = [1, 2, 3, 4].map(apply);
    for one in all {
        one.finish(SOON).ok();
    }
    assert_eq!(tank.listed("web")["sync"], "sync");
    assert_eq!(tank.listed("web")["generation"], 4);
    let running = tank.lives("web").iter().filter(|life| life["state"] == "running").count();
    assert_eq!(running, 1);
}

#[test]
fn lock_that_is_held_too_long_is_an_error_that_names_the_holder() {
    let tank = Tank::new();
    let stubborn = script(
        "web",
        "stop_timeout = '60s'",
        "trap '' TERM; echo ready; while :; do sleep 1000 & wait; done",
    );
    tank.apply(&stubborn).ok();
    tank.await_log("web", "ready");
    let program = tank.pid("web");
    let changed = busybox("web", "stop_timeout = '1s'", "command = ['sleep', '1000']");
    let changed = changed.replace("'1s'", "'60s'");
    let file = tank.file("changed.toml", changed);
    let holder = tank.start(["apply", "-f", file.to_str().unwrap()]);
    let named = format!("pid {} (tank ", holder.pid());
    let lock = tank.run_root().join("locks/web.lock");
    wait::until("the lock to be held", SOON, || {
        std::fs::read_to_string(&lock).ok().filter(|text| text.starts_with(&named))
    });

    let refused =
        tank.run(["apply", "--lock-timeout", "1s", "-f", file.to_str().unwrap()]).exits(75);
    assert!(refused.stderr.contains(&named), "{refused}");
    assert!(refused.elapsed.as_secs() >= 1, "{refused}");
    tank.run(["delete", "--lock-timeout", "0s", "web"]).exits(75);
    // Reports need no lock, and a pass over everything leaves the pod to who has it.
    assert_eq!(tank.listed("web")["name"], "web");
    tank.run(["reconcile"]).ok();

    send(program, Signal::KILL);
    holder.finish(SOON).ok();
    let last = tank.file("last.toml", sleeper("web"));
    send(tank.pid("web"), Signal::KILL);
    tank.run(["apply", "-f", last.to_str().unwrap()]).ok();
}

#[test]
fn holder_that_was_killed_holds_nobody_up() {
    let tank = Tank::new();
    let stubborn = script(
        "web",
        "stop_timeout = '60s'",
        "trap '' TERM; echo ready; while :; do sleep 1000 & wait; done",
    );
    tank.apply(&stubborn).ok();
    tank.await_log("web", "ready");
    let program = tank.pid("web");
    let file = tank.file("changed.toml", sleeper("web"));
    let holder = tank.start(["apply", "-f", file.to_str().unwrap()]);
    let named = format!("pid {} (tank ", holder.pid());
    let lock = tank.run_root().join("locks/web.lock");
    wait::until("the lock to be held", SOON, || {
        std::fs::read_to_string(&lock).ok().filter(|text| text.starts_with(&named))
    });
    send(holder.pid(), Signal::KILL);
    holder.finish(SOON).killed_by(9);
    send(program, Signal::KILL);
    tank.run(["reconcile", "--lock-timeout", "5s", "web"]).ok();
    tank.await_life("the new life", "web", |life| life["state"] == "running");
    tank.run(["plan", "--detailed-exitcode"]).exits(0);
}
