//! One entry of a log file.

use jiff::Timestamp;

/// Where a piece of output came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output, or a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// Its name in the file.
    fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }

    /// Its place in a pair of things of which each stream has one.
    pub(super) fn index(self) -> usize {
        match self {
            Self::Stdout => 0,
            Self::Stderr => 1,
        }
    }
}

/// One entry, without the line feed behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    /// When it was read from the container.
    pub(super) time: Timestamp,
    pub(super) stream: Stream,
    /// The text, without the line feed that the container wrote.
    pub(super) text: &'a [u8],
    /// Whether the line ends with it.
    pub(super) ends: bool,
}

impl<'a> Entry<'a> {
    /// Takes an entry apart; `None` if it is none.
    pub(super) fn parse(entry: &'a [u8]) -> Option<Self> {
        let mut fields = entry.splitn(4, |byte| *byte == b' ');
        let (time, stream, tags) = (fields.next()?, fields.next()?, fields.next()?);
        let stream = match stream {
            b"stdout" => Stream::Stdout,
            b"stderr" => Stream::Stderr,
            _ => return None,
        };
        // More tags may follow the first, with colons between.
        let ends = match tags.split(|byte| *byte == b':').next()? {
            b"F" => true,
            b"P" => false,
            _ => return None,
        };
        let time = std::str::from_utf8(time).ok()?.parse().ok()?;
        Some(Self { time, stream, text: fields.next()?, ends })
    }
}

/// A time as entries have it.
pub(super) fn stamp(time: Timestamp) -> String {
    format!("{time:.9}")
}

/// How long an entry is in the file.
pub(super) fn length(stamp: &str, text: &[u8]) -> usize {
    stamp.len() + " stdout F ".len() + text.len() + 1
}

/// Appends an entry whose time is [`stamp`].
pub(super) fn write(into: &mut Vec<u8>, stamp: &str, stream: Stream, text: &[u8], ends: bool) {
    for part in [stamp, " ", stream.name(), if ends { " F " } else { " P " }] {
        into.extend_from_slice(part.as_bytes());
    }
    into.extend_from_slice(text);
    into.push(b'\n');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn entries_are_those_of_the_runtime_interface() {
        let time = "2026-01-02T03:04:05.000000006Z".parse().unwrap();
        let mut file = Vec::new();
        write(&mut file, &stamp(time), Stream::Stderr, b"a  b\r", false);
        assert_eq!(file, b"2026-01-02T03:04:05.000000006Z stderr P a  b\r\n");
        assert_eq!(file.len(), length(&stamp(time), b"a  b\r"));
    }

    #[test]
    fn what_is_no_entry_is_told_from_one() {
        let time = "2026-01-02T03:04:05.000000006Z";
        let tagged = format!("{time} stdout F:more:tags text");
        assert_eq!(Entry::parse(tagged.as_bytes()).unwrap().text, b"text");
        for text in
            ["", "x", "x stdout F y", &format!("{time} stdin F y"), &format!("{time} stdout")]
        {
            assert_eq!(Entry::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Entry::parse(format!("{time} stdout X y").as_bytes()), None);
    }

    proptest! {
        #[test]
        fn every_entry_reads_back(text: Vec<u8>, ends: bool, nanosecond in 0i64..1 << 60) {
            let text: Vec<u8> = text.into_iter().filter(|byte| *byte != b'\n').collect();
            let time = Timestamp::from_nanosecond(nanosecond.into()).unwrap();
            let mut file = Vec::new();
            write(&mut file, &stamp(time), Stream::Stdout, &text, ends);
            let entry = Entry { time, stream: Stream::Stdout, text: &text, ends };
            prop_assert_eq!(Entry::parse(file.strip_suffix(b"\n").unwrap()), Some(entry));
        }
    }
}
