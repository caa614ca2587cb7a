//! Layers that try to reach what is not theirs. The names are those under which containerd,
//! umoci and the advisories know them.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::fixture::{Tar, World};

/// What must come of a layer; that nothing outside of it changes goes without saying.
enum Expect {
    /// It is refused.
    Refused,
    /// It unpacks, and this path is a regular file with this content.
    File(&'static str, &'static str),
    /// It unpacks, and this path is a symbolic link.
    Link(&'static str),
    /// It unpacks, and these two are one file.
    Same(&'static str, &'static str),
    /// It unpacks, and there is no such path.
    Nothing(&'static str),
}
use Expect::{File, Link, Nothing, Refused, Same};

fn holds(root: &Path, expect: &Expect) -> bool {
    let stat = |path: &str| root.join(path).symlink_metadata();
    match expect {
        Refused => false,
        File(path, content) => {
            stat(path).unwrap().is_file()
                && std::fs::read_to_string(root.join(path)).unwrap() == *content
        }
        Link(path) => stat(path).unwrap().is_symlink(),
        Same(one, other) => stat(one).unwrap().ino() == stat(other).unwrap().ino(),
        Nothing(path) => stat(path).is_err(),
    }
}

fn etc() -> Tar {
    Tar::default().dir("etc").file("etc/passwd", "inside")
}

#[test]
fn links_lead_nowhere_but_into_the_layer() {
    for (name, out, tar, expect) in [
        ("SymlinkAbsolute", "/etc", 0, File("etc/x", "x")),
        ("SymlinkUpAndOut", "/dummy/../etc", 0, File("etc/x", "x")),
        ("SymlinkRelativeLong", "../../../../../../../../etc", 0, File("etc/x", "x")),
        ("SymlinkDownAndUp", "dummy/../../../etc", 0, File("etc/x", "x")),
        ("SymlinkToRoot", "/", 0, File("x", "x")),
        ("SymlinkLoop", "local", 0, Refused),
        ("SymlinkDead", "/nowhere", 0, Refused),
        ("SymlinkToFile", "/etc/passwd", 0, Refused),
        ("SymlinkToProc", "/proc/self/root", 0, Refused),
        ("SymlinkSlashEnded", "/etc//", 0, File("etc/x", "x")),
        ("SymlinkDot", ".", 0, File("x", "x")),
        ("SymlinkMultiple", "dummy/../local2", 0, Refused),
        ("HardlinkDownAndOut", "dummy/../../etc", 1, Same("etc/passwd", "mine")),
        ("HardlinkRelativeUpAndOut", "dummy/../../../etc", 1, Same("etc/passwd", "mine")),
        ("HardlinkAbsolute", "/etc", 1, Same("etc/passwd", "mine")),
        ("HardlinkRelativeLong", "../../../../../etc", 1, Same("etc/passwd", "mine")),
        ("HardlinkDead", "/nowhere", 1, Refused),
        ("WhiteoutSymlinkParent", "/etc", 2, Nothing("etc/x")),
        ("WhiteoutDeadSymlinkParent", "/nowhere", 2, Nothing("nowhere")),
        ("OpaqueThroughSymlink", "../../etc", 3, Nothing("etc/.wh..wh..opq")),
        ("DirectoryThroughSymlink", "/etc", 4, Nothing("local/x/y")),
    ] {
        let world = World::new();
        let before = world.outside();
        let start = etc().dir("dummy").symlink("local", out);
        let layer = match tar {
            0 => start.file("local/x", "x"),
            1 => start.hard_link("mine", "local/passwd"),
            2 => start.file("local/.wh.x", ""),
            3 => start.file("local/.wh..wh..opq", ""),
            _ => start.dir("local/x"),
        };
        check(name, &world, &before, layer, &expect);
    }
}

#[test]
fn links_to_the_canary_are_only_text() {
    let world = World::new();
    let canary = world.canary().display().to_string();
    let up = format!("{}{canary}", "..".to_owned() + &"/..".repeat(40));
    let before = world.outside();
    for out in [&canary, &up, "../canary"] {
        for (name, layer) in [
            ("write", Tar::default().symlink("a", out).file("a/passwd", "x")),
            ("chmod", Tar::default().symlink("a", out).dir("a/dir")),
            ("whiteout", Tar::default().symlink("a", out).file("a/.wh.passwd", "")),
            ("opaque", Tar::default().symlink("a", out).file("a/dir/.wh..wh..opq", "")),
            ("link", Tar::default().hard_link("a", &format!("{out}/passwd"))),
            ("link through link", Tar::default().symlink("a", out).hard_link("b", "a/passwd")),
            (
                "link of a link",
                Tar::default().symlink("a", out).hard_link("b", "a").file("b/x", ""),
            ),
            ("remove", Tar::default().symlink("d", out).dir("d/dir").file("d/dir", "x")),
        ] {
            let attempt = World::new();
            let own = attempt.outside();
            let _ = attempt.unpack(layer);
            assert_eq!(own, attempt.outside(), "{name} through {out}");
            assert_eq!(before, world.outside(), "{name} through {out}");
        }
    }
}

#[test]
fn the_last_component_is_never_followed() {
    let world = World::new();
    let passwd = world.canary().join("passwd").display().to_string();
    let dir = world.canary().join("dir").display().to_string();
    let before = world.outside();
    for (name, layer, expect) in [
        ("FileOverSymlink", Tar::default().symlink("a", &passwd).file("a", "x"), File("a", "x")),
        (
            "DirectoryOverSymlink",
            Tar::default().symlink("a", &dir).edited(b'5', "a", "", b"", |h| h.set_mode(0o777)),
            Nothing("a/inside"),
        ),
        (
            "DirectoryOverSymlinkThenFile",
            Tar::default().symlink("a", &dir).dir("a").file("a/inside", "x"),
            File("a/inside", "x"),
        ),
        (
            "HardlinkSymlinkChmod",
            Tar::default().symlink("a", &passwd).hard_link("b", "a").edited(
                b'1',
                "b",
                "a",
                b"",
                |h| h.set_mode(0o4777),
            ),
            Link("b"),
        ),
        (
            "HardlinkSymlinkBeforeCreate",
            Tar::default().symlink("a", &passwd).hard_link("b", "a").file("b", "x"),
            File("b", "x"),
        ),
        (
            "SymlinkOverSymlink",
            Tar::default().symlink("a", &dir).symlink("a", "b").symlink("a", &passwd),
            Link("a"),
        ),
        (
            "WhiteoutThroughSymlink",
            Tar::default().symlink("a", &dir).file("a/.wh.inside", ""),
            Link("a"),
        ),
        (
            "HardlinkThenSymlinkParent",
            Tar::default().dir("d").file("d/f", "x").hard_link("e", "d/f").symlink("d", &dir),
            File("e", "x"),
        ),
        ("WhiteoutOfSymlink", Tar::default().symlink("a", &passwd).file(".wh.a", ""), Link("a")),
        (
            "FifoOverSymlink",
            Tar::default().symlink("a", &passwd).entry(b'6', "a", "", b""),
            Nothing("b"),
        ),
        (
            "SymlinkOverDirectory",
            Tar::default().dir("a").file("a/x", "").symlink("a", &dir),
            Link("a"),
        ),
    ] {
        let attempt = World::new();
        let own = attempt.outside();
        check(name, &attempt, &own, layer, &expect);
        assert_eq!(before, world.outside(), "{name}");
    }
}

#[test]
fn paths_that_climb_are_refused() {
    for (name, layer) in [
        ("DotDot", etc().file("../x", "x")),
        ("DotDotInside", etc().file("etc/../x", "x")),
        ("DotDotDirectory", etc().dir("..")),
        ("SymlinkParentDirectory", etc().symlink("..", "/etc/")),
        ("SymlinkParentRelative", etc().symlink("local/sub/..", "/etc/")),
        ("SymlinkEmptyFilename", etc().symlink("", "/etc/")),
        ("SymlinkForRoot", Tar::default().symlink("/.", "/etc")),
        ("FileForRoot", Tar::default().file(".", "x")),
        ("HardlinkForRoot", etc().hard_link("/", "etc/passwd")),
        ("HardlinkDirectRelative", etc().hard_link("mine", "../../../../etc/passwd")),
        ("HardlinkDirectAbsolute", etc().hard_link("mine", "/proc/self/exe")),
        ("HardlinkThroughFile", etc().hard_link("mine", "etc/passwd/x")),
        ("HardlinkLoop", etc().symlink("l", "l").hard_link("mine", "l/passwd")),
        ("HardlinkToDirectory", etc().hard_link("mine", "etc")),
        ("HardlinkToRoot", etc().hard_link("mine", "/")),
        ("HardlinkToLater", Tar::default().hard_link("a", "b").file("b", "")),
        ("HardlinkToWhiteout", etc().file(".wh.gone", "").hard_link("etc/passwd", "gone")),
        ("WhiteoutRoot", etc().file(".wh.", "")),
        ("WhiteoutDot", etc().file("etc/.wh..", "")),
        ("WhiteoutParent", etc().file("etc/.wh...", "")),
        ("WhiteoutRootParent", etc().file(".wh...", "")),
        ("WhiteoutSlash", etc().file(".wh./x", "")),
        ("OpaqueRoot", etc().file(".wh..wh..opq", "")),
        ("BelowWhiteout", etc().file(".wh.etc/passwd", "x")),
        ("BelowFile", etc().file("etc/passwd/x", "x")),
        ("SymlinkEmptyTarget", Tar::default().symlink("a", "")),
        ("SymlinkLongTarget", Tar::default().symlink("a", &"t".repeat(4096))),
        ("DeepPath", Tar::default().file(&"d/".repeat(200), "")),
        ("LongName", Tar::default().file(&"n".repeat(65_536), "")),
        ("FakeWhiteout", Tar::default().device(b'3', "etc", 0, 0)),
        ("PaxPathDotDot", Tar::default().pax("path", b"../x").file("a", "x")),
        ("PaxLinkDotDot", etc().pax("linkpath", b"../x").hard_link("a", "b")),
        ("PaxSizeDesync", Tar::default().pax("size", b"512").file("a", "")),
        ("OwnerOutOfRange", Tar::default().pax("uid", b"4294967295").file("a", "")),
    ] {
        let world = World::new();
        let before = world.outside();
        check(name, &world, &before, layer, &Refused);
    }
}

fn check(name: &str, world: &World, before: &[String], layer: Tar, expect: &Expect) {
    let result = world.unpack(layer);
    assert_eq!(before, world.outside(), "{name}");
    match (result, expect) {
        (Err(_), Refused) => {}
        (Ok(_), Refused) => panic!("{name} was unpacked"),
        (Err(problem), _) => panic!("{name} was refused: {problem:?}"),
        (Ok(_), expect) => assert!(holds(&world.root(), expect), "{name}"),
    }
}
