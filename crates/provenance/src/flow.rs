//! How lines come through a change of which only the two texts are known.

use crate::align::{Match, align, doubt_edges_of_moves, doubt_islands};
use crate::reflow::reflow;
use crate::text::{self, LineId, Tokens, Words};
use crate::timeline::{How, Line, Mark, MarkId, Splice};

/// What lies between two texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Between {
    /// One step, whose log says what it replaced.
    OneStep,
    /// Nothing but the texts is known.
    Texts,
}

/// The marks of lines that come from no old line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fresh {
    /// Of new lines.
    pub(crate) new: MarkId,
    /// Of lines that have several accounts.
    pub(crate) unsure: MarkId,
}

/// The new lines and, for each, the old line that it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flowed {
    pub(crate) lines: Vec<Line>,
    pub(crate) kept: Vec<Option<u32>>,
}

/// Carries lines across a change.
pub(crate) fn flow(
    words: &impl Words,
    marks: &mut Vec<Mark>,
    old: &[Line],
    new: &[LineId],
    fresh: Fresh,
    between: Between,
) -> Flowed {
    let mut flowed =
        Flowed { lines: new.iter().map(|id| Line { id: *id, mark: fresh.new }).collect(), kept: vec![None; new.len()] };
    let head = old.iter().zip(new).take_while(|(old, new)| old.id == **new).count();
    let most = old.len().min(new.len()) - head;
    let tail = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(old, new)| old.id == **new).count();
    if old.len() == new.len() && same_tokens(words, &old[head..old.len() - tail], &new[head..new.len() - tail]) {
        (0..new.len()).for_each(|at| flowed.keep(marks, old, at, at));
        return flowed;
    }
    flowed.by_lines(marks, old, new, fresh, between);
    flowed.reformat(words, marks, old);
    flowed
}

fn same_tokens(words: &impl Words, old: &[Line], new: &[LineId]) -> bool {
    old.iter().zip(new).all(|(old, new)| words.same_tokens(old.id, *new))
}

impl Flowed {
    /// The new line `at` is the old line `x`; where its text differs, it was reformatted.
    fn keep(&mut self, marks: &mut Vec<Mark>, old: &[Line], at: usize, x: usize) {
        let line = &mut self.lines[at];
        self.kept[at] = Some(x as u32);
        line.mark = if line.id == old[x].id { old[x].mark } else { reformatted(marks, old[x].mark) };
    }

    fn by_lines(&mut self, marks: &[Mark], old: &[Line], new: &[LineId], fresh: Fresh, between: Between) {
        let old_ids: Vec<LineId> = old.iter().map(|line| line.id).collect();
        let mut matches = align(&old_ids, new).0;
        if between == Between::Texts {
            doubt_islands(&old_ids, new, &mut matches);
            doubt_edges_of_moves(&old_ids, new, &mut matches);
        }
        for (at, found) in matches.iter().enumerate() {
            let mark = &mut self.lines[at].mark;
            match found {
                Match::Sure(x) => (*mark, self.kept[at]) = (old[*x as usize].mark, Some(*x)),
                Match::Run(x) => {
                    self.kept[at] = Some(*x);
                    let written_together = in_one_run(marks, old, &matches, at, *x);
                    *mark = if written_together { old[*x as usize].mark } else { fresh.unsure };
                }
                Match::New => {}
                Match::Unsure { candidates, maybe_new } => {
                    *mark = agreed(marks, old, candidates, *maybe_new, fresh.new).unwrap_or(fresh.unsure);
                }
            }
        }
    }

    /// Lines whose tokens were kept keep their author: between two kept lines, old lines that are gone and new lines
    /// that are nobody's are aligned once more by their tokens alone, then by tokens across line ends.
    fn reformat(&mut self, words: &impl Words, marks: &mut Vec<Mark>, old: &[Line]) {
        let mut at = 0;
        let mut old_from = 0usize;
        while at < self.lines.len() {
            if let Some(x) = self.kept[at] {
                (old_from, at) = (x as usize + 1, at + 1);
                continue;
            }
            let end = (at..self.lines.len()).find(|y| self.kept[*y].is_some()).unwrap_or(self.lines.len());
            let old_to = self.kept.get(end).copied().flatten().map_or(old.len(), |x| x as usize);
            if old_from < old_to {
                self.reformat_between(words, marks, old, old_from..old_to, at..end);
            }
            (old_from, at) = (old_to, end);
        }
    }

