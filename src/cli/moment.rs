//! Points in time as people write them.

use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

/// A point in time, or how long ago it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// That time.
    At(Timestamp),
    /// So long before now.
    Ago(SignedDuration),
}

/// Why a text is no point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MomentError {
    /// It has another form.
    #[error(
        "write a time like 2026-01-31T10:00:00Z, 2026-01-31T10:00, 2026-01-31 or 1767225600.5, \
         or how long ago it was, like 10m, 2h30m or 3d"
    )]
    Unreadable,
    /// It is before or after all times that can be told.
    #[error("it is out of range")]
    OutOfRange,
}

impl Moment {
    /// Which time that is.
    ///
    /// # Errors
    /// It is before all times that can be told.
    pub fn before(self, now: Timestamp) -> Result<Timestamp, MomentError> {
        match self {
            Self::At(time) => Ok(time),
            Self::Ago(ago) => now.checked_sub(ago).map_err(|_| MomentError::OutOfRange),
        }
    }

    /// Reads a time; what has no time zone is in `zone`.
    fn parse(text: &str, zone: &TimeZone) -> Result<Self, MomentError> {
        if let Some(time) = unix_seconds(text) {
            return time.map(Self::At);
        }
        if let Ok(time) = text.parse::<Timestamp>() {
            return Ok(Self::At(time));
        }
        if let Ok(local) = text.parse::<DateTime>() {
            let time = zone.to_timestamp(local).map_err(|_| MomentError::OutOfRange)?;
            return Ok(Self::At(time));
        }
        let span: Span = text.parse().map_err(|_| MomentError::Unreadable)?;
        let ago = span.to_duration(SpanRelativeTo::days_are_24_hours());
        match ago {
            Ok(ago) if !ago.is_negative() => Ok(Self::Ago(ago)),
            _ => Err(MomentError::Unreadable),
        }
    }
}

impl FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Self, MomentError> {
        Self::parse(text, &TimeZone::system())
    }
}

/// Digits, and digits behind a dot: seconds since 1970. `None` if it is something else.
fn unix_seconds(text: &str) -> Option<Result<Timestamp, MomentError>> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    if !is_number(seconds) || !is_number(fraction) {
        return None;
    }
    let digits: String = fraction.chars().chain("00000000".chars()).take(9).collect();
    let time = seconds.parse().ok().zip(digits.parse().ok());
    let time = time.and_then(|(seconds, nanos)| Timestamp::new(seconds, nanos).ok());
    Some(time.ok_or(MomentError::OutOfRange))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_form() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        for (text, expected) in [
            ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z"),
            ("2026-01-31T10:00:00.000000001+05:30", "2026-01-31T04:30:00.000000001Z"),
            ("2026-01-31T10:00:00", "2026-01-31T08:00:00Z"),
            ("2026-01-31 10:00:00.5", "2026-01-31T08:00:00.5Z"),
            ("2026-01-31T10:00", "2026-01-31T08:00:00Z"),
            ("2026-01-31", "2026-01-30T22:00:00Z"),
            ("1767225600", "2026-01-01T00:00:00Z"),
            ("1767225600.25", "2026-01-01T00:00:00.25Z"),
            ("1767225600.0123456789", "2026-01-01T00:00:00.012345678Z"),
        ] {
            let expected = Moment::At(expected.parse().unwrap());
            assert_eq!(Moment::parse(text, &zone), Ok(expected), "{text}");
        }
    }

    #[test]
    fn durations_go_back_from_now() {
        let now: Timestamp = "2026-01-31T10:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("10m", "2026-01-31T09:50:00Z"),
            ("2h30m", "2026-01-31T07:30:00Z"),
            ("1.5s", "2026-01-31T09:59:58.5Z"),
            ("3d", "2026-01-28T10:00:00Z"),
            ("0s", "2026-01-31T10:00:00Z"),
        ] {
            let moment: Moment = text.parse().unwrap();
            assert_eq!(moment.before(now), Ok(expected.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "yesterday", "-10m", "10", "2026-13-01", "10x", "1.x", "1mo"] {
            let expected = if text == "10" { Ok(()) } else { Err(MomentError::Unreadable) };
            assert_eq!(text.parse::<Moment>().map(drop), expected, "{text}");
        }
        assert_eq!("99999999999999999999".parse::<Moment>(), Err(MomentError::OutOfRange));
        let long_ago: Moment = "5000000h".parse().unwrap();
        let first = Timestamp::MIN;
        assert_eq!(long_ago.before(first), Err(MomentError::OutOfRange));
    }
}
