//! The command line, run as a person runs it: over a demo that it makes itself, and over small logs of our own.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::lsp::binary;

/// A repository and a home folder with logs, in a folder that goes with the test.
struct Place {
    folder: TempDir,
    repo: PathBuf,
    home: PathBuf,
}

/// What a command printed, and how it ended.
struct Told {
    out: String,
    err: String,
    code: i32,
}

impl Place {
    /// The demo.
    fn demo() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("demo");
        let told = at(folder.path(), &[]).args(["demo", "--json", "--dir"]).arg(&made).output().unwrap();
        let places: Value = serde_json::from_slice(&told.stdout).unwrap_or_else(|_| panic!("{told:?}"));
        let path = |name: &str| PathBuf::from(places[name].as_str().unwrap());
        Place { repo: path("repo"), home: path("home"), folder }
    }

    /// A folder without git, and a log of these records.
    fn with_log(records: &[Value]) -> Place {
        let place = Place::empty();
        let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
        place.write_log("11112222-3333-4444-5555-666677778888", lines.as_bytes());
        place
    }

    /// Neither logs nor git.
    fn empty() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let place = Place { repo: root.join("repo"), home: root.join("home"), folder };
        fs::create_dir(&place.repo).unwrap();
        fs::create_dir(&place.home).unwrap();
        place
    }

    fn write_log(&self, name: &str, text: &[u8]) -> PathBuf {
        let folder = self.home.join(".claude/projects/-w");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{name}.jsonl"));
        fs::write(&path, text).unwrap();
        path
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = at(&self.repo, args);
        command.env("HOME", &self.home).env("USERPROFILE", &self.home);
        command
    }

    fn run(&self, args: &[&str]) -> Told {
        self.told(&self.command(args).output().unwrap())
    }

    fn json(&self, args: &[&str]) -> Value {
        let told = self.run(&[args, &["--json"]].concat());
        assert_eq!(told.err, "", "{args:?}");
        assert_eq!(told.out.lines().count(), 1, "{args:?}");
        serde_json::from_str(&told.out).unwrap_or_else(|_| panic!("{args:?}: {}", told.out))
    }

    /// With what differs from run to run under names of its own.
    fn told(&self, output: &Output) -> Told {
        let text = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let folder = self.folder.path().canonicalize().unwrap();
            let text =
                text.replace(&*self.repo.to_string_lossy(), "REPO").replace(&*self.home.to_string_lossy(), "HOME");
            times_and_commits(&text.replace(&*folder.to_string_lossy(), "FOLDER"))
        };
        Told { out: text(&output.stdout), err: text(&output.stderr), code: output.status.code().unwrap() }
    }

    /// What stands on standard output and, behind `! `, on standard error; the exit code where it is not 0.
    fn check(&self, command: &str, expect: Expect) {
        let args: Vec<&str> = command.split_whitespace().collect();
        let Told { out, err, code } = self.run(&args);
        let err: String = err.lines().map(|line| format!("! {line}\n")).collect();
        let code = if code == 0 { String::new() } else { format!("exit {code}\n") };
        // A blank alone on its line does not survive in an `expect!`.
        let out: String =
            out.lines().map(|line| if line == " " { "␠\n".into() } else { format!("{line}\n") }).collect();
        expect.assert_eq(&format!("{out}{err}{code}"));
    }

    fn git(&self, args: &[&str], input: &str) -> Told {
        let mut git = Command::new("git");
        git.args(args).current_dir(&self.repo).env("HOME", &self.home).env("GIT_CONFIG_NOSYSTEM", "1");
        self.told(&with_input(git, input))
    }
}

