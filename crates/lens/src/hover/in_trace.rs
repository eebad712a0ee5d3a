//! The hover in a trace.

use std::sync::Arc;

use trace::{Session, StepAt, Timestamp, Turn};

use super::after::{Labels, after};
use super::{HoverLink, Links, Markup};
use crate::doc_lens::lines_live;
use crate::document::{Source, TurnNumbers};
use crate::now::{Now, Span, StepLife, Writer};
use crate::rendered::{Anchor, Part, Sign};
use crate::text::{clean, count, one_line, thousands};
use crate::view::View;

/// Pauses over five minutes are not work.
const PAUSE: i64 = 5 * 60 * 1000;

/// What is said of a line of a trace. `None`: nothing.
pub fn trace_hover(
    source: &Source<'_>,
    anchor: &Anchor,
    now: &dyn Now,
    markup: Markup,
    links: &dyn Links,
) -> Option<String> {
    let (session, step) = (source.session, &anchor.step);
    let turn = session.path.turn(step.turn)?;
    if step.steps.is_empty() {
        let wanted = matches!(anchor.part, Part::Numbers | Part::Head);
        return wanted.then(|| numbers(session, turn));
    }
    let at = session.step(step.turn, &step.steps)?;
    if at.step.edits().is_empty() {
        return None;
    }
    let life = now.step(&session.path.session, step.turn, &step.steps);
    let path = match anchor.part {
        Part::Diff { edit, .. } => &at.step.edits().get(edit as usize)?.path,
        _ => &at.step.edits().first()?.path,
    };
    if let Part::Diff { sign: Sign::Removed, old, .. } = anchor.part {
        let removed = life.as_ref().and_then(|life| life.removed(path, old));
        if let Some(writer) = removed.and_then(|line| line.writer.as_ref()) {
            return Some(writer_words(writer, &source.view, markup));
        }
    }
    edit(source, &at, anchor, life.as_ref(), markup, links)
}

fn edit(
    source: &Source<'_>,
    at: &StepAt<'_>,
    anchor: &Anchor,
    life: Option<&StepLife>,
    markup: Markup,
    links: &dyn Links,
) -> Option<String> {
    let matching = anchor.part == Part::Head || matches!(anchor.part, Part::Diff { .. });
    if !matching {
        return None;
    }
    let edits = at.step.edits();
    let path = match anchor.part {
        Part::Diff { edit, .. } => &edits.get(edit as usize)?.path,
        _ => &edits.first()?.path,
    };
    let url = |link| links.url(link, &source.session.path.session, &anchor.step);
    let mut parts = vec![format!("{} {}", markup.bold(&at.label()), markup.text(&clean(&source.view.path(path))))];
    if let Some(life) = life.filter(|life| life.written > 0) {
        let place = life.now.first().map(|span| format!(", now {}", lines(span))).unwrap_or_default();
        parts.push(format!("{}{place}", lines_live(life)));
    }
    let made = edits.iter().all(|edit| edit.created);
    parts.extend(markup.link("code", url(HoverLink::Code)));
    if !made {
        parts.extend(markup.link("before ↔ after", url(HoverLink::BeforeAfter)));
        parts.extend(markup.link("before ↔ now", url(HoverLink::BeforeNow)));
    }
    let mut tail: Vec<String> = Vec::new();
    tail.extend(life.and_then(|life| life.proof.as_ref()).map(|proof| format!("Proven: {}.", markup.text(proof))));
    tail.extend(after(source.session, &anchor.step, Labels::All, markup));
    let separator = if markup == Markup::Markdown { "  \n" } else { "\n" };
    let head = parts.join(" · ");
    Some(match tail.is_empty() {
        true => head,
        false => format!("{head}\n\n{}", tail.join(separator)),
    })
}

/// `41–52`
fn lines(span: &Span) -> String {
    if span.from == span.to { span.from.to_string() } else { format!("{}–{}", span.from, span.to) }
}

/// `**Codex** · turn 9 · 3 Nov · split the loader`
fn writer_words(writer: &Writer, view: &View<'_>, markup: Markup) -> String {
    let mut parts = vec![markup.bold(&writer.agent), format!("turn {}", writer.turn)];
    parts.extend(writer.at.map(|at| view.when(at)));
    parts.push(markup.text(&one_line(&writer.title)));
    parts.join(" · ")
}

/// A turn's tokens and time.
fn numbers(session: &Session, turn: &Arc<Turn>) -> String {
    let numbers = TurnNumbers::of(session, turn);
    let mut lines: Vec<String> = Vec::new();
    if numbers.responses > 0 {
        let mut models: Vec<&str> = turn.responses.iter().filter_map(|response| response.model.as_deref()).collect();
        models.sort_unstable();
        models.dedup();
        let models = if models.is_empty() { turn.model.as_deref().into_iter().collect() } else { models };
        let model = if models.is_empty() { String::new() } else { format!("{} · ", models.join(", ")) };
        lines.push(format!("{model}{}", count(numbers.responses, "response")));
        let tokens = &numbers.tokens;
        let classes = [
            ("input", tokens.input),
            ("cache write", tokens.cache_write),
            ("cache read", tokens.cache_read),
            ("output", tokens.output),
        ];
        lines.push(classes.map(|(name, tokens)| format!("{name} {}", thousands(tokens))).join(" · "));
    }
    lines.extend(time(session, turn));
    lines.join("  \n")
}

