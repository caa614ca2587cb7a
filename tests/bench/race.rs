//! Contestants that take turns, so that what slows the machine for a while slows all of them.

use std::time::Duration;

use crate::Outcome;

/// Turns that are not counted: the first ones load programs and fill caches.
const WARM_UP: usize = 2;

/// One way to do the job.
pub(crate) struct Contestant<'a, T = Duration> {
    pub(crate) name: String,
    /// Does it once and gives what counts: mostly how long a part of it took.
    pub(crate) turn: Box<dyn FnMut() -> Outcome<T> + 'a>,
}

impl<'a, T> Contestant<'a, T> {
    pub(crate) fn new(name: impl Into<String>, turn: impl FnMut() -> Outcome<T> + 'a) -> Self {
        Self { name: name.into(), turn: Box::new(turn) }
    }
}

/// The median turn of each contestant, or why it was left out: the first failure ends its race.
pub(crate) fn race<T: Ord + Copy>(
    contestants: Vec<Contestant<T>>,
    runs: usize,
) -> Vec<(String, Outcome<T>)> {
    let mut lanes: Vec<_> = contestants.into_iter().map(|one| (one, Ok(Vec::new()))).collect();
    for round in 0..WARM_UP + runs {
        for (contestant, lane) in &mut lanes {
            let Ok(values) = lane else { continue };
            match (contestant.turn)() {
                Ok(value) if round >= WARM_UP => values.push(value),
                Ok(_) => {}
                Err(error) => *lane = Err(error),
            }
        }
    }
    let result = |(contestant, lane): (Contestant<T>, Outcome<Vec<T>>)| {
        (contestant.name, lane.and_then(|values| median(values).ok_or_else(|| "no run".to_owned())))
    };
    lanes.into_iter().map(result).collect()
}

/// The middle one; none of nothing.
pub(crate) fn median<T: Ord + Copy>(mut values: Vec<T>) -> Option<T> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}
