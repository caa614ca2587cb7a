//! Moves bytes between the caller and a program until the program has ended and all it wrote has
//! arrived: one poll(2) loop in one thread.

use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::detach::Matcher;
use super::flow::{Flow, Sunk};
use super::raw::RawMode;
use crate::sys::terminal::{self, Signals};
use crate::sys::{Error, Result, clock};

pub use super::flow::{Kind, Link};

/// How long, after the process has ended, others that hold its output open are waited for.
const GRACE: Duration = Duration::from_secs(2);

/// What a session is made of.
#[derive(Debug)]
pub struct Session<'a> {
    /// The directions in which bytes flow.
    pub links: Vec<Link>,
    /// A pidfd of the process. Without one, the session ends when all output has ended.
    pub process: Option<BorrowedFd<'a>>,
    /// The signals of the session.
    pub signals: Option<&'a Signals>,
    /// The caller's terminal, which is given back while the process is stopped.
    pub raw: Option<&'a mut RawMode>,
    /// Finds the keys that leave in what is typed.
    pub detach: Option<Matcher>,
}

/// Something the caller of [`run`] has to act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The caller's terminal may have another size; the program's has to get the same.
    Resized,
    /// The process was stopped, and the terminal showed something else meanwhile.
    Resumed,
    /// The keys that leave were typed.
    Detach,
    /// The caller reads one of the outputs no more, and the program's end of it is closed.
    ReaderLeft,
    /// A signal for the program. SIGHUP also stands for a caller that no longer reads a terminal.
    Signal(i32),
}

/// How a session ended.
#[derive(Debug)]
pub struct Ended {
    /// Why output could not be delivered. A reader that went away is no error.
    pub lost_output: Option<Error>,
    /// Input that was read and not sent.
    pub unsent: Vec<u8>,
}

