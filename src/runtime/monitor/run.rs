//! A running instance: its init is started, its output moved to the log, its end awaited.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use oci_spec::runtime::Spec;
use rustix::event::{PollFd, PollFlags};
use rustix::fs::{Mode, OFlags};
use rustix::pipe::PipeFlags;

use super::audience::Audience;
use super::output::Source;
use super::probes::Probes;
use super::shutdown::Shutdown;
use super::{Failure, Launch, PROTOCOL, Status};
use crate::model::{Exit, ExitReason};
use crate::runtime::cgroup::{DeviceRules, Group, Limits, OomCounter};
use crate::runtime::failure::Doing;
use crate::runtime::init::{Init, program, shares_pids};
use crate::runtime::log::{Log, Stream};
use crate::runtime::message::Message;
use crate::runtime::observe::identity;
use crate::sys::process::{Child, Ended, Forked, Namespaces};
use crate::sys::{self, clock, memory, pidfd, poll, process, socket};

/// How long output may still come after the program ended. All of its processes are gone by then, so
/// only a descriptor that it gave away could hold a pipe open.
const DRAIN: Duration = Duration::from_secs(2);

/// How long what the first process left behind may take to be gone once it was killed.
const REMAINS: Duration = Duration::from_secs(2);

/// An instance whose program was executed.
pub(super) struct Running {
    /// What is told of it.
    pub(super) status: Status,
    first: First,
    sources: Vec<Source>,
    log: Log,
    audience: Audience,
    probes: Option<Probes>,
    oom: Option<OomCounter>,
    shutdown: Shutdown,
}

impl Running {
    /// Makes the cgroup, starts init, and waits until it executed the program or failed. The
    /// instance is ended when this is dropped before it is [kept](Self::keep).
    pub(super) fn start(launch: &Launch, spec: &Spec, group: Group) -> Result<Self, Failure> {
        let linux = spec.linux().as_ref().ok_or_else(|| program::incomplete("linux"))?;
        let resources = linux.resources().as_ref();
        let limits = resources.map(Limits::from_oci).unwrap_or_default();
        let devices = DeviceRules::with_devices(linux.devices().iter().flatten());
        let notes = group.create(&limits, Some(&devices)).doing("make the cgroup")?;
        let mut notes: Vec<String> = notes.iter().map(ToString::to_string).collect();
        let oom = group.oom_counter().ok().flatten();
        let terminal = spec.process().as_ref().and_then(|process| process.terminal());
        let streams =
            if terminal == Some(true) { None } else { Some(Streams::open(launch.stdin)?) };
        let (ours, theirs) = socket::pair().doing("make a socket")?;

        let into = group.open_for_clone().ok().flatten();
        let shares_pids = shares_pids(spec);
        let own_pids = if shares_pids { Namespaces::empty() } else { Namespaces::NEWPID };
        let namespaces = Namespaces::NEWNS | own_pids;
        let forked = process::fork(namespaces, into.as_ref().map(AsFd::as_fd));
        let child = match forked.doing("start the container's first process")? {
            Forked::Parent(child) => child,
            Forked::Child => {
                drop(ours);
                let streams = streams.map(|streams| streams.inner);
                Init { spec, launch, group: &group, streams, socket: theirs.as_fd() }.run()
            }
        };
        drop(theirs);
        let remains = shares_pids.then(|| Remains(group));
        let mut first = First { child, remains, is_kept: false };
        let (mut sources, input) = match streams {
            Some(streams) => streams.outer()?,
            None => (Vec::new(), None),
        };
        let (mut master, mut failed) = (None, None);
        while let Some((message, fd)) =
            Message::receive(ours.as_fd()).doing("hear from the container's first process")?
        {
            match message {
                Message::Terminal => master = fd,
                Message::Notes(more) => notes.extend(more),
                Message::Entered(pid) => {
                    process::wait_pid(first.child.pid).doing("reap the process that made it")?;
                    first.child = process::own_child(pid).doing("find the first process")?;
                }
                Message::Failed(failure) => failed = Some(failure),
                _ => {}
            }
        }
        if let Some(failure) = failed {
            return Err(failure);
        }
        // It may have ended by now; until it is reaped it can be read.
        let process = identity(first.child.pid).doing("identify the container's first process")?;
        let monitor =
            identity(rustix::process::getpid().as_raw_pid()).doing("identify the monitor")?;
        let status = Status {
            version: PROTOCOL,
            id: launch.id.clone(),
            monitor,
            process,
            started_at: clock::moment(),
            notes,
        };
        if let Some(master) = &master {
            let doing = "read the terminal";
            let copy = master.try_clone();
            let copy = copy.map_err(|e| sys::Error::new("fcntl", "F_DUPFD_CLOEXEC", e));
            sources.push(Source::new(copy.doing(doing)?, Stream::Stdout).doing(doing)?);
        }
        let log = Log::open(launch.log.clone(), launch.files().launch());
        let audience = Audience::new(launch.files().attach(), master, input);
        let audience = audience.doing("listen for those who attach")?;
        let probes = Some(Probes::new(launch).doing("prepare the probes")?);
        let shutdown = Shutdown::watch().doing("listen for a shutdown")?;
        Ok(Self { status, first, sources, log, audience, probes, oom, shutdown })
    }

