//! Fifty commands at once over ten pods, with `kill -9` of commands, containers and monitors: each
//! ends in a way that is documented, and afterwards one pass puts everything right, and nothing is
//! left that should not be.
//!
//! `TANK_CHAOS_SECONDS` says how long the storm lasts, `TANK_CHAOS_SEED` which one it is.

mod calm;
mod cast;
mod choice;
mod order;
mod register;
mod storm;
mod strike;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::choice::Choice;
use self::storm::Storm;
use crate::support::namespace::Namespace;
use crate::support::{Tank, fixtures};

/// How long the storm lasts unless somebody says otherwise.
const SECONDS: u64 = 15;

#[test]
fn many_commands_at_once_some_of_which_are_killed() {
    let seconds = number("TANK_CHAOS_SECONDS").unwrap_or(SECONDS);
    let seed = number("TANK_CHAOS_SEED").unwrap_or_else(choice::seed);
    println!("TANK_CHAOS_SEED={seed}");
    let tank = Tank::inside(&Namespace::new());
    let sign = tank.dir().join("storm");
    fs::create_dir(&sign).unwrap();
    let image = fixtures::busybox_image().docker_archive();
    tank.run(["image", "load", image.to_str().unwrap()]).ok();

    // Everything once, so that what is made once for all is there before the worlds are compared.
    let (pods, all) = files(&tank, &sign);
    tank.run(["apply", "-f", all.to_str().unwrap()]).ok();
    let names: Vec<_> = (0..cast::PODS).map(cast::name).chain([cast::BYSTANDER.into()]).collect();
    let delete: Vec<_> = ["delete".to_owned()].into_iter().chain(names).collect();
    tank.run(&delete).ok();
    let empty = calm::shape(&tank.settled());
    tank.run(["apply", "-f", all.to_str().unwrap()]).ok();
    calm::bring_back(&tank, &pods);
    let full = calm::shape(&tank.world());
    let bystander = bystander(&tank);

    let mut storm = Storm::new(&tank, Choice::new(seed), &sign);
    fs::write(sign.join("on"), "").unwrap();
    storm.rage(Duration::from_secs(seconds));
    fs::remove_file(sign.join("on")).unwrap();
    println!("{}", storm.told());
    assert!(storm.wrong.is_empty(), "{}", storm.wrong.join("\n"));

    calm::await_silence(&tank);
    calm::assert_converges(&tank);
    calm::assert_desired(&tank, &storm.fates);
    calm::bring_back(&tank, &pods);
    let left = calm::differences(&full, &calm::shape(&tank.world()));
    assert!(left.is_empty(), "another world than before the storm:\n{}", left.join("\n"));
    assert_eq!(bystander, self::bystander(&tank));

    tank.run(&delete).ok();
    let left = calm::differences(&empty, &calm::shape(&tank.settled()));
    assert!(left.is_empty(), "another world than before the pods:\n{}", left.join("\n"));
}

/// The lives of the pod that nobody touched, and how many files its monitor has open.
fn bystander(tank: &Tank) -> (Vec<serde_json::Value>, usize) {
    let monitor = tank.monitor(cast::BYSTANDER);
    let open = fs::read_dir(format!("/proc/{monitor}/fd")).unwrap().count();
    (tank.lives(cast::BYSTANDER), open)
}

/// What a variable of the environment says.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect(name))
}

/// The file of the ten pods, and that of the bystander too.
fn files(tank: &Tank, sign: &Path) -> (PathBuf, PathBuf) {
    let pods: String = (0..cast::PODS).map(|n| cast::table(n, 0, sign)).collect();
    let all = format!("{pods}{}", cast::bystander());
    (tank.file("pods.toml", pods), tank.file("all.toml", all))
}
