//! An image with everything that a layer can have.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, XattrFlags};

use crate::support::fixtures::tool;

/// Hard links to files of lower layers.
pub(super) const COPIES: &[&str] = &["links/across", "links/across too", "links/through a link"];

/// Makes the image in a layout in `dir`, with the tag `latest`. umoci does not know GNU's sparse
/// files: it is for umoci if that file is not to be sparse.
pub(super) fn image(dir: &Path, for_umoci: bool) -> PathBuf {
    fs::create_dir(dir).unwrap();
    let layout = dir.join("layout");
    let image = format!("{}:latest", layout.display());
    tool("umoci", "umoci", &["init", "--layout", layout.to_str().unwrap()]);
    tool("umoci", "umoci", &["new", "--image", &image]);
    let add = |tar: &Path| {
        tool("umoci", "umoci", &["raw", "add-layer", "--image", &image, tar.to_str().unwrap()]);
    };
    let tree = dir.join("tree");
    lowest(&tree);
    // Long names are GNU's, and so are sparse files.
    let archive = dir.join("gnu.tar");
    let sparse = if for_umoci { "--no-acls" } else { "--sparse" };
    pack(&tree, &archive, &["--format=gnu", "--clamp-mtime", "--mtime=@1500000000", sparse]);
    add(&archive);
    fs::remove_dir_all(&tree).unwrap();
    attributes(&tree);
    let archive = dir.join("posix.tar");
    let options = [
        "--format=posix",
        "--sparse",
        "--sparse-version=1.0",
        "--xattrs",
        "--xattrs-include=*",
        "--clamp-mtime",
        "--mtime=@1500000000.25",
    ];
    pack(&tree, &archive, &options);
    add(&archive);
    for (name, write) in
        [("changes", changes as fn(&mut Layer)), ("again", again), ("links", links)]
    {
        let archive = dir.join(name);
        let mut layer = Layer(tar::Builder::new(File::create(&archive).unwrap()));
        write(&mut layer);
        layer.0.finish().unwrap();
        add(&archive);
    }
    for number in 0..40_u32 {
        let archive = dir.join("many");
        let mut layer = Layer(tar::Builder::new(File::create(&archive).unwrap()));
        layer.add(b'0', &format!("many/{}/file{number}", number % 3), 0o640, "x");
        layer.add(b'0', &format!("many/.wh.gone{number}"), 0, "");
        layer.0.finish().unwrap();
        add(&archive);
    }
    layout
}

/// A layout with an index for several platforms, the one of this machine is `image`'s.
pub(super) fn index(dir: &Path, image: &Path) -> PathBuf {
    let layout = dir.join("index");
    tool("cp", "coreutils", &["-r", image.to_str().unwrap(), layout.to_str().unwrap()]);
    let mut index: serde_json::Value =
        serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
    let own = index["manifests"][0].clone();
    let of = |architecture: &str, variant: Option<&str>| {
        let mut descriptor = own.clone();
        descriptor["platform"] =
            serde_json::json!({"os": "linux", "architecture": architecture, "variant": variant});
        if architecture != "amd64" {
            // Nobody may look at it.
            descriptor["digest"] = format!("sha256:{}", "0".repeat(64)).into();
        }
        descriptor
    };
    let nested = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [of("arm64", Some("v8")), of("amd64", None), of("riscv64", None)],
    });
    let content = nested.to_string();
    let file = layout.join("nested");
    fs::write(&file, &content).unwrap();
    let sum = tool("sha256sum", "coreutils", &[file.to_str().unwrap()]);
    let hex = sum.split(' ').next().unwrap();
    fs::rename(&file, layout.join("blobs/sha256").join(hex)).unwrap();
    index["manifests"] = serde_json::json!([{
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "digest": format!("sha256:{hex}"),
        "size": content.len(),
        "annotations": own["annotations"],
    }]);
    fs::write(layout.join("index.json"), index.to_string()).unwrap();
    layout
}

