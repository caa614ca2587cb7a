//! `tank exec` case by case: what it is given, and what comes of it. The cases that podman has too
//! are run with it as well, by a test that is started by hand.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};
use std::time::Instant;

use rustix::process::{Resource, Signal, getrlimit};

use super::terminal::pty;
use super::{Boxed, SLEEPER, SOON};
use crate::support::fixtures;
use crate::support::pods::send;

/// What standard input is.
#[derive(Debug, Clone, Copy)]
enum Input {
    Closed,
    Null,
    Pipe(&'static str),
    /// A file that was written and removed, as shells make of a here-string.
    HereString(&'static str),
}

use Input::{Closed, HereString, Null, Pipe};

/// Whether podman does the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Podman {
    Same,
    /// It has another code, or other words, for the same.
    Other,
}

use Podman::{Other, Same};

/// Options, program, input; exit code, standard output, a part of standard error.
type Case = (
    Podman,
    &'static [&'static str],
    &'static [&'static str],
    Input,
    i32,
    &'static str,
    &'static str,
);

/// A case of a shell script.
const fn sh(
    script: &'static [&'static str; 3],
    input: Input,
    code: i32,
    out: &'static str,
) -> Case {
    (Same, &[], script, input, code, out, "")
}

const CASES: &[Case] = &[
    // How programs end.
    (Same, &[], &["true"], Null, 0, "", ""),
    (Same, &[], &["false"], Null, 1, "", ""),
    sh(&["sh", "-c", "exit 7"], Null, 7, ""),
    sh(&["sh", "-c", "exit 126"], Null, 126, ""),
    sh(&["sh", "-c", "exit 255"], Null, 255, ""),
    sh(&["sh", "-c", "kill -9 $$"], Null, 137, ""),
    sh(&["sh", "-c", "kill -TERM $$"], Null, 143, ""),
    sh(&["sh", "-c", "kill -HUP $$"], Null, 129, ""),
    // Programs that cannot be executed.
    (Same, &[], &["/no/such/program"], Null, 127, "", "/no/such/program"),
    (Same, &[], &["no-such-program"], Null, 127, "", "no-such-program"),
    (Other, &[], &["/etc/passwd"], Null, 126, "", "/etc/passwd"),
    (Other, &[], &["/etc"], Null, 126, "", "/etc"),
    (Other, &[], &["/etc/passwd/x"], Null, 126, "", "/etc/passwd/x"),
    (Other, &[], &["/tmp/no-interpreter"], Null, 127, "", "/tmp/no-interpreter"),
    (Other, &[], &["/tmp/no-format"], Null, 126, "", "/tmp/no-format"),
    (Other, &[], &[""], Null, 127, "", ""),
    // What tank cannot do for them.
    (Other, &["-w", "/no/such/dir"], &["true"], Null, 125, "", "/no/such/dir"),
    (Other, &["-w", "/etc/passwd"], &["true"], Null, 125, "", "/etc/passwd"),
    (Other, &["-u", "nobody-here"], &["true"], Null, 125, "", "nobody-here"),
    (Other, &["-u", "0:no-such-group"], &["true"], Null, 125, "", "no-such-group"),
    // Users, directories, variables.
    (Same, &["-u", "guest"], &["id", "-u"], Null, 0, "1000\n", ""),
    (Same, &["-u", "guest"], &["id", "-G"], Null, 0, "1000 2000\n", ""),
    (Same, &["-u", "4711"], &["id", "-u"], Null, 0, "4711\n", ""),
    (Same, &["-u", "0:2000"], &["id", "-g"], Null, 0, "2000\n", ""),
    (Same, &["-w", "/www"], &["pwd"], Null, 0, "/www\n", ""),
    (Same, &["-e", "A=b c"], &["sh", "-c", "echo ${A-unset}"], Null, 0, "b c\n", ""),
    (Same, &["-e", "A=", "-e", "B=2"], &["sh", "-c", "echo ${A-unset}.$B"], Null, 0, ".2\n", ""),
    (Same, &["-e", "A=1", "-e", "A=2"], &["sh", "-c", "echo ${A-unset}"], Null, 0, "2\n", ""),
    (
        Same,
        &["-e", "FROM_POD=other"],
        &["sh", "-c", "echo ${FROM_POD-unset}"],
        Null,
        0,
        "other\n",
        "",
    ),
    (Same, &[], &["sh", "-c", "echo ${FROM_POD-unset}"], Null, 0, "pod\n", ""),
    (Other, &[], &["sh", "-c", "echo ${TERM-unset}"], Null, 0, "unset\n", ""),
    (Same, &["-u", "guest"], &["sh", "-c", "echo ${HOME-unset}"], Null, 0, "/home/guest\n", ""),
    // Words stay as they are.
    (
        Same,
        &[],
        &["printf", "<%s>", "a b", "", "$x", "*", "'\"", "\n"],
        Null,
        0,
        "<a b><><$x><*><'\"><\n>",
        "",
    ),
    (Same, &[], &["printf", "%s", "-t", "--help", "-d"], Null, 0, "-t--help-d", ""),
    (
        Same,
        &[],
        &["printf", "%s", "gr\u{fc}\u{df}e \u{65e5}"],
        Null,
        0,
        "gr\u{fc}\u{df}e \u{65e5}",
        "",
    ),
    // Standard input.
    sh(&["sh", "-c", "cat; echo end"], Null, 0, "end\n"),
    (Other, &[], &["sh", "-c", "cat; echo end"], Closed, 0, "end\n", ""),
    (Same, &["-i"], &["sh", "-c", "cat; echo end"], Pipe("words\n"), 0, "words\nend\n", ""),
    (Same, &["-i"], &["sh", "-c", "cat; echo end"], HereString("words\n"), 0, "words\nend\n", ""),
    (Same, &["-i"], &["sh", "-c", "cat; echo end"], Pipe(""), 0, "end\n", ""),
    (Same, &["-i"], &["head", "-c", "3"], Pipe("words\n"), 0, "wor", ""),
    (Same, &["-i"], &["true"], Pipe("words\n"), 0, "", ""),
    (Other, &[], &["cat"], Pipe("words\n"), 0, "words\n", ""),
    (Other, &["--no-stdin"], &["cat"], Pipe("words\n"), 0, "", ""),
    (Same, &["-i"], &["sh", "-c", "exec <&-; echo closed"], Pipe("words\n"), 0, "closed\n", ""),
    // Output.
    (Same, &[], &["sh", "-c", "echo out; echo err >&2"], Null, 0, "out\n", "err\n"),
    sh(&["sh", "-c", "exec >&- 2>&-; exit 3"], Null, 3, ""),
    sh(&["sh", "-c", "printf 'no end'"], Null, 0, "no end"),
    sh(&["sh", "-c", "echo a; (sleep 0.2; echo b) & wait"], Null, 0, "a\nb\n"),
    // Those who keep the output open after the program.
    (Other, &[], &["sh", "-c", "(sleep 0.3; echo late) & exit 4"], Null, 4, "late\n", ""),
    // Rights.
    (Other, &[], &["sh", "-c", "grep -c 'Seccomp:.2' /proc/self/status"], Null, 0, "1\n", ""),
    (
        Other,
        &["--privileged"],
        &["sh", "-c", "grep -c 'Seccomp:.0' /proc/self/status"],
        Null,
        0,
        "1\n",
        "",
    ),
    (
        Other,
        &["--privileged"],
        &["sh", "-c", "grep -c 'NoNewPrivs:.0' /proc/self/status"],
        Null,
        0,
        "1\n",
        "",
    ),
    (Other, &["--privileged"], &["hostname", "-F", "/etc/hostname"], Null, 0, "", ""),
    (Same, &[], &["hostname", "other"], Null, 1, "", "ermitted"),
    // Without a terminal, -t asks for what is not there.
    (Other, &["-t"], &["sh", "-c", "test -t 0 || echo none"], Null, 0, "none\n", "no terminal"),
    (
        Same,
        &[],
        &["sh", "-c", "test -t 0 || test -t 1 || test -t 2 || echo none"],
        Null,
        0,
        "none\n",
        "",
    ),
];

