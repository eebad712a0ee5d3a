//! A turn: as a part of its session's document, and as a document of its own.

use std::sync::Arc;

use trace::Turn;

use super::numbers::{TurnNumbers, outline_detail};
use super::page::{Page, Row};
use super::steps::Steps;
use super::{PAGE_BYTES, Source};
use crate::document_id::{Filter, Part as DocumentPart};
use crate::rendered::{DocLensKind, FoldKind, Part, Rendered, StepRef, Symbol, SymbolKind, TokenKind};
use crate::text::{one_line, short_id};

/// The document of a turn. `None`: there is no such turn.
pub fn turn(source: &Source<'_>, number: u32) -> Option<Rendered> {
    let turn = source.session.path.turn(number)?;
    let mut page = Page::default();
    write_document(source, &mut page, turn, false);
    if page.bytes() > PAGE_BYTES {
        page = Page::default();
        write_document(source, &mut page, turn, true);
    }
    Some(page.finish())
}

fn write_document(source: &Source<'_>, page: &mut Page, turn: &Arc<Turn>, brief: bool) {
    let (path, step) = (&source.session.path, StepRef::turn(turn.number));
    let line = page.push(Row::of("# ").and(&heading(source, turn)).token(TokenKind::Heading));
    page.anchor(line, &step, Part::Head);
    let numbers = TurnNumbers::of(source.session, turn);
    page.lens(line, Some(&step), &lens_kinds(source, turn, &numbers, true));
    page.blank();
    let row = Row::of(path.agent.full()).dot(turn.model.as_deref().or(path.model.as_deref()).unwrap_or_default());
    let when = turn.started.map(|from| format!("{} {}", source.view.date(from), source.view.span(from, turn.ended)));
    let row = row.dot(&when.unwrap_or_default()).and(&format!(" · turn {} of ", turn.number));
    let session = format!("session {}", short_id(&path.session));
    let link = source.link(DocumentPart::Session, &source.title());
    page.push(row.link(&session, link).and(&format!(" \"{}\"", source.title())));
    write_body(source, page, turn, &numbers, None, brief);
    let mark = 0;
    page.symbol_over(mark, symbol(source, turn, &numbers, 0));
}

/// A turn inside its session's document.
pub(super) fn write_in_session(
    source: &Source<'_>,
    page: &mut Page,
    turn: &Arc<Turn>,
    only: Option<&Filter>,
    brief: bool,
) {
    let step = StepRef::turn(turn.number);
    let mark = page.symbols();
    let start = page.push_block(Row::of("## ").and(&heading(source, turn)).token(TokenKind::Heading));
    page.anchor(start, &step, Part::Head);
    let numbers = TurnNumbers::of(source.session, turn);
    page.lens(start, Some(&step), &lens_kinds(source, turn, &numbers, false));
    write_body(source, page, turn, &numbers, only, brief);
    page.fold(start, if turn.abandoned.is_some() { FoldKind::Comment } else { FoldKind::Section });
    page.symbol_over(mark, symbol(source, turn, &numbers, start));
}

fn write_body(
    source: &Source<'_>,
    page: &mut Page,
    turn: &Arc<Turn>,
    numbers: &TurnNumbers,
    only: Option<&Filter>,
    brief: bool,
) {
    let known = source.session.path.started;
    let when = turn.started.map(|from| source.view.span_within(known, from, turn.ended)).unwrap_or_default();
    let line = page.push_block(Row::of(&when).dot(&numbers.line()).token(TokenKind::Comment));
    page.anchor(line, &StepRef::turn(turn.number), Part::Numbers);
    let mut steps = Steps::new(source, page, turn);
    (steps.only, steps.brief) = (only, brief);
    steps.prompt();
    steps.turn_steps();
}

/// `Turn 1 · Add retry to the loader · abandoned: rewound at 14:20`
fn heading(source: &Source<'_>, turn: &Turn) -> String {
    let mut heading = name(turn);
    if let Some(at) = turn.abandoned {
        heading.push_str(&format!(" · abandoned: rewound at {}", source.view.clock(at)));
    }
    if turn.interrupted {
        heading.push_str(" · interrupted by the person");
    }
    heading
}

