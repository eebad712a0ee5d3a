//! Taking a change out of a text that went on since: a three-way merge by lines.
//!
//! `base` is the text after the change, `theirs` the text before it, `ours` the text now. Each hunk of the change is
//! looked for in `ours` as a whole and taken back where it still stands. A hunk that something came over stays as it is
//! and is told: here nothing is ever written between conflict marks.

use std::ops::Range;

use imara_diff::{Algorithm, Diff, InternedInput};

use crate::align::{align, doubt_islands};
use crate::diff::{ChangedRange, changed_ranges};
use crate::text::{Interner, LineId, lines};

/// A change carried into a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    /// `ours` with every hunk that could be carried over. Its line ends stay what they are in `ours`.
    pub text: String,
    /// The hunks of the change from `base` to `theirs`, in their order.
    pub hunks: Vec<MergedHunk>,
}

/// One hunk of the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedHunk {
    /// The lines that the change replaces, from 0, and those that it puts there.
    pub base: Range<u32>,
    pub theirs: Range<u32>,
    /// The lines of `ours` that stand in the place of `base`: where the hunk stays, those between the nearest lines
    /// that were found again.
    pub ours: Range<u32>,
    pub fate: MergedFate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergedFate {
    /// It is in the merged text.
    Applied,
    /// `ours` was so already.
    Already,
    /// Something else changed the same place: it was left as it is.
    Stays,
}

impl Merge {
    pub fn count(&self, fate: MergedFate) -> usize {
        self.hunks.iter().filter(|hunk| hunk.fate == fate).count()
    }
}

/// A piece of a text that becomes another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextSplice {
    /// In bytes. It begins and ends at the beginning of a line or the end of the text.
    pub range: Range<usize>,
    pub text: String,
}

/// Carries the change from `base` to `theirs` into `ours`.
pub fn merge(base: &str, ours: &str, theirs: &str) -> Merge {
    let there = There::new(base, ours);
    let theirs_lines: Vec<&str> = lines(theirs).collect();
    let mut hunks = Vec::new();
    let mut end = 0;
    for ChangedRange { old, new } in changed_ranges(base, theirs) {
        let wanted = &theirs_lines[new.start as usize..new.end as usize];
        // Runs that were found crosswise are no proof of either.
        let place = there.place(&old).filter(|place| place.start >= end);
        let (place, fate) = match place {
            Some(place) => (place, MergedFate::Applied),
            None => {
                let around = there.between_neighbours(&old);
                let already = there.beside_it(&old).is_some_and(|place| there.ours_is(&place, wanted));
                // What it would take out is gone, and what stood around it too.
                let gone = wanted.is_empty() && around.is_empty();
                (around, if already || gone { MergedFate::Already } else { MergedFate::Stays })
            }
        };
        if fate == MergedFate::Applied {
            end = place.end;
        }
        hunks.push(MergedHunk { base: old, theirs: new, ours: place, fate });
    }
    let text = write(base, ours, theirs, &hunks, &theirs_lines);
    Merge { text, hunks }
}

/// The pieces in which `from` differs from `to`, in their order, as few lines as that takes.
pub fn splices(from: &str, to: &str) -> Vec<TextSplice> {
    let (old, new): (Vec<&str>, Vec<&str>) = (raw_lines(from).collect(), raw_lines(to).collect());
    let mut input = InternedInput::default();
    input.update_before(old.iter().copied());
    input.update_after(new.iter().copied());
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
    let starts: Vec<usize> = starts_of(&old).collect();
    let byte = |line: u32| starts.get(line as usize).copied().unwrap_or(from.len());
    let splice = |hunk: imara_diff::Hunk| TextSplice {
        range: byte(hunk.before.start)..byte(hunk.before.end),
        text: new[hunk.after.start as usize..hunk.after.end as usize].concat(),
    };
    diff.hunks().map(splice).collect()
}

/// Where each line begins, in bytes.
fn starts_of<'t>(raw: &'t [&str]) -> impl Iterator<Item = usize> + 't {
    raw.iter().scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some(start)
    })
}

