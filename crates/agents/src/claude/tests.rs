//! One JSONL fixture in, one line an entry out.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use expect_test::{Expect, expect};
use tempfile::TempDir;
use trace::{Call, Change, Context, EditStub, Entry, RecordId, Tokens, ToolResult, Usage, What};

use super::record::record_id;
use crate::{Cursor, Memory, Reader, Scan};

const READER: super::Claude = super::Claude;

/// A log in a folder of its own.
struct Log {
    _folder: TempDir,
    path: PathBuf,
}

fn log(name: &str, text: impl AsRef<[u8]>) -> Log {
    let folder = tempfile::tempdir().expect("a folder for the log");
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("making the log's folder");
    fs::write(&path, text).expect("writing the log");
    Log { _folder: folder, path }
}

impl Log {
    fn scan(&self, from: &Cursor) -> (Vec<Entry>, Scan) {
        let mut entries = Vec::new();
        let scan = READER.scan(&self.path, from, &mut |entry| entries.push(entry)).expect("scanning the log");
        (entries, scan)
    }
}

fn check(fixture: &str, expect: Expect) {
    check_file("session.jsonl", fixture, expect);
}

fn check_file(name: &str, fixture: &str, expect: Expect) {
    let (entries, scan) = log(name, fixture).scan(&Cursor::default());
    let mut told = show(fixture, &entries);
    if !scan.broken.is_empty() {
        writeln!(told, "broken at {:?}", scan.broken).expect("writing to a string");
    }
    expect.assert_eq(&told);
}

/// Bodies of all entries that have more to say than their line.
fn check_bodies(fixture: &str, expect: Expect) {
    let log = log("session.jsonl", fixture);
    let mut told = String::new();
    for entry in log.scan(&Cursor::default()).0 {
        if matches!(entry.what, What::Context(_) | What::Usage(_)) {
            continue;
        }
        let content = READER.body(&log.path, entry.place).expect("reading").expect("the record is still there");
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
    }
    expect.assert_eq(&told);
}

fn show_change(change: &Change) -> String {
    let mut told = format!("change {}", change.path);
    let flags = [(change.created, " created"), (change.user_modified, " by the person")];
    flags.iter().filter(|(set, _)| *set).for_each(|(_, word)| told.push_str(word));
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
struct Names<'f>(HashMap<RecordId, &'f str>);

impl Names<'_> {
    fn of(&self, id: Option<RecordId>) -> &str {
        id.map_or("-", |id| self.0.get(&id).copied().unwrap_or("?"))
    }
}

/// `id<parent (side) #part what`, ids by the words of the fixture.
fn show(fixture: &str, entries: &[Entry]) -> String {
    let names = Names(fixture.split('"').map(|word| (record_id(word), word)).collect());
    let mut told = String::new();
    for entry in entries {
        let side = entry.side.as_ref().map_or(String::new(), |side| format!(" ({side})"));
        let part = match entry.place.part {
            0 | super::PART_TASK => String::new(),
            part => format!(" #{part}"),
        };
        let what = show_what(&entry.what, &names);
        let (id, parent) = (names.of(entry.id), names.of(entry.parent));
        told += &format!("{id}<{parent}{side}{part} {what}\n");
    }
    told
}

fn show_what(what: &What, names: &Names<'_>) -> String {
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
    let created = if edit.created { " created" } else { "" };
    format!(" [{}:{} +{} -{}{created}]", edit.path, edit.line, edit.added, edit.removed)
}

fn show_usage(usage: &Usage) -> String {
    let Tokens { input, cache_write, cache_write_hour, cache_read, output } = usage.tokens;
    let response = usage.response.map_or("-".to_owned(), |id| format!("{:04x}", id.0 & 0xFFFF));
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
        ("cwd", text(&context.cwd)),
        ("branch", text(&context.branch)),
        ("model", text(&context.model)),
        ("version", text(&context.version)),
        ("entrypoint", text(&context.entrypoint)),
    ])
}

