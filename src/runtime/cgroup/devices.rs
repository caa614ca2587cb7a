//! Which devices a group may use: nothing but what is listed.

use std::fmt;

use super::device_program::assemble;
use super::hierarchy::Controller;
use super::{Group, Note, Result, file};
use crate::sys::{self, bpf};

/// The kind of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    /// A block device.
    Block,
    /// A character device.
    Character,
}

/// What may be done with a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Opened for reading.
    pub read: bool,
    /// Opened for writing.
    pub write: bool,
    /// Made: mknod(2).
    pub mknod: bool,
}

impl Access {
    /// Everything.
    pub const ALL: Self = Self { read: true, write: true, mknod: true };
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = [(self.read, "r"), (self.write, "w"), (self.mknod, "m")];
        letters.iter().filter(|(set, _)| *set).try_for_each(|(_, letter)| f.write_str(letter))
    }
}

/// Devices that may be used, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceRule {
    /// The kind.
    pub kind: DeviceKind,
    /// The major number.
    pub major: u32,
    /// The minor number; `None` is all of them.
    pub minor: Option<u32>,
    /// What is allowed.
    pub access: Access,
}

/// Spelled as `devices.allow` takes it: `admin-guide/cgroup-v1/devices.rst`.
impl fmt::Display for DeviceRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            DeviceKind::Block => 'b',
            DeviceKind::Character => 'c',
        };
        match self.minor {
            Some(minor) => write!(f, "{kind} {}:{minor} {}", self.major, self.access),
            None => write!(f, "{kind} {}:* {}", self.major, self.access),
        }
    }
}

/// The character devices that every container may use.
const STANDARD: [(u32, Option<u32>); 9] = [
    (1, Some(3)), // null
    (1, Some(5)), // zero
    (1, Some(7)), // full
    (1, Some(8)), // random
    (1, Some(9)), // urandom
    (5, Some(0)), // tty
    (5, Some(1)), // console
    (5, Some(2)), // ptmx
    (136, None),  // pts/*
];

/// The devices a group may use; all others are denied, for use and for mknod(2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRules(Vec<DeviceRule>);

impl DeviceRules {
    /// No device at all.
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// Only the devices that every container has: null, zero, full, random, urandom, tty, console,
    /// ptmx and the pseudoterminals.
    pub fn standard() -> Self {
        let rule = |(major, minor)| DeviceRule {
            kind: DeviceKind::Character,
            major,
            minor,
            access: Access::ALL,
        };
        Self(STANDARD.into_iter().map(rule).collect())
    }

    /// Allows more devices.
    pub fn allow(&mut self, rule: DeviceRule) {
        self.0.push(rule);
    }

    /// What is allowed.
    pub fn as_slice(&self) -> &[DeviceRule] {
        &self.0
    }
}

impl Group {
    /// Puts the rules into force: by the v1 controller, or by a program on the cgroup2 group.
    pub(super) fn restrict_devices(&self, rules: &DeviceRules) -> Result<Vec<Note>> {
        if let Some(dir) = self.v1(Controller::Devices) {
            file::write(&dir, "devices.deny", "a")?;
            let mut notes = Vec::new();
            for rule in rules.as_slice() {
                match file::write(&dir, "devices.allow", rule) {
                    Err(error) if error.is(libc::EPERM) => {
                        notes.push(Note::DeviceForbidden(rule.to_string()));
                    }
                    result => result?,
                }
            }
            return Ok(notes);
        }
        let Some(dir) = self.unified() else { return Ok(vec![Note::NoDeviceFilter]) };
        let group = sys::file::open_dir(&dir)?;
        let attached = bpf::load_device_program(&assemble(rules))
            .and_then(|program| bpf::attach_device_program(&group, &program));
        Ok(attached.err().map(Note::DevicesNotFiltered).into_iter().collect())
    }
}
