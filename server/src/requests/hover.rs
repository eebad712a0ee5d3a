//! `textDocument/hover`.

use lens::{DocumentId, HoverForm, HoverLink, Links, Markup, Part, StepRef};
use serde_json::{Value, json};
use tower_lsp::jsonrpc::Result;
use tower_lsp::lsp_types::{Hover, HoverContents, HoverParams, MarkupContent, MarkupKind, Position, Range};
use url::Url;

use super::commands;
use super::target::{Code, Target, address};
use crate::answers::Answers;
use crate::lsp::Server;
use crate::pool::Lane;
use crate::profile::HoverLinks;
use crate::settings;
use crate::state::Snapshot;

/// A recent line is one that is not committed, or whose turn ended so many hours ago: see `recentHours`.
const HOUR_MS: f64 = 3_600_000.0;

pub(crate) async fn hover(server: &Server, params: HoverParams) -> Result<Option<Hover>> {
    let at = params.text_document_position_params;
    let target = server.state.target(&at.text_document.uri);
    let answer = move |asked: &Snapshot| match target {
        Target::Code(target) => {
            let frame = asked.frame(Some(&target.path));
            let answers = Answers::new(&asked.engine.workspace, &frame);
            let code = asked.code(&answers, &target).filter(|code| !code.is_excluded)?;
            let line = code.line_at(asked, at.position);
            let form = form(asked, &answers, &code, line)?;
            let text = in_code(asked, &answers, &code, line, form)?;
            Some(answer_of(asked, text, code.range_of(asked, line)))
        }
        Target::Ours(id) => in_document(asked, &id, &at.text_document.uri, at.position),
        Target::Other => None,
    };
    server.state.answer(Lane::Quick, answer).await
}

fn answer_of(asked: &Snapshot, text: String, range: Range) -> Hover {
    let kind = if asked.profile.hover_markdown { MarkupKind::Markdown } else { MarkupKind::PlainText };
    Hover { contents: HoverContents::Markup(MarkupContent { kind, value: text }), range: Some(range) }
}

pub(crate) fn markup(asked: &Snapshot) -> Markup {
    if asked.profile.hover_markdown { Markup::Markdown } else { Markup::Plain }
}

/// How much is told of a line; `None`: nothing is.
fn form(asked: &Snapshot, answers: &Answers<'_>, code: &Code, line: u32) -> Option<HoverForm> {
    Some(match asked.settings.hover {
        settings::HoverForm::Full => HoverForm::Full,
        settings::HoverForm::Compact => HoverForm::Compact,
        settings::HoverForm::Line => HoverForm::Line,
        settings::HoverForm::Off => return None,
        settings::HoverForm::Auto => {
            let step = code.view.step(line as usize)?;
            let age = (answers.frame.now.0 - step.turn_ended.0) as f64;
            let is_new = age < answers.frame.recent_hours * HOUR_MS || is_uncommitted(answers, code, line);
            if is_new { HoverForm::Full } else { HoverForm::Compact }
        }
    })
}

fn is_uncommitted(answers: &Answers<'_>, code: &Code, line: u32) -> bool {
    answers.moment.not_in_head(&code.view).is_none_or(|ranges| ranges.iter().any(|range| range.contains(&line)))
}

/// What is said of a line (from 0) of code.
pub(crate) fn in_code(
    asked: &Snapshot,
    answers: &Answers<'_>,
    code: &Code,
    line: u32,
    form: HoverForm,
) -> Option<String> {
    let range = code.range_of(asked, line);
    let links = LinkMaker { asked, answers, uri: &code.uri, range };
    answers.code_hover(&code.view, line, form, markup(asked), &links)
}

