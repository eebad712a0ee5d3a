//! Writes logs as Claude Code writes them, of work on files that lie in memory.
//!
//! Texts, patches and results follow from the edits themselves, so that the log is as consistent as a real one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

/// Who works: a session, or a sub-agent of it.
struct Voice {
    /// `None`: the session itself.
    side: Option<&'static str>,
    records: Vec<Value>,
    /// The last record's id.
    last: Option<String>,
}

/// A session in the making: what has been logged so far, the files as they are, and the time that it is.
pub(super) struct Log {
    session: &'static str,
    root: PathBuf,
    files: BTreeMap<&'static str, String>,
    now: Timestamp,
    voice: Voice,
    sides: Vec<(&'static str, Vec<Value>)>,
    /// Ids given out so far.
    ids: u32,
}

/// A command that the agent runs: how it ends and what it prints.
pub(super) struct Run {
    pub(super) exit: i32,
    pub(super) output: String,
    pub(super) seconds: f64,
}

const VERSION: &str = "2.1.237";
const MODEL: &str = "claude-opus-4-5";

impl Log {
    pub(super) fn new(session: &'static str, root: &Path, files: &[(&'static str, &str)], now: Timestamp) -> Log {
        let files = files.iter().map(|(path, text)| (*path, (*text).to_owned())).collect();
        let voice = Voice { side: None, records: Vec::new(), last: None };
        Log { session, root: root.to_owned(), files, now, voice, sides: Vec::new(), ids: 0 }
    }

    /// The file as it is now.
    pub(super) fn text(&self, path: &str) -> &str {
        self.files.get(path).map_or("", String::as_str)
    }

    /// All files as they are now.
    pub(super) fn files(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.files.iter().map(|(path, text)| (*path, text.as_str()))
    }

    /// A command writes a file, and the log does not tell it.
    pub(super) fn overwrite(&mut self, path: &'static str, text: &str) {
        self.files.insert(path, text.to_owned());
    }

    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    pub(super) fn wait(&mut self, seconds: f64) {
        self.now += SignedDuration::from_secs_f64(seconds);
    }

    /// The session's log, and those of its sub-agents by their ids.
    pub(super) fn finish(self) -> (String, Vec<(&'static str, String)>) {
        let sides = self.sides.iter().map(|(id, records)| (*id, lines(records))).collect();
        (lines(&self.voice.records), sides)
    }

    pub(super) fn prompt(&mut self, text: &str) {
        let message = json!({ "role": "user", "content": text });
        self.record("user", json!({ "message": message, "promptSource": "typed", "origin": { "kind": "human" } }));
    }

    pub(super) fn thinks(&mut self, text: &str) {
        self.wait(6.0);
        self.respond(json!({ "type": "thinking", "thinking": text, "signature": "" }), 160);
    }

    pub(super) fn says(&mut self, text: &str) {
        self.wait(7.0);
        self.respond(json!({ "type": "text", "text": text }), 90);
    }

    /// Reads a whole file.
    pub(super) fn reads(&mut self, path: &'static str) {
        let total = self.text(path).lines().count();
        self.reads_lines(path, 1, total);
    }

    /// Reads lines of a file, from 1.
    pub(super) fn reads_lines(&mut self, path: &'static str, first: usize, count: usize) {
        let text = self.text(path).to_owned();
        let total = text.lines().count();
        let content: String = text.split_inclusive('\n').skip(first - 1).take(count).collect();
        let numbered: String =
            content.lines().zip(first..).map(|(line, number)| format!("{number:>6}→{line}\n")).collect();
        let mut input = json!({ "file_path": self.spelled(path) });
        if count < total {
            input["offset"] = json!(first);
            input["limit"] = json!(count);
        }
        let file = json!({
            "filePath": self.spelled(path), "content": content, "startLine": first,
            "numLines": content.lines().count(), "totalLines": total,
        });
        self.call("Read", input, &numbered, json!({ "type": "text", "file": file }), 2.0);
    }

    /// Searches a folder; every line with the pattern is a match.
    pub(super) fn searches(&mut self, pattern: &str, folder: &str) {
        let mut found = Vec::new();
        for (path, text) in self.files.iter().filter(|(path, _)| path.starts_with(folder)) {
            let lines = text.lines().zip(1..).filter(|(line, _)| line.contains(pattern));
            found.extend(lines.map(|(line, number)| format!("{path}:{number}:{line}")));
        }
        let input = json!({ "pattern": pattern, "path": folder, "output_mode": "content", "-n": true });
        let told = json!({ "mode": "content", "numFiles": 0, "numLines": found.len(), "content": found.join("\n") });
        self.call("Grep", input, &found.join("\n"), told, 1.0);
    }

    /// Replaces the one place in a file that reads `old`.
    pub(super) fn edits(&mut self, path: &'static str, old: &str, new: &str) {
        let before = self.text(path).to_owned();
        let after = before.replacen(old, new, 1);
        let told = json!({
            "filePath": self.spelled(path), "oldString": old, "newString": new, "originalFile": before,
            "structuredPatch": patch(&before, &after), "userModified": false, "replaceAll": false,
        });
        let input =
            json!({ "file_path": self.spelled(path), "old_string": old, "new_string": new, "replace_all": false });
        let output = format!("The file {} has been updated successfully.", self.spelled(path));
        self.call("Edit", input, &output, told, 11.0);
        self.files.insert(path, after);
    }

    /// Tries to replace a text that is not there.
    pub(super) fn fails_to_edit(&mut self, path: &'static str, old: &str, new: &str) {
        let input =
            json!({ "file_path": self.spelled(path), "old_string": old, "new_string": new, "replace_all": false });
        let why = format!("String to replace not found in file.\nString: {old}");
        let id = self.begin_call("Edit", input);
        self.wait(3.0);
        let output = format!("<tool_use_error>{why}</tool_use_error>");
        self.end_call(&id, &output, json!(format!("Error: {why}")), true);
    }

    /// Writes a file that was not there.
    pub(super) fn writes(&mut self, path: &'static str, text: &str) {
        let told = json!({
            "type": "create", "filePath": self.spelled(path), "content": text, "structuredPatch": [],
            "originalFile": null, "userModified": false,
        });
        let output = format!("File created successfully at: {}", self.spelled(path));
        self.call("Write", json!({ "file_path": self.spelled(path), "content": text }), &output, told, 14.0);
        self.files.insert(path, text.to_owned());
    }

    pub(super) fn runs(&mut self, command: &str, run: &Run) {
        let id = self.begin_call("Bash", json!({ "command": command }));
        self.wait(run.seconds);
        let told = json!({ "stdout": run.output, "stderr": "", "interrupted": false, "isImage": false });
        match run.exit {
            0 => self.end_call(&id, &run.output, told, false),
            exit => {
                let output = format!("Exit code {exit}\n{}", run.output);
                self.end_call(&id, &output, json!(format!("Error: {output}")), true);
            }
        }
        self.wait(3.0);
    }

    /// Has a sub-agent do something; `work` is what it does.
    pub(super) fn sends(
        &mut self,
        (kind, side): (&str, &'static str),
        description: &str,
        task: &str,
        answer: &str,
        work: impl FnOnce(&mut Log),
    ) {
        let input = json!({ "description": description, "prompt": task, "subagent_type": kind });
        let id = self.begin_call("Task", input);
        let began = self.now;
        let own = Voice { side: Some(side), records: Vec::new(), last: None };
        let parent = std::mem::replace(&mut self.voice, own);
        self.record("user", json!({ "message": { "role": "user", "content": task } }));
        work(self);
        self.says(answer);
        let own = std::mem::replace(&mut self.voice, parent);
        let uses = own.records.iter().filter(|record| record["message"]["content"][0]["type"] == "tool_use").count();
        let told = json!({
            "status": "completed", "prompt": task, "agentId": side, "agentType": kind,
            "content": [{ "type": "text", "text": answer }], "totalToolUseCount": uses,
            "totalDurationMs": self.now.duration_since(began).as_millis() as i64,
        });
        self.sides.push((side, own.records));
        self.wait(1.0);
        self.end_call(&id, answer, told, false);
    }

    fn call(&mut self, tool: &str, input: Value, output: &str, told: Value, seconds: f64) {
        let id = self.begin_call(tool, input);
        self.wait(seconds);
        self.end_call(&id, output, told, false);
        self.wait(2.0);
    }

    fn begin_call(&mut self, tool: &str, input: Value) -> String {
        self.wait(4.0);
        self.ids += 1;
        let id = format!("toolu_demo{:04}", self.ids);
        self.respond(json!({ "type": "tool_use", "id": id, "name": tool, "input": input }), 210);
        id
    }

    fn end_call(&mut self, id: &str, output: &str, told: Value, is_error: bool) {
        let mut block = json!({ "type": "tool_result", "tool_use_id": id, "content": output });
        if is_error {
            block["is_error"] = json!(true);
        }
        self.record("user", json!({ "message": { "role": "user", "content": [block] }, "toolUseResult": told }));
    }

    /// One response of the model, which writes about so many tokens.
    fn respond(&mut self, block: Value, tokens: u64) {
        let name = format!("{:04}", self.ids + 1);
        let so_far = 900 * self.voice.records.len() as u64;
        let usage = json!({
            "input_tokens": 12, "cache_creation_input_tokens": 700 + tokens, "cache_read_input_tokens": 9_000 + so_far,
            "output_tokens": tokens,
        });
        let message = json!({
            "id": format!("msg_demo{name}"), "type": "message", "role": "assistant", "model": MODEL, "content": [block],
            "stop_reason": null, "usage": usage,
        });
        self.record("assistant", json!({ "message": message, "requestId": format!("req_demo{name}") }));
    }

    fn record(&mut self, kind: &str, fields: Value) {
        self.ids += 1;
        let id = format!("{:08x}-0d30-4000-8000-{:012x}", 0x7e11_0000_u32 + self.ids, self.ids);
        let mut record = Map::new();
        let mut set = |name: &str, value: Value| record.insert(name.to_owned(), value);
        set("parentUuid", json!(self.voice.last));
        set("isSidechain", json!(self.voice.side.is_some()));
        set("userType", json!("external"));
        set("cwd", json!(self.root.to_string_lossy()));
        set("sessionId", json!(self.session));
        set("version", json!(VERSION));
        set("gitBranch", json!("main"));
        if let Some(side) = self.voice.side {
            set("agentId", json!(side));
        }
        set("type", json!(kind));
        set("uuid", json!(id));
        set("timestamp", json!(format!("{:.3}", self.now)));
        if let Value::Object(fields) = fields {
            record.extend(fields);
        }
        self.voice.records.push(Value::Object(record));
        self.voice.last = Some(id);
    }

    fn spelled(&self, path: &str) -> String {
        let parts = path.split('/').fold(self.root.clone(), |folder, part| folder.join(part));
        parts.to_string_lossy().into_owned()
    }
}

fn lines(records: &[Value]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

/// `structuredPatch` of an edit.
fn patch(before: &str, after: &str) -> Value {
    let hunks = lens::between(before, after);
    let hunk = |hunk: &trace::Hunk| {
        json!({
            "oldStart": hunk.old_start, "oldLines": hunk.old_lines().count(),
            "newStart": hunk.new_start, "newLines": hunk.new_lines().count(), "lines": hunk.lines,
        })
    };
    hunks.iter().map(hunk).collect()
}
