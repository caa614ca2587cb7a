//! What is there is not fetched again, and two who want the same fetch it once.

use super::{assert_nothing_visible, assert_pulled, assert_same_layers, hasty, names, pull};
use crate::support::Tank;
use crate::support::fault_registry::{Answer, FaultRegistry, Gate, Step};
use crate::support::made::{Blob, Made, Packing, tar_of};
use crate::support::pods::SOON;

#[test]
fn layer_that_is_there_is_not_fetched_again() {
    let (registry, tank) = hasty();
    let (base, top) = (tar_of(&[("base", b"base\n")]), tar_of(&[("top", b"top\n")]));
    let one = Made::new(std::slice::from_ref(&base), Packing::Gzip);
    let two = Made::new(&[base.clone(), top], Packing::Gzip);
    let packed_otherwise = Made::new(&[base], Packing::Zstd);
    pull(&tank, &registry.serve("one:1", &one)).ok();
    pull(&tank, &registry.serve("two:1", &two)).ok();
    assert_eq!(registry.count(&one.layers[0]), 1);
    assert_eq!(registry.count(&two.layers[1]), 1);
    // The same layer in another packing is the same layer.
    pull(&tank, &registry.serve("three:1", &packed_otherwise)).ok();
    assert_eq!(registry.count(&packed_otherwise.layers[0]), 0);
    assert_eq!(names(&tank, "layers").len(), 2);
}

#[test]
fn image_that_is_there_under_another_name_needs_its_manifest_alone() {
    let (registry, tank) = hasty();
    let image = Made::small();
    pull(&tank, &registry.serve("one:1", &image)).ok();
    let other = registry.serve("other/name:2", &image);
    pull(&tank, &other).ok();
    let listed = super::images(&tank);
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert!(listed[0]["names"].as_array().unwrap().contains(&other.into()), "{listed:?}");
    for layer in &image.layers {
        assert_eq!(registry.count(layer), 1);
    }
}

#[test]
fn layers_come_side_by_side_but_not_more_than_allowed() {
    let (registry, tank) = hasty();
    let image = Made::large(6, 4000);
    let name = registry.serve("many:1", &image);
    let gate = gate_layers(&registry, &image);
    super::configure(&tank, &format!("{}[images]\nparallel = 3\n", registry.settings()));
    let pulling = tank.start(["image", "pull", &name]);
    gate.await_arrivals(3);
    let asked = image.layers.iter().map(|layer| registry.count(layer)).sum::<usize>();
    assert_eq!(asked, 3);
    gate.open();
    pulling.finish(SOON).ok();
    assert_pulled(&tank, &name);
}

/// Lets every layer wait at a gate after its first bytes.
fn gate_layers(registry: &FaultRegistry, image: &Made) -> Gate {
    let gate = Gate::new();
    let (blobs, at) = (image.layers.clone(), gate.clone());
    registry.rule(move |request| {
        let (_, digest) = request.path.split_once("/blobs/")?;
        let blob = blobs.iter().find(|blob| blob.digest == digest)?;
        Some(gated(blob, request.range_start(), &at))
    });
    gate
}

/// The first tenth of what is asked for, then the gate, then the rest.
fn gated(blob: &Blob, start: Option<u64>, gate: &Gate) -> Answer {
    let total = blob.content.len();
    let from = usize::try_from(start.unwrap_or(0)).unwrap();
    let rest = &blob.content[from..];
    let (first, last) = rest.split_at(rest.len() / 10);
    let answer = if start.is_some() {
        Answer::new(206).header("Content-Range", format!("bytes {from}-{}/{total}", total - 1))
    } else {
        Answer::new(200)
    };
    let answer = answer.length(rest.len()).then(Step::Send(first.to_vec()));
    answer.then(Step::Wait(gate.clone())).then(Step::Send(last.to_vec()))
}

/// A tank with patience, as nothing goes on while the gate is closed.
fn patient() -> (FaultRegistry, Tank) {
    let (registry, tank) = hasty();
    super::configure(&tank, &registry.settings());
    (registry, tank)
}

/// Waits until a second pull has looked its name up: each asks once.
#[track_caller]
fn await_second(registry: &FaultRegistry) {
    registry.await_log("the manifest, twice", |log| {
        log.iter().filter(|asked| asked.request.path.ends_with("/manifests/1")).count() > 1
    });
}

