//! Entries as one line each, for tests.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use trace::{Call, Change, Context, EditStub, Entry, RecordId, Tokens, ToolResult, Usage, What};

/// `what`, with ` #part` where the place has one and ` < n` where the parent is the n-th entry's record.
pub(crate) fn show(entries: &[Entry]) -> String {
    let mut told = String::new();
    for entry in entries {
        let what = show_what(&entry.what, &Names(HashMap::new()));
        let side = entry.side.as_ref().map_or(String::new(), |side| format!(" ({side})"));
        let parent = entry.parent.map(|parent| entries.iter().position(|other| other.id == Some(parent)));
        let parent = match parent {
            None => String::new(),
            Some(Some(at)) => format!(" < {}", at + 1),
            Some(None) => " < ?".to_owned(),
        };
        writeln!(told, "{what}{side}{parent}").expect("writing to a string");
    }
    told
}

/// What the body of each entry holds beside its record.
pub(crate) fn show_body(content: &trace::Content) -> String {
    let mut told = String::new();
    for (name, text) in [("text", &content.text), ("input", &content.input)] {
        if !text.is_empty() {
            writeln!(told, "{name} {text:?}").expect("writing to a string");
        }
    }
    for change in &content.changes {
        writeln!(told, "{}", show_change(change)).expect("writing to a string");
    }
    for seen in &content.observed {
        writeln!(told, "observed {} {:?}", seen.path, seen.text).expect("writing to a string");
    }
    told
}

pub(crate) fn show_change(change: &Change) -> String {
    let mut told = format!("change {}", change.path);
    let flags = [(change.created, " created"), (change.deleted, " deleted"), (change.user_modified, " by the person")];
    flags.iter().filter(|(set, _)| *set).for_each(|(_, word)| told.push_str(word));
    if let Some(path) = &change.moved_to {
        write!(told, " → {path}").expect("writing to a string");
    }
    for (name, text) in [("before", &change.before), ("after", &change.after)] {
        if let Some(text) = text {
            write!(told, "\n  {name} {text:?}").expect("writing to a string");
        }
    }
    for one in &change.replacements {
        let all = if one.all { " everywhere" } else { "" };
        write!(told, "\n  {:?} → {:?}{all}", one.old, one.new).expect("writing to a string");
    }
    for hunk in &change.hunks {
        write!(told, "\n  hunk {},{} {:?}", hunk.old_start, hunk.new_start, hunk.lines).expect("writing to a string");
    }
    told
}

/// The words of a fixture, by the ids that they become.
pub(crate) struct Names<'f>(pub(crate) HashMap<RecordId, &'f str>);

impl Names<'_> {
    pub(crate) fn of(&self, id: Option<RecordId>) -> &str {
        id.map_or("-", |id| self.0.get(&id).copied().unwrap_or("?"))
    }
}

pub(crate) fn show_what(what: &What, names: &Names<'_>) -> String {
    match what {
        What::Prompt(prompt) => {
            let images = if prompt.images > 0 { format!(" +{} images", prompt.images) } else { String::new() };
            format!("{:?} prompt {:?}{images}", prompt.source, prompt.text.head)
        }
        What::SlashCommand(command) => format!("SlashCommand {command:?}"),
        What::Text(text) => format!("Text {:?}", text.head),
        What::Thought(text) => format!("Thought {:?}", text.head),
        What::Call(call) => show_call(call),
        What::Result(result) => show_result(result),
        What::Usage(usage) => show_usage(usage),
        What::Compacted(compaction) => format!(
            "Compacted automatic={:?} before={:?} summary={:?}",
            compaction.automatic, compaction.tokens_before, compaction.summary_chars
        ),
        What::Title(source, title) => format!("Title {source:?} {title:?}"),
        What::Context(context) => format!("Context{}", show_context(context)),
        What::Backups { prompt, files } => {
            let files: Vec<_> = files.iter().map(|backup| (&*backup.path, backup.name.as_deref())).collect();
            format!("Backups before {} {files:?}", names.of(Some(*prompt)))
        }
        What::ChangedOutside { path } => format!("ChangedOutside {path}"),
        What::SideStarted { call, side } => format!("SideStarted {side} by {call}"),
        What::Leaf(leaf) => format!("Leaf {}", names.of(Some(*leaf))),
        What::System(words) => format!("System {words:?}"),
        What::Unknown(kind) => format!("Unknown {kind:?}"),
        What::CommandOutput | What::Interrupted | What::Silent => format!("{what:?}"),
    }
}

/// Fields that are set, each as ` name=value`.
fn show_fields(fields: &[(&str, Option<String>)]) -> String {
    fields.iter().filter_map(|(name, value)| value.as_ref().map(|value| format!(" {name}={value}"))).collect()
}

fn show_call(call: &Call) -> String {
    let files = (!call.files.is_empty()).then(|| format!("{:?}", call.files));
    let fields = [
        ("detail", call.detail.as_ref().map(|text| format!("{text:?}"))),
        ("task", call.task.as_ref().map(|text| format!("{text:?}"))),
        ("files", files),
    ];
    format!("Call {} {} {} {:?}{}", call.id, call.tool, call.kind.id(), call.subject.head, show_fields(&fields))
}

fn show_result(result: &ToolResult) -> String {
    let flags = [(result.error, " error"), (result.refused, " refused"), (result.interrupted, " interrupted")];
    let flags: String = flags.iter().filter(|(set, _)| *set).map(|(_, word)| *word).collect();
    let fields = [
        ("exit", result.exit.map(|status| status.to_string())),
        ("count", result.count.map(|count| count.to_string())),
        ("whole", result.whole_read.as_ref().map(|path| path.to_string())),
        ("side", result.side.as_ref().map(|side| side.to_string())),
        ("commit", result.commit.as_ref().map(|commit| commit.to_string())),
    ];
    let edits: String = result.edits.iter().map(show_edit).collect();
    format!("Result {}{flags} {:?}{}{edits}", result.call, result.output.head, show_fields(&fields))
}

fn show_edit(edit: &EditStub) -> String {
    let flags = [(edit.created, " created"), (edit.deleted, " deleted")];
    let flags: String = flags.iter().filter(|(set, _)| *set).map(|(_, word)| *word).collect();
    let moved = edit.moved_to.as_ref().map_or(String::new(), |path| format!(" → {path}"));
    format!(" [{}:{} +{} -{}{flags}{moved}]", edit.path, edit.line, edit.added, edit.removed)
}

fn show_usage(usage: &Usage) -> String {
    let Tokens { input, cache_write, cache_write_hour, cache_read, output } = usage.tokens;
    let response = usage.response.map_or("-".to_owned(), |id| format!("{:04x}", id.number() & 0xFFFF));
    let model = usage.model.as_deref().unwrap_or("-");
    format!(
        "Usage {response} {model} in {input}, written {cache_write} (hour {cache_write_hour}), read {cache_read}, out {output}"
    )
}

fn show_context(context: &Context) -> String {
    let text = |text: &Option<Arc<str>>| text.as_ref().map(|text| text.to_string());
    show_fields(&[
        ("session", text(&context.session)),
        ("parent_session", text(&context.parent_session)),
        ("forked_from", text(&context.forked_from)),
        ("cwd", text(&context.cwd)),
        ("branch", text(&context.branch)),
        ("commit", text(&context.start_commit)),
        ("model", text(&context.model)),
        ("version", text(&context.version)),
        ("entrypoint", text(&context.entrypoint)),
    ])
}
