//! Sizes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::decimal::Decimal;
use crate::model::value::ValueError;

/// A size in bytes. Written as `256MiB`, `1GiB`, `64KiB`, `1500000` (bytes), `1.5GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

/// The units that a size is shown in, largest first, binary before decimal.
const UNITS: [(&str, u64); 8] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
];

/// The bytes in a unit. Both `Gi` and `GiB`, both `G` and `GB`; no letter for a byte is a byte.
fn unit_size(unit: &str) -> Option<u64> {
    match unit {
        "" | "B" => Some(1),
        _ => UNITS
            .iter()
            .find(|(name, _)| *name == unit || name.strip_suffix('B') == Some(unit))
            .map(|(_, size)| *size),
    }
}

impl FromStr for Bytes {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let error = |problem: &str| ValueError::new("size", text, problem);
        if text.starts_with('-') {
            return Err(error("is negative"));
        }
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let Some(size) = unit_size(unit.trim_start()) else {
            return Err(error("has an unknown unit").with_help(Some(
                "units are KiB, MiB, GiB, TiB (powers of 1024) and kB, MB, GB, TB (powers of 1000)"
                    .to_owned(),
            )));
        };
        let number = Decimal::parse(number).ok_or_else(|| error("is not a number and a unit"))?;
        let bytes = number.times(size);
        bytes.map(Self).ok_or_else(|| error("is too large, or not a whole number of bytes"))
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.iter().find(|(_, size)| self.0 >= *size && self.0.is_multiple_of(*size)) {
            Some((unit, size)) => f.pad(&format!("{}{unit}", self.0 / size)),
            None => f.pad(&self.0.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_are_read_and_shown() {
        for (text, bytes, shown) in [
            ("0", 0, "0"),
            ("1500000", 1_500_000, "1500kB"),
            ("1500001B", 1_500_001, "1500001"),
            ("64KiB", 65_536, "64KiB"),
            ("256Mi", 256 << 20, "256MiB"),
            ("1.5 GiB", 3 << 29, "1536MiB"),
            ("2k", 2000, "2kB"),
            ("1024", 1024, "1KiB"),
            ("3G", 3_000_000_000, "3GB"),
            ("18446744073709551615", u64::MAX, "18446744073709551615"),
        ] {
            assert_eq!(text.parse(), Ok(Bytes(bytes)), "{text}");
            assert_eq!(Bytes(bytes).to_string(), shown);
        }
    }

    #[test]
    fn what_is_not_a_size_is_refused() {
        for (text, message) in [
            ("-1MiB", r#"size "-1MiB" is negative"#),
            ("", r#"size "" is not a number and a unit"#),
            ("MiB", r#"size "MiB" is not a number and a unit"#),
            ("12x", r#"size "12x" has an unknown unit"#),
            ("256m", r#"size "256m" has an unknown unit"#),
            ("1e3", r#"size "1e3" has an unknown unit"#),
            ("20000000TiB", r#"size "20000000TiB" is too large, or not a whole number of bytes"#),
            ("1.0001KiB", r#"size "1.0001KiB" is too large, or not a whole number of bytes"#),
        ] {
            assert_eq!(text.parse::<Bytes>().unwrap_err().to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn every_size_reads_back(bytes: u64, shift in 0u32..64) {
            let size = Bytes(bytes >> shift << (shift / 2));
            prop_assert_eq!(size.to_string().parse(), Ok(size));
        }
    }
}
