//! Rotation and compression, while nobody looks and while somebody follows.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use super::{bytes, cri, directory, logged};
use crate::support::Tank;
use crate::support::pods::{SOON, send};
use crate::support::wait;

/// Prints numbered lines of about 200 bytes as fast as it can, then waits.
fn flood(lines: u32) -> String {
    let pad = "x".repeat(190);
    format!(
        "awk 'BEGIN {{ for (i = 1; i <= {lines}; i++) print i \" {pad}\" }}'; echo done; \
         trap 'exit 0' TERM; while :; do sleep 1000 & wait; done"
    )
}

/// The numbers of the lines, without the last line.
#[track_caller]
fn numbers(log: &[u8]) -> Vec<u32> {
    let log = log.strip_suffix(b"done\n").expect("the last line");
    let number = |line: &[u8]| {
        let digits = line.split(|byte| *byte == b' ').next().unwrap();
        std::str::from_utf8(digits).unwrap().parse().unwrap()
    };
    log.split_inclusive(|byte| *byte == b'\n').map(number).collect()
}

#[track_caller]
fn assert_consecutive(numbers: &[u32], last: u32) {
    let broken = numbers.windows(2).find(|pair| pair[1] != pair[0] + 1);
    assert_eq!(broken, None);
    assert_eq!(numbers.last(), Some(&last));
}

/// The bytes that the files of a directory take.
fn size(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}

/// Waits until all but the newest complete file are compressed.
fn await_compressed(directory: &Path) {
    wait::until("the older files are compressed", SOON, || {
        let plain = fs::read_dir(directory)
            .unwrap()
            .flatten()
            .filter(|entry| !entry.file_name().to_str().unwrap().ends_with(".gz"));
        (plain.count() == 2).then_some(())
    });
}

/// The memory that is a process's own and was written to, in bytes: proc_pid_smaps_rollup(5).
fn private_memory(pid: u32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Private_Dirty:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
}

#[test]
fn a_flood_keeps_its_order_and_its_limits() {
    const LINES: u32 = 1_000_000;
    const LIMIT: u64 = 10 << 20;
    let tank = Tank::new();
    tank.apply(&logged("web", "", "", &flood(LINES))).ok();
    let logs = directory(&tank, "web");
    wait::until("the flood is over", Duration::from_secs(100), || {
        // While a file is compressed, there is some of it twice.
        let size = size(&logs);
        assert!(size <= 6 * LIMIT, "{size}");
        let last = fs::read(logs.join("1.log")).unwrap_or_default();
        last.ends_with(b" done\n").then_some(())
    });
    await_compressed(&logs);
    assert_eq!(cri::files(&logs, 1).len(), 5);
    assert!(size(&logs) < 3 * LIMIT);
    let text = cri::joined(&cri::entries(&logs, 1, 10 << 20), "stdout");
    assert_consecutive(&numbers(&text), LINES);
    assert!(text.len() > 30 << 20);
    assert!(bytes(&tank, &["web"]) == text);
    wait::until("the monitor is small again", SOON, || {
        (private_memory(tank.monitor("web")) < 1 << 20).then_some(())
    });
}

#[test]
fn a_follower_sees_each_line_once_over_hundreds_of_files() {
    const LINES: u32 = 150_000;
    let tank = Tank::new();
    let log = "log = { max_size = '64KiB', max_files = 1000 }";
    let wait_first = format!("read x < /proc/self/fd/0; sleep 0.5; {}", flood(LINES));
    tank.apply(&logged("web", "", log, &wait_first)).ok();
    let seen = tank.dir().join("seen");
    let mut follower = tank.command(["logs", "-f", "web"]);
    follower.stdout(File::create(&seen).unwrap()).stderr(Stdio::piped());
    let follower = follower.spawn().unwrap();
    let logs = directory(&tank, "web");
    wait::until("the follower has seen the end", Duration::from_secs(60), || {
        fs::read(&seen).unwrap().ends_with(b"done\n").then_some(())
    });
    await_compressed(&logs);
    assert!(cri::files(&logs, 1).len() > 400);
    tank.run(["delete", "web"]).ok();
    let output = follower.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let numbers = numbers(&fs::read(&seen).unwrap());
    assert_eq!(numbers[0], 1);
    assert_consecutive(&numbers, LINES);
}

