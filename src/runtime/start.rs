//! Starting an instance, seen from the command: its files are written, its monitor is spawned,
//! and the monitor's report is awaited.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use oci_spec::runtime::Spec;
use rustix::fs::{Gid, Mode, OFlags, Uid};
use serde::Serialize;

use super::failure::Failure;
use super::launch::Launch;
use super::monitor::{self, Report};
use super::record::Status;
use crate::sys::exe::Sealed;
use crate::sys::file::{self, Durability};
use crate::sys::process::{self, Program};
use crate::sys::{self, socket};

/// The managed files of `/etc` in a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EtcFiles {
    /// `/etc/hosts`
    pub hosts: String,
    /// `/etc/hostname`
    pub hostname: String,
    /// `/etc/resolv.conf`
    pub resolv_conf: String,
}

/// A file that a mount shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountedFile {
    /// Its name, see [`super::spec::mounted_file`].
    pub name: String,
    /// What is in it.
    pub content: Vec<u8>,
    /// Its permissions.
    pub mode: u32,
}

/// The files that tank writes for an instance to see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ManagedFiles {
    /// Those of `/etc`.
    pub etc: EtcFiles,
    /// Those of its mounts.
    pub mounted: Vec<MountedFile>,
}

/// Why an instance did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its files could not be written, or its monitor not be spawned.
    #[error("cannot prepare the instance")]
    Prepare(#[from] sys::Error),
    /// Its monitor or init failed.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// Its monitor died without a word.
    #[error("the monitor ended before it reported")]
    MonitorDied,
}

/// An instance whose monitor was spawned; readable when the monitor has reported.
#[derive(Debug)]
pub struct Starting {
    socket: OwnedFd,
}

/// Writes the instance's files and spawns its monitor from `executable`, born in `monitors`, the
/// cgroup2 directory of all monitors, where there is one.
pub fn start(
    launch: &Launch,
    spec: &Spec,
    files: &ManagedFiles,
    executable: &Sealed,
    monitors: Option<BorrowedFd<'_>>,
) -> sys::Result<Starting> {
    prepare(launch, spec, files)?;
    let (ours, theirs) = socket::pair()?;
    let path = launch.files().launch();
    let launch_file = open(&path, OFlags::RDONLY)?;
    let null = open("/dev/null".as_ref(), OFlags::RDWR)?;
    let arguments = monitor::arguments(launch);
    let environment: [CString; 0] = [];
    let (null, launch_file) = (null.as_fd(), launch_file.as_fd());
    let mut descriptors = vec![null, null, null, launch_file, theirs.as_fd()];
    descriptors.extend(executable.mount.as_ref().map(AsFd::as_fd));
    process::spawn(&Program {
        file: executable.file.as_fd(),
        arguments: &arguments,
        environment: &environment,
        descriptors: &descriptors,
        cgroup: monitors,
        new_session: true,
    })?;
    Ok(Starting { socket: ours })
}

fn open(path: &Path, flags: OFlags) -> sys::Result<OwnedFd> {
    rustix::fs::open(path, flags | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| sys::Error::new("open", path.display().to_string(), errno))
}

fn prepare(launch: &Launch, spec: &Spec, managed: &ManagedFiles) -> sys::Result<()> {
    let directory = &launch.directory;
    file::make_dirs(directory, 0o700)?;
    file::make_dirs(&launch.run, 0o700)?;
    for (name, mode) in [("upper", 0o755), ("work", 0o700), ("root", 0o700), ("files", 0o755)] {
        file::make_dir(&directory.join(name), mode)?;
    }
    // The root directory that a container sees is the upper one: it should look like the image's.
    if let Some(root) = &launch.root_like {
        copy_owner_and_mode(root, &directory.join("upper"))?;
    }
    if let Some(parent) = launch.log.path.parent() {
        file::make_dirs(parent, 0o700)?;
    }
    let ManagedFiles { etc, mounted } = managed;
    let texts =
        [("hosts", &etc.hosts), ("hostname", &etc.hostname), ("resolv.conf", &etc.resolv_conf)];
    for (name, text) in texts {
        let path = directory.join("files").join(name);
        file::replace(&path, text.as_bytes(), 0o644, Durability::Volatile)?;
    }
    for MountedFile { name, content, mode } in mounted {
        file::replace(&directory.join("files").join(name), content, *mode, Durability::Volatile)?;
    }
    write_json(&launch.files().spec(), spec)?;
    write_json(&launch.files().launch(), launch)
}

fn copy_owner_and_mode(from: &Path, to: &Path) -> sys::Result<()> {
    let failed = |call, errno| sys::Error::new(call, from.display().to_string(), errno);
    let stat = rustix::fs::stat(from).map_err(|errno| failed("stat", errno))?;
    let (owner, group) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
    rustix::fs::chown(to, Some(owner), Some(group)).map_err(|errno| failed("chown", errno))?;
    let mode = Mode::from_raw_mode(stat.st_mode & 0o7777);
    rustix::fs::chmod(to, mode).map_err(|errno| failed("chmod", errno))
}

fn write_json(path: &Path, value: &impl Serialize) -> sys::Result<()> {
    let bytes = serde_json::to_vec(value).map_err(|e| {
        sys::Error::new("serialize", path.display().to_string(), std::io::Error::from(e))
    })?;
    file::replace(path, &bytes, 0o600, Durability::Volatile)
}

impl Starting {
    /// Waits for the monitor's report.
    pub fn finish(self) -> Result<Status, StartError> {
        match monitor::receive_report(self.socket.as_fd())? {
            Some(Report::Started(status)) => Ok(status),
            Some(Report::Failed(failure)) => Err(failure.into()),
            None => Err(StartError::MonitorDied),
        }
    }
}

impl AsFd for Starting {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
