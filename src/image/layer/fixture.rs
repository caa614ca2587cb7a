//! Layers written byte by byte, and a place to unpack them where an escape would show.

use std::io::{BufReader, Cursor};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Budget, Problem, Stack, Unpacked, complete, unpack};
use crate::image::hashing::Hashing;
use crate::image::tar_reader::Reader;
use crate::sys::file;

/// A tar archive being written; nothing is checked, every nonsense can be said.
#[derive(Default)]
pub(super) struct Tar(Vec<u8>);

impl Tar {
    pub(super) fn entry(self, kind: u8, path: &str, link: &str, data: &[u8]) -> Self {
        self.edited(kind, path, link, data, |_| {})
    }

    pub(super) fn edited(
        mut self,
        kind: u8,
        path: &str,
        link: &str,
        data: &[u8],
        edit: impl FnOnce(&mut tar::Header),
    ) -> Self {
        if path.len() > 100 {
            self = self.entry(b'L', "././@LongLink", "", format!("{path}\0").as_bytes());
        }
        if link.len() > 100 {
            self = self.entry(b'K', "././@LongLink", "", format!("{link}\0").as_bytes());
        }
        let mut header = tar::Header::new_gnu();
        let fill = |field: &mut [u8; 100], text: &str| {
            let text = &text.as_bytes()[..text.len().min(100)];
            field[..text.len()].copy_from_slice(text);
        };
        fill(&mut header.as_old_mut().name, path);
        fill(&mut header.as_old_mut().linkname, link);
        header.set_entry_type(tar::EntryType::new(kind));
        header.set_mode(if kind == b'5' { 0o755 } else { 0o644 });
        header.set_mtime(1_000_000_000);
        header.set_size(data.len() as u64);
        edit(&mut header);
        header.set_cksum();
        self.0.extend(header.as_bytes());
        self.0.extend(data);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(super) fn file(self, path: &str, data: &str) -> Self {
        self.entry(b'0', path, "", data.as_bytes())
    }

    pub(super) fn dir(self, path: &str) -> Self {
        self.entry(b'5', path, "", b"")
    }

    pub(super) fn symlink(self, path: &str, target: &str) -> Self {
        self.entry(b'2', path, target, b"")
    }

    pub(super) fn hard_link(self, path: &str, target: &str) -> Self {
        self.entry(b'1', path, target, b"")
    }

    pub(super) fn device(self, kind: u8, path: &str, major: u32, minor: u32) -> Self {
        self.edited(kind, path, "", b"", |header| {
            header.set_device_major(major).unwrap();
            header.set_device_minor(minor).unwrap();
        })
    }

    /// A PAX record for the next entry.
    pub(super) fn pax(self, key: &str, value: &[u8]) -> Self {
        let body = key.len() + value.len() + 3;
        let mut length = body + 1;
        while body + length.to_string().len() != length {
            length += 1;
        }
        let mut record = format!("{length} {key}=").into_bytes();
        record.extend(value);
        record.push(b'\n');
        self.entry(b'x', "pax", "", &record)
    }

    pub(super) fn bytes(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}

/// A directory to unpack into, beside a tree that nothing may touch.
pub(super) struct World {
    directory: TempDir,
    /// The names of its directories that are layers, the topmost first.
    layers: Vec<Vec<u8>>,
}

impl World {
    pub(super) fn new() -> Self {
        let layers = vec![b"root".to_vec()];
        let world = Self { directory: tempfile::tempdir().unwrap(), layers };
        file::make_dirs(&world.canary().join("dir"), 0o750).unwrap();
        for name in ["passwd", "dir/inside", "dir/.wh.not"] {
            file::create_new(&world.canary().join(name), 0o640).unwrap();
        }
        file::make_dir(&world.root(), 0o700).unwrap();
        world
    }

    pub(super) fn root(&self) -> PathBuf {
        self.directory.path().join("root")
    }

    pub(super) fn canary(&self) -> PathBuf {
        self.directory.path().join("canary")
    }

    /// A place that is above layers, the lowest first.
    pub(super) fn above(layers: impl IntoIterator<Item = Tar>) -> Self {
        let mut world = Self::new();
        for (number, tar) in layers.into_iter().enumerate() {
            world.unpack(tar).unwrap();
            let name = format!("layer{number}");
            std::fs::rename(world.root(), world.directory.path().join(&name)).unwrap();
            world.layers.insert(1, name.into_bytes());
            file::make_dir(&world.root(), 0o700).unwrap();
        }
        world
    }

    pub(super) fn unpack(&self, tar: Tar) -> Result<Unpacked, Problem> {
        self.unpack_within(tar, &Budget::new(64 << 30, 2_000_000))
    }

    /// Unpacks a layer, and completes it by those below.
    pub(super) fn unpack_within(&self, tar: Tar, budget: &Budget) -> Result<Unpacked, Problem> {
        let stream = Hashing::counting(Cursor::new(tar.bytes()));
        let mut reader = Reader::new(BufReader::new(stream));
        let root = || file::open_dir(&self.root()).unwrap();
        let (unpacked, open) = unpack(&mut reader, root(), budget)?;
        let directory = file::open_dir(self.directory.path()).unwrap();
        complete(root(), &open, &Stack::new(directory, self.layers.clone()), budget)?;
        Ok(unpacked)
    }

    /// All there is outside of the unpacked tree, in every respect.
    pub(super) fn outside(&self) -> Vec<String> {
        let mut lines = Vec::new();
        describe(self.directory.path(), &self.root(), &mut lines);
        lines.sort();
        lines
    }
}

fn describe(path: &Path, except: &Path, lines: &mut Vec<String>) {
    for entry in std::fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path == except {
            continue;
        }
        let stat = path.symlink_metadata().unwrap();
        lines.push(format!(
            "{} {:o} {}:{} {} {} {}.{} {}.{}",
            path.display(),
            stat.mode(),
            stat.uid(),
            stat.gid(),
            stat.nlink(),
            stat.size(),
            stat.mtime(),
            stat.mtime_nsec(),
            stat.ctime(),
            stat.ctime_nsec(),
        ));
        if stat.is_dir() {
            describe(&path, except, lines);
        }
    }
}
