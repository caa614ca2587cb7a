//! When to probe, and what follows from what was found: the rules of the kubelet, without a clock
//! or a process of their own.
//!
//! <https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/>

use std::time::{Duration, Instant};

use crate::model::pod::Probe;
use crate::model::{Health, ProbeHealth, ProbeKind};
use crate::runtime::launch::Care;
use crate::runtime::probe::Verdict;

/// The probes of one container.
#[derive(Debug)]
pub(super) struct Watch {
    started: Instant,
    tracks: Vec<Track>,
    /// How many probes there have been.
    count: u64,
}

/// One check of one probe. What is found by one of a probe that was changed meanwhile is not about
/// the one that took its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    /// Which of the container's probes.
    pub(super) kind: ProbeKind,
    number: u64,
}

/// One probe, and how it went.
#[derive(Debug)]
struct Track {
    ticket: Ticket,
    probe: Probe,
    /// When the next check is due.
    due: Instant,
    /// Whether one is being made. Checks of one probe never overlap.
    busy: bool,
    successes: u32,
    failures: u32,
    passing: Option<bool>,
    detail: Option<String>,
}

impl Track {
    fn new(ticket: Ticket, probe: Probe, from: Instant) -> Self {
        let due = later(from, probe.initial_delay);
        let (busy, successes, failures) = (false, 0, 0);
        Self { ticket, probe, due, busy, successes, failures, passing: None, detail: None }
    }

    fn kind(&self) -> ProbeKind {
        self.ticket.kind
    }

    /// Takes in a verdict.
    fn settle(&mut self, verdict: Verdict) {
        self.busy = false;
        match verdict {
            Verdict::Pass => {
                (self.successes, self.failures) = (self.successes.saturating_add(1), 0);
                self.detail = None;
                if self.successes >= self.probe.successes {
                    self.passing = Some(true);
                }
            }
            Verdict::Fail(problem) => {
                let failures = self.failures.saturating_add(1).min(self.probe.failures);
                (self.successes, self.failures) = (0, failures);
                self.detail = Some(problem);
                if failures >= self.probe.failures {
                    self.passing = Some(false);
                }
            }
            // Nothing was learned.
            Verdict::Unknown(problem) => self.detail = Some(problem),
        }
    }
}

fn later(from: Instant, delay: Duration) -> Instant {
    // A delay that no clock can hold never ends.
    from.checked_add(delay).unwrap_or(from + Duration::from_secs(u64::from(u32::MAX)))
}

impl Watch {
    /// Of a container that was started at `started`.
    pub(super) fn new(started: Instant, care: &Care) -> Self {
        let mut watch = Self { started, tracks: Vec::new(), count: 0 };
        watch.adopt(care, started);
        watch
    }

    /// Takes up other probes. One that is the same goes on; another begins anew.
    pub(super) fn adopt(&mut self, care: &Care, now: Instant) {
        let has_started = now > self.started && self.has_started();
        let mut old = std::mem::take(&mut self.tracks);
        let from = if now > self.started { now } else { self.started };
        for kind in ProbeKind::ALL {
            let Some(probe) = care.probe(kind) else { continue };
            let known = old.iter().position(|track| track.kind() == kind && track.probe == *probe);
            let mut track = match known {
                Some(known) => old.swap_remove(known),
                None => {
                    self.count += 1;
                    Track::new(Ticket { kind, number: self.count }, probe.clone(), from)
                }
            };
            // What has started is not asked again whether it has.
            if kind == ProbeKind::Startup && has_started {
                track.passing = Some(true);
            }
            self.tracks.push(track);
        }
    }

    fn has_started(&self) -> bool {
        let holds = |track: &&Track| track.kind() == ProbeKind::Startup;
        self.tracks.iter().find(holds).is_none_or(|track| track.passing == Some(true))
    }

    /// Those that may be made now: the startup probe until it has passed, then the others.
    fn active(&self) -> impl Iterator<Item = usize> {
        let started = self.has_started();
        let is_active = move |track: &Track| (track.kind() == ProbeKind::Startup) != started;
        let tracks = self.tracks.iter().enumerate();
        tracks.filter(move |(_, track)| is_active(track) && !track.busy).map(|(place, _)| place)
    }

