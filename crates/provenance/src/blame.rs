//! Who wrote each line of a text.

use trace::{Evidence, LineOrigin};

use crate::event::Tree;
use crate::flow::{push_mark, splices_of};
use crate::infer::name_lines;
use crate::moved::{NEAR, moved};
use crate::sources::{NEW, UNDECIDED, carry, settle};
use crate::text::{self, LineId, Overlay, Sum, Words};
use crate::timeline::{Cause, How, Line, Mark, MarkId, NodeId, Timeline};

/// The answer for one text.
#[derive(Clone, Debug, Default)]
pub struct Blame {
    /// One for each line of the text.
    pub lines: Vec<Option<LineOrigin>>,
    /// The state from which the text was told. `None`: nothing is known of the file.
    pub state: Option<NodeId>,
    /// The text is that state's, line by line.
    pub exact: bool,
    pub(crate) marks: Vec<MarkId>,
    /// Marks that the timeline does not have: those of lines that are nobody's here, and reformatted ones.
    pub(crate) further: Vec<Mark>,
    /// For each line, which line of the state it is.
    pub(crate) kept: Vec<Option<u32>>,
    /// Lines that stood elsewhere before: the line, and its text.
    pub(crate) moved: Vec<(u32, LineId)>,
    /// The text itself. `None`: not told.
    pub(crate) sum: Option<Sum>,
}

impl Blame {
    /// Nobody is known to have written any of these lines.
    pub fn unknown(lines: usize) -> Blame {
        Blame { lines: vec![None; lines], kept: vec![None; lines], ..Blame::default() }
    }
}

impl Timeline {
    /// Tells who wrote each line of `text`, a text of the file in `tree` now.
    pub fn blame(&self, text: &str, tree: Tree) -> Blame {
        let mut words = Overlay::new(&self.interner);
        let ids = words.text_lines(text::lines(text));
        let head = self.head(tree);
        if let Some((state, lines)) = self.known(&ids, head) {
            return self.exactly(state, &lines);
        }
        let Some(state) = head else {
            return Blame::unknown(ids.len());
        };
        let old = self.copy_of(state);
        let same = Blame { kept: (0..old.len() as u32).map(Some).collect(), state: head, ..Blame::default() };
        self.carried_over(&words, &same, &old, &ids, tree)
    }

    /// The same for a text that came from another, `base`, of which the answer is known: one that is open and not
    /// saved, over the saved one.
    pub fn blame_over(&self, base: &Blame, base_text: &str, text: &str, tree: Tree) -> Blame {
        let mut words = Overlay::new(&self.interner);
        let ids = words.text_lines(text::lines(text));
        if let Some((state, lines)) = self.known(&ids, self.head(tree)) {
            return self.exactly(state, &lines);
        }
        let old_ids = words.text_lines(text::lines(base_text));
        if base.marks.len() != old_ids.len() {
            return Blame::unknown(ids.len());
        }
        let old: Vec<Line> = old_ids.iter().zip(&base.marks).map(|(id, mark)| Line { id: *id, mark: *mark }).collect();
        self.carried_over(&words, base, &old, &ids, tree)
    }

    /// The answer for a text that is exactly that of a known state.
    pub fn blame_known(&self, text: &str, tree: Tree) -> Option<Blame> {
        let ids = Overlay::new(&self.interner).text_lines(text::lines(text));
        let (state, lines) = self.known(&ids, self.head(tree))?;
        Some(self.exactly(state, &lines))
    }

    /// Carries the answer for `base`, whose lines are `old`, to the lines `ids`.
    fn carried_over(&self, words: &Overlay<'_>, base: &Blame, old: &[Line], ids: &[LineId], tree: Tree) -> Blame {
        let mut marks: Vec<Mark> = self.marks.iter().chain(&base.further).copied().collect();
        let mut flowed = carry(words, &mut marks, old, ids);
        let parts = splices_of(old, &flowed.lines, &flowed.kept);
        let suspects = self.suspects(tree, None);
        name_lines(words, &mut marks, &suspects, self.next_node(), &parts, &mut flowed.lines, UNDECIDED);
        let is_open = |line: &Line| line.mark == NEW || self.is_gap(line.mark);
        let moved = self.find_moved(words, &mut marks, old, &mut flowed.lines, is_open);
        let nobody = marks.len() as MarkId;
        marks.push(Mark { node: self.next_node(), step: None, how: How::Written });
        settle(&mut flowed.lines, nobody);
        let told = |line: &Line| marks.get(line.mark as usize).and_then(|mark| origin(mark, None));
        let in_state = |kept: Option<u32>| base.kept.get(kept? as usize).copied().flatten();
        Blame {
            lines: flowed.lines.iter().map(told).collect(),
            state: base.state,
            exact: false,
            marks: flowed.lines.iter().map(|line| line.mark).collect(),
            kept: flowed.kept.into_iter().map(in_state).collect(),
            further: marks.split_off(self.marks.len()),
            moved,
            sum: Some(words.sum(ids)),
        }
    }

