//! Layers that take something from those below them.

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use super::fixture::{Tar, World};
use super::*;

/// A directory with a mode and an owner that nobody has by accident.
fn owned(tar: Tar, path: &str, mode: u32) -> Tar {
    tar.pax("SCHILY.xattr.user.of", path.as_bytes()).edited(b'5', path, "", b"", |header| {
        header.set_mode(mode);
        header.set_uid(3_000_000);
        header.set_gid(7);
        header.set_mtime(1_234_567_890);
    })
}

fn mode(world: &World, path: &str) -> u32 {
    world.root().join(path).symlink_metadata().unwrap().mode() & 0o7777
}

fn read(world: &World, path: &str) -> String {
    std::fs::read_to_string(world.root().join(path)).unwrap()
}

fn xattr(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = vec![0; 256];
    let length = rustix::fs::lgetxattr(path, name, &mut value[..]).ok()?;
    value.truncate(length);
    Some(value)
}

#[test]
fn directories_that_are_not_listed_are_as_below() {
    let lowest = owned(owned(Tar::default(), "a", 0o1711), "a/b", 0o2750);
    let world = World::above([lowest, Tar::default().file("other", "")]);
    let before = world.outside();
    world.unpack(Tar::default().file("a/b/c/file", "x").file("a/.wh.gone", "")).unwrap();
    for (path, mode) in [("a", 0o1711), ("a/b", 0o2750)] {
        let path_in_root = world.root().join(path);
        let stat = path_in_root.metadata().unwrap();
        assert_eq!((stat.mode() & 0o7777, stat.uid(), stat.gid()), (mode, 3_000_000, 7), "{path}");
        assert_eq!((stat.mtime(), stat.mtime_nsec()), (1_234_567_890, 0), "{path}");
        assert_eq!(xattr(&path_in_root, "user.of").as_deref(), Some(path.as_bytes()));
    }
    let new = world.root().join("a/b/c").metadata().unwrap();
    assert_eq!((new.mode() & 0o7777, new.uid(), new.mtime()), (0o755, 0, 0));
    assert_eq!(before, world.outside(), "the layers below are not changed");
}

#[test]
fn directories_that_are_listed_are_as_they_say() {
    let world = World::above([owned(Tar::default(), "a", 0o711)]);
    world.unpack(Tar::default().file("a/x", "").dir("a")).unwrap();
    assert_eq!(mode(&world, "a"), 0o755);
    assert_eq!(xattr(&world.root().join("a"), "user.of"), None);
}

#[test]
fn what_is_hidden_below_says_nothing() {
    let lowest = || owned(owned(Tar::default(), "p", 0o711), "p/a", 0o700);
    for (name, between, top, parent, child) in [
        ("removed", Tar::default().file("p/.wh.a", ""), Tar::default(), 0o711, 0o755),
        ("parent removed", Tar::default().file(".wh.p", ""), Tar::default(), 0o755, 0o755),
        ("replaced", Tar::default().file("p/a", ""), Tar::default(), 0o711, 0o755),
        ("parent replaced", Tar::default().symlink("p", "q"), Tar::default(), 0o755, 0o755),
        (
            "opaque parent",
            owned(Tar::default(), "p", 0o770).file("p/.wh..wh..opq", ""),
            Tar::default(),
            0o770,
            0o755,
        ),
        ("removed here", Tar::default(), Tar::default().file("p/.wh.a", ""), 0o711, 0o755),
        ("opaque here", Tar::default(), Tar::default().file("p/.wh..wh..opq", ""), 0o711, 0o755),
        ("emptied here", Tar::default(), Tar::default().file("p/a/.wh..wh..opq", ""), 0o711, 0o700),
    ] {
        let world = World::above([lowest(), between]);
        world.unpack(top.file("p/a/file", "")).unwrap();
        assert_eq!((mode(&world, "p"), mode(&world, "p/a")), (parent, child), "{name}");
    }
}

