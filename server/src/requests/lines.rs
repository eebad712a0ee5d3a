//! `turnlens/lines` and `turnlens/next`: the lines of a file that agents wrote.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};
use tower_lsp::jsonrpc::Result;
use tower_lsp::lsp_types::{Location, Position, Range, TextDocumentIdentifier};
use workspace::FileView;

use super::history::FileParams;
use super::target::Target;
use crate::answers::Answers;
use crate::lsp::Server;
use crate::pool::Lane;
use crate::state::Snapshot;
use crate::time::rfc3339;

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Direction {
    Next,
    Previous,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NextParams {
    text_document: TextDocumentIdentifier,
    position: Position,
    direction: Direction,
    #[serde(default)]
    uncommitted: bool,
}

/// Neighbouring lines by one step.
struct Run {
    start: u32,
    /// Not included.
    end: u32,
    step: workspace::StepRef,
    evidence: trace::Evidence,
    recent: bool,
    uncommitted: bool,
}

impl Server {
    pub(super) async fn lines(&self, params: FileParams) -> Result<Value> {
        let Target::Code(target) = self.state.target(&params.text_document.uri) else { return Ok(Value::Null) };
        let answer = move |asked: &Snapshot| {
            let frame = asked.frame(Some(&target.path));
            let answers = Answers::new(&asked.engine.workspace, &frame);
            let Some(code) = asked.code(&answers, &target) else { return json!({ "ranges": [] }) };
            let range = |run: &Run| {
                json!({
                    "start": code.start_of(run.start).line,
                    "end": code.start_of(run.end - 1).line + 1,
                    "address": run.step.address(),
                    "agent": run.step.agent.id(),
                    "title": &*run.step.title,
                    "at": rfc3339(run.step.at),
                    "evidence": run.evidence.id(),
                    "recent": run.recent,
                    "uncommitted": run.uncommitted,
                })
            };
            json!({ "ranges": runs(&answers, &code.view).iter().map(range).collect::<Vec<Value>>() })
        };
        self.state.answer(Lane::Quick, answer).await
    }

    pub(super) async fn next(&self, params: NextParams) -> Result<Option<Location>> {
        let Target::Code(target) = self.state.target(&params.text_document.uri) else { return Ok(None) };
        let answer = move |asked: &Snapshot| {
            let frame = asked.frame(Some(&target.path));
            let answers = Answers::new(&asked.engine.workspace, &frame);
            let code = asked.code(&answers, &target)?;
            let here = code.line_at(asked, params.position);
            let blocks = blocks(&runs(&answers, &code.view), params.uncommitted);
            let inside = match params.direction {
                Direction::Next => blocks.iter().find(|start| **start > here),
                Direction::Previous => blocks.iter().rev().find(|start| **start < here),
            };
            if let Some(start) = inside {
                let range = Range { start: code.start_of(*start), end: code.start_of(*start) };
                return Some(Location { uri: code.uri.clone(), range });
            }
            in_other_files(asked, &answers, &target.path, &params)
        };
        self.state.answer(Lane::Slow, answer).await
    }
}

fn runs(answers: &Answers<'_>, file: &FileView) -> Vec<Run> {
    let uncommitted = answers.moment.not_in_head(file);
    let is_new = |line: u32| uncommitted.as_ref().is_none_or(|ranges| ranges.iter().any(|range| range.contains(&line)));
    let owners = answers.owners(file);
    let mut runs: Vec<Run> = Vec::new();
    for (line, origin) in (0..).zip(&file.blame.lines) {
        let Some((origin, step)) = origin.and_then(|origin| Some((origin, file.step_of(origin.step)?))) else {
            continue;
        };
        let uncommitted = is_new(line);
        if let Some(last) = runs.last_mut()
            && last.end == line
            && (&last.step.call, last.evidence, last.uncommitted) == (&step.call, origin.evidence, uncommitted)
        {
            last.end = line + 1;
            continue;
        }
        let owner = owners.of_line.get(line as usize).copied().flatten();
        let recent = owner.and_then(|owner| owners.table.get(owner as usize)).is_some_and(|owner| owner.recent);
        let (step, evidence) = (step.clone(), origin.evidence);
        runs.push(Run { start: line, end: line + 1, step, evidence, recent, uncommitted });
    }
    runs
}

/// Where blocks begin that agents wrote: neighbouring runs are one block.
fn blocks(runs: &[Run], uncommitted: bool) -> Vec<u32> {
    let mut starts = Vec::new();
    let mut end = None;
    for run in runs.iter().filter(|run| run.uncommitted || !uncommitted) {
        if end != Some(run.start) {
            starts.push(run.start);
        }
        end = Some(run.end);
    }
    starts
}

/// The first block of the next file, or the last of the one before, in the order of paths.
fn in_other_files(asked: &Snapshot, answers: &Answers<'_>, from: &Path, params: &NextParams) -> Option<Location> {
    let files = changed_files(asked, answers, from, params.uncommitted);
    let mut others: Vec<&PathBuf> = match params.direction {
        Direction::Next => files.iter().filter(|path| path.as_path() > from).collect(),
        Direction::Previous => files.iter().filter(|path| path.as_path() < from).collect(),
    };
    if params.direction == Direction::Previous {
        others.reverse();
    }
    others.into_iter().take_while(|_| !asked.cancel.is_cancelled()).find_map(|path| {
        let view = answers.file(path)?;
        let blocks = blocks(&runs(answers, &view), params.uncommitted);
        let start = if params.direction == Direction::Next { blocks.first() } else { blocks.last() };
        asked.location_in_file(path, start? + 1)
    })
}

/// Files of the same repository (outside of git: of the workspace) that agents edited, or that are not committed.
fn changed_files(asked: &Snapshot, answers: &Answers<'_>, from: &Path, uncommitted: bool) -> BTreeSet<PathBuf> {
    let repo = asked.engine.workspace.repo(from);
    if let Some(repo) = repo.as_ref().filter(|_| uncommitted) {
        let changed = answers.moment.uncommitted(repo, false).unwrap_or_default();
        return changed.files.iter().map(|file| repo.root().join(&file.rel)).collect();
    }
    let root = repo.as_ref().map(|repo| repo.root().to_owned()).or_else(|| asked.folders.first().cloned());
    let mut files = BTreeSet::new();
    for path in answers.moment.sessions(repo.as_ref()) {
        let Some(view) = answers.moment.session_view(&path.session) else { continue };
        let steps = view.session.steps();
        let spelled: BTreeSet<&str> = steps.iter().flat_map(|at| at.step.edits()).map(|edit| &*edit.path).collect();
        let here = spelled.into_iter().map(|path| answers.moment.local(&view.session, path));
        files.extend(here.filter(|path| root.as_ref().is_none_or(|root| path.starts_with(root))));
        if asked.cancel.is_cancelled() {
            break;
        }
    }
    files.retain(|path| path.is_file());
    files
}
