//! One log's file: what was read of it so far, and reading what is new.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use agents::{Cursor, Memory, Reader, Scan, file_key};
use rustc_hash::FxHashMap;
use trace::{DerivedPath, Entry, LogId};

use crate::cache::SavedLog;
use crate::spines::Spine;
use crate::store::{Store, Woken};
use crate::summary::{LogSummary, Summed, Summer};
use crate::{Counted, Deriver, lock};

/// All files ever met, by path. An id is given out once and stays the path's, also while the file is away.
#[derive(Default)]
pub(crate) struct Registry {
    /// As their folders tell them: a path is one name, for taking it apart takes longer than all else.
    by_path: FxHashMap<Box<OsStr>, Arc<LogFile>>,
}

impl Registry {
    pub(crate) fn get(&self, path: &Path) -> Option<&Arc<LogFile>> {
        self.by_path.get(path.as_os_str())
    }

    pub(crate) fn get_or_add(&mut self, reader: &'static dyn Reader, path: &Path) -> Arc<LogFile> {
        if let Some(known) = self.by_path.get(path.as_os_str()) {
            return known.clone();
        }
        self.add(reader, path, State::default())
    }

    /// Adds a file that an earlier process read.
    pub(crate) fn add_saved(&mut self, reader: &'static dyn Reader, saved: &SavedLog) -> Arc<LogFile> {
        let state =
            State { cursor: saved.cursor(), stamp: Some(saved.stamp()), version: 1, is_told: true, ..State::default() };
        self.add(reader, Path::new(&saved.path), state)
    }

    fn add(&mut self, reader: &'static dyn Reader, path: &Path, state: State) -> Arc<LogFile> {
        let id = LogId(u32::try_from(self.by_path.len()).unwrap_or(u32::MAX));
        let slot = Mutex::new(Slot { state: Some(state), again: false });
        let file = Arc::new(LogFile { id, reader, path: path.into(), slot });
        self.by_path.insert(path.as_os_str().into(), file.clone());
        file
    }

    pub(crate) fn reserve(&mut self, more: usize) {
        self.by_path.reserve(more);
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &Arc<LogFile>> {
        self.by_path.values()
    }
}

pub(crate) struct LogFile {
    pub(crate) id: LogId,
    pub(crate) reader: &'static dyn Reader,
    pub(crate) path: Arc<Path>,
    slot: Mutex<Slot>,
}

/// The state of a log that nobody reads right now.
struct Slot {
    /// `None`: somebody reads the log right now.
    state: Option<State>,
    /// Somebody else wanted to read it meanwhile.
    again: bool,
}

#[derive(Default)]
struct State {
    cursor: Cursor,
    /// `None`: nothing was read, or what was read rests in the cache.
    deriver: Option<Box<Deriver>>,
    /// `None`: nothing was read, or the log rests.
    summer: Option<Box<Summer>>,
    stamp: Option<Stamp>,
    /// How often the log was read from its beginning.
    epoch: u32,
    /// How often the log was read.
    version: u64,
    /// The last reading succeeded, so its path was handed out.
    is_told: bool,
    /// The cache does not know all of it.
    is_dirty: bool,
    /// The last reading stopped at its limit.
    has_more: bool,
    /// It grew while we looked, so it is about to grow again.
    grows: bool,
    /// What it takes in memory, roughly, and what it took when it was written into the cache.
    bytes: usize,
    saved_bytes: usize,
}

impl State {
    /// What waits to be written, roughly.
    fn unsaved(&self) -> usize {
        if self.is_dirty { self.bytes } else { 0 }
    }
}

/// By what a file is taken for unchanged without being opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) len: u64,
    pub(crate) modified: Option<SystemTime>,
    /// See [`file_key`].
    pub(crate) file: (u64, u64),
}

impl Stamp {
    /// `None` where nothing can be said of the file.
    pub(crate) fn of(path: &Path) -> Option<Stamp> {
        std::fs::symlink_metadata(path).ok().map(|meta| Stamp::of_meta(&meta))
    }

