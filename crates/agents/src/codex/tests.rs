//! One JSONL fixture in, one line an entry out. A fixture's lines leave out their times and envelopes: `meta`, `turn`,
//! `item`, `event` and `compacted` stand for the types of records, and the time is the number of the line in seconds.

use std::fs;
use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};
use tempfile::TempDir;
use trace::{Entry, What};

use crate::show::{show, show_body};
use crate::{Cursor, Env, Reader, Scan};

const READER: super::Codex = super::Codex;

struct Log {
    _folder: TempDir,
    path: PathBuf,
}

fn log(fixture: &str) -> Log {
    let folder = tempfile::tempdir().expect("a folder for the log");
    let path = folder.path().join("rollout.jsonl");
    fs::write(&path, records(fixture)).expect("writing the log");
    Log { _folder: folder, path }
}

fn records(fixture: &str) -> String {
    let lines = fixture.lines().filter(|line| !line.trim().is_empty()).enumerate();
    lines.fold(String::new(), |all, (at, line)| all + &record(at, line) + "\n")
}

fn record(at: usize, line: &str) -> String {
    let Some((kind, payload)) = line.trim().split_once(' ').filter(|(kind, _)| !kind.starts_with('{')) else {
        return line.trim().to_owned();
    };
    let kind = match kind {
        "meta" => "session_meta",
        "turn" => "turn_context",
        "item" => "response_item",
        "event" => "event_msg",
        other => other,
    };
    // `@` puts a record at the time of the first.
    let (at, payload) = payload.strip_prefix('@').map_or((at, payload), |payload| (0, payload));
    format!(r#"{{"timestamp":"2026-01-01T00:00:{at:02}.000Z","type":"{kind}","payload":{payload}}}"#)
}

impl Log {
    fn scan(&self, from: &Cursor) -> (Vec<Entry>, Scan) {
        let mut entries = Vec::new();
        let scan = READER.scan(&self.path, from, &mut |entry| entries.push(entry)).expect("scanning the log");
        (entries, scan)
    }

    fn body(&self, entry: &Entry) -> trace::Content {
        READER.body(&self.path, entry.place).expect("reading").expect("the record is still there")
    }
}

fn check(fixture: &str, expect: Expect) {
    expect.assert_eq(&show(&log(fixture).scan(&Cursor::default()).0));
}

/// Bodies of calls, results and words.
fn check_bodies(fixture: &str, expect: Expect) {
    let log = log(fixture);
    let (entries, _) = log.scan(&Cursor::default());
    let told = entries.iter().filter(|entry| !matches!(entry.what, What::Context(_) | What::Usage(_)));
    expect.assert_eq(&told.map(|entry| show_body(&log.body(entry))).collect::<String>());
}

#[test]
fn a_session() {
    check(
        r#"
        meta {"id":"s","cwd":"/w","originator":"codex-tui","cli_version":"0.118.0","source":"cli","git":{"commit_hash":"abc","branch":"main"}}
        event {"type":"task_started","turn_id":"t1"}
        turn {"turn_id":"t1","cwd":"/w","model":"gpt-5"}
        item {"type":"message","role":"developer","content":[{"type":"input_text","text":"<permissions instructions>"}]}
        item {"type":"message","role":"user","content":[{"type":"input_text","text":"<environment_context>x</environment_context>"}]}
        item {"type":"message","role":"user","content":[{"type":"input_text","text":"fix it"}]}
        event {"type":"user_message","message":"fix it\n","images":["a.png"]}
        event {"type":"agent_reasoning","text":"**Looking**"}
        item {"type":"reasoning","summary":[{"type":"summary_text","text":"**Looking**"}],"content":null}
        event {"type":"agent_message","message":"I look first."}
        item {"type":"message","role":"assistant","content":[{"type":"output_text","text":"I look first."}]}
        item {"type":"function_call","name":"exec_command","arguments":"{\"cmd\":\"ls -a\",\"workdir\":\"/w/src\"}","call_id":"call_1"}
        item {"type":"function_call_output","call_id":"call_1","output":"Chunk ID: 1\nWall time: 0.1 seconds\nProcess exited with code 2\nOutput:\nno such\n"}
        event {"type":"agent_message","message":"Only an event."}
        event {"type":"task_complete","turn_id":"t1"}
        "#,
        expect![[r#"
            Context session=s cwd=/w branch=main commit=abc version=0.118.0 entrypoint=cli
            Context model=gpt-5
            Typed prompt "fix it" +1 images
            Thought "**Looking**"
            Text "I look first."
            Call call_1 exec_command command "ls -a" detail="/w/src"
            Result call_1 error "no such\n" exit=2
            Text "Only an event."
        "#]],
    );
}

#[test]
fn prompts_without_events() {
    check(
        r##"
        meta {"id":"s"}
        item {"type":"message","role":"user","content":[{"type":"input_text","text":"# AGENTS.md instructions"},{"type":"input_text","text":"<recommended_plugins>x</recommended_plugins> one"},{"type":"input_image"}]}
        item {"type":"message","role":"assistant","content":[{"type":"output_text","text":"done"}]}
        item {"type":"message","role":"user","content":[{"type":"input_text","text":"two"}]}
        item {"type":"message","role":"user","content":[{"type":"input_text","text":"<turn_aborted>x</turn_aborted>"}]}
        item {"type":"message","role":"user","content":[{"type":"input_text","text":"two"}]}
        item {"type":"message","role":"assistant","content":[{"type":"output_text","text":"done"}]}
        item {"type":"message","role":"user","content":[{"type":"input_text","text":"AUTOSTEERING: continue"}]}
        "##,
        expect![[r#"
            Context session=s
            Typed prompt "one" +1 images
            Text "done"
            Typed prompt "two"
            Interrupted
            Text "done"
        "#]],
    );
}

#[test]
fn prompts_by_events() {
    check(
        r#"
        meta {"id":"s"}
        event {"type":"task_started","turn_id":"t1"}
        event {"type":"user_message","message":"one"}
        item {"type":"message","role":"assistant","content":[{"type":"output_text","text":"working"}]}
        event {"type":"user_message","message":"and this"}
        item {"type":"message","role":"user","content":[{"type":"input_text","text":"a wrapper nobody knows"}]}
        item {"type":"message","role":"assistant","content":[{"type":"output_text","text":"done"}]}
        event {"type":"turn_aborted","turn_id":"t1","reason":"interrupted"}
        event {"type":"entered_review_mode","user_facing_hint":"current changes"}
        event {"type":"user_message","message":"Review the current code changes"}
        item {"type":"message","role":"assistant","content":[{"type":"output_text","text":"fine"}]}
        event {"type":"exited_review_mode"}
        event {"type":"user_message","message":"<environment_context>","kind":"environment_context"}
        event {"type":"user_message","message":"three"}
        event {"type":"thread_name_updated","thread_name":"A name"}
        event {"type":"error","message":"no\nconnection"}
        event {"type":"never_seen"}
        never seen
        "#,
        expect![[r#"
            Context session=s
            Typed prompt "one"
            Text "working"
            Queued prompt "and this"
            System "injected: a wrapper nobody knows"
            Text "done"
            Interrupted
            SlashCommand "/review current changes"
            Text "fine"
            Typed prompt "three"
            Title Custom "A name"
            System "error: no"
            Unknown "never_seen"
        "#]],
    );
}

#[test]
fn going_back() {
    check(
        r#"
        meta {"id":"s"}
        event {"type":"user_message","message":"one"}
        item {"type":"message","role":"assistant","content":[{"type":"output_text","text":"1"}]}
        event {"type":"user_message","message":"two"}
        item {"type":"message","role":"assistant","content":[{"type":"output_text","text":"2"}]}
        event {"type":"thread_rolled_back","num_turns":1}
        event {"type":"user_message","message":"two, again"}
        event {"type":"thread_rolled_back","num_turns":9}
        event {"type":"user_message","message":"from the beginning"}
        "#,
        expect![[r#"
            Context session=s
            Typed prompt "one"
            Text "1"
            Typed prompt "two"
            Text "2"
            Typed prompt "two, again" < 2
            Typed prompt "from the beginning" < 1
        "#]],
    );
}

const PATCH: &str = r#"
    meta {"id":"s","cwd":"/w"}
    item {"type":"custom_tool_call","call_id":"call_1","name":"apply_patch","input":"*** Begin Patch\n*** Update File: a.rs\n@@\n one\n-two\n+TWO\n*** Add File: /w/b.rs\n+b\n*** Delete File: c.rs\n*** End Patch\n"}
    event {"type":"patch_apply_end","call_id":"call_1","success":true,"status":"completed","stdout":"Success.","changes":{"/w/a.rs":{"type":"update","unified_diff":"@@ -4,2 +4,2 @@\n one\n-two\n+TWO\n","move_path":"/w/d.rs"},"/w/b.rs":{"type":"add","content":"b\n"},"/w/c.rs":{"type":"delete","content":"c\nc\n"}}}
    item {"type":"custom_tool_call_output","call_id":"call_1","output":"{\"output\":\"Success. Updated the following files:\\nM a.rs\\n\",\"metadata\":{\"exit_code\":0}}"}
    item {"type":"custom_tool_call","call_id":"call_2","name":"apply_patch","input":"*** Begin Patch\n*** Delete File: a.rs\n*** End Patch"}
    event {"type":"patch_apply_end","call_id":"call_2","success":false,"status":"declined","stderr":"no","changes":{"/w/a.rs":{"type":"delete","content":""}}}
    item {"type":"custom_tool_call","call_id":"call_3","name":"apply_patch","input":"*** Begin Patch\n*** Update File: a.rs\n@@\n-x\n+y\n*** End Patch"}
    item {"type":"custom_tool_call_output","call_id":"call_3","output":"apply_patch verification failed: Failed to find expected lines"}
"#;

#[test]
fn patches() {
    check(
        PATCH,
        expect![[r#"
            Context session=s cwd=/w
            Call call_1 apply_patch edit "/w/a.rs, /w/b.rs, /w/c.rs" files=["/w/a.rs", "/w/b.rs", "/w/c.rs"]
            Result call_1 "Success." [/w/a.rs:5 +1 -1 → /w/d.rs] [/w/b.rs:1 +1 -0 created] [/w/c.rs:0 +0 -2 deleted]
            Call call_2 apply_patch edit "/w/a.rs" files=["/w/a.rs"]
            Result call_2 error refused "no"
            Call call_3 apply_patch edit "/w/a.rs" files=["/w/a.rs"]
            Result call_3 error "apply_patch verification failed: Failed to find expected lines"
        "#]],
    );
    check_bodies(
        PATCH,
        expect![[r#"
            input "*** Begin Patch\n*** Update File: a.rs\n@@\n one\n-two\n+TWO\n*** Add File: /w/b.rs\n+b\n*** Delete File: c.rs\n*** End Patch\n"
            change a.rs
              "one\ntwo\n" → "one\nTWO\n"
            change /w/b.rs created
              after "b\n"
            change c.rs deleted
            text "Success."
            change /w/a.rs → /w/d.rs
              hunk 4,4 [" one", "-two", "+TWO"]
            change /w/b.rs created
              after "b\n"
            change /w/c.rs deleted
              before "c\nc\n"
            input "*** Begin Patch\n*** Delete File: a.rs\n*** End Patch"
            change a.rs deleted
            text "no"
            input "*** Begin Patch\n*** Update File: a.rs\n@@\n-x\n+y\n*** End Patch"
            change a.rs
              "x\n" → "y\n"
            text "apply_patch verification failed: Failed to find expected lines"
        "#]],
    );
}

#[test]
fn patches_without_events() {
    check(
        r#"
        meta {"id":"s","cwd":"/w"}
        item {"type":"function_call","call_id":"call_1","name":"shell","arguments":"{\"command\":[\"apply_patch\",\"*** Begin Patch\\n*** Add File: a.rs\\n+a\\n*** End Patch\"],\"workdir\":\"sub\"}"}
        item {"type":"function_call_output","call_id":"call_1","output":"{\"output\":\"Success. Updated the following files:\\nA a.rs\\n\",\"metadata\":{\"exit_code\":0}}"}
        item {"type":"function_call","call_id":"call_2","name":"shell","arguments":"{\"command\":[\"bash\",\"-lc\",\"cd src && apply_patch <<'EOF'\\n*** Begin Patch\\n*** Update File: b.rs\\n@@\\n-b\\n+c\\n*** End Patch\\nEOF\\n\"]}"}
        item {"type":"function_call_output","call_id":"call_2","output":"Exit code: 0\nWall time: 0 seconds\nOutput:\nSuccess. Updated the following files:\nM b.rs\n"}
        item {"type":"function_call","call_id":"call_3","name":"apply_patch","arguments":"{\"patch\":\"*** Begin Patch\\n*** Delete File: d.rs\\n*** End Patch\"}"}
        item {"type":"function_call_output","call_id":"call_3","output":{"content":"patch rejected by user","success":false}}
        item {"type":"local_shell_call","call_id":"call_4","status":"completed","action":{"type":"exec","command":["git","commit","-m","a b"],"working_directory":"/w"}}
        item {"type":"function_call_output","call_id":"call_4","output":"Exit code: 0\nWall time: 0 seconds\nOutput:\n[main abc1234] a b\n"}
        "#,
        expect![[r#"
            Context session=s cwd=/w
            Call call_1 shell edit "/w/sub/a.rs" detail="sub" files=["/w/sub/a.rs"]
            Result call_1 "Success. Updated the following files:\nA a.rs\n" exit=0 [/w/sub/a.rs:1 +1 -0 created]
            Call call_2 shell edit "/w/src/b.rs" files=["/w/src/b.rs"]
            Result call_2 "Success. Updated the following files:\nM b.rs\n" exit=0 [/w/src/b.rs:0 +1 -1]
            Call call_3 apply_patch edit "/w/d.rs" files=["/w/d.rs"]
            Result call_3 error refused "patch rejected by user"
            Call call_4 shell command "git commit -m 'a b'"
            Result call_4 "[main abc1234] a b\n" exit=0 commit=abc1234
        "#]],
    );
}

const SCRIPT: &str = r#"
    meta {"id":"s","cwd":"/w"}
    item {"type":"custom_tool_call","call_id":"call_1","name":"exec","input":"const r = await tools.exec_command({\"cmd\":\"ls\"}); const q = await tools.exec_command({ cmd: 'cat \\'x\\'' }); text(r.output);"}
    item {"type":"custom_tool_call_output","call_id":"call_1","output":[{"type":"input_text","text":"Script completed\nWall time 0.3 seconds\nOutput:\n"},{"type":"input_text","text":"a.rs"}]}
    item {"type":"custom_tool_call","call_id":"call_2","name":"exec","input":"await tools.apply_patch(\"*** Begin Patch\\n*** Update File: a.rs\\n@@\\n-x\\n+y\\n*** End Patch\");"}
    event {"type":"patch_apply_end","call_id":"exec-1","success":true,"changes":{"/w/a.rs":{"type":"update","unified_diff":"@@ -1 +1 @@\n-x\n+y\n"}}}
    event {"type":"patch_apply_end","call_id":"exec-2","success":false,"changes":{"/w/c.rs":{"type":"add","content":"c\n"}}}
    event {"type":"patch_apply_end","call_id":"exec-3","success":true,"changes":{"/w/b.rs":{"type":"add","content":"b\n"}}}
    item {"type":"custom_tool_call_output","call_id":"call_2","output":[{"type":"input_text","text":"Script completed\nWall time 0.3 seconds\nOutput:\nok"}]}
    event {"type":"patch_apply_end","call_id":"exec-4","success":true,"changes":{"/w/z.rs":{"type":"delete","content":"z\n"}}}
    item {"type":"custom_tool_call","call_id":"call_3","name":"exec","input":"tools.apply_patch(p)"}
    event {"type":"patch_apply_end","call_id":"exec-5","success":true,"changes":{"/w/y.rs":{"type":"add","content":"y\n"}}}
    event {"type":"task_complete"}
"#;

#[test]
fn scripts() {
    check(
        SCRIPT,
        expect![[r#"
            Context session=s cwd=/w
            Call call_1 exec command "ls\ncat 'x'"
            Result call_1 "a.rs"
            Call call_2 exec edit "/w/a.rs" files=["/w/a.rs"]
            Result call_2 "ok" [/w/a.rs:1 +1 -1] [/w/b.rs:1 +1 -0 created]
            Call exec-4 apply_patch edit "/w/z.rs" files=["/w/z.rs"]
            Result exec-4 "" [/w/z.rs:0 +0 -1 deleted]
            Call call_3 exec edit "tools.apply_patch(p)"
            Result call_3 interrupted "" [/w/y.rs:1 +1 -0 created]
        "#]],
    );
    check_bodies(
        SCRIPT,
        expect![[r#"
            input "ls\ncat 'x'"
            text "a.rs"
            input "await tools.apply_patch(\"*** Begin Patch\\n*** Update File: a.rs\\n@@\\n-x\\n+y\\n*** End Patch\");"
            text "ok"
            change /w/a.rs
              hunk 1,1 ["-x", "+y"]
            change /w/b.rs created
              after "b\n"
            change /w/z.rs deleted
              before "z\n"
            change /w/z.rs deleted
              before "z\n"
            input "tools.apply_patch(p)"
            change /w/y.rs created
              after "y\n"
        "#]],
    );
}

#[test]
fn other_tools() {
    check(
        r#"
        meta {"id":"s","cwd":"/w"}
        event {"type":"web_search_end","call_id":"ws_1","query":"rust","action":{"type":"search","query":"rust"}}
        item {"type":"web_search_call","status":"completed","action":{"type":"search","query":"rust"}}
        item {"type":"function_call","name":"update_plan","arguments":"{\"explanation\":\"so\",\"plan\":[]}","call_id":"call_1"}
        item {"type":"function_call_output","call_id":"call_1","output":"Plan updated"}
        item {"type":"function_call","name":"view_image","arguments":"{\"path\":\"a.png\"}","call_id":"call_2"}
        item {"type":"function_call","name":"write_stdin","arguments":"{\"session_id\":7,\"chars\":\"y\\n\"}","call_id":"call_3"}
        item {"type":"function_call_output","call_id":"call_3","output":"aborted by user after 1.0s"}
        item {"type":"function_call","name":"spawn_agent","arguments":"{\"message\":\"count the words\",\"agent_type\":\"worker\"}","call_id":"call_4"}
        item {"type":"function_call_output","call_id":"call_4","output":"{\"agent_id\":\"019e\",\"nickname\":\"x\"}"}
        event {"type":"collab_agent_spawn_end","call_id":"call_4","new_thread_id":"019e"}
        event {"type":"exec_command_end","call_id":"call_5","exit_code":3}
        item {"type":"function_call","name":"shell_command","arguments":"{\"command\":\"false\"}","call_id":"call_5"}
        item {"type":"function_call_output","call_id":"call_5","output":"nothing"}
        item {"type":"function_call","name":"exec_command","arguments":"{\"cmd\":\"rm x\"}","call_id":"call_6"}
        item {"type":"function_call_output","call_id":"call_6","output":"exec_command failed for `rm x`: CreateProcess { message: \"Rejected(\\\"rejected by user\\\")\" }"}
        compacted {"message":"so far","replacement_history":[]}
        "#,
        expect![[r#"
            Context session=s cwd=/w
            Call ws_1 web_search search "rust"
            Result ws_1 ""
            Call call_1 update_plan other "so"
            Result call_1 "Plan updated"
            Call call_2 view_image read "a.png" files=["/w/a.png"]
            Call call_3 write_stdin command "y\n" detail="session 7"
            Result call_3 error interrupted "aborted by user after 1.0s"
            Call call_4 spawn_agent agent "count the words" detail="worker" task="count the words"
            Result call_4 "{\"agent_id\":\"019e\",\"nickname\":\"x\"}" side=019e
            SideStarted 019e by call_4
            Call call_5 shell_command command "false"
            Result call_5 error "nothing" exit=3
            Call call_6 exec_command command "rm x"
            Result call_6 error refused "exec_command failed for `rm x`: CreateProcess { message: \"Rejected(\\\"rejected by user\\\")\" }"
            Compacted automatic=None before=None summary=Some(6)
        "#]],
    );
}

#[test]
fn tokens() {
    let count = |total: [u64; 3], last: [u64; 3]| {
        let counts = |[input, cached, output]: [u64; 3]| {
            format!(r#"{{"input_tokens":{input},"cached_input_tokens":{cached},"output_tokens":{output}}}"#)
        };
        let (total, last) = (counts(total), counts(last));
        format!(
            "event {{\"type\":\"token_count\",\"info\":{{\"total_token_usage\":{total},\"last_token_usage\":{last}}}}}\n"
        )
    };
    let fixture = [
        "meta {\"id\":\"s\"}\nturn {\"turn_id\":\"t\",\"model\":\"gpt-5\"}\n".to_owned(),
        count([100, 60, 10], [100, 60, 10]),
        count([100, 60, 10], [100, 60, 10]),
        "event {\"type\":\"token_count\",\"info\":null}\n".to_owned(),
        count([150, 90, 15], [50, 30, 5]),
        count([30, 0, 2], [30, 0, 2]),
    ];
    let (entries, _) = log(&fixture.concat()).scan(&Cursor::default());
    let spent: Vec<_> = entries
        .iter()
        .filter_map(|entry| match &entry.what {
            What::Usage(usage) => Some((usage.tokens.input, usage.tokens.cache_read, usage.tokens.output)),
            _ => None,
        })
        .collect();
    assert_eq!(spent, [(40, 60, 10), (20, 30, 5), (30, 0, 2)]);
}

const OWN: &str = "019e03b2-11a2-7320-9098-5d831813e66c";
const PARENT: &str = "019e03b1-6422-7510-b349-b4d4765a28a8";

/// A sub-agent's log begins with its parent's records.
fn spawned(turn: &str, at: &str) -> String {
    format!(
        r#"
        meta {{"id":"{OWN}","forked_from_id":"{PARENT}","cwd":"/w","source":{{"subagent":{{"thread_spawn":{{"parent_thread_id":"{PARENT}","depth":1}}}}}}}}
        meta @{{"id":"{PARENT}","cwd":"/other"}}
        event @{{"type":"task_started","turn_id":"019e03b1-6438-7b43-804d-fbbbe91c3971"}}
        event @{{"type":"user_message","message":"the parent's"}}
        event @{{"type":"agent_message","message":"the parent's answer"}}
        event {at}{{"type":"task_started","turn_id":"{turn}"}}
        event {at}{{"type":"user_message","message":"count"}}
        item {{"type":"message","role":"assistant","content":[{{"type":"output_text","text":"11"}}]}}
        "#
    )
}

#[test]
fn sub_agents() {
    let expected = expect![[r#"
        Context session=019e03b2-11a2-7320-9098-5d831813e66c parent_session=019e03b1-6422-7510-b349-b4d4765a28a8 forked_from=019e03b1-6422-7510-b349-b4d4765a28a8 cwd=/w (019e03b2-11a2-7320-9098-5d831813e66c)
        Task prompt "count"
        Text "11"
    "#]];
    // Known by the time in the turn's id, else by the time of the record.
    for (turn, at) in [("019e03b2-11b2-71c2-a3c4-011af11cc435", "@"), ("turn-2", "")] {
        let (entries, _) = log(&spawned(turn, at)).scan(&Cursor::default());
        expected.assert_eq(&show(&entries));
    }
}

#[test]
fn copies_have_the_same_ids() {
    let turn = r#"
        event {"type":"task_started","turn_id":"t1"}
        event {"type":"user_message","message":"one"}
        item {"type":"message","role":"assistant","content":[{"type":"output_text","text":"1"}]}
        item {"type":"message","role":"assistant","content":[{"type":"output_text","text":"1"}]}
        item {"type":"function_call","name":"exec_command","arguments":"{\"cmd\":\"ls\"}","call_id":"call_1"}
        item {"type":"function_call_output","call_id":"call_1","output":"a"}
    "#;
    let ids = |fixture: String| -> Vec<_> {
        let (entries, _) = log(&fixture).scan(&Cursor::default());
        entries.iter().filter(|entry| !matches!(entry.what, What::Context(_))).map(|entry| entry.id).collect()
    };
    let own = ids(format!("meta {{\"id\":\"a\"}}\n{turn}"));
    let copied = ids(format!("meta {{\"id\":\"b\"}}\nmeta {{\"id\":\"a\"}}\n{turn}"));
    assert_eq!(own, copied);
    let mut distinct = own.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), 5);
    assert!(own.iter().all(Option::is_some));
    let elsewhere = ids(format!("meta {{\"id\":\"c\"}}\n{}", turn.replace("t1", "t2")));
    assert_ne!(own[..3], elsewhere[..3]);
}

#[test]
fn the_oldest_logs() {
    check(
        r#"
        {"id":"s","timestamp":"2025-05-01T00:00:00Z","instructions":null}
        {"type":"message","role":"user","content":[{"type":"input_text","text":"fix it"}]}
        {"record_type":"state"}
        {"type":"function_call","name":"shell","arguments":"{\"command\":[\"bash\",\"-lc\",\"ls\"]}","call_id":"call_1"}
        {"type":"function_call_output","call_id":"call_1","output":"{\"output\":\"a\\n\",\"metadata\":{\"exit_code\":0}}"}
        "#,
        expect![[r#"
            Context session=s
            Typed prompt "fix it"
            Call call_1 shell command "ls"
            Result call_1 "a\n" exit=0
        "#]],
    );
}

#[test]
fn old_changes_and_items_that_tell_them_again() {
    check(
        r#"
        meta {"id":"s"}
        item {"type":"custom_tool_call","call_id":"call_1","name":"apply_patch","input":""}
        event {"type":"item_completed","item":{"type":"FileChange","id":"call_1","status":"completed","changes":{"/w/a":{"update":{"unified_diff":"@@ -1 +1 @@\n-a\n+b\n","move_path":null}}}}}
        event {"type":"patch_apply_end","call_id":"call_1","success":true,"changes":{"/w/a":{"add":{"content":"b\n"}}}}
        "#,
        expect![[r#"
            Context session=s
            Call call_1 apply_patch edit ""
            Result call_1 "" [/w/a:1 +1 -1]
        "#]],
    );
}

#[test]
fn a_place_is_proven() {
    let log = log(SCRIPT);
    let (entries, _) = log.scan(&Cursor::default());
    let text = fs::read_to_string(&log.path).expect("reading the log");
    fs::write(&log.path, text.replace("ok", "no").replace("ls", "la")).expect("changing the log");
    let gone = entries.iter().filter(|entry| READER.body(&log.path, entry.place).expect("reading").is_none()).count();
    // The calls, all of `tools`, and the result that says "ok".
    assert_eq!(gone, 4);
}

#[test]
fn where_logs_lie() {
    let home = tempfile::tempdir().expect("a home");
    let put = |path: &str| {
        let path = home.path().join(".codex").join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("making a folder");
        fs::write(path, "").expect("writing a log");
    };
    put("sessions/2026/01/02/rollout-2026-01-02T03-04-05-a.jsonl");
    put("sessions/2026/01/02/notes.jsonl");
    put("archived_sessions/rollout-2026-01-02T03-04-05-a.jsonl");
    put("archived_sessions/rollout-2026-01-01T03-04-05-b.jsonl");
    put("history.jsonl");
    let env = Env { home: Some(home.path().to_owned()), ..Env::default() };
    let [root] = READER.roots(&env).try_into().expect("one root");
    let mut found = Vec::new();
    READER.discover(&root, &mut |log| found.push(log.path));
    let below: Vec<&Path> = found.iter().filter_map(|path| path.strip_prefix(&root).ok()).collect();
    assert_eq!(
        below,
        [
            Path::new("sessions/2026/01/02/rollout-2026-01-02T03-04-05-a.jsonl"),
            Path::new("archived_sessions/rollout-2026-01-01T03-04-05-b.jsonl")
        ]
    );
    assert!(found.iter().all(|path| READER.is_log(&root, path)));
    assert!(!READER.is_log(&root, &root.join("archived_sessions/rollout-2026-01-02T03-04-05-a.jsonl")));
    assert!(!READER.is_log(&root, &root.join("history.jsonl")));
    let elsewhere = Env { vars: [("CODEX_HOME".to_owned(), "/x".to_owned())].into(), ..env };
    assert_eq!(READER.roots(&elsewhere), [PathBuf::from("/x")]);
}
