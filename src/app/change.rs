//! Changing what is desired, and running passes.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::error::{Error, Kind};
use super::report::{
    PassReport, PlanReport, PlannedStep, PodOutcome, PodResult, Progress, StepAction, StepError,
};
use super::{App, ApplyRequest, DeleteRequest, Goal, Label, ReconcileRequest, Watcher, no_pod};
use crate::engine::{
    Busy, Change, Desire, Engine, Event, Pass, PassResult, Put, PutKind, RunChange, Stated,
};
use crate::model::{DesiredPod, PodName};
use crate::plan::Plan;
use crate::sys::terminal::{self, Signals};
use crate::sys::{clock, poll, process};

impl App {
    /// Makes the pods desired as they are, and runs a pass over them. Their images are what
    /// [`unresolved`](Self::unresolved) asked for.
    pub fn apply(
        &mut self,
        stated: Stated,
        request: &ApplyRequest,
        progress: Watcher<'_>,
    ) -> Result<PassReport, Error> {
        let named: BTreeSet<PodName> = stated.pods.iter().map(|pod| pod.name.clone()).collect();
        let surplus = match &request.prune {
            Some(label) => self.surplus(label, &named)?,
            None => Vec::new(),
        };
        let desire = Desire::Put(stated);
        if request.dry_run {
            let mut report = self.dry_run(&desire)?;
            if !surplus.is_empty() {
                report.add(self.dry_run(&Desire::Delete(surplus.clone()))?);
                report.add_deleted(&surplus, &mut |_| {});
            }
            return Ok(report);
        }
        let names = desire.names();
        let before = self.read("pods", |state| state.pods_named(&names))?;
        let mut report =
            self.pass(Change::Desire(desire), None, self.wait_for_locks(), progress)?;
        // What else failed is not the fault of these pods.
        let is_own = |error: &StepError| error.pod.as_ref().is_some_and(|pod| names.contains(pod));
        let failed = report.errors.iter().any(is_own);
        let waited = match request.wait {
            Some(timeout) if !failed => self.wait_until(&names, Goal::Applied, timeout, progress),
            _ => Ok(()),
        };
        if request.rollback_on_failure && (failed || waited.is_err()) {
            self.undo(&report, &before, progress)?;
        }
        waited?;
        // What is applied is there, and ready where that was waited for, before what it takes the
        // place of is gone.
        if !surplus.is_empty() && !failed {
            // Another command may have deleted some of them meanwhile.
            let request = DeleteRequest { ignore_not_found: true, ..DeleteRequest::default() };
            report.add(self.delete(surplus, &request, progress)?);
        }
        Ok(report)
    }

    /// The desired pods with a label that are not `named`.
    fn surplus(&self, label: &Label, named: &BTreeSet<PodName>) -> Result<Vec<PodName>, Error> {
        if self.engine.is_none() {
            return Ok(Vec::new());
        }
        let pods = self.read("pods", |state| state.pods())?;
        let is_surplus = |pod: &&DesiredPod| {
            !pod.deleting
                && !named.contains(&pod.pod.name)
                && pod.pod.labels.get(&label.name) == Some(&label.value)
        };
        Ok(pods.iter().filter(is_surplus).map(|pod| pod.pod.name.clone()).collect())
    }

    /// Makes those of the pods desired that are not there, and runs a pass over them. One that
    /// cannot be is an error of the report. `unpulled` are the images that could not be fetched.
    pub fn seed(
        &mut self,
        stated: Stated,
        unpulled: Vec<StepError>,
        progress: Watcher<'_>,
    ) -> Result<PassReport, Error> {
        let change = Change::Desire(Desire::Create(stated));
        let mut report = self.pass(change, None, self.wait_for_locks(), progress)?;
        report.failed += unpulled.len();
        report.errors.splice(0..0, unpulled);
        Ok(report)
    }

    /// Makes the pods no longer desired, and runs a pass over them.
    pub fn delete(
        &mut self,
        names: Vec<PodName>,
        request: &DeleteRequest,
        progress: Watcher<'_>,
    ) -> Result<PassReport, Error> {
        let there = self.read("pods", |state| state.pods_named(&names))?;
        let there: BTreeSet<PodName> = there.into_iter().map(|pod| pod.pod.name).collect();
        if let Some(missing) = names.iter().find(|name| !there.contains(name))
            && !request.ignore_not_found
        {
            return Err(no_pod(missing));
        }
        if there.is_empty() {
            return Ok(PassReport::default());
        }
        let change = Change::Desire(Desire::Delete(there.iter().cloned().collect()));
        let mut report = self.pass(change, None, self.wait_for_locks(), progress)?;
        let there: Vec<_> = there.into_iter().collect();
        if let Some(timeout) = request.wait
            && report.failed == 0
        {
            self.wait_until(&there, Goal::Deleted, timeout, progress)?;
        }
        report.add_deleted(&there, progress);
        Ok(report)
    }

