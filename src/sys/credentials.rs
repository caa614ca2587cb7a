//! Who the calling process is: user, groups, capabilities, keyring, limits, signals.
//!
//! Everything here changes the calling *thread*; the callers are single-threaded, so that this is
//! the process.

use std::io;

use rustix::io::Errno;
use rustix::process::{DumpableBehavior, Gid, Uid};
use rustix::thread::{CapabilitySet, CapabilitySets};

use super::{Error, Result};

/// A set of capabilities as the kernel writes it: bit n is capability n of capabilities(7).
pub type CapabilityMask = u64;

/// The highest number a capability can have.
const LAST_POSSIBLE_CAPABILITY: u32 = 63;

/// To setresuid(2) and its kin -1 means "leave as it is", which here would mean "stay root".
const NO_CHANGE: u32 = u32::MAX;

/// Replaces the supplementary groups: setgroups(2).
pub fn set_groups(groups: &[u32]) -> Result<()> {
    let error = |errno| Error::new("setgroups", format!("{groups:?}"), errno);
    if groups.contains(&NO_CHANGE) {
        return Err(error(Errno::INVAL));
    }
    let ids: Vec<Gid> = groups.iter().map(|&gid| Gid::from_raw(gid)).collect();
    rustix::thread::set_thread_groups(&ids).map_err(error)
}

/// Sets real, effective and saved group: setresgid(2).
pub fn set_group(gid: u32) -> Result<()> {
    let error = |errno| Error::new("setresgid", gid.to_string(), errno);
    if gid == NO_CHANGE {
        return Err(error(Errno::INVAL));
    }
    let id = Gid::from_raw(gid);
    rustix::thread::set_thread_res_gid(id, id, id).map_err(error)
}

/// Sets real, effective and saved user: setresuid(2).
pub fn set_user(uid: u32) -> Result<()> {
    let error = |errno| Error::new("setresuid", uid.to_string(), errno);
    if uid == NO_CHANGE {
        return Err(error(Errno::INVAL));
    }
    let id = Uid::from_raw(uid);
    rustix::thread::set_thread_res_uid(id, id, id).map_err(error)
}

/// Whether [`set_user`] away from root leaves the permitted capabilities: `PR_SET_KEEPCAPS`.
pub fn set_keep_capabilities(keep: bool) -> Result<()> {
    rustix::thread::set_keep_capabilities(keep)
        .map_err(|errno| Error::new("prctl", "PR_SET_KEEPCAPS", errno))
}

/// The bounding set: what the process, and what it executes, can ever get.
pub fn bounding_set() -> CapabilityMask {
    (0..=LAST_POSSIBLE_CAPABILITY)
        .map(|number| 1 << number)
        .filter(|&bit| {
            let capability = CapabilitySet::from_bits_retain(bit);
            rustix::thread::capability_is_in_bounding_set(capability) == Ok(true)
        })
        .fold(0, |set, bit| set | bit)
}

/// Takes everything that is not in `keep` out of the bounding set: `PR_CAPBSET_DROP`.
pub fn limit_bounding_set(keep: CapabilityMask) -> Result<()> {
    let surplus = bounding_set() & !keep;
    for number in (0..=LAST_POSSIBLE_CAPABILITY).filter(|number| surplus & (1 << number) != 0) {
        let capability = CapabilitySet::from_bits_retain(1 << number);
        rustix::thread::remove_capability_from_bounding_set(capability)
            .map_err(|errno| Error::new("prctl", format!("PR_CAPBSET_DROP {number}"), errno))?;
    }
    Ok(())
}

/// Makes every permitted capability effective.
pub fn raise_effective() -> Result<()> {
    let current = rustix::thread::capabilities(None)
        .map_err(|errno| Error::new("capget", String::new(), errno))?;
    set_capabilities(current.permitted.bits(), current.permitted.bits())
}

