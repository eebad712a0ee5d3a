//! What is found is what reading every text of every session would find.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use ::search::Places;
use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::{Env, Index, Settings, Workspace};

/// Folders of logs, and all that is known of them.
struct Place {
    folder: TempDir,
    workspace: Workspace,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        let env = Env { home: Some(folder.path().to_owned()), ..Env::default() };
        Place { workspace: Workspace::new(Arc::new(Index::new(env)), Settings::default()), folder }
    }

    fn write(&self, log: &str, text: &str) {
        let path = self.folder.path().join(log);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a log");
    }

    fn read(&self) {
        self.workspace.index().refresh(&|_| {});
    }

    fn make_filters(&self, folder: Option<&Path>) -> Filtered {
        self.workspace.make_filters(folder.map(Path::to_owned), &|| false).expect("filters")
    }

    fn search(&self, query: &str, most: usize) -> Found {
        let moment = self.workspace.moment();
        moment.search(&parsed(query), moment.logs().sessions(), most)
    }

    /// The same without looking at any byte before all texts are read.
    fn search_all(&self, query: &str) -> Vec<HitsOfSession> {
        let moment = self.workspace.moment();
        let all: Vec<Places<'_>> = (0..100).map(|_| Places::All).collect();
        let mut found: Vec<HitsOfSession> = Vec::new();
        for path in moment.logs().sessions() {
            moment.hits_of(&parsed(query), path, &all, usize::MAX, &|| false, &mut |hits| match found.last_mut() {
                Some(last) if last.path.log == hits.path.log => last.append(hits),
                _ => found.push(hits),
            });
        }
        found
    }
}

fn parsed(query: &str) -> Query {
    Query::parse(query, &|_| None).unwrap_or_else(|why| panic!("{query}: {why}"))
}

fn told(sessions: &[HitsOfSession]) -> String {
    let mut out = String::new();
    for session in sessions {
        for hit in &session.hits {
            let label = hit.numbers.iter().fold(hit.turn.to_string(), |label, number| format!("{label}.{number}"));
            let mut text = hit.text.clone();
            for range in hit.found.iter().rev() {
                text.insert(range.end, ']');
                text.insert(range.start, '[');
            }
            writeln!(out, "{} {label} {} {text}", session.path.session, hit.field.id()).expect("a string");
        }
    }
    out
}

/// One record of Claude Code's.
fn claude(session: &str, number: usize, kind: &str, content: Value) -> Value {
    json!({
        "type": kind, "uuid": format!("{session}-{number}"), "sessionId": session, "cwd": "/w",
        "timestamp": format!("2026-03-02T09:{:02}:{:02}.000Z", number / 60, number % 60),
        "message": { "role": kind, "content": content },
    })
}

/// Lines of `KIND TEXT`: a prompt, an answer, a thought, a command and its output, another tool and what it gave back.
fn claude_log(session: &str, lines: &[(&str, &str)], write: &mut dyn FnMut(&Value) -> String) -> String {
    let mut records = Vec::new();
    for (number, (kind, text)) in lines.iter().enumerate() {
        let id = format!("toolu_{number}");
        let result = json!([{ "type": "tool_result", "tool_use_id": id, "content": text }]);
        let used = |name: &str, input: Value| json!([{ "type": "tool_use", "id": id, "name": name, "input": input }]);
        let mut put = |kind: &str, content: Value| records.push(claude(session, records.len(), kind, content));
        match *kind {
            "prompt" => put("user", json!(text)),
            "answer" => put("assistant", json!([{ "type": "text", "text": text }])),
            "thought" => put("assistant", json!([{ "type": "thinking", "thinking": text }])),
            "run" => {
                put("assistant", used("Bash", json!({ "command": text })));
                put("user", json!([{ "type": "tool_result", "tool_use_id": id, "content": "done" }]));
            }
            "write" => put("assistant", used("Write", json!({ "file_path": "/w/a.rs", "content": text }))),
            "ask" => put("assistant", used("mcp__x__ask", json!({ "deep": { "question": [text] } }))),
            "output" => {
                put("assistant", used("Bash", json!({ "command": "run" })));
                put("user", result);
            }
            other => panic!("{other} is no kind"),
        }
    }
    records.iter().map(|record| write(record) + "\n").collect()
}

