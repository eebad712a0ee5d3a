//! Reading commits and trees for walks through history, and what such walks share: whatever file is asked for, the
//! commits are the same, and so is what differs between the trees of two neighbours.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::objs::tree::{EntryMode, EntryRef};
use gix::objs::{CommitRef, CommitRefIter, Find, Kind, TreeRefIter};
use rustc_hash::{FxHashMap, FxHasher};

use crate::renames::Source;

/// What a walk needs of a commit.
#[derive(Clone)]
pub(crate) struct Facts {
    pub(crate) tree: ObjectId,
    /// When it was committed, in seconds since 1970.
    pub(crate) seconds: i64,
    pub(crate) parents: Vec<ObjectId>,
}

/// Where a path leads in one commit.
#[derive(Clone)]
pub(crate) struct Place {
    /// The commit's tree, then the trees of the folders on the path, as far as they exist.
    trees: Vec<ObjectId>,
    pub(crate) entry: Option<(ObjectId, EntryMode)>,
}

/// Reads commits and trees, by way of the commit graph file where there is one.
pub(crate) struct Commits<'r> {
    pub(crate) git: &'r gix::Repository,
    file: Option<gix::commitgraph::Graph>,
    shared: &'r Shared,
    trees: RecentTrees,
    buffer: Vec<u8>,
}

/// What walks have found out that is of use for every file.
#[derive(Default)]
pub(crate) struct Shared {
    /// Commits that were read from their objects: half of the time of a first walk.
    commits: Mutex<FxHashMap<ObjectId, Facts>>,
    /// What differs between two trees. This is the other half: most commits leave most folders alone, and a walk need
    /// not read their trees to know that.
    differences: Mutex<FxHashMap<(u64, u64), Differences>>,
    /// Where a file came from, for a parent, a commit of it that has the file, and the file.
    sources: Mutex<FxHashMap<SourceKey, Option<Source>>>,
    /// Of commits that look like a stash, whether they are one.
    stashes: Mutex<FxHashMap<ObjectId, bool>>,
}

/// The hashes of the names that two trees do not have alike; `None`: too many to remember.
type Differences = Option<Box<[u32]>>;

pub(crate) type SourceKey = (ObjectId, ObjectId, String);

/// How many commits are remembered; 150 bytes each.
const KEPT_COMMITS: usize = 100_000;
/// How many pairs of trees are remembered; 80 bytes each.
const KEPT_DIFFERENCES: usize = 200_000;
/// How many origins of files are remembered.
const KEPT_SOURCES: usize = 10_000;
/// How many names of a pair are remembered.
const MOST_NAMES: usize = 32;

