//! The states of one file as a graph.
//!
//! Each state is kept as what differs from its parent. One text (the *cursor*'s) is whole; every other can be had by
//! walking the tree to it, undoing and doing differences.

use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use trace::{StepKey, Timestamp};

use crate::apply;
use crate::event::{Chain, Event, EventKey, Happening, Seen, Tree, TurnKey};
use crate::flow::push_mark;
use crate::infer::{Doubt, Run, Window};
use crate::order::Advice;
use crate::page::Paged;
use crate::text::{self, Interner, LineId};

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
    pub(crate) how: How,
}

/// How a line came by its author.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Written,
    /// Only its white space is younger than its author. Then the mark's node is where the author wrote it.
    Reformatted,
    /// Only one command can have written it.
    Inferred,
    /// It stood elsewhere before.
    Moved,
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
    /// The state from which its text is told.
    pub(crate) parent: Option<NodeId>,
    /// Further states that it was made of: the other parents of a merge.
    pub(crate) others: Box<[NodeId]>,
    pub(crate) cause: Cause,
    /// The event that proved this state.
    pub(crate) key: EventKey,
    pub(crate) at: Timestamp,
    /// In ascending order of `at`.
    pub(crate) splices: Box<[Splice]>,
    pub(crate) len: u32,
    hash: u64,
    /// The state before this one whose text has the same hash.
    alike: Option<NodeId>,
    /// The newest gap on the way here from the root, itself included.
    pub(crate) last_gap: Option<NodeId>,
}

/// The states of one file. Built by [`Timeline::sync`]; asked by [`Timeline::blame`](crate::Blame).
#[derive(Default)]
pub struct Timeline {
    pub(crate) interner: Interner,
    pub(crate) nodes: Vec<Node>,
    pub(crate) marks: Vec<Mark>,
    /// The newest state with each hash of a text.
    by_hash: FxHashMap<u64, NodeId>,
    pub(crate) heads: Heads,
    cursor: Option<NodeId>,
    text: Paged,
    pub(crate) done: Vec<Done>,
    /// Which of `done` an event is.
    place_of: FxHashMap<EventKey, u32>,
    /// Edits of which nothing tells what text they found.
    pub(crate) pending: Vec<Pending>,
    /// Edits that waited until an event (which of `done`) showed their outcome.
    pub(crate) placed: Vec<(usize, Pending)>,
    /// Edits replayed over a state in which the log's hunks stand, which is no proof that they found that state.
    pub(crate) loose: VecDeque<Pending>,
    /// Edits that stand on a text that was only shown.
    on_shown: Vec<EventKey>,
    /// States known only as a tool showed them: an empty last line may be missing.
    only_shown: Vec<NodeId>,
    /// Commands that may have written the file.
    pub(crate) runs: Vec<Run>,
    /// Events that happened at another time than their clocks say.
    pub(crate) misdated: Vec<EventKey>,
    /// From which of `done` on the order is not that of the clocks.
    pub(crate) reordered_from: Option<usize>,
    /// What the replayed events say of their order.
    pub(crate) advice: Vec<Advice>,
    /// Edits that find no text are put where what they replaced stands.
    pub(crate) lenient: bool,
    /// Since which of `done` that is so.
    pub(crate) lenient_from: Option<usize>,
}

/// Edits that are tried again at most.
const MOST_LOOSE: usize = 64;

/// An edit that waits for the text that it found.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    /// Which of `done` it is.
    pub(crate) place: usize,
    pub(crate) event: Event,
}

/// The newest state in each worktree, and of all.
#[derive(Clone, Default)]
pub(crate) struct Heads {
    of_tree: Vec<(Tree, NodeId)>,
    newest: Option<NodeId>,
    /// The file in the commit that was told last.
    committed: Option<NodeId>,
    pub(crate) seldom: Arc<Seldom>,
}

