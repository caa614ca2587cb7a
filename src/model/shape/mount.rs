//! The table of a mount.

use super::build::{ANY, PATH, SIZE, key};
use super::{Kind, Table};

/// A mount of a container.
pub static MOUNT: Table = Table {
    name: "a mount",
    doc: "Something that appears in a container's file system. It has exactly one source.",
    identity: Some("target"),
    inline: false,
    keys: &[
        key("target", Kind::Text(PATH), "Where it appears inside the container.", r#""/data""#)
            .required(),
        key(
            "volume",
            Kind::Text("^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$"),
            "A named volume, which outlives the pod.",
            r#""web-data""#,
        ),
        key("host", Kind::Text(PATH), "A path of the host.", r#""/srv/x""#),
        key("tmpfs", Kind::TextOrInteger(SIZE), "Memory, at most this much.", r#""64MiB""#),
        key("content", Kind::Text(ANY), "A file with this text.", r#""text""#),
        key(
            "file",
            Kind::Text(ANY),
            "A file with the content that this file of the host has when it is applied, at most 1 MiB; a \
             path may be relative to the pod file.",
            r#""./site.conf""#,
        ),
        key("read_only", Kind::Boolean, "Whether it cannot be written to.", "true")
            .default("false"),
        key(
            "secret",
            Kind::Boolean,
            "Whether its content is masked in everything tank prints. Applying a masked content, ***, \
             keeps the one that is stored.",
            "true",
        )
        .default("false"),
    ],
};
