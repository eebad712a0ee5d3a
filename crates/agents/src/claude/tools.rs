//! Calls of tools and what came back from them.

use std::borrow::Cow;
use std::sync::Arc;

use trace::{Call, EditStub, Excerpt, StepKind, ToolResult, Touches};

use super::record::{Block, Input, Kept, Outcome, PatchHunk, Signs};
use crate::commands;
use crate::json::{self, List, Raw, Str};
use crate::paths::absolute;
use crate::words::{commit_in_line, lines_changed};

/// Characters of a sub-agent's task by which its log is known.
const TASK: usize = 200;
/// The tags that mark what a tool gave back as an error.
const BEGIN_ERROR: &str = "<tool_use_error>";
const END_ERROR: &str = "</tool_use_error>";

pub(super) fn kind_of(tool: &str) -> StepKind {
    match tool {
        "Edit" | "Write" | "MultiEdit" | "NotebookEdit" => StepKind::Edit,
        "Bash" | "BashOutput" | "KillBash" | "KillShell" | "PowerShell" => StepKind::Command,
        "Read" | "NotebookRead" => StepKind::Read,
        "Grep" | "Glob" | "LS" | "WebSearch" | "ToolSearch" => StepKind::Search,
        "Task" | "Agent" => StepKind::Agent,
        _ => StepKind::Other,
    }
}

/// What a result needs to know of its call where the log says no more.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) kind: StepKind,
    commits: bool,
    edit: Option<EditStub>,
}

/// `shared` is the working directory where others hold it, too.
pub(super) fn call(
    id: Arc<str>,
    tool: Arc<str>,
    input: &Input<'_>,
    cwd: Option<&str>,
    shared: Option<&Arc<str>>,
) -> (Call, Asked) {
    let kind = kind_of(&tool);
    let files = [&input.file_path, &input.notebook_path, &input.path];
    let files = files.into_iter().filter_map(Str::filled).map(|path| absolute(cwd, path).into()).collect();
    let asked = Asked {
        kind,
        commits: input.command.get().is_some_and(|command| command.contains("git") && command.contains("commit")),
        edit: edit_asked_for(&tool, input, cwd),
    };
    let task = (kind == StepKind::Agent).then(|| input.prompt.filled()).flatten();
    let call = Call {
        id,
        kind,
        subject: Excerpt::of(&subject(kind, input)),
        detail: detail(kind, input).map(Into::into),
        task: task.map(|task| task.trim().chars().take(TASK).collect::<String>().into()),
        files,
        touches: touches(&tool, input, cwd, shared),
        tool,
    };
    (call, asked)
}

fn touches(tool: &str, input: &Input<'_>, cwd: Option<&str>, shared: Option<&Arc<str>>) -> Option<Arc<Touches>> {
    let command = input.command.filled()?;
    let here = || {
        let same = shared.filter(|shared| Some(&***shared) == cwd).cloned();
        same.or_else(|| cwd.map(Into::into))
    };
    match tool {
        "Bash" | "bash" | "Monitor" => commands::touches(command, here()),
        "PowerShell" => Some(commands::any_touch(here())),
        _ => None,
    }
}

fn subject<'i>(kind: StepKind, input: &'i Input<'_>) -> Cow<'i, str> {
    let file = [&input.file_path, &input.notebook_path, &input.path];
    let candidates: &[&Str<'_>] = match kind {
        StepKind::Edit | StepKind::Read => &file,
        StepKind::Command => &[&input.command],
        StepKind::Search => &[&input.pattern, &input.query, &input.path],
        StepKind::Agent => &[&input.description, &input.prompt],
        StepKind::Text | StepKind::Thought | StepKind::Other => &[],
    };
    let any = [&input.other, &input.query, &input.command, &input.description, &input.prompt, &input.pattern];
    let told = candidates.iter().copied().chain(any).chain(file).find_map(Str::filled);
    told.map(Cow::Borrowed).or_else(|| json::text(input.content)).unwrap_or_default()
}

fn detail(kind: StepKind, input: &Input<'_>) -> Option<String> {
    let told = match kind {
        StepKind::Command => &input.description,
        StepKind::Search => &input.path,
        StepKind::Agent => &input.subagent_type,
        StepKind::Read => return lines_asked_for(input),
        _ => return None,
    };
    told.filled().map(str::to_owned)
}

/// `1-88`; `40-` where only the first line is told.
fn lines_asked_for(input: &Input<'_>) -> Option<String> {
    match (input.offset.small(), input.limit.small()) {
        (None, None) => None,
        (Some(first), None) => Some(format!("{first}-")),
        (first, Some(count)) => {
            let first = first.unwrap_or(1).max(1);
            Some(format!("{first}-{}", first.saturating_add(count).saturating_sub(1)))
        }
    }
}

