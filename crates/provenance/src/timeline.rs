//! The states of one file as a graph.
//!
//! Each state is kept as what differs from its parent. One text (the *cursor*'s) is whole; every other can be had by
//! walking the tree to it, undoing and doing differences.

use rustc_hash::FxHashMap;
use trace::{StepKey, Timestamp};

use crate::align::{Match, align, doubt_islands};
use crate::apply;
use crate::event::{Event, EventKey, Happening, Seen, Tree};
use crate::text::{self, Interner, LineId, Words};

/// A state of the file. Later states have greater numbers than those that they follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(crate) u32);

/// Where a line was born: all lines that came by one step at one node share a mark.
pub(crate) type MarkId = u32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) node: NodeId,
    /// `None`: nobody known wrote it.
    pub(crate) step: Option<StepKey>,
    /// Only its white space is younger than its author. Then `node` is where the author wrote it.
    pub(crate) reformatted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) id: LineId,
    pub(crate) mark: MarkId,
}

/// Lines of the parent replaced by others, at a place in the child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Splice {
    pub(crate) at: u32,
    pub(crate) added: Box<[Line]>,
    pub(crate) removed: Box<[Line]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A step's outcome.
    Edit(StepKey),
    /// A text found to be different from the one before: somebody changed it, nobody says who.
    Gap,
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) parent: Option<NodeId>,
    pub(crate) cause: Cause,
    /// The event that proved this state.
    pub(crate) key: EventKey,
    pub(crate) at: Timestamp,
    /// In ascending order of `at`.
    pub(crate) splices: Vec<Splice>,
    pub(crate) len: u32,
    hash: u64,
    /// The newest gap on the way here from the root, itself included.
    pub(crate) last_gap: Option<NodeId>,
}

/// The states of one file. Built by [`Timeline::sync`]; asked by [`Timeline::blame`](crate::Blame).
#[derive(Default)]
pub struct Timeline {
    pub(crate) interner: Interner,
    pub(crate) nodes: Vec<Node>,
    pub(crate) marks: Vec<Mark>,
    by_hash: FxHashMap<u64, Vec<NodeId>>,
    heads: Heads,
    cursor: Option<NodeId>,
    text: Vec<Line>,
    done: Vec<Done>,
    /// Edits of which nothing tells what text they found, or only a text that a tool showed.
    unresolved: Vec<EventKey>,
    /// States known only as a tool showed them: an empty last line may be missing.
    only_shown: Vec<NodeId>,
}

/// The newest state in each worktree, and of all.
#[derive(Clone, Default)]
struct Heads {
    of_tree: Vec<(Tree, NodeId)>,
    newest: Option<NodeId>,
    /// In each worktree the state before the steps that were left behind last.
    before_left: Vec<(Tree, NodeId)>,
}

/// What stood before an event was replayed, so that it can be taken back.
struct Done {
    key: EventKey,
    nodes: usize,
    marks: usize,
    heads: Heads,
}

impl Timeline {
    pub fn new() -> Timeline {
        Timeline::default()
    }

    /// Makes the timeline that of `events`, which are in the order in which they happened.
    pub fn sync(&mut self, events: &[Event]) {
        let kept = self.keep(events.iter().map(|event| event.key));
        events[kept..].iter().for_each(|event| self.push(event));
    }

    /// Takes back what does not stand at the beginning of these events. Gives how many were replayed already; the
    /// others are to be pushed.
    pub fn keep(&mut self, keys: impl IntoIterator<Item = EventKey>) -> usize {
        let kept = self.done.iter().zip(keys).take_while(|(done, key)| done.key == *key).count();
        self.take_back_to(kept);
        kept
    }

    /// Edits that could not be replayed, or only over a text that a tool showed. More observations may help.
    pub fn unresolved(&self) -> &[EventKey] {
        &self.unresolved
    }

    /// Whether the text of a state goes back to one that was only shown.
    fn is_only_shown(&self, node: NodeId) -> bool {
        let mut at = Some(node);
        while let Some(node) = at {
            if self.only_shown.contains(&node) {
                return true;
            }
            at = self.nodes.get(node.0 as usize).and_then(|node| node.parent);
        }
        false
    }

