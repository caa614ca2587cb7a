//! For tests: a child process in which something irrevocable is tried.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

/// Forks, runs `body` in the child, and returns what it wrote into the file it was given. The
/// child ends when `body` returns or panics; if it does not end well, so does this.
pub(crate) fn output_of(body: impl FnOnce(&mut File)) -> String {
    let (reader, writer) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).unwrap();
    // SAFETY: the child runs `body`, which for a test may allocate although the parent has threads:
    // the C library keeps its allocator usable over fork; then it ends without unwinding further.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", std::io::Error::last_os_error());
    if pid == 0 {
        drop(reader);
        in_child(writer, body);
    }
    drop(writer);
    let mut output = String::new();
    File::from(reader).read_to_string(&mut output).unwrap();
    let status = waitpid(Pid::from_raw(pid), None).unwrap();
    assert_eq!(status, WaitStatus::Exited(Pid::from_raw(pid), 0), "{output}");
    output
}

fn in_child(writer: OwnedFd, body: impl FnOnce(&mut File)) -> ! {
    let mut writer = File::from(writer);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| body(&mut writer)));
    let code = match result {
        Ok(()) => 0,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map_or("panic", String::as_str);
            writer.write_all(text.as_bytes()).ok();
            1
        }
    };
    // SAFETY: _exit ends the process without running the parent's exit handlers.
    unsafe { libc::_exit(code) }
}

/// Makes a system call whose pointer arguments, if any, are null or invalid; returns its result, or
/// its error number.
pub(crate) fn call(
    number: libc::c_long,
    arguments: [libc::c_ulong; 6],
) -> Result<libc::c_long, i32> {
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: the kernel checks every argument; a pointer among them that it could write to is
    // null or does not belong to this process, by the contract above.
    match unsafe { libc::syscall(number, a, b, c, d, e, f) } {
        -1 => Err(std::io::Error::last_os_error().raw_os_error().unwrap()),
        result => Ok(result),
    }
}
