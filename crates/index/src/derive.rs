//! From the entries of one log to its derived path: turns, steps, dead ends.

mod branches;
#[cfg(test)]
mod tests;

use std::collections::hash_map;
use std::sync::Arc;

use bitcode::{Decode, Encode};
use rustc_hash::{FxHashMap, FxHashSet};
use trace::{
    Agent, Backup, Call, Caller, Compaction, Context, DerivedPath, Entry, Excerpt, Grown, LogId, Note, NoteKind, Owner,
    Place, Prompt, PromptSource, RecordId, RecordSet, Response, Side, Step, StepKind, StepResult, Tally, Timestamp,
    TitleSource, Titles, ToolResult, Turn, Turns, Usage, What, title,
};

use branches::Branches;

/// The title of a turn that nobody asked for: work that stands before the first prompt of its log.
const UNPROMPTED: &str = "[no prompt]";
/// Characters that are kept of a longer output of a call that did what was asked: documents and search read it whole
/// from the log.
const OUTPUT_KEPT: usize = 80;
/// How many offsets of what is no record are kept for `turnlens doctor`.
const BROKEN_KEPT: usize = 10;

/// Makes a derived path of entries, one by one. The path is a function of the entries alone: when they came and how
/// often a snapshot was taken makes no difference. A snapshot shares all turns with the one before but those that
/// changed between.
#[derive(Encode, Decode)]
pub struct Deriver {
    path: DerivedPath,
    /// The log's name, which for most agents is the session's id: `9f3c1a2b-…`, `agent-a0ad4f4`.
    hint: Box<str>,
    /// What records call the session, in order of appearance.
    named: Vec<Arc<str>>,
    now: Now,
    known: FxHashMap<RecordId, Known>,
    /// What was counted of records with parts beyond those that [`Known::counted`] has room for.
    counted: FxHashSet<(RecordId, u16, u8)>,
    calls: FxHashMap<Arc<str>, CallState>,
    responses: FxHashMap<RecordId, (Holder, u32)>,
    sides: FxHashMap<Arc<str>, usize>,
    branches: Branches,
    /// A slash command of which it is not known yet whether the agent acts on it.
    pending: Option<Pending>,
    /// Notes that stand before the first turn.
    early: Vec<Note>,
    /// The title of the last prompt that says something by itself.
    strong: Option<String>,
    /// Calls of the open turn that have no result, as long as the agent did not go on without it.
    open_calls: Vec<Arc<str>>,
    /// The last backup's name told for each path.
    backed_up: FxHashMap<Box<str>, Option<Box<str>>>,
    /// Summaries by the record in which the conversation that they sum up ends, as long as that was not read. It may
    /// lie in another log.
    summaries: FxHashMap<RecordId, Box<str>>,
    /// Words, calls and results so far.
    entries: u32,
}

/// A record of a sub-agent's conversation.
const ASIDE: u32 = u32::MAX;

/// A [`Deriver`] without its path.
#[derive(Encode, Decode)]
pub(crate) struct Rest(Deriver);

/// A record that was read.
#[derive(Clone, Copy, Encode, Decode)]
struct Known {
    /// The number of the turn to which it belongs. 0: it stands before the first; [`ASIDE`].
    turn: u32,
    /// What of it was counted and must not be counted again where a log repeats its records: a bit for each kind of
    /// entry in each of the first parts.
    counted: u32,
}

/// A kind of entry that counts once for each record and part.
fn kind_that_counts(what: &What) -> Option<u8> {
    Some(match what {
        What::Usage(Usage { response: None, .. }) => 0,
        What::Prompt(_) => 1,
        What::SlashCommand(_) => 2,
        What::CommandOutput => 3,
        What::Text(_) => 4,
        What::Thought(_) => 5,
        What::Interrupted => 6,
        What::Compacted(_) => 7,
        What::System(_) => 8,
        What::Unknown(_) => 9,
        // Responses, calls and results are known by ids of their own; the others change nothing when they are said again.
        _ => return None,
    })
}

