//! The turns of a log, of which those that were written down long ago are read only when somebody looks at them.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::Turn;

/// Turns in the order of their log, from the first. A clone shares all of them.
///
/// Turns that lie in a store come in chunks: a chunk is read as a whole when one of its turns is asked for, and stays.
/// How many there are is known without reading any.
#[derive(Clone, Default)]
pub struct Turns {
    chunks: Vec<Arc<Chunk>>,
    /// Turns behind those of the chunks.
    tail: Vec<Arc<Turn>>,
}

/// Where the turns of a chunk lie until they are read.
pub trait Stored: Send + Sync {
    /// As many of the chunk's turns as can be had.
    fn turns(&self) -> Vec<Arc<Turn>>;

    /// The same as they were written.
    fn bytes(&self) -> Option<Vec<u8>>;
}

#[derive(Clone)]
struct Chunk {
    /// The index of the first turn.
    first: usize,
    len: usize,
    bytes: usize,
    /// `None`: a turn is otherwise than it was stored.
    stored: Option<Arc<dyn Stored>>,
    turns: OnceLock<Vec<Arc<Turn>>>,
}

/// Turns as they are to be stored together.
pub enum Part<'a> {
    /// As many turns that lie in a store already.
    Stored(usize, &'a dyn Stored),
    Turns(&'a [Arc<Turn>]),
}

impl Chunk {
    fn turns(&self) -> &[Arc<Turn>] {
        self.turns.get_or_init(|| {
            let mut turns = self.stored.as_ref().map_or_else(Vec::new, |stored| stored.turns());
            turns.truncate(self.len);
            let number = |index: usize| u32::try_from(index + 1).unwrap_or(u32::MAX);
            turns.extend((self.first + turns.len()..self.first + self.len).map(|index| lost(number(index))));
            turns
        })
    }

    fn end(&self) -> usize {
        self.first + self.len
    }
}

/// A turn that could not be read any more.
fn lost(number: u32) -> Arc<Turn> {
    Arc::new(Turn { number, title: "[lost]".into(), ..Turn::default() })
}

impl Turns {
    /// Puts stored turns at the end, before any other was pushed. `bytes` is what they will take in memory, roughly.
    pub fn push_stored(&mut self, len: usize, bytes: usize, stored: Arc<dyn Stored>) {
        debug_assert!(self.tail.is_empty(), "stored turns come first");
        let first = self.stored_len();
        self.chunks.push(Arc::new(Chunk { first, len, bytes, stored: Some(stored), turns: OnceLock::new() }));
    }

    /// The turns of which nothing has to be read.
    pub fn in_memory(&self) -> impl Iterator<Item = &Arc<Turn>> {
        self.chunks.iter().filter_map(|chunk| chunk.turns.get()).flatten().chain(&self.tail)
    }

    /// What the others will take in memory, roughly.
    pub fn bytes_to_read(&self) -> usize {
        self.chunks.iter().filter(|chunk| chunk.turns.get().is_none()).map(|chunk| chunk.bytes).sum()
    }

    pub fn push(&mut self, turn: Arc<Turn>) {
        self.tail.push(turn);
    }

    pub fn len(&self) -> usize {
        self.stored_len() + self.tail.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn get(&self, index: usize) -> Option<&Arc<Turn>> {
        match index.checked_sub(self.stored_len()) {
            Some(index) => self.tail.get(index),
            None => {
                let chunk = self.chunks.get(self.chunk_of(index))?;
                chunk.turns().get(index.checked_sub(chunk.first)?)
            }
        }
    }

    /// A turn to be changed: a copy of it, where others share it.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut Turn> {
        let turn = match index.checked_sub(self.stored_len()) {
            Some(index) => self.tail.get_mut(index)?,
            None => {
                let at = self.chunk_of(index);
                let chunk = self.chunks.get_mut(at)?;
                chunk.turns();
                let chunk = Arc::make_mut(chunk);
                chunk.stored = None;
                chunk.turns.get_mut()?.get_mut(index.checked_sub(chunk.first)?)?
            }
        };
        Some(Arc::make_mut(turn))
    }

    pub fn first(&self) -> Option<&Arc<Turn>> {
        self.get(0)
    }

    pub fn last(&self) -> Option<&Arc<Turn>> {
        self.get(self.len().checked_sub(1)?)
    }

    pub fn last_mut(&mut self) -> Option<&mut Turn> {
        self.get_mut(self.len().checked_sub(1)?)
    }

    /// Lets go of the room for more steps in the last turn, where nobody shares it.
    pub fn shrink_last(&mut self) {
        if let Some(turn) = self.tail.last_mut().and_then(Arc::get_mut) {
            turn.steps.shrink();
            turn.responses.shrink();
        }
    }

    pub fn iter(&self) -> Iter<'_> {
        Iter { turns: self, range: 0..self.len() }
    }

    /// The turns with these indices, as far as there are any.
    pub fn range(&self, range: Range<usize>) -> Iter<'_> {
        Iter { turns: self, range: range.start..range.end.min(self.len()) }
    }

    /// What of them is to be stored together: what is stored stays as it is, the others by `is_full`, which is asked
    /// after each turn.
    pub fn parts(&self, mut is_full: impl FnMut(&Turn) -> bool) -> Vec<Part<'_>> {
        let mut parts: Vec<Part<'_>> = Vec::new();
        for chunk in &self.chunks {
            parts.push(match &chunk.stored {
                Some(stored) => Part::Stored(chunk.len, &**stored),
                None => Part::Turns(chunk.turns()),
            });
        }
        parts.extend(self.tail.split_inclusive(|turn| is_full(turn)).map(Part::Turns));
        parts
    }

    fn stored_len(&self) -> usize {
        self.chunks.last().map_or(0, |chunk| chunk.end())
    }

    fn chunk_of(&self, index: usize) -> usize {
        self.chunks.partition_point(|chunk| chunk.end() <= index)
    }
}

