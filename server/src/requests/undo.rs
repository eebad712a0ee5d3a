//! `turnlens/undo` and `turnlens.server.undo`: a turn or a step taken back as an edit of the client's buffers, which it
//! shows or asks about first. Nothing is written here; what stays is named.

use std::sync::Arc;

use lens::StepRef;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::lsp_types::request::ShowMessageRequest;
use tower_lsp::lsp_types::{
    MessageActionItem, MessageType, Position, Range, ShowMessageRequestParams, TextDocumentIdentifier,
};
use url::Url;
use workspace::{FileUndo, Outcome, SessionView};

use super::commands;
use super::edit::{ApplyEdit, Edit, OpenFiles, start_of};
use super::line::step_at;
use super::target::{Target, address, file_uri};
use crate::answers::Answers;
use crate::answers::undo::{Undone, stay};
use crate::log;
use crate::lsp::Server;
use crate::pool::Lane;
use crate::state::{Snapshot, State};
use crate::text::Document;

/// Names of annotations: what is taken back, files that can go, what stays, and what only has a person look first.
const UNDO: &str = "undo";
const MADE: &str = "made";
const STAYS: &str = "stays";
const CONFIRM: &str = "confirm";

/// A turn or a step by its address; or the turn of a line.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UndoParams {
    address: Option<String>,
    text_document: Option<TextDocumentIdentifier>,
    position: Option<Position>,
}

impl UndoParams {
    pub(super) fn of_command(address: Option<String>, uri: Option<Url>, range: Option<Range>) -> UndoParams {
        let text_document = uri.map(|uri| TextDocumentIdentifier { uri });
        UndoParams { address, text_document, position: range.map(|range| range.start) }
    }
}

/// What is asked: which turn or step, with which files open. To be made before the first `.await`.
#[derive(Clone)]
struct Question {
    params: UndoParams,
    open: OpenFiles,
}

impl Question {
    fn new(state: &State, params: UndoParams) -> Question {
        Question { params, open: OpenFiles::of(state) }
    }
}

impl Server {
    pub(super) async fn undo(&self, params: UndoParams) -> Result<Value> {
        let question = Question::new(&self.state, params);
        let target = target(&self.state, &question.params);
        let answer = move |asked: &Snapshot| {
            let plan = Plan::new(asked, &question, target.as_ref()).map_err(Error::invalid_params)?;
            Ok(plan.to_json(asked, &question.open))
        };
        self.state.answer(Lane::Slow, answer).await?
    }
}

fn target(state: &State, params: &UndoParams) -> Option<Target> {
    params.text_document.as_ref().map(|document| state.target(&document.uri))
}

/// What is to be done, and how it is told.
struct Plan {
    address: String,
    undone: Undone,
    /// The whole sentence.
    words: String,
    stays: Vec<StaysAt>,
}

/// A hunk that stays.
struct StaysAt {
    uri: Url,
    range: Range,
    message: String,
    /// `src/loader.rs:8`
    place: String,
}

impl Plan {
    /// `Err`: a sentence on why nothing is undone.
    fn new(asked: &Snapshot, question: &Question, target: Option<&Target>) -> std::result::Result<Plan, String> {
        let frame = asked.frame(None);
        let answers = Answers::new(&asked.engine.workspace, &frame);
        if let Some((done, total)) = answers.moment.reading() {
            return Err(format!("Still reading: {done} of {total} sessions."));
        }
        let (view, step) = meant(asked, &answers, question, target)?;
        let open = |path: &std::path::Path| question.open.get(path).map(|open| Arc::from(open.text()));
        let undone = answers.undo(&view, &step, &open).ok_or("There is no such turn or step.")?;
        let root = answers.root_of(&view);
        let shown = lens::View { root: root.as_deref(), ..frame.view() };
        let words = undone.undoing.words(&shown);
        let stays = undone.stays().filter_map(|(file, stays)| {
            let uri = match question.open.get(&file.here) {
                Some(open) => Url::parse(&open.uri).ok()?,
                None => file_uri(&file.here)?,
            };
            let document = Document::new(uri.as_str(), "", 0, file.now.as_deref().unwrap_or_default());
            let range =
                Range { start: start_of(&document, stays.lines.start), end: start_of(&document, stays.lines.end) };
            let message = undone.undoing.one_stays(&stay(&stays.because));
            let path = file.here.to_string_lossy();
            Some(StaysAt { uri, range, message, place: format!("{}:{}", shown.path(&path), stays.lines.start + 1) })
        });
        let stays = stays.collect();
        Ok(Plan { address: address(&view.session.path.session, &step), undone, words, stays })
    }

