//! `turnlens doctor`: what was found where, what could not be read, and what to do next.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use trace::{DerivedPath, Timestamp};

use super::here::Here;
use super::out::{Table, painted, plain};
use super::{Exit, out};
use crate::answers::Answers;

/// What was found where, what could not be read, and what to do next
#[derive(clap::Args)]
pub(super) struct Args {}

/// One folder in which logs are looked for.
struct Place {
    root: PathBuf,
    is_there: bool,
    logs: usize,
    records: u64,
    bytes: u64,
}

/// A log in which something could not be read.
struct Damage {
    file: PathBuf,
    broken: u32,
    /// Offsets of the first ones, in bytes.
    at: Vec<u64>,
}

/// All that is told.
struct Report {
    places: Vec<Place>,
    sessions: usize,
    here: usize,
    newest: Option<Timestamp>,
    damage: Vec<Damage>,
    /// Types of records never seen before, with how many there were.
    unknown: BTreeMap<Box<str>, u64>,
    trouble: Vec<(PathBuf, String)>,
    /// By folder: how many sessions.
    repositories: Vec<(PathBuf, usize)>,
    /// Sessions whose folder is gone, and those outside of every repository.
    gone: usize,
    outside: usize,
}

/// Rows of a list that are shown.
const MOST: usize = 20;

pub(super) fn run(_: Args, here: &Here) -> anyhow::Result<Exit> {
    let answers = here.answers();
    let report = examine(here, &answers);
    if here.globals.json {
        out::json(&as_json(&report))?;
    } else {
        out::print(&text(here, &report))?;
    }
    Ok(if report.trouble.is_empty() { Exit::DONE } else { Exit::FAILED })
}

fn examine(here: &Here, answers: &Answers<'_>) -> Report {
    let logs = answers.moment.logs();
    let file_of = |path: &Arc<DerivedPath>| logs.file(path.log).map(Path::to_owned).unwrap_or_default();
    let mut places: Vec<Place> = here
        .roots
        .iter()
        .map(|root| Place { root: root.clone(), is_there: root.is_dir(), logs: 0, records: 0, bytes: 0 })
        .collect();
    let mut unknown: BTreeMap<Box<str>, u64> = BTreeMap::new();
    let mut damage = Vec::new();
    for path in logs.paths() {
        let file = file_of(path);
        if let Some(place) = places.iter_mut().find(|place| file.starts_with(&place.root)) {
            place.logs += 1;
            place.records += u64::from(path.tally.records);
            place.bytes += path.tally.bytes;
        }
        for (kind, count) in &path.tally.unknown {
            *unknown.entry(kind.clone()).or_default() += u64::from(*count);
        }
        if path.tally.broken > 0 {
            damage.push(Damage { file, broken: path.tally.broken, at: path.tally.broken_at.clone() });
        }
    }
    let (repositories, gone, outside) = repositories(here, answers);
    Report {
        places,
        sessions: logs.sessions().count(),
        here: here.sessions(answers).len(),
        newest: logs.sessions().filter_map(|path| path.ended).max(),
        damage,
        unknown,
        trouble: logs.trouble().iter().map(|trouble| (trouble.path.clone(), trouble.error.clone())).collect(),
        repositories,
        gone,
        outside,
    }
}

