use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::*;
use crate::model::Bytes;

fn is_readable(watch: &OomWatch, seconds: i64) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(watch.as_fd(), PollFlags::IN)];
    let timeout = Timespec { tv_sec: seconds, tv_nsec: 0 };
    poll(&mut fds, Some(&timeout)).unwrap() == 1
}

#[test]
fn a_kill_for_want_of_memory_is_noticed_and_counted() {
    for host in hosts() {
        let limits = Limits { memory: Some(Bytes(16 << 20)), ..Limits::default() };
        let test = TestGroup::created(&host, &limits);
        let watch = test.group.oom_watch().unwrap().unwrap();
        assert_eq!(watch.count().unwrap(), 0);
        assert!(!is_readable(&watch, 0));

        let process = test.run("x=$(head -c 100000000 /dev/zero | tr '\\0' x); echo survived");
        assert!(is_readable(&watch, 20));
        let (output, status) = process.finish();
        assert!(!status.success() && output.is_empty(), "{status} {output}");
        // The kernel may have killed the shell's children after it.
        let deadline = soon();
        while !test.group.processes().unwrap().is_empty() {
            assert!(clock::monotonic() < deadline, "what was killed is still there");
            std::thread::yield_now();
        }
        assert!(watch.count().unwrap() >= 1, "{}", host.version());
        assert!(!is_readable(&watch, 0), "the events were taken");

        test.group.remove(soon()).unwrap();
        assert!(watch.count().is_err());
    }
}
