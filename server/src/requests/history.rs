//! `turnlens/history`, `turnlens/fileHistory`, `turnlens/explain` and `turnlens/peek`: more about a line or a file.

use lens::{HistoryEntry, HoverForm, Moment, StepRef};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_lsp::jsonrpc::Result;
use tower_lsp::lsp_types::{Range, TextDocumentIdentifier};
use workspace::{FileView, Told};

use super::hover;
use super::line::{LineParams, turn_of};
use super::target::{Target, address};
use crate::answers::Answers;
use crate::answers::documents::Named;
use crate::lsp::Server;
use crate::pool::Lane;
use crate::state::Snapshot;
use crate::time::rfc3339;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RangeParams {
    text_document: TextDocumentIdentifier,
    range: Range,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FileParams {
    pub(crate) text_document: TextDocumentIdentifier,
}

impl Server {
    pub(super) async fn history(&self, params: RangeParams) -> Result<Value> {
        let Target::Code(target) = self.state.target(&params.text_document.uri) else { return Ok(Value::Null) };
        let answer = move |asked: &Snapshot| {
            let frame = asked.frame(Some(&target.path));
            let answers = Answers::new(&asked.engine.workspace, &frame);
            let Some(code) = asked.code(&answers, &target) else { return Value::Null };
            let (first, last) = code.lines_of(asked, params.range);
            let history = answers.line_history(&code.view, first + 1, last + 1);
            let entry = |entry: &HistoryEntry| entry_json(asked, &answers, &code.view, entry);
            let entries: Vec<Value> = history.entries.iter().map(entry).collect();
            let (id, name) = asked.engine.documents.name(Named::History(history));
            json!({ "document": asked.uri_of(&answers, &id, &name), "entries": entries })
        };
        self.state.answer(Lane::Slow, answer).await
    }

    pub(super) async fn file_history(&self, params: FileParams) -> Result<Value> {
        let Target::Code(target) = self.state.target(&params.text_document.uri) else { return Ok(Value::Null) };
        let answer = move |asked: &Snapshot| {
            let frame = asked.frame(Some(&target.path));
            let answers = Answers::new(&asked.engine.workspace, &frame);
            json!({ "document": null, "entries": states(asked, &answers, &target.path) })
        };
        self.state.answer(Lane::Slow, answer).await
    }

    pub(super) async fn explain(&self, params: LineParams) -> Result<Value> {
        let Target::Code(target) = self.state.target(&params.text_document.uri) else { return Ok(Value::Null) };
        let answer = move |asked: &Snapshot| {
            let frame = asked.frame(Some(&target.path));
            let answers = Answers::new(&asked.engine.workspace, &frame);
            let Some(code) = asked.code(&answers, &target) else { return Value::Null };
            let explanation = answers.explain(&code.view, code.line_at(asked, params.position));
            let text = lens::explanation_text(&explanation, &frame.view());
            let (id, name) = asked.engine.documents.name(Named::Explained(explanation));
            json!({ "text": text, "document": asked.uri_of(&answers, &id, &name) })
        };
        self.state.answer(Lane::Slow, answer).await
    }

    pub(super) async fn peek(&self, params: LineParams) -> Result<Value> {
        let Target::Code(target) = self.state.target(&params.text_document.uri) else { return Ok(Value::Null) };
        let answer = move |asked: &Snapshot| {
            let frame = asked.frame(Some(&target.path));
            let answers = Answers::new(&asked.engine.workspace, &frame);
            let code = asked.code(&answers, &target)?;
            let line = code.line_at(asked, params.position);
            let text = hover::in_code(asked, &answers, &code, line, HoverForm::Full)?;
            let step = code.view.step(line as usize)?;
            let place = turn_of(asked, &answers, &code, line)?;
            Some(json!({
                "title": format!("Turn {} · {}", step.turn, step.title),
                "address": step.address(),
                "document": place.uri,
                "range": place.range,
                "text": text,
            }))
        };
        Ok(self.state.answer(Lane::Quick, answer).await?.unwrap_or_default())
    }
}

fn entry_json(asked: &Snapshot, answers: &Answers<'_>, file: &FileView, entry: &HistoryEntry) -> Value {
    let label = entry.label(&answers.frame.view());
    let told = match entry {
        HistoryEntry::Step { writer, step, hunks } => {
            let lines =
                |sign: char| hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.starts_with(sign)).count();
            step_json(asked, answers, file, &writer.session, step).map(|mut told| {
                told["at"] = json!(writer.at.map(rfc3339));
                told["description"] = json!(format!("+{} −{}", lines('+'), lines('-')));
                told
            })
        }
        HistoryEntry::Commit { at, .. } => Some(json!({ "at": at.map(rfc3339) })),
        HistoryEntry::Nobody { .. } => None,
    };
    let mut told = told.unwrap_or_else(|| json!({}));
    told["label"] = json!(label);
    for field in ["address", "description", "at", "location", "before", "after"] {
        let missing = if field == "description" || field == "at" { json!("") } else { Value::Null };
        if told.get(field).is_none_or(Value::is_null) {
            told[field] = missing;
        }
    }
    told
}

