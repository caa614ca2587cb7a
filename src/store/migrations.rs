//! The schema, as the list of steps that lead to it.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::error::{Doing, Result};
use crate::sys::{self, file};

/// A version of the schema is the number of steps that were applied (`user_version`). Steps are
/// only ever appended: a step that was released is what some database was made with.
pub(super) const STEPS: &[&str] = &[
    include_str!("migrations/1.sql"),
    include_str!("migrations/2.sql"),
    include_str!("migrations/3.sql"),
    include_str!("migrations/4.sql"),
    include_str!("migrations/5.sql"),
];

/// The version that a list of steps leads to.
pub(super) fn version_of(steps: &[&str]) -> i64 {
    i64::try_from(steps.len()).unwrap_or(i64::MAX)
}

/// Brings the schema from `found` to the end of `steps`, one transaction a step: a crash leaves
/// the database at one version or at the next.
pub(super) fn migrate(conn: &Connection, found: i64, steps: &[&str]) -> Result<()> {
    for (version, step) in (1..).zip(steps) {
        if version <= found {
            continue;
        }
        let doing = "migrate the state";
        let tx = Transaction::new_unchecked(conn, TransactionBehavior::Immediate).doing(doing)?;
        tx.execute_batch(step).doing(doing)?;
        tx.pragma_update(None, "user_version", version).doing(doing)?;
        tx.commit().doing(doing)?;
    }
    Ok(())
}

/// Writes a copy of the database beside it, as `state.db.v<version>.bak`, complete or not at all.
/// An older copy of the same version is replaced.
pub(super) fn back_up(conn: &Connection, db: &Path, version: i64) -> Result<()> {
    let backup = db.with_extension(format!("db.v{version}.bak"));
    let temporary = db.with_extension(format!("db.v{version}.bak.tmp"));
    file::remove_file(&temporary)?;
    // VACUUM INTO accepts an empty file, and so the copy has the mode of the original from birth.
    let copy = file::create_new(&temporary, 0o600)?;
    conn.execute("VACUUM INTO ?1", [path_text(&temporary)?]).doing("back up the state")?;
    copy.sync_all().map_err(|e| sys::Error::new("fsync", temporary.display().to_string(), e))?;
    std::fs::rename(&temporary, &backup)
        .map_err(|e| sys::Error::new("rename", backup.display().to_string(), e))?;
    file::sync_dir(backup.parent().unwrap_or(Path::new("/")))?;
    Ok(())
}

/// SQLite takes paths as UTF-8 only.
pub(super) fn path_text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| {
        let error = std::io::Error::from_raw_os_error(libc::EILSEQ);
        sys::Error::new("open", path.display().to_string(), error).into()
    })
}
