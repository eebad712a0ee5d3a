//! Logs that were written in a clone elsewhere.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use serde_json::json;
use trace::Agent;
use workspace::{Env, Index, Settings, Workspace};

fn git(folder: &Path, date: &str, args: &[&str]) -> String {
    let names = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
    let mut command = Command::new("git");
    command.current_dir(folder).args(names).args(args).env("GIT_COMMITTER_DATE", date).env("GIT_AUTHOR_DATE", date);
    String::from_utf8(command.output().unwrap().stdout).unwrap().trim().to_owned()
}

/// Who wrote the second line, where the log tells no whole text and says at `told` that it made the second commit.
fn second_line(told: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let (repo, logs) = (folder.path().join("here"), folder.path().join("logs"));
    std::fs::create_dir_all(&repo).unwrap();
    std::fs::create_dir_all(&logs).unwrap();
    git(&repo, "", &["init", "-q"]);
    let file = repo.join("a.rs");
    for (text, date) in [("fn a() {}\n", "2026-01-01T09:00:00Z"), ("fn a() {}\nfn b() {}\n", "2026-01-01T10:00:05Z")] {
        std::fs::write(&file, text).unwrap();
        git(&repo, date, &["add", "a.rs"]);
        git(&repo, date, &["commit", "-q", "-m", "x"]);
    }
    let id = git(&repo, "", &["rev-parse", "--short=7", "HEAD"]);
    let record = |kind: &str, at: &str, content: serde_json::Value, result: serde_json::Value| {
        let uuid = at.to_owned();
        json!({"type": kind, "uuid": uuid, "timestamp": at, "sessionId": "s", "cwd": "/there/app", "version": "2.1.0",
            "message": {"role": kind, "content": content}, "toolUseResult": result})
        .to_string()
    };
    let call = |id: &str, name: &str, input: serde_json::Value| json!([{"type": "tool_use", "id": id, "name": name, "input": input}]);
    let answer = |id: &str| json!([{"type": "tool_result", "tool_use_id": id, "content": "done"}]);
    let (old, new) = ("fn a() {}", "fn a() {}\nfn b() {}");
    let edit = json!({"file_path": "/there/app/a.rs", "old_string": old, "new_string": new});
    let edited = json!({"filePath": "/there/app/a.rs", "oldString": old, "newString": new, "originalFile": null,
        "structuredPatch": [{"oldStart": 1, "oldLines": 1, "newStart": 1, "newLines": 2, "lines": [" fn a() {}", "+fn b() {}"]}]});
    let committed = json!({"stdout": format!("[main {id}] x\n 1 file changed"), "stderr": "", "interrupted": false});
    let records = [
        record("user", "2026-01-01T10:00:00.000Z", json!("add b"), json!(null)),
        record("assistant", "2026-01-01T10:00:01.000Z", call("t1", "Edit", edit), json!(null)),
        record("user", "2026-01-01T10:00:02.000Z", answer("t1"), edited),
        record(
            "assistant",
            "2026-01-01T10:00:03.000Z",
            call("t2", "Bash", json!({"command": "git commit -am x"})),
            json!(null),
        ),
        record("user", told, answer("t2"), committed),
    ];
    std::fs::write(logs.join("s.jsonl"), records.join("\n") + "\n").unwrap();
    let env = Env { home: None, vars: Default::default(), extra: vec![(Agent::ClaudeCode, logs)] };
    let index = Arc::new(Index::new(env));
    index.refresh(&|_| {});
    let workspace = Workspace::new(index, Settings::default());
    let view = workspace.moment().file(&file).unwrap();
    view.step(1).map(|step| step.call.to_string())
}

#[test]
fn a_commit_that_the_session_made_tells_whose_clone_it_was() {
    assert_eq!(second_line("2026-01-01T10:00:06.000Z").as_deref(), Some("t1"));
    // An abbreviated id is the same in two repositories some day; the time is not.
    assert_eq!(second_line("2026-01-02T10:00:06.000Z"), None);
}
