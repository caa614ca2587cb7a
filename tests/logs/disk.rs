//! Disks that are full, and files that must not grow.

use std::fs;

use super::{cri, directory, logged};
use crate::support::Tank;
use crate::support::pods::{SOON, send};
use crate::support::volume::Volume;
use crate::support::wait;

/// Prints lines for ever so much, then tells by a file that it has come this far.
const THEN_MORE: &str = "trap 'echo after; exit 0' USR1; \
    awk 'BEGIN { for (i = 0; i < 20000; i++) print i \" some more text for the disk\" }'; \
    touch /keep/through; while :; do sleep 1000 & wait; done";

/// A pod that prints about 800 kB, whose logs are on a file system of `size` bytes.
fn pod_on_small_disk(size: u64, log: &str) -> (Tank, Volume) {
    let tank = Tank::new();
    fs::create_dir_all(tank.root()).unwrap();
    let volume = Volume::in_memory(&tank.root().join("logs"), size);
    let keep = tank.dir().join("keep");
    fs::create_dir(&keep).unwrap();
    let mount = format!("mounts = [{{ target = '/keep', host = '{}' }}]", keep.display());
    tank.apply(&logged("web", "restart = 'never'", &format!("{log}\n{mount}"), THEN_MORE)).ok();
    wait::file("the program gets through", &keep, SOON, || {
        keep.join("through").exists().then_some(())
    });
    (tank, volume)
}

#[test]
fn a_full_disk_loses_lines_says_so_and_holds_nothing_back() {
    let (tank, volume) = pod_on_small_disk(256 << 10, "");
    assert!(volume.free() < 16 << 10);
    let before = cri::entries(&directory(&tank, "web"), 1, 256 << 10);
    assert!(before.len() > 1000 && before.len() < 20_000);
    // Whatever took the room is gone.
    let live = directory(&tank, "web").join("1.log");
    fs::OpenOptions::new().write(true).open(&live).unwrap().set_len(0).unwrap();
    send(tank.pid("web"), rustix::process::Signal::USR1);
    tank.await_status("web", "completed");
    let printed = tank.run(["logs", "web"]).ok();
    assert_eq!(printed.stdout, "after\n");
    let said = printed.stderr.strip_prefix("tank: ").unwrap();
    let lost = said.strip_suffix(" bytes of output were lost: the log could not be written\n");
    let lost: usize = lost.expect("a mark").parse().unwrap();
    let texts = (0..20_000).map(|i| format!("{i} some more text for the disk\n").len());
    let kept = cri::joined(&before, "stdout").len();
    assert_eq!(lost, texts.sum::<usize>() - kept);
    tank.run(["delete", "web"]).ok();
    drop(volume);
}

#[test]
fn rotation_goes_on_where_the_disk_has_room_for_less_than_the_limits() {
    let log = "log = { max_size = '64KiB', max_files = 3 }";
    let (tank, volume) = pod_on_small_disk(224 << 10, log);
    let entries = cri::entries(&directory(&tank, "web"), 1, 64 << 10);
    assert!(entries.last().unwrap().text.starts_with(b"19999 "));
    send(tank.pid("web"), rustix::process::Signal::USR1);
    tank.await_status("web", "completed");
    assert!(tank.run(["logs", "-n", "1", "web"]).ok().stdout == "after\n");
    tank.run(["delete", "web"]).ok();
    drop(volume);
}

#[test]
fn a_limit_on_the_size_of_files_ends_neither_the_monitor_nor_the_pass_after_it() {
    let tank = Tank::new();
    // The copy of tank that monitors run from is larger than the limit.
    tank.apply(&logged("other", "restart = 'never'", "", "true")).ok();
    tank.await_status("other", "completed");
    let restart = "restart = { policy = 'on-failure', max_retries = 1, initial = '10ms' }";
    let flood = "awk 'BEGIN { for (i = 0; i < 20000; i++) print i \" some more text\" }'; exit 1";
    let file = tank.file("web.toml", logged("web", restart, "", flood));
    let apply = tank.command(["apply", "-f", file.to_str().unwrap()]);
    let mut limited = std::process::Command::new("bash");
    limited.args(["-c", "ulimit -f 1024; exec \"$@\"", "bash"]);
    limited.arg(apply.get_program()).args(apply.get_args());
    let _ = tank.run_with(&mut limited, &[]).ok();
    tank.await_status("web", "failed");
    for attempt in [1, 2] {
        let entries = cri::entries(&directory(&tank, "web"), attempt, 1 << 20);
        assert!(cri::files(&directory(&tank, "web"), attempt).len() > 1);
        let text = cri::joined(&entries, "stdout");
        assert_eq!(text.split_inclusive(|byte| *byte == b'\n').count(), 20_000);
        assert!(text.ends_with(b"\n19999 some more text\n"));
    }
}
