//! From a profile to a BPF program.
//!
//! The program first asks for the interface (native or 32-bit), then finds the number of the call
//! by binary search over ranges of numbers with the same outcome, so that a call costs about ten
//! instructions. Most outcomes are a plain action, which the kernel recognises when the filter is
//! installed, so that it does not even run the program for calls that are always allowed.
//!
//! What a profile means:
//! - The rules that name a call are tried in the order of the profile; the first whose conditions
//!   all hold decides. If none does, the default action is taken. (Under libseccomp a rule without
//!   conditions beats those with, wherever it stands; written last, as one should, both agree.)
//! - All conditions of a rule must hold, also several on one argument, as the OCI runtime
//!   specification says. (runc treats several on one argument as alternatives.)
//! - Names that this architecture does not have are passed over.
//! - An interface that the profile does not list, and x32 always, answers `ENOSYS`.

use std::collections::HashMap;

use oci_spec::runtime::{
    LinuxSeccomp, LinuxSeccompAction as Action, LinuxSeccompArg, LinuxSeccompFilterFlag as Flag,
    LinuxSeccompOperator as Operator, LinuxSyscall,
};

use super::architecture::{self, Architecture, X32_BIT};
use super::assembler::{Assembler, Label, Test};
use crate::sys::seccomp::Instruction;

/// The longest program that the kernel takes: `BPF_MAXINSNS`.
const MAX_INSTRUCTIONS: usize = 4096;

/// The highest error number that a filter can return: the kernel's `MAX_ERRNO`.
const MAX_ERRNO: u32 = 4095;

/// Where `struct seccomp_data` has the number of the call.
const NUMBER: u32 = 0;
/// Where it has the token of the interface.
const TOKEN: u32 = 4;

/// A filter that can be installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The BPF program.
    pub instructions: Vec<Instruction>,
    /// `SECCOMP_FILTER_FLAG_*` it is to be installed with.
    pub flags: libc::c_ulong,
}

/// Why a profile cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An action or a flag needs a listener or a tracer, which tank does not have.
    #[error("{0} in a seccomp profile is not supported")]
    Unsupported(String),
    /// An error number is higher than 4095.
    #[error("error number {0} in a seccomp profile is out of range")]
    Errno(u32),
    /// A condition is on an argument that system calls do not have.
    #[error("argument {0} in a seccomp profile is out of range: calls have 0 to 5")]
    Argument(usize),
    /// The program would have more instructions than the kernel takes.
    #[error("seccomp profile is too large: {0} instructions, the kernel takes 4096")]
    TooLong(usize),
}

/// Compiles a profile for this architecture.
pub fn compile(profile: &LinuxSeccomp) -> Result<Program, Error> {
    let flags = flags(profile)?;
    let mut compiler = Compiler::new(profile)?;
    let unknown = compiler.assembler.end_with(errno(libc::ENOSYS.unsigned_abs()));
    let listed = |architecture: &&Architecture| match profile.architectures() {
        Some(names) => names.contains(&architecture.name),
        None => architecture.name == architecture::NATIVE.name,
    };
    let mut entry = unknown;
    for architecture in architecture::ALL.iter().filter(listed).rev() {
        let table = compiler.table(architecture, unknown);
        entry = compiler.assembler.branch(Test::Equal, architecture.token, table, entry);
    }
    compiler.assembler.start_at(entry);
    compiler.assembler.load(TOKEN);
    let instructions = compiler.assembler.finish();
    if instructions.len() > MAX_INSTRUCTIONS {
        return Err(Error::TooLong(instructions.len()));
    }
    Ok(Program { instructions, flags })
}

fn flags(profile: &LinuxSeccomp) -> Result<libc::c_ulong, Error> {
    let mut flags = 0;
    for flag in profile.flags().iter().flatten() {
        flags |= match flag {
            Flag::SeccompFilterFlagLog => libc::SECCOMP_FILTER_FLAG_LOG,
            Flag::SeccompFilterFlagSpecAllow => libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW,
            // The process has one thread, so there is nothing to synchronise.
            Flag::SeccompFilterFlagTsync => 0,
            Flag::SeccompFilterFlagWaitKillableRecv => {
                return Err(Error::Unsupported(flag.to_string()));
            }
        };
    }
    Ok(flags)
}

