//! Collections of a growing log. A clone shares what it has in common with the original, so a snapshot of a log of
//! any length costs little.

use std::fmt;
use std::sync::Arc;

use crate::RecordId;

/// A list that only grows at its end.
#[derive(Clone)]
pub struct Grown<T> {
    sealed: Vec<Arc<Vec<T>>>,
    tail: Arc<Vec<T>>,
}

impl<T: Clone> Grown<T> {
    const CHUNK: usize = 256;

    pub fn push(&mut self, value: T) {
        Arc::make_mut(&mut self.tail).push(value);
        if self.tail.len() == Self::CHUNK {
            self.sealed.push(std::mem::take(&mut self.tail));
        }
    }
}

impl<T> Grown<T> {
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.sealed.iter().chain([&self.tail]).flat_map(|chunk| chunk.iter())
    }

    pub fn len(&self) -> usize {
        self.sealed.iter().map(|chunk| chunk.len()).sum::<usize>() + self.tail.len()
    }

    pub fn is_empty(&self) -> bool {
        self.sealed.is_empty() && self.tail.is_empty()
    }
}

impl<T> Default for Grown<T> {
    fn default() -> Grown<T> {
        Grown { sealed: Vec::new(), tail: Arc::default() }
    }
}

impl<T: fmt::Debug> fmt::Debug for Grown<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T: Clone> FromIterator<T> for Grown<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Grown<T> {
        let mut grown = Grown::default();
        values.into_iter().for_each(|value| grown.push(value));
        grown
    }
}

/// The ids of a log's records: a set that only grows.
///
/// Kept as sorted runs of falling length. Two runs of one length become one of twice the length, up to a bound that
/// keeps the dearest insertion far below a millisecond.
#[derive(Clone, Default)]
pub struct RecordSet {
    runs: Vec<Arc<Vec<RecordId>>>,
    tail: Arc<Vec<RecordId>>,
}

impl RecordSet {
    const TAIL: usize = 256;
    const LONGEST: usize = 16 * 1024;

    /// False where the set had it.
    pub fn insert(&mut self, id: RecordId) -> bool {
        if self.runs.iter().any(|run| run.binary_search(&id).is_ok()) {
            return false;
        }
        let Err(at) = self.tail.binary_search(&id) else { return false };
        Arc::make_mut(&mut self.tail).insert(at, id);
        if self.tail.len() == Self::TAIL {
            self.runs.push(std::mem::take(&mut self.tail));
            self.merge_equals();
        }
        true
    }

    fn merge_equals(&mut self) {
        while let [.., a, b] = &*self.runs {
            if a.len() != b.len() || a.len() >= Self::LONGEST {
                return;
            }
            let mut merged: Vec<RecordId> = a.iter().chain(b.iter()).copied().collect();
            merged.sort();
            self.runs.truncate(self.runs.len() - 2);
            self.runs.push(Arc::new(merged));
        }
    }

    pub fn contains(&self, id: RecordId) -> bool {
        self.runs.iter().chain([&self.tail]).any(|run| run.binary_search(&id).is_ok())
    }

    pub fn len(&self) -> usize {
        self.runs.iter().map(|run| run.len()).sum::<usize>() + self.tail.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// In no order worth relying on.
    pub fn iter(&self) -> impl Iterator<Item = RecordId> {
        self.runs.iter().chain([&self.tail]).flat_map(|run| run.iter().copied())
    }

    /// Whether the other set has all of this one.
    pub fn is_subset(&self, other: &RecordSet) -> bool {
        self.len() <= other.len() && self.iter().all(|id| other.contains(id))
    }
}

impl fmt::Debug for RecordSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl FromIterator<RecordId> for RecordSet {
    fn from_iter<I: IntoIterator<Item = RecordId>>(ids: I) -> RecordSet {
        let mut set = RecordSet::default();
        for id in ids {
            set.insert(id);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_its_order_and_its_snapshots() {
        let mut list = Grown::default();
        for n in 0..600 {
            list.push(n);
        }
        let before = list.clone();
        list.push(600);
        assert_eq!((before.len(), list.len()), (600, 601));
        assert!(list.iter().copied().eq(0..=600));
        assert!(before.iter().copied().eq(0..600));
    }

    #[test]
    fn a_set_holds_what_was_put_in_once() {
        // An odd factor visits every residue, so the ids come in no order.
        let ids = || (0..40_000u128).map(|n| RecordId(n * 7919 % 40_000));
        let set: RecordSet = ids().chain(ids()).collect();
        assert_eq!(set.len(), 40_000);
        assert!(ids().all(|id| set.contains(id)));
        assert!(!set.contains(RecordId(40_000)));
        let mut all: Vec<RecordId> = set.iter().collect();
        all.sort();
        assert!(all.into_iter().eq((0..40_000).map(RecordId)));
    }

    #[test]
    fn subsets() {
        let of = |ids: std::ops::Range<u128>| ids.map(RecordId).collect::<RecordSet>();
        assert!(of(10..500).is_subset(&of(0..1000)));
        assert!(!of(10..1001).is_subset(&of(0..1000)));
        assert!(of(0..0).is_subset(&of(0..0)));
    }
}
