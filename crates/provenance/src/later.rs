//! Who changed a place of a file after a step had written it.

use std::collections::BTreeSet;
use std::ops::Range;

use rustc_hash::FxHashMap;
use trace::StepKey;

use crate::align::{Match, align};
use crate::blame::Blame;
use crate::history::Witness;
use crate::text::LineId;
use crate::timeline::{Cause, Node, NodeId, Splice, Timeline};

impl Timeline {
    /// The changes that came over lines of the file as `step` left it (from 0; with nothing in it, the place between
    /// two lines), in their order, up to the state from which `blame` was told. Empty: none is known, the change lies
    /// between that state and the text itself, or the text does not come from there.
    pub fn later_changes(&self, blame: &Blame, step: StepKey, lines: Range<u32>) -> Vec<Witness> {
        let written = self.nodes.iter().rposition(|node| node.cause == Cause::Edit(step));
        let Some((born, now)) = written.zip(blame.state) else { return Vec::new() };
        let changes = self.changes_between(NodeId(born as u32), now, Place::of(lines));
        changes.iter().filter_map(|id| self.node(*id)).map(Node::witness).collect()
    }

    /// The states between two, through all parents of merges, that changed a place of the first one.
    fn changes_between(&self, from: NodeId, to: NodeId, place: Place) -> BTreeSet<NodeId> {
        let mut known: FxHashMap<NodeId, Followed> = FxHashMap::default();
        known.insert(from, Followed { place, changes: BTreeSet::new() });
        for id in self.states_between(from, to) {
            let Some(node) = self.node(id) else { continue };
            if let Some(followed) = self.follow_place(id, node, &known) {
                known.insert(id, followed);
            }
        }
        known.remove(&to).map(|followed| followed.changes).unwrap_or_default()
    }

    /// The states that `to` was made of and that came after `from`, `to` included, in their order.
    fn states_between(&self, from: NodeId, to: NodeId) -> BTreeSet<NodeId> {
        let (mut open, mut between) = (vec![to], BTreeSet::new());
        while let Some(at) = open.pop() {
            let Some(node) = self.node(at).filter(|_| at > from && between.insert(at)) else { continue };
            open.extend(node.parent.iter().chain(&node.others));
        }
        between
    }

    /// A place in a state, from where it is in those of which the state was made. Where one of them has it as the
    /// state has it, that one tells who changed it; else all of them do, and the state itself did, too.
    fn follow_place(&self, id: NodeId, node: &Node, known: &FxHashMap<NodeId, Followed>) -> Option<Followed> {
        let mut changed: Option<Followed> = None;
        for source in node.parent.iter().chain(node.others.iter().rev()) {
            let Some(before) = known.get(source) else { continue };
            let mut place = before.place;
            let touched = if node.parent == Some(*source) {
                place.go_through(node.splices.iter().map(Part::of))
            } else {
                place.go_through(self.parts_between(*source, id).into_iter())
            };
            if !touched {
                return Some(Followed { place, changes: before.changes.clone() });
            }
            match &mut changed {
                Some(changed) => changed.changes.extend(&before.changes),
                None => changed = Some(Followed { place, changes: before.changes.clone() }),
            }
        }
        let mut changed = changed?;
        changed.changes.insert(id);
        Some(changed)
    }

    /// What differs between two states of which neither is told as a difference from the other.
    fn parts_between(&self, from: NodeId, to: NodeId) -> Vec<Part> {
        let ids = |node: NodeId| self.copy_of(node).iter().map(|line| line.id).collect::<Vec<LineId>>();
        let (old, new) = (ids(from), ids(to));
        let kept: Vec<Option<u32>> = align(&old, &new).0.iter().map(Match::old).collect();
        let mut parts = Vec::new();
        let (mut x, mut y) = (0, 0);
        loop {
            let next = (y..new.len()).find_map(|at| Some((kept.get(at).copied().flatten()? as usize, at)));
            let (end_x, end_y) = next.unwrap_or((old.len(), new.len()));
            if end_x > x || end_y > y {
                parts.push(Part { at: y as i64, added: (end_y - y) as i64, removed: end_x.saturating_sub(x) as i64 });
            }
            if end_y == new.len() {
                return parts;
            }
            (x, y) = (end_x + 1, end_y + 1);
        }
    }
}

