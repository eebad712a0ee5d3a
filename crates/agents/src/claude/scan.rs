//! From records to entries.

use std::sync::Arc;

use trace::{
    Backup, Compaction, Context, Entry, Excerpt, Place, Prompt, PromptSource, RecordId, Timestamp, TitleSource, Tokens,
    Usage, What,
};

use super::known::Known;

use super::record::{Block, Kept, Message, Progress, Rare, Record, TokenCounts, hashed, record_id, time};
use super::said::{Manner, Said, head, listen, one};
use super::tools;
use super::{PART_TASK, SYNTHETIC, system};
use crate::Sink;
use crate::json::{self, Told};
use crate::jsonl::{Read, Records};
use crate::names::Names;
use crate::paths::absolute;

/// Makes entries of the records of one log, in their order.
pub(super) struct Scanner<'s> {
    own_side: Option<OwnSide>,
    sink: &'s mut Sink<'s>,
    /// Records are only looked at, to know what stands before a cursor.
    pub(super) muted: bool,
    /// Records told of, those of `muted` not counted.
    pub(super) records: u32,
    /// What travels with the cursor.
    pub(super) known: Known,
    /// Of tools and models.
    names: Names,
}

/// The sub-agent whose own log is read.
pub(super) struct OwnSide {
    pub(super) agent: Arc<str>,
    /// Its session, where the log's folder tells it.
    pub(super) parent: Option<Arc<str>>,
}

/// What all entries of one record have in common.
#[derive(Clone)]
struct Node {
    place: Place,
    id: Option<RecordId>,
    parent: Option<RecordId>,
    at: Option<Timestamp>,
    side: Option<Arc<str>>,
    /// Whether an entry of it was told.
    told: bool,
}

impl Records for Scanner<'_> {
    type Record<'a> = Record<'a>;

    fn read(text: &str, salvaged: bool) -> Option<(Record<'_>, usize)> {
        let (record, used) = json::first::<Record<'_>>(text)?;
        (!salvaged || record.stands_alone()).then_some((record, used))
    }

    fn take<'a>(&mut self, read: &Read<'a, Record<'a>>) {
        self.record(&read.record, read.text, read.place);
    }
}