    /// Has pods run or not, or all of them run anew, and runs a pass over them.
    pub fn run(
        &mut self,
        names: Vec<PodName>,
        change: RunChange,
        wait: Option<Duration>,
        progress: Watcher<'_>,
    ) -> Result<PassReport, Error> {
        for name in &names {
            if self.desired(name)?.deleting {
                let message = format!("pod {name} is being deleted");
                let hint = format!("tank delete {name} goes on with it, tank apply brings it back");
                return Err(Error::new(Kind::Failed, message).hint(hint));
            }
        }
        let desire = Change::Desire(Desire::Run(names.clone(), change));
        let report = self.pass(desire, None, self.wait_for_locks(), progress)?;
        if let Some(timeout) = wait
            && report.failed == 0
        {
            self.wait_until(&names, Goal::Ready, timeout, progress)?;
        }
        Ok(report)
    }

    /// Runs a pass over the named pods, or over all of them.
    pub fn reconcile(
        &mut self,
        names: Vec<PodName>,
        request: &ReconcileRequest,
        progress: Watcher<'_>,
    ) -> Result<PassReport, Error> {
        let only = self.existing(names)?;
        if request.dry_run {
            let (plan, _) = self.preview(None, only.as_ref())?;
            return Ok(planned(&plan));
        }
        // Whoever works on a pod brings it to where it should be; only a pass that was asked for
        // by name waits for him.
        let mut tried = false;
        loop {
            if request.wait_backoff {
                let waited = self.engine()?.wait_out_delays(only.as_ref(), tried);
                waited.map_err(|e| Error::of_engine("cannot wait for a restart delay", e))?;
            }
            let busy =
                if only.is_some() { self.wait_for_locks() } else { Busy::Leave(Duration::ZERO) };
            let (report, wake) =
                self.pass_and_wake(Change::Nothing, only.clone(), busy, progress)?;
            // Somebody else did what there was to do, or it is not time yet after all; or something
            // else had to be put right first. What was started has a monitor of its own.
            let own = |pod: &PodName| only.as_ref().is_none_or(|only| only.contains(pod));
            let starts =
                report.steps.iter().any(|step| step.action == StepAction::Start && own(&step.pod));
            if !request.wait_backoff || starts || wake.is_none() {
                return Ok(report);
            }
            tried = report.planned > 0;
        }
    }

    /// Runs a pass every `period` until SIGTERM, SIGINT or SIGHUP, which let the pass that runs come
    /// to its end. A pass that fails is told and followed by the next one.
    pub fn reconcile_every(
        &mut self,
        names: &[PodName],
        period: Duration,
        after_each: &mut dyn FnMut(Result<&PassReport, &Error>),
    ) -> Result<(), Error> {
        // Processes that a pass starts begin with no signal blocked.
        let signals = Signals::take().map_err(|e| Error::of_engine("cannot wait", e.into()))?;
        loop {
            let result = self.reconcile(names.to_vec(), &ReconcileRequest::default(), &mut |_| {});
            after_each(result.as_ref());
            // Monitors are children of whoever started them; those that ended are reaped here.
            while process::reap_any().is_ok_and(|ended| ended.is_some()) {}
            if wait_or_stop(&signals, period)? {
                return Ok(());
            }
        }
    }

    /// What a pass would do now, or if `candidate` were applied. Changes nothing.
    pub fn plan(&self, candidate: Option<Stated>) -> Result<PlanReport, Error> {
        let desire = candidate.map(Desire::Put);
        let (plan, _) = self.preview(desire.as_ref(), None)?;
        Ok(PlanReport::from(&plan))
    }

    fn preview(
        &self,
        desire: Option<&Desire>,
        only: Option<&BTreeSet<PodName>>,
    ) -> Result<(Plan, Vec<Put>), Error> {
        self.learn_settings()?;
        let Some(engine) = &self.engine else {
            let candidate = match desire {
                Some(Desire::Put(stated)) => stated.pods.as_slice(),
                _ => &[],
            };
            let plan = Engine::preview_nothing(candidate);
            return plan.map_err(|e| Error::of_engine("cannot plan", e));
        };
        engine.preview(desire, only).map_err(|e| Error::of_engine("cannot plan", e))
    }

    pub(super) fn dry_run(&self, desire: &Desire) -> Result<PassReport, Error> {
        let (plan, puts) = self.preview(Some(desire), None)?;
        Ok(PassReport { pods: puts.iter().map(outcome).collect(), ..planned(&plan) })
    }

    pub(super) fn pass(
        &mut self,
        change: Change,
        only: Option<BTreeSet<PodName>>,
        busy: Busy,
        progress: Watcher<'_>,
    ) -> Result<PassReport, Error> {
        self.pass_and_wake(change, only, busy, progress).map(|(report, _)| report)
    }

