//! `textDocument/codeLens` and `codeLens/resolve`.

use std::time::{Duration, Instant};

use lens::{DocLens, DocLensKind, DocumentId, Form, LensKind, Part, Scope, StepRef};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower_lsp::jsonrpc::Result;
use tower_lsp::lsp_types::{CodeLens, CodeLensParams, Command, Position, Range};
use url::Url;

use super::commands;
use super::target::{Code, CodeTarget, Target, address};
use crate::answers::Answers;
use crate::answers::documents::Page;
use crate::lsp::Server;
use crate::news::TYPING;
use crate::pool::Lane;
use crate::settings::LensScope;
use crate::state::{Snapshot, State};
use crate::text::LineSplice;
use crate::uri::DocumentKey;

/// What is kept is made anew after so long: days end and files are committed without a word to us.
const MOST_AGE: Duration = Duration::from_secs(60);

/// The lenses of an open document. They move with the text while somebody types, and change when that is over.
pub(crate) struct Rows {
    lenses: Vec<Row>,
    version: i32,
    generation: u64,
    made: Instant,
    typed: Option<Instant>,
}

#[derive(Clone)]
struct Row {
    /// As the engine counts.
    line: u32,
    title: String,
    /// The command's id and its argument, without the place, which moves.
    command: &'static str,
    argument: Value,
}

impl Rows {
    /// Moves the rows with the text.
    pub(crate) fn change(&mut self, version: i32, splices: &[LineSplice]) {
        self.typed = Some(Instant::now());
        for splice in splices {
            let (start, end) = (splice.start_line, splice.start_line + splice.old_lines);
            for row in &mut self.lenses {
                let line = row.line as usize;
                let moved = match () {
                    () if line < start => line,
                    () if line >= end => line - splice.old_lines + splice.new_lines,
                    // A line that was changed keeps its place as far as there are lines.
                    () => start + (line - start).min(splice.new_lines.saturating_sub(1)),
                };
                row.line = u32::try_from(moved).unwrap_or(u32::MAX);
            }
        }
        self.version = version;
    }

    /// The rows may change at once.
    pub(crate) fn saved(&mut self) {
        self.typed = None;
        self.generation = u64::MAX;
    }

    fn may_stay(&self, version: i32, generation: u64) -> bool {
        let typing = self.typed.is_some_and(|at| at.elapsed() < TYPING);
        let same_logs = self.generation == generation && self.made.elapsed() < MOST_AGE;
        self.version == version && (typing || (self.typed.is_none() && same_logs))
    }
}

/// What a lens over a document of ours carries until it is in sight.
#[derive(Serialize, Deserialize)]
struct Unresolved {
    uri: Url,
    line: u32,
    step: Option<(u32, Vec<u32>)>,
}

pub(crate) async fn lenses(server: &Server, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
    let uri = params.text_document.uri;
    let target = server.state.target(&uri);
    let key = DocumentKey::from_url(&uri);
    let version = server.state.documents.get(&key).map(|document| document.version);
    let answer = move |asked: &Snapshot| match target {
        Target::Ours(id) => asked.page(&id).map(|page| in_document(asked, &page, &uri)),
        Target::Code(target) if is_log(&target) => in_log(asked, &target),
        Target::Code(target) => in_code(asked, &key, version, &target),
        Target::Other => None,
    };
    server.state.answer(Lane::Quick, answer).await
}

fn in_code(asked: &Snapshot, key: &DocumentKey, version: Option<i32>, target: &CodeTarget) -> Option<Vec<CodeLens>> {
    let scope = match asked.settings.code_lens {
        LensScope::Auto => Scope::Auto,
        LensScope::Recent => Scope::Recent,
        LensScope::All => Scope::All,
        LensScope::File => Scope::File,
        LensScope::Off => return None,
    };
    let frame = asked.frame(Some(&target.path));
    let answers = Answers::new(&asked.engine.workspace, &frame);
    let generation = answers.moment.logs().generation();
    if let Some(version) = version
        && let Some(rows) = asked.engine.rows.get(key)
        && rows.may_stay(version, generation)
    {
        let lens = |row: &Row| row.lens(&target.uri, target.lsp_line(row.line));
        return Some(rows.lenses.iter().map(lens).collect());
    }
    let code = asked.code(&answers, target)?;
    if code.is_excluded {
        return None;
    }
    let rows = rows_of(asked, &answers, &code, scope);
    if asked.cancel.is_cancelled() {
        return None;
    }
    let lenses = rows.iter().map(|row| row.lens(&target.uri, code.start_of(row.line).line)).collect();
    if let Some(version) = version
        && answers.moment.reading().is_none()
    {
        let made = Instant::now();
        // Was it changed in the meantime, then the next request makes them anew.
        asked.engine.rows.insert(key.clone(), Rows { lenses: rows, version, generation, made, typed: None });
    }
    Some(lenses)
}