#[test]
fn two_that_pull_the_same_do_the_work_once() {
    let (registry, tank) = patient();
    let image = Made::large(3, 100_000);
    let name = registry.serve("same:1", &image);
    let gate = gate_layers(&registry, &image);
    let one = tank.start(["image", "pull", &name]);
    gate.await_arrivals(3);
    let other = tank.start(["image", "pull", &name]);
    await_second(&registry);
    gate.open();
    one.finish(SOON).ok();
    other.finish(SOON).ok();
    for layer in &image.layers {
        assert_eq!(registry.count(layer), 1);
    }
    assert_pulled(&tank, &name);
}

#[test]
fn images_that_share_a_layer_are_pulled_at_once() {
    let (registry, tank) = patient();
    let shared = tar_of(&[("shared", b"shared\n")]);
    let [one, other] = [&b"one\n"[..], b"other\n"]
        .map(|own| Made::new(&[shared.clone(), tar_of(&[("own", own)])], Packing::Gzip));
    let names = [registry.serve("one:1", &one), registry.serve("other:1", &other)];
    let gate = gate_layers(&registry, &one);
    let pulling = names.each_ref().map(|name| tank.start(["image", "pull", name]));
    gate.await_arrivals(1);
    gate.open();
    pulling.into_iter().for_each(|pulling| drop(pulling.finish(SOON).ok()));
    assert_eq!(registry.count(&one.layers[0]), 1);
    assert_eq!(super::images(&tank).len(), 2);
}

#[test]
fn killing_the_one_that_works_leaves_the_work_to_the_one_that_waits() {
    let (registry, tank) = patient();
    let image = Made::large(2, 400_000);
    let name = registry.serve("same:1", &image);
    let gate = gate_layers(&registry, &image);
    let one = tank.start(["image", "pull", &name]);
    gate.await_arrivals(2);
    let other = tank.start(["image", "pull", &name]);
    await_second(&registry);
    one.kill();
    gate.open();
    other.finish(SOON).ok();
    assert_pulled(&tank, &name);
    assert_whole(&registry, &tank, &name);
}

#[test]
fn killing_the_one_that_waits_does_not_disturb_the_one_that_works() {
    let (registry, tank) = patient();
    let image = Made::large(2, 400_000);
    let name = registry.serve("same:1", &image);
    let gate = gate_layers(&registry, &image);
    let one = tank.start(["image", "pull", &name]);
    gate.await_arrivals(2);
    let other = tank.start(["image", "pull", &name]);
    await_second(&registry);
    other.kill();
    gate.open();
    one.finish(SOON).ok();
    for layer in &image.layers {
        assert_eq!(registry.count(layer), 1);
    }
    assert_pulled(&tank, &name);
    assert_whole(&registry, &tank, &name);
}

/// Asserts that the layers are what a tank gets that nobody disturbed.
#[track_caller]
fn assert_whole(registry: &FaultRegistry, tank: &Tank, name: &str) {
    registry.behave();
    let undisturbed = super::tank(&registry.settings());
    pull(&undisturbed, name).ok();
    assert_same_layers(tank, &undisturbed);
}

#[test]
fn prune_beside_a_pull_takes_nothing_from_it() {
    let (registry, tank) = patient();
    let image = Made::large(2, 100_000);
    let name = registry.serve("same:1", &image);
    let gate = gate_layers(&registry, &image);
    let pulling = tank.start(["image", "pull", &name]);
    gate.await_arrivals(2);
    tank.run(["image", "prune"]).ok();
    assert_nothing_visible(&tank);
    gate.open();
    pulling.finish(SOON).ok();
    assert_pulled(&tank, &name);
    assert_whole(&registry, &tank, &name);
}

#[test]
fn pull_that_was_told_to_end_ends_and_leaves_nothing_visible() {
    let (registry, tank) = patient();
    let image = Made::large(2, 100_000);
    let name = registry.serve("same:1", &image);
    let gate = gate_layers(&registry, &image);
    let pulling = tank.start(["image", "pull", &name]);
    gate.await_arrivals(2);
    crate::support::pods::send(pulling.pid(), rustix::process::Signal::INT);
    let output = pulling.finish(SOON);
    assert!(!output.status.success(), "{output}");
    assert_nothing_visible(&tank);
    gate.open();
    registry.behave();
    pull(&tank, &name).ok();
    assert_pulled(&tank, &name);
}
