//! Pods that wait for others, and go before them.

use std::collections::BTreeMap;

use super::notation::{generations, now, observed};
use crate::model::{DesiredPod, Health, PodName};
use crate::plan::{Observed, Plan, Standing, plan, waits_for};

/// Pods in the notation of the other tables, each behind its name and what it depends on:
/// `app on db: app=x | absent`.
fn pods(table: &[&str]) -> (Vec<DesiredPod>, Observed) {
    let mut desired = Vec::new();
    let mut all = Observed::default();
    for row in table {
        let (head, rest) = row.split_once(": ").unwrap();
        let (name, on) = head.split_once(" on ").unwrap_or((head, ""));
        let name: PodName = name.parse().unwrap();
        let (wanted, seen) = rest.split_once(" | ").unwrap();
        let mut generations = generations(wanted);
        for generation in &mut generations {
            generation.pod.name = name.clone();
            generation.pod.depends_on =
                on.split_whitespace().map(|on| on.parse().unwrap()).collect();
        }
        let (unready, seen) = match seen.strip_prefix("unready ") {
            Some(seen) => (true, seen),
            None => (false, seen),
        };
        let mut pod = observed(&generations, seen);
        for seen in &mut pod.instances {
            seen.instance.pod = name.clone();
            seen.health = unready.then(|| Health { ready: false, probes: Vec::new() });
        }
        all.pods.insert(name, pod);
        desired.extend(generations.pop());
    }
    (desired, all)
}

/// The lanes as `pod: steps`, in order; behind one what it comes after; then who waits.
fn told(plan: &Plan) -> Vec<String> {
    let lane = |lane: &crate::plan::Lane| {
        let steps: Vec<_> = lane.steps.iter().map(|step| step.id.as_str()).collect();
        let after: Vec<_> = lane.after.iter().map(PodName::as_str).collect();
        let after =
            if after.is_empty() { String::new() } else { format!(" after {}", after.join(" ")) };
        format!("{}: {}{after}", lane.pod, steps.join(" "))
    };
    let waiting = plan.waiting.iter().map(|(pod, hold)| format!("{pod} waits for {hold}"));
    plan.lanes.iter().map(lane).chain(waiting).collect()
}

fn check(table: &[(&str, &[&str], &[&str])]) {
    for (name, rows, expected) in table {
        let (desired, observed) = pods(rows);
        assert_eq!(told(&plan(&desired, &observed, now())), *expected, "{name}");
    }
}

#[test]
fn a_pod_starts_after_those_that_it_depends_on() {
    check(&[
        (
            "nothing is there",
            &["app on db: a=x | absent", "db: d=y | absent"],
            &["db: create-sandbox start/d/1", "app waits for pod db, which is pending"],
        ),
        (
            "it is ready",
            &["app on db: a=x | absent", "db: d=y | ready; d/1 running"],
            &["app: create-sandbox start/a/1"],
        ),
        (
            "it runs and is not ready",
            &["app on db: a=x | absent", "db: d=y | unready ready; d/1 running"],
            &["app waits for pod db, which is unready"],
        ),
        (
            "it is done",
            &["app on job: a=x | absent", "job: j=y restart=never | ready; j/1 code=0"],
            &["app: create-sandbox start/a/1"],
        ),
        (
            "it is there to end, and has not",
            &["app on job: a=x | absent", "job: j=y restart=on-failure | ready; j/1 running"],
            &["app waits for pod job, which is running"],
        ),
        (
            "it failed",
            &["app on job: a=x | absent", "job: j=y restart=never | ready; j/1 code=1"],
            &["app waits for pod job, which is failed"],
        ),
        (
            "it is stopped",
            &["app on db: a=x | absent", "db: d=y stop | absent"],
            &["app waits for pod db, which is stopped"],
        ),
        (
            "nobody wants it",
            &["app on db: a=x | absent"],
            &["app waits for pod db, which does not exist"],
        ),
        (
            "one of two",
            &[
                "app on db cache: a=x | absent",
                "cache: c=y | ready; c/1 running",
                "db: d=y | unready ready; d/1 running",
            ],
            &["app waits for pod db, which is unready"],
        ),
        (
            "a chain",
            &["web on app: w=x | absent", "app on db: a=x | absent", "db: d=y | absent"],
            &[
                "db: create-sandbox start/d/1",
                "app waits for pod db, which is pending",
                "web waits for pod app, which is pending",
            ],
        ),
        (
            "init containers wait too",
            &["app on db: i=x init a=x | absent", "db: d=y | unready ready; d/1 running"],
            &["app waits for pod db, which is unready"],
        ),
    ]);
}

