//! `tank login` and `tank logout`, as far as no registry is asked.

use std::process::Command;

use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use rexpect::session::{PtySession, spawn_command};
use rustix::termios::{LocalModes, tcgetattr};

use crate::support::Tank;

#[test]
fn a_password_is_no_argument_and_needs_a_user() {
    let tank = Tank::new();
    let refused = tank.run(["login", "registry.example", "--password", "x"]).exits(2);
    assert!(refused.stderr.contains("--password"), "{refused}");
    tank.run(["login", "registry.example", "--password-stdin"]).exits(2);
    let refused = tank.run(["login", "registry.example", "-u", "me"]).exits(2);
    assert!(refused.stderr.contains("--password-stdin"), "{refused}");
    let mut command = tank.command(["login", "registry.example", "-u", "me", "--password-stdin"]);
    let refused = tank.run_with(&mut command, b"\n").exits(2);
    assert!(refused.stderr.contains("a password is not empty"), "{refused}");
    let mut command = tank.command(["login", "registry.example", "-u", "a:b", "--password-stdin"]);
    let refused = tank.run_with(&mut command, b"x\n").exits(2);
    assert!(refused.stderr.contains("neither colons"), "{refused}");
    assert!(!tank.root().exists());
}

#[test]
fn a_registry_is_a_host() {
    let tank = Tank::new();
    let refused = tank.run(["login", "https://registry.example"]).exits(2);
    assert!(refused.stderr.contains("without its scheme"), "{refused}");
    tank.run(["logout", "registry"]).exits(2);
}

#[test]
fn logging_out_where_one_is_not_logged_in_is_not_found() {
    let tank = Tank::new();
    let refused = tank.run(["logout", "registry.example"]).exits(3);
    assert!(refused.stderr.contains("registry.example"), "{refused}");
}

#[test]
fn a_password_is_not_shown_and_the_terminal_is_as_before_when_a_signal_ends_it() {
    let tank = Tank::new();
    let login = tank.command(["login", "registry.example", "-u", "me"]);
    let mut command = Command::new("sh");
    command.args(["-c", "stty echo; exec \"$@\"", "sh"]).arg(login.get_program());
    command.args(login.get_args());
    let mut session = spawn_command(command, Some(30_000)).unwrap();
    session.exp_string("Password of me at registry.example: ").unwrap();
    let echo = |session: &PtySession| {
        let terminal = session.process().get_file_handle().unwrap();
        tcgetattr(terminal).unwrap().local_modes.contains(LocalModes::ECHO)
    };
    assert!(!echo(&session));
    session.send("secret").unwrap();
    session.send_control('c').unwrap();
    let seen = session.exp_eof().unwrap();
    assert!(!seen.contains("secret"), "{seen:?}");
    assert!(echo(&session));
    let ended = session.process().wait().unwrap();
    assert!(matches!(ended, WaitStatus::Signaled(_, Signal::SIGINT, _)), "{ended:?}");
    assert!(!tank.root().exists());
}
