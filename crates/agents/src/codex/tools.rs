//! Calls of tools and what came back from them.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use trace::{Call, EditStub, Excerpt, StepKind, ToolResult, Touches};

use super::patch::{self, FilePatch};
use super::record::{Arguments, FileChange, Payload, command_line, inner_json};
use crate::commands;
use crate::json::{self, Flag, List, Num, Obj, Raw, Str};
use crate::paths::absolute;
use crate::unified;
use crate::words::commit_in_line;

/// Characters of a sub-agent's task by which its log is known.
const TASK: usize = 200;
/// What `apply_patch` prints before the files that it changed.
const APPLIED: &str = "Success. Updated the following files:";

/// What a result needs to know of its call.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) kind: Option<StepKind>,
    commits: bool,
    /// What the patch in the call asks for, with the paths as it spells them.
    edits: Vec<(Box<str>, EditStub)>,
    /// A script of which patches may come that bear ids of their own.
    pub(super) is_script: bool,
}

/// A call as the model made it, read as far as it is understood.
pub(super) struct Made<'a> {
    pub(super) tool: Cow<'a, str>,
    pub(super) kind: StepKind,
    subject: String,
    detail: Option<String>,
    task: Option<String>,
    files: Vec<Box<str>>,
    /// The command line, or the lines of all commands of a script.
    pub(super) command: Option<String>,
    /// Where the command began.
    folder: Option<String>,
    /// It may do anything to files: what it runs is not told by the call.
    is_opaque: bool,
    /// A text with a patch in it, and the folder that its paths are relative to.
    pub(super) patch: Option<(String, Option<String>)>,
    is_script: bool,
    /// The whole input, where it is neither a command nor JSON.
    pub(super) text: Option<String>,
}

/// A `function_call`, `custom_tool_call` or `local_shell_call`.
pub(super) fn made<'a>(payload: &Payload<'a>, cwd: Option<&str>) -> Made<'a> {
    let tool = payload.name.get().map_or(Cow::Borrowed("shell"), |name| Cow::Owned(name.to_owned()));
    let input = inner_json(payload.arguments.or(payload.input));
    let arguments: Arguments<'_> = json::from_str(&input).unwrap_or_default();
    let mut made = Made {
        kind: StepKind::Other,
        subject: String::new(),
        detail: None,
        task: None,
        files: Vec::new(),
        command: None,
        folder: None,
        is_opaque: false,
        patch: None,
        is_script: false,
        text: None,
        tool,
    };
    match &*made.tool {
        "apply_patch" => {
            let told = [&arguments.patch, &arguments.input].into_iter().find_map(Str::filled).map(str::to_owned);
            let text = told.or_else(|| command_line(arguments.command)).unwrap_or_else(|| input.into_owned());
            made.patched(text, cwd.map(str::to_owned));
        }
        "exec" => made.script(input.into_owned(), cwd),
        "write_stdin" => {
            made.kind = StepKind::Command;
            made.subject = arguments.chars.or_empty().to_owned();
            made.is_opaque = !made.subject.is_empty();
            made.detail = arguments.session_id.0.map(|session| format!("session {session}"));
        }
        "spawn_agent" => {
            let task = [&arguments.message, &arguments.prompt].into_iter().find_map(Str::filled).unwrap_or_default();
            made.kind = StepKind::Agent;
            made.subject = arguments.task_name.filled().unwrap_or(task).to_owned();
            made.detail = arguments.agent_type.filled().map(str::to_owned);
            made.task = Some(task.trim().chars().take(TASK).collect());
        }
        tool => {
            let action = payload.action.0.as_ref();
            let raw = arguments.cmd.or(arguments.command).or_else(|| action?.command);
            match command_line(raw) {
                Some(line) if is_shell(tool) || arguments.cmd.is_some() => {
                    let told = action.and_then(|action| action.working_directory.filled());
                    let workdir = arguments.workdir.filled().or(told);
                    made.shell(line, workdir, cwd);
                }
                _ => made.any(tool_kind(tool), &arguments, cwd),
            }
        }
    }
    made
}

fn is_shell(tool: &str) -> bool {
    matches!(
        tool,
        "shell" | "shell_command" | "exec_command" | "local_shell" | "container.exec" | "unified_exec" | "bash"
    )
}

fn tool_kind(tool: &str) -> StepKind {
    match tool {
        "view_image" | "read_file" => StepKind::Read,
        "list_dir" | "grep_files" | "tool_search" | "web_search" => StepKind::Search,
        "wait" => StepKind::Command,
        tool if is_shell(tool) => StepKind::Command,
        _ => StepKind::Other,
    }
}

