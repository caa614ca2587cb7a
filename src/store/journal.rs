//! What passes did, written before and after: a crash leaves rows that say what was under way.

use jiff::Timestamp;
use rusqlite::params;

use super::Store;
use super::column::{Columns, Word, micros};
use super::error::Result;
use super::transaction::{Snapshot, Tx};
use crate::model::{ContainerName, PodName, ProcessIdentity};

/// How many passes, and how many steps of all of them, are kept.
const KEPT: i64 = 10_000;

/// The process that runs a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The process.
    pub process: ProcessIdentity,
    /// The boot it belongs to.
    pub boot: String,
}

/// The number of a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PassId(pub i64);

/// The number of a step in the journal; none is used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(pub i64);

/// One pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// Its number.
    pub id: PassId,
    /// The command it was part of.
    pub command: String,
    /// Who ran it.
    pub owner: Owner,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `None` if it is under way or was cut short.
    pub finished_at: Option<Timestamp>,
    /// How many steps it had to do.
    pub planned: u32,
    /// How many it did; `None` as long as it did not end.
    pub executed: Option<u32>,
    /// How many of those failed; `None` as long as it did not end.
    pub failed: Option<u32>,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// It was begun.
    Started,
    /// It waits for a moment or another process.
    Waiting,
    /// It was done.
    Succeeded,
    /// It could not be done.
    Failed,
    /// Its process died; what it got done is for the next pass to see.
    Interrupted,
}

impl Word for StepState {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Started, "started"),
        (Self::Waiting, "waiting"),
        (Self::Succeeded, "succeeded"),
        (Self::Failed, "failed"),
        (Self::Interrupted, "interrupted"),
    ];
}

/// A step that is about to be done.
#[derive(Debug, Clone, Copy)]
pub struct NewStep<'a> {
    /// The pod.
    pub pod: &'a PodName,
    /// Its id within the plan: `start/app/3`.
    pub step: &'a str,
    /// The container it is about.
    pub container: Option<&'a ContainerName>,
    /// What is done, as one word.
    pub action: &'a str,
    /// Why.
    pub cause: &'a str,
}

/// A step of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its number.
    pub id: StepId,
    /// The pass it belongs to.
    pub pass: PassId,
    /// The pod.
    pub pod: PodName,
    /// Its id within the plan.
    pub step: String,
    /// The container it is about.
    pub container: Option<ContainerName>,
    /// What was to be done.
    pub action: String,
    /// Why.
    pub cause: String,
    /// Where it stands.
    pub state: StepState,
    /// Why it failed.
    pub error: Option<String>,
    /// When it was begun.
    pub started_at: Timestamp,
    /// When it ended, or was found to be interrupted.
    pub finished_at: Option<Timestamp>,
}

macro_rules! select_passes {
    ($tail:literal) => {
        concat!(
            "SELECT id, command, owner_pid, owner_start, owner_boot, started_at, finished_at,
                planned, executed, failed FROM passes ",
            $tail
        )
    };
}

