//! One pass: the change that was asked for, and everything that follows from it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::candidate::{Desire, Put, PutKind};
use super::dependencies::{check as check_dependencies_of, check_snapshot as check_dependencies};
use super::execute::{Execution, Finished, chain};
use super::journal::{Intent, Journaled};
use super::lock::{self, PodLock};
use super::observe::Snapshot;
use super::work::Work;
use super::{Engine, Error, Result, fault};
use crate::model::{DesiredPod, PodName};
use crate::plan::{CONNECT, Hold, Plan, Step, plan};
use crate::sys::clock;

/// What a pass is about.
#[derive(Debug)]
pub struct Pass {
    /// The change to make first.
    pub change: Change,
    /// The pods to look at; `None` is all of them. A change is about its own pods in any case.
    pub only: Option<BTreeSet<PodName>>,
    /// What to do about pods that somebody else works on.
    pub busy: Busy,
}

/// A change of what is desired, or none.
#[derive(Debug)]
pub enum Change {
    /// None.
    Nothing,
    /// This one.
    Desire(Desire),
}

/// How long to wait at most for pods that follow from what was asked for: while one is waited for,
/// others may be held.
const PATIENCE: Duration = Duration::from_secs(60);

/// What to do about a pod that is locked.
#[derive(Debug, Clone, Copy)]
pub enum Busy {
    /// Wait this long for it, and fail.
    Fail(Duration),
    /// Wait this long for it, and leave it to whoever has it: he brings it to where it should be.
    Leave(Duration),
}

