//! Memory, CPU and process limits, in the kernel's own files; and what happens beyond them.

use super::{Boxed, SLEEPER};

/// Takes memory until there is none left.
const HOG: &str = "exec awk 'BEGIN { s = \"0123456789abcdef\"; while (1) s = s s }'";

#[test]
fn limits_are_in_the_cgroup() {
    let boxed = Boxed::sleeping("memory = \"64MiB\"\ncpus = 0.5\npids = 99");
    let memory = boxed.cgroup_file("memory", "memory.limit_in_bytes", "memory.max");
    assert_eq!(memory, (64 << 20).to_string());
    assert_eq!(boxed.cgroup_file("pids", "pids.max", "pids.max"), "99");
    let quota = boxed.cgroup_file("cpu", "cpu.cfs_quota_us", "cpu.max");
    assert!(quota == "50000" || quota == "50000 100000", "{quota}");
}

#[test]
fn a_fork_bomb_is_bounded_by_default() {
    let boxed = Boxed::sleeping("");
    assert_eq!(boxed.cgroup_file("pids", "pids.max", "pids.max"), "2048");
}

#[test]
fn exec_is_below_the_same_limits() {
    let boxed = Boxed::sleeping("pids = 20");
    let script = "for n in $(seq 40); do sleep 5 > /dev/null 2>&1 & done; wait";
    let output = boxed.exec(&["box", "--", "sh", "-c", script]);
    assert!((output.stdout.clone() + &output.stderr).contains("can't fork"), "{output}");
}

#[test]
fn too_many_processes_are_refused() {
    let boxed = Boxed::completed("", "for n in $(seq 40); do sleep 2 & done; wait", "pids = 10");
    assert!(boxed.log().contains("can't fork"), "{}", boxed.log());
}

#[test]
fn out_of_memory_is_told_as_such() {
    let boxed = Boxed::completed("", HOG, "memory = \"32MiB\"");
    let seen = boxed.ps();
    assert_eq!(seen["state"], "failed", "{seen}");
    assert_eq!(seen["signal"], 9, "{seen}");
    assert_eq!(seen["oom"], true, "{seen}");
    assert_eq!(seen["reason"], "oom", "{seen}");
    assert!(seen["exit_code"].is_null() || seen["exit_code"] == 137, "{seen}");
    let described = boxed.tank.run(["describe", "box"]).ok();
    assert!(described.stdout.to_lowercase().contains("memory"), "{described}");
}

#[test]
fn limits_change_while_it_runs() {
    let boxed = Boxed::sleeping("memory = \"64MiB\"\ncpus = 0.5\npids = 99");
    let (pid, cgroup) = (boxed.pid(), boxed.cgroup("memory"));
    let pod =
        super::pod_file("", &super::shell(SLEEPER), "memory = \"128MiB\"\ncpus = 1.5\npids = 199");
    boxed.tank.apply(&pod).ok();
    assert_eq!((boxed.pid(), boxed.cgroup("memory")), (pid, cgroup));
    let memory = boxed.cgroup_file("memory", "memory.limit_in_bytes", "memory.max");
    assert_eq!(memory, (128 << 20).to_string());
    assert_eq!(boxed.cgroup_file("pids", "pids.max", "pids.max"), "199");
    let quota = boxed.cgroup_file("cpu", "cpu.cfs_quota_us", "cpu.max");
    assert!(quota == "150000" || quota == "150000 100000", "{quota}");
}
