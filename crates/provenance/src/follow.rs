//! Lines of an open buffer, followed through what a person types.
//!
//! Only places are followed: which line of the text last read from disk each line of the buffer was. Whether it still
//! *is* that line is decided by its text when somebody asks, so an undo brings an origin back by bringing the text back.

use trace::Evidence;

use crate::align::align;
use crate::blame::Blame;
use crate::event::Tree;
use crate::text::{Interner, Sum, is_small, lines, same_tokens};
use crate::timeline::{MarkId, Timeline};

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

    /// Which lines of the base the lines of the buffer are.
    fn kept(&self, window: &Window<'_>) -> Kept {
        let (old, new): (Vec<&str>, Vec<&str>) = (lines(window.old).collect(), lines(window.new).collect());
        let mut middle: Vec<Option<KeptLine>> = vec![None; new.len()];
        let mut least = 0;
        for (at, line) in new.iter().enumerate() {
            let place = self.from.get(window.head + at).copied().flatten();
            let Some(from) = place.and_then(|from| (from as usize).checked_sub(window.head)) else { continue };
            let Some(was) = old.get(from).filter(|_| from >= least) else { continue };
            let reformatted = was != line && !is_small(line) && same_tokens(was, line);
            if was == line || reformatted {
                (middle[at], least) = (Some(KeptLine { from, reformatted }), from + 1);
            }
        }
        find_put_back(&old, &new, &mut middle);
        Kept { head: window.head, middle, tail: window.tail, gone_or_kept: old.len() }
    }

    /// The part of a buffer that is not, by place and by text, the beginning or the end of its base.
    fn window<'t>(&self, base: &'t str, base_lines: usize, buffer: &'t str) -> Window<'t> {
        let whole = Window { head: 0, old: base, new: buffer, tail: 0 };
        let in_place = (0..).zip(&self.from).take_while(|(at, from)| **from == Some(*at)).count();
        let head = line_ends(&base.as_bytes()[..common_beginning(base, buffer)]).min(in_place);
        let start = after_lines(base.as_bytes(), head);
        let (Some(old), Some(new)) = (base.get(start..), buffer.get(start..)) else { return whole };
        let most = base_lines.saturating_sub(head).min(self.from.len() - head);
        let from_end = (1..=most).zip(self.from.iter().rev());
        let in_place = from_end.take_while(|(n, from)| **from == u32::try_from(base_lines - n).ok()).count();
        let end = old.len() - common_end(old, new);
        // A line that begins before what is common at the end is not.
        let end = end + after_lines(&old.as_bytes()[end..], 1);
        let alike = old.get(end..).map_or(0, line_count);
        let tail = alike.min(in_place);
        let end = end + after_lines(&old.as_bytes()[end..], alike - tail);
        let new_end = new.len() - (old.len() - end);
        let (Some(old), Some(new)) = (old.get(..end), new.get(..new_end)) else { return whole };
        let window = Window { head, old, new, tail };
        // An editor that counts lines in another way has told of other places.
        if head + line_count(new) + tail == self.from.len() { window } else { whole }
    }
}

/// The parts of a base and of a buffer between lines that are the same in place and text.
struct Window<'t> {
    /// Lines at the beginning that are the same.
    head: usize,
    old: &'t str,
    new: &'t str,
    /// Lines at the end that are the same.
    tail: usize,
}

/// A line of the base in which one of the buffer stands. Both are counted from the end of the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct KeptLine {
    from: usize,
    /// Only its white space differs.
    reformatted: bool,
}

/// Which lines of the base the lines of a buffer are.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    head: usize,
    middle: Vec<Option<KeptLine>>,
    tail: usize,
    /// Lines of the base between its head and its tail.
    gone_or_kept: usize,
}

impl Kept {
    fn lines(&self) -> usize {
        self.head + self.middle.len() + self.tail
    }

    fn base_lines(&self) -> usize {
        self.head + self.gone_or_kept + self.tail
    }

    fn is_unchanged(&self) -> bool {
        let same = |(at, line): (usize, &Option<KeptLine>)| *line == Some(KeptLine { from: at, reformatted: false });
        self.middle.len() == self.gone_or_kept && self.middle.iter().enumerate().all(same)
    }

