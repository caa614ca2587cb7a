//! What follows when a probe fails, or passes.

use super::{SLEEP, SOON, await_ready, has, pod, probe, sh};
use crate::support::pods::runs;
use crate::support::{Tank, wait};

const RESTART: &str = "restart = { policy = 'always', initial = '10ms', max = '10ms' }";

#[test]
fn a_container_whose_liveness_fails_is_ended_and_started_again() {
    let tank = Tank::new();
    let liveness = probe("liveness", &has("/tmp/well"), "failures = 2");
    let script = format!("touch /tmp/well; {SLEEP}");
    tank.apply(&pod(&script, RESTART, &liveness)).ok();
    tank.await_life("a check", "web", |life| life["probes"][0]["passing"] == true);
    sh(&tank, "rm /tmp/well");
    tank.await_life("a second life", "web", |life| runs(life, 2));
    let first = tank.lives("web").remove(0);
    assert_eq!(first["reason"], "probe", "{first}");
    assert_eq!(first["exit_code"], 0, "it ended when it was asked to: {first}");
    assert_eq!(first["state"], "failed");
    let why = "liveness probe failed 2 times in a row: exit code 1";
    assert_eq!(first["detail"], why);
    let listed = tank.listed("web");
    assert_eq!(listed["restarts"], 1, "{listed}");
    assert_eq!(
        (&listed["exits"][0]["reason"], &listed["exits"][0]["detail"]),
        (&"probe".into(), &why.into())
    );
    let events = tank.run(["events", "--since", "1h"]).ok().stdout;
    assert!(events.contains(why), "{events}");
}

#[test]
fn one_that_does_not_end_when_it_is_asked_to_is_killed_after_its_time() {
    let tank = Tank::new();
    let script = "trap '' TERM; while true; do sleep 1; done";
    let liveness = probe("liveness", "exec = ['/bin/false']", "failures = 1");
    let keys = "restart = 'never'\nstop_timeout = '1s'";
    tank.apply(&pod(script, keys, &liveness)).ok();
    let life = tank.await_life("its end", "web", |life| life["state"] == "failed");
    assert_eq!((&life["reason"], &life["signal"]), (&"probe".into(), &9.into()), "{life}");
    assert_eq!(tank.listed("web")["status"], "failed");
    let failed = tank.run(["wait", "web", "--timeout", "20s"]).exits(1);
    assert!(failed.stderr.contains("liveness probe failed once"), "{failed}");
}

#[test]
fn nobody_is_alive_before_it_has_started() {
    let tank = Tank::new();
    let probes = probe("startup", &has("/tmp/started"), "failures = 1000")
        + &probe("liveness", &has("/tmp/well"), "failures = 1")
        + &probe("readiness", "exec = ['/bin/true']", "");
    tank.apply(&pod(SLEEP, RESTART, &probes)).ok();
    tank.await_life("failures", "web", |life| {
        life["probes"][0]["failures"].as_u64().is_some_and(|failures| failures >= 3)
    });
    assert_eq!(tank.listed("web")["ready"], 0);
    sh(&tank, "touch /tmp/well /tmp/started");
    await_ready(&tank, 1);
    sh(&tank, "rm /tmp/well");
    tank.await_life("a second life", "web", |life| life["attempt"] == 2);
}

#[test]
fn a_container_that_never_starts_is_started_again() {
    let tank = Tank::new();
    let startup = probe("startup", "exec = ['/bin/false']", "failures = 3");
    tank.apply(&pod(SLEEP, RESTART, &startup)).ok();
    tank.await_life("a second life", "web", |life| life["attempt"] == 2);
    let first = tank.lives("web").remove(0);
    assert_eq!(first["detail"], "startup probe failed 3 times in a row: exit code 1");
}

