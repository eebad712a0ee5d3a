//! The file of a log: opening it, and by what it is known to be the one whose filters were made, perhaps longer.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Bytes at the beginning and before the end of what was read that are looked at.
const KNOWN_BY: u64 = 1024;
/// A file that was written so lately, or by a clock that is ahead, may have been written again at the same time.
const QUIET: Duration = Duration::from_secs(60);

/// Opens a regular file: a pipe would wait for a writer, and a device may never end.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is no regular file"));
    }
    File::open(path)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) len: u64,
    /// Nanoseconds since 1970; 0: not told.
    pub(crate) modified: u64,
    /// Hashes of the first bytes and of the last that the filters cover.
    pub(crate) head: u32,
    pub(crate) tail: u32,
}

/// What is told of a file without reading it.
#[derive(Clone, Copy)]
pub(crate) struct Seen {
    len: u64,
    modified: u64,
}

impl Seen {
    pub(crate) fn of(file: &File) -> io::Result<Seen> {
        Ok(Seen::of_meta(&file.metadata()?))
    }

    fn of_meta(meta: &Metadata) -> Seen {
        let since = meta.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified = since.and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or(0);
        Seen { len: meta.len(), modified }
    }

    fn is_quiet(self, now: SystemTime) -> bool {
        let then = UNIX_EPOCH.checked_add(Duration::from_nanos(self.modified)).filter(|_| self.modified > 0);
        then.is_some_and(|then| now.duration_since(then).is_ok_and(|age| age > QUIET))
    }

    /// The stamp of a file of which the first `covered` bytes were read.
    pub(crate) fn stamp(self, file: &mut File, covered: u64) -> io::Result<Stamp> {
        let mut hash = |from: u64, to: u64| {
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(from))?;
            file.take(to - from).read_to_end(&mut bytes)?;
            io::Result::Ok(crc32fast::hash(&bytes))
        };
        let head = hash(0, covered.min(KNOWN_BY))?;
        let tail = hash(covered.saturating_sub(KNOWN_BY), covered)?;
        Ok(Stamp { len: self.len, modified: self.modified, head, tail })
    }
}

impl Stamp {
    /// Whether the first `covered` bytes of the file are still those that were read: it did not change, or it grew.
    pub(crate) fn holds(&self, path: &Path, covered: u64, now: SystemTime) -> io::Result<bool> {
        let meta = std::fs::metadata(path)?;
        let seen = Seen::of_meta(&meta);
        let is_unchanged = (seen.len, seen.modified) == (self.len, self.modified);
        if is_unchanged && meta.is_file() && seen.is_quiet(now) {
            return Ok(true);
        }
        if !is_unchanged && seen.len <= self.len {
            return Ok(false);
        }
        let told = seen.stamp(&mut open(path)?, covered)?;
        Ok((told.head, told.tail) == (self.head, self.tail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of the same length and time is the same where no clock can have deceived us.
    #[test]
    fn times_are_believed_only_of_old_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        let long_ago = UNIX_EPOCH + Duration::from_secs(1_000_000);
        let write = |text: &str, time: SystemTime| {
            std::fs::write(&path, text).expect("written");
            File::options().write(true).open(&path).and_then(|file| file.set_modified(time)).expect("a time");
        };
        let stamp = || {
            let mut file = open(&path).expect("a file");
            Seen::of(&file).and_then(|seen| seen.stamp(&mut file, 4)).expect("a stamp")
        };
        write("same", long_ago);
        let stamp = stamp();
        let holds = |now: SystemTime| stamp.holds(&path, 4, now).expect("there");
        assert!(holds(SystemTime::now()) && holds(long_ago));
        write("else", long_ago);
        assert!(holds(SystemTime::now()), "by its time");
        for now in [long_ago, long_ago + QUIET, long_ago - Duration::from_secs(500_000)] {
            assert!(!holds(now), "written just now, or in the future");
        }
        write("else", long_ago - QUIET);
        assert!(!holds(SystemTime::now()), "the clock went back");
        write("same and more", long_ago - QUIET);
        assert!(holds(SystemTime::now()), "it grew, whatever the clock says");
    }
}
