//! Code actions on lines of code. Their kind is `source.turnlens`, so that no light bulb lights.

use trace::Timestamp;

use crate::rendered::StepRef;
use crate::text::one_line;

/// At most this many turns are offered for a selection.
const MOST_TURNS: usize = 5;

/// The origin of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnOfLine {
    /// As it is shown: [`crate::agent_name`].
    pub agent: Box<str>,
    pub session: Box<str>,
    pub title: Box<str>,
    pub step: StepRef,
    pub at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    pub title: String,
    pub kind: ActionKind,
    /// The session, and the step or turn it is about.
    pub session: Box<str>,
    pub step: StepRef,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionKind {
    OpenTurn,
    StepDiff,
    TurnChanges,
    LineHistory,
    UndoTurn,
    Explain,
}

/// What can be done on one line, in the order of the menu.
pub fn line_actions(line: &TurnOfLine) -> Vec<Action> {
    let (turn, step) = (line.step.turn, line.step.label());
    let action = |title: String, kind| Action { title, kind, session: line.session.clone(), step: line.step.clone() };
    vec![
        open_turn(line),
        action(format!("Show diff of step {step}"), ActionKind::StepDiff),
        action(format!("Show changes of turn {turn}"), ActionKind::TurnChanges),
        action("Show line history".into(), ActionKind::LineHistory),
        action(format!("Undo turn {turn}…"), ActionKind::UndoTurn),
        action("Explain this line".into(), ActionKind::Explain),
    ]
}

/// What can be done on a selection: its turns, newest first. `lines` are the origins of its lines.
pub fn selection_actions(lines: &[TurnOfLine]) -> Vec<Action> {
    let mut turns: Vec<&TurnOfLine> = lines.iter().collect();
    turns.sort_by(|a, b| (&a.session, a.step.turn).cmp(&(&b.session, b.step.turn)));
    turns.dedup_by(|a, b| a.session == b.session && a.step.turn == b.step.turn);
    turns.sort_by(|a, b| b.at.cmp(&a.at).then(b.step.turn.cmp(&a.step.turn)));
    turns.into_iter().take(MOST_TURNS).map(open_turn).collect()
}

fn open_turn(line: &TurnOfLine) -> Action {
    let title = format!("Open turn {} ({}, {})", line.step.turn, line.agent, one_line(&line.title));
    Action { title, kind: ActionKind::OpenTurn, session: line.session.clone(), step: line.step.clone() }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn line(turn: u32, at: i64) -> TurnOfLine {
        TurnOfLine {
            agent: "Claude".into(),
            session: "9f3c1a2b".into(),
            title: "Add retry to the loader".into(),
            step: StepRef { turn, steps: vec![7] },
            at: Some(Timestamp(at)),
        }
    }

    fn check(actions: &[Action], expect: Expect) {
        expect.assert_eq(&actions.iter().map(|action| format!("{}\n", action.title)).collect::<String>());
    }

    #[test]
    fn menus() {
        check(
            &line_actions(&line(12, 0)),
            expect![[r#"
            Open turn 12 (Claude, Add retry to the loader)
            Show diff of step 12.7
            Show changes of turn 12
            Show line history
            Undo turn 12…
            Explain this line
        "#]],
        );
        let turns = [3, 1, 3, 2, 9, 8, 7, 3].map(|turn| line(turn, i64::from(turn)));
        check(
            &selection_actions(&turns),
            expect![[r#"
            Open turn 9 (Claude, Add retry to the loader)
            Open turn 8 (Claude, Add retry to the loader)
            Open turn 7 (Claude, Add retry to the loader)
            Open turn 3 (Claude, Add retry to the loader)
            Open turn 2 (Claude, Add retry to the loader)
        "#]],
        );
    }
}
