use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use rustix::fs::lgetxattr;

use super::fixture::{Tar, World};
use super::*;

fn xattr(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = vec![0; 256];
    let length = lgetxattr(path, name, &mut value[..]).ok()?;
    value.truncate(length);
    Some(value)
}

fn is_whiteout(path: &Path) -> bool {
    let stat = path.symlink_metadata().unwrap();
    stat.file_type().is_char_device() && stat.rdev() == 0
}

fn is_opaque(path: &Path) -> bool {
    xattr(path, "trusted.overlay.opaque").as_deref() == Some(b"y")
}

#[test]
fn owner_mode_times_and_attributes_are_kept() {
    let world = World::new();
    let capability = b"\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let own = |header: &mut tar::Header| {
        header.set_mode(0o106_755);
        header.set_uid(3_000_000);
        header.set_gid(2_000_000_000);
    };
    let layer = Tar::default()
        .edited(b'5', "./", "", b"", |h| h.set_mode(0o1777))
        .edited(b'5', "d", "", b"", own)
        .pax("SCHILY.xattr.security.capability", capability)
        .edited(b'0', "d/f", "", b"content", own)
        .pax("SCHILY.xattr.user.note", b"a\n=b\0")
        .file("d/x", "")
        .pax("mtime", b"-1.25")
        .file("d/old", "")
        .edited(b'2', "d/l", "../nowhere", b"", own)
        .edited(b'6', "d/p", "", b"", own);
    assert_eq!(world.unpack(layer).unwrap(), Unpacked { bytes: 7, entries: 7, devices: 0 });
    let stat = |path: &str| world.root().join(path).symlink_metadata().unwrap();
    assert_eq!(stat("").mode(), 0o041_777);
    for (path, mode) in
        [("d", 0o046_755), ("d/f", 0o106_755), ("d/l", 0o120_777), ("d/p", 0o016_755)]
    {
        let stat = stat(path);
        assert_eq!((stat.uid(), stat.gid()), (3_000_000, 2_000_000_000), "{path}");
        assert_eq!(stat.mode(), mode, "{path}");
        assert_eq!((stat.mtime(), stat.mtime_nsec()), (1_000_000_000, 0), "{path}");
    }
    assert_eq!((stat("d/old").mtime(), stat("d/old").mtime_nsec()), (-2, 750_000_000));
    assert_eq!(xattr(&world.root().join("d/f"), "security.capability").unwrap(), capability);
    assert_eq!(xattr(&world.root().join("d/x"), "user.note").unwrap(), b"a\n=b\0");
}

#[test]
fn attributes_of_the_overlay_do_not_come_from_the_image() {
    let world = World::new();
    let layer = Tar::default()
        .pax("SCHILY.xattr.trusted.overlay.opaque", b"y")
        .dir("d")
        .pax("SCHILY.xattr.trusted.overlay.redirect", b"/etc")
        .dir("e")
        .pax("SCHILY.xattr.user.overlay.whiteout", b"y")
        .file("f", "");
    world.unpack(layer).unwrap();
    for path in ["d", "e", "f"] {
        let mut names = vec![0; 4096];
        let length = rustix::fs::llistxattr(world.root().join(path), &mut names[..]).unwrap();
        assert_eq!(length, 0, "{path}");
    }
}

#[test]
fn whiteouts_act_on_lower_layers_whatever_the_order() {
    let world = World::new();
    let layer = Tar::default()
        .dir("d")
        .file("d/.wh.gone", "")
        .file("d/.wh.file", "")
        .file("d/file", "new")
        .file("d/kept", "new")
        .file("d/.wh.kept", "")
        .file("d/.wh.sub", "")
        .file("d/sub/x", "new")
        .dir("d/dir")
        .file("d/dir/x", "new")
        .file("d/.wh.dir", "")
        .file("d/opaque/x", "new")
        .file("d/opaque/.wh..wh..opq", "")
        .dir("d/opaque")
        .file(".wh..wh.plnk/1.2", "")
        .file("d/.wh..wh.aufs", "");
    world.unpack(layer).unwrap();
    let path = |name: &str| world.root().join("d").join(name);
    assert!(is_whiteout(&path("gone")));
    for name in ["file", "kept", "sub/x", "dir/x", "opaque/x"] {
        assert_eq!(std::fs::read_to_string(path(name)).unwrap(), "new");
    }
    for name in ["sub", "dir", "opaque"] {
        assert!(is_opaque(&path(name)), "{name}");
    }
    let mut names: Vec<_> =
        std::fs::read_dir(path("")).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["dir", "file", "gone", "kept", "opaque", "sub"]);
    assert_eq!(std::fs::read_dir(world.root()).unwrap().count(), 1);
}

#[test]
fn of_two_entries_with_one_path_the_last_wins() {
    let world = World::new();
    let layer = Tar::default()
        .file("a", "first")
        .hard_link("b", "a")
        .file("a", "last")
        .file("c/x", "")
        .file("c", "file")
        .file("d", "")
        .file("d2/y", "")
        .dir("d2")
        .hard_link("b", "b")
        .entry(b'5', "d", "", b"");
    world.unpack(layer).unwrap();
    let read = |path: &str| std::fs::read_to_string(world.root().join(path)).unwrap();
    assert_eq!((read("a"), read("b"), read("c")), ("last".into(), "first".into(), "file".into()));
    assert!(world.root().join("d2/y").exists());
    assert!(is_opaque(&world.root().join("d")), "a directory in the place of a file hides below");
    assert!(!is_opaque(&world.root().join("d2")));
}

