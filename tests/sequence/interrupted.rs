//! Passes whose process dies: the next one says so, and whose they were.

use std::fs;

use rustix::process::Signal;

use super::journal::{Journal, Owner};
use super::{CALM, container, pod, sleeper};
use crate::support::pods::{SOON, send};
use crate::support::program::Running;
use crate::support::{Tank, wait};

/// A process, as the kernel names it.
fn identity(pid: u32) -> Owner {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    // The 22nd field, of which two come before the last bracket: proc_pid_stat(5).
    let start = fields.split(' ').nth(22 - 3).unwrap().parse().unwrap();
    Owner { pid, start, boot: boot.trim().to_owned() }
}

/// Starts to stop a pod that does not want to end, beside one that does; comes back when it was
/// asked to.
fn stopping(tank: &Tank) -> Running {
    tank.start_ending("web", ["stop", "other", "web"])
}

/// A pod that ends when it is killed, and not before.
fn stubborn() -> String {
    let patient = pod("web", "", &container("app", "trap '' TERM; echo deaf; sleep 1000", ""));
    patient.replace("stop_timeout = '5s'", "stop_timeout = '1h'")
}

#[test]
fn steps_of_a_pass_that_was_killed_are_interrupted_and_say_whose_they_were() {
    let tank = Tank::new();
    tank.apply(&(sleeper(CALM) + &sleeper("other") + &stubborn())).ok();
    tank.await_log("web", "deaf");
    let (calm, journal) = (tank.pid(CALM), Journal::from_now_on(&tank));
    let stop = stopping(&tank);
    let owner = identity(stop.pid());
    wait::until("the other to be over", SOON, || {
        journal.told().starts_with("other: stop/app/1 succeeded").then_some(())
    });
    stop.kill();
    let other = "other: stop/app/1 succeeded, remove/app/1 succeeded, remove-sandbox succeeded";
    let killed = format!(
        "{other}; web: stop/app/1 started, remove/app/1 started, remove-sandbox started; \
         planned 6, no end"
    );
    assert_eq!(journal.told(), killed);
    // To look is not to judge.
    tank.run(["plan"]).ok();
    tank.run(["list"]).ok();
    assert_eq!(journal.told(), killed);
    assert_eq!(journal.owners(), [owner]);

    // The pass that its end leads to is the next one.
    send(tank.pid("web"), Signal::KILL);
    let told = format!(
        "{}; then web: remove/app/1 succeeded, remove-sandbox succeeded; \
         planned 2, executed 2, failed 0",
        killed.replace("started", "interrupted")
    );
    wait::until("the pod to be mended", SOON, || (journal.told() == told).then_some(()));
    assert_eq!(tank.run(["plan"]).ok().stdout, "nothing to do\n");
    journal.assert_closed();
    assert_eq!(tank.pid(CALM), calm);
}

#[test]
fn steps_of_a_pass_that_lives_are_left_to_it() {
    let tank = Tank::new();
    tank.apply(&(sleeper("other") + &stubborn())).ok();
    tank.await_log("web", "deaf");
    let journal = Journal::from_now_on(&tank);
    let stop = stopping(&tank);
    wait::until("the other to be over", SOON, || {
        journal.told().starts_with("other: stop/app/1 succeeded").then_some(())
    });
    let beside = Journal::from_now_on(&tank);
    tank.apply(&sleeper("beside")).ok();
    assert_eq!(
        beside.told(),
        "beside: create-sandbox succeeded, start/app/1 succeeded; planned 2, executed 2, failed 0"
    );
    assert!(journal.told().contains("web: stop/app/1 started, "), "{}", journal.told());
    send(tank.pid("web"), Signal::KILL);
    let stopped = stop.finish(SOON).ok();
    assert!(stopped.stdout.ends_with("planned 6, executed 6, failed 0\n"), "{stopped}");
    assert!(!journal.told().contains("started"), "{}", journal.told());
    assert_eq!(tank.run(["plan"]).ok().stdout, "nothing to do\n");
}
