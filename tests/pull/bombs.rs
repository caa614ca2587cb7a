//! Documents and layers that are too much: refused in time and memory, and nothing stays.

use std::process::Command;

use serde_json::{Value, json};

use super::{HASTY, assert_failed, assert_nothing_left, assert_pulled, configure, hasty, pull};
use crate::support::Tank;
use crate::support::fault_registry::{Answer, Step};
use crate::support::made::{self, Blob, Made, OCI_INDEX, OCI_MANIFEST, Packing};

/// The most address space a pull of a bomb may take, in KiB: more than its threads reserve, less
/// than what never ends.
const MEMORY: u64 = 1 << 20;

/// Pulls with bounded memory, and asserts that it is refused for this reason.
#[track_caller]
fn assert_refused(tank: &Tank, name: &str, parts: &[&str]) {
    let pull = tank.command(["image", "pull", name]);
    let mut limited = Command::new("sh");
    limited.env_clear().env("PATH", "/usr/bin:/bin").current_dir(tank.dir());
    limited.args(["-c", &format!("ulimit -v {MEMORY}; exec \"$@\""), "sh"]);
    limited.arg(pull.get_program()).args(pull.get_args());
    assert_failed(&tank.run_with(&mut limited, &[]), parts);
    assert_nothing_left(tank);
}

#[test]
fn manifest_of_five_megabytes() {
    let (registry, tank) = hasty();
    let image = Made::small().edited(|manifest| {
        manifest["annotations"] = json!({ "padding": "x".repeat(5 << 20) });
    });
    let name = registry.serve("bomb:1", &image);
    assert_refused(&tank, &name, &[&name]);
    // The same without a length, and without an end.
    registry.rule(|request| {
        let endless = Answer::new(200).header("Content-Type", OCI_MANIFEST);
        let endless = endless.then(Step::Endless(vec![b' '; 65536]));
        request.path.contains("/manifests/").then_some(endless)
    });
    assert_refused(&tank, &name, &[&name]);
}

#[test]
fn headers_without_end() {
    let (registry, tank) = hasty();
    let name = registry.serve("bomb:1", &Made::small());
    for (count, length) in [(100_000, 20), (3, 4 << 20)] {
        registry.rule(move |_| {
            let value = "x".repeat(length);
            let headers = (0..count).map(|n| format!("X-Padding-{n}"));
            Some(headers.fold(Answer::new(200), |answer, name| answer.header(&name, &value)))
        });
        assert_refused(&tank, &name, &[&registry.host()]);
    }
}

#[test]
fn errors_without_end() {
    let (registry, tank) = hasty();
    let name = registry.serve("bomb:1", &Made::small());
    registry.rule(|_| Some(Answer::new(403).then(Step::Endless(vec![b'x'; 65536]))));
    let output = pull(&tank, &name);
    assert_failed(&output, &["403"]);
    assert!(output.stderr.len() < 10_000, "{} bytes", output.stderr.len());
}

#[test]
fn six_hundred_layers() {
    let (registry, tank) = hasty();
    let layer = made::packed(&made::tar_of(&[("file", b"content\n")]), Packing::Gzip);
    let diff_id = made::sha256(&made::tar_of(&[("file", b"content\n")]));
    let config = made::config(&vec![diff_id; 600]);
    let name = registry.serve("bomb:1", &Made::of(vec![layer; 600], &config, false));
    assert_refused(&tank, &name, &["512", "layers"]);
}

#[test]
fn indexes_in_indexes_and_in_themselves() {
    let (registry, tank) = hasty();
    let image = Made::small();
    registry.serve("image:1", &image);
    let mut inner = image.manifest.descriptor();
    for _ in 0..10 {
        let index = made::index(&[inner]);
        registry.serve_manifest("bomb:1", &index);
        inner = index.descriptor();
    }
    let name = format!("{}/bomb:1", registry.host());
    assert_refused(&tank, &name, &[&name]);

    // Its own digest cannot be in it, so the registry must lie, which is noticed.
    let mut own = made::index(&[inner]);
    let mut document: Value = serde_json::from_slice(&own.content).unwrap();
    document["manifests"][0]["digest"] = json!(own.digest);
    own.content = document.to_string().into_bytes();
    let name = registry.serve_manifest("own:1", &own);
    assert_refused(&tank, &name, &["sha256:"]);
}

