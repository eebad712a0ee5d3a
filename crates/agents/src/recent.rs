//! A map that forgets: what a scan remembers of a log must not grow with it.

use std::borrow::Borrow;
use std::collections::VecDeque;
use std::hash::Hash;

use rustc_hash::FxHashMap;

/// The newest entries of a map, at most `MOST`.
#[derive(Clone)]
pub(crate) struct Recent<K, V, const MOST: usize> {
    known: FxHashMap<K, V>,
    /// Keys as they were first put in.
    order: VecDeque<K>,
}

impl<K, V, const MOST: usize> Default for Recent<K, V, MOST> {
    fn default() -> Recent<K, V, MOST> {
        Recent { known: FxHashMap::default(), order: VecDeque::new() }
    }
}

impl<K: Clone + Eq + Hash, V, const MOST: usize> Recent<K, V, MOST> {
    /// Whether the key is new. The entry that was put in first makes room.
    pub(crate) fn put(&mut self, key: K, value: V) -> bool {
        if self.known.insert(key.clone(), value).is_some() {
            return false;
        }
        self.order.push_back(key);
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }

    pub(crate) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<(&K, &V)>
    where
        K: Borrow<Q>,
    {
        self.known.get_key_value(key)
    }

    pub(crate) fn take<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let value = self.known.remove(key)?;
        if let Some(at) = self.order.iter().position(|known| known.borrow() == key) {
            self.order.remove(at);
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::Recent;

    #[test]
    fn the_oldest_makes_room() {
        let mut recent: Recent<u32, u32, 3> = Recent::default();
        let put: Vec<bool> = [1, 2, 1, 3].iter().map(|key| recent.put(*key, key * 10)).collect();
        assert_eq!(put, [true, true, false, true]);
        recent.put(4, 40);
        assert_eq!((recent.get(&1), recent.get(&2)), (None, Some((&2, &20))));
        assert_eq!((recent.take(&2), recent.take(&2)), (Some(20), None));
        recent.put(2, 21);
        assert_eq!((recent.known.len(), recent.order.len()), (3, 3));
        recent.put(5, 50);
        assert_eq!((recent.get(&3), recent.get(&2)), (None, Some((&2, &21))));
    }
}
