//! What a reader makes of one record of a log: an [`Entry`] that says what it is and where its body lies.

use std::sync::Arc;

use bitcode::{Decode, Encode};

use crate::{Timestamp, Touches};

/// A log: one file, or one thread in a store of many. Given out by the index, never written anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct LogId(pub u32);

/// Where a record lies. The numbers are the reader's own (for a file of lines: the first byte, the length, the
/// content block); layers above only carry it. `check` is a hash of the record's bytes, the proof that it is still
/// the same record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct Place {
    pub at: u64,
    pub len: u32,
    pub part: u16,
    pub check: u32,
}

/// A record's own id (a UUID, or a hash of whatever the agent uses).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct RecordId {
    // Not one number: maps are filled with these, and it would take up room in steps of sixteen bytes.
    high: u64,
    low: u64,
}

impl RecordId {
    pub fn new(id: u128) -> RecordId {
        RecordId { high: (id >> 64) as u64, low: id as u64 }
    }

    pub fn number(self) -> u128 {
        u128::from(self.high) << 64 | u128::from(self.low)
    }
}

/// The beginning of a text and its size. The whole text is the body at the entry's place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Excerpt {
    /// The text's first characters, at most [`Excerpt::LIMIT`].
    pub head: Box<str>,
    /// Characters in the whole text.
    pub chars: u32,
    /// Lines in the whole text.
    pub lines: u32,
}

impl Excerpt {
    pub const LIMIT: usize = 400;

    pub fn of(text: &str) -> Excerpt {
        Excerpt::with_limit(text, Excerpt::LIMIT)
    }

    pub fn with_limit(text: &str, limit: usize) -> Excerpt {
        let end = match text.as_bytes().get(..limit) {
            None => text.len(),
            Some(head) if head.is_ascii() => limit,
            Some(_) => text.char_indices().nth(limit).map_or(text.len(), |(at, _)| at),
        };
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (chars, ends) = chars_and_line_ends(text);
        // As `lines` counts them.
        let lines = ends + usize::from(!text.is_empty() && !text.ends_with('\n'));
        Excerpt { head: text[..end].into(), chars: count(chars), lines: count(lines) }
    }

    /// Whether `head` is the whole text.
    pub fn is_whole(&self) -> bool {
        self.head.chars().count() == self.chars as usize
    }
}

/// At the speed of memory: sums of so few bytes fit into a byte, so that many are taken at once.
fn chars_and_line_ends(text: &str) -> (usize, usize) {
    let of_chunk = |chunk: &[u8]| {
        let (mut chars, mut ends) = (0u8, 0u8);
        for byte in chunk {
            // All but the bytes that go on with a character.
            chars += u8::from(*byte as i8 >= -0x40);
            ends += u8::from(*byte == b'\n');
        }
        (chars, ends)
    };
    text.as_bytes().chunks(usize::from(u8::MAX)).map(of_chunk).fold((0, 0), |(chars, ends), (more_chars, more_ends)| {
        (chars + usize::from(more_chars), ends + usize::from(more_ends))
    })
}

/// One record (or one content block of a record) of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub place: Place,
    pub id: Option<RecordId>,
    pub parent: Option<RecordId>,
    pub at: Option<Timestamp>,
    /// `None`: the conversation itself. Else the sub-agent whose conversation lies in the same log: its agent id
    /// where the log tells one, else any string that is the same for all its records.
    pub side: Option<Arc<str>>,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A real prompt of a person, or the task that a sub-agent was given (where `side` is set or the log is a
    /// sub-agent's own).
    Prompt(Prompt),
    /// A slash command as typed, `/review src/`. Whether it makes a turn is known by what follows: a
    /// [`What::CommandOutput`] says that the client itself did it.
    SlashCommand(Box<str>),
    CommandOutput,
    /// The agent's words to the person.
    Text(Excerpt),
    Thought(Excerpt),
    Call(Call),
    Result(ToolResult),
    /// One response's use of tokens. Several records may tell of one response; see [`Usage`].
    Usage(Usage),
    /// The person stopped the agent.
    Interrupted,
    Compacted(Compaction),
    Title(TitleSource, Box<str>),
    /// Where and with what the agent works from here on; fields that did not change may be `None`.
    Context(Context),
    /// Backups of files as they were before they were edited. `prompt` is the record that the agent tells them with:
    /// the turn's prompt, or the message with the edit.
    Backups {
        prompt: RecordId,
        files: Vec<Backup>,
    },
    /// The log says that somebody else changed this file (`edited_text_file`).
    ChangedOutside {
        path: Box<str>,
    },
    /// The agent says that this sub-agent was started by that call.
    SideStarted {
        call: Arc<str>,
        side: Arc<str>,
    },
    /// The log's own word on which record its conversation ends in.
    Leaf(RecordId),
    /// A record of the agent's own housekeeping, shown as one folded line: `hook PostToolUse: rustfmt, exit 0`.
    System(Box<str>),
    /// A record that is part of the tree (others may name it as parent) and otherwise says nothing to a reader.
    Silent,
    /// A type of record never seen before, by its name. Kept and shown as that.
    Unknown(Box<str>),
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Prompt {
    /// Without injected wrappers. Heads of prompts are longer than others: see [`Prompt::LIMIT`].
    pub text: Excerpt,
    pub source: PromptSource,
    pub images: u32,
}

impl Prompt {
    pub const LIMIT: usize = 4_000;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum PromptSource {
    Typed,
    /// Typed while the agent was at work.
    Queued,
    /// A sub-agent's task, written by the agent.
    Task,
}

/// What kind of thing a step does; the `kind` of `turnlens show --json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub enum StepKind {
    Text,
    Thought,
    Edit,
    Command,
    Read,
    Search,
    Agent,
    Other,
}

impl StepKind {
    pub fn id(self) -> &'static str {
        match self {
            StepKind::Text => "text",
            StepKind::Thought => "thought",
            StepKind::Edit => "edit",
            StepKind::Command => "command",
            StepKind::Read => "read",
            StepKind::Search => "search",
            StepKind::Agent => "agent",
            StepKind::Other => "other",
        }
    }
}

