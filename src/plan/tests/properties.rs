//! What must hold for every world, possible or not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::notation::{generations, observed};
use super::world::{World, alive};
use crate::model::{DesiredPod, InstanceId, PodName, RunState};
use crate::plan::{Action, Lane, Observed};

/// One instance in the notation of the tables, without its attempt.
fn instance() -> impl Strategy<Value = (String, String)> {
    let container = prop::sample::select(vec!["a", "b", "c"]);
    let how = prop::sample::select(vec![
        "running",
        "running",
        "running",
        "unknown",
        "created",
        "removing",
        "missing",
        "code=0",
        "code=1",
        "signal=9",
        "oom",
        "stopped",
        "reboot",
        "unseen",
        "start-failed",
    ]);
    let times =
        prop::sample::select(vec!["ago=0s", "ago=1h", "ago=1h ran=20m", "ago=?", "ago=-1h"]);
    let rest = prop::sample::select(vec!["", "gone", "removed", "lost", "lost gone"]);
    let digest = prop::sample::select(vec!["", "digest=a", "digest=b"]);
    (container, how, times, rest, digest, 1..4_u8, 0..8_u8).prop_map(
        |(container, how, times, rest, digest, generation, streak)| {
            let words = format!("g{generation} s{streak} {how} {times} {rest} {digest}");
            (container.to_owned(), words)
        },
    )
}

fn generation() -> impl Strategy<Value = String> {
    let containers = prop::sample::select(vec![
        "a=x:1",
        "a=x:2",
        "a=x:1 pids=5",
        "a=x:1 b=y:1",
        "a=x:1 digest=a b=y:1",
        "b=y:1 a=x:1",
        "a=x:1 digest=b",
        "a=x:1 sysctl=1",
        "a=x:1 init b=y:1",
        "a=x:2 init b=y:1",
        "a=x:1 init b=y:1 init c=z:1",
    ]);
    let pod = prop::sample::select(vec![
        "",
        "",
        "hostname=www",
        "network=host",
        "network=bridge",
        "network=bridge isolated",
        "label=x",
    ]);
    let restart = prop::sample::select(vec![
        "",
        "restart=never",
        "restart=on-failure",
        "retries=2",
        "restart=on-failure retries=0",
    ]);
    (containers, pod, restart).prop_map(|(a, b, c)| format!("{a} {b} {c}"))
}

/// A pod and what is seen of it; attempts count up within each container, as they do.
fn pod(name: &'static str) -> impl Strategy<Value = World> {
    let wanted =
        prop::sample::select(vec!["", "", "", "stop", "deleting", "unknown", "renewed", "revived"]);
    let sandbox = prop::sample::select(vec!["absent", "partial", "ready", "ready"]);
    let specs = prop::collection::vec(generation(), 3);
    let instances = prop::collection::vec(instance(), 0..5);
    (specs, wanted, sandbox, instances).prop_map(move |(specs, wanted, sandbox, instances)| {
        let mut generations = generations(&specs.join(" => "));
        let mut attempts = BTreeMap::new();
        let mut parts = vec![sandbox.to_owned()];
        for (container, words) in instances {
            let attempt = attempts.entry(container.clone()).or_insert(0);
            *attempt += 1;
            parts.push(format!("{container}/{attempt} {words}"));
        }
        let mut seen = observed(&generations, &parts.join("; "));
        let name: PodName = name.parse().unwrap();
        for (bits, seen) in (1..).zip(&mut seen.instances) {
            seen.instance.pod = name.clone();
            if let Some(spec) = &mut seen.spec {
                Arc::make_mut(spec).name = name.clone();
            }
            seen.instance.id =
                InstanceId::from_bits(bits << 16 | u64::from(name.as_str().as_bytes()[0]));
        }
        let mut desired = generations.pop().unwrap();
        desired.pod.name = name.clone();
        desired.deleting = wanted == "deleting";
        desired.run = if wanted == "stop" { RunState::Stop } else { RunState::Run };
        match wanted {
            "renewed" => desired.renewed = desired.generation,
            "revived" => desired.revived = desired.generation,
            _ => {}
        }
        let desired: BTreeMap<PodName, DesiredPod> =
            [(name.clone(), desired)].into_iter().filter(|_| wanted != "unknown").collect();
        let observed = Observed { pods: BTreeMap::from([(name, seen)]), ..Observed::default() };
        World { desired, observed, next_id: 1 << 60 }
    })
}

