//! What the kernel and the monitors say of an instance, now.

use rustix::fs::StatVfsMountFlags;

use super::directories::InstanceFiles;
use super::record::{ExitRecord, Status, Stopping};
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
    match lock::open(&path) {
        Ok(file) => lock::record_holder(&file),
        Err(e) if is_no_lock(&e) => Ok(None),
        Err(e) => Err(e),
    }
}

/// Whether the lock of an instance could not be opened because there is none that a monitor could
/// hold: no file, or something else in the place of it or of its directory.
pub(super) fn is_no_lock(error: &sys::Error) -> bool {
    let kinds = [libc::ENOENT, libc::ENOTDIR, libc::EISDIR, libc::ELOOP, libc::ENXIO];
    kinds.iter().any(|kind| error.is(*kind))
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

/// Whether somebody asks the instance to end, and waits for it. What an asker who is gone wanted is
/// no reason any more: it may not be desired by now.
pub(super) fn is_stopping(files: InstanceFiles<'_>) -> bool {
    let note = files.stopping();
    match Stopping::read(&note) {
        Some(stopping) => is_alive(stopping.asker),
        // There was no room for more.
        None => std::fs::metadata(note).is_ok_and(|note| note.len() == 0),
    }
}

/// This process itself or a child of it that it did not reap yet, as others may know it.
///
/// # Errors
///
/// `ESRCH` if there is no such process.
pub(super) fn identity(pid: i32) -> sys::Result<ProcessIdentity> {
    let gone = || sys::Error::new("read", format!("/proc/{pid}/stat"), rustix::io::Errno::SRCH);
    Ok(ProcessIdentity { pid, start_time: process::start_time_of_child(pid).ok_or_else(gone)? })
}

/// Whether that very process is still there.
pub fn is_alive(process: ProcessIdentity) -> bool {
    process::start_time(process.pid) == Some(process.start_time)
}

/// Whether the root of a container, whose first process this is, is mounted otherwise: read-only
/// although it is not to be, or the other way round. What cannot be told is no: the process ended,
/// or its program went to another root with chroot(2).
pub fn is_remounted(process: ProcessIdentity, read_only: bool) -> sys::Result<bool> {
    let path = |name| format!("/proc/{}/{name}", process.pid);
    let is_gone = |error: &std::io::Error| {
        matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH | libc::EINVAL))
    };
    let root = path("root");
    match rustix::fs::statvfs(&root).map_err(std::io::Error::from) {
        Ok(seen) if seen.f_flag.contains(StatVfsMountFlags::RDONLY) == read_only => {
            return Ok(false);
        }
        Ok(_) => {}
        Err(e) if is_gone(&e) => return Ok(false),
        Err(e) => return Err(sys::Error::new("statfs", root, e)),
    }
    let mounts = path("mountinfo");
    let text = match std::fs::read(&mounts) {
        Ok(text) => text,
        Err(e) if is_gone(&e) => return Ok(false),
        Err(e) => return Err(sys::Error::new("read", mounts, e)),
    };
    let text = String::from_utf8_lossy(&text);
    let differs = text.lines().filter_map(root_is_read_only).any(|seen| seen != read_only);
    Ok(differs && is_alive(process))
}

/// Whether the root that tank made for a container is read-only, if this line of
/// proc_pid_mountinfo(5) is about it.
fn root_is_read_only(line: &str) -> Option<bool> {
    let (mount, file_system) = line.split_once(" - ")?;
    let mut fields = mount.split(' ').skip(3);
    let is_root = (fields.next()?, fields.next()?) == ("/", "/");
    let options = [fields.next()?, file_system.rsplit(' ').next()?];
    let read_only = options.iter().flat_map(|options| options.split(',')).any(|one| one == "ro");
    (is_root && file_system.starts_with("overlay ")).then_some(read_only)
}

/// Whether anything of the instance is on disk or in the run directory. What cannot be looked for
/// may be there.
pub fn has_leftovers(files: InstanceFiles<'_>) -> bool {
    [files.directory, files.run].iter().any(|path| path.try_exists().unwrap_or(true))
}

#[cfg(test)]
mod tests {
    use super::root_is_read_only;

    #[test]
    fn only_the_overlay_at_the_root_counts() {
        let options = "overlay overlay rw,lowerdir=1,upperdir=2";
        let line = |root: &str, point: &str, flags: &str, file_system: &str| {
            format!("90 80 0:55 {root} {point} {flags} master:1 - {file_system}")
        };
        let told = |line: String| root_is_read_only(&line);
        assert_eq!(told(line("/", "/", "rw,relatime", options)), Some(false));
        assert_eq!(told(line("/", "/", "ro,relatime", options)), Some(true));
        assert_eq!(
            told(line("/", "/", "rw,relatime", "overlay overlay ro,lowerdir=1")),
            Some(true)
        );
        assert_eq!(told(line("/", "/data", "rw", options)), None);
        assert_eq!(told(line("/volumes/data", "/", "rw", options)), None);
        assert_eq!(told(line("/", "/", "rw", "ext4 /dev/vda rw")), None);
        assert_eq!(told("nothing of the kind".to_owned()), None);
    }
}
