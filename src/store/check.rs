//! Looking for damage.

use super::Store;
use super::error::Result;

impl Store {
    /// Reads the whole database and says what is wrong with it; nothing, if it is whole.
    pub fn integrity_check(&self) -> Result<Vec<String>> {
        let doing = "check the state";
        self.read(|snapshot| {
            let mut problems: Vec<String> =
                snapshot.rows(doing, "PRAGMA integrity_check", [], |c| c.take())?;
            problems.retain(|problem| problem != "ok");
            let dangling = "SELECT printf('row %d of %s refers to no row of %s', rowid, \"table\",
                parent) FROM pragma_foreign_key_check";
            problems.extend(snapshot.rows(doing, dangling, [], |c| c.take::<String>())?);
            Ok(problems)
        })
    }
}
