//! Bars on a terminal: one for each layer that is on its way, and a line for all of them.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::lines::aside;
use super::terminal::Terminal;
use crate::app::progress::{LayerState, PullEvent};
use crate::cli::text;

/// How often bars are drawn, at most, in a second.
const RATE: u8 = 10;

/// A layer: its digest, how much of it is there, how fast it comes.
const LAYER: &str = "{prefix:14}{bytes:>11} of {total_bytes:<11}{bytes_per_sec:>13}  {wide_bar}";

/// All layers.
const TOTAL: &str = "{prefix:14}{bytes:>11}               {bytes_per_sec:>13}  {wide_msg}";

/// Draws bars.
#[derive(Debug)]
pub(super) struct Bars {
    all: MultiProgress,
    layers: Mutex<Layers>,
}

/// The layers of the image that is being fetched.
#[derive(Debug, Default)]
struct Layers {
    count: usize,
    done: usize,
    running: BTreeMap<usize, ProgressBar>,
    total: Option<ProgressBar>,
}

impl Bars {
    /// Bars on a terminal.
    pub(super) fn new(file: File) -> Self {
        let terminal = Box::new(Terminal::new(file));
        let target = ProgressDrawTarget::term_like_with_hz(terminal, RATE);
        Self { all: MultiProgress::with_draw_target(target), layers: Mutex::default() }
    }

    pub(super) fn tell(&self, event: &PullEvent<'_>) {
        match event {
            PullEvent::Resolved { layers, .. } => self.begin(*layers),
            PullEvent::Layer { index, digest, state } => {
                self.layer(*index, digest.short(), *state);
            }
            PullEvent::Done { .. } => self.end(),
            other => {
                if let Some(line) = aside(other) {
                    drop(self.all.println(text::escape(&line)));
                }
            }
        }
    }

    /// Takes the bars off the terminal until one of them moves.
    pub(super) fn clear(&self) {
        drop(self.all.clear());
    }

    /// Takes the bars off the terminal for good.
    pub(super) fn hide(&self) {
        self.clear();
        self.all.set_draw_target(ProgressDrawTarget::hidden());
    }

    fn layers(&self) -> MutexGuard<'_, Layers> {
        self.layers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, count: usize) {
        self.end();
        let total = ProgressBar::no_length().with_style(style(TOTAL)).with_prefix("total");
        let mut layers = self.layers();
        layers.total = Some(self.all.add(total));
        layers.count = count;
        layers.say();
    }

    fn end(&self) {
        let mut layers = self.layers();
        for bar in layers.running.values().chain(&layers.total) {
            bar.finish_and_clear();
            self.all.remove(bar);
        }
        *layers = Layers::default();
    }

    fn layer(&self, index: usize, name: &str, state: LayerState) {
        let mut layers = self.layers();
        match state {
            LayerState::Present => layers.done += 1,
            LayerState::Started { have, size } => {
                let bar = ProgressBar::new(size).with_style(style(LAYER));
                let bar = bar.with_prefix(name.to_owned()).with_position(have);
                let bar = match &layers.total {
                    Some(total) => self.all.insert_before(total, bar),
                    None => self.all.add(bar),
                };
                bar.reset_eta();
                layers.running.insert(index, bar);
            }
            LayerState::Progress(bytes) => {
                if let Some(bar) = layers.running.get(&index) {
                    let new = bytes.saturating_sub(bar.position());
                    bar.set_position(bytes);
                    layers.total.iter().for_each(|total| total.inc(new));
                }
                return;
            }
            LayerState::Unpacked => {
                layers.done += 1;
                if let Some(bar) = layers.running.remove(&index) {
                    bar.finish_and_clear();
                    self.all.remove(&bar);
                }
            }
        }
        layers.say();
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.end();
        self.hide();
    }
}

impl Layers {
    /// Says how many are done.
    fn say(&self) {
        if let Some(total) = &self.total {
            total.set_message(format!("{} of {} layers", self.done, self.count));
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    style.unwrap_or_else(|_| ProgressStyle::default_bar())
}
