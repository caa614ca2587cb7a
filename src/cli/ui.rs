//! The only writer to standard output and standard error.
//!
//! Callers hand in plain text and a style. Text is escaped when it goes to a terminal, styles are
//! left out where they do not belong, and output is buffered until the command ends or
//! [`Stream::flush`] is called.

use std::fmt;
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;

use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;

use super::table::Table;
use super::text;
use crate::term::size;

/// Plain text.
pub const PLAIN: Style = Style::new();
/// Names and headings.
pub const STRONG: Style = Style::new().bold();
/// What can be skipped when reading.
pub const FAINT: Style = Style::new().dimmed();
/// As it should be.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Worth a look.
pub const ODD: Style = AnsiColor::Yellow.on_default();
/// Not as it should be.
pub const BAD: Style = AnsiColor::Red.on_default();

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How much to say beside the result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Only results and errors.
    Quiet,
    /// Progress too, to a terminal.
    #[default]
    Normal,
    /// Progress, wherever it goes.
    Verbose,
}

/// Standard output and standard error.
#[derive(Debug)]
pub struct Ui {
    /// Results.
    pub out: Stream,
    /// Errors, progress and notes.
    pub err: Stream,
    verbosity: Verbosity,
}

impl Ui {
    /// Locks the two streams of the process.
    pub fn new(color: Color, verbosity: Verbosity) -> Self {
        Self {
            out: Stream::new(io::stdout().lock(), color),
            err: Stream::new(io::stderr().lock(), color),
            verbosity,
        }
    }

    /// Whether progress is wanted on standard error.
    pub fn shows_progress(&self) -> bool {
        match self.verbosity {
            Verbosity::Quiet => false,
            Verbosity::Normal => self.err.terminal,
            Verbosity::Verbose => true,
        }
    }

    /// Whether confirmations and summaries are wanted on standard output.
    pub fn is_quiet(&self) -> bool {
        self.verbosity == Verbosity::Quiet
    }

    /// Writes a warning, at once. A standard error that cannot be written to must not stop the
    /// work.
    pub fn warn(&mut self, text: &str) {
        let written = self.err.styled(ODD, "tank: warning: ").and_then(|()| self.err.line(text));
        drop(written.and_then(|()| self.err.flush()));
    }

    /// Writes a note, at once.
    pub fn note(&mut self, text: &str) {
        let written = self.err.styled(STRONG, "tank: note: ").and_then(|()| self.err.line(text));
        drop(written.and_then(|()| self.err.flush()));
    }

    /// Writes a line of progress, at once, if it is wanted. A standard error that cannot be
    /// written to must not stop the work.
    pub fn progress(&mut self, style: Style, line: &str) {
        if self.shows_progress() {
            let written = self.err.styled(style, line).and_then(|()| self.err.text("\n"));
            drop(written.and_then(|()| self.err.flush()));
        }
    }
}

/// One output stream, with what is known of its reader.
pub struct Stream {
    sink: BufWriter<Box<dyn Write>>,
    terminal: bool,
    color: bool,
    width: Option<usize>,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("terminal", &self.terminal).finish_non_exhaustive()
    }
}

