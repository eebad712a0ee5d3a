//! What is not committed, and what is ignored.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use anyhow::{Context, Result, anyhow};
use gix::bstr::BStr;
use gix::filter::plumbing::pipeline::convert::ToGitOutcome;
use gix::index::entry::Mode;
use gix::status::index_worktree::Item as InWorktree;
use gix::status::tree_index::TrackRenames;
use gix::status::{Item, UntrackedFiles};
use gix::worktree::stack::state::{attributes::Source as AttributesSource, ignore::Source as IgnoreSource};

use crate::Repo;
use crate::blobs::file_in_head;
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
    /// Looks at each file of the working tree, reads those whose size or time is not the index's. Files with a filter
    /// program (git-lfs) are taken as changed then, for none is run. Errors: the index or HEAD cannot be read.
    pub fn changed_files(&self, staged_only: bool) -> Result<Vec<ChangedFile>> {
        let git = self.git();
        let touched = if staged_only { touched_in_index(&git) } else { touched_anywhere(&git) };
        let touched =
            touched.with_context(|| format!("cannot tell what is not committed in {}", self.root().display()))?;
        let changed = touched.into_iter().filter_map(|(rel, touched)| {
            let kind = self.kind_of(&git, &rel, &touched, staged_only)?;
            Some(ChangedFile { rel, kind })
        });
        Ok(changed.collect())
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

    /// `None`: it is as HEAD has it after all.
    fn kind_of(&self, git: &gix::Repository, rel: &str, touched: &Touched, staged_only: bool) -> Option<ChangeKind> {
        let in_head = file_in_head(git, rel);
        let is_there = if staged_only {
            git.index_or_empty().ok()?.entry_range(rel.into()).is_some()
        } else {
            self.on_disk(rel)?.symlink_metadata().is_ok_and(|file| !file.is_dir())
        };
        match (in_head, is_there) {
            (None, false) => None,
            (None, true) => Some(ChangeKind::Added),
            (Some(_), false) => Some(ChangeKind::Deleted),
            // What was staged may have been undone since.
            (Some(blob), true) if touched.staged && touched.unstaged && self.worktree_blob(git, rel) == Some(blob) => {
                None
            }
            (Some(_), true) => Some(ChangeKind::Modified),
        }
    }

    /// The name that the file on disk would have as a blob.
    fn worktree_blob(&self, git: &gix::Repository, rel: &str) -> Option<gix::ObjectId> {
        let file = std::fs::File::open(self.on_disk(rel)?).ok()?;
        let (mut pipeline, index) = git.filter_pipeline(None).ok()?;
        let mut text = Vec::new();
        match pipeline.convert_to_git(file, rel.as_ref(), &index).ok()? {
            ToGitOutcome::Unchanged(mut file) => std::io::Read::read_to_end(&mut file, &mut text).ok()?,
            ToGitOutcome::Process(mut file) => file.read_to_end(&mut text).ok()?,
            ToGitOutcome::Buffer(bytes) => std::io::Write::write(&mut text, bytes).ok()?,
        };
        Some(blob_hash(git.object_hash(), &text))
    }
}

fn touched_in_index(git: &gix::Repository) -> Result<BTreeMap<String, Touched>> {
    let index = git.index_or_empty().map_err(plain)?;
    let tree = git.head_tree_id_or_empty().map_err(plain)?;
    // Without one of its own, only what lies below the current folder would be told.
    let everything = git.pathspec(false, None::<&str>, false, &index, AttributesSource::IdMapping);
    let mut everything = everything.map_err(plain)?;
    let mut touched = BTreeMap::<String, Touched>::new();
    git.tree_index_status(&tree, &index, Some(&mut everything), TrackRenames::Disabled, |change, _, _| {
        let (location, _, mode, _) = change.fields();
        if let Some(rel) = name(location).filter(|_| mode != Mode::COMMIT) {
            touched.entry(rel).or_default().staged = true;
        }
        Ok(ControlFlow::Continue(()))
    })
    .map_err(plain)?;
    Ok(touched)
}

fn touched_anywhere(git: &gix::Repository) -> Result<BTreeMap<String, Touched>> {
    let mut touched = BTreeMap::<String, Touched>::new();
    let status = git
        .status(gix::progress::Discard)
        .map_err(plain)?
        .index_worktree_submodules(None)
        .index_worktree_rewrites(None)
        .tree_index_track_renames(TrackRenames::Disabled)
        .untracked_files(UntrackedFiles::Files);
    for item in status.into_iter(Vec::new()).map_err(plain)? {
        match item.map_err(plain)? {
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

fn plain(error: gix::Error) -> anyhow::Error {
    anyhow!("{error}")
}
