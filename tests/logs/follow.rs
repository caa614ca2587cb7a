//! `tank logs -f`: when it wakes, and when it ends.

use std::time::{Duration, Instant};

use super::directory;
use crate::support::Tank;
use crate::support::pods::{SOON, script, send, sleeper};
use crate::support::wait;

/// The processor time that a process has used, in ticks of 10 ms: proc_pid_stat(5).
fn ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

const CHATTY: &str = "trap 'echo more' USR1; trap 'echo last; exit 0' TERM; echo ready; \
    while :; do sleep 1000 & wait; done";

/// Asserts that something that is an event takes less time than until the next look, at least
/// once: the machine may be busy.
#[track_caller]
fn assert_prompt(times: &[Duration]) {
    assert!(times.iter().any(|time| *time < Duration::from_millis(300)), "{times:?}");
}

#[test]
fn several_pods_are_followed_until_the_last_is_gone() {
    let tank = Tank::new();
    for pod in ["one", "two"] {
        tank.apply(&script(pod, "", CHATTY)).ok();
        tank.await_log(pod, "ready");
    }
    let follower = tank.start(["logs", "-f", "one", "two"]);
    follower.await_stdout("two/app | ready\n", SOON);
    let hears = |pod: &str| {
        let start = Instant::now();
        send(tank.pid(pod), rustix::process::Signal::USR1);
        follower.await_stdout(&format!("{pod}/app | more\n"), SOON);
        start.elapsed()
    };
    assert_prompt(&["two", "one", "two", "one"].map(hears));
    tank.run(["delete", "one"]).ok();
    follower.await_stdout("one/app | last\n", SOON);
    assert_prompt(&["two", "two"].map(hears));
    tank.run(["delete", "two"]).ok();
    assert_eq!(follower.finish(SOON).exits(0).stdout, "two/app | last\n");
}

#[test]
fn a_follower_ends_as_soon_as_the_pod_is_deleted() {
    let tank = Tank::new();
    let ends = |()| {
        tank.apply(&script("web", "", CHATTY)).ok();
        let follower = tank.start(["logs", "-f", "web"]);
        follower.await_stdout("ready\n", SOON);
        // Its looks are seconds after its start.
        std::thread::sleep(Duration::from_millis(200));
        tank.run(["delete", "web"]).ok();
        let start = Instant::now();
        assert_eq!(follower.finish(SOON).exits(0).stdout, "last\n");
        start.elapsed()
    };
    assert_prompt(&[(), (), ()].map(ends));
}

#[test]
fn a_follower_that_waits_does_next_to_nothing() {
    let tank = Tank::new();
    tank.apply(&sleeper("web")).ok();
    let follower = tank.start(["logs", "-f", "web"]);
    wait::until("it waits", SOON, || {
        let wchan = std::fs::read_to_string(format!("/proc/{}/syscall", follower.pid())).ok()?;
        // ppoll(2)
        wchan.starts_with("271 ").then_some(())
    });
    let before = ticks(follower.pid());
    std::thread::sleep(Duration::from_secs(2));
    let used = ticks(follower.pid()) - before;
    assert!(used <= 30, "{used}0 ms of 2 s");
    tank.run(["delete", "web"]).ok();
    let _ = follower.finish(SOON).exits(0);
}

#[test]
fn a_follower_ends_when_the_time_is_over_or_the_pod_is_stopped() {
    let tank = Tank::new();
    tank.apply(&sleeper("web")).ok();
    let soon = jiff::Timestamp::now() + Duration::from_secs(1);
    let output = tank.start(["logs", "-f", "--until", &soon.to_string(), "web"]).finish(SOON);
    assert!(output.exits(0).elapsed > Duration::from_millis(500));
    assert!(directory(&tank, "web").join("1.log").exists());
}
