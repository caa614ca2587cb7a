//! What a pass writes down: before its steps what a crash must not forget, after them what became
//! of them; and what the next pass makes of the notes of one that died.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::candidate::{Desire, Put, PutKind};
use super::claims::Claims;
use super::execute::{Finished, Outcome, ended};
use super::network::Connecting;
use super::observe::Snapshot;
use super::pass::{Change, PassResult};
use super::place::InstancePlace;
use super::work::Work;
use super::{Engine, Error, Result, claims, events};
use crate::model::{DesiredPod, Instance, PodName, RunState, dependency};
use crate::plan::{CONNECT, Lane};
use crate::runtime::observe;
use crate::store::{self, NewStep, Owner, PassId, StepId, StepState, Tx};
use crate::sys::{clock, process};

/// A pass whose steps are in the journal.
#[derive(Debug)]
pub(super) struct Journaled {
    id: PassId,
    steps: BTreeMap<(PodName, String), StepId>,
}

/// What a pass is about to do, besides its works.
#[derive(Debug)]
pub(super) struct Intent<'a> {
    /// The change that was asked for.
    pub(super) change: &'a Change,
    /// What becomes of pods.
    pub(super) puts: &'a [Put],
    /// What was seen.
    pub(super) snapshot: &'a Snapshot,
    /// What is to be connected to the network.
    pub(super) connecting: Connecting,
}

impl Engine {
    /// Marks what passes that died left in the journal, and notices a reboot.
    pub(super) fn recover(&mut self) -> Result<()> {
        let boot = self.boot.clone();
        let (known, open) = self.store.read(|state| Ok((state.boot()?, state.open_passes()?)))?;
        let is_alive = |owner: &Owner| {
            owner.boot == boot
                && process::start_time(owner.process.pid) == Some(owner.process.start_time)
        };
        let dead = open.iter().any(|pass| !is_alive(&pass.owner));
        if known.as_deref() == Some(&boot) && !dead {
            return Ok(());
        }
        let ended = self.unnoticed_ends(&boot)?;
        let now = clock::now();
        self.store.write(|tx| {
            for instance in &ended {
                note(tx, instance, now)?;
            }
            tx.note_boot(&boot).map(|_| ())
        })?;
        if dead {
            let now = clock::now();
            let steps = self.store.interrupt_dead(is_alive, now)?;
            self.store.write(|tx| {
                let events = steps.iter().map(|step| events::of_interrupted(step, now));
                events.into_iter().try_for_each(|event| tx.append_event(&event))
            })?;
        }
        Ok(())
    }

    /// The instances of an earlier boot that had ended by themselves, which nobody came to take in
    /// before the machine went down.
    fn unnoticed_ends(&self, boot: &str) -> Result<Vec<Instance>> {
        let live = self.store.read(|state| state.live_instances())?;
        let open = live.into_iter().filter(|one| one.boot != boot && one.exit.is_none());
        let ends = open.filter_map(|mut instance| {
            let place = InstancePlace::of(&self.directories, &instance.id);
            let record = observe::exit_record(place.files())?;
            instance.started_at = instance.started_at.or(record.started_at);
            Some(ended(instance, record.exit))
        });
        Ok(ends.collect())
    }

    /// Writes down which steps wait for long, for those who look meanwhile.
    pub(super) fn write_waiting(
        &mut self,
        journaled: &Journaled,
        late: &[(PodName, String)],
    ) -> Result<()> {
        let ids: Vec<_> = late.iter().filter_map(|step| journaled.steps.get(step)).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let now = clock::now();
        self.store.write(|tx| {
            ids.iter()
                .try_for_each(|id| tx.set_step(**id, StepState::Waiting, None, now).map(|_| ()))
        })?;
        Ok(())
    }

