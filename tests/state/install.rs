//! `tank install`.

use std::fs;

use crate::support::Tank;

#[test]
fn files_for_systemd_and_cron_run_a_pass_over_this_root() {
    let tank = Tank::new();
    let prefix = tank.dir().join("machine");
    let words = |scheduler: &str| {
        let prefix = prefix.to_str().unwrap();
        ["install", scheduler, "--prefix", prefix].map(str::to_owned)
    };
    let preview = tank.run(words("--systemd").iter().chain(&["--dry-run".to_owned()])).ok();
    assert!(preview.stdout.contains("[Service]") && !prefix.exists(), "{preview}");
    for _ in 0..2 {
        tank.run(words("--systemd")).ok();
    }
    let units = prefix.join("etc/systemd/system");
    let base = tank.base();
    let service = fs::read_to_string(units.join(format!("{base}.service"))).unwrap();
    let command = service.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let root = format!("--root {}", tank.root().display());
    assert!(command.contains(&root) && command.ends_with(" reconcile -q"), "{service}");
    for link in ["multi-user.target.wants", "timers.target.wants"] {
        let kind = if link.starts_with("timers") { "timer" } else { "service" };
        let link = units.join(link).join(format!("{base}.{kind}"));
        assert_eq!(fs::canonicalize(link).unwrap(), units.join(format!("{base}.{kind}")));
    }

    tank.run(words("--cron")).ok();
    let crontab = fs::read_to_string(prefix.join("etc/cron.d").join(&base)).unwrap();
    let lines: Vec<_> = crontab.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(
        lines[0].starts_with("@reboot ") && lines[1].starts_with("* * * * * root "),
        "{crontab}"
    );
    // What they run does what it should.
    let command = lines[1].strip_prefix("* * * * * root ").unwrap();
    tank.apply(&crate::support::pods::sleeper("web")).ok();
    let ran = std::process::Command::new("/bin/sh").args(["-c", command]).status().unwrap();
    assert!(ran.success());
    let _ = tank.run(["install", "--systemd", "--cron"]).exits(2);
}
