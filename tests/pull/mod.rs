//! Images from registries: pulled, run, refused, interrupted.
//!
//! The registries are Debian's `docker-registry` where it matters that they are real, and one of
//! the tests' own where something goes wrong on purpose.

mod bombs;
mod credentials;
mod faults;
mod formats;
mod interrupted;
mod once;
mod platforms;
mod policy;
mod power;
mod progress;
mod registries;
mod space;
mod transfers;

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::support::Tank;
use crate::support::fault_registry::{Answer, FaultRegistry, Request};
use crate::support::made::{Blob, Made, Packing, noise, tar_of};
use crate::support::program::Output;
use crate::support::tree::tree;

/// What registries that fail on purpose are given, so that nothing takes long.
const HASTY: &str = "[images]\nretries = 3\nstall_timeout = \"1s\"\n";

/// A tank whose `config.toml` says this.
fn tank(settings: &str) -> Tank {
    let tank = Tank::new();
    configure(&tank, settings);
    tank
}

/// Writes `config.toml`.
fn configure(tank: &Tank, settings: &str) {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(tank.root()).unwrap();
    fs::write(tank.root().join("config.toml"), settings).unwrap();
}

/// A registry that fails on purpose, and a tank that knows it.
fn hasty() -> (FaultRegistry, Tank) {
    let registry = FaultRegistry::new();
    let tank = tank(&format!("{}{HASTY}", registry.settings()));
    (registry, tank)
}

#[must_use = "assert how it ended"]
#[track_caller]
fn pull(tank: &Tank, name: &str) -> Output {
    tank.run(["image", "pull", name])
}

/// A pod file of one container of an image, with more keys of the container.
fn pod(image: &str, container: &str) -> String {
    format!(
        "name = 'web'\nnetwork = 'none'\nrestart = 'always'\nstop_timeout = '1s'\n\
         [[containers]]\nname = 'app'\nimage = '{image}'\n\
         command = ['/bin/sh', '-c', 'trap \"exit 0\" TERM; sleep 1000 & wait']\n{container}\n"
    )
}

/// The images that are listed.
#[track_caller]
fn images(tank: &Tank) -> Vec<Value> {
    let listed = tank.run(["image", "list", "-o", "json"]).ok().json();
    listed["images"].as_array().expect("images").clone()
}

#[track_caller]
fn inspect(tank: &Tank, name: &str) -> Value {
    tank.run(["image", "inspect", name, "-o", "json"]).ok().json()
}

/// The names in a directory under the root, but that of the lock.
fn names(tank: &Tank, dir: &str) -> Vec<String> {
    let read = fs::read_dir(tank.root().join(dir)).into_iter().flatten().map(Result::unwrap);
    let names = read.map(|entry| entry.file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name != ".lock").collect();
    names.sort();
    names
}

/// What is there of layers that are not whole: staging directories, and blobs that are not
/// complete.
fn unfinished(tank: &Tank) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for dir in ["layers", "blobs/sha256"] {
        let is_whole = |name: &String| name.len() == 64 && !name.contains('.');
        let names = names(tank, dir).into_iter().filter(|name| !is_whole(name));
        found.extend(names.map(|name| PathBuf::from(dir).join(name)));
    }
    found
}

/// Asserts that no image is to be seen, and no layer.
#[track_caller]
fn assert_nothing_visible(tank: &Tank) {
    assert_eq!(images(tank), Vec::<Value>::new());
    let layers = names(tank, "layers").into_iter().filter(|name| !name.starts_with('.'));
    assert_eq!(layers.collect::<Vec<_>>(), Vec::<String>::new());
}

/// Asserts that nothing is to be seen and nothing was left, except the beginnings of blobs, which
/// the next attempt goes on with.
#[track_caller]
fn assert_nothing_left(tank: &Tank) {
    assert_nothing_visible(tank);
    let left = unfinished(tank).into_iter();
    let left: Vec<_> =
        left.filter(|path| path.extension().is_none_or(|e| e != "partial")).collect();
    assert_eq!(left, Vec::<PathBuf>::new());
}

/// Asserts that the image is there under this name, whole, and nothing unfinished beside it.
#[track_caller]
fn assert_pulled(tank: &Tank, name: &str) {
    let images = images(tank);
    assert!(images.iter().any(|image| image["names"][0] == name), "{images:?}");
    assert_eq!(unfinished(tank), Vec::<PathBuf>::new());
}

/// Asserts that a command failed, said all of this, and did not panic.
#[track_caller]
fn assert_failed(output: &Output, parts: &[&str]) {
    assert!(matches!(output.status.code(), Some(1..=3)), "{output}");
    let told = output.stderr.to_lowercase();
    for part in parts {
        assert!(told.contains(&part.to_lowercase()), "no {part:?} in\n{output}");
    }
    assert!(!told.contains("panicked"), "{output}");
}

/// Asserts that two tanks have the same layers, entry by entry.
#[track_caller]
fn assert_same_layers(one: &Tank, other: &Tank) {
    assert_eq!(names(one, "layers"), names(other, "layers"));
    for layer in names(one, "layers") {
        let [one, other] = [one, other].map(|tank| tree(&tank.root().join("layers").join(&layer)));
        assert!(!one.is_empty());
        for (path, line) in &one {
            assert_eq!(Some(line), other.get(path), "{layer}: {}", path.display());
        }
        assert_eq!(one.len(), other.len(), "{layer}");
    }
}

/// How long a pull that gives up may take, with three repetitions and a second of patience.
const PATIENCE: Duration = Duration::from_secs(25);

/// An image of one layer of some size.
fn one_layer() -> Made {
    Made::new(&[tar_of(&[("file", &noise(5, 300_000))])], Packing::Gzip)
}

/// Serves [`one_layer`]; gives its name and its layer.
fn serve(registry: &FaultRegistry) -> (String, Blob) {
    let image = one_layer();
    (registry.serve("app:1", &image), image.layers[0].clone())
}

/// A rule for the requests of one blob.
fn of_blob(
    blob: &Blob,
    answer: impl Fn(&Request, &[u8]) -> Answer + Send + Sync + 'static,
) -> impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static {
    let blob = blob.clone();
    move |request| request.path.ends_with(&blob.digest).then(|| answer(request, &blob.content))
}

/// Pulls, and asserts that it fails in time, names these, and leaves nothing.
#[track_caller]
fn assert_gives_up(tank: &Tank, name: &str, parts: &[&str]) {
    let output = pull(tank, name);
    assert_failed(&output, parts);
    assert!(output.elapsed < PATIENCE, "{output}");
    assert_nothing_left(tank);
}

/// Pulls, and asserts that it works in time.
#[track_caller]
fn assert_gets(tank: &Tank, name: &str) {
    let output = pull(tank, name).ok();
    assert!(output.elapsed < PATIENCE, "{output}");
    assert_pulled(tank, name);
}
