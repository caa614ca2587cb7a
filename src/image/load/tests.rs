mod layers;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::image::ImageDirs;
use crate::image::hashing::digest_of;
use crate::sys::file::{self, Durability};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// A layout written by hand, and the root it is loaded into.
struct Bench {
    directory: TempDir,
    dirs: ImageDirs,
}

/// The layers that a database would have as ready.
#[derive(Default)]
pub(in crate::image) struct Known(pub(in crate::image) BTreeSet<Digest>);

impl Ledger for Known {
    type Error = Error;
    type Image = LoadedImage;

    fn ready(&self) -> Result<BTreeSet<Digest>> {
        Ok(self.0.clone())
    }

    fn record(&mut self, image: &LoadedImage) -> Result<LoadedImage> {
        Ok(image.clone())
    }
}

fn amd64() -> Platform {
    Platform { os: "linux".to_owned(), architecture: "amd64".to_owned(), variant: None }
}

fn layer(content: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, "file", content.as_bytes()).unwrap();
    tar.into_inner().unwrap()
}

fn config(architecture: &str, diff_ids: &[Digest]) -> Value {
    json!({"architecture": architecture, "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": diff_ids}})
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        file::make_dirs(&directory.path().join("layout/blobs/sha256"), 0o755).unwrap();
        let dirs = ImageDirs::below(&directory.path().join("root"));
        Self { directory, dirs }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, content: &[u8]) {
        file::replace(&self.path(name), content, 0o644, Durability::Volatile).unwrap();
    }

    /// Adds a blob and returns its descriptor.
    fn blob(&self, media_type: &str, content: &[u8]) -> Value {
        let digest = digest_of(content);
        self.write(&format!("layout/blobs/sha256/{}", digest.hex()), content);
        json!({"mediaType": media_type, "digest": digest, "size": content.len()})
    }

    fn document(&self, media_type: &str, document: &Value) -> Value {
        self.blob(media_type, document.to_string().as_bytes())
    }

    /// Adds an image of one layer for an architecture.
    fn image(&self, architecture: &str) -> Value {
        let content = layer(architecture);
        let config = config(architecture, &[digest_of(&content)]);
        self.manifest(&config, &[self.blob(LAYER, &content)])
    }

    fn manifest(&self, config: &Value, layers: &[Value]) -> Value {
        let config = self.document(CONFIG, config);
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": layers});
        self.document(MANIFEST, &manifest)
    }

    fn index(&self, manifests: &[Value]) {
        let index = json!({"schemaVersion": 2, "manifests": manifests}).to_string();
        self.write("layout/index.json", index.as_bytes());
    }

    fn load(&self, name: &str) -> Result<Vec<LoadedImage>> {
        self.load_knowing(name, BTreeSet::new())
    }

    fn load_knowing(&self, name: &str, known: BTreeSet<Digest>) -> Result<Vec<LoadedImage>> {
        self.load_with(&self.path(name), &ImageSettings::default(), known)
    }

    fn load_with(
        &self,
        path: &Path,
        settings: &ImageSettings,
        known: BTreeSet<Digest>,
    ) -> Result<Vec<LoadedImage>> {
        load(&self.dirs, path, &amd64(), settings, &mut Known(known))
    }

    /// Loads what must be refused, and checks that nothing is left of it.
    fn refused(&self, name: &str) -> Error {
        let error = self.load(name).unwrap_err();
        for directory in ["root/layers", "root/blobs/sha256"] {
            let left = std::fs::read_dir(self.path(directory)).into_iter().flatten();
            let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
            assert!(left.iter().all(|name| name == ".lock"), "{error}: {left:?}");
        }
        error
    }

    fn archive(&self, name: &str, files: &[(&str, &[u8])], links: &[(&str, &str)]) {
        let mut tar = tar::Builder::new(Vec::new());
        for (path, target) in links {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            tar.append_link(&mut header, path, target).unwrap();
        }
        for (path, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            tar.append_data(&mut header, path, *content).unwrap();
        }
        self.write(name, &tar.into_inner().unwrap());
    }
}

