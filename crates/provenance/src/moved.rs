//! Lines that stood elsewhere before: a run of lines that stands at one place only goes with its author.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::align::{Match, align};
use crate::text::{Interner, LineId, Words};
use crate::timeline::{Line, MarkId, Timeline};

/// What a run has to hold to be known again: telling lines, and letters and digits in them.
#[derive(Clone, Copy)]
pub(crate) struct Telling {
    pub(crate) lines: usize,
    pub(crate) letters: usize,
}

/// In the same file.
pub(crate) const NEAR: Telling = Telling { lines: 1, letters: 30 };
/// In another file.
pub(crate) const FAR: Telling = Telling { lines: 3, letters: 60 };

/// Lines of `text` that are `open` and came from another file: of that file the text before and the text now. Gives
/// pairs of places, here and in the text before.
pub fn moved_from(before: &str, now: &str, text: &str, open: &[bool]) -> Vec<(usize, usize)> {
    let mut words = Interner::default();
    let (old, new, ids) = (words.text_lines(before), words.text_lines(now), words.text_lines(text));
    if open.len() != ids.len() {
        return Vec::new();
    }
    let stayed: FxHashSet<u32> = align(&old, &new).0.iter().filter_map(Match::old).collect();
    let still: FxHashSet<LineId> = new.into_iter().collect();
    let line = |(at, id): (usize, &LineId)| Line { id: *id, mark: at as MarkId };
    let old: Vec<Line> = old.iter().enumerate().map(line).collect();
    let gone = old.chunk_by(|a, b| stayed.contains(&a.mark) == stayed.contains(&b.mark));
    let gone: Vec<&[Line]> =
        gone.filter(|part| part.first().is_some_and(|line| !stayed.contains(&line.mark))).collect();
    let anchors = anchors(&words, &ids, open).into_iter().filter(|id| !still.contains(id)).collect();
    let places = places(gone.into_iter(), &anchors);
    let runs = runs(&ids, open, &places);
    let told = runs.iter().filter(|run| run.tells(&words, &ids, FAR) && run.sources.len() == 1);
    told.flat_map(|run| {
        let from = run.sources.first().and_then(|source| source.first()).map_or(0, |line| line.mark as usize);
        (0..run.len).map(move |n| (run.from + n, from + n))
    })
    .collect()
}

/// Whether a text is mostly another one: most of the longer of the two stands in both, and that is no chance.
pub fn is_mostly(before: &str, now: &str) -> bool {
    let mut words = Interner::default();
    let (old, new) = (words.text_lines(before), words.text_lines(now));
    let stayed: Vec<LineId> = align(&old, &new).0.iter().filter_map(Match::old).map(|x| old[x as usize]).collect();
    let both = size(&words, &stayed);
    let longer = size(&words, &old).letters.max(size(&words, &new).letters);
    both.is_at_least(FAR) && both.letters * 3 >= longer * 2
}

/// The telling lines among these, and the letters and digits in them.
pub(crate) fn size(words: &impl Words, ids: &[LineId]) -> Telling {
    let telling = ids.iter().filter(|id| !words.small(**id));
    let letters = |id: &LineId| words.text(*id).chars().filter(|c| c.is_alphanumeric()).count();
    Telling { lines: telling.clone().count(), letters: telling.map(letters).sum() }
}

impl Telling {
    pub(crate) fn is_at_least(self, least: Telling) -> bool {
        self.lines >= least.lines && self.letters >= least.letters
    }
}

/// For each line of `ids` that is `open`: the mark of the line that it was, where the run in which it stands stood
/// among the lines that are gone from `old` or were removed before.
pub(crate) fn moved(
    timeline: &Timeline,
    words: &impl Words,
    old: &[Line],
    ids: &[LineId],
    open: &[bool],
    telling: Telling,
) -> Vec<(usize, MarkId)> {
    let anchors = anchors(words, ids, open);
    if anchors.is_empty() {
        return Vec::new();
    }
    let graves = timeline.nodes.iter().flat_map(|node| &node.splices).map(|splice| &*splice.removed);
    let places = places(graves.chain([old]), &anchors);
    let runs = runs(ids, open, &places);
    let told = runs.iter().filter(|run| run.tells(words, ids, telling));
    told.flat_map(|run| (0..run.len).filter_map(|n| Some((run.from + n, run.author(timeline, n)?)))).collect()
}

