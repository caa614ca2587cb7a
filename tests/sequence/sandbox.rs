//! The first step of a pod and the last ones: its sandbox, and what is kept of it.

use std::path::Path;

use super::obstacle::InPlace;
use super::{Row, changed, runs, sleeper};
use crate::support::Tank;
use crate::support::immutable::Immutable;

/// The name of the pod's namespace for ip-netns(8).
fn name(tank: &Tank) -> std::path::PathBuf {
    Path::new("/run/netns").join(format!("{}-web", tank.base()))
}

#[test]
fn create_sandbox_in_a_directory_that_takes_nothing() {
    let tank = Tank::new();
    let row = Row {
        before: "",
        trouble: |tank: &Tank| Immutable::new_dir(tank.run_root().join("pods/web")),
        command: &["apply", "-f", "-"],
        file: &(sleeper("other") + &sleeper("web")),
        happens: "other: create-sandbox succeeded, start/app/1 succeeded; \
            web: create-sandbox failed, start/app/1 interrupted; \
            planned 4, executed 2, failed 1",
        errors: &[("pod/web: create-sandbox", &["/run/pods/web", "Operation not permitted"])],
        mends: "web: remove/app/1 succeeded, create-sandbox succeeded, start/app/2 succeeded; \
            planned 3, executed 3, failed 0",
    };
    let in_the_way = row.fails(&tank);
    assert!(runs(&tank, "other") && !runs(&tank, "web"));
    row.recovers(&tank, in_the_way);
    tank.pid("web");
}

#[test]
fn create_sandbox_whose_name_is_somebody_elses() {
    let tank = Tank::new();
    let row = Row {
        before: "",
        trouble: |tank: &Tank| InPlace::new(name(tank)),
        command: &["apply", "-f", "-"],
        file: &(sleeper("other") + &sleeper("web")),
        happens: "other: create-sandbox succeeded, start/app/1 succeeded; \
            web: create-sandbox failed, start/app/1 interrupted; \
            planned 4, executed 2, failed 1",
        errors: &[("pod/web: create-sandbox", &["/run/netns/", "-web", "File exists"])],
        mends: "web: remove/app/1 succeeded, create-sandbox succeeded, start/app/2 succeeded; \
            planned 3, executed 3, failed 0",
    };
    let in_the_way = row.fails(&tank);
    assert!(runs(&tank, "other") && !runs(&tank, "web"));
    row.recovers(&tank, in_the_way);
    assert!(std::fs::read_link(name(&tank)).unwrap().ends_with("run/pods/web/ns/net"));
}

#[test]
fn remove_sandbox_from_a_directory_that_keeps_everything() {
    let tank = Tank::new();
    let row = Row {
        before: &(sleeper("other") + &sleeper("web")),
        trouble: |tank: &Tank| Immutable::new(tank.run_root().join("pods/web")),
        command: &["stop", "other", "web"],
        file: "",
        happens: "other: stop/app/1 succeeded, remove/app/1 succeeded, remove-sandbox succeeded; \
            web: stop/app/1 succeeded, remove/app/1 succeeded, remove-sandbox failed; \
            planned 6, executed 5, failed 1",
        errors: &[("pod/web: remove-sandbox", &["/run/pods/web", "Operation not permitted"])],
        mends: "web: remove-sandbox succeeded; planned 1, executed 1, failed 0",
    };
    let in_the_way = row.fails(&tank);
    assert_eq!(tank.listed("other")["status"], "stopped");
    assert!(!runs(&tank, "web"));
    row.recovers(&tank, in_the_way);
    assert_eq!(tank.listed("web")["status"], "stopped");
    assert!(!tank.run_root().join("pods/web").exists());
}

/// Nothing of a pod is forgotten while something of it is there.
#[test]
fn remove_sandbox_of_a_pod_that_is_deleted() {
    let tank = Tank::new();
    let row = Row {
        before: &(sleeper("other") + &sleeper("web")),
        trouble: |tank: &Tank| Immutable::new(tank.run_root().join("pods/web")),
        command: &["delete", "web", "other"],
        file: "",
        happens: "web: stop/app/1 succeeded, remove/app/1 succeeded, remove-sandbox failed, \
            forget interrupted; planned 8, executed 6, failed 1",
        errors: &[("pod/web: remove-sandbox", &["/run/pods/web", "Operation not permitted"])],
        mends: "planned 2, executed 2, failed 0",
    };
    let in_the_way = row.fails(&tank);
    let listed = tank.listed("web");
    assert_eq!(listed["status"], "deleting", "{listed}");
    tank.run(["get", "other"]).exits(3);
    row.recovers(&tank, in_the_way);
    tank.run(["get", "web"]).exits(3);
}

#[test]
fn forget_whose_logs_cannot_be_removed() {
    let tank = Tank::new();
    let row = Row {
        before: &(sleeper("other") + &sleeper("web")),
        trouble: |tank: &Tank| Immutable::new(tank.root().join("logs/web")),
        command: &["delete", "other", "web"],
        file: "",
        happens: "web: stop/app/1 succeeded, remove/app/1 succeeded, remove-sandbox succeeded, \
            forget failed; planned 8, executed 7, failed 1",
        errors: &[("pod/web: forget", &["/logs/web", "Operation not permitted"])],
        mends: "planned 1, executed 1, failed 0",
    };
    let in_the_way = row.fails(&tank);
    assert_eq!(tank.listed("web")["status"], "deleting");
    tank.run(["get", "other"]).exits(3);
    row.recovers(&tank, in_the_way);
    tank.run(["get", "web"]).exits(3);
    assert!(!tank.root().join("logs/web").exists());
}

/// What could not be deleted may be wanted again meanwhile.
#[test]
fn forget_of_a_pod_that_is_applied_again() {
    let tank = Tank::new();
    let row = Row {
        before: &sleeper("web"),
        trouble: |tank: &Tank| Immutable::new(tank.root().join("logs/web")),
        command: &["delete", "web"],
        file: "",
        happens: "web: stop/app/1 succeeded, remove/app/1 succeeded, remove-sandbox succeeded, \
            forget failed; planned 4, executed 3, failed 1",
        errors: &[("pod/web: forget", &["/logs/web", "Operation not permitted"])],
        mends: "",
    };
    let in_the_way = row.fails(&tank);
    tank.apply(&changed("web")).ok();
    let pid = tank.pid("web");
    row.recovers(&tank, in_the_way);
    assert_eq!(tank.pid("web"), pid);
}
