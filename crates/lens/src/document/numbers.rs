//! A turn in numbers.

use trace::{Session, StepAt, Tokens, Turn};

use crate::text::{count, thousands};
use crate::view::View;

/// What the line of numbers and the outline say of a turn; its sub-agents' work is part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TurnNumbers {
    pub(crate) steps: u64,
    pub(crate) agents: u64,
    pub(crate) files: u64,
    pub(crate) added: u64,
    pub(crate) removed: u64,
    pub(crate) responses: u64,
    pub(crate) tokens: Tokens,
}

impl TurnNumbers {
    pub(crate) fn of(session: &Session, turn: &std::sync::Arc<Turn>) -> TurnNumbers {
        let mut all: Vec<StepAt<'_>> = Vec::new();
        session.steps_of(turn, &mut all);
        let mut numbers = TurnNumbers { steps: turn.steps.len() as u64, ..TurnNumbers::default() };
        let mut paths: Vec<&str> = Vec::new();
        let sides = all.iter().filter_map(|at| session.side(at.step));
        for response in turn.responses.iter().chain(sides.clone().flat_map(|side| &side.responses)) {
            numbers.responses += 1;
            numbers.tokens.add(&response.tokens);
        }
        numbers.agents = sides.count() as u64;
        for edit in all.iter().flat_map(|at| at.step.edits()) {
            numbers.added += u64::from(edit.added);
            numbers.removed += u64::from(edit.removed);
            paths.push(&edit.path);
        }
        paths.sort_unstable();
        paths.dedup();
        numbers.files = paths.len() as u64;
        numbers
    }

    pub(crate) fn has_edits(&self) -> bool {
        self.files > 0
    }

    /// `2 files +18 −1`
    pub(crate) fn edits(&self) -> Option<String> {
        self.has_edits().then(|| format!("{} {}", count(self.files, "file"), plus_minus(self.added, self.removed)))
    }

    /// `11 steps, 2 sub-agents · 2 files +18 −1 · 61,204 tokens`
    pub(crate) fn line(&self) -> String {
        let mut line = count(self.steps, "step");
        if self.agents > 0 {
            line.push_str(&format!(", {}", count(self.agents, "sub-agent")));
        }
        line.push_str(&format!(" · {}", self.edits().unwrap_or_else(|| "no edits".into())));
        if self.responses > 0 {
            line.push_str(&format!(" · {} tokens", thousands(self.tokens.total())));
        }
        line
    }
}

/// `+18 −1`
pub(crate) fn plus_minus(added: u64, removed: u64) -> String {
    format!("+{} −{}", thousands(added), thousands(removed))
}

/// The turn's detail in an outline: `14:02 · 2 files +18 −1`.
pub(crate) fn outline_detail(view: &View<'_>, turn: &Turn, numbers: &TurnNumbers) -> String {
    let started = turn.started.map(|at| view.clock(at));
    [started, numbers.edits()].into_iter().flatten().collect::<Vec<String>>().join(" · ")
}
