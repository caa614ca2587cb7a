//! What may have become of something that many write to at once.

use std::time::Instant;

/// One write, which took effect at some moment between its two, if it did.
#[derive(Debug)]
struct Write<T> {
    value: T,
    began: Instant,
    ended: Instant,
    certain: bool,
}

/// All writes to one thing.
#[derive(Debug)]
pub(super) struct Register<T>(Vec<Write<T>>);

impl<T: PartialEq> Register<T> {
    /// One that nobody wrote to.
    pub(super) fn new(value: T) -> Self {
        let now = Instant::now();
        Self(vec![Write { value, began: now, ended: now, certain: true }])
    }

    /// Takes note of a write that began then and is over now. One that is not `certain` (it
    /// failed, or was killed) may have had no effect.
    pub(super) fn write(&mut self, value: T, began: Instant, certain: bool) {
        self.0.push(Write { value, began, ended: Instant::now(), certain });
    }

    /// Whether it may have this value: there is a write of it after whose end no other began that
    /// had its effect for certain.
    pub(super) fn may_be(&self, value: &T) -> bool {
        let last = self.0.iter().filter(|write| write.certain).map(|write| write.began).max();
        self.0.iter().any(|write| write.value == *value && last.is_none_or(|at| write.ended >= at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_of_writes_that_follow_one_another_counts() {
        let mut register = Register::new(0);
        for value in [1, 2] {
            register.write(value, Instant::now(), true);
        }
        assert!(register.may_be(&2) && !register.may_be(&1) && !register.may_be(&0));
    }

    #[test]
    fn either_of_two_at_once_may_be_the_last_and_a_killed_one_may_have_done_nothing() {
        let mut register = Register::new(0);
        let began = Instant::now();
        register.write(1, began, true);
        register.write(2, began, true);
        register.write(3, Instant::now(), false);
        assert!([1, 2, 3].iter().all(|value| register.may_be(value)));
        assert!(!register.may_be(&0));
    }
}
