//! Generated sessions whose numbers are known. The generators lie beside the repository; where they are missing,
//! these tests say so and hold nothing.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use agents::Env;
use index::{Index, Logs};
use serde_json::Value;
use trace::{Agent, DerivedPath, LogId, RecordId, Step, Tokens, Turn};

/// Runs a generator into a temporary folder. `None`: there is none here, or no Python.
fn generate(script: &str, options: &[&str]) -> Option<(tempfile::TempDir, Value)> {
    let script = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/bench")).join(script);
    if !script.exists() {
        eprintln!("skipped: there is no {}", script.display());
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let run = Command::new("python3").arg(&script).arg("--out").arg(folder.path()).args(options).output();
    match run {
        Ok(run) if run.status.success() => {}
        Ok(run) => panic!("{}: {}", script.display(), String::from_utf8_lossy(&run.stderr)),
        Err(error) => {
            eprintln!("skipped: python3: {error}");
            return None;
        }
    }
    let truth = serde_json::from_slice(&std::fs::read(folder.path().join("truth.json")).unwrap()).unwrap();
    Some((folder, truth))
}

fn read(home: PathBuf) -> Index {
    let index = Index::new(Env { home: Some(home), ..Env::default() });
    index.refresh(&|_| {});
    index
}

/// The derived paths of all logs.
fn loaded(logs: &Logs) -> Vec<Arc<DerivedPath>> {
    logs.summaries().map(|log| logs.load(log.log).unwrap()).collect()
}

fn sessions<'a>(logs: &Logs, all: &'a [Arc<DerivedPath>], agent: Agent) -> impl Iterator<Item = &'a DerivedPath> {
    let told: BTreeSet<LogId> = logs.sessions().map(|log| log.log).collect();
    all.iter().map(|path| &**path).filter(move |path| path.agent == agent && told.contains(&path.log))
}

/// What was done in a log itself: no turn and no step of it is a copy.
fn own_turns<'a>(logs: &'a Logs, path: &'a DerivedPath) -> impl Iterator<Item = &'a Turn> {
    let inherited = logs.inherited(path.log).map_or(0, |(turns, _)| turns);
    path.turns.iter().map(|turn| &**turn).filter(move |turn| turn.number > inherited)
}

fn own_calls<'a>(logs: &'a Logs, path: &'a DerivedPath) -> impl Iterator<Item = &'a Step> {
    let is_own = |step: &&Step| step.record.is_none_or(|record| logs.origin_log(path.log, record) == path.log);
    path.turns.iter().flat_map(|turn| &turn.steps).filter(is_own).filter(|step| step.call.is_some())
}

