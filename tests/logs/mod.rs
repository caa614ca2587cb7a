//! `tank logs`, and the files that it reads.

mod cri;
mod disk;
mod flags;
mod follow;
mod lines;
mod rotation;

use std::path::PathBuf;

use serde_json::Value;

use crate::support::Tank;
use crate::support::pods::{SOON, busybox, script};

/// A pod whose container runs a shell script, with more keys of the container.
fn logged(name: &str, pod: &str, container: &str, script: &str) -> String {
    busybox(name, pod, &format!("command = ['/bin/sh', '-c', '''{script}''']\n{container}"))
}

/// The directory of the log files of a pod's container.
fn directory(tank: &Tank, pod: &str) -> PathBuf {
    tank.root().join("logs").join(pod).join("app")
}

/// What `tank logs -o json ARGS` prints, an object a line.
#[track_caller]
fn objects(tank: &Tank, args: &[&str]) -> Vec<Value> {
    let printed = tank.run([&["logs", "-o", "json"], args].concat()).ok();
    printed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What `tank logs ARGS` prints to standard output, to the byte.
#[track_caller]
fn bytes(tank: &Tank, args: &[&str]) -> Vec<u8> {
    let output = tank.command([&["logs"], args].concat()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

const COUNT: &str = "for n in 1 2 3 4 5 6; do echo line $n; done; \
    trap 'echo last; exit 0' TERM; echo ready; sleep 1000 & wait";

#[test]
fn last_lines_are_printed() {
    let tank = Tank::new();
    tank.apply(&script("web", "", COUNT)).ok();
    tank.await_log("web", "ready");
    let logs = |args: &[&str]| tank.run([&["logs"], args].concat()).ok();
    let whole = logs(&["web"]);
    assert_eq!(whole.stdout, "line 1\nline 2\nline 3\nline 4\nline 5\nline 6\nready\n");
    assert_eq!(whole.stderr, "");
    assert_eq!(logs(&["-n", "1", "web/app"]).stdout, "ready\n");
    assert_eq!(logs(&["-n", "0", "web"]).stdout, "");
    assert_eq!(logs(&["-n", "100", "web"]).stdout, whole.stdout);
    tank.run(["logs", "web/other"]).exits(3);
    tank.run(["logs", "other"]).exits(3);
}

#[test]
fn follower_ends_with_the_last_line_of_a_deleted_pod() {
    let tank = Tank::new();
    tank.apply(&script("web", "", COUNT)).ok();
    let follower = tank.start(["logs", "-f", "web"]);
    let seen = follower.await_stdout("ready", SOON);
    assert!(seen.starts_with("line 1\n"), "{seen}");
    tank.run(["delete", "web"]).ok();
    let output = follower.finish(SOON).exits(0);
    assert_eq!(output.stdout, "last\n");
}

#[test]
fn follower_sees_the_next_life() {
    let tank = Tank::new();
    let restart = "restart = { policy = 'on-failure', max_retries = 1, initial = '200ms' }";
    tank.apply(&script("web", restart, "echo one life; exit 1")).ok();
    let output = tank.start(["logs", "-f", "web"]).finish(SOON).exits(0);
    assert_eq!(output.stdout, "one life\none life\n");
}

#[test]
fn log_of_a_program_that_ended_is_whole_and_ends() {
    let tank = Tank::new();
    let printed = "restart = 'never'";
    tank.apply(&script("web", printed, "printf 'no newline'")).ok();
    tank.await_status("web", "completed");
    let output = tank.start(["logs", "-f", "web"]).finish(SOON).exits(0);
    assert_eq!(output.stdout.trim_end(), "no newline");
}

#[test]
fn what_was_written_to_standard_error_goes_there() {
    let tank = Tank::new();
    tank.apply(&script("web", "restart = 'never'", "echo fine; echo problem >&2")).ok();
    tank.await_status("web", "completed");
    let logs = tank.run(["logs", "web"]).ok();
    assert_eq!((logs.stdout.as_str(), logs.stderr.as_str()), ("fine\n", "problem\n"));
}
