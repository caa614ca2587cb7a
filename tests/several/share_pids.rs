//! `share_pids = true`: all containers of a pod live in one pid namespace.

use std::fs;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use super::{SOON, container, init, last, pid, pod, sh, sleeper};
use crate::support::pods::{runs, send};
use crate::support::{Tank, fixtures, program, wait};

const SHARED: &str = "share_pids = true\nstop_timeout = '2s'\n\
    restart = { policy = 'always', initial = '10ms', max = '10ms' }";

/// Runs until it is told to end, beside a process in a session of its own that is not.
const WITH_COMPANY: &str = "setsid sleep 31337 & trap 'exit 0' TERM; echo ready; sleep 1000 & wait";

/// A container that may trace every process that it sees.
fn tracer(name: &str, script: &str) -> String {
    container(name, script, "capabilities = { add = ['SYS_PTRACE'] }")
}

/// The first process of the pod's pid namespace, by its number on the host.
#[track_caller]
fn sandbox(tank: &Tank) -> u32 {
    let processes = tank.world().processes;
    let own: Vec<_> = processes.iter().filter(|(_, line)| line == "tank-sandbox pod").collect();
    assert_eq!(own.len(), 1, "{processes:?}");
    own[0].0
}

/// All processes that a container sees, but the one that looks: their numbers there, and their
/// command lines.
fn seen(tank: &Tank, from: &str) -> Vec<(u32, String)> {
    let script = "for p in /proc/[0-9]*; do echo ${p#/proc/} $(tr '\\0' ' ' < $p/cmdline); done";
    let told = sh(tank, from, script);
    let lines = told.lines().filter_map(|line| line.split_once(' '));
    let others = lines.filter(|(_, line)| !line.is_empty() && !line.contains("for p in"));
    others.map(|(pid, line)| (pid.parse().unwrap(), line.trim().to_owned())).collect()
}

/// The number, inside, of the process whose command line has this text.
#[track_caller]
fn number(tank: &Tank, from: &str, text: &str) -> u32 {
    let found = seen(tank, from).into_iter().find(|(_, line)| line.contains(text));
    found.unwrap_or_else(|| panic!("no process {text:?}")).0
}

fn count(tank: &Tank, from: &str, line: &str) -> usize {
    seen(tank, from).into_iter().filter(|(_, seen)| seen == line).count()
}

#[test]
fn they_see_and_signal_each_other_and_pid_1_is_the_sandboxs() {
    let tank = Tank::new();
    let keys = "sysctls = { 'net.core.somaxconn' = '77' }";
    let one = container("one", "trap 'exit 7' USR1; sleep 1000 & wait", keys);
    tank.apply(&pod("share_pids = true\nrestart = 'never'", &[one, sleeper("two")])).ok();
    let of = |name: &str| sh(&tank, name, "readlink /proc/self/ns/pid");
    assert_eq!(of("one"), of("two"));
    for kind in ["mnt", "cgroup"] {
        let of = |name| sh(&tank, name, &format!("readlink /proc/self/ns/{kind}"));
        assert_ne!(of("one"), of("two"), "{kind}");
    }
    assert_eq!(sh(&tank, "two", "tr '\\0' ' ' < /proc/1/cmdline"), "tank-sandbox pod ");
    assert_eq!(sh(&tank, "one", "cat /proc/sys/net/core/somaxconn"), "77\n");
    let first = sandbox(&tank);
    // Nobody inside ends what holds the namespace.
    for signal in ["TERM", "KILL", "STOP", "HUP", "CHLD", "USR1"] {
        let _ = sh(&tank, "two", &format!("kill -{signal} 1"));
    }
    let one = number(&tank, "two", "exit 7");
    let _ = sh(&tank, "two", &format!("kill -USR1 {one}"));
    let ended = wait::until("the end of one", SOON, || {
        Some(last(&tank, "one")).filter(|life| life["state"] == "failed")
    });
    assert_eq!(ended["exit_code"], 7, "{ended}");
    pid(&tank, "two");
    assert_eq!(sandbox(&tank), first);
    // Alone in the session and out of reach of everybody but root, as the monitors are.
    let status = fs::read_to_string(format!("/proc/{first}/status")).unwrap();
    for line in ["NSsid:\t", "CapEff:\t0000000000000000", "Seccomp:\t2", "NoNewPrivs:\t1"] {
        assert!(status.contains(line), "{status}");
    }
    assert!(status.contains(&format!("NSsid:\t{first}\t1")), "{status}");
    assert_eq!(fs::read_dir(format!("/proc/{first}/fd")).unwrap().count(), 0);
}

#[test]
fn a_pod_that_shares_none_has_no_process_beside_its_monitors() {
    let tank = Tank::new();
    tank.apply(&pod("", &["one", "two"].map(sleeper))).ok();
    let processes = tank.world().processes;
    assert!(processes.iter().all(|(_, line)| !line.starts_with("tank-sandbox")), "{processes:?}");
}

