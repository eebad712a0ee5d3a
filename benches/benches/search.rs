//! Searching many sessions: `cargo bench -p benches --bench search [-- DIR…]`, each DIR as
//! `../shared/bench/many_sessions.py` writes it. Without one they are generated; `-- --quick` generates few.
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
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs};

use serde_json::Value;
use tempfile::TempDir;
use workspace::{Course, Env, Field, Found, HitsOfSession, Index, Query, Settings, Workspace};

const GENERATOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/bench/many_sessions.py");
/// Hits on the first screen.
const FIRST: usize = 20;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let is_quick = arguments.iter().any(|argument| argument == "--quick");
    let given: Vec<PathBuf> =
        arguments.iter().filter(|argument| !argument.starts_with('-')).map(PathBuf::from).collect();
    let rounds = if is_quick { 2 } else { 5 };
    if !given.is_empty() {
        given.iter().for_each(|folder| measure(folder, rounds));
    } else if let Some(folder) = generated(is_quick) {
        measure(folder.path(), rounds);
    } else {
        println!("skipped: ../shared/bench or python3 is missing, and no folder is given");
    }
}

fn generated(is_quick: bool) -> Option<TempDir> {
    let folder = TempDir::new().ok()?;
    let small = ["--claude", "60", "--codex", "60", "--mb", "12", "--big-mb", "3"];
    let arguments = if is_quick { &small[..] } else { &[] };
    let made = Command::new("python3").arg(GENERATOR).arg("--out").arg(folder.path()).args(arguments).output();
    made.is_ok_and(|made| made.status.success()).then_some(folder)
}

fn measure(folder: &Path, rounds: usize) {
    let env = Env { home: Some(folder.join("home")), ..Env::default() };
    let workspace = Workspace::new(Arc::new(Index::new(env)), Settings::default());
    workspace.index().refresh(&|_| {});
    let moment = workspace.moment();
    let bytes: u64 = moment.logs().summaries().map(|log| log.tally.bytes).sum();
    println!("{}: {} sessions, {} MB", folder.display(), moment.logs().sessions().count(), bytes / 1_000_000);
    let truth: Value = fs::read(folder.join("truth.json"))
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    needles(&workspace, &truth, "by scan");
    let scanned = queries(&workspace, rounds);
    let (began, cpu) = (Instant::now(), cpu());
    let cache = TempDir::new().expect("a folder");
    let made = workspace.make_filters(Some(cache.path().join("search")), &|| false).expect("filters");
    println!(
        "filters: {:.2} s, {} CPU, {:.2} MB, {:.2} % of the logs; stored {:.2} MB",
        began.elapsed().as_secs_f64(),
        since(cpu),
        made.size as f64 / 1e6,
        made.size as f64 * 100.0 / bytes as f64,
        size(&cache.path().join("search")) as f64 / 1e6,
    );
    needles(&workspace, &truth, "by filters");
    let filtered = queries(&workspace, rounds);
    let cpu = |row: &Row, which: usize| row.ticks[which] as f64 * 10.0 / row.all.0.len().max(1) as f64;
    let heads = ["all by scan", "all by filters", "first 20 by filters"].map(|name| format!("{name:>21} {:>6}", "CPU"));
    println!("{:32}{:>5}{}", "ms (median / worst, mean)", "hits", heads.concat());
    for (name, scanned) in &scanned {
        let by = |times: &Times, cpu: f64| {
            format!("{:>21} {cpu:>6.1}", format!("{:.1} / {:.1}", times.median(), times.worst()))
        };
        let filtered = &filtered[name];
        let columns = [
            by(&scanned.all, cpu(scanned, 0)),
            by(&filtered.all, cpu(filtered, 0)),
            by(&filtered.first, cpu(filtered, 1)),
        ];
        println!("{name:32}{:>5}{}", scanned.total, columns.concat());
    }
    for (name, queries) in [("by scan", &scanned), ("by filters", &filtered)] {
        for (what, of) in [("all", (|t: &Row| &t.all) as fn(&Row) -> &Times), ("first 20", |t: &Row| &t.first)] {
            let all = Times(queries.values().flat_map(|row| of(row).0.iter().copied()).collect());
            println!("{name}, {what}: median {:.1} ms, worst {:.1} ms", all.median(), all.worst());
        }
    }
    println!();
}

