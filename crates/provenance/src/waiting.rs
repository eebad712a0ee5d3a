//! Edits that wait for the text that they found, and whose outcome stands in a text that is seen later.
//!
//! Somebody changed the file unseen before them, so that no known text is the one that they found; what they wrote is
//! there, with the lines around it, as the log says. Taken out of it, the last one first, they tell the text before.

use rustc_hash::{FxHashMap, FxHashSet};
use trace::{Change, Hunk, StepKey};

use crate::apply::{Range, replace};
use crate::event::{Chain, Event, Happening};
use crate::moved::{FAR, Telling, size};
use crate::text::{LineId, Words};
use crate::timeline::{NodeId, Pending, Timeline};

/// Waiting edits that are looked at.
const MOST: usize = 32;
/// What they have to have written where the text was seen in their worktree; in a commit it is more.
const ANY: Telling = Telling { lines: 1, letters: 0 };

/// An edit that was found in a text: it replaced these lines of the text before.
struct Found {
    pending: Pending,
    step: StepKey,
    ranges: Vec<Range>,
}

impl Timeline {
    /// The state with the text `ids`, made of `sources` by edits that waited.
    pub(crate) fn made_by_waiting(
        &mut self,
        sources: &[NodeId],
        parents: &[NodeId],
        ids: &[LineId],
        event: &Event,
    ) -> Option<NodeId> {
        if !self.lenient || self.pending.is_empty() {
            return None;
        }
        let (before, found) = self.without_waiting(sources, ids, event, parents.is_empty())?;
        let first = found.last()?.pending.event.clone();
        let mut node = match self.equal(&before, sources.last().copied()) {
            Some(known) => known,
            None => self.across(sources, parents, &before, &first),
        };
        let place = self.done.len().saturating_sub(1);
        for Found { pending, step, ranges } in found.into_iter().rev() {
            node = replace(self, &pending.event, step, ranges, node)?;
            if let Some(done) = self.done.get_mut(pending.place) {
                done.node = Some(node);
            }
            self.pending.retain(|other| other.place != pending.place);
            self.placed.push((place, pending));
        }
        Some(node)
    }

    /// The text before the waiting edits of which `ids` holds the outcomes, and these edits, the last one first.
    /// `near`: it was seen in their worktree.
    fn without_waiting(
        &mut self,
        sources: &[NodeId],
        ids: &[LineId],
        event: &Event,
        near: bool,
    ) -> Option<(Vec<LineId>, Vec<Found>)> {
        let waits = |one: &&Pending| (!near || one.event.tree == event.tree) && !one.event.left_behind;
        let waiting: Vec<Pending> = self.pending.iter().filter(waits).rev().take(MOST).cloned().collect();
        let texts: Vec<Vec<LineId>> =
            sources.iter().map(|source| self.text_of(*source).iter().map(|line| line.id).collect()).collect();
        let there: FxHashSet<LineId> = texts.iter().flatten().copied().collect();
        let written: Vec<Vec<LineId>> = waiting.iter().map(|one| self.lines_written(one)).collect();
        let chain_of = |one: &Pending| self.done.get(one.place).map(|done| done.chain);
        let chains: Vec<Option<Chain>> = waiting.iter().map(chain_of).collect();
        let mut text = ids.to_vec();
        let mut found = Vec::new();
        let mut of_chains: FxHashMap<Chain, Vec<LineId>> = FxHashMap::default();
        for (number, pending) in waiting.iter().enumerate() {
            let (Happening::Edit { step, change }, Some(chain)) = (&pending.event.what, chains[number]) else {
                continue;
            };
            let by_others = |id: &LineId| {
                let mut all = written.iter().zip(&chains);
                all.any(|(lines, other)| *other != Some(chain) && lines.contains(id))
            };
            // What stands there already, or another log tells as well, need not be this one's.
            let stands = texts.iter().any(|text| taken_out(self, text, change).is_some());
            if stands || written[number].iter().any(by_others) {
                continue;
            }
            let of_it: Vec<LineId> = written[number].iter().filter(|id| !there.contains(*id)).copied().collect();
            let Some((before, ranges)) = taken_out(self, &text, change) else { continue };
            of_chains.entry(chain).or_default().extend(of_it);
            text = before;
            found.push(Found { pending: pending.clone(), step: *step, ranges });
        }
        let least = if near { ANY } else { FAR };
        let tells = |written: &Vec<LineId>| size(&self.interner, written).is_at_least(least);
        (!found.is_empty() && of_chains.values().all(tells)).then_some((text, found))
    }

