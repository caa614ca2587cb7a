//! Processes: made by clone(2), named by (pid, start time), ended without ceremony.
//!
//! tank is single-threaded wherever it makes a process, so what runs in the child is ordinary
//! code: no lock can be held by a thread that does not exist there.

use std::convert::Infallible;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::sched::CloneFlags;
use rustix::process::{Pid, WaitId, WaitIdOptions, WaitIdStatus};

use serde::{Deserialize, Serialize};

use super::{Error, Result};

/// Namespaces a new process gets of its own, as in namespaces(7).
pub use rustix::thread::UnshareFlags as Namespaces;

/// From linux/sched.h; the constant of the libc crate is too narrow for it.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// A child of this process.
#[derive(Debug)]
pub struct Child {
    /// Its pid in this process's pid namespace.
    pub pid: i32,
    /// A descriptor that names it for as long as it is open, and is readable once it ended.
    pub pidfd: OwnedFd,
}

/// Which side of [`fork`] the caller is on.
#[derive(Debug)]
pub enum Forked {
    /// The calling process; the value names the new one.
    Parent(Child),
    /// The new process.
    Child,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ended {
    /// It returned this code.
    Exited(i32),
    /// This signal ended it.
    Signaled(i32),
}

/// Makes a copy of this process by clone3(2), in new `namespaces` and, on cgroup v2, born in
/// `cgroup` (an open directory). Linux 5.7 or newer for `cgroup`.
///
/// # Errors
///
/// The call's own (`EAGAIN` at a limit on processes, `EPERM`), and `EBUSY` if this process has
/// more than one thread, because the copy could then inherit a lock that nobody will release.
pub fn fork(namespaces: Namespaces, cgroup: Option<BorrowedFd<'_>>) -> Result<Forked> {
    // SAFETY: clone_args is a plain struct of integers; all zeroes is its documented default.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = u64::from(namespaces.bits());
    args.exit_signal = libc::SIGCHLD as u64;
    if let Some(cgroup) = cgroup {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = u64::from(cgroup.as_raw_fd().cast_unsigned());
    }
    clone3(args)
}

/// As [`fork`], but the copy is a child of the process that this one is a child of, which learns of
/// it by [`own_child`].
pub fn fork_sibling() -> Result<Forked> {
    // SAFETY: as in `fork`.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    // The signal is the one that the end of this process sends.
    args.flags = libc::CLONE_PARENT as u64;
    clone3(args)
}

/// Takes no flags that would share memory, a descriptor table or signal handlers.
fn clone3(mut args: libc::clone_args) -> Result<Forked> {
    if !is_single_threaded() {
        return Err(Error::new("clone3", "a process with threads", rustix::io::Errno::BUSY));
    }
    let mut pidfd: RawFd = -1;
    args.flags |= libc::CLONE_PIDFD as u64;
    args.pidfd = &raw mut pidfd as u64;
    // SAFETY: the arguments are valid for the size given. Without CLONE_VM the child has its own
    // copy of memory and stack, so this is fork(2) with namespaces; no other thread exists (checked
    // above), so no lock of the C library can be held in the copy.
    let result = unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of_val(&args)) };
    match result {
        0 => Ok(Forked::Child),
        -1 => Err(Error::new("clone3", "", std::io::Error::last_os_error())),
        pid => {
            // SAFETY: CLONE_PIDFD made this descriptor (close-on-exec) and nobody else owns it.
            let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
            let pid = i32::try_from(pid).unwrap_or(-1);
            Ok(Forked::Parent(Child { pid, pidfd }))
        }
    }
}

/// Asked by unshare(2), which for this flag changes nothing and refuses a process with threads:
/// there may be no `/proc` that this process is in.
#[expect(clippy::disallowed_methods, reason = "with this flag it makes no namespace")]
fn is_single_threaded() -> bool {
    nix::sched::unshare(CloneFlags::CLONE_SIGHAND).is_ok()
}

