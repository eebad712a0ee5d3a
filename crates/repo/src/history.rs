//! The versions of a file that were committed.

use gix::ObjectId;
use rustc_hash::FxHashMap;
use trace::Timestamp;

use crate::commits::{info, timestamp};
use crate::graph::{Budget, FileGraph, Found, Limit, Parent};
use crate::reading::Commits;
use crate::{BlobId, CommitId, CommitInfo, Repo, paths};

/// What [`Repo::history`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Newest first, as `git log -- rel` has them.
    pub versions: Vec<FileVersion>,
    /// There are no others: neither the limit nor a missing object (HEAD's, a shallow clone's edge) ended the walk.
    pub complete: bool,
}

/// A commit that changed a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileVersion {
    pub commit: CommitInfo,
    /// `None`: the file was deleted there (or became a link or a folder).
    pub blob: Option<BlobId>,
    /// For each of the commit's parents that has the file or had it once, which version it has: an index into
    /// [`History::versions`].
    pub parents: Vec<usize>,
}

impl Repo {
    /// The commits reachable from HEAD that changed `rel`. A merge counts if it is unlike all its parents; where it
    /// is like one of them, only that one is followed. Renames are not followed.
    pub fn history(&self, rel: &str, limit: Limit) -> History {
        self.with_history(rel, limit, |git, graph, head| {
            let (order, complete) = graph.newest_first(&[head]);
            let place: FxHashMap<usize, usize> = order.iter().enumerate().map(|(at, &index)| (index, at)).collect();
            let versions = order.iter().map(|&index| file_version(git, graph, index, &place)).collect();
            match versions {
                Some(versions) => History { versions, complete },
                None => History::default(),
            }
        })
        .unwrap_or_else(|| {
            let there_is_none = paths::names(rel).is_none() || self.head().is_unborn();
            History { versions: Vec::new(), complete: there_is_none }
        })
    }

    /// The file as the newest version that was committed at `at` or before had it.
    pub fn blob_at(&self, rel: &str, at: Timestamp, limit: Limit) -> Option<BlobId> {
        self.with_history(rel, limit, |_, graph, head| {
            let (order, _) = graph.newest_first(&[head]);
            let mut versions = order.into_iter().filter_map(|index| graph.version(index));
            versions.find(|version| timestamp(version.seconds) <= at)?.blob.map(BlobId)
        })?
    }

    /// The file in each of the commit's parents, in order. Empty: there is no such commit, or it has no parents.
    pub fn parents_of_file(&self, rel: &str, commit: CommitId) -> Vec<(CommitId, Option<BlobId>)> {
        let git = self.walking_git();
        let Some(mut graph) = FileGraph::new(rel) else { return Vec::new() };
        let mut commits = Commits::new(&git, self.shared());
        let parents = commits.parents(commit.0).into_iter();
        parents.map(|id| (CommitId(id), graph.blob_in(id, &mut commits).flatten().map(BlobId))).collect()
    }

    fn with_history<T>(
        &self,
        rel: &str,
        limit: Limit,
        work: impl FnOnce(&gix::Repository, &FileGraph, ObjectId) -> T,
    ) -> Option<T> {
        let git = self.walking_git();
        let head = git.head_id().ok()?.detach();
        self.with_graph(rel, &mut Commits::new(&git, self.shared()), |graph, commits| {
            graph.explore(&[head], commits, &mut Budget::new(limit));
            work(&git, graph, head)
        })
    }
}

fn file_version(
    git: &gix::Repository,
    graph: &FileGraph,
    index: usize,
    place: &FxHashMap<usize, usize>,
) -> Option<FileVersion> {
    let version = graph.version(index)?;
    let place_of = |parent: &Parent| match graph.known(parent.commit) {
        Found::Version(index) => place.get(&index).copied(),
        _ => None,
    };
    Some(FileVersion {
        commit: info(git, version.commit)?,
        blob: version.blob.map(BlobId),
        parents: version.parents.iter().filter_map(place_of).collect(),
    })
}
