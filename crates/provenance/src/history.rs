//! The chain of changes that made a line, and what became of the lines of a step.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};
use trace::{StepKey, Timestamp};

use crate::align::align;
use crate::blame::Blame;
use crate::event::{EventKey, Tree};
use crate::text::{LineId, Words};
use crate::timeline::{Cause, Line, MarkId, Node, NodeId, Splice, Timeline};

/// Links of one line's history that are told at most.
const MOST_LINKS: usize = 50;

/// Who changed something: a step, or nobody known before a text was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Witness {
    pub step: Option<StepKey>,
    /// The event that proves the outcome.
    pub key: EventKey,
    pub at: Timestamp,
    /// Nothing is known from before: the line was there when the file was first seen.
    pub first_seen: bool,
}

/// One writing of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub by: Witness,
    /// The line as it was written then.
    pub text: Box<str>,
    /// Its place in the file right after, from 0.
    pub line: u32,
}

/// A line in one of the states between the first one known and the text asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    pub by: Witness,
    /// Its place in that state, from 0. `None`: it is not there.
    pub line: Option<u32>,
    /// Lines of the file in that state.
    pub lines: u32,
}

/// What became of the lines that a step wrote in this file, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    pub lines: Vec<Written>,
}

/// A line that a step wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The line of the file right after the step, from 0.
    pub line: u32,
    pub now: LineNow,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineNow {
    /// The line of the file now, from 0.
    At(u32),
    /// Changed or removed; by whom, where a state of the file shows it. `None`: the text now shows it.
    Gone(Option<Witness>),
}

/// A line that a step removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed {
    /// The line of the file right before the step, from 0.
    pub line: u32,
    /// Who had written it.
    pub step: Option<StepKey>,
    /// The first line that the step wrote in its place, from 0; where it wrote none, the line that followed.
    pub place: u32,
}

impl Link {
    /// A command wrote the line right before the text asked about.
    fn now(step: StepKey, line: usize) -> Link {
        let by = Witness { step: Some(step), key: EventKey(u64::MAX), at: Timestamp::default(), first_seen: false };
        Link { by, text: Box::default(), line: line as u32 }
    }
}

impl Fate {
    pub fn live(&self) -> usize {
        self.lines.iter().filter(|line| matches!(line.now, LineNow::At(_))).count()
    }
}

impl Timeline {
    /// The writings of a line, the newest first. A line changed by somebody new is followed to the line most like it
    /// among those that it replaced.
    pub fn history(&self, blame: &Blame, line: usize) -> Vec<Link> {
        let mut links = Vec::new();
        let Some(mark) = self.mark_of(blame, line) else { return links };
        let (mut node, mut step) = (mark.node, mark.step);
        let text_now = self.text_now(blame, line);
        let mut current = match self.nodes.get(node.0 as usize) {
            Some(_) => text_now,
            // Born in the text asked about, over the line that stood in its place.
            None => {
                links.extend(step.map(|step| Link::now(step, line)));
                let Some(before) = self.replaced_now(blame, line) else { return links };
                (node, step) = before.0;
                before.1
            }
        };
        while let Some(at) = self.nodes.get(node.0 as usize) {
            let Some((splice, index)) = written_in(self, at, current) else { break };
            let text = self.interner.text(splice.added[index].id).into();
            let by = Witness { step, ..at.witness() };
            links.push(Link { by, text, line: splice.at + index as u32 });
            let before = most_like(self, splice, index);
            let Some(before) = before.filter(|_| links.len() < MOST_LINKS) else { break };
            let Some(mark) = self.marks.get(before.mark as usize) else { break };
            (current, node, step) = (before, mark.node, mark.step);
        }
        links
    }

    /// The states that lead to the text, the first one first, and where the line is in each. Only white space may
    /// differ.
    pub fn story(&self, blame: &Blame, line: usize) -> Vec<Stage> {
        let mut stages = Vec::new();
        let mut place = blame.kept.get(line).copied().flatten();
        let mut at = blame.state;
        // A line that was moved is followed from where it stood before.
        let lost = self.moved_line(blame, line);
        if place.is_none() {
            place = lost.zip(at).and_then(|(lost, state)| self.place_in(state, lost));
        }
        while let Some((id, node)) = at.and_then(|id| Some((id, self.nodes.get(id.0 as usize)?))) {
            stages.push(Stage { by: node.witness(), line: place, lines: node.len });
            (at, place) = match place {
                Some(line) => self.before_through(id, node, line),
                None => (node.parent, lost.and_then(|lost| self.removed_at(node, lost))),
            };
        }
        stages.reverse();
        stages
    }