/// `Turn 1 · Add retry to the loader`
pub(super) fn name(turn: &Turn) -> String {
    match one_line(&turn.title) {
        title if title.is_empty() => format!("Turn {}", turn.number),
        title => format!("Turn {} · {title}", turn.number),
    }
}

pub(super) fn symbol(source: &Source<'_>, turn: &Turn, numbers: &TurnNumbers, line: u32) -> Symbol {
    let detail = outline_detail(&source.view, turn, numbers);
    Symbol { name: name(turn), detail, kind: SymbolKind::Turn, line, end: line, children: Vec::new() }
}

fn lens_kinds(source: &Source<'_>, turn: &Turn, numbers: &TurnNumbers, alone: bool) -> Vec<DocLensKind> {
    let has = |there: bool, kind: DocLensKind| there.then_some(kind);
    let last = source.session.path.turns.len();
    [
        has(numbers.has_edits(), DocLensKind::Life),
        has(numbers.has_edits(), DocLensKind::Changes),
        has(numbers.has_edits(), DocLensKind::Undo),
        has(alone, DocLensKind::Resume),
        has(alone, DocLensKind::WholeSession),
        has(turn.number > 1, DocLensKind::PreviousTurn),
        has((turn.number as usize) < last, DocLensKind::NextTurn),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::fixture::{Fixture, RETRY, with_lenses};
    use crate::now::NothingKnown;

    fn check(number: u32, expect: Expect) {
        let fixture = Fixture::of(RETRY);
        let rendered = turn(&fixture.source(), number).expect("a turn");
        let text = with_lenses(&fixture, &rendered, &NothingKnown);
        expect.assert_eq(&text.lines().take(16).map(|line| format!("{line}\n")).collect::<String>());
        // The rest is the turn as it stands in its session.
        let in_session = super::super::session_page(&fixture.source(), 1, None).text;
        let body: String = rendered.text.lines().skip(4).map(|line| format!("{line}\n")).collect();
        assert!(in_session.contains(&body));
    }

    #[test]
    fn documents_of_turns() {
        check(
            1,
            expect![[r#"
            ⟦ changes | undo | resume | whole session | next turn ⟧
            # Turn 1 · Add retry to the loader

            Claude Code · claude-opus-4-5 · 2026-11-20 14:02 – 14:09 · turn 1 of session 9f3c1a2b "Add retry to the loader"

            14:02 – 14:09 · 14 steps · 2 files +18 −1 · 61,204 tokens

            > Add retry to the loader: three attempts, back off 200 ms, 400 ms. Do not retry on 4xx.
            > The error type is in src/http.rs.

            *1.1 Thought, 625 characters.* The loader calls `client.get` once and passes the error up. Whether
            an error may be tried again depends on its status, which `Error` keeps private, so the type needs a
            method that says whether it is transient. A 4xx answer says that the request itself is wrong, and no …

            I'll look at how errors carry their status first.

        "#]],
        );
        check(
            3,
            expect![[r#"
            ⟦ resume | whole session | previous turn ⟧
            # Turn 3 · format and commit

            Claude Code · claude-opus-4-5 · 2026-11-20 14:55 – 14:58 · turn 3 of session 9f3c1a2b "Add retry to the loader"

            14:55 – 14:58 · 3 steps · no edits · 9,310 tokens

            > format and commit

            - 3.1 Run `cargo fmt` · exit 0 · 0.4 s
            - 3.2 Run `git commit -am "Retry transient errors"` · exit 0 · commit 4be19d2, 5 files

            Committed as 4be19d2.
        "#]],
        );
    }

    #[test]
    fn no_such_turn() {
        let fixture = Fixture::of(RETRY);
        assert_eq!([0, 4].map(|number| turn(&fixture.source(), number).is_none()), [true, true]);
    }
}
