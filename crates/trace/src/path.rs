//! A derived path: what is computed from one log, and only from it.

use std::sync::Arc;

use bitcode::{Decode, Encode};

use crate::{
    Agent, Backup, Compaction, EditStub, Excerpt, Grown, LogId, Place, Prompt, RecordId, RecordSet, StepKind,
    Timestamp, Touches, Turns,
};

/// The turns and steps of one log. Turns are shared between the snapshots of a growing log: a finished turn never
/// changes but for [`Turn::abandoned`]. An open turn shares its steps but the last few.
#[derive(Clone, Debug, Encode, Decode)]
pub struct DerivedPath {
    pub log: LogId,
    pub agent: Agent,
    /// The session's id: the log's own, for a sub-agent's log the parent's.
    pub session: Arc<str>,
    /// Set where the log is a sub-agent's own.
    pub owner: Option<Owner>,
    /// The session whose records this log begins with, where the log says so.
    pub forked_from: Option<Arc<str>>,
    pub cwd: Option<Arc<str>>,
    /// Every working directory the log names, in order of appearance.
    pub cwds: Vec<Arc<str>>,
    pub branch: Option<Arc<str>>,
    /// The commit that was checked out when the session began: its whole id.
    pub start_commit: Option<Arc<str>>,
    pub version: Option<Arc<str>>,
    pub model: Option<Arc<str>>,
    pub entrypoint: Option<Arc<str>>,
    pub started: Option<Timestamp>,
    /// The last record's time.
    pub ended: Option<Timestamp>,
    pub titles: Titles,
    /// In a sub-agent's log exactly one, without a number of its own. Stored apart.
    #[bitcode(skip)]
    pub turns: Turns,
    /// Conversations of sub-agents that lie in this log.
    pub sides: Vec<Arc<Side>>,
    /// Sub-agents by the call that started them, as the log tells it outside of results.
    pub side_calls: Vec<(Arc<str>, Arc<str>)>,
    /// Calls that are known to have started a sub-agent, or ask for one by its task.
    pub callers: Vec<Caller>,
    /// Files as they were before a turn: the prompt, the path as the log has it, the backup's name (`None`: the
    /// file did not exist).
    pub backups: Grown<(RecordId, Backup)>,
    /// Files that somebody else changed, with the time at which the agent learned of it.
    pub changed_outside: Vec<(Timestamp, Box<str>)>,
    /// The ids of all records: by them copies of sessions are found.
    pub records: RecordSet,
    /// The last record leaves something open: a call without its result, a prompt without an answer.
    pub open: bool,
    pub tally: Tally,
}

/// A call by which a sub-agent may be known.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Caller {
    pub call: Arc<str>,
    /// The sub-agent that the result names.
    pub side: Option<Arc<str>>,
    /// See [`crate::Call::task`]. Not empty.
    pub task: Option<Box<str>>,
}

/// Whose part a sub-agent's log is.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Owner {
    pub session: Arc<str>,
    pub side: Arc<str>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Titles {
    pub custom: Option<Box<str>>,
    pub summary: Option<Box<str>>,
    pub generated: Option<Box<str>>,
}

/// One prompt and all that the agent did until the next.
#[derive(Clone, Debug, Default, Encode, Decode)]
pub struct Turn {
    /// From 1, in the order of the log, dead ends included. Never changes.
    pub number: u32,
    /// The record that began it.
    pub record: Option<RecordId>,
    pub place: Option<Place>,
    /// `None`: a slash command ([`Turn::command`]), or work that no prompt asked for.
    pub prompt: Option<Prompt>,
    /// The slash command that began it, as typed.
    pub command: Option<Box<str>>,
    pub title: Box<str>,
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    pub model: Option<Arc<str>>,
    pub branch: Option<Arc<str>>,
    pub cwd: Option<Arc<str>>,
    pub steps: Grown<Step>,
    pub notes: Grown<Note>,
    pub responses: Grown<Response>,
    pub interrupted: bool,
    /// The person went back to before this turn, at this time.
    pub abandoned: Option<Timestamp>,
}

/// One thing inside a turn.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Step {
    /// From 1 inside its turn (or side).
    pub number: u32,
    pub kind: StepKind,
    pub at: Option<Timestamp>,
    pub place: Place,
    pub record: Option<RecordId>,
    /// The words or the thought; for a call its subject.
    pub text: Excerpt,
    /// The call's own id.
    pub call: Option<Arc<str>>,
    /// The tool's name as the log has it.
    pub tool: Option<Arc<str>>,
    pub detail: Option<Box<str>>,
    /// See [`crate::Call::task`].
    pub task: Option<Box<str>>,
    /// Files that the input names.
    pub files: Vec<Box<str>>,
    /// See [`crate::Call::touches`].
    pub touches: Option<Arc<Touches>>,
    /// `None`: no tool call, or its result is not recorded (yet).
    pub result: Option<Box<StepResult>>,
}

