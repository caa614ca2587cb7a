use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;
use crate::store::migrations::STEPS;

fn db(root: &TempDir) -> PathBuf {
    root.path().join("state.db")
}

fn names(root: &TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(root.path()).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn file(path: &Path, content: &[u8]) {
    crate::sys::file::replace(path, content, 0o600, crate::sys::file::Durability::Volatile)
        .unwrap();
}

fn refused(root: &TempDir) -> String {
    for access in [Access::ReadOnly, Access::ReadWrite] {
        let error = Store::open(root.path(), access).unwrap_err();
        assert!(matches!(error, Error::NotTank { .. }), "{error:?}");
        assert!(error.hint().is_some());
    }
    Store::open(root.path(), Access::ReadWrite).unwrap_err().to_string()
}

fn raw(root: &TempDir) -> rusqlite::Connection {
    rusqlite::Connection::open(db(root)).unwrap()
}

#[test]
fn reading_what_is_not_there_creates_nothing() {
    let root = empty();
    let missing = root.path().join("missing");
    for path in [root.path(), &missing] {
        let error = Store::open(path, Access::ReadOnly).unwrap_err();
        assert!(matches!(error, Error::NoState { .. }), "{error:?}");
    }
    assert_eq!(names(&root), [""; 0]);
}

#[test]
fn the_state_is_created_private_and_complete() {
    let root = empty();
    let below = root.path().join("a/b");
    let store = Store::open(&below, Access::ReadWrite).unwrap();
    assert_eq!(std::fs::metadata(&below).unwrap().mode() & 0o7777, 0o700);
    for name in ["state.db", "state.db-wal", "state.db-shm", "state.lock"] {
        let mode = std::fs::metadata(below.join(name)).unwrap().mode();
        assert_eq!(mode & 0o7777, 0o600, "{name}");
    }
    assert_eq!(store.read(|s| s.root_uuid()).unwrap().len(), 32);
    let version = store.read(|s| s.created_by()).unwrap();
    assert_eq!(version.as_deref(), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(store.read(|s| s.boot()).unwrap(), None);
    assert_eq!(store.integrity_check().unwrap(), [""; 0]);
    let pragma = |name| store.conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    for (name, value) in [
        ("application_id", 0x7461_6e6b),
        ("user_version", 5),
        ("page_size", 4096),
        ("foreign_keys", 1),
        ("trusted_schema", 0),
        ("synchronous", 2),
        ("busy_timeout", 60_000),
    ] {
        assert_eq!(pragma(name).unwrap(), value, "{name}");
    }
}

#[test]
fn a_read_only_store_does_not_write() {
    let (root, store) = fresh();
    drop(store);
    let mut store = Store::open(root.path(), Access::ReadOnly).unwrap();
    assert_eq!(store.read(|s| s.pods()).unwrap(), []);
    assert!(store.write(|tx| tx.note_boot("boot-1")).is_err());
}

#[test]
fn leftovers_of_a_creation_that_was_cut_short_are_no_obstacle() {
    let root = empty();
    file(&root.path().join("state.db.new"), b"half a datab");
    file(&root.path().join("state.db.new-wal"), b"half a log");
    open(root.path());
    assert_eq!(names(&root), ["state.db", "state.db-shm", "state.db-wal", "state.lock"]);
}

#[test]
fn a_log_without_its_database_is_not_replayed_into_a_new_one() {
    let (root, mut store) = fresh();
    put(&mut store, &pod("web", "one"));
    drop(store);
    std::fs::remove_file(db(&root)).unwrap();
    let error = Store::open(root.path(), Access::ReadWrite).unwrap_err();
    assert!(error.to_string().ends_with("the database it belongs to is gone"), "{error}");
    std::fs::remove_file(root.path().join("state.db-wal")).unwrap();
    assert_eq!(open(root.path()).read(|s| s.pods()).unwrap(), []);
}

#[test]
fn a_root_that_others_may_enter_is_refused() {
    let (root, store) = fresh();
    drop(store);
    std::fs::set_permissions(root.path(), PermissionsExt::from_mode(0o750)).unwrap();
    let error = Store::open(root.path(), Access::ReadOnly).unwrap_err();
    assert!(matches!(error, Error::Permission { mode: 0o750, .. }), "{error:?}");
    Store::open(root.path(), Access::ReadWrite).unwrap();
    let mode = std::fs::metadata(root.path()).unwrap().mode() & 0o7777;
    assert_eq!(mode, 0o700, "closed, since nobody else could write there");
    std::fs::set_permissions(root.path(), PermissionsExt::from_mode(0o770)).unwrap();
    let error = Store::open(root.path(), Access::ReadWrite).unwrap_err();
    assert!(matches!(error, Error::Permission { mode: 0o770, .. }), "{error:?}");
    std::fs::set_permissions(root.path(), PermissionsExt::from_mode(0o700)).unwrap();
    std::os::unix::fs::chown(root.path(), Some(1), None).unwrap();
    let error = Store::open(root.path(), Access::ReadWrite).unwrap_err();
    assert!(matches!(error, Error::Permission { owner: 1, .. }), "{error:?}");
}

#[test]
fn links_to_a_root_lead_to_one_database() {
    let (root, mut store) = fresh();
    let elsewhere = empty();
    let link = elsewhere.path().join("link");
    symlink(root.path(), &link).unwrap();
    put(&mut store, &pod("web", "one"));
    assert_eq!(open(&link).read(|s| s.pods()).unwrap().len(), 1);
}

#[test]
fn a_database_that_is_a_link_or_has_two_names_is_refused() {
    let (root, store) = fresh();
    drop(store);
    let moved = root.path().join("moved");
    std::fs::rename(db(&root), &moved).unwrap();
    symlink(&moved, db(&root)).unwrap();
    assert!(refused(&root).ends_with("it is a symbolic link"));
    std::fs::remove_file(db(&root)).unwrap();
    std::fs::hard_link(&moved, db(&root)).unwrap();
    assert!(refused(&root).ends_with("it has more than one hard link"));
}

#[test]
fn what_is_not_tanks_is_refused_and_left_as_it_is() {
    let root = empty();
    let mut texts = Vec::new();
    for content in [&b""[..], b"not a database, but long enough to look for a header in it"] {
        file(&db(&root), content);
        texts.push(refused(&root));
        assert_eq!(std::fs::read(db(&root)).unwrap(), content);
    }
    std::fs::remove_file(db(&root)).unwrap();
    raw(&root).execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (a)").unwrap();
    let before = std::fs::read(db(&root)).unwrap();
    texts.push(refused(&root));
    assert_eq!(std::fs::read(db(&root)).unwrap(), before);
    let endings = ["it is empty", "it is not a database", "another program made it"];
    for (text, ending) in texts.iter().zip(endings) {
        assert!(text.ends_with(ending), "{text}");
    }
}

#[test]
fn a_database_whose_log_was_turned_off_is_refused() {
    let (root, store) = fresh();
    drop(store);
    raw(&root).pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(())).unwrap();
    assert!(refused(&root).ends_with("its write-ahead log was turned off"));
}

#[test]
fn a_newer_schema_is_refused_without_a_write() {
    let (root, store) = fresh();
    drop(store);
    raw(&root).execute_batch("PRAGMA user_version = 99").unwrap();
    let before = std::fs::read(db(&root)).unwrap();
    for access in [Access::ReadOnly, Access::ReadWrite] {
        let error = Store::open(root.path(), access).unwrap_err();
        assert!(matches!(error, Error::Newer { found: 99, known: 5, .. }), "{error:?}");
        assert!(error.hint().is_some());
    }
    assert_eq!(std::fs::read(db(&root)).unwrap(), before);
    assert!(!root.path().join("state.db.v99.bak").exists());
}

#[test]
fn an_older_schema_is_migrated_after_a_backup() {
    let (root, mut store) = fresh();
    put(&mut store, &pod("web", "one"));
    drop(store);
    let steps = [STEPS, &["CREATE TABLE more (a INTEGER) STRICT"]].concat();
    for access in [Access::ReadOnly, Access::ReadWrite] {
        let store = Store::open_with(root.path(), access, &steps).unwrap();
        assert_eq!(store.read(|s| s.pods()).unwrap().len(), 1);
        assert_eq!(store.conn.query_row("SELECT count(*) FROM more", [], |r| r.get(0)), Ok(0));
    }
    let backup = root.path().join("state.db.v5.bak");
    assert_eq!(std::fs::metadata(&backup).unwrap().mode() & 0o7777, 0o600);
    let old = empty();
    std::fs::copy(&backup, db(&old)).unwrap();
    let backup = raw(&old);
    assert_eq!(backup.pragma_query_value(None, "user_version", |r| r.get(0)), Ok(5));
    assert_eq!(backup.query_row("SELECT name FROM pods", [], |r| r.get(0)), Ok("web".to_owned()));
    assert!(matches!(Store::open(root.path(), Access::ReadOnly), Err(Error::Newer { .. })));
}

#[test]
fn images_of_the_first_version_stay() {
    let root = empty();
    drop(Store::open_with(root.path(), Access::ReadWrite, &STEPS[..1]).unwrap());
    let [image, config, layer] = [1, 2, 3].map(digest);
    raw(&root)
        .execute_batch(&format!(
            "INSERT INTO layers VALUES ('{layer}', 5, 1, 'ready', 0);
            INSERT INTO manifests VALUES ('{image}', '{config}', '{{}}', 'linux/amd64', 9, NULL);
            INSERT INTO image_layers VALUES ('{image}', 0, '{layer}')"
        ))
        .unwrap();
    let store = open(root.path());
    assert_eq!(store.integrity_check().unwrap(), [""; 0]);
    let found = store.read(|s| s.image_by_digest(&image)).unwrap().unwrap();
    let layers = vec![ImageLayer { id: layer.clone(), blob: None, blob_size: 0 }];
    assert_eq!(found.layers, layers);
    assert_eq!(store.read(|s| s.layers()).unwrap()[0].id, layer);
    assert_eq!(store.read(|s| s.unreferenced_layers()).unwrap(), []);
}

#[test]
fn a_migration_that_fails_leaves_the_last_whole_version() {
    let (root, store) = fresh();
    drop(store);
    let good = "CREATE TABLE more (a INTEGER) STRICT";
    let bad = "CREATE TABLE even_more (a INTEGER) STRICT; INSERT INTO no_such_table VALUES (1)";
    let steps = [STEPS, &[good, bad]].concat();
    assert!(Store::open_with(root.path(), Access::ReadWrite, &steps).is_err());
    let conn = raw(&root);
    assert_eq!(conn.pragma_query_value(None, "user_version", |r| r.get(0)), Ok(6));
    let count = "SELECT count(*) FROM sqlite_schema WHERE name = 'even_more'";
    assert_eq!(conn.query_row(count, [], |r| r.get(0)), Ok(0));
}

#[test]
fn damage_is_told_apart_and_reported() {
    let (root, mut store) = fresh();
    for number in 0..200 {
        put(&mut store, &pod(&format!("pod-{number}"), "one"));
    }
    store.conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    assert_eq!(store.integrity_check().unwrap(), [""; 0]);
    drop(store);
    let mut content = std::fs::read(db(&root)).unwrap();
    let start = content.len() / 2 / 4096 * 4096;
    content[start..start + 16].fill(0xff);
    file(&db(&root), &content);
    let store = open(root.path());
    let problems = store.integrity_check();
    assert!(problems.as_ref().map_or(true, |problems| !problems.is_empty()), "{problems:?}");
}