    /// The edit with annotations that have a client show it first: what is taken back is ticked, what can go is not.
    fn edit_to_preview(&self, asked: &Snapshot, open: &OpenFiles) -> Value {
        let mut edit = self.edit(asked, open, true);
        self.delete_made(&mut edit);
        let what = self.undone.undoing.what();
        let (made, stays) = (!self.undone.undoing.made.is_empty(), self.undone.undoing.stays());
        let mut annotations = Map::new();
        let mut annotate = |name: &str, label: String, description: &str, ask: bool| {
            let annotation = json!({ "label": label, "description": description, "needsConfirmation": ask });
            annotations.insert(name.into(), annotation);
        };
        annotate(UNDO, format!("Undo {what}"), &self.words, false);
        if made {
            annotate(MADE, format!("Delete what {what} made"), "Nobody changed it since.", true);
        }
        if let Some(stays) = &stays {
            annotate(STAYS, "Stays as it is".into(), stays, true);
        }
        if !made && self.stays.is_empty() {
            edit.note_first(CONFIRM);
            annotate(CONFIRM, format!("Undo {what}"), "Changes nothing; it has you look first.", true);
        }
        edit.to_json(&asked.profile, Some(&annotations))
    }

    /// The edit without the files that can go. `with_notes`: places that stay are in it, with changes that change
    /// nothing.
    fn edit<'o>(&self, asked: &Snapshot, open: &'o OpenFiles, with_notes: bool) -> Edit<'o> {
        let mut edit = Edit::new(open, asked.profile.encoding);
        for file in &self.undone.files {
            let noted: Vec<_> = match with_notes {
                true => file.stays.iter().map(|stays| (stays.lines.start, STAYS)).collect(),
                false => Vec::new(),
            };
            match (&file.outcome, &file.now) {
                (Outcome::Text(text), Some(now)) => edit.text(&file.here, now, text, UNDO, &noted),
                (Outcome::Unchanged, Some(now)) => edit.text(&file.here, now, now, UNDO, &noted),
                (Outcome::Create(text), _) if asked.profile.workspace_edit.create => {
                    edit.create(&file.here, text, UNDO);
                }
                _ => {}
            }
        }
        edit
    }

    fn made(&self) -> impl Iterator<Item = &FileUndo> {
        self.undone.files.iter().filter(|file| file.outcome == Outcome::Delete)
    }

    fn delete_made(&self, edit: &mut Edit<'_>) {
        self.made().for_each(|file| edit.delete(&file.here, MADE));
    }

    fn to_json(&self, asked: &Snapshot, open: &OpenFiles) -> Value {
        let edit = self.edit(asked, open, false);
        let uri = |file: &FileUndo| match open.get(&file.here) {
            Some(open) => Some(open.uri.to_string()),
            None => file_uri(&file.here).map(String::from),
        };
        let file = |file: &FileUndo| json!({ "uri": uri(file), "hunks": file.hunks, "undone": file.undone });
        let stay = |stay: &StaysAt| json!({ "uri": stay.uri, "range": stay.range, "message": stay.message });
        json!({
            "address": self.address,
            "title": format!("Undo {}", self.undone.undoing.what()),
            "message": self.words,
            "edit": if edit.is_empty() { Value::Null } else { edit.to_json(&asked.profile, None) },
            "files": self.undone.files.iter().map(file).collect::<Vec<_>>(),
            "made": self.made().filter_map(uri).collect::<Vec<_>>(),
            "stays": self.stays.iter().map(stay).collect::<Vec<_>>(),
        })
    }

    /// `2 hunks were changed later (turn 14) and stay. src/loader.rs:8, src/http.rs:3`
    fn what_stays(&self) -> Option<String> {
        const NAMED: usize = 5;
        let stays = self.undone.undoing.stays()?;
        let places: Vec<&str> = self.stays.iter().take(NAMED).map(|stay| stay.place.as_str()).collect();
        let more = if self.stays.len() > NAMED { ", …" } else { "" };
        Some(format!("{stays} {}{more}", places.join(", ")))
    }
}

/// The turn or step that is meant. A line means its turn.
fn meant(
    asked: &Snapshot,
    answers: &Answers<'_>,
    question: &Question,
    target: Option<&Target>,
) -> std::result::Result<(Arc<SessionView>, StepRef), String> {
    if let Some(address) = &question.params.address {
        let found = commands::locate(asked, answers, address)?;
        return match found.turn {
            0 => Err(format!("“{address}” names a session and no turn.")),
            turn => Ok((found.view, StepRef { turn, steps: found.steps })),
        };
    }
    let (Some(target), Some(position)) = (target, question.params.position) else {
        return Err("A turn is named by an address, or by a document and a position.".into());
    };
    let (view, step) = step_at(asked, target, position).ok_or("No recorded turn wrote this line.")?;
    Ok((view, StepRef { turn: step.turn, steps: Vec::new() }))
}

/// The command. The client has an answer at once; what it is asked then takes as long as a person does.
pub(super) async fn execute(server: &Server, params: UndoParams) -> Result<()> {
    let state = server.state.clone();
    let question = Question::new(&state, params);
    server.state.detach("an undo", async move { state.undo(question).await });
    Ok(())
}