/// Kinds that [`kind_that_counts`] tells apart.
const KINDS: u16 = 10;

/// Where and with what the agent works at this point of the log.
#[derive(Default, Encode, Decode)]
struct Now {
    cwd: Option<Arc<str>>,
    branch: Option<Arc<str>>,
    model: Option<Arc<str>>,
}

/// What a turn or a side holds and goes on with.
struct Held<'a> {
    steps: &'a mut Grown<Step>,
    ended: &'a mut Option<Timestamp>,
    responses: &'a mut Grown<Response>,
}

/// Whose steps: the index of a turn or of a side.
#[derive(Clone, Copy, Encode, Decode)]
enum Holder {
    Turn(u32),
    Side(u32),
}

/// An index as it is kept for each call and response.
fn narrow(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[derive(Encode, Decode)]
enum CallState {
    Answered,
    Unanswered(Holder, u32),
    /// The result stands before its call.
    Early(Box<StepResult>),
}

#[derive(Encode, Decode)]
struct Pending {
    head: Head,
    command: Box<str>,
    /// Records since then: they are the command's turn's if it becomes one.
    records: Vec<RecordId>,
}

/// What an entry says beside its content.
#[derive(Clone, Copy, Encode, Decode)]
struct Head {
    place: Place,
    id: Option<RecordId>,
    parent: Option<RecordId>,
    at: Option<Timestamp>,
}

impl Deriver {
    /// `session_hint` is the log's name without its ending.
    pub fn new(log: LogId, agent: Agent, session_hint: &str) -> Deriver {
        Deriver {
            path: empty_path(log, agent, session_hint),
            hint: session_hint.into(),
            named: Vec::new(),
            now: Now::default(),
            known: FxHashMap::default(),
            counted: FxHashSet::default(),
            calls: FxHashMap::default(),
            responses: FxHashMap::default(),
            sides: FxHashMap::default(),
            branches: Branches::default(),
            pending: None,
            early: Vec::new(),
            strong: None,
            open_calls: Vec::new(),
            backed_up: FxHashMap::default(),
            summaries: FxHashMap::default(),
            entries: 0,
        }
    }

    /// The path so far, and all else that is needed to go on behind it.
    pub(crate) fn into_parts(mut self) -> (DerivedPath, Rest) {
        let empty = empty_path(self.path.log, self.path.agent, &self.hint);
        let path = std::mem::replace(&mut self.path, empty);
        (path, Rest(self))
    }

    pub(crate) fn of_parts(path: DerivedPath, rest: Rest) -> Deriver {
        Deriver { path, ..rest.0 }
    }

    /// The path so far. Costs a pointer for each turn.
    pub fn snapshot(&self) -> Arc<DerivedPath> {
        Arc::new(self.path.clone())
    }

    /// Takes over what a scan counted: the bytes and records of the whole log up to here, and the offsets at which
    /// this scan met what is no record.
    pub fn count(&mut self, bytes: u64, records: u32, broken: &[u64]) {
        let tally = &mut self.path.tally;
        (tally.bytes, tally.records) = (bytes, records);
        tally.broken = tally.broken.saturating_add(u32::try_from(broken.len()).unwrap_or(u32::MAX));
        let room = BROKEN_KEPT.saturating_sub(tally.broken_at.len());
        tally.broken_at.extend(broken.iter().take(room));
    }

    /// Takes the next entry of the log.
    pub fn push(&mut self, entry: Entry) {
        if entry.at.is_some() {
            self.path.started = self.path.started.or(entry.at);
            self.path.ended = entry.at;
        }
        if let What::Context(Context { parent_session: Some(parent), .. }) = &entry.what {
            self.learn_owner(parent, entry.side.as_ref());
        }
        let is_aside = entry.side.as_deref().is_some_and(|side| !self.is_own(side));
        // Where this entry begins a turn, that turn is written over this one.
        let turn = if is_aside { ASIDE } else { self.number_of_last() };
        if self.is_repeated(&entry, turn) {
            return;
        }
        // What a reader tells again when it reads on is not counted: the path must not depend on it.
        if matches!(entry.what, What::Text(_) | What::Thought(_) | What::Call(_) | What::Result(_)) {
            self.entries = self.entries.saturating_add(1);
        }
        let head = Head { place: entry.place, id: entry.id, parent: entry.parent, at: entry.at };
        match entry.side.filter(|_| is_aside) {
            Some(side) => self.push_aside(&side, head, entry.what),
            None => self.push_own(head, entry.what),
        }
        self.path.open = self.is_open();
    }

    /// Remembers the entry's record, as one of this turn where it was not known before. Gives whether the entry itself
    /// was met before: a copy inside its own log.
    fn is_repeated(&mut self, entry: &Entry, turn: u32) -> bool {
        let Some(id) = entry.id else { return false };
        let known = match self.known.entry(id) {
            hash_map::Entry::Occupied(known) => known.into_mut(),
            hash_map::Entry::Vacant(free) => {
                self.path.records.push_new(id);
                if let Some(pending) = &mut self.pending {
                    pending.records.push(id);
                }
                if let Some(summary) = self.summaries.remove(&id) {
                    self.path.titles.summary = Some(summary);
                }
                free.insert(Known { turn, counted: 0 })
            }
        };
        let Some(kind) = kind_that_counts(&entry.what) else { return false };
        let part = entry.place.part;
        let bit = part.checked_mul(KINDS).and_then(|first| 1u32.checked_shl(u32::from(first) + u32::from(kind)));
        match bit {
            Some(bit) => {
                let is_repeated = known.counted & bit != 0;
                known.counted |= bit;
                is_repeated
            }
            None => !self.counted.insert((id, part, kind)),
        }
    }

    fn set_turn(&mut self, id: RecordId, turn: u32) {
        if let Some(known) = self.known.get_mut(&id) {
            known.turn = turn;
        }
    }

    fn learn_owner(&mut self, parent: &Arc<str>, side: Option<&Arc<str>>) {
        if self.path.owner.is_some() {
            return;
        }
        let side = match (self.hint.strip_prefix("agent-"), side) {
            (Some(named), _) => named.into(),
            (None, Some(side)) => side.clone(),
            (None, None) => self.hint.as_ref().into(),
        };
        self.path.session = parent.clone();
        self.path.owner = Some(Owner { session: parent.clone(), side });
    }

    /// Whether a side's entries are this log's own conversation: in a sub-agent's log its own.
    fn is_own(&self, side: &str) -> bool {
        self.path.owner.as_ref().is_some_and(|owner| &*owner.side == side)
    }

    fn push_own(&mut self, head: Head, what: What) {
        match what {
            What::Prompt(prompt) => self.prompt(head, prompt),
            What::SlashCommand(command) => self.slash_command(head, command),
            What::CommandOutput => self.settle_command(),
            What::Text(text) => self.words(head, StepKind::Text, text),
            What::Thought(text) => self.words(head, StepKind::Thought, text),
            What::Call(call) if self.is_made(&call) => {}
            What::Call(call) => {
                let holder = self.ensure_turn(head);
                self.open_calls.push(call.id.clone());
                self.call(holder, head, call);
            }
            What::Usage(usage) => {
                let holder = self.ensure_turn(head);
                self.usage(holder, usage);
            }
            What::Interrupted => self.interrupted(head),
            What::Compacted(compaction) => self.compacted(head, compaction),
            What::System(text) => self.note(head, NoteKind::System(text)),
            What::Unknown(name) => {
                self.count_unknown(&name);
                self.note(head, NoteKind::Unknown(name));
            }
            What::Context(context) => self.context(context),
            other => self.push_any(head, other),
        }
    }

    fn push_aside(&mut self, side: &Arc<str>, head: Head, what: What) {
        match what {
            What::Prompt(prompt) => {
                let at = self.side(side, head);
                let side = Arc::make_mut(&mut self.path.sides[at]);
                side.task.get_or_insert(prompt);
            }
            What::Text(text) => self.words_aside(side, head, StepKind::Text, text),
            What::Thought(text) => self.words_aside(side, head, StepKind::Thought, text),
            What::Call(call) if self.is_made(&call) => {}
            What::Call(call) => {
                let at = self.side(side, head);
                self.call(Holder::Side(narrow(at)), head, call);
            }
            What::Usage(usage) => {
                let at = self.side(side, head);
                self.usage(Holder::Side(narrow(at)), usage);
            }
            What::Unknown(name) => self.count_unknown(&name),
            // A sub-agent's place and model are not the session's, and its notes have no place to stand.
            What::Context(_)
            | What::SlashCommand(_)
            | What::CommandOutput
            | What::Interrupted
            | What::Compacted(_)
            | What::System(_) => {}
            other => self.push_any(head, other),
        }
    }

    /// What is the same in the conversation itself and in a sub-agent's.
    fn push_any(&mut self, head: Head, what: What) {
        match what {
            What::Result(result) => self.result(head, result),
            What::Title(source, text) => self.titled(head, source, text),
            What::Backups { prompt, files } => self.backups(prompt, files),
            What::ChangedOutside { path } => {
                let at = head.at.or(self.path.ended).unwrap_or_default();
                self.path.changed_outside.push((at, path));
            }
            What::SideStarted { call, side } if !self.path.side_calls.iter().any(|(known, _)| *known == call) => {
                self.path.side_calls.push((call, side));
            }
            // The log's word on its end can only say again what the parents of later records say.
            _ => {}
        }
    }

    // ---- turns

    fn prompt(&mut self, head: Head, prompt: Prompt) {
        self.settle_command();
        if self.path.owner.is_some() {
            return self.task(head, prompt);
        }
        if let Some(turn) = self.same_prompt_before(&prompt) {
            if let Some(id) = head.id {
                self.set_turn(id, turn);
            }
            return;
        }
        let title = self.title_of(&prompt);
        let from = match prompt.source {
            // What is typed while the agent works goes back to nowhere.
            PromptSource::Queued => None,
            PromptSource::Typed | PromptSource::Task => head.parent,
        };
        self.begin_turn(head, from, |turn| (turn.prompt, turn.title) = (Some(prompt), title.into()));
    }

    /// A sub-agent's log is one turn, begun by its task. What its parent writes to it later is a note.
    fn task(&mut self, head: Head, prompt: Prompt) {
        let is_first = self.path.turns.last().is_none_or(|turn| turn.prompt.is_none() && turn.steps.is_empty());
        if !is_first {
            let text = format!("message: {}", title::of_prompt(&prompt.text.head, prompt.images));
            return self.note(head, NoteKind::System(text.into()));
        }
        let title = title::of_prompt(&prompt.text.head, prompt.images);
        if self.path.turns.is_empty() {
            self.begin_turn(head, None, |_| {});
        }
        if let Some(turn) = self.last_turn() {
            (turn.record, turn.place, turn.prompt) = (head.id, Some(head.place), Some(prompt));
            (turn.title, turn.started) = (title.into(), turn.started.or(head.at));
        }
    }

    /// The turn of the same prompt, written once as queued and once as typed with no agent at work between.
    fn same_prompt_before(&self, prompt: &Prompt) -> Option<u32> {
        let unanswered = self.path.turns.iter().rev().take_while(|turn| turn.steps.is_empty());
        let mut earlier = unanswered.filter_map(|turn| Some((turn.number, turn.prompt.as_ref()?)));
        let same = |known: &Prompt| known.text == prompt.text && known.source != prompt.source;
        earlier.find(|(_, known)| same(known)).map(|(number, _)| number)
    }

    fn title_of(&mut self, prompt: &Prompt) -> String {
        let own = title::of_prompt(&prompt.text.head, prompt.images);
        if title::is_weak(&prompt.text.head) {
            return self.strong.as_ref().map_or_else(|| own.clone(), |strong| title::after(strong, &own));
        }
        if !prompt.text.head.trim().is_empty() {
            self.strong = Some(own.clone());
        }
        own
    }

    /// Begins a turn on the record `from` (`None`: where the log stands).
    fn begin_turn(&mut self, head: Head, from: Option<RecordId>, fill: impl FnOnce(&mut Turn)) {
        let number = self.number_of_last() + 1;
        let mut turn = Turn {
            number,
            record: head.id,
            place: Some(head.place),
            prompt: None,
            command: None,
            title: UNPROMPTED.into(),
            started: head.at,
            ended: head.at,
            model: self.now.model.clone(),
            branch: self.now.branch.clone(),
            cwd: self.now.cwd.clone(),
            steps: Grown::default(),
            notes: std::mem::take(&mut self.early).into(),
            responses: Grown::default(),
            interrupted: false,
            abandoned: None,
        };
        fill(&mut turn);
        let from = from.and_then(|record| Some(self.known.get(&record)?.turn)).filter(|turn| *turn != ASIDE);
        self.path.turns.shrink_last();
        self.path.turns.push(Arc::new(turn));
        if let Some(id) = head.id {
            self.set_turn(id, number);
        }
        self.open_calls.clear();
        let moved = self.branches.begin(number, from);
        let at = head.at.or(self.path.ended).unwrap_or_default();
        moved.left.into_iter().for_each(|turn| self.set_abandoned(turn, Some(at)));
        moved.taken_up.into_iter().for_each(|turn| self.set_abandoned(turn, None));
    }

    fn set_abandoned(&mut self, number: u32, at: Option<Timestamp>) {
        let turn = (number as usize).checked_sub(1).and_then(|index| self.path.turns.get_mut(index));
        if let Some(turn) = turn {
            turn.abandoned = at;
        }
    }

    /// The turn that the agent works in now: the one that a pending command begins, else the last, else one that no
    /// prompt began.
    fn ensure_turn(&mut self, head: Head) -> Holder {
        if let Some(pending) = self.pending.take() {
            self.begin_commanded_turn(pending);
        }
        if self.path.turns.is_empty() {
            let nobody = Head { id: None, ..head };
            self.begin_turn(nobody, None, |turn| turn.place = None);
        }
        Holder::Turn(narrow(self.path.turns.len().saturating_sub(1)))
    }

    fn begin_commanded_turn(&mut self, pending: Pending) {
        let Pending { head, command, records } = pending;
        let title = title::of_prompt(&command, 0);
        self.strong = Some(title.clone());
        self.begin_turn(head, head.parent, |turn| (turn.command, turn.title) = (Some(command), title.into()));
        let number = self.number_of_last();
        for id in records {
            self.set_turn(id, number);
        }
    }

    fn slash_command(&mut self, head: Head, command: Box<str>) {
        self.settle_command();
        if self.path.owner.is_some() {
            return self.note(head, NoteKind::Command(command));
        }
        self.pending = Some(Pending { head, command, records: Vec::new() });
    }

    /// The client itself did the pending command: it is a note.
    fn settle_command(&mut self) {
        if let Some(Pending { head, command, .. }) = self.pending.take() {
            self.note(head, NoteKind::Command(command));
        }
    }

    fn number_of_last(&self) -> u32 {
        u32::try_from(self.path.turns.len()).map_or(ASIDE - 1, |count| count.min(ASIDE - 1))
    }

    fn last_turn(&mut self) -> Option<&mut Turn> {
        self.path.turns.last_mut()
    }

    // ---- what stands in a turn

    fn words(&mut self, head: Head, kind: StepKind, text: Excerpt) {
        let holder = self.ensure_turn(head);
        self.open_calls.clear();
        self.add_step(holder, head, step(kind, head, text));
    }

    fn words_aside(&mut self, side: &Arc<str>, head: Head, kind: StepKind, text: Excerpt) {
        let at = self.side(side, head);
        self.add_step(Holder::Side(narrow(at)), head, step(kind, head, text));
    }

    /// Whether the call was read before: a copy inside its own log.
    fn is_made(&self, call: &Call) -> bool {
        matches!(self.calls.get(&call.id), Some(CallState::Answered | CallState::Unanswered(..)))
    }

    fn call(&mut self, holder: Holder, head: Head, call: Call) {
        let result = match self.calls.remove(&call.id) {
            Some(CallState::Early(result)) => Some(result),
            _ => None,
        };
        let is_answered = result.is_some();
        if is_answered {
            self.open_calls.retain(|open| *open != call.id);
        }
        let id = call.id.clone();
        let side = result.as_ref().and_then(|result| result.side.as_ref());
        let task = call.task.as_deref().filter(|task| call.kind == StepKind::Agent && !task.is_empty());
        self.learn_caller(&id, side, task);
        let index = self.add_step(
            holder,
            head,
            Step {
                call: Some(call.id),
                tool: Some(call.tool),
                detail: call.detail,
                task: call.task,
                files: call.files,
                touches: call.touches,
                result,
                ..step(call.kind, head, call.subject)
            },
        );
        let state = if is_answered { CallState::Answered } else { CallState::Unanswered(holder, narrow(index)) };
        self.calls.insert(id, state);
    }

    fn learn_caller(&mut self, call: &Arc<str>, side: Option<&Arc<str>>, task: Option<&str>) {
        if side.is_some() || task.is_some() {
            self.path.callers.push(Caller { call: call.clone(), side: side.cloned(), task: task.map(Into::into) });
        }
    }

    fn result(&mut self, head: Head, result: ToolResult) {
        let (call, order) = (result.call.clone(), self.entries);
        self.open_calls.retain(|open| *open != call);
        match self.calls.get(&call) {
            Some(&CallState::Unanswered(holder, index)) => {
                self.calls.insert(call, CallState::Answered);
                self.learn_caller(&result.call, result.side.as_ref(), None);
                let result = step_result(head, order, result);
                let Some(Held { steps, ended, .. }) = self.held(holder) else { return };
                *ended = head.at.or(*ended);
                if let Some(step) = steps.get_mut(index as usize) {
                    step.result = Some(Box::new(result));
                    shorten_output(step);
                }
            }
            // The first result of a call is what happened.
            Some(_) => {}
            None => {
                let result = step_result(head, order, result);
                self.calls.insert(call, CallState::Early(Box::new(result)));
            }
        }
    }

    /// Numbers a step and puts it at the end of its holder; gives its index there.
    fn add_step(&mut self, holder: Holder, head: Head, mut step: Step) -> usize {
        let Some(Held { steps, ended, .. }) = self.held(holder) else { return 0 };
        *ended = head.at.or(*ended);
        let index = steps.len();
        step.number = narrow(index + 1);
        shorten_output(&mut step);
        steps.push(step);
        index
    }

    /// What a holder holds. `None`: there is no such holder.
    fn held(&mut self, holder: Holder) -> Option<Held<'_>> {
        Some(match holder {
            Holder::Turn(index) => {
                let Turn { steps, ended, responses, .. } = self.path.turns.get_mut(index as usize)?;
                Held { steps, ended, responses }
            }
            Holder::Side(index) => {
                let Side { steps, ended, responses, .. } = Arc::make_mut(self.path.sides.get_mut(index as usize)?);
                Held { steps, ended, responses }
            }
        })
    }

    /// The index of a side, new if it was not known.
    fn side(&mut self, id: &Arc<str>, head: Head) -> usize {
        if let Some(&known) = self.sides.get(id) {
            return known;
        }
        let side = Side {
            id: id.clone(),
            log: self.path.log,
            task: None,
            started: head.at,
            ended: head.at,
            steps: Grown::default(),
            responses: Grown::default(),
        };
        let index = self.path.sides.len();
        self.path.sides.push(Arc::new(side));
        self.sides.insert(id.clone(), index);
        index
    }

    /// One response is told by several records; the one with the largest output has it whole.
    fn usage(&mut self, holder: Holder, usage: Usage) {
        let known = usage.response.and_then(|id| self.responses.get(&id).copied());
        let Usage { response: id, model, tokens } = usage;
        if let Some((holder, index)) = known {
            if let Some(known) = self.held(holder).and_then(|held| held.responses.get_mut(index as usize))
                && tokens.output >= known.tokens.output
            {
                known.tokens = tokens;
                known.model = model.or(known.model.take());
            }
            return;
        }
        let Some(Held { responses, .. }) = self.held(holder) else { return };
        let index = responses.len();
        responses.push(Response { id, model, tokens });
        if let Some(id) = id {
            self.responses.insert(id, (holder, narrow(index)));
        }
    }

    fn note(&mut self, head: Head, kind: NoteKind) {
        let note = Note { after: 0, at: head.at, place: head.place, kind };
        match self.last_turn() {
            Some(turn) => {
                let after = u32::try_from(turn.steps.len()).unwrap_or(u32::MAX);
                turn.notes.push(Note { after, ..note });
            }
            None => self.early.push(note),
        }
    }

    fn interrupted(&mut self, head: Head) {
        self.settle_command();
        self.open_calls.clear();
        let Some(turn) = self.last_turn() else { return };
        turn.interrupted = true;
        turn.ended = head.at.or(turn.ended);
        let is_told = turn.notes.last().is_some_and(|note| {
            note.kind == NoteKind::Interrupted
                && usize::try_from(note.after).is_ok_and(|after| after == turn.steps.len())
        });
        if !is_told {
            self.note(head, NoteKind::Interrupted);
        }
    }

    /// A boundary and the summary behind it are two records of one compaction.
    fn compacted(&mut self, head: Head, compaction: Compaction) {
        let is_summary = compaction.automatic.is_none() && compaction.tokens_before.is_none();
        let steps = self.path.turns.last().map_or(0, |turn| turn.steps.len());
        let last = match self.path.turns.last_mut() {
            Some(turn) => turn.notes.last_mut(),
            None => self.early.last_mut(),
        };
        if let Some(Note { after, kind: NoteKind::Compacted(known), .. }) = last
            && is_summary
            && known.summary_chars.is_none()
            && *after as usize == steps
        {
            known.summary_chars = compaction.summary_chars;
            return;
        }
        self.note(head, NoteKind::Compacted(compaction));
    }

    fn count_unknown(&mut self, name: &str) {
        let unknown = &mut self.path.tally.unknown;
        match unknown.iter_mut().find(|(known, _)| **known == *name) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => unknown.push((name.into(), 1)),
        }
    }

    // ---- what holds for the whole log

    fn context(&mut self, context: Context) {
        let Context { session, forked_from, cwd, branch, start_commit, model, version, entrypoint, .. } = context;
        if let Some(session) = session {
            self.learn_session(session);
        }
        if let Some(cwd) = &cwd
            && !self.path.cwds.contains(cwd)
        {
            self.path.cwds.push(cwd.clone());
        }
        let path = &mut self.path;
        path.forked_from = path.forked_from.take().or(forked_from);
        path.cwd = path.cwd.take().or_else(|| cwd.clone());
        path.branch = path.branch.take().or_else(|| branch.clone());
        path.start_commit = path.start_commit.take().or(start_commit);
        path.entrypoint = path.entrypoint.take().or(entrypoint);
        path.model = model.clone().or(path.model.take());
        path.version = version.or(path.version.take());
        // The records of a prompt and of its first answer may still say where the turn began.
        if let Some(turn) = path.turns.last_mut()
            && turn.steps.is_empty()
            && (cwd.is_some() || branch.is_some() || model.is_some())
        {
            turn.cwd = turn.cwd.take().or_else(|| cwd.clone());
            turn.branch = turn.branch.take().or_else(|| branch.clone());
            turn.model = model.clone().or(turn.model.take());
        }
        let now = &mut self.now;
        now.cwd = cwd.or(now.cwd.take());
        now.branch = branch.or(now.branch.take());
        now.model = model.or(now.model.take());
    }

    /// A log's name is its session's id where records say so or where it looks like one; a copy of a session still
    /// names the original in its records. Else the first record that names a session is right.
    fn learn_session(&mut self, session: Arc<str>) {
        if !self.named.contains(&session) {
            self.named.push(session);
        }
        if self.path.owner.is_some() {
            return;
        }
        let is_named = is_uuid(&self.hint) || self.named.iter().any(|named| **named == *self.hint);
        if let Some(first) = self.named.first().filter(|_| !is_named) {
            self.path.session = first.clone();
        } else if *self.path.session != *self.hint {
            self.path.session = self.hint.as_ref().into();
        }
    }

    fn titled(&mut self, head: Head, source: TitleSource, text: Box<str>) {
        let titles = &mut self.path.titles;
        match (source, head.parent) {
            (TitleSource::Custom, _) => titles.custom = Some(text),
            (TitleSource::Summary, Some(leaf)) if !self.known.contains_key(&leaf) => {
                self.summaries.insert(leaf, text);
            }
            (TitleSource::Summary, _) => titles.summary = Some(text),
            (TitleSource::Generated, _) => titles.generated = Some(text),
            // Made of random words or of the path: it says less than the first prompt.
            (TitleSource::Slug, _) => {}
        }
    }

    /// Agents list all their backups with each prompt; one that is listed again says nothing new.
    fn backups(&mut self, prompt: RecordId, files: Vec<Backup>) {
        for backup in files {
            if self.backed_up.get(&backup.path) == Some(&backup.name) {
                continue;
            }
            self.backed_up.insert(backup.path.clone(), backup.name.clone());
            self.path.backups.push((prompt, backup));
        }
    }

    fn is_open(&self) -> bool {
        let is_unanswered = |turn: &Arc<Turn>| turn.steps.is_empty() && turn.prompt.is_some() && !turn.interrupted;
        !self.open_calls.is_empty() || self.path.turns.last().is_some_and(is_unanswered)
    }
}

