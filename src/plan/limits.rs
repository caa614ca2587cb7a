//! Whether a running container is limited as its spec says.

use super::ObservedInstance;
use crate::model::quantity::{Bytes, Cpus};
use crate::model::{Container, ContainerName};

/// What the kernel has of an instance's cgroup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Confinement {
    /// It was not looked at, or could not be: nothing is concluded from that.
    #[default]
    Unread,
    /// It is gone: nothing limits the container any more.
    Gone,
    /// It has these limits.
    Limits(ObservedLimits),
}

/// Limits as the kernel has them; what could not be read is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ObservedLimits {
    /// Memory, in bytes.
    pub memory: Option<ObservedLimit>,
    /// CPU time, in thousandths of a CPU.
    pub cpus: Option<ObservedLimit>,
    /// Processes and threads.
    pub pids: Option<ObservedLimit>,
}

/// One limit as the kernel has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObservedLimit {
    /// There is none.
    Unlimited,
    /// This much.
    At(u64),
}

/// The kernel keeps memory in pages, of which the largest common ones have 64 KiB.
const PAGE: u64 = 64 << 10;

/// What of the limits of a running container is not as its spec says, if anything is not.
pub(super) fn drift(container: &Container, seen: &ObservedInstance) -> Option<String> {
    let Confinement::Limits(limits) = seen.confinement else { return None };
    let memory = container.memory.map(|bytes| bytes.0);
    let cpus = container.cpus.map(|cpus| u64::from(cpus.0));
    let name = &container.name;
    let bytes = |bytes| Bytes(bytes).to_string();
    let share = |cpus| Cpus(u32::try_from(cpus).unwrap_or(u32::MAX)).to_string();
    one(name, "memory", memory, limits.memory, PAGE, bytes)
        .or_else(|| one(name, "cpus", cpus, limits.cpus, 1, share))
        .or_else(|| one(name, "pids", container.pids, limits.pids, 1, |pids| pids.to_string()))
}

/// Compares one limit; less than `grain` is no difference.
fn one(
    container: &ContainerName,
    field: &str,
    wanted: Option<u64>,
    seen: Option<ObservedLimit>,
    grain: u64,
    show: impl Fn(u64) -> String,
) -> Option<String> {
    let same = match (wanted, seen?) {
        (None, ObservedLimit::Unlimited) => true,
        (Some(wanted), ObservedLimit::At(seen)) => wanted.abs_diff(seen) < grain,
        _ => false,
    };
    let seen = match seen? {
        ObservedLimit::Unlimited => "unlimited".to_owned(),
        ObservedLimit::At(seen) => show(seen),
    };
    let wanted = wanted.map_or_else(|| "unlimited".to_owned(), &show);
    (!same).then(|| format!("containers[{container}].{field} is {seen}, should be {wanted}"))
}
