//! What the benches in `benches/` are fed with: one long file, a session that edits it step by step, and the session's
//! log as Claude Code writes it. The same in every run.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use trace::{Change, Hunk, Replacement};

/// As the program does.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The session's id, which is also the log's name.
pub const SESSION: &str = "5e551011-0000-4000-8000-000000000001";
/// The file, below the repository.
pub const FILE: &str = "src/engine.rs";
/// Edits that one prompt asks for.
const EDITS_OF_A_TURN: usize = 8;
/// Lines around an edit that a patch shows.
const CONTEXT: usize = 3;
/// 2026-03-02T09:00:00Z, in seconds.
const BEGIN: u64 = 1_772_442_000;

/// A file and what a session does to it.
pub struct Story {
    /// The file's lines before the session.
    pub before: Vec<String>,
    pub edits: Vec<Edit>,
}

/// Lines that were replaced by others.
pub struct Edit {
    /// The first line that is replaced, from 0.
    pub at: usize,
    pub old: Vec<String>,
    pub new: Vec<String>,
    /// Lines just before and behind.
    around: [Vec<String>; 2],
}

impl Story {
    /// A file of about so many lines and so many edits, all over it.
    pub fn new(lines: usize, edits: usize) -> Story {
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
        let before = file(lines, &mut dice);
        let mut now = before.clone();
        let edits = (0..edits).map(|number| edit(&mut now, number, &mut dice)).collect();
        Story { before, edits }
    }

    /// The file's text when so many edits were made.
    pub fn text_after(&self, edits: usize) -> String {
        let mut lines = self.before.clone();
        for edit in &self.edits[..edits] {
            lines.splice(edit.at..edit.at + edit.old.len(), edit.new.iter().cloned());
        }
        text(&lines)
    }

    /// The file's text when all was done.
    pub fn text(&self) -> String {
        self.text_after(self.edits.len())
    }

    /// The session's log, of an agent that works in `folder`: a prompt for each few edits, and for each edit words, a
    /// command with an output of so many bytes, and the edit itself, each call followed by its result.
    pub fn log(&self, folder: &Path, output: usize) -> String {
        let mut log = Log { folder, path: folder.join(FILE), at: BEGIN, records: 0, text: String::new() };
        for (number, edit) in self.edits.iter().enumerate() {
            if number % EDITS_OF_A_TURN == 0 {
                log.user(json!(format!("Make part {} of the engine faster: look at every step", number / 8)), None);
            }
            log.assistant(json!({ "type": "text", "text": format!("Step {number} allocates where it need not.") }));
            log.run(&format!("cargo test part_{number}"), &output_of(number, output));
            log.edit(edit);
        }
        log.text
    }
}

/// What the agent writes next to the log of a session that is over, one line: words, and now and then a prompt, so that
/// turns stay as long as turns are.
pub fn next_record(folder: &Path, number: u64) -> String {
    const RECORDS_OF_A_TURN: u64 = 30;
    let path = folder.join(FILE);
    let mut log = Log { folder, path, at: BEGIN, records: 1_000_000 + number, text: String::new() };
    match number % RECORDS_OF_A_TURN {
        0 => log.user(json!(format!("Go on with part {number} of the engine")), None),
        _ => log.assistant(json!({ "type": "text", "text": format!("Part {number} is done: it allocates no more.") })),
    }
    log.text
}

impl Edit {
    /// As a log proves it: the replaced strings and the hunk, without the whole file, which logs leave out where it is
    /// long.
    pub fn change(&self, path: &str) -> Change {
        Change {
            path: path.into(),
            before: None,
            after: None,
            replacements: vec![Replacement { old: text(&self.old).into(), new: text(&self.new).into(), all: false }],
            hunks: vec![Hunk {
                old_start: self.first_line(),
                new_start: self.first_line(),
                lines: self.signed_lines().map(Into::into).collect(),
            }],
            created: false,
            deleted: false,
            user_modified: false,
            moved_to: None,
        }
    }

    /// The hunk's first line, from 1.
    fn first_line(&self) -> u32 {
        u32::try_from(self.at - self.around[0].len() + 1).unwrap_or(u32::MAX)
    }

    fn signed_lines(&self) -> impl Iterator<Item = String> {
        let [above, below] = &self.around;
        let parts = [(' ', above), ('-', &self.old), ('+', &self.new), (' ', below)];
        parts.into_iter().flat_map(|(sign, lines)| lines.iter().map(move |line| format!("{sign}{line}")))
    }
}

/// A log in the making.
struct Log<'a> {
    folder: &'a Path,
    path: PathBuf,
    /// The last record's time, in seconds.
    at: u64,
    records: u64,
    text: String,
}

