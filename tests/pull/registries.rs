//! Debian's registry, filled by skopeo and buildah: open, with a password, over TLS.

use super::{
    assert_failed, assert_nothing_visible, assert_pulled, images, inspect, pod, pull, tank,
};
use crate::support::fixtures;
use crate::support::registry::{Access, PASSWORD, Registry, USER};

/// Pulls, looks at the image, runs a pod of it, and pulls again, which changes nothing.
#[track_caller]
fn pulls_and_runs(tank: &crate::support::Tank, registry: &Registry, name: &str) {
    pull(tank, name).ok();
    assert_pulled(tank, name);
    let listed = images(tank);
    assert_eq!(listed[0]["digest"], registry.digest(name), "{listed:?}");
    assert_eq!(listed[0]["platform"], "linux/amd64", "{listed:?}");
    let image = inspect(tank, name);
    assert!(!image["layers"].as_array().unwrap().is_empty(), "{image}");
    tank.apply(&pod(name, "")).ok();
    let told = tank.run(["exec", "web", "--", "cat", "/www/index.html"]).ok();
    assert_eq!(told.stdout, "served by busybox\n");
    tank.run(["delete", "web"]).ok();
    let files = tank.world().files;
    pull(tank, name).ok();
    assert_eq!(tank.world().files, files);
}

#[test]
fn open_registry() {
    let registry = Registry::new(Access::Open);
    let tank = tank(&registry.settings());
    let image = fixtures::busybox_image();
    let name = registry.push(&image.layout(), "shop/busybox:1", &[]);
    pulls_and_runs(&tank, &registry, &name);
    // A whiteout and an opaque directory were the image's.
    tank.apply(&pod(&name, "")).ok();
    let told = tank.run(["exec", "web", "--", "ls", "/www", "/opaque"]).ok().stdout;
    assert!(!told.contains("removed") && !told.contains("lower"), "{told}");
}

#[test]
fn registry_with_a_password() {
    let registry = Registry::new(Access::Password);
    let tank = tank(&registry.settings());
    let name = registry.push(&fixtures::buildah_layout(), "built:1", &[]);
    assert_failed(&pull(&tank, &name), &[registry.host(), "401"]);
    assert_nothing_visible(&tank);
    let login = ["login", "-u", USER, "--password-stdin", registry.host()];
    let _ = tank.run_with(&mut tank.command(login), PASSWORD.as_bytes()).ok();
    pulls_and_runs(&tank, &registry, &name);
}

#[test]
fn registry_over_tls_with_a_private_authority() {
    let registry = Registry::new(Access::Tls);
    let name = registry.push(&fixtures::busybox_image().zstd_layout(), "busybox:zstd", &[]);
    // Nobody vouches for it, and nobody said that it may be spoken to in the clear.
    let stranger = tank("[images]\nretries = 0\n");
    assert_failed(&pull(&stranger, &name), &[registry.host(), "certificate"]);
    let known = tank(&registry.settings());
    pulls_and_runs(&known, &registry, &name);
}

#[test]
fn authority_that_cannot_be_read_is_named() {
    let registry = Registry::new(Access::Tls);
    let name = registry.push(&fixtures::buildah_layout(), "built:1", &[]);
    let tank = tank("[registries]\nca_certificates = [\"/no/such/authority.pem\"]\n");
    assert_failed(&pull(&tank, &name), &["/no/such/authority.pem"]);
}

#[test]
fn plain_http_is_spoken_only_where_it_is_allowed() {
    let registry = Registry::new(Access::Open);
    let name = registry.push(&fixtures::buildah_layout(), "built:1", &[]);
    let tank = tank("[images]\nretries = 0\n");
    assert_failed(&pull(&tank, &name), &[registry.host()]);
    assert_nothing_visible(&tank);
}

#[test]
fn mirror_is_asked_first_and_the_image_keeps_its_name() {
    let registry = Registry::new(Access::Open);
    let _ = registry.push(&fixtures::buildah_layout(), "library/built:1", &[]);
    let settings = format!(
        "{}[registries.mirrors]\n\"docker.io\" = [\"{}\"]\n",
        registry.settings(),
        registry.host()
    );
    let tank = tank(&settings);
    pull(&tank, "built:1").ok();
    assert_pulled(&tank, "docker.io/library/built:1");
}

#[test]
fn mirror_that_has_not_got_it_is_passed_over() {
    let (registry, mirror) = (Registry::new(Access::Open), Registry::new(Access::Open));
    let name = registry.push(&fixtures::buildah_layout(), "built:1", &[]);
    let settings = format!(
        "[registries]\ninsecure = [\"{0}\", \"{1}\"]\n[registries.mirrors]\n\"{0}\" = [\"{1}\"]\n",
        registry.host(),
        mirror.host()
    );
    let tank = tank(&settings);
    pull(&tank, &name).ok();
    assert_pulled(&tank, &name);
}

#[test]
fn what_the_registry_has_not_got_is_not_found() {
    let registry = Registry::new(Access::Open);
    let tank = tank(&registry.settings());
    let name = format!("{}/no/such/image:7", registry.host());
    let output = pull(&tank, &name);
    assert_failed(&output, &[&name]);
    output.exits(3);
}

#[test]
fn name_that_is_none_is_refused_before_anything_is_asked() {
    let tank = tank("");
    for bad in ["http://127.0.0.1/a", "UPPER", "a@sha256:short", ""] {
        let _ = pull(&tank, bad).exits(2);
    }
}
