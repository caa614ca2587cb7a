//! What a container sees of an image is, entry by entry, what `umoci unpack` makes of it.

mod compare;
mod made_up;

use std::path::Path;

use super::{load, pod};
use crate::support::Tank;
use crate::support::fixtures::{self, tool};
use compare::assert_same;

const BUSYBOX: &str = "['/bin/busybox', 'sleep', '1000']";

/// Runs the image in `layout` and compares the root that its container sees with what umoci makes
/// of the same image, in `for_umoci` if umoci cannot read the other form.
///
/// `copies` are hard links to files of lower layers, which overlayfs can only have as copies.
#[track_caller]
fn is_what_umoci_unpacks(layout: &Path, for_umoci: &Path, program: &str, copies: &[&str]) {
    let tank = Tank::new();
    load(&tank, layout);
    tank.apply(&pod("latest", &format!("command = {program}"))).ok();
    let seen = format!("/proc/{}/root", tank.pid("web"));
    let bundle = tank.dir().join("bundle");
    let image = format!("{}:latest", for_umoci.display());
    tool("umoci", "umoci", &["unpack", "--image", &image, bundle.to_str().unwrap()]);
    assert_same(Path::new(&seen), &bundle.join("rootfs"), copies);
    tank.run(["delete", "web"]).ok();
}

#[test]
fn busybox_of_umoci() {
    let layout = fixtures::busybox_image().layout();
    is_what_umoci_unpacks(&layout, &layout, BUSYBOX, &[]);
}

#[test]
fn busybox_of_skopeo_with_zstd() {
    let image = fixtures::busybox_image();
    is_what_umoci_unpacks(&image.zstd_layout(), &image.layout(), BUSYBOX, &[]);
}

#[test]
fn buildah() {
    let layout = fixtures::buildah_layout();
    is_what_umoci_unpacks(&layout, &layout, BUSYBOX, &[]);
}

#[test]
fn debian() {
    let layout = fixtures::debian_redis_layout();
    is_what_umoci_unpacks(&layout, &layout, "['/bin/sleep', '1000']", &[]);
}

#[test]
fn everything_there_is_in_many_layers() {
    let dir = tempfile::tempdir().unwrap();
    let [layout, for_umoci] =
        [("a", false), ("b", true)].map(|(name, is)| made_up::image(&dir.path().join(name), is));
    is_what_umoci_unpacks(&layout, &for_umoci, BUSYBOX, made_up::COPIES);
}

#[test]
fn one_platform_of_an_index() {
    let dir = tempfile::tempdir().unwrap();
    let image = fixtures::busybox_image().layout();
    is_what_umoci_unpacks(&made_up::index(dir.path(), &image), &image, BUSYBOX, &[]);
}
