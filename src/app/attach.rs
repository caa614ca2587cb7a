//! `attach`: the caller's terminal or streams, joined with the main process of a container.

use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd};

use super::error::{Error, ExecFailure, Kind};
use super::session::{Wires, copy, null, size_of};
use super::{App, AttachOutcome, AttachRequest, Target};
use crate::engine::InstancePlace;
use crate::model::{DetachKeys, Exit};
use crate::runtime::attach::{self, AttachError, Attachment, Caller, Parted};
use crate::runtime::observe;
use crate::sys;
use crate::sys::terminal::{Signals, end_by};
use crate::term::pump::{Event, Kind as Flow, Link};
use crate::term::screen;
use crate::term::size::Size;

/// An attached container, before anything has moved.
#[derive(Debug)]
pub struct Attached<'a> {
    target: Target,
    place: InstancePlace,
    attachment: Attachment,
    /// Whether the caller's terminal becomes the container's.
    on_terminal: bool,
    with_input: bool,
    keys: DetachKeys,
    streams: [BorrowedFd<'a>; 3],
}

impl App {
    /// Attaches to the main process of a running container.
    pub fn attach<'a>(
        &self,
        target: &Target,
        request: AttachRequest<'a>,
    ) -> Result<Attached<'a>, Error> {
        let engine = self.engine()?;
        let (instance, _) = self.running(target)?;
        let keys = match request.detach_keys {
            Some(keys) => keys,
            None => self.settings()?.detach_keys,
        };
        let place = InstancePlace::of(&engine.directories, &instance.id);
        let streams = request.streams;
        let attachment = connect(target, &place, streams, request.stdin, true)?;
        if request.tty && attachment.terminal.is_none() {
            let message = format!("{target} is not a tty");
            let hint = "without -t its streams are attached; `tty = true` gives it a terminal";
            return Err(Error::new(Kind::NotRunning, message).hint(hint));
        }
        let on_terminal = attachment.terminal.is_some() && caller(streams, true).is_some();
        let with_input = request.stdin;
        Ok(Attached {
            target: target.clone(),
            place,
            attachment,
            on_terminal,
            with_input,
            keys,
            streams,
        })
    }
}

