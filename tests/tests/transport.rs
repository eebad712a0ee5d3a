//! Frames, lifecycle, order, cancellation and panics, against the real server over stdio.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};
use tests::lsp::{Client, HANG, Start, binary, frame};

const PARSE_ERROR: i64 = -32700;
const INVALID_REQUEST: i64 = -32600;
const METHOD_NOT_FOUND: i64 = -32601;
const INTERNAL_ERROR: i64 = -32603;
const NOT_INITIALIZED: i64 = -32002;
const CANCELLED: i64 = -32800;

/// A request that any live server answers.
fn is_alive(client: &mut Client) -> bool {
    client.call("turnlens/test/counts", Value::Null).is_object()
}

fn open(client: &mut Client, uri: &str, text: &str) {
    let document = json!({ "uri": uri, "languageId": "rust", "version": 1, "text": text });
    client.notify("textDocument/didOpen", json!({ "textDocument": document }));
}

fn change(client: &mut Client, uri: &str, version: i64, changes: Value) {
    let document = json!({ "uri": uri, "version": version });
    client.notify("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
}

fn text(client: &mut Client, uri: &str) -> Value {
    client.call("turnlens/test/text", json!({ "textDocument": { "uri": uri } }))["text"].clone()
}

/// Waits until so many holds are held, in order to cancel or pass them. They answer only when released.
fn wait_for_holds(client: &mut Client, wanted: u64) {
    wait_until(client, "turnlens/test/counts", |counts| counts["held"].as_u64() >= Some(wanted));
}

/// Asks again and again. Only a defect makes it wait for long.
fn wait_until(client: &mut Client, method: &str, wanted: impl Fn(&Value) -> bool) {
    let deadline = Instant::now() + HANG;
    loop {
        let answer = client.call(method, Value::Null);
        if wanted(&answer) {
            return;
        }
        assert!(Instant::now() < deadline, "{method} stays {answer}");
        std::thread::yield_now();
    }
}

fn release(client: &mut Client) {
    client.call("turnlens/test/release", Value::Null);
}

mod frames {
    use super::*;

    /// Sends `bytes`, expects one refusal with `code` if any, and that the next request is answered.
    fn check(bytes: &[u8], code: Option<i64>) {
        let mut client = Client::start();
        client.send_bytes(bytes);
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
        // Sent first: where a body is cut short, only the next frame shows it.
        let next = client.request("turnlens/test/counts", json!(null));
        if let Some(code) = code {
            assert_eq!(client.refusal().code, code, "{shown:?}");
        }
        assert!(client.answer(next).is_ok(), "{shown:?}");
        assert_eq!(client.take_unclaimed(), [Value::Null; 0], "{shown:?}");
    }

    #[test]
    fn bodies_that_are_no_message() {
        check(&frame(b"{\"jsonrpc\":"), Some(PARSE_ERROR));
        check(&frame(b"no json"), Some(PARSE_ERROR));
        check(&frame(b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\xfe\"}"), Some(PARSE_ERROR));
        check(&frame(b""), Some(PARSE_ERROR));
        check(&frame("[".repeat(200_000).as_bytes()), Some(PARSE_ERROR));
        check(&frame(b"{}"), Some(INVALID_REQUEST));
        check(&frame(b"3"), Some(INVALID_REQUEST));
        check(&frame(b"{\"jsonrpc\":\"2.0\",\"method\":7}"), Some(INVALID_REQUEST));
        check(&frame(b"{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"id\":null}"), Some(INVALID_REQUEST));
        check(&frame(b"{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"id\":{}}"), Some(INVALID_REQUEST));
        check(&frame(b"[]"), Some(INVALID_REQUEST));
        let batch = br#"[{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0","id":2,"method":"b"}]"#;
        check(&frame(batch), Some(INVALID_REQUEST));
    }

    #[test]
    fn headers_that_are_wrong() {
        for length in ["-5", "x", "", "1e3", "340282366920938463463374607431768211456"] {
            check(format!("Content-Length: {length}\r\n\r\n").as_bytes(), Some(INVALID_REQUEST));
        }
        // Much is promised and little comes.
        check(b"Content-Length: 5000\r\n\r\n{\"jsonrpc\":", Some(INVALID_REQUEST));
        check(b"Content-Length: 99999999999\r\n\r\n{\"jsonrpc\":", Some(INVALID_REQUEST));
        // Little is promised and much comes.
        check(b"Content-Length: 5\r\n\r\n{\"jsonrpc\":\"2.0\"}", Some(PARSE_ERROR));
    }

    #[test]
    fn a_body_of_300_mb_is_skipped() {
        let mut client = Client::start();
        client.send_bytes(format!("Content-Length: {}\r\n\r\n", 300 << 20).as_bytes());
        for _ in 0..300 {
            client.send_bytes(&[b' '; 1 << 20]);
        }
        assert_eq!(client.refusal().code, INVALID_REQUEST);
        assert!(is_alive(&mut client));
    }

    #[test]
    fn headers_that_are_tolerated() {
        let body = br#"{"jsonrpc":"2.0","method":"$/ping"}"#;
        let length = body.len();
        let framed = |header: String| [header.as_bytes(), body].concat();
        check(&framed(format!("content-length: {length}\r\n\r\n")), None);
        check(&framed(format!("CONTENT-LENGTH:{length}\n\n")), None);
        check(&framed(format!("Content-Length: {length}\n\r\n")), None);
        check(
            &framed(format!("A: b\r\nContent-Length: {length}\r\nContent-Type: x; charset=utf8\r\nC: d\r\n\r\n")),
            None,
        );
        check(&framed(format!("\u{feff}Content-Length: {length}\r\n\r\n")), None);
        check(&framed(format!("a stray line\r\n\r\nanother\nContent-Length: {length}\r\n\r\n")), None);
        check(&frame("\u{feff}{\"jsonrpc\":\"2.0\",\"method\":\"$/ping\"}".as_bytes()), None);
        check(b"stray text without an end ", None);
    }

    /// Typing half an emoji in a JavaScript client.
    #[test]
    fn half_a_surrogate_pair_does_not_lose_the_edit() {
        let mut client = Client::start();
        open(&mut client, "file:///a", "");
        client.send_body(
            br#"{"jsonrpc":"2.0","method":"textDocument/didChange","params":{"textDocument":{"uri":"file:///a","version":2},"contentChanges":[{"text":"a\ud83db"}]}}"#,
        );
        assert_eq!(text(&mut client, "file:///a"), "a\u{fffd}b");
    }

    #[test]
    fn a_message_of_20_mb() {
        let mut client = Client::start();
        let long = "x".repeat(20 << 20);
        open(&mut client, "file:///a", &long);
        assert!(text(&mut client, "file:///a") == long.as_str());
    }
}

mod lifecycle {
    use super::*;

    #[test]
    fn initialize_twice() {
        let mut client = Client::start();
        assert_eq!(client.call_error("initialize", json!({ "capabilities": {} })).code, INVALID_REQUEST);
        assert!(is_alive(&mut client));
    }

    #[test]
    fn before_initialize() {
        let mut client = Start::default().spawn();
        for method in ["turnlens/test/counts", "textDocument/hover", "no/such/method", "$/unknown", "shutdown"] {
            assert_eq!(client.call_error(method, json!({})).code, NOT_INITIALIZED, "{method}");
        }
        open(&mut client, "file:///a", "dropped");
        client.call("initialize", json!({ "capabilities": {} }));
        assert_eq!(text(&mut client, "file:///a"), Value::Null);
    }

    #[test]
    fn after_shutdown() {
        let mut client = Client::start();
        client.call("shutdown", Value::Null);
        for method in ["turnlens/test/counts", "initialize", "shutdown", "$/unknown"] {
            assert_eq!(client.call_error(method, json!({})).code, INVALID_REQUEST, "{method}");
        }
        client.notify("textDocument/didOpen", json!({}));
        client.notify("exit", Value::Null);
        assert_eq!(client.wait_exit(), 0);
    }

    #[test]
    fn shutdown_and_exit_with_any_params() {
        for params in [None, Some(json!(null)), Some(json!({})), Some(json!([]))] {
            let mut client = Client::start();
            let id = client.next_id();
            let mut shutdown = json!({ "jsonrpc": "2.0", "id": id, "method": "shutdown" });
            let mut exit = json!({ "jsonrpc": "2.0", "method": "exit" });
            if let Some(params) = params {
                shutdown["params"] = params.clone();
                exit["params"] = params;
            }
            client.send(&shutdown);
            assert_eq!(client.answer(id), Ok(Value::Null));
            // stdin stays open.
            client.send(&exit);
            assert_eq!(client.wait_exit(), 0);
        }
    }

    #[test]
    fn exit_without_shutdown() {
        let mut client = Client::start();
        client.notify("exit", Value::Null);
        assert_eq!(client.wait_exit(), 1);
    }

    #[test]
    fn exit_before_initialize() {
        let mut client = Start::default().spawn();
        client.notify("exit", Value::Null);
        assert_eq!(client.wait_exit(), 1);
    }

    #[test]
    fn end_of_stdin() {
        let mut client = Client::start();
        client.close_stdin();
        assert_eq!(client.wait_exit(), 1);
    }

    #[test]
    fn end_of_stdin_inside_a_frame() {
        for half in ["Content-Len", "Content-Length: 100\r\n", "Content-Length: 100\r\n\r\n{\"jsonrpc\""] {
            let mut client = Client::start();
            client.send_bytes(half.as_bytes());
            client.close_stdin();
            assert_eq!(client.wait_exit(), 1, "{half:?}");
        }
    }

    #[test]
    fn end_of_stdin_after_shutdown() {
        let mut client = Client::start();
        client.call("shutdown", Value::Null);
        client.close_stdin();
        assert_eq!(client.wait_exit(), 1);
    }

    /// What still runs at `exit` is answered, once.
    #[test]
    fn exit_answers_what_still_runs() {
        let mut client = Client::start();
        let ids = ["await", "quick", "slow", "background"]
            .map(|how| client.request("turnlens/test/hold", json!({ "how": how })));
        client.call("shutdown", Value::Null);
        client.notify("exit", Value::Null);
        assert_eq!(client.wait_exit(), 0);
        for id in ids {
            assert_eq!(client.answer(id).expect_err("cancelled").code, CANCELLED);
        }
    }

    #[test]
    fn unknown_methods() {
        let mut client = Client::start();
        assert_eq!(client.call_error("no/such/method", json!({})).code, METHOD_NOT_FOUND);
        assert_eq!(client.call_error("$/no/such/method", json!({})).code, METHOD_NOT_FOUND);
        client.notify("no/such/notification", json!({}));
        client.notify("$/no/such/notification", json!({}));
        client.notify("$/setTrace", json!({ "value": "verbose" }));
        assert!(is_alive(&mut client));
    }

    #[test]
    fn nulls_for_capabilities() {
        for params in [
            Value::Null,
            json!({}),
            json!([]),
            json!({ "capabilities": null }),
            json!({ "processId": null, "rootUri": null, "capabilities": { "textDocument": null, "window": null } }),
            json!({ "capabilities": { "window": { "showDocument": null, "showMessage": null } }, "workspaceFolders": null }),
            json!({ "capabilities": { "textDocument": { "synchronization": null, "hover": 3 } }, "rootUri": "", "trace": "loud" }),
            json!({ "capabilities": {}, "workspaceFolders": [{ "uri": "not a uri" }], "initializationOptions": null }),
        ] {
            let mut client = Start::default().spawn();
            let result = client.call("initialize", params.clone());
            assert_eq!(result["capabilities"]["positionEncoding"], "utf-16", "{params}");
            // Some clients leave the params out here.
            client.send(&json!({ "jsonrpc": "2.0", "method": "initialized" }));
            assert!(is_alive(&mut client), "{params}");
        }
    }

    #[test]
    fn position_encodings() {
        for (offered, chosen) in
            [(json!(["utf-16", "utf-8"]), "utf-8"), (json!(["utf-32"]), "utf-32"), (json!(null), "utf-16")]
        {
            let mut client = Start::default().spawn();
            let params = json!({ "capabilities": { "general": { "positionEncodings": offered } } });
            assert_eq!(client.call("initialize", params)["capabilities"]["positionEncoding"], chosen);
        }
    }

    /// stdin stays open, but nobody reads what the server says.
    #[test]
    fn closed_stdout() {
        let mut command = Command::new(binary());
        let mut server = command.arg("lsp").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("turnlens");
        drop(server.stdout.take());
        let mut stdin = server.stdin.take().expect("stdin");
        let body = br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#;
        std::io::Write::write_all(&mut stdin, &frame(body)).expect("the server reads");
        assert_eq!(server.wait().expect("its end").code(), Some(1));
    }

    #[cfg(unix)]
    #[test]
    fn a_killed_client_takes_the_server_with_it() {
        let mut editor = Editor(Command::new("sleep").arg("1000").spawn().expect("a process"));
        let process = editor.0.id();
        let mut client = Start::default().initialize(json!({ "processId": process, "capabilities": {} }));
        let mut by_argument = Start::default().arg(format!("--clientProcessId={process}")).arg("--stdio").spawn();
        by_argument.call("initialize", Value::Null);
        assert!(is_alive(&mut client));
        editor.kill();
        // stdin stays open in both.
        assert_eq!(client.wait_exit(), 1);
        assert_eq!(by_argument.wait_exit(), 1);
    }

    /// A process that does not outlive the test.
    #[cfg(unix)]
    struct Editor(std::process::Child);

    #[cfg(unix)]
    impl Editor {
        fn kill(&mut self) {
            self.0.kill().and_then(|()| self.0.wait()).expect("killed");
        }
    }

    #[cfg(unix)]
    impl Drop for Editor {
        fn drop(&mut self) {
            self.kill();
        }
    }

    #[test]
    fn a_client_that_cannot_be_seen_is_not_watched() {
        let mut client = Start::default().initialize(json!({ "processId": i32::MAX, "capabilities": {} }));
        assert!(is_alive(&mut client));
    }

    #[cfg(unix)]
    #[test]
    fn sigterm() {
        let mut client = Client::start();
        let kill = Command::new("kill").arg("-TERM").arg(client.process_id().to_string()).status();
        assert!(kill.expect("kill").success());
        assert_eq!(client.wait_exit(), -1);
    }
}

mod order {
    use super::*;

    /// Eight requests that do not come to an end, then one that does.
    #[test]
    fn slow_requests_do_not_hold_up_a_quick_one() {
        let mut client = Client::start();
        let ids: Vec<i64> = ["await", "slow", "await", "slow", "await", "slow", "await", "background"]
            .map(|how| client.request("turnlens/test/hold", json!({ "how": how })))
            .into();
        assert!(is_alive(&mut client));
        release(&mut client);
        for id in ids {
            assert_eq!(client.answer(id), Ok(json!("released")));
        }
    }

    #[test]
    fn two_hundred_slow_jobs_leave_a_thread_for_a_quick_one() {
        let mut client = Client::start();
        let ids: Vec<i64> = (0..200).map(|_| client.request("turnlens/test/hold", json!({ "how": "slow" }))).collect();
        wait_for_holds(&mut client, 1);
        // A panic in a job answers from the thread for quick jobs.
        assert_eq!(client.call_error("turnlens/test/panic", json!({ "when": "job" })).code, INTERNAL_ERROR);
        release(&mut client);
        for id in ids {
            assert_eq!(client.answer(id), Ok(json!("released")));
        }
    }

    /// Each request sees the text of the moment of its arrival, however the stream is cut.
    #[test]
    fn requests_see_what_came_before_them() {
        for encoding in ["utf-8", "utf-16", "utf-32"] {
            let capabilities = json!({ "general": { "positionEncodings": [encoding] } });
            let mut client = Start::default().initialize(json!({ "capabilities": capabilities }));
            let mut random = Random(7);
            let mut model = String::from("fn main() {}\r\n");
            open(&mut client, "file:///a.rs", &model);
            let mut stream = Vec::new();
            let mut expected = Vec::new();
            for version in 2..10_002 {
                let changes: Vec<Value> =
                    (0..1 + random.below(3)).map(|_| random_edit(&mut random, &mut model, encoding)).collect();
                let document = json!({ "uri": "file:///a.rs", "version": version });
                let params = json!({ "textDocument": document, "contentChanges": changes });
                let message = json!({ "jsonrpc": "2.0", "method": "textDocument/didChange", "params": params });
                stream.extend(frame(message.to_string().as_bytes()));
                if random.below(20) == 0 {
                    let params = json!({ "textDocument": { "uri": "file:///a.rs" } });
                    let id = client.next_id();
                    let request =
                        json!({ "jsonrpc": "2.0", "id": id, "method": "turnlens/test/text", "params": params });
                    client.expect_answer(id);
                    stream.extend(frame(request.to_string().as_bytes()));
                    expected.push((id, model.clone()));
                }
            }
            let mut rest = stream.as_slice();
            while !rest.is_empty() {
                let (chunk, after) = rest.split_at((1 + random.below(5_000)).min(rest.len()));
                client.send_bytes(chunk);
                rest = after;
            }
            for (id, text) in expected {
                assert_eq!(client.answer(id).expect("a text")["text"], text.as_str(), "{encoding}");
            }
        }
    }

    #[test]
    fn documents() {
        let mut client = Client::start();
        // Not opened: left out.
        change(&mut client, "file:///a", 2, json!([{ "text": "x" }]));
        assert_eq!(text(&mut client, "file:///a"), Value::Null);
        open(&mut client, "file:///c%3A/a%20b", "one");
        assert_eq!(text(&mut client, "file:///C:/a b"), "one");
        // Versions that go back, are null or missing.
        change(&mut client, "file:///c:/a%20b", -4, json!([{ "text": "two" }]));
        client.notify(
            "textDocument/didChange",
            json!({ "textDocument": { "uri": "file:///C:/a%20b", "version": null }, "contentChanges": [
                { "range": { "start": { "line": 0, "character": -1 }, "end": { "line": 1e99, "character": 0.5 } }, "text": "three" }] }),
        );
        assert_eq!(text(&mut client, "file:///c%3a/a%20b"), "three");
        client.notify("textDocument/didSave", json!({ "textDocument": { "uri": "file:///c:/a%20b" } }));
        client.notify("textDocument/didClose", json!({ "textDocument": { "uri": "file:///c:/a%20b" } }));
        assert_eq!(text(&mut client, "file:///c:/a%20b"), Value::Null);
    }

    /// A small linear congruential generator: the same run every time.
    pub(super) struct Random(pub(super) u64);

    impl Random {
        pub(super) fn below(&mut self, n: usize) -> usize {
            self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (self.0 >> 33) as usize % n
        }
    }

    /// Makes an edit in `model` and gives it as a content change.
    fn random_edit(random: &mut Random, model: &mut String, encoding: &str) -> Value {
        let pieces = ["", "\n", "\r\n", "x", "let y = 1;\n", "😀", "é", "e\u{301}", "\u{2028}", "}", "\t", "漢字"];
        let new: String = (0..random.below(4)).map(|_| pieces[random.below(pieces.len())]).collect();
        if random.below(200) == 0 {
            *model = new.clone();
            return json!({ "range": null, "text": new });
        }
        let mut ends = [0, 0].map(|_| nearest_position(model, random.below(model.len() + 1)));
        ends.sort_unstable();
        // Most edits are small.
        if random.below(10) > 0 {
            ends[1] = nearest_position(model, (ends[0] + random.below(12)).min(model.len())).max(ends[0]);
        }
        let range = json!({ "start": position(model, ends[0], encoding), "end": position(model, ends[1], encoding) });
        model.replace_range(ends[0]..ends[1], &new);
        json!({ "range": range, "text": new })
    }

    /// The nearest byte at or before `at` that a position can name.
    fn nearest_position(text: &str, mut at: usize) -> usize {
        while !text.is_char_boundary(at) || (text[..at].ends_with('\r') && text[at..].starts_with('\n')) {
            at -= 1;
        }
        at
    }

    fn position(text: &str, at: usize, encoding: &str) -> Value {
        let before = text[..at].replace("\r\n", "\n").replace('\r', "\n");
        let last = before.rsplit('\n').next().unwrap_or_default();
        let character = match encoding {
            "utf-8" => last.len(),
            "utf-16" => last.encode_utf16().count(),
            _ => last.chars().count(),
        };
        json!({ "line": before.matches('\n').count(), "character": character })
    }
}

mod cancellation {
    use super::*;

    fn cancel(client: &mut Client, id: i64) {
        client.notify("$/cancelRequest", json!({ "id": id }));
    }

    #[test]
    fn while_running() {
        let mut client = Client::start();
        for how in ["await", "quick", "slow", "background"] {
            let id = client.request("turnlens/test/hold", json!({ "how": how }));
            cancel(&mut client, id);
            // Twice is once.
            cancel(&mut client, id);
            assert_eq!(client.answer(id).expect_err("cancelled").code, CANCELLED, "{how}");
        }
        assert!(is_alive(&mut client));
    }

    /// The work stops too, not only the waiting for it.
    #[test]
    fn reaches_the_threads() {
        let mut client = Client::start();
        let ids =
            ["quick", "slow", "background"].map(|how| client.request("turnlens/test/hold", json!({ "how": how })));
        wait_for_holds(&mut client, 3);
        for id in ids {
            cancel(&mut client, id);
            assert_eq!(client.answer(id).expect_err("cancelled").code, CANCELLED);
        }
        wait_until(&mut client, "turnlens/test/counts", |counts| counts["cancelled"] == 3);
    }

    /// With every thread and every hold busy, a cancellation is answered all the same.
    #[test]
    fn while_busy() {
        let mut client = Client::start();
        let ids: Vec<i64> = (0..50).map(|_| client.request("turnlens/test/hold", json!({ "how": "slow" }))).collect();
        wait_for_holds(&mut client, 1);
        // The last one is still queued, the first one runs.
        for id in [ids[49], ids[0]] {
            cancel(&mut client, id);
            assert_eq!(client.answer(id).expect_err("cancelled").code, CANCELLED);
        }
        release(&mut client);
        for id in &ids[1..49] {
            assert_eq!(client.answer(*id), Ok(json!("released")));
        }
    }

    #[test]
    fn of_what_does_not_run() {
        let mut client = Client::start();
        let id = client.request("turnlens/test/counts", Value::Null);
        assert!(client.answer(id).is_ok());
        cancel(&mut client, id);
        cancel(&mut client, 4711);
        // Before its request.
        cancel(&mut client, id + 1);
        assert!(is_alive(&mut client));
        for params in [json!(null), json!({}), json!({ "id": null }), json!({ "id": {} }), json!([])] {
            client.notify("$/cancelRequest", params);
        }
        assert!(is_alive(&mut client));
    }

    /// Requests of every kind, each cancelled before it, with it, twice, late or not at all: each has one answer.
    #[test]
    fn in_a_storm() {
        let mut client = Client::start();
        open(&mut client, "file:///a.rs", "fn main() {}\n");
        let mut random = order::Random(11);
        let methods = [
            "textDocument/hover",
            "textDocument/codeLens",
            "turnlens/test/text",
            "turnlens/test/counts",
            "turnlens/test/hold",
            "turnlens/test/panic",
            "turnlens/status",
            "no/such/method",
        ];
        let mut stream = Vec::new();
        let mut ids: Vec<i64> = Vec::new();
        for _ in 0..2_000 {
            let id = client.next_id();
            let method = methods[random.below(methods.len())];
            let at = json!({ "line": 0, "character": 0 });
            let how = ["await", "quick", "slow", "background"][random.below(4)];
            let when = ["now", "later", "job"][random.below(3)];
            let document = json!({ "uri": "file:///a.rs" });
            let params = match method {
                "turnlens/test/counts" => Value::Null,
                _ => json!({ "textDocument": document, "position": at, "how": how, "when": when }),
            };
            let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
            let cancel = |id: i64| {
                let params = json!({ "id": id });
                frame(json!({ "jsonrpc": "2.0", "method": "$/cancelRequest", "params": params }).to_string().as_bytes())
            };
            // A hold is answered when it is cancelled, or at the end.
            let times = if method == "turnlens/test/hold" { 1 + random.below(2) } else { random.below(3) };
            if random.below(4) == 0 {
                stream.extend(cancel(id));
            }
            client.expect_answer(id);
            stream.extend(frame(request.to_string().as_bytes()));
            (0..times).for_each(|_| stream.extend(cancel(id)));
            ids.push(id);
            if random.below(3) == 0 {
                stream.extend(cancel(ids[random.below(ids.len())]));
            }
        }
        let mut rest = stream.as_slice();
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at((1 + random.below(20_000)).min(rest.len()));
            client.send_bytes(chunk);
            rest = after;
        }
        for id in ids {
            if let Err(error) = client.answer(id) {
                assert!([CANCELLED, INTERNAL_ERROR, METHOD_NOT_FOUND].contains(&error.code), "{error:?}");
            }
        }
        // A second answer to any of them would fail here.
        assert!(is_alive(&mut client));
    }

    #[test]
    fn ids_are_compared_with_their_type() {
        let mut client = Client::start();
        let hold = |id: Value| json!({ "jsonrpc": "2.0", "id": id, "method": "turnlens/test/hold", "params": { "how": "await" } });
        client.send(&hold(json!(1000)));
        client.send(&hold(json!("1000")));
        client.notify("$/cancelRequest", json!({ "id": "1000" }));
        assert_eq!(client.answer("1000").expect_err("cancelled").code, CANCELLED);
        release(&mut client);
        assert_eq!(client.answer(1000), Ok(json!("released")));
    }

    #[test]
    fn duplicate_ids() {
        let mut client = Client::start();
        let id = client.request("turnlens/test/hold", json!({ "how": "await" }));
        let again = json!({ "jsonrpc": "2.0", "id": id, "method": "turnlens/test/counts" });
        client.send(&again);
        assert_eq!(client.answer(id).expect_err("refused").code, INVALID_REQUEST);
        // The first is not touched by it.
        client.expect_answer(id);
        release(&mut client);
        assert_eq!(client.answer(id), Ok(json!("released")));
        // Once answered, an id may be used again.
        client.send(&again);
        assert!(client.answer(id).is_ok());
    }
}