    /// Lets the instance live on, because others can find it now.
    pub(super) fn keep(&mut self) {
        self.first.is_kept = true;
    }

    /// Waits for the program's end, then for the end of its output.
    pub(super) fn wait(&mut self) -> Exit {
        // There is a monitor beside every container, and nearly all of the time it waits.
        memory::release_idle();
        let mut ended = None;
        let mut deadline = None;
        let mut unwell = None;
        while ended.is_none() || !self.sources.is_empty() {
            let left = match deadline {
                Some(deadline) if deadline <= clock::monotonic() => break,
                Some(deadline) => Some(deadline - clock::monotonic()),
                None => None,
            };
            self.turn(ended.is_none(), left);
            if ended.is_none() {
                ended = process::reap(self.first.child.pidfd.as_fd()).ok().flatten();
                if ended.is_some() {
                    unwell = self.probes.take().and_then(Probes::finish);
                    self.first.remains = None;
                    self.sources.iter_mut().for_each(Source::wake);
                    deadline = clock::monotonic().checked_add(DRAIN);
                }
            }
        }
        self.log.close(clock::now());
        self.exit(ended, unwell)
    }

    /// Waits for one event, and moves output and input. While there is none, compresses some of
    /// the log.
    fn turn(&mut self, watch_child: bool, timeout: Option<Duration>) {
        let now = clock::monotonic();
        let is_due = |source: &&mut Source| source.rests().is_some_and(|until| until <= now);
        self.sources.iter_mut().filter(is_due).for_each(Source::wake);
        let is_awake = |source: &&Source| source.rests().is_none();
        let sources = self.sources.iter().filter(is_awake);
        let sources = sources.map(|source| (source.as_fd(), PollFlags::IN));
        let child = watch_child.then(|| (self.first.child.pidfd.as_fd(), PollFlags::IN));
        let audience = self.audience.interests();
        let probes = self.probes.iter().flat_map(Probes::events);
        let mut fds: Vec<_> = sources
            .chain(child)
            .chain(probes.map(|fd| (fd, PollFlags::IN)))
            .chain(std::iter::once((self.shutdown.as_fd(), PollFlags::IN)))
            .chain(audience.iter().map(|(_, fd, flags)| (*fd, *flags)))
            .map(|(fd, flags)| PollFd::from_borrowed_fd(fd, flags))
            .collect();
        // Once the program has ended, what comes next is more urgent.
        let is_idle = watch_child && self.log.has_backlog();
        let due = self.probes.as_ref().and_then(Probes::deadline);
        let rests = self.sources.iter().filter_map(Source::rests);
        let until_late = self.audience.deadline().into_iter().chain(due).chain(rests).min();
        let until_late =
            until_late.map(|deadline| deadline.saturating_duration_since(clock::monotonic()));
        let timeout = if is_idle { Some(Duration::ZERO) } else { timeout };
        let waited = poll::wait(&mut fds, timeout.into_iter().chain(until_late).min());
        let happened: Vec<_> = fds.iter().map(PollFd::revents).collect();
        let tokens: Vec<_> = audience.iter().map(|(token, ..)| *token).collect();
        self.audience.expire();
        self.shutdown.turn(clock::monotonic());
        if let Some(probes) = &mut self.probes {
            probes.turn(&self.first.child);
        }
        match waited {
            Ok(true) => {}
            Ok(false) if is_idle => return self.log.compress(),
            Ok(false) | Err(_) => return,
        }
        let mut ready = happened.iter().map(|happened| !happened.is_empty());
        let (log, audience) = (&mut self.log, &mut self.audience);
        self.sources.retain_mut(|source| {
            source.rests().is_some()
                || !ready.next().unwrap_or_default()
                || source.drain(log, audience, !watch_child)
        });
        let theirs = happened.iter().skip(happened.len() - tokens.len());
        for (token, happened) in tokens.into_iter().zip(theirs) {
            if !happened.is_empty() {
                audience.handle(token, *happened);
            }
        }
    }