    /// The state from which `node` has a line, and where it was there: of a merge, the one of its parents that has it.
    fn before_through(&self, id: NodeId, node: &Node, line: u32) -> (Option<NodeId>, Option<u32>) {
        if let Some(before) = self.before(node, line) {
            return (node.parent, Some(before));
        }
        let from_other = node.others.iter().rev().find_map(|other| {
            let now = self.through_merge(*other, id);
            Some((Some(*other), now.iter().position(|now| *now == Some(line)).and_then(|at| u32::try_from(at).ok())?))
        });
        from_other.map_or((node.parent, None), |(other, line)| (other, Some(line)))
    }

    /// For each line of a state where it is in one that was made of it beside others, with the same author.
    fn through_merge(&self, from: NodeId, to: NodeId) -> Vec<Option<u32>> {
        let (old, new) = (self.copy_of(from), self.copy_of(to));
        let ids = |lines: &[Line]| lines.iter().map(|line| line.id).collect::<Vec<_>>();
        let step = |line: &Line| self.marks.get(line.mark as usize).and_then(|mark| mark.step);
        let mut now = vec![None; old.len()];
        for (at, found) in align(&ids(&old), &ids(&new)).0.iter().enumerate() {
            let Some(x) = found.old().map(|x| x as usize) else { continue };
            if old.get(x).map(step) == new.get(at).map(step) {
                now[x] = u32::try_from(at).ok();
            }
        }
        now
    }

    /// Where a line of a node was in its parent.
    fn before(&self, node: &Node, line: u32) -> Option<u32> {
        let mut shift = 0i64;
        for splice in &node.splices {
            if line < splice.at {
                break;
            }
            if let Some(new) = splice.added.get((line - splice.at) as usize) {
                let words = &self.interner;
                let same = |old: &Line| words.same_tokens(old.id, new.id) && !words.small(old.id);
                let same = splice.removed.iter().position(same)?;
                return u32::try_from(i64::from(splice.at) - shift + same as i64).ok();
            }
            shift += splice.added.len() as i64 - splice.removed.len() as i64;
        }
        u32::try_from(i64::from(line) - shift).ok()
    }

    /// What became of the lines that `step` wrote, up to the text of `blame`.
    pub fn fate(&self, blame: &Blame, step: StepKey) -> Fate {
        let mut fate = Fate::default();
        for path in self.writings_of(step) {
            self.follow(blame, step, path, &mut fate);
        }
        fate
    }

    /// The text of the file before and after a step, each where it is known. A step that wrote the file more than
    /// once: before its first, after its last writing.
    pub fn around(&self, first: StepKey, last: StepKey) -> Option<(Option<String>, String)> {
        let begin = self.nodes.iter().find(|node| node.cause == Cause::Edit(first))?;
        let end = self.nodes.iter().rposition(|node| node.cause == Cause::Edit(last))?;
        let before = begin.parent.map(|parent| self.text_at(parent));
        Some((before, self.text_at(NodeId(end as u32))))
    }

    /// The text that an event proves.
    pub fn text_of_event(&self, key: EventKey) -> Option<String> {
        let at = self.nodes.iter().rposition(|node| node.key == key)?;
        Some(self.text_at(NodeId(at as u32)))
    }

    /// The newest text that is known of a worktree.
    pub fn newest_text(&self, tree: Tree) -> Option<String> {
        Some(self.text_at(self.head(tree)?))
    }

    /// All states in the order in which they came: who made each, and how many lines it has.
    pub fn states(&self) -> Vec<(Witness, u32)> {
        self.nodes.iter().map(|node| (node.witness(), node.len)).collect()
    }

    fn text_at(&self, node: NodeId) -> String {
        let mut text = String::new();
        for line in self.copy_of(node) {
            text.push_str(self.interner.text(line.id));
            text.push('\n');
        }
        text
    }

    fn text_now(&self, blame: &Blame, line: usize) -> Line {
        let mark = blame.marks.get(line).copied().unwrap_or_default();
        let of_state = |state: NodeId, at: u32| self.copy_of(state).get(at as usize).map(|line| line.id);
        let kept = blame.kept.get(line).copied().flatten();
        let moved = || self.moved_line(blame, line).map(|(id, _)| id);
        let id = blame.state.zip(kept).and_then(|(state, at)| of_state(state, at)).or_else(moved);
        Line { id: id.unwrap_or(u32::MAX), mark }
    }

