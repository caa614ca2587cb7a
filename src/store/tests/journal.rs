use super::*;
use crate::model::ProcessIdentity;

pub(super) fn owner(pid: i32) -> Owner {
    Owner { process: ProcessIdentity { pid, start_time: 5 }, boot: "boot-1".into() }
}

pub(super) fn event(pod: &str, kind: &str) -> NewEvent {
    NewEvent {
        at: at(0),
        pod: Some(name(pod)),
        container: Some(container("app")),
        instance: Some(instance(pod, 1).id),
        kind: kind.into(),
        message: "something happened".into(),
    }
}

fn step<'a>(pod: &'a PodName, id: &'a str) -> NewStep<'a> {
    NewStep { pod, step: id, container: None, action: "start", cause: "it is new" }
}

fn begin(store: &mut Store, pid: i32, steps: &[&str]) -> (PassId, Vec<StepId>) {
    let web = name("web");
    let steps: Vec<_> = steps.iter().map(|id| step(&web, id)).collect();
    store
        .write(|tx| {
            let pass = tx.begin_pass("apply", &owner(pid), 2, at(1))?;
            Ok((pass, tx.start_steps(pass, &steps, at(1))?))
        })
        .unwrap()
}

#[test]
fn a_pass_and_its_steps_are_written_before_and_after() {
    let (_root, mut store) = fresh();
    let (pass, steps) = begin(&mut store, 7, &["start/app/1", "start/app/2"]);
    let open = store.read(|s| s.open_steps()).unwrap();
    assert_eq!(open.iter().map(|step| step.id).collect::<Vec<_>>(), steps);
    assert_eq!(open[0].step, "start/app/1");
    store
        .write(|tx| {
            assert!(tx.set_step(steps[0], StepState::Waiting, None, at(2))?);
            assert!(tx.set_step(steps[0], StepState::Succeeded, None, at(3))?);
            assert!(tx.set_step(steps[1], StepState::Failed, Some("no such file"), at(4))?);
            assert!(!tx.set_step(steps[1], StepState::Succeeded, None, at(5))?, "it has ended");
            tx.finish_pass(pass, 2, 1, at(6))
        })
        .unwrap();
    let done = store.read(|s| s.recent_steps(&name("web"), 1)).unwrap();
    assert_eq!((done[0].state, done[0].finished_at), (StepState::Failed, Some(at(4))));
    assert_eq!(done[0].error.as_deref(), Some("no such file"));
    let passes = store.read(|s| s.recent_passes(5)).unwrap();
    let expected = Pass {
        id: pass,
        command: "apply".into(),
        owner: owner(7),
        started_at: at(1),
        finished_at: Some(at(6)),
        planned: 2,
        executed: Some(2),
        failed: Some(1),
    };
    assert_eq!(passes, [expected]);
    assert_eq!(store.read(|s| s.open_passes()).unwrap(), []);
}

#[test]
fn steps_of_dead_owners_are_interrupted_and_no_others() {
    let (_root, mut store) = fresh();
    let (_, of_the_dead) = begin(&mut store, 7, &["a", "b"]);
    let (_, of_the_living) = begin(&mut store, 8, &["c"]);
    store.write(|tx| tx.set_step(of_the_dead[0], StepState::Succeeded, None, at(2))).unwrap();

    let alive = |owner: &Owner| owner.process.pid == 8 && owner.boot == "boot-1";
    let interrupted = store.interrupt_dead(alive, at(9)).unwrap();
    assert_eq!(interrupted.len(), 1);
    assert_eq!(interrupted[0].id, of_the_dead[1]);
    let open = store.read(|s| s.open_steps()).unwrap();
    assert_eq!(open.iter().map(|step| step.id).collect::<Vec<_>>(), of_the_living);
    let late = |tx: &Tx<'_>| tx.set_step(of_the_dead[1], StepState::Succeeded, None, at(10));
    assert!(!store.write(late).unwrap());
    assert_eq!(store.interrupt_dead(alive, at(11)).unwrap(), []);
}

#[test]
fn events_are_read_backwards_and_onwards() {
    let (_root, mut store) = fresh();
    for kind in ["one", "two", "three"] {
        store.write(|tx| tx.append_event(&event("web", kind))).unwrap();
    }
    let bare = NewEvent { pod: None, container: None, instance: None, ..event("web", "pass") };
    store.write(|tx| tx.append_event(&bare)).unwrap();

    let kinds = |events: Vec<Event>| -> Vec<String> {
        events.into_iter().map(|event| event.event.kind).collect()
    };
    let recent = store.read(|s| s.recent_events(None, 2)).unwrap();
    assert_eq!(recent[1].event, bare);
    assert_eq!(kinds(recent.clone()), ["three", "pass"]);
    let of_web = store.read(|s| s.recent_events(Some(&name("web")), 2)).unwrap();
    assert_eq!(kinds(of_web), ["two", "three"]);
    let since = store.read(|s| s.events_since(recent[0].id)).unwrap();
    assert_eq!(kinds(since), ["pass"]);
    assert_eq!(store.read(|s| s.events_since(0)).unwrap().len(), 4);
}

#[test]
fn events_and_finished_steps_are_bounded() {
    let (_root, mut store) = fresh();
    let (_, open) = begin(&mut store, 7, &["still under way"]);
    let web = name("web");
    store
        .write(|tx| {
            for _ in 0..10_050 {
                tx.append_event(&event("web", "tick"))?;
            }
            let pass = tx.begin_pass("reconcile", &owner(8), 1, at(0))?;
            let ids = tx.start_steps(pass, &vec![step(&web, "s"); 10_050], at(0))?;
            for id in ids {
                tx.set_step(id, StepState::Succeeded, None, at(1))?;
            }
            tx.start_steps(pass, &[step(&web, "last")], at(0))
        })
        .unwrap();
    let events = store.read(|s| s.events_since(0)).unwrap();
    assert_eq!(events.len(), 10_000);
    assert_eq!(events[0].id, 51);
    let steps = store.read(|s| s.recent_steps(&web, u32::MAX)).unwrap();
    assert_eq!(steps.len(), 10_001);
    assert_eq!(steps[0].id, open[0]);
}
