//! A file in pieces that end where a line ends.

use std::io::{self, Read};

use memchr::{memchr, memrchr};

/// Bytes that are read at once, and the fewest where a scan nears its limit.
pub(super) const PIECE: usize = 512 << 10;
const LEAST: u64 = 16 << 10;
/// Lines longer than this are skipped without being held in memory.
const LONGEST_LINE: usize = 64 << 20;

/// Reads a file from an offset on, whole lines at a time.
pub(super) struct Feed<'f> {
    file: &'f mut (dyn Read + Send),
    /// What was read and not given out yet. It begins at a line's beginning.
    rest: Vec<u8>,
    /// Offset of its first byte in the file.
    at: u64,
    /// No piece begins here or behind.
    until: u64,
    /// See [`PIECE`], but no more than the file seems to hold.
    piece: usize,
    /// See [`LONGEST_LINE`].
    longest: usize,
    /// Offsets of lines that were too long, as long as no piece told them.
    skipped: Vec<u64>,
    more: bool,
}

/// Whole lines; their bytes are in the buffer that they were asked for with.
pub(super) struct Piece {
    /// Offset of the first byte in the file.
    pub(super) at: u64,
    /// Offsets of lines before it that were too long.
    pub(super) skipped: Vec<u64>,
}

impl<'f> Feed<'f> {
    /// `file` stands at the offset `at`, at which a line begins, and seems to hold `len` bytes from there on.
    pub(super) fn new(file: &'f mut (dyn Read + Send), at: u64, limit: u64, len: u64) -> Feed<'f> {
        let until = at.saturating_add(limit.max(1));
        // One more, so that the end is met without making room for another piece.
        let piece = usize::try_from(len).map_or(PIECE, |len| PIECE.min(len.max(LEAST as usize) + 1));
        Feed { file, rest: Vec::new(), at, until, piece, longest: LONGEST_LINE, skipped: Vec::new(), more: false }
    }

    /// The same with other bounds.
    #[cfg(test)]
    pub(super) fn with_bounds(self, piece: usize, longest: usize) -> Feed<'f> {
        Feed { piece, longest, ..self }
    }

    /// The next lines. `None`: the limit is reached, or what is left is half a line ([`Feed::rest`]).
    pub(super) fn next(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<Piece>> {
        self.more = self.at >= self.until;
        if self.more {
            return Ok(None);
        }
        buffer.clear();
        buffer.append(&mut self.rest);
        // Bytes of the buffer that are known to hold no line end.
        let mut searched = buffer.len();
        loop {
            if let Some(last) = memrchr(b'\n', buffer.get(searched..).unwrap_or_default()) {
                // Only the first line can be longer than what is read at once.
                let first = memchr(b'\n', buffer).filter(|end| *end > self.longest);
                let Some(end) = first else { return Ok(Some(self.give_out(buffer, searched + last + 1))) };
                self.skip(buffer, 0, end);
                searched = 0;
                continue;
            }
            if buffer.len() > self.longest {
                if !self.skip_line(buffer)? {
                    return Ok(None);
                }
                searched = 0;
                continue;
            }
            searched = buffer.len();
            let left = self.until.saturating_sub(self.at + searched as u64);
            let wanted = left.max(LEAST).min(self.piece as u64);
            buffer.reserve(self.piece);
            if (&mut *self.file).take(wanted).read_to_end(buffer)? == 0 {
                self.rest.append(buffer);
                return Ok(None);
            }
        }
    }

    /// Gives out the first `end` bytes of the buffer.
    fn give_out(&mut self, buffer: &mut Vec<u8>, end: usize) -> Piece {
        self.rest.extend_from_slice(buffer.get(end..).unwrap_or_default());
        buffer.truncate(end);
        let piece = Piece { at: self.at, skipped: std::mem::take(&mut self.skipped) };
        self.at += end as u64;
        piece
    }

    /// Reads on to the end of the line that the buffer holds the beginning of, and leaves what follows in the buffer.
    /// False: the line has no end (yet); then only the place of its beginning is kept.
    fn skip_line(&mut self, buffer: &mut Vec<u8>) -> io::Result<bool> {
        let mut skipped = buffer.len() as u64;
        loop {
            buffer.clear();
            if (&mut *self.file).take(self.piece as u64).read_to_end(buffer)? == 0 {
                return Ok(false);
            }
            if let Some(end) = memchr(b'\n', buffer) {
                self.skip(buffer, skipped, end);
                return Ok(true);
            }
            skipped += buffer.len() as u64;
        }
    }

    /// Drops the line that ends in the buffer at `end`, behind so many bytes that are dropped already.
    fn skip(&mut self, buffer: &mut Vec<u8>, before: u64, end: usize) {
        self.skipped.push(self.at);
        buffer.drain(..=end);
        self.at += before + end as u64 + 1;
    }

    /// Offset of the first byte that was not given out.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The beginning of what was not given out, as far as it was read.
    pub(super) fn rest(&self) -> &[u8] {
        &self.rest
    }

    /// Whether the limit ended it.
    pub(super) fn more(&self) -> bool {
        self.more
    }

    /// Offsets of lines that were too long, behind the last piece.
    pub(super) fn skipped(&mut self) -> &mut Vec<u64> {
        &mut self.skipped
    }
}
