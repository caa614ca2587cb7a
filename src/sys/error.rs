//! The error of a system call.

use std::borrow::Cow;
use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

/// A system call that failed: its name, what it was called on, and why. It travels between
/// processes as data, so that nobody has to match text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    call: Cow<'static, str>,
    on: String,
    errno: i32,
}

/// What a wrapper of a system call returns.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Describes the failure of `call` on the object `on` (a path, a pid, an option).
    pub fn new(call: &'static str, on: impl Into<String>, errno: impl Into<io::Error>) -> Self {
        let errno = errno.into().raw_os_error().unwrap_or(libc::EIO);
        Self { call: Cow::Borrowed(call), on: on.into(), errno }
    }

    /// The name of the call, as its man page spells it.
    pub fn call(&self) -> &str {
        &self.call
    }

    /// What the call was made on.
    pub fn on(&self) -> &str {
        &self.on
    }

    /// The error number, as in errno(3).
    pub fn errno(&self) -> i32 {
        self.errno
    }

    /// Whether the call failed with this error number.
    pub fn is(&self, errno: i32) -> bool {
        self.errno == errno
    }

    /// Whether the object is not there (`ENOENT`).
    pub fn is_not_found(&self) -> bool {
        self.is(libc::ENOENT)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = io::Error::from_raw_os_error(self.errno).to_string();
        let text = text.split(" (os error").next().unwrap_or_default();
        if self.on.is_empty() {
            write!(f, "{}: {text}", self.call)
        } else {
            write!(f, "{} {}: {text}", self.call, self.on)
        }
    }
}

impl std::error::Error for Error {}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        io::Error::from_raw_os_error(error.errno)
    }
}
