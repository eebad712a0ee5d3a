//! How lines of a file came to be.

use trace::{Hunk, Timestamp};

use super::page::{Page, Row};
use crate::diff;
use crate::now::Writer;
use crate::rendered::{FoldKind, LinkTarget, Part, Rendered, Sign, StepRef, Symbol, SymbolKind, TokenKind};
use crate::text::{clean, fence, one_line, short_id};
use crate::view::View;

/// What is known of some lines, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct LineHistory {
    pub path: Box<str>,
    /// From 1, the last included.
    pub from: u32,
    pub to: u32,
    pub entries: Vec<HistoryEntry>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum HistoryEntry {
    /// A step changed them. The hunks are those of its diff that touch the lines.
    Step {
        writer: Writer,
        step: StepRef,
        hunks: Vec<Hunk>,
    },
    /// Somebody changed them of whom no log tells, before that step (`9.2`; `None`: since all of them).
    Nobody {
        before: Option<Box<str>>,
    },
    Commit {
        hash: Box<str>,
        author: Box<str>,
        at: Option<Timestamp>,
        folder: Option<Box<str>>,
    },
}

impl HistoryEntry {
    /// One line for a pick: `12.7 Claude · 14:32 · Add retry to the loader`.
    pub fn label(&self, view: &View<'_>) -> String {
        let when = |at: &Option<Timestamp>| at.map(|at| view.when(at)).unwrap_or_default();
        let row = match self {
            HistoryEntry::Step { writer, .. } => {
                let head = format!("{} {}", writer.step, writer.agent);
                return join(&[&head, &when(&writer.at), &one_line(&writer.title)]);
            }
            HistoryEntry::Nobody { before: Some(step) } => format!("edited by nobody known · before {step}"),
            HistoryEntry::Nobody { before: None } => "edited by nobody known".into(),
            HistoryEntry::Commit { hash, author, at, .. } => {
                join(&[&format!("commit {hash}"), &one_line(author), &when(at)])
            }
        };
        clean(&row).into_owned()
    }
}

fn join(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<&str>>().join(" · ")
}

pub fn line_history(history: &LineHistory, view: &View<'_>) -> Rendered {
    let mut page = Page::default();
    let path = clean(&view.path(&history.path)).into_owned();
    let lines = if history.from == history.to {
        format!("{path}:{}", history.from)
    } else {
        format!("{path}:{}-{}", history.from, history.to)
    };
    page.push(Row::of("# ").and(&lines).dot("line history").token(TokenKind::Heading));
    if history.entries.is_empty() {
        page.push_block(Row::of("Nothing is known of it."));
    }
    for entry in &history.entries {
        match entry {
            HistoryEntry::Step { writer, step, hunks } => write_step(&mut page, view, entry, writer, step, hunks),
            HistoryEntry::Nobody { .. } => {
                page.push_list_row(Row::of("- ").and(&entry.label(view)));
            }
            HistoryEntry::Commit { hash, folder, .. } => {
                let label = entry.label(view);
                let name = format!("commit {hash}");
                let rest = label.strip_prefix(&*name).unwrap_or_default().to_owned();
                let target = LinkTarget::Commit { hash: hash.clone(), folder: folder.clone() };
                page.push_list_row(Row::of("- ").link(&name, target).and(&rest));
            }
        }
    }
    page.finish()
}

fn write_step(page: &mut Page, view: &View<'_>, entry: &HistoryEntry, writer: &Writer, step: &StepRef, hunks: &[Hunk]) {
    let label = entry.label(view);
    let rest = label.strip_prefix(&*writer.step).unwrap_or_default().to_owned();
    let target = LinkTarget::Session { session: writer.session.clone(), step: Some(step.clone()) };
    let row = Row::of("## ").link(&writer.step, target).and(&rest).dot(short_id(&writer.session));
    let start = page.push_block(row.token(TokenKind::Heading));
    page.anchor_of(Some(&writer.session), start, step, Part::Head);
    if !hunks.is_empty() {
        let marks = fence(hunks.iter().flat_map(|hunk| &hunk.lines).map(|line| &**line));
        let fence_line = page.push_block(Row::of(&format!("{marks}diff")));
        for hunk in hunks {
            page.push(Row::of(&diff::header(hunk)).token(TokenKind::Hunk));
            for line in diff::numbered(hunk) {
                let row = match line.sign {
                    Sign::Added => Row::of(line.text).token(TokenKind::Inserted),
                    Sign::Removed => Row::of(line.text).token(TokenKind::Deleted),
                    Sign::Context => Row::of(line.text),
                };
                let at = page.push(row);
                let part = Part::Diff { edit: 0, sign: line.sign, old: line.old, new: line.new };
                page.anchor_of(Some(&writer.session), at, step, part);
            }
        }
        page.push(Row::of(&marks));
        page.fold(fence_line, FoldKind::Region);
    }
    page.fold(start, FoldKind::Section);
    let end = page.line().saturating_sub(1);
    let (name, detail) = (label, String::new());
    page.symbol(Symbol { name, detail, kind: SymbolKind::Edit, line: start, end, children: Vec::new() });
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::fixture::{ROOT, at, view};

    #[test]
    fn of_some_lines() {
        let writer = Writer {
            agent: "Claude".into(),
            session: "9f3c1a2b-7d14".into(),
            turn: 12,
            step: "12.7".into(),
            title: "Add retry to the loader".into(),
            at: Some(at("2026-11-20 14:32")),
        };
        let step = StepRef { turn: 12, steps: vec![7] };
        let lines = ["-let body = get(url)?;", "+let body = retry(url)?;"].map(Into::into).to_vec();
        let entries = vec![
            HistoryEntry::Step { writer, step, hunks: vec![Hunk { old_start: 40, new_start: 40, lines }] },
            HistoryEntry::Nobody { before: Some("9.2".into()) },
            HistoryEntry::Commit {
                hash: "3ab77f0".into(),
                author: "Anna".into(),
                at: Some(at("2026-10-02 10:00")),
                folder: None,
            },
        ];
        let history = LineHistory { path: format!("{ROOT}/src/loader.rs").into(), from: 41, to: 60, entries };
        let labels: Vec<String> = history.entries.iter().map(|entry| entry.label(&view())).collect();
        expect![[r#"
            12.7 Claude · 14:32 · Add retry to the loader
            edited by nobody known · before 9.2
            commit 3ab77f0 · Anna · 2 Oct"#]]
        .assert_eq(&labels.join("\n"));
        expect![[r#"
            # src/loader.rs:41-60 · line history

            ## 12.7 Claude · 14:32 · Add retry to the loader · 9f3c1a2b

            ```diff
            @@ -40,1 +40,1 @@
            -let body = get(url)?;
            +let body = retry(url)?;
            ```

            - edited by nobody known · before 9.2
            - commit 3ab77f0 · Anna · 2 Oct
        "#]]
        .assert_eq(&line_history(&history, &view()).text);
        let empty = LineHistory { from: 41, to: 41, entries: Vec::new(), ..history };
        expect![[r#"
            # src/loader.rs:41 · line history

            Nothing is known of it.
        "#]]
        .assert_eq(&line_history(&empty, &view()).text);
    }
}
