//! `turnlens/deletedFiles` and `turnlens.server.restore`: a text that a file once had, put into the client's buffer.
//! Nothing is written here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lens::DocumentId;
use serde::Deserialize;
use serde_json::{Value, json};
use tower_lsp::jsonrpc::Result;
use tower_lsp::lsp_types::MessageType;
use url::Url;
use workspace::SessionView;

use super::edit::{Edit, OpenFiles};
use super::history::states;
use super::target::{Target, file_uri};
use crate::answers::Answers;
use crate::lsp::Server;
use crate::pool::Lane;
use crate::state::{Snapshot, State};
use crate::uri::DocumentKey;

/// Deleted files that are told at most.
const MOST_FILES: usize = 100;
/// Choices that a message has room for.
const MOST_CHOICES: usize = 8;
const ANNOTATION: &str = "restore";

/// A file, and the document with the text that it is to have.
struct Wanted {
    uri: Url,
    text: Url,
}

#[derive(Deserialize)]
pub(crate) struct NoParams {}

impl Server {
    pub(super) async fn deleted_files(&self, _: NoParams) -> Result<Value> {
        self.state.answer(Lane::Slow, |asked: &Snapshot| json!({ "entries": deleted_files(asked) })).await
    }
}

/// What is asked, with which files open. To be made before the first `.await`.
struct Question {
    file: Option<PathBuf>,
    text: Url,
    open: OpenFiles,
}

impl Question {
    fn new(state: &State, wanted: Wanted) -> Question {
        let file = match state.target(&wanted.uri) {
            Target::Code(target) => Some(target.path),
            _ => None,
        };
        Question { file, text: wanted.text, open: OpenFiles::of(state) }
    }
}

/// A file with the text that it is to have.
struct Restored {
    path: PathBuf,
    /// The text now. `None`: there is no file.
    now: Option<String>,
    then: String,
}

impl Restored {
    /// `Err`: a sentence on why it cannot be.
    fn new(asked: &Snapshot, question: &Question) -> std::result::Result<Restored, String> {
        let path = question.file.clone().ok_or("Only files can be restored.")?;
        let page = document_of(asked, &question.text).and_then(|id| asked.page(&id));
        let text = page.map(|page| page.rendered.text.clone()).ok_or("There is no such document any more.")?;
        let now = match question.open.get(&path) {
            Some(open) => Some(open.text()),
            None if path.exists() => {
                let file = asked.engine.workspace.moment().file(&path);
                Some(file.map_err(|error| format!("{}: {error}", path.display()))?.text.to_string())
            }
            None => None,
        };
        let then = with_line_ends_of(&text, now.as_deref().unwrap_or_default());
        Ok(Restored { path, now, then })
    }

    fn edit<'o>(&self, asked: &Snapshot, open: &'o OpenFiles) -> Edit<'o> {
        let mut edit = Edit::new(open, asked.profile.encoding);
        match &self.now {
            Some(now) => edit.text(&self.path, now, &self.then, ANNOTATION, &[]),
            None => edit.create(&self.path, &self.then, ANNOTATION),
        }
        edit
    }
}

/// The document of ours with this URI, through whichever door it came.
fn document_of(asked: &Snapshot, uri: &Url) -> Option<DocumentId> {
    let of_file = || asked.door.document_of(&DocumentKey::from_url(uri).file_path()?);
    DocumentId::from_uri(uri.as_str()).or_else(of_file)
}

/// A text with the line ends of another.
fn with_line_ends_of(text: &str, other: &str) -> String {
    let has_returns = other.contains("\r\n");
    if has_returns && !text.contains("\r\n") { text.replace('\n', "\r\n") } else { text.to_owned() }
}

/// The newest known text of each file of the client's folders that is gone.
fn deleted_files(asked: &Snapshot) -> Vec<Value> {
    let frame = asked.frame(None);
    let answers = Answers::new(&asked.engine.workspace, &frame);
    let here = asked.sessions_here(&answers.moment);
    let sessions: Vec<Arc<SessionView>> = here.iter().filter_map(|id| answers.moment.session_view(id)).collect();
    let gone = answers.moment.gone_files(&sessions, &asked.folders);
    let entry = |path: PathBuf| {
        let mut entry = last_text(asked, &answers, &path)?;
        entry["path"] = json!(frame.view().path(&path.to_string_lossy()));
        entry["uri"] = json!(file_uri(&path)?);
        Some(entry)
    };
    gone.into_iter().filter_map(entry).take(MOST_FILES).collect()
}

