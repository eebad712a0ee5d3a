//! Who changed a place of a file after a step had written it.

use std::ops::Range;

use trace::StepKey;

use crate::blame::Blame;
use crate::history::Witness;
use crate::timeline::{Cause, Node, NodeId, Splice, Timeline};

impl Timeline {
    /// The changes that came over lines of the file as `step` left it (from 0; with nothing in it, the place between
    /// two lines), in their order, up to the state from which `blame` was told. Empty: none is known, the change lies
    /// between that state and the text itself, or the text does not come from there.
    pub fn later_changes(&self, blame: &Blame, step: StepKey, lines: Range<u32>) -> Vec<Witness> {
        let written = self.nodes.iter().rposition(|node| node.cause == Cause::Edit(step));
        let Some(path) = written.zip(blame.state).and_then(|(born, now)| self.path(NodeId(born as u32), now)) else {
            return Vec::new();
        };
        let mut place = Place::of(lines);
        let nodes = path.into_iter().filter_map(|id| self.nodes.get(id.0 as usize));
        nodes.filter(|node| place.go_through(&node.splices)).map(Node::witness).collect()
    }
}

/// Lines, or the place between two lines, followed from state to state.
struct Place {
    start: i64,
    end: i64,
}

impl Place {
    fn of(lines: Range<u32>) -> Place {
        Place { start: lines.start.into(), end: lines.end.into() }
    }

    /// Goes from a state's text to that of the next. Whether something of the place was changed.
    fn go_through(&mut self, splices: &[Splice]) -> bool {
        let (mut moved, mut grown, mut shift) = (0, 0, 0);
        let mut touched = false;
        for splice in splices {
            let from = i64::from(splice.at) - shift;
            let (added, removed) = (splice.added.len() as i64, splice.removed.len() as i64);
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
    use crate::timeline::Line;

    /// Splices as `line of the new text: removed, added`.
    fn check(lines: Range<u32>, splices: &[(u32, usize, usize)], expect: Expect) {
        let some_lines = |count: usize| vec![Line { id: 0, mark: 0 }; count].into();
        let splice = |(at, removed, added): &(u32, usize, usize)| Splice {
            at: *at,
            added: some_lines(*added),
            removed: some_lines(*removed),
        };
        let mut place = Place::of(lines);
        let touched = place.go_through(&splices.iter().map(splice).collect::<Vec<_>>());
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
