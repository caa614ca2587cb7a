//! `tank exec`: exit codes, streams, and what becomes of the program when its client dies.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use super::{Boxed, SLEEPER, SOON, pod_file, shell};
use crate::support::pods::send;
use crate::support::program::Running;
use crate::support::{Tank, fixtures, wait};

#[test]
fn the_exit_code_is_the_programs() {
    let boxed = Boxed::sleeping("");
    for (script, code) in [
        ("exit 0", 0),
        ("exit 7", 7),
        ("exit 255", 255),
        ("kill -9 $$", 137),
        ("kill -TERM $$", 143),
    ] {
        let _ = boxed.exec(&["box", "--", "sh", "-c", script]).exits(code);
    }
    let missing = boxed.exec(&["box", "--", "/no/such/program"]).exits(127);
    assert!(missing.stderr.contains("/no/such/program"), "{missing}");
    let _ = boxed.exec(&["box", "--", "no-such-program"]).exits(127);
    let plain = boxed.exec(&["box", "--", "/etc/passwd"]).exits(126);
    assert!(plain.stderr.contains("/etc/passwd"), "{plain}");
    let _ = boxed.exec(&["box", "--", "/etc"]).exits(126);
}

#[test]
fn what_does_not_run_is_told_by_its_code() {
    let boxed = Boxed::completed("", "exit 0", "");
    let ended = boxed.exec(&["box", "--", "true"]).exits(4);
    assert!(ended.stderr.contains("is not running"), "{ended}");
    for target in ["other", "box/other"] {
        let unknown = boxed.exec(&[target, "--", "true"]).exits(3);
        assert!(unknown.stderr.contains("other"), "{unknown}");
    }
    let _ = boxed.exec(&["box"]).exits(2);
}

#[test]
fn output_and_errors_stay_apart() {
    let boxed = Boxed::sleeping("");
    let output = boxed.exec(&["box", "--", "sh", "-c", "echo out; echo err >&2"]).ok();
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("out\n", "err\n"));
}

#[test]
fn input_reaches_the_program_and_so_does_its_end() {
    let boxed = Boxed::sleeping("");
    let words = ["box", "--", "sh", "-c", "cat; echo end"];
    let pipe = boxed.tank.run_with(&mut boxed.exec_command(&words), b"through a pipe\n").ok();
    assert_eq!(pipe.stdout, "through a pipe\nend\n");

    let file = boxed.tank.file("input", "from a file\n");
    for (input, expected) in [(file, "from a file\nend\n"), (PathBuf::from("/dev/null"), "end\n")] {
        let mut command = boxed.exec_command(&words);
        let output = command.stdin(File::open(&input).unwrap()).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected, "{}", input.display());
    }
}

#[test]
fn a_program_that_reads_nothing_does_not_wait_for_its_input() {
    let boxed = Boxed::sleeping("");
    let mut command = boxed.exec_command(&["box", "--", "true"]);
    let mut client = command.stdin(Stdio::piped()).spawn().unwrap();
    // The input stays open.
    let ended = wait::process_ended(client.id(), SOON);
    client.kill().unwrap();
    assert!(ended && client.wait().unwrap().success());
}

#[test]
fn fifty_megabytes_go_through_unchanged() {
    const SIZE: usize = 50_000_000;
    let boxed = Boxed::sleeping("");
    let sent: Vec<u8> = (0..SIZE).map(|n| u8::try_from(n * n / 251 % 256).unwrap()).collect();
    let mut command = boxed.exec_command(&["box", "--", "cat"]);
    let mut client = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, mut output) = (client.stdin.take().unwrap(), client.stdout.take().unwrap());
    let copy = sent.clone();
    let writer = std::thread::spawn(move || input.write_all(&copy));
    let mut received = Vec::with_capacity(SIZE);
    output.read_to_end(&mut received).unwrap();
    writer.join().unwrap().unwrap();
    assert!(client.wait().unwrap().success());
    assert!(received == sent, "{} bytes of {SIZE}, or changed", received.len());
}

#[test]
fn output_to_a_file_is_whole_and_the_file_stays_the_callers() {
    let boxed = Boxed::sleeping("");
    let path = boxed.tank.file("output", "");
    // What is behind standard output must not be a file of the host, which could be reopened.
    let script = "readlink /proc/self/fd/1; seq 100000";
    let mut command = boxed.exec_command(&["box", "--", "sh", "-c", script]);
    let status = command.stdout(File::create(&path).unwrap()).status().unwrap();
    assert!(status.success());
    let text = fs::read_to_string(path).unwrap();
    assert!(text.starts_with("pipe:") && text.ends_with("\n100000\n"), "{:.100}", text);
    assert_eq!(text.lines().count(), 100_001);
}