#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort();
        sorted.get(sorted.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    }

    fn worst(&self) -> f64 {
        self.0.iter().max().map_or(0.0, |time| time.as_secs_f64() * 1e3)
    }
}

#[derive(Default)]
struct Row {
    total: usize,
    all: Times,
    first: Times,
    /// Clock ticks of all rounds.
    ticks: [u64; 2],
}

/// Kinds of queries, each with what it asks.
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
];

fn queries(workspace: &Workspace, rounds: usize) -> BTreeMap<&'static str, Row> {
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    for _ in 0..rounds {
        for (name, text) in QUERIES {
            let row = rows.entry(name).or_default();
            let (began, before) = (Instant::now(), cpu());
            row.total = search(workspace, text, usize::MAX).total;
            row.all.0.push(began.elapsed());
            let (began, between) = (Instant::now(), cpu());
            search(workspace, text, FIRST);
            row.first.0.push(began.elapsed());
            row.ticks[0] += between.zip(before).map_or(0, |(now, before)| now - before);
            row.ticks[1] += cpu().zip(between).map_or(0, |(now, before)| now - before);
        }
    }
    rows
}

/// Searches all sessions until so many hits are there.
fn search(workspace: &Workspace, text: &str, enough: usize) -> Found {
    let query = Query::parse(text, &|_| None).expect("a query");
    let moment = workspace.moment();
    let mut found = 0;
    let sink = &mut |hits: &HitsOfSession| {
        found += hits.total;
        if found < enough { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let is_over = AtomicBool::new(false);
    let course = Course { most: 200, is_cancelled: &|| is_over.load(Ordering::Relaxed), sink };
    moment.search_by(&query, moment.logs().sessions(), course)
}

/// Whether each planted word is found in its sessions, in its field, and nowhere else.
fn needles(workspace: &Workspace, truth: &Value, how: &str) {
    let Some(planted) = truth["needles"].as_object() else { return };
    let (mut planted_sessions, mut sessions, mut hits, mut wrong) = (0, 0, 0, Vec::new());
    for (needle, planted) in planted {
        let found = search(workspace, needle, usize::MAX);
        let field = match needle.split('_').nth(1).unwrap_or_default() {
            "user" | "codexuser" => Field::Prompt,
            "thinking" => Field::Thought,
            "toolinput" => Field::Tool,
            "toolresult" | "codexout" => Field::Output,
            _ => Field::Answer,
        };
        // Some are planned and then not written.
        let planned = planted.as_array().into_iter().flatten().filter_map(Value::as_str);
        let expected: BTreeSet<&str> = planned.filter(|session| is_written(workspace, needle, session)).collect();
        planted_sessions += expected.len();
        let told: BTreeSet<&str> = found.listed.iter().map(|session| &*session.path.session).collect();
        let all = || found.listed.iter().flat_map(|session| &session.hits);
        if told != expected || all().any(|hit| hit.field != field) {
            wrong.push(needle.as_str());
        }
        sessions += told.intersection(&expected).count();
        hits += found.total;
    }
    println!("needles {how}: {sessions} of {planted_sessions} found, {hits} places, wrong: {wrong:?}");
}

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

/// Processor time of this process in clock ticks, where the system tells it in a file.
fn cpu() -> Option<u64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

fn since(before: Option<u64>) -> String {
    // Linux counts a hundred ticks a second for every process.
    let spent = before.zip(cpu()).map(|(before, now)| format!("{:.2} s", (now - before) as f64 / 100.0));
    spent.unwrap_or_else(|| "unknown".into())
}
