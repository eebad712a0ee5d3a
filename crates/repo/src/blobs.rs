//! HEAD, and texts by path and by name.

use gix::ObjectId;
use gix::index::entry::{Mode, Stage};
use gix::objs::tree::EntryMode;

use crate::graph::is_file;
use crate::id::blob_hash;
use crate::{BlobId, CommitId, Repo, paths};

/// Where HEAD stands. Neither branch nor commit: it cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The branch without `refs/heads/`; `None`: detached.
    pub branch: Option<String>,
    /// `None`: the branch has no commit yet.
    pub commit: Option<CommitId>,
}

impl Head {
    pub fn is_detached(&self) -> bool {
        self.branch.is_none() && self.commit.is_some()
    }

    pub fn is_unborn(&self) -> bool {
        self.branch.is_some() && self.commit.is_none()
    }
}

/// Reads many texts. Those that git stores as differences from each other, as versions of one file are, cost little
/// more than one; the newest are best read first.
pub struct Blobs {
    git: gix::Repository,
}

impl Blobs {
    /// The text of a blob, as stored: line ends are not touched.
    pub fn text(&self, id: BlobId) -> Option<Vec<u8>> {
        blob_text(&self.git, id.0)
    }
}

impl Repo {
    /// For reading many texts at once; one is read by [`Repo::blob`]. It holds a cache of up to 32 MB: drop it soon.
    pub fn blobs(&self) -> Blobs {
        Blobs { git: self.walking_git() }
    }

    pub fn head(&self) -> Head {
        let git = self.git();
        let Ok(head) = git.head() else { return Head::default() };
        let branch = head.referent_name().map(|name| name.shorten().to_string());
        let commit = head.id().map(|id| CommitId(id.detach()));
        Head { branch, commit }
    }

    /// The text of a blob, as stored: line ends are not touched.
    pub fn blob(&self, id: BlobId) -> Option<Vec<u8>> {
        blob_text(&self.git(), id.0)
    }

    /// The text of a file in HEAD. `None` for folders, links and submodules too.
    pub fn blob_at_head(&self, rel: &str) -> Option<Vec<u8>> {
        let git = self.git();
        let id = file_in_head(&git, rel)?;
        blob_text(&git, id)
    }

    /// The text of a file as it is staged. `None`: not in the index, or in conflict.
    pub fn index_blob(&self, rel: &str) -> Option<Vec<u8>> {
        let git = self.git();
        let index = git.index_or_empty().ok()?;
        let entry = index.entry_by_path(rel.into())?;
        let is_file = matches!(entry.mode, Mode::FILE | Mode::FILE_EXECUTABLE);
        if is_file && entry.stage() == Stage::Unconflicted { blob_text(&git, entry.id) } else { None }
    }

    /// Whether the repository holds a blob of just this text, or of this text with `\n` for each `\r\n`.
    pub fn has_blob_of(&self, text: &[u8]) -> bool {
        let git = self.git();
        let has = |text: &[u8]| git.has_object(blob_hash(git.object_hash(), text));
        has(text) || unix_lines(text).is_some_and(|text| has(&text))
    }

    /// Whether there is such a file in HEAD, in the index or on disk.
    pub fn knows_path(&self, rel: &str) -> bool {
        let Some(path) = self.on_disk(rel) else { return false };
        let git = self.git();
        let in_index = || git.index_or_empty().is_ok_and(|index| index.entry_by_path(rel.into()).is_some());
        path.is_file() || in_index() || file_in_head(&git, rel).is_some()
    }
}

pub(crate) fn file_in_head(git: &gix::Repository, rel: &str) -> Option<ObjectId> {
    let (id, mode) = entry_in(&git.head_tree().ok()?, rel)?;
    is_file(mode).then_some(id)
}

/// What a commit's tree has at this path.
pub(crate) fn entry_in(tree: &gix::Tree<'_>, rel: &str) -> Option<(ObjectId, EntryMode)> {
    let entry = tree.lookup_entry(paths::names(rel)?.into_iter().map(Name)).ok()??;
    Some((entry.id().detach(), entry.mode()))
}

/// A name in a tree.
struct Name<'a>(&'a [u8]);

impl PartialEq<gix::bstr::BStr> for Name<'_> {
    fn eq(&self, other: &gix::bstr::BStr) -> bool {
        self.0 == &**other
    }
}

pub(crate) fn blob_text(git: &gix::Repository, id: ObjectId) -> Option<Vec<u8>> {
    let mut blob = git.try_find_object(id).ok()??.try_into_blob().ok()?;
    Some(blob.take_data())
}

/// `text` with `\n` for each `\r\n`; `None` if it has none.
fn unix_lines(text: &[u8]) -> Option<Vec<u8>> {
    if !text.windows(2).any(|pair| pair == b"\r\n") {
        return None;
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().peekable();
    while let Some(&byte) = bytes.next() {
        if byte != b'\r' || bytes.peek() != Some(&&b'\n') {
            out.push(byte);
        }
    }
    Some(out)
}
