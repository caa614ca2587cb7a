//! What a probe may not do to anybody.

use super::{SLEEP, pod, probe, sh};
use crate::support::Tank;

#[test]
fn one_that_hangs_is_killed_with_all_that_it_started() {
    let tank = Tank::new();
    let check = "exec = ['/bin/sh', '-c', 'sleep 777 & sleep 778']";
    tank.apply(&pod(SLEEP, "", &probe("readiness", check, "timeout = '300ms'\nfailures = 2"))).ok();
    let life = tank.await_life("two failures", "web", |life| life["probes"][0]["passing"] == false);
    assert_eq!(life["probes"][0]["detail"], "no answer within 300ms");
    // There are never more than those of one check.
    let sleepers = sh(&tank, "ps | grep -c 'sleep 77[78]$' || true");
    assert!(sleepers.trim().parse::<u32>().unwrap() <= 2, "{sleepers}");
}

#[test]
fn what_one_leaves_behind_is_killed() {
    let tank = Tank::new();
    let check = "exec = ['/bin/sh', '-c', 'setsid sleep 777 & exit 0']";
    tank.apply(&pod(SLEEP, "", &probe("readiness", check, ""))).ok();
    super::await_ready(&tank, 1);
    let left = sh(&tank, "for n in 1 2 3 4 5; do sleep 0.2; ps | grep 'sleep 777$'; done; true");
    assert!(left.lines().count() <= 5, "{left}");
}

#[test]
fn one_that_floods_its_output_is_told_in_a_line() {
    let tank = Tank::new();
    let check = "exec = ['/bin/sh', '-c', 'yes no | head -c 3000000; exit 1']";
    tank.apply(&pod(SLEEP, "", &probe("readiness", check, "failures = 1"))).ok();
    let life = tank.await_life("a failure", "web", |life| life["probes"][0]["passing"] == false);
    assert_eq!(life["probes"][0]["detail"], "exit code 1: no");
}

/// What a probe may do is what the container may do: everything that is told of a process's rights.
#[test]
fn a_command_has_the_rights_of_the_container() {
    let tank = Tank::new();
    let rights = "grep -E \"^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp)\" /proc/self/status";
    let keys = "user = 'guest'\ncapabilities = { drop = ['CHOWN'] }\nulimits = { nofile = 64 }\n";
    let check = format!(
        "exec = ['/bin/sh', '-c', '({rights}; ulimit -n; umask; pwd; cat /proc/self/cgroup) > /tmp/probe']"
    );
    let script = format!("({rights}; ulimit -n; umask; pwd) > /tmp/main; sleep 1000");
    let container = format!("{keys}{}", probe("readiness", &check, ""));
    tank.apply(&pod(&script, "stop_timeout = '0s'", &container)).ok();
    super::await_ready(&tank, 1);
    let lines = |file: &str| -> Vec<String> {
        sh(&tank, &format!("cat {file}")).lines().map(str::to_owned).collect()
    };
    let (main, mut checked) = (lines("/tmp/main"), lines("/tmp/probe"));
    let groups = checked.split_off(main.len());
    assert_eq!(main, checked);
    assert!(groups.iter().any(|line| line.ends_with("/probe-readiness")), "{groups:?}");
}
