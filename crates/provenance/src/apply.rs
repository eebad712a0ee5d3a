//! What a step made of the text that it found.
//!
//! In the order of proof: the whole texts that the log holds; else a state known already that agrees with the log's
//! hunks and holds the replaced strings. Hunks of real logs have true line numbers but not always true white space
//! (Claude Code writes two blanks for a leading tab), so texts are taken from the replaced strings and hunks only tell
//! where.

use std::borrow::Cow;

use memchr::memmem;
use trace::{Change, Hunk, Replacement, StepKey};

use crate::event::Event;
use crate::flow::{Between, Fresh, flow, splices_of};
use crate::page::Paged;
use crate::text::{self, Interner, LineId, Words};
use crate::timeline::{Cause, Line, NodeId, Splice, Timeline};

/// States that are tried as the one that the step found.
const MOST_TRIED: usize = 64;

/// Replays one step's change. `None`: nothing tells what text it found.
pub(crate) fn edit(timeline: &mut Timeline, event: &Event, step: StepKey, change: &Change) -> Option<NodeId> {
    if change.created {
        return Some(written(timeline, event, step, None, change.after.as_deref().unwrap_or_default()));
    }
    if let Some(before) = found_text(timeline, change) {
        let parent = timeline.seen(&before, event);
        return outcome(timeline, event, step, change, parent);
    }
    let tree = timeline.head(event.tree);
    let newest_first = (0..timeline.next_node().0).rev().map(NodeId).take(MOST_TRIED);
    let left = timeline.before_left_behind(event.tree).filter(|_| !event.left_behind);
    let found = left.into_iter().chain(tree).chain(newest_first).find_map(|state| {
        agrees(timeline, state, &change.hunks).then(|| outcome(timeline, event, step, change, state)).flatten()
    });
    found.or_else(|| match (tree, &change.after) {
        (Some(state), _) if timeline.lenient => loosely(timeline, event, step, change, state)
            .or_else(|| over_unseen_changes(timeline, event, step, change, state)),
        (Some(_), _) => None,
        (None, Some(after)) => Some(over_unknown(timeline, event, step, after)),
        (None, None) => None,
    })
}

/// The strings that were replaced (where the log tells none: the old sides of its hunks) stand in the newest state, each
/// at one place, but not where the log says: somebody changed other lines since. Those changes are not known; the step's
/// own are.
fn loosely(timeline: &mut Timeline, event: &Event, step: StepKey, change: &Change, state: NodeId) -> Option<NodeId> {
    let replacements = match change.replacements.as_slice() {
        [] => change.hunks.iter().map(as_replacement).collect::<Option<Vec<Replacement>>>()?,
        told => told.to_vec(),
    };
    if replacements.is_empty() || change.after.is_some() {
        return None;
    }
    let anywhere = Change { hunks: Vec::new(), replacements, ..change.clone() };
    timeline.with_text_of(state, |timeline, old| by_replacements(timeline, old, &anywhere))?;
    let gap = timeline.add(Some(state), Cause::Gap, event, Vec::new());
    outcome(timeline, event, step, &anywhere, gap)
}

/// A patch over a text that somebody had changed before, which nobody saw: its hunks stand in the newest state, but not
/// all of them where the log says, and one between two others holds lines that are not known. Those changes are not
/// known; what the hunks say stood there, and the step's own lines are.
fn over_unseen_changes(
    timeline: &mut Timeline,
    event: &Event,
    step: StepKey,
    change: &Change,
    state: NodeId,
) -> Option<NodeId> {
    if !change.replacements.is_empty() || change.after.is_some() {
        return None;
    }
    let told: Vec<Stood> = change.hunks.iter().map(|hunk| Stood::of(timeline, hunk)).collect();
    let old = timeline.text_of(state).to_vec();
    let places = places(&timeline.interner, &old, &told)?;
    let nobody = timeline.mark(timeline.next_node(), None);
    let (mut splices, mut hunks) = (Vec::new(), Vec::new());
    let mut shift = 0i64;
    for ((place, stood), hunk) in places.into_iter().zip(&told).zip(&change.hunks) {
        let at = usize::try_from(place.start as i64 + shift).ok()?;
        hunks.push(Hunk { old_start: u32::try_from(at + 1).ok()?, ..hunk.clone() });
        let was = old.get(place.clone())?;
        let (head, tail) = common_ends(was, &stood.lines);
        if head + tail < was.len().max(stood.lines.len()) {
            let is = stood.lines.get(head..stood.lines.len() - tail)?;
            let added = is.iter().map(|id| Line { id: *id, mark: nobody }).collect();
            let removed = was.get(head..was.len() - tail)?.into();
            splices.push(Splice { at: u32::try_from(at + head).ok()?, added, removed });
        }
        shift += stood.lines.len() as i64 - was.len() as i64;
    }
    let gap = timeline.add(Some(state), Cause::Gap, event, splices);
    outcome(timeline, event, step, &Change { hunks, ..change.clone() }, gap)
}

