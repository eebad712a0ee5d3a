//! Unified diffs as logs hold them, and the numbers that stand for an edit.

use trace::{EditStub, Hunk};

/// The hunks of a diff of one file. Lines before the first `@@` are its header.
pub(crate) fn hunks(diff: &str) -> Vec<Hunk> {
    let mut hunks: Vec<Hunk> = Vec::new();
    for line in diff.split('\n') {
        if let Some((old_start, new_start)) = starts(line) {
            hunks.push(Hunk { old_start, new_start, lines: Vec::new() });
            continue;
        }
        let Some(hunk) = hunks.last_mut() else { continue };
        // `\ No newline at end of file` is no line; nor is what stands behind the last line end.
        if line.starts_with([' ', '+', '-']) {
            hunk.lines.push(line.into());
        }
    }
    hunks
}

/// The first lines of `@@ -1,2 +3,4 @@`.
fn starts(line: &str) -> Option<(u32, u32)> {
    let (ranges, _) = line.strip_prefix("@@ -")?.split_once(" @@")?;
    let (old, new) = ranges.split_once(" +")?;
    let start = |range: &str| -> Option<u32> { range.split_once(',').map_or(range, |(start, _)| start).parse().ok() };
    Some((start(old)?, start(new)?))
}

/// Sets lines added and removed and the first changed line, as the hunks tell them.
pub(crate) fn count(hunks: &[Hunk], stub: &mut EditStub) {
    for hunk in hunks {
        let mut number = hunk.new_start;
        for line in &hunk.lines {
            let is_context = line.starts_with(' ');
            if !is_context && stub.line == 0 {
                stub.line = number.max(1);
            }
            match line.as_bytes().first() {
                Some(b'+') => stub.added = stub.added.saturating_add(1),
                Some(b'-') => stub.removed = stub.removed.saturating_add(1),
                _ => {}
            }
            number = number.saturating_add(u32::from(is_context));
        }
    }
}

pub(crate) fn stub(path: Box<str>) -> EditStub {
    EditStub { path, added: 0, removed: 0, line: 0, created: false, deleted: false, moved_to: None }
}

pub(crate) fn no_change(path: Box<str>) -> trace::Change {
    trace::Change {
        path,
        before: None,
        after: None,
        replacements: Vec::new(),
        hunks: Vec::new(),
        created: false,
        deleted: false,
        user_modified: false,
        moved_to: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(diff: &str, expect: Expect) {
        let hunks = hunks(diff);
        let mut told = stub("f".into());
        count(&hunks, &mut told);
        let shown = hunks.iter().map(|hunk| format!("{},{} {:?}\n", hunk.old_start, hunk.new_start, hunk.lines));
        expect.assert_eq(&format!("{}+{} -{} at {}", shown.collect::<String>(), told.added, told.removed, told.line));
    }

    #[test]
    fn diffs() {
        check(
            "Index: a\n--- a\n+++ a\n@@ -3,3 +3,4 @@ fn a\n one\n-two\n+TWO\n+and\n three\n@@ -9 +10 @@\n-x\n+y\n",
            expect![[r#"
                3,3 [" one", "-two", "+TWO", "+and", " three"]
                9,10 ["-x", "+y"]
                +3 -2 at 4"#]],
        );
        check(
            "@@ -0,0 +1,2 @@\n+a\n+b\n\\ No newline at end of file\n",
            expect![[r#"
                0,1 ["+a", "+b"]
                +2 -0 at 1"#]],
        );
        check(
            "@@ -4,0 +5 @@\n+x\n",
            expect![[r#"
                4,5 ["+x"]
                +1 -0 at 5"#]],
        );
        check("no diff\n@@ nonsense\n+x", expect!["+0 -0 at 0"]);
    }
}
