//! What is shown while images are fetched: bars on a terminal, a line a layer elsewhere, nothing
//! where nothing is wanted.
//!
//! Layers are fetched by several threads, while this process holds the lock of its standard error.
//! All here goes to a descriptor of its own, so that none of them ever waits for that lock.

mod bars;
mod lines;
mod terminal;

use std::fs::File;
use std::io;
use std::os::fd::AsFd;

use super::ui::Ui;
use crate::app::progress::{PullEvent, Watch};
use crate::app::report::StepError;
use crate::app::{self, App, Resolved};
use crate::model::Pod;
use crate::sys::poll;
use crate::sys::terminal::{self as signals, Event, Signals};
use bars::Bars;
use lines::Lines;

/// Shows how fetching goes on.
#[derive(Debug)]
pub struct PullProgress(Shown);

#[derive(Debug)]
enum Shown {
    Nothing,
    Lines(Lines),
    Bars(Bars),
}

impl PullProgress {
    /// As fits the standard error of `ui`.
    pub fn new(ui: &Ui) -> Self {
        if ui.is_quiet() {
            return Self(Shown::Nothing);
        }
        // Where standard error cannot be had, nobody reads it.
        let Ok(stderr) = io::stderr().as_fd().try_clone_to_owned().map(File::from) else {
            return Self(Shown::Nothing);
        };
        Self(match ui.err.is_terminal() {
            true => Shown::Bars(Bars::new(stderr)),
            false => Shown::Lines(Lines::new(stderr)),
        })
    }

    /// Shows how `work` goes on, and takes the bars away when it is over, and also when a signal
    /// ends this process or stops it for a while.
    ///
    /// Signals are seen by a thread that lives as long as `work`: no process may be cloned in it.
    pub fn attend<T>(ui: &Ui, work: impl FnOnce(&Self) -> T) -> T {
        let progress = Self::new(ui);
        let Shown::Bars(bars) = &progress.0 else {
            return work(&progress);
        };
        let (Ok(signals), Ok((over, at_work))) = (Signals::take(), io::pipe()) else {
            return work(&progress);
        };
        std::thread::scope(|scope| {
            scope.spawn(|| watch_signals(bars, &signals, &over));
            let result = work(&progress);
            // The other end of the pipe sees it.
            drop(at_work);
            result
        })
    }
}

/// What is fetched of images that pods need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetch {
    /// Nothing: it is only asked what their names stand for.
    Nothing,
    /// All of them.
    Images,
}

/// Asks registries for what pods need of them; mostly nothing, and then nobody is asked.
pub fn resolve(app: &mut App, ui: &Ui, pods: &[Pod], fetch: Fetch) -> Result<Resolved, app::Error> {
    let names = app.unresolved(pods, false)?;
    if names.is_empty() {
        return Ok(Resolved::new());
    }
    PullProgress::attend(ui, |progress| match fetch {
        Fetch::Nothing => app.look_up_all(&names, progress),
        Fetch::Images => app.pull_all(&names, progress),
    })
}

/// Fetches the images of those of the pods that are not there yet, as far as they can be had; what
/// is wrong with the others is told.
pub fn resolve_new(
    app: &mut App,
    ui: &Ui,
    pods: &[Pod],
) -> Result<(Resolved, Vec<StepError>), app::Error> {
    let names = app.unresolved(pods, true)?;
    if names.is_empty() {
        return Ok((Resolved::new(), Vec::new()));
    }
    PullProgress::attend(ui, |progress| app.pull_each(&names, progress))
}

impl Watch for PullProgress {
    fn tell(&self, event: &PullEvent<'_>) {
        match &self.0 {
            Shown::Nothing => {}
            Shown::Lines(lines) => lines.tell(event),
            Shown::Bars(bars) => bars.tell(event),
        }
    }
}

/// Takes the bars away when a signal arrives, then lets it do what it does. Returns when the other
/// end of `over` is closed.
fn watch_signals(bars: &Bars, signals: &Signals, over: &io::PipeReader) {
    loop {
        let Ok((_, false)) = poll::either(signals.as_fd(), over.as_fd()) else {
            return;
        };
        while let Ok(Some(event)) = signals.next() {
            match event {
                Event::Signal(number) => {
                    bars.hide();
                    drop(signals::end_by(number));
                }
                Event::Stop => {
                    bars.clear();
                    drop(signals::stop());
                }
                Event::Resized | Event::Continued => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
