//! The keys that leave a session, found in what is typed.
//!
//! What may be the beginning of the sequence is withheld from the program until it is known not to
//! be, by another key or by time. No key is lost by a sequence that begins anew within itself:
//! after `ctrl-p ctrl-p`, `ctrl-q` leaves (Knuth, Morris and Pratt). Terminals that speak the
//! protocols of kitty (`CSI u`) or xterm (`modifyOtherKeys`) send control keys as sequences of
//! several bytes, which are keys here as well.

use std::time::{Duration, Instant};

use crate::model::DetachKeys;
use crate::sys::clock;

/// How long the beginning of the sequence is withheld.
const PATIENCE: Duration = Duration::from_millis(500);

/// No more bytes are withheld: not even keys that repeat and report their release take as many.
const MOST: usize = 1024;

/// Finds the sequence. Pieces of input may end anywhere between keys.
#[derive(Debug)]
pub struct Matcher {
    keys: Vec<u8>,
    /// For each number of matching keys, how many match still when the next one does not.
    fallback: Vec<usize>,
    /// The keys that match so far, with what else came between them.
    held: Vec<Unit>,
    /// When the last of them came.
    since: Option<Instant>,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The program gets what it gets, and the session goes on.
    Nothing,
    /// The sequence is complete.
    Detach,
}

/// The bytes of one key.
#[derive(Debug)]
struct Unit {
    bytes: Vec<u8>,
    /// Whether it is one of the sequence; the release of a key is not.
    counts: bool,
}

impl Matcher {
    /// For these keys; `None` if there are none.
    pub fn new(keys: &DetachKeys) -> Option<Self> {
        let keys = keys.bytes().to_vec();
        let mut fallback = vec![0; keys.len()];
        for at in 1..keys.len() {
            let mut matched: usize = fallback[at - 1];
            while matched > 0 && keys[matched] != keys[at] {
                matched = fallback[matched - 1];
            }
            fallback[at] = matched + usize::from(keys[matched] == keys[at]);
        }
        (!keys.is_empty()).then_some(Self { keys, fallback, held: Vec::new(), since: None })
    }

    /// Takes what was typed, and adds to `through` what the program gets of it. Nothing of what
    /// stands behind a complete sequence is passed on.
    pub fn take(&mut self, input: &[u8], through: &mut Vec<u8>) -> Found {
        let mut rest = input;
        while !rest.is_empty() {
            let (length, key) = next_key(rest);
            let (unit, after) = rest.split_at(length);
            rest = after;
            match key {
                Key::Press(key) => self.press(key, unit, through),
                // It belongs to a key that may be withheld, and must not overtake it.
                Key::Release if !self.held.is_empty() => {
                    self.held.push(Unit { bytes: unit.to_vec(), counts: false });
                }
                Key::Release => through.extend_from_slice(unit),
                Key::Other => {
                    self.give_up(through);
                    through.extend_from_slice(unit);
                }
            }
            if self.matched() == self.keys.len() {
                self.held.clear();
                return Found::Detach;
            }
            if self.held.iter().map(|unit| unit.bytes.len()).sum::<usize>() > MOST {
                self.give_up(through);
            }
        }
        self.since = (!self.held.is_empty()).then(clock::monotonic);
        Found::Nothing
    }

    /// When what is withheld has to be passed on, if something is.
    pub fn deadline(&self) -> Option<Instant> {
        self.since.and_then(|since| since.checked_add(PATIENCE))
    }

    /// Passes on what is withheld.
    pub fn give_up(&mut self, through: &mut Vec<u8>) {
        self.since = None;
        for unit in self.held.drain(..) {
            through.extend_from_slice(&unit.bytes);
        }
    }

    fn matched(&self) -> usize {
        self.held.iter().filter(|unit| unit.counts).count()
    }

