//! A text that came from one or several states, none of which tells how.

use rustc_hash::FxHashSet;

use crate::align::{Match, align};
use crate::event::{Event, Happening, Seen};
use crate::flow::{Between, Flowed, Fresh, flow, splices_of};
use crate::infer::name_lines;
use crate::moved::{FAR, size};
use crate::text::{LineId, Words};
use crate::timeline::{Line, Mark, MarkId, NodeId, Splice, Timeline};

/// Marks that lines have only until it is decided whose they are.
pub(crate) const NEW: MarkId = MarkId::MAX;
pub(crate) const UNSURE: MarkId = MarkId::MAX - 1;
pub(crate) const UNDECIDED: Fresh = Fresh { new: NEW, unsure: UNSURE };

/// States that are asked at most.
const MOST: usize = 6;

impl Timeline {
    /// The difference to the text `ids` from the last of `sources`, with the lines that any of them accounts for.
    /// `parents`: those that the text certainly came from.
    pub(crate) fn gap(&mut self, sources: &[NodeId], parents: &[NodeId], ids: &[LineId], event: &Event) -> Vec<Splice> {
        let child = self.next_node();
        let texts: Vec<(NodeId, Vec<Line>)> =
            sources.iter().map(|source| (*source, self.text_of(*source).to_vec())).collect();
        let mut accounts: Vec<(NodeId, Flowed)> = Vec::new();
        for (source, old) in &texts {
            let flowed = flow(&self.interner, &mut self.marks, old, ids, UNDECIDED, Between::Texts);
            accounts.push((*source, flowed));
        }
        self.doubt_heads(&mut accounts, &texts, parents);
        let Some((_, last)) = accounts.last() else { return Vec::new() };
        let mut flowed = last.clone();
        for (at, line) in flowed.lines.iter_mut().enumerate() {
            line.mark = self.agreed_author(&accounts, at);
        }
        let old = texts.last().map(|(_, old)| old.as_slice()).unwrap_or_default();
        let parts = splices_of(old, &flowed.lines, &flowed.kept);
        let mut marks = std::mem::take(&mut self.marks);
        let suspects = match &event.what {
            Happening::Seen { how: Seen::Somewhere, .. } => self.suspects_anywhere(event.turn),
            _ => self.suspects(event.tree, event.turn),
        };
        name_lines(&self.interner, &mut marks, &suspects, child, &parts, &mut flowed.lines, UNDECIDED);
        self.marks = marks;
        let nobody = self.mark(child, None);
        settle(&mut flowed.lines, nobody);
        splices_of(old, &flowed.lines, &flowed.kept)
    }

    /// A commit may have been made in another worktree than those that are known. Lines that its parents do not have,
    /// and a worktree's text has, came from there only where most of what was put in together there came, or enough to
    /// be no chance: a heading alone is written by many.
    fn doubt_heads(&self, accounts: &mut [(NodeId, Flowed)], texts: &[(NodeId, Vec<Line>)], parents: &[NodeId]) {
        let of_parents: Vec<&[Line]> =
            texts.iter().filter(|(node, _)| parents.contains(node)).map(|(_, text)| text.as_slice()).collect();
        if of_parents.is_empty() {
            return;
        }
        let is_new: Vec<bool> = accounts
            .iter()
            .filter(|(node, _)| parents.contains(node))
            .map(|(_, flowed)| flowed.kept.iter().map(Option::is_none).collect::<Vec<bool>>())
            .reduce(|a, b| a.iter().zip(&b).map(|(a, b)| *a && *b).collect())
            .unwrap_or_default();
        let heads = accounts.iter_mut().zip(texts).filter(|((node, _), _)| !parents.contains(node));
        for ((_, flowed), (_, text)) in heads {
            let claims = |(at, line): (usize, &Line)| {
                is_new.get(at) == Some(&true)
                    && self.marks.get(line.mark as usize).is_some_and(|mark| mark.step.is_some())
            };
            if !flowed.lines.iter().enumerate().any(claims) {
                continue;
            }
            let came: FxHashSet<u32> = flowed.kept.iter().flatten().copied().collect();
            let doubtful = self.parts_that_stayed(text, &of_parents, &came);
            for (line, kept) in flowed.lines.iter_mut().zip(&flowed.kept) {
                if kept.is_some_and(|kept| doubtful.contains(&kept)) {
                    line.mark = UNSURE;
                }
            }
        }
    }

