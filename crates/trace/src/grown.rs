//! Collections of a growing log. A clone shares what it has in common with the original, so a snapshot of a log of
//! any length costs little.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bitcode::{Decode, Encode};

use crate::RecordId;

/// A list that only grows at its end, in which an item may still change.
///
/// Items lie in chunks of one size. A clone shares all chunks; a push or a change copies at most the one it writes to.
#[derive(Clone, Encode, Decode)]
pub struct Grown<T> {
    /// Each of [`Grown::CHUNK`] items.
    sealed: Vec<Arc<Vec<T>>>,
    tail: Arc<Vec<T>>,
}

impl<T> Grown<T> {
    /// The most items that one push or change copies.
    pub const CHUNK: usize = 64;

    pub fn iter(&self) -> Iter<'_, T> {
        self.iter_from(0)
    }

    pub fn len(&self) -> usize {
        self.sealed.len() * Self::CHUNK + self.tail.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn get(&self, index: usize) -> Option<&T> {
        self.chunk(index / Self::CHUNK)?.get(index % Self::CHUNK)
    }

    pub fn first(&self) -> Option<&T> {
        self.get(0)
    }

    pub fn last(&self) -> Option<&T> {
        self.get(self.len().checked_sub(1)?)
    }

    /// The items that may differ from those of an earlier state of this list: chunks that both share are left out.
    pub fn changed_since<'a>(&'a self, before: Option<&'a Grown<T>>) -> impl Iterator<Item = &'a T> {
        let is_shared = move |chunk: &Arc<Vec<T>>, at: usize| {
            before.and_then(|before| before.chunk(at)).is_some_and(|known| Arc::ptr_eq(known, chunk))
        };
        let chunks = self.sealed.iter().chain([&self.tail]).enumerate();
        chunks.filter(move |(at, chunk)| !is_shared(chunk, *at)).flat_map(|(_, chunk)| chunk.iter())
    }

    fn iter_from(&self, start: usize) -> Iter<'_, T> {
        Iter { list: self, range: start..self.len() }
    }

    fn chunk(&self, at: usize) -> Option<&Arc<Vec<T>>> {
        if at == self.sealed.len() { Some(&self.tail) } else { self.sealed.get(at) }
    }
}

impl<T: Clone> Grown<T> {
    pub fn push(&mut self, value: T) {
        Arc::make_mut(&mut self.tail).push(value);
        if self.tail.len() == Self::CHUNK {
            self.sealed.push(std::mem::take(&mut self.tail));
        }
    }

    /// Lets go of the room for more items, where nobody shares the last ones.
    pub fn shrink(&mut self) {
        if let Some(tail) = Arc::get_mut(&mut self.tail) {
            tail.shrink_to_fit();
        }
    }

    pub fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        let at = index / Self::CHUNK;
        let chunk = if at == self.sealed.len() { &mut self.tail } else { self.sealed.get_mut(at)? };
        Arc::make_mut(chunk).get_mut(index % Self::CHUNK)
    }

    pub fn last_mut(&mut self) -> Option<&mut T> {
        self.get_mut(self.len().checked_sub(1)?)
    }
}

/// The items of a [`Grown`], in order.
pub struct Iter<'a, T> {
    list: &'a Grown<T>,
    range: Range<usize>,
}

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        self.list.get(self.range.next()?)
    }

    fn nth(&mut self, n: usize) -> Option<&'a T> {
        self.list.get(self.range.nth(n)?)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.range.size_hint()
    }
}

impl<T> DoubleEndedIterator for Iter<'_, T> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.list.get(self.range.next_back()?)
    }
}

impl<T> ExactSizeIterator for Iter<'_, T> {}

impl<T> Clone for Iter<'_, T> {
    fn clone(&self) -> Self {
        Iter { list: self.list, range: self.range.clone() }
    }
}

impl<'a, T> IntoIterator for &'a Grown<T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
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
        grown.extend(values);
        grown
    }
}

impl<T: Clone> Extend<T> for Grown<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, values: I) {
        values.into_iter().for_each(|value| self.push(value));
    }
}

impl<T: Clone> From<Vec<T>> for Grown<T> {
    fn from(values: Vec<T>) -> Grown<T> {
        values.into_iter().collect()
    }
}

