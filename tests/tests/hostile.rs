//! Names and texts from logs, and URIs from clients, that mean harm: they are shown as what they are and reach nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::{Value, json};
use tests::demo::file_uri;
use tests::home::{Home, SESSION};
use tests::lsp::Client;

/// A prompt with everything in it that a terminal, Markdown, HTML or an editor could take for more than text.
const PROMPT: &str = "Paint \x1b[31mit\x07 red\u{202e} now \u{9b}2J [run](command:workbench.action.terminal.new) \
    ![see](https://evil.example/p.png) <img src=x onerror=alert(1)> <https://evil.example/auto> <command:evil> \
    https://evil.example/bare www.evil.example ]8;; \x1b]8;;https://evil.example\x07click\x1b]8;;\x07 `` ` ``` \
    [ref]: https://evil.example &lt;b&gt; $(command:evil) \\[x](command:evil)\r\n\
    ```\n[fenced](command:evil)\n```\n\
    [ref]: command:evil\n\
    <details><summary>x</summary>\n\n- [ ] [y](file:///etc/passwd)\n\n# Not a heading of ours\n\
    | a | b |\n|---|---|\n| [z](command:evil) | x |\n\u{2066}bidi\u{2069} \u{2028}end";

/// A home where an agent was asked that, said that, and wrote it into a file.
fn hostile() -> Home {
    let home = Home::default();
    let file = home.work.join("a.rs").to_string_lossy().into_owned();
    let mut records = vec![home.prompt(SESSION, 1, PROMPT), home.says(SESSION, 2, PROMPT)];
    records.extend(home.writes(SESSION, 3, &file, "one\ntwo\n"));
    records.push(home.says(SESSION, 5, PROMPT));
    let hostile_name = home.work.join("b [x](command:evil)\x1b[31m\n`<img src=x>.rs").to_string_lossy().into_owned();
    records.extend(home.writes(SESSION, 6, &hostile_name, "two\nthree\n"));
    home.write(SESSION, &records);
    fs::write(&file, "one\ntwo\n").expect("written");
    home
}

/// Fails on control characters, and on those that turn the direction of writing.
fn check_text(what: &str, text: &str) {
    let bad = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!text.contains(bad), "{what}: {text:?}");
}

fn check_strings(what: &str, value: &Value) {
    match value {
        Value::String(text) => check_text(what, text),
        Value::Array(values) => values.iter().for_each(|value| check_strings(what, value)),
        Value::Object(fields) => fields.values().for_each(|value| check_strings(what, value)),
        _ => {}
    }
}

/// Fails on links, pictures and HTML that are not ours, as a Markdown reader sees them.
fn check_markdown(what: &str, text: &str) {
    check_text(what, text);
    let ours =
        |to: &str| to.starts_with("turnlens://") || to.starts_with("command:turnlens.") || to.starts_with("file://");
    let mut in_code = false;
    for event in Parser::new_ext(text, Options::all()) {
        match &event {
            Event::Start(Tag::Link { dest_url, .. }) => {
                assert!(ours(dest_url), "{what}: a link to {dest_url} in\n{text}")
            }
            Event::Start(Tag::Image { dest_url, .. }) => panic!("{what}: a picture {dest_url} in\n{text}"),
            Event::Html(html) | Event::InlineHtml(html) => panic!("{what}: HTML {html} in\n{text}"),
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(pulldown_cmark::TagEnd::CodeBlock) => in_code = false,
            // Editors make links of bare addresses.
            Event::Text(words) if !in_code => {
                let raw = text.contains(&**words) && (words.contains("https://") || words.contains("www."));
                assert!(!raw, "{what}: a bare address in {words:?} of\n{text}");
            }
            _ => {}
        }
    }
}

#[test]
fn texts_in_the_terminal() {
    let home = hostile();
    let address = format!("{}:1", &SESSION[..8]);
    for args in [
        &["sessions"][..],
        &["show", "@"],
        &["show", "@", "--full"],
        &["log"],
        &["log", "a.rs"],
        &["blame", "a.rs"],
        &["blame", "--explain", "a.rs:1"],
        &["search", "red"],
        &["status"],
        &["doctor"],
        &["show", &address],
        &["resume", "@"],
        &["show", "no\x1b[31m such \u{202e}"],
        &["blame", "no\x1b[31m such"],
        &["search", "no\x1b[31m such \u{202e}"],
    ] {
        let output = home.turnlens(args);
        assert!(output.status.code().is_some(), "{args:?}: {output:?}");
        check_text(&format!("{args:?}"), &String::from_utf8_lossy(&output.stdout));
        check_text(&format!("{args:?}"), &String::from_utf8_lossy(&output.stderr));
    }
}

fn open(client: &mut Client, uri: &str, text: &str) {
    let item = json!({ "uri": uri, "languageId": "rust", "version": 1, "text": text });
    client.notify("textDocument/didOpen", json!({ "textDocument": item }));
}