/// On a terminal: options, program, exit code, what is shown.
const TERMINAL_CASES: &[(&[&str], &[&str], i32, &str)] = &[
    (&[], &["sh", "-c", "test -t 0 && test -t 1 && test -t 2 && echo all"], 0, "all\r\n"),
    (&["-t"], &["sh", "-c", "exit 7"], 7, ""),
    (&["-t"], &["sh", "-c", "kill -9 $$"], 137, ""),
    (&["-t"], &["sh", "-c", "kill -TERM $$"], 143, ""),
    (&["-t"], &["/no/such/program"], 127, "/no/such/program"),
    (&["-t"], &["/etc/passwd"], 126, "/etc/passwd"),
    (&["-t", "-w", "/no/such/dir"], &["true"], 125, "/no/such/dir"),
    (&["-t", "-u", "nobody-here"], &["true"], 125, "nobody-here"),
    (&["-T"], &["sh", "-c", "test -t 0 || echo none"], 0, "none"),
    (&["-t"], &["sh", "-c", "stty size"], 0, "33 44\r\n"),
    (&["-t"], &["sh", "-c", "echo ${TERM-unset}"], 0, "vt100\r\n"),
    (&["-t", "-e", "TERM=dumb"], &["sh", "-c", "echo ${TERM-unset}"], 0, "dumb\r\n"),
    (&["-t"], &["sh", "-c", "echo out; echo err >&2"], 0, "out\r\nerr\r\n"),
    (&["-t"], &["tty"], 0, "/dev/pts/0\r\n"),
    (&["-t", "-u", "guest"], &["sh", "-c", "echo yes > /dev/tty"], 0, "yes\r\n"),
    (&["-t"], &["sh", "-c", "seq 20000"], 0, "\n20000\r\n"),
];

