//! A command that did not do what it was asked: what is printed, and the exit code.

use std::error::Error as StdError;
use std::io;

use super::diagnostics::{self, Source};
use super::ui::{BAD, STRONG, Stream};
use crate::app::{self, ExecFailure, InvalidFile, Kind};

/// Done.
pub const DONE: u8 = 0;
/// It did not work, or part of it did not.
pub const FAILED: u8 = 1;
/// The command line or a file is not valid.
pub const INVALID: u8 = 2;
/// No such pod, container or image.
pub const NOT_FOUND: u8 = 3;
/// The container is not running, or has no terminal.
pub const NOT_RUNNING: u8 = 4;
/// Another command holds the lock: `EX_TEMPFAIL` of sysexits.h(3head).
pub const LOCKED: u8 = 75;
/// `exec`: tank's own failure.
pub const EXEC_FAILED: u8 = 125;
/// `exec`: the program cannot be executed.
pub const EXEC_NOT_EXECUTABLE: u8 = 126;
/// `exec`: there is no such program.
pub const EXEC_NOT_FOUND: u8 = 127;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The use case failed.
    #[error(transparent)]
    App(#[from] app::Error),
    /// The use case behind `exec` failed, whose exit codes must not be taken for the program's.
    #[error(transparent)]
    Exec(app::Error),
    /// The request makes no sense.
    #[error("{message}")]
    Usage {
        /// What is wrong with it.
        message: String,
        /// What to do instead.
        hint: &'static str,
    },
    /// A file could not be read.
    #[error("cannot read {name}")]
    Unreadable {
        /// The file.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// Pod files are wrong in the way that was already shown.
    #[error("{summary}")]
    PodFiles {
        /// How many errors there are where, and what that means.
        summary: String,
    },
    /// A file could not be written.
    #[error("cannot write {name}")]
    Unwritable {
        /// The file.
        name: String,
        /// Why.
        source: crate::sys::Error,
    },
    /// The output could not be written.
    #[error("cannot write the output")]
    Output(#[from] io::Error),
}

impl Failure {
    /// A request that makes no sense, and what to do instead.
    pub fn usage(message: impl Into<String>, hint: &'static str) -> Self {
        Self::Usage { message: message.into(), hint }
    }

    /// Something that is not there because there is no state at all yet.
    pub fn no_such_pod(name: &impl std::fmt::Display) -> Self {
        let error = app::Error::new(Kind::NotFound, format!("cannot find pod {name}"))
            .hint("nothing was applied yet: `tank apply -f FILE` creates pods");
        Self::App(error)
    }

    /// The same failure, with the exit codes of `exec`.
    pub fn of_exec(self) -> Self {
        match self {
            Self::App(error) => Self::Exec(error),
            other => other,
        }
    }

    /// The exit code that scripts see.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::App(error) => code_of(error, FAILED),
            Self::Exec(error) => code_of(error, EXEC_FAILED),
            Self::Usage { .. } | Self::PodFiles { .. } | Self::Unreadable { .. } => INVALID,
            Self::Unwritable { .. } => FAILED,
            Self::Output(error) if is_broken_pipe(error) => DONE,
            Self::Output(_) => FAILED,
        }
    }

    /// Prints the chain of causes and the hints, once. Nobody is told that nobody listens.
    pub fn print(&self, err: &mut Stream) -> io::Result<()> {
        match self {
            Self::Output(error) if is_broken_pipe(error) => Ok(()),
            Self::PodFiles { summary } => err.line(summary),
            Self::App(error) | Self::Exec(error) => match error.file() {
                Some(file) => print_file(file, &error.to_string(), err),
                None => print_error(error, err),
            },
            Self::Usage { hint, .. } => print_chain(self, &[hint], err),
            Self::Unreadable { .. } => print_chain(self, &[FILES_HINT], err),
            Self::Unwritable { .. } | Self::Output(_) => print_chain(self, &[], err),
        }
    }
}

/// What `-f` takes.
pub const FILES_HINT: &str =
    "-f takes a file, a directory of *.toml files, or - for standard input";

