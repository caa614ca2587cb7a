//! When the last pod is gone, the machine is as it was, also where a command was killed before.
//!
//! A debug build of tank kills itself at the point that `TANK_CRASH_AT` names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::client::await_get;
use super::{HOST4, HOST6, Machine, server};
use crate::crash;
use crate::support::pods::SOON;
use crate::support::wait;

const SIGKILL: i32 = 9;

/// The points of a pass that creates a pod on the bridge.
const CREATE: &[&str] = &[
    "intent",
    "before-create-sandbox",
    "after-create-sandbox",
    "before-connect",
    "after-connect",
    "before-start",
    "spawned",
    "after-start",
    "executed",
];

/// All that a network namespace has, a line each.
pub(super) fn traces(machine: &Machine) -> BTreeSet<String> {
    // Names of namespaces are the machine's for all.
    let script = format!(
        "ip -o link; ip -o address; ip route show table all; ip -6 route show table all; \
         ip rule; ip -6 rule; nft -s list ruleset; ls /run/netns | grep {}; true",
        machine.tank.base()
    );
    let told = wait::until("addresses that are settled", SOON, || {
        Some(machine.namespace.sh(&script).ok().stdout).filter(|told| !told.contains("tentative"))
    });
    let mut all: BTreeSet<_> = told.lines().map(str::to_owned).collect();
    machine.namespace.within(|| parameters(Path::new("/proc/sys/net"), &mut all));
    all
}

/// Every kernel parameter of this thread's network namespace, except what the kernel counts.
fn parameters(dir: &Path, all: &mut BTreeSet<String>) {
    for entry in fs::read_dir(dir).into_iter().flatten().map(Result::unwrap) {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            parameters(&path, all);
        } else if let Ok(value) = fs::read_to_string(&path)
            && !path.ends_with("nf_conntrack_count")
        {
            all.insert(format!("{}: {}", path.display(), value.trim_end()));
        }
    }
}

#[track_caller]
pub(super) fn assert_as_before(machine: &Machine, before: &BTreeSet<String>, what: &str) {
    let now = traces(machine);
    let new: Vec<_> = now.difference(before).collect();
    let gone: Vec<_> = before.difference(&now).collect();
    assert!(new.is_empty() && gone.is_empty(), "{what}: new {new:#?}\ngone {gone:#?}");
}

/// The pod: both tables of the packet filter have something of it.
fn web() -> String {
    server("web", "isolated = true", "['8080:80', '127.0.0.1:9090:80', '5353:53/udp']")
}

/// Runs `tank ARGS`, which is killed at a point; then one pass puts everything right.
#[track_caller]
fn crash(machine: &Machine, point: &str, args: &[&str], stdin: &str) {
    let mut command = machine.tank.command(args);
    command.env("TANK_CRASH_AT", point);
    let _ = machine.tank.run_with(&mut command, stdin.as_bytes()).killed_by(SIGKILL);
    let pass = machine.tank.run(["reconcile", "-o", "json"]).ok().json();
    assert_eq!(pass["failed"], 0, "{point}: {pass}");
    machine.assert_settled();
}

#[test]
fn nothing_is_left_of_pods() {
    let (machine, outside) = Machine::and_outside();
    let before = traces(&machine);
    machine.tank.apply(&(web() + &server("other", "", "['7070:80']"))).ok();
    for address in [HOST4, &format!("[{HOST6}]")] {
        await_get(&outside, &format!("{address}:8080"), "/name");
    }
    machine.tank.run(["delete", "web"]).ok();
    machine.tank.run(["delete", "other"]).ok();
    assert_as_before(&machine, &before, "two pods");
}

#[test]
fn nothing_is_left_where_a_command_was_killed() {
    let (machine, outside) = Machine::and_outside();
    let before = traces(&machine);
    for point in CREATE {
        crash(&machine, point, &["apply", "-f", "-"], &web());
        await_get(&outside, &format!("{HOST4}:8080"), "/name");
        machine.tank.run(["delete", "web"]).ok();
        assert_as_before(&machine, &before, &format!("created, {point}"));
    }
    for point in crash::DELETE {
        machine.tank.apply(&web()).ok();
        crash(&machine, point, &["delete", "web"], "");
        assert_as_before(&machine, &before, &format!("deleted, {point}"));
    }
}