    /// When the next check is due, if one will be.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.active().map(|place| self.tracks[place].due).min()
    }

    /// The checks to begin now. The next one of each comes a period later.
    pub(super) fn begin(&mut self, now: Instant) -> Vec<(Ticket, Probe)> {
        let due: Vec<usize> =
            self.active().filter(|place| self.tracks[*place].due <= now).collect();
        let begin = |place: usize| {
            let track = &mut self.tracks[place];
            track.busy = true;
            track.due = later(now, track.probe.period);
            (track.ticket, track.probe.clone())
        };
        due.into_iter().map(begin).collect()
    }

    /// Gives up a check that was begun but is not to be made.
    pub(super) fn leave_out(&mut self, ticket: Ticket) {
        if let Some(track) = self.tracks.iter_mut().find(|track| track.ticket == ticket) {
            track.busy = false;
        }
    }

    /// Takes in what a check found; returns why the container has to be ended, if it has.
    pub(super) fn settle(&mut self, ticket: Ticket, verdict: Verdict) -> Option<String> {
        let track = self.tracks.iter_mut().find(|track| track.ticket == ticket)?;
        track.settle(verdict);
        let kind = ticket.kind;
        if kind == ProbeKind::Readiness || track.passing != Some(false) {
            return None;
        }
        let times = match track.failures {
            1 => "once".to_owned(),
            failures => format!("{failures} times in a row"),
        };
        let detail = track.detail.as_deref().unwrap_or("no reason is known");
        Some(format!("{kind} probe failed {times}: {detail}"))
    }

    /// How the container is; `None` if nobody asks.
    pub(super) fn health(&self) -> Option<Health> {
        if self.tracks.is_empty() {
            return None;
        }
        let of = |track: &Track| ProbeHealth {
            kind: track.kind(),
            passing: track.passing,
            failures: track.failures,
            detail: track.detail.clone(),
        };
        let is_unready =
            |track: &Track| track.kind() == ProbeKind::Readiness && track.passing != Some(true);
        let ready = self.has_started() && !self.tracks.iter().any(is_unready);
        Some(Health { ready, probes: self.tracks.iter().map(of).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::pod::Check;

    const SECOND: Duration = Duration::from_secs(1);

    fn probe(failures: u32, successes: u32) -> Probe {
        Probe {
            check: Check::Tcp { port: 1 },
            initial_delay: Duration::ZERO,
            period: 10 * SECOND,
            timeout: 5 * SECOND,
            failures,
            successes,
        }
    }

    /// A container that was started at second 0, watched second by second.
    struct Timeline {
        start: Instant,
        watch: Watch,
    }

    impl Timeline {
        fn new(care: &Care) -> Self {
            let start = crate::sys::clock::monotonic();
            Self { start, watch: Watch::new(start, care) }
        }

        fn at(&self, second: u32) -> Instant {
            self.start + second * SECOND
        }

        /// The probes that are begun at a second.
        fn begun(&mut self, second: u32) -> Vec<ProbeKind> {
            self.watch.begin(self.at(second)).into_iter().map(|(ticket, _)| ticket.kind).collect()
        }

        fn ticket(&self, kind: ProbeKind) -> Ticket {
            self.watch.tracks.iter().find(|track| track.kind() == kind).unwrap().ticket
        }

        fn pass(&mut self, kind: ProbeKind) -> Option<String> {
            self.watch.settle(self.ticket(kind), Verdict::Pass)
        }

        fn fail(&mut self, kind: ProbeKind) -> Option<String> {
            let refused = Verdict::Fail("refused".to_owned());
            self.watch.settle(self.ticket(kind), refused)
        }

        fn is_ready(&self) -> bool {
            self.watch.health().unwrap().ready
        }
    }

    use ProbeKind::{Liveness, Readiness, Startup};

    #[test]
    fn nobody_asks_about_a_container_without_probes() {
        let mut line = Timeline::new(&Care::default());
        assert_eq!(line.begun(100), []);
        assert_eq!(line.watch.deadline(), None);
        assert_eq!(line.watch.health(), None);
    }

    #[test]
    fn a_check_comes_every_period_and_never_beside_the_one_before() {
        let care = Care { liveness: Some(probe(3, 1)), ..Care::default() };
        let mut line = Timeline::new(&care);
        assert_eq!(line.begun(0), [Liveness]);
        assert_eq!(line.watch.deadline(), None);
        assert_eq!(line.begun(30), []);
        assert_eq!(line.pass(Liveness), None);
        assert_eq!(line.begun(31), [Liveness]);
        assert_eq!(line.pass(Liveness), None);
        assert_eq!(line.watch.deadline(), Some(line.at(41)));
        assert_eq!(line.begun(40), []);
        assert_eq!(line.begun(41), [Liveness]);
    }

    #[test]
    fn the_first_check_waits_for_its_delay() {
        let delayed = Probe { initial_delay: 7 * SECOND, ..probe(1, 1) };
        let mut line = Timeline::new(&Care { readiness: Some(delayed), ..Care::default() });
        assert_eq!(line.begun(6), []);
        assert_eq!(line.watch.deadline(), Some(line.at(7)));
        assert_eq!(line.begun(7), [Readiness]);
    }

    #[test]
    fn a_container_is_ended_when_its_liveness_failed_often_enough_in_a_row() {
        let care = Care { liveness: Some(probe(3, 1)), ..Care::default() };
        let mut line = Timeline::new(&care);
        for (second, passes) in [(0, false), (10, false), (20, true), (30, false), (40, false)] {
            assert_eq!(line.begun(second), [Liveness]);
            let end = if passes { line.pass(Liveness) } else { line.fail(Liveness) };
            assert_eq!(end, None);
        }
        line.begun(50);
        let end = line.fail(Liveness).unwrap();
        assert_eq!(end, "liveness probe failed 3 times in a row: refused");
    }

    #[test]
    fn readiness_comes_and_goes_and_ends_nothing() {
        let care = Care { readiness: Some(probe(2, 2)), ..Care::default() };
        let mut line = Timeline::new(&care);
        let mut seen = Vec::new();
        for passes in [true, true, false, true, false, false, false, true, true] {
            line.begun(0);
            assert_eq!(if passes { line.pass(Readiness) } else { line.fail(Readiness) }, None);
            seen.push(line.is_ready());
        }
        assert_eq!(seen, [false, true, true, true, true, false, false, false, true]);
    }

    #[test]
    fn the_others_wait_until_the_startup_probe_has_passed_which_then_rests() {
        let care = Care {
            startup: Some(probe(30, 1)),
            readiness: Some(probe(1, 1)),
            liveness: Some(probe(1, 1)),
            ..Care::default()
        };
        let mut line = Timeline::new(&care);
        assert_eq!(line.begun(0), [Startup]);
        assert_eq!(line.fail(Startup), None);
        assert_eq!(line.begun(10), [Startup]);
        assert_eq!(line.pass(Startup), None);
        assert!(!line.is_ready());
        assert_eq!(line.begun(10), [Readiness, Liveness]);
        line.pass(Readiness);
        assert!(line.is_ready());
        assert_eq!(line.begun(20), [Readiness]);
    }

    #[test]
    fn a_container_that_does_not_start_is_ended() {
        let mut line = Timeline::new(&Care { startup: Some(probe(1, 1)), ..Care::default() });
        line.begun(0);
        assert_eq!(line.fail(Startup).unwrap(), "startup probe failed once: refused");
    }

    #[test]
    fn what_has_started_stays_so_when_its_startup_probe_is_changed() {
        let mut line = Timeline::new(&Care { liveness: Some(probe(1, 1)), ..Care::default() });
        line.begun(0);
        line.pass(Liveness);
        let care =
            Care { startup: Some(probe(1, 1)), liveness: Some(probe(1, 1)), ..Care::default() };
        line.watch.adopt(&care, line.at(1));
        assert!(line.is_ready());
        assert_eq!(line.begun(10), [Liveness]);
    }

    #[test]
    fn a_check_that_could_not_be_made_says_nothing() {
        let care = Care { liveness: Some(probe(1, 1)), ..Care::default() };
        let mut line = Timeline::new(&care);
        line.begun(0);
        let unknown = Verdict::Unknown("no memory".to_owned());
        assert_eq!(line.watch.settle(line.ticket(Liveness), unknown), None);
        let health = line.watch.health().unwrap();
        assert_eq!((health.probes[0].passing, health.probes[0].failures), (None, 0));
    }

    #[test]
    fn another_probe_begins_anew_and_the_same_goes_on() {
        let care =
            Care { readiness: Some(probe(1, 1)), liveness: Some(probe(1, 1)), ..Care::default() };
        let mut line = Timeline::new(&care);
        line.begun(0);
        line.pass(Readiness);
        line.pass(Liveness);
        let old = line.ticket(Readiness);
        let other = Probe { period: SECOND, ..probe(1, 1) };
        let care = Care { readiness: Some(other), ..care };
        line.watch.adopt(&care, line.at(3));
        assert!(!line.is_ready());
        // A check of the old one that was under way says nothing of the new one.
        assert_eq!(line.watch.settle(old, Verdict::Pass), None);
        assert!(!line.is_ready());
        assert_eq!(line.begun(3), [Readiness]);
        assert_eq!(line.begun(10), [Liveness]);
        let old = line.ticket(Liveness);
        line.watch.adopt(&Care::default(), line.at(11));
        assert_eq!(line.watch.health(), None);
        let refused = Verdict::Fail("refused".to_owned());
        assert_eq!(line.watch.settle(old, refused), None);
    }
}