    fn press(&mut self, key: u8, unit: &[u8], through: &mut Vec<u8>) {
        let mut matched = self.matched();
        while matched > 0 && self.keys[matched] != key {
            let keep = self.fallback[matched - 1];
            self.release(matched - keep, through);
            matched = keep;
        }
        if self.keys[matched] == key {
            self.held.push(Unit { bytes: unit.to_vec(), counts: true });
        } else {
            through.extend_from_slice(unit);
        }
    }

    /// Passes on the first so many keys that are withheld, with what belongs to them.
    fn release(&mut self, count: usize, through: &mut Vec<u8>) {
        let is_counted = |(place, unit): (usize, &Unit)| unit.counts.then_some(place);
        let end = self.held.iter().enumerate().filter_map(is_counted).nth(count);
        for unit in self.held.drain(..end.unwrap_or(self.held.len())) {
            through.extend_from_slice(&unit.bytes);
        }
    }
}

/// What a terminal sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    /// A key that has this byte in the oldest of protocols.
    Press(u8),
    /// Such a key was let go.
    Release,
    /// A sequence that stands for no such key.
    Other,
}

/// How many bytes the first key of `input` has, and which it is.
fn next_key(input: &[u8]) -> (usize, Key) {
    if let Some(parameters) = input.strip_prefix(b"\x1b[") {
        let end = parameters.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b';' | b':'));
        if let Some(end) = end.filter(|end| *end > 0) {
            let key = match parameters[end] {
                b'u' => Some(kitty_key(&parameters[..end])),
                b'~' => xterm_key(&parameters[..end]),
                _ => None,
            };
            if let Some(key) = key {
                return (2 + end + 1, key);
            }
        }
    }
    (1, Key::Press(input[0]))
}

/// `CODE[:...][;MODIFIERS[:EVENT]...]`, the keyboard protocol of kitty.
fn kitty_key(parameters: &[u8]) -> Key {
    let mut fields = parameters.split(|byte| *byte == b';');
    let first = |field: Option<&[u8]>, place: usize| {
        field.and_then(|field| number(field.split(|byte| *byte == b':').nth(place)?))
    };
    let (code, modifiers) = (fields.next(), fields.next());
    if first(modifiers, 1) == Some(3) {
        return Key::Release;
    }
    key_of(first(code, 0), first(modifiers, 0).unwrap_or(1))
}

/// `27;MODIFIERS;CODE`, xterm's modifyOtherKeys.
fn xterm_key(parameters: &[u8]) -> Option<Key> {
    let mut fields = parameters.split(|byte| *byte == b';').map(number);
    match (fields.next()?, fields.next()?, fields.next()?, fields.next()) {
        (Some(27), Some(modifiers), code, None) => Some(key_of(code, modifiers)),
        _ => None,
    }
}

