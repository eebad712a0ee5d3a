//! Lens rows counted over every file of real repositories that agents wrote in.
//!
//! Needs logs and repositories that are not part of the project: `../shared/corpus` beside it, and a folder of git
//! directories named `owner+name/repo` in `TURNLENS_REPOSITORIES`. Skipped with a word where either is missing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};
use tempfile::TempDir;
use tests::demo::{file_uri, modern};
use tests::lsp::{HANG, Start};
use tests::skip;

/// A session of the corpus and the commit that it ended in.
struct Case {
    git: PathBuf,
    base: String,
    commit: String,
    log: PathBuf,
}

fn cases() -> Option<Vec<Case>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let repositories = PathBuf::from(std::env::var_os("TURNLENS_REPOSITORIES")?);
    let mut cases = Vec::new();
    for entry in fs::read_dir(corpus.join("expected")).ok()?.flatten() {
        if !entry.file_name().to_string_lossy().starts_with("S-claude-") {
            continue;
        }
        let told: Value = serde_json::from_slice(&fs::read(entry.path()).expect("readable")).expect("JSON");
        let word = |key: &str| told[key].as_str().expect("a word").to_owned();
        let name = word("repo").trim_start_matches("github:").replace('/', "+");
        let git = repositories.join(name).join("repo");
        let log = corpus.join(word("session_file").trim_start_matches("shareable/"));
        if git.is_dir() {
            cases.push(Case { git, base: word("base"), commit: word("commit"), log });
        }
    }
    cases.sort_by(|a, b| a.git.cmp(&b.git));
    (!cases.is_empty()).then_some(cases)
}

fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git").arg("-C").arg(folder).args(args).output().expect("git runs");
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

impl Case {
    /// The repository as the session left it, and a home with its log.
    fn lay_out(&self, folder: &Path) -> (PathBuf, PathBuf) {
        let (repo, home) = (folder.join("repo"), folder.join("home"));
        git(folder, &["clone", "-q", "--shared", "--no-checkout", &self.git.to_string_lossy(), "repo"]);
        git(&repo, &["checkout", "-q", &self.commit]);
        let logs = home.join(".claude/projects/project");
        fs::create_dir_all(&logs).expect("a folder");
        fs::copy(&self.log, logs.join(self.log.file_name().expect("a name"))).expect("the log");
        (repo, home)
    }

    /// The folders that the log names as its own, each of them the repository here.
    fn mappings(&self, repo: &Path) -> Value {
        let log = fs::read_to_string(&self.log).expect("a log");
        let records = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let folders: BTreeSet<String> =
            records.filter_map(|record| record["cwd"].as_str().map(str::to_owned)).collect();
        let top = folders.iter().filter(|folder| !folders.iter().any(|other| is_below(folder, other)));
        top.map(|folder| (folder.clone(), json!(repo))).collect::<serde_json::Map<_, _>>().into()
    }
}

fn is_below(folder: &str, other: &str) -> bool {
    folder.strip_prefix(other).is_some_and(|rest| rest.starts_with(['/', '\\']))
}

#[derive(Default)]
struct Counted {
    files: usize,
    lines: usize,
    rows: usize,
    of_one_turn: usize,
    recent: usize,
}

#[test]
fn lens_rows() {
    let Some(cases) = cases() else {
        return skip("../shared/corpus or TURNLENS_REPOSITORIES is missing");
    };
    let mut repositories = BTreeSet::new();
    for case in &cases {
        let name = case.git.parent().and_then(Path::file_name).expect("a name").to_string_lossy().into_owned();
        let folder = TempDir::new().expect("a folder");
        let (repo, home) = case.lay_out(folder.path());
        let committed = count(case, &repo, &home);
        // As before the commit: what the session wrote is what `HEAD` has not.
        git(&repo, &["reset", "-q", "--soft", &case.base]);
        let uncommitted = count(case, &repo, &home);
        for (when, told) in [("committed", &committed), ("uncommitted", &uncommitted)] {
            let Counted { files, lines, rows, of_one_turn, recent } = told;
            say(&format!(
                "{name} {} {when}: {rows} rows in {files} files of {lines} lines with lenses, {recent} with recent \
                 lines, {of_one_turn} of one turn",
                &case.commit[..8]
            ));
        }
        if uncommitted.rows > 0 {
            repositories.insert(name);
        }
    }
    assert!(repositories.len() >= 2, "lenses in {repositories:?} only");
}

#[expect(clippy::print_stderr, reason = "what was counted is the point of it")]
fn say(what: &str) {
    eprintln!("{what}");
}

