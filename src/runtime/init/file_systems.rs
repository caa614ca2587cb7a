//! The mounts of the specification, each made detached and attached to a descriptor of its target.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use oci_spec::runtime::Mount;
use rustix::fs::CWD;
use rustix::io::Errno;

use crate::runtime::cgroup::{self, Hierarchies};
use crate::runtime::in_root::{self, Root};
use crate::sys::mount::{self, Attributes, FsOption};
use crate::sys::{Error, Result};

/// The file systems whose files are the kernel's: statfs(2).
const KERNEL_FILES: [rustix::fs::FsWord; 4] = [
    libc::PROC_SUPER_MAGIC,
    libc::SYSFS_MAGIC,
    libc::CGROUP_SUPER_MAGIC,
    libc::CGROUP2_SUPER_MAGIC,
];

/// Carries out one mount of the specification; returns it if it is a new file system.
pub(super) fn mount(root: &Root, item: &Mount) -> cgroup::Result<Option<OwnedFd>> {
    let options = Options::parse(item.options().iter().flatten());
    let target = item.destination();
    match item.typ().as_deref() {
        Some("bind") => Ok(bind(root, item, &options).map(|()| None)?),
        Some("cgroup") => cgroups(root, target, options.attributes).map(|()| None),
        Some(kind) => {
            let fd = make(kind, item, &options)?;
            let place = directory(root, target)?;
            refuse_kernel_files(place.as_fd(), target)?;
            mount::attach(fd.as_fd(), place.as_fd())?;
            Ok(Some(fd))
        }
        None => Err(Error::new("mount", target.display().to_string(), Errno::INVAL).into()),
    }
}

/// Makes a file system. A procfs shows the pid namespace of whoever makes it; where the pod has one
/// of its own, it is a copy of the one that the pod's sandbox has.
fn make(kind: &str, item: &Mount, options: &Options) -> Result<OwnedFd> {
    match item.source().as_deref().filter(|source| kind == "proc" && source.is_absolute()) {
        None => mount::create(kind, &options.data(), options.attributes),
        Some(of_pod) => {
            let copy = mount::copy(CWD, of_pod, false)?;
            mount::restrict(copy.as_fd(), options.attributes, false)?;
            Ok(copy)
        }
    }
}

/// The directory to mount on. Those directly below the root (`/proc`, `/sys`, `/dev`) must be
/// plain directories there: a link would put the file system elsewhere (CVE-2019-19921).
fn directory(root: &Root, target: &Path) -> Result<OwnedFd> {
    let name = target.strip_prefix("/").ok().and_then(Path::to_str);
    match name {
        Some(name @ ("proc" | "sys" | "dev")) => root.plain_directory(name),
        _ => root.ensure_directory(target),
    }
}

fn bind(root: &Root, item: &Mount, options: &Options) -> Result<()> {
    let target = item.destination();
    let missing = || Error::new("mount", target.display().to_string(), Errno::INVAL);
    let source = item.source().as_deref().ok_or_else(missing)?;
    let copy = mount::copy(CWD, source, options.recursive)?;
    // An empty set still cuts the copy off from the mount it was copied from.
    mount::restrict(copy.as_fd(), options.attributes, options.recursive)?;
    let place = if in_root::is_directory(copy.as_fd()) {
        root.ensure_directory(target)?
    } else {
        root.ensure_file(target)?
    };
    refuse_kernel_files(place.as_fd(), target)?;
    mount::attach(copy.as_fd(), place.as_fd())
}

/// Refuses a place among the files of the kernel, where a link of the image or of another mount may
/// have led: what is written there later would go somewhere else (CVE-2019-16884, CVE-2025-52881).
fn refuse_kernel_files(place: BorrowedFd<'_>, target: &Path) -> Result<()> {
    let failed = |call, errno| Error::new(call, target.display().to_string(), errno);
    let kind = rustix::fs::fstatfs(place).map_err(|errno| failed("fstatfs", errno))?.f_type;
    match KERNEL_FILES.contains(&kind) {
        true => Err(failed("mount", Errno::ACCESS)),
        false => Ok(()),
    }
}

/// Shows the container its own cgroup: one tree on v2, one directory a hierarchy on v1.
fn cgroups(root: &Root, target: &Path, attributes: Attributes) -> cgroup::Result<()> {
    let mounts = Hierarchies::detect()?.container_mounts();
    let split = mounts.iter().any(|mount| !mount.directory.as_os_str().is_empty());
    let mut base = None;
    if split {
        let writable = attributes.difference(Attributes::MOUNT_ATTR_RDONLY);
        let tmpfs = mount::create("tmpfs", &[FsOption::Value("mode", "755")], writable)?;
        mount::attach(tmpfs.as_fd(), directory(root, target)?.as_fd())?;
        base = Some(tmpfs);
    }
    for item in &mounts {
        let options: Vec<_> = item.controllers.iter().map(|name| FsOption::Flag(name)).collect();
        let fd = mount::create(item.kind, &options, attributes)?;
        let place = root.ensure_directory(&target.join(&item.directory))?;
        mount::attach(fd.as_fd(), place.as_fd())?;
    }
    // Its directories are made; from here on nobody changes anything in it.
    base.map_or(Ok(()), |tmpfs| Ok(mount::restrict(tmpfs.as_fd(), attributes, false)?))
}

/// Mount options in the words of mount(8), split into those of the mount and of its file system.
struct Options {
    attributes: Attributes,
    recursive: bool,
    flags: Vec<String>,
    values: Vec<(String, String)>,
}

impl Options {
    fn parse<'a>(words: impl Iterator<Item = &'a String>) -> Self {
        let mut options = Self {
            attributes: Attributes::empty(),
            recursive: false,
            flags: Vec::new(),
            values: Vec::new(),
        };
        for word in words {
            match word.as_str() {
                "nosuid" => options.attributes |= Attributes::MOUNT_ATTR_NOSUID,
                "nodev" => options.attributes |= Attributes::MOUNT_ATTR_NODEV,
                "noexec" => options.attributes |= Attributes::MOUNT_ATTR_NOEXEC,
                "ro" => options.attributes |= Attributes::MOUNT_ATTR_RDONLY,
                "strictatime" => options.attributes |= Attributes::MOUNT_ATTR_STRICTATIME,
                "rw" | "bind" | "private" => {}
                "rbind" => options.recursive = true,
                word => match word.split_once('=') {
                    Some((key, value)) => options.values.push((key.into(), value.into())),
                    None => options.flags.push(word.into()),
                },
            }
        }
        options
    }

    fn data(&self) -> Vec<FsOption<'_>> {
        let flags = self.flags.iter().map(|flag| FsOption::Flag(flag));
        let values = self.values.iter().map(|(key, value)| FsOption::Value(key, value));
        flags.chain(values).collect()
    }
}
