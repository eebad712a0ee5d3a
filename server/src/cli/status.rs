//! `turnlens status`: what is not committed, by turn.

use serde_json::json;
use trace::Timestamp;
use workspace::{FileHistory, Repo, TurnShare, Uncommitted, UncommittedFile, short_session};

use super::here::Here;
use super::out::{Table, painted, plain};
use super::{Exit, out};
use crate::answers::Answers;
use crate::time::rfc3339;

/// What is not committed, by turn
#[derive(clap::Args)]
pub(super) struct Args {
    /// What is staged
    #[arg(long)]
    staged: bool,

    /// message: the titles of the turns that are staged, to begin a commit message with
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Message,
}

/// Places of nobody's lines that are named.
const MOST_PLACES: usize = 4;

pub(super) fn run(args: Args, here: &Here) -> anyhow::Result<Exit> {
    let repo = here.repo_around()?;
    let answers = here.answers();
    let staged = args.staged || args.format == Format::Message;
    let uncommitted = answers.moment.uncommitted(&repo, staged)?;
    if here.globals.json {
        out::json(&as_json(&repo, &uncommitted))?;
    } else if args.format == Format::Message {
        out::print(&message(&uncommitted))?;
    } else {
        out::print(&text(here, &answers, &repo, &uncommitted, staged))?;
    }
    Ok(Exit::DONE)
}

/// The titles, the oldest turn first, one a line.
fn message(uncommitted: &Uncommitted) -> String {
    let mut titles: Vec<String> = Vec::new();
    for turn in uncommitted.turns.iter().rev() {
        let title = lens::one_line(&turn.step.title);
        if !titles.contains(&title) {
            titles.push(title);
        }
    }
    titles.into_iter().map(|title| title + "\n").collect()
}

fn text(here: &Here, answers: &Answers<'_>, repo: &Repo, uncommitted: &Uncommitted, staged: bool) -> String {
    let paint = here.out.paint;
    let name = repo.root().file_name().map_or("/".into(), |name| name.to_string_lossy().into_owned());
    let what = if staged { "Staged" } else { "Uncommitted" };
    if uncommitted.files.is_empty() {
        return format!("{what} in {}: nothing\n", lens::clean(&name));
    }
    let sum =
        |of: &dyn Fn(&UncommittedFile) -> u32| uncommitted.files.iter().map(|file| u64::from(of(file))).sum::<u64>();
    let (added, removed) = (sum(&|file| file.added), sum(&|file| file.removed));
    let files = lens::count(uncommitted.files.len() as u64, "file");
    let head = format!("{what} in {}: {files}, ", lens::clean(&name));
    let mut text = format!("{}{}\n\n", paint.bold(&head), paint.plus_minus(added, removed));
    let mut table = Table::default();
    let mut heads = Vec::new();
    let mut session = None;
    for turn in &uncommitted.turns {
        if session != Some(&turn.step.session) {
            session = Some(&turn.step.session);
            let started = answers.moment.session_view(&turn.step.session).and_then(|view| view.session.path.started);
            heads.push((table.len(), session_head(here, answers, turn, started)));
        }
        let numbers = painted(format!("turn {}", turn.step.turn), |text| paint.address(text));
        let note = changed_since(answers, turn)
            .map(|(gone, of)| format!("{gone} of {} changed since", lens::count(of, "line")));
        let sums = (turn.added() as u64, u64::from(turn.removed()));
        table.push(row(
            here,
            numbers,
            &lens::one_line(&turn.step.title),
            turn.files.len(),
            sums,
            note.unwrap_or_default(),
        ));
    }
    let nobodys: Vec<&UncommittedFile> =
        uncommitted.files.iter().filter(|file| !file.nobodys.is_empty() || file.nobodys_removed > 0).collect();
    let rows_of_turns = table.len();
    if !nobodys.is_empty() {
        let added = nobodys.iter().map(|file| file.nobodys.len() as u64).sum();
        let removed = nobodys.iter().map(|file| u64::from(file.nobodys_removed)).sum();
        let places: Vec<String> = nobodys.iter().flat_map(|file| places(file)).collect();
        let more = if places.len() > MOST_PLACES { ", …" } else { "" };
        let places = places.into_iter().take(MOST_PLACES).collect::<Vec<_>>().join(", ") + more;
        table.push(row(here, plain(""), "", nobodys.len(), (added, removed), places));
    }
    const NOBODY: &str = "Not from a recorded turn";
    for (at, line) in table.print(4, 2).lines().enumerate() {
        for (_, head) in heads.iter().filter(|(before, _)| *before == at) {
            text.push_str(head);
        }
        let line = if at == rows_of_turns { over(NOBODY, line) } else { line.to_owned() };
        text.push_str(&line);
        text.push('\n');
    }
    if let Some(turn) = uncommitted.turns.first() {
        let address = format!("{}:{}", shortest(answers, &turn.step.session), turn.step.turn);
        text.push_str(&paint.dim(&format!(
            "\nturnlens diff {address}     show a turn's changes\nturnlens diff -R {address} | git apply --3way     undo it\n"
        )));
    }
    text
}

