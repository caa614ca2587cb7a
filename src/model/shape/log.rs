//! The tables of how much of logs is kept.

use super::build::{SIZE, key};
use super::{Kind, Table};

/// Less than two would leave nothing at a rotation; more files than that are slow to look through.
const FILES: Kind = Kind::Integer { min: 2, max: 1000 };
const FILES_DOC: &str = "How many files there may be, the one that is written included.";
const SIZE_DOC: &str = "The size at which a file is complete, at least 64KiB.";

/// How much of a container's log is kept.
pub static LOG: Table = Table {
    name: "a log",
    doc: "How much of a container's log is kept. What is left out is as config.toml says.",
    identity: None,
    inline: true,
    keys: &[
        key("max_size", Kind::TextOrInteger(SIZE), SIZE_DOC, r#""10MiB""#).live(),
        key("max_files", FILES, FILES_DOC, "5").live(),
    ],
};

/// The same in `config.toml`, for containers that do not say it.
pub static LOGS: Table = Table {
    name: "[logs]",
    doc: "How much of each container's log is kept, unless its pod says otherwise.",
    identity: None,
    inline: false,
    keys: &[
        key("max_size", Kind::TextOrInteger(SIZE), SIZE_DOC, r#""10MiB""#).default("10MiB"),
        key("max_files", FILES, FILES_DOC, "5").default("5"),
    ],
};
