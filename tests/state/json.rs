//! The fields that scripts count on.

use serde_json::{Value, json};

use crate::support::Tank;
use crate::support::pods::{script, sleeper};

#[track_caller]
fn has(value: &Value, fields: &[&str]) {
    for field in fields {
        assert!(value.get(*field).is_some(), "no {field} in {value:#}");
    }
}

const PASS: [&str; 5] = ["pods", "planned", "executed", "failed", "errors"];

#[test]
fn passes() {
    let tank = Tank::new();
    let file = tank.file("pod.toml", sleeper("web"));
    let file = file.to_str().unwrap();
    let pass = |args: &[&str]| tank.run([args, &["-o", "json"]].concat()).ok().json();
    for (args, result, planned) in [
        (&["apply", "-f", file][..], "created", 2),
        (&["apply", "-f", file], "unchanged", 0),
        (&["seed", "-f", file], "", 0),
        (&["reconcile"], "", 0),
        (&["reconcile", "web"], "", 0),
        (&["delete", "web"], "deleted", 4),
    ] {
        let report = pass(args);
        has(&report, &PASS);
        let counts = [&report["planned"], &report["executed"], &report["failed"]];
        assert_eq!(counts, [&json!(planned), &json!(planned), &json!(0)], "{args:?} {report:#}");
        assert_eq!(report["errors"], json!([]));
        if !result.is_empty() {
            let generation = if result == "deleted" { json!(null) } else { json!(1) };
            let pod = json!({ "name": "web", "generation": generation, "result": result });
            assert_eq!(report["pods"], json!([pod]));
        }
    }
}

#[test]
fn configured_and_failed_passes() {
    let tank = Tank::new();
    tank.apply(&sleeper("web")).ok();
    let broken = sleeper("web").replace("/bin/sh", "/no/such");
    let file = tank.file("pod.toml", broken);
    let report = tank.run(["apply", "-f", file.to_str().unwrap(), "-o", "json"]).exits(1).json();
    has(&report, &PASS);
    let pod = json!({ "name": "web", "generation": 2, "result": "configured" });
    assert_eq!(report["pods"], json!([pod]));
    assert_eq!(report["failed"], 1, "{report:#}");
    let error = &report["errors"][0];
    has(error, &["pod", "step", "error"]);
    assert_eq!(error["pod"], "web");
    assert!(error["error"].as_str().unwrap().contains("/no/such"), "{report:#}");
}

#[test]
fn plan() {
    let tank = Tank::new();
    let file = tank.file("pod.toml", sleeper("web"));
    let plan = tank.run(["plan", "-f", file.to_str().unwrap(), "-o", "json"]).ok().json();
    assert_eq!(plan["changes"], 2, "{plan:#}");
    for step in plan["steps"].as_array().unwrap() {
        has(step, &["pod", "container", "action", "cause"]);
    }
    let none = tank.run(["plan", "-o", "json"]).ok().json();
    assert_eq!(none, json!({ "changes": 0, "steps": [], "waiting": [] }));
}

#[test]
fn list_and_ps_of_what_runs() {
    let tank = Tank::new();
    tank.apply(&sleeper("web").replace("network", "labels = { a = 'b' }\nnetwork")).ok();
    let pod = tank.listed("web");
    let fields = ["generation", "status", "ready", "total", "restarts", "sync", "reasons", "ip"];
    has(&pod, &fields);
    assert_eq!(pod["labels"], json!({ "a": "b" }));
    assert_eq!((&pod["ready"], &pod["total"]), (&json!(1), &json!(1)));
    assert_eq!((&pod["status"], &pod["sync"]), (&json!("running"), &json!("sync")));
    assert_eq!((&pod["ip"], &pod["reasons"]), (&Value::Null, &json!([])));

    let containers = tank.run(["ps", "-o", "json"]).ok().json();
    let life = &containers["containers"][0];
    has(life, &["pod", "name", "id", "state", "pid", "attempt", "image", "started_at"]);
    assert_eq!((&life["pod"], &life["name"]), (&json!("web"), &json!("app")));
    assert_eq!((&life["state"], &life["attempt"]), (&json!("running"), &json!(1)));
    for unknown in ["exit_code", "signal", "oom", "reason", "finished_at"] {
        assert_eq!(life.get(unknown), Some(&Value::Null), "{unknown} in {life:#}");
    }
    assert!(life["started_at"].as_str().unwrap().ends_with('Z'), "{life:#}");
}

#[test]
fn ps_of_what_ended() {
    let tank = Tank::new();
    tank.apply(&script("web", "restart = 'never'", "exit 4")).ok();
    tank.await_status("web", "failed");
    let last = tank.run(["ps", "-o", "json"]).ok().json();
    let life = tank.lives("web").pop().unwrap();
    assert_eq!(last["containers"], json!([life]), "the last life is shown without -a too");
    assert_eq!((&life["state"], &life["pid"]), (&json!("failed"), &Value::Null));
    assert_eq!((&life["exit_code"], &life["signal"]), (&json!(4), &Value::Null));
    assert_eq!((&life["oom"], &life["reason"]), (&json!(false), &json!("exited")));
    assert!(life["finished_at"].as_str().unwrap().ends_with('Z'), "{life:#}");
}

#[test]
fn reports_of_no_state_are_empty() {
    let tank = Tank::new();
    assert_eq!(tank.run(["list", "-o", "json"]).ok().json(), json!({ "pods": [] }));
    assert_eq!(tank.run(["ps", "-a", "-o", "json"]).ok().json(), json!({ "containers": [] }));
    assert_eq!(tank.run(["image", "list", "-o", "json"]).ok().json(), json!({ "images": [] }));
}
