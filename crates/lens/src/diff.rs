//! Differences of texts as hunks, where the log does not tell them.

use std::borrow::Cow;

use imara_diff::{Algorithm, Diff, InternedInput};
use trace::{Change, Hunk, Replacement};

use crate::rendered::Sign;

const CONTEXT: u32 = 3;

/// The hunks of a change: the log's own, else made from what it proves. Line numbers are 0 where nothing tells them.
pub fn hunks_of(change: &Change) -> Cow<'_, [Hunk]> {
    if !change.hunks.is_empty() {
        return Cow::Borrowed(&change.hunks);
    }
    let after = after_of(change);
    Cow::Owned(match (before_of(change), after) {
        (Some(before), Some(after)) => between(before, &after),
        _ => change.replacements.iter().filter_map(placeless).collect(),
    })
}

/// The text after a change, where it can be had.
pub fn after_of(change: &Change) -> Option<Cow<'_, str>> {
    if change.deleted {
        return Some(Cow::Borrowed(""));
    }
    if let Some(after) = &change.after {
        return Some(Cow::Borrowed(after));
    }
    let before = before_of(change)?;
    if !change.replacements.is_empty() {
        return change.replacements.iter().try_fold(Cow::Borrowed(before), replace);
    }
    (!change.hunks.is_empty()).then(|| apply(before, &change.hunks)).flatten().map(Cow::Owned)
}

/// The text before a change, where the log holds it.
pub(crate) fn before_of(change: &Change) -> Option<&str> {
    match &change.before {
        Some(before) => Some(before),
        None if change.created => Some(""),
        None => None,
    }
}

fn replace<'t>(text: Cow<'t, str>, replacement: &Replacement) -> Option<Cow<'t, str>> {
    let Replacement { old, new, all } = replacement;
    match () {
        () if old.is_empty() => text.is_empty().then(|| Cow::Owned(new.to_string())),
        () if !text.contains(&**old) => None,
        () if *all => Some(Cow::Owned(text.replace(&**old, new))),
        () => Some(Cow::Owned(text.replacen(&**old, new, 1))),
    }
}

/// The text after the hunks, where their old lines are the text's.
fn apply(before: &str, hunks: &[Hunk]) -> Option<String> {
    let lines: Vec<&str> = before.split_inclusive('\n').collect();
    let mut after = String::with_capacity(before.len());
    let mut next = 0;
    for hunk in hunks {
        let old: Vec<&str> = hunk.old_lines().collect();
        // A hunk without old lines names the line behind which it stands.
        let start = (hunk.old_start as usize).saturating_sub(usize::from(!old.is_empty()));
        after.extend(lines.get(next..start)?.iter().copied());
        let end = start.checked_add(old.len())?;
        let there = lines.get(start..end)?;
        if !there.iter().zip(&old).all(|(line, old)| line.trim_end_matches(['\n', '\r']) == old.trim_end_matches('\r'))
        {
            return None;
        }
        for line in hunk.new_lines() {
            after.push_str(line);
            after.push('\n');
        }
        next = end;
    }
    after.extend(lines.get(next..)?.iter().copied());
    Some(after)
}

/// A replacement of which nothing tells where it is.
fn placeless(replacement: &Replacement) -> Option<Hunk> {
    let mut hunks = hunks_between(replacement.old.lines(), replacement.new.lines(), u32::MAX);
    let hunk = (!hunks.is_empty()).then(|| hunks.swap_remove(0))?;
    Some(Hunk { old_start: 0, new_start: 0, lines: hunk.lines })
}

/// The difference of two texts, three lines around each change. Line ends are not part of a line.
pub fn between(before: &str, after: &str) -> Vec<Hunk> {
    hunks_between(before.lines(), after.lines(), CONTEXT)
}

/// As [`between`], with line ends as part of a line, and `\ No newline at end of file` where it applies.
pub(crate) fn between_exact(before: &str, after: &str) -> Vec<Hunk> {
    let mut hunks = hunks_between(before.split_inclusive('\n'), after.split_inclusive('\n'), CONTEXT);
    for hunk in &mut hunks {
        let lines = std::mem::take(&mut hunk.lines);
        for line in lines {
            match line.strip_suffix('\n') {
                Some(line) => hunk.lines.push(line.into()),
                None => hunk.lines.extend([line, NO_NEWLINE.into()]),
            }
        }
    }
    hunks
}

