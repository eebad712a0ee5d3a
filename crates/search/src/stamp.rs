//! The file of a log: opening it, and by what it is known to be the one whose filters were made, perhaps longer.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::UNIX_EPOCH;

/// Bytes at the beginning and before the end of what was read that are looked at.
const KNOWN_BY: u64 = 1024;

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
        let meta = file.metadata()?;
        let since = meta.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified = since.and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or(0);
        Ok(Seen { len: meta.len(), modified })
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
    pub(crate) fn holds(&self, file: &mut File, covered: u64) -> io::Result<bool> {
        let seen = Seen::of(file)?;
        let is_unchanged = (seen.len, seen.modified) == (self.len, self.modified);
        if !is_unchanged && seen.len <= self.len {
            return Ok(false);
        }
        let now = seen.stamp(file, covered)?;
        Ok((now.head, now.tail) == (self.head, self.tail))
    }
}
