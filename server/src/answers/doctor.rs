//! What was found where, what could not be read, and what to do next: the same for terminal and editor.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use trace::{Agent, Timestamp};
use workspace::{CacheReport, LogSummary};

use super::{Answers, Frame};
use crate::cli::out::{Paint, Table, painted, plain};

/// Rows of a list that are shown.
const MOST: usize = 20;

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
pub(crate) struct Report {
    reading: Option<(usize, usize)>,
    places: Vec<Place>,
    sessions: usize,
    /// By whom, in the order of lists.
    agents: Vec<Agent>,
    /// Sessions of the repository or folder that is asked about. `None`: none is.
    here: Option<usize>,
    newest: Option<Timestamp>,
    damage: Vec<Damage>,
    /// Types of records never seen before, with how many there were.
    unknown: BTreeMap<Box<str>, u64>,
    pub(crate) trouble: Vec<(PathBuf, String)>,
    /// By folder: how many sessions.
    repositories: Vec<(PathBuf, usize)>,
    /// Sessions whose folder is gone, and those outside of every repository.
    gone: usize,
    outside: usize,
    /// `None`: nothing is kept.
    cache: Option<CacheReport>,
    /// What lies beside it, by kind.
    kept: Vec<Kept>,
}

/// A folder of files of our own.
struct Kept {
    kind: &'static str,
    folder: PathBuf,
    bytes: u64,
}

impl Kept {
    fn all() -> Vec<Kept> {
        let of_kind = |kind: &'static str| {
            let folder = caches::folder(kind)?;
            Some(Kept { kind, bytes: caches::bytes_in(&folder), folder })
        };
        ["search", "documents"].into_iter().filter_map(of_kind).collect()
    }

    /// `~/.cache/turnlens/search: filters for searches, 4 MB`
    fn text(&self, shown: &dyn Fn(&Path) -> String) -> String {
        let what = if self.kind == "search" { "filters for searches" } else { "documents that editors opened" };
        format!("  {}: {what}, {}\n", shown(&self.folder), size(self.bytes))
    }
}

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    Terminal(Paint),
    Editor,
}

