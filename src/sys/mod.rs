//! System calls, without any noun of tank.
//!
//! Each file wraps one subject of the kernel in safe functions: ownership is in the types
//! (`OwnedFd`, `BorrowedFd`), every descriptor is close-on-exec from birth, `EINTR` is handled
//! here, and a failed call says its name and what it was called on. The modules listed with an
//! `expect` are the only places in tank that may use `unsafe`.

#[expect(unsafe_code, reason = "bpf(2) has no safe wrapper")]
pub mod bpf;
#[cfg(test)]
#[expect(unsafe_code, reason = "fork, _exit and arbitrary calls have no safe wrapper")]
pub(crate) mod child;
pub mod clock;
#[expect(unsafe_code, reason = "keyctl and rt_sigaction have no safe wrapper")]
pub mod credentials;
#[expect(unsafe_code, reason = "close_range has no safe wrapper")]
pub mod descriptors;
pub mod error;
pub mod exe;
pub mod file;
pub mod fsinfo;
#[expect(unsafe_code, reason = "an ioctl that no safe wrapper has")]
pub mod link;
#[expect(unsafe_code, reason = "record locks of fcntl")]
pub mod lock;
#[expect(unsafe_code, reason = "malloc_trim, madvise and the program headers")]
pub mod memory;
#[expect(unsafe_code, reason = "mount_setattr has no safe wrapper")]
pub mod mount;
pub mod namespace;
pub mod openat2;
#[expect(unsafe_code, reason = "real-time signals have no safe wrapper")]
pub mod pidfd;
pub mod poll;
#[expect(unsafe_code, reason = "clone, dup2, close_range and inherited descriptors")]
pub mod process;
pub mod pty;
pub mod random;
#[expect(unsafe_code, reason = "seccomp has no safe wrapper")]
pub mod seccomp;
#[expect(unsafe_code, reason = "signal(2) can install a handler, which has to be sound")]
pub mod signal;
pub mod socket;
pub mod terminal;
pub mod watch;

pub use error::{Error, Result};
