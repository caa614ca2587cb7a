//! Resource limits as text: `SOFT:HARD`, `BOTH`, `unlimited`.

use std::fmt;
use std::str::FromStr;

use super::nearest::nearest;
use super::pod::Ulimit;
use super::value::ValueError;

/// The resources of getrlimit(2), in lower case without `RLIMIT_`.
pub const NAMES: [&str; 16] = [
    "as",
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// Checks the name of a resource.
///
/// # Errors
/// It is none of [`NAMES`].
pub fn check_name(name: &str) -> Result<(), ValueError> {
    if NAMES.contains(&name) {
        return Ok(());
    }
    let near = nearest(name.trim_start_matches("RLIMIT_"), NAMES);
    let help = near.map(|near| format!("did you mean \"{near}\"?"));
    Err(ValueError::new("ulimit", name, "is not known").with_help(help))
}

impl FromStr for Ulimit {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let error = |problem: &str| ValueError::new("ulimit", text, problem);
        let limit = |text: &str| match text {
            "unlimited" => Ok(None),
            _ if text.bytes().all(|c| c.is_ascii_digit()) => {
                // RLIM_INFINITY is the largest number.
                text.parse()
                    .map(|limit| Some(limit).filter(|limit| *limit != u64::MAX))
                    .map_err(|_| error("is not numbers or \"unlimited\""))
            }
            _ => Err(error("is not numbers or \"unlimited\"")),
        };
        let (soft, hard) = text.split_once(':').unwrap_or((text, text));
        let (soft, hard) = (limit(soft)?, limit(hard)?);
        if soft.unwrap_or(u64::MAX) > hard.unwrap_or(u64::MAX) {
            return Err(error("has a soft limit above its hard limit"));
        }
        Ok(Self { soft, hard })
    }
}

impl fmt::Display for Ulimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |limit: Option<u64>| limit.map_or("unlimited".to_owned(), |n| n.to_string());
        if self.soft == self.hard {
            return f.pad(&text(self.soft));
        }
        f.pad(&format!("{}:{}", text(self.soft), text(self.hard)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_and_shown() {
        for (text, soft, hard, shown) in [
            ("1024:4096", Some(1024), Some(4096), "1024:4096"),
            ("1024", Some(1024), Some(1024), "1024"),
            ("0:unlimited", Some(0), None, "0:unlimited"),
            ("unlimited", None, None, "unlimited"),
            ("18446744073709551615", None, None, "unlimited"),
        ] {
            let limit = Ulimit { soft, hard };
            assert_eq!(text.parse(), Ok(limit));
            assert_eq!(limit.to_string(), shown);
        }
    }

    #[test]
    fn what_is_not_a_limit_is_refused() {
        for text in
            ["", ":", "1:", "-1", "+1", "2:1", "unlimited:1", "1:2:3", "18446744073709551616"]
        {
            assert!(text.parse::<Ulimit>().is_err(), "{text}");
        }
        assert!(check_name("nofile").is_ok());
        let error = check_name("nofiles").unwrap_err();
        assert_eq!(error.to_string(), r#"ulimit "nofiles" is not known"#);
        assert_eq!(error.help(), Some(r#"did you mean "nofile"?"#));
    }
}
