//! Who one is to a registry: the files of credentials that Docker and Podman write, and tank's.
//!
//! The format is that of `containers-auth.json(5)`, which is Docker's `config.json` with keys that
//! may name a repository.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use docker_credential::{CredentialRetrievalError, DockerCredential};
use serde_json::Value;

use super::error::{Answer, CredentialError, Error, Result};
use crate::sys;

/// The key of Docker Hub, which is older than its name.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// The longest file of credentials, in bytes.
pub(super) const FILE_BYTES: u64 = 1 << 20;

/// The files of credentials, in the order in which they are asked.
#[derive(Debug, Clone, Default)]
pub struct CredentialFiles {
    /// tank's own, which [`store`](super::store) writes.
    pub own: PathBuf,
    /// Those of others.
    pub others: Vec<PathBuf>,
}

/// Text that is not for anybody's eyes.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes care of `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// A user and the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The name of the user.
    pub user: String,
    /// The password, or a token that stands for one.
    pub password: Secret,
}

/// What proves who one is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Credential {
    Login(Login),
    /// A refresh token of the registry's token server.
    Identity(Secret),
}

/// Which credentials were used, for messages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum CredentialSource {
    /// None: the request was anonymous.
    #[default]
    None,
    /// Those that were handed in.
    Given,
    /// Those in this file, or of the helper that it names.
    File(PathBuf),
}

impl fmt::Display for CredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("no credentials"),
            Self::Given => f.write_str("with the credentials given"),
            Self::File(file) => write!(f, "with the credentials in {}", file.display()),
        }
    }
}

/// The credentials for a repository: of the first file that has any, those of the longest key.
pub(super) fn look_up(
    files: &CredentialFiles,
    registry: &str,
    repository: &str,
) -> Result<Option<(Credential, PathBuf)>> {
    let own = (&files.own, false);
    let others = files.others.iter().map(|file| (file, true));
    for (file, follow) in std::iter::once(own).chain(others) {
        let Some(content) = read(file, follow)? else { continue };
        if let Some(credential) = find(file, &content, registry, repository)? {
            return Ok(Some((credential, file.clone())));
        }
    }
    Ok(None)
}

