//! The kernel that Debian installed on this machine, and its modules.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::support::fixtures::{advice, tool};

/// An installed kernel, named by its release (`6.1.0-56-amd64`).
#[derive(Debug)]
pub(crate) struct Kernel {
    release: String,
}

impl Kernel {
    /// The newest one that has both an image and modules.
    pub(crate) fn newest() -> Self {
        let images = fs::read_dir("/boot").into_iter().flatten().map(Result::unwrap);
        let newest = images
            .filter_map(|image| {
                let name = image.file_name().into_string().unwrap();
                name.strip_prefix("vmlinuz-").map(|release| Self { release: release.to_owned() })
            })
            .filter(|kernel| kernel.module_dir().join("modules.dep").exists())
            .max_by_key(Self::version);
        newest.unwrap_or_else(|| {
            panic!("no /boot/vmlinuz-* with its modules: {}", advice("linux-image-amd64"))
        })
    }

    /// Its image, which qemu loads.
    pub(crate) fn image(&self) -> PathBuf {
        Path::new("/boot").join(format!("vmlinuz-{}", self.release))
    }

    fn module_dir(&self) -> PathBuf {
        Path::new("/lib/modules").join(&self.release)
    }

    /// The numbers of its release, in order: 6.10 is newer than 6.9.
    fn version(&self) -> Vec<u64> {
        let parts = self.release.split(|c: char| !c.is_ascii_digit());
        parts.filter_map(|part| part.parse().ok()).collect()
    }

    /// The contents of the named modules and of those they depend on, in the order to load them.
    pub(crate) fn modules(&self, names: &[&str]) -> Vec<Vec<u8>> {
        let read = |file: &str| fs::read_to_string(self.module_dir().join(file)).unwrap();
        let (dependencies, builtin) = (read("modules.dep"), read("modules.builtin"));
        let dependencies: BTreeMap<_, _> =
            dependencies.lines().filter_map(|line| line.split_once(':')).collect();
        let mut order: Vec<&str> = Vec::new();
        for name in names {
            let is_named = |path: &&str| stem(path) == *name;
            if builtin.lines().any(|path| is_named(&path)) {
                continue;
            }
            let path = dependencies.keys().copied().find(is_named);
            let path = path.unwrap_or_else(|| panic!("{self:?} has no module {name}"));
            // modules.dep(5) names what is needed directly or not, the first needed last.
            let needed = dependencies[path].split_whitespace().rev().chain([path]);
            for module in needed {
                if !order.contains(&module) {
                    order.push(module);
                }
            }
        }
        order.into_iter().map(|path| decompressed(&self.module_dir().join(path))).collect()
    }
}

/// The name of the module in a file `kernel/fs/overlayfs/overlay.ko.xz`.
fn stem(path: &str) -> &str {
    path.rsplit('/').next().and_then(|file| file.split('.').next()).unwrap_or_default()
}

/// A module as the kernel takes it: distributions compress them in different ways.
fn decompressed(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("xz") => {
            let dir = tempfile::tempdir().unwrap();
            let copy = dir.path().join("module.xz");
            fs::write(&copy, bytes).unwrap();
            tool("xz", "xz-utils", &["--decompress", copy.to_str().unwrap()]);
            fs::read(dir.path().join("module")).unwrap()
        }
        Some("zst") => zstd::decode_all(bytes.as_slice()).unwrap(),
        Some("gz") => {
            let mut module = Vec::new();
            flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut module).unwrap();
            module
        }
        _ => bytes,
    }
}