impl Made<'_> {
    fn patched(&mut self, text: String, folder: Option<String>) {
        let paths: Vec<Box<str>> =
            patch::read(&text).iter().map(|file| absolute(folder.as_deref(), file.path).into()).collect();
        self.kind = StepKind::Edit;
        self.subject = paths.join(", ");
        self.files = paths;
        self.patch = Some((text, folder));
    }

    fn shell(&mut self, line: String, workdir: Option<&str>, cwd: Option<&str>) {
        let folder = workdir.map(|workdir| absolute(cwd, workdir)).or(cwd.map(Cow::Borrowed));
        self.folder = folder.as_deref().map(str::to_owned);
        self.detail =
            workdir.zip(folder.as_deref()).filter(|(_, there)| Some(*there) != cwd).map(|(told, _)| told.into());
        match patch::in_command(&line) {
            Some(text) => {
                let inner = patch::folder_of_command(&line);
                let folder = match inner {
                    Some(inner) => Some(absolute(folder.as_deref(), inner).into_owned()),
                    None => folder.map(Cow::into_owned),
                };
                self.patched(text.to_owned(), folder);
            }
            None => {
                self.kind = StepKind::Command;
                self.subject.clone_from(&line);
            }
        }
        self.command = Some(line);
    }

    /// A script of "code mode": what it does is told by the calls in it.
    fn script(&mut self, text: String, cwd: Option<&str>) {
        let told = commands_in_script(&text);
        let (commands, folders): (Vec<String>, Vec<Option<String>>) = told.into_iter().unzip();
        let calls = text.matches("tools.exec_command(").count() + text.matches("tools.write_stdin(").count();
        self.is_opaque = calls > commands.len();
        // Commands in several folders: none of them is where all began.
        let is_one = folders.windows(2).all(|two| two[0] == two[1]);
        let told = folders.into_iter().next().flatten().map(|folder| absolute(cwd, &folder).into_owned());
        self.folder = told.or_else(|| cwd.map(str::to_owned)).filter(|_| is_one);
        let files = patch::files_in_script(&text);
        self.is_script = true;
        if text.contains("tools.apply_patch") || !files.is_empty() {
            self.kind = StepKind::Edit;
            self.files = files.iter().map(|path| absolute(cwd, path).into()).collect();
            self.subject = self.files.join(", ");
        } else if text.contains("tools.exec_command") || text.contains("tools.write_stdin") {
            self.kind = StepKind::Command;
            self.subject = commands.join("\n");
        }
        if self.subject.is_empty() {
            self.subject.clone_from(&text);
        }
        if self.kind == StepKind::Command && !commands.is_empty() {
            self.command = Some(commands.join("\n"));
        }
        self.text = Some(text);
    }

    fn any(&mut self, kind: StepKind, arguments: &Arguments<'_>, cwd: Option<&str>) {
        let files = [&arguments.path, &arguments.file_path, &arguments.dir_path];
        let told = [&arguments.pattern, &arguments.query, &arguments.message, &arguments.prompt];
        let last = [&arguments.task_name, &arguments.explanation];
        let all = told.into_iter().chain(files).chain(last);
        self.kind = kind;
        self.subject = all.into_iter().find_map(Str::filled).unwrap_or_default().to_owned();
        self.files = files.into_iter().filter_map(Str::filled).map(|path| absolute(cwd, path).into()).collect();
    }

    fn patches(&self) -> Vec<FilePatch<'_>> {
        self.patch.as_ref().map(|(text, _)| patch::read(text)).unwrap_or_default()
    }

    fn folder(&self) -> Option<&str> {
        self.patch.as_ref()?.1.as_deref()
    }

    /// What the command may do to files, beside what its patches do.
    fn touches(&self) -> Option<Arc<Touches>> {
        let folder = || self.folder.as_deref().map(Arc::from);
        if self.is_opaque {
            return Some(commands::any_touch(folder()));
        }
        let line = self.command.as_deref().filter(|_| self.kind == StepKind::Command)?;
        commands::touches(line, folder())
    }

    /// What the patch in the call asks for.
    pub(super) fn changes(&self) -> Vec<trace::Change> {
        self.patches().iter().map(|file| file.change(self.folder())).collect()
    }

    /// The entry of the call, and what its result needs to know of it.
    pub(super) fn into_call(self, id: Arc<str>) -> (Call, Asked) {
        let edits = self.patches().iter().map(|file| (file.path.into(), file.stub(self.folder()))).collect();
        let commits =
            self.command.as_deref().is_some_and(|command| command.contains("git") && command.contains("commit"));
        let asked = Asked { kind: Some(self.kind), commits, edits, is_script: self.is_script };
        let touches = self.touches();
        let call = Call {
            id,
            tool: (*self.tool).into(),
            kind: self.kind,
            subject: Excerpt::of(&self.subject),
            detail: self.detail.map(Into::into),
            task: self.task.map(Into::into),
            files: self.files,
            touches,
        };
        (call, asked)
    }
}

