//! One log in, one line an entry out.

use std::fs;
use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use trace::{Entry, What};

use crate::show::{show, show_body};
use crate::{Cursor, Env, Reader, Scan};

const READER: super::Gemini = super::Gemini;

struct Log {
    _folder: TempDir,
    path: PathBuf,
}

/// The log of a project at `/w`.
fn log(name: &str, text: &str) -> Log {
    let folder = tempfile::tempdir().expect("a folder for the log");
    let project: String = Sha256::digest(b"/w").iter().map(|byte| format!("{byte:02x}")).collect();
    let path = folder.path().join(project).join("chats").join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("making the log's folder");
    fs::write(&path, text).expect("writing the log");
    Log { _folder: folder, path }
}

impl Log {
    fn scan(&self, from: &Cursor) -> (Vec<Entry>, Scan) {
        let mut entries = Vec::new();
        let scan = READER.scan(&self.path, from, &mut |entry| entries.push(entry)).expect("scanning the log");
        (entries, scan)
    }
}

fn check(name: &str, text: &str, expect: Expect) {
    let (entries, scan) = log(name, text).scan(&Cursor::default());
    let broken = if scan.broken.is_empty() { String::new() } else { format!("broken at {:?}\n", scan.broken) };
    expect.assert_eq(&(show(&entries) + &broken));
}

const DOCUMENT: &str = r#"{
  "sessionId": "s1", "startTime": "2026-01-01T00:00:00.000Z", "kind": "main", "summary": "A summary.",
  "messages": [
    {"id": "m1", "timestamp": "2026-01-01T00:00:00.000Z", "type": "info", "content": "Update available"},
    {"id": "m2", "timestamp": "2026-01-01T00:00:01.000Z", "type": "user",
     "content": [{"text": "fix it --- Content from a.rs ---"}], "displayContent": [{"text": "fix it"}]},
    {"id": "m3", "timestamp": "2026-01-01T00:00:02.000Z", "type": "gemini", "content": "I look.", "model": "gemini-3",
     "thoughts": [{"subject": "Looking", "description": "at it"}],
     "tokens": {"input": 100, "output": 10, "cached": 60, "thoughts": 5, "tool": 1, "total": 116},
     "toolCalls": [
       {"id": "read-1", "name": "read_file", "args": {"file_path": "a.rs"}, "status": "success", "resultDisplay": "",
        "result": [{"functionResponse": {"response": {"output": "one\ntwo\n"}}}], "timestamp": "2026-01-01T00:00:03.000Z"},
       {"id": "replace-1", "name": "replace", "args": {"file_path": "a.rs", "old_string": "two", "new_string": "TWO"},
        "status": "success", "timestamp": "2026-01-01T00:00:04.000Z",
        "resultDisplay": {"fileDiff": "Index: a.rs\n===\n--- a.rs\n+++ a.rs\n@@ -1,2 +1,2 @@\n one\n-two\n+TWO\n",
          "filePath": "/w/a.rs", "originalContent": "one\ntwo\n", "newContent": "one\nTWO\n", "isNewFile": false,
          "diffStat": {"user_added_lines": 0, "user_removed_lines": 1}}},
       {"id": "write-1", "name": "write_file", "args": {"file_path": "b.rs", "content": "b\n"}, "status": "success",
        "resultDisplay": {"fileDiff": "@@ -0,0 +1,1 @@\n+b\n", "filePath": "/w/b.rs", "originalContent": "",
          "newContent": "b\n", "isNewFile": true}},
       {"id": "replace-2", "name": "replace", "args": {"file_path": "a.rs"}, "status": "error",
        "resultDisplay": "Failed to edit, could not find the string to replace."},
       {"id": "shell-1", "name": "run_shell_command", "args": {"command": "git commit -m x", "description": "Commit"},
        "status": "success", "resultDisplay": [[{"text": "x"}]],
        "result": [{"functionResponse": {"response": {"output": "Output: [main abc1234] x\nExit Code: 1"}}}]},
       {"id": "shell-2", "name": "run_shell_command", "args": {"command": "ls"}, "status": "cancelled",
        "result": [{"functionResponse": {"response": {"error": "[Operation Cancelled] Reason: User denied execution."}}}]},
       {"id": "shell-3", "name": "run_shell_command", "args": {"command": "ls"}, "status": "executing"}
     ]},
    {"id": "m4", "timestamp": "2026-01-01T00:00:05.000Z", "type": "info", "content": "Request cancelled."},
    {"id": "m5", "timestamp": "2026-01-01T00:00:06.000Z", "type": "user", "content": "yes"},
    {"id": "m6", "type": "gemini", "content": "half a character: \ud83d"},
    {"id": "m7", "type": "never seen"}
  ]
}"#;

