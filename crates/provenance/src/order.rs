//! In which order things happened, where the clocks of several logs disagree.
//!
//! In one log its own order is certain. Between logs clocks decide, until a text proves them wrong: an edit that came
//! too early finds no text and waits; one that comes too late explains a change that was already seen. Then its log's
//! clock was off from there on, and the events are put in order anew.

use rustc_hash::FxHashSet;
use trace::Timestamp;

use crate::apply;
use crate::event::{Event, Happening, Slot};
use crate::page::Paged;
use crate::text::{self, LineId, Words};
use crate::timeline::{Cause, NodeId, Pending, Timeline};

/// Edits that stand at the wrong place: they belong before another event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Advice {
    /// Which of the replayed events, in their order. All of one log.
    first: usize,
    /// Which of the replayed events they belong before.
    before: usize,
}

/// How often the order is bettered.
const MOST_ADVICE: usize = 64;
/// Edits in a row that are tried for one text, and trials.
const MOST_STEPS: usize = 8;
const MOST_TRIALS: usize = 200;

/// An event's place: which it is among those that were told, and its time as corrected.
#[derive(Clone, Copy)]
struct Turn {
    which: usize,
    at: Timestamp,
    /// Before others of the same time.
    early: bool,
}

impl Timeline {
    /// Whether the clock of this event's log is proven wrong: it happened at another time.
    pub fn is_misdated(&self, key: crate::EventKey) -> bool {
        self.misdated.contains(&key)
    }

    /// Makes the timeline that of these events, which are in the order of their clocks. `load` reads one with its
    /// texts; `None` where they are gone.
    pub fn sync(&mut self, slots: &[Slot], mut load: impl FnMut(usize) -> Option<Event>) {
        let mut order: Vec<Turn> =
            slots.iter().enumerate().map(|(which, slot)| Turn { which, at: slot.at, early: false }).collect();
        let several = slots.iter().any(|slot| Some(slot.chain) != slots.first().map(|slot| slot.chain));
        let mut read: rustc_hash::FxHashMap<usize, Option<Event>> = rustc_hash::FxHashMap::default();
        // Whether an edit finds its text in another order is asked first, with all that is known now.
        if let Some(from) = self.lenient_from.take() {
            self.take_back_to(from);
        }
        self.lenient = false;
        let mut left = MOST_ADVICE;
        loop {
            let same = |(done, turn): (&crate::timeline::Done, &Turn)| done.key == slots[turn.which].key;
            let kept = self.done.iter().zip(&order).take_while(|both| same((both.0, both.1))).count();
            let kept = self.note_reordered(&order).map_or(kept, |other| other.min(kept));
            self.take_back_to(kept);
            self.lenient_from = self.lenient_from.map(|from| from.min(kept));
            // What events that were replayed before gave as advice may be of use now that others are known.
            let mut asked = 0;
            let mut followed = self.follow_first(&mut asked, slots, &mut order, left);
            for at in kept..slots.len() {
                if followed {
                    break;
                }
                let which = order[at].which;
                let event = match read.get(&which) {
                    Some(event) => event.clone(),
                    None => load(which),
                };
                if several {
                    read.insert(which, event.clone());
                }
                self.push(slots[which].key, slots[which].chain, event);
                followed = self.follow_first(&mut asked, slots, &mut order, left);
            }
            let off = |turn: &&Turn| turn.at != slots[turn.which].at;
            self.misdated = order.iter().filter(off).map(|turn| slots[turn.which].key).collect();
            if !followed && left > 0 {
                followed = self.advice_at_the_end().is_some_and(|advice| follow(&advice, slots, &mut order));
            }
            if followed {
                left -= 1;
                continue;
            }
            let Some(first) = self.pending.first().map(|one| one.place).filter(|_| !self.lenient) else { return };
            (self.lenient, self.lenient_from) = (true, Some(first));
            self.take_back_to(first);
        }
    }

    /// Notes from where on the order is not that of the clocks. Where that was another place: the first of the two.
    fn note_reordered(&mut self, order: &[Turn]) -> Option<usize> {
        let from = order.iter().enumerate().position(|(at, turn)| turn.which != at);
        let before = std::mem::replace(&mut self.reordered_from, from);
        (before != from).then(|| [before, from].into_iter().flatten().min()).flatten()
    }

    /// Whether clocks are proven wrong up to the last event that was replayed: then it is not sure what happened between
    /// two texts.
    pub(crate) fn is_reordered(&self) -> bool {
        self.is_reordered_at(self.done.len().saturating_sub(1))
    }

