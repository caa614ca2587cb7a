//! What somebody else has changed, and what is there that nobody knows.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::container::{Boxed, pod_file, shell};
use crate::support::immutable::Immutable;
use crate::support::pods::{SOON, runs, send, sleeper};
use crate::support::{Tank, fixtures, wait};

const SLEEP: &str = "trap 'exit 0' TERM; sleep 1000 & wait";

/// Writes a limit where somebody who knows cgroups would.
fn set(boxed: &Boxed, controller: &str, v1: &str, v2: &str, value: &str) {
    let is_v1 = Path::new("/sys/fs/cgroup").join(controller).is_dir();
    let file = boxed.cgroup(controller).join(if is_v1 { v1 } else { v2 });
    fs::write(file, value).unwrap();
}

#[test]
fn limits_that_were_changed_by_hand_are_seen_and_set_again() {
    let boxed = Boxed::new("", SLEEP, "memory = '64MiB'\npids = 99");
    let (pid, tank) = (boxed.pid(), &boxed.tank);
    assert_eq!(tank.listed("box")["sync"], "sync");
    set(&boxed, "pids", "pids.max", "pids.max", "max");
    let listed = tank.listed("box");
    assert_eq!(listed["sync"], "diverged", "{listed}");
    assert_eq!(listed["reasons"][0], "containers[app].pids is unlimited, should be 99", "{listed}");
    let healed = tank.run(["reconcile", "-o", "json"]).ok().json();
    assert_eq!(healed["steps"][0]["action"], "update", "{healed}");
    assert_eq!(boxed.cgroup_file("pids", "pids.max", "pids.max"), "99");
    set(&boxed, "memory", "memory.limit_in_bytes", "memory.max", "33554432");
    let planned = tank.run(["plan"]).ok().stdout;
    assert!(planned.contains("memory is 32MiB, should be 64MiB"), "{planned}");
    tank.run(["reconcile"]).ok();
    let memory = boxed.cgroup_file("memory", "memory.limit_in_bytes", "memory.max");
    assert_eq!(memory, (64 << 20).to_string());
    assert_eq!(boxed.pid(), pid);
    assert_eq!(tank.run(["plan"]).ok().stdout, "nothing to do\n");
}

#[test]
fn a_root_that_was_remounted_costs_a_life() {
    let boxed = Boxed::new("", SLEEP, "read_only = true");
    let (pid, tank) = (boxed.pid(), &boxed.tank);
    assert_eq!(tank.listed("box")["sync"], "sync");
    let remount = |options: &str| {
        let pid = boxed.pid().to_string();
        let inside = ["-t", &pid, "-m", "-r", "--", "/bin/busybox", "mount", "-o", options];
        let status =
            std::process::Command::new("nsenter").args(inside).args(["none", "/"]).status();
        assert!(status.unwrap().success());
    };
    remount("remount,bind,rw");
    let listed = tank.listed("box");
    assert_eq!(listed["sync"], "diverged", "{listed}");
    assert_eq!(listed["reasons"][0], "root file system was remounted", "{listed}");
    tank.run(["reconcile"]).ok();
    assert_ne!(boxed.pid(), pid);
    assert_eq!(tank.run(["plan"]).ok().stdout, "nothing to do\n");
    // What was read-only all along is no drift.
    remount("remount,bind,ro");
    assert_eq!(tank.run(["plan"]).ok().stdout, "nothing to do\n");
}

#[test]
fn files_of_the_run_directory_that_are_gone_cost_a_life_at_most() {
    let tank = Tank::new();
    tank.apply(&sleeper("web")).ok();
    let id = tank.lives("web")[0]["id"].as_str().unwrap().to_owned();
    // All of it: the monitor holds its lock on a file that has no name any more.
    let (program, monitor) = (tank.pid("web"), tank.monitor("web"));
    fs::remove_dir_all(tank.run_root().join("containers").join(&id)).unwrap();
    assert_eq!(tank.listed("web")["sync"], "diverged");
    tank.run(["reconcile"]).ok();
    for ended in [program, monitor] {
        assert!(wait::process_ended(ended, SOON), "{ended} lives on");
    }
    tank.await_life("a second life", "web", |life| runs(life, 2));
    assert_eq!(tank.run(["plan"]).ok().stdout, "nothing to do\n");
}

/// A monitor holds its lock on a file that has no name any more, and something else has the name.
#[test]
fn what_is_put_in_the_place_of_a_lock_costs_a_life() {
    let tank = Tank::new();
    let elsewhere = tank.file("elsewhere", "mine");
    for what in ["directory", "link", "socket", "pipe", "file"] {
        tank.apply(&sleeper(what)).ok();
        let (program, monitor) = (tank.pid(what), tank.monitor(what));
        let lock = lock_of(&tank, what);
        fs::remove_file(&lock).unwrap();
        match what {
            "directory" => fs::create_dir(&lock).unwrap(),
            "link" => symlink(&elsewhere, &lock).unwrap(),
            "socket" => drop(UnixListener::bind(&lock).unwrap()),
            "pipe" => drop(fixtures::tool("mkfifo", "coreutils", &[lock.to_str().unwrap()])),
            _ => fs::write(&lock, "forged").unwrap(),
        }
        assert_eq!(tank.listed(what)["sync"], "diverged", "{what}");
        tank.run(["reconcile"]).ok();
        for ended in [program, monitor] {
            assert!(wait::process_ended(ended, SOON), "{ended} of {what} lives on");
        }
        tank.await_life("a second life", what, |life| runs(life, 2));
    }
    tank.await_nothing_to_do();
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "mine");
}

