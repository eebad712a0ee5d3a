//! The history of one path as a graph: the commits that changed it, found commit by commit as they are asked for.
//!
//! What a commit did to a path never changes, so a graph is kept while HEAD moves and only ever grows. History is
//! simplified as `git log -- path` does it: a commit that has the file as one of its parents has it is passed by, and
//! only that parent is followed.
//!
//! A stash is a commit too, but its second and third parent are no history of it: what was staged then, and the files
//! that git did not know. They are walks of their own.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use gix::ObjectId;
use gix::objs::tree::{EntryKind, EntryMode};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::reading::{Commits, Facts, Place};
use crate::{Repo, paths};

/// When to stop walking through history. What an earlier call has found already costs nothing.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// Commits to visit.
    pub commits: usize,
    pub time: Duration,
}

impl Limit {
    pub const NONE: Limit = Limit { commits: usize::MAX, time: Duration::MAX };
}

/// What is left of a [`Limit`].
pub(crate) struct Budget {
    commits: usize,
    until: Option<Instant>,
}

impl Budget {
    pub(crate) fn new(limit: Limit) -> Budget {
        Budget { commits: limit.commits, until: Instant::now().checked_add(limit.time) }
    }

    pub(crate) fn spend_one(&mut self) -> bool {
        self.commits = match self.commits.checked_sub(1) {
            Some(left) => left,
            None => return false,
        };
        !self.is_over()
    }

    /// Whether the time is.
    pub(crate) fn is_over(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }
}

/// A commit that changed the file.
pub(crate) struct Version {
    pub(crate) commit: ObjectId,
    /// When it was committed, in seconds since 1970.
    pub(crate) seconds: i64,
    /// `None`: no file there any more.
    pub(crate) blob: Option<ObjectId>,
    /// The commit's own parents, in order.
    pub(crate) parents: Vec<Parent>,
}

#[derive(Clone, Copy)]
pub(crate) struct Parent {
    pub(crate) commit: ObjectId,
    pub(crate) file: FileThere,
}

/// A file in some commit.
#[derive(Clone, Copy)]
pub(crate) enum FileThere {
    Blob(ObjectId),
    None,
    /// The commit is not here: a shallow clone, or a missing object.
    Unknown,
}

/// How a commit has the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    /// As the commit of this version left it.
    Version(usize),
    /// There is none, and there never was one before.
    Never,
    /// The history is not here: a shallow clone, or a missing object.
    Unknown,
    /// The budget was spent before it was found out.
    NotYet,
}

#[derive(Clone, Copy)]
enum Fate {
    /// Waits to be visited.
    Pending,
    /// As in this parent.
    AsIn(ObjectId),
    Version(usize),
    Never,
    Unknown,
}

pub(crate) struct FileGraph {
    names: Vec<Box<[u8]>>,
    fates: FxHashMap<ObjectId, Fate>,
    pending: BinaryHeap<Visit>,
    versions: Vec<Version>,
    /// The commits from which it was asked.
    starts: FxHashSet<ObjectId>,
    visits: u64,
    /// Where the last start has the path: the next one probably has the same trees.
    near: Option<Place>,
    /// Those of the commits that are no ordinary ones.
    of_stashes: FxHashMap<ObjectId, OfStash>,
    /// For a stash, the commits that are walks of their own.
    beside: FxHashMap<ObjectId, Vec<ObjectId>>,
    /// The commits that are not here, or whose trees are not.
    missing: FxHashSet<ObjectId>,
}

/// A commit that `git stash` made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OfStash {
    /// Its tree is the working tree, or the untracked files in it.
    Worktree,
    /// Its tree is the index.
    Index,
}

/// A commit to visit: the newest first, and of two of one second the one that was found first.
struct Visit {
    seconds: i64,
    order: Reverse<u64>,
    commit: ObjectId,
    parents: Vec<ObjectId>,
    place: Place,
}

impl FileGraph {
    /// `None`: `rel` is no path of a repository.
    pub(crate) fn new(rel: &str) -> Option<FileGraph> {
        Some(FileGraph {
            names: paths::names(rel)?.into_iter().map(Box::from).collect(),
            fates: FxHashMap::default(),
            pending: BinaryHeap::new(),
            versions: Vec::new(),
            starts: FxHashSet::default(),
            visits: 0,
            near: None,
            of_stashes: FxHashMap::default(),
            beside: FxHashMap::default(),
            missing: FxHashSet::default(),
        })
    }

