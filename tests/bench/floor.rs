//! The floor: what the kernel alone takes to start a program in namespaces of its own, on an
//! overlay of the same root. Nothing that makes containers can be faster.

use std::ffi::{CStr, CString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_change, unmount,
};
use rustix::process::{Pid, WaitOptions, waitpid};

use crate::Outcome;
use crate::rootfs::overlay_options;

const NAMESPACES: libc::c_int = libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP;

/// Starts `/bin/true` on an overlay of `lower` and waits for its end; `dir` is the overlay's.
pub(crate) fn start(lower: &Path, dir: &Path) -> Outcome<Duration> {
    let started = Instant::now();
    for name in ["upper", "work", "rootfs"] {
        fs::create_dir_all(dir.join(name)).map_err(|error| error.to_string())?;
    }
    let options = overlay_options(lower, dir)?;
    let root =
        CString::new(dir.join("rootfs").as_os_str().as_bytes()).map_err(|e| e.to_string())?;
    let status = run_child(&options, &root)?;
    let elapsed = started.elapsed();
    for name in ["upper", "work"] {
        fs::remove_dir_all(dir.join(name)).map_err(|error| error.to_string())?;
    }
    if status == Some(0) { Ok(elapsed) } else { Err(format!("the child ended with {status:?}")) }
}

/// Clones a child into new namespaces, which becomes `/bin/true`; gives its exit code.
fn run_child(overlay: &CStr, root: &CStr) -> Outcome<Option<i32>> {
    let flags = libc::c_long::from(NAMESPACES | libc::SIGCHLD);
    #[expect(unsafe_code, reason = "no safe call makes a process in new namespaces at once")]
    // SAFETY: without CLONE_VM, a stack of 0 and no other pointers the call is fork(2): the child
    // goes on with a copy of this single-threaded process, so no lock can be held by a thread
    // that is missing there, and every value of this frame stays valid in both.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    match i32::try_from(pid).map_err(|error| error.to_string())? {
        0 => {
            let failed = become_true(overlay, root).err();
            eprintln!("floor: {failed:?}");
            exit_child()
        }
        pid => {
            let pid = Pid::from_raw(pid).filter(|pid| pid.as_raw_pid() > 0);
            let pid = pid.ok_or_else(|| format!("clone: {}", std::io::Error::last_os_error()))?;
            let ended = waitpid(Some(pid), WaitOptions::empty()).map_err(|e| e.to_string())?;
            Ok(ended.and_then(|(_, status)| status.exit_status()))
        }
    }
}

/// Makes the root and executes the program; returns only when something failed.
fn become_true(overlay: &CStr, root: &CStr) -> rustix::io::Result<()> {
    mount_change("/", MountPropagationFlags::REC | MountPropagationFlags::PRIVATE)?;
    mount(c"overlay", root, c"overlay", MountFlags::empty(), overlay)?;
    rustix::process::chdir(root)?;
    mount(c"proc", c"proc", c"proc", MountFlags::empty(), None)?;
    rustix::process::pivot_root(c".", c".")?;
    unmount(c".", UnmountFlags::DETACH)?;
    rustix::process::chdir(c"/")?;
    let (program, end) = (c"/bin/true", std::ptr::null());
    let (arguments, environment) = ([program.as_ptr(), end], [end]);
    #[expect(unsafe_code, reason = "no safe call replaces the process")]
    // SAFETY: the path is a C string, both arrays end with a null pointer and hold pointers to
    // C strings; all of them outlive the call.
    unsafe {
        libc::execve(program.as_ptr(), arguments.as_ptr(), environment.as_ptr())
    };
    Err(rustix::io::Errno::from_io_error(&std::io::Error::last_os_error())
        .unwrap_or(rustix::io::Errno::IO))
}

/// Ends the child without running what the parent registered for its own exit.
fn exit_child() -> ! {
    #[expect(unsafe_code, reason = "std's exit would run the parent's handlers")]
    // SAFETY: _exit(2) takes a plain number and does not return; this is the cloned child, whose
    // memory nobody else uses.
    unsafe {
        libc::_exit(127)
    }
}
