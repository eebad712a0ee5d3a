//! `turnlens/history`, `turnlens/fileHistory`, `turnlens/explain` and `turnlens/peek`: more about a line or a file.

use std::path::Path;

use lens::{DocumentId, HistoryEntry, HoverForm, Moment, StepRef};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_lsp::jsonrpc::Result;
use tower_lsp::lsp_types::{Range, TextDocumentIdentifier};
use workspace::FileView;

use super::hover;
use super::line::{LineParams, turn_of};
use super::target::{Target, address};
use crate::answers::Answers;
use crate::answers::documents::Named;
use crate::answers::states::{State, What};
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
        HistoryEntry::Commit { hash, at, folder, .. } => {
            let name = file.path.to_string_lossy();
            let uri = |id: Option<DocumentId>| asked.uri_of(answers, &id?, &name);
            let (before, after) = answers.committed_sides(hash, &file.path);
            let document = uri(answers.commit_document(hash, folder.as_deref()));
            let location = document.map(|uri| json!({ "uri": uri, "range": Range::default() }));
            Some(json!({ "at": at.map(rfc3339), "location": location, "before": uri(before), "after": uri(after) }))
        }
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

/// Every known state of a file that can be shown, newest first. The text of a backup is no document.
pub(super) fn states(asked: &Snapshot, answers: &Answers<'_>, path: &Path) -> Vec<Value> {
    let told = |state: &State| match &state.what {
        What::Edit(step) => step_state(asked, answers, path, step, ("edited", Moment::After), state.lines),
        What::Read(step) => step_state(asked, answers, path, step, ("read whole", Moment::After), state.lines),
        What::Found(step) => step_state(asked, answers, path, step, ("found", Moment::Before), state.lines),
        What::Commit(commit, blob) => {
            let (hash, author) = (commit.id.short().into(), commit.author.as_str().into());
            let entry = HistoryEntry::Commit { hash, author, at: Some(commit.at), folder: None };
            let id = blob.map(|blob| DocumentId::Blob { id: blob.to_string().into() });
            let subject =
                if blob.is_some() { commit.subject.clone() } else { format!("deleted · {}", commit.subject) };
            Some(json!({
                "label": entry.label(&answers.frame.view()),
                "description": lens::one_line(&subject),
                "at": rfc3339(commit.at),
                "address": Value::Null,
                "text": id.and_then(|id| asked.uri_of(answers, &id, &path.to_string_lossy())),
            }))
        }
        What::Backup => None,
    };
    answers.file_states(path).iter().filter_map(told).collect()
}

fn step_state(
    asked: &Snapshot,
    answers: &Answers<'_>,
    path: &Path,
    step: &workspace::StepRef,
    (what, moment): (&str, Moment),
    lines: Option<u32>,
) -> Option<Value> {
    let view = answers.moment.session_view(&step.session)?;
    let at = view.session.step(step.turn, &step.numbers)?;
    let result = at.step.result.as_ref()?;
    let mut paths = result.edits.iter().map(|edit| &edit.path).chain(&result.whole_read);
    let spelled = paths.find(|spelled| answers.moment.local(&view.session, spelled) == path)?;
    let (id, name) = answers.named_file(&view, (step.turn, &step.numbers), moment, spelled);
    let label = step.label();
    let status = lens::line_status(step.agent.short(), Some(step.at), &step.title, &answers.frame.view());
    let lines = lines.map(|lines| format!(" · {}", lens::count(lines.into(), "line"))).unwrap_or_default();
    Some(json!({
        "label": format!("{label} {status}"),
        "description": format!("{what}{lines}"),
        "at": rfc3339(step.at),
        "address": step.address(),
        "text": asked.uri_of(answers, &id, &name),
    }))
}
