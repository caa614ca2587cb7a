//! CPU shares.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::decimal::Decimal;
use crate::model::value::ValueError;

/// A share of CPU time in thousandths of one CPU. Written as a number of CPUs: `0.5`, `2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cpus(pub u32);

impl FromStr for Cpus {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let error = |problem: &str| ValueError::new("number of cpus", text, problem);
        let number = Decimal::parse(text.strip_prefix('+').unwrap_or(text))
            .ok_or_else(|| error("is not a decimal number above 0"))?;
        let thousandths =
            number.times(1000).and_then(|thousandths| u32::try_from(thousandths).ok());
        match thousandths {
            None => Err(error("is too large, or has more than three decimals")),
            Some(0) => Err(error("is not above 0")),
            Some(thousandths) => Ok(Self(thousandths)),
        }
    }
}

impl fmt::Display for Cpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:03}", self.0 / 1000, self.0 % 1000);
        f.pad(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shares_are_read_and_shown() {
        for (text, thousandths, shown) in [
            ("0.5", 500, "0.5"),
            ("2", 2000, "2"),
            ("10", 10_000, "10"),
            ("+1.250", 1250, "1.25"),
            ("0.001", 1, "0.001"),
        ] {
            assert_eq!(text.parse(), Ok(Cpus(thousandths)), "{text}");
            assert_eq!(Cpus(thousandths).to_string(), shown);
        }
    }

    #[test]
    fn what_is_not_a_share_is_refused() {
        for (text, problem) in [
            ("0", "is not above 0"),
            ("0.0", "is not above 0"),
            ("-1", "is not a decimal number above 0"),
            ("1e3", "is not a decimal number above 0"),
            ("nan", "is not a decimal number above 0"),
            ("inf", "is not a decimal number above 0"),
            ("0.0001", "is too large, or has more than three decimals"),
            ("99999999", "is too large, or has more than three decimals"),
        ] {
            let message = format!("number of cpus {text:?} {problem}");
            assert_eq!(text.parse::<Cpus>().unwrap_err().to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn every_share_reads_back(thousandths in 1u32..) {
            prop_assert_eq!(Cpus(thousandths).to_string().parse(), Ok(Cpus(thousandths)));
        }
    }
}