    /// The telling lines that an edit wrote, as its hunks tell them, each once.
    fn lines_written(&mut self, one: &Pending) -> Vec<LineId> {
        let Happening::Edit { change, .. } = &one.event.what else { return Vec::new() };
        let mut written: Vec<LineId> = Vec::new();
        for hunk in &change.hunks {
            let old: FxHashSet<&str> = hunk.old_lines().collect();
            let new = hunk.new_lines().filter(|line| !old.contains(line));
            written.extend(new.map(|line| self.interner.line(line)));
        }
        written.sort_unstable();
        written.dedup();
        written.retain(|id| !self.interner.small(*id));
        written
    }

    /// Takes back what was placed when an event from `kept` on was replayed.
    pub(crate) fn take_back_placed(&mut self, kept: usize) {
        let again: Vec<Pending> =
            self.placed.extract_if(.., |(place, _)| *place >= kept).map(|(_, pending)| pending).collect();
        for pending in again.into_iter().filter(|pending| pending.place < kept) {
            if let Some(done) = self.done.get_mut(pending.place) {
                done.node = None;
            }
            self.pending.push(pending);
        }
        self.pending.sort_by_key(|pending| pending.place);
    }
}

/// A text without what a change made of it: the text before, and what was replaced there. `None`: the new sides of its
/// hunks do not all stand in it, each at one place.
fn taken_out(timeline: &mut Timeline, text: &[LineId], change: &Change) -> Option<(Vec<LineId>, Vec<Range>)> {
    let whole = change.created || change.deleted || change.before.is_some() || change.after.is_some();
    if whole || change.hunks.is_empty() {
        return None;
    }
    let (mut before, mut ranges) = (Vec::new(), Vec::new());
    let mut cursor = 0;
    let mut ahead: Option<usize> = None;
    for hunk in &change.hunks {
        let told = (hunk.new_start as usize).saturating_sub(1);
        let by_number = ahead.and_then(|ahead| (told + ahead).checked_sub(text.len()));
        let place = place_of(timeline, text, hunk, by_number).filter(|place| *place >= cursor)?;
        // Counted from the end, so that it is never below zero.
        ahead = (place + text.len()).checked_sub(told);
        before.extend(text.get(cursor..place)?);
        let mut at = place;
        let mut open: Option<Range> = None;
        for line in &hunk.lines {
            let here = before.len();
            match line.as_bytes().first() {
                Some(b'+') => {
                    open.get_or_insert_with(|| Range { from: here, to: here, lines: Vec::new() })
                        .lines
                        .push(*text.get(at)?);
                    at += 1;
                }
                Some(b'-') => {
                    before.push(timeline.interner.line(&line[1..]));
                    open.get_or_insert_with(|| Range { from: here, to: here, lines: Vec::new() }).to = here + 1;
                }
                Some(b' ') => {
                    ranges.extend(open.take());
                    before.push(*text.get(at)?);
                    at += 1;
                }
                _ => {}
            }
        }
        ranges.extend(open);
        cursor = at;
    }
    before.extend(text.get(cursor..)?);
    Some((before, ranges))
}

/// The one place where the new side of a hunk stands; of several, or where it tells nothing, the one that the log and the
/// hunk before it say.
fn place_of(timeline: &mut Timeline, text: &[LineId], hunk: &Hunk, by_number: Option<usize>) -> Option<usize> {
    let new: Vec<LineId> = hunk.new_lines().map(|line| timeline.interner.line(line)).collect();
    let words = &timeline.interner;
    let same = |(there, told): (&LineId, &LineId)| there == told || words.same_tokens(*there, *told);
    let stands_at =
        |place: usize| text.get(place..place + new.len()).is_some_and(|there| there.iter().zip(&new).all(same));
    let by_number = || by_number.filter(|place| stands_at(*place));
    if new.len() < 2 || new.iter().all(|id| words.small(*id)) {
        return by_number();
    }
    let mut places = (0..=text.len().checked_sub(new.len())?).filter(|place| stands_at(*place));
    let place = places.next()?;
    if places.next().is_none() { Some(place) } else { by_number() }
}
