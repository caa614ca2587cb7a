//! What the host has: the mounted hierarchies, read from `/proc/self/mountinfo`.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::{Error, Group, GroupPath, Result};

/// Which kind of control groups a host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Only v1 hierarchies.
    V1,
    /// v1 hierarchies with a cgroup2 beside them.
    Hybrid,
    /// Only cgroup2.
    V2,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::V1 => "v1",
            Self::Hybrid => "hybrid",
            Self::V2 => "v2",
        })
    }
}

/// A resource controller that tank uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Controller {
    /// CPU time.
    Cpu,
    /// Accounting of CPU time (v1 only).
    Cpuacct,
    /// Access to devices (v1 only).
    Devices,
    /// Memory and swap.
    Memory,
    /// Number of tasks.
    Pids,
}

impl Controller {
    const ALL: [Self; 5] = [Self::Pids, Self::Memory, Self::Cpu, Self::Cpuacct, Self::Devices];

    /// Its name in the kernel's files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cpuacct => "cpuacct",
            Self::Devices => "devices",
            Self::Memory => "memory",
            Self::Pids => "pids",
        }
    }
}

impl fmt::Display for Controller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One mounted hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hierarchy {
    pub(super) kind: Kind,
    /// Where it is mounted.
    pub(super) mount: PathBuf,
    /// The group that appears at the mount point, as `/proc/PID/cgroup` spells it.
    root: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    V2,
    /// The controllers in it that tank uses, if any; else the hierarchy of systemd's name.
    V1(Vec<Controller>),
}

/// The name of the v1 hierarchy without controllers in which systemd follows sessions.
const SYSTEMD: &str = "name=systemd";

impl Hierarchy {
    pub(super) fn is_v2(&self) -> bool {
        self.kind == Kind::V2
    }

    pub(super) fn has(&self, controller: Controller) -> bool {
        matches!(&self.kind, Kind::V1(controllers) if controllers.contains(&controller))
    }

    /// The name of the group `path`, as `/proc/PID/cgroup` spells it.
    pub(super) fn name_of(&self, path: &GroupPath) -> String {
        format!("{}/{path}", self.root.trim_end_matches('/'))
    }

    /// The group that the process is in whose `/proc/PID/cgroup` reads `text`: cgroups(7).
    pub(super) fn position<'a>(&self, text: &'a str) -> Option<&'a str> {
        text.lines().find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, name) = rest.split_once(':')?;
            let ours = match &self.kind {
                Kind::V2 => controllers.is_empty(),
                Kind::V1(ours) => match ours.first() {
                    Some(first) => controllers.split(',').any(|word| word == first.name()),
                    None => controllers == SYSTEMD,
                },
            };
            ours.then_some(name)
        })
    }

    /// Reads a line of mountinfo, proc_pid_mountinfo(5); `None` if it is nothing for tank.
    fn parse(line: &str) -> Option<Self> {
        let (place, file_system) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(3);
        let (root, mount) = (place.next()?, place.next()?);
        let mut file_system = file_system.split(' ');
        let (kind, options) = (file_system.next()?, file_system.nth(1)?);
        let has = |word: &str| options.split(',').any(|option| option == word);
        let kind = match kind {
            "cgroup2" => Kind::V2,
            "cgroup" => {
                let used = Controller::ALL.into_iter().filter(|c| has(c.name()));
                let used: Vec<_> = used.collect();
                if used.is_empty() && !has(SYSTEMD) {
                    return None;
                }
                Kind::V1(used)
            }
            _ => return None,
        };
        let root = unescape(root).into_string().ok()?;
        Some(Self { kind, mount: unescape(mount).into(), root })
    }
}

/// Undoes the octal escapes of mountinfo (`\040` is a space).
fn unescape(text: &str) -> OsString {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = after.get(..3).filter(|_| byte == b'\\').and_then(|digits| {
            std::str::from_utf8(digits).ok().and_then(|text| u8::from_str_radix(text, 8).ok())
        });
        bytes.push(code.unwrap_or(byte));
        rest = if code.is_some() { &after[3..] } else { after };
    }
    OsString::from_vec(bytes)
}

/// The hierarchies of this host that carry something for tank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hierarchies(pub(super) Vec<Hierarchy>);

impl Hierarchies {
    /// Reads what is mounted.
    pub fn detect() -> Result<Self> {
        let path = Path::new("/proc/self/mountinfo");
        let text = std::fs::read(path).map_err(|source| Error::file("read", path, source))?;
        Self::from_mountinfo(&String::from_utf8_lossy(&text)).ok_or(Error::NoHierarchy)
    }

    /// Finds the hierarchies in the text of a mountinfo file; `None` if there is none.
    ///
    /// A hierarchy may be mounted several times, for example once more for each container that
    /// runs here. The mount that shows the most of it is taken, the first among equals.
    pub fn from_mountinfo(text: &str) -> Option<Self> {
        let mut found: Vec<Hierarchy> = Vec::new();
        for new in text.lines().filter_map(Hierarchy::parse) {
            match found.iter_mut().find(|old| old.kind == new.kind) {
                None => found.push(new),
                // The later of two mounts on one directory hides the earlier.
                Some(old) if old.mount == new.mount || depth(&new.root) < depth(&old.root) => {
                    *old = new;
                }
                Some(_) => {}
            }
        }
        let unified = found.iter().any(Hierarchy::is_v2);
        found.retain(|h| !(unified && h.kind == Kind::V1(vec![Controller::Cpuacct])));
        // The first one tracks the group's processes: cgroup2 can kill them all at once, and
        // where there is none, pids can forbid them to fork.
        found.sort_by_key(|h| (!h.is_v2(), !h.has(Controller::Pids)));
        (!found.is_empty()).then_some(Self(found))
    }

    /// What kind of host this is.
    pub fn version(&self) -> Version {
        match (self.0.iter().any(Hierarchy::is_v2), self.0.len()) {
            (true, 1) => Version::V2,
            (true, _) => Version::Hybrid,
            (false, _) => Version::V1,
        }
    }

    /// The group of this name, which may or may not exist.
    pub fn group(&self, path: &GroupPath) -> Group {
        Group::new(&self.0, path)
    }
}

/// How far the group `root` is from the root of its hierarchy, as far as we can see.
fn depth(root: &str) -> usize {
    root.split('/').filter(|component| !component.is_empty() && *component != "..").count()
}

#[cfg(test)]
mod tests;
