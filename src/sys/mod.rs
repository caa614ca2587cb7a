//! System calls, without any noun of tank.
//!
//! Each file wraps one subject of the kernel in safe functions: ownership is in the types
//! (`OwnedFd`, `BorrowedFd`), every descriptor is close-on-exec from birth, `EINTR` is handled
//! here, and a failed call says its name and what it was called on. The modules listed with an
//! `expect` are the only places in tank that may use `unsafe`.

pub mod error;
pub mod file;

pub use error::{Error, Result};