#[test]
fn what_runs_goes_on() {
    check(&[
        (
            "the other is not ready any more",
            &["app on db: a=x | ready; a/1 running", "db: d=y | unready ready; d/1 running"],
            &[],
        ),
        (
            "the other is started again",
            &["app on db: a=x | ready; a/1 running", "db: d=y | ready; d/1 code=1"],
            &["db: remove/d/1 start/d/2"],
        ),
        (
            "one of its containers is started again",
            &[
                "app on db: a=x b=x | ready; a/1 running; b/1 code=1",
                "db: d=y | unready ready; d/1 running",
            ],
            &["app: remove/b/1 start/b/2"],
        ),
        (
            "it is changed, and may not be started yet",
            &["app on db: a=x => a=y | ready; a/1 running", "db: d=y | unready ready; d/1 running"],
            &["app waits for pod db, which is unready"],
        ),
        (
            "all of it is to be started again",
            &["app on db: a=x | ready; a/1 code=1", "db: d=y | unready ready; d/1 running"],
            &["app: remove/a/1", "app waits for pod db, which is unready"],
        ),
        (
            "all of it is to be started again, in another sandbox",
            &[
                "app on db: a=x sysctl=1 => a=x | ready; a/1 code=1; a/2 g2 created",
                "db: d=y | unready ready; d/1 running",
            ],
            &[
                "app: remove/a/2 remove/a/1 remove-sandbox",
                "app waits for pod db, which is unready",
            ],
        ),
    ]);
}

#[test]
fn a_pod_goes_before_those_that_it_depends_on() {
    check(&[
        (
            "both are deleted",
            &[
                "app on db: a=x deleting | ready; a/1 running",
                "db: d=y deleting | ready; d/1 running",
            ],
            &[
                "app: stop/a/1 remove/a/1 remove-sandbox forget",
                "db: stop/d/1 remove/d/1 remove-sandbox forget after app",
            ],
        ),
        (
            "both are replaced",
            &["app on db: a=x => a=y | ready; a/1 running", "db: d=x => d=y | ready; d/1 running"],
            &[
                "app: stop/a/1 remove/a/1",
                "db: stop/d/1 remove/d/1 start/d/2 after app",
                "app waits for pod db, which is about to go",
            ],
        ),
        (
            "the other alone is replaced",
            &["app on db: a=x | ready; a/1 running", "db: d=x => d=y | ready; d/1 running"],
            &["db: stop/d/1 remove/d/1 start/d/2"],
        ),
        (
            "a change in place disturbs nobody",
            &["app on db: a=x | absent", "db: d=x pids=5 => d=x pids=6 | ready; d/1 running"],
            &["app: create-sandbox start/a/1", "db: update/d/1"],
        ),
    ]);
}

#[test]
fn a_pod_that_the_plan_is_not_about_may_be_waited_for() {
    let (desired, mut observed) = pods(&["app on db: a=x | absent"]);
    for (standing, expected) in [
        (Standing::Ready, "app: create-sandbox start/a/1"),
        (Standing::Busy(crate::plan::Phase::Unready), "app waits for pod db, which is unready"),
    ] {
        observed.standings = BTreeMap::from([("db".parse().unwrap(), standing)]);
        assert_eq!(told(&plan(&desired, &observed, now())), [expected]);
        let hold = waits_for(&desired[0], &desired, &observed, now());
        assert_eq!(hold.is_none(), standing == Standing::Ready);
    }
}

/// It is refused when it is applied; a database that has it all the same must not hang anybody.
#[test]
fn a_ring_waits_for_ever_and_ends() {
    let (desired, observed) = pods(&["a on b: a=x | absent", "b on a: b=x | absent"]);
    let plan = plan(&desired, &observed, now());
    assert!(plan.lanes.is_empty());
    assert_eq!(plan.waiting.len(), 2);
}
