//! Machines whose power goes while tank works.
//!
//! The power is cut by killing qemu. What the machine had written to its disk by then is there;
//! what it only had in memory, because nobody had it synced, is not. A disk that loses what it
//! said it had written is not imitated.

use super::image::Image;
use super::told::Told;
use super::{Computer, SLEEPER, pod, script};

/// Three pods, one of which runs the first image.
fn pods(version: u32) -> String {
    let env = format!("env = {{ VERSION = '{version}' }}");
    let keys = "stop_timeout = '5s'\nnetwork = 'none'";
    let plain = |name: &str| pod(name, keys, &format!("{}\n{env}", script(SLEEPER)));
    [plain("one"), plain("two"), of_image("first", keys, &env)].concat()
}

/// A pod that runs an image.
fn of_image(name: &str, keys: &str, container: &str) -> String {
    let image = format!(
        "image = 'localhost/{name}:1'\npull = 'never'\nstop_signal = 'KILL'\n\
         command = ['/bin/busybox', 'sleep', '100000']\n{container}"
    );
    pod(name, keys, &image)
}

/// Asserts that these images are there and no other.
#[track_caller]
fn assert_images(told: &Told, names: &[&str]) {
    let images = told.list("images", "images");
    let mut there: Vec<_> =
        images.iter().map(|image| image["names"][0].as_str().unwrap()).collect();
    there.sort_unstable();
    let names: Vec<_> = names.iter().map(|name| format!("localhost/{name}:1")).collect();
    assert_eq!(there, names, "{images:?}");
}

/// Asserts that the pods run, each in its only life of this version.
#[track_caller]
fn assert_run(told: &Told, pods: &[&str], generation: u64) {
    for name in pods {
        let pod = told.pod(name);
        assert_eq!((&pod["status"], &pod["ready"]), (&"running".into(), &1.into()), "{pod}");
        assert_eq!(pod["generation"], generation, "{pod}");
    }
    assert_eq!(told.list("list", "pods").len(), pods.len());
}

/// Tells what there is of images and pods.
const LEFT: &str = "run left sh -c 'find /disk/root/containers /disk/root/layers /disk/root/logs \
                    /disk/root/blobs/sha256 /run/tank/* -mindepth 1 ! -name .lock; \
                    ps | grep [t]ank-; grep tank /proc/mounts'\n";

#[test]
fn power_cuts_lose_nothing_that_was_done() {
    let (first, second) = (Image::new("first", 1, 100_000), Image::new("second", 4, 1 << 20));
    let other = of_image("second", "network = 'none'", "");
    let computer = Computer::new(&[
        ("first.tar", &first.archive),
        ("second.tar", &second.archive),
        ("pods.toml", pods(1).as_bytes()),
        ("changed.toml", pods(2).as_bytes()),
        ("second.toml", other.as_bytes()),
    ]);
    let sums =
        |image: &str, command: &str| format!("run sums-{image} tank exec {image} -- {command}\n");

    // While the containers of new pods are being made.
    let told = computer.cut(
        "run load tank image load /payload/first.tar\n\
         at 'there /disk/root/containers/*/spec.json' tank apply -f /payload/pods.toml\n",
    );
    told.ok("load");

    // While an image is being unpacked.
    let told = computer.cut(&format!(
        "check first one two\n{}at 'there /disk/root/layers/.pull-*/*' tank image load /payload/second.tar\n",
        sums("first", &first.command)
    ));
    told.assert_recovered();
    assert_images(&told, &["first"]);
    assert_run(&told, &["first", "one", "two"], 1);
    assert_eq!(told.ok("sums-first"), first.sums);

    // Right after an image was loaded.
    let told = computer
        .cut("check first one two\nrun load tank image load /payload/second.tar\nlose_power\n");
    told.assert_recovered();
    assert_images(&told, &["first"]);
    told.ok("load");

    // While pods are being replaced.
    let told = computer.cut(&format!(
        "check first one two\n\
         run inspect tank image inspect localhost/second:1\n\
         old=$(echo /run/tank/containers/* | cut -d ' ' -f 1)\n\
         run apply tank apply -f /payload/second.toml\n{}\
         at '! there \"$old\"' tank apply -f /payload/changed.toml\n",
        sums("second", &second.command)
    ));
    told.assert_recovered();
    assert_images(&told, &["first", "second"]);
    assert_run(&told, &["first", "one", "two"], 1);
    for command in ["inspect", "apply"] {
        told.ok(command);
    }
    assert_eq!(told.ok("sums-second"), second.sums);

    let told = computer.run(&format!(
        "check first one two\n{}{}\
         run version tank exec one -- sh -c 'echo $VERSION'\n\
         run delete tank delete --wait first one second two\n\
         run prune tank image prune --all\n\
         {LEFT}",
        sums("first", &first.command),
        sums("second", &second.command)
    ));
    told.assert_recovered();
    assert_eq!(told.ok("sums-first"), first.sums);
    assert_eq!(told.ok("sums-second"), second.sums);
    assert_eq!(told.ok("version"), "2\n");
    told.ok("delete");
    told.ok("prune");
    assert_eq!(told.of("left").1, "");
}

#[test]
fn power_cuts_of_passes_are_put_right_by_another_one() {
    let plain = pods(1)
        .replace("image = 'localhost/first:1'\npull = 'never'", "rootfs = '/payload/rootfs'");
    let looper =
        pod("looper", "restart = { policy = 'always', initial = '1s' }", &script("exit 1"));
    let computer =
        Computer::new(&[("pods.toml", plain.as_bytes()), ("looper.toml", looper.as_bytes())]);

    // Right after pods were applied.
    let told = computer.cut("run apply tank apply -f /payload/pods.toml\nlose_power\n");
    told.ok("apply");

    // While they are started again.
    computer.cut("at 'there /run/tank/containers/*/status.json' tank reconcile\n");

    // While they are deleted.
    let told = computer.cut(
        "check first one two\n\
         last=$(ls /run/tank/containers | tail -n 1)\n\
         at '! there /run/tank/containers/$last' tank delete first one two\n",
    );
    told.assert_recovered();
    assert_run(&told, &["first", "one", "two"], 1);

    // Restarts come also where no file can be watched (inotify(7)).
    let told = computer.run(&format!(
        "check\necho 0 >/proc/sys/fs/inotify/max_user_instances\n\
         run loop tank apply -f /payload/looper.toml\n\
         until tank ps -a -o json | grep -q '\"attempt\": *3'; do sleep 0.1; done\n\
         run delete tank delete looper\n{LEFT}"
    ));
    told.assert_recovered();
    assert!(told.list("list", "pods").is_empty());
    told.ok("loop");
    told.ok("delete");
    assert_eq!(told.of("left").1, "");
}
