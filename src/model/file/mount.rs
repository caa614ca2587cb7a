//! Reading mounts.

use std::path::PathBuf;

use toml::Spanned;

use super::diagnostic::Diagnostic;
use super::files::Files;
use super::section::Section;
use crate::model::path;
use crate::model::pod::{HostFile, Mount, MountSource};
use crate::model::quantity::Bytes;

/// Reads the mounts of a container; those with errors are left out.
pub(super) fn read_all(container: &Section<'_>, files: &dyn Files) -> Vec<Mount> {
    let sections = container.tables("mounts");
    let targets = sections.iter().filter_map(|section| {
        let text = section.text("target")?;
        let target = path::mount_target(text.get_ref()).ok()?;
        Some(Spanned::new(text.span(), target.display().to_string().into()))
    });
    container.report().unique(targets, |target| format!("two mounts have the target {target:?}"));
    sections.iter().filter_map(|section| read(section, files)).collect()
}

fn read(section: &Section<'_>, files: &dyn Files) -> Option<Mount> {
    let target = section.read("target", path::mount_target);
    let source = read_source(section, files);
    let secret = section.flag("secret");
    if secret && !section.has("content") && !section.has("file") {
        section.error("secret", "secret only has a meaning with content or file");
    }
    let read_only = section.flag("read_only");
    Some(Mount { target: target?, source: source?, read_only, secret })
}

fn read_source(section: &Section<'_>, files: &dyn Files) -> Option<MountSource> {
    let volume = section.parse("volume").map(MountSource::Volume);
    let host = section.read("host", path::absolute).map(MountSource::Host);
    let tmpfs: Option<Bytes> = section.parse("tmpfs");
    if tmpfs == Some(Bytes(0)) {
        section.error("tmpfs", "tmpfs must be more than 0");
    }
    let content = section.text("content");
    let content = content.map(|text| MountSource::Content(text.into_inner().into_owned()));
    let file = read_file(section, files).map(MountSource::File);
    if !section.exactly_one("source", &["volume", "host", "tmpfs", "content", "file"]) {
        return None;
    }
    volume.or(host).or(tmpfs.map(MountSource::Tmpfs)).or(content).or(file)
}

fn read_file(section: &Section<'_>, files: &dyn Files) -> Option<HostFile> {
    let path: PathBuf = section.read("file", |text| path::check(text).map(|()| text.into()))?;
    match files.look(&path) {
        Ok(file) => Some(file),
        Err(problem) => {
            let message = format!("file {:?} {problem}", path.display().to_string());
            section.report().error(Diagnostic::new(section.value_place("file"), message));
            None
        }
    }
}
