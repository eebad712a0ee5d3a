//! The filters of all logs, kept with the workspace and made in the background.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, TryLockError};

use ::search::{AllFilters, Filters, Store, Subject};
use index::{Extent, LogSummary, Logs};
use rustc_hash::FxHashSet;

use crate::Workspace;

#[derive(Default)]
pub(crate) struct Kept {
    filters: Filters,
    /// `None`: nothing was loaded yet, and nothing is stored.
    store: Mutex<Option<Store>>,
}

impl Kept {
    pub(super) fn now(&self) -> AllFilters {
        self.filters.now()
    }
}

/// A byte of stored filters takes as long to load as so many bytes of logs to scan.
const SCANNED_AS_FAST: u64 = 8;

/// What came of making filters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filtered {
    /// Logs whose filters were found stored.
    pub loaded: usize,
    /// Bytes of logs that were read.
    pub read: u64,
    /// Bytes that all filters take.
    pub size: usize,
}

impl Workspace {
    /// Takes what somebody made and left in `folder`, for one search of these sessions. Makes none and writes nothing;
    /// does nothing where a scan is done sooner. Gives for how many logs.
    pub fn load_filters<'p>(&self, folder: PathBuf, sessions: impl IntoIterator<Item = &'p Arc<LogSummary>>) -> usize {
        let logs = self.index().snapshot();
        let wanted: Vec<Subject<'_>> = sessions.into_iter().flat_map(|path| of_session(&logs, path)).collect();
        let store = Store::new(folder);
        let bytes: u64 = wanted.iter().map(|log| log.len).sum();
        if bytes / SCANNED_AS_FAST < store.size() { 0 } else { store.load(&wanted, &self.filters.filters) }
    }

    /// Makes the filters that searches lack, those of the newest sessions first, and keeps them in `folder` for the
    /// next start. Searches go on meanwhile, and are right whatever is made so far: what has no filter is scanned. Where
    /// somebody else is at it nothing is done. Fails only where the folder cannot be written to.
    pub fn make_filters(&self, folder: Option<PathBuf>, is_cancelled: &dyn Fn() -> bool) -> io::Result<Filtered> {
        let logs = self.index().snapshot();
        let wanted = subjects(&logs);
        let Kept { filters, store } = &self.filters;
        let mut filtered = Filtered::default();
        let mut store = match store.try_lock() {
            Ok(store) => store,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(filtered),
        };
        if store.is_none()
            && let Some(folder) = folder
        {
            let opened = Store::new(folder);
            filtered.loaded = opened.load(&wanted, filters);
            *store = Some(opened);
        }
        for subject in &wanted {
            if is_cancelled() {
                return Ok(filtered);
            }
            // A log that cannot be read now is scanned, or told of where it is read for its entries.
            filtered.read += filters.update(*subject, is_cancelled).unwrap_or(0);
        }
        let known: FxHashSet<u32> = wanted.iter().map(|subject| subject.id).collect();
        filters.retain(&|id| known.contains(&id));
        filtered.size = filters.size();
        match &*store {
            Some(store) => store.save(filters).map(|()| filtered),
            None => Ok(filtered),
        }
    }
}

/// All logs, those of the newest sessions first.
fn subjects(logs: &Logs) -> Vec<Subject<'_>> {
    logs.sessions().flat_map(|path| of_session(logs, path)).collect()
}

fn of_session<'l>(logs: &'l Logs, path: &LogSummary) -> impl Iterator<Item = Subject<'l>> + use<'l> {
    let all = std::iter::once(path.log).chain(logs.side_logs(&path.session).iter().copied());
    all.filter_map(|log| logs.extent(log)).map(subject)
}

fn subject(extent: Extent<'_>) -> Subject<'_> {
    Subject { id: extent.log.0, path: extent.file, len: extent.len, epoch: extent.epoch }
}
