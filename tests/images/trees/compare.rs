//! Two trees, entry by entry.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Where a container has something of its own mounted: what the image has there is not seen.
const MOUNTED: [&str; 6] = ["dev", "proc", "sys", "etc/hosts", "etc/hostname", "etc/resolv.conf"];

/// What a tree has at one path.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    /// Type, permissions and set-id bits.
    mode: u32,
    owner: (u32, u32),
    /// Of what is no directory: how large that is, is the file system's own affair.
    size: u64,
    mtime: Option<(i64, i64)>,
    target: Option<PathBuf>,
    xattrs: BTreeMap<String, Vec<u8>>,
    /// All names of the file, if it has several.
    names: Vec<PathBuf>,
}

/// Fails if the root that a container sees is not `expected`, with these exceptions, which are
/// tank's rules:
///
/// - [`MOUNTED`], and the time of a directory in which a mount point had to be made
/// - the time of the root directory: what is mounted there changes it, and umoci makes it anew
/// - devices: they are left out
/// - attributes that would steer the overlay or the host: they are dropped
/// - `copies`, hard links to files of lower layers: they are files of their own
#[track_caller]
pub(super) fn assert_same(seen: &Path, expected: &Path, copies: &[&str]) {
    let (mut found, mut wanted) = (tree(seen), tree(expected));
    wanted.retain(|path, entry| {
        let is_device = matches!(entry.mode & 0o170_000, 0o020_000 | 0o060_000);
        !is_device || path.starts_with("dev")
    });
    for mounted in MOUNTED {
        let parent = Path::new(mounted).parent().unwrap().to_owned();
        if !wanted.contains_key(Path::new(mounted)) {
            for tree in [&mut found, &mut wanted] {
                tree.entry(parent.clone()).and_modify(|entry| entry.mtime = None);
            }
        }
        for tree in [&mut found, &mut wanted] {
            tree.retain(|path, _| !path.starts_with(mounted));
        }
    }
    for tree in [&mut found, &mut wanted] {
        tree.entry(PathBuf::new()).and_modify(|entry| entry.mtime = None);
        for entry in tree.values_mut() {
            entry.xattrs.retain(|name, _| !is_dropped(name));
            entry.names.retain(|name| copies.iter().all(|copy| Path::new(copy) != name));
            if entry.names.len() == 1 {
                entry.names.clear();
            }
        }
    }
    for copy in copies {
        for tree in [&mut found, &mut wanted] {
            tree.get_mut(Path::new(copy)).expect("a copy").names.clear();
        }
    }
    let mut differences = Vec::new();
    let paths = found.keys().chain(wanted.keys()).collect::<std::collections::BTreeSet<_>>();
    for path in paths {
        let (found, wanted) = (found.get(path), wanted.get(path));
        if found != wanted {
            differences.push(format!("{path:?}\n  has    {found:?}\n  wanted {wanted:?}"));
        } else if found.is_some_and(|entry| entry.mode & 0o170_000 == 0o100_000)
            && !same_content(&seen.join(path), &expected.join(path))
        {
            differences.push(format!("{path:?} has other content"));
        }
    }
    let (count, shown) = (differences.len(), differences.iter().take(20).cloned());
    assert!(count == 0, "{count} differences:\n{}", shown.collect::<Vec<_>>().join("\n"));
    assert!(wanted.len() > 20, "there is hardly anything in {}", expected.display());
}

fn is_dropped(name: &str) -> bool {
    let is_kept = ["security.capability", "system.posix_acl_access", "system.posix_acl_default"]
        .contains(&name)
        || name.starts_with("user.") && !name.starts_with("user.overlay.");
    !is_kept
}

fn tree(root: &Path) -> BTreeMap<PathBuf, Entry> {
    let mut found = BTreeMap::new();
    let mut names: BTreeMap<(u64, u64), Vec<PathBuf>> = BTreeMap::new();
    let mut pending = vec![PathBuf::new()];
    while let Some(name) = pending.pop() {
        let path = if name.as_os_str().is_empty() { root.join(".") } else { root.join(&name) };
        let stat = path.symlink_metadata().unwrap();
        let kind = stat.file_type();
        if kind.is_dir() && !["proc", "sys", "dev"].iter().any(|own| name == Path::new(own)) {
            let below = fs::read_dir(&path).unwrap();
            pending.extend(below.map(|entry| name.join(entry.unwrap().file_name())));
        }
        if !kind.is_dir() && stat.nlink() > 1 {
            names.entry((stat.dev(), stat.ino())).or_default().push(name.clone());
        }
        let entry = Entry {
            mode: stat.mode(),
            owner: (stat.uid(), stat.gid()),
            size: if kind.is_dir() { 0 } else { stat.size() },
            mtime: Some((stat.mtime(), stat.mtime_nsec())),
            target: kind.is_symlink().then(|| path.read_link().unwrap()),
            xattrs: if kind.is_fifo() { BTreeMap::new() } else { xattrs(&path) },
            names: Vec::new(),
        };
        found.insert(name, entry);
    }
    for mut names in names.into_values().filter(|names| names.len() > 1) {
        names.sort();
        for name in &names {
            found.get_mut(name).unwrap().names.clone_from(&names);
        }
    }
    found
}

fn xattrs(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut names = vec![0; 65_536];
    let length = rustix::fs::llistxattr(path, &mut names[..]).unwrap();
    let names = names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let value = |name: &[u8]| {
        let mut value = vec![0; 65_536];
        let length = rustix::fs::lgetxattr(path, OsStr::from_bytes(name), &mut value[..]).unwrap();
        value.truncate(length);
        (String::from_utf8_lossy(name).into_owned(), value)
    };
    names.map(value).collect()
}

fn same_content(one: &Path, other: &Path) -> bool {
    let [mut one, mut other] = [one, other].map(|path| File::open(path).unwrap());
    let mut buffers = [vec![0; 1 << 20], vec![0; 1 << 20]];
    loop {
        let mut read = [0, 0];
        for (index, file) in [&mut one, &mut other].into_iter().enumerate() {
            while read[index] < buffers[index].len() {
                let start = read[index];
                match file.read(&mut buffers[index][start..]).unwrap() {
                    0 => break,
                    count => read[index] += count,
                }
            }
        }
        if read[0] != read[1] || buffers[0][..read[0]] != buffers[1][..read[1]] {
            return false;
        }
        if read[0] == 0 {
            return true;
        }
    }
}
