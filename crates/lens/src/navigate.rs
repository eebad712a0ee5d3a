//! From a line of a document to what it tells of, and back.

use trace::Session;

use crate::now::{Gone, LineNow, Now, Place, Span};
use crate::rendered::{Anchor, Part, Rendered, Sign, StepRef};
use crate::text::short_id;

/// What a line tells of. `None`: nothing (a blank line, a header).
pub fn spot(rendered: &Rendered, line: u32) -> Option<&Anchor> {
    let at = rendered.anchors.partition_point(|anchor| anchor.line <= line).checked_sub(1)?;
    rendered.anchors.get(at).filter(|anchor| line - anchor.line < anchor.lines)
}

/// The turn in which a line stands.
pub fn turn_at(rendered: &Rendered, line: u32) -> Option<u32> {
    let at = rendered.anchors.partition_point(|anchor| anchor.line <= line).checked_sub(1)?;
    rendered.anchors.get(at).map(|anchor| anchor.step.turn)
}

/// Where code is that a line of a trace tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    pub place: Option<Place>,
    /// Why it is not the very line: `Removed here by 1.5.`
    pub message: Option<String>,
}

/// The code of a line of a trace as it is now. `None`: the line tells of no edit, or nothing is known of it.
pub fn definition(session: &Session, anchor: &Anchor, now: &dyn Now) -> Option<Definition> {
    let step = &anchor.step;
    if step.steps.is_empty() {
        let first = references(session, anchor, now).into_iter().next()?;
        return Some(Definition { place: Some(first.start()), message: None });
    }
    let id = anchor.session.as_deref().unwrap_or(&session.path.session);
    let life = now.step(id, step.turn, &step.steps)?;
    let heading = || Definition { place: life.now.first().map(Span::start), message: None };
    let Part::Diff { edit, sign, old, new } = anchor.part else {
        return Some(heading()).filter(|found| found.place.is_some());
    };
    let at = session.step(step.turn, &step.steps)?;
    let path = &at.step.edits().get(edit as usize)?.path;
    match sign {
        Sign::Added => match &life.added(path, new)?.now {
            LineNow::At(place) => Some(Definition { place: Some(place.clone()), message: None }),
            LineNow::Gone { by, near } => Some(Definition { place: near.clone(), message: Some(gone(session, by)) }),
        },
        Sign::Removed => {
            let near = life.removed(path, old).and_then(|line| line.near.clone());
            let message = Some(format!("Removed here by {}.", step.label()));
            Some(Definition { place: near, message })
        }
        // A context line is nobody's: the nearest line of the step that is still there.
        Sign::Context => Some(nearest(&life.added, path, new).unwrap_or_else(heading)),
    }
    .filter(|found| found.place.is_some() || found.message.is_some())
}

fn nearest(added: &[crate::now::AddedLine], path: &str, line: u32) -> Option<Definition> {
    let here = added.iter().filter(|known| &*known.path == path).filter_map(|known| match &known.now {
        LineNow::At(place) => Some((known.line.abs_diff(line), place)),
        LineNow::Gone { .. } => None,
    });
    let (_, place) = here.min_by_key(|(distance, _)| *distance)?;
    Some(Definition { place: Some(place.clone()), message: None })
}

/// `Replaced in turn 14 (14.2).`
fn gone(session: &Session, by: &Gone) -> String {
    match by {
        Gone::NoRecordedTurn => "Changed since, by no recorded turn.".into(),
        Gone::By(writer) if *writer.session == *session.path.session => {
            format!("Replaced in turn {} ({}).", writer.turn, writer.step)
        }
        Gone::By(writer) => format!("Replaced in {}:{}.", short_id(&writer.session), writer.step),
    }
}

/// Every line of a turn (or step) that lives, in the order of files and lines.
pub fn references(session: &Session, anchor: &Anchor, now: &dyn Now) -> Vec<Span> {
    let (id, step) = (&*session.path.session, &anchor.step);
    let mut spans = match (step.steps.is_empty(), session.path.turn(step.turn)) {
        (true, Some(turn)) => {
            let mut steps = Vec::new();
            session.steps_of(turn, &mut steps);
            let edits = steps.iter().filter(|at| !at.step.edits().is_empty());
            edits.filter_map(|at| now.step(id, step.turn, &at.numbers)).flat_map(|life| life.now).collect()
        }
        (true, None) => Vec::new(),
        (false, _) => now.step(id, step.turn, &step.steps).map(|life| life.now).unwrap_or_default(),
    };
    spans.sort();
    spans.dedup();
    spans
}

impl Span {
    fn start(&self) -> Place {
        Place { path: self.path.clone(), line: self.from }
    }
}

/// Where a document shows a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its heading or row, for the cursor.
    pub head: u32,
    /// The line of its diff, for the selection. `None`: it is cut, or none was asked for.
    pub line: Option<u32>,
}

/// Finds a step, and of its edit number `edit` (from 0) the line that it wrote at `new` (from 1, in the file after the
/// step). A step without lines of its own, a sub-agent's read for instance, is found at the step that started it.
pub fn find_step(rendered: &Rendered, step: &StepRef, written: Option<(u32, u32)>) -> Option<Shown> {
    let mut wanted = step.clone();
    loop {
        if let Some(head) = rendered.anchors.iter().find(|anchor| anchor.part == Part::Head && anchor.step == wanted) {
            let line = written.filter(|_| wanted == *step).and_then(|(edit, new)| line_of(rendered, step, edit, new));
            return Some(Shown { head: head.line, line });
        }
        // Words and thoughts have no heading.
        if let Some(body) = rendered.anchors.iter().find(|anchor| anchor.step == wanted) {
            return Some(Shown { head: body.line, line: None });
        }
        wanted.steps.pop()?;
    }
}

fn line_of(rendered: &Rendered, step: &StepRef, wanted: u32, line: u32) -> Option<u32> {
    let shows = |anchor: &&Anchor| match anchor.part {
        Part::Diff { edit, sign: Sign::Added, new, .. } => edit == wanted && new == line && anchor.step == *step,
        _ => false,
    };
    rendered.anchors.iter().find(shows).map(|anchor| anchor.line)
}
