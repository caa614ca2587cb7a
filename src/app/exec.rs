//! `exec`: the caller's streams and terminal, joined with a program in a container.

use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::FileType;
use rustix::pipe::PipeFlags;

use super::error::{Error, ExecFailure, Kind};
use super::session::{Wires, copy, null, size_of};
use super::{App, ExecOutcome, ExecRequest, Target};
use crate::engine::{Engine, InstancePlace};
use crate::model::{Instance, ProcessIdentity};
use crate::runtime::exec::{self, Begun, Session};
use crate::runtime::{self, observe};
use crate::sys::process::Ended;
use crate::sys::terminal::Signals;
use crate::sys::{self, fsinfo};
use crate::term::pump::{Event, Kind as Flow, Link};
use crate::term::size::{self, Size};

/// The kind of terminal, where nobody says.
const DEFAULT_TERM: &str = "xterm";

impl App {
    /// Runs a second process in a running container.
    pub fn exec(&self, target: &Target, request: ExecRequest<'_>) -> Result<ExecOutcome, Error> {
        let engine = self.engine()?;
        let (instance, process) = self.running(target)?;
        let internal = |e: sys::Error| {
            Error::exec(ExecFailure::Internal, format!("cannot execute a program in {target}"))
                .because(e)
        };
        let streams = Streams::prepare(&request).map_err(internal)?;
        // Before the program is there, which may be sent a signal at once. Those who start it set
        // their own masks.
        let signals = Signals::take().map_err(internal)?;
        let begun = start(engine, (&instance, process), target, &request, &streams, &signals)?;
        let session = match begun {
            Begun::Running(session) => session,
            Begun::Signaled(signal) => return Ok(ExecOutcome { code: code_of(signal) }),
        };
        if request.detach {
            return Ok(ExecOutcome { code: 0 });
        }
        // The caller's terminal may have been given another size meanwhile.
        resize(&session, size_of(request.streams[0]));
        let links = streams.links(&request, session.terminal.as_ref()).map_err(internal)?;
        if attend(&session, links, &request, &signals).map_err(internal)? == Left::Detached {
            session.detach().map_err(internal)?;
            return Ok(ExecOutcome { code: 0 });
        }
        let ended = session.wait().map_err(|e| {
            Error::exec(ExecFailure::Internal, "lost sight of the program").because(e)
        })?;
        let code = match ended {
            Some(Ended::Exited(code)) => u8::try_from(code).unwrap_or(u8::MAX),
            Some(Ended::Signaled(signal)) => code_of(signal),
            None => {
                return Err(Error::exec(ExecFailure::Internal, "how the program ended is unknown"));
            }
        };
        Ok(ExecOutcome { code })
    }

    /// The running instance of a container, and its first process.
    pub(super) fn running(&self, target: &Target) -> Result<(Instance, ProcessIdentity), Error> {
        let engine = self.engine()?;
        let instances = self.instances(&target.pod)?;
        let not_running = || {
            Error::new(Kind::NotRunning, format!("{target} is not running"))
                .hint(format!("tank describe {} shows why", target.pod))
        };
        let is_own =
            |instance: &Instance| instance.container == target.container && !instance.removed;
        // The newest may still be about to be begun.
        for instance in instances.into_iter().rev().filter(is_own) {
            let place = InstancePlace::of(&engine.directories, &instance.id);
            let running = observe::running(place.files());
            let running = running.map_err(|e| {
                Error::new(Kind::Failed, format!("cannot look at {target}")).because(e)
            })?;
            if let Some(process) = running {
                return Ok((instance, process));
            }
        }
        Err(not_running())
    }
}

fn start(
    engine: &Engine,
    (instance, process): (&Instance, ProcessIdentity),
    target: &Target,
    request: &ExecRequest<'_>,
    streams: &Streams<'_>,
    signals: &Signals,
) -> Result<Begun, Error> {
    let doing = || format!("cannot execute a program in {target}");
    let term = request.term.as_ref().and_then(|term| term.to_str());
    let order = exec::ExecRequest {
        arguments: request.argv.clone(),
        environment: request.env.iter().cloned().collect(),
        terminal_type: term.unwrap_or(DEFAULT_TERM).to_owned(),
        working_dir: request.working_dir.clone(),
        user: request.user.clone(),
        terminal: request.tty.then(|| size_of(request.streams[0])),
        detach: request.detach,
        privileged: request.privileged,
    };
    let executable =
        engine.executable().map_err(|e| Error::exec(ExecFailure::Internal, doing()).because(e))?;
    let place = InstancePlace::of(&engine.directories, &instance.id);
    let group = engine
        .instance_group(instance)
        .map_err(|e| Error::exec(ExecFailure::Internal, doing()).because(e))?;
    let streams = streams.inner();
    let monitors = engine
        .monitors_directory()
        .map_err(|e| Error::exec(ExecFailure::Internal, doing()).because(e))?;
    let outside = exec::Outside { executable, cgroup: monitors.as_ref().map(AsFd::as_fd) };
    let starting = exec::start(place.files(), process, &group, &order, streams, outside);
    starting.and_then(|starting| starting.finish(signals)).map_err(|e| {
        let failure = match &e {
            runtime::Error::Exec(failure) => match failure.exit_code() {
                Some(127) => ExecFailure::NotFound,
                Some(_) => ExecFailure::NotExecutable,
                None => ExecFailure::Internal,
            },
            runtime::Error::Sys(e) if e.is(libc::ESRCH) => {
                return Error::new(Kind::NotRunning, format!("{target} is not running"));
            }
            _ => ExecFailure::Internal,
        };
        Error::exec(failure, doing()).because(e)
    })
}

