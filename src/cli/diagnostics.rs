//! Errors of pod files, shown in their place: file, line, column and a caret.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::text;
use crate::model::file::Diagnostic;

/// The widest that a rendered line may be where the width of the output is not known.
const WIDTH: usize = 100;

/// A pod file, read.
#[derive(Debug)]
pub struct Source {
    /// Its name, for people.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// Renders what is wrong with a file, one block a finding.
pub fn render(
    source: &Source,
    findings: &[Diagnostic],
    color: bool,
    width: Option<usize>,
) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(width.unwrap_or(WIDTH));
    let shown = without_c1(&source.text);
    let name = text::escape(&source.name);
    let mut rendered = String::new();
    for finding in findings {
        let span = within(&shown, &finding.span);
        let mut annotation = AnnotationKind::Primary.span(span);
        if let Some(label) = &finding.label {
            annotation = annotation.label(text::escape(label).into_owned());
        }
        let snippet = Snippet::source(shown.as_str()).path(name.as_ref()).annotation(annotation);
        let title = Level::ERROR.primary_title(text::escape(&finding.message).into_owned());
        let mut group: Group<'_> = title.element(snippet);
        if let Some(help) = &finding.help {
            group = group.element(Level::HELP.message(text::escape(help).into_owned()));
        }
        rendered.push_str(&renderer.render(&[group]));
        rendered.push_str("\n\n");
    }
    rendered
}

/// Replaces the C1 control characters, which the renderer lets through, by a character of the same
/// length, so that spans still fit.
fn without_c1(text: &str) -> String {
    text.replace(|c| ('\u{80}'..='\u{9f}').contains(&c), "\u{bf}")
}

/// The part of a span that is inside the text and ends between two characters.
fn within(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let end = text.ceil_char_boundary(span.end.min(text.len()));
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(span: Range<usize>) -> Diagnostic {
        Diagnostic {
            span,
            message: "unknown key `nmae`".into(),
            label: Some("not a key of a pod".into()),
            help: Some("there is `name`".into()),
        }
    }

    #[test]
    fn the_place_is_named_and_pointed_at() {
        let source = Source { name: "web.toml".into(), text: "# a\nnmae = \"web\"\n".into() };
        let shown = render(&source, &[finding(4..8)], false, None);
        assert!(shown.contains("web.toml:2:1"), "{shown}");
        assert!(shown.contains("^^^^ not a key of a pod"), "{shown}");
        assert!(shown.contains("there is `name`"), "{shown}");
    }

    #[test]
    fn a_span_outside_of_the_text_is_cut() {
        let source = Source { name: "x".into(), text: "é".into() };
        for span in [0..1, 1..9, 7..9, 2..2] {
            assert!(render(&source, &[finding(span)], false, None).contains("nmae"));
        }
    }

    #[test]
    fn nothing_in_the_file_reaches_the_terminal_raw() {
        let text = "nmae = \"\u{1b}[2J\u{9b}\u{202e}\"\n";
        let source = Source { name: "a\u{1b}b".into(), text: text.into() };
        let shown = render(&source, &[finding(0..4)], false, None);
        assert!(!shown.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{shown:?}");
    }
}
