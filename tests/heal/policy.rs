//! Restart policies, and what is recorded of every end.

use serde_json::{Value, json};

use crate::support::Tank;
use crate::support::pods::{busybox, script};

/// The values of one field over all lives of a pod.
fn all(lives: &[Value], field: &str) -> Vec<Value> {
    lives.iter().map(|life| life[field].clone()).collect()
}

#[test]
fn always_starts_again_what_succeeded() {
    let tank = Tank::new();
    let restart = r#"restart = { policy = "always", initial = "50ms", max = "50ms" }"#;
    tank.apply(&script("web", restart, "echo done")).ok();
    tank.await_life("a third life", "web", |life| life["attempt"].as_u64() >= Some(3));
    let ended = &tank.lives("web")[0];
    assert_eq!(ended["exit_code"], 0, "{ended}");
    assert_eq!(ended["reason"], "exited", "{ended}");
}

#[test]
fn on_failure_starts_again_until_it_succeeds() {
    let tank = Tank::new();
    let restart = r#"restart = { policy = "on-failure", initial = "10ms" }"#;
    let count = "echo life >>/data/lives; [ $(wc -l </data/lives) = 3 ]";
    let data = tank.dir().join("data");
    std::fs::create_dir(&data).unwrap();
    let mount = format!("[[containers.mounts]]\ntarget = \"/data\"\nhost = {data:?}\n");
    tank.apply(&(script("web", restart, count) + &mount)).ok();
    tank.await_status("web", "completed");
    let lives = tank.lives("web");
    assert_eq!(all(&lives, "exit_code"), [json!(1), json!(1), json!(0)]);
    assert_eq!(all(&lives, "signal"), [Value::Null, Value::Null, Value::Null]);
    assert_eq!(tank.listed("web")["restarts"], 2);
}

#[test]
fn on_failure_gives_up_after_the_retries() {
    let tank = Tank::new();
    let restart = r#"restart = { policy = "on-failure", max_retries = 2, initial = "10ms" }"#;
    tank.apply(&script("web", restart, "exit 9")).ok();
    let listed = tank.await_status("web", "failed");
    assert_eq!(all(&tank.lives("web"), "exit_code"), [json!(9), json!(9), json!(9)]);
    assert_eq!(listed["sync"], "sync", "{listed}");
    assert!(listed["reasons"][0].as_str().unwrap().contains("code 9"), "{listed}");
}

#[test]
fn never_leaves_an_ended_program_alone() {
    let tank = Tank::new();
    tank.apply(&script("web", r#"restart = "never""#, "exit 3")).ok();
    tank.await_status("web", "failed");
    let pass = tank.run(["reconcile", "-o", "json"]).ok().json();
    assert_eq!(pass["planned"], 0, "{pass}");
    let lives = tank.lives("web");
    assert_eq!(all(&lives, "exit_code"), [json!(3)]);
    assert_eq!(all(&lives, "state"), [json!("failed")]);
    assert!(tank.run(["describe", "web"]).ok().stdout.contains("exited with code 3"));
}

#[test]
fn back_off_is_visible() {
    let tank = Tank::new();
    let restart = r#"restart = { policy = "always", initial = "30s" }"#;
    tank.apply(&script("web", restart, "exit 1")).ok();
    let listed = tank.await_status("web", "backing-off");
    assert_eq!(listed["ready"], 0, "{listed}");
    assert!(listed["reasons"][0].as_str().unwrap().contains("code 1"), "{listed}");
    let pass = tank.run(["reconcile", "-o", "json"]).ok().json();
    assert_eq!(pass["planned"], 0, "a pass does not cut the delay short: {pass}");
}

#[test]
fn program_that_is_missing_is_a_failed_step_and_a_life_that_never_started() {
    let tank = Tank::new();
    let pod = busybox("web", r#"restart = "never""#, r#"command = ["/no/such/program"]"#);
    let applied = tank.apply(&pod).exits(1);
    assert!(applied.stderr.contains("/no/such/program"), "{applied}");
    let life = tank.lives("web").pop().unwrap();
    assert_eq!(life["reason"], "start-failed", "{life}");
    assert_eq!(life["exit_code"], 127, "{life}");
    assert_eq!(life["started_at"], Value::Null, "{life}");
}
