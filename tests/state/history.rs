//! `tank history`, `tank rollback`, and applying with a way back.

use serde_json::Value;

use crate::support::Tank;
use crate::support::pods::{SOON, busybox, script, sleeper};

/// The pod `web`, that sleeps so long, with more keys.
fn version(seconds: u32, keys: &str) -> String {
    let command = format!("trap 'exit 0' TERM; sleep {seconds} & wait");
    script("web", keys, &command)
}

fn revisions(tank: &Tank) -> Vec<Value> {
    let report = tank.run(["history", "web", "-o", "json"]).ok().json();
    report["revisions"].as_array().unwrap().clone()
}

/// How long the pod sleeps.
fn sleeps(tank: &Tank) -> String {
    let listed = tank.run(["exec", "web", "--", "ps"]).ok().stdout;
    let mut words = listed.split_whitespace().skip_while(|word| *word != "sleep");
    words.nth(1).unwrap_or_default().to_owned()
}

#[test]
fn what_was_can_be_seen_and_made_desired_again() {
    let tank = Tank::new();
    tank.apply(&version(1001, "")).ok();
    tank.apply(&version(1002, "labels = { tier = 'front' }")).ok();
    tank.apply(&version(1003, "labels = { tier = 'front' }")).ok();
    let seen = revisions(&tank);
    let generations: Vec<_> = seen.iter().map(|one| one["generation"].as_u64().unwrap()).collect();
    assert_eq!(generations, [3, 2, 1]);
    assert_eq!((&seen[0]["current"], &seen[1]["current"]), (&true.into(), &false.into()));
    let paths = |one: &Value| -> Vec<String> {
        let changes = one["changes"].as_array().unwrap();
        changes.iter().map(|change| change["path"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(paths(&seen[0]), ["containers[app].command"]);
    assert_eq!(paths(&seen[1]), ["labels.tier", "containers[app].command"]);
    assert_eq!(seen[2]["changes"], Value::Null);
    let shown = tank.run(["history", "web"]).ok().stdout;
    assert!(shown.contains("3 (now)") && shown.contains("created"), "{shown}");

    let preview = tank.run(["rollback", "web", "--dry-run"]).ok().stdout;
    assert!(preview.contains("pod/web configured (dry run)"), "{preview}");
    assert_eq!((sleeps(&tank).as_str(), revisions(&tank).len()), ("1003", 3));
    tank.run(["rollback", "web", "--wait"]).ok();
    assert_eq!(sleeps(&tank), "1002");
    tank.run(["rollback", "web", "--to", "1"]).ok();
    assert_eq!(sleeps(&tank), "1001");
    assert_eq!(revisions(&tank)[0]["generation"], 5);
    let again = tank.run(["rollback", "web", "--to", "1"]).ok().stdout;
    assert!(again.starts_with("pod/web unchanged\n"), "{again}");
    // What a file says of it is the same as ever.
    let unchanged = tank.apply(&version(1001, "")).ok().stdout;
    assert!(unchanged.starts_with("pod/web unchanged\n"), "{unchanged}");
    // A restart is no step back.
    tank.run(["restart", "web"]).ok();
    assert_eq!(revisions(&tank)[0]["changes"], Value::Array(vec![]));
    tank.run(["rollback", "web"]).ok();
    assert_eq!(sleeps(&tank), "1002");

    let unknown = tank.run(["rollback", "web", "--to", "99"]).exits(3);
    assert!(unknown.stderr.contains("there are 1, 2, 3"), "{unknown}");
    for verb in ["history", "rollback"] {
        let _ = tank.run([verb, "nobody"]).exits(3);
    }
}

#[test]
fn an_apply_that_fails_goes_back_where_that_was_asked_for() {
    let tank = Tank::new();
    tank.apply(&version(1001, "restart = 'never'")).ok();
    let broken = |keys: &str| busybox("web", "restart = 'never'", keys);
    let apply = ["apply", "-f", "-", "--wait=20s", "--rollback-on-failure"];
    let missing = "command = ['/no/such/program']";
    let failed = tank.run_with(&mut tank.command(apply), broken(missing).as_bytes()).exits(1);
    assert!(failed.stderr.contains("/no/such/program"), "{failed}");
    assert_eq!(sleeps(&tank), "1001", "{failed}");
    tank.await_life("it runs", "web", |life| life["state"] == "running");
    // One that is new has nothing to go back to.
    let new = broken(missing).replace("\"web\"", "\"new\"");
    let mut command = tank.command(apply);
    tank.run_with(&mut command, new.as_bytes()).exits(1);
    assert_eq!(tank.listed("new")["status"], "failed");
    // One that works stays.
    let mut command = tank.command(apply);
    tank.run_with(&mut command, version(1004, "restart = 'never'").as_bytes()).ok();
    assert_eq!(sleeps(&tank), "1004");
}

/// Whoever changes a pod while somebody else waits for it has the last word.
#[test]
fn an_apply_that_fails_takes_nothing_back_that_others_have_changed_since() {
    let tank = Tank::new();
    tank.apply(&version(1001, "")).ok();
    let never = "[containers.readiness]\nexec = ['/bin/false']\nperiod = '100ms'\n";
    let file = tank.file("never.toml", version(1002, "") + never);
    let apply = ["apply", "-f", file.to_str().unwrap(), "--wait=3s", "--rollback-on-failure"];
    let waiting = tank.start(apply);
    tank.await_status("web", "unready");
    tank.apply(&(version(1003, "") + never)).ok();
    waiting.finish(SOON).exits(1);
    assert_eq!(sleeps(&tank), "1003");
    assert_eq!(tank.listed("web")["generation"], 3);
}

#[test]
fn restarts_take_no_other_revision_off_the_record() {
    let tank = Tank::new();
    for seconds in [1001, 1002] {
        tank.apply(&version(seconds, "")).ok();
    }
    for _ in 0..25 {
        tank.run(["restart", "web"]).ok();
    }
    tank.run(["rollback", "web"]).ok();
    assert_eq!(sleeps(&tank), "1001");
    assert!(revisions(&tank).len() <= 22, "{:?}", revisions(&tank));
}

/// Changes that reach the container by no step leave it at the revision that it was started with, which
/// has to stay on record for as long as it runs.
#[test]
fn what_runs_is_known_however_often_something_else_was_changed() {
    let tank = Tank::new();
    tank.apply(&sleeper("web")).ok();
    let pid = tank.pid("web");
    for change in 0..25 {
        let labels = format!("labels = {{ change = '{change}' }}\nnetwork");
        tank.apply(&sleeper("web").replace("network", &labels)).ok();
    }
    assert_eq!(tank.pid("web"), pid);
    assert_eq!(tank.run(["plan"]).ok().stdout, "nothing to do\n");
}
