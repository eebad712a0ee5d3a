//! What a long life costs: after thousands of documents and sessions memory and descriptors are where they were.
//!
//! `TURNLENS_SOAK=1` runs 100,000 documents and 10,000 sessions instead of 2,000 and 200, and holds memory as well:
//! `TURNLENS_SOAK=1 cargo nextest run --release -p tests --test endurance --no-capture`.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::demo::{Demo, modern};
use tests::home::{Home, lines, wait_until};
use tests::lsp::{Client, HANG};

fn is_soak() -> bool {
    std::env::var_os("TURNLENS_SOAK").is_some_and(|value| value == "1")
}

/// What the server holds, where the system tells.
#[derive(Clone, Copy, Debug)]
struct Held {
    descriptors: Option<usize>,
    resident: Option<u64>,
}

fn held(client: &Client) -> Held {
    Held { descriptors: client.descriptors(), resident: client.memory("VmRSS") }
}

#[expect(clippy::print_stderr, reason = "whoever runs the soak wants to see the figures")]
fn tell(what: &str, held: Held) {
    eprintln!("{what}: {:?} descriptors, {:?} kB", held.descriptors, held.resident.map(|bytes| bytes >> 10));
}

/// A log that is gone is remembered: its number is its path's for as long as the server runs.
const PER_GONE_LOG: u64 = 10 << 10;

/// `after` is `before`, but for what an allocator keeps and what is remembered of logs that are gone.
fn check(before: Held, after: Held, gone_logs: u32) {
    if let (Some(before), Some(after)) = (before.descriptors, after.descriptors) {
        assert!(after <= before, "{before} descriptors became {after}");
    }
    if let (true, Some(before), Some(after)) = (is_soak(), before.resident, after.resident) {
        let more = before / 10 + (8 << 20) + u64::from(gone_logs) * PER_GONE_LOG;
        assert!(after < before + more, "{} MB became {} MB", before >> 20, after >> 20);
    }
}

#[test]
fn documents_open_change_and_close() {
    let cycles = if is_soak() { 100_000 } else { 2_000 };
    let demo = Demo::default();
    let mut session = demo.start(modern(), json!({}));
    let text = demo.text("src/loader.rs");
    let cycle = |client: &mut Client, n: usize| {
        // The file itself now and then, else files that nobody knows.
        let uri = if n.is_multiple_of(10) {
            demo.uri("src/loader.rs")
        } else {
            demo.uri(&format!("src/file{}.rs", n % 1_000))
        };
        let item = json!({ "uri": uri, "languageId": "rust", "version": 1, "text": text });
        client.notify("textDocument/didOpen", json!({ "textDocument": item }));
        let start = json!({ "line": n % 20, "character": 0 });
        let change = json!({ "range": { "start": start, "end": start }, "text": "// typed\n" });
        let document = json!({ "uri": uri, "version": 2 });
        client.notify("textDocument/didChange", json!({ "textDocument": document, "contentChanges": [change] }));
        if n.is_multiple_of(20) {
            client.call("textDocument/codeLens", json!({ "textDocument": { "uri": uri } }));
            client.call("textDocument/hover", json!({ "textDocument": { "uri": uri }, "position": start }));
        }
        client.notify("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
        client.take_unclaimed();
    };
    for n in 0..cycles / 10 {
        cycle(&mut session.client, n);
    }
    session.client.call("turnlens/status", json!({}));
    let before = held(&session.client);
    tell("after the first tenth of the documents", before);
    for n in 0..cycles {
        cycle(&mut session.client, n);
    }
    session.client.call("turnlens/status", json!({}));
    let after = held(&session.client);
    tell("after all documents", after);
    session.client.ignore_unclaimed();
    check(before, after, 0);
}

/// What was let go of goes back to the system also where nothing is asked for: the allocator has threads for that.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn memory_goes_back_while_nobody_asks() {
    let client = Client::start();
    let threads = fs::read_dir(format!("/proc/{}/task", client.process_id())).expect("its threads");
    let names = threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("comm")).ok());
    let names: Vec<String> = names.collect();
    assert!(names.iter().any(|name| name.starts_with("jemalloc_bg")), "{names:?}");
}

/// Sessions come, grow and go, in two rounds: after the second is held what was held after the first.
#[test]
fn sessions_come_grow_and_go() {
    let sessions = if is_soak() { 5_000 } else { 100 };
    let home = Home::default();
    let mut client = home.start(json!({}));
    client.ignore_unclaimed();
    let round = |client: &mut Client, round: u32| -> Held {
        let name = |n: u32| format!("{round:08}-{n:04}-4222-8333-444455556666");
        for n in 0..sessions {
            home.write(&name(n), &[home.prompt(&name(n), 1, "Add retry"), home.says(&name(n), 2, "I look")]);
        }
        wait_for_sessions(client, sessions);
        for n in 0..sessions {
            home.append(&name(n), lines(&home.writes(&name(n), 3, "/w/a.rs", "one\ntwo\n")).as_bytes());
        }
        let last = format!("{}:1.1", name(sessions - 1));
        wait_until(client, |client| {
            let id = client.request("turnlens/stepDiff", json!({ "address": last }));
            client.answer(id).is_ok()
        });
        let here = held(client);
        fs::remove_dir_all(home.logs()).expect("deleted");
        fs::create_dir_all(home.logs()).expect("a folder");
        wait_for_sessions(client, 0);
        here
    };
    tell("with the sessions of the first round", round(&mut client, 1));
    let between = held(&client);
    tell("after the first round", between);
    tell("with the sessions of the second round", round(&mut client, 2));
    let after = held(&client);
    tell("after the second round", after);
    check(between, after, sessions);
}

/// Thousands of sessions take their time, and each question some of it.
fn wait_for_sessions(client: &mut Client, wanted: u32) {
    let deadline = Instant::now() + 10 * HANG;
    while count(client) != wanted {
        assert!(Instant::now() < deadline, "there are {} sessions, not {wanted}", count(client));
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn count(client: &mut Client) -> u32 {
    let status = client.call("turnlens/status", json!({}));
    status["sessions"]
        .as_u64()
        .filter(|_| status["reading"] == Value::Null)
        .unwrap_or(u64::MAX)
        .try_into()
        .unwrap_or(u32::MAX)
}
