//! Under which name a text was there before.
//!
//! git does not note that a file was renamed; it is found out as git finds it out. Of the files that went in the commit
//! in which another came, it is the one with the same text, else the one most alike: by the bytes of the lines that both
//! have, in percent of the longer text, at least 50.

use std::cmp::Reverse;
use std::io::Read;
use std::time::SystemTime;

use gix::ObjectId;
use gix::filter::plumbing::pipeline::convert::ToGitOutcome;
use gix::index::State;
use gix::index::entry::Flags;
use gix::object::tree::diff::ChangeDetached;
use imara_diff::sources::byte_lines;
use rustc_hash::{FxHashMap, FxHashSet};
use trace::Timestamp;

use crate::blobs::{blob_text, file_in_head};
use crate::commits::timestamp;
use crate::graph::{Budget, FileThere, Limit, Version, is_file};
use crate::id::blob_hash;
use crate::reading::Commits;
use crate::{BlobId, CommitId, Repo};

/// Where a file came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The path that came.
    pub to: String,
    /// The path that it came from.
    pub path: String,
    /// The commit in which it came; `None`: that is not committed yet.
    pub commit: Option<CommitId>,
    /// The commit that has `path`: the parent of `commit`, or HEAD's.
    pub parent: CommitId,
    /// When it was committed; else when the file in the working tree was written last.
    pub at: Timestamp,
    pub blob_before: BlobId,
    /// The text under the new path. What is not committed may be in no repository.
    pub blob_after: BlobId,
    /// How much both texts have in common, in percent of the longer one: 50 to 100.
    pub similarity: u8,
    /// `path` stayed where it was. Only equal texts are taken for copies.
    pub copied: bool,
    /// No other path could be told with the same right.
    pub unique: bool,
}

/// A file that another one may have come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) rel: String,
    pub(crate) blob: ObjectId,
    similarity: u8,
    copied: bool,
    unique: bool,
}

/// A commit that has a file that a parent has not. A merge is one too: the other parent may have renamed the file in
/// which the first one changed lines.
struct Added {
    commit: ObjectId,
    seconds: i64,
    blob: ObjectId,
    /// Those without it.
    parents: Vec<ObjectId>,
}

/// A file with its blob.
type File = (String, ObjectId);

impl Repo {
    /// Where `rel` came from, for each commit that added it ([`Repo::states`] says which commits are looked at), and
    /// for what is not committed: `rel` is not in HEAD, and a file of HEAD is gone from the working tree or has the
    /// same text. Then where that path came from before, and so on; nearer ones first. Empty files come from nowhere.
    pub fn came_from(&self, rel: &str, limit: Limit) -> Vec<Origin> {
        let git = self.walking_git();
        let mut commits = Commits::new(&git, self.shared());
        let mut budget = Budget::new(limit);
        let mut origins: Vec<Origin> = Vec::new();
        origins.extend(self.uncommitted_origin(&git, rel, &budget));
        let known = self.known_commits(&git);
        self.add_origins(rel, &known, &mut commits, &mut budget, &mut origins);
        let mut seen = FxHashSet::default();
        let mut at = 0;
        while let Some(origin) = origins.get(at) {
            at += 1;
            let (path, parent) = (origin.path.clone(), origin.parent);
            if seen.insert((path.clone(), parent)) {
                self.add_origins(&path, &[parent.0], &mut commits, &mut budget, &mut origins);
            }
        }
        origins
    }

    /// For each commit behind these that added `rel`. An origin that is known already is not added again.
    fn add_origins(
        &self,
        rel: &str,
        from: &[ObjectId],
        commits: &mut Commits<'_>,
        budget: &mut Budget,
        origins: &mut Vec<Origin>,
    ) {
        let added = self.with_graph(rel, commits, |graph, commits| {
            graph.explore(from, commits, budget);
            let (order, _) = graph.newest_first(from);
            order.into_iter().filter_map(|index| added(graph.version(index)?)).collect::<Vec<_>>()
        });
        for added in added.unwrap_or_default() {
            for &parent in &added.parents {
                if !budget.spend_one() {
                    return;
                }
                let Some(source) = commits.source(parent, added.commit, added.blob, rel) else { continue };
                let origin = Origin {
                    to: rel.to_owned(),
                    path: source.rel,
                    commit: Some(CommitId(added.commit)),
                    parent: CommitId(parent),
                    at: timestamp(added.seconds),
                    blob_before: BlobId(source.blob),
                    blob_after: BlobId(added.blob),
                    similarity: source.similarity,
                    copied: source.copied,
                    unique: source.unique,
                };
                if !origins.contains(&origin) {
                    origins.push(origin);
                }
            }
        }
    }

