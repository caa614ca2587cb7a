//! tank's own profile.
//!
//! It has the shape of Podman's: what is not named answers `ENOSYS`, so that C libraries fall back
//! from calls that are newer than this list, and what is named but not allowed answers `EPERM`.
//! Where Docker's profile is stricter, it is followed: no namespaces, mounts or keys without the
//! capability for them, and no `AF_ALG` or `AF_VSOCK` sockets.

use std::collections::BTreeSet;

use oci_spec::runtime::{
    LinuxSeccomp, LinuxSeccompAction as Action, LinuxSeccompArg, LinuxSeccompArgBuilder,
    LinuxSeccompOperator as Operator, LinuxSyscall,
};

use super::architecture;
use crate::runtime::capabilities::Capability;

/// Always allowed, the names of 32-bit interfaces included.
const ALLOWED: [&str; 9] = [
    // Files and directories.
    "access chdir chmod chown chown32 creat faccessat faccessat2 fadvise64 fadvise64_64 \
     fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat \
     fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstat64 fstatat64 \
     fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd getdents getdents64 \
     getxattr getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch lchown \
     lchown32 lgetxattr link linkat listmount listxattr listxattrat llistxattr lremovexattr \
     lsetxattr lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open \
     openat openat2 readdir readlink readlinkat removexattr removexattrat rename renameat \
     renameat2 rmdir setxattr setxattrat stat stat64 statfs statfs64 statmount statx symlink \
     symlinkat sync sync_file_range syncfs truncate truncate64 umask unlink unlinkat utime \
     utimensat utimensat_time64 utimes",
    // Descriptors, pipes and streams.
    "_llseek _newselect close close_range copy_file_range dup dup2 dup3 epoll_create \
     epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old \
     eventfd eventfd2 fcntl fcntl64 io_cancel io_destroy io_getevents io_pgetevents \
     io_pgetevents_time64 io_setup io_submit ioctl lseek memfd_create memfd_secret pipe pipe2 \
     poll ppoll ppoll_time64 pread64 preadv preadv2 pselect6 pselect6_time64 pwrite64 pwritev \
     pwritev2 read readahead readv select sendfile sendfile64 signalfd signalfd4 splice tee \
     write writev",
    // Memory.
    "brk madvise map_shadow_stack membarrier mincore mlock mlock2 mlockall mmap mmap2 \
     mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect \
     remap_file_pages",
    // Processes and threads.
    "arch_prctl execve execveat exit exit_group fork futex futex_requeue futex_time64 \
     futex_wait futex_waitv futex_wake get_robust_list get_thread_area getcpu getpgid getpgrp \
     getpid getppid getpriority getrlimit getrusage getsid gettid ioprio_get ioprio_set kill \
     modify_ldt nice pause pidfd_open pidfd_send_signal prctl prlimit64 process_mrelease \
     process_vm_readv process_vm_writev ptrace restart_syscall rseq sched_get_priority_max \
     sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler \
     sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr \
     sched_setparam sched_setscheduler sched_yield set_robust_list set_thread_area \
     set_tid_address setpgid setpriority setrlimit setsid tgkill tkill ugetrlimit uprobe \
     uretprobe vfork wait4 waitid waitpid",
    // Users and capabilities.
    "capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 \
     getresgid getresgid32 getresuid getresuid32 getuid getuid32 landlock_add_rule \
     landlock_create_ruleset landlock_restrict_self seccomp setfsgid setfsgid32 setfsuid \
     setfsuid32 setgid setgid32 setgroups setgroups32 setregid setregid32 setresgid \
     setresgid32 setresuid setresuid32 setreuid setreuid32 setuid setuid32",
    // Signals.
    "rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend \
     rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaction sigaltstack signal \
     sigpending sigprocmask sigreturn sigsuspend",
    // Time.
    "adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 \
     clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 getitimer \
     gettimeofday nanosleep setitimer time timer_create timer_delete timer_getoverrun \
     timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create \
     timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times",
    // Sockets and messages.
    "accept accept4 bind connect getpeername getsockname getsockopt ipc listen mq_getsetattr \
     mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend \
     mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd recvfrom recvmmsg \
     recvmmsg_time64 recvmsg semctl semget semop semtimedop semtimedop_time64 sendmmsg \
     sendmsg sendto setsockopt shmat shmctl shmdt shmget shutdown socketcall socketpair",
    // The system.
    "getrandom sysinfo uname",
];

