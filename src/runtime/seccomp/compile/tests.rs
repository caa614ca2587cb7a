use oci_spec::runtime::{Arch, LinuxSeccompArgBuilder};
use proptest::prelude::*;

use super::super::assembler::interpreter::{Call, run};
use super::super::default_profile;
use super::*;
use crate::runtime::capabilities::resolve;

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;

/// What a profile says about a call, by the definition and not by a program.
fn evaluate(profile: &LinuxSeccomp, call: &Call) -> u32 {
    let enosys = errno(libc::ENOSYS.unsigned_abs());
    let listed = |architecture: &&Architecture| match profile.architectures() {
        Some(names) => names.contains(&architecture.name),
        None => architecture.name == architecture::NATIVE.name,
    };
    let mut interfaces = architecture::ALL.iter().filter(listed);
    let Some(interface) = interfaces.find(|known| known.token == call.token) else {
        return enosys;
    };
    if call.number >= X32_BIT {
        return enosys;
    }
    let holds = |condition: &LinuxSeccompArg| {
        let (argument, value) = (call.arguments[condition.index()], condition.value());
        match condition.op() {
            Operator::ScmpCmpNe => argument != value,
            Operator::ScmpCmpLt => argument < value,
            Operator::ScmpCmpLe => argument <= value,
            Operator::ScmpCmpEq => argument == value,
            Operator::ScmpCmpGe => argument >= value,
            Operator::ScmpCmpGt => argument > value,
            Operator::ScmpCmpMaskedEq => {
                argument & value == condition.value_two().unwrap_or(0) & value
            }
        }
    };
    let named = |rule: &&LinuxSyscall| {
        interface.call(call.number).is_some_and(|name| rule.names().iter().any(|n| n == name))
    };
    let rule = profile
        .syscalls()
        .iter()
        .flatten()
        .filter(named)
        .find(|rule| rule.args().iter().flatten().all(holds));
    match rule {
        Some(rule) => return_value(rule.action(), rule.errno_ret()).unwrap(),
        None => return_value(profile.default_action(), profile.default_errno_ret()).unwrap(),
    }
}

