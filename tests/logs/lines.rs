//! Lines of every length and with every byte, in the files and on the way out.

use std::process::Command;

use rexpect::session::spawn_command;

use super::{bytes, cri, directory, logged, objects};
use crate::support::Tank;
use crate::support::pods::script;

/// Lines of 200 kB, 3 MB and 16 KiB, one without an end on standard error, and every byte.
const AWKWARD: &str = "head -c 200000 /dev/zero | tr '\\0' x; echo; \
    head -c 3000000 /dev/zero | tr '\\0' y; echo; \
    head -c 16384 /dev/zero | tr '\\0' z; echo; echo; \
    for i in 0 1 2 3; do for j in 0 1 2 3 4 5 6 7; do for k in 0 1 2 3 4 5 6 7; do \
        printf \"\\\\$i$j$k\"; done; done; done; echo; \
    printf 'no end' >&2";

fn expected() -> Vec<u8> {
    let mut all = Vec::new();
    for (byte, count) in [(b'x', 200_000), (b'y', 3_000_000), (b'z', 16_384)] {
        all.extend(std::iter::repeat_n(byte, count));
        all.push(b'\n');
    }
    all.push(b'\n');
    all.extend(0..=255u8);
    all.push(b'\n');
    all
}

#[test]
fn lines_come_out_as_they_went_in() {
    let tank = Tank::new();
    // Parts of lines are in several files.
    let log = "log = { max_size = '256KiB', max_files = 100 }";
    tank.apply(&logged("web", "restart = 'never'", log, AWKWARD)).ok();
    tank.await_status("web", "completed");
    let entries = cri::entries(&directory(&tank, "web"), 1, 256 << 10);
    assert!(cri::files(&directory(&tank, "web"), 1).len() > 10);
    assert!(entries.iter().filter(|entry| entry.partial).count() > 180);
    assert!(cri::joined(&entries, "stdout") == expected());
    assert_eq!(cri::joined(&entries, "stderr"), b"no end");

    assert!(bytes(&tank, &["web"]) == expected());
    assert!(bytes(&tank, &["-f", "web"]) == expected());
    let after: Vec<u8> = expected()[200_001 + 3_000_001..].to_vec();
    assert!(bytes(&tank, &["-n", "4", "--stream", "stdout", "web"]) == after);
    let named = bytes(&tank, &["--prefix", "--stream=stdout", "web"]);
    assert_eq!(
        named.split(|byte| *byte == b'\n').filter(|l| l.starts_with(b"web/app | ")).count(),
        6
    );
    let error = tank.run(["logs", "web"]).ok();
    assert_eq!(error.stderr, "no end");

    let texts = objects(&tank, &["--stream", "stderr", "web"]);
    assert_eq!(texts.len(), 1);
    assert_eq!(
        (texts[0]["text"].as_str(), texts[0]["partial"].as_bool()),
        (Some("no end"), Some(true))
    );
    let texts = objects(&tank, &["--stream", "stdout", "web"]);
    let lengths: Vec<_> = texts.iter().map(|line| line["text"].as_str().unwrap().len()).collect();
    assert_eq!(lengths[0], 200_000);
    // What is longer than a megabyte comes in parts.
    assert_eq!(lengths.iter().filter(|length| **length > 1 << 20).count(), 2, "{lengths:?}");
    assert_eq!(lengths[1..4].iter().sum::<usize>(), 3_000_000);
    let partial: Vec<_> = texts.iter().map(|line| line["partial"] == true).collect();
    assert_eq!(partial[..5], [false, true, true, false, false]);
}

#[test]
fn a_prompt_is_shown_before_its_line_ends() {
    let tank = Tank::new();
    let prompt = "printf 'name? '; trap 'echo tank; exit 0' TERM; sleep 1000 & wait";
    tank.apply(&script("web", "", prompt)).ok();
    let follower = tank.start(["logs", "-f", "web"]);
    follower.await_stdout("name? ", super::SOON);
    tank.run(["delete", "web"]).ok();
    assert_eq!(follower.finish(super::SOON).exits(0).stdout, "tank\n");
}

#[test]
fn a_terminal_is_shown_escapes_unless_it_should_be_steered() {
    let tank = Tank::new();
    let colors = "printf '\\033[31mred\\033[0m\\r\\n'";
    tank.apply(&script("web", "restart = 'never'", colors)).ok();
    tank.await_status("web", "completed");
    for (flag, expected) in
        [("--all", "\\u{1b}[31mred\\u{1b}[0m\r\n"), ("--raw", "\x1b[31mred\x1b[0m\r\r\n")]
    {
        let tank = tank.command(["logs", flag, "web"]);
        let mut command = Command::new(tank.get_program());
        command.env_clear().env("TERM", "vt100").args(tank.get_args());
        let mut session = spawn_command(command, Some(30_000)).unwrap();
        assert_eq!(session.exp_eof().unwrap(), expected);
    }
}