impl Stream {
    fn new<S>(sink: S, color: Color) -> Self
    where
        S: Write + AsFd + anstream::stream::RawStream + 'static,
    {
        let terminal = sink.is_terminal();
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => anstream::AutoStream::choice(&sink) != anstream::ColorChoice::Never,
        };
        let width = terminal.then(|| size::of(sink.as_fd())).flatten();
        let width = width.map(|size| usize::from(size.columns)).filter(|columns| *columns > 0);
        Self { sink: BufWriter::new(Box::new(sink)), terminal, color, width }
    }

    /// Whether styles are used.
    pub fn color(&self) -> bool {
        self.color
    }

    /// Whether it goes to a terminal.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// How many columns its terminal has.
    pub fn width(&self) -> Option<usize> {
        self.width
    }

    /// Writes text of several lines; all but the line feeds is escaped.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.styled(PLAIN, text)
    }

    /// Writes text and a line feed.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        self.text(text)?;
        self.sink.write_all(b"\n")
    }

    /// As [`Stream::text`], in a style.
    pub fn styled(&mut self, style: Style, text: &str) -> io::Result<()> {
        let style = if self.color { style } else { PLAIN };
        write!(self.sink, "{style}")?;
        for (number, line) in text.split('\n').enumerate() {
            if number > 0 {
                self.sink.write_all(b"\n")?;
            }
            let line = if self.terminal { text::escape(line) } else { line.into() };
            self.sink.write_all(line.as_bytes())?;
        }
        write!(self.sink, "{style:#}")
    }

    /// Writes bytes of others: as they are, except that a terminal gets them escaped.
    pub fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.terminal {
            let shown = String::from_utf8_lossy(bytes);
            return self.sink.write_all(text::escape(&shown).as_bytes());
        }
        self.sink.write_all(bytes)
    }

    /// Writes what tank itself generated, styles and all.
    pub fn generated(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sink.write_all(bytes)
    }

    /// Where bytes can be written as they are. Not for a terminal.
    pub fn raw(&mut self) -> &mut dyn Write {
        &mut self.sink
    }

    /// Writes a JSON document over several lines.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let document = serde_json::to_string_pretty(value)?;
        self.json_text(&document)
    }

    /// Writes a JSON document on one line, at once: one of a stream.
    pub fn json_line(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.json_object(value)?;
        self.flush()
    }

    /// As [`Stream::json_line`], for when there are more to come at once.
    pub fn json_object(&mut self, value: &impl Serialize) -> io::Result<()> {
        let document = serde_json::to_string(value)?;
        self.json_text(&document)
    }

    fn json_text(&mut self, document: &str) -> io::Result<()> {
        let document = if self.terminal { text::escape_json(document) } else { document.into() };
        self.sink.write_all(document.as_bytes())?;
        self.sink.write_all(b"\n")
    }

    /// Writes a table, fitted to the terminal.
    pub fn table(&mut self, table: &Table) -> io::Result<()> {
        for line in table.layout(self.width) {
            for (style, cell) in line {
                self.styled(style, &cell)?;
            }
            self.sink.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Hands everything that was written to the kernel.
    pub fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

#[cfg(test)]
pub mod testing {
    //! A user interface whose output can be read back.

    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    /// What was written to a stream.
    #[derive(Debug, Clone, Default)]
    pub struct Written(Rc<RefCell<Vec<u8>>>);

    impl Written {
        /// Everything so far, as text.
        pub fn text(&self) -> String {
            String::from_utf8(self.0.borrow().clone()).unwrap()
        }
    }

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A stream into memory; with a width, it is a terminal of that width.
    pub fn stream(width: Option<usize>) -> (Stream, Written) {
        let written = Written::default();
        let sink: Box<dyn Write> = Box::new(written.clone());
        let terminal = width.is_some();
        (Stream { sink: BufWriter::new(sink), terminal, color: false, width }, written)
    }

    /// Two streams into memory that are not terminals.
    pub fn ui(verbosity: Verbosity) -> (Ui, Written, Written) {
        let (out, out_text) = stream(None);
        let (err, err_text) = stream(None);
        (Ui { out, err, verbosity }, out_text, err_text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_escapes_and_a_pipe_gets_the_bytes() {
        let (mut terminal, shown) = testing::stream(Some(80));
        terminal.bytes(b"\x1b[2J\xff").unwrap();
        terminal.flush().unwrap();
        assert_eq!(shown.text(), "\\u{1b}[2J\u{fffd}");

        let (mut pipe, piped) = testing::stream(None);
        pipe.bytes(b"\x1b[2J").unwrap();
        pipe.flush().unwrap();
        assert_eq!(piped.text(), "\x1b[2J");
    }

    #[test]
    fn progress_goes_to_a_terminal_or_to_who_asked_for_it() {
        for (verbosity, expected) in
            [(Verbosity::Quiet, ""), (Verbosity::Normal, ""), (Verbosity::Verbose, "x\n")]
        {
            let (mut ui, _, err) = testing::ui(verbosity);
            ui.progress(PLAIN, "x");
            assert_eq!(err.text(), expected);
        }
    }
}