impl Report {
    /// `here`: how many sessions worked in the repository or folder that is asked about.
    pub(crate) fn new(answers: &Answers<'_>, here: Option<usize>) -> Report {
        let logs = answers.moment.logs();
        let file_of = |path: &LogSummary| logs.file(path.log).map(Path::to_owned).unwrap_or_default();
        let roots = answers.workspace.index().roots().into_iter();
        let place = |root: PathBuf| Place { is_there: root.is_dir(), root, logs: 0, records: 0, bytes: 0 };
        let mut places: Vec<Place> = roots.map(place).collect();
        let mut unknown: BTreeMap<Box<str>, u64> = BTreeMap::new();
        let mut damage = Vec::new();
        for path in logs.summaries() {
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
        let agents: BTreeSet<Agent> = logs.sessions().map(|path| path.agent).collect();
        let (repositories, gone, outside) = repositories(answers);
        Report {
            reading: answers.moment.reading(),
            places,
            sessions: logs.sessions().count(),
            agents: agents.into_iter().collect(),
            here,
            newest: logs.sessions().filter_map(|path| path.ended).max(),
            damage,
            unknown,
            trouble: logs.trouble().iter().map(|trouble| (trouble.path.clone(), trouble.error.clone())).collect(),
            repositories,
            gone,
            outside,
            cache: answers.workspace.index().cache_report(),
            kept: Kept::all(),
        }
    }

    /// `client`: the editor's name, where one asks.
    pub(crate) fn text(&self, frame: &Frame, asker: Asker, client: Option<&str>) -> String {
        text(self, frame, asker, client)
    }

    pub(crate) fn json(&self) -> Value {
        as_json(self)
    }
}

/// The repositories in which sessions worked, those with the most first.
fn repositories(answers: &Answers<'_>) -> (Vec<(PathBuf, usize)>, usize, usize) {
    let mut counts: BTreeMap<PathBuf, usize> = BTreeMap::new();
    let (mut gone, mut outside) = (0, 0);
    for path in answers.moment.logs().sessions() {
        let folder = path.cwd.as_deref().map(Path::new).filter(|folder| folder.is_dir());
        match folder.map(|folder| answers.workspace.repo(folder)) {
            None => gone += 1,
            Some(None) => outside += 1,
            Some(Some(repo)) => *counts.entry(repo.root().to_owned()).or_default() += 1,
        }
    }
    let mut counts: Vec<(PathBuf, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    (counts, gone, outside)
}

/// A path as people read it: below the home folder with `~`, harmless to show.
fn shown(frame: &Frame, path: &Path) -> String {
    let view = lens::View { root: None, ..frame.view() };
    lens::clean(&view.path(&path.to_string_lossy())).into_owned()
}

fn text(report: &Report, frame: &Frame, asker: Asker, client: Option<&str>) -> String {
    let paint = if let Asker::Terminal(paint) = asker { paint } else { Paint::NONE };
    let shown = |path: &Path| shown(frame, path);
    let client = client.map(|name| format!(", {}", lens::one_line(name))).unwrap_or_default();
    let mut text = format!("turnlens {}{client}\n", env!("CARGO_PKG_VERSION"));
    if let Some((done, total)) = report.reading {
        text.push_str(&format!("\nStill reading: {done} of {}.\n", lens::count(total as u64, "log")));
    }
    let mut part = |head: &str, body: String| {
        if !body.is_empty() {
            text.push_str(&format!("\n{}\n{body}", paint.bold(head)));
        }
    };
    let mut table = Table::default();
    for place in &report.places {
        let root = painted(shown(&place.root), |text| paint.address(text));
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
    part("Found", found(report, frame, asker));
    let mut table = Table::default();
    for (root, sessions) in report.repositories.iter().take(MOST) {
        table.push(vec![plain(shown(root)), plain(lens::count(*sessions as u64, "session"))]);
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
        format!("  {}: {lines} {are}, at byte {}\n", shown(&one.file), at.join(", "))
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
        .map(|(path, error)| format!("  {}\n", one_error(&shown(path), &path.to_string_lossy(), error)));
    part("Could not be read", listed(trouble, report.trouble.len()));
    let has_something = |cache: &&CacheReport| cache.bytes > 0 || cache.trouble.is_some();
    let mut cache: String = report.cache.iter().filter(has_something).map(|cache| of_index(cache, &shown)).collect();
    cache.extend(report.kept.iter().filter(|kept| kept.bytes > 0).map(|kept| kept.text(&shown)));
    part("Cache", cache);
    part("Next", next(report, asker));
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

/// `312 sessions by Claude Code and Codex, 14 of them in this folder, newest 14:32`
fn found(report: &Report, frame: &Frame, asker: Asker) -> String {
    if report.sessions == 0 {
        return String::new();
    }
    let names: Vec<&str> = report.agents.iter().map(|agent| agent.full()).collect();
    let by = match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    };
    let whose = if asker == Asker::Editor { "folder" } else { "repository" };
    let here = report.here.map(|here| format!(", {here} of them in this {whose}")).unwrap_or_default();
    let newest = report.newest.map(|at| format!(", newest {}", frame.view().when_in_words(at))).unwrap_or_default();
    format!("  {} by {by}{here}{newest}\n", lens::count(report.sessions as u64, "session"))
}

/// `~/.cache/turnlens/index: 312 logs, 9 with their turns, 14 MB of at most 536 MB with the filters`
fn of_index(cache: &CacheReport, shown: &dyn Fn(&Path) -> String) -> String {
    let folder = shown(&cache.folder);
    let dropped = match cache.dropped {
        0 => String::new(),
        n => format!(", {} dropped", lens::count(n, "damaged or unused file")),
    };
    let logs = lens::count(cache.logs, "log");
    let turns = if cache.paths > 0 { format!(", {} with their turns", cache.paths) } else { String::new() };
    let mut text = format!(
        "  {folder}: {logs}{turns}, {} of at most {} with the filters{dropped}\n",
        size(cache.bytes),
        size(cache.budget)
    );
    if let Some(trouble) = &cache.trouble {
        let why = one_error(&folder, &cache.folder.to_string_lossy(), trouble);
        text.push_str(&format!("  It cannot be used, so logs are read anew each time: {why}\n"));
    }
    text
}

fn next(report: &Report, asker: Asker) -> String {
    let mut lines: Vec<&str> = Vec::new();
    if !report.trouble.is_empty() {
        lines.push("Make the files above readable for you, then run turnlens doctor again.");
    }
    match (asker, report.sessions, report.here) {
        (Asker::Terminal(_), 0, _) => {
            lines.push("Let Claude Code work on something, or see what it would be like: turnlens demo");
            lines.push(
                "Logs lie elsewhere? CLAUDE_CONFIG_DIR=/path turnlens doctor; in editors the setting logs.folders.",
            );
        }
        (Asker::Terminal(_), _, Some(0)) if report.repositories.is_empty() => {
            lines.push("turnlens sessions --repo all     what agents worked on elsewhere");
        }
        (Asker::Terminal(_), _, Some(0)) => {
            lines.push("Go into one of the repositories above: turnlens -C PATH sessions");
        }
        (Asker::Terminal(_), ..) => {
            lines.push("turnlens sessions     what agents worked on here");
            lines.push("turnlens status       what is not committed, by turn");
        }
        (Asker::Editor, 0, _) => {
            lines.push("Let Claude Code work on something, or see what it would be like: turnlens demo");
            lines.push("Logs lie elsewhere? The setting logs.folders adds a folder.");
        }
        (Asker::Editor, _, Some(0)) => {
            lines.push("Open one of the repositories above. The setting logs.pathMappings says where folders of");
            lines.push("another machine are here.");
        }
        (Asker::Editor, ..) => lines.push("Open a file that an agent wrote, and ask for the turn of a line."),
    }
    if asker != Asker::Editor {
        lines.push("turnlens setup nvim   or turnlens setup code: the same in your editor");
    }
    lines.into_iter().map(|line| format!("  {line}\n")).collect()
}

fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{} bytes", lens::thousands(bytes)),
        10_000..10_000_000 => format!("{} kB", lens::thousands(bytes / 1_000)),
        _ => format!("{} MB", lens::thousands(bytes / 1_000_000)),
    }
}

fn as_json(report: &Report) -> Value {
    let shown = |path: &Path| path.to_string_lossy().into_owned();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "places": report.places.iter().map(|place| json!({
            "folder": shown(&place.root), "exists": place.is_there, "logs": place.logs, "records": place.records, "bytes": place.bytes,
        })).collect::<Vec<_>>(),
        "sessions": report.sessions,
        "agents": report.agents.iter().map(|agent| agent.id()).collect::<Vec<_>>(),
        "here": report.here.unwrap_or(report.sessions),
        "newest": report.newest.map(crate::time::rfc3339),
        "broken": report.damage.iter().map(|one| json!({ "file": shown(&one.file), "count": one.broken, "at": one.at })).collect::<Vec<_>>(),
        "unknown": report.unknown,
        "trouble": report.trouble.iter().map(|(path, error)| json!({ "file": shown(path), "error": error })).collect::<Vec<_>>(),
        "repositories": report.repositories.iter().map(|(root, sessions)| json!({ "folder": shown(root), "sessions": sessions })).collect::<Vec<_>>(),
        "outside": report.outside,
        "gone": report.gone,
        "cache": report.cache.as_ref().map(|cache| json!({
            "folder": shown(&cache.folder), "logs": cache.logs, "paths": cache.paths, "bytes": cache.bytes,
            "budget": cache.budget, "dropped": cache.dropped, "trouble": cache.trouble,
            "others": report.kept.iter().map(|kept| json!({
                "kind": kept.kind, "folder": shown(&kept.folder), "bytes": kept.bytes,
            })).collect::<Vec<_>>(),
        })),
    })
}
