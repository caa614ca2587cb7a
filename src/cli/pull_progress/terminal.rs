//! The terminal that bars are drawn on.

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use indicatif::TermLike;

use crate::term::size::{self, Size};

/// The size of a terminal that does not know its own.
const DEFAULT_SIZE: Size = Size { rows: 24, columns: 80 };

/// A terminal that is written to at once for each drawing.
#[derive(Debug)]
pub(super) struct Terminal {
    file: File,
    pending: Mutex<Vec<u8>>,
}

impl Terminal {
    pub(super) fn new(file: File) -> Self {
        Self { file, pending: Mutex::default() }
    }

    fn size(&self) -> Size {
        let size = size::of(&self.file);
        size.filter(|size| size.rows > 0 && size.columns > 0).unwrap_or(DEFAULT_SIZE)
    }

    fn add(&self, text: &str) -> io::Result<()> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.extend_from_slice(text.as_bytes());
        Ok(())
    }

    /// Moves the cursor: CSI `count` `direction` of ECMA-48.
    fn move_by(&self, count: usize, direction: char) -> io::Result<()> {
        if count == 0 { Ok(()) } else { self.add(&format!("\x1b[{count}{direction}")) }
    }
}

impl TermLike for Terminal {
    fn width(&self) -> u16 {
        self.size().columns
    }

    fn height(&self) -> u16 {
        self.size().rows
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.move_by(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.move_by(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.move_by(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.move_by(n, 'D')
    }

    fn write_line(&self, s: &str) -> io::Result<()> {
        self.add(s)?;
        self.add("\n")
    }

    fn write_str(&self, s: &str) -> io::Result<()> {
        self.add(s)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.add("\r\x1b[2K")
    }

    fn flush(&self) -> io::Result<()> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let written = (&self.file).write_all(&pending);
        pending.clear();
        written
    }
}
