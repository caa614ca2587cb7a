//! A machine that goes down, and what it finds when it is up again.

use std::os::unix::process::ExitStatusExt;

use rustix::process::Signal;

use crate::support::pods::{SOON, script, send};
use crate::support::{Tank, wait};

/// Holds the lock of a pod for as long as it lives, so that nobody takes in what became of it.
fn hold(tank: &Tank, pod: &str) -> std::fs::File {
    let lock = std::fs::File::open(tank.run_root().join(format!("locks/{pod}.lock"))).unwrap();
    lock.lock().unwrap();
    lock
}

#[test]
fn an_end_that_nobody_took_in_before_is_taken_in_after() {
    let tank = Tank::new();
    let job = "mkfifo /tmp/fifo; echo ready; read x < /tmp/fifo";
    tank.apply(&script("job", "restart = 'on-failure'", job)).ok();
    tank.await_log("job", "ready");
    let monitor = tank.monitor("job");
    let lock = hold(&tank, "job");
    tank.run(["exec", "job", "--", "sh", "-c", "echo go > /tmp/fifo"]).ok();
    // It is the pass by now that waits for the lock.
    wait::until("the end", SOON, || {
        let name = std::fs::read_to_string(format!("/proc/{monitor}/comm")).unwrap_or_default();
        (name.trim() != "tank-monitor").then_some(())
    });
    tank.reboot();
    drop(lock);
    tank.run(["reconcile"]).ok();
    let listed = tank.listed("job");
    assert_eq!(listed["status"], "completed", "{listed}");
    assert_eq!(listed["exits"][0]["exit_code"], 0, "{listed}");
}

/// Its row is there, and nothing else.
#[test]
fn what_was_to_be_started_when_the_power_went_is_started() {
    let tank = Tank::new();
    let job = tank.file("job.toml", script("job", "restart = 'never'", "exit 0"));
    let mut apply = tank.command(["apply", "-f", job.to_str().unwrap()]);
    apply.env("TANK_CRASH_AT", "intent");
    assert_eq!(apply.status().unwrap().signal(), Some(9));
    assert_eq!(tank.lives("job")[0]["state"], "created");
    tank.reboot();
    tank.run(["reconcile"]).ok();
    tank.await_status("job", "completed");
}

/// A machine that is shut down sends every process SIGTERM. Programs that return 0 for that have not
/// done what they were there for.
#[test]
fn what_a_shutdown_ends_runs_again() {
    let tank = Tank::new();
    let sleep = "trap 'exit 0' TERM; echo ready; sleep 1000 & wait";
    tank.apply(&script("web", "restart = 'on-failure'", sleep)).ok();
    tank.await_log("web", "ready");
    let (monitor, program) = (tank.monitor("web"), tank.pid("web"));
    for pid in [monitor, program] {
        send(pid, Signal::TERM);
    }
    for pid in [program, monitor] {
        assert!(wait::process_ended(pid, SOON));
    }
    tank.reboot();
    tank.run(["reconcile"]).ok();
    tank.await_status("web", "running");
    let life = tank.lives("web").remove(0);
    assert_eq!((&life["reason"], &life["exit_code"]), (&"host-reboot".into(), &0.into()), "{life}");
}