/// What a hunk says stood there.
struct Stood {
    /// The first line, from 0.
    start: usize,
    lines: Vec<LineId>,
}

impl Stood {
    fn of(timeline: &mut Timeline, hunk: &Hunk) -> Stood {
        let lines = hunk.old_lines().map(|line| timeline.interner.line(line)).collect();
        Stood { start: (hunk.old_start as usize).saturating_sub(1), lines }
    }

    fn end(&self) -> usize {
        self.start + self.lines.len()
    }

    fn stands_at(&self, old: &[Line], at: usize) -> bool {
        let there = old.get(at..at + self.lines.len());
        there.is_some_and(|there| there.iter().map(|line| line.id).eq(self.lines.iter().copied()))
    }
}

/// Where what the hunks tell stands in `old`: as a whole at the place that the log and the hunks before say, or at one
/// place only; else between two that do, as far as the lines between leave room. `None`: that is not sure for all.
fn places(words: &Interner, old: &[Line], told: &[Stood]) -> Option<Vec<std::ops::Range<usize>>> {
    let tells = |stood: &Stood| stood.lines.iter().any(|id| !words.small(*id));
    let mut whole: Vec<Option<usize>> = Vec::new();
    let mut ahead: Option<i64> = None;
    for stood in told {
        let by_number = usize::try_from(stood.start as i64 - ahead.unwrap_or(0)).ok();
        let by_number = by_number.filter(|at| (ahead.is_some() || tells(stood)) && stood.stands_at(old, *at));
        let only_place = || {
            let mut places = (0..old.len()).filter(|at| stood.stands_at(old, *at));
            places.next().filter(|_| stood.lines.len() > 1 && tells(stood) && places.next().is_none())
        };
        let at = by_number.or_else(only_place);
        ahead = at.map(|at| stood.start as i64 - at as i64).or(ahead);
        whole.push(at);
    }
    let mut places: Vec<std::ops::Range<usize>> = Vec::new();
    for (number, stood) in told.iter().enumerate() {
        let place = match whole[number] {
            Some(at) => at..at + stood.lines.len(),
            None => {
                let before = number.checked_sub(1).map(|before| (told[before].end(), places[before].end));
                let (told_before, before) = before.unwrap_or((0, 0));
                let (next, after) = told.get(number + 1).zip(whole.get(number + 1).copied().flatten())?;
                let from = before + stood.start.checked_sub(told_before)?;
                let to = after.checked_sub(next.start.checked_sub(stood.end())?)?;
                let there = old.get(from..to)?;
                let (head, tail) = common_ends(there, &stood.lines);
                let stayed = there[..head].iter().chain(&there[there.len() - tail..]);
                if !stayed.into_iter().any(|line| !words.small(line.id)) {
                    return None;
                }
                from..to
            }
        };
        if places.last().is_some_and(|before| place.start < before.end) {
            return None;
        }
        places.push(place);
    }
    (!places.is_empty()).then_some(places)
}

/// Lines that are the same at the beginnings and at the ends.
fn common_ends(old: &[Line], new: &[LineId]) -> (usize, usize) {
    let same = |(old, new): &(&Line, &LineId)| old.id == **new;
    let head = old.iter().zip(new).take_while(same).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(same).count();
    (head, tail)
}

/// `None`: what stood there is not enough to be found again.
fn as_replacement(hunk: &Hunk) -> Option<Replacement> {
    let whole = |lines: Vec<&str>| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let old: Vec<&str> = hunk.old_lines().collect();
    let telling = old.iter().filter(|line| !text::is_small(line)).count();
    let found = telling > 0 && old.len() > 1;
    found.then(|| Replacement { old: whole(old).into(), new: whole(hunk.new_lines().collect()).into(), all: false })
}