fn empty_path(log: LogId, agent: Agent, session: &str) -> DerivedPath {
    DerivedPath {
        log,
        agent,
        session: session.into(),
        owner: None,
        forked_from: None,
        cwd: None,
        cwds: Vec::new(),
        branch: None,
        start_commit: None,
        version: None,
        model: None,
        entrypoint: None,
        started: None,
        ended: None,
        titles: Titles::default(),
        turns: Turns::default(),
        sides: Vec::new(),
        side_calls: Vec::new(),
        callers: Vec::new(),
        backups: Grown::default(),
        changed_outside: Vec::new(),
        records: RecordSet::default(),
        open: false,
        tally: Tally::default(),
    }
}

/// A failure's output and a sub-agent's answer are shown as they are kept.
fn shorten_output(step: &mut Step) {
    if step.failed() || step.kind == StepKind::Agent {
        return;
    }
    let Some(output) = step.result.as_mut().map(|result| &mut result.output) else { return };
    if output.head.len() <= OUTPUT_KEPT || output.is_whole() {
        return;
    }
    let end = output.head.char_indices().nth(OUTPUT_KEPT).map_or(output.head.len(), |(at, _)| at);
    output.head = output.head[..end].into();
}

fn step(kind: StepKind, head: Head, text: Excerpt) -> Step {
    Step {
        number: 0,
        kind,
        at: head.at,
        place: head.place,
        record: head.id,
        text,
        call: None,
        tool: None,
        detail: None,
        task: None,
        files: Vec::new(),
        touches: None,
        result: None,
    }
}

fn step_result(head: Head, order: u32, result: ToolResult) -> StepResult {
    StepResult {
        place: head.place,
        at: head.at,
        order,
        error: result.error,
        refused: result.refused,
        interrupted: result.interrupted,
        exit: result.exit,
        output: result.output,
        edits: result.edits,
        whole_read: result.whole_read,
        side: result.side,
        commit: result.commit,
        count: result.count,
    }
}

fn is_uuid(text: &str) -> bool {
    let groups = [8, 4, 4, 4, 12];
    let mut parts = text.split('-');
    groups.iter().all(|len| parts.next().is_some_and(|part| part.len() == *len && is_hex(part)))
        && parts.next().is_none()
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
