//! `turnlens doctor --timings`: the server as an editor would have it, in this process, asked what editors ask.

use std::collections::HashSet;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use url::Url;

use super::here::folder;
use super::out::{self, Out};
use super::{Exit, Globals, lsp};
use crate::answers::speed::Speed;
use crate::frame::{Frame, FrameParser};
use crate::state::State;
use crate::transport;

/// Files that are opened: those that agents wrote last.
const MOST_FILES: usize = 12;
const LARGEST_FILE: u64 = 1 << 20;
/// How often each file is asked about.
const ROUNDS: usize = 20;
/// Between two looks at how far the reading is.
const PAUSE: Duration = Duration::from_millis(5);

pub(super) fn run(globals: &Globals) -> anyhow::Result<Exit> {
    let folder = folder(globals.folder.as_deref())?.canonicalize().context("the folder is gone")?;
    let (mut editor, state) = Editor::start()?;
    editor.initialize(&folder)?;
    while !editor.call("turnlens/status", json!({}))?["reading"].is_null() {
        thread::sleep(PAUSE);
    }
    for file in files(&state, &folder) {
        editor.use_file(&file)?;
    }
    let asked = state.snapshot();
    let speed = Speed::of(&asked.engine, &asked.documents, &asked.timings);
    if globals.json {
        out::json(&speed.json())?;
    } else {
        out::print(&speed.text(Out::new(globals).paint))?;
    }
    Ok(Exit::DONE)
}

/// The files below the folder that agents wrote last.
fn files(state: &Arc<State>, folder: &Path) -> Vec<PathBuf> {
    let asked = state.snapshot();
    let moment = asked.engine.workspace.moment();
    let here = asked.sessions_here(&moment);
    let mut seen = HashSet::new();
    let mut files = Vec::new();
    for path in moment.logs().sessions().filter(|path| here.contains(&path.session)) {
        let Some(view) = moment.session_view(&path.session) else { continue };
        for at in view.session.steps().iter().rev() {
            for edit in at.step.edits() {
                let file = moment.local(&view.session, &edit.path);
                let is_small = || file.metadata().is_ok_and(|meta| meta.is_file() && meta.len() <= LARGEST_FILE);
                if seen.insert(edit.path.clone()) && file.starts_with(folder) && is_small() {
                    files.push(file);
                }
            }
        }
        if files.len() >= MOST_FILES {
            break;
        }
    }
    files.truncate(MOST_FILES);
    files
}

/// The client's side of a conversation with the server.
struct Editor {
    to: PipeWriter,
    from: PipeReader,
    parser: FrameParser,
    last_id: i64,
}

impl Editor {
    fn start() -> anyhow::Result<(Editor, Arc<State>)> {
        const WHY: &str = "cannot start a server in this process";
        let (input, to) = pipe().context(WHY)?;
        let (from, output) = pipe().context(WHY)?;
        let (sender, made) = mpsc::channel();
        let serve = move || {
            let Ok(runtime) = lsp::runtime() else { return };
            let _inside = runtime.enter();
            let tasks = runtime.handle().clone();
            // It ends with the process.
            _ = transport::serve(input, output, None, |outgoing| {
                let (state, dispatcher) = lsp::server(outgoing, &tasks);
                _ = sender.send(state);
                dispatcher
            });
        };
        thread::Builder::new().name("turnlens-server".into()).spawn(serve).context(WHY)?;
        let state = made.recv().context(WHY)?;
        Ok((Editor { to, from, parser: FrameParser::new(), last_id: 0 }, state))
    }

    fn initialize(&mut self, folder: &Path) -> anyhow::Result<()> {
        let params = json!({
            "processId": null,
            "rootUri": uri(folder)?,
            "initializationOptions": { "virtualDocuments": true },
            "capabilities": { "textDocument": { "hover": { "contentFormat": ["markdown"] } } },
        });
        self.call("initialize", params)?;
        self.notify("initialized", json!({}))
    }

    /// Opens the file, and types, looks at lenses, hovers and jumps in it.
    fn use_file(&mut self, file: &Path) -> anyhow::Result<()> {
        // Gone since, or no text.
        let Ok(text) = std::fs::read_to_string(file) else { return Ok(()) };
        let id = json!({ "uri": uri(file)? });
        let document = json!({ "uri": id["uri"], "languageId": "", "version": 0, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": document }))?;
        let of_file = json!({ "textDocument": id });
        let written = self.call("turnlens/lines", of_file.clone())?;
        let starts = written["ranges"].as_array().into_iter().flatten().filter_map(|range| range["start"].as_u64());
        let starts: Vec<u64> = starts.collect();
        let end = json!({ "line": text.split('\n').count(), "character": 0 });
        for round in 0..ROUNDS {
            let line = starts.get(round * starts.len() / ROUNDS).copied().unwrap_or_default();
            let mut at = of_file.clone();
            at["position"] = json!({ "line": line, "character": 0 });
            let change = json!({ "range": { "start": end, "end": end }, "text": "\n" });
            let version = json!({ "uri": id["uri"], "version": round + 1 });
            self.notify("textDocument/didChange", json!({ "textDocument": version, "contentChanges": [change] }))?;
            let lenses = self.call("textDocument/codeLens", of_file.clone())?;
            if let Some(lens) = lenses.as_array().and_then(|lenses| lenses.get(round % lenses.len().max(1))) {
                self.call("codeLens/resolve", lens.clone())?;
            }
            for method in ["textDocument/hover", "textDocument/definition", "turnlens/line"] {
                self.call(method, at.clone())?;
            }
        }
        // As it is on the disk again: what is told of its lines is told of that.
        let version = json!({ "uri": id["uri"], "version": ROUNDS + 1 });
        let whole = json!([{ "text": text }]);
        self.notify("textDocument/didChange", json!({ "textDocument": version, "contentChanges": whole }))
    }

    fn notify(&mut self, method: &str, params: Value) -> anyhow::Result<()> {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }))
    }

    /// The result; `null` where the answer is an error.
    fn call(&mut self, method: &str, params: Value) -> anyhow::Result<Value> {
        self.last_id += 1;
        self.send(&json!({ "jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params }))?;
        let mut buffer = vec![0; 64 << 10];
        loop {
            while let Some(frame) = self.parser.next_frame() {
                let Frame::Body(body) = frame else { continue };
                let mut message: Value = serde_json::from_slice(&body).context("the server's answer is no JSON")?;
                // Nothing was offered that the server could ask for.
                if message["id"] == self.last_id && message["method"].is_null() {
                    return Ok(message["result"].take());
                }
            }
            match self.from.read(&mut buffer).context("the server's answer cannot be read")? {
                0 => bail!("the server ended while it was asked for {method}"),
                read => self.parser.feed(buffer.get(..read).unwrap_or_default()),
            }
        }
    }

    fn send(&mut self, message: &Value) -> anyhow::Result<()> {
        let body = message.to_string();
        let frame = format!("Content-Length: {}\r\n\r\n{body}", body.len());
        self.to.write_all(frame.as_bytes()).context("the server does not listen any more")
    }
}

fn uri(path: &Path) -> anyhow::Result<String> {
    match Url::from_file_path(path) {
        Ok(url) => Ok(url.into()),
        Err(()) => bail!("{} has no URI", path.display()),
    }
}
