//! Where the time of `tank apply` goes, by the system calls that it makes. strace stops it at a few
//! calls only, but each stop takes time: the shares are about right, the times are not.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::Outcome;

/// The calls that tell the parts apart.
const CALLS: &str = "execve,socket,unshare,mount,setns,sendto,clone3,fdatasync,exit_group";

/// What `tank apply` does for a bridged pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Makes the pod's namespaces.
    Namespace,
    /// Looks at interfaces, addresses and routes, and makes them; kernel parameters, too.
    Links,
    /// Looks at the packet filter and writes it.
    Firewall,
    /// Starts the monitor and the container, until its program runs.
    Container,
    /// Waits for the disk.
    Commits,
    /// Everything else: starts, reads the state, compares, writes what is not waited for.
    Rest,
}

/// All parts, in the order in which they are shown.
pub(crate) const PARTS: [Part; 6] =
    [Part::Namespace, Part::Links, Part::Firewall, Part::Container, Part::Commits, Part::Rest];

impl Part {
    /// What tables call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Namespace => "namespaces",
            Self::Links => "links, addresses, routes, kernel parameters",
            Self::Firewall => "firewall",
            Self::Container => "monitor and container",
            Self::Commits => "commits",
            Self::Rest => "rest",
        }
    }
}

/// The same program under strace, which writes to `log`. It ends when the pod has ended.
pub(crate) fn command(traced: &Command, log: &Path) -> Command {
    let mut command = Command::new("strace");
    // Other calls do not stop it.
    command.args(["-f", "--seccomp-bpf", "-q", "-ttt", "-T", "-e", &format!("trace={CALLS}")]);
    command.arg("-o").arg(log).arg(traced.get_program()).args(traced.get_args());
    command
}

/// How much of its time tank spends on each part.
#[derive(Debug, Default)]
pub(crate) struct Shares {
    spent: [Duration; PARTS.len()],
    runs: u32,
}

/// One line of strace: a call of a process, or the end of one that another process came between.
#[derive(Debug)]
struct Line<'a> {
    process: &'a str,
    /// Since the epoch.
    time: Duration,
    call: &'a str,
    /// From its begin to its end, or no time if there is more to come.
    took: Duration,
}

impl<'a> Line<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (process, rest) = text.split_once(' ')?;
        let (time, call) = rest.trim_start().split_once(' ')?;
        let took = call.rsplit_once(" <").and_then(|(_, took)| took.strip_suffix('>'));
        let seconds = |text: &str| text.parse().ok().map(Duration::from_secs_f64);
        let took = took.and_then(seconds).unwrap_or_default();
        // The end of a call that was waited for: its time is when it ended.
        let resumed = call.starts_with("<...");
        let call = call.trim_start_matches("<... ");
        let took = if resumed { Duration::ZERO } else { took };
        Some(Self { process, time: seconds(time)?, call, took })
    }

    fn is(&self, call: &str) -> bool {
        self.call.strip_prefix(call).is_some_and(|rest| rest.starts_with(['(', ' ']))
    }
}

impl Shares {
    /// Adds one traced run. The time up to a call counts as what the call is for; between the
    /// start of the monitor and tank's next own call everything is the container's.
    pub(crate) fn add(&mut self, log: &str) -> Outcome<()> {
        let mut lines = log.lines().filter_map(Line::parse);
        let first = lines.next().ok_or("strace wrote nothing")?;
        let (tank, mut now, mut part) = (first.process, first.time, Part::Rest);
        let mut cloned = false;
        for line in lines {
            let own = line.process == tank;
            let before = part;
            part = match () {
                () if cloned && !own => Part::Container,
                () if line.is("fdatasync") => Part::Commits,
                () if line.is("socket") || (own && line.is("exit_group")) => Part::Rest,
                () if line.is("unshare") || line.is("mount") => Part::Namespace,
                () if line.is("setns") => Part::Links,
                () if line.is("clone3") => Part::Container,
                () if line.is("sendto") && line.call.contains("SOCK_DIAG") => Part::Rest,
                () if line.is("sendto") && line.call.contains("NFNL_") => Part::Firewall,
                () if line.is("sendto") => Part::Links,
                () => before,
            };
            let ready = cloned && own && !line.is("clone3");
            let leading = if part == Part::Commits || ready { Part::Rest } else { part };
            self.spend(leading, line.time.saturating_sub(now));
            self.spend(part, line.took);
            now = now.max(line.time + line.took);
            cloned |= line.is("clone3") && own;
            if own && line.is("exit_group") {
                self.runs += 1;
                return Ok(());
            }
        }
        Err("strace saw no end of tank".to_owned())
    }

    fn spend(&mut self, part: Part, time: Duration) {
        for (spent, _) in self.spent.iter_mut().zip(PARTS).filter(|(_, other)| *other == part) {
            *spent += time;
        }
    }

    /// How much of all is this part's, between 0 and 1.
    pub(crate) fn of(&self, part: Part) -> f64 {
        let spent = self.spent.iter().zip(PARTS).find(|(_, other)| *other == part);
        let spent = spent.map_or(Duration::ZERO, |(spent, _)| *spent);
        spent.as_secs_f64() / self.spent.iter().sum::<Duration>().as_secs_f64()
    }

    /// How long a run took.
    pub(crate) fn mean(&self) -> Duration {
        self.spent.iter().sum::<Duration>() / self.runs.max(1)
    }
}