/// The child `pid` of this process, which another process made for it ([`fork_sibling`]).
///
/// # Errors
///
/// `ECHILD` if it is no child of this process.
pub fn own_child(pid: i32) -> Result<Child> {
    let pidfd = super::pidfd::open(pid)?;
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    retry(|| rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), options))
        .map_err(|errno| Error::new("waitid", pid.to_string(), errno))?;
    Ok(Child { pid, pidfd })
}

/// Runs `work` in a child that shares this process's memory while this process waits (vfork),
/// and returns what it returned. The child's namespaces, working directory, credentials and
/// descriptors are its own, so `work` may change them freely.
pub fn in_child<T>(work: impl FnOnce() -> T) -> Result<T> {
    let mut stack = vec![0u8; 256 * 1024];
    let mut work = Some(work);
    let mut output = None;
    let callback = Box::new(|| {
        if let Some(work) = work.take() {
            output = Some(work());
        }
        exit_now(0)
    });
    let flags = CloneFlags::CLONE_VM | CloneFlags::CLONE_VFORK;
    // SAFETY: CLONE_VFORK suspends this process until the child ended, so its only user of the
    // shared memory is the child, which runs on a stack of its own; tank has no other thread.
    let pid = unsafe { nix::sched::clone(callback, &mut stack, flags, Some(libc::SIGCHLD)) }
        .map_err(|errno| Error::new("clone", "", errno))?;
    wait_pid(pid.as_raw())?;
    output.ok_or_else(|| Error::new("clone", "child ended early", rustix::io::Errno::CHILD))
}

/// A program to start: the descriptor of its file, its arguments and its environment.
#[derive(Debug)]
pub struct Program<'a> {
    /// The file to execute.
    pub file: BorrowedFd<'a>,
    /// The arguments, the name first.
    pub arguments: &'a [CString],
    /// The environment, `KEY=value` each.
    pub environment: &'a [CString],
    /// The descriptors it starts with, as its 0, 1, 2, ... Every other one is closed.
    pub descriptors: &'a [BorrowedFd<'a>],
    /// The cgroup2 directory it is born in; `None` is this process's own. Being born somewhere
    /// costs nothing, while moving there takes the kernel some 10 ms.
    pub cgroup: Option<BorrowedFd<'a>>,
    /// Whether it gets a session of its own, without a terminal.
    pub new_session: bool,
}

/// Starts a program, with no signal blocked. Returns its pid; it is a child of this process.
///
/// # Errors
///
/// Those of [`fork`] and of execveat(2).
pub fn spawn(program: &Program<'_>) -> Result<i32> {
    spawn_in(Namespaces::empty(), program)
}

/// As [`spawn`], in new `namespaces`.
pub fn spawn_in(namespaces: Namespaces, program: &Program<'_>) -> Result<i32> {
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
        .map_err(|errno| Error::new("pipe2", "", errno))?;
    let child = match fork(namespaces, program.cgroup)? {
        Forked::Parent(child) => child,
        Forked::Child => {
            drop(read);
            let Err(error) = become_program(program);
            // Nobody is left to tell when the parent is gone.
            rustix::io::write(&write, &error.errno().to_ne_bytes()).ok();
            exit_now(127)
        }
    };
    drop(write);
    let mut errno = [0; 4];
    match retry(|| rustix::io::read(&read, &mut errno)) {
        // Its end of the pipe was closed by execve.
        Ok(0) => Ok(child.pid),
        _ => {
            wait_pid(child.pid)?;
            let name = program.arguments.first().map(|name| name.to_string_lossy().into_owned());
            let errno = std::io::Error::from_raw_os_error(i32::from_ne_bytes(errno));
            Err(Error::new("execveat", name.unwrap_or_default(), errno))
        }
    }
}