/// Prints what is wrong with a file, in its places.
fn print_file(file: &InvalidFile, summary: &str, err: &mut Stream) -> io::Result<()> {
    let source = Source { name: file.name.clone(), text: file.text.clone() };
    let shown = diagnostics::render(&source, &file.findings, err.color(), err.width());
    err.generated(shown.as_bytes())?;
    err.line(summary)?;
    err.flush()
}

/// Prints the chain of causes of a use case's error, and its hints.
pub fn print_error(error: &app::Error, err: &mut Stream) -> io::Result<()> {
    let hints: Vec<_> = error.hints().iter().map(String::as_str).collect();
    match hints.as_slice() {
        [] => print_chain(error, usual_hint(error.kind()).as_slice(), err),
        hints => print_chain(error, hints, err),
    }
}

fn print_chain(error: &dyn StdError, hints: &[&str], err: &mut Stream) -> io::Result<()> {
    err.styled(BAD, "tank: error: ")?;
    err.line(&error.to_string())?;
    let mut cause = error.source();
    while let Some(error) = cause {
        err.line(&format!("  caused by: {error}"))?;
        cause = error.source();
    }
    for hint in hints {
        err.styled(STRONG, "hint: ")?;
        err.line(hint)?;
    }
    err.flush()
}

fn code_of(error: &app::Error, failed: u8) -> u8 {
    match error.exec_failure() {
        Some(ExecFailure::Internal) => return EXEC_FAILED,
        Some(ExecFailure::NotExecutable) => return EXEC_NOT_EXECUTABLE,
        Some(ExecFailure::NotFound) => return EXEC_NOT_FOUND,
        None => {}
    }
    match error.kind() {
        Kind::Failed => failed,
        Kind::Invalid => INVALID,
        Kind::NotFound => NOT_FOUND,
        Kind::NotRunning => NOT_RUNNING,
        Kind::Locked => LOCKED,
    }
}

/// What helps where the error itself knows nothing better.
fn usual_hint(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Failed => return None,
        Kind::Invalid => "`tank schema` prints what a pod file may say",
        Kind::NotFound => "`tank list`, `tank ps` and `tank image list` print the names there are",
        Kind::NotRunning => "`tank ps -a` shows what ran and how it ended",
        Kind::Locked => "wait for the other command, or give --lock-timeout more time",
    })
}

/// Whether the reader of the output went away, which is its right.
pub fn is_broken_pipe(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}

#[cfg(test)]
mod tests {
    use super::super::ui::testing;
    use super::*;

    fn printed(failure: &Failure) -> String {
        let (mut err, text) = testing::stream(None);
        failure.print(&mut err).unwrap();
        err.flush().unwrap();
        text.text()
    }

    #[test]
    fn the_chain_is_printed_once_with_a_hint() {
        let error = app::Error::new(Kind::Failed, "cannot open the state")
            .because(crate::sys::Error::new("open", "/x", io::Error::from_raw_os_error(13)))
            .hint("run it as root");
        assert_eq!(
            printed(&error.into()),
            "tank: error: cannot open the state\n  \
             caused by: open /x: Permission denied\n\
             hint: run it as root\n"
        );
    }

    #[test]
    fn kinds_decide_exit_codes() {
        let code = |kind| Failure::from(app::Error::new(kind, "x")).exit_code();
        assert_eq!(code(Kind::Failed), 1);
        assert_eq!(code(Kind::Invalid), 2);
        assert_eq!(code(Kind::NotFound), 3);
        assert_eq!(code(Kind::NotRunning), 4);
        assert_eq!(code(Kind::Locked), 75);
    }

    #[test]
    fn exec_keeps_its_own_failures_apart_from_the_programs() {
        let exec = |error| Failure::Exec(error).exit_code();
        assert_eq!(exec(app::Error::new(Kind::Failed, "x")), 125);
        assert_eq!(exec(app::Error::new(Kind::NotRunning, "x")), 4);
        assert_eq!(exec(app::Error::exec(ExecFailure::NotExecutable, "x")), 126);
        assert_eq!(exec(app::Error::exec(ExecFailure::NotFound, "x")), 127);
    }

    #[test]
    fn a_reader_that_left_is_no_failure() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(failure.exit_code(), 0);
        assert_eq!(printed(&failure), "");
    }
}
