//! From a line of a document to what it tells of, and back.

use trace::Session;

use crate::now::{Gone, LineNow, Now, Place, Span};
use crate::rendered::{Anchor, Part, Rendered, Sign, StepRef};
use crate::text::short_id;

/// What a line tells of. `None`: nothing (a blank line, a header).
pub fn spot(rendered: &Rendered, line: u32) -> Option<&Anchor> {
    let at = rendered.anchors.partition_point(|anchor| anchor.line <= line).checked_sub(1)?;
    rendered.anchors.get(at).filter(|anchor| line - anchor.line < anchor.lines)
}

/// The turn in which a line stands.
pub fn turn_at(rendered: &Rendered, line: u32) -> Option<u32> {
    let at = rendered.anchors.partition_point(|anchor| anchor.line <= line).checked_sub(1)?;
    rendered.anchors.get(at).map(|anchor| anchor.step.turn)
}

/// Where code is that a line of a trace tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    pub place: Option<Place>,
    /// Why it is not the very line: `Removed here by 1.5.`
    pub message: Option<String>,
}

/// The code of a line of a trace as it is now. `None`: the line tells of no edit, or nothing is known of it.
pub fn definition(session: &Session, anchor: &Anchor, now: &dyn Now) -> Option<Definition> {
    let step = &anchor.step;
    if step.steps.is_empty() {
        let first = references(session, anchor, now).into_iter().next()?;
        return Some(Definition { place: Some(first.start()), message: None });
    }
    let id = anchor.session.as_deref().unwrap_or(&session.path.session);
    let life = now.step(id, step.turn, &step.steps)?;
    let heading = || Definition { place: life.now.first().map(Span::start), message: None };
    let Part::Diff { edit, sign, old, new } = anchor.part else {
        return Some(heading()).filter(|found| found.place.is_some());
    };
    let at = session.step(step.turn, &step.steps)?;
    let path = &at.step.edits().get(edit as usize)?.path;
    match sign {
        Sign::Added => match &life.added(path, new)?.now {
            LineNow::At(place) => Some(Definition { place: Some(place.clone()), message: None }),
            LineNow::Gone { by, near } => Some(Definition { place: near.clone(), message: Some(gone(session, by)) }),
        },
        Sign::Removed => {
            let near = life.removed(path, old).and_then(|line| line.near.clone());
            let message = Some(format!("Removed here by {}.", step.label()));
            Some(Definition { place: near, message })
        }
        // A context line is nobody's: the nearest line of the step that is still there.
        Sign::Context => Some(nearest(&life.added, path, new).unwrap_or_else(heading)),
    }
    .filter(|found| found.place.is_some() || found.message.is_some())
}

fn nearest(added: &[crate::now::AddedLine], path: &str, line: u32) -> Option<Definition> {
    let here = added.iter().filter(|known| &*known.path == path).filter_map(|known| match &known.now {
        LineNow::At(place) => Some((known.line.abs_diff(line), place)),
        LineNow::Gone { .. } => None,
    });
    let (_, place) = here.min_by_key(|(distance, _)| *distance)?;
    Some(Definition { place: Some(place.clone()), message: None })
}

/// `Replaced in turn 14 (14.2).`
fn gone(session: &Session, by: &Gone) -> String {
    match by {
        Gone::NoRecordedTurn => "Changed since, by no recorded turn.".into(),
        Gone::By(writer) if *writer.session == *session.path.session => {
            format!("Replaced in turn {} ({}).", writer.turn, writer.step)
        }
        Gone::By(writer) => format!("Replaced in {}:{}.", short_id(&writer.session), writer.step),
    }
}

/// Every line of a turn (or step) that lives, in the order of files and lines.
pub fn references(session: &Session, anchor: &Anchor, now: &dyn Now) -> Vec<Span> {
    let (id, step) = (&*session.path.session, &anchor.step);
    let mut spans = match (step.steps.is_empty(), session.path.turn(step.turn)) {
        (true, Some(turn)) => {
            let mut steps = Vec::new();
            session.steps_of(turn, &mut steps);
            let edits = steps.iter().filter(|at| !at.step.edits().is_empty());
            edits.filter_map(|at| now.step(id, step.turn, &at.numbers)).flat_map(|life| life.now).collect()
        }
        (true, None) => Vec::new(),
        (false, _) => now.step(id, step.turn, &step.steps).map(|life| life.now).unwrap_or_default(),
    };
    spans.sort();
    spans.dedup();
    spans
}

