//! From messages to entries.

use std::sync::Arc;

use trace::{
    Compaction, Context, Entry, Excerpt, Place, Prompt, PromptSource, RecordId, Timestamp, TitleSource, Tokens, Usage,
    What,
};

use super::record::{After, Log, Message, Slot, TokenCounts, with_message};
use super::{PART_CALLS, PART_THOUGHTS, tools};
use crate::Sink;
use crate::ids::{hashed, record_id, time};
use crate::jsonl;
use crate::words::head;

/// Texts that the client put in, by their beginnings.
const INJECTED: &[&str] = &[
    "<session_context>",
    "<hook_context>",
    "<system_reminder>",
    "<system-reminder>",
    "System: ",
    "This is the Gemini CLI. We are setting up the context",
];
const SUMMARY: &str = "<state_snapshot>";
const SHELL: &str = "I ran the following shell command:";

/// Whose log it is, and where its project lies.
pub(super) struct Whose {
    /// The session of which this log is a sub-agent's part.
    pub(super) parent: Option<Arc<str>>,
    pub(super) root: Option<String>,
}

pub(super) struct Scanner<'s> {
    whose: &'s Whose,
    sink: &'s mut Sink<'s>,
    model: Option<String>,
}

#[derive(Clone, Copy)]
struct Spot {
    place: Place,
    id: Option<RecordId>,
    parent: Option<RecordId>,
    at: Option<Timestamp>,
}