fn default_of(add: &[&'static str]) -> LinuxSeccomp {
    let resolved = resolve(add.iter().copied(), [], u64::MAX).unwrap();
    default_profile(&resolved.capabilities)
}

fn native(name: &str, arguments: [u64; 6]) -> Call {
    let native = &architecture::NATIVE;
    let number = (0..=native.last).find(|&number| native.call(number) == Some(name));
    Call { number: number.unwrap(), token: native.token, arguments }
}

/// Numbers of every interface, around the ends of their tables, and of x32.
fn numbers() -> impl Iterator<Item = u32> {
    (0..600).chain([0x3fff_ffff, 0x4000_0000, 0x4000_0001, 0x7fff_ffff, u32::MAX])
}

fn tokens() -> impl Iterator<Item = u32> {
    architecture::ALL.iter().map(|known| known.token).chain([0, 0x4000_0028, u32::MAX])
}

#[test]
fn the_default_profile_does_what_it_says_for_every_call() {
    let interesting = [0, 1, 8, 9, 16, 38, 40, 0x2_0000, 0x1000_0000, 0xffff_ffff, 0x1_0000_0026];
    for profile in [default_of(&[]), default_of(&["ALL"]), default_of(&["AUDIT_WRITE"])] {
        let program = compile(&profile).unwrap();
        for (token, number) in tokens().flat_map(|token| numbers().map(move |n| (token, n))) {
            for value in interesting {
                for arguments in [[value; 6], [16, 0, value, 0, 0, 0]] {
                    let call = Call { number, token, arguments };
                    let result = run(&program.instructions, &call).0;
                    assert_eq!(result, evaluate(&profile, &call), "{call:x?}");
                }
            }
        }
    }
}

#[test]
fn programs_are_small_and_common_calls_are_short() {
    for profile in [default_of(&[]), default_of(&["ALL"])] {
        let program = compile(&profile).unwrap().instructions;
        assert!(program.len() < 700, "{} instructions", program.len());
        for name in ["read", "write", "close", "futex", "epoll_pwait", "clock_gettime"] {
            let (value, steps) = run(&program, &native(name, [0; 6]));
            assert_eq!(value, ALLOW, "{name}");
            assert!(steps <= 14, "{name} takes {steps}");
        }
    }
}

#[test]
fn capabilities_open_what_belongs_to_them() {
    let plain = compile(&default_of(&[])).unwrap().instructions;
    let denied = |name: &str| run(&plain, &native(name, [u64::MAX; 6])).0 & 0xffff;
    for (capability, name, without) in [
        ("SYS_ADMIN", "mount", libc::EPERM),
        ("SYS_ADMIN", "unshare", libc::EPERM),
        ("SYS_ADMIN", "clone", libc::EPERM),
        ("SYS_ADMIN", "clone3", libc::ENOSYS),
        ("BPF", "bpf", libc::EPERM),
        ("PERFMON", "perf_event_open", libc::EPERM),
        ("SYS_TIME", "settimeofday", libc::EPERM),
        ("DAC_READ_SEARCH", "open_by_handle_at", libc::EPERM),
    ] {
        assert_eq!(denied(name), without.unsigned_abs(), "{name}");
        let program = compile(&default_of(&[capability])).unwrap().instructions;
        assert_eq!(run(&program, &native(name, [u64::MAX; 6])).0, ALLOW, "{name}");
    }
}

#[test]
fn upper_halves_of_arguments_do_not_get_around_the_socket_rules() {
    let program = compile(&default_of(&[])).unwrap().instructions;
    let socket = |family: u64, protocol: u64| {
        run(&program, &native("socket", [family, 1, protocol, 0, 0, 0])).0
    };
    let refused = |number: i32| errno(number.unsigned_abs());
    for upper in [0, 1 << 32, u64::MAX << 32] {
        assert_eq!(socket(upper | 38, 0), refused(libc::EAFNOSUPPORT));
        assert_eq!(socket(upper | 40, 0), refused(libc::EAFNOSUPPORT));
        assert_eq!(socket(16, upper | 9), refused(libc::EINVAL));
    }
    for family in (0..=45).filter(|family| ![38, 40].contains(family)) {
        assert_eq!(socket(family, 0), ALLOW, "{family}");
        assert_eq!(socket(family, 15), ALLOW, "{family}");
    }
}

#[test]
fn the_first_rule_that_holds_decides() {
    let rule = |action, errno: Option<u32>, conditions: &[LinuxSeccompArg]| {
        let mut rule = LinuxSyscall::default();
        rule.set_names(vec!["getppid".into(), "no_such_call".into()])
            .set_action(action)
            .set_errno_ret(errno)
            .set_args(Some(conditions.to_vec()));
        rule
    };
    let is_one = LinuxSeccompArgBuilder::default().index(0_usize).value(1_u64).build().unwrap();
    let mut profile = LinuxSeccomp::default();
    profile.set_default_action(Action::ScmpActAllow).set_syscalls(Some(vec![
        rule(Action::ScmpActErrno, Some(5), &[is_one]),
        rule(Action::ScmpActKillProcess, None, &[]),
        rule(Action::ScmpActAllow, None, &[is_one]),
    ]));
    let program = compile(&profile).unwrap().instructions;
    assert_eq!(run(&program, &native("getppid", [1; 6])).0, errno(5));
    assert_eq!(run(&program, &native("getppid", [2; 6])).0, libc::SECCOMP_RET_KILL_PROCESS);
    assert_eq!(run(&program, &native("getpid", [1; 6])).0, ALLOW);
}

#[test]
fn what_cannot_be_compiled_is_an_error() {
    let with = |change: &dyn Fn(&mut LinuxSyscall)| {
        let mut rule = LinuxSyscall::default();
        rule.set_names(vec!["read".into()]).set_action(Action::ScmpActErrno);
        change(&mut rule);
        let mut profile = LinuxSeccomp::default();
        profile.set_syscalls(Some(vec![rule]));
        compile(&profile)
    };
    let bad = LinuxSeccompArgBuilder::default().index(6_usize).build().unwrap();
    let error = with(&|rule| {
        rule.set_action(Action::ScmpActNotify).set_args(None);
    });
    assert_eq!(error, Err(Error::Unsupported("SCMP_ACT_NOTIFY".into())));
    let error = with(&|rule| {
        rule.set_errno_ret(Some(4096)).set_args(None);
    });
    assert_eq!(error, Err(Error::Errno(4096)));
    let error = with(&|rule| {
        rule.set_args(Some(vec![bad])).set_errno_ret(None);
    });
    assert_eq!(error, Err(Error::Argument(6)));
    let many = |rule: &mut LinuxSyscall| {
        let one = LinuxSeccompArgBuilder::default().value(1_u64).build().unwrap();
        rule.set_args(Some(vec![one; 2000]));
    };
    assert!(matches!(with(&many), Err(Error::TooLong(_))));
}

fn condition() -> impl Strategy<Value = LinuxSeccompArg> {
    let value = || prop_oneof![0..4_u64, any::<u64>(), (0..4_u64).prop_map(|n| n << 32 | 2)];
    let op = prop_oneof![
        Just(Operator::ScmpCmpNe),
        Just(Operator::ScmpCmpLt),
        Just(Operator::ScmpCmpLe),
        Just(Operator::ScmpCmpEq),
        Just(Operator::ScmpCmpGe),
        Just(Operator::ScmpCmpGt),
        Just(Operator::ScmpCmpMaskedEq),
    ];
    (0..3_usize, op, value(), value()).prop_map(|(index, op, value, two)| {
        let builder = LinuxSeccompArgBuilder::default().index(index).op(op);
        builder.value(value).value_two(two).build().unwrap()
    })
}

fn profile() -> impl Strategy<Value = LinuxSeccomp> {
    let action = || {
        prop_oneof![
            Just((Action::ScmpActAllow, None)),
            Just((Action::ScmpActKillProcess, None)),
            Just((Action::ScmpActLog, None)),
            (0..20_u32).prop_map(|number| (Action::ScmpActErrno, Some(number))),
        ]
    };
    let name = (0..architecture::NATIVE.last)
        .prop_map(|number| architecture::NATIVE.call(number).unwrap_or("no_such_call").to_owned());
    let rule = (
        proptest::collection::vec(name, 0..20),
        action(),
        proptest::collection::vec(condition(), 0..3),
    )
        .prop_map(|(names, (action, errno), conditions)| {
            let mut rule = LinuxSyscall::default();
            rule.set_names(names).set_action(action).set_errno_ret(errno);
            rule.set_args(Some(conditions));
            rule
        });
    let arches = proptest::option::of(proptest::sample::subsequence(
        vec![architecture::NATIVE.name, Arch::ScmpArchX86, Arch::ScmpArchArm],
        0..3,
    ));
    (action(), arches, proptest::collection::vec(rule, 0..40)).prop_map(
        |((action, errno), arches, rules)| {
            let mut profile = LinuxSeccomp::default();
            profile.set_default_action(action).set_default_errno_ret(errno);
            profile.set_architectures(arches).set_syscalls(Some(rules));
            profile
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn programs_agree_with_their_profiles(
        profile in profile(),
        arguments in proptest::array::uniform6(prop_oneof![0..5_u64, any::<u64>()]),
    ) {
        let program = compile(&profile).unwrap();
        for (token, number) in tokens().flat_map(|token| numbers().map(move |n| (token, n))) {
            let call = Call { number, token, arguments };
            let result = run(&program.instructions, &call).0;
            prop_assert_eq!(result, evaluate(&profile, &call), "{:x?}", call);
        }
    }
}