    /// What is said of each line of the base, for the lines of the buffer.
    fn carry<T: Copy>(&self, base: &[T], new: T) -> Vec<T> {
        let mut carried = Vec::with_capacity(self.lines());
        carried.extend_from_slice(base.get(..self.head).unwrap_or_default());
        let of = |line: &Option<KeptLine>| line.and_then(|line| base.get(self.head + line.from).copied());
        carried.extend(self.middle.iter().map(|line| of(line).unwrap_or(new)));
        carried.extend_from_slice(base.get(self.head + self.gone_or_kept..).unwrap_or_default());
        carried
    }

    /// Where a line of the base is in the buffer.
    fn now(&self, line: usize) -> Option<usize> {
        let Some(inside) = line.checked_sub(self.head) else { return Some(line) };
        match inside.checked_sub(self.gone_or_kept) {
            Some(below) => Some(self.head + self.middle.len() + below),
            None => {
                let is_it = |now: &Option<KeptLine>| now.is_some_and(|now| now.from == inside);
                self.middle.iter().position(is_it).map(|at| self.head + at)
            }
        }
    }
}

/// What was cut and put back (an undo, a redo) came as new lines: between two lines that stayed, base lines that are
/// missing and buffer lines without a place are aligned by their text.
fn find_put_back(old: &[&str], new: &[&str], kept: &mut [Option<KeptLine>]) {
    let mut at = 0;
    let mut old_from = 0;
    while at < new.len() {
        if let Some(line) = kept[at] {
            (old_from, at) = (line.from + 1, at + 1);
            continue;
        }
        let end = (at..new.len()).find(|y| kept[*y].is_some()).unwrap_or(new.len());
        let old_to = kept.get(end).copied().flatten().map_or(old.len(), |line| line.from);
        if old_from < old_to {
            let mut words = Interner::default();
            let before: Vec<u32> = old[old_from..old_to].iter().map(|line| words.line(line)).collect();
            let after: Vec<u32> = new[at..end].iter().map(|line| words.line(line)).collect();
            for (y, found) in align(&before, &after).0.iter().enumerate() {
                let put_back = |x: u32| KeptLine { from: old_from + x as usize, reformatted: false };
                kept[at + y] = found.old().map(put_back);
            }
        }
        (old_from, at) = (old_to, end);
    }
}

impl Timeline {
    /// Who wrote the lines of a buffer in `tree` that holds `text`, and whose lines were followed since it was `base`.
    /// `saved` is this timeline's answer for `base`.
    pub fn blame_buffer(&self, saved: &Blame, base: &str, text: &str, follower: &Follower, tree: Tree) -> Blame {
        let window = follower.window(base, saved.lines.len(), text);
        let changed = |sum: Sum| sum.without(self.sum(lines(window.old))).with(self.sum(lines(window.new)));
        let sum = saved.sum.map(changed);
        let may_be_known = sum.is_none_or(|sum| self.has_state_with(sum));
        if let Some(known) = may_be_known.then(|| self.blame_known(text, tree)).flatten() {
            return known;
        }
        Blame { sum, ..saved.carried(&follower.kept(&window)) }
    }
}

impl Blame {
    /// The answer for a buffer whose lines are known to be these lines of the text of this answer.
    fn carried(&self, kept: &Kept) -> Blame {
        if kept.is_unchanged() {
            return self.clone();
        }
        if kept.base_lines() != self.lines.len() {
            return Blame::unknown(kept.lines());
        }
        let mut lines = kept.carry(&self.lines, None);
        for origin in lines.iter_mut().flatten().filter(|origin| origin.evidence == Evidence::Recorded) {
            origin.evidence = Evidence::Carried;
        }
        for (line, now) in lines[kept.head..].iter_mut().zip(&kept.middle) {
            if let (Some(origin), Some(KeptLine { reformatted: true, .. })) = (line, now) {
                origin.evidence = Evidence::Reformatted;
            }
        }
        let moved = self.moved.iter().filter_map(|(line, id)| Some((kept.now(*line as usize)? as u32, *id)));
        Blame {
            lines,
            state: self.state,
            exact: false,
            marks: kept.carry(&self.marks, MarkId::MAX),
            further: self.further.clone(),
            kept: kept.carry(&self.kept, None),
            moved: moved.collect(),
            sum: None,
        }
    }
}