/// What most events leave as it is.
#[derive(Clone, Default)]
pub(crate) struct Seldom {
    /// In each worktree the state before the steps that were left behind last.
    before_left: Vec<(Tree, NodeId)>,
    /// In each worktree what ran since its text was last told whole.
    pub(crate) windows: Vec<(Tree, Window)>,
}

/// An event that was replayed, and what stood before it, so that it can be taken back.
pub(crate) struct Done {
    pub(crate) key: EventKey,
    pub(crate) chain: Chain,
    nodes: u32,
    marks: u32,
    pub(crate) runs: u32,
    advice: u32,
    pub(crate) heads: Heads,
    /// The state that it proves.
    pub(crate) node: Option<NodeId>,
    /// `None`: its body is gone.
    pub(crate) where_and_when: Option<(Tree, Option<TurnKey>)>,
}

impl Timeline {
    pub fn new() -> Timeline {
        Timeline::default()
    }

    /// Edits that could not be replayed, or only over a text that a tool showed. More observations may help.
    pub fn unresolved(&self) -> Vec<EventKey> {
        self.pending.iter().map(|pending| pending.event.key).chain(self.on_shown.iter().copied()).collect()
    }

    /// Edits of which nothing tells what text they found.
    pub fn unreplayed(&self) -> impl Iterator<Item = EventKey> {
        self.pending.iter().map(|pending| pending.event.key)
    }

    /// Whether the text of a state goes back to one that was only shown.
    fn is_only_shown(&self, node: NodeId) -> bool {
        let mut at = Some(node);
        while let Some(node) = at.filter(|_| !self.only_shown.is_empty()) {
            if self.only_shown.contains(&node) {
                return true;
            }
            at = self.node(node).and_then(|node| node.parent);
        }
        false
    }

