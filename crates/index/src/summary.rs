//! What is known of each log at all times: about a kilobyte, and enough for lists and counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use bitcode::{Decode, Encode};
use trace::{
    Agent, DerivedPath, Grown, LogId, Owner, RecordId, Response, Side, Spent, Step, Tally, Timestamp, TouchKind, Turn,
};

/// One log in numbers, with its names and the paths that it touched.
#[derive(Clone, Debug, Encode, Decode)]
pub struct LogSummary {
    pub log: LogId,
    pub agent: Agent,
    /// The session's id: the log's own, for a sub-agent's log the parent's.
    pub session: Arc<str>,
    /// Set where the log is a sub-agent's own.
    pub owner: Option<Owner>,
    title: Box<str>,
    pub cwd: Option<Arc<str>>,
    /// Every working directory the log names, in order of appearance.
    pub cwds: Vec<Arc<str>>,
    pub branch: Option<Arc<str>>,
    /// The commit that was checked out when the session began: its whole id.
    pub start_commit: Option<Arc<str>>,
    pub version: Option<Arc<str>>,
    pub model: Option<Arc<str>>,
    pub started: Option<Timestamp>,
    /// The last record's time.
    pub ended: Option<Timestamp>,
    /// The last record leaves something open: a call without its result, a prompt without an answer.
    pub open: bool,
    pub turns: u32,
    /// Turns that a prompt began.
    pub prompts: u32,
    /// Sub-agents inside the log included.
    pub tool_calls: u32,
    /// Whether a command may have changed a file otherwise than by building.
    pub has_commands: bool,
    /// What each model was asked for, in the order of the models' names.
    pub spent: Vec<(Option<Arc<str>>, Spent)>,
    pub tally: Tally,
    /// Files that were edited or read whole, in the order of their paths.
    pub files: Arc<[FileUse]>,
    /// The last turn in which a step of its own (no sub-agent's) edited a file, and when that turn ended.
    pub last_edit: Option<(u32, Option<Timestamp>)>,
    /// The records that begin the turns: logs that share one may be copies.
    pub(crate) heads: Grown<RecordId>,
    /// How many different records there are.
    pub(crate) records: u32,
}

/// What a log did to one file.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct FileUse {
    /// As the log spells it.
    pub path: Box<str>,
    /// 0: it was only read.
    pub edits: u32,
    /// Lines.
    pub added: u64,
    pub removed: u64,
}

impl LogSummary {
    /// The session's name: the person's, the agent's, then the first prompt that says something.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Of all models.
    pub fn all_spent(&self) -> Spent {
        let mut all = Spent::default();
        for (_, spent) in &self.spent {
            add_spent(&mut all, spent);
        }
        all
    }
}

/// Makes the summaries of one growing log: a record more costs its turn, not the log.
#[derive(Default)]
pub(crate) struct Summer {
    /// The turns that are in `finished`, as they were when they were added.
    counted: Vec<Arc<Turn>>,
    /// Of all turns but the last.
    finished: Sums,
    last: Option<LogSummary>,
}

#[derive(Clone, Default)]
struct Sums {
    prompts: u32,
    tool_calls: u32,
    has_commands: bool,
    spent: BTreeMap<Option<Arc<str>>, Spent>,
    files: BTreeMap<Box<str>, FileSums>,
    last_edit: Option<(u32, Option<Timestamp>)>,
    heads: Grown<RecordId>,
    bytes: usize,
}

#[derive(Clone, Copy, Default)]
struct FileSums {
    edits: u32,
    added: u64,
    removed: u64,
}

/// A summary and the bytes that its path takes in memory, roughly.
pub(crate) struct Summed {
    pub(crate) summary: Arc<LogSummary>,
    pub(crate) bytes: usize,
}

impl Summer {
    pub(crate) fn sum(&mut self, path: &DerivedPath) -> Summed {
        let finished = path.turns.len().saturating_sub(1);
        let is_same = |(known, turn): (&Arc<Turn>, &Arc<Turn>)| Arc::ptr_eq(known, turn);
        if self.counted.len() > finished || !self.counted.iter().zip(&path.turns).all(is_same) {
            *self = Summer { last: self.last.take(), ..Summer::default() };
        }
        for turn in path.turns.iter().take(finished).skip(self.counted.len()) {
            self.finished.add_turn(turn);
            self.counted.push(turn.clone());
        }
        let mut sums = self.finished.clone();
        path.turns.iter().skip(finished).for_each(|turn| sums.add_turn(turn));
        path.sides.iter().for_each(|side| sums.add_side(side));
        sums.bytes += path.records.len() * size_of::<RecordId>();
        let bytes = sums.bytes;
        let summary = self.summary(path, sums);
        self.last = Some(summary.clone());
        Summed { summary: Arc::new(summary), bytes }
    }