impl Span {
    fn start(&self) -> Place {
        Place { path: self.path.clone(), line: self.from }
    }
}

/// Where a document shows a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its heading or row, for the cursor.
    pub head: u32,
    /// The line of its diff, for the selection; where that is cut, the line that stands for it. `None`: none was asked
    /// for, or the diff has no such line.
    pub line: Option<u32>,
}

/// Finds a step, and of its edit number `edit` (from 0) the line that it wrote at `new` (from 1, in the file after the
/// step). A step without lines of its own, a sub-agent's read for instance, is found at the step that started it.
pub fn find_step(rendered: &Rendered, step: &StepRef, written: Option<(u32, u32)>) -> Option<Shown> {
    let mut wanted = step.clone();
    loop {
        if let Some(head) = rendered.anchors.iter().find(|anchor| anchor.part == Part::Head && anchor.step == wanted) {
            let line = written.filter(|_| wanted == *step).and_then(|(edit, new)| line_of(rendered, step, edit, new));
            return Some(Shown { head: head.line, line });
        }
        // Words and thoughts have no heading.
        if let Some(body) = rendered.anchors.iter().find(|anchor| anchor.step == wanted) {
            return Some(Shown { head: body.line, line: None });
        }
        wanted.steps.pop()?;
    }
}

fn line_of(rendered: &Rendered, step: &StepRef, wanted: u32, line: u32) -> Option<u32> {
    let shows = |anchor: &&Anchor| match anchor.part {
        Part::Diff { edit, sign: Sign::Added, new, .. } => edit == wanted && new == line && anchor.step == *step,
        _ => false,
    };
    let cut = |anchor: &&Anchor| anchor.part == Part::Cut { edit: wanted } && anchor.step == *step;
    let anchors = || rendered.anchors.iter();
    anchors().find(shows).or_else(|| anchors().find(cut)).map(|anchor| anchor.line)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use expect_test::{Expect, expect};

    use super::*;
    use crate::document::turn;
    use crate::fixture::{Fixture, Known, RETRY, ROOT};
    use crate::now::{AddedLine, RemovedLine, StepLife, Writer};

    /// Line 40 is at 41 now, line 41 was replaced in turn 14, line 42 by nobody known.
    fn known() -> Known {
        let path: Box<str> = format!("{ROOT}/src/loader.rs").into();
        let place = |line| Place { path: path.clone(), line };
        let writer = Writer {
            agent: "Claude".into(),
            session: "9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77".into(),
            turn: 14,
            step: "14.2".into(),
            title: "Faster".into(),
            at: None,
        };
        let gone = |by| LineNow::Gone { by, near: Some(place(43)) };
        let added = |line, now| AddedLine { path: path.clone(), line, now };
        let life = StepLife {
            written: 12,
            live: 1,
            now: vec![Span { path: path.clone(), from: 41, to: 41 }],
            added: vec![
                added(40, LineNow::At(place(41))),
                added(41, gone(Gone::By(writer))),
                added(42, gone(Gone::NoRecordedTurn)),
            ],
            removed: vec![RemovedLine { path: path.clone(), line: 40, writer: None, near: Some(place(40)) }],
            ..StepLife::default()
        };
        let elsewhere = Span { path: format!("{ROOT}/src/http.rs").into(), from: 15, to: 19 };
        let other = StepLife { written: 5, live: 5, now: vec![elsewhere], ..StepLife::default() };
        Known(HashMap::from([("1.7".into(), life), ("1.10".into(), other)]))
    }

    /// Definition and references of the first line that begins like this.
    fn check(start: &str, expect: Expect) {
        let fixture = Fixture::of(RETRY);
        let rendered = turn(&fixture.source(), 1).expect("a turn");
        let line = rendered.text.lines().position(|line| line.starts_with(start)).expect("a line");
        let Some(anchor) = spot(&rendered, line as u32) else { return expect.assert_eq("nothing") };
        let definition = definition(&fixture.session, anchor, &known()).map(|found| {
            let place = found.place.map(|place| format!("{}:{}", &place.path[ROOT.len() + 1..], place.line));
            format!("{} {}", place.unwrap_or_default(), found.message.unwrap_or_default()).trim().to_owned()
        });
        let references: Vec<String> = references(&fixture.session, anchor, &known())
            .iter()
            .map(|span| format!("{}:{}-{}", &span.path[ROOT.len() + 1..], span.from, span.to))
            .collect();
        expect.assert_eq(&format!("{}\n{}", definition.unwrap_or_else(|| "-".into()), references.join(" ")));
    }

    #[test]
    fn jumps() {
        check(
            "# Turn 1",
            expect![[r#"
                src/http.rs:15
                src/http.rs:15-19 src/loader.rs:41-41"#]],
        );
        check(
            "### 1.7",
            expect![[r#"
                src/loader.rs:41
                src/loader.rs:41-41"#]],
        );
        check(
            "+    let mut wait",
            expect![[r#"
                src/loader.rs:41
                src/loader.rs:41-41"#]],
        );
        check(
            "+    let mut left",
            expect![[r#"
            src/loader.rs:43 Replaced in turn 14 (14.2).
            src/loader.rs:41-41"#]],
        );
        check(
            "+    let body",
            expect![[r#"
            src/loader.rs:43 Changed since, by no recorded turn.
            src/loader.rs:41-41"#]],
        );
        check(
            "-    let body",
            expect![[r#"
            src/loader.rs:40 Removed here by 1.7.
            src/loader.rs:41-41"#]],
        );
        check(
            "     let client",
            expect![[r#"
                src/loader.rs:41
                src/loader.rs:41-41"#]],
        );
        check(
            "- 1.3 Read",
            expect![[r#"
            -
        "#]],
        );
        check("Claude Code", expect!["nothing"]);
    }

    fn check_shown(label: &str, written: Option<(u32, u32)>, expect: Expect) {
        let fixture = Fixture::of(RETRY);
        let rendered = crate::session_page(&fixture.source(), 1, None);
        let mut numbers = label.split('.').map(|n| n.parse().expect("a number"));
        let step = StepRef { turn: numbers.next().expect("a turn"), steps: numbers.collect() };
        let lines: Vec<&str> = rendered.text.lines().collect();
        let shown = find_step(&rendered, &step, written).map(|shown| {
            let line = shown.line.map(|line| lines[line as usize]).unwrap_or("-");
            assert_eq!(turn_at(&rendered, shown.head), Some(step.turn));
            format!("{}\n{line}", lines[shown.head as usize])
        });
        expect.assert_eq(&shown.unwrap_or_else(|| "nothing".into()));
    }

    #[test]
    fn steps_are_found() {
        check_shown(
            "1",
            None,
            expect![[r#"
            ## Turn 1 · Add retry to the loader
            -"#]],
        );
        check_shown(
            "1.7",
            Some((0, 46)),
            expect![[r#"
            ### 1.7 Edit src/loader.rs:40 +12 −1
            +                sleep(wait);"#]],
        );
        check_shown(
            "2.4.3",
            Some((0, 3)),
            expect![[r#"
            ### 2.4.3 Write tests/retry.rs · new file, 24 lines
            +#[test]"#]],
        );
        // Cut.
        check_shown(
            "2.4.3",
            Some((0, 20)),
            expect![[r#"
                ### 2.4.3 Write tests/retry.rs · new file, 24 lines
                … 12 more lines"#]],
        );
        // A step inside a sub-agent that its parent's page does not show.
        check_shown(
            "2.4.1",
            None,
            expect![[r####"
            ### 2.4 Agent "test-writer" · Write tests for retry · 5 steps · 2 min 3 s
            -"####]],
        );
        check_shown(
            "1.2",
            None,
            expect![[r#"
            I'll look at how errors carry their status first.
            -"#]],
        );
        check_shown("9.9", None, expect!["nothing"]);
    }
}