/// A whole file written over a text of which nothing is known: which lines are the step's own is not known either.
fn over_unknown(timeline: &mut Timeline, event: &Event, step: StepKey, text: &str) -> NodeId {
    let unknown = marks(timeline, step).unsure;
    let added: Box<[Line]> =
        timeline.interner.text_lines(text).into_iter().map(|id| Line { id, mark: unknown }).collect();
    let splices = if added.is_empty() { Vec::new() } else { vec![Splice { at: 0, added, removed: Box::default() }] };
    timeline.add(None, Cause::Edit(step), event, splices)
}

/// Whether the log alone tells the whole text that the step found.
pub(crate) fn tells_what_it_found(change: &Change) -> bool {
    change.created || change.before.is_some() || change.after.is_some() && !change.hunks.is_empty()
}

/// What a change makes of a text in which the log's hunks stand. `None`: they do not, or the change tells too little.
pub(crate) fn applied(timeline: &mut Timeline, text: &Paged, change: &Change) -> Option<Paged> {
    let told = !change.hunks.is_empty() || !change.replacements.is_empty();
    if change.created || change.deleted || change.after.is_some() || !told || !stand_in(timeline, text, &change.hunks) {
        return None;
    }
    let mut applied = text.clone();
    for Range { from, to, lines } in ranges(timeline, text, change)?.into_iter().rev() {
        let lines: Vec<Line> = lines.into_iter().map(|id| Line { id, mark: 0 }).collect();
        applied.splice(from, to.checked_sub(from)?, &lines);
    }
    Some(applied)
}

/// The whole text that the step found, as far as the log alone tells it.
fn found_text(timeline: &mut Timeline, change: &Change) -> Option<Vec<LineId>> {
    if let Some(before) = &change.before {
        return Some(timeline.interner.text_lines(before));
    }
    let after = change.after.as_ref()?;
    if change.hunks.is_empty() {
        return None;
    }
    // The outcome and what was changed in it tell what stood before.
    let mut lines = timeline.interner.text_lines(after);
    for hunk in change.hunks.iter().rev() {
        let (from, count) = ((hunk.new_start as usize).saturating_sub(1), hunk.new_lines().count());
        let there = lines.get(from..from + count)?;
        let told: Vec<LineId> = hunk.new_lines().map(|line| timeline.interner.line(line)).collect();
        if !same_tokens(&timeline.interner, there, &told) {
            return None;
        }
        let kept: Vec<LineId> = there.to_vec();
        let old = old_side(timeline, hunk, &kept);
        lines.splice(from..from + count, old);
    }
    Some(lines)
}

/// The old lines of a hunk; context lines as they really stand in the text.
fn old_side(timeline: &mut Timeline, hunk: &Hunk, new_side: &[LineId]) -> Vec<LineId> {
    let mut at = 0;
    let mut old = Vec::new();
    for line in &hunk.lines {
        match line.as_bytes().first() {
            Some(b' ') => {
                old.extend(new_side.get(at));
                at += 1;
            }
            Some(b'+') => at += 1,
            Some(b'-') => old.push(timeline.interner.line(&line[1..])),
            _ => {}
        }
    }
    old
}

fn same_tokens(words: &impl Words, a: &[LineId], b: &[LineId]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| words.same_tokens(*a, *b))
}

/// Whether a state has the lines that the hunks say stood there.
fn agrees(timeline: &mut Timeline, state: NodeId, hunks: &[Hunk]) -> bool {
    timeline.text_of(state);
    let (text, words) = timeline.at_cursor();
    hunks.iter().all(|hunk| stands_in(words, text, hunk))
}

fn stand_in(timeline: &Timeline, text: &Paged, hunks: &[Hunk]) -> bool {
    hunks.iter().all(|hunk| stands_in(&timeline.interner, text, hunk))
}

fn stands_in(words: &impl Words, text: &Paged, hunk: &Hunk) -> bool {
    let from = (hunk.old_start as usize).saturating_sub(1);
    if from > text.len() {
        return false;
    }
    let mut there = text.from(from);
    let mut beyond = 0;
    let as_told = hunk.old_lines().all(|told| match there.next() {
        Some(line) => words.text(line.id) == told || text::same_tokens(words.text(line.id), told),
        // What stands after the last line end is a line for some.
        None => {
            beyond += 1;
            told.is_empty()
        }
    });
    as_told && beyond <= 1
}