/// `7 min by the clock, 5 min active (pauses over 5 min left out)`
fn time(session: &Session, turn: &Arc<Turn>) -> Option<String> {
    let mut steps = Vec::new();
    session.steps_of(turn, &mut steps);
    let of_steps = steps.iter().flat_map(|at| [at.step.at, at.step.result.as_ref().and_then(|result| result.at)]);
    let ends = [turn.started, turn.ended].into_iter();
    let mut moments: Vec<Timestamp> = of_steps.chain(ends).flatten().collect();
    moments.sort_unstable();
    let (first, last) = (moments.first()?, moments.last()?);
    let active: i64 =
        moments.windows(2).map(|pair| pair[1].0.saturating_sub(pair[0].0)).filter(|gap| *gap <= PAUSE).sum();
    let minutes = |ms: i64| match (ms + 30_000) / 60_000 {
        0 => format!("{} s", ms / 1000),
        minutes => format!("{minutes} min"),
    };
    Some(format!(
        "{} by the clock, {} active (pauses over 5 min left out)",
        minutes(last.0.saturating_sub(first.0)),
        minutes(active)
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use expect_test::{Expect, expect};

    use super::*;
    use crate::document::turn;
    use crate::fixture::{Fixture, Known, RETRY, ROOT, at};
    use crate::hover::NoLinks;
    use crate::navigate::spot;
    use crate::now::RemovedLine;

    struct Uris;

    impl Links for Uris {
        fn url(&self, link: HoverLink, _: &str, _: &crate::StepRef) -> Option<String> {
            Some(format!("{link:?}"))
        }
    }

    fn known() -> Known {
        let path: Box<str> = format!("{ROOT}/src/loader.rs").into();
        let writer = Writer {
            agent: "Codex".into(),
            session: "019d7e8e".into(),
            turn: 9,
            step: "9.2".into(),
            title: "split the loader".into(),
            at: Some(at("2026-11-03 10:00")),
        };
        let life = StepLife {
            written: 12,
            live: 12,
            now: vec![Span { path: path.clone(), from: 41, to: 52 }],
            removed: vec![RemovedLine { path, line: 40, writer: Some(writer), near: None }],
            proof: Some("the log's own text before the edit equals the whole read in 1.3".into()),
            ..StepLife::default()
        };
        Known(HashMap::from([("1.7".into(), life)]))
    }

    /// The hover over the first line that begins like this.
    fn check(start: &str, links: &dyn Links, expect: Expect) {
        let fixture = Fixture::of(RETRY);
        let rendered = turn(&fixture.source(), 1).expect("a turn");
        let line = rendered.text.lines().position(|line| line.starts_with(start)).expect("a line");
        let hover = spot(&rendered, line as u32)
            .and_then(|anchor| trace_hover(&fixture.source(), anchor, &known(), Markup::Markdown, links));
        expect.assert_eq(&hover.unwrap_or_else(|| "-".into()));
    }

    #[test]
    fn edits() {
        check(
            "### 1.7",
            &Uris,
            expect![[r#"
                **1.7** src/loader.rs · 12 of 12 lines live, now 41–52 · [code](Code) · [before ↔ after](BeforeAfter) · [before ↔ now](BeforeNow)

                Proven: the log's own text before the edit equals the whole read in 1.3.  
                After it: `cargo test -p fetchd` failed (1.11), then passed (1.13)"#]],
        );
        check(
            "+    let mut wait",
            &NoLinks,
            expect![[r#"
                **1.7** src/loader.rs · 12 of 12 lines live, now 41–52

                Proven: the log's own text before the edit equals the whole read in 1.3.  
                After it: `cargo test -p fetchd` failed (1.11), then passed (1.13)"#]],
        );
        check(
            "### 1.10",
            &Uris,
            expect![[r#"
                **1.10** src/http.rs · [code](Code) · [before ↔ after](BeforeAfter) · [before ↔ now](BeforeNow)

                After it: `cargo test -p fetchd` failed (1.11), then passed (1.13)"#]],
        );
    }

    #[test]
    fn a_removed_line_names_its_writer() {
        check("-    let body", &Uris, expect!["**Codex** · turn 9 · 3 Nov · split the loader"]);
    }

    #[test]
    fn numbers_of_a_turn() {
        check(
            "14:02 –",
            &Uris,
            expect![[r#"
            claude-opus-4-5 · 1 response  
            input 2,140 · cache write 18,330 · cache read 36,120 · output 4,614  
            7 min by the clock, 7 min active (pauses over 5 min left out)"#]],
        );
    }

    #[test]
    fn nothing_else_has_one() {
        check("> Add retry", &Uris, expect!["-"]);
        check("- 1.3 Read", &Uris, expect!["-"]);
        check("### 1.11 Run", &Uris, expect!["-"]);
    }
}