impl<'s> Scanner<'s> {
    pub(super) fn new(own_side: Option<OwnSide>, sink: &'s mut Sink<'s>) -> Scanner<'s> {
        Scanner { own_side, sink, muted: false, records: 0, known: Known::default(), names: Names::default() }
    }

    fn record(&mut self, record: &Record<'_>, text: &str, place: Place) {
        if !self.muted {
            self.records = self.records.saturating_add(1);
        }
        let side = self.side_of(record);
        let mut node = Node { place, id: record.id(), parent: record.parent(), at: record.time(), side, told: false };
        self.context(record, &node);
        match record.kind.or_empty() {
            "user" => self.user(record, &mut node),
            "assistant" => self.assistant(record, &mut node),
            "attachment" => self.attachment(record, &mut node),
            "system" => self.system(record, text, &mut node),
            "progress" => self.progress(record, &mut node),
            _ => self.outside_of_the_tree(record, text, &mut node),
        }
        if node.id.is_some() && !node.told {
            self.emit(&mut node, 0, What::Silent);
        }
    }

    fn emit(&mut self, node: &mut Node, part: u16, what: What) {
        node.told = true;
        if self.muted {
            return;
        }
        let place = Place { part, ..node.place };
        (self.sink)(Entry { place, id: node.id, parent: node.parent, at: node.at, side: node.side.clone(), what });
    }

    /// An entry that is no node of the tree.
    fn emit_beside(&mut self, node: &Node, what: What) {
        if !self.muted {
            (self.sink)(Entry {
                place: node.place,
                id: None,
                parent: None,
                at: node.at,
                side: node.side.clone(),
                what,
            });
        }
    }

    /// The sub-agent to whose conversation a record of the parent's log belongs.
    fn side_of(&mut self, record: &Record<'_>) -> Option<Arc<str>> {
        if self.own_side.is_some() || !record.is_sidechain.0 {
            return None;
        }
        Some(Arc::make_mut(&mut self.known.threads).of(record))
    }

    /// Tells what changed of where and with what the agent works. Sub-agents inside the log only fill in what was
    /// never told: their folder and model are not the conversation's.
    fn context(&mut self, record: &Record<'_>, node: &Node) {
        let model = match record.kind.or_empty() {
            "assistant" => record.message.0.as_ref().and_then(|message| message.model.filled()),
            _ => None,
        };
        let is_side = node.side.is_some();
        let session = record.session_id.get();
        let parent = self.parent_of(record);
        let changed = |known: &mut Option<Arc<str>>, new: Option<&str>| -> Option<Arc<str>> {
            let new = new.filter(|new| !new.is_empty() && (known.is_none() || !is_side))?;
            if known.as_deref() == Some(new) {
                return None;
            }
            *known = Some(new.into());
            known.clone()
        };
        let told = &mut self.known.told;
        let context = Context {
            session: changed(&mut told.session, session),
            parent_session: changed(&mut told.parent_session, parent.as_deref()),
            forked_from: None,
            cwd: changed(&mut told.cwd, record.cwd.get()),
            branch: changed(&mut told.branch, record.git_branch.get()),
            start_commit: None,
            model: changed(&mut told.model, model.filter(|model| *model != SYNTHETIC && !is_side)),
            version: changed(&mut told.version, record.version.get()),
            entrypoint: changed(&mut told.entrypoint, record.entrypoint.get()),
        };
        if self.known.first_cwd.is_none() {
            self.known.first_cwd.clone_from(&self.known.told.cwd);
        }
        if context != Context::default() {
            // In a sub-agent's own log this tells whose log it is.
            let own = self.own_side.as_ref().filter(|_| parent.is_some()).map(|own| own.agent.clone());
            let side = own.or_else(|| node.side.clone());
            self.emit_beside(&Node { side, ..node.clone() }, What::Context(context));
        }
    }

    /// The session of which this log is a sub-agent's part, as far as this record tells. A log that is named like a
    /// sub-agent's, but by its records' own session, is a session.
    fn parent_of(&self, record: &Record<'_>) -> Option<Arc<str>> {
        let own = self.own_side.as_ref()?;
        if own.parent.is_some() {
            return own.parent.clone();
        }
        let session = record.session_id.filled()?;
        let is_named_so = session.strip_prefix("agent-") == Some(&*own.agent);
        (record.is_sidechain.0 || !is_named_so).then(|| session.into())
    }

    fn user(&mut self, record: &Record<'_>, node: &mut Node) {
        let cwd = self.cwd_of(record);
        self.results(record, cwd.as_deref(), node);
        let source = match record.prompt_source.or_empty() {
            _ if record.is_sidechain.0 || self.known.told.parent_session.is_some() => PromptSource::Task,
            "queued" => PromptSource::Queued,
            _ => PromptSource::Typed,
        };
        self.say(listen(record.blocks(), manner_of(record)), source, node);
    }

    fn say(&mut self, told: Vec<(u16, Said)>, source: PromptSource, node: &mut Node) {
        for (part, said) in told {
            let what = match said {
                Said::Prompt { text, images } => {
                    What::Prompt(Prompt { text: Excerpt::with_limit(&text, Prompt::LIMIT), source, images })
                }
                Said::Command(command) => What::SlashCommand(command.into()),
                Said::CommandOutput(_) => What::CommandOutput,
                Said::Interrupted => What::Interrupted,
                Said::Summary(text) => What::Compacted(summary(&text)),
                Said::Injected(words) => What::System(words.into()),
                Said::Nothing => What::Silent,
            };
            self.emit(node, part, what);
        }
    }

    /// Results of tools among the blocks. What the record keeps tells of one: where it holds several, it is nobody's.
    fn results(&mut self, record: &Record<'_>, cwd: Option<&str>, node: &mut Node) {
        let is_result = |block: &&Block<'_>| block.kind.is("tool_result");
        let is_one = record.blocks().iter().filter(is_result).count() == 1;
        let kept = if is_one { &record.tool_use_result } else { &Kept::Nothing };
        for (part, block) in (0u16..).zip(record.blocks()).filter(|(_, block)| is_result(block)) {
            let Some(call) = block.tool_use_id.filled() else { continue };
            let (call, asked) = self.known.take_call(call);
            let result = tools::result(call, block, kept, asked.as_ref(), cwd);
            self.emit(node, part, What::Result(result));
        }
    }

    fn assistant(&mut self, record: &Record<'_>, node: &mut Node) {
        let Some(message) = &record.message.0 else { return };
        let cwd = self.cwd_of(record);
        for (part, block) in (0u16..).zip(&message.content.0) {
            let what = match block.kind.or_empty() {
                "text" => words(&block.text).map_or(What::Silent, What::Text),
                "thinking" => words(&block.thinking).map_or(What::Silent, What::Thought),
                "redacted_thinking" => What::Silent,
                "tool_use" | "server_tool_use" | "mcp_tool_use" => self.call(block, cwd.as_deref()),
                "fallback" => What::System(system::fallback(block).into()),
                kind if kind.ends_with("_tool_result") => self.result_among_words(block),
                kind => What::Unknown(format!("assistant block {kind}").into()),
            };
            self.emit(node, part, what);
        }
        if let Some(usage) = usage(record, message, &mut self.names) {
            self.emit(node, 0, What::Usage(usage));
        }
    }

    fn call(&mut self, block: &Block<'_>, cwd: Option<&str>) -> What {
        let Some(id) = block.id.filled().map(Arc::<str>::from) else { return What::Unknown("call without id".into()) };
        let shared = self.known.told.cwd.as_ref();
        let (call, asked) =
            tools::call(id.clone(), self.names.get(block.name.or_empty()), &json::read(block.input), cwd, shared);
        Arc::make_mut(&mut self.known.calls).put(id, asked);
        What::Call(call)
    }

    /// The result of a tool that ran where the model runs.
    fn result_among_words(&mut self, block: &Block<'_>) -> What {
        let Some(call) = block.tool_use_id.filled() else { return What::Silent };
        let (call, asked) = self.known.take_call(call);
        What::Result(tools::result(call, block, &Kept::Nothing, asked.as_ref(), None))
    }

    fn attachment(&mut self, record: &Record<'_>, node: &mut Node) {
        let attachment = system::read_attachment(record);
        match attachment.kind.or_empty() {
            "queued_command" => {
                let by_client = is_told_by_client(attachment.origin.0.as_ref().and_then(|origin| origin.kind.get()))
                    || is_told_by_client(attachment.command_mode.get());
                let manner = Manner { injected: by_client, ..Manner::default() };
                self.say(listen(&attachment.prompt.0, manner), PromptSource::Queued, node);
            }
            "edited_text_file" => {
                let cwd = self.cwd_of(record);
                let path = absolute(cwd.as_deref(), attachment.filename.or_empty()).into();
                self.emit(node, 0, What::ChangedOutside { path });
            }
            _ => self.emit(node, 0, system::attachment(&attachment)),
        }
    }

    fn system(&mut self, record: &Record<'_>, text: &str, node: &mut Node) {
        match record.subtype.or_empty() {
            "compact_boundary" => {
                let rare: Rare<'_> = json::from_str(text).unwrap_or_default();
                let metadata = rare.compact_metadata.0.unwrap_or_default();
                let tokens_before = metadata.pre_tokens.count();
                let what = Compaction { automatic: metadata.trigger.0, tokens_before, summary_chars: None };
                self.emit(node, 0, What::Compacted(what));
            }
            "local_command" => self.say(local_command(record), PromptSource::Typed, node),
            _ => self.emit(node, 0, system::system(record, text)),
        }
    }

    fn progress(&mut self, record: &Record<'_>, node: &mut Node) {
        let progress: Progress<'_> = json::read(record.data);
        match progress.kind.or_empty() {
            "agent_progress" => self.agent_progress(record, &progress, node),
            // `callback` is the client calling itself.
            "hook_progress" if !progress.command.is("callback") => {
                let event = progress.hook_event.filled().unwrap_or("?");
                let words = system::with(&format!("hook {event}"), &head(progress.command.or_empty()));
                self.emit(node, 0, What::System(words.into()));
            }
            // Output of a running command and the like: told again by the result, once a second.
            _ => {}
        }
    }

    /// A record of a sub-agent inside the parent's log.
    fn agent_progress(&mut self, record: &Record<'_>, progress: &Progress<'_>, outer: &mut Node) {
        let Some(agent) = progress.agent_id.filled() else { return };
        let agent = self.start(agent, record.parent_tool_use_id.filled(), outer);
        let Some(inner) = &progress.message.0 else { return };
        let id = inner.id();
        if id.is_some_and(|id| !Arc::make_mut(&mut self.known.inner).put(id, ())) {
            return;
        }
        let at = inner.time().or(outer.at);
        let mut node = Node { id, parent: None, at, side: Some(agent.clone()), told: false, place: outer.place };
        let cwd = self.cwd_of(record);
        let says = inner.message.0.as_ref().map(|message| message.content.text()).unwrap_or_default();
        let task = progress.task();
        if inner.kind.is("user") && !says.trim().is_empty() && says.trim() == task {
            self.task(&agent, &task, &mut node);
        } else if !task.is_empty() {
            self.task(&agent, &task, &mut Node { id: None, ..node.clone() });
        }
        match inner.kind.or_empty() {
            "assistant" => self.assistant(inner, &mut node),
            "user" => {
                self.results(inner, cwd.as_deref(), &mut node);
                let mut told = listen(inner.blocks(), manner_of(inner));
                // A second prompt can only be the client's: nobody types to a sub-agent.
                told.retain(|(_, said)| *said == Said::Interrupted);
                self.say(told, PromptSource::Task, &mut node);
            }
            _ => {}
        }
        if node.id.is_some() && !node.told {
            self.emit(&mut node, 0, What::Silent);
        }
    }

    /// Tells once that a sub-agent was started.
    fn start(&mut self, agent: &str, call: Option<&str>, node: &Node) -> Arc<str> {
        if let Some((known, _)) = self.known.started.get(agent) {
            return known.clone();
        }
        let agent: Arc<str> = agent.into();
        Arc::make_mut(&mut self.known.started).put(agent.clone(), false);
        if let Some(call) = call {
            self.emit_beside(node, What::SideStarted { call: call.into(), side: agent.clone() });
        }
        agent
    }

    /// Tells the task of a sub-agent once.
    fn task(&mut self, agent: &Arc<str>, text: &str, node: &mut Node) {
        let is_told = self.known.started.get(&**agent).is_some_and(|(_, is_told)| *is_told);
        if !is_told {
            Arc::make_mut(&mut self.known.started).put(agent.clone(), true);
            let text = Excerpt::with_limit(text, Prompt::LIMIT);
            self.emit(node, PART_TASK, What::Prompt(Prompt { text, source: PromptSource::Task, images: 0 }));
        }
    }

    /// Records that only carry a session's id, and those of types never seen before.
    fn outside_of_the_tree(&mut self, record: &Record<'_>, text: &str, node: &mut Node) {
        let kind = record.kind.or_empty();
        let rare = || json::from_str::<Rare<'_>>(text).unwrap_or_default();
        match kind {
            "summary" => {
                // The leaf may lie in another log: then this title is that log's.
                node.parent = record.leaf_uuid.filled().map(record_id);
                self.title(TitleSource::Summary, rare().summary.get(), node);
            }
            "ai-title" => self.title(TitleSource::Generated, rare().ai_title.get(), node),
            "custom-title" => self.title(TitleSource::Custom, rare().custom_title.get(), node),
            "last-prompt" => {
                if let Some(leaf) = record.leaf_uuid.filled() {
                    self.emit(node, 0, What::Leaf(record_id(leaf)));
                }
            }
            "file-history-snapshot" | "file-history-delta" => self.backups(record, &rare(), node),
            kind if system::is_housekeeping(kind) => {}
            kind => {
                let what = match system::outside_of_the_tree(kind, text) {
                    // A pull request is told again each time that the session is saved.
                    Some(words) if kind == "pr-link" && !self.known.is_new_link(&words) => return,
                    Some(words) => What::System(words.into()),
                    None if kind.is_empty() => What::Unknown("record without a type".into()),
                    None => What::Unknown(kind.into()),
                };
                self.emit(node, 0, what);
            }
        }
    }

    fn title(&mut self, source: TitleSource, title: Option<&str>, node: &mut Node) {
        if let Some(title) = title.map(str::trim).filter(|title| !title.is_empty()) {
            self.emit(node, 0, What::Title(source, title.into()));
        }
    }

    /// Snapshots repeat all backups so far: only what is new since the last one is told.
    fn backups(&mut self, record: &Record<'_>, rare: &Rare<'_>, node: &mut Node) {
        let Some(prompt) = record.message_id.filled().map(record_id) else { return };
        let snapshot = rare.snapshot.0.as_ref().map_or(&[][..], |snapshot| &snapshot.tracked_file_backups.0);
        let all = snapshot.iter().map(|(path, backup)| (path, backup)).chain([(&rare.tracking_path, &rare.backup)]);
        let mut files = Vec::new();
        for (path, backup) in all {
            let (Some(path), Some(backup)) = (path.filled(), &backup.0) else { continue };
            let path = absolute(self.known.first_cwd.as_deref(), path);
            let name = backup.backup_file_name.filled();
            if self.known.is_new_backup(&path, name) {
                let at = backup.backup_time.filled().and_then(time);
                files.push(Backup { path: path.into(), name: name.map(Into::into), at });
            }
        }
        if !files.is_empty() {
            self.emit(node, 0, What::Backups { prompt, files });
        }
    }

    fn cwd_of(&self, record: &Record<'_>) -> Option<Arc<str>> {
        match record.cwd.filled() {
            Some(cwd) if self.known.told.cwd.as_deref() != Some(cwd) => Some(cwd.into()),
            _ => self.known.told.cwd.clone(),
        }
    }
}

