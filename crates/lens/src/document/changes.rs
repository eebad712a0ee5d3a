//! The changes of a turn or a step as one unified diff over all its files.

use trace::{Change, Hunk, StepAt, Timestamp};

use super::page::{Page, Row};
use super::steps::{change_of, step_ref};
use super::{Source, turn};
use crate::diff;
use crate::rendered::{FoldKind, Part, Rendered, Sign, StepRef, Symbol, SymbolKind, TokenKind};
use crate::text::{clean, count};
use crate::view::View;

/// One file of a diff.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileDiff {
    /// As the edits name it.
    pub path: Box<str>,
    pub created: bool,
    pub deleted: bool,
    pub hunks: Vec<Hunk>,
    /// Of each line of the hunks, one after the other: the step that wrote or took it away, the number of its edit,
    /// and the line there (after the step, for a removed line before it). `None`: context, or not known.
    pub steps: Vec<Option<(StepRef, u32, u32)>>,
}

/// The document of a turn's or step's changes, from before its first edit to after its last, one diff a file.
/// `None`: there is no such turn or step.
pub fn turn_changes(source: &Source<'_>, number: u32, steps: &[u32]) -> Option<Rendered> {
    let turn = source.session.path.turn(number)?;
    let mut at: Vec<StepAt<'_>> = Vec::new();
    let title = match steps {
        [] => {
            source.session.steps_of(turn, &mut at);
            turn::name(turn)
        }
        _ => {
            at.push(source.session.step(number, steps)?);
            format!("Step {}", StepRef { turn: number, steps: steps.to_vec() }.label())
        }
    };
    Some(changes(&source.view, &title, &file_diffs(source, &at)))
}

/// What a commit says of itself.
#[derive(Clone, Copy, Debug)]
pub struct CommitText<'a> {
    /// Its whole id in hex.
    pub id: &'a str,
    pub author: &'a str,
    pub at: Timestamp,
    /// The whole message.
    pub message: &'a str,
    /// How many files it changed that are not in the diff.
    pub left_out: usize,
}

/// A commit as a document: what it says, then its changes as `git apply` takes them.
pub fn commit(view: &View<'_>, commit: &CommitText<'_>, files: &[FileDiff]) -> Rendered {
    let mut page = Page::default();
    let subject = commit.message.trim_start().lines().next().unwrap_or_default();
    let short = commit.id.get(..7).unwrap_or(commit.id);
    page.push(Row::of(&clean(&format!("Commit {short} · {subject}"))).token(TokenKind::Heading));
    let when = format!("{} {}", view.date(commit.at), view.clock(commit.at));
    page.push_block(Row::of(&clean(&format!("{} · {when} {}", commit.author, view.offset(commit.at)))));
    page.push(Row::of(commit.id));
    let body = commit.message.trim().split_once('\n').map_or("", |(_, body)| body.trim());
    for (at, line) in body.lines().enumerate() {
        let row = Row::of(&clean(&format!("    {line}"))).token(TokenKind::Comment);
        match at {
            0 => page.push_block(row),
            _ => page.push(row),
        };
    }
    if commit.left_out > 0 {
        page.push_block(Row::of(&format!("{} not shown.", count(commit.left_out as u64, "file"))));
    }
    write_files(view, page, files)
}

/// A diff as a document: its title, then what `git apply` takes.
pub fn changes(view: &View<'_>, title: &str, files: &[FileDiff]) -> Rendered {
    let mut page = Page::default();
    page.push(Row::of(title).token(TokenKind::Heading));
    write_files(view, page, files)
}

fn write_files(view: &View<'_>, mut page: Page, files: &[FileDiff]) -> Rendered {
    if files.is_empty() {
        page.push_block(Row::of("No edits."));
    }
    for file in files {
        write_file(view, &mut page, file);
    }
    page.finish()
}