#[test]
fn detached_goes_on_without_the_client() {
    let boxed = Boxed::sleeping("");
    let output = boxed.exec(&["-d", "box", "--", "sh", "-c", "sleep 0.3; echo done > /tmp/x"]).ok();
    assert_eq!(output.stdout, "");
    wait::until("the detached program", SOON, || {
        (boxed.sh("cat /tmp/x 2>/dev/null || true") == "done").then_some(())
    });
}

#[test]
fn a_killed_client_takes_the_program_along() {
    let boxed = Boxed::sleeping("");
    for (words, sign) in
        [(["box", "--", "sleep", "4711"], "sleep 4711"), (["box", "--", "sh", "-c"], "sleep 4712")]
    {
        let mut command = boxed.exec_command(&words);
        if words[3] == "-c" {
            command.arg("sleep 4712 & wait");
        }
        let mut client = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let running =
            || boxed.sh("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '").contains(sign);
        wait::until("the program", SOON, || running().then_some(()));
        client.kill().unwrap();
        client.wait().unwrap();
        wait::until("the program to be gone", SOON, || (!running()).then_some(()));
    }
    let cgroup = unified_cgroup(&boxed);
    wait::until("the cgroups of exec to be gone", SOON, || (nested(&cgroup) == 0).then_some(()));
}

/// The directory of the container's cgroup in the hierarchy that has those of exec.
fn unified_cgroup(boxed: &Boxed) -> PathBuf {
    let table = fs::read_to_string(format!("/proc/{}/cgroup", boxed.pid())).unwrap();
    let path = table.lines().find_map(|line| line.strip_prefix("0::/")).unwrap();
    let unified = Path::new("/sys/fs/cgroup/unified");
    let root = if unified.is_dir() { unified } else { Path::new("/sys/fs/cgroup") };
    root.join(path)
}

/// How many cgroups of exec there are.
fn nested(cgroup: &Path) -> usize {
    let dirs = fs::read_dir(cgroup).unwrap().map(Result::unwrap);
    dirs.filter(|entry| entry.file_type().unwrap().is_dir()).count()
}

/// A cgroup in which nothing runs. Dropping this lets it go on.
struct Frozen(PathBuf);

impl Frozen {
    fn new(cgroup: &Path) -> Self {
        let frozen = Self(cgroup.join("cgroup.freeze"));
        fs::write(&frozen.0, "1").unwrap();
        frozen
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        fs::write(&self.0, "0").unwrap_or_default();
    }
}

#[test]
fn who_waits_for_a_frozen_container_can_give_up() {
    use std::os::unix::process::ExitStatusExt;
    let boxed = Boxed::sleeping("");
    let cgroup = unified_cgroup(&boxed);
    for signal in [Signal::INT, Signal::TERM, Signal::KILL] {
        for options in [&[][..], &["-d"]] {
            let frozen = Frozen::new(&cgroup);
            let words = [options, &["box", "--", "touch", "/tmp/ran"]].concat();
            let mut client = boxed.exec_command(&words).stdin(Stdio::null()).spawn().unwrap();
            let begun = || (nested(&cgroup) == 1).then_some(());
            wait::until("the program's cgroup", SOON, begun);
            send(client.id(), signal);
            let ended = wait::process_ended(client.id(), SOON);
            client.kill().unwrap();
            let status = client.wait().unwrap();
            let code = status.code().or(status.signal().map(|signal| 128 + signal));
            assert!(ended && code == Some(128 + signal.as_raw()), "{status}");
            let gone = || (nested(&cgroup) == 0).then_some(());
            wait::until("all that was begun to be gone", SOON, gone);
            drop(frozen);
        }
    }
    boxed.sh("test ! -e /tmp/ran");
}

#[test]
fn a_container_that_ends_ends_what_was_executed_in_it() {
    let boxed = Boxed::new("restart = \"never\"", "read _ < /tmp/fifo; sleep 1000 & wait", "");
    boxed.sh("mkfifo /tmp/end");
    let mut command = boxed.exec_command(&["box", "--", "sleep", "1000"]);
    let mut client = command.stdin(Stdio::null()).spawn().unwrap();
    wait::until("the program", SOON, || boxed.sh("ps").contains("sleep 1000").then_some(()));
    let first = rustix::process::Pid::from_raw(boxed.pid().cast_signed()).unwrap();
    rustix::process::kill_process(first, rustix::process::Signal::KILL).unwrap();
    let ended = wait::process_ended(client.id(), SOON);
    client.kill().unwrap();
    assert!(ended && client.wait().unwrap().code() == Some(137));
}