/// How the text of a user record is to be taken.
pub(super) fn manner_of(record: &Record<'_>) -> Manner {
    let origin = record.origin.0.as_ref().and_then(|origin| origin.kind.get());
    let by_client = record.prompt_source.is("system") || is_told_by_client(origin);
    Manner {
        injected: record.is_meta.0 || record.is_visible_in_transcript_only.0 || by_client,
        summary: record.is_compact_summary.0,
        task: record.is_sidechain.0 && record.parent().is_none(),
    }
}

/// What a slash command that the client itself does says of itself.
pub(super) fn local_command(record: &Record<'_>) -> Vec<(u16, Said)> {
    vec![(0, one(record.content.or_empty(), Manner { injected: true, ..Manner::default() }))]
}

/// Where a text comes from, as `origin.kind` or `commandMode` name it, is not a person.
pub(super) fn is_told_by_client(origin: Option<&str>) -> bool {
    origin == Some("task-notification")
}

/// A boundary tells of the compaction, the record behind it holds the summary: two entries, each with what it knows,
/// and whoever reads them takes them for one.
fn summary(text: &str) -> Compaction {
    let chars = u32::try_from(text.chars().count()).ok();
    Compaction { automatic: None, tokens_before: None, summary_chars: chars }
}

/// Newer versions leave thoughts empty but for a signature.
fn words(told: &Told<'_>) -> Option<Excerpt> {
    (!told.is_blank()).then(|| told.excerpt.clone())
}

