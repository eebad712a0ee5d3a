//! All logs of all agents: which there are, what each says as a derived path, which of them touched which file, and
//! which repeat records of which.
//!
//! [`Index`] reads and follows; [`Logs`] is one published moment of it. Whoever answers a request takes
//! [`Index::snapshot`] once and asks nothing else, so no request waits for a log that is being read.

mod bodies;
mod cache;
mod copies;
mod derive;
mod file;
mod logs;
mod publish;
mod read;
mod rest;
mod spines;
mod store;
mod summary;
#[cfg(test)]
mod tests;
mod touches;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use agents::Reader;
pub use agents::{Env, Records};
use arc_swap::ArcSwap;
use trace::{Agent, Bodies, Body, DerivedPath, LogId, Place};

use bodies::BodyCache;
use cache::Mark;
use file::Registry;
use publish::Publisher;
use store::Store;

pub use cache::CacheReport;
pub use derive::Deriver;
pub use logs::{Extent, Logs, Trouble};
pub use rest::Limits;
pub use summary::{FileUse, LogSummary};
pub use touches::Touch;
pub use watch::Watch;

/// Reads and follows all logs of all agents.
pub struct Index {
    env: Env,
    readers: Vec<&'static dyn Reader>,
    /// The derived paths. Requests come to it by [`Logs::load`].
    store: Arc<Store>,
    /// What an earlier process knew was looked for.
    restored: Once,
    /// [`Logs::content`] of the summaries that lie in the cache.
    saved: Mutex<(u64, Option<Mark>)>,
    registry: Mutex<Registry>,
    publisher: Mutex<Publisher>,
    published: ArcSwap<Logs>,
    bodies: Mutex<BodyCache>,
    /// Refreshes under way that began before everything had been read once.
    first_refreshes: AtomicUsize,
}

/// How far a refresh came, in logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub done: usize,
    pub total: usize,
}

/// What a refresh found to be otherwise than before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Logs that are new, grew or were replaced, in the order of their ids.
    pub logs: Vec<LogId>,
    /// Logs that are not there any more or cannot be read any more.
    pub gone: Vec<LogId>,
}

impl Changed {
    pub fn is_empty(&self) -> bool {
        self.logs.is_empty() && self.gone.is_empty()
    }
}

/// Work done since the index was made. Tests hold it, because a clock cannot tell whether a log was read twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Logs that were opened.
    pub scans: u64,
    pub bytes: u64,
    /// Of bytes that had been read before: to know a file again, or because what was known of it was lost.
    pub bytes_again: u64,
    pub entries: u64,
}

impl Index {
    /// An index that has read nothing yet: [`Index::refresh`] does.
    pub fn new(env: Env) -> Index {
        Index::of_agents(env, &Agent::ALL)
    }

    /// The same of the logs of these agents alone; those of others are not even looked for.
    pub fn of_agents(env: Env, agents: &[Agent]) -> Index {
        Index::with_store(env, agents, Store::default())
    }

    fn with_store(env: Env, agents: &[Agent], store: Store) -> Index {
        let store = Arc::new(store);
        let wanted = |reader: &&&dyn Reader| agents.contains(&reader.agent());
        Index {
            env,
            readers: agents::readers().iter().filter(wanted).copied().collect(),
            restored: Once::new(),
            saved: Mutex::default(),
            registry: Mutex::default(),
            publisher: Mutex::new(Publisher::new(store.clone())),
            published: ArcSwap::from_pointee(Logs::new(store.clone())),
            bodies: Mutex::default(),
            first_refreshes: AtomicUsize::new(0),
            store,
        }
    }

    /// All logs as last published. Never waits.
    pub fn snapshot(&self) -> Arc<Logs> {
        self.published.load_full()
    }

    /// The derived path of a log as last published. See [`Logs::load`].
    pub fn path(&self, log: LogId) -> Option<Arc<DerivedPath>> {
        self.snapshot().load(log)
    }

    /// The folders in which logs are looked for, existing or not.
    pub fn roots(&self) -> Vec<PathBuf> {
        self.each_root().map(|(_, root)| root).collect()
    }

    /// Where the backup `name`, told of in this log, lies. It may be deleted.
    pub fn backup(&self, log: LogId, name: &str) -> Option<PathBuf> {
        let logs = self.published.load();
        let (summary, file) = (logs.summary(log)?, logs.file(log)?);
        agents::reader(summary.agent).backup(file, &summary.session, name)
    }

    /// A log opened for reading many of its records. `None`: it cannot be opened (any more).
    pub fn records(&self, log: LogId) -> Option<Records> {
        let logs = self.published.load();
        let (summary, file) = (logs.summary(log)?, logs.file(log)?);
        Records::open(agents::reader(summary.agent), file).ok()
    }

    pub fn counted(&self) -> Counted {
        self.store.counted()
    }

    fn each_root(&self) -> impl Iterator<Item = (&'static dyn Reader, PathBuf)> {
        let roots = self
            .readers
            .iter()
            .flat_map(|reader| reader.roots(&self.env).into_iter().map(|root| (*reader, plain(&root))));
        let mut seen = Vec::new();
        // Two names of one folder would make every log in it two.
        roots.filter(move |(reader, root)| {
            let real = (reader.agent(), std::fs::canonicalize(root).unwrap_or_else(|_| root.clone()));
            let is_new = !seen.contains(&real);
            seen.push(real);
            is_new
        })
    }
}

/// A folder as its names alone tell it: paths below it are compared as they stand.
fn plain(folder: &Path) -> PathBuf {
    folder.components().collect()
}

impl Bodies for Index {
    fn body(&self, log: LogId, place: Place) -> Body {
        if let Some(content) = lock(&self.bodies).get(log, place) {
            return Body::Here(content);
        }
        let logs = self.published.load();
        let (Some(summary), Some(file)) = (logs.summary(log), logs.file(log)) else { return Body::Gone };
        match agents::reader(summary.agent).body(file, place) {
            Ok(Some(content)) => {
                let content = Arc::new(content);
                lock(&self.bodies).put(log, place, &content);
                Body::Here(content)
            }
            // A file that cannot be read now is told of where it is read for its entries.
            Ok(None) | Err(_) => Body::Gone,
        }
    }
}

/// A panic of another thread leaves nothing half done under our locks, which hold plain data.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
