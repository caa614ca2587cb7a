//! What a pod was before, and going back to it.

use std::time::Duration;

use super::error::{Error, Kind};
use super::report::{
    ChangeReport, HistoryReport, PassReport, PodResult, Progress, RevisionReport, StepError,
};
use super::{App, Goal, Watcher, no_pod};
use crate::engine::{Change, Desire, chain};
use crate::model::change::changes;
use crate::model::{DesiredPod, PodName};
use crate::store::Revision;

impl App {
    /// The revisions of a pod that are on record, the newest first, each with what it changed.
    pub fn history(&self, name: &PodName) -> Result<HistoryReport, Error> {
        let (pod, revisions) =
            self.read("revisions", |state| Ok((state.pod(name)?, state.revisions(name)?)))?;
        let pod = pod.ok_or_else(|| no_pod(name))?;
        let before = std::iter::once(None).chain(revisions.iter().map(Some));
        let reports = revisions.iter().zip(before).map(|(revision, before)| RevisionReport {
            generation: revision.generation,
            created_at: revision.created_at,
            current: revision.generation == pod.generation,
            changes: before.map(|before| differences(before, revision)),
        });
        let mut revisions: Vec<_> = reports.collect();
        revisions.reverse();
        Ok(HistoryReport { name: name.clone(), revisions })
    }

    /// Makes a pod what it was at a generation, or else what it last was before it was what it is
    /// now, and runs a pass over it.
    pub fn rollback(
        &mut self,
        name: &PodName,
        to: Option<u64>,
        wait: Option<Duration>,
        progress: Watcher<'_>,
    ) -> Result<PassReport, Error> {
        self.get(name)?;
        let change = Change::Desire(Desire::Rollback(name.clone(), to));
        let report = self.pass(change, None, self.wait_for_locks(), progress)?;
        if let Some(timeout) = wait
            && report.failed == 0
        {
            self.wait_until(std::slice::from_ref(name), Goal::Applied, timeout, progress)?;
        }
        Ok(report)
    }

    /// What rolling a pod back would do. Changes nothing.
    pub fn preview_rollback(&self, name: &PodName, to: Option<u64>) -> Result<PassReport, Error> {
        self.get(name)?;
        self.dry_run(&Desire::Rollback(name.clone(), to))
    }

    /// Makes the pods that an apply has changed what they were `before` it, unless they are not
    /// what it made of them any more: then somebody else has seen to them.
    ///
    /// # Errors
    /// Some cannot go back; the others have.
    pub(super) fn undo(
        &mut self,
        applied: &PassReport,
        before: &[DesiredPod],
        progress: Watcher<'_>,
    ) -> Result<(), Error> {
        let mut failed = Vec::new();
        for outcome in applied.pods.iter().filter(|pod| pod.result == PodResult::Configured) {
            let name = &outcome.name;
            let Some(old) = before.iter().find(|old| old.pod.name == *name) else { continue };
            let old = old.generation;
            if self.desired(name).is_ok_and(|now| Some(now.generation) != outcome.generation) {
                progress(&Progress::Note(&format!("pod {name} was changed by somebody else")));
                continue;
            }
            progress(&Progress::Note(&format!("pod {name} goes back to generation {old}")));
            let change = Change::Desire(Desire::Rollback(name.clone(), Some(old)));
            let undone = self.pass(change, None, self.wait_for_locks(), progress);
            let own = |error: &&StepError| error.pod.as_ref() == Some(name);
            match undone.map(|report| report.errors.into_iter().find(|error| own(&error))) {
                Ok(None) => {}
                Ok(Some(error)) => failed.push(format!("pod {name}: {}", error.error)),
                Err(error) => failed.push(format!("pod {name}: {}", chain(&error))),
            }
        }
        if failed.is_empty() {
            return Ok(());
        }
        Err(Error::new(Kind::Failed, format!("cannot roll back {}", failed.join("; "))))
    }
}

/// What a revision changed: fields, and images that were resolved to others.
fn differences(before: &Revision, after: &Revision) -> Vec<ChangeReport> {
    let fields = changes(&before.pod, &after.pod).into_iter().map(|change| ChangeReport {
        path: change.path,
        old: change.old,
        new: change.new,
    });
    let images = after.images.iter().filter_map(|(container, digest)| {
        let old = before.images.get(container).filter(|old| *old != digest)?;
        let path = format!("containers[{container}].image digest");
        Some(ChangeReport { path, old: old.to_string(), new: digest.to_string() })
    });
    fields.chain(images).collect()
}