/// The lines of a text with their ends; as many as [`lines`] counts.
fn raw_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n')
}

/// Where the lines of `base` are in `ours`.
struct There<'t> {
    base: Vec<&'t str>,
    ours: Vec<&'t str>,
    base_ids: Vec<LineId>,
    ours_ids: Vec<LineId>,
    /// For each line of `base` the line of `ours` that it surely is.
    now: Vec<Option<u32>>,
}

impl<'t> There<'t> {
    fn new(base: &'t str, ours: &'t str) -> There<'t> {
        let mut words = Interner::default();
        let (base_ids, ours_ids) = (words.text_lines(base), words.text_lines(ours));
        let mut now = vec![None; base_ids.len()];
        for (at, line) in (0..).zip(sure_lines(&base_ids, &ours_ids)) {
            if let Some(place) = line.and_then(|line| now.get_mut(line as usize)) {
                *place = Some(at);
            }
        }
        There { base: lines(base).collect(), ours: lines(ours).collect(), base_ids, ours_ids, now }
    }

    /// The lines of `ours` that are these lines of `base`, and nothing between them. `None`: they are not proven to
    /// stand there as they were.
    fn place(&self, hunk: &Range<u32>) -> Option<Range<u32>> {
        self.by_its_lines(hunk).or_else(|| self.by_its_neighbours(hunk)).or_else(|| self.reformatted(hunk))
    }

    /// One line of it is surely there: the others are in the same run, or it is not the same any more.
    fn by_its_lines(&self, hunk: &Range<u32>) -> Option<Range<u32>> {
        let (at, now) = hunk.clone().find_map(|line| Some((line, self.now_of(line)?)))?;
        let start = now.checked_sub(at - hunk.start)?;
        let place = start..start + len(hunk);
        let in_line = |line: u32| self.now_of(line).is_none_or(|now| now == start + (line - hunk.start));
        (self.same(hunk, &place) && hunk.clone().all(in_line)).then_some(place)
    }

    /// The lines above and below are surely there and have nothing between them but the hunk's.
    fn by_its_neighbours(&self, hunk: &Range<u32>) -> Option<Range<u32>> {
        let place = self.beside_it(hunk)?;
        self.same(hunk, &place).then_some(place)
    }

    /// What stands between the line above and the line below the hunk, where both are surely there.
    fn beside_it(&self, hunk: &Range<u32>) -> Option<Range<u32>> {
        let start = match hunk.start.checked_sub(1) {
            Some(above) => self.now_of(above)? + 1,
            None => 0,
        };
        let end = if hunk.end < count(&self.base) { self.now_of(hunk.end)? } else { count(&self.ours) };
        (start <= end).then_some(start..end)
    }

    /// The hunk stands there with other white space: between the nearest lines that are surely there the tokens are
    /// the same, and the hunk begins and ends with a line.
    fn reformatted(&self, hunk: &Range<u32>) -> Option<Range<u32>> {
        let gap = self.neighbours(hunk);
        let place = self.between_neighbours(hunk);
        let (old, new) = (Tokens::of(slice(&self.base, &gap)), Tokens::of(slice(&self.ours, &place)));
        if old.text.is_empty() || old.text != new.text {
            return None;
        }
        let (start, end) = ((hunk.start - gap.start) as usize, (hunk.end - gap.start) as usize);
        let (above, below) = (*old.before.get(start)?, *old.before.get(end)?);
        if above == below {
            return None;
        }
        let blank = |line: &&str| line.trim().is_empty();
        let own = slice(&self.base, hunk);
        let leading = own.iter().take_while(|line| blank(line)).count();
        let trailing = own.iter().rev().take_while(|line| blank(line)).count();
        // Of blank lines at the rim it takes as many as it had.
        let first = new.last_at(above)?;
        let first = first - leading.min(first - new.first_at(above)?);
        let last = new.first_at(below)?;
        let last = last + trailing.min(new.last_at(below)? - last);
        Some(place.start + first as u32..place.start + last as u32)
    }

    /// The lines of `base` around a hunk that were not found again, the hunk's among them.
    fn neighbours(&self, hunk: &Range<u32>) -> Range<u32> {
        let above = (0..hunk.start).rev().find(|line| self.now_of(*line).is_some());
        let below = (hunk.end..count(&self.base)).find(|line| self.now_of(*line).is_some());
        above.map_or(0, |above| above + 1)..below.unwrap_or(count(&self.base))
    }

    /// The lines of `ours` between the nearest lines around a hunk that are surely there.
    fn between_neighbours(&self, hunk: &Range<u32>) -> Range<u32> {
        let around = self.neighbours(hunk);
        let start = around.start.checked_sub(1).and_then(|above| self.now_of(above)).map_or(0, |above| above + 1);
        let end = self.now_of(around.end).unwrap_or(count(&self.ours));
        start..end.max(start)
    }

    fn now_of(&self, line: u32) -> Option<u32> {
        self.now.get(line as usize).copied().flatten()
    }

    fn same(&self, base: &Range<u32>, ours: &Range<u32>) -> bool {
        let old = self.base_ids.get(base.start as usize..base.end as usize);
        old.is_some() && old == self.ours_ids.get(ours.start as usize..ours.end as usize)
    }

    fn ours_is(&self, place: &Range<u32>, wanted: &[&str]) -> bool {
        slice(&self.ours, place) == wanted
    }
}

