use super::*;
use crate::model::{Exit, ExitReason, ProcessIdentity};

fn with_web() -> (TempDir, Store) {
    let (root, mut store) = fresh();
    put(&mut store, &pod("web", "one"));
    (root, store)
}

fn insert(store: &mut Store, instance: &Instance) {
    store.write(|tx| tx.insert_instance(instance)).unwrap();
}

fn read(store: &Store, instance: &Instance) -> Instance {
    store.read(|s| s.instance(&instance.id)).unwrap().unwrap()
}

fn ended(mut instance: Instance, reason: ExitReason) -> Instance {
    instance.state = State::Failed;
    let finished_at = Some(at(9));
    instance.exit = Some(Exit { code: Some(3), signal: None, oom: true, reason, finished_at });
    instance
}

#[test]
fn every_field_comes_back() {
    let (_root, mut store) = with_web();
    let reasons = [
        ExitReason::Exited,
        ExitReason::Oom,
        ExitReason::Stopped,
        ExitReason::StartFailed("cannot pivot_root: EINVAL".into()),
        ExitReason::HostReboot,
        ExitReason::Unknown,
    ];
    for (attempt, reason) in (1..).zip(reasons) {
        let mut new = ended(instance("web", attempt), reason);
        new.streak = 4;
        new.monitor = Some(ProcessIdentity { pid: 17, start_time: 1 << 62 });
        new.process = Some(ProcessIdentity { pid: 18, start_time: 5 });
        new.started_at = Some(at(1));
        new.notes = vec!["RLIMIT_NOFILE: Operation not permitted".into()];
        insert(&mut store, &new);
        assert_eq!(read(&store, &new), new);
    }
    let bare = Instance { image: None, ..instance("web", 9) };
    insert(&mut store, &bare);
    assert_eq!(read(&store, &bare), bare);
}

#[test]
fn every_state_comes_back() {
    let (_root, mut store) = with_web();
    let mut seen = instance("web", 1);
    insert(&mut store, &seen);
    for state in [
        State::Created,
        State::Running,
        State::Stopped,
        State::Failed,
        State::Removing,
        State::Missing,
        State::Unknown,
    ] {
        let news = seen.state != state;
        seen.state = state;
        assert_eq!(store.write(|tx| tx.update_observed(&seen)).unwrap(), news);
        assert_eq!(read(&store, &seen), seen);
    }
}

#[test]
fn an_observation_leaves_the_engine_columns_alone() {
    let (_root, mut store) = with_web();
    let created = instance("web", 1);
    insert(&mut store, &created);
    store.write(|tx| tx.set_generation(&created.id, 7)).unwrap();

    let mut seen = ended(created.clone(), ExitReason::Exited);
    seen.generation = 99;
    seen.attempt = 99;
    seen.streak = 99;
    seen.boot = "another".into();
    seen.image = None;
    seen.created_at = at(99);
    assert!(store.write(|tx| tx.update_observed(&seen)).unwrap());
    let stored = read(&store, &created);
    let expected =
        Instance { generation: 7, state: seen.state, exit: seen.exit.clone(), ..created };
    assert_eq!(stored, expected);
    assert!(!store.write(|tx| tx.update_observed(&seen)).unwrap());
    assert!(!store.write(|tx| tx.update_observed(&instance("db", 1))).unwrap());
}

#[test]
fn removed_instances_are_history_and_bounded() {
    let (_root, mut store) = with_web();
    assert_eq!(store.read(|s| s.next_attempt(&name("web"), &container("app"))).unwrap(), 1);
    for attempt in 1..=15 {
        let removed = attempt != 15;
        insert(&mut store, &Instance { removed, ..instance("web", attempt) });
    }
    assert_eq!(store.read(|s| s.live_instances()).unwrap(), [instance("web", 15)]);
    let prune = |store: &mut Store| {
        store.write(|tx| tx.prune_instances(&name("web"), &container("app"))).unwrap()
    };
    assert_eq!(prune(&mut store), 4);
    assert_eq!(prune(&mut store), 0);
    let kept = store.read(|s| s.instances_of(&name("web"))).unwrap();
    let attempts: Vec<_> = kept.iter().map(|instance| instance.attempt).collect();
    assert_eq!(attempts, (5..=15).collect::<Vec<_>>());
    assert_eq!(store.read(|s| s.next_attempt(&name("web"), &container("app"))).unwrap(), 16);
}

#[test]
fn a_reboot_ends_what_nobody_saw_end() {
    let (_root, mut store) = with_web();
    assert!(!store.write(|tx| tx.note_boot("boot-1")).unwrap(), "the first boot is no reboot");
    let running = Instance { state: State::Running, ..instance("web", 1) };
    let finished = ended(instance("web", 2), ExitReason::Exited);
    let removed = Instance { removed: true, ..instance("web", 3) };
    let not_begun = Instance { state: State::Created, ..instance("web", 5) };
    for instance in [&running, &finished, &removed, &not_begun] {
        insert(&mut store, instance);
    }
    assert!(!store.write(|tx| tx.note_boot("boot-1")).unwrap());
    assert_eq!(read(&store, &running), running);

    let later = Instance { boot: "boot-2".into(), ..instance("web", 4) };
    insert(&mut store, &later);
    assert!(store.write(|tx| tx.note_boot("boot-2")).unwrap());
    let lost = read(&store, &running);
    assert_eq!(lost.state, State::Failed);
    assert_eq!(lost.exit, Some(Exit::unknown(ExitReason::HostReboot)));
    for untouched in [&finished, &removed, &not_begun, &later] {
        assert_eq!(read(&store, untouched), *untouched);
    }
    assert_eq!(store.read(|s| s.boot()).unwrap().as_deref(), Some("boot-2"));
}

#[test]
fn a_value_that_tank_never_writes_is_damage() {
    let (root, mut store) = with_web();
    insert(&mut store, &instance("web", 1));
    for sql in [
        "UPDATE instances SET id = '../../etc'",
        "UPDATE instances SET id = '0000000000000001', notes = '{'",
        "UPDATE instances SET notes = '[]', generation = 1, image = 'latest'",
    ] {
        rusqlite::Connection::open(root.path().join("state.db")).unwrap().execute(sql, []).unwrap();
        let result = store.read(|s| s.live_instances());
        assert!(matches!(result, Err(Error::Corrupt { .. })), "{sql}: {result:?}");
    }
}
