//! The whole of a record, or of one content block of it.

use std::sync::Arc;

use trace::{Change, Content, Hunk, Observation, Replacement, StepKind, Timestamp};

use super::patch::restore_tabs;
use super::record::{Block, Input, OneEdit, Outcome, PatchHunk, Progress, Record};
use super::said::{Said, listen};
use super::scan::{local_command, manner_of};
use super::{PART_TASK, system, tools};
use crate::json::{self, List, Raw, Str};
use crate::paths::absolute;

/// What the object in `bytes` says at `part`. `None`: it cannot be understood.
pub(super) fn content(bytes: &[u8], part: u16) -> Option<Content> {
    read(bytes, |record, _| of_record(record, part))
}

/// The same with the record itself.
pub(super) fn whole(bytes: &[u8], part: u16) -> Option<Content> {
    read(bytes, |record, text| Content { record: json::pretty(text), ..of_record(record, part) })
}

fn read(bytes: &[u8], say: impl Fn(&Record<'_>, &str) -> Content) -> Option<Content> {
    let text = String::from_utf8_lossy(bytes);
    let (record, used) = json::first::<Record<'_>>(&text)?;
    Some(say(&record, text.get(..used)?))
}

fn of_record(record: &Record<'_>, part: u16) -> Content {
    match record.kind.or_empty() {
        "user" | "assistant" => of_message(record, part, record.cwd.get(), record.time()),
        "progress" => {
            let progress: Progress<'_> = json::read(record.data);
            match &progress.message.0 {
                _ if part == PART_TASK => text(&progress.task()),
                Some(inner) => of_message(inner, part, record.cwd.get(), inner.time().or(record.time())),
                None => Content::default(),
            }
        }
        "attachment" => {
            let attachment = system::read_attachment(record);
            match said(listen(&attachment.prompt.0, Default::default()), part) {
                Some(prompt) if attachment.kind.is("queued_command") => text(&prompt),
                _ => text(&system::text_of_attachment(&attachment)),
            }
        }
        "system" if record.subtype.is("local_command") => {
            said(local_command(record), part).map_or_else(|| text(record.content.or_empty()), |said| text(&said))
        }
        _ => text(record.content.or_empty()),
    }
}

fn text(text: &str) -> Content {
    Content { text: text.to_owned(), ..Content::default() }
}

fn of_message(record: &Record<'_>, part: u16, cwd: Option<&str>, at: Option<Timestamp>) -> Content {
    let blocks = record.blocks();
    let Some(block) = blocks.get(usize::from(part)) else { return Content::default() };
    match block.kind.or_empty() {
        "thinking" => text(&block.thinking.text.or_empty()),
        "tool_use" | "server_tool_use" | "mcp_tool_use" => of_call(block, cwd),
        "tool_result" => {
            let alone = blocks.iter().filter(|block| block.kind.is("tool_result")).count() == 1;
            of_result(block, record.tool_use_result.outcome().filter(|_| alone), cwd, at)
        }
        kind if kind.ends_with("_tool_result") => text(&tools::output(block)),
        // Text and images of a user make one prompt, without what the client put before it.
        _ if record.kind.is("user") => said(listen(blocks, manner_of(record)), part)
            .map_or_else(|| text(&block.text.text.or_empty()), |said| text(&said)),
        _ => text(&block.text.text.or_empty()),
    }
}

/// The prompt, command, output or summary told at `part`.
fn said(told: Vec<(u16, Said)>, part: u16) -> Option<String> {
    let (_, said) = told.into_iter().find(|(at, _)| *at == part)?;
    match said {
        Said::Prompt { text, .. } | Said::Command(text) | Said::CommandOutput(text) | Said::Summary(text) => Some(text),
        Said::Interrupted | Said::Injected(_) | Said::Nothing => None,
    }
}

fn of_call(block: &Block<'_>, cwd: Option<&str>) -> Content {
    let tool = block.name.or_empty();
    let input: Input<'_> = json::read(block.input);
    let whole = match input.command.filled() {
        Some(command) if tools::kind_of(tool) == StepKind::Command => command.to_owned(),
        _ => block.input.map_or(String::new(), |raw| json::pretty(raw.get())),
    };
    Content { input: whole, changes: change_asked_for(tool, &input, cwd).into_iter().collect(), ..Content::default() }
}

fn change_asked_for(tool: &str, input: &Input<'_>, cwd: Option<&str>) -> Option<Change> {
    let path = input.file_path.filled().or(input.notebook_path.filled())?;
    let mut change = no_change(absolute(cwd, path).into());
    match tool {
        "Edit" => change.replacements.push(replacement(&input.old_string, &input.new_string, input.replace_all.0)),
        "MultiEdit" => change.replacements = replacements(&input.edits),
        "Write" => change.after = whole_text(input.content),
        "NotebookEdit" => {}
        _ => return None,
    }
    Some(change)
}

fn of_result(block: &Block<'_>, told: Option<&Outcome<'_>>, cwd: Option<&str>, at: Option<Timestamp>) -> Content {
    let output = tools::output(block).into_owned();
    let Some(told) = told.filter(|_| !block.is_error.0) else { return text(&output) };
    let observed = observation(told, cwd, at);
    Content { text: output, changes: change_told(told, cwd).into_iter().collect(), observed, ..Content::default() }
}

fn observation(told: &Outcome<'_>, cwd: Option<&str>, at: Option<Timestamp>) -> Vec<Observation> {
    let Some(path) = tools::whole_read(told, cwd) else { return Vec::new() };
    let content = told.file.0.as_ref().and_then(|file| whole_text(file.content));
    content.map(|text| Observation { path, at, text }).into_iter().collect()
}

fn change_told(told: &Outcome<'_>, cwd: Option<&str>) -> Option<Change> {
    let stub = tools::edit_told(told, cwd)?;
    let mut change = no_change(stub.path);
    change.created = stub.created;
    change.user_modified = told.user_modified.0;
    change.hunks = hunks(told.structured_patch);
    change.before = whole_text(told.original_file).or_else(|| whole_text(told.original_file_contents));
    if told.notebook_path.filled().is_some() {
        change.before = whole_text(told.original_notebook);
        change.after = whole_text(told.updated_notebook);
    } else if told.old_string.is_some() {
        let (old, new) = (json::read::<Str<'_>>(told.old_string), json::read::<Str<'_>>(told.new_string));
        change.replacements.push(replacement(&old, &new, told.replace_all.0));
        change.after = new.get().filter(|_| stub.created).map(Arc::from);
    } else if told.edits.is_some() {
        change.replacements = replacements(&json::read(told.edits));
    } else {
        change.after = whole_text(told.content);
    }
    if change.created {
        change.before = None;
    }
    restore_tabs(&mut change);
    Some(change)
}

fn no_change(path: Box<str>) -> Change {
    Change {
        path,
        before: None,
        after: None,
        replacements: Vec::new(),
        hunks: Vec::new(),
        created: false,
        deleted: false,
        user_modified: false,
        moved_to: None,
    }
}

fn replacements(edits: &List<OneEdit<'_>>) -> Vec<Replacement> {
    edits.objects().map(|edit| replacement(&edit.old_string, &edit.new_string, edit.replace_all.0)).collect()
}

fn replacement(old: &Str<'_>, new: &Str<'_>, all: bool) -> Replacement {
    Replacement { old: old.or_empty().into(), new: new.or_empty().into(), all }
}

fn hunks(raw: Option<Raw<'_>>) -> Vec<Hunk> {
    let hunks: List<PatchHunk<Vec<Str<'_>>>> = json::read(raw);
    let told = hunks.objects().map(|hunk| Hunk {
        old_start: hunk.old_start.small().unwrap_or(0),
        new_start: hunk.new_start.small().unwrap_or(0),
        // `\ No newline at end of file` is no line.
        lines: hunk.lines.iter().map(Str::or_empty).filter(|line| !line.starts_with('\\')).map(Into::into).collect(),
    });
    told.collect()
}

fn whole_text(raw: Option<Raw<'_>>) -> Option<Arc<str>> {
    json::text(raw).map(Arc::from)
}