#[test]
fn texts_in_the_editor() {
    let home = hostile();
    for hover_links in ["command", "uri", "none"] {
        let capabilities = json!({
            "workspace": { "textDocumentContent": {} },
            "textDocument": { "hover": { "contentFormat": ["markdown"] } },
        });
        let options = json!({ "hoverLinks": hover_links, "definition": "always", "workspaceSymbols": "always" });
        let mut client = home.start_with(json!({ "capabilities": capabilities, "initializationOptions": options }));
        let code = file_uri(&home.work.join("a.rs"));
        open(&mut client, &code, "one\ntwo\n");
        let turn = client.call("textDocument/definition", at(&code, 0))["uri"].as_str().expect("a document").to_owned();
        let text = client.call("workspace/textDocumentContent", json!({ "uri": turn }))["text"].clone();
        let text = text.as_str().expect("a text");
        check_text("a trace", text);
        open(&mut client, &turn, text);
        let lines = u32::try_from(text.lines().count()).expect("few lines");
        let hovers = (0..2).map(|line| (&code, line)).chain((0..lines).map(|line| (&turn, line)));
        let mut hovered = 0;
        for (uri, line) in hovers {
            let hover = client.call("textDocument/hover", at(uri, line));
            if let Some(value) = hover["contents"]["value"].as_str() {
                assert_eq!(hover["contents"]["kind"], "markdown");
                check_markdown(&format!("hover {uri}:{line}"), value);
                hovered += 1;
            }
        }
        assert!(hovered > 2, "{hovered} hovers");
        for uri in [&code, &turn] {
            for method in ["codeLens", "documentSymbol", "documentLink", "codeAction"] {
                let told = client.call(&format!("textDocument/{method}"), at(uri, 0));
                check_strings(method, &told);
                for part in
                    told.as_array().into_iter().flatten().filter(|_| method == "codeLens" || method == "documentLink")
                {
                    let part = if method == "codeLens" && part.get("command").is_some() {
                        part.clone()
                    } else {
                        client.call(&format!("{method}/resolve"), part.clone())
                    };
                    check_strings(method, &part);
                    let to = part["target"].as_str().unwrap_or("turnlens:");
                    assert!(to.starts_with("turnlens:") || to.starts_with("file:"), "a link to {to}");
                }
            }
        }
        for (method, params) in [
            ("turnlens/line", at(&code, 0)),
            ("turnlens/lines", at(&code, 0)),
            ("turnlens/explain", at(&code, 0)),
            ("turnlens/peek", at(&code, 0)),
            ("turnlens/history", at(&code, 0)),
            ("turnlens/fileHistory", at(&code, 0)),
            ("turnlens/status", json!({})),
            ("turnlens/sessions", json!({ "all": true })),
            ("turnlens/search", json!({ "query": "red" })),
            ("workspace/symbol", json!({ "query": "?red" })),
        ] {
            let id = client.request(method, params);
            match client.answer(id) {
                Ok(told) => {
                    check_strings(method, &told);
                    if let Some(markdown) = told["markdown"].as_str().or(told["contents"]["value"].as_str()) {
                        check_markdown(method, markdown);
                    }
                }
                Err(error) => check_text(method, &error.message),
            }
        }
    }
}

fn at(uri: &str, line: u32) -> Value {
    let position = json!({ "line": line, "character": 0 });
    json!({ "textDocument": { "uri": uri }, "position": position, "range": { "start": position, "end": position },
        "context": { "diagnostics": [], "includeDeclaration": true } })
}

/// All files below a folder.
fn files(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files(&entry.path(), found),
            _ => drop(found.insert(entry.path())),
        }
    }
}

/// Sessions whose names would lead out of any folder: their documents lie in ours all the same.
#[test]
fn names_of_sessions() {
    let home = Home::default();
    let long = "x".repeat(3_000);
    let names = [
        "../../../../evil",
        "..",
        "/etc/evil",
        "a/../../evil",
        "C:\\evil",
        "con",
        "a\0b",
        "%2e%2e%2fevil",
        "~",
        "",
        &long,
        "né 😀\n",
        "x; touch evil",
        "--dangerously-skip-permissions",
        "$(evil)",
    ];
    for (n, name) in names.iter().enumerate() {
        let records = [home.prompt(name, 1, "Write it"), home.says(name, 2, "Yes")];
        home.write(&format!("{n:08}-1111-4222-8333-444455556666"), &records);
    }
    let outside = |home: &Home| {
        let mut found = BTreeSet::new();
        files(home.home.parent().expect("a folder"), &mut found);
        found.retain(|path| !path.starts_with(home.caches().join("turnlens")));
        found
    };
    let before = outside(&home);
    let documents = home.caches().join("turnlens").join("documents");
    let mut client = home.start(json!({ "window": { "showDocument": { "support": true } } }));
    let told = client.call("turnlens/sessions", json!({ "all": true }));
    let sessions = told["sessions"].as_array().expect("sessions");
    assert_eq!(sessions.len(), names.len(), "{told:#}");
    for session in sessions {
        let id = client.request("turnlens/copy", json!({ "address": session["address"], "form": "resume" }));
        if let Ok(told) = client.answer(id) {
            let command = told["text"].as_str().expect("a command");
            let id = command.strip_prefix("claude --resume ").expect("Claude's command");
            assert!(
                !id.starts_with('-') && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)),
                "{command}"
            );
        }
        let argument = json!({ "address": session["address"] });
        let show = json!({ "command": "turnlens.server.show", "arguments": [argument] });
        client.call("workspace/executeCommand", show);
        let message = client.next_message();
        if message["method"] == "window/showDocument" {
            let uri = message["params"]["uri"].as_str().expect("a URI").to_owned();
            let path = PathBuf::from(uri.strip_prefix("file://").expect("a file"));
            assert!(path.starts_with(&documents) && path.is_file(), "{uri}");
            assert!(path.canonicalize().expect("a file").starts_with(&documents), "{uri}");
            client.reply(&message, json!({ "success": true }));
        }
    }
    assert_eq!(outside(&home), before);
    let mut inside = BTreeSet::new();
    files(&documents, &mut inside);
    assert!(inside.len() > 1, "{inside:?}");
}

