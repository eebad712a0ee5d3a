//! A commit as people are shown it: what it says and which files it changed.

use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice};
use gix::object::tree::diff::ChangeDetached as Change;

use crate::blobs::blob_text;
use crate::commits::info;
use crate::graph::is_file;
use crate::{BlobId, CommitInfo, Repo};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub commit: CommitInfo,
    /// Its whole message, the subject included.
    pub message: String,
    /// What is unlike its first parent (the empty tree, where it has none), by path. A renamed file is one that went
    /// and one that came.
    pub files: Vec<CommittedFile>,
}

/// A file that a commit changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedFile {
    pub rel: String,
    /// `None`: there was no such file.
    pub before: Option<BlobId>,
    /// `None`: the file was deleted.
    pub after: Option<BlobId>,
}

impl Repo {
    /// A commit by its id, or the beginning of one (see [`Repo::commit`]). `None`: there is no such commit, or what
    /// it changed cannot be read.
    pub fn show(&self, id_or_prefix: &str) -> Option<Shown> {
        let named = self.commit(id_or_prefix)?;
        let git = self.git();
        let commit = git.find_commit(named.id.0).ok()?;
        let before = commit.parent_ids().next().and_then(|parent| parent.object().ok()?.peel_to_tree().ok());
        let after = commit.tree().ok()?;
        let changes = git.diff_tree_to_tree(before.as_ref(), &after, gix::diff::Options::default()).ok()?;
        let mut files: Vec<CommittedFile> = changes.into_iter().filter_map(committed).collect();
        files.sort_by(|a, b| a.rel.cmp(&b.rel));
        let message = commit.message_raw().ok()?.to_str_lossy().into_owned();
        Some(Shown { commit: info(&git, named.id.0)?, message, files })
    }

    /// The text of a blob by its whole id in hex.
    pub fn blob_named(&self, id: &str) -> Option<Vec<u8>> {
        blob_text(&self.git(), ObjectId::from_hex(id.as_bytes()).ok()?)
    }
}

/// `None`: no file, before or after.
fn committed(change: Change) -> Option<CommittedFile> {
    let file = |rel: &BStr, before: Option<ObjectId>, after: Option<ObjectId>| {
        let is_any = before.or(after).is_some();
        let (before, after) = (before.map(BlobId), after.map(BlobId));
        is_any.then(|| CommittedFile { rel: rel.to_str_lossy().into_owned(), before, after })
    };
    match change {
        Change::Addition { location, entry_mode, id, .. } => {
            file(location.as_ref(), None, is_file(entry_mode).then_some(id))
        }
        Change::Deletion { location, entry_mode, id, .. } => {
            file(location.as_ref(), is_file(entry_mode).then_some(id), None)
        }
        Change::Modification { location, previous_entry_mode, previous_id, entry_mode, id } => file(
            location.as_ref(),
            is_file(previous_entry_mode).then_some(previous_id),
            is_file(entry_mode).then_some(id),
        ),
        // Renames are not looked for.
        Change::Rewrite { .. } => None,
    }
}
