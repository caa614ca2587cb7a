use super::*;

const V2: &str = "\
24 30 0:22 / /proc rw,nosuid - proc proc rw
35 24 0:30 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
";

const V1_CO_MOUNTED: &str = "\
25 18 0:21 / /sys/fs/cgroup ro,nosuid shared:5 - tmpfs tmpfs ro,mode=755
26 25 0:22 / /sys/fs/cgroup/systemd rw shared:6 - cgroup cgroup rw,xattr,release_agent=/lib/systemd/systemd-cgroups-agent,name=systemd
28 25 0:24 / /sys/fs/cgroup/cpu,cpuacct rw shared:8 - cgroup cgroup rw,cpu,cpuacct
29 25 0:25 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory
30 25 0:26 / /sys/fs/cgroup/net_cls,net_prio rw shared:10 - cgroup cgroup rw,net_cls,net_prio
31 25 0:27 / /sys/fs/cgroup/pids rw shared:11 - cgroup cgroup rw,pids
32 25 0:28 / /sys/fs/cgroup/cpuset rw shared:12 - cgroup cgroup rw,cpuset
33 25 0:29 / /sys/fs/cgroup/devices rw shared:13 - cgroup cgroup rw,devices
";

const HYBRID: &str = "\
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
33 31 0:30 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
36 31 0:33 / /sys/fs/cgroup/devices rw,relatime - cgroup cgroup rw,devices
37 31 0:34 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer
39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
";

/// Inside a container of a v1 host, without a cgroup namespace.
const NESTED_V1: &str = "\
700 690 0:25 /docker/4f2a /sys/fs/cgroup/memory ro,nosuid master:15 - cgroup cgroup rw,memory
701 690 0:26 /docker/4f2a /sys/fs/cgroup/pids ro,nosuid master:16 - cgroup cgroup rw,pids
";

/// A v2 host that runs a container whose file system is visible, with a space in its path.
const SEVERAL_MOUNTS: &str = "\
90 30 0:30 /system.slice/docker-4f2a.scope /var/lib/my\\040root/sys/fs/cgroup ro - cgroup2 cgroup rw
35 24 0:30 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw
91 30 0:30 / /mnt/chroot/sys/fs/cgroup rw - cgroup2 cgroup rw
";

fn mounts(text: &str) -> Vec<String> {
    let found = Hierarchies::from_mountinfo(text).unwrap();
    found.0.iter().map(|h| h.mount.display().to_string()).collect()
}

#[test]
fn the_version_is_what_is_mounted() {
    let version = |text| Hierarchies::from_mountinfo(text).map(|found| found.version());
    assert_eq!(version(V2), Some(Version::V2));
    assert_eq!(version(V1_CO_MOUNTED), Some(Version::V1));
    assert_eq!(version(HYBRID), Some(Version::Hybrid));
    assert_eq!(version(NESTED_V1), Some(Version::V1));
    assert_eq!(version("24 30 0:22 / /proc rw - proc proc rw\n"), None);
    assert_eq!(version("nonsense\n\n - \n24 30 - cgroup2"), None);
}

#[test]
fn only_hierarchies_that_carry_something_are_used() {
    assert_eq!(mounts(V2), ["/sys/fs/cgroup"]);
    // cpuacct comes with cpu; the tracking hierarchy is pids.
    let v1 = ["pids", "systemd", "cpu,cpuacct", "memory", "devices"];
    assert_eq!(mounts(V1_CO_MOUNTED), v1.map(|name| format!("/sys/fs/cgroup/{name}")));
    // cgroup2 counts CPU time and tracks, so that cpuacct is not needed.
    let hybrid = ["unified", "pids", "cpu", "memory", "devices", "systemd"];
    assert_eq!(mounts(HYBRID), hybrid.map(|name| format!("/sys/fs/cgroup/{name}")));
}

#[test]
fn cpuacct_of_its_own_is_used_without_cgroup2() {
    let v1: String =
        HYBRID.lines().filter(|l| !l.contains("cgroup2")).collect::<Vec<_>>().join("\n");
    assert!(mounts(&v1).contains(&"/sys/fs/cgroup/cpuacct".to_owned()));
}

#[test]
fn the_outermost_mount_is_taken() {
    assert_eq!(mounts(SEVERAL_MOUNTS), ["/sys/fs/cgroup"]);
    let inner = SEVERAL_MOUNTS.lines().next().unwrap();
    assert_eq!(mounts(inner), ["/var/lib/my root/sys/fs/cgroup"]);
}

#[test]
fn a_later_mount_hides_an_earlier_one() {
    let text = "\
        35 24 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n\
        36 35 0:30 /box /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
    let found = Hierarchies::from_mountinfo(text).unwrap();
    assert_eq!(found.0[0].name_of(&"tank".parse().unwrap()), "/box/tank");
}

#[test]
fn names_are_those_of_proc_pid_cgroup() {
    let path: GroupPath = "tank/web".parse().unwrap();
    let nested = Hierarchies::from_mountinfo(NESTED_V1).unwrap();
    assert_eq!(nested.0[0].name_of(&path), "/docker/4f2a/tank/web");
    let host = Hierarchies::from_mountinfo(V2).unwrap();
    assert_eq!(host.0[0].name_of(&path), "/tank/web");
}

#[test]
fn a_position_is_found_by_hierarchy() {
    let text = "\
        12:cpu,cpuacct:/a\n8:pids:/b\n4:memory:/c:d\n1:name=systemd:/user.slice\n0::/e\n";
    let positions = |mountinfo| {
        let found = Hierarchies::from_mountinfo(mountinfo).unwrap();
        found.0.iter().map(|h| h.position(text).map(str::to_owned)).collect::<Vec<_>>()
    };
    let some = |name: &str| Some(name.to_owned());
    assert_eq!(positions(V2), [some("/e")]);
    assert_eq!(
        positions(V1_CO_MOUNTED),
        [some("/b"), some("/user.slice"), some("/a"), some("/c:d"), None]
    );
}
