//! What a terminal was sent last, and the modes that all it was ever sent has left it in: what it
//! takes to show somebody else the same.

use std::collections::VecDeque;

use crate::model::modes::{Modes, Tracker};

/// How much is kept, in bytes: many times what a screen shows.
const KEPT: usize = 256 << 10;

/// How far into what is kept the end of a sequence is looked for that was cut off.
const LONGEST: usize = 256;

/// The history of a terminal.
#[derive(Debug, Default)]
pub(super) struct History {
    last: VecDeque<u8>,
    /// Whether more was written than is kept.
    is_cut: bool,
    tracker: Tracker,
}

impl History {
    /// Takes the next piece of output.
    pub(super) fn follow(&mut self, output: &[u8]) {
        self.tracker.follow(output);
        let kept = &output[output.len().saturating_sub(KEPT)..];
        let surplus = (self.last.len() + kept.len()).saturating_sub(KEPT);
        self.is_cut |= surplus > 0 || kept.len() < output.len();
        self.last.drain(..surplus);
        self.last.extend(kept);
    }

    /// The last output, from where a line or a sequence begins.
    pub(super) fn last(&mut self) -> &[u8] {
        let last: &[u8] = self.last.make_contiguous();
        if !self.is_cut {
            return last;
        }
        let head = &last[..last.len().min(LONGEST)];
        let begin = head.iter().position(|byte| matches!(byte, b'\n' | b'\x1b')).unwrap_or(0);
        &last[begin..]
    }

    /// The modes that the terminal is in.
    pub(super) fn modes(&self) -> &Modes {
        self.tracker.modes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept_from_where_it_can_be_read() {
        let mut history = History::default();
        history.follow(b"\x1b[?1049hfirst\n");
        assert_eq!(history.last(), b"\x1b[?1049hfirst\n");
        let line = b"\x1b[31mred\x1b[m\r\n";
        for _ in 0..KEPT {
            history.follow(line);
        }
        assert!(history.last().starts_with(b"\x1b[") || history.last().starts_with(b"\n"));
        assert!(history.last().ends_with(line) && history.last().len() <= KEPT);
        assert!(history.modes().is_alternate());
        history.follow(&vec![b'x'; 2 * KEPT]);
        assert_eq!(history.last(), vec![b'x'; KEPT]);
    }
}
