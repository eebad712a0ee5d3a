//! The one owner of state: joins what logs, git, disk and open buffers know, and answers for files and sessions.
//!
//! Every question is asked of a [`Moment`]: the logs as they were published last. Nothing here speaks a protocol.

mod buffers;
mod case;
mod changes;
mod commands;
mod file;
mod foreign;
mod from_git;
mod gained;
mod gather;
mod gone;
mod lost;
mod mapping;
mod moves;
mod search;
mod sessions;
mod undo;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use dashmap::DashMap;
pub use index::{CacheReport, Changed, Env, Index, LogSummary, Logs, Progress, Watch};

pub use buffers::Buffers;
pub use case::{Answer, Case};
pub use changes::{ChangedLines, FileChange, Standing, TurnShare, Uncommitted, UncommittedFile};
pub use file::{Elsewhere, FileHistory, FileView, StepRef, short_session};
pub use from_git::FormerName;
pub use gather::Told;
pub use mapping::PathMapping;
pub use repo::git_blob_hash;
pub use repo::{BlobId, CommitInfo, CommittedFile, Limit, Repo, Shown};
pub use search::{Course, Field, Filtered, Found, Hit, HitsOfSession, Query};
pub use sessions::{Located, SessionView, Summary};
pub use undo::{Because, FileUndo, Outcome, Stays};

/// What the person set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `logs.pathMappings`: where folders that logs name are here.
    pub path_mappings: Vec<PathMapping>,
}

/// All that is known, and what was made of it so far.
pub struct Workspace {
    index: Arc<Index>,
    settings: Mutex<Arc<Settings>>,
    /// By folder: the repository that it lies in.
    repos: DashMap<PathBuf, Option<Repo>>,
    files: DashMap<PathBuf, Arc<Mutex<file::FileState>>>,
    sessions: sessions::Cache,
    mappings: mapping::Cache,
    /// Lines of files that came from other files.
    foreign: DashMap<PathBuf, foreign::Found>,
    /// By worktree: files that lost lines since the last commit.
    looks: DashMap<PathBuf, lost::Look>,
    /// By file: in which commits its lines came.
    gained: DashMap<PathBuf, Arc<gained::Gained>>,
    /// By repository and commit: the files of which it took something.
    shown: DashMap<(PathBuf, repo::CommitId), Arc<[gained::LostInCommit]>>,
    /// By worktree: whether agents are known to have worked there, as of one publication of the logs.
    agents_in: DashMap<PathBuf, (u64, bool)>,
    /// By repository: whether agents worked on files that are gone, as of one publication of the logs.
    gone: DashMap<PathBuf, (u64, bool)>,
    filters: search::Kept,
    pub buffers: Buffers,
}

impl Workspace {
    pub fn new(index: Arc<Index>, settings: Settings) -> Workspace {
        Workspace {
            index,
            settings: Mutex::new(Arc::new(settings)),
            repos: DashMap::new(),
            files: DashMap::new(),
            sessions: sessions::Cache::default(),
            mappings: mapping::Cache::default(),
            foreign: DashMap::new(),
            looks: DashMap::new(),
            gained: DashMap::new(),
            shown: DashMap::new(),
            agents_in: DashMap::new(),
            gone: DashMap::new(),
            filters: search::Kept::default(),
            buffers: Buffers::default(),
        }
    }

    pub fn index(&self) -> &Arc<Index> {
        &self.index
    }

    /// The logs as they stand now, for one request.
    pub fn moment(&self) -> Moment<'_> {
        Moment { workspace: self, logs: self.index.snapshot() }
    }

    pub fn set(&self, settings: Settings) {
        let mut current = self.settings.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if **current != settings {
            *current = Arc::new(settings);
            drop(current);
            self.mappings.clear();
            self.files.clear();
        }
    }

    fn settings(&self) -> Arc<Settings> {
        self.settings.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    /// The repository that a file or folder lies in. Asked of git once for each folder.
    pub fn repo(&self, path: &Path) -> Option<Repo> {
        let folder = if path.is_dir() { path } else { path.parent()? };
        if let Some(known) = self.repos.get(folder) {
            return known.clone();
        }
        let found = Repo::discover(folder);
        self.repos.insert(folder.to_owned(), found.clone());
        found
    }

    /// The repositories that were asked for so far.
    pub fn repos(&self) -> Vec<Repo> {
        self.repos.iter().filter_map(|repo| repo.value().clone()).collect()
    }

    /// Forgets what was asked of git about folders: a repository was made or removed.
    pub fn forget_repos(&self) {
        self.repos.clear();
    }
}

/// The logs at one moment, with everything that can be asked of them.
pub struct Moment<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) logs: Arc<index::Logs>,
}

impl Moment<'_> {
    pub fn logs(&self) -> &index::Logs {
        &self.logs
    }

    /// Logs read so far and logs in all, while the first reading goes on.
    pub fn reading(&self) -> Option<(usize, usize)> {
        self.logs.reading()
    }

    pub fn bodies(&self) -> &dyn trace::Bodies {
        &*self.workspace.index
    }
}