impl<'s> Scanner<'s> {
    pub(super) fn new(whose: &'s Whose, sink: &'s mut Sink<'s>) -> Scanner<'s> {
        Scanner { whose, sink, model: None }
    }

    /// Tells the whole log; gives how many records it has.
    pub(super) fn log(&mut self, log: &Log<'_>) -> u32 {
        let ids: Vec<Option<RecordId>> = log.messages.iter().map(|slot| id_of(slot.raw)).collect();
        let root = log.head.session.as_deref().map(|session| hashed(&["session", session]));
        if let Some(first) = log.messages.first() {
            self.head(log, first, root);
        }
        for (slot, id) in log.messages.iter().zip(&ids) {
            let parent = match slot.after {
                After::TheOneBefore => None,
                After::Beginning => root,
                After::Message(index) => ids.get(index).copied().flatten(),
            };
            let Some(place) = place(slot) else { continue };
            let spot = Spot { place, id: *id, parent, at: None };
            with_message(slot.raw, |message| self.message(message, spot));
        }
        u32::try_from(log.messages.len()).unwrap_or(u32::MAX)
    }

    fn head(&mut self, log: &Log<'_>, first: &Slot<'_>, root: Option<RecordId>) {
        let Some(place) = place(first) else { return };
        let spot = Spot { place, id: root, parent: None, at: log.head.started.as_deref().and_then(time) };
        let session: Option<Arc<str>> = log.head.session.as_deref().map(Arc::from);
        let context = Context {
            parent_session: self.whose.parent.clone(),
            cwd: self.whose.root.as_deref().map(Arc::from),
            session: session.clone(),
            ..Context::default()
        };
        let side = self.whose.parent.as_ref().and(session);
        let what = What::Context(context);
        (self.sink)(Entry { place, id: root, parent: None, at: spot.at, side, what });
        if let Some(summary) = log.head.summary.as_deref() {
            self.emit(Spot { id: None, ..spot }, 0, What::Title(TitleSource::Summary, head(summary).into()));
        }
    }

    fn emit(&mut self, spot: Spot, part: u16, what: What) {
        let Spot { place, id, parent, at } = spot;
        (self.sink)(Entry { place: Place { part, ..place }, id, parent, at, side: None, what });
    }

    fn message(&mut self, message: &Message<'_>, spot: Spot) {
        let spot = Spot { at: message.time(), ..spot };
        let (text, images) = message.said();
        match message.kind.or_empty() {
            "user" => self.user(&text, images, spot),
            "gemini" | "model" => self.answer(message, &text, spot),
            "info" | "error" | "warning" => self.client(message.kind.or_empty(), text.trim(), spot),
            kind => {
                let kind = if kind.is_empty() { "message without a type" } else { kind };
                self.emit(spot, 0, What::Unknown(kind.into()));
            }
        }
    }

    fn user(&mut self, text: &str, images: u32, spot: Spot) {
        let what = match heard(text) {
            Heard::Prompt(text) if text.is_empty() && images == 0 => What::Silent,
            Heard::Prompt(text) => {
                let source = if self.whose.parent.is_some() { PromptSource::Task } else { PromptSource::Typed };
                What::Prompt(Prompt { text: Excerpt::with_limit(text, Prompt::LIMIT), source, images })
            }
            Heard::Summary(text) => {
                let summary_chars = u32::try_from(text.chars().count()).ok();
                What::Compacted(Compaction { automatic: None, tokens_before: None, summary_chars })
            }
            Heard::Shell(command) => {
                self.emit(spot, 0, What::SlashCommand(command.into()));
                What::CommandOutput
            }
            Heard::Injected => What::System(format!("injected: {}", head(text)).into()),
        };
        self.emit(spot, 0, what);
    }

    fn answer(&mut self, message: &Message<'_>, text: &str, spot: Spot) {
        if let Some(model) = message.model.filled()
            && self.model.as_deref() != Some(model)
        {
            self.model = Some(model.to_owned());
            let context = Context { model: Some(model.into()), ..Context::default() };
            self.emit(Spot { id: None, parent: None, ..spot }, 0, What::Context(context));
        }
        for (part, thought) in (PART_THOUGHTS..PART_CALLS).zip(message.thoughts.objects()) {
            let thought = thought.text();
            if !thought.trim().is_empty() {
                self.emit(spot, part, What::Thought(Excerpt::of(&thought)));
            }
        }
        let is_said = !text.trim().is_empty();
        self.emit(spot, 0, if is_said { What::Text(Excerpt::of(text)) } else { What::Silent });
        let root = self.whose.root.as_deref();
        for (part, told) in (PART_CALLS..).step_by(2).zip(message.tool_calls.objects()) {
            if told.id.filled().is_none() {
                self.emit(spot, part, What::Unknown("call without id".into()));
                continue;
            }
            self.emit(spot, part, What::Call(tools::call(told, root)));
            if let Some(title) = told.args().title.filled().filter(|_| told.name.is("update_topic")) {
                self.emit(
                    Spot { id: None, parent: None, ..spot },
                    part,
                    What::Title(TitleSource::Generated, title.into()),
                );
            }
            if let Some(result) = tools::result(told, root) {
                let at = told.time().or(spot.at);
                self.emit(Spot { at, ..spot }, part.saturating_add(1), What::Result(result));
            }
        }
        if let Some(counts) = &message.tokens.0 {
            let model = message.model.filled().map(Arc::from);
            self.emit(spot, 0, What::Usage(Usage { response: spot.id, model, tokens: tokens(counts) }));
        }
    }

    fn client(&mut self, kind: &str, text: &str, spot: Spot) {
        let what = match text {
            "Request cancelled." => What::Interrupted,
            text if kind == "info" => What::System(head(text).into()),
            text => What::System(format!("{kind}: {}", head(text)).into()),
        };
        self.emit(spot, 0, what);
    }
}

/// What a message of the user is.
pub(super) enum Heard<'t> {
    Prompt(&'t str),
    /// The summary from which the agent goes on after a compaction.
    Summary(&'t str),
    /// A command that the person ran: `!ls`.
    Shell(String),
    Injected,
}

pub(super) fn heard(text: &str) -> Heard<'_> {
    let text = text.trim();
    let text = match text.strip_prefix("<session_context>").and_then(|text| text.split_once("</session_context>")) {
        Some((_, behind)) if !behind.trim().is_empty() => behind.trim(),
        _ => text,
    };
    if let Some(behind) = text.strip_prefix(SHELL) {
        let command = behind.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("```"));
        return Heard::Shell(format!("!{}", command.unwrap_or_default()));
    }
    match text {
        text if text.starts_with(SUMMARY) => Heard::Summary(text),
        text if INJECTED.iter().any(|begin| text.starts_with(begin)) => Heard::Injected,
        text => Heard::Prompt(text),
    }
}

fn id_of(raw: &str) -> Option<RecordId> {
    with_message(raw, |message| message.id.filled().map(record_id)).flatten()
}

fn place(slot: &Slot<'_>) -> Option<Place> {
    let len = u32::try_from(slot.raw.len()).ok()?;
    Some(Place { at: slot.at as u64, len, part: 0, check: jsonl::check(slot.raw.as_bytes()) })
}

/// What is asked holds what came from the cache; what is thought is told beside what is said.
fn tokens(counts: &TokenCounts) -> Tokens {
    let of = |number: crate::json::Num| number.count().unwrap_or(0);
    let cached = of(counts.cached).min(of(counts.input));
    Tokens {
        input: (of(counts.input) - cached).saturating_add(of(counts.tool)),
        cache_write: 0,
        cache_write_hour: 0,
        cache_read: cached,
        output: of(counts.output).saturating_add(of(counts.thoughts)),
    }
}