    /// Gives lines that nobody wrote, born in a change that nobody told, to the authors of the lines that they were.
    fn find_moved(
        &self,
        words: &impl Words,
        marks: &mut Vec<Mark>,
        old: &[Line],
        lines: &mut [Line],
        is_open: impl Fn(&Line) -> bool,
    ) -> Vec<(u32, LineId)> {
        let open: Vec<bool> = lines.iter().map(is_open).collect();
        if !open.contains(&true) {
            return Vec::new();
        }
        let mut found = Vec::new();
        let ids: Vec<LineId> = lines.iter().map(|line| line.id).collect();
        for (at, mark) in moved(self, words, old, &ids, &open, NEAR) {
            let was = marks.get(mark as usize).copied();
            if let Some(was) = was {
                lines[at].mark = push_mark(marks, Mark { how: How::Moved, ..was });
                found.push((at as u32, lines[at].id));
            }
        }
        found
    }

    /// For each line whether nobody is known to have written it, in a change of which only the outcome is known.
    pub fn untold(&self, blame: &Blame) -> Vec<bool> {
        if blame.marks.len() != blame.lines.len() {
            return vec![true; blame.lines.len()];
        }
        let born_now = |mark: MarkId| mark as usize >= self.marks.len();
        let untold = |(origin, mark): (&Option<LineOrigin>, &MarkId)| {
            origin.is_none() && (born_now(*mark) || self.is_gap(*mark))
        };
        blame.lines.iter().zip(&blame.marks).map(untold).collect()
    }

    /// Whether lines with this mark came in a change of which only the outcome is known.
    fn is_gap(&self, mark: MarkId) -> bool {
        let Some(mark) = self.marks.get(mark as usize).filter(|mark| mark.step.is_none()) else { return false };
        self.node(mark.node).is_some_and(|node| node.cause == Cause::Gap && node.parent.is_some())
    }

    /// The latest state with exactly these lines; the head if it is one.
    fn known(&self, ids: &[LineId], head: Option<NodeId>) -> Option<(NodeId, Vec<Line>)> {
        self.equal_candidates(ids, head).into_iter().find_map(|id| {
            let lines = self.copy_of(id);
            lines.iter().map(|line| line.id).eq(ids.iter().copied()).then_some((id, lines))
        })
    }

    /// These lines of a text, as far as they are known.
    pub(crate) fn sum<'t>(&self, lines: impl Iterator<Item = &'t str>) -> Sum {
        Sum::of(lines.map(|line| self.interner.find(line)))
    }

    /// Whether a state may have this text.
    pub(crate) fn has_state_with(&self, sum: Sum) -> bool {
        let as_long = |id| self.node(id).is_some_and(|node| node.len as usize == sum.known);
        sum.unknown == 0 && self.with_hash(sum.hash).any(as_long)
    }

    fn exactly(&self, state: NodeId, lines: &[Line]) -> Blame {
        let last_gap = self.nodes.get(state.0 as usize).and_then(|node| node.last_gap);
        let mut marks = self.marks.clone();
        let mut lines = lines.to_vec();
        let moved = self.find_moved(&self.interner, &mut marks, &[], &mut lines, |line| self.is_gap(line.mark));
        let told = |line: &Line| marks.get(line.mark as usize).and_then(|mark| origin(mark, Some(last_gap)));
        Blame {
            lines: lines.iter().map(told).collect(),
            state: Some(state),
            exact: true,
            marks: lines.iter().map(|line| line.mark).collect(),
            further: marks.split_off(self.marks.len()),
            kept: (0..lines.len() as u32).map(Some).collect(),
            moved,
            sum: Some(Sum::of(lines.iter().map(|line| Some(line.id)))),
        }
    }

    pub(crate) fn mark_of<'a>(&'a self, blame: &'a Blame, line: usize) -> Option<&'a Mark> {
        let id = *blame.marks.get(line)? as usize;
        self.marks.get(id).or_else(|| blame.further.get(id.checked_sub(self.marks.len())?))
    }
}

/// `last_gap`: the newest gap between the first state and the text; `None` where the text itself lies behind one.
fn origin(mark: &Mark, last_gap: Option<Option<NodeId>>) -> Option<LineOrigin> {
    let evidence = match (mark.how, last_gap) {
        (How::Reformatted, _) => Evidence::Reformatted,
        (How::Inferred, _) => Evidence::Inferred,
        (How::Moved, _) => Evidence::Moved,
        (How::Written, Some(gap)) if gap <= Some(mark.node) => Evidence::Recorded,
        (How::Written, _) => Evidence::Carried,
    };
    Some(LineOrigin { step: mark.step?, evidence })
}
