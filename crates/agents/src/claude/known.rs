//! What a scan remembers of the records before: all that travels with a cursor. It is bounded by entries, so that it
//! stays small beside a log of any length, and every part is shared with the cursor before until it changes.

use std::borrow::Borrow;
use std::collections::VecDeque;
use std::hash::Hash;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use trace::{Context, RecordId};

use super::record::Record;
use super::tools::Asked;

#[derive(Clone, Default)]
pub(super) struct Known {
    /// Where the session began: paths of backups are relative to it.
    pub(super) first_cwd: Option<Arc<str>>,
    pub(super) told: Context,
    /// Calls that wait for their results, for results that say too little by themselves.
    pub(super) calls: Arc<Recent<Arc<str>, Asked, 1024>>,
    pub(super) threads: Arc<Threads>,
    /// Sub-agents told of by progress records, and whether their task was told.
    pub(super) started: Arc<Recent<Arc<str>, bool, 1024>>,
    /// Records inside of progress records: some are repeated.
    pub(super) inner: Arc<Recent<RecordId, (), 4096>>,
    /// Pull requests told of.
    links: Arc<Recent<Arc<str>, (), 256>>,
    /// The newest backup of each file.
    backups: Arc<Recent<Arc<str>, Option<Arc<str>>, 4096>>,
}

impl Known {
    /// What the call asked for. A call has one result.
    pub(super) fn take_call(&mut self, id: &str) -> Option<Asked> {
        self.calls.get(id)?;
        Arc::make_mut(&mut self.calls).take(id)
    }

    pub(super) fn is_new_link(&mut self, words: &str) -> bool {
        self.links.get(words).is_none() && Arc::make_mut(&mut self.links).put(words.into(), ())
    }

    /// Whether the backup is another than the last one of this file.
    pub(super) fn is_new_backup(&mut self, path: &str, name: Option<&str>) -> bool {
        let known = self.backups.get(path);
        if known.is_some_and(|(_, known)| known.as_deref() == name) {
            return false;
        }
        let path = known.map_or_else(|| path.into(), |(path, _)| path.clone());
        Arc::make_mut(&mut self.backups).put(path, name.map(Into::into));
        true
    }
}

/// The newest entries of a map, at most `MOST`.
#[derive(Clone)]
pub(super) struct Recent<K, V, const MOST: usize> {
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
    pub(super) fn put(&mut self, key: K, value: V) -> bool {
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

    pub(super) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<(&K, &V)>
    where
        K: Borrow<Q>,
    {
        self.known.get_key_value(key)
    }

    fn take<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<V>
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

/// The conversations of sub-agents whose records stand among the parent's.
#[derive(Clone, Default)]
pub(super) struct Threads {
    of_record: Recent<RecordId, Arc<str>, 4096>,
    newest: Option<Arc<str>>,
}

impl Threads {
    /// The agent where the record names it; else what its parent belongs to; a record without a parent begins a
    /// conversation, whose name is then that record's id.
    pub(super) fn of(&mut self, record: &Record<'_>) -> Arc<str> {
        let parent = record.parent();
        let thread = match (record.agent_id.filled(), parent) {
            (Some(agent), _) => match &self.newest {
                Some(newest) if **newest == *agent => newest.clone(),
                _ => agent.into(),
            },
            (None, None) => record.uuid.or_empty().into(),
            (None, Some(parent)) => {
                let known = self.of_record.get(&parent).map(|(_, thread)| thread);
                known.or(self.newest.as_ref()).cloned().unwrap_or_else(|| record.uuid.or_empty().into())
            }
        };
        if let Some(id) = record.id() {
            self.of_record.put(id, thread.clone());
        }
        self.newest = Some(thread.clone());
        thread
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
