//! What happened, and what happens.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use super::error::{Error, Kind};
use super::report::EventReport;
use super::{App, EventsRequest};
use crate::model::PodName;
use crate::store::Event;
use crate::sys::watch::Watch;

/// How long a follower waits at most before it looks again.
const LOOK: Duration = Duration::from_secs(10);

/// How long after a file was written a change is visible at the latest: its last byte comes first.
const SETTLED: Duration = Duration::from_millis(50);

impl App {
    /// Hands the events on record to `sink`, the oldest first; then those that come, if that was
    /// asked for.
    ///
    /// # Errors
    /// The state cannot be read, or `sink` failed: then that is the source of the error.
    pub fn events(
        &self,
        request: &EventsRequest,
        sink: &mut dyn FnMut(&EventReport) -> io::Result<()>,
    ) -> Result<(), Error> {
        // Before the first look, so that nothing is missed between that and the next.
        let watch = if request.follow { Some(self.watch_state()?) } else { None };
        let pods: BTreeSet<&PodName> = request.pods.iter().collect();
        let mut last = 0;
        let mut skip = request.last;
        let mut patience = LOOK;
        loop {
            let events = self.read("events", |state| state.events_since(last))?;
            last = events.last().map_or(last, |event| event.id);
            let mut wanted: Vec<_> =
                events.into_iter().filter(|event| is_wanted(event, &pods, request)).collect();
            if let Some(count) = skip.take() {
                wanted.drain(..wanted.len().saturating_sub(count));
            }
            for event in wanted {
                let told = sink(&EventReport::from(event));
                told.map_err(|e| Error::new(Kind::Failed, "cannot print the events").because(e))?;
            }
            let Some(watch) = &watch else { return Ok(()) };
            let news = watch.wait(patience);
            let news = news.map_err(|e| Error::of_engine("cannot wait for events", e.into()))?;
            patience = if news.is_empty() { LOOK } else { SETTLED };
        }
    }

    /// Watches the files that every change of the state is written to.
    fn watch_state(&self) -> Result<Watch, Error> {
        let watched = Watch::new().and_then(|watch| {
            watch.additions(&self.options.root)?;
            Ok(watch)
        });
        watched.map_err(|e| Error::of_engine("cannot wait for events", e.into()))
    }
}

fn is_wanted(event: &Event, pods: &BTreeSet<&PodName>, request: &EventsRequest) -> bool {
    let event = &event.event;
    (pods.is_empty() || event.pod.as_ref().is_some_and(|pod| pods.contains(pod)))
        && request.since.is_none_or(|since| event.at >= since)
}
