//! The error of a use case: what a person is told, and what a script may act on.

use std::error::Error as StdError;
use std::fmt;
use std::path::Path;

use crate::model::file::Diagnostic;
use crate::{engine, image, store};

/// What kind of failure it is. The kind decides the exit code, never the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It did not work.
    Failed,
    /// What was asked for is not valid.
    Invalid,
    /// The pod, container or image does not exist.
    NotFound,
    /// The container is not running, or has no terminal.
    NotRunning,
    /// Another tank command holds the lock.
    Locked,
}

/// Why a program could not be executed inside a container, as shells tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecFailure {
    /// tank could not get as far as `execve`: exit code 125.
    Internal,
    /// It is there but cannot be executed (`EACCES`, `EISDIR`, `ENOEXEC`): exit code 126.
    NotExecutable,
    /// It is not there (`ENOENT` of the program): exit code 127.
    NotFound,
}

/// A use case that failed.
///
/// [`fmt::Display`] gives the message alone; the causes are behind [`StdError::source`] and are
/// not repeated in it.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    exec: Option<ExecFailure>,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
    hints: Vec<String>,
    file: Option<Box<InvalidFile>>,
}

/// A file of the user's that is not valid, and what is wrong with it.
#[derive(Debug)]
pub struct InvalidFile {
    /// Its path.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Everything that is wrong with it.
    pub findings: Vec<Diagnostic>,
}

impl Error {
    /// An error with a message of the form "cannot VERB OBJECT".
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        let (message, hints) = (message.into(), Vec::new());
        Self { kind, exec: None, message, source: None, hints, file: None }
    }

    /// A file that is not valid, so that what was asked for was not begun.
    pub(super) fn invalid_file(file: InvalidFile) -> Self {
        let plural = if file.findings.len() == 1 { "" } else { "s" };
        let message =
            format!("{} error{plural} in {}; nothing was done", file.findings.len(), file.name);
        Self { file: Some(Box::new(file)), ..Self::new(Kind::Invalid, message) }
    }

    /// An error of executing a program in a container.
    pub fn exec(failure: ExecFailure, message: impl Into<String>) -> Self {
        Self { exec: Some(failure), ..Self::new(Kind::Failed, message) }
    }

    /// Adds what caused it.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds what the user can do about it, as a sentence without its final period.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// An error of the engine, told as that of `doing`, with its kind and a way out.
    pub(super) fn of_engine(doing: impl Into<String>, error: engine::Error) -> Self {
        use engine::Error as E;
        let (kind, hint) = match &error {
            E::Locked { .. } => (Kind::Locked, Some("--lock-timeout says how long to wait for it")),
            E::Store(store::Error::Locked { .. }) => {
                (Kind::Locked, Some("--lock-timeout says how long to wait for it"))
            }
            E::NoImage { .. } => {
                (Kind::Failed, Some("tank image pull fetches it, tank image load reads an archive"))
            }
            E::NoSecret { .. } => {
                (Kind::Invalid, Some("write the content; a masked one keeps what is stored"))
            }
            E::NoDependency { .. } => {
                (Kind::Invalid, Some("apply it before, or together with the other"))
            }
            E::Cycle(_) | E::Store(store::Error::Ring(_)) => {
                (Kind::Invalid, Some("none of them would ever be started"))
            }
            E::VolumeInUse { .. } => {
                (Kind::Failed, Some("tank delete removes a pod; its volumes stay"))
            }
            E::NoRevision { .. } => {
                (Kind::NotFound, Some("tank history NAME shows what they were"))
            }
            E::Image(image::Error::System(_)) => {
                (Kind::Failed, Some("check that the path is there and can be read"))
            }
            E::Image(_) => (
                Kind::Invalid,
                Some("docker archives, OCI archives and OCI layout directories can be loaded"),
            ),
            E::Store(error) => (Kind::Failed, error.hint()),
            E::Sys(sys) if sys.is(libc::EACCES) || sys.is(libc::EPERM) => {
                (Kind::Failed, Some("tank needs to be run as root"))
            }
            _ => (Kind::Failed, None),
        };
        let told = Self::new(kind, doing).because(error);
        match hint {
            Some(hint) => told.hint(hint),
            None => told,
        }
    }

    /// An error of getting an image from its registry, told as that of `doing`.
    pub(super) fn of_pull(doing: impl Into<String>, root: &Path, error: engine::Error) -> Self {
        use image::registry::Error as R;
        let engine::Error::Image(cause) = &error else { return Self::of_engine(doing, error) };
        let cause = match cause {
            image::Error::Layer { source, .. } => source,
            cause => cause,
        };
        if cause.is_disk_full() {
            let hint = "tank image prune --all removes the images that nothing needs";
            let hint = format!("{} has no space left; {hint}", root.display());
            return Self::new(Kind::Failed, doing).because(error).hint(hint);
        }
        let (kind, hint) = match cause {
            image::Error::Registry(R::NotFound { .. }) => {
                (Kind::NotFound, Some("check the name; some registries hide what needs a login"))
            }
            image::Error::Registry(R::Denied { .. }) => {
                (Kind::Failed, Some("tank login REGISTRY stores a user and a password"))
            }
            image::Error::Registry(error) if error.is_passing() => {
                (Kind::Failed, Some("run it again: what has arrived is kept"))
            }
            image::Error::LayerGone { .. } => (Kind::Failed, Some("run it again")),
            image::Error::WrongPlatform { .. } => {
                (Kind::Failed, Some("--platform of tank image pull asks for another"))
            }
            _ => (Kind::Failed, None),
        };
        let told = Self::new(kind, doing).because(error);
        match hint {
            Some(hint) => told.hint(hint),
            None => told,
        }
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Why a program could not be executed, if that is what failed.
    pub fn exec_failure(&self) -> Option<ExecFailure> {
        self.exec
    }

    /// The file that is not valid, if that is what failed.
    pub fn file(&self) -> Option<&InvalidFile> {
        self.file.as_deref()
    }

    /// What the user can do about it.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