    /// The first transaction: everything a crash must not forget, with what pods get of the
    /// network; those that get nothing are marked. `None` if nothing will be done.
    pub(super) fn write_intent(
        &mut self,
        intent: Intent<'_>,
        works: &mut [Work],
        now: Timestamp,
    ) -> Result<Option<Journaled>> {
        let Intent { change, puts, snapshot, connecting } = intent;
        let changes_desire = puts.iter().any(|put| put.kind != PutKind::Unchanged)
            || matches!(change, Change::Desire(Desire::Delete(_)));
        if !changes_desire && snapshot.changed.is_empty() && works.is_empty() {
            return Ok(None);
        }
        let (owner, boot, command) = (self.owner(), self.boot.clone(), self.command.clone());
        let template = connecting.row.as_ref().map(|row| self.layout(row));
        let (journaled, refused) = self.store.write(|tx| {
            tx.note_boot(&boot)?;
            if let Change::Desire(Desire::Put(stated) | Desire::Create(stated)) = change {
                tx.put_contents(&stated.contents)?;
            }
            for put in puts {
                write_put(tx, put, now)?;
            }
            if !puts.is_empty() {
                tx.drop_unseen_contents()?;
            }
            // Another command may have written the other half of a ring since this one looked.
            if puts.iter().any(|put| is_stated(put) && !put.pod.depends_on.is_empty())
                && let Some(ring) = dependency::cycle(tx.pods()?.iter().map(|pod| &pod.pod))
            {
                return Err(store::Error::Ring(dependency::path(&ring)));
            }
            if let Change::Desire(Desire::Delete(names)) = change {
                for name in names {
                    tx.mark_deleting(name)?;
                }
            }
            for change in &snapshot.changed {
                // The look was without locks: who had the lock may have written since.
                if tx.instance(&change.remembered.id)?.as_ref() == Some(&change.remembered) {
                    note(tx, &change.seen, now)?;
                }
            }
            if works.is_empty() {
                return Ok((None, BTreeMap::new()));
            }
            let mut refused = BTreeMap::new();
            if let (Some(row), Some(template)) = (&connecting.row, &template) {
                let mut claims = Claims::read(tx)?;
                // Another command may have chosen since this one looked.
                let kept = claims.network.clone().filter(|_| claims.network != connecting.known);
                let row = kept.unwrap_or_else(|| row.clone());
                if claims.network.as_ref() != Some(&row) {
                    tx.put_network(&row)?;
                }
                let layout = template.of_row(&row.bridge, row.ipv4, row.ipv6);
                let before = claims.clone();
                let may =
                    |desired: &&DesiredPod| !connecting.refused.contains_key(&desired.pod.name);
                for desired in works.iter().filter_map(|work| work.desired.as_ref()).filter(may) {
                    claims::give_up(tx, &mut claims, desired)?;
                }
                for desired in works.iter().filter_map(Work::to_be_connected).filter(may) {
                    if let Err(error) = claims::claim(tx, &mut claims, &layout, desired)? {
                        refused.insert(desired.pod.name.clone(), error);
                    }
                }
                for pod in refused.keys() {
                    claims::take_back(tx, &mut claims, &before, pod)?;
                }
            }
            let is_refused =
                |pod: &PodName| refused.contains_key(pod) || connecting.refused.contains_key(pod);
            let steps = works.iter().flat_map(|work| {
                // Of a pod that gets nothing only that is told.
                let refused = is_refused(&work.lane.pod);
                new_steps(&work.lane).filter(move |step| !refused || step.step == CONNECT)
            });
            let steps: Vec<_> = steps.collect();
            let planned = u32::try_from(steps.len()).unwrap_or(u32::MAX);
            let id = tx.begin_pass(&command, &owner, planned, now)?;
            let ids = tx.start_steps(id, &steps, now)?;
            for work in works.iter().filter(|work| !is_refused(&work.lane.pod)) {
                for instance in work.starts.values() {
                    tx.insert_instance(instance)?;
                }
            }
            let names = steps.iter().map(|step| (step.pod.clone(), step.step.to_owned()));
            Ok((Some(Journaled { id, steps: names.zip(ids).collect() }), refused))
        })?;
        let mut refused: BTreeMap<PodName, Error> = refused;
        refused.extend(connecting.refused);
        for work in works {
            work.refused = refused.remove(&work.lane.pod);
        }
        Ok(journaled)
    }

