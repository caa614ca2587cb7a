//! The system call interfaces that a kernel of this architecture offers to programs.

use oci_spec::runtime::Arch;

/// One interface: its token in `struct seccomp_data` and its table of calls.
#[derive(Debug, Clone, Copy)]
pub(super) struct Architecture {
    /// Its name in a profile.
    pub name: Arch,
    /// Its `AUDIT_ARCH_*` token, from `linux/audit.h`.
    pub token: u32,
    /// The highest number in its table.
    pub last: u32,
    lookup: fn(usize) -> Option<&'static str>,
}

impl Architecture {
    /// The name of the call with this number, as profiles spell it.
    pub(super) fn call(&self, number: u32) -> Option<&'static str> {
        (self.lookup)(usize::try_from(number).ok()?)
    }
}

#[cfg(target_arch = "x86_64")]
mod native {
    use oci_spec::runtime::Arch;
    use syscalls::{x86, x86_64};

    use super::Architecture;

    /// The interface of 64-bit programs. Numbers from [`super::X32_BIT`] up belong to x32.
    pub(in super::super) const NATIVE: Architecture = Architecture {
        name: Arch::ScmpArchX86_64,
        token: 0xc000_003e,
        last: x86_64::Sysno::last().id().unsigned_abs(),
        lookup: |number| x86_64::Sysno::new(number).map(|call| call.name()),
    };

    /// The interface of 32-bit programs.
    const I386: Architecture = Architecture {
        name: Arch::ScmpArchX86,
        token: 0x4000_0003,
        last: x86::Sysno::last().id().unsigned_abs(),
        lookup: |number| x86::Sysno::new(number).map(|call| call.name()),
    };

    /// Every interface that a filter can be compiled for, the native one first.
    pub(in super::super) const ALL: &[Architecture] = &[NATIVE, I386];

    /// What the specification of profiles calls the native architecture in `includes`.
    pub(in super::super) const GO_NAME: &str = "amd64";
}

#[cfg(target_arch = "aarch64")]
mod native {
    use oci_spec::runtime::Arch;
    use syscalls::aarch64;

    use super::Architecture;

    /// The interface of 64-bit programs.
    pub(in super::super) const NATIVE: Architecture = Architecture {
        name: Arch::ScmpArchAarch64,
        token: 0xc000_00b7,
        last: aarch64::Sysno::last().id().unsigned_abs(),
        lookup: |number| {
            aarch64::Sysno::new(number).map(|call| match call {
                // The kernel's table has a second spelling of the name that profiles use.
                aarch64::Sysno::fstatat => "newfstatat",
                call => call.name(),
            })
        },
    };

    /// Every interface that a filter can be compiled for, the native one first.
    pub(in super::super) const ALL: &[Architecture] = &[NATIVE];

    /// What the specification of profiles calls the native architecture in `includes`.
    pub(in super::super) const GO_NAME: &str = "arm64";
}

pub(super) use native::{ALL, GO_NAME, NATIVE};

/// Set in the number of a call of the x32 interface, which shares its token with x86_64. No
/// number of another interface is as high.
pub(super) const X32_BIT: u32 = 0x4000_0000;