fn become_program(program: &Program<'_>) -> Result<Infallible> {
    if program.new_session {
        rustix::process::setsid().map_err(|errno| Error::new("setsid", "", errno))?;
    }
    // This process may have blocked signals that the program would then never get.
    nix::sys::signal::SigSet::empty()
        .thread_set_mask()
        .map_err(|errno| Error::new("rt_sigprocmask", "", errno))?;
    // The wanted descriptors may sit on numbers that others of them have to move to: first all
    // of them go above the range, then down.
    let count = i32::try_from(program.descriptors.len()).unwrap_or(i32::MAX);
    let floor = count.max(10);
    let file = duplicate_above(program.file, floor)?;
    let mut high = Vec::with_capacity(program.descriptors.len());
    for fd in program.descriptors {
        high.push(duplicate_above(*fd, floor)?);
    }
    for (number, fd) in (0..count).zip(&high) {
        duplicate_to(fd.as_fd(), number)?;
    }
    close_from_on_exec(count)?;
    execute_file(file.as_fd(), program.arguments, program.environment)
}

fn duplicate_above(fd: BorrowedFd<'_>, floor: RawFd) -> Result<OwnedFd> {
    rustix::io::fcntl_dupfd_cloexec(fd, floor)
        .map_err(|errno| Error::new("fcntl", "F_DUPFD", errno))
}

/// Makes descriptor `number` a copy of `fd` that survives execve; what it was before is closed.
pub fn duplicate_to(fd: BorrowedFd<'_>, number: RawFd) -> Result<()> {
    // SAFETY: dup2 takes any numbers. `number` is a standard stream or one that the program to be
    // executed expects; no owned descriptor of this process lives there (callers moved theirs up).
    match unsafe { libc::dup2(fd.as_raw_fd(), number) } {
        -1 => Err(Error::new("dup2", number.to_string(), std::io::Error::last_os_error())),
        _ => Ok(()),
    }
}

/// Marks every descriptor from `first` on close-on-exec: close_range(2).
pub fn close_from_on_exec(first: RawFd) -> Result<()> {
    // SAFETY: with CLOSE_RANGE_CLOEXEC nothing is closed now; only flags are set.
    let result =
        unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    match result {
        0 => Ok(()),
        _ => Err(Error::new("close_range", "", std::io::Error::last_os_error())),
    }
}

/// Takes a descriptor that this program was started with, by its number, and makes it
/// close-on-exec. Each number may be taken once.
pub fn inherited(number: RawFd) -> Result<OwnedFd> {
    // SAFETY: fcntl on a number that is not open fails with EBADF and changes nothing.
    if unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) } == -1 {
        return Err(Error::new("fcntl", number.to_string(), std::io::Error::last_os_error()));
    }
    // SAFETY: the descriptor is open (checked above); the program that started this one passed it
    // for this purpose, and callers take each number once, at start, before opening anything.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Replaces this process by the program in `file`: execveat(2) with `AT_EMPTY_PATH`.
pub fn execute_file(
    file: BorrowedFd<'_>,
    arguments: &[CString],
    environment: &[CString],
) -> Result<Infallible> {
    let flags = nix::fcntl::AtFlags::AT_EMPTY_PATH;
    nix::unistd::execveat(file, c"", arguments, environment, flags).map_err(|errno| {
        let name = arguments.first().map(|name| name.to_string_lossy().into_owned());
        Error::new("execveat", name.unwrap_or_default(), errno)
    })
}

/// Replaces this process by the program at `path`: execve(2).
pub fn execute(path: &CStr, arguments: &[CString], environment: &[CString]) -> Result<Infallible> {
    nix::unistd::execve(path, arguments, environment)
        .map_err(|errno| Error::new("execve", path.to_string_lossy(), errno))
}

/// Ends this process at once, without running exit handlers, which belong to the process that
/// this one was copied from: _exit(2).
pub fn exit_now(code: i32) -> ! {
    // SAFETY: _exit never returns and touches no memory.
    unsafe { libc::_exit(code) }
}

