//! `tank image tag`.

use super::{load, pod};
use crate::support::{Tank, fixtures};

#[test]
fn a_name_moves_and_pods_keep_what_they_have() {
    let tank = Tank::new();
    load(&tank, &fixtures::busybox_image().docker_archive());
    load(&tank, &fixtures::buildah_layout());
    let digest = |name: &str| {
        let image = tank.run(["image", "inspect", name, "-o", "json"]).ok().json();
        image["digest"].as_str().unwrap().to_owned()
    };
    let (busybox, buildah) = (digest("localhost/busybox:1"), digest("latest"));

    let tagged = tank.run(["image", "tag", "localhost/busybox:1", "app"]).ok();
    assert!(tagged.stdout.contains("docker.io/library/app:latest"), "{tagged}");
    assert_eq!(digest("app"), busybox);
    tank.apply(&pod("app", "command = ['sleep', '1000']")).ok();
    let pid = tank.pid("web");

    let moved = tank.run(["image", "tag", &buildah, "app", "-o", "json"]).ok().json();
    assert_eq!(moved["name"], "docker.io/library/app:latest");
    assert_eq!(moved["digest"], buildah);
    assert_eq!(moved["replaced"], busybox);
    assert_eq!(digest("app"), buildah);
    assert_eq!(digest("localhost/busybox:1"), busybox);
    tank.run(["reconcile"]).ok();
    assert_eq!(tank.pid("web"), pid);

    let files = tank.world().files;
    let again = tank.run(["image", "tag", &buildah, "app", "-o", "json"]).ok().json();
    assert_eq!(again["replaced"], serde_json::Value::Null);
    assert_eq!(tank.world().files, files);
}

#[test]
fn what_cannot_be_named_is_refused() {
    let tank = Tank::new();
    load(&tank, &fixtures::busybox_image().docker_archive());
    let digest = format!("app@sha256:{}", "ab".repeat(32));
    tank.run(["image", "tag", "localhost/busybox:1", &digest]).exits(2);
    tank.run(["image", "tag", "localhost/busybox:1", "App"]).exits(2);
    tank.run(["image", "tag", "localhost/nothing", "app"]).exits(3);
}