    pub(crate) fn version(&self, index: usize) -> Option<&Version> {
        self.versions.get(index)
    }

    pub(crate) fn of_stash(&self, commit: &ObjectId) -> Option<OfStash> {
        self.of_stashes.get(commit).copied()
    }

    /// Finds all that is behind these commits, one after the other, as far as the budget goes.
    pub(crate) fn explore(&mut self, from: &[ObjectId], commits: &mut Commits<'_>, budget: &mut Budget) {
        for &commit in from {
            if budget.is_over() {
                return;
            }
            self.start(commit, commits);
            while self.visit_next(commits, budget) {}
        }
        if self.pending.is_empty() {
            self.forget_the_way();
        }
    }

    /// How `commit` has the file. Walks until that is known, or the budget is spent.
    pub(crate) fn find(&mut self, commit: ObjectId, commits: &mut Commits<'_>, budget: &mut Budget) -> Found {
        self.start(commit, commits);
        let mut at = commit;
        loop {
            match self.look(&mut at) {
                Found::NotYet if self.visit_next(commits, budget) => {}
                found => return found,
            }
        }
    }

    /// The blob of the file in `commit`, which need not be known yet. The outer `None`: the commit is not here; the
    /// inner: it has no such file.
    pub(crate) fn blob(&mut self, commit: ObjectId, commits: &mut Commits<'_>) -> Option<Option<ObjectId>> {
        match self.known(commit) {
            Found::Version(index) => Some(self.version(index)?.blob),
            Found::Never => Some(None),
            Found::Unknown | Found::NotYet => self.blob_in(commit, commits),
        }
    }

    /// The same, whatever its history.
    pub(crate) fn blob_in(&mut self, commit: ObjectId, commits: &mut Commits<'_>) -> Option<Option<ObjectId>> {
        let (place, _) = self.look_up(commit, commits)?;
        let blob = file_of(place.entry);
        self.near = Some(place);
        Some(blob)
    }

    /// Whether the commit was looked for and is not here.
    pub(crate) fn is_missing(&self, commit: ObjectId) -> bool {
        self.missing.contains(&commit)
    }

    /// What is known of how `commit` has the file.
    pub(crate) fn known(&self, mut commit: ObjectId) -> Found {
        self.look(&mut commit)
    }

    /// Follows the parents that have the file alike; `at` is left where it is not known how to go on.
    fn look(&self, at: &mut ObjectId) -> Found {
        loop {
            match self.fates.get(at) {
                Some(Fate::AsIn(parent)) => *at = *parent,
                Some(Fate::Version(index)) => return Found::Version(*index),
                Some(Fate::Never) => return Found::Never,
                Some(Fate::Unknown) => return Found::Unknown,
                Some(Fate::Pending) | None => return Found::NotYet,
            }
        }
    }

    fn start(&mut self, commit: ObjectId, commits: &mut Commits<'_>) {
        self.starts.insert(commit);
        if self.fates.contains_key(&commit) {
            return;
        }
        let Some((place, mut facts)) = self.look_up(commit, commits) else { return self.set_unknown(commit) };
        if commits.is_stash(commit, &facts) {
            self.start_stash(commit, &place, &mut facts, commits);
        }
        self.near = Some(place.clone());
        self.push(commit, facts, place);
    }

    /// Leaves only those as parents of the stash from which its file can have come: the commit that it was made on,
    /// and what was staged if that is another text.
    fn start_stash(&mut self, commit: ObjectId, place: &Place, facts: &mut Facts, commits: &mut Commits<'_>) {
        let mut parents = std::mem::take(&mut facts.parents).into_iter();
        let base = parents.next();
        let index = parents.next();
        let untracked = parents.next();
        let entry_in = |commit: ObjectId, commits: &mut Commits<'_>| Some(self.look_up(commit, commits)?.0.entry);
        let in_base = base.and_then(|base| entry_in(base, commits));
        let index = index.filter(|index| {
            let staged = entry_in(*index, commits);
            staged.is_some() && staged != in_base && staged != Some(place.entry)
        });
        facts.parents.extend(base.into_iter().chain(index));
        self.of_stashes.insert(commit, OfStash::Worktree);
        self.of_stashes.extend(index.map(|index| (index, OfStash::Index)));
        self.of_stashes.extend(untracked.map(|untracked| (untracked, OfStash::Worktree)));
        let beside: Vec<ObjectId> = index.into_iter().chain(untracked).collect();
        for &commit in &beside {
            self.start(commit, commits);
        }
        self.beside.insert(commit, beside);
    }