fn ended(status: &WaitIdStatus) -> Option<Ended> {
    if let Some(code) = status.exit_status() {
        return Some(Ended::Exited(code));
    }
    status.terminating_signal().map(Ended::Signaled)
}

/// Waits for a child to end, and reaps it.
pub fn wait_pid(pid: i32) -> Result<Option<Ended>> {
    let Some(pid) = Pid::from_raw(pid) else { return Ok(None) };
    let status = retry(|| rustix::process::waitid(WaitId::Pid(pid), WaitIdOptions::EXITED))
        .map_err(|errno| Error::new("waitid", pid.to_string(), errno))?;
    Ok(status.as_ref().and_then(ended))
}

/// Reaps the child behind `pidfd` if it has ended.
pub fn reap(pidfd: BorrowedFd<'_>) -> Result<Option<Ended>> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    let status = retry(|| rustix::process::waitid(WaitId::PidFd(pidfd), options))
        .map_err(|errno| Error::new("waitid", "pidfd", errno))?;
    Ok(status.as_ref().and_then(ended))
}

/// Reaps one child that has ended, whichever it is: its pid and its end.
pub fn reap_any() -> Result<Option<(i32, Ended)>> {
    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
    match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::Exited(pid, code)) => Ok(Some((pid.as_raw(), Ended::Exited(code)))),
        Ok(WaitStatus::Signaled(pid, signal, _)) => {
            Ok(Some((pid.as_raw(), Ended::Signaled(signal as i32))))
        }
        Ok(_) | Err(nix::errno::Errno::ECHILD) => Ok(None),
        Err(errno) => Err(Error::new("waitpid", "any", errno)),
    }
}

/// Becomes the parent of what its descendants leave behind: `PR_SET_CHILD_SUBREAPER`.
pub fn adopt_orphans() -> Result<()> {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(|errno| Error::new("prctl", "PR_SET_CHILD_SUBREAPER", errno))
}

fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
    rustix::io::retry_on_intr(&mut call)
}

/// When process `pid` started, in clock ticks after boot; `None` if there is no such process or it
/// is a zombie. Field 22 of proc_pid_stat(5).
pub fn start_time(pid: i32) -> Option<u64> {
    let (state, start_time) = stat(pid)?;
    (!matches!(state, 'Z' | 'X')).then_some(start_time)
}

/// As [`start_time`], of a child that was not reaped yet: a zombie still has one.
pub fn start_time_of_child(pid: i32) -> Option<u64> {
    stat(pid).map(|(_, start_time)| start_time)
}

fn stat(pid: i32) -> Option<(char, u64)> {
    parse_stat(&super::file::read_proc(&format!("/proc/{pid}/stat")).ok()?)
}

/// The state and the start time.
fn parse_stat(stat: &str) -> Option<(char, u64)> {
    // The name in field 2 may hold spaces and parentheses; the last `)` ends it.
    let fields = stat.rsplit_once(") ")?.1;
    let mut fields = fields.split(' ');
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(18)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_ended_is_gone_for_others_but_not_for_its_parent() {
        #[expect(clippy::disallowed_methods, reason = "a child to look at")]
        let mut child = std::process::Command::new("/bin/true").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let pidfd = crate::sys::pidfd::open(pid).unwrap();
        assert!(crate::sys::pidfd::await_end(pidfd.as_fd(), None).unwrap());
        assert_eq!(start_time(pid), None);
        assert!(start_time_of_child(pid).is_some());
        child.wait().unwrap();
    }

    #[test]
    fn start_time_survives_odd_names() {
        let fields = "R 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20";
        assert_eq!(parse_stat(&format!("7 (a) b (c) {fields}")), Some(('R', 4242)));
        assert_eq!(parse_stat("7 (x) Z 1 2 3"), None);
        assert!(start_time(i32::try_from(std::process::id()).unwrap()).is_some());
    }
}
