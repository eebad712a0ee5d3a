//! `turnlens blame`: who wrote each line of a file.

use std::io::Read;
use std::path::PathBuf;

use anyhow::Context;
use serde_json::json;
use workspace::FileView;

use super::{Exit, open, out};

/// Who wrote each line of a file
#[derive(clap::Args)]
pub(super) struct Args {
    file: PathBuf,

    /// Take the file's text from standard input: an open, unsaved buffer
    #[arg(long, value_name = "-", value_parser = ["-"])]
    contents: Option<String>,
}

pub(super) fn run(args: Args, json: bool) -> anyhow::Result<Exit> {
    let path = open::folder(None)?.join(&args.file);
    let workspace = open::workspace();
    let moment = workspace.moment();
    let view = match args.contents {
        Some(_) => {
            let mut text = Vec::new();
            std::io::stdin().lock().read_to_end(&mut text).context("cannot read standard input")?;
            moment.text(&path, &String::from_utf8_lossy(&text))
        }
        None => moment.file(&path).with_context(|| format!("cannot read {}", args.file.display()))?,
    };
    if json {
        out::json(&as_json(&args.file.to_string_lossy(), &view));
    }
    Ok(Exit::DONE)
}

/// The form is fixed: other tools hold on to it. It only grows.
fn as_json(file: &str, view: &FileView) -> serde_json::Value {
    let line = |(at, origin): (usize, &Option<trace::LineOrigin>)| match origin
        .and_then(|o| Some((o, view.step_of(o.step)?)))
    {
        None => json!({ "line": at + 1, "origin": "unknown" }),
        Some((origin, step)) => json!({
            "line": at + 1,
            "origin": "turn",
            "agent": step.agent.id(),
            "session": &*step.session,
            "turn": step.turn,
            "step": &*step.call,
            "at_step": step.label(),
            "evidence": origin.evidence.id(),
            "at": crate::time::rfc3339(step.at),
        }),
    };
    json!({ "file": file, "lines": view.blame.lines.iter().enumerate().map(line).collect::<Vec<_>>() })
}