fn rows_of(asked: &Snapshot, answers: &Answers<'_>, code: &Code, scope: Scope) -> Vec<Row> {
    let owners = answers.owners(&code.view);
    let lines: Vec<&str> = provenance::lines(&code.view.text).collect();
    let view = answers.frame.view();
    let lenses = lens::code_lenses(&lines, &owners.of_line, &owners.table, code.is_excluded, scope, &view);
    let address_of = |owner: u32| {
        let step = owners.steps.get(owner as usize).and_then(|step| code.view.step_of(*step))?;
        Some(step.address())
    };
    let row = |lens: &lens::Lens| {
        let (command, argument) = match &lens.kind {
            LensKind::Turn { owner } => {
                let address = address_of(*owner)?;
                (commands::own_or(asked, commands::OPEN_TURN, commands::SHOW), json!({ "address": address }))
            }
            LensKind::Turns { owners } => {
                let mut addresses: Vec<String> = owners.iter().filter_map(|owner| address_of(*owner)).collect();
                addresses.dedup();
                (commands::MENU, json!({ "addresses": addresses }))
            }
            LensKind::File => (commands::MENU, json!({})),
        };
        Some(Row { line: lens.line, title: lens.title.clone(), command, argument })
    };
    lenses.iter().filter_map(row).collect()
}

impl Row {
    fn lens(&self, uri: &Url, line: u32) -> CodeLens {
        let range = Range { start: Position { line, character: 0 }, end: Position { line, character: 0 } };
        let mut argument = self.argument.clone();
        argument["uri"] = json!(uri);
        argument["range"] = json!(range);
        let command = Command::new(self.title.clone(), self.command.into(), Some(vec![argument]));
        CodeLens { range, command: Some(command), data: None }
    }
}

fn is_log(target: &CodeTarget) -> bool {
    target.path.extension().is_some_and(|extension| extension == "jsonl")
}

/// One lens over a log that was opened as it is.
fn in_log(asked: &Snapshot, target: &CodeTarget) -> Option<Vec<CodeLens>> {
    let frame = asked.frame(None);
    let answers = Answers::new(&asked.engine.workspace, &frame);
    let logs = answers.moment.logs();
    let real = target.path.canonicalize().ok()?;
    let is_it = |path: &std::path::Path| path == target.path || path.canonicalize().is_ok_and(|path| path == real);
    let name = target.path.file_name();
    let mut same_name =
        logs.summaries().filter(|path| logs.file(path.log).is_some_and(|file| file.file_name() == name));
    let log = same_name.find(|path| logs.file(path.log).is_some_and(is_it))?;
    let argument = json!({ "address": &*log.session });
    let range = Range::default();
    let command = Command::new("Open as trace".into(), commands::SHOW.into(), Some(vec![argument]));
    Some(vec![CodeLens { range, command: Some(command), data: None }])
}

fn in_document(asked: &Snapshot, page: &Page, uri: &Url) -> Vec<CodeLens> {
    let frame = asked.frame_of(&page.id);
    let answers = Answers::new(&asked.engine.workspace, &frame);
    let Some(view) = &page.session else { return Vec::new() };
    let reading = answers.moment.reading().is_some();
    let shown = frame.view();
    let lens = |lens: &DocLens| {
        let position = Position { line: lens.line, character: 0 };
        let range = Range { start: position, end: position };
        if lens.kind == DocLensKind::Life {
            let edits =
                |step: &StepRef| view.session.step(step.turn, &step.steps).is_none_or(|at| !at.step.edits().is_empty());
            if !lens.step.as_ref().is_none_or(edits) {
                return None;
            }
            let step = lens.step.as_ref().map(|step| (step.turn, step.steps.clone()));
            let data = json!(Unresolved { uri: uri.clone(), line: lens.line, step });
            return (!reading).then_some(CodeLens { range, command: None, data: Some(data) });
        }
        let (id, argument) = command_of(asked, &answers, page, lens)?;
        let title = lens.title(&view.session, &shown, &answers)?;
        Some(CodeLens { range, command: Some(Command::new(title, id.into(), Some(vec![argument]))), data: None })
    };
    page.rendered.lenses.iter().filter_map(lens).collect()
}

