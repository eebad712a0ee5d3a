//! The features of the language server, against the real server over stdio and the sessions of `turnlens demo`.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use tests::demo::{Demo, Session, file_uri, line_of, modern, without_time};

const TURN_1: &str = "turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/1/add-retry-to-the-loader.trace.md";
const SESSION: &str = "turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/add-retry-to-the-loader.trace.md";

mod code {
    use super::*;

    fn check_lenses(rel: &str, options: Value, expect: Expect) {
        let demo = Demo::default();
        let mut session = demo.start(modern(), options);
        let uri = session.open(rel);
        expect.assert_eq(&session.lenses(&uri));
    }

    #[test]
    fn lenses() {
        check_lenses(
            "src/loader.rs",
            json!({}),
            expect![[r#"
            2 Claude · Add retry to the loader → turnlens.server.show
        "#]],
        );
        check_lenses(
            "src/uploader.rs",
            json!({}),
            expect![[r#"
            2 Claude · Add retry to the loader → yes → turnlens.server.show
            7 Claude · Add retry to the loader → yes → turnlens.server.show
        "#]],
        );
        check_lenses(
            "src/uploader.rs",
            json!({ "codeLens.scope": "all" }),
            expect![[r#"
            2 Claude · Add retry to the loader → yes → turnlens.server.show
            7 Claude · Add retry to the loader → yes → turnlens.server.show
        "#]],
        );
        check_lenses("src/loader.rs", json!({ "codeLens.scope": "off" }), expect![[""]]);
        check_lenses(
            "src/loader.rs",
            json!({ "commands": ["turnlens.openTurn"] }),
            expect![[r#"
            2 Claude · Add retry to the loader → turnlens.openTurn
        "#]],
        );
        check_lenses("src/loader.rs", json!({ "enable": false, "codeLens.scope": "all" }), expect![[""]]);
        check_lenses("Cargo.toml", json!({}), expect![[""]]);
    }

    #[test]
    fn excluded_files_have_no_lens_and_no_hover_but_answer() {
        let demo = Demo::default();
        let mut session = demo.start(modern(), json!({ "files.exclude": ["**/loader.rs"] }));
        let uri = session.open("src/loader.rs");
        let line = line_of(&demo.text("src/loader.rs"), "let mut wait");
        assert_eq!(session.of("textDocument/codeLens", &uri), Value::Null);
        assert_eq!(session.at("textDocument/hover", &uri, line, 4), Value::Null);
        assert_eq!(session.at("turnlens/line", &uri, line, 4)["origin"]["atStep"], "1.7");
    }

    #[test]
    fn rows_stay_while_somebody_types() {
        let demo = Demo::default();
        let mut session = demo.modern();
        let uri = session.open("src/loader.rs");
        let before = session.lenses(&uri);
        session.change(&uri, (0, 0), (0, 0), "// one\n// two\n");
        session.change(&uri, (0, 2), (0, 3), "");
        let (line, rest) = before.split_once(' ').expect("a row");
        let moved = line.parse::<u32>().expect("a line") + 2;
        assert_eq!(session.lenses(&uri), format!("{moved} {rest}"));
        // All of it is replaced by a person's: what was there stays until nobody types.
        let lines = u32::try_from(demo.text("src/loader.rs").lines().count()).expect("lines") + 2;
        session.change(&uri, (0, 0), (lines, 0), "fn mine() {}\n");
        assert_eq!(session.lenses(&uri).lines().count(), before.lines().count());
        session.client.notify("textDocument/didSave", json!({ "textDocument": { "uri": uri } }));
        assert_eq!(session.lenses(&uri), "");
    }

    /// What is known of the first line with `needle`.
    fn check_line(rel: &str, needle: &str, expect: Expect) {
        let demo = Demo::default();
        let mut session = demo.modern();
        let uri = demo.uri(rel);
        let line = line_of(&demo.text(rel), needle);
        let position = json!({ "line": line, "character": 0 });
        let params = json!({ "textDocument": { "uri": uri }, "position": position, "ask": true });
        let told = session.client.call("turnlens/line", params);
        let origin = &told["origin"];
        let place = origin["document"]["uri"].as_str().map(|uri| {
            let text = session.content(uri);
            let line = origin["document"]["range"]["start"]["line"].as_u64().expect("a line");
            text.lines().nth(usize::try_from(line).expect("a line")).unwrap_or_default().to_owned()
        });
        let message = told["message"].as_str().map(|message| message.split(" Last commit").next().unwrap_or_default());
        expect.assert_eq(&format!(
            "{} {} {}\n{}",
            origin["address"].as_str().unwrap_or("-"),
            origin["evidence"].as_str().unwrap_or("-"),
            origin["title"].as_str().unwrap_or("-"),
            place.as_deref().or(message).unwrap_or_default(),
        ));
    }

    #[test]
    fn lines() {
        check_line(
            "src/loader.rs",
            "let mut wait",
            expect![[r#"
            9f3c1a2b:1.7 recorded Add retry to the loader
            +    let mut wait = Duration::from_millis(200);"#]],
        );
        check_line(
            "src/retry.rs",
            "pub fn retry",
            expect![[r#"
            9f3c1a2b:2.3 reformatted Add retry to the loader → yes
            ### 2.3 Write src/retry.rs · new file, 15 lines"#]],
        );
        check_line(
            "tests/retry.rs",
            "use fetchd",
            expect![[r#"
            9f3c1a2b:2.7.3 recorded Add retry to the loader → yes
            +use fetchd::http::Error;"#]],
        );
        check_line(
            "src/lib.rs",
            "",
            expect![[r#"
            - - -
            No recorded turn wrote this line."#]],
        );
    }

    fn check_hover(options: Value, expect: Expect) {
        let demo = Demo::default();
        let mut session = demo.start(modern(), options);
        let line = line_of(&demo.text("src/loader.rs"), "use std::{thread");
        let hover = session.at("textDocument/hover", &demo.uri("src/loader.rs"), line, 4);
        let text = hover["contents"]["value"].as_str().unwrap_or("nothing").to_owned();
        // The session of the demo is of today, or of yesterday in the first minutes of a day.
        let time = regex::Regex::new(r"today \d\d:\d\d|· \d\d? [A-Z][a-z]{2}\b").expect("a pattern");
        let text =
            time.replace(&text, |found: &regex::Captures<'_>| if found[0].starts_with('·') { "· NOW" } else { "NOW" });
        expect.assert_eq(&text.replace(&file_uri(&demo.home), "HOME"));
    }

    #[test]
    fn hovers() {
        check_hover(
            json!({ "hover.code": "full" }),
            expect![[r#"
            **Claude** · 9f3c1a2b:1.12 · NOW

            > Add retry to the loader: three attempts, back off 200 ms, 400 ms. Do not retry on 4xx.  
            > The error type is in src/http.rs.

            ```diff
            @@ src/loader.rs:4 @@
            +use std::{thread::sleep, time::Duration};
            ```
            "The loader gives up at the first network error, so the call goes into a loop."  
            After it: `cargo test -p fetchd` passed in 1.13"#]],
        );
        check_hover(
            json!({ "hover.code": "compact" }),
            expect![[r#"
            **Claude** · 9f3c1a2b:1.12 · NOW

            > Add retry to the loader: three attempts, back off 200 ms, 400 ms. Do not retry on 4xx.

            ```diff
            +use std::{thread::sleep, time::Duration};
            ```"#]],
        );
        check_hover(
            json!({ "hover.code": "line", "hoverLinks": "command", "commands": ["turnlens.openTurn"] }),
            expect![
                "**Claude** · [turn 1](command:turnlens.openTurn?%5B%7B%22address%22%3A%229f3c1a2b%3A1.12%22%7D%5D) · NOW · Add retry to the loader: three attempts, back off 200 ms, 400 ms. Do not retry on 4xx."
            ],
        );
        check_hover(
            json!({ "hover.code": "compact", "virtualDocuments": "files" }),
            expect![[r#"
            **Claude** · [turn 1](HOME/caches/turnlens/documents/claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/1/add-retry-to-the-loader.trace.md#L91) · NOW · [diff](HOME/caches/turnlens/documents/claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/1.12/changes.diff)

            > Add retry to the loader: three attempts, back off 200 ms, 400 ms. Do not retry on 4xx.

            ```diff
            +use std::{thread::sleep, time::Duration};
            ```"#]],
        );
        check_hover(json!({ "hover.code": "off" }), expect!["nothing"]);
    }

    #[test]
    fn definition_answers_in_the_margin_only() {
        let demo = Demo::default();
        let mut session = demo.modern();
        let uri = demo.uri("src/loader.rs");
        let line = line_of(&demo.text("src/loader.rs"), "let mut wait");
        let mut define = |character| session.at("textDocument/definition", &uri, line, character);
        assert_eq!(define(0)["uri"], TURN_1);
        assert_eq!(define(3)["uri"], TURN_1);
        assert_eq!(define(4), Value::Null);
        assert_eq!(define(9), Value::Null);
        drop(session);
        let mut session = demo.start(modern(), json!({ "definition": "always" }));
        assert_eq!(session.at("textDocument/definition", &uri, line, 9)["uri"], TURN_1);
    }

    fn check_actions(capabilities: Value, only: Value, needle: &str, lines: u32, expect: Expect) {
        let demo = Demo::default();
        let mut session = demo.start(capabilities, json!({}));
        let line = line_of(&demo.text("src/loader.rs"), needle);
        let range =
            json!({ "start": { "line": line, "character": 0 }, "end": { "line": line + lines, "character": 0 } });
        let context = json!({ "diagnostics": [], "only": only });
        let params =
            json!({ "textDocument": { "uri": demo.uri("src/loader.rs") }, "range": range, "context": context });
        let actions = session.client.call("textDocument/codeAction", params);
        let action = |action: &Value| {
            let kind = action["kind"].as_str().unwrap_or("command");
            let command =
                if action["command"].is_string() { &action["command"] } else { &action["command"]["command"] };
            format!(
                "{kind}: {} → {}\n",
                action["title"].as_str().unwrap_or_default(),
                command.as_str().unwrap_or("none")
            )
        };
        expect.assert_eq(&actions.as_array().into_iter().flatten().map(action).collect::<String>());
    }

    #[test]
    fn actions() {
        check_actions(
            modern(),
            Value::Null,
            "let mut wait",
            0,
            expect![[r#"
            source.turnlens: Open turn 1 (Claude, Add retry to the loader) → turnlens.server.show
            source.turnlens: Show diff of step 1.7 → turnlens.server.diff
            source.turnlens: Show changes of turn 1 → turnlens.server.diff
            source.turnlens: Show line history → turnlens.server.show
            source.turnlens: Explain this line → turnlens.server.show
        "#]],
        );
        check_actions(
            modern(),
            json!(["source"]),
            "use std::{thread",
            12,
            expect![[r#"
            source.turnlens: Open turn 1 (Claude, Add retry to the loader) → turnlens.server.show
        "#]],
        );
        check_actions(
            json!({}),
            Value::Null,
            "//! Loads pages",
            0,
            expect![[r#"
            command: Explain this line → turnlens.server.show
        "#]],
        );
        check_actions(modern(), json!(["quickfix"]), "let mut wait", 0, expect![[""]]);
    }

    #[test]
    fn only_what_is_ours_is_answered_with_a_list() {
        let demo = Demo::default();
        let mut session = demo.modern();
        let uri = session.open("src/loader.rs");
        for method in ["documentSymbol", "foldingRange", "documentLink", "semanticTokens/full"] {
            assert_eq!(session.of(&format!("textDocument/{method}"), &uri), Value::Null, "{method}");
        }
        assert_eq!(session.at("textDocument/references", &uri, 8, 4), Value::Null);
        assert_eq!(session.client.call("workspace/symbol", json!({ "query": "retry" })), Value::Null);
        let found = session.client.call("workspace/symbol", json!({ "query": "?retry" }));
        let names: Vec<&str> =
            found.as_array().into_iter().flatten().filter_map(|turn| turn["name"].as_str()).collect();
        expect![[r#"
            [
                "? Add retry to the loader → yes",
                "? Add retry to the loader",
            ]
        "#]]
        .assert_debug_eq(&names);
    }

    #[test]
    fn hints_where_they_are_switched_on() {
        let demo = Demo::default();
        let range = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 100, "character": 0 } });
        let params = json!({ "textDocument": { "uri": demo.uri("src/loader.rs") }, "range": range });
        assert_eq!(demo.modern().client.call("textDocument/inlayHint", params.clone()), Value::Null);
        let hints =
            demo.start(modern(), json!({ "inlayHints.enable": true })).client.call("textDocument/inlayHint", params);
        let label = hints[0]["label"].as_str().expect("a label");
        assert_eq!(without_time(label), "Claude · Add retry to the loader");
    }

    #[test]
    fn a_log_opened_as_a_file_has_one_lens() {
        let demo = Demo::default();
        let mut session = demo.modern();
        assert_eq!(session.lenses(&file_uri(&demo.log())), "0 Open as trace → turnlens.server.show\n");
    }
}

mod traces {
    use super::*;

    #[test]
    fn lenses() {
        let demo = Demo::default();
        let mut session = demo.modern();
        expect![[r#"
            0 18 of 18 lines live → turnlens.server.diff
            0 changes → turnlens.server.diff
            0 whole session → turnlens.server.show
            0 next turn → turnlens.server.show
            21 12 of 12 lines live · now src/loader.rs:9 → turnlens.server.show
            21 diff → turnlens.server.diff
            21 before → turnlens.server.show
            21 raw → turnlens.server.show
            55 5 of 5 lines live · now src/http.rs:24 → turnlens.server.show
            55 diff → turnlens.server.diff
            55 before → turnlens.server.show
            55 raw → turnlens.server.show
            90 1 of 1 line live · now src/loader.rs:4 → turnlens.server.show
            90 diff → turnlens.server.diff
            90 before → turnlens.server.show
            90 raw → turnlens.server.show
        "#]]
        .assert_eq(&session.lenses(TURN_1));
        let commands = ["turnlens.showStepDiff", "turnlens.showTurnChanges", "turnlens.openCode", "turnlens.undoTurn"];
        drop(session);
        let mut session = demo.start(modern(), json!({ "commands": commands }));
        let told = session.lenses(TURN_1);
        assert!(
            told.contains("changes → turnlens.showTurnChanges") && told.contains("undo → turnlens.undoTurn"),
            "{told}"
        );
        session.client.take_unclaimed();
    }

    #[test]
    fn from_a_line_to_its_turn_and_back() {
        let demo = Demo::default();
        let mut session = demo.modern();
        let uri = demo.uri("src/loader.rs");
        let text = demo.text("src/loader.rs");
        for (line, words) in (0..).zip(text.lines()) {
            let there = session.at("turnlens/line", &uri, line, 0)["origin"]["document"].clone();
            if there.is_null() {
                continue;
            }
            let turn = there["uri"].as_str().expect("a URI").to_owned();
            let row = u32::try_from(there["range"]["start"]["line"].as_u64().expect("a line")).expect("a line");
            let shown = session.content(&turn);
            assert_eq!(shown.lines().nth(row as usize), Some(&*format!("+{words}")));
            let back = session.at("textDocument/definition", &turn, row, 0);
            assert_eq!(
                (back["uri"].as_str(), back["range"]["start"]["line"].as_u64()),
                (Some(&*uri), Some(line.into()))
            );
        }
    }

    fn check_hover(needle: &str, expect: Expect) {
        let demo = Demo::default();
        let mut session = demo.modern();
        let line = line_of(&session.content(TURN_1), needle);
        let hover = session.at("textDocument/hover", TURN_1, line, 0);
        expect.assert_eq(hover["contents"]["value"].as_str().unwrap_or("nothing"));
    }

    #[test]
    fn hovers() {
        check_hover(
            "### 1.7",
            expect![[r#"
            **1.7** src/loader.rs · 12 of 12 lines live, now 9–20

            After it: `cargo test -p fetchd` failed (1.11), then passed (1.13)"#]],
        );
        check_hover(
            "-    let body",
            expect![[r#"
            **1.7** src/loader.rs · 12 of 12 lines live, now 9–20

            After it: `cargo test -p fetchd` failed (1.11), then passed (1.13)"#]],
        );
        check_hover("I'll look at", expect!["nothing"]);
    }

    fn outline(symbols: &Value, depth: usize, told: &mut String) {
        for symbol in symbols.as_array().into_iter().flatten() {
            let name = symbol["name"].as_str().unwrap_or_default();
            let detail = symbol["detail"].as_str().unwrap_or_default();
            let line = &symbol["selectionRange"]["start"]["line"];
            told.push_str(&format!("{}{line} {name}  {}\n", "  ".repeat(depth), without_time(detail)));
            outline(&symbol["children"], depth + 1, told);
        }
    }

    #[test]
    fn outlines() {
        let demo = Demo::default();
        let mut session = demo.modern();
        let mut told = String::new();
        outline(&session.of("textDocument/documentSymbol", TURN_1), 0, &mut told);
        expect![[r#"
            0 Turn 1 · Add retry to the loader  2 files +18 −1
              21 1.7 Edit src/loader.rs  +12 −1
              46 1.8 Edit src/http.rs  failed
              55 1.10 Edit src/http.rs  +5 −0
              72 1.11 Run cargo test -p fetchd  exit 101
              90 1.12 Edit src/loader.rs  +1 −0
        "#]]
        .assert_eq(&told);
        drop(session);
        let mut session = demo.start(json!({ "workspace": { "textDocumentContent": {} } }), json!({}));
        let flat = session.of("textDocument/documentSymbol", TURN_1);
        assert_eq!(flat.as_array().map(Vec::len), Some(told.lines().count()));
        assert_eq!(flat[1]["location"]["uri"], TURN_1);
    }

    /// Lines that are coloured, with the type of each.
    #[test]
    fn colours_and_folds() {
        let demo = Demo::default();
        let mut session = demo.modern();
        let text = session.content(TURN_1);
        let legend = session.announced["semanticTokensProvider"]["legend"]["tokenTypes"].clone();
        let data = session.of("textDocument/semanticTokens/full", TURN_1)["data"].clone();
        let data: Vec<u64> = serde_json::from_value(data).expect("numbers");
        let (mut line, mut column) = (0, 0);
        let mut kinds: BTreeSet<String> = BTreeSet::new();
        for token in data.chunks(5) {
            column = if token[0] == 0 { column + token[1] } else { token[1] };
            line += token[0];
            let shown = text.lines().nth(usize::try_from(line).expect("a line")).expect("a line");
            let from = usize::try_from(column).expect("a column");
            let length = usize::try_from(token[2]).expect("a length");
            let shown = shown.get(from..from + length).expect("the token lies in its line");
            let kind = &legend[usize::try_from(token[3]).expect("a type")];
            // A turn's numbers begin with the hour of the test.
            let first = shown.chars().next().map(|c| if c.is_ascii_digit() { '0' } else { c });
            kinds.insert(format!("{} {}", kind.as_str().expect("a type"), first.expect("a character")));
        }
        expect![[r#"
            {
                "class #",
                "comment *",
                "comment 0",
                "comment a",
                "comment i",
                "keyword -",
                "macro @",
                "string +",
            }
        "#]]
        .assert_debug_eq(&kinds);
        let range = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 0, "character": 0 } });
        let params = json!({ "textDocument": { "uri": TURN_1 }, "range": range });
        let first = session.client.call("textDocument/semanticTokens/range", params);
        assert_eq!(first["data"].as_array().map(Vec::len), Some(5));
        let folds = session.of("textDocument/foldingRange", TURN_1);
        let fold = |fold: &Value| format!("{}-{} {}", fold["startLine"], fold["endLine"], fold["kind"]);
        let folds: Vec<String> = folds.as_array().into_iter().flatten().map(fold).collect();
        expect![[r#"
            [
                "9-11 \"comment\"",
                "23-44 \"region\"",
                "48-51 \"region\"",
                "57-70 \"region\"",
                "74-88 \"region\"",
                "92-101 \"region\"",
            ]
        "#]]
        .assert_debug_eq(&folds);
    }

    #[test]
    fn links_lead_somewhere() {
        let demo = Demo::default();
        let mut session = demo.modern();
        let text = session.content(TURN_1);
        let links = session.of("textDocument/documentLink", TURN_1);
        let mut told = String::new();
        for link in links.as_array().into_iter().flatten() {
            let at = |end: &str, key: &str| {
                usize::try_from(link["range"][end][key].as_u64().expect("a number")).expect("fits")
            };
            let line = text.lines().nth(at("start", "line")).expect("a line");
            let words = line.get(at("start", "character")..at("end", "character")).expect("in the line");
            let target = session.client.call("documentLink/resolve", link.clone())["target"].clone();
            let target = target.as_str().unwrap_or("nowhere").replace(&file_uri(&demo.repo), "REPO");
            if target.starts_with("turnlens:") {
                session.content(&target);
            }
            told.push_str(&format!("{words} → {target}\n"));
        }
        expect![[r#"
            session 9f3c1a2b → turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/add-retry-to-the-loader.trace.md
            … → turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/1.1/thought.md
            src/http.rs → REPO/src/http.rs
            src/loader.rs → REPO/src/loader.rs
            src/loader.rs:8 → REPO/src/loader.rs#L9
            src/http.rs → REPO/src/http.rs
            src/http.rs:1-40 → REPO/src/http.rs
            src/http.rs:24 → REPO/src/http.rs#L24
            … 13 more lines → turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/1.11/output.txt
            src/loader.rs:4 → REPO/src/loader.rs#L4
        "#]].assert_eq(&told);
    }

    #[test]
    fn references_are_the_living_lines() {
        let demo = Demo::default();
        let mut session = demo.modern();
        let found = session.at("textDocument/references", TURN_1, 0, 0);
        let place = |place: &Value| {
            let uri = place["uri"].as_str().unwrap_or_default().replace(&file_uri(&demo.repo), "REPO");
            format!("{uri} {}-{}", place["range"]["start"]["line"], place["range"]["end"]["line"])
        };
        let places: Vec<String> = found.as_array().into_iter().flatten().map(place).collect();
        expect![[r#"
            [
                "REPO/src/http.rs 23-28",
                "REPO/src/loader.rs 3-4",
                "REPO/src/loader.rs 8-20",
            ]
        "#]]
        .assert_debug_eq(&places);
    }

    /// `·` and `−` are two bytes, one unit of UTF-16, one character.
    #[test]
    fn columns_are_counted_as_the_client_counts() {
        let demo = Demo::default();
        for (encoding, units) in [("utf-8", 35), ("utf-16", 34), ("utf-32", 34)] {
            let mut capabilities = modern();
            capabilities["general"]["positionEncodings"] = json!([encoding]);
            let mut session = demo.start(capabilities, json!({}));
            assert_eq!(session.announced["positionEncoding"], encoding);
            let symbols = session.of("textDocument/documentSymbol", TURN_1);
            assert_eq!(symbols[0]["selectionRange"]["end"]["character"], units, "{encoding}");
        }
    }
}

mod doors {
    use super::*;

    /// Every kind of document of the demo, by its name.
    fn documents(session: &mut Session<'_>) -> Vec<String> {
        let mut all = vec![SESSION.to_owned(), TURN_1.to_owned()];
        let folder = "turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77";
        let rest = ["1/prompt.md", "1/changes.diff", "1/changes-now.diff", "1.1/thought.md", "1.11/output.txt"];
        all.extend(rest.map(|rest| format!("{folder}/{rest}")));
        all.extend(["1.7/record.json", "1.7/input.txt", "2.1/explore.trace.md"].map(|rest| format!("{folder}/{rest}")));
        all.extend(["only/errors/x.trace.md", "outline/x.trace.md"].map(|rest| format!("{folder}/{rest}")));
        let diff = session.client.call("turnlens/stepDiff", json!({ "address": "9f3c:1.7" }));
        all.extend(["before", "after"].map(|side| diff[side].as_str().expect("a URI").to_owned()));
        all
    }

    #[test]
    fn the_same_document_through_every_door() {
        let demo = Demo::default();
        let mut session = demo.modern();
        let names = documents(&mut session);
        let standard: Vec<String> = names.iter().map(|name| session.content(name)).collect();
        drop(session);

        let mut own = demo.start(json!({}), json!({ "virtualDocuments": true }));
        for (name, text) in names.iter().zip(&standard) {
            let answer = own.client.call("turnlens/textDocumentContent", json!({ "uri": name }));
            assert_eq!(answer["text"], **text, "{name}");
        }
        own.client.take_unclaimed();
        drop(own);

        let mut files = demo.start(json!({ "window": { "showDocument": { "support": true } } }), json!({}));
        for (name, text) in names.iter().zip(&standard) {
            let argument = json!({ "command": "turnlens.server.show", "arguments": [{ "document": name }] });
            files.client.call("workspace/executeCommand", argument);
            let shown = files.client.server_request("window/showDocument");
            let uri = shown["params"]["uri"].as_str().expect("a URI").to_owned();
            files.client.reply(&shown, json!({ "success": true }));
            let path = uri.strip_prefix("file://").unwrap_or_else(|| panic!("{uri} is no file"));
            let path = if cfg!(windows) { path.trim_start_matches('/') } else { path };
            assert_eq!(fs::read_to_string(path).expect("a file"), *text, "{name}");
            assert!(fs::metadata(path).expect("a file").permissions().readonly());
            // The file is the same document.
            let answer = files.client.call("turnlens/textDocumentContent", json!({ "uri": uri }));
            assert_eq!(answer["text"], **text, "{uri}");
        }
    }

    #[test]
    fn what_is_no_document_is_an_error() {
        let demo = Demo::default();
        let mut session = demo.modern();
        for uri in ["turnlens://claude-code/0000/1/x.trace.md", "turnlens:nothing", "file:///x", "turnlens://x/../y"] {
            session.client.call_error("workspace/textDocumentContent", json!({ "uri": uri }));
            session.client.call_error("turnlens/textDocumentContent", json!({ "uri": uri }));
        }
    }

    #[test]
    fn a_client_without_virtual_documents_gets_files() {
        let demo = Demo::default();
        let mut session = demo.start(json!({}), json!({}));
        let uri = demo.uri("src/loader.rs");
        let line = line_of(&demo.text("src/loader.rs"), "let mut wait");
        let place = session.at("textDocument/definition", &uri, line, 0);
        let turn = place["uri"].as_str().expect("a URI").to_owned();
        assert!(turn.starts_with("file://") && turn.ends_with("/1/add-retry-to-the-loader.trace.md"), "{turn}");
        let row = u32::try_from(place["range"]["start"]["line"].as_u64().expect("a line")).expect("a line");
        assert_eq!(session.at("textDocument/definition", &turn, row, 0)["uri"], *uri);
        assert!(session.of("textDocument/foldingRange", &turn).is_array());
    }
}

mod own_methods {
    use super::*;

    #[test]
    fn changes_of_a_turn() {
        let demo = Demo::default();
        let mut session = demo.modern();
        let told = session.client.call("turnlens/turnChanges", json!({ "address": "9f3c:2" }));
        let file = |file: &Value| {
            let side = |key: &str| session_text(&mut demo.modern(), &file[key]).lines().count();
            let (path, before, after) = (file["path"].as_str().unwrap_or_default(), side("before"), side("after"));
            format!("{path} +{} −{} {before} → {after} created {}", file["added"], file["removed"], file["created"])
        };
        let files: Vec<String> = told["files"].as_array().into_iter().flatten().map(file).collect();
        expect![[r#"
            (
                Some(
                    "Turn 2 · Add retry to the loader → yes (4 files)",
                ),
                Some(
                    "9f3c1a2b:2",
                ),
                [
                    "src/retry.rs +15 −0 0 → 15 created true",
                    "src/lib.rs +1 −0 5 → 6 created false",
                    "src/uploader.rs +5 −1 10 → 14 created false",
                    "tests/retry.rs +47 −0 0 → 47 created true",
                ],
            )
        "#]]
        .assert_debug_eq(&(told["title"].as_str(), told["address"].as_str(), files));
        let document = told["document"].as_str().expect("a URI").to_owned();
        assert!(session.content(&document).contains("+++ b/src/retry.rs"));
        let last = session.client.call("turnlens/turnChanges", json!({ "address": "@:last" }));
        assert_eq!(last["address"], "9f3c1a2b:2");
    }

    fn session_text(session: &mut Session<'_>, uri: &Value) -> String {
        session.content(uri.as_str().expect("a URI"))
    }

    #[test]
    fn the_diff_of_a_step() {
        let demo = Demo::default();
        let mut session = demo.modern();
        let told = session.client.call("turnlens/stepDiff", json!({ "address": "9f3c:1.7" }));
        let (before, after) = (session_text(&mut session, &told["before"]), session_text(&mut session, &told["after"]));
        assert!(!before.contains("let mut wait") && after.contains("let mut wait"));
        assert_eq!((told["title"].as_str(), told["line"].as_u64()), (Some("1.7 src/loader.rs"), Some(7)));
        let line = line_of(&demo.text("src/loader.rs"), "let mut wait");
        let by_line = session.at("turnlens/stepDiff", &demo.uri("src/loader.rs"), line, 0);
        assert_eq!(by_line, told);
        assert_eq!(session.client.call("turnlens/stepDiff", json!({ "address": "9f3c:1.3" })), Value::Null);
        session.client.call_error("turnlens/stepDiff", json!({ "address": "9f3c:77" }));
        session.client.call_error("turnlens/stepDiff", json!({}));
    }

    #[test]
    fn histories() {
        let demo = Demo::default();
        let mut session = demo.modern();
        let text = demo.text("src/loader.rs");
        let line = line_of(&text, "use std::{thread");
        let range = json!({ "start": { "line": line, "character": 0 }, "end": { "line": line + 12, "character": 0 } });
        let params = json!({ "textDocument": { "uri": demo.uri("src/loader.rs") }, "range": range });
        let told = session.client.call("turnlens/history", params);
        let steps: Vec<Value> =
            told["entries"].as_array().into_iter().flatten().map(|entry| entry["address"].clone()).collect();
        expect![[r#"["9f3c1a2b:1.12","9f3c1a2b:1.7",null]"#]].assert_eq(&json!(steps).to_string());
        let document = told["document"].as_str().expect("a URI").to_owned();
        assert!(session.content(&document).starts_with("# src/loader.rs:4-15 · line history\n"));
        assert!(session_text(&mut session, &told["entries"][0]["after"]).contains("use std"));

        let told = session.of("turnlens/fileHistory", &demo.uri("src/loader.rs"));
        let entries = told["entries"].as_array().cloned().unwrap_or_default();
        let steps: Vec<Value> = entries.iter().map(|entry| entry["address"].clone()).collect();
        expect![[r#"[null,"9f3c1a2b:1.12","9f3c1a2b:1.7","9f3c1a2b:1.4",null]"#]].assert_eq(&json!(steps).to_string());
        for entry in entries {
            assert!(session_text(&mut session, &entry["text"]).contains("pub fn load"));
        }
    }

    #[test]
    fn explained_and_peeked() {
        let demo = Demo::default();
        let mut session = demo.modern();
        let uri = demo.uri("src/loader.rs");
        let line = line_of(&demo.text("src/loader.rs"), "let mut wait");
        let told = session.at("turnlens/explain", &uri, line, 0);
        let text = told["text"].as_str().expect("a text");
        assert!(text.contains("Written by Claude Code in step 1.7 of session 9f3c1a2b"), "{text}");
        let document = told["document"].as_str().expect("a URI").to_owned();
        assert!(session.content(&document).contains("Written by Claude Code in step 1.7"));
        let told = session.at("turnlens/peek", &uri, line, 0);
        assert_eq!((told["address"].as_str(), told["document"].as_str()), (Some("9f3c1a2b:1.7"), Some(TURN_1)));
        assert!(told["text"].as_str().is_some_and(|text| text.contains("```diff")));
        assert_eq!(session.at("turnlens/peek", &uri, 0, 0), Value::Null);
    }

    #[test]
    fn lines_of_a_file_and_the_next_ones() {
        let demo = Demo::default();
        let mut session = demo.modern();
        let uri = demo.uri("src/loader.rs");
        let told = session.of("turnlens/lines", &uri);
        let range =
            |range: &Value| format!("{}-{} {}", range["start"], range["end"], range["address"].as_str().unwrap_or("-"));
        let ranges: Vec<String> = told["ranges"].as_array().into_iter().flatten().map(range).collect();
        expect![[r#"
            [
                "3-4 9f3c1a2b:1.12",
                "8-20 9f3c1a2b:1.7",
            ]
        "#]]
        .assert_debug_eq(&ranges);
        let mut places = Vec::new();
        let (mut at, mut line) = (uri, 0);
        loop {
            let position = json!({ "line": line, "character": 0 });
            let params = json!({ "textDocument": { "uri": at }, "position": position, "direction": "next" });
            let place = session.client.call("turnlens/next", params);
            let Some(uri) = place["uri"].as_str() else { break };
            (at, line) = (uri.to_owned(), place["range"]["start"]["line"].as_u64().expect("a line"));
            places.push(format!("{}:{line}", at.replace(&file_uri(&demo.repo), "REPO")));
            assert!(places.len() < 30, "{places:?}");
        }
        expect![[r#"
            [
                "REPO/src/loader.rs:3",
                "REPO/src/loader.rs:8",
                "REPO/src/retry.rs:0",
                "REPO/src/uploader.rs:3",
                "REPO/src/uploader.rs:11",
                "REPO/tests/retry.rs:0",
            ]
        "#]]
        .assert_debug_eq(&places);
    }

    #[test]
    fn sessions_and_search() {
        let demo = Demo::default();
        let mut session = demo.modern();
        let count = |session: &mut Session<'_>, params: Value| {
            session.client.call("turnlens/sessions", params)["sessions"].as_array().map_or(0, Vec::len)
        };
        assert_eq!(count(&mut session, json!({})), 1);
        assert_eq!(count(&mut session, json!({ "query": "retry LOADER" })), 1);
        assert_eq!(count(&mut session, json!({ "query": "nothing like it" })), 0);
        assert_eq!(count(&mut session, json!({ "textDocument": { "uri": demo.uri("src/loader.rs") } })), 1);
        assert_eq!(count(&mut session, json!({ "textDocument": { "uri": demo.uri("src/none.rs") } })), 0);
        let told = session.client.call("turnlens/sessions", json!({ "all": true }))["sessions"][0].clone();
        assert_eq!((told["address"].as_str(), told["document"].as_str()), (Some("9f3c1a2b"), Some(SESSION)));
        assert_eq!((&told["here"], &told["turns"]), (&json!(true), &json!(3)));
        let list = session.client.call("turnlens/sessions", json!({}))["document"].as_str().expect("a URI").to_owned();
        let list = session.content(&list);
        assert!(list.starts_with("# Sessions · repo\n") && list.contains("Add retry to the loader"), "{list}");

        let told = session.client.call("turnlens/search", json!({ "query": "transient in:prompt" }));
        assert_eq!(told["total"], 0);
        let told = session.client.call("turnlens/search", json!({ "query": "\"back off\" in:prompt" }));
        assert_eq!((&told["total"], told["hits"][0]["address"].as_str()), (&json!(1), Some("9f3c1a2b:1")));
        assert_eq!(told["hits"][0]["location"]["uri"], TURN_1);
        let document = told["document"].as_str().expect("a URI").to_owned();
        assert!(session.content(&document).contains("1 hit in 1 session"));
        session.client.call_error("turnlens/search", json!({ "query": "/(/" }));
    }

    #[test]
    fn status_doctor_and_copies() {
        let demo = Demo::default();
        let mut session = demo.modern();
        let status = session.client.call("turnlens/status", json!({}));
        assert_eq!((&status["sessions"], &status["here"], &status["reading"]), (&json!(1), &json!(1), &Value::Null));
        let newest = status["newest"]["uri"].as_str().expect("a URI").to_owned();
        assert!(newest.starts_with(&file_uri(&demo.repo)), "{newest}");
        session.open("src/loader.rs");
        let timings = session.client.call("turnlens/status", json!({ "timings": true }))["timings"].take();
        let lines = timings["lines"].as_object().expect("lines");
        let told = lines.values().filter_map(Value::as_u64).sum::<u64>();
        assert_eq!(told, demo.text("src/loader.rs").lines().count() as u64);
        assert!(lines["recorded"].as_u64() > Some(0) && timings["read"]["records"].as_u64() > Some(0), "{timings}");
        let mut asked = timings["requests"].as_array().expect("requests").iter();
        assert!(
            asked.any(|request| request["method"] == "turnlens/status" && request["count"].as_u64() > Some(0)),
            "{timings}"
        );
        let doctor = session.client.call("turnlens/doctor", json!({}));
        assert!(
            doctor["text"]
                .as_str()
                .is_some_and(|text| text.contains("1 session by Claude Code, 1 of them in this folder")
                    && text.contains("Lines of 1 open file"))
        );
        let mut copy = |form: &str, address: &str| {
            let params = json!({ "address": address, "form": form });
            session.client.call("turnlens/copy", params)["text"].as_str().expect("a text").to_owned()
        };
        assert_eq!(copy("address", "@:1"), "9f3c1a2b:1");
        assert_eq!(copy("resume", "@"), "claude --resume 9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77");
        expect![[r#"
            ## Add retry to the loader

            > Add retry to the loader: three attempts, back off 200 ms, 400 ms. Do not retry on 4xx.
            > The error type is in src/http.rs.

            `load` now tries three times on transient errors. Shall I do the same for the uploader?

            - `src/loader.rs` +13 −1
            - `src/http.rs` +5 −0

            Claude Code · 9f3c1a2b:1
        "#]]
        .assert_eq(&copy("markdown", "9f3c:1"));
    }
}

mod commands {
    use super::*;

    fn run(session: &mut Session<'_>, command: &str, argument: Value) {
        let params = json!({ "command": command, "arguments": [argument] });
        assert_eq!(session.client.call("workspace/executeCommand", params), Value::Null);
    }

    /// The document that a command shows, with the words of the selected line.
    fn check_shown(command: &str, argument: Value, expect: Expect) {
        let demo = Demo::default();
        let mut capabilities = modern();
        capabilities["window"] = json!({ "showDocument": { "support": true } });
        let mut session = demo.start(capabilities, json!({}));
        let mut argument = argument;
        if let Some(rel) = argument["uri"].as_str() {
            argument["uri"] = json!(demo.uri(rel));
        }
        run(&mut session, command, argument);
        let shown = session.client.server_request("window/showDocument");
        session.client.reply(&shown, json!({ "success": true }));
        let uri = shown["params"]["uri"].as_str().expect("a URI").to_owned();
        let line = shown["params"]["selection"]["start"]["line"].as_u64().unwrap_or_default();
        let text = session.content(&uri);
        let words = text.lines().nth(usize::try_from(line).expect("a line")).unwrap_or_default();
        let name = uri.trim_start_matches("turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/");
        expect.assert_eq(&format!("{name}\n{words}"));
    }

    #[test]
    fn documents_are_shown() {
        let show = "turnlens.server.show";
        let range = json!({ "start": { "line": 8, "character": 0 }, "end": { "line": 8, "character": 0 } });
        check_shown(
            show,
            json!({ "address": "9f3c:1.10" }),
            expect![[r#"
            1/add-retry-to-the-loader.trace.md
            ### 1.10 Edit src/http.rs:24 +5 −0"#]],
        );
        check_shown(
            show,
            json!({ "address": "@" }),
            expect![[r#"
            add-retry-to-the-loader.trace.md
            # Add retry to the loader"#]],
        );
        check_shown(
            show,
            json!({ "uri": "src/loader.rs", "range": range }),
            expect![[r#"
            1/add-retry-to-the-loader.trace.md
            +    let mut wait = Duration::from_millis(200);"#]],
        );
        check_shown(
            show,
            json!({ "document": SESSION, "address": "9f3c1a2b:2" }),
            expect![[r#"
            add-retry-to-the-loader.trace.md
            ## Turn 2 · Add retry to the loader → yes"#]],
        );
        check_shown(
            "turnlens.server.diff",
            json!({ "address": "9f3c:1.7" }),
            expect![[r#"
            1.7/changes.diff
            Step 1.7"#]],
        );
        check_shown(
            "turnlens.server.diff",
            json!({ "uri": "src/loader.rs", "range": range }),
            expect![[r#"
            1.7/changes.diff
            Step 1.7"#]],
        );
    }

    #[test]
    fn what_cannot_be_shown_is_said() {
        let demo = Demo::default();
        let mut session = demo.start(json!({}), json!({}));
        run(&mut session, "turnlens.server.show", json!({ "address": "9f3c:1.7" }));
        let message = session.client.notification("window/showMessage")["message"].as_str().expect("words").to_owned();
        assert!(message.contains("add-retry-to-the-loader.trace.md:"), "{message}");
        run(&mut session, "turnlens.server.show", json!({ "address": "0000:1" }));
        let message = session.client.notification("window/showMessage")["message"].clone();
        assert_eq!(message, "There is no session 0000. `turnlens sessions --repo all` lists them.");
        let range = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 0, "character": 0 } });
        run(&mut session, "turnlens.server.show", json!({ "uri": demo.uri("src/loader.rs"), "range": range }));
        let message = session.client.notification("window/showMessage")["message"].as_str().expect("words").to_owned();
        assert!(message.starts_with("No recorded turn wrote this line. Last commit: "), "{message}");
        session
            .client
            .call_error("workspace/executeCommand", json!({ "command": "turnlens.nothing", "arguments": [] }));
    }

    #[test]
    fn a_menu_does_what_is_chosen() {
        let demo = Demo::default();
        let mut capabilities = modern();
        capabilities["window"] = json!({ "showDocument": { "support": true } });
        let mut session = demo.start(capabilities, json!({}));
        let range = json!({ "start": { "line": 8, "character": 0 }, "end": { "line": 8, "character": 0 } });
        run(&mut session, "turnlens.server.menu", json!({ "uri": demo.uri("src/loader.rs"), "range": range }));
        let asked = session.client.server_request("window/showMessageRequest");
        let titles: Vec<&Value> =
            asked["params"]["actions"].as_array().into_iter().flatten().map(|action| &action["title"]).collect();
        expect![[r#"["Open turn 1","Show diff of step 1.7","Show changes of turn 1","Show line history","Explain this line"]"#]].assert_eq(&json!(titles).to_string());
        session.client.reply(&asked, json!({ "title": "Explain this line" }));
        let shown = session.client.server_request("window/showDocument");
        session.client.reply(&shown, json!({ "success": true }));
        assert!(shown["params"]["uri"].as_str().is_some_and(|uri| uri.contains("/explain/")), "{shown}");
    }
}

mod growth {
    use super::*;

    /// One more prompt at the end of the log, as the agent writes it.
    fn prompt(demo: &Demo, words: &str) {
        let log = demo.log();
        let text = fs::read_to_string(&log).expect("a log");
        let mut records = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let last = records.rfind(|record| record["uuid"].is_string()).expect("a record");
        let mut record = json!({ "type": "user", "isSidechain": false, "userType": "external", "uuid": "new-prompt" });
        for key in ["cwd", "sessionId", "version", "gitBranch", "timestamp"] {
            record[key] = last[key].clone();
        }
        record["parentUuid"] = last["uuid"].clone();
        record["message"] = json!({ "role": "user", "content": words });
        let mut file = fs::OpenOptions::new().append(true).open(log).expect("the log opens");
        writeln!(file, "{record}").expect("the log grows");
    }

    #[test]
    fn an_open_trace_grows_and_its_finished_turns_do_not_change() {
        let demo = Demo::default();
        let mut session = demo.modern();
        let before = session.content(SESSION);
        session.open_text(SESSION, &before);
        prompt(&demo, "Now write a changelog for all of it.");
        let refresh = session.client.server_request("workspace/textDocumentContent/refresh");
        assert_eq!(refresh["params"]["uri"], SESSION);
        session.client.reply(&refresh, Value::Null);
        let after = session.content(SESSION);
        assert!(after.contains("## Turn 4 · Now write a changelog for all of it"), "{after}");
        let turn_2 = |text: &str| {
            text.split("## Turn 3").next().map(|text| text.split_once("## Turn 1").map(|(_, turns)| turns.to_owned()))
        };
        assert_eq!(turn_2(&before), turn_2(&after));
    }

    #[test]
    fn a_plugin_of_ours_is_told() {
        let demo = Demo::default();
        let mut session = demo.start(json!({}), json!({ "virtualDocuments": true }));
        session.wait_until(|session| {
            session.client.notification("turnlens/didChangeSessions") == json!({ "sessions": 1, "reading": null })
        });
        let text = session.client.call("turnlens/textDocumentContent", json!({ "uri": SESSION }))["text"].clone();
        session.open_text(SESSION, text.as_str().expect("a text"));
        prompt(&demo, "And the docs.");
        let refresh = session.client.notification("turnlens/textDocumentContent/refresh");
        assert_eq!(refresh["uri"], SESSION);
        session.client.take_unclaimed();
    }

    #[test]
    fn lenses_are_asked_for_anew() {
        let demo = Demo::default();
        let mut capabilities = modern();
        capabilities["workspace"]["codeLens"] = json!({ "refreshSupport": true });
        let mut session = demo.start(capabilities, json!({}));
        session.open("src/loader.rs");
        prompt(&demo, "And the docs.");
        let refresh = session.client.server_request("workspace/codeLens/refresh");
        session.client.reply(&refresh, Value::Null);
        session.client.call("turnlens/status", json!({}));
        for message in session.client.take_unclaimed() {
            assert_eq!(message["method"], "workspace/codeLens/refresh");
        }
    }
}
