//! Bodies that were read lately, within a bound of bytes.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use trace::{Change, Content, LogId, Place};

type Shelf = FxHashMap<(LogId, Place), Arc<Content>>;

/// Two shelves: what is asked for moves to the young one, and when that is full the old one is thrown away whole.
#[derive(Default)]
pub(crate) struct BodyCache {
    young: Shelf,
    old: Shelf,
    /// Bytes on the young shelf.
    bytes: usize,
}

impl BodyCache {
    /// Bytes on one shelf.
    const ROOM: usize = 16 << 20;
    /// A body that would throw out too many others is not kept.
    const LARGEST: usize = Self::ROOM / 8;

    pub(crate) fn get(&mut self, log: LogId, place: Place) -> Option<Arc<Content>> {
        if let Some(content) = self.young.get(&(log, place)) {
            return Some(content.clone());
        }
        let content = self.old.remove(&(log, place))?;
        self.put(log, place, &content);
        Some(content)
    }

    pub(crate) fn put(&mut self, log: LogId, place: Place, content: &Arc<Content>) {
        let size = size(content);
        if size > Self::LARGEST {
            return;
        }
        if self.bytes + size > Self::ROOM {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        if self.young.insert((log, place), content.clone()).is_none() {
            self.bytes += size;
        }
    }

    /// Forgets the bodies of logs that are not there any more.
    pub(crate) fn forget(&mut self, logs: &[LogId]) {
        let is_kept = |key: &(LogId, Place)| !logs.contains(&key.0);
        self.young.retain(|key, _| is_kept(key));
        self.old.retain(|key, _| is_kept(key));
        self.bytes = self.young.values().map(|content| size(content)).sum();
    }
}

fn size(content: &Content) -> usize {
    let observed = content.observed.iter().map(|seen| seen.text.len()).sum::<usize>();
    let texts = content.text.len() + content.input.len() + content.record.len();
    size_of::<Content>() + texts + observed + content.changes.iter().map(size_of_change).sum::<usize>()
}

fn size_of_change(change: &Change) -> usize {
    let whole = [&change.before, &change.after].into_iter().flatten().map(|text| text.len()).sum::<usize>();
    let replaced = change.replacements.iter().map(|one| one.old.len() + one.new.len()).sum::<usize>();
    let lines = change.hunks.iter().flat_map(|hunk| &hunk.lines).map(|line| line.len()).sum::<usize>();
    whole + replaced + lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: LogId = LogId(0);

    fn place(at: u64) -> Place {
        Place { at, len: 0, part: 0, check: 0 }
    }

    fn body(bytes: usize) -> Arc<Content> {
        Arc::new(Content { text: "x".repeat(bytes), ..Content::default() })
    }

    #[test]
    fn what_is_asked_for_stays() {
        let mut cache = BodyCache::default();
        for at in 0..100 {
            cache.put(LOG, place(at), &body(1 << 20));
            assert!(cache.get(LOG, place(0)).is_some(), "thrown out at {at}");
        }
        assert!(cache.get(LOG, place(1)).is_none());
        let kept = cache.young.len() + cache.old.len();
        assert!(kept <= 2 * (BodyCache::ROOM >> 20), "{kept} bodies are kept");
    }

    #[test]
    fn too_large_and_forgotten() {
        let mut cache = BodyCache::default();
        cache.put(LOG, place(0), &body(BodyCache::LARGEST));
        assert!(cache.get(LOG, place(0)).is_none());
        cache.put(LOG, place(1), &body(10));
        cache.put(LogId(1), place(1), &body(10));
        cache.forget(&[LOG]);
        assert!(cache.get(LOG, place(1)).is_none());
        assert!(cache.get(LogId(1), place(1)).is_some());
    }
}