fn with(mut descriptor: Value, key: &str, value: Value) -> Value {
    descriptor[key] = value;
    descriptor
}

#[test]
fn the_platform_is_chosen_from_nested_indexes() {
    let bench = Bench::new();
    let platform = |architecture: &str| json!({"os": "linux", "architecture": architecture});
    let images = ["arm64", "amd64"]
        .map(|architecture| with(bench.image(architecture), "platform", platform(architecture)));
    let nested = bench.document(INDEX, &json!({"schemaVersion": 2, "manifests": images}));
    let name = json!({"io.containerd.image.name": "docker.io/library/a:1",
        "org.opencontainers.image.ref.name": "1"});
    bench.index(&[with(nested, "annotations", name)]);
    let images = bench.load("layout").unwrap();
    assert_eq!(images.len(), 1);
    assert_eq!(images[0].names, ["docker.io/library/a:1"]);
    assert_eq!(images[0].image_config.platform, amd64());
}

#[test]
fn other_platforms_are_listed() {
    let bench = Bench::new();
    let platform = json!({"os": "linux", "architecture": "arm", "variant": "v7"});
    let images = [with(bench.image("arm"), "platform", platform)];
    let nested = bench.document(INDEX, &json!({"schemaVersion": 2, "manifests": images}));
    for manifests in [[nested], [bench.image("arm64")]] {
        bench.index(&manifests);
        assert!(matches!(bench.refused("layout"), Error::WrongPlatform { .. }));
    }
    let message = bench.refused("layout").to_string();
    assert_eq!(message, "the image is not for linux/amd64; it has linux/arm64");
}

#[test]
fn what_does_not_have_its_digest_is_refused() {
    let bench = Bench::new();
    let content = layer("x");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&content).unwrap();
    let packed = packed.finish().unwrap();
    let gzip = format!("{LAYER}+gzip");
    let good = config("amd64", &[digest_of(&content)]);
    let other = config("amd64", &[digest_of(b"other")]);
    let blob = || bench.blob(&gzip, &packed);
    let cases: [(&str, Value, Value); 6] = [
        ("diff id", other, blob()),
        ("size", good.clone(), with(blob(), "size", json!(packed.len() - 1))),
        ("compression", good.clone(), bench.blob(LAYER, &packed)),
        ("no layer", good.clone(), bench.blob("text/plain", &content)),
        ("trailing data", good.clone(), bench.blob(&gzip, &[&packed, &content[..64]].concat())),
        ("truncated", good.clone(), bench.blob(&gzip, &packed[..packed.len() - 9])),
    ];
    for (what, config, layer) in cases {
        bench.index(&[bench.manifest(&config, &[layer])]);
        let error = bench.refused("layout");
        let fits = match what {
            "diff id" => matches!(error, Error::DigestMismatch { .. }),
            "size" => matches!(error, Error::SizeMismatch { .. }),
            "compression" => matches!(error, Error::Compression { .. }),
            "no layer" => matches!(error, Error::MediaType { .. }),
            "trailing data" => matches!(error, Error::Corrupt { .. } | Error::Compression { .. }),
            _ => matches!(error, Error::Truncated { .. }),
        };
        assert!(fits, "{what}: {error:?}");
    }
    for what in ["layer", "config", "manifest"] {
        let layer = blob();
        let config = bench.document(CONFIG, &good);
        let manifest = bench.manifest(&good, std::slice::from_ref(&layer));
        let victim = match what {
            "layer" => &layer,
            "config" => &config,
            _ => &manifest,
        };
        let digest: Digest = serde_json::from_value(victim["digest"].clone()).unwrap();
        let path = format!("layout/blobs/sha256/{}", digest.hex());
        let mut bytes = std::fs::read(bench.path(&path)).unwrap();
        // In gzip's header this is a time, in JSON a letter: nothing but the digest tells.
        bytes[4] ^= 1;
        bench.write(&path, &bytes);
        bench.index(&[manifest]);
        let error = bench.refused("layout");
        assert!(matches!(error, Error::DigestMismatch { .. }), "{what}: {error:?}");
    }
    bench.index(&[bench.manifest(&good, &[blob()])]);
    assert_eq!(bench.load("layout").unwrap().len(), 1);
}

