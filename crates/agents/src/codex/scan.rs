//! From records to entries.

use std::borrow::Cow;
use std::sync::Arc;

use trace::{
    Compaction, Context, Entry, Excerpt, Place, Prompt, PromptSource, RecordId, StepKind, Timestamp, TitleSource,
    Tokens, ToolResult, Usage, What,
};

use super::known::{Copying, Held, Known, Patches, Script, Words};
use super::record::{Payload, Record, TokenCounts, TokenInfo};
use super::tools::{self, Asked};
use super::{PART_RESULT, PART_SPAN, said};
use crate::Sink;
use crate::ids::{hashed, record_id};
use crate::json;
use crate::jsonl::{self, Read, Records};
use crate::words::head;

/// Copied records bear the time at which they were copied, all within this many milliseconds.
const COPIED_WITHIN: i64 = 1_000;
/// Scripts under way at once that are remembered.
const MOST_SCRIPTS: usize = 64;

/// Makes entries of the records of one log, in their order.
pub(super) struct Scanner<'s> {
    sink: &'s mut Sink<'s>,
    /// Records are only looked at, to know what stands before a cursor.
    pub(super) muted: bool,
    /// Records told of, those of `muted` not counted.
    pub(super) records: u32,
    pub(super) known: Known,
}

/// Where a record lies and when it was written.
#[derive(Clone, Copy)]
struct Spot<'r> {
    place: Place,
    at: Option<Timestamp>,
    /// The time as it is spelled: the records of logs without ids are known by it.
    stamp: &'r str,
}

impl Records for Scanner<'_> {
    type Record<'a> = Record<'a>;

    fn read(text: &str, salvaged: bool) -> Option<(Record<'_>, usize)> {
        let (record, used) = Record::first(text)?;
        (!salvaged || record.stands_alone()).then_some((record, used))
    }

    fn take<'a>(&mut self, read: &Read<'a, Record<'a>>) {
        self.record(&read.record, read.place);
    }
}

