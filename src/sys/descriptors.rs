//! All descriptors of a process at once.

use std::os::fd::{AsRawFd, BorrowedFd};

use super::{Error, Result};

/// Standard input, output and error.
pub fn streams() -> [BorrowedFd<'static>; 3] {
    [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()]
}

/// Closes every descriptor but those in `kept`, which are in ascending order, for a process that
/// uses none of them again and never returns to the code that owns them.
pub fn close_all_but(kept: &[BorrowedFd<'_>]) -> Result<()> {
    let mut first = 0;
    for fd in kept {
        let number = fd.as_raw_fd().cast_unsigned();
        if number > first {
            close_range(first, number - 1)?;
        }
        first = number + 1;
    }
    close_range(first, u32::MAX)
}

fn close_range(first: u32, last: u32) -> Result<()> {
    // SAFETY: the only callers of `close_all_but` are processes that from here on use descriptors
    // that they kept or open afterwards, and then execute a program or end without dropping any.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    match result {
        0 => Ok(()),
        _ => Err(Error::new("close_range", "", std::io::Error::last_os_error())),
    }
}
