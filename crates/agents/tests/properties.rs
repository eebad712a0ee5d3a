//! Whatever lies in a log, and in whatever pieces it grows: no panic, and the same entries.

use std::fs;
use std::path::PathBuf;

use agents::{Cursor, Memory, Reader, Scan};
use proptest::prelude::*;
use tempfile::TempDir;
use trace::{Agent, Entry};

/// Records of all shapes. Repeating them in any order gives a log that is odd, but a log.
const CLAUDE: &[&str] = &[
    r#"{"type":"user","uuid":"u1","parentUuid":null,"sessionId":"s","cwd":"/w","gitBranch":"b","version":"1","timestamp":"2026-01-02T03:04:05.678Z","message":{"content":"fix it"}}"#,
    r#"{"type":"user","uuid":"u2","parentUuid":"u1","sessionId":"s","cwd":"/w2","message":{"content":[{"type":"text","text":"<system-reminder>x</system-reminder>größer \"\n\\ 😀"},{"type":"image"}]}}"#,
    r#"{"type":"assistant","uuid":"a1","parentUuid":"u1","sessionId":"s","requestId":"r","message":{"id":"m","model":"x","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"so"},{"type":"tool_use","id":"t1","name":"Edit","input":{"file_path":"a.rs","old_string":"a","new_string":"b"}}],"usage":{"output_tokens":3}}}"#,
    r#"{"type":"assistant","uuid":"a2","parentUuid":"a1","sessionId":"s","message":{"content":[{"type":"tool_use","id":"t2","name":"Bash","input":{"command":"git commit -m x"}}]}}"#,
    r#"{"type":"user","uuid":"r1","parentUuid":"a1","sessionId":"s","message":{"content":[{"type":"tool_result","tool_use_id":"t1","content":"updated"}]}}"#,
    r#"{"type":"user","uuid":"r2","parentUuid":"a2","sessionId":"s","toolUseResult":{"stdout":"[b abc1234] x","interrupted":false},"message":{"content":[{"type":"tool_result","tool_use_id":"t2","content":"[b abc1234] x"}]}}"#,
    r#"{"type":"user","uuid":"r3","parentUuid":"a2","sessionId":"s","toolUseResult":{"filePath":"/w/a.rs","oldString":"a","newString":"b","originalFile":"a\n","structuredPatch":[{"oldStart":1,"newStart":1,"lines":["-a","+b"]}]},"message":{"content":[{"type":"tool_result","tool_use_id":"t3","content":"ok"}]}}"#,
    r#"{"type":"user","uuid":"k1","parentUuid":null,"isSidechain":true,"sessionId":"s","message":{"content":"a task"}}"#,
    r#"{"type":"assistant","uuid":"k2","parentUuid":"k1","isSidechain":true,"sessionId":"s","message":{"content":"done"}}"#,
    r#"{"type":"progress","uuid":"p1","sessionId":"s","cwd":"/w","parentToolUseID":"t9","data":{"type":"agent_progress","agentId":"ab","prompt":"do","message":{"type":"user","uuid":"i1","message":{"content":"do"}}}}"#,
    r#"{"type":"progress","uuid":"p2","sessionId":"s","parentToolUseID":"t9","data":{"type":"agent_progress","agentId":"ab","prompt":"do","message":{"type":"assistant","uuid":"i2","message":{"content":[{"type":"text","text":"x"}]}}}}"#,
    r#"{"type":"system","uuid":"c1","subtype":"compact_boundary","logicalParentUuid":"r3","sessionId":"s","compactMetadata":{"trigger":"auto","preTokens":9}}"#,
    r#"{"type":"file-history-snapshot","messageId":"u1","snapshot":{"trackedFileBackups":{"a.rs":{"backupFileName":"x@v1"},"b.rs":{"backupFileName":null}}}}"#,
    r#"{"type":"file-history-delta","messageId":"u2","trackingPath":"a.rs","backup":{"backupFileName":"x@v2"}}"#,
    r#"{"type":"attachment","uuid":"x1","sessionId":"s","attachment":{"type":"queued_command","prompt":"and that"}}"#,
    r#"{"type":"summary","summary":"All","leafUuid":"u1"}"#,
    r#"{"type":"never seen","uuid":"n1","sessionId":"s"}"#,
];
const CODEX: &[&str] = &[
    r#"{"timestamp":"2026-01-02T03:04:05.678Z","type":"session_meta","payload":{"id":"019e03b2-11a2-7320-9098-5d831813e66c","cwd":"/w","source":{"subagent":{"thread_spawn":{"parent_thread_id":"p"}}}}}"#,
    r#"{"timestamp":"2026-01-02T03:04:05.679Z","type":"session_meta","payload":{"id":"p","git":{"commit_hash":"abc","branch":"b"}}}"#,
    r#"{"timestamp":"2026-01-02T03:04:06.678Z","type":"event_msg","payload":{"type":"task_started","turn_id":"019e03b2-11b2-71c2-a3c4-011af11cc435"}}"#,
    r#"{"timestamp":"2026-01-02T03:04:06.678Z","type":"turn_context","payload":{"turn_id":"t2","cwd":"/w2","model":"m"}}"#,
    r#"{"timestamp":"2026-01-02T03:04:07.678Z","type":"response_item","payload":{"type":"message","role":"user","content":[{"type":"input_text","text":"größer \"\n 😀"}]}}"#,
    r#"{"timestamp":"2026-01-02T03:04:07.678Z","type":"event_msg","payload":{"type":"user_message","message":"größer \"\n 😀"}}"#,
    r#"{"timestamp":"2026-01-02T03:04:07.678Z","type":"event_msg","payload":{"type":"user_message","message":"more"}}"#,
    r#"{"timestamp":"2026-01-02T03:04:08.678Z","type":"event_msg","payload":{"type":"agent_message","message":"so"}}"#,
    r#"{"timestamp":"2026-01-02T03:04:08.678Z","type":"response_item","payload":{"type":"message","role":"assistant","content":[{"type":"output_text","text":"so"}]}}"#,
    r#"{"timestamp":"2026-01-02T03:04:08.678Z","type":"event_msg","payload":{"type":"agent_reasoning","text":"hm"}}"#,
    r#"{"timestamp":"2026-01-02T03:04:08.678Z","type":"response_item","payload":{"type":"reasoning","summary":[{"type":"summary_text","text":"hm"}]}}"#,
    r#"{"timestamp":"2026-01-02T03:04:09.678Z","type":"response_item","payload":{"type":"custom_tool_call","call_id":"call_1","name":"apply_patch","input":"*** Begin Patch\n*** Update File: a.rs\n@@\n-a\n+b\n*** End Patch"}}"#,
    r#"{"timestamp":"2026-01-02T03:04:09.678Z","type":"event_msg","payload":{"type":"patch_apply_end","call_id":"call_1","success":true,"changes":{"/w/a.rs":{"type":"update","unified_diff":"@@ -1 +1 @@\n-a\n+b\n"}}}}"#,
    r#"{"timestamp":"2026-01-02T03:04:09.678Z","type":"response_item","payload":{"type":"custom_tool_call_output","call_id":"call_1","output":"Success. Updated the following files:\nM a.rs"}}"#,
    r#"{"timestamp":"2026-01-02T03:04:10.678Z","type":"response_item","payload":{"type":"custom_tool_call","call_id":"call_2","name":"exec","input":"tools.apply_patch(p)"}}"#,
    r#"{"timestamp":"2026-01-02T03:04:10.678Z","type":"event_msg","payload":{"type":"patch_apply_end","call_id":"exec-1","success":true,"changes":{"/w/b.rs":{"type":"add","content":"b"}}}}"#,
    r#"{"timestamp":"2026-01-02T03:04:11.678Z","type":"response_item","payload":{"type":"custom_tool_call_output","call_id":"call_2","output":[{"type":"input_text","text":"Script completed\nOutput:\nok"}]}}"#,
    r#"{"timestamp":"2026-01-02T03:04:11.678Z","type":"event_msg","payload":{"type":"token_count","info":{"total_token_usage":{"input_tokens":9,"output_tokens":3}}}}"#,
    r#"{"timestamp":"2026-01-02T03:04:12.678Z","type":"event_msg","payload":{"type":"thread_rolled_back","num_turns":1}}"#,
    r#"{"timestamp":"2026-01-02T03:04:13.678Z","type":"event_msg","payload":{"type":"turn_aborted","reason":"interrupted"}}"#,
    r#"{"timestamp":"2026-01-02T03:04:14.678Z","type":"event_msg","payload":{"type":"web_search_end","call_id":"ws","query":"q"}}"#,
    r#"{"timestamp":"2026-01-02T03:04:14.678Z","type":"response_item","payload":{"type":"web_search_call","action":{"query":"q"}}}"#,
    r#"{"type":"message","role":"user","content":"bare"}"#,
    r#"{"timestamp":"x","type":"never seen","payload":{}}"#,
];
const GEMINI: &[&str] = &[
    r#"{"sessionId":"s","kind":"main","summary":"All"}"#,
    r#"{"id":"m1","type":"user","content":[{"text":"größer \"\n 😀"}]}"#,
    r#"{"id":"m2","timestamp":"2026-01-02T03:04:05.678Z","type":"gemini","content":"so","thoughts":[{"subject":"hm"}]}"#,
    r#"{"id":"m2","type":"gemini","content":"so","toolCalls":[{"id":"t1","name":"replace","args":{"file_path":"a.rs"},"status":"success","resultDisplay":{"fileDiff":"@@ -1 +1 @@\n-a\n+b\n","filePath":"/w/a.rs","originalContent":"a\n","newContent":"b\n"}}]}"#,
    r#"{"id":"m3","type":"user","content":"more"}"#,
    r#"{"$rewindTo":"m1"}"#,
    r#"{"$set":{"messages":[{"id":"m1","type":"user","content":"x"},{"id":"m4","type":"info","content":"y"}]}}"#,
    r#"{"$set":{"lastUpdated":"z"}}"#,
    r#"{"id":"m5","type":"never seen"}"#,
    r#"{"id":"m6","type":"info","id":"m7","type":"user","content":"twice"}"#,
    r#"{"id":"m8","type":"gemini","tokens":{"input":1e999}}"#,
    "7",
];
const BETWEEN: &[&str] =
    &["\n", "\n", "\n", "\n", "", " ", "\r\n", "\n\n", "\ngarbage\n", "}{", "\0\0", "\n{\"type\":\"user\",\"cut"];

