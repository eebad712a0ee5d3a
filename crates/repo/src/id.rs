//! Names of objects.

use std::fmt;

use gix::ObjectId;

/// The name of a blob. As text: its hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobId(pub(crate) ObjectId);

/// The name of a commit. As text: its hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommitId(pub(crate) ObjectId);

impl CommitId {
    /// The first 7 hex digits, as people are shown it.
    pub fn short(&self) -> String {
        self.0.to_hex_with_len(7).to_string()
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobId({})", self.0)
    }
}

impl fmt::Debug for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommitId({})", self.0)
    }
}

/// The name that `text` has as a blob in a SHA-1 repository. A text made to collide gets the null name, which no
/// repository has.
pub fn git_blob_hash(text: &[u8]) -> BlobId {
    BlobId(blob_hash(gix::hash::Kind::Sha1, text))
}

pub(crate) fn blob_hash(kind: gix::hash::Kind, text: &[u8]) -> ObjectId {
    gix::objs::compute_hash(kind, gix::objs::Kind::Blob, text).unwrap_or_else(|_| ObjectId::null(kind))
}
