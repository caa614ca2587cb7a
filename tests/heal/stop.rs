//! Ending a program: its signal, its time, and what is left of both in the record.

use std::time::Duration;

use crate::support::Tank;
use crate::support::pods::script;

/// Says that its traps are set, and runs.
const RUN: &str = "echo ready; while :; do sleep 1000 & wait; done";

/// Replaces the pod, which ends its program; gives how long that took.
fn replace(tank: &Tank, pod: &str) -> Duration {
    tank.apply(&format!("{pod}env = {{ CHANGED = \"yes\" }}\n")).ok().elapsed
}

#[test]
fn program_that_obeys_is_not_waited_for_any_longer() {
    let tank = Tank::new();
    let pod = script("web", "stop_timeout = '50s'", &format!("trap 'exit 5' TERM; {RUN}"));
    tank.apply(&pod).ok();
    tank.await_log("web", "ready");
    replace(&tank, &pod);
    let life = tank.lives("web").swap_remove(0);
    assert_eq!(life["exit_code"], 5, "{life}");
    assert_eq!(life["reason"], "stopped", "{life}");
}

#[test]
fn program_that_ignores_its_signal_is_killed_after_the_timeout() {
    let tank = Tank::new();
    let pod = script("web", "stop_timeout = '700ms'", &format!("trap '' TERM; {RUN}"));
    tank.apply(&pod).ok();
    tank.await_log("web", "ready");
    let took = replace(&tank, &pod);
    assert!(took >= Duration::from_millis(700), "{took:?}");
    let life = tank.lives("web").swap_remove(0);
    assert_eq!(life["signal"], 9, "{life}");
    assert_eq!(life["exit_code"], serde_json::Value::Null, "{life}");
    assert_eq!(life["reason"], "stopped", "{life}");
}

#[test]
fn stop_signal_of_the_pod_file_is_sent() {
    let tank = Tank::new();
    let pod = script("web", "", &format!("trap 'exit 6' HUP; trap 'exit 7' TERM; {RUN}"));
    let pod = format!("{pod}stop_signal = \"HUP\"\n");
    tank.apply(&pod).ok();
    tank.await_log("web", "ready");
    replace(&tank, &pod);
    let life = tank.lives("web").swap_remove(0);
    assert_eq!(life["exit_code"], 6, "{life}");
}