    fn look_up(&self, commit: ObjectId, commits: &mut Commits<'_>) -> Option<(Place, Facts)> {
        let facts = commits.facts(commit)?;
        Some((commits.place(facts.tree, &self.names, self.near.as_ref())?, facts))
    }

    fn push(&mut self, commit: ObjectId, facts: Facts, place: Place) {
        self.visits += 1;
        self.fates.insert(commit, Fate::Pending);
        let Facts { seconds, parents, .. } = facts;
        self.pending.push(Visit { seconds, order: Reverse(self.visits), commit, parents, place });
    }

    fn set_unknown(&mut self, commit: ObjectId) {
        self.missing.insert(commit);
        self.fates.entry(commit).or_insert(Fate::Unknown);
    }

    /// `false`: there is nothing left to visit, or the budget is spent.
    fn visit_next(&mut self, commits: &mut Commits<'_>, budget: &mut Budget) -> bool {
        if self.pending.is_empty() || !budget.spend_one() {
            return false;
        }
        let Some(visit) = self.pending.pop() else { return false };
        let fate = self.visit(&visit, commits);
        self.fates.insert(visit.commit, fate);
        true
    }

    fn visit(&mut self, visit: &Visit, commits: &mut Commits<'_>) -> Fate {
        let mut parents = Vec::new();
        let mut others = Vec::new();
        for &commit in &visit.parents {
            let found = commits.facts(commit);
            let found =
                found.and_then(|facts| Some((commits.place(facts.tree, &self.names, Some(&visit.place))?, facts)));
            let Some((place, facts)) = found else {
                self.set_unknown(commit);
                parents.push(Parent { commit, file: FileThere::Unknown });
                continue;
            };
            if place.entry == visit.place.entry {
                self.push_new(commit, facts, place);
                return Fate::AsIn(commit);
            }
            parents.push(Parent { commit, file: file_of(place.entry).map_or(FileThere::None, FileThere::Blob) });
            others.push((commit, facts, place));
        }
        let all_known = others.len() == parents.len();
        for (commit, facts, place) in others {
            self.push_new(commit, facts, place);
        }
        match visit.place.entry {
            None if parents.is_empty() => Fate::Never,
            None if !all_known => Fate::Unknown,
            _ => self.add_version(visit, parents),
        }
    }

    fn push_new(&mut self, commit: ObjectId, facts: Facts, place: Place) {
        if !self.fates.contains_key(&commit) {
            self.push(commit, facts, place);
        }
    }

    fn add_version(&mut self, visit: &Visit, parents: Vec<Parent>) -> Fate {
        self.versions.push(Version {
            commit: visit.commit,
            seconds: visit.seconds,
            blob: file_of(visit.place.entry),
            parents,
        });
        Fate::Version(self.versions.len() - 1)
    }

    /// Once all is found, the commits that did nothing to the file need not be remembered, but for those at which a
    /// walk may begin or arrive.
    fn forget_the_way(&mut self) {
        let ends = self
            .versions
            .iter()
            .flat_map(|version| version.parents.iter().map(|parent| &parent.commit).chain([&version.commit]));
        let ends: FxHashSet<ObjectId> = ends.chain(&self.starts).copied().collect();
        let fate = |id: ObjectId| match self.known(id) {
            Found::Version(index) => Fate::Version(index),
            Found::Never => Fate::Never,
            Found::Unknown | Found::NotYet => Fate::Unknown,
        };
        self.fates = ends.into_iter().map(|id| (id, fate(id))).collect();
    }

    /// The versions behind these commits that are known, the newest first, but none before one that came of it; and
    /// whether that is all.
    pub(crate) fn newest_first(&self, from: &[ObjectId]) -> (Vec<usize>, bool) {
        let (mut waits_for, complete) = self.children_behind(from);
        let ready = waits_for.iter().filter(|(_, children)| **children == 0);
        let mut ready: BinaryHeap<_> = ready.map(|(&index, _)| self.age(index)).collect();
        let mut order = Vec::with_capacity(waits_for.len());
        while let Some((_, Reverse(index))) = ready.pop() {
            order.push(index);
            for parent in self.parents_of(index) {
                let Found::Version(parent) = parent else { continue };
                let Some(children) = waits_for.get_mut(&parent) else { continue };
                *children -= 1;
                if *children == 0 {
                    ready.push(self.age(parent));
                }
            }
        }
        (order, complete)
    }

