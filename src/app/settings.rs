//! `ROOT/config.toml`: read when a verb needs it, and by no other.

use std::io;
use std::path::Path;

use super::App;
use super::error::{Error, InvalidFile, Kind};
use crate::model::file::{self, Diagnostic, MAX_BYTES};
use crate::model::settings::Settings;
use crate::sys;

/// The name of the file in the root.
const NAME: &str = "config.toml";

impl App {
    /// Tells the engine how the network should be laid out and how much of logs is kept, where
    /// somebody may be connected or started.
    pub(super) fn learn_settings(&self) -> Result<(), Error> {
        if let Some(engine) = &self.engine {
            let settings = self.settings()?;
            engine.set_network(settings.network);
            engine.set_logs(settings.logs);
        }
        Ok(())
    }

    /// The settings of this root; without a file, the defaults.
    ///
    /// # Errors
    /// The file cannot be read, or is not valid: then with all that is wrong with it.
    pub fn settings(&self) -> Result<Settings, Error> {
        let path = self.options.root.join(NAME);
        let Some(content) = read(&path).map_err(|e| {
            Error::new(Kind::Failed, format!("cannot read {}", path.display())).because(e)
        })?
        else {
            return Ok(Settings::default());
        };
        let name = path.display().to_string();
        match String::from_utf8(content) {
            Ok(text) => file::parse_settings(&text)
                .map_err(|findings| Error::invalid_file(InvalidFile { name, text, findings })),
            Err(e) => {
                let findings = vec![Diagnostic::not_utf8(e.utf8_error().valid_up_to())];
                let text = String::from_utf8_lossy(e.as_bytes()).into_owned();
                Err(Error::invalid_file(InvalidFile { name, text, findings }))
            }
        }
    }
}

/// The content of a file, at most a byte more than a valid one has. `None` if there is none; a
/// link that leads nowhere is an error.
fn read(path: &Path) -> sys::Result<Option<Vec<u8>>> {
    let target = match path.canonicalize() {
        Ok(target) => target,
        Err(e) if e.kind() == io::ErrorKind::NotFound && path.symlink_metadata().is_err() => {
            return Ok(None);
        }
        Err(e) => return Err(sys::Error::new("realpath", path.display().to_string(), e)),
    };
    sys::file::read_bounded(&target, MAX_BYTES as u64).map(Some)
}
