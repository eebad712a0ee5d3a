//! Whole bodies: what the pages of a session cut.

use super::page::{Page, Row};
use super::{Source, steps::step_ref};
use crate::rendered::{Part, Rendered, StepRef};
use crate::words::log_gone;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    Thought,
    Input,
    Output,
    /// The records of the call and of its result, as pretty JSON.
    Record,
}

/// The whole prompt of a turn. `None`: there is no such turn, or it has no prompt.
pub fn prompt(source: &Source<'_>, number: u32) -> Option<Rendered> {
    let turn = source.session.path.turn(number)?;
    let prompt = turn.prompt.as_ref()?;
    let content = turn.place.and_then(|place| source.content(source.session.path.log, place));
    let text = match content {
        Some(content) => content.text.clone(),
        None if prompt.text.is_whole() => prompt.text.head.to_string(),
        None => return Some(gone()),
    };
    Some(whole(&text, &StepRef::turn(number)))
}

/// One whole body of a step. `None`: there is no such step, or it has no such body.
pub fn step_body(source: &Source<'_>, turn: u32, steps: &[u32], kind: BodyKind) -> Option<Rendered> {
    let at = source.session.step(turn, steps)?;
    let own = || source.content(at.log, at.step.place);
    let result = at.step.result.as_ref();
    let text = match kind {
        BodyKind::Thought => own().map(|content| content.text.clone()),
        BodyKind::Input => own().map(|content| content.input.clone()),
        BodyKind::Output if at.step.call.is_none() => own().map(|content| content.text.clone()),
        BodyKind::Output => source.content(at.log, result?.place).map(|content| content.text.clone()),
        BodyKind::Record => {
            let records = [Some(at.step.place), result.map(|result| result.place)];
            let records: Vec<String> = records
                .into_iter()
                .flatten()
                .filter_map(|place| source.content(at.log, place))
                .map(|content| content.record.trim_end().to_owned())
                .collect();
            match &*records {
                [] => None,
                [one] => Some(one.clone()),
                all => Some(format!("[\n{}\n]", all.join(",\n"))),
            }
        }
    };
    Some(text.map_or_else(gone, |text| whole(&text, &step_ref(&at))))
}

fn whole(text: &str, step: &StepRef) -> Rendered {
    let mut page = Page::default();
    page.push_lines(text.lines());
    page.anchor(0, step, Part::Body);
    page.finish()
}

fn gone() -> Rendered {
    let mut page = Page::default();
    page.push(Row::of(&log_gone(None)));
    page.finish()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::fixture::{Fixture, RETRY};

    fn check(label: (u32, u32), kind: BodyKind, expect: Expect) {
        let fixture = Fixture::of(RETRY);
        let rendered = step_body(&fixture.source(), label.0, &[label.1], kind);
        expect.assert_eq(&rendered.map_or("-".into(), |rendered| rendered.text));
    }

    #[test]
    fn whole_bodies() {
        check(
            (1, 1),
            BodyKind::Thought,
            expect![[r#"
            The loader calls `client.get` once and passes the error up. Whether an error
            may be tried again depends on its status, which `Error` keeps private, so the type needs a method that says
            whether it is transient. A 4xx answer says that the request itself is wrong, and no number of attempts makes it
            right; a 5xx answer and no answer at all may pass. Three attempts with 200 and 400 ms between them are at most
            600 ms, which a caller can bear. The loop goes into `load`, around the one call, and the error of the last
            attempt is what the caller gets. That leaves the signature as it is. I should look at how errors carry status.
        "#]],
        );
        check(
            (1, 11),
            BodyKind::Input,
            expect![[r#"
            cargo test -p fetchd
        "#]],
        );
        check(
            (1, 13),
            BodyKind::Output,
            expect![[r#"
            test result: ok. 12 passed
        "#]],
        );
        check(
            (1, 2),
            BodyKind::Output,
            expect![[r#"
            I'll look at how errors carry their status first.
        "#]],
        );
        check(
            (1, 11),
            BodyKind::Record,
            expect![[r#"
            [
            {
              "tool": "Bash"
            },
            {
              "result": true
            }
            ]
        "#]],
        );
        check((9, 9), BodyKind::Record, expect!["-"]);
        let fixture = Fixture::of(RETRY);
        assert_eq!(prompt(&fixture.source(), 2).map(|rendered| rendered.text), Some("yes\n".into()));
        let gone = Fixture::of(RETRY).without_bodies();
        let text = step_body(&gone.source(), 1, &[1], BodyKind::Thought).map(|rendered| rendered.text);
        assert_eq!(text.as_deref(), Some("The log of this turn is gone.\n"));
    }
}
