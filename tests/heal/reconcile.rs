//! Drift that nobody is there to notice is put right by the next pass.

use std::os::unix::process::ExitStatusExt;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::Tank;
use crate::support::pods::{SOON, runs, script, send, sleeper};
use crate::support::wait;

#[test]
fn repeated_pass_heals_a_killed_monitor_and_ends_on_sigterm() {
    let tank = Tank::new();
    tank.apply(&sleeper("web")).ok();
    let (program, monitor) = (tank.pid("web"), tank.monitor("web"));
    let repeated = tank.start(["reconcile", "--every", "1s"]);
    send(monitor, Signal::KILL);
    let healed = tank.await_life("a second life", "web", |life| runs(life, 2));
    assert!(wait::process_ended(program, SOON), "two lives at once: {healed}");
    send(repeated.pid(), Signal::TERM);
    repeated.finish(SOON).exits(0);
    assert_eq!(tank.lives("web").len(), 2);
}

#[test]
fn end_that_nobody_saw_is_unknown_and_never_0() {
    let tank = Tank::new();
    tank.apply(&sleeper("web")).ok();
    let (program, monitor) = (tank.pid("web"), tank.monitor("web"));
    send(monitor, Signal::KILL);
    wait::process_ended(monitor, SOON);
    // It may have gone with its monitor.
    if !wait::process_ended(program, std::time::Duration::ZERO) {
        send(program, Signal::KILL);
    }
    assert!(wait::process_ended(program, SOON));
    wait::until("a second life", SOON, || {
        tank.run(["reconcile"]).ok();
        (tank.lives("web").len() == 2).then_some(())
    });
    let life = tank.lives("web").swap_remove(0);
    assert_eq!(life["exit_code"], Value::Null, "{life}");
    assert_eq!(life["signal"], Value::Null, "{life}");
    assert_eq!(life["state"], "missing", "{life}");
    let described = tank.run(["describe", "web"]).ok().stdout;
    assert!(!described.contains("code 0"), "{described}");
}

/// The policy is about ends of the program's own: what tank has to end because nobody watches it
/// any more is started again.
#[test]
fn lost_monitor_is_no_end_that_the_restart_policy_is_about() {
    let tank = Tank::new();
    let sleep = "trap 'exit 0' TERM; sleep 1000 & wait";
    tank.apply(&script("web", "restart = 'never'", sleep)).ok();
    let (program, monitor) = (tank.pid("web"), tank.monitor("web"));
    send(monitor, Signal::KILL);
    assert!(wait::process_ended(monitor, SOON));
    tank.run(["reconcile"]).ok();
    assert!(wait::process_ended(program, SOON));
    assert!(runs(&tank.lives("web")[1], 2));
    tank.run(["plan", "--detailed-exitcode"]).exits(0);
}

#[test]
fn repeated_pass_ends_on_sigint_too() {
    let tank = Tank::new();
    let repeated = tank.start(["reconcile", "--every", "1s", "-o", "json"]);
    repeated.await_stdout("\"planned\":0", SOON);
    send(repeated.pid(), Signal::INT);
    repeated.finish(SOON).exits(0);
}

#[test]
fn a_pass_in_the_foreground_comes_to_its_end_before_it_ends() {
    let tank = Tank::new();
    let slow = script(
        "web",
        "stop_timeout = '20s'",
        "trap 'echo ending; sleep 1; exit 0' TERM; sleep 1000 & wait",
    );
    tank.apply(&slow).ok();
    let mut killed = tank.command(["restart", "web"]);
    killed.env("TANK_CRASH_AT", "intent");
    assert_eq!(killed.status().unwrap().signal(), Some(9));
    let repeated = tank.start(["reconcile", "--every", "1h"]);
    tank.await_log("web", "ending");
    send(repeated.pid(), Signal::TERM);
    let ended = repeated.finish(SOON).exits(0);
    assert!(ended.stdout.contains("planned 4, executed 4, failed 0"), "{ended}");
    // What it has started gets all signals.
    tank.run(["stop", "web"]).ok();
    assert_eq!(tank.lives("web").pop().unwrap()["exit_code"], 0);
}