/// A tool call as the agent made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The call's own id: `toolu_…`, `call_…`.
    pub id: Arc<str>,
    /// The tool's name as the log has it: `Bash`.
    pub tool: Arc<str>,
    pub kind: StepKind,
    /// The one thing to show of the input: the command, the path, the pattern, a sub-agent's description.
    pub subject: Excerpt,
    /// A second word: the kind of sub-agent, the folder searched, a command's description, the lines read (`1-88`).
    pub detail: Option<Box<str>>,
    /// The first 200 characters of the task that a sub-agent is given.
    pub task: Option<Box<str>>,
    /// Files that the input names as those that the tool works on, as the log spells them.
    pub files: Vec<Box<str>>,
    /// What a command line may do to files. `None`: it only reads, or this is no command.
    pub touches: Option<Arc<Touches>>,
}

/// A copy of a file that the agent made before it edited it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Backup {
    /// As the log spells it, absolute where the log lets it be made so.
    pub path: Box<str>,
    /// `None`: there was no such file.
    pub name: Option<Box<str>>,
    /// When the copy was made.
    pub at: Option<Timestamp>,
}

/// What came back from a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolResult {
    pub call: Arc<str>,
    pub error: bool,
    /// The person said no.
    pub refused: bool,
    pub interrupted: bool,
    /// The exit status of a command, where the log tells it.
    pub exit: Option<i32>,
    pub output: Excerpt,
    /// One for each file that the result proves as changed.
    pub edits: Vec<EditStub>,
    /// A file whose whole text the result holds.
    pub whole_read: Option<Box<str>>,
    /// The sub-agent that the call started.
    pub side: Option<Arc<str>>,
    /// A commit that the command made, as the log abbreviates it.
    pub commit: Option<Box<str>>,
    /// A number worth showing: matches found, lines read.
    pub count: Option<u32>,
}

/// An edit in numbers. The texts are in the body of the result, else (where the result holds none) of the call.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct EditStub {
    /// As the log spells it, absolute where the log lets it be made so.
    pub path: Box<str>,
    pub added: u32,
    pub removed: u32,
    /// The first changed line after the edit, from 1. 0: not told.
    pub line: u32,
    pub created: bool,
    pub deleted: bool,
    /// The file lies here after the edit, and no more at `path`.
    pub moved_to: Option<Box<str>>,
}

/// Tokens of one response of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Usage {
    /// The same for all records that tell of this response, and across copies of the session.
    pub response: Option<RecordId>,
    pub model: Option<Arc<str>>,
    pub tokens: crate::Tokens,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Compaction {
    pub automatic: Option<bool>,
    pub tokens_before: Option<u64>,
    /// Characters of the summary from which the agent goes on.
    pub summary_chars: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TitleSource {
    /// The person named the session.
    Custom,
    /// The agent's summary of it.
    Summary,
    /// Made up by the agent.
    Generated,
    /// A slug or file name.
    Slug,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    pub session: Option<Arc<str>>,
    /// The session of which this log is a sub-agent's part.
    pub parent_session: Option<Arc<str>>,
    /// The session whose records this log begins with, where the log says so.
    pub forked_from: Option<Arc<str>>,
    pub cwd: Option<Arc<str>>,
    pub branch: Option<Arc<str>>,
    /// The commit that was checked out when the session began: its whole id.
    pub start_commit: Option<Arc<str>>,
    pub model: Option<Arc<str>>,
    pub version: Option<Arc<str>>,
    /// `cli`, `claude-vscode`, …
    pub entrypoint: Option<Arc<str>>,
}
