//! Documents: one file for each kind.

mod body;
mod changes;
mod history;
mod numbers;
mod outline;
mod page;
mod search;
mod session;
mod sessions;
mod side;
mod steps;
mod turn;

use std::sync::Arc;

use trace::{Bodies, Body, Content, LogId, Place, Session, StepAt};

pub use body::{BodyKind, prompt, step_body};
pub use changes::{CommitText, FileDiff, changes, commit, file_diffs, turn_changes, unified_diff};
pub use history::{HistoryEntry, LineHistory, line_history};
pub use outline::outline;
pub use search::{SearchHit, SearchResults, SearchSession, search_results};
pub use session::{filtered, pages, session_page};
pub use sessions::{SessionList, SessionRow, SessionState, session_list};
pub use side::side;
pub use turn::turn;

pub(crate) use numbers::{TurnNumbers, plus_minus};
pub(crate) use page::{Page, Row};
pub(crate) use steps::place_text;

use crate::DocumentId;
use crate::document_id::{Form, Part, session_key};
use crate::rendered::{LinkTarget, Rendered, StepRef};
use crate::view::View;

/// No page of a session is larger, unless one turn's rows alone are.
pub(crate) const PAGE_BYTES: usize = 256 * 1024;

/// No line of a page is longer, in characters; the whole line is in the body's own document.
const LINE_WIDTH: usize = 1_000;

/// A session, its texts, and for whom it is rendered.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    pub session: &'a Session,
    pub bodies: &'a dyn Bodies,
    pub view: View<'a>,
}

/// Renders a part of a session. `None`: there is no such turn or step, or the document is one of what is true now
/// (a file at a step, the changes that still stand), which needs more than the log.
pub fn render(source: &Source<'_>, part: &Part) -> Option<Rendered> {
    match part {
        Part::Session => Some(session_page(source, 1, None)),
        Part::Turns { from, to } => source.session.path.turn(*from).map(|_| session_page(source, *from, *to)),
        Part::Turn(number) => turn(source, *number),
        Part::Prompt(number) => prompt(source, *number),
        Part::Side { turn, steps } => side(source, *turn, steps),
        Part::Thought { turn, steps } => step_body(source, *turn, steps, BodyKind::Thought),
        Part::Input { turn, steps } => step_body(source, *turn, steps, BodyKind::Input),
        Part::Output { turn, steps } => step_body(source, *turn, steps, BodyKind::Output),
        Part::Record { turn, steps } => step_body(source, *turn, steps, BodyKind::Record),
        Part::Changes { turn, steps, form: Form::Then } => turn_changes(source, *turn, steps),
        Part::Changes { form: Form::Now, .. } | Part::File { .. } => None,
        Part::Only(filter) => Some(filtered(source, filter)),
        Part::Outline => Some(outline(source)),
    }
}

impl<'a> Source<'a> {
    pub(crate) fn content(&self, log: LogId, place: Place) -> Option<Arc<Content>> {
        match self.bodies.body(log, place) {
            Body::Here(content) => Some(content),
            Body::Gone => None,
        }
    }

    /// The record that tells what a step changed: its result, or its call where the result says no more.
    pub(crate) fn changes_of(&self, at: &StepAt<'_>) -> Option<Arc<Content>> {
        let result = at.step.result.as_ref().and_then(|result| self.content(at.log, result.place));
        match result {
            Some(content) if !content.changes.is_empty() => Some(content),
            _ => self.content(at.log, at.step.place).filter(|content| !content.changes.is_empty()),
        }
    }

    /// The document of a part of this session.
    pub(crate) fn document(&self, part: Part) -> DocumentId {
        let path = &self.session.path;
        DocumentId::Trace { agent: path.agent, session: session_key(&path.session), part }
    }

    pub(crate) fn link(&self, part: Part, name: &str) -> LinkTarget {
        LinkTarget::Document(self.document(part), name.to_owned())
    }

    /// The session's name, also where it has none.
    pub(crate) fn title(&self) -> String {
        match crate::text::one_line(self.session.path.title()) {
            title if title.is_empty() => "Untitled session".into(),
            title => title,
        }
    }

    /// Whether the turn can still grow: the last one of a session that runs.
    pub(crate) fn is_open(&self, turn: u32) -> bool {
        self.view.live.is_some() && self.session.path.turns.last().is_some_and(|last| last.number == turn)
    }
}

/// The parts of a step's documents.
pub(crate) fn of_step(step: &StepRef, make: impl FnOnce(u32, Vec<u32>) -> Part) -> Part {
    make(step.turn, step.steps.clone())
}
