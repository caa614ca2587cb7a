//! The eBPF program that enforces device rules on cgroup2.
//!
//! The kernel runs it whenever a process of the group opens or makes a device, with a pointer to
//! a `struct bpf_cgroup_dev_ctx` in r1; it answers 1 for yes. See bpf(2) and, in the kernel's
//! documentation, `bpf/standardization/instruction-set.rst`.

use super::devices::{DeviceKind, DeviceRule, DeviceRules};
use crate::sys::bpf::{Instruction, Register};

/// `BPF_DEVCG_*` of `linux/bpf.h`.
const BLOCK: i32 = 1;
const CHARACTER: i32 = 2;
const MKNOD: i32 = 1;
const READ: i32 = 2;
const WRITE: i32 = 4;

/// Offsets in `struct bpf_cgroup_dev_ctx`: the access wanted (upper half) and the kind (lower
/// half) in one word, the major and the minor number.
const ACCESS_AND_KIND: i16 = 0;
const MAJOR_NUMBER: i16 = 4;
const MINOR_NUMBER: i16 = 8;

const ANSWER: Register = Register(0);
const CONTEXT: Register = Register(1);
const KIND: Register = Register(2);
const WANTED: Register = Register(3);
const MAJOR: Register = Register(4);
const MINOR: Register = Register(5);
/// Free once the context was read.
const SCRATCH: Register = Register(1);

/// Writes the program that says yes to what one of the rules allows, and else no.
pub(super) fn assemble(rules: &DeviceRules) -> Vec<Instruction> {
    let mut program = vec![
        Instruction::load(KIND, CONTEXT, ACCESS_AND_KIND),
        Instruction::copy(WANTED, KIND),
        Instruction::and(KIND, 0xffff),
        Instruction::shift_right(WANTED, 16),
        Instruction::load(MAJOR, CONTEXT, MAJOR_NUMBER),
        Instruction::load(MINOR, CONTEXT, MINOR_NUMBER),
    ];
    for rule in rules.as_slice() {
        program.extend(assemble_rule(rule));
    }
    program.extend([Instruction::set(ANSWER, 0), Instruction::exit()]);
    program
}

/// Answers yes if the rule allows what is wanted, and else goes on behind itself.
fn assemble_rule(rule: &DeviceRule) -> Vec<Instruction> {
    let kind = match rule.kind {
        DeviceKind::Block => BLOCK,
        DeviceKind::Character => CHARACTER,
    };
    let denied = [(rule.access.mknod, MKNOD), (rule.access.read, READ), (rule.access.write, WRITE)]
        .into_iter()
        .filter(|(allowed, _)| !allowed)
        .fold(0, |mask, (_, bit)| mask | bit);
    let mut checks = vec![(KIND, kind.cast_unsigned()), (MAJOR, rule.major)];
    checks.extend(rule.minor.map(|minor| (MINOR, minor)));

    // Each check that fails jumps over the rest of the rule, whose length is known from its end.
    let mut backwards = vec![Instruction::exit(), Instruction::set(ANSWER, 1)];
    let skip = |rest: &[Instruction]| i16::try_from(rest.len()).unwrap_or(i16::MAX);
    if denied != 0 {
        backwards.push(Instruction::skip_unless_equal(SCRATCH, 0, skip(&backwards)));
        backwards.push(Instruction::and(SCRATCH, denied));
        backwards.push(Instruction::copy(SCRATCH, WANTED));
    }
    for (register, value) in checks.into_iter().rev() {
        let value = value.cast_signed();
        backwards.push(Instruction::skip_unless_equal(register, value, skip(&backwards)));
    }
    backwards.reverse();
    backwards
}

#[cfg(test)]
mod tests;