/// The command lines that a script hands to `tools.exec_command`, where they are plain literals, each with its folder.
fn commands_in_script(script: &str) -> Vec<(String, Option<String>)> {
    let calls = script.match_indices("tools.exec_command(").map(|(at, name)| &script[at + name.len()..]);
    calls.filter_map(command_in_arguments).collect()
}

fn command_in_arguments(text: &str) -> Option<(String, Option<String>)> {
    if let Some((arguments, _)) = json::first::<Arguments<'_>>(text.trim_start())
        && let Some(line) = command_line(arguments.cmd)
    {
        return Some((line, arguments.workdir.filled().map(str::to_owned)));
    }
    // An object as JavaScript writes it: `{ cmd: 'ls', … }`.
    let end = text.find("tools.").unwrap_or(text.len());
    let (_, behind) = text[..end].split_once("cmd")?;
    let literal = behind.trim_start_matches(['"', '\'']).trim_start().strip_prefix(':')?.trim_start();
    string_literal(literal).map(|line| (line, None))
}

/// The text of the string literal of JavaScript at the beginning. `None`: there is none, or it is put together.
fn string_literal(text: &str) -> Option<String> {
    let mut chars = text.chars();
    let quote = chars.next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let mut told = String::new();
    loop {
        match chars.next()? {
            c if c == quote => return Some(told),
            '$' if quote == '`' && chars.as_str().starts_with('{') => return None,
            '\\' => match chars.next()? {
                'n' => told.push('\n'),
                't' => told.push('\t'),
                'r' => told.push('\r'),
                '\n' => {}
                c => told.push(c),
            },
            c => told.push(c),
        }
    }
}

/// What a tool gave back.
pub(super) struct Output {
    pub(super) text: String,
    pub(super) exit: Option<i32>,
    pub(super) error: bool,
    refused: bool,
    interrupted: bool,
}

/// A result's output in any of its forms: text, JSON in a string, an object with `content`, or blocks.
pub(super) fn output(raw: Option<Raw<'_>>) -> Output {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Told<'a> {
        #[serde(borrow)]
        output: Str<'a>,
        #[serde(borrow)]
        content: Str<'a>,
        #[serde(borrow)]
        text: Str<'a>,
        success: Option<bool>,
        metadata: Obj<Metadata>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Metadata {
        exit_code: Num,
    }
    let of_object = |told: &Told<'_>| {
        let text = told.output.get().or(told.content.get())?.to_owned();
        let exit = told.metadata.0.as_ref().and_then(|metadata| metadata.exit_code.0);
        let mut output = read_text(text);
        output.exit = exit.and_then(|status| i32::try_from(status).ok()).or(output.exit);
        output.error |= told.success == Some(false) || output.exit.is_some_and(|status| status != 0);
        Some(output)
    };
    if let Some(text) = json::text(raw) {
        let told = text.starts_with('{').then(|| json::from_str::<Told<'_>>(&text).ok()).flatten();
        return told.as_ref().and_then(of_object).unwrap_or_else(|| read_text(text.into_owned()));
    }
    if let Some(told) = json::read::<Obj<Told<'_>>>(raw).0 {
        return of_object(&told).unwrap_or_else(|| read_text(told.text.or_empty().to_owned()));
    }
    let blocks: List<Told<'_>> = json::read(raw);
    let text: String = blocks.objects().map(|block| block.text.or_empty()).collect();
    read_text(text)
}

/// Takes the lines off that Codex puts before what a command printed, and reads the exit status there.
pub(super) fn read_text(text: String) -> Output {
    let mut output = Output { text, exit: None, error: false, refused: false, interrupted: false };
    let text = &mut output.text;
    let is_headed = ["Command: ", "Chunk ID: ", "Exit code: ", "Wall time", "Script "];
    if is_headed.iter().any(|begin| text.starts_with(begin))
        && let Some((head, behind)) = text.split_once("\nOutput:")
    {
        let status = |line: &str| -> Option<i32> {
            let told = line.strip_prefix("Exit code: ").or_else(|| line.strip_prefix("Process exited with code "))?;
            told.trim().parse().ok()
        };
        output.exit = head.lines().rev().find_map(status);
        output.error = output.exit.is_some_and(|status| status != 0) || head.starts_with("Script failed");
        let said = behind.strip_prefix('\n').unwrap_or(behind).len();
        text.drain(..text.len() - said);
        return output;
    }
    let begins = |begin: &str| text.starts_with(begin);
    let says = |words: &str| memchr::memmem::find(text.as_bytes(), words.as_bytes()).is_some();
    output.interrupted = begins("aborted by user");
    output.refused = says("rejected by user") || says("Rejected(") || says("denied by user");
    output.error = output.refused
        || output.interrupted
        || begins("exec_command failed")
        || begins("apply_patch verification failed")
        || begins("failed to parse")
        || begins("execution error")
        || begins("Script failed")
        || begins("unsupported call")
        || begins("patch rejected");
    output
}

