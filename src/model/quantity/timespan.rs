//! Time spans.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::decimal::Decimal;
use crate::model::value::ValueError;

/// A time span as people write it: `1h30m`, `90s`, `1.5s`, `500ms`.
///
/// The unit is never left out. The longest is 584 years: what a `u64` of nanoseconds holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timespan(pub Duration);

/// The units in nanoseconds, largest first.
const UNITS: [(&str, u64); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

impl FromStr for Timespan {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let error = |problem: &str| ValueError::new("duration", text, problem);
        if text.starts_with('-') {
            return Err(error("is negative"));
        }
        let mut total = 0u64;
        let mut rest = text;
        while !rest.is_empty() || text.is_empty() {
            let is_number = |c: char| c.is_ascii_digit() || c == '.';
            let (number, tail) = rest.split_at(rest.find(|c| !is_number(c)).unwrap_or(rest.len()));
            let number = Decimal::parse(number)
                .ok_or_else(|| error("is not numbers with units, like 1h30m"))?;
            let (unit, tail) = tail.split_at(tail.find(is_number).unwrap_or(tail.len()));
            if unit.is_empty() {
                return Err(error("has no unit")
                    .with_help(Some("units are h, m, s, ms, us, ns".to_owned())));
            }
            let Some((_, nanoseconds)) = UNITS.iter().find(|(name, _)| *name == unit) else {
                return Err(error("has an unknown unit")
                    .with_help(Some("units are h, m, s, ms, us, ns".to_owned())));
            };
            total = number
                .times(*nanoseconds)
                .and_then(|part| total.checked_add(part))
                .ok_or_else(|| error("is too long, or finer than a nanosecond"))?;
            rest = tail;
        }
        Ok(Self(Duration::from_nanos(total)))
    }
}

impl fmt::Display for Timespan {
    /// Writes the shorter of `1h30m` and `90m`: of all units together, and of one alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.0.as_nanos();
        if total == 0 {
            return f.pad("0s");
        }
        let mut rest = total;
        let mut parts = Vec::new();
        for (name, unit) in UNITS.map(|(name, unit)| (name, u128::from(unit))) {
            if rest >= unit {
                parts.push(format!("{}{name}", rest / unit));
                rest %= unit;
            }
        }
        let mixed = parts.concat();
        let whole = UNITS.iter().find(|(_, unit)| total.is_multiple_of(u128::from(*unit)));
        let single = whole.map(|(name, unit)| format!("{}{name}", total / u128::from(*unit)));
        f.pad(&single.filter(|single| single.len() <= mixed.len()).unwrap_or(mixed))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn time_spans_are_read_and_shown() {
        for (text, milliseconds, shown) in [
            ("0s", 0, "0s"),
            ("1h30m", 5_400_000, "90m"),
            ("60s", 60_000, "1m"),
            ("90s", 90_000, "90s"),
            ("1.5s", 1500, "1500ms"),
            ("500ms", 500, "500ms"),
            ("3600001ms", 3_600_001, "1h1ms"),
        ] {
            let expected = Duration::from_millis(milliseconds);
            assert_eq!(text.parse(), Ok(Timespan(expected)), "{text}");
            assert_eq!(Timespan(expected).to_string(), shown);
        }
    }

    #[test]
    fn what_is_not_a_time_span_is_refused() {
        for (text, problem) in [
            ("", "is not numbers with units, like 1h30m"),
            ("s", "is not numbers with units, like 1h30m"),
            ("1h x", "has an unknown unit"),
            ("30", "has no unit"),
            ("5 minutes", "has an unknown unit"),
            ("-1s", "is negative"),
            ("0.5ns", "is too long, or finer than a nanosecond"),
            ("9999999h", "is too long, or finer than a nanosecond"),
            ("5000000h1000000h", "is too long, or finer than a nanosecond"),
        ] {
            let message = format!("duration {text:?} {problem}");
            assert_eq!(text.parse::<Timespan>().unwrap_err().to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn every_time_span_reads_back(nanoseconds: u64, shift in 0u32..64) {
            let span = Timespan(Duration::from_nanos(nanoseconds >> shift));
            prop_assert_eq!(span.to_string().parse(), Ok(span));
        }
    }
}
