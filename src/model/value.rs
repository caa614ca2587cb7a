//! The error of a text that is not a value, and how such a text is quoted in messages.

use super::NameError;

/// Why a text is not a value of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ValueError {
    message: String,
    help: Option<String>,
}

impl ValueError {
    /// Says that `text`, which should have been a `what`, has a `problem`.
    pub(crate) fn new(what: &str, text: &str, problem: &str) -> Self {
        Self { message: format!("{what} {} {problem}", quoted(text)), help: None }
    }

    /// Adds what to write instead.
    pub(crate) fn with_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    /// What to write instead, where that can be guessed.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

impl From<NameError> for ValueError {
    fn from(error: NameError) -> Self {
        Self { message: error.to_string(), help: None }
    }
}

/// The most characters of a user's text that a message repeats.
const SHOWN: usize = 80;

/// A user's text for a message: in quotes, with everything that does not print escaped, and cut.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}...", &text[..end]),
    }
}

/// The words of a list as an English enumeration: `"a"`, `"b" or "c"`.
pub(crate) fn any_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut words: Vec<String> = words.into_iter().map(quoted).collect();
    match words.pop() {
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} or {last}", words.join(", ")),
        None => String::new(),
    }
}

/// Finds a character that may not stand in a name, a path or a line of a configuration file.
pub(crate) fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}
