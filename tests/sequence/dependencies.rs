//! What becomes of pods that depend on one whose step fails.

use super::obstacle::Missing;
use super::{Row, SLEEP, container, id, pod, runs};
use crate::support::immutable::Immutable;
use crate::support::{Tank, fixtures};

const ON_DB: &str = "depends_on = ['db']";

#[test]
fn one_that_needs_what_does_not_start_waits() {
    let tank = Tank::new();
    let rootfs = tank.dir().join("rootfs");
    let db =
        pod("db", "restart = { policy = 'always', initial = '1ms' }", &container("app", SLEEP, ""));
    let db = db.replace(fixtures::busybox_rootfs().to_str().unwrap(), rootfs.to_str().unwrap());
    let row = Row {
        before: "",
        trouble: |_: &Tank| Missing::new(rootfs.clone(), fixtures::busybox_rootfs()),
        command: &["apply", "-f", "-"],
        file: &(pod("app", ON_DB, &container("app", SLEEP, "")) + &db),
        happens: "db: create-sandbox succeeded, start/app/1 failed; \
            planned 2, executed 1, failed 1",
        errors: &[("pod/db: start/app/1", &["/rootfs is not a directory"])],
        mends: "db: remove/app/1 succeeded, start/app/2 succeeded; \
            planned 2, executed 2, failed 0; then \
            app: create-sandbox succeeded, start/app/1 succeeded; \
            planned 2, executed 2, failed 0",
    };
    let in_the_way = row.fails(&tank);
    assert!(!runs(&tank, "app"));
    row.recovers(&tank, in_the_way);
    tank.pid("app");
}

/// Lanes fail alone, whatever their order is.
#[test]
fn one_that_is_needed_goes_although_what_needs_it_does_not() {
    let tank = Tank::new();
    let file = pod("app", ON_DB, &container("app", SLEEP, ""))
        + &pod("db", "", &container("app", SLEEP, ""));
    let row = Row {
        before: &file,
        trouble: |tank: &Tank| {
            Immutable::new(tank.run_root().join("containers").join(id(tank, "app")))
        },
        command: &["stop", "app", "db"],
        file: "",
        happens: "app: stop/app/1 failed, remove/app/1 interrupted, remove-sandbox interrupted; \
            db: stop/app/1 succeeded, remove/app/1 succeeded, remove-sandbox succeeded; \
            planned 6, executed 3, failed 1",
        errors: &[("pod/app: stop/app/1", &["/stopping", "Operation not permitted"])],
        mends: "app: stop/app/1 succeeded, remove/app/1 succeeded, remove-sandbox succeeded; \
            planned 3, executed 3, failed 0",
    };
    let in_the_way = row.fails(&tank);
    assert!(runs(&tank, "app") && !runs(&tank, "db"));
    row.recovers(&tank, in_the_way);
}
