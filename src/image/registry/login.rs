//! tank's own file of credentials.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::credentials::{self, Login};
use super::error::{CredentialError, Error, Result};
use crate::sys::file::{Durability, replace};

/// Writes `login` as the credentials for `registry` to the file `path`, for nobody but its owner.
/// What else is in the file stays.
///
/// # Errors
/// The file is not one of credentials, or cannot be read or written.
pub fn store(path: &Path, registry: &str, login: &Login) -> Result<()> {
    let mut document = read(path)?.unwrap_or_default();
    let auths = auths(path, registry, &mut document)?;
    let [key, others @ ..] = &credentials::keys(registry)[..] else { return Ok(()) };
    for other in others {
        auths.remove(other);
    }
    auths.insert(key.clone(), json!({ "auth": basic(login) }));
    write(path, &document)
}

/// Removes the credentials for `registry` from the file `path`; `false` if there were none.
///
/// # Errors
/// The file is not one of credentials, or cannot be read or written.
pub fn remove(path: &Path, registry: &str) -> Result<bool> {
    let Some(mut document) = read(path)? else { return Ok(false) };
    let auths = auths(path, registry, &mut document)?;
    let before = auths.len();
    for key in credentials::keys(registry) {
        auths.remove(&key);
    }
    if auths.len() == before {
        return Ok(false);
    }
    write(path, &document)?;
    Ok(true)
}

/// A login as the `Basic` scheme has it (RFC 7617).
pub(super) fn basic(login: &Login) -> String {
    STANDARD.encode(format!("{}:{}", login.user, login.password.reveal()))
}

fn read(path: &Path) -> Result<Option<Map<String, Value>>> {
    let Some(content) = credentials::read(path, false)? else { return Ok(None) };
    let document = serde_json::from_slice(&content)
        .map_err(|source| Error::CredentialFile { file: path.to_owned(), source })?;
    Ok(Some(document))
}

fn auths<'a>(
    path: &Path,
    registry: &str,
    document: &'a mut Map<String, Value>,
) -> Result<&'a mut Map<String, Value>> {
    let auths = document.entry("auths").or_insert_with(|| json!({}));
    auths.as_object_mut().ok_or_else(|| Error::Credentials {
        registry: registry.to_owned(),
        file: path.to_owned(),
        source: CredentialError::Malformed,
    })
}

fn write(path: &Path, document: &Map<String, Value>) -> Result<()> {
    let mut content = format!("{:#}", Value::Object(document.clone()));
    content.push('\n');
    Ok(replace(path, content.as_bytes(), 0o600, Durability::Durable)?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::credentials::{Credential, CredentialFiles, Secret, look_up};
    use super::*;

    #[test]
    fn logins_are_stored_and_removed_and_the_rest_stays() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("auth.json");
        assert!(!remove(&path, "r.example").unwrap());
        let text = r#"{"auths":{"docker.io":{"auth":"eDp5"},"x":{"auth":"eDp5"}},"other":[1]}"#;
        replace(&path, text.as_bytes(), 0o644, Durability::Volatile).unwrap();
        let login = Login { user: "me".to_owned(), password: Secret::new("a:b") };
        for registry in ["docker.io", "r.example:5000"] {
            store(&path, registry, &login).unwrap();
            let files = CredentialFiles { own: path.clone(), others: Vec::new() };
            let found = look_up(&files, registry, "a").unwrap().unwrap();
            assert_eq!(found, (Credential::Login(login.clone()), path.clone()));
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
            assert!(remove(&path, registry).unwrap());
            assert!(!remove(&path, registry).unwrap());
            assert_eq!(look_up(&files, registry, "a").unwrap(), None);
        }
        let left: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(left, json!({"auths": {"x": {"auth": "eDp5"}}, "other": [1]}));
    }

    #[test]
    fn a_file_of_something_else_is_not_overwritten() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("auth.json");
        let login = Login { user: "me".to_owned(), password: Secret::new("x") };
        for text in ["[]", "hello", r#"{"auths":[]}"#] {
            replace(&path, text.as_bytes(), 0o600, Durability::Volatile).unwrap();
            assert!(store(&path, "r.example", &login).is_err());
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }
}
