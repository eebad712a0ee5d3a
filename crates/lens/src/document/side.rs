//! A sub-agent's work as a document of its own.

use super::page::{Page, Row};
use super::steps::Steps;
use super::{PAGE_BYTES, Source, of_step};
use crate::document_id::Part as DocumentPart;
use crate::rendered::{DocLensKind, Part, Rendered, StepRef, Symbol, SymbolKind, TokenKind};
use crate::text::{count, cut, one_line, short_id, thousands};

/// The document of the sub-agent that a step started. `None`: there is no such step, or it started none.
pub fn side(source: &Source<'_>, turn: u32, steps: &[u32]) -> Option<Rendered> {
    let page = write(source, turn, steps, false)?;
    if page.bytes() > PAGE_BYTES {
        return write(source, turn, steps, true).map(Page::finish);
    }
    Some(page.finish())
}

fn write(source: &Source<'_>, turn: u32, steps: &[u32], brief: bool) -> Option<Page> {
    let at = source.session.step(turn, steps)?;
    let side = source.session.side(at.step)?;
    let (view, path) = (&source.view, &source.session.path);
    let step = StepRef { turn, steps: steps.to_vec() };
    let mut page = Page::default();
    let kind = at.step.detail.as_deref().map(|kind| format!(" \"{}\"", one_line(kind))).unwrap_or_default();
    let name = format!("Agent{kind}");
    let subject = one_line(&at.step.text.head);
    let row = Row::of("# ").and(&name).dot(&cut(&subject, 120)).token(TokenKind::Heading);
    let line = page.push(row);
    page.anchor(line, &step, Part::Head);
    page.lens(line, Some(&step), &[DocLensKind::WholeSession]);
    page.blank();
    let model = side.responses.iter().rev().find_map(|response| response.model.as_deref());
    let row = Row::of(path.agent.full()).dot(model.unwrap_or_default());
    let when = side.started.map(|from| format!("{} {}", view.date(from), view.span(from, side.ended)));
    let row = row.dot(&when.unwrap_or_default()).and(&format!(" · {} of ", step.label()));
    let session = source.link(DocumentPart::Turn(turn), &at.turn.title);
    page.push(
        row.link(&format!("session {}", short_id(&path.session)), session).and(&format!(" \"{}\"", source.title())),
    );
    let tokens: u64 = side.responses.iter().map(|response| response.tokens.total()).sum();
    let numbers = Row::of(&count(side.steps.len() as u64, "step"));
    let tokens = if side.responses.is_empty() { String::new() } else { format!("{} tokens", thousands(tokens)) };
    let line = page.push_block(numbers.dot(&tokens).token(TokenKind::Comment));
    page.anchor(line, &step, Part::Body);
    let mut writer = Steps::new(source, &mut page, at.turn);
    writer.brief = brief;
    if let Some(task) = &side.task {
        let input = of_step(&step, |turn, steps| DocumentPart::Input { turn, steps });
        writer.quote(task, None, &source.link(input, ""), &step);
    }
    writer.side_steps(steps, side);
    let detail = count(side.steps.len() as u64, "step");
    let name = format!("{} {name}", step.label());
    page.symbol_over(0, Symbol { name, detail, kind: SymbolKind::Agent, line: 0, end: 0, children: Vec::new() });
    Some(page)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::fixture::{Fixture, RETRY, with_lenses};
    use crate::now::NothingKnown;

    #[test]
    fn a_sub_agent() {
        let fixture = Fixture::of(RETRY);
        let rendered = side(&fixture.source(), 2, &[4]).expect("a sub-agent");
        expect![[r#"
            ⟦ whole session ⟧
            # Agent "test-writer" · Write tests for retry

            Claude Code · 2026-11-20 14:25 – 14:26 · 2.4 of session 9f3c1a2b "Add retry to the loader"

            5 steps

            > Write tests for retry

            - 2.4.1 Read src/retry.rs

            *2.4.2 Thought, 19 characters.* Four tests will do.

            ⟦ undo | raw ⟧
            ### 2.4.3 Write tests/retry.rs · new file, 24 lines

            ```diff
            @@ -0,0 +1,24 @@
            +use fetchd::retry::retry;
            +
            +#[test]
            +fn first_try() {
            +    assert_eq!(calls(1), 1);
            +}
            +
            +#[test]
            +fn third_try() {
            +    assert_eq!(calls(3), 3);
            +}
            +
            … 12 more lines
            ```

            ### 2.4.4 Run `cargo test -p fetchd --test retry` · exit 101 · 5.0 s

            ```text
            error: cannot find function `waited`
            ```

            Four tests: first try, third try, never more than three, no wait before the first.
        "#]]
        .assert_eq(&with_lenses(&fixture, &rendered, &NothingKnown));
        assert!(side(&fixture.source(), 2, &[2]).is_none(), "no sub-agent");
        assert!(side(&fixture.source(), 2, &[4, 9]).is_none(), "no such step");
    }
}
