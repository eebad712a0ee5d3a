//! Derived paths that were asked for lately, within a bound of bytes.

use std::sync::{Arc, Mutex, OnceLock};

use rustc_hash::FxHashMap;
use trace::{DerivedPath, LogId, Side};

use crate::lock;

/// Bytes of derived paths that are kept in memory, roughly.
const ROOM: usize = 48 << 20;

/// A derived path in memory.
pub(crate) struct Spine {
    pub(crate) path: Arc<DerivedPath>,
    /// The log as a side of its session, made when that is first joined.
    side: OnceLock<Option<Arc<Side>>>,
}

impl Spine {
    pub(crate) fn new(path: Arc<DerivedPath>) -> Spine {
        Spine { path, side: OnceLock::new() }
    }

    pub(crate) fn side(&self) -> Option<&Arc<Side>> {
        self.side.get_or_init(|| Side::of_log(&self.path)).as_ref()
    }
}

/// The spines in memory.
#[derive(Default)]
pub(crate) struct Shelf {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    spines: FxHashMap<LogId, Entry>,
    /// The version of each log that was published last in this process: what was loaded before it is not kept.
    newest: FxHashMap<LogId, u64>,
    bytes: usize,
    clock: u64,
}

struct Entry {
    spine: Arc<Spine>,
    version: u64,
    bytes: usize,
    used: u64,
}

impl Shelf {
    pub(crate) fn get(&self, log: LogId) -> Option<Arc<Spine>> {
        let mut held = lock(&self.held);
        held.clock += 1;
        let now = held.clock;
        let entry = held.spines.get_mut(&log)?;
        entry.used = now;
        Some(entry.spine.clone())
    }

    /// Of two versions of one log the newer stays.
    pub(crate) fn put(&self, log: LogId, version: u64, bytes: usize, spine: &Arc<Spine>) {
        let mut held = lock(&self.held);
        let is_older = |known: &u64| *known > version;
        if held.newest.get(&log).is_some_and(is_older)
            || held.spines.get(&log).is_some_and(|known| is_older(&known.version))
        {
            return;
        }
        held.clock += 1;
        let entry = Entry { spine: spine.clone(), version, bytes, used: held.clock };
        held.bytes += bytes;
        if let Some(before) = held.spines.insert(log, entry) {
            held.bytes = held.bytes.saturating_sub(before.bytes);
        }
        held.make_room();
    }

    /// Puts a newer version in the place of the one that is there; what nobody asked for is not kept.
    pub(crate) fn renew(&self, log: LogId, version: u64, bytes: usize, path: &Arc<DerivedPath>) {
        let is_held = {
            let mut held = lock(&self.held);
            held.newest.insert(log, version);
            held.spines.contains_key(&log)
        };
        if is_held {
            self.put(log, version, bytes, &Arc::new(Spine::new(path.clone())));
        }
    }

    pub(crate) fn forget(&self, log: LogId) {
        let mut held = lock(&self.held);
        if let Some(entry) = held.spines.remove(&log) {
            held.bytes = held.bytes.saturating_sub(entry.bytes);
        }
    }
}

impl Held {
    /// Throws out what was not asked for the longest, down to three quarters, so that this is not done each time.
    fn make_room(&mut self) {
        if self.bytes <= ROOM {
            return;
        }
        let mut oldest: Vec<(u64, LogId)> = self.spines.iter().map(|(log, entry)| (entry.used, *log)).collect();
        oldest.sort_unstable();
        // The newest stays, however large it is.
        oldest.pop();
        for (_, log) in oldest {
            if self.bytes <= ROOM / 4 * 3 {
                return;
            }
            if let Some(entry) = self.spines.remove(&log) {
                self.bytes -= entry.bytes.min(self.bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use trace::Agent;

    use super::*;
    use crate::Deriver;

    const LOG: LogId = LogId(0);

    fn spine() -> Arc<Spine> {
        Arc::new(Spine::new(Deriver::new(LOG, Agent::Codex, "s").snapshot()))
    }

    #[test]
    fn what_is_asked_for_stays_within_the_room() {
        let shelf = Shelf::default();
        for log in 0..100 {
            shelf.put(LogId(log), 1, ROOM / 10, &spine());
            assert!(shelf.get(LOG).is_some(), "thrown out at {log}");
        }
        let held = lock(&shelf.held);
        assert!(held.bytes <= ROOM && held.spines.len() <= 10, "{} bytes", held.bytes);
    }

    #[test]
    fn what_was_loaded_too_late_is_not_kept() {
        let shelf = Shelf::default();
        shelf.renew(LOG, 2, 1, &spine().path);
        assert!(shelf.get(LOG).is_none(), "nobody asked for it");
        shelf.put(LOG, 1, 1, &spine());
        assert!(shelf.get(LOG).is_none());
        let now = spine();
        shelf.put(LOG, 2, 1, &now);
        let newer = spine();
        shelf.renew(LOG, 3, 1, &newer.path);
        shelf.put(LOG, 2, 1, &now);
        assert!(shelf.get(LOG).is_some_and(|found| Arc::ptr_eq(&found.path, &newer.path)));
    }
}
