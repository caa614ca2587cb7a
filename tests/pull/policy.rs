//! `pull = "missing"`, `"always"` and `"never"`, and tags that move.

use rustix::process::Signal;

use super::{assert_failed, assert_pulled, images, pod, pull, tank};
use crate::support::pods::{runs, send};
use crate::support::registry::{Access, Registry};
use crate::support::{Tank, fixtures};

/// A registry that anybody may read, and a tank that knows of it.
fn scene() -> (Registry, Tank) {
    let registry = Registry::new(Access::Open);
    let tank = tank(&registry.settings());
    (registry, tank)
}

/// Pushes the first image to the tag `app:1`; gives its full name and its digest.
fn first(registry: &Registry) -> (String, String) {
    let name = registry.push(&fixtures::busybox_image().layout(), "app:1", &[]);
    let digest = registry.digest(&name);
    (name, digest)
}

/// Moves the tag to the second image; gives its digest.
fn second(registry: &Registry) -> String {
    let name = registry.push(&fixtures::buildah_layout(), "app:1", &[]);
    registry.digest(&name)
}

/// Whether the pod's container runs on the first image, which alone has this file.
#[track_caller]
fn is_first(tank: &Tank) -> bool {
    match tank.run(["exec", "web", "--", "ls", "/opaque/upper"]).status.code() {
        Some(0) => true,
        Some(1) => false,
        other => panic!("{other:?}"),
    }
}

#[test]
fn missing_image_is_pulled_and_then_it_is_not_missing() {
    let (registry, tank) = scene();
    let (name, digest) = first(&registry);
    tank.apply(&pod(&name, "")).ok();
    assert_pulled(&tank, &name);
    assert_eq!(images(&tank)[0]["digest"], digest);
    let pid = tank.pid("web");
    // A tag that moved is no change, and the registry is not even asked.
    second(&registry);
    drop(registry);
    let again = tank.apply(&pod(&name, "")).ok();
    assert!(again.stdout.contains("unchanged"), "{again}");
    assert_eq!(tank.pid("web"), pid);
    assert!(is_first(&tank));
}

#[test]
fn never_is_never() {
    let (registry, tank) = scene();
    let (name, _) = first(&registry);
    let refused = tank.apply(&pod(&name, "pull = 'never'"));
    assert_failed(&refused, &[&name]);
    assert_eq!(images(&tank), Vec::<serde_json::Value>::new());
    pull(&tank, &name).ok();
    tank.apply(&pod(&name, "pull = 'never'")).ok();
    assert!(is_first(&tank));
}

#[test]
fn always_sees_a_tag_that_moved_and_says_from_where_to_where() {
    let (registry, tank) = scene();
    let (name, old) = first(&registry);
    let file = tank.file("pod.toml", pod(&name, "pull = 'always'"));
    let file = file.to_str().unwrap();
    tank.run(["apply", "-f", file]).ok();
    let pid = tank.pid("web");

    let new = second(&registry);
    let plan = tank.run(["plan", "-f", file]).ok().stdout;
    let change = plan.lines().find(|line| line.contains("image"));
    let change = change.unwrap_or_else(|| panic!("no change of the image in\n{plan}"));
    assert!(change.contains(cut(&old)) && change.contains(cut(&new)), "{plan}");
    assert_eq!(tank.pid("web"), pid, "a plan does nothing");

    // What ends by itself comes back as it was: only apply changes what is desired.
    send(pid, Signal::KILL);
    tank.await_life("a second life", "web", |life| runs(life, 2));
    assert!(is_first(&tank));
    tank.run(["reconcile"]).ok();
    assert!(is_first(&tank));

    let applied = tank.run(["apply", "-f", file]).ok();
    assert!(applied.stdout.contains("configured"), "{applied}");
    assert!(!is_first(&tank));
}

/// The first digits of a digest, as few as may be shown.
fn cut(digest: &str) -> &str {
    &digest[.."sha256:".len() + 6]
}

#[test]
fn always_of_a_tag_that_did_not_move_is_unchanged_and_writes_nothing() {
    let (registry, tank) = scene();
    let (name, _) = first(&registry);
    tank.apply(&pod(&name, "pull = 'always'")).ok();
    let (pid, files) = (tank.pid("web"), tank.world().files);
    let database = || std::fs::read(tank.root().join("state.db-wal")).unwrap();
    let before = database();
    let again = tank.apply(&pod(&name, "pull = 'always'")).ok();
    assert!(again.stdout.contains("unchanged"), "{again}");
    assert!(database() == before, "the database was written");
    assert_eq!(tank.world().files, files);
    assert_eq!(tank.pid("web"), pid);
}

#[test]
fn always_without_its_registry_changes_nothing() {
    let (registry, tank) = scene();
    let (name, _) = first(&registry);
    tank.apply(&pod(&name, "pull = 'always'")).ok();
    let (pid, host) = (tank.pid("web"), registry.host().to_owned());
    drop(registry);
    super::configure(&tank, &format!("[registries]\ninsecure = ['{host}']\n[images]\nretries = 0"));
    assert_failed(&tank.apply(&pod(&name, "pull = 'always'")), &[&host]);
    assert_eq!(tank.pid("web"), pid);
    // What is desired is known: nobody needs to be asked.
    tank.run(["reconcile"]).ok();
    assert_eq!(tank.pid("web"), pid);
}

#[test]
fn pull_moves_the_tag_here_but_not_the_pod() {
    let (registry, tank) = scene();
    let (name, _) = first(&registry);
    tank.apply(&pod(&name, "")).ok();
    let pid = tank.pid("web");
    let new = second(&registry);
    pull(&tank, &name).ok();
    let named: Vec<_> = images(&tank);
    let named = named.iter().find(|image| image["names"][0] == name).expect("the name");
    assert_eq!(named["digest"], new);
    tank.run(["reconcile"]).ok();
    assert_eq!(tank.pid("web"), pid);
    send(pid, Signal::KILL);
    tank.await_life("a second life", "web", |life| runs(life, 2));
    assert!(is_first(&tank));
}

#[test]
fn digest_is_what_runs_whatever_the_tag() {
    let (registry, tank) = scene();
    let (name, digest) = first(&registry);
    second(&registry);
    let repository = name.strip_suffix(":1").unwrap();
    let by_digest = format!("{repository}@{digest}");
    tank.apply(&pod(&by_digest, "pull = 'always'")).ok();
    assert!(is_first(&tank));
    assert_eq!(images(&tank)[0]["digest"], digest);
    let with_tag = format!("{name}@{digest}");
    pull(&tank, &with_tag).ok();
    let wrong = format!("{repository}@sha256:{}", "0".repeat(64));
    assert_failed(&pull(&tank, &wrong), &[&wrong]);
}
