//! Repeating what failed for a passing reason.

use std::error::Error as _;
use std::time::Duration;

use super::error::{Error, Result};
use crate::image::progress::{PullEvent, Watch};
use crate::sys;

/// The pause before the first repetition; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause, unless the registry asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The attempts at one thing.
pub(super) struct Retry<'a> {
    retries: u32,
    failures: u32,
    watch: &'a dyn Watch,
}

impl<'a> Retry<'a> {
    pub(super) fn new(retries: u32, watch: &'a dyn Watch) -> Self {
        Self { retries, failures: 0, watch }
    }

    /// Forgets the failures so far: something was achieved since.
    pub(super) fn progressed(&mut self) {
        self.failures = 0;
    }

    /// Waits until it is time to try again what failed with `error`.
    ///
    /// # Errors
    /// `error` itself, when there is no point in trying again or it was tried often enough.
    pub(super) fn wait(&mut self, what: &str, error: Error) -> Result<()> {
        if !error.is_passing() || self.failures >= self.retries {
            return Err(error);
        }
        let pause = jittered(pause(self.failures))?.max(error.retry_after().unwrap_or_default());
        self.failures += 1;
        tell(self.watch, what, &error, pause);
        sys::poll::wait(&mut [], Some(pause))?;
        Ok(())
    }
}

/// Calls `attempt` until it succeeds, fails for good, or failed too often.
pub(super) fn repeat<T>(
    mut retry: Retry<'_>,
    what: &str,
    mut attempt: impl FnMut() -> Result<T>,
) -> Result<T> {
    loop {
        match attempt() {
            Ok(value) => return Ok(value),
            Err(error) => retry.wait(what, error)?,
        }
    }
}

/// Tells that what failed with `error` is tried again, here or elsewhere, after `pause`.
pub(super) fn tell(watch: &dyn Watch, what: &str, error: &Error, pause: Duration) {
    let mut problem = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        problem.push_str(": ");
        problem.push_str(&error.to_string());
        source = error.source();
    }
    watch.tell(&PullEvent::Retry { what, problem: &problem, pause });
}

fn pause(failures: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(2u32.saturating_pow(failures)).min(LONGEST_PAUSE)
}

/// Between half of a pause and all of it, so that those who failed together do not return
/// together.
fn jittered(pause: Duration) -> Result<Duration> {
    let share = sys::random::bits()? >> 32;
    let half = pause / 2;
    // `share` has 32 bits, of which the quotient drops all but the part of one half.
    let more = (half.as_nanos() * u128::from(share)) >> 32;
    Ok(half + Duration::from_nanos(u64::try_from(more).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit() {
        let seconds: Vec<f64> = (0..9).map(|n| pause(n).as_secs_f64()).collect();
        assert_eq!(seconds, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
        for _ in 0..100 {
            let pause = jittered(LONGEST_PAUSE).unwrap();
            assert!((LONGEST_PAUSE / 2..=LONGEST_PAUSE).contains(&pause));
        }
    }
}
