//! Strings and keys of TOML.

/// A string in quotes; one of several lines keeps its lines.
///
/// What does not show, or would show something else than it is, is escaped: control characters
/// and those that change the direction of the text.
pub(super) fn string(text: &str) -> String {
    let lines = text.contains('\n');
    let mut quoted = String::from(if lines { "\"\"\"\n" } else { "\"" });
    for (index, c) in text.char_indices() {
        match c {
            '\n' if lines => quoted.push('\n'),
            // Three in a row would end it, and so would one more before the three at the end.
            '"' if lines && !quoted.ends_with("\"\"") && index + 1 < text.len() => quoted.push('"'),
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if c.is_control() || is_format(c) => {
                let code = format!("\\u{:04X}", u32::from(c));
                quoted.push_str(&code);
            }
            c => quoted.push(c),
        }
    }
    quoted.push_str(if lines { "\"\"\"" } else { "\"" });
    quoted
}

/// Invisible marks and changes of direction (Unicode's bidirectional algorithm, UAX #9).
fn is_format(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A key, in quotes if it needs them.
pub(super) fn key(name: &str) -> String {
    let bare = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-');
    match !name.is_empty() && name.bytes().all(bare) {
        true => name.to_owned(),
        false => string(name),
    }
}