/// For each line of `new` the line of `old` that it is, where that is proven.
fn sure_lines(old: &[LineId], new: &[LineId]) -> impl Iterator<Item = Option<u32>> {
    let mut matches = align(old, new).0;
    doubt_islands(old, new, &mut matches);
    matches.into_iter().map(|found| found.old())
}

/// Lines without their white space, and how much of it stands before each line's beginning and at the end.
struct Tokens {
    text: String,
    before: Vec<usize>,
}

impl Tokens {
    fn of(lines: &[&str]) -> Tokens {
        let mut tokens = Tokens { text: String::new(), before: vec![0] };
        for line in lines {
            tokens.text.extend(line.chars().filter(|c| !c.is_whitespace()));
            tokens.before.push(tokens.text.len());
        }
        tokens
    }

    /// The first and the last line that begins at this place.
    fn first_at(&self, place: usize) -> Option<usize> {
        self.before.iter().position(|before| *before == place)
    }

    fn last_at(&self, place: usize) -> Option<usize> {
        self.before.iter().rposition(|before| *before == place)
    }
}

/// `ours` with the hunks that apply.
fn write(base: &str, ours: &str, theirs: &str, hunks: &[MergedHunk], theirs_lines: &[&str]) -> String {
    let raw: Vec<&str> = raw_lines(ours).collect();
    let own_end = if raw.first().is_some_and(|line| line.ends_with("\r\n")) { "\r\n" } else { "\n" };
    // Each line with its end; lines of theirs get the end that ours has.
    let mut out: Vec<(&str, &str)> = Vec::with_capacity(raw.len());
    let mut next = 0;
    for hunk in hunks.iter().filter(|hunk| hunk.fate == MergedFate::Applied) {
        out.extend(raw[next..hunk.ours.start as usize].iter().map(|line| without_end(line)));
        out.extend(slice(theirs_lines, &hunk.theirs).iter().map(|line| (*line, own_end)));
        next = hunk.ours.end as usize;
    }
    out.extend(raw[next..].iter().map(|line| without_end(line)));
    let ends = ends_its_last_line(base, ours, theirs);
    let last = out.len().saturating_sub(1);
    let mut text = String::with_capacity(ours.len());
    for (at, (line, end)) in out.into_iter().enumerate() {
        text.push_str(line);
        text.push_str(match end {
            // A blank line without its end is no line.
            _ if at == last && !ends && !line.is_empty() => "",
            "" => own_end,
            end => end,
        });
    }
    text
}

fn without_end(line: &str) -> (&str, &str) {
    let text = line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line));
    line.split_at(text.len())
}

