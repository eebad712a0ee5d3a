//! The filters of all logs, made in the background.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use crate::Blocks;
use crate::filter::BLOCK;
use crate::stamp::{Seen, Stamp};

/// Bytes read at once while filters are made: several blocks, and not more memory than that.
const READ: u64 = 16 * BLOCK as u64;

/// A log whose filters are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub path: &'a Path,
    /// Bytes of whole records.
    pub len: u64,
    /// Another number: the file was replaced, and nothing of what was known of it holds.
    pub epoch: u32,
}

/// The filters of logs by their path.
#[derive(Default)]
pub struct Filters {
    known: RwLock<HashMap<Box<Path>, Arc<Known>>>,
}

/// The filters of one log.
pub(crate) struct Known {
    pub(crate) epoch: u32,
    /// The file as it was before it was read.
    pub(crate) stamp: Stamp,
    pub(crate) blocks: Arc<Blocks>,
}

impl Filters {
    /// The blocks of a log as far as they are made. `None`: none are.
    pub fn of(&self, path: &Path, epoch: u32) -> Option<Arc<Blocks>> {
        self.known(path, epoch).map(|known| known.blocks.clone())
    }

    fn known(&self, path: &Path, epoch: u32) -> Option<Arc<Known>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(path).filter(|known| known.epoch == epoch).cloned()
    }

    /// Makes what is missing of a log's filters; gives how many bytes were read. Fails where the file cannot be read;
    /// what was known before then stays.
    pub fn update(&self, subject: Subject<'_>, is_cancelled: &dyn Fn() -> bool) -> io::Result<u64> {
        let known = self.of(subject.path, subject.epoch).unwrap_or_default();
        if known.end() >= subject.len {
            return Ok(0);
        }
        let mut blocks = Blocks::clone(&known);
        let mut file = File::open(subject.path)?;
        let begin = blocks.resume();
        let seen = Seen::of(&file)?;
        grow(&mut blocks, &mut file, subject.len, is_cancelled)?;
        let stamp = seen.stamp(&mut file, blocks.end())?;
        let read = blocks.end().saturating_sub(begin);
        self.put(subject.path, Known { epoch: subject.epoch, stamp, blocks: Arc::new(blocks) });
        Ok(read)
    }

    pub(crate) fn put(&self, path: &Path, log: Known) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(path.into(), Arc::new(log));
    }

    /// Forgets the logs that are not wanted any more.
    pub fn retain(&self, is_wanted: &dyn Fn(&Path) -> bool) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).retain(|path, _| is_wanted(path));
    }

    /// Bytes that all filters take.
    pub fn size(&self) -> usize {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.values().map(|log| log.blocks.size()).sum()
    }

    pub(crate) fn all(&self) -> Vec<(Box<Path>, Arc<Known>)> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.iter().map(|(path, log)| (path.clone(), log.clone())).collect()
    }
}

/// Reads on from the last block that is not full, to `len`.
fn grow(blocks: &mut Blocks, file: &mut File, len: u64, is_cancelled: &dyn Fn() -> bool) -> io::Result<()> {
    // Offset of the first byte held.
    let mut at = blocks.resume();
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    while !is_cancelled() {
        let left = len.saturating_sub(at + bytes.len() as u64);
        let read = file.take(left.min(READ)).read_to_end(&mut bytes)? as u64;
        let is_last = read == left || read == 0;
        // A block is whole only where its last line's end is seen.
        let end = if is_last { bytes.len() } else { memchr::memrchr(b'\n', &bytes).map_or(0, |end| end + 1) };
        if is_last || end >= BLOCK {
            blocks.push(bytes.get(..end).unwrap_or_default());
            let next = blocks.resume();
            let done = usize::try_from(next - at).unwrap_or(usize::MAX);
            bytes.drain(..done.min(bytes.len()));
            at = next;
        }
        if is_last {
            break;
        }
    }
    Ok(())
}