/// The state after the step, from the state that it found.
fn outcome(timeline: &mut Timeline, event: &Event, step: StepKey, change: &Change, parent: NodeId) -> Option<NodeId> {
    if change.deleted {
        return Some(written(timeline, event, step, Some(parent), ""));
    }
    if let Some(after) = &change.after {
        return Some(written(timeline, event, step, Some(parent), after));
    }
    let ranges = timeline.with_text_of(parent, |timeline, old| ranges(timeline, old, change))?;
    replace(timeline, event, step, ranges, parent)
}

/// The state after the step, which replaced these lines of the state that it found.
pub(crate) fn replace(
    timeline: &mut Timeline,
    event: &Event,
    step: StepKey,
    ranges: Vec<Range>,
    parent: NodeId,
) -> Option<NodeId> {
    let fresh = marks(timeline, step);
    let mut splices = Vec::new();
    let mut shift = 0i64;
    for Range { from, to, lines } in ranges {
        let before = timeline.text_of(parent).part(from..to)?;
        let flowed = flow(&timeline.interner, &mut timeline.marks, &before, &lines, fresh, Between::OneStep);
        let at = from as i64 + shift;
        let parts = splices_of(&before, &flowed.lines, &flowed.kept).into_iter();
        splices.extend(parts.map(|splice| Splice { at: splice.at + at as u32, ..splice }));
        shift += lines.len() as i64 - (to - from) as i64;
    }
    Some(timeline.add(Some(parent), Cause::Edit(step), event, splices))
}

/// A whole file written by the step over the text that it found.
fn written(timeline: &mut Timeline, event: &Event, step: StepKey, parent: Option<NodeId>, text: &str) -> NodeId {
    let fresh = marks(timeline, step);
    let new = timeline.interner.text_lines(text);
    let old = parent.map(|parent| timeline.text_of(parent).to_vec()).unwrap_or_default();
    let flowed = flow(&timeline.interner, &mut timeline.marks, &old, &new, fresh, Between::OneStep);
    let splices = splices_of(&old, &flowed.lines, &flowed.kept);
    timeline.add(parent, Cause::Edit(step), event, splices)
}

/// The mark of the step's own lines, and of those that may be its own or older.
fn marks(timeline: &mut Timeline, step: StepKey) -> Fresh {
    let node = timeline.next_node();
    Fresh { new: timeline.mark(node, Some(step)), unsure: timeline.mark(node, None) }
}

/// The places of a change in the text that the step found.
fn ranges(timeline: &mut Timeline, old: &Paged, change: &Change) -> Option<Vec<Range>> {
    if change.replacements.is_empty() {
        by_hunks(timeline, old, &change.hunks)
    } else {
        by_replacement_near_hunks(timeline, old, change).or_else(|| by_replacements(timeline, old, change))
    }
}

/// Old lines `from..to` become `lines`.
pub(crate) struct Range {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) lines: Vec<LineId>,
}

fn by_hunks(timeline: &mut Timeline, old: &Paged, hunks: &[Hunk]) -> Option<Vec<Range>> {
    if hunks.is_empty() {
        return None;
    }
    let mut ranges = Vec::new();
    for hunk in hunks {
        let mut at = (hunk.old_start as usize).saturating_sub(1);
        let mut open: Option<Range> = None;
        for line in &hunk.lines {
            match line.as_bytes().first() {
                Some(b'-') => {
                    open.get_or_insert_with(|| Range { from: at, to: at, lines: Vec::new() }).to = at + 1;
                    at += 1;
                }
                Some(b'+') => {
                    let id = timeline.interner.line(&line[1..]);
                    open.get_or_insert_with(|| Range { from: at, to: at, lines: Vec::new() }).lines.push(id);
                }
                Some(b' ') => {
                    ranges.extend(open.take());
                    at += 1;
                }
                _ => {}
            }
        }
        ranges.extend(open);
    }
    if ranges.last().is_some_and(|last| last.to == old.len() + 1) {
        let last = ranges.pop()?;
        let free = ranges.last().map_or(0, |before| before.to);
        ranges.push(within(&timeline.interner, old, last, free));
    }
    ranges.iter().all(|range| range.from <= range.to && range.to <= old.len()).then_some(ranges)
}

