//! What every machine has before it starts: busybox, the kernel's modules, and `init.sh`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::cpio::Archive;
use super::kernel::Kernel;
use crate::support::{fixtures, source};

/// What the kernel has as modules; each brings those it depends on.
const MODULES: &[&str] = &[
    "overlay",
    "bridge",
    "veth",
    // What nf_tables and ext4 ask for by the name of an algorithm.
    "crc32c_generic",
    "nf_tables",
    "nft_chain_nat",
    "nft_ct",
    "nft_fib_inet",
    "nft_masq",
    "nft_meta_bridge",
    "nft_nat",
    "nf_conntrack_netlink",
    "tcp_diag",
    "udp_diag",
    "virtio_pci",
    "virtio_blk",
    "ext4",
];

/// An archive with all of that, to which a payload is to be added; `payload/start` is what runs.
pub(super) fn base(kernel: &Kernel) -> Archive {
    let mut archive = Archive::default();
    for dir in
        ["dev", "proc", "sys", "tmp", "run", "root", "new", "etc", "modules", "disk", "payload"]
    {
        archive.dir(dir, 0o755);
    }
    // The kernel opens it as the standard streams of init before anything is mounted.
    archive.char_device("dev/console", 5, 1);
    archive.file("init", 0o755, &fs::read(source("tests/vm/init.sh")).unwrap());
    archive.file("etc/passwd", 0o644, b"root:x:0:0:root:/root:/bin/sh\n");
    archive.file("etc/group", 0o644, b"root:x:0:\n");
    archive.tree("bin", &fixtures::busybox_rootfs().join("bin"));
    for (n, module) in kernel.modules(MODULES).iter().enumerate() {
        archive.file(&format!("modules/{n:02}.ko"), 0o644, module);
    }
    archive
}

/// A program without debug information, which would be most of the archive.
pub(super) fn stripped(program: &Path, scratch: &Path) -> Vec<u8> {
    let target = scratch.join("stripped");
    let args = ["-o", target.to_str().unwrap(), program.to_str().unwrap()];
    fixtures::tool("strip", "binutils", &args);
    assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o111, 0o111);
    fs::read(&target).unwrap()
}