/// What a filter returns for an error number.
fn errno(number: u32) -> u32 {
    libc::SECCOMP_RET_ERRNO | number
}

fn return_value(action: Action, number: Option<u32>) -> Result<u32, Error> {
    Ok(match action {
        Action::ScmpActAllow => libc::SECCOMP_RET_ALLOW,
        Action::ScmpActLog => libc::SECCOMP_RET_LOG,
        Action::ScmpActErrno => match number.unwrap_or(libc::EPERM.unsigned_abs()) {
            number if number > MAX_ERRNO => return Err(Error::Errno(number)),
            number => errno(number),
        },
        Action::ScmpActTrap => libc::SECCOMP_RET_TRAP,
        Action::ScmpActKill | Action::ScmpActKillThread => libc::SECCOMP_RET_KILL_THREAD,
        Action::ScmpActKillProcess => libc::SECCOMP_RET_KILL_PROCESS,
        Action::ScmpActNotify | Action::ScmpActTrace => {
            return Err(Error::Unsupported(action.to_string()));
        }
    })
}

/// One rule of a profile, checked.
#[derive(Debug)]
struct Rule<'a> {
    value: u32,
    conditions: &'a [LinuxSeccompArg],
}

impl<'a> Rule<'a> {
    fn new(syscall: &'a LinuxSyscall) -> Result<Self, Error> {
        let conditions = syscall.args().as_deref().unwrap_or_default();
        if let Some(bad) = conditions.iter().find(|condition| condition.index() > 5) {
            return Err(Error::Argument(bad.index()));
        }
        Ok(Self { value: return_value(syscall.action(), syscall.errno_ret())?, conditions })
    }
}

/// What happens to a call: a plain return value, or the rules (by their place) to be tried.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Outcome {
    Plain(u32),
    Rules(Vec<usize>),
}

struct Compiler<'a> {
    assembler: Assembler,
    default: u32,
    rules: Vec<Rule<'a>>,
    /// The places of the rules of each call, in the order of the profile.
    by_name: HashMap<&'a str, Vec<usize>>,
    /// Code that was written for rules; interfaces share it, as argument offsets are the same.
    written: HashMap<Vec<usize>, Label>,
}

impl<'a> Compiler<'a> {
    fn new(profile: &'a LinuxSeccomp) -> Result<Self, Error> {
        let default = return_value(profile.default_action(), profile.default_errno_ret())?;
        let syscalls = profile.syscalls().as_deref().unwrap_or_default();
        let rules = syscalls.iter().map(Rule::new).collect::<Result<Vec<_>, _>>()?;
        let names = syscalls.iter().map(|syscall| syscall.names().len()).sum();
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::with_capacity(names);
        for (place, syscall) in syscalls.iter().enumerate() {
            for name in syscall.names() {
                by_name.entry(name).or_default().push(place);
            }
        }
        let (assembler, written) = (Assembler::default(), HashMap::new());
        Ok(Self { assembler, default, rules, by_name, written })
    }

    /// Writes the search over the calls of one interface.
    fn table(&mut self, architecture: &Architecture, unknown: Label) -> Label {
        let mut ranges: Vec<(u32, Outcome)> = Vec::new();
        for number in 0..=architecture.last + 1 {
            let outcome = self.outcome(architecture.call(number));
            if ranges.last().is_none_or(|(_, last)| *last != outcome) {
                ranges.push((number, outcome));
            }
        }
        let mut targets: Vec<(u32, Label)> = ranges
            .into_iter()
            .map(|(start, outcome)| (start, self.outcome_code(outcome)))
            .collect();
        targets.push((X32_BIT, unknown));
        let search = self.search(&targets);
        self.assembler.start_at(search);
        self.assembler.load(NUMBER)
    }

    fn outcome(&self, name: Option<&str>) -> Outcome {
        let places = name.and_then(|name| self.by_name.get(name)).map_or(&[][..], Vec::as_slice);
        match places {
            [] => Outcome::Plain(self.default),
            [first, ..] if self.is_unconditional(*first) => {
                Outcome::Plain(self.rules[*first].value)
            }
            places => {
                let end = places.iter().position(|&place| self.is_unconditional(place));
                Outcome::Rules(places[..end.map_or(places.len(), |end| end + 1)].to_vec())
            }
        }
    }

