//! A server of Debian's own package, in a root that debootstrap made.

use std::time::Duration;

use jiff::Timestamp;
use rustix::process::Signal;
use serde_json::Value;

use crate::support::pods::{SOON, pid_of, runs, send};
use crate::support::{Tank, fixtures, wait};

/// The image's own Cmd runs. What the layout calls `latest` is a whole name to tank.
const REDIS: &str = "name = 'redis'\nnetwork = 'none'\n\
    [[containers]]\nname = 'app'\nimage = 'latest'\npull = 'never'\n";

fn answers(tank: &Tank) {
    wait::until("an answer of redis", SOON, || {
        let ping = tank.run(["exec", "redis", "--", "redis-cli", "ping"]);
        (ping.stdout == "PONG\n").then_some(())
    });
}

fn time(life: &Value, field: &str) -> Timestamp {
    life[field].as_str().expect("a time").parse().unwrap()
}

#[test]
fn redis_is_back_within_two_seconds_of_a_kill() {
    let tank = Tank::new();
    let layout = fixtures::debian_redis_layout();
    tank.run(["image", "load", layout.to_str().unwrap()]).ok();
    tank.apply(REDIS).ok();
    answers(&tank);
    // No daemon: beside the server there is only its monitor.
    let processes = tank.world().processes;
    let is_expected =
        |shown: &str| shown == "tank-monitor redis/app" || shown.starts_with("redis-server");
    assert!(processes.iter().all(|(_, shown)| is_expected(shown)), "{processes:?}");

    let server = tank.pid("redis");
    let killed = Timestamp::now();
    send(server, Signal::KILL);
    let second = tank.await_life("a second life", "redis", |life| runs(life, 2));
    let away = Duration::try_from(time(&second, "started_at").duration_since(killed)).unwrap();
    assert!(away < Duration::from_secs(2), "{away:?}");
    assert_ne!(pid_of(&second), server);
    answers(&tank);

    let first = tank.lives("redis").swap_remove(0);
    assert_eq!(first["signal"], 9, "{first}");
    assert_eq!(first["reason"], "exited", "{first}");
    assert!(time(&first, "finished_at") >= killed, "{first}");
    let described = tank.run(["describe", "redis"]).ok().stdout;
    for fact in ["app #1 failed", "ended by signal 9", "app #2 running", "1 restart"] {
        assert!(described.contains(fact), "no {fact:?} in\n{described}");
    }
}