    /// Runs a pass; also tells when there will be something to do again.
    fn pass_and_wake(
        &mut self,
        change: Change,
        only: Option<BTreeSet<PodName>>,
        busy: Busy,
        progress: Watcher<'_>,
    ) -> Result<(PassReport, Option<Timestamp>), Error> {
        self.engine_mut()?.forget_settings();
        // A broken config.toml must keep nobody from deleting or stopping a pod, nor pods from
        // being restarted.
        let settings = match &change {
            Change::Desire(Desire::Delete(_) | Desire::Run(_, RunChange::Stop)) => Ok(()),
            Change::Nothing => self.learn_settings(),
            Change::Desire(_) => self.learn_settings().map(Ok)?,
        };
        if let (Err(error), Some(engine)) = (&settings, &self.engine) {
            engine.leave_network(&error.to_string());
        }
        let pass = Pass { change, only, busy };
        let result = self.engine_mut()?.pass(pass, &mut |event| tell(&event, progress));
        let result = result.map_err(|e| Error::of_engine("cannot run the pass", e))?;
        let wake = result.plan.wake;
        let mut report = report(result);
        if let Err(error) = settings {
            let (step, error) = ("read-settings".to_owned(), error.to_string());
            report.errors.push(StepError { pod: None, step, error });
            report.failed += 1;
        }
        Ok((report, wake))
    }

    /// The named pods as a selection; `None` for all. One that is not there is an error.
    pub(super) fn existing(&self, names: Vec<PodName>) -> Result<Option<BTreeSet<PodName>>, Error> {
        if names.is_empty() {
            return Ok(None);
        }
        for name in &names {
            self.desired(name)?;
        }
        Ok(Some(names.into_iter().collect()))
    }

    pub(super) fn desired(&self, name: &PodName) -> Result<DesiredPod, Error> {
        self.read("pod", |state| state.pod(name))?.ok_or_else(|| no_pod(name))
    }
}

/// Waits for a period; `true` if a signal asked to stop instead.
fn wait_or_stop(signals: &Signals, period: Duration) -> Result<bool, Error> {
    use std::os::fd::AsFd;
    let deadline = clock::monotonic() + period;
    loop {
        let left = deadline.saturating_duration_since(clock::monotonic());
        let arrived = poll::readable(signals.as_fd(), Some(left))
            .map_err(|e| Error::of_engine("cannot wait", e.into()))?;
        if !arrived {
            return Ok(false);
        }
        let next = signals.next().map_err(|e| Error::of_engine("cannot wait", e.into()))?;
        if let Some(terminal::Event::Signal(libc::SIGTERM | libc::SIGINT | libc::SIGHUP)) = next {
            return Ok(true);
        }
    }
}

fn tell(event: &Event<'_>, progress: Watcher<'_>) {
    match event {
        Event::Put(put) => progress(&Progress::Desired(&outcome(put))),
        Event::Begun(pod, step) => progress(&Progress::Started(&PlannedStep::new(pod, step))),
        Event::Done(pod, step, None) => {
            progress(&Progress::Succeeded(&PlannedStep::new(pod, step)));
        }
        Event::Done(pod, step, Some(error)) => {
            progress(&Progress::Failed(&PlannedStep::new(pod, step), error));
        }
        Event::Skipped(pod) => {
            progress(&Progress::Note(&format!("pod {pod} is being worked on by somebody else")));
        }
        Event::Unread(note) => progress(&Progress::Note(note)),
    }
}

fn outcome(put: &Put) -> PodOutcome {
    let result = match put.kind {
        PutKind::Created => PodResult::Created,
        PutKind::Configured => PodResult::Configured,
        PutKind::Unchanged => PodResult::Unchanged,
        PutKind::Started | PutKind::Revived => PodResult::Started,
        PutKind::Stopped => PodResult::Stopped,
        PutKind::Restarted => PodResult::Restarted,
    };
    let (name, generation) = (put.pod.name.clone(), Some(put.generation));
    PodOutcome { name, result, generation }
}

impl PassReport {
    /// Adds what another pass of the same command did.
    fn add(&mut self, other: Self) {
        self.pods.extend(other.pods);
        self.planned += other.planned;
        self.executed += other.executed;
        self.failed += other.failed;
        self.errors.extend(other.errors);
        self.steps.extend(other.steps);
        self.waiting.extend(other.waiting);
    }

    /// Adds these pods as deleted, but for those that something failed of.
    fn add_deleted(&mut self, names: &[PodName], progress: Watcher<'_>) {
        for name in names {
            if self.errors.iter().all(|error| error.pod.as_ref() != Some(name)) {
                let (name, result) = (name.clone(), PodResult::Deleted);
                let outcome = PodOutcome { name, result, generation: None };
                progress(&Progress::Desired(&outcome));
                self.pods.push(outcome);
            }
        }
    }
}

fn planned(plan: &Plan) -> PassReport {
    let PlanReport { changes, steps, waiting } = PlanReport::from(plan);
    PassReport { planned: changes, steps, waiting, ..PassReport::default() }
}

fn report(result: PassResult) -> PassReport {
    let errors = result.failures.into_iter().map(|failure| StepError {
        pod: failure.pod,
        step: failure.step,
        error: failure.error,
    });
    let errors: Vec<_> = errors.collect();
    PassReport {
        pods: result.puts.iter().map(outcome).collect(),
        executed: result.executed,
        failed: errors.len(),
        errors,
        ..planned(&result.plan)
    }
}
