//! `tank events`.

use serde_json::Value;

use crate::support::pods::{SOON, script, sleeper};
use crate::support::{Tank, wait};

fn events(tank: &Tank, args: &[&str]) -> Vec<Value> {
    let told = tank.run([&["events", "-o", "json"], args].concat()).ok().stdout;
    told.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

#[test]
fn what_happened_is_told_in_order_also_of_pods_that_are_gone() {
    let tank = Tank::new();
    assert!(events(&tank, &[]).is_empty());
    tank.apply(&script("job", "restart = 'never'", "exit 3")).ok();
    tank.await_status("job", "failed");
    tank.apply(&sleeper("web")).ok();
    tank.run(["stop", "web"]).ok();
    wait::until("the end of the job", SOON, || {
        tank.run(["reconcile", "-q"]).ok();
        (events(&tank, &["job"]).len() == 2).then_some(())
    });
    assert_eq!(kinds(&events(&tank, &["job"])), ["started", "exited"]);
    assert_eq!(kinds(&events(&tank, &["web"])), ["started", "stopped"]);
    let all = events(&tank, &[]);
    assert_eq!(all.len(), 4);
    assert_eq!(all[0]["message"], "attempt 1 runs", "{all:?}");
    assert_eq!(events(&tank, &["-n", "1"]), all[3..]);
    assert_eq!(events(&tank, &["--since", "2999-01-01"]), [Value::Null; 0]);
    assert_eq!(events(&tank, &["--since", "1h", "web", "job"]).len(), 4);
    tank.run(["delete", "job"]).ok();
    assert_eq!(kinds(&events(&tank, &["job"])), ["started", "exited"]);
    let text = tank.run(["events", "job"]).ok().stdout;
    assert!(
        text.lines().last().unwrap().ends_with("Z job/app exited attempt 1 exited with code 3"),
        "{text}"
    );
    let _ = tank.run(["events", "--since", "yesterday"]).exits(2);
}

#[test]
fn a_follower_hears_of_what_comes_at_once() {
    let tank = Tank::new();
    tank.apply(&sleeper("web")).ok();
    let follower = tank.start(["events", "-f", "-n", "1"]);
    follower.await_stdout("web/app started", SOON);
    tank.run(["stop", "web"]).ok();
    follower.await_stdout("web/app stopped", SOON);
    tank.run(["start", "web"]).ok();
    follower.await_stdout("attempt 2 runs", SOON);
}

#[test]
fn a_step_that_waits_and_one_that_fails_are_told() {
    let tank = Tank::new();
    let stubborn = "trap '' TERM; echo ready; while true; do sleep 1; done";
    tank.apply(&script("web", "stop_timeout = '3s'", stubborn)).ok();
    tank.await_log("web", "ready");
    let stop = tank.start(["stop", "web"]);
    let steps = || {
        let told = tank.run(["describe", "web", "-o", "json"]).ok().json();
        told["steps"].as_array().unwrap().clone()
    };
    let waiting = wait::until("a step that waits", SOON, || {
        steps().into_iter().find(|step| step["state"] == "waiting")
    });
    assert_eq!(waiting["id"], "stop/app/1", "{waiting}");
    assert!(waiting["command"].as_str().unwrap().ends_with("stop web"), "{waiting}");
    assert_eq!(waiting["pid"], stop.pid());
    stop.finish(SOON).exits(0);
    let states: Vec<_> = steps().iter().map(|step| step["state"].clone()).collect();
    assert_eq!(states, vec!["succeeded"; states.len()]);

    // A file in the place of the directory that a sandbox is made in.
    let place = tank.run_root().join("pods/web");
    std::fs::write(&place, "").unwrap();
    tank.run(["start", "web"]).exits(1);
    let failed = steps().pop().unwrap();
    let step = steps().into_iter().find(|step| step["state"] == "failed").unwrap();
    assert_eq!(step["id"], "create-sandbox", "{step}");
    assert_eq!(failed["state"], "interrupted", "{failed}");
    let all = events(&tank, &[]);
    let last = &kinds(&all)[all.len() - 2..];
    assert_eq!(last, ["failed", "pass"], "{all:?}");
    let described = tank.run(["describe", "web"]).ok().stdout;
    assert!(
        described.contains("create-sandbox") && described.contains("interrupted"),
        "{described}"
    );
    std::fs::remove_file(place).unwrap();
    tank.run(["reconcile"]).ok();
    tank.await_status("web", "running");
}