mod panics {
    use super::*;

    #[test]
    fn stay_in_their_handler() {
        let mut client = Client::start();
        for _ in 0..3 {
            for when in ["now", "later", "job"] {
                let id = client.request("turnlens/test/panic", json!({ "when": when }));
                assert_eq!(client.answer(id).expect_err("an error").code, INTERNAL_ERROR, "{when}");
                // Its id is free again.
                let again = json!({ "jsonrpc": "2.0", "id": id, "method": "turnlens/test/counts" });
                client.send(&again);
                assert!(client.answer(id).is_ok(), "{when}");
            }
            client.notify("turnlens/test/panicNotification", Value::Null);
            assert!(is_alive(&mut client));
        }
    }

    /// A whole session with the log as loud as can be, with panics, and with a stderr that cannot be written.
    #[test]
    fn stdout_has_only_frames() {
        for start in [Start::default(), Start::default().closed_stderr()] {
            let start = start.env("TURNLENS_LOG", "debug").env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1");
            let mut client = start.initialize(json!({ "capabilities": {} }));
            open(&mut client, "file:///a", "x");
            client.call("turnlens/test/print", Value::Null);
            for when in ["now", "later", "job"] {
                client.call_error("turnlens/test/panic", json!({ "when": when }));
            }
            client.notify("turnlens/test/panicNotification", Value::Null);
            client.send_body(b"no json");
            assert_eq!(client.refusal().code, PARSE_ERROR);
            assert!(is_alive(&mut client));
        }
    }

