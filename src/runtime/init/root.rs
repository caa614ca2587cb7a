//! The root file system: built below a directory of the host, then entered.

use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::{Failure, Init, copy_up, devices, file_systems, masks, program};
use crate::runtime::failure::Doing;
use crate::runtime::in_root::Root;
use crate::sys::mount::{self, Attributes};
use crate::sys::{self};

impl Init<'_> {
    /// Steps 7 to 11: the returned root is complete but not entered yet.
    pub(super) fn build_root(&self) -> Result<Root, Failure> {
        let root = self.spec.root().as_ref().ok_or_else(|| program::incomplete("root"))?;
        self.mount_overlay(root.path())?;
        let root = Root::open(root.path()).doing("open the root file system")?;
        for volume in &self.launch.volumes {
            let doing = || format!("prepare the volume at {}", volume.target.display());
            copy_up::prepare(&volume.directory, &root, &volume.target).doing(doing())?;
        }
        let linux = self.spec.linux().as_ref().ok_or_else(|| program::incomplete("linux"))?;
        let mut private_proc = None;
        for item in self.spec.mounts().iter().flatten() {
            let doing = format!("mount {}", item.destination().display());
            let made = file_systems::mount(&root, item).doing(doing)?;
            match item.destination().to_str() {
                Some("/proc") => private_proc = made,
                Some("/dev") => {
                    let extra = linux.devices().iter().flatten();
                    devices::populate(made.as_ref(), extra).doing("make the devices in /dev")?;
                }
                _ => {}
            }
        }
        if let (Some(proc), Some(parameters)) = (private_proc, linux.sysctl()) {
            for (name, value) in parameters {
                set_parameter(&proc, name, value).doing(format!("set kernel parameter {name}"))?;
            }
        }
        Ok(root)
    }

    /// Steps 12 and 13.
    pub(super) fn finish_root(&self, root: Root) -> Result<(), Failure> {
        mount::pivot_root(root.as_fd()).doing("enter the root file system")?;
        drop(root);
        let linux = self.spec.linux().as_ref().ok_or_else(|| program::incomplete("linux"))?;
        masks::hide(linux.masked_paths().iter().flatten())?;
        masks::make_read_only(linux.readonly_paths().iter().flatten())?;
        let root = self.spec.root().as_ref().and_then(oci_spec::runtime::Root::readonly);
        if root.unwrap_or(false) {
            let root = Root::open(Path::new("/")).doing("open the root file system")?;
            mount::restrict(root.as_fd(), Attributes::MOUNT_ATTR_RDONLY, false)
                .doing("make the root file system read-only")?;
        }
        Ok(())
    }

    fn mount_overlay(&self, target: &Path) -> Result<(), Failure> {
        let doing = "mount the root file system";
        // Descriptors keep the option string short (it may be one page, for 500 layers) and free of
        // characters that the kernel would take as separators.
        rustix::process::chdir("/proc/self/fd")
            .map_err(|errno| sys::Error::new("chdir", "/proc/self/fd", errno))
            .doing(doing)?;
        let mut layers = Vec::with_capacity(self.launch.layers.len());
        for layer in &self.launch.layers {
            layers.push(open_directory(layer).doing(doing)?);
        }
        let lower: Vec<String> = layers.iter().map(descriptor_path).collect();
        let upper = open_directory(&self.launch.directory.join("upper")).doing(doing)?;
        let work = open_directory(&self.launch.directory.join("work")).doing(doing)?;
        let options = format!(
            "lowerdir={},upperdir={},workdir={}",
            lower.join(":"),
            descriptor_path(&upper),
            descriptor_path(&work),
        );
        let options = CString::new(options).map_err(|_| program::incomplete("layers"))?;
        mount::overlay(target, &options).doing(doing)
    }
}

fn open_directory(path: &Path) -> sys::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty())
        .map_err(|errno| sys::Error::new("open", path.display().to_string(), errno))
}

/// Relative to /proc/self/fd.
fn descriptor_path(fd: &OwnedFd) -> String {
    fd.as_raw_fd().to_string()
}

/// Writes a kernel parameter through a procfs that nobody else can have put anything on.
fn set_parameter(proc: &OwnedFd, name: &str, value: &str) -> sys::Result<()> {
    use rustix::fs::ResolveFlags;
    let failed = |call, errno| sys::Error::new(call, name, errno);
    let path = format!("sys/{}", name.replace('.', "/"));
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    let flags = OFlags::WRONLY | OFlags::CLOEXEC;
    let file = rustix::fs::openat2(proc, path.as_str(), flags, Mode::empty(), resolve)
        .map_err(|errno| failed("openat2", errno))?;
    rustix::io::write(&file, value.as_bytes()).map_err(|errno| failed("write", errno))?;
    Ok(())
}