#[test]
fn init_containers_are_in_it_too() {
    let tank = Tank::new();
    let inits = init(&["readlink /proc/self/ns/pid; tr '\\0' ' ' < /proc/1/cmdline"]);
    tank.apply(&pod("share_pids = true", &[inits, sleeper("main")])).ok();
    wait::until("main", SOON, || runs(&last(&tank, "main"), 1).then_some(()));
    let log = tank.run(["logs", "pod/init0"]).ok().stdout;
    assert_eq!(log, sh(&tank, "main", "readlink /proc/self/ns/pid") + "tank-sandbox pod ");
}

#[test]
fn the_end_of_one_is_the_end_of_its_processes_and_of_no_others() {
    let tank = Tank::new();
    let company = |name: &str| container(name, WITH_COMPANY, "");
    tank.apply(&pod(SHARED, &[company("one"), company("two")])).ok();
    let both =
        || wait::until("both", SOON, || (count(&tank, "two", "sleep 31337") == 2).then_some(()));
    both();
    let (one, two, first) = (pid(&tank, "one"), pid(&tank, "two"), sandbox(&tank));
    send(one, Signal::KILL);
    wait::until("a second life", SOON, || {
        let life = last(&tank, "one");
        (life["attempt"] == 2 && life["state"] == "running").then_some(())
    });
    both();
    // Replaced, which is a stop in between.
    let changed = container("one", WITH_COMPANY, "env = { CHANGED = '1' }");
    tank.apply(&pod(SHARED, &[changed, company("two")])).ok();
    both();
    assert_eq!((pid(&tank, "two"), sandbox(&tank)), (two, first));
    tank.apply(&pod(SHARED, &[company("two")])).ok();
    assert_eq!(count(&tank, "two", "sleep 31337"), 1);
    assert_eq!((pid(&tank, "two"), sandbox(&tank)), (two, first));
    tank.run(["delete", "pod"]).ok();
    assert!(tank.settled().processes.is_empty(), "{:?}", tank.world().processes);
}

#[test]
fn a_monitor_that_is_lost_loses_nothing() {
    let tank = Tank::new();
    tank.apply(&pod(SHARED, &[container("one", WITH_COMPANY, ""), sleeper("two")])).ok();
    let (two, first) = (pid(&tank, "two"), sandbox(&tank));
    let processes = tank.world().processes;
    let monitor = processes.iter().find(|(_, line)| line == "tank-monitor pod/one").unwrap().0;
    send(monitor, Signal::KILL);
    assert!(wait::process_ended(monitor, SOON));
    tank.run(["reconcile"]).ok();
    assert_eq!(last(&tank, "one")["attempt"], 2);
    wait::until("its company", SOON, || (count(&tank, "two", "sleep 31337") == 1).then_some(()));
    assert_eq!((pid(&tank, "two"), sandbox(&tank)), (two, first));
}

#[test]
fn one_that_cannot_start_leaves_nothing_and_the_others_run() {
    let tank = Tank::new();
    let rootfs = fixtures::busybox_rootfs();
    let broken = |command: &str| {
        format!("[[containers]]\nname = 'broken'\nrootfs = {rootfs:?}\ncommand = ['{command}']\n")
    };
    let keys = "share_pids = true\nrestart = 'never'";
    let failed = tank.apply(&pod(keys, &[broken("/no/such/program"), sleeper("works")])).exits(1);
    assert!(failed.stderr.contains("/no/such/program"), "{failed}");
    assert_eq!(last(&tank, "broken")["exit_code"], 127);
    tank.apply(&pod(keys, &[broken("/etc/passwd"), sleeper("works")])).exits(1);
    assert_eq!(last(&tank, "broken")["exit_code"], 126);
    let lines = seen(&tank, "works");
    assert_eq!(lines.len(), 3, "{lines:?}");
}

#[test]
fn one_has_its_terminal_and_a_session_of_its_own() {
    let tank = Tank::new();
    let script = "echo by name > /dev/tty; stty size; trap 'exit 0' TERM; sleep 1000 & wait";
    let with_terminal = container("one", script, "tty = true");
    tank.apply(&pod("share_pids = true", &[with_terminal, sleeper("two")])).ok();
    let log = tank.await_log("pod", "24 80").replace('\r', "");
    assert_eq!(log, "by name\n24 80\n");
    for text in ["by name", "sleep 1000 & wait"] {
        let pid = number(&tank, "two", text);
        let script = format!("sed 's/.*) //' /proc/{pid}/stat | cut -d ' ' -f 3,4");
        assert_eq!(sh(&tank, "two", &script).trim(), format!("{pid} {pid}"), "{text}");
    }
}

