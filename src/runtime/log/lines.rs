//! The lines of a log: entries, put together.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;

use jiff::Timestamp;

use super::entry::Stream;
use super::reader::{Gap, Lives, Piece, Read, Reader};

/// How much of a line is kept in memory, in bytes. A longer one is handed on in parts.
const LONGEST: usize = 1 << 20;

/// A line of a log, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The life of the container that wrote it, counted from 1.
    pub attempt: u32,
    /// Where it was written to.
    pub stream: Stream,
    /// When its beginning was read from the container.
    pub time: Timestamp,
    /// The text, without the line feed at its end.
    pub text: Vec<u8>,
    /// Whether the line does not end with it: more comes, or the container ended before.
    pub partial: bool,
    /// Whether it goes on with the line that the last part of the stream did not end.
    pub continues: bool,
}

/// What is next in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A line, or a part of one.
    Line(Line),
    /// Something that should be there is not.
    Gap(Gap),
}

/// Reads the lines of a container's log, over rotation and restarts, each once.
#[derive(Debug)]
pub struct Lines {
    reader: Reader,
    /// Of each stream, the line whose end has not come yet.
    pending: [Option<Line>; 2],
    ready: VecDeque<Item>,
    /// Whether nothing is written any more.
    over: bool,
    /// Whether the beginning of a line is handed on when its end is not there yet.
    at_once: bool,
}

impl Lines {
    /// Those of some lives in the files of `directory`, which need not be there yet.
    pub fn new(directory: PathBuf, lives: Lives) -> Self {
        Self {
            reader: Reader::new(directory, lives),
            pending: [None, None],
            ready: VecDeque::new(),
            over: false,
            at_once: false,
        }
    }

    /// Hands on the beginning of a line without waiting for its end.
    pub fn at_once(&mut self) {
        self.at_once = true;
    }

    /// Has new files looked for: for when something happened in the directory.
    pub fn refresh(&mut self) {
        self.reader.refresh();
    }

    /// Takes what is there for all that ever will be.
    pub fn finish(&mut self) {
        self.refresh();
        self.over = true;
    }

    /// The next line; `None` if there is none for now.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn read(&mut self) -> io::Result<Option<Item>> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(Some(item));
            }
            match self.reader.read()? {
                Some(Read::Piece(piece)) => self.take(piece),
                Some(Read::Gap(gap)) => {
                    self.hand_on_pending();
                    self.pending = [None, None];
                    self.ready.push_back(Item::Gap(gap));
                }
                None => {
                    if self.over || self.at_once {
                        self.hand_on_pending();
                    }
                    return Ok(self.ready.pop_front());
                }
            }
        }
    }

    fn take(&mut self, piece: Piece) {
        let Piece { attempt, time, stream, text, ends } = piece;
        let of_other_life = |line: &Line| line.attempt != attempt;
        if self.pending.iter().flatten().any(of_other_life) {
            self.hand_on_pending();
            self.pending = [None, None];
        }
        let pending = &mut self.pending[stream.index()];
        let mut line = match pending.take() {
            Some(mut line) => {
                line.text.extend_from_slice(&text);
                line
            }
            None => Line { attempt, stream, time, text, partial: true, continues: false },
        };
        line.partial = !ends;
        if ends {
            self.ready.push_back(Item::Line(line));
        } else {
            let is_long = line.text.len() > LONGEST;
            *pending = Some(line);
            if is_long {
                self.hand_on(stream);
            }
        }
    }

    fn hand_on_pending(&mut self) {
        self.hand_on(Stream::Stdout);
        self.hand_on(Stream::Stderr);
    }

    /// Hands on what there is of a line; what comes continues it.
    fn hand_on(&mut self, stream: Stream) {
        if let Some(line) = &mut self.pending[stream.index()]
            && !line.text.is_empty()
        {
            let rest = Line { text: Vec::new(), continues: true, ..line.clone() };
            self.ready.push_back(Item::Line(std::mem::replace(line, rest)));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::sys::file;

    /// What the lines of some files are: attempt, stream, text, and marks of parts.
    fn lines_of(lines: &mut Lines) -> Vec<String> {
        let show = |item| match item {
            Item::Gap(gap) => gap.to_string(),
            Item::Line(line) => {
                let (before, after) =
                    (if line.continues { "+" } else { "" }, if line.partial { "+" } else { "" });
                let text = String::from_utf8_lossy(&line.text).into_owned();
                format!("{} {:?} {before}{text}{after}", line.attempt, line.stream)
            }
        };
        std::iter::from_fn(|| lines.read().unwrap()).map(show).collect()
    }

    fn write(directory: &std::path::Path, name: &str, entries: &[&str]) {
        let path = directory.join(name);
        let mut file = file::open_or_create(&path, 0o600).unwrap();
        std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).unwrap();
        for entry in entries {
            writeln!(file, "2026-01-02T03:04:05.000000006Z {entry}").unwrap();
        }
    }

    #[test]
    fn parts_are_put_together_over_files_and_between_streams() {
        let tmp = tempfile::tempdir().unwrap();
        write(tmp.path(), "1.log.000001", &["stdout P a", "stderr P x"]);
        write(tmp.path(), "1.log", &["stdout P b", "stdout F c", "stderr F y", "stdout P end"]);
        write(tmp.path(), "2.log", &["stdout F new", "stdout P last"]);
        let mut lines = Lines::new(tmp.path().into(), Lives::All);
        let expected = ["1 Stdout abc", "1 Stderr xy", "1 Stdout end+", "2 Stdout new"];
        assert_eq!(lines_of(&mut lines), expected);
        lines.finish();
        assert_eq!(lines_of(&mut lines), ["2 Stdout last+"]);
        assert_eq!(lines_of(&mut lines), [""; 0]);
    }

    #[test]
    fn beginnings_are_handed_on_where_that_is_wanted() {
        let tmp = tempfile::tempdir().unwrap();
        let mut lines = Lines::new(tmp.path().into(), Lives::One(1));
        lines.at_once();
        write(tmp.path(), "1.log", &["stdout P name? "]);
        lines.refresh();
        assert_eq!(lines_of(&mut lines), ["1 Stdout name? +"]);
        write(tmp.path(), "1.log", &["stdout F tank", "stdout F next"]);
        write(tmp.path(), "2.log", &["stdout F of another life"]);
        assert_eq!(lines_of(&mut lines), ["1 Stdout +tank", "1 Stdout next"]);
        lines.finish();
        assert_eq!(lines_of(&mut lines), [""; 0]);
    }

    #[test]
    fn endless_lines_are_handed_on_in_parts() {
        let tmp = tempfile::tempdir().unwrap();
        let part = format!("stdout P {}", "x".repeat(LONGEST / 2 + 1));
        write(tmp.path(), "1.log", &[&part, &part, &part, "stdout F end"]);
        let mut lines = Lines::new(tmp.path().into(), Lives::All);
        let found = lines_of(&mut lines);
        assert_eq!(found.len(), 2);
        assert!(found[0].ends_with("xx+"));
        assert!(found[1].starts_with("1 Stdout +xx") && found[1].ends_with("xxend"));
    }
}