impl Log<'_> {
    fn record(&mut self, kind: &str, fields: Value) {
        let id = |number: u64| format!("00000000-0000-4000-8000-{number:012x}");
        let parent = (self.records > 0).then(|| id(self.records));
        self.records += 1;
        self.at += 7;
        let mut record = json!({
            "parentUuid": parent, "isSidechain": false, "userType": "external", "cwd": self.folder,
            "sessionId": SESSION, "version": "2.1.40", "gitBranch": "main", "type": kind, "uuid": id(self.records),
            "timestamp": moment(self.at),
        });
        if let (Some(record), Value::Object(fields)) = (record.as_object_mut(), fields) {
            record.extend(fields);
        }
        // Writing to a string cannot fail.
        _ = writeln!(self.text, "{record}");
    }

    fn user(&mut self, content: Value, result: Option<Value>) {
        let mut fields = json!({ "message": { "role": "user", "content": content } });
        if let Some(result) = result {
            fields["toolUseResult"] = result;
        }
        self.record("user", fields);
    }

    fn assistant(&mut self, block: Value) {
        let number = self.records;
        let usage = json!({
            "input_tokens": 4, "cache_creation_input_tokens": 900, "cache_read_input_tokens": 41_000,
            "output_tokens": 310,
        });
        let message = json!({
            "id": format!("msg_{number}"), "type": "message", "role": "assistant", "model": "claude-opus-4-6",
            "content": [block], "stop_reason": null, "usage": usage,
        });
        self.record("assistant", json!({ "message": message, "requestId": format!("req_{number}") }));
    }

    /// A call and its result.
    fn call(&mut self, tool: &str, input: Value, output: &str, result: Value) {
        let id = format!("toolu_{:08}", self.records);
        self.assistant(json!({ "type": "tool_use", "id": id, "name": tool, "input": input }));
        self.user(json!([{ "type": "tool_result", "tool_use_id": id, "content": output }]), Some(result));
    }

    fn run(&mut self, command: &str, output: &str) {
        let result = json!({ "stdout": output, "stderr": "", "interrupted": false, "isImage": false });
        self.call("Bash", json!({ "command": command, "description": "Run the tests" }), output, result);
    }

    fn edit(&mut self, edit: &Edit) {
        let (path, old, new) = (self.path.clone(), text(&edit.old), text(&edit.new));
        let context: usize = edit.around.iter().map(Vec::len).sum();
        let hunk = json!({
            "oldStart": edit.first_line(), "oldLines": edit.old.len() + context, "newStart": edit.first_line(),
            "newLines": edit.new.len() + context, "lines": edit.signed_lines().collect::<Vec<_>>(),
        });
        let result = json!({
            "filePath": path, "oldString": old, "newString": new, "originalFile": null, "structuredPatch": [hunk],
            "userModified": false, "replaceAll": false,
        });
        let input = json!({ "file_path": path, "old_string": old, "new_string": new });
        self.call("Edit", input, &format!("The file {} has been updated successfully.", path.display()), result);
    }
}

/// A home folder with the session's log, and a repository in which the file was committed before the session and stands
/// as the session left it.
pub struct Place {
    folder: TempDir,
    pub repo: PathBuf,
    pub log: PathBuf,
}

impl Place {
    /// Fails where a folder cannot be written or git cannot be run.
    pub fn new(story: &Story, output: usize) -> io::Result<Place> {
        let folder = TempDir::new()?;
        // As the system resolves it: agents and editors name files so.
        let base = folder.path().canonicalize()?;
        let (repo, logs) = (base.join("repo"), base.join("home/.claude/projects/-repo"));
        let file = repo.join(FILE);
        std::fs::create_dir_all(repo.join("src"))?;
        std::fs::create_dir_all(&logs)?;
        std::fs::write(&file, text(&story.before))?;
        for arguments in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "--message", "Begin"]] {
            git(&repo, arguments)?;
        }
        std::fs::write(&file, story.text())?;
        let log = logs.join(format!("{SESSION}.jsonl"));
        std::fs::write(&log, story.log(&repo, output))?;
        Ok(Place { folder, repo, log })
    }

    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub fn file(&self) -> PathBuf {
        self.repo.join(FILE)
    }
}