/// Something that happens during a pass.
#[derive(Debug)]
pub enum Event<'a> {
    /// What becomes of a pod was decided, and written.
    Put(&'a Put),
    /// A step is begun.
    Begun(&'a PodName, &'a Step),
    /// A step was done, or failed with this chain of errors.
    Done(&'a PodName, &'a Step, Option<&'a str>),
    /// A pod was left to the process that has its lock.
    Skipped(&'a PodName),
    /// Something could not be looked at, for the reason that is told.
    Unread(&'a str),
}

/// A step that failed.
#[derive(Debug)]
pub struct StepFailure {
    /// The pod; `None` if it concerns no single one.
    pub pod: Option<PodName>,
    /// The step's id.
    pub step: String,
    /// The chain of errors, in one line.
    pub error: String,
}

/// What a pass did.
#[derive(Debug, Default)]
pub struct PassResult {
    /// What became of the pods that were put.
    pub puts: Vec<Put>,
    /// The plan.
    pub plan: Plan,
    /// How many steps were done.
    pub executed: usize,
    /// The steps that failed.
    pub failures: Vec<StepFailure>,
}

impl PassResult {
    /// Adds what another round did. Of a pod of several rounds, the last one says whether it waits; when
    /// to look again is said of the pods of the first one alone.
    fn add(&mut self, round: Self) {
        let waits_on = |(pod, _): &(PodName, Hold)| {
            !round.plan.waiting.iter().any(|(other, _)| other == pod)
                && !round.plan.lanes.iter().any(|lane| lane.pod == *pod)
        };
        self.plan.waiting.retain(waits_on);
        self.plan.waiting.extend(round.plan.waiting);
        self.plan.lanes.extend(round.plan.lanes);
        self.executed += round.executed;
        self.failures.extend(round.failures);
    }

    fn count(&mut self, lane: &Finished) {
        for outcome in &lane.outcomes {
            match &outcome.error {
                None => self.executed += 1,
                Some(error) => self.failures.push(StepFailure {
                    pod: Some(lane.pod.clone()),
                    step: outcome.step.id.clone(),
                    error: error.clone(),
                }),
            }
        }
    }
}

/// Who watches a pass.
pub(super) type Watch<'a> = &'a mut dyn FnMut(Event<'_>);

impl Engine {
    /// Runs one pass, in rounds: the second one starts what waited for pods that are ready since the
    /// first, and so on.
    ///
    /// # Errors
    ///
    /// Only what keeps the pass from being run at all; a step that fails is in the result.
    pub fn pass(&mut self, pass: Pass, watch: Watch<'_>) -> Result<PassResult> {
        self.recover()?;
        let (Busy::Fail(patience) | Busy::Leave(patience)) = pass.busy;
        let afterwards = Busy::Leave(patience.min(PATIENCE));
        let mut touched = pass.only.clone().unwrap_or_default();
        let (mut result, mut desired) = self.round(pass, watch)?;
        touched.extend(result.plan.lanes.iter().map(|lane| lane.pod.clone()));
        // What became ready before it was written who waits for it has told nobody who knew.
        let mut waiting: BTreeSet<PodName> =
            result.plan.waiting.iter().map(|(pod, _)| pod.clone()).collect();
        loop {
            // A step that failed is not tried again before the next pass.
            let has_failed =
                |pod: &PodName| result.failures.iter().any(|f| f.pod.as_ref() == Some(pod));
            let depends = |pod: &&DesiredPod| {
                !pod.pod.depends_on.is_disjoint(&touched) && !has_failed(&pod.pod.name)
            };
            let dependents = desired.iter().filter(depends).map(|pod| pod.pod.name.clone());
            let next: BTreeSet<PodName> = dependents.chain(std::mem::take(&mut waiting)).collect();
            if next.is_empty() {
                return Ok(result);
            }
            let next = Pass { change: Change::Nothing, only: Some(next), busy: afterwards };
            let (more, now_desired) = self.round(next, watch)?;
            desired = now_desired;
            // A pod depends on none that depends on it, so this comes to an end.
            touched = more.plan.lanes.iter().map(|lane| lane.pod.clone()).collect();
            result.add(more);
        }
    }

    /// Runs one round of a pass; also returns what is desired after it, where a pod depends on
    /// another.
    fn round(&mut self, pass: Pass, watch: Watch<'_>) -> Result<(PassResult, Vec<DesiredPod>)> {
        let mut locks = BTreeMap::new();
        let mut only = pass.only;
        if let Change::Desire(desire) = &pass.change {
            let names: BTreeSet<PodName> = desire.names().into_iter().collect();
            self.lock(&names, pass.busy, &mut locks, watch)?;
            only = Some(names);
        }
        let mut now = clock::now();
        let mut snapshot = self.snapshot(only.as_ref())?;
        let mut refused = Vec::new();
        let puts = self.change_candidate(&mut snapshot, &pass.change, &mut refused, now)?;
        self.check_images(&puts)?;
        check_dependencies(&snapshot, &puts)?;
        self.observe_dependencies(&mut snapshot);
        self.look_closer(&mut snapshot)?;
        snapshot.notes().iter().for_each(|note| watch(Event::Unread(note)));
        let mut planned = plan(&snapshot.desired, &snapshot.observed, now);
        // What was planned without the locks is planned again with them.
        if matches!(pass.change, Change::Nothing) && !planned.lanes.is_empty() {
            let names = planned.lanes.iter().map(|lane| lane.pod.clone()).collect();
            self.lock(&names, pass.busy, &mut locks, watch)?;
            let held: BTreeSet<PodName> = locks.keys().cloned().collect();
            now = clock::now();
            let stale = snapshot.stale;
            snapshot = self.snapshot(Some(&held))?;
            self.look_closer(&mut snapshot)?;
            snapshot.stale |= stale;
            let first = std::mem::take(&mut planned);
            planned = plan(&snapshot.desired, &snapshot.observed, now);
            planned.wake = [first.wake, planned.wake].into_iter().flatten().min();
            let others = first.waiting.into_iter().filter(|(pod, _)| !held.contains(pod));
            planned.waiting.extend(others);
        }
        let mut works = self.works(&planned, &snapshot, &mut locks, now)?;
        let connecting = self.prepare_connections(&snapshot.claims, &works);
        let intent = Intent { change: &pass.change, puts: &puts, snapshot: &snapshot, connecting };
        let journaled = self.write_intent(intent, &mut works, now)?;
        self.release(locks, &snapshot)?;
        fault::point("intent");
        for put in &puts {
            watch(Event::Put(put));
        }
        for work in works.iter().filter(|work| work.refused.is_some()) {
            // As in the journal: of a pod that gets nothing only that is told.
            let lane = planned.lanes.iter_mut().filter(|lane| lane.pod == work.lane.pod);
            lane.for_each(|lane| lane.steps.retain(|step| step.id == CONNECT));
        }
        let sweeps = snapshot.stale || works.iter().any(|work| work.lane.removes_sandbox());
        let named = snapshot.has_names();
        let dependent = snapshot.dependent();
        let changes_names = works.iter().any(|work| work.lane.changes_names());
        let (plan, failures) = (planned, refused);
        let mut result = PassResult { puts, plan, failures, ..PassResult::default() };
        if let Some(journaled) = &journaled {
            self.execute(works, journaled, &mut result, watch)?;
        }
        let within = only.filter(|_| !changes_names);
        let swept = sweeps.then(|| self.sweep_network());
        let refreshed = named.then(|| self.refresh_names(within.as_ref()));
        let after = [("sweep-network", swept), ("refresh-names", refreshed)];
        let in_lanes = result.failures.len();
        for (step, outcome) in after {
            if let Some(Err(error)) = outcome {
                let (step, error) = (step.to_owned(), chain(&error));
                result.failures.push(StepFailure { pod: None, step, error });
            }
        }
        if let Some(journaled) = &journaled {
            self.write_afterwards(journaled, &result, in_lanes)?;
        }
        Ok((result, dependent))
    }

    /// Carries out the steps, and writes down what became of them.
    fn execute(
        &mut self,
        works: Vec<Work>,
        journaled: &Journaled,
        result: &mut PassResult,
        watch: Watch<'_>,
    ) -> Result<()> {
        let mut execution = Execution::new(works);
        while !execution.is_over() {
            let finished = execution.go_on(self, watch)?;
            self.write_waiting(journaled, &execution.late())?;
            if finished.is_empty() && !execution.is_over() {
                continue;
            }
            for lane in &finished {
                result.count(lane);
            }
            fault::point("executed");
            let totals = execution.is_over().then_some(&*result);
            self.write_results(journaled, &finished, totals)?;
            for lane in finished {
                lane.release(&self.directories)?;
            }
        }
        Ok(())
    }

    /// What a pass would do if `desire` were applied. Writes nothing and locks nothing.
    pub fn preview(
        &self,
        desire: Option<&Desire>,
        only: Option<&BTreeSet<PodName>>,
    ) -> Result<(Plan, Vec<Put>)> {
        let now = clock::now();
        let names: Option<BTreeSet<PodName>> =
            desire.map(|desire| desire.names().into_iter().collect());
        let mut snapshot = self.snapshot(names.as_ref().or(only))?;
        let change = desire.cloned().map_or(Change::Nothing, Change::Desire);
        let puts = self.change_candidate(&mut snapshot, &change, &mut Vec::new(), now)?;
        check_dependencies(&snapshot, &puts)?;
        self.observe_dependencies(&mut snapshot);
        self.look_closer(&mut snapshot)?;
        Ok((plan(&snapshot.desired, &snapshot.observed, now), puts))
    }

    /// What putting `pods` would do where there is no state at all.
    pub fn preview_nothing(pods: &[crate::model::Pod]) -> Result<(Plan, Vec<Put>)> {
        let now = clock::now();
        let puts: Vec<_> = pods.iter().cloned().map(Put::new).collect();
        let desired: Vec<_> = puts.iter().map(|put| put.desired(None, now)).collect();
        check_dependencies_of(&desired, &puts)?;
        Ok((plan(&desired, &crate::plan::Observed::default(), now), puts))
    }

    /// Fails if an image went while the pod's lock was waited for: nothing is to be pinned to it.
    fn check_images(&self, puts: &[Put]) -> Result<()> {
        let pins = |put: &&Put| matches!(put.kind, PutKind::Created | PutKind::Configured);
        for put in puts.iter().filter(pins) {
            for (container, digest) in &put.images {
                if self.store.read(|state| state.image_by_digest(digest))?.is_none() {
                    let (container, image) = (container.clone(), digest.to_string());
                    return Err(Error::NoImage { container, image });
                }
            }
        }
        Ok(())
    }

    fn lock(
        &self,
        names: &BTreeSet<PodName>,
        busy: Busy,
        locks: &mut BTreeMap<PodName, PodLock>,
        watch: Watch<'_>,
    ) -> Result<()> {
        let (Busy::Fail(patience) | Busy::Leave(patience)) = busy;
        let deadline = clock::monotonic() + patience;
        // In the order of names, always: two passes never wait for each other.
        for name in names {
            match lock::acquire(&self.directories, name, &self.command, deadline) {
                Ok(lock) => drop(locks.insert(name.clone(), lock)),
                Err(Error::Locked { .. }) if matches!(busy, Busy::Leave(_)) => {
                    watch(Event::Skipped(name));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Gives up the locks of pods that nothing is to be done about.
    fn release(&self, locks: BTreeMap<PodName, PodLock>, snapshot: &Snapshot) -> Result<()> {
        for (name, lock) in locks {
            let is_desired = snapshot.desired.iter().any(|pod| pod.pod.name == name);
            // Whoever deleted a pod removed its lock file; who waited for the lock meanwhile made
            // it anew, for nothing.
            if !is_desired && !snapshot.observed.pods.contains_key(&name) {
                lock.remove(&self.directories, &name)?;
            }
        }
        Ok(())
    }
}
