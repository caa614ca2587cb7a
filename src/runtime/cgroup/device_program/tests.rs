use proptest::prelude::*;

use super::super::devices::Access;
use super::*;

/// Runs a program as the kernel would; panics on whatever the kernel's verifier would refuse.
fn run(program: &[Instruction], context: [u32; 3]) -> u32 {
    let mut registers: [Option<u32>; 11] = [None; 11];
    // Stands for the pointer to the context.
    let mut context_is_live = true;
    let mut at = 0;
    loop {
        let step = program[at];
        at += 1;
        let to = usize::from(step.to().0);
        let from = usize::from(step.from().0);
        let constant = step.constant.cast_unsigned();
        match step.code {
            Instruction::LOAD => {
                assert!(from == 1 && context_is_live, "a load from no context");
                registers[to] = Some(context[usize::try_from(step.offset / 4).unwrap()]);
            }
            Instruction::COPY => registers[to] = Some(registers[from].unwrap()),
            Instruction::SET => registers[to] = Some(constant),
            Instruction::AND => registers[to] = Some(registers[to].unwrap() & constant),
            Instruction::SHIFT_RIGHT => registers[to] = Some(registers[to].unwrap() >> constant),
            Instruction::SKIP_UNLESS_EQUAL => {
                if registers[to].unwrap() != constant {
                    at += usize::try_from(step.offset).unwrap();
                }
            }
            Instruction::EXIT => return registers[0].unwrap(),
            code => panic!("unknown instruction {code:#x}"),
        }
        context_is_live &= registers[1].is_none();
    }
}

/// What the rules mean: one of them must allow all that is wanted.
fn allows(rules: &DeviceRules, block: bool, wanted: i32, major: u32, minor: u32) -> bool {
    rules.as_slice().iter().any(|rule| {
        (rule.kind == DeviceKind::Block) == block
            && rule.major == major
            && rule.minor.is_none_or(|number| number == minor)
            && (wanted & MKNOD == 0 || rule.access.mknod)
            && (wanted & READ == 0 || rule.access.read)
            && (wanted & WRITE == 0 || rule.access.write)
    })
}

fn check(rules: &DeviceRules, block: bool, wanted: i32, major: u32, minor: u32) {
    let kind = if block { BLOCK } else { CHARACTER };
    let answer = run(&assemble(rules), [(wanted << 16 | kind).cast_unsigned(), major, minor]);
    let expected = u32::from(allows(rules, block, wanted, major, minor));
    assert_eq!(answer, expected, "{block} {wanted} {major}:{minor} of {rules:?}");
}

#[test]
fn standard_rules_allow_what_they_list_and_no_more() {
    let rules = DeviceRules::standard();
    for major in [0, 1, 5, 7, 8, 10, 136, 137, u32::MAX] {
        for minor in (0..=12).chain([255, u32::MAX]) {
            for wanted in 1..8 {
                check(&rules, false, wanted, major, minor);
                check(&rules, true, wanted, major, minor);
            }
        }
    }
    assert!(allows(&rules, false, MKNOD | READ | WRITE, 1, 3));
    assert!(!allows(&rules, false, READ, 10, 200));
}

#[test]
fn no_rules_deny_everything() {
    let mut rules = DeviceRules::standard();
    assert_ne!(run(&assemble(&rules), [(READ << 16 | CHARACTER).cast_unsigned(), 1, 3]), 0);
    rules = DeviceRules::none();
    assert_eq!(run(&assemble(&rules), [(READ << 16 | CHARACTER).cast_unsigned(), 1, 3]), 0);
}

fn any_rule() -> impl Strategy<Value = DeviceRule> {
    let number = prop_oneof![0..4_u32, any::<u32>()];
    (any::<bool>(), number.clone(), proptest::option::of(number), 0..8_u8).prop_map(
        |(block, major, minor, access)| DeviceRule {
            kind: if block { DeviceKind::Block } else { DeviceKind::Character },
            major,
            minor,
            access: Access {
                read: access & 1 != 0,
                write: access & 2 != 0,
                mknod: access & 4 != 0,
            },
        },
    )
}

proptest! {
    #[test]
    fn programs_mean_what_the_rules_say(
        list in proptest::collection::vec(any_rule(), 0..12),
        block: bool,
        wanted in 1..8_i32,
        major in 0..4_u32,
        minor in 0..4_u32,
    ) {
        let mut rules = DeviceRules::none();
        list.into_iter().for_each(|rule| rules.allow(rule));
        check(&rules, block, wanted, major, minor);
    }
}
