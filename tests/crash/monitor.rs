//! Monitors that are killed.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{Scene, first, run_dir};
use crate::container::{SOON, container, pod_file, shell};
use crate::support::wait;

#[track_caller]
fn kill(pid: &Value) {
    let pid = i32::try_from(pid.as_i64().expect("a pid")).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    wait::process_ended(pid.cast_unsigned(), Duration::from_secs(5));
}

/// The monitor of an instance, as its status file names it.
fn monitor(scene: &Scene, seen: &Value) -> Value {
    let file = run_dir(&scene.tank, seen["id"].as_str().unwrap()).join("status.json");
    let status: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    status["monitor"]["pid"].clone()
}

#[test]
fn the_program_lives_on_until_a_pass_replaces_it() {
    let scene = Scene::new();
    scene.tank.apply(&first()).ok();
    let before = container(&scene.tank);
    kill(&monitor(&scene, &before));

    let orphan = container(&scene.tank);
    assert_eq!(orphan["state"], "unknown", "{orphan}");
    assert!(fs::exists(format!("/proc/{}", before["pid"])).unwrap());
    scene.assert_recovers("monitor killed");
    scene.assert_runs("monitor killed", false);
    let program = u32::try_from(before["pid"].as_u64().unwrap()).unwrap();
    assert!(wait::process_ended(program, Duration::ZERO), "two of the pod run");
    let all = scene.tank.run(["ps", "-a", "-o", "json"]).ok().json();
    let lives = all["containers"].as_array().unwrap();
    let dead = lives.iter().find(|life| life["id"] == before["id"]).unwrap();
    assert!(dead["exit_code"].is_null(), "an unknown exit is not 0: {dead}");
    scene.assert_deletes("monitor killed");
}

#[test]
fn a_pod_whose_monitor_is_gone_is_deleted_whole() {
    let scene = Scene::new();
    scene.tank.apply(&first()).ok();
    kill(&monitor(&scene, &container(&scene.tank)));
    scene.assert_deletes("monitor killed");
}

#[test]
fn an_end_that_nobody_saw_is_unknown_and_a_failure() {
    let scene = Scene::new();
    let pod =
        pod_file("restart = \"on-failure\"", &shell("read _ < /tmp/none; sleep 1000 & wait"), "");
    scene.tank.apply(&pod).ok();
    let before = container(&scene.tank);
    kill(&monitor(&scene, &before));
    if fs::exists(format!("/proc/{}", before["pid"])).unwrap() {
        kill(&before["pid"]);
    }
    let seen = wait::until("another life", SOON, || {
        let _ = scene.tank.run(["reconcile"]).ok();
        let seen = container(&scene.tank);
        (seen["id"] != before["id"]).then_some(seen)
    });
    assert_eq!(seen["attempt"], 2, "{seen}");
    let all = scene.tank.run(["ps", "-a", "-o", "json"]).ok().json();
    let lives = all["containers"].as_array().unwrap();
    let dead = lives.iter().find(|life| life["id"] == before["id"]).unwrap();
    assert!(dead["exit_code"].is_null() && dead["signal"].is_null(), "{dead}");
    assert_ne!(dead["reason"], "exited", "{dead}");
    scene.assert_deletes("both killed");
}

#[test]
fn both_at_once_and_again() {
    let scene = Scene::new();
    scene.tank.apply(&first()).ok();
    for _ in 0..3 {
        let seen = container(&scene.tank);
        let (monitor, program) = (monitor(&scene, &seen), seen["pid"].clone());
        kill(&program);
        // It may be gone, or be on its way to become a pass.
        if let Some(pid) = Pid::from_raw(i32::try_from(monitor.as_i64().unwrap()).unwrap()) {
            kill_process(pid, Signal::KILL).unwrap_or_default();
        }
        wait::until("the pod to run again", SOON, || {
            let _ = scene.tank.run(["reconcile"]).ok();
            let now = container(&scene.tank);
            (now["state"] == "running" && now["id"] != seen["id"]).then_some(())
        });
        scene.assert_settled("both killed");
    }
    scene.assert_deletes("both killed");
}