    fn uncommitted_origin(&self, git: &gix::Repository, rel: &str, budget: &Budget) -> Option<Origin> {
        let path = self.on_disk(rel)?;
        if file_in_head(git, rel).is_some() {
            return None;
        }
        let written = path.metadata().or_else(|_| git.index_path().metadata()).and_then(|file| file.modified());
        let text = self.text_for_git(git, rel).or_else(|| self.index_blob(rel)).filter(|text| !text.is_empty())?;
        let blob = blob_hash(git.object_hash(), &text);
        let (gone, there) = self.files_of_head(git, budget)?;
        let source = Wanted { git, rel, blob, text: &text }.find(gone, |_| there)?;
        Some(Origin {
            to: rel.to_owned(),
            path: source.rel,
            commit: None,
            parent: CommitId(git.head_id().ok()?.detach()),
            at: written.map_or(Timestamp(0), milliseconds),
            blob_before: BlobId(source.blob),
            blob_after: BlobId(blob),
            similarity: source.similarity,
            copied: source.copied,
            unique: source.unique,
        })
    }

    /// The text that `git add` would store.
    pub(crate) fn text_for_git(&self, git: &gix::Repository, rel: &str) -> Option<Vec<u8>> {
        let path = self.on_disk(rel)?;
        if !path.symlink_metadata().ok()?.is_file() {
            return None;
        }
        let (mut pipeline, index) = git.filter_pipeline(None).ok()?;
        let mut text = Vec::new();
        match pipeline.convert_to_git(std::fs::File::open(path).ok()?, rel.as_ref(), &index).ok()? {
            ToGitOutcome::Unchanged(mut file) => drop(file.read_to_end(&mut text).ok()?),
            ToGitOutcome::Process(mut filtered) => drop(filtered.read_to_end(&mut text).ok()?),
            ToGitOutcome::Buffer(bytes) => text.extend_from_slice(bytes),
        }
        Some(text)
    }

    /// The files of HEAD that are gone from the working tree, and those that are there.
    fn files_of_head(&self, git: &gix::Repository, budget: &Budget) -> Option<(Vec<File>, Vec<File>)> {
        let index = git.index_or_empty().ok()?;
        let files = files_in(git, git.head_id().ok()?.detach())?;
        let is_there = |(rel, _): &File| {
            budget.is_over() || is_left_out(&index, rel) || self.root().join(rel).symlink_metadata().is_ok()
        };
        let (there, gone) = files.into_iter().partition(is_there);
        Some((gone, there))
    }
}

fn milliseconds(time: SystemTime) -> Timestamp {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Whether a sparse checkout leaves the file out.
fn is_left_out(index: &State, rel: &str) -> bool {
    if let Some(entry) = index.entry_by_path(rel.into()) {
        return entry.flags.contains(Flags::SKIP_WORKTREE);
    }
    let folders = rel.match_indices('/').filter_map(|(at, _)| rel.get(..=at));
    index.is_sparse() && folders.into_iter().any(|folder| index.entry_by_path(folder.into()).is_some())
}

fn added(version: &Version) -> Option<Added> {
    let without_it = version.parents.iter().filter(|parent| matches!(parent.file, FileThere::None));
    let parents = without_it.map(|parent| parent.commit).collect();
    Some(Added { commit: version.commit, seconds: version.seconds, blob: version.blob?, parents })
}

impl Commits<'_> {
    /// Where `rel`, which `commit` has and `parent` has not, came from.
    fn source(&self, parent: ObjectId, commit: ObjectId, blob: ObjectId, rel: &str) -> Option<Source> {
        let key = (parent, commit, rel.to_owned());
        if let Some(known) = self.known_source(&key) {
            return known;
        }
        let deleted = deleted_files(self.git, parent, commit)?;
        let source = if blob.is_empty_blob() {
            None
        } else {
            let text = blob_text(self.git, blob).unwrap_or_default();
            let wanted = Wanted { git: self.git, rel, blob, text: &text };
            wanted.find(deleted, |git| files_in(git, parent).unwrap_or_default())
        };
        self.keep_source(key, source.clone());
        source
    }
}

/// A text of which it is asked where it was before.
pub(crate) struct Wanted<'t> {
    pub(crate) git: &'t gix::Repository,
    pub(crate) rel: &'t str,
    pub(crate) blob: ObjectId,
    pub(crate) text: &'t [u8],
}

