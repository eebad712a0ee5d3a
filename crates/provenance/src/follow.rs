//! Lines of an open buffer, followed through what a person types.
//!
//! Only places are followed: which line of the text last read from disk each line of the buffer was. Whether it still
//! *is* that line is decided by its text when somebody asks, so an undo brings an origin back by bringing the text back.

use crate::align::align;
use crate::blame::Blame;
use crate::text::{Interner, is_small, lines, tokens};

/// `old` lines from `start` on became `new` lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineSplice {
    pub start: usize,
    pub old: usize,
    pub new: usize,
}

/// Follows the lines of one buffer from its base text on.
#[derive(Clone, Debug, Default)]
pub struct Follower {
    /// For each line of the buffer the base line that stood in its place.
    from: Vec<Option<u32>>,
}

impl Follower {
    /// A buffer that holds its base text, of so many lines.
    pub fn new(base_lines: usize) -> Follower {
        Follower { from: (0..base_lines as u32).map(Some).collect() }
    }

    /// Takes in one change. Lines that stay in number keep their places; of a change in number, the first ones do.
    pub fn change(&mut self, splice: LineSplice) {
        let start = splice.start.min(self.from.len());
        let end = (start + splice.old).min(self.from.len());
        let mut places: Vec<Option<u32>> = self.from[start..end].to_vec();
        places.resize(splice.new, None);
        self.from.splice(start..end, places);
    }

    /// The whole text was replaced: nothing of the places is known.
    pub fn replace_all(&mut self, new_lines: usize) {
        self.from = vec![None; new_lines];
    }

    /// For each line of the buffer's text, which line of the base it is, and whether only its white space differs.
    pub fn kept(&self, base: &str, buffer: &str) -> Vec<Option<(u32, bool)>> {
        let (old, new): (Vec<&str>, Vec<&str>) = (lines(base).collect(), lines(buffer).collect());
        let mut kept: Vec<Option<(u32, bool)>> = vec![None; new.len()];
        let mut least = 0;
        for (at, line) in new.iter().enumerate() {
            let Some(from) = self.from.get(at).copied().flatten().filter(|from| *from >= least) else { continue };
            let Some(was) = old.get(from as usize) else { continue };
            let reformatted = was != line && !is_small(line) && tokens(was) == tokens(line);
            if was == line || reformatted {
                (kept[at], least) = (Some((from, reformatted)), from + 1);
            }
        }
        // What was cut and put back (an undo, a redo) came as new lines: between two lines that stayed, base lines
        // that are missing and buffer lines without a place are aligned by their text.
        let mut at = 0;
        let mut old_from = 0usize;
        while at < new.len() {
            if let Some((from, _)) = kept[at] {
                (old_from, at) = (from as usize + 1, at + 1);
                continue;
            }
            let end = (at..new.len()).find(|y| kept[*y].is_some()).unwrap_or(new.len());
            let old_to = kept.get(end).copied().flatten().map_or(old.len(), |(from, _)| from as usize);
            if old_from < old_to {
                let mut words = Interner::default();
                let before: Vec<u32> = old[old_from..old_to].iter().map(|line| words.line(line)).collect();
                let after: Vec<u32> = new[at..end].iter().map(|line| words.line(line)).collect();
                for (y, found) in align(&before, &after).0.iter().enumerate() {
                    kept[at + y] = found.old().map(|x| (old_from as u32 + x, false));
                }
            }
            (old_from, at) = (old_to, end);
        }
        kept
    }
}

impl Blame {
    /// The answer for a buffer whose lines are known to be these lines of the text of this answer.
    pub fn carried(&self, kept: &[Option<(u32, bool)>]) -> Blame {
        use trace::{Evidence, LineOrigin};
        let changed = kept.len() != self.lines.len()
            || kept.iter().enumerate().any(|(at, kept)| *kept != Some((at as u32, false)));
        if !changed {
            return self.clone();
        }
        let told = |kept: &Option<(u32, bool)>| -> Option<LineOrigin> {
            let (from, reformatted) = (*kept)?;
            let origin = self.lines.get(from as usize).copied().flatten()?;
            let evidence = match origin.evidence {
                _ if reformatted => Evidence::Reformatted,
                Evidence::Recorded => Evidence::Carried,
                other => other,
            };
            Some(LineOrigin { evidence, ..origin })
        };
        let nobody = u32::MAX;
        let of = |kept: &Option<(u32, bool)>| kept.map(|(from, _)| from as usize);
        let was_moved = |now: u32, from: usize| {
            self.moved.iter().find(|(line, _)| *line as usize == from).map(|(_, id)| (now, *id))
        };
        Blame {
            lines: kept.iter().map(told).collect(),
            state: self.state,
            exact: false,
            marks: kept
                .iter()
                .map(|line| of(line).and_then(|at| self.marks.get(at).copied()).unwrap_or(nobody))
                .collect(),
            further: self.further.clone(),
            kept: kept.iter().map(|line| of(line).and_then(|at| self.kept.get(at).copied().flatten())).collect(),
            moved: kept.iter().enumerate().filter_map(|(now, line)| was_moved(now as u32, of(line)?)).collect(),
        }
    }
}

/// How many lines a text has for the engine.
pub fn line_count(text: &str) -> usize {
    lines(text).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    /// Characters are lines; each change is `start old new-text`. `.` nobody's line, else the base line.
    fn check(base: &str, changes: &[(usize, usize, &str)], expect: Expect) {
        let spell = |lines: &[char]| lines.iter().map(|c| format!("line {c}\n")).collect::<String>();
        let base: Vec<char> = base.chars().collect();
        let mut buffer = base.clone();
        let mut follower = Follower::new(base.len());
        for (start, old, new) in changes {
            let new: Vec<char> = new.chars().collect();
            follower.change(LineSplice { start: *start, old: *old, new: new.len() });
            buffer.splice(*start..*start + *old, new);
        }
        let kept = follower.kept(&spell(&base), &spell(&buffer));
        let sign = |kept: &Option<(u32, bool)>| kept.map_or(".".into(), |(from, _)| from.to_string());
        expect.assert_eq(&kept.iter().map(sign).collect::<String>());
    }

    #[test]
    fn follows() {
        check("abc", &[], expect!["012"]);
        check("abc", &[(1, 0, "X")], expect!["0.12"]);
        // An alignment of the texts could not tell which x was typed.
        check("axb", &[(1, 0, "x")], expect!["0.12"]);
        check("axb", &[(2, 0, "x")], expect!["01.2"]);
        check("abc", &[(1, 1, "X")], expect!["0.2"]);
        // Undone by typing it back, and by putting back what was cut.
        check("abc", &[(1, 1, "X"), (1, 1, "b")], expect!["012"]);
        check("abcd", &[(1, 2, ""), (1, 0, "bc")], expect!["0123"]);
        check("abc", &[(0, 3, "")], expect![""]);
    }

    #[test]
    fn white_space() {
        let follower = Follower::new(2);
        assert_eq!(follower.kept("  if x {\n}\n", "if x {\n  }\n"), [Some((0, true)), None]);
    }
}
