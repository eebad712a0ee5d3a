//! The sessions of `turnlens demo`, and an editor that looks at them through the real server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Instant, SystemTime};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::lsp::{Client, HANG, Start, binary};

/// A demo of its own: a repository and a home with the logs of one session.
pub struct Demo {
    pub repo: PathBuf,
    pub home: PathBuf,
    _folder: TempDir,
}

impl Default for Demo {
    fn default() -> Demo {
        let folder = TempDir::new().expect("a folder");
        let output = Command::new(binary())
            .env("TZ", evening())
            .arg("demo")
            .arg("--json")
            .arg("--dir")
            .arg(folder.path())
            .output();
        let output = output.expect("turnlens runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let path = |key: &str| PathBuf::from(told[key].as_str().expect("a path"));
        Demo { repo: path("repo"), home: path("home"), _folder: folder }
    }
}

impl Demo {
    pub fn uri(&self, rel: &str) -> String {
        file_uri(&self.repo.join(rel))
    }

    pub fn text(&self, rel: &str) -> String {
        fs::read_to_string(self.repo.join(rel)).expect("a file")
    }

    /// The one log that is no sub-agent's.
    pub fn log(&self) -> PathBuf {
        let mut folders = vec![self.home.join(".claude/projects")];
        let mut logs = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder").flatten() {
                let path = entry.path();
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if path.is_dir() {
                    folders.push(path);
                } else if name.starts_with("9f3c") && name.ends_with(".jsonl") {
                    logs.push(path);
                }
            }
        }
        logs.pop().expect("a log")
    }

    /// A session with a client that offers `capabilities` and has `options`, when all logs are read.
    pub fn start(&self, capabilities: Value, options: Value) -> Session<'_> {
        self.start_with(json!({ "capabilities": capabilities, "initializationOptions": options }))
    }

    pub fn start_with(&self, mut params: Value) -> Session<'_> {
        params["processId"] = Value::Null;
        let is_off = params["initializationOptions"]["enable"] == false;
        params["rootUri"] = json!(file_uri(&self.repo));
        params["workspaceFolders"] = json!([{ "uri": file_uri(&self.repo), "name": "fetchd" }]);
        let server = Start::default().env("HOME", &self.home).env("USERPROFILE", &self.home);
        let server = server.env("CLAUDE_CONFIG_DIR", self.home.join(".claude")).env("TZ", evening());
        let mut client = server.env("XDG_CACHE_HOME", self.home.join("caches")).spawn();
        let announced = client.call("initialize", params)["capabilities"].clone();
        client.notify("initialized", json!({}));
        let mut session = Session { demo: self, client, announced, version: 1 };
        if is_off {
            return session;
        }
        session.wait_until(|session| session.client.call("turnlens/status", json!({}))["reading"].is_null());
        session
    }

    /// A client that can do what the newest editors can.
    pub fn modern(&self) -> Session<'_> {
        self.start(modern(), json!({}))
    }
}

pub fn modern() -> Value {
    json!({
        "general": { "positionEncodings": ["utf-8", "utf-16"] },
        "workspace": { "textDocumentContent": {}, "symbol": { "symbolKind": { "valueSet": SYMBOL_KINDS } } },
        "textDocument": {
            "hover": { "contentFormat": ["markdown"] },
            "documentSymbol": {
                "hierarchicalDocumentSymbolSupport": true,
                "symbolKind": { "valueSet": SYMBOL_KINDS },
            },
            "codeAction": { "codeActionLiteralSupport": { "codeActionKind": { "valueSet": [] } } },
        },
    })
}

/// All kinds of symbols.
const SYMBOL_KINDS: [u8; 26] =
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26];

/// A time zone in which it is evening now: the sessions of the demo are some hours old, and what is shown of them must
/// not depend on when the tests run.
pub fn evening() -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let hour = since.as_secs() / 3600 % 24;
    // POSIX counts hours to the west.
    format!("TST{}", i64::try_from(hour).unwrap_or_default() - 20)
}