/// The newest state of a file that holds something.
fn last_text(asked: &Snapshot, answers: &Answers<'_>, path: &Path) -> Option<Value> {
    let is_empty = |state: &Value| {
        let uri = state["text"].as_str().and_then(|uri| Url::parse(uri).ok());
        let text = uri.and_then(|uri| document_of(asked, &uri)).and_then(|id| asked.page(&id));
        text.is_none_or(|page| page.rendered.text.is_empty())
    };
    states(asked, answers, path).into_iter().find(|state| !is_empty(state))
}

/// A choice that a message offers: its words, the file, the document with its text.
struct Choice {
    words: String,
    wanted: Wanted,
}

impl Choice {
    fn of(file: &Url, entry: &Value, words: String) -> Option<Choice> {
        let text = Url::parse(entry["text"].as_str()?).ok()?;
        Some(Choice { words, wanted: Wanted { uri: file.clone(), text } })
    }
}

/// The command. Without a text it asks which one, without a file which of those that are gone.
pub(super) fn execute(server: &Server, uri: Option<Url>, text: Option<Url>) {
    let state = server.state.clone();
    server.state.detach("a restore", async move {
        match (uri, text) {
            (Some(uri), Some(text)) => state.restore(Wanted { uri, text }).await,
            (Some(uri), None) => {
                state.restore_one_of("Restore which text of the file?", move |asked| of_file(asked, &uri)).await
            }
            (None, _) => state.restore_one_of("Restore which deleted file?", of_deleted).await,
        }
    });
}

fn of_file(asked: &Snapshot, uri: &Url) -> Vec<Choice> {
    let Some(path) = DocumentKey::from_url(uri).file_path() else { return Vec::new() };
    let frame = asked.frame(Some(&path));
    let answers = Answers::new(&asked.engine.workspace, &frame);
    let words = |entry: &Value| {
        let word = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        format!("{} · {}", word("label"), word("description"))
    };
    let states = states(asked, &answers, &path);
    states.iter().filter_map(|entry| Choice::of(uri, entry, words(entry))).take(MOST_CHOICES).collect()
}

fn of_deleted(asked: &Snapshot) -> Vec<Choice> {
    let choice = |entry: &Value| {
        let file = Url::parse(entry["uri"].as_str()?).ok()?;
        Choice::of(&file, entry, format!("{} · {}", entry["path"].as_str()?, entry["label"].as_str()?))
    };
    deleted_files(asked).iter().filter_map(choice).take(MOST_CHOICES).collect()
}

impl State {
    async fn restore_one_of(
        self: Arc<Self>,
        question: &str,
        choices: impl FnOnce(&Snapshot) -> Vec<Choice> + Send + 'static,
    ) {
        let choices = self.answer(Lane::Slow, choices).await.unwrap_or_default();
        if choices.is_empty() {
            return self.client.show_message(MessageType::INFO, "No text is known that could be restored.");
        }
        let titles: Vec<&String> = choices.iter().map(|choice| &choice.words).collect();
        let Some(chosen) = self.choose(question.to_owned(), &titles).await else { return };
        let chosen = choices.into_iter().find(|choice| choice.words == chosen);
        if let Some(choice) = chosen {
            self.restore(choice.wanted).await;
        }
    }

    async fn restore(self: Arc<Self>, wanted: Wanted) {
        let question = Question::new(&self, wanted);
        let answer = move |asked: &Snapshot| {
            let restored = Restored::new(asked, &question)?;
            let path = restored.path.display();
            let profile = &asked.profile;
            let edit = restored.edit(asked, &question.open);
            if edit.is_empty() {
                return Err(format!("{path} holds this text already."));
            }
            if !profile.apply_edit || (restored.now.is_none() && !profile.workspace_edit.create) {
                return Err(format!(
                    "This editor lets no server do that. turnlens log {path} lists the texts, turnlens cat prints one."
                ));
            }
            Ok(edit.to_json(profile, None))
        };
        let edit = self.answer(Lane::Quick, answer).await;
        match edit.unwrap_or_else(|error| Err(error.message.into_owned())) {
            Ok(edit) => self.apply(edit, None).await,
            Err(message) => self.client.show_message(MessageType::INFO, message),
        }
    }
}
