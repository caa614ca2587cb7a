//! Indexes: which of several images is taken.

use serde_json::json;

use super::{
    assert_failed, assert_nothing_visible, assert_pulled, hasty, images, inspect, pull, tank,
};
use crate::support::fixtures;
use crate::support::made::{self, Blob, Made, Packing};
use crate::support::registry::{Access, Registry};

#[test]
fn index_made_by_buildah_has_an_image_for_each_platform() {
    let registry = Registry::new(Access::Open);
    let name = registry.push(&fixtures::multi_platform_layout(), "multi:1", &["--all"]);
    for (option, platform, variable) in [
        (None, "linux/amd64", "PLATFORM=amd64"),
        (Some("linux/amd64"), "linux/amd64", "PLATFORM=amd64"),
        (Some("linux/arm64"), "linux/arm64", "PLATFORM=arm64v8"),
        (Some("linux/arm/v6"), "linux/arm", "PLATFORM=armv6"),
        (Some("linux/arm/v7"), "linux/arm", "PLATFORM=armv7"),
        (Some("linux/arm"), "linux/arm", "PLATFORM=armv7"),
    ] {
        let tank = tank(&registry.settings());
        let option = option.map(|option| ["--platform", option]);
        let args = ["image", "pull", &name];
        let output = tank.run(args.iter().chain(option.iter().flatten())).ok();
        assert_pulled(&tank, &name);
        let image = inspect(&tank, &name);
        let listed = image["platform"].as_str().unwrap();
        assert!(listed.starts_with(platform), "{option:?}: {listed}\n{output}");
        let env = &image["config"]["config"]["Env"];
        assert!(env.as_array().unwrap().contains(&json!(variable)), "{option:?}: {env}");
    }
}

#[test]
fn index_that_buildah_pushed_is_read() {
    let registry = Registry::new(Access::Open);
    let name = registry.push_index_with_buildah(&fixtures::buildah_layout(), "pushed:1");
    let tank = tank(&registry.settings());
    pull(&tank, &name).ok();
    assert_pulled(&tank, &name);
}

#[test]
fn platform_that_is_not_there_is_refused_with_those_that_are() {
    let registry = Registry::new(Access::Open);
    let name = registry.push(&fixtures::multi_platform_layout(), "multi:1", &["--all"]);
    let tank = tank(&registry.settings());
    let refused = tank.run(["image", "pull", "--platform", "linux/s390x", &name]);
    let there = ["linux/amd64", "linux/arm64", "linux/arm/v6", "linux/arm/v7"];
    assert_failed(&refused, &[&["linux/s390x"], &there[..]].concat());
    assert_nothing_visible(&tank);
    for bad in ["linux", "linux/", "/amd64", "a/b/c/d", "linux/amd64 "] {
        let _ = tank.run(["image", "pull", "--platform", bad, &name]).exits(2);
    }
}

#[test]
fn image_without_an_index_for_another_machine_is_refused() {
    let (registry, tank) = hasty();
    let tar = made::tar_of(&[("file", b"content\n")]);
    let layer = made::packed(&tar, Packing::Gzip);
    let mut config = made::config(&[made::sha256(&tar)]);
    config["architecture"] = json!("s390x");
    let name = registry.serve("foreign:1", &Made::of(vec![layer], &config, false));
    assert_failed(&pull(&tank, &name), &["s390x"]);
    assert_nothing_visible(&tank);
}

/// An index entry for a platform.
fn entry(manifest: &Blob, os: &str, architecture: &str) -> serde_json::Value {
    let mut descriptor = manifest.descriptor();
    descriptor["platform"] = json!({ "os": os, "architecture": architecture });
    descriptor
}

#[test]
fn attestations_and_other_systems_are_passed_over() {
    let (registry, tank) = hasty();
    let image = Made::small();
    registry.serve("image:1", &image);
    let index = made::index(&[
        entry(&image.manifest, "unknown", "unknown"),
        entry(&image.manifest, "windows", "amd64"),
        entry(&image.manifest, "linux", "amd64"),
    ]);
    let name = registry.serve_manifest("multi:1", &index);
    pull(&tank, &name).ok();
    assert_pulled(&tank, &name);
    assert_eq!(images(&tank)[0]["platform"], "linux/amd64");
}

#[test]
fn index_that_lies_about_its_images_is_refused() {
    let (registry, tank) = hasty();
    let image = Made::small();
    registry.serve("image:1", &image);
    let index = made::index(&[entry(&image.manifest, "linux", "s390x")]);
    let name = registry.serve_manifest("multi:1", &index);
    let pulled = tank.run(["image", "pull", "--platform", "linux/s390x", &name]);
    assert_failed(&pulled, &["amd64"]);
    assert_nothing_visible(&tank);
}

#[test]
fn index_that_refers_to_nothing_is_refused() {
    let (registry, tank) = hasty();
    let gone = made::index(&[entry(&Made::small().manifest, "linux", "amd64")]);
    for (tag, index) in [("empty:1", made::index(&[])), ("gone:1", gone)] {
        let name = registry.serve_manifest(tag, &index);
        assert_failed(&pull(&tank, &name), &[&name]);
    }
    assert_nothing_visible(&tank);
}