struct Log {
    _folder: TempDir,
    agent: Agent,
    path: PathBuf,
}

impl Log {
    fn new(agent: Agent, name: &str) -> Log {
        let folder = tempfile::tempdir().expect("a folder for the log");
        let path = folder.path().join(name);
        Log { _folder: folder, agent, path }
    }

    fn reader(&self) -> &'static dyn Reader {
        agents::reader(self.agent)
    }

    fn scan(&self, from: &Cursor) -> (Vec<Entry>, Scan) {
        let mut entries = Vec::new();
        let scan = self.reader().scan(&self.path, from, &mut |entry| entries.push(entry)).expect("scanning the log");
        (entries, scan)
    }

    /// Grows the log to each of these lengths and scans it each time from the cursor before, whose memory may be lost
    /// on the way. Gives all entries, all offsets of what is no record, and the last cursor.
    fn grow(&self, bytes: &[u8], cuts: &[usize], loses_memory: bool) -> (Vec<Entry>, Vec<u64>, Cursor) {
        let (mut entries, mut broken, mut cursor) = (Vec::new(), Vec::new(), Cursor::default());
        for cut in cuts {
            fs::write(&self.path, &bytes[..*cut]).expect("growing the log");
            let (new, scan) = self.scan(&cursor);
            assert!(!scan.restarted);
            assert!(loses_memory || scan.bytes_again <= Cursor::PROOF, "{scan:?}");
            entries.extend(new);
            broken.extend(scan.broken);
            cursor = scan.cursor;
            if loses_memory {
                cursor.memory = Memory::default();
            }
        }
        (entries, broken, cursor)
    }
}