const NO_NEWLINE: &str = "\\ No newline at end of file";

fn hunks_between<'t>(
    before: impl Iterator<Item = &'t str>,
    after: impl Iterator<Item = &'t str>,
    context: u32,
) -> Vec<Hunk> {
    let mut input: InternedInput<&str> = InternedInput::default();
    input.update_before(before);
    input.update_after(after);
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
    let lines_of = |tokens: &[imara_diff::Token], sign: char, into: &mut Vec<Box<str>>| {
        into.extend(tokens.iter().map(|token| format!("{sign}{}", input.interner[*token]).into_boxed_str()));
    };
    let old_count = u32::try_from(input.before.len()).unwrap_or(u32::MAX);
    let mut hunks: Vec<Hunk> = Vec::new();
    // The old line up to which the last hunk is written.
    let mut written = 0_u32;
    for change in diff.hunks() {
        let from = change.before.start.saturating_sub(context);
        match hunks.last_mut() {
            Some(hunk) if from <= written.saturating_add(context) => {
                lines_of(slice(&input.before, written, change.before.start), ' ', &mut hunk.lines);
            }
            last => {
                if let Some(hunk) = last {
                    lines_of(slice(&input.before, written, written.saturating_add(context)), ' ', &mut hunk.lines);
                }
                let shown = change.before.start - from;
                let mut hunk =
                    Hunk { old_start: from + 1, new_start: change.after.start - shown + 1, lines: Vec::new() };
                lines_of(slice(&input.before, from, change.before.start), ' ', &mut hunk.lines);
                hunks.push(hunk);
            }
        }
        if let Some(hunk) = hunks.last_mut() {
            lines_of(slice(&input.before, change.before.start, change.before.end), '-', &mut hunk.lines);
            lines_of(slice(&input.after, change.after.start, change.after.end), '+', &mut hunk.lines);
        }
        written = change.before.end;
    }
    if let Some(hunk) = hunks.last_mut() {
        lines_of(slice(&input.before, written, old_count.min(written.saturating_add(context))), ' ', &mut hunk.lines);
    }
    for hunk in &mut hunks {
        // A side without lines names the line before it.
        let (no_old, no_new) = (hunk.old_lines().next().is_none(), hunk.new_lines().next().is_none());
        hunk.old_start -= u32::from(no_old);
        hunk.new_start -= u32::from(no_new);
    }
    hunks
}

fn slice<T>(all: &[T], from: u32, to: u32) -> &[T] {
    let to = (to as usize).min(all.len());
    all.get(from as usize..to).unwrap_or(&[])
}

/// `@@ -38,5 +38,16 @@`
pub(crate) fn header(hunk: &Hunk) -> String {
    if is_placeless(hunk) {
        return "@@ place not recorded @@".into();
    }
    let (old, new) = (hunk.old_lines().count(), hunk.new_lines().count());
    format!("@@ -{},{old} +{},{new} @@", hunk.old_start, hunk.new_start)
}

fn is_placeless(hunk: &Hunk) -> bool {
    hunk.old_start == 0 && hunk.new_start == 0
}

/// A hunk's line with the lines at which it stands before and after, from 1; 0 where not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DiffLine<'h> {
    /// With its sign.
    pub(crate) text: &'h str,
    pub(crate) sign: Sign,
    pub(crate) old: u32,
    pub(crate) new: u32,
}

