//! What is not committed, and what is ignored.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use anyhow::{Result, anyhow};
use gix::bstr::{BStr, ByteSlice};
use gix::index::entry::{Flags, Mode};
use gix::index::{File, State};
use gix::status::index_worktree::Item as InWorktree;
use gix::status::tree_index::TrackRenames;
use gix::status::{Item, UntrackedFiles};
use gix::worktree::IndexPersistedOrInMemory;
use gix::worktree::stack::state::{attributes::Source as AttributesSource, ignore::Source as IgnoreSource};

use crate::Repo;
use crate::blobs::entry_in;
use crate::id::blob_hash;

/// A file that is not as HEAD has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedFile {
    pub rel: String,
    pub kind: ChangeKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    Added,
    Modified,
    Deleted,
}

/// On which sides of the index a path was found changed.
#[derive(Default)]
struct Touched {
    staged: bool,
    unstaged: bool,
}

impl Repo {
    /// The files of the working tree that are not as HEAD has them, by path: changed, added (staged, or untracked and
    /// not ignored) and deleted. `staged_only`: the files of the index instead. Submodules and nested repositories
    /// are left out, and so are names that are no Unicode.
    ///
    /// What a sparse checkout leaves out is taken as HEAD has it.
    ///
    /// Looks at each file of the working tree, reads those whose size or time is not the index's. Files with a filter
    /// program (git-lfs) are taken as changed then, for none is run. Errors: the index or HEAD cannot be read.
    pub fn changed_files(&self, staged_only: bool) -> Result<Vec<ChangedFile>> {
        self.find_changes(staged_only)
            .map_err(|error| anyhow!("cannot tell what is not committed in {}: {error}", self.root().display()))
    }

    fn find_changes(&self, staged_only: bool) -> gix::Result<Vec<ChangedFile>> {
        let git = self.git();
        let index = whole_index(&git)?;
        let touched =
            if staged_only { touched_in_index(&git, &index)? } else { touched_anywhere(&git, index.clone())? };
        let staged: Option<&State> = if staged_only { Some(&index) } else { None };
        let sides = Sides { repo: self, git: &git, head: git.head_tree().ok(), staged };
        let kind = |(rel, touched): (String, Touched)| Some(ChangedFile { kind: sides.kind_of(&rel, &touched)?, rel });
        Ok(touched.into_iter().filter_map(kind).collect())
    }

    /// Whether an ignore file names it. What is in the index is not ignored.
    pub fn is_ignored(&self, rel: &str) -> bool {
        self.ask_ignored(rel).unwrap_or(false)
    }

    fn ask_ignored(&self, rel: &str) -> Option<bool> {
        let path = self.on_disk(rel)?;
        let git = self.git();
        let index = git.index_or_empty().ok()?;
        if index.entry_by_path(rel.into()).is_some() {
            return Some(false);
        }
        let mode = if path.is_dir() { Mode::DIR } else { Mode::FILE };
        let mut stack = git.excludes(&index, None, IgnoreSource::WorktreeThenIdMappingIfNotSkipped).ok()?;
        Some(stack.at_entry(rel, Some(mode)).ok()?.is_excluded())
    }
}

/// What is compared.
struct Sides<'r> {
    repo: &'r Repo,
    git: &'r gix::Repository,
    /// `None`: there is no commit yet.
    head: Option<gix::Tree<'r>>,
    /// The index; `None`: the working tree is asked for.
    staged: Option<&'r State>,
}

impl Sides<'_> {
    /// What happened to a file. `None`: it is as HEAD has it after all.
    fn kind_of(&self, rel: &str, touched: &Touched) -> Option<ChangeKind> {
        let in_head = self.head.as_ref().and_then(|tree| entry_in(tree, rel));
        let in_head = in_head.filter(|(_, mode)| mode.is_blob_or_symlink()).map(|(id, _)| id);
        let is_there = match self.staged {
            Some(index) => index.entry_range(rel.into()).is_some(),
            None => self.repo.on_disk(rel)?.symlink_metadata().is_ok_and(|file| !file.is_dir()),
        };
        match (in_head, is_there) {
            (None, false) => None,
            (None, true) => Some(ChangeKind::Added),
            (Some(_), false) => Some(ChangeKind::Deleted),
            // What was staged may have been undone since.
            (Some(blob), true) if touched.staged && touched.unstaged && self.blob_on_disk(rel) == Some(blob) => None,
            (Some(_), true) => Some(ChangeKind::Modified),
        }
    }

    /// The name that the file on disk would have as a blob.
    fn blob_on_disk(&self, rel: &str) -> Option<gix::ObjectId> {
        Some(blob_hash(self.git.object_hash(), &self.repo.text_for_git(self.git, rel)?))
    }
}

