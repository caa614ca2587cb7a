//! In what modes a program has put its terminal, so that whoever lends it a real one can undo them.
//!
//! What is followed: the private modes of the table below, the keypad, the keyboard protocol of
//! kitty, the shape of the cursor, the margins, insert mode, the character set and the colours.
//! Names and numbers are those of xterm's control sequences (ctlseqs).

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::{Deserialize, Serialize};
use vte::{Params, Parser, Perform};

/// The private modes that are followed (DECSET), and whether they are on in a fresh terminal.
const PRIVATE: [(u16, bool); 22] = [
    (1, false),    // cursor keys send application sequences
    (5, false),    // reverse video
    (6, false),    // origin at the margins
    (7, true),     // lines wrap
    (9, false),    // mouse, X10
    (25, true),    // the cursor is shown
    (1000, false), // mouse, clicks
    (1002, false), // mouse, dragging
    (1003, false), // mouse, every motion
    (1004, false), // focus
    (1005, false), // mouse positions in UTF-8
    (1006, false), // mouse positions in decimal
    (1007, false), // the wheel sends cursor keys
    (1015, false), // mouse positions of urxvt
    (1016, false), // mouse positions in pixels
    (2004, false), // bracketed paste
    (2026, false), // output is held until this ends
    (2031, false), // changes of the colour scheme
    (2048, false), // changes of the size
    // Last, so that the others are undone where they were set.
    (47, false),   // the alternate screen
    (1047, false), // the same, cleared
    (1049, false), // the same, with the cursor saved
];

/// Those of them that are the alternate screen.
const ALTERNATE: [u16; 3] = [47, 1047, 1049];

/// More levels of the keyboard protocol are not undone one by one: kitty keeps fewer.
const MOST_LEVELS: u8 = 16;

/// The modes of one terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Modes {
    /// Those of [`PRIVATE`] that differ from a fresh terminal.
    private: BTreeSet<u16>,
    keypad: bool,
    /// How many levels of the keyboard protocol were pushed, and the last one's flags.
    keyboard: (u8, u16),
    /// The style of the cursor (DECSCUSR).
    cursor: u16,
    /// The first and last line that scroll, where they are not all.
    margins: Option<(u16, u16)>,
    insert: bool,
    /// Whether the character set G0 is another than ASCII, or G1 is used.
    charset: bool,
    colours: bool,
}

impl Modes {
    /// Whether the alternate screen is shown.
    pub fn is_alternate(&self) -> bool {
        ALTERNATE.iter().any(|mode| self.private.contains(mode))
    }

    /// Whether lines of the screen have a place of their own, by the alternate screen or by margins.
    pub fn is_placed(&self) -> bool {
        self.is_alternate() || self.margins.is_some()
    }

    /// What puts a terminal in these modes back into the state of a fresh one, as far as its modes
    /// go. Nothing, if there is nothing to undo.
    pub fn leave(&self) -> String {
        let mut undo = String::new();
        if self.colours {
            undo.push_str("\x1b[m");
        }
        if self.charset {
            undo.push_str("\x0f\x1b(B");
        }
        if self.insert {
            undo.push_str("\x1b[4l");
        }
        if self.margins.is_some() {
            // Setting margins moves the cursor.
            undo.push_str("\x1b7\x1b[r\x1b8");
        }
        if self.cursor != 0 {
            undo.push_str("\x1b[0 q");
        }
        if self.keypad {
            undo.push_str("\x1b>");
        }
        if self.keyboard.0 > 0 {
            // Writing into a string does not fail.
            let _ = write!(undo, "\x1b[<{}u", self.keyboard.0);
        }
        for (mode, fresh) in self.differing() {
            let _ = write!(undo, "\x1b[?{mode}{}", if fresh { 'h' } else { 'l' });
        }
        undo
    }

    /// What puts a fresh terminal into these modes, but for the alternate screen and the colours.
    pub fn enter(&self) -> String {
        let mut set = String::new();
        if let Some((top, bottom)) = self.margins {
            let _ = write!(set, "\x1b7\x1b[{top};{bottom}r\x1b8");
        }
        if self.insert {
            set.push_str("\x1b[4h");
        }
        if self.cursor != 0 {
            let _ = write!(set, "\x1b[{} q", self.cursor);
        }
        if self.keypad {
            set.push_str("\x1b=");
        }
        if self.keyboard.0 > 0 {
            let _ = write!(set, "\x1b[>{}u", self.keyboard.1);
        }
        for (mode, fresh) in self.differing().filter(|(mode, _)| !ALTERNATE.contains(mode)) {
            let _ = write!(set, "\x1b[?{mode}{}", if fresh { 'l' } else { 'h' });
        }
        set
    }

    /// The modes that differ, in the order of the table, with what they are in a fresh terminal.
    fn differing(&self) -> impl Iterator<Item = (u16, bool)> {
        PRIVATE.into_iter().filter(|(mode, _)| self.private.contains(mode))
    }

    fn set_private(&mut self, mode: u16, on: bool) {
        match PRIVATE.iter().find(|(known, _)| *known == mode) {
            None => {}
            Some((_, fresh)) if *fresh != on => drop(self.private.insert(mode)),
            // Whichever of them is used to leave the alternate screen, it is left.
            Some(_) if ALTERNATE.contains(&mode) => {
                self.private.retain(|mode| !ALTERNATE.contains(mode));
            }
            Some(_) => drop(self.private.remove(&mode)),
        }
    }

