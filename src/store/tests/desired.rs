use super::*;
use crate::model::RunState;

#[test]
fn a_pod_is_created_configured_and_left_alone() {
    let (_root, mut store) = fresh();
    let web = pod("web", "one");
    let created = put(&mut store, &web);
    assert_eq!(created, Put { result: PutResult::Created, generation: 1 });
    let same = put(&mut store, &web);
    assert_eq!(same, Put { result: PutResult::Unchanged, generation: 1 });

    let other = pod("web", "two");
    let put = store.write(|tx| tx.put_pod(&other, &images(1), at(5))).unwrap();
    assert_eq!(put, Put { result: PutResult::Configured, generation: 2 });
    let put = store.write(|tx| tx.put_pod(&other, &images(2), at(6))).unwrap();
    assert_eq!(put, Put { result: PutResult::Configured, generation: 3 });

    let stored = store.read(|s| s.pod(&name("web"))).unwrap().unwrap();
    assert_eq!(stored.pod, other);
    assert_eq!(stored.images, images(2));
    assert_eq!((stored.created_at, stored.updated_at), (at(0), at(6)));
    assert_eq!((stored.run, stored.deleting), (RunState::Run, false));
}

#[test]
fn pods_are_listed_by_name_or_as_asked_for() {
    let (_root, mut store) = fresh();
    for name in ["b", "a", "c"] {
        put(&mut store, &pod(name, "one"));
    }
    let names = |pods: Vec<crate::model::DesiredPod>| -> Vec<String> {
        pods.into_iter().map(|pod| pod.pod.name.to_string()).collect()
    };
    assert_eq!(names(store.read(|s| s.pods()).unwrap()), ["a", "b", "c"]);
    let asked = [name("c"), name("x"), name("a")];
    assert_eq!(names(store.read(|s| s.pods_named(&asked)).unwrap()), ["c", "a"]);
}

#[test]
fn the_last_twenty_revisions_are_kept() {
    let (_root, mut store) = fresh();
    for revision in 1..=25 {
        put(&mut store, &pod("web", &format!("image-{revision}")));
    }
    let revisions = store.read(|s| s.revisions(&name("web"))).unwrap();
    let generations: Vec<_> = revisions.iter().map(|revision| revision.generation).collect();
    assert_eq!(generations, (6..=25).collect::<Vec<_>>());
    let old = store.read(|s| s.revision(&name("web"), 6)).unwrap().unwrap();
    assert_eq!(old.pod, pod("web", "image-6"));
    assert_eq!(store.read(|s| s.revision(&name("web"), 5)).unwrap(), None);
}

#[test]
fn seeding_never_changes_a_pod_that_exists() {
    let (_root, mut store) = fresh();
    let seed = |store: &mut Store, image: &str| {
        let pod = pod("web", image);
        store.write(|tx| tx.create_pod_if_absent(&pod, &images(1), at(0))).unwrap()
    };
    assert!(seed(&mut store, "one"));
    assert!(!seed(&mut store, "two"));
    let stored = store.read(|s| s.pod(&name("web"))).unwrap().unwrap();
    assert_eq!(stored.pod, pod("web", "one"));
}

#[test]
fn a_deleted_pod_keeps_its_row_until_it_is_forgotten_or_applied_again() {
    let (_root, mut store) = fresh();
    let web = name("web");
    assert_eq!(store.write(|tx| tx.mark_deleting(&web)).unwrap(), Update::NotFound);
    put(&mut store, &pod("web", "one"));
    store.write(|tx| tx.set_run(&web, RunState::Stop)).unwrap();
    assert_eq!(store.write(|tx| tx.mark_deleting(&web)).unwrap(), Update::Changed);
    assert_eq!(store.write(|tx| tx.mark_deleting(&web)).unwrap(), Update::Unchanged);
    assert!(store.read(|s| s.pod(&web)).unwrap().unwrap().deleting);

    let again = put(&mut store, &pod("web", "one"));
    assert_eq!(again, Put { result: PutResult::Created, generation: 2 });
    let back = store.read(|s| s.pod(&web)).unwrap().unwrap();
    assert_eq!((back.deleting, back.run), (false, RunState::Run));
}

#[test]
fn whether_a_pod_runs_survives_a_new_spec() {
    let (_root, mut store) = fresh();
    let web = name("web");
    assert_eq!(store.write(|tx| tx.set_run(&web, RunState::Stop)).unwrap(), Update::NotFound);
    put(&mut store, &pod("web", "one"));
    assert_eq!(store.write(|tx| tx.set_run(&web, RunState::Stop)).unwrap(), Update::Changed);
    assert_eq!(store.write(|tx| tx.set_run(&web, RunState::Stop)).unwrap(), Update::Unchanged);
    put(&mut store, &pod("web", "two"));
    assert_eq!(store.read(|s| s.pod(&web)).unwrap().unwrap().run, RunState::Stop);
}

#[test]
fn forgetting_a_pod_takes_all_of_it_but_its_events() {
    let (_root, mut store) = fresh();
    let web = name("web");
    put(&mut store, &pod("web", "one"));
    put(&mut store, &pod("db", "one"));
    let lease = Lease { pod: web.clone(), ipv4: "10.0.0.2".parse().ok(), ipv6: None };
    store
        .write(|tx| {
            tx.insert_instance(&instance("web", 1))?;
            tx.insert_instance(&instance("db", 1))?;
            tx.put_lease(&lease)?;
            tx.append_event(&super::journal::event("web", "started"))?;
            let pass = tx.begin_pass("apply", &super::journal::owner(1), 1, at(0))?;
            let step = NewStep {
                pod: &web,
                step: "forget",
                container: None,
                action: "forget",
                cause: "deleted",
            };
            tx.start_steps(pass, &[step], at(0))
        })
        .unwrap();
    store.write(|tx| tx.forget_pod(&web)).unwrap();
    store
        .read(|s| {
            assert_eq!(s.pod(&web)?, None);
            assert_eq!(s.revisions(&web)?, []);
            assert_eq!(s.instances_of(&web)?, []);
            assert_eq!(s.leases()?, []);
            assert_eq!(s.recent_steps(&web, 9)?, []);
            assert_eq!(s.recent_events(Some(&web), 9)?.len(), 1);
            assert_eq!(s.live_instances()?.len(), 1);
            Ok(())
        })
        .unwrap();
    assert_eq!(put(&mut store, &pod("web", "one")).generation, 1);
}

#[test]
fn a_failed_transaction_leaves_nothing() {
    let (_root, mut store) = fresh();
    let result = store.write(|tx| {
        tx.put_pod(&pod("web", "one"), &images(1), at(0))?;
        tx.insert_instance(&instance("no-such-pod", 1))
    });
    assert!(matches!(result, Err(Error::Sqlite { doing: "write an instance", .. })));
    assert_eq!(store.read(|s| s.pods()).unwrap(), []);
}