    fn is_unconditional(&self, place: usize) -> bool {
        self.rules[place].conditions.is_empty()
    }

    fn outcome_code(&mut self, outcome: Outcome) -> Label {
        let places = match outcome {
            Outcome::Plain(value) => return self.assembler.end_with(value),
            Outcome::Rules(places) => places,
        };
        if let Some(&label) = self.written.get(&places) {
            return label;
        }
        let mut next = self.assembler.end_with(self.default);
        for &place in places.iter().rev() {
            let matched = self.assembler.end_with(self.rules[place].value);
            next = self.rules[place].conditions.iter().rev().fold(matched, |holds, condition| {
                write_condition(&mut self.assembler, condition, holds, next)
            });
        }
        self.written.insert(places, next);
        next
    }

    /// Writes a binary search for the last of the ranges (by their start) that A is in.
    fn search(&mut self, ranges: &[(u32, Label)]) -> Label {
        if let [(_, target)] = ranges {
            return *target;
        }
        let (low, high) = ranges.split_at(ranges.len() / 2);
        let start = high[0].0;
        let high = self.search(high);
        let low = self.search(low);
        self.assembler.branch(Test::GreaterOrEqual, start, high, low)
    }
}

/// Writes the test of one condition on a 64-bit argument, which goes to `holds` or to `fails`.
fn write_condition(
    assembler: &mut Assembler,
    condition: &LinuxSeccompArg,
    holds: Label,
    fails: Label,
) -> Label {
    let value = condition.value();
    let all = u64::MAX;
    match condition.op() {
        Operator::ScmpCmpEq => equal(assembler, condition, all, value, [holds, fails]),
        Operator::ScmpCmpNe => equal(assembler, condition, all, value, [fails, holds]),
        Operator::ScmpCmpMaskedEq => {
            let wanted = condition.value_two().unwrap_or(0) & value;
            equal(assembler, condition, value, wanted, [holds, fails])
        }
        Operator::ScmpCmpGe => order(assembler, condition, Test::GreaterOrEqual, [holds, fails]),
        Operator::ScmpCmpLt => order(assembler, condition, Test::GreaterOrEqual, [fails, holds]),
        Operator::ScmpCmpGt => order(assembler, condition, Test::Greater, [holds, fails]),
        Operator::ScmpCmpLe => order(assembler, condition, Test::Greater, [fails, holds]),
    }
}

/// `argument & mask == value`, half by half; a half that the mask hides is not looked at.
fn equal(
    assembler: &mut Assembler,
    condition: &LinuxSeccompArg,
    mask: u64,
    value: u64,
    [yes, no]: [Label; 2],
) -> Label {
    let [low, high] = offsets(condition.index());
    let mut next = yes;
    for (offset, mask, value) in
        [(low, low_half(mask), low_half(value)), (high, high_half(mask), high_half(value))]
    {
        if mask == 0 {
            continue;
        }
        assembler.branch(Test::Equal, value, next, no);
        if mask != u32::MAX {
            assembler.and(mask);
        }
        next = assembler.load(offset);
    }
    next
}

/// `argument > value` or `argument >= value`: by the high halves, or if those are equal by the
/// low ones.
fn order(
    assembler: &mut Assembler,
    condition: &LinuxSeccompArg,
    test: Test,
    [yes, no]: [Label; 2],
) -> Label {
    let [low, high] = offsets(condition.index());
    let value = condition.value();
    assembler.branch(test, low_half(value), yes, no);
    let equal = assembler.load(low);
    let not_greater = assembler.branch(Test::Equal, high_half(value), equal, no);
    assembler.branch(Test::Greater, high_half(value), yes, not_greater);
    assembler.load(high)
}

/// Where `struct seccomp_data` has the low and the high half of an argument.
fn offsets(index: usize) -> [u32; 2] {
    let start = 16 + 8 * u32::try_from(index).expect("an index is at most 5");
    if cfg!(target_endian = "little") { [start, start + 4] } else { [start + 4, start] }
}

fn low_half(value: u64) -> u32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

fn high_half(value: u64) -> u32 {
    low_half(value >> 32)
}

#[cfg(test)]
mod tests;
