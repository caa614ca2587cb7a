//! Control groups: what crun needs of them, and what peers leave of them.

use std::fs;
use std::path::Path;

use rustix::mount::{MountFlags, UnmountFlags};

use crate::Outcome;

/// crun 1.8 takes the pure version 1 layout only when it finds a `hugetlb` hierarchy, and fails
/// on hosts whose version 1 controllers lack it. This mounts one for the time being.
#[derive(Debug)]
pub(crate) struct Hugetlb {
    mounted: bool,
}

const HUGETLB: &str = "/sys/fs/cgroup/hugetlb";

impl Hugetlb {
    pub(crate) fn ensure() -> Outcome<Self> {
        let unified = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
        if unified || Path::new(HUGETLB).exists() {
            return Ok(Self { mounted: false });
        }
        fs::create_dir(HUGETLB).map_err(|error| format!("{HUGETLB}: {error}"))?;
        let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
        let mounted = rustix::mount::mount("cgroup", HUGETLB, "cgroup", flags, c"hugetlb");
        let this = Self { mounted: true };
        mounted.map_err(|error| format!("cannot mount {HUGETLB}: {error}"))?;
        Ok(this)
    }
}

impl Drop for Hugetlb {
    fn drop(&mut self) {
        if self.mounted {
            rustix::mount::unmount(HUGETLB, UnmountFlags::empty()).unwrap_or_default();
            fs::remove_dir(HUGETLB).unwrap_or_default();
        }
    }
}

/// Removes a control group that a peer left, and those below it, in every hierarchy.
pub(crate) fn remove_cgroups(name: &str) {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let hierarchies = table.lines().filter(|line| line.contains(" - cgroup"));
    for hierarchy in hierarchies.filter_map(|line| line.split(' ').nth(4)) {
        remove_cgroup(&Path::new(hierarchy).join(name));
    }
}

fn remove_cgroup(dir: &Path) {
    for child in fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok) {
        if child.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_cgroup(&child.path());
        }
    }
    fs::remove_dir(dir).unwrap_or_default();
}
