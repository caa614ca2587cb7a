//! Where an image is asked for: the mirrors of its registry, then the registry.

use ureq::http::Uri;
use ureq::http::uri::Authority;

use super::error::{Error, Result};
use crate::model::image_name::ImageName;
use crate::model::settings::RegistrySettings;

/// The host that serves the images of `docker.io`.
const DOCKER_HUB: &str = "registry-1.docker.io";

/// A repository in a registry or in a mirror of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// The registry as people name it, which credentials are looked up by.
    pub(super) registry: String,
    /// The repository, with the prefix that a mirror has.
    pub(super) repository: String,
    /// Whether it is spoken to over plain HTTP.
    pub(super) insecure: bool,
}

impl Endpoint {
    /// The endpoint `repository` of `registry`; an empty repository is the registry itself.
    pub(super) fn new(settings: &RegistrySettings, registry: &str, repository: String) -> Self {
        let insecure = settings.insecure.contains(registry);
        Self { registry: registry.to_owned(), repository, insecure }
    }

    /// The address of `path` (`manifests/latest`) in the repository.
    pub(super) fn url(&self, path: &str) -> std::result::Result<Uri, ureq::http::Error> {
        let scheme = if self.insecure { "http" } else { "https" };
        let host = if self.registry == "docker.io" { DOCKER_HUB } else { &self.registry };
        let path = if self.repository.is_empty() {
            "/v2/".to_owned()
        } else {
            format!("/v2/{}/{path}", self.repository)
        };
        Uri::builder().scheme(scheme).authority(host).path_and_query(path).build()
    }
}

/// The places to ask for `name`, in order; the last one is its own registry.
pub(super) fn of(settings: &RegistrySettings, name: &ImageName) -> Vec<Endpoint> {
    let mirrors = settings.mirrors.get(&name.registry).into_iter().flatten();
    let mut endpoints: Vec<Endpoint> = mirrors
        .map(|mirror| {
            let (host, prefix) = split(mirror);
            let separator = if prefix.is_empty() { "" } else { "/" };
            let repository = format!("{prefix}{separator}{}", name.repository);
            Endpoint::new(settings, host, repository)
        })
        .collect();
    endpoints.push(Endpoint::new(settings, &name.registry, name.repository.clone()));
    endpoints
}

/// Fails if a mirror of the settings is not `host[:port][/prefix]`.
pub(super) fn check(settings: &RegistrySettings) -> Result<()> {
    let is_mirror = |mirror: &str| {
        let (host, prefix) = split(mirror);
        let is_host = host.parse::<Authority>().is_ok_and(|host| !host.as_str().contains('@'));
        let is_plain = |c: u8| c.is_ascii_alphanumeric() || b"._-".contains(&c);
        let is_part = |part: &str| part.bytes().all(is_plain) && !matches!(part, "" | "." | "..");
        is_host && (prefix.is_empty() || prefix.split('/').all(is_part))
    };
    match settings.mirrors.values().flatten().find(|mirror| !is_mirror(mirror)) {
        Some(mirror) => Err(Error::Mirror { mirror: mirror.clone() }),
        None => Ok(()),
    }
}

fn split(mirror: &str) -> (&str, &str) {
    let (host, prefix) = mirror.split_once('/').unwrap_or((mirror, ""));
    (host, prefix.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_come_first() {
        let mut settings = RegistrySettings::default();
        settings.insecure.insert("mirror:5000".to_owned());
        let mirrors = vec!["mirror:5000/hub/".to_owned(), "other.example".to_owned()];
        settings.mirrors.insert("docker.io".to_owned(), mirrors);
        check(&settings).unwrap();
        let urls: Vec<String> = of(&settings, &ImageName::parse("nginx").unwrap())
            .iter()
            .map(|endpoint| endpoint.url("manifests/1").unwrap().to_string())
            .collect();
        assert_eq!(
            urls,
            [
                "http://mirror:5000/v2/hub/library/nginx/manifests/1",
                "https://other.example/v2/library/nginx/manifests/1",
                "https://registry-1.docker.io/v2/library/nginx/manifests/1",
            ]
        );
    }

    #[test]
    fn mirrors_are_hosts_with_a_prefix() {
        for bad in ["", "/x", "https://mirror", "user@mirror", "mirror/a/../b", "mirror/a?b", "a b"]
        {
            let mut settings = RegistrySettings::default();
            settings.mirrors.insert("docker.io".to_owned(), vec![bad.to_owned()]);
            assert!(check(&settings).is_err(), "{bad}");
        }
    }
}