    fn reformat_between(
        &mut self,
        words: &impl Words,
        marks: &mut Vec<Mark>,
        old: &[Line],
        gone: std::ops::Range<usize>,
        new: std::ops::Range<usize>,
    ) {
        let (from, at) = (gone.start, new.start);
        if may_share_tokens(words, &old[gone.clone()], &self.lines[new.clone()]) {
            let (before, after) = numbered(words, &old[gone.clone()], &self.lines[new.clone()]);
            for (y, found) in align(&before, &after).0.iter().enumerate() {
                let Some(x) = found.old().map(|x| from + x as usize) else { continue };
                let id = self.lines[at + y].id;
                // Equal lines were judged by their own text already; a brace alone proves nothing.
                let lonely = words.small(id) && !self.beside_kept(at + y, x as u32);
                if old[x].id != id && !lonely {
                    self.keep(marks, old, at + y, x);
                }
            }
        }
        for (y, mark) in reflow(words, marks, &old[gone], &self.lines[new.clone()]) {
            if self.kept[at + y].is_none() {
                self.lines[at + y].mark = mark;
            }
        }
    }

    fn beside_kept(&self, at: usize, x: u32) -> bool {
        at.checked_sub(1).and_then(|before| self.kept[before]).is_some_and(|before| before + 1 == x)
            || self.kept.get(at + 1).copied().flatten().is_some_and(|after| after == x + 1)
    }
}

/// Of a few lines, whether any old and any new one may have the same tokens.
fn may_share_tokens(words: &impl Words, old: &[Line], new: &[Line]) -> bool {
    const FEW: usize = 32;
    let sums =
        |lines: &[Line]| lines.iter().map(|line| text::sum_of_letters(words.text(line.id))).collect::<Vec<u32>>();
    if old.len() > FEW || new.len() > FEW {
        return true;
    }
    let before = sums(old);
    new.iter().any(|line| before.contains(&text::sum_of_letters(words.text(line.id))))
}

/// Small numbers for the tokens of lines.
fn numbered(words: &impl Words, old: &[Line], new: &[Line]) -> (Vec<u32>, Vec<u32>) {
    let mut numbers: rustc_hash::FxHashMap<Tokens, u32> = rustc_hash::FxHashMap::default();
    let mut number = |line: &Line| {
        let next = numbers.len() as u32;
        *numbers.entry(words.tokens(line.id)).or_insert(next)
    };
    (old.iter().map(&mut number).collect(), new.iter().map(&mut number).collect())
}

/// The mark of lines that a formatter has made of lines with this mark.
pub(crate) fn reformatted(marks: &mut Vec<Mark>, mark: MarkId) -> MarkId {
    match marks.get(mark as usize).copied() {
        Some(known) if known.step.is_some() && known.how == How::Written => {
            push_mark(marks, Mark { how: How::Reformatted, ..known })
        }
        _ => mark,
    }
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
    let author = |mark: MarkId| marks.get(mark as usize).map(|mark| (mark.step, mark.how));
    let mut all = candidates.iter().map(|x| old[*x as usize].mark).chain(maybe_new.then_some(new_mark));
    let first = all.next()?;
    all.all(|mark| author(mark) == author(first)).then_some(first)
}

/// Lines that come together mostly have one author: a mark is looked for among the last few only.
pub(crate) fn push_mark(marks: &mut Vec<Mark>, mark: Mark) -> MarkId {
    const LAST: usize = 64;
    let from = marks.len().saturating_sub(LAST);
    if let Some(at) = marks[from..].iter().rposition(|known| *known == mark) {
        return (from + at) as MarkId;
    }
    marks.push(mark);
    (marks.len() - 1) as MarkId
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
