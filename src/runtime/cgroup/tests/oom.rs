use super::*;
use crate::model::Bytes;

#[test]
fn a_kill_for_want_of_memory_is_counted() {
    for host in hosts() {
        let limits = Limits { memory: Some(Bytes(16 << 20)), ..Limits::default() };
        let test = TestGroup::created(&host, &limits);
        let counter = test.group.oom_counter().unwrap().unwrap();
        assert_eq!(counter.count().unwrap(), 0);

        let process = test.run("x=$(head -c 100000000 /dev/zero | tr '\\0' x); echo survived");
        let (output, status) = process.finish();
        assert!(!status.success() && output.is_empty(), "{status} {output}");
        // The kernel may have killed the shell's children after it.
        let deadline = soon();
        while !test.group.processes().unwrap().is_empty() {
            assert!(clock::monotonic() < deadline, "what was killed is still there");
            std::thread::yield_now();
        }
        assert!(counter.count().unwrap() >= 1, "{}", host.version());

        test.group.remove(soon()).unwrap();
        assert!(counter.count().is_err());
    }
}
