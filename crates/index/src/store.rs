//! Where derived paths are: in memory, in the cache, or in the logs themselves.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;

use agents::{Cursor, Reader};
use trace::{DerivedPath, LogId, Part, Stored, Turn};

use crate::cache::{Cache, Opened, Section, SpineHead, log_key, spine_name};
use crate::derive::Rest;
use crate::file::{LastRead, LogFile, Outcome, deriver, read_up_to};
use crate::spines::{Shelf, Spine};
use crate::summary::bytes_of;
use crate::{Counted, Deriver};

/// Bytes that wait to be written into the cache, roughly. Beyond it whoever reads logs writes them first.
const MOST_UNSAVED: usize = 32 << 20;
/// Sections of a spine's file: its head, the path without its turns, how many turns lie in each of the sections behind,
/// and what else the deriver needs.
const PATH: usize = 3;
const REST: usize = 4;
/// Turns and steps that are read together.
const CHUNK: usize = 512;
/// Chunks from which on one thread encodes them while another writes them.
const WORTH: usize = 8;
/// What turns take in memory for each byte in which they are stored, roughly.
const UNPACKED: usize = 6;

#[derive(Default)]
pub(crate) struct Store {
    pub(crate) cache: Option<Cache>,
    /// Spines of logs with fewer bytes are not written: see [`crate::Limits::smallest_spine`].
    smallest_spine: u64,
    pub(crate) shelf: Shelf,
    unsaved: AtomicUsize,
    work: Work,
}

#[derive(Default)]
struct Work {
    scans: AtomicU64,
    bytes: AtomicU64,
    bytes_again: AtomicU64,
    entries: AtomicU64,
}

/// A deriver that rested in the cache, and how far it has read.
pub(crate) struct Woken {
    pub(crate) deriver: Deriver,
    pub(crate) cursor: Cursor,
}

impl Store {
    pub(crate) fn with_cache(cache: Cache, smallest_spine: u64) -> Store {
        Store { cache: Some(cache), smallest_spine, ..Store::default() }
    }

    /// Whether a log of so many bytes is read as fast as the cache.
    pub(crate) fn is_soon_read(&self, bytes: u64) -> bool {
        self.cache.is_some() && bytes < self.smallest_spine
    }

    /// The log's path. Looks in memory, then into the cache, then reads the log. `None`: it cannot be read.
    pub(crate) fn load(&self, file: &LogFile) -> Option<Arc<Spine>> {
        if let Some(spine) = self.shelf.get(file.id) {
            return Some(spine);
        }
        let known = file.last_read();
        let version = known.as_ref().map_or(0, |known| known.version);
        let resting = |known: LastRead| known.path.or_else(|| self.load_path(file, &known.cursor));
        let path = known.and_then(resting).or_else(|| self.read_on(file))?;
        Some(self.put(file, version, path))
    }

    /// Keeps a path in memory as long as there is room.
    fn put(&self, file: &LogFile, version: u64, path: Arc<DerivedPath>) -> Arc<Spine> {
        let bytes = bytes_of(&path);
        let spine = Arc::new(Spine::new(path));
        self.shelf.put(file.id, version, bytes, &spine);
        spine
    }

    /// The path as it lies in the cache, if it goes as far as the log was read.
    fn load_path(&self, file: &LogFile, cursor: &Cursor) -> Option<Arc<DerivedPath>> {
        let cache = self.cache.as_ref()?;
        let name = name_of(file)?;
        let found = cache.open(&name, PATH)?;
        let head = head_of(file, found.sections.first()?)?;
        if head.cursor() != *cursor {
            return None;
        }
        let Some(path) = path_of(&found, file) else {
            cache.drop_damaged(&name);
            return None;
        };
        cache.used(&name);
        Some(Arc::new(path))
    }

