//! Files that a command moved before they were committed.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};
use trace::Agent;
use workspace::{Env, Index, Settings, Workspace};

fn git(folder: &Path, args: &[&str]) {
    let names = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
    let done = Command::new("git").current_dir(folder).args(names).args(args).output().unwrap();
    assert!(done.status.success(), "{args:?}");
}

const TEXT: &str =
    "fn first_of_all() -> usize {\n    count_of_all_the_apples_in_the_garden(7)\n}\nfn second_of_all() -> usize {\n}\n";

/// Which call wrote the first line of `new/a.rs`, which came to be by these commands after `t0` had written `old/a.rs`
/// (and, where `there` is so, `t9` the other one before).
fn writer(there: bool, command: &str, failed: bool) -> Option<String> {
    writer_beside(there, command, failed, TEXT, &[])
}

/// The same, where the file is `now` and others lie there, too.
fn writer_beside(there: bool, command: &str, failed: bool, now: &str, others: &[&str]) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().canonicalize().unwrap();
    let (repo, logs) = (base.join("repo"), base.join("logs"));
    for made in [repo.join("new"), logs.clone()] {
        std::fs::create_dir_all(made).unwrap();
    }
    git(&repo, &["init", "-q"]);
    std::fs::write(repo.join("new/a.rs"), now).unwrap();
    for other in others {
        std::fs::create_dir_all(repo.join(other).parent().unwrap()).unwrap();
        std::fs::write(repo.join(other), TEXT).unwrap();
    }
    git(&repo, &["add", "."]);
    git(&repo, &["commit", "-q", "-m", "x"]);
    let mut records = Vec::new();
    let mut call = |id: &str, name: &str, input: Value, result: Value| {
        let mut record = |kind: &str, content: Value, result: Value| {
            let at = format!("2026-01-01T10:00:{:02}.000Z", records.len());
            let record = json!({"type": kind, "uuid": at, "timestamp": at, "sessionId": "s", "cwd": repo,
                "version": "2.1.0", "message": {"role": kind, "content": content}, "toolUseResult": result});
            records.push(record.to_string());
        };
        record("assistant", json!([{"type": "tool_use", "id": id, "name": name, "input": input}]), Value::Null);
        let answer = json!([{"type": "tool_result", "tool_use_id": id, "content": "done", "is_error": false}]);
        record("user", answer, result);
    };
    let mut write = |id: &str, path: &str, text: &str| {
        let path = repo.join(path);
        let result =
            json!({"type": "create", "filePath": path, "content": text, "structuredPatch": [], "originalFile": null});
        call(id, "Write", json!({"file_path": path, "content": text}), result);
    };
    if there {
        write("t9", "new/a.rs", "fn c() {}\n");
    }
    write("t0", "old/a.rs", TEXT);
    let status = if failed { " || true" } else { "" };
    let ran = json!({"stdout": "", "stderr": "", "interrupted": false});
    call("t1", "Bash", json!({"command": format!("{command}{status}")}), ran);
    std::fs::write(logs.join("s.jsonl"), records.join("\n") + "\n").unwrap();
    let env = Env { home: None, vars: Default::default(), extra: vec![(Agent::ClaudeCode, logs)] };
    let index = Arc::new(Index::new(env));
    index.refresh(&|_| {});
    let workspace = Workspace::new(index, Settings::default());
    let view = workspace.moment().file(&repo.join("new/a.rs")).unwrap();
    view.step(0).map(|step| step.call.to_string())
}

#[test]
fn lines_go_with_a_file_that_a_command_moved() {
    for command in
        ["git mv old/a.rs new/a.rs", "git mv old new", "mkdir new && mv old/a.rs new", "cd old && mv a.rs ../new/"]
    {
        assert_eq!(writer(false, command, false).as_deref(), Some("t0"), "{command}");
    }
    // Another file, a copy of which nobody tells, a file that was there already, and a move that may have failed.
    assert_eq!(writer(false, "git mv old/b.rs new/a.rs", false), None);
    assert_eq!(writer(true, "mv old/a.rs new/a.rs", false), None);
    assert_eq!(writer(false, "mv old/a.rs new/a.rs", true), None);
}

/// `mv old new` makes `new` of `old`, or `new/old` where `new` was there: nothing but texts and files tell.
#[test]
fn a_folder_that_may_have_been_moved_into_another() {
    let check = |now: &str, others: &[&str], expected: Option<&str>| {
        for command in ["mv old new", "git mv old/ new/", "cd old && mv ../old ../new"] {
            let told = writer_beside(false, command, false, now, others);
            assert_eq!(told.as_deref(), expected, "{command}: {others:?} {now}");
        }
    };
    check(TEXT, &[], Some("t0"));
    check(&format!("{TEXT}fn by_hand() {{}}\n"), &[], Some("t0"));
    // Somebody's own file of that name, in which a line is like the other's.
    check("fn first_of_all() -> usize {\n    another_thing_altogether(12)\n}\n", &[], None);
    // The same text, but there is the folder into which the other one went.
    check(TEXT, &["new/old/a.rs"], None);
    check(TEXT, &["new/old/b.rs"], None);
    // With several, the last one has to be a folder.
    assert_eq!(writer(false, "mv old other new", false), None);
}
