//! Undo of turns and steps, and texts of files put back, against the real server over stdio: what it would change, what
//! stays, and that it writes nothing itself.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::lsp::{Client, Start, binary};

const SESSION: &str = "5e5510ad-0000-4000-8000-000000000001";

/// A folder with files, a log of how an agent came by them, and what an editor holds unsaved.
///
/// A line of its story is one of these; `/` parts the lines of a text:
/// `have a.txt x/y` before any log · `turn Do it` · `edit a.txt x => X/Y` · `write b.txt x/y` · `person a.txt x => z`
/// outside of any log · `remove a.txt` · `commit all` · `type a.txt x => z` in the editor, not saved.
struct World {
    root: PathBuf,
    home: PathBuf,
    files: BTreeMap<String, String>,
    unsaved: BTreeMap<String, String>,
    records: Vec<Value>,
    _folder: TempDir,
}

impl World {
    fn new(story: &str) -> World {
        let folder = TempDir::new().expect("a folder");
        let at = folder.path().canonicalize().expect("its path");
        let (root, home) = (at.join("work"), at.join("home"));
        let (files, unsaved, records) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        let mut world = World { root, home, files, unsaved, records, _folder: folder };
        story.lines().map(str::trim).filter(|line| !line.is_empty()).for_each(|line| world.tell(line));
        world.write();
        world
    }