#[test]
fn hostile_layouts_are_refused() {
    let bench = Bench::new();
    let nest =
        |inner: Value| bench.document(INDEX, &json!({"schemaVersion": 2, "manifests": [inner]}));
    bench.index(&[(0..6).fold(bench.image("amd64"), |inner, _| nest(inner))]);
    assert!(matches!(bench.refused("layout"), Error::TooLarge { .. }));
    bench.index(&[]);
    assert!(matches!(bench.refused("layout"), Error::NotAnImage { .. }));
    bench.write("layout/index.json", &vec![b' '; (4 << 20) + 1]);
    assert!(matches!(bench.refused("layout"), Error::TooLarge { .. }));
    let manifest = bench.image("amd64");
    bench.index(std::slice::from_ref(&manifest));
    let digest: Digest = serde_json::from_value(manifest["digest"].clone()).unwrap();
    let blob = bench.path("layout/blobs/sha256").join(digest.hex());
    std::fs::rename(&blob, bench.path("elsewhere")).unwrap();
    assert!(matches!(bench.refused("layout"), Error::Missing { .. }));
    std::os::unix::fs::symlink(bench.path("elsewhere"), &blob).unwrap();
    assert!(matches!(bench.refused("layout"), Error::System(_)));
}

#[test]
fn docker_archives_of_every_age_load() {
    let bench = Bench::new();
    let content = layer("x");
    let diff_id = digest_of(&content);
    let config = config("amd64", &[diff_id.clone(), diff_id]).to_string();
    let config = config.as_bytes();
    let id = digest_of(config);
    let old = format!("{}.json", id.hex());
    let new = format!("blobs/sha256/{}", id.hex());
    let manifest = |config: &str, layers: [&str; 2]| {
        let tags = ["busybox", "example.org/b:2"];
        json!([{"Config": config, "RepoTags": tags, "Layers": layers}]).to_string()
    };
    let linked = manifest(&old, ["a/layer.tar", "b/layer.tar"]);
    bench.archive(
        "old.tar",
        &[
            ("a/layer.tar", &content),
            ("a/json", b"{}"),
            (&old, config),
            ("manifest.json", linked.as_bytes()),
        ],
        &[("b/layer.tar", "../a/layer.tar")],
    );
    let blobs = manifest(&new, ["blobs/sha256/l", "blobs/sha256/l"]);
    bench.archive(
        "new.tar",
        &[
            ("./blobs/sha256/l", &content),
            (&new, config),
            ("index.json", b"not looked at"),
            ("manifest.json", blobs.as_bytes()),
        ],
        &[],
    );
    let mut manifests = Vec::new();
    for name in ["old.tar", "new.tar"] {
        let image = bench.load(name).unwrap().remove(0);
        assert_eq!(image.names, ["docker.io/library/busybox:latest", "example.org/b:2"]);
        assert_eq!(image.config, id, "{name}");
        let manifest = std::fs::read(bench.dirs.blob_path(&image.manifest)).unwrap();
        manifests.push(manifest);
        assert_eq!(image.layers.len(), 2);
        assert_eq!(image.layers[0], image.layers[1]);
        assert_eq!(image.size, 2 * content.len() as u64);
        assert_eq!(image.layers[0].blob.as_ref(), Some(&image.layers[0].diff_id));
        let blob = std::fs::read(bench.dirs.blob_path(&image.layers[0].diff_id)).unwrap();
        assert_eq!(blob, content);
    }
    assert_eq!(manifests[0], manifests[1], "one image has one manifest");
    let manifest: Value = serde_json::from_slice(&manifests[0]).unwrap();
    let descriptor = |kind: &str, content: &[u8]| json!({"mediaType": kind, "digest": digest_of(content), "size": content.len()});
    let layer = descriptor(LAYER, &content);
    assert_eq!(
        manifest,
        json!({"schemaVersion": 2, "mediaType": MANIFEST,
            "config": descriptor(CONFIG, config), "layers": [layer, layer]})
    );
}

