//! Reading how much of logs is kept.

use super::section::Section;
use crate::model::pod::LogLimits;
use crate::model::quantity::Bytes;
use crate::model::settings::LogSettings;

/// The smallest size of a file: a few entries of the greatest length.
const MIN_SIZE: Bytes = Bytes(64 << 10);

/// Reads the limits of a container's log.
pub(super) fn read(container: &Section<'_>) -> LogLimits {
    let Some(section) = container.table("log") else { return LogLimits::default() };
    LogLimits { max_size: read_size(&section), max_files: section.integer("max_files") }
}

/// Reads those of all. Nothing if a value is wrong, which has been reported.
pub(super) fn read_settings(section: &Section<'_>) -> Option<LogSettings> {
    let (max_size, max_files) = (read_size(section), section.integer("max_files"));
    Some(LogSettings { max_size: max_size?.0, max_files: max_files? })
}

fn read_size(section: &Section<'_>) -> Option<Bytes> {
    let size = section.parse("max_size")?;
    if size < MIN_SIZE {
        section.error("max_size", format!("max_size must be at least {MIN_SIZE}"));
    }
    Some(size)
}
