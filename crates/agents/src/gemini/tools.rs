//! Calls of tools and what came back from them.

use std::sync::Arc;

use trace::{Call, Change, Content, EditStub, Excerpt, Observation, Replacement, StepKind, ToolResult, Touches};

use super::record::{Args, Shown, ToolCall};
use crate::commands;
use crate::json::{self, Raw, Str};
use crate::paths::absolute;
use crate::unified;
use crate::words::commit_in_line;

/// Characters of a sub-agent's task by which its log is known.
const TASK: usize = 200;

fn kind_of(call: &ToolCall<'_>) -> StepKind {
    match call.name.or_empty() {
        "replace" | "edit" | "write_file" => StepKind::Edit,
        "run_shell_command" => StepKind::Command,
        "read_file" | "read_many_files" => StepKind::Read,
        "list_directory" | "glob" | "grep_search" | "search_file_content" | "google_web_search" | "web_fetch" => {
            StepKind::Search
        }
        "invoke_agent" | "delegate_to_agent" | "codebase_investigator" | "cli_help" => StepKind::Agent,
        _ if call.agent_id.filled().is_some() => StepKind::Agent,
        _ if call.shown().is_some_and(|shown| shown.is_subagent_progress.0) => StepKind::Agent,
        _ => StepKind::Other,
    }
}

/// The file that a call works on, as the log spells it.
fn file<'c>(args: &'c Args<'_>) -> Option<&'c str> {
    [&args.file_path, &args.absolute_path, &args.dir_path, &args.path].into_iter().find_map(Str::filled)
}

pub(super) fn call(told: &ToolCall<'_>, root: Option<&str>) -> Call {
    let (kind, args) = (kind_of(told), told.args());
    let task = [&args.prompt, &args.question, &args.objective].into_iter().find_map(Str::filled);
    let subject = match kind {
        StepKind::Command => args.command.filled(),
        StepKind::Search => {
            [&args.pattern, &args.query, &args.prompt].into_iter().find_map(Str::filled).or(file(&args))
        }
        StepKind::Agent => task,
        StepKind::Edit | StepKind::Read => file(&args),
        StepKind::Text | StepKind::Thought | StepKind::Other => args.title.filled(),
    };
    let detail = match kind {
        StepKind::Command => args.description.filled().map(str::to_owned),
        StepKind::Search => file(&args).filter(|path| subject != Some(path)).map(str::to_owned),
        StepKind::Agent => args.agent_name.filled().map(str::to_owned),
        StepKind::Read => lines_asked_for(&args),
        _ => None,
    };
    let task = task.filter(|_| kind == StepKind::Agent);
    Call {
        id: told.id.or_empty().into(),
        tool: told.name.or_empty().into(),
        kind,
        subject: Excerpt::of(subject.or(told.description.filled()).unwrap_or_default()),
        detail: detail.map(Into::into),
        task: task.map(|task| task.trim().chars().take(TASK).collect::<String>().into()),
        files: file(&args).map(|path| absolute(root, path).into()).into_iter().collect(),
        touches: if kind == StepKind::Command { touches(&args, root) } else { None },
    }
}

fn touches(args: &Args<'_>, root: Option<&str>) -> Option<Arc<Touches>> {
    let folder = match [&args.dir_path, &args.directory].into_iter().find_map(Str::filled) {
        Some(folder) => Some(absolute(root, folder).into()),
        None => root.map(Arc::from),
    };
    commands::touches(args.command.filled()?, folder)
}

/// `1-88`; `40-` where only the first line is told. Old versions count lines from 0.
fn lines_asked_for(args: &Args<'_>) -> Option<String> {
    if let Some(first) = args.start_line.small() {
        return Some(args.end_line.small().map_or(format!("{first}-"), |last| format!("{first}-{last}")));
    }
    let first = args.offset.small().map_or(1, |offset| offset.saturating_add(1));
    match args.limit.small() {
        Some(count) => Some(format!("{first}-{}", first.saturating_add(count).saturating_sub(1))),
        None => args.offset.small().map(|_| format!("{first}-")),
    }
}

/// How a call ended. `None`: it has not, or the log does not tell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Well,
    InError,
    /// By the person, before or while it ran.
    Cancelled,
}

fn ended(told: &ToolCall<'_>) -> Option<Ended> {
    match told.status.or_empty() {
        "success" => Some(Ended::Well),
        "error" => Some(Ended::InError),
        "cancelled" => Some(Ended::Cancelled),
        "" if told.result.is_some() && told.response().1 => Some(Ended::InError),
        "" if told.result.is_some() || told.shown().is_some() => Some(Ended::Well),
        _ => None,
    }
}

pub(super) fn result(told: &ToolCall<'_>, root: Option<&str>) -> Option<ToolResult> {
    let ended = ended(told)?;
    let (response, _) = told.response();
    let output = output(told, &response);
    let is_command = kind_of(told) == StepKind::Command;
    let denied = response.contains("denied") || response.contains("did not allow");
    let commits = is_command && told.args().command.get().is_some_and(|line| line.contains("commit"));
    let commit = if commits { output.lines().find_map(commit_in_line) } else { None };
    Some(ToolResult {
        call: told.id.or_empty().into(),
        error: ended != Ended::Well,
        refused: ended == Ended::Cancelled && denied,
        interrupted: ended == Ended::Cancelled && !denied,
        exit: if is_command { exit(ended, &response) } else { None },
        edits: edit(told, ended, root).into_iter().collect(),
        whole_read: whole_read(told, ended, &response).map(|path| absolute(root, path).into()),
        side: told.agent_id.filled().map(Arc::from),
        commit: commit.map(Into::into),
        count: None,
        output: Excerpt::of(&output),
    })
}

