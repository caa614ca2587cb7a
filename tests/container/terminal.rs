//! Terminals: of the main process (`tty = true`), and of `exec`.

use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use nix::sys::wait::WaitStatus;
use rexpect::session::{PtySession, spawn_command};
use rustix::termios::{Winsize, tcsetwinsize};

use super::{Boxed, SLEEPER};
use crate::support::pods::SOON;
use crate::support::{Tank, wait};

const TIMEOUT: Option<u64> = Some(30_000);

/// `tank exec ARGS` on a terminal of 33 rows and 44 columns.
fn exec_on_terminal(tank: &Tank, args: &[&str]) -> PtySession {
    let tank = tank.command([&["exec"], args].concat());
    let mut command = Command::new("sh");
    command.env_clear().env("PATH", "/usr/bin:/bin").env("TERM", "vt100");
    command.args(["-c", "stty rows 33 cols 44; exec \"$@\"", "sh"]);
    command.arg(tank.get_program()).args(tank.get_args());
    spawn_command(command, TIMEOUT).unwrap()
}

#[track_caller]
fn assert_exits(session: &mut PtySession, code: i32) {
    session.exp_eof().unwrap();
    match session.process().wait().unwrap() {
        WaitStatus::Exited(_, seen) => assert_eq!(seen, code),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_main_process_has_a_terminal_that_is_logged() {
    let script = "test -t 0 && test -t 1 && test -t 2 && tty && stty size && echo $TERM; \
                  echo to stderr >&2";
    let boxed = Boxed::completed("", script, "tty = true");
    let log = boxed.log().replace('\r', "");
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines.len(), 4, "{log}");
    assert!(lines[0] == "/dev/console" || lines[0].starts_with("/dev/pts/"), "{log}");
    assert_eq!(&lines[1..], ["24 80", "xterm", "to stderr"]);
}

#[test]
fn the_console_is_the_containers_own() {
    let boxed = Boxed::new("", SLEEPER, "tty = true");
    assert_eq!(boxed.sh("stat -c '%t' /dev/console"), "88");
    assert_eq!(boxed.sh("ls /dev/pts | tr '\\n' ' '"), "0 ptmx ");
    let _ = boxed.exec(&["box", "--", "sh", "-c", "test -t 0"]).exits(1);
}

#[test]
fn exec_has_a_terminal_of_the_right_size() {
    let boxed = Boxed::sleeping("");
    let script = "test -t 0 && test -t 1 && test -t 2 && stty size; echo $TERM; exit 9";
    let mut session = exec_on_terminal(&boxed.tank, &["box", "--", "sh", "-c", script]);
    session.exp_string("33 44").unwrap();
    session.exp_string("vt100").unwrap();
    assert_exits(&mut session, 9);
}

#[test]
fn a_terminal_that_is_resized_is_so_inside() {
    let boxed = Boxed::sleeping("");
    let script = "trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.1; done";
    let mut session = exec_on_terminal(&boxed.tank, &["box", "--", "sh", "-c", script]);
    session.exp_string("ready").unwrap();
    let size = Winsize { ws_row: 55, ws_col: 66, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(session.process().get_file_handle().unwrap(), size).unwrap();
    session.exp_string("55 66").unwrap();
    assert_exits(&mut session, 0);
}

#[test]
fn control_c_reaches_the_program() {
    let boxed = Boxed::sleeping("");
    let script = "trap 'echo caught; exit 5' INT; echo ready; while :; do sleep 0.1; done";
    let mut session = exec_on_terminal(&boxed.tank, &["box", "--", "sh", "-c", script]);
    session.exp_string("ready").unwrap();
    session.send_control('c').unwrap();
    session.exp_string("caught").unwrap();
    assert_exits(&mut session, 5);
}

#[test]
fn an_interactive_shell_works_to_its_end() {
    let boxed = Boxed::sleeping("");
    let mut session = exec_on_terminal(&boxed.tank, &["-e", "PS1=ready> ", "box", "--", "sh"]);
    session.exp_string("ready> ").unwrap();
    session.send_line("echo $((6 * 7))").unwrap();
    session.exp_string("\n42").unwrap();
    session.send_line("tty").unwrap();
    session.exp_regex("/dev/pts/[0-9]+").unwrap();
    session.send_control('d').unwrap();
    assert_exits(&mut session, 0);
}

#[test]
fn a_terminal_that_everybody_closed_may_be_opened_again() {
    let boxed = Boxed::sleeping("");
    let script = "t=$(tty); exec <&- >&- 2>&-; touch /tmp/closed; \
                  while test -e /tmp/closed; do sleep 0.05; done; exec <>$t >&0 2>&0; echo back; \
                  while read line; do echo \"got $line\"; test $line = word && exit 9; done";
    let mut session = exec_on_terminal(&boxed.tank, &["box", "--", "sh", "-c", script]);
    wait::until("the terminal to be closed", SOON, || {
        boxed.exec(&["box", "--", "test", "-e", "/tmp/closed"]).status.success().then_some(())
    });
    // Nobody is there to read it.
    session.send_line("lost").unwrap();
    boxed.sh("rm /tmp/closed");
    session.exp_string("back").unwrap();
    session.send_line("word").unwrap();
    session.exp_string("got word").unwrap();
    assert_exits(&mut session, 9);
}

/// Both ends of a terminal.
pub(crate) fn pty() -> (OwnedFd, OwnedFd) {
    use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let slave = ioctl_tiocgptpeer(&master, flags).unwrap();
    (master, slave)
}

#[test]
fn a_terminal_can_be_forced_and_refused() {
    let boxed = Boxed::sleeping("");
    let args = ["-t", "box", "--", "sh", "-c", "test -t 1 && echo yes"];
    let mut command = boxed.exec_command(&args);
    let (master, slave) = pty();
    let forced = command.stdin(slave).stdout(Stdio::piped()).spawn().unwrap();
    let forced = forced.wait_with_output().unwrap();
    assert_eq!((forced.stdout.as_slice(), forced.status.code()), (&b"yes\r\n"[..], Some(0)));
    drop(master);
    // Without one to read from there is none, and the program runs all the same.
    let without = boxed.exec(&["-t", "box", "--", "sh", "-c", "test -t 0 || echo none"]).ok();
    assert_eq!(without.stdout, "none\n");
    assert!(without.stderr.contains("standard input is no terminal"), "{without}");
    let args = ["-T", "box", "--", "sh", "-c", "test -t 0 || echo no terminal"];
    let mut session = exec_on_terminal(&boxed.tank, &args);
    session.exp_string("no terminal").unwrap();
    assert_exits(&mut session, 0);
}