#[test]
fn a_follower_that_is_too_slow_is_told_of_the_gap() {
    const LINES: u32 = 20_000;
    let tank = Tank::new();
    let log = "log = { max_size = '64KiB', max_files = 2 }";
    let slow = format!(
        "echo first; trap ok=1 USR1; while test -z \"$ok\"; do sleep 0.05; done; {}",
        flood(LINES)
    );
    tank.apply(&logged("web", "", log, &slow)).ok();
    tank.await_log("web", "first");
    let mut follower = tank.command(["logs", "-f", "web"]);
    let mut follower = follower.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = follower.stdout.take().unwrap();
    let mut first = [0; 6];
    std::io::Read::read_exact(&mut stdout, &mut first).unwrap();
    assert_eq!(&first, b"first\n");
    send(tank.pid("web"), rustix::process::Signal::USR1);
    // Nobody reads what it prints until all was written.
    tank.await_log("web", "done");
    let reader = std::thread::spawn(move || {
        let mut rest = Vec::new();
        std::io::Read::read_to_end(&mut stdout, &mut rest).unwrap();
        rest
    });
    tank.run(["delete", "web"]).ok();
    let output = follower.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("web/app: lines were rotated away before they were read"), "{said}");
    let numbers = numbers(&reader.join().unwrap());
    assert_eq!((numbers[0], numbers.last()), (1, Some(&LINES)));
    assert!(numbers.is_sorted_by(|one, other| one < other));
    assert!(numbers.len() < LINES as usize);
}

#[test]
fn limits_come_from_config_toml_and_change_while_it_runs() {
    let tank = Tank::new();
    fs::create_dir_all(tank.root()).unwrap();
    fs::write(tank.root().join("config.toml"), "[logs]\nmax_size = '64KiB'\nmax_files = 3\n")
        .unwrap();
    let more = "trap 'awk \"BEGIN { for (i = 0; i < 2000; i++) print i \\\" $(seq -s - 60)\\\" }\"' USR1; \
        trap 'exit 0' TERM; while :; do sleep 1000 & wait; done";
    tank.apply(&logged("web", "", "", more)).ok();
    let logs = directory(&tank, "web");
    let pid = tank.pid("web");
    let flood = |count: usize| {
        let lines = bytes(&tank, &["web"]).len();
        send(pid, rustix::process::Signal::USR1);
        wait::until("it has printed", SOON, || {
            // In this order: before the first new line the last one is that of an earlier flood.
            let has_begun = bytes(&tank, &["web"]).len() != lines;
            (has_begun && bytes(&tank, &["-n", "1", "web"]).starts_with(b"1999 ")).then_some(())
        });
        // No file gets another name from now on.
        await_compressed(&logs);
        assert_eq!(cri::files(&logs, 1).len(), count);
    };
    flood(3);
    cri::entries(&logs, 1, 64 << 10);
    let changed = tank.apply(&logged("web", "", "log = { max_files = 6 }", more)).ok();
    assert!(changed.stdout.contains("pod/web configured"), "{changed}");
    flood(6);
    cri::entries(&logs, 1, 64 << 10);
    tank.apply(&logged("web", "", "log = { max_size = '1MiB', max_files = 2 }", more)).ok();
    flood(6);
    cri::entries(&logs, 1, 1 << 20);
    assert_eq!(tank.pid("web"), pid);
    let refused = tank.apply(&logged("web", "", "log = { max_size = '1KiB' }", more)).exits(2);
    assert!(refused.stderr.contains("max_size must be at least 64KiB"), "{refused}");
}
