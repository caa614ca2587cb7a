//! Images as other tools write them, and what other tools make of the same images.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the images are made by skopeo and umoci in a test, and their trees are not hostile"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::mount::{MountFlags, UnmountFlags};
use tank::image::{self, ImageDirs, Ledger, LoadedImage, Platform, load};
use tank::model::Digest;
use tank::model::settings::ImageSettings;
use tempfile::TempDir;

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {errors}");
}

/// A database that knows nothing.
struct Nothing;

impl Ledger for Nothing {
    type Error = image::Error;
    type Image = LoadedImage;

    fn ready(&self) -> image::Result<BTreeSet<Digest>> {
        Ok(BTreeSet::new())
    }

    fn record(&mut self, image: &LoadedImage) -> image::Result<LoadedImage> {
        Ok(image.clone())
    }
}

/// An OCI layout `layout:t` in a directory of its own, made by umoci.
struct Fixture {
    directory: TempDir,
}

impl Fixture {
    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn new() -> Self {
        let fixture = Self { directory: tempfile::tempdir().unwrap() };
        let layout = fixture.text("layout");
        run("umoci", &["init", "--layout", &layout]);
        run("umoci", &["new", "--image", &format!("{layout}:t")]);
        run(
            "umoci",
            &[
                "config",
                "--image",
                &format!("{layout}:t"),
                "--config.cmd=/bin/busybox",
                "--config.cmd=sh",
                "--config.env=A=b",
                "--config.user=1:2",
                "--config.workingdir=/srv",
                "--architecture",
                &Platform::host().architecture,
                "--os=linux",
            ],
        );
        fixture
    }

    /// Adds a layer: the difference that `change` makes to the root file system.
    fn layer(&self, change: impl Fn(&Path)) {
        let (image, bundle) = (self.text("layout:t"), self.text("bundle"));
        run("umoci", &["unpack", "--image", &image, &bundle]);
        change(&self.path("bundle/rootfs"));
        run("umoci", &["repack", "--image", &image, &bundle]);
        std::fs::remove_dir_all(self.path("bundle")).unwrap();
    }

    /// The tree that umoci makes of all layers.
    fn unpacked_by_umoci(&self) -> BTreeMap<PathBuf, String> {
        run("umoci", &["unpack", "--image", &self.text("layout:t"), &self.text("expected")]);
        tree(&self.path("expected/rootfs"))
    }

    fn load(&self, dirs: &ImageDirs, name: &str) -> LoadedImage {
        let (path, settings) = (self.path(name), ImageSettings::default());
        let mut images = load(dirs, &path, &Platform::host(), &settings, &mut Nothing).unwrap();
        assert_eq!(images.len(), 1, "{name}");
        images.remove(0)
    }
}

/// Every path below `root` with all that matters about it.
fn tree(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut links = BTreeMap::new();
    let mut pending = vec![root.to_owned()];
    while let Some(path) = pending.pop() {
        let stat = path.symlink_metadata().unwrap();
        let kind = stat.file_type();
        let name = path.strip_prefix(root).unwrap().to_owned();
        let content = if kind.is_symlink() {
            path.read_link().unwrap().display().to_string()
        } else if kind.is_file() {
            let content = std::fs::read(&path).unwrap();
            let sum = content.iter().fold(0_u64, |sum, byte| {
                sum.wrapping_mul(1_099_511_628_211).wrapping_add(u64::from(*byte))
            });
            format!("{} bytes, {sum:x}", content.len())
        } else if kind.is_dir() {
            for entry in std::fs::read_dir(&path).unwrap() {
                pending.push(entry.unwrap().path());
            }
            String::new()
        } else {
            assert!(kind.is_fifo(), "{}", path.display());
            "fifo".to_owned()
        };
        if kind.is_file() && stat.nlink() > 1 {
            links.entry(stat.ino()).or_insert_with(Vec::new).push(name.clone());
        }
        let time = (!name.as_os_str().is_empty()).then(|| (stat.mtime(), stat.mtime_nsec()));
        let line = format!(
            "{:o} {}:{} {time:?} {content} {:?}",
            stat.mode(),
            stat.uid(),
            stat.gid(),
            xattrs(&path)
        );
        found.insert(name, line);
    }
    for mut names in links.into_values() {
        names.sort();
        for name in &names {
            let line = found.get_mut(name).unwrap();
            *line = format!("{line} links {names:?}");
        }
    }
    found
}

fn xattrs(path: &Path) -> Vec<String> {
    let mut names = vec![0; 4096];
    let length = rustix::fs::llistxattr(path, &mut names[..]).unwrap();
    // What tank marks a layer's root with: a container's root is a directory of its own.
    let is_mark = |name: &&[u8]| name.is_empty() || *name == b"trusted.tank.unlisted";
    let names = names[..length].split(|byte| *byte == 0).filter(|name| !is_mark(name));
    let mut all: Vec<_> = names
        .map(|name| {
            let mut value = vec![0; 4096];
            let length = rustix::fs::lgetxattr(path, name, &mut value[..]).unwrap();
            format!("{}={}", name.escape_ascii(), value[..length].escape_ascii())
        })
        .collect();
    all.sort();
    all
}

