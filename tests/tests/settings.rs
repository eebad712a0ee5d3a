//! The settings of the language server: each works from the start, and when it is changed while the server runs.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::demo::{Demo, Session, line_of, modern};
use tests::lsp::HANG;

const SESSION: &str = "turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/add-retry-to-the-loader.trace.md";

/// What an editor shows of the demo, as far as settings change it.
fn picture(session: &mut Session<'_>) -> String {
    let uri = session.demo.uri("src/loader.rs");
    let text = session.demo.text("src/loader.rs");
    let line = line_of(&text, "let mut wait");
    let mut told = String::from("lenses\n");
    told += &session.lenses(&uri);
    told += &format!("hover {}\n", session.at("textDocument/hover", &uri, line, 8)["contents"]["value"]);
    for character in [0, 10] {
        let places = session.at("textDocument/definition", &uri, line, character);
        told += &format!("definition at {character}: {}\n", !places.is_null());
    }
    for query in ["?retry", "retry"] {
        let symbols = session.client.call("workspace/symbol", json!({ "query": query }));
        told += &format!("symbols for {query}: {}\n", symbols.as_array().map_or(0, Vec::len));
    }
    let range = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 99, "character": 0 } });
    let hints =
        session.client.call("textDocument/inlayHint", json!({ "textDocument": { "uri": uri }, "range": range }));
    told += &format!("hints {}\n", hints.as_array().map_or(0, Vec::len));
    told += &format!("sessions {}\n", session.client.call("turnlens/status", json!({}))["sessions"]);
    let asked = session.client.request("turnlens/stepDiff", json!({ "address": "9f3c:1.7" }));
    told += &format!("diff of {}\n", session.client.answer(asked).unwrap_or_default()["uri"]);
    let asked = session.client.request("workspace/textDocumentContent", json!({ "uri": SESSION }));
    match session.client.answer(asked) {
        Ok(content) => told + content["text"].as_str().unwrap_or_default(),
        Err(_) => told + "no session",
    }
}

/// Holds that a setting changes what is shown, and the same whether it was there from the start or came later.
fn check(settings: Value) {
    check_in(&Demo::default(), settings);
}

fn check_in(demo: &Demo, settings: Value) {
    let mut running = demo.modern();
    running.open("src/loader.rs");
    let default = picture(&mut running);
    let mut started = demo.start(modern(), settings.clone());
    started.open("src/loader.rs");
    let wanted = picture(&mut started);
    assert!(default != wanted, "{settings} changes nothing");
    for (settings, wanted) in [(settings, wanted), (json!({}), default)] {
        running.configure(settings.clone());
        let deadline = Instant::now() + HANG;
        let mut shown = picture(&mut running);
        while shown != wanted && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(20));
            shown = picture(&mut running);
        }
        assert_eq!(shown, wanted, "{settings}");
    }
}

#[test]
fn enable() {
    check(json!({ "enable": false }));
}

#[test]
fn lenses_and_hovers() {
    check(json!({ "codeLens": { "scope": "off" } }));
    check(json!({ "hover": { "code": "line" } }));
    check(json!({ "hover": { "code": "off" } }));
    check(json!({ "recentHours": 0 }));
    check(json!({ "inlayHints": { "enable": true } }));
    check(json!({ "files": { "exclude": ["**/loader.rs"] } }));
}

#[test]
fn definition_and_symbols() {
    check(json!({ "definition": "always" }));
    check(json!({ "definition": "off" }));
    check(json!({ "workspaceSymbols": "always" }));
    check(json!({ "workspaceSymbols": "off" }));
}

#[test]
fn documents() {
    check(json!({ "document": { "outputLines": 1 } }));
    check(json!({ "document": { "showThinking": "hidden" } }));
}

#[test]
fn which_logs_are_read() {
    check(json!({ "agents": [] }));
    let demo = Demo::default();
    let repo = demo.repo.to_string_lossy().into_owned();
    check_in(&demo, json!({ "logs": { "pathMappings": { repo: "~/elsewhere" } } }));
}

#[test]
fn an_agent_that_is_not_known_is_told_and_not_read() {
    let demo = Demo::default();
    let mut session = demo.start(modern(), json!({ "agents": ["cluade"] }));
    let told = session.client.notification("window/showMessage");
    let words = "turnlens.agents names \"cluade\", no agent whose logs Turnlens reads. It reads: claude-code";
    assert!(told["message"].as_str().is_some_and(|message| message.starts_with(words)), "{told}");
    assert_eq!(session.client.call("turnlens/status", json!({}))["sessions"], 0);
}

#[test]
fn folders_of_logs_below_the_home() {
    let demo = Demo::default();
    fs::rename(demo.home.join(".claude"), demo.home.join("copied")).expect("a folder");
    let mut session = demo.modern();
    assert_eq!(session.client.call("turnlens/status", json!({}))["sessions"], 0);
    session.configure(json!({ "logs": { "folders": [{ "agent": "claude-code", "path": "~/copied" }] } }));
    session.wait_until(|session| session.client.call("turnlens/status", json!({}))["sessions"] == 1);
    session.configure(json!({}));
    session.wait_until(|session| session.client.call("turnlens/status", json!({}))["sessions"] == 0);
}