/// The key of a character with modifiers, of which only control, and the two locks, may be set.
fn key_of(code: Option<u32>, modifiers: u32) -> Key {
    const CONTROL: u32 = 4;
    const LOCKS: u32 = 64 | 128;
    let byte = code.and_then(|code| u8::try_from(code).ok()).filter(u8::is_ascii);
    match (byte, modifiers.saturating_sub(1) & !LOCKS) {
        (Some(byte), 0) => Key::Press(byte),
        (Some(byte @ (b'@'..=b'_' | b'a'..=b'z')), CONTROL) => Key::Press(byte & 0x1f),
        _ => Key::Other,
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matcher(keys: &str) -> Matcher {
        Matcher::new(&keys.parse().unwrap()).unwrap()
    }

    /// What the program gets of pieces of input, and which piece left, if one did.
    fn typed(keys: &str, pieces: &[&[u8]]) -> (Vec<u8>, Option<usize>) {
        let (mut matcher, mut through) = (matcher(keys), Vec::new());
        for (place, piece) in pieces.iter().enumerate() {
            if matcher.take(piece, &mut through) == Found::Detach {
                return (through, Some(place));
            }
        }
        matcher.give_up(&mut through);
        (through, None)
    }

    #[test]
    fn the_sequence_leaves_and_is_not_passed_on() {
        for pieces in
            [&[&b"ab\x10\x11cd"[..]][..], &[b"ab\x10", b"\x11"], &[b"ab", b"\x10", b"\x11c"]]
        {
            let (through, left) = typed("ctrl-p,ctrl-q", pieces);
            assert_eq!((through.as_slice(), left.is_some()), (&b"ab"[..], true), "{pieces:?}");
        }
    }

    #[test]
    fn a_sequence_that_begins_within_itself_is_found() {
        assert_eq!(typed("ctrl-p,ctrl-q", &[b"\x10\x10\x11"]), (b"\x10".to_vec(), Some(0)));
        assert_eq!(typed("a,a,b", &[b"aaab"]), (b"a".to_vec(), Some(0)));
        assert_eq!(typed("a,b,a,c", &[b"abab", b"ac"]), (b"ab".to_vec(), Some(1)));
    }

    #[test]
    fn what_is_no_sequence_is_passed_on_whole() {
        for input in
            [&b"\x10x"[..], b"\x11\x10", b"\x10\x1b[A", b"\x10\x10", b"plain", b"\x10\x1b["]
        {
            assert_eq!(typed("ctrl-p,ctrl-q", &[input]), (input.to_vec(), None), "{input:?}");
        }
    }

    #[test]
    fn the_beginning_is_withheld_for_a_while() {
        let (mut matcher, mut through) = (matcher("ctrl-p,ctrl-q"), Vec::new());
        assert_eq!(matcher.take(b"a", &mut through), Found::Nothing);
        assert_eq!(matcher.deadline(), None);
        assert_eq!(matcher.take(b"\x10", &mut through), Found::Nothing);
        assert!(matcher.deadline().is_some_and(|until| until > clock::monotonic()));
        assert_eq!(through, b"a");
        matcher.give_up(&mut through);
        assert_eq!((through.as_slice(), matcher.deadline()), (&b"a\x10"[..], None));
        assert_eq!(matcher.take(b"\x11", &mut through), Found::Nothing);
    }

    #[test]
    fn keys_of_newer_protocols_are_keys() {
        for input in [
            &b"\x1b[112;5u\x1b[113;5u"[..],
            b"\x1b[112;5:1u\x1b[112;5:3u\x1b[113;5:1u",
            b"\x1b[112;69u\x1b[113;133u",
            b"\x1b[112:80;5u\x1b[113;5;17u",
            b"\x1b[27;5;112~\x1b[27;5;113~",
            b"\x10\x1b[113;5u",
        ] {
            assert_eq!(typed("ctrl-p,ctrl-q", &[input]), (vec![], Some(0)), "{input:?}");
        }
        for input in [&b"\x1b[112;5u\x1b[113;6u"[..], b"\x1b[112u\x1b[113;5u", b"\x10\x1b[3;5~"] {
            assert_eq!(typed("ctrl-p,ctrl-q", &[input]), (input.to_vec(), None), "{input:?}");
        }
    }

    #[test]
    fn letting_keys_go_for_ever_is_not_withheld_for_ever() {
        let input = b"\x1b[112;5:3u".repeat(MOST);
        let (mut matcher, mut through) = (matcher("ctrl-p,ctrl-q"), Vec::new());
        matcher.take(b"\x10", &mut through);
        matcher.take(&input, &mut through);
        assert!(through.len() > input.len() - MOST - 20);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_doubled_or_swapped(
            keys in "(a|b|c)(,(a|b|c)){0,4}",
            pieces in prop::collection::vec("[abc]{1,4}", 0..12),
        ) {
            let whole: String = pieces.concat();
            let pieces: Vec<_> = pieces.iter().map(String::as_bytes).collect();
            let (through, left) = typed(&keys, &pieces);
            let sequence = keys.replace(',', "");
            match whole.find(&sequence) {
                Some(at) => prop_assert_eq!(&through, &whole.as_bytes()[..at]),
                None => prop_assert_eq!(through, whole.as_bytes()),
            }
            prop_assert_eq!(left.is_some(), whole.contains(&sequence));
        }
    }
}
