//! Signals by name and number.

use std::fmt;
use std::str::FromStr;

use super::nearest::nearest;
use super::value::ValueError;

/// A signal, as in signal(7). Written as `TERM`, `SIGTERM`, `15` or `RTMIN+3`, shown as `TERM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal(i32);

/// The standard signals of Linux on x86 and ARM, in the order of their numbers, from 1.
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
    "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// Other names that people know some of them by.
const ALIASES: [(&str, &str); 3] = [("IOT", "ABRT"), ("CLD", "CHLD"), ("POLL", "IO")];

/// The first and the last real-time signal, as the C libraries count: they keep 32 and 33.
const REAL_TIME: (i32, i32) = (34, 64);

impl Signal {
    /// The number that kill(2) takes.
    pub fn number(self) -> i32 {
        self.0
    }

    /// The signal with this number: 1 to 31, or 34 to 64.
    pub fn from_number(number: i32) -> Option<Self> {
        let known = (1..=31).contains(&number) || (REAL_TIME.0..=REAL_TIME.1).contains(&number);
        known.then_some(Self(number))
    }

    fn from_name(name: &str) -> Option<Self> {
        let alias = ALIASES.iter().find(|(alias, _)| *alias == name);
        let name = alias.map_or(name, |(_, name)| *name);
        let number = match NAMES.iter().position(|known| *known == name) {
            Some(position) => i32::try_from(position).ok()? + 1,
            None => {
                let (base, offset) = match name.split_at_checked(5)? {
                    ("RTMIN", offset) => (REAL_TIME.0, offset),
                    ("RTMAX", offset) => (REAL_TIME.1, offset),
                    _ => return None,
                };
                let number = base + if offset.is_empty() { 0 } else { offset.parse().ok()? };
                if number < REAL_TIME.0 {
                    return None;
                }
                number
            }
        };
        Self::from_number(number)
    }
}

impl FromStr for Signal {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        let known = match text.parse() {
            Ok(number) => Self::from_number(number),
            Err(_) => Self::from_name(name),
        };
        known.ok_or_else(|| {
            let help = nearest(name, NAMES).map(|near| format!("did you mean \"{near}\"?"));
            ValueError::new("signal", text, "is not known").with_help(help)
        })
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = usize::try_from(self.0 - 1).ok().and_then(|index| NAMES.get(index));
        match (name, self.0 - REAL_TIME.0) {
            (Some(name), _) => f.pad(name),
            (None, 0) => f.pad("RTMIN"),
            (None, offset) => f.pad(&format!("RTMIN+{offset}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_read_and_shown() {
        for (text, number, shown) in [
            ("TERM", 15, "TERM"),
            ("SIGTERM", 15, "TERM"),
            ("sigint", 2, "INT"),
            ("9", 9, "KILL"),
            ("IOT", 6, "ABRT"),
            ("SYS", 31, "SYS"),
            ("RTMIN", 34, "RTMIN"),
            ("SIGRTMIN+3", 37, "RTMIN+3"),
            ("RTMAX-1", 63, "RTMIN+29"),
            ("64", 64, "RTMIN+30"),
        ] {
            let signal: Signal = text.parse().unwrap();
            assert_eq!((signal.number(), signal.to_string().as_str()), (number, shown), "{text}");
            assert_eq!(shown.parse(), Ok(signal));
        }
    }

    #[test]
    fn what_is_not_a_signal_is_refused() {
        for text in ["", "0", "32", "33", "65", "-1", "TERN", "RTMIN+31", "RTMIN-1", "RTMAX+1", "é"]
        {
            assert!(text.parse::<Signal>().is_err(), "{text}");
        }
        let error = "SIGTREM".parse::<Signal>().unwrap_err();
        assert_eq!(error.to_string(), r#"signal "SIGTREM" is not known"#);
        assert_eq!(error.help(), Some(r#"did you mean "TERM"?"#));
    }
}