/// URIs that lead elsewhere, or nowhere: refused or left without an answer, and nothing foreign is read.
#[test]
fn uris() {
    let home = Home::default();
    home.write(SESSION, &[home.prompt(SESSION, 1, "Write it")]);
    let secret = home.caches().join("turnlens/secret.trace.md");
    fs::create_dir_all(secret.parent().expect("a folder")).expect("a folder");
    fs::write(&secret, "a secret of the user").expect("written");
    let mut client = home.start(json!({ "workspace": { "textDocumentContent": {} } }));
    let documents = home.caches().join("turnlens/documents");
    let below = |rest: &str| format!("{}/{rest}", file_uri(&documents));
    let uris = [
        "turnlens://claude-code/../../../etc/passwd".into(),
        "turnlens://claude-code/%2e%2e/%2e%2e/etc/passwd".into(),
        format!("turnlens://claude-code/{SESSION}/../../x/1/a.trace.md"),
        format!("turnlens://claude-code/{SESSION}/99999999999999999999/a.trace.md"),
        format!("turnlens://claude-code/{SESSION}/1/{}.trace.md", "a".repeat(100_000)),
        format!("turnlens://claude-code/{SESSION}/1/\u{202e}\u{0}.trace.md"),
        "turnlens:".into(),
        "turnlens://".into(),
        "turnlens:////".into(),
        "turnlens://commit/../../HEAD".into(),
        "turnlens://commit/--upload-pack=evil/x.diff".into(),
        below("../secret.trace.md"),
        below("%2e%2e/secret.trace.md"),
        below("..%2fsecret.trace.md"),
        below("claude-code/../../secret.trace.md"),
        file_uri(&secret),
        "file:///proc/self/mem".into(),
        "file:///dev/zero".into(),
        "file:///dev/stdin".into(),
        "file://host/share/a".into(),
        "file:////".into(),
        "file:///%00".into(),
        "file:///a%0ab".into(),
        "file:".into(),
        "data:text/plain,x".into(),
        "command:evil".into(),
        "http://evil.example/".into(),
        "x".into(),
        String::new(),
        "\u{0}".into(),
    ];
    let methods = [
        "workspace/textDocumentContent",
        "turnlens/textDocumentContent",
        "textDocument/hover",
        "textDocument/codeLens",
        "textDocument/definition",
        "textDocument/references",
        "textDocument/documentSymbol",
        "textDocument/foldingRange",
        "textDocument/documentLink",
        "textDocument/semanticTokens/full",
        "textDocument/codeAction",
        "textDocument/inlayHint",
        "turnlens/line",
        "turnlens/lines",
        "turnlens/history",
        "turnlens/explain",
        "turnlens/peek",
        "turnlens/fileHistory",
        "turnlens/sessions",
    ];
    for opened in [false, true] {
        for uri in &uris {
            if opened {
                open(&mut client, uri, "one\ntwo\n");
            }
            let ids: Vec<i64> = methods
                .iter()
                .map(|method| {
                    let mut params = at(uri, 0);
                    params["uri"] = json!(uri);
                    client.request(method, params)
                })
                .collect();
            for (id, method) in ids.into_iter().zip(methods) {
                let told = client.answer(id).map_or_else(|error| error.message, |told| told.to_string());
                // A file's own URI is its editor asking for it; a document of ours is never another file.
                let is_ours = method.ends_with("textDocumentContent") || uri.starts_with("turnlens:");
                assert!(!is_ours || !(told.contains("a secret") || told.contains("root:")), "{method} {uri}: {told}");
                assert!(told.len() < 400_000, "{method} {uri}: {} bytes", told.len());
            }
        }
    }
    if let Some(peak) = client.memory("VmHWM") {
        assert!(peak < 250 << 20, "{} MB were held at once", peak >> 20);
    }
    assert_eq!(fs::read_to_string(&secret).expect("a file"), "a secret of the user");
}
