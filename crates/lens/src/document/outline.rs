//! The outline of a whole session as a document: one line a turn, edit, failure and sub-agent, without any body.

use trace::StepAt;

use super::numbers::TurnNumbers;
use super::page::{Page, Row};
use super::steps::step_symbol;
use super::{PAGE_BYTES, Source, turn};
use crate::rendered::{FoldKind, LinkTarget, Part, Rendered, StepRef, Symbol, TokenKind};

/// The column of the details.
const WIDTH: usize = 64;

/// Where the steps of all turns are too many for one page, it lists the turns only.
pub fn outline(source: &Source<'_>) -> Rendered {
    let page = write(source, true);
    if page.bytes() > PAGE_BYTES {
        return write(source, false).finish();
    }
    page.finish()
}

fn write(source: &Source<'_>, with_steps: bool) -> Page {
    let mut page = Page::default();
    page.push(Row::of("# ").and(&source.title()).dot("outline").token(TokenKind::Heading));
    page.blank();
    for turn in &source.session.path.turns {
        let numbers = TurnNumbers::of(source.session, turn);
        let (mark, start) = (page.symbols(), page.line());
        let symbol = turn::symbol(source, turn, &numbers, start);
        write_row(&mut page, 0, &symbol, StepRef::turn(turn.number));
        let mut steps: Vec<StepAt<'_>> = Vec::new();
        if with_steps {
            source.session.steps_of(turn, &mut steps);
        }
        for at in &steps {
            let inner = at.numbers.len();
            let is_edit = !at.step.edits().is_empty();
            // A sub-agent's failures are its own affair.
            if let Some(symbol) = step_symbol(at, &source.view, page.line()).filter(|_| inner == 1 || is_edit) {
                let step = StepRef { turn: turn.number, steps: at.numbers.clone() };
                write_row(&mut page, inner, &symbol, step);
                page.symbol(symbol);
            }
        }
        page.fold(start, FoldKind::Section);
        page.symbol_over(mark, symbol);
    }
    page
}

fn write_row(page: &mut Page, depth: usize, symbol: &Symbol, step: StepRef) {
    let row = Row::of(&"  ".repeat(depth)).and("- ").link(&symbol.name, LinkTarget::Step(step.clone()));
    let gap = " ".repeat(WIDTH.saturating_sub(row.columns()).max(2));
    let row = if symbol.detail.is_empty() { row } else { row.and(&gap).and(&symbol.detail) };
    let line = page.push(row);
    page.anchor(line, &step, Part::Head);
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::fixture::{Fixture, RETRY};

    #[test]
    fn of_the_mock_up() {
        let fixture = Fixture::of(RETRY);
        expect![[r#"
            # Add retry to the loader · outline

            - Turn 1 · Add retry to the loader                              14:02 · 2 files +18 −1
              - 1.7 Edit src/loader.rs                                      +12 −1
              - 1.8 Edit src/http.rs                                        failed
              - 1.10 Edit src/http.rs                                       +5 −0
              - 1.11 Run cargo test -p fetchd                               exit 101
              - 1.12 Edit src/loader.rs                                     +1 −0
            - Turn 2 · Add retry to the loader → yes                        14:21 · 3 files +41 −1
              - 2.1 Agent explore
              - 2.2 Write src/retry.rs                                      +14
              - 2.3 Edit src/uploader.rs                                    +3 −1
              - 2.4 Agent test-writer
                - 2.4.3 Write tests/retry.rs                                +24
            - Turn 3 · format and commit                                    14:55
        "#]]
        .assert_eq(&outline(&fixture.source()).text);
        assert_eq!(fixture.read(), 0, "no body is read");
    }

    #[test]
    fn a_long_one_lists_turns_only() {
        let turn = format!("14:02 turn Change it\n{}", "14:03 edit src/a.rs\n| @@ -1,1 +1,1 @@\n| +a\n".repeat(50));
        let text = outline(&Fixture::of(&turn.repeat(100)).source()).text;
        assert_eq!(text.lines().filter(|line| line.contains("- Turn")).count(), 100);
        assert!(!text.contains("Edit") && text.len() <= PAGE_BYTES);
    }
}