    /// Whether any state is known.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    fn take_back_to(&mut self, kept: usize) {
        let Some(first) = self.done.get(kept) else { return };
        let (nodes, marks, heads) = (first.nodes, first.marks, first.heads.clone());
        if self.cursor.is_some_and(|cursor| cursor.0 as usize >= nodes) {
            // Texts of nodes that go away cannot be walked from: begin at the root again.
            let target = heads.newest;
            self.walk_to(target);
        }
        for (at, node) in self.nodes.iter().enumerate().skip(nodes) {
            if let Some(same) = self.by_hash.get_mut(&node.hash) {
                same.retain(|id| id.0 as usize != at);
            }
        }
        self.nodes.truncate(nodes);
        self.marks.truncate(marks);
        self.only_shown.retain(|node| (node.0 as usize) < nodes);
        self.heads = heads;
        let gone: Vec<EventKey> = self.done.drain(kept..).map(|done| done.key).collect();
        self.unresolved.retain(|key| !gone.contains(key));
    }

    /// Notes an event that tells nothing, so that it is known next time.
    pub fn push_nothing(&mut self, key: EventKey) {
        let heads = self.heads.clone();
        self.done.push(Done { key, nodes: self.nodes.len(), marks: self.marks.len(), heads });
    }

    /// Replays the event that came after all others.
    pub fn push(&mut self, event: &Event) {
        self.push_nothing(event.key);
        self.heads.note(event);
        self.replay(event);
        if !event.left_behind {
            self.heads.before_left.retain(|(tree, _)| *tree != event.tree);
        }
    }

    fn replay(&mut self, event: &Event) {
        match &event.what {
            Happening::Seen { text, how } => {
                let mut ids = self.interner.text_lines(text);
                if *how == Seen::Shown {
                    self.add_unseen_last_line(&mut ids, event.tree);
                }
                let first = self.next_node();
                let node = self.seen(&ids, event);
                if *how == Seen::Shown && node == first {
                    self.only_shown.push(node);
                }
                if *how != Seen::Somewhere {
                    self.heads.set(event.tree, node);
                }
            }
            Happening::Edit { step, change } => match apply::edit(self, event, *step, change) {
                Some(node) => {
                    if change.before.is_none() && !change.created && self.is_only_shown(node) {
                        self.unresolved.push(event.key);
                    }
                    self.heads.set(event.tree, node);
                }
                None => self.unresolved.push(event.key),
            },
        }
    }

    /// A text that is a known state's but for an empty last line is taken for that state's.
    fn add_unseen_last_line(&mut self, ids: &mut Vec<LineId>, tree: Tree) {
        let head = self.head(tree);
        if self.equal(ids, head).is_none() {
            ids.push(self.interner.line(""));
            if self.equal(ids, head).is_none() {
                ids.pop();
            }
        }
    }

    /// The state whose text this is: one known before, else a new one across a gap.
    pub(crate) fn seen(&mut self, ids: &[LineId], event: &Event) -> NodeId {
        let head = self.head(event.tree);
        if let Some(same) = self.equal(ids, head) {
            return same;
        }
        let Some(parent) = head else { return self.root(ids, event) };
        let splices = self.gap(parent, ids, NodeId(self.nodes.len() as u32));
        self.add(Some(parent), Cause::Gap, event, splices)
    }

    /// The first state: nobody known wrote any of it.
    fn root(&mut self, ids: &[LineId], event: &Event) -> NodeId {
        let mark = self.mark(NodeId(self.nodes.len() as u32), None);
        let added: Box<[Line]> = ids.iter().map(|id| Line { id: *id, mark }).collect();
        let splices =
            if added.is_empty() { Vec::new() } else { vec![Splice { at: 0, added, removed: Box::default() }] };
        self.add(None, Cause::Gap, event, splices)
    }

    /// What changed from the text of `parent` to `ids` when nothing but the texts is known.
    fn gap(&mut self, parent: NodeId, ids: &[LineId], child: NodeId) -> Vec<Splice> {
        self.walk_to(Some(parent));
        let old = self.text.clone();
        let unknown = self.mark(child, None);
        let (lines, kept) = flow(&self.interner, &mut self.marks, &old, ids, unknown, unknown, Between::Texts);
        splices_of(&old, &lines, &kept)
    }

    pub(crate) fn mark(&mut self, node: NodeId, step: Option<StepKey>) -> MarkId {
        push_mark(&mut self.marks, Mark { node, step, reformatted: false })
    }

    /// The state that stood before the steps that were left behind, as long as nothing came after them.
    pub(crate) fn before_left_behind(&self, tree: Tree) -> Option<NodeId> {
        self.heads.before_left.iter().find(|(known, _)| *known == tree).map(|(_, node)| *node)
    }

    /// The state that a step on `tree` would find where nothing else is known.
    pub(crate) fn head(&self, tree: Tree) -> Option<NodeId> {
        self.heads.get(tree).or(self.heads.newest)
    }

    pub(crate) fn next_node(&self) -> NodeId {
        NodeId(self.nodes.len() as u32)
    }

    /// The latest state with exactly this text; `first` if it is one.
    pub(crate) fn equal(&mut self, ids: &[LineId], first: Option<NodeId>) -> Option<NodeId> {
        let candidates = self.equal_candidates(ids, first);
        candidates.into_iter().find(|id| self.text_of(*id).iter().map(|line| line.id).eq(ids.iter().copied()))
    }

    /// States whose text has the same hash and size, `first` first, then the latest first.
    pub(crate) fn equal_candidates(&self, ids: &[LineId], first: Option<NodeId>) -> Vec<NodeId> {
        let Some(found) = self.by_hash.get(&text::hash(ids.iter().copied())) else { return Vec::new() };
        let mut found: Vec<NodeId> = found.iter().rev().copied().collect();
        found.retain(|id| self.nodes.get(id.0 as usize).is_some_and(|node| node.len as usize == ids.len()));
        found.sort_by_key(|id| Some(*id) != first);
        found
    }

    /// Adds a state. A step's own outcome is always a new state, even where the text is an old one.
    pub(crate) fn add(&mut self, parent: Option<NodeId>, cause: Cause, event: &Event, splices: Vec<Splice>) -> NodeId {
        let id = self.next_node();
        let above = parent.and_then(|parent| self.nodes.get(parent.0 as usize));
        let is_gap = cause == Cause::Gap && parent.is_some();
        let last_gap = if is_gap { Some(id) } else { above.and_then(|node| node.last_gap) };
        self.walk_to(parent);
        do_splices(&mut self.text, &splices);
        self.cursor = Some(id);
        let hash = text::hash(self.text.iter().map(|line| line.id));
        let (key, at, len) = (event.key, event.at, self.text.len() as u32);
        self.nodes.push(Node { parent, cause, key, at, splices, len, hash, last_gap });
        self.by_hash.entry(hash).or_default().push(id);
        id
    }

    /// The whole text of a state. The cursor goes there.
    pub(crate) fn text_of(&mut self, node: NodeId) -> &[Line] {
        self.walk_to(Some(node));
        &self.text
    }

    /// The whole text of a state, without moving the cursor.
    pub(crate) fn copy_of(&self, node: NodeId) -> Vec<Line> {
        let mut text = self.text.clone();
        walk(&self.nodes, self.cursor, Some(node), &mut text);
        text
    }

    fn walk_to(&mut self, node: Option<NodeId>) {
        walk(&self.nodes, self.cursor, node, &mut self.text);
        self.cursor = node;
    }
}

