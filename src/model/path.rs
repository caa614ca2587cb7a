//! Paths as they may stand in the pod file.

use std::path::{Path, PathBuf};

use super::value::{ValueError, has_control};

/// The longest path the kernel takes, without its NUL (`PATH_MAX`).
const MAX_PATH: usize = 4095;

/// An absolute path without `.`, double or trailing slashes.
///
/// # Errors
/// It is relative, too long, or has control characters or `..`: where that leads depends on
/// links, so it is never resolved as text.
pub fn absolute(text: &str) -> Result<PathBuf, ValueError> {
    check(text)?;
    let error = |problem: &str| ValueError::new("path", text, problem);
    if !text.starts_with('/') {
        return Err(error("is not absolute"));
    }
    if text.split('/').any(|part| part == "..") {
        return Err(error("may not have \"..\""));
    }
    let parts = text.split('/').filter(|part| !part.is_empty() && *part != ".");
    Ok(Path::new("/").join(parts.collect::<PathBuf>()))
}

/// Checks what holds for every path, also for one that is relative to its pod file.
///
/// # Errors
/// It is empty, too long, or has control characters.
pub fn check(text: &str) -> Result<(), ValueError> {
    let error = |problem: &str| Err(ValueError::new("path", text, problem));
    if text.is_empty() {
        return error("is empty");
    }
    if text.len() > MAX_PATH {
        return error("is longer than 4095 bytes");
    }
    if has_control(text) {
        return error("has control characters");
    }
    Ok(())
}

/// A place inside a container where something may be mounted.
///
/// # Errors
/// It is no [`absolute`] path, or it is the root or in `/proc` or `/sys`, whose content the
/// isolation of a container depends on.
pub fn mount_target(text: &str) -> Result<PathBuf, ValueError> {
    let path = absolute(text)?;
    let error = |problem: &str| Err(ValueError::new("mount target", text, problem));
    if path == Path::new("/") {
        return error("is the root");
    }
    if path.starts_with("/proc") || path.starts_with("/sys") {
        return error("is in /proc or /sys");
    }
    Ok(path)
}

/// A device of the host.
///
/// # Errors
/// It is no [`absolute`] path below `/dev`.
pub fn device(text: &str) -> Result<PathBuf, ValueError> {
    let path = absolute(text)?;
    if path.starts_with("/dev") && path != Path::new("/dev") {
        return Ok(path);
    }
    Err(ValueError::new("device", text, "is not below /dev"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised() {
        for (text, path) in
            [("/", "/"), ("//a/./b//", "/a/b"), ("/a/...", "/a/..."), ("/.a", "/.a")]
        {
            assert_eq!(absolute(text).unwrap().as_os_str(), path);
        }
        for bad in ["", "a", "./a", "/a/../b", "/..", "/a\n", "/a\0", &"/a".repeat(2048)] {
            assert!(absolute(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_roots_of_isolation_are_no_targets() {
        for bad in ["/", "/.", "//", "/proc", "/proc/sys", "//sys/./fs", "/data/../proc"] {
            assert!(mount_target(bad).is_err(), "{bad}");
        }
        for good in ["/data", "/process", "/system/proc"] {
            assert!(mount_target(good).is_ok(), "{good}");
        }
        assert!(device("/dev/fuse").is_ok());
        assert!(device("/dev").is_err() && device("/devil").is_err());
    }
}