impl<'s> Scanner<'s> {
    pub(super) fn new(sink: &'s mut Sink<'s>) -> Scanner<'s> {
        Scanner { sink, muted: false, records: 0, known: Known::default() }
    }

    fn record(&mut self, record: &Record<'_>, place: Place) {
        if !self.muted {
            self.records = self.records.saturating_add(1);
        }
        let spot = Spot { place, at: record.time(), stamp: record.timestamp.or_empty() };
        let nothing = Payload::default();
        let payload = record.payload.0.as_deref().unwrap_or(&nothing);
        let kind = record.kind.or_empty();
        self.follow_turn(kind, payload, spot);
        if self.is_copied(spot) {
            self.count_only(payload);
            return;
        }
        match kind {
            "session_meta" => self.session(payload, spot),
            "turn_context" => self.context(payload, spot),
            "response_item" => self.item(payload, spot),
            "event_msg" => self.event(payload, spot),
            "compacted" => {
                self.flush();
                let chars = u32::try_from(payload.message.or_empty().chars().count()).ok();
                let summary_chars = chars.filter(|chars| *chars > 0);
                let what = Compaction { automatic: None, tokens_before: None, summary_chars };
                self.emit(spot, 0, None, What::Compacted(what));
            }
            "world_state" | "inter_agent_communication_metadata" | "state" => {}
            "" => self.emit(spot, 0, None, What::Unknown("record without a type".into())),
            kind => self.emit(spot, 0, None, What::Unknown(kind.into())),
        }
    }

    fn emit(&mut self, spot: Spot<'_>, part: u16, id: Option<RecordId>, what: What) {
        self.tell(Entry { place: Place { part, ..spot.place }, id, parent: None, at: spot.at, side: None, what });
    }

    fn tell(&mut self, entry: Entry) {
        if !self.muted {
            (self.sink)(entry);
        }
    }

    // ---- whose record it is

    /// Knows the turn by its own id, and where the parent's records end in a sub-agent's log.
    fn follow_turn(&mut self, kind: &str, payload: &Payload<'_>, spot: Spot<'_>) {
        if kind == "session_meta" {
            let is_foreign =
                self.known.own.as_deref().is_some_and(|own| payload.id.filled().is_some_and(|id| id != own));
            if is_foreign && self.known.told.parent_session.is_some() && matches!(self.known.copying, Copying::No) {
                self.known.copying = Copying::Since(spot.at);
            }
        }
        let begins = kind == "turn_context" || (kind == "event_msg" && payload.kind.is("task_started"));
        let Some(turn) = payload.turn_id.filled().filter(|_| begins) else { return };
        if self.known.turn.as_deref() != Some(turn) {
            self.known.turn = Some(turn.into());
            self.known.said = Arc::default();
        }
        if matches!(self.known.copying, Copying::Since(_)) && self.is_own_turn(turn) {
            self.known.copying = Copying::Done;
        }
    }

    /// Whether a turn was begun after this session was: both ids begin with their time, if they are of that kind.
    fn is_own_turn(&self, turn: &str) -> bool {
        let began = self.known.own.as_deref().and_then(time_of_uuid);
        began.zip(time_of_uuid(turn)).is_some_and(|(began, turn)| turn >= began)
    }

    /// Whether the record is one of the parent's that a sub-agent's log begins with.
    fn is_copied(&mut self, spot: Spot<'_>) -> bool {
        let Copying::Since(first) = &self.known.copying else { return false };
        let is_late = first.zip(spot.at).is_some_and(|(first, at)| at.0 - first.0 > COPIED_WITHIN);
        if is_late {
            self.known.copying = Copying::Done;
        }
        !is_late
    }

    /// A copied record changes nothing but the counter of tokens, which goes on from the parent's.
    fn count_only(&mut self, payload: &Payload<'_>) {
        if let Some(total) = payload.info.0.as_ref().and_then(|info| info.total_token_usage.0) {
            self.known.total = total;
        }
    }

    fn session(&mut self, meta: &Payload<'_>, spot: Spot<'_>) {
        let id = meta.id.filled();
        if let (Some(own), Some(id)) = (&self.known.own, id)
            && **own != *id
        {
            // A fork tells its parent's head, too.
            return;
        }
        self.known.own = self.known.own.take().or_else(|| id.map(Arc::from));
        let git = meta.git.0.as_ref();
        let parent = meta.parent_session();
        let entrypoint = meta.entrypoint();
        let new = New {
            session: id,
            parent_session: parent.as_deref(),
            forked_from: meta.forked_from_id.get(),
            cwd: meta.cwd.get(),
            branch: git.and_then(|git| git.branch.get()),
            start_commit: git.and_then(|git| git.commit_hash.get()),
            version: meta.cli_version.get(),
            entrypoint: entrypoint.as_deref(),
            ..New::default()
        };
        let root = id.map(|id| hashed(&["session", id]));
        self.known.root = self.known.root.or(root);
        self.tell_context(new, root, spot);
    }

    fn context(&mut self, context: &Payload<'_>, spot: Spot<'_>) {
        self.tell_context(New { cwd: context.cwd.get(), model: context.model.get(), ..New::default() }, None, spot);
    }

    /// Tells what changed of where and with what the agent works.
    fn tell_context(&mut self, new: New<'_>, id: Option<RecordId>, spot: Spot<'_>) {
        let told = &mut self.known.told;
        let changed = |known: &mut Option<Arc<str>>, new: Option<&str>| -> Option<Arc<str>> {
            let new = new.filter(|new| !new.is_empty() && known.as_deref() != Some(*new))?;
            *known = Some(new.into());
            known.clone()
        };
        let context = Context {
            session: changed(&mut told.session, new.session),
            parent_session: changed(&mut told.parent_session, new.parent_session),
            forked_from: changed(&mut told.forked_from, new.forked_from),
            cwd: changed(&mut told.cwd, new.cwd),
            branch: changed(&mut told.branch, new.branch),
            start_commit: changed(&mut told.start_commit, new.start_commit),
            model: changed(&mut told.model, new.model),
            version: changed(&mut told.version, new.version),
            entrypoint: changed(&mut told.entrypoint, new.entrypoint),
        };
        if context == Context::default() {
            return;
        }
        // In a sub-agent's own log this tells whose log it is.
        let side = context.parent_session.as_ref().and(self.known.own.clone());
        let (place, at) = (spot.place, spot.at);
        self.tell(Entry { place, id, parent: None, at, side, what: What::Context(context) });
    }

    fn cwd(&self) -> Option<Arc<str>> {
        self.known.told.cwd.clone()
    }

    /// The id of a record: the same in every copy of it, whatever time the copy bears.
    fn id_of(&mut self, kind: &str, check: u32, spot: Spot<'_>) -> RecordId {
        let scope = self.known.turn.as_deref().unwrap_or(spot.stamp);
        let check_in_kind = check ^ jsonl::check(kind.as_bytes());
        let times = self.known.said.iter().filter(|said| **said == check_in_kind).count();
        let id = hashed(&[scope, kind, &check.to_string(), &times.to_string()]);
        Arc::make_mut(&mut self.known.said).push(check_in_kind);
        id
    }

    // ---- what is said

    fn item(&mut self, item: &Payload<'_>, spot: Spot<'_>) {
        match item.kind.or_empty() {
            "message" => self.message(item, spot),
            "" if item.role.filled().is_some() => self.message(item, spot),
            "reasoning" => self.reasoning(item, spot),
            "function_call"
            | "custom_tool_call"
            | "local_shell_call"
            | "tool_search_call"
            | "image_generation_call" => {
                self.call(item, spot);
            }
            "function_call_output" | "custom_tool_call_output" | "tool_search_output" => self.result(item, spot),
            "web_search_call" => self.search_item(item, spot),
            "agent_message" => self.letter(item, spot),
            "ghost_snapshot" | "compaction" | "compaction_summary" | "compaction_trigger" | "context_compaction"
            | "other" => {}
            kind => self.emit(spot, 0, None, What::Unknown(kind.into())),
        }
    }

    fn message(&mut self, message: &Payload<'_>, spot: Spot<'_>) {
        let (blocks, images) = message.blocks();
        match message.role.or_empty() {
            "assistant" => {
                self.tell_held();
                self.said(StepKind::Text, &blocks.join("\n"), spot);
            }
            "user" => self.user_message(&blocks, images, spot),
            _ => {}
        }
    }

    fn reasoning(&mut self, item: &Payload<'_>, spot: Spot<'_>) {
        self.tell_held();
        let parts: Vec<u32> = item.thoughts().iter().map(|part| check(part)).collect();
        self.known.words.retain(|words| words.kind != StepKind::Thought || !parts.contains(&words.check));
        self.said(StepKind::Thought, &item.thought(), spot);
    }

    /// Words or a thought as the record proper tells them; an event may have told them before.
    fn said(&mut self, kind: StepKind, text: &str, spot: Spot<'_>) {
        if text.trim().is_empty() {
            return;
        }
        let check = check(text);
        self.known.words.retain(|words| words.kind != kind || words.check != check);
        self.tell_words_of_events();
        self.speak(words(kind, text, spot));
    }

    fn speak(&mut self, words: Words) {
        self.known.answered = true;
        let Words { kind, check, place, at, stamp, text } = words;
        let (name, what) = match kind {
            StepKind::Thought => ("thought", What::Thought(text)),
            _ => ("text", What::Text(text)),
        };
        let id = self.id_of(name, check, Spot { place, at, stamp: &stamp });
        self.tell(Entry { place, id: Some(id), parent: None, at, side: None, what });
    }

    /// Words that only an event tells; whether a record will tell them again is not known yet.
    fn told_by_event(&mut self, kind: StepKind, text: &str, spot: Spot<'_>) {
        if text.trim().is_empty() {
            return;
        }
        let words = words(kind, text, spot);
        // In the oldest logs the event stands behind the record.
        let said = words.check ^ jsonl::check(if kind == StepKind::Thought { b"thought" } else { b"text" });
        if self.known.said.last() != Some(&said) {
            self.known.words.push(words);
        }
    }

    fn tell_words_of_events(&mut self) {
        for words in std::mem::take(&mut self.known.words) {
            self.speak(words);
        }
    }

    /// Tells what waits for a record that did not come.
    fn flush(&mut self) {
        self.tell_held();
        self.tell_words_of_events();
    }

    /// What another agent wrote to this one.
    fn letter(&mut self, item: &Payload<'_>, spot: Spot<'_>) {
        let (blocks, images) = item.blocks();
        let text = blocks.join("\n");
        if self.known.told.parent_session.is_some() && !text.trim().is_empty() {
            self.prompt(text.trim(), images, spot);
        }
    }

    // ---- prompts

    fn user_message(&mut self, blocks: &[Cow<'_, str>], images: u32, spot: Spot<'_>) {
        let text = said::typed_in_blocks(blocks);
        if blocks.iter().any(|block| block.trim_start().starts_with("<turn_aborted>")) {
            self.flush();
            return self.emit(spot, 0, None, What::Interrupted);
        }
        if text.is_empty() && images == 0 {
            return;
        }
        self.tell_words_of_events();
        let check = check(&text);
        let is_repeated = !self.known.answered && self.known.last_prompt == Some(check);
        if is_repeated || self.known.held.as_ref().is_some_and(|held| held.check == check) {
            return;
        }
        self.tell_held();
        let prompt = self.made_prompt(&text, images);
        let id = self.id_of("prompt", check, spot);
        self.known.held = Some(Held { place: spot.place, at: spot.at, id, prompt, check });
    }

    /// A message that no event told: a prompt in logs without such events, else something that the client put in.
    fn tell_held(&mut self) {
        let Some(Held { place, at, id, prompt, check }) = self.known.held.take() else { return };
        if self.known.reviewing {
            return;
        }
        if self.known.tells_prompts {
            let what = What::System(format!("injected: {}", head(&prompt.text.head)).into());
            return self.tell(Entry { place, id: Some(id), parent: None, at, side: None, what });
        }
        self.begin_turn(place, at, id, prompt, check);
    }

    fn user_event(&mut self, event: &Payload<'_>, spot: Spot<'_>) {
        self.known.tells_prompts = true;
        let held = self.known.held.take();
        self.tell_words_of_events();
        let by_client = event.manner.filled().is_some_and(|manner| manner != "plain");
        if self.known.reviewing || by_client {
            return;
        }
        let images = event.images();
        let text = said::typed(event.message.or_empty()).unwrap_or_default();
        if text.is_empty() && (images == 0 || !event.message.or_empty().trim().is_empty()) {
            return;
        }
        // The record and the event are one prompt: its id is that of the record.
        let check = check(text);
        match held.filter(|held| held.check == check) {
            Some(held) => {
                let prompt = self.made_prompt(text, images);
                self.begin_turn(spot.place, spot.at, held.id, prompt, check);
            }
            None => self.prompt(text, images, spot),
        }
    }

    fn prompt(&mut self, text: &str, images: u32, spot: Spot<'_>) {
        let check = check(text);
        let id = self.id_of("prompt", check, spot);
        let prompt = self.made_prompt(text, images);
        self.begin_turn(spot.place, spot.at, id, prompt, check);
    }

    fn made_prompt(&self, text: &str, images: u32) -> Prompt {
        let source = match self.known.told.parent_session {
            Some(_) => PromptSource::Task,
            None if self.known.is_working && self.known.answered => PromptSource::Queued,
            None => PromptSource::Typed,
        };
        Prompt { text: Excerpt::with_limit(text, Prompt::LIMIT), source, images }
    }

    fn begin_turn(&mut self, place: Place, at: Option<Timestamp>, id: RecordId, prompt: Prompt, check: u32) {
        if !self.known.answered && self.known.last_prompt == Some(check) {
            // After an interruption the first prompt is written once more.
            return;
        }
        let came_back = std::mem::take(&mut self.known.rolled_back);
        let parent = if came_back { self.known.living.last().copied().or(self.known.root) } else { None };
        (self.known.answered, self.known.last_prompt) = (false, Some(check));
        Arc::make_mut(&mut self.known.living).push(id);
        if self.known.turn.is_none() {
            self.known.said = Arc::default();
        }
        self.tell(Entry { place, id: Some(id), parent, at, side: None, what: What::Prompt(prompt) });
    }

    /// The person went back by so many prompts.
    fn roll_back(&mut self, turns: u64) {
        let living = Arc::make_mut(&mut self.known.living);
        let left = living.len().saturating_sub(usize::try_from(turns).unwrap_or(usize::MAX));
        living.truncate(left);
        (self.known.rolled_back, self.known.last_prompt) = (true, None);
    }

    // ---- tools

    fn call(&mut self, item: &Payload<'_>, spot: Spot<'_>) {
        self.flush();
        self.known.answered = true;
        let Some(id) = item.call_id.filled().or(item.id.filled()).map(Arc::<str>::from) else {
            return self.emit(spot, 0, None, What::Unknown("call without id".into()));
        };
        let cwd = self.cwd();
        let mut made = tools::made(item, cwd.as_deref());
        if item.name.filled().is_none() && !item.kind.is("local_shell_call") {
            made.tool = Cow::Owned(item.kind.or_empty().trim_end_matches("_call").to_owned());
        }
        let (call, asked) = made.into_call(id.clone());
        if asked.is_script {
            let scripts = Arc::make_mut(&mut self.known.scripts);
            scripts.push(Script { call: id.clone(), files: call.files.clone(), patches: None });
            if scripts.len() > MOST_SCRIPTS {
                scripts.remove(0);
            }
        }
        Arc::make_mut(&mut self.known.calls).put(id.clone(), asked);
        self.emit(spot, 0, Some(hashed(&["call", &id])), What::Call(call));
    }

    fn result(&mut self, item: &Payload<'_>, spot: Spot<'_>) {
        self.tell_words_of_events();
        let Some(call) = item.call_id.filled() else { return };
        let asked = self.known.take_call(call);
        let exit = self.known.take_exit(call);
        let output = tools::output(item.output);
        let mut result = tools::result(call.into(), &output, asked.as_ref(), exit);
        result.side = side_in_output(asked.as_ref(), &output.text);
        let patches = self.known.take_script(call).and_then(|script| script.patches);
        match patches {
            Some(patches) => {
                let place = span(patches.first, spot.place);
                self.answer(Spot { place, ..spot }, PART_SPAN, ToolResult { edits: patches.edits, ..result });
            }
            None => self.answer(spot, 0, result),
        }
    }

    /// Tells a result if it is the call's first.
    fn answer(&mut self, spot: Spot<'_>, part: u16, result: ToolResult) {
        if self.known.is_first_result(&result.call) {
            let id = hashed(&["result", &result.call]);
            self.emit(spot, part, Some(id), What::Result(result));
        }
    }

    /// What a patch changed: told of the call, or of a call inside of a script.
    fn patched(&mut self, call: &str, payload: &Payload<'_>, spot: Spot<'_>) {
        self.tell_words_of_events();
        let cwd = self.cwd();
        let result = tools::patched(call.into(), payload, cwd.as_deref());
        if self.known.calls.get(call).is_some() || self.known.done.get(call).is_some() {
            self.known.take_call(call);
            return self.answer(spot, 0, result);
        }
        if let Some(script) = self.known.script_of(&result.edits).filter(|_| !result.edits.is_empty()) {
            let patches = script.patches.get_or_insert_with(|| Patches {
                first: spot.place.at,
                last: spot.place,
                at: spot.at,
                edits: Vec::new(),
            });
            (patches.last, patches.at) = (spot.place, spot.at);
            patches.edits.extend(result.edits);
            return;
        }
        if !result.edits.is_empty() {
            self.lone_patch(call, result, spot);
        }
    }

    /// A patch of which no call is known is a step of its own.
    fn lone_patch(&mut self, id: &str, result: ToolResult, spot: Spot<'_>) {
        let files: Vec<Box<str>> = result.edits.iter().map(|edit| edit.path.clone()).collect();
        let call = trace::Call {
            id: id.into(),
            tool: "apply_patch".into(),
            kind: StepKind::Edit,
            subject: Excerpt::of(&files.join(", ")),
            detail: None,
            task: None,
            files,
            touches: None,
        };
        self.known.answered = true;
        self.emit(spot, 0, Some(hashed(&["call", id])), What::Call(call));
        self.answer(spot, PART_RESULT, result);
    }

    /// Scripts that were cut off: what they changed is told without their output.
    fn end_scripts(&mut self) {
        if self.known.scripts.is_empty() {
            return;
        }
        for script in std::mem::take(Arc::make_mut(&mut self.known.scripts)) {
            let Some(patches) = script.patches else { continue };
            let result = ToolResult {
                call: script.call,
                error: false,
                refused: false,
                interrupted: true,
                exit: None,
                output: Excerpt::default(),
                edits: patches.edits,
                whole_read: None,
                side: None,
                commit: None,
                count: None,
            };
            let spot = Spot { place: span(patches.first, patches.last), at: patches.at, stamp: "" };
            self.answer(spot, PART_SPAN, result);
        }
    }

    fn search_event(&mut self, event: &Payload<'_>, spot: Spot<'_>) {
        let Some(id) = event.call_id.filled() else { return };
        self.flush();
        self.known.searched = true;
        self.search(id, event, spot);
        let nothing = tools::read_text(String::new());
        self.answer(spot, PART_RESULT, tools::result(id.into(), &nothing, None, None));
    }

    fn search_item(&mut self, item: &Payload<'_>, spot: Spot<'_>) {
        self.flush();
        if std::mem::take(&mut self.known.searched) {
            return;
        }
        let made = format!("web_search-{:x}", self.id_of("search", spot.place.check, spot).number());
        self.search(item.id.filled().unwrap_or(&made), item, spot);
    }

    fn search(&mut self, id: &str, payload: &Payload<'_>, spot: Spot<'_>) {
        let action = payload.action.0.as_ref();
        let words = [Some(&payload.query), action.map(|action| &action.query), action.map(|action| &action.url)];
        let subject = words.into_iter().flatten().find_map(|word| word.filled()).unwrap_or_default();
        let call = trace::Call {
            id: id.into(),
            tool: "web_search".into(),
            kind: StepKind::Search,
            subject: Excerpt::of(subject),
            detail: None,
            task: None,
            files: Vec::new(),
            touches: None,
        };
        self.known.answered = true;
        self.emit(spot, 0, Some(hashed(&["call", id])), What::Call(call));
    }

    // ---- events

    fn event(&mut self, event: &Payload<'_>, spot: Spot<'_>) {
        let kind = event.kind.or_empty();
        match kind {
            "user_message" => self.user_event(event, spot),
            "agent_message" => self.told_by_event(StepKind::Text, event.message.or_empty(), spot),
            "agent_reasoning" => self.told_by_event(StepKind::Thought, event.text.or_empty(), spot),
            "agent_reasoning_raw_content" => {}
            "token_count" => self.tokens(event.info.0.as_ref(), spot),
            "task_started" | "turn_started" => {
                self.turn_ends();
                self.known.is_working = true;
            }
            "task_complete" | "turn_complete" => self.turn_ends(),
            "turn_aborted" => {
                self.turn_ends();
                if !event.reason.is("replaced") && !event.reason.is("review_ended") {
                    self.emit(spot, 0, None, What::Interrupted);
                }
            }
            "patch_apply_end" => {
                if let Some(call) = event.call_id.filled() {
                    self.patched(call, event, spot);
                }
            }
            "exec_command_end" => self.command_ended(event),
            "item_completed" => self.completed(event, spot),
            "web_search_end" => self.search_event(event, spot),
            "collab_agent_spawn_end" => self.side_started(event.call_id.filled(), event.new_thread_id.filled(), spot),
            "sub_agent_activity" => self.side_started(event.event_id.filled(), event.agent_thread_id.filled(), spot),
            "thread_rolled_back" => self.roll_back(event.num_turns.count().unwrap_or(0)),
            "thread_name_updated" => {
                if let Some(name) = event.thread_name.filled() {
                    self.emit(spot, 0, None, What::Title(TitleSource::Custom, name.into()));
                }
            }
            "entered_review_mode" => {
                self.flush();
                self.known.reviewing = true;
                let command = format!("/review {}", event.user_facing_hint.or_empty());
                let id = self.id_of("command", check(&command), spot);
                self.emit(spot, 0, Some(id), What::SlashCommand(command.trim_end().into()));
            }
            "exited_review_mode" => {
                self.flush();
                self.known.reviewing = false;
            }
            "error" | "stream_error" | "warning" | "undo_completed" => {
                let words = head(event.message.or_empty());
                let kind = kind.replace('_', " ");
                let text = if words.is_empty() { kind } else { format!("{kind}: {words}") };
                self.emit(spot, 0, None, What::System(text.into()));
            }
            kind if is_housekeeping(kind) => {}
            kind => self.emit(spot, 0, None, What::Unknown(kind.into())),
        }
    }

    fn turn_ends(&mut self) {
        self.flush();
        self.end_scripts();
        self.known.is_working = false;
    }

    fn command_ended(&mut self, event: &Payload<'_>) {
        let status = event.exit_code.0.and_then(|status| i32::try_from(status).ok());
        if let (Some(call), Some(status)) = (event.call_id.filled().or(event.id.filled()), status) {
            Arc::make_mut(&mut self.known.exits).put(call.into(), status);
        }
    }

    /// Newer logs tell an item once more when it is done.
    fn completed(&mut self, event: &Payload<'_>, spot: Spot<'_>) {
        let item: Payload<'_> = json::read(event.item);
        match item.kind.or_empty() {
            "FileChange" => {
                if let Some(call) = item.id.filled() {
                    self.patched(call, &item, spot);
                }
            }
            "CommandExecution" => self.command_ended(&item),
            _ => {}
        }
    }

    fn side_started(&mut self, call: Option<&str>, side: Option<&str>, spot: Spot<'_>) {
        if let (Some(call), Some(side)) = (call, side) {
            self.emit(spot, 0, None, What::SideStarted { call: call.into(), side: side.into() });
        }
    }

    /// The counter is the thread's; a response is what it grew by. Where it fell, another process began to count.
    fn tokens(&mut self, info: Option<&TokenInfo>, spot: Spot<'_>) {
        let Some(total) = info.and_then(|info| info.total_token_usage.0) else { return };
        let last = info.and_then(|info| info.last_token_usage.0);
        let before = std::mem::replace(&mut self.known.total, total);
        let Some(spent) = grown(before, total, last) else { return };
        let counts = [total, last.unwrap_or_default()].map(|counts| {
            let told = [counts.input_tokens, counts.cached_input_tokens, counts.output_tokens];
            let [input, cached, output] = told.map(|count| count.0.unwrap_or(-1));
            format!("{input} {cached} {output}")
        });
        let scope = self.known.turn.as_deref().unwrap_or(spot.stamp);
        let response = Some(hashed(&["tokens", scope, &counts[0], &counts[1]]));
        let usage = Usage { response, model: self.known.told.model.clone(), tokens: spent };
        self.emit(spot, 0, None, What::Usage(usage));
    }
}

