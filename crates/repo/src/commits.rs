//! What people are told of a commit.

use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice};
use trace::Timestamp;

use crate::{CommitId, Repo, trailer};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitInfo {
    pub id: CommitId,
    /// The author's name.
    pub author: String,
    /// When it was committed (not when it was authored).
    pub at: Timestamp,
    /// The first line of its message.
    pub subject: String,
    /// The agent that a line of its message names (`Co-Authored-By: Claude <…>`), by its full name: `Claude Code`.
    pub agent_trailer: Option<&'static str>,
}

impl Repo {
    /// The commit with this id, or the only one whose id begins so (at least 4 hex digits).
    pub fn commit(&self, id_or_prefix: &str) -> Option<CommitInfo> {
        let git = self.git();
        if id_or_prefix.len() > git.object_hash().len_in_hex() {
            return None;
        }
        let prefix = gix::hash::Prefix::from_hex(id_or_prefix).ok()?;
        let mut found = Default::default();
        git.objects.lookup_prefix(prefix, Some(&mut found)).ok()?;
        let mut commits = found.into_iter().filter_map(|id| info(&git, id));
        let commit = commits.next()?;
        commits.next().is_none().then_some(commit)
    }
}

/// `None`: there is no such commit.
pub(crate) fn info(git: &gix::Repository, id: ObjectId) -> Option<CommitInfo> {
    let commit = git.try_find_object(id).ok()??.try_into_commit().ok()?;
    let commit = gix::objs::CommitRef::from_bytes(&commit.data, git.object_hash()).ok()?;
    let author = commit.author().ok().map(|author| text(author.name));
    let at = commit.committer().ok().and_then(|committer| committer.time().ok());
    Some(CommitInfo {
        id: CommitId(id),
        author: author.unwrap_or_default(),
        at: timestamp(at.map_or(0, |time| time.seconds)),
        subject: text(&commit.message().summary()),
        agent_trailer: trailer::agent(&commit.message.to_str_lossy()),
    })
}

/// git counts seconds.
pub(crate) fn timestamp(seconds: i64) -> Timestamp {
    Timestamp(seconds.saturating_mul(1000))
}

fn text(bytes: &BStr) -> String {
    bytes.trim().to_str_lossy().into_owned()
}