fn in_document(asked: &Snapshot, id: &DocumentId, uri: &Url, position: Position) -> Option<Hover> {
    let page = asked.page(id)?;
    let anchor = lens::spot(&page.rendered, position.line)?;
    let frame = asked.frame_of(id);
    let answers = Answers::new(&asked.engine.workspace, &frame);
    let view = page.session.as_ref().filter(|_| anchor.session.is_none())?;
    let range = asked.range_in(&page, position.line);
    let links = LinkMaker { asked, answers: &answers, uri, range };
    let text = lens::trace_hover(&answers.source(view), anchor, &answers, markup(asked), &links)?;
    Some(answer_of(asked, text, range))
}

/// Makes the links of a hover that this client can follow.
struct LinkMaker<'a> {
    asked: &'a Snapshot,
    answers: &'a Answers<'a>,
    /// Where the hover is.
    uri: &'a Url,
    range: Range,
}

impl Links for LinkMaker<'_> {
    fn url(&self, link: HoverLink, session: &str, step: &StepRef) -> Option<String> {
        match self.asked.profile.hover_links {
            HoverLinks::None => None,
            HoverLinks::Command => self.command(link, session, step),
            HoverLinks::Uri => self.file(link, session, step),
        }
    }
}

impl LinkMaker<'_> {
    fn command(&self, link: HoverLink, session: &str, step: &StepRef) -> Option<String> {
        let with_address = || json!({ "address": address(session, step) });
        let place = || json!({ "uri": self.uri, "range": self.range });
        let of_client = |id: &'static str| self.asked.profile.has_command(id).then_some(id);
        let (command, argument) = match link {
            HoverLink::Turn => (commands::own_or(self.asked, commands::OPEN_TURN, commands::SHOW), with_address()),
            HoverLink::Diff | HoverLink::BeforeAfter => {
                (commands::own_or(self.asked, commands::STEP_DIFF, commands::DIFF), with_address())
            }
            HoverLink::History => match of_client(commands::LINE_HISTORY) {
                Some(command) => (command, place()),
                None => (commands::SHOW, with_what(place(), "history")),
            },
            HoverLink::Undo => {
                let turn = StepRef { turn: step.turn, steps: Vec::new() };
                (commands::undo_of(self.asked, &turn)?, json!({ "address": address(session, &turn) }))
            }
            HoverLink::Code => (commands::own_or(self.asked, commands::OPEN_CODE, commands::SHOW), place()),
            HoverLink::BeforeNow => {
                let view = self.answers.moment.session_view(session)?;
                let at = view.session.step(step.turn, &step.steps)?;
                let spelled = &at.step.edits().first()?.path;
                let at = (step.turn, &*step.steps);
                let (id, name) = self.answers.named_file(&view, at, lens::Moment::Before, spelled);
                (commands::SHOW, json!({ "document": id.uri(&name) }))
            }
        };
        Some(format!("command:{command}?{}", escaped(&json!([argument]).to_string())))
    }

    fn file(&self, link: HoverLink, session: &str, step: &StepRef) -> Option<String> {
        let view = self.answers.moment.session_view(session)?;
        match link {
            HoverLink::Turn => {
                let (page, range) = self.asked.place_of_step(self.answers, &view, step, None)?;
                Some(format!("{}#L{}", self.asked.uri_of_page(&page)?, range.start.line + 1))
            }
            HoverLink::Diff | HoverLink::BeforeAfter => {
                self.asked.uri_of_part(self.answers, &view, super::code_lens::changes_part(step))
            }
            HoverLink::BeforeNow => {
                let part = Part::Changes { turn: step.turn, steps: step.steps.clone(), form: lens::Form::Now };
                self.asked.uri_of_part(self.answers, &view, part)
            }
            HoverLink::Code => {
                let life = lens::Now::step(self.answers, session, step.turn, &step.steps)?;
                let first = life.now.first()?;
                let uri = commands::uri_of_file(std::path::Path::new(&*first.path))?;
                Some(format!("{uri}#L{}", first.from))
            }
            HoverLink::History | HoverLink::Undo => None,
        }
    }
}

fn with_what(mut place: Value, what: &str) -> Value {
    place["what"] = json!(what);
    place
}

/// A command's argument as it stands in a link.
fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}
