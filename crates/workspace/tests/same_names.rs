//! One patch over several files of one name: each file gets its own part of it.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use trace::Agent;
use workspace::{Env, Index, Settings, Workspace};

const PATCH: &str = r"*** Begin Patch\n*** Add File: src/a/mod.rs\n+a\n*** Add File: src/b/mod.rs\n+b\n*** End Patch\n";

/// The step of each line, `-` for none, of `src/a/mod.rs` and `src/b/mod.rs`.
fn check(done: &dyn Fn(&str) -> String, expected: [&str; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let cwd = root.join("w");
    for name in ["a", "b"] {
        fs::create_dir_all(cwd.join("src").join(name)).unwrap();
        fs::write(cwd.join("src").join(name).join("mod.rs"), format!("{name}\n")).unwrap();
    }
    let here = cwd.display().to_string().replace('\\', r"\\");
    let logs = root.join("home/sessions");
    fs::create_dir_all(&logs).unwrap();
    let line = |kind: &str, payload: &str| {
        format!("{{\"timestamp\":\"2026-01-01T00:00:00Z\",\"type\":\"{kind}\",\"payload\":{payload}}}\n")
    };
    let log = [
        line("session_meta", &format!(r#"{{"id":"s","cwd":"{here}"}}"#)),
        line("event_msg", r#"{"type":"user_message","message":"make both"}"#),
        line(
            "response_item",
            &format!(r#"{{"type":"custom_tool_call","call_id":"call_1","name":"apply_patch","input":"{PATCH}"}}"#),
        ),
        done(&here),
    ];
    fs::write(logs.join("rollout-2026-01-01T00-00-00-s.jsonl"), log.concat()).unwrap();
    let env = Env { extra: vec![(Agent::Codex, root.join("home"))], ..Env::default() };
    let index = Arc::new(Index::new(env));
    index.refresh(&|_| {});
    let workspace = Workspace::new(index, Settings::default());
    let moment = workspace.moment();
    let found = ["a", "b"].map(|name| {
        let path = cwd.join("src").join(name).join("mod.rs");
        let view = moment.file(Path::new(&path)).unwrap();
        view.step(0).map_or("-".to_owned(), |step| format!("{}: {}", step.label(), step.call))
    });
    assert_eq!(found, expected);
}

#[test]
fn told_by_what_was_changed() {
    check(
        &|here| {
            format!(
                "{{\"timestamp\":\"2026-01-01T00:00:01Z\",\"type\":\"event_msg\",\"payload\":{{\"type\":\"patch_apply_end\",\
                 \"call_id\":\"call_1\",\"success\":true,\"changes\":{{\"{here}/src/b/mod.rs\":{{\"type\":\"add\",\
                 \"content\":\"b\\n\"}},\"{here}/src/a/mod.rs\":{{\"type\":\"add\",\"content\":\"a\\n\"}}}}}}}}\n"
            )
        },
        ["1.1: call_1", "1.1: call_1"],
    );
}

#[test]
fn told_by_the_patch_alone() {
    check(
        &|_| {
            "{\"timestamp\":\"2026-01-01T00:00:01Z\",\"type\":\"response_item\",\"payload\":{\"type\":\
             \"custom_tool_call_output\",\"call_id\":\"call_1\",\"output\":\"Success. Updated the following files:\\n\
             A src/a/mod.rs\\nA src/b/mod.rs\\n\"}}\n"
                .to_owned()
        },
        ["1.1: call_1", "1.1: call_1"],
    );
}
