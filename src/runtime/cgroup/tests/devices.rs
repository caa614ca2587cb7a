use super::*;

/// Tries devices from inside the group and tells what went: the standard ones to use and to make,
/// and kmsg (1:11), which is not among them, to make, to read and to write.
const TRY: &str = "
    try() { if \"$@\" 2>/dev/null; then echo yes; else echo no; fi; }
    try sh -c ': </dev/zero'
    try sh -c ': >/dev/null'
    try mknod $DIR/null c 1 3
    try mknod $DIR/disk b 7 0
    try mknod $DIR/kmsg c 1 11
    try sh -c ': </dev/kmsg'
    try sh -c ': >/dev/kmsg'
    try sh -c ': </dev/null >/dev/null'
";

fn outcome(test: &TestGroup) -> String {
    let dir = tempfile::tempdir().unwrap();
    let script = TRY.replace("$DIR", &dir.path().display().to_string());
    let (output, _) = test.run(&format!("{script} read more")).finish_after_input();
    output.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Running {
    fn finish_after_input(mut self) -> (String, ExitStatus) {
        drop(self.child.stdin.take());
        self.finish()
    }
}

/// The hosts, and cgroup2 alone also where a v1 hierarchy has the devices controller: programs
/// can be attached all the same.
fn hosts_and_cgroup2() -> Vec<Hierarchies> {
    let mut hosts = hosts();
    if hosts[0].version() == Version::Hybrid {
        hosts.push(without(" - cgroup "));
    }
    hosts
}

#[test]
fn devices_are_denied_unless_listed() {
    for host in hosts_and_cgroup2() {
        let test = TestGroup::created(&host, &Limits::default());
        assert_eq!(outcome(&test), "yes yes yes yes yes yes yes yes");

        let rules = DeviceRules::standard();
        let notes = test.group.create(&Limits::default(), Some(&rules)).unwrap();
        let unfiltered = |note: &Note| !matches!(note, Note::NoController(_));
        assert!(!notes.iter().any(unfiltered), "{notes:?}");
        assert_eq!(outcome(&test), "yes yes yes no no no no yes", "{}", host.version());

        let mut rules = DeviceRules::standard();
        rules.allow(DeviceRule {
            kind: DeviceKind::Character,
            major: 1,
            minor: Some(11),
            access: Access { read: true, write: false, mknod: false },
        });
        test.group.create(&Limits::default(), Some(&rules)).unwrap();
        assert_eq!(outcome(&test), "yes yes yes no no yes no yes", "{}", host.version());

        test.group.create(&Limits::default(), Some(&DeviceRules::none())).unwrap();
        assert_eq!(outcome(&test), "no no no no no no no no", "{}", host.version());
    }
}
