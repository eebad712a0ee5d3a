//! Searching many sessions: `cargo bench -p benches --bench search [-- DIR…]`, each DIR as
//! `../shared/bench/many_sessions.py` writes it. Without one they are generated; `-- --quick` generates few.
//! `--query=TEXT` measures that query alone, `--rounds=N` asks each so often, and `--cache=DIR` keeps there what was read.
//!
//! For each kind of query the median and the worst of its rounds, by scan and by filters, and the mean of the processor
//! time, which others at work on the machine do not change; whether every planted word was found in its session and
//! field; and what the filters take.

#![expect(clippy::print_stdout, reason = "the report of a bench")]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs};

use serde_json::Value;
use tempfile::TempDir;
use workspace::{Course, Env, Field, Found, HitsOfSession, Index, Query, Settings, Workspace};

const GENERATOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/bench/many_sessions.py");
/// Hits on the first screen: they are timed until they are told.
const FIRST: usize = 20;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let is_quick = arguments.iter().any(|argument| argument == "--quick");
    let given: Vec<PathBuf> =
        arguments.iter().filter(|argument| !argument.starts_with('-')).map(PathBuf::from).collect();
    let told = |name: &str| arguments.iter().find_map(|argument| argument.strip_prefix(name)?.strip_prefix('='));
    let rounds = told("--rounds").and_then(|rounds| rounds.parse().ok());
    let how = How {
        rounds: rounds.unwrap_or(if is_quick { 2 } else { 5 }),
        queries: told("--query").map_or_else(|| QUERIES.to_vec(), |query| vec![(query, query)]),
        cache: told("--cache").map(PathBuf::from),
    };
    if !given.is_empty() {
        given.iter().for_each(|folder| measure(folder, &how));
    } else if let Some(folder) = generated(is_quick) {
        measure(folder.path(), &how);
    } else {
        println!("skipped: ../shared/bench or python3 is missing, and no folder is given");
    }
}

struct How<'a> {
    rounds: usize,
    /// Kinds of queries, each with what it asks.
    queries: Vec<(&'a str, &'a str)>,
    cache: Option<PathBuf>,
}

fn generated(is_quick: bool) -> Option<TempDir> {
    let folder = TempDir::new().ok()?;
    let small = ["--claude", "60", "--codex", "60", "--mb", "12", "--big-mb", "3"];
    let arguments = if is_quick { &small[..] } else { &[] };
    let made = Command::new("python3").arg(GENERATOR).arg("--out").arg(folder.path()).args(arguments).output();
    made.is_ok_and(|made| made.status.success()).then_some(folder)
}

fn measure(folder: &Path, how: &How<'_>) {
    let env = Env { home: Some(folder.join("home")), ..Env::default() };
    let index = match &how.cache {
        Some(cache) => Index::with_cache(env, &trace::Agent::ALL, cache),
        None => Index::new(env),
    };
    let workspace = Workspace::new(Arc::new(index), Settings::default());
    workspace.index().refresh(&|_| {});
    workspace.index().save();
    let moment = workspace.moment();
    let bytes: u64 = moment.logs().summaries().map(|log| log.tally.bytes).sum();
    println!("{}: {} sessions, {} MB", folder.display(), moment.logs().sessions().count(), bytes / 1_000_000);
    let truth: Value = fs::read(folder.join("truth.json"))
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    needles(&workspace, &truth, "by scan");
    let scanned = queries(&workspace, how);
    let cache = TempDir::new().expect("a folder");
    let began = Mark::now();
    let made = workspace.make_filters(Some(cache.path().join("search")), &|| false).expect("filters");
    let took = began.elapsed();
    println!(
        "filters: {:.2} s, {:.2} s CPU, {:.2} MB, {:.2} % of the logs; stored {:.2} MB",
        took.wall.as_secs_f64(),
        took.cpu.as_secs_f64(),
        made.size as f64 / 1e6,
        made.size as f64 * 100.0 / bytes as f64,
        size(&cache.path().join("search")) as f64 / 1e6,
    );
    needles(&workspace, &truth, "by filters");
    let filtered = queries(&workspace, how);
    let heads =
        ["all by scan", "first 20 by scan", "all by filters", "first 20 by filters"].map(|name| format!("{name:>33}"));
    println!("ms: wall, median / worst; CPU, median / worst");
    println!("{:32}{:>6}{}", "", "hits", heads.concat());
    for (name, scanned) in &scanned {
        let filtered = &filtered[name];
        let columns = [&scanned.all, &scanned.first, &filtered.all, &filtered.first].map(Times::told);
        println!("{name:32}{:>6}{}", scanned.total, columns.concat());
    }
    for (name, queries) in [("by scan", &scanned), ("by filters", &filtered)] {
        for (what, of) in [("all", (|t: &Row| &t.all) as fn(&Row) -> &Times), ("first 20", |t: &Row| &t.first)] {
            let all = Times(queries.values().flat_map(|row| of(row).0.iter().copied()).collect());
            println!("{name}, {what}: {}", all.told().trim());
        }
    }
    println!();
}

/// How long something took: by the clock, and of the processor, which others at work on the machine hardly change.
#[derive(Clone, Copy)]
struct Took {
    wall: Duration,
    cpu: Duration,
}

struct Mark(Instant, Duration);

impl Mark {
    fn now() -> Mark {
        Mark(Instant::now(), cpu())
    }

    fn elapsed(&self) -> Took {
        Took { wall: self.0.elapsed(), cpu: cpu().saturating_sub(self.1) }
    }
}

#[derive(Default)]
struct Times(Vec<Took>);

