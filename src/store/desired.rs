//! What the user wants: pods and their revisions.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::params;

use super::column::{Columns, Word, json, micros};
use super::error::{Doing, Result};
use super::transaction::{Snapshot, Tx};
use crate::model::{ContainerName, DesiredPod, Digest, Pod, PodName, RunState};

/// How many revisions of a pod are kept, the current one included, and beside those that are run.
const KEPT_REVISIONS: u64 = 20;

/// What [`Tx::put_pod`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Put {
    /// Whether anything changed.
    pub result: PutResult,
    /// The pod's generation now.
    pub generation: u64,
}

/// Whether a stated pod was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutResult {
    /// There was none of this name, or it was being deleted.
    Created,
    /// Its spec or its images are others than before.
    Configured,
    /// It was there, just so; nothing was written.
    Unchanged,
}

/// What became of a change to something that may not be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    /// There is no such thing.
    NotFound,
    /// It was so already; nothing was written.
    Unchanged,
    /// It was changed.
    Changed,
}

/// The spec of one generation of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The generation.
    pub generation: u64,
    /// The spec.
    pub pod: Pod,
    /// The manifest each container's image name was resolved to.
    pub images: BTreeMap<ContainerName, Digest>,
    /// When it was applied.
    pub created_at: Timestamp,
}

macro_rules! select_pods {
    ($tail:literal) => {
        concat!(
            "SELECT spec, generation, run, renewed, revived, deleting, images, created_at,
                updated_at FROM pods ",
            $tail
        )
    };
}

fn desired_pod(columns: &mut Columns<'_, '_>) -> rusqlite::Result<DesiredPod> {
    Ok(DesiredPod {
        pod: columns.json()?,
        generation: columns.take()?,
        run: columns.word()?,
        renewed: columns.take()?,
        revived: columns.take()?,
        deleting: columns.take()?,
        images: columns.json()?,
        created_at: columns.time()?,
        updated_at: columns.time()?,
    })
}

macro_rules! select_revisions {
    ($tail:literal) => {
        concat!("SELECT generation, spec, images, created_at FROM revisions ", $tail)
    };
}

fn revision(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Revision> {
    Ok(Revision {
        generation: columns.take()?,
        pod: columns.json()?,
        images: columns.json()?,
        created_at: columns.time()?,
    })
}

impl Snapshot<'_> {
    /// Every desired pod, by name.
    pub fn pods(&self) -> Result<Vec<DesiredPod>> {
        self.rows("read the pods", select_pods!("ORDER BY name"), [], desired_pod)
    }

    /// One desired pod.
    pub fn pod(&self, name: &PodName) -> Result<Option<DesiredPod>> {
        let sql = select_pods!("WHERE name = ?1");
        self.row("read a pod", sql, [name.as_str()], desired_pod)
    }

    /// Those of `names` that there are, in the order they were asked for.
    pub fn pods_named(&self, names: &[PodName]) -> Result<Vec<DesiredPod>> {
        let pods = names.iter().map(|name| self.pod(name));
        pods.filter_map(Result::transpose).collect()
    }

    /// The revisions of a pod that are kept, oldest first; the last one is the current.
    pub fn revisions(&self, pod: &PodName) -> Result<Vec<Revision>> {
        let sql = select_revisions!("WHERE pod = ?1 ORDER BY generation");
        self.rows("read the revisions of a pod", sql, [pod.as_str()], revision)
    }

    /// What a pod was at one generation, if that is still kept.
    pub fn revision(&self, pod: &PodName, generation: u64) -> Result<Option<Revision>> {
        let sql = select_revisions!("WHERE pod = ?1 AND generation = ?2");
        self.row("read a revision of a pod", sql, params![pod.as_str(), generation], revision)
    }
}