/// The exit code that tells of a signal.
fn code_of(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(u8::MAX)
}

/// How a session was left.
#[derive(Debug, PartialEq, Eq)]
enum Left {
    /// The program has ended.
    Ended,
    /// The caller left it running.
    Detached,
}

/// Moves bytes and signals until the program ended, or the caller leaves.
fn attend(
    session: &Session,
    links: Vec<Link>,
    request: &ExecRequest<'_>,
    signals: &Signals,
) -> sys::Result<Left> {
    let [stdin, stdout, _] = request.streams;
    let wires = Wires {
        links,
        ended: session.as_fd(),
        signals,
        terminal: request.tty.then_some(stdout),
        detach: &request.detach_keys,
    };
    let mut left = Left::Ended;
    wires.attend(&mut |event| {
        let (rows, columns) = size_of(stdin);
        match event {
            Event::Resized => resize(session, (rows, columns)),
            Event::Resumed => {
                // Told twice, a program that paints the whole screen paints it again.
                resize(session, (rows.saturating_sub(1).max(1), columns));
                resize(session, (rows, columns));
            }
            Event::Signal(signal) => drop(session.signal(signal)),
            // The program learns it by its pipe.
            Event::ReaderLeft => {}
            Event::Detach => {
                left = Left::Detached;
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    Ok(left)
}

/// Gives the program's terminal a size, if it has one.
fn resize(session: &Session, (rows, columns): (u16, u16)) {
    session.terminal.as_ref().map(|terminal| size::set(terminal, Size { rows, columns }));
}

/// The program's standard streams.
///
/// What it gets must not be a way back into the host: a file could be opened anew for writing
/// through `/proc` or be given another mode, and a terminal be typed into. So only pipes without a
/// name and sockets are handed over as they are, and the null device, in whose place the program
/// gets the container's own; between it and everything else lies a pipe.
struct Streams<'a> {
    inner: [Inner<'a>; 3],
    outer: [Option<OwnedFd>; 3],
}

enum Inner<'a> {
    /// The caller's own.
    Caller(BorrowedFd<'a>),
    /// One end of a pipe, or the null device.
    Own(OwnedFd),
}

impl<'a> Streams<'a> {
    fn prepare(request: &ExecRequest<'a>) -> sys::Result<Self> {
        let [stdin, stdout, stderr] = request.streams;
        if request.tty || request.detach {
            let inner = [Inner::Own(null()?), Inner::Own(null()?), Inner::Own(null()?)];
            return Ok(Self { inner, outer: [None, None, None] });
        }
        let input = if request.stdin { stream(stdin, true)? } else { (Inner::Own(null()?), None) };
        let (output, error) = (stream(stdout, false)?, stream(stderr, false)?);
        Ok(Self { inner: [input.0, output.0, error.0], outer: [input.1, output.1, error.1] })
    }

    fn inner(&self) -> [BorrowedFd<'_>; 3] {
        [self.inner[0].fd(), self.inner[1].fd(), self.inner[2].fd()]
    }

    /// What lies between the caller and the program. The program's own ends are closed here.
    fn links(
        self,
        request: &ExecRequest<'_>,
        terminal: Option<&OwnedFd>,
    ) -> sys::Result<Vec<Link>> {
        drop(self.inner);
        let [stdin, stdout, stderr] = request.streams;
        if let Some(master) = terminal {
            let (source, sink) = (copy(master.as_fd())?, copy(stdout)?);
            let mut links = vec![Link::new(source, sink, Flow::TerminalOutput)];
            if request.stdin {
                let (source, sink) = (copy(stdin)?, copy(master.as_fd())?);
                links.push(Link::new(source, sink, Flow::TerminalInput));
            }
            return Ok(links);
        }
        let [input, output, error] = self.outer;
        let mut links = Vec::new();
        if let Some(sink) = input {
            links.push(Link::new(copy(stdin)?, sink, Flow::Input));
        }
        for (source, sink) in [(output, stdout), (error, stderr)] {
            if let Some(source) = source {
                links.push(Link::new(source, copy(sink)?, Flow::Output));
            }
        }
        Ok(links)
    }
}

impl Inner<'_> {
    fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Caller(fd) => *fd,
            Self::Own(fd) => fd.as_fd(),
        }
    }
}

/// What the program gets for the caller's stream, and the outer end of a pipe if one lies between.
fn stream(fd: BorrowedFd<'_>, is_input: bool) -> sys::Result<(Inner<'_>, Option<OwnedFd>)> {
    if may_be_handed_over(fd)? {
        return Ok((Inner::Caller(fd), None));
    }
    let (read, write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)
        .map_err(|errno| sys::Error::new("pipe2", "", errno))?;
    let (inner, outer) = if is_input { (read, write) } else { (write, read) };
    Ok((Inner::Own(inner), Some(outer)))
}

fn may_be_handed_over(fd: BorrowedFd<'_>) -> sys::Result<bool> {
    let stat = rustix::fs::fstat(fd).map_err(|errno| sys::Error::new("fstat", "", errno))?;
    let device = (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev));
    Ok(match FileType::from_raw_mode(stat.st_mode) {
        FileType::Fifo => fsinfo::is_anonymous_pipe(fd)?,
        FileType::Socket => true,
        FileType::CharacterDevice => device == (1, 3),
        _ => false,
    })
}
