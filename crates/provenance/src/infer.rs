//! Lines that exactly one command can have written.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use trace::StepKey;

use crate::event::{Event, Tree, TurnKey, Writes};
use crate::flow::{Fresh, push_mark};
use crate::text::{LineId, Words};
use crate::timeline::{Done, Heads, How, Line, Mark, NodeId, Splice, Timeline};

/// A command that may have written the file.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) step: StepKey,
    pub(crate) tree: Tree,
    pub(crate) turn: Option<TurnKey>,
    pub(crate) writes: Vec<Writes>,
}

/// What ran in a worktree since the file's text was last told whole.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Window {
    /// The first of the runs.
    from: usize,
    /// The turn in which the text was told.
    turn: Option<TurnKey>,
    /// Why none of the runs is named, whatever it may have written.
    doubt: Option<Doubt>,
}

/// What may have happened beside commands, so that none of them is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The log tells that somebody else changed the file.
    ByHand,
    /// An edit, and nothing tells what text it found.
    Waiting,
    /// What the worktree held when they ran is known from another one only.
    Elsewhere,
    /// Clocks of logs are proven wrong up to there: it is not sure what ran.
    Clocks,
}

/// How a run fits a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// The change does not have its shape.
    Not,
    /// It keeps tokens, mostly.
    Formats,
    /// It brings back old texts.
    Brings,
    /// It may have done anything.
    May,
    /// Its text names the file as output, and the change has its shape.
    Named,
}

impl Timeline {
    /// A proof of the whole text: commands that ran before it are answered for.
    pub(crate) fn open_window(&mut self, event: &Event) {
        let window = Window { from: self.runs.len(), turn: event.turn, doubt: None };
        self.set_window(event.tree, window);
    }

    pub(crate) fn close_window(&mut self, tree: Tree, doubt: Doubt) {
        let window = self.window(tree);
        self.set_window(tree, Window { doubt: window.doubt.or(Some(doubt)), ..window });
    }

    fn set_window(&mut self, tree: Tree, window: Window) {
        let windows = &mut Arc::make_mut(&mut self.heads.seldom).windows;
        match windows.iter_mut().find(|(known, _)| *known == tree) {
            Some((_, known)) => *known = window,
            None => windows.push((tree, window)),
        }
    }

    fn window(&self, tree: Tree) -> Window {
        self.heads.window(tree)
    }

    /// The commands that may have made a change on `tree` that shows in `turn`; nothing where somebody else may have.
    pub(crate) fn suspects(&self, tree: Tree, turn: Option<TurnKey>) -> Suspects<'_> {
        if self.is_only_committed(tree) {
            return self.suspects_anywhere(turn);
        }
        let window = self.window(tree);
        let answered = window.doubt.is_some() || self.is_first_seen_elsewhere(tree) || self.is_reordered();
        let runs = self.runs.get(window.from..).filter(|_| !answered).unwrap_or_default();
        self.suspects_of(window, runs, tree, turn)
    }

    /// The commands that may have made a change to a commit's text, or one that a commit shows, on whichever worktree it
    /// was made.
    pub(crate) fn suspects_anywhere(&self, turn: Option<TurnKey>) -> Suspects<'_> {
        let windows = &self.heads.seldom.windows;
        let answered = self.is_reordered() || windows.iter().any(|(_, window)| window.doubt.is_some());
        let ran_since = |(at, run): &(usize, &Run)| !answered && *at >= self.window(run.tree).from;
        let runs = self.runs.iter().enumerate().filter(ran_since).map(|(_, run)| run).collect();
        let is_of_all = |turn: &TurnKey| windows.iter().all(|(_, window)| window.turn == Some(*turn));
        self.suspects_among(runs, turn.filter(|turn| !windows.is_empty() && is_of_all(turn)))
    }

    /// Those of a change that an event of the past showed, also where somebody else may have made it.
    pub(crate) fn suspects_before(&self, done: &Done, tree: Tree, turn: Option<TurnKey>) -> Suspects<'_> {
        let window = done.heads.window(tree);
        self.suspects_of(window, self.runs.get(window.from..done.runs as usize).unwrap_or_default(), tree, turn)
    }

    fn suspects_of<'a>(&'a self, window: Window, runs: &'a [Run], tree: Tree, turn: Option<TurnKey>) -> Suspects<'a> {
        let turn = turn.filter(|turn| window.turn == Some(*turn));
        self.suspects_among(runs.iter().filter(|run| run.tree == tree).collect(), turn)
    }

    fn suspects_among<'a>(&'a self, runs: Vec<&'a Run>, turn: Option<TurnKey>) -> Suspects<'a> {
        let splices = self.nodes.iter().filter(|_| !runs.is_empty()).flat_map(|node| &node.splices);
        let gone = splices.flat_map(|splice| &*splice.removed).map(|line| line.id).collect();
        Suspects { runs, turn, gone }
    }

    /// Why none of the commands before an event, which of `done`, is named.
    pub(crate) fn doubt_before(&self, place: usize, tree: Tree) -> Option<Doubt> {
        let doubt = self.done.get(place).and_then(|done| done.heads.window(tree).doubt);
        doubt.or_else(|| self.is_reordered_at(place).then_some(Doubt::Clocks))
    }

    pub(crate) fn doubt_now(&self, tree: Tree) -> Option<Doubt> {
        self.window(tree).doubt.or_else(|| self.is_reordered().then_some(Doubt::Clocks))
    }
}

