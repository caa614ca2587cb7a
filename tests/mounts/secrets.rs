//! Contents that are nobody's business.

use super::{mount, sh, sleeper};
use crate::support::Tank;

const SECRET: &str = "correct horse battery staple";

fn pod(content: &str) -> String {
    sleeper("web", &mount(&format!("target = '/run/key'\nsecret = true\ncontent = '{content}'")))
}

#[test]
fn the_container_sees_it_and_nobody_else_is_told() {
    let tank = Tank::new();
    let applied = tank.apply(&pod(SECRET)).ok();
    assert_eq!(sh(&tank, "web", "cat /run/key; stat -c %a /run/key"), format!("{SECRET}444\n"));
    let changed = "another secret";
    let file = tank.file("changed.toml", pod(changed));
    let planned = tank.run(["plan", "-f", file.to_str().unwrap()]).ok();
    assert!(planned.stdout.contains("mounts[/run/key].content: *** -> ***"), "{planned}");
    let replaced = tank.run(["apply", "-f", file.to_str().unwrap()]).ok();
    let mut told = vec![applied, planned, replaced];
    for args in [
        &["get", "web"][..],
        &["get", "web", "-o", "json"],
        &["describe", "web"],
        &["describe", "web", "-o", "json"],
        &["list", "-o", "json"],
        &["ps", "-a", "-o", "json"],
        &["history", "web"],
        &["events", "-o", "json"],
        &["plan", "-o", "json"],
    ] {
        told.push(tank.run(args).ok());
    }
    for output in told {
        for secret in [SECRET, changed] {
            assert!(!output.stdout.contains(secret), "{output}");
            assert!(!output.stderr.contains(secret), "{output}");
        }
    }
}

#[test]
fn what_is_masked_can_be_applied_again() {
    let tank = Tank::new();
    tank.apply(&pod(SECRET)).ok();
    let shown = tank.run(["get", "web"]).ok().stdout;
    assert!(shown.contains("content = \"***\""), "{shown}");
    assert!(tank.apply(&shown).ok().stdout.contains("pod/web unchanged"));
    let changed = shown.replace("stop_timeout = \"1s\"", "hostname = \"www\"");
    tank.apply(&changed).ok();
    assert_eq!(sh(&tank, "web", "hostname; cat /run/key"), format!("www\n{SECRET}"));

    let unknown = tank.apply(&shown.replace("name = \"web\"", "name = \"other\"")).exits(2);
    assert!(
        unknown.stderr.contains("has a masked content, and no secret stands for it"),
        "{unknown}"
    );
}

#[test]
fn not_even_the_digest_of_a_file_is_told() {
    let tank = Tank::new();
    tank.file("key", SECRET);
    let mount = mount("target = '/run/key'\nsecret = true\nfile = 'key'");
    tank.apply(&sleeper("web", &mount)).ok();
    assert_eq!(sh(&tank, "web", "cat /run/key"), SECRET);
    let digest = crate::support::made::sha256(SECRET.as_bytes());
    let short = &digest["sha256:".len()..][..12];
    for args in [&["get", "web", "-o", "json"][..], &["describe", "web", "-o", "json"]] {
        let told = tank.run(args).ok();
        assert!(!told.stdout.contains(short), "{told}");
    }
    tank.file("key", "another");
    let file = tank.file("web.toml", sleeper("web", &mount));
    let planned = tank.run(["plan", "-f", file.to_str().unwrap()]).ok();
    assert!(planned.stdout.contains("mounts[/run/key].file: *** -> ***"), "{planned}");
}