fn codex_log(session: &str, lines: &[(&str, &str)], write: &mut dyn FnMut(&Value) -> String) -> String {
    let mut records = vec![("session_meta", json!({ "id": session, "cwd": "/w", "cli_version": "0.101.0" }))];
    for (number, (kind, text)) in lines.iter().enumerate() {
        let id = format!("call_{number}");
        let mut item = |payload: Value| records.push(("response_item", payload));
        let message = |role: &str, kind: &str| json!({ "type": "message", "role": role, "content": [{ "type": kind, "text": text }] });
        let call = |write: &mut dyn FnMut(&Value) -> String, name: &str, input: Value| json!({ "type": "function_call", "name": name, "arguments": write(&input), "call_id": id });
        match *kind {
            "prompt" => item(message("user", "input_text")),
            "answer" => item(message("assistant", "output_text")),
            "thought" => item(json!({ "type": "reasoning", "summary": [{ "type": "summary_text", "text": text }] })),
            "run" => item(call(write, "exec_command", json!({ "cmd": text }))),
            "ask" => item(call(write, "mcp__x__ask", json!({ "other": text, "list": [text] }))),
            _ => {
                item(call(write, "exec_command", json!({ "cmd": ["bash", "-c", text] })));
                let output = write(&json!({ "output": text, "metadata": { "exit_code": 0 } }));
                item(json!({ "type": "function_call_output", "call_id": id, "output": output }));
            }
        }
    }
    let spelled = records.iter().enumerate().map(|(number, (kind, payload))| {
        let at = format!("2026-03-02T10:{:02}:{:02}.000Z", number / 60, number % 60);
        write(&json!({ "timestamp": at, "type": kind, "payload": payload })) + "\n"
    });
    spelled.collect()
}

fn gemini_log(session: &str, lines: &[(&str, &str)], write: &mut dyn FnMut(&Value) -> String) -> String {
    let messages = lines.iter().enumerate().map(|(number, (kind, text))| {
        let mut message = json!({
            "id": format!("m{number}"), "timestamp": format!("2026-03-02T11:00:{:02}.000Z", number % 60),
            "type": if *kind == "prompt" { "user" } else { "gemini" }, "content": "",
        });
        let call = |args: Value, output: &str| {
            let result = json!([{ "functionResponse": { "id": "c", "response": { "output": output } } }]);
            json!([{ "id": format!("c{number}"), "name": "run_shell_command", "args": args, "result": result }])
        };
        match *kind {
            "prompt" | "answer" => message["content"] = json!(text),
            "thought" => message["thoughts"] = json!([{ "subject": text, "description": text }]),
            "output" => message["toolCalls"] = call(json!({ "command": "run" }), text),
            _ => message["toolCalls"] = call(json!({ "command": text }), "done"),
        }
        message
    });
    write(&json!({ "sessionId": session, "messages": messages.collect::<Vec<_>>() }))
}

const CLAUDE: &str = ".claude/projects/-w/c.jsonl";
const CODEX: &str = ".codex/sessions/2026/03/02/rollout-2026-03-02T10-00-00-x.jsonl";
const GEMINI: &str = ".gemini/tmp/p/chats/session-2026-03-02T11-00-g.json";