impl Tx<'_> {
    /// Makes `pod`, with its containers' images resolved to `images`, what the user wants.
    ///
    /// A spec is compared value by value with the stored one. Whether the pod should run is kept;
    /// a pod that is being deleted comes back, and should run.
    pub fn put_pod(
        &self,
        pod: &Pod,
        images: &BTreeMap<ContainerName, Digest>,
        now: Timestamp,
    ) -> Result<Put> {
        let Some(old) = self.pod(&pod.name)? else {
            self.insert_pod(pod, images, now)?;
            return Ok(Put { result: PutResult::Created, generation: 1 });
        };
        if !old.deleting && old.pod == *pod && old.images == *images {
            return Ok(Put { result: PutResult::Unchanged, generation: old.generation });
        }
        let doing = "change a pod";
        let generation = old.generation + 1;
        let run = if old.deleting { RunState::Run } else { old.run };
        self.run(
            doing,
            "UPDATE pods SET generation = ?2, spec = ?3, images = ?4, run = ?5, deleting = FALSE,
                updated_at = ?6 WHERE name = ?1",
            params![
                pod.name.as_str(),
                generation,
                json(pod).doing(doing)?,
                json(images).doing(doing)?,
                run.word(),
                micros(now)
            ],
        )?;
        self.insert_revision(pod, generation, images, now)?;
        let result = if old.deleting { PutResult::Created } else { PutResult::Configured };
        Ok(Put { result, generation })
    }

    /// Writes `pod` unless there is one of its name, and says whether it did.
    pub fn create_pod_if_absent(
        &self,
        pod: &Pod,
        images: &BTreeMap<ContainerName, Digest>,
        now: Timestamp,
    ) -> Result<bool> {
        let absent = self.pod(&pod.name)?.is_none();
        if absent {
            self.insert_pod(pod, images, now)?;
        }
        Ok(absent)
    }

    fn insert_pod(
        &self,
        pod: &Pod,
        images: &BTreeMap<ContainerName, Digest>,
        now: Timestamp,
    ) -> Result<()> {
        let doing = "create a pod";
        self.run(
            doing,
            "INSERT INTO pods (name, generation, spec, images, run, deleting, created_at,
                updated_at) VALUES (?1, 1, ?2, ?3, ?4, FALSE, ?5, ?5)",
            params![
                pod.name.as_str(),
                json(pod).doing(doing)?,
                json(images).doing(doing)?,
                RunState::Run.word(),
                micros(now)
            ],
        )?;
        self.insert_revision(pod, 1, images, now)
    }

    fn insert_revision(
        &self,
        pod: &Pod,
        generation: u64,
        images: &BTreeMap<ContainerName, Digest>,
        now: Timestamp,
    ) -> Result<()> {
        let doing = "write a revision of a pod";
        let (spec, images) = (json(pod).doing(doing)?, json(images).doing(doing)?);
        self.run(
            doing,
            "INSERT INTO revisions (pod, generation, spec, images, created_at)
                VALUES (?1, ?2, ?3, ?4, ?5)",
            params![pod.name.as_str(), generation, spec, images, micros(now)],
        )?;
        self.show_contents(pod, generation)?;
        self.run(
            doing,
            "DELETE FROM revisions WHERE pod = ?1 AND generation <= ?2
                AND generation NOT IN (SELECT max(generation) FROM revisions WHERE pod = ?1
                    GROUP BY spec, images ORDER BY 1 DESC LIMIT ?3)
                AND generation NOT IN
                    (SELECT generation FROM instances WHERE pod = ?1 AND NOT removed)",
            params![pod.name.as_str(), generation.saturating_sub(KEPT_REVISIONS), KEPT_REVISIONS],
        )?;
        Ok(())
    }

    /// Marks a pod as being deleted. Its row stays until [`forget_pod`](Self::forget_pod).
    pub fn mark_deleting(&self, name: &PodName) -> Result<Update> {
        let sql = "UPDATE pods SET deleting = TRUE WHERE name = ?1 AND NOT deleting";
        let changed = self.run("mark a pod as deleted", sql, [name.as_str()])?;
        self.update(name, changed)
    }

    /// Sets whether a pod should run.
    pub fn set_run(&self, name: &PodName, run: RunState) -> Result<Update> {
        let sql = "UPDATE pods SET run = ?2 WHERE name = ?1 AND run <> ?2";
        let changed = self.run("change whether a pod runs", sql, [name.as_str(), run.word()])?;
        self.update(name, changed)
    }

    /// Has what runs of a pod replaced, and what has ended started again.
    pub fn renew(&self, name: &PodName, now: Timestamp) -> Result<Update> {
        self.next_generation(name, now, "UPDATE pods SET renewed = ?2 WHERE name = ?1")
    }

    /// Has what has ended of a pod started again.
    pub fn revive(&self, name: &PodName, now: Timestamp) -> Result<Update> {
        self.next_generation(name, now, "UPDATE pods SET revived = ?2 WHERE name = ?1")
    }

    /// Makes a generation of the same spec, which `mark` writes down.
    fn next_generation(&self, name: &PodName, now: Timestamp, mark: &str) -> Result<Update> {
        let doing = "make a generation of a pod";
        let Some(pod) = self.pod(name)? else { return Ok(Update::NotFound) };
        let generation = pod.generation + 1;
        let sql = "UPDATE pods SET generation = ?2 WHERE name = ?1";
        self.run(doing, sql, params![name.as_str(), generation])?;
        self.run(doing, mark, params![name.as_str(), generation])?;
        self.insert_revision(&pod.pod, generation, &pod.images, now)?;
        Ok(Update::Changed)
    }

    fn update(&self, name: &PodName, changed: usize) -> Result<Update> {
        Ok(if changed > 0 {
            Update::Changed
        } else if self.pod(name)?.is_some() {
            Update::Unchanged
        } else {
            Update::NotFound
        })
    }

    /// Removes what is known of a pod: its revisions, instances, lease and ports with it, and its
    /// steps in the journal. Its events stay.
    pub fn forget_pod(&self, name: &PodName) -> Result<()> {
        let doing = "forget a pod";
        self.run(doing, "DELETE FROM pods WHERE name = ?1", [name.as_str()])?;
        self.run(doing, "DELETE FROM journal WHERE pod = ?1", [name.as_str()])?;
        self.drop_unseen_contents()
    }
}