    #[test]
    fn the_log_has_places_and_no_content() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let file = folder.path().join("log");
        let start = Start::default().env("TURNLENS_LOG", "debug").arg("--log-file").arg(&file);
        let mut client = start.initialize(json!({ "capabilities": {} }));
        open(&mut client, "file:///a", "a secret of the user");
        change(&mut client, "file:///a", 2, json!([{ "text": "another secret" }]));
        client.call_error("turnlens/test/panic", json!({ "when": "now" }));
        drop(client);
        let log = std::fs::read_to_string(&file).expect("a log");
        assert!(log.contains("testing.rs:") && log.contains("turnlens/test/panic answered"), "{log}");
        assert!(!log.contains("secret"), "{log}");
    }
}

mod questions {
    use super::*;

    /// A client that answers questions for settings; the server's own is answered.
    fn start() -> Client {
        let capabilities = json!({ "workspace": { "configuration": true } });
        let mut client = Start::default().initialize(json!({ "capabilities": capabilities }));
        let own = client.server_request("workspace/configuration");
        client.reply(&own, json!([null]));
        client
    }

    fn ask(client: &mut Client) -> (i64, Value) {
        let id = client.request("turnlens/test/askClient", Value::Null);
        (id, client.server_request("workspace/configuration"))
    }

