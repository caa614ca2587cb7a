//! Names of images, normalised.
//!
//! The grammar is that of `oci_spec::distribution::Reference`, with which the tests compare it. It
//! is not used here because it compiles a regular expression that takes longer (70 ms) than all
//! else that starting a container does.

use std::fmt;

use super::Digest;
use super::value::ValueError;

/// The registry of names that name none.
const DEFAULT_REGISTRY: &str = "docker.io";

/// The longest repository, without its registry.
const MAX_REPOSITORY: usize = 255;

/// The longest tag.
const MAX_TAG: usize = 128;

/// The full name of an image, in its parts: `docker.io/library/nginx:latest` for `nginx`.
///
/// It has a tag, a digest, or both; where there is a digest, the tag says nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageName {
    /// The registry's host, with its port where the name gives one.
    pub registry: String,
    /// The repository in it.
    pub repository: String,
    /// The tag.
    pub tag: Option<String>,
    /// The digest of the manifest.
    pub digest: Option<Digest>,
}

impl ImageName {
    /// Reads a name, short or full.
    ///
    /// The grammar is that of the OCI distribution specification with Docker's short names.
    ///
    /// # Errors
    /// It does not follow the grammar, or names a digest other than SHA-256.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let error = |problem: &str| ValueError::new("image name", text, problem);
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        let digest: Option<Digest> = digest.map(str::parse).transpose().map_err(|_| {
            error("has a digest that is not sha256: and 64 lower-case hexadecimal digits")
        })?;
        // A colon before the last slash is that of a registry's port.
        let path_start = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match rest[path_start..].split_once(':') {
            Some((last, tag)) => (&rest[..path_start + last.len()], Some(tag)),
            None => (rest, None),
        };
        let (registry, repository) = split_registry(name);
        let is_name = is_registry(registry)
            && repository.len() <= MAX_REPOSITORY
            && repository.split('/').all(is_path_component)
            && tag.is_none_or(is_tag);
        if !is_name {
            let upper = repository.bytes().any(|c| c.is_ascii_uppercase());
            let help = upper.then(|| "repository names are lower case".to_owned());
            let problem = "is not a reference like docker.io/library/nginx:1.27";
            return Err(error(problem).with_help(help));
        }
        let official = registry == DEFAULT_REGISTRY && !repository.contains('/');
        let library = if official { "library/" } else { "" };
        let tag = tag.or(digest.is_none().then_some("latest"));
        Ok(Self {
            registry: registry.to_owned(),
            repository: format!("{library}{repository}"),
            tag: tag.map(str::to_owned),
            digest,
        })
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

/// The full name of an image, as [`ImageName`] writes it.
///
/// # Errors
/// Those of [`ImageName::parse`].
pub fn normalise(text: &str) -> Result<String, ValueError> {
    Ok(ImageName::parse(text)?.to_string())
}

/// The name of a registry alone, as [`ImageName`] has it: `registry.example:5000`.
///
/// # Errors
/// It is no host with or without a port, or one that no image name can mean.
pub fn registry(text: &str) -> Result<String, ValueError> {
    if is_registry(text) && looks_like_a_host(text) {
        return Ok(canonical_registry(text).to_owned());
    }
    let help = match text.split_once("://") {
        Some((_, rest)) => Some(format!("write it without its scheme: \"{rest}\"")),
        None if is_registry(text) => Some("a host has a dot or a port, or is localhost".to_owned()),
        None => None,
    };
    let problem = "is not a registry like docker.io or registry.example:5000";
    Err(ValueError::new("registry", text, problem).with_help(help))
}

/// A mirror: a registry, and the beginning of the names in it where they have one in common.
///
/// # Errors
/// Its registry is none, or what follows cannot begin a repository.
pub fn mirror(text: &str) -> Result<String, ValueError> {
    let (host, prefix) = match text.split_once('/') {
        Some((host, prefix)) if !host.ends_with(':') => (host, Some(prefix)),
        _ => (text, None),
    };
    let host = registry(host).or_else(|_| registry(text))?;
    match prefix {
        None => Ok(host),
        Some(prefix) if prefix.split('/').all(is_path_component) => Ok(format!("{host}/{prefix}")),
        Some(_) => {
            let problem = "is not a mirror like mirror.example:5000 or mirror.example/hub";
            Err(ValueError::new("mirror", text, problem))
        }
    }
}

/// Splits off what is before the first slash, if it looks like a host and not like a directory.
fn split_registry(name: &str) -> (&str, &str) {
    match name.split_once('/') {
        Some((host, rest)) if looks_like_a_host(host) => (canonical_registry(host), rest),
        _ => (DEFAULT_REGISTRY, name),
    }
}

fn looks_like_a_host(text: &str) -> bool {
    text.contains(['.', ':']) || text == "localhost"
}

/// One name for the registry that has two.
fn canonical_registry(host: &str) -> &str {
    if host == "index.docker.io" { DEFAULT_REGISTRY } else { host }
}

/// A host name, and a port where it has one.
fn is_registry(text: &str) -> bool {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
    };
    let is_port = |port: &str| {
        port.bytes().all(|c| c.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    host.split('.').all(is_label) && port.is_none_or(is_port)
}

/// Lower-case letters and digits, with `.`, `_`, `__` or any number of `-` between.
fn is_path_component(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_separator =
        |run: &str| matches!(run, "" | "." | "_" | "__") || run.bytes().all(|c| c == b'-');
    text.starts_with(is_plain) && text.ends_with(is_plain) && text.split(is_plain).all(is_separator)
}

fn is_tag(text: &str) -> bool {
    let is_word = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
    text.len() <= MAX_TAG
        && text.bytes().next().is_some_and(is_word)
        && text.bytes().all(|c| is_word(c) || matches!(c, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use oci_spec::distribution::Reference;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_completed() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        for (text, full) in [
            ("nginx", "docker.io/library/nginx:latest".to_owned()),
            ("nginx:1.27", "docker.io/library/nginx:1.27".to_owned()),
            ("me/app", "docker.io/me/app:latest".to_owned()),
            ("index.docker.io/nginx", "docker.io/library/nginx:latest".to_owned()),
            ("localhost:5000/app:7", "localhost:5000/app:7".to_owned()),
            (&format!("ghcr.io/a/b@{digest}"), format!("ghcr.io/a/b@{digest}")),
            (&format!("a:1@{digest}"), format!("docker.io/library/a:1@{digest}")),
        ] {
            assert_eq!(normalise(text).as_deref(), Ok(full.as_str()));
            assert_eq!(normalise(&full).as_deref(), Ok(full.as_str()));
        }
    }

    #[test]
    fn what_is_not_a_name_is_refused() {
        let upper = format!("a@sha256:{}", "AB".repeat(32));
        let sha512 = format!("a@sha512:{}", "ab".repeat(64));
        for bad in ["", " nginx", "NGINX", "a/../b", "a\n", "http://a/b", &upper, &sha512] {
            assert!(normalise(bad).is_err(), "{bad}");
        }
        assert_eq!(normalise("NGINX").unwrap_err().help(), Some("repository names are lower case"));
    }

    #[test]
    fn registries_stand_alone() {
        for (text, name) in [
            ("docker.io", "docker.io"),
            ("index.docker.io", "docker.io"),
            ("localhost", "localhost"),
            ("registry.example:5000", "registry.example:5000"),
        ] {
            assert_eq!(registry(text).as_deref(), Ok(name));
            assert_eq!(mirror(text).as_deref(), Ok(name));
            assert_eq!(mirror(&format!("{text}/a/b")), Ok(format!("{name}/a/b")));
        }
        for bad in ["", "registry", "https://a.example", "a.example/", "a.example:0", "a b", "é.x"]
        {
            assert!(registry(bad).is_err() && mirror(bad).is_err(), "{bad}");
        }
        let scheme = registry("https://a.example").unwrap_err();
        assert_eq!(scheme.help(), Some("write it without its scheme: \"a.example\""));
        assert_eq!(mirror("https://a.example").unwrap_err(), scheme);
    }

    fn reference(text: &str) -> Option<String> {
        text.parse().ok().map(|reference: Reference| reference.whole())
    }

    proptest! {
        #[test]
        fn names_are_understood_as_others_do(
            registry in "(([a-z]{1,3}(\\.[a-z0-9]{1,2})?|localhost|index\\.docker\\.io)(:[1-9][0-9]{0,3})?/)?",
            path in "([a-z0-9]{1,3}/){0,2}[a-z0-9]{1,3}(([._]|__|-{1,3})[a-z0-9]{1,2}){0,2}",
            tag in "(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,3})?(@sha256:[0-9a-f]{64})?",
        ) {
            let text = format!("{registry}{path}{tag}");
            prop_assert_eq!(normalise(&text).ok(), reference(&text));
        }

        #[test]
        fn nothing_is_accepted_that_others_refuse(text in "[ab0AB.:/@_-]{1,12}") {
            if let Ok(name) = normalise(&text) {
                prop_assert_eq!(Some(name), reference(&text));
            }
        }
    }
}
