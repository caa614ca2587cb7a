//! Finding, creating and opening the database file.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::{Doing, Error, Result};
use super::migrations::{back_up, migrate, path_text, version_of};
use super::{Access, lock};
use crate::sys::fsinfo::{FileSystemType, file_system_type};
use crate::sys::{self, file};

/// The database, under the root.
pub(super) const NAME: &str = "state.db";

/// SQLite's name for the write-ahead log of the database.
const LOG: &str = "state.db-wal";

/// The lock for its creation and migration.
const LOCK: &str = "state.lock";

/// `tank` in ASCII: what `application_id` of the file's header says.
const APPLICATION_ID: i32 = 0x7461_6e6b;

/// Write-ahead logs of older versions can lose a commit: <https://sqlite.org/wal.html#walresetbug>.
const OLDEST_SQLITE: i32 = 3_051_003;

/// What every connection sets, after its busy timeout. None of it is written to the file; the
/// journal mode is a property of the file and never set here, because setting it takes a lock
/// that others may hold.
///
/// A checkpoint at 100 pages. A command that finds no other one running reads the whole log when
/// it opens the database: 1.3 us a page were measured, so 1,000 pages (the default) cost each
/// command, readers too, more than all the rest of opening does. A checkpoint costs 0.6 ms, 3 us a
/// page, and what the disk takes for one more sync, and the log of an ordinary apply is about a
/// dozen pages; with disks that sync in 0.1 to 2 ms the sum is least at 60 to 110 pages. The file
/// of the log keeps its length and is overwritten, which needs no journal commit of the file system.
const SETTINGS: &str = "
    PRAGMA locking_mode = NORMAL;
    PRAGMA foreign_keys = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA synchronous = FULL;
    PRAGMA mmap_size = 0;
    PRAGMA temp_store = MEMORY;
    PRAGMA journal_size_limit = 16777216;
    PRAGMA wal_autocheckpoint = 100;
";

/// Opens the database under `root`; with [`Access::ReadWrite`] it is created if it is missing.
/// An older one is migrated to the end of `steps`, whatever the access.
pub(super) fn open(
    root: &Path,
    access: Access,
    patience: Duration,
    steps: &[&str],
) -> Result<(Connection, PathBuf)> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(Error::OldSqlite { found: rusqlite::version() });
    }
    let root = canonical_root(root, access)?;
    let db = root.join(NAME);
    if !is_there(&db)? {
        if access == Access::ReadOnly {
            return Err(Error::NoState { root });
        }
        create(&root, &db, patience, steps)?;
    }
    let conn = connect(&db, access, patience)?;
    let found = gate(&conn, &db, steps)?;
    if access == Access::ReadWrite && is_empty(&root.join(LOG)) {
        // Nobody committed to this log yet. What will be must not be lost with the log's name.
        file::sync_dir(&root)?;
    }
    if found == version_of(steps) {
        return Ok((conn, db));
    }
    drop(conn);
    upgrade(&root, &db, patience, steps)?;
    Ok((connect(&db, access, patience)?, db))
}

/// The root without links in its path: the log's files are found by the name of the database,
/// so all processes must use the same one.
fn canonical_root(root: &Path, access: Access) -> Result<PathBuf> {
    let path = match std::fs::canonicalize(root) {
        Ok(path) => path,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            if access == Access::ReadOnly {
                return Err(Error::NoState { root: root.to_owned() });
            }
            file::make_dirs(root, 0o700)?;
            let path = std::fs::canonicalize(root).map_err(|e| failed("realpath", root, e))?;
            file::sync_dir(path.parent().unwrap_or(&path))?;
            path
        }
        Err(e) => return Err(failed("realpath", root, e)),
    };
    let stat = std::fs::metadata(&path).map_err(|e| failed("stat", &path, e))?;
    if !stat.is_dir() {
        return Err(failed("open", &path, rustix::io::Errno::NOTDIR));
    }
    let (owner, mode) = (stat.uid(), stat.mode() & 0o7777);
    let user = rustix::process::geteuid().as_raw();
    if owner != user || mode & 0o077 != 0 {
        // Where nobody else could write, as in a directory that was made by hand for its
        // config.toml, it is enough to close it.
        if owner != user || mode & 0o022 != 0 || access == Access::ReadOnly {
            return Err(Error::Permission { path, owner, mode, user });
        }
        rustix::fs::chmod(&path, rustix::fs::Mode::RWXU).map_err(|e| failed("chmod", &path, e))?;
    }
    match unsupported(file_system_type(&path)?) {
        None => Ok(path),
        Some(kind) => Err(Error::UnsupportedFileSystem { path, kind }),
    }
}

/// File systems that other machines or programs serve: their locks are often not real, and shared
/// memory maps are not shared (<https://sqlite.org/howtocorrupt.html>, 2.1; wal.html).
fn unsupported(kind: FileSystemType) -> Option<&'static str> {
    Some(match kind {
        FileSystemType::AFS => "AFS",
        FileSystemType::CEPH => "Ceph",
        FileSystemType::CIFS | FileSystemType::SMB | FileSystemType::SMB2 => "a Windows share",
        FileSystemType::FUSE => "FUSE",
        FileSystemType::NFS => "NFS",
        FileSystemType::V9FS => "9P",
        _ => return None,
    })
}

/// Whether the database is there. What could not be ours is refused unopened.
fn is_there(db: &Path) -> Result<bool> {
    let stat = match std::fs::symlink_metadata(db) {
        Ok(stat) => stat,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(failed("stat", db, e)),
    };
    let problem = if stat.is_symlink() {
        "it is a symbolic link"
    } else if !stat.is_file() {
        "it is not a regular file"
    } else if stat.nlink() > 1 {
        "it has more than one hard link"
    } else if stat.len() == 0 {
        "it is empty"
    } else {
        return Ok(true);
    };
    Err(not_tank(db, problem))
}