#[test]
fn orphans_are_reaped_by_the_sandbox_or_by_a_containers_own_init() {
    let tank = Tank::new();
    // Prints who the parent of an orphan becomes; the orphan ends then.
    let orphans = "parent() { grep PPid /proc/$1/status | cut -f 2; }; \
                   me=$(exec sh -c 'echo $PPID'); \
                   echo program $(parent $me); \
                   orphan=$(sleep 3 > /dev/null & echo $!); \
                   echo orphan $(parent $orphan); \
                   trap 'exit 0' TERM; sleep 1000 & wait";
    let with_init = container("one", orphans, "init = true");
    tank.apply(&pod("share_pids = true", &[with_init, container("two", orphans, "")])).ok();
    let log = |name: &str| {
        wait::until("two lines", SOON, || {
            let log = tank.run(["logs", name]).ok().stdout;
            (log.lines().count() == 2).then_some(log)
        })
    };
    let (one, two) = (log("pod/one"), log("pod/two"));
    let parents = |log: &str| {
        let of = |line: &str| line.split(' ').nth(1).unwrap().to_owned();
        log.lines().map(of).collect::<Vec<_>>()
    };
    let (one, two) = (parents(&one), parents(&two));
    assert_eq!(one[0], one[1], "an orphan goes to the init");
    assert_ne!(one[0], "1");
    assert_eq!(two, ["0", "1"], "an orphan goes to the sandbox");
    wait::until("the orphans to be reaped", SOON, || {
        let states = sh(&tank, "two", "cat /proc/[0-9]*/status 2>/dev/null | grep State:");
        (!states.contains('Z') && count(&tank, "two", "sleep 3") == 0).then_some(())
    });
    // The init passes signals on.
    tank.run(["stop", "pod"]).ok();
    assert_eq!(last(&tank, "one")["exit_code"], 0, "{}", last(&tank, "one"));
}

#[test]
fn a_sandbox_whose_first_process_is_gone_is_made_anew() {
    let tank = Tank::new();
    tank.apply(&pod(SHARED, &["one", "two"].map(sleeper))).ok();
    let first = sandbox(&tank);
    send(first, Signal::KILL);
    wait::until("both again", SOON, || {
        tank.run(["reconcile", "-q"]).ok();
        let again = |name| last(&tank, name)["attempt"].as_u64() > Some(1);
        (again("one") && again("two") && tank.listed("pod")["ready"] == 2).then_some(())
    });
    assert_ne!(sandbox(&tank), first);
    assert_eq!(seen(&tank, "one").iter().filter(|(_, line)| line.contains("trap")).count(), 2);
    // It may have been a monitor's pass that made them, and it goes on a little.
    tank.await_nothing_to_do();
}

#[test]
fn the_key_is_compared_and_changed_for_all() {
    let tank = Tank::new();
    let both = ["one", "two"].map(sleeper);
    tank.apply(&pod("", &both)).ok();
    let before = pid(&tank, "two");
    tank.apply(&pod("share_pids = true", &both)).ok();
    assert_ne!(pid(&tank, "two"), before);
    sandbox(&tank);
    let shown = tank.run(["get", "pod"]).ok().stdout;
    assert!(shown.contains("share_pids = true"), "{shown}");
    let again = tank.run_with(&mut tank.command(["apply", "-f", "-"]), shown.as_bytes()).ok();
    assert!(again.stdout.contains("unchanged") && again.stdout.contains("planned 0"), "{again}");
    let mut plan = tank.command(["plan", "-f", "-", "-o", "json"]);
    let plan = tank.run_with(&mut plan, pod("", &both).as_bytes()).ok().json();
    assert!(plan.to_string().contains("share_pids: true -> false"), "{plan}");
    tank.apply(&pod("", &both)).ok();
    let processes = tank.settled().processes;
    assert!(processes.iter().all(|(_, line)| !line.starts_with("tank-sandbox")), "{processes:?}");
    assert_eq!(sh(&tank, "one", "head -c 7 /proc/1/cmdline"), "/bin/sh");
}