/// The program in a folder, with nothing of the surroundings that could change what it says.
fn at(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    let kept = ["PATH", "SYSTEMROOT", "TEMP", "TMP", "LLVM_PROFILE_FILE"];
    command.args(args).current_dir(folder).env_clear().env("TZ", tests::demo::evening()).env("HOME", folder);
    command.envs(kept.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command
}

fn with_input(mut command: Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// `2026-11-20 14:02:03`, `today 14:02`, `14:02` and `20 Nov` become `TIME`, seven hex digits `COMMIT`.
fn times_and_commits(text: &str) -> String {
    const PATTERNS: [(&str, &str); 4] = [
        (r"author-time \d+", "author-time TIME"),
        (r"(\d{4}-\d\d-\d\d |today )?\d\d:\d\d(:\d\d)?( – (\d{4}-\d\d-\d\d )?\d\d:\d\d)?", "TIME"),
        (r"\b\d\d? [A-Z][a-z]{2}( \d{4})?\b", "TIME"),
        // No number behind a point.
        (r"(^|[^.\w])[0-9a-f]{7}\b", "${1}COMMIT"),
    ];
    PATTERNS.into_iter().fold(text.to_owned(), |text, (pattern, name)| {
        regex::Regex::new(pattern).unwrap().replace_all(&text, name).into_owned()
    })
}

fn record(kind: &str, id: u32, fields: Value) -> Value {
    let mut record = json!({
        "type": kind, "uuid": format!("00000000-0000-4000-8000-{id:012x}"), "parentUuid": null, "isSidechain": false,
        "sessionId": "11112222-3333-4444-5555-666677778888", "cwd": "/w/gone", "version": "2.1.1",
        "timestamp": format!("2026-03-04T10:00:{id:02}.000Z"),
    });
    record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    record
}

fn prompt(id: u32, text: &str) -> Value {
    record("user", id, json!({ "message": { "role": "user", "content": text } }))
}

fn answer(id: u32, text: &str) -> Value {
    let content = json!([{ "type": "text", "text": text }]);
    record(
        "assistant",
        id,
        json!({ "message": { "id": "m", "role": "assistant", "model": "opus", "content": content } }),
    )
}

#[test]
fn the_name_alone_says_what_people_use() {
    let told = Place::empty().run(&[]);
    assert_eq!((told.out.lines().count(), told.code), (9, 0), "{}", told.out);
    let place = Place::empty();
    assert!(place.run(&["help", "--all"]).out.contains("completions"));
    assert!(place.run(&["help", "diff"]).out.contains("-R"));
    assert_eq!(place.run(&["help", "nonsense"]).code, 2);
    assert_eq!(place.run(&["nonsense"]).code, 2);
    assert!(place.run(&["--version"]).out.starts_with("turnlens 0."));
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(place.run(&["completions", shell]).out.contains("turnlens"), "{shell}");
    }
}

#[test]
fn what_is_not_committed() {
    let demo = Place::demo();
    demo.check(
        "status",
        expect![[r#"
        Uncommitted in repo: 5 files, +76 −1

          Claude  9f3c1a2b  Add retry to the loader                           TIME
            turn 2  Add retry to the loader → yes  4 files  +72 −1  3 of 68 lines changed since
          Not from a recorded turn                 2 files  +4 −0   Cargo.toml:5-6, src/uploader.rs:10-11

        turnlens diff 9f3c:2     show a turn's changes
        turnlens diff -R 9f3c:2 | git apply --3way     undo it
    "#]],
    );
    demo.check(
        "status --staged",
        expect![[r#"
        Staged in repo: nothing
    "#]],
    );
    demo.git(&["add", "src/retry.rs"], "");
    demo.check(
        "status --format message",
        expect![[r#"
        Add retry to the loader → yes
    "#]],
    );
    let told = demo.json(&["status"]);
    assert_eq!(told["turns"][0]["turn"], 2);
    assert_eq!(told["turns"][0]["title"], "Add retry to the loader → yes");
    let cargo = told["files"].as_array().unwrap().iter().find(|file| file["file"] == "Cargo.toml").unwrap();
    assert_eq!((&cargo["added"], &cargo["unknown"]), (&json!(2), &json!([5, 6])));
    Place::empty().check(
        "status",
        expect![[r#"
        ! turnlens: REPO is in no git repository; go into one, or name it with -C
        exit 1
    "#]],
    );
}

#[test]
fn who_wrote_a_line() {
    let demo = Place::demo();
    demo.check(
        "blame src/uploader.rs",
        expect![[r#"
                                                 1  //! Sends what was made of a page on.
                                                 2
                                                 3  use crate::http::{Body, Client, Error};
        9f3c1a2b:2.6  Claude  TIME   4  use crate::retry::retry;
        9f3c1a2b:2.6  Claude  TIME   5  use std::time::Duration;
                                                 6
                                                 7  /// Puts `body` at `url`.
                                                 8  pub fn send(url: &str, body: Body) -> Result<(), Error> {
                                                 9      let client = Client::new();
                                                10      // The other side is slow on Mondays.
                                                11      retry(5, Duration::from_millis(500), || {
        9f3c1a2b:2.5  Claude  TIME  12          client.put(url, body.clone())
        9f3c1a2b:2.5  Claude  TIME  13      })?;
                                                14      Ok(())
                                                15  }
    "#]],
    );
    demo.check(
        "blame -L 3,+2 src/loader.rs",
        expect![[r#"
                                                 3  use crate::http::{Body, Client, Error};
        9f3c1a2b:1.12  Claude  TIME  4  use std::{thread::sleep, time::Duration};
    "#]],
    );
    demo.check(
        "blame --porcelain -L 12,12 src/uploader.rs",
        expect![[r#"
            9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77:2.5 9 12 1
            author Claude Code
            author-mail <claude-code>
            author-time TIME
            author-tz +0000
            summary Add retry to the loader → yes
            step toolu_demo0058
            evidence reformatted
            filename src/uploader.rs
            	        client.put(url, body.clone())
        "#]],
    );
    demo.check(
        "blame --explain src/loader.rs:9",
        expect![[r#"
        src/loader.rs:9      let mut wait = Duration::from_millis(200);

        Written by Claude Code in step 1.7 of session 9f3c1a2b, TIME.   recorded

          TIME  read whole (1.4): 17 lines, this line is not among them
          TIME  edit (1.7) adds it; the text before in the log equals that read
          TIME  edit (1.12): the line did not change
          TIME  commit COMMIT has it at line 9
          now       saved file has it at line 9
    "#]],
    );
    demo.check(
        "blame --explain 6 Cargo.toml",
        expect![[r#"
        Cargo.toml:6      publish = false

        Not known.

          now  saved file has it at line 6

        No recorded turn wrote this line.
    "#]],
    );
}

#[test]
fn a_case_is_reported_without_its_texts() {
    let demo = Place::demo();
    let case = demo.repo.parent().unwrap().join("case.json");
    let file = case.to_str().unwrap();
    demo.run(&["report", "src/loader.rs:9", "--out", file]);
    let told = demo.json(&["report", "--check", file]);
    assert_eq!((&told["same"], &told["now"]["evidence"]), (&json!(true), &json!("recorded")));
    let case_text = fs::read_to_string(file).unwrap().to_lowercase();
    let source = fs::read_to_string(demo.repo.join("src/loader.rs")).unwrap();
    // Words of the form itself.
    let own = ["text", "line", "lines", "before", "step", "break", "else", "return", "turn", "then", "answer", "same"];
    for word in source.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() >= 4) {
        let word = word.to_lowercase();
        assert!(own.contains(&&*word) || !case_text.contains(&word), "{word} stands in the case");
    }
    let wrong = case_text.replace("\"recorded\"", "\"carried\"");
    fs::write(&case, wrong).unwrap();
    assert_eq!(demo.command(&["report", "--check", file]).output().unwrap().status.code(), Some(1));
}

#[test]
fn blame_as_json() {
    let demo = Place::demo();
    let told = demo.json(&["blame", "src/loader.rs"]);
    assert_eq!(told["file"], "src/loader.rs");
    let lines = told["lines"].as_array().unwrap();
    assert_eq!(lines.len(), fs::read_to_string(demo.repo.join("src/loader.rs")).unwrap().lines().count());
    assert_eq!(lines[0], json!({ "line": 1, "origin": "unknown" }));
    let line = &lines[8];
    for (field, value) in
        [("line", json!(9)), ("origin", json!("turn")), ("agent", json!("claude-code")), ("turn", json!(1))]
    {
        assert_eq!(line[field], value);
    }
    assert_eq!((&line["at_step"], &line["evidence"]), (&json!("1.7"), &json!("recorded")));
    assert!(line["step"].as_str().unwrap().starts_with("toolu_"));
    assert!(line["at"].as_str().unwrap().ends_with('Z'));
    let part = demo.json(&["blame", "-L", "9,10", "src/loader.rs"]);
    assert_eq!(part["lines"].as_array().unwrap()[0], *line);
}

#[test]
fn a_buffer_comes_by_standard_input() {
    let demo = Place::demo();
    let text = fs::read_to_string(demo.repo.join("src/loader.rs")).unwrap();
    let typed = format!("// typed\n{text}");
    let output = with_input(demo.command(&["blame", "--contents", "-", "--json", "src/loader.rs"]), &typed);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let lines = told["lines"].as_array().unwrap();
    assert_eq!((&lines[0]["origin"], &lines[9]["at_step"]), (&json!("unknown"), &json!("1.7")));
}

#[test]
fn sessions_and_turns() {
    let demo = Place::demo();
    demo.check(
        "sessions",
        expect![[r#"
        9f3c1a2b  Claude  Add retry to the loader  TIME  3 turns  6 files +86 −2
    "#]],
    );
    demo.check(
        "sessions --helpers",
        expect![[r#"
        9f3c1a2b  Claude  Add retry to the loader                     TIME  3 turns  6 files +86 −2
                  2.1     explore · Find every caller of Client::put                            4 steps
                  2.7     test-writer · Write tests for retry                                   5 steps
    "#]],
    );
    demo.check(
        "sessions --file Cargo.toml",
        expect![[r#"
        ! No session edited Cargo.toml.
    "#]],
    );
    demo.check(
        "sessions --live",
        expect![[r#"
        ! No agent is at work here.
    "#]],
    );
    demo.check(
        "log",
        expect![[r#"
        TIME  9f3c1a2b:2  Claude  Add retry to the loader → yes  4 files +68 −1
        TIME  9f3c1a2b:1  Claude  Add retry to the loader        2 files +18 −1
    "#]],
    );
    demo.check(
        "log src/loader.rs",
        expect![[r#"
        TIME  COMMIT        commit by Anna              Retry transient errors
        TIME  9f3c1a2b:1.12  edited by Claude  29 lines  Add retry to the loader
        TIME  9f3c1a2b:1.7   edited by Claude  28 lines  Add retry to the loader
        TIME  9f3c1a2b:1.4   read by Claude    17 lines  Add retry to the loader
        TIME  COMMIT        commit by Anna              A loader and an uploader
    "#]],
    );
    demo.check(
        "log -L 4,4:src/loader.rs",
        expect![[r#"
            # src/loader.rs:4 · line history

            ## 1.12 Claude · TIME · Add retry to the loader · 9f3c1a2b

            ```diff
            @@ -1,6 +1,7 @@
             //! Loads pages and takes them apart.
            ␠
             use crate::http::{Body, Client, Error};
            +use std::{thread::sleep, time::Duration};
            ␠
             /// The page at `url`.
             pub fn load(url: &str) -> Result<Body, Error> {
            ```
        "#]],
    );
    let told = demo.json(&["sessions", "--file", "src/retry.rs"]);
    let session = &told["sessions"][0];
    for (field, value) in [("turns", 3), ("edits", 8), ("files", 6)] {
        assert_eq!(session[field], value, "{field}");
    }
    assert_eq!((&session["agent"], &session["live"]), (&json!("claude-code"), &json!(false)));
    for field in ["id", "title", "cwd", "started", "ended", "tool_calls"] {
        assert!(!session[field].is_null(), "{field}");
    }
    assert_eq!(demo.json(&["sessions", "--until", "2020-01-01"])["sessions"], json!([]));
    assert_eq!(demo.json(&["log", "src/loader.rs", "-n", "1"])["states"].as_array().unwrap().len(), 1);
}

#[test]
fn a_session_can_be_read() {
    let demo = Place::demo();
    let whole = demo.run(&["show"]).out;
    assert!(whole.starts_with("# Add retry to the loader\n"), "{whole}");
    assert!(!whole.contains("turnlens://"));
    assert_eq!(whole.matches("\n## Turn ").count(), 3);
    demo.check(
        "show @:1.10",
        expect![[r#"
            ### 1.10 Edit src/http.rs:24 +5 −0

            ```diff
            @@ -21,6 +21,11 @@
                 pub fn status(&self) -> Option<u16> {
                     self.status
                 }
            +
            +    /// True for errors that may pass: no answer, or a 5xx answer.
            +    pub fn is_transient(&self) -> bool {
            +        self.status.map_or(true, |s| s >= 500)
            +    }
             }
            ␠
             impl fmt::Display for Error {
            ```
        "#]],
    );
    demo.check(
        "show last --turn 3",
        expect![[r#"
        ! turnlens: There is no session last. `turnlens sessions --repo all` lists them.
        exit 1
    "#]],
    );
    assert!(demo.run(&["show", "@:2.7", "--full"]).out.contains("fn no_wait_before_the_first()"));
    let raw = demo.run(&["show", "@:1.8", "--raw"]).out;
    let records: Vec<Value> = serde_json::Deserializer::from_str(&raw).into_iter().map(Result::unwrap).collect();
    assert_eq!(records.iter().map(|record| &record["type"]).collect::<Vec<_>>(), ["assistant", "user"]);
}

#[test]
fn a_session_as_json() {
    let demo = Place::demo();
    let told = demo.json(&["show", "@"]);
    assert_eq!(told["session"]["title"], "Add retry to the loader");
    let turns = told["turns"].as_array().unwrap();
    assert_eq!(turns.iter().map(|turn| &turn["turn"]).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(turns[0]["prompt"].as_str().unwrap().ends_with("The error type is in src/http.rs."));
    let steps: Vec<&Value> = turns.iter().flat_map(|turn| turn["steps"].as_array().unwrap()).collect();
    let mut kinds: Vec<&str> = steps.iter().map(|step| step["kind"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, ["agent", "command", "edit", "read", "search", "text", "thought"]);
    let of_side = steps.iter().find(|step| step["at_step"] == "2.7.3").unwrap();
    assert!(of_side["files"][0].as_str().unwrap().ends_with("retry.rs"));
    let failed: Vec<_> = steps.iter().filter(|step| step["failed"] == true).map(|step| &step["at_step"]).collect();
    assert_eq!(failed, ["1.8", "1.11"]);
    assert_eq!(demo.json(&["show", "@", "--turn", "2"])["turns"].as_array().unwrap().len(), 1);
}

#[test]
fn diffs_can_be_applied() {
    let demo = Place::demo();
    demo.check(
        "diff --stat",
        expect![[r#"
        src/retry.rs    | 15 +++++++++++++
        src/lib.rs      | 1  +
        src/uploader.rs | 6  +++++-
        tests/retry.rs  | 47 ++++++++++++++++++++++++++++++++++++++++
        4 files, +68 −1
    "#]],
    );
    demo.check(
        "diff 1 --name-only",
        expect![[r#"
        src/loader.rs
        src/http.rs
    "#]],
    );
    demo.check(
        "diff 1.12",
        expect![[r#"
            diff --git a/src/loader.rs b/src/loader.rs
            --- a/src/loader.rs
            +++ b/src/loader.rs
            @@ -1,6 +1,7 @@
             //! Loads pages and takes them apart.
            ␠
             use crate::http::{Body, Client, Error};
            +use std::{thread::sleep, time::Duration};
            ␠
             /// The page at `url`.
             pub fn load(url: &str) -> Result<Body, Error> {
        "#]],
    );
    demo.check(
        "diff --now 2 --stat",
        expect![[r#"
        src/lib.rs      | 1  +
        src/uploader.rs | 2  ++
        tests/retry.rs  | 47 ++++++++++++++++++++++++++++++++++++++++
        3 files, +50 −0
        ! src/retry.rs: 0 of 1 hunk still there
        ! src/uploader.rs: 1 of 2 hunks still there
    "#]],
    );
    let apply = |args: &[&str], patch: &str| {
        let told = demo.git(&[&["apply", "--check"], args].concat(), patch);
        assert_eq!((told.err.as_str(), told.code), ("", 0), "{args:?}\n{patch}");
    };
    let (forth, back) = (demo.run(&["diff", "1"]).out, demo.run(&["diff", "-R", "1"]).out);
    apply(&["-R"], &forth);
    apply(&[], &back);
    let now = demo.run(&["diff", "--now", "2"]).out;
    apply(&["-R"], &now);
    apply(&[], &demo.run(&["diff", "--now", "-R", "2"]).out);
    let only = demo.run(&["diff", "1", "src/http.rs"]).out;
    assert!(only.contains("+++ b/src/http.rs") && !only.contains("loader"));
    demo.git(&["stash", "--include-untracked"], "");
    demo.git(&["checkout", "--quiet", "HEAD~1"], "");
    apply(&[], &forth);
    apply(&[], &demo.run(&["diff", "2"]).out);
    let both = demo.run(&["diff", "1.1..2.9"]).out;
    apply(&[], &both);
    assert_eq!(
        demo.json(&["diff", "1"])["files"][0],
        json!({ "file": "src/loader.rs", "added": 13, "removed": 1, "created": false, "deleted": false })
    );
}

#[test]
fn a_file_at_a_step() {
    let demo = Place::demo();
    let in_git = |commit: &str| {
        let mut git = Command::new("git");
        git.args(["show", &format!("{commit}:src/loader.rs")]).current_dir(&demo.repo);
        String::from_utf8(git.output().unwrap().stdout).unwrap()
    };
    let cat = |args: &[&str]| {
        let output = demo.command(&[&["cat"], args, &["src/loader.rs"]].concat()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(cat(&["1", "--before"]), in_git("HEAD~1"));
    assert_eq!(cat(&["1"]), in_git("HEAD"));
    assert_eq!(cat(&["2"]), in_git("HEAD"), "no edit of it since");
    assert_ne!(cat(&["1.7"]), in_git("HEAD"));
    assert_eq!(cat(&["1.7"]), cat(&["1.12", "--before"]));
    demo.check("cat 1 Cargo.toml", expect![[r#"
        ! turnlens: No log tells what Cargo.toml held after 9f3c1a2b:1. turnlens log Cargo.toml lists the states that are known.
        exit 1
    "#]]);
}

#[test]
fn search_finds_words_phrases_and_expressions() {
    let demo = Place::demo();
    demo.check(
        "search retry loader in:prompt",
        expect![[r#"
        Claude · Add retry to the loader · TIME
          9f3c1a2b:1  prompt  Add retry to the loader: three attempts, back off 200 ms, 400 ms. Do not retry on 4xx.

        1 hit in 1 session
    "#]],
    );
    demo.check(
        "search sleep file:src/retry.rs in:tool",
        expect![[r#"
        Claude · Add retry to the loader · TIME
          9f3c1a2b:2.3  edit  src/retry.rs:1 use std::{thread::sleep, time::Duration};

        1 hit in 1 session
    "#]],
    );
    demo.check(
        "search is:error tool:Bash",
        expect![[r#"
        Claude · Add retry to the loader · TIME
          9f3c1a2b:1.11  tool    cargo test -p fetchd
          9f3c1a2b:1.11  output  Exit code 101

        2 hits in 1 session
    "#]],
    );
    demo.check(
        "search --regex ^error\\[E\\d+\\] -n 1",
        expect![[r#"
        Claude · Add retry to the loader · TIME
          9f3c1a2b:1.11  output  error[E0425]: cannot find function `sleep` in this scope

        1 hit in 1 session
    "#]],
    );
    demo.check("search /clon\\w+g/ \"a retry\" --in answer", expect![[r#"
        Claude · Add retry to the loader · TIME
          9f3c1a2b:2.1.4  answer  …src/uploader.rs:8. The body is cloned nowhere, so a retry needs a body that can be sent again: `Body` is a `Vec<u8>`, so cloning it for each attempt is the smal…

        1 hit in 1 session
    "#]]);
    demo.check(
        "search zebra",
        expect![[r#"
        ! Nothing found in 1 session; --repo all looks through other folders' too.
        exit 1
    "#]],
    );
    assert_eq!(demo.run(&["search", "zebra", "-c"]).out, "0\n");
    let told = demo.json(&["search", "back off", "--since", "1d"]);
    assert_eq!((&told["total"], &told["sessions"]), (&json!(1), &json!(1)));
    let hit = &told["hits"][0];
    assert_eq!(
        (&hit["turn"], &hit["field"], &hit["step"], &hit["found"]),
        (&json!(1), &json!("prompt"), &Value::Null, &json!([[41, 45], [46, 49]]))
    );
    assert_eq!(demo.json(&["search", "retry", "--until", "2020-01-01"])["total"], 0);
}

#[test]
fn resume_prints_the_command() {
    let demo = Place::demo();
    demo.check(
        "resume --print",
        expect![[r#"
        claude --resume 9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77
    "#]],
    );
    assert_eq!(demo.json(&["resume"])["cwd"], "REPO");
    let gone = Place::with_log(&[prompt(1, "Do something"), answer(2, "Done.")]);
    gone.check(
        "resume --print",
        expect![[r#"
        cd /w/gone && claude --resume 11112222-3333-4444-5555-666677778888
    "#]],
    );
    gone.check(
        "resume",
        expect![[r#"
        ! turnlens: The folder /w/gone of this session is gone. --print shows the command.
        exit 1
    "#]],
    );
}

#[test]
fn what_is_asked_and_not_there() {
    let demo = Place::demo();
    demo.check(
        "show zzzz",
        expect![[r#"
        ! turnlens: There is no session zzzz. `turnlens sessions --repo all` lists them.
        exit 1
    "#]],
    );
    demo.check(
        "show @7",
        expect![[r#"
        ! turnlens: There is no @7: 1 session here.
        exit 1
    "#]],
    );
    demo.check(
        "show @:9",
        expect![[r#"
        ! turnlens: Session 9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77 has 3 turns, no turn 9.
        exit 1
    "#]],
    );
    demo.check(
        "show @:1.99",
        expect![[r#"
        ! turnlens: “9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77:1.99” names no step: turn 1 has 14 steps.
        exit 1
    "#]],
    );
    demo.check(
        "show @:x",
        expect![[r#"
        ! turnlens: “@:x” is no address: “x” is no number from 1. Write SESSION:TURN.STEP, as in 9f3c:12.7.
        exit 2
    "#]],
    );
    demo.check(
        "diff 3",
        expect![[r#"
        ! turnlens: 9f3c1a2b:3 changed no file.
        exit 1
    "#]],
    );
    demo.check(
        "log nowhere.rs",
        expect![[r#"
        ! turnlens: Nothing is known of nowhere.rs: no log and no commit tells of it.
        exit 1
    "#]],
    );
    demo.check(
        "blame -L 400,500 src/http.rs",
        expect![[r#"
        ! turnlens: src/http.rs has 83 lines, no line 400
        exit 1
    "#]],
    );
    demo.check(
        "search in:title x",
        expect![[r#"
        ! turnlens: “title” is no field: write prompt, answer, thought, tool or output.
        exit 2
    "#]],
    );
    demo.check(
        "-C nowhere status",
        expect![[r#"
        ! turnlens: cannot go to nowhere: No such file or directory (os error 2)
        exit 2
    "#]],
    );
    for wrong in [
        &["blame"][..],
        &["sessions", "--since", "someday"],
        &["search"],
        &["show", "--agent", "nobody"],
        &["demo", "--editor", "ed"],
    ] {
        assert_eq!(demo.run(wrong).code, 2, "{wrong:?}");
    }
}

#[test]
fn files_that_are_none() {
    let place = Place::empty();
    let write = |name: &str, text: &[u8]| fs::write(place.repo.join(name), text).unwrap();
    write("empty.rs", b"");
    write("binary.dat", b"\0\x01\xff\n");
    fs::create_dir(place.repo.join("folder")).unwrap();
    assert_eq!(place.json(&["blame", "empty.rs"])["lines"], json!([]));
    place.check("blame binary.dat", expect![[r#"
        1  ␀␁�
        ! binary.dat looks like no text.
        ! No agent sessions found. Looked in ~/.claude, ~/.config/claude, … (4 places). turnlens doctor says more; turnlens demo shows what it is like.
    "#]]);
    place.check(
        "blame folder",
        expect![[r#"
        ! turnlens: folder is a folder; blame tells of files
        exit 2
    "#]],
    );
    place.check(
        "blame missing.rs",
        expect![[r#"
        ! turnlens: there is no file missing.rs
        exit 1
    "#]],
    );
}

#[test]
fn no_logs_and_no_home() {
    let place = Place::empty();
    place.check("sessions", expect![[r#"
        ! No agent sessions found. Looked in ~/.claude, ~/.config/claude, … (4 places). turnlens doctor says more; turnlens demo shows what it is like.
    "#]]);
    place.check("show", expect![[r#"
        ! turnlens: No agent sessions found. Looked in ~/.claude, ~/.config/claude, … (4 places). turnlens doctor says more; turnlens demo shows what it is like.
        exit 1
    "#]]);
    place.check(
        "doctor",
        expect![[r#"
            turnlens 0.1.0

            Looked in
              ~/.claude         not there
              ~/.config/claude  not there
              ~/.codex          not there
              ~/.gemini         not there

            Next
              Let Claude Code work on something, or see what it would be like: turnlens demo
              Logs lie elsewhere? CLAUDE_CONFIG_DIR=/path turnlens doctor; in editors the setting logs.folders.
              turnlens setup nvim   or turnlens setup code: the same in your editor
        "#]],
    );
    assert_eq!(place.json(&["sessions"]), json!({ "sessions": [] }));
    let nowhere =
        place.told(&place.command(&["sessions"]).env_remove("HOME").env_remove("USERPROFILE").output().unwrap());
    expect![[r#"
        No agent sessions found. HOME is not set, so there is no place to look in; set HOME or CLAUDE_CONFIG_DIR.
    "#]]
    .assert_eq(&nowhere.err);
}

#[test]
fn damage_is_told_with_its_place() {
    let place = Place::empty();
    let lines = format!(
        "{}\nthis is no record\n{}\n{}\n",
        prompt(1, "Do it"),
        record("brand-new-kind", 2, json!({})),
        answer(3, "Done.")
    );
    place.write_log("11112222-3333-4444-5555-666677778888", lines.as_bytes());
    place.check(
        "doctor",
        expect![[r#"
            turnlens 0.1.0

            Looked in
              ~/.claude         1 log      3 records  847 bytes
              ~/.config/claude  not there
              ~/.codex          not there
              ~/.gemini         not there

            Found
              1 session by Claude Code, newest TIME

            Repositories
              1 session whose folder is gone; a clone of it that is open is found by its history

            Damage (skipped; everything else in these logs is read)
              ~/.claude/projects/-w/11112222-3333-4444-5555-666677778888.jsonl: 1 line is no record, at byte 268

            Records of unknown types (shown in traces as one line)
              brand-new-kind (1)

            Next
              turnlens sessions     what agents worked on here
              turnlens status       what is not committed, by turn
              turnlens setup nvim   or turnlens setup code: the same in your editor
        "#]],
    );
    let told = place.json(&["doctor"]);
    assert_eq!(told["broken"][0]["at"], json!([format!("{}\n", prompt(1, "Do it")).len()]));
    assert_eq!(told["unknown"], json!({ "brand-new-kind": 1 }));
    // The command before kept what it read.
    let cache = &told["cache"];
    assert_eq!((&cache["logs"], &cache["dropped"], &cache["trouble"]), (&json!(1), &json!(0), &json!(null)));
    let shown = place.run(&["doctor"]).out;
    assert!(shown.contains("Cache\n  ~/.cache/turnlens/index: 1 log, "), "{shown}");

    // All that lies there is told, by its kind.
    let filters = place.home.join(".cache/turnlens/search");
    fs::create_dir(&filters).unwrap();
    fs::write(filters.join("filters-00"), [0; 4_321]).unwrap();
    let told = place.json(&["doctor"]);
    let of_kind = |kind: &str| {
        told["cache"]["others"].as_array().unwrap().iter().find(|one| one["kind"] == kind).unwrap()["bytes"].clone()
    };
    assert_eq!((of_kind("search"), of_kind("documents")), (json!(4_321), json!(0)));
    let shown = place.run(&["doctor"]).out;
    assert!(shown.contains("\n  ~/.cache/turnlens/search: filters for searches, 4,321 bytes\n"), "{shown}");
}

#[test]
fn how_fast_it_is() {
    let place = Place::with_log(&[prompt(1, "Do it"), answer(2, "Done.")]);
    let told = place.json(&["doctor", "--timings"]);
    assert_eq!(told["read"]["records"], json!(2));
    assert!(told["requests"].as_array().is_some_and(|asked| asked.iter().any(|one| one["method"] == "initialize")));
    let text = place.run(&["doctor", "--timings"]).out;
    assert!(text.contains("2 records in") && text.contains("Answers, in milliseconds"), "{text}");
}

/// Logs of another user, one of whom nobody else may read. Where the test is root, whom no permission binds, the
/// command runs as nobody.
#[cfg(unix)]
#[test]
fn a_log_that_may_not_be_read_is_told() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
    use std::os::unix::process::CommandExt as _;
    const NOBODY: u32 = 65_534;
    let place = Place::with_log(&[prompt(1, "Do it"), answer(2, "Done.")]);
    let mode = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let lines = format!("{}\n{}\n", prompt(3, "Do that"), answer(4, "Found."));
    let log = place.write_log("99992222-3333-4444-5555-666677778888", lines.as_bytes());
    mode(&log, 0o000);
    let is_root = fs::metadata(&log).unwrap().uid() == 0;
    if is_root {
        mode(place.folder.path(), 0o755);
        chown(&place.home, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let run = |args: &[&str]| {
        let mut command = place.command(args);
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.output().ok().map(|output| place.told(&output))
    };
    let Some(told) = run(&["doctor"]) else {
        eprintln!("skipped: nobody may run {}", binary().display());
        return;
    };
    assert_eq!(told.code, 3, "{}", told.out);
    assert!(told.out.contains("Could not be read") && told.out.contains("99992222"), "{}", told.out);
    assert_eq!(run(&["sessions"]).unwrap().code, 0, "the others are read");
    let count = |word: &str| run(&["search", "-c", word]).unwrap().out;
    assert_eq!((count("done"), count("found")), ("1\n".into(), "0\n".into()));
    // It may be read, and then again not: what is kept of it is told, and the others are searched.
    mode(&log, 0o644);
    assert_eq!((run(&["doctor"]).unwrap().code, count("found")), (0, "1\n".into()));
    mode(&log, 0o000);
    assert_eq!((run(&["doctor"]).unwrap().code, count("done"), count("found")), (0, "1\n".into(), "0\n".into()));
}

#[test]
fn other_peoples_texts_do_no_harm() {
    let place = Place::with_log(&[
        prompt(1, "Paint \x1b[31mit\x07 red\u{202e} now, all of it"),
        answer(2, "\x1b]0;title\x07done"),
    ]);
    for args in
        [&["sessions"][..], &["show"], &["search", "red"], &["search", "done"], &["show", "--full"], &["doctor"]]
    {
        let out = place.run(args).out;
        assert!(!out.contains(|c: char| c.is_control() && c != '\n'), "{args:?}: {out:?}");
        assert!(!out.contains('\u{202e}'), "{args:?}");
    }
    place.check(
        "search red",
        expect![[r#"
        Claude · Paint ␛[31mit␛ red� now, all of it · TIME
          11112222:1  prompt  Paint ␛it␇ red� now, all of it

        1 hit in 1 session
    "#]],
    );
}

#[test]
fn colours_only_where_they_are_wanted() {
    let demo = Place::demo();
    let colored = |args: &[&str], vars: &[(&str, &str)]| {
        let output = demo.command(args).envs(vars.iter().copied()).output().unwrap();
        output.stdout.contains(&0x1b)
    };
    assert!(!colored(&["sessions"], &[]));
    assert!(!colored(&["diff", "1"], &[("TERM", "xterm-256color")]));
    assert!(colored(&["sessions", "--color", "always"], &[]));
    assert!(colored(&["diff", "1"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!colored(&["diff", "1"], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!colored(&["show", "--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    // Colours change nothing else.
    let out = |args: &[&str]| String::from_utf8(demo.command(args).output().unwrap().stdout).unwrap();
    let strip = |text: &str| regex::Regex::new("\x1b\\[[0-9;]*m").unwrap().replace_all(text, "").into_owned();
    for args in [&["status"][..], &["show"], &["blame", "src/http.rs"], &["search", "retry"], &["log", "src/http.rs"]] {
        let painted = out(&[args, &["--color", "always"]].concat());
        assert_eq!(strip(&painted), out(args), "{args:?}");
    }
}

#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    let demo = Place::demo();
    for args in [&["show"][..], &["show", "--json"], &["diff", "2"], &["help", "--all"]] {
        let mut child = demo.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{args:?}");
    }
}

#[test]
fn the_demo_is_made_once() {
    let demo = Place::demo();
    let folder = demo.repo.parent().unwrap();
    let log = |repo: &Path| {
        let output = Command::new("git").args(["log", "--format=%H"]).current_dir(repo).output().unwrap();
        output.stdout
    };
    let before = log(&demo.repo);
    fs::write(demo.repo.join("mine.txt"), "kept").unwrap();
    let told = demo.run(&["demo", "--dir", &folder.to_string_lossy()]);
    assert_eq!(told.code, 0, "{}", told.err);
    for part in ["⟦ Claude · Add retry to the loader · TIME ⟧", "The hover of line 15", "## Turn 3", "turnlens status"]
    {
        assert!(told.out.contains(part), "{part} is missing in\n{}", told.out);
    }
    assert_eq!(log(&demo.repo), before);
    assert!(demo.repo.join("mine.txt").exists());
    // What broke off is made anew.
    fs::write(folder.join("turnlens-demo.txt"), "turnlens demo, unfinished\n").unwrap();
    assert_eq!(demo.run(&["-C", &demo.home.to_string_lossy(), "demo", "--dir", &folder.to_string_lossy()]).code, 0);
    assert!(!demo.repo.join("mine.txt").exists());
}

#[test]
fn the_demo_takes_no_folder_of_others() {
    let place = Place::empty();
    fs::write(place.repo.join("mine.txt"), "kept").unwrap();
    place.check(
        "demo --dir .",
        expect![[r#"
        ! turnlens: REPO is neither empty nor a demo; choose another folder with --dir
        exit 3
    "#]],
    );
    let told = place.told(&place.command(&["demo", "--dir", "new"]).env("PATH", "").output().unwrap());
    assert_eq!(told.code, 3);
    assert!(told.err.contains("git cannot be started; install git"), "{}", told.err);
}

#[test]
fn the_neovim_plugin_is_put_in_its_place() {
    let place = Place::empty();
    let data = place.home.join("data");
    let setup = |args: &[&str]| {
        let command = [&["setup", "nvim"], args].concat();
        place.told(&place.command(&command).env("XDG_DATA_HOME", &data).output().unwrap())
    };
    assert_eq!(setup(&["--print"]).code, 0);
    assert!(!data.exists());
    assert_eq!(setup(&[]).code, 0);
    let name = if cfg!(windows) { "nvim-data" } else { "nvim" };
    let folder = data.join(name).join("site/pack/turnlens/start/turnlens");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../editors/nvim/plugin/turnlens.lua");
    assert_eq!(fs::read(folder.join("plugin/turnlens.lua")).unwrap(), fs::read(source).unwrap());
    assert!(fs::read_to_string(folder.join("doc/tags")).unwrap().contains("turnlens\tturnlens.txt\t/*turnlens*\n"));
    // A newer version leaves nothing of the older one.
    fs::write(folder.join("lua/old.lua"), "").unwrap();
    assert_eq!(setup(&[]).code, 0);
    assert!(!folder.join("lua/old.lua").exists());
    // A clone that somebody put there stays.
    fs::create_dir(folder.join(".git")).unwrap();
    assert_eq!(setup(&[]).code, 3);
}
