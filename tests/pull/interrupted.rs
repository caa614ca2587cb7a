//! `kill -9` at ten moments of a pull: the next one goes on from there.

use super::{assert_nothing_visible, assert_pulled, assert_same_layers, names, pull, tank};
use crate::support::fault_registry::{Answer, FaultRegistry, Gate, Step};
use crate::support::made::{Made, Packing, noise, tar_of};
use crate::support::pods::SOON;
use crate::support::{Tank, wait};

/// How often the pull is killed.
const MOMENTS: usize = 10;

/// What one attempt gets of the layer before it gets no more.
const SHARE: usize = 400_000;

/// The bytes of blobs that are kept for the next attempt.
fn kept(tank: &Tank) -> u64 {
    let partial = names(tank, "blobs/sha256").into_iter().filter(|name| name.ends_with(".partial"));
    let dir = tank.root().join("blobs/sha256");
    partial.map(|name| std::fs::metadata(dir.join(name)).map_or(0, |file| file.len())).sum()
}

/// An image of one layer that comes in as many shares as there are moments, and a bit.
fn image() -> Made {
    let content = noise(7, SHARE / 2);
    let names: Vec<_> = (0..2 * MOMENTS + 1).map(|n| format!("dir/file{n}")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), content.as_slice())).collect();
    Made::new(&[tar_of(&files)], Packing::Plain)
}

/// Gives every request for the layer one share of what it asks for, then lets it wait.
fn deal_in_shares(registry: &FaultRegistry, image: &Made) -> Gate {
    let gate = Gate::new();
    let (blob, at) = (image.layers[0].clone(), gate.clone());
    registry.rule(move |request| {
        if !request.path.ends_with(&blob.digest) {
            return None;
        }
        let from = usize::try_from(request.range_start().unwrap_or(0)).unwrap();
        let rest = &blob.content[from..];
        let (share, later) = rest.split_at(SHARE.min(rest.len()));
        let total = blob.content.len();
        let answer = match request.range_start() {
            Some(_) => Answer::new(206)
                .header("Content-Range", format!("bytes {from}-{}/{total}", total - 1)),
            None => Answer::new(200),
        };
        let answer = answer.length(rest.len()).then(Step::Send(share.to_vec()));
        Some(answer.then(Step::Wait(at.clone())).then(Step::Send(later.to_vec())))
    });
    gate
}

#[test]
fn killed_at_ten_moments_a_pull_goes_on_where_it_was() {
    let registry = FaultRegistry::new();
    let image = image();
    let name = registry.serve("large:1", &image);
    let gate = deal_in_shares(&registry, &image);
    let tank = tank(&registry.settings());
    for moment in 1..=MOMENTS {
        let had = kept(&tank);
        let pulling = tank.start(["image", "pull", &name]);
        gate.await_arrivals(moment);
        // Most of what was sent has been kept; some may still be on its way.
        let wanted = had + SHARE as u64 / 2;
        wait::until("the share to be kept", SOON, || (kept(&tank) >= wanted).then_some(()));
        pulling.kill();
        assert_nothing_visible(&tank);
        assert!(kept(&tank) >= wanted);
    }
    gate.open();
    pull(&tank, &name).ok();
    assert_pulled(&tank, &name);

    let log = registry.log();
    let asked: Vec<_> = log.iter().filter(|asked| asked.is_for(&image.layers[0].digest)).collect();
    let starts: Vec<_> = asked.iter().map(|asked| asked.request.range_start()).collect();
    assert_eq!(starts.len(), MOMENTS + 1, "{starts:?}");
    assert_eq!(starts[0].unwrap_or(0), 0, "{starts:?}");
    assert!(
        starts.windows(2).all(|pair| pair[0].unwrap_or(0) < pair[1].unwrap_or(0)),
        "{starts:?}"
    );

    registry.behave();
    let undisturbed = super::tank(&registry.settings());
    pull(&undisturbed, &name).ok();
    assert_same_layers(&tank, &undisturbed);
}

