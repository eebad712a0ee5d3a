//! Random histories of a file that has only four different lines, judged by a slow account of its own: a name is right
//! only if every shortest edit script between the proofs gives it, or the run does in which the line was written.

use std::collections::BTreeSet;

use trace::{Change, Evidence};

use super::fuzz::run;
use super::story::{spell, story, sync};
use super::world::{History, Kind, World, spelled};
use crate::{Happening, Timeline, Tree, lines};

/// Who may be named for a line.
type Names = BTreeSet<u32>;

#[derive(Clone, Debug)]
struct State {
    text: Vec<String>,
    names: Vec<Names>,
}

/// The states of a file in one worktree, told by one log in its order.
#[derive(Default)]
struct Reference {
    states: Vec<State>,
    head: Option<usize>,
}

fn split(text: &str) -> Vec<String> {
    lines(text).map(str::to_owned).collect()
}

impl Reference {
    fn add(&mut self, state: State) -> usize {
        self.states.push(state);
        self.head = Some(self.states.len() - 1);
        self.states.len() - 1
    }

    /// The head where it has this text, else the latest state that has, else a new one from the head.
    fn seen(&mut self, text: Vec<String>) -> usize {
        let has = |at: &usize| self.states[*at].text == text;
        let known = self.head.filter(has).or_else(|| (0..self.states.len()).rev().find(has));
        if known.is_some() {
            self.head = known;
        }
        known.unwrap_or_else(|| {
            let names = match self.head {
                Some(head) => carried(&self.states[head], &text, None),
                None => vec![Names::new(); text.len()],
            };
            self.add(State { text, names })
        })
    }

    fn edit(&mut self, step: u32, change: &Change) {
        if change.created {
            let text = split(change.after.as_deref().unwrap_or_default());
            let names = vec![Names::from([step]); text.len()];
            self.add(State { text, names });
            return;
        }
        if let (Some(before), Some(after)) = (&change.before, &change.after) {
            let found = self.seen(split(before));
            let text = split(after);
            let names = carried(&self.states[found], &text, Some(step));
            self.add(State { text, names });
            return;
        }
        let after = change.after.as_deref().map(split);
        if let (Some(after), false) = (&after, change.hunks.is_empty()) {
            let mut before = after.clone();
            for hunk in change.hunks.iter().rev() {
                let from = (hunk.new_start as usize).saturating_sub(1);
                before.splice(from..from + hunk.new_lines().count(), hunk.old_lines().map(str::to_owned));
            }
            let found = self.seen(before);
            let names = carried(&self.states[found], after, Some(step));
            self.add(State { text: after.clone(), names });
            return;
        }
        // The text found was told right before.
        let Some(found) = self.head.map(|head| self.states[head].clone()) else { return };
        let mut parts: Vec<(usize, usize, Vec<String>)> = Vec::new();
        if let [replaced] = change.replacements.as_slice() {
            let (old, new) = (split(&replaced.old), split(&replaced.new));
            let Some(at) = (0..=found.text.len() - old.len()).find(|at| found.text[*at..].starts_with(&old)) else {
                return;
            };
            // What is equal from both ends stays. The step did write the rest, whatever stood there.
            let mut after = found.clone();
            let same = |(a, b): &(&String, &String)| a == b;
            let head = old.iter().zip(&new).take_while(same).count();
            let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(same).count();
            let (end, new_end) = (old.len() - tail, new.len() - tail);
            let part = State { text: old[head..end].to_vec(), names: found.names[at + head..at + end].to_vec() };
            let mut names = carried(&part, &new[head..new_end], Some(step));
            names.iter_mut().for_each(|names| {
                names.insert(step);
            });
            after.names.splice(at + head..at + end, names);
            after.text.splice(at..at + old.len(), new);
            self.add(after);
            return;
        }
        for hunk in &change.hunks {
            let mut at = hunk.old_start as usize - 1;
            let mut open = (at, at, Vec::new());
            for line in &hunk.lines {
                match line.split_at(1) {
                    (" ", _) => {
                        at += 1;
                        parts.push(std::mem::replace(&mut open, (at, at, Vec::new())));
                    }
                    ("-", _) => {
                        at += 1;
                        open.1 = at;
                    }
                    (_, new) => open.2.push(new.to_owned()),
                }
            }
            parts.push(open);
        }
        let mut after = found.clone();
        for (from, to, new) in parts.into_iter().rev() {
            let part = State { text: found.text[from..to].to_vec(), names: found.names[from..to].to_vec() };
            after.names.splice(from..to, carried(&part, &new, Some(step)));
            after.text.splice(from..to, new);
        }
        self.add(after);
    }

    fn now(&self, text: &[String]) -> Vec<Names> {
        let has = |at: &usize| self.states[*at].text == text;
        let known = self.head.filter(has).or_else(|| (0..self.states.len()).rev().find(has));
        match (known, self.head) {
            (Some(known), _) => self.states[known].names.clone(),
            (None, Some(head)) => carried(&self.states[head], text, None),
            (None, None) => vec![Names::new(); text.len()],
        }
    }
}