    /// Four handlers wait for the client, 130 requests queue up, then the client answers.
    #[test]
    fn handlers_that_wait_do_not_wedge_the_server() {
        let mut client = start();
        let waiting: Vec<(i64, Value)> = (0..4).map(|_| ask(&mut client)).collect();
        let queued: Vec<i64> = (0..130).map(|_| client.request("turnlens/test/counts", Value::Null)).collect();
        for (id, question) in waiting {
            client.reply(&question, json!([1]));
            assert_eq!(client.answer(id), Ok(json!({ "answer": [1] })));
        }
        for id in queued {
            assert!(client.answer(id).is_ok());
        }
    }

    #[test]
    fn late_repeated_and_foreign_answers() {
        let mut client = start();
        let (id, question) = ask(&mut client);
        client.notify("$/cancelRequest", json!({ "id": id }));
        assert_eq!(client.answer(id).expect_err("cancelled").code, CANCELLED);
        // Nobody waits any more.
        client.reply(&question, json!([1]));
        assert!(is_alive(&mut client));

        let (id, question) = ask(&mut client);
        client.reply(&question, json!([2]));
        client.reply(&question, json!([3]));
        assert_eq!(client.answer(id), Ok(json!({ "answer": [2] })));
        for id in [json!(4711), json!("x"), json!(null), json!(-1), json!({})] {
            client.reply(&json!({ "id": id }), Value::Null);
        }
        assert!(is_alive(&mut client));
    }