fn pack(tree: &Path, archive: &Path, options: &[&str]) {
    let (tree, archive) = (tree.to_str().unwrap(), archive.to_str().unwrap());
    let all = [options, &["--sort=name", "-cf", archive, "-C", tree, "."]].concat();
    tool("tar", "tar", &all);
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

/// Types, modes, owners, names, times, sparse files.
fn lowest(root: &Path) {
    let path = |name: &str| root.join(name);
    for name in
        ["bin", "dev", "etc", "proc", "sys", "tmp", "usr/lib", "names", "links", "opaque/deep/er"]
    {
        fs::create_dir_all(path(name)).unwrap();
    }
    for name in ["etc/hosts", "etc/hostname", "etc/resolv.conf"] {
        fs::write(path(name), "").unwrap();
    }
    fs::copy("/bin/busybox", path("bin/busybox")).unwrap();
    symlink("usr/lib", path("lib")).unwrap();
    symlink("/nowhere/at/all", path("links/dangling")).unwrap();
    symlink("dangling", path("links/relative")).unwrap();
    fs::write(path("links/original"), "the same").unwrap();
    for name in ["links/hard", "usr/lib/hard"] {
        fs::hard_link(path("links/original"), path(name)).unwrap();
    }
    fs::write(path("usr/lib/library"), "of a lower layer").unwrap();
    mode(&path("usr/lib/library"), 0o4751);
    std::os::unix::fs::chown(path("usr/lib/library"), Some(3_000_000), Some(70_000)).unwrap();
    mode(&path("usr/lib/library"), 0o6751);
    mode(&path("tmp"), 0o1777);
    fs::create_dir_all(path("secret/deeper")).unwrap();
    mode(&path("secret"), 0o2710);
    mode(&path("secret/deeper"), 0o3700);
    std::os::unix::fs::chown(path("secret/deeper"), Some(12), Some(34)).unwrap();
    mode(&path("secret/deeper"), 0o3700);
    let names = path("names");
    for name in [
        b"new\nline".as_slice(),
        b" spaces around ",
        "ümläut \u{1f600}".as_bytes(),
        b"not UTF-8 \xff\xfe\x80",
        b"back\\slash \"quotes\" 'and' $dollars",
        b"-dash",
        &[b'n'; 255],
        &[b'o'; 101],
    ] {
        fs::write(names.join(OsStr::from_bytes(name)), name).unwrap();
    }
    let deep = names.join("directory-with-a-long-name/".repeat(20));
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("file"), "deep").unwrap();
    symlink("long/".repeat(60), names.join("long target")).unwrap();
    fs::hard_link(deep.join("file"), deep.join("link")).unwrap();
    for (name, kind) in [("fifo", FileType::Fifo), ("socket", FileType::Fifo)] {
        rustix::fs::mknodat(CWD, names.join(name), kind, 0o640.into(), 0).unwrap();
    }
    for (name, kind, device) in [
        ("null", FileType::CharacterDevice, rustix::fs::makedev(1, 3)),
        ("disk", FileType::BlockDevice, rustix::fs::makedev(8, 1)),
    ] {
        rustix::fs::mknodat(CWD, names.join(name), kind, 0o640.into(), device).unwrap();
    }
    sparse(&names.join("sparse of GNU"), 30);
    for name in ["only lower", "deep/only lower", "deep/er/only lower"] {
        fs::write(path("opaque").join(name), name).unwrap();
    }
    for number in 0..40 {
        fs::create_dir_all(path(&format!("many/gone{number}/below"))).unwrap();
    }
    for (number, bits) in [0o1711, 0o2751, 0o700].into_iter().enumerate() {
        let directory = path(&format!("many/{number}"));
        fs::create_dir_all(&directory).unwrap();
        mode(&directory, bits);
    }
    let old = File::open(path("usr")).unwrap();
    old.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_234_567_890))
        .unwrap();
}

/// A file of 8 MiB with `extents` of data.
fn sparse(path: &Path, extents: u64) {
    let file = File::create(path).unwrap();
    file.set_len(8 << 20).unwrap();
    for number in 0..extents {
        file.write_all_at(&[b'a'; 4096], number * 200 * 1024).unwrap();
    }
}

