//! The null device as a standard stream: it is the container's own, however the program is started.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use super::{Boxed, SLEEPER, SOON};
use crate::support::{fixtures, wait};

/// Looks at every stream of the shell that is a device, gives it another mode, and lists the
/// devices' file systems, that of the container's own device last.
const LOOK: &str = "for n in 0 1 2; do f=/proc/$$/fd/$n; test -c $f || continue; \
                    own=$(stat -Lc %d $f); chmod 1666 $f; echo $own >> /tmp/seen; done; \
                    stat -c %d /dev/null >> /tmp/seen; mv /tmp/seen /tmp/done";

/// Waits until the container was looked at, which was started with so many null devices.
#[track_caller]
fn assert_own(boxed: &Boxed, count: usize) {
    let seen = wait::until("the streams to be looked at", SOON, || {
        let seen = boxed.sh("cat /tmp/done 2> /tmp/none; rm -f /tmp/done");
        (!seen.is_empty()).then_some(seen)
    });
    let seen: Vec<_> = seen.lines().collect();
    assert_eq!(seen, vec![seen[0]; count + 1]);
}

fn mode() -> u32 {
    fs::metadata("/dev/null").unwrap().permissions().mode()
}

#[test]
fn the_hosts_is_not_given_to_the_program() {
    let before = mode();
    let boxed = Boxed::new("", &format!("{LOOK}; {SLEEPER}"), "");
    assert_own(&boxed, 1);
    assert_eq!(mode(), before);
}

#[test]
fn the_hosts_is_not_given_to_what_is_executed() {
    let before = mode();
    let boxed = Boxed::sleeping("");
    let mut exec = boxed.exec_command(&["box", "--", "sh", "-c", LOOK]);
    exec.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(exec.status().unwrap().success());
    assert_own(&boxed, 3);
    let _ = boxed.exec(&["-d", "box", "--", "sh", "-c", LOOK]).ok();
    assert_own(&boxed, 3);
    assert_eq!(mode(), before);
}

#[test]
fn the_hosts_is_not_given_to_a_probe() {
    let before = mode();
    let check = format!("[containers.readiness]\nexec = ['/bin/sh', '-c', '''{LOOK}''']");
    assert_own(&Boxed::sleeping(&check), 1);
    assert_eq!(mode(), before);
}

#[test]
fn a_container_without_one_is_told_that_the_input_has_ended() {
    let boxed = Boxed::sleeping("");
    boxed.sh("rm /dev/null; mkfifo /dev/null");
    let mut exec = boxed.exec_command(&["box", "--", "sh", "-c", "cat; readlink /proc/self/fd/0"]);
    let output = exec.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success() && output.stdout.starts_with(b"pipe:"), "{output:?}");
}

#[test]
fn a_pipe_with_a_name_stays_the_callers() {
    let boxed = Boxed::sleeping("user = \"guest\"");
    let path = boxed.tank.dir().join("fifo");
    let _ = fixtures::tool("mkfifo", "coreutils", &["-m", "600", path.to_str().unwrap()]);
    // Open both ways it has no end.
    let keep = File::options().read(true).write(true).open(&path).unwrap();
    let mut exec =
        boxed.exec_command(&["box", "--", "sh", "-c", "chmod 666 /proc/$$/fd/1; echo x"]);
    assert!(
        exec.stdin(Stdio::null()).stdout(keep.try_clone().unwrap()).status().unwrap().success()
    );
    let left = fs::metadata(&path).unwrap();
    assert_eq!(left.permissions().mode() & 0o777, 0o600);
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&left), 0);
    let mut line = [0; 2];
    std::io::Read::read_exact(&mut &keep, &mut line).unwrap();
    assert_eq!(&line, b"x\n");
}
