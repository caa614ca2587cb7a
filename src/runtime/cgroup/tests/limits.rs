use super::group::Home;
use super::*;
use crate::model::{Bytes, Cpus};

const MIB: u64 = 1 << 20;

/// The limits as the kernel has them: memory, quota and period, processes.
fn in_force(group: &Group) -> [String; 3] {
    let read = |controller, v1: &[&str], v2: &str| match group.home(controller).unwrap().unwrap() {
        Home::V1(dir) => {
            let values: Vec<_> = v1.iter().map(|name| file::read(&dir, name).unwrap()).collect();
            values.join(" ")
        }
        Home::V2(dir) => file::read(&dir, v2).unwrap(),
    };
    let unlimited_v1 = (i64::MAX - 4095).to_string();
    let limits = [
        read(Controller::Memory, &["memory.limit_in_bytes"], "memory.max"),
        read(Controller::Cpu, &["cpu.cfs_quota_us", "cpu.cfs_period_us"], "cpu.max"),
        read(Controller::Pids, &["pids.max"], "pids.max"),
    ];
    limits.map(|text| text.replace(&unlimited_v1, "max").replace("-1 ", "max "))
}

/// Whether swap is limited together with memory, where it is counted at all.
fn swap_is_limited(group: &Group) -> bool {
    match group.home(Controller::Memory).unwrap().unwrap() {
        Home::V1(dir) => {
            let swap = file::read_if_there(&dir, "memory.memsw.limit_in_bytes").unwrap();
            swap.is_none_or(|swap| swap == file::read(&dir, "memory.limit_in_bytes").unwrap())
        }
        Home::V2(dir) => {
            let swap = file::read_if_there(&dir, "memory.swap.max").unwrap();
            swap.is_none_or(|swap| swap == "0")
        }
    }
}

fn limits(memory: u64, cpus: u32, pids: u64) -> Limits {
    Limits { memory: Some(Bytes(memory * MIB)), cpus: Some(Cpus(cpus)), pids: Some(pids) }
}

#[test]
fn limits_are_set_raised_lowered_and_taken_away() {
    for host in hosts() {
        let test = TestGroup::new(&host);
        test.group.create(&limits(64, 500, 100), None).unwrap();
        let mut process = test.run(IDLE);
        assert_eq!(process.line(), "ready");
        let bytes = |mib: u64| (mib * MIB).to_string();
        assert_eq!(in_force(&test.group), [&bytes(64), "50000 100000", "100"]);
        assert!(swap_is_limited(&test.group));
        for (new, expected) in [
            (limits(128, 1500, 200), [bytes(128).as_str(), "150000 100000", "200"]),
            (limits(32, 5, 50), [bytes(32).as_str(), "5000 1000000", "50"]),
            (Limits::default(), ["max", "max 100000", "max"]),
            (limits(64, 5, 50), [bytes(64).as_str(), "5000 1000000", "50"]),
            (limits(64, 250, 50), [bytes(64).as_str(), "25000 100000", "50"]),
        ] {
            test.group.update(&new).unwrap();
            assert_eq!(in_force(&test.group), expected, "{}", host.version());
            assert!(new.memory.is_none() || swap_is_limited(&test.group));
        }
        assert!(process.is_alive());
    }
}

#[test]
fn a_group_without_limits_has_none() {
    for host in hosts() {
        let test = TestGroup::created(&host, &Limits::default());
        assert_eq!(in_force(&test.group), ["max", "max 100000", "max"]);
    }
}

#[test]
fn memory_in_use_cannot_be_taken_away() {
    for host in hosts() {
        let test = TestGroup::created(&host, &limits(512, 1000, 100));
        // A shell variable of 30 MB.
        let script = "x=$(head -c 30000000 /dev/zero | tr '\\0' x); echo ready; read more";
        let mut process = test.run(script);
        assert_eq!(process.line(), "ready");
        let refused = test.group.update(&limits(8, 1000, 100));
        assert!(matches!(refused, Err(Error::MemoryInUse { .. })), "{refused:?}");
        assert_eq!(in_force(&test.group)[0], (512 * MIB).to_string());
        assert!(swap_is_limited(&test.group));
        assert!(process.is_alive());
        if let Some(Home::V2(dir)) = test.group.home(Controller::Memory).unwrap() {
            assert_eq!(file::read(&dir, "memory.high").unwrap(), "max");
        }
    }
}

#[test]
fn a_limit_without_its_controller_is_an_error_and_leaves_nothing() {
    let host = Hierarchies::detect().unwrap();
    if host.version() == Version::V2 {
        // As in a container: the top of what is visible has processes of its own.
        let top = TestGroup::created(&host, &Limits::default());
        let _process = top.run(IDLE);
        let dir = top.group.unified().unwrap();
        let mount = format!("1 1 0:1 /x {} rw - cgroup2 cgroup2 rw", dir.display());
        let inside = Hierarchies::from_mountinfo(&mount).unwrap();
        let group = inside.group(&"tank".parse().unwrap());
        let result = group.create(&limits(64, 500, 100), None);
        assert!(matches!(result, Err(Error::InternalProcesses { .. })), "{result:?}");
        assert!(!group.exists());
        assert!(!group.create(&Limits::default(), None).unwrap().is_empty());
    } else {
        let test = TestGroup::new(&without(" - cgroup cgroup rw,memory"));
        let result = test.group.create(&limits(64, 500, 100), None);
        assert!(matches!(result, Err(Error::NoController(Controller::Memory))), "{result:?}");
        assert!(!test.group.exists());
        let notes = test.group.create(&Limits::default(), None).unwrap();
        assert!(notes.contains(&Note::NoController(Controller::Memory)), "{notes:?}");
        assert!(test.group.oom_counter().unwrap().is_none());
    }
}