/// A place in one state, and the states that changed it so far.
struct Followed {
    place: Place,
    changes: BTreeSet<NodeId>,
}

/// Lines that were replaced by others: where they are in the new text, and how many.
#[derive(Clone, Copy)]
struct Part {
    at: i64,
    added: i64,
    removed: i64,
}

impl Part {
    fn of(splice: &Splice) -> Part {
        Part { at: splice.at.into(), added: splice.added.len() as i64, removed: splice.removed.len() as i64 }
    }
}

/// Lines, or the place between two lines, followed from state to state.
#[derive(Clone, Copy)]
struct Place {
    start: i64,
    end: i64,
}

impl Place {
    fn of(lines: Range<u32>) -> Place {
        Place { start: lines.start.into(), end: lines.end.into() }
    }

    /// Goes from a state's text to that of the next. Whether something of the place was changed.
    fn go_through(&mut self, parts: impl Iterator<Item = Part>) -> bool {
        let (mut moved, mut grown, mut shift) = (0, 0, 0);
        let mut touched = false;
        for Part { at, added, removed } in parts {
            let from = at - shift;
            shift += added - removed;
            if self.is_touched(from, from + removed) {
                touched = true;
                // What was put in its place is part of it from here on.
                self.start = self.start.min(from);
                self.end = self.end.max(from + removed);
                grown += added - removed;
            } else if from < self.start || (from == self.start && removed == 0) {
                moved += added - removed;
            }
        }
        (self.start, self.end) = (self.start + moved, self.end + moved + grown);
        touched
    }

    /// Whether a splice over these lines came over the place: over one of its lines, or between them. The place
    /// between two lines is also changed where one of the two is.
    fn is_touched(&self, from: i64, to: i64) -> bool {
        if self.start == self.end {
            return from <= self.start && self.start <= to;
        }
        from < self.end && self.start < to || (from == to && self.start < from && from < self.end)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    /// Splices as `line of the new text: removed, added`.
    fn check(lines: Range<u32>, splices: &[(i64, i64, i64)], expect: Expect) {
        let part = |&(at, removed, added): &(i64, i64, i64)| Part { at, added, removed };
        let mut place = Place::of(lines);
        let touched = place.go_through(splices.iter().map(part));
        expect.assert_eq(&format!("{}..{}{}", place.start, place.end, if touched { " touched" } else { "" }));
    }

    #[test]
    fn places() {
        check(3..5, &[], expect!["3..5"]);
        // Above, right above, right below, below.
        check(3..5, &[(0, 1, 3)], expect!["5..7"]);
        check(3..5, &[(2, 1, 2)], expect!["4..6"]);
        check(3..5, &[(3, 0, 2)], expect!["5..7"]);
        check(3..5, &[(5, 0, 2)], expect!["3..5"]);
        check(3..5, &[(5, 1, 0)], expect!["3..5"]);
        // In the middle, over its rim, over all of it, with another one above.
        check(3..5, &[(4, 0, 1)], expect!["3..6 touched"]);
        check(3..5, &[(4, 3, 1)], expect!["3..5 touched"]);
        check(3..5, &[(2, 2, 0)], expect!["2..3 touched"]);
        check(3..5, &[(0, 0, 2), (4, 4, 0)], expect!["4..4 touched"]);
        // Where lines were removed: something came between the neighbours, one of them changed.
        check(3..3, &[(3, 0, 1)], expect!["3..4 touched"]);
        check(3..3, &[(3, 1, 1)], expect!["3..4 touched"]);
        check(3..3, &[(2, 1, 1)], expect!["2..3 touched"]);
        check(3..3, &[(1, 1, 0), (3, 1, 0)], expect!["2..2"]);
        check(3..3, &[(4, 0, 1)], expect!["3..3"]);
    }
}
