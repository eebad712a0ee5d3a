//! What editors and the terminal show, made of what the workspace knows: the part that is the same for both.

mod commits;
pub(crate) mod doctor;
pub(crate) mod documents;
pub(crate) mod line;
mod now;
pub(crate) mod owners;
pub(crate) mod speed;
pub(crate) mod states;
pub(crate) mod undo;

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use trace::Timestamp;
use workspace::{FileView, Moment, SessionView, StepRef, Workspace};

use crate::time::LocalZone;

/// For whom and when something is answered.
pub(crate) struct Frame {
    pub(crate) now: Timestamp,
    pub(crate) zone: LocalZone,
    pub(crate) document: lens::Settings,
    /// `recentHours`.
    pub(crate) recent_hours: f64,
    /// Paths below it are written relative to it.
    pub(crate) root: Option<String>,
    pub(crate) home: Option<String>,
    /// Buffers that may differ from the disk.
    pub(crate) buffers: Option<Box<dyn Buffers>>,
}

/// The buffers of an editor.
pub(crate) trait Buffers {
    /// Who wrote the lines of a file's buffer. `None`: the file is not open.
    fn view(&self, moment: &Moment<'_>, path: &Path) -> Option<Arc<FileView>>;
}

impl Frame {
    pub(crate) fn view(&self) -> lens::View<'_> {
        lens::View {
            now: self.now,
            zone: &self.zone,
            settings: self.document,
            root: self.root.as_deref(),
            home: self.home.as_deref(),
            live: None,
        }
    }
}

/// By session, turn and step.
type Lives = HashMap<(Arc<str>, u32, Vec<u32>), Option<lens::StepLife>>;

/// Answers of one moment. Made for one request.
pub(crate) struct Answers<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) moment: Moment<'a>,
    pub(crate) frame: &'a Frame,
    /// What became of steps, asked already in this request.
    lives: RefCell<Lives>,
}

impl<'a> Answers<'a> {
    pub(crate) fn new(workspace: &'a Workspace, frame: &'a Frame) -> Answers<'a> {
        Answers { workspace, moment: workspace.moment(), frame, lives: RefCell::default() }
    }

    /// Who wrote the lines of a file's buffer. `None`: the file is not open, so it is what lies on the disk.
    pub(crate) fn buffer(&self, path: &Path) -> Option<Arc<FileView>> {
        self.frame.buffers.as_ref()?.view(&self.moment, path)
    }

    /// Who wrote the lines of a file's buffer, else of the file. `None`: it cannot be read.
    pub(crate) fn file(&self, path: &Path) -> Option<Arc<FileView>> {
        self.buffer(path).or_else(|| self.moment.file(path).ok().map(Arc::new))
    }

    /// A session to be rendered.
    pub(crate) fn source<'s>(&'s self, view: &'s SessionView) -> lens::Source<'s> {
        lens::Source { session: &view.session, bodies: self.moment.bodies(), view: self.frame.view() }
    }

    /// The step as hovers, histories and lenses name it.
    pub(crate) fn writer(&self, step: &StepRef) -> lens::Writer {
        lens::Writer {
            agent: step.agent.short().into(),
            session: step.session.as_ref().into(),
            turn: step.turn,
            step: step.label().into(),
            title: step.title.clone(),
            at: Some(step.at),
        }
    }
}

/// The command that takes a session up again. `None`: its id, which comes from a log and goes into a shell, is no word
/// that an agent gives; it could be a command, or an option of the agent's.
pub(crate) fn resume_command(agent: trace::Agent, id: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_word = id.starts_with(|c: char| c.is_ascii_alphanumeric()) && id.chars().all(is_plain);
    is_word.then(|| agent.resume_command(id))
}

/// A step's place inside its session.
pub(crate) fn place_of(step: &StepRef) -> lens::StepRef {
    lens::StepRef { turn: step.turn, steps: step.numbers.clone() }
}
