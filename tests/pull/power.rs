//! The power goes. The kernel these tests run on need not have dm-flakey, so the cut is imitated:
//! the root is on a file system in a file, and a copy of that file, taken while it is mounted, has
//! what had been written to the disk by then, and not what was only in memory.

use std::path::PathBuf;

use super::{assert_nothing_visible, assert_pulled, assert_same_layers, configure, pull};
use crate::support::Tank;
use crate::support::fault_registry::{Answer, FaultRegistry, Gate, Step};
use crate::support::made::Made;
use crate::support::pods::SOON;
use crate::support::volume::{Volume, make_ext4};

/// A tank whose root is on a disk of its own.
struct Machine {
    // Unmounted before the tank's directory goes.
    disk: Volume,
    tank: Tank,
    image: PathBuf,
}

impl Machine {
    /// A machine with an empty disk.
    fn new(settings: &str) -> Self {
        let tank = Tank::new();
        let image = tank.dir().join("disk");
        make_ext4(&image, 96 << 20);
        let machine = Self::on(tank, image);
        configure(&machine.tank, settings);
        // The start of a root is not what is tested.
        machine.tank.apply("").status.code().expect("an exit code");
        machine.disk.sync();
        machine
    }

    fn on(tank: Tank, image: PathBuf) -> Self {
        let disk = Volume::in_file(&image, &tank.root());
        Self { disk, tank, image }
    }

    /// The machine as it is after the power went now, and came back.
    fn after_a_power_cut(&self) -> Self {
        let tank = Tank::new();
        let image = tank.dir().join("disk");
        std::fs::copy(&self.image, &image).unwrap();
        Self::on(tank, image)
    }
}

#[test]
fn host_wide_image_that_was_pulled_is_whole_after_a_power_cut() {
    let registry = FaultRegistry::new();
    let image = Made::large(4, 1 << 20);
    let name = registry.serve("large:1", &image);
    let machine = Machine::new(&registry.settings());
    pull(&machine.tank, &name).ok();
    let after = machine.after_a_power_cut();
    // The names under which the blobs arrived may have come back.
    after.tank.run(["image", "prune"]).ok();
    assert_pulled(&after.tank, &name);
    assert_same_layers(&after.tank, &machine.tank);
    pull(&after.tank, &name).ok();
    for layer in &image.layers {
        assert_eq!(registry.count(layer), 1);
    }
}

#[test]
fn host_wide_power_cut_while_pulling_leaves_nothing_visible() {
    let registry = FaultRegistry::new();
    let image = Made::large(3, 1 << 20);
    let name = registry.serve("large:1", &image);
    let machine = Machine::new(&registry.settings());
    // The last layer comes but for its last bytes, when the others may be whole.
    let gate = Gate::new();
    let (blob, at) = (image.layers[2].clone(), gate.clone());
    registry.rule(move |request| {
        if !request.path.ends_with(&blob.digest) || request.range_start().is_some() {
            return None;
        }
        let (most, rest) = blob.content.split_at(blob.content.len() - 100);
        let answer = Answer::new(200).length(blob.content.len()).then(Step::Send(most.to_vec()));
        Some(answer.then(Step::Wait(at.clone())).then(Step::Send(rest.to_vec())))
    });
    let pulling = machine.tank.start(["image", "pull", &name]);
    gate.await_arrivals(1);
    let mut cuts = vec![machine.after_a_power_cut()];
    // What the kernel wrote by itself is no harm.
    machine.disk.sync();
    cuts.push(machine.after_a_power_cut());
    gate.open();
    pulling.finish(SOON).ok();
    for after in cuts {
        assert_nothing_visible(&after.tank);
        pull(&after.tank, &name).ok();
        assert_pulled(&after.tank, &name);
        assert_same_layers(&after.tank, &machine.tank);
    }
}
