//! Images made byte by byte, for a registry that serves them.

use std::io::Write;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";

/// Some bytes with what a descriptor says of them.
#[derive(Debug, Clone)]
pub(crate) struct Blob {
    pub(crate) media_type: String,
    pub(crate) digest: String,
    pub(crate) content: Vec<u8>,
}

impl Blob {
    pub(crate) fn new(media_type: &str, content: impl Into<Vec<u8>>) -> Self {
        let content = content.into();
        Self { media_type: media_type.to_owned(), digest: sha256(&content), content }
    }

    /// As a manifest or an index refers to it.
    pub(crate) fn descriptor(&self) -> Value {
        json!({
            "mediaType": self.media_type, "digest": self.digest, "size": self.content.len(),
        })
    }

    /// The first digits of the digest, as people are shown them.
    pub(crate) fn short(&self) -> &str {
        &self.digest["sha256:".len()..][..12]
    }
}

/// How layers are packed, and by whose names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
    Zstd,
    /// gzip, with the media types of docker's schema 2.
    Docker,
}

/// An image.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) layers: Vec<Blob>,
    pub(crate) config: Blob,
    pub(crate) manifest: Blob,
}

impl Made {
    /// An image of these layers (tar files) for linux/amd64.
    pub(crate) fn new(tars: &[Vec<u8>], packing: Packing) -> Self {
        let layers = tars.iter().map(|tar| packed(tar, packing)).collect();
        let diff_ids: Vec<_> = tars.iter().map(|tar| sha256(tar)).collect();
        Self::of(layers, &config(&diff_ids), packing == Packing::Docker)
    }

    /// An image of layers that need not be what they say, with any config.
    pub(crate) fn of(layers: Vec<Blob>, config: &Value, is_docker: bool) -> Self {
        let (config_type, manifest_type) =
            if is_docker { (DOCKER_CONFIG, DOCKER_MANIFEST) } else { (OCI_CONFIG, OCI_MANIFEST) };
        let config = Blob::new(config_type, config.to_string());
        let descriptors = layers.iter().map(Blob::descriptor).collect();
        let manifest = manifest(manifest_type, &config, descriptors);
        Self { layers, config, manifest }
    }

    /// The same with a manifest that a test changed.
    pub(crate) fn edited(mut self, edit: impl FnOnce(&mut Value)) -> Self {
        let mut manifest: Value = serde_json::from_slice(&self.manifest.content).unwrap();
        edit(&mut manifest);
        self.manifest = Blob::new(&self.manifest.media_type, manifest.to_string());
        self
    }

    /// A small image of two layers, whose files say which one they are from.
    pub(crate) fn small() -> Self {
        let tars = [tar_of(&[("first", b"first\n")]), tar_of(&[("second", b"second\n")])];
        Self::new(&tars, Packing::Gzip)
    }

    /// An image of so many layers with so many bytes each that do not get smaller by packing.
    pub(crate) fn large(layers: u64, size: usize) -> Self {
        let tars: Vec<_> = (0..layers)
            .map(|layer| {
                let quarter = noise(layer + 1, size / 4);
                let name = |n: usize| format!("layer{layer}/file{n}");
                let names: Vec<_> = (0..4).map(name).collect();
                let parts: Vec<(&str, &[u8])> =
                    names.iter().map(|name| (name.as_str(), quarter.as_slice())).collect();
                tar_of(&parts)
            })
            .collect();
        Self::new(&tars, Packing::Plain)
    }

    /// All bytes of the layers, as they come.
    pub(crate) fn size(&self) -> usize {
        self.layers.iter().map(|layer| layer.content.len()).sum()
    }
}

/// A config for linux/amd64 with these layers.
pub(crate) fn config(diff_ids: &[String]) -> Value {
    json!({
        "architecture": "amd64", "os": "linux", "config": { "Cmd": ["/true"] },
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    })
}

pub(crate) fn manifest(media_type: &str, config: &Blob, layers: Vec<Value>) -> Blob {
    let manifest = json!({
        "schemaVersion": 2, "mediaType": media_type,
        "config": config.descriptor(), "layers": layers,
    });
    Blob::new(media_type, manifest.to_string())
}

/// An index of these descriptors.
pub(crate) fn index(manifests: &[Value]) -> Blob {
    let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests });
    Blob::new(OCI_INDEX, index.to_string())
}

/// A tar file as a layer.
pub(crate) fn packed(tar: &[u8], packing: Packing) -> Blob {
    let gzip = || {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(tar).unwrap();
        encoder.finish().unwrap()
    };
    let layer = "application/vnd.oci.image.layer.v1.tar";
    match packing {
        Packing::Plain => Blob::new(layer, tar),
        Packing::Gzip => Blob::new(&format!("{layer}+gzip"), gzip()),
        Packing::Zstd => Blob::new(&format!("{layer}+zstd"), zstd::encode_all(tar, 1).unwrap()),
        Packing::Docker => Blob::new("application/vnd.docker.image.rootfs.diff.tar.gzip", gzip()),
    }
}

/// A tar file of these files, each with the directory it is in.
pub(crate) fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let header = |name: &str, kind, mode, size: u64| {
        let mut header = tar::Header::new_ustar();
        header.set_path(name).unwrap();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_mtime(1_700_000_000);
        header.set_size(size);
        header.set_cksum();
        header
    };
    let mut made = std::collections::BTreeSet::new();
    for (name, content) in files {
        if let Some((dir, _)) = name.rsplit_once('/')
            && made.insert(dir)
        {
            let entry = header(&format!("{dir}/"), tar::EntryType::Directory, 0o755, 0);
            archive.append(&entry, std::io::empty()).unwrap();
        }
        let entry = header(name, tar::EntryType::Regular, 0o644, content.len() as u64);
        archive.append(&entry, *content).unwrap();
    }
    archive.into_inner().unwrap()
}

/// Bytes that no packer makes smaller, always the same for a seed (xorshift64).
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.flatten().take(length).collect()
}

/// `sha256:` and the digest in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}
