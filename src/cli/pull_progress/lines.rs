//! A line a layer, for logs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use crate::app::progress::{LayerState, PullEvent};
use crate::cli::{people, text};
use crate::model::Digest;

/// Writes lines.
#[derive(Debug)]
pub(super) struct Lines {
    file: File,
    wording: Mutex<Wording>,
}

impl Lines {
    pub(super) fn new(file: File) -> Self {
        Self { file, wording: Mutex::default() }
    }

    /// Nobody listening is no reason to stop the work.
    pub(super) fn tell(&self, event: &PullEvent<'_>) {
        let mut wording = self.wording.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = wording.line(event) {
            drop((&self.file).write_all(format!("{}\n", text::escape(&line)).as_bytes()));
        }
    }
}

/// Words for what happens.
#[derive(Debug, Default)]
pub(super) struct Wording {
    layers: usize,
    sizes: BTreeMap<usize, u64>,
}

impl Wording {
    /// What there is to say, if anything.
    pub(super) fn line(&mut self, event: &PullEvent<'_>) -> Option<String> {
        Some(match event {
            PullEvent::Resolved { name, digest, layers, size } => {
                *self = Self { layers: *layers, sizes: BTreeMap::new() };
                let (count, size) = (people::count(*layers, "layer"), people::size(*size));
                format!("{name} is {digest}: {count}, {size}")
            }
            PullEvent::Layer { index, digest, state } => {
                let layer = self.layer(*index, digest);
                match state {
                    LayerState::Present => format!("{layer} is here already"),
                    LayerState::Started { have, size } => {
                        self.sizes.insert(*index, *size);
                        if *have == 0 {
                            return None;
                        }
                        let (have, size) = (people::size(*have), people::size(*size));
                        format!("{layer} goes on after {have} of {size}")
                    }
                    LayerState::Progress(_) => return None,
                    LayerState::Unpacked => match self.sizes.get(index) {
                        Some(size) => format!("{layer} {} done", people::size(*size)),
                        None => format!("{layer} done"),
                    },
                }
            }
            PullEvent::Done { .. } => return None,
            other => aside(other)?,
        })
    }

    fn layer(&self, index: usize, digest: &Digest) -> String {
        format!("layer {}/{} {}", index + 1, self.layers, digest.short())
    }
}

/// What is said beside the layers: that and why it takes longer.
pub(super) fn aside(event: &PullEvent<'_>) -> Option<String> {
    match event {
        PullEvent::Waiting { name } => {
            Some(format!("waiting for another tank command that fetches layers of {name}"))
        }
        PullEvent::Retry { what, problem, pause } => {
            let pause = pause.as_secs_f64();
            Some(format!("{what}: {problem}; trying again in {pause:.1} s"))
        }
        _ => None,
    }
}
