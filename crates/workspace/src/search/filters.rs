//! The filters of all logs, kept with the workspace and made in the background.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ::search::{Blocks, Filters, Store, Subject};
use index::{Extent, Logs};
use rustc_hash::FxHashSet;
use trace::LogId;

use crate::Workspace;

#[derive(Default)]
pub(crate) struct Kept {
    filters: Filters,
    /// `None`: nothing was loaded yet, and nothing is stored.
    store: Mutex<Option<Store>>,
}

impl Kept {
    pub(super) fn of(&self, extent: Extent<'_>) -> Option<Arc<Blocks>> {
        self.filters.of(extent.file, extent.epoch)
    }
}

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
    /// Makes the filters that searches lack, those of the newest sessions first, and keeps them in `folder` for the
    /// next start. Searches go on meanwhile, and are right whatever is made so far. Fails only where the folder cannot
    /// be written to.
    pub fn make_filters(&self, folder: Option<PathBuf>, is_cancelled: &dyn Fn() -> bool) -> io::Result<Filtered> {
        let logs = self.index().snapshot();
        let wanted = subjects(&logs);
        let Kept { filters, store } = &self.filters;
        let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
        let mut filtered = Filtered::default();
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
        let known: FxHashSet<&Path> = wanted.iter().map(|subject| subject.path).collect();
        filters.retain(&|path| known.contains(path));
        filtered.size = filters.size();
        match &*store {
            Some(store) => store.save(filters).map(|()| filtered),
            None => Ok(filtered),
        }
    }

    /// Brings the filters of logs that grew up to date. Nothing is written: the next start reads the ends of these
    /// logs anew.
    pub fn update_filters(&self, changed: &[LogId]) {
        let logs = self.index().snapshot();
        for extent in changed.iter().filter_map(|log| logs.extent(*log)) {
            if self.filters.of(extent).is_some() {
                _ = self.filters.filters.update(subject(extent), &|| false);
            }
        }
    }
}

/// All logs, those of the newest sessions first.
fn subjects(logs: &Logs) -> Vec<Subject<'_>> {
    let of_sessions = logs.sessions().flat_map(|path| {
        let all = std::iter::once(&path.log).chain(logs.side_logs(&path.session));
        all.filter_map(|log| logs.extent(*log)).map(subject)
    });
    of_sessions.collect()
}

fn subject(extent: Extent<'_>) -> Subject<'_> {
    Subject { path: extent.file, len: extent.len, epoch: extent.epoch }
}