/// Never allowed, and known well enough by programs that `ENOSYS` would surprise them.
///
/// Absent from this table on purpose, so that they answer `ENOSYS`: io_uring, which the kernel
/// cannot filter any further, and the key calls, as keys are not part of any namespace.
const DENIED: &str = "bdflush cachestat kexec_file_load kexec_load migrate_pages move_pages \
     nfsservctl oldfstat oldlstat oldolduname oldstat olduname sgetmask ssetmask swapoff swapon \
     sysfs uselib userfaultfd ustat vm86 vm86old vmsplice";

/// Allowed with any of the capabilities, else `EPERM`.
const PRIVILEGED: [(&[&str], &str); 14] = [
    (
        &["SYS_ADMIN"],
        "fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr \
         move_mount open_tree open_tree_attr pivot_root quotactl quotactl_fd setdomainname \
         sethostname setns umount umount2",
    ),
    (&["SYS_ADMIN", "BPF"], "bpf"),
    (&["SYS_ADMIN", "PERFMON"], "perf_event_open"),
    (&["SYS_ADMIN", "SYSLOG"], "syslog"),
    (&["DAC_READ_SEARCH"], "open_by_handle_at"),
    (&["SYS_BOOT"], "reboot"),
    (&["SYS_CHROOT"], "chroot"),
    (&["SYS_MODULE"], "create_module delete_module finit_module init_module"),
    (&["SYS_NICE"], "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"),
    (&["SYS_PACCT"], "acct"),
    (&["SYS_PTRACE"], "kcmp pidfd_getfd process_madvise"),
    (&["SYS_RAWIO"], "ioperm iopl"),
    (&["SYS_TIME"], "clock_settime clock_settime64 settimeofday stime"),
    (&["SYS_TTY_CONFIG"], "vhangup"),
];

/// Allowed with `SYS_ADMIN`, else `ENOSYS`, because programs have to fall back on an older call:
/// the arguments of clone3 are out of a filter's sight, and the LSM calls are too new.
const NEWER: &str = "clone3 lsm_get_self_attr lsm_list_modules lsm_set_self_attr";

/// The flags of clone(2) that make namespaces: mount, cgroup, UTS, IPC, user, pid, network.
const NAMESPACE_FLAGS: u64 = 0x7e02_0000;

/// The flag of unshare(2) that makes a time namespace; in clone(2) it is part of a signal number.
const CLONE_NEWTIME: u64 = 0x80;

/// What personality(2) may be: Linux, 32-bit Linux, either with the release shown as 2.6, and the
/// value that only asks.
const PERSONALITIES: [u64; 5] = [0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff];

const AF_NETLINK: u64 = 16;
const NETLINK_AUDIT: u64 = 9;

/// The address families that may be used, apart from netlink, as first and last. In between lie
/// `AF_ALG` (38; kernel cryptography, CVE-2026-31431) and `AF_VSOCK` (40; not confined by network
/// namespaces). A value with any of the upper 32 bits set is in none of the ranges: the kernel
/// would ignore those bits, so a list of what is refused could be got around with them.
const FAMILIES: [(u64, u64); 4] = [(0, 15), (17, 37), (39, 39), (41, 45)];

/// The profile for a process that has these capabilities in its bounding set.
pub fn default_profile(capabilities: &BTreeSet<Capability>) -> LinuxSeccomp {
    let has = |name: &str| capabilities.iter().any(|capability| capability.name() == name);
    let mut rules = vec![allow(&ALLOWED.join(" ")), deny(DENIED, libc::EPERM)];
    for (sufficient, names) in PRIVILEGED {
        let allowed = sufficient.iter().any(|name| has(name));
        rules.push(if allowed { allow(names) } else { deny(names, libc::EPERM) });
    }
    if has("SYS_ADMIN") {
        rules.push(allow(NEWER));
        rules.push(allow("clone unshare"));
    } else {
        rules.extend(without_namespaces("clone", NAMESPACE_FLAGS));
        rules.extend(without_namespaces("unshare", NAMESPACE_FLAGS | CLONE_NEWTIME));
    }
    rules.extend(personalities());
    rules.extend(sockets(has("AUDIT_WRITE")));
    let mut profile = LinuxSeccomp::default();
    profile
        .set_default_action(Action::ScmpActErrno)
        .set_default_errno_ret(Some(libc::ENOSYS.unsigned_abs()))
        .set_architectures(Some(architecture::ALL.iter().map(|known| known.name).collect()))
        .set_syscalls(Some(rules));
    profile
}

/// Allows a call whose first argument are flags, none of which may be among `flags`.
fn without_namespaces(name: &str, flags: u64) -> [LinuxSyscall; 2] {
    let none = argument(0, Operator::ScmpCmpMaskedEq, flags, Some(0));
    [allow_if(name, vec![none]), deny(name, libc::EPERM)]
}