fn pass(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Pass> {
    Ok(Pass {
        id: PassId(columns.take()?),
        command: columns.take()?,
        owner: Owner {
            process: ProcessIdentity { pid: columns.take()?, start_time: columns.take()? },
            boot: columns.take()?,
        },
        started_at: columns.time()?,
        finished_at: columns.time_optional()?,
        planned: columns.take()?,
        executed: columns.take()?,
        failed: columns.take()?,
    })
}

macro_rules! select_steps {
    ($tail:literal) => {
        concat!(
            "SELECT id, pass, pod, step, container, action, cause, state, error, started_at,
                finished_at FROM journal ",
            $tail
        )
    };
}

fn step(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Step> {
    Ok(Step {
        id: StepId(columns.take()?),
        pass: PassId(columns.take()?),
        pod: columns.parse()?,
        step: columns.take()?,
        container: columns.parse_optional()?,
        action: columns.take()?,
        cause: columns.take()?,
        state: columns.word()?,
        error: columns.take()?,
        started_at: columns.time()?,
        finished_at: columns.time_optional()?,
    })
}

impl Snapshot<'_> {
    /// The last `count` passes, oldest first.
    pub fn recent_passes(&self, count: u32) -> Result<Vec<Pass>> {
        let sql = select_passes!("ORDER BY id DESC LIMIT ?1");
        let mut passes = self.rows("read the passes", sql, [count], pass)?;
        passes.reverse();
        Ok(passes)
    }

    /// One pass, if it is still kept.
    pub fn pass(&self, id: PassId) -> Result<Option<Pass>> {
        self.row("read a pass", select_passes!("WHERE id = ?1"), [id.0], pass)
    }

    /// The passes that have steps under way.
    pub fn open_passes(&self) -> Result<Vec<Pass>> {
        let sql = select_passes!(
            "WHERE id IN (SELECT pass FROM journal WHERE finished_at IS NULL) ORDER BY id"
        );
        self.rows("look for open passes", sql, [], pass)
    }

    /// The steps that are under way, oldest first.
    pub fn open_steps(&self) -> Result<Vec<Step>> {
        let sql = select_steps!("WHERE finished_at IS NULL ORDER BY id");
        self.rows("look for open steps", sql, [], step)
    }

    /// The last `count` steps of a pod, oldest first.
    pub fn recent_steps(&self, pod: &PodName, count: u32) -> Result<Vec<Step>> {
        let sql = select_steps!("WHERE pod = ?1 ORDER BY id DESC LIMIT ?2");
        let mut steps =
            self.rows("read the steps of a pod", sql, params![pod.as_str(), count], step)?;
        steps.reverse();
        Ok(steps)
    }
}

impl Tx<'_> {
    /// Begins a pass of `planned` steps.
    pub fn begin_pass(
        &self,
        command: &str,
        owner: &Owner,
        planned: u32,
        now: Timestamp,
    ) -> Result<PassId> {
        let id = self.insert(
            "begin a pass",
            "INSERT INTO passes (command, owner_pid, owner_start, owner_boot, started_at, planned)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                command,
                owner.process.pid,
                owner.process.start_time,
                owner.boot,
                micros(now),
                planned
            ],
        )?;
        self.run("drop old passes", "DELETE FROM passes WHERE id <= ?1", [id - KEPT])?;
        Ok(PassId(id))
    }

    /// Writes down that steps are begun, and returns their numbers in the same order.
    pub fn start_steps(
        &self,
        pass: PassId,
        steps: &[NewStep<'_>],
        now: Timestamp,
    ) -> Result<Vec<StepId>> {
        let start = |step: &NewStep<'_>| {
            let id = self.insert(
                "write a step",
                "INSERT INTO journal (pass, pod, step, container, action, cause, state,
                    started_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'started', ?7)",
                params![
                    pass.0,
                    step.pod.as_str(),
                    step.step,
                    step.container.map(ContainerName::as_str),
                    step.action,
                    step.cause,
                    micros(now)
                ],
            )?;
            Ok(StepId(id))
        };
        let ids = steps.iter().map(start).collect::<Result<Vec<_>>>()?;
        if let Some(last) = ids.last() {
            let sql = "DELETE FROM journal WHERE id <= ?1 AND finished_at IS NOT NULL";
            self.run("drop old steps", sql, [last.0 - KEPT])?;
        }
        Ok(ids)
    }

    /// Writes down where a step under way stands now. Returns `false`, and writes nothing, if it
    /// is not under way (any more): its pod was forgotten, or somebody took its process for dead.
    pub fn set_step(
        &self,
        id: StepId,
        state: StepState,
        error: Option<&str>,
        now: Timestamp,
    ) -> Result<bool> {
        let open = matches!(state, StepState::Started | StepState::Waiting);
        let finished_at = (!open).then_some(micros(now));
        let changed = self.run(
            "write the result of a step",
            "UPDATE journal SET state = ?2, error = ?3, finished_at = ?4
                WHERE id = ?1 AND finished_at IS NULL",
            params![id.0, state.word(), error, finished_at],
        )?;
        Ok(changed > 0)
    }

    /// Ends a pass.
    pub fn finish_pass(
        &self,
        id: PassId,
        executed: u32,
        failed: u32,
        now: Timestamp,
    ) -> Result<()> {
        self.run(
            "end a pass",
            "UPDATE passes SET finished_at = ?2, executed = ?3, failed = ?4 WHERE id = ?1",
            params![id.0, micros(now), executed, failed],
        )?;
        Ok(())
    }

    fn interrupt_pass(&self, id: PassId, now: Timestamp) -> Result<()> {
        self.run(
            "write that steps were interrupted",
            "UPDATE journal SET state = 'interrupted', finished_at = ?2
                WHERE pass = ?1 AND finished_at IS NULL",
            params![id.0, micros(now)],
        )?;
        Ok(())
    }
}

impl Store {
    /// Marks the steps of dead processes as interrupted and returns them, as they were. `alive` is
    /// asked once for each owner of an open pass, outside of any transaction; when all of them
    /// live, or there is none, nothing is written.
    pub fn interrupt_dead(
        &mut self,
        alive: impl Fn(&Owner) -> bool,
        now: Timestamp,
    ) -> Result<Vec<Step>> {
        let passes = self.read(|snapshot| snapshot.open_passes())?;
        let dead: Vec<_> =
            passes.iter().filter(|pass| !alive(&pass.owner)).map(|pass| pass.id).collect();
        if dead.is_empty() {
            return Ok(Vec::new());
        }
        self.write(|tx| {
            let mut steps = tx.open_steps()?;
            steps.retain(|step| dead.contains(&step.pass));
            for pass in &dead {
                tx.interrupt_pass(*pass, now)?;
            }
            Ok(steps)
        })
    }
}
