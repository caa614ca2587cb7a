//! `/dev`: the devices every container has, and those its pod asked for.
//!
//! They are made through the descriptor of the new tmpfs, so nothing that an image has at `/dev`
//! can divert them (CVE-2026-41579).

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use oci_spec::runtime::{LinuxDevice, LinuxDeviceType};
use rustix::fs::{AtFlags, FileType, Mode, makedev};
use rustix::io::Errno;

use crate::sys::{Error, Result};

/// Name, major and minor number of the character devices that the OCI runtime specification
/// demands. <https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#default-devices>
const DEVICES: [(&str, u32, u32); 6] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
];

const LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

/// Fills a new `/dev`.
pub(super) fn populate<'a>(
    dev: Option<&OwnedFd>,
    extra: impl Iterator<Item = &'a LinuxDevice>,
) -> Result<()> {
    let Some(dev) = dev else { return Ok(()) };
    for (name, major, minor) in DEVICES {
        make(dev, Path::new(name), FileType::CharacterDevice, 0o666, (major, minor))?;
    }
    for (name, target) in LINKS {
        rustix::fs::symlinkat(target, dev, name)
            .map_err(|errno| Error::new("symlinkat", format!("/dev/{name}"), errno))?;
    }
    for directory in ["pts", "shm", "mqueue"] {
        make_directory(dev, Path::new(directory))?;
    }
    for device in extra {
        let path = device.path().strip_prefix("/dev").unwrap_or(device.path());
        let kind = match device.typ() {
            LinuxDeviceType::B => FileType::BlockDevice,
            _ => FileType::CharacterDevice,
        };
        let number = |number: i64| u32::try_from(number).unwrap_or_default();
        let mode = device.file_mode().unwrap_or(0o660);
        for parent in path.ancestors().skip(1).collect::<Vec<_>>().into_iter().rev() {
            if parent != Path::new("") {
                make_directory(dev, parent)?;
            }
        }
        make(dev, path, kind, mode, (number(device.major()), number(device.minor())))?;
        let owner = device.uid().map(rustix::fs::Uid::from_raw);
        let group = device.gid().map(rustix::fs::Gid::from_raw);
        rustix::fs::chownat(dev, path, owner, group, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|errno| Error::new("fchownat", path.display().to_string(), errno))?;
    }
    Ok(())
}

fn make_directory(dev: &OwnedFd, path: &Path) -> Result<()> {
    match rustix::fs::mkdirat(dev, path, Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(errno) => Err(Error::new("mkdirat", path.display().to_string(), errno)),
    }
}

fn make(
    dev: &OwnedFd,
    path: &Path,
    kind: FileType,
    mode: u32,
    (major, minor): (u32, u32),
) -> Result<()> {
    let failed = |call, errno| Error::new(call, format!("/dev/{}", path.display()), errno);
    let mode = Mode::from_raw_mode(mode);
    match rustix::fs::mknodat(dev.as_fd(), path, kind, mode, makedev(major, minor)) {
        // The kernel applied the umask; the mode is set as asked for.
        Ok(()) => rustix::fs::chmodat(dev, path, mode, AtFlags::empty())
            .map_err(|errno| failed("fchmodat", errno)),
        Err(Errno::EXIST) => Ok(()),
        Err(errno) => Err(failed("mknodat", errno)),
    }
}