#[test]
fn whoever_waits_for_a_pod_waits_until_it_can_serve() {
    let tank = Tank::new();
    let readiness = probe("readiness", &has("/tmp/ready"), "");
    let file = tank.file(
        "web.toml",
        pod("sleep 1; touch /tmp/ready; sleep 1000", "stop_timeout = '0s'", &readiness),
    );
    tank.run(["apply", "--wait", "-f", file.to_str().unwrap()]).ok();
    assert_eq!(tank.listed("web")["ready"], 1);

    let never = probe("readiness", "exec = ['/bin/false']", "");
    let file = tank.file("web.toml", pod("sleep 1000", "stop_timeout = '0s'", &never));
    let late = tank.run(["apply", "--wait=1s", "-f", file.to_str().unwrap()]).exits(1);
    assert!(late.stderr.contains("not ready in time: web"), "{late}");
}

#[test]
fn a_revision_that_does_not_get_ready_is_taken_back() {
    let tank = Tank::new();
    let file = |check: &str| tank.file("web.toml", pod(SLEEP, "", &probe("readiness", check, "")));
    let good = file("exec = ['/bin/true']");
    tank.run(["apply", "--wait", "-f", good.to_str().unwrap()]).ok();
    let bad = file("exec = ['/bin/false']");
    let args = ["apply", "--wait=1s", "--rollback-on-failure", "-f", bad.to_str().unwrap()];
    tank.run(args).exits(1);
    await_ready(&tank, 1);
    let spec = tank.run(["get", "web"]).ok().stdout;
    assert!(spec.contains("/bin/true"), "{spec}");
    assert_eq!(tank.lives("web").len(), 1, "a probe is changed without a restart");
}

#[test]
fn a_change_of_a_probe_reaches_the_running_container() {
    let tank = Tank::new();
    let slow = "[containers.readiness]\nexec = ['/bin/false']\nperiod = '1h'\n";
    tank.apply(&pod(SLEEP, "", slow)).ok();
    tank.await_life("a first check", "web", |life| life["probes"][0]["failures"] == 1);
    let changed = tank.apply(&pod(SLEEP, "", &probe("readiness", "exec = ['/bin/true']", ""))).ok();
    assert!(changed.stdout.contains("pod/web configured"), "{changed}");
    await_ready(&tank, 1);
    // None is fine as well.
    tank.apply(&pod(SLEEP, "", "")).ok();
    wait::until("no probe", SOON, || {
        let life = tank.lives("web").pop()?;
        (life["ready"] == true && life["probes"].as_array()?.is_empty()).then_some(())
    });
    assert_eq!(tank.lives("web").len(), 1);
    assert_eq!(tank.run(["plan"]).ok().stdout, "nothing to do\n");
}

#[test]
fn a_pod_that_is_stopped_is_not_taken_for_a_failure() {
    let tank = Tank::new();
    let liveness = probe("liveness", "exec = ['/bin/true']", "");
    tank.apply(&pod(SLEEP, "", &liveness)).ok();
    tank.await_life("a check", "web", |life| life["probes"][0]["passing"] == true);
    tank.run(["stop", "web"]).ok();
    let life = tank.lives("web").pop().unwrap();
    assert_eq!(life["reason"], "stopped", "{life}");
}

#[test]
fn what_is_being_stopped_is_asked_for_its_readiness_only() {
    let tank = Tank::new();
    let script = "trap 'echo asked; touch /tmp/asked' TERM; echo ready;
        until [ -e /tmp/go ]; do sleep 0.1; done";
    let check = "exec = ['/bin/test', '!', '-e', '/tmp/asked']";
    let probes =
        probe("readiness", check, "failures = 5") + &probe("liveness", check, "failures = 1");
    tank.apply(&pod(script, "stop_timeout = '1h'", &probes)).ok();
    tank.await_log("web", "ready");
    await_ready(&tank, 1);
    let stop = tank.start_ending("web", ["stop", "web"]);
    await_ready(&tank, 0);
    sh(&tank, "touch /tmp/go");
    stop.finish(SOON).ok();
    let log = tank.run(["logs", "web"]).ok().stdout;
    assert_eq!(log, "ready\nasked\n");
}
