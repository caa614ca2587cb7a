//! What containers mount: named volumes, and files that tank writes for them.

mod contents;
mod secrets;
mod volumes;

use crate::support::{Tank, pods};

/// A pod that sleeps, with these mounts.
fn sleeper(name: &str, mounts: &str) -> String {
    let script = "trap 'exit 0' TERM; sleep 1000 & wait";
    let container = format!("command = ['/bin/sh', '-c', '''{script}''']\n{mounts}");
    pods::busybox(name, "stop_timeout = '1s'", &container)
}

fn mount(keys: &str) -> String {
    format!("[[containers.mounts]]\n{keys}\n")
}

/// What a shell in the pod's container prints.
#[track_caller]
fn sh(tank: &Tank, pod: &str, script: &str) -> String {
    tank.run(["exec", pod, "--", "sh", "-c", script]).ok().stdout
}
