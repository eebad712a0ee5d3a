//! The titles of the lenses over documents: what is true now of what the text tells.

use trace::Session;

use crate::now::{Gone, Now, StepLife};
use crate::rendered::{DocLens, DocLensKind, StepRef};
use crate::text::{clean, count, short_id, thousands};
use crate::view::View;

impl DocLens {
    /// The lens's words. `None`: there is nothing to say, the lens is left out.
    pub fn title(&self, session: &Session, view: &View<'_>, now: &dyn Now) -> Option<String> {
        let words = match self.kind {
            DocLensKind::Life => return life(session, view, self.step.as_ref(), now),
            DocLensKind::Changes => "changes",
            DocLensKind::Diff => "diff",
            DocLensKind::Before => "before",
            DocLensKind::Undo => "undo",
            DocLensKind::Raw => "raw",
            DocLensKind::Resume if view.live.is_some() => "show terminal",
            DocLensKind::Resume => "resume",
            DocLensKind::FindInSession => "find in session",
            DocLensKind::Filter => "filter",
            DocLensKind::Export => "export",
            DocLensKind::WholeSession => "whole session",
            DocLensKind::PreviousTurn => "previous turn",
            DocLensKind::NextTurn => "next turn",
        };
        Some(words.into())
    }
}

fn life(session: &Session, view: &View<'_>, step: Option<&StepRef>, now: &dyn Now) -> Option<String> {
    let id = &*session.path.session;
    match step {
        None => session_life(session, now),
        Some(step) if step.steps.is_empty() => {
            let turn = session.path.turn(step.turn)?;
            let mut steps = Vec::new();
            session.steps_of(turn, &mut steps);
            let mut sum = StepLife::default();
            for at in steps.iter().filter(|at| !at.step.edits().is_empty()) {
                if let Some(life) = now.step(id, step.turn, &at.numbers) {
                    sum.written += life.written;
                    sum.live += life.live;
                    life.gone.into_iter().for_each(|(by, lines)| add_gone(&mut sum.gone, by, lines));
                }
            }
            (sum.written > 0).then(|| format!("{}{}", lines_live(&sum), gone(session, &sum.gone)))
        }
        Some(step) => {
            let life = now.step(id, step.turn, &step.steps)?;
            if !life.reformatted.is_empty() {
                return Some(reformatted(view, &life.reformatted));
            }
            if life.written == 0 {
                return None;
            }
            let place = life.now.first().map(|span| format!(" · now {}:{}", clean(&view.path(&span.path)), span.from));
            Some(format!("{}{}{}", lines_live(&life), place.unwrap_or_default(), gone(session, &life.gone)))
        }
    }
}

/// `3 turns · 5 files · 57 of 59 lines live`, without the turns that are another session's.
fn session_life(session: &Session, now: &dyn Now) -> Option<String> {
    let inherited = session.inherited.as_ref().map_or(0, |(turns, _)| *turns);
    let mut sum = StepLife::default();
    let mut files: Vec<Box<str>> = Vec::new();
    for at in session.steps().iter().filter(|at| at.turn.number > inherited && !at.step.edits().is_empty()) {
        files.extend(at.step.edits().iter().map(|edit| edit.path.clone()));
        if let Some(life) = now.step(&session.path.session, at.turn.number, &at.numbers) {
            sum.written += life.written;
            sum.live += life.live;
        }
    }
    files.sort_unstable();
    files.dedup();
    let turns = count(session.path.turns.len() as u64, "turn");
    let files = if files.is_empty() { String::new() } else { format!(" · {}", count(files.len() as u64, "file")) };
    let lines = if sum.written == 0 { String::new() } else { format!(" · {}", lines_live(&sum)) };
    Some(format!("{turns}{files}{lines}"))
}

/// `12 of 14 lines live`
pub(crate) fn lines_live(life: &StepLife) -> String {
    format!("{} of {} live", thousands(life.live.into()), count(life.written.into(), "line"))
}

fn add_gone(all: &mut Vec<(Gone, u32)>, by: Gone, lines: u32) {
    match all.iter_mut().find(|(known, _)| same_turn(known, &by)) {
        Some((_, known)) => *known += lines,
        None => all.push((by, lines)),
    }
}

fn same_turn(a: &Gone, b: &Gone) -> bool {
    match (a, b) {
        (Gone::By(a), Gone::By(b)) => (&a.session, a.turn) == (&b.session, b.turn),
        (Gone::NoRecordedTurn, Gone::NoRecordedTurn) => true,
        _ => false,
    }
}

