//! Killing everything in a group.

use super::group::collect_processes;
use super::hierarchy::Controller;
use super::{Group, Result, file};
use crate::sys::{self, pidfd};

/// How many times to look for processes that were not there the time before. Without a limit on
/// forks (no pids controller) a fork bomb could outrun any number of rounds.
const ROUNDS: usize = 100;

/// How many descriptors to hold at a time.
const OPEN_AT_ONCE: usize = 256;

impl Group {
    /// Sends SIGKILL to every process in the group and in all groups inside it, also to those that
    /// fork meanwhile or are frozen. It does not wait for their end. A group that does not exist
    /// has nothing to kill.
    pub fn kill(&self) -> Result<()> {
        if let Some(dir) = self.unified() {
            match file::write_if_there(&dir, "cgroup.kill", 1) {
                Ok(true) => return Ok(()),
                Err(error) if error.is_gone() => return Ok(()),
                Ok(false) => {} // Linux before 5.14
                Err(error) => return Err(error),
            }
        }
        self.kill_each_without_forks()
    }

    /// Kills one by one while nothing in the group can fork.
    fn kill_each_without_forks(&self) -> Result<()> {
        let pids = self.own_dirs().find(|dir| self.v1(Controller::Pids).as_ref() == Some(dir));
        let Some(dir) = pids else { return self.kill_each() };
        let Some(limit) = file::read_if_there(&dir, "pids.max")? else { return self.kill_each() };
        file::write_if_there(&dir, "pids.max", 0)?;
        let result = self.kill_each();
        file::write_if_there(&dir, "pids.max", limit)?;
        result
    }

    fn kill_each(&self) -> Result<()> {
        let mut before = Vec::new();
        for _ in 0..ROUNDS {
            let now = self.tracked()?;
            if now.iter().all(|pid| before.contains(pid)) {
                return Ok(());
            }
            for some in now.chunks(OPEN_AT_ONCE) {
                self.kill_some(some)?;
            }
            before = now;
        }
        Ok(())
    }

    fn kill_some(&self, pids: &[i32]) -> Result<()> {
        let ended = |error: &sys::Error| error.is(libc::ESRCH);
        let mut processes = Vec::new();
        for pid in pids {
            match pidfd::open(*pid) {
                Ok(process) => processes.push((pid, process)),
                Err(error) if ended(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // A number may have passed on to a stranger before its pidfd was opened.
        let still_here = self.tracked()?;
        for (_, process) in processes.iter().filter(|(pid, _)| still_here.contains(pid)) {
            match pidfd::kill(process) {
                Err(error) if !ended(&error) => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    fn tracked(&self) -> Result<Vec<i32>> {
        let mut pids = Vec::new();
        if let Some(dir) = self.own_dirs().next() {
            collect_processes(&dir, &mut pids)?;
        }
        Ok(pids)
    }
}