fn world() -> impl Strategy<Value = World> {
    (pod("db"), pod("web")).prop_map(|(mut world, other)| {
        world.desired.extend(other.desired);
        world.observed.pods.extend(other.observed.pods);
        world
    })
}

fn place(lane: &Lane, wanted: impl Fn(&Action) -> bool) -> Vec<usize> {
    let places = lane.steps.iter().enumerate();
    places.filter(|(_, step)| wanted(&step.action)).map(|(place, _)| place).collect()
}

fn starts(lane: &Lane) -> usize {
    place(lane, |action| matches!(action, Action::Start { .. })).len()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_that_was_carried_out_leaves_nothing_to_do(mut world in world()) {
        let plan = world.plan();
        world.apply_all(&plan);
        prop_assert_eq!(world.plan().lanes, vec![]);
    }

    #[test]
    fn a_plan_that_was_interrupted_anywhere_converges(mut world in world(), cut in 0..12_usize) {
        for lane in world.plan().lanes {
            for step in lane.steps.iter().take(cut) {
                world.apply_step(&lane.pod, step);
            }
        }
        let rest = world.plan();
        world.apply_all(&rest);
        prop_assert_eq!(world.plan().lanes, vec![]);
    }

    #[test]
    fn the_same_world_gives_the_same_plan(world in world()) {
        prop_assert_eq!(world.plan(), world.plan());
    }

    #[test]
    fn steps_are_ordered_and_have_ids_and_causes_of_their_own(world in world()) {
        for lane in world.plan().lanes {
            let ids: BTreeSet<&str> = lane.steps.iter().map(|step| step.id.as_str()).collect();
            prop_assert_eq!(ids.len(), lane.steps.len());
            prop_assert!(lane.steps.iter().all(|step| !step.cause.is_empty()));
            let takes = place(&lane, |a| matches!(a, Action::Stop { .. } | Action::Remove { .. }));
            let makes = place(&lane, |a| matches!(a, Action::Start { .. } | Action::CreateSandbox));
            prop_assert!(takes.last() < makes.first() || makes.is_empty());
            for (place, step) in lane.steps.iter().enumerate() {
                if let Action::Stop { id } = &step.action {
                    let next = lane.steps.get(place + 1).map(|step| &step.action);
                    prop_assert_eq!(next, Some(&Action::Remove { id: id.clone() }));
                }
            }
        }
    }

    #[test]
    fn a_lane_touches_its_own_pod_only(world in world()) {
        for lane in world.plan().lanes {
            let own = world.observed.pods.get(&lane.pod);
            let own = own.map_or(&[][..], |pod| &pod.instances);
            for step in &lane.steps {
                let (Action::Stop { id } | Action::Remove { id } | Action::Update { id }) =
                    &step.action
                else {
                    continue;
                };
                prop_assert!(own.iter().any(|seen| seen.instance.id == *id));
            }
            let alone = world.only(&lane.pod);
            prop_assert_eq!(alone.plan().lanes, vec![lane]);
        }
    }

    #[test]
    fn what_is_not_wanted_ends_with_its_last_trace(world in world()) {
        let plan = world.plan();
        for (name, seen) in &world.observed.pods {
            let lane = plan.lanes.iter().find(|lane| lane.pod == *name);
            let last = lane.and_then(|lane| lane.steps.last()).map(|step| &step.action);
            let starts = lane.map_or(0, starts);
            match world.desired.get(name) {
                None => prop_assert_eq!(last, Some(&Action::Forget)),
                Some(desired) if desired.deleting => prop_assert_eq!(last, Some(&Action::Forget)),
                Some(desired) if desired.run == RunState::Stop => {
                    prop_assert!(last.is_some() || !seen.instances.iter().any(alive));
                }
                Some(_) => continue,
            }
            prop_assert_eq!(starts, 0);
        }
    }

    #[test]
    fn what_waits_is_started_when_it_is_due(mut world in world()) {
        let plan = world.plan();
        world.apply_all(&plan);
        if let Some(wake) = plan.wake {
            let later = world.plan_at(wake);
            let starts: usize = later.lanes.iter().map(starts).sum();
            prop_assert!(starts > 0);
        }
    }
}