pub fn file_uri(path: &Path) -> String {
    let path = path.to_string_lossy().replace('\\', "/");
    let slash = if path.starts_with('/') { "" } else { "/" };
    format!("file://{slash}{}", path.replace(' ', "%20"))
}

pub struct Session<'d> {
    pub demo: &'d Demo,
    pub client: Client,
    pub announced: Value,
    pub version: i64,
}

impl Session<'_> {
    pub fn wait_until(&mut self, mut wanted: impl FnMut(&mut Self) -> bool) {
        let deadline = Instant::now() + HANG;
        while !wanted(self) {
            assert!(Instant::now() < deadline, "it does not come");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    pub fn open(&mut self, rel: &str) -> String {
        let (uri, text) = (self.demo.uri(rel), self.demo.text(rel));
        self.open_text(&uri, &text);
        uri
    }

    pub fn open_text(&mut self, uri: &str, text: &str) {
        let document = json!({ "uri": uri, "languageId": "rust", "version": 1, "text": text });
        self.client.notify("textDocument/didOpen", json!({ "textDocument": document }));
    }

    pub fn change(&mut self, uri: &str, from: (u32, u32), to: (u32, u32), text: &str) {
        self.version += 1;
        let position = |(line, character): (u32, u32)| json!({ "line": line, "character": character });
        let change = json!({ "range": { "start": position(from), "end": position(to) }, "text": text });
        let document = json!({ "uri": uri, "version": self.version });
        self.client.notify("textDocument/didChange", json!({ "textDocument": document, "contentChanges": [change] }));
    }

    pub fn at(&mut self, method: &str, uri: &str, line: u32, character: u32) -> Value {
        let position = json!({ "line": line, "character": character });
        let params =
            json!({ "textDocument": { "uri": uri }, "position": position, "context": { "includeDeclaration": true } });
        self.client.call(method, params)
    }

    pub fn of(&mut self, method: &str, uri: &str) -> Value {
        self.client.call(method, json!({ "textDocument": { "uri": uri } }))
    }

    /// Tells the server its settings anew.
    pub fn configure(&mut self, settings: Value) {
        self.client.notify("workspace/didChangeConfiguration", json!({ "settings": { "turnlens": settings } }));
    }

    /// A document of ours by the standard request.
    pub fn content(&mut self, uri: &str) -> String {
        let answer = self.client.call("workspace/textDocumentContent", json!({ "uri": uri }));
        answer["text"].as_str().expect("a text").to_owned()
    }

    /// Lenses as `line title → command`, each in full.
    pub fn lenses(&mut self, uri: &str) -> String {
        let lenses = self.of("textDocument/codeLens", uri);
        let mut told = String::new();
        for lens in lenses.as_array().into_iter().flatten() {
            let lens = match lens.get("command") {
                Some(_) => lens.clone(),
                None => self.client.call("codeLens/resolve", lens.clone()),
            };
            let command = lens["command"]["command"].as_str().unwrap_or("none");
            let title = lens["command"]["title"].as_str().unwrap_or("none");
            let line = &lens["range"]["start"]["line"];
            told.push_str(&format!("{line} {} → {command}\n", without_time(title)));
        }
        told
    }
}

/// A title without the time at its end or beginning, which depends on the hour of the test.
pub fn without_time(title: &str) -> &str {
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let is_time = |word: &str| {
        let date = word.split(' ').nth(1).is_some_and(|month| months.contains(&month)) && word.len() < 12;
        date || (word.len() == 5 && word.as_bytes()[2] == b':')
    };
    match (title.split_once(" · "), title.rsplit_once(" · ")) {
        (Some((first, rest)), _) if is_time(first) => rest,
        (_, Some((rest, last))) if is_time(last) => rest,
        _ => title,
    }
}

/// The number of the first line that holds a text.
pub fn line_of(text: &str, needle: &str) -> u32 {
    let line = text.lines().position(|line| line.contains(needle));
    u32::try_from(line.unwrap_or_else(|| panic!("no line with {needle:?}"))).expect("a line")
}
