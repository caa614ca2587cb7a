//! The root file system that all contestants start from, and overlays of it.

use std::ffi::CString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::mount::{MountFlags, UnmountFlags};

use crate::Outcome;
use crate::program::{Runner, is_installed};

/// An overlay of the root file system, mounted for one container.
#[derive(Debug)]
pub(crate) struct Overlay {
    dir: PathBuf,
}

impl Overlay {
    /// Mounts it at `DIR/rootfs`, with a new upper directory beside it.
    pub(crate) fn mount(lower: &Path, dir: &Path) -> Outcome<Self> {
        let overlay = Self { dir: dir.to_owned() };
        for name in ["upper", "work", "rootfs"] {
            fs::create_dir_all(dir.join(name)).map_err(|error| error.to_string())?;
        }
        let options = overlay_options(lower, dir)?;
        rustix::mount::mount(
            "overlay",
            overlay.root(),
            "overlay",
            MountFlags::empty(),
            options.as_c_str(),
        )
        .map_err(|error| format!("cannot mount an overlay: {error}"))?;
        Ok(overlay)
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.dir.join("rootfs")
    }
}

impl Drop for Overlay {
    fn drop(&mut self) {
        rustix::mount::unmount(self.root(), UnmountFlags::DETACH).unwrap_or_default();
        for name in ["upper", "work"] {
            fs::remove_dir_all(self.dir.join(name)).unwrap_or_default();
        }
    }
}

/// The options of an overlay with `DIR/upper` and `DIR/work`.
pub(crate) fn overlay_options(lower: &Path, dir: &Path) -> Outcome<CString> {
    let (lower, dir) = (lower.display(), dir.display());
    let options = format!("lowerdir={lower},upperdir={dir}/upper,workdir={dir}/work");
    CString::new(options).map_err(|error| error.to_string())
}

/// busybox as a root file system: enough for `/bin/true`, `/bin/sleep` and `/bin/sh`.
pub(crate) fn make(root: &Path) -> std::io::Result<()> {
    for name in ["bin", "dev", "etc", "proc", "run", "sys", "tmp"] {
        fs::create_dir_all(root.join(name))?;
    }
    fs::copy("/bin/busybox", root.join("bin/busybox"))?;
    for applet in ["true", "sleep", "sh"] {
        symlink("busybox", root.join("bin").join(applet))?;
    }
    fs::write(root.join("etc/passwd"), "root:x:0:0:root:/:/bin/sh\n")?;
    fs::write(root.join("etc/group"), "root:x:0:\n")
}

/// Adds a program of this machine to it, and the libraries that it needs.
pub(crate) fn add_program(root: &Path, name: &str, runner: &Runner) -> Outcome<()> {
    if !is_installed(name) {
        return Err("not installed".to_owned());
    }
    let which = runner.output(Command::new("sh").args(["-c", &format!("command -v {name}")]))?;
    let program = Path::new(which.trim());
    let libraries = runner.output(Command::new("ldd").arg(program))?;
    let libraries = libraries.split_whitespace().filter(|word| word.starts_with('/'));
    let copy = |from: &Path, to: &Path| {
        to.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::copy(from, to).map(drop)
    };
    copy(program, &root.join("bin").join(name)).map_err(|error| error.to_string())?;
    for library in libraries.map(Path::new) {
        let target = root.join(library.strip_prefix("/").unwrap_or(library));
        copy(library, &target).map_err(|error| error.to_string())?;
    }
    Ok(())
}
