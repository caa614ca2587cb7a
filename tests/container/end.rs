//! How a container ends, and what follows.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{Boxed, SLEEPER, SOON, pod_file, shell};
use crate::support::volume::Volume;
use crate::support::{Tank, wait};

#[track_caller]
fn kill(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}

#[test]
fn exit_codes_and_signals_are_recorded() {
    for (script, code, signal) in [
        ("exit 0", Some(0), None),
        ("exit 7", Some(7), None),
        ("kill -USR1 $$; sleep 9", None, None),
    ] {
        let seen = Boxed::completed("", script, "").ps();
        // A signal without a handler does not reach pid 1 from inside: the script goes on.
        if let Some(code) = code {
            assert_eq!(seen["exit_code"], code, "{seen}");
            assert_eq!(seen["signal"].as_i64(), signal, "{seen}");
            assert_eq!(seen["reason"], "exited", "{seen}");
        }
    }
}

#[test]
fn a_killed_program_is_started_again_by_nobody_but_its_monitor() {
    let boxed = Boxed::new("restart = { policy = \"always\", initial = \"100ms\" }", SLEEPER, "");
    let first = boxed.ps();
    kill(boxed.pid(), Signal::KILL);
    let second = wait::until("another life", SOON, || {
        let seen = boxed.ps();
        (seen["state"] == "running" && seen["id"] != first["id"]).then_some(seen)
    });
    assert_eq!(second["attempt"], 2, "{second}");
    let all = boxed.tank.run(["ps", "-a", "-o", "json"]).ok().json();
    let lives = all["containers"].as_array().unwrap();
    let dead = lives.iter().find(|life| life["id"] == first["id"]).expect("the first life");
    assert_eq!(
        (&dead["signal"], &dead["exit_code"]),
        (&9.into(), &serde_json::Value::Null),
        "{dead}"
    );
    let again = boxed.tank.run(["reconcile", "-o", "json"]).ok().json();
    assert_eq!(again["planned"], 0, "{again}");
}

#[test]
fn a_program_that_ends_well_stays_ended_on_failure_only() {
    let boxed = Boxed::new("restart = \"on-failure\"", "exit 0", "");
    let seen = boxed.ended();
    assert_eq!(seen["exit_code"], 0, "{seen}");
    let again = boxed.tank.run(["reconcile", "-o", "json"]).ok().json();
    assert_eq!(again["planned"], 0, "{again}");
}

#[test]
fn init_reaps_orphans_and_passes_signals_on() {
    let script = "trap 'echo asked; exit 3' TERM; \
                  (sh -c 'sleep 0.1 & exit 0' &) ; sleep 1000 & wait";
    let boxed = Boxed::new("", script, "init = true");
    assert_ne!(boxed.sh("cat /proc/1/comm"), "sh");
    wait::until("the orphan to be reaped", SOON, || {
        let states = boxed.sh("cat /proc/[0-9]*/stat 2>/dev/null | cut -d ' ' -f 3");
        (!states.contains('Z')).then_some(())
    });
    let logged = boxed.log();
    assert_eq!(logged, "");
    let started = std::time::Instant::now();
    kill(boxed.pid(), Signal::TERM);
    wait::until("the program to hear of it", SOON, || boxed.log().contains("asked").then_some(()));
    assert!(started.elapsed() < SOON);
}

#[test]
fn the_stop_signal_is_the_one_that_is_sent() {
    let boxed = Boxed::new(
        "stop_timeout = \"20s\"",
        "trap 'echo usr1; exit 0' USR1; trap 'echo term; exit 0' TERM; sleep 1000 & wait",
        "stop_signal = \"USR1\"",
    );
    let log = log_file(&boxed);
    let output = boxed.tank.run(["delete", "box"]).ok();
    assert!(output.elapsed < Duration::from_secs(15), "{output}");
    // The log may go with the pod, but an open file stays.
    let mut text = String::new();
    std::io::Read::read_to_string(&mut { log }, &mut text).unwrap();
    assert!(text.contains("usr1") && !text.contains("term"), "{text}");
}

fn log_file(boxed: &Boxed) -> fs::File {
    let dir = boxed.tank.root().join("logs/box/app");
    let file = fs::read_dir(dir).unwrap().next().unwrap().unwrap();
    fs::File::open(file.path()).unwrap()
}

#[test]
fn who_does_not_listen_is_killed_after_the_timeout() {
    let boxed = Boxed::new("stop_timeout = \"1s\"", "trap '' TERM; sleep 1000 & wait; wait", "");
    let output = boxed.tank.run(["delete", "box"]).ok();
    assert!(output.elapsed >= Duration::from_secs(1), "{output}");
}

#[test]
fn the_end_of_the_first_process_is_the_end_of_all() {
    let boxed = Boxed::new("restart = \"never\"", "sleep 1000 & sleep 1000 & wait", "");
    let cgroup = boxed.cgroup("pids");
    kill(boxed.pid(), Signal::KILL);
    boxed.ended();
    let left = fs::read_to_string(cgroup.join("cgroup.procs")).unwrap_or_default();
    assert_eq!(left, "");
}

#[test]
fn a_program_that_nobody_could_be_told_of_is_ended() {
    for pod in ["", "share_pids = true"] {
        let tank = Tank::new();
        // There is room for names, but for no content: the last that a monitor does cannot be done.
        let full = Volume::in_memory(&tank.run_root().join("containers"), 4096);
        fs::set_permissions(tank.run_root(), fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(tank.run_root().join("containers/food"), [0; 4096]).unwrap();
        assert_eq!(full.free(), 0);
        let pod = pod_file(&format!("restart = \"never\"\n{pod}"), &shell(SLEEPER), "");
        let refused = tank.apply(&pod).exits(1);
        assert!(refused.stderr.contains("write the status file"), "{refused}");
        // Its monitor has become a pass, which finds nothing to do.
        wait::until("nothing to be left", SOON, || {
            let left = tank.world().processes;
            left.iter().all(|(_, line)| line.starts_with("tank-sandbox")).then_some(())
        });
        drop(tank.run(["delete", "--wait", "box"]).ok());
    }
}
