//! A disk that is too small, and one that gets full.

use serde_json::json;

use super::{assert_failed, assert_nothing_left, assert_pulled, configure, pull, unfinished};
use crate::support::Tank;
use crate::support::fault_registry::FaultRegistry;
use crate::support::made::{Made, Packing, noise, tar_of};
use crate::support::volume::Volume;

const MIB: u64 = 1 << 20;

/// A tank on a disk of 48 MiB.
fn small_disk(registry: &FaultRegistry) -> (Tank, Volume) {
    let tank = Tank::new();
    let disk = Volume::in_memory(&tank.root(), 48 * MIB);
    configure(&tank, &registry.settings());
    // The state is made, so that what it takes is taken.
    tank.apply("").status.code().expect("an exit code");
    (tank, disk)
}

#[test]
fn image_that_cannot_fit_is_refused_before_anything_is_fetched() {
    let registry = FaultRegistry::new();
    let image = Made::small().edited(|manifest| {
        manifest["layers"][1]["size"] = json!(2048 * MIB);
    });
    let name = registry.serve("large:1", &image);
    let (tank, disk) = small_disk(&registry);
    let refused = pull(&tank, &name);
    assert_failed(&refused, &["space", &tank.root().display().to_string()]);
    assert!(image.layers.iter().all(|layer| registry.count(layer) == 0));
    assert_nothing_left(&tank);
    drop(disk);
}

#[test]
fn disk_that_gets_full_while_unpacking_is_given_back() {
    let registry = FaultRegistry::new();
    // What comes fits; what it unpacks to does not.
    let repeated = noise(1, 64 << 10).repeat(1200);
    let image = Made::new(&[tar_of(&[("large", &repeated)])], Packing::Zstd);
    let small = Made::small();
    let (name, other) = (registry.serve("large:1", &image), registry.serve("small:1", &small));
    let (tank, disk) = small_disk(&registry);
    let before = disk.free();
    let refused = pull(&tank, &name);
    assert_failed(&refused, &["space", &tank.root().display().to_string()]);
    assert_nothing_left(&tank);
    let lost = before.saturating_sub(disk.free());
    assert!(lost < MIB, "{lost} bytes are gone");
    // What fits is still pulled, and what is there can be removed.
    pull(&tank, &other).ok();
    assert_pulled(&tank, &other);
    tank.run(["image", "rm", &other]).ok();
    drop(disk);
}

#[test]
fn disk_that_gets_full_while_fetching_can_be_cleared() {
    let registry = FaultRegistry::new();
    let (tank, disk) = small_disk(&registry);
    // Less is said to come than will be left once it is unpacked too.
    let size = usize::try_from(disk.free() * 2 / 3).unwrap();
    let image = Made::new(&[tar_of(&[("large", &noise(2, size))])], Packing::Plain);
    let name = registry.serve("large:1", &image);
    let refused = pull(&tank, &name);
    assert_failed(&refused, &["space", &tank.root().display().to_string()]);
    assert_nothing_left(&tank);
    tank.run(["image", "prune"]).ok();
    assert_eq!(unfinished(&tank), Vec::<std::path::PathBuf>::new());
    drop(disk);
}