impl Step {
    /// The edits that its result proves.
    pub fn edits(&self) -> &[EditStub] {
        self.result.as_ref().map_or(&[], |result| &result.edits)
    }

    /// Whether this is a call whose result says that it did not do what was asked.
    pub fn failed(&self) -> bool {
        self.result.as_ref().is_some_and(|result| result.error || result.exit.is_some_and(|status| status != 0))
    }
}

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct StepResult {
    pub place: Place,
    pub at: Option<Timestamp>,
    /// Position among all records of the log: the order in which results came.
    pub order: u32,
    pub error: bool,
    pub refused: bool,
    pub interrupted: bool,
    pub exit: Option<i32>,
    pub output: Excerpt,
    pub edits: Vec<EditStub>,
    pub whole_read: Option<Box<str>>,
    pub side: Option<Arc<str>>,
    pub commit: Option<Box<str>>,
    pub count: Option<u32>,
}

/// What a turn shows between its steps.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Note {
    /// It stands after this many steps of the turn.
    pub after: u32,
    pub at: Option<Timestamp>,
    pub place: Place,
    pub kind: NoteKind,
}

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum NoteKind {
    Compacted(Compaction),
    Interrupted,
    /// A slash command that the client itself did, or a person's shell escape.
    Command(Box<str>),
    System(Box<str>),
    Unknown(Box<str>),
}

/// The conversation of a sub-agent inside its parent's log, or a sub-agent's log as its parent shows it.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Side {
    pub id: Arc<str>,
    /// The log in which its places lie.
    pub log: LogId,
    /// The task it was given.
    pub task: Option<Prompt>,
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    pub steps: Grown<Step>,
    pub responses: Grown<Response>,
}

/// One response of a model, counted once.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Response {
    pub id: Option<RecordId>,
    pub model: Option<Arc<str>>,
    pub tokens: Tokens,
}

/// Tokens by class. `input` leaves out what was read from or written to the cache; `output` includes thinking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Tokens {
    pub input: u64,
    pub cache_write: u64,
    /// The part of `cache_write` that is kept for an hour.
    pub cache_write_hour: u64,
    pub cache_read: u64,
    pub output: u64,
}

impl Tokens {
    pub fn total(&self) -> u64 {
        self.input + self.cache_write + self.cache_read + self.output
    }

    pub fn add(&mut self, other: &Tokens) {
        self.input += other.input;
        self.cache_write += other.cache_write;
        self.cache_write_hour += other.cache_write_hour;
        self.cache_read += other.cache_read;
        self.output += other.output;
    }
}

/// Sums over turns or sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Spent {
    pub responses: u64,
    pub tokens: Tokens,
}

/// What was read, and what of it could not be understood; `turnlens doctor` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Tally {
    pub bytes: u64,
    pub records: u32,
    /// Lines, or parts of lines, that are no record at all.
    pub broken: u32,
    /// Byte offsets of the first few of them.
    pub broken_at: Vec<u64>,
    /// Types of records never seen before, with how many there were.
    pub unknown: Vec<(Box<str>, u32)>,
}

impl DerivedPath {
    pub fn turn(&self, number: u32) -> Option<&Arc<Turn>> {
        self.turns.get((number as usize).checked_sub(1)?)
    }

    /// Turns that a person's prompt began.
    pub fn prompts(&self) -> usize {
        self.turns.iter().filter(|turn| turn.prompt.is_some()).count()
    }

    /// All steps of the log, those of sub-agents inside it last.
    pub fn all_steps(&self) -> impl Iterator<Item = &Step> {
        let own = self.turns.iter().flat_map(|turn| &turn.steps);
        own.chain(self.sides.iter().flat_map(|side| &side.steps))
    }

    /// The session's name: the person's, the agent's, then the first prompt that says something.
    pub fn title(&self) -> &str {
        let told = [&self.titles.custom, &self.titles.summary, &self.titles.generated];
        if let Some(title) = told.into_iter().flatten().next() {
            return title;
        }
        let mut turns = self.turns.iter().filter(|turn| turn.prompt.is_some());
        let says_something = |turn: &&Arc<Turn>| {
            turn.prompt.as_ref().is_some_and(|prompt| !crate::title::is_weak(&prompt.text.head))
                && !turn.title.is_empty()
        };
        let strong = turns.clone().find(says_something);
        strong.or_else(|| turns.next()).map_or("", |turn| &turn.title)
    }
}