/// The row of nobody's lines, which begins further left than those of turns.
fn over(head: &str, row: &str) -> String {
    let rest = row.trim_start();
    let column = row.len() - rest.len();
    format!("  {}{rest}", lens::pad(head, column.saturating_sub(2).max(head.len() + 2)))
}

fn session_head(here: &Here, answers: &Answers<'_>, turn: &TurnShare, started: Option<Timestamp>) -> String {
    let paint = here.out.paint;
    let title = answers.moment.session_view(&turn.step.session).map(|view| lens::one_line(view.session.path.title()));
    let when = started.map(|at| here.view().when_in_words(at)).unwrap_or_default();
    let agent = paint.agent(turn.step.agent.short());
    let id = paint.address(short_session(&turn.step.session));
    let title = lens::pad(&title.unwrap_or_default(), 48);
    format!("  {agent}  {id}  {}  {}\n", paint.bold(&title), paint.dim(&when))
}

fn row(
    here: &Here,
    head: (String, String),
    title: &str,
    files: usize,
    (added, removed): (u64, u64),
    note: String,
) -> Vec<(String, String)> {
    // What stands in the other columns.
    const OTHERS: usize = 64;
    let title = plain(here.out.fit(title, OTHERS));
    let numbers = (format!("+{added} −{removed}"), here.out.paint.plus_minus(added, removed));
    vec![head, title, plain(lens::count(files as u64, "file")), numbers, plain(note)]
}

/// Lines that the turn wrote and that are not as it wrote them any more, of how many; `None`: all are.
fn changed_since(answers: &Answers<'_>, turn: &TurnShare) -> Option<(u64, u64)> {
    let view = answers.moment.session_view(&turn.step.session)?;
    let known = view.session.path.turn(turn.step.turn)?;
    let mut steps = Vec::new();
    view.session.steps_of(known, &mut steps);
    let (mut live, mut all) = (0, 0);
    for at in &steps {
        let Some(call) = &at.step.call else { continue };
        for edit in at.step.edits() {
            let path = answers.moment.local(&view.session, &edit.path);
            let fate = |file: &FileHistory<'_>| Some(file.timeline.fate(&file.view.blame, file.number(call)?));
            if let Some(fate) = answers.moment.with_timeline(&path, fate) {
                live += fate.live() as u64;
                all += fate.lines.len() as u64;
            }
        }
    }
    (live < all).then_some((all - live, all))
}

/// `Cargo.toml:14-15`
fn places(file: &UncommittedFile) -> Vec<String> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for line in file.nobodys.iter().map(|line| line + 1) {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == line => *last = line,
            _ => runs.push((line, line)),
        }
    }
    let rel = lens::clean(&file.rel);
    let place = |(first, last): &(u32, u32)| {
        if first == last { format!("{rel}:{first}") } else { format!("{rel}:{first}-{last}") }
    };
    if runs.is_empty() { vec![rel.into_owned()] } else { runs.iter().map(place).collect() }
}

/// The shortest beginning of a session's id that names it.
fn shortest<'a>(answers: &Answers<'_>, session: &'a str) -> &'a str {
    const LEAST: usize = 4;
    let four = session.char_indices().nth(LEAST).map_or(session, |(end, _)| &session[..end]);
    let alike = answers.moment.logs().sessions().filter(|path| path.session.starts_with(four));
    if alike.take(2).count() > 1 { short_session(session) } else { four }
}

fn as_json(repo: &Repo, uncommitted: &Uncommitted) -> serde_json::Value {
    let from_one = |lines: &[u32]| lines.iter().map(|line| line + 1).collect::<Vec<_>>();
    let file = |file: &UncommittedFile| {
        json!({
            "file": file.rel, "added": file.added, "removed": file.removed,
            "unknown": from_one(&file.nobodys), "unknown_removed": file.nobodys_removed,
        })
    };
    let turn = |turn: &TurnShare| {
        let files = turn.files.iter();
        json!({
            "session": &*turn.step.session, "agent": turn.step.agent.id(), "turn": turn.step.turn,
            "title": &*turn.step.title, "ended": rfc3339(turn.step.turn_ended),
            "added": turn.added(), "removed": turn.removed(),
            "files": files.map(|file| json!({ "file": file.rel, "lines": from_one(&file.lines), "removed": file.removed })).collect::<Vec<_>>(),
        })
    };
    json!({
        "repo": repo.root().to_string_lossy(),
        "files": uncommitted.files.iter().map(file).collect::<Vec<_>>(),
        "turns": uncommitted.turns.iter().map(turn).collect::<Vec<_>>(),
    })
}
