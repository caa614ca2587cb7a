//! The default profile, loaded: what must work in a container, and what must not.

use std::io::Write;
use std::os::fd::AsFd;

use super::{compile, default_profile};
use crate::runtime::capabilities::resolve;
use crate::sys::{child, seccomp};

type Try = (&'static str, libc::c_long, [libc::c_ulong; 6], i32);

/// Installs the default profile for the default capabilities and `add`, which root may do without
/// no_new_privs.
fn install_default(add: &[&'static str]) {
    let resolved = resolve(add.iter().copied(), [], u64::MAX).unwrap();
    let program = compile(&default_profile(&resolved.capabilities)).unwrap();
    seccomp::install(&program.instructions, program.flags).unwrap();
}

/// The error numbers of calls in a process that has nothing but the filter against it: it is root
/// with every capability of the host.
fn errors_under_default(add: &[&'static str], tries: &[Try]) -> String {
    child::output_of(|writer| {
        install_default(add);
        for (name, number, arguments, expected) in tries {
            let errno = child::call(*number, *arguments).err().unwrap_or(0);
            if errno != *expected {
                writeln!(writer, "{name}: {errno}, not {expected}").unwrap();
            }
        }
    })
}

const NONE: [libc::c_ulong; 6] = [0; 6];
/// No descriptor, no process, no pointer.
const BAD: libc::c_ulong = libc::c_ulong::MAX;

const fn first(value: i32) -> [libc::c_ulong; 6] {
    [value.cast_unsigned() as libc::c_ulong, 0, 0, 0, 0, 0]
}

#[test]
fn what_must_not_work_does_not() {
    let (eperm, enosys) = (libc::EPERM, libc::ENOSYS);
    let socket = |family: i32, protocol| [family.cast_unsigned().into(), 2, protocol, 0, 0, 0];
    let tries: &[Try] = &[
        ("keyctl", libc::SYS_keyctl, [999, 0, 0, 0, 0, 0], enosys),
        ("add_key", libc::SYS_add_key, NONE, enosys),
        ("request_key", libc::SYS_request_key, NONE, enosys),
        ("bpf", libc::SYS_bpf, [BAD, 0, 0, 0, 0, 0], eperm),
        ("mount", libc::SYS_mount, NONE, eperm),
        ("umount2", libc::SYS_umount2, NONE, eperm),
        ("pivot_root", libc::SYS_pivot_root, NONE, eperm),
        ("open_tree", libc::SYS_open_tree, [BAD, 0, 0, 0, 0, 0], eperm),
        ("move_mount", libc::SYS_move_mount, [BAD, 0, BAD, 0, 0, 0], eperm),
        ("fsopen", libc::SYS_fsopen, NONE, eperm),
        ("unshare NEWUSER", libc::SYS_unshare, first(libc::CLONE_NEWUSER), eperm),
        ("unshare NEWNS", libc::SYS_unshare, first(libc::CLONE_NEWNS), eperm),
        ("unshare NEWTIME", libc::SYS_unshare, first(0x80), eperm),
        ("clone NEWUSER", libc::SYS_clone, first(libc::CLONE_NEWUSER | libc::CLONE_FS), eperm),
        ("clone3", libc::SYS_clone3, NONE, enosys),
        ("setns", libc::SYS_setns, [BAD, 0, 0, 0, 0, 0], eperm),
        ("io_uring_setup", libc::SYS_io_uring_setup, NONE, enosys),
        ("io_uring_enter", libc::SYS_io_uring_enter, [BAD, 0, 0, 0, 0, 0], enosys),
        ("userfaultfd", libc::SYS_userfaultfd, [BAD, 0, 0, 0, 0, 0], eperm),
        ("perf_event_open", libc::SYS_perf_event_open, NONE, eperm),
        ("kexec_load", libc::SYS_kexec_load, [0, 0, 0, BAD, 0, 0], eperm),
        ("open_by_handle_at", libc::SYS_open_by_handle_at, [BAD, 0, 0, 0, 0, 0], eperm),
        ("init_module", libc::SYS_init_module, NONE, eperm),
        ("reboot", libc::SYS_reboot, NONE, eperm),
        ("syslog", libc::SYS_syslog, [BAD, 0, 0, 0, 0, 0], eperm),
        ("settimeofday", libc::SYS_settimeofday, [BAD, BAD, 0, 0, 0, 0], eperm),
        ("personality", libc::SYS_personality, [0x4_0000, 0, 0, 0, 0, 0], eperm),
        ("AF_ALG", libc::SYS_socket, socket(libc::AF_ALG, 0), libc::EAFNOSUPPORT),
        ("AF_VSOCK", libc::SYS_socket, socket(libc::AF_VSOCK, 0), libc::EAFNOSUPPORT),
        ("NETLINK_AUDIT", libc::SYS_socket, socket(libc::AF_NETLINK, 9), libc::EINVAL),
        ("unknown", 999, NONE, enosys),
        #[cfg(target_arch = "x86_64")]
        ("x32", 0x4000_0000 + libc::SYS_getpid, NONE, enosys),
    ];
    assert_eq!(errors_under_default(&[], tries), "");
}

#[test]
fn what_must_work_does() {
    let socket = |family: i32, protocol| [family.cast_unsigned().into(), 2, protocol, 0, 0, 0];
    let tries: &[Try] = &[
        ("getpid", libc::SYS_getpid, NONE, 0),
        ("personality", libc::SYS_personality, [0xffff_ffff, 0, 0, 0, 0, 0], 0),
        ("unshare FILES", libc::SYS_unshare, first(libc::CLONE_FILES), 0),
        ("AF_UNIX", libc::SYS_socket, socket(libc::AF_UNIX, 0), 0),
        ("AF_INET", libc::SYS_socket, socket(libc::AF_INET, 0), 0),
        ("NETLINK_ROUTE", libc::SYS_socket, socket(libc::AF_NETLINK, 0), 0),
        ("NETLINK_KOBJECT_UEVENT", libc::SYS_socket, socket(libc::AF_NETLINK, 15), 0),
        ("epoll_create1", libc::SYS_epoll_create1, NONE, 0),
        ("eventfd2", libc::SYS_eventfd2, NONE, 0),
        ("timerfd_create", libc::SYS_timerfd_create, NONE, 0),
        ("sched_yield", libc::SYS_sched_yield, NONE, 0),
        ("membarrier", libc::SYS_membarrier, NONE, 0),
        ("close_range", libc::SYS_close_range, [1000, 1000, 0, 0, 0, 0], 0),
        // Let through, and refused by the kernel for their arguments.
        ("openat2", libc::SYS_openat2, [BAD, 0, 0, 0, 0, 0], libc::EINVAL),
        ("statx", libc::SYS_statx, [BAD, 0, 0, 0, 0, 0], libc::EFAULT),
        ("faccessat2", libc::SYS_faccessat2, [BAD, 0, 0, BAD, 0, 0], libc::EINVAL),
        ("pidfd_open", libc::SYS_pidfd_open, [BAD, 0, 0, 0, 0, 0], libc::EINVAL),
        ("ptrace", libc::SYS_ptrace, [BAD, BAD, 0, 0, 0, 0], libc::ESRCH),
        ("chroot", libc::SYS_chroot, NONE, libc::EFAULT),
        ("seccomp", libc::SYS_seccomp, [BAD, 0, 0, 0, 0, 0], libc::EINVAL),
    ];
    assert_eq!(errors_under_default(&[], tries), "");
}

#[test]
fn capabilities_let_calls_through_to_the_kernel() {
    let tries: &[Try] = &[
        ("mount", libc::SYS_mount, NONE, libc::EFAULT),
        ("setns", libc::SYS_setns, [BAD, 0, 0, 0, 0, 0], libc::EBADF),
        ("clone3", libc::SYS_clone3, NONE, libc::EINVAL),
        ("open_by_handle_at", libc::SYS_open_by_handle_at, [BAD, 0, 0, 0, 0, 0], libc::EFAULT),
    ];
    assert_eq!(errors_under_default(&["SYS_ADMIN", "DAC_READ_SEARCH"], tries), "");
}

/// Processes, pipes, signals, sockets and dynamic linking, as programs use them.
#[test]
fn programs_run() {
    let script = "set -e; trap 'echo caught' USR1; kill -USR1 $$; ls / | sort | wc -l >/dev/null; \
        (sleep 0.01 & wait); perl -MSocket -e 'socketpair(A, B, AF_UNIX, SOCK_STREAM, 0) or die; \
        print `echo perl`'";
    let output = child::output_of(|writer| {
        let arguments = [c"/bin/sh".to_owned(), c"-c".to_owned(), c_string(script)];
        let environment = [c"PATH=/usr/bin:/bin".to_owned()];
        nix::unistd::dup2_stdout(writer.as_fd()).unwrap();
        install_default(&[]);
        nix::unistd::execve(&arguments[0], &arguments, &environment).unwrap();
    });
    assert_eq!(output, "caught\nperl\n");
}

/// The C library starts threads with clone3, and has to fall back on clone.
#[test]
fn threads_start() {
    let output = child::output_of(|writer| {
        install_default(&[]);
        std::thread::scope(|scope| {
            scope.spawn(|| writer.write_all(b"thread").unwrap());
        });
    });
    assert_eq!(output, "thread");
}

fn c_string(text: &str) -> std::ffi::CString {
    std::ffi::CString::new(text).unwrap()
}
