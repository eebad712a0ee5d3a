//! The list of a repository's sessions.

use trace::Timestamp;

use super::page::{Page, Row};
use super::plus_minus;
use crate::DocumentId;
use crate::rendered::{FoldKind, LinkTarget, Part, Rendered, StepRef, Symbol, SymbolKind, TokenKind};
use crate::text::{columns, count, cut, one_line, pad, short_id};
use crate::view::View;

const TITLE_WIDTH: usize = 60;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionList {
    /// The repository's name.
    pub repository: Box<str>,
    pub worktrees: u32,
    /// Retries that stand behind another session's title.
    pub retries: u32,
    /// Helper runs that are not shown.
    pub helpers_hidden: u32,
    /// The list with the helpers, where some are hidden.
    pub with_helpers: Option<DocumentId>,
    /// Newest first.
    pub rows: Vec<SessionRow>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SessionRow {
    pub session: Box<str>,
    pub document: DocumentId,
    pub state: SessionState,
    /// The agent's short name.
    pub agent: Box<str>,
    pub title: Box<str>,
    pub retries: u32,
    pub started: Option<Timestamp>,
    /// `None` while it runs.
    pub ended: Option<Timestamp>,
    pub turns: u32,
    pub files: u32,
    pub added: u32,
    pub removed: u32,
    /// The worktree's name, where it is not the main one.
    pub worktree: Option<Box<str>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    Working,
    Waits,
    Done,
}

impl SessionRow {
    /// What a pick says beside the title: `Claude · 14:02 · 5 files · live`.
    pub fn description(&self, view: &View<'_>) -> String {
        let when = self.started.map(|at| view.when(at)).unwrap_or_default();
        let files = if self.files == 0 { String::new() } else { count(self.files.into(), "file") };
        let state = match self.state {
            SessionState::Working => "live",
            SessionState::Waits => "waiting",
            SessionState::Done => "",
        };
        let parts = [&*self.agent, &when, &files, state, self.worktree.as_deref().unwrap_or_default()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<&str>>().join(" · ")
    }
}

pub fn session_list(list: &SessionList, view: &View<'_>) -> Rendered {
    let mut page = Page::default();
    page.push(Row::of("# Sessions").dot(&list.repository).token(TokenKind::Heading));
    let sessions = count(list.rows.len() as u64, "session");
    let row = match list.worktrees {
        0 | 1 => Row::of(&sessions),
        n => Row::of(&format!("{sessions} in {}", count(n.into(), "worktree"))),
    };
    let row = match list.retries {
        0 => row,
        1 => row.dot("1 retry grouped"),
        n => row.dot(&format!("{n} retries grouped")),
    };
    let hidden = match list.helpers_hidden {
        0 => String::new(),
        n => format!("{} hidden", count(n.into(), "helper run")),
    };
    page.push_block(match &list.with_helpers {
        Some(document) if !hidden.is_empty() => {
            row.and(" · ").link(&hidden, LinkTarget::Document(document.clone(), "sessions".into()))
        }
        _ => row.dot(&hidden),
    });
    let title_width = list.rows.iter().map(|row| columns(&title(row))).max().unwrap_or(0);
    let agent_width = list.rows.iter().map(|row| columns(&row.agent)).max().unwrap_or(0);
    let day = |row: &SessionRow| row.started.map_or_else(|| "No date".to_owned(), |at| view.day(at));
    for rows in list.rows.chunk_by(|a, b| day(a) == day(b)) {
        let Some(first) = rows.first() else { continue };
        let mark = page.symbols();
        let start = page.push_block(Row::of("## ").and(&day(first)).token(TokenKind::Heading));
        page.blank();
        write_day(&mut page, view, rows, agent_width, title_width);
        page.fold(start, FoldKind::Section);
        let (name, detail) = (day(first), count(rows.len() as u64, "session"));
        let kind = SymbolKind::Group;
        page.symbol_over(mark, Symbol { name, detail, kind, line: start, end: start, children: Vec::new() });
    }
    page.finish()
}

fn write_day(page: &mut Page, view: &View<'_>, rows: &[SessionRow], agent_width: usize, title_width: usize) {
    let times: Vec<String> =
        rows.iter().map(|row| row.started.map(|at| view.span(at, row.ended)).unwrap_or_default()).collect();
    let turns: Vec<String> = rows.iter().map(|row| count(row.turns.into(), "turn")).collect();
    let edits: Vec<String> = rows.iter().map(edits).collect();
    let widest = |all: &[String]| all.iter().map(|text| columns(text)).max().unwrap_or(0);
    let (time_width, turn_width, edit_width) = (widest(&times).max(13), widest(&turns), widest(&edits));
    for (((row, time), turns), edits) in rows.iter().zip(&times).zip(&turns).zip(&edits) {
        let state = match row.state {
            SessionState::Working => "● working",
            SessionState::Waits => "◐ waits  ",
            SessionState::Done => "○        ",
        };
        let title = title(row);
        let gap = " ".repeat(title_width.saturating_sub(columns(&title)));
        let turns = format!("{}{turns}", " ".repeat(turn_width.saturating_sub(columns(turns))));
        let line = Row::of(&format!("- {state}  {}  ", pad(&row.agent, agent_width)))
            .link(&title, LinkTarget::Document(row.document.clone(), row.title.to_string()))
            .and(&format!("{gap}  {}  {turns}  ", pad(time, time_width)))
            .and(&format!("{}  {}", pad(edits, edit_width), short_id(&row.session)));
        let line = match &row.worktree {
            Some(worktree) => line.and("  ").and(worktree),
            None => line,
        };
        let line = page.push_list_row(line);
        page.anchor_of(Some(&row.session), line, &StepRef::default(), Part::Head);
    }
}

fn title(row: &SessionRow) -> String {
    let title = cut(&one_line(&row.title), TITLE_WIDTH).into_owned();
    match row.retries {
        0 => title,
        1 => format!("{title} (+1 retry)"),
        n => format!("{title} (+{n} retries)"),
    }
}

fn edits(row: &SessionRow) -> String {
    match row.files {
        0 => "–".into(),
        files => format!("{} {}", count(files.into(), "file"), plus_minus(row.added.into(), row.removed.into())),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use trace::Agent;

    use super::*;
    use crate::document_id::{Part as DocumentPart, repository_key, session_key};
    use crate::fixture::{at, view};

    fn row(session: &str, agent: &str, title: &str, started: &str, ended: Option<&str>) -> SessionRow {
        SessionRow {
            session: session.into(),
            document: DocumentId::Trace {
                agent: Agent::ClaudeCode,
                session: session_key(session),
                part: DocumentPart::Session,
            },
            state: SessionState::Done,
            agent: agent.into(),
            title: title.into(),
            retries: 0,
            started: Some(at(started)),
            ended: ended.map(at),
            turns: 12,
            files: 0,
            added: 0,
            removed: 0,
            worktree: None,
        }
    }

    #[test]
    fn a_list() {
        let (first, second, third) = ("9f3c1a2b-7d14", "019d7e8e-1111", "77ab01c2-2222");
        let rows = vec![
            SessionRow {
                state: SessionState::Working,
                files: 5,
                added: 59,
                removed: 2,
                ..row(first, "Claude", "Add retry to the loader", "2026-11-20 14:02", None)
            },
            SessionRow {
                state: SessionState::Waits,
                turns: 2,
                worktree: Some("wt/uploader".into()),
                ..row(second, "Codex", "Why does the uploader hang?", "2026-11-20 13:40", Some("2026-11-20 13:58"))
            },
            SessionRow {
                retries: 2,
                turns: 31,
                files: 8,
                added: 410,
                removed: 180,
                ..row(third, "Claude", "Split the loader", "2026-11-03 09:12", Some("2026-11-03 10:03"))
            },
        ];
        let list = SessionList {
            repository: "fetchd".into(),
            worktrees: 2,
            retries: 3,
            helpers_hidden: 6,
            with_helpers: Some(DocumentId::Sessions { repository: repository_key("/fetchd"), helpers: true }),
            rows,
        };
        let rendered = session_list(&list, &view());
        expect![[r#"
            # Sessions · fetchd

            3 sessions in 2 worktrees · 3 retries grouped · 6 helper runs hidden

            ## Today

            - ● working  Claude  Add retry to the loader        14:02 –        12 turns  5 files +59 −2  9f3c1a2b
            - ◐ waits    Codex   Why does the uploader hang?    13:40 – 13:58   2 turns  –               019d7e8e  wt/uploader

            ## 3 November

            - ○          Claude  Split the loader (+2 retries)  09:12 – 10:03  31 turns  8 files +410 −180  77ab01c2
        "#]].assert_eq(&rendered.text);
        let lines: Vec<&str> = rendered.text.lines().collect();
        let text = |link: &crate::Link| lines[link.line as usize][link.start as usize..link.end as usize].to_owned();
        let links: Vec<String> = rendered.links.iter().map(text).collect();
        expect![[r#"
            6 helper runs hidden
            Add retry to the loader
            Why does the uploader hang?
            Split the loader (+2 retries)"#]]
        .assert_eq(&links.join("\n"));
        let descriptions: Vec<String> = list.rows.iter().map(|row| row.description(&view())).collect();
        expect![[r#"
            Claude · 14:02 · 5 files · live
            Codex · 13:40 · waiting · wt/uploader
            Claude · 3 Nov · 8 files"#]]
        .assert_eq(&descriptions.join("\n"));
        assert_eq!(crate::spot(&rendered, 6).and_then(|anchor| anchor.session.as_deref()), Some(first));
    }

    #[test]
    fn an_empty_list() {
        let list = SessionList { repository: "fetchd".into(), ..SessionList::default() };
        expect![[r#"
            # Sessions · fetchd

            0 sessions
        "#]]
        .assert_eq(&session_list(&list, &view()).text);
    }
}
