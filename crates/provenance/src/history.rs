//! The chain of changes that made a line, and what became of the lines of a step.

use trace::{StepKey, Timestamp};

use crate::blame::Blame;
use crate::event::EventKey;
use crate::text::Words;
use crate::timeline::{Cause, Line, Node, NodeId, Splice, Timeline};

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
}

/// What became of the lines that a step wrote in this file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// Lines of the file right after the step (from 0) that the step wrote, each with the line that it is now.
    pub lines: Vec<(u32, Option<u32>)>,
    /// Who changed or removed the others. `None`: the text now shows it and nobody is known.
    pub lost: Vec<(Option<Witness>, u32)>,
}

impl Fate {
    pub fn live(&self) -> usize {
        self.lines.iter().filter(|(_, now)| now.is_some()).count()
    }
}

impl Timeline {
    /// The writings of a line, the newest first. A line changed by somebody new is followed to the line most like it
    /// among those that it replaced.
    pub fn history(&self, blame: &Blame, line: usize) -> Vec<Link> {
        let mut links = Vec::new();
        let Some(mut node) = self.mark_of(blame, line).map(|mark| mark.node) else { return links };
        let text_now = self.text_now(blame, line);
        let mut current = match self.nodes.get(node.0 as usize) {
            Some(_) => text_now,
            // Born in the text asked about: nobody known, over the line that stood in its place.
            None => {
                let Some(before) = self.replaced_now(blame, line) else { return links };
                node = before.0;
                before.1
            }
        };
        while let Some(at) = self.nodes.get(node.0 as usize) {
            let Some((splice, index)) = written_in(self, at, current) else { break };
            links.push(Link { by: at.witness(), text: self.interner.text(splice.added[index].id).into() });
            let before = most_like(self, splice, index);
            let Some(before) = before.filter(|_| links.len() < MOST_LINKS) else { break };
            let Some(mark) = self.marks.get(before.mark as usize) else { break };
            (current, node) = (before, mark.node);
        }
        links
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
        Line { id: blame.state.zip(kept).and_then(|(state, at)| of_state(state, at)).unwrap_or(u32::MAX), mark }
    }

    /// The line of the state that a line unknown to all states stands for: the one between the same neighbours.
    fn replaced_now(&self, blame: &Blame, line: usize) -> Option<(NodeId, Line)> {
        let state = self.copy_of(blame.state?);
        let above = (0..line).rev().find_map(|at| Some((at, blame.kept.get(at).copied().flatten()?)));
        let at = above.map_or(line, |(at, kept)| kept as usize + (line - at));
        let below = (line + 1..blame.kept.len()).find_map(|at| blame.kept.get(at).copied().flatten());
        let end = below.map_or(state.len(), |kept| kept as usize);
        let old = state.get(at).filter(|_| at < end)?;
        Some((self.marks.get(old.mark as usize)?.node, *old))
    }

    fn writings_of(&self, step: StepKey) -> Vec<NodeId> {
        let wrote = |(_, node): &(usize, &Node)| node.cause == Cause::Edit(step);
        self.nodes.iter().enumerate().filter(wrote).map(|(at, _)| NodeId(at as u32)).collect()
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
        let path = blame.state.and_then(|state| self.path(born, state));
        let Some(path) = path else {
            // The text now does not come from there: another state took its place.
            fate.lines.extend(lines.iter().map(|(line, _)| (*line, None)));
            fate.lost(None, lines.len());
            return;
        };
        for id in path {
            let Some(node) = self.nodes.get(id.0 as usize) else { return };
            let before = lines.len();
            lines.retain_mut(|(written, now)| match self.forward(node, *now, step) {
                Some(at) => {
                    *now = at;
                    true
                }
                None => {
                    fate.lines.push((*written, None));
                    false
                }
            });
            fate.lost(Some(node.witness()), before - lines.len());
        }
        let mut gone = 0;
        for (written, at) in lines {
            let is_kept = |now: &usize| blame.lines[*now].is_some_and(|origin| origin.step == step);
            let now = blame.kept.iter().position(|kept| *kept == Some(at)).filter(is_kept);
            gone += usize::from(now.is_none());
            fate.lines.push((written, now.map(|now| now as u32)));
        }
        fate.lost(None, gone);
        fate.lines.sort_unstable();
    }

    /// The states from `from` (left out) to `to`, where one leads to the other.
    fn path(&self, from: NodeId, to: NodeId) -> Option<Vec<NodeId>> {
        let mut path = Vec::new();
        let mut at = to;
        while at > from {
            path.push(at);
            at = self.nodes.get(at.0 as usize)?.parent?;
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
                    self.interner.tokens(line.id) == self.interner.tokens(old.id)
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

impl Fate {
    fn lost(&mut self, by: Option<Witness>, count: usize) {
        if count > 0 {
            self.lost.push((by, count as u32));
        }
    }
}

impl Node {
    fn witness(&self) -> Witness {
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
    find(&|added: &Line| *added == line)
        .or_else(|| find(&|added: &Line| words.tokens(added.id) == words.tokens(line.id)))
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