#[test]
fn hostile_docker_archives_are_refused() {
    let bench = Bench::new();
    let content = layer("x");
    let config = config("amd64", &[digest_of(&content)]).to_string();
    let wrong = format!("{}.json", "0".repeat(64));
    let item = |config: &str, tag: &str, layer: &str| {
        json!([{"Config": config, "RepoTags": [tag], "Layers": [layer]}]).to_string()
    };
    for (what, manifest) in [
        ("missing layer", item("c", "a", "../../../etc/passwd")),
        ("link loop", item("c", "a", "loop")),
        ("wrong config", item(&wrong, "a", "l")),
        ("bad tag", item("c", "a\u{1b}[31m", "l")),
        ("not JSON", "[{".to_owned()),
        ("no image", "[]".to_owned()),
    ] {
        bench.archive(
            "a.tar",
            &[
                ("l", &content),
                ("c", config.as_bytes()),
                (&wrong, config.as_bytes()),
                ("manifest.json", manifest.as_bytes()),
            ],
            &[("loop", "pool"), ("pool", "loop")],
        );
        let error = bench.refused("a.tar").to_string();
        assert!(!error.contains('\u{1b}'), "{what}: {error:?}");
    }
    let good = item("c", "a", "l");
    let files: [(&str, &[u8]); 3] =
        [("c", config.as_bytes()), ("manifest.json", good.as_bytes()), ("l", &content)];
    bench.archive("a.tar", &[files.as_slice(), &[("l", b"x")]].concat(), &[]);
    assert!(matches!(bench.refused("a.tar"), Error::Tar { .. }));
    bench.archive("a.tar", &files, &[]);
    let whole = std::fs::read(bench.path("a.tar")).unwrap();
    bench.write("cut.tar", &whole[..whole.len() - 2048]);
    assert!(matches!(bench.refused("cut.tar"), Error::Truncated { .. }));
    for (name, content) in [("text", &b"hello"[..]), ("empty", b""), ("xz", b"\xfd7zXZ\0\0")] {
        bench.write(name, content);
        let error = bench.refused(name);
        assert!(matches!(error, Error::NotAnImage { .. } | Error::Compression { .. }), "{error:?}");
    }
    assert_eq!(bench.load("a.tar").unwrap().len(), 1);
}

#[test]
fn an_archive_may_come_through_a_pipe() {
    let bench = Bench::new();
    let content = layer("x");
    let config = config("amd64", &[digest_of(&content)]).to_string();
    let manifest = json!([{"Config": "c", "Layers": ["l"]}]).to_string();
    let files: [(&str, &[u8]); 3] =
        [("c", config.as_bytes()), ("l", &content), ("manifest.json", manifest.as_bytes())];
    bench.archive("a.tar", &files, &[]);
    let (read, write) = rustix::pipe::pipe().unwrap();
    let bytes = std::fs::read(bench.path("a.tar")).unwrap();
    // It fits into the pipe, so that nobody has to read meanwhile.
    File::from(write).write_all(&bytes).unwrap();
    use std::os::fd::AsRawFd;
    let path = format!("/proc/self/fd/{}", read.as_raw_fd());
    let images =
        bench.load_with(Path::new(&path), &ImageSettings::default(), BTreeSet::new()).unwrap();
    assert_eq!(images[0].names, Vec::<String>::new());
}
