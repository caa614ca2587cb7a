//! Fifty commands at once, some of which are killed, as are containers and monitors.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde_json::Value;

use super::cast;
use super::choice::Choice;
use super::order::{CODE, Order, SAID, Verb};
use super::register::Register;
use super::strike::strike;
use crate::crash::POINTS;
use crate::support::Tank;
use crate::support::program::{Output, Running};

/// How many commands run at any moment.
const AT_ONCE: usize = 50;

/// How long a command may take: twice as long as it may wait for a lock.
const DEADLINE: Duration = Duration::from_secs(60);

/// What no command says, whatever happens to the others.
const NEVER: &[&str] = &["database is locked", "malformed", "panicked", "RUST_BACKTRACE"];

/// After so many the storm is over.
const ENOUGH: usize = 10;

/// What became of one pod, as far as the commands about it tell.
#[derive(Debug)]
pub(super) struct Fate {
    /// The variant that is desired, if the pod is.
    pub(super) variant: Register<Option<u32>>,
    /// Whether it should run.
    pub(super) runs: Register<bool>,
}

/// The storm.
pub(super) struct Storm<'a> {
    tank: &'a Tank,
    choice: Choice,
    /// The directory that tells pods that it goes on.
    sign: PathBuf,
    pub(super) fates: BTreeMap<u32, Fate>,
    /// What should not have been.
    pub(super) wrong: Vec<String>,
    counts: BTreeMap<String, u32>,
}

/// A command that runs.
struct Flight {
    order: Order,
    running: Running,
    process: OwnedFd,
    began: Instant,
    /// When it is killed.
    kill_at: Option<Instant>,
    /// Whether it may be: it was, or it kills itself somewhere.
    doomed: bool,
}

impl<'a> Storm<'a> {
    /// One over pods that are all desired in their first variant.
    pub(super) fn new(tank: &'a Tank, choice: Choice, sign: &Path) -> Self {
        let fate = |n| (n, Fate { variant: Register::new(Some(0)), runs: Register::new(true) });
        let fates = (0..cast::PODS).map(fate).collect();
        let (wrong, counts) = (Vec::new(), BTreeMap::new());
        Self { tank, choice, sign: sign.to_owned(), fates, wrong, counts }
    }

    /// Lets it go on for so long, and every command come to its end.
    pub(super) fn rage(&mut self, period: Duration) {
        let end = Instant::now() + period;
        let mut flights: Vec<Flight> = Vec::new();
        loop {
            while flights.len() < AT_ONCE && Instant::now() < end && self.wrong.len() < ENOUGH {
                flights.push(self.take_off());
            }
            if flights.is_empty() {
                break;
            }
            for landed in turn(&mut flights) {
                self.land(landed);
            }
        }
    }

    /// How many commands ended how, a line each.
    pub(super) fn told(&self) -> String {
        self.counts.iter().map(|(what, count)| format!("{count:6} {what}\n")).collect()
    }

    fn take_off(&mut self) -> Flight {
        let order = Order::any(&mut self.choice);
        let mut command = self.tank.command(&order.args);
        let mut doomed = order.verb.runs_a_pass() && self.choice.one_in(12);
        if doomed {
            command.env("TANK_CRASH_AT", self.choice.of(POINTS));
        }
        let kill_at = self.choice.one_in(4).then(|| {
            doomed = true;
            // Half of them early, where most are still on their way.
            let longest = if self.choice.one_in(2) { 50 } else { 1000 };
            Instant::now() + Duration::from_millis(self.choice.below(longest).into())
        });
        let mut input = String::new();
        if order.verb == Verb::Apply {
            let tables =
                order.pods.iter().map(|(n, variant)| cast::table(*n, *variant, &self.sign));
            input = tables.collect();
        }
        let began = Instant::now();
        let running = Running::start(&mut command, input.as_bytes());
        let pid = Pid::from_raw(running.pid().cast_signed()).expect("a pid");
        let process = pidfd_open(pid, PidfdFlags::empty()).unwrap();
        Flight { order, running, process, began, kill_at, doomed }
    }

