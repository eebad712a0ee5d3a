//! From a trace to code while files are open and not saved: every place follows the buffer.

use serde_json::{Value, json};
use tests::demo::{Demo, Session, line_of};

const TURN_1: &str = "turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/1/add-retry-to-the-loader.trace.md";

/// What a trace says of the place of step 1.7 in src/loader.rs: each kind of place, as the editor counts lines (from 0).
fn places(session: &mut Session<'_>) -> String {
    let text = session.content(TURN_1);
    let (heading, added) = (line_of(&text, "### 1.7"), line_of(&text, "+    let mut wait"));
    let place = |told: &Value| match told["uri"].as_str() {
        Some(uri) => format!("{}:{}", uri.rsplit('/').next().unwrap_or_default(), told["range"]["start"]["line"]),
        None => "nowhere".into(),
    };
    let lenses = session.lenses(TURN_1);
    let now = lenses.lines().find(|lens| lens.contains("src/loader.rs")).map(|lens| lens.split(" → ").next());
    let mut told = format!("lens {}\n", now.flatten().unwrap_or("none"));
    let hover = session.at("textDocument/hover", TURN_1, heading, 0);
    told += &format!(
        "hover {}\n",
        hover["contents"]["value"].as_str().unwrap_or_default().lines().next().unwrap_or_default()
    );
    told += &format!("definition {}\n", place(&session.at("textDocument/definition", TURN_1, added, 0)));
    told += &format!("line {}\n", place(&session.at("turnlens/line", TURN_1, added, 0)["code"]));
    let references = session.at("textDocument/references", TURN_1, heading, 0);
    for reference in references.as_array().into_iter().flatten() {
        told += &format!("reference {} to {}\n", place(reference), reference["range"]["end"]["line"]);
    }
    let links = session.of("textDocument/documentLink", TURN_1);
    let of_heading = |link: &&Value| link["range"]["start"]["line"] == heading;
    for link in links.as_array().into_iter().flatten().filter(of_heading) {
        let target = session.client.call("documentLink/resolve", link.clone())["target"].clone();
        told += &format!("link {}\n", target.as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default());
    }
    told
}

#[test]
fn places_follow_the_buffer() {
    let demo = Demo::default();
    let mut session = demo.modern();
    let on_disk = places(&mut session);
    let text = demo.text("src/loader.rs");
    let wait = line_of(&text, "let mut wait");
    assert!(on_disk.contains(&format!("definition loader.rs:{wait}\n")), "{on_disk}");

    // Opened and not changed: as on disk.
    let uri = session.open("src/loader.rs");
    assert_eq!(places(&mut session), on_disk);

    // Three lines typed above: everything is three lines further down, and nothing was written.
    session.change(&uri, (0, 0), (0, 0), "// one\n// two\n// three\n");
    let typed = places(&mut session);
    assert!(typed.contains(&format!("definition loader.rs:{}\n", wait + 3)), "{typed}");
    let shifted = on_disk.replace("9–20", "12–23");
    let shifted = shifted.replace(&format!("loader.rs:{}", wait + 1), &format!("loader.rs:{}", wait + 4));
    let shifted = shifted.replace(&format!("loader.rs:{wait}"), &format!("loader.rs:{}", wait + 3));
    let shifted = shifted.replace(&format!(" to {}", wait + 12), &format!(" to {}", wait + 15));
    let shifted = shifted.replace(&format!("#L{}", wait + 1), &format!("#L{}", wait + 4));
    assert_eq!(typed, shifted);

    // A line of the step is typed over: it does not live any more, in the buffer.
    session.change(&uri, (wait + 3, 0), (wait + 4, 0), "    let mut wait = mine();\n");
    let over = places(&mut session);
    assert!(over.contains("11 of 12 lines live"), "{over}");
    let now = session.content(&TURN_1.replace("add-retry-to-the-loader.trace.md", "changes-now.diff"));
    assert!(now.contains("src/loader.rs") && !now.contains("+    let mut wait"), "{now}");

    // Closed without saving: as on disk again.
    session.client.notify("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    assert_eq!(places(&mut session), on_disk);
}

#[cfg(unix)]
#[test]
fn a_place_leads_to_the_buffer_under_its_own_name() {
    let demo = Demo::default();
    let linked = demo.home.join("linked");
    std::os::unix::fs::symlink(&demo.repo, &linked).expect("a link");
    let mut session = demo.modern();
    let uri = format!("file://{}/src/loader.rs", linked.display());
    session.open_text(&uri, &format!("// mine\n{}", demo.text("src/loader.rs")));
    let text = session.content(TURN_1);
    let place = session.at("textDocument/definition", TURN_1, line_of(&text, "+    let mut wait"), 0);
    let wait = line_of(&demo.text("src/loader.rs"), "let mut wait");
    assert_eq!((place["uri"].as_str(), &place["range"]["start"]["line"]), (Some(&*uri), &json!(wait + 1)));
}
