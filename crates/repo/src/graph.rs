//! The history of one path as a graph: the commits that changed it, found commit by commit as they are asked for.
//!
//! What a commit did to a path never changes, so a graph is kept while HEAD moves and only ever grows. History is
//! simplified as `git log -- path` does it: a commit that has the file as one of its parents has it is passed by, and
//! only that parent is followed.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use gix::ObjectId;
use gix::objs::tree::{EntryKind, EntryMode};
use gix::objs::{CommitRefIter, Find, Kind, TreeRefIter};
use rustc_hash::{FxHashMap, FxHashSet};

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

    fn spend_one(&mut self) -> bool {
        self.commits = match self.commits.checked_sub(1) {
            Some(left) => left,
            None => return false,
        };
        self.until.is_none_or(|until| Instant::now() < until)
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
    starts: Vec<ObjectId>,
    visits: u64,
    /// Something was missing; it may come later (`git fetch --unshallow`).
    cut: bool,
}

/// A commit to visit: the newest first, and of two of one second the one that was found first.
struct Visit {
    seconds: i64,
    order: Reverse<u64>,
    commit: ObjectId,
    parents: Vec<ObjectId>,
    place: Place,
}

/// Where the path leads in one commit.
struct Place {
    /// The commit's tree, then the trees of the folders on the path, as far as they exist.
    trees: Vec<ObjectId>,
    entry: Option<(ObjectId, EntryMode)>,
}

impl FileGraph {
    /// `None`: `rel` is no path of a repository.
    pub(crate) fn new(rel: &str) -> Option<FileGraph> {
        Some(FileGraph {
            names: paths::names(rel)?.into_iter().map(Box::from).collect(),
            fates: FxHashMap::default(),
            pending: BinaryHeap::new(),
            versions: Vec::new(),
            starts: Vec::new(),
            visits: 0,
            cut: false,
        })
    }

    /// The blob of the file in `commit`, whatever its history.
    pub(crate) fn blob_in(&self, commit: ObjectId, commits: &mut Commits<'_>) -> Option<ObjectId> {
        let tree = commits.facts(commit)?.tree;
        file_of(commits.place(tree, &self.names, None)?.entry)
    }

    pub(crate) fn version(&self, index: usize) -> Option<&Version> {
        self.versions.get(index)
    }

    /// Finds all that is behind `head`, as far as the budget goes.
    pub(crate) fn explore(&mut self, head: ObjectId, commits: &mut Commits<'_>, budget: &mut Budget) {
        self.start(head, commits);
        while self.visit_next(commits, budget) {}
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
        if self.fates.contains_key(&commit) {
            return;
        }
        self.starts.push(commit);
        match commits.facts(commit).and_then(|facts| Some((commits.place(facts.tree, &self.names, None)?, facts))) {
            Some((place, facts)) => self.push(commit, facts, place),
            None => self.set_unknown(commit),
        }
    }

    fn push(&mut self, commit: ObjectId, facts: Facts, place: Place) {
        self.visits += 1;
        self.fates.insert(commit, Fate::Pending);
        let Facts { seconds, parents, .. } = facts;
        self.pending.push(Visit { seconds, order: Reverse(self.visits), commit, parents, place });
    }

    fn set_unknown(&mut self, commit: ObjectId) {
        self.cut = true;
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

    /// The versions behind `head` that are known, newest first, as `git log` orders them; and whether that is all.
    pub(crate) fn newest_first(&self, head: ObjectId) -> (Vec<usize>, bool) {
        let mut order = Vec::new();
        let mut complete = true;
        let mut seen = FxHashSet::default();
        let mut heap = BinaryHeap::new();
        let mut next = vec![head];
        loop {
            for commit in next.drain(..) {
                match self.known(commit) {
                    Found::Version(index) if seen.insert(index) => {
                        let seconds = self.versions.get(index).map_or(0, |version| version.seconds);
                        heap.push((seconds, Reverse(seen.len()), index));
                    }
                    Found::Version(_) | Found::Never => {}
                    Found::Unknown | Found::NotYet => complete = false,
                }
            }
            let Some((_, _, index)) = heap.pop() else { return (order, complete) };
            order.push(index);
            let parents = self.versions.get(index).into_iter().flat_map(|version| &version.parents);
            next.extend(parents.map(|parent| parent.commit));
        }
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

/// What a walk needs of a commit.
#[derive(Clone)]
struct Facts {
    tree: ObjectId,
    seconds: i64,
    parents: Vec<ObjectId>,
}

/// Reads commits and trees, by way of the commit graph file where there is one.
pub(crate) struct Commits<'r> {
    pub(crate) git: &'r gix::Repository,
    file: Option<gix::commitgraph::Graph>,
    read: &'r ReadCommits,
    buffer: Vec<u8>,
}

/// The commits that walks have read from their objects: half of the time of a walk, and the same for every file.
#[derive(Default)]
pub(crate) struct ReadCommits(Mutex<FxHashMap<ObjectId, Facts>>);

/// How many of them are kept; 150 bytes each.
const KEPT_READ: usize = 50_000;

impl ReadCommits {
    fn get(&self, commit: &ObjectId) -> Option<Facts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(commit).cloned()
    }

    fn add(&self, commit: ObjectId, facts: Facts) {
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if read.len() >= KEPT_READ {
            read.clear();
        }
        read.insert(commit, facts);
    }
}

impl<'r> Commits<'r> {
    pub(crate) fn new(git: &'r gix::Repository, read: &'r ReadCommits) -> Commits<'r> {
        Commits { git, file: git.commit_graph_if_enabled().ok().flatten(), read, buffer: Vec::new() }
    }

