//! The log of a container, across rotation and restarts.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rustix::fs::inotify;

use super::error::{Error, Kind};
use super::{App, LogLine, LogStream, LogsRequest};
use crate::model::ContainerRef;
use crate::plan::{Phase, status};
use crate::sys::{clock, poll};

/// How often a follower without news looks whether there can be any more.
const LOOK: Duration = Duration::from_secs(1);

/// Where lines go.
type Sink<'a> = &'a mut dyn FnMut(LogLine<'_>) -> io::Result<()>;

impl App {
    /// Hands the lines of a container's log to `sink`, whose failure ends the reading and comes
    /// back as the source of the error.
    pub fn logs(
        &self,
        target: &ContainerRef,
        request: &LogsRequest,
        sink: Sink<'_>,
    ) -> Result<(), Error> {
        let directory = self.log_directory(target)?;
        let failed = |e: io::Error| {
            Error::new(Kind::Failed, format!("cannot read the log of {target}")).because(e)
        };
        // Watched before it is read: what is written meanwhile is an event.
        let watch =
            if request.follow { Some(Watch::new(&directory).map_err(failed)?) } else { None };
        let mut reader = Reader::default();
        match request.lines {
            Some(lines) => reader.tail(&directory, lines, sink).map_err(failed)?,
            None => reader.read(&directory, sink).map_err(failed)?,
        }
        let Some(watch) = watch else { return Ok(()) };
        loop {
            let over = !self.may_write(target)?;
            let news = watch.wait(if over { Duration::ZERO } else { LOOK }).map_err(failed)?;
            reader.read(&directory, sink).map_err(failed)?;
            if over && !news {
                return Ok(());
            }
        }
    }

    fn log_directory(&self, target: &ContainerRef) -> Result<PathBuf, Error> {
        let name = self.container(target)?;
        Ok(self.engine()?.directories.pod_logs(&target.pod).join(name))
    }

    /// Whether anything may still be written to the pod's logs.
    fn may_write(&self, target: &ContainerRef) -> Result<bool, Error> {
        let only = BTreeSet::from([target.pod.clone()]);
        let snapshot = self.engine()?.snapshot(Some(&only));
        let snapshot = snapshot.map_err(|e| Error::of_engine("cannot look at the pod", e))?;
        let (Some(desired), Some(observed)) =
            (snapshot.desired.first(), snapshot.observed.pods.get(&target.pod))
        else {
            return Ok(false);
        };
        let phase = status(desired, observed, clock::now()).phase;
        Ok(!matches!(phase, Phase::Completed | Phase::Failed | Phase::Stopped))
    }
}

/// Wakes when something happens in a directory.
struct Watch(std::os::fd::OwnedFd);

impl Watch {
    fn new(directory: &Path) -> io::Result<Self> {
        use inotify::{CreateFlags, WatchFlags};
        let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let events = WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVED_TO;
        inotify::add_watch(&fd, directory, events)?;
        Ok(Self(fd))
    }

    /// Waits for news; `false` when the time is over.
    fn wait(&self, timeout: Duration) -> io::Result<bool> {
        use std::os::fd::AsFd;
        let news = poll::readable(self.0.as_fd(), Some(timeout)).map_err(io::Error::from)?;
        let mut buffer = [0; 4096];
        while news && rustix::io::read(&self.0, &mut buffer).is_ok() {}
        Ok(news)
    }
}

/// Reads log files in the order they were written, each once, whatever they are called by now.
#[derive(Default)]
struct Reader {
    /// How far each file was read, by its inode.
    offsets: BTreeMap<u64, u64>,
}

impl Reader {
    /// Hands over everything that was not read yet.
    fn read(&mut self, directory: &Path, sink: Sink<'_>) -> io::Result<()> {
        for path in files(directory)? {
            self.read_file(&path, &mut |line| emit(line, sink))?;
        }
        Ok(())
    }

    /// Hands over the last `count` lines, and takes the others as read.
    fn tail(&mut self, directory: &Path, count: usize, sink: Sink<'_>) -> io::Result<()> {
        let mut entries: VecDeque<Vec<u8>> = VecDeque::new();
        let mut lines = 0;
        for path in files(directory)? {
            self.read_file(&path, &mut |entry| {
                entries.push_back(entry.to_vec());
                lines += usize::from(is_whole(entry));
                while lines > count {
                    let Some(first) = entries.pop_front() else { break };
                    lines -= usize::from(is_whole(&first));
                }
                Ok(())
            })?;
        }
        entries.iter().try_for_each(|entry| emit(entry, sink))
    }

    fn read_file(
        &mut self,
        path: &Path,
        each: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let file = match File::open(path) {
            Ok(file) => file,
            // Rotated away since the directory was listed; its next name is read the next time.
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(e),
        };
        let offset = self.offsets.entry(file.metadata()?.ino()).or_default();
        let mut reader = BufReader::with_capacity(64 * 1024, file);
        io::Seek::seek(&mut reader, io::SeekFrom::Start(*offset))?;
        let mut entry = Vec::new();
        loop {
            entry.clear();
            let length = reader.read_until(b'\n', &mut entry)?;
            // An entry without its end is still being written.
            let Some(whole) = entry.strip_suffix(b"\n") else { return Ok(()) };
            each(whole)?;
            *offset += length as u64;
        }
    }
}

/// The log files of a container, oldest first: by attempt, and within one from the highest number
/// of rotation down to the live file.
fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some((attempt, rest)) = name.to_str().and_then(|name| name.split_once(".log")) else {
            continue;
        };
        let rotation = rest.strip_prefix('.').map_or(Ok(0), str::parse::<u32>);
        if let (Ok(attempt), Ok(rotation)) = (attempt.parse::<u32>(), rotation) {
            found.push((attempt, u32::MAX - rotation, entry.path()));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, _, path)| path).collect())
}

/// Splits an entry of the format that the runtime's log writes.
fn parse(entry: &[u8]) -> Option<LogLine<'_>> {
    let mut fields = entry.splitn(4, |byte| *byte == b' ');
    let (time, stream, tag) = (fields.next()?, fields.next()?, fields.next()?);
    let time: Timestamp = std::str::from_utf8(time).ok()?.parse().ok()?;
    let stream = match stream {
        b"stdout" => LogStream::Stdout,
        b"stderr" => LogStream::Stderr,
        _ => return None,
    };
    Some(LogLine { stream, time, text: fields.next()?, partial: tag == b"P" })
}

fn is_whole(entry: &[u8]) -> bool {
    parse(entry).is_some_and(|line| !line.partial)
}

/// Hands over one entry; what is not one (a file that somebody else wrote) is left out.
fn emit(entry: &[u8], sink: Sink<'_>) -> io::Result<()> {
    parse(entry).map_or(Ok(()), sink)
}
