//! `tank seed` creates what is absent, and changes nothing that is there.

use super::database;
use crate::support::Tank;
use crate::support::pods::sleeper;

#[test]
fn seed_never_changes_a_pod_that_exists() {
    let tank = Tank::new();
    tank.apply(&sleeper("web")).ok();
    let (pid, before) = (tank.pid("web"), database(&tank));
    let other = tank.file("web.toml", sleeper("web") + "env = { A = '1' }\n");
    tank.run(["seed", "-f", other.to_str().unwrap()]).ok();
    assert_eq!(tank.pid("web"), pid);
    assert_eq!(tank.listed("web")["generation"], 1);
    assert!(database(&tank) == before, "the database was written");
    assert!(!tank.run(["get", "web"]).ok().stdout.contains("env"));
}

#[test]
fn seed_creates_what_is_absent_and_skips_what_is_invalid() {
    let tank = Tank::new();
    let dir = tank.dir().join("seeds");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("bad.toml"), "name = 'bad'\nnetwrk = 'none'\n").unwrap();
    std::fs::write(dir.join("web.toml"), sleeper("web")).unwrap();
    let seeded = tank.run(["seed", "-f", dir.to_str().unwrap()]);
    assert!(seeded.stderr.contains("netwrk"), "{seeded}");
    assert!(seeded.stdout.contains("pod/web created\n"), "{seeded}");
    tank.pid("web");
    tank.run(["get", "bad"]).exits(3);
}