#[test]
fn a_link_below_gives_way_to_a_directory_as_it_leads_to() {
    for target in ["real", "/real", "../../real", "again"] {
        let lowest = owned(Tar::default(), "real", 0o711).symlink("again", "./real");
        let world = World::above([lowest.symlink("l", target)]);
        world.unpack(Tar::default().file("l/x", "")).unwrap();
        assert_eq!(mode(&world, "l"), 0o711, "{target}");
        assert!(!world.root().join("real").exists());
    }
}

#[test]
fn hard_links_to_lower_files_are_copies() {
    let set_id = |header: &mut tar::Header| {
        header.set_mode(0o6755);
        header.set_uid(5);
    };
    let lowest = Tar::default()
        .dir("usr/lib")
        .symlink("lib", "usr/lib")
        .pax("SCHILY.xattr.user.note", b"kept")
        .edited(b'0', "usr/lib/program", "", b"content", set_id)
        .symlink("usr/lib/link", "anywhere")
        .entry(b'6', "pipe", "", b"");
    let world = World::above([lowest]);
    let before = world.outside();
    let layer = Tar::default()
        .edited(b'5', "d", "", b"", |h| h.set_mtime(77))
        .hard_link("d/one", "lib/program")
        .hard_link("d/two", "d/one")
        .hard_link("three", "usr/lib/program")
        .hard_link("d/link", "lib/link")
        .hard_link("d/other", "d/link")
        .hard_link("pipe too", "/pipe")
        .hard_link("usr/lib/program", "lib/program")
        .hard_link("later", "lib/program")
        .file("later", "replaced");
    world.unpack(layer).unwrap();
    let stat = |path: &str| world.root().join(path).symlink_metadata().unwrap();
    for path in ["d/one", "d/two", "three", "usr/lib/program"] {
        assert_eq!(read(&world, path), "content", "{path}");
        assert_eq!((stat(path).mode() & 0o7777, stat(path).uid()), (0o6755, 5), "{path}");
        assert_eq!(stat(path).mtime(), 1_000_000_000, "{path}");
        let path = world.root().join(path);
        assert_eq!(xattr(&path, "user.note").as_deref(), Some(b"kept".as_slice()));
        assert_eq!(xattr(&path, "trusted.tank.link"), None);
    }
    assert_eq!(stat("d/one").ino(), stat("d/two").ino());
    assert_eq!(stat("d/link").ino(), stat("d/other").ino());
    assert_eq!(world.root().join("d/link").read_link().unwrap(), Path::new("anywhere"));
    assert!(stat("pipe too").file_type().is_fifo());
    assert_eq!(read(&world, "later"), "replaced");
    assert_eq!((stat("d").mtime(), stat("d").mtime_nsec()), (77, 0));
    assert_eq!(before, world.outside());
}

#[test]
fn holes_are_copied_as_holes_and_counted() {
    let sparse = || {
        Tar::default().edited(b'S', "sparse", "", b"end", |header| {
            let gnu = header.as_gnu_mut().unwrap();
            gnu.set_real_size(1 << 30);
            gnu.sparse[0].set_offset((1 << 30) - 3);
            gnu.sparse[0].set_length(3);
        })
    };
    let world = World::above([sparse()]);
    let link = || Tar::default().hard_link("copy", "sparse").hard_link("again", "sparse");
    let refused = world.unpack_within(link(), &Budget::new(3 << 29, 100));
    assert!(matches!(refused, Err(Problem::TooLarge { unit: "bytes", .. })), "{refused:?}");
    let world = World::above([sparse()]);
    world.unpack(Tar::default().hard_link("copy", "sparse")).unwrap();
    let stat = world.root().join("copy").metadata().unwrap();
    assert_eq!(stat.len(), 1 << 30);
    assert!(stat.blocks() < 100);
}