/// What the client is asked to do.
enum Wanted {
    Say(String),
    /// To apply an edit that it shows first.
    Preview {
        edit: Value,
        after: Option<String>,
    },
    /// To ask the person, with the names of the choices.
    Ask {
        words: String,
        undo: Option<String>,
        also_delete: Option<String>,
    },
}

impl State {
    async fn undo(self: Arc<Self>, question: Question) {
        match self.plan(question.clone(), Plan::wanted).await {
            Wanted::Say(message) => self.client.show_message(MessageType::INFO, message),
            Wanted::Preview { edit, after } => self.apply(edit, after).await,
            Wanted::Ask { words, undo, also_delete } => {
                let choices: Vec<&String> = undo.iter().chain(&also_delete).collect();
                let Some(chosen) = self.choose(words, &choices).await else { return };
                let deletes = also_delete.as_ref() == Some(&chosen);
                // Texts went on while the person thought.
                let question = Question::new(&self, question.params);
                let wanted = self.plan(question, move |plan, asked, open| plan.chosen(asked, open, deletes)).await;
                match wanted {
                    Wanted::Preview { edit, after } => self.apply(edit, after).await,
                    Wanted::Say(message) => self.client.show_message(MessageType::INFO, message),
                    Wanted::Ask { .. } => {}
                }
            }
        }
    }

    async fn plan(
        &self,
        question: Question,
        then: impl FnOnce(&Plan, &Snapshot, &OpenFiles) -> Wanted + Send + 'static,
    ) -> Wanted {
        let target = target(self, &question.params);
        let answer = move |asked: &Snapshot| match Plan::new(asked, &question, target.as_ref()) {
            Ok(plan) => then(&plan, asked, &question.open),
            Err(message) => Wanted::Say(message),
        };
        self.answer(Lane::Slow, answer).await.unwrap_or_else(|error| Wanted::Say(error.message.into_owned()))
    }

    /// Lets the person choose; `None`: nothing, or not these.
    pub(super) async fn choose(&self, message: String, choices: &[&String]) -> Option<String> {
        const CANCEL: &str = "Cancel";
        let action = |title: &str| MessageActionItem { title: title.into(), properties: Default::default() };
        let actions = choices.iter().map(|title| action(title)).chain([action(CANCEL)]).collect();
        let params = ShowMessageRequestParams { typ: MessageType::INFO, message, actions: Some(actions) };
        let chosen = self.client.ask_a_person::<ShowMessageRequest>(params).await.ok()??.title;
        (chosen != CANCEL).then_some(chosen)
    }

    /// Has the client change its buffers, and says what is to be said when it did.
    pub(super) async fn apply(&self, edit: Value, after: Option<String>) {
        // A preview waits for a person.
        match self.client.ask_a_person::<ApplyEdit>(json!({ "label": "Turnlens", "edit": edit })).await {
            Ok(answer) if answer["applied"] == true => {
                if let Some(message) = after {
                    self.client.show_message(MessageType::INFO, message);
                }
            }
            Ok(answer) => {
                if let Some(reason) = answer["failureReason"].as_str() {
                    self.client.show_message(MessageType::WARNING, format!("Nothing was changed: {reason}"));
                }
            }
            Err(error) => {
                log::info!("the client did not apply an edit: {error}");
                self.client.show_message(MessageType::WARNING, format!("Nothing was changed: {error}"));
            }
        }
    }
}

impl Plan {
    fn wanted(&self, asked: &Snapshot, open: &OpenFiles) -> Wanted {
        let profile = &asked.profile;
        if self.undone.is_nothing() {
            return Wanted::Say(self.words.clone());
        }
        if !profile.apply_edit {
            let words = &self.words;
            return Wanted::Say(format!(
                "{words} This editor takes no edits from a server: turnlens diff -R {} | git apply --3way",
                self.address
            ));
        }
        if profile.workspace_edit.previews {
            return Wanted::Preview { edit: self.edit_to_preview(asked, open), after: self.what_stays() };
        }
        let has_edit = !self.edit(asked, open, false).is_empty();
        let made = self.made().count();
        let files = lens::count(made as u64, "file");
        let also = if has_edit { format!("Undo and delete {files}") } else { format!("Delete {files}") };
        Wanted::Ask {
            words: self.words.clone(),
            undo: has_edit.then(|| "Undo".to_owned()),
            also_delete: (made > 0 && profile.workspace_edit.delete).then_some(also),
        }
    }

    fn chosen(&self, asked: &Snapshot, open: &OpenFiles, deletes: bool) -> Wanted {
        let mut edit = self.edit(asked, open, false);
        if deletes {
            self.delete_made(&mut edit);
        }
        if edit.is_empty() {
            return Wanted::Say(self.words.clone());
        }
        Wanted::Preview { edit: edit.to_json(&asked.profile, None), after: self.what_stays() }
    }
}