/// The repositories in which sessions worked, those with the most first.
fn repositories(here: &Here, answers: &Answers<'_>) -> (Vec<(PathBuf, usize)>, usize, usize) {
    let mut counts: BTreeMap<PathBuf, usize> = BTreeMap::new();
    let (mut gone, mut outside) = (0, 0);
    for path in answers.moment.logs().sessions() {
        let folder = path.cwd.as_deref().map(Path::new).filter(|folder| folder.is_dir());
        match folder.map(|folder| here.workspace.repo(folder)) {
            None => gone += 1,
            Some(None) => outside += 1,
            Some(Some(repo)) => *counts.entry(repo.root().to_owned()).or_default() += 1,
        }
    }
    let mut counts: Vec<(PathBuf, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    (counts, gone, outside)
}

fn text(here: &Here, report: &Report) -> String {
    let paint = here.out.paint;
    let mut text = format!("turnlens {}\n", env!("CARGO_PKG_VERSION"));
    let mut part = |head: &str, body: String| {
        if !body.is_empty() {
            text.push_str(&format!("\n{}\n{body}", paint.bold(head)));
        }
    };
    let mut table = Table::default();
    for place in &report.places {
        let root = painted(here.shown(&place.root), |text| paint.address(text));
        let count = |n: u64, word: &str| plain(lens::count(n, word));
        table.push(match (place.is_there, place.logs) {
            (false, _) => vec![root, painted("not there", |text| paint.dim(text))],
            (true, 0) => vec![root, plain("no logs")],
            (true, logs) => {
                vec![root, count(logs as u64, "log"), count(place.records, "record"), plain(size(place.bytes))]
            }
        });
    }
    if report.places.is_empty() {
        table.push(vec![plain("nowhere: neither HOME nor an agent's own variable (CLAUDE_CONFIG_DIR) is set")]);
    }
    part("Looked in", table.print(2, 2));
    let newest = report.newest.map(|at| format!(", newest {}", here.view().when_in_words(at))).unwrap_or_default();
    let in_scope =
        if here.repo.is_some() { format!(", {} of them in this repository", report.here) } else { String::new() };
    let found = match report.sessions {
        0 => String::new(),
        n => format!("  {}{in_scope}{newest}\n", lens::count(n as u64, "session")),
    };
    part("Found", found);
    let mut table = Table::default();
    for (root, sessions) in report.repositories.iter().take(MOST) {
        table.push(vec![plain(here.shown(root)), plain(lens::count(*sessions as u64, "session"))]);
    }
    let rest = [
        (report.repositories.len().saturating_sub(MOST), "folder", "more"),
        (report.outside, "session", "outside of a repository"),
        (report.gone, "session", "whose folder is gone; a clone of it that is open is found by its history"),
    ];
    for (count, word, what) in rest.into_iter().filter(|(count, ..)| *count > 0) {
        table.push(vec![plain(format!("{} {what}", lens::count(count as u64, word)))]);
    }
    part("Repositories", table.print(2, 2));
    let damage = |one: &Damage| {
        let at: Vec<String> = one.at.iter().map(|at| lens::thousands(*at)).collect();
        let lines = lens::count(one.broken.into(), "line");
        let are = if one.broken == 1 { "is no record" } else { "are no records" };
        format!("  {}: {lines} {are}, at byte {}\n", here.shown(&one.file), at.join(", "))
    };
    part(
        "Damage (skipped; everything else in these logs is read)",
        listed(report.damage.iter().map(damage), report.damage.len()),
    );
    let unknown = report
        .unknown
        .iter()
        .map(|(kind, count)| format!("  {} ({})\n", lens::one_line(kind), lens::thousands(*count)));
    part("Records of unknown types (shown in traces as one line)", listed(unknown, report.unknown.len()));
    let trouble = report
        .trouble
        .iter()
        .map(|(path, error)| format!("  {}\n", one_error(&here.shown(path), &path.to_string_lossy(), error)));
    part("Could not be read", listed(trouble, report.trouble.len()));
    part("Next", next(here, report));
    text
}

/// The error with the name of its file, which it may have in it.
fn one_error(shown: &str, path: &str, error: &str) -> String {
    let error = lens::one_line(error);
    format!("{shown}: {}", error.strip_prefix(path).map_or(&*error, |rest| rest.trim_start_matches([':', ' '])))
}

fn listed(rows: impl Iterator<Item = String>, count: usize) -> String {
    let mut text: String = rows.take(MOST).collect();
    if count > MOST {
        text.push_str(&format!("  … {} more\n", count - MOST));
    }
    text
}

fn next(here: &Here, report: &Report) -> String {
    let mut lines: Vec<String> = Vec::new();
    if !report.trouble.is_empty() {
        lines.push("Make the files above readable for you, then run turnlens doctor again.".into());
    }
    if report.sessions == 0 {
        lines.push("Let Claude Code work on something, or see what it would be like: turnlens demo".into());
        lines.push(
            "Logs lie elsewhere? CLAUDE_CONFIG_DIR=/path turnlens doctor; in editors the setting logs.folders.".into(),
        );
    } else if here.repo.is_some() && report.here == 0 {
        lines.push("Go into one of the repositories above: turnlens -C PATH sessions".into());
    } else {
        lines.push("turnlens sessions     what agents worked on here".into());
        lines.push("turnlens status       what is not committed, by turn".into());
    }
    lines.push("turnlens setup nvim   or turnlens setup code: the same in your editor".into());
    lines.into_iter().map(|line| format!("  {line}\n")).collect()
}

fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{} bytes", lens::thousands(bytes)),
        10_000..10_000_000 => format!("{} kB", lens::thousands(bytes / 1_000)),
        _ => format!("{} MB", lens::thousands(bytes / 1_000_000)),
    }
}

fn as_json(report: &Report) -> serde_json::Value {
    let shown = |path: &Path| path.to_string_lossy().into_owned();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "places": report.places.iter().map(|place| json!({
            "folder": shown(&place.root), "exists": place.is_there, "logs": place.logs, "records": place.records, "bytes": place.bytes,
        })).collect::<Vec<_>>(),
        "sessions": report.sessions,
        "here": report.here,
        "newest": report.newest.map(crate::time::rfc3339),
        "broken": report.damage.iter().map(|one| json!({ "file": shown(&one.file), "count": one.broken, "at": one.at })).collect::<Vec<_>>(),
        "unknown": report.unknown,
        "trouble": report.trouble.iter().map(|(path, error)| json!({ "file": shown(path), "error": error })).collect::<Vec<_>>(),
        "repositories": report.repositories.iter().map(|(root, sessions)| json!({ "folder": shown(root), "sessions": sessions })).collect::<Vec<_>>(),
        "outside": report.outside,
        "gone": report.gone,
    })
}