impl<'r> Commits<'r> {
    pub(crate) fn new(git: &'r gix::Repository, shared: &'r Shared) -> Commits<'r> {
        let file = git.commit_graph_if_enabled().ok().flatten();
        Commits { git, file, shared, trees: RecentTrees::default(), buffer: Vec::new() }
    }

    /// `None`: it is not here.
    pub(crate) fn facts(&mut self, commit: ObjectId) -> Option<Facts> {
        if let Some(facts) = self.file.as_ref().and_then(|file| facts_in_file(file, &commit)) {
            return Some(facts);
        }
        if let Some(facts) = lock(&self.shared.commits).get(&commit).cloned() {
            return Some(facts);
        }
        let facts = self.read_commit(commit)?;
        keep(&self.shared.commits, KEPT_COMMITS, commit, facts.clone());
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

    /// Whether `git stash` made this commit: its second parent is a commit of the index, made for it.
    pub(crate) fn is_stash(&mut self, commit: ObjectId, facts: &Facts) -> bool {
        let (base, index) = match facts.parents[..] {
            [base, index] | [base, index, _] => (base, index),
            _ => return false,
        };
        if self.parents(index) != [base] {
            return false;
        }
        if let Some(is_one) = lock(&self.shared.stashes).get(&commit) {
            return *is_one;
        }
        let is_one = self.message_begins(index, b"index on ").unwrap_or(false);
        keep(&self.shared.stashes, KEPT_COMMITS, commit, is_one);
        is_one
    }

    fn message_begins(&mut self, commit: ObjectId, with: &[u8]) -> Option<bool> {
        let data = self.git.objects.try_find(&commit, &mut self.buffer).ok()??;
        Some(CommitRef::from_bytes(data.data, data.object_hash).ok()?.message.starts_with(with))
    }

    /// The outer `None`: it was not asked for yet.
    pub(crate) fn known_source(&self, key: &SourceKey) -> Option<Option<Source>> {
        lock(&self.shared.sources).get(key).cloned()
    }

    pub(crate) fn keep_source(&self, key: SourceKey, source: Option<Source>) {
        keep(&self.shared.sources, KEPT_SOURCES, key, source);
    }

    /// `near`: the place in a commit that probably has the same trees. `None`: a tree is missing.
    pub(crate) fn place(&mut self, root: ObjectId, names: &[Box<[u8]>], near: Option<&Place>) -> Option<Place> {
        let mut trees = vec![root];
        let mut tree = root;
        for (depth, name) in names.iter().enumerate() {
            if let Some(near) = near
                && let Some(near_tree) = near.trees.get(depth)
                && self.have_alike(*near_tree, tree, name)
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

    /// Whether both trees certainly have the same under this name.
    fn have_alike(&mut self, one: ObjectId, other: ObjectId, name: &[u8]) -> bool {
        if one == other {
            return true;
        }
        let alike = |names: &Differences| names.as_ref().is_some_and(|names| !names.contains(&name_hash(name)));
        let key = pair_key(one.min(other), one.max(other));
        if let Some(names) = lock(&self.shared.differences).get(&key) {
            return alike(names);
        }
        let Some(names) = self.differences(one, other) else { return false };
        let is_alike = alike(&names);
        keep(&self.shared.differences, KEPT_DIFFERENCES, key, names);
        is_alike
    }

    /// The outer `None`: a tree is missing.
    fn differences(&mut self, one: ObjectId, other: ObjectId) -> Option<Differences> {
        self.trees.read(self.git, one)?;
        self.trees.read(self.git, other)?;
        let kind = self.git.object_hash();
        names_that_differ(self.trees.get(&one)?, self.trees.get(&other)?, kind)
    }

    /// The outer `None`: the tree is missing; the inner: the name is.
    fn entry(&mut self, tree: ObjectId, name: &[u8]) -> Option<Option<(ObjectId, EntryMode)>> {
        let data = self.trees.read(self.git, tree)?;
        for entry in TreeRefIter::from_bytes(data, self.git.object_hash()) {
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

/// The outer `None`: one is no tree.
fn names_that_differ(one: &[u8], other: &[u8], kind: gix::hash::Kind) -> Option<Differences> {
    let shared = shared_beginning(one, other, kind);
    let (one, other) = (one.get(shared..)?, other.get(shared..)?);
    let mut ones = TreeRefIter::from_bytes(one, kind).peekable();
    let mut others = TreeRefIter::from_bytes(other, kind).peekable();
    let mut names = Vec::new();
    loop {
        let order = match (ones.peek(), others.peek()) {
            (None, None) => return Some(Some(names.into())),
            (Some(Err(_)), _) | (_, Some(Err(_))) => return None,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(Ok(one)), Some(Ok(other))) => one.cmp(other),
        };
        let one = if order.is_le() { ones.next().and_then(Result::ok) } else { None };
        let other = if order.is_ge() { others.next().and_then(Result::ok) } else { None };
        if one != other
            && let Some(EntryRef { filename, .. }) = one.or(other)
        {
            names.push(name_hash(filename));
        }
        if names.len() > MOST_NAMES {
            return Some(None);
        }
    }
}

/// The bytes of the whole entries that both trees begin with.
fn shared_beginning(one: &[u8], other: &[u8], kind: gix::hash::Kind) -> usize {
    let chunks = one.chunks_exact(64).zip(other.chunks_exact(64)).take_while(|(one, other)| one == other);
    let chunks = chunks.count() * 64;
    let bytes = one.iter().zip(other).skip(chunks).take_while(|(one, other)| one == other);
    let alike = chunks + bytes.count();
    let mut end = 0;
    while let Some(name) = one.get(end..alike).and_then(|rest| rest.find_byte(0)) {
        let next = end + name + 1 + kind.len_in_bytes();
        if next > alike {
            break;
        }
        end = next;
    }
    end
}

fn name_hash(name: &[u8]) -> u32 {
    let mut hasher = FxHasher::default();
    hasher.write(name);
    hasher.finish() as u32
}

/// Object names are hashes already; 64 bits of each will do.
fn pair_key(one: ObjectId, other: ObjectId) -> (u64, u64) {
    let begin = |id: ObjectId| id.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    (begin(one), begin(other))
}

/// The trees that were read last: a commit's is read with its child's and with its parent's.
#[derive(Default)]
struct RecentTrees {
    newer: FxHashMap<ObjectId, Box<[u8]>>,
    older: FxHashMap<ObjectId, Box<[u8]>>,
    newer_bytes: usize,
    buffer: Vec<u8>,
}

/// Bytes of trees in each of the two generations.
const GENERATION: usize = 4 << 20;

impl RecentTrees {
    fn get(&self, tree: &ObjectId) -> Option<&[u8]> {
        self.newer.get(tree).or_else(|| self.older.get(tree)).map(|data| &**data)
    }

    /// It stays at least until two others were read. `None`: it is missing.
    fn read(&mut self, git: &gix::Repository, tree: ObjectId) -> Option<&[u8]> {
        if !self.newer.contains_key(&tree) {
            let data = match self.older.remove(&tree) {
                Some(data) => data,
                None => self.read_tree(git, tree)?,
            };
            if self.newer_bytes > GENERATION {
                self.older = std::mem::take(&mut self.newer);
                self.newer_bytes = 0;
            }
            self.newer_bytes += data.len();
            self.newer.insert(tree, data);
        }
        self.get(&tree)
    }

    fn read_tree(&mut self, git: &gix::Repository, tree: ObjectId) -> Option<Box<[u8]>> {
        let object = git.objects.try_find(&tree, &mut self.buffer).ok()??;
        (object.kind == Kind::Tree).then(|| object.data.into())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn keep<K: Eq + Hash, V>(map: &Mutex<FxHashMap<K, V>>, most: usize, key: K, value: V) {
    let mut map = lock(map);
    if map.len() >= most {
        map.clear();
    }
    map.insert(key, value);
}
