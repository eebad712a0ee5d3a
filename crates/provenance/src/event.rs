//! What is known of a file, in the order in which it happened.

use std::sync::Arc;

use trace::{Change, StepKey, Timestamp};

/// The caller's number for an event: the same event has the same number whenever it is told again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventKey(pub u64);

/// A worktree: states of the file in one do not follow on states in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tree(pub u16);

/// A source whose own order is certain: a log, or git's history. Between two of them only clocks and texts tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Chain(pub u32);

/// The caller's number for a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TurnKey(pub u64);

/// An event before its texts are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    pub key: EventKey,
    pub chain: Chain,
    pub at: Timestamp,
}

/// One event of one file.
#[derive(Clone, Debug)]
pub struct Event {
    pub key: EventKey,
    pub at: Timestamp,
    pub tree: Tree,
    /// The turn of a session in which it happened.
    pub turn: Option<TurnKey>,
    /// The person went back to before it. What it did to the file was mostly taken back, which no log tells.
    pub left_behind: bool,
    pub what: Happening,
}

#[derive(Clone, Debug)]
pub enum Happening {
    /// Here the file held this text.
    Seen {
        text: Arc<str>,
        how: Seen,
        /// For a commit: the events that tell the file in its parents.
        parents: Vec<EventKey>,
    },
    /// This step changed the file so.
    Edit { step: StepKey, change: Arc<Change> },
    /// A command ran that may have written the file.
    Ran { step: StepKey, writes: Vec<Writes> },
    /// Somebody other than an agent changed the file, which is not told how.
    ByHand,
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

/// How a command may have written a file.
#[derive(Clone, Debug)]
pub enum Writes {
    /// In any way; its text does not name the file as its output.
    Anything,
    /// Other texts than its own: what git brings back has its authors.
    OldText,
    /// White space and line ends, and now and then more.
    Formats,
    /// The whole file, which its text names.
    Whole,
    /// Lines at the end of the file, which its text names.
    AtTheEnd,
    /// Line by line, in the file that its text names.
    Lines(Rewrite),
}

/// What a command makes of one line: `None` where that is not known.
#[derive(Clone)]
pub struct Rewrite(pub Arc<RewriteLine>);

type RewriteLine = dyn Fn(&str) -> Option<Vec<String>> + Send + Sync;

impl std::fmt::Debug for Rewrite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rewrite")
    }
}