    /// What was read of the log and everything that is needed to go on.
    pub(crate) fn wake(&self, file: &LogFile) -> Option<Woken> {
        let cache = self.cache.as_ref()?;
        let name = name_of(file)?;
        let found = cache.open(&name, REST)?;
        let cursor = head_of(file, found.sections.first()?)?.cursor();
        let rest = bitcode::decode::<Rest>(found.sections.get(PATH)?).ok();
        let (Some(path), Some(rest)) = (path_of(&found, file), rest) else {
            cache.drop_damaged(&name);
            return None;
        };
        cache.used(&name);
        Some(Woken { deriver: Deriver::of_parts(path, rest), cursor })
    }

    /// Writes a deriver into the cache and gives it back, with whether it lies there now.
    pub(crate) fn lay_down(&self, file: &LogFile, deriver: Deriver, cursor: &Cursor) -> (bool, Deriver) {
        let (Some(cache), Some(path), Some(name)) = (&self.cache, file.path.to_str(), name_of(file)) else {
            return (false, deriver);
        };
        let head = bitcode::encode(&SpineHead::new(path, file.reader.agent(), cursor));
        let (path, rest) = deriver.into_parts();
        let mut held = 0;
        let parts = path.turns.parts(|turn| {
            held += 1 + turn.steps.len();
            let is_full = held >= CHUNK;
            if is_full {
                held = 0;
            }
            is_full
        });
        let table: Vec<u32> = parts.iter().map(|part| u32::try_from(len_of(part)).unwrap_or(u32::MAX)).collect();
        let before = [head, bitcode::encode(&path), bitcode::encode(&table), bitcode::encode(&rest)];
        let count = before.len() + parts.len();
        let write = |parts: &mut dyn Iterator<Item = Vec<u8>>| {
            let mut sections = before.into_iter().chain(parts).map(Cow::from);
            cache.write(&name, (0..count).map(|_| sections.next().unwrap_or_default())).is_some()
        };
        // No more than a few of them are in memory.
        let is_written = match parts.len() {
            ..WORTH => write(&mut parts.iter().map(bytes_of_part)),
            _ => std::thread::scope(|scope| {
                let (sender, encoded) = sync_channel(1);
                // The other end is gone where writing failed.
                let parts = &parts;
                scope.spawn(move || parts.iter().try_for_each(|part| sender.send(bytes_of_part(part))).is_ok());
                write(&mut encoded.into_iter())
            }),
        };
        drop(parts);
        (is_written, Deriver::of_parts(path, rest))
    }

    /// The path as the log tells it now, from where the cache knows it on, for once: whoever follows the log goes on from
    /// where he is.
    fn read_on(&self, file: &LogFile) -> Option<Arc<DerivedPath>> {
        let anew = || deriver(file.id, file.reader, &file.path);
        let woken = self.wake(file).unwrap_or_else(|| Woken { deriver: anew(), cursor: Cursor::default() });
        let Woken { mut deriver, cursor: from } = woken;
        // Whether these entries go on from those before is known only behind the last of them.
        let mut held = Vec::new();
        let mut entries = 0;
        let scan = file.reader.scan(&file.path, &from, &mut |entry| {
            entries += 1;
            if from == Cursor::default() { deriver.push(entry) } else { held.push(entry) }
        });
        let scan = scan.ok()?;
        if scan.restarted && from != Cursor::default() {
            deriver = anew();
        }
        held.into_iter().for_each(|entry| deriver.push(entry));
        deriver.count(scan.cursor.offset, scan.cursor.records, &scan.broken);
        self.count(Counted { scans: 1, bytes: scan.bytes_read, bytes_again: scan.bytes_again, entries });
        let path = deriver.snapshot();
        if scan.cursor != from && !self.is_soon_read(scan.cursor.offset) {
            let _ = self.lay_down(file, deriver, &scan.cursor);
        }
        Some(path)
    }

    /// Takes note that of a log so many bytes wait now instead of those before.
    pub(crate) fn unsaved(&self, before: usize, now: usize) {
        self.unsaved.fetch_add(now, Ordering::Relaxed);
        self.unsaved.fetch_sub(before, Ordering::Relaxed);
    }

    /// Whether what was read should be written before more is read.
    pub(crate) fn is_full(&self) -> bool {
        self.cache.as_ref().is_some_and(Cache::is_writable) && self.unsaved.load(Ordering::Relaxed) > MOST_UNSAVED
    }

