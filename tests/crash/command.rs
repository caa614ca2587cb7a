//! Commands that are killed.

use super::{CREATE, DELETE, REPLACE, STOP, Scene, UPDATE, first, second, updated};

const SIGKILL: i32 = 9;

#[test]
fn of_a_new_pod() {
    let scene = Scene::new();
    for point in CREATE {
        let _ = scene.crash_apply(point, &first()).killed_by(SIGKILL);
        scene.assert_recovers(point);
        scene.assert_runs(point, false);
        scene.assert_deletes(point);
    }
}

#[test]
fn of_a_new_pod_that_is_deleted_at_once() {
    let scene = Scene::new();
    for point in CREATE {
        let _ = scene.crash_apply(point, &first()).killed_by(SIGKILL);
        scene.assert_deletes(point);
    }
}

/// Whose command died while the monitor was still getting ready is deleted as well as any other.
#[test]
fn of_a_new_pod_that_is_deleted_while_its_monitor_starts() {
    let scene = Scene::new();
    for _ in 0..10 {
        let _ = scene.crash_apply("spawned", &first()).killed_by(SIGKILL);
        scene.assert_deletes("spawned");
    }
}

#[test]
fn of_a_new_pod_that_is_applied_again() {
    let scene = Scene::new();
    for point in CREATE {
        let _ = scene.crash_apply(point, &first()).killed_by(SIGKILL);
        scene.tank.apply(&first()).ok();
        scene.assert_settled(point);
        scene.assert_runs(point, false);
        scene.assert_deletes(point);
    }
}

#[test]
fn of_a_replacement() {
    let scene = Scene::new();
    for point in REPLACE {
        scene.tank.apply(&first()).ok();
        let _ = scene.crash_apply(point, &second()).killed_by(SIGKILL);
        scene.assert_recovers(point);
        scene.assert_runs(point, true);
        scene.assert_deletes(point);
    }
}

#[test]
fn of_a_change_of_limits() {
    let scene = Scene::new();
    for point in UPDATE {
        scene.tank.apply(&first()).ok();
        let before = scene.tank.run(["ps", "-o", "json"]).ok().json();
        let _ = scene.crash_apply(point, &updated()).killed_by(SIGKILL);
        scene.assert_recovers(point);
        let after = scene.tank.run(["ps", "-o", "json"]).ok().json();
        assert_eq!(before["containers"][0]["pid"], after["containers"][0]["pid"], "{point}");
        scene.assert_runs(point, false);
        scene.assert_deletes(point);
    }
}

#[test]
fn of_a_deletion() {
    let scene = Scene::new();
    for point in DELETE {
        scene.tank.apply(&first()).ok();
        let _ = scene.crash(point, &["delete", "box"], "").killed_by(SIGKILL);
        scene.assert_recovers(point);
        scene.assert_empty(point);
    }
}

#[test]
fn of_a_stop() {
    let scene = Scene::new();
    for point in STOP {
        scene.tank.apply(&first()).ok();
        let _ = scene.crash(point, &["stop", "box"], "").killed_by(SIGKILL);
        scene.assert_recovers(point);
        assert_eq!(scene.tank.listed("box")["status"], "stopped", "{point}");
        scene.assert_deletes(point);
    }
}

#[test]
fn of_a_start() {
    let scene = Scene::new();
    for point in CREATE {
        scene.tank.apply(&first()).ok();
        scene.tank.run(["stop", "box"]).ok();
        let _ = scene.crash(point, &["start", "box"], "").killed_by(SIGKILL);
        scene.assert_recovers(point);
        scene.assert_runs(point, false);
        scene.assert_deletes(point);
    }
}

#[test]
fn of_a_restart() {
    let scene = Scene::new();
    for point in REPLACE {
        scene.tank.apply(&first()).ok();
        let before = scene.tank.pid("box");
        let _ = scene.crash(point, &["restart", "box"], "").killed_by(SIGKILL);
        scene.assert_recovers(point);
        scene.assert_runs(point, false);
        assert_ne!(scene.tank.pid("box"), before, "{point}");
        scene.assert_deletes(point);
    }
}

#[test]
fn of_a_rollback() {
    let scene = Scene::new();
    for point in REPLACE {
        scene.tank.apply(&second()).ok();
        scene.tank.apply(&first()).ok();
        let _ = scene.crash(point, &["rollback", "box"], "").killed_by(SIGKILL);
        scene.assert_recovers(point);
        scene.assert_runs(point, true);
        scene.assert_deletes(point);
    }
}

#[test]
fn a_bystander_is_never_touched() {
    let scene = Scene::new();
    let other = first().replace("name = \"box\"", "name = \"bystander\"");
    scene.tank.apply(&other).ok();
    let of_bystander = || {
        let report = scene.tank.run(["ps", "-o", "json"]).ok().json();
        let containers = report["containers"].as_array().unwrap().clone();
        containers.into_iter().find(|container| container["pod"] == "bystander").unwrap()
    };
    let before = of_bystander();
    for point in REPLACE {
        scene.tank.apply(&first()).ok();
        let _ = scene.crash_apply(point, &second()).killed_by(SIGKILL);
        scene.assert_recovers(point);
    }
    let _ = scene.crash("after-stop", &["delete", "box"], "").killed_by(SIGKILL);
    scene.assert_recovers("delete");
    assert_eq!(before, of_bystander());
}
