//! Derived paths that were asked for lately, within a bound of bytes.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry as Place;
use trace::{DerivedPath, LogId, Side};

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

/// The derived paths in memory, by log: those that were asked for, renewed as their logs grow.
#[derive(Default)]
pub(crate) struct Shelf {
    spines: DashMap<LogId, Entry>,
    /// The version of each log that was published last in this process: what was loaded before it is not kept. Looked at
    /// while an entry of `spines` is held, never the other way round.
    newest: DashMap<LogId, u64>,
    bytes: AtomicUsize,
    clock: AtomicU64,
}

struct Entry {
    spine: Arc<Spine>,
    version: u64,
    bytes: usize,
    used: AtomicU64,
}

impl Shelf {
    pub(crate) fn get(&self, log: LogId) -> Option<Arc<Spine>> {
        let entry = self.spines.get(&log)?;
        entry.used.store(self.now(), Ordering::Relaxed);
        Some(entry.spine.clone())
    }

    /// Of two versions of one log the newer stays.
    pub(crate) fn put(&self, log: LogId, version: u64, bytes: usize, spine: &Arc<Spine>) {
        let entry = Entry { spine: spine.clone(), version, bytes, used: AtomicU64::new(self.now()) };
        let place = self.spines.entry(log);
        if self.newest.get(&log).is_some_and(|newest| *newest > version) {
            return;
        }
        // Counted before it is seen: who throws it out subtracts it.
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        match place {
            Place::Occupied(known) if known.get().version > version => self.take_off(bytes),
            Place::Occupied(mut known) => self.take_off(known.insert(entry).bytes),
            Place::Vacant(free) => drop(free.insert(entry)),
        }
        self.make_room();
    }

    /// Puts a newer version in the place of the one that is there; what nobody asked for is not kept.
    pub(crate) fn renew(&self, log: LogId, version: u64, bytes: usize, path: &Arc<DerivedPath>) {
        self.newest.insert(log, version);
        if self.spines.contains_key(&log) {
            self.put(log, version, bytes, &Arc::new(Spine::new(path.clone())));
        }
    }

    pub(crate) fn forget(&self, log: LogId) {
        if let Some((_, entry)) = self.spines.remove(&log) {
            self.take_off(entry.bytes);
        }
    }

    fn now(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed)
    }

    fn take_off(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Throws out what was not asked for the longest, down to three quarters, so that this is not done each time.
    fn make_room(&self) {
        if self.bytes.load(Ordering::Relaxed) <= ROOM {
            return;
        }
        let mut oldest: Vec<(u64, LogId)> =
            self.spines.iter().map(|entry| (entry.used.load(Ordering::Relaxed), *entry.key())).collect();
        oldest.sort_unstable();
        // The newest stays, however large it is.
        oldest.pop();
        for (_, log) in oldest {
            if self.bytes.load(Ordering::Relaxed) <= ROOM / 4 * 3 {
                return;
            }
            self.forget(log);
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
        let bytes = shelf.bytes.load(Ordering::Relaxed);
        assert!(bytes <= ROOM && shelf.spines.len() <= 10, "{bytes} bytes");
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