    /// `None`: it is not here.
    fn facts(&mut self, commit: ObjectId) -> Option<Facts> {
        if let Some(facts) = self.file.as_ref().and_then(|file| facts_in_file(file, &commit)) {
            return Some(facts);
        }
        if let Some(facts) = self.read.get(&commit) {
            return Some(facts);
        }
        let facts = self.read_commit(commit)?;
        self.read.add(commit, facts.clone());
        Some(facts)
    }

    fn read_commit(&mut self, commit: ObjectId) -> Option<Facts> {
        let data = self.git.objects.try_find(&commit, &mut self.buffer).ok()??;
        let mut tokens = CommitRefIter::from_bytes(data.data, data.object_hash);
        Some(Facts {
            tree: tokens.tree_id().ok()?,
            parents: tokens.parent_ids().collect(),
            seconds: tokens.committer().map_or(0, |committer| committer.seconds()),
        })
    }

    pub(crate) fn parents(&mut self, commit: ObjectId) -> Vec<ObjectId> {
        self.facts(commit).map_or_else(Vec::new, |facts| facts.parents)
    }

    /// `near`: the place in a commit that probably has the same trees. `None`: a tree is missing.
    fn place(&mut self, root: ObjectId, names: &[Box<[u8]>], near: Option<&Place>) -> Option<Place> {
        let mut trees = vec![root];
        let mut tree = root;
        for (depth, name) in names.iter().enumerate() {
            if let Some(near) = near
                && near.trees.get(depth) == Some(&tree)
            {
                trees.extend(near.trees.iter().skip(depth + 1));
                return Some(Place { trees, entry: near.entry });
            }
            let entry = self.entry(tree, name)?;
            let is_last = depth + 1 == names.len();
            match entry {
                Some((id, mode)) if mode.is_tree() && !is_last => {
                    trees.push(id);
                    tree = id;
                }
                Some((id, mode)) if !mode.is_tree() && is_last => {
                    return Some(Place { trees, entry: Some((id, mode)) });
                }
                _ => break,
            }
        }
        Some(Place { trees, entry: None })
    }

    /// The outer `None`: the tree is missing; the inner: the name is.
    fn entry(&mut self, tree: ObjectId, name: &[u8]) -> Option<Option<(ObjectId, EntryMode)>> {
        let data = self.git.objects.try_find(&tree, &mut self.buffer).ok()??;
        if data.kind != Kind::Tree {
            return None;
        }
        for entry in TreeRefIter::from_bytes(data.data, data.object_hash) {
            let entry = entry.ok()?;
            if entry.filename == name {
                return Some(Some((entry.oid.to_owned(), entry.mode)));
            }
        }
        Some(None)
    }
}

fn facts_in_file(file: &gix::commitgraph::Graph, commit: &gix::oid) -> Option<Facts> {
    let commit = file.commit_by_id(commit)?;
    let parents = commit.iter_parents().map(|position| Some(file.id_at(position.ok()?).to_owned()));
    Some(Facts {
        tree: commit.root_tree_id().to_owned(),
        seconds: i64::try_from(commit.committer_timestamp()).unwrap_or(i64::MAX),
        parents: parents.collect::<Option<_>>()?,
    })
}

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
        if graph.cut {
            return;
        }
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
    pub(crate) fn with_graph<T>(&self, rel: &str, work: impl FnOnce(&mut FileGraph) -> T) -> Option<T> {
        let mut graph = match self.graphs().take(rel) {
            Some(graph) => graph,
            None => FileGraph::new(rel)?,
        };
        let result = work(&mut graph);
        self.graphs().keep(rel, graph);
        Some(result)
    }
}