impl Heads {
    fn window(&self, tree: Tree) -> Window {
        self.seldom.windows.iter().find(|(known, _)| *known == tree).map(|(_, window)| *window).unwrap_or_default()
    }
}

pub(crate) struct Suspects<'a> {
    runs: Vec<&'a Run>,
    /// The turn in which both proofs lie.
    turn: Option<TurnKey>,
    /// Lines that were removed before: somebody may have brought them back.
    gone: FxHashSet<LineId>,
}

impl Suspects<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub(crate) fn is_of_one_turn(&self) -> bool {
        self.turn.is_some()
    }

    /// How each of them fits a part of a change, of a text that now has `len` lines.
    pub(crate) fn fits(&self, words: &impl Words, part: &Splice, len: usize) -> Vec<(StepKey, Fit)> {
        self.runs.iter().map(|run| (run.step, run.fit(words, part, len))).collect()
    }

    /// Those that ran after `run`.
    fn after(&self, run: &Run) -> impl Iterator<Item = &Run> {
        self.runs.iter().copied().skip_while(move |other| !std::ptr::eq(*other, run)).skip(1)
    }

    /// The one that wrote a part of a change, of a text that now has `len` lines; and whether it put it at the end.
    fn writer(&self, words: &impl Words, part: &Splice, len: usize) -> Option<(StepKey, bool)> {
        let fits: Vec<(Fit, &Run)> = self.runs.iter().map(|run| (run.fit(words, part, len), *run)).collect();
        let with = |least: Fit| fits.iter().filter(move |(fit, _)| *fit >= least);
        let one = |least: Fit| with(least).next().filter(|_| with(least).count() == 1).map(|(fit, run)| (*fit, *run));
        if let Some((Fit::Named, run)) = one(Fit::Brings) {
            if !run.rewrote(words, part) && self.after(run).any(Run::goes_line_by_line) {
                return None;
            }
            let appends = run.writes.iter().any(|writes| matches!(writes, Writes::AtTheEnd));
            let others = run.writes.iter().any(|writes| matches!(writes, Writes::Whole | Writes::Lines(_)));
            return Some((run.step, appends && !others));
        }
        let (fit, run) = one(Fit::Formats)?;
        // Of several together, the change of one may hide the shape of another's.
        let alone = self.runs.len() == 1;
        (alone && fit == Fit::May && self.turn.is_some() && run.turn == self.turn).then_some((run.step, false))
    }
}

impl Run {
    /// Whether it makes new lines of those that it finds.
    fn goes_line_by_line(&self) -> bool {
        self.writes.iter().any(|writes| matches!(writes, Writes::Lines(_)))
    }

    /// Whether it made a part of a change of the lines that stood there.
    fn rewrote(&self, words: &impl Words, part: &Splice) -> bool {
        self.writes.iter().any(|writes| matches!(writes, Writes::Lines(rewrite) if rewrites(words, &*rewrite.0, part)))
    }