impl Times {
    fn told(&self) -> String {
        let told = |of: fn(&Took) -> Duration| {
            let mut sorted: Vec<Duration> = self.0.iter().map(of).collect();
            sorted.sort();
            let ms = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1e3);
            format!("{:.1} / {:.1}", ms(sorted.get(sorted.len() / 2)), ms(sorted.last()))
        };
        format!("{:>17}{:>16}", told(|took| took.wall), told(|took| took.cpu))
    }
}

#[derive(Default)]
struct Row {
    total: usize,
    all: Times,
    first: Times,
}

const QUERIES: &[(&str, &str)] = &[
    ("prompt, exact", "needle_user_alpha case:yes"),
    ("prompt, any case", "NEEDLE_user_ALPHA"),
    ("answer, exact", "needle_assistant_beta case:yes"),
    ("answer, any case", "needle_assistant_beta"),
    ("thought", "needle_thinking_delta in:thought"),
    ("tool input", "needle_toolinput_eta"),
    ("tool output", "needle_toolresult_gamma"),
    ("sub-agent", "needle_subagent_theta"),
    ("late in 204 MB", "needle_late_zeta"),
    ("Codex prompt", "needle_codexuser_kappa"),
    ("Codex output", "needle_codexout_iota"),
    ("nothing, exact", "needle_that_is_absent case:yes"),
    ("nothing, any case", "needle_that_is_absent"),
    ("nothing, two words", "needle_user_alpha needle_toolinput_eta"),
    ("nothing, letters beyond ASCII", "größtenteils"),
    ("expression", r"/needle_[a-z]+_(alpha|beta)/"),
    ("expression, any case", r"/(?i)NEEDLE_\w+_gamma/"),
    ("expression, nothing", r"/needle_[0-9]{3}x/"),
    ("beginning of a word", "needle_codex*"),
    ("phrase", "\"Success. Updated the following files\" in:prompt"),
    ("in most sessions", "migration"),
    ("in most sessions, prompts", "migration in:prompt"),
    ("in most sessions, two letters", "if"),
];

fn queries<'q>(workspace: &Workspace, how: &How<'q>) -> BTreeMap<&'q str, Row> {
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    for _ in 0..how.rounds {
        for (name, text) in &how.queries {
            let row = rows.entry(name).or_default();
            let began = Mark::now();
            row.total = search(workspace, text, &mut |_| ControlFlow::Continue(())).total;
            row.all.0.push(began.elapsed());
            let began = Mark::now();
            let (mut hits, mut told) = (0, None);
            search(workspace, text, &mut |found| {
                hits += found.total;
                if hits < FIRST {
                    return ControlFlow::Continue(());
                }
                told = Some(began.elapsed());
                ControlFlow::Break(())
            });
            row.first.0.push(told.unwrap_or_else(|| began.elapsed()));
        }
    }
    rows
}

/// Searches all sessions until `sink` breaks off.
fn search(workspace: &Workspace, text: &str, sink: &mut dyn FnMut(&HitsOfSession) -> ControlFlow<()>) -> Found {
    let query = Query::parse(text, &|_| None).expect("a query");
    let moment = workspace.moment();
    moment.search_by(&query, moment.logs().sessions(), Course { most: 200, is_cancelled: &|| false, sink })
}

/// Whether each planted word is found in its sessions, in its field, and nowhere else.
fn needles(workspace: &Workspace, truth: &Value, how: &str) {
    let Some(planted) = truth["needles"].as_object() else { return };
    let (mut named, mut written, mut found, mut places) = (0, 0, 0, 0);
    let (mut unwritten, mut wrong) = (BTreeMap::new(), Vec::new());
    for (needle, planted) in planted {
        let told = search(workspace, needle, &mut |_| ControlFlow::Continue(()));
        let field = match needle.split('_').nth(1).unwrap_or_default() {
            "user" | "codexuser" => Field::Prompt,
            "thinking" => Field::Thought,
            "toolinput" => Field::Tool,
            "toolresult" | "codexout" => Field::Output,
            _ => Field::Answer,
        };
        let planned: BTreeSet<&str> = planted.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let expected: BTreeSet<&str> =
            planned.iter().copied().filter(|session| is_written(workspace, needle, session)).collect();
        let sessions: BTreeSet<&str> = told.listed.iter().map(|session| &*session.path.session).collect();
        let mut hits = told.listed.iter().flat_map(|session| &session.hits);
        if sessions != expected || hits.any(|hit| hit.field != field) {
            wrong.push(needle.as_str());
        }
        if planned.len() > expected.len() {
            unwritten.insert(needle.as_str(), planned.len() - expected.len());
        }
        named += planned.len();
        written += expected.len();
        found += sessions.intersection(&expected).count();
        places += told.total;
    }
    println!("needles {how}: {found} of {written} found, {places} places, wrong: {wrong:?}");
    println!("    truth.json names {named} words in sessions; in no log of theirs are {unwritten:?}");
}

/// Whether a session's logs hold the word: the generator names some that it then had no place for.
fn is_written(workspace: &Workspace, needle: &str, session: &str) -> bool {
    let moment = workspace.moment();
    let logs = moment.logs();
    let own = logs.summaries().filter(|path| *path.session == *session).filter_map(|path| logs.file(path.log));
    own.filter_map(|file| fs::read_to_string(file).ok()).any(|text| text.contains(needle))
}

fn size(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().filter_map(|file| file.ok()?.metadata().ok());
    files.map(|meta| meta.len()).sum()
}

/// Processor time of this process.
#[cfg(unix)]
fn cpu() -> Duration {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike;
    let spent = getrusage(UsageWho::RUSAGE_SELF).map(|usage| usage.user_time() + usage.system_time());
    spent.map_or(Duration::ZERO, |time| Duration::from_micros(u64::try_from(time.num_microseconds()).unwrap_or(0)))
}

#[cfg(not(unix))]
fn cpu() -> Duration {
    Duration::ZERO
}