impl Heads {
    fn get(&self, tree: Tree) -> Option<NodeId> {
        self.of_tree.iter().find(|(known, _)| *known == tree).map(|(_, node)| *node)
    }

    /// Before an event: keeps the state that it may be taken back to.
    fn note(&mut self, event: &Event) {
        let head = self.get(event.tree);
        if event.left_behind
            && let Some(head) = head
            && !self.before_left.iter().any(|(tree, _)| *tree == event.tree)
        {
            self.before_left.push((event.tree, head));
        }
    }

    fn set(&mut self, tree: Tree, node: NodeId) {
        self.newest = Some(node);
        match self.of_tree.iter_mut().find(|(known, _)| *known == tree) {
            Some((_, head)) => *head = node,
            None => self.of_tree.push((tree, node)),
        }
    }
}

/// Takes `text` from the state `from` to the state `to`.
fn walk(nodes: &[Node], from: Option<NodeId>, to: Option<NodeId>, text: &mut Vec<Line>) {
    let (mut a, mut b) = (from, to);
    let mut down = Vec::new();
    // Parents have smaller numbers, so the greater of the two is never above the other.
    while a != b {
        if a > b {
            let Some(node) = a.and_then(|id| nodes.get(id.0 as usize)) else { return };
            undo_splices(text, &node.splices);
            a = node.parent;
        } else {
            let Some((id, node)) = b.and_then(|id| Some((id, nodes.get(id.0 as usize)?))) else { return };
            down.push(id);
            b = node.parent;
        }
    }
    for id in down.into_iter().rev() {
        do_splices(text, &nodes[id.0 as usize].splices);
    }
}