fn touched_in_index(git: &gix::Repository, index: &State) -> gix::Result<BTreeMap<String, Touched>> {
    let tree = git.head_tree_id_or_empty()?;
    // Without one of its own, only what lies below the current folder would be told.
    let mut everything = git.pathspec(false, None::<&str>, false, index, AttributesSource::IdMapping)?;
    let mut touched = BTreeMap::<String, Touched>::new();
    git.tree_index_status(&tree, index, Some(&mut everything), TrackRenames::Disabled, |change, _, _| {
        let (location, _, mode, _) = change.fields();
        if let Some(rel) = name(location).filter(|_| mode != Mode::COMMIT) {
            touched.entry(rel).or_default().staged = true;
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(touched)
}

fn touched_anywhere(git: &gix::Repository, index: IndexPersistedOrInMemory) -> gix::Result<BTreeMap<String, Touched>> {
    let mut touched = BTreeMap::<String, Touched>::new();
    let status = git
        .status(gix::progress::Discard)?
        .index(index)
        .index_worktree_submodules(None)
        .index_worktree_rewrites(None)
        .tree_index_track_renames(TrackRenames::Disabled)
        .untracked_files(UntrackedFiles::Files);
    for item in status.into_iter(Vec::new())? {
        match item? {
            Item::TreeIndex(change) if change.entry_mode() != Mode::COMMIT => {
                if let Some(rel) = name(change.location()) {
                    touched.entry(rel).or_default().staged = true;
                }
            }
            Item::IndexWorktree(item) if is_file(&item) => {
                if let Some(rel) = name(item.rela_path()) {
                    touched.entry(rel).or_default().unstaged = true;
                }
            }
            Item::TreeIndex(_) | Item::IndexWorktree(_) => {}
        }
    }
    Ok(touched)
}

/// The index with a file for each file: a sparse one has whole folders as single entries, which gix compares with
/// nothing.
fn whole_index(git: &gix::Repository) -> gix::Result<IndexPersistedOrInMemory> {
    let sparse = git.index_or_empty()?;
    if !sparse.is_sparse() {
        return Ok(IndexPersistedOrInMemory::Persisted(sparse));
    }
    let mut whole = State::new(git.object_hash());
    whole.set_timestamp(sparse.timestamp());
    for entry in sparse.entries() {
        let path = entry.path(&sparse);
        if !entry.mode.is_sparse() {
            whole.dangerously_push_entry(entry.stat, entry.id, entry.flags, entry.mode, path);
            continue;
        }
        let folder = git.index_from_tree(&entry.id)?;
        for file in folder.entries() {
            let path = [path.as_bytes(), file.path(&folder).as_bytes()].concat();
            whole.dangerously_push_entry(file.stat, file.id, Flags::SKIP_WORKTREE, file.mode, path.as_bstr());
        }
    }
    whole.sort_entries();
    Ok(IndexPersistedOrInMemory::InMemory(File::from_state(whole, git.index_path())))
}

/// Whether it is a change of a file, or a new file.
fn is_file(item: &InWorktree) -> bool {
    if item.summary().is_none() {
        return false;
    }
    match item {
        InWorktree::Modification { entry, .. } => entry.mode != Mode::COMMIT,
        InWorktree::DirectoryContents { entry, .. } => {
            matches!(entry.disk_kind, Some(gix::dir::entry::Kind::File | gix::dir::entry::Kind::Symlink))
        }
        InWorktree::Rewrite { .. } => true,
    }
}

fn name(path: &BStr) -> Option<String> {
    std::str::from_utf8(path).ok().map(str::to_owned)
}
