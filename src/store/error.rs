//! The error of the state.

use std::error::Error as StdError;
use std::path::PathBuf;
use std::time::Duration;

use rusqlite::ErrorCode;

use super::holder::Holder;
use crate::model::Digest;
use crate::sys;

/// What every operation on the state returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the state could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing was ever applied under this root.
    #[error("there is no state in {}", .root.display())]
    NoState {
        /// The root that was asked for.
        root: PathBuf,
    },
    /// What was to be written would have pods depend on each other; nothing was written.
    #[error("pods depend on each other: {0}")]
    Ring(String),
    /// The file is not one that tank made; it was left as it is.
    #[error("cannot use {}: {problem}", .path.display())]
    NotTank {
        /// The database.
        path: PathBuf,
        /// What it is instead.
        problem: &'static str,
    },
    /// A newer tank wrote the state; nothing was changed.
    #[error("cannot use {}: its schema is version {found}, this tank knows {known}", .path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// The version of its schema.
        found: i64,
        /// The newest version this tank knows.
        known: i64,
    },
    /// The SQLite that was linked is too old to be trusted with a write-ahead log.
    #[error("cannot use SQLite {found}: 3.51.3 or newer is needed")]
    OldSqlite {
        /// The version that was linked.
        found: &'static str,
    },
    /// Other processes held the state for too long.
    #[error(
        "cannot get hold of {} within {:.1} s{}", .path.display(), .waited.as_secs_f64(),
        .holder.as_ref().map(|holder| format!(": it is held by {holder}")).unwrap_or_default()
    )]
    Locked {
        /// The file that is locked.
        path: PathBuf,
        /// How long it was waited for.
        waited: Duration,
        /// Who has it, if the kernel says so.
        holder: Option<Holder>,
    },
    /// The root is not private to the user who runs tank.
    #[error(
        "cannot use {}: it belongs to user {owner} with mode {mode:o}, and must belong to user \
         {user} with mode 700", .path.display()
    )]
    Permission {
        /// The root.
        path: PathBuf,
        /// The user it belongs to.
        owner: u32,
        /// Its permission bits.
        mode: u32,
        /// The user who runs tank.
        user: u32,
    },
    /// The root is on a file system whose locks or shared memory cannot be relied on.
    #[error("cannot keep state in {}: it is on {kind}", .path.display())]
    UnsupportedFileSystem {
        /// The root.
        path: PathBuf,
        /// The file system.
        kind: &'static str,
    },
    /// The database is damaged, or holds a value that tank never writes.
    #[error("cannot {doing}: the state is damaged")]
    Corrupt {
        /// What was being done.
        doing: &'static str,
        /// What is wrong.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// An image cannot be recorded because layers of it are not on disk (any more).
    #[error("cannot record image {image}: {} of its layers are not unpacked", .layers.len())]
    LayersMissing {
        /// The manifest.
        image: Digest,
        /// The diff ids of the layers that are missing.
        layers: Vec<Digest>,
    },
    /// SQLite failed.
    #[error("cannot {doing}")]
    Sqlite {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: rusqlite::Error,
    },
    /// A system call failed.
    #[error(transparent)]
    Sys(#[from] sys::Error),
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoState { .. } => "apply a pod file first",
            Self::Newer { .. } => "use the tank that wrote it, or restore a backup made before it",
            Self::Locked { .. } => {
                "try again, wait longer with --lock-timeout, or see what it does"
            }
            Self::Permission { .. } => "run tank as that user, or chown and chmod the directory",
            Self::UnsupportedFileSystem { .. } => "choose a root on a local disk with --root",
            Self::NotTank { .. } => "move the file away, or choose another root with --root",
            Self::Corrupt { .. } => "run tank doctor; running containers are not touched",
            _ if self.is_disk_full() => "make room on the disk of the root",
            _ => return None,
        })
    }

    /// Whether there was no room to write.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Sqlite { source, .. } => source.sqlite_error_code() == Some(ErrorCode::DiskFull),
            Self::Sys(error) => error.is(libc::ENOSPC) || error.is(libc::EDQUOT),
            _ => false,
        }
    }

    /// Whether another process was in the way, so that the same transaction may succeed later.
    pub(super) fn is_busy(&self) -> bool {
        let Self::Sqlite { source, .. } = self else { return false };
        // "Locking protocol" is what SQLite says after losing the race for a read mark 100 times.
        matches!(
            source.sqlite_error_code(),
            Some(ErrorCode::DatabaseBusy | ErrorCode::FileLockingProtocolFailed)
        )
    }

    fn of_sqlite(doing: &'static str, source: rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        let damaged = match &source {
            E::FromSqlConversionFailure(..)
            | E::IntegralValueOutOfRange(..)
            | E::InvalidColumnType(..)
            | E::Utf8Error(..) => true,
            _ => matches!(
                source.sqlite_error_code(),
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
            ),
        };
        if damaged {
            Self::Corrupt { doing, source: Box::new(source) }
        } else {
            Self::Sqlite { doing, source }
        }
    }
}

/// Says what was being done when SQLite failed; the text completes "cannot ...".
pub(super) trait Doing<T> {
    fn doing(self, what: &'static str) -> Result<T>;
}

impl<T> Doing<T> for rusqlite::Result<T> {
    fn doing(self, what: &'static str) -> Result<T> {
        self.map_err(|source| Error::of_sqlite(what, source))
    }
}
