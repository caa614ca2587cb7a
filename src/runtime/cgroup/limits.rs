//! Setting limits, on a new group and on a living one.

use std::path::Path;

use super::group::Home;
use super::hierarchy::Controller;
use super::{Error, Group, Note, Result, file};
use crate::model::{Bytes, Cpus};

/// What a group may use; `None` is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Memory, swap included: a group with a memory limit has no swap of its own.
    pub memory: Option<Bytes>,
    /// CPU time.
    pub cpus: Option<Cpus>,
    /// Processes and threads.
    pub pids: Option<u64>,
}

impl Group {
    /// Changes the limits of the living group: raises, lowers, sets and removes them.
    ///
    /// Memory cannot be limited below what the group uses ([`Error::MemoryInUse`]); the old limit
    /// stays then. Limits are changed one after the other, so that an error leaves the later ones
    /// (in the order of [`Limits`]) as they were.
    pub fn update(&self, limits: &Limits) -> Result<Vec<Note>> {
        self.set_limits(limits, false)
    }

    /// Sets the limits; a `fresh` group has none, so that what is not limited need not be written.
    pub(super) fn set_limits(&self, limits: &Limits, fresh: bool) -> Result<Vec<Note>> {
        let mut notes = Vec::new();
        if let Some(home) = self.home_of(Controller::Memory, limits.memory.is_some(), &mut notes)? {
            notes.extend(self.set_memory(&home, limits.memory, fresh)?);
        }
        if let Some(home) = self.home_of(Controller::Cpu, limits.cpus.is_some(), &mut notes)?
            && !(fresh && limits.cpus.is_none())
        {
            set_cpus(&home, limits.cpus)?;
        }
        if let Some(Home::V1(dir) | Home::V2(dir)) =
            self.home_of(Controller::Pids, limits.pids.is_some(), &mut notes)?
            && !(fresh && limits.pids.is_none())
        {
            file::write(&dir, "pids.max", or_max(limits.pids))?;
        }
        Ok(notes)
    }

    fn home_of(
        &self,
        controller: Controller,
        needed: bool,
        notes: &mut Vec<Note>,
    ) -> Result<Option<Home>> {
        let home = self.home(controller)?;
        match (&home, needed) {
            (None, true) => return Err(Error::NoController(controller)),
            (None, false) => notes.push(Note::NoController(controller)),
            _ => {}
        }
        Ok(home)
    }
}

/// A limit as the files of cgroup2 spell it.
pub(super) fn or_max(limit: Option<u64>) -> String {
    limit.map_or_else(|| "max".to_owned(), |value| value.to_string())
}

/// The period of the CPU controller, in microseconds: the kernel's own default.
const PERIOD: u64 = 100_000;

/// The longest period there is, for shares so small that the quota would be under its least, 1 ms.
const LONG_PERIOD: u64 = 1_000_000;

/// The quota and the period, in microseconds, that make up a share of CPU time.
fn bandwidth(cpus: Cpus) -> (u64, u64) {
    let period = if cpus.0 < 10 { LONG_PERIOD } else { PERIOD };
    (u64::from(cpus.0) * (period / 1000), period)
}

fn set_cpus(home: &Home, cpus: Option<Cpus>) -> Result<()> {
    let (quota, period) = cpus.map_or((None, PERIOD), |cpus| {
        let (quota, period) = bandwidth(cpus);
        (Some(quota), period)
    });
    match home {
        Home::V2(dir) => file::write(dir, "cpu.max", format!("{} {period}", or_max(quota))),
        Home::V1(dir) => set_cpus_v1(dir, quota, period),
    }
}

fn set_cpus_v1(dir: &Path, quota: Option<u64>, period: u64) -> Result<()> {
    if file::read(dir, "cpu.cfs_period_us")? != period.to_string() {
        // Two files make one limit: the new period with the old quota must not be invalid.
        file::write(dir, "cpu.cfs_quota_us", -1)?;
        file::write(dir, "cpu.cfs_period_us", period)?;
    }
    match quota {
        Some(quota) => file::write(dir, "cpu.cfs_quota_us", quota),
        None => file::write(dir, "cpu.cfs_quota_us", -1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_become_quotas_that_the_kernel_takes() {
        assert_eq!(bandwidth(Cpus(500)), (50_000, 100_000));
        assert_eq!(bandwidth(Cpus(2000)), (200_000, 100_000));
        assert_eq!(bandwidth(Cpus(10)), (1000, 100_000));
        assert_eq!(bandwidth(Cpus(9)), (9000, 1_000_000));
        assert_eq!(bandwidth(Cpus(1)), (1000, 1_000_000));
    }
}
