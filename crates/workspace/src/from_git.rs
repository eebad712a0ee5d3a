//! What git tells of a file: its commits, what git itself wrote into the worktree, and the names it had before.

use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::Arc;

use provenance::EventKey;
use repo::{FileState, MoveKind, StateBefore};
use rustc_hash::FxHasher;
use trace::{LogId, Timestamp};

use crate::Moment;
use crate::gather::{Clue, Depth, LIMIT, MOST_COMMITS, What};
use crate::mapping::{HERE, Target};

/// The order of commits is certain, like a log's.
const COMMITS: LogId = LogId(u32::MAX - 1);
/// So is that of a reflog. What it brings was committed before.
const MOVES: LogId = LogId(u32::MAX);

/// Git knows seconds. What was edited within one was mostly edited before the commit.
const WITHIN_A_SECOND: i64 = 999;

/// A file that another one was before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerName {
    /// In the repository.
    pub path: String,
    pub at: Timestamp,
    /// The commit in which it came; `None`: that is not committed yet.
    pub commit: Option<repo::CommitId>,
}

impl Moment<'_> {
    /// The files that this one was before, as far as git proves it.
    pub fn former_names(&self, path: &Path) -> Vec<FormerName> {
        let path = crate::mapping::real(path);
        let repo = self.workspace.repo(&path);
        let Some((repo, rel)) = repo.as_ref().and_then(|repo| Some((repo, repo.relative(&path)?))) else {
            return Vec::new();
        };
        let unique = repo.came_from(&rel, LIMIT).into_iter().filter(|origin| origin.unique);
        unique.map(|origin| FormerName { path: origin.path, at: origin.at, commit: origin.commit }).collect()
    }

    pub(crate) fn clues_of_git(&self, target: &Target<'_>, name: &Arc<str>, clues: &mut Vec<Clue>) {
        let (Some(repo), Some(rel)) = (target.repo, &target.rel) else { return };
        let states = repo.states(rel, LIMIT).states;
        let keys: Vec<EventKey> = states.iter().map(|state| commit_key(state, rel)).collect();
        let clue = |key: EventKey, at: Timestamp, log: LogId, order: usize, what: What| Clue {
            key,
            at: Timestamp(at.0 + WITHIN_A_SECOND),
            log,
            order: order as u32,
            tree: HERE,
            turn: None,
            left_behind: false,
            name: name.clone(),
            what,
        };
        for (at, state) in states.iter().enumerate().take(MOST_COMMITS) {
            let Some(blob) = state.blob else { continue };
            let key_of = |before: &StateBefore| match before {
                StateBefore::State(at) => keys.get(*at).copied(),
                StateBefore::Nothing | StateBefore::Unknown => None,
            };
            let parents = state.parents.iter().filter_map(key_of).collect();
            let what = What::Commit { blob, commit: state.commit, parents };
            clues.push(clue(keys[at], state.at, COMMITS, states.len() - at, what));
        }
        for (at, moved) in repo.file_moves(rel).into_iter().enumerate() {
            let Some(blob) = moved.to.filter(|_| moved.root == repo.root() && wrote_files(moved.kind)) else {
                continue;
            };
            let key = hashed(&(moved.at.0, rel, at));
            let what = What::Brought { blob, commit: moved.commits.1 };
            clues.push(clue(key, moved.at, MOVES, at, what));
        }
    }

    /// Whether agents worked on files of this repository that are gone: one of them may be this file now.
    pub(crate) fn may_be_renamed(&self, target: &Target<'_>) -> bool {
        let Some(repo) = target.repo else { return false };
        let generation = self.logs.generation();
        if let Some(known) = self.workspace.gone.get(repo.root()).filter(|known| known.0 == generation) {
            return known.1;
        }
        let here = |path: &str| {
            let path = Path::new(path);
            path.starts_with(repo.root()) && !path.exists()
        };
        let gone = self.logs.touched_paths().any(here);
        self.workspace.gone.insert(repo.root().to_owned(), (generation, gone));
        gone
    }

    /// What is known of the files that this one was, until they became it.
    pub(crate) fn clues_of_former_names(&self, target: &Target<'_>, clues: &mut Vec<Clue>) {
        let (Some(repo), Some(rel)) = (target.repo, &target.rel) else { return };
        for origin in repo.came_from(rel, LIMIT).into_iter().filter(|origin| origin.unique) {
            let former = Target::new(&repo.root().join(&origin.path), Some(repo));
            let mut of_former = Vec::new();
            self.clues_of_file(&former, Depth::Commits, &mut of_former);
            let until = Timestamp(origin.at.0 + WITHIN_A_SECOND);
            clues.extend(of_former.into_iter().filter(|clue| clue.at <= until));
        }
    }
}

fn wrote_files(kind: MoveKind) -> bool {
    match kind {
        MoveKind::Checkout
        | MoveKind::Merge
        | MoveKind::Pull
        | MoveKind::Rebase
        | MoveKind::CherryPick
        | MoveKind::Revert
        | MoveKind::Apply
        | MoveKind::Clone => true,
        MoveKind::Commit | MoveKind::Amend | MoveKind::Reset | MoveKind::Other => false,
    }
}

fn commit_key(state: &FileState, rel: &str) -> EventKey {
    hashed(&(state.commit.to_string(), rel, state.kind))
}

fn hashed(what: &impl Hash) -> EventKey {
    let mut hasher = FxHasher::default();
    what.hash(&mut hasher);
    EventKey(hasher.finish())
}