    fn fit(&self, words: &impl Words, part: &Splice, len: usize) -> Fit {
        self.writes.iter().map(|writes| writes.fit(words, part, len)).max().unwrap_or(Fit::Not)
    }
}

impl Writes {
    fn fit(&self, words: &impl Words, part: &Splice, len: usize) -> Fit {
        let at_end = part.at as usize + part.added.len() == len && goes_on(part);
        match self {
            Writes::Anything => Fit::May,
            Writes::OldText => Fit::Brings,
            Writes::Formats => Fit::Formats,
            Writes::Whole => Fit::Named,
            Writes::AtTheEnd if at_end => Fit::Named,
            Writes::Lines(rewrite) if rewrites(words, &*rewrite.0, part) => Fit::Named,
            Writes::AtTheEnd | Writes::Lines(_) => Fit::Not,
        }
    }
}

/// Whether the new lines begin with the old ones: they stay, and others follow.
fn goes_on(part: &Splice) -> bool {
    part.added.len() > part.removed.len() && part.removed.iter().zip(&part.added).all(|(old, new)| old.id == new.id)
}

/// Whether a part of a change is what a command makes of each of its lines.
fn rewrites(words: &impl Words, rewrite: &dyn Fn(&str) -> Option<Vec<String>>, part: &Splice) -> bool {
    let mut made = part.added.iter();
    part.removed.iter().all(|old| {
        let new = rewrite(words.text(old.id));
        new.is_some_and(|new| new.iter().all(|text| made.next().is_some_and(|line| words.text(line.id) == text)))
    }) && made.next().is_none()
        && !part.removed.is_empty()
}

/// The first and the last part of a change that takes out a line with this text.
fn first_and_last_loss(parts: &[Splice]) -> FxHashMap<LineId, (usize, usize)> {
    let mut lost: FxHashMap<LineId, (usize, usize)> = FxHashMap::default();
    for (number, part) in parts.iter().enumerate() {
        for line in &part.removed {
            lost.entry(line.id).or_insert((number, number)).1 = number;
        }
    }
    lost
}

/// Gives the new lines of a change to the command that wrote them. Lines that nobody wrote so far have one of the marks
/// `fresh`.
pub(crate) fn name_lines(
    words: &impl Words,
    marks: &mut Vec<Mark>,
    suspects: &Suspects<'_>,
    node: NodeId,
    parts: &[Splice],
    lines: &mut [Line],
    fresh: Fresh,
) {
    if suspects.is_empty() {
        return;
    }
    let stayed = |line: &&Line| line.mark != fresh.new && line.mark != fresh.unsure;
    let there: FxHashSet<LineId> = lines.iter().filter(stayed).map(|line| line.id).collect();
    let is_back = |line: &Line| suspects.gone.contains(&line.id) && !there.contains(&line.id) && !words.small(line.id);
    let lost_in = first_and_last_loss(parts);
    for (number, part) in parts.iter().enumerate() {
        let lost_elsewhere = |line: &Line| lost_in.get(&line.id).is_some_and(|parts| *parts != (number, number));
        let was_moved = |line: &Line| !words.small(line.id) && lost_elsewhere(line);
        // Then git or a person had a hand in it, or it is not known who wrote what was moved.
        if part.added.iter().any(|line| is_back(line) || was_moved(line)) {
            continue;
        }
        let Some((step, appended)) = suspects.writer(words, part, lines.len()) else { continue };
        let mark = push_mark(marks, Mark { node, step: Some(step), how: How::Inferred });
        let at = part.at as usize;
        // What was put at the end leaves no doubt which lines stood there before.
        let kept = if appended { part.removed.len() } else { 0 };
        for (line, old) in lines.iter_mut().skip(at).zip(&part.removed[..kept]) {
            line.mark = old.mark;
        }
        for line in lines.iter_mut().skip(at + kept).take(part.added.len() - kept) {
            if line.mark == fresh.new || appended && line.mark == fresh.unsure {
                line.mark = mark;
            }
        }
    }
}
