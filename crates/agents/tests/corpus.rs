//! Real logs, where they lie beside the repository. They are no part of it: without them these tests say that they are
//! skipped.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use agents::{Cursor, Reader};
use trace::{Agent, Change, Entry, RecordId, Replacement, What};

fn corpus() -> Option<PathBuf> {
    let corpus = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus"));
    if corpus.join("MANIFEST.md").is_file() {
        return Some(corpus.to_owned());
    }
    writeln!(std::io::stderr(), "skipped: no real logs in {}", corpus.display()).expect("writing to stderr");
    None
}

fn reader() -> &'static dyn Reader {
    agents::reader(Agent::ClaudeCode)
}

fn entries(path: &Path) -> Vec<Entry> {
    let mut entries = Vec::new();
    reader().scan(path, &Cursor::default(), &mut |entry| entries.push(entry)).expect("scanning a log");
    entries
}

/// Every log of the corpus, each of its folders taken as a config folder.
fn logs(corpus: &Path) -> Vec<PathBuf> {
    let mut logs = Vec::new();
    for source in fs::read_dir(corpus.join("claude")).expect("the sources of logs") {
        reader().discover(&source.expect("a source").path(), &mut |found| logs.push(found.path));
    }
    logs.sort();
    logs
}

/// The manifest's table has a row for each log, and a sentence tells for each how many edits succeeded.
fn edits_told(manifest: &str) -> Vec<(&str, usize)> {
    let rows = manifest.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    let paths = rows.filter(|cells| cells.get(2) == Some(&"claude")).filter_map(|cells| cells.get(4).copied());
    let sentence = manifest.split_once("in the table's order,").expect("the sentence on edits").1;
    let counts = sentence.split(';').next().unwrap_or_default().split_whitespace();
    paths.zip(counts.map(|count| count.parse().expect("a number of edits"))).collect()
}

#[test]
fn edits_that_succeeded() {
    let Some(corpus) = corpus() else { return };
    let manifest = fs::read_to_string(corpus.join("MANIFEST.md")).expect("reading the manifest");
    let told = edits_told(&manifest);
    assert_eq!(told.len(), 15);
    for (path, expected) in told {
        let entries = entries(&corpus.join(path));
        let edits = entries.iter().map(|entry| match &entry.what {
            What::Result(result) => result.edits.len(),
            _ => 0,
        });
        assert_eq!(edits.sum::<usize>(), expected, "{path}");
    }
}

#[test]
fn every_log_is_understood() {
    let Some(corpus) = corpus() else { return };
    let logs = logs(&corpus);
    assert!(logs.len() > 25, "{logs:?}");
    let mut unknown: BTreeMap<String, u32> = BTreeMap::new();
    for path in &logs {
        let entries = entries(path);
        // One source is a zoo of trimmed records, made to hold what is unheard of.
        let is_zoo = path.components().any(|component| component.as_os_str() == "agent-sessions");
        for entry in entries.iter().filter(|_| !is_zoo) {
            if let What::Unknown(kind) = &entry.what {
                *unknown.entry(kind.to_string()).or_default() += 1;
            }
        }
        let told: BTreeSet<RecordId> = entries.iter().filter_map(|entry| entry.id).collect();
        let text = fs::read_to_string(path).expect("reading a log");
        assert_eq!(told.len(), uuids(&text).len(), "records of the tree in {}", path.display());
    }
    assert!(unknown.is_empty(), "types of records never seen before: {unknown:?}");
}

/// The distinct ids of all records, the inner ones of progress records included.
fn uuids(log: &str) -> BTreeSet<String> {
    let values = serde_json::Deserializer::from_str(log).into_iter::<serde_json::Value>().map_while(Result::ok);
    let of = |value: &serde_json::Value| value.get("uuid").and_then(|uuid| uuid.as_str()).map(str::to_owned);
    values.flat_map(|value| [of(&value), of(&value["data"]["message"])]).flatten().collect()
}

#[test]
fn every_body_is_there_and_agrees_with_itself() {
    let Some(corpus) = corpus() else { return };
    let (mut changes, mut proven) = (0, 0);
    for path in logs(&corpus) {
        for entry in entries(&path) {
            let content = reader().body(&path, entry.place).expect("reading a body").expect("a body that is there");
            assert!(!content.record.is_empty());
            let What::Result(result) = &entry.what else { continue };
            for (edit, change) in result.edits.iter().zip(&content.changes) {
                assert_eq!(edit.path, change.path);
                changes += 1;
                if let Some(before) = change.before.as_deref() {
                    assert_eq!(patched(before, change), replaced(before, change), "{}", edit.path);
                    proven += 1;
                }
            }
        }
    }
    assert!(changes > 400 && proven > 150, "{changes} changes, {proven} with the text before");
}

/// The text after, by the hunks.
fn patched(before: &str, change: &Change) -> String {
    let lines: Vec<&str> = before.split('\n').collect();
    let (mut after, mut done) = (Vec::new(), 0);
    for hunk in &change.hunks {
        let start = (hunk.old_start as usize).saturating_sub(1);
        after.extend_from_slice(&lines[done..start]);
        after.extend(hunk.new_lines());
        done = start + hunk.old_lines().count();
    }
    after.extend_from_slice(&lines[done..]);
    after.join("\n")
}

/// The text after, by the replaced strings.
fn replaced(before: &str, change: &Change) -> String {
    let replace = |text: String, one: &Replacement| match one.all {
        true => text.replace(&*one.old, &one.new),
        false => text.replacen(&*one.old, &one.new, 1),
    };
    let whole = change.after.as_deref().map(str::to_owned);
    whole.unwrap_or_else(|| change.replacements.iter().fold(before.to_owned(), replace))
}
