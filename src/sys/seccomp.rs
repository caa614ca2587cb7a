//! System call filters: seccomp(2) in filter mode.

use super::{Error, Result};

/// One instruction of classic BPF, laid out as the kernel's `struct sock_filter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Instruction {
    /// What it does: class, size, mode, operation (`BPF_*`).
    pub code: u16,
    /// How many instructions a jump skips when its test holds.
    pub jt: u8,
    /// How many it skips when the test does not hold.
    pub jf: u8,
    /// The operand.
    pub k: u32,
}

/// The kernel's `struct sock_fprog`, over [`Instruction`].
#[repr(C)]
struct Filter {
    len: libc::c_ushort,
    instructions: *const Instruction,
}

/// Puts a filter on the calling thread, for good. `flags` are `SECCOMP_FILTER_FLAG_*`.
///
/// Needs `CAP_SYS_ADMIN` or no_new_privs, which is not set here. Fails with `EINVAL` when the
/// kernel does not accept the program, `EACCES` when the thread may not install one.
pub fn install(program: &[Instruction], flags: libc::c_ulong) -> Result<()> {
    let error = |errno| Error::new("seccomp", "SECCOMP_SET_MODE_FILTER", errno);
    let len = program
        .len()
        .try_into()
        .map_err(|_| error(std::io::Error::from_raw_os_error(libc::EINVAL)))?;
    let filter = Filter { len, instructions: program.as_ptr() };
    // SAFETY: the third argument is a `sock_fprog` by layout whose pointer is valid for `len`
    // instructions; `program` outlives the call and the kernel copies what it reads.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::c_ulong::from(libc::SECCOMP_SET_MODE_FILTER),
            flags,
            &raw const filter,
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(error(std::io::Error::last_os_error())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruction_is_a_sock_filter() {
        use std::mem::{offset_of, size_of};
        assert_eq!(size_of::<Instruction>(), size_of::<libc::sock_filter>());
        assert_eq!(offset_of!(Instruction, k), offset_of!(libc::sock_filter, k));
        assert_eq!(offset_of!(Instruction, jf), offset_of!(libc::sock_filter, jf));
        assert_eq!(size_of::<Filter>(), size_of::<libc::sock_fprog>());
        assert_eq!(offset_of!(Filter, instructions), offset_of!(libc::sock_fprog, filter));
    }
}