/// Sets the effective and permitted capabilities, and empties the inheritable ones: capset(2).
///
/// An empty inheritable set also empties the ambient one.
pub fn set_capabilities(effective: CapabilityMask, permitted: CapabilityMask) -> Result<()> {
    let sets = CapabilitySets {
        effective: CapabilitySet::from_bits_retain(effective),
        permitted: CapabilitySet::from_bits_retain(permitted),
        inheritable: CapabilitySet::empty(),
    };
    rustix::thread::set_capabilities(None, sets)
        .map_err(|errno| Error::new("capset", format!("{permitted:016x}"), errno))
}

/// Makes sure that no `execve` ever grants a privilege again: `PR_SET_NO_NEW_PRIVS`.
pub fn set_no_new_privileges() -> Result<()> {
    rustix::thread::set_no_new_privs(true)
        .map_err(|errno| Error::new("prctl", "PR_SET_NO_NEW_PRIVS", errno))
}

/// Keeps other processes of the same user from tracing this one or looking into its /proc
/// directory, until it executes a program: `PR_SET_DUMPABLE`.
pub fn set_undumpable() -> Result<()> {
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|errno| Error::new("prctl", "PR_SET_DUMPABLE", errno))
}

/// Sets the file mode creation mask: umask(2).
pub fn set_umask(mask: u32) {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(mask));
}

/// Lets the process run on every processor its cgroup allows, whatever its parent was bound to:
/// sched_setaffinity(2).
pub fn reset_affinity() -> Result<()> {
    let mut processors = rustix::thread::CpuSet::new();
    for number in 0..rustix::thread::CpuSet::MAX_CPU {
        processors.set(number);
    }
    rustix::thread::sched_setaffinity(None, &processors)
        .map_err(|errno| Error::new("sched_setaffinity", String::new(), errno))
}

/// Joins a new, empty session keyring, so that the keys of whoever started the process stay out
/// of its reach: keyctl(2).
pub fn join_new_keyring() -> Result<()> {
    let anonymous: *const libc::c_char = std::ptr::null();
    // SAFETY: KEYCTL_JOIN_SESSION_KEYRING takes a name or a null pointer, which asks for a new
    // anonymous keyring; nothing else is read.
    let result = unsafe {
        libc::syscall(
            libc::SYS_keyctl,
            libc::c_ulong::from(libc::KEYCTL_JOIN_SESSION_KEYRING),
            anonymous,
        )
    };
    match result {
        -1 => Err(Error::new("keyctl", "KEYCTL_JOIN_SESSION_KEYRING", io::Error::last_os_error())),
        _ => Ok(()),
    }
}

/// Gives every signal its default disposition and blocks none.
///
/// `execve` keeps ignored signals ignored and blocked ones blocked, and Rust's runtime ignores
/// `SIGPIPE`; a program expects neither.
pub fn reset_signals() -> Result<()> {
    for signal in 1..=KERNEL_SIGNALS {
        set_default_disposition(signal)?;
    }
    nix::sys::signal::SigSet::empty()
        .thread_set_mask()
        .map_err(|errno| Error::new("rt_sigprocmask", String::new(), errno))
}

/// How many signals the kernel has, the two that C libraries hide included.
const KERNEL_SIGNALS: libc::c_int = 64;

/// The kernel's `struct sigaction`, large enough for every architecture; zeros are `SIG_DFL`.
type KernelSigaction = [u64; 4];

/// The size of the kernel's `sigset_t`.
const KERNEL_SIGSET_SIZE: libc::size_t = 8;

/// By the raw call, as sigaction(3) refuses signals 32 and 33.
fn set_default_disposition(signal: libc::c_int) -> Result<()> {
    if signal == libc::SIGKILL || signal == libc::SIGSTOP {
        return Ok(());
    }
    let action: KernelSigaction = [0; 4];
    let previous: *mut KernelSigaction = std::ptr::null_mut();
    // SAFETY: `action` is a valid kernel sigaction for SIG_DFL with an empty mask, read only
    // during the call; the null pointer says that the old one is not wanted.
    let result = unsafe {
        libc::syscall(
            libc::SYS_rt_sigaction,
            signal,
            &raw const action,
            previous,
            KERNEL_SIGSET_SIZE,
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(Error::new("rt_sigaction", signal.to_string(), io::Error::last_os_error())),
    }
}
