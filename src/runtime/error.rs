//! The error of the runtime.

use super::cgroup;
use super::failure::Failure;
use super::spec::SpecError;
use super::start::StartError;
use crate::sys;

/// What the runtime could not do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A system call failed.
    #[error(transparent)]
    Sys(#[from] sys::Error),
    /// A cgroup could not be handled.
    #[error(transparent)]
    Cgroup(#[from] cgroup::Error),
    /// A container has no specification.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// An instance did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A process that tank made failed: a program was not executed in a running container, or a
    /// sandbox did not get its first process.
    #[error(transparent)]
    Exec(#[from] Failure),
    /// Its monitor is alive, so it cannot be taken away.
    #[error("its monitor is still running")]
    StillRunning,
    /// What lives in a pod's pid namespace does not end.
    #[error("a process of the pod is in uninterruptible sleep")]
    StuckSandbox,
}

/// What the runtime returns.
pub type Result<T> = std::result::Result<T, Error>;