fn edit_asked_for(tool: &str, input: &Input<'_>, cwd: Option<&str>) -> Option<EditStub> {
    let path = input.file_path.filled().or(input.notebook_path.filled())?;
    let (added, removed) = match tool {
        "Edit" => lines_changed(input.old_string.or_empty(), input.new_string.or_empty()),
        "MultiEdit" => sum(input.edits.objects().map(|edit| (edit.old_string.or_empty(), edit.new_string.or_empty()))),
        "Write" => (input.content.map_or(0, lines), 0),
        "NotebookEdit" => (0, 0),
        _ => return None,
    };
    let line = u32::from(tool == "Write" && added > 0);
    Some(EditStub {
        path: absolute(cwd, path).into(),
        added,
        removed,
        line,
        created: false,
        deleted: false,
        moved_to: None,
    })
}

/// The `tool_result` in `block`. `kept` is what the record keeps of it, where it belongs to this block alone.
pub(super) fn result(
    call: Arc<str>,
    block: &Block<'_>,
    kept: &Kept<'_>,
    asked: Option<&Asked>,
    cwd: Option<&str>,
) -> ToolResult {
    let error = block.is_error.0;
    let told = kept.outcome();
    let kind = asked.map(|asked| asked.kind);
    let is_commit = asked.is_some_and(|asked| asked.commits);
    // Most of what tools give back is looked at no further than it is kept.
    let is_read = error || is_commit || kind == Some(StepKind::Agent);
    let short = block.content.single_text().filter(|_| !is_read).map(|told| &told.excerpt);
    let (excerpt, whole) = match short.filter(|short| !short.head.starts_with(BEGIN_ERROR)) {
        Some(short) => (short.clone(), None),
        None => {
            let whole = output(block);
            (Excerpt::of(&whole), Some(whole))
        }
    };
    let output = whole.as_deref().unwrap_or(&excerpt.head);
    let interrupted = told.is_some_and(|told| told.interrupted.0) || output.starts_with("[Request interrupted by user");
    let is_text = matches!(kept, Kept::Text);
    let edits = if error || is_text { Vec::new() } else { edits(told, asked, output, cwd) };
    ToolResult {
        call,
        error,
        refused: error && is_refusal(output),
        interrupted,
        exit: if interrupted { None } else { exit(error, output, told, kind) },
        edits,
        whole_read: told.filter(|_| !error).and_then(|told| whole_read(told, cwd)),
        side: told.and_then(|told| told.agent_id.filled()).or_else(|| side_in_text(kind, output)).map(Into::into),
        commit: commit(told, asked, output),
        count: told.and_then(number_worth_showing),
        output: excerpt,
    }
}

/// What the tool gave back as text, without the tags that mark it as an error for the model.
pub(super) fn output<'b>(block: &'b Block<'_>) -> Cow<'b, str> {
    let text = block.content.text();
    match text.trim_end().strip_prefix(BEGIN_ERROR).and_then(|text| text.strip_suffix(END_ERROR)) {
        Some(inner) => Cow::Owned(inner.to_owned()),
        None => text,
    }
}

fn is_refusal(output: &str) -> bool {
    ["The user doesn't want to proceed", "User rejected tool use", "The tool use was rejected"]
        .iter()
        .any(|words| output.contains(words))
}

/// The exit status, where it is told or follows from what is: a command that is neither an error, nor stopped, nor
/// still running has ended with 0, unless the log interprets another status.
fn exit(error: bool, output: &str, told: Option<&Outcome<'_>>, kind: Option<StepKind>) -> Option<i32> {
    if let Some(status) = told.and_then(|told| told.exit_code.0) {
        return i32::try_from(status).ok();
    }
    if error {
        let text = output.strip_prefix("Error: ").unwrap_or(output);
        let digits = text.strip_prefix("Exit code ")?;
        let end = digits.find(|c: char| !(c.is_ascii_digit() || c == '-')).unwrap_or(digits.len());
        return digits[..end].parse().ok();
    }
    let ended = match told {
        Some(told) => {
            json::is_string(told.stdout)
                && told.background_task_id.filled().is_none()
                && told.return_code_interpretation.filled().is_none()
        }
        None => kind == Some(StepKind::Command) && !output.starts_with("Command running in background"),
    };
    ended.then_some(0)
}

pub(super) fn whole_read(told: &Outcome<'_>, cwd: Option<&str>) -> Option<Box<str>> {
    let file = told.file.0.as_ref()?;
    let whole = file.start_line.0 == Some(1) && file.num_lines.0.is_some() && file.num_lines.0 == file.total_lines.0;
    file.content.filter(|_| whole)?;
    file.file_path.filled().map(|path| absolute(cwd, path).into())
}

fn number_worth_showing(told: &Outcome<'_>) -> Option<u32> {
    if let Some(file) = &told.file.0 {
        return match file.content {
            Some(content) => Some(lines(content)),
            None => file.num_lines.small(),
        };
    }
    match told.mode.or_empty() {
        "content" => told.num_lines.small(),
        "count" => told.num_matches.small(),
        _ => told.num_files.small(),
    }
}

