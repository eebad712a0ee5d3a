//! What undoing a turn or a step comes to, in numbers and words.

use std::path::Path;
use std::sync::Arc;

use lens::{Stay, StepRef, Undoing};
use workspace::{Because, FileUndo, Outcome, SessionView};

use super::{Answers, place_of};

/// A turn or a step undone from the texts as they are now.
pub(crate) struct Undone {
    pub(crate) undoing: Undoing,
    pub(crate) files: Vec<FileUndo>,
}

impl Undone {
    pub(crate) fn is_nothing(&self) -> bool {
        self.files.iter().all(|file| file.outcome == Outcome::Unchanged)
    }

    /// Every hunk that stays, with its file.
    pub(crate) fn stays(&self) -> impl Iterator<Item = (&FileUndo, &workspace::Stays)> {
        self.files.iter().flat_map(|file| file.stays.iter().map(move |stays| (file, stays)))
    }
}

impl Answers<'_> {
    /// `None`: there is no such turn or step. `open` gives the text of a file that an editor holds.
    pub(crate) fn undo(
        &self,
        view: &SessionView,
        step: &StepRef,
        open: &dyn Fn(&Path) -> Option<Arc<str>>,
    ) -> Option<Undone> {
        let steps = self.steps_of(view, step.turn, &step.steps)?;
        let files = self.moment.undo(view, &steps, open);
        let mut undoing = Undoing {
            session: view.session.path.session.as_ref().into(),
            of: Some(step.clone()),
            ..Undoing::default()
        };
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        for file in &files {
            if file.outcome == Outcome::Delete {
                undoing.made.push(file.here.to_string_lossy().into());
                continue;
            }
            undoing.hunks += count(file.hunks);
            undoing.undone += count(file.undone);
            undoing.files += u32::from(file.undone > 0);
            undoing.stays.extend(file.stays.iter().map(|stays| stay(&stays.because)));
        }
        Some(Undone { undoing, files })
    }
}

pub(crate) fn stay(because: &Because) -> Stay {
    match because {
        Because::Step(step) => Stay::Step { session: step.session.as_ref().into(), step: place_of(step) },
        Because::Unsaved => Stay::Unsaved,
        Because::Nobody => Stay::NoRecordedTurn,
        Because::FileGone => Stay::FileGone,
        Because::FileThere => Stay::FileThere,
        Because::NotKnown => Stay::NotKnown,
    }
}