/// What the container has for the cases.
const PREPARE: &str = "printf '#!/no/such/interpreter\\n' > /tmp/no-interpreter; \
                       printf '\\001\\002' > /tmp/no-format; chmod 755 /tmp/no-*";

fn subject() -> Boxed {
    let boxed = Boxed::sleeping("env = { FROM_POD = 'pod', PATH = '/bin' }");
    boxed.sh(PREPARE);
    boxed
}

/// Runs a command with this input; its code, standard output and standard error.
fn run(command: &Command, input: Input) -> (Option<i32>, String, String) {
    let mut shell = Command::new("/bin/sh");
    let closes = if matches!(input, Closed) { "exec \"$@\" <&-" } else { "exec \"$@\"" };
    shell.args(["-c", closes, "sh"]).arg(command.get_program()).args(command.get_args());
    shell.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    match input {
        Closed | Null => drop(shell.stdin(Stdio::null())),
        Pipe(words) => {
            let (reader, mut writer) = std::io::pipe().unwrap();
            writer.write_all(words.as_bytes()).unwrap();
            shell.stdin(reader);
        }
        HereString(words) => {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(words.as_bytes()).unwrap();
            file.rewind().unwrap();
            shell.stdin(file);
        }
    }
    let begin = Instant::now();
    let output = shell.output().unwrap();
    assert!(begin.elapsed() < SOON, "{command:?} took {:?}", begin.elapsed());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn each_case_has_its_code_and_its_output() {
    let boxed = subject();
    assert!(CASES.len() + TERMINAL_CASES.len() >= 40);
    let mut wrong = Vec::new();
    for (_, options, program, input, code, out, err) in CASES {
        let command = boxed.exec_command(&[options, &["box", "--"][..], program].concat());
        let seen = run(&command, *input);
        if seen.0 != Some(*code) || seen.1 != *out || !seen.2.contains(err) {
            wrong.push(format!("{options:?} {program:?} {input:?}: {seen:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_case_on_a_terminal_has_the_same_code() {
    let boxed = subject();
    let mut wrong = Vec::new();
    for (options, program, code, shown) in TERMINAL_CASES {
        let command = boxed.exec_command(&[options, &["box", "--"][..], program].concat());
        let seen = run_on_terminal(command);
        if seen.0 != Some(*code) || !seen.1.contains(shown) {
            wrong.push(format!("{options:?} {program:?}: {seen:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs a command on a terminal of 33 rows and 44 columns: its code, and what is shown.
fn run_on_terminal(mut command: Command) -> (Option<i32>, String) {
    let (master, slave) = pty();
    let size = rustix::termios::Winsize { ws_row: 33, ws_col: 44, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(&slave, size).unwrap();
    command.env("TERM", "vt100");
    let stream = || Stdio::from(slave.try_clone().unwrap());
    let mut child = command.stdin(stream()).stdout(stream()).stderr(stream()).spawn().unwrap();
    drop((command, slave));
    let mut shown = Vec::new();
    // The end of a terminal that nobody has open is an error.
    let _ = File::from(master).read_to_end(&mut shown);
    (child.wait().unwrap().code(), String::from_utf8(shown).unwrap())
}

#[test]
fn signals_reach_the_program() {
    let boxed = Boxed::sleeping("");
    for (signal, name) in [
        (Signal::INT, "INT"),
        (Signal::TERM, "TERM"),
        (Signal::HUP, "HUP"),
        (Signal::QUIT, "QUIT"),
        (Signal::USR1, "USR1"),
        (Signal::USR2, "USR2"),
    ] {
        let script = format!("trap 'echo {name}; exit 9' {name}; echo ready; read _");
        let mut command = boxed.exec_command(&["box", "--", "sh", "-c", &script]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut client = command.spawn().unwrap();
        let mut output = client.stdout.take().unwrap();
        let mut ready = [0; 6];
        output.read_exact(&mut ready).unwrap();
        send(client.id(), signal);
        let mut rest = String::new();
        output.read_to_string(&mut rest).unwrap();
        assert_eq!((rest, client.wait().unwrap().code()), (format!("{name}\n"), Some(9)));
    }
}

#[test]
fn those_who_keep_the_output_open_keep_nobody() {
    let boxed = Boxed::sleeping("");
    let script = "echo word; sleep 300 & exit 5";
    // A pipe of the caller's is the program's own; a file is not, and what comes is moved there.
    let path = boxed.tank.file("output", "");
    let (mut reader, writer) = std::io::pipe().unwrap();
    for output in [Stdio::from(writer), Stdio::from(File::create(&path).unwrap())] {
        let mut command = boxed.exec_command(&["box", "--", "sh", "-c", script]);
        let begin = Instant::now();
        let status = command.stdout(output).stderr(Stdio::null()).status().unwrap();
        assert_eq!(status.code(), Some(5));
        assert!(begin.elapsed() < SOON / 3, "{:?}", begin.elapsed());
    }
    let mut word = [0; 5];
    reader.read_exact(&mut word).unwrap();
    assert_eq!(&word, b"word\n");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "word\n");
}

#[test]
fn words_may_have_any_bytes() {
    let boxed = Boxed::sleeping("");
    let mut command = boxed.exec_command(&["box", "--", "printf", "%s"]);
    command.arg(OsStr::from_bytes(b"\xff\xfe\x80"));
    assert_eq!(command.output().unwrap().stdout, b"\xff\xfe\x80");
}

/// podman beside it: `TANK_TEST_PODMAN=1 cargo nextest run --run-ignored only matrix`.
#[test]
#[ignore = "needs podman, and a machine on which its containers run"]
fn podman_does_the_same() {
    let dir = tempfile::tempdir().unwrap();
    // It asks for more than a machine may allow.
    let hard = |resource| getrlimit(resource).maximum.unwrap_or(4096).min(4096);
    let (files, processes) = (hard(Resource::Nofile), hard(Resource::Nproc));
    let limits = format!("\"nofile={files}:{files}\", \"nproc={processes}:{processes}\"");
    let settings = dir.path().join("containers.conf");
    std::fs::write(&settings, format!("[containers]\ndefault_ulimits = [{limits}]\n")).unwrap();
    let podman = |args: &[&str]| {
        let mut command = Command::new("podman");
        command.env("CONTAINERS_CONF", &settings);
        for (option, name) in [("--root", "root"), ("--runroot", "run"), ("--tmpdir", "tmp")] {
            command.arg(option).arg(dir.path().join(name));
        }
        command.args(["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs"]).args(args);
        command
    };
    let rootfs = format!("{}:O", fixtures::busybox_rootfs().display());
    let run = ["run", "--detach", "--network=none", "--name=box", "--env=FROM_POD=pod"];
    let hardened = [
        "--security-opt=no-new-privileges",
        "--env=PATH=/bin",
        "--cgroups=disabled",
        "--ulimit=host",
    ];
    let program = ["--rootfs", &rootfs, "/bin/sh", "-c", SLEEPER];
    let started = podman(&[&run[..], &hardened, &program].concat()).output().unwrap();
    assert!(started.status.success(), "{started:?}");
    let prepared = podman(&["exec", "box", "sh", "-c", PREPARE]).status().unwrap();
    let mut other = Vec::new();
    for (podmans, options, program, input, code, out, err) in CASES {
        if *podmans == Same {
            let seen =
                self::run(&podman(&[&["exec"][..], options, &["box"], program].concat()), *input);
            if seen.0 != Some(*code) || seen.1 != *out || !seen.2.contains(err) {
                other.push(format!("{options:?} {program:?} {input:?}: {seen:?}"));
            }
        }
    }
    podman(&["rm", "--force", "--time=0", "box"]).output().unwrap();
    assert!(prepared.success() && other.is_empty(), "{}", other.join("\n"));
}
