//! A failure in a process that tank made, as data: it crosses a socket to the parent and is kept
//! in exit records, so nothing is ever decided by matching text.

use std::error::Error;

use serde::{Deserialize, Serialize};

use crate::sys;

/// What a monitor, an init or an exec helper could not do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("cannot {doing}: {detail}")]
pub struct Failure {
    /// What was being done: `mount /proc`, `execute /bin/app`.
    pub doing: String,
    /// The chain of errors behind it, in one line.
    pub detail: String,
    /// The error number, if it was the program itself that could not be executed.
    pub program: Option<i32>,
}

impl Failure {
    /// The failure of `doing`, because of `cause`.
    pub fn new(doing: impl Into<String>, cause: &dyn Error) -> Self {
        let mut detail = cause.to_string();
        let mut next = cause.source();
        while let Some(error) = next {
            detail = format!("{detail}: {error}");
            next = error.source();
        }
        Self { doing: doing.into(), detail, program: None }
    }

    /// The failure of executing the program `name`.
    pub fn of_program(name: &str, cause: &sys::Error) -> Self {
        Self { program: Some(cause.errno()), ..Self::new(format!("execute {name}"), cause) }
    }

    /// The exit code a shell would give: 127 when the program is not there, 126 when it is but
    /// cannot be executed, `None` when something else failed.
    pub fn exit_code(&self) -> Option<i32> {
        match self.program? {
            libc::ENOENT => Some(127),
            _ => Some(126),
        }
    }
}

/// Says what was being done when something failed.
pub trait Doing<T> {
    /// Turns the error into a [`Failure`] of `doing`.
    fn doing(self, doing: impl Into<String>) -> Result<T, Failure>;
}

impl<T, E: Error> Doing<T> for Result<T, E> {
    fn doing(self, doing: impl Into<String>) -> Result<T, Failure> {
        self.map_err(|cause| Failure::new(doing, &cause))
    }
}
