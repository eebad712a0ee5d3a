//! Fuzz targets from outside: the reader of each agent, and whole conversations with the real server. Frames, URIs,
//! edits and messages have theirs in `server/src/fuzz.rs`. See `tests::fuzz` for how long they run.

use std::fs;
use std::sync::Mutex;

use agents::Cursor;
use proptest::prelude::*;
use serde_json::{Value, json};
use tests::fuzz::{fuzz, mutated};
use tests::home::{Home, SESSION};
use tests::lsp::Client;
use trace::Agent;

const CLAUDE: &[&str] = &[
    concat!(
        r#"{"type":"user","uuid":"u1","parentUuid":null,"sessionId":"s","cwd":"/w","timestamp":"2026-01-02T03:04:05.678Z","message":{"content":"fix it"}}"#,
        "\n"
    ),
    concat!(
        r#"{"type":"assistant","uuid":"a1","parentUuid":"u1","sessionId":"s","message":{"id":"m","model":"x","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"so"},{"type":"tool_use","id":"t1","name":"Edit","input":{"file_path":"a.rs","old_string":"a","new_string":"b"}}],"usage":{"output_tokens":3}}}"#,
        "\n"
    ),
    concat!(
        r#"{"type":"user","uuid":"r3","parentUuid":"a1","sessionId":"s","toolUseResult":{"filePath":"/w/a.rs","oldString":"a","newString":"b","originalFile":"a\n","structuredPatch":[{"oldStart":1,"newStart":1,"oldLines":1,"newLines":1,"lines":["-a","+b"]}]},"message":{"content":[{"type":"tool_result","tool_use_id":"t1","content":"ok"}]}}"#,
        "\n"
    ),
    concat!(
        r#"{"type":"assistant","uuid":"a2","parentUuid":"a1","sessionId":"s","message":{"content":[{"type":"tool_use","id":"t2","name":"Bash","input":{"command":"cd x && sed -i 's/a/b/' a.rs; cat > b <<'E'\nx\nE\n"}}]}}"#,
        "\n"
    ),
    concat!(
        r#"{"type":"system","uuid":"c1","subtype":"compact_boundary","logicalParentUuid":"r3","sessionId":"s","compactMetadata":{"trigger":"auto","preTokens":9}}"#,
        "\n"
    ),
    concat!(
        r#"{"type":"file-history-snapshot","messageId":"u1","snapshot":{"trackedFileBackups":{"a.rs":{"backupFileName":"../../x@v1"}}}}"#,
        "\n"
    ),
];
const CODEX: &[&str] = &[
    concat!(
        r#"{"timestamp":"2026-01-02T03:04:05.678Z","type":"session_meta","payload":{"id":"019e03b2-11a2-7320-9098-5d831813e66c","cwd":"/w"}}"#,
        "\n"
    ),
    concat!(
        r#"{"timestamp":"2026-01-02T03:04:06.678Z","type":"event_msg","payload":{"type":"task_started","turn_id":"019e03b2-11b2-71c2-a3c4-011af11cc435"}}"#,
        "\n"
    ),
    concat!(
        r#"{"timestamp":"2026-01-02T03:04:07.678Z","type":"response_item","payload":{"type":"message","role":"user","content":[{"type":"input_text","text":"größer \"\n 😀"}]}}"#,
        "\n"
    ),
    concat!(
        r#"{"timestamp":"2026-01-02T03:04:09.678Z","type":"response_item","payload":{"type":"custom_tool_call","call_id":"call_1","name":"apply_patch","input":"*** Begin Patch\n*** Update File: a.rs\n@@\n-a\n+b\n*** End Patch"}}"#,
        "\n"
    ),
    concat!(
        r#"{"timestamp":"2026-01-02T03:04:09.678Z","type":"event_msg","payload":{"type":"patch_apply_end","call_id":"call_1","success":true,"changes":{"/w/a.rs":{"type":"update","unified_diff":"@@ -1 +1 @@\n-a\n+b\n"}}}}"#,
        "\n"
    ),
    concat!(
        r#"{"timestamp":"2026-01-02T03:04:11.678Z","type":"event_msg","payload":{"type":"token_count","info":{"total_token_usage":{"input_tokens":9,"output_tokens":3}}}}"#,
        "\n"
    ),
    concat!(
        r#"{"timestamp":"2026-01-02T03:04:12.678Z","type":"event_msg","payload":{"type":"thread_rolled_back","num_turns":1}}"#,
        "\n"
    ),
];
const GEMINI: &[&str] = &[
    r#"{"sessionId":"s","projectHash":"h","startTime":"2026-01-02T03:04:05.678Z","messages":["#,
    r#"{"id":"m1","timestamp":"2026-01-02T03:04:05.678Z","type":"user","content":"do it"},"#,
    r#"{"id":"m2","type":"gemini","content":"so","thoughts":[{"subject":"hm"}],"toolCalls":[{"id":"t1","name":"replace","args":{"file_path":"a.rs"},"status":"success","resultDisplay":{"fileDiff":"@@ -1 +1 @@\n-a\n+b\n","filePath":"/w/a.rs","originalContent":"a\n","newContent":"b\n"}}]},"#,
    r#"{"id":"m3","type":"user","content":[{"text":"more"}]}]}"#,
    concat!(r#"{"$rewindTo":"m1"}"#, "\n"),
];

/// Reads a log with these bytes, and all that its entries point at; then it grows by its own second half.
fn fuzz_reader(agent: Agent, name: &str, bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    let reader = agents::reader(agent);
    fs::write(&path, bytes).expect("written");
    let mut places = Vec::new();
    let scan = reader.scan(&path, &Cursor::default(), &mut |entry| places.push(entry.place));
    let scan = scan.expect("a file can be read");
    assert!(scan.cursor.offset <= bytes.len() as u64);
    for place in places {
        let body = reader.body(&path, place).expect("a file can be read");
        // Gemini CLI's logs are read as a whole: where one is damaged, its places may be off.
        let is_damaged =
            || bytes.split(|byte| *byte == b'\n').any(|line| serde_json::from_slice::<Value>(line).is_err());
        assert!(body.is_some() || agent == Agent::Gemini && is_damaged(), "nothing at {place:?}");
    }
    let again = reader.scan(&path, &scan.cursor, &mut |_| {}).expect("a file can be read");
    assert!(!again.restarted, "an unchanged log is read anew");
    let grown = [bytes, &bytes[bytes.len() / 2..]].concat();
    fs::write(&path, &grown).expect("written");
    let mut along = 0;
    let scan = reader.scan(&path, &scan.cursor, &mut |_| along += 1).expect("a file can be read");
    assert!(scan.cursor.offset <= grown.len() as u64);
}

#[test]
fn claude_code() {
    fuzz(300, &mutated(CLAUDE), |bytes| {
        fuzz_reader(Agent::ClaudeCode, "11112222-3333-4444-5555-666677778888.jsonl", &bytes)
    });
}

#[test]
fn codex() {
    fuzz(300, &mutated(CODEX), |bytes| {
        fuzz_reader(Agent::Codex, "rollout-2026-01-02T03-04-05-019e03b2-11a2-7320-9098-5d831813e66c.jsonl", &bytes)
    });
}

#[test]
fn gemini() {
    fuzz(200, &mutated(GEMINI), |bytes| fuzz_reader(Agent::Gemini, "session-2026-01-02T03-04-abcdef01.json", &bytes));
    fuzz(200, &mutated(GEMINI), |bytes| fuzz_reader(Agent::Gemini, "session-2026-01-02T03-04-abcdef01.jsonl", &bytes));
}

/// One thing that a client does in a conversation, well or not.
#[derive(Clone, Debug)]
enum Act {
    Request(&'static str, usize, u32, u32),
    Open(usize, String),
    Change(usize, Vec<(u32, u32, u32, u32, String)>),
    Close(usize),
    Cancel(u32),
    Execute(&'static str, String),
    Append(Vec<u8>),
    Rubbish(Vec<u8>),
    Settings(String),
    Reply(u32),
}

const METHODS: &[&str] = &[
    "textDocument/hover",
    "textDocument/codeLens",
    "textDocument/definition",
    "textDocument/references",
    "textDocument/codeAction",
    "textDocument/documentSymbol",
    "textDocument/foldingRange",
    "textDocument/documentLink",
    "textDocument/inlayHint",
    "textDocument/semanticTokens/full",
    "textDocument/semanticTokens/range",
    "workspace/symbol",
    "workspace/textDocumentContent",
    "turnlens/line",
    "turnlens/lines",
    "turnlens/next",
    "turnlens/turnChanges",
    "turnlens/stepDiff",
    "turnlens/peek",
    "turnlens/history",
    "turnlens/fileHistory",
    "turnlens/explain",
    "turnlens/sessions",
    "turnlens/undo",
    "turnlens/deletedFiles",
    "turnlens/status",
    "turnlens/search",
    "turnlens/copy",
    "turnlens/doctor",
    "codeLens/resolve",
    "documentLink/resolve",
    "initialize",
    "no/such/method",
    "$/no/such/method",
];

fn act() -> impl Strategy<Value = Act> {
    let small = || 0..12_u32;
    let text = || "[a-z\n\r😀é{}]{0,30}";
    let edit = (small(), small(), small(), small(), text());
    prop_oneof![
        8 => (prop::sample::select(METHODS), 0..6_usize, small(), small()).prop_map(|(m, d, l, c)| Act::Request(m, d, l, c)),
        2 => (0..6_usize, text()).prop_map(|(document, text)| Act::Open(document, text)),
        3 => (0..6_usize, prop::collection::vec(edit, 0..4)).prop_map(|(document, edits)| Act::Change(document, edits)),
        1 => (0..6_usize).prop_map(Act::Close),
        1 => small().prop_map(Act::Cancel),
        1 => (prop::sample::select(&["turnlens.server.show", "turnlens.server.undo", "turnlens.server.menu", "x"][..]), "[a-z0-9:.@]{0,12}")
            .prop_map(|(command, argument)| Act::Execute(command, argument)),
        1 => mutated(CLAUDE).prop_map(Act::Append),
        1 => mutated(&["Content-Length: 20\r\n\r\n{}", "{\"jsonrpc\":\"2.0\",\"method\":\"x\"}", "Content-Length: x\r\n\r\n"]).prop_map(Act::Rubbish),
        1 => "[a-z]{0,8}".prop_map(Act::Settings),
        1 => small().prop_map(Act::Reply),
    ]
}

/// Every request of a conversation has one answer (the client's own accounts hold that), whatever else is said.
fn fuzz_conversation(home: &Home, acts: &[Act]) {
    fs::write(home.log(SESSION), CLAUDE.concat()).expect("written");
    let code = home.work.join("a.rs").to_string_lossy().into_owned();
    let documents = [
        format!("file://{code}"),
        "untitled:x".into(),
        format!("turnlens://claude-code/{SESSION}/1/x.trace.md"),
        "turnlens://claude-code/s/x.trace.md".into(),
        "file:///w/a.rs".into(),
        "nonsense".into(),
    ];
    let mut client = home.start(json!({ "workspace": { "textDocumentContent": {}, "applyEdit": true },
        "window": { "showDocument": { "support": true } }, "textDocument": { "hover": { "contentFormat": ["markdown"] } } }));
    client.ignore_unclaimed();
    let mut ids = Vec::new();
    for act in acts {
        play(home, &mut client, &documents, act, &mut ids);
    }
    client.send_bytes(b"\r\n\r\n");
    for id in ids {
        // An answer or a refusal.
        _ = client.answer(id);
    }
    client.call("turnlens/test/counts", Value::Null);
}

fn play(home: &Home, client: &mut Client, documents: &[String], act: &Act, ids: &mut Vec<i64>) {
    let identifier = |document: &usize| json!({ "uri": documents[*document], "version": 3 });
    match act {
        Act::Request(method, document, line, character) => {
            let at = json!({ "line": line, "character": character });
            let end = json!({ "line": line + 3, "character": character });
            ids.push(client.request(method, json!({
                "textDocument": identifier(document), "uri": documents[*document], "position": at, "range": { "start": at, "end": end },
                "context": { "diagnostics": [], "includeDeclaration": true }, "query": "?fix", "address": format!("s:{line}.{character}"),
                "form": "markdown", "lines": [line, character], "direction": "next",
            })));
        }
        Act::Open(document, text) => {
            let item = json!({ "uri": documents[*document], "languageId": "rust", "version": 1, "text": text });
            client.notify("textDocument/didOpen", json!({ "textDocument": item }));
        }
        Act::Change(document, edits) => {
            let edits: Vec<Value> = edits.iter().map(|(line, character, to_line, to_character, text)| json!({
                "range": { "start": { "line": line, "character": character }, "end": { "line": to_line, "character": to_character } }, "text": text,
            })).collect();
            client.notify(
                "textDocument/didChange",
                json!({ "textDocument": identifier(document), "contentChanges": edits }),
            );
        }
        Act::Close(document) => client.notify("textDocument/didClose", json!({ "textDocument": identifier(document) })),
        Act::Cancel(back) => {
            let id = ids.iter().rev().nth(*back as usize).copied().unwrap_or(4711);
            client.notify("$/cancelRequest", json!({ "id": id }));
        }
        Act::Execute(command, argument) => {
            let arguments = json!([{ "address": argument, "uri": documents[0] }]);
            ids.push(client.request("workspace/executeCommand", json!({ "command": command, "arguments": arguments })));
        }
        Act::Append(bytes) => home.append(SESSION, bytes),
        Act::Rubbish(bytes) => {
            client.send_bytes(bytes);
            // Without an end of line a good header could stand behind it and count as its part.
            client.send_bytes(b"\r\n\r\n");
        }
        Act::Settings(word) => {
            let settings = json!({ "turnlens": { "codeLens": { "scope": word }, word: word } });
            client.notify("workspace/didChangeConfiguration", json!({ "settings": settings }));
        }
        Act::Reply(id) => client.reply(&json!({ "id": id }), json!({ "success": true, "applied": false })),
    }
}

#[test]
fn conversations() {
    let home = Home::default();
    fs::write(home.work.join("a.rs"), "a\nb\n").expect("written");
    let home = Mutex::new(home);
    fuzz(30, &prop::collection::vec(act(), 0..60), |acts| {
        let home = home.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        fuzz_conversation(&home, &acts);
    });
}