/// The turns of a [`Turns`], in order.
#[derive(Clone)]
pub struct Iter<'a> {
    turns: &'a Turns,
    range: Range<usize>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a Arc<Turn>;

    fn next(&mut self) -> Option<&'a Arc<Turn>> {
        self.turns.get(self.range.next()?)
    }

    fn nth(&mut self, n: usize) -> Option<&'a Arc<Turn>> {
        self.turns.get(self.range.nth(n)?)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.range.size_hint()
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.turns.get(self.range.next_back()?)
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl<'a> IntoIterator for &'a Turns {
    type Item = &'a Arc<Turn>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl FromIterator<Arc<Turn>> for Turns {
    fn from_iter<I: IntoIterator<Item = Arc<Turn>>>(turns: I) -> Turns {
        Turns { chunks: Vec::new(), tail: turns.into_iter().collect() }
    }
}

impl fmt::Debug for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Turns that can be had, with how often they were asked for.
    struct Kept(Vec<Arc<Turn>>, AtomicUsize);

    impl Stored for Kept {
        fn turns(&self) -> Vec<Arc<Turn>> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.clone()
        }
        fn bytes(&self) -> Option<Vec<u8>> {
            None
        }
    }

    fn turn(number: u32) -> Arc<Turn> {
        Arc::new(Turn { number, ..Turn::default() })
    }

    fn kept(numbers: Range<u32>) -> Arc<Kept> {
        Arc::new(Kept(numbers.map(turn).collect(), AtomicUsize::new(0)))
    }

    /// Turns 1 to 8: two chunks and two more.
    fn turns() -> (Turns, [Arc<Kept>; 2]) {
        let kept = [kept(1..4), kept(4..7)];
        let mut turns = Turns::default();
        kept.iter().for_each(|kept| turns.push_stored(3, 100, kept.clone()));
        (7..9).for_each(|number| turns.push(turn(number)));
        (turns, kept)
    }

    fn numbers<'a>(turns: impl Iterator<Item = &'a Arc<Turn>>) -> Vec<u32> {
        turns.map(|turn| turn.number).collect()
    }

    fn asked(kept: &[Arc<Kept>]) -> Vec<usize> {
        kept.iter().map(|kept| kept.1.load(Ordering::Relaxed)).collect()
    }

    #[test]
    fn a_chunk_is_read_when_it_is_looked_at_and_once() {
        let (turns, kept) = turns();
        assert_eq!((turns.len(), turns.last().unwrap().number), (8, 8));
        assert_eq!(asked(&kept), [0, 0]);
        assert_eq!(numbers(turns.range(3..5)), [4, 5]);
        assert_eq!(asked(&kept), [0, 1]);
        assert_eq!((numbers(turns.in_memory()), turns.bytes_to_read()), (vec![4, 5, 6, 7, 8], 100));
        assert_eq!(numbers(turns.iter()), (1..9).collect::<Vec<_>>());
        assert_eq!(numbers(turns.clone().iter().rev()), (1..9).rev().collect::<Vec<_>>());
        assert_eq!(asked(&kept), [1, 1]);
        assert!(turns.get(8).is_none() && turns.range(7..20).len() == 1);
    }

    #[test]
    fn a_turn_is_changed_in_one_of_two() {
        let (mut turns, kept) = turns();
        let before = turns.clone();
        for index in [1, 7] {
            turns.get_mut(index).unwrap().interrupted = true;
        }
        assert_eq!(asked(&kept), [1, 0]);
        let interrupted = |turns: &Turns| turns.iter().filter(|turn| turn.interrupted).count();
        assert_eq!((interrupted(&turns), interrupted(&before)), (2, 0));
        let stored = |turns: &Turns| {
            let parts = turns.parts(|_| false);
            parts.iter().map(|part| matches!(part, Part::Stored(..))).collect::<Vec<_>>()
        };
        assert_eq!((stored(&turns), stored(&before)), (vec![false, true, false], vec![true, true, false]));
    }

    #[test]
    fn what_is_lost_keeps_its_place() {
        let mut turns = Turns::default();
        turns.push_stored(4, 0, kept(1..3));
        turns.push(turn(5));
        assert_eq!(numbers(turns.iter()), [1, 2, 3, 4, 5]);
        assert_eq!(&*turns.get(3).unwrap().title, "[lost]");
    }
}
