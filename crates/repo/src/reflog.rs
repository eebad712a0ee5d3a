//! Where HEAD has been.

use gix::ObjectId;
use gix::bstr::ByteSlice;
use trace::Timestamp;

use crate::commits::timestamp;
use crate::{CommitId, Repo};

/// One move of HEAD in this worktree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadMove {
    pub at: Timestamp,
    /// `None`: HEAD had no commit before.
    pub from: Option<CommitId>,
    /// `None`: HEAD has no commit since.
    pub to: Option<CommitId>,
    /// What moved it: `commit: …`, `checkout: moving from … to …`, `reset: …`.
    pub message: String,
}

impl Repo {
    /// The moves of HEAD that git still knows, oldest first. They keep commits that were amended or thrown away.
    pub fn head_moves(&self) -> Vec<HeadMove> {
        let git = self.git();
        let Ok(head) = git.head() else { return Vec::new() };
        let mut log = head.log_iter();
        let Ok(Some(lines)) = log.all() else { return Vec::new() };
        lines.flatten().map(|line| head_move(&line)).collect()
    }
}

fn head_move(line: &gix::refs::file::log::LineRef<'_>) -> HeadMove {
    let commit = |id: ObjectId| (!id.is_null()).then_some(CommitId(id));
    HeadMove {
        at: timestamp(line.signature.seconds()),
        from: commit(line.previous_oid()),
        to: commit(line.new_oid()),
        message: line.message.to_str_lossy().into_owned(),
    }
}
