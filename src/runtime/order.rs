//! What a process of tank's own is told by the one that spawns it, as a file that is open already.

use std::fs::File;
use std::io::{Seek, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::MemfdFlags;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::launch::MAX_DESCRIPTION;
use crate::sys::{self, file};

/// Writes an order into memory, where it is gone with the last who has it open: memfd_create(2).
pub(super) fn write(order: &impl Serialize) -> sys::Result<OwnedFd> {
    let failed = |e: std::io::Error| sys::Error::new("write", "order", e);
    let bytes = serde_json::to_vec(order).map_err(|e| failed(e.into()))?;
    let memfd = rustix::fs::memfd_create("tank-order", MemfdFlags::CLOEXEC)
        .map_err(|errno| sys::Error::new("memfd_create", "order", errno))?;
    let mut file = File::from(memfd);
    file.write_all(&bytes).and_then(|()| file.rewind()).map_err(failed)?;
    Ok(file.into())
}

/// Reads what this process was started with: an order, or what was written for a monitor.
pub(super) fn read<T: DeserializeOwned>(order: OwnedFd) -> sys::Result<T> {
    let content = file::read_open_bounded(order.into(), Path::new("order"), MAX_DESCRIPTION)?;
    serde_json::from_slice(&content)
        .map_err(|e| sys::Error::new("parse", "order", std::io::Error::from(e)))
}
