//! Disks that are full or read-only.

use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};

use super::*;

/// A small file system of its own, unmounted with its test.
struct Disk(TempDir);

impl Disk {
    fn new() -> Self {
        let dir = empty();
        mount("tank-test", dir.path(), "tmpfs", MountFlags::empty(), Some(c"size=1m,mode=700"))
            .unwrap();
        Self(dir)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Leaves no byte free, and returns the file that holds them.
    fn fill(&self) -> PathBuf {
        let path = self.path().join("filler");
        let mut filler = crate::sys::file::create_new(&path, 0o600).unwrap();
        while std::io::Write::write_all(&mut filler, &[1; 4096]).is_ok() {}
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = unmount(self.0.path(), UnmountFlags::DETACH);
    }
}

#[test]
fn a_full_disk_can_be_read_and_says_that_it_is_full() {
    let disk = Disk::new();
    put(&mut open(disk.path()), &pod("web", "one"));
    let filler = disk.fill();

    let store = Store::open(disk.path(), Access::ReadOnly).unwrap();
    assert_eq!(store.read(|s| s.pods()).unwrap().len(), 1);
    drop(store);
    let mut store = open(disk.path());
    let error = store.write(|tx| tx.put_pod(&pod("db", "one"), &images(1), at(0))).unwrap_err();
    assert!(error.is_disk_full(), "{error:?}");
    assert!(error.hint().is_some());

    std::fs::remove_file(filler).unwrap();
    put(&mut store, &pod("db", "one"));
    assert_eq!(store.read(|s| s.pods()).unwrap().len(), 2);
}

#[test]
fn a_creation_without_room_can_be_repeated() {
    let disk = Disk::new();
    let filler = disk.fill();
    let error = Store::open(disk.path(), Access::ReadWrite).unwrap_err();
    assert!(error.is_disk_full(), "{error:?}");
    let error = Store::open(disk.path(), Access::ReadOnly).unwrap_err();
    assert!(matches!(error, Error::NoState { .. }), "{error:?}");
    std::fs::remove_file(filler).unwrap();
    put(&mut open(disk.path()), &pod("web", "one"));
}

#[test]
fn a_read_only_disk_can_be_read() {
    let disk = Disk::new();
    put(&mut open(disk.path()), &pod("web", "one"));
    mount_remount(disk.path(), MountFlags::RDONLY, c"").unwrap();
    for access in [Access::ReadOnly, Access::ReadWrite] {
        let store = Store::open(disk.path(), access).unwrap();
        assert_eq!(store.read(|s| s.pods()).unwrap().len(), 1, "{access:?}");
    }
    let result = open(disk.path()).write(|tx| tx.note_boot("boot-1"));
    assert!(matches!(result, Err(Error::Sqlite { .. })), "{result:?}");
}
