//! One log's file and how far it was read.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use agents::{Cursor, Reader, Scan};
use rustc_hash::FxHashMap;
use trace::{DerivedPath, Entry, LogId};

use crate::{Counted, Deriver, lock};

/// All files ever met, by path. An id is given out once and stays the path's, also while the file is away.
#[derive(Default)]
pub(crate) struct Registry {
    by_path: FxHashMap<PathBuf, Arc<LogFile>>,
}

impl Registry {
    pub(crate) fn get(&self, path: &Path) -> Option<&Arc<LogFile>> {
        self.by_path.get(path)
    }

    pub(crate) fn get_or_add(&mut self, reader: &'static dyn Reader, path: &Path) -> Arc<LogFile> {
        if let Some(known) = self.by_path.get(path) {
            return known.clone();
        }
        let id = LogId(u32::try_from(self.by_path.len()).unwrap_or(u32::MAX));
        let file = Arc::new(LogFile { id, reader, path: path.into(), slot: Mutex::new(Slot::new(id, reader, path)) });
        self.by_path.insert(path.to_owned(), file.clone());
        file
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

struct State {
    cursor: Cursor,
    deriver: Deriver,
    stamp: Option<Stamp>,
    /// How often the log was read from its beginning.
    epoch: u32,
    /// How often the log was read.
    version: u64,
    /// The last reading succeeded, so its path was handed out.
    is_told: bool,
}

/// By what a file is taken for unchanged without being opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) len: u64,
    pub(crate) modified: Option<SystemTime>,
}

impl Stamp {
    /// `None` where nothing can be said of the file.
    pub(crate) fn of(path: &Path) -> Option<Stamp> {
        let meta = std::fs::symlink_metadata(path).ok()?;
        Some(Stamp { len: meta.len(), modified: meta.modified().ok() })
    }
}

/// What came of reading a log.
pub(crate) struct Outcome {
    pub(crate) file: Arc<LogFile>,
    /// Of two outcomes of one log the one with the larger version is the newer.
    pub(crate) version: u64,
    /// The path goes on from one of the same epoch.
    pub(crate) epoch: u32,
    pub(crate) read: Read,
    pub(crate) counted: Counted,
}

pub(crate) enum Read {
    /// The path has nothing new.
    Unchanged,
    Path(Arc<DerivedPath>),
    Gone,
    Failed(io::Error),
}

impl Slot {
    fn new(id: LogId, reader: &dyn Reader, path: &Path) -> Slot {
        Slot { state: Some(State::new(id, reader, path)), again: false }
    }
}

impl State {
    fn new(id: LogId, reader: &dyn Reader, path: &Path) -> State {
        let deriver = deriver(id, reader, path);
        State { cursor: Cursor::default(), deriver, stamp: None, epoch: 0, version: 0, is_told: false }
    }
}

fn deriver(id: LogId, reader: &dyn Reader, path: &Path) -> Deriver {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    Deriver::new(id, reader.agent(), &name)
}

impl LogFile {
    /// Whether the file was read when it looked like this.
    pub(crate) fn is_read(&self, stamp: Stamp) -> bool {
        lock(&self.slot).state.as_ref().is_some_and(|state| state.stamp == Some(stamp))
    }

    /// Reads what is new. `None`: somebody else is at it, and will look once more before that is done.
    pub(crate) fn read(self: &Arc<Self>) -> Option<Outcome> {
        let mut state = {
            let mut slot = lock(&self.slot);
            let state = slot.state.take();
            slot.again = state.is_none();
            state?
        };
        let before = (state.is_told, state.epoch, state.cursor.offset);
        let mut counted = Counted::default();
        loop {
            let stamp = Stamp::of(&self.path);
            let read = self.read_once(&mut state, &mut counted);
            state.stamp = stamp.filter(|_| read.is_ok());
            state.is_told = read.is_ok();
            state.version += 1;
            let mut slot = lock(&self.slot);
            if std::mem::take(&mut slot.again) {
                continue;
            }
            let read = match read {
                Ok(()) if before == (true, state.epoch, state.cursor.offset) => Read::Unchanged,
                Ok(()) => Read::Path(state.deriver.snapshot()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Read::Gone,
                Err(error) => Read::Failed(error),
            };
            let (version, epoch) = (state.version, state.epoch);
            slot.state = Some(state);
            return Some(Outcome { file: self.clone(), version, epoch, read, counted });
        }
    }

    /// After an error the log counts as never read.
    fn read_once(&self, state: &mut State, counted: &mut Counted) -> io::Result<()> {
        counted.scans += 1;
        // A defect of a reader must not keep all other logs from being read.
        let scanned = catch_unwind(AssertUnwindSafe(|| self.scan(state, counted)));
        match scanned.unwrap_or_else(|_| Err(io::Error::other("reading this log ends in a defect of Turnlens"))) {
            Ok(scan) => {
                counted.bytes += scan.bytes_read;
                counted.bytes_again += scan.bytes_again;
                state.deriver.count(scan.cursor.offset, scan.cursor.records, &scan.broken);
                state.cursor = scan.cursor;
                Ok(())
            }
            Err(error) => {
                self.start_over(state);
                state.cursor = Cursor::default();
                Err(error)
            }
        }
    }

    fn scan(&self, state: &mut State, counted: &mut Counted) -> io::Result<Scan> {
        // Links and folders are no logs, whatever their names: looking for logs passes them, too.
        if !std::fs::symlink_metadata(&self.path)?.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        if state.cursor == Cursor::default() {
            let State { cursor, deriver, .. } = state;
            return self.reader.scan(&self.path, cursor, &mut |entry| {
                counted.entries += 1;
                deriver.push(entry);
            });
        }
        // Whether these entries go on from those before is known only behind the last of them.
        let mut held: Vec<Entry> = Vec::new();
        let scan = self.reader.scan(&self.path, &state.cursor, &mut |entry| held.push(entry))?;
        if scan.restarted {
            self.start_over(state);
        }
        counted.entries += held.len() as u64;
        held.into_iter().for_each(|entry| state.deriver.push(entry));
        Ok(scan)
    }

    fn start_over(&self, state: &mut State) {
        state.deriver = deriver(self.id, self.reader, &self.path);
        state.epoch += 1;
    }
}
