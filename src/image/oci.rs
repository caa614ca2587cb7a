//! OCI image layouts: `index.json` and `blobs/sha256`.
//!
//! <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>

use super::codec::Codec;
use super::document::{self, Descriptor, Document};
use super::error::{Error, Result};
use super::hashing::{check_digest, check_size, digest_of};
use super::install::{Image, Layer, Verified};
use super::limits;
use super::platform::Platform;
use super::source::{Region, Source};
use super::stream::Blob;
use crate::model::image_name;

/// The file that makes a directory or an archive a layout.
pub(super) const INDEX: &str = "index.json";

/// The annotations that name an image: containerd's has the whole name, the specification's
/// may have no more than a tag.
const NAMES: [&str; 2] = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];

/// The images of a layout for a platform.
///
/// The entries of `index.json` are one image for each name. Among those that share a name, or
/// have none, the best for the platform is taken, and those that do not say what they are for:
/// their configs will tell.
pub(super) fn images<'a>(
    source: &'a Source,
    index: &[u8],
    platform: &Platform,
) -> Result<Vec<Image<'a>>> {
    let Document::Index(descriptors) = document::parse(INDEX, index, "")? else {
        return Err(Error::document(INDEX, "is no index"));
    };
    let mut groups: Vec<(Option<String>, Vec<Descriptor>)> = Vec::new();
    for descriptor in descriptors {
        let name = NAMES.iter().find_map(|key| descriptor.annotations.get(*key)).cloned();
        match groups.iter_mut().find(|(other, _)| *other == name) {
            Some((_, group)) => group.push(descriptor),
            None => groups.push((name, vec![descriptor])),
        }
    }
    let mut images: Vec<Image<'a>> = Vec::new();
    for (name, group) in groups {
        let name = name.as_deref().and_then(|name| image_name::normalise(name).ok());
        for descriptor in choose(group, platform)? {
            let image = image(source, &descriptor, platform, 0)?;
            let same = |other: &&mut Image<'a>| other.manifest.digest == image.manifest.digest;
            match images.iter_mut().find(same) {
                Some(other) => other.names.extend(name.clone()),
                None => images.push(Image { names: name.iter().cloned().collect(), ..image }),
            }
        }
    }
    Ok(images)
}

/// Of descriptors for several platforms the best one, and all that name no platform.
pub(super) fn choose(descriptors: Vec<Descriptor>, platform: &Platform) -> Result<Vec<Descriptor>> {
    let (named, mut chosen): (Vec<_>, Vec<_>) =
        descriptors.into_iter().partition(|descriptor| descriptor.platform.is_some());
    let found: Vec<_> = named.iter().filter_map(|one| one.platform.clone()).collect();
    chosen.extend(platform.choose(&found).and_then(|best| named.into_iter().nth(best)));
    if chosen.is_empty() && !found.is_empty() {
        return Err(Error::WrongPlatform { wanted: platform.clone(), found });
    }
    Ok(chosen)
}

/// The image that a manifest, or an index of manifests, describes.
fn image<'a>(
    source: &'a Source,
    descriptor: &Descriptor,
    platform: &Platform,
    depth: usize,
) -> Result<Image<'a>> {
    let what = format!("manifest {}", descriptor.digest);
    let verified = read(source, &what, descriptor)?;
    match document::parse(&what, &verified.content, &descriptor.media_type)? {
        Document::Index(_) if depth + 1 >= limits::INDEX_DEPTH => {
            let limit = limits::INDEX_DEPTH as u64;
            Err(Error::TooLarge { what, limit, unit: "indexes in one another" })
        }
        Document::Index(descriptors) => {
            let chosen = choose(descriptors, platform)?;
            match chosen.last() {
                Some(best) => image(source, best, platform, depth + 1),
                None => Err(Error::document(what, "is an index of nothing")),
            }
        }
        Document::Manifest { config, layers } => Ok(Image {
            names: Vec::new(),
            manifest: verified,
            config: read(source, &format!("config {}", config.digest), &config)?,
            layers: layers
                .into_iter()
                .map(|layer| self::layer(source, layer))
                .collect::<Result<_>>()?,
        }),
    }
}

fn layer(source: &Source, descriptor: Descriptor) -> Result<Layer<'_>> {
    let what = format!("layer {}", descriptor.digest);
    let Some(codec) = Codec::from_media_type(&descriptor.media_type) else {
        let problem = "is no layer, or one that is not supported";
        return Err(Error::media_type(what, problem, descriptor.media_type));
    };
    let Descriptor { digest, size, .. } = descriptor;
    let blob = Blob { digest: digest.clone(), codec, size };
    let open = move || {
        let region = blob_region(source, &what, &digest, size)?;
        Ok(Box::new(region) as Box<dyn std::io::Read>)
    };
    Ok(Layer { blob, open: Box::new(open) })
}

/// Reads a document and verifies its size and digest.
fn read(source: &Source, what: &str, descriptor: &Descriptor) -> Result<Verified> {
    let region = blob_region(source, what, &descriptor.digest, descriptor.size)?;
    let content = region.read_document(what)?;
    check_digest(what, &descriptor.digest, digest_of(&content))?;
    Ok(Verified { digest: descriptor.digest.clone(), content })
}

fn blob_region(
    source: &Source,
    what: &str,
    digest: &crate::model::Digest,
    size: u64,
) -> Result<Region> {
    let region = source.require(what, &format!("blobs/sha256/{}", digest.hex()))?;
    check_size(what, size, region.size())?;
    Ok(region)
}
