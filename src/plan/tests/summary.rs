//! The status of a pod.

use super::notation::{generations, now, observed};
use crate::plan::status;

/// `[desired, observed, phase ready/total restarts sync: reasons]`
#[test]
fn a_pod_in_one_line() {
    let table = [
        ["app=x", "absent", "pending 0/1 0 diverged: pod is new"],
        ["app=x", "ready; app/1 running", "running 1/1 0 sync: "],
        [
            "app=x:1 => app=x:2",
            "ready; app/1 running",
            "running 1/1 0 diverged: containers[app].image: x:1 -> x:2",
        ],
        ["app=x", "ready; app/1 code=1 removed; app/2 s1 running", "running 1/1 1 sync: "],
        ["app=x", "ready; app/1 stopped removed; app/2 running", "running 1/1 0 sync: "],
        ["app=x", "ready; app/1 reboot removed; app/2 running", "running 1/1 0 sync: "],
        [
            "app=x",
            "ready; app/1 code=1 ago=0s",
            "back-off 0/1 0 sync: exited with code 1, restart = always",
        ],
        [
            "app=x",
            "ready; app/1 code=1",
            "pending 0/1 0 diverged: exited with code 1, restart = always",
        ],
        ["app=x restart=never", "ready; app/1 code=0", "completed 0/1 0 sync: "],
        ["app=x restart=never", "ready; app/1 oom", "failed 0/1 0 sync: out of memory"],
        [
            "app=x retries=1",
            "ready; app/2 s1 code=3",
            "failed 0/1 1 sync: exited with code 3 (2 times in a row), no retries left",
        ],
        ["app=x", "ready; app/1 unknown", "pending 0/1 0 diverged: monitor was lost"],
        [
            "a=x b=y",
            "ready; a/1 running; b/1 signal=11 ago=0s",
            "degraded 1/2 0 sync: killed by signal 11, restart = always",
        ],
        ["a=x b=y restart=never", "ready; a/1 running; b/1 code=0", "running 1/2 0 sync: "],
        [
            "a=x b=y restart=never",
            "ready; a/1 code=1; b/1 code=0",
            "failed 0/2 0 sync: exited with code 1",
        ],
        ["app=x stop", "ready; app/1 running", "stopping 1/1 0 diverged: stopped by request"],
        ["app=x stop", "absent; app/1 stopped removed", "stopped 0/1 0 sync: "],
        ["app=x deleting", "ready; app/1 running", "deleting 1/1 0 diverged: deleted"],
    ];
    for [wanted, seen, expected] in table {
        let generations = generations(wanted);
        let desired = generations.last().unwrap();
        let status = status(desired, &observed(&generations, seen), None, now());
        let actual = format!(
            "{} {}/{} {} {}: {}",
            status.phase,
            status.ready,
            status.total,
            status.restarts,
            status.sync,
            status.reasons.join(", ")
        );
        assert_eq!(actual, expected, "{wanted} | {seen}");
    }
}

#[test]
fn what_runs_is_outdated_once_something_else_is_wanted_in_its_place() {
    for (wanted, seen, expected) in [
        ("app=x", "ready; app/1 running", false),
        ("app=x => app=y", "ready; app/1 running", true),
        ("app=x => app=y", "ready; app/1 stopped removed; app/2 g2 running", false),
        ("app=x => app=y", "ready; app/1 code=1", false),
        ("app=x => app=x renewed", "ready; app/1 running", true),
        ("app=x => app=x label=x", "ready; app/1 running", false),
        ("app=x memory=1GiB => app=x memory=2GiB", "ready; app/1 running", false),
        // What is put right is what was wanted all along.
        ("app=x", "partial; app/1 running", false),
    ] {
        let generations = generations(wanted);
        let desired = generations.last().unwrap();
        let status = status(desired, &observed(&generations, seen), None, now());
        assert_eq!(status.outdated, expected, "{wanted} | {seen}");
    }
}
