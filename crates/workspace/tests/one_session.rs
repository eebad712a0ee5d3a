//! A large generated session: every edit's text before and after, and where it changed the file, against the truth.
//!
//! Needs `../shared/bench` and Python. Skipped with a word where they are missing.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};
use trace::{Agent, StepAt};
use workspace::{Env, Index, Settings, Workspace};

const GENERATOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/bench/one_session.py");

#[test]
fn every_edit_is_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("python3").arg(GENERATOR).arg("--out").arg(folder.path()).output();
    if !Path::new(GENERATOR).is_file() || !made.is_ok_and(|made| made.status.success()) {
        eprintln!("skipped: ../shared/bench or python3 is missing");
        return;
    }
    let truth: Value = serde_json::from_slice(&std::fs::read(folder.path().join("truth.json")).unwrap()).unwrap();
    let mut env = Env::from_process();
    (env.home, env.vars) = (None, Default::default());
    env.extra = vec![(Agent::ClaudeCode, folder.path().join("home/.claude"))];
    let index = Arc::new(Index::new(env));
    index.refresh(&|_| {});
    let workspace = Workspace::new(index, Settings::default());
    let repo = folder.path().join("repo");
    workspace.repo(&repo).unwrap();
    let moment = workspace.moment();
    let view = moment.session_view(truth["session"].as_str().unwrap()).unwrap();
    let mut wrong = Vec::new();
    let mut checked = 0;
    for edit in truth["edits"].as_array().unwrap() {
        let call = edit["tool"].as_str().unwrap();
        let at = view.step_of_call(call).unwrap();
        let happened = edit["ok"].as_bool().unwrap();
        assert_eq!(at.step.edits().len(), usize::from(happened), "{call}");
        if happened {
            checked += 1;
            wrong.extend(difference(&moment, &view, &at, edit).map(|why| format!("{call}: {why}")));
        }
    }
    assert!(wrong.is_empty(), "{} of {checked}: {wrong:#?}", wrong.len());
    eprintln!("{checked} edits are as they were");
}

fn difference(
    moment: &workspace::Moment<'_>,
    view: &workspace::SessionView,
    at: &StepAt<'_>,
    edit: &Value,
) -> Option<String> {
    let stub = &at.step.edits()[0];
    let Some((before, after)) = moment.file_at(&view.session, at, &stub.path) else { return Some("not known".into()) };
    let hash =
        |text: &str| Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    if edit["before"].as_str() != before.as_deref().map(hash).as_deref() {
        if std::env::var_os("DUMP").is_some() {
            std::fs::write(format!("/tmp/dump-{}", at.step.call.as_deref().unwrap()), before.unwrap_or_default())
                .unwrap();
        }
        return Some("another text before".into());
    }
    if edit["after"].as_str() != Some(&hash(&after)) {
        return Some("another text after".into());
    }
    // The first line that differs lies in the first hunk of the truth, and the log's own number says the same.
    let first = provenance::changed_ranges(before.as_deref().unwrap_or_default(), &after).into_iter().next()?;
    let hunk = edit["hunks"][0].as_array()?;
    let (start, lines) = (hunk[2].as_u64()?, hunk[3].as_u64()?);
    let line = u64::from(first.new.start) + 1;
    let inside = |line: u64| (start..=start + lines).contains(&line);
    (!inside(line) || !inside(u64::from(stub.line))).then(|| format!("line {line} or {} is not in {hunk:?}", stub.line))
}