    #[test]
    fn errors_and_nonsense() {
        let mut client = start();
        let (id, question) = ask(&mut client);
        let error = json!({ "code": -32601, "message": "not here" });
        client.send(&json!({ "jsonrpc": "2.0", "id": question["id"], "error": error }));
        assert_eq!(client.answer(id), Ok(json!({ "error": "refused: not here" })));

        let (id, question) = ask(&mut client);
        client.reply(&question, json!({ "not": "a list" }));
        let answer = client.answer(id).expect("an answer");
        assert!(answer["error"].as_str().is_some_and(|error| error.starts_with("refused: ")), "{answer}");
    }

    #[test]
    fn silence() {
        let mut client = start();
        let (id, question) = ask(&mut client);
        assert!(is_alive(&mut client));
        assert_eq!(client.answer(id), Ok(json!({ "error": "no answer in time" })));
        client.reply(&question, json!([1]));
        assert!(is_alive(&mut client));
    }
}

mod settings {
    use super::*;

    fn capabilities() -> Value {
        json!({ "workspace": { "configuration": true, "didChangeConfiguration": { "dynamicRegistration": true } } })
    }

    fn wait_for_setting(client: &mut Client, part: &str) {
        let has_part = |state: &Value| state["settings"].as_str().is_some_and(|settings| settings.contains(part));
        wait_until(client, "turnlens/test/state", has_part);
    }

