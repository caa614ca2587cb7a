#![expect(clippy::disallowed_methods, reason = "a terminal's mode is looked at from outside")]

use std::io::{BufRead, BufReader, Read, Write};
use std::ops::ControlFlow;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use super::*;
use crate::sys::terminal::Signals;
use crate::term::pump::{Event, Kind, Link, Session, run};

/// The program that the tests below run on a terminal of its own.
#[test]
#[ignore = "it is started by the other tests of this module"]
fn on_a_terminal() {
    match std::env::var("TANK_TEST_ENDING").unwrap().as_str() {
        "return" => {
            let _raw = enter();
            say_and_wait();
        }
        "panic" => {
            let raw = enter();
            say_and_wait();
            std::mem::forget(raw);
            panic!("on purpose");
        }
        _ => stop_and_go_on(),
    }
}

fn enter() -> RawMode {
    RawMode::enter(std::io::stdin().as_fd().try_clone_to_owned().unwrap()).unwrap()
}

fn say_and_wait() {
    say("raw");
    std::io::stdin().read_exact(&mut [0]).unwrap();
}

fn say(word: &str) {
    let mut out = std::io::stdout();
    out.write_all(format!("\n{word}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

fn stop_and_go_on() {
    let signals = Signals::take().unwrap();
    let mut raw = enter();
    let (source, _writer) = std::io::pipe().unwrap();
    let (_reader, sink) = std::io::pipe().unwrap();
    let links = vec![Link::new(source.into(), sink.into(), Kind::Output)];
    nix::sys::signal::raise(nix::sys::signal::SIGTSTP).unwrap();
    let (process, detach) = (None, None);
    let session = Session { links, process, signals: Some(&signals), raw: Some(&mut raw), detach };
    run(session, &mut |event| {
        assert_eq!(event, Event::Resumed);
        ControlFlow::Break(())
    })
    .unwrap();
    say_and_wait();
}

struct Terminal {
    master: OwnedFd,
    slave: OwnedFd,
    child: Child,
}

/// Starts [`on_a_terminal`] with the given ending.
fn start(ending: &str) -> Terminal {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let slave = ioctl_tiocgptpeer(&master, flags).unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "term::raw::tests::on_a_terminal", "--ignored", "--nocapture"])
        .env("TANK_TEST_ENDING", ending)
        .stdin(slave.try_clone().unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Terminal { master, slave, child }
}

impl Terminal {
    fn is_raw(&self) -> bool {
        let modes = tcgetattr(self.slave.as_fd()).unwrap().local_modes;
        !modes.intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    fn wait_until_raw(&mut self) {
        let out = BufReader::new(self.child.stdout.as_mut().unwrap());
        let mut lines = out.lines().map(Result::unwrap);
        assert!(lines.any(|line| line == "raw"));
        assert!(self.is_raw());
    }

    fn let_end(&mut self) {
        rustix::io::write(&self.master, b"x").unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn the_terminal_is_given_back_when_the_guard_is_dropped() {
    let mut terminal = start("return");
    terminal.wait_until_raw();
    terminal.let_end();
    assert!(!terminal.is_raw());
}

#[test]
fn the_terminal_is_given_back_before_a_panic_speaks() {
    let mut terminal = start("panic");
    terminal.wait_until_raw();
    terminal.let_end();
    assert!(!terminal.is_raw());
}

#[test]
fn the_terminal_is_given_back_while_the_process_is_stopped() {
    let mut terminal = start("stop");
    let pid = Pid::from_raw(terminal.child.id().cast_signed()).unwrap();
    let stopped = waitid(WaitId::Pid(pid), WaitIdOptions::STOPPED).unwrap().unwrap();
    assert!(stopped.stopped());
    assert!(!terminal.is_raw());
    kill_process(pid, Signal::CONT).unwrap();
    terminal.wait_until_raw();
    terminal.let_end();
    assert!(!terminal.is_raw());
}
