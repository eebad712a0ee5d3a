//! Many records of one log, read in one go.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use trace::{Content, Place};

use crate::{Reader, files, jsonl};

/// Bytes read at once where records that follow each other are asked for.
const WINDOW: usize = 256 << 10;

/// A log opened for reading records at their places, best in their order.
pub struct Records {
    reader: &'static dyn Reader,
    file: File,
    /// Bytes of the file from `at` on.
    window: Vec<u8>,
    at: u64,
    /// Where the record read last ends.
    end: u64,
}

impl Records {
    /// Fails where the file cannot be opened; the error names it.
    pub fn open(reader: &'static dyn Reader, path: &Path) -> io::Result<Records> {
        let file = jsonl::open_regular(path).map_err(|error| files::named(path, error))?;
        Ok(Records { reader, file, window: Vec::new(), at: 0, end: 0 })
    }

    /// What the record at a place says, without [`Content::record`]. `None`: another record lies there now, or it
    /// cannot be read.
    pub fn content(&mut self, place: Place) -> Option<Content> {
        let reader = self.reader;
        let bytes = self.bytes(place)?;
        reader.content(bytes, place)
    }

    fn bytes(&mut self, place: Place) -> Option<&[u8]> {
        let len = place.len as usize;
        let end = place.at.checked_add(u64::from(place.len))?;
        if place.at < self.at || end > self.at + self.window.len() as u64 {
            // A neighbour of the last one: more of them will be asked for.
            let is_near = place.at >= self.at && place.at.saturating_sub(self.end) < WINDOW as u64 && self.end > 0;
            self.fill(place.at, if is_near { len.max(WINDOW) } else { len }).ok()?;
        }
        self.end = end;
        let from = usize::try_from(place.at - self.at).ok()?;
        self.window.get(from..from + len)
    }

    fn fill(&mut self, at: u64, len: usize) -> io::Result<()> {
        self.window.clear();
        self.at = at;
        self.file.seek(SeekFrom::Start(at))?;
        (&mut self.file).take(len as u64).read_to_end(&mut self.window)?;
        Ok(())
    }
}
