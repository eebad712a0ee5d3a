//! Why a line that no edit told is somebody's, or nobody's.

use trace::StepKey;

use crate::blame::Blame;
use crate::event::Tree;
use crate::flow::splices_of;
use crate::history::Witness;
use crate::infer::{Doubt, Fit};
use crate::text::{self, LineId, Overlay};
use crate::timeline::{Cause, How, Line, Mark, Node, NodeId, Splice, Timeline};

/// How a line came that no edit told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    /// It was there when the file was first seen.
    FirstSeen(Witness),
    /// A step wrote the whole file; what stood there before is not known, so its own lines are not, either.
    OverUnknown(StepKey),
    /// It came between two known texts.
    Between(Between),
}

/// A change of which only the two texts are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Between {
    /// What proves the text before.
    pub before: Option<Witness>,
    /// What proves the text with the line. `None`: the text asked about is that.
    pub after: Option<Witness>,
    /// Commands that may have written the file, in their order.
    pub suspects: Vec<Suspect>,
    /// Why none of them is named.
    pub doubt: Option<Doubt>,
    /// Both texts were told in one turn.
    pub one_turn: bool,
    /// A line with this text stood there before; whether it is this one, the texts do not tell.
    pub alike: bool,
}

/// A command that may have written a line, and whether the line looks like it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspect {
    pub step: StepKey,
    pub fit: Fit,
}

/// Where a line stood before it was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stood {
    /// From 0, in the last text that had it there.
    pub line: u32,
    /// What proves the text in which it stood there no more. `None`: the text asked about is that.
    pub until: Option<Witness>,
}

impl Timeline {
    /// How a line (from 0) of `text`, of which `blame` is the answer, came by its author or stayed without. `None`: an
    /// edit told it.
    pub fn account(&self, blame: &Blame, text: &str, line: usize, tree: Tree) -> Option<Account> {
        let mark = *self.mark_of(blame, line)?;
        if mark.step.is_some() && mark.how != How::Inferred {
            return None;
        }
        let Some(node) = self.node(mark.node) else {
            return Some(Account::Between(self.between_now(blame, text, line, tree)?));
        };
        match (node.cause, node.parent) {
            (Cause::Edit(step), _) => Some(Account::OverUnknown(step)),
            (Cause::Gap, None) => Some(Account::FirstSeen(node.witness())),
            (Cause::Gap, Some(parent)) => self.between(blame, text, line, node, parent).map(Account::Between),
        }
    }

    fn between(&self, blame: &Blame, text: &str, line: usize, node: &Node, parent: NodeId) -> Option<Between> {
        let mark_id = *blame.marks.get(line)?;
        let id = self.interner.find(text::lines(text).nth(line)?);
        let holds = |splice: &&Splice| {
            splice.added.iter().any(|added| added.mark == mark_id && id.is_none_or(|id| id == added.id))
        };
        let part = node.splices.iter().find(holds);
        let place = self.done.iter().position(|done| done.key == node.key)?;
        let done = self.done.get(place)?;
        let (tree, turn) = done.where_and_when?;
        let suspects = self.suspects_before(done, tree, turn);
        let fits = part.map(|part| suspects.fits(&self.interner, part, node.len as usize)).unwrap_or_default();
        let old = self.copy_of(parent);
        Some(Between {
            before: self.node(parent).map(Node::witness),
            after: Some(node.witness()),
            suspects: fits.into_iter().map(|(step, fit)| Suspect { step, fit }).collect(),
            doubt: self.doubt_before(place, tree),
            one_turn: suspects.is_of_one_turn(),
            alike: old.iter().any(|old| Some(old.id) == id),
        })
    }

    fn between_now(&self, blame: &Blame, text: &str, line: usize, tree: Tree) -> Option<Between> {
        let mut words = Overlay::new(&self.interner);
        let ids = words.text_lines(text::lines(text));
        let state = blame.state?;
        let old = self.copy_of(state);
        if blame.marks.len() != ids.len() {
            return None;
        }
        let new: Vec<Line> = ids.iter().zip(&blame.marks).map(|(id, mark)| Line { id: *id, mark: *mark }).collect();
        let parts = splices_of(&old, &new, &blame.kept);
        let holds = |part: &&Splice| (part.at as usize..part.at as usize + part.added.len()).contains(&line);
        let suspects = self.suspects(tree, None);
        let part = parts.iter().find(holds);
        let fits = part.map(|part| suspects.fits(&words, part, ids.len())).unwrap_or_default();
        Some(Between {
            before: self.node(state).map(Node::witness),
            after: None,
            suspects: fits.into_iter().map(|(step, fit)| Suspect { step, fit }).collect(),
            doubt: self.doubt_now(tree),
            one_turn: false,
            alike: ids.get(line).is_some_and(|id| old.iter().any(|old| old.id == *id)),
        })
    }

    /// Where a line that was moved within its file stood before.
    pub fn stood(&self, blame: &Blame, line: usize) -> Option<Stood> {
        let lost = self.moved_line(blame, line)?;
        let grave = self.nodes.iter().rev().find_map(|node| Some((node, self.removed_at(node, lost)?)));
        if let Some((node, line)) = grave {
            return Some(Stood { line, until: Some(node.witness()) });
        }
        let line = self.place_in(blame.state?, lost)?;
        Some(Stood { line, until: None })
    }

    /// The text and the author of a line that was moved.
    pub(crate) fn moved_line(&self, blame: &Blame, line: usize) -> Option<(LineId, Mark)> {
        let mark = self.mark_of(blame, line).filter(|mark| mark.how == How::Moved)?;
        let (_, id) = blame.moved.iter().find(|(moved, _)| *moved as usize == line)?;
        Some((*id, *mark))
    }

    fn is_lost(&self, line: &Line, (id, mark): (LineId, Mark)) -> bool {
        line.id == id && self.marks.get(line.mark as usize).is_some_and(|known| known.step == mark.step)
    }

    /// Where in the state before `node` a line stood that `node` took away.
    pub(crate) fn removed_at(&self, node: &Node, lost: (LineId, Mark)) -> Option<u32> {
        let mut shift = 0i64;
        for splice in &node.splices {
            if let Some(at) = splice.removed.iter().position(|line| self.is_lost(line, lost)) {
                return u32::try_from(i64::from(splice.at) - shift + at as i64).ok();
            }
            shift += splice.added.len() as i64 - splice.removed.len() as i64;
        }
        None
    }

    /// Where in a state a line with this text and author stands.
    pub(crate) fn place_in(&self, node: NodeId, lost: (LineId, Mark)) -> Option<u32> {
        self.copy_of(node).iter().position(|line| self.is_lost(line, lost)).and_then(|at| u32::try_from(at).ok())
    }

    /// Edits and whole texts of which the log's own text is gone.
    pub fn gone(&self) -> impl Iterator<Item = crate::EventKey> {
        self.done.iter().filter(|done| done.where_and_when.is_none()).map(|done| done.key)
    }
}
