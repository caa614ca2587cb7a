//! The logs of containers, across rotation and restarts.

mod feed;

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use self::feed::{Feed, merge};
use super::error::{Error, Kind};
use super::{App, LogEvent, LogSource, LogsRequest};
use crate::model::{ContainerRef, PodName};
use crate::plan::{Phase, status};
use crate::runtime::log::Lives;
use crate::sys::clock;
use crate::sys::watch::{News, Watch};

/// How often a follower looks whether there can be any more.
const LOOK: Duration = Duration::from_secs(1);

/// Where lines go.
type Sink<'a> = &'a mut dyn FnMut(LogEvent<'_>) -> io::Result<()>;

impl fmt::Display for LogSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{}", self.pod, self.container))
    }
}

impl App {
    /// The containers that `targets` mean, each once, in their order.
    ///
    /// # Errors
    /// One of them is not desired.
    pub fn log_sources(&self, targets: &[ContainerRef]) -> Result<Vec<LogSource>, Error> {
        let mut sources = Vec::new();
        for target in targets {
            let container = self.target(target)?.container;
            let source = LogSource { pod: target.pod.clone(), container };
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
        Ok(sources)
    }

    /// Hands the lines of containers' logs to `sink`, those of several in the order of their times.
    ///
    /// # Errors
    /// A log cannot be read, or a container has no previous life, or `sink` failed: then that is
    /// the source of the error.
    pub fn logs(
        &self,
        sources: &[LogSource],
        request: &LogsRequest,
        sink: Sink<'_>,
    ) -> Result<(), Error> {
        let feeds: Result<Vec<_>, _> =
            sources.iter().map(|source| self.feed(source, request)).collect();
        let mut feeds = feeds?;
        if request.follow {
            return self.follow(&mut feeds, request, sink);
        }
        for feed in &mut feeds {
            feed.finish();
        }
        read(&mut feeds, request, sink)
    }

    fn feed<'a>(&self, source: &'a LogSource, request: &'a LogsRequest) -> Result<Feed<'a>, Error> {
        let logs = self.engine()?.directories.pod_logs(&source.pod);
        let lives = if request.previous { Lives::One(self.previous(source)?) } else { Lives::All };
        Ok(Feed::new(source, request, logs.join(&source.container), lives))
    }

    /// The number of the life before the last one.
    fn previous(&self, source: &LogSource) -> Result<u32, Error> {
        let instances = self.instances(&source.pod)?;
        let own = instances.iter().filter(|instance| instance.container == source.container);
        let attempts: BTreeSet<u32> = own.map(|instance| instance.attempt).collect();
        attempts.into_iter().rev().nth(1).ok_or_else(|| {
            Error::new(Kind::NotFound, format!("cannot find a previous life of {source}"))
                .hint(format!("tank logs {source} prints what there is"))
        })
    }

    fn follow(
        &self,
        feeds: &mut Vec<Feed<'_>>,
        request: &LogsRequest,
        sink: Sink<'_>,
    ) -> Result<(), Error> {
        let failed =
            |e: crate::sys::Error| Error::new(Kind::Failed, "cannot watch the logs").because(e);
        // Watched before they are read: what is written meanwhile is news.
        let watch = Watch::new().map_err(failed)?;
        let mut look: Option<Instant> = None;
        let mut first = true;
        loop {
            let now = clock::monotonic();
            if look.is_none_or(|look| look <= now) {
                look = now.checked_add(LOOK);
                let open = self.written_to(feeds)?;
                let is_late = request.until.is_some_and(|until| until <= clock::now());
                for feed in &mut *feeds {
                    feed.look(&watch).map_err(failed)?;
                    if is_late || !open.contains(&feed.source().pod) {
                        feed.finish();
                    }
                }
            }
            if std::mem::take(&mut first) {
                read(feeds, request, sink)?;
            } else {
                merge(feeds, sink)?;
            }
            sink(LogEvent::Pause).map_err(unwritten)?;
            feeds.retain(|feed| !feed.is_finished());
            if feeds.is_empty() {
                return Ok(());
            }
            let left = look.map_or(LOOK, |look| look.saturating_duration_since(clock::monotonic()));
            for news in watch.wait(left).map_err(failed)? {
                feeds.iter_mut().for_each(|feed| feed.hear(news));
                if news == News::Anything {
                    look = None;
                }
            }
        }
    }

    /// The pods of `feeds` to whose logs anything may still be written.
    fn written_to(&self, feeds: &[Feed<'_>]) -> Result<BTreeSet<PodName>, Error> {
        let only: BTreeSet<_> = feeds.iter().map(|feed| feed.source().pod.clone()).collect();
        let snapshot = self.engine()?.snapshot(Some(&only));
        let snapshot = snapshot.map_err(|e| Error::of_engine("cannot look at the pods", e))?;
        let now = clock::now();
        let pods = snapshot.desired.iter().filter(|desired| {
            snapshot.observed.pods.get(&desired.pod.name).is_some_and(|observed| {
                let hold = snapshot.waits_for(desired);
                let phase = status(desired, observed, hold.as_ref(), now).phase;
                !matches!(phase, Phase::Completed | Phase::Failed | Phase::Stopped)
            })
        });
        Ok(pods.map(|desired| desired.pod.name.clone()).collect())
    }
}

/// Hands on what there is, from the line on that was asked for.
fn read(feeds: &mut [Feed<'_>], request: &LogsRequest, sink: Sink<'_>) -> Result<(), Error> {
    if let Some(lines) = request.lines {
        for feed in &mut *feeds {
            feed.skip_to_last(lines)?;
        }
    }
    merge(feeds, sink)
}

/// The sink failed.
fn unwritten(e: io::Error) -> Error {
    Error::new(Kind::Failed, "cannot hand on the logs").because(e)
}
