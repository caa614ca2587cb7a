use std::os::unix::process::ExitStatusExt;

use super::group::Home;
use super::*;
use crate::sys::clock;

#[test]
fn a_fork_bomb_is_contained_and_killed() {
    for host in hosts() {
        let limits = Limits { pids: Some(64), ..Limits::default() };
        let test = TestGroup::created(&host, &limits);
        let mut process = test.run("f() { f | f & }; echo ready; while :; do f; done");
        assert_eq!(process.line(), "ready");
        // Wait until it has hit the limit.
        let Some(Home::V1(dir) | Home::V2(dir)) = test.group.home(Controller::Pids).unwrap() else {
            panic!("no pids controller");
        };
        let hits = || file::field(&file::read(&dir, "pids.events").unwrap(), "max").unwrap();
        let end = soon();
        while hits() == 0 {
            assert!(clock::monotonic() < end, "no fork was refused");
            std::thread::yield_now();
        }
        assert!(test.group.stats().unwrap().pids.unwrap() <= 64);
        test.group.kill().unwrap();
        assert_eq!(file::read(&dir, "pids.max").unwrap(), "64");
        test.group.remove(soon()).unwrap();
        assert!(!test.group.exists());
        assert!(!process.wait().success(), "killed, or ended because it could not fork");
    }
}

#[test]
fn killing_a_group_that_is_not_there_is_fine() {
    for host in hosts() {
        TestGroup::new(&host).group.kill().unwrap();
    }
}

#[test]
fn processes_outside_are_left_alone() {
    for host in hosts() {
        let test = TestGroup::created(&host, &Limits::default());
        let sibling_path = test.group.path().parent().unwrap().child("sibling").unwrap();
        let sibling = host.group(&sibling_path);
        sibling.create(&Limits::default(), None).unwrap();
        let mut outside = run_in(&sibling, IDLE);
        let mut inside = test.run(IDLE);
        test.group.kill().unwrap();
        assert_eq!(inside.wait().signal(), Some(libc::SIGKILL));
        assert_eq!(sibling.processes().unwrap(), [outside.pid()]);
        assert!(outside.is_alive());
    }
}

/// Only cgroup2 can freeze a group of tank's.
#[test]
fn a_frozen_group_is_removed() {
    for host in hosts() {
        let test = TestGroup::created(&host, &Limits::default());
        let mut process = test.run(IDLE);
        assert_eq!(process.line(), "ready");
        let Some(dir) = test.group.unified() else {
            assert_eq!(host.version(), Version::V1);
            continue;
        };
        file::write(&dir, "cgroup.freeze", 1).unwrap();
        test.group.remove(soon()).unwrap();
        assert_eq!(process.wait().signal(), Some(libc::SIGKILL));
        assert!(!test.group.exists());
    }
}

/// The v1 freezer keeps a process even from being killed. On a host without it a stopped process
/// shows that such a one can.
#[test]
fn what_cannot_be_killed_is_named_at_the_deadline() {
    for host in hosts() {
        let test = TestGroup::created(&host, &Limits::default());
        let mut process = test.run(IDLE);
        assert_eq!(process.line(), "ready");
        if host.version() == Version::V2 {
            test.run(&format!("kill -STOP {}; echo ready", process.pid())).line();
            test.group.remove(soon()).unwrap();
            continue;
        }
        let freezer = Frozen::new(&test.parent, process.pid());
        let result = test.group.remove(clock::monotonic() + Duration::from_millis(200));
        let Err(Error::Stuck { processes, .. }) = &result else { panic!("{result:?}") };
        assert_eq!(processes, &[process.pid()]);
        drop(freezer);
        test.group.remove(soon()).unwrap();
        assert_eq!(process.wait().signal(), Some(libc::SIGKILL));
    }
}

struct Frozen(std::path::PathBuf);

impl Frozen {
    fn new(group: &Group, pid: i32) -> Self {
        let mount = std::path::Path::new("/sys/fs/cgroup/freezer");
        let frozen = Self(mount.join(group.path()));
        std::fs::create_dir(&frozen.0).unwrap();
        file::write(&frozen.0, "cgroup.procs", pid).unwrap();
        file::write(&frozen.0, "freezer.state", "FROZEN").unwrap();
        let end = soon();
        while file::read(&frozen.0, "freezer.state").unwrap() != "FROZEN" {
            assert!(clock::monotonic() < end, "it does not freeze");
            std::thread::yield_now();
        }
        frozen
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        drop(file::write(&self.0, "freezer.state", "THAWED"));
        let end = soon();
        while std::fs::remove_dir(&self.0).is_err() && clock::monotonic() < end {
            std::thread::yield_now();
        }
    }
}