/// What is in the way of a container that may trace its pid 1 leads nowhere.
#[test]
fn the_sandboxs_process_gives_a_tracer_nothing() {
    let tank = Tank::new();
    let may = tracer("may", "trap 'exit 0' TERM; sleep 1000 & wait");
    tank.apply(&pod("share_pids = true", &[sleeper("may-not"), may])).ok();
    assert_eq!(
        sh(&tank, "may", "ls -A /proc/1/root/ /proc/1/cwd/ /proc/1/fd/ | grep -v :$ | tr -d '\\n'"),
        ""
    );
    assert_eq!(
        sh(&tank, "may", "ls -d /proc/1/root/../../.. /proc/1/cwd/../..; ls -A /proc/1/root/../.."),
        "/proc/1/cwd/../..\n/proc/1/root/../../..\n"
    );
    assert_eq!(sh(&tank, "may", "wc -l < /proc/1/mountinfo"), "1\n");
    for kind in ["net", "ipc", "uts", "pid"] {
        let of = |pid: &str| sh(&tank, "may", &format!("readlink /proc/{pid}/ns/{kind}"));
        assert_eq!(of("1"), of("self"), "{kind}");
    }
    let hosts = fs::read_link("/proc/self/ns/cgroup").unwrap();
    assert_ne!(sh(&tank, "may", "readlink /proc/1/ns/cgroup").trim(), hosts.to_str().unwrap());
    for write in ["echo x >> /proc/1/exe", "touch /proc/1/root/x", "mkdir /proc/1/cwd/x"] {
        let refused = tank.run(["exec", "pod/may", "--", "sh", "-c", write]);
        assert_ne!(refused.status.code(), Some(0), "{write}: {refused}");
    }
    for look in ["ls /proc/1/root/", "ls /proc/1/cwd/", "cat /proc/1/maps", "readlink /proc/1/exe"]
    {
        let refused = tank.run(["exec", "pod/may-not", "--", "sh", "-c", look]);
        assert_ne!(refused.status.code(), Some(0), "{look}: {refused}");
    }
}

/// A container is set up with the host's file systems and all of root's capabilities in reach.
/// None of that is seen in the pod's pid namespace.
#[test]
fn a_tracer_finds_nothing_of_the_host_while_others_start() {
    let tank = Tank::new();
    let canary = tank.file("canary", "canary\n");
    let looks = format!(
        "echo looking; while :; do for p in /proc/[0-9]*; do \
         test -e $p/root{0} && echo root $p; test -e $p/cwd/canary && echo cwd $p; \
         case \"$(ls -l $p/fd 2>/dev/null)\" in *' -> /'*tank*) ls -l $p/fd;; esac; \
         case \"$(grep CapPrm $p/status 2>/dev/null)\" in *ffffff) echo mighty $p;; esac; \
         done; done",
        canary.display()
    );
    let spy = tracer("spy", &looks);
    let short = container("short", "true", "init = true");
    tank.apply(&pod(SHARED, &[spy, short])).ok();
    tank.await_log("pod", "looking");
    wait::until("many starts", Duration::from_secs(60), || {
        (last(&tank, "short")["attempt"].as_u64() > Some(30)).then_some(())
    });
    let log = tank.run(["logs", "pod/spy"]).ok().stdout;
    assert_eq!(log, "looking\n");
}

/// `kill -9` of the command at the calls by which it makes the sandbox's process.
#[test]
fn a_command_that_is_killed_leaves_no_process_that_nobody_knows() {
    let tank = Tank::new();
    let file = tank.file("pod.toml", pod("share_pids = true", &["one", "two"].map(sleeper)));
    tank.run(["apply", "-f", file.to_str().unwrap()]).ok();
    tank.run(["delete", "pod"]).ok();
    let empty = tank.settled();
    assert!(fs::exists("/usr/bin/strace").unwrap(), "{}", fixtures::advice("strace"));
    let points = [
        ("clone3", 1),
        ("mount", 1),
        ("renameat", 1),
        ("sendmsg", 1),
        ("recvmsg", 1),
        ("recvmsg", 2),
        ("move_mount", 1),
    ];
    for (call, when) in points {
        let mut killed = Command::new("strace");
        killed.args(["-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
        killed.args(["-e", &format!("inject={call}:signal=KILL:when={when}")]);
        let apply = tank.command(["apply", "-f", file.to_str().unwrap()]);
        killed.arg(apply.get_program()).args(apply.get_args()).env_clear();
        let what = format!("{call} {when}");
        let _ = program::run(&mut killed, &[], SOON).killed_by(9);
        let unknown = || {
            let record = tank.run_root().join("pods/pod/sandbox.json");
            let record = fs::read_to_string(record).unwrap_or_default();
            let processes = tank.world().processes.into_iter();
            let own = processes.filter(|(_, line)| line.starts_with("tank-sandbox"));
            own.map(|(pid, _)| pid).find(|pid| !record.contains(&format!("\"pid\":{pid},")))
        };
        wait::until(&what, SOON, || unknown().is_none().then_some(()));
        let pass = tank.run(["reconcile", "-o", "json"]).ok().json();
        assert_eq!(pass["failed"], 0, "{what}: {pass}");
        tank.run(["apply", "-f", file.to_str().unwrap()]).ok();
        assert_eq!(tank.listed("pod")["ready"], 2, "{what}");
        sandbox(&tank);
        tank.run(["delete", "pod"]).ok();
        let left = tank.settled().without_files().since(&empty.clone().without_files());
        assert!(left.is_empty(), "{what}: left behind:\n{}", left.join("\n"));
    }
}
