//! What monitors and the rest of tank tell each other, as files: who runs an instance, who asks it
//! to end, and how it ended.

use std::path::Path;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::launch::PROTOCOL;
use crate::model::{self, Exit, InstanceId, ProcessIdentity};
use crate::sys::file::{self, Durability};
use crate::sys::{self};

/// No record is longer; a longer file is not one.
const MAX_RECORD: u64 = 64 * 1024;

/// Who runs an instance. Written by its monitor once the program was executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The protocol of the monitor.
    pub version: u32,
    /// The instance.
    pub id: InstanceId,
    /// The monitor.
    pub monitor: ProcessIdentity,
    /// The first process of the instance.
    pub process: ProcessIdentity,
    /// When the program was executed.
    pub started_at: Timestamp,
    /// Harmless things the host refused.
    pub notes: Vec<String>,
}

/// How a running instance is. Written by its monitor whenever that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// The protocol of the monitor.
    pub version: u32,
    /// The instance.
    pub id: InstanceId,
    /// The generation of the pod whose probes say so.
    pub generation: u64,
    /// How it is.
    pub health: model::Health,
}

/// Who asks an instance to end. Written by whoever does, before he does. It has no version: a
/// monitor has to understand whoever comes, however much newer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopping {
    /// The process that asks, and waits for the end.
    pub asker: ProcessIdentity,
}

/// How an instance ended. Written durably by its monitor before it lets go of its lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitRecord {
    /// The protocol of the monitor.
    pub version: u32,
    /// The instance.
    pub id: InstanceId,
    /// When the program was executed, if it was.
    pub started_at: Option<Timestamp>,
    /// How it ended.
    pub exit: Exit,
}

/// Reads a record of this protocol; `None` when there is none, or none that can be trusted.
fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    let content = file::read_bounded(path, MAX_RECORD).ok()?;
    let versioned: Versioned = serde_json::from_slice(&content).ok()?;
    if versioned.version > PROTOCOL {
        return None;
    }
    serde_json::from_slice(&content).ok()
}

fn write(path: &Path, record: &impl Serialize, durability: Durability) -> sys::Result<()> {
    let content = serde_json::to_vec(record).map_err(|e| {
        sys::Error::new("serialize", path.display().to_string(), std::io::Error::from(e))
    })?;
    file::replace(path, &content, 0o600, durability)
}

impl Status {
    /// Reads it, if it is there.
    pub fn read(path: &Path) -> Option<Self> {
        read(path)
    }

    /// Writes it; a reboot discards it.
    pub fn write(&self, path: &Path) -> sys::Result<()> {
        write(path, self, Durability::Volatile)
    }
}

impl Health {
    /// Reads it, if it is there.
    pub fn read(path: &Path) -> Option<Self> {
        read(path)
    }

    /// Writes it; a reboot discards it.
    pub fn write(&self, path: &Path) -> sys::Result<()> {
        write(path, self, Durability::Volatile)
    }
}

impl Stopping {
    /// Reads it, if it is there.
    pub fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&file::read_bounded(path, MAX_RECORD).ok()?).ok()
    }

    /// Writes it; a reboot discards it.
    pub fn write(&self, path: &Path) -> sys::Result<()> {
        write(path, self, Durability::Volatile)
    }
}

impl ExitRecord {
    /// Reads it, if it is there.
    pub fn read(path: &Path) -> Option<Self> {
        read(path)
    }

    /// Writes it so that it survives a power cut.
    pub fn write(&self, path: &Path) -> sys::Result<()> {
        write(path, self, Durability::Durable)
    }
}