/// What is shown of a result: the text for the person, else that for the model.
fn output(told: &ToolCall<'_>, response: &str) -> String {
    let shown = json::read::<Str<'_>>(told.result_display);
    match shown.filled() {
        Some(shown) => shown.to_owned(),
        None => response.strip_prefix("Output: ").unwrap_or(response).to_owned(),
    }
}

/// Told where it is not 0, in old versions always.
fn exit(ended: Ended, response: &str) -> Option<i32> {
    let told = response.lines().rev().find_map(|line| line.strip_prefix("Exit Code: "));
    match told {
        Some(status) => status.trim().parse().ok(),
        None => (ended == Ended::Well).then_some(0),
    }
}

/// The text of a whole file is what a read without limits gives to the model, with nothing to show to the person.
fn whole_read<'c>(told: &'c ToolCall<'_>, ended: Ended, response: &str) -> Option<&'c str> {
    let args = told.args();
    let is_limited = [args.offset, args.limit, args.start_line, args.end_line].iter().any(|number| number.0.is_some());
    let shows_nothing = told.result_display.is_none_or(|raw| raw.get() == "\"\"");
    let is_cut = response.starts_with("IMPORTANT: The file content has been truncated");
    let is_whole = told.name.is("read_file") && ended == Ended::Well && !is_limited && shows_nothing && !is_cut;
    if !is_whole || told.result.is_none() {
        return None;
    }
    path_of_read(told.args)
}

fn path_of_read(args: Option<Raw<'_>>) -> Option<&str> {
    // Borrowed from the log: paths with escapes in them are told by no read.
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Path<'a> {
        #[serde(borrow)]
        file_path: Option<&'a str>,
        #[serde(borrow)]
        absolute_path: Option<&'a str>,
    }
    let path: Path<'_> = json::read(args);
    path.file_path.or(path.absolute_path).filter(|path| !path.is_empty())
}

fn edit(told: &ToolCall<'_>, ended: Ended, root: Option<&str>) -> Option<EditStub> {
    if ended != Ended::Well || kind_of(told) != StepKind::Edit {
        return None;
    }
    let (args, shown) = (told.args(), told.shown().unwrap_or_default());
    let path = shown.file_path.filled().or(file(&args))?;
    let mut stub = unified::stub(absolute(root, path).into());
    stub.created = shown.is_new_file.0;
    unified::count(&unified::hunks(shown.file_diff.or_empty()), &mut stub);
    Some(stub)
}

/// The whole of a call.
pub(super) fn call_content(told: &ToolCall<'_>) -> Content {
    let args = told.args();
    let input = match args.command.filled() {
        Some(command) if kind_of(told) == StepKind::Command => command.to_owned(),
        _ => told.args.map_or(String::new(), |raw| json::pretty(raw.get())),
    };
    Content { input, changes: change_asked_for(told, &args).into_iter().collect(), ..Content::default() }
}

fn change_asked_for(told: &ToolCall<'_>, args: &Args<'_>) -> Option<Change> {
    let mut change = unified::no_change(file(args)?.into());
    match told.name.or_empty() {
        "write_file" => change.after = args.content.get().map(Arc::from),
        "replace" | "edit" => change.replacements.push(Replacement {
            old: args.old_string.or_empty().into(),
            new: args.new_string.or_empty().into(),
            all: args.allow_multiple.0 || args.expected_replacements.0.is_some_and(|count| count > 1),
        }),
        _ => return None,
    }
    Some(change)
}

/// The whole of a result.
pub(super) fn result_content(told: &ToolCall<'_>) -> Content {
    let (response, _) = told.response();
    let Some(ended) = ended(told) else { return Content::default() };
    let is_edit = ended == Ended::Well && kind_of(told) == StepKind::Edit;
    let change = if is_edit { told.shown().and_then(|shown| change_told(told, &shown)) } else { None };
    let read = whole_read(told, ended, &response);
    let seen = read.map(|path| Observation { path: path.into(), at: told.time(), text: response.as_str().into() });
    Content {
        text: output(told, &response),
        changes: change.into_iter().collect(),
        observed: seen.into_iter().collect(),
        ..Content::default()
    }
}

fn change_told(told: &ToolCall<'_>, shown: &Shown<'_>) -> Option<Change> {
    let after = shown.new_content.get()?;
    let args = told.args();
    let path = shown.file_path.filled().or(file(&args))?;
    let stat = shown.diff_stat.0.as_ref();
    let by_person = |stat: &super::record::DiffStat| {
        [stat.user_added_lines, stat.user_removed_lines]
            .iter()
            .any(|lines| lines.count().is_some_and(|lines| lines > 0))
    };
    Some(Change {
        before: shown.original_content.get().filter(|_| !shown.is_new_file.0).map(Arc::from),
        after: Some(after.into()),
        hunks: unified::hunks(shown.file_diff.or_empty()),
        created: shown.is_new_file.0,
        user_modified: stat.is_some_and(by_person),
        ..unified::no_change(path.into())
    })
}
