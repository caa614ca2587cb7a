//! Probes: what is asked, by whom, and what follows from the answers.

mod answers;
mod bounds;
mod consequences;

use std::time::Duration;

use crate::support::{Tank, pods, wait};

const SOON: Duration = Duration::from_secs(20);

/// The pod `web` of a shell script with probes.
fn pod(script: &str, keys: &str, probes: &str) -> String {
    let container = format!("command = ['/bin/sh', '-c', '''{script}''']\n{probes}");
    pods::busybox("web", keys, &container)
}

/// A script that runs until it is told to end.
const SLEEP: &str = "trap 'exit 0' TERM; sleep 1000 & wait";

/// A probe that is made ten times a second.
fn probe(kind: &str, check: &str, keys: &str) -> String {
    format!("[containers.{kind}]\n{check}\nperiod = '100ms'\n{keys}\n")
}

/// A check that passes if there is a file.
fn has(file: &str) -> String {
    format!("exec = ['/bin/test', '-e', '{file}']")
}

#[track_caller]
fn sh(tank: &Tank, script: &str) -> String {
    tank.run(["exec", "web", "--", "sh", "-c", script]).ok().stdout
}

/// Waits until so many of the pod's containers are ready.
#[track_caller]
fn await_ready(tank: &Tank, ready: u64) {
    wait::until(&format!("{ready} ready"), SOON, || {
        (tank.listed("web")["ready"] == ready).then_some(())
    });
}
