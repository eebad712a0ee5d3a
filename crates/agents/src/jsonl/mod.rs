//! What logs of JSON lines share: reading on from a cursor, finding the objects in a line, noticing that a file is no
//! longer the one that was read.
//!
//! Logs are written by processes that crash: a line can hold two objects, half an object and a whole one, or no JSON
//! at all. Nothing of that ends a scan.

mod feed;
mod lines;
#[cfg(test)]
mod tests;
mod turns;

use std::any::Any;
use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read as _, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use memchr::memchr;

use feed::Feed;
pub(crate) use lines::{Read, Records};
use lines::{Seen, each_record, whole_objects};

use crate::file_key;

/// Bytes at a file's beginning and before the cursor by which the file is known again.
const KNOWN_BY: u64 = 1024;

/// How far a log was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Bytes read: the next record begins here or behind.
    pub offset: u64,
    /// Records before it.
    pub records: u32,
    /// `None`: nothing was read yet.
    pub identity: Option<Identity>,
    pub memory: Memory,
}

impl Cursor {
    /// The most bytes before a cursor that a scan from it reads again where the cursor has its memory: the file's
    /// beginning and those before the cursor, once to know the file and once to know it the next time.
    pub const PROOF: u64 = 4 * KNOWN_BY;
}

/// What a reader remembers of the records before a cursor, so that it need not read them again: calls that wait for
/// their results and the like. It is bounded, and cloning it costs a pointer. Without it (a cursor that outlived its
/// process) a scan looks back. It follows from the log, so cursors are equal whether they have it or not.
#[derive(Clone, Default)]
pub struct Memory(Option<Arc<dyn Any + Send + Sync>>);

impl Memory {
    pub(crate) fn of<T: Any + Send + Sync>(known: T) -> Memory {
        Memory(Some(Arc::new(known)))
    }

    /// `None` also where another reader made it.
    pub(crate) fn recall<T: Any + Clone>(&self) -> Option<T> {
        self.0.as_ref()?.downcast_ref().cloned()
    }
}

impl PartialEq for Memory {
    fn eq(&self, _: &Memory) -> bool {
        true
    }
}

impl Eq for Memory {}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Memory(..)" } else { "Memory(none)" })
    }
}

/// By what a file is known to be the one that was read, only longer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Device and inode; where there are none, the time of creation and 0.
    pub file: (u64, u64),
    /// A hash of the first `head_len` bytes.
    pub head: u32,
    pub head_len: u32,
    /// A hash of the last bytes before the cursor.
    pub tail: u32,
}

/// What a scan read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    pub cursor: Cursor,
    /// The file was truncated or replaced: all entries of this scan are from the file's beginning.
    pub restarted: bool,
    /// Offsets of lines, or parts of lines, that are no record.
    pub broken: Vec<u64>,
    /// Bytes behind the old cursor, those of a half-written last line included.
    pub bytes_read: u64,
    /// Bytes before the old cursor that were read again: at most [`Cursor::PROOF`] where the cursor had its memory.
    pub bytes_again: u64,
    /// It stopped at its limit: there may be records behind the new cursor.
    pub more: bool,
}

/// A log opened at a cursor.
pub(crate) struct Log {
    file: File,
    meta: Metadata,
    pub(crate) start: Cursor,
    pub(crate) restarted: bool,
    /// See [`Scan::bytes_again`].
    again: u64,
}

impl Log {
    /// Opens the log where `from` left it, or at its beginning where it is not the same file any more.
    pub(crate) fn open(path: &Path, from: &Cursor) -> io::Result<Log> {
        let file = open_regular(path)?;
        let meta = file.metadata()?;
        let mut log = Log { file, meta, start: from.clone(), restarted: false, again: 0 };
        if from.offset > log.meta.len() || !log.is_same()? {
            log.start = Cursor::default();
            log.restarted = true;
        }
        Ok(log)
    }

    fn is_same(&mut self) -> io::Result<bool> {
        let Some(known) = self.start.identity.clone() else { return Ok(true) };
        if known.file != file_key(&self.meta) {
            return Ok(false);
        }
        let head = self.range(0, u64::from(known.head_len))?;
        Ok(check(&head) == known.head && check(&self.before(self.start.offset)?) == known.tail)
    }

