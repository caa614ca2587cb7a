//! Which layers and manifests are understood, and what is said of those that are not.

use std::fs;

use serde_json::json;

use super::{
    assert_failed, assert_nothing_left, assert_pulled, assert_same_layers, hasty, names, pull, tank,
};
use crate::support::made::{self, Blob, Made, Packing};
use crate::support::registry::{Access, Registry};
use crate::support::{Tank, fixtures};

#[test]
fn every_packing_of_layers_comes_to_the_same() {
    let registry = Registry::new(Access::Open);
    let image = fixtures::busybox_image();
    let loaded = Tank::new();
    loaded.run(["image", "load", image.layout().to_str().unwrap()]).ok();
    for (layout, options) in [
        (image.layout(), &[][..]),
        (image.zstd_layout(), &[]),
        (image.layout(), &["--format", "v2s2"]),
        (image.zstd_layout(), &["--dest-compress-format", "gzip", "--format", "oci"]),
    ] {
        let tank = tank(&registry.settings());
        let name = registry.push(&layout, "packed:1", options);
        pull(&tank, &name).ok();
        assert_pulled(&tank, &name);
        assert_same_layers(&tank, &loaded);
    }
}

#[test]
fn debian_system_comes_to_the_same_as_from_its_layout() {
    let registry = Registry::new(Access::Open);
    let layout = fixtures::debian_redis_layout();
    let name = registry.push(&layout, "debian:bookworm", &[]);
    let (pulled, loaded) = (tank(&registry.settings()), Tank::new());
    pull(&pulled, &name).ok();
    loaded.run(["image", "load", layout.to_str().unwrap()]).ok();
    assert_pulled(&pulled, &name);
    assert_same_layers(&pulled, &loaded);
}

#[test]
fn made_layers_of_every_packing_come_to_the_same() {
    let (registry, _) = hasty();
    let tars = [
        made::tar_of(&[("dir/one", b"1\n"), ("dir/two", b"2\n")]),
        made::tar_of(&[("dir/.wh.one", b""), ("dir/three", b"3\n")]),
    ];
    let mut seen = Vec::new();
    for packing in [Packing::Plain, Packing::Gzip, Packing::Zstd, Packing::Docker] {
        let tank = tank(&registry.settings());
        let name = registry.serve("made:1", &Made::new(&tars, packing));
        pull(&tank, &name).ok();
        assert_pulled(&tank, &name);
        seen.push(names(&tank, "layers"));
    }
    assert!(seen.iter().all(|layers| layers.len() == 2 && *layers == seen[0]), "{seen:?}");
}

#[test]
fn image_without_layers_and_one_with_the_same_layer_twice() {
    let (registry, tank) = hasty();
    let name = registry.serve("empty:1", &Made::new(&[], Packing::Gzip));
    pull(&tank, &name).ok();
    assert_pulled(&tank, &name);
    let tar = made::tar_of(&[("file", b"content\n")]);
    let twice = Made::new(&[tar.clone(), tar], Packing::Gzip);
    let name = registry.serve("twice:1", &twice);
    pull(&tank, &name).ok();
    assert_eq!(registry.count(&twice.layers[0]), 1);
    assert_eq!(names(&tank, "layers").len(), 1);
}

#[test]
fn gzip_of_several_members_is_read_whole() {
    let (registry, tank) = hasty();
    let tar = made::tar_of(&[("file", &made::noise(1, 100_000))]);
    let (start, end) = tar.split_at(50_000);
    let [start, end] = [start, end].map(|part| made::packed(part, Packing::Gzip));
    let layer = Blob::new(&start.media_type, [start.content, end.content].concat());
    let config = made::config(&[made::sha256(&tar)]);
    let name = registry.serve("members:1", &Made::of(vec![layer], &config, false));
    pull(&tank, &name).ok();
    let layer = names(&tank, "layers").remove(0);
    let file = tank.root().join("layers").join(layer).join("file");
    assert!(fs::read(file).unwrap() == made::noise(1, 100_000));
}