    #[test]
    fn are_asked_for_and_registered() {
        let mut client = Start::default().initialize(json!({ "capabilities": capabilities() }));
        let registration = client.server_request("client/registerCapability");
        assert_eq!(registration["params"]["registrations"][0]["method"], "workspace/didChangeConfiguration");
        client.reply(&registration, Value::Null);
        let question = client.server_request("workspace/configuration");
        assert_eq!(question["params"]["items"], json!([{ "section": "turnlens" }]));
        client.reply(&question, json!([{ "codeLens": { "scope": "all" } }]));
        wait_for_setting(&mut client, "code_lens: All");
        // Told to ask again.
        client.notify("workspace/didChangeConfiguration", json!({ "settings": null }));
        let question = client.server_request("workspace/configuration");
        client.reply(&question, json!([{ "codeLens": { "scope": "off" } }]));
        wait_for_setting(&mut client, "code_lens: Off");
    }

    #[test]
    fn a_client_that_never_answers_is_served() {
        let mut client = Start::default().initialize(json!({ "capabilities": capabilities() }));
        client.server_request("client/registerCapability");
        client.server_request("workspace/configuration");
        wait_for_setting(&mut client, "code_lens: Auto");
    }

    #[test]
    fn mistakes_are_told_once() {
        let mut client = Start::default().spawn();
        let options = json!({ "turnlens": { "codelens": "all" }, "commands": [] });
        client.call("initialize", json!({ "capabilities": {}, "initializationOptions": options }));
        assert!(is_alive(&mut client));
        // Nothing before `initialized`.
        assert_eq!(client.take_unclaimed(), [Value::Null; 0]);
        client.notify("initialized", json!({}));
        let told = client.notification("window/showMessage");
        assert_eq!(told["message"], "turnlens.codelens is not a setting. Did you mean turnlens.codeLens.scope?");
        for _ in 0..2 {
            let settings = json!({ "turnlens": { "codelens": "all", "recentHours": "two" }, "other": { "x": 1 } });
            client.notify("workspace/didChangeConfiguration", json!({ "settings": settings }));
        }
        let told = client.notification("window/showMessage");
        assert_eq!(told["message"], "turnlens.recentHours cannot be \"two\". It is a number from 0.");
        // Another server's settings are not ours to judge.
        client.notify("workspace/didChangeConfiguration", json!({ "settings": { "other": { "x": 1 } } }));
        assert!(is_alive(&mut client));
    }