/// Runs a session.
///
/// It ends when the process has ended and its output has been delivered, however slow the reader;
/// of output that other processes hold open, what is there two seconds after the end is delivered.
/// It also ends when `on_event` breaks: then what was not delivered is lost.
pub fn run(
    mut session: Session<'_>,
    on_event: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> Result<Ended> {
    if let Some(raw) = &mut session.raw {
        let to_terminal = session.links.iter().filter(|link| link.kind == Kind::TerminalOutput);
        to_terminal.for_each(|link| raw.follow(&link.begin));
    }
    let mut flows: Vec<_> = session.links.drain(..).map(Flow::new).collect();
    flows.iter_mut().for_each(|flow| flow.watch_for(&mut session.detach));
    flows.iter_mut().for_each(|flow| flow.set_may_reopen(session.process.is_some()));
    let lost_output = pump(&mut session, &mut flows, on_event)?;
    let inputs = flows.iter().filter(|flow| !flow.is_output());
    Ok(Ended { lost_output, unsent: inputs.flat_map(Flow::unsent).copied().collect() })
}

/// Moves bytes until the session ends. Returns why output could not be delivered, if so.
fn pump(
    session: &mut Session<'_>,
    flows: &mut [Flow],
    on_event: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> Result<Option<Error>> {
    let mut lost_output = None;
    let mut end = match session.process {
        Some(_) => End::NotYet,
        None => End::Unwatched,
    };
    loop {
        let outputs_over = flows.iter().filter(|flow| flow.is_output()).all(Flow::is_over);
        if outputs_over && end != End::NotYet {
            return Ok(lost_output);
        }
        let ready = wait(flows, session, end)?;
        if ready.signals && handle_signals(session, on_event)?.is_break() {
            return Ok(lost_output);
        }
        let has_ended = ready.process && end == End::NotYet;
        if has_ended {
            end = End::Seen(clock::monotonic() + GRACE);
            flows.iter_mut().filter(|flow| !flow.is_output()).for_each(Flow::stop);
        }
        for (flow, ready) in flows.iter_mut().zip(&ready.flows) {
            let raw = session.raw.as_deref_mut().filter(|_| flow.is_terminal_output());
            let event = match flow.advance(ready, &mut follow(raw)) {
                Sunk::ReaderLeft if flow.is_terminal_output() => Event::Signal(libc::SIGHUP),
                Sunk::ReaderLeft => Event::ReaderLeft,
                Sunk::Fine => continue,
                Sunk::Detach => Event::Detach,
                Sunk::Failed(error) => {
                    lost_output = Some(error);
                    continue;
                }
            };
            if on_event(event).is_break() {
                return Ok(lost_output);
            }
        }
        flows.iter_mut().for_each(Flow::expire);
        if has_ended {
            flows.iter_mut().for_each(|flow| flow.set_may_reopen(false));
        }
        if end.grace_left().is_some_and(|left| left.is_zero()) {
            flows
                .iter_mut()
                .filter(|flow| flow.is_output())
                .for_each(Flow::take_only_what_is_there);
            end = End::Waited;
        }
    }
}

/// What is known of the end of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Nobody watches the process.
    Unwatched,
    /// It runs.
    NotYet,
    /// It has ended; others may write until then.
    Seen(Instant),
    /// That time is over.
    Waited,
}

impl End {
    fn grace_left(self) -> Option<Duration> {
        match self {
            Self::Seen(deadline) => Some(deadline.saturating_duration_since(clock::monotonic())),
            _ => None,
        }
    }
}

/// What there is to do.
#[derive(Debug)]
struct Ready {
    signals: bool,
    process: bool,
    flows: Vec<Vec<PollFlags>>,
}

fn wait(flows: &[Flow], session: &Session<'_>, end: End) -> Result<Ready> {
    let mut descriptors = Vec::with_capacity(2 + flows.len() * 2);
    let process = session.process.filter(|_| end == End::NotYet);
    let signals = session.signals.map(AsFd::as_fd);
    for fd in process.into_iter().chain(signals) {
        descriptors.push(PollFd::from_borrowed_fd(fd, PollFlags::IN));
    }
    let counts: Vec<_> = flows.iter().map(|flow| flow.interests().count()).collect();
    for (fd, interest) in flows.iter().flat_map(Flow::interests) {
        descriptors.push(PollFd::from_borrowed_fd(fd, interest));
    }
    let due = flows.iter().filter_map(Flow::deadline).min();
    let due = due.map(|until| until.saturating_duration_since(clock::monotonic()));
    let timeout = end.grace_left().into_iter().chain(due).min().map(|left| Timespec {
        tv_sec: left.as_secs().cast_signed(),
        tv_nsec: left.subsec_nanos().into(),
    });
    match poll(&mut descriptors, timeout.as_ref()) {
        Ok(_) => {}
        Err(Errno::INTR) => descriptors.iter_mut().for_each(PollFd::clear_revents),
        Err(errno) => return Err(Error::new("poll", "", errno)),
    }
    let mut results = descriptors.iter().map(PollFd::revents);
    let process = process.is_some() && results.next().is_some_and(|ready| !ready.is_empty());
    let signals = signals.is_some() && results.next().is_some_and(|ready| !ready.is_empty());
    let flows = counts.iter().map(|count| results.by_ref().take(*count).collect()).collect();
    Ok(Ready { signals, process, flows })
}

fn handle_signals(
    session: &mut Session<'_>,
    on_event: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> Result<ControlFlow<()>> {
    let Some(signals) = session.signals else { return Ok(ControlFlow::Continue(())) };
    while let Some(signal) = signals.next()? {
        let event = match signal {
            terminal::Event::Resized => Event::Resized,
            terminal::Event::Signal(number) => Event::Signal(number),
            terminal::Event::Stop => {
                if let Some(raw) = &mut session.raw {
                    raw.suspend();
                }
                terminal::stop()?;
                resumed(session)
            }
            terminal::Event::Continued => resumed(session),
        };
        if on_event(event).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// The process goes on after a stop, during which the terminal may have changed.
fn resumed(session: &mut Session<'_>) -> Event {
    if let Some(raw) = &mut session.raw {
        raw.resume();
    }
    Event::Resumed
}

/// Lets the guard of the caller's terminal see what is written to it.
fn follow(mut raw: Option<&mut RawMode>) -> impl FnMut(&[u8]) {
    move |output| {
        if let Some(raw) = &mut raw {
            raw.follow(output);
        }
    }
}

#[cfg(test)]
mod tests;