#[test]
fn layers_that_are_not_for_this_are_refused_by_their_name() {
    let (registry, tank) = hasty();
    for media_type in [
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "application/vnd.oci.image.layer.v1.tar+xz",
        "application/vnd.example.unheard-of",
        "",
    ] {
        let image = Made::small().edited(|manifest| {
            manifest["layers"][1]["mediaType"] = json!(media_type);
        });
        let name = registry.serve("odd:1", &image);
        assert_failed(&pull(&tank, &name), &[media_type]);
        assert_nothing_left(&tank);
        assert_eq!(registry.count(&image.layers[0]), 0, "refused before anything is fetched");
    }
}

#[test]
fn what_is_no_image_is_refused_by_its_name() {
    let (registry, tank) = hasty();
    let chart = Blob::new("application/vnd.cncf.helm.config.v1+json", "{\"name\":\"chart\"}");
    let content = Blob::new("application/vnd.cncf.helm.chart.content.v1.tar+gzip", "content");
    let helm = made::manifest(made::OCI_MANIFEST, &chart, vec![content.descriptor()]);
    registry.serve_blob(&chart);
    registry.serve_blob(&content);
    let name = registry.serve_manifest("chart:1", &helm);
    assert_failed(&pull(&tank, &name), &["helm"]);

    let schema1 = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    let old = json!({
        "schemaVersion": 1, "name": "old", "tag": "1", "architecture": "amd64",
        "fsLayers": [{ "blobSum": format!("sha256:{}", "a".repeat(64)) }], "history": [],
    });
    let name = registry.serve_manifest("old:1", &Blob::new(schema1, old.to_string()));
    assert_failed(&pull(&tank, &name), &["schema"]);

    let odd = Blob::new("text/html", "<html>Please log in to this network</html>");
    let name = registry.serve_manifest("portal:1", &odd);
    assert_failed(&pull(&tank, &name), &[&name]);
    assert_nothing_left(&tank);
}

#[test]
fn manifest_that_can_be_read_in_two_ways_is_refused() {
    let (registry, tank) = hasty();
    let image = Made::small();
    let both = image.clone().edited(|manifest| manifest["manifests"] = json!([]));
    let name = registry.serve("both:1", &both);
    assert_failed(&pull(&tank, &name), &[&name]);
    let mut lies = image.manifest.clone();
    lies.media_type = made::OCI_INDEX.to_owned();
    let name = registry.serve_manifest("lies:1", &lies);
    assert_failed(&pull(&tank, &name), &[&name]);
    assert_nothing_left(&tank);
}

#[test]
fn digests_that_are_paths_never_become_one() {
    let (registry, tank) = hasty();
    for digest in
        ["sha256:../../../../../../tmp/escaped", "sha256:", "md5:d41d8cd98f00b204e9800998ecf8427e"]
    {
        for field in ["config", "layers"] {
            let image = Made::small().edited(|manifest| match field {
                "config" => manifest["config"]["digest"] = json!(digest),
                _ => manifest["layers"][0]["digest"] = json!(digest),
            });
            let name = registry.serve("paths:1", &image);
            assert_failed(&pull(&tank, &name), &["digest"]);
        }
    }
    assert_nothing_left(&tank);
}

#[test]
fn config_that_does_not_fit_its_layers_is_refused() {
    let (registry, tank) = hasty();
    let image = Made::small();
    let diff_id = made::sha256(b"something else");
    for config in [
        made::config(&[]),
        made::config(std::slice::from_ref(&diff_id)),
        made::config(&[diff_id.clone(), diff_id]),
        json!({ "architecture": "amd64", "os": "linux" }),
        json!([]),
    ] {
        let image = Made::of(image.layers.clone(), &config, false);
        let name = registry.serve("config:1", &image);
        assert_failed(&pull(&tank, &name), &[&name]);
        assert_nothing_left(&tank);
    }
}
