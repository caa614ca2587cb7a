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