fn do_splices(text: &mut Vec<Line>, splices: &[Splice]) {
    for splice in splices {
        let at = (splice.at as usize).min(text.len());
        let end = (at + splice.removed.len()).min(text.len());
        text.splice(at..end, splice.added.iter().copied());
    }
}

fn undo_splices(text: &mut Vec<Line>, splices: &[Splice]) {
    for splice in splices.iter().rev() {
        let at = (splice.at as usize).min(text.len());
        let end = (at + splice.added.len()).min(text.len());
        text.splice(at..end, splice.removed.iter().copied());
    }
}

/// Lines that are reformatted together mostly have one author: a mark is looked for among the last few only.
fn push_mark(marks: &mut Vec<Mark>, mark: Mark) -> MarkId {
    const LAST: usize = 64;
    let from = marks.len().saturating_sub(LAST);
    if let Some(at) = marks[from..].iter().rposition(|known| *known == mark) {
        return (from + at) as MarkId;
    }
    marks.push(mark);
    (marks.len() - 1) as MarkId
}

/// What lies between two texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Between {
    /// One step, whose log says what it replaced.
    OneStep,
    /// Nothing but the texts is known.
    Texts,
}

/// Carries lines across a change of which only the two texts are known. Gives the new lines and, for each, the old
/// line that it is. `new_mark` is the mark of lines that are new, `unsure_mark` of those that have several accounts.
pub(crate) fn flow(
    words: &impl Words,
    marks: &mut Vec<Mark>,
    old: &[Line],
    new: &[LineId],
    new_mark: MarkId,
    unsure_mark: MarkId,
    between: Between,
) -> (Vec<Line>, Vec<Option<u32>>) {
    let old_ids: Vec<LineId> = old.iter().map(|line| line.id).collect();
    let mut matches = align(&old_ids, new).0;
    if between == Between::Texts {
        doubt_islands(&old_ids, new, &mut matches);
    }
    let mut lines: Vec<Line> = new.iter().map(|id| Line { id: *id, mark: new_mark }).collect();
    let mut kept: Vec<Option<u32>> = vec![None; new.len()];
    for (at, found) in matches.iter().enumerate() {
        match found {
            Match::Sure(x) => (lines[at].mark, kept[at]) = (old[*x as usize].mark, Some(*x)),
            Match::Run(x) => {
                kept[at] = Some(*x);
                let written_together = in_one_run(marks, old, &matches, at, *x);
                lines[at].mark = if written_together { old[*x as usize].mark } else { unsure_mark };
            }
            Match::New => {}
            Match::Unsure { candidates, maybe_new } => {
                lines[at].mark = agreed(marks, old, candidates, *maybe_new, new_mark).unwrap_or(unsure_mark);
            }
        }
    }
    reformat(words, marks, old, &mut lines, &mut kept);
    (lines, kept)
}

