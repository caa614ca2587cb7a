use std::os::unix::process::ExitStatusExt;

use super::*;

#[test]
fn a_group_is_made_entered_and_removed_with_what_is_in_it() {
    for host in hosts() {
        let test = TestGroup::new(&host);
        assert!(!test.group.exists());
        assert!(test.group.processes().unwrap().is_empty());
        test.group.create(&Limits::default(), None).unwrap();
        assert!(test.group.own_dirs().all(|dir| dir.is_dir()));

        let mut process = test.run(IDLE);
        assert_eq!(process.line(), "ready");
        assert_eq!(test.group.processes().unwrap(), [process.pid()]);
        let mut stats = test.group.stats().unwrap();
        // What was used of a processor is added up when the kernel comes to it.
        let deadline = soon();
        while stats.cpu.is_some_and(|time| time.is_zero()) && clock::monotonic() < deadline {
            std::thread::yield_now();
            stats = test.group.stats().unwrap();
        }
        assert!(stats.cpu.is_some_and(|time| !time.is_zero()), "{stats:?}");
        assert!(stats.memory.is_some_and(|memory| memory.0 > 0), "{stats:?}");
        assert_eq!(stats.pids, Some(1));

        // The child becomes a zombie, which must not hold the group.
        test.group.remove(soon()).unwrap();
        assert!(!test.group.exists());
        assert_eq!(process.wait().signal(), Some(libc::SIGKILL));
        test.group.remove(soon()).unwrap();
    }
}

#[test]
fn a_group_with_processes_is_not_taken_over() {
    for host in hosts() {
        let test = TestGroup::created(&host, &Limits::default());
        let mut process = test.run(IDLE);
        let again = test.group.create(&Limits::default(), None);
        assert!(matches!(again, Err(Error::NotEmpty(_))), "{again:?}");
        assert!(process.is_alive());
        assert_eq!(test.group.processes().unwrap(), [process.pid()]);
    }
}

#[test]
fn an_empty_group_is_replaced() {
    for host in hosts() {
        let limits = Limits { pids: Some(7), ..Limits::default() };
        let test = TestGroup::created(&host, &limits);
        test.group.create_nested("left-over").unwrap();
        test.group.create(&Limits::default(), None).unwrap();
        assert!(test.group.own_dirs().all(|dir| group::children(&dir).unwrap().is_empty()));
        let pids = test.group.home(Controller::Pids).unwrap();
        let Some(group::Home::V1(dir) | group::Home::V2(dir)) = pids else { panic!("no pids") };
        assert_eq!(file::read(&dir, "pids.max").unwrap(), "max");
    }
}

#[test]
fn a_group_that_is_partly_gone_is_removed() {
    for host in hosts() {
        let test = TestGroup::created(&host, &Limits::default());
        let first = test.group.own_dirs().next().unwrap();
        std::fs::remove_dir(first).unwrap();
        test.group.remove(soon()).unwrap();
        assert!(!test.group.exists());
    }
}

#[test]
fn empty_parents_are_removed_up_to_the_one_to_keep() {
    for host in hosts() {
        let test = TestGroup::created(&host, &Limits::default());
        let pod = host.group(&test.group.path().parent().unwrap());
        test.group.remove_empty_parents(test.parent.path());
        assert!(pod.exists(), "the group is still in it");
        test.group.remove(soon()).unwrap();
        test.group.remove_empty_parents(test.parent.path());
        assert!(!pod.exists());
        assert!(test.parent.exists());
    }
}

#[test]
fn nested_groups_are_killed_on_their_own_and_with_the_outer_one() {
    for host in hosts() {
        let test = TestGroup::created(&host, &Limits::default());
        let mut main = test.run(IDLE);
        let nested = test.group.create_nested("exec-1").unwrap();
        assert!(matches!(test.group.create_nested("exec-1"), Err(Error::NotEmpty(_))));
        assert!(matches!(test.group.create_nested("../exec-2"), Err(Error::Path(_))));
        let mut inner = run_in(&nested, IDLE);
        let mut both = [main.pid(), inner.pid()];
        both.sort_unstable();
        assert_eq!(test.group.processes().unwrap(), both);
        assert_eq!(nested.processes().unwrap(), [inner.pid()]);

        nested.remove(soon()).unwrap();
        assert_eq!(inner.wait().signal(), Some(libc::SIGKILL));
        assert!(!nested.exists());
        assert!(main.is_alive());

        let mut inner = run_in(&test.group.create_nested("exec-2").unwrap(), IDLE);
        test.group.remove(soon()).unwrap();
        assert_eq!(main.wait().signal(), Some(libc::SIGKILL));
        assert_eq!(inner.wait().signal(), Some(libc::SIGKILL));
        assert!(!test.group.exists());
    }
}

/// A process joins in a process of its own, which would not come back otherwise.
#[test]
fn joining_moves_all_threads_in_every_hierarchy() {
    for host in hosts() {
        for threads in ["1", "2"] {
            let test = TestGroup::created(&host, &Limits::default());
            let nested = test.group.create_nested("exec").unwrap();
            for path in [test.group.path(), nested.path()] {
                let version = host.version().to_string();
                let (output, status) = join_in_another_process(threads, path, &version);
                assert!(status.success(), "{threads} {path} {version}: {output}");
            }
            test.group.remove(soon()).unwrap();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "runs this test program again")]
fn join_in_another_process(threads: &str, path: &GroupPath, version: &str) -> (String, ExitStatus) {
    let name = "runtime::cgroup::tests::lifecycle::joiner";
    let mut child = Command::new("/proc/self/exe")
        .args([name, "--exact", "--ignored", "--nocapture", "--test-threads", threads])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{path} {version}").unwrap();
    let mut output = String::new();
    child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
    (output, child.wait().unwrap())
}

#[test]
#[ignore = "a process of joining_moves_all_threads_in_every_hierarchy"]
fn joiner() {
    let line = std::io::stdin().lines().next().unwrap().unwrap();
    let (path, version) = line.split_once(' ').unwrap();
    let host = hosts().into_iter().find(|host| host.version().to_string() == version).unwrap();
    let path: GroupPath = path.parse().unwrap();
    let group = if path.as_str().ends_with("/exec") {
        let mut group = host.group(&path.parent().unwrap());
        group.path = path.clone();
        group.places[0].path = path;
        group
    } else {
        host.group(&path)
    };
    group.join().unwrap();
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let here = std::fs::read_to_string(task.unwrap().path().join("cgroup")).unwrap();
        for place in &group.places {
            let name = place.hierarchy.name_of(&place.path);
            assert_eq!(place.hierarchy.position(&here), Some(name.as_str()), "{place:?}");
        }
    }
    // The second time there is nothing to do, not even in a directory that nobody may write to.
    group.join().unwrap();
}