/// What is told of where and with what the agent works.
#[derive(Clone, Copy, Default)]
struct New<'a> {
    session: Option<&'a str>,
    parent_session: Option<&'a str>,
    forked_from: Option<&'a str>,
    cwd: Option<&'a str>,
    branch: Option<&'a str>,
    start_commit: Option<&'a str>,
    model: Option<&'a str>,
    version: Option<&'a str>,
    entrypoint: Option<&'a str>,
}

fn words(kind: StepKind, text: &str, spot: Spot<'_>) -> Words {
    let Spot { place, at, stamp } = spot;
    Words { kind, check: check(text), place, at, stamp: stamp.into(), text: Excerpt::of(text) }
}

fn check(text: &str) -> u32 {
    jsonl::check(text.trim().as_bytes())
}

/// The place of several records, from the one at `first` to the one at `last`, by whose bytes it is known.
fn span(first: u64, last: Place) -> Place {
    let len = (last.at + u64::from(last.len)).saturating_sub(first);
    Place { at: first, len: u32::try_from(len).unwrap_or(u32::MAX), part: PART_SPAN, check: last.check }
}

/// Milliseconds since 1970 at which an id of version 7 was made.
fn time_of_uuid(id: &str) -> Option<u64> {
    let number = record_id(id).number();
    let is_version_7 = id.len() == 36 && id.as_bytes().get(14) == Some(&b'7');
    is_version_7.then(|| u64::try_from(number >> 80).ok())?
}

