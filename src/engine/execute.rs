//! The one interpreter of a plan: lanes side by side, the steps of each in order.
//!
//! There are no threads. A step that takes long is one that waits for somebody else (a monitor
//! that reports, a program that ends), so all lanes are driven by one poll loop.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

use super::ending::Ending;
use super::error::{Error, Result};
use super::lock::PodLock;
use super::pass::{Event, Watch};
use super::work::Work;
use super::{Engine, fault};
use crate::model::{ContainerName, DesiredPod, Exit, ExitReason, Instance, PodName, State};
use crate::plan::{Action, Step};
use crate::runtime::directories::Directories;
use crate::runtime::start::{StartError, Starting};
use crate::sys::{clock, poll};

/// How many lanes are worked on at once. Each may hold a handful of descriptors.
const PARALLEL: usize = 16;

/// How long a step may wait before others are told that it does.
const PATIENCE: Duration = Duration::from_secs(1);

/// What became of a step.
#[derive(Debug)]
pub(super) struct Outcome {
    /// The step.
    pub(super) step: Step,
    /// The instance it was about, as it is now.
    pub(super) instance: Option<Instance>,
    /// The chain of errors if it failed; the steps after it in its lane that need it were not begun.
    pub(super) error: Option<String>,
}

/// A lane that is over. The pod stays locked until what became of it is written: whoever comes
/// next must find it in the database.
#[derive(Debug)]
pub(super) struct Finished {
    /// The pod.
    pub(super) pod: PodName,
    /// What is desired of it.
    pub(super) desired: Option<DesiredPod>,
    /// What became of the steps that were begun.
    pub(super) outcomes: Vec<Outcome>,
    connects: bool,
    lock: PodLock,
}

impl Finished {
    /// Whether the pod is no more.
    pub(super) fn is_forgotten(&self) -> bool {
        let forgotten =
            |outcome: &Outcome| outcome.step.action == Action::Forget && outcome.error.is_none();
        self.outcomes.iter().any(forgotten)
    }

    /// Whether the pod has no sandbox any more, nor gets another.
    pub(super) fn gave_up_sandbox(&self) -> bool {
        let done = |outcome: &Outcome| {
            outcome.step.action == Action::RemoveSandbox && outcome.error.is_none()
        };
        self.outcomes.iter().any(done) && !self.connects
    }

    /// Lets others work on the pod.
    pub(super) fn release(self, directories: &Directories) -> Result<()> {
        if self.is_forgotten() {
            self.lock.remove(directories, &self.pod)?;
        }
        Ok(())
    }
}

/// A plan that is being carried out.
pub(super) struct Execution {
    queue: VecDeque<Work>,
    running: Vec<Running>,
}

/// A lane that is being worked on.
struct Running {
    work: Work,
    steps: VecDeque<Step>,
    waiting: Option<(Step, Waiting)>,
    /// When it is told that the lane waits; `None` if that was done.
    late: Option<Instant>,
    outcomes: Vec<Outcome>,
}

pub(super) enum Waiting {
    Start(Starting, Box<Instance>),
    Stop(Box<Ending>),
}

impl Waiting {
    fn event(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Start(starting, _) => Some(starting.as_fd()),
            Self::Stop(ending) => ending.event(),
        }
    }

    fn deadline(&self, now: Instant) -> Option<Instant> {
        match self {
            Self::Start(..) => None,
            Self::Stop(ending) => Some(ending.deadline(now)),
        }
    }
}

/// What beginning or continuing a step came to.
pub(super) enum Progress {
    Done(Option<Box<Instance>>),
    Waiting(Waiting),
}

impl Execution {
    /// Of these lanes.
    pub(super) fn new(works: Vec<Work>) -> Self {
        Self { queue: works.into(), running: Vec::new() }
    }

    /// Whether all lanes are over.
    pub(super) fn is_over(&self) -> bool {
        self.queue.is_empty() && self.running.is_empty()
    }

    /// Whether no lane that comes before this one is still to be done.
    fn may_begin(&self, work: &Work) -> bool {
        let running = self.running.iter().map(|running| &running.work.lane.pod);
        let mut open = self.queue.iter().map(|work| &work.lane.pod).chain(running);
        work.lane.after.is_empty() || !open.any(|pod| work.lane.after.contains(pod))
    }

