//! Time. The only place that reads a clock; everything else is handed the time.

use std::time::Instant;

use jiff::Timestamp;

/// The time of day, for records and for people.
#[expect(clippy::disallowed_methods, reason = "the one home of the clock")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// The time to the microsecond, as what is kept has it: it is the same when it is read back.
pub fn moment() -> Timestamp {
    let now = now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}

/// A clock that never jumps, for deadlines.
#[expect(clippy::disallowed_methods, reason = "the one home of the clock")]
pub fn monotonic() -> Instant {
    Instant::now()
}
