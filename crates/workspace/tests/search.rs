//! Words planted in every kind of field of generated sessions are found there, by scan and by filters.
//!
//! Needs `../shared/bench` and Python. Skipped with a word where they are missing.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use serde_json::Value;
use workspace::{Env, Field, Index, Query, Settings, Workspace};

const GENERATOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/bench/many_sessions.py");

fn field_of(needle: &str) -> Field {
    match needle.split('_').nth(1).unwrap_or_default() {
        "user" | "codexuser" => Field::Prompt,
        "thinking" => Field::Thought,
        "toolinput" => Field::Tool,
        "toolresult" | "codexout" => Field::Output,
        _ => Field::Answer,
    }
}

#[test]
fn every_planted_word_is_found_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let size = ["--claude", "60", "--codex", "60", "--mb", "12", "--big-mb", "3"];
    let made = Command::new("python3").arg(GENERATOR).arg("--out").arg(folder.path()).args(size).output();
    if !Path::new(GENERATOR).is_file() || !made.is_ok_and(|made| made.status.success()) {
        eprintln!("skipped: ../shared/bench or python3 is missing");
        return;
    }
    let truth: Value = serde_json::from_slice(&std::fs::read(folder.path().join("truth.json")).unwrap()).unwrap();
    let env = Env { home: Some(folder.path().join("home")), ..Env::default() };
    let workspace = Workspace::new(Arc::new(Index::new(env)), Settings::default());
    workspace.index().refresh(&|_| {});
    let moment = workspace.moment();
    let logs = moment.logs();
    let holds = |session: &str, needle: &str| {
        let own = logs.summaries().filter(|path| *path.session == *session).filter_map(|path| logs.file(path.log));
        own.filter_map(|file| std::fs::read_to_string(file).ok()).any(|text| text.contains(needle))
    };
    let mut planted = 0;
    for by_filters in [false, true] {
        if by_filters {
            workspace.make_filters(None, &|| false).unwrap();
        }
        for (needle, sessions) in truth["needles"].as_object().unwrap() {
            // Some are planned and then not written.
            let expected: BTreeSet<&str> = sessions.as_array().unwrap().iter().filter_map(Value::as_str).collect();
            let expected: BTreeSet<&str> = expected.into_iter().filter(|session| holds(session, needle)).collect();
            planted += expected.len();
            for query in [needle.clone(), needle.to_uppercase(), format!("/{needle}/ case:yes")] {
                let query = Query::parse(&query, &|_| None).unwrap();
                let found = moment.search(&query, logs.sessions(), 1_000);
                let told: BTreeSet<&str> = found.listed.iter().map(|session| &*session.path.session).collect();
                assert_eq!(told, expected, "{needle}, by filters: {by_filters}");
                for hit in found.listed.iter().flat_map(|session| &session.hits) {
                    assert_eq!(hit.field, field_of(needle), "{needle}");
                    assert!(hit.text.contains(needle) && !hit.found.is_empty(), "{needle}: {}", hit.text);
                    assert!(hit.turn > 0, "{needle}");
                }
            }
        }
    }
    assert!(planted > 60, "{planted} words are planted");
}
