//! Credentials of registries: `ROOT/auth.json`.

use super::App;
use super::error::{Error, Kind};
use super::report::LoginReport;
use crate::image::registry::{self, Client, Login, Secret};

impl App {
    /// Stores a user and a password, once the registry has accepted them.
    pub fn login(&self, host: &str, user: String, password: Secret) -> Result<LoginReport, Error> {
        let settings = self.settings()?;
        let files = self.credential_files();
        let own = files.own.clone();
        let error = |e| Error::new(Kind::Failed, format!("cannot log in to {host}")).because(e);
        let login = Login { user, password };
        Client::new(&settings.registries, &settings.images, files)
            .and_then(|client| client.check_login(host, &login))
            .map_err(error)?;
        registry::store(&own, host, &login).map_err(error)?;
        Ok(LoginReport { registry: host.to_owned(), file: own.display().to_string() })
    }

    /// Forgets what a login stored.
    ///
    /// # Errors
    /// There was none.
    pub fn logout(&self, host: &str) -> Result<LoginReport, Error> {
        let own = self.credential_files().own;
        let removed = registry::remove(&own, host).map_err(|e| {
            Error::new(Kind::Failed, format!("cannot log out of {host}")).because(e)
        })?;
        let file = own.display().to_string();
        if !removed {
            let message = format!("cannot log out of {host}: {file} has no login for it");
            return Err(Error::new(Kind::NotFound, message)
                .hint("what docker and podman store is theirs to remove"));
        }
        Ok(LoginReport { registry: host.to_owned(), file })
    }
}
