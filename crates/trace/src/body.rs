//! The texts of records, read when they are shown or replayed.

use std::sync::Arc;

use crate::{LogId, Place, Timestamp};

/// Gives the bodies of records. Filled from files by the index, from memory in tests.
pub trait Bodies {
    fn body(&self, log: LogId, place: Place) -> Body;
}

/// A record read again at its place.
#[derive(Clone, Debug)]
pub enum Body {
    Here(Arc<Content>),
    /// The log is gone, or another record lies there now.
    Gone,
}

impl Body {
    pub fn content(&self) -> Option<&Content> {
        match self {
            Body::Here(content) => Some(content),
            Body::Gone => None,
        }
    }
}

/// Everything that one record (one content block of it) says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content {
    /// The prompt, the agent's words, the thought, or what a tool gave back.
    pub text: String,
    /// A call's input: the command itself for a command, else pretty JSON. Empty for other records.
    pub input: String,
    /// In a result: what it proves. In a call: what it asks for, true only if the result says so and says no more.
    pub changes: Vec<Change>,
    /// Texts of whole files that the record proves (a Read of all lines).
    pub observed: Vec<Observation>,
    /// The record as it stands in the log, as pretty JSON.
    pub record: String,
}

/// "Here the file held this text."
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    pub path: Box<str>,
    pub at: Option<Timestamp>,
    pub text: Arc<str>,
}

/// One file changed by one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// As the log spells it, absolute where the log lets it be made so.
    pub path: Box<str>,
    /// The whole text before, where the log holds it.
    pub before: Option<Arc<str>>,
    /// The whole text after, where the log holds it.
    pub after: Option<Arc<str>>,
    /// Texts that were replaced, in the order in which they were applied.
    pub replacements: Vec<Replacement>,
    /// The difference as the log tells it, with true line numbers. May be empty although texts changed.
    pub hunks: Vec<Hunk>,
    /// The file did not exist before.
    pub created: bool,
    /// The file does not exist after.
    pub deleted: bool,
    /// The person changed the proposal before it was applied.
    pub user_modified: bool,
    /// The file lies here after the change, and no more at `path`.
    pub moved_to: Option<Box<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    pub old: Box<str>,
    pub new: Box<str>,
    pub all: bool,
}

/// One hunk of a unified diff.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hunk {
    /// First line before and after, from 1.
    pub old_start: u32,
    pub new_start: u32,
    /// Each line with its sign first: ` `, `-` or `+`. Without line ends.
    pub lines: Vec<Box<str>>,
}

impl Hunk {
    pub fn old_lines(&self) -> impl Iterator<Item = &str> {
        self.signed(['-', ' '])
    }

    pub fn new_lines(&self) -> impl Iterator<Item = &str> {
        self.signed(['+', ' '])
    }

    fn signed(&self, signs: [char; 2]) -> impl Iterator<Item = &str> {
        self.lines.iter().filter(move |line| line.starts_with(signs)).map(|line| &line[1..])
    }
}