/// What a lens over a document does. `None`: nothing that this client or we can do.
fn command_of(asked: &Snapshot, answers: &Answers<'_>, page: &Page, lens: &DocLens) -> Option<(&'static str, Value)> {
    let view = page.session.as_ref()?;
    let id = &*view.session.path.session;
    let step = lens.step.clone().or_else(|| match &page.id {
        DocumentId::Trace { part: Part::Turn(turn), .. } => Some(StepRef { turn: *turn, steps: Vec::new() }),
        _ => None,
    });
    let session = workspace::short_session(id);
    let there = step.as_ref().map_or_else(|| session.to_owned(), |step| address(id, step));
    let of_client = |command: &'static str| asked.profile.has_command(command).then_some(command);
    let with_address = || json!({ "address": there });
    match lens.kind {
        DocLensKind::Life => None,
        DocLensKind::Changes => match &step {
            Some(_) => Some((commands::own_or(asked, commands::TURN_CHANGES, commands::DIFF), with_address())),
            None => None,
        },
        DocLensKind::Diff => Some((commands::own_or(asked, commands::STEP_DIFF, commands::DIFF), with_address())),
        DocLensKind::Before => {
            let step = step?;
            let at = view.session.step(step.turn, &step.steps)?;
            let spelled = &at.step.edits().first()?.path;
            let (id, name) = answers.named_file(view, (step.turn, &step.steps), lens::Moment::Before, spelled);
            Some((commands::SHOW, json!({ "document": id.uri(&name) })))
        }
        DocLensKind::Raw => {
            let step = step?;
            let (id, name) = answers.named_part(view, Part::Record { turn: step.turn, steps: step.steps });
            Some((commands::SHOW, json!({ "document": id.uri(&name) })))
        }
        DocLensKind::Undo => Some((commands::undo_of(asked, step.as_ref()?)?, with_address())),
        DocLensKind::Resume => {
            let command = of_client("turnlens.resumeSession").or_else(|| of_client("turnlens.copyResumeCommand"))?;
            Some((command, with_address()))
        }
        DocLensKind::FindInSession => Some((of_client("turnlens.findInSession")?, with_address())),
        DocLensKind::Export => Some((of_client("turnlens.exportSession")?, with_address())),
        DocLensKind::Filter => Some((commands::MENU, json!({ "filter": session }))),
        DocLensKind::WholeSession => {
            let turn = step?.turn;
            let page = lens::pages(&view.session).find(|(from, to)| (*from..=*to).contains(&turn))?;
            let part = if page.0 <= 1 { Part::Session } else { Part::Turns { from: page.0, to: None } };
            let (id, name) = answers.named_part(view, part);
            Some((commands::SHOW, json!({ "document": id.uri(&name), "address": there })))
        }
        DocLensKind::PreviousTurn | DocLensKind::NextTurn => {
            let turn = step?.turn;
            let wanted = if lens.kind == DocLensKind::NextTurn { turn + 1 } else { turn.checked_sub(1)? };
            view.session.path.turn(wanted)?;
            let address = address(id, &StepRef { turn: wanted, steps: Vec::new() });
            match &page.id {
                DocumentId::Trace { part: Part::Turn(_), .. } => Some((commands::SHOW, json!({ "address": address }))),
                here => Some((commands::SHOW, json!({ "document": here.uri(&page.name), "address": address }))),
            }
        }
    }
}

pub(crate) async fn resolve(server: &Server, mut lens: CodeLens) -> Result<CodeLens> {
    let Some(data) = lens.data.take() else { return Ok(lens) };
    let Ok(unresolved) = serde_json::from_value::<Unresolved>(data) else { return Ok(lens) };
    let Target::Ours(id) = server.state.target(&unresolved.uri) else { return Ok(lens) };
    server.state.answer(Lane::Quick, move |asked| resolved(asked, &id, unresolved, lens)).await
}

fn resolved(asked: &Snapshot, id: &DocumentId, unresolved: Unresolved, mut lens: CodeLens) -> CodeLens {
    const NOTHING: &str = "nothing known of it now";
    let frame = asked.frame_of(id);
    let answers = Answers::new(&asked.engine.workspace, &frame);
    let DocumentId::Trace { session, .. } = id else { return lens };
    let Some(view) = answers.session_of_key(session) else { return lens };
    let step = unresolved.step.map(|(turn, steps)| StepRef { turn, steps });
    let life = DocLens { line: unresolved.line, step: step.clone(), kind: DocLensKind::Life };
    let title = life.title(&view.session, &frame.view(), &answers).unwrap_or_else(|| NOTHING.into());
    let place = json!({ "uri": unresolved.uri, "range": lens.range });
    let session = &view.session.path.session;
    let (command, argument) = match &step {
        Some(step) if !step.steps.is_empty() => {
            let mut argument = place;
            argument["code"] = json!(address(session, step));
            (commands::own_or(asked, commands::OPEN_CODE, commands::SHOW), argument)
        }
        Some(step) => {
            let argument = json!({ "address": address(session, step) });
            (commands::own_or(asked, commands::TURN_CHANGES, commands::DIFF), argument)
        }
        None => (commands::SHOW, json!({ "address": workspace::short_session(session) })),
    };
    lens.command = Some(Command::new(title, command.into(), Some(vec![argument])));
    lens
}

impl State {
    /// The lines of a document became others: its lenses move along.
    pub(crate) fn move_rows(&self, key: &DocumentKey, version: i32, splices: &[LineSplice]) {
        if let Some(mut rows) = self.snapshot().engine.rows.get_mut(key) {
            rows.change(version, splices);
        }
    }
}

/// The changes of a turn or a step as a document.
pub(crate) fn changes_part(step: &StepRef) -> Part {
    Part::Changes { turn: step.turn, steps: step.steps.clone(), form: Form::Then }
}
