//! What a scan remembers of the records before: all that travels with a cursor. It is bounded by entries, so that it
//! stays small beside a log of any length, and every part is shared with the cursor before until it changes.

use std::sync::Arc;

use trace::{Context, RecordId};

use super::record::Record;
use super::tools::Asked;
use crate::recent::Recent;

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
    /// The call's id, and what it asked for. A call has one result.
    pub(super) fn take_call(&mut self, id: &str) -> (Arc<str>, Option<Asked>) {
        match self.calls.get(id).map(|(id, _)| id.clone()) {
            Some(id) => {
                let asked = Arc::make_mut(&mut self.calls).take(&id);
                (id, asked)
            }
            None => (id.into(), None),
        }
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
