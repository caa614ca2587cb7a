//! What is wrong with a file, and where.

use std::ops::Range;

/// Something that is wrong with a pod file, or that cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where, in bytes from the start of the text.
    pub span: Range<usize>,
    /// What is wrong, in one line of lower-case text without a final stop.
    pub message: String,
    /// What to write beside the marked text.
    pub label: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A problem at a place.
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), label: None, help: None }
    }

    /// A file that is not UTF-8 text from a place on.
    pub fn not_utf8(place: usize) -> Self {
        Self::new(place..place + 1, "the file is not UTF-8 text")
            .with_label("this byte starts no character")
            .with_help("save it as UTF-8")
    }

    pub(super) fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The line and the column of a place in a text, both from 1; columns count characters.
pub fn line_column(source: &str, offset: usize) -> (usize, usize) {
    let before = &source[..source.floor_char_boundary(offset)];
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before[start..].trim_start_matches('\u{feff}').chars().count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_from_one() {
        let source = "\u{feff}a\r\né=1\n";
        assert_eq!(line_column(source, 0), (1, 1));
        assert_eq!(line_column(source, 3), (1, 1));
        assert_eq!(line_column(source, 4), (1, 2));
        assert_eq!(line_column(source, 6), (2, 1));
        assert_eq!(line_column(source, 8), (2, 2));
        assert_eq!(line_column(source, 999), (3, 1));
        assert_eq!(line_column("", 0), (1, 1));
    }
}
