//! A rendered document: its text and everything that stands over it.

use crate::document_id::DocumentId;

/// Lines count from 0, columns are bytes of the line; `end` is not included.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rendered {
    /// Lines end in `\n`, the last one too; no other line end occurs.
    pub text: String,
    /// In the order of lines, without overlap.
    pub anchors: Vec<Anchor>,
    pub folds: Vec<Fold>,
    pub symbols: Vec<Symbol>,
    /// In the order of lines.
    pub links: Vec<Link>,
    /// In the order of lines and columns, without overlap.
    pub tokens: Vec<Token>,
    /// In the order of lines, then as they stand in the row.
    pub lenses: Vec<DocLens>,
}

/// A step of the document's session. Without numbers: the turn itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepRef {
    pub turn: u32,
    pub steps: Vec<u32>,
}

impl StepRef {
    pub(crate) fn turn(turn: u32) -> StepRef {
        StepRef { turn, steps: Vec::new() }
    }

    /// `12`, `12.7`, `12.7.3`
    pub fn label(&self) -> String {
        self.steps.iter().fold(self.turn.to_string(), |label, number| format!("{label}.{number}"))
    }
}

/// What a run of lines tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    pub line: u32,
    /// How many lines.
    pub lines: u32,
    /// The session, where the document is not one session's.
    pub session: Option<Box<str>>,
    pub step: StepRef,
    pub part: Part,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A turn's or step's heading or row.
    Head,
    /// A turn's line of numbers.
    Numbers,
    /// Prompt, words, thought, output.
    Body,
    /// One line of the step's diff. `edit` counts the step's edits from 0; lines are from 1, 0 where not told.
    Diff { edit: u32, sign: Sign, old: u32, new: u32 },
    /// Stands for the lines of an edit's diff that are cut.
    Cut { edit: u32 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    Context,
    Removed,
    Added,
}

/// `end` is the last line that is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fold {
    pub start: u32,
    pub end: u32,
    pub kind: FoldKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoldKind {
    /// A turn, a day: no kind in the protocol.
    Section,
    /// Folded on first opening.
    Comment,
    Region,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    pub name: String,
    pub detail: String,
    pub kind: SymbolKind,
    /// The line of its heading; `end` is its last line.
    pub line: u32,
    pub end: u32,
    pub children: Vec<Symbol>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolKind {
    Turn,
    Edit,
    Failed,
    Agent,
    Compaction,
    /// A day or session in a list.
    Group,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    pub line: u32,
    pub start: u32,
    pub end: u32,
    pub target: LinkTarget,
}

#[derive(Clone, Debug, PartialEq)]
pub enum LinkTarget {
    /// A document, with the name for the last part of its URI.
    Document(DocumentId, String),
    /// A step of the same session, to be opened in its turn's document.
    Step(StepRef),
    /// A place in a file as it was at that step; the link leads to where it is now. Lines are from 1.
    Code { path: Box<str>, line: Option<u32>, at: StepRef },
    /// A commit, as the log abbreviates it, and the folder in which it was made.
    Commit { hash: Box<str>, folder: Option<Box<str>> },
    /// Another session, or a step of it.
    Session { session: Box<str>, step: Option<StepRef> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub line: u32,
    pub start: u32,
    pub end: u32,
    pub kind: TokenKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    Heading,
    Inserted,
    Deleted,
    /// `@@ … @@`
    Hunk,
    /// Thoughts, numbers, system rows, cuts.
    Comment,
}

/// A lens over a document. Its title is made by [`DocLens::title`] when it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocLens {
    pub line: u32,
    /// `None`: the session.
    pub step: Option<StepRef>,
    pub kind: DocLensKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocLensKind {
    /// How much of it is still there, and where.
    Life,
    Changes,
    /// before ↔ after
    Diff,
    /// before ↔ now
    Before,
    Undo,
    /// The step's record as it stands in the log.
    Raw,
    Resume,
    FindInSession,
    Filter,
    Export,
    WholeSession,
    PreviousTurn,
    NextTurn,
}
