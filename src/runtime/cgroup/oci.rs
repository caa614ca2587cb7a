//! The OCI runtime specification's view of cgroups: what it limits, and what a container sees.

use std::ffi::OsStr;
use std::path::PathBuf;

use oci_spec::runtime::{LinuxDevice, LinuxDeviceType, LinuxResources};

use super::hierarchy::Kind;
use super::{Access, DeviceKind, DeviceRule, DeviceRules, Hierarchies, Limits};
use crate::model::{Bytes, Cpus};

impl Limits {
    /// The limits of a specification's resources; those it does not state are none.
    pub fn from_oci(resources: &LinuxResources) -> Self {
        let positive = |value: i64| u64::try_from(value).ok().filter(|value| *value > 0);
        let memory = resources.memory().as_ref().and_then(|memory| memory.limit());
        let pids = resources.pids().as_ref().map(oci_spec::runtime::LinuxPids::limit);
        let cpus = resources.cpu().as_ref().and_then(|cpu| {
            let quota = positive(cpu.quota()?)?;
            let period = cpu.period().filter(|period| *period > 0)?;
            u32::try_from(quota * 1000 / period).ok()
        });
        Self {
            memory: memory.and_then(positive).map(Bytes),
            cpus: cpus.map(Cpus),
            pids: pids.and_then(positive),
        }
    }
}

impl DeviceRules {
    /// The devices that every container may use, and these.
    pub fn with_devices<'a>(devices: impl Iterator<Item = &'a LinuxDevice>) -> Self {
        let mut rules = Self::standard();
        for device in devices {
            let kind = match device.typ() {
                LinuxDeviceType::B => DeviceKind::Block,
                _ => DeviceKind::Character,
            };
            let number = |number: i64| u32::try_from(number).ok();
            if let (Some(major), minor @ Some(_)) = (number(device.major()), number(device.minor()))
            {
                rules.allow(DeviceRule { kind, major, minor, access: Access::ALL });
            }
        }
        rules
    }
}

/// A cgroup file system to mount in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CgroupMount {
    /// The directory below `/sys/fs/cgroup`; empty for `/sys/fs/cgroup` itself.
    pub directory: PathBuf,
    /// The type of the file system: `cgroup` or `cgroup2`.
    pub kind: &'static str,
    /// The v1 controllers to mount there.
    pub controllers: Vec<&'static str>,
}

impl Hierarchies {
    /// What a container sees at `/sys/fs/cgroup`: the one tree of cgroup2, or on a host with v1
    /// hierarchies a directory for each that limits something.
    pub fn container_mounts(&self) -> Vec<CgroupMount> {
        let mut mounts = Vec::new();
        for hierarchy in &self.0 {
            match &hierarchy.kind {
                Kind::V2 if self.0.len() == 1 => mounts.push(CgroupMount {
                    directory: PathBuf::new(),
                    kind: "cgroup2",
                    controllers: Vec::new(),
                }),
                Kind::V1(controllers) if !controllers.is_empty() => mounts.push(CgroupMount {
                    directory: hierarchy.mount.file_name().unwrap_or(OsStr::new("v1")).into(),
                    kind: "cgroup",
                    controllers: controllers.iter().map(|c| c.name()).collect(),
                }),
                _ => {}
            }
        }
        mounts
    }
}