impl Log {
    /// Scans the log in parts of about this many bytes, each from the cursor before.
    fn parts(&self, limit: u64) -> (Vec<Entry>, Vec<u64>, Cursor) {
        let (mut entries, mut broken, mut cursor) = (Vec::new(), Vec::new(), Cursor::default());
        loop {
            let before = cursor.offset;
            let sink = &mut |entry| entries.push(entry);
            let scan = self.reader().scan_part(&self.path, &cursor, limit, sink).expect("scanning the log");
            broken.extend(scan.broken);
            cursor = scan.cursor;
            assert!(scan.bytes_again <= Cursor::PROOF);
            if !scan.more {
                return (entries, broken, cursor);
            }
            assert!(cursor.offset >= before + limit);
        }
    }
}

/// A log of lines that only grows.
fn log_bytes() -> impl Strategy<Value = (Agent, Vec<u8>)> {
    let of = |agent: Agent, records: &'static [&'static str]| bytes_of(records).prop_map(move |bytes| (agent, bytes));
    prop_oneof![of(Agent::ClaudeCode, CLAUDE), of(Agent::Codex, CODEX)]
}

fn bytes_of(records: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let record = (proptest::sample::select(records), proptest::sample::select(BETWEEN));
    proptest::collection::vec(record, 0..25)
        .prop_map(|records| records.iter().flat_map(|(record, between)| [*record, *between]).collect::<String>().into())
}