    /// The next lane to be begun, if one may be.
    fn next(&mut self) -> Option<Work> {
        let place = self.queue.iter().position(|work| self.may_begin(work));
        // Pods that depend on each other are refused; should there be some, they must hang nobody.
        let place = place.or_else(|| self.running.is_empty().then_some(0))?;
        self.queue.remove(place)
    }

    /// The steps that have waited for long, each once, with their pods.
    pub(super) fn late(&mut self) -> Vec<(PodName, String)> {
        let now = clock::monotonic();
        let is_late = |running: &&mut Running| running.late.is_some_and(|late| late <= now);
        let tell = |running: &mut Running| {
            running.late = None;
            let (step, _) = running.waiting.as_ref()?;
            Some((running.work.lane.pod.clone(), step.id.clone()))
        };
        self.running.iter_mut().filter(is_late).filter_map(tell).collect()
    }

    /// Goes on until there is nothing left to do but to wait; returns the lanes that are over. If
    /// none is, waits, until one is or a step is [`late`](Self::late).
    pub(super) fn go_on(&mut self, engine: &Engine, watch: Watch<'_>) -> Result<Vec<Finished>> {
        let mut finished = Vec::new();
        loop {
            while self.running.len() < PARALLEL {
                let Some(work) = self.next() else { break };
                self.running.push(Running::new(work));
            }
            for lane in &mut self.running {
                lane.advance(engine, watch);
            }
            let over = self.running.extract_if(.., |lane| lane.waiting.is_none());
            finished.extend(over.map(Running::finish));
            if self.running.len() < PARALLEL && self.queue.iter().any(|work| self.may_begin(work)) {
                continue;
            }
            let is_late =
                |running: &Running| running.late.is_some_and(|late| late <= clock::monotonic());
            if self.running.is_empty() || !finished.is_empty() || self.running.iter().any(is_late) {
                return Ok(finished);
            }
            wait(&self.running)?;
        }
    }
}

/// Waits until one of the lanes can go on.
fn wait(running: &[Running]) -> Result<()> {
    let now = clock::monotonic();
    let waiting = || running.iter().filter_map(|lane| lane.waiting.as_ref());
    let mut fds: Vec<_> = waiting()
        .filter_map(|(_, waiting)| waiting.event())
        .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
        .collect();
    let due = waiting().filter_map(|(_, waiting)| waiting.deadline(now));
    let deadline = due.chain(running.iter().filter_map(|lane| lane.late)).min();
    let timeout = deadline.map(|deadline| deadline.saturating_duration_since(now));
    poll::wait(&mut fds, timeout)?;
    Ok(())
}

impl Running {
    fn new(work: Work) -> Self {
        let is_begun =
            |step: &&Step| work.refused.is_none() || matches!(step.action, Action::Connect { .. });
        let steps = work.lane.steps.iter().filter(is_begun).cloned().collect();
        Self { work, steps, waiting: None, late: None, outcomes: Vec::new() }
    }

    /// Goes on until the lane has to wait, has failed, or is done.
    fn advance(&mut self, engine: &Engine, watch: Watch<'_>) {
        loop {
            let (step, progress) = if let Some((step, waiting)) = self.waiting.take() {
                let progress = waiting.go_on();
                (step, progress)
            } else {
                let Some(step) = self.steps.pop_front() else { return };
                self.late = clock::monotonic().checked_add(PATIENCE);
                watch(Event::Begun(&self.work.lane.pod, &step));
                fault::point(&format!("before-{}", step.action.name()));
                let progress = match self.work.refused.take() {
                    Some(error) => Err((None, error)),
                    None => engine.begin(&mut self.work, &step),
                };
                (step, progress)
            };
            let (instance, error) = match progress {
                Ok(Progress::Waiting(waiting)) => {
                    self.waiting = Some((step, waiting));
                    if !self.can_go_on() {
                        return;
                    }
                    continue;
                }
                Ok(Progress::Done(instance)) => (instance.map(|boxed| *boxed), None),
                Err((instance, error)) => (instance.map(|boxed| *boxed), Some(error)),
            };
            fault::point(&format!("after-{}", step.action.name()));
            if error.is_some() {
                self.leave_out(&step);
            }
            if let Some(instance) = &instance {
                self.work.instances.insert(instance.id.clone(), instance.clone());
            }
            let error = error.map(|error| chain(&error));
            watch(Event::Done(&self.work.lane.pod, &step, error.as_deref()));
            self.outcomes.push(Outcome { step, instance, error });
        }
    }

