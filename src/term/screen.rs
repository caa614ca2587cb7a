//! What a terminal shows, made of its last output, so that it can be drawn on another.

use std::fmt::Write;
use std::num::NonZeroU16;
use std::time::Duration;

use super::size::Size;
use crate::model::modes::Modes;
use crate::sys::clock;

/// The most characters of a screen that is drawn.
const MOST: u32 = 1 << 16;

/// How much output is interpreted between two looks at the clock.
const PIECE: usize = 1024;

/// How long it may take. Usual output takes milliseconds; there are sequences of a few bytes that
/// take one each.
const PATIENCE: Duration = Duration::from_millis(300);

/// The last byte of the variation selector that asks for a picture, U+FE0F, and of the one that
/// asks for text. The former makes a character wider than it was, which `vt100` 0.18 does not
/// survive at the end of a line.
const SELECTORS: (&[u8; 3], u8) = (b"\xef\xb8\x8f", 0x8e);

/// What makes a terminal of the size `to` look like one of the size `from` that was sent `history`
/// last, and is in these `modes`. If that cannot be found out in time, nothing is shown.
///
/// An alternate screen, and one with margins, is drawn in its place. Another is drawn below what
/// the terminal shows already, as the program would have written it.
pub fn draw(history: &[u8], from: Size, to: Size, modes: &Modes) -> Vec<u8> {
    // CAN ends a sequence that was begun.
    let mut drawn = "\x18\x1b[m".to_owned();
    let parser = interpret(history, from, to);
    if modes.is_placed() {
        drawn.push_str(if modes.is_alternate() { "\x1b[?1049h" } else { "" });
        drawn.push_str("\x1b[H\x1b[J");
        drawn.push_str(&parser.map(|parser| parser.screen().state_formatted()).unwrap_or_default());
    } else if let Some(parser) = parser {
        push_lines(parser.screen(), &mut drawn);
    }
    drawn.push_str(&modes.enter());
    drawn.into_bytes()
}

/// The terminal after `history`. `None` if a size is none, or it takes too long.
fn interpret(history: &[u8], from: Size, to: Size) -> Option<vt100::Parser> {
    let until = clock::monotonic() + PATIENCE;
    let ((rows, columns), to) = (dimensions(from)?, dimensions(to)?);
    let mut parser = vt100::Parser::new(rows, columns, 0);
    let mut rest = history;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(piece_of(rest));
        parser.process(&without_pictures(piece));
        rest = after;
        if clock::monotonic() > until {
            return None;
        }
    }
    parser.set_size(to.0, to.1);
    Some(parser)
}

/// Adds the lines of a screen down to its last, and then goes to where its cursor is.
fn push_lines(screen: &vt100::Screen, drawn: &mut String) {
    let (_, columns) = screen.size();
    let (row, column) = screen.cursor_position();
    let last = screen.rows(0, columns.get()).zip(0..).filter(|(text, _)| !text.is_empty());
    let last = last.map(|(_, place)| place).last().unwrap_or(0).max(row);
    for (line, place) in screen.rows_formatted(0, columns.get()).zip(0..=last) {
        drawn.push_str(if place > 0 { "\r\n\x1b[m" } else { "" });
        drawn.push_str(&line);
    }
    drawn.push_str("\r\x1b[m");
    for (count, direction) in [(last - row, 'A'), (column, 'C')] {
        if count > 0 {
            // Writing into a string does not fail.
            let _ = write!(drawn, "\x1b[{count}{direction}");
        }
    }
    drawn.push_str(&screen.attributes_formatted());
    drawn.push_str(&screen.input_mode_formatted());
}

/// A size that can be drawn: a character may be two columns wide.
fn dimensions(size: Size) -> Option<(NonZeroU16, NonZeroU16)> {
    let (rows, columns) = (NonZeroU16::new(size.rows)?, NonZeroU16::new(size.columns.max(2))?);
    (u32::from(rows.get()) * u32::from(columns.get()) <= MOST).then_some((rows, columns))
}

/// How long a piece is that does not end within a character.
fn piece_of(output: &[u8]) -> usize {
    let from = PIECE.min(output.len());
    let more = output[from..].iter().position(u8::is_ascii);
    // The parser takes the byte after a cut character for a part of it, so one more goes along.
    more.map_or(output.len(), |more| (from + more + 1).min(output.len()))
}