fn set_xattr(path: &Path, name: &str, value: &[u8]) {
    rustix::fs::lsetxattr(path, name, value, rustix::fs::XattrFlags::empty()).unwrap();
}

/// A root file system with everything that a file system has.
fn rich(root: &Path) {
    let path = |name: &str| root.join(name);
    for name in ["bin", "etc/empty", "srv/deep/er", "tmp", "usr/lib", "gone/below"] {
        std::fs::create_dir_all(path(name)).unwrap();
    }
    let mode = |name: &str, mode: u32| {
        std::fs::set_permissions(path(name), PermissionsExt::from_mode(mode)).unwrap();
    };
    std::fs::copy("/bin/busybox", path("bin/busybox")).unwrap();
    for link in ["bin/sh", "usr/lib/box"] {
        std::fs::hard_link(path("bin/busybox"), path(link)).unwrap();
    }
    symlink("busybox", path("bin/ls")).unwrap();
    symlink("usr/lib", path("lib")).unwrap();
    symlink("/nowhere/at/all", path("etc/dangling")).unwrap();
    symlink("target", path("etc/link")).unwrap();
    std::fs::hard_link(path("etc/link"), path("etc/link of a link")).unwrap();
    let long = "directory/".repeat(20) + &"n".repeat(255);
    std::fs::create_dir_all(path(&long).parent().unwrap()).unwrap();
    for name in [
        "etc/passwd",
        "etc/nül \t\"odd'\\ name",
        "etc/new\nline",
        "gone/file",
        "srv/kept",
        "srv/deep/er/gone",
        "srv/replaced",
        long.as_str(),
    ] {
        std::fs::write(path(name), name).unwrap();
    }
    std::fs::copy(path("bin/busybox"), path("bin/su")).unwrap();
    std::os::unix::fs::chown(path("bin/su"), Some(3), Some(1_000_000)).unwrap();
    std::os::unix::fs::lchown(path("bin/ls"), Some(1), Some(2)).unwrap();
    mode("bin/su", 0o6711);
    mode("tmp", 0o1777);
    mode("etc/empty", 0o700);
    set_xattr(
        &path("bin/su"),
        "security.capability",
        b"\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    );
    set_xattr(&path("etc"), "user.note", b"on a directory");
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, path("srv/fifo"), fifo, 0o640.into(), 0).unwrap();
    let sparse = std::fs::File::create(path("srv/sparse")).unwrap();
    sparse.set_len(10 << 20).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&sparse, b"data", 5 << 20).unwrap();
    drop(sparse);
    std::fs::File::options()
        .write(true)
        .open(path("etc/passwd"))
        .unwrap()
        .set_modified(std::time::UNIX_EPOCH + std::time::Duration::new(1_234_567_890, 0))
        .unwrap();
}

#[test]
fn one_image_is_the_same_in_every_format() {
    let fixture = Fixture::new();
    fixture.layer(rich);
    fixture.layer(|root| std::fs::write(root.join("etc/second"), "x").unwrap());
    let layout = format!("oci:{}", fixture.text("layout:t"));
    let named = |transport: &str, name: &str| {
        format!("{transport}:{}:example.org/a/b:1", fixture.text(name))
    };
    let copy = |more: &[&str], to: &str| {
        run("skopeo", &[&["copy", "-q"], more, &[&layout, to]].concat());
    };
    copy(&[], &named("docker-archive", "docker.tar"));
    copy(&[], &named("oci-archive", "oci.tar"));
    copy(&[], &named("oci", "oci"));
    copy(&["--dest-compress-format", "zstd", "--dest-compress"], &named("oci", "oci-zstd"));
    copy(&["--dest-decompress"], &named("oci-archive", "oci-plain.tar"));
    for name in ["docker.tar", "oci.tar"] {
        run("gzip", &["-k", &fixture.text(name)]);
        run("zstd", &["-q", &fixture.text(name)]);
    }

    let dirs = ImageDirs::below(&fixture.path("root"));
    let first = fixture.load(&dirs, "oci");
    let trees = |image: &LoadedImage| -> Vec<_> {
        image.layers.iter().map(|layer| tree(&dirs.layer_path(&layer.id))).collect()
    };
    let expected = trees(&first);
    assert_eq!(first.layers.len(), 2);
    assert_eq!(first.image_config.cmd, ["/bin/busybox", "sh"]);
    assert_eq!(first.image_config.user.as_deref(), Some("1:2"));
    for name in [
        "layout",
        "oci.tar",
        "oci.tar.gz",
        "oci.tar.zst",
        "oci-zstd",
        "oci-plain.tar",
        "docker.tar",
        "docker.tar.gz",
        "docker.tar.zst",
    ] {
        let image = fixture.load(&dirs, name);
        let expected_name =
            if name == "layout" { "docker.io/library/t:latest" } else { "example.org/a/b:1" };
        assert_eq!(image.names, [expected_name], "{name}");
        assert_eq!(image.config, first.config, "{name}");
        assert_eq!(image.image_config, first.image_config, "{name}");
        let kept = |image: &LoadedImage| -> Vec<_> {
            image.layers.iter().map(|layer| (layer.id.clone(), layer.unpacked)).collect()
        };
        assert_eq!(kept(&image), kept(&first), "{name}");
        assert_eq!(trees(&image), expected, "{name}");
        assert!(dirs.blob_path(&image.manifest).exists(), "{name}");
    }
    // A blob that skopeo compressed with zstd is one.
    let blobs = std::fs::read_dir(fixture.path("oci-zstd/blobs/sha256")).unwrap();
    let zstd = blobs
        .map(|blob| std::fs::read(blob.unwrap().path()).unwrap())
        .filter(|content| content.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]));
    assert_eq!(zstd.count(), 2);
}

