//! Registries: where images come from.
//!
//! A client of the OCI distribution specification that believes a registry nothing: what it sends
//! is bounded in size and in time, content is what its digest says or is refused, credentials go
//! to the host they are for and to nobody it redirects to, and its words are escaped before they
//! are repeated.
//!
//! | module | what it is |
//! |---|---|
//! | `endpoint` | mirrors and the registry: where to ask |
//! | `manifest`, `blob` | what can be asked |
//! | `authorization`, `challenge`, `token` | being let in |
//! | [`credentials`], `login` | files of credentials: read, and tank's own written |
//! | `retry` | what fails for a passing reason is tried again |
//! | `http`, `tls` | one request; whom to trust |
//! | `subject`, [`error`] | what was asked of whom, and how it went wrong |
//!
//! Nothing here starts a thread, but a [`Client`] may be shared by several.

mod authorization;
mod blob;
mod challenge;
pub mod credentials;
mod endpoint;
pub mod error;
mod http;
mod login;
mod manifest;
mod retry;
mod subject;
mod tls;
mod token;

use std::fmt;
use std::time::Duration;

use ureq::http::{HeaderMap, Method, Request};

use super::limits;
use super::progress::{Unwatched, Watch};
use crate::model::Digest;
use crate::model::image_name::ImageName;
use crate::model::settings::{ImageSettings, RegistrySettings};
use authorization::{Grants, Identity};
use credentials::Credential;
use endpoint::Endpoint;
use http::{Http, Response};
use retry::Retry;
use subject::Subject;

pub use blob::BlobReader;
pub use credentials::{CredentialFiles, Login, Secret};
pub use error::{Error, Result};
pub use login::{remove, store};

/// A client of all registries, which remembers connections and tokens.
pub struct Client {
    http: Http,
    registries: RegistrySettings,
    retries: u32,
    credentials: CredentialFiles,
    grants: Grants,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("registries", &self.registries).finish_non_exhaustive()
    }
}

/// What names a manifest in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference<'a> {
    /// A name that can move.
    Tag(&'a str),
    /// The manifest's own digest.
    Digest(&'a Digest),
}

impl<'a> Reference<'a> {
    /// What `name` says: its digest, else its tag.
    pub fn of(name: &'a ImageName) -> Self {
        match (&name.digest, &name.tag) {
            (Some(digest), _) => Self::Digest(digest),
            (None, tag) => Self::Tag(tag.as_deref().unwrap_or("latest")),
        }
    }
}

impl fmt::Display for Reference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => f.write_str(tag),
            Self::Digest(digest) => write!(f, "{digest}"),
        }
    }
}

/// A manifest or index as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The digest of the content.
    pub digest: Digest,
    /// The media type that the registry declares, without parameters; it may be empty.
    pub media_type: String,
    /// The bytes, at most [`limits::DOCUMENT_BYTES`].
    pub content: Vec<u8>,
}

impl Client {
    /// Prepares a client; no network is used yet.
    ///
    /// # Errors
    /// A file of certificates cannot be read or has none, or a mirror is not a host.
    pub fn new(
        registries: &RegistrySettings,
        images: &ImageSettings,
        credentials: CredentialFiles,
    ) -> Result<Self> {
        endpoint::check(registries)?;
        Ok(Self {
            http: Http::new(&registries.ca_certificates, images.stall_timeout)?,
            registries: registries.clone(),
            retries: images.retries,
            credentials,
            grants: Grants::default(),
        })
    }

    /// Asks `registry` whether it accepts `login`; one that lets everybody in does.
    ///
    /// # Errors
    /// The registry does not accept it, or cannot be asked.
    pub fn check_login(&self, registry: &str, login: &Login) -> Result<()> {
        let endpoint = Endpoint::new(&self.registries, registry, String::new());
        let credential = Credential::Login(login.clone());
        let subject = Subject { registry, what: "a login" };
        let request = request(&endpoint, subject, Method::GET, "", HeaderMap::new())?;
        retry::repeat(Retry::new(self.retries, &Unwatched), subject.what, || {
            // What others are granted is not what this login would be.
            let grants = Grants::default();
            let identity = Identity::Given(&credential);
            grants.send(&self.http, identity, &endpoint, subject, &request).map(drop)
        })
    }

    /// Does `attempt` at each mirror of the registry, then at the registry until it succeeds.
    fn anywhere<T>(
        &self,
        name: &ImageName,
        what: &str,
        watch: &dyn Watch,
        attempt: impl Fn(&Endpoint) -> Result<T>,
    ) -> Result<T> {
        let mut endpoints = endpoint::of(&self.registries, name).into_iter().peekable();
        while let Some(endpoint) = endpoints.next() {
            if endpoints.peek().is_none() {
                let retry = Retry::new(self.retries, watch);
                return retry::repeat(retry, what, || attempt(&endpoint));
            }
            match attempt(&endpoint) {
                Ok(value) => return Ok(value),
                Err(error) => retry::tell(watch, what, &error, Duration::ZERO),
            }
        }
        Err(Subject { registry: &name.registry, what }.protocol("names no endpoint"))
    }

    fn ask(
        &self,
        endpoint: &Endpoint,
        subject: Subject<'_>,
        method: Method,
        path: &str,
        headers: HeaderMap,
    ) -> Result<Response> {
        let request = request(endpoint, subject, method, path, headers)?;
        let identity = Identity::Files(&self.credentials);
        self.grants.send(&self.http, identity, endpoint, subject, &request)
    }
}

fn request(
    endpoint: &Endpoint,
    subject: Subject<'_>,
    method: Method,
    path: &str,
    headers: HeaderMap,
) -> Result<Request<()>> {
    let mut request = Request::new(());
    *request.uri_mut() =
        endpoint.url(path).map_err(|_| subject.protocol("has no valid address"))?;
    *request.method_mut() = method;
    *request.headers_mut() = headers;
    Ok(request)
}

#[cfg(test)]
mod tests;