/// The caller's terminal, if both directions are one.
fn caller([stdin, stdout, _]: [BorrowedFd<'_>; 3], nudge: bool) -> Option<Caller> {
    let has_terminal = [stdin, stdout].into_iter().all(rustix::termios::isatty);
    let (rows, columns) = size_of(stdin);
    has_terminal.then_some(Caller { rows, columns, nudge })
}

fn connect(
    target: &Target,
    place: &InstancePlace,
    streams: [BorrowedFd<'_>; 3],
    with_input: bool,
    nudge: bool,
) -> Result<Attachment, Error> {
    attach::attach(place.files(), caller(streams, nudge), with_input).map_err(|e| {
        let is_running = observe::monitor(place.files()).is_ok_and(|monitor| monitor.is_some());
        unattached(target, is_running, e)
    })
}

fn unattached(target: &Target, is_running: bool, error: AttachError) -> Error {
    match error {
        AttachError::NoMonitor | AttachError::MonitorEnded if !is_running => {
            Error::new(Kind::NotRunning, format!("{target} is not running"))
                .hint(format!("tank describe {} shows why", target.pod))
        }
        AttachError::NoMonitor | AttachError::Version(_) => failed(target)
            .because(error)
            .hint("it was started by another version of tank; its next start takes this one"),
        error => failed(target).because(error),
    }
}

fn failed(target: &Target) -> Error {
    Error::exec(ExecFailure::Internal, format!("cannot attach to {target}"))
}

impl Attached<'_> {
    /// The keys that leave it, where keys do.
    pub fn detach_keys(&self) -> Option<&DetachKeys> {
        Some(&self.keys).filter(|keys| self.on_terminal && !keys.is_none())
    }

    /// Whether the caller's terminal becomes the container's.
    pub fn is_on_terminal(&self) -> bool {
        self.on_terminal
    }

    /// Moves output and input until the program has ended or the caller leaves. Where plain
    /// streams are read too slowly, some output is skipped, and `on_gap` hears of it.
    pub fn run(mut self, on_gap: &mut dyn FnMut()) -> Result<AttachOutcome, Error> {
        let signals = Signals::take().map_err(|e| failed(&self.target).because(e))?;
        let mut unsent = Vec::new();
        loop {
            let (left, rest) =
                self.round(&signals, unsent).map_err(|e| failed(&self.target).because(e))?;
            unsent = rest;
            let nudge = match left {
                Some(Left::Detached) => return Ok(AttachOutcome::Detached),
                Some(Left::Signaled(signal)) => {
                    // As it would have without a terminal to give back.
                    end_by(signal).map_err(|e| failed(&self.target).because(e))?;
                    return Ok(AttachOutcome::Signaled(signal));
                }
                Some(Left::Resumed) => true,
                None => match self.parted()? {
                    Some(code) => return Ok(AttachOutcome::Ended(code)),
                    None => false,
                },
            };
            let again = connect(&self.target, &self.place, self.streams, self.with_input, nudge);
            if !self.on_terminal {
                on_gap();
            }
            match again {
                Ok(attachment) => self.attachment = attachment,
                // It ended since; what it printed last is in its log.
                Err(error) => return self.recorded_end().ok_or(error),
            }
        }
    }

    /// How the program ended, if its monitor has written that down.
    fn recorded_end(&self) -> Option<AttachOutcome> {
        let record = observe::exit_record(self.place.files())?;
        code_of(&record.exit).map(AttachOutcome::Ended)
    }

    /// Moves bytes as long as this attachment lasts. Returns why it was left, if it was, and input
    /// that was read and not sent.
    fn round(&self, signals: &Signals, unsent: Vec<u8>) -> sys::Result<(Option<Left>, Vec<u8>)> {
        let [stdin, stdout, _] = self.streams;
        let none = DetachKeys::NONE;
        let drawn = self.drawn()?;
        let wires = Wires {
            links: self.links(drawn, unsent)?,
            ended: self.attachment.as_fd(),
            signals,
            terminal: self.on_terminal.then_some(stdout),
            detach: if self.on_terminal { &self.keys } else { &none },
        };
        let mut left = None;
        let unsent = wires.attend(&mut |event| {
            match event {
                Event::Resized if self.on_terminal => {
                    let (rows, columns) = size_of(stdin);
                    // A monitor that is gone is noticed by what follows.
                    drop(self.attachment.resize(rows, columns));
                }
                // The shell had the terminal.
                Event::Resumed if self.on_terminal => left = Some(Left::Resumed),
                Event::Resized | Event::Resumed => {}
                // There is nothing left to stay for, as for any reader of a stream.
                Event::Detach | Event::ReaderLeft => left = Some(Left::Detached),
                Event::Signal(signal) => left = Some(Left::Signaled(signal)),
            }
            if left.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok((left, unsent))
    }

    /// What makes the caller's terminal look like the program's.
    fn drawn(&self) -> sys::Result<Vec<u8>> {
        let history = self.attachment.history()?;
        let Some(shown) = self.attachment.terminal.as_ref().filter(|_| self.on_terminal) else {
            return Ok(Vec::new());
        };
        let from = Size { rows: shown.rows, columns: shown.columns };
        let (rows, columns) = size_of(self.streams[0]);
        Ok(screen::draw(&history, from, Size { rows, columns }, &shown.modes))
    }

    fn links(&self, drawn: Vec<u8>, unsent: Vec<u8>) -> sys::Result<Vec<Link>> {
        let [stdin, stdout, stderr] = self.streams;
        let Attachment { output, errors, input, .. } = &self.attachment;
        let (to_program, from_program) = match self.attachment.terminal {
            Some(_) => (Flow::TerminalInput, Flow::TerminalOutput),
            None => (Flow::Input, Flow::Output),
        };
        let link = |source: BorrowedFd<'_>, sink: BorrowedFd<'_>, kind, begin| {
            Ok(Link { source: copy(source)?, sink: copy(sink)?, kind, begin })
        };
        let mut links = vec![
            link(output.as_fd(), stdout, from_program, drawn)?,
            link(errors.as_fd(), stderr, Flow::Output, Vec::new())?,
        ];
        match input {
            Some(sink) => links.push(link(stdin, sink.as_fd(), to_program, unsent)?),
            // What is typed goes nowhere, but for the keys that leave.
            None if self.on_terminal => {
                links.push(link(stdin, null()?.as_fd(), to_program, Vec::new())?);
            }
            None => {}
        }
        Ok(links)
    }

    /// The exit code of the program; `None` if it runs, and output was read too slowly.
    fn parted(&self) -> Result<Option<u8>, Error> {
        let target = &self.target;
        let failed = |message: String| Error::exec(ExecFailure::Internal, message);
        let parted = self.attachment.wait();
        match parted.map_err(|e| failed(format!("lost sight of {target}")).because(e))? {
            Parted::Ended(exit) => match code_of(&exit) {
                Some(code) => Ok(Some(code)),
                None => Err(failed(format!("how {target} ended is unknown"))),
            },
            Parted::Dropped => Ok(None),
            Parted::Vanished => Err(failed(format!("the monitor of {target} is gone"))
                .hint("tank reconcile starts the container anew if it should run")),
        }
    }
}

/// Why the caller left.
#[derive(Debug, Clone, Copy)]
enum Left {
    Detached,
    Resumed,
    Signaled(i32),
}

fn code_of(exit: &Exit) -> Option<u8> {
    let code = exit.code.or(exit.signal.map(|signal| 128 + signal))?;
    Some(u8::try_from(code).unwrap_or(u8::MAX))
}
