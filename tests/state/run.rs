//! `tank start`, `stop`, `restart` and `wait`.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::pods::{SOON, runs, script, send, sleeper};
use crate::support::{Tank, wait};

/// What became of a pod, as a verb says for scripts.
fn result(tank: &Tank, verb: &str) -> String {
    let report = tank.run([verb, "-o", "json", "web"]).ok().json();
    report["pods"][0]["result"].as_str().unwrap().to_owned()
}

fn attempts(tank: &Tank) -> usize {
    tank.lives("web").len()
}

#[test]
fn a_stopped_pod_stays_so_until_it_is_started() {
    let tank = Tank::new();
    tank.apply(&sleeper("web")).ok();
    assert_eq!(result(&tank, "stop"), "stopped");
    assert_eq!(tank.listed("web")["status"], "stopped");
    assert_eq!(tank.lives("web")[0]["reason"], "stopped");
    assert!(tank.world().processes.is_empty(), "{:?}", tank.world().processes);
    // Neither a pass nor its unchanged file starts it, and stopping it again does nothing.
    for args in [&["reconcile"][..], &["stop", "web"]] {
        let nothing = tank.run(args).ok();
        assert!(nothing.stdout.contains("planned 0, executed 0"), "{nothing}");
    }
    tank.apply(&sleeper("web")).ok();
    assert_eq!((attempts(&tank), result(&tank, "stop").as_str()), (1, "unchanged"));
    assert_eq!(result(&tank, "start"), "started");
    tank.await_life("a second life", "web", |life| runs(life, 2));
    assert_eq!(result(&tank, "start"), "unchanged");
    assert_eq!(attempts(&tank), 2);
    // A change of its spec while it is stopped is for its next start.
    tank.run(["stop", "web"]).ok();
    let changed = sleeper("web").replace("sleep 1000", "sleep 2000");
    let configured = tank.apply(&changed).ok();
    assert!(configured.stdout.starts_with("pod/web configured\nplanned 0"), "{configured}");
    tank.run(["start", "web", "--wait"]).ok();
    assert!(tank.world().processes.iter().any(|(_, shown)| shown.contains("sleep 2000")));
}

#[test]
fn a_job_that_has_ended_runs_again_when_it_is_stopped_and_started() {
    let tank = Tank::new();
    let job = |code: u32| script("web", "restart = 'never'", &format!("exit {code}"));
    tank.apply(&job(1)).ok();
    tank.await_status("web", "failed");
    tank.run(["stop", "web"]).ok();
    tank.apply(&job(0)).ok();
    tank.run(["start", "web", "--wait"]).ok();
    tank.await_status("web", "completed");
    assert_eq!(attempts(&tank), 2);
    // Neither a pass nor its unchanged file runs it once more.
    tank.run(["reconcile"]).ok();
    tank.apply(&job(0)).ok();
    assert_eq!(attempts(&tank), 2);
}

#[test]
fn a_restart_replaces_what_runs_and_starts_what_is_stopped() {
    let tank = Tank::new();
    tank.apply(&sleeper("web")).ok();
    let first = tank.pid("web");
    let planned = tank.run(["get", "web"]).ok().stdout;
    assert_eq!(result(&tank, "restart"), "restarted");
    let second = tank.pid("web");
    assert_ne!(second, first);
    assert_eq!(tank.run(["get", "web"]).ok().stdout, planned);
    // It was asked for once.
    assert_eq!(tank.run(["plan", "-o", "json"]).ok().json()["changes"], 0);
    tank.run(["stop", "web"]).ok();
    tank.run(["restart", "web", "--wait=20s"]).ok();
    tank.await_life("a third life", "web", |life| runs(life, 3));
    // Nobody but people started it again, by these verbs or by a change.
    tank.apply(&sleeper("web").replace("sleep 1000", "sleep 2000")).ok();
    assert_eq!(tank.listed("web")["restarts"], 0);
    send(tank.pid("web"), Signal::KILL);
    tank.await_life("a fifth life", "web", |life| runs(life, 5));
    assert_eq!(tank.listed("web")["restarts"], 1);
}

#[test]
fn a_start_runs_again_what_is_done_or_failed() {
    let tank = Tank::new();
    for (code, status) in [(0, "completed"), (3, "failed")] {
        tank.apply(&script("web", "restart = 'never'", &format!("exit {code}"))).ok();
        let lives = tank.await_status("web", status);
        let before = attempts(&tank);
        assert_eq!(result(&tank, "start"), "started", "{lives}");
        wait::until("one more life", SOON, || {
            (attempts(&tank) == before + 1 && tank.listed("web")["status"] == status).then_some(())
        });
        tank.run(["delete", "web"]).ok();
    }
    // A row of quick ends is over.
    let slow = "restart = { policy = 'always', initial = '60s', max = '60s' }";
    tank.apply(&script("web", slow, "exit 3")).ok();
    tank.await_status("web", "backing-off");
    tank.run(["start", "web"]).ok();
    assert_eq!(attempts(&tank), 2);
}

#[test]
fn waiting_ends_when_it_is_so_or_never_will_be() {
    let tank = Tank::new();
    let timed = |args: &[&str]| {
        let begin = Instant::now();
        let output = tank.run([&["wait"], args].concat());
        (output.status.code().unwrap(), output.stderr, begin.elapsed())
    };
    assert_eq!(timed(&["web"]).0, 3);
    assert_eq!(timed(&["web", "--for", "deleted"]).0, 0);
    tank.apply(&sleeper("web")).ok();
    assert_eq!(timed(&["web"]).0, 0);
    assert_eq!(timed(&["nobody"]).0, 3);
    assert_eq!(timed(&["nobody", "--for", "deleted"]).0, 0);
    for goal in ["stopped", "deleted"] {
        let (code, told, took) = timed(&["web", "--for", goal, "--timeout", "300ms"]);
        assert_eq!(code, 1, "{told}");
        assert!(told.contains(&format!("not {goal} in time: web")), "{told}");
        assert!(took >= Duration::from_millis(300), "{took:?}");
    }
    let waiting = tank.start(["wait", "web", "--for", "stopped"]);
    tank.run(["stop", "web"]).ok();
    waiting.finish(SOON).ok();
    let waiting = tank.start(["wait", "web", "--for", "deleted"]);
    tank.run(["delete", "web"]).ok();
    waiting.finish(SOON).ok();

    tank.apply(&script("web", "restart = 'never'", "exit 3")).ok();
    tank.await_status("web", "failed");
    let (code, told, _) = timed(&["web"]);
    assert_eq!(code, 1);
    assert!(told.contains("pod web failed: exited with code 3"), "{told}");
    assert_eq!(timed(&["web", "--for", "stopped"]).0, 0);
}

#[test]
fn pods_that_are_not_there_change_nothing() {
    let tank = Tank::new();
    tank.apply(&sleeper("web")).ok();
    for verb in ["start", "stop", "restart"] {
        let refused = tank.run([verb, "web", "nobody"]).exits(3);
        assert!(refused.stderr.contains("nobody"), "{refused}");
    }
    assert_eq!((attempts(&tank), &tank.listed("web")["status"]), (1, &"running".into()));
}
