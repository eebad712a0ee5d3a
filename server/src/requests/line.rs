//! `turnlens/line`: what is known of one line; and from a line to its turn and back.

use std::path::Path;
use std::sync::Arc;

use lens::{DocumentId, StepRef};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_lsp::jsonrpc::Result;
use tower_lsp::lsp_types::{Location, Position, TextDocumentIdentifier};
use url::Url;
use workspace::SessionView;

use super::commands;
use super::target::{Code, Target, address};
use crate::answers::Answers;
use crate::lsp::Server;
use crate::news::reading_json;
use crate::pool::Lane;
use crate::state::Snapshot;
use crate::time::rfc3339;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LineParams {
    pub(crate) text_document: TextDocumentIdentifier,
    pub(crate) position: Position,
    #[serde(default)]
    pub(crate) ask: bool,
}

impl Server {
    pub(super) async fn line(&self, params: LineParams) -> Result<Value> {
        let target = self.state.target(&params.text_document.uri);
        let answer = move |asked: &Snapshot| match target {
            Target::Code(target) => {
                let frame = asked.frame(Some(&target.path));
                let answers = Answers::new(&asked.engine.workspace, &frame);
                match asked.code(&answers, &target) {
                    Some(code) => code_line(asked, &answers, &code, &params),
                    None => json!({ "origin": null, "reading": null }),
                }
            }
            Target::Ours(id) => trace_line(asked, &id, params.position.line),
            Target::Other => Value::Null,
        };
        self.state.answer(Lane::Quick, answer).await
    }
}

fn code_line(asked: &Snapshot, answers: &Answers<'_>, code: &Code, params: &LineParams) -> Value {
    let line = code.line_at(asked, params.position);
    let reading = reading_json(code.view.reading);
    if let Some(origin) = origin(asked, answers, code, line) {
        return json!({ "origin": origin, "reading": reading });
    }
    let message = params.ask.then(|| lens::unanswered(&answers.unanswered(&code.view, line), &answers.frame.view()));
    json!({ "origin": null, "reading": reading, "message": message })
}

fn origin(asked: &Snapshot, answers: &Answers<'_>, code: &Code, line: u32) -> Option<Value> {
    let step = code.view.step(line as usize)?;
    let evidence = code.view.blame.lines.get(line as usize).copied().flatten()?.evidence;
    let agent = lens::agent_name(step.agent.short(), evidence);
    let document = turn_of(asked, answers, code, line);
    Some(json!({
        "agent": step.agent.id(),
        "agentName": step.agent.short(),
        "session": &*step.session,
        "turn": step.turn,
        "step": &*step.call,
        "atStep": step.label(),
        "address": step.address(),
        "at": rfc3339(step.at),
        "title": &*step.title,
        "evidence": evidence.id(),
        "status": lens::line_status(&agent, Some(step.at), &step.title, &answers.frame.view()),
        "document": document.map(|place| json!({ "uri": place.uri, "range": place.range })),
    }))
}

/// Where a line of code (from 0) stands in its turn.
pub(crate) fn turn_of(asked: &Snapshot, answers: &Answers<'_>, code: &Code, line: u32) -> Option<Location> {
    let (step, edit, written) = answers.place_in_step(&code.view, line)?;
    let view = answers.moment.session_view(&step.session)?;
    let place = crate::answers::place_of(&step);
    let (page, range) = asked.place_of_step(answers, &view, &place, (written > 0).then_some((edit, written)))?;
    Some(Location { uri: Url::parse(&asked.uri_of_page(&page)?).ok()?, range })
}

/// The step that a line of code, or of a document of ours, tells of.
pub(crate) fn step_at(asked: &Snapshot, target: &Target, position: Position) -> Option<(Arc<SessionView>, StepRef)> {
    match target {
        Target::Code(target) => {
            let frame = asked.frame(Some(&target.path));
            let answers = Answers::new(&asked.engine.workspace, &frame);
            let code = asked.code(&answers, target)?;
            let line = code.line_at(asked, position);
            commands::named_step(&answers, code.view.step(line as usize)?)
        }
        Target::Ours(id) => {
            let page = asked.page(id)?;
            let anchor = lens::spot(&page.rendered, position.line)?;
            let view = match &anchor.session {
                Some(session) => asked.engine.workspace.moment().session_view(session)?,
                None => page.session.clone()?,
            };
            Some((view, anchor.step.clone()))
        }
        Target::Other => None,
    }
}

fn trace_line(asked: &Snapshot, id: &DocumentId, line: u32) -> Value {
    let found = step_at(asked, &Target::Ours(id.clone()), Position { line, character: 0 });
    let address = found.map(|(view, step)| address(&view.session.path.session, &step));
    let (code, message) = code_of(asked, id, line).unwrap_or_default();
    json!({ "address": address, "code": code, "message": message })
}

/// The code of a line (from 0) of a document of ours, as it is now, and why it is not that very line.
pub(crate) fn code_of(asked: &Snapshot, id: &DocumentId, line: u32) -> Option<(Option<Location>, Option<String>)> {
    let page = asked.page(id)?;
    let anchor = lens::spot(&page.rendered, line)?;
    let frame = asked.frame_of(id);
    let answers = Answers::new(&asked.engine.workspace, &frame);
    let view = match &anchor.session {
        Some(session) => answers.moment.session_view(session)?,
        None => page.session.clone()?,
    };
    let found = lens::definition(&view.session, anchor, &answers)?;
    let place = found.place.and_then(|place| asked.location_in_file(Path::new(&*place.path), place.line));
    Some((place, found.message))
}
