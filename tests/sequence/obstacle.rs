//! What keeps a step from being done. Dropping it takes it out of the way.

use std::fs;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, UnmountFlags, fsconfig_create, fsconfig_set_flag,
    fsmount, fsopen, mount_bind, unmount,
};

use crate::support::pods::SOON;
use crate::support::{Tank, wait};

/// A file in the place of a directory or a link.
pub(super) struct InPlace(PathBuf);

impl InPlace {
    pub(super) fn new(path: PathBuf) -> Self {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "somebody else's\n").unwrap();
        Self(path)
    }
}

impl Drop for InPlace {
    fn drop(&mut self) {
        assert_eq!(fs::read_to_string(&self.0).unwrap(), "somebody else's\n");
        fs::remove_file(&self.0).unwrap();
    }
}

/// A directory of the machine that appears in another place as well: a mount of the same file
/// system, which no number of a device gives away.
pub(super) struct Mounted(PathBuf);

impl Mounted {
    pub(super) fn new(from: &Path, at: PathBuf) -> Self {
        fs::create_dir_all(&at).unwrap();
        mount_bind(from, &at).unwrap();
        Self(at)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        unmount(&self.0, UnmountFlags::DETACH).unwrap();
    }
}

/// Something that is not there yet. Dropping this makes it, as a link to what it should be.
pub(super) struct Missing {
    link: PathBuf,
    to: PathBuf,
}

impl Missing {
    pub(super) fn new(link: PathBuf, to: PathBuf) -> Self {
        Self { link, to }
    }
}

impl Drop for Missing {
    fn drop(&mut self) {
        std::os::unix::fs::symlink(&self.to, &self.link).unwrap();
    }
}

/// A process that nothing ends: signals, SIGKILL among them, wait until it is thawed. The freezer
/// of the first version of cgroups does that; it is mounted nowhere, so that nobody finds it.
pub(super) struct Frozen {
    group: PathBuf,
    process: u32,
    monitor: u32,
    _hierarchy: OwnedFd,
}

impl Frozen {
    /// The process of a pod's container.
    pub(super) fn new(tank: &Tank, pod: &str) -> Self {
        let context = fsopen("cgroup", FsOpenFlags::FSOPEN_CLOEXEC).unwrap();
        fsconfig_set_flag(context.as_fd(), "freezer").unwrap();
        fsconfig_create(context.as_fd()).unwrap();
        let (flags, attributes) = (FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty());
        let hierarchy = fsmount(context.as_fd(), flags, attributes).unwrap();
        let root = PathBuf::from(format!("/proc/self/fd/{}", hierarchy.as_raw_fd()));
        let group = root.join(tank.base());
        fs::create_dir(&group).unwrap();
        let (process, monitor) = (tank.pid(pod), tank.monitor(pod));
        fs::write(group.join("cgroup.procs"), process.to_string()).unwrap();
        fs::write(group.join("freezer.state"), "FROZEN").unwrap();
        Self { group, process, monitor, _hierarchy: hierarchy }
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        fs::write(self.group.join("freezer.state"), "THAWED").unwrap();
        // What it was sent meanwhile reaches it now.
        let ended = [self.process, self.monitor].map(|pid| wait::process_ended(pid, SOON));
        assert_eq!(ended, [true, true]);
        // The last task of a group is gone a little later than its process.
        wait::until("the group to be empty", SOON, || fs::remove_dir(&self.group).ok());
    }
}

/// Something that is put right by other means.
pub(super) struct Until<F: FnMut()>(pub(super) F);

impl<F: FnMut()> Drop for Until<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
