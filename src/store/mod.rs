//! What tank must remember over restarts, in one SQLite file: `ROOT/state.db`.
//!
//! Values go in and come out as the types of the [`model`](crate::model) and plain structures of
//! this module; SQL stays inside. Each file has one family of tables; `migrations/` has the schema.
//!
//! # Guarantees
//!
//! - [`Store::write`] is one transaction: all of it or nothing, durable (one sync of the log) when
//!   it returns, and repeated as a whole while other commands are in the way.
//! - [`Store::read`] sees one moment of the database and never waits for a writer.
//! - Nothing is written when nothing changed: an unchanged pod, an unchanged observation and a
//!   finished recovery leave every byte of the file and its log as they are.
//!
//! # What callers must see to
//!
//! - Closures given to `read` and `write` last milliseconds and do nothing but call their
//!   argument: no I/O, no child, no waiting. They may run several times.
//! - A connection must not survive into a child: clone before opening, or let the child
//!   execute or exit at once.
//! - Nobody else opens and closes `state.db` in the same process: that would drop SQLite's locks.

mod check;
mod column;
mod contents;
mod desired;
mod error;
mod events;
mod holder;
mod images;
mod instances;
mod journal;
mod layers;
mod lock;
mod meta;
mod migrations;
mod network;
mod open;
mod transaction;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

pub use contents::Contents;
pub use desired::{Put, PutResult, Revision, Update};
pub use error::{Error, Result};
pub use events::{Event, NewEvent};
pub use holder::Holder;
pub use images::{Image, ImageLayer, ImageUser, Manifest};
pub use journal::{NewStep, Owner, Pass, PassId, Step, StepId, StepState};
pub use layers::Layer;
pub use network::{Lease, NetworkRow, PublishedPort};
pub use transaction::{Snapshot, Tx};

use error::Doing;

use crate::sys::clock;

/// How long a command waits for the state, unless it is told otherwise.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a command wants to do with the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read and write; the state is created if there is none.
    ReadWrite,
    /// Read; nothing is created, and where there is no state, opening fails with
    /// [`Error::NoState`].
    ReadOnly,
}

/// The state of one root.
#[derive(Debug)]
pub struct Store {
    conn: Connection,
    path: PathBuf,
    patience: Duration,
}

impl Store {
    /// Opens the state under `root`.
    ///
    /// The root must be a directory of mode 700 that belongs to the effective user, on a file
    /// system of this machine. A database of an older tank is migrated after a copy was made of
    /// it; one of a newer tank, or of another program, is refused and left as it is.
    pub fn open(root: &Path, access: Access) -> Result<Self> {
        Self::open_with(root, access, migrations::STEPS)
    }

    fn open_with(root: &Path, access: Access, steps: &[&str]) -> Result<Self> {
        let start = clock::monotonic();
        let (conn, path) = open::open(root, access, PATIENCE, steps).map_err(|e| {
            if e.is_busy() { locked(&root.join(open::NAME), start.elapsed()) } else { e }
        })?;
        Ok(Self { conn, path, patience: PATIENCE })
    }

    /// Sets how long reads and writes wait for other commands before they fail with
    /// [`Error::Locked`]. The default is a minute.
    pub fn set_lock_timeout(&mut self, timeout: Duration) -> Result<()> {
        self.conn.busy_timeout(timeout).doing("set the lock timeout")?;
        self.patience = timeout;
        Ok(())
    }

    /// Reads one moment of the state.
    pub fn read<T>(&self, mut f: impl FnMut(&Snapshot<'_>) -> Result<T>) -> Result<T> {
        self.transact(TransactionBehavior::Deferred, |conn| f(&Snapshot::new(conn)))
    }

    /// Changes the state in one transaction. `f` runs again, from the start, when another command
    /// was in the way; an error of `f` undoes all it did.
    pub fn write<T>(&mut self, mut f: impl FnMut(&Tx<'_>) -> Result<T>) -> Result<T> {
        self.transact(TransactionBehavior::Immediate, |conn| f(&Tx::new(conn)))
    }

    fn transact<T>(
        &self,
        behavior: TransactionBehavior,
        mut f: impl FnMut(&Connection) -> Result<T>,
    ) -> Result<T> {
        let start = clock::monotonic();
        loop {
            // SQLite has waited for up to the lock timeout when it says that it is busy.
            match self.attempt(behavior, &mut f) {
                Err(e) if e.is_busy() && start.elapsed() < self.patience => {}
                Err(e) if e.is_busy() => return Err(locked(&self.path, start.elapsed())),
                result => return result,
            }
        }
    }

    fn attempt<T>(
        &self,
        behavior: TransactionBehavior,
        f: &mut impl FnMut(&Connection) -> Result<T>,
    ) -> Result<T> {
        let tx = rusqlite::Transaction::new_unchecked(&self.conn, behavior)
            .doing("begin a transaction")?;
        let value = f(&tx)?;
        tx.commit().doing("commit to the state")?;
        Ok(value)
    }
}

fn locked(db: &Path, waited: Duration) -> Error {
    let holder = holder::of_log(&db.with_extension("db-shm"));
    Error::Locked { path: db.to_owned(), waited, holder }
}
