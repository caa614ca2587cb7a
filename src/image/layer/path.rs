//! Paths of entries: checked as bytes before anything is looked up by them.

use crate::image::limits;

/// A path inside a layer: components without `.`, `..`, empty ones or NULs, joined by `/`. The
/// layer's root is the empty path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct EntryPath(Vec<u8>);

impl EntryPath {
    /// Takes a path as archives have it (`./a/b/`, `/a/b`). What is wrong with it is the error.
    ///
    /// `..` is refused, not resolved: no tool that makes images writes it.
    pub(super) fn parse(raw: &[u8]) -> Result<Self, &'static str> {
        if raw.is_empty() {
            return Err("has an empty path");
        }
        if raw.len() > limits::PATH_BYTES {
            return Err("has a path longer than 4096 bytes");
        }
        if raw.contains(&0) {
            return Err("has a path with a NUL");
        }
        let mut path = Vec::with_capacity(raw.len());
        let mut depth = 0;
        for component in raw.split(|byte| *byte == b'/') {
            match component {
                b"" | b"." => continue,
                b".." => return Err("has a path with \"..\""),
                _ if component.len() > limits::COMPONENT_BYTES => {
                    return Err("has a name longer than 255 bytes");
                }
                _ => {}
            }
            depth += 1;
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(component);
        }
        if depth > limits::PATH_DEPTH {
            return Err("is nested deeper than 128 directories");
        }
        Ok(Self(path))
    }

    pub(super) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The path of the directory that holds this entry, and the entry's name in it.
    pub(super) fn split(&self) -> (&[u8], &[u8]) {
        split(&self.0)
    }
}

/// Splits a checked path before its last component.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (&[], path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised() {
        for (raw, path) in [("./a//b/", "a/b"), ("/a", "a"), (".", ""), ("./", ""), ("/", "")] {
            assert_eq!(EntryPath::parse(raw.as_bytes()).unwrap().as_bytes(), path.as_bytes());
        }
        let long = "n".repeat(256);
        let deep = "d/".repeat(129);
        for bad in ["", "..", "../a", "a/../b", "a/..", "a\0b", &long, &deep, &"a/".repeat(2049)] {
            assert!(EntryPath::parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }
}