    fn identity(&mut self, offset: u64) -> io::Result<Identity> {
        let head = self.range(0, offset.min(KNOWN_BY))?;
        let tail = check(&self.before(offset)?);
        Ok(Identity { file: file_key(&self.meta), head: check(&head), head_len: head.len() as u32, tail })
    }

    /// The bytes before `offset` by which the file is known.
    fn before(&mut self, offset: u64) -> io::Result<Vec<u8>> {
        self.range(offset.saturating_sub(KNOWN_BY), offset)
    }

    fn range(&mut self, from: u64, to: u64) -> io::Result<Vec<u8>> {
        self.again += to.min(self.start.offset).saturating_sub(from);
        read_range(&mut self.file, from, to)
    }

    /// Hands the records of at most `window` bytes before the cursor to `records` once more.
    pub(crate) fn replay<R: Records>(&mut self, window: u64, records: &mut R) -> io::Result<()> {
        let begin = self.start.offset.saturating_sub(window);
        let bytes = self.range(begin, self.start.offset)?;
        let whole = match begin {
            0 => 0,
            _ => memchr(b'\n', &bytes).map_or(bytes.len(), |at| at + 1),
        };
        each_record::<R>(&bytes[whole..], begin + whole as u64, |seen| _ = seen.hand_to(records));
        Ok(())
    }

    /// Hands the records of whole lines in the first `len` bytes to `records` once more.
    pub(crate) fn replay_beginning<R: Records>(&mut self, len: u64, records: &mut R) -> io::Result<()> {
        let bytes = self.range(0, len.min(self.start.offset))?;
        let whole = memchr::memrchr(b'\n', &bytes).unwrap_or(0);
        each_record::<R>(&bytes[..whole], 0, |seen| _ = seen.hand_to(records));
        Ok(())
    }

    /// The first `len` bytes, or fewer.
    pub(crate) fn head(&mut self, len: u64) -> io::Result<Vec<u8>> {
        self.range(0, len)
    }

    /// Hands the records behind the cursor to `records`, up to the end of a line soon after `limit` bytes; the scan then
    /// lacks the number of records and the memory.
    pub(crate) fn read<R: Records>(mut self, limit: u64, records: &mut R) -> io::Result<Scan> {
        let from = self.start.offset;
        self.file.seek(SeekFrom::Start(from))?;
        let left = self.meta.len().saturating_sub(from).min(limit);
        let mut feed = Feed::new(&mut self.file, from, limit, left);
        let mut taker = Taker { records, broken: Vec::new() };
        let hands = Hands::lend();
        match left >= turns::WORTH && hands.are_free() {
            true => turns::read(&mut feed, &mut taker)?,
            false => read_alone(&mut feed, &mut taker)?,
        }
        drop(hands);
        let (more, bytes_read) = (feed.more(), feed.at() + feed.rest().len() as u64 - from);
        let offset = taker.finish(&mut feed);
        let broken = taker.broken;
        let identity = Some(self.identity(offset)?);
        let cursor = Cursor { offset, records: self.start.records, identity, memory: Memory::default() };
        let Log { restarted, again, .. } = self;
        Ok(Scan { cursor, restarted, broken, bytes_read, bytes_again: again, more })
    }
}

/// Threads that read logs right now, those in which a log is read in turns not counted.
static READING: AtomicUsize = AtomicUsize::new(0);

/// A thread that reads a log.
struct Hands;

impl Hands {
    fn lend() -> Hands {
        READING.fetch_add(1, Ordering::Relaxed);
        Hands
    }

    /// Whether nobody reads another log meanwhile: to read two logs beside each other takes less than to read each of
    /// them on two threads.
    fn are_free(&self) -> bool {
        READING.load(Ordering::Relaxed) == 1
    }
}

impl Drop for Hands {
    fn drop(&mut self) {
        READING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Takes what was seen in the order of the log.
struct Taker<'r, R> {
    records: &'r mut R,
    broken: Vec<u64>,
}

impl<R: Records> Taker<'_, R> {
    fn take(&mut self, seen: Seen<'_, R>) {
        self.broken.extend(seen.hand_to(self.records));
    }

