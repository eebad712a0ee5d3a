//! Commits as documents, and the states of a file that are known from git.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use tests::demo::{Demo, Session, file_uri, line_of};

const TURN_3: &str =
    "turnlens://claude-code/9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77/3/format-and-commit-the-loader-s-part.trace.md";

fn git(demo: &Demo, args: &[&str]) -> String {
    let who = ["-c", "user.name=Anna", "-c", "user.email=anna@example.com"];
    let output = Command::new("git").arg("-C").arg(&demo.repo).args(who).args(args).output().expect("git runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The targets of the links on the line of a document that holds a text.
fn links_of(session: &mut Session<'_>, document: &str, needle: &str) -> Vec<Value> {
    let line = line_of(&session.content(document), needle);
    let links = session.of("textDocument/documentLink", document);
    let here: Vec<Value> = links.as_array().expect("links").clone();
    let here = here.into_iter().filter(|link| link["range"]["start"]["line"] == line);
    here.map(|link| session.client.call("documentLink/resolve", link)["target"].clone()).collect()
}

#[test]
fn a_commit_in_a_trace_leads_to_its_document() {
    let demo = Demo::default();
    let mut session = demo.modern();
    let id = git(&demo, &["rev-parse", "HEAD"]);
    let links = links_of(&mut session, TURN_3, "· commit ");
    assert_eq!(links, [json!(format!("turnlens://commit/{id}/{}.diff", &id[..7]))]);
    let text = session.content(links[0].as_str().expect("a URI"));
    assert!(text.starts_with(&format!("Commit {} · Retry transient errors\n\n", &id[..7])), "{text}");
    // What stands below is what git shows, but for the names of blobs, and can be applied.
    let theirs = git(&demo, &["show", "--format=", "--no-renames", "--no-color", "HEAD"]);
    let is_change = |line: &&str| line.starts_with(['+', '-']);
    let ours: Vec<&str> = text.lines().filter(is_change).collect();
    assert_eq!(ours, theirs.lines().filter(is_change).collect::<Vec<_>>());
    let patch = demo.home.join("commit.diff");
    fs::write(&patch, &text).expect("a file");
    git(&demo, &["stash", "-q", "-u"]);
    git(&demo, &["apply", "-R", "--check", &patch.to_string_lossy()]);
}

#[test]
fn a_commit_that_no_repository_has_is_no_link() {
    let demo = Demo::default();
    let mut session = demo.modern();
    assert_eq!(links_of(&mut session, TURN_3, "· commit ").len(), 1);
    fs::remove_dir_all(demo.repo.join(".git")).expect("a folder");
    drop(session);
    let mut session = demo.modern();
    assert_eq!(links_of(&mut session, TURN_3, "· commit "), [Value::Null; 0]);
}

/// The states of a file, each with the beginning of its text, newest first.
fn states(session: &mut Session<'_>, uri: &str) -> Vec<String> {
    let told = session.of("turnlens/fileHistory", uri);
    let entries = told["entries"].as_array().expect("entries").clone();
    let told = entries.iter().map(|entry| {
        let text = entry["text"].as_str().map(|uri| session.content(uri));
        let first = text.as_deref().map_or("gone", |text| text.lines().next().unwrap_or("empty"));
        let label = entry["label"].as_str().expect("a label").split(' ').next().unwrap_or_default();
        format!("{label} | {} | {first}", entry["description"].as_str().expect("a description"))
    });
    told.collect()
}

#[test]
fn states_known_from_git_are_among_those_of_a_file() {
    let demo = Demo::default();
    let path = demo.repo.join("src/loader.rs");
    fs::write(&path, "// mine\n").expect("a file");
    git(&demo, &["commit", "-qm", "Mine alone", "src/loader.rs"]);
    let mut session = demo.modern();
    let uri = demo.uri("src/loader.rs");
    let known = states(&mut session, &uri);
    let first = "//! Loads pages and takes them apart.";
    assert_eq!(known[0], "commit | Mine alone | // mine");
    assert_eq!(known[1], format!("commit | Retry transient errors | {first}"));
    assert!(known.contains(&format!("1.7 | edited · 28 lines | {first}")), "{known:#?}");
    assert_eq!(known.last(), Some(&format!("commit | A loader and an uploader | {first}")));

    // The file is deleted, and the terminal tells the same.
    git(&demo, &["rm", "-q", "src/loader.rs"]);
    git(&demo, &["commit", "-qm", "Away with it"]);
    drop(session);
    let mut session = demo.modern();
    let after = states(&mut session, &file_uri(&path));
    assert_eq!(after[0], "commit | deleted · Away with it | gone");
    // A read of what is committed, too, may be told or not.
    let others = after[1..].iter().filter(|state| !state.contains("read whole"));
    assert!(others.eq(&known), "{after:#?}");
    let mut terminal = Command::new(tests::lsp::binary());
    terminal.args(["log", "--json", "src/loader.rs"]).current_dir(&demo.repo);
    terminal.env("HOME", &demo.home).env("CLAUDE_CONFIG_DIR", demo.home.join(".claude"));
    let told: Value = serde_json::from_slice(&terminal.output().expect("turnlens runs").stdout).expect("JSON");
    let told = told["states"].as_array().expect("states");
    assert_eq!(told.iter().filter(|state| state["kind"] != "backup").count(), after.len());
}

#[test]
fn the_history_of_a_line_shows_a_commit_as_a_diff() {
    let demo = Demo::default();
    let mut session = demo.modern();
    let uri = demo.uri("src/http.rs");
    let line = line_of(&demo.text("src/http.rs"), "pub fn status");
    let range = json!({ "start": { "line": line, "character": 0 }, "end": { "line": line, "character": 1 } });
    let told = session.client.call("turnlens/history", json!({ "textDocument": { "uri": uri }, "range": range }));
    let last = told["entries"].as_array().expect("entries").last().expect("a commit").clone();
    assert!(last["label"].as_str().is_some_and(|label| label.starts_with("commit ")), "{told}");
    let shown = session.content(last["location"]["uri"].as_str().expect("a document"));
    assert!(shown.contains("+    pub fn status"), "{shown}");
    assert_eq!(last["before"], Value::Null);
    assert!(session.content(last["after"].as_str().expect("a document")).contains("pub fn status"));
}
