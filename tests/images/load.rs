//! Every form of an image can be loaded, and has all its files.

use std::path::Path;

use super::{load, pod};
use crate::support::{Tank, fixtures};

/// The name of what a layout only calls `latest`.
const LATEST: &str = "docker.io/library/latest:latest";
const NAMED: &str = "localhost/busybox:1";

/// Loads, looks at the image from outside and, through a pod, at its files from inside.
#[track_caller]
fn loads_and_runs(path: &Path, name: &str) {
    let tank = Tank::new();
    let loaded = tank.run(["image", "load", "-i", path.to_str().unwrap()]).ok();
    assert_eq!(loaded.stdout, format!("image {name} loaded\n"));
    let listed = tank.run(["image", "list", "-o", "json"]).ok().json();
    assert_eq!(listed["images"][0]["names"], serde_json::json!([name]), "{listed}");
    let image = tank.run(["image", "inspect", name, "-o", "json"]).ok().json();
    assert_eq!(image["platform"], "linux/amd64", "{image}");
    assert_eq!(image["layers"].as_array().unwrap().len(), 5, "{image}");
    assert_eq!(image["config"]["config"]["WorkingDir"], "/www", "{image}");
    let sizes = image["layers"].as_array().unwrap().iter().map(|layer| layer["size"].as_u64());
    assert_eq!(image["size"].as_u64(), sizes.sum(), "{image}");
    assert_eq!(image["digest"], listed["images"][0]["digest"]);

    // The whiteout and the opaque directory are the image's; /bin/[ is a link.
    let script = "ls /www /opaque; cat /www/index.html; ls -l /bin/[; stat -c %a /tmp";
    tank.apply(&pod(name, &format!("command = ['/bin/sh', '-c', '{script}']"))).ok();
    tank.await_status("web", "completed");
    let log = tank.run(["logs", "web"]).ok().stdout;
    let lines: Vec<_> = log.lines().collect();
    let expected = ["/opaque:", "upper", "", "/www:", "index.html", "served by busybox"];
    let ordered = ["/www:", "index.html", "", "/opaque:", "upper", "served by busybox"];
    assert!(lines.starts_with(&expected) || lines.starts_with(&ordered), "{log}");
    assert!(lines[6].ends_with("/bin/[ -> busybox"), "{log}");
    assert_eq!(lines[7], "1777", "{log}");
}

#[test]
fn docker_archive() {
    loads_and_runs(&fixtures::busybox_image().docker_archive(), NAMED);
}

#[test]
fn docker_archive_with_gzip() {
    loads_and_runs(&fixtures::busybox_image().docker_archive_gzip(), NAMED);
}

#[test]
fn docker_archive_with_zstd() {
    loads_and_runs(&fixtures::busybox_image().docker_archive_zstd(), NAMED);
}

#[test]
fn oci_archive() {
    loads_and_runs(&fixtures::busybox_image().oci_archive(), LATEST);
}

#[test]
fn oci_layout_with_gzip_layers() {
    loads_and_runs(&fixtures::busybox_image().layout(), LATEST);
}

#[test]
fn oci_layout_with_zstd_layers() {
    loads_and_runs(&fixtures::busybox_image().zstd_layout(), LATEST);
}

#[test]
fn oci_layout_of_buildah() {
    let tank = Tank::new();
    load(&tank, &fixtures::buildah_layout());
    tank.apply(&pod(LATEST, "args = ['cat', '/www/index.html']")).ok();
    tank.await_status("web", "completed");
    assert_eq!(tank.run(["logs", "web"]).ok().stdout, "served by busybox\n");
}

#[test]
fn loading_again_changes_nothing() {
    let tank = Tank::new();
    let archive = fixtures::busybox_image().docker_archive();
    load(&tank, &archive);
    let (files, listed) = (tank.world().files, tank.run(["image", "list"]).ok().stdout);
    load(&tank, &archive);
    assert_eq!(tank.world().files, files);
    assert_eq!(tank.run(["image", "list"]).ok().stdout, listed);
}

#[test]
fn image_that_is_not_there_is_not_found_and_changes_nothing() {
    let tank = Tank::new();
    tank.run(["image", "inspect", "localhost/busybox:1"]).exits(3);
    tank.run(["image", "load", "/no/such/file"]).status.code().filter(|code| *code != 0).unwrap();
    let applied = tank.apply(&pod("localhost/busybox:1", ""));
    assert_ne!(applied.status.code(), Some(0), "{applied}");
    assert!(applied.stderr.contains("localhost/busybox:1"), "{applied}");
}
