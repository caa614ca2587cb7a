//! What is known of the root as a whole.

use super::error::{Error, Result};
use super::transaction::{Snapshot, Tx};

impl Snapshot<'_> {
    /// The boot that a command last wrote something in: the text of
    /// `/proc/sys/kernel/random/boot_id`. `None` before the first.
    pub fn boot(&self) -> Result<Option<String>> {
        self.meta("boot")
    }

    /// The identity of this root: 32 hexadecimal digits, made with the database.
    pub fn root_uuid(&self) -> Result<String> {
        self.meta("root_uuid")?.ok_or_else(|| Error::Corrupt {
            doing: "read the identity of the root",
            source: Box::new(rusqlite::Error::QueryReturnedNoRows),
        })
    }

    /// The version of tank that made the database.
    pub fn created_by(&self) -> Result<Option<String>> {
        self.meta("created_by")
    }

    fn meta(&self, key: &'static str) -> Result<Option<String>> {
        let sql = "SELECT value FROM meta WHERE key = ?1";
        self.row("read what is known of the root", sql, [key], |c| c.take())
    }
}

impl Tx<'_> {
    /// Says which boot this is, and returns whether the machine was restarted since a command
    /// last did so. If it was, every instance of an earlier boot whose end nobody saw becomes
    /// failed, with the reason that the host was rebooted; ends that were seen are kept.
    pub fn note_boot(&self, current: &str) -> Result<bool> {
        let last = self.boot()?;
        if last.as_deref() == Some(current) {
            return Ok(false);
        }
        self.run(
            "write which boot this is",
            "INSERT INTO meta (key, value) VALUES ('boot', ?1)
                ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            [current],
        )?;
        self.lose_instances_of_other_boots(current)?;
        Ok(last.is_some())
    }
}
