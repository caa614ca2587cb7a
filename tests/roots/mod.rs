//! Several tanks on one machine.

use crate::support::Tank;
use crate::support::pods::sleeper;

#[test]
fn two_roots_have_a_pod_of_one_name_each_and_do_not_touch_each_other() {
    let (one, other) = (Tank::new(), Tank::new());
    one.apply(&sleeper("web")).ok();
    other.apply(&sleeper("web")).ok();
    let (gone, stays) = (one.pid("web"), other.pid("web"));
    assert_ne!(gone, stays);

    one.run(["delete", "web"]).ok();

    assert!(!std::fs::exists(format!("/proc/{gone}")).unwrap());
    assert_eq!(other.pid("web"), stays);
    assert_eq!(other.listed("web")["sync"], "sync");
    let pass = other.run(["reconcile", "-o", "json"]).ok().json();
    assert_eq!(pass["planned"], 0, "{pass}");
    other.run(["exec", "web", "--", "true"]).ok();
}

#[test]
fn commands_of_one_root_do_not_see_the_pods_of_another() {
    let (one, other) = (Tank::new(), Tank::new());
    one.apply(&sleeper("web")).ok();
    other.apply(&sleeper("db")).ok();
    assert_eq!(one.listed("web")["status"], "running");
    for args in [&["get", "db"][..], &["describe", "db"], &["logs", "db"], &["delete", "db"]] {
        one.run(args).exits(3);
    }
    one.run(["exec", "db", "--", "true"]).exits(3);
    other.pid("db");
}