    /// Whether the machine goes down, and the program with it.
    pub(super) fn is_shut_down(&mut self) -> bool {
        self.shutdown.is_under_way(clock::monotonic())
    }

    /// Tells those who are attached how it ended.
    pub(super) fn dismiss(self, exit: &Exit) {
        self.audience.dismiss(exit);
    }

    /// How it ended; `unwell` says why it was asked to, if it was for a probe.
    fn exit(&self, ended: Option<Ended>, unwell: Option<String>) -> Exit {
        let killed = ended == Some(Ended::Signaled(libc::SIGKILL));
        let oom = self.oom.as_ref().and_then(|counter| counter.count().ok()).unwrap_or(0) > 0;
        let (code, signal) = match ended {
            Some(Ended::Exited(code)) => (Some(code), None),
            Some(Ended::Signaled(signal)) => (None, Some(signal)),
            None => (None, None),
        };
        let reason = match (ended, unwell) {
            (None, _) => ExitReason::Unknown,
            (_, Some(reason)) => ExitReason::Probe(reason),
            _ if oom && killed => ExitReason::Oom,
            _ => ExitReason::Exited,
        };
        Exit { code, signal, oom, reason, finished_at: Some(clock::moment()) }
    }
}

/// The first process of an instance. Until it is kept, dropping this ends it with all that it has
/// started: nobody looks after one that nobody was told of.
struct First {
    child: Child,
    /// What has to end with it, if it is not pid 1 and so takes nobody along.
    remains: Option<Remains>,
    is_kept: bool,
}

impl Drop for First {
    fn drop(&mut self) {
        if !self.is_kept {
            // It may have ended by itself, as one does that could not execute the program.
            pidfd::kill(&self.child.pidfd).ok();
            process::wait_pid(self.child.pid).ok();
        }
    }
}

/// The cgroup of an instance in a pid namespace of its pod's, whose processes its first process
/// does not take along. Dropping this ends what there is of them.
struct Remains(Group);

impl Drop for Remains {
    fn drop(&mut self) {
        // What does not end in time is left to whoever removes the instance.
        self.0.clear(clock::monotonic() + REMAINS).ok();
    }
}

/// Both ends of a container's standard streams.
struct Streams {
    inner: [OwnedFd; 3],
    /// The other end of standard input, if it is a pipe.
    stdin: Option<OwnedFd>,
    stdout: OwnedFd,
    stderr: OwnedFd,
}

impl Streams {
    fn open(with_input: bool) -> Result<Self, Failure> {
        let doing = "make the standard streams";
        let pipe = || {
            rustix::pipe::pipe_with(PipeFlags::CLOEXEC)
                .map_err(|errno| sys::Error::new("pipe2", "", errno))
        };
        let (inner_stdin, stdin) = if with_input {
            let (read, write) = pipe().doing(doing)?;
            (read, Some(write))
        } else {
            let flags = OFlags::RDONLY | OFlags::CLOEXEC;
            let null = rustix::fs::open("/dev/null", flags, Mode::empty())
                .map_err(|errno| sys::Error::new("open", "/dev/null", errno));
            (null.doing(doing)?, None)
        };
        let (stdout, inner_stdout) = pipe().doing(doing)?;
        let (stderr, inner_stderr) = pipe().doing(doing)?;
        Ok(Self { inner: [inner_stdin, inner_stdout, inner_stderr], stdin, stdout, stderr })
    }

    /// The ends that the monitor reads, and the one that it writes; the container's are closed
    /// here.
    fn outer(self) -> Result<(Vec<Source>, Option<OwnedFd>), Failure> {
        let doing = "read the standard streams";
        drop(self.inner);
        let sources = vec![
            Source::new(self.stdout, Stream::Stdout).doing(doing)?,
            Source::new(self.stderr, Stream::Stderr).doing(doing)?,
        ];
        Ok((sources, self.stdin))
    }
}
