//! The filters of all logs, made in the background.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::filter::BLOCK;
use crate::stamp::{Seen, Stamp};
use crate::{Blocks, stamp};

/// Bytes read at once while filters are made: several blocks, and not more memory than that.
const READ: u64 = 16 * BLOCK as u64;

/// A log whose filters are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The number by which the log is asked for while the process lives; they are counted from 0.
    pub id: u32,
    pub path: &'a Path,
    /// Bytes of whole records.
    pub len: u64,
    /// Another number: the file was replaced, and nothing of what was known of it holds.
    pub epoch: u32,
}

/// The filters of logs by their ids.
#[derive(Default)]
pub struct Filters {
    known: Mutex<Arc<Vec<Option<Arc<Known>>>>>,
}

/// All filters as they were at one moment: a search asks for thousands of logs.
#[derive(Clone)]
pub struct AllFilters(Arc<Vec<Option<Arc<Known>>>>);

impl AllFilters {
    /// The blocks of a log as far as they are made. `None`: none are.
    pub fn of(&self, id: u32, epoch: u32) -> Option<Arc<Blocks>> {
        let known = self.0.get(id as usize)?.as_ref()?;
        (known.epoch == epoch).then(|| known.blocks.clone())
    }
}

/// The filters of one log.
pub(crate) struct Known {
    pub(crate) path: Box<Path>,
    pub(crate) epoch: u32,
    /// The file as it was before it was read.
    pub(crate) stamp: Stamp,
    pub(crate) blocks: Arc<Blocks>,
}

impl Filters {
    /// See [`AllFilters::of`].
    pub fn of(&self, id: u32, epoch: u32) -> Option<Arc<Blocks>> {
        self.now().of(id, epoch)
    }

    pub fn now(&self) -> AllFilters {
        AllFilters(self.lock().clone())
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Vec<Option<Arc<Known>>>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes what is missing of a log's filters; gives how many bytes were read. Fails where the file cannot be read;
    /// what was known before then stays.
    pub fn update(&self, subject: Subject<'_>, is_cancelled: &dyn Fn() -> bool) -> io::Result<u64> {
        let known = self.of(subject.id, subject.epoch).unwrap_or_default();
        if known.end() >= subject.len {
            return Ok(0);
        }
        let mut blocks = Blocks::clone(&known);
        let mut file = stamp::open(subject.path)?;
        let begin = blocks.resume();
        let seen = Seen::of(&file)?;
        grow(&mut blocks, &mut file, subject.len, is_cancelled)?;
        let stamp = seen.stamp(&mut file, blocks.end())?;
        let read = blocks.end().saturating_sub(begin);
        self.put(subject, stamp, blocks);
        Ok(read)
    }

    pub(crate) fn put(&self, subject: Subject<'_>, stamp: Stamp, blocks: Blocks) {
        let log = Known { path: subject.path.into(), epoch: subject.epoch, stamp, blocks: Arc::new(blocks) };
        let mut known = self.lock();
        // Copied only while a search looks at it.
        let all = Arc::make_mut(&mut known);
        let at = subject.id as usize;
        if all.len() <= at {
            all.resize(at + 1, None);
        }
        if let Some(slot) = all.get_mut(at) {
            *slot = Some(Arc::new(log));
        }
    }

    /// Forgets the logs that are not wanted any more.
    pub fn retain(&self, is_wanted: &dyn Fn(u32) -> bool) {
        let mut known = self.lock();
        let is_lost = |(id, log): &(u32, &Option<Arc<Known>>)| log.is_some() && !is_wanted(*id);
        let lost: Vec<u32> = (0..).zip(known.iter()).filter(is_lost).map(|(id, _)| id).collect();
        if lost.is_empty() {
            return;
        }
        let all = Arc::make_mut(&mut known);
        for id in lost {
            if let Some(slot) = all.get_mut(id as usize) {
                *slot = None;
            }
        }
    }

    /// Bytes that all filters take.
    pub fn size(&self) -> usize {
        self.now().0.iter().flatten().map(|log| log.blocks.size()).sum()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Known>> {
        self.now().0.iter().flatten().cloned().collect()
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