/// How many deleted files are read to find the one that was renamed.
const MOST_READ: usize = 100;

impl Wanted<'_> {
    /// `gone`: the files that went when it came. `there`: all the others that there were.
    fn find(&self, gone: Vec<File>, there: impl FnOnce(&gix::Repository) -> Vec<File>) -> Option<Source> {
        self.same(&gone, false).or_else(|| self.same(&there(self.git), true)).or_else(|| self.most_alike(gone))
    }

    /// The one of `gone` that was renamed.
    pub(crate) fn renamed_from(&self, gone: Vec<File>) -> Option<Source> {
        self.same(&gone, false).or_else(|| self.most_alike(gone))
    }

    fn same(&self, files: &[File], copied: bool) -> Option<Source> {
        let same = || files.iter().filter(|(_, blob)| *blob == self.blob);
        let (rel, blob) = same().min_by_key(|(rel, _)| self.distance(rel))?;
        Some(Source { rel: rel.clone(), blob: *blob, similarity: 100, copied, unique: same().count() == 1 })
    }

    fn most_alike(&self, mut gone: Vec<File>) -> Option<Source> {
        gone.retain(|(_, blob)| self.could_be_alike(*blob));
        gone.sort_by_cached_key(|(rel, _)| self.distance(rel));
        let alike = gone.into_iter().take(MOST_READ).filter_map(|(rel, blob)| {
            let similarity = similarity(&blob_text(self.git, blob)?, self.text);
            (similarity >= 50).then_some(Source { rel, blob, similarity, copied: false, unique: true })
        });
        // Of two alike, the nearer one: it comes first.
        alike.reduce(|best, other| match other.similarity.cmp(&best.similarity) {
            std::cmp::Ordering::Less => best,
            std::cmp::Ordering::Equal => Source { unique: false, ..best },
            std::cmp::Ordering::Greater => other,
        })
    }

    /// Whether the sizes allow half of the longer text to be in the other.
    fn could_be_alike(&self, blob: ObjectId) -> bool {
        let Ok(Some(header)) = self.git.try_find_header(blob) else { return false };
        let (one, other) = (header.size(), self.text.len() as u64);
        one.min(other) >= one.max(other).div_ceil(2)
    }

    /// The least for the same file name, then for the same folders above it, then for the same folders from the top.
    fn distance(&self, rel: &str) -> (Reverse<usize>, Reverse<usize>) {
        let shared = |one: &mut dyn Iterator<Item = &str>, other: &mut dyn Iterator<Item = &str>| {
            Reverse(one.zip(other).take_while(|(one, other)| one == other).count())
        };
        (shared(&mut rel.rsplit('/'), &mut self.rel.rsplit('/')), shared(&mut rel.split('/'), &mut self.rel.split('/')))
    }
}

/// The files that `parent` has and `commit` has not.
pub(crate) fn deleted_files(git: &gix::Repository, parent: ObjectId, commit: ObjectId) -> Option<Vec<File>> {
    let tree = |id| git.find_commit(id).ok()?.tree().ok();
    let changes = git.diff_tree_to_tree(&tree(parent)?, &tree(commit)?, gix::diff::Options::default()).ok()?;
    let deleted = changes.into_iter().filter_map(|change| match change {
        ChangeDetached::Deletion { location, entry_mode, id, .. } if is_file(entry_mode) => {
            Some((String::from_utf8(location.into()).ok()?, id))
        }
        _ => None,
    });
    Some(deleted.collect())
}

/// All files of a commit.
fn files_in(git: &gix::Repository, commit: ObjectId) -> Option<Vec<File>> {
    let entries = git.find_commit(commit).ok()?.tree().ok()?.traverse().breadthfirst.files().ok()?;
    let files = entries.into_iter().filter(|entry| is_file(entry.mode));
    Some(files.filter_map(|entry| Some((String::from_utf8(entry.filepath.into()).ok()?, entry.oid))).collect())
}

/// The bytes of the lines that both texts have, in percent of the longer text.
fn similarity(before: &[u8], after: &[u8]) -> u8 {
    let mut lines = FxHashMap::<&[u8], usize>::default();
    for line in byte_lines(before) {
        *lines.entry(line).or_default() += 1;
    }
    let kept = byte_lines(after).filter(|line| match lines.get_mut(line) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    });
    let kept: usize = kept.map(<[u8]>::len).sum();
    u8::try_from(kept * 100 / before.len().max(after.len()).max(1)).unwrap_or(100)
}
