//! Passes that are killed while they put right what a killed pass left.

use super::{CREATE, DELETE, REPLACE, Scene, first, second};

/// Every point of a pass that may come up while it recovers.
pub(crate) const ANY: &[&str] = &[
    "intent",
    "before-create-sandbox",
    "after-create-sandbox",
    "before-stop",
    "after-stop",
    "before-remove",
    "after-remove",
    "before-start",
    "spawned",
    "after-start",
    "before-remove-sandbox",
    "after-remove-sandbox",
    "before-forget",
    "after-forget",
    "executed",
];

/// Pairs of a point of `points` and a point of a recovering pass: a third of all, spread evenly so
/// that every point comes up, in the interest of everybody's time.
fn pairs(points: &[&'static str]) -> Vec<(&'static str, &'static str)> {
    let all = |(n, first): (usize, &&'static str)| {
        let spread = ANY.iter().enumerate().filter(move |(m, _)| (n + m) % 3 == 0);
        let first = *first;
        spread.map(move |(_, second)| (first, *second)).collect::<Vec<_>>()
    };
    points.iter().enumerate().flat_map(all).collect()
}

#[test]
fn of_a_new_pod() {
    let scene = Scene::new();
    for (first_point, second_point) in pairs(CREATE) {
        let what = format!("{first_point}, then {second_point}");
        scene.crash_apply(first_point, &first()).killed_by(9).stdout.clear();
        let _ = scene.crash(second_point, &["reconcile"], "");
        scene.assert_recovers(&what);
        scene.assert_deletes(&what);
    }
}

#[test]
fn of_a_replacement() {
    let scene = Scene::new();
    for (first_point, second_point) in pairs(REPLACE) {
        let what = format!("{first_point}, then {second_point}");
        scene.tank.apply(&first()).ok();
        scene.crash_apply(first_point, &second()).killed_by(9).stdout.clear();
        let _ = scene.crash(second_point, &["reconcile"], "");
        scene.assert_recovers(&what);
        scene.assert_runs(&what, true);
        scene.assert_deletes(&what);
    }
}

#[test]
fn of_a_deletion() {
    let scene = Scene::new();
    for (first_point, second_point) in pairs(DELETE) {
        let what = format!("{first_point}, then {second_point}");
        scene.tank.apply(&first()).ok();
        scene.crash(first_point, &["delete", "box"], "").killed_by(9).stdout.clear();
        let _ = scene.crash(second_point, &["reconcile"], "");
        scene.assert_recovers(&what);
        scene.assert_empty(&what);
    }
}

#[test]
fn again_and_again() {
    let scene = Scene::new();
    scene.crash_apply("spawned", &first()).killed_by(9).stdout.clear();
    for point in ANY.iter().chain(ANY) {
        let _ = scene.crash(point, &["reconcile"], "");
    }
    scene.assert_recovers("after many");
    scene.assert_runs("after many", false);
    scene.assert_deletes("after many");
}
