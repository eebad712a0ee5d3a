//! `turnlens/doctor`: what was found where, what could not be read, and what to do next.

use std::path::Path;

use serde_json::{Value, json};
use tower_lsp::jsonrpc::Result;

use crate::answers::Answers;
use crate::lsp::Server;
use crate::pool::Lane;
use crate::state::Snapshot;

/// Files with trouble that are named.
const MOST: usize = 20;

impl Server {
    pub(super) async fn doctor(&self, _: Value) -> Result<Value> {
        let answer = |asked: &Snapshot| {
            let frame = asked.frame(None);
            let answers = Answers::new(&asked.engine.workspace, &frame);
            json!({ "text": text(asked, &answers) })
        };
        self.state.answer(Lane::Slow, answer).await
    }
}

fn text(asked: &Snapshot, answers: &Answers<'_>) -> String {
    let (logs, view) = (answers.moment.logs(), answers.frame.view());
    let shown = |path: &Path| lens::clean(&view.path(&path.to_string_lossy())).into_owned();
    let sessions = logs.sessions().count();
    let here = asked.sessions_here(&answers.moment).len();
    let client = if asked.profile.name.is_empty() { "unnamed client" } else { &asked.profile.name };
    let mut text = format!("turnlens {}, {client}\n\n", env!("CARGO_PKG_VERSION"));
    if let Some((done, total)) = answers.moment.reading() {
        text.push_str(&format!("Still reading: {done} of {total} logs.\n\n"));
    }
    text.push_str(&format!("{}, {here} of them in this folder\n\nLogs\n", lens::count(sessions as u64, "session")));
    for root in asked.engine.workspace.index().roots() {
        let inside = logs.paths().filter(|path| logs.file(path.log).is_some_and(|file| file.starts_with(&root)));
        let found = match (root.is_dir(), inside.count()) {
            (false, _) => "not there".to_owned(),
            (true, 0) => "no logs".to_owned(),
            (true, count) => lens::count(count as u64, "log"),
        };
        text.push_str(&format!("  {}  {found}\n", shown(&root)));
    }
    let broken = logs.paths().filter(|path| path.tally.broken > 0);
    let broken = broken.map(|path| {
        let file = logs.file(path.log).map(shown).unwrap_or_default();
        format!("  {file}  {} not understood\n", lens::count(path.tally.broken.into(), "line"))
    });
    let trouble = logs.trouble().iter().map(|trouble| format!("  {}  {}\n", shown(&trouble.path), trouble.error));
    let troubles: Vec<String> = trouble.chain(broken).collect();
    if !troubles.is_empty() {
        text.push_str("\nTrouble\n");
        text.extend(troubles.iter().take(MOST).map(String::as_str));
        if troubles.len() > MOST {
            text.push_str(&format!("  … {} more\n", troubles.len() - MOST));
        }
    }
    text.push_str(match (sessions, here) {
        (0, _) => "\nNo agent sessions found. logs.folders adds a folder; `turnlens demo` makes an example.\n",
        (_, 0) => "\nNo agent has worked in this folder yet, as far as these logs tell. logs.pathMappings says where\nfolders of another machine are here.\n",
        _ => "\nOpen a file that an agent wrote, and ask for the turn of a line.\n",
    });
    text
}