    /// Whether any state is known.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    pub(crate) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.0 as usize)
    }

    pub(crate) fn take_back_to(&mut self, kept: usize) {
        let Some(first) = self.done.get(kept) else { return };
        let [nodes, marks, runs, advice] =
            [first.nodes, first.marks, first.runs, first.advice].map(|count| count as usize);
        let heads = first.heads.clone();
        self.advice.truncate(advice);
        if self.cursor.is_some_and(|cursor| cursor.0 as usize >= nodes) {
            // Texts of nodes that go away cannot be walked from.
            let target = heads.newest.or(heads.committed);
            self.walk_to(target);
        }
        for node in self.nodes.drain(nodes..).rev() {
            match node.alike {
                Some(alike) => self.by_hash.insert(node.hash, alike),
                None => self.by_hash.remove(&node.hash),
            };
        }
        self.marks.truncate(marks);
        self.runs.truncate(runs);
        self.only_shown.retain(|node| (node.0 as usize) < nodes);
        self.heads = heads;
        self.pending.retain(|pending| pending.place < kept);
        self.take_back_placed(kept);
        self.loose.retain(|loose| loose.place < kept);
        for done in self.done.drain(kept..) {
            self.place_of.remove(&done.key);
            self.on_shown.retain(|key| *key != done.key);
        }
    }

    /// Notes an event; `None` where its body is gone or tells nothing of the file.
    pub(crate) fn push(&mut self, key: EventKey, chain: Chain, event: Option<Event>) {
        let heads = self.heads.clone();
        let counts = [self.nodes.len(), self.marks.len(), self.runs.len(), self.advice.len()];
        let [nodes, marks, runs, advice] = counts.map(|count| count as u32);
        self.place_of.insert(key, self.done.len() as u32);
        let where_and_when = event.as_ref().map(|event| (event.tree, event.turn));
        self.done.push(Done { key, chain, nodes, marks, runs, advice, heads, node: None, where_and_when });
        let Some(event) = event else { return };
        self.heads.note(&event);
        let node = self.replay(&event, chain);
        if let Some(done) = self.done.last_mut() {
            done.node = node;
        }
        if !event.left_behind && self.before_left_behind(event.tree).is_some() {
            Arc::make_mut(&mut self.heads.seldom).before_left.retain(|(tree, _)| *tree != event.tree);
        }
    }

    /// The state that an event proves.
    fn state_of(&self, key: EventKey) -> Option<NodeId> {
        self.done.get(*self.place_of.get(&key)? as usize)?.node
    }

    fn replay(&mut self, event: &Event, chain: Chain) -> Option<NodeId> {
        match &event.what {
            Happening::Seen { text, how, parents } => {
                let mut ids = self.interner.text_lines(text);
                if *how == Seen::Shown {
                    self.add_unseen_last_line(&mut ids, event.tree);
                }
                let first = self.next_node();
                let node = match how {
                    Seen::Somewhere => self.committed(&ids, event, parents),
                    Seen::Here | Seen::Shown => self.seen(&ids, event),
                };
                if *how == Seen::Shown && node >= first {
                    self.only_shown.push(node);
                }
                if *how != Seen::Somewhere {
                    self.heads.set(event.tree, node);
                    self.open_window(event);
                }
                Some(node)
            }
            Happening::Edit { step, change } => {
                let waits =
                    self.pending.iter().any(|one| self.done.get(one.place).is_some_and(|done| done.chain == chain));
                let found = if waits && !apply::tells_what_it_found(change) {
                    None
                } else {
                    apply::edit(self, event, *step, change)
                };
                let Some(node) = found else {
                    self.pending.push(Pending { place: self.done.len() - 1, event: event.clone() });
                    // What it wrote is no command's.
                    self.close_window(event.tree, Doubt::Waiting);
                    return None;
                };
                if change.before.is_none() && !change.created && self.is_only_shown(node) {
                    self.on_shown.push(event.key);
                }
                let is_first_here = self.is_first_seen_elsewhere(event.tree);
                self.heads.set(event.tree, node);
                if change.before.is_some() || change.after.is_some() {
                    self.open_window(event);
                } else if is_first_here {
                    self.close_window(event.tree, Doubt::Elsewhere);
                }
                if !apply::tells_what_it_found(change) && change.after.is_none() {
                    if self.loose.len() == MOST_LOOSE {
                        self.loose.pop_front();
                    }
                    self.loose.push_back(Pending { place: self.done.len() - 1, event: event.clone() });
                }
                self.explain_gap(node);
                Some(node)
            }
            Happening::Ran { step, writes } => {
                self.runs.push(Run { step: *step, tree: event.tree, turn: event.turn, writes: writes.clone() });
                None
            }
            Happening::ByHand => {
                self.close_window(event.tree, Doubt::ByHand);
                None
            }
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
        self.find_bridge(head, ids, event);
        self.made_by_waiting(&[parent], &[], ids, event).unwrap_or_else(|| self.across(&[parent], &[], ids, event))
    }

    /// The state of the file in a commit.
    fn committed(&mut self, ids: &[LineId], event: &Event, parents: &[EventKey]) -> NodeId {
        let head = self.head(event.tree);
        let node = match self.equal(ids, head) {
            Some(same) => same,
            None => {
                self.find_bridge(head, ids, event);
                let parents: Vec<NodeId> = parents.iter().filter_map(|key| self.state_of(*key)).collect();
                let sources = self.sources_of_commit(parents.iter().copied());
                match self.made_by_waiting(&sources, &parents, ids, event) {
                    Some(made) => made,
                    None if sources.is_empty() => self.root(ids, event),
                    None => self.across(&sources, &parents, ids, event),
                }
            }
        };
        self.heads.committed = Some(node);
        node
    }

    /// A new state that came from others in a way that nobody tells. `parents`: those that it certainly came from.
    pub(crate) fn across(&mut self, sources: &[NodeId], parents: &[NodeId], ids: &[LineId], event: &Event) -> NodeId {
        let splices = self.gap(sources, parents, ids, event);
        let Some((parent, others)) = sources.split_last() else { return self.root(ids, event) };
        let node = self.add(Some(*parent), Cause::Gap, event, splices);
        if let Some(made) = self.nodes.get_mut(node.0 as usize) {
            made.others = others.into();
        }
        node
    }

    /// The first state: nobody known wrote any of it.
    fn root(&mut self, ids: &[LineId], event: &Event) -> NodeId {
        let mark = self.mark(self.next_node(), None);
        let added: Box<[Line]> = ids.iter().map(|id| Line { id: *id, mark }).collect();
        let splices =
            if added.is_empty() { Vec::new() } else { vec![Splice { at: 0, added, removed: Box::default() }] };
        self.add(None, Cause::Gap, event, splices)
    }

    pub(crate) fn mark(&mut self, node: NodeId, step: Option<StepKey>) -> MarkId {
        push_mark(&mut self.marks, Mark { node, step, how: How::Written })
    }

    /// The state that stood before the steps that were left behind, as long as nothing came after them.
    pub(crate) fn before_left_behind(&self, tree: Tree) -> Option<NodeId> {
        self.heads.before_left(tree)
    }

    /// The state that a step on `tree` would find where nothing else is known.
    pub(crate) fn head(&self, tree: Tree) -> Option<NodeId> {
        self.heads.get(tree).or(self.heads.newest).or(self.heads.committed)
    }

    /// Whether the text of a worktree is known only from another one.
    pub(crate) fn is_first_seen_elsewhere(&self, tree: Tree) -> bool {
        self.heads.get(tree).is_none() && self.heads.newest.is_some()
    }

    /// Whether the text of a worktree is known from commits alone, which may be another one's.
    pub(crate) fn is_only_committed(&self, tree: Tree) -> bool {
        self.heads.get(tree).is_none() && self.heads.newest.is_none()
    }

    pub(crate) fn heads_of_trees(&self) -> impl Iterator<Item = NodeId> {
        self.heads.of_tree.iter().map(|(_, node)| *node)
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
        let mut found: Vec<NodeId> = self.with_hash(text::hash(ids.iter().copied())).collect();
        found.retain(|id| self.node(*id).is_some_and(|node| node.len as usize == ids.len()));
        found.sort_by_key(|id| Some(*id) != first);
        found
    }

    /// The states whose text is likely that of `node`, itself included, the latest first.
    pub(crate) fn with_hash_of(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        self.node(node).into_iter().flat_map(|node| self.with_hash(node.hash))
    }

    /// The states with this hash, the latest first.
    pub(crate) fn with_hash(&self, hash: u64) -> impl Iterator<Item = NodeId> {
        let newest = self.by_hash.get(&hash).copied();
        std::iter::successors(newest, |id| self.node(*id).and_then(|node| node.alike))
    }

    /// Adds a state. A step's own outcome is always a new state, even where the text is an old one.
    pub(crate) fn add(&mut self, parent: Option<NodeId>, cause: Cause, event: &Event, splices: Vec<Splice>) -> NodeId {
        let id = self.next_node();
        let above = parent.and_then(|parent| self.nodes.get(parent.0 as usize));
        let is_gap = cause == Cause::Gap && parent.is_some();
        let last_gap = if is_gap { Some(id) } else { above.and_then(|node| node.last_gap) };
        let above_hash = above.map_or(0, |node| node.hash);
        let share = |lines: &[Line]| text::hash(lines.iter().map(|line| line.id));
        let hash = splices.iter().fold(above_hash, |hash, splice| {
            hash.wrapping_sub(share(&splice.removed)).wrapping_add(share(&splice.added))
        });
        self.walk_to(parent);
        self.text.do_splices(&splices);
        self.cursor = Some(id);
        let (key, at, len) = (event.key, event.at, self.text.len() as u32);
        let (alike, splices) = (self.by_hash.insert(hash, id), splices.into());
        self.nodes.push(Node { parent, others: Box::default(), cause, key, at, splices, len, hash, alike, last_gap });
        id
    }

    /// Bytes that the states take, texts of lines left out.
    pub fn bytes(&self) -> usize {
        let lines = |splice: &Splice| (splice.added.len() + splice.removed.len()) * size_of::<Line>();
        let splices = self.nodes.iter().flat_map(|node| &node.splices);
        let before = std::iter::once(None).chain(self.done.iter().map(|done| Some(&done.heads)));
        let of_events = self.done.iter().zip(before).map(|(done, before)| size_of::<Done>() + done.heads.bytes(before));
        splices.map(|splice| lines(splice) + size_of::<Splice>()).sum::<usize>()
            + self.nodes.len() * size_of::<Node>()
            + self.marks.len() * size_of::<Mark>()
            + self.text.bytes()
            + of_events.sum::<usize>()
            + self.place_of.capacity() * size_of::<(EventKey, u32)>()
            + self.by_hash.capacity() * size_of::<(u64, NodeId)>()
            + self.interner.bytes()
    }

    /// The whole text of a state. The cursor goes there.
    pub(crate) fn text_of(&mut self, node: NodeId) -> &Paged {
        self.walk_to(Some(node));
        &self.text
    }

    /// The text where the cursor is, and what its lines are.
    pub(crate) fn at_cursor(&self) -> (&Paged, &Interner) {
        (&self.text, &self.interner)
    }

    /// Asks something over the text of a state that is not changed meanwhile.
    pub(crate) fn with_text_of<T>(&mut self, node: NodeId, ask: impl FnOnce(&mut Timeline, &Paged) -> T) -> T {
        self.walk_to(Some(node));
        let text = std::mem::take(&mut self.text);
        let answer = ask(self, &text);
        self.text = text;
        answer
    }

    /// The whole text of a state, without moving the cursor.
    pub(crate) fn copy_of(&self, node: NodeId) -> Vec<Line> {
        let mut text = self.text.clone();
        walk(&self.nodes, self.cursor, Some(node), &mut text);
        text.to_vec()
    }

    fn walk_to(&mut self, node: Option<NodeId>) {
        walk(&self.nodes, self.cursor, node, &mut self.text);
        self.cursor = node;
    }
}

