//! `tank image save`: what others read, and what tank reads itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::load;
use crate::support::fixtures::tool;
use crate::support::{Tank, fixtures, program};

/// The image of the layout of [`fixtures::busybox_image`] by a name of its own.
const NAME: &str = "registry.example:5000/team/app:7";

/// A tank with that image, all of it kept.
fn tank() -> Tank {
    let tank = Tank::new();
    let layout = fixtures::busybox_image().layout();
    load(&tank, &layout);
    keep(&tank, &layout);
    tank.run(["image", "tag", "latest", NAME]).ok();
    tank
}

/// Puts the blobs of a layout beside what was loaded of it.
fn keep(tank: &Tank, layout: &Path) {
    let kept = tank.root().join("blobs/sha256");
    for blob in fs::read_dir(layout.join("blobs/sha256")).unwrap().map(Result::unwrap) {
        fs::copy(blob.path(), kept.join(blob.file_name())).unwrap();
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn save(tank: &Tank, format: &str, file: &str) -> PathBuf {
    let path = tank.dir().join(file);
    tank.run(["image", "save", "--format", format, "-o", text(&path), NAME]).ok();
    path
}

/// The digest of the config of the image that skopeo finds.
fn id(reference: &str) -> String {
    let raw = tool("skopeo", "skopeo", &["inspect", "--raw", reference]);
    let manifest: Value = serde_json::from_str(&raw).unwrap();
    manifest["config"]["digest"].as_str().unwrap().to_owned()
}

/// The digest of the config of tank's image.
fn own_id(tank: &Tank, name: &str) -> (String, Value) {
    let image = tank.run(["image", "inspect", name, "-o", "json"]).ok().json();
    let blob = image["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap().to_owned();
    let manifest = fs::read(tank.root().join("blobs/sha256").join(blob)).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    (manifest["config"]["digest"].as_str().unwrap().to_owned(), image["config"].clone())
}

#[test]
fn skopeo_reads_every_format_and_finds_the_same_image() {
    let tank = tank();
    let expected = own_id(&tank, NAME).0;
    for (format, file, transport) in [
        ("docker-archive", "docker.tar", "docker-archive"),
        ("oci-archive", "oci.tar", "oci-archive"),
        ("oci-layout", "layout", "oci"),
    ] {
        let path = save(&tank, format, file);
        let reference = format!("{transport}:{}:{NAME}", text(&path));
        assert_eq!(id(&reference), expected, "{format}");
        let target = format!("dir:{}", text(&tank.dir().join(format!("{file}-copied"))));
        let copy = ["--insecure-policy", "copy", "--quiet", &reference, &target];
        tool("skopeo", "skopeo", &copy);
        assert_eq!(id(&target), expected, "{format}");
        let found = tool("skopeo", "skopeo", &["inspect", &reference]);
        let found: Value = serde_json::from_str(&found).unwrap();
        assert_eq!(found["Layers"].as_array().unwrap().len(), 5, "{found}");
    }
}

#[test]
fn umoci_unpacks_a_layout() {
    let tank = tank();
    let layout = save(&tank, "oci-layout", "layout");
    let index: Value =
        serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
    let annotations = &index["manifests"][0]["annotations"];
    assert_eq!(annotations["org.opencontainers.image.ref.name"], NAME);
    let (image, bundle) = (format!("{}:{NAME}", text(&layout)), tank.dir().join("bundle"));
    tool("umoci", "umoci", &["unpack", "--image", &image, text(&bundle)]);
    let page = fs::read_to_string(bundle.join("rootfs/www/index.html")).unwrap();
    assert_eq!(page, "served by busybox\n");
    assert!(!bundle.join("rootfs/www/removed").exists());
}

#[test]
fn buildah_reads_an_archive() {
    let tank = tank();
    let (root, run) = (tank.dir().join("storage"), tank.dir().join("storage-run"));
    for (format, file) in [("docker-archive", "docker.tar"), ("oci-archive", "oci.tar")] {
        let path = save(&tank, format, file);
        let buildah = |args: &[&str]| {
            let global =
                ["--root", text(&root), "--runroot", text(&run), "--storage-driver", "vfs"];
            tool("buildah", "buildah", &[&global[..], args].concat())
        };
        let reference = format!("{format}:{}", text(&path));
        let pulled = buildah(&["pull", "--quiet", "--policy", "always", &reference]);
        let expected = own_id(&tank, NAME).0;
        assert_eq!(format!("sha256:{}", pulled.trim()), expected, "{format}");
    }
    fs::remove_dir_all(&root).unwrap();
}

#[test]
fn tank_loads_what_it_saved_as_the_same_image() {
    let tank = tank();
    let expected = own_id(&tank, NAME);
    for (format, file) in
        [("docker-archive", "docker.tar"), ("oci-archive", "oci.tar"), ("oci-layout", "layout")]
    {
        let path = save(&tank, format, file);
        let other = Tank::new();
        load(&other, &path);
        let image = other.run(["image", "inspect", NAME, "-o", "json"]).ok().json();
        assert_eq!(image["names"], serde_json::json!([NAME]));
        assert_eq!(image["config"], expected.1, "{format}");
        if format != "docker-archive" {
            assert_eq!(own_id(&other, NAME), expected, "{format}");
        }
    }
}

#[test]
fn several_images_and_a_pipe() {
    let tank = tank();
    let both = tank.dir().join("both.tar");
    tank.run(["image", "save", "-o", text(&both), NAME, "latest"]).ok();
    let other = Tank::new();
    load(&other, &both);
    let listed = other.run(["image", "list", "-o", "json"]).ok().json();
    let names = serde_json::json!(["docker.io/library/latest:latest", NAME]);
    assert_eq!(listed["images"][0]["names"], names, "{listed}");

    let mut command = Command::new("/bin/sh");
    let script = "\"$0\" --root \"$1\" image save \"$2\" | cmp - \"$3\"";
    let one = save(&tank, "docker-archive", "one.tar");
    command.args(["-c", script, text(&Tank::binary()), text(&tank.root()), NAME, text(&one)]);
    program::run(&mut command, &[], Duration::from_secs(60)).ok();
}

#[test]
fn what_is_there_stays_and_what_is_not_kept_is_named() {
    let tank = tank();
    let path = tank.file("app.tar", "mine");
    tank.run(["image", "save", "-o", text(&path), "nothing"]).exits(3);
    let blobs = tank.root().join("blobs/sha256");
    let (config, _) = own_id(&tank, NAME);
    fs::remove_file(blobs.join(config.strip_prefix("sha256:").unwrap())).unwrap();
    let refused = tank.run(["image", "save", "-o", text(&path), NAME]).exits(1);
    assert!(refused.stderr.contains(&format!("config {config} is not kept")), "{refused}");
    assert!(refused.stderr.contains("keep_blobs"), "{refused}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    tank.run(["image", "save", "--format", "oci-layout", NAME]).exits(2);
    let left = fs::read_dir(tank.dir()).unwrap().map(|e| e.unwrap().file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().contains(".tmp-")));
}