/// Whether a line drawn into a run was written in it: by the same step as the sure line next to it.
fn in_one_run(marks: &[Mark], old: &[Line], matches: &[Match], at: usize, x: u32) -> bool {
    let step = |line: &Line| marks.get(line.mark as usize).and_then(|mark| mark.step);
    let own = step(&old[x as usize]);
    let beside = |at: Option<usize>, x: Option<u32>| {
        let (Some(at), Some(x)) = (at, x) else { return false };
        matches.get(at).and_then(Match::old) == Some(x) && old.get(x as usize).is_some_and(|line| step(line) == own)
    };
    beside(Some(at + 1), Some(x + 1)) || beside(at.checked_sub(1), x.checked_sub(1))
}

/// The one author on whom all accounts of a line agree.
fn agreed(marks: &[Mark], old: &[Line], candidates: &[u32], maybe_new: bool, new_mark: MarkId) -> Option<MarkId> {
    let author = |mark: MarkId| marks.get(mark as usize).map(|mark| (mark.step, mark.reformatted));
    let mut all = candidates.iter().map(|x| old[*x as usize].mark).chain(maybe_new.then_some(new_mark));
    let first = all.next()?;
    all.all(|mark| author(mark) == author(first)).then_some(first)
}

/// Lines whose tokens were kept keep their author: between two kept lines, old lines that are gone and new lines that
/// are nobody's are aligned once more by their tokens alone.
fn reformat(words: &impl Words, marks: &mut Vec<Mark>, old: &[Line], lines: &mut [Line], kept: &mut [Option<u32>]) {
    let mut at = 0;
    let mut old_from = 0usize;
    while at < lines.len() {
        if let Some(x) = kept[at] {
            (old_from, at) = (x as usize + 1, at + 1);
            continue;
        }
        let end = (at..lines.len()).find(|y| kept[*y].is_some()).unwrap_or(lines.len());
        let old_to = kept.get(end).copied().flatten().map_or(old.len(), |x| x as usize);
        if old_from < old_to {
            let tokens = |id: LineId| words.tokens(id);
            let before: Vec<u32> = old[old_from..old_to].iter().map(|line| tokens(line.id)).collect();
            let after: Vec<u32> = lines[at..end].iter().map(|line| tokens(line.id)).collect();
            for (y, found) in align(&before, &after).0.iter().enumerate() {
                let Some(x) = found.old().map(|x| old_from + x as usize) else { continue };
                let line = &mut lines[at + y];
                // Equal lines were judged by their own text already; a brace alone proves nothing.
                let lonely = words.small(line.id) && !beside_kept(kept, at + y, x as u32);
                if old[x].id == line.id || lonely {
                    continue;
                }
                kept[at + y] = Some(x as u32);
                if let Some(mark) = marks.get(old[x].mark as usize).copied() {
                    line.mark = push_mark(marks, Mark { reformatted: mark.step.is_some(), ..mark });
                }
            }
        }
        (old_from, at) = (old_to, end);
    }
}

fn beside_kept(kept: &[Option<u32>], at: usize, x: u32) -> bool {
    at.checked_sub(1).and_then(|before| kept[before]).is_some_and(|before| before + 1 == x)
        || kept.get(at + 1).copied().flatten().is_some_and(|after| after == x + 1)
}

/// The difference between two texts as splices. `kept` tells, in ascending order, which old line a new line is.
pub(crate) fn splices_of(old: &[Line], new: &[Line], kept: &[Option<u32>]) -> Vec<Splice> {
    let mut splices = Vec::new();
    let (mut x, mut y) = (0usize, 0usize);
    loop {
        // The next line that stays as it is.
        let stays = |at: usize| {
            let from = kept[at]? as usize;
            (from >= x && old.get(from) == Some(&new[at])).then_some((from, at))
        };
        let (end_x, end_y) = (y..new.len()).find_map(stays).unwrap_or((old.len(), new.len()));
        if end_x > x || end_y > y {
            splices.push(Splice { at: y as u32, added: new[y..end_y].into(), removed: old[x..end_x].into() });
        }
        if end_y == new.len() {
            return splices;
        }
        (x, y) = (end_x + 1, end_y + 1);
    }
}
