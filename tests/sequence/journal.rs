//! The journal and the passes, as the database has them, read from outside.

use rusqlite::{Connection, OpenFlags, Row};

use crate::support::Tank;

/// What is written from one moment on.
pub(super) struct Journal {
    database: Connection,
    after: i64,
}

/// One row of the passes, with who ran it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) pid: u32,
    pub(super) start: u64,
    pub(super) boot: String,
}

impl Journal {
    /// Passes that begin after this.
    pub(super) fn from_now_on(tank: &Tank) -> Self {
        let mut journal = Self::whole(tank);
        let sql = "SELECT coalesce(max(id), 0) FROM passes";
        journal.after = journal.database.query_row(sql, [], |row| row.get(0)).unwrap();
        journal
    }

    /// All passes.
    pub(super) fn whole(tank: &Tank) -> Self {
        let (path, flags) = (tank.root().join("state.db"), OpenFlags::SQLITE_OPEN_READ_ONLY);
        Self { database: Connection::open_with_flags(path, flags).unwrap(), after: 0 }
    }

    fn rows<T>(&self, sql: &str, row: impl Fn(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
        let mut statement = self.database.prepare(sql).unwrap();
        let rows = statement.query_map([self.after], |read| row(read)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// What has happened, in one line: of each pass its steps in order, `POD: STEP STATE, ...`, and
    /// how many were planned, executed and failed, as far as it got to its end.
    pub(super) fn told(&self) -> String {
        let sql = "SELECT id, planned, executed, failed FROM passes WHERE id > ?1 ORDER BY id";
        let passes: Vec<(i64, u32, Option<u32>, Option<u32>)> =
            self.rows(sql, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
        let tell = |(id, planned, executed, failed): &(i64, u32, Option<u32>, Option<u32>)| {
            let end = match (executed, failed) {
                (Some(executed), Some(failed)) => format!("executed {executed}, failed {failed}"),
                _ => "no end".to_owned(),
            };
            format!("{}planned {planned}, {end}", self.lanes(*id))
        };
        passes.iter().map(tell).collect::<Vec<_>>().join("; then ")
    }

    fn lanes(&self, pass: i64) -> String {
        let sql = "SELECT pass, pod, step, state FROM journal WHERE pass > ?1 ORDER BY id";
        let step = |row: &Row<'_>| {
            let (of, pod): (i64, String) = (row.get(0)?, row.get(1)?);
            let (step, state): (String, String) = (row.get(2)?, row.get(3)?);
            Ok((of, pod, format!("{step} {state}")))
        };
        let steps: Vec<(i64, String, String)> = self.rows(sql, step);
        let own: Vec<_> = steps.into_iter().filter(|(of, ..)| *of == pass).collect();
        let lane = |steps: &[(i64, String, String)]| {
            let told: Vec<&str> = steps.iter().map(|(.., told)| told.as_str()).collect();
            format!("{}: {}; ", steps[0].1, told.join(", "))
        };
        own.chunk_by(|one, next| one.1 == next.1).map(lane).collect()
    }

    /// How the command sums up what the passes did.
    pub(super) fn totals(&self) -> String {
        let sql = "SELECT coalesce(sum(planned), 0), coalesce(sum(executed), 0),
            coalesce(sum(failed), 0) FROM passes WHERE id > ?1";
        let total = |row: &Row<'_>| {
            let (planned, executed, failed): (u32, u32, u32) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(format!("planned {planned}, executed {executed}, failed {failed}"))
        };
        self.rows(sql, total).pop().unwrap()
    }

    /// What is on record of the steps that failed: `pod/POD: STEP: ERROR`.
    pub(super) fn errors(&self) -> Vec<String> {
        let sql = "SELECT pod, step, error FROM journal
            WHERE pass > ?1 AND state = 'failed' ORDER BY id";
        self.rows(sql, |row| {
            let (pod, step, error): (String, String, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(format!("pod/{pod}: {step}: {error}"))
        })
    }

    /// Who ran the passes.
    pub(super) fn owners(&self) -> Vec<Owner> {
        let sql = "SELECT owner_pid, owner_start, owner_boot FROM passes WHERE id > ?1 ORDER BY id";
        self.rows(sql, |row| Ok(Owner { pid: row.get(0)?, start: row.get(1)?, boot: row.get(2)? }))
    }

    /// Asserts that no step of any pass is under way, and that the database is whole.
    #[track_caller]
    pub(super) fn assert_closed(&self) {
        let text = |sql| self.database.query_row(sql, [], |row| row.get::<_, String>(0));
        let open = "SELECT pod || ': ' || step FROM journal WHERE finished_at IS NULL";
        assert_eq!(text(open), Err(rusqlite::Error::QueryReturnedNoRows));
        assert_eq!(text("PRAGMA integrity_check").unwrap(), "ok");
        let foreign = "SELECT \"table\" FROM pragma_foreign_key_check";
        assert_eq!(text(foreign), Err(rusqlite::Error::QueryReturnedNoRows));
    }
}