#[test]
fn documents() {
    check(
        "session-a.json",
        DOCUMENT,
        expect![[r#"
            Context session=s1 cwd=/w
            Title Summary "A summary."
            System "Update available"
            Typed prompt "fix it"
            Context model=gemini-3
            Thought "Looking\n\nat it"
            Text "I look."
            Call read-1 read_file read "a.rs" files=["/w/a.rs"]
            Result read-1 "one\ntwo\n" whole=/w/a.rs
            Call replace-1 replace edit "a.rs" files=["/w/a.rs"]
            Result replace-1 "" [/w/a.rs:2 +1 -1]
            Call write-1 write_file edit "b.rs" files=["/w/b.rs"]
            Result write-1 "" [/w/b.rs:1 +1 -0 created]
            Call replace-2 replace edit "a.rs" files=["/w/a.rs"]
            Result replace-2 error "Failed to edit, could not find the string to replace."
            Call shell-1 run_shell_command command "git commit -m x" detail="Commit"
            Result shell-1 "[main abc1234] x\nExit Code: 1" exit=1 commit=abc1234
            Call shell-2 run_shell_command command "ls"
            Result shell-2 error refused "[Operation Cancelled] Reason: User denied execution."
            Call shell-3 run_shell_command command "ls"
            Usage 8aea gemini-3 in 41, written 0 (hour 0), read 60, out 15
            Interrupted
            Typed prompt "yes"
            Text "half a character: �"
            Unknown "never seen"
        "#]],
    );
}

#[test]
fn bodies() {
    let log = log("session-a.json", DOCUMENT);
    let (entries, _) = log.scan(&Cursor::default());
    let told =
        entries.iter().filter(|entry| !matches!(entry.what, What::Context(_) | What::Usage(_) | What::Title(..)));
    let body = |entry: &Entry| READER.body(&log.path, entry.place).expect("reading").expect("it is still there");
    expect![[r#"
        text "Update available"
        text "fix it"
        text "Looking\n\nat it"
        text "I look."
        input "{\n  \"file_path\": \"a.rs\"\n}"
        text "one\ntwo\n"
        observed a.rs "one\ntwo\n"
        input "{\n  \"file_path\": \"a.rs\",\n  \"old_string\": \"two\",\n  \"new_string\": \"TWO\"\n}"
        change a.rs
          "two" → "TWO"
        change /w/a.rs by the person
          before "one\ntwo\n"
          after "one\nTWO\n"
          hunk 1,1 [" one", "-two", "+TWO"]
        input "{\n  \"file_path\": \"b.rs\",\n  \"content\": \"b\\n\"\n}"
        change b.rs
          after "b\n"
        change /w/b.rs created
          after "b\n"
          hunk 0,1 ["+b"]
        input "{\n  \"file_path\": \"a.rs\"\n}"
        change a.rs
          "" → ""
        text "Failed to edit, could not find the string to replace."
        input "git commit -m x"
        text "[main abc1234] x\nExit Code: 1"
        input "ls"
        text "[Operation Cancelled] Reason: User denied execution."
        input "ls"
        text "Request cancelled."
        text "yes"
        text "half a character: �"
    "#]]
    .assert_eq(&told.map(|entry| show_body(&body(entry))).collect::<String>());
}

#[test]
fn lines() {
    check(
        "session-a.jsonl",
        r#"{"sessionId":"s1","kind":"main"}
{"id":"m1","type":"user","content":[{"text":"one"}]}
{"$set":{"lastUpdated":"2026-01-01T00:00:00.000Z","summary":"Later told"}}
{"id":"m2","type":"gemini","content":"I look.","toolCalls":[]}
garbage
{"id":"m2","type":"gemini","content":"I look.","toolCalls":[{"id":"t1","name":"update_topic","args":{"title":"A topic"},"status":"success","result":[]}]}{"id":"m3","type":"user","content":"two"}
{"id":"m4","type":"gemini","content":"2"}
{"$rewindTo":"m3"}
{"id":"m5","type":"user","content":"two, again"}
{"$set":{"messages":[{"id":"m1","type":"user","content":"one"}]}}
{"id":"m6","type":"user","content":"three"}
{"$set":{"messages":[]}}
{"$rewindTo":"m1"}
{"id":"m7","type":"user","content":"four"}
{"id":"m8","type":"gem"#,
        expect![[r#"
            Context session=s1
            Title Summary "Later told"
            Typed prompt "one"
            Text "I look."
            Call t1 update_topic other "A topic"
            Title Generated "A topic"
            Result t1 ""
            Typed prompt "two"
            Text "2"
            Typed prompt "two, again" < 4
            Typed prompt "three" < 3
            Typed prompt "four" < 1
            broken at [224]
        "#]],
    );
}

#[test]
fn what_the_client_puts_in() {
    check(
        "session-a.jsonl",
        r#"{"id":"m1","type":"user","content":"<session_context>\nx</session_context>"}
{"id":"m2","type":"user","content":"<session_context>\nx</session_context>\nfix it"}
{"id":"m3","type":"user","content":"System: Please continue."}
{"id":"m4","type":"user","content":"I ran the following shell command:\n```sh\nls -a\n```\n\nThis produced the following result:"}
{"id":"m5","type":"user","content":"<state_snapshot>so far</state_snapshot>"}
{"id":"m6","type":"user","content":[{"inlineData":{"mimeType":"image/png"}}]}
{"id":"m7","type":"user","content":""}
"#,
        expect![[r#"
            Context
            System "injected: <session_context>"
            Typed prompt "fix it"
            System "injected: System: Please continue."
            SlashCommand "!ls -a"
            CommandOutput
            Compacted automatic=None before=None summary=Some(39)
            Typed prompt "" +1 images
            Silent
        "#]],
    );
}

#[test]
fn sub_agents() {
    check(
        "s1/worker.json",
        r#"{"sessionId":"worker","kind":"subagent","messages":[{"id":"m1","type":"user","content":"count the words"},{"id":"m2","type":"gemini","content":"11"}]}"#,
        expect![[r#"
            Context session=worker parent_session=s1 (worker)
            Task prompt "count the words"
            Text "11"
        "#]],
    );
    check(
        "session-a.json",
        r#"{"messages":[{"id":"m1","type":"gemini","content":"","toolCalls":[{"id":"t1","name":"invoke_agent","agentId":"worker","args":{"prompt":"count the words","agent_name":"generalist"},"status":"success","result":[{"functionResponse":{"response":{"output":"11"}}}]}]}]}"#,
        expect![[r#"
            Context
            Silent
            Call t1 invoke_agent agent "count the words" detail="generalist" task="count the words"
            Result t1 "11" side=worker
        "#]],
    );
}

#[test]
fn a_log_that_is_being_written() {
    let at = DOCUMENT.find(r#"{"id": "m5""#).expect("the prompt") + 20;
    check(
        "session-a.json",
        &DOCUMENT[..at],
        expect![[r#"
            Context session=s1 cwd=/w
            Title Summary "A summary."
            System "Update available"
            Typed prompt "fix it"
            Context model=gemini-3
            Thought "Looking\n\nat it"
            Text "I look."
            Call read-1 read_file read "a.rs" files=["/w/a.rs"]
            Result read-1 "one\ntwo\n" whole=/w/a.rs
            Call replace-1 replace edit "a.rs" files=["/w/a.rs"]
            Result replace-1 "" [/w/a.rs:2 +1 -1]
            Call write-1 write_file edit "b.rs" files=["/w/b.rs"]
            Result write-1 "" [/w/b.rs:1 +1 -0 created]
            Call replace-2 replace edit "a.rs" files=["/w/a.rs"]
            Result replace-2 error "Failed to edit, could not find the string to replace."
            Call shell-1 run_shell_command command "git commit -m x" detail="Commit"
            Result shell-1 "[main abc1234] x\nExit Code: 1" exit=1 commit=abc1234
            Call shell-2 run_shell_command command "ls"
            Result shell-2 error refused "[Operation Cancelled] Reason: User denied execution."
            Call shell-3 run_shell_command command "ls"
            Usage 8aea gemini-3 in 41, written 0 (hour 0), read 60, out 15
            Interrupted
            broken at [2644]
        "#]],
    );
}

#[test]
fn read_anew_when_it_changed() {
    let log = log("session-a.json", DOCUMENT);
    let (whole, first) = log.scan(&Cursor::default());
    assert!(!first.restarted);
    let (none, same) = log.scan(&first.cursor);
    assert!(none.is_empty() && !same.restarted && same.cursor == first.cursor);
    fs::write(&log.path, DOCUMENT.replace("I look.", "I read.")).expect("changing the log");
    let (again, changed) = log.scan(&first.cursor);
    assert!(changed.restarted && again.len() == whole.len());
    let words = whole.iter().find(|entry| matches!(entry.what, What::Text(_))).expect("words");
    assert!(READER.body(&log.path, words.place).expect("reading").is_none());
}

#[test]
fn where_logs_and_projects_lie() {
    let home = tempfile::tempdir().expect("a home");
    let root = home.path().join(".gemini");
    let put = |path: &str, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("making a folder");
        fs::write(path, text).expect("writing a file");
    };
    let log = r#"{"sessionId":"s","messages":[{"id":"m","type":"user","content":"x"}]}"#;
    put("tmp/app/chats/session-a.json", log);
    put("tmp/app/.project_root", "/noted/app\n");
    put("tmp/lib/chats/session-b.json", log);
    put("tmp/lib/chats/s/worker.jsonl", "");
    put("tmp/lib/logs.json", "[]");
    put("projects.json", r#"{"projects":{"/listed/lib":"lib"}}"#);
    let env = Env { home: Some(home.path().to_owned()), ..Env::default() };
    assert_eq!(READER.roots(&env), std::slice::from_ref(&root));
    let mut found = Vec::new();
    READER.discover(&root, &mut |log| found.push(log.path));
    let below: Vec<&Path> = found.iter().filter_map(|path| path.strip_prefix(root.join("tmp")).ok()).collect();
    assert_eq!(
        below,
        [
            Path::new("app/chats/session-a.json"),
            Path::new("lib/chats/session-b.json"),
            Path::new("lib/chats/s/worker.jsonl")
        ]
    );
    assert!(found.iter().all(|path| READER.is_log(&root, path)));
    let cwd = |path: &Path| {
        let mut cwd = None;
        let tell = &mut |entry: Entry| {
            if let What::Context(context) = entry.what {
                cwd = context.cwd.or(cwd.take());
            }
        };
        READER.scan(path, &Cursor::default(), tell).expect("scanning");
        cwd
    };
    assert_eq!(cwd(&found[0]).as_deref(), Some("/noted/app"));
    assert_eq!(cwd(&found[1]).as_deref(), Some("/listed/lib"));
}

#[test]
fn a_place_tells_the_folder() {
    let path = format!("/h/.gemini/tmp/{}/chats/session-1.json", super::root::hash_of("/w/app"));
    let check = |folder: &str| super::Gemini.is_of_folder(Path::new(&path), Path::new(folder));
    assert!(check("/w/app") && !check("/w"));
}

/// Of keys that are told twice the last one counts, as for the client itself.
#[test]
fn keys_that_are_told_twice() {
    let messages = [
        r#"{"id": "m1", "type": "user", "type": "user", "content": "no", "content": "fix it"}"#,
        r#"{"id": "m2", "type": "gemini", "content": "so", "toolCalls": [{"id": "c", "id": "c1", "name": "run_shell_command", "args": {"command": "ls"}}]}"#,
    ];
    for (name, text) in [
        ("session-1.json", format!(r#"{{"sessionId": "s1", "messages": [{}]}}"#, messages.join(", "))),
        ("session-1.jsonl", format!("{{\"sessionId\": \"s1\"}}\n{}\n", messages.join("\n"))),
    ] {
        let log = log(name, &text);
        let (entries, scan) = log.scan(&Cursor::default());
        assert!(scan.broken.is_empty(), "{name}: {:?}", scan.broken);
        let told: Vec<String> = entries
            .iter()
            .filter_map(|entry| READER.body(&log.path, entry.place).expect("a body"))
            .map(|body| format!("{}{}", body.text, body.input))
            .collect();
        assert_eq!(told, ["fix it", "fix it", "so", "ls"], "{name}: {entries:?}");
    }
}

/// What is no message is counted; the head is told with the first one.
#[test]
fn what_is_no_message_is_broken() {
    let bad = r#"7, ["m0"]"#;
    let text =
        format!(r#"{{"sessionId": "s1", "messages": [{bad}, {{"id": "m1", "type": "user", "content": "go"}}, ["#);
    let log = log("session-1.json", &text);
    let (entries, scan) = log.scan(&Cursor::default());
    let cut = text.rfind("}, [").map_or(0, |at| at + 1);
    let at = |part: &str| text.find(part).unwrap_or(0);
    assert_eq!(scan.broken, [at("7,") as u64, at("[\"m0") as u64, cut as u64]);
    assert!(!entries.is_empty());
    for entry in entries {
        assert!(READER.body(&log.path, entry.place).expect("readable").is_some(), "{entry:?}");
    }
}