#[test]
fn killed_before_the_first_byte_a_pull_starts_anew() {
    let (registry, image) = (FaultRegistry::new(), Made::small());
    let name = registry.serve("small:1", &image);
    let tank = tank(&registry.settings());
    for path in ["/manifests/1".to_owned(), image.config.digest.clone()] {
        let gate = Gate::new();
        let at = gate.clone();
        registry.rule(move |request| {
            let waits = Answer::new(200).length(1).then(Step::Wait(at.clone()));
            (request.method == "GET" && request.path.ends_with(&path)).then_some(waits)
        });
        let pulling = tank.start(["image", "pull", &name]);
        gate.await_arrivals(1);
        pulling.kill();
        registry.behave();
        assert_nothing_visible(&tank);
    }
    pull(&tank, &name).ok();
    assert_pulled(&tank, &name);
}

#[test]
fn what_was_kept_but_is_not_right_is_fetched_again() {
    let registry = FaultRegistry::new();
    let image = image();
    let name = registry.serve("large:1", &image);
    let gate = deal_in_shares(&registry, &image);
    let tank = tank(&registry.settings());
    let pulling = tank.start(["image", "pull", &name]);
    gate.await_arrivals(1);
    wait::until("some of it to be kept", SOON, || (kept(&tank) > 1000).then_some(()));
    pulling.kill();
    let partial = names(&tank, "blobs/sha256").into_iter().find(|name| name.ends_with(".partial"));
    let partial = tank.root().join("blobs/sha256").join(partial.unwrap());
    let mut bytes = std::fs::read(&partial).unwrap();
    bytes[700] ^= 1;
    std::fs::write(&partial, bytes).unwrap();
    gate.open();
    // The first attempt may only find out; then it must not stay so.
    let first = pull(&tank, &name);
    assert!(matches!(first.status.code(), Some(0..=3)), "{first}");
    pull(&tank, &name).ok();
    assert_pulled(&tank, &name);
}

#[test]
fn registry_that_knows_no_ranges_sends_all_of_it_again() {
    let registry = FaultRegistry::new();
    let tar = tar_of(&[("file", &noise(3, 500_000))]);
    let image = Made::new(&[tar], Packing::Gzip);
    let blob = image.layers[0].clone();
    let name = registry.serve("whole:1", &image);
    let whole = blob.clone();
    registry.rule(move |request| {
        request.path.ends_with(&whole.digest).then(|| Answer::with(200, whole.content.clone()))
    });
    let cut = blob.clone();
    registry.rule_times(1, move |request| {
        let half = cut.content[..cut.content.len() / 2].to_vec();
        let answer = Answer::new(200).length(cut.content.len()).then(Step::Send(half));
        request.path.ends_with(&cut.digest).then_some(answer)
    });
    let tank = tank(&registry.settings());
    pull(&tank, &name).ok();
    assert_pulled(&tank, &name);
    assert_eq!(registry.count(&blob), 2);
}

#[test]
fn registry_that_sends_another_range_than_asked_for_is_not_believed() {
    let registry = FaultRegistry::new();
    let image = Made::new(&[tar_of(&[("file", &noise(4, 500_000))])], Packing::Gzip);
    let name = registry.serve("ranges:1", &image);
    let (digest, content) = (image.layers[0].digest.clone(), image.layers[0].content.clone());
    registry.rule(move |request| {
        if !request.path.ends_with(&digest) {
            return None;
        }
        let total = content.len();
        if request.range_start().is_none_or(|start| start == 0) {
            let half = content[..total / 2].to_vec();
            return Some(Answer::new(200).length(total).then(Step::Send(half)));
        }
        // The start of the blob, called its end.
        let start = usize::try_from(request.range_start()?).ok()?;
        let lies = content[..total - start].to_vec();
        Some(Answer::with(206, lies).header("Content-Range", format!("bytes 0-9/{total}")))
    });
    let tank = tank(&format!("{}{}", registry.settings(), super::HASTY));
    super::assert_failed(&pull(&tank, &name), &[registry.host().as_str()]);
    super::assert_nothing_left(&tank);
    registry.behave();
    pull(&tank, &name).ok();
    assert_pulled(&tank, &name);
}