    /// Leaves out what cannot be done because `failed` was not. A container that does not start, or
    /// does not end, keeps no other from doing so: otherwise one that never does would keep them for
    /// ever. But nothing is done to the sandbox that one is still in, nor in a new one, and what runs
    /// before all others does not run beside them.
    fn leave_out(&mut self, failed: &Step) {
        let others_start = |step: &Step| {
            matches!(step.action, Action::Start { .. }) && step.container != failed.container
        };
        match failed.action {
            Action::Start { .. } => self.steps.retain(others_start),
            Action::Stop { .. } | Action::Remove { .. } => {
                let end = self.steps.iter().position(|step| {
                    matches!(
                        step.action,
                        Action::RemoveSandbox | Action::CreateSandbox | Action::Forget
                    )
                });
                self.steps.truncate(end.unwrap_or(self.steps.len()));
                let desired = self.work.desired.as_ref();
                let is_init = |name: &ContainerName| {
                    let init = desired.map(|desired| &desired.pod.init_containers);
                    init.into_iter().flatten().any(|container| container.name == *name)
                };
                self.steps.retain(|step| {
                    let starts = matches!(step.action, Action::Start { .. });
                    step.container != failed.container
                        && !(starts && step.container.as_ref().is_some_and(is_init))
                });
            }
            Action::Update { .. } => {}
            _ => self.steps.clear(),
        }
    }

    fn finish(self) -> Finished {
        let Work { lane, desired, lock, .. } = self.work;
        let connects = lane.connects();
        Finished { pod: lane.pod, desired, outcomes: self.outcomes, connects, lock }
    }

    /// Whether what the lane waits for has happened already.
    fn can_go_on(&self) -> bool {
        let Some((_, waiting)) = &self.waiting else { return false };
        let due = waiting.deadline(clock::monotonic()).is_some_and(|at| at <= clock::monotonic());
        due || waiting
            .event()
            .is_some_and(|fd| poll::readable(fd, Some(Duration::ZERO)).unwrap_or(true))
    }
}

/// A step's error, with the instance as the failure left it.
pub(super) type StepResult = std::result::Result<Progress, (Option<Box<Instance>>, Error)>;

impl Waiting {
    fn go_on(self) -> StepResult {
        match self {
            Self::Start(starting, instance) => {
                if !poll::readable(starting.as_fd(), Some(Duration::ZERO)).unwrap_or(true) {
                    return Ok(Progress::Waiting(Self::Start(starting, instance)));
                }
                started(*instance, starting.finish())
            }
            Self::Stop(mut ending) => match ending.turn(clock::monotonic()) {
                Ok(None) => Ok(Progress::Waiting(Self::Stop(ending))),
                Ok(Some(exit)) => Ok(Progress::Done(Some(Box::new(ended(ending.instance, exit))))),
                Err(error) => Err((Some(Box::new(ending.instance)), error)),
            },
        }
    }
}

/// The instance as it is after its end.
pub(super) fn ended(mut instance: Instance, exit: Exit) -> Instance {
    let returned = exit.reason == ExitReason::Exited && exit.is_success();
    let as_wished = returned || exit.reason == ExitReason::Stopped;
    instance.state = if as_wished { State::Stopped } else { State::Failed };
    instance.exit = Some(exit);
    instance
}

fn started(
    mut instance: Instance,
    result: std::result::Result<crate::runtime::record::Status, StartError>,
) -> StepResult {
    match result {
        Ok(status) => {
            instance.state = State::Running;
            instance.monitor = Some(status.monitor);
            instance.process = Some(status.process);
            instance.started_at = Some(status.started_at);
            instance.notes.extend(status.notes);
            Ok(Progress::Done(Some(Box::new(instance))))
        }
        Err(error) => Err(not_started(instance, error.into())),
    }
}

/// A start that failed is an end, with its reason: the restart policy applies to it.
pub(super) fn not_started(instance: Instance, error: Error) -> (Option<Box<Instance>>, Error) {
    let code = match &error {
        Error::Runtime(crate::runtime::Error::Start(StartError::Failed(failure))) => {
            failure.exit_code()
        }
        _ => None,
    };
    let exit = Exit {
        code,
        finished_at: Some(clock::moment()),
        ..Exit::unknown(ExitReason::StartFailed(chain(&error)))
    };
    (Some(Box::new(ended(instance, exit))), error)
}

/// An error and its sources in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    text
}
