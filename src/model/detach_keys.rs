//! The keys that leave a session on a terminal, as people of docker and podman write them.

use std::fmt;
use std::str::FromStr;

use super::ValueError;

/// What disables them.
const NONE: &str = "none";

/// The characters that a control key has beside the letters, in the order of their codes from 27.
const SYMBOLS: &[u8] = b"[\\]^_";

/// The most keys: more are a mistake, and nobody types them by heart.
const MOST: usize = 32;

/// A sequence of keys: `key` or `key,key`..., each a character, `ctrl-` and one of `@`, a letter,
/// `[`, `\`, `]`, `^` or `_`, or `DEL`. `none`, and nothing, disable leaving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetachKeys(Vec<u8>);

impl DetachKeys {
    /// No keys: nothing that is typed leaves the session.
    pub const NONE: Self = Self(Vec::new());

    /// The keys as bytes that a terminal sends for them.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether there are no keys.
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }
}

impl Default for DetachKeys {
    /// `ctrl-p,ctrl-q`
    fn default() -> Self {
        Self(vec![16, 17])
    }
}

impl FromStr for DetachKeys {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text.is_empty() || text == NONE {
            return Ok(Self::NONE);
        }
        let wrong = |problem: &str| {
            let help = "write keys such as \"ctrl-p,ctrl-q\", or \"none\"".to_owned();
            ValueError::new("detach keys", text, problem).with_help(Some(help))
        };
        let keys = text.split(',').map(key).collect::<Option<Vec<_>>>().ok_or_else(|| {
            wrong("has a part that is no character, ctrl- with a letter or one of @[\\]^_, or DEL")
        })?;
        match keys.len() {
            0..=MOST => Ok(Self(keys)),
            _ => Err(wrong("has too many keys")),
        }
    }
}

fn key(text: &str) -> Option<u8> {
    if let Some(name) = text.strip_prefix("ctrl-") {
        let &[name] = name.as_bytes() else { return None };
        return match name {
            b'@' => Some(0),
            b'a'..=b'z' => Some(name - b'a' + 1),
            _ => {
                let place = SYMBOLS.iter().position(|symbol| *symbol == name)?;
                u8::try_from(27 + place).ok()
            }
        };
    }
    match text.as_bytes() {
        b"DEL" => Some(127),
        [key] if key.is_ascii_graphic() || *key == b' ' => Some(*key),
        _ => None,
    }
}

impl fmt::Display for DetachKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() {
            return f.write_str(NONE);
        }
        for (place, key) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(",")?;
            }
            match key {
                0 => f.write_str("ctrl-@")?,
                1..=26 => write!(f, "ctrl-{}", char::from(b'a' + key - 1))?,
                27..=31 => write!(f, "ctrl-{}", char::from(SYMBOLS[usize::from(key - 27)]))?,
                127 => f.write_str("DEL")?,
                key => write!(f, "{}", char::from(*key))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_docker_reads_them() {
        for (text, bytes) in [
            ("ctrl-p,ctrl-q", &[16, 17][..]),
            ("ctrl-@", &[0]),
            ("ctrl-a,a", &[1, b'a']),
            ("ctrl-z", &[26]),
            ("ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_", &[27, 28, 29, 30, 31]),
            ("DEL", &[127]),
            ("~,.", b"~."),
            ("none", &[]),
            ("", &[]),
        ] {
            let keys: DetachKeys = text.parse().unwrap();
            assert_eq!(keys.bytes(), bytes, "{text}");
            assert_eq!(keys.to_string().parse(), Ok(keys), "{text}");
        }
        assert_eq!(DetachKeys::default(), "ctrl-p,ctrl-q".parse().unwrap());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["ctrl-", "ctrl-P", "ctrl-pp", "Ctrl-p", "ab", ",", "a,", "a,,b", "é", "\n"] {
            let error = text.parse::<DetachKeys>().unwrap_err();
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
        assert!(vec!["a"; MOST + 1].join(",").parse::<DetachKeys>().is_err());
    }
}
