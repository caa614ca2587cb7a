//! Text of others on its way to a terminal.
//!
//! Names, messages and log lines come from images, containers and files. Printed raw, they could
//! move the cursor, set the title, or make one line look like another.

use std::borrow::Cow;

/// Whether a terminal may do something else with this character than show it: the C0 and C1
/// control characters, the line separators, and the marks that turn the direction of writing
/// (Unicode Standard Annex #9).
fn steers_terminal(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Replaces what could steer a terminal by visible escapes: `\u{1b}`, `\n`. Tabs stay.
pub fn escape(text: &str) -> Cow<'_, str> {
    escape_with(text, |c| c.escape_default().to_string())
}

/// As [`escape`], in the escapes of JSON, so that a document stays valid. Line feeds stay.
pub fn escape_json(text: &str) -> Cow<'_, str> {
    escape_with(text, |c| match c {
        '\n' => "\n".to_owned(),
        c => format!("\\u{:04x}", u32::from(c)),
    })
}

fn escape_with(text: &str, escaped: impl Fn(char) -> String) -> Cow<'_, str> {
    let steers = |c: char| steers_terminal(c) && c != '\t';
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if steers(c) {
            safe.push_str(&escaped(c));
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_becomes_visible() {
        assert_eq!(escape("a\x1b[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(escape("a\u{9b}b"), "a\\u{9b}b");
        assert_eq!(escape("\u{202e}exe.txt"), "\\u{202e}exe.txt");
        assert_eq!(escape("one\ntwo\r"), "one\\ntwo\\r");
        assert_eq!(escape("a\u{2028}b\x7f"), "a\\u{2028}b\\u{7f}");
    }

    #[test]
    fn other_text_is_left_alone() {
        assert!(matches!(escape("grüße\t日本"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_stays_json() {
        let document = serde_json::to_string_pretty(&["a\u{9b}\u{202e}b\x1b"]).unwrap();
        let safe = escape_json(&document);
        assert!(!safe.contains(|c| steers_terminal(c) && c != '\n'));
        assert_eq!(
            serde_json::from_str::<Vec<String>>(&safe).unwrap(),
            vec!["a\u{9b}\u{202e}b\x1b"]
        );
    }
}
