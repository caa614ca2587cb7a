//! eBPF programs that decide on access to devices: bpf(2).

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use super::{Error, Result};

/// A register of the eBPF machine: 0 holds the answer, 1 the context at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Register(pub u8);

/// One eBPF instruction, `struct bpf_insn` of `linux/bpf.h`.
///
/// Arithmetic and comparison are on the lower 32 bits of a register and clear the upper ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Instruction {
    /// Class, operation and source.
    pub code: u8,
    /// The destination register in one half and the source register in the other.
    registers: u8,
    /// How far to jump, or where to load from.
    pub offset: i16,
    /// The constant operand.
    pub constant: i32,
}

impl Instruction {
    /// `BPF_LDX | BPF_MEM | BPF_W`
    pub const LOAD: u8 = 0x61;
    /// `BPF_ALU | BPF_MOV | BPF_X`
    pub const COPY: u8 = 0xbc;
    /// `BPF_ALU | BPF_MOV | BPF_K`
    pub const SET: u8 = 0xb4;
    /// `BPF_ALU | BPF_AND | BPF_K`
    pub const AND: u8 = 0x54;
    /// `BPF_ALU | BPF_RSH | BPF_K`
    pub const SHIFT_RIGHT: u8 = 0x74;
    /// `BPF_JMP32 | BPF_JNE | BPF_K`
    pub const SKIP_UNLESS_EQUAL: u8 = 0x56;
    /// `BPF_JMP | BPF_EXIT`
    pub const EXIT: u8 = 0x95;

    const fn new(code: u8, to: Register, from: Register, offset: i16, constant: i32) -> Self {
        // A bit field: which half comes first depends on the byte order.
        let registers =
            if cfg!(target_endian = "little") { from.0 << 4 | to.0 } else { to.0 << 4 | from.0 };
        Self { code, registers, offset, constant }
    }

    /// Loads the 32-bit word at `offset` behind the address in `base`.
    pub const fn load(to: Register, base: Register, offset: i16) -> Self {
        Self::new(Self::LOAD, to, base, offset, 0)
    }

    /// Copies a register.
    pub const fn copy(to: Register, from: Register) -> Self {
        Self::new(Self::COPY, to, from, 0, 0)
    }

    /// Sets a register to a constant.
    pub const fn set(to: Register, constant: i32) -> Self {
        Self::new(Self::SET, to, Register(0), 0, constant)
    }

    /// Clears the bits of a register that are not in `mask`.
    pub const fn and(to: Register, mask: i32) -> Self {
        Self::new(Self::AND, to, Register(0), 0, mask)
    }

    /// Shifts a register right by so many bits.
    pub const fn shift_right(to: Register, bits: i32) -> Self {
        Self::new(Self::SHIFT_RIGHT, to, Register(0), 0, bits)
    }

    /// Skips the next `count` instructions unless the register holds the constant.
    pub const fn skip_unless_equal(register: Register, constant: i32, count: i16) -> Self {
        Self::new(Self::SKIP_UNLESS_EQUAL, register, Register(0), count, constant)
    }

    /// Ends the program.
    pub const fn exit() -> Self {
        Self::new(Self::EXIT, Register(0), Register(0), 0, 0)
    }

    /// The register that is written or compared.
    pub const fn to(self) -> Register {
        let half =
            if cfg!(target_endian = "little") { self.registers } else { self.registers >> 4 };
        Register(half & 0xf)
    }

    /// The register that is read.
    pub const fn from(self) -> Register {
        let half =
            if cfg!(target_endian = "little") { self.registers >> 4 } else { self.registers };
        Register(half & 0xf)
    }
}

const BPF_PROG_LOAD: libc::c_long = 5;
const BPF_PROG_ATTACH: libc::c_long = 8;
const BPF_PROG_TYPE_CGROUP_DEVICE: u32 = 15;
const BPF_CGROUP_DEVICE: u32 = 6;
/// Programs of the groups around this one go on having their say.
const BPF_F_ALLOW_MULTI: u32 = 2;

/// The part of `union bpf_attr` that `BPF_PROG_LOAD` needs; the kernel takes the rest as zero.
#[repr(C)]
struct Load {
    program_type: u32,
    instruction_count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buffer: u64,
    kernel_version: u32,
    flags: u32,
}

/// The part of `union bpf_attr` that `BPF_PROG_ATTACH` needs.
#[repr(C)]
struct Attach {
    target: i32,
    program: i32,
    attach_type: u32,
    flags: u32,
}

/// Has the kernel verify a program of type `BPF_PROG_TYPE_CGROUP_DEVICE`.
pub fn load_device_program(program: &[Instruction]) -> Result<OwnedFd> {
    let license = c"Apache-2.0";
    let attributes = Load {
        program_type: BPF_PROG_TYPE_CGROUP_DEVICE,
        instruction_count: u32::try_from(program.len()).unwrap_or(u32::MAX),
        instructions: program.as_ptr() as u64,
        license: license.as_ptr() as u64,
        log_level: 0,
        log_size: 0,
        log_buffer: 0,
        kernel_version: 0,
        flags: 0,
    };
    // SAFETY: bpf(2) reads as many bytes as the third argument says, which is the size of the
    // structure the second points to, and through it `instruction_count` instructions of 8 bytes
    // and a string that ends in zero; all of them outlive the call and none is written to.
    let result = unsafe {
        libc::syscall(libc::SYS_bpf, BPF_PROG_LOAD, &raw const attributes, size_of::<Load>())
    };
    let fd = check("BPF_PROG_LOAD", result)?;
    // SAFETY: the kernel has just made this descriptor (close-on-exec, as it makes all for bpf)
    // for us, and nothing else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Attaches a device program to the cgroup2 directory `group`, beside those that are attached to
/// the groups around it. It stays in force when `program` is closed, until the group is removed.
pub fn attach_device_program(group: impl AsFd, program: impl AsFd) -> Result<()> {
    let attributes = Attach {
        target: group.as_fd().as_raw_fd(),
        program: program.as_fd().as_raw_fd(),
        attach_type: BPF_CGROUP_DEVICE,
        flags: BPF_F_ALLOW_MULTI,
    };
    // SAFETY: bpf(2) reads as many bytes as the third argument says, which is the size of the
    // structure the second points to; both descriptors in it are borrowed for the whole call.
    let result = unsafe {
        libc::syscall(libc::SYS_bpf, BPF_PROG_ATTACH, &raw const attributes, size_of::<Attach>())
    };
    check("BPF_PROG_ATTACH", result).map(drop)
}

fn check(command: &'static str, result: libc::c_long) -> Result<i32> {
    i32::try_from(result)
        .ok()
        .filter(|result| *result >= 0)
        .ok_or_else(|| Error::new("bpf", command, std::io::Error::last_os_error()))
}
