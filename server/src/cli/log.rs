//! `turnlens log`: turns that changed files, the states of a file, the history of lines. The newest first.

use std::path::{Path, PathBuf};

use serde_json::json;
use trace::Timestamp;
use workspace::StepRef;

use super::here::Here;
use super::lines::Lines;
use super::out::{Table, painted, plain};
use super::{Exit, address, not_found, out, wrong_use};
use crate::answers::Answers;
use crate::answers::states::{State, What};
use crate::time::rfc3339;

/// Turns that changed files; with a file its known states; the newest first
#[derive(clap::Args)]
pub(super) struct Args {
    file: Option<PathBuf>,

    /// How these lines came to be: 41,60:src/a.rs
    #[arg(short = 'L', value_name = "A,B:FILE", conflicts_with = "file")]
    lines: Option<String>,
}

pub(super) fn run(args: Args, here: &Here) -> anyhow::Result<Exit> {
    let answers = here.answers();
    match (args.file, args.lines) {
        (_, Some(lines)) => history(here, &answers, &lines),
        (Some(file), None) => states(here, &answers, &file),
        (None, None) => turns(here, &answers),
    }
}

fn history(here: &Here, answers: &Answers<'_>, lines: &str) -> anyhow::Result<Exit> {
    let (lines, file) = Lines::parse_with_file(lines)?;
    let view = answers.moment.file(&here.path(file.as_ref())).map_err(|error| cannot_read(error, &file))?;
    let (first, last) = lines.within(&file, view.blame.lines.len())?;
    let history = answers.line_history(&view, first, last);
    let shown = lens::line_history(&history, &here.view());
    if here.globals.json {
        let labels: Vec<String> = history.entries.iter().map(|entry| entry.label(&here.view())).collect();
        let address = |entry: &lens::HistoryEntry| match entry {
            lens::HistoryEntry::Step { writer, step, .. } => Some(address::of(&writer.session, step.turn, &step.steps)),
            _ => None,
        };
        let entries = history
            .entries
            .iter()
            .zip(labels)
            .map(|(entry, label)| json!({ "address": address(entry), "label": label }));
        out::json(&json!({ "file": file, "from": first, "to": last, "entries": entries.collect::<Vec<_>>() }))?;
    } else {
        here.out.show(&here.out.paint.diff(&shown.text))?;
    }
    Ok(Exit::DONE)
}

fn cannot_read(error: std::io::Error, file: &str) -> anyhow::Error {
    match error.kind() {
        std::io::ErrorKind::NotFound => not_found(format!("there is no file {file}")),
        _ => anyhow::Error::from(error).context(format!("cannot read {file}")),
    }
}

fn states(here: &Here, answers: &Answers<'_>, file: &Path) -> anyhow::Result<Exit> {
    let path = here.path(file);
    if path.is_dir() {
        return Err(wrong_use(format!("{} is a folder", file.display())));
    }
    let mut states = answers.file_states(&path);
    states.retain(|state| here.is_in_time(Some(state.at)));
    states.truncate(here.globals.most.unwrap_or(usize::MAX));
    if states.is_empty() {
        return Err(not_found(format!("Nothing is known of {}: no log and no commit tells of it.", file.display())));
    }
    if here.globals.json {
        let states: Vec<_> = states.iter().map(state_as_json).collect();
        out::json(&json!({ "file": file.to_string_lossy(), "states": states }))?;
    } else {
        here.out.show(&list(here, &states))?;
    }
    Ok(Exit::DONE)
}

fn list(here: &Here, states: &[State]) -> String {
    let (paint, view) = (here.out.paint, here.view());
    let mut table = Table::default();
    for state in states {
        let when = format!("{} {}", view.date(state.at), view.seconds(state.at));
        let (address, what, text) = match &state.what {
            What::Edit(step) => (step.address(), format!("edited by {}", step.agent.short()), step.title.to_string()),
            What::Read(step) => (step.address(), format!("read by {}", step.agent.short()), step.title.to_string()),
            What::Found(step) => {
                (step.address(), format!("found by {}", step.agent.short()), "turnlens cat --before prints it".into())
            }
            What::Commit(commit, blob) => {
                let what = if blob.is_some() { "commit by" } else { "deleted in a commit by" };
                (commit.id.short(), format!("{what} {}", commit.author), commit.subject.clone())
            }
            What::Backup => (String::new(), "known from a backup".into(), String::new()),
        };
        let lines = state.lines.map(|lines| lens::count(lines.into(), "line")).unwrap_or_default();
        table.push(vec![
            painted(when, |text| paint.dim(text)),
            painted(address, |text| paint.address(text)),
            plain(lens::one_line(&what)),
            plain(lines),
            plain(here.out.fit(&lens::one_line(&text), 72)),
        ]);
    }
    table.print(0, 2)
}

