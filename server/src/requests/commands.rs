//! `workspace/executeCommand`: what lenses, actions and links do.

use std::path::Path;
use std::sync::Arc;

use lens::{DocumentId, Filter, Part, StepRef};
use serde::Deserialize;
use serde_json::Value;
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::lsp_types::request::{ShowDocument, ShowMessageRequest};
use tower_lsp::lsp_types::{
    ExecuteCommandParams, Location, MessageActionItem, MessageType, Range, ShowDocumentParams, ShowMessageRequestParams,
};
use trace::{Address, TurnRef};
use url::Url;
use workspace::{Located, SessionView};

use super::target::{Target, address, file_uri};
use super::{line, restore, undo};
use crate::answers::{Answers, place_of};
use crate::log;
use crate::lsp::Server;
use crate::pool::Lane;
use crate::state::{Snapshot, State};

pub(crate) const SHOW: &str = "turnlens.server.show";
pub(crate) const DIFF: &str = "turnlens.server.diff";
pub(crate) const MENU: &str = "turnlens.server.menu";
pub(crate) const UNDO: &str = "turnlens.server.undo";
pub(crate) const RESTORE: &str = "turnlens.server.restore";
/// The commands of the server itself.
pub(crate) const ALL: [&str; 5] = [SHOW, DIFF, MENU, UNDO, RESTORE];

pub(crate) const OPEN_TURN: &str = "turnlens.openTurn";
pub(crate) const OPEN_CODE: &str = "turnlens.openCode";
pub(crate) const STEP_DIFF: &str = "turnlens.showStepDiff";
pub(crate) const TURN_CHANGES: &str = "turnlens.showTurnChanges";
pub(crate) const UNDO_TURN: &str = "turnlens.undoTurn";
pub(crate) const UNDO_STEP: &str = "turnlens.undoStep";
pub(crate) const LINE_HISTORY: &str = "turnlens.showLineHistory";
pub(crate) const EXPLAIN: &str = "turnlens.explainLine";

/// The client's command if it has it, else the server's.
pub(crate) fn own_or(asked: &Snapshot, own: &'static str, servers: &'static str) -> &'static str {
    if asked.profile.has_command(own) { own } else { servers }
}

/// The command that takes back a turn or a step. `None`: neither the client nor we can do it.
pub(crate) fn undo_of(asked: &Snapshot, step: &StepRef) -> Option<&'static str> {
    let own = if step.steps.is_empty() { UNDO_TURN } else { UNDO_STEP };
    match asked.profile.has_command(own) {
        true => Some(own),
        false => asked.profile.apply_edit.then_some(UNDO),
    }
}

/// What a command is about.
#[derive(Default, Deserialize)]
struct Argument {
    address: Option<String>,
    addresses: Option<Vec<String>>,
    uri: Option<Url>,
    range: Option<Range>,
    document: Option<Document>,
    /// The document with the text that a file is to have.
    text: Option<Url>,
    /// A session whose filtered forms are offered.
    filter: Option<String>,
    /// `history`, `explain`: what of a line is shown instead of its turn.
    what: Option<String>,
}

/// A document's URI, alone or with a place in it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    Uri(Url),
    Place { uri: Url, range: Option<Range> },
}

/// What a command comes to.
enum Outcome {
    Show(Location, Option<String>),
    Say(String),
    Choose { question: String, choices: Vec<(String, Choice)> },
    Nothing,
}

#[derive(Clone)]
enum Choice {
    /// The turn or step at an address.
    Step(String),
    /// Its changes.
    Changes(String),
    Document(Url),
    /// Something about a line: what, and where.
    Line(&'static str, Url, Range),
}

pub(crate) async fn execute(server: &Server, params: ExecuteCommandParams) -> Result<Option<Value>> {
    let argument = params.arguments.into_iter().next().unwrap_or_default();
    let argument: Argument = serde_json::from_value(argument)
        .map_err(|error| Error::invalid_params(format!("{}: {error}", params.command)))?;
    if params.command == UNDO {
        undo::execute(server, undo::UndoParams::of_command(argument.address, argument.uri, argument.range)).await?;
        return Ok(None);
    }
    if params.command == RESTORE {
        restore::execute(server, argument.uri, argument.text);
        return Ok(None);
    }
    let command = match params.command.as_str() {
        SHOW => show,
        DIFF => diff,
        MENU => menu,
        other => return Err(Error::invalid_params(format!("{other} is no command of this server."))),
    };
    run(&server.state, argument, command).await?;
    Ok(None)
}

type Run = fn(&Snapshot, Argument, Option<Target>) -> Outcome;

async fn run(state: &Arc<State>, argument: Argument, command: Run) -> Result<()> {
    let target = argument.uri.as_ref().map(|uri| state.target(uri));
    let outcome = state.answer(Lane::Quick, move |asked| command(asked, argument, target)).await?;
    let told = state.clone();
    state.detach("a command", async move { told.carry_out(outcome).await });
    Ok(())
}

impl State {
    /// Shows, says or asks what a command came to. Waits for the client, hence never inside a handler.
    async fn carry_out(self: Arc<Self>, outcome: Outcome) {
        match outcome {
            Outcome::Nothing => {}
            Outcome::Say(message) => self.client.show_message(MessageType::INFO, message),
            Outcome::Show(location, message) => {
                if let Some(message) = message {
                    self.client.show_message(MessageType::INFO, message);
                }
                self.show(location).await;
            }
            Outcome::Choose { question, choices } => self.let_choose(question, choices).await,
        }
    }

