//! The whole of a record.

use trace::{Change, Content, Place};

use super::record::{Payload, Record};
use super::scan::Scanner;
use super::tools;
use super::{PART_RESULT, PART_SPAN, said};
use crate::json;
use crate::jsonl::{self, Read, Records};

/// What the bytes at a place say. `None`: other bytes lie there now, or they cannot be understood.
pub(super) fn content(bytes: &[u8], place: Place) -> Option<Content> {
    read(bytes, place, |record, _| of_record(record, place.part))
}

/// The same with the record itself.
pub(super) fn whole(bytes: &[u8], place: Place) -> Option<Content> {
    read(bytes, place, |record, text| Content { record: json::pretty(text), ..of_record(record, place.part) })
}

fn read(bytes: &[u8], place: Place, say: impl Fn(&Record<'_>, &str) -> Content + Send) -> Option<Content> {
    if place.part == PART_SPAN {
        return of_span(bytes, place, say);
    }
    if jsonl::check(bytes) != place.check {
        return None;
    }
    let text = String::from_utf8_lossy(bytes);
    let (record, used) = Record::first(&text)?;
    Some(say(&record, text.get(..used)?))
}

/// A script's patches and, as the last record, its result (or its last patch, where it was cut off).
fn of_span(bytes: &[u8], place: Place, say: impl Fn(&Record<'_>, &str) -> Content + Send) -> Option<Content> {
    let mut span = Span { check: place.check, say, changes: Vec::new(), last: None };
    jsonl::take_all(bytes, &mut span);
    let Span { changes, last, .. } = span;
    Some(Content { changes, ..last? })
}

struct Span<F> {
    /// That of the last record.
    check: u32,
    say: F,
    changes: Vec<Change>,
    /// What the last record says, if it is the one that it should be.
    last: Option<Content>,
}

impl<F: Fn(&Record<'_>, &str) -> Content + Send> Records for Span<F> {
    type Record<'a> = Record<'a>;

    fn read(text: &str, salvaged: bool) -> Option<(Record<'_>, usize)> {
        Scanner::read(text, salvaged)
    }

    fn take<'a>(&mut self, read: &Read<'a, Record<'a>>) {
        self.changes.extend(changes_of_script(&read.record).into_iter().flatten());
        let is_it = read.place.check == self.check;
        self.last = is_it.then(|| (self.say)(&read.record, read.text));
    }
}

/// What a patch inside of a script changed; `None`: the record is no such patch.
fn changes_of_script(record: &Record<'_>) -> Option<Vec<Change>> {
    let payload = record.payload.0.as_deref()?;
    let is_inner = payload.kind.is("patch_apply_end") && !payload.call_id.or_empty().starts_with("call_");
    (is_inner && tools::is_success(payload)).then(|| changes_told(payload))
}

fn changes_told(payload: &Payload<'_>) -> Vec<Change> {
    payload.files_changed().iter().map(|(path, told)| tools::change_told(path, told)).collect()
}

fn of_record(record: &Record<'_>, part: u16) -> Content {
    let Some(payload) = &record.payload.0 else { return Content::default() };
    match record.kind.or_empty() {
        "response_item" => of_item(payload),
        "event_msg" => of_event(payload, part),
        _ => text(payload.message.or_empty()),
    }
}

fn of_item(item: &Payload<'_>) -> Content {
    match item.kind.or_empty() {
        "message" | "" | "agent_message" => {
            let (blocks, _) = item.blocks();
            match item.role.or_empty() {
                "user" => text(&said::typed_in_blocks(&blocks)),
                _ => text(blocks.join("\n").trim()),
            }
        }
        "reasoning" => text(&item.thought()),
        "function_call_output" | "custom_tool_call_output" | "tool_search_output" => {
            text(&tools::output(item.output).text)
        }
        _ => of_call(item),
    }
}

fn of_call(item: &Payload<'_>) -> Content {
    let made = tools::made(item, None);
    let changes = made.changes();
    let patch = made.patch.map(|(text, _)| text);
    let raw = || {
        let told = item.arguments.or(item.input).map(|raw| super::record::inner_json(Some(raw)));
        let told = told.unwrap_or_default();
        if told.starts_with(['{', '[']) { json::pretty(&told) } else { told.into_owned() }
    };
    let input = made.command.or(patch).or(made.text).unwrap_or_else(raw);
    Content { input, changes, ..Content::default() }
}

fn of_event(event: &Payload<'_>, part: u16) -> Content {
    match event.kind.or_empty() {
        "user_message" => text(said::typed(event.message.or_empty()).unwrap_or_default()),
        "agent_reasoning" => text(event.text.or_empty()),
        "patch_apply_end" => of_patch(event),
        "item_completed" => of_patch(&json::read(event.item)),
        "web_search_end" if part == PART_RESULT => Content::default(),
        "web_search_end" => Content { input: event.query.or_empty().to_owned(), ..Content::default() },
        _ => text(event.message.or_empty()),
    }
}

fn of_patch(event: &Payload<'_>) -> Content {
    let success = tools::is_success(event);
    let changes = if success { changes_told(event) } else { Vec::new() };
    Content { text: tools::said_of_patch(event).into_owned(), changes, ..Content::default() }
}

fn text(text: &str) -> Content {
    Content { text: text.to_owned(), ..Content::default() }
}
