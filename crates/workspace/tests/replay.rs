//! Real sessions, replayed by the engine from the commit that they began at, held against the commit that they ended in.
//!
//! Needs logs and repositories that are not part of the project: `../shared/corpus` beside it, and a folder of bare
//! repositories named `owner+name/repo` in `TURNLENS_REPOSITORIES`. Skipped with a word where either is missing.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

mod corpus;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use corpus::{Corpus, Expected, git};
use provenance::{Chain, Event, EventKey, Happening, Seen, Slot, Timeline, Tree};
use serde_json::Value;
use trace::{Agent, Bodies, Change, StepKey, Timestamp};
use workspace::{Env, Index};

/// Files that are the commit's to the last byte, of all; of each agent, as they were last.
const LEAST: [(Agent, usize); 3] = [(Agent::ClaudeCode, 83), (Agent::Codex, 54), (Agent::Gemini, 6)];

#[test]
fn replayed_files_are_those_of_the_commit() {
    let Some(corpus) = Corpus::find() else { return };
    let mut counts: BTreeMap<Agent, (usize, usize)> = BTreeMap::new();
    for expected in corpus.sessions() {
        for file in &expected.files {
            let rel = file["path"].as_str().unwrap();
            let found = replay(&expected, rel, blob(&expected.git, &expected.base, rel));
            let want = blob(&expected.git, &expected.commit, rel).unwrap_or_default();
            let (same, all) = counts.entry(expected.agent).or_default();
            *all += 1;
            let equal = found.as_ref().is_ok_and(|text| lines(text).eq(lines(&want)));
            *same += usize::from(equal);
            if !equal {
                eprintln!("{} {rel}: {}", expected.name, difference(found, &want, file));
            }
        }
    }
    for (agent, (same, all)) in &counts {
        eprintln!("{}: {same} of {all} replayed files are those of the commit", agent.full());
    }
    for (agent, least) in LEAST {
        assert!(counts.get(&agent).is_none_or(|(same, _)| *same >= least), "{}: fewer than {least}", agent.full());
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    provenance::lines(text)
}

fn difference(found: Result<String, String>, want: &str, file: &Value) -> String {
    let exact = if file["exact"].as_bool() == Some(true) { " (a plain replay is exact)" } else { "" };
    match found {
        Err(why) => format!("{why}{exact}"),
        Ok(text) => {
            let ranges = provenance::changed_ranges(&text, want);
            let first = ranges.first().map(|range| {
                let at = |text: &str, line: u32| {
                    lines(text).nth(line as usize).unwrap_or("").chars().take(90).collect::<String>()
                };
                format!(
                    "line {}: {:?} is {:?}",
                    range.new.start + 1,
                    at(&text, range.old.start),
                    at(want, range.new.start)
                )
            });
            format!("{} runs differ{exact}; {}", ranges.len(), first.unwrap_or_default())
        }
    }
}

fn blob(repository: &Path, commit: &str, rel: &str) -> Option<String> {
    git(repository, &["show", &format!("{commit}:{rel}")])
}

/// The file as the session left it.
fn replay(expected: &Expected, rel: &str, base: Option<String>) -> Result<String, String> {
    // Gemini's logs lie two folders below their root.
    let folder = tempfile::tempdir().unwrap();
    let chats = folder.path().join("project").join("chats");
    std::fs::create_dir_all(&chats).unwrap();
    std::fs::copy(&expected.log, chats.join(expected.log.file_name().unwrap())).unwrap();
    let mut env = Env::from_process();
    (env.home, env.vars) = (None, Default::default());
    env.extra = vec![(expected.agent, folder.path().to_owned())];
    let index = Arc::new(Index::new(env));
    index.refresh(&|_| {});
    let logs = index.snapshot();
    let path = logs.summaries().find_map(|log| logs.load(log.log)).ok_or("no log")?;
    let slashes = |path: &str| path.replace('\\', "/");
    let names: Vec<String> = path.all_steps().flat_map(|step| step.edits()).map(|edit| slashes(&edit.path)).collect();
    let in_cwd = |name: &str| path.cwds.iter().any(|cwd| *name == format!("{}/{rel}", slashes(cwd)));
    // Where the agent worked below or beside the repository, the path's end has to do.
    let exact = names.iter().any(|name| in_cwd(name));
    let here = |path: &str| if exact { in_cwd(&slashes(path)) } else { slashes(path).ends_with(&format!("/{rel}")) };
    let mut events = Vec::new();
    let at = |order: u32| Timestamp(i64::from(order));
    if let Some(base) = base {
        let what = Happening::Seen { text: base.into(), how: Seen::Here, parents: Vec::new() };
        events.push(Event { key: EventKey(0), at: at(0), tree: Tree(0), turn: None, left_behind: false, what });
    }
    let mut steps: Vec<_> = path.all_steps().filter_map(|step| Some((step, step.result.as_ref()?))).collect();
    steps.sort_by_key(|(_, result)| result.order);
    for (step, result) in steps {
        if !result.edits.iter().any(|edit| here(&edit.path)) && !result.whole_read.as_deref().is_some_and(here) {
            continue;
        }
        let content = |place| index.body(path.log, place);
        let (own, call) = (content(result.place), content(step.place));
        let own = own.content().ok_or("a body is gone")?;
        let changes = if own.changes.is_empty() { &call.content().unwrap().changes } else { &own.changes };
        let of_file: Vec<&Change> = changes.iter().filter(|change| here(&change.path)).collect();
        let step = StepKey(result.order);
        for change in of_file.into_iter().filter(|_| !result.edits.is_empty()) {
            let created = change.created || result.edits.iter().any(|edit| edit.created && here(&edit.path));
            let what = Happening::Edit { step, change: Arc::new(Change { created, ..change.clone() }) };
            events.push(Event {
                key: EventKey(u64::from(result.order) * 2),
                at: at(result.order),
                tree: Tree(0),
                turn: None,
                left_behind: false,
                what,
            });
        }
        for seen in own.observed.iter().filter(|seen| here(&seen.path)) {
            let what = Happening::Seen { text: seen.text.clone(), how: Seen::Here, parents: Vec::new() };
            events.push(Event {
                key: EventKey(u64::from(result.order) * 2 + 1),
                at: at(result.order),
                tree: Tree(0),
                turn: None,
                left_behind: false,
                what,
            });
        }
    }
    let mut timeline = Timeline::new();
    let slots: Vec<Slot> = events.iter().map(|event| Slot { key: event.key, chain: Chain(0), at: event.at }).collect();
    timeline.sync(&slots, |which| events.get(which).cloned());
    let unresolved = timeline.unresolved().len();
    let last = events.iter().rev().find(|event| matches!(event.what, Happening::Edit { .. })).ok_or("no edit")?;
    let text = timeline.text_of_event(last.key).ok_or_else(|| format!("{unresolved} edits could not be replayed"))?;
    if unresolved > 0 { Err(format!("{unresolved} edits could not be replayed")) } else { Ok(text) }
}