/// Bytes at the beginnings of two texts that are the same.
fn common_beginning(a: &str, b: &str) -> usize {
    const STRIDE: usize = 256;
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let strides = a.chunks_exact(STRIDE).zip(b.chunks_exact(STRIDE)).take_while(|(a, b)| a == b).count() * STRIDE;
    strides + a[strides..].iter().zip(&b[strides..]).take_while(|(a, b)| a == b).count()
}

/// Bytes at the ends of two texts that are the same.
fn common_end(a: &str, b: &str) -> usize {
    const STRIDE: usize = 256;
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let strides = a.rchunks_exact(STRIDE).zip(b.rchunks_exact(STRIDE)).take_while(|(a, b)| a == b).count() * STRIDE;
    let (a, b) = (&a[..a.len() - strides], &b[..b.len() - strides]);
    strides + a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count()
}

fn line_ends(text: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', text).count()
}

/// Where the first byte behind so many lines is; the end of the text where it has no more line ends.
fn after_lines(text: &[u8], lines: usize) -> usize {
    let Some(last) = lines.checked_sub(1) else { return 0 };
    memchr::memchr_iter(b'\n', text).nth(last).map_or(text.len(), |at| at + 1)
}

/// How many lines a text has for the engine.
pub fn line_count(text: &str) -> usize {
    line_ends(text.as_bytes()) + usize::from(!text.is_empty() && !text.ends_with('\n'))
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
        let places = places(&follower, &spell(&base), &spell(&buffer));
        let sign = |place: &Option<u32>| place.map_or(".".into(), |from| from.to_string());
        expect.assert_eq(&places.iter().map(sign).collect::<String>());
    }

    /// For each line of the buffer, which line of the base it is.
    fn places(follower: &Follower, base: &str, buffer: &str) -> Vec<Option<u32>> {
        let kept = follower.kept(&follower.window(base, line_count(base), buffer));
        let numbers: Vec<Option<u32>> = (0..line_count(base) as u32).map(Some).collect();
        let places = kept.carry(&numbers, None);
        for (at, from) in places.iter().enumerate().filter_map(|(at, from)| Some((at, (*from)?))) {
            assert_eq!(kept.now(from as usize), Some(at));
        }
        places
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
        let (base, buffer) = ("  if x {\n}\n", "if x {\n  }\n");
        let follower = Follower::new(2);
        let kept = follower.kept(&follower.window(base, 2, buffer));
        assert_eq!(kept.middle, [Some(KeptLine { from: 0, reformatted: true }), None]);
    }

    #[test]
    fn ends_of_texts() {
        for (base, buffer, expected) in [
            ("a\nb", "a\nb\n", vec![Some(0), Some(1)]),
            ("a\nb\n", "a\nb", vec![Some(0), Some(1)]),
            ("", "a", vec![None]),
            ("a\n\n", "a\n", vec![Some(0)]),
            ("ä\nö", "ü\nö", vec![None, Some(1)]),
            ("a\r\nb\r\n", "a\nb\r\n", vec![Some(0), Some(1)]),
        ] {
            let mut follower = Follower::new(line_count(base));
            follower.change(LineSplice { start: 0, old: line_count(base), new: line_count(buffer) });
            assert_eq!(places(&follower, base, buffer), expected, "{base:?} {buffer:?}");
        }
    }

    proptest::proptest! {
        /// To leave out what is the same at both ends changes nothing.
        #[test]
        fn windows(
            base in "[abc]{0,12}",
            changes in proptest::collection::vec((0usize..14, 0usize..4, "[abc]{0,3}"), 0..5),
            all in proptest::bool::weighted(0.1),
        ) {
            let spell = |lines: &[char]| lines.iter().map(|c| format!("line {c}\n")).collect::<String>();
            let base: Vec<char> = base.chars().collect();
            let mut buffer = base.clone();
            let mut follower = Follower::new(base.len());
            for (start, old, new) in changes {
                let start = start.min(buffer.len());
                let old = old.min(buffer.len() - start);
                follower.change(LineSplice { start, old, new: new.len() });
                buffer.splice(start..start + old, new.chars());
            }
            if all {
                follower.replace_all(buffer.len());
            }
            let (base, buffer) = (spell(&base), spell(&buffer));
            let whole = follower.kept(&Window { head: 0, old: &base, new: &buffer, tail: 0 });
            let numbers: Vec<Option<u32>> = (0..line_count(&base) as u32).map(Some).collect();
            proptest::prop_assert_eq!(places(&follower, &base, &buffer), whole.carry(&numbers, None));
        }
    }
}
