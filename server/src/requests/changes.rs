//! `turnlens/turnChanges` and `turnlens/stepDiff`: what a turn or a step did to files.

use std::sync::Arc;

use lens::{Moment, StepRef};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::lsp_types::{Position, TextDocumentIdentifier};
use trace::StepAt;
use workspace::{FileChange, SessionView};

use super::code_lens::changes_part;
use super::commands;
use super::line::step_at;
use super::target::{address, file_uri};
use crate::answers::Answers;
use crate::lsp::Server;
use crate::pool::Lane;
use crate::state::Snapshot;

#[derive(Deserialize)]
pub(crate) struct AddressParams {
    pub(crate) address: String,
}

/// A step by its address or by a line.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StepParams {
    address: Option<String>,
    text_document: Option<TextDocumentIdentifier>,
    position: Option<Position>,
}

impl Server {
    pub(super) async fn turn_changes(&self, params: AddressParams) -> Result<Value> {
        let answer = move |asked: &Snapshot| {
            let frame = asked.frame(None);
            let answers = Answers::new(&asked.engine.workspace, &frame);
            let found = commands::locate(asked, &answers, &params.address).map_err(Error::invalid_params)?;
            if found.turn == 0 {
                return Err(Error::invalid_params(format!("“{}” names a session and no turn.", params.address)));
            }
            let step = StepRef { turn: found.turn, steps: found.steps };
            Ok(turn_changes(asked, &answers, &found.view, &step).unwrap_or_default())
        };
        self.state.answer(Lane::Slow, answer).await?
    }

    pub(super) async fn step_diff(&self, params: StepParams) -> Result<Value> {
        let target = params.text_document.map(|document| self.state.target(&document.uri));
        let answer = move |asked: &Snapshot| {
            let frame = asked.frame(None);
            let answers = Answers::new(&asked.engine.workspace, &frame);
            let found = match (&params.address, target, params.position) {
                (Some(address), ..) => {
                    let found = commands::locate(asked, &answers, address).map_err(Error::invalid_params)?;
                    Some((found.view, StepRef { turn: found.turn, steps: found.steps }))
                }
                (None, Some(target), Some(position)) => step_at(asked, &target, position),
                _ => {
                    return Err(Error::invalid_params(
                        "A step is named by an address, or by a document and a position.",
                    ));
                }
            };
            Ok(found.and_then(|(view, step)| step_diff(asked, &answers, &view, &step)).unwrap_or_default())
        };
        self.state.answer(Lane::Quick, answer).await?
    }
}

fn turn_changes(asked: &Snapshot, answers: &Answers<'_>, view: &SessionView, step: &StepRef) -> Option<Value> {
    let steps = answers.steps_of(view, step.turn, &step.steps)?;
    let turn = view.session.path.turn(step.turn)?;
    let changes = answers.moment.changes(view, &steps);
    let files: Vec<Value> = changes.iter().map(|change| file_change(asked, answers, view, &steps, change)).collect();
    let count = lens::count(files.len() as u64, "file");
    let title = match step.steps.is_empty() {
        true => format!("Turn {} · {} ({count})", turn.number, turn.title),
        false => format!("Step {} · {} ({count})", step.label(), turn.title),
    };
    Some(json!({
        "title": title,
        "address": address(&view.session.path.session, step),
        "document": asked.uri_of_part(answers, view, changes_part(step)),
        "files": files,
    }))
}

fn file_change(
    asked: &Snapshot,
    answers: &Answers<'_>,
    view: &SessionView,
    steps: &[StepAt<'_>],
    change: &FileChange,
) -> Value {
    let edits = |at: &&StepAt<'_>| at.step.edits().iter().any(|edit| edit.path == change.spelled);
    let side = |at: Option<&StepAt<'_>>, moment| {
        let at = at?;
        let (id, name) = answers.named_file(view, (at.turn.number, &at.numbers), moment, &change.spelled);
        asked.uri_of(answers, &id, &name)
    };
    json!({
        "path": answers.shown_path(view, &change.spelled),
        "uri": file_uri(&change.here),
        "before": side(steps.iter().find(edits), Moment::Before),
        "after": side(steps.iter().rev().find(edits), Moment::After),
        "now": change.here.is_file(),
        "added": change.added,
        "removed": change.removed,
        "created": change.created,
        "deleted": change.deleted,
    })
}

fn step_diff(asked: &Snapshot, answers: &Answers<'_>, view: &Arc<SessionView>, step: &StepRef) -> Option<Value> {
    if step.steps.is_empty() {
        return None;
    }
    let at = view.session.step(step.turn, &step.steps)?;
    let edit = at.step.edits().first()?;
    let side = |moment| {
        let (id, name) = answers.named_file(view, (step.turn, &step.steps), moment, &edit.path);
        asked.uri_of(answers, &id, &name)
    };
    let path = answers.shown_path(view, &edit.path);
    let here = answers.moment.local(&view.session, &edit.path);
    Some(json!({
        "title": format!("{} {path}", step.label()),
        "address": address(&view.session.path.session, step),
        "document": asked.uri_of_part(answers, view, changes_part(step)),
        "before": side(Moment::Before),
        "after": side(Moment::After),
        "uri": file_uri(&here),
        "line": edit.line.saturating_sub(1),
    }))
}