    /// The transaction after steps: what became of lanes, and at last of the pass.
    pub(super) fn write_results(
        &mut self,
        journaled: &Journaled,
        lanes: &[Finished],
        pass: Option<&PassResult>,
    ) -> Result<()> {
        let (now, command) = (clock::now(), self.command.clone());
        self.store.write(|tx| {
            for lane in lanes {
                if lane.is_forgotten() {
                    tx.forget_pod(&lane.pod)?;
                    continue;
                }
                if lane.gave_up_sandbox() {
                    claims::release(tx, &lane.pod, lane.desired.as_ref())?;
                }
                for outcome in &lane.outcomes {
                    write_outcome(tx, journaled, &lane.pod, outcome, now)?;
                }
            }
            let Some(pass) = pass else { return Ok(()) };
            // Steps after a failed one in its lane were not begun.
            for id in journaled.steps.values() {
                tx.set_step(*id, StepState::Interrupted, Some("an earlier step failed"), now)?;
            }
            if let Some(event) = events::of_pass(&command, pass, now) {
                tx.append_event(&event)?;
            }
            finish_pass(tx, journaled, pass, now)
        })?;
        Ok(())
    }

    /// What failed of a pass after its lanes were over: all failures but the first `in_lanes`.
    pub(super) fn write_afterwards(
        &mut self,
        journaled: &Journaled,
        pass: &PassResult,
        in_lanes: usize,
    ) -> Result<()> {
        let failures = pass.failures.get(in_lanes..).unwrap_or_default();
        if failures.is_empty() {
            return Ok(());
        }
        let (now, command) = (clock::now(), self.command.clone());
        self.store.write(|tx| {
            for failure in failures {
                tx.append_event(&events::of_failure(&command, failure, now))?;
            }
            finish_pass(tx, journaled, pass, now)
        })?;
        Ok(())
    }
}

/// Whether somebody says what the pod is to be, and it was another.
pub(super) fn is_stated(put: &Put) -> bool {
    matches!(put.kind, PutKind::Created | PutKind::Configured)
}

fn write_put(tx: &Tx<'_>, put: &Put, now: Timestamp) -> store::Result<()> {
    let name = &put.pod.name;
    match put.kind {
        PutKind::Unchanged => {}
        PutKind::Created | PutKind::Configured => {
            tx.put_pod(&put.pod, &put.images, now)?;
        }
        PutKind::Stopped => drop(tx.set_run(name, RunState::Stop)?),
        PutKind::Started => drop(tx.set_run(name, RunState::Run)?),
        PutKind::Revived => {
            tx.set_run(name, RunState::Run)?;
            tx.revive(name, now)?;
        }
        PutKind::Restarted => {
            tx.set_run(name, RunState::Run)?;
            tx.renew(name, now)?;
        }
    }
    Ok(())
}

fn finish_pass(
    tx: &Tx<'_>,
    journaled: &Journaled,
    pass: &PassResult,
    now: Timestamp,
) -> store::Result<()> {
    let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    tx.finish_pass(journaled.id, count(pass.executed), count(pass.failures.len()), now)
}

fn write_outcome(
    tx: &Tx<'_>,
    journaled: &Journaled,
    pod: &PodName,
    outcome: &Outcome,
    now: Timestamp,
) -> store::Result<()> {
    if let Some(instance) = &outcome.instance {
        note(tx, instance, now)?;
        tx.set_generation(&instance.id, instance.generation)?;
        tx.prune_instances(&instance.pod, &instance.container)?;
    }
    let error = outcome.error.as_deref();
    if let Some(event) = events::of_step(pod, &outcome.step, error, now) {
        tx.append_event(&event)?;
    }
    let state = if error.is_some() { StepState::Failed } else { StepState::Succeeded };
    if let Some(id) = journaled.steps.get(&(pod.clone(), outcome.step.id.clone())) {
        tx.set_step(*id, state, error, now)?;
    }
    Ok(())
}

fn new_steps(lane: &Lane) -> impl Iterator<Item = NewStep<'_>> {
    lane.steps.iter().map(|step| NewStep {
        pod: &lane.pod,
        step: &step.id,
        container: step.container.as_ref(),
        action: step.action.name(),
        cause: &step.cause,
    })
}

/// Takes in what was seen of an instance, with an event if it is news.
fn note(tx: &Tx<'_>, instance: &Instance, now: Timestamp) -> store::Result<()> {
    let before = tx.instance(&instance.id)?;
    tx.update_observed(instance)?;
    // As both are stored, which is coarser than as they were seen.
    let after = tx.instance(&instance.id)?;
    let told = |instance: Option<Instance>| instance.map(|known| (known.state, known.exit));
    let is_news = told(before) != told(after);
    if let Some(event) = events::of_instance(instance, now).filter(|_| is_news) {
        tx.append_event(&event)?;
    }
    Ok(())
}