    fn land(&mut self, Flight { order, running, began, doomed, .. }: Flight) {
        let output = running.finish(Duration::ZERO);
        let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
        if signal == Some(9) && doomed {
            self.count(order.verb, "killed");
            self.record(&order, None, began);
            return;
        }
        let code = output.status.code();
        if !code.is_some_and(|code| order.may_exit(code)) {
            self.wrong.push(format!("it ended in another way than it may\n{output}"));
        }
        if NEVER.iter().any(|text| output.stdout.contains(text) || output.stderr.contains(text)) {
            self.wrong.push(format!("it said what it never says\n{output}"));
        }
        if order.verb == Verb::Exec && code == Some(CODE) && output.stdout != SAID {
            self.wrong.push(format!("not all that the program said\n{output}"));
        }
        let report = self.report(&order, &output);
        self.count(order.verb, &output.status.to_string());
        if matches!(output.status.code(), Some(0 | 1)) {
            self.record(&order, report.as_ref(), began);
        }
        if order.verb == Verb::Ps
            && let Some(ps) = &report
            && self.choice.one_in(2)
            && strike(self.tank, ps, &mut self.choice)
        {
            *self.counts.entry("containers and monitors killed".to_owned()).or_default() += 1;
        }
    }

    /// What the command reported: whole, or nothing and a reason.
    fn report(&mut self, order: &Order, output: &Output) -> Option<Value> {
        let key = order.verb.report()?;
        if output.stdout.is_empty() && !output.status.success() && !output.stderr.is_empty() {
            for line in output.stderr.lines() {
                self.count(order.verb, &without_numbers(line));
            }
            return None;
        }
        let report: Option<Value> = serde_json::from_str(&output.stdout).ok();
        if report.as_ref().is_none_or(|report| report[key].is_null()) {
            self.wrong.push(format!("its report is not whole\n{output}"));
            return None;
        }
        let report = report?;
        for error in report["errors"].as_array().into_iter().flatten() {
            let error = format!("{}: {}", error["step"], error["error"]);
            self.count(order.verb, &without_numbers(&error));
        }
        Some(report)
    }

    fn count(&mut self, verb: Verb, what: &str) {
        *self.counts.entry(format!("{verb:?}: {what}")).or_default() += 1;
    }

    /// Takes note of what a command did to the pods it names, which is done or failed, and may have
    /// changed those that it does not report or not; without a report that goes for all.
    fn record(&mut self, order: &Order, report: Option<&Value>, began: Instant) {
        for (n, variant) in order.pods.iter().filter(|_| order.verb.changes()) {
            let name = cast::name(*n);
            let told = report.and_then(|report| report["pods"].as_array());
            let told = told.is_some_and(|pods| pods.iter().any(|pod| pod["name"] == name));
            let fate = self.fates.get_mut(n).expect("a pod");
            match order.verb {
                Verb::Apply => fate.variant.write(Some(*variant), began, told),
                Verb::Delete => {
                    fate.variant.write(None, began, told);
                    // It would come back as one that should run.
                    fate.runs.write(true, began, told);
                }
                verb => fate.runs.write(verb != Verb::Stop, began, told),
            }
        }
    }
}

/// Waits until something is due; kills whose time has come, and gives those that have ended.
fn turn(flights: &mut Vec<Flight>) -> Vec<Flight> {
    let now = Instant::now();
    let due = |flight: &Flight| flight.kill_at.unwrap_or(flight.began + DEADLINE);
    let next = flights.iter().map(due).min().unwrap_or(now);
    let left = Timespec::try_from(next.saturating_duration_since(now)).unwrap();
    let mut fds: Vec<_> =
        flights.iter().map(|flight| PollFd::new(&flight.process, PollFlags::IN)).collect();
    poll(&mut fds, Some(&left)).unwrap();
    let ended: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
    let now = Instant::now();
    for flight in flights.iter_mut() {
        let late = now >= flight.began + DEADLINE;
        assert!(!late, "not within {DEADLINE:?}: tank {}", flight.order.args.join(" "));
        if flight.kill_at.is_some_and(|at| now >= at) {
            flight.kill_at = None;
            pidfd_send_signal(&flight.process, Signal::KILL).unwrap_or_default();
        }
    }
    let mut ended = ended.into_iter();
    flights.extract_if(.., |_| ended.next() == Some(true)).collect()
}

/// A text with `N` for every number or id, so that those which say the same are counted as one.
fn without_numbers(text: &str) -> String {
    let words = text
        .split(' ')
        .map(|word| if word.bytes().any(|byte| byte.is_ascii_digit()) { "N" } else { word });
    words.collect::<Vec<_>>().join(" ")
}