#[test]
fn a_life_that_cannot_be_looked_at_is_left_as_it_is_and_holds_up_nobody() {
    let tank = Tank::new();
    for name in ["sealed", "other"] {
        tank.apply(&sleeper(name)).ok();
    }
    let pid = tank.pid("sealed");
    let sealed = Immutable::new(lock_of(&tank, "sealed"));
    assert_eq!(tank.listed("sealed")["status"], "running");
    let described = tank.run(["describe", "sealed", "-o", "json"]).ok().json();
    let note = described["notes"][0].as_str().unwrap();
    assert!(note.starts_with("the state of sealed/app cannot be read: open "), "{note}");
    // The other pod is put right, and the one that cannot be looked at is not touched.
    fs::remove_file(lock_of(&tank, "other")).unwrap();
    let healed = tank.run(["reconcile", "-o", "json"]).ok().json();
    let touched = |step: &serde_json::Value| step["pod"] == "other";
    assert!(healed["steps"].as_array().unwrap().iter().all(touched), "{healed}");
    tank.await_life("a second life", "other", |life| runs(life, 2));
    // Nor can it be ended: that is an error of this pod alone.
    let refused = tank.run(["delete", "--wait", "sealed", "other"]).exits(1);
    assert!(refused.stderr.contains("pod/sealed: stop/app/1: "), "{refused}");
    assert!(!refused.stderr.contains("pod/other"), "{refused}");
    assert_eq!(tank.pid("sealed"), pid);
    drop(sealed);
    tank.run(["reconcile"]).ok();
    assert!(tank.run(["list", "-o", "json"]).ok().json()["pods"].as_array().unwrap().is_empty());
}

/// The lock that the monitor of the last life of a pod holds.
fn lock_of(tank: &Tank, pod: &str) -> PathBuf {
    let lives = tank.lives(pod);
    let id = lives.last().unwrap()["id"].as_str().unwrap();
    tank.run_root().join("containers").join(id).join("monitor.lock")
}

#[test]
fn what_nobody_knows_is_told_and_left_alone() {
    let tank = Tank::new();
    tank.apply(&sleeper("web")).ok();
    let doctor = || {
        let report = tank.run(["doctor", "-o", "json"]);
        let checks = report.json()["checks"].as_array().unwrap().clone();
        checks.into_iter().find(|check| check["name"] == "strays").unwrap()
    };
    assert_eq!(doctor()["status"], "ok");
    let forged = "00112233445566778899"[..16].to_owned();
    let strays = [
        tank.root().join("containers").join(&forged),
        tank.run_root().join("containers").join(&forged),
        tank.run_root().join("pods/forged"),
    ];
    for stray in &strays {
        fs::create_dir(stray).unwrap();
        fs::write(stray.join("canary"), "mine").unwrap();
    }
    let found = doctor();
    assert_eq!(found["status"], "warning", "{found}");
    tank.run(["reconcile"]).ok();
    tank.run(["delete", "--wait", "web"]).ok();
    for stray in &strays {
        let told = found["detail"].as_str().unwrap();
        assert!(told.contains(stray.to_str().unwrap()), "{told}");
        assert_eq!(fs::read_to_string(stray.join("canary")).unwrap(), "mine");
        fs::remove_dir_all(stray).unwrap();
    }
}

#[test]
fn a_program_that_had_to_be_killed_is_told_of() {
    let tank = Tank::new();
    let stubborn = pod_file(
        "stop_timeout = '1s'",
        &shell("trap '' TERM; echo ready; while true; do sleep 1; done"),
        "",
    );
    tank.apply(&stubborn).ok();
    tank.await_log("box", "ready");
    tank.run(["stop", "box"]).ok();
    let events = tank.run(["events", "--since", "1h"]).ok().stdout;
    assert!(
        events.contains("did not end in time when it was asked to, and was killed"),
        "{events}"
    );
    assert_eq!(tank.lives("box")[0]["signal"], 9);
}

/// The database may name a process that is none of tank's by now: its number was handed on.
#[test]
fn a_process_of_the_same_number_is_left_alone() {
    let tank = Tank::new();
    tank.apply(&sleeper("web")).ok();
    let (program, monitor) = (tank.pid("web"), tank.monitor("web"));
    let mut stranger = std::process::Command::new("/bin/sleep").arg("1000").spawn().unwrap();
    for pid in [monitor, program] {
        send(pid, Signal::KILL);
        assert!(wait::process_ended(pid, crate::support::pods::SOON));
    }
    let state = rusqlite::Connection::open(tank.root().join("state.db")).unwrap();
    let forge = "UPDATE instances SET process_pid = ?1, monitor_pid = ?1 WHERE attempt = 1";
    assert_eq!(state.execute(forge, [stranger.id()]).unwrap(), 1);
    drop(state);
    wait::until("a second life", crate::support::pods::SOON, || {
        tank.run(["reconcile"]).ok();
        tank.lives("web").pop().filter(|life| runs(life, 2))
    });
    assert!(stranger.try_wait().unwrap().is_none(), "a stranger was ended");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}
