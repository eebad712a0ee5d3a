//! What is known of a file, in the order in which it happened.

use std::sync::Arc;

use trace::{Change, StepKey, Timestamp};

/// The caller's number for an event: the same event has the same number whenever it is told again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventKey(pub u64);

/// A worktree: states of the file in one do not follow on states in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tree(pub u16);

/// One event of one file.
#[derive(Clone, Debug)]
pub struct Event {
    pub key: EventKey,
    pub at: Timestamp,
    pub tree: Tree,
    /// The person went back to before it. What it did to the file was mostly taken back, which no log tells.
    pub left_behind: bool,
    pub what: Happening,
}

#[derive(Clone, Debug)]
pub enum Happening {
    /// Here the file held this text.
    Seen { text: Arc<str>, how: Seen },
    /// This step changed the file so.
    Edit { step: StepKey, change: Arc<Change> },
}

/// What an observation proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The worktree held the text at that time: a whole read, a backup, the disk.
    Here,
    /// The same, as a tool showed it to the agent: perhaps without the last line where that is empty.
    Shown,
    /// The text existed: a commit. It says nothing of what the worktree held.
    Somewhere,
}