    /// The lines of a text that none of `parents` has and that were put in beside others of which most did not come.
    fn parts_that_stayed(&self, text: &[Line], parents: &[&[Line]], came: &FxHashSet<u32>) -> FxHashSet<u32> {
        let ids = |lines: &[Line]| lines.iter().map(|line| line.id).collect::<Vec<LineId>>();
        let own = ids(text);
        let mut there = vec![false; text.len()];
        let mut new = vec![true; text.len()];
        for parent in parents {
            for (at, found) in align(&ids(parent), &own).0.iter().enumerate() {
                new[at] &= matches!(found, Match::New | Match::Unsure { .. });
                // A blank line between two that are new does not tell one part from another.
                there[at] |= found.old().is_some() && !self.interner.small(own[at]);
            }
        }
        let numbered: Vec<(u32, bool)> = (0..).zip(there).collect();
        let parts = numbered.chunk_by(|a, b| a.1 == b.1).filter(|part| part.first().is_some_and(|(_, there)| !there));
        let mut doubtful = FxHashSet::default();
        for part in parts {
            let lines: Vec<u32> = part.iter().map(|(line, _)| *line).filter(|line| new[*line as usize]).collect();
            let (came, stayed): (Vec<u32>, Vec<u32>) = lines.iter().partition(|line| came.contains(line));
            let of =
                |lines: &[u32]| lines.iter().filter_map(|line| own.get(*line as usize)).copied().collect::<Vec<_>>();
            let (came_size, stayed_size) = (size(&self.interner, &of(&came)), size(&self.interner, &of(&stayed)));
            if came_size.letters < stayed_size.letters && !came_size.is_at_least(FAR) {
                doubtful.extend(came);
            }
        }
        doubtful
    }

    /// What the accounts of several states say together: a state's word counts no more where a later one that was made
    /// of it has the line too.
    fn agreed_author(&self, accounts: &[(NodeId, Flowed)], at: usize) -> MarkId {
        let mark = |flowed: &Flowed| flowed.lines.get(at).map_or(NEW, |line| line.mark);
        if let [(_, only)] = accounts {
            return mark(only);
        }
        let kept: Vec<(NodeId, MarkId)> =
            accounts.iter().map(|(node, flowed)| (*node, mark(flowed))).filter(|(_, mark)| *mark < UNSURE).collect();
        let last_words = kept.iter().filter(|(node, _)| !kept.iter().any(|(other, _)| self.leads_to(*node, *other)));
        let mut authors = last_words.rev().map(|(_, mark)| *mark);
        let Some(first) = authors.next() else {
            return if accounts.iter().any(|(_, flowed)| mark(flowed) == UNSURE) { UNSURE } else { NEW };
        };
        let step = |mark: MarkId| self.marks.get(mark as usize).and_then(|mark| mark.step);
        if authors.all(|mark| step(mark) == step(first)) { first } else { UNSURE }
    }

    /// Whether `to` was made of `from`.
    pub(crate) fn leads_to(&self, from: NodeId, to: NodeId) -> bool {
        let mut open = vec![to];
        let mut seen = rustc_hash::FxHashSet::default();
        while let Some(at) = open.pop() {
            let Some(node) = self.node(at).filter(|_| at > from && seen.insert(at)) else { continue };
            if node.parent == Some(from) || node.others.contains(&from) {
                return true;
            }
            open.extend(node.parent);
            open.extend(node.others.iter());
        }
        false
    }

    /// The states that a commit's text may have come from: the file in its parents, and in the worktrees. The one that
    /// came last is the last.
    pub(crate) fn sources_of_commit(&self, parents: impl Iterator<Item = NodeId>) -> Vec<NodeId> {
        let mut sources: Vec<NodeId> = parents.chain(self.heads_of_trees()).collect();
        sources.sort_unstable();
        sources.dedup();
        let first = sources.len().saturating_sub(MOST);
        sources.split_off(first)
    }
}

/// Lines of which nothing was decided are nobody's.
pub(crate) fn settle(lines: &mut [Line], nobody: MarkId) {
    lines.iter_mut().filter(|line| line.mark >= UNSURE).for_each(|line| line.mark = nobody);
}

/// Carries the lines of one text to another over a timeline that stays as it is.
pub(crate) fn carry(words: &impl Words, marks: &mut Vec<Mark>, old: &[Line], ids: &[LineId]) -> Flowed {
    flow(words, marks, old, ids, UNDECIDED, Between::Texts)
}