/// A range that reaches beyond the last line: for who made the hunk an empty line follows the last line end, before and
/// after. `free`: lines before this belong to another range.
fn within(words: &Interner, old: &Paged, range: Range, free: usize) -> Range {
    let Range { from, to, mut lines } = range;
    let end = old.len();
    let is_empty = |id: LineId| words.text(id).is_empty();
    if from > end {
        // What was the empty line behind all is one of the file now.
        let ends = lines.pop_if(|id| is_empty(*id));
        lines.extend(ends);
        lines.rotate_right(usize::from(ends.is_some()));
        return Range { from: end, to: end, lines };
    }
    if lines.is_empty() {
        let above = from.checked_sub(1).filter(|above| *above >= free);
        let above = above.filter(|above| old.from(*above).next().is_some_and(|line| is_empty(line.id)));
        return Range { from: above.unwrap_or(from), to: to - 1, lines };
    }
    lines.pop_if(|id| is_empty(*id));
    Range { from, to: to - 1, lines }
}

/// Applies one replaced string where the log's hunks say that it stood.
fn by_replacement_near_hunks(timeline: &mut Timeline, old: &Paged, change: &Change) -> Option<Vec<Range>> {
    let [replacement] = change.replacements.as_slice() else { return None };
    let (from, to) = (unix(&replacement.old), unix(&replacement.new));
    if replacement.all || from.is_empty() {
        return None;
    }
    let first = (change.hunks.first()?.old_start as usize).saturating_sub(1);
    let last = change.hunks.last()?;
    let end = (last.old_start as usize).saturating_sub(1) + last.old_lines().count();
    let reach = line_ends(&from) + 1;
    let window = first.saturating_sub(reach)..(end + reach).min(old.len());
    let old = old.part(window.clone())?;
    let text = joined(timeline, &old);
    let mut places = places_of(&from, &text).filter(|at| {
        let line = window.start + line_ends(&text[..*at]);
        line < end && line + reach > first
    });
    let (Some(at), None) = (places.next(), places.next()) else { return None };
    let after = [&text[..at], &to, &text[at + from.len()..]].concat();
    let kept = Kept { head: at, tail: text.len() - at - from.len() };
    let told = Told { hunks: &change.hunks, from: window.start };
    let mut ranges = changed_ranges(timeline, &old, &text, &after, kept, told);
    for range in &mut ranges {
        (range.from, range.to) = (range.from + window.start, range.to + window.start);
    }
    Some(ranges)
}

fn line_ends(text: &str) -> usize {
    memchr::memchr_iter(b'\n', text.as_bytes()).count()
}

fn joined(timeline: &Timeline, lines: &[Line]) -> String {
    let bytes = lines.iter().map(|line| timeline.interner.text(line.id).len() + 1).sum();
    let mut text = String::with_capacity(bytes);
    for line in lines {
        text.push_str(timeline.interner.text(line.id));
        text.push('\n');
    }
    text
}

/// Applies the replaced strings. `None` where a string does not stand in the text, or where it is not told which of
/// several places is meant.
fn by_replacements(timeline: &mut Timeline, old: &Paged, change: &Change) -> Option<Vec<Range>> {
    let old = old.to_vec();
    let text = joined(timeline, &old);
    let hint = change.hunks.first().map(|hunk| (hunk.old_start as usize).saturating_sub(1));
    // Later replacements see what earlier ones wrote; a range of the old text is told once all are done.
    let mut after = text.clone();
    let mut kept = Kept { head: text.len(), tail: text.len() };
    let mut replace = |after: &mut String, at: usize, from: &str, to: &str| {
        kept.head = kept.head.min(at);
        kept.tail = kept.tail.min(after.len() - at - from.len());
        after.replace_range(at..at + from.len(), to);
    };
    for replacement in &change.replacements {
        let (from, to) = (unix(&replacement.old), unix(&replacement.new));
        if from.is_empty() {
            if !after.trim().is_empty() {
                return None;
            }
            let all = after.clone();
            replace(&mut after, 0, &all, &to);
            continue;
        }
        let places: Vec<usize> = places_of(&from, &after).collect();
        match places.as_slice() {
            [] => return None,
            // From the last one on, so that the places before it stay.
            several if replacement.all => several.iter().rev().for_each(|at| replace(&mut after, *at, &from, &to)),
            [at] => replace(&mut after, *at, &from, &to),
            several => {
                let at = nearest(&after, several, hint?)?;
                replace(&mut after, at, &from, &to);
            }
        }
    }
    Some(changed_ranges(timeline, &old, &text, &after, kept, Told { hunks: &change.hunks, from: 0 }))
}

