//! A home folder with logs of Claude Code that tests write record by record.

#![allow(dead_code, clippy::unwrap_used)]

pub(crate) mod files;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agents::Env;
use index::{Index, Limits, LogSummary, Logs};
use serde_json::json;
use trace::{Agent, DerivedPath, LogId};

pub(crate) struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    pub(crate) fn new() -> Home {
        let home = Home { folder: tempfile::tempdir().unwrap() };
        fs::create_dir_all(home.logs()).unwrap();
        home
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of one project's logs.
    pub(crate) fn logs(&self) -> PathBuf {
        self.path().join(".claude/projects/-w")
    }

    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.logs().join(format!("{name}.jsonl"))
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.log(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn append(&self, name: &str, text: &str) {
        let mut file = fs::OpenOptions::new().append(true).create(true).open(self.log(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    pub(crate) fn env(&self) -> Env {
        Env { home: Some(self.path().to_owned()), ..Env::default() }
    }

    /// The folder of the cache.
    pub(crate) fn cache(&self) -> PathBuf {
        self.path().join("cache")
    }

    /// A process that begins anew, with what others left in the cache, and has read everything.
    pub(crate) fn restarted(&self) -> Arc<Index> {
        self.restarted_with(Limits { smallest_spine: 0, ..Limits::default() })
    }

    /// The same with other limits than that every log's path is kept.
    pub(crate) fn restarted_with(&self, limits: Limits) -> Arc<Index> {
        let index = Arc::new(Index::with_limits(self.env(), &Agent::ALL, &self.cache(), limits));
        index.refresh(&|_| {});
        index
    }

    /// An index that has read everything.
    pub(crate) fn index(&self) -> Arc<Index> {
        let index = Arc::new(Index::new(self.env()));
        index.refresh(&|_| {});
        index
    }
}

/// Records, one a line: `ID[<PARENT] [+SECOND] WHAT …`. The session is the one that the log is named after.
///
/// - `prompt Add retry`, `text Done`
/// - `edit src/a.rs`: a call and its result, named `ID` and `ID'`
/// - `read src/a.rs`: the same, of a whole file
/// - `run cargo test`: a call without a result
/// - `side`: in a sub-agent's log, its task
pub(crate) fn records(session: &str, fixture: &str) -> String {
    let lines = fixture.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.enumerate().map(|(at, line)| record(session, at, line)).collect()
}

fn record(session: &str, line: usize, text: &str) -> String {
    let (ids, rest) = text.split_once(' ').unwrap();
    let (id, parent) = ids.split_once('<').map_or((ids, None), |(id, parent)| (id, Some(parent)));
    let (second, rest) = match rest.strip_prefix('+') {
        Some(rest) => rest.split_once(' ').map(|(second, rest)| (second.parse().unwrap(), rest)).unwrap(),
        None => (line, rest),
    };
    let (what, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let node = |id: &str, parent: Option<&str>, kind: &str| {
        json!({
            "type": kind, "uuid": uuid(id), "parentUuid": parent.map(uuid), "sessionId": session, "cwd": "/w",
            "version": "2.1.1", "timestamp": format!("2026-04-20T10:{:02}:{:02}.000Z", second / 60, second % 60),
            "isSidechain": what == "side",
        })
    };
    let with = |mut node: serde_json::Value, fields: serde_json::Value| {
        node.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        node
    };
    let assistant = |block: serde_json::Value| {
        let usage = json!({"input_tokens": 3, "output_tokens": 5});
        let message = json!({"id": format!("msg_{id}"), "model": "opus", "role": "assistant", "content": [block], "usage": usage});
        with(node(id, parent, "assistant"), json!({"message": message, "requestId": format!("req_{id}")}))
    };
    let call = |name: &str, input: serde_json::Value| {
        assistant(json!({"type": "tool_use", "id": format!("toolu_{id}"), "name": name, "input": input}))
    };
    let result = |told: serde_json::Value| {
        let block = json!({"type": "tool_result", "tool_use_id": format!("toolu_{id}"), "content": "ok"});
        let message = json!({"role": "user", "content": [block]});
        with(node(&format!("{id}'"), Some(id), "user"), json!({"message": message, "toolUseResult": told}))
    };
    let all = match what {
        "prompt" | "side" => {
            vec![with(node(id, parent, "user"), json!({"message": {"role": "user", "content": rest}}))]
        }
        "text" => vec![assistant(json!({"type": "text", "text": rest}))],
        "run" => vec![call("Bash", json!({"command": rest}))],
        "edit" => {
            let path = format!("/w/{rest}");
            let hunk = json!({"oldStart": 1, "oldLines": 1, "newStart": 1, "newLines": 1, "lines": ["-a", "+b"]});
            let told = json!({"filePath": path, "oldString": "a", "newString": "b", "originalFile": "a\n", "structuredPatch": [hunk]});
            vec![call("Edit", json!({"file_path": path, "old_string": "a", "new_string": "b"})), result(told)]
        }
        "read" => {
            let path = format!("/w/{rest}");
            let file = json!({"filePath": path, "content": "a\n", "numLines": 1, "startLine": 1, "totalLines": 1});
            vec![call("Read", json!({"file_path": path})), result(json!({"type": "text", "file": file}))]
        }
        "task" => {
            let told = json!({"status": "completed", "agentId": rest, "content": [], "totalToolUseCount": 1});
            vec![call("Task", json!({"description": "d", "prompt": "p", "subagent_type": "Explore"})), result(told)]
        }
        _ => panic!("no record {what}"),
    };
    all.into_iter().map(|record| format!("{record}\n")).collect()
}

fn uuid(name: &str) -> String {
    let number = name.bytes().fold(0u128, |id, byte| id << 8 | u128::from(byte));
    let hex = format!("{number:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// The path as any index has it, whichever ids it gave out.
fn anonymous(path: &DerivedPath) -> DerivedPath {
    let mut path = path.clone();
    path.log = LogId(0);
    path.sides.iter_mut().for_each(|side| Arc::make_mut(side).log = LogId(0));
    path
}

/// The first lines in which two pictures differ. `None`: they are the same.
pub(crate) fn difference(left: &str, right: &str) -> Option<String> {
    let mut lines = left.lines().zip(right.lines());
    let first = lines.find(|(left, right)| left != right);
    match first {
        Some((left, right)) => Some(format!("{left}\n  and\n{right}")),
        None if left.len() != right.len() => Some("one has more lines".into()),
        None => None,
    }
}

/// The derived paths of all logs.
pub(crate) fn loaded(logs: &Logs) -> Vec<Arc<DerivedPath>> {
    logs.summaries().map(|log| logs.load(log.log).unwrap()).collect()
}

/// All that a snapshot says, with logs named by their files, so that two indexes can be compared.
pub(crate) fn picture(logs: &Logs) -> String {
    let name = |log: LogId| logs.file(log).unwrap().file_stem().unwrap().to_string_lossy().into_owned();
    let mut paths: Vec<(String, Arc<DerivedPath>)> =
        loaded(logs).into_iter().map(|path| (name(path.log), path)).collect();
    paths.sort_by(|a, b| a.0.cmp(&b.0));
    let mut out = String::new();
    for (name, path) in &paths {
        let log = format!("{:#?}", anonymous(path)).replace(",\n", ", ");
        writeln!(out, "{name}: {log}\n  inherited {:?}", logs.inherited(path.log)).unwrap();
        let sides: Vec<_> = logs.sides_of(&path.session).map(|side| side.started).collect();
        writeln!(out, "  sides {sides:?}").unwrap();
        let mut summary = LogSummary::clone(logs.summary(path.log).unwrap());
        summary.log = LogId(0);
        writeln!(out, "  {summary:?}, own {:?}", logs.own_files(logs.summary(path.log).unwrap())).unwrap();
        for edit in path.all_steps().flat_map(|step| step.edits()) {
            let file = edit.path.rsplit('/').next().unwrap();
            let mut touching: Vec<_> = logs.touching(file).iter().collect();
            touching.sort_by_key(|touch| logs.file(touch.log));
            let touching: Vec<_> = touching.iter().map(|touch| (logs.file(touch.log), &touch.path)).collect();
            writeln!(out, "  {file} {touching:?}").unwrap();
        }
    }
    let mut newest: Vec<_> = logs.sessions().map(|log| (std::cmp::Reverse(log.ended), name(log.log))).collect();
    assert!(newest.is_sorted_by_key(|(age, _)| *age), "{newest:?}");
    newest.sort();
    writeln!(out, "newest {newest:?}").unwrap();
    writeln!(out, "trouble {:?}, reading {:?}", logs.trouble(), logs.reading()).unwrap();
    out
}
