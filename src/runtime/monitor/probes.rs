//! The probes of the container: made when they are due, and what follows from them.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use rustix::fs::{Mode, OFlags};

use super::watch::{Ticket, Watch};
use crate::model::pod::Probe;
use crate::model::{self, ProbeKind};
use crate::runtime::launch::{Care, Launch, PROTOCOL};
use crate::runtime::observe;
use crate::runtime::probe::{Order, Running, Verdict};
use crate::runtime::record::Health;
use crate::sys::process::Child;
use crate::sys::signal::Signals;
use crate::sys::{self, clock, file, pidfd, poll, process};

/// The signal that tells a monitor to look at what it was told anew.
pub(super) const LOOK: Signal = Signal::SIGHUP;

/// How much longer than its time a probe may take to say that it is over. After that it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// What keeps the container well.
#[derive(Debug)]
pub(super) struct Probes {
    launch: Launch,
    watch: Watch,
    running: Vec<Asked>,
    /// What was last written of its health, and the generation that was about.
    published: Option<(model::Health, u64)>,
    /// The pass that was started when it became ready, for as long as it runs.
    pass: Option<OwnedFd>,
    /// Whether it became ready again since.
    again: bool,
    looks: Signals,
    end: Option<End>,
}

/// A check that is being made.
#[derive(Debug)]
struct Asked {
    ticket: Ticket,
    running: Running,
    /// When it is given up.
    give_up: Instant,
}

/// The end of a container that is not well.
#[derive(Debug)]
struct End {
    /// Why.
    reason: String,
    /// When it is killed; `None` once it was.
    kill: Option<Instant>,
}

impl Probes {
    /// Of a container that was just started.
    pub(super) fn new(launch: &Launch) -> sys::Result<Self> {
        let mut probes = Self {
            launch: launch.clone(),
            watch: Watch::new(clock::monotonic(), &launch.care),
            running: Vec::new(),
            published: None,
            pass: None,
            again: false,
            looks: Signals::block(&[LOOK])?,
            end: None,
        };
        probes.publish();
        Ok(probes)
    }

    /// What is readable when it is worth to call [`turn`](Self::turn).
    pub(super) fn events(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let probes = self.running.iter().map(|asked| asked.running.as_fd());
        let pass = self.pass.iter().map(AsFd::as_fd);
        probes.chain(pass).chain(std::iter::once(self.looks.as_fd()))
    }

