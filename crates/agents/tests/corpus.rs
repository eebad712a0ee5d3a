//! Real logs, where they lie beside the repository. They are no part of it: without them these tests say that they are
//! skipped.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use agents::Cursor;
use trace::{Agent, Change, Entry, RecordId, Replacement, What};

fn corpus() -> Option<PathBuf> {
    let corpus = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus"));
    if corpus.join("MANIFEST.md").is_file() {
        return Some(corpus.to_owned());
    }
    writeln!(std::io::stderr(), "skipped: no real logs in {}", corpus.display()).expect("writing to stderr");
    None
}

/// The agents and the folders of the corpus that hold their logs.
const AGENTS: [(Agent, &str); 3] = [(Agent::ClaudeCode, "claude"), (Agent::Codex, "codex"), (Agent::Gemini, "gemini")];

fn entries(agent: Agent, path: &Path) -> Vec<Entry> {
    let mut entries = Vec::new();
    agents::reader(agent).scan(path, &Cursor::default(), &mut |entry| entries.push(entry)).expect("scanning a log");
    entries
}

/// Every log of an agent in the corpus, each of the agent's folders taken as a home.
fn logs(corpus: &Path, agent: Agent, folder: &str) -> Vec<PathBuf> {
    let mut logs = Vec::new();
    for source in fs::read_dir(corpus.join(folder)).expect("the sources of logs") {
        agents::reader(agent).discover(&source.expect("a source").path(), &mut |found| logs.push(found.path));
    }
    logs.sort();
    logs
}

/// The logs of an agent in the manifest's table, each with its column of edits.
fn rows<'m>(manifest: &'m str, folder: &str) -> Vec<(&'m str, &'m str)> {
    let rows = manifest.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    let own = rows.filter(|cells| cells.get(2) == Some(&folder));
    own.filter_map(|cells| Some((*cells.get(4)?, *cells.get(7)?))).collect()
}

/// The table counts calls that failed, too. A sentence below it tells how many edits succeeded in each log; `before` is
/// what stands before an agent's numbers.
fn succeeded<'m>(manifest: &'m str, before: &str) -> Vec<&'m str> {
    let sentence = manifest.split_once(before).expect("the sentence on edits").1;
    sentence.split([';', '.']).next().unwrap_or_default().split_whitespace().collect()
}

fn check_edits(agent: Agent, folder: &str, before: Option<&str>, logs: usize) {
    let Some(corpus) = corpus() else { return };
    let manifest = fs::read_to_string(corpus.join("MANIFEST.md")).expect("reading the manifest");
    let rows = rows(&manifest, folder);
    let told =
        before.map_or_else(|| rows.iter().map(|(_, edits)| *edits).collect(), |before| succeeded(&manifest, before));
    assert_eq!((rows.len(), told.len()), (logs, logs));
    for ((path, _), expected) in rows.iter().zip(told) {
        let entries = entries(agent, &corpus.join(path));
        let edits = entries.iter().map(|entry| match &entry.what {
            What::Result(result) => result.edits.len(),
            _ => 0,
        });
        assert_eq!(edits.sum::<usize>().to_string(), expected, "{path}");
    }
}

#[test]
fn edits_of_claude_that_succeeded() {
    check_edits(Agent::ClaudeCode, "claude", Some("in the table's order,"), 15);
}

#[test]
fn edits_of_codex_that_succeeded() {
    check_edits(Agent::Codex, "codex", Some("; Codex"), 8);
}

#[test]
fn edits_of_gemini_that_succeeded() {
    // No call of its edits failed there.
    check_edits(Agent::Gemini, "gemini", None, 3);
}

#[test]
fn every_type_of_record_is_known() {
    let Some(corpus) = corpus() else { return };
    let mut unknown: BTreeMap<String, u32> = BTreeMap::new();
    for (agent, folder) in AGENTS {
        let logs = logs(&corpus, agent, folder);
        assert!(logs.len() > 2, "{logs:?}");
        // One source is a zoo of trimmed records, made to hold what is unheard of.
        let is_zoo = |path: &Path| path.components().any(|component| component.as_os_str() == "agent-sessions");
        for entry in logs.iter().filter(|path| !is_zoo(path)).flat_map(|path| entries(agent, path)) {
            if let What::Unknown(kind) = &entry.what {
                *unknown.entry(format!("{agent}: {kind}")).or_default() += 1;
            }
        }
    }
    assert!(unknown.is_empty(), "types of records never seen before: {unknown:?}");
}

#[test]
fn every_record_of_the_tree_is_told() {
    let Some(corpus) = corpus() else { return };
    let logs = logs(&corpus, Agent::ClaudeCode, "claude");
    assert!(logs.len() > 25, "{logs:?}");
    for path in &logs {
        let told: BTreeSet<RecordId> = entries(Agent::ClaudeCode, path).iter().filter_map(|entry| entry.id).collect();
        let text = fs::read_to_string(path).expect("reading a log");
        assert_eq!(told.len(), uuids(&text).len(), "records of the tree in {}", path.display());
    }
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
    let logs = AGENTS.map(|(agent, folder)| (agent, logs(&corpus, agent, folder)));
    for (agent, path) in logs.iter().flat_map(|(agent, logs)| logs.iter().map(|path| (*agent, path))) {
        for entry in entries(agent, path) {
            let content =
                agents::reader(agent).body(path, entry.place).expect("reading a body").expect("a body that is there");
            assert!(!content.record.is_empty());
            let What::Result(result) = &entry.what else { continue };
            for (edit, change) in result.edits.iter().zip(&content.changes) {
                assert_eq!(edit.path, change.path);
                changes += 1;
                if let Some(before) = change.before.as_deref().filter(|_| !change.deleted) {
                    assert_eq!(patched(before, change), replaced(before, change), "{}", edit.path);
                    proven += 1;
                }
            }
        }
    }
    assert!(changes > 600 && proven > 150, "{changes} changes, {proven} with the text before");
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