/// Three logs with the same lines; what `query` finds, with and without filters.
fn check(lines: &str, query: &str, expect: Expect) {
    let lines: Vec<(&str, &str)> = lines.trim().lines().filter_map(|line| line.trim().split_once(' ')).collect();
    let place = Place::new();
    let plain = &mut |value: &Value| value.to_string();
    place.write(CLAUDE, &claude_log("c", &lines, plain));
    place.write(CODEX, &codex_log("x", &lines, plain));
    place.write(GEMINI, &gemini_log("g", &lines, plain));
    place.read();
    let found = place.search(query, 100);
    expect.assert_eq(&told(&found.listed));
    assert_eq!(found.total, found.listed.iter().map(|session| session.hits.len()).sum::<usize>());
    place.make_filters(None);
    assert_eq!(told(&place.search(query, 100).listed), told(&found.listed), "by filters");
}

#[test]
fn every_field_of_every_agent() {
    let lines = "
        prompt Where is needle_one?
        thought needle_two: a \"thought\" \\ of it
        answer I say needle_three
        run grep -rn \"needle_four\" src
        output out: needle_five
        ask needle_six";
    check(
        lines,
        "needle_one",
        expect![[r#"
        g 1 prompt Where is [needle_one]?
        x 1 prompt Where is [needle_one]?
        c 1 prompt Where is [needle_one]?
    "#]],
    );
    check(
        lines,
        "needle_two in:thought",
        expect![[r#"
        g 1.1 thought [needle_two]: a "thought" \ of it
        x 1.1 thought [needle_two]: a "thought" \ of it
        c 1.1 thought [needle_two]: a "thought" \ of it
    "#]],
    );
    check(
        lines,
        "NEEDLE_THREE",
        expect![[r#"
        g 1.2 answer I say [needle_three]
        x 1.2 answer I say [needle_three]
        c 1.2 answer I say [needle_three]
    "#]],
    );
    check(lines, "NEEDLE_THREE case:yes", expect![[""]]);
    check(
        lines,
        "/n[e]+dle_(four|five)/",
        expect![[r#"
        g 1.3 tool grep -rn "[needle_four]" src
        g 1.4 output out: [needle_five]
        x 1.3 tool grep -rn "[needle_four]" src
        x 1.4 tool out: [needle_five]
        x 1.4 output out: [needle_five]
        c 1.3 tool grep -rn "[needle_four]" src
        c 1.4 output out: [needle_five]
    "#]],
    );
    check(
        lines,
        "needle_six",
        expect![[r#"
            g 1.5 tool [needle_six]
            x 1.5 tool "[needle_six]"
            c 1.5 tool "[needle_six]"
        "#]],
    );
    check(
        lines,
        "/a \"thought\" .{2}of/",
        expect![[r#"
        g 1.1 thought needle_two: [a "thought" \ of] it
        x 1.1 thought needle_two: [a "thought" \ of] it
        c 1.1 thought needle_two: [a "thought" \ of] it
    "#]],
    );
    check(
        lines,
        "thou*",
        expect![[r#"
        g 1.1 thought needle_two: a "[thought]" \ of it
        x 1.1 thought needle_two: a "[thought]" \ of it
        c 1.1 thought needle_two: a "[thought]" \ of it
    "#]],
    );
    check(lines, "hought*", expect![[""]]);
    check(lines, "\"thought*\"", expect![[""]]);
    check(lines, "needle_seven", expect![[""]]);
}

#[test]
fn what_was_asked_for_comes_before_what_was_put_out() {
    let place = Place::new();
    let plain = &mut |value: &Value| value.to_string();
    let log = |session: &str, lines: &[(&str, &str)]| {
        place.write(&format!(".claude/projects/-w/{session}.jsonl"), &claude_log(session, lines, plain));
    };
    let mut log = log;
    log("output", &[("prompt", "a"), ("answer", "b"), ("thought", "c"), ("answer", "d"), ("output", "needle")]);
    log("answer", &[("prompt", "e"), ("answer", "the needle"), ("output", "needle")]);
    log("prompt", &[("prompt", "a needle"), ("answer", "needle")]);
    log("run", &[("prompt", "f"), ("answer", "g"), ("run", "find needle")]);
    place.read();
    expect![[r#"
        prompt 1 prompt a [needle]
        prompt 1.1 answer [needle]
        answer 1.1 answer the [needle]
        answer 1.2 output [needle]
        run 1.2 tool find [needle]
        output 1.4 output [needle]
    "#]]
    .assert_eq(&told(&place.search("needle", 100).listed));
    let found = place.search("needle", 3);
    assert_eq!((found.total, found.sessions), (6, 4));
    expect![[r#"
        prompt 1 prompt a [needle]
        prompt 1.1 answer [needle]
        answer 1.1 answer the [needle]
    "#]]
    .assert_eq(&told(&found.listed));

    let moment = place.workspace.moment();
    let mut newest = Vec::new();
    let sink = &mut |hits: &HitsOfSession| {
        newest.push(hits.path.session.to_string());
        if newest.len() < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let course = Course { most: 100, is_cancelled: &|| false, sink };
    let found = moment.search_by(&parsed("needle"), moment.logs().sessions(), course);
    assert_eq!(found.sessions, 2);
    assert_eq!(newest, ["output", "answer"], "the newest first");
    let sink = &mut |_: &HitsOfSession| ControlFlow::Continue(());
    let cancelled = Course { most: 100, is_cancelled: &|| true, sink };
    assert_eq!(moment.search_by(&parsed("needle"), moment.logs().sessions(), cancelled).total, 0);
}

#[test]
fn a_session_with_many_hits_is_told_in_portions() {
    let place = Place::new();
    let lines: Vec<(&str, &str)> = std::iter::once(("prompt", "go")).chain([("answer", "a needle"); 200]).collect();
    place.write(CLAUDE, &claude_log("c", &lines, &mut |value: &Value| value.to_string()));
    place.read();
    let mut portions = Vec::new();
    let mut search = |most: usize, enough: usize| {
        portions.clear();
        let moment = place.workspace.moment();
        let sink = &mut |hits: &HitsOfSession| {
            portions.push((hits.hits.len(), hits.total));
            if portions.len() < enough { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let course = Course { most, is_cancelled: &|| false, sink };
        let found = moment.search_by(&parsed("needle"), moment.logs().sessions(), course);
        (portions.clone(), found.total, found.sessions, told(&found.listed).lines().count())
    };
    assert_eq!(search(90, 9), (vec![(20, 20), (70, 80), (0, 100)], 200, 1, 90));
    assert_eq!(search(90, 1), (vec![(20, 20)], 20, 1, 20));
}

#[test]
fn a_sub_agents_words_are_its_parents_and_a_copy_is_told_once() {
    let place = Place::new();
    let plain = &mut |value: &Value| value.to_string();
    let task =
        json!([{ "type": "tool_use", "id": "t", "name": "Task", "input": { "prompt": "look", "description": "d" } }]);
    let done = json!([{ "type": "tool_result", "tool_use_id": "t", "content": "found" }]);
    let mut result = claude("p", 2, "user", done);
    result["toolUseResult"] = json!({ "agentId": "abc", "status": "completed" });
    let parent = [claude("p", 0, "user", json!("go")), claude("p", 1, "assistant", task), result];
    let parent: String = parent.iter().map(|record| format!("{record}\n")).collect();
    place.write(".claude/projects/-w/p.jsonl", &parent);
    let side = claude_log("p", &[("prompt", "look"), ("answer", "the needle of a side")], &mut |record| {
        let mut record = record.clone();
        record["isSidechain"] = json!(true);
        record["agentId"] = json!("abc");
        record["uuid"] = json!(format!("side-{}", record["uuid"]));
        record.to_string()
    });
    place.write(".claude/projects/-w/p/subagents/agent-abc.jsonl", &side);
    let first = claude_log("a", &[("prompt", "first"), ("answer", "a needle")], plain);
    let second = claude_log("b", &[("prompt", "second"), ("answer", "no")], &mut |record| {
        let mut record = record.clone();
        record["timestamp"] = json!("2026-03-03T09:00:00.000Z");
        record.to_string()
    });
    place.write(".claude/projects/-w/a.jsonl", &first);
    place
        .write(".claude/projects/-w/b.jsonl", &(first.replace("\"sessionId\":\"a\"", "\"sessionId\":\"b\"") + &second));
    place.read();
    for _ in 0..2 {
        expect![[r#"
            p 1.1.1 answer the [needle] of a side
            a 1.1 answer a [needle]
        "#]]
        .assert_eq(&told(&place.search("needle", 100).listed));
        place.make_filters(None);
    }
}

#[test]
fn logs_that_grow_or_are_gone() {
    let place = Place::new();
    let cache = place.folder.path().join("cache");
    let log = |lines: &[(&str, &str)]| {
        place.write(CLAUDE, &claude_log("c", lines, &mut |value: &Value| value.to_string()));
    };
    let count = |word: &str| place.search(word, 10).total;
    log(&[("prompt", "one needle")]);
    place.read();
    let made = place.make_filters(Some(&cache));
    assert!(made.read > 0 && made.loaded == 0, "{made:?}");
    assert_eq!(place.make_filters(Some(&cache)).read, 0, "made once");
    log(&[("prompt", "one needle"), ("answer", "another needle and a pin")]);
    assert_eq!(count("needle"), 1, "what was read so far");
    place.read();
    assert_eq!((count("needle"), count("pin")), (2, 1), "what no filter covers is scanned");
    place.make_filters(None);
    assert_eq!((count("needle"), count("pin"), count("nothing")), (2, 1, 0));

    let again = Workspace::new(
        Arc::new(Index::new(Env { home: Some(place.folder.path().to_owned()), ..Env::default() })),
        Settings::default(),
    );
    again.index().refresh(&|_| {});
    let made = again.make_filters(Some(cache.clone()), &|| false).expect("filters");
    assert_eq!(made.loaded, 1, "stored, and only the end is read: {made:?}");
    let found = again.moment();
    assert_eq!(found.search(&parsed("pin"), found.logs().sessions(), 10).total, 1);

    log(&[("prompt", "short")]);
    assert_eq!(count("needle"), 0, "other bytes lie there now");
    place.read();
    assert_eq!((count("needle"), count("short")), (0, 1), "filters of another file are none");
    fs::remove_file(place.folder.path().join(CLAUDE)).expect("removed");
    assert_eq!(count("short"), 0, "gone with its file");
}

/// A command takes the filters that a server left, and is right whatever happened to the logs since.
#[test]
fn filters_that_another_process_made() {
    let place = Place::new();
    let cache = place.folder.path().join("cache");
    let long = "word ".repeat(20_000);
    let log = |name: &str, last: &str| {
        let lines = [("prompt", "go"), ("answer", &*long), ("answer", last)];
        let text = claude_log(name, &lines, &mut |value: &Value| value.to_string());
        place.write(&format!(".claude/projects/-w/{name}.jsonl"), &text);
        text
    };
    let texts = ["a", "b", "c"].map(|name| log(name, "a needle"));
    place.read();
    place.make_filters(Some(&cache));
    let check = |loaded: usize, needles: usize, pins: usize| {
        let env = Env { home: Some(place.folder.path().to_owned()), ..Env::default() };
        let other = Workspace::new(Arc::new(Index::new(env)), Settings::default());
        other.index().refresh(&|_| {});
        let moment = other.moment();
        assert_eq!(other.load_filters(cache.clone(), moment.logs().sessions()), loaded);
        for (word, count) in [("needle", needles), ("pin", pins), ("nothing", 0)] {
            assert_eq!(moment.search(&parsed(word), moment.logs().sessions(), 10).total, count, "{word}");
        }
    };
    check(3, 3, 0);
    let grown = format!("{}{}\n", texts[0], claude("a", 9, "assistant", json!([{ "type": "text", "text": "a pin" }])));
    place.write(".claude/projects/-w/a.jsonl", &grown);
    log("b", "pins and pins and pins");
    check(2, 2, 2);
    let few = |name: &str| {
        let moment = place.workspace.moment();
        let one = moment.logs().sessions().filter(|path| &*path.session == name).cloned().collect::<Vec<_>>();
        Workspace::load_filters(&place.workspace, cache.clone(), &one)
    };
    place.write(".claude/projects/-w/d.jsonl", &claude_log("d", &[("prompt", "x")], &mut |value| value.to_string()));
    place.read();
    assert_eq!(few("d"), 0, "scanned sooner");
    assert!(!cache.join("other").exists());
}

/// JSON as any writer may spell it: each character as it is or escaped, by `habits`.
fn spelled(value: &Value, habits: &mut dyn FnMut() -> u8, out: &mut String) {
    match value {
        Value::String(text) => {
            out.push('"');
            for c in text.chars() {
                match (habits(), c) {
                    (0, _) => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| _ = write!(out, "\\u{unit:04x}")),
                    (1, _) => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| _ = write!(out, "\\u{unit:04X}")),
                    (2, '/') => out.push_str("\\/"),
                    _ => {
                        let plain = serde_json::to_string(&c).expect("JSON");
                        out.push_str(&plain[1..plain.len() - 1]);
                    }
                }
            }
            out.push('"');
        }
        Value::Array(values) => {
            out.push('[');
            for (at, value) in values.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                spelled(value, habits, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            for (at, (name, value)) in fields.iter().enumerate() {
                _ = write!(out, "{}{}:", if at > 0 { "," } else { "" }, json!(name));
                spelled(value, habits, out);
            }
            out.push('}');
        }
        other => _ = write!(out, "{other}"),
    }
}

fn lines() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let kinds = prop_oneof![
        Just("prompt"),
        Just("answer"),
        Just("thought"),
        Just("run"),
        Just("ask"),
        Just("output"),
        Just("write"),
    ];
    let text = "[abkK\u{212A}s_./ \n\"\\\\öÖ東😀]{1,12}( [abs]{1,3})?";
    proptest::collection::vec((kinds, text), 1..8)
}

fn queries() -> impl Strategy<Value = String> {
    prop_oneof![
        "[abkKs_öÖ東]{1,4}",
        "[abks./]{1,4}\\*?",
        "[abksöÖ]{1,3} [abks]{1,2} case:yes",
        "\"[abks_.\\\\ö]{1,3} [abks]{1,2}\"",
        "/[abk]{1,2}[.s]?|[abks]{2}ö/",
        "/(?i)[abks]{1,3}(\\\\n|ö|\\\\s)/",
        "in:tool [abks]{1,2}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 40 } else { 1_000 }))]

    #[test]
    fn as_if_all_were_read(lines in lines(), queries in proptest::collection::vec(queries(), 12), habits in proptest::collection::vec(0..24u8, 1..40)) {
        let mut habits = habits.iter().copied().cycle();
        let write = &mut |value: &Value| {
            let mut out = String::new();
            spelled(value, &mut || habits.next().unwrap_or(9), &mut out);
            assert_eq!(&serde_json::from_str::<Value>(&out).expect("JSON"), value);
            out
        };
        let lines: Vec<(&str, &str)> = lines.iter().map(|(kind, text)| (*kind, text.as_str())).collect();
        let place = Place::new();
        place.write(CLAUDE, &claude_log("c", &lines, write));
        place.write(CODEX, &codex_log("x", &lines, write));
        place.write(GEMINI, &gemini_log("g", &lines, write));
        place.read();
        for has_filters in [false, true] {
            if has_filters {
                place.make_filters(None);
            }
            for query in &queries {
                let Ok(_) = Query::parse(query, &|_| None) else { continue };
                let mut all = place.search_all(query);
                all.sort_by_key(|session| session.best);
                let found = place.search(query, usize::MAX);
                prop_assert_eq!(told(&found.listed), told(&all), "{} with filters: {}", query, has_filters);
            }
        }
    }
}