#[test]
fn many_sessions() {
    // The big session is long enough to be read on several threads.
    let options = ["--claude", "150", "--codex", "80", "--mb", "12", "--big-mb", "3", "--projects", "4"];
    let Some((folder, truth)) = generate("many_sessions.py", &options) else { return };
    let index = read(folder.path().join("home"));
    let logs = index.snapshot();
    let all = loaded(&logs);
    check_codex(&logs, &all, &truth["codex"]);
    check_edits(&logs, &all, &truth["edits"]);
    check_costs(&logs, &all, &truth);
    check_big(&logs, &truth["big"]);
    assert_eq!(bytes(&logs, Agent::Codex), truth["bytes"]["codex"].as_u64().unwrap());
    let truth = &truth["claude"];
    let told = |name: &str| truth[name].as_u64().unwrap() as usize;

    let claude = || sessions(&logs, &all, Agent::ClaudeCode);
    assert_eq!(claude().count(), told("sessions"));
    let paths = || all.iter().filter(|path| path.agent == Agent::ClaudeCode);
    assert_eq!(paths().count(), told("files"));
    assert_eq!(paths().filter(|path| path.owner.is_some()).count(), told("subagent_files"));
    let is_beside = |path: &&Arc<DerivedPath>| {
        let file = logs.file(path.log).unwrap();
        path.owner.is_some() && !file.iter().any(|folder| folder == "subagents")
    };
    assert_eq!(paths().filter(is_beside).count(), told("old_layout_agents"));
    let copies = claude().filter(|path| logs.inherited(path.log).is_some()).count();
    assert_eq!(copies, told("resumed_copies"));

    let turns = || claude().flat_map(|path| own_turns(&logs, path));
    assert_eq!(turns().filter(|turn| turn.prompt.is_some()).count(), told("real_prompts"));
    let calls = || claude().flat_map(|path| own_calls(&logs, path));
    assert_eq!(calls().count(), told("tool_calls"));
    assert_eq!(
        calls().filter(|step| step.result.as_ref().is_some_and(|result| result.error)).count(),
        told("tool_errors")
    );
    assert_eq!(calls().map(|step| step.edits().len()).sum::<usize>(), told("edits"));

    let responses = paths().flat_map(|path| path.turns.iter()).flat_map(|turn| &turn.responses);
    let unique: BTreeMap<RecordId, _> = responses.map(|response| (response.id.unwrap(), response)).collect();
    assert_eq!(unique.len(), told("api_calls_unique"));
    let mut by_model: BTreeMap<&str, Tokens> = BTreeMap::new();
    for response in unique.values() {
        by_model.entry(response.model.as_deref().unwrap()).or_default().add(&response.tokens);
    }
    let models = truth["by_model"].as_object().unwrap();
    assert_eq!(by_model.len(), models.len());
    for (model, told) in models {
        let class = |name: &str| told[name].as_u64().unwrap();
        let expected = Tokens {
            input: class("input"),
            cache_write: class("cache_5m") + class("cache_1h"),
            cache_write_hour: class("cache_1h"),
            cache_read: class("cache_read"),
            output: class("output"),
        };
        assert_eq!(by_model[model.as_str()], expected, "{model}");
    }

    // Each sub-agent stands behind a step of its session.
    let sides: BTreeSet<&str> = all.iter().filter(|path| path.owner.is_some()).map(|path| &*path.session).collect();
    assert!(!sides.is_empty());
    for session in sides {
        let joined = logs.load_session(session).unwrap();
        let found = joined.path.all_steps().filter(|step| joined.side(step).is_some()).count();
        assert_eq!(found, logs.sides_of(session).count(), "{session}");
    }
}

fn bytes(logs: &Logs, agent: Agent) -> u64 {
    logs.summaries().filter(|log| log.agent == agent).map(|log| log.tally.bytes).sum()
}

/// Each edit of both agents by its file and its call, and by its session.
fn check_edits(logs: &Logs, all: &[Arc<DerivedPath>], truth: &Value) {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let mut told = BTreeSet::new();
    for (file, edits) in truth.as_object().unwrap() {
        told.extend(edits.as_array().unwrap().iter().map(|edit| {
            let call = word(&edit[1]);
            (file.clone(), word(&edit[0]), call)
        }));
    }
    let mut found = BTreeSet::new();
    for path in Agent::ALL.into_iter().flat_map(|agent| sessions(logs, all, agent)) {
        for step in own_calls(logs, path) {
            let call = step.call.as_deref().unwrap();
            let of = |file: &str| (file.to_owned(), path.session.to_string(), call.to_owned());
            found.extend(step.edits().iter().map(|edit| of(&edit.path)));
        }
    }
    assert_eq!(found.difference(&told).collect::<Vec<_>>(), told.difference(&found).collect::<Vec<_>>());
}

/// What each session of Claude Code cost, its sub-agents included and what it copied left out.
fn check_costs(logs: &Logs, all: &[Arc<DerivedPath>], truth: &Value) {
    let cost = |response: &trace::Response| {
        let price = |class: usize| truth["prices_used"][response.model.as_deref().unwrap()][class].as_f64().unwrap();
        let Tokens { input, cache_write, cache_write_hour, cache_read, output } = response.tokens;
        let classes = [input, output, cache_write - cache_write_hour, cache_write_hour, cache_read];
        classes.iter().enumerate().map(|(class, tokens)| *tokens as f64 * price(class)).sum::<f64>() / 1e6
    };
    for path in sessions(logs, all, Agent::ClaudeCode) {
        let own = own_turns(logs, path).flat_map(|turn| &turn.responses);
        let sides = logs.load_sides(&path.session);
        let spent = own.map(cost).sum::<f64>()
            + sides.iter().flat_map(|side| &side.turns).flat_map(|turn| &turn.responses).map(cost).sum::<f64>();
        let told = truth["per_session_usd"][&*path.session].as_f64().unwrap();
        assert!((spent - told).abs() < 1e-5, "{}: {spent} and not {told}", path.session);
    }
}

