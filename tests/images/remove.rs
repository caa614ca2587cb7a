//! `tank image rm`.

use std::fs;

use super::{load, pod};
use crate::support::{Tank, fixtures};

/// The names in a directory under the root, without those that are hidden.
fn names(tank: &Tank, dir: &str) -> Vec<String> {
    let read = fs::read_dir(tank.root().join(dir)).unwrap().map(Result::unwrap);
    let names = read.map(|entry| entry.file_name().into_string().unwrap());
    names.filter(|name| !name.starts_with('.')).collect()
}

#[test]
fn image_in_use_stays_until_its_pod_is_gone() {
    let tank = Tank::new();
    load(&tank, &fixtures::busybox_image().docker_archive());
    tank.apply(&pod("localhost/busybox:1", "command = ['sleep', '1000']")).ok();
    let pid = tank.pid("web");
    let refused = tank.run(["image", "rm", "localhost/busybox:1"]).exits(1);
    assert!(refused.stderr.contains("image localhost/busybox:1: pod web uses it"), "{refused}");
    // Also not by another name that is there, or by its digest; other images are removed all the same.
    load(&tank, &fixtures::buildah_layout());
    let several = tank.run(["image", "rm", "localhost/busybox:1", "nothing", "latest"]).exits(1);
    assert!(several.stderr.contains("pod web uses it"), "{several}");
    assert!(several.stderr.contains("cannot find image nothing"), "{several}");
    assert_eq!(several.stdout, "image latest removed\n");
    assert_eq!(tank.pid("web"), pid);
    tank.run(["exec", "web", "--", "ls", "/www/index.html"]).ok();

    tank.run(["delete", "web"]).ok();
    tank.run(["image", "rm", "localhost/busybox:1"]).ok();
    tank.run(["image", "inspect", "localhost/busybox:1"]).exits(3);
    tank.run(["image", "rm", "localhost/busybox:1"]).exits(3);
}

#[test]
fn layers_go_with_the_last_image_that_has_them() {
    let tank = Tank::new();
    load(&tank, &fixtures::busybox_image().docker_archive());
    let layers = names(&tank, "layers").len();
    assert!(layers >= 5);
    // Another manifest, the same layers.
    load(&tank, &fixtures::busybox_image().layout());
    assert_eq!(names(&tank, "layers").len(), layers);

    tank.run(["image", "rm", "latest"]).ok();
    assert_eq!(names(&tank, "layers").len(), layers);
    tank.apply(&pod("localhost/busybox:1", "")).ok();
    tank.await_status("web", "completed");
    tank.run(["delete", "web"]).ok();

    tank.run(["image", "rm", "localhost/busybox:1"]).ok();
    assert_eq!(names(&tank, "layers"), Vec::<String>::new());
    assert_eq!(names(&tank, "blobs/sha256"), Vec::<String>::new());
    let listed = tank.run(["image", "list", "-o", "json"]).ok().json();
    assert_eq!(listed["images"], serde_json::json!([]));
}

#[test]
fn image_is_removed_by_its_digest_too() {
    let tank = Tank::new();
    load(&tank, &fixtures::busybox_image().docker_archive());
    let listed = tank.run(["image", "list", "-o", "json"]).ok().json();
    let digest = listed["images"][0]["digest"].as_str().unwrap().to_owned();
    tank.run(["image", "rm", &digest]).ok();
    tank.run(["image", "inspect", "localhost/busybox:1"]).exits(3);
}