/// Telling lines that stand at one place only.
fn anchors(words: &impl Words, ids: &[LineId], open: &[bool]) -> FxHashSet<LineId> {
    let counts = count(ids);
    let tells = |id: &LineId| counts.get(id) == Some(&1) && !words.small(*id);
    ids.iter().zip(open).filter(|(id, open)| **open && tells(id)).map(|(id, _)| *id).collect()
}

/// Runs of open lines that stood elsewhere, one after the other.
fn runs<'a>(ids: &[LineId], open: &[bool], places: &FxHashMap<LineId, Vec<Place<'a>>>) -> Vec<Run<'a>> {
    let mut runs: Vec<Run<'a>> = Vec::new();
    let mut at = 0;
    while at < ids.len() {
        let run = open[at].then(|| longest(ids, open, at, places.get(&ids[at]))).flatten();
        let Some(run) = run else {
            at += 1;
            continue;
        };
        at = (run.from + run.len).max(at + 1);
        // A run that reaches back into the one before is not told from it.
        if runs.last().is_none_or(|before| before.from + before.len <= run.from) {
            runs.push(run);
        }
    }
    runs
}

fn count(ids: &[LineId]) -> FxHashMap<LineId, u32> {
    let mut counts = FxHashMap::default();
    for id in ids {
        *counts.entry(*id).or_insert(0) += 1;
    }
    counts
}

/// Where a line stood: a text and its place there.
type Place<'a> = (&'a [Line], usize);

fn places<'a>(
    texts: impl Iterator<Item = &'a [Line]>,
    anchors: &FxHashSet<LineId>,
) -> FxHashMap<LineId, Vec<Place<'a>>> {
    let mut places: FxHashMap<LineId, Vec<Place<'a>>> = FxHashMap::default();
    for text in texts {
        for (at, line) in text.iter().enumerate() {
            if anchors.contains(&line.id) {
                places.entry(line.id).or_default().push((text, at));
            }
        }
    }
    places
}

/// A run of new lines, and all places where the whole of it stood.
struct Run<'a> {
    from: usize,
    len: usize,
    /// The texts from the run's first line on.
    sources: Vec<&'a [Line]>,
}

/// The longest run around the line `at` that stood anywhere.
fn longest<'a>(ids: &[LineId], open: &[bool], at: usize, places: Option<&Vec<Place<'a>>>) -> Option<Run<'a>> {
    let extent = |(text, x): &Place<'a>| {
        let same = |y: usize, line: Option<&Line>| open[y] && line.is_some_and(|line| line.id == ids[y]);
        let before = (1..=at.min(*x)).take_while(|n| same(at - n, text.get(x - n))).count();
        let after = (1..ids.len() - at).take_while(|n| same(at + n, text.get(x + n))).count();
        (before, after)
    };
    let places = places?;
    let most = places.iter().map(&extent).max_by_key(|(before, after)| before + after)?;
    let whole = places.iter().filter(|place| extent(place) == most);
    let sources: Vec<&[Line]> = whole.filter_map(|(text, x)| text.get(x - most.0..)).collect();
    // Two runs as long as each other that are not the same: it did not stand at one place.
    let rival = places.iter().any(|place| {
        let other = extent(place);
        other != most && other.0 + other.1 == most.0 + most.1
    });
    (!rival).then_some(Run { from: at - most.0, len: most.0 + most.1 + 1, sources })
}

impl Run<'_> {
    fn tells(&self, words: &impl Words, ids: &[LineId], telling: Telling) -> bool {
        size(words, &ids[self.from..self.from + self.len]).is_at_least(telling)
    }

    /// The author on whom all places of the run agree.
    fn author(&self, timeline: &Timeline, n: usize) -> Option<MarkId> {
        let mut marks = self.sources.iter().filter_map(|text| text.get(n)).map(|line| line.mark);
        let first = marks.next()?;
        let step = |mark: MarkId| timeline.marks.get(mark as usize).and_then(|mark| mark.step);
        (step(first).is_some() && marks.all(|mark| step(mark) == step(first))).then_some(first)
    }
}
