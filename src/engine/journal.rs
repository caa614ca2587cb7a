//! What a pass writes down: before its steps what a crash must not forget, after them what became
//! of them; and what the next pass makes of the notes of one that died.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::candidate::{Desire, Put, PutKind};
use super::execute::{Outcome, Work};
use super::observe::Snapshot;
use super::pass::Change;
use super::{Engine, Result, events};
use crate::model::{Instance, PodName, State};
use crate::plan::{Action, Lane};
use crate::store::{self, NewStep, Owner, PassId, StepId, StepState, Tx};
use crate::sys::{clock, process};

/// A pass whose steps are in the journal.
#[derive(Debug)]
pub(super) struct Journaled {
    id: PassId,
    steps: BTreeMap<(PodName, String), StepId>,
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
        self.store.write(|tx| tx.note_boot(&boot).map(|_| ()))?;
        if dead {
            self.store.interrupt_dead(is_alive, clock::now())?;
        }
        Ok(())
    }

    /// The first transaction: everything a crash must not forget. `None` if nothing will be done.
    pub(super) fn write_intent(
        &mut self,
        change: &Change,
        puts: &[Put],
        snapshot: &Snapshot,
        works: &[Work],
        now: Timestamp,
    ) -> Result<Option<Journaled>> {
        let changes_desire = puts.iter().any(|put| put.kind != PutKind::Unchanged)
            || matches!(change, Change::Desire(Desire::Delete(_)));
        if !changes_desire && snapshot.changed.is_empty() && works.is_empty() {
            return Ok(None);
        }
        let (owner, boot, command) = (self.owner(), self.boot.clone(), self.command.clone());
        let journaled = self.store.write(|tx| {
            tx.note_boot(&boot)?;
            for put in puts.iter().filter(|put| put.kind != PutKind::Unchanged) {
                tx.put_pod(&put.pod, &put.images, now)?;
            }
            if let Change::Desire(Desire::Delete(names)) = change {
                for name in names {
                    tx.mark_deleting(name)?;
                }
            }
            for instance in &snapshot.changed {
                note(tx, instance, now)?;
            }
            if works.is_empty() {
                return Ok(None);
            }
            let steps: Vec<_> = works.iter().flat_map(|work| new_steps(&work.lane)).collect();
            let planned = u32::try_from(steps.len()).unwrap_or(u32::MAX);
            let id = tx.begin_pass(&command, &owner, planned, now)?;
            let ids = tx.start_steps(id, &steps, now)?;
            for work in works {
                let new = |instance: &&Instance| {
                    instance.created_at == now && instance.state == State::Created
                };
                for instance in work.instances.values().filter(new) {
                    tx.insert_instance(instance)?;
                }
            }
            let names = steps.iter().map(|step| (step.pod.clone(), step.step.to_owned()));
            Ok(Some(Journaled { id, steps: names.zip(ids).collect() }))
        })?;
        Ok(journaled)
    }

    /// The second transaction: what became of the steps.
    pub(super) fn write_results(
        &mut self,
        journaled: &Journaled,
        outcomes: &[(Outcome, Option<String>)],
    ) -> Result<()> {
        let now = clock::now();
        self.store.write(|tx| {
            let mut failed = 0;
            let mut forgotten = BTreeSet::new();
            for (outcome, error) in outcomes {
                if outcome.step.action == Action::Forget && error.is_none() {
                    forgotten.insert(&outcome.pod);
                }
            }
            for (outcome, error) in outcomes {
                failed += u32::from(error.is_some());
                if forgotten.contains(&outcome.pod) {
                    continue;
                }
                if let Some(instance) = &outcome.instance {
                    note(tx, instance, now)?;
                    tx.set_generation(&instance.id, instance.generation)?;
                    tx.prune_instances(&instance.pod, &instance.container)?;
                }
                let key = (outcome.pod.clone(), outcome.step.id.clone());
                if let Some(id) = journaled.steps.get(&key) {
                    let state =
                        if error.is_some() { StepState::Failed } else { StepState::Succeeded };
                    tx.set_step(*id, state, error.as_deref(), now)?;
                }
            }
            // Steps after a failed one in its lane were not begun.
            for id in journaled.steps.values() {
                tx.set_step(*id, StepState::Interrupted, Some("an earlier step failed"), now)?;
            }
            for pod in forgotten {
                tx.forget_pod(pod)?;
            }
            let executed = u32::try_from(outcomes.len()).unwrap_or(u32::MAX) - failed;
            tx.finish_pass(journaled.id, executed, failed, now)
        })?;
        Ok(())
    }
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
    let is_news =
        before.is_none_or(|before| before.state != instance.state || before.exit != instance.exit);
    if let Some(event) = events::of_instance(instance, now).filter(|_| is_news) {
        tx.append_event(&event)?;
    }
    Ok(())
}
