//! `tank plan` says what would be done and why, and does nothing.

use super::database;
use crate::support::Tank;
use crate::support::pods::{script, sleeper};

#[test]
fn plan_without_a_state_makes_none() {
    let tank = Tank::new();
    let file = tank.file("pod.toml", sleeper("web"));
    tank.run(["plan", "--detailed-exitcode"]).exits(0);
    let planned = tank.run(["plan", "--detailed-exitcode", "-f", file.to_str().unwrap()]).exits(2);
    assert!(planned.stdout.contains("start app"), "{planned}");
    assert!(planned.stdout.contains("because pod is new"), "{planned}");
    let dry = tank.run(["apply", "--dry-run", "-f", file.to_str().unwrap()]).ok();
    assert!(dry.stdout.starts_with("pod/web created (dry run)\n"), "{dry}");
    assert!(!tank.root().exists() && !tank.run_root().exists());
}

#[test]
fn plan_of_a_change_names_the_field_and_writes_nothing() {
    let tank = Tank::new();
    tank.apply(&sleeper("web")).ok();
    let (pid, before, world) = (tank.pid("web"), database(&tank), tank.asleep());
    tank.run(["plan", "--detailed-exitcode"]).exits(0);
    tank.run(["plan"]).exits(0);
    let changed = tank.file("pod.toml", sleeper("web") + "env = { A = '1' }\n");
    let args = ["plan", "--detailed-exitcode", "-o", "json", "-f", changed.to_str().unwrap()];
    let plan = tank.run(args).exits(2).json();
    let steps = plan["steps"].as_array().unwrap();
    assert_eq!(plan["changes"], steps.len(), "{plan}");
    let actions: Vec<_> = steps.iter().map(|step| step["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["stop", "remove", "start"], "{plan}");
    for step in steps {
        assert_eq!((&step["pod"], &step["container"]), (&"web".into(), &"app".into()), "{plan}");
        assert!(step["cause"].as_str().unwrap().contains("env"), "{plan}");
    }
    // Without the flag a change is no failure; a bad file is one.
    tank.run(["plan", "-f", changed.to_str().unwrap()]).exits(0);
    let bad = tank.file("bad.toml", "name = 'web'\nnetwrk = 'none'\n");
    tank.run(["plan", "-f", bad.to_str().unwrap()]).exits(2);
    tank.run(["plan", "--detailed-exitcode", "-f", bad.to_str().unwrap()]).exits(1);
    assert!(database(&tank) == before, "the database was written");
    let files = [changed, bad];
    assert!(files.iter().all(|file| file.exists()));
    assert_eq!(tank.world().since(&world), Vec::<String>::new());
    assert_eq!(tank.pid("web"), pid);
}

#[test]
fn plan_that_is_carried_out_leaves_nothing_to_plan() {
    let tank = Tank::new();
    tank.apply(&script("web", "", "trap 'exit 1' TERM; sleep 1000 & wait")).ok();
    let changed = tank.file("pod.toml", sleeper("web"));
    tank.run(["plan", "--detailed-exitcode", "-f", changed.to_str().unwrap()]).exits(2);
    tank.run(["apply", "-f", changed.to_str().unwrap()]).ok();
    tank.run(["plan", "--detailed-exitcode", "-f", changed.to_str().unwrap()]).exits(0);
    tank.run(["plan", "--detailed-exitcode"]).exits(0);
}
