//! Checks of free texts: what they may not have, because of where they end up.

use super::limits::MAX_ARGUMENT;
use crate::model::value::{ValueError, has_control};

/// What the others return: what is wrong with `text`, which is a `what`.
fn verdict(what: &str, text: &str, problems: &[(bool, &str)]) -> Result<(), ValueError> {
    match problems.iter().find(|(found, _)| *found) {
        Some((_, problem)) => Err(ValueError::new(what, text, problem)),
        None => Ok(()),
    }
}

/// A host name: labels of RFC 1123 with dots between, as long as the kernel takes (uname(2)).
pub(super) fn hostname(text: &str) -> Result<(), ValueError> {
    let bad_label = |label: &str| {
        label.is_empty()
            || label.starts_with('-')
            || label.ends_with('-')
            || !label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
    };
    verdict(
        "hostname",
        text,
        &[
            (text.len() > 64, "is longer than 64 characters"),
            (
                text.split('.').any(bad_label),
                "may only have letters, digits and -, with single dots between",
            ),
        ],
    )
}

/// A host name for `/etc/hosts`, which has one a word and a comment after `#`.
pub(super) fn host(text: &str) -> Result<(), ValueError> {
    dotted("host name", text)
}

/// A domain in which host names are looked for.
pub(super) fn domain(text: &str) -> Result<(), ValueError> {
    dotted("domain", text)
}

/// A name of the DNS. Underscores are no part of a host name by RFC 1123, and common all the same.
fn dotted(what: &str, text: &str) -> Result<(), ValueError> {
    let good = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
    let bad_label = |label: &str| label.is_empty() || !label.bytes().all(good);
    verdict(
        what,
        text,
        &[
            (text.len() > 253, "is longer than 253 characters"),
            (
                text.split('.').any(bad_label),
                "may only have letters, digits, - and _, with single dots between",
            ),
        ],
    )
}

/// The name of a network interface. The kernel refuses some of what is refused here, takes `%` for
/// a pattern of which it makes a name, and has directories of two such names below `/proc/sys/net`
/// that stand for all interfaces and for those to come.
pub(super) fn interface(text: &str) -> Result<String, ValueError> {
    let good = |c: u8| c.is_ascii_graphic() && !matches!(c, b'/' | b':' | b'%');
    verdict(
        "interface name",
        text,
        &[
            (text.is_empty(), "is empty"),
            (text.len() > 15, "is longer than 15 characters"),
            (
                !text.bytes().all(good),
                "may only have printable ASCII characters, without /, : and %",
            ),
            (matches!(text, "." | ".."), "is the name of a directory"),
            (matches!(text, "all" | "default"), "means something else to the kernel"),
            (text == "lo", "is that of the loopback"),
        ],
    )?;
    Ok(text.to_owned())
}

/// `USER` or `USER:GROUP`. Numbers end at 2³¹-1, so that none is ever cut down to another.
pub(super) fn user(text: &str) -> Result<(), ValueError> {
    let parts: Vec<&str> = text.split(':').collect();
    let odd = |c: char| c.is_control() || c.is_whitespace() || c == '/';
    let is_number = |part: &str| part.bytes().all(|c| c.is_ascii_digit());
    verdict(
        "user",
        text,
        &[
            (
                parts.len() > 2 || parts.iter().any(|part| part.is_empty()),
                "is not USER or USER:GROUP",
            ),
            (text.contains(odd), "has spaces, slashes or control characters"),
            (text.len() > 255, "is longer than 255 characters"),
            (
                parts.iter().any(|part| is_number(part) && part.parse::<i32>().is_err()),
                "has a number above 2147483647",
            ),
        ],
    )
}

/// The name of a label.
pub(super) fn label_name(text: &str) -> Result<(), ValueError> {
    let odd = |c: char| c.is_control() || c.is_whitespace() || c == '=';
    verdict(
        "label name",
        text,
        &[
            (text.is_empty(), "is empty"),
            (text.contains(odd), "has spaces, = or control characters"),
            (text.len() > 255, "is longer than 255 characters"),
        ],
    )
}

