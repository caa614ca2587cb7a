//! Directories that are watched for changes of what is in them: inotify(7).

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;

use super::{Error, Result, poll};

/// Directories that are watched.
#[derive(Debug)]
pub struct Watch {
    fd: OwnedFd,
}

/// A directory among those of a [`Watch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watched(i32);

/// What happened in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// A file was written to.
    Written(Watched),
    /// A file was made in it or moved into it.
    Files(Watched),
    /// Something was removed from it.
    Removed(Watched),
    /// More than the kernel keeps: anything anywhere.
    Anything,
}

impl Watch {
    /// Watches nothing yet.
    pub fn new() -> Result<Self> {
        let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)
            .map_err(|errno| Error::new("inotify_init1", "", errno))?;
        Ok(Self { fd })
    }

    /// Watches what is written in a directory and what comes into it. Doing so again changes
    /// nothing; another directory of the same name is another one.
    ///
    /// # Errors
    /// It cannot be watched; [`Error::is_not_found`] if it is not there.
    pub fn additions(&self, directory: &Path) -> Result<Watched> {
        self.add(directory, WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVED_TO)
    }

    /// Watches what is removed from a directory. The removal of a directory is an event in the one
    /// above it at once, and in itself only when none of its files is open any more.
    ///
    /// # Errors
    /// As for [`Watch::additions`].
    pub fn removals(&self, directory: &Path) -> Result<Watched> {
        self.add(directory, WatchFlags::DELETE)
    }

    fn add(&self, directory: &Path, events: WatchFlags) -> Result<Watched> {
        inotify::add_watch(&self.fd, directory, events | WatchFlags::ONLYDIR).map(Watched).map_err(
            |errno| Error::new("inotify_add_watch", directory.display().to_string(), errno),
        )
    }

    /// Waits for news; there are none when `timeout` passes first.
    pub fn wait(&self, timeout: Duration) -> Result<Vec<News>> {
        let mut news = Vec::new();
        if !poll::readable(self.fd.as_fd(), Some(timeout))? {
            return Ok(news);
        }
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(&self.fd, &mut buffer);
        // One read: a file that is written without a pause would have news for ever.
        let mut is_read = false;
        while !is_read || !events.is_buffer_empty() {
            match events.next() {
                Ok(event) => {
                    is_read = true;
                    let new = kind(event.events(), Watched(event.wd()));
                    news.extend(new.filter(|new| !news.contains(new)));
                }
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(Error::new("read", "inotify", errno)),
            }
        }
        Ok(news)
    }
}

/// `None` for what says that a directory is watched no longer.
fn kind(events: ReadFlags, watched: Watched) -> Option<News> {
    if events.contains(ReadFlags::QUEUE_OVERFLOW) {
        Some(News::Anything)
    } else if events.contains(ReadFlags::DELETE) {
        Some(News::Removed(watched))
    } else if events.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO) {
        Some(News::Files(watched))
    } else {
        events.contains(ReadFlags::MODIFY).then_some(News::Written(watched))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn news_say_what_happened_and_where() {
        let tmp = tempfile::tempdir().unwrap();
        let (one, two) = (tmp.path().join("one"), tmp.path().join("two"));
        let watch = Watch::new().unwrap();
        assert!(watch.additions(&one).unwrap_err().is_not_found());
        crate::sys::file::make_dir(&one, 0o700).unwrap();
        crate::sys::file::make_dir(&two, 0o700).unwrap();
        let (first, second) = (watch.additions(&one).unwrap(), watch.additions(&two).unwrap());
        let above = watch.removals(tmp.path()).unwrap();
        assert_eq!(watch.additions(&one).unwrap(), first);
        let long = Duration::from_secs(10);
        assert_eq!(watch.wait(Duration::ZERO).unwrap(), []);
        let mut file = std::fs::File::create_new(one.join("file")).unwrap();
        assert_eq!(watch.wait(long).unwrap(), [News::Files(first)]);
        file.write_all(b"x").unwrap();
        file.write_all(b"y").unwrap();
        assert_eq!(watch.wait(long).unwrap(), [News::Written(first)]);
        std::fs::rename(one.join("file"), two.join("file")).unwrap();
        assert_eq!(watch.wait(long).unwrap(), [News::Files(second)]);
        std::fs::remove_file(two.join("file")).unwrap();
        std::fs::remove_dir(two).unwrap();
        assert_eq!(watch.wait(long).unwrap(), [News::Removed(above)]);
    }
}
