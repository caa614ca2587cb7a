//! The files of the host that a pod file names.

use std::path::Path;

use crate::model::pod::HostFile;

/// Who looks at the files of the host that a pod file names; reading the pod file does no I/O.
pub trait Files {
    /// Looks at the file at `path`, which may be relative to where the pod file is.
    ///
    /// # Errors
    /// Why it cannot be used, for people, without its path.
    fn look(&self, path: &Path) -> Result<HostFile, String>;
}
