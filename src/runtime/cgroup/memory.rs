//! The memory limit, which unlike the others can be in use already.

use std::path::Path;

use super::group::Home;
use super::limits::or_max;
use super::{Error, Group, Note, Result, file};
use crate::model::Bytes;

impl Group {
    pub(super) fn set_memory(
        &self,
        home: &Home,
        limit: Option<Bytes>,
        fresh: bool,
    ) -> Result<Option<Note>> {
        match home {
            Home::V1(_) if fresh && limit.is_none() => Ok(None),
            Home::V1(dir) => self.set_memory_v1(dir, limit),
            Home::V2(dir) => {
                if fresh {
                    // A container is one unit: half of it killed is a broken one that looks well.
                    file::write_if_there(dir, "memory.oom.group", 1)?;
                    if limit.is_none() {
                        return Ok(None);
                    }
                }
                self.set_memory_v2(dir, limit)
            }
        }
    }

    /// Writes `memory.max`. The kernel would kill processes until use is below it, so what is in
    /// use is reclaimed and checked beforehand, with the limit `memory.high`, which never kills.
    fn set_memory_v2(&self, dir: &Path, limit: Option<Bytes>) -> Result<Option<Note>> {
        if let Some(limit) = limit
            && memory_current(dir)? > limit.0
        {
            file::write(dir, "memory.high", limit.0)?;
            let left = memory_current(dir);
            file::write(dir, "memory.high", "max")?;
            if left? > limit.0 {
                return Err(self.memory_in_use(limit));
            }
        }
        file::write(dir, "memory.max", or_max(limit.map(|limit| limit.0)))?;
        let swap = if limit.is_some() { "0" } else { "max" };
        let counted = file::write_if_there(dir, "memory.swap.max", swap)?;
        Ok((limit.is_some() && !counted).then_some(Note::SwapNotLimited))
    }

    /// Writes the limit on memory and the one on memory and swap together, which may never be the
    /// smaller one of the two.
    fn set_memory_v1(&self, dir: &Path, limit: Option<Bytes>) -> Result<Option<Note>> {
        const MEMORY: &str = "memory.limit_in_bytes";
        const WITH_SWAP: &str = "memory.memsw.limit_in_bytes";
        let value = limit.map_or_else(|| "-1".to_owned(), |limit| limit.0.to_string());
        let set = |name| match (file::write(dir, name, &value), limit) {
            (Err(error), Some(limit)) if error.is(libc::EBUSY) => Err(self.memory_in_use(limit)),
            (result, _) => result,
        };
        let Some(old) = file::read_if_there(dir, WITH_SWAP)? else {
            set(MEMORY)?;
            return Ok(limit.is_some().then_some(Note::SwapNotLimited));
        };
        let raised = limit.is_none_or(|limit| old.parse().is_ok_and(|old: u64| limit.0 > old));
        if raised {
            set(WITH_SWAP)?;
            set(MEMORY)?;
        } else {
            let old = file::read(dir, MEMORY)?;
            set(MEMORY)?;
            if let Err(error) = set(WITH_SWAP) {
                file::write(dir, MEMORY, old)?;
                return Err(error);
            }
        }
        Ok(None)
    }

    fn memory_in_use(&self, limit: Bytes) -> Error {
        Error::MemoryInUse { group: self.path.clone(), limit }
    }
}

fn memory_current(dir: &Path) -> Result<u64> {
    Ok(file::read(dir, "memory.current")?.parse().unwrap_or(0))
}