/// Who may be named for each new line, by all shortest edit scripts.
fn carried(old: &State, new: &[String], writer: Option<u32>) -> Vec<Names> {
    let all = all_scripts(&old.text, new);
    let fresh: Names = writer.into_iter().collect();
    let runs = runs(&old.text, new, &all);
    let names = |(at, (kept, maybe_new)): (usize, &(Vec<usize>, bool))| {
        let mut agreed: Option<Names> = maybe_new.then(|| fresh.clone());
        for x in kept {
            let of_old = &old.names[*x];
            agreed = Some(agreed.map_or_else(|| of_old.clone(), |agreed| &agreed & of_old));
        }
        let drawn = runs[at].iter().filter(|x| kept.contains(x)).flat_map(|x| old.names[*x].iter().copied());
        agreed.unwrap_or_default().into_iter().chain(drawn).collect()
    };
    all.iter().enumerate().map(names).collect()
}

/// For each new line the old lines that it would be by the runs of sure lines, and of the ends of the text.
fn runs(old: &[String], new: &[String], all: &[(Vec<usize>, bool)]) -> Vec<Vec<usize>> {
    let mut runs = vec![Vec::new(); new.len()];
    let sure = |y: usize| all.get(y).and_then(|(kept, new)| (kept.len() == 1 && !new).then(|| kept[0] as isize));
    let anchors = (0..new.len()).filter_map(|y| Some((sure(y)?, y as isize)));
    let ends = [(-1, -1), (old.len() as isize, new.len() as isize)];
    for (x, y) in anchors.chain(ends) {
        for step in [-1, 1] {
            let mut n = step;
            while let (Ok(x), Ok(y)) = (usize::try_from(x + n), usize::try_from(y + n))
                && x < old.len()
                && y < new.len()
                && old[x] == new[y]
                && sure(y).is_none()
            {
                runs[y].push(x);
                n += step;
            }
        }
    }
    runs
}

/// For each new line the old lines that shortest scripts keep there, and whether one of them inserts it.
fn all_scripts(old: &[String], new: &[String]) -> Vec<(Vec<usize>, bool)> {
    let (n, m) = (old.len(), new.len());
    let table = |same: &dyn Fn(usize, usize) -> bool| {
        let mut least = vec![vec![0usize; m + 1]; n + 1];
        for x in 0..=n {
            for y in 0..=m {
                least[x][y] = match (x, y) {
                    (0, _) => y,
                    (_, 0) => x,
                    _ if same(x - 1, y - 1) => least[x - 1][y - 1],
                    _ => 1 + least[x - 1][y].min(least[x][y - 1]),
                };
            }
        }
        least
    };
    let from_start = table(&|x, y| old[x] == new[y]);
    let from_end = table(&|x, y| old[n - 1 - x] == new[m - 1 - y]);
    let to_end = |x: usize, y: usize| from_end[n - x][m - y];
    let total = from_start[n][m];
    let line = |y: usize| {
        let kept = (0..n).filter(|&x| old[x] == new[y] && from_start[x][y] + to_end(x + 1, y + 1) == total);
        let maybe_new = (0..=n).any(|x| from_start[x][y] + 1 + to_end(x, y + 1) == total);
        (kept.collect(), maybe_new)
    };
    (0..m).map(line).collect()
}

fn tell(history: &History) -> String {
    let world = World::of_few(history);
    let now: Vec<String> = world.texts().map(|(_, text)| format!("now {}", spelled(text))).collect();
    format!("{}{}", world.story(history), now.join("\n"))
}

#[test]
fn only_what_all_shortest_scripts_say_is_told() {
    run("few lines", Kind::Plain, 20, 500, tell, |history| {
        let world = World::of_few(history);
        let events = story(&world.story(history));
        let mut timeline = Timeline::new();
        sync(&mut timeline, &events);
        let mut reference = Reference::default();
        for told in &events {
            match &told.event.what {
                Happening::Seen { text, .. } => {
                    reference.seen(split(text));
                }
                Happening::Edit { step, change } => reference.edit(step.0, change),
                Happening::Ran { .. } | Happening::ByHand => {}
            }
        }
        let Some((_, text)) = world.texts().next() else { return Ok(()) };
        let text = spell(&spelled(text));
        let names = reference.now(&split(&text));
        for (at, (origin, names)) in timeline.blame(&text, Tree(0)).lines.iter().zip(names).enumerate() {
            match origin {
                // Known again by its text, not by an alignment.
                Some(origin) if origin.evidence == Evidence::Moved => {}
                Some(origin) if !names.contains(&origin.step.0) => {
                    return Err(format!("line {at}: {}, only {names:?} can be proven", origin.step.0));
                }
                _ => {}
            }
        }
        Ok(())
    });
}
