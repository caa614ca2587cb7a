//! What a group uses.

use std::time::Duration;

use super::group::Home;
use super::hierarchy::Controller;
use super::{Group, Result, file};
use crate::model::Bytes;

/// What a group uses now; `None` is not known on this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// CPU time since the group was made.
    pub cpu: Option<Duration>,
    /// Memory, page cache included.
    pub memory: Option<Bytes>,
    /// Processes and threads.
    pub pids: Option<u64>,
}

impl Group {
    /// Reads what the group uses.
    pub fn stats(&self) -> Result<Stats> {
        Ok(Stats {
            cpu: self.cpu_time()?,
            memory: self
                .number(Controller::Memory, "memory.usage_in_bytes", "memory.current")?
                .map(Bytes),
            pids: self.number(Controller::Pids, "pids.current", "pids.current")?,
        })
    }

    fn cpu_time(&self) -> Result<Option<Duration>> {
        if let Some(dir) = self.unified() {
            let text = file::read(&dir, "cpu.stat")?;
            return Ok(file::field(&text, "usage_usec").map(Duration::from_micros));
        }
        let Some(dir) = self.v1(Controller::Cpuacct) else { return Ok(None) };
        Ok(file::read(&dir, "cpuacct.usage")?.parse().ok().map(Duration::from_nanos))
    }

    fn number(&self, controller: Controller, v1: &str, v2: &str) -> Result<Option<u64>> {
        let text = match self.home(controller)? {
            None => return Ok(None),
            Some(Home::V1(dir)) => file::read(&dir, v1)?,
            Some(Home::V2(dir)) => file::read(&dir, v2)?,
        };
        Ok(text.parse().ok())
    }
}
