//! What becomes of pods that depend on one whose step fails.

use super::obstacle::Missing;
use super::{Row, SLEEP, container, pod, runs};
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