/// Attributes, and what PAX writes in another way than GNU.
fn attributes(root: &Path) {
    let path = |name: &str| root.join(name);
    fs::create_dir_all(path("attributes/directory")).unwrap();
    let set = |name: &str, key: &str, value: &[u8]| {
        rustix::fs::lsetxattr(path(name), key, value, XattrFlags::empty()).unwrap();
    };
    for name in ["file", "program", "overlay"] {
        fs::write(path("attributes").join(name), name).unwrap();
    }
    set("attributes/file", "user.note", b"binary \0\n=\xff");
    set("attributes/file", "user.empty", b"");
    set("attributes/directory", "user.note", b"on a directory");
    // cap_net_bind_service, effective and permitted: revision 2 of the format.
    let capability = b"\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    set("attributes/program", "security.capability", capability);
    set("attributes/overlay", "trusted.overlay.metacopy", b"");
    set("attributes/overlay", "trusted.other", b"x");
    set("attributes/overlay", "user.overlay.opaque", b"y");
    mode(&path("attributes/program"), 0o755);
    sparse(&path("attributes/sparse of PAX"), 30);
    let deep = path("attributes").join("directory-with-a-long-name/".repeat(12));
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("n".repeat(255)), "long").unwrap();
    fs::hard_link(deep.join("n".repeat(255)), path("attributes/short")).unwrap();
    symlink("t".repeat(200), path("attributes/long target")).unwrap();
    let early = File::create(path("attributes/early")).unwrap();
    let second = std::time::Duration::new(5, 123_456_789);
    early.set_modified(std::time::UNIX_EPOCH - second).unwrap();
    early.set_permissions(PermissionsExt::from_mode(0o600)).unwrap();
}

/// A layer written entry by entry.
struct Layer(tar::Builder<File>);

impl Layer {
    fn header(&self, kind: u8, mode: u32, size: usize) -> tar::Header {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::new(kind));
        header.set_mode(mode);
        header.set_uid(5);
        header.set_gid(6);
        header.set_mtime(1_600_000_000);
        header.set_size(size as u64);
        header
    }

    fn add(&mut self, kind: u8, path: &str, mode: u32, data: &str) {
        let mut header = self.header(kind, mode, data.len());
        self.0.append_data(&mut header, path, data.as_bytes()).unwrap();
    }

    fn link(&mut self, kind: u8, path: &str, target: &str) {
        let mut header = self.header(kind, 0o777, 0);
        self.0.append_link(&mut header, path, target).unwrap();
    }
}

/// Whiteouts, opaque directories, replacements, directories that are not listed, ACLs.
fn changes(layer: &mut Layer) {
    // Not listed, and of unusual modes below.
    layer.add(b'0', "secret/deeper/file", 0o600, "x");
    layer.add(b'0', "usr/lib/new", 0o644, "x");
    layer.add(b'0', "names/.wh.new\nline", 0, "");
    layer.add(b'0', "attributes/.wh.directory", 0, "");
    layer.add(b'5', "opaque", 0o750, "");
    layer.add(b'0', "opaque/only here", 0o600, "x");
    layer.add(b'0', "opaque/.wh..wh..opq", 0, "");
    layer.add(b'5', "names/fifo", 0o700, "");
    layer.add(b'0', "names/fifo/now a directory", 0o600, "x");
    layer.link(b'2', "attributes/file", "program");
    // A user of the file, one more user, a mask: version 2 of the format.
    let acl: Vec<u8> = [2, 0, 0, 0]
        .into_iter()
        .chain(acl_entry(0x01, 6, u32::MAX))
        .chain(acl_entry(0x02, 4, 1000))
        .chain(acl_entry(0x04, 4, u32::MAX))
        .chain(acl_entry(0x10, 4, u32::MAX))
        .chain(acl_entry(0x20, 0, u32::MAX))
        .collect();
    for (key, kind, name) in [
        ("SCHILY.xattr.system.posix_acl_access", b'0', "acl/file"),
        ("SCHILY.xattr.system.posix_acl_default", b'5', "acl/directory"),
    ] {
        if kind == b'0' {
            layer.add(b'5', "acl", 0o755, "");
        }
        layer.0.append_pax_extensions([(key, acl.as_slice())]).unwrap();
        layer.add(kind, name, if kind == b'0' { 0o640 } else { 0o755 }, "");
    }
    layer.add(b'0', "acl/directory/inherits nothing", 0o666, "x");
    layer.add(b'5', "acl/directory/neither", 0o711, "");
}

fn acl_entry(tag: u8, permissions: u8, id: u32) -> Vec<u8> {
    [&[tag, 0, permissions, 0][..], &id.to_le_bytes()].concat()
}

/// What was removed comes back.
fn again(layer: &mut Layer) {
    layer.add(b'5', "attributes/directory", 0o711, "");
    layer.add(b'0', "attributes/directory/again", 0o600, "x");
    layer.add(b'5', "opaque/deep", 0o701, "");
    layer.add(b'0', "opaque/deep/er", 0o600, "now a file");
}

/// Hard links to what only lower layers have.
fn links(layer: &mut Layer) {
    layer.link(b'1', "links/across", "usr/lib/library");
    layer.link(b'1', "links/across too", "links/across");
    layer.link(b'1', "links/through a link", "lib/library");
}
