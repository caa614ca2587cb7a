//! Manifests and indexes, as bytes.
//!
//! <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests>

use std::io::Read;

use ureq::http::header::{ACCEPT, CONTENT_TYPE};
use ureq::http::{HeaderMap, HeaderValue, Method};

use super::endpoint::Endpoint;
use super::error::{Error, Result};
use super::subject::Subject;
use super::{Client, Fetched, Reference};
use crate::image::hashing::digest_of;
use crate::image::limits;
use crate::image::progress::Watch;
use crate::model::Digest;
use crate::model::image_name::ImageName;

const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, \
                         application/vnd.docker.distribution.manifest.v2+json";
const MANIFESTS_AND_INDEXES: &str = "application/vnd.oci.image.index.v1+json, \
                                     application/vnd.docker.distribution.manifest.list.v2+json, \
                                     application/vnd.oci.image.manifest.v1+json, \
                                     application/vnd.docker.distribution.manifest.v2+json";

impl Client {
    /// Gets the manifest or, where `accept_index`, the index that `reference` names in the
    /// repository of `name`. Its digest is verified; nothing else is.
    ///
    /// # Errors
    /// The registry does not have it or does not give it, or it is not what was asked for.
    pub fn manifest(
        &self,
        name: &ImageName,
        reference: &Reference<'_>,
        accept_index: bool,
        watch: &dyn Watch,
    ) -> Result<Fetched> {
        let what = describe(name, reference);
        self.anywhere(name, &what, watch, |endpoint| {
            let subject = Subject { registry: &endpoint.registry, what: &what };
            self.get_manifest(endpoint, subject, reference, accept_index)
        })
    }

    /// The digest of the manifest or index that `name` stands for now.
    ///
    /// A registry that does not tell it without the manifest is asked for the manifest.
    ///
    /// # Errors
    /// Those of [`Self::manifest`].
    pub fn resolve(&self, name: &ImageName, watch: &dyn Watch) -> Result<Digest> {
        let reference = Reference::of(name);
        let what = describe(name, &reference);
        self.anywhere(name, &what, watch, |endpoint| {
            let subject = Subject { registry: &endpoint.registry, what: &what };
            let path = format!("manifests/{reference}");
            let answer = self.ask(endpoint, subject, Method::HEAD, &path, accept(true));
            match answer {
                Ok(response) => {
                    if let Some(digest) = announced(subject, &response.headers)? {
                        return Ok(digest);
                    }
                }
                // An answer to HEAD has no body that could say why.
                Err(Error::Status { status: 400..500, .. })
                | Err(Error::NotFound { .. } | Error::Denied { .. }) => {}
                Err(error) => return Err(error),
            }
            Ok(self.get_manifest(endpoint, subject, &reference, true)?.digest)
        })
    }

    fn get_manifest(
        &self,
        endpoint: &Endpoint,
        subject: Subject<'_>,
        reference: &Reference<'_>,
        accept_index: bool,
    ) -> Result<Fetched> {
        let path = format!("manifests/{reference}");
        let response = self.ask(endpoint, subject, Method::GET, &path, accept(accept_index))?;
        let limit = limits::DOCUMENT_BYTES;
        if response.body.length().is_some_and(|length| length > limit) {
            return Err(subject.too_large(limit));
        }
        let mut content = Vec::new();
        let read = response.body.take(limit + 1).read_to_end(&mut content);
        read.map_err(|e| subject.cut(e, self.http.stall_timeout()))?;
        if content.len() as u64 > limit {
            return Err(subject.too_large(limit));
        }
        let actual = digest_of(&content);
        let asked = match reference {
            Reference::Digest(digest) => Some((*digest).clone()),
            Reference::Tag(_) => None,
        };
        for expected in asked.into_iter().chain(announced(subject, &response.headers)?) {
            if expected != actual {
                return Err(wrong_digest(subject, expected, actual));
            }
        }
        let media_type = response.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.and_then(|text| text.split(';').next()).unwrap_or_default();
        Ok(Fetched { digest: actual, media_type: media_type.trim().to_owned(), content })
    }
}

pub(super) fn wrong_digest(subject: Subject<'_>, expected: Digest, actual: Digest) -> Error {
    Error::WrongDigest {
        registry: subject.registry.to_owned(),
        what: subject.what.to_owned(),
        expected,
        actual,
    }
}

fn describe(name: &ImageName, reference: &Reference<'_>) -> String {
    let separator = match reference {
        Reference::Tag(_) => ':',
        Reference::Digest(_) => '@',
    };
    format!("image {}/{}{separator}{reference}", name.registry, name.repository)
}

fn accept(indexes: bool) -> HeaderMap {
    let types = if indexes { MANIFESTS_AND_INDEXES } else { MANIFESTS };
    HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(types))])
}

/// The digest that a registry announces; `None` also of one that is not SHA-256, which says
/// nothing that could be compared.
fn announced(subject: Subject<'_>, headers: &HeaderMap) -> Result<Option<Digest>> {
    let Some(value) = headers.get("docker-content-digest") else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    match text.parse() {
        Ok(digest) => Ok(Some(digest)),
        Err(_) if text.starts_with("sha512:") => Ok(None),
        Err(_) => Err(subject.protocol("announces what is no digest")),
    }
}