    async fn show(&self, location: Location) {
        let place = || match location.uri.to_file_path() {
            Ok(path) => format!("{}:{}", path.display(), location.range.start.line + 1),
            Err(()) => location.uri.to_string(),
        };
        if !self.profile().show_document {
            return self.client.show_message(MessageType::INFO, place());
        }
        let params = ShowDocumentParams {
            uri: location.uri.clone(),
            external: Some(false),
            take_focus: Some(true),
            selection: Some(location.range),
        };
        match self.client.ask::<ShowDocument>(params).await {
            Ok(shown) if shown.success => {}
            // Clients disagree on what success is; that nothing is seen is worse than a line too many in the log.
            Ok(_) => log::info!("the client did not show {}", location.uri),
            Err(error) => {
                log::info!("the client did not show {}: {error:?}", location.uri);
                self.client.show_message(MessageType::INFO, place());
            }
        }
    }

    async fn let_choose(self: Arc<Self>, question: String, choices: Vec<(String, Choice)>) {
        let action = |(title, _): &(String, Choice)| MessageActionItem {
            title: title.clone(),
            properties: std::collections::HashMap::new(),
        };
        let actions = Some(choices.iter().map(action).collect());
        let params = ShowMessageRequestParams { typ: MessageType::INFO, message: question, actions };
        // Whoever does not answer has chosen nothing.
        let Ok(Some(chosen)) = self.client.ask_a_person::<ShowMessageRequest>(params).await else { return };
        let Some((_, choice)) = choices.into_iter().find(|(title, _)| *title == chosen.title) else { return };
        let (argument, command): (Argument, Run) = match choice {
            Choice::Step(address) => (Argument { address: Some(address), ..Argument::default() }, show),
            Choice::Changes(address) => (Argument { address: Some(address), ..Argument::default() }, diff),
            Choice::Document(uri) => (Argument { document: Some(Document::Uri(uri)), ..Argument::default() }, show),
            Choice::Line(what, uri, range) => {
                let what = Some(what.to_owned());
                (Argument { uri: Some(uri), range: Some(range), what, ..Argument::default() }, show)
            }
        };
        let target = argument.uri.as_ref().map(|uri| self.target(uri));
        let outcome = self.answer(Lane::Quick, move |asked| command(asked, argument, target)).await;
        if let Ok(outcome @ (Outcome::Show(..) | Outcome::Say(_))) = outcome {
            Box::pin(self.carry_out(outcome)).await;
        }
    }
}

fn show(asked: &Snapshot, argument: Argument, target: Option<Target>) -> Outcome {
    if let Some(document) = argument.document {
        return show_document(asked, document, argument.address.as_deref());
    }
    if let Some(address) = &argument.address {
        let frame = asked.frame(None);
        let answers = Answers::new(&asked.engine.workspace, &frame);
        return match locate(asked, &answers, address) {
            Ok(found) => show_located(asked, &answers, &found),
            Err(message) => Outcome::Say(message),
        };
    }
    let (Some(target), Some(range)) = (target, argument.range) else {
        return Outcome::Say("A command needs an address, a document, or a file and a range.".into());
    };
    match (target, argument.what.as_deref()) {
        (Target::Code(target), Some("history")) => {
            let frame = asked.frame(Some(&target.path));
            let answers = Answers::new(&asked.engine.workspace, &frame);
            let Some(code) = asked.code(&answers, &target) else { return no_file(&target.path) };
            let (first, last) = code.lines_of(asked, range);
            let history = answers.line_history(&code.view, first + 1, last + 1);
            show_named(asked, &answers, crate::answers::documents::Named::History(history))
        }
        (Target::Code(target), Some("explain")) => {
            let frame = asked.frame(Some(&target.path));
            let answers = Answers::new(&asked.engine.workspace, &frame);
            let Some(code) = asked.code(&answers, &target) else { return no_file(&target.path) };
            let explanation = answers.explain(&code.view, code.line_at(asked, range.start));
            show_named(asked, &answers, crate::answers::documents::Named::Explained(explanation))
        }
        (Target::Code(target), _) => {
            let frame = asked.frame(Some(&target.path));
            let answers = Answers::new(&asked.engine.workspace, &frame);
            let Some(code) = asked.code(&answers, &target) else { return no_file(&target.path) };
            let line = code.line_at(asked, range.start);
            match line::turn_of(asked, &answers, &code, line) {
                Some(location) => Outcome::Show(location, None),
                None => Outcome::Say(lens::unanswered(&answers.unanswered(&code.view, line), &frame.view())),
            }
        }
        (Target::Ours(id), _) => {
            let place = line::code_of(asked, &id, range.start.line);
            match place {
                Some((Some(location), message)) => Outcome::Show(location, message),
                Some((None, Some(message))) => Outcome::Say(message),
                _ => Outcome::Say("This line tells of no edit.".into()),
            }
        }
        (Target::Other, _) => Outcome::Say("Nothing is known about this document.".into()),
    }
}

fn no_file(path: &Path) -> Outcome {
    Outcome::Say(format!("{} cannot be read.", path.display()))
}

fn show_named(asked: &Snapshot, answers: &Answers<'_>, named: crate::answers::documents::Named) -> Outcome {
    let (id, name) = asked.engine.documents.name(named);
    shown(asked.uri_of(answers, &id, &name), Range::default())
}

fn shown(uri: Option<String>, range: Range) -> Outcome {
    match uri.and_then(|uri| Url::parse(&uri).ok()) {
        Some(uri) => Outcome::Show(Location { uri, range }, None),
        None => Outcome::Say("The document cannot be written. The log of the server says why.".into()),
    }
}

fn show_document(asked: &Snapshot, document: Document, address: Option<&str>) -> Outcome {
    let (uri, range) = match document {
        Document::Uri(uri) => (uri, None),
        Document::Place { uri, range } => (uri, range),
    };
    let Some(id) = DocumentId::from_uri(uri.as_str()) else {
        return Outcome::Show(Location { uri, range: range.unwrap_or_default() }, None);
    };
    let Some(page) = asked.page(&id) else { return Outcome::Say("There is no such document any more.".into()) };
    let step = address.and_then(|address| address.parse::<Address>().ok()).and_then(|address| match address.turn {
        Some(TurnRef::Number(turn)) => Some(StepRef { turn, steps: address.steps }),
        _ => None,
    });
    let found = step.as_ref().map(|step| lens::find_step(&page.rendered, step, None));
    match (found, address) {
        // Not on this page: the turn has a document of its own.
        (Some(None), Some(address)) => {
            let argument = Argument { address: Some(address.to_owned()), ..Argument::default() };
            show(asked, argument, None)
        }
        (found, _) => {
            let line = found.flatten().map(|shown| shown.head);
            let range = range.or_else(|| line.map(|line| asked.range_in(&page, line)));
            shown(asked.uri_of_page(&page), range.unwrap_or_default())
        }
    }
}

/// What an address names, or a sentence on why it names nothing.
pub(crate) fn locate(asked: &Snapshot, answers: &Answers<'_>, address: &str) -> std::result::Result<Located, String> {
    let address: Address = address.parse()?;
    let repo = asked.folders.first().and_then(|folder| asked.engine.workspace.repo(folder));
    if address.turn == Some(TurnRef::Last) && address.session == trace::SessionRef::Recent(1) {
        let newest = answers.moment.last_editing_turn(repo.as_ref());
        let (view, turn) = newest.ok_or_else(|| match answers.moment.reading() {
            Some((done, total)) => format!("Still reading: {done} of {total} sessions."),
            None => "No agent has edited a file here yet.".to_owned(),
        })?;
        return Ok(Located { view, turn, steps: Vec::new() });
    }
    answers.moment.locate(&address, repo.as_ref())
}

fn show_located(asked: &Snapshot, answers: &Answers<'_>, found: &Located) -> Outcome {
    if found.turn == 0 {
        return shown(asked.uri_of_part(answers, &found.view, Part::Session), Range::default());
    }
    let step = StepRef { turn: found.turn, steps: found.steps.clone() };
    match asked.place_of_step(answers, &found.view, &step, None) {
        Some((page, range)) => shown(asked.uri_of_page(&page), range),
        None => Outcome::Say(lens::log_gone(None)),
    }
}

fn diff(asked: &Snapshot, argument: Argument, target: Option<Target>) -> Outcome {
    let frame = asked.frame(None);
    let answers = Answers::new(&asked.engine.workspace, &frame);
    let found: std::result::Result<(Arc<SessionView>, StepRef), String> = match (&argument.address, target) {
        (Some(address), _) => {
            locate(asked, &answers, address).map(|found| (found.view, StepRef { turn: found.turn, steps: found.steps }))
        }
        (None, Some(target)) => line::step_at(asked, &target, argument.range.unwrap_or_default().start)
            .ok_or_else(|| "No recorded turn wrote this line.".to_owned()),
        (None, None) => Err("A command needs an address, or a file and a range.".into()),
    };
    match found {
        Ok((view, step)) => {
            shown(asked.uri_of_part(&answers, &view, super::code_lens::changes_part(&step)), Range::default())
        }
        Err(message) => Outcome::Say(message),
    }
}

fn menu(asked: &Snapshot, argument: Argument, target: Option<Target>) -> Outcome {
    let frame = asked.frame(None);
    let answers = Answers::new(&asked.engine.workspace, &frame);
    if let Some(session) = &argument.filter {
        return choose_filter(asked, &answers, session);
    }
    if let Some(addresses) = &argument.addresses {
        let choice = |address: &String| {
            let found = locate(asked, &answers, address).ok()?;
            let turn = found.view.session.path.turn(found.turn)?;
            Some((format!("{} · {}", turn.number, turn.title), Choice::Step(address.clone())))
        };
        let choices: Vec<(String, Choice)> = addresses.iter().filter_map(choice).collect();
        return Outcome::Choose { question: "Turns of these lines".into(), choices };
    }
    let (Some(target), Some(uri), Some(range)) = (target, argument.uri, argument.range) else {
        return Outcome::Nothing;
    };
    let mut choices = Vec::new();
    if let Some((view, step)) = line::step_at(asked, &target, range.start) {
        let there = address(&view.session.path.session, &step);
        let turn = address(&view.session.path.session, &StepRef { turn: step.turn, steps: Vec::new() });
        choices.push((format!("Open turn {}", step.turn), Choice::Step(there.clone())));
        choices.push((format!("Show diff of step {}", step.label()), Choice::Changes(there)));
        choices.push((format!("Show changes of turn {}", step.turn), Choice::Changes(turn)));
    }
    if matches!(target, Target::Code(_)) {
        choices.push(("Show line history".into(), Choice::Line("history", uri.clone(), range)));
        choices.push(("Explain this line".into(), Choice::Line("explain", uri, range)));
    }
    match choices.is_empty() {
        true => Outcome::Say("This line tells of no edit.".into()),
        false => Outcome::Choose { question: "Turnlens".into(), choices },
    }
}

/// The forms of a session that show only some of its steps.
fn choose_filter(asked: &Snapshot, answers: &Answers<'_>, session: &str) -> Outcome {
    let found = match locate(asked, answers, session) {
        Ok(found) => found,
        Err(message) => return Outcome::Say(message),
    };
    let filters = [("Prompts", Filter::Prompts), ("Errors", Filter::Errors), ("Edits", Filter::Edits)];
    let choice = |(title, filter): (&str, Filter)| {
        let (id, name) = answers.named_part(&found.view, Part::Only(filter));
        Some((title.to_owned(), Choice::Document(Url::parse(&id.uri(&name)).ok()?)))
    };
    let mut choices: Vec<(String, Choice)> = filters.into_iter().filter_map(choice).collect();
    let outline = answers.named_part(&found.view, Part::Outline);
    choices.extend(Url::parse(&outline.0.uri(&outline.1)).ok().map(|uri| ("Outline".into(), Choice::Document(uri))));
    Outcome::Choose { question: "Show only".into(), choices }
}

/// The step that a line's origin names, for commands.
pub(crate) fn named_step(answers: &Answers<'_>, step: &workspace::StepRef) -> Option<(Arc<SessionView>, StepRef)> {
    Some((answers.moment.session_view(&step.session)?, place_of(step)))
}

/// A file of this machine as a location's URI.
pub(crate) fn uri_of_file(path: &Path) -> Option<String> {
    file_uri(path).map(String::from)
}