    /// When to call [`turn`](Self::turn) even without an event.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let end = self.end.as_ref().map(|end| end.kill);
        let due = if end.is_some() { end.flatten() } else { self.watch.deadline() };
        self.running.iter().map(|asked| asked.give_up).chain(due).min()
    }

    /// Does what is due, and takes in what was found. `child` is the container's first process.
    pub(super) fn turn(&mut self, child: &Child) {
        let now = clock::monotonic();
        let ended = |pass: &mut OwnedFd| process::reap(pass.as_fd()).is_ok_and(|end| end.is_some());
        if self.pass.take_if(ended).is_some() && std::mem::take(&mut self.again) {
            self.start_pass();
        }
        while self.looks.pending().is_ok_and(|signal| signal.is_some()) {
            if let Some(care) = Care::read(&self.launch.files().launch()) {
                self.watch.adopt(&care, now);
                self.launch.care = care;
            }
        }
        self.collect(child, now);
        match &mut self.end {
            None => {
                for (ticket, probe) in self.watch.begin(now) {
                    if ticket.kind != ProbeKind::Readiness && self.is_stopping() {
                        self.watch.leave_out(ticket);
                    } else {
                        self.ask(ticket, probe, child, now);
                    }
                }
            }
            Some(end) if end.kill.is_some_and(|kill| kill <= now) => {
                end.kill = None;
                pidfd::kill(&child.pidfd).ok();
            }
            Some(_) => {}
        }
        self.publish();
    }

    /// Stops probing, and returns why the container was ended, if it was.
    pub(super) fn finish(mut self) -> Option<String> {
        for asked in self.running.drain(..) {
            asked.running.abandon();
        }
        self.end.map(|end| end.reason)
    }

    /// Takes in what probes have found.
    fn collect(&mut self, child: &Child, now: Instant) {
        let is_over = |asked: &mut Asked| {
            asked.give_up <= now
                || poll::readable(asked.running.as_fd(), Some(Duration::ZERO)).unwrap_or(true)
        };
        let over: Vec<Asked> = self.running.extract_if(.., is_over).collect();
        for Asked { ticket, running, give_up } in over {
            let verdict = if give_up <= now {
                running.abandon();
                Verdict::Fail("the probe itself did not end".to_owned())
            } else {
                running.finish()
            };
            if let Some(reason) = self.watch.settle(ticket, verdict)
                && self.end.is_none()
                && !self.is_stopping()
            {
                self.end_container(reason, child, now);
            }
        }
    }

    /// Whether it is being ended already, so that nobody needs to know whether it has to be. As for
    /// the kubelet, only readiness matters until then.
    fn is_stopping(&self) -> bool {
        observe::is_stopping(self.launch.files())
    }

    fn ask(&mut self, ticket: Ticket, probe: Probe, child: &Child, now: Instant) {
        let order = Order {
            check: probe.check,
            timeout: probe.timeout,
            directory: self.launch.directory.clone(),
            container: self.launch.container_cgroup.clone(),
            group: format!("probe-{}", ticket.kind),
        };
        match Running::start(&order, child.pidfd.as_fd()) {
            Ok(running) => {
                let give_up = now + probe.timeout + GRACE;
                self.running.push(Asked { ticket, running, give_up });
            }
            Err(error) => {
                let verdict = Verdict::Unknown(format!("the probe could not be started: {error}"));
                self.watch.settle(ticket, verdict);
            }
        }
    }

    /// Asks the container to end; it is killed when its time is up.
    fn end_container(&mut self, reason: String, child: &Child, now: Instant) {
        let care = &self.launch.care;
        pidfd::send(&child.pidfd, care.stop_signal).ok();
        self.end = Some(End { reason, kill: now.checked_add(care.stop_timeout) });
    }

    /// Tells the others how it is, where that is news.
    fn publish(&mut self) {
        let generation = self.launch.care.generation;
        let health = self.watch.health().map(|health| (health, generation));
        if health == self.published {
            return;
        }
        let path = self.launch.files().health();
        let written = match &health {
            Some((health, _)) => {
                let (version, id) = (PROTOCOL, self.launch.id.clone());
                Health { version, id, generation, health: health.clone() }.write(&path)
            }
            None => file::remove_file(&path),
        };
        // Where there is no room, the next change or turn tries again.
        if written.is_err() {
            return;
        }
        // Nobody believed what was said of an older generation.
        let ready_as_of = |published: &Option<(model::Health, u64)>| {
            let (health, generation) = published.as_ref()?;
            health.ready.then_some(*generation)
        };
        let (before, now) = (ready_as_of(&self.published), ready_as_of(&health));
        self.published = health;
        let care = &self.launch.care;
        let was_waited_for = care.startup.is_some() || care.readiness.is_some();
        if now.is_some() && now != before && was_waited_for {
            self.start_pass();
        }
    }

    /// Starts a pass, because others may have waited for this container; never two at once, however
    /// often it comes and goes.
    fn start_pass(&mut self) {
        if self.pass.is_some() {
            self.again = true;
        } else if let Ok(pass) = start(&self.launch.when_ready) {
            self.pass = pass;
        }
    }
}

/// Starts tank as it is installed now with these words; nothing if there are none.
fn start(words: &[String]) -> sys::Result<Option<OwnedFd>> {
    let Some(program) = words.first() else { return Ok(None) };
    let open = |path: &str, flags| {
        rustix::fs::open(path, flags | OFlags::CLOEXEC, Mode::empty())
            .map_err(|errno| sys::Error::new("open", path, errno))
    };
    let installed =
        open(program, OFlags::PATH).or_else(|_| open("/proc/self/exe", OFlags::PATH))?;
    let null = open("/dev/null", OFlags::RDWR)?;
    let arguments: Vec<CString> =
        words.iter().filter_map(|word| CString::new(word.as_str()).ok()).collect();
    let pid = process::spawn(&process::Program {
        file: installed.as_fd(),
        arguments: &arguments,
        environment: &[],
        descriptors: &[null.as_fd(), null.as_fd(), null.as_fd()],
        cgroup: None,
        new_session: true,
    })?;
    // Its own child, which nobody else reaps: the number is still its.
    pidfd::open(pid).map(Some)
}