fn check_big(logs: &Logs, truth: &Value) {
    let told = |name: &str| truth[name].as_u64().unwrap() as usize;
    let session = logs.load_session(truth["id"].as_str().unwrap()).unwrap();
    assert_eq!(session.path.prompts(), told("prompts"));
    assert_eq!(session.path.all_steps().filter(|step| step.call.is_some()).count(), told("tool_calls"));
    assert_eq!(session.path.turns.iter().map(|turn| turn.responses.len()).sum::<usize>(), told("api_calls"));
    let file = logs.file(session.path.log).unwrap();
    assert_eq!(session.path.tally.bytes, std::fs::metadata(file).unwrap().len());
}

fn check_codex(logs: &Logs, all: &[Arc<DerivedPath>], truth: &Value) {
    let told = |name: &str| truth[name].as_u64().unwrap() as usize;
    let codex = || sessions(logs, all, Agent::Codex);
    assert_eq!(codex().count(), told("sessions"));
    assert_eq!(codex().filter(|path| logs.inherited(path.log).is_some()).count(), told("forks"));

    // The generator counts no prompts of scripts, which by the log alone are prompts like others.
    const SCRIPTED: [&str; 6] =
        ["You are in ", "Read-only task. ", "Work in /srv/", "Pair-local ", "## Memory Writing", "Read $OMX_HOME"];
    let is_scripted = |path: &&DerivedPath| {
        let first = own_turns(logs, path).next().and_then(|turn| turn.prompt.as_ref());
        first.is_some_and(|prompt| SCRIPTED.iter().any(|begin| prompt.text.head.starts_with(begin)))
    };
    let persons = codex().filter(|path| path.entrypoint.as_deref() != Some("exec") && !is_scripted(path));
    let prompts = persons.flat_map(|path| own_turns(logs, path)).filter(|turn| turn.prompt.is_some());
    assert_eq!(prompts.count(), told("real_prompts"));

    assert_eq!(codex().filter(|path| path.entrypoint.as_deref() == Some("exec")).count(), told("helpers_exec"));

    let responses = codex().flat_map(|path| path.turns.iter()).flat_map(|turn| &turn.responses);
    let unique: BTreeMap<RecordId, _> = responses.map(|response| (response.id.unwrap(), response)).collect();
    let mut spent = Tokens::default();
    unique.values().for_each(|response| spent.add(&response.tokens));
    let tokens = &truth["tokens_true"];
    assert_eq!(spent.input + spent.cache_read, tokens["input_incl_cached"].as_u64().unwrap());
    assert_eq!(spent.cache_read, tokens["cached"].as_u64().unwrap());
    assert_eq!(spent.output, tokens["output_incl_reasoning"].as_u64().unwrap());
}

#[test]
fn one_session() {
    let Some((folder, truth)) = generate("one_session.py", &[]) else { return };
    let index = read(folder.path().join("home"));
    let logs = index.snapshot();
    let session = logs.load_session(truth["session"].as_str().unwrap()).unwrap();

    // The call, the file, whether it happened, whether it lies on the living path.
    let mut told = BTreeSet::new();
    for edit in truth["edits"].as_array().unwrap() {
        let text = |name: &str| edit[name].as_str().unwrap().to_owned();
        let flag = |name: &str| edit[name].as_bool().unwrap();
        told.insert((text("tool"), text("file"), flag("ok"), flag("live")));
    }
    let repo = format!("{}/", truth["repo"].as_str().unwrap());
    let mut found = BTreeSet::new();
    for turn in &session.path.turns {
        for step in turn.steps.iter().filter(|step| step.kind == trace::StepKind::Edit) {
            let file = step.edits().first().map_or(&step.files[0], |edit| &edit.path);
            let file = file.strip_prefix(&repo).unwrap().to_owned();
            let happened = !step.edits().is_empty();
            assert_eq!(happened, !step.failed(), "{}.{}", turn.number, step.number);
            found.insert((step.call.as_deref().unwrap().to_owned(), file, happened, turn.abandoned.is_none()));
        }
    }
    assert_eq!(found, told);
    assert!(found.iter().any(|(.., live)| !live), "the generator rewinds");

    for name in loaded(&logs).iter().flat_map(|path| path.all_steps()).flat_map(Step::edits).map(|edit| &edit.path) {
        let file = name.rsplit('/').next().unwrap();
        assert!(logs.touching(file).iter().any(|touch| touch.path == *name), "{name}");
    }
}