    /// The greatest is the newest, and of two of one second the one that was found first.
    fn age(&self, index: usize) -> (i64, Reverse<usize>) {
        (self.versions.get(index).map_or(0, |version| version.seconds), Reverse(index))
    }

    /// The versions behind these commits, and of how many of the others each is a parent.
    fn children_behind(&self, from: &[ObjectId]) -> (FxHashMap<usize, usize>, bool) {
        let mut children = FxHashMap::default();
        let mut complete = true;
        let beside = from.iter().filter_map(|commit| self.beside.get(commit)).flatten();
        let mut next: Vec<(Found, usize)> = from.iter().chain(beside).map(|commit| (self.known(*commit), 0)).collect();
        while let Some((found, as_parent)) = next.pop() {
            match found {
                Found::Version(index) => {
                    let is_new = !children.contains_key(&index);
                    *children.entry(index).or_default() += as_parent;
                    if is_new {
                        next.extend(self.parents_of(index).map(|parent| (parent, 1)));
                    }
                }
                Found::Never => {}
                Found::Unknown | Found::NotYet => complete = false,
            }
        }
        (children, complete)
    }

    fn parents_of(&self, index: usize) -> impl Iterator<Item = Found> {
        let parents = self.versions.get(index).into_iter().flat_map(|version| &version.parents);
        parents.map(|parent| self.known(parent.commit))
    }

    /// Whether something has come since that was not here (`git fetch --unshallow`).
    fn is_outdated(&self, commits: &mut Commits<'_>) -> bool {
        self.missing.iter().any(|commit| self.look_up(*commit, commits).is_some())
    }
}

/// The blob, if it is a file and no link or submodule.
fn file_of(entry: Option<(ObjectId, EntryMode)>) -> Option<ObjectId> {
    entry.filter(|(_, mode)| is_file(*mode)).map(|(id, _)| id)
}

pub(crate) fn is_file(mode: EntryMode) -> bool {
    matches!(mode.kind(), EntryKind::Blob | EntryKind::BlobExecutable)
}

impl Ord for Visit {
    fn cmp(&self, other: &Visit) -> Ordering {
        (self.seconds, self.order).cmp(&(other.seconds, other.order))
    }
}

impl PartialOrd for Visit {
    fn partial_cmp(&self, other: &Visit) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Visit {
    fn eq(&self, other: &Visit) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Visit {}

/// The graphs that were asked for last. Nobody walks while it is locked: a graph is taken out, and put back.
#[derive(Default)]
pub(crate) struct Graphs(Mutex<Vec<(String, FileGraph)>>);

/// How many graphs are kept.
const KEPT: usize = 64;
/// How many commits they remember together; 100 bytes each.
const KEPT_COMMITS: usize = 200_000;

impl Graphs {
    fn take(&self, rel: &str) -> Option<FileGraph> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = kept.iter().position(|(of, _)| of == rel)?;
        Some(kept.remove(index).1)
    }

    fn keep(&self, rel: &str, graph: FileGraph) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(of, _)| of != rel);
        kept.push((rel.to_owned(), graph));
        let mut commits: usize = kept.iter().map(|(_, graph)| graph.fates.len()).sum();
        while kept.len() > KEPT || commits > KEPT_COMMITS {
            commits -= kept.remove(0).1.fates.len();
        }
    }
}

impl Repo {
    /// Hands the graph of `rel` to `work`, and keeps it for the next one. `None`: `rel` is no path of a repository.
    pub(crate) fn with_graph<T>(
        &self,
        rel: &str,
        commits: &mut Commits<'_>,
        work: impl FnOnce(&mut FileGraph, &mut Commits<'_>) -> T,
    ) -> Option<T> {
        let mut graph = match self.graphs().take(rel) {
            Some(graph) if !graph.is_outdated(commits) => graph,
            _ => FileGraph::new(rel)?,
        };
        let result = work(&mut graph, commits);
        self.graphs().keep(rel, graph);
        Some(result)
    }
}
