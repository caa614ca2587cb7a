//! OCI layouts, in an archive or a directory.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;

use super::target::Sink;
use super::{Image, blob};
use crate::image::dirs::ImageDirs;
use crate::image::document::Descriptor;
use crate::image::error::{Error, Result};
use crate::model::Digest;

/// Writes a layout. An image has an entry in its index for each of its names, or one without.
pub(super) fn write(dirs: &ImageDirs, images: &[Image<'_>], sink: &mut dyn Sink) -> Result<()> {
    sink.directory("blobs")?;
    sink.directory("blobs/sha256")?;
    let mut written = BTreeSet::new();
    for image in images {
        for layer in &image.layers {
            if written.insert(layer.digest.clone()) {
                let name = path(&layer.digest);
                sink.file(&name, layer.size, &mut |out| blob::copy(dirs, "layer", layer, out))?;
            }
        }
        let documents = [
            (&image.config.digest, &image.config_content),
            (&image.saved.manifest, &image.manifest),
        ];
        for (digest, content) in documents {
            if written.insert(digest.clone()) {
                document(sink, &path(digest), content)?;
            }
        }
    }
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": images.iter().flat_map(entries).collect::<Vec<_>>(),
    });
    document(sink, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    document(sink, "index.json", index.to_string().as_bytes())
}

/// Writes a file whose content is at hand.
pub(super) fn document(sink: &mut dyn Sink, name: &str, content: &[u8]) -> Result<()> {
    let size = content.len() as u64;
    sink.file(name, size, &mut |output| output.write_all(content).map_err(Error::write))
}

/// What a manifest is: what it says itself, or what its config is part of.
pub(super) fn media_type(manifest: &[u8], config: &Descriptor) -> String {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Typed {
        #[serde(default)]
        media_type: String,
    }
    let own = serde_json::from_slice(manifest).map(|typed: Typed| typed.media_type);
    match own {
        Ok(own) if !own.is_empty() => own,
        _ if config.media_type.starts_with("application/vnd.docker.") => {
            "application/vnd.docker.distribution.manifest.v2+json".to_owned()
        }
        _ => "application/vnd.oci.image.manifest.v1+json".to_owned(),
    }
}

fn path(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

fn entries(image: &Image<'_>) -> Vec<serde_json::Value> {
    let descriptor = json!({
        "mediaType": image.media_type,
        "digest": image.saved.manifest,
        "size": image.manifest.len(),
    });
    if image.saved.names.is_empty() {
        return vec![descriptor];
    }
    let named = image.saved.names.iter().map(|name| {
        // Podman and skopeo look for the whole name in the first, containerd and docker in the
        // second.
        let mut named = descriptor.clone();
        named["annotations"] = json!({
            "org.opencontainers.image.ref.name": name.to_string(),
            "io.containerd.image.name": name.to_string(),
        });
        named
    });
    named.collect()
}
