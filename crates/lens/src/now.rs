//! What is true at this moment of what a log told: handed in by whoever has git, the disk and the buffers.

use trace::Timestamp;

/// Answers for the steps of sessions. Called when a lens, a hover or a jump asks, never while a text is rendered.
pub trait Now {
    /// What became of a step. `None`: not an edit, or nothing is known of it.
    /// `steps` is `[7]` for 12.7, `[7, 3]` for the sub-agent's 12.7.3.
    fn step(&self, session: &str, turn: u32, steps: &[u32]) -> Option<StepLife>;
}

/// Knows nothing: for the text alone.
pub struct NothingKnown;

impl Now for NothingKnown {
    fn step(&self, _: &str, _: u32, _: &[u32]) -> Option<StepLife> {
        None
    }
}

/// What became of a step's lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepLife {
    /// Lines that the step wrote.
    pub written: u32,
    /// How many of them are still there.
    pub live: u32,
    /// Where they are, in the order of files and lines.
    pub now: Vec<Span>,
    /// Where the others went, the latest first.
    pub gone: Vec<(Gone, u32)>,
    /// One for each line of its diff that the step added, in the order of `(path, line)`.
    pub added: Vec<AddedLine>,
    /// One for each line of its diff that the step removed, in the order of `(path, line)`.
    pub removed: Vec<RemovedLine>,
    /// Lines that the step only reformatted, whose authors stay: how many in which file.
    pub reformatted: Vec<(Box<str>, u32)>,
    /// Why the step's edit is believed, one sentence: `the log's own text before the edit equals the whole read in 1.3`.
    pub proof: Option<Box<str>>,
}

/// Lines of a file as it is now, from 1, the last included. The path is one that can be opened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub path: Box<str>,
    pub from: u32,
    pub to: u32,
}

/// A line of a file as it is now, from 1. The path is one that can be opened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub path: Box<str>,
    pub line: u32,
}

/// Who took a line away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gone {
    By(Writer),
    NoRecordedTurn,
}

/// The step that wrote, or took away, a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    /// The agent's short name, with a mark where it is not certain: `Claude`, `Claude?`.
    pub agent: Box<str>,
    pub session: Box<str>,
    pub turn: u32,
    /// `14.2`
    pub step: Box<str>,
    pub title: Box<str>,
    pub at: Option<Timestamp>,
}

/// An added line of a step's diff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddedLine {
    /// The file, as the step's edit names it, and the line there after the step, from 1.
    pub path: Box<str>,
    pub line: u32,
    pub now: LineNow,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineNow {
    At(Place),
    Gone {
        by: Gone,
        /// The place nearest to where it was.
        near: Option<Place>,
    },
}

/// A removed line of a step's diff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovedLine {
    /// The file, as the step's edit names it, and the line there before the step, from 1.
    pub path: Box<str>,
    pub line: u32,
    /// Who had written it.
    pub writer: Option<Writer>,
    /// The place nearest to where it was.
    pub near: Option<Place>,
}

/// What a running session does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Live {
    /// The tool and its subject, `Bash cargo test`.
    Working {
        what: Box<str>,
        since: Timestamp,
    },
    Waits {
        since: Timestamp,
    },
}

impl StepLife {
    pub(crate) fn added(&self, path: &str, line: u32) -> Option<&AddedLine> {
        let at = self.added.binary_search_by(|known| (&*known.path, known.line).cmp(&(path, line))).ok()?;
        self.added.get(at)
    }

    pub(crate) fn removed(&self, path: &str, line: u32) -> Option<&RemovedLine> {
        let at = self.removed.binary_search_by(|known| (&*known.path, known.line).cmp(&(path, line))).ok()?;
        self.removed.get(at)
    }
}