/// Whether a file is missing or has no content.
fn is_empty(path: &Path) -> bool {
    std::fs::symlink_metadata(path).map_or(true, |stat| stat.len() == 0)
}

/// Makes the database under another name and renames it when it is whole, so that no crash leaves
/// a file that is neither nothing nor a database.
fn create(root: &Path, db: &Path, patience: Duration, steps: &[&str]) -> Result<()> {
    let _lock = lock::exclusive(&root.join(LOCK), patience)?;
    if is_there(db)? {
        return Ok(());
    }
    // SQLite would replay this log into whatever database has its name.
    let log = root.join(LOG);
    if !is_empty(&log) {
        return Err(not_tank(&log, "the database it belongs to is gone"));
    }
    let new = root.join("state.db.new");
    for leftover in ["state.db.new", "state.db.new-wal", "state.db.new-shm", "state.db-shm"] {
        file::remove_file(&root.join(leftover))?;
    }
    let empty = file::create_new(&new, 0o600)?;
    rustix::fs::fchmod(&empty, 0o600.into()).map_err(|errno| failed("chmod", &new, errno))?;
    drop(empty);
    fill(&new, steps)?;
    let whole = std::fs::File::open(&new).map_err(|e| failed("open", &new, e))?;
    whole.sync_all().map_err(|e| failed("fsync", &new, e))?;
    // The directory is synced when the log is there, too, which is next.
    file::rename_new(&new, db)?;
    Ok(())
}

/// Writes the first content of a database that nobody else knows of; its creator syncs it once.
fn fill(new: &Path, steps: &[&str]) -> Result<()> {
    let doing = "create the state";
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let conn = Connection::open_with_flags(path_text(new)?, flags).doing(doing)?;
    conn.execute_batch("PRAGMA page_size = 4096; PRAGMA synchronous = OFF;").doing(doing)?;
    conn.pragma_update(None, "application_id", APPLICATION_ID).doing(doing)?;
    conn.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(())).doing(doing)?;
    migrate(&conn, 0, steps)?;
    conn.execute(
        "INSERT INTO meta (key, value) VALUES ('created_by', ?1)",
        [env!("CARGO_PKG_VERSION")],
    )
    .doing(doing)?;
    // The last close of a connection empties the log into the database and removes it.
    conn.close().map_err(|(_, e)| e).doing(doing)
}

/// One connection with all its settings, to a database that tank made.
fn connect(db: &Path, access: Access, patience: Duration) -> Result<Connection> {
    let doing = "open the state";
    let flags = match access {
        Access::ReadOnly => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Access::ReadWrite => OpenFlags::SQLITE_OPEN_READ_WRITE,
    };
    let flags = flags | OpenFlags::SQLITE_OPEN_NOFOLLOW | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path_text(db)?, flags).doing(doing)?;
    // Other commands open, recover and checkpoint all the time: waiting for them comes first.
    conn.busy_timeout(patience).doing(doing)?;
    // A checkpoint at the end of every command would cost each of them another sync.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).doing(doing)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).doing(doing)?;
    match number(&conn, "application_id") {
        Ok(id) if id == i64::from(APPLICATION_ID) => {}
        Ok(_) => return Err(not_tank(db, "another program made it")),
        Err(e) if e.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            return Err(not_tank(db, "it is not a database"));
        }
        Err(e) => return Err(e).doing(doing),
    }
    conn.execute_batch(SETTINGS).doing(doing)?;
    let mode: String =
        conn.pragma_query_value(None, "journal_mode", |row| row.get(0)).doing(doing)?;
    if mode != "wal" {
        return Err(not_tank(db, "its write-ahead log was turned off"));
    }
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

fn number(conn: &Connection, pragma: &str) -> rusqlite::Result<i64> {
    conn.pragma_query_value(None, pragma, |row| row.get(0))
}

/// The version of the schema, if this tank can work with it.
fn gate(conn: &Connection, db: &Path, steps: &[&str]) -> Result<i64> {
    let found = number(conn, "user_version").doing("read the version of the state")?;
    let known = version_of(steps);
    if found > known {
        return Err(Error::Newer { path: db.to_owned(), found, known });
    }
    Ok(found)
}

/// Migrates a database that an older tank made, unless another command was faster.
fn upgrade(root: &Path, db: &Path, patience: Duration, steps: &[&str]) -> Result<()> {
    let _lock = lock::exclusive(&root.join(LOCK), patience)?;
    let conn = connect(db, Access::ReadWrite, patience)?;
    let found = gate(&conn, db, steps)?;
    if found == version_of(steps) {
        return Ok(());
    }
    back_up(&conn, db, found)?;
    migrate(&conn, found, steps)
}

fn not_tank(path: &Path, problem: &'static str) -> Error {
    Error::NotTank { path: path.to_owned(), problem }
}

fn failed(call: &'static str, path: &Path, error: impl Into<std::io::Error>) -> Error {
    sys::Error::new(call, path.display().to_string(), error).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_of_others_are_refused_and_local_ones_are_not() {
        for magic in [0x6969, 0xff53_4d42, 0xfe53_4d42, 0x0102_1997, 0x6573_5546, 0x00c3_6400] {
            assert!(unsupported(FileSystemType(magic)).is_some(), "{magic:x}");
        }
        for magic in [0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x794c_7630] {
            assert!(unsupported(FileSystemType(magic)).is_none(), "{magic:x}");
        }
    }
}