fn personalities() -> impl Iterator<Item = LinuxSyscall> {
    let is = |value| argument(0, Operator::ScmpCmpEq, value, None);
    PERSONALITIES
        .into_iter()
        .map(move |value| allow_if("personality", vec![is(value)]))
        .chain([deny("personality", libc::EPERM)])
}

/// The rules of socket(2). Those with conditions exclude one another, so that none is out of
/// reach; what none of them names is an address family that this machine does not have.
fn sockets(audit: bool) -> Vec<LinuxSyscall> {
    let family = |op, value| argument(0, op, value, None);
    let mut rules: Vec<LinuxSyscall> = FAMILIES
        .into_iter()
        .map(|(first, last)| {
            let range = vec![family(Operator::ScmpCmpGe, first), family(Operator::ScmpCmpLe, last)];
            allow_if("socket", range)
        })
        .collect();
    let netlink = family(Operator::ScmpCmpEq, AF_NETLINK);
    if audit {
        rules.push(allow_if("socket", vec![netlink]));
    } else {
        let protocol = |op, value, two| argument(2, op, value, two);
        let is_audit =
            protocol(Operator::ScmpCmpMaskedEq, u64::from(u32::MAX), Some(NETLINK_AUDIT));
        let below = protocol(Operator::ScmpCmpLt, NETLINK_AUDIT, None);
        let above = protocol(Operator::ScmpCmpGt, NETLINK_AUDIT, None);
        let short = protocol(Operator::ScmpCmpLe, u64::from(u32::MAX), None);
        let refused = deny("socket", libc::EINVAL);
        rules.extend([
            rule_if(refused, vec![netlink, is_audit]),
            allow_if("socket", vec![netlink, below]),
            allow_if("socket", vec![netlink, above, short]),
        ]);
    }
    rules.push(deny("socket", libc::EAFNOSUPPORT));
    rules
}

fn allow(names: &str) -> LinuxSyscall {
    rule(names, Action::ScmpActAllow, None)
}

fn allow_if(name: &str, conditions: Vec<LinuxSeccompArg>) -> LinuxSyscall {
    rule_if(allow(name), conditions)
}

fn deny(names: &str, errno: i32) -> LinuxSyscall {
    rule(names, Action::ScmpActErrno, Some(errno.unsigned_abs()))
}

fn rule(names: &str, action: Action, errno: Option<u32>) -> LinuxSyscall {
    let mut rule = LinuxSyscall::default();
    rule.set_names(names.split(' ').map(str::to_owned).collect())
        .set_action(action)
        .set_errno_ret(errno);
    rule
}

fn rule_if(mut rule: LinuxSyscall, conditions: Vec<LinuxSeccompArg>) -> LinuxSyscall {
    rule.set_args(Some(conditions));
    rule
}

fn argument(index: usize, op: Operator, value: u64, two: Option<u64>) -> LinuxSeccompArg {
    let mut builder = LinuxSeccompArgBuilder::default().index(index).op(op).value(value);
    if let Some(two) = two {
        builder = builder.value_two(two);
    }
    builder.build().expect("every field of the builder has a default")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every name of the tables.
    fn names() -> Vec<&'static str> {
        let privileged = PRIVILEGED.iter().map(|(_, names)| *names);
        let tables = ALLOWED.into_iter().chain([DENIED, NEWER]).chain(privileged);
        tables.flat_map(|names| names.split(' ')).collect()
    }

    #[test]
    fn every_name_is_known_and_stands_once() {
        let known: BTreeSet<&str> = syscalls::x86_64::Sysno::iter()
            .map(|call| call.name())
            .chain((0..=500).filter_map(syscalls::x86::Sysno::new).map(|call| call.name()))
            .collect();
        let names = names();
        for name in &names {
            assert!(known.contains(name), "{name}");
        }
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }

    #[test]
    fn capabilities_of_the_tables_exist() {
        for name in PRIVILEGED.iter().flat_map(|(names, _)| *names) {
            assert!(name.parse::<Capability>().is_ok(), "{name}");
        }
    }

    #[test]
    fn no_profile_names_keys_or_io_uring() {
        let profile = default_profile(&Capability::all().collect());
        let named: BTreeSet<&String> =
            profile.syscalls().iter().flatten().flat_map(|rule| rule.names()).collect();
        for absent in ["keyctl", "add_key", "request_key", "io_uring_setup", "io_uring_enter"] {
            assert!(!named.iter().any(|name| *name == absent), "{absent}");
        }
    }
}