/// The ids of a log's records: a set that only grows.
///
/// Kept as sorted runs of falling length, and a short tail in no order. Two runs of one length become one of twice the
/// length, up to a bound that keeps the dearest insertion far below a millisecond.
#[derive(Clone, Default, Encode, Decode)]
pub struct RecordSet {
    runs: Vec<Arc<Vec<RecordId>>>,
    tail: Arc<Vec<RecordId>>,
}

impl RecordSet {
    const TAIL: usize = 256;
    const LONGEST: usize = 16 * 1024;

    /// False where the set had it.
    pub fn insert(&mut self, id: RecordId) -> bool {
        let is_new = !self.contains(id);
        if is_new {
            self.push_new(id);
        }
        is_new
    }

    /// Takes an id that the set is known not to have.
    pub fn push_new(&mut self, id: RecordId) {
        let tail = Arc::make_mut(&mut self.tail);
        tail.push(id);
        if tail.len() == Self::TAIL {
            tail.sort_unstable();
            self.runs.push(std::mem::take(&mut self.tail));
            self.merge_equals();
        }
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
        self.runs.iter().any(|run| run.binary_search(&id).is_ok()) || self.tail.contains(&id)
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
#[allow(clippy::unwrap_used)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    #[test]
    fn a_list_keeps_its_order_and_its_snapshots() {
        let mut list = Grown::default();
        for n in 0..600 {
            list.push(n);
        }
        let before = list.clone();
        list.push(600);
        *list.get_mut(3).unwrap() = -3;
        *list.last_mut().unwrap() = -600;
        assert_eq!((before.len(), list.len()), (600, 601));
        assert!(before.iter().copied().eq(0..600));
        assert!(before.iter().rev().copied().eq((0..600).rev()));
        assert_eq!((list.get(3), list.last(), list.get(601)), (Some(&-3), Some(&-600), None));
        assert_eq!(before.iter().skip(598).collect::<Vec<_>>(), [&598, &599]);
        let changed: Vec<i32> = list.changed_since(Some(&before)).copied().collect();
        assert!(changed.contains(&-3) && changed.contains(&-600));
        assert!(changed.len() <= 2 * Grown::<i32>::CHUNK, "{changed:?}");
        assert_eq!(list.changed_since(None).count(), 601);
    }

    #[test]
    fn a_write_copies_one_chunk_at_most() {
        /// Counts its clones.
        struct Item(Rc<Cell<usize>>);
        impl Clone for Item {
            fn clone(&self) -> Item {
                self.0.set(self.0.get() + 1);
                Item(self.0.clone())
            }
        }
        let clones = Rc::new(Cell::new(0));
        let mut list = Grown::default();
        for _ in 0..4_000 {
            // A snapshot between any two pushes is the worst case.
            let (snapshot, before) = (list.clone(), clones.get());
            list.push(Item(clones.clone()));
            let copied = clones.get() - before;
            assert!(copied < Grown::<Item>::CHUNK, "{copied} items were copied by one push");
            drop(snapshot);
        }
        let (_snapshot, before) = (list.clone(), clones.get());
        list.get_mut(10).unwrap();
        assert_eq!(clones.get() - before, Grown::<Item>::CHUNK);
    }

    #[test]
    fn a_set_holds_what_was_put_in_once() {
        // An odd factor visits every residue, so the ids come in no order.
        let ids = || (0..40_000u128).map(|n| RecordId::new(n * 7919 % 40_000));
        let set: RecordSet = ids().chain(ids()).collect();
        assert_eq!(set.len(), 40_000);
        assert!(ids().all(|id| set.contains(id)));
        assert!(!set.contains(RecordId::new(40_000)));
        let mut all: Vec<RecordId> = set.iter().collect();
        all.sort();
        assert!(all.into_iter().eq((0..40_000).map(RecordId::new)));
    }

    #[test]
    fn subsets() {
        let of = |ids: std::ops::Range<u128>| ids.map(RecordId::new).collect::<RecordSet>();
        assert!(of(10..500).is_subset(&of(0..1000)));
        assert!(!of(10..1001).is_subset(&of(0..1000)));
        assert!(of(0..0).is_subset(&of(0..0)));
    }
}