/// ` · 2 replaced in turn 14 · 1 changed since, by no recorded turn`
fn gone(session: &Session, gone: &[(Gone, u32)]) -> String {
    let mut turns: Vec<(Gone, u32)> = Vec::new();
    for (by, lines) in gone {
        add_gone(&mut turns, by.clone(), *lines);
    }
    let words = |(by, lines): &(Gone, u32)| match by {
        Gone::NoRecordedTurn => format!(" · {} changed since, by no recorded turn", thousands((*lines).into())),
        Gone::By(writer) if writer.session == (*session.path.session).into() => {
            format!(" · {} replaced in turn {}", thousands((*lines).into()), writer.turn)
        }
        Gone::By(writer) => {
            format!(" · {} replaced in {}:{}", thousands((*lines).into()), short_id(&writer.session), writer.turn)
        }
    };
    turns.iter().filter(|(_, lines)| *lines > 0).map(words).collect()
}

fn reformatted(view: &View<'_>, files: &[(Box<str>, u32)]) -> String {
    let lines: u64 = files.iter().map(|(_, lines)| u64::from(*lines)).sum();
    let names: Vec<String> = files.iter().map(|(path, _)| clean(&view.path(path)).into_owned()).collect();
    let authors = if lines == 1 { "its author stays" } else { "their authors stay" };
    format!("reformatted {} in {}; {authors}", count(lines, "line"), names.join(", "))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use expect_test::{Expect, expect};

    use super::*;
    use crate::fixture::{Fixture, Known, RETRY, ROOT, at, view};
    use crate::now::{Live, NothingKnown, Span, Writer};

    fn check(step: Option<&str>, now: &dyn Now, expect: Expect) {
        let session = Fixture::of(RETRY).session;
        let step = step.map(|label| {
            let mut numbers = label.split('.').map(|n| n.parse().expect("a number"));
            StepRef { turn: numbers.next().expect("a turn"), steps: numbers.collect() }
        });
        let lens = DocLens { line: 0, step, kind: DocLensKind::Life };
        expect.assert_eq(&lens.title(&session, &view(), now).unwrap_or_else(|| "-".into()));
    }

    #[test]
    fn lives() {
        let by = |session: &str, turn| {
            Gone::By(Writer {
                agent: "Claude".into(),
                session: session.into(),
                turn,
                step: format!("{turn}.2").into(),
                title: "x".into(),
                at: None,
            })
        };
        let own = "9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77";
        let span = Span { path: format!("{ROOT}/src/loader.rs").into(), from: 41, to: 46 };
        let gone = vec![(by(own, 14), 1), (by("019d7e8e-1111", 2), 2), (Gone::NoRecordedTurn, 2), (by(own, 14), 1)];
        let life = StepLife { written: 12, live: 6, now: vec![span], gone, ..StepLife::default() };
        let all_gone = StepLife { written: 1, gone: vec![(Gone::NoRecordedTurn, 1)], ..StepLife::default() };
        let known = Known(HashMap::from([("1.7".into(), life), ("1.12".into(), all_gone)]));
        check(
            Some("1.7"),
            &known,
            expect![
                "6 of 12 lines live · now src/loader.rs:41 · 2 replaced in turn 14 · 2 replaced in 019d7e8e:2 · 2 changed since, by no recorded turn"
            ],
        );
        check(Some("1.12"), &known, expect!["0 of 1 line live · 1 changed since, by no recorded turn"]);
        check(
            Some("1"),
            &known,
            expect![
                "6 of 13 lines live · 2 replaced in turn 14 · 2 replaced in 019d7e8e:2 · 3 changed since, by no recorded turn"
            ],
        );
        check(None, &known, expect!["3 turns · 5 files · 6 of 13 lines live"]);
        check(Some("1.7"), &NothingKnown, expect!["-"]);
        check(Some("1"), &NothingKnown, expect!["-"]);
        check(None, &NothingKnown, expect!["3 turns · 5 files"]);
    }

    #[test]
    fn a_running_session_is_not_resumed() {
        let session = Fixture::of(RETRY).session;
        let lens = DocLens { line: 0, step: None, kind: DocLensKind::Resume };
        let live = Live::Waits { since: at("2026-11-20 15:00") };
        let running = View { live: Some(&live), ..view() };
        assert_eq!(lens.title(&session, &running, &NothingKnown).as_deref(), Some("show terminal"));
        assert_eq!(lens.title(&session, &view(), &NothingKnown).as_deref(), Some("resume"));
    }
}