fn unix(text: &str) -> Cow<'_, str> {
    match memmem::find(text.as_bytes(), b"\r\n") {
        Some(_) => text.replace("\r\n", "\n").into(),
        None => text.into(),
    }
}

/// Where one text stands in another: the first byte of each place. They do not overlap.
fn places_of<'a>(wanted: &'a str, text: &'a str) -> impl Iterator<Item = usize> + 'a {
    memmem::find_iter(text.as_bytes(), wanted.as_bytes())
}

/// The one place at or right after the line that the log's hunk begins with.
fn nearest(text: &str, places: &[usize], line: usize) -> Option<usize> {
    let line_of = |at: usize| line_ends(&text[..at]);
    places.iter().copied().find(|at| line_of(*at) >= line)
}

/// Bytes at the beginning and at the end of a text that no replacement touched.
#[derive(Clone, Copy)]
struct Kept {
    head: usize,
    tail: usize,
}

/// The log's hunks, and the line (from 0) with which the text that is looked at begins.
#[derive(Clone, Copy)]
struct Told<'c> {
    hunks: &'c [Hunk],
    from: usize,
}

impl Told<'_> {
    /// Whether the hunks say that the old line is the new one: neither is among those that went and came.
    fn stayed(&self, old: usize, new: usize) -> bool {
        let (old, new) = (self.from + old, self.from + new);
        let says_otherwise = |hunk: &Hunk| {
            let mut x = (hunk.old_start as usize).saturating_sub(1);
            let mut y = (hunk.new_start as usize).saturating_sub(1);
            hunk.lines.iter().any(|line| match line.as_bytes().first() {
                Some(b'-') => {
                    x += 1;
                    x - 1 == old
                }
                Some(b'+') => {
                    y += 1;
                    y - 1 == new
                }
                Some(b' ') => {
                    (x, y) = (x + 1, y + 1);
                    (x - 1 == old) != (y - 1 == new)
                }
                _ => false,
            })
        };
        !self.hunks.is_empty() && !self.hunks.iter().any(says_otherwise)
    }
}

/// Where `after` differs from the old lines, which are `text`: what was replaced, without the lines in it that are equal
/// from both ends. With several replacements the part between is left to the alignment.
fn changed_ranges(
    timeline: &mut Timeline,
    old: &[Line],
    text: &str,
    after: &str,
    kept: Kept,
    told: Told<'_>,
) -> Vec<Range> {
    let count = text::lines(after).count();
    let untouched_head = line_ends(&text[..kept.head]).min(old.len()).min(count);
    let most = old.len().min(count) - untouched_head;
    let untouched_tail = whole_lines_at_end(text, kept.tail).min(whole_lines_at_end(after, kept.tail)).min(most);
    let inside = untouched_head..old.len() - untouched_tail;
    let new_inside = untouched_head..count - untouched_tail;
    let came = text::lines(after).skip(new_inside.start).take(new_inside.len());
    let is: Vec<LineId> = came.map(|line| timeline.interner.line(line)).collect();
    let was = &old[inside.clone()];
    let same = |(old, new): &(&Line, &LineId)| old.id == **new;
    let head = was.iter().zip(&is).take_while(same).count();
    let tail = was[head..].iter().rev().zip(is[head..].iter().rev()).take_while(same).count();
    // Where lines went and lines came, an equal line at an end may be one of those that came. Where the log's hunks do
    // not say that it stayed, the alignment judges.
    let exchanged = head + tail < was.len() && head + tail < is.len();
    let doubtful = exchanged && {
        let heads = (0..head).map(|n| (inside.start + n, new_inside.start + n));
        let tails = (1..=tail).map(|n| (inside.end - n, new_inside.end - n));
        !heads.chain(tails).all(|(old, new)| told.stayed(old, new))
    };
    let (head, tail) = if doubtful { (0, 0) } else { (head, tail) };
    let lines = is[head..is.len() - tail].to_vec();
    vec![Range { from: inside.start + head, to: inside.end - tail, lines }]
}

/// Lines that lie wholly in the last bytes of a text.
fn whole_lines_at_end(text: &str, bytes: usize) -> usize {
    let start = text.len() - bytes;
    let cut = start > 0 && text.as_bytes().get(start - 1) != Some(&b'\n');
    line_ends(&text[start..]).saturating_sub(usize::from(cut))
}
