//! `tank delete` leaves nothing.

use rustix::process::Signal;

use crate::support::pods::{busybox, runs, script, send, sleeper};
use crate::support::world::World;
use crate::support::{Tank, fixtures};

/// A tank that has had a pod before: what it made for itself (its database, its copy of the
/// binary) is part of the world that a later pod comes into.
fn used_tank() -> (Tank, World) {
    let tank = Tank::new();
    tank.apply(&sleeper("earlier")).ok();
    tank.run(["delete", "earlier"]).ok();
    let before = tank.settled();
    (tank, before)
}

#[track_caller]
fn assert_nothing_left(tank: &Tank, before: &World) {
    let left = tank.settled().since(before);
    assert!(left.is_empty(), "left behind:\n{}", left.join("\n"));
    assert_eq!(
        tank.run(["ps", "-a", "-o", "json"]).ok().json()["containers"],
        serde_json::json!([])
    );
    tank.run(["delete", "web"]).exits(3);
    tank.run(["delete", "--ignore-not-found", "web"]).ok();
}

#[test]
fn of_a_pod_with_a_root_directory_nothing_is_left() {
    let (tank, before) = used_tank();
    tank.apply(&sleeper("web")).ok();
    let during = tank.world().since(&before);
    for kind in ["+ mount ", "+ cgroup ", "+ process ", "+ file "] {
        assert!(during.iter().any(|line| line.starts_with(kind)), "no {kind}in {during:#?}");
    }
    let deleted = tank.run(["delete", "web"]).ok();
    assert!(deleted.stdout.starts_with("pod/web deleted\n"), "{deleted}");
    assert_nothing_left(&tank, &before);
}

#[test]
fn the_first_pod_of_a_root_leaves_nothing_that_names_it() {
    let tank = Tank::new();
    tank.apply(&sleeper("quite-unlike-any")).ok();
    let id = tank.lives("quite-unlike-any")[0]["id"].as_str().unwrap().to_owned();
    tank.run(["delete", "quite-unlike-any"]).ok();
    let files = tank.settled().files;
    let named = |text: &str| files.iter().any(|file| file.to_string_lossy().contains(text));
    assert!(!named("quite-unlike-any") && !named(&id), "{files:#?}");
}

#[test]
fn of_a_pod_with_an_image_only_the_image_is_left() {
    let (tank, _) = used_tank();
    let archive = fixtures::busybox_image().docker_archive();
    tank.run(["image", "load", archive.to_str().unwrap()]).ok();
    let before = tank.world();
    let pod = "name = 'web'\nnetwork = 'none'\nstop_timeout = '1s'\n\
        [[containers]]\nname = 'app'\nimage = 'localhost/busybox:1'\n\
        command = ['/bin/sh', '-c', 'echo x >/tmp/written; sleep 1000']\n";
    tank.apply(pod).ok();
    tank.run(["delete", "web"]).ok();
    assert_nothing_left(&tank, &before);
}

#[test]
fn of_a_pod_that_was_restarted_nothing_is_left() {
    let (tank, before) = used_tank();
    let restart = "restart = { policy = 'always', initial = '10ms' }";
    tank.apply(&script("web", restart, "trap 'exit 0' TERM; sleep 1000 & wait")).ok();
    send(tank.pid("web"), Signal::KILL);
    tank.await_life("a second life", "web", |life| runs(life, 2));
    send(tank.pid("web"), Signal::KILL);
    tank.run(["delete", "web"]).ok();
    assert_nothing_left(&tank, &before);
}

#[test]
fn of_a_pod_that_crashes_again_and_again_nothing_is_left() {
    let (tank, before) = used_tank();
    let restart = "restart = { policy = 'always', initial = '10ms', max = '10ms' }";
    tank.apply(&script("web", restart, "exit 1")).ok();
    // Each life is begun by the monitor of the one before: nobody else would.
    tank.await_life("a tenth life", "web", |life| life["attempt"].as_u64() >= Some(10));
    tank.run(["delete", "web"]).ok();
    assert_nothing_left(&tank, &before);
}

#[test]
fn of_a_pod_that_waits_for_its_restart_not_even_who_waits_is_left() {
    let (tank, before) = used_tank();
    let restart = "restart = { policy = 'always', initial = '60s' }";
    tank.apply(&script("web", restart, "exit 1")).ok();
    tank.await_status("web", "backing-off");
    tank.run(["delete", "web"]).ok();
    assert_nothing_left(&tank, &before);
}

#[test]
fn of_a_pod_that_never_started_nothing_is_left() {
    let (tank, before) = used_tank();
    let pod = busybox("web", "restart = 'never'", "command = ['/no/such/program']");
    tank.apply(&pod).exits(1);
    tank.run(["delete", "web"]).ok();
    assert_nothing_left(&tank, &before);
}

#[test]
fn of_several_pods_only_the_named_ones_go() {
    let tank = Tank::new();
    for name in ["a", "b", "c"] {
        tank.apply(&sleeper(name)).ok();
    }
    let stays = tank.pid("b");
    let deleted = tank.run(["delete", "a", "c", "-o", "json"]).ok().json();
    for (place, name) in ["a", "c"].into_iter().enumerate() {
        let pod = serde_json::json!({ "name": name, "generation": null, "result": "deleted" });
        assert_eq!(deleted["pods"][place], pod);
    }
    assert_eq!(tank.pid("b"), stays);
    tank.run(["delete", "a", "b"]).exits(3);
    assert_eq!(tank.pid("b"), stays, "nothing was deleted");
}