/// A sub-agent's id as the text for the model has it, where the log holds nothing else.
fn side_in_text(kind: Option<StepKind>, output: &str) -> Option<&str> {
    if kind != Some(StepKind::Agent) {
        return None;
    }
    let (_, behind) = output.rsplit_once("agentId: ")?;
    let end = behind.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(behind.len());
    Some(&behind[..end]).filter(|id| !id.is_empty())
}

fn commit(told: Option<&Outcome<'_>>, asked: Option<&Asked>, output: &str) -> Option<Box<str>> {
    let operation = told.and_then(|told| told.git_operation.0.as_ref()).and_then(|git| git.commit.0.as_ref());
    if let Some(commit) = operation {
        return commit.sha.filled().map(Into::into);
    }
    asked.filter(|asked| asked.commits)?;
    let printed = told.and_then(|told| json::text(told.stdout)).unwrap_or(Cow::Borrowed(output));
    printed.lines().find_map(commit_in_line).map(Into::into)
}

/// The edits that a result proves that is no error.
fn edits(told: Option<&Outcome<'_>>, asked: Option<&Asked>, output: &str, cwd: Option<&str>) -> Vec<EditStub> {
    let from_call = || {
        let failed = told.is_some_and(|told| told.error.filled().is_some());
        let mut stub = asked.filter(|_| !failed)?.edit.clone()?;
        stub.created = output.starts_with("File created successfully");
        Some(stub)
    };
    let stub = told.and_then(|told| edit_told(told, cwd)).or_else(from_call);
    stub.into_iter().collect()
}

pub(super) fn edit_told(told: &Outcome<'_>, cwd: Option<&str>) -> Option<EditStub> {
    if let Some(path) = told.notebook_path.filled() {
        return notebook_edit_told(told, absolute(cwd, path).into());
    }
    let path: Box<str> = absolute(cwd, told.file_path.filled()?).into();
    let written = told.content.filter(|_| matches!(told.kind.or_empty(), "create" | "update"));
    let is_edit = told.old_string.is_some() || told.edits.is_some() || written.is_some();
    if !is_edit {
        return None;
    }
    let created = told.kind.is("create") || creates_by_edit(told);
    let mut stub = EditStub { path, added: 0, removed: 0, line: 0, created, deleted: false, moved_to: None };
    let hunks: List<PatchHunk<Signs>> = json::read(told.structured_patch);
    if !hunks.0.is_empty() {
        count_hunks(&hunks, &mut stub);
    } else if let Some(content) = written.filter(|_| created) {
        stub.added = lines(content);
        stub.line = u32::from(stub.added > 0);
    } else if written.is_none() {
        (stub.added, stub.removed) = lines_replaced(told);
    }
    Some(stub)
}

/// An Edit whose old text is empty makes a file (or fills an empty one).
fn creates_by_edit(told: &Outcome<'_>) -> bool {
    let is_empty = |raw: Option<Raw<'_>>| raw.is_none_or(|raw| raw.get() == "\"\"");
    told.old_string.is_some_and(|old| old.get() == "\"\"") && is_empty(told.original_file)
}

fn notebook_edit_told(told: &Outcome<'_>, path: Box<str>) -> Option<EditStub> {
    if told.error.filled().is_some() {
        return None;
    }
    let (before, after) =
        (json::text(told.original_notebook).unwrap_or_default(), json::text(told.updated_notebook).unwrap_or_default());
    let (added, removed) = if after.is_empty() { (0, 0) } else { lines_changed(&before, &after) };
    Some(EditStub { path, added, removed, line: 0, created: false, deleted: false, moved_to: None })
}

fn count_hunks(hunks: &List<PatchHunk<Signs>>, stub: &mut EditStub) {
    for hunk in hunks.objects() {
        let mut line = hunk.new_start.small().unwrap_or(0);
        for sign in &hunk.lines.0 {
            if matches!(sign, b'+' | b'-') && stub.line == 0 {
                stub.line = line.max(1);
            }
            match sign {
                b'+' => stub.added += 1,
                b'-' => stub.removed += 1,
                // `\ No newline at end of file`
                b'\\' => {}
                _ => line = line.saturating_add(1),
            }
        }
    }
}

/// Lines added and removed by the replaced texts, where no patch tells them.
fn lines_replaced(told: &Outcome<'_>) -> (u32, u32) {
    if told.edits.is_some() {
        let edits: List<super::record::OneEdit<'_>> = json::read(told.edits);
        return sum(edits.objects().map(|edit| (edit.old_string.or_empty(), edit.new_string.or_empty())));
    }
    let text = |raw| json::text(raw).unwrap_or_default();
    lines_changed(&text(told.old_string), &text(told.new_string))
}

fn sum<'t>(replacements: impl Iterator<Item = (&'t str, &'t str)>) -> (u32, u32) {
    replacements
        .map(|(old, new)| lines_changed(old, new))
        .fold((0, 0), |(added, removed), (more, less)| (added + more, removed + less))
}

fn lines(literal: Raw<'_>) -> u32 {
    u32::try_from(json::lines(literal)).unwrap_or(u32::MAX)
}