impl Heads {
    /// Bytes beside its own. What it shares with the one before is that one's.
    fn bytes(&self, before: Option<&Heads>) -> usize {
        let Seldom { before_left, windows } = &*self.seldom;
        let shared = before.is_some_and(|before| Arc::ptr_eq(&before.seldom, &self.seldom));
        let own = before_left.capacity() * size_of::<(Tree, NodeId)>()
            + windows.capacity() * size_of::<(Tree, Window)>()
            + size_of::<Seldom>();
        self.of_tree.capacity() * size_of::<(Tree, NodeId)>() + if shared { 0 } else { own }
    }

    fn before_left(&self, tree: Tree) -> Option<NodeId> {
        self.seldom.before_left.iter().find(|(known, _)| *known == tree).map(|(_, node)| *node)
    }

    fn get(&self, tree: Tree) -> Option<NodeId> {
        self.of_tree.iter().find(|(known, _)| *known == tree).map(|(_, node)| *node)
    }

    /// Before an event: keeps the state that it may be taken back to.
    fn note(&mut self, event: &Event) {
        let head = self.get(event.tree);
        if event.left_behind
            && let Some(head) = head
            && self.before_left(event.tree).is_none()
        {
            Arc::make_mut(&mut self.seldom).before_left.push((event.tree, head));
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
fn walk(nodes: &[Node], from: Option<NodeId>, to: Option<NodeId>, text: &mut Paged) {
    let (mut a, mut b) = (from, to);
    let mut down = Vec::new();
    // Parents have smaller numbers, so the greater of the two is never above the other.
    while a != b {
        if a > b {
            let Some(node) = a.and_then(|id| nodes.get(id.0 as usize)) else { return };
            text.undo_splices(&node.splices);
            a = node.parent;
        } else {
            let Some((id, node)) = b.and_then(|id| Some((id, nodes.get(id.0 as usize)?))) else { return };
            down.push(id);
            b = node.parent;
        }
    }
    for id in down.into_iter().rev() {
        text.do_splices(&nodes[id.0 as usize].splices);
    }
}
