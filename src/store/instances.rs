//! The lives of containers.
//!
//! The columns of an instance have two owners. What it is (its id, pod, container, attempt,
//! streak, boot, image and creation) is written once, by the engine that makes it; what was seen
//! of it is all that [`Tx::update_observed`] writes.

use rusqlite::params;

use super::column::{Columns, Word, json, micros};
use super::error::{Doing, Result};
use super::transaction::{Snapshot, Tx};
use crate::model::{
    ContainerName, Exit, ExitReason, Instance, InstanceId, PodName, ProcessIdentity,
};

/// How many removed instances of a container are kept as history.
const KEPT_INSTANCES: u32 = 10;

macro_rules! select_instances {
    ($tail:literal) => {
        concat!(
            "SELECT id, pod, container, generation, attempt, streak, state, boot,
                monitor_pid, monitor_start, process_pid, process_start, image, created_at,
                started_at, exit_reason, exit_detail, exit_code, exit_signal, exit_oom,
                finished_at, removed, notes
            FROM instances ",
            $tail
        )
    };
}

fn instance(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Instance> {
    Ok(Instance {
        id: columns.parse()?,
        pod: columns.parse()?,
        container: columns.parse()?,
        generation: columns.take()?,
        attempt: columns.take()?,
        streak: columns.take()?,
        state: columns.word()?,
        boot: columns.take()?,
        monitor: process(columns)?,
        process: process(columns)?,
        image: columns.parse_optional()?,
        created_at: columns.time()?,
        started_at: columns.time_optional()?,
        exit: exit(columns)?,
        removed: columns.take()?,
        notes: columns.json()?,
    })
}

fn process(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Option<ProcessIdentity>> {
    let (pid, start_time) = (columns.take::<Option<_>>()?, columns.take::<Option<_>>()?);
    Ok(pid.zip(start_time).map(|(pid, start_time)| ProcessIdentity { pid, start_time }))
}

fn exit(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Option<Exit>> {
    let reason = exit_reason(columns)?;
    let (code, signal, oom) = (columns.take()?, columns.take()?, columns.take()?);
    let finished_at = columns.time_optional()?;
    Ok(reason.map(|reason| Exit { code, signal, oom, reason, finished_at }))
}

fn exit_reason(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Option<ExitReason>> {
    let (kind, detail) = (columns.take::<Option<String>>()?, columns.take::<Option<String>>()?);
    let Some(kind) = kind else { return Ok(None) };
    Ok(Some(match (kind.as_str(), detail) {
        ("exited", None) => ExitReason::Exited,
        ("oom", None) => ExitReason::Oom,
        ("probe", Some(detail)) => ExitReason::Probe(detail),
        ("stopped", None) => ExitReason::Stopped,
        ("start-failed", Some(detail)) => ExitReason::StartFailed(detail),
        ("host-reboot", None) => ExitReason::HostReboot,
        ("unknown", None) => ExitReason::Unknown,
        _ => return columns.unexpected(kind),
    }))
}

fn exit_reason_columns(reason: &ExitReason) -> (&'static str, Option<&str>) {
    match reason {
        ExitReason::Exited => ("exited", None),
        ExitReason::Oom => ("oom", None),
        ExitReason::Probe(detail) => ("probe", Some(detail)),
        ExitReason::Stopped => ("stopped", None),
        ExitReason::StartFailed(detail) => ("start-failed", Some(detail)),
        ExitReason::HostReboot => ("host-reboot", None),
        ExitReason::Unknown => ("unknown", None),
    }
}

impl Snapshot<'_> {
    /// Every instance that was not removed, by pod, oldest first.
    pub fn live_instances(&self) -> Result<Vec<Instance>> {
        let sql = select_instances!("WHERE NOT removed ORDER BY pod, created_at, id");
        self.rows("read the instances", sql, [], instance)
    }

    /// Every instance that was not removed, and the last one of each container whether it was or
    /// not, by pod, oldest first: all that decides what is to be done.
    pub fn current_instances(&self) -> Result<Vec<Instance>> {
        let sql = select_instances!(
            "WHERE NOT removed OR attempt = (SELECT max(attempt) FROM instances AS other
                WHERE other.pod = instances.pod AND other.container = instances.container)
            ORDER BY pod, created_at, id"
        );
        self.rows("read the instances", sql, [], instance)
    }

    /// Every instance that was removed and is still on record, by pod, oldest first.
    pub fn removed_instances(&self) -> Result<Vec<Instance>> {
        let sql = select_instances!("WHERE removed ORDER BY pod, created_at, id");
        self.rows("read the instances", sql, [], instance)
    }

    /// Every instance of a pod that is known, removed ones too, oldest first.
    pub fn instances_of(&self, pod: &PodName) -> Result<Vec<Instance>> {
        let sql = select_instances!("WHERE pod = ?1 ORDER BY created_at, id");
        self.rows("read the instances of a pod", sql, [pod.as_str()], instance)
    }

    /// One instance.
    pub fn instance(&self, id: &InstanceId) -> Result<Option<Instance>> {
        let sql = select_instances!("WHERE id = ?1");
        self.row("read an instance", sql, [id.as_str()], instance)
    }

    /// The number of the next life of a container.
    pub fn next_attempt(&self, pod: &PodName, container: &ContainerName) -> Result<u32> {
        let sql = "SELECT max(attempt) FROM instances WHERE pod = ?1 AND container = ?2";
        let last = self.row(
            "read the attempts of a container",
            sql,
            [pod.as_str(), container.as_str()],
            |c| c.take::<Option<u32>>(),
        )?;
        Ok(last.flatten().unwrap_or(0) + 1)
    }
}

impl Tx<'_> {
    /// Writes a new instance; its pod must be there.
    pub fn insert_instance(&self, instance: &Instance) -> Result<()> {
        self.run(
            "write an instance",
            "INSERT INTO instances (id, pod, container, generation, attempt, streak, boot, image,
                created_at, state, exit_oom, removed, notes)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, FALSE, FALSE, '[]')",
            params![
                instance.id.as_str(),
                instance.pod.as_str(),
                instance.container.as_str(),
                instance.generation,
                instance.attempt,
                instance.streak,
                instance.boot,
                instance.image.as_ref().map(|digest| digest.as_str()),
                micros(instance.created_at),
                instance.state.word(),
            ],
        )?;
        self.update_observed(instance)?;
        Ok(())
    }

    /// Writes what was seen of an instance and says whether that is news; if not, or if there is
    /// no such instance (any more), nothing is written.
    pub fn update_observed(&self, instance: &Instance) -> Result<bool> {
        let doing = "write what was seen of an instance";
        let notes = json(&instance.notes).doing(doing)?;
        let (monitor, process) = (instance.monitor, instance.process);
        let exit = instance.exit.as_ref();
        let (reason, detail) = exit.map(|exit| exit_reason_columns(&exit.reason)).unzip();
        let changed = self.run(
            doing,
            "UPDATE instances SET
                (state, monitor_pid, monitor_start, process_pid, process_start, started_at,
                    exit_reason, exit_detail, exit_code, exit_signal, exit_oom, finished_at,
                    removed, notes)
                = (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
            WHERE id = ?1 AND
                (state, monitor_pid, monitor_start, process_pid, process_start, started_at,
                    exit_reason, exit_detail, exit_code, exit_signal, exit_oom, finished_at,
                    removed, notes)
                IS NOT (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            params![
                instance.id.as_str(),
                instance.state.word(),
                monitor.map(|process| process.pid),
                monitor.map(|process| process.start_time),
                process.map(|process| process.pid),
                process.map(|process| process.start_time),
                instance.started_at.map(micros),
                reason,
                detail.flatten(),
                exit.and_then(|exit| exit.code),
                exit.and_then(|exit| exit.signal),
                exit.is_some_and(|exit| exit.oom),
                exit.and_then(|exit| exit.finished_at).map(micros),
                instance.removed,
                notes,
            ],
        )?;
        Ok(changed > 0)
    }

    /// Says which generation of its pod an instance runs, after live changes were applied to it.
    pub fn set_generation(&self, id: &InstanceId, generation: u64) -> Result<()> {
        self.run(
            "write the generation of an instance",
            "UPDATE instances SET generation = ?2 WHERE id = ?1",
            params![id.as_str(), generation],
        )?;
        Ok(())
    }

    /// Drops the rows of a container's removed instances but for the last ten.
    pub fn prune_instances(&self, pod: &PodName, container: &ContainerName) -> Result<usize> {
        self.run(
            "drop old instances",
            "DELETE FROM instances WHERE pod = ?1 AND container = ?2 AND removed AND attempt <=
                (SELECT attempt FROM instances WHERE pod = ?1 AND container = ?2 AND removed
                    ORDER BY attempt DESC LIMIT 1 OFFSET ?3)",
            params![pod.as_str(), container.as_str(), KEPT_INSTANCES],
        )
    }

    /// Ends every instance of another boot whose end nobody saw, and returns how many there were.
    /// Not those that were still to be begun.
    pub(super) fn lose_instances_of_other_boots(&self, boot: &str) -> Result<usize> {
        self.run(
            "write off the instances of the last boot",
            "UPDATE instances SET state = 'failed', exit_reason = 'host-reboot'
                WHERE boot <> ?1 AND exit_reason IS NULL AND NOT removed AND state <> 'created'",
            [boot],
        )
    }
}