    /// The same at an event, which of `done` it is.
    pub(crate) fn is_reordered_at(&self, place: usize) -> bool {
        self.reordered_from.is_some_and(|from| from <= place)
    }

    /// Takes the first advice from number `asked` on that changes the order.
    fn follow_first(&self, asked: &mut usize, slots: &[Slot], order: &mut [Turn], left: usize) -> bool {
        let new = self.advice.get(*asked..).unwrap_or_default();
        *asked = self.advice.len();
        left > 0 && new.iter().any(|advice| follow(advice, slots, order))
    }

    /// An edit that waits and fits the newest state belongs to the end.
    fn advice_at_the_end(&mut self) -> Option<Advice> {
        let mut chains = FxHashSet::default();
        let waiting: Vec<(usize, Event)> = self
            .pending
            .iter()
            .filter(|one| chains.insert(self.done.get(one.place).map(|done| done.chain)))
            .map(|one| (one.place, one.event.clone()))
            .collect();
        waiting.into_iter().find_map(|(place, event)| {
            let head = self.head(event.tree)?;
            let text = self.text_of(head).clone();
            let came_later = self.done.get(place + 1..)?.iter().any(|done| done.node == Some(head));
            let differs = |made: Paged| !made.iter().map(|line| line.id).eq(text.iter().map(|line| line.id));
            let fits = came_later
                && !event.left_behind
                && !stands_already(self, &text, &event)
                // What changes nothing fits every text.
                && outcome(self, &text, &event).is_some_and(differs);
            fits.then_some(Advice { first: place, before: self.done.len() })
        })
    }

    /// Looks for edits that wait, or stand beside the way to the newest state, and together make `ids` of that state,
    /// or of one before it, where only edits lie between that nothing proves to have been made there.
    pub(crate) fn find_bridge(&mut self, head: Option<NodeId>, ids: &[LineId], event: &Event) {
        let mut trials = MOST_TRIALS;
        let mut start = head;
        for _ in 0..MOST_STEPS {
            let Some(from) = start else { return };
            let waiting = self.waiting_beside(from, event);
            let text = self.text_of(from).clone();
            let mut taken = Vec::new();
            if !waiting.is_empty() && self.bridge(&text, ids, &waiting, &mut taken, &mut trials) {
                let advice =
                    taken.first().map(|first| Advice { first: *first, before: self.done.len().saturating_sub(1) });
                self.advice.extend(advice);
                return;
            }
            start = self.before_loose(from);
        }
    }

    /// Edits of this worktree that wait, or stand beside the way to `state`, in the order of the events.
    fn waiting_beside(&self, state: NodeId, event: &Event) -> Vec<(usize, Event)> {
        let node_of = |one: &Pending| self.done.get(one.place).and_then(|done| done.node);
        let first = self.loose.iter().filter_map(node_of).min();
        let way = first.map(|first| self.way_from(first, state)).unwrap_or_default();
        let aside = |one: &&Pending| node_of(one).is_some_and(|node| !way.contains(&node));
        let mut waiting: Vec<(usize, Event)> = self
            .pending
            .iter()
            .chain(self.loose.iter().filter(aside))
            .filter(|one| one.event.tree == event.tree && !one.event.left_behind)
            .map(|one| (one.place, one.event.clone()))
            .collect();
        waiting.sort_by_key(|(place, _)| *place);
        waiting
    }

    /// The states that `to` was made of, itself included, as far as they are not older than `first`.
    fn way_from(&self, first: NodeId, to: NodeId) -> FxHashSet<NodeId> {
        let (mut open, mut way) = (vec![to], FxHashSet::default());
        while let Some(at) = open.pop() {
            let Some(node) = self.node(at).filter(|_| at >= first && way.insert(at)) else { continue };
            open.extend(node.parent.iter().chain(&node.others));
        }
        way
    }

    /// The state before an edit of another log that stands there by its hunks alone.
    fn before_loose(&self, state: NodeId) -> Option<NodeId> {
        let own = self.done.last().map(|done| done.chain);
        let made_it = |one: &&Pending| {
            self.done.get(one.place).is_some_and(|done| done.node == Some(state) && Some(done.chain) != own)
        };
        self.loose.iter().find(made_it)?;
        self.node(state)?.parent
    }