    /// A soft reset, DECSTR: everything but the mouse, paste and the screen.
    fn soften(&mut self) {
        for mode in [1, 6] {
            self.set_private(mode, false);
        }
        for mode in [7, 25] {
            self.set_private(mode, true);
        }
        let Self { private, keyboard, cursor, .. } = std::mem::take(self);
        *self = Self { private, keyboard, cursor, ..Self::default() };
    }
}

impl Perform for Modes {
    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], _: bool, action: char) {
        let mut numbers = params.iter().map(|param| param.first().copied().unwrap_or(0));
        match (intermediates, action) {
            (b"?", 'h' | 'l') => numbers.for_each(|mode| self.set_private(mode, action == 'h')),
            (b"", 'h' | 'l') if numbers.any(|mode| mode == 4) => self.insert = action == 'h',
            (b"", 'm') => self.colours = numbers.any(|number| number != 0),
            (b"", 'r') => {
                let (top, bottom) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
                self.margins = (top > 1 || bottom > 0).then_some((top.max(1), bottom));
            }
            (b" ", 'q') => self.cursor = numbers.next().unwrap_or(0),
            (b"!", 'p') => self.soften(),
            (b">", 'u') => {
                self.keyboard.0 = (self.keyboard.0 + 1).min(MOST_LEVELS);
                self.keyboard.1 = numbers.next().unwrap_or(0);
            }
            (b"=", 'u') if self.keyboard.0 > 0 => self.keyboard.1 = numbers.next().unwrap_or(0),
            (b"<", 'u') => {
                let count = numbers.next().unwrap_or(1).max(1);
                let count = u8::try_from(count).unwrap_or(u8::MAX);
                self.keyboard.0 = self.keyboard.0.saturating_sub(count);
                if self.keyboard.0 == 0 {
                    self.keyboard.1 = 0;
                }
            }
            _ => {}
        }
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], _: bool, byte: u8) {
        match (intermediates, byte) {
            (b"", b'=') => self.keypad = true,
            (b"", b'>') => self.keypad = false,
            (b"", b'c') => *self = Self::default(),
            (b"(", set) => self.charset = set != b'B',
            _ => {}
        }
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            0x0e => self.charset = true,
            0x0f => self.charset = false,
            _ => {}
        }
    }
}

/// Follows the modes through a stream of output.
pub struct Tracker {
    parser: Parser,
    modes: Modes,
}

impl Tracker {
    /// Of a fresh terminal.
    pub fn new() -> Self {
        Self { parser: Parser::new(), modes: Modes::default() }
    }

    /// Takes the next piece of output, which may end anywhere.
    pub fn follow(&mut self, output: &[u8]) {
        // Text does not matter here, and what is no ASCII is text. It is also what the parser is
        // slow at where it is no UTF-8, and loses the next byte of where a piece ends within it.
        for ascii in output.split(|byte| !byte.is_ascii()) {
            self.parser.advance(&mut self.modes, ascii);
        }
    }

    /// The modes by now.
    pub fn modes(&self) -> &Modes {
        &self.modes
    }
}

impl Default for Tracker {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Tracker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tracker").field("modes", &self.modes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modes(output: &str) -> Modes {
        // Byte by byte: pieces end anywhere.
        let mut tracker = Tracker::new();
        output.bytes().for_each(|byte| tracker.follow(&[byte]));
        tracker.modes().clone()
    }

    #[test]
    fn what_a_full_screen_program_sets_is_undone() {
        let vim = "\x1b[?1049h\x1b[22;0;0t\x1b[>4;2m\x1b[?1h\x1b=\x1b[?2004h\x1b[?1004h\x1b[1;24r\
                   \x1b[?12h\x1b[2 q\x1b[?25l\x1b[?1006;1002h\x1b[>1u\x1b[31mtext";
        let seen = modes(vim);
        assert!(seen.is_alternate());
        assert_eq!(
            seen.leave(),
            "\x1b[m\x1b7\x1b[r\x1b8\x1b[0 q\x1b>\x1b[<1u\x1b[?1l\x1b[?25h\x1b[?1002l\x1b[?1004l\
             \x1b[?1006l\x1b[?2004l\x1b[?1049l"
        );
    }

    #[test]
    fn leaving_and_entering_are_inverse() {
        let output =
            "\x1b[?1049h\x1b[?1h\x1b=\x1b[?7l\x1b[3;9r\x1b[4h\x1b[5 q\x1b[>3u\x1b(0\x1b[1m";
        let seen = modes(output);
        assert_eq!(modes(&(output.to_owned() + &seen.leave())), Modes::default());
        let again = modes(&seen.enter());
        let but = |modes: Modes| {
            let mut modes = Modes { colours: false, charset: false, ..modes };
            modes.set_private(1049, false);
            modes
        };
        assert_eq!(but(again), but(seen));
    }

    #[test]
    fn what_a_program_undoes_itself_is_left_alone() {
        for output in [
            "plain text\r\n",
            "\x1b[31mred\x1b[0m \x1b[1mbold\x1b[m",
            "\x1b[?1049h\x1b[?25l\x1b[?25h\x1b[?1049l",
            "\x1b[?1047h\x1b[?1049l",
            "\x1b[>1u\x1b[>2u\x1b[<2u",
            "\x1b[2;5r\x1b[r",
            "\x1b(0lqk\x1b(B",
            "\x1b[?1h\x1b=\x1b[?7l\x1bc",
            "\x1b[?1h\x1b[?25l\x1b[4h\x1b[!p",
            "\x1b]0;title with [?1049h\x07",
        ] {
            assert_eq!(modes(output).leave(), "", "{output:?}");
        }
    }
}
