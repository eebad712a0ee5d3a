//! What each editor said in `initialize`: every feature answers, and nothing is asked that was not offered.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tests::demo::{Demo, line_of};

/// Asks for everything. The test's client holds each answer and each message against what was offered.
fn all_features(demo: &Demo, name: &str, params: Value) {
    let capabilities = params["capabilities"].clone();
    let mut session = demo.start_with(params);
    let uri = session.open("src/loader.rs");
    let line = line_of(&demo.text("src/loader.rs"), "let mut wait");
    session.lenses(&uri);
    let hover = session.at("textDocument/hover", &uri, line, 4);
    let formats = &capabilities["textDocument"]["hover"]["contentFormat"];
    let markdown = formats.as_array().is_some_and(|formats| formats.contains(&json!("markdown")));
    assert_eq!(hover["contents"]["kind"], if markdown { "markdown" } else { "plaintext" }, "{name}");
    let turn = session.at("textDocument/definition", &uri, line, 0)["uri"].as_str().expect("a URI").to_owned();
    let text = session.client.call("turnlens/textDocumentContent", json!({ "uri": turn }))["text"].clone();
    session.open_text(&turn, text.as_str().expect("a text"));
    session.lenses(&turn);
    for method in ["documentSymbol", "foldingRange", "documentLink", "semanticTokens/full"] {
        assert!(!session.of(&format!("textDocument/{method}"), &turn).is_null(), "{name}: {method}");
        assert!(session.of(&format!("textDocument/{method}"), &uri).is_null(), "{name}: {method}");
    }
    let symbols = session.of("textDocument/documentSymbol", &turn);
    let hierarchy = capabilities.pointer("/textDocument/documentSymbol/hierarchicalDocumentSymbolSupport");
    assert_eq!(symbols[0]["children"].is_array(), hierarchy == Some(&json!(true)), "{name}");
    session.at("textDocument/references", &turn, 0, 0);
    session.client.call("workspace/symbol", json!({ "query": "?retry" }));
    let range = json!({ "start": { "line": line, "character": 0 }, "end": { "line": line, "character": 0 } });
    let params = json!({ "textDocument": { "uri": uri }, "range": range, "context": { "diagnostics": [] } });
    let actions = session.client.call("textDocument/codeAction", params);
    let first = actions[0].clone();
    let command = if first["command"].is_string() { first } else { first["command"].clone() };
    assert_eq!(command["command"], "turnlens.server.show", "{name}");
    let run = json!({ "command": command["command"], "arguments": command["arguments"] });
    session.client.call("workspace/executeCommand", run);
    // Shown from a task of its own, before or after the answer.
    if capabilities.pointer("/window/showDocument/support") == Some(&json!(true)) {
        let shown = session.client.server_request("window/showDocument");
        session.client.reply(&shown, json!({ "success": true }));
    } else {
        session.client.notification("window/showMessage");
    }
    session.client.call("turnlens/status", json!({}));
    session.client.take_unclaimed();
}

#[test]
fn real_ones() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/clients");
    let demo = Demo::default();
    let files = fs::read_dir(&folder).expect("the folder of clients").flatten().map(|file| file.path());
    let files: Vec<_> = files.filter(|path| path.extension().is_some_and(|ext| ext == "json")).collect();
    assert!(files.len() >= 11, "{files:?}");
    for path in files {
        let params = serde_json::from_slice(&fs::read(&path).expect("readable")).expect("JSON");
        all_features(&demo, &path.file_stem().unwrap_or_default().to_string_lossy(), params);
    }
}

#[test]
fn a_client_that_offers_nothing() {
    let demo = Demo::default();
    for capabilities in [Value::Null, json!({}), json!({ "textDocument": null, "workspace": null, "window": null })] {
        all_features(&demo, "a bare client", json!({ "capabilities": capabilities }));
    }
}