    /// The line of the state that a line unknown to all states stands for: the one between the same neighbours.
    fn replaced_now(&self, blame: &Blame, line: usize) -> Option<((NodeId, Option<StepKey>), Line)> {
        let state = self.copy_of(blame.state?);
        let above = (0..line).rev().find_map(|at| Some((at, blame.kept.get(at).copied().flatten()?)));
        let at = above.map_or(line, |(at, kept)| kept as usize + (line - at));
        let below = (line + 1..blame.kept.len()).find_map(|at| blame.kept.get(at).copied().flatten());
        let end = below.map_or(state.len(), |kept| kept as usize);
        let old = state.get(at).filter(|_| at < end)?;
        let mark = self.marks.get(old.mark as usize)?;
        Some(((mark.node, mark.step), *old))
    }

    fn writings_of(&self, step: StepKey) -> Vec<NodeId> {
        let wrote = |(_, node): &(usize, &Node)| node.cause == Cause::Edit(step);
        self.nodes.iter().enumerate().filter(wrote).map(|(at, _)| NodeId(at as u32)).collect()
    }

    /// The lines that a step removed or changed.
    pub fn removed(&self, step: StepKey) -> Vec<Removed> {
        let mut removed = Vec::new();
        for node in self.nodes.iter().filter(|node| node.cause == Cause::Edit(step)) {
            let mut shift = 0i64;
            for splice in &node.splices {
                let from = (i64::from(splice.at) - shift) as u32;
                let gone = |(at, line): (usize, &Line)| Removed {
                    line: from + at as u32,
                    step: self.marks.get(line.mark as usize).and_then(|mark| mark.step),
                    place: splice.at,
                };
                removed.extend(splice.removed.iter().enumerate().map(gone));
                shift += splice.added.len() as i64 - splice.removed.len() as i64;
            }
        }
        removed
    }

    /// For each line of the file right after a step, the line that it is now, whoever wrote it.
    pub fn lines_now(&self, blame: &Blame, step: StepKey) -> Option<Vec<Option<u32>>> {
        let born = NodeId(self.nodes.iter().rposition(|node| node.cause == Cause::Edit(step))? as u32);
        let path = self.path_through_merges(born, blame.state?)?;
        let count = self.nodes.get(born.0 as usize)?.len;
        let mut now: Vec<Option<u32>> = (0..count).map(Some).collect();
        let mut from = born;
        for id in path {
            let node = self.nodes.get(id.0 as usize)?;
            let across = (node.parent != Some(from)).then(|| self.through_merge(from, id));
            for line in &mut now {
                *line = line.and_then(|line| match &across {
                    Some(across) => across.get(line as usize).copied().flatten(),
                    None => moved(node, line),
                });
            }
            from = id;
        }
        let places = self.places_now(blame);
        let mut now: Vec<Option<u32>> = now.into_iter().map(|line| places.get(&line?).copied()).collect();
        // A merge may have taken a line from another parent than the one that was followed.
        let is_lost = |(at, _): &(u32, Line)| now.get(*at as usize) == Some(&None);
        let lost: Vec<(u32, Line)> = (0..).zip(self.copy_of(born)).filter(is_lost).collect();
        let taken = now.iter().flatten().copied().collect();
        for (line, at) in self.lines_that_stand(blame, &lost, taken) {
            now[line as usize] = Some(at);
        }
        Some(now)
    }

    /// Of lines (each with its number), those that stand in the text, with the same author and not at a place that is
    /// `taken`: where.
    fn lines_that_stand(&self, blame: &Blame, lost: &[(u32, Line)], taken: FxHashSet<u32>) -> Vec<(u32, u32)> {
        let Some(state) = blame.state.filter(|_| !lost.is_empty()) else { return Vec::new() };
        let known = self.copy_of(state);
        let has_author = |line: &Line| self.marks.get(line.mark as usize).is_some_and(|mark| mark.step.is_some());
        let mut standing: FxHashMap<(LineId, MarkId), VecDeque<u32>> = FxHashMap::default();
        for (now, kept) in (0..).zip(&blame.kept) {
            let line = kept.and_then(|kept| known.get(kept as usize)).filter(|line| has_author(line));
            if let Some(line) = line.filter(|_| !taken.contains(&now)) {
                standing.entry((line.id, line.mark)).or_default().push_back(now);
            }
        }
        let mut stands = |line: &Line| standing.get_mut(&(line.id, line.mark))?.pop_front();
        lost.iter().filter_map(|(number, line)| Some((*number, stands(line)?))).collect()
    }

    /// Where the lines of the state that the text came from are in the text.
    fn places_now(&self, blame: &Blame) -> FxHashMap<u32, u32> {
        blame.kept.iter().enumerate().filter_map(|(now, kept)| Some(((*kept)?, now as u32))).collect()
    }