fn state_as_json(state: &State) -> serde_json::Value {
    let (kind, step, commit) = match &state.what {
        What::Edit(step) => ("edit", Some(step), None),
        What::Read(step) => ("read", Some(step), None),
        What::Found(step) => ("found", Some(step), None),
        What::Commit(commit, _) => ("commit", None, Some(commit.id.short())),
        What::Backup => ("backup", None, None),
    };
    json!({
        "at": rfc3339(state.at), "kind": kind, "lines": state.lines, "commit": commit,
        "session": step.map(|step| &*step.session), "turn": step.map(|step| step.turn),
        "step": step.map(|step| &*step.call), "at_step": step.map(StepRef::label),
    })
}

/// The turns that edited, over all sessions that the options leave.
fn turns(here: &Here, answers: &Answers<'_>) -> anyhow::Result<Exit> {
    let sessions = here.sessions(answers);
    let mut rows: Vec<TurnRow> = Vec::new();
    for path in &sessions {
        let Some(view) = answers.moment.session_view(&path.session) else { continue };
        let inherited = view.session.inherited.as_ref().map_or(0, |(turns, _)| *turns);
        for turn in view.session.path.turns.iter().filter(|turn| turn.number > inherited) {
            let mut steps = Vec::new();
            view.session.steps_of(turn, &mut steps);
            let edits: Vec<_> = steps.iter().flat_map(|at| at.step.edits()).collect();
            if edits.is_empty() || !here.is_in_time(turn.ended.or(turn.started)) {
                continue;
            }
            let mut files: Vec<&str> = edits.iter().map(|edit| &*edit.path).collect();
            files.sort_unstable();
            files.dedup();
            rows.push(TurnRow {
                session: path.session.clone(),
                agent: path.agent,
                turn: turn.number,
                title: turn.title.clone(),
                at: turn.started.or(turn.ended).unwrap_or_default(),
                files: files.into_iter().map(Into::into).collect(),
                added: edits.iter().map(|edit| u64::from(edit.added)).sum(),
                removed: edits.iter().map(|edit| u64::from(edit.removed)).sum(),
            });
        }
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.at));
    rows.truncate(here.globals.most.unwrap_or(usize::MAX));
    if here.globals.json {
        out::json(&json!({ "turns": rows.iter().map(TurnRow::as_json).collect::<Vec<_>>() }))?;
    } else if rows.is_empty() {
        here.out.note(&if sessions.is_empty() { here.no_sessions(answers) } else { "No turn edited a file.".into() });
    } else {
        let mut table = Table::default();
        rows.iter().for_each(|row| table.push(row.cells(here)));
        here.out.show(&table.print(0, 2))?;
    }
    Ok(Exit::DONE)
}

struct TurnRow {
    session: std::sync::Arc<str>,
    agent: trace::Agent,
    turn: u32,
    title: Box<str>,
    at: Timestamp,
    files: Vec<Box<str>>,
    added: u64,
    removed: u64,
}

impl TurnRow {
    fn cells(&self, here: &Here) -> Vec<(String, String)> {
        let paint = here.out.paint;
        let files = lens::count(self.files.len() as u64, "file");
        let numbers = format!("{files} +{} −{}", self.added, self.removed);
        vec![
            painted(here.view().moment(self.at), |text| paint.dim(text)),
            painted(address::of(&self.session, self.turn, &[]), |text| paint.address(text)),
            painted(self.agent.short(), |text| paint.agent(text)),
            painted(here.out.fit(&lens::one_line(&self.title), 62), |text| paint.bold(text)),
            (numbers, format!("{files} {}", paint.plus_minus(self.added, self.removed))),
        ]
    }

    fn as_json(&self) -> serde_json::Value {
        json!({
            "session": &*self.session, "agent": self.agent.id(), "turn": self.turn, "title": &*self.title,
            "at": rfc3339(self.at), "files": self.files, "added": self.added, "removed": self.removed,
        })
    }
}