#[test]
fn prompts() {
    check(
        r#"
{"type":"user","uuid":"u1","parentUuid":null,"sessionId":"s","cwd":"/w","gitBranch":"main","version":"2.1.0","entrypoint":"cli","message":{"role":"user","content":"make it faster"}}
{"type":"user","uuid":"u2","parentUuid":"u1","message":{"content":[{"type":"text","text":"look at"},{"type":"image"},{"type":"text","text":"this"}]}}
{"type":"user","uuid":"u3","parentUuid":"u2","message":{"content":[{"type":"image"},{"type":"image"}]}}
{"type":"user","uuid":"u4","parentUuid":"u3","promptSource":"queued","message":{"content":"and then this"}}
{"type":"user","uuid":"u5","parentUuid":"u4","message":{"content":"  \n "}}
{"type":"user","uuid":"u6","parentUuid":"u5","message":{"content":" exit "}}
{"type":"user","uuid":"u7","parentUuid":"u6","message":{"content":[]}}
{"type":"user","uuid":"u8","parentUuid":"u7","message":{"content":"exit the loop"}}
"#,
        expect![[r#"
            -<- Context session=s cwd=/w branch=main version=2.1.0 entrypoint=cli
            u1<- Typed prompt "make it faster"
            u2<u1 Typed prompt "look at\nthis" +1 images
            u3<u2 Typed prompt "" +2 images
            u4<u3 Queued prompt "and then this"
            u5<u4 Silent
            u6<u5 System "exit"
            u7<u6 Silent
            u8<u7 Typed prompt "exit the loop"
        "#]],
    );
}

#[test]
fn what_the_client_puts_in_is_no_prompt() {
    check(
        r#"
{"type":"user","uuid":"u1","isMeta":true,"message":{"content":[{"type":"text","text":"Base directory for this skill: /skills/x\n\n# X"}]}}
{"type":"user","uuid":"u2","isVisibleInTranscriptOnly":true,"message":{"content":"for the eyes only"}}
{"type":"user","uuid":"u3","message":{"content":"<local-command-stdout>Set model to x</local-command-stdout>"}}
{"type":"user","uuid":"u4","message":{"content":"<local-command-stderr>no</local-command-stderr>"}}
{"type":"user","uuid":"u5","isMeta":true,"message":{"content":"<local-command-caveat>Caveat: …</local-command-caveat>"}}
{"type":"user","uuid":"u6","isMeta":true,"message":{"content":"Caveat: The messages below were generated by the user while running local commands. DO NOT"}}
{"type":"user","uuid":"u7","message":{"content":"<bash-input>ls -l</bash-input>"}}
{"type":"user","uuid":"u8","message":{"content":"<bash-stdout>a</bash-stdout><bash-stderr></bash-stderr>"}}
{"type":"user","uuid":"u9","message":{"content":"<user-prompt-submit-hook>x</user-prompt-submit-hook>"}}
{"type":"user","uuid":"v1","origin":{"kind":"task-notification"},"message":{"content":"<task-notification>\n<task-id>b1</task-id>\n<status>completed</status>\n<summary>Background command \"sleep\" completed</summary>\n</task-notification>"}}
{"type":"user","uuid":"v2","message":{"content":"<system-reminder>be kind</system-reminder>"}}
{"type":"user","uuid":"v3","message":{"content":"Stop hook feedback:\n- tests fail"}}
{"type":"user","uuid":"v4","message":{"content":"<teammate-message teammate_id=\"lead\">do it</teammate-message>"}}
{"type":"user","uuid":"v5","origin":{"kind":"human"},"message":{"content":"<ci-monitor-event>CI check failed</ci-monitor-event>"}}
{"type":"user","uuid":"v6","promptSource":"system","message":{"content":"a wake-up"}}
{"type":"user","uuid":"v7","message":{"content":"[Request interrupted by user]"}}
{"type":"user","uuid":"v8","message":{"content":[{"type":"text","text":"[Request interrupted by user for tool use]"}]}}
"#,
        expect![[r#"
            u1<- System "injected: Base directory for this skill: /skills/x"
            u2<- System "injected: for the eyes only"
            u3<- CommandOutput
            u4<- CommandOutput
            u5<- Silent
            u6<- Silent
            u7<- SlashCommand "!ls -l"
            u8<- CommandOutput
            u9<- System "hook UserPromptSubmit"
            v1<- System "task notification: Background command \"sleep\" completed"
            v2<- Silent
            v3<- System "Stop hook feedback: - tests fail"
            v4<- System "message of a teammate: do it"
            v5<- System "CI event: CI check failed"
            v6<- System "injected: a wake-up"
            v7<- Interrupted
            v8<- Interrupted
        "#]],
    );
}

#[test]
fn wrappers_before_a_prompt_are_stripped() {
    check(
        r#"
{"type":"user","uuid":"u1","message":{"content":"<system-reminder>\nbe kind\n</system-reminder>\n\nfix it"}}
{"type":"user","uuid":"u2","message":{"content":[{"type":"text","text":"<ide_opened_file>The user opened a.rs</ide_opened_file>"},{"type":"text","text":"and this"}]}}
{"type":"user","uuid":"u3","message":{"content":"<ide_selection>a</ide_selection><system-reminder>b</system-reminder><command-name>/x</command-name>"}}
{"type":"user","uuid":"u4","message":{"content":"<system-reminder>without an end"}}
{"type":"user","uuid":"u5","message":{"content":"<div> does not <system-reminder>show</system-reminder>"}}
"#,
        expect![[r#"
            u1<- Typed prompt "fix it"
            u2<- #1 Typed prompt "and this"
            u3<- SlashCommand "/x"
            u4<- Silent
            u5<- Typed prompt "<div> does not <system-reminder>show</system-reminder>"
        "#]],
    );
}

#[test]
fn slash_commands() {
    check(
        r#"
{"type":"user","uuid":"u1","message":{"content":"<command-name>/model</command-name>\n  <command-message>model</command-message>\n  <command-args></command-args>"}}
{"type":"user","uuid":"u2","message":{"content":"<command-message>review is running…</command-message>\n<command-name>/review</command-name>\n<command-args>src/ now</command-args>"}}
{"type":"user","uuid":"u3","message":{"content":"<command-message>plugin:setup</command-message>"}}
{"type":"system","subtype":"local_command","uuid":"u4","content":"<command-name>/mcp</command-name><command-args></command-args>"}
{"type":"system","subtype":"local_command","uuid":"u5","content":"<local-command-stdout></local-command-stdout>"}
{"type":"user","uuid":"u6","message":{"content":"/exit"}}
"#,
        expect![[r#"
            u1<- SlashCommand "/model"
            u2<- SlashCommand "/review src/ now"
            u3<- SlashCommand "/plugin:setup"
            u4<- SlashCommand "/mcp"
            u5<- CommandOutput
            u6<- System "/exit"
        "#]],
    );
}

#[test]
fn queued_prompts() {
    check(
        r#"
{"type":"queue-operation","operation":"enqueue","content":"and the docs","sessionId":"s"}
{"type":"attachment","uuid":"a1","parentUuid":"x","attachment":{"type":"queued_command","prompt":"and the docs","commandMode":"prompt"}}
{"type":"attachment","uuid":"a2","parentUuid":"a1","attachment":{"type":"queued_command","prompt":[{"type":"image"},{"type":"text","text":"like this"}]}}
{"type":"attachment","uuid":"a3","parentUuid":"a2","attachment":{"type":"queued_command","prompt":"<task-notification><summary>done</summary></task-notification>","commandMode":"task-notification"}}
{"type":"attachment","uuid":"a4","parentUuid":"a3","attachment":{"type":"queued_command","prompt":"something ended","commandMode":"task-notification"}}
"#,
        expect![[r#"
            -<- Context session=s
            a1<x Queued prompt "and the docs"
            a2<a1 #1 Queued prompt "like this" +1 images
            a3<a2 System "task notification: done"
            a4<a3 System "injected: something ended"
        "#]],
    );
}

#[test]
fn words_and_usage() {
    check(
        r#"
{"type":"assistant","uuid":"a1","parentUuid":"u","sessionId":"s","requestId":"req_1","message":{"id":"msg_1","model":"claude-x","content":[{"type":"thinking","thinking":"hm","signature":"…"}],"usage":{"input_tokens":3,"cache_creation_input_tokens":100,"cache_read_input_tokens":50,"output_tokens":2,"cache_creation":{"ephemeral_1h_input_tokens":40}}}}
{"type":"assistant","uuid":"a2","parentUuid":"a1","sessionId":"s","requestId":"req_1","message":{"id":"msg_1","model":"claude-x","content":[{"type":"text","text":"I see"}],"usage":{"input_tokens":3,"output_tokens":20}}}
{"type":"assistant","uuid":"a3","parentUuid":"a2","message":{"id":"msg_2","model":"claude-x","content":[{"type":"thinking","thinking":""},{"type":"redacted_thinking","data":"…"},{"type":"text","text":"two"},{"type":"hologram"},{"type":"fallback","from":{"model":"x"},"to":{"model":"y"}}],"usage":{}}}
{"type":"assistant","uuid":"a4","parentUuid":"a3","isApiErrorMessage":true,"message":{"id":"e","model":"<synthetic>","content":[{"type":"text","text":"API Error: overloaded"}],"usage":{"input_tokens":0}}}
{"type":"assistant","uuid":"a5","parentUuid":"a4","message":{"model":"claude-y","content":"plain","usage":{"output_tokens":1}}}
"#,
        expect![[r#"
            -<- Context session=s model=claude-x
            a1<u Thought "hm"
            a1<u Usage b556 claude-x in 3, written 100 (hour 40), read 50, out 2
            a2<a1 Text "I see"
            a2<a1 Usage b556 claude-x in 3, written 0 (hour 0), read 0, out 20
            a3<a2 Silent
            a3<a2 #1 Silent
            a3<a2 #2 Text "two"
            a3<a2 #3 Unknown "assistant block hologram"
            a3<a2 #4 System "another model took over: x → y"
            a3<a2 Usage 8345 claude-x in 0, written 0 (hour 0), read 0, out 0
            a4<a3 Text "API Error: overloaded"
            -<- Context model=claude-y
            a5<a4 Text "plain"
            a5<a4 Usage - claude-y in 0, written 0 (hour 0), read 0, out 1
        "#]],
    );
}

#[test]
fn calls() {
    check(
        r#"
{"type":"assistant","uuid":"a1","sessionId":"s","cwd":"/w","message":{"content":[{"type":"tool_use","id":"t1","name":"Bash","input":{"command":"cargo test","description":"Run the tests"}},{"type":"tool_use","id":"t2","name":"Read","input":{"file_path":"src/a.rs","offset":10,"limit":5}},{"type":"tool_use","id":"t3","name":"Read","input":{"file_path":"/w/a.rs","limit":88}},{"type":"tool_use","id":"t4","name":"Grep","input":{"pattern":"fn main","path":"src"}}]}}
{"type":"assistant","uuid":"a2","message":{"content":[{"type":"tool_use","id":"t5","name":"Task","input":{"description":"Look around","prompt":"Look at all","subagent_type":"Explore"}},{"type":"tool_use","id":"t6","name":"Edit","input":{"replace_all":false,"file_path":"/w/a.rs","old_string":"a","new_string":"b"}},{"type":"tool_use","id":"t7","name":"NotebookEdit","input":{"notebook_path":"n.ipynb","new_source":"1"}}]}}
{"type":"assistant","uuid":"a3","message":{"content":[{"type":"tool_use","id":"t8","name":"mcp__x__y","input":{"deep":{"a":1},"word":"first","next":"second"}},{"type":"tool_use","id":"t9","name":"WebSearch","input":{"query":"rust"}},{"type":"tool_use","id":"t0","name":"TodoWrite","input":{"todos":[]}},{"type":"tool_use","id":"ta","name":"BashOutput","input":{"bash_id":"bash_1"}},{"type":"tool_use","id":"tb","name":"Odd","input":"no object"}]}}
"#,
        expect![[r#"
            -<- Context session=s cwd=/w
            a1<- Call t1 Bash command "cargo test" detail="Run the tests"
            a1<- #1 Call t2 Read read "src/a.rs" detail="10-14" files=["/w/src/a.rs"]
            a1<- #2 Call t3 Read read "/w/a.rs" detail="1-88" files=["/w/a.rs"]
            a1<- #3 Call t4 Grep search "fn main" detail="src" files=["/w/src"]
            a2<- Call t5 Task agent "Look around" detail="Explore" task="Look at all"
            a2<- #1 Call t6 Edit edit "/w/a.rs" files=["/w/a.rs"]
            a2<- #2 Call t7 NotebookEdit edit "n.ipynb" files=["/w/n.ipynb"]
            a3<- Call t8 mcp__x__y other "first"
            a3<- #1 Call t9 WebSearch search "rust"
            a3<- #2 Call t0 TodoWrite other ""
            a3<- #3 Call ta BashOutput command "bash_1"
            a3<- #4 Call tb Odd other ""
        "#]],
    );
}

#[test]
fn results_of_commands() {
    check(
        r#"
{"type":"assistant","uuid":"a1","cwd":"/w","message":{"content":[{"type":"tool_use","id":"t1","name":"Bash","input":{"command":"git commit -m x"}},{"type":"tool_use","id":"t2","name":"Bash","input":{"command":"ls"}},{"type":"tool_use","id":"t3","name":"Bash","input":{"command":"ls"}}]}}
{"type":"user","uuid":"r1","toolUseResult":{"stdout":"[main (root-commit) abc1234] x\n 1 file changed","stderr":"","interrupted":false},"message":{"content":[{"type":"tool_result","tool_use_id":"t1","content":"[main (root-commit) abc1234] x\n 1 file changed","is_error":false}]}}
{"type":"user","uuid":"r2","toolUseResult":{"stdout":"[main abc1234] is no commit here","interrupted":false},"message":{"content":[{"type":"tool_result","tool_use_id":"t2","content":"[main abc1234] is no commit here"}]}}
{"type":"user","uuid":"r3","toolUseResult":{"stdout":"","interrupted":false,"gitOperation":{"commit":{"sha":"e85d6f03","kind":"committed"}}},"message":{"content":[{"type":"tool_result","tool_use_id":"t9","content":""}]}}
{"type":"user","uuid":"r4","toolUseResult":"Error: Exit code 101\nfailed","message":{"content":[{"type":"tool_result","tool_use_id":"t3","is_error":true,"content":"Exit code 101\nfailed"}]}}
{"type":"user","uuid":"r5","toolUseResult":{"stdout":"half","interrupted":true},"message":{"content":[{"type":"tool_result","tool_use_id":"t3","content":"half"}]}}
{"type":"user","uuid":"r6","toolUseResult":{"stdout":"","interrupted":false,"backgroundTaskId":"b1"},"message":{"content":[{"type":"tool_result","tool_use_id":"t3","content":"Command running in background with ID: b1"}]}}
{"type":"user","uuid":"r7","toolUseResult":{"stdout":"","interrupted":false,"returnCodeInterpretation":"No matches found"},"message":{"content":[{"type":"tool_result","tool_use_id":"t3","content":""}]}}
{"type":"user","uuid":"r8","toolUseResult":{"shellId":"bash_1","status":"completed","exitCode":3,"stdout":"x"},"message":{"content":[{"type":"tool_result","tool_use_id":"t3","content":"x"}]}}
{"type":"assistant","uuid":"a2","cwd":"/w","message":{"content":[{"type":"tool_use","id":"t4","name":"Bash","input":{"command":"ls"}}]}}
{"type":"user","uuid":"r9","message":{"content":[{"type":"tool_result","tool_use_id":"t4","content":[{"type":"text","text":"one"},{"type":"image"},{"type":"text","text":"two \"is_error\":true"}]}]}}
"#,
        expect![[r#"
            -<- Context cwd=/w
            a1<- Call t1 Bash command "git commit -m x"
            a1<- #1 Call t2 Bash command "ls"
            a1<- #2 Call t3 Bash command "ls"
            r1<- Result t1 "[main (root-commit) abc1234] x\n 1 file changed" exit=0 commit=abc1234
            r2<- Result t2 "[main abc1234] is no commit here" exit=0
            r3<- Result t9 "" exit=0 commit=e85d6f03
            r4<- Result t3 error "Exit code 101\nfailed" exit=101
            r5<- Result t3 interrupted "half"
            r6<- Result t3 "Command running in background with ID: b1"
            r7<- Result t3 ""
            r8<- Result t3 "x" exit=3
            a2<- Call t4 Bash command "ls"
            r9<- Result t4 "one\ntwo \"is_error\":true" exit=0
        "#]],
    );
}

#[test]
fn refused_failed_and_stopped() {
    check(
        r#"
{"type":"assistant","uuid":"a1","cwd":"/w","message":{"content":[{"type":"tool_use","id":"t1","name":"Edit","input":{"file_path":"/w/a.rs","old_string":"a","new_string":"b"}}]}}
{"type":"user","uuid":"r1","toolUseResult":"Error: String to replace not found in file.","message":{"content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":"<tool_use_error>String to replace not found in file.</tool_use_error>"}]}}
{"type":"user","uuid":"r2","toolUseResult":"User rejected tool use","message":{"content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":"The user doesn't want to proceed with this tool use. The tool use was rejected."}]}}
{"type":"user","uuid":"r3","message":{"content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":"[Request interrupted by user for tool use]"},{"type":"text","text":"[Request interrupted by user for tool use]"}]}}
{"type":"user","uuid":"r4","message":{"content":[{"type":"tool_result","tool_use_id":"tx","content":"quoted: \"is_error\":true, The user doesn't want to proceed"}]}}
"#,
        expect![[r#"
            -<- Context cwd=/w
            a1<- Call t1 Edit edit "/w/a.rs" files=["/w/a.rs"]
            r1<- Result t1 error "String to replace not found in file."
            r2<- Result t1 error refused "The user doesn't want to proceed with this tool use. The tool use was rejected."
            r3<- Result t1 error interrupted "[Request interrupted by user for tool use]"
            r3<- #1 Interrupted
            r4<- Result tx "quoted: \"is_error\":true, The user doesn't want to proceed"
        "#]],
    );
}

#[test]
fn reads_and_searches() {
    check(
        r#"
{"type":"user","uuid":"r1","cwd":"/w","toolUseResult":{"type":"text","file":{"filePath":"src/a.rs","content":"one\ntwo\n","startLine":1,"numLines":3,"totalLines":3}},"message":{"content":[{"type":"tool_result","tool_use_id":"t1","content":"1→one\n2→two"}]}}
{"type":"user","uuid":"r2","toolUseResult":{"type":"text","file":{"filePath":"/w/b.rs","content":"two","startLine":2,"numLines":1,"totalLines":3}},"message":{"content":[{"type":"tool_result","tool_use_id":"t2","content":"2→two"}]}}
{"type":"user","uuid":"r3","toolUseResult":{"mode":"files_with_matches","filenames":["a"],"numFiles":1},"message":{"content":[{"type":"tool_result","tool_use_id":"t3","content":"a"}]}}
{"type":"user","uuid":"r4","toolUseResult":{"mode":"content","numFiles":0,"numLines":7},"message":{"content":[{"type":"tool_result","tool_use_id":"t4","content":"x"}]}}
{"type":"user","uuid":"r5","toolUseResult":{"mode":"count","numFiles":2,"numMatches":9},"message":{"content":[{"type":"tool_result","tool_use_id":"t5","content":"x"}]}}
"#,
        expect![[r#"
            -<- Context cwd=/w
            r1<- Result t1 "1→one\n2→two" count=2 whole=/w/src/a.rs
            r2<- Result t2 "2→two" count=1
            r3<- Result t3 "a" count=1
            r4<- Result t4 "x" count=7
            r5<- Result t5 "x" count=9
        "#]],
    );
}

const EDITS: &str = r#"
{"type":"user","uuid":"r1","cwd":"/w","toolUseResult":{"filePath":"/w/a.rs","oldString":"b\n","newString":"B\nb2\n","originalFile":"a\nb\nc\n","structuredPatch":[{"oldStart":1,"oldLines":3,"newStart":1,"newLines":4,"lines":[" a","-b","+B","+b2"," c"]}],"userModified":true,"replaceAll":false},"message":{"content":[{"type":"tool_result","tool_use_id":"t1","content":"updated"}]}}
{"type":"user","uuid":"r2","toolUseResult":{"filePath":"/w/long.rs","oldString":"x","newString":"y","originalFile":null,"structuredPatch":[{"oldStart":900,"newStart":905,"lines":[" k","-x","+y","\\ No newline at end of file"]}],"replaceAll":true},"message":{"content":[{"type":"tool_result","tool_use_id":"t2","content":"updated"}]}}
{"type":"user","uuid":"r3","toolUseResult":{"type":"create","filePath":"/w/new.rs","content":"1\n2\n","structuredPatch":[],"originalFile":null},"message":{"content":[{"type":"tool_result","tool_use_id":"t3","content":"File created successfully at: /w/new.rs"}]}}
{"type":"user","uuid":"r4","toolUseResult":{"type":"update","filePath":"/w/new.rs","content":"1\n","originalFile":null,"structuredPatch":[{"oldStart":1,"newStart":1,"lines":[" 1","-2"]}]},"message":{"content":[{"type":"tool_result","tool_use_id":"t4","content":"updated"}]}}
{"type":"user","uuid":"r5","toolUseResult":{"filePath":"m.rs","edits":[{"old_string":"a","new_string":"b","replace_all":false},{"old_string":"c","new_string":"d\ne","replace_all":true}],"originalFileContents":"a c c","userModified":false},"message":{"content":[{"type":"tool_result","tool_use_id":"t5","content":"Applied 2 edits"}]}}
{"type":"user","uuid":"r6","toolUseResult":{"notebook_path":"/w/n.ipynb","new_source":"1","edit_mode":"replace","error":""},"message":{"content":[{"type":"tool_result","tool_use_id":"t6","content":"Updated cell"}]}}
{"type":"user","uuid":"r7","toolUseResult":{"filePath":"/w/empty.rs","oldString":"","newString":"x\ny","originalFile":"","structuredPatch":[]},"message":{"content":[{"type":"tool_result","tool_use_id":"t7","content":"updated"}]}}
{"type":"user","uuid":"r8","toolUseResult":{"plan":"do","filePath":"/w/plan.md","isAgent":false},"message":{"content":[{"type":"tool_result","tool_use_id":"t8","content":"approved"}]}}
"#;

#[test]
fn edits() {
    check(
        EDITS,
        expect![[r#"
        -<- Context cwd=/w
        r1<- Result t1 "updated" [/w/a.rs:2 +2 -1]
        r2<- Result t2 "updated" [/w/long.rs:906 +1 -1]
        r3<- Result t3 "File created successfully at: /w/new.rs" [/w/new.rs:1 +2 -0 created]
        r4<- Result t4 "updated" [/w/new.rs:2 +0 -1]
        r5<- Result t5 "Applied 2 edits" [/w/m.rs:0 +3 -2]
        r6<- Result t6 "Updated cell" [/w/n.ipynb:0 +0 -0]
        r7<- Result t7 "updated" [/w/empty.rs:0 +2 -0 created]
        r8<- Result t8 "approved"
    "#]],
    );
}

#[test]
fn bodies_of_edits() {
    check_bodies(
        EDITS,
        expect![[r#"
        text "updated"
        change /w/a.rs by the person
          before "a\nb\nc\n"
          "b\n" → "B\nb2\n"
          hunk 1,1 [" a", "-b", "+B", "+b2", " c"]
        text "updated"
        change /w/long.rs
          "x" → "y" everywhere
          hunk 900,905 [" k", "-x", "+y"]
        text "File created successfully at: /w/new.rs"
        change /w/new.rs created
          after "1\n2\n"
        text "updated"
        change /w/new.rs
          after "1\n"
          hunk 1,1 [" 1", "-2"]
        text "Applied 2 edits"
        change m.rs
          before "a c c"
          "a" → "b"
          "c" → "d\ne" everywhere
        text "Updated cell"
        change /w/n.ipynb
        text "updated"
        change /w/empty.rs created
          after "x\ny"
          "" → "x\ny"
        text "approved"
    "#]],
    );
}

#[test]
fn patches_get_their_tabs_back() {
    check_bodies(
        r#"
{"type":"user","uuid":"r1","toolUseResult":{"filePath":"/w/a.go","oldString":"\tb","newString":"\tB\n    c","originalFile":"a\n\tb\n  d\n\td","structuredPatch":[{"oldStart":1,"newStart":1,"lines":[" a","-  b","+  B","+    c","   d","   d"]}]},"message":{"content":[{"type":"tool_result","tool_use_id":"t1","content":"x"}]}}
{"type":"user","uuid":"r2","toolUseResult":{"filePath":"/w/long.go","oldString":"\t\tb\n\tx\n  x","newString":"\tB","originalFile":null,"structuredPatch":[{"oldStart":900,"newStart":900,"lines":["   unknown","-    b","-  x","+  B"]}]},"message":{"content":[{"type":"tool_result","tool_use_id":"t2","content":"x"}]}}
{"type":"user","uuid":"r4","toolUseResult":{"filePath":"/w/b.go","oldString":"b","newString":"B","replaceAll":true,"originalFile":"\tb()\n\tb","structuredPatch":[{"oldStart":1,"newStart":1,"lines":["-  b()","-  b","+  B()","+  B"]}]},"message":{"content":[{"type":"tool_result","tool_use_id":"t4","content":"x"}]}}
{"type":"user","uuid":"r3","toolUseResult":{"type":"update","filePath":"/w/w.go","content":"\ta\n\tb\n","originalFile":"\ta\n","structuredPatch":[{"oldStart":1,"newStart":1,"lines":["   a","+  b"]}]},"message":{"content":[{"type":"tool_result","tool_use_id":"t3","content":"x"}]}}
"#,
        expect![[r#"
            text "x"
            change /w/a.go
              before "a\n\tb\n  d\n\td"
              "\tb" → "\tB\n    c"
              hunk 1,1 [" a", "-\tb", "+\tB", "+    c", "   d", " \td"]
            text "x"
            change /w/long.go
              "\t\tb\n\tx\n  x" → "\tB"
              hunk 900,900 ["   unknown", "-\t\tb", "-  x", "+\tB"]
            text "x"
            change /w/b.go
              before "\tb()\n\tb"
              "b" → "B" everywhere
              hunk 1,1 ["-\tb()", "-\tb", "+\tB()", "+\tB"]
            text "x"
            change /w/w.go
              before "\ta\n"
              after "\ta\n\tb\n"
              hunk 1,1 [" \ta", "+\tb"]
        "#]],
    );
}

#[test]
fn bodies_of_other_records() {
    check_bodies(
        r#"
{"type":"user","uuid":"u1","cwd":"/w","message":{"content":[{"type":"text","text":"<ide_selection>x</ide_selection>"},{"type":"text","text":"one "},{"type":"text","text":"two"}]}}
{"type":"user","uuid":"u2","message":{"content":"<command-name>/review</command-name><command-args>src</command-args>"}}
{"type":"assistant","uuid":"a1","cwd":"/w","message":{"content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"say"},{"type":"tool_use","id":"t1","name":"Bash","input":{"command":"ls\n-l"}},{"type":"tool_use","id":"t2","name":"Grep","input":{"pattern":"x","n":[1]}}]}}
{"type":"assistant","uuid":"a2","cwd":"/w","message":{"content":[{"type":"tool_use","id":"t3","name":"Edit","input":{"file_path":"a.rs","old_string":"a","new_string":"b","replace_all":true}},{"type":"tool_use","id":"t4","name":"Write","input":{"file_path":"/w/b.rs","content":"new"}},{"type":"tool_use","id":"t5","name":"MultiEdit","input":{"file_path":"/w/c.rs","edits":[{"old_string":"a","new_string":"b"}]}}]}}
{"type":"user","uuid":"r1","cwd":"/w","toolUseResult":{"type":"text","file":{"filePath":"src/a.rs","content":"one\ntwo\n","startLine":1,"numLines":3,"totalLines":3}},"message":{"content":[{"type":"tool_result","tool_use_id":"t1","content":"1→one\n2→two"}]}}
{"type":"user","uuid":"r2","toolUseResult":{"type":"text","file":{"filePath":"/w/b.rs","content":"two","startLine":2,"numLines":1,"totalLines":3}},"message":{"content":[{"type":"tool_result","tool_use_id":"t2","content":"2→two"}]}}
{"type":"attachment","uuid":"h1","attachment":{"type":"hook_success","hookEvent":"PostToolUse","command":"rustfmt","stdout":"formatted","exitCode":0}}
{"type":"attachment","uuid":"q1","attachment":{"type":"queued_command","prompt":" and this "}}
{"type":"system","subtype":"away_summary","uuid":"s1","content":"You did much."}
"#,
        expect![[r#"
            text "one\ntwo"
            text "/review src"
            text "hm"
            text "say"
            input "ls\n-l"
            input "{\n  \"pattern\": \"x\",\n  \"n\": [\n    1\n  ]\n}"
            input "{\n  \"file_path\": \"a.rs\",\n  \"old_string\": \"a\",\n  \"new_string\": \"b\",\n  \"replace_all\": true\n}"
            change /w/a.rs
              "a" → "b" everywhere
            input "{\n  \"file_path\": \"/w/b.rs\",\n  \"content\": \"new\"\n}"
            change /w/b.rs
              after "new"
            input "{\n  \"file_path\": \"/w/c.rs\",\n  \"edits\": [\n    {\n      \"old_string\": \"a\",\n      \"new_string\": \"b\"\n    }\n  ]\n}"
            change /w/c.rs
              "a" → "b"
            text "1→one\n2→two"
            observed /w/src/a.rs "one\ntwo\n"
            text "2→two"
            text "formatted"
            text "and this"
            text "You did much."
        "#]],
    );
}

#[test]
fn the_record_is_told_as_it_stands() {
    let log = log("s.jsonl", "{\"type\":\"user\",\"uuid\":\"u1\",\"message\":{\"content\":\"a\\u00e9\"}}\n");
    let (entries, _) = log.scan(&Cursor::default());
    let content = READER.body(&log.path, entries[0].place).expect("reading").expect("there");
    expect![[r#"
        {
          "type": "user",
          "uuid": "u1",
          "message": {
            "content": "a\u00e9"
          }
        }"#]]
    .assert_eq(&content.record);
}

#[test]
fn edits_known_only_by_their_call() {
    check(
        r#"
{"type":"assistant","uuid":"a1","cwd":"/w","message":{"content":[{"type":"tool_use","id":"t1","name":"Edit","input":{"file_path":"a.rs","old_string":"a\nb\nc","new_string":"a\nB\nb2\nc"}},{"type":"tool_use","id":"t2","name":"Write","input":{"file_path":"/w/b.rs","content":"1\n2"}},{"type":"tool_use","id":"t3","name":"NotebookEdit","input":{"notebook_path":"/w/n.ipynb"}},{"type":"tool_use","id":"t4","name":"Bash","input":{"command":"ls"}},{"type":"tool_use","id":"t5","name":"MultiEdit","input":{"file_path":"/w/c.rs","edits":[{"old_string":"a","new_string":"b"},{"old_string":"c","new_string":""}]}}]}}
{"type":"user","uuid":"r1","message":{"content":[{"type":"tool_result","tool_use_id":"t1","content":"updated"}]}}
{"type":"user","uuid":"r2","message":{"content":[{"type":"tool_result","tool_use_id":"t2","content":"File created successfully at: /w/b.rs"}]}}
{"type":"user","uuid":"r3","toolUseResult":{"edited":true},"message":{"content":[{"type":"tool_result","tool_use_id":"t3","content":"ok"}]}}
{"type":"user","uuid":"r4","message":{"content":[{"type":"tool_result","tool_use_id":"t4","content":"ok"}]}}
{"type":"user","uuid":"r5","message":{"content":[{"type":"tool_result","tool_use_id":"t5","content":"ok"}]}}
{"type":"user","uuid":"r6","message":{"content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":"no"}]}}
"#,
        expect![[r#"
            -<- Context cwd=/w
            a1<- Call t1 Edit edit "a.rs" files=["/w/a.rs"]
            a1<- #1 Call t2 Write edit "/w/b.rs" files=["/w/b.rs"]
            a1<- #2 Call t3 NotebookEdit edit "/w/n.ipynb" files=["/w/n.ipynb"]
            a1<- #3 Call t4 Bash command "ls"
            a1<- #4 Call t5 MultiEdit edit "/w/c.rs" files=["/w/c.rs"]
            r1<- Result t1 "updated" [/w/a.rs:0 +2 -1]
            r2<- Result t2 "File created successfully at: /w/b.rs" [/w/b.rs:1 +2 -0 created]
            r3<- Result t3 "ok" [/w/n.ipynb:0 +0 -0]
            r4<- Result t4 "ok" exit=0
            r5<- Result t5 "ok" [/w/c.rs:0 +1 -2]
            r6<- Result t1 error "no"
        "#]],
    );
}

#[test]
fn results_before_their_calls() {
    check(
        r#"
{"type":"user","uuid":"r1","cwd":"/w","toolUseResult":{"filePath":"/w/a.rs","oldString":"a","newString":"b","structuredPatch":[{"oldStart":3,"newStart":3,"lines":["-a","+b"]}]},"message":{"content":[{"type":"tool_result","tool_use_id":"t1","content":"updated"}]}}
{"type":"user","uuid":"r2","message":{"content":[{"type":"tool_result","tool_use_id":"t2","content":"updated"}]}}
{"type":"assistant","uuid":"a1","message":{"content":[{"type":"tool_use","id":"t1","name":"Edit","input":{"file_path":"/w/a.rs","old_string":"a","new_string":"b"}},{"type":"tool_use","id":"t2","name":"Edit","input":{"file_path":"/w/a.rs","old_string":"b","new_string":"c"}}]}}
"#,
        expect![[r#"
            -<- Context cwd=/w
            r1<- Result t1 "updated" [/w/a.rs:3 +1 -1]
            r2<- Result t2 "updated"
            a1<- Call t1 Edit edit "/w/a.rs" files=["/w/a.rs"]
            a1<- #1 Call t2 Edit edit "/w/a.rs" files=["/w/a.rs"]
        "#]],
    );
}

#[test]
fn sub_agents_among_the_parents_records() {
    check(
        r#"
{"type":"assistant","uuid":"a0","sessionId":"s","cwd":"/w","isSidechain":false,"message":{"model":"big","content":[{"type":"tool_use","id":"t0","name":"Task","input":{"description":"d","prompt":"<do> this"}}]}}
{"type":"user","uuid":"k1","parentUuid":null,"sessionId":"s","cwd":"/w","isSidechain":true,"message":{"content":"<do> this"}}
{"type":"user","uuid":"l1","parentUuid":null,"isSidechain":true,"message":{"content":"do that"}}
{"type":"assistant","uuid":"k2","parentUuid":"k1","isSidechain":true,"cwd":"/elsewhere","message":{"model":"small","content":[{"type":"text","text":"done this"}]}}
{"type":"assistant","uuid":"l2","parentUuid":"l1","isSidechain":true,"message":{"content":[{"type":"text","text":"done that"}]}}
{"type":"assistant","uuid":"m3","parentUuid":"lost","isSidechain":true,"message":{"content":[{"type":"text","text":"of the newest"}]}}
{"type":"user","uuid":"r0","parentUuid":"a0","isSidechain":false,"toolUseResult":{"content":[],"totalTokens":1},"message":{"content":[{"type":"tool_result","tool_use_id":"t0","content":[{"type":"text","text":"all done"}]}]}}
"#,
        expect![[r#"
            -<- Context session=s cwd=/w model=big
            a0<- Call t0 Task agent "d" task="<do> this"
            k1<- (k1) Task prompt "<do> this"
            l1<- (l1) Task prompt "do that"
            k2<k1 (k1) Text "done this"
            l2<l1 (l1) Text "done that"
            m3<lost (l1) Text "of the newest"
            r0<a0 Result t0 "all done"
        "#]],
    );
}

#[test]
fn sub_agents_in_their_own_log() {
    check_file(
        "agent-a1b2c3.jsonl",
        r#"
{"type":"user","uuid":"u1","parentUuid":null,"isSidechain":true,"agentId":"a1b2c3","sessionId":"s","cwd":"/w","message":{"content":"<system-reminder>x</system-reminder>look"}}
{"type":"assistant","uuid":"a1","parentUuid":"u1","isSidechain":true,"agentId":"a1b2c3","sessionId":"s","cwd":"/w","message":{"model":"small","content":[{"type":"text","text":"I looked"}]}}
{"type":"user","uuid":"u2","parentUuid":"a1","isSidechain":true,"agentId":"a1b2c3","sessionId":"s","message":{"content":"go on"}}
"#,
        expect![[r#"
            -<- (a1b2c3) Context session=s parent_session=s cwd=/w
            u1<- Task prompt "<system-reminder>x</system-reminder>look"
            -<- (a1b2c3) Context model=small
            a1<u1 Text "I looked"
            u2<a1 Task prompt "go on"
        "#]],
    );
}

#[test]
fn sub_agents_in_progress_records() {
    check(
        r#"
{"type":"progress","uuid":"p1","parentUuid":"a0","sessionId":"s","cwd":"/w","parentToolUseID":"t0","data":{"type":"agent_progress","agentId":"ab1","prompt":"do this ","message":{"type":"user","uuid":"i1","message":{"content":[{"type":"text","text":"do this"}]}},"normalizedMessages":[]}}
{"type":"progress","uuid":"p2","parentUuid":"p1","parentToolUseID":"t0","data":{"type":"agent_progress","agentId":"ab1","prompt":"do this ","message":{"type":"assistant","uuid":"i2","requestId":"r","message":{"id":"m","model":"small","content":[{"type":"tool_use","id":"t1","name":"Edit","input":{"file_path":"a.rs","old_string":"a","new_string":"b"}}],"usage":{"output_tokens":5}}},"normalizedMessages":[{"type":"assistant","uuid":"i2"}]}}
{"type":"progress","uuid":"p3","parentUuid":"p2","cwd":"/w","parentToolUseID":"t0","data":{"type":"agent_progress","agentId":"ab1","prompt":"do this ","message":{"type":"user","uuid":"i3","message":{"content":[{"type":"tool_result","tool_use_id":"t1","content":"updated"}]}}}}
{"type":"progress","uuid":"p4","parentUuid":"p3","parentToolUseID":"t0","data":{"type":"agent_progress","agentId":"ab1","prompt":"do this ","message":{"type":"user","uuid":"i3","message":{"content":[{"type":"tool_result","tool_use_id":"t1","content":"updated"}]}}}}
{"type":"progress","uuid":"p5","parentUuid":"p4","parentToolUseID":"t9","data":{"type":"agent_progress","agentId":"cd2","prompt":"do that","message":{"type":"user"}}}
{"type":"progress","uuid":"p6","parentUuid":"p5","data":{"type":"bash_progress","output":"…"}}
{"type":"progress","uuid":"p7","parentUuid":"p6","data":{"type":"hook_progress","hookEvent":"SessionStart","command":"setup.sh"}}
{"type":"progress","uuid":"p8","parentUuid":"p7","data":{"type":"hook_progress","hookEvent":"PostToolUse","command":"callback"}}
{"type":"user","uuid":"r0","parentUuid":"p7","toolUseResult":{"status":"completed","agentId":"ab1"},"message":{"content":[{"type":"tool_result","tool_use_id":"t0","content":"done"}]}}
"#,
        expect![[r#"
            -<- Context session=s cwd=/w
            -<- SideStarted ab1 by t0
            i1<- (ab1) Task prompt "do this"
            p1<a0 Silent
            i2<- (ab1) Call t1 Edit edit "a.rs" files=["/w/a.rs"]
            i2<- (ab1) Usage 2286 small in 0, written 0 (hour 0), read 0, out 5
            p2<p1 Silent
            i3<- (ab1) Result t1 "updated" [/w/a.rs:0 +1 -1]
            p3<p2 Silent
            p4<p3 Silent
            -<- SideStarted cd2 by t9
            -<- (cd2) Task prompt "do that"
            p5<p4 Silent
            p6<p5 Silent
            p7<p6 System "hook SessionStart: setup.sh"
            p8<p7 Silent
            r0<p7 Result t0 "done" side=ab1
        "#]],
    );
}

#[test]
fn sub_agents_in_the_background() {
    check(
        r#"
{"type":"assistant","uuid":"a0","cwd":"/w","message":{"content":[{"type":"tool_use","id":"t0","name":"Agent","input":{"description":"d","prompt":"p"}},{"type":"tool_use","id":"t1","name":"Agent","input":{"description":"d","prompt":"p"}}]}}
{"type":"user","uuid":"r0","toolUseResult":{"isAsync":true,"status":"async_launched","agentId":"ab1","outputFile":"/tmp/x"},"message":{"content":[{"type":"tool_result","tool_use_id":"t0","content":"launched"}]}}
{"type":"user","uuid":"r1","message":{"content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"done"},{"type":"text","text":"agentId: cd2 (for resuming)"}]}]}}
"#,
        expect![[r#"
            -<- Context cwd=/w
            a0<- Call t0 Agent agent "d" task="p"
            a0<- #1 Call t1 Agent agent "d" task="p"
            r0<- Result t0 "launched" side=ab1
            r1<- Result t1 "done\nagentId: cd2 (for resuming)" side=cd2
        "#]],
    );
}

#[test]
fn compaction() {
    check(
        r#"
{"type":"system","subtype":"compact_boundary","uuid":"c1","parentUuid":null,"logicalParentUuid":"a9","content":"Conversation compacted","compactMetadata":{"trigger":"auto","preTokens":167369}}
{"type":"user","uuid":"c2","parentUuid":"c1","isCompactSummary":true,"isVisibleInTranscriptOnly":true,"message":{"content":"This session is being continued"}}
{"type":"user","uuid":"c3","parentUuid":"c2","message":{"content":"This session is being continued from a previous conversation that ran out"}}
{"type":"system","subtype":"microcompact_boundary","uuid":"c4","parentUuid":"c3"}
"#,
        expect![[r#"
            c1<a9 Compacted automatic=Some(true) before=Some(167369) summary=None
            c2<c1 Compacted automatic=None before=None summary=Some(31)
            c3<c2 Compacted automatic=None before=None summary=Some(73)
            c4<c3 System "old tool results left out of the context"
        "#]],
    );
}

#[test]
fn a_fork_repeats_records_under_another_session() {
    check(
        r#"
{"type":"user","uuid":"u1","sessionId":"new","cwd":"/w2","message":{"content":"one"}}
{"type":"assistant","uuid":"a1","parentUuid":"u1","sessionId":"new","requestId":"r","message":{"id":"m","content":[{"type":"text","text":"x"}],"usage":{"output_tokens":1}}}
{"type":"user","uuid":"u2","parentUuid":"a1","sessionId":"old","cwd":"/w","message":{"content":"two"}}
{"type":"user","uuid":"u3","parentUuid":"a1","sessionId":"old","gitBranch":"b","message":{"content":"instead"}}
{"type":"last-prompt","sessionId":"old","lastPrompt":"instead","leafUuid":"u3"}
"#,
        expect![[r#"
            -<- Context session=new cwd=/w2
            u1<- Typed prompt "one"
            a1<u1 Text "x"
            a1<u1 Usage 2286 - in 0, written 0 (hour 0), read 0, out 1
            -<- Context session=old cwd=/w
            u2<a1 Typed prompt "two"
            -<- Context branch=b
            u3<a1 Typed prompt "instead"
            -<- Leaf u3
        "#]],
    );
}

#[test]
fn backups() {
    check(
        r#"
{"type":"user","uuid":"u1","sessionId":"s","cwd":"/w","message":{"content":"one"}}
{"type":"file-history-snapshot","messageId":"u1","isSnapshotUpdate":false,"snapshot":{"messageId":"u1","trackedFileBackups":{}}}
{"type":"file-history-snapshot","messageId":"u1","isSnapshotUpdate":true,"snapshot":{"trackedFileBackups":{"src/a.rs":{"backupFileName":"x@v1","version":1},"/abs/b.rs":{"backupFileName":null,"version":1}}}}
{"type":"user","uuid":"u2","sessionId":"s","cwd":"/w/sub","message":{"content":"two"}}
{"type":"file-history-snapshot","messageId":"u2","snapshot":{"trackedFileBackups":{"src/a.rs":{"backupFileName":"x@v2","version":2},"/abs/b.rs":{"backupFileName":null,"version":1}}}}
{"type":"file-history-delta","messageId":"u2","snapshotMessageId":"u1","trackingPath":"c.rs","backup":{"backupFileName":"c@v1","version":1}}
"#,
        expect![[r#"
            -<- Context session=s cwd=/w
            u1<- Typed prompt "one"
            -<- Backups before u1 [("/w/src/a.rs", Some("x@v1")), ("/abs/b.rs", None)]
            -<- Context cwd=/w/sub
            u2<- Typed prompt "two"
            -<- Backups before u2 [("/w/src/a.rs", Some("x@v2"))]
            -<- Backups before u2 [("/w/c.rs", Some("c@v1"))]
        "#]],
    );
}

#[test]
fn the_clients_own_records() {
    check(
        r#"
{"type":"attachment","uuid":"x1","cwd":"/w","attachment":{"type":"hook_success","hookName":"PostToolUse:Edit","hookEvent":"PostToolUse","command":"rustfmt","exitCode":0}}
{"type":"attachment","uuid":"x2","attachment":{"type":"hook_non_blocking_error","hookEvent":"Stop","command":"check","exitCode":1,"stderr":"no"}}
{"type":"attachment","uuid":"x3","attachment":{"type":"hook_blocking_error","hookEvent":"Stop","blockingError":{"blockingError":"tests fail","command":"check"}}}
{"type":"attachment","uuid":"x4","attachment":{"type":"hook_additional_context","hookEvent":"PreToolUse","hookName":"x","content":"…"}}
{"type":"attachment","uuid":"x5","attachment":{"type":"hook_system_message","hookEvent":"SessionStart","content":"\n\nhello\nthere"}}
{"type":"attachment","uuid":"x6","attachment":{"type":"edited_text_file","filename":"src/a.rs","snippet":"1\tx"}}
{"type":"attachment","uuid":"x7","attachment":{"type":"task_reminder","content":[]}}
{"type":"attachment","uuid":"x8","attachment":{"type":"nested_memory","path":"/w/CLAUDE.md","displayPath":"CLAUDE.md","content":{"a":1}}}
{"type":"attachment","uuid":"x9","attachment":{"type":"brand_new"}}
{"type":"system","uuid":"s1","subtype":"turn_duration","durationMs":1}
{"type":"system","uuid":"s2","subtype":"stop_hook_summary","hookCount":2,"hookInfos":[{"command":"notify"},{"command":"prettier -w ."}]}
{"type":"system","uuid":"s3","subtype":"away_summary","content":"You fixed it."}
{"type":"system","uuid":"s4","subtype":"api_error","error":{"status":529,"message":"Overloaded"},"retryAttempt":1,"maxRetries":10}
{"type":"system","uuid":"s5","subtype":"informational","content":"news"}
{"type":"system","uuid":"s6","subtype":"brand_new"}
"#,
        expect![[r#"
            -<- Context cwd=/w
            x1<- System "hook PostToolUse: rustfmt, exit 0"
            x2<- System "hook Stop: check, failed, exit 1"
            x3<- System "hook Stop: check, blocked: tests fail"
            x4<- System "hook PreToolUse: additional context"
            x5<- System "hook SessionStart: hello"
            x6<- ChangedOutside /w/src/a.rs
            x7<- System "task reminder"
            x8<- System "nested memory: CLAUDE.md"
            x9<- Unknown "attachment brand_new"
            s1<- Silent
            s2<- System "hook Stop: notify; prettier -w ."
            s3<- System "recap: You fixed it."
            s4<- System "API error 529, retry 1 of 10: Overloaded"
            s5<- System "informational: news"
            s6<- Unknown "system brand_new"
        "#]],
    );
}

#[test]
fn records_outside_of_the_tree() {
    check(
        r#"
{"type":"summary","summary":"All of it","leafUuid":"u9"}
{"type":"ai-title","aiTitle":"A title","sessionId":"s"}
{"type":"custom-title","customTitle":"My title","sessionId":"s"}
{"type":"pr-link","prNumber":12,"prUrl":"https://example.invalid/pull/12","sessionId":"s"}
{"type":"pr-link","prNumber":12,"prUrl":"https://example.invalid/pull/12","sessionId":"s"}
{"type":"permission-mode","permissionMode":"plan","sessionId":"s"}
{"type":"mode","mode":"normal","sessionId":"s"}
{"type":"last-prompt","lastPrompt":"x","sessionId":"s"}
{"type":"queue-operation","operation":"dequeue","sessionId":"s"}
{"type":"bridge-session","sessionId":"s"}
{"type":"agent-name","agentName":"x","sessionId":"s"}
{"type":"atis-latch","sessionId":"s"}
{"type":"frame-link","path":"/w/x.html","title":"Preview","sessionId":"s"}
{"type":"worktree-state","worktreeSession":{"worktreePath":"/w/t","worktreeBranch":"b"},"sessionId":"s"}
{"type":"worktree-state","worktreeSession":null,"sessionId":"s"}
{"type":"relocated","relocatedCwd":"/w2","sessionId":"s"}
{"type":"started","key":"k","agentId":"a"}
{"type":"result","key":"k","agentId":"a","result":{}}
{"type":"brand-new","sessionId":"s","uuid":"n1","parentUuid":"u1"}
{"no":"type"}
"#,
        expect![[r#"
            -<u9 Title Summary "All of it"
            -<- Context session=s
            -<- Title Generated "A title"
            -<- Title Custom "My title"
            -<- System "pull request #12 https://example.invalid/pull/12"
            -<- System "preview: Preview"
            -<- System "worktree: /w/t, branch b"
            -<- System "left the worktree"
            -<- System "moved: /w2"
            n1<u1 Unknown "brand-new"
            -<- Unknown "record without a type"
        "#]],
    );
}

#[test]
fn windows_paths_stay() {
    check(
        r#"
{"type":"assistant","uuid":"a1","cwd":"C:\\w","message":{"content":[{"type":"tool_use","id":"t1","name":"Edit","input":{"file_path":"C:\\w\\a.rs","old_string":"a","new_string":"b"}},{"type":"tool_use","id":"t2","name":"Read","input":{"file_path":"src\\b.rs"}}]}}
{"type":"file-history-delta","messageId":"u2","trackingPath":"docs\\log.md","backup":{"backupFileName":"c@v1"}}
"#,
        expect![[r#"
            -<- Context cwd=C:\w
            a1<- Call t1 Edit edit "C:\\w\\a.rs" files=["C:\\w\\a.rs"]
            a1<- #1 Call t2 Read read "src\\b.rs" files=["C:\\w\\src\\b.rs"]
            -<- Backups before u2 [("C:\\w\\docs\\log.md", Some("c@v1"))]
        "#]],
    );
}

#[test]
fn damaged_lines() {
    check(
        "{\"type\":\"user\",\"uuid\":\"u1\",\"sessionId\":\"s\",\"message\":{\"content\":\"one\"}}{\"type\":\"user\",\"uuid\":\"u2\",\"message\":{\"content\":\"two\"}}\n\
         {\"type\":\"user\",\"uuid\":\"u3\",\"sessionId\":\"s\",\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"lost\"}],\"x\":\"cut{\"type\":\"user\",\"uuid\":\"u4\",\"sessionId\":\"s\",\"message\":{\"content\":\"whole\"}}\n\
         no json\n\
         {\"type\":\"user\",\"uuid\":\"u5\",\"message\":{\"content\":\"half a smile \\ud83d\"}}\n\
         {\"type\":\"user\",\"uuid\":\"u6\",\"message\":{\"content\":{\"odd\":1}},\"isMeta\":\"yes\",\"cwd\":7}\n",
        expect![[r#"
            -<- Context session=s
            u1<- Typed prompt "one"
            u2<- Typed prompt "two"
            u4<- Typed prompt "whole"
            u5<- Typed prompt "half a smile �"
            u6<- Silent
            broken at [127, 305]
        "#]],
    );
}

fn user(id: &str, text: &str) -> String {
    format!("{{\"type\":\"user\",\"uuid\":\"{id}\",\"message\":{{\"content\":\"{text}\"}}}}\n")
}

#[test]
fn half_a_line_is_read_when_it_is_whole() {
    let all = user("u1", "one") + &user("u2", "two");
    let half = all.len() - 10;
    let log = log("s.jsonl", &all[..half]);
    let (first, scan) = log.scan(&Cursor::default());
    assert_eq!((first.len(), scan.cursor.records, scan.broken.len()), (1, 1, 0));

    fs::write(&log.path, all.trim_end()).expect("growing the log");
    let (second, scan) = log.scan(&scan.cursor);
    assert_eq!(show(&all, &second), "u2<- Typed prompt \"two\"\n");
    assert_eq!((scan.cursor.records, scan.restarted), (2, false));

    fs::write(&log.path, &all).expect("growing the log");
    let (third, scan) = log.scan(&scan.cursor);
    assert_eq!((third.len(), scan.cursor.records, scan.broken.len()), (0, 2, 0));
    assert_eq!(log.scan(&scan.cursor).1.bytes_read, 0);
}

#[test]
fn truncated_and_replaced_files_are_read_anew() {
    let all = user("u1", "one") + &user("u2", "two");
    let log = log("s.jsonl", &all);
    let (_, scan) = log.scan(&Cursor::default());
    let seen = log.scan(&Cursor::default()).0[1].place;

    fs::write(&log.path, user("u1", "one")).expect("truncating the log");
    let (entries, shorter) = log.scan(&scan.cursor);
    assert_eq!((entries.len(), shorter.restarted, shorter.cursor.records), (1, true, 1));
    assert_eq!(READER.body(&log.path, seen).expect("reading"), None);

    fs::write(&log.path, user("x1", "one") + &user("x2", "two")).expect("writing another log in its place");
    let (entries, other) = log.scan(&scan.cursor);
    assert_eq!((entries.len(), other.restarted), (2, true));
    assert_eq!(READER.body(&log.path, seen).expect("reading"), None);

    fs::remove_file(&log.path).expect("removing the log");
    assert_eq!(READER.body(&log.path, seen).expect("reading"), None);
    let error = READER.scan(&log.path, &other.cursor, &mut |_| {}).expect_err("there is no log");
    assert!(error.to_string().contains("s.jsonl"), "{error}");
}

#[test]
fn a_resumed_scan_knows_what_came_before() {
    let call = r#"{"type":"assistant","uuid":"a1","cwd":"/w","message":{"content":[{"type":"tool_use","id":"t1","name":"Edit","input":{"file_path":"/w/a.rs","old_string":"a","new_string":"b"}}]}}"#;
    let result = r#"{"type":"user","uuid":"r1","cwd":"/w","message":{"content":[{"type":"tool_result","tool_use_id":"t1","content":"updated"}]}}"#;
    let log = log("s.jsonl", format!("{call}\n"));
    let (_, scan) = log.scan(&Cursor::default());
    fs::write(&log.path, format!("{call}\n{result}\n")).expect("growing the log");
    let (entries, _) = log.scan(&scan.cursor);
    expect![[r#"
        r1<- Result t1 "updated" [/w/a.rs:0 +1 -1]
    "#]]
    .assert_eq(&show(result, &entries));
}

/// A log that grew line by line, each scan from the cursor of the one before.
fn line_by_line(name: &str, text: &str) -> (Vec<Entry>, Vec<Scan>) {
    let log = log(name, "");
    let (mut entries, mut scans): (Vec<Entry>, Vec<Scan>) = (Vec::new(), Vec::new());
    for end in text.char_indices().filter(|(_, c)| *c == '\n').map(|(at, _)| at + 1) {
        fs::write(&log.path, &text[..end]).expect("growing the log");
        let cursor = scans.last().map(|scan| scan.cursor.clone()).unwrap_or_default();
        let (new, scan) = log.scan(&cursor);
        entries.extend(new);
        scans.push(scan);
    }
    (entries, scans)
}

#[test]
fn an_appended_line_costs_its_own_bytes() {
    let call = r#"{"type":"assistant","uuid":"a1","cwd":"/w","message":{"content":[{"type":"tool_use","id":"t1","name":"Edit","input":{"file_path":"/w/a.rs","old_string":"a","new_string":"b"}}]}}"#;
    let result = r#"{"type":"user","uuid":"r1","cwd":"/w","message":{"content":[{"type":"tool_result","tool_use_id":"t1","content":"updated"}]}}"#;
    let filler = user("u1", "on and on").repeat(9_000);
    assert!(filler.len() as u64 > super::LOOK_BACK);
    let log = log("s.jsonl", format!("{call}\n{filler}"));
    let (_, before) = log.scan(&Cursor::default());
    assert_eq!(before.bytes_again, 0);
    fs::write(&log.path, format!("{call}\n{filler}{result}\n")).expect("growing the log");
    let (entries, scan) = log.scan(&before.cursor);
    assert_eq!(scan.bytes_read, result.len() as u64 + 1);
    assert!(scan.bytes_again <= Cursor::PROOF, "{} bytes were read again", scan.bytes_again);
    // The call lies further back than a scan without memory looks.
    expect![[r#"
        r1<- Result t1 "updated" [/w/a.rs:0 +1 -1]
    "#]]
    .assert_eq(&show(result, &entries));

    let without = Cursor { memory: Memory::default(), ..before.cursor.clone() };
    assert_eq!(without, before.cursor);
    let (entries, scan) = log.scan(&without);
    assert_eq!(scan.bytes_read, result.len() as u64 + 1);
    assert!(scan.bytes_again > super::LOOK_BACK);
    expect![[r#"
        -<- Context cwd=/w
        r1<- Result t1 "updated"
    "#]]
    .assert_eq(&show(result, &entries));
}

#[test]
fn a_cursor_can_be_used_twice() {
    let log = log("s.jsonl", user("u1", "one"));
    let (_, scan) = log.scan(&Cursor::default());
    let task = r#"{"type":"user","uuid":"k1","isSidechain":true,"sessionId":"s","message":{"content":"a task"}}"#;
    let said = r#"{"type":"assistant","uuid":"k2","parentUuid":"k1","isSidechain":true,"sessionId":"s","message":{"content":"done"}}"#;
    fs::write(&log.path, format!("{}{task}\n{said}\n", user("u1", "one"))).expect("growing the log");
    assert_eq!(log.scan(&scan.cursor), log.scan(&scan.cursor));
}

#[test]
fn a_log_below_a_session_is_that_sessions() {
    // A resumed session writes the id of the one before into the records of its sub-agents.
    let text = r#"
{"type":"user","uuid":"u1","parentUuid":null,"isSidechain":true,"agentId":"x1","sessionId":"before","cwd":"/w","message":{"content":"look"}}
{"type":"assistant","uuid":"a1","parentUuid":"u1","isSidechain":true,"agentId":"x1","sessionId":"before","message":{"content":"I looked"}}
"#;
    let told = expect![[r#"
        -<- (x1) Context session=before parent_session=after cwd=/w
        u1<- Task prompt "look"
        a1<u1 Text "I looked"
    "#]];
    for name in ["after/subagents/agent-x1.jsonl", "after/subagents/deep/agent-x1.jsonl"] {
        told.assert_eq(&show(text, &log(name, text).scan(&Cursor::default()).0));
        told.assert_eq(&show(text, &line_by_line(name, text).0));
    }
}

#[test]
fn what_is_named_like_a_sub_agent_is_a_session_by_its_own_word() {
    let of = |session: &str| {
        format!(
            r#"{{"type":"user","uuid":"u1","parentUuid":null,"sessionId":"{session}","message":{{"content":"look"}}}}"#
        )
    };
    check_file(
        "agent-x1.jsonl",
        &of("another"),
        expect![[r#"
            -<- (x1) Context session=another parent_session=another
            u1<- Task prompt "look"
        "#]],
    );
    check_file(
        "agent-x1.jsonl",
        &of("agent-x1"),
        expect![[r#"
            -<- Context session=agent-x1
            u1<- Typed prompt "look"
        "#]],
    );
}

#[test]
fn a_resumed_scan_of_a_long_log_knows_what_lies_far_back() {
    let begin = r#"{"type":"user","uuid":"u1","sessionId":"s","cwd":"/w","message":{"content":"one"}}"#;
    let filler = r#"{"type":"assistant","uuid":"a1","cwd":"/w/deep","message":{"content":"on and on"}}"#;
    let read = format!("{begin}\n{}", format!("{filler}\n").repeat(10_000));
    let end = r#"{"type":"file-history-delta","messageId":"u1","trackingPath":"a.rs","backup":{"backupFileName":"a@v1"}}
{"type":"user","uuid":"r1","message":{"content":[{"type":"tool_result","tool_use_id":"t1","content":"updated"}]}}"#;
    assert!(read.len() as u64 > super::LOOK_BACK);
    let log = log("s.jsonl", &read);
    let (_, scan) = log.scan(&Cursor::default());
    fs::write(&log.path, format!("{read}{end}\n")).expect("growing the log");
    let (entries, scan) = log.scan(&scan.cursor);
    assert_eq!((scan.restarted, scan.cursor.records), (false, 10_003));
    expect![[r#"
        -<- Backups before u1 [("/w/a.rs", Some("a@v1"))]
        r1<- Result t1 "updated"
    "#]]
    .assert_eq(&show(&format!("{begin}{end}"), &entries));
}

mod finding {
    use super::*;
    use crate::{Env, Trouble};
    use std::path::Path;
    use trace::Agent;

    fn env(home: Option<&str>, config: Option<&str>, extra: &[&str]) -> Env {
        let vars = config.map(|value| ("CLAUDE_CONFIG_DIR".to_owned(), value.to_owned()));
        Env {
            home: home.map(PathBuf::from),
            vars: vars.into_iter().collect(),
            extra: extra.iter().map(|path| (Agent::ClaudeCode, PathBuf::from(path))).collect(),
        }
    }

    #[test]
    fn roots() {
        let check = |env: Env, expected: &[&str]| {
            assert_eq!(READER.roots(&env), expected.iter().map(PathBuf::from).collect::<Vec<_>>());
        };
        check(env(Some("/h"), None, &[]), &["/h/.claude", "/h/.config/claude"]);
        check(env(Some("/h"), Some(""), &[]), &["/h/.claude", "/h/.config/claude"]);
        check(env(Some("/h"), Some("/a, ~/b,"), &["/c", "/a"]), &["/a", "/h/b", "/c"]);
        check(env(None, None, &["/c"]), &["/c"]);
        check(env(None, None, &[]), &[]);
    }

    fn put(root: &Path, path: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("making the folder");
        fs::write(path, "{}\n").expect("writing the file");
    }

    fn found(root: &Path) -> Vec<String> {
        let mut paths = Vec::new();
        let mut trouble = Vec::new();
        READER.walk(root, &mut |found| paths.push(found.path), &mut |one: Trouble| trouble.push(one));
        assert!(trouble.is_empty(), "{trouble:?}");
        assert!(paths.iter().all(|path| READER.is_log(root, path)));
        let below = paths.iter().filter_map(|path| path.strip_prefix(root).ok());
        below.map(|path| path.to_string_lossy().replace('\\', "/")).collect()
    }

    #[test]
    fn logs_below_projects() {
        let root = tempfile::tempdir().expect("a folder");
        for path in [
            "projects/-w/s.jsonl",
            "projects/-w/s/subagents/agent-1.jsonl",
            "projects/-w/s/subagents/deep/agent-2.jsonl",
            "projects/-w/s/subagents/agent-1.meta.json",
            "projects/-w/agent-3.jsonl",
            "projects/-w/folder.jsonl/inside.txt",
            "history.jsonl",
            "todos/x.jsonl",
        ] {
            put(root.path(), path);
        }
        expect![[r#"
            projects/-w/agent-3.jsonl
            projects/-w/s.jsonl
            projects/-w/s/subagents/agent-1.jsonl
            projects/-w/s/subagents/deep/agent-2.jsonl"#]]
        .assert_eq(&found(root.path()).join("\n"));
        assert!(!READER.is_log(root.path(), &root.path().join("history.jsonl")));
        assert!(!READER.is_log(root.path(), &root.path().join("projects/-w/folder.jsonl")));
        assert!(READER.is_log(root.path(), &root.path().join("projects/-w/deleted.jsonl")));
    }

    #[test]
    fn logs_directly_in_a_folder() {
        let root = tempfile::tempdir().expect("a folder");
        for path in ["s.jsonl", "deep/agent-1.jsonl", "history.jsonl", "notes.txt"] {
            put(root.path(), path);
        }
        assert_eq!(found(root.path()), ["s.jsonl", "deep/agent-1.jsonl"]);
        assert_eq!(found(&root.path().join("absent")), Vec::<String>::new());
    }

    #[cfg(unix)]
    #[test]
    fn links_and_devices_are_passed_over() {
        let (root, outside) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        put(root.path(), "projects/-w/s.jsonl");
        put(outside.path(), "x/t.jsonl");
        let link = |to: &Path, name: &str| {
            std::os::unix::fs::symlink(to, root.path().join("projects").join(name)).expect("making a link");
        };
        link(outside.path(), "out");
        link(&outside.path().join("x/t.jsonl"), "-w/t.jsonl");
        link(&root.path().join("projects"), "-w/loop");
        link(Path::new("/dev/zero"), "zero.jsonl");
        let socket = std::os::unix::net::UnixListener::bind(root.path().join("projects/socket.jsonl"));
        assert!(socket.is_ok());
        assert_eq!(found(root.path()), ["projects/-w/s.jsonl"]);
        // The folder of logs itself may be a link; its logs are known by both paths.
        let moved = outside.path().join("config");
        std::os::unix::fs::symlink(root.path(), &moved).expect("making a link");
        assert_eq!(found(&moved), ["projects/-w/s.jsonl"]);
        let real = root.path().canonicalize().expect("the folder's own path");
        assert!(READER.is_log(&moved, &real.join("projects/-w/s.jsonl")));
        let error = READER.scan(&root.path().join("projects/zero.jsonl"), &Cursor::default(), &mut |_| {});
        assert!(error.is_err());
    }

    #[test]
    fn backups_lie_beside_the_projects() {
        let log = Path::new("/projects/home/.claude/projects/-w/s/subagents/agent-1.jsonl");
        let check = |session: &str, name: &str| READER.backup(log, session, name);
        assert_eq!(check("s", "0a@v1"), Some("/projects/home/.claude/file-history/s/0a@v1".into()));
        assert_eq!(check("..", "0a@v1"), None);
        assert_eq!(check("s", "../../../secret"), None);
        assert_eq!(check("s", ""), None);
        assert_eq!(READER.backup(Path::new("/logs/s.jsonl"), "s", "0a@v1"), None);
    }
}
