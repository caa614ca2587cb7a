//! Reading limits back, as the kernel has them now.

use std::path::Path;

use super::group::Home;
use super::hierarchy::Controller;
use super::{Group, Result, file};

/// A limit that the kernel has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// There is none.
    Unlimited,
    /// This much.
    At(u64),
}

/// The limits of a group; what nothing controls on this host is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LimitsSeen {
    /// Memory, in bytes; the kernel keeps whole pages.
    pub memory: Option<Limit>,
    /// CPU time, in thousandths of a CPU.
    pub cpus: Option<Limit>,
    /// Processes and threads.
    pub pids: Option<Limit>,
}

/// More memory than this is what the v1 controller shows for no limit.
const V1_UNLIMITED: u64 = 1 << 62;

impl Group {
    /// Reads the limits of the group; `None` if it does not exist.
    pub fn limits(&self) -> Result<Option<LimitsSeen>> {
        if !self.exists() {
            return Ok(None);
        }
        let memory = match self.home(Controller::Memory)? {
            None => None,
            Some(Home::V1(dir)) => {
                number(&dir, "memory.limit_in_bytes")?.map(|limit| match limit {
                    Limit::At(bytes) if bytes >= V1_UNLIMITED => Limit::Unlimited,
                    limit => limit,
                })
            }
            Some(Home::V2(dir)) => number(&dir, "memory.max")?,
        };
        let cpus = match self.home(Controller::Cpu)? {
            None => None,
            Some(Home::V1(dir)) => {
                let (quota, period) = ("cpu.cfs_quota_us", "cpu.cfs_period_us");
                let (quota, period) = (file::read(&dir, quota)?, file::read(&dir, period)?);
                share(&quota, &period)
            }
            Some(Home::V2(dir)) => {
                let text = file::read(&dir, "cpu.max")?;
                text.split_once(' ').and_then(|(quota, period)| share(quota, period))
            }
        };
        let pids = match self.home(Controller::Pids)? {
            None => None,
            Some(Home::V1(dir) | Home::V2(dir)) => number(&dir, "pids.max")?,
        };
        Ok(Some(LimitsSeen { memory, cpus, pids }))
    }
}

fn number(dir: &Path, name: &str) -> Result<Option<Limit>> {
    let text = file::read(dir, name)?;
    Ok(match text.as_str() {
        "max" => Some(Limit::Unlimited),
        text => text.parse().ok().map(Limit::At),
    })
}

/// A quota and its period, both in microseconds, as a share of CPU time.
fn share(quota: &str, period: &str) -> Option<Limit> {
    if matches!(quota, "max" | "-1") {
        return Some(Limit::Unlimited);
    }
    let (quota, period): (u64, u64) = (quota.parse().ok()?, period.parse().ok()?);
    quota.checked_mul(1000)?.checked_div(period).map(Limit::At)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_thousandths_of_a_cpu() {
        assert_eq!(share("50000", "100000"), Some(Limit::At(500)));
        assert_eq!(share("9000", "1000000"), Some(Limit::At(9)));
        assert_eq!(share("max", "100000"), Some(Limit::Unlimited));
        assert_eq!(share("-1", "100000"), Some(Limit::Unlimited));
        assert_eq!(share("", "100000"), None);
        assert_eq!(share("1", "0"), None);
    }
}