#[test]
fn json_that_is_deep() {
    let (registry, tank) = hasty();
    for open in ["[", "{\"a\":"] {
        let deep = format!("{{\"schemaVersion\":2,\"x\":{}", open.repeat(200_000));
        for media_type in [OCI_MANIFEST, OCI_INDEX] {
            let name = registry.serve_manifest("bomb:1", &Blob::new(media_type, deep.as_str()));
            assert_refused(&tank, &name, &[&name]);
        }
        let mut image = Made::small();
        image.config = Blob::new(&image.config.media_type, deep.as_str());
        image.manifest = made::manifest(
            OCI_MANIFEST,
            &image.config,
            image.layers.iter().map(Blob::descriptor).collect(),
        );
        let name = registry.serve("bomb:2", &image);
        assert_refused(&tank, &name, &[&name]);
    }
}

#[test]
fn config_that_is_large() {
    let (registry, tank) = hasty();
    let image = Made::small();
    let mut config: Value = serde_json::from_slice(&image.config.content).unwrap();
    config["history"] = json!(["x".repeat(5 << 20)]);
    let name = registry.serve("bomb:1", &Made::of(image.layers, &config, false));
    assert_refused(&tank, &name, &[&name]);
    // A size that nobody could mean.
    let image = Made::small().edited(|manifest| manifest["config"]["size"] = json!(1_u64 << 60));
    let name = registry.serve("bomb:2", &image);
    assert_refused(&tank, &name, &[&name]);
}

#[test]
fn sizes_that_are_negative_or_add_up_to_too_much() {
    let (registry, tank) = hasty();
    for size in [json!(-1), json!(i64::MAX), json!(u64::MAX), json!("1"), json!(1.5), json!(null)] {
        let image = Made::small().edited(|manifest| {
            for layer in manifest["layers"].as_array_mut().unwrap() {
                layer["size"] = size.clone();
            }
        });
        let name = registry.serve("bomb:1", &image);
        assert_refused(&tank, &name, &[&name]);
    }
}

#[test]
fn layers_that_unpack_to_more_than_allowed() {
    let (registry, tank) = hasty();
    configure(&tank, &format!("{}{HASTY}max_unpacked = \"8MiB\"\n", registry.settings()));
    let zeros = vec![0; 64 << 20];
    for packing in [Packing::Gzip, Packing::Zstd] {
        let bomb = Made::new(&[made::tar_of(&[("zeros", &zeros)])], packing);
        assert!(bomb.size() < 1 << 20);
        assert_refused(&tank, &registry.serve("bomb:1", &bomb), &["max_unpacked"]);
        // Several layers that are each within the limit.
        let part = |n: usize| made::tar_of(&[(&format!("zeros{n}"), &zeros[..3 << 20])]);
        let parts: Vec<_> = (0..4).map(part).collect();
        assert_refused(
            &tank,
            &registry.serve("bomb:2", &Made::new(&parts, packing)),
            &["max_unpacked"],
        );
    }
    let allowed = Made::new(&[made::tar_of(&[("zeros", &zeros[..3 << 20])])], Packing::Gzip);
    let name = registry.serve("allowed:1", &allowed);
    pull(&tank, &name).ok();
    assert_pulled(&tank, &name);
}

#[test]
fn padding_after_the_end_of_a_layer_counts() {
    let (registry, tank) = hasty();
    configure(&tank, &format!("{}{HASTY}max_unpacked = \"8MiB\"\n", registry.settings()));
    let mut tar = made::tar_of(&[("file", b"content\n")]);
    tar.resize(64 << 20, 0);
    let name = registry.serve("bomb:1", &Made::new(&[tar], Packing::Gzip));
    assert_refused(&tank, &name, &["trailing"]);
}

#[test]
fn layers_of_more_entries_than_allowed() {
    let (registry, tank) = hasty();
    configure(&tank, &format!("{}{HASTY}max_entries = 1000\n", registry.settings()));
    let entries = |from: usize, to: usize| {
        let names: Vec<_> = (from..to).map(|n| format!("file{n}")).collect();
        let files: Vec<_> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
        made::tar_of(&files)
    };
    let one = Made::new(&[entries(0, 5000)], Packing::Gzip);
    assert_refused(&tank, &registry.serve("bomb:1", &one), &["max_entries"]);
    let several = Made::new(&[entries(0, 600), entries(600, 1200)], Packing::Gzip);
    assert_refused(&tank, &registry.serve("bomb:2", &several), &["max_entries"]);
    let name = registry.serve("allowed:1", &Made::new(&[entries(0, 900)], Packing::Gzip));
    pull(&tank, &name).ok();
    assert_pulled(&tank, &name);
}