    pub(crate) fn of_meta(meta: &Metadata) -> Stamp {
        Stamp { len: meta.len(), modified: meta.modified().ok(), file: file_key(meta) }
    }
}

/// What a log's file holds in memory.
pub(crate) struct LastRead {
    pub(crate) version: u64,
    pub(crate) cursor: Cursor,
    /// `None`: it rests in the cache.
    pub(crate) path: Option<Arc<DerivedPath>>,
}

/// What came of reading a log.
pub(crate) struct Outcome {
    pub(crate) file: Arc<LogFile>,
    /// Of two outcomes of one log the one with the larger version is the newer.
    pub(crate) version: u64,
    /// The path goes on from one of the same epoch.
    pub(crate) epoch: u32,
    pub(crate) read: Read,
    /// The reading stopped at its limit: there is more to read.
    pub(crate) has_more: bool,
    /// How far it was read, and what the file looked like then. Without what the reader remembers.
    pub(crate) cursor: Cursor,
    pub(crate) stamp: Option<Stamp>,
    pub(crate) counted: Counted,
}

pub(crate) enum Read {
    /// The path has nothing new.
    Unchanged,
    There(Arc<LogSummary>),
    Gone,
    Failed(io::Error),
}

/// Bytes that a log in memory grows by before it is written again, roughly.
const GROWS: usize = 1 << 20;
/// What a deriver holds beside the path for each record, roughly.
const BYTES_OF_RECORD: usize = 96;

pub(crate) fn deriver(id: LogId, reader: &dyn Reader, path: &Path) -> Deriver {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    Deriver::new(id, reader.agent(), &name)
}

/// The path of a log's first bytes as they are now, apart from all that is known of it; of a log that is no file of
/// lines, of all of it. Empty where they cannot be read.
pub(crate) fn read_up_to(end: u64, id: LogId, reader: &dyn Reader, path: &Path) -> Arc<DerivedPath> {
    let mut deriver = deriver(id, reader, path);
    let mut take = |entry: Entry| {
        if entry.place.at < end {
            deriver.push(entry);
        }
    };
    // What was read before an error is there.
    _ = reader.scan_part(path, &Cursor::default(), end, &mut take);
    deriver.snapshot()
}

impl LogFile {
    /// Whether the file was read when it looked like this.
    pub(crate) fn is_read(&self, stamp: Stamp) -> bool {
        lock(&self.slot).state.as_ref().is_some_and(|state| state.stamp == Some(stamp))
    }

    /// Whether anything was read of it, by this process or one before, or somebody reads it right now.
    pub(crate) fn was_read(&self) -> bool {
        lock(&self.slot).state.as_ref().is_none_or(|state| state.cursor != Cursor::default())
    }