/// The sub-agent that a call started, as its output names it.
fn side_in_output(asked: Option<&Asked>, output: &str) -> Option<Arc<str>> {
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Started<'a> {
        #[serde(borrow)]
        agent_id: json::Str<'a>,
        #[serde(borrow)]
        thread_id: json::Str<'a>,
    }
    asked.filter(|asked| asked.kind == Some(StepKind::Agent))?;
    let started: Started<'_> = json::from_str(output).ok()?;
    started.agent_id.filled().or(started.thread_id.filled()).map(Arc::from)
}

/// Tokens between two readings of the counter. `None`: the same reading again.
fn grown(before: TokenCounts, total: TokenCounts, last: Option<TokenCounts>) -> Option<Tokens> {
    let fields = |counts: TokenCounts| {
        [counts.input_tokens, counts.cached_input_tokens, counts.cache_write_input_tokens, counts.output_tokens]
            .map(|number| number.count().unwrap_or(0))
    };
    let (before, total) = (fields(before), fields(total));
    if before == total {
        return None;
    }
    let fell = before.iter().zip(&total).any(|(before, total)| total < before);
    let spent = match last.filter(|_| fell) {
        Some(last) => fields(last),
        None if fell => total,
        None => std::array::from_fn(|at| total[at] - before[at]),
    };
    let [input, cached, written, output] = spent;
    let cached = cached.min(input);
    let written = written.min(input - cached);
    Some(Tokens {
        input: input - cached - written,
        cache_write: written,
        cache_write_hour: 0,
        cache_read: cached,
        output,
    })
}

/// Events that say nothing to a reader, or say again what records say.
fn is_housekeeping(kind: &str) -> bool {
    const BEGINNINGS: &[&str] = &[
        "account/",
        "agent_message_delta",
        "agent_reasoning_",
        "codex/event/",
        "collab_",
        "dynamic_tool_call",
        "exec_",
        "get_",
        "guardian_",
        "hook_",
        "image_generation",
        "item_",
        "list_",
        "mcp_",
        "patch_apply_",
        "plan_",
        "realtime_",
        "request_",
        "skills_",
        "terminal_",
        "thread_",
        "turn.",
        "turn_",
        "view_image",
        "web_search_",
    ];
    const NAMES: &[&str] = &[
        "apply_patch_approval_request",
        "background_event",
        "context_compacted",
        "deprecation_notice",
        "elicitation_request",
        "model_reroute",
        "model_verification",
        "raw_response_item",
        "session_configured",
        "shutdown_complete",
        "undo_started",
    ];
    NAMES.contains(&kind) || BEGINNINGS.iter().any(|begin| kind.starts_with(begin))
}