#[test]
fn a_container_that_ends_while_it_is_entered_is_not_running() {
    let boxed = Boxed::new("restart = \"never\"", SLEEPER, "");
    let trace = boxed.tank.file("trace", "");
    // The program's cgroup is made before its namespaces are joined, for which it is kept waiting.
    let exec = boxed.exec_command(&["box", "--", "true"]);
    let mut command = Command::new(fixtures::installed("strace", "strace"));
    command.args([
        "-f",
        "-qq",
        "-e",
        "trace=mkdir,setns",
        "-e",
        "inject=setns:delay_enter=1000000",
    ]);
    command.arg("-o").arg(&trace).arg(exec.get_program()).args(exec.get_args()).env_clear();
    let entering = Running::start(&mut command, &[]);
    wait::file("the program's cgroup", boxed.tank.dir(), SOON, || {
        fs::read_to_string(&trace).unwrap().contains("/exec-").then_some(())
    });
    send(boxed.pid(), Signal::KILL);
    let refused = entering.finish(SOON).exits(4);
    assert!(refused.stderr.contains("box is not running"), "{refused}");
}

#[test]
fn two_hundred_in_a_row_leave_nothing() {
    let boxed = Boxed::sleeping("");
    let rounds = if crate::support::in_vm() { 10 } else { 200 };
    let before = boxed.tank.asleep().without_files();
    for _ in 0..rounds {
        let _ = boxed.exec(&["box", "--", "true"]).ok();
    }
    let left = || boxed.tank.world().without_files().since(&before);
    wait::until("nothing to be left", SOON, || left().is_empty().then_some(()));
}

#[test]
fn eight_at_a_time_neither_hang_nor_mix_up_their_codes() {
    let boxed = Boxed::sleeping("");
    let before = boxed.tank.asleep().without_files();
    std::thread::scope(|scope| {
        for lane in 0..8 {
            let commands = (0..13 * crate::support::soak()).map(|n| {
                let code = (n * 8 + lane) % 200;
                let exit = format!("exit {code}");
                (boxed.exec_command(&["box", "--", "sh", "-c", &exit]), code)
            });
            let mut commands: Vec<_> = commands.collect();
            scope.spawn(move || {
                for (command, code) in &mut commands {
                    let status = command.stdin(Stdio::null()).status().unwrap();
                    assert_eq!(status.code(), Some(i32::try_from(*code).unwrap()));
                }
            });
        }
    });
    let left = || boxed.tank.world().without_files().since(&before);
    wait::until("nothing to be left", SOON, || left().is_empty().then_some(()));
}

#[test]
fn exec_writes_nothing_to_the_database() {
    let boxed = Boxed::sleeping("");
    let content =
        || ["state.db", "state.db-wal"].map(|name| fs::read(boxed.tank.root().join(name)).ok());
    let before = content();
    let _ = boxed.exec(&["box", "--", "true"]).ok();
    assert!(before == content(), "the database was written");
}

#[test]
fn the_program_is_tanks_own_copy_that_nobody_can_write() {
    // T-EXE-01: a container that is executed into writes to whatever /proc/*/exe it can open.
    let hash = || fixtures::tool("sha256sum", "coreutils", &[Tank::binary().to_str().unwrap()]);
    let before = (!crate::support::in_vm()).then(hash);
    let script = "while :; do for exe in /proc/[0-9]*/exe; do \
                  case $(readlink $exe 2>/dev/null) in */busybox) ;; *) \
                  (echo overwritten >> $exe) 2>/dev/null && echo wrote $exe;; esac; done; done";
    let tank = Tank::new();
    tank.apply(&pod_file("stop_timeout = \"0s\"", &shell(script), "seccomp = \"unconfined\"")).ok();
    let boxed = Boxed { tank };
    for _ in 0..if crate::support::in_vm() { 5 } else { 50 } {
        let _ = boxed.exec(&["box", "--", "true"]).ok();
    }
    // An interpreter that is the helper itself.
    boxed.sh("printf '#!/proc/self/exe\\n' > /tmp/script; chmod 755 /tmp/script");
    let _ = boxed.exec(&["box", "--", "/tmp/script"]).status.code();
    assert_eq!(boxed.log(), "");
    assert_eq!(before, (!crate::support::in_vm()).then(hash));
}
