//! Opening what must not lie outside of a directory: openat2(2).

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use rustix::path::Arg;

/// How often a path is resolved anew. One that renames in a loop to delay others makes about one
/// call in fifty give up.
const ATTEMPTS: u32 = 1000;

/// Opens `path` from `directory` on, within the bounds that `resolve` sets.
///
/// The kernel gives up on `..` when anything on the machine is renamed meanwhile, because it cannot
/// tell where that leads; then the path is resolved again.
///
/// # Errors
///
/// Those of openat2(2), as numbers, because what they mean depends on what is looked for.
pub fn open(
    directory: impl AsFd,
    path: impl Arg + Copy,
    flags: OFlags,
    resolve: ResolveFlags,
) -> rustix::io::Result<OwnedFd> {
    let flags = flags | OFlags::CLOEXEC;
    let mut more = 1..ATTEMPTS;
    loop {
        match rustix::fs::openat2(&directory, path, flags, Mode::empty(), resolve) {
            Err(Errno::AGAIN | Errno::INTR) if more.next().is_some() => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    use super::*;
    use crate::sys::file;

    #[test]
    fn renames_elsewhere_are_waited_out() {
        let (root, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        file::make_dir(&root.path().join("dir"), 0o700).unwrap();
        let directory = file::open_dir(root.path()).unwrap();
        let names = ["one", "two"].map(|name| other.path().join(name));
        file::create_new(&names[0], 0o600).unwrap();
        let is_over = AtomicBool::new(false);
        let failed = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Relaxed) {
                    file::rename_new(&names[0], &names[1]).unwrap();
                    file::rename_new(&names[1], &names[0]).unwrap();
                }
            });
            let path = Path::new("dir/../dir/../dir");
            let open = || open(&directory, path, OFlags::PATH, ResolveFlags::IN_ROOT);
            let failed: Vec<_> = (0..50_000).filter_map(|_| open().err()).collect();
            is_over.store(true, Relaxed);
            failed
        });
        assert_eq!(failed, []);
    }
}
