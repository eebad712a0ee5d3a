//! The states of a file that git still knows, also those that no branch leads to.

use gix::ObjectId;
use rustc_hash::FxHashMap;
use trace::Timestamp;

use crate::commits::timestamp;
use crate::graph::{Budget, FileGraph, Found, Limit, OfStash, Parent, Version};
use crate::reading::Commits;
use crate::{BlobId, CommitId, Repo, paths};

/// What [`Repo::states`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct States {
    /// The newest first, but none before one that came of it.
    pub states: Vec<FileState>,
    /// There are no others: neither the limit nor a missing object (HEAD's, a shallow clone's edge) ended the walk.
    /// Commits that a reflog names and that are gone do not count.
    pub complete: bool,
}

/// A commit that has the file unlike each of its parents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileState {
    pub commit: CommitId,
    /// When it was committed, or stashed.
    pub at: Timestamp,
    /// `None`: the file was deleted there (or became a link or a folder).
    pub blob: Option<BlobId>,
    /// One for each of the commit's parents, in their order.
    pub parents: Vec<StateBefore>,
    pub kind: StateKind,
}

/// How a parent of a commit has the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateBefore {
    /// As this one left it: an index into [`States::states`].
    State(usize),
    /// There is none, and there never was one before.
    Nothing,
    /// It is not here (a shallow clone's edge), or the limit came first.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StateKind {
    Commit,
    /// The file in the working tree at that time; right after it, the file was as in the first parent again (but for
    /// `git stash --keep-index`, `create` and the like). Its parents: the commit it was made on, and what was staged if that
    /// was a third text. A file that git did not know has none.
    Stash,
    /// The file in the index when something was stashed, if it was another text in the working tree.
    StashedIndex,
}

impl Repo {
    /// The states of `rel` behind HEAD and behind all commits that git still knows otherwise: branches, what is being
    /// merged, and what the reflogs name (amended, squashed, rebased commits, those of deleted branches; of this and
    /// of all other worktrees), and stashes. A merge counts if it is unlike all its parents; where it is like one of
    /// them, only that one is followed. Renames are not followed.
    pub fn states(&self, rel: &str, limit: Limit) -> States {
        self.states_with(rel, &[], limit)
    }

    /// The same, and the states behind `also`: commits known otherwise, as by what `git commit` or `git stash` printed.
    /// Those that are not here are passed by.
    pub fn states_with(&self, rel: &str, also: &[CommitId], limit: Limit) -> States {
        let git = self.walking_git();
        let mut from = self.known_commits(&git);
        from.extend(also.iter().map(|commit| commit.0));
        let head = git.head_id().ok().map(|id| id.detach());
        let head_is_fine = head.is_some() || self.head().is_unborn();
        self.with_graph(rel, &mut Commits::new(&git, self.shared()), |graph, commits| {
            graph.explore(&from, commits, &mut Budget::new(limit));
            from.retain(|commit| Some(*commit) == head || !graph.is_missing(*commit));
            states(graph, &from, head_is_fine)
        })
        .unwrap_or_else(|| States { states: Vec::new(), complete: paths::names(rel).is_none() })
    }
}

fn states(graph: &FileGraph, from: &[ObjectId], head_is_fine: bool) -> States {
    let (order, complete) = graph.newest_first(from);
    let place: FxHashMap<usize, usize> = order.iter().enumerate().map(|(at, &index)| (index, at)).collect();
    let versions = order.iter().filter_map(|&index| graph.version(index));
    let states = versions.map(|version| file_state(graph, version, &place)).collect();
    States { states, complete: complete && head_is_fine }
}

fn file_state(graph: &FileGraph, version: &Version, place: &FxHashMap<usize, usize>) -> FileState {
    let before = |parent: &Parent| match graph.known(parent.commit) {
        Found::Version(index) => place.get(&index).map_or(StateBefore::Unknown, |at| StateBefore::State(*at)),
        Found::Never => StateBefore::Nothing,
        Found::Unknown | Found::NotYet => StateBefore::Unknown,
    };
    FileState {
        commit: CommitId(version.commit),
        at: timestamp(version.seconds),
        blob: version.blob.map(BlobId),
        parents: version.parents.iter().map(before).collect(),
        kind: match graph.of_stash(&version.commit) {
            None => StateKind::Commit,
            Some(OfStash::Worktree) => StateKind::Stash,
            Some(OfStash::Index) => StateKind::StashedIndex,
        },
    }
}
