//! Reading mounts.

use toml::Spanned;

use super::section::Section;
use super::text;
use crate::model::path;
use crate::model::pod::{Mount, MountSource};
use crate::model::quantity::Bytes;

/// Reads the mounts of a container; those with errors are left out.
pub(super) fn read_all(container: &Section<'_>) -> Vec<Mount> {
    let sections = container.tables("mounts");
    let targets = sections.iter().filter_map(|section| {
        let text = section.text("target")?;
        let target = path::mount_target(text.get_ref()).ok()?;
        Some(Spanned::new(text.span(), target.display().to_string().into()))
    });
    container.report().unique(targets, |target| format!("two mounts have the target {target:?}"));
    sections.iter().filter_map(read).collect()
}

fn read(section: &Section<'_>) -> Option<Mount> {
    let target = section.read("target", path::mount_target);
    let source = read_source(section);
    let secret = section.flag("secret");
    if secret && !section.has("content") && !section.has("file") {
        section.error("secret", "secret only has a meaning with content or file");
    }
    let read_only = section.flag("read_only");
    Some(Mount { target: target?, source: source?, read_only, secret })
}

fn read_source(section: &Section<'_>) -> Option<MountSource> {
    let volume = section.read("volume", text::volume_name).map(MountSource::Volume);
    let host = section.read("host", path::absolute).map(MountSource::Host);
    let tmpfs: Option<Bytes> = section.parse("tmpfs");
    if tmpfs == Some(Bytes(0)) {
        section.error("tmpfs", "tmpfs must be more than 0");
    }
    let content = section.text("content");
    let content = content.map(|text| MountSource::Content(text.into_inner().into_owned()));
    let file = section.read("file", |text| path::check(text).map(|()| text.into()));
    if !section.exactly_one("source", &["volume", "host", "tmpfs", "content", "file"]) {
        return None;
    }
    volume.or(host).or(tmpfs.map(MountSource::Tmpfs)).or(content).or(file.map(MountSource::File))
}