fn step_json(asked: &Snapshot, answers: &Answers<'_>, file: &FileView, session: &str, step: &StepRef) -> Option<Value> {
    let view = answers.moment.session_view(session)?;
    let at = view.session.step(step.turn, &step.steps)?;
    let edits = at.step.edits();
    let same = |path: &str| answers.moment.local(&view.session, path) == file.path;
    let edit = edits.iter().find(|edit| edits.len() == 1 || same(&edit.path));
    let side = |moment| {
        let (id, name) = answers.named_file(&view, (step.turn, &step.steps), moment, &edit?.path);
        asked.uri_of(answers, &id, &name)
    };
    let place = asked.place_of_step(answers, &view, step, None);
    let location = place.and_then(|(page, range)| Some(json!({ "uri": asked.uri_of_page(&page)?, "range": range })));
    Some(json!({
        "address": address(session, step),
        "location": location,
        "before": side(Moment::Before),
        "after": side(Moment::After),
    }))
}

/// A state of a file that a step proves.
struct State {
    step: workspace::StepRef,
    lines: u32,
    is_read: bool,
}

/// Every state of a file that a session's step proves, newest first.
fn states(asked: &Snapshot, answers: &Answers<'_>, path: &std::path::Path) -> Vec<Value> {
    let mut states: Vec<State> = answers.moment.with_timeline(path, |known| {
        let state = |(by, lines): (provenance::Witness, u32)| {
            let told = match (by.step, known.told(by.key)) {
                (Some(step), _) => (step, false),
                (None, Some(Told::Read(step))) => (step, true),
                _ => return None,
            };
            Some(State { step: known.view.step_of(told.0)?.clone(), lines, is_read: told.1 })
        };
        known.timeline.states().into_iter().filter_map(state).collect()
    });
    states.sort_by_key(|state| std::cmp::Reverse(state.step.at));
    states.iter().filter_map(|state| state_json(asked, answers, path, state)).collect()
}

fn state_json(asked: &Snapshot, answers: &Answers<'_>, path: &std::path::Path, state: &State) -> Option<Value> {
    let step = &state.step;
    let view = answers.moment.session_view(&step.session)?;
    let at = view.session.step(step.turn, &step.numbers)?;
    let result = at.step.result.as_ref()?;
    let mut paths = result.edits.iter().map(|edit| &edit.path).chain(&result.whole_read);
    let spelled = paths.find(|spelled| answers.moment.local(&view.session, spelled) == path)?;
    let (id, name) = answers.named_file(&view, (step.turn, &step.numbers), Moment::After, spelled);
    let what = if state.is_read { "read whole" } else { "edited" };
    let label = step.label();
    let status = lens::line_status(step.agent.short(), Some(step.at), &step.title, &answers.frame.view());
    Some(json!({
        "label": format!("{label} {status}"),
        "description": format!("{what} · {} lines", state.lines),
        "at": rfc3339(step.at),
        "address": step.address(),
        "text": asked.uri_of(answers, &id, &name),
    }))
}
