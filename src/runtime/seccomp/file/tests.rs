use oci_spec::runtime::LinuxSeccompAction as Action;

use super::super::compile;
use super::*;

fn parse(text: &str) -> Result<LinuxSeccomp, Error> {
    parse_with(text, &[])
}

fn parse_with(text: &str, capabilities: &[&str]) -> Result<LinuxSeccomp, Error> {
    let capabilities = capabilities.iter().map(|name| name.parse().unwrap()).collect();
    parse_profile(text.as_bytes(), Host { capabilities: &capabilities, kernel: (6, 1) })
}

fn names(profile: &LinuxSeccomp) -> Vec<&str> {
    let rules = profile.syscalls().iter().flatten();
    rules.flat_map(|rule| rule.names()).map(String::as_str).collect()
}

#[test]
fn the_form_of_the_oci_specification_is_read() {
    let profile = parse(
        r#"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
            "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64", "SCMP_ARCH_FUTURE"],
            "flags": ["SECCOMP_FILTER_FLAG_LOG"],
            "syscalls": [{"names": ["read", "no_such_call"], "action": "SCMP_ACT_ALLOW",
                "args": [{"index": 1, "value": 18446744073709551615, "op": "SCMP_CMP_NE"}]}]}"#,
    )
    .unwrap();
    assert_eq!(profile.default_errno_ret(), Some(38));
    assert_eq!(profile.architectures().as_ref().unwrap().len(), 2);
    assert_eq!(names(&profile), ["read", "no_such_call"]);
    let rule = &profile.syscalls().as_ref().unwrap()[0];
    assert_eq!(rule.args().as_ref().unwrap()[0].value(), u64::MAX);
    assert_eq!(compile(&profile).unwrap().flags, libc::SECCOMP_FILTER_FLAG_LOG);
}

#[test]
fn rules_apply_when_all_is_included_and_nothing_excluded() {
    let text = r#"{"defaultAction": "SCMP_ACT_KILL", "syscalls": [
        {"name": "a", "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_BPF", "CAP_KILL"]}},
        {"name": "b", "action": "SCMP_ACT_ALLOW", "excludes": {"caps": ["CAP_BPF", "CAP_KILL"]}},
        {"name": "c", "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["amd64", "arm64"]}},
        {"name": "d", "action": "SCMP_ACT_ALLOW", "excludes": {"arches": ["amd64", "arm64"]}},
        {"name": "e", "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}},
        {"name": "f", "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "6.2"}},
        {"name": "g", "action": "SCMP_ACT_ALLOW", "includes": {"caps": [], "arches": null},
         "excludes": null, "args": null, "comment": "none"}]}"#;
    assert_eq!(names(&parse(text).unwrap()), ["b", "c", "e", "g"]);
    assert_eq!(names(&parse_with(text, &["KILL"]).unwrap()), ["c", "e", "g"]);
    assert_eq!(names(&parse_with(text, &["KILL", "BPF"]).unwrap()), ["a", "c", "e", "g"]);
}

#[test]
fn the_map_of_architectures_gives_the_native_one_and_its_kin() {
    let profile = parse(
        r#"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "ENOSYS", "archMap": [
            {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
            {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]},
            {"architecture": "SCMP_ARCH_S390X", "subArchitectures": null}],
            "syscalls": [{"names": ["a"], "action": "SCMP_ACT_ERRNO", "errno": "EACCES"}]}"#,
    )
    .unwrap();
    assert_eq!(profile.architectures().as_ref().unwrap()[0], architecture::NATIVE.name);
    assert_eq!(profile.architectures().as_ref().unwrap().len(), 2);
    assert_eq!(profile.default_errno_ret(), Some(38));
    assert_eq!(profile.syscalls().as_ref().unwrap()[0].errno_ret(), Some(13));
}

#[test]
fn errors_are_named() {
    let rule = |text: &str| parse(&format!(r#"{{"defaultAction": "SCMP_ACT_LOG", {text}}}"#));
    assert!(matches!(parse("{"), Err(Error::Parse(_))));
    assert!(matches!(rule(r#""sycalls": []"#), Err(Error::Parse(_))));
    let misspelt = r#""syscalls": [{"name": "a", "action": "SCMP_ACT_ALLOW", "include": {}}]"#;
    assert!(matches!(rule(misspelt), Err(Error::Parse(_))));
    let both = r#""syscalls": [{"name": "a", "names": [], "action": "SCMP_ACT_ALLOW"}]"#;
    assert!(matches!(rule(both), Err(Error::Both("name", "names"))));
    let both = r#""architectures": ["A"], "archMap": [{"architecture": "A"}]"#;
    assert!(matches!(rule(both), Err(Error::Both("architectures", "archMap"))));
    assert!(matches!(rule(r#""defaultErrno": "EWHAT""#), Err(Error::ErrorName(_))));
    assert!(matches!(rule(r#""listenerPath": "/x""#), Err(Error::Listener)));
    let on = |condition: &str| {
        rule(&format!(
            r#""syscalls": [{{"action": "SCMP_ACT_ALLOW", "includes": {{{condition}}}}}]"#
        ))
    };
    assert!(matches!(on(r#""caps": ["CAP_X"]"#), Err(Error::Capability(_))));
    assert!(matches!(on(r#""minKernel": "new""#), Err(Error::KernelVersion(_))));
    let deep = "[".repeat(100_000);
    assert!(matches!(parse(&deep), Err(Error::Parse(_))));
}

#[test]
fn files_are_bounded() {
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("profile.json");
    let errno = || match read_profile(&path, &BTreeSet::new()) {
        Err(Error::Read { source, .. }) => source.errno(),
        other => panic!("{other:?}"),
    };
    assert_eq!(errno(), libc::ENOENT);
    sys::file::create_new(&path, 0o600).unwrap().set_len(MAX_FILE + 1).unwrap();
    assert_eq!(errno(), libc::EFBIG);
    let text = br#"{"defaultAction": "SCMP_ACT_LOG"}"#;
    sys::file::replace(&path, text, 0o600, sys::file::Durability::Volatile).unwrap();
    let profile = read_profile(&path, &BTreeSet::new()).unwrap();
    assert_eq!(profile.default_action(), Action::ScmpActLog);
}
