use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::*;
use crate::image::load::tests::Known;
use crate::image::{Platform, load};
use crate::model::settings::ImageSettings;

/// A root with the blobs of an image of two layers, one of them compressed, as a pull leaves them.
struct Fixture {
    directory: tempfile::TempDir,
    dirs: ImageDirs,
    saved: Saved,
    layers: Vec<Digest>,
    config: Digest,
}

fn layer(name: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(5);
    header.set_mode(0o644);
    tar.append_data(&mut header, name, &b"hello"[..]).unwrap();
    tar.into_inner().unwrap()
}

impl Fixture {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let dirs = ImageDirs::below(&directory.path().join("root"));
        let plain = [layer("one"), layer("two")];
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&plain[0]).unwrap();
        let blobs = [gzip.finish().unwrap(), plain[1].clone()];
        let types =
            ["tar+gzip", "tar"].map(|kind| format!("application/vnd.oci.image.layer.v1.{kind}"));
        let diff_ids = plain.each_ref().map(|layer| digest_of(layer));
        let config = json!({
            "architecture": Platform::host().architecture,
            "os": "linux",
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let config = config.to_string().into_bytes();
        let descriptor = |media_type: &str, content: &[u8]| {
            json!({
                "mediaType": media_type, "digest": digest_of(content), "size": content.len(),
            })
        };
        let manifest = json!({
            "schemaVersion": 2,
            "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
            "layers": [descriptor(&types[0], &blobs[0]), descriptor(&types[1], &blobs[1])],
        });
        let manifest = manifest.to_string().into_bytes();
        let exclusive = dirs.exclusive().unwrap();
        for content in [&manifest, &config, &blobs[0], &blobs[1]] {
            exclusive.write_blob(&digest_of(content), content).unwrap();
        }
        drop(exclusive);
        let saved = Saved {
            manifest: digest_of(&manifest),
            diff_ids: diff_ids.to_vec(),
            names: vec![ImageName::parse("localhost/app:7").unwrap()],
        };
        let layers = blobs.iter().map(|blob| digest_of(blob)).collect();
        Self { directory, dirs, saved, layers, config: digest_of(&config) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn save(&self, format: Format, name: &str) -> Result<PathBuf> {
        let path = self.path(name);
        save(&self.dirs, std::slice::from_ref(&self.saved), format, Target::Path(&path))?;
        Ok(path)
    }

    /// What is in the directory beside the root.
    fn names(&self) -> Vec<String> {
        let entries = self.directory.path().read_dir().unwrap().map(|e| e.unwrap().file_name());
        let mut names: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// The files of an archive.
fn members(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(archive);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (name, content)
    });
    entries.collect()
}

fn value(content: &[u8]) -> Value {
    serde_json::from_slice(content).unwrap()
}

#[test]
fn a_docker_archive_has_plain_layers_by_diff_id() {
    let fixture = Fixture::new();
    let path = fixture.save(Format::DockerArchive, "app.tar").unwrap();
    let members = members(&std::fs::read(path).unwrap());
    let files = |digest: &Digest| format!("{}.tar", digest.hex());
    assert_eq!(members.len(), 4);
    for (diff_id, name) in fixture.saved.diff_ids.iter().zip(["one", "two"]) {
        assert_eq!(members[&files(diff_id)], layer(name));
    }
    let item = &value(&members["manifest.json"])[0];
    assert_eq!(item["Config"], format!("{}.json", fixture.config.hex()));
    assert_eq!(item["RepoTags"], json!(["localhost/app:7"]));
    let layers: Vec<_> = fixture.saved.diff_ids.iter().map(files).collect();
    assert_eq!(item["Layers"], json!(layers));
}

#[test]
fn a_layout_keeps_every_byte() {
    let fixture = Fixture::new();
    let archive = fixture.save(Format::OciArchive, "app.tar").unwrap();
    let layout = fixture.save(Format::OciLayout, "layout").unwrap();
    let members = members(&std::fs::read(archive).unwrap());
    for digest in fixture.layers.iter().chain([&fixture.saved.manifest, &fixture.config]) {
        let name = format!("blobs/sha256/{}", digest.hex());
        let kept = std::fs::read(fixture.dirs.blob_path(digest)).unwrap();
        assert_eq!(members[&name], kept);
        assert_eq!(std::fs::read(layout.join(name)).unwrap(), kept);
    }
    let index = std::fs::read(layout.join("index.json")).unwrap();
    assert_eq!(members["index.json"], index);
    let entry = &value(&index)["manifests"][0];
    assert_eq!(entry["digest"], json!(fixture.saved.manifest));
    assert_eq!(entry["mediaType"], "application/vnd.oci.image.manifest.v1+json");
    assert_eq!(entry["annotations"]["io.containerd.image.name"], "localhost/app:7");
}

#[test]
fn what_was_saved_can_be_loaded_and_is_the_same() {
    let fixture = Fixture::new();
    for (format, name) in [
        (Format::DockerArchive, "docker.tar"),
        (Format::OciArchive, "oci.tar"),
        (Format::OciLayout, "layout"),
    ] {
        let path = fixture.save(format, name).unwrap();
        let dirs = ImageDirs::below(&fixture.path(&format!("{name}-root")));
        let settings = ImageSettings::default();
        let loaded =
            load(&dirs, &path, &Platform::host(), &settings, &mut Known::default()).unwrap();
        assert_eq!(loaded.len(), 1, "{name}");
        assert_eq!(loaded[0].config, fixture.config, "{name}");
        assert_eq!(loaded[0].names, ["localhost/app:7"], "{name}");
        if format != Format::DockerArchive {
            assert_eq!(loaded[0].manifest, fixture.saved.manifest, "{name}");
        }
    }
}

#[test]
fn the_same_image_makes_the_same_archive_and_a_stream_has_it_too() {
    let fixture = Fixture::new();
    for format in [Format::DockerArchive, Format::OciArchive] {
        let first = std::fs::read(fixture.save(format, "1.tar").unwrap()).unwrap();
        let mut stream = Vec::new();
        let images = std::slice::from_ref(&fixture.saved);
        save(&fixture.dirs, images, format, Target::Stream(&mut stream)).unwrap();
        assert!(first == stream, "{format:?}");
        assert!(first.len().is_multiple_of(512));
    }
}

#[test]
fn a_corrupt_or_missing_blob_leaves_nothing_behind() {
    for format in [Format::DockerArchive, Format::OciArchive, Format::OciLayout] {
        let fixture = Fixture::new();
        let before = fixture.names();
        let blob = fixture.dirs.blob_path(&fixture.layers[1]);
        let mut content = std::fs::read(&blob).unwrap();
        content[600] ^= 1;
        file::replace(&blob, &content, 0o600, file::Durability::Volatile).unwrap();
        let error = fixture.save(format, "out").unwrap_err();
        assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
        content.push(0);
        file::replace(&blob, &content, 0o600, file::Durability::Volatile).unwrap();
        let error = fixture.save(format, "out").unwrap_err();
        assert!(matches!(error, Error::SizeMismatch { .. }), "{error}");
        file::remove_file(&blob).unwrap();
        let error = fixture.save(format, "out").unwrap_err();
        assert!(matches!(error, Error::NotKept { .. }), "{error}");
        assert_eq!(fixture.names(), before, "{format:?}");
    }
}

#[test]
fn a_directory_with_content_is_not_touched() {
    let fixture = Fixture::new();
    for name in ["empty", "full"] {
        file::make_dir(&fixture.path(name), 0o755).unwrap();
    }
    drop(file::create_new(&fixture.path("full/mine"), 0o600).unwrap());
    fixture.save(Format::OciLayout, "empty").unwrap();
    let before = fixture.names();
    assert!(fixture.save(Format::OciLayout, "full").is_err());
    assert!(fixture.save(Format::OciArchive, "full").is_err());
    assert_eq!(fixture.names(), before);
    assert!(fixture.path("full/mine").exists());
}
