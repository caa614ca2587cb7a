//! `tank image prune`.

use std::collections::BTreeMap;
use std::fs;

use super::{load, pod};
use crate::support::{Tank, fixtures};

/// The files of blobs with their sizes.
fn blobs(tank: &Tank) -> BTreeMap<String, u64> {
    let files = fs::read_dir(tank.root().join("blobs/sha256")).unwrap().map(Result::unwrap);
    files
        .map(|file| (file.file_name().into_string().unwrap(), file.metadata().unwrap().len()))
        .collect()
}

fn layers(tank: &Tank) -> usize {
    let names = fs::read_dir(tank.root().join("layers")).unwrap().map(Result::unwrap);
    names.filter(|name| !name.file_name().to_string_lossy().starts_with('.')).count()
}

#[test]
fn without_a_root_there_is_nothing_to_remove() {
    let tank = Tank::new();
    let pruned = tank.run(["image", "prune", "--all"]).ok();
    assert_eq!(pruned.stdout, "freed 0 B\n");
    assert!(!tank.root().exists());
}

#[test]
fn images_with_names_stay_unless_all_are_meant() {
    let tank = Tank::new();
    load(&tank, &fixtures::busybox_image().docker_archive());
    load(&tank, &fixtures::buildah_layout());
    // The name moves: the image it had has none any more.
    tank.run(["image", "tag", "localhost/busybox:1", "latest"]).ok();
    let before = (blobs(&tank), layers(&tank));
    let would = tank.run(["image", "prune", "--dry-run", "-o", "json"]).ok().json();
    assert_eq!((blobs(&tank), layers(&tank)), before);
    let did = tank.run(["image", "prune", "-o", "json"]).ok().json();
    assert_eq!(did, would);
    assert_eq!(did["images"].as_array().unwrap().len(), 1, "{did}");
    assert_eq!(did["images"][0]["names"], serde_json::json!([]));
    let left = blobs(&tank);
    let gone = before.0.iter().filter(|(name, _)| !left.contains_key(*name));
    let of_blobs: u64 = gone.map(|(_, size)| size).sum();
    let freed = did["freed"].as_u64().unwrap();
    assert_eq!(freed - of_blobs, did["images"][0]["size"].as_u64().unwrap(), "{did}");
    assert_eq!(did["layers"], before.1 - layers(&tank), "{did}");
    tank.run(["image", "inspect", "localhost/busybox:1"]).ok();

    let nothing = tank.run(["image", "prune"]).ok();
    assert_eq!(nothing.stdout, "freed 0 B\n");
    let rest = tank.run(["image", "prune", "--all"]).ok();
    for line in [
        "image docker.io/library/latest:latest removed\n",
        "image localhost/busybox:1 removed\n",
        "freed ",
    ] {
        assert!(rest.stdout.contains(line), "{rest}");
    }
    assert_eq!((blobs(&tank), layers(&tank)), (BTreeMap::new(), 0));
}

#[test]
fn what_is_needed_stays() {
    let tank = Tank::new();
    load(&tank, &fixtures::busybox_image().docker_archive());
    tank.apply(&pod("localhost/busybox:1", "command = ['sleep', '1000']")).ok();
    let pid = tank.pid("web");
    let before = (blobs(&tank), layers(&tank));
    let pruned = tank.run(["image", "prune", "--all"]).ok();
    assert_eq!(pruned.stdout, "freed 0 B\n");
    assert_eq!((blobs(&tank), layers(&tank)), before);
    // A name that is gone or moved changes nothing for who runs from the image.
    load(&tank, &fixtures::buildah_layout());
    tank.run(["image", "tag", "latest", "localhost/busybox:1"]).ok();
    tank.run(["image", "prune"]).ok();
    tank.run(["exec", "web", "--", "ls", "/www/index.html"]).ok();
    assert_eq!(tank.pid("web"), pid);

    tank.run(["delete", "--wait", "web"]).ok();
    let freed = tank.run(["image", "prune", "-o", "json"]).ok().json();
    assert_eq!(freed["images"].as_array().unwrap().len(), 1, "{freed}");
}

#[test]
fn what_interrupted_commands_left_goes_too() {
    let tank = Tank::new();
    load(&tank, &fixtures::busybox_image().docker_archive());
    let name = format!("{}.tmp", "ab".repeat(32));
    fs::write(tank.root().join("blobs/sha256").join(name), [0; 1000]).unwrap();
    fs::create_dir_all(tank.root().join("layers/.tmp-0123456789abcdef/etc")).unwrap();
    let pruned = tank.run(["image", "prune", "-o", "json"]).ok().json();
    assert_eq!(pruned["freed"], 1000);
    assert!(!tank.root().join("layers/.tmp-0123456789abcdef").exists());
    tank.run(["image", "inspect", "localhost/busybox:1"]).ok();
}