/// The result of a call that is told by its output. `exit` is what another record said of the status.
pub(super) fn result(call: Arc<str>, output: &Output, asked: Option<&Asked>, exit: Option<i32>) -> ToolResult {
    let exit = output.exit.or(exit).filter(|_| !output.interrupted);
    let error = output.error || exit.is_some_and(|status| status != 0);
    let commit = asked.filter(|asked| asked.commits).and_then(|_| output.text.lines().find_map(commit_in_line));
    ToolResult {
        call,
        error,
        refused: output.refused,
        interrupted: output.interrupted,
        exit,
        output: Excerpt::of(&output.text),
        edits: asked.map_or_else(Vec::new, |asked| edits_done(asked, &output.text)),
        whole_read: None,
        side: None,
        commit: commit.map(Into::into),
        count: None,
    }
}

/// The edits of a call's patch that its output says were done: `M src/a.rs` below the words of success.
fn edits_done(asked: &Asked, output: &str) -> Vec<EditStub> {
    if asked.edits.is_empty() {
        return Vec::new();
    }
    let mut listed: Vec<&str> = Vec::new();
    let mut is_listing = false;
    for line in output.lines() {
        if line.contains(APPLIED) {
            is_listing = true;
        } else if is_listing {
            match line.split_at_checked(2) {
                Some(("A " | "M " | "D ", path)) => listed.push(path.trim()),
                _ => is_listing = false,
            }
        }
    }
    let is_done = |spelled: &str, edit: &EditStub| {
        listed.contains(&spelled)
            || listed.contains(&&*edit.path)
            || edit.moved_to.as_deref().is_some_and(|path| listed.iter().any(|told| path.ends_with(told)))
    };
    asked.edits.iter().filter(|(spelled, edit)| is_done(spelled, edit)).map(|(_, edit)| edit.clone()).collect()
}

/// One file of `changes`.
pub(super) fn stub_told(path: &str, told: &FileChange<'_>, cwd: Option<&str>) -> EditStub {
    let mut stub = unified::stub(absolute(cwd, path).into());
    match told.kind.or_empty() {
        "add" => {
            stub.created = true;
            stub.added = lines(told.content.or_empty());
            stub.line = u32::from(stub.added > 0);
        }
        "delete" => {
            stub.deleted = true;
            stub.removed = lines(told.content.or_empty());
        }
        _ => unified::count(&unified::hunks(told.unified_diff.or_empty()), &mut stub),
    }
    stub.moved_to = told.move_path.filled().map(|path| absolute(cwd, path).into());
    stub
}

/// The same with its texts.
pub(super) fn change_told(path: &str, told: &FileChange<'_>) -> trace::Change {
    let mut change = unified::no_change(path.into());
    let content = || told.content.get().map(Arc::<str>::from);
    match told.kind.or_empty() {
        "add" => (change.created, change.after) = (true, content()),
        "delete" => (change.deleted, change.before) = (true, content()),
        _ => change.hunks = unified::hunks(told.unified_diff.or_empty()),
    }
    change.moved_to = told.move_path.filled().map(Into::into);
    change
}

/// What `patch_apply_end` says of a call whose patch it is.
pub(super) fn patched(call: Arc<str>, payload: &Payload<'_>, cwd: Option<&str>) -> ToolResult {
    let success = is_success(payload);
    let edits = match success {
        true => payload.files_changed().iter().map(|(path, told)| stub_told(path, told, cwd)).collect(),
        false => Vec::new(),
    };
    ToolResult {
        call,
        error: !success,
        refused: payload.status.is("declined"),
        interrupted: false,
        exit: None,
        output: Excerpt::of(&said_of_patch(payload)),
        edits,
        whole_read: None,
        side: None,
        commit: None,
        count: None,
    }
}

/// What was printed when a patch was applied, or was not.
pub(super) fn said_of_patch<'a>(payload: &Payload<'a>) -> Cow<'a, str> {
    let printed = if is_success(payload) { payload.stdout } else { payload.stderr };
    let said = json::text(printed).filter(|said| !said.is_empty());
    said.or_else(|| json::text(payload.stdout)).unwrap_or_default()
}

pub(super) fn is_success(payload: &Payload<'_>) -> bool {
    let Flag(told) = payload.success;
    told || (payload.status.is("completed") && payload.kind.is("FileChange"))
}

fn lines(text: &str) -> u32 {
    u32::try_from(text.lines().count()).unwrap_or(u32::MAX)
}
