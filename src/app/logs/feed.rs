//! The lines of one container that were asked for, and those of several in one order.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;

use super::{Sink, unwritten};
use crate::app::error::{Error, Kind};
use crate::app::{LogEvent, LogLine, LogSource, LogsRequest};
use crate::runtime::log::{Item, Lines, Lives};
use crate::sys;
use crate::sys::watch::{News, Watch, Watched};

/// The wanted lines of one container.
#[derive(Debug)]
pub(super) struct Feed<'a> {
    source: &'a LogSource,
    request: &'a LogsRequest,
    directory: PathBuf,
    lines: Lines,
    /// What was read and is not handed on yet.
    ahead: VecDeque<Item>,
    /// The directory and the one above it, as far as they are watched.
    watched: Option<Watched>,
    above: Option<Watched>,
    finished: bool,
}

impl<'a> Feed<'a> {
    /// The lines of `source`, whose log is in `directory`.
    pub(super) fn new(
        source: &'a LogSource,
        request: &'a LogsRequest,
        directory: PathBuf,
        lives: Lives,
    ) -> Self {
        let mut lines = Lines::new(directory.clone(), lives);
        if request.at_once {
            lines.at_once();
        }
        let ahead = VecDeque::new();
        let (watched, above, finished) = (None, None, false);
        Self { source, request, directory, lines, ahead, watched, above, finished }
    }

    /// Whose lines they are.
    pub(super) fn source(&self) -> &'a LogSource {
        self.source
    }

    /// Takes what is there for all that ever will be.
    pub(super) fn finish(&mut self) {
        self.finished = true;
        self.lines.finish();
    }

    /// Whether what was read last was all.
    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Looks for files, and has the directory watched once it is there. It goes with the pod;
    /// another one is that of another pod of the same name.
    pub(super) fn look(&mut self, watch: &Watch) -> sys::Result<()> {
        self.lines.refresh();
        let watched = match watch.additions(&self.directory) {
            Ok(watched) => watched,
            Err(e) if e.is_not_found() => return Ok(()),
            Err(e) => return Err(e),
        };
        if self.watched.replace(watched).is_some_and(|before| before != watched) {
            self.finish();
        }
        if let Some(above) = self.directory.parent() {
            self.above = watch.removals(above).ok();
        }
        Ok(())
    }

    /// Takes in what happened somewhere.
    pub(super) fn hear(&mut self, news: News) {
        match news {
            News::Files(place) if Some(place) == self.watched => self.lines.refresh(),
            News::Removed(place) if Some(place) == self.above && !self.directory.exists() => {
                self.finish();
            }
            News::Anything => self.lines.refresh(),
            News::Files(_) | News::Removed(_) | News::Written(_) => {}
        }
    }

    /// Passes over all but the last `count` lines of what there is.
    pub(super) fn skip_to_last(&mut self, count: usize) -> Result<(), Error> {
        let begins = |item: &Item| matches!(item, Item::Line(line) if !line.continues);
        let mut kept = VecDeque::new();
        let mut lines = 0;
        while let Some(item) = self.next()? {
            lines += usize::from(begins(&item));
            kept.push_back(item);
            while lines > count || kept.front().is_some_and(|item| lines == count && !begins(item))
            {
                let Some(first) = kept.pop_front() else { break };
                lines -= usize::from(begins(&first));
            }
        }
        self.ahead = kept;
        Ok(())
    }

    /// The next wanted line, or gap; `None` if there is none for now.
    fn next(&mut self) -> Result<Option<Item>, Error> {
        if let Some(item) = self.ahead.pop_front() {
            return Ok(Some(item));
        }
        while let Some(item) = self.lines.read().map_err(|e| self.unreadable(e))? {
            match item {
                Item::Line(line) if !self.is_wanted(&line) => {}
                item => return Ok(Some(item)),
            }
        }
        Ok(None)
    }

    fn is_wanted(&self, line: &LogLine) -> bool {
        let LogsRequest { since, until, stream, .. } = self.request;
        since.is_none_or(|since| line.time >= since)
            && until.is_none_or(|until| line.time < until)
            && stream.is_none_or(|stream| line.stream == stream)
    }

    fn unreadable(&self, e: io::Error) -> Error {
        Error::new(Kind::Failed, format!("cannot read the log of {}", self.source)).because(e)
    }
}

/// Hands on all there is, of several containers in the order of time.
pub(super) fn merge(feeds: &mut [Feed<'_>], sink: Sink<'_>) -> Result<(), Error> {
    let mut heads = Vec::with_capacity(feeds.len());
    for feed in &mut *feeds {
        heads.push(feed.next()?);
    }
    // What has no time comes at once.
    let time = |item: &Item| match item {
        Item::Line(line) => Some(line.time),
        Item::Gap(_) => None,
    };
    loop {
        let there = heads.iter().enumerate().filter_map(|(at, head)| Some((at, head.as_ref()?)));
        let Some((at, _)) = there.min_by_key(|(_, item)| time(item)) else { return Ok(()) };
        let Some(item) = std::mem::replace(&mut heads[at], feeds[at].next()?) else { continue };
        let source = feeds[at].source;
        let event = match &item {
            Item::Line(line) => LogEvent::Line(source, line),
            Item::Gap(gap) => LogEvent::Gap(source, gap),
        };
        sink(event).map_err(unwritten)?;
    }
}