/// A byte somewhere is removed, replaced or put in.
fn mutated(bytes: Vec<u8>, mutations: &[(u8, prop::sample::Index, u8)]) -> Vec<u8> {
    mutations.iter().fold(bytes, |mut bytes, (kind, at, byte)| {
        let at = at.index(bytes.len() + 1);
        match kind % 3 {
            0 if at < bytes.len() => drop(bytes.remove(at)),
            1 if at < bytes.len() => bytes[at] = *byte,
            _ => bytes.insert(at, *byte),
        }
        bytes
    })
}

/// `PROPTEST_CASES` looks for longer.
fn config() -> ProptestConfig {
    let told = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig { cases: told.unwrap_or(96), failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes_can_be_scanned(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        for (agent, name) in [
            (Agent::ClaudeCode, "session.jsonl"),
            (Agent::Codex, "session.jsonl"),
            (Agent::Gemini, "session.json"),
            (Agent::Gemini, "session.jsonl"),
        ] {
            let log = Log::new(agent, name);
            fs::write(&log.path, &bytes).expect("writing the log");
            let (entries, scan) = log.scan(&Cursor::default());
            prop_assert!(scan.cursor.offset <= bytes.len() as u64);
            prop_assert!(entries.len() <= bytes.len());
        }
    }

    /// Such a log is read as a whole each time, so what came before makes no difference.
    #[test]
    fn rewritten_logs_can_be_cut_anywhere(
        messages in bytes_of(GEMINI),
        mutations in proptest::collection::vec((any::<u8>(), any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(),
        is_document in any::<bool>(),
    ) {
        let bytes = match is_document {
            true => {
                let list = String::from_utf8_lossy(&messages).lines().collect::<Vec<_>>().join(",");
                format!("{{\"sessionId\":\"s\",\n\"messages\":[{list}]}}").into_bytes()
            }
            false => messages,
        };
        let bytes = mutated(bytes, &mutations);
        let log = Log::new(Agent::Gemini, if is_document { "session.json" } else { "session.jsonl" });
        fs::write(&log.path, &bytes[..cut.index(bytes.len() + 1)]).expect("writing the log");
        let (_, before) = log.scan(&Cursor::default());
        fs::write(&log.path, &bytes).expect("growing the log");
        let (grown, scan) = log.scan(&before.cursor);
        let (whole, anew) = log.scan(&Cursor::default());
        prop_assert_eq!(&scan.cursor, &anew.cursor);
        if scan.restarted {
            prop_assert_eq!(&grown, &whole);
        } else {
            prop_assert!(grown.is_empty() && before.cursor == anew.cursor);
        }
        if std::str::from_utf8(&bytes).is_ok() {
            for entry in whole {
                let body = log.reader().body(&log.path, entry.place).expect("reading a body");
                prop_assert!(body.is_some(), "{:?}", entry);
            }
        }
    }

    #[test]
    fn pieces_give_what_the_whole_gives(
        (agent, bytes) in log_bytes(),
        mutations in proptest::collection::vec((any::<u8>(), any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let bytes = mutated(bytes, &mutations);
        let log = Log::new(agent, "session.jsonl");
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        cuts.push(bytes.len());
        let grown = log.grow(&bytes, &cuts, false);
        let by_a_new_process = log.grow(&bytes, &cuts, true);
        let (whole, scan) = log.scan(&Cursor::default());
        prop_assert_eq!(&grown.0, &whole);
        prop_assert_eq!(&by_a_new_process.0, &whole);
        prop_assert_eq!((&grown.1, &grown.2), (&scan.broken, &scan.cursor));
        for entry in whole {
            let body = log.reader().body(&log.path, entry.place).expect("reading a body");
            prop_assert!(body.is_some(), "{:?}", entry);
        }
    }

    /// A scan that stops at limits and goes on from there gives the same.
    #[test]
    fn parts_give_what_the_whole_gives((agent, bytes) in log_bytes(), limit in 0u64..3000) {
        let log = Log::new(agent, "session.jsonl");
        fs::write(&log.path, &bytes).expect("writing the log");
        let (whole, scan) = log.scan(&Cursor::default());
        prop_assert_eq!(log.parts(limit), (whole, scan.broken, scan.cursor));
    }

    #[test]
    fn line_by_line_gives_what_the_whole_gives((agent, bytes) in log_bytes()) {
        let log = Log::new(agent, "session.jsonl");
        let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        let cuts: Vec<usize> = ends.chain([bytes.len()]).collect();
        let (entries, broken, cursor) = log.grow(&bytes, &cuts, false);
        let (whole, scan) = log.scan(&Cursor::default());
        prop_assert_eq!(entries, whole);
        prop_assert_eq!((broken, cursor), (scan.broken, scan.cursor));
    }
}

/// Long logs are read on several threads: what they say is the same.
#[test]
fn threads_give_what_one_gives() {
    for (agent, records) in [(Agent::ClaudeCode, CLAUDE), (Agent::Codex, CODEX)] {
        let log = Log::new(agent, "session.jsonl");
        let mut bytes = Vec::new();
        // Steps of a prime length bring each record behind many others.
        for at in (0..).step_by(7) {
            let (record, between) = (records[(at + at / 100) % records.len()], BETWEEN[(at + at / 50) % BETWEEN.len()]);
            bytes.extend([record, between, "\n"].concat().bytes());
            if bytes.len() > 3 << 20 {
                break;
            }
        }
        fs::write(&log.path, &bytes).expect("writing the log");
        let (entries, scan) = log.scan(&Cursor::default());
        let in_parts = log.parts(1 << 20);
        assert!(in_parts.0 == entries, "{agent:?}");
        assert_eq!((in_parts.1, in_parts.2), (scan.broken, scan.cursor));
    }
}