    fn follow(&self, blame: &Blame, step: StepKey, born: NodeId, fate: &mut Fate) {
        let Some(node) = self.nodes.get(born.0 as usize) else { return };
        let own = |line: &Line| {
            self.marks.get(line.mark as usize).is_some_and(|mark| mark.step == Some(step) && mark.node == born)
        };
        let mut lines: Vec<(u32, u32)> = Vec::new();
        for splice in &node.splices {
            let written = splice.added.iter().enumerate().filter(|(_, line)| own(line));
            lines.extend(written.map(|(at, _)| (splice.at + at as u32, splice.at + at as u32)));
        }
        let gone = |line: u32, by: Option<Witness>| Written { line, now: LineNow::Gone(by) };
        let Some(path) = blame.state.and_then(|state| self.path_through_merges(born, state)) else {
            // The text now does not come from there: another state took its place.
            fate.lines.extend(lines.iter().map(|(line, _)| gone(*line, None)));
            return;
        };
        let mut from = born;
        for id in path {
            let Some(node) = self.nodes.get(id.0 as usize) else { return };
            let across = (node.parent != Some(from)).then(|| self.through_merge(from, id));
            from = id;
            let next = |line: u32| match &across {
                Some(across) => across.get(line as usize).copied().flatten(),
                None => self.forward(node, line, step),
            };
            lines.retain_mut(|(written, now)| match next(*now) {
                Some(at) => {
                    *now = at;
                    true
                }
                None => {
                    let by = self.lost_before(node, born, *written, step).unwrap_or(node.witness());
                    fate.lines.push(gone(*written, Some(by)));
                    false
                }
            });
        }
        let places = self.places_now(blame);
        for (written, at) in lines {
            let is_own =
                |now: &u32| blame.lines.get(*now as usize).copied().flatten().is_some_and(|origin| origin.step == step);
            let now = places.get(&at).copied().filter(is_own);
            fate.lines.push(Written { line: written, now: now.map_or(LineNow::Gone(None), LineNow::At) });
        }
        self.find_lines_of_other_parents(blame, born, &mut fate.lines);
        self.find_moved_lines(blame, node, &mut fate.lines);
        fate.lines.sort_unstable_by_key(|line| line.line);
    }

    /// Who took away a line, written at `born`, that a merge does not have: where one of its parents has it no more.
    fn lost_before(&self, merge: &Node, born: NodeId, line: u32, step: StepKey) -> Option<Witness> {
        let parents = merge.parent.iter().chain(merge.others.iter().rev()).filter(|_| !merge.others.is_empty());
        parents.copied().find_map(|parent| {
            let (mut from, mut line) = (born, line);
            for id in self.path_through_merges(born, parent)? {
                let node = self.node(id)?;
                let next = if node.parent == Some(from) {
                    self.forward(node, line, step)
                } else {
                    self.through_merge(from, id).get(line as usize).copied().flatten()
                };
                let Some(next) = next else { return Some(node.witness()) };
                (from, line) = (id, next);
            }
            None
        })
    }

    /// Lines that are gone on the way that was followed, and that a merge took from another of its parents.
    fn find_lines_of_other_parents(&self, blame: &Blame, born: NodeId, lines: &mut [Written]) {
        let gone = |written: &&Written| matches!(written.now, LineNow::Gone(_));
        if !lines.iter().any(|written| gone(&written)) {
            return;
        }
        let text = self.copy_of(born);
        let lost = lines.iter().filter(gone);
        let lost: Vec<(u32, Line)> =
            lost.filter_map(|lost| Some((lost.line, *text.get(lost.line as usize)?))).collect();
        let at = |written: &Written| if let LineNow::At(now) = written.now { Some(now) } else { None };
        let taken = lines.iter().filter_map(at).collect();
        for (line, now) in self.lines_that_stand(blame, &lost, taken) {
            let same =
                lines.iter_mut().filter(|written| written.line == line && matches!(written.now, LineNow::Gone(_)));
            same.for_each(|written| written.now = LineNow::At(now));
        }
    }

