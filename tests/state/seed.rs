//! `tank seed` creates what is absent, and changes nothing that is there.

use super::database;
use crate::support::Tank;
use crate::support::fault_registry::FaultRegistry;
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

#[test]
fn seed_skips_what_cannot_be_and_what_depends_on_it() {
    let (tank, registry) = (Tank::new(), FaultRegistry::new());
    std::fs::create_dir_all(tank.root()).unwrap();
    std::fs::write(tank.root().join("config.toml"), registry.settings()).unwrap();
    let absent = format!("{}/nobody/has:it", registry.host());
    let on = |name: &str, other: &str| {
        sleeper(name).replacen("network", &format!("depends_on = ['{other}']\nnetwork"), 1)
    };
    let image = format!(
        "name = 'image'\nnetwork = 'none'\n[[containers]]\nname = 'app'\nimage = '{absent}'\n"
    );
    let seeds = [
        ("absent", on("absent", "nobody")),
        ("follows", on("follows", "absent")),
        ("image", image.clone()),
        ("never", image.replace("'image'", "'never'") + "pull = 'never'\n"),
        ("web", sleeper("web")),
        ("after", on("after", "web")),
    ];
    let mut args = vec!["seed".to_owned()];
    for (name, pod) in &seeds {
        let file = tank.file(&format!("{name}.toml"), pod);
        args.extend(["-f".to_owned(), file.display().to_string()]);
    }
    let seeded = tank.run(&args);
    assert_eq!(seeded.status.code(), Some(1), "{seeded}");
    let said = [
        &format!("pull: cannot pull {absent}: "),
        "pod/absent: create: pod absent depends on pod nobody, which does not exist",
        "pod/follows: create: pod follows depends on pod absent, which does not exist",
        &format!("pod/image: create: container app: image {absent} is not on this machine"),
        &format!("pod/never: create: container app: image {absent} is not on this machine"),
    ];
    for line in said {
        assert!(seeded.stderr.contains(&format!("tank: error: {line}")), "{line}\n{seeded}");
    }
    assert!(seeded.stdout.ends_with("planned 4, executed 4, failed 5\n"), "{seeded}");
    for there in ["web", "after"] {
        tank.pid(there);
    }
    let listed = tank.run(["list", "-o", "json"]).ok().json();
    assert_eq!(listed["pods"].as_array().unwrap().len(), 2, "{listed}");
}