    /// Takes what stands behind the last piece, and gives the offset up to which all is taken. A last line without an end
    /// is held back from its first object on that is not whole: the writer may be in the middle of it. What is whole is
    /// taken, for the writer may have finished without a line end.
    fn finish(&mut self, feed: &mut Feed<'_>) -> u64 {
        self.broken.append(feed.skipped());
        let whole = if feed.more() { 0 } else { whole_objects(feed.rest()) };
        self.take_all(feed.rest().get(..whole).unwrap_or_default(), feed.at());
        feed.at() + whole as u64
    }

    fn take_all(&mut self, lines: &[u8], at: u64) {
        each_record::<R>(lines, at, |seen| self.take(seen));
    }
}

fn read_alone<R: Records>(feed: &mut Feed<'_>, taker: &mut Taker<'_, R>) -> io::Result<()> {
    let mut buffer = Vec::new();
    while let Some(piece) = feed.next(&mut buffer)? {
        taker.broken.extend(piece.skipped);
        taker.take_all(&buffer, piece.at);
    }
    Ok(())
}

/// Opening a pipe would wait for a writer, and a device may never end.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is no regular file"));
    }
    File::open(path)
}

fn read_range(file: &mut File, from: u64, to: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(from))?;
    let len = to.saturating_sub(from);
    // The file may be shorter, and what is asked for may be anything.
    let mut bytes = Vec::with_capacity(usize::try_from(len).map_or(0, |len| len.min(feed::PIECE)));
    file.take(len).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Files longer than this are not read as a whole.
const LONGEST_FILE: u64 = 1 << 30;

/// All bytes of a file that is written anew each time, and by what it is known to be unchanged.
pub(crate) fn whole(path: &Path) -> io::Result<(Vec<u8>, Identity)> {
    let mut file = open_regular(path)?;
    let meta = file.metadata()?;
    if meta.len() > LONGEST_FILE {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "this log is longer than 1 GB: it is left out"));
    }
    let bytes = read_range(&mut file, 0, LONGEST_FILE)?;
    let head_len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let identity = Identity { file: file_key(&meta), head: check(&bytes), head_len, tail: 0 };
    Ok((bytes, identity))
}

/// The bytes at a place, whatever they are now. `None`: the file is gone or shorter.
pub(crate) fn bytes_at(path: &Path, place: trace::Place) -> io::Result<Option<Vec<u8>>> {
    let mut file = match open_regular(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let bytes = read_range(&mut file, place.at, place.at.saturating_add(u64::from(place.len)))?;
    Ok((bytes.len() == place.len as usize).then_some(bytes))
}

/// The bytes of the object at a place, if they are still the ones that were read there.
pub(crate) fn object_at(path: &Path, place: trace::Place) -> io::Result<Option<Vec<u8>>> {
    Ok(bytes_at(path, place)?.filter(|bytes| check(bytes) == place.check))
}

/// Hands the records of these lines to `records`; their places are those inside of `bytes`.
pub(crate) fn take_all<R: Records>(bytes: &[u8], records: &mut R) {
    each_record::<R>(bytes, 0, |seen| _ = seen.hand_to(records));
}

/// A hash of a record's bytes, eight at a time. It is written into caches, so it must never change.
pub(crate) fn check(bytes: &[u8]) -> u32 {
    const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut lanes = [MIX, !MIX];
    let mut chunks = bytes.chunks_exact(16);
    for chunk in &mut chunks {
        for (lane, word) in lanes.iter_mut().zip(chunk.chunks_exact(8)) {
            *lane = (*lane ^ word_of(word)).wrapping_mul(MIX).rotate_left(29);
        }
    }
    let mut hash = lanes[0] ^ lanes[1].rotate_left(32) ^ bytes.len() as u64;
    for rest in chunks.remainder().chunks(8) {
        hash = (hash ^ word_of(rest)).wrapping_mul(MIX).rotate_left(29);
    }
    hash = (hash ^ (hash >> 32)).wrapping_mul(MIX);
    (hash >> 32) as u32
}

fn word_of(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    u64::from_le_bytes(word)
}
