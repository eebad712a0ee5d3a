//! Every known state of a file: what steps wrote and read, what was committed, what agents kept as backups.

use std::path::Path;
use std::time::Duration;

use trace::Timestamp;
use workspace::{BlobId, CommitInfo, FileHistory, Limit, StepRef, Told};

use super::Answers;

/// How long git is asked for the commits of a file.
const PATIENCE: Duration = Duration::from_secs(5);
const MOST_COMMITS: usize = 200_000;

/// One state of a file that is known.
pub(crate) struct State {
    pub(crate) at: Timestamp,
    /// How many lines it has, where that is told.
    pub(crate) lines: Option<u32>,
    pub(crate) what: What,
}

pub(crate) enum What {
    Edit(StepRef),
    Read(StepRef),
    /// The text that an edit found: something that no log tells had changed the file before it.
    Found(StepRef),
    /// `None`: the commit deleted the file.
    Commit(CommitInfo, Option<BlobId>),
    /// A backup that the agent made.
    Backup,
}

impl Answers<'_> {
    /// The states of a file, which may be deleted, the newest first.
    pub(crate) fn file_states(&self, path: &Path) -> Vec<State> {
        let mut states = self.moment.with_timeline(path, told);
        // What an edit found and what it left are of one time, the later told last.
        states.reverse();
        if let Some(repo) = self.workspace.repo(path)
            && let Some(rel) = repo.relative(path)
        {
            let versions = repo.history(&rel, Limit { commits: MOST_COMMITS, time: PATIENCE }).versions;
            states.extend(versions.into_iter().map(|version| State {
                at: version.commit.at,
                lines: None,
                what: What::Commit(version.commit, version.blob),
            }));
        }
        states.sort_by_key(|state| std::cmp::Reverse(state.at));
        states
    }
}

/// What the logs tell. Commits are left to git, which knows them all.
fn told(known: &FileHistory<'_>) -> Vec<State> {
    let state = |(by, lines): (provenance::Witness, u32)| {
        let step = |key| known.view.step_of(key).cloned();
        let what = match (by.step, known.told(by.key)) {
            (Some(key), _) => What::Edit(step(key)?),
            (None, Some(Told::Edit(key))) => What::Found(step(key)?),
            (None, Some(Told::Read(key))) => What::Read(step(key)?),
            (None, Some(Told::Commit(_))) => return None,
            (None, None) => What::Backup,
        };
        Some(State { at: by.at, lines: Some(lines), what })
    };
    known.timeline.states().into_iter().filter_map(state).collect()
}