    fn tell(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').expect("two words");
        let (path, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let replaced = |before: &str| {
            let (old, new) = text.split_once(" => ").expect("old => new");
            let (old, new) = (spell(old), spell(new));
            assert!(before.contains(&old), "{line}: not in {before:?}");
            (before.replacen(&old, &new, 1), old, new)
        };
        let before = self.files.get(path).cloned().unwrap_or_default();
        match word {
            "have" => _ = self.files.insert(path.into(), spell(text)),
            "turn" => self.record(json!({ "type": "user", "message": { "role": "user", "content": rest } })),
            "edit" => {
                let (after, old, new) = replaced(&before);
                let file = self.root.join(path);
                let input = json!({ "file_path": file, "old_string": old, "new_string": new });
                let told = json!({
                    "filePath": file, "oldString": old, "newString": new, "originalFile": before,
                    "structuredPatch": [], "userModified": false, "replaceAll": false,
                });
                self.call("Edit", input, told);
                self.files.insert(path.into(), after);
            }
            "write" => {
                let (file, content) = (self.root.join(path), spell(text));
                let told = json!({
                    "type": "create", "filePath": file, "content": content, "structuredPatch": [], "originalFile": null,
                });
                self.call("Write", json!({ "file_path": file, "content": content }), told);
                self.files.insert(path.into(), content);
            }
            "person" => _ = self.files.insert(path.into(), replaced(&before).0),
            "commit" => {
                self.write_files();
                self.git(&["init", "--quiet"], "");
                self.git(&["add", "--all"], "");
                self.git(&["commit", "--quiet", "--message", rest], "");
            }
            "remove" => _ = self.files.remove(path),
            "type" => {
                let before = self.unsaved.get(path).unwrap_or(&before).clone();
                self.unsaved.insert(path.into(), replaced(&before).0);
            }
            _ => panic!("not understood: {line}"),
        }
    }

    fn call(&mut self, tool: &str, input: Value, told: Value) {
        let id = format!("toolu_{}", self.records.len());
        let call = json!([{ "type": "tool_use", "id": id, "name": tool, "input": input }]);
        self.record(json!({ "type": "assistant", "message": { "role": "assistant", "model": "m", "content": call } }));
        let result = json!([{ "type": "tool_result", "tool_use_id": id, "content": "done" }]);
        self.record(json!({
            "type": "user", "message": { "role": "user", "content": result }, "toolUseResult": told,
        }));
    }

    fn record(&mut self, mut record: Value) {
        let n = self.records.len();
        let id = |n: usize| format!("00000000-0000-4000-8000-{n:012}");
        record["uuid"] = json!(id(n));
        record["parentUuid"] = n.checked_sub(1).map_or(Value::Null, |before| json!(id(before)));
        record["sessionId"] = json!(SESSION);
        record["cwd"] = json!(self.root);
        record["timestamp"] = json!(format!("2026-11-20T10:{:02}:{:02}.000Z", n / 60, n % 60));
        self.records.push(record);
    }

    fn write(&self) {
        self.write_files();
        let log: String = self.records.iter().map(|record| format!("{record}\n")).collect();
        write(&self.home.join(".claude/projects/-work").join(format!("{SESSION}.jsonl")), &log);
    }

    fn write_files(&self) {
        fs::create_dir_all(&self.root).expect("a folder");
        self.files.iter().for_each(|(path, text)| write(&self.root.join(path), text));
    }

    fn git(&self, args: &[&str], input: &str) -> String {
        let identity = ["-c", "user.name=Anna", "-c", "user.email=anna@example.org", "-c", "core.autocrlf=false"];
        self.run(Command::new("git").args(identity).args(args), input)
    }

    fn turnlens(&self, args: &[&str]) -> String {
        self.run(Command::new(binary()).args(args), "")
    }

    /// Runs a program in the folder; gives its output, and what it complains of behind `! `.
    fn run(&self, command: &mut Command, input: &str) -> String {
        let command = command.current_dir(&self.root).env("HOME", &self.home).env("USERPROFILE", &self.home);
        let command = command.env("CLAUDE_CONFIG_DIR", self.home.join(".claude")).env("XDG_CACHE_HOME", &self.home);
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().expect("it runs");
        child.stdin.take().expect("stdin").write_all(input.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
        let complaints: String = complaints.lines().map(|line| format!("! {line}\n")).collect();
        format!("{}{complaints}", String::from_utf8_lossy(&output.stdout))
    }

    /// A client with these capabilities of its workspace, when the log is read and what is unsaved is open.
    fn start(&self, workspace: Value, commands: &[&str]) -> Client {
        let server = Start::default().env("HOME", &self.home).env("USERPROFILE", &self.home);
        let mut client = server.env("CLAUDE_CONFIG_DIR", self.home.join(".claude")).spawn();
        client.call(
            "initialize",
            json!({
                "processId": null,
                "rootUri": uri(&self.root),
                "capabilities": { "workspace": workspace, "general": { "positionEncodings": ["utf-8"] } },
                "initializationOptions": { "commands": commands },
            }),
        );
        client.notify("initialized", json!({}));
        for _ in 0..6_000 {
            let status = client.call("turnlens/status", json!({}));
            if status["reading"].is_null() && status["sessions"] == 1 {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        for (path, text) in &self.unsaved {
            let saved = &self.files[path];
            let lines = saved.lines().count();
            let uri = uri(&self.root.join(path));
            let document = json!({ "uri": uri, "languageId": "text", "version": 1, "text": saved });
            client.notify("textDocument/didOpen", json!({ "textDocument": document }));
            let range = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": lines, "character": 0 } });
            client.notify(
                "textDocument/didChange",
                json!({
                    "textDocument": { "uri": uri, "version": 2 },
                    "contentChanges": [{ "range": range, "text": text }],
                }),
            );
        }
        client
    }

    /// The file's name in the story.
    fn name(&self, uri_of_file: &str) -> String {
        let found = self.files.keys().find(|name| uri(&self.root.join(name)) == uri_of_file);
        found.cloned().unwrap_or_else(|| uri_of_file.rsplit('/').next().unwrap_or_default().to_owned())
    }

    /// What the files would hold after an edit of the workspace, one a line.
    fn applied(&self, edit: &Value) -> String {
        let mut told = String::new();
        let mut texts = self.files.clone();
        texts.extend(self.unsaved.clone());
        let plain = edit["changes"].as_object().into_iter().flatten();
        let plain = plain.map(|(uri, edits)| json!({ "textDocument": { "uri": uri }, "edits": edits }));
        for change in plain.chain(edit["documentChanges"].as_array().into_iter().flatten().cloned()) {
            if let Some(kind) = change["kind"].as_str() {
                let name = self.name(change["uri"].as_str().expect("a URI"));
                told.push_str(&format!("{name}: {kind} {}\n", annotation(&change)));
                continue;
            }
            let name = self.name(change["textDocument"]["uri"].as_str().expect("a URI"));
            let text = texts.entry(name.clone()).or_default();
            if let Some(version) = change["textDocument"].get("version") {
                assert_eq!(version.as_i64(), self.unsaved.contains_key(&name).then_some(2), "the version of {name}");
            }
            let mut edits = change["edits"].as_array().expect("edits").clone();
            edits.sort_by_key(|edit| std::cmp::Reverse(edit["range"]["start"]["line"].as_u64()));
            let mut notes = String::new();
            for edit in edits {
                let byte = |end: &str| byte_of(text, &edit["range"][end]);
                let (start, end) = (byte("start"), byte("end"));
                let new = edit["newText"].as_str().expect("a text");
                notes = match annotation(&edit) {
                    "" => notes,
                    word => format!(" {}{word}{notes}", edit["range"]["start"]["line"]),
                };
                text.replace_range(start..end, new);
            }
            told.push_str(&format!("{name}: {}{notes}\n", show(text)));
        }
        told
    }

    fn check_that_nothing_was_written(&self) {
        for (path, text) in &self.files {
            assert_eq!(&fs::read_to_string(self.root.join(path)).expect("a file"), text, "{path}");
        }
        assert_eq!(fs::read_dir(&self.root).expect("a folder").count(), self.files.len());
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).and_then(|()| fs::write(path, text)).expect("writable");
}

fn annotation(edit: &Value) -> &str {
    edit["annotationId"].as_str().unwrap_or_default()
}

fn spell(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{}\n", text.replace('/', "\n")) }
}

fn show(text: &str) -> String {
    text.strip_suffix('\n').unwrap_or(text).replace("\r\n", "␍/").replace('\n', "/")
}

fn byte_of(text: &str, position: &Value) -> usize {
    let line = usize::try_from(position["line"].as_u64().expect("a line")).expect("a line");
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    start + usize::try_from(position["character"].as_u64().expect("a column")).expect("a column")
}

fn uri(path: &Path) -> String {
    let path = path.to_string_lossy().replace('\\', "/");
    format!("file://{}{path}", if path.starts_with('/') { "" } else { "/" })
}

/// What `turnlens/undo` tells: the sentence, each file as it would be, what could be deleted, and what stays.
fn check(story: &str, address: &str, expect: Expect) {
    let world = World::new(story);
    let mut client = world.start(json!({}), &[]);
    let told = client.call("turnlens/undo", json!({ "address": format!("{}:{address}", &SESSION[..8]) }));
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut seen = format!("{}\n{}", text(&told["message"]), world.applied(&told["edit"]));
    for made in told["made"].as_array().expect("a list") {
        seen.push_str(&format!("{}: made by it\n", world.name(&text(made))));
    }
    for stay in told["stays"].as_array().expect("a list") {
        let (file, line) = (world.name(&text(&stay["uri"])), &stay["range"]["start"]["line"]);
        seen.push_str(&format!("{file} line {line}: {}\n", text(&stay["message"])));
    }
    world.check_that_nothing_was_written();
    expect.assert_eq(&seen);
}

#[test]
fn a_turn_that_stands() {
    check(
        "have a.txt 1/2/3/4\nturn Do it\nedit a.txt 2 => two/2b\nedit a.txt 4 => four",
        "1",
        expect![[r#"
        Undo turn 1: 2 hunks in 1 file.
        a.txt: 1/2/3/4
    "#]],
    );
    check(
        "have a.txt 1/2/3/4\nturn Do it\nedit a.txt 2 => two/2b\nedit a.txt 4 => four",
        "1.1",
        expect![[r#"
        Undo step 1.1: 1 hunk in 1 file.
        a.txt: 1/2/3/four
    "#]],
    );
    // It changed the same line twice: the text from before both comes back.
    check(
        "have a.txt 1/2/3\nturn Do it\nedit a.txt 2 => two\nedit a.txt two => TWO",
        "1",
        expect![[r#"
        Undo turn 1: 1 hunk in 1 file.
        a.txt: 1/2/3
    "#]],
    );
    check(
        "have a.txt 1/2/3\nturn Do it\nedit a.txt 2 => two\nedit a.txt two => TWO",
        "1.1",
        expect![[r#"
        Nothing of step 1.1 stands any more. 1 hunk was changed later (step 1.2) and stays.
        a.txt line 1: Changed later (step 1.2), stays.
    "#]],
    );
    check(
        "have a.txt 1/2\nhave b.txt 1/2\nturn Do it\nedit a.txt 2 => A\nedit b.txt 1 => B",
        "1",
        expect![[r#"
        Undo turn 1: 2 hunks in 2 files.
        a.txt: 1/2
        b.txt: 1/2
    "#]],
    );
}

const CHANGED_LATER: &str = "
    have a.txt 1/2/3/4/5/6/7/8/9
    turn Change four lines
    edit a.txt 2 => two
    edit a.txt 4 => four
    edit a.txt 6 => six
    edit a.txt 8 => eight
    turn Change one of them again
    edit a.txt four => FOUR
    person a.txt six => person's
    type a.txt eight => typing/here
";

#[test]
fn what_was_changed_later_stays_and_is_named() {
    check(
        CHANGED_LATER,
        "1",
        expect![[r#"
        Undo turn 1: 1 of 4 hunks in 1 file. 3 hunks were changed later (turn 2; no recorded turn; unsaved typing) and stay.
        a.txt: 1/2/3/FOUR/5/person's/7/typing/here/9
        a.txt line 3: Changed later (turn 2), stays.
        a.txt line 5: Changed later (no recorded turn), stays.
        a.txt line 7: Changed later (unsaved typing), stays.
    "#]],
    );
    check(
        CHANGED_LATER,
        "2",
        expect![[r#"
        Undo turn 2: 1 hunk in 1 file.
        a.txt: 1/two/3/four/5/person's/7/typing/here/9
    "#]],
    );
    check(
        CHANGED_LATER,
        "1.4",
        expect![[r#"
        Nothing of step 1.4 stands any more. 1 hunk was changed later (unsaved typing) and stays.
        a.txt line 7: Changed later (unsaved typing), stays.
    "#]],
    );
}

#[test]
fn lines_move_while_somebody_types() {
    check(
        "have a.txt 1/2/3\nturn Do it\nedit a.txt 2 => two\ntype a.txt 1 => 0/0/1\ntype a.txt 3 => 3/end",
        "1",
        expect![[r#"
            Undo turn 1: 1 hunk in 1 file.
            a.txt: 0/0/1/2/3/end
        "#]],
    );
    check(
        "have a.txt 1/2/3\nturn Do it\nedit a.txt 2 => two\nperson a.txt 1 => 1/b",
        "1",
        expect![[r#"
        Undo turn 1: 1 hunk in 1 file.
        a.txt: 1/b/2/3
    "#]],
    );
}

/// A person changed other lines between two edits of the turn: theirs stay.
#[test]
fn changes_of_others_between_the_edits_of_a_turn_stay() {
    let story = "
        have a.txt 1/2/3/4/5
        turn Do it
        edit a.txt 1 => one
        person a.txt 3 => person's
        edit a.txt 5 => five
    ";
    check(
        story,
        "1",
        expect![[r#"
        Undo turn 1: 2 hunks in 1 file.
        a.txt: 1/2/person's/4/5
    "#]],
    );
    let story = "
        have a.txt 1/2/3/4/5
        turn Do it
        edit a.txt 1 => one/uno
        person a.txt uno => person's
        edit a.txt 5 => five
    ";
    check(
        story,
        "1",
        expect![[r#"
        Undo turn 1: 1 of 2 hunks in 1 file. 1 hunk was changed later (no recorded turn) and stays.
        a.txt: one/person's/2/3/4/5
        a.txt line 0: Changed later (no recorded turn), stays.
    "#]],
    );
}

#[test]
fn files_that_it_made() {
    check(
        "have a.txt 1\nturn Do it\nwrite b.txt x/y\nedit a.txt 1 => one",
        "1",
        expect![[r#"
        Undo turn 1: 1 hunk in 1 file. It made b.txt, which nobody changed.
        a.txt: 1
        b.txt: made by it
    "#]],
    );
    check(
        "turn Do it\nwrite b.txt x/y\nedit b.txt y => z",
        "1",
        expect![[r#"
        Undo turn 1. It made b.txt, which nobody changed.
        b.txt: made by it
    "#]],
    );
    check(
        "turn Do it\nwrite b.txt x/y\nperson b.txt y => y/mine",
        "1",
        expect![[r#"
        Undo turn 1: 1 hunk in 1 file.
        b.txt: mine
    "#]],
    );
    check(
        "turn Do it\nwrite b.txt x/y/z\nperson b.txt y => mine",
        "1",
        expect![[r#"
        Nothing of turn 1 stands any more. 1 hunk was changed later (no recorded turn) and stays.
        b.txt line 0: Changed later (no recorded turn), stays.
    "#]],
    );
    check(
        "turn Do it\nwrite b.txt x/y\nremove b.txt",
        "1",
        expect![[r#"
        Nothing of turn 1 stands any more.
    "#]],
    );
}

#[test]
fn nothing_of_it_stands() {
    check(
        "have a.txt 1/2/3\nturn Do it\nedit a.txt 2 => two\nperson a.txt two => 2",
        "1",
        expect![[r#"
        Nothing of turn 1 stands any more.
    "#]],
    );
    check(
        "have a.txt 1/2/3\nturn Do it\nedit a.txt 2 => two\nremove a.txt",
        "1",
        expect![[r#"
        Nothing of turn 1 stands any more. 1 hunk was changed later (the file is gone) and stays.
        a.txt line 0: Changed later (the file is gone), stays.
    "#]],
    );
    check(
        "turn Say something",
        "1",
        expect![[r#"
        Nothing of turn 1 stands any more.
    "#]],
    );
}

#[test]
fn what_names_no_turn_is_told() {
    let world = World::new("have a.txt 1\nturn Do it\nedit a.txt 1 => one");
    let mut client = world.start(json!({}), &[]);
    let mut refused = |params: Value| client.call_error("turnlens/undo", params).message;
    assert_eq!(refused(json!({ "address": "5e5510ad" })), "“5e5510ad” names a session and no turn.");
    assert_eq!(refused(json!({ "address": "5e5510ad:7" })), format!("Session {SESSION} has 1 turns, no turn 7."));
    assert_eq!(refused(json!({})), "A turn is named by an address, or by a document and a position.");
    let there = json!({ "uri": uri(&world.root.join("a.txt")) });
    let start = json!({ "line": 0, "character": 0 });
    let told = client.call("turnlens/undo", json!({ "textDocument": there, "position": start }));
    assert_eq!((&told["address"], &told["title"]), (&json!("5e5510ad:1"), &json!("Undo turn 1")));
}

/// Runs the command, lets `answer` answer what the server asks, and gives what was seen: questions, edits, messages.
fn check_command(story: &str, workspace: Value, choice: Option<&str>, expect: Expect) {
    let world = World::new(story);
    let mut client = world.start(workspace, &[]);
    let argument = json!({ "address": format!("{}:1", &SESSION[..8]) });
    client.call("workspace/executeCommand", json!({ "command": "turnlens.server.undo", "arguments": [argument] }));
    let mut seen = String::new();
    loop {
        let message = client.next_message();
        let params = &message["params"];
        match message["method"].as_str().expect("a method") {
            "window/showMessageRequest" => {
                let titles: Vec<&str> =
                    params["actions"].as_array().expect("actions").iter().filter_map(|a| a["title"].as_str()).collect();
                seen.push_str(&format!(
                    "asks {} [{}]\n",
                    params["message"].as_str().expect("words"),
                    titles.join("] [")
                ));
                client.reply(&message, choice.map_or(Value::Null, |title| json!({ "title": title })));
                if choice.is_none_or(|choice| choice == "Cancel") {
                    break;
                }
            }
            "workspace/applyEdit" => {
                let edit = &params["edit"];
                for (name, told) in edit["changeAnnotations"].as_object().into_iter().flatten() {
                    let confirm = if told["needsConfirmation"] == true { "not ticked" } else { "ticked" };
                    let text = |key: &str| told[key].as_str().unwrap_or_default().to_owned();
                    seen.push_str(&format!("{name} ({confirm}): {}: {}\n", text("label"), text("description")));
                }
                seen.push_str(&format!("edits\n{}", world.applied(edit)));
                client.reply(&message, json!({ "applied": true }));
                if !story.contains("later") {
                    break;
                }
            }
            "window/showMessage" => {
                seen.push_str(&format!("says {}\n", params["message"].as_str().expect("words")));
                break;
            }
            method if method.starts_with("turnlens/") || method == "window/logMessage" => {}
            method => panic!("{method}"),
        }
    }
    world.check_that_nothing_was_written();
    expect.assert_eq(&seen);
}

const MADE_AND_CHANGED: &str = "
    have a.txt 1/2/3/4
    turn Do it
    write b.txt x/y
    edit a.txt 2 => two
    edit a.txt 4 => four
    person a.txt four => later
";

#[test]
fn a_client_without_a_preview_is_asked_first() {
    let plain = json!({ "applyEdit": true, "workspaceEdit": { "resourceOperations": ["create", "delete"] } });
    check_command(
        MADE_AND_CHANGED,
        plain.clone(),
        Some("Undo"),
        expect![[r#"
        asks Undo turn 1: 1 of 2 hunks in 1 file. 1 hunk was changed later (no recorded turn) and stays. It made b.txt, which nobody changed. [Undo] [Undo and delete 1 file] [Cancel]
        edits
        a.txt: 1/2/3/later
        says 1 hunk was changed later (no recorded turn) and stays. a.txt:4
    "#]],
    );
    check_command(
        MADE_AND_CHANGED,
        plain.clone(),
        Some("Undo and delete 1 file"),
        expect![[r#"
        asks Undo turn 1: 1 of 2 hunks in 1 file. 1 hunk was changed later (no recorded turn) and stays. It made b.txt, which nobody changed. [Undo] [Undo and delete 1 file] [Cancel]
        edits
        a.txt: 1/2/3/later
        b.txt: delete 
        says 1 hunk was changed later (no recorded turn) and stays. a.txt:4
    "#]],
    );
    check_command(
        MADE_AND_CHANGED,
        plain.clone(),
        Some("Cancel"),
        expect![[r#"
        asks Undo turn 1: 1 of 2 hunks in 1 file. 1 hunk was changed later (no recorded turn) and stays. It made b.txt, which nobody changed. [Undo] [Undo and delete 1 file] [Cancel]
    "#]],
    );
    check_command(
        MADE_AND_CHANGED,
        plain,
        None,
        expect![[r#"
        asks Undo turn 1: 1 of 2 hunks in 1 file. 1 hunk was changed later (no recorded turn) and stays. It made b.txt, which nobody changed. [Undo] [Undo and delete 1 file] [Cancel]
    "#]],
    );
    check_command(
        MADE_AND_CHANGED,
        json!({ "applyEdit": true }),
        Some("Undo"),
        expect![[r#"
        asks Undo turn 1: 1 of 2 hunks in 1 file. 1 hunk was changed later (no recorded turn) and stays. It made b.txt, which nobody changed. [Undo] [Cancel]
        edits
        a.txt: 1/2/3/later
        says 1 hunk was changed later (no recorded turn) and stays. a.txt:4
    "#]],
    );
    // Takes annotations and asks nobody, as Neovim 0.12 does.
    let edits = json!({ "documentChanges": true, "changeAnnotationSupport": { "groupsOnLabel": true } });
    check_command(
        MADE_AND_CHANGED,
        json!({ "applyEdit": true, "workspaceEdit": edits }),
        Some("Undo"),
        expect![[r#"
        asks Undo turn 1: 1 of 2 hunks in 1 file. 1 hunk was changed later (no recorded turn) and stays. It made b.txt, which nobody changed. [Undo] [Cancel]
        edits
        a.txt: 1/2/3/later
        says 1 hunk was changed later (no recorded turn) and stays. a.txt:4
    "#]],
    );
}

#[test]
fn a_client_with_a_preview_shows_it() {
    let edits = json!({
        "documentChanges": true, "resourceOperations": ["create", "delete"], "metadataSupport": true,
        "changeAnnotationSupport": { "groupsOnLabel": true },
    });
    let workspace = json!({ "applyEdit": true, "workspaceEdit": edits });
    check_command(
        MADE_AND_CHANGED,
        workspace.clone(),
        None,
        expect![[r#"
            made (not ticked): Delete what turn 1 made: Nobody changed it since.
            stays (not ticked): Stays as it is: 1 hunk was changed later (no recorded turn) and stays.
            undo (ticked): Undo turn 1: Undo turn 1: 1 of 2 hunks in 1 file. 1 hunk was changed later (no recorded turn) and stays. It made b.txt, which nobody changed.
            edits
            a.txt: 1/2/3/later 1undo 3stays
            b.txt: delete made
            says 1 hunk was changed later (no recorded turn) and stays. a.txt:4
        "#]],
    );
    // With nothing to be confirmed it would be applied unseen.
    check_command(
        "have a.txt 1/2\nturn Do it\nedit a.txt 2 => two",
        workspace,
        None,
        expect![[r#"
            confirm (not ticked): Undo turn 1: Changes nothing; it has you look first.
            undo (ticked): Undo turn 1: Undo turn 1: 1 hunk in 1 file.
            edits
            a.txt: 1/2 1confirm 1undo
        "#]],
    );
}

#[test]
fn a_client_that_takes_no_edits_is_told_of_the_terminal() {
    check_command(
        "have a.txt 1/2\nturn Do it\nedit a.txt 2 => two",
        json!({}),
        None,
        expect![[r#"
        says Undo turn 1: 1 hunk in 1 file. This editor takes no edits from a server: turnlens diff -R 5e5510ad:1 | git apply --3way
    "#]],
    );
    check_command(
        "have a.txt 1/2\nturn Do it\nedit a.txt 2 => two\nperson a.txt two => 2",
        json!({ "applyEdit": true }),
        None,
        expect![[r#"
            says Nothing of turn 1 stands any more.
        "#]],
    );
}

const DESTROYED: &str = "
    have a.txt 1/2/3
    have b.txt x
    turn Do it
    edit a.txt 2 => two
    person a.txt two => mine/not committed
    edit a.txt 3 => three
    edit a.txt 1/mine/not committed/three => all gone
    write c.txt new
    edit b.txt x => y
    edit c.txt new => newer
    remove b.txt
    remove c.txt
";

/// Every state of a file, newest first, and what it would hold.
#[test]
fn known_states_of_a_file_are_put_back() {
    let world = World::new(&format!("{DESTROYED}\ntype a.txt all gone => typing"));
    let mut client = world.start(json!({ "textDocumentContent": {}, "applyEdit": true }), &[]);
    let file = uri(&world.root.join("a.txt"));
    let history = client.call("turnlens/fileHistory", json!({ "textDocument": { "uri": file } }));
    let restore = |client: &mut Client, text: &Value| {
        let argument = json!({ "uri": file, "text": text });
        let params = json!({ "command": "turnlens.server.restore", "arguments": [argument] });
        client.call("workspace/executeCommand", params);
    };
    let mut seen = String::new();
    for entry in history["entries"].as_array().expect("a list") {
        restore(&mut client, &entry["text"]);
        let request = client.server_request("workspace/applyEdit");
        client.reply(&request, json!({ "applied": true }));
        let description = entry["description"].as_str().expect("words");
        seen.push_str(&format!("{description} → {}", world.applied(&request["params"]["edit"])));
    }
    world.check_that_nothing_was_written();
    expect![[r#"
        edited · 1 line → a.txt: all gone
        edited · 4 lines → a.txt: 1/mine/not committed/three
        found · 4 lines → a.txt: 1/mine/not committed/3
        edited · 3 lines → a.txt: 1/two/3
        found · 3 lines → a.txt: 1/2/3
    "#]]
    .assert_eq(&seen);
    restore(&mut client, &json!("turnlens://claude-code/none/1.1/after/00000000/a.txt"));
    assert_eq!(client.notification("window/showMessage")["message"], "There is no such document any more.");
}

#[test]
fn deleted_files_are_listed_with_their_last_text() {
    let world = World::new(DESTROYED);
    let mut client = world.start(json!({ "textDocumentContent": {} }), &[]);
    let told = client.call("turnlens/deletedFiles", json!({}));
    let mut seen = String::new();
    for entry in told["entries"].as_array().expect("a list") {
        let content = client.call("workspace/textDocumentContent", json!({ "uri": entry["text"] }));
        let word = |value: &Value| value.as_str().expect("a text").to_owned();
        let (path, text) = (word(&entry["path"]), word(&content["text"]));
        assert_eq!(word(&entry["uri"]), uri(&world.root.join(&path)));
        seen.push_str(&format!("{path} ({}): {}\n", word(&entry["description"]), show(&text)));
    }
    world.check_that_nothing_was_written();
    expect![[r#"
        c.txt (edited · 1 line): newer
        b.txt (edited · 1 line): y
    "#]]
    .assert_eq(&seen);
}

/// The command without a plugin: which text, then an edit.
fn check_restore(argument: &Value, choice: &str, expect: Expect) {
    let world = World::new(DESTROYED);
    let edits = json!({ "resourceOperations": ["create"] });
    let mut client = world.start(json!({ "applyEdit": true, "workspaceEdit": edits }), &[]);
    let mut argument = argument.clone();
    if let Some(name) = argument["uri"].as_str() {
        argument["uri"] = json!(uri(&world.root.join(name)));
    }
    client.call("workspace/executeCommand", json!({ "command": "turnlens.server.restore", "arguments": [argument] }));
    let question = client.server_request("window/showMessageRequest");
    let titles = question["params"]["actions"].as_array().expect("choices");
    let mut titles = titles.iter().filter_map(|action| action["title"].as_str());
    let chosen = titles.find(|title| title.contains(choice)).expect("the choice");
    client.reply(&question, json!({ "title": chosen }));
    let request = client.server_request("workspace/applyEdit");
    client.reply(&request, json!({ "applied": true }));
    let words = question["params"]["message"].as_str().expect("words");
    expect.assert_eq(&format!("{words}\n{}", world.applied(&request["params"]["edit"])));
}

#[test]
fn an_editor_without_a_plugin_puts_texts_back() {
    check_restore(
        &json!({ "uri": "a.txt" }),
        "1.2",
        expect![[r#"
        Restore which text of the file?
        a.txt: 1/mine/not committed/three
    "#]],
    );
    check_restore(
        &json!({}),
        "b.txt",
        expect![[r#"
        Restore which deleted file?
        b.txt: create 
        b.txt: y
    "#]],
    );
}

/// In the terminal: the patch names the text that it is for, and git merges it into what came later.
#[test]
fn git_takes_the_reversed_patch() {
    let story = "
        have a.txt 1/2/3/4/5/6/7/8/9
        turn Do it
        edit a.txt 2 => two
        edit a.txt 8 => eight
        commit The agent's
        person a.txt 3/4 => 3/new/lines/4
        commit Anna's
    ";
    let world = World::new(story);
    let patch = world.turnlens(&["diff", "-R", &format!("{}:1", &SESSION[..8])]);
    let told = world.git(&["apply", "--3way"], &patch);
    let index = patch.lines().find(|line| line.starts_with("index ")).unwrap_or_default();
    assert_eq!(index.len(), "index ..".len() + 2 * 40, "{patch}");
    let text = fs::read_to_string(world.root.join("a.txt")).expect("a file");
    expect![[r#"
        ! Applied patch to 'a.txt' cleanly.
        1/2/3/new/lines/4/5/6/7/8/9"#]]
    .assert_eq(&format!("{told}{}", show(&text)));
}

#[test]
fn what_git_would_refuse_is_told() {
    let story = "have a.txt 1/2/3\ncommit Before\nturn Do it\nedit a.txt 2 => two";
    let world = World::new(story);
    let address = format!("{}:1", &SESSION[..8]);
    expect![[r#"
        diff --git a/a.txt b/a.txt
        --- a/a.txt
        +++ b/a.txt
        @@ -1,3 +1,3 @@
         1
        -two
        +2
         3
        ! Not as staged: a.txt. git apply --3way takes them after git add; git apply alone takes them as they are.
    "#]]
    .assert_eq(&world.turnlens(&["diff", "-R", &address]));
    assert_eq!(world.git(&["apply"], &world.turnlens(&["-q", "diff", "-R", &address])), "");
    assert_eq!(fs::read_to_string(world.root.join("a.txt")).expect("a file"), spell("1/2/3"));
}
