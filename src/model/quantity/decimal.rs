//! Exact decimal numbers: what people write, without the rounding of floating point.

/// A number without sign or exponent, `digits / 10^scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    digits: u128,
    scale: u32,
}

/// The most digits that are read: what a `u64` holds, and as many behind the point.
const MAX_DIGITS: usize = 19;

impl Decimal {
    /// Reads `12`, `1.5` or `0.25`. Anything else is `None`, also `.5`, `5.`, `-1` and `1e3`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return None,
            None => (text, ""),
        };
        let all_digits = [whole, fraction].iter().all(|t| t.bytes().all(|c| c.is_ascii_digit()));
        if whole.is_empty() || !all_digits {
            return None;
        }
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        if whole.len() > MAX_DIGITS + 1 || fraction.len() > MAX_DIGITS - 1 {
            return None;
        }
        let digits = format!("0{whole}{fraction}").parse().ok()?;
        Some(Self { digits, scale: u32::try_from(fraction.len()).ok()? })
    }

    /// The number times `unit`, if that is a whole number that fits.
    pub(super) fn times(self, unit: u64) -> Option<u64> {
        let product = self.digits.checked_mul(u128::from(unit))?;
        let divisor = 10u128.pow(self.scale);
        if product % divisor != 0 {
            return None;
        }
        u64::try_from(product / divisor).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_exact_or_nothing() {
        let times = |text: &str, unit| Decimal::parse(text).and_then(|number| number.times(unit));
        assert_eq!(times("1.5", 1000), Some(1500));
        assert_eq!(times("0.0010", 1000), Some(1));
        assert_eq!(times("00012.0", 1), Some(12));
        assert_eq!(times("0.0001", 1000), None);
        assert_eq!(times("18446744073709551615", 1), Some(u64::MAX));
        assert_eq!(times("18446744073709551615", 2), None);
        assert_eq!(times("99999999999999999999.123456789012345678", u64::MAX), None);
        for bad in ["", ".", ".5", "5.", "-1", "+1", "1e3", "1_0", "١", "inf", &"9".repeat(99)] {
            assert_eq!(Decimal::parse(bad), None, "{bad}");
        }
    }
}