#[test]
fn links_to_what_is_hidden_or_not_there_are_refused() {
    let lowest = || Tar::default().dir("d").file("d/f", "x").symlink("loop", "loop");
    for (name, between, top) in [
        ("nowhere", Tar::default(), Tar::default().hard_link("a", "d/g")),
        ("directory", Tar::default(), Tar::default().hard_link("a", "d")),
        ("removed", Tar::default().file("d/.wh.f", ""), Tar::default().hard_link("a", "d/f")),
        ("parent gone", Tar::default().file(".wh.d", ""), Tar::default().hard_link("a", "d/f")),
        ("removed here", Tar::default(), Tar::default().file("d/.wh.f", "").hard_link("a", "d/f")),
        ("opaque", Tar::default().file("d/.wh..wh..opq", ""), Tar::default().hard_link("a", "d/f")),
        ("a loop", Tar::default(), Tar::default().hard_link("a", "loop/f")),
        ("below a file", Tar::default(), Tar::default().hard_link("a", "d/f/x")),
        ("itself", Tar::default(), Tar::default().hard_link("a", "a")),
        ("each other", Tar::default(), Tar::default().hard_link("a", "b").hard_link("b", "a")),
    ] {
        let world = World::above([lowest(), between]);
        let before = world.outside();
        let refused = world.unpack(top);
        assert!(matches!(refused, Err(Problem::Entry(..))), "{name}: {refused:?}");
        assert_eq!(before, world.outside(), "{name}");
    }
}

#[test]
fn lower_layers_lead_nowhere_but_into_the_stack() {
    let probe = World::new();
    let canary = probe.canary().display().to_string();
    let up = format!("{}{canary}", "..".to_owned() + &"/..".repeat(40));
    for out in [&canary, &up, "../canary", "/proc/self/root", "/proc/self/cwd"] {
        for (name, lower, top) in [
            ("implied", Tar::default().symlink("d", out), Tar::default().file("d/passwd", "x")),
            ("deeper", Tar::default().symlink("d", out), Tar::default().file("d/dir/inside", "x")),
            (
                "through two",
                Tar::default().symlink("e", out).symlink("d", "e/dir"),
                Tar::default().file("d/x", "x"),
            ),
            ("link", Tar::default().symlink("d", out), Tar::default().hard_link("a", "d/passwd")),
            (
                "link of the link",
                Tar::default().symlink("d", out),
                Tar::default().hard_link("a", "d").hard_link("b", "a/passwd"),
            ),
            (
                "link in the link's place",
                Tar::default().symlink("d", out),
                Tar::default().hard_link("d/passwd", "d/passwd"),
            ),
            (
                "swapped",
                Tar::default().dir("d").file("d/passwd", "x"),
                Tar::default().hard_link("a", "d/passwd").symlink("d", out),
            ),
            (
                "swapped parent",
                Tar::default().dir("d").file("d/passwd", "x"),
                Tar::default().hard_link("e/a", "d/passwd").symlink("e", out),
            ),
            ("whiteout", Tar::default().symlink("d", out), Tar::default().file("d/.wh.passwd", "")),
            (
                "opaque",
                Tar::default().symlink("d", out),
                Tar::default().file("d/dir/.wh..wh..opq", ""),
            ),
        ] {
            let world = World::above([lower]);
            let (before, elsewhere) = (world.outside(), probe.outside());
            let result = world.unpack(top);
            assert_eq!(before, world.outside(), "{name} through {out}");
            assert_eq!(elsewhere, probe.outside(), "{name} through {out}");
            assert!(result.is_err() || !name.starts_with("link"), "{name} through {out}");
        }
    }
}

#[test]
fn stand_ins_are_not_mistaken_for_files_of_the_same_inode() {
    let world = World::above([Tar::default().file("f", "lower")]);
    let layer = (0..100).fold(Tar::default(), |tar, n| {
        let name = n.to_string();
        tar.hard_link(&name, "f").dir(&name).file(&name, "own").hard_link(&format!("{n}l"), &name)
    });
    world.unpack(layer).unwrap();
    for n in 0..100 {
        for name in [n.to_string(), format!("{n}l")] {
            assert_eq!(read(&world, &name), "own", "{name}");
        }
    }
}