    /// Lines that are gone from where `node` wrote them, and stand elsewhere now.
    fn find_moved_lines(&self, blame: &Blame, node: &Node, lines: &mut [Written]) {
        for (now, id) in &blame.moved {
            let wrote = |line: u32| {
                let mut splices = node.splices.iter();
                splices.any(|splice| {
                    let added = line.checked_sub(splice.at).and_then(|at| splice.added.get(at as usize));
                    let mark = added.and_then(|added| self.marks.get(added.mark as usize));
                    added.is_some_and(|added| added.id == *id)
                        && mark.is_some_and(|mark| {
                            self.mark_of(blame, *now as usize)
                                .is_some_and(|own| own.node == mark.node && own.step == mark.step)
                        })
                })
            };
            let gone = |written: &&mut Written| matches!(written.now, LineNow::Gone(_)) && wrote(written.line);
            if let Some(written) = lines.iter_mut().find(gone) {
                written.now = LineNow::At(*now);
            }
        }
    }

    /// The states from `from` (left out) to `to`, also through the other parents of merges.
    fn path_through_merges(&self, from: NodeId, to: NodeId) -> Option<Vec<NodeId>> {
        let leads = |way: &NodeId| *way == from || self.leads_to(from, *way);
        let mut path = Vec::new();
        let mut at = to;
        while at > from {
            path.push(at);
            let node = self.nodes.get(at.0 as usize)?;
            let mut parents = node.parent.iter().chain(&node.others);
            at = if node.others.is_empty() { node.parent? } else { *parents.find(|parent| leads(parent))? };
        }
        path.reverse();
        (at == from).then_some(path)
    }

    /// Where a line of the parent is in `node`, as long as it is still the step's.
    fn forward(&self, node: &Node, line: u32, step: StepKey) -> Option<u32> {
        let mut shift = 0i64;
        for splice in &node.splices {
            let from = i64::from(splice.at) - shift;
            if i64::from(line) < from {
                break;
            }
            let inside = usize::try_from(i64::from(line) - from).ok()?;
            if let Some(old) = splice.removed.get(inside) {
                let mark_of = |line: &Line| self.marks.get(line.mark as usize);
                let same = |line: &Line| {
                    self.interner.same_tokens(line.id, old.id)
                        && mark_of(line).is_some_and(|mark| mark.step == Some(step))
                };
                let again = splice.removed[..inside].iter().filter(|line| same(line)).count();
                let at = splice.added.iter().enumerate().filter(|(_, line)| same(line)).nth(again)?.0;
                return Some(splice.at + at as u32);
            }
            shift += splice.added.len() as i64 - splice.removed.len() as i64;
        }
        u32::try_from(i64::from(line) + shift).ok()
    }
}

/// Where a line of the parent is in `node`, if it stayed as it was.
fn moved(node: &Node, line: u32) -> Option<u32> {
    let mut shift = 0i64;
    for splice in &node.splices {
        let from = i64::from(splice.at) - shift;
        if i64::from(line) < from {
            break;
        }
        if i64::from(line) < from + splice.removed.len() as i64 {
            return None;
        }
        shift += splice.added.len() as i64 - splice.removed.len() as i64;
    }
    u32::try_from(i64::from(line) + shift).ok()
}

impl Node {
    pub(crate) fn witness(&self) -> Witness {
        let step = if let Cause::Edit(step) = self.cause { Some(step) } else { None };
        Witness { step, key: self.key, at: self.at, first_seen: self.parent.is_none() && step.is_none() }
    }
}

/// The splice of a node that wrote this line, and the line's place in it. A line reformatted since is found by its
/// tokens.
fn written_in<'a>(timeline: &Timeline, node: &'a Node, line: Line) -> Option<(&'a Splice, usize)> {
    let words = &timeline.interner;
    let find = |same: &dyn Fn(&Line) -> bool| {
        node.splices.iter().find_map(|splice| Some((splice, splice.added.iter().position(same)?)))
    };
    find(&|added: &Line| *added == line).or_else(|| find(&|added: &Line| words.same_tokens(added.id, line.id)))
}

/// The replaced line that is most like the one written, if one is like it at all.
fn most_like(timeline: &Timeline, splice: &Splice, index: usize) -> Option<Line> {
    let words = &timeline.interner;
    let new = splice.added.get(index)?;
    if words.small(new.id) {
        return None;
    }
    let likeness = |old: &&Line| common(words.text(old.id).trim(), words.text(new.id).trim());
    let best = splice.removed.iter().filter(|old| !words.small(old.id)).max_by_key(likeness)?;
    let longest = words.text(best.id).trim().len().max(words.text(new.id).trim().len());
    (likeness(&best) * 2 >= longest).then_some(*best)
}

/// Bytes that two texts share at their beginnings and ends.
fn common(a: &str, b: &str) -> usize {
    let head = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let most = a.len().min(b.len()) - head;
    head + a.bytes().rev().zip(b.bytes().rev()).take(most).take_while(|(a, b)| a == b).count()
}
