//! A tree of files as text, to compare two of them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::made::sha256;

/// Every path below `root` with all that matters about it: type, mode, owner, time, size and
/// content, link target, extended attributes, and which paths are one file.
pub(crate) fn tree(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut links: BTreeMap<u64, PathBuf> = BTreeMap::new();
    let mut pending = vec![root.to_owned()];
    while let Some(path) = pending.pop() {
        let stat = path.symlink_metadata().unwrap();
        let kind = stat.file_type();
        let name = path.strip_prefix(root).unwrap().to_owned();
        let content = if kind.is_symlink() {
            format!("-> {}", path.read_link().unwrap().display())
        } else if kind.is_file() {
            let content = fs::read(&path).unwrap();
            format!("{} bytes {}", content.len(), sha256(&content))
        } else if kind.is_dir() {
            pending.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            String::new()
        } else {
            let is_device = kind.is_char_device() || kind.is_block_device();
            format!("special, device {}", if is_device { stat.rdev() } else { 0 })
        };
        let (mode, uid, gid) = (stat.mode(), stat.uid(), stat.gid());
        // A whiteout has no time of its own.
        let is_whiteout = kind.is_char_device() && stat.rdev() == 0;
        let time = if is_whiteout { (0, 0) } else { (stat.mtime(), stat.mtime_nsec()) };
        let attributes = xattrs(&path);
        found.insert(
            name.clone(),
            format!("{mode:o} {uid}:{gid} {time:?} {content} {attributes:?}"),
        );
        if !kind.is_dir() && stat.nlink() > 1 {
            let first = links.entry(stat.ino()).or_insert_with(|| name.clone());
            if *first > name {
                first.clone_from(&name);
            }
        }
    }
    for (name, line) in &mut found {
        let inode = root.join(name).symlink_metadata().unwrap().ino();
        if let Some(first) = links.get(&inode) {
            *line = format!("{line} is {}", first.display());
        }
    }
    found
}

/// The extended attributes of a path itself.
fn xattrs(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut names = vec![0; 64 << 10];
    let length = rustix::fs::llistxattr(path, &mut names).unwrap_or(0);
    let names = names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let attribute = |name: &[u8]| {
        let mut value = vec![0; 64 << 10];
        let name = String::from_utf8(name.to_vec()).unwrap();
        let length = rustix::fs::lgetxattr(path, name.as_str(), &mut value).unwrap();
        value.truncate(length);
        (name, value)
    };
    names.map(attribute).collect()
}