    fn summary(&self, path: &DerivedPath, sums: Sums) -> LogSummary {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let files = sums.files.into_iter();
        let files: Vec<FileUse> =
            files.map(|(path, FileSums { edits, added, removed })| FileUse { path, edits, added, removed }).collect();
        // What did not change is shared, so whoever looks for changes sees that at once.
        let same = self.last.as_ref().map(|last| &last.files).filter(|known| ***known == *files);
        LogSummary {
            log: path.log,
            agent: path.agent,
            session: path.session.clone(),
            owner: path.owner.clone(),
            title: path.title().into(),
            cwd: path.cwd.clone(),
            cwds: path.cwds.clone(),
            branch: path.branch.clone(),
            start_commit: path.start_commit.clone(),
            version: path.version.clone(),
            model: path.model.clone(),
            started: path.started,
            ended: path.ended,
            open: path.open,
            turns: count(path.turns.len()),
            prompts: sums.prompts,
            tool_calls: sums.tool_calls,
            has_commands: sums.has_commands,
            spent: sums.spent.into_iter().collect(),
            tally: path.tally.clone(),
            files: same.cloned().unwrap_or_else(|| files.into()),
            last_edit: sums.last_edit,
            heads: sums.heads,
            records: count(path.records.len()),
        }
    }
}

impl Sums {
    fn add_turn(&mut self, turn: &Turn) {
        self.prompts += u32::from(turn.prompt.is_some());
        if let Some(head) = first_record(turn) {
            self.heads.push(head);
        }
        self.bytes += size_of::<Turn>() + turn.prompt.as_ref().map_or(0, |prompt| prompt.text.head.len());
        self.bytes += size_of_val(&*turn.title) + turn.notes.len() * size_of::<trace::Note>();
        if self.add_steps(&turn.steps) {
            self.last_edit = Some((turn.number, turn.ended));
        }
        self.add_responses(&turn.responses);
    }

    fn add_side(&mut self, side: &Side) {
        self.add_steps(&side.steps);
        self.add_responses(&side.responses);
    }

    /// Whether one of them edited a file.
    fn add_steps(&mut self, steps: &Grown<Step>) -> bool {
        let mut has_edits = false;
        for step in steps {
            self.bytes += size_of_step(step);
            self.tool_calls += u32::from(step.call.is_some());
            let may_write = |touch: &trace::Touch| touch.kind != TouchKind::Build;
            self.has_commands |= step.touches.as_ref().is_some_and(|touches| touches.list.iter().any(may_write));
            if let Some(path) = step.result.as_ref().and_then(|result| result.whole_read.as_ref()) {
                self.file(path);
            }
            for edit in step.edits() {
                has_edits = true;
                let file = self.file(&edit.path);
                file.edits += 1;
                file.added += u64::from(edit.added);
                file.removed += u64::from(edit.removed);
            }
        }
        has_edits
    }

    fn file(&mut self, path: &str) -> &mut FileSums {
        self.files.entry(path.into()).or_default()
    }

    fn add_responses(&mut self, responses: &Grown<Response>) {
        for response in responses {
            let known = self.spent.entry(response.model.clone()).or_default();
            add_spent(known, &Spent { responses: 1, tokens: response.tokens });
        }
        self.bytes += responses.len() * size_of::<Response>();
    }
}

fn add_spent(sum: &mut Spent, more: &Spent) {
    sum.responses += more.responses;
    sum.tokens.add(&more.tokens);
}

fn size_of_step(step: &Step) -> usize {
    let output = step.result.as_ref().map_or(0, |result| {
        result.output.head.len() + result.edits.iter().map(|edit| edit.path.len() + size_of_val(edit)).sum::<usize>()
    });
    let call = step.call.as_ref().map_or(0, |call| call.len() + 16);
    size_of::<Step>() + step.text.head.len() + output + call
}

/// What a path takes in memory, roughly.
pub(crate) fn bytes_of(path: &DerivedPath) -> usize {
    let mut sums = Sums::default();
    path.turns.in_memory().for_each(|turn| sums.add_turn(turn));
    path.sides.iter().for_each(|side| sums.add_side(side));
    sums.bytes + path.turns.bytes_to_read() + path.records.len() * size_of::<RecordId>()
}

/// What a log did to files with those of its steps of which `is_own` says so, by record.
pub(crate) fn edits_of(path: &DerivedPath, is_own: &dyn Fn(RecordId) -> bool) -> Vec<FileUse> {
    let mut files: BTreeMap<&str, FileSums> = BTreeMap::new();
    for step in path.all_steps().filter(|step| step.record.is_none_or(is_own)) {
        for edit in step.edits() {
            let file = files.entry(&edit.path).or_default();
            file.edits += 1;
            file.added += u64::from(edit.added);
            file.removed += u64::from(edit.removed);
        }
    }
    let file = |(path, FileSums { edits, added, removed }): (&str, FileSums)| FileUse {
        path: path.into(),
        edits,
        added,
        removed,
    };
    files.into_iter().map(file).collect()
}

/// The record that begins a turn.
pub(crate) fn first_record(turn: &Turn) -> Option<RecordId> {
    turn.record.or_else(|| turn.steps.first()?.record)
}