#[test]
fn directories_that_are_not_listed_are_made() {
    let world = World::new();
    world.unpack(Tar::default().file("/a/b/c", "x")).unwrap();
    for path in ["", "a", "a/b"] {
        let stat = world.root().join(path).metadata().unwrap();
        assert_eq!((stat.mode(), stat.uid()), (0o040_755, 0), "{path}");
    }
}

#[test]
fn devices_are_counted_and_left_out() {
    let world = World::new();
    let layer = Tar::default().device(b'3', "dev/null", 1, 3).device(b'4', "dev/sda", 8, 0);
    assert_eq!(world.unpack(layer).unwrap().devices, 2);
    assert_eq!(std::fs::read_dir(world.root()).unwrap().count(), 0);
}

#[test]
fn sparse_files_keep_their_holes() {
    let world = World::new();
    let gnu = |header: &mut tar::Header| {
        let gnu = header.as_gnu_mut().unwrap();
        gnu.set_real_size(1 << 30);
        for (slot, (offset, length)) in gnu.sparse.iter_mut().zip([(4096, 512), (1 << 20, 3)]) {
            slot.set_offset(offset);
            slot.set_length(length);
        }
    };
    let data = [[b'a'; 512].as_slice(), b"end"].concat();
    let mut map = b"2\n4096\n512\n1048576\n3\n".to_vec();
    map.resize(512, 0);
    map.extend(&data);
    let records = "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n25 GNU.sparse.name=pax10\n\
                   34 GNU.sparse.realsize=1073741824\n";
    let layer = Tar::default()
        .edited(b'S', "gnu", "", &data, gnu)
        .entry(b'x', "pax", "", records.as_bytes())
        .entry(b'0', "GNUSparseFile.1/pax10", "", &map);
    world.unpack(layer).unwrap();
    for name in ["gnu", "pax10"] {
        let path = world.root().join(name);
        let stat = path.metadata().unwrap();
        assert_eq!(stat.len(), 1 << 30, "{name}");
        assert!(stat.blocks() < 100, "{name} has no holes");
        let file = std::fs::File::open(path).unwrap();
        let mut bytes = [0; 8];
        std::os::unix::fs::FileExt::read_exact_at(&file, &mut bytes, 4092).unwrap();
        assert_eq!(&bytes, b"\0\0\0\0aaaa", "{name}");
        std::os::unix::fs::FileExt::read_exact_at(&file, &mut bytes, (1 << 20) - 2).unwrap();
        assert_eq!(&bytes, b"\0\0end\0\0\0", "{name}");
    }
}

#[test]
fn hostile_sparse_maps_are_refused() {
    for extents in [
        &[(0, 512), (100, 3)][..],
        &[(u64::MAX / 16, 515)],
        &[(0, 100), (512, 415)],
        &[(0, 512)],
        &[(1 << 30, 515)],
    ] {
        let layer = Tar::default().edited(b'S', "f", "", &[0; 515], |header| {
            let gnu = header.as_gnu_mut().unwrap();
            gnu.set_real_size(1 << 20);
            for (slot, (offset, length)) in gnu.sparse.iter_mut().zip(extents) {
                slot.set_offset(*offset);
                slot.set_length(*length);
            }
        });
        let refused = World::new().unpack(layer);
        assert!(matches!(refused, Err(Problem::Tar(..))), "{extents:?}: {refused:?}");
    }
}

#[test]
fn the_budget_counts_holes_and_entries() {
    let huge = |header: &mut tar::Header| header.as_gnu_mut().unwrap().set_real_size(1 << 40);
    let sparse = Tar::default().edited(b'S', "f", "", b"", huge);
    assert!(matches!(World::new().unpack(sparse), Err(Problem::TooLarge { unit: "bytes", .. })));
    let many = (0..10).fold(Tar::default(), |tar, n| tar.file(&n.to_string(), ""));
    let refused = World::new().unpack_within(many, &Budget::new(1 << 20, 9));
    assert!(matches!(refused, Err(Problem::TooLarge { unit: "entries", .. })));
}

#[test]
fn the_cached_directory_is_not_used_after_it_was_replaced() {
    let world = World::new();
    let layer = Tar::default()
        .file("a/b/x", "")
        .dir("c")
        .file("a/b/y", "")
        .symlink("a", "c")
        .file("a/z", "")
        .dir("c/b")
        .file("a/b/w", "");
    world.unpack(layer).unwrap();
    assert!(world.root().join("c/z").exists());
    assert!(world.root().join("c/b/w").exists());
}

#[test]
fn the_budget_is_shared() {
    let budget = Budget::new(100, 10);
    let unpack = || World::new().unpack_within(Tar::default().file("a", &"x".repeat(60)), &budget);
    assert!(unpack().is_ok());
    assert!(matches!(unpack(), Err(Problem::TooLarge { limit: 100, unit: "bytes" })));
}

#[test]
fn what_is_made_in_a_directory_does_not_inherit_its_acl() {
    // Version 2; the owner, the group, the mask and others.
    let acl: Vec<u8> =
        [[2, 0, 0, 0].as_slice(), &entry(1, 7), &entry(4, 7), &entry(32, 0)].concat();
    fn entry(tag: u8, permissions: u8) -> [u8; 8] {
        [tag, 0, permissions, 0, 255, 255, 255, 255]
    }
    let world = World::new();
    let layer = Tar::default()
        .pax("SCHILY.xattr.system.posix_acl_default", &acl)
        .dir("d")
        .file("d/f", "x")
        .dir("d/e");
    world.unpack(layer).unwrap();
    let path = |name: &str| world.root().join(name);
    assert_eq!(xattr(&path("d"), "system.posix_acl_default").unwrap(), acl);
    assert_eq!(xattr(&path("d/e"), "system.posix_acl_default"), None);
    assert_eq!(path("d/f").metadata().unwrap().mode(), 0o100_644);
}