/// Reads a file, if it is there; a link at its end is followed only where others may have put one.
pub(super) fn read(file: &Path, follow: bool) -> Result<Option<Vec<u8>>> {
    let content = if follow {
        File::open(file)
            .map_err(|e| sys::Error::new("open", file.display().to_string(), e))
            .and_then(|open| sys::file::read_open_bounded(open, file, FILE_BYTES))
    } else {
        sys::file::read_bounded(file, FILE_BYTES)
    };
    match content {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.is_not_found() || error.is(libc::ENOTDIR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn find(
    file: &Path,
    content: &[u8],
    registry: &str,
    repository: &str,
) -> Result<Option<Credential>> {
    let document: Value = serde_json::from_slice(content)
        .map_err(|source| Error::CredentialFile { file: file.to_owned(), source })?;
    let has_key =
        |key: &String| document.get("auths").is_some_and(|auths| auths.get(key).is_some());
    let repositories = prefixes(registry, repository).into_iter().filter(has_key);
    for key in repositories.chain(keys(registry)) {
        let problem = match docker_credential::get_credential_from_reader(content, &key) {
            Ok(DockerCredential::UsernamePassword(user, password)) => {
                let password = Secret::new(password);
                return Ok(Some(Credential::Login(Login { user, password })));
            }
            Ok(DockerCredential::IdentityToken(token)) => {
                return Ok(Some(Credential::Identity(Secret::new(token))));
            }
            Err(problem) => problem,
        };
        if let Some(source) = failure(problem) {
            let registry = registry.to_owned();
            return Err(Error::Credentials { registry, file: file.to_owned(), source });
        }
    }
    Ok(None)
}

/// The registry with the parts of the repository, longest first.
fn prefixes(registry: &str, repository: &str) -> Vec<String> {
    let ends = repository.match_indices('/').map(|(at, _)| at).chain([repository.len()]);
    let mut keys: Vec<String> = ends
        .filter(|end| *end > 0)
        .map(|end| format!("{registry}/{}", &repository[..end]))
        .collect();
    keys.reverse();
    keys
}

/// The keys that mean all of a registry; the first is the one that is written.
pub(super) fn keys(registry: &str) -> Vec<String> {
    if registry == "docker.io" {
        vec![DOCKER_HUB_KEY.to_owned(), registry.to_owned()]
    } else {
        vec![registry.to_owned()]
    }
}

/// What went wrong, if it did: having no credentials is no failure.
fn failure(error: CredentialRetrievalError) -> Option<CredentialError> {
    use CredentialRetrievalError as Retrieval;
    match error {
        Retrieval::NoCredentialConfigured | Retrieval::ConfigNotFound => None,
        // What the helpers' protocol writes when it has nothing; there is no status for it.
        Retrieval::HelperFailure { stdout, .. } if stdout.contains("credentials not found") => None,
        Retrieval::HelperFailure { helper, stdout, stderr } => {
            let words = Answer::new(&format!("{} {}", stdout.trim(), stderr.trim()));
            Some(CredentialError::HelperFailed { helper, words })
        }
        Retrieval::HelperCommunicationError | Retrieval::MalformedHelperResponse => {
            Some(CredentialError::HelperUnusable)
        }
        Retrieval::CredentialDecodingError
        | Retrieval::CredentialMismatchError
        | Retrieval::ConfigReadError => Some(CredentialError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::file::{Durability, replace};

    fn files(content: &[&str]) -> (tempfile::TempDir, CredentialFiles) {
        let tmp = tempfile::tempdir().unwrap();
        let mut paths: Vec<PathBuf> =
            (0..content.len()).map(|n| tmp.path().join(n.to_string())).collect();
        for (path, content) in paths.iter().zip(content) {
            replace(path, content.as_bytes(), 0o600, Durability::Volatile).unwrap();
        }
        let own = paths.remove(0);
        (tmp, CredentialFiles { own, others: paths })
    }

    fn login(user: &str, password: &str) -> Credential {
        Credential::Login(Login { user: user.to_owned(), password: Secret::new(password) })
    }

    #[test]
    fn the_longest_key_of_the_first_file_answers() {
        // user:one, user:two, user:hub, user:own
        let (_tmp, mut files) = files(&[
            r#"{"auths":{"own.example":{"auth":"dXNlcjpvd24="}}}"#,
            r#"{"auths":{"r.example/a/b":{"auth":"dXNlcjp0d28="},"r.example":{"auth":"dXNlcjpvbmU="},
                "id.example":{"auth":"dXNlcjo=","identitytoken":"abc"}}}"#,
            r#"{"auths":{"https://index.docker.io/v1/":{"auth":"dXNlcjpodWI="},
                "https://old.example/v1/":{"auth":"dXNlcjpvbmU="},
                "r.example/a/b/c":{"auth":"dXNlcjpvbmU="}}}"#,
        ]);
        files.others.insert(0, files.own.with_file_name("missing"));
        for (registry, repository, credential, file) in [
            ("own.example", "x", login("user", "own"), "0"),
            ("r.example", "a/b/c", login("user", "two"), "1"),
            ("r.example", "a/bc", login("user", "one"), "1"),
            ("docker.io", "library/nginx", login("user", "hub"), "2"),
            ("old.example", "x", login("user", "one"), "2"),
            ("id.example", "x", Credential::Identity(Secret::new("abc")), "1"),
        ] {
            let (found, path) = look_up(&files, registry, repository).unwrap().unwrap();
            assert_eq!(found, credential, "{registry}");
            assert_eq!(path.file_name().unwrap(), file, "{registry}");
        }
        assert_eq!(look_up(&files, "r.example.evil", "a/b").unwrap(), None);
        assert_eq!(look_up(&files, "r.example:5000", "a/b").unwrap(), None);
    }

    #[test]
    fn podman_names_docker_hub_by_its_name() {
        let (_tmp, files) = files(&[r#"{"auths":{"docker.io":{"auth":"dXNlcjpodWI="}}}"#]);
        let (found, _) = look_up(&files, "docker.io", "me/app").unwrap().unwrap();
        assert_eq!(found, login("user", "hub"));
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named() {
        for content in [
            r#"{"auths":"#,
            r#"{"auths":{"r.example":{"auth":"!"}}}"#,
            r#"{"credHelpers":{"r.example":"there-is-no-such-helper"}}"#,
        ] {
            let (_tmp, files) = files(&[content]);
            let error = look_up(&files, "r.example", "a").unwrap_err().to_string();
            assert!(error.contains(files.own.to_str().unwrap()), "{error}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?}", login("me", "geheim"));
        assert!(shown.contains("me") && !shown.contains("geheim"), "{shown}");
    }
}
