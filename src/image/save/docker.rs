//! Archives that `docker load` and every other tool reads: `manifest.json`, configs by their
//! digest, and plain layers by their diff id.

use std::collections::BTreeSet;
use std::io;

use serde_json::{Value, json};

use super::target::Sink;
use super::{Image, blob, layout};
use crate::image::dirs::ImageDirs;
use crate::image::error::Result;

/// Writes an archive.
pub(super) fn write(dirs: &ImageDirs, images: &[Image<'_>], sink: &mut dyn Sink) -> Result<()> {
    let mut written = BTreeSet::new();
    for image in images {
        for (layer, diff_id) in image.layers.iter().zip(&image.saved.diff_ids) {
            if !written.insert(diff_id) {
                continue;
            }
            // The header of a member says how long it is, and comes first.
            let size = match layer.digest == *diff_id {
                true => layer.size,
                false => blob::copy_plain(dirs, layer, diff_id, &mut io::sink())?,
            };
            sink.file(&format!("{}.tar", diff_id.hex()), size, &mut |output| {
                blob::copy_plain(dirs, layer, diff_id, output).map(drop)
            })?;
        }
        if written.insert(&image.config.digest) {
            layout::document(sink, &config_name(image), &image.config_content)?;
        }
    }
    let manifest = images.iter().map(item).collect::<Value>();
    layout::document(sink, "manifest.json", manifest.to_string().as_bytes())
}

fn config_name(image: &Image<'_>) -> String {
    format!("{}.json", image.config.digest.hex())
}

fn item(image: &Image<'_>) -> Value {
    // A name with a digest means a manifest, and an archive of this kind has none.
    let names = image.saved.names.iter().filter(|name| name.digest.is_none());
    json!({
        "Config": config_name(image),
        "RepoTags": names.map(ToString::to_string).collect::<Vec<_>>(),
        "Layers": image.saved.diff_ids.iter().map(|id| format!("{}.tar", id.hex()))
            .collect::<Vec<_>>(),
    })
}