#[test]
fn a_layer_is_what_umoci_makes_of_it() {
    let fixture = Fixture::new();
    fixture.layer(rich);
    let dirs = ImageDirs::below(&fixture.path("root"));
    let image = fixture.load(&dirs, "layout");
    assert_same(&tree(&dirs.layer_path(&image.layers[0].id)), &fixture.unpacked_by_umoci());
}

#[test]
fn stacked_layers_are_what_umoci_makes_of_them() {
    let fixture = Fixture::new();
    fixture.layer(rich);
    fixture.layer(|root| {
        let path = |name: &str| root.join(name);
        std::fs::remove_dir_all(path("gone")).unwrap();
        std::fs::remove_file(path("srv/deep/er/gone")).unwrap();
        std::fs::remove_file(path("srv/replaced")).unwrap();
        std::fs::create_dir(path("srv/replaced")).unwrap();
        std::fs::write(path("srv/replaced/by a directory"), "x").unwrap();
        std::fs::remove_file(path("lib")).unwrap();
        std::fs::create_dir(path("lib")).unwrap();
        std::fs::write(path("usr/lib/new"), "x").unwrap();
    });
    fixture.layer(|root| {
        std::fs::create_dir(root.join("gone")).unwrap();
        std::fs::write(root.join("gone/again"), "x").unwrap();
        std::fs::remove_dir_all(root.join("srv/replaced")).unwrap();
        symlink("kept", root.join("srv/replaced")).unwrap();
    });
    // A layer with an opaque directory; umoci reads them but does not write them.
    let opaque = fixture.text("opaque.tar");
    let mut tar = tar::Builder::new(std::fs::File::create(&opaque).unwrap());
    let mut add = |kind: u8, path: &str, mode: u32, data: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::new(kind));
        header.set_mode(mode);
        header.set_mtime(1_600_000_000);
        header.set_size(data.len() as u64);
        tar.append_data(&mut header, path, data).unwrap();
    };
    add(b'5', "etc", 0o755, b"");
    add(b'0', "etc/.wh.passwd", 0, b"");
    add(b'5', "srv", 0o755, b"");
    add(b'0', "srv/only this", 0o600, b"x");
    add(b'0', "srv/.wh..wh..opq", 0, b"");
    add(b'5', "bin", 0o755, b"");
    add(b'0', "bin/.wh.sh", 0, b"");
    add(b'0', "bin/sh", 0o755, b"a new shell");
    tar.finish().unwrap();
    drop(tar);
    run("umoci", &["raw", "add-layer", "--image", &fixture.text("layout:t"), &opaque]);

    let dirs = ImageDirs::below(&fixture.path("root"));
    let image = fixture.load(&dirs, "layout");
    assert_eq!(image.layers.len(), 4);
    let expected = fixture.unpacked_by_umoci();
    let mount = Overlay::new(&fixture, &dirs, &image);
    assert_same(&tree(&mount.0), &expected);
    assert!(!expected.contains_key(Path::new("srv/kept")));
}

fn assert_same(found: &BTreeMap<PathBuf, String>, expected: &BTreeMap<PathBuf, String>) {
    for (path, line) in expected {
        let found = found.get(path).map(String::as_str);
        assert_eq!(found, Some(line.as_str()), "{}", path.display());
    }
    assert_eq!(found.len(), expected.len());
}

/// The layers of an image, stacked read-only.
struct Overlay(PathBuf);

impl Overlay {
    fn new(fixture: &Fixture, dirs: &ImageDirs, image: &LoadedImage) -> Self {
        let target = fixture.path("merged");
        std::fs::create_dir(&target).unwrap();
        let layers: Vec<_> = image.layers.iter().rev().map(|layer| &layer.id).collect();
        let layers: Vec<_> =
            layers.iter().map(|id| dirs.layer_path(id).display().to_string()).collect();
        let options = std::ffi::CString::new(format!("lowerdir={}", layers.join(":"))).unwrap();
        let (kind, flags) = ("overlay", MountFlags::RDONLY);
        rustix::mount::mount("overlay", &target, kind, flags, Some(options.as_c_str())).unwrap();
        Self(target)
    }
}

impl Drop for Overlay {
    fn drop(&mut self) {
        rustix::mount::unmount(&self.0, UnmountFlags::DETACH).unwrap();
    }
}