    #[cfg(unix)]
    #[test]
    fn folders_come_and_go() {
        let folder = |name: &str| json!({ "uri": format!("file:///{name}"), "name": name });
        let mut client =
            Start::default().initialize(json!({ "capabilities": {}, "workspaceFolders": [folder("a"), folder("b")] }));
        let event = json!({ "added": [folder("c"), folder("b")], "removed": [folder("a")] });
        client.notify("workspace/didChangeWorkspaceFolders", json!({ "event": event }));
        assert_eq!(client.call("turnlens/test/state", Value::Null)["folders"], json!(["/b", "/c"]));
    }
}

mod command_line {
    use super::*;

    #[test]
    fn wrong_use_exits_with_2() {
        let mut words = String::new();
        for args in [vec!["lsp", "--no-such-flag"], vec!["no-such-command"]] {
            let output = Command::new(binary()).args(&args).stdin(Stdio::null()).output().expect("turnlens");
            assert_eq!(output.status.code(), Some(2), "{args:?}");
            assert_eq!(output.stdout, b"", "{args:?}");
            _ = write!(words, "{}", String::from_utf8_lossy(&output.stderr));
        }
        assert!(words.contains("--no-such-flag") && words.contains("Usage"), "{words}");
    }

    #[test]
    fn a_log_that_cannot_be_opened_exits_with_3() {
        let output = Command::new(binary())
            .args(["lsp", "--log-file", "/no/such/folder/log"])
            .stdin(Stdio::null())
            .output()
            .expect("turnlens");
        assert_eq!(output.status.code(), Some(3));
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(words.starts_with("turnlens: cannot open the log file /no/such/folder/log"), "{words}");
    }
}
