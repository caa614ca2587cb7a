//! An assembler of classic BPF that writes programs from their end to their beginning.
//!
//! BPF jumps only forward, so when a jump is written this way the place it goes to is already
//! there and its distance is known. A conditional jump reaches 255 instructions; where that is
//! not enough a relay is put right behind it.

use std::collections::HashMap;

use crate::sys::seccomp::Instruction;

/// `BPF_LD | BPF_W | BPF_ABS`: A = the word at offset k of `struct seccomp_data`.
const LOAD: u16 = 0x20;
/// `BPF_ALU | BPF_AND | BPF_K`: A &= k.
const AND: u16 = 0x54;
/// `BPF_JMP | BPF_JA`: skips k instructions.
const JUMP: u16 = 0x05;
/// `BPF_RET | BPF_K`: ends with the value k.
const RETURN: u16 = 0x06;

/// What a conditional jump asks of A, comparing it with its operand as unsigned 32-bit numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Test {
    /// `BPF_JMP | BPF_JEQ | BPF_K`
    Equal = 0x15,
    /// `BPF_JMP | BPF_JGT | BPF_K`
    Greater = 0x25,
    /// `BPF_JMP | BPF_JGE | BPF_K`
    GreaterOrEqual = 0x35,
}

/// A place in the program, counted from its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Label(usize);

/// A program that is being written from its end.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    reversed: Vec<Instruction>,
    returns: HashMap<u32, Label>,
    /// The relay of a place that was written last, which is the nearest.
    relays: HashMap<Label, Label>,
}

impl Assembler {
    /// The finished program.
    pub(super) fn finish(mut self) -> Vec<Instruction> {
        self.reversed.reverse();
        self.reversed
    }

    /// A place that ends the program with `value`.
    pub(super) fn end_with(&mut self, value: u32) -> Label {
        if let Some(&label) = self.returns.get(&value) {
            return label;
        }
        let label = self.write(RETURN, value, 0, 0);
        self.returns.insert(value, label);
        label
    }

    /// Makes `label` what was written last, for an instruction that goes on there.
    pub(super) fn start_at(&mut self, label: Label) {
        match self.distance(label) {
            0 => {}
            distance => {
                self.write(JUMP, u32::try_from(distance).expect("a program is short"), 0, 0);
            }
        }
    }

    /// Loads a word of `struct seccomp_data`, then goes on at what was written last.
    pub(super) fn load(&mut self, offset: u32) -> Label {
        self.write(LOAD, offset, 0, 0)
    }

    /// Masks A, then goes on at what was written last.
    pub(super) fn and(&mut self, mask: u32) -> Label {
        self.write(AND, mask, 0, 0)
    }

    /// Goes to `yes` if A passes the test against `operand`, else to `no`.
    pub(super) fn branch(&mut self, test: Test, operand: u32, yes: Label, no: Label) -> Label {
        // A relay for the second target moves the first one away by one more.
        let yes = self.within_reach(yes, 1);
        let no = self.within_reach(no, 0);
        let (jt, jf) = (self.distance(yes), self.distance(no));
        let short = |distance: usize| u8::try_from(distance).expect("the target is within reach");
        self.write(test as u16, operand, short(jt), short(jf))
    }

    /// The number of instructions between the next one to be written and `label`.
    fn distance(&self, label: Label) -> usize {
        self.reversed.len() - label.0 - 1
    }

    /// `target`, or a relay to it if a conditional jump cannot skip that far.
    fn within_reach(&mut self, target: Label, slack: usize) -> Label {
        let reachable = |label| self.distance(label) + slack <= usize::from(u8::MAX);
        if reachable(target) {
            return target;
        }
        if let Some(&relay) = self.relays.get(&target)
            && reachable(relay)
        {
            return relay;
        }
        let end = self.reversed[target.0];
        let relay = if end.code == RETURN {
            self.write(RETURN, end.k, 0, 0)
        } else {
            let distance = self.distance(target);
            self.write(JUMP, u32::try_from(distance).expect("a program is short"), 0, 0)
        };
        self.relays.insert(target, relay);
        relay
    }

    fn write(&mut self, code: u16, k: u32, jt: u8, jf: u8) -> Label {
        self.reversed.push(Instruction { code, jt, jf, k });
        Label(self.reversed.len() - 1)
    }
}

#[cfg(test)]
pub(super) mod interpreter {
    //! Runs a program as the kernel does.

    use super::*;

    /// What `struct seccomp_data` holds, without the instruction pointer.
    #[derive(Debug, Clone, Copy, Default)]
    pub(in super::super) struct Call {
        pub(in super::super) number: u32,
        pub(in super::super) token: u32,
        pub(in super::super) arguments: [u64; 6],
    }

    impl Call {
        fn word(&self, offset: u32) -> u32 {
            let mut bytes = [0; 64];
            bytes[0..4].copy_from_slice(&self.number.to_ne_bytes());
            bytes[4..8].copy_from_slice(&self.token.to_ne_bytes());
            for (place, argument) in bytes[16..].chunks_exact_mut(8).zip(self.arguments) {
                place.copy_from_slice(&argument.to_ne_bytes());
            }
            assert_eq!(offset % 4, 0);
            let offset = offset as usize;
            u32::from_ne_bytes(bytes[offset..offset + 4].try_into().unwrap())
        }
    }

    /// The value the program ends with, and how many instructions it took.
    pub(in super::super) fn run(program: &[Instruction], call: &Call) -> (u32, usize) {
        let (mut a, mut at, mut steps) = (0, 0, 0);
        loop {
            let Instruction { code, jt, jf, k } = program[at];
            at += 1;
            steps += 1;
            let mut branch = |holds: bool| at += usize::from(if holds { jt } else { jf });
            match code {
                LOAD => a = call.word(k),
                AND => a &= k,
                JUMP => at += k as usize,
                RETURN => return (k, steps),
                code if code == Test::Equal as u16 => branch(a == k),
                code if code == Test::Greater as u16 => branch(a > k),
                code if code == Test::GreaterOrEqual as u16 => branch(a >= k),
                code => panic!("unknown instruction {code:#x}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::interpreter::{Call, run};
    use super::*;

    /// A chain of tests, each of which goes to one of two places at the far end.
    #[test]
    fn jumps_of_any_length_arrive() {
        let mut assembler = Assembler::default();
        let mut next = assembler.end_with(1000);
        let one = assembler.end_with(1);
        let two = assembler.load(4);
        for number in 0..1000 {
            let target = if number % 2 == 0 { one } else { two };
            next = assembler.branch(Test::Equal, number, target, next);
        }
        assembler.load(0);
        let program = assembler.finish();
        for number in 0..1000 {
            let call = Call { number, ..Call::default() };
            // The label `two` loads the token and then falls through to the return of 1.
            assert_eq!(run(&program, &call).0, 1, "{number}");
        }
        assert_eq!(run(&program, &Call { number: 1001, ..Call::default() }).0, 1000);
    }
}