fn usage(record: &Record<'_>, message: &Message<'_>, names: &mut Names) -> Option<Usage> {
    let counts = message.usage.0.as_ref()?;
    if record.is_api_error_message.0 || message.model.is(SYNTHETIC) {
        return None;
    }
    let response = match (message.id.filled(), record.request_id.filled()) {
        (Some(message), Some(request)) => Some(hashed(&[message, request])),
        // Without a request the message's id holds inside one session only.
        (Some(message), None) => Some(hashed(&[message, "in", record.session_id.or_empty()])),
        (None, Some(request)) => Some(hashed(&[request])),
        (None, None) => None,
    };
    let model = message.model.filled().map(|model| names.get(model));
    Some(Usage { response, model, tokens: tokens(counts) })
}

fn tokens(counts: &TokenCounts) -> Tokens {
    let creation = counts.cache_creation.0.as_ref();
    let hour = creation.and_then(|creation| creation.ephemeral_1h_input_tokens.count()).unwrap_or(0);
    let minutes = creation.and_then(|creation| creation.ephemeral_5m_input_tokens.count()).unwrap_or(0);
    let cache_write = counts.cache_creation_input_tokens.count().unwrap_or_else(|| hour.saturating_add(minutes));
    Tokens {
        input: counts.input_tokens.count().unwrap_or(0),
        cache_write,
        cache_write_hour: hour.min(cache_write),
        cache_read: counts.cache_read_input_tokens.count().unwrap_or(0),
        output: counts.output_tokens.count().unwrap_or(0),
    }
}