/// Looks at every file of a repository. `Counted` has those with a lens.
fn count(case: &Case, repo: &Path, home: &Path) -> Counted {
    let server = Start::default().env("HOME", home).env("USERPROFILE", home);
    let server = server.env("CLAUDE_CONFIG_DIR", home.join(".claude")).env("XDG_CACHE_HOME", home.join("caches"));
    let options = json!({ "logs": { "pathMappings": case.mappings(repo) } });
    let folders = json!([{ "uri": file_uri(repo), "name": "repo" }]);
    let mut client = server.initialize(json!({
        "processId": null,
        "rootUri": file_uri(repo),
        "workspaceFolders": folders,
        "capabilities": modern(),
        "initializationOptions": options,
    }));
    let deadline = Instant::now() + HANG;
    while !client.call("turnlens/status", json!({}))["reading"].is_null() {
        assert!(Instant::now() < deadline, "the log is not read");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let mut counted = Counted::default();
    for name in git(repo, &["ls-files", "-z"]).split('\0').filter(|name| !name.is_empty()) {
        // What is no text has no lines; what git keeps as a link is another file.
        let Ok(text) = fs::read_to_string(repo.join(name)) else { continue };
        let params = json!({ "textDocument": { "uri": file_uri(&repo.join(name)) } });
        let lenses = client.call("textDocument/codeLens", params.clone());
        let rows: BTreeSet<usize> = lenses.as_array().into_iter().flatten().map(line_of_lens).collect();
        if rows.is_empty() {
            continue;
        }
        let ranges = client.call("turnlens/lines", params)["ranges"].clone();
        check_rows(name, &text, &rows, ranges.as_array().expect("ranges"), &mut counted);
    }
    counted
}

fn line_of_lens(lens: &Value) -> usize {
    usize::try_from(lens["range"]["start"]["line"].as_u64().expect("a line")).expect("a line")
}

fn check_rows(name: &str, text: &str, rows: &BTreeSet<usize>, ranges: &[Value], counted: &mut Counted) {
    let lines: Vec<&str> = text.lines().collect();
    let number = |value: &Value| usize::try_from(value.as_u64().expect("a line")).expect("a line");
    let is_recent = ranges.iter().any(|range| range["recent"] == true);
    let most = (lines.len() / if is_recent { 15 } else { 50 }).max(3);
    assert!(rows.len() <= most, "{name}: {} rows in {} lines", rows.len(), lines.len());
    let turn = |range: &Value| range["address"].as_str().and_then(|at| at.split('.').next()).map(str::to_owned);
    let turns: BTreeSet<Option<String>> = ranges.iter().map(turn).collect();
    let told: BTreeSet<usize> =
        ranges.iter().flat_map(|range| number(&range["start"])..number(&range["end"])).collect();
    let all_told = (0..lines.len()).all(|line| lines[line].trim().is_empty() || told.contains(&line));
    if turns.len() == 1 && all_told {
        assert_eq!(rows.len(), 1, "{name} is of one turn");
        counted.of_one_turn += 1;
    }
    for &row in rows.iter().filter(|row| **row > 0) {
        assert!(is_head(&lines, row), "{name}:{}: {:?} stands inside a unit", row + 1, lines[row]);
    }
    counted.files += 1;
    counted.recent += usize::from(is_recent);
    counted.lines += lines.len();
    counted.rows += rows.len();
}

fn indent(line: &str) -> usize {
    line.chars().take_while(|c| c.is_whitespace()).map(|c| if c == '\t' { 4 } else { 1 }).sum()
}

/// Whether each unit around a line is a long one: only those have units inside.
fn is_head(lines: &[&str], row: usize) -> bool {
    const LONG: usize = 60;
    let is_text = |line: &usize| !lines[*line].trim().is_empty();
    let mut inner = row;
    loop {
        // Where a signature takes several lines, its last one is no head.
        let closes = |line: &usize| lines[*line].trim_start().starts_with([')', ']', '}', '{']);
        let is_around = |line: &usize| indent(lines[*line]) < indent(lines[inner]) && !closes(line);
        let Some(outer) = (0..inner).rev().filter(is_text).find(is_around) else { return true };
        let same = |line: &usize| is_text(line) && indent(lines[*line]) <= indent(lines[outer]);
        // With the comment above it, and up to what stands below it.
        let start = (0..outer).rev().take_while(same).last().unwrap_or(outer);
        let last = (inner..lines.len()).find(same).unwrap_or(lines.len());
        let end = (last + 1..lines.len()).find(is_text).unwrap_or(lines.len());
        if end - start <= LONG {
            return false;
        }
        inner = outer;
    }
}
