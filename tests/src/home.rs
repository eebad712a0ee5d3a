//! A home of its own with logs of Claude Code, record by record, and an empty folder where they worked.

use std::fs::{self, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::demo::{evening, file_uri};
use crate::lsp::{Client, HANG, Start, binary};

pub const SESSION: &str = "11112222-3333-4444-5555-666677778888";

pub struct Home {
    pub home: PathBuf,
    /// Where the agent worked; no repository.
    pub work: PathBuf,
    _folder: TempDir,
}

impl Default for Home {
    fn default() -> Home {
        let folder = TempDir::new().expect("a folder");
        let root = folder.path().canonicalize().expect("a folder");
        let home = Home { home: root.join("home"), work: root.join("work"), _folder: folder };
        fs::create_dir_all(home.logs()).expect("a folder");
        fs::create_dir(&home.work).expect("a folder");
        home
    }
}

impl Home {
    /// The folder of logs.
    pub fn logs(&self) -> PathBuf {
        self.home.join(".claude/projects/-work")
    }

    pub fn log(&self, session: &str) -> PathBuf {
        self.logs().join(format!("{session}.jsonl"))
    }

    pub fn caches(&self) -> PathBuf {
        self.home.join("caches")
    }

    /// Writes a log with these records.
    pub fn write(&self, session: &str, records: &[Value]) {
        fs::write(self.log(session), lines(records)).expect("the log is written");
    }

    pub fn append(&self, session: &str, bytes: &[u8]) {
        let mut log = OpenOptions::new().append(true).create(true).open(self.log(session)).expect("the log");
        log.write_all(bytes).expect("the log is written");
    }

    fn record(&self, session: &str, kind: &str, id: u32, message: Value) -> Value {
        let mut hasher = DefaultHasher::new();
        session.hash(&mut hasher);
        // Records of two sessions are never the same: that would make one a copy of the other.
        let uuid = |id: u32| format!("{:08x}-0000-4000-8000-{id:012x}", hasher.finish() as u32);
        json!({
            "type": kind, "uuid": uuid(id), "isSidechain": false, "parentUuid": (id > 1).then(|| uuid(id - 1)),
            "sessionId": session, "cwd": self.work, "version": "2.1.237",
            "timestamp": format!("2026-03-04T10:{:02}:{:02}.000Z", id / 60 % 60, id % 60), "message": message,
        })
    }

    pub fn prompt(&self, session: &str, id: u32, text: &str) -> Value {
        self.record(session, "user", id, json!({ "role": "user", "content": text }))
    }

    pub fn says(&self, session: &str, id: u32, text: &str) -> Value {
        let content = json!([{ "type": "text", "text": text }]);
        self.record(
            session,
            "assistant",
            id,
            json!({ "id": format!("m{id}"), "role": "assistant", "content": content }),
        )
    }

    /// The agent writes a file: two records, `id` and the next one.
    pub fn writes(&self, session: &str, id: u32, path: &str, text: &str) -> [Value; 2] {
        let input = json!({ "file_path": path, "content": text });
        let call = json!([{ "type": "tool_use", "id": format!("call{id}"), "name": "Write", "input": input }]);
        let result = json!([{ "type": "tool_result", "tool_use_id": format!("call{id}"), "content": "File created" }]);
        let mut told = self.record(session, "user", id + 1, json!({ "role": "user", "content": result }));
        told["toolUseResult"] = json!({ "type": "create", "filePath": path, "content": text, "structuredPatch": [] });
        [
            self.record(
                session,
                "assistant",
                id,
                json!({ "id": format!("m{id}"), "role": "assistant", "content": call }),
            ),
            told,
        ]
    }

    /// A server that sees this home, not initialized yet.
    pub fn server(&self) -> Start {
        let server = Start::default().env("HOME", &self.home).env("USERPROFILE", &self.home).env("TZ", evening());
        let server = server.env("XDG_CACHE_HOME", self.caches());
        server.env("CLAUDE_CONFIG_DIR", self.home.join(".claude"))
    }

    /// A session with a client of these capabilities, when all logs are read.
    pub fn start(&self, capabilities: Value) -> Client {
        self.start_as(self.server(), capabilities)
    }

    pub fn start_as(&self, server: Start, capabilities: Value) -> Client {
        self.initialize(server, json!({ "capabilities": capabilities }))
    }

    /// The same with any params of `initialize`.
    pub fn start_with(&self, params: Value) -> Client {
        self.initialize(self.server(), params)
    }

    fn initialize(&self, server: Start, mut params: Value) -> Client {
        params["processId"] = Value::Null;
        params["workspaceFolders"] = json!([{ "uri": file_uri(&self.work), "name": "work" }]);
        let mut client = server.initialize(params);
        wait_until(&mut client, |client| client.call("turnlens/status", json!({}))["reading"].is_null());
        client
    }

    /// Runs the command line.
    pub fn turnlens(&self, args: &[&str]) -> Output {
        let mut command = Command::new(binary());
        command.args(args).current_dir(&self.work).env("HOME", &self.home).env("USERPROFILE", &self.home);
        command.env("XDG_CACHE_HOME", self.caches()).env("CLAUDE_CONFIG_DIR", self.home.join(".claude"));
        command.env_remove("CODEX_HOME").env("TZ", evening());
        command.output().expect("turnlens runs")
    }
}

pub fn lines(records: &[Value]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

/// Asks again and again. Only a defect makes it wait for long.
pub fn wait_until(client: &mut Client, mut wanted: impl FnMut(&mut Client) -> bool) {
    let deadline = Instant::now() + HANG;
    while !wanted(client) {
        assert!(Instant::now() < deadline, "it does not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}