/// Runs git with nobody's configuration, at the time at which the session begins.
fn git(repo: &Path, arguments: &[&str]) -> io::Result<()> {
    let mut git = Command::new("git");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
        git.env_remove(name);
    }
    let date = format!("{BEGIN} +0000");
    git.current_dir(repo).env("GIT_CONFIG_NOSYSTEM", "1").envs([
        ("GIT_CONFIG_GLOBAL", if cfg!(windows) { "NUL" } else { "/dev/null" }),
        ("GIT_AUTHOR_NAME", "Anna"),
        ("GIT_AUTHOR_EMAIL", "anna@example.org"),
        ("GIT_COMMITTER_NAME", "Anna"),
        ("GIT_COMMITTER_EMAIL", "anna@example.org"),
        ("GIT_AUTHOR_DATE", &date),
        ("GIT_COMMITTER_DATE", &date),
    ]);
    let ended = git.args(["-c", "core.autocrlf=false"]).args(arguments).output()?;
    if ended.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&ended.stderr).trim())))
}

/// Lines as one text, shared.
pub fn shared(lines: &[String]) -> Arc<str> {
    text(lines).into()
}

fn text(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}

/// Functions one after the other, as code is: many lines stand there once, blank lines and braces often.
fn file(lines: usize, dice: &mut Dice) -> Vec<String> {
    let mut file = vec!["//! An engine of many steps.".to_owned(), String::new()];
    let mut functions = 0;
    while file.len() < lines {
        functions += 1;
        file.push(format!("pub fn step_{functions}(state: &mut State) -> Result<(), Error> {{"));
        let body = 6 + dice.below(14);
        file.extend((0..body).map(|_| line(functions, dice)));
        file.extend(["    Ok(())".to_owned(), "}".to_owned(), String::new()]);
    }
    file
}

fn line(function: usize, dice: &mut Dice) -> String {
    let (a, b) = (dice.below(1000), dice.below(40));
    match dice.below(8) {
        0 => String::new(),
        1 => "    state.check()?;".to_owned(),
        2 => format!("    // Part {b} of step {function} may be done before."),
        3 => format!("    if state.left() < {b} {{ return Err(Error::Short({a})); }}"),
        _ => format!("    let value_{b} = state.take({function}, {a})?;"),
    }
}

/// Replaces lines that stand in the file once, as an agent has to.
fn edit(now: &mut Vec<String>, number: usize, dice: &mut Dice) -> Edit {
    let (at, less) = loop {
        let (at, less) = (dice.below(now.len().saturating_sub(8)), 1 + dice.below(5));
        let places = now.windows(less).filter(|lines| **lines == now[at..at + less]).count();
        if places == 1 && !now[at].is_empty() {
            break (at, less);
        }
    };
    let more = 1 + dice.below(8);
    let new: Vec<String> =
        (0..more).map(|line| format!("    state.fast({number}, {line}, {})?;", dice.below(1000))).collect();
    let above = now[at.saturating_sub(CONTEXT)..at].to_vec();
    let below = now[at + less..(at + less + CONTEXT).min(now.len())].to_vec();
    let old: Vec<String> = now.splice(at..at + less, new.iter().cloned()).collect();
    Edit { at, old, new, around: [above, below] }
}

fn output_of(number: usize, bytes: usize) -> String {
    let mut output = String::with_capacity(bytes + 64);
    let mut line = 0;
    while output.len() < bytes {
        line += 1;
        // Writing to a string cannot fail.
        _ = writeln!(output, "test part_{number}::case_{line} ... ok");
    }
    output
}

/// RFC 3339.
fn moment(seconds: u64) -> String {
    let (days, seconds) = ((seconds - BEGIN) / 86_400, (seconds - BEGIN) % 86_400 + 9 * 3600);
    let (days, seconds) = (days + seconds / 86_400, seconds % 86_400);
    // From 2 March on; sessions of more than four weeks are not written here.
    let (day, hour, minute) = (2 + days, seconds / 3600, seconds / 60 % 60);
    format!("2026-03-{day:02}T{hour:02}:{minute:02}:{:02}.000Z", seconds % 60)
}

/// A generator of numbers (xorshift) whose row is known.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        assert_eq!(moment(BEGIN), "2026-03-02T09:00:00.000Z");
        assert_eq!(moment(BEGIN + 15 * 3600 + 61), "2026-03-03T00:01:01.000Z");
    }

    #[test]
    fn a_story_holds_together() {
        let story = Story::new(500, 40);
        let mut now = text(&story.before);
        for (at, edit) in story.edits.iter().enumerate() {
            let lines: Vec<&str> = now.lines().collect();
            let first = edit.first_line() as usize - 1;
            let change = edit.change(FILE);
            assert!(
                change.hunks[0]
                    .old_lines()
                    .eq(lines[first..].iter().copied().take(change.hunks[0].old_lines().count()))
            );
            now = story.text_after(at + 1);
        }
        assert_eq!(now, story.text());
        let log = story.log(Path::new("/w"), 100);
        assert_eq!(log.lines().count(), 5 + 40 * 5);
    }
}
