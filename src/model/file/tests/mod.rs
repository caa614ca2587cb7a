//! What is wrong with a file: the exact message, place and help of every kind of mistake.

mod accepted;
mod keys;
mod network;
mod rules;
mod syntax;
mod values;

use super::{Diagnostic, line_column};
use crate::model::strategy::parse;

/// A pod with these keys at its top, from line 3.
fn in_pod(keys: &str) -> String {
    format!(
        "name = \"web\"\nnetwork = \"none\"\n{keys}\n[[containers]]\nname = \"app\"\nimage = \"a\"\n"
    )
}

/// A pod on tank's bridge with these keys at its top, from line 3.
fn in_bridged_pod(keys: &str) -> String {
    in_pod(keys).replace("\"none\"", "\"bridge\"")
}

/// A pod with these keys in its container, from line 6.
fn in_container(keys: &str) -> String {
    format!(
        "name = \"web\"\nnetwork = \"none\"\n[[containers]]\nname = \"app\"\nimage = \"a\"\n{keys}\n"
    )
}

fn text(text: &str) -> String {
    text.to_owned()
}

/// The errors of a file as `LINE:COLUMN MESSAGE (HELP)`.
fn errors(source: &str) -> Vec<String> {
    let tell = |error: Diagnostic| {
        let (line, column) = line_column(source, error.span.start);
        let help = error.help.map(|help| format!(" ({help})")).unwrap_or_default();
        format!("{line}:{column} {}{help}", error.message)
    };
    parse(source).expect_err(source).into_iter().map(tell).collect()
}

fn check(cases: &[(String, &[&str])]) {
    for (source, expected) in cases {
        assert_eq!(errors(source), *expected, "{source}");
    }
}