/// The value of a label.
pub(super) fn label_value(text: &str) -> Result<String, ValueError> {
    verdict(
        "label",
        text,
        &[
            (has_control(text), "has control characters"),
            (text.len() > 4096, "is longer than 4096 bytes"),
        ],
    )?;
    Ok(text.to_owned())
}

/// The name of an environment variable.
pub(super) fn env_name(text: &str) -> Result<(), ValueError> {
    verdict(
        "environment variable",
        text,
        &[
            (text.is_empty(), "has no name"),
            (text.contains('='), "has = in its name"),
            (has_control(text), "has control characters in its name"),
            (text.len() > 4096, "has a name longer than 4096 bytes"),
        ],
    )
}

/// The value of an environment variable.
pub(super) fn env_value(text: &str) -> Result<String, ValueError> {
    verdict(
        "environment value",
        text,
        &[
            (text.contains('\0'), "has a NUL"),
            (text.len() > MAX_ARGUMENT - 4097, "is longer than execve takes"),
        ],
    )?;
    Ok(text.to_owned())
}

/// An argument of a program.
pub(super) fn argument(text: &str) -> Result<String, ValueError> {
    verdict(
        "argument",
        text,
        &[
            (text.contains('\0'), "has a NUL"),
            (text.len() > MAX_ARGUMENT, "is longer than execve takes"),
        ],
    )?;
    Ok(text.to_owned())
}

/// The path of an HTTP request.
pub(super) fn http_path(text: &str) -> Result<String, ValueError> {
    verdict(
        "http path",
        text,
        &[
            (!text.starts_with('/'), "does not start with /"),
            (text.bytes().any(|c| !c.is_ascii_graphic()), "has characters that need escaping"),
            (text.len() > 4096, "is longer than 4096 bytes"),
        ],
    )?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names() {
        for good in ["web", "Web-1", "a.example.org", &"x".repeat(64)] {
            assert!(hostname(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "a..b", "-a", "a-", "a_b", "a\n", "a b", &"x".repeat(65)] {
            assert!(hostname(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_of_the_dns() {
        let long = format!("{}x", "a.".repeat(126));
        for good in ["db", "Db-1.example.org", "_dmarc.example.org", "1.2", &long] {
            assert!(host(good).is_ok() && domain(good).is_ok(), "{good}");
        }
        let long = long + "x";
        for bad in
            ["", ".", "a.", ".a", "a..b", "a b", "a\tb", "a\n", "a\0", "a#", "a:b", "é", &long]
        {
            assert!(host(bad).is_err() && domain(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_of_interfaces() {
        for good in ["tank0", "br-lan.1", "a", &"x".repeat(15)] {
            assert_eq!(interface(good).as_deref(), Ok(good));
        }
        let long = "x".repeat(16);
        for bad in [
            "", ".", "..", "a/b", "a:b", "a b", "a\tb", "a\n", "a\0", "à", "tank%d", "all",
            "default", "lo", &long,
        ] {
            assert!(interface(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn users() {
        for good in ["0", "root", "101:101", "2147483647", "www-data:adm", "a.b"] {
            assert!(user(good).is_ok(), "{good}");
        }
        for bad in
            ["", ":", "a:", ":a", "a:b:c", "a b", "a\n", "../x", "2147483648", "1:99999999999"]
        {
            assert!(user(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_and_values() {
        for bad in ["", "A=B", "A\n", "A\0"] {
            assert!(env_name(bad).is_err() && label_name(bad).is_err(), "{bad:?}");
        }
        assert!(env_name("a.b").is_ok() && label_name("a.b/c[0]").is_ok());
        assert!(env_value("two\nlines").is_ok() && env_value("a\0").is_err());
        assert!(label_value("é").is_ok() && label_value("two\nlines").is_err());
        assert!(argument("").is_ok() && argument("\0").is_err());
        assert!(argument(&"x".repeat(MAX_ARGUMENT + 1)).is_err());
        assert!(http_path("/a?b=%20").is_ok());
        for bad in ["", "a", "/a b", "/\r\n", "/é"] {
            assert!(http_path(bad).is_err(), "{bad:?}");
        }
    }
}
