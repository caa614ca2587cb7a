//! Ending a program: its signal, its time, and what is left of both in the record.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::Tank;
use crate::support::pods::{SOON, runs, script, send};
use crate::support::volume::Volume;

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

/// Applies a pod whose program does not end when it is asked to, but by [`ENDS`], and kills a command
/// that asks it while that waits; gives the program.
fn ask_in_vain(tank: &Tank, keys: &str, args: &[&str]) -> u32 {
    let wait = format!("trap '' TERM; trap 'exit 0' USR1; {RUN}");
    tank.apply(&script("web", &format!("stop_timeout = '1h'\n{keys}"), &wait)).ok();
    tank.await_log("web", "ready");
    let program = tank.pid("web");
    tank.start_ending("web", args).kill();
    program
}

const ENDS: Signal = Signal::USR1;

#[test]
fn a_restart_that_died_while_it_waited_is_completed_when_the_program_ends() {
    let tank = Tank::new();
    let program = ask_in_vain(&tank, "", &["restart", "web"]);
    tank.run(["exec", "web", "--", "true"]).ok();
    send(program, ENDS);
    // The second life was that of the restart, which did not get to it.
    tank.await_life("a third life", "web", |life| runs(life, 3));
    tank.await_log("web", "ready");
    let program = tank.pid("web");
    let stop = tank.start_ending("web", ["stop", "web"]);
    send(program, ENDS);
    stop.finish(SOON).ok();
    let reasons: Vec<_> = tank.lives("web").iter().map(|life| life["reason"].clone()).collect();
    assert_eq!(reasons, ["exited", "unknown", "stopped"]);
}

#[test]
fn a_stop_that_died_while_it_waited_is_completed_when_the_program_ends() {
    let tank = Tank::new();
    send(ask_in_vain(&tank, "", &["stop", "web"]), ENDS);
    tank.await_nothing_to_do();
    assert_eq!((tank.lives("web").len(), &tank.listed("web")["status"]), (1, &"stopped".into()));
}

#[test]
fn a_stop_that_was_given_up_is_not_what_ends_the_program_later() {
    let tank = Tank::new();
    let program = ask_in_vain(&tank, "restart = 'never'", &["stop", "web"]);
    tank.run(["start", "web"]).ok();
    send(program, ENDS);
    tank.await_status("web", "completed");
    tank.await_nothing_to_do();
    let lives = tank.lives("web");
    assert_eq!((lives.len(), &lives[0]["reason"]), (1, &"exited".into()), "{lives:?}");
}

/// There is no room for who asks, only for that somebody does.
#[test]
fn a_stop_is_done_on_a_full_run_directory() {
    let tank = Tank::new();
    let full = Volume::in_memory(&tank.run_root().join("containers"), 64 << 10);
    fs::set_permissions(tank.run_root(), fs::Permissions::from_mode(0o700)).unwrap();
    tank.apply(&script("web", "stop_timeout = '50s'", &format!("trap 'exit 5' TERM; {RUN}"))).ok();
    tank.await_log("web", "ready");
    let food = vec![0; usize::try_from(full.free()).unwrap()];
    fs::write(tank.run_root().join("containers/food"), food).unwrap();
    assert_eq!(full.free(), 0);
    tank.run(["stop", "web"]).ok();
    let life = tank.lives("web").swap_remove(0);
    assert_eq!((&life["exit_code"], &life["reason"]), (&5.into(), &"stopped".into()), "{life}");
}
