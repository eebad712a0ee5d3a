//! Whatever lies in a log, and in whatever pieces it grows: no panic, and the same entries.

use std::fs;
use std::path::PathBuf;

use agents::{Cursor, Memory, Reader, Scan};
use proptest::prelude::*;
use tempfile::TempDir;
use trace::{Agent, Entry};

/// Records of all shapes. Repeating them in any order gives a log that is odd, but a log.
const RECORDS: &[&str] = &[
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
const BETWEEN: &[&str] =
    &["\n", "\n", "\n", "\n", "", " ", "\r\n", "\n\n", "\ngarbage\n", "}{", "\0\0", "\n{\"type\":\"user\",\"cut"];

struct Log {
    _folder: TempDir,
    path: PathBuf,
}

impl Log {
    fn new() -> Log {
        let folder = tempfile::tempdir().expect("a folder for the log");
        let path = folder.path().join("session.jsonl");
        Log { _folder: folder, path }
    }

    fn reader(&self) -> &'static dyn Reader {
        agents::reader(Agent::ClaudeCode)
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

fn log_bytes() -> impl Strategy<Value = Vec<u8>> {
    let record = (proptest::sample::select(RECORDS), proptest::sample::select(BETWEEN));
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_can_be_scanned(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let log = Log::new();
        fs::write(&log.path, &bytes).expect("writing the log");
        let (entries, scan) = log.scan(&Cursor::default());
        prop_assert!(scan.cursor.offset <= bytes.len() as u64);
        prop_assert!(entries.len() <= bytes.len());
    }

    #[test]
    fn pieces_give_what_the_whole_gives(
        bytes in log_bytes(),
        mutations in proptest::collection::vec((any::<u8>(), any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let bytes = mutated(bytes, &mutations);
        let log = Log::new();
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
    #[test]
    fn line_by_line_gives_what_the_whole_gives(bytes in log_bytes()) {
        let log = Log::new();
        let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        let cuts: Vec<usize> = ends.chain([bytes.len()]).collect();
        let (entries, broken, cursor) = log.grow(&bytes, &cuts, false);
        let (whole, scan) = log.scan(&Cursor::default());
        prop_assert_eq!(entries, whole);
        prop_assert_eq!((broken, cursor), (scan.broken, scan.cursor));
    }
}