fn without_pictures(output: &[u8]) -> Vec<u8> {
    let mut output = output.to_vec();
    let (picture, text) = SELECTORS;
    for at in picture.len()..=output.len() {
        if output[..at].ends_with(picture) {
            output[at - 1] = text;
        }
    }
    output
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::modes::Tracker;

    const SIZE: Size = Size { rows: 10, columns: 40 };

    /// What a terminal shows after this output: its text, and where its cursor is.
    fn shown(output: &[u8], size: Size) -> (String, (u16, u16), bool) {
        let (rows, columns) = dimensions(size).unwrap();
        let mut parser = vt100::Parser::new(rows, columns, 0);
        parser.process(output);
        let screen = parser.screen();
        let rows: Vec<_> = screen.rows(0, columns.get()).collect();
        let text = rows.join("\n").trim_end().to_owned();
        (text, screen.cursor_position(), screen.alternate_screen())
    }

    fn modes(output: &[u8]) -> Modes {
        let mut tracker = Tracker::new();
        tracker.follow(output);
        tracker.modes().clone()
    }

    #[test]
    fn another_terminal_looks_the_same() {
        for output in [
            "$ ls\r\na  b\r\n$ ",
            "\x1b[?1049h\x1b[H\x1b[2J~\r\n~\r\n\x1b[7mstatus\x1b[m\x1b[1;5H\x1b[?25l",
            "\x1b[2;4r\x1b[4;1Hone\r\ntwo\r\nthree\x1b[2;3H",
            "\u{65e5}\u{672c} e\u{301} \x1b[38;5;200mcolour\x1b[48;2;1;2;3m!\x1b[0K",
        ] {
            let output = output.as_bytes();
            let modes = modes(output);
            // There, something was shown before, and the last sequence was cut off.
            let before = if modes.is_placed() { "shown before\x1b[12" } else { "\x1b[12" };
            let mut other = before.as_bytes().to_vec();
            other.extend(draw(output, SIZE, SIZE, &modes));
            assert_eq!(shown(&other, SIZE), shown(output, SIZE), "{output:?}");
        }
    }

    #[test]
    fn modes_come_along() {
        let output = b"\x1b[?1049h\x1b[?1004h\x1b[?2004h\x1b[3;5r\x1b[?1002;1006h\x1b[>1u";
        let there = modes(output);
        assert_eq!(modes(&draw(output, SIZE, SIZE, &there)), there);
        // Also those that were set so long ago that nobody has the output any more.
        assert_eq!(modes(&draw(b"", SIZE, SIZE, &there)), there);
    }

    #[test]
    fn long_output_is_read_whole() {
        let output = "\u{e9}\x1b[1m\u{1f600}\u{e9}A\x1b[m\u{e9}\r\n".repeat(1000);
        let drawn = draw(output.as_bytes(), SIZE, SIZE, &Modes::default());
        assert_eq!(shown(&drawn, SIZE), shown(output.as_bytes(), SIZE));
    }

    #[test]
    fn pictures_at_the_end_of_a_line_do_no_harm() {
        let drawn =
            draw("\x1b[10;40H#\u{fe0f}\x1b[9;40Hx".as_bytes(), SIZE, SIZE, &Modes::default());
        assert!(shown(&drawn, SIZE).0.contains('#'));
    }

    #[test]
    fn what_takes_too_long_is_left_out() {
        let slow = b"\x1b[65535b".repeat(30_000);
        let begin = clock::monotonic();
        let drawn = draw(&slow, SIZE, SIZE, &Modes::default());
        assert!(begin.elapsed() < 10 * PATIENCE, "{:?}", begin.elapsed());
        assert_eq!(shown(&drawn, SIZE).0, "");
    }

    #[test]
    fn sizes_that_cannot_be_drawn_leave_an_empty_screen() {
        for (rows, columns) in [(0, 5), (u16::MAX, u16::MAX), (1, 1)] {
            let odd = Size { rows, columns };
            assert!(!draw(b"text", odd, SIZE, &Modes::default()).is_empty());
            assert!(!draw(b"text", SIZE, odd, &Modes::default()).is_empty());
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(
            pieces in prop::collection::vec(
                prop_oneof![
                    "\\PC{0,8}",
                    "\u{1b}\\[[?>]?[0-9]{0,5}(;[0-9]{0,5}){0,3}[@-~]",
                    "[\u{0}-\u{7f}]{0,4}",
                    Just("\u{fe0f}".to_owned()),
                    Just("\u{263a}\u{fe0f}".to_owned()),
                ],
                0..60,
            ),
            sizes in prop::array::uniform4(0u16..60),
        ) {
            let [rows, columns, other_rows, other_columns] = sizes;
            let (from, to) = (Size { rows, columns }, Size { rows: other_rows, columns: other_columns });
            let output = pieces.concat();
            draw(output.as_bytes(), from, to, &modes(output.as_bytes()));
        }

        #[test]
        fn lines_are_drawn_as_they_were(
            pieces in prop::collection::vec(
                prop_oneof![
                    "[a-z\u{e9}\u{65e5} ]{0,50}",
                    Just("\r\n".to_owned()),
                    "\u{1b}\\[[0-9]{1,2}(;[0-9]{1,2})?[HmCJK]",
                ],
                0..20,
            ),
        ) {
            let output = pieces.concat();
            let drawn = draw(output.as_bytes(), SIZE, SIZE, &modes(output.as_bytes()));
            prop_assert_eq!(shown(&drawn, SIZE).0, shown(output.as_bytes(), SIZE).0);
        }
    }
}