/// The same as plain text, for a terminal or a patch file: nothing is cleaned, and there is no title.
pub fn unified_diff(view: &View<'_>, files: &[FileDiff]) -> String {
    let mut text = String::new();
    for file in files {
        let lines = file.hunks.iter().flat_map(|hunk| {
            std::iter::once(diff::header(hunk)).chain(hunk.lines.iter().map(|line| line.clone().into_string()))
        });
        for line in file_header(view, file).into_iter().chain(lines) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

/// The net differences of these steps, one a file, in the order in which the files were first touched.
pub fn file_diffs(source: &Source<'_>, steps: &[StepAt<'_>]) -> Vec<FileDiff> {
    let mut files: Vec<(Box<str>, Vec<Edit>)> = Vec::new();
    let mut places: std::collections::HashMap<Box<str>, usize> = std::collections::HashMap::new();
    for at in steps.iter().filter(|at| !at.step.edits().is_empty()) {
        let Some(content) = source.changes_of(at) else { continue };
        for (index, stub) in at.step.edits().iter().enumerate() {
            let Some(change) = change_of(&content, index, stub) else { continue };
            let edit = Edit { step: step_ref(at), index: number(index), change: change.clone() };
            let place = *places.entry(stub.path.clone()).or_insert_with(|| {
                files.push((stub.path.clone(), Vec::new()));
                files.len() - 1
            });
            if let Some((_, edits)) = files.get_mut(place) {
                edits.push(edit);
            }
        }
    }
    files
        .into_iter()
        .flat_map(|(path, edits)| net(&path, &edits).unwrap_or_else(|| one_by_one(&path, &edits)))
        .collect()
}

struct Edit {
    step: StepRef,
    /// Its number among the step's edits, from 0.
    index: u32,
    change: Change,
}

impl Edit {
    fn names(&self, line: u32) -> Option<(StepRef, u32, u32)> {
        (line > 0).then(|| (self.step.clone(), self.index, line))
    }
}

/// The edits one after the other: the log does not hold the texts from which the net difference could be had.
fn one_by_one(path: &str, edits: &[Edit]) -> Vec<FileDiff> {
    let file = |edit: &Edit| {
        let hunks = diff::hunks_of(&edit.change).into_owned();
        let steps = hunks.iter().flat_map(diff::numbered).map(|line| match line.sign {
            Sign::Context => None,
            Sign::Removed => edit.names(line.old),
            Sign::Added => edit.names(line.new),
        });
        let steps = steps.collect();
        let Change { created, deleted, .. } = edit.change;
        FileDiff { path: path.into(), created, deleted, hunks, steps }
    };
    edits.iter().map(file).filter(|file| !file.hunks.is_empty()).collect()
}

/// Where a line of the text after some edits comes from.
#[derive(Clone)]
enum From {
    /// The text before the first edit, at this line.
    Before(u32),
    Step(Option<(StepRef, u32, u32)>),
}

/// The difference between the text before the first edit and after the last. `None`: a text is not known.
fn net(path: &str, edits: &[Edit]) -> Option<Vec<FileDiff>> {
    let (first, last) = (edits.first()?, edits.last()?);
    let before = diff::before_of(&first.change)?.to_owned();
    let mut text = before.clone();
    let mut origins: Vec<From> = (1..=number(before.lines().count())).map(From::Before).collect();
    let mut removed: std::collections::HashMap<u32, (StepRef, u32, u32)> = std::collections::HashMap::new();
    for edit in edits {
        let found = diff::before_of(&edit.change).unwrap_or(&text).to_owned();
        if found != text {
            // Somebody else changed it between two edits of the turn.
            origins = carry(origins, &diff::between(&text, &found), None, &mut removed);
        }
        let change = Change { before: Some(found.as_str().into()), ..edit.change.clone() };
        text = diff::after_of(&change)?.into_owned();
        origins = carry(origins, &diff::between(&found, &text), Some(edit), &mut removed);
    }
    let hunks = diff::between_exact(&before, &text);
    if hunks.is_empty() {
        return Some(Vec::new());
    }
    let steps = hunks.iter().flat_map(diff::numbered).map(|line| match line.sign {
        Sign::Context => None,
        Sign::Removed => removed.get(&line.old).cloned(),
        Sign::Added => match origins.get((line.new as usize).saturating_sub(1)) {
            Some(From::Step(step)) => step.clone(),
            _ => None,
        },
    });
    let steps = steps.collect();
    let (created, deleted) = (first.change.created, last.change.deleted);
    if created && deleted {
        return Some(Vec::new());
    }
    Some(vec![FileDiff { path: path.into(), created, deleted, hunks, steps }])
}

fn carry(
    origins: Vec<From>,
    hunks: &[Hunk],
    edit: Option<&Edit>,
    removed: &mut std::collections::HashMap<u32, (StepRef, u32, u32)>,
) -> Vec<From> {
    let mut carried = Vec::with_capacity(origins.len());
    let mut next = 0;
    for line in hunks.iter().flat_map(diff::numbered) {
        let old = (line.old as usize).saturating_sub(1);
        match line.sign {
            Sign::Added => {
                let until = (line.new as usize).saturating_sub(1);
                let missing = until.saturating_sub(carried.len());
                carried.extend(origins.iter().skip(next).take(missing).cloned());
                next += missing;
                carried.push(From::Step(edit.and_then(|edit| edit.names(line.new))));
            }
            Sign::Removed | Sign::Context => {
                carried.extend(origins.iter().take(old).skip(next).cloned());
                next = old + 1;
                match (line.sign, origins.get(old)) {
                    (Sign::Removed, Some(From::Before(before))) => {
                        if let Some(name) = edit.and_then(|edit| edit.names(line.old)) {
                            removed.insert(*before, name);
                        }
                    }
                    (Sign::Context, Some(origin)) => carried.push(origin.clone()),
                    _ => {}
                }
            }
        }
    }
    carried.extend(origins.into_iter().skip(next));
    carried
}

fn write_file(view: &View<'_>, page: &mut Page, file: &FileDiff) {
    page.blank();
    let start = page.line();
    for line in file_header(view, file) {
        page.push(Row::of(&line).token(TokenKind::Heading));
    }
    let mut steps = file.steps.iter();
    for hunk in &file.hunks {
        let hunk_line = page.push(Row::of(&diff::header(hunk)).token(TokenKind::Hunk));
        for line in diff::numbered(hunk) {
            let row = match line.sign {
                Sign::Added => Row::of(line.text).token(TokenKind::Inserted),
                Sign::Removed => Row::of(line.text).token(TokenKind::Deleted),
                Sign::Context => Row::of(line.text),
            };
            let at = page.push(row);
            if let Some(Some((step, edit, number))) = steps.next() {
                let (old, new) = if line.sign == Sign::Added { (0, *number) } else { (*number, 0) };
                page.anchor(at, step, Part::Diff { edit: *edit, sign: line.sign, old, new });
            }
        }
        page.fold(hunk_line, FoldKind::Region);
    }
    page.fold(start, FoldKind::Section);
    let (name, detail) = (clean(&view.path(&file.path)).into_owned(), String::new());
    let end = page.line().saturating_sub(1);
    page.symbol(Symbol { name, detail, kind: SymbolKind::Edit, line: start, end, children: Vec::new() });
}

fn file_header(view: &View<'_>, file: &FileDiff) -> Vec<String> {
    let path = view.path(&file.path);
    let path = path.trim_start_matches('/');
    let mut lines = vec![format!("diff --git a/{path} b/{path}")];
    if file.created {
        lines.push("new file mode 100644".into());
    }
    if file.deleted {
        lines.push("deleted file mode 100644".into());
    }
    let side = |missing: bool, sign: char| if missing { "/dev/null".into() } else { format!("{sign}/{path}") };
    lines.push(format!("--- {}", side(file.created, 'a')));
    lines.push(format!("+++ {}", side(file.deleted, 'b')));
    lines
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::fixture::{Fixture, RETRY};
    use crate::navigate::spot;

    /// The document with the step of each line behind it.
    fn show(rendered: &Rendered) -> String {
        let line = |(number, text): (u32, &str)| match spot(rendered, number) {
            Some(anchor) => format!("{text}    <{} {:?}>\n", anchor.step.label(), anchor.part),
            None => format!("{text}\n"),
        };
        (0..).zip(rendered.text.lines()).map(line).collect()
    }

    fn check(text: &str, turn: u32, steps: &[u32], expect: Expect) {
        let fixture = Fixture::of(text);
        let rendered = turn_changes(&fixture.source(), turn, steps).expect("a turn");
        expect.assert_eq(&show(&rendered));
    }

    #[test]
    fn of_the_mock_up() {
        check(
            RETRY,
            2,
            &[],
            expect![[r#"
            Turn 2 · Add retry to the loader → yes

            diff --git a/src/retry.rs b/src/retry.rs
            new file mode 100644
            --- /dev/null
            +++ b/src/retry.rs
            @@ -0,0 +1,14 @@
            +use std::{thread::sleep, time::Duration};    <2.2 Diff { edit: 0, sign: Added, old: 0, new: 1 }>
            +    <2.2 Diff { edit: 0, sign: Added, old: 0, new: 2 }>
            +use crate::http::Error;    <2.2 Diff { edit: 0, sign: Added, old: 0, new: 3 }>
            +    <2.2 Diff { edit: 0, sign: Added, old: 0, new: 4 }>
            +/// Calls `f` up to `times` times, waiting twice as long after each failure.    <2.2 Diff { edit: 0, sign: Added, old: 0, new: 5 }>
            +pub fn retry<T>(times: u32, first: Duration, mut f: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {    <2.2 Diff { edit: 0, sign: Added, old: 0, new: 6 }>
            +    let mut wait = first;    <2.2 Diff { edit: 0, sign: Added, old: 0, new: 7 }>
            +    for _ in 1..times {    <2.2 Diff { edit: 0, sign: Added, old: 0, new: 8 }>
            +        match f() {    <2.2 Diff { edit: 0, sign: Added, old: 0, new: 9 }>
            +            Err(e) if e.is_transient() => sleep(std::mem::replace(&mut wait, wait * 2)),    <2.2 Diff { edit: 0, sign: Added, old: 0, new: 10 }>
            +            other => return other,    <2.2 Diff { edit: 0, sign: Added, old: 0, new: 11 }>
            +        }    <2.2 Diff { edit: 0, sign: Added, old: 0, new: 12 }>
            +    }    <2.2 Diff { edit: 0, sign: Added, old: 0, new: 13 }>
            +    f() }    <2.2 Diff { edit: 0, sign: Added, old: 0, new: 14 }>

            diff --git a/src/uploader.rs b/src/uploader.rs
            --- a/src/uploader.rs
            +++ b/src/uploader.rs
            @@ -21,3 +21,5 @@
                 let client = Client::new();
            -    client.put(url, body)?;    <2.3 Diff { edit: 0, sign: Removed, old: 22, new: 0 }>
            +    retry(3, Duration::from_millis(200), || {    <2.3 Diff { edit: 0, sign: Added, old: 0, new: 22 }>
            +        client.put(url, body.clone())    <2.3 Diff { edit: 0, sign: Added, old: 0, new: 23 }>
            +    })?;    <2.3 Diff { edit: 0, sign: Added, old: 0, new: 24 }>
                 Ok(())

            diff --git a/tests/retry.rs b/tests/retry.rs
            new file mode 100644
            --- /dev/null
            +++ b/tests/retry.rs
            @@ -0,0 +1,24 @@
            +use fetchd::retry::retry;    <2.4.3 Diff { edit: 0, sign: Added, old: 0, new: 1 }>
            +    <2.4.3 Diff { edit: 0, sign: Added, old: 0, new: 2 }>
            +#[test]    <2.4.3 Diff { edit: 0, sign: Added, old: 0, new: 3 }>
            +fn first_try() {    <2.4.3 Diff { edit: 0, sign: Added, old: 0, new: 4 }>
            +    assert_eq!(calls(1), 1);    <2.4.3 Diff { edit: 0, sign: Added, old: 0, new: 5 }>
            +}    <2.4.3 Diff { edit: 0, sign: Added, old: 0, new: 6 }>
            +    <2.4.3 Diff { edit: 0, sign: Added, old: 0, new: 7 }>
            +#[test]    <2.4.3 Diff { edit: 0, sign: Added, old: 0, new: 8 }>
            +fn third_try() {    <2.4.3 Diff { edit: 0, sign: Added, old: 0, new: 9 }>
            +    assert_eq!(calls(3), 3);    <2.4.3 Diff { edit: 0, sign: Added, old: 0, new: 10 }>
            +}    <2.4.3 Diff { edit: 0, sign: Added, old: 0, new: 11 }>
            +    <2.4.3 Diff { edit: 0, sign: Added, old: 0, new: 12 }>
            +#[test]    <2.4.3 Diff { edit: 0, sign: Added, old: 0, new: 13 }>
            +fn never_more_than_three() {    <2.4.3 Diff { edit: 0, sign: Added, old: 0, new: 14 }>
            +    assert_eq!(calls(9), 3);    <2.4.3 Diff { edit: 0, sign: Added, old: 0, new: 15 }>
            +}    <2.4.3 Diff { edit: 0, sign: Added, old: 0, new: 16 }>
            +    <2.4.3 Diff { edit: 0, sign: Added, old: 0, new: 17 }>
            +#[test]    <2.4.3 Diff { edit: 0, sign: Added, old: 0, new: 18 }>
            +fn no_wait_before_the_first() {    <2.4.3 Diff { edit: 0, sign: Added, old: 0, new: 19 }>
            +    assert_eq!(waited(1), 0);    <2.4.3 Diff { edit: 0, sign: Added, old: 0, new: 20 }>
            +}    <2.4.3 Diff { edit: 0, sign: Added, old: 0, new: 21 }>
            +    <2.4.3 Diff { edit: 0, sign: Added, old: 0, new: 22 }>
            +mod counting;    <2.4.3 Diff { edit: 0, sign: Added, old: 0, new: 23 }>
            +use counting::{calls, waited};    <2.4.3 Diff { edit: 0, sign: Added, old: 0, new: 24 }>
        "#]],
        );
        check(
            RETRY,
            1,
            &[12],
            expect![[r#"
            Step 1.12

            diff --git a/src/loader.rs b/src/loader.rs
            --- a/src/loader.rs
            +++ b/src/loader.rs
            @@ -3,2 +3,3 @@
             use crate::http::Client;
             use url::Url;
            +use std::{thread::sleep, time::Duration};    <1.12 Diff { edit: 0, sign: Added, old: 0, new: 5 }>
        "#]],
        );
        check(
            RETRY,
            3,
            &[],
            expect![[r#"
            Turn 3 · format and commit

            No edits.
        "#]],
        );
    }

    const TWICE: &str = "\
14:02 turn Change it twice
14:03 edit src/a.rs
| --- before
| 1
| 2
| 3
| --- after
| 1
| two
| 3
14:04 edit src/a.rs
| --- before
| 1
| two
| 3
| --- after
| 0
| 1
| two!
| 3
14:05 new src/b.rs
| b
14:06 delete src/b.rs
| b
";

    #[test]
    fn net_of_two_edits() {
        check(
            TWICE,
            1,
            &[],
            expect![[r#"
            Turn 1 · Change it twice

            diff --git a/src/a.rs b/src/a.rs
            --- a/src/a.rs
            +++ b/src/a.rs
            @@ -1,3 +1,4 @@
            +0    <1.2 Diff { edit: 0, sign: Added, old: 0, new: 1 }>
             1
            -2    <1.1 Diff { edit: 0, sign: Removed, old: 2, new: 0 }>
            +two!    <1.2 Diff { edit: 0, sign: Added, old: 0, new: 3 }>
             3
        "#]],
        );
    }

    #[test]
    fn edits_of_which_texts_are_not_known_follow_each_other() {
        let edit = |line: u32| format!("14:03 edit src/a.rs\n| @@ -{line},1 +{line},1 @@\n| -a\n| +b\n");
        check(
            &format!("14:02 turn Change it\n{}{}", edit(3), edit(9)),
            1,
            &[],
            expect![[r#"
            Turn 1 · Change it

            diff --git a/src/a.rs b/src/a.rs
            --- a/src/a.rs
            +++ b/src/a.rs
            @@ -3,1 +3,1 @@
            -a    <1.1 Diff { edit: 0, sign: Removed, old: 3, new: 0 }>
            +b    <1.1 Diff { edit: 0, sign: Added, old: 0, new: 3 }>

            diff --git a/src/a.rs b/src/a.rs
            --- a/src/a.rs
            +++ b/src/a.rs
            @@ -9,1 +9,1 @@
            -a    <1.2 Diff { edit: 0, sign: Removed, old: 9, new: 0 }>
            +b    <1.2 Diff { edit: 0, sign: Added, old: 0, new: 9 }>
        "#]],
        );
    }

    #[test]
    fn as_a_patch() {
        let fixture = Fixture::of(TWICE);
        let turn = fixture.session.path.turns.first().expect("a turn");
        let mut steps = Vec::new();
        fixture.session.steps_of(turn, &mut steps);
        let files = file_diffs(&fixture.source(), &steps);
        expect![[r#"
            diff --git a/src/a.rs b/src/a.rs
            --- a/src/a.rs
            +++ b/src/a.rs
            @@ -1,3 +1,4 @@
            +0
             1
            -2
            +two!
             3
        "#]]
        .assert_eq(&unified_diff(&fixture.source().view, &files));
    }
}