    fn bridge(
        &mut self,
        text: &Paged,
        ids: &[LineId],
        waiting: &[(usize, Event)],
        taken: &mut Vec<usize>,
        trials: &mut usize,
    ) -> bool {
        if !taken.is_empty() && text.iter().map(|line| line.id).eq(ids.iter().copied()) {
            return true;
        }
        if taken.len() == MOST_STEPS {
            return false;
        }
        let chain = |timeline: &Timeline, place: usize| timeline.done.get(place).map(|done| done.chain);
        let mut tried = FxHashSet::default();
        for (place, event) in waiting {
            // Of each log only the next one.
            if taken.contains(place) || !tried.insert(chain(self, *place)) {
                continue;
            }
            *trials = match trials.checked_sub(1) {
                Some(left) => left,
                None => return false,
            };
            let Some(next) = outcome(self, text, event) else { continue };
            taken.push(*place);
            if self.bridge(&next, ids, waiting, taken, trials) {
                return true;
            }
            taken.pop();
        }
        false
    }

    /// An edit whose outcome was seen before it came, as a change that nobody explained, belongs before that.
    pub(crate) fn explain_gap(&mut self, node: NodeId) {
        let Some(gap) = self.gap_with_text_of(node) else { return };
        let Some(parent) = self.node(gap).and_then(|gap| gap.parent) else { return };
        let Some(before) = self.done.iter().position(|done| done.node == Some(gap)) else { return };
        // The steps from the gap's parent to here all came too late.
        let mut at = node;
        for _ in 0..MOST_STEPS {
            let Some(here) = self.node(at) else { return };
            let Some(place) = self.done.iter().rposition(|done| done.key == here.key) else { return };
            let one_log = self.done.get(place).map(|done| done.chain) == self.done.get(before).map(|done| done.chain);
            if here.cause == Cause::Gap || place <= before || one_log {
                return;
            }
            if here.parent == Some(parent) {
                self.advice.push(Advice { first: place, before });
                return;
            }
            let Some(above) = here.parent else { return };
            at = above;
        }
    }

    fn gap_with_text_of(&mut self, node: NodeId) -> Option<NodeId> {
        let is_gap =
            |other: &NodeId| self.node(*other).is_some_and(|other| other.cause == Cause::Gap && other.parent.is_some());
        let first = self.with_hash_of(node).filter(|other| *other < node && is_gap(other)).last();
        let gap = first?;
        let ids: Vec<LineId> = self.text_of(node).iter().map(|line| line.id).collect();
        let same = self.copy_of(gap).iter().map(|line| line.id).eq(ids);
        same.then_some(gap)
    }
}

/// Whether a telling line that the edit put in place of another stands in the text, in whatever form: it was made before.
fn stands_already(timeline: &Timeline, text: &Paged, event: &Event) -> bool {
    let Happening::Edit { change, .. } = &event.what else { return false };
    let stands = |new: &str| {
        let mut there = text.iter().map(|line| timeline.interner.text(line.id));
        there.any(|there| there == new || text::same_tokens(there, new))
    };
    let any_stands = |old: &[&str], new: &[&str]| {
        new.iter().any(|line| !old.contains(line) && !text::is_small(line) && stands(line))
    };
    let lines = |text| text::lines(text).collect::<Vec<_>>();
    let replaced = change.replacements.iter().any(|part| any_stands(&lines(&part.old), &lines(&part.new)));
    let hunk =
        |hunk: &trace::Hunk| any_stands(&hunk.old_lines().collect::<Vec<_>>(), &hunk.new_lines().collect::<Vec<_>>());
    replaced || change.hunks.iter().any(hunk)
}

fn outcome(timeline: &mut Timeline, text: &Paged, event: &Event) -> Option<Paged> {
    let Happening::Edit { change, .. } = &event.what else { return None };
    apply::applied(timeline, text, change)
}

/// Puts the advised edit at its place, and what its log tells later as much later. `false`: nothing would change.
fn follow(advice: &Advice, slots: &[Slot], order: &mut [Turn]) -> bool {
    let Some(moved) = order.get(advice.first).copied() else { return false };
    let target = order.get(advice.before).copied();
    let behind_all = || order.last().map_or(moved.at, |last| Timestamp(last.at.0.saturating_add(1)));
    let at = target.map_or_else(behind_all, |target| target.at);
    let shift = at.0 - moved.at.0;
    let chain = slots[moved.which].chain;
    let mut better = order.to_vec();
    for turn in better.iter_mut().filter(|turn| slots[turn.which].chain == chain) {
        if turn.which >= moved.which {
            turn.at = Timestamp(turn.at.0 + shift);
            turn.early = target.is_some();
        } else if turn.at >= at {
            // A log's own order stays.
            (turn.at, turn.early) = (at, target.is_some());
        }
    }
    better.sort_by_key(|turn| (turn.at, !turn.early, turn.which));
    let changed = order.iter().map(|turn| turn.which).ne(better.iter().map(|turn| turn.which));
    if changed {
        order.copy_from_slice(&better);
    }
    changed
}
