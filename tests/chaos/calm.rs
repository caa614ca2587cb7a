//! What must be true once everybody has come to an end.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::cast::{self, BYSTANDER, PODS};
use super::storm::Fate;
use crate::crash::{State, names};
use crate::support::pods::SOON;
use crate::support::world::World;
use crate::support::{Tank, wait};

/// Waits until no command is left: a monitor whose container ended becomes one.
pub(super) fn await_silence(tank: &Tank) {
    wait::until("the last pass to end", SOON, || {
        let processes = tank.world().processes;
        let is_pass = |line: &str| line.contains(" reconcile ") || line.contains(" --root ");
        (!processes.iter().any(|(_, line)| is_pass(line))).then_some(())
    });
}

/// One pass puts everything right, but for what has to wait before it is started again.
pub(super) fn assert_converges(tank: &Tank) {
    let pass = tank.run(["reconcile", "-o", "json"]).ok().json();
    assert_eq!(pass["failed"], 0, "{pass}");
    assert_nothing_to_do(tank);
    let pods = wait::until("the restart delays to be over", SOON, || {
        let pods = list(tank);
        let waits = pods.iter().any(|pod| {
            let status = pod["status"].as_str().unwrap();
            status == "back-off" || status == "degraded"
        });
        if waits {
            let pass = tank.run(["reconcile", "-o", "json"]).ok().json();
            assert_eq!(pass["failed"], 0, "{pass}");
            await_silence(tank);
        }
        (!waits).then_some(pods)
    });
    for pod in pods {
        let is_settled = pod["status"] == "running" || pod["status"] == "stopped";
        assert!(is_settled && pod["sync"] == "sync", "{pod}");
    }
}

/// What is desired is what one of the last changes said.
pub(super) fn assert_desired(tank: &Tank, fates: &BTreeMap<u32, Fate>) {
    let pods = list(tank);
    for (n, fate) in fates {
        let pod = pods.iter().find(|pod| pod["name"] == cast::name(*n));
        let variant = pod.map(|pod| pod["labels"]["variant"].as_str().unwrap().parse().unwrap());
        assert!(fate.variant.may_be(&variant), "{n}: {variant:?} of {:#?}", fate.variant);
        if let Some(pod) = pod {
            let runs = pod["status"] != "stopped";
            assert!(fate.runs.may_be(&runs), "{pod}: of {:#?}", fate.runs);
        }
    }
}

/// All pods run in their first variant: applies them, and starts those that were stopped.
pub(super) fn bring_back(tank: &Tank, file: &Path) {
    let file = file.to_str().unwrap();
    tank.run(["apply", "-f", file]).ok();
    let start = ["start", "--wait"].map(str::to_owned);
    tank.run(start.into_iter().chain((0..PODS).map(cast::name))).ok();
    for pod in list(tank) {
        assert_eq!((&pod["status"], &pod["sync"]), (&"running".into(), &"sync".into()), "{pod}");
        if pod["name"] != BYSTANDER {
            assert_eq!(pod["labels"]["variant"], "0", "{pod}");
        }
    }
    let again = tank.run(["apply", "-f", file, "-o", "json"]).ok().json();
    let results = again["pods"].as_array().unwrap().iter().map(|pod| &pod["result"]);
    assert!(results.into_iter().all(|result| result == "unchanged"), "{again}");
    assert_nothing_to_do(tank);
    assert_sound(tank);
}

/// A pass finds nothing to do, and a plan says so.
pub(super) fn assert_nothing_to_do(tank: &Tank) {
    let plan = tank.run(["plan", "-o", "json"]).ok().json();
    assert_eq!(plan["changes"], 0, "{plan}");
    let pass = tank.run(["reconcile", "-o", "json"]).ok().json();
    assert_eq!((&pass["planned"], &pass["failed"]), (&0.into(), &0.into()), "{pass}");
}

/// Database and machine say the same, and the database is whole.
fn assert_sound(tank: &Tank) {
    let state = State::open(tank);
    state.assert_sound("after the storm");
    assert_eq!(state.open_rows(), 0, "the journal has open rows");
    let known = state.present_instances();
    for root in [tank.root(), tank.run_root()] {
        assert_eq!(names(&root.join("containers")), known, "{}", root.display());
    }
    let doctor = tank.run(["doctor", "-o", "json"]).json();
    let checks = doctor["checks"].as_array().unwrap();
    let of_state = checks.iter().find(|check| check["name"] == "state").expect("a check");
    assert_eq!(of_state["status"], "ok", "{doctor}");
}

fn list(tank: &Tank) -> Vec<Value> {
    tank.run(["list", "-o", "json"]).ok().json()["pods"].as_array().unwrap().clone()
}

/// How much there is of what: two worlds in which the same pods run have the same shape, whatever
/// the numbers of their instances and processes.
pub(super) fn shape(world: &World) -> BTreeMap<String, usize> {
    let mut shape = BTreeMap::new();
    let mut add = |kind: &str, text: &str| {
        *shape.entry(format!("{kind} {}", without_ids(text))).or_default() += 1;
    };
    for mount in &world.mounts {
        // The other fields are numbers of this mount and its file system.
        let fields: Vec<_> = mount.split(' ').collect();
        add("mount", fields[4]);
    }
    for cgroup in &world.cgroups {
        add("cgroup", &cgroup.display().to_string());
    }
    // One between two lines of the pod that always has something to say may just be gone.
    for (_, command) in world.processes.iter().filter(|(_, command)| command != cast::PAUSE) {
        add("process", command);
    }
    for line in &world.network {
        add("network", line);
    }
    for file in &world.files {
        let text = file.display().to_string();
        // How often it rotated and was restarted, and what SQLite makes as it likes.
        if !(text.contains("/root/logs/") || text.contains("state.db-")) {
            add("file", &text);
        }
    }
    shape
}

/// A path with `ID` for the number of an instance.
fn without_ids(path: &str) -> String {
    let is_id = |part: &str| part.len() == 16 && part.bytes().all(|b| b.is_ascii_hexdigit());
    let parts = path.split('/').map(|part| if is_id(part) { "ID" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// What differs between two shapes, a line each.
pub(super) fn differences(
    before: &BTreeMap<String, usize>,
    after: &BTreeMap<String, usize>,
) -> Vec<String> {
    let keys = before.keys().chain(after.keys()).collect::<std::collections::BTreeSet<_>>();
    let count =
        |shape: &BTreeMap<String, usize>, key: &String| shape.get(key).copied().unwrap_or(0);
    let line = |key: &&String| {
        let (then, now) = (count(before, key), count(after, key));
        (then != now).then(|| format!("{then} before, {now} now: {key}"))
    };
    keys.iter().filter_map(line).collect()
}