/// Whether the merged text has a line end at its end: what one side changed counts.
fn ends_its_last_line(base: &str, ours: &str, theirs: &str) -> bool {
    let of = |text: &str| (!text.is_empty()).then(|| text.ends_with('\n'));
    let (base, ours, theirs) = (of(base), of(ours), of(theirs));
    let (first, second) = if ours == base { (theirs, ours) } else { (ours, theirs) };
    first.or(second).unwrap_or(true)
}

fn slice<'s, 't>(lines: &'s [&'t str], range: &Range<u32>) -> &'s [&'t str] {
    lines.get(range.start as usize..range.end as usize).unwrap_or_default()
}

fn len(range: &Range<u32>) -> u32 {
    range.end.saturating_sub(range.start)
}

fn count(lines: &[&str]) -> u32 {
    u32::try_from(lines.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    /// Each character of a text is a line of the file. A second line tells each hunk: what it replaces by what, and
    /// what became of it.
    fn check(base: &str, ours: &str, theirs: &str, expect: Expect) {
        let spell = |text: &str| text.chars().map(|c| format!("{}\n", line_of(c))).collect::<String>();
        let merged = merge(&spell(base), &spell(ours), &spell(theirs));
        let chars = |text: &str, range: &Range<u32>| {
            text.chars().skip(range.start as usize).take(len(range) as usize).collect::<String>()
        };
        let hunk = |hunk: &MergedHunk| {
            let (old, new, now) = (chars(base, &hunk.base), chars(theirs, &hunk.theirs), chars(ours, &hunk.ours));
            format!("\n{old}→{new} {:?} at {}..{} {now}", hunk.fate, hunk.ours.start, hunk.ours.end)
        };
        let text: String = lines(&merged.text).map(char_of).collect();
        expect.assert_eq(&format!("{text}{}", merged.hunks.iter().map(hunk).collect::<String>()));
    }

    /// `_` is a blank line.
    fn line_of(c: char) -> String {
        if c == '_' { String::new() } else { format!("let {c} = {c};") }
    }

    fn char_of(line: &str) -> char {
        line.chars().nth(4).unwrap_or('_')
    }

    #[test]
    fn a_hunk_that_stands_is_taken_out() {
        check(
            "abXcd",
            "abXcd",
            "abcd",
            expect![[r#"
            abcd
            X→ Applied at 2..3 X"#]],
        );
        check(
            "aXb",
            "1aXb2",
            "aYb",
            expect![[r#"
            1aYb2
            X→Y Applied at 2..3 X"#]],
        );
        check(
            "ac",
            "1ac2",
            "abc",
            expect![[r#"
            1abc2
            →b Applied at 2..2 "#]],
        );
        check(
            "aXbcdYe",
            "aXbcdYe",
            "abcde",
            expect![[r#"
            abcde
            X→ Applied at 1..2 X
            Y→ Applied at 5..6 Y"#]],
        );
        // A line was added right above, right below: the hunk is whole.
        check(
            "aXYb",
            "a1XY2b",
            "ab",
            expect![[r#"
            a12b
            XY→ Applied at 2..4 XY"#]],
        );
        check(
            "X",
            "X",
            "",
            expect![[r#"

            X→ Applied at 0..1 X"#]],
        );
        check(
            "",
            "",
            "X",
            expect![[r#"
            X
            →X Applied at 0..0 "#]],
        );
        check(
            "Xab",
            "Xab1",
            "ab",
            expect![[r#"
            ab1
            X→ Applied at 0..1 X"#]],
        );
    }

    #[test]
    fn a_hunk_that_was_changed_stays() {
        check(
            "aXYZb",
            "aX1Zb",
            "ab",
            expect![[r#"
            aX1Zb
            XYZ→ Stays at 1..4 X1Z"#]],
        );
        check(
            "aXYb",
            "aX1Yb",
            "ab",
            expect![[r#"
            aX1Yb
            XY→ Stays at 1..4 X1Y"#]],
        );
        check(
            "aXbcdYe",
            "a1bcdYe",
            "abcde",
            expect![[r#"
            a1bcde
            X→ Stays at 1..2 1
            Y→ Applied at 5..6 Y"#]],
        );
        // Lines that were removed go back between their neighbours only.
        check(
            "ac",
            "a1c",
            "abc",
            expect![[r#"
            a1c
            →b Stays at 1..2 1"#]],
        );
        check(
            "ac",
            "c",
            "abc",
            expect![[r#"
            c
            →b Stays at 0..0 "#]],
        );
        check(
            "X",
            "X1",
            "",
            expect![[r#"
            1
            X→ Applied at 0..1 X"#]],
        );
        check(
            "X",
            "1",
            "",
            expect![[r#"
            1
            X→ Stays at 0..1 1"#]],
        );
        check(
            "aXb",
            "",
            "ab",
            expect![[r#"

                X→ Already at 0..0 "#]],
        );
    }

    #[test]
    fn a_hunk_that_is_gone_is_no_trouble() {
        check(
            "aXb",
            "ab",
            "ab",
            expect![[r#"
            ab
            X→ Already at 1..1 "#]],
        );
        check(
            "aXb",
            "aYb",
            "aYb",
            expect![[r#"
            aYb
            X→Y Already at 1..2 Y"#]],
        );
        check(
            "ac",
            "abc1",
            "abc",
            expect![[r#"
            abc1
            →b Already at 1..2 b"#]],
        );
    }

    #[test]
    fn repeated_lines_go_with_their_run() {
        // A function with a blank line behind it, and later another such one behind that.
        check(
            "p_fx_q",
            "p_fx_gx_q",
            "p_q",
            expect![[r#"
            p_gx_q
            fx_→ Applied at 2..5 fx_"#]],
        );
        check(
            "p_fx_q",
            "p_gx_fx_q",
            "p_q",
            expect![[r#"
            p_gx_q
            fx_→ Applied at 5..8 fx_"#]],
        );
        // Which of the two is the one that was added?
        check(
            "axb",
            "axxb",
            "ab",
            expect![[r#"
            axxb
            x→ Stays at 1..3 xx"#]],
        );
        check(
            "axxb",
            "axxb",
            "axb",
            expect![[r#"
            axb
            x→ Applied at 2..3 x"#]],
        );
    }

    fn check_texts(base: &str, ours: &str, theirs: &str, expect: Expect) {
        let merged = merge(base, ours, theirs);
        let fates: Vec<String> = merged.hunks.iter().map(|hunk| format!("{:?}", hunk.fate)).collect();
        expect.assert_eq(&format!("{:?}\n{}", merged.text, fates.join(" ")));
    }

    #[test]
    fn a_reformatted_hunk_is_taken_out() {
        check_texts(
            "a\nf( x,y )\nb\n",
            "a\nf(\n    x,\n    y)\nb\n",
            "a\nb\n",
            expect![[r#"
            "a\nb\n"
            Applied"#]],
        );
        check_texts(
            "a\nif x:\n  y\nb\n",
            "a\nif x:\n    y\nb\n",
            "a\nb\n",
            expect![[r#"
            "a\nb\n"
            Applied"#]],
        );
        // The line above was reformatted too, the blank line below is the hunk's.
        check_texts(
            "a {\nx;\n\nb {\n",
            "  a {\n  x;\n\n  b {\n",
            "a {\nb {\n",
            expect![[r#"
            "  a {\n  b {\n"
            Applied"#]],
        );
        // Joined with what stood there before: it begins with no line any more.
        check_texts(
            "a\nx\nb\n",
            "a x\nb\n",
            "a\nb\n",
            expect![[r#"
            "a x\nb\n"
            Stays"#]],
        );
        check_texts(
            "a\nx\nb\n",
            "a\nx y\nb\n",
            "a\nb\n",
            expect![[r#"
            "a\nx y\nb\n"
            Stays"#]],
        );
    }

    #[test]
    fn line_ends_stay_what_they_are_now() {
        check_texts(
            "a\nX\nb\n",
            "a\r\nX\r\nb\r\n",
            "a\nY\nZ\nb\n",
            expect![[r#"
            "a\r\nY\r\nZ\r\nb\r\n"
            Applied"#]],
        );
        check_texts(
            "a\nX\n",
            "a\nX",
            "a\nY\n",
            expect![[r#"
            "a\nY"
            Applied"#]],
        );
        check_texts(
            "a\nX\n",
            "a\nX",
            "a\n",
            expect![[r#"
            "a"
            Applied"#]],
        );
        check_texts(
            "a\nX\n",
            "a\nX",
            "a\nX\nY\n",
            expect![[r#"
            "a\nX\nY"
            Applied"#]],
        );
        check_texts(
            "a\nX",
            "a\nX",
            "a\nX\n",
            expect![[r#"
            "a\nX\n"
        "#]],
        );
        check_texts(
            "X\n",
            "X\r\n",
            "",
            expect![[r#"
            ""
            Applied"#]],
        );
    }

    /// Few different lines, so that many are alike; with and without a line end at the end.
    fn text() -> impl Strategy<Value = String> {
        (proptest::collection::vec("[a-d_]", 0..12), any::<bool>()).prop_map(|(lines, ends)| {
            let text = lines.iter().map(|line| line.replace('_', "")).collect::<Vec<_>>().join("\n");
            if ends && !lines.is_empty() { format!("{text}\n") } else { text }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn nothing_came_since(base in text(), theirs in text()) {
            prop_assert_eq!(merge(&base, &base, &theirs).text, theirs);
        }

        #[test]
        fn nothing_is_taken_back(base in text(), ours in text()) {
            let merged = merge(&base, &ours, &base);
            prop_assert_eq!(&merged.text, &ours);
            prop_assert_eq!(merged.hunks, []);
        }

        #[test]
        fn nothing_of_it_is_left(base in text(), theirs in text()) {
            let merged = merge(&base, &theirs, &theirs);
            // Where lines repeat, a hunk may not be known as gone; then it stays, and the text with it.
            prop_assert!(merged.text == theirs || merged.count(MergedFate::Applied) > 0);
        }

        /// Each line is its own; every second block is the change's, the others were changed since.
        #[test]
        fn changes_in_different_places_both_apply(blocks in proptest::collection::vec((0usize..3, 0usize..3, 0usize..3), 1..8)) {
            let (mut base, mut ours, mut theirs, mut both) = (String::new(), String::new(), String::new(), String::new());
            for (at, (old, new, context)) in blocks.iter().enumerate() {
                let block = |name: &str, count: usize| (0..count).map(|n| format!("{name} {at} {n}\n")).collect::<String>();
                let (was, is) = (block("old", *old), block("new", *new));
                let (left, right) = if at % 2 == 0 { (&was, &is) } else { (&is, &was) };
                base += &was;
                ours += left;
                theirs += right;
                both += &is;
                let between = block("context", context + 1);
                for text in [&mut base, &mut ours, &mut theirs, &mut both] {
                    *text += &between;
                }
            }
            let merged = merge(&base, &ours, &theirs);
            prop_assert_eq!(&merged.text, &both);
            prop_assert_eq!(merged.count(MergedFate::Stays), 0);
        }

        #[test]
        fn what_stays_is_not_touched(base in text(), ours in text(), theirs in text()) {
            let merged = merge(&base, &ours, &theirs);
            let ours_lines: Vec<&str> = lines(&ours).collect();
            let theirs_lines: Vec<&str> = lines(&theirs).collect();
            let mut expected: Vec<&str> = Vec::new();
            let mut next = 0;
            for hunk in merged.hunks.iter().filter(|hunk| hunk.fate == MergedFate::Applied) {
                expected.extend(slice(&ours_lines, &(next..hunk.ours.start)));
                expected.extend(slice(&theirs_lines, &hunk.theirs));
                next = hunk.ours.end;
            }
            expected.extend(slice(&ours_lines, &(next..count(&ours_lines))));
            prop_assert_eq!(lines(&merged.text).collect::<Vec<_>>(), expected);
        }

        #[test]
        fn splices_make_the_other_text(from in text(), to in text()) {
            let mut text = from.clone();
            for splice in splices(&from, &to).into_iter().rev() {
                text.replace_range(splice.range, &splice.text);
            }
            prop_assert_eq!(text, to);
        }
    }
}
