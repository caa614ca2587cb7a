//! What the kernel and the monitors say of an instance, now.

use std::io::ErrorKind;

use super::directories::InstanceFiles;
use super::record::{ExitRecord, Status};
use crate::model::ProcessIdentity;
use crate::sys::{self, lock, process};

/// What was seen of an instance.
#[derive(Debug)]
pub enum Sight {
    /// Its monitor holds its lock.
    Running,
    /// Its monitor wrote how it ended, and is gone.
    Ended(ExitRecord),
    /// Its monitor is gone without a word, and its program is still there.
    Orphaned(ProcessIdentity),
    /// Nothing of it runs, and nobody saw it end.
    Gone,
}

/// Looks at an instance. `known` is its first process as it was recorded in this boot.
pub fn look(files: InstanceFiles<'_>, known: Option<ProcessIdentity>) -> sys::Result<Sight> {
    if monitor(files)?.is_some() {
        return Ok(Sight::Running);
    }
    if let Some(record) = exit_record(files) {
        return Ok(Sight::Ended(record));
    }
    let process = known.or_else(|| Status::read(&files.status()).map(|status| status.process));
    match process {
        Some(process) if is_alive(process) => Ok(Sight::Orphaned(process)),
        _ => Ok(Sight::Gone),
    }
}

/// The pid of the monitor that holds the instance's lock.
pub fn monitor(files: InstanceFiles<'_>) -> sys::Result<Option<i32>> {
    let path = files.lock();
    match std::fs::OpenOptions::new().read(true).write(true).open(&path) {
        Ok(file) => lock::record_holder(&file),
        // Also where somebody put a file in the place of its directory.
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(e) => Err(sys::Error::new("open", path.display().to_string(), e)),
    }
}

/// The first process of an instance whose monitor holds its lock and has executed its program.
pub fn running(files: InstanceFiles<'_>) -> sys::Result<Option<ProcessIdentity>> {
    if monitor(files)?.is_none() {
        return Ok(None);
    }
    Ok(Status::read(&files.status()).map(|status| status.process))
}

/// What the monitor wrote at the end, wherever there was room for it.
pub fn exit_record(files: InstanceFiles<'_>) -> Option<ExitRecord> {
    ExitRecord::read(&files.exit()).or_else(|| ExitRecord::read(&files.exit_fallback()))
}

/// Whether that very process is still there.
pub fn is_alive(process: ProcessIdentity) -> bool {
    process::start_time(process.pid) == Some(process.start_time)
}

/// Whether anything of the instance is on disk or in the run directory.
pub fn has_leftovers(files: InstanceFiles<'_>) -> bool {
    files.directory.exists() || files.run.exists()
}
