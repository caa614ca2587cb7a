//! Manifests and indexes, OCI's and Docker's (schema 2).
//!
//! <https://github.com/opencontainers/image-spec/blob/main/manifest.md> and `image-index.md`

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::hashing::digest_of;
use super::install::Verified;
use super::limits;
use super::platform::Platform;
use super::stream::Blob;
use crate::model::Digest;

/// A reference to content.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    #[serde(default)]
    pub(super) media_type: String,
    pub(super) digest: Digest,
    pub(super) size: u64,
    #[serde(default)]
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) platform: Option<Platform>,
}

/// A document that lists other content.
#[derive(Debug)]
pub(super) enum Document {
    Index(Vec<Descriptor>),
    Manifest { config: Descriptor, layers: Vec<Descriptor> },
}

/// Everything that either kind of document may have.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Either {
    schema_version: u32,
    #[serde(default)]
    media_type: String,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
}

const INDEX_TYPES: [&str; 2] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];
const MANIFEST_TYPES: [&str; 2] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];
const CONFIG_TYPES: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/// Parses a document of at most [`limits::DOCUMENT_BYTES`]. Its fields decide what it is; what
/// its own media type or that of the descriptor it was found by (empty: unknown) say must agree,
/// so that nothing is a manifest to one reader and an index to another.
pub(super) fn parse(what: &str, content: &[u8], media_type: &str) -> Result<Document> {
    let either: Either = serde_json::from_slice(content)
        .map_err(|source| Error::Json { what: what.to_owned(), source })?;
    if either.schema_version != 2 {
        return Err(Error::document(what, "is not of schema version 2"));
    }
    let agrees = |types: &[&str]| {
        [media_type, &either.media_type].iter().all(|ty| ty.is_empty() || types.contains(ty))
    };
    match (either.config, either.layers, either.manifests) {
        (None, None, Some(manifests)) if agrees(&INDEX_TYPES) => {
            if manifests.len() > limits::INDEX_ENTRIES {
                return Err(too_many(what, limits::INDEX_ENTRIES, "manifests"));
            }
            Ok(Document::Index(manifests))
        }
        (Some(config), layers, None) if agrees(&MANIFEST_TYPES) => {
            let layers = layers.unwrap_or_default();
            if layers.len() > limits::LAYERS {
                return Err(too_many(what, limits::LAYERS, "layers"));
            }
            if !CONFIG_TYPES.contains(&config.media_type.as_str()) {
                let problem = "is of an artifact, not of a container image";
                return Err(Error::media_type(what, problem, config.media_type));
            }
            Ok(Document::Manifest { config, layers })
        }
        (_, _, Some(_)) => Err(Error::document(what, "is not what its media type says, or both")),
        _ => Err(Error::document(what, "is neither a manifest nor an index")),
    }
}

/// The manifest of an image that came without one: the same for the same config and layers.
pub(super) fn manifest<'a>(
    config: &Verified,
    layers: impl Iterator<Item = &'a Blob>,
) -> Result<Verified> {
    let config = NewDescriptor {
        media_type: CONFIG_TYPES[0],
        digest: &config.digest,
        size: config.content.len() as u64,
    };
    let layers = layers.map(|layer| NewDescriptor {
        media_type: layer.codec.media_type(),
        digest: &layer.digest,
        size: layer.size,
    });
    let manifest = NewManifest {
        schema_version: 2,
        media_type: MANIFEST_TYPES[0],
        config,
        layers: layers.collect(),
    };
    let content = serde_json::to_vec(&manifest)
        .map_err(|source| Error::Json { what: "a new manifest".to_owned(), source })?;
    Ok(Verified { digest: digest_of(&content), content })
}

/// Fields in the order in which they are always written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewManifest<'a> {
    schema_version: u32,
    media_type: &'a str,
    config: NewDescriptor<'a>,
    layers: Vec<NewDescriptor<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewDescriptor<'a> {
    media_type: &'a str,
    digest: &'a Digest,
    size: u64,
}

fn too_many(what: &str, limit: usize, unit: &'static str) -> Error {
    Error::TooLarge { what: what.to_owned(), limit: limit as u64, unit }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_one_thing_only() {
        let descriptor = |media_type: &str, digest: &str| {
            format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":1}}"#)
        };
        let digest = format!("sha256:{}", "ab".repeat(32));
        let config = descriptor(CONFIG_TYPES[0], &digest);
        let manifest = format!(r#""schemaVersion":2,"config":{config},"layers":[]"#);
        let index = r#""schemaVersion":2,"manifests":[]"#;
        let try_parse = |text: String, ty: &str| parse("it", format!("{{{text}}}").as_bytes(), ty);

        assert!(matches!(try_parse(manifest.clone(), ""), Ok(Document::Manifest { .. })));
        assert!(matches!(try_parse(index.to_owned(), INDEX_TYPES[1]), Ok(Document::Index(_))));
        for (text, media_type) in [
            (format!(r#"{manifest},"manifests":[]"#), ""),
            (manifest.clone(), INDEX_TYPES[0]),
            (index.to_owned(), MANIFEST_TYPES[0]),
            (format!(r#"{index},"mediaType":"{}""#, MANIFEST_TYPES[0]), ""),
            (manifest.replace(CONFIG_TYPES[0], "application/vnd.cncf.helm.config.v1+json"), ""),
            (manifest.replace(&digest, "sha256:../../x"), ""),
            (manifest.replace(&digest, &format!("sha512:{}", "ab".repeat(64))), ""),
            (manifest.replace(r#""schemaVersion":2"#, r#""schemaVersion":1"#), ""),
            (r#""schemaVersion":2,"layers":[]"#.to_owned(), ""),
        ] {
            assert!(try_parse(text.clone(), media_type).is_err(), "{text} as {media_type}");
        }
        let many = vec![descriptor("", &digest); limits::LAYERS + 1].join(",");
        let manifest = manifest.replace("[]", &format!("[{many}]"));
        assert!(matches!(try_parse(manifest, ""), Err(Error::TooLarge { .. })));
    }
}
