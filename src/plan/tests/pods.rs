//! Several pods in one plan, and changes whose texts the tables leave open.

use std::collections::BTreeMap;

use super::notation::{generations, now, observed};
use crate::model::DesiredPod;
use crate::plan::{Action, Observed, plan};

fn named(name: &str, text: &str) -> Vec<DesiredPod> {
    let mut generations = generations(text);
    for desired in &mut generations {
        desired.pod.name = name.parse().unwrap();
    }
    generations
}

#[test]
fn lanes_are_sorted_by_pod_and_the_first_delay_wakes() {
    let (web, db, idle) = (named("web", "app=x"), named("db", "app=x"), named("idle", "app=x"));
    let pods = BTreeMap::from([
        ("web".parse().unwrap(), observed(&web, "ready; app/2 s1 code=1 ago=0s")),
        ("idle".parse().unwrap(), observed(&idle, "ready; app/1 code=1 ago=0s")),
        ("old".parse().unwrap(), observed(&[], "partial")),
    ]);
    let desired = [web, db, idle].concat();
    let plan = plan(&desired, &Observed { pods, ..Observed::default() }, now());
    let lanes: Vec<(&str, usize)> =
        plan.lanes.iter().map(|lane| (lane.pod.as_str(), lane.steps.len())).collect();
    assert_eq!(lanes, [("db", 2), ("old", 2)]);
    let wake = plan.wake.unwrap().duration_since(now());
    assert!(wake.as_secs_f64() < 1.2, "{wake:?}");
}

#[test]
fn nothing_desired_and_nothing_seen_is_nothing_to_do() {
    assert_eq!(plan(&[], &Observed::default(), now()), Default::default());
}

/// A kernel parameter that is not wanted any more would stay in the namespaces it was set in.
#[test]
fn kernel_parameters_need_new_namespaces() {
    let generations = generations("app=x sysctl=1 => app=x");
    let seen = observed(&generations, "ready; app/1 running");
    let pods = BTreeMap::from([("web".parse().unwrap(), seen)]);
    let plan = plan(&generations[1..], &Observed { pods, ..Observed::default() }, now());
    let names: Vec<&str> = plan.lanes[0].steps.iter().map(|step| step.action.name()).collect();
    assert_eq!(names, ["stop", "remove", "remove-sandbox", "create-sandbox", "start"]);
    assert!(plan.lanes[0].steps[4].cause.contains("sysctls"), "{:?}", plan.lanes[0].steps[4]);
}

/// Rows of new instances are there before the sandbox is made for them.
#[test]
fn a_change_that_was_interrupted_still_needs_new_namespaces() {
    for (change, seen) in [
        ("app=x sysctl=1 => app=x", "ready; app/1 running; app/2 g2 created"),
        ("app=x sysctl=1 => app=x", "ready; app/1 stopped removed; app/2 g2 created"),
        ("app=x network=bridge => app=x", "ready left; app/1 running; app/2 g2 created"),
        ("app=x => app=x share_pids", "ready; app/1 unknown; app/2 g2 created; app/3 g2 created"),
    ] {
        let generations = generations(change);
        let pods = BTreeMap::from([("web".parse().unwrap(), observed(&generations, seen))]);
        let plan = plan(&generations[1..], &Observed { pods, ..Observed::default() }, now());
        let names: Vec<&str> = plan.lanes[0].steps.iter().map(|step| step.action.name()).collect();
        assert!(names.ends_with(&["remove-sandbox", "create-sandbox", "start"]), "{names:?}");
    }
    // What was started in it tells what it was made for, and what lives in it knows best.
    for (change, seen) in [
        ("app=x sysctl=1 => app=x", "ready; app/1 stopped removed; app/2 g2 running"),
        ("app=x sysctl=1 => app=x", "ready; app/2 g2 running"),
        ("app=x => app=x sysctl=1 => app=x", "ready; app/1 running; app/2 g2 created"),
    ] {
        let generations = generations(change);
        let pods = BTreeMap::from([("web".parse().unwrap(), observed(&generations, seen))]);
        let seen = Observed { pods, ..Observed::default() };
        let plan = plan(&generations[generations.len() - 1..], &seen, now());
        let names = plan.lanes.iter().flat_map(|lane| &lane.steps).map(|step| step.action.name());
        assert!(names.clone().all(|name| name == "remove"), "{:?}", names.collect::<Vec<_>>());
    }
}

#[test]
fn sharing_pids_is_a_matter_of_the_sandbox() {
    for change in ["a=x b=x => a=x b=x share_pids", "a=x b=x share_pids => a=x b=x"] {
        let generations = generations(change);
        let seen = observed(&generations, "ready; a/1 running; b/1 running");
        let pods = BTreeMap::from([("web".parse().unwrap(), seen)]);
        let seen = Observed { pods, ..Observed::default() };
        let plan = plan(&generations[1..], &seen, now());
        let steps = &plan.lanes[0].steps;
        let made_anew = steps.iter().any(|step| step.action.name() == "create-sandbox");
        assert!(made_anew && steps.last().unwrap().cause.contains("share_pids"), "{steps:?}");
        let starts = steps.iter().filter(|step| step.action.name() == "start");
        assert_eq!(starts.count(), 2, "{steps:?}");
    }
}

#[test]
fn a_cause_lists_three_fields_and_counts_the_rest() {
    let mut generations = generations("app=x => app=y hostname=www network=host");
    generations[1].pod.containers[0].tty = true;
    let seen = observed(&generations, "ready; app/1 running");
    let pods = BTreeMap::from([("web".parse().unwrap(), seen)]);
    let plan = plan(&generations[1..], &Observed { pods, ..Observed::default() }, now());
    let start = plan.lanes[0].steps.last().unwrap();
    assert!(matches!(start.action, Action::Start { attempt: 2, streak: 0 }));
    assert_eq!(start.cause.matches(" -> ").count(), 3, "{}", start.cause);
    assert!(start.cause.ends_with(" and 1 more"), "{}", start.cause);
}