    pub(crate) fn count_outcome(&self, outcome: &Outcome) {
        self.count(outcome.counted);
    }

    fn count(&self, counted: Counted) {
        let Counted { scans, bytes, bytes_again, entries } = counted;
        self.work.scans.fetch_add(scans, Ordering::Relaxed);
        self.work.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.work.bytes_again.fetch_add(bytes_again, Ordering::Relaxed);
        self.work.entries.fetch_add(entries, Ordering::Relaxed);
    }

    pub(crate) fn counted(&self) -> Counted {
        let Work { scans, bytes, bytes_again, entries } = &self.work;
        Counted {
            scans: scans.load(Ordering::Relaxed),
            bytes: bytes.load(Ordering::Relaxed),
            bytes_again: bytes_again.load(Ordering::Relaxed),
            entries: entries.load(Ordering::Relaxed),
        }
    }
}

/// The path in a spine's file, whose turns are read when they are looked at. `None`: it is damaged.
fn path_of(found: &Opened, file: &LogFile) -> Option<DerivedPath> {
    let [_, path, table, ..] = &found.sections[..] else { return None };
    let mut path = bitcode::decode::<DerivedPath>(path).ok()?;
    // What only the deriver needs may have been read before them, or not.
    let turns = found.rest.get(REST.checked_sub(found.sections.len())?..)?;
    let table = bitcode::decode::<Vec<u32>>(table).ok().filter(|table| table.len() == turns.len())?;
    let end = path.tally.bytes;
    for (len, section) in table.into_iter().zip(turns) {
        let (bytes, first, section) = (section.len * UNPACKED, path.turns.len(), section.clone());
        let stored = StoredTurns { section, id: file.id, reader: file.reader, log: file.path.clone(), end, first };
        path.turns.push_stored(len as usize, bytes, Arc::new(stored));
    }
    Some(owned(path, file))
}

/// Turns in a spine's file.
struct StoredTurns {
    section: Section,
    id: LogId,
    reader: &'static dyn Reader,
    log: Arc<Path>,
    /// Bytes of the log of which the file tells.
    end: u64,
    /// The index of the first.
    first: usize,
}

impl Stored for StoredTurns {
    fn turns(&self) -> Vec<Arc<Turn>> {
        let stored = self.section.read().and_then(|bytes| bitcode::decode(&bytes).ok());
        stored.unwrap_or_else(|| {
            read_up_to(self.end, self.id, self.reader, &self.log).turns.iter().skip(self.first).cloned().collect()
        })
    }

    fn bytes(&self) -> Option<Vec<u8>> {
        self.section.read()
    }
}

fn len_of(part: &Part<'_>) -> usize {
    match part {
        Part::Stored(len, _) => *len,
        Part::Turns(turns) => turns.len(),
    }
}

fn bytes_of_part(part: &Part<'_>) -> Vec<u8> {
    match part {
        Part::Stored(len, stored) => stored.bytes().unwrap_or_else(|| {
            let mut turns = stored.turns();
            turns.truncate(*len);
            bitcode::encode(&turns)
        }),
        Part::Turns(turns) => bitcode::encode(&turns.to_vec()),
    }
}

/// The head of a spine's file, if it is this log's.
fn head_of(file: &LogFile, section: &[u8]) -> Option<SpineHead> {
    let head: SpineHead = bitcode::decode(section).ok()?;
    (Path::new(&head.path) == &*file.path && head.agent == file.reader.agent()).then_some(head)
}

/// `None`: the path is no text, so the log is not kept.
fn name_of(file: &LogFile) -> Option<String> {
    Some(spine_name(log_key([file.reader.agent().id(), file.path.to_str()?])))
}

/// The path with the id that the log has in this process.
fn owned(mut path: DerivedPath, file: &LogFile) -> DerivedPath {
    path.log = file.id;
    path.sides.iter_mut().for_each(|side| Arc::make_mut(side).log = file.id);
    path
}
