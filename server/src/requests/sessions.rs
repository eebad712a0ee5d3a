//! `turnlens/sessions`, `turnlens/status`, `turnlens/search` and `turnlens/copy`: sessions as a whole.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use lens::{Now, Part, SearchHit, SearchResults, SearchSession, StepRef};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::lsp_types::TextDocumentIdentifier;
use tower_lsp::lsp_types::notification::Notification;
use trace::StepKind;
use workspace::{Course, HitsOfSession, Located, LogSummary, Query, SessionView};

use super::commands;
use super::target::{Target, address};
use crate::answers::documents::Named;
use crate::answers::speed::Speed;
use crate::answers::{Answers, resume_command};
use crate::cli::when;
use crate::lsp::Server;
use crate::news::{make_filters, reading_json};
use crate::pool::Lane;
use crate::state::{Snapshot, State};
use crate::time::rfc3339;

/// Hits that are listed.
const MOST_HITS: usize = 200;
/// Hits that are told before all are found: a first screen.
const FIRST_HITS: usize = 20;
/// Editing steps that are looked at for the newest line that still stands.
const MOST_STEPS: usize = 200;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SessionsParams {
    text_document: Option<TextDocumentIdentifier>,
    query: Option<String>,
    all: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct StatusParams {
    /// Whether to tell how fast the server is, too.
    timings: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SearchParams {
    query: String,
    /// The first hits are told by it before all are found.
    partial_result_token: Option<Value>,
}

enum PartialResult {}

impl Notification for PartialResult {
    type Params = Value;
    const METHOD: &'static str = "$/progress";
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum CopyForm {
    Markdown,
    Address,
    Resume,
}

#[derive(Deserialize)]
pub(crate) struct CopyParams {
    address: String,
    form: CopyForm,
}

impl Server {
    pub(super) async fn sessions(&self, params: SessionsParams) -> Result<Value> {
        let target = params.text_document.as_ref().map(|document| self.state.target(&document.uri));
        let answer = move |asked: &Snapshot| {
            let frame = asked.frame(None);
            let answers = Answers::new(&asked.engine.workspace, &frame);
            let of_file = match &target {
                Some(Target::Code(target)) => Some(answers.moment.sessions_of_file(&target.path)),
                _ => None,
            };
            let here = asked.sessions_here(&answers.moment);
            let wanted = |path: &&Arc<LogSummary>| {
                let in_scope = params.all || of_file.is_some() || here.contains(&path.session);
                let edited_it = of_file.as_ref().is_none_or(|ids| ids.contains(&path.session));
                in_scope && edited_it && params.query.as_ref().is_none_or(|query| speaks_of(&answers, path, query))
            };
            let logs = answers.moment.logs();
            let rows = logs.sessions().filter(wanted).take_while(|_| !asked.cancel.is_cancelled());
            let sessions: Vec<Value> = rows.map(|path| session_json(&answers, path, &here)).collect();
            let list = frame.root.as_deref().map(|root| {
                let repository = lens::repository_key(root);
                lens::DocumentId::Sessions { repository, helpers: false }.uri("sessions")
            });
            let reading = reading_json(answers.moment.reading());
            json!({ "sessions": sessions, "reading": reading, "document": list })
        };
        self.state.answer(Lane::Slow, answer).await
    }

    pub(super) async fn status(&self, params: StatusParams) -> Result<Value> {
        let answer = move |asked: &Snapshot| {
            let frame = asked.frame(None);
            let answers = Answers::new(&asked.engine.workspace, &frame);
            let moment = &answers.moment;
            let here = asked.sessions_here(moment);
            let view = frame.view();
            let roots = asked.engine.workspace.index().roots();
            let folders: Vec<String> =
                roots.iter().map(|root| view.path(&root.to_string_lossy()).into_owned()).collect();
            let timings = params.timings.then(|| Speed::of(&asked.engine, &asked.documents, &asked.timings).json());
            json!({
                "version": env!("CARGO_PKG_VERSION"),
                "timings": timings,
                "reading": reading_json(moment.reading()),
                "sessions": moment.logs().sessions().count(),
                "here": here.len(),
                "agents": trace::Agent::ALL.map(trace::Agent::id),
                "folders": folders,
                "newest": newest(asked, &answers, &here),
                "live": asked.live_sessions(&answers, moment),
            })
        };
        self.state.answer(Lane::Slow, answer).await
    }

    pub(super) async fn search(&self, params: SearchParams) -> Result<Value> {
        let state = self.state.clone();
        let answer = move |asked: &Snapshot| {
            let frame = asked.frame(None);
            let answers = Answers::new(&asked.engine.workspace, &frame);
            let query = Query::parse(&params.query, &|word| when::parse(word).ok()).map_err(Error::invalid_params)?;
            let here = asked.sessions_here(&answers.moment);
            let logs = answers.moment.logs();
            let sessions = logs.sessions().filter(|path| here.contains(&path.session));
            let mut first = FirstHits { state: &state, token: params.partial_result_token.as_ref(), found: Vec::new() };
            let found = answers.moment.search_by(
                &query,
                sessions,
                Course {
                    most: MOST_HITS,
                    is_cancelled: &|| asked.cancel.is_cancelled(),
                    sink: &mut |hits| {
                        first.take(asked, &answers, hits);
                        ControlFlow::Continue(())
                    },
                },
            );
            // Made for the next search, as far as logs grew since the last one.
            let engine = asked.engine.clone();
            state.pools.start_job(Lane::Background, move || make_filters(&engine));
            let results = search_results(&params.query, &found);
            let hits: Vec<Value> = results
                .sessions
                .iter()
                .flat_map(|session| session.hits.iter().map(|hit| hit_json(asked, &answers, session, hit)))
                .collect();
            let (id, name) = asked.engine.documents.name(Named::Found(results));
            let document = asked.uri_of(&answers, &id, &name);
            Ok(json!({ "total": found.total, "sessions": found.sessions, "hits": hits, "document": document }))
        };
        self.state.answer(Lane::Slow, answer).await?
    }

    pub(super) async fn copy(&self, params: CopyParams) -> Result<Value> {
        let answer = move |asked: &Snapshot| {
            let frame = asked.frame(None);
            let answers = Answers::new(&asked.engine.workspace, &frame);
            let found = commands::locate(asked, &answers, &params.address).map_err(Error::invalid_params)?;
            let path = &found.view.session.path;
            Ok(match params.form {
                CopyForm::Resume => {
                    let no_word = || Error::invalid_params("The id of this session is put into no command.");
                    json!({ "text": resume_command(path.agent, &path.session).ok_or_else(no_word)?, "cwd": path.cwd.as_deref() })
                }
                CopyForm::Address if found.turn == 0 => json!({ "text": workspace::short_session(&path.session) }),
                CopyForm::Address => {
                    let step = StepRef { turn: found.turn, steps: found.steps.clone() };
                    json!({ "text": address(&path.session, &step) })
                }
                CopyForm::Markdown => match turn_as_markdown(&answers, &found) {
                    Some((text, masked)) => json!({ "text": text, "masked": masked }),
                    None => return Err(Error::invalid_params(format!("“{}” names no turn.", params.address))),
                },
            })
        };
        self.state.answer(Lane::Slow, answer).await?
    }
}

/// Whether the words of a query stand in a session's title or prompts.
fn speaks_of(answers: &Answers<'_>, log: &LogSummary, query: &str) -> bool {
    let query = query.to_lowercase();
    let title = log.title().to_lowercase();
    if query.split_whitespace().all(|word| log.session.starts_with(word) || title.contains(word)) {
        return true;
    }
    let Some(path) = answers.moment.logs().load(log.log) else { return false };
    let mut texts = vec![title];
    texts.extend(path.turns.iter().filter_map(|turn| Some(turn.prompt.as_ref()?.text.head.to_lowercase())));
    query.split_whitespace().all(|word| path.session.starts_with(word) || texts.iter().any(|text| text.contains(word)))
}

fn session_json(answers: &Answers<'_>, path: &LogSummary, here: &HashSet<Arc<str>>) -> Value {
    let summary = answers.moment.summary(path, answers.frame.now);
    let row = answers.session_row(path);
    let title: &str = if row.title.is_empty() { "Untitled session" } else { &row.title };
    json!({
        "id": &*path.session,
        "agent": path.agent.id(),
        "agentName": path.agent.short(),
        "title": title,
        "cwd": path.cwd.as_deref(),
        "started": summary.started.map(rfc3339),
        "ended": summary.ended.map(rfc3339),
        "turns": summary.turns,
        "edits": summary.edits,
        "files": summary.files,
        "live": summary.live,
        "here": here.contains(&path.session),
        "address": workspace::short_session(&path.session),
        // Opened by its name: a list writes no files.
        "document": row.document.uri(title),
        "label": title,
        "description": row.description(&answers.frame.view()),
    })
}

/// The newest line of this workspace that an agent wrote and that still stands.
fn newest(asked: &Snapshot, answers: &Answers<'_>, here: &HashSet<Arc<str>>) -> Option<Value> {
    let mut looked_at = 0;
    for path in answers.moment.logs().sessions().filter(|path| here.contains(&path.session)) {
        let view = answers.moment.session_view(&path.session)?;
        let steps = view.session.steps();
        for at in steps.iter().rev().filter(|at| !at.step.edits().is_empty()) {
            looked_at += 1;
            if looked_at > MOST_STEPS {
                return None;
            }
            let life = answers.step(&path.session, at.turn.number, &at.numbers);
            if let Some(first) = life.and_then(|life| life.now.into_iter().next()) {
                return Some(json!(asked.location_in_file(Path::new(&*first.path), first.from)?));
            }
        }
    }
    None
}

/// What is told of a search before it is over.
struct FirstHits<'s> {
    state: &'s State,
    /// `None`: nobody wants them, or they were told.
    token: Option<&'s Value>,
    found: Vec<Value>,
}

impl FirstHits<'_> {
    fn take(&mut self, asked: &Snapshot, answers: &Answers<'_>, hits: &HitsOfSession) {
        let Some(token) = self.token else { return };
        let session = search_session(hits);
        let room = FIRST_HITS.saturating_sub(self.found.len());
        self.found.extend(session.hits.iter().take(room).map(|hit| hit_json(asked, answers, &session, hit)));
        if self.found.len() >= FIRST_HITS {
            self.state.client.notify::<PartialResult>(json!({ "token": token, "value": { "hits": self.found } }));
            self.token = None;
        }
    }
}

fn search_results(query: &str, found: &workspace::Found) -> SearchResults {
    let sessions = found.listed.iter().map(search_session).collect();
    SearchResults { query: query.into(), total: found.total as u64, sessions }
}

fn search_session(session: &HitsOfSession) -> SearchSession {
    let hit = |hit: &workspace::Hit| SearchHit {
        step: StepRef { turn: hit.turn, steps: hit.numbers.clone() },
        field: if hit.edit.is_some() { "edit" } else { hit.field.id() }.into(),
        place: hit.edit.clone(),
        text: hit.text.as_str().into(),
        found: hit.found.clone(),
    };
    SearchSession {
        session: (*session.path.session).into(),
        document: lens::DocumentId::Trace {
            agent: session.path.agent,
            session: lens::session_key(&session.path.session),
            part: Part::Session,
        },
        agent: session.path.agent.short().into(),
        title: session.path.title().into(),
        started: session.path.started,
        hits: session.hits.iter().map(hit).collect(),
    }
}

fn hit_json(asked: &Snapshot, answers: &Answers<'_>, session: &SearchSession, hit: &SearchHit) -> Value {
    let view = answers.moment.session_view(&session.session);
    let place = view.and_then(|view| asked.place_of_step(answers, &view, &hit.step, None));
    let location = place.and_then(|(page, range)| Some(json!({ "uri": asked.uri_of_page(&page)?, "range": range })));
    json!({
        "address": address(&session.session, &hit.step),
        "field": &*hit.field,
        "text": hit.text.lines().map(lens::clean).collect::<Vec<_>>().join("\n"),
        "label": lens::one_line(&hit.text),
        "description": session.description(hit, &answers.frame.view()),
        "location": location,
    })
}

/// A turn as Markdown, for a colleague: prompt, answer, files. Beside it how many secrets were masked.
fn turn_as_markdown(answers: &Answers<'_>, found: &Located) -> Option<(String, usize)> {
    let view = &found.view;
    let turn = view.session.path.turn(found.turn)?;
    let mut text = format!("## {}\n\n", turn.title);
    let prompt =
        turn.prompt.as_ref().map(|prompt| body(answers, view, turn.place).unwrap_or(prompt.text.head.to_string()));
    for line in prompt.iter().flat_map(|prompt| prompt.trim_end().lines()) {
        text.push_str(&format!("> {line}\n"));
    }
    let said = turn.steps.iter().rev().find(|step| step.kind == StepKind::Text);
    if let Some(step) = said {
        let whole = body(answers, view, Some(step.place)).unwrap_or_else(|| step.text.head.to_string());
        text.push_str(&format!("\n{}\n", whole.trim()));
    }
    let steps = answers.steps_of(view, found.turn, &[])?;
    let changes = answers.moment.changes(view, &steps);
    if !changes.is_empty() {
        text.push('\n');
    }
    for change in &changes {
        let path = answers.shown_path(view, &change.spelled);
        text.push_str(&format!("- `{path}` +{} −{}\n", change.added, change.removed));
    }
    let address = address(&view.session.path.session, &StepRef { turn: found.turn, steps: Vec::new() });
    text.push_str(&format!("\n{} · {address}\n", view.session.path.agent.full()));
    Some(masked(&text))
}

fn body(answers: &Answers<'_>, view: &SessionView, place: Option<trace::Place>) -> Option<String> {
    let body = answers.moment.bodies().body(view.session.path.log, place?);
    body.content().map(|content| content.text.clone())
}

/// Replaces what looks like a key, and counts it.
fn masked(text: &str) -> (String, usize) {
    const BEGINNINGS: [&str; 12] =
        ["sk-", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "AKIA", "ASIA", "xoxb-", "xoxp-", "AIza", "eyJ"];
    const SHORTEST: usize = 20;
    let of_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut out = String::with_capacity(text.len());
    let mut count = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let word_end = rest.find(|c| !of_key(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(word_end);
        if word.len() >= SHORTEST && BEGINNINGS.iter().any(|beginning| word.starts_with(beginning)) {
            out.push_str("[masked]");
            count += 1;
        } else {
            out.push_str(word);
        }
        let next = after.find(of_key).unwrap_or(after.len());
        out.push_str(&after[..next]);
        rest = &after[next..];
    }
    (out, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_masked() {
        let check = |text: &str, expected: (&str, usize)| assert_eq!(masked(text), (expected.0.to_owned(), expected.1));
        check("run it — `x`", ("run it — `x`", 0));
        check("key=sk-aaaaaaaaaaaaaaaaaaaaaaaa, ghp_bbbbbbbbbbbbbbbbbbbbbbbb.", ("key=[masked], [masked]", 2));
        check("sk-short", ("sk-short", 0));
    }
}