pub(crate) fn numbered(hunk: &Hunk) -> impl Iterator<Item = DiffLine<'_>> {
    let placeless = is_placeless(hunk);
    let (mut old, mut new) = (hunk.old_start.max(1), hunk.new_start.max(1));
    hunk.lines.iter().map(move |text| {
        let sign = match text.as_bytes().first() {
            Some(b'-') => Sign::Removed,
            Some(b'+') => Sign::Added,
            _ => Sign::Context,
        };
        let line = DiffLine { text, sign, old: if placeless { 0 } else { old }, new: if placeless { 0 } else { new } };
        // `\ No newline at end of file` is no line.
        if !text.starts_with('\\') {
            old = old.saturating_add(u32::from(sign != Sign::Added));
            new = new.saturating_add(u32::from(sign != Sign::Removed));
        }
        line
    })
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    fn show(hunks: &[Hunk]) -> String {
        hunks.iter().fold(String::new(), |text, hunk| {
            let lines: String = hunk.lines.iter().map(|line| format!("{line}\n")).collect();
            format!("{text}{}\n{lines}", header(hunk))
        })
    }

    fn check(before: &str, after: &str, expect: Expect) {
        let lines = |text: &str| text.split_whitespace().map(|line| format!("{line}\n")).collect::<String>();
        expect.assert_eq(&show(&between(&lines(before), &lines(after))));
    }

    #[test]
    fn differences() {
        check("a b c", "a b c", expect![""]);
        check(
            "a b c",
            "a x c",
            expect![[r#"
            @@ -1,3 +1,3 @@
             a
            -b
            +x
             c
        "#]],
        );
        check(
            "",
            "a b",
            expect![[r#"
            @@ -0,0 +1,2 @@
            +a
            +b
        "#]],
        );
        check(
            "a b",
            "",
            expect![[r#"
            @@ -1,2 +0,0 @@
            -a
            -b
        "#]],
        );
        check(
            "1 2 3 4 5 6 7 8 9",
            "1 2 3 4 x 5 6 7 8 9",
            expect![[r#"
            @@ -2,6 +2,7 @@
             2
             3
             4
            +x
             5
             6
             7
        "#]],
        );
        check(
            "1 2 3 4 5 6 7 8 9 10 11 12",
            "0 1 2 3 4 5 6 7 8 9 10 11 12 13",
            expect![[r#"
            @@ -1,3 +1,4 @@
            +0
             1
             2
             3
            @@ -10,3 +11,4 @@
             10
             11
             12
            +13
        "#]],
        );
        check(
            "1 2 3 4 5 6 7",
            "0 1 2 3 4 5 6 7 8",
            expect![[r#"
            @@ -1,3 +1,4 @@
            +0
             1
             2
             3
            @@ -5,3 +6,4 @@
             5
             6
             7
            +8
        "#]],
        );
    }

    #[test]
    fn changes_told_in_part() {
        let change = |before: Option<&str>, replacements: &[(&str, &str)]| Change {
            path: "a".into(),
            before: before.map(Into::into),
            after: None,
            replacements: replacements
                .iter()
                .map(|(old, new)| Replacement { old: (*old).into(), new: (*new).into(), all: false })
                .collect(),
            hunks: Vec::new(),
            created: false,
            deleted: false,
            user_modified: false,
            moved_to: None,
        };
        expect![[r#"
            @@ -1,3 +1,2 @@
             a
            -b
            -c
            +y
        "#]]
        .assert_eq(&show(&hunks_of(&change(Some("a\nb\nc\n"), &[("b", "x"), ("x\nc", "y")]))));
        expect![[r#"
            @@ place not recorded @@
             a
            -b
            +c
        "#]]
        .assert_eq(&show(&hunks_of(&change(None, &[("a\nb", "a\nc")]))));
        assert_eq!(after_of(&change(Some("a"), &[("b", "c")])), None);
        let deleted = Change { deleted: true, ..change(Some("a\n"), &[]) };
        expect![[r#"
            @@ -1,1 +0,0 @@
            -a
        "#]]
        .assert_eq(&show(&hunks_of(&deleted)));
    }

    proptest! {
        #[test]
        fn hunks_lead_from_one_text_to_the_other(before in "([abc]\n){0,30}", after in "([abc]\n){0,30}") {
            let hunks = between(&before, &after);
            prop_assert_eq!(apply(&before, &hunks), Some(after.clone()));
            let after_lines: Vec<&str> = after.lines().collect();
            for line in hunks.iter().flat_map(numbered).filter(|line| line.sign == Sign::Added) {
                prop_assert_eq!(after_lines[line.new as usize - 1], &line.text[1..]);
            }
        }
    }
}