    /// Reads what is new, at most about `limit` bytes. `None`: somebody else is at it, and will look once more before
    /// that is done.
    pub(crate) fn read(self: &Arc<Self>, store: &Store, limit: u64) -> Option<Outcome> {
        let mut state = {
            let mut slot = lock(&self.slot);
            let state = slot.state.take();
            slot.again = state.is_none();
            state?
        };
        let before = (state.is_told, state.epoch, state.cursor.offset);
        let was_whole = state.is_told && !state.has_more;
        let mut counted = Counted::default();
        loop {
            let meta = std::fs::symlink_metadata(&self.path);
            let stamp = meta.as_ref().ok().map(Stamp::of_meta);
            let read = self.read_once(meta, &mut state, store, limit, &mut counted);
            state.stamp = stamp.filter(|_| read.is_ok() && !state.has_more);
            state.is_told = read.is_ok();
            state.version += 1;
            let mut slot = lock(&self.slot);
            if std::mem::take(&mut slot.again) {
                continue;
            }
            drop(slot);
            let read = match read {
                Ok(()) if before == (true, state.epoch, state.cursor.offset) => Read::Unchanged,
                Ok(()) => {
                    state.grows |= was_whole;
                    self.there(&mut state, store)
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => Read::Gone,
                Err(error) => Read::Failed(error),
            };
            let cursor = Cursor { memory: Memory::default(), ..state.cursor.clone() };
            let State { version, epoch, stamp, has_more, .. } = state;
            if self.give_back(state) {
                state = match lock(&self.slot).state.take() {
                    Some(state) => state,
                    // Who took it meanwhile reads all there is.
                    None => {
                        return Some(Outcome {
                            file: self.clone(),
                            version,
                            epoch,
                            read,
                            has_more,
                            cursor,
                            stamp,
                            counted,
                        });
                    }
                };
                continue;
            }
            return Some(Outcome { file: self.clone(), version, epoch, read, has_more, cursor, stamp, counted });
        }
    }

    /// Lays the state down for the next one. True: somebody asked for another reading meanwhile.
    fn give_back(&self, state: State) -> bool {
        let mut slot = lock(&self.slot);
        slot.state = Some(state);
        std::mem::take(&mut slot.again)
    }

    fn there(&self, state: &mut State, store: &Store) -> Read {
        let Some(deriver) = &state.deriver else { return Read::Unchanged };
        let path = deriver.snapshot();
        let Summed { summary, bytes } = state.summer.get_or_insert_default().sum(&path);
        let before = state.unsaved();
        state.is_dirty = true;
        state.bytes = bytes + path.records.len() * BYTES_OF_RECORD;
        store.unsaved(before, state.unsaved());
        match state.has_more {
            // Who looks at the log while it is read waits for nothing.
            true => store.shelf.put(self.id, state.version, bytes, &Arc::new(Spine::new(path))),
            false => store.shelf.renew(self.id, state.version, bytes, &path),
        }
        if !state.grows && !state.has_more && store.is_soon_read(state.cursor.offset) {
            self.let_go(state, store);
        }
        Read::There(summary)
    }

    /// Forgets what was read but for how far: it lies in the cache, or is soon read again.
    fn let_go(&self, state: &mut State, store: &Store) {
        store.unsaved(state.unsaved(), 0);
        (state.is_dirty, state.deriver) = (false, None);
        state.cursor.memory = Memory::default();
        state.summer = None;
    }

    /// `meta` is what lies at the path. After an error the log counts as never read.
    fn read_once(
        &self,
        meta: io::Result<Metadata>,
        state: &mut State,
        store: &Store,
        limit: u64,
        counted: &mut Counted,
    ) -> io::Result<()> {
        counted.scans += 1;
        let goes_on = std::mem::take(&mut state.has_more);
        // A defect of a reader must not keep all other logs from being read.
        let scanned = catch_unwind(AssertUnwindSafe(|| match goes_on {
            // Links and folders are no logs, whatever their names: looking for logs passes them, too.
            _ if !meta?.is_file() => Err(io::ErrorKind::NotFound.into()),
            true => self.scan_on(state, store, limit, counted),
            false => self.scan(state, store, limit, counted),
        }));
        match scanned.unwrap_or_else(|_| Err(io::Error::other("reading this log ends in a defect of Turnlens"))) {
            Ok(scan) => {
                counted.bytes += scan.bytes_read;
                counted.bytes_again += scan.bytes_again;
                if let Some(deriver) = &mut state.deriver {
                    deriver.count(scan.cursor.offset, scan.cursor.records, &scan.broken);
                }
                state.cursor = scan.cursor;
                state.has_more = scan.more;
                Ok(())
            }
            Err(error) => {
                self.start_over(state);
                Err(error)
            }
        }
    }

    fn scan(&self, state: &mut State, store: &Store, limit: u64, counted: &mut Counted) -> io::Result<Scan> {
        if state.cursor == Cursor::default() {
            let deriver = state.deriver.get_or_insert_with(|| Box::new(deriver(self.id, self.reader, &self.path)));
            return self.reader.scan_part(&self.path, &state.cursor, limit, &mut |entry| {
                counted.entries += 1;
                deriver.push(entry);
            });
        }
        // Whether these entries go on from those before is known only behind the last of them.
        let mut held: Vec<Entry> = Vec::new();
        let scan = self.reader.scan_part(&self.path, &state.cursor, limit, &mut |entry| held.push(entry))?;
        if scan.restarted {
            self.start_over(state);
            state.deriver = Some(Box::new(deriver(self.id, self.reader, &self.path)));
        } else if state.deriver.is_none() {
            if held.is_empty() && scan.cursor == state.cursor {
                return Ok(scan);
            }
            if !self.wake(state, store) {
                // What rested was of another place of the log, or is lost: from there on.
                counted.bytes += scan.bytes_read;
                counted.bytes_again += scan.bytes_again;
                return self.scan(state, store, limit, counted);
            }
        }
        if let Some(deriver) = &mut state.deriver {
            counted.entries += held.len() as u64;
            held.into_iter().for_each(|entry| deriver.push(entry));
        }
        Ok(scan)
    }

    /// Reads the next part of a log that was not read to its end yet: what it tells is taken as it comes. Should the file
    /// be another one by now, all of it is read once more.
    fn scan_on(&self, state: &mut State, store: &Store, limit: u64, counted: &mut Counted) -> io::Result<Scan> {
        let Some(deriver) = &mut state.deriver else { return self.scan(state, store, limit, counted) };
        let scan = self.reader.scan_part(&self.path, &state.cursor, limit, &mut |entry| {
            counted.entries += 1;
            deriver.push(entry);
        })?;
        if !scan.restarted {
            return Ok(scan);
        }
        counted.bytes += scan.bytes_read;
        self.start_over(state);
        self.scan(state, store, limit, counted)
    }

    /// Takes the deriver from the cache. False: the cursor is another now, the one that it belongs to.
    fn wake(&self, state: &mut State, store: &Store) -> bool {
        let Some(Woken { deriver, cursor }) = store.wake(self) else {
            self.start_over(state);
            return false;
        };
        state.deriver = Some(Box::new(deriver));
        let is_same = cursor == state.cursor;
        if !is_same {
            state.cursor = cursor;
        }
        is_same
    }

    fn start_over(&self, state: &mut State) {
        state.deriver = None;
        state.saved_bytes = 0;
        state.cursor = Cursor::default();
        state.epoch += 1;
    }

    /// Writes what was read of the log into the cache, and forgets it but for how far; what grew lately stays in memory,
    /// too. True: somebody wanted to read meanwhile, so that is to be done now.
    pub(crate) fn rest(&self, store: &Store, is_quiet: &dyn Fn(Option<Stamp>) -> bool) -> bool {
        let mut state = {
            let mut slot = lock(&self.slot);
            match slot.state.take_if(|state| state.deriver.is_some()) {
                Some(state) => state,
                None => return false,
            }
        };
        state.grows &= !is_quiet(state.stamp);
        let is_known = !state.is_dirty || self.save(&mut state, store);
        if is_known && !state.grows {
            self.let_go(&mut state, store);
            // What is looked at comes from the cache again, and only as far as it is looked at.
            store.shelf.forget(self.id);
        }
        self.give_back(state)
    }

    /// Whether nothing of the log is lost when it is forgotten.
    fn save(&self, state: &mut State, store: &Store) -> bool {
        if store.is_soon_read(state.cursor.offset) {
            return true;
        }
        // What goes on growing is read on from the place that the cache knows, so it is not written each time.
        let is_recent = state.saved_bytes > 0 && state.bytes < state.saved_bytes + state.saved_bytes / 4 + GROWS;
        if state.grows && is_recent {
            return false;
        }
        let Some(deriver) = state.deriver.take() else { return true };
        let (is_saved, deriver) = store.lay_down(self, *deriver, &state.cursor);
        state.deriver = Some(Box::new(deriver));
        if is_saved {
            store.unsaved(state.unsaved(), 0);
            (state.is_dirty, state.saved_bytes) = (false, state.bytes);
        }
        is_saved
    }

    /// What was read last. `None`: somebody reads it right now.
    pub(crate) fn last_read(&self) -> Option<LastRead> {
        let slot = lock(&self.slot);
        let State { version, cursor, deriver, .. } = slot.state.as_ref()?;
        let path = deriver.as_ref().map(|deriver| deriver.snapshot());
        Some(LastRead { version: *version, cursor: cursor.clone(), path })
    }
}
