//! The words of undoing a turn or a step.

use crate::rendered::StepRef;
use crate::text::{clean, count, short_id};
use crate::view::View;

/// What undoing a turn or a step comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undoing {
    pub session: Box<str>,
    /// The turn; with steps, the step.
    pub of: Option<StepRef>,
    /// Hunks in files that stay, those of them that are taken back, and in how many files.
    pub hunks: u32,
    pub undone: u32,
    pub files: u32,
    /// Files with nothing in them but what it put there.
    pub made: Vec<Box<str>>,
    /// Why hunks stay, one entry a hunk.
    pub stays: Vec<Stay>,
}

/// Why a hunk stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stay {
    /// A later step of this session changed the same lines.
    Step {
        session: Box<str>,
        step: StepRef,
    },
    Unsaved,
    NoRecordedTurn,
    FileGone,
    FileThere,
    /// No log tells the text before.
    NotKnown,
}

impl Undoing {
    /// `Undo turn 12: 14 of 16 hunks in 3 files. 2 hunks were changed later (turn 14; unsaved typing) and stay.`
    pub fn words(&self, view: &View<'_>) -> String {
        let what = self.what();
        let mut words = match (self.undone, self.made.is_empty()) {
            (0, true) => format!("Nothing of {what} stands any more."),
            (0, false) => format!("Undo {what}."),
            (undone, _) => {
                let hunks = count(self.hunks.into(), "hunk");
                let hunks = if undone == self.hunks { hunks } else { format!("{undone} of {hunks}") };
                format!("Undo {what}: {hunks} in {}.", count(self.files.into(), "file"))
            }
        };
        if let Some(stays) = self.stays() {
            words.push_str(&format!(" {stays}"));
        }
        if !self.made.is_empty() {
            let names: Vec<String> = self.made.iter().map(|path| clean(&view.path(path)).into_owned()).collect();
            words.push_str(&format!(" It made {}, which nobody changed.", names.join(", ")));
        }
        words
    }

    /// `2 hunks were changed later (turn 14; unsaved typing) and stay.` `None`: nothing stays.
    pub fn stays(&self) -> Option<String> {
        let (unknown, changed): (Vec<&Stay>, Vec<&Stay>) = self.stays.iter().partition(|stay| **stay == Stay::NotKnown);
        let mut sentences = Vec::new();
        if !changed.is_empty() {
            let mut reasons: Vec<String> = Vec::new();
            for reason in changed.iter().map(|stay| self.reason(stay)) {
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
            }
            let (were, stay) = if changed.len() == 1 { ("was", "stays") } else { ("were", "stay") };
            let hunks = count(changed.len() as u64, "hunk");
            sentences.push(format!("{hunks} {were} changed later ({}) and {stay}.", reasons.join("; ")));
        }
        if !unknown.is_empty() {
            let stay = if unknown.len() == 1 { "stays" } else { "stay" };
            let hunks = count(unknown.len() as u64, "hunk");
            sentences.push(format!("{hunks} {stay}: no log tells the text before."));
        }
        (!sentences.is_empty()).then(|| sentences.join(" "))
    }

    /// Of one hunk: `Changed later (turn 14), stays.`
    pub fn one_stays(&self, stay: &Stay) -> String {
        match stay {
            Stay::NotKnown => "Stays: no log tells the text before.".into(),
            stay => format!("Changed later ({}), stays.", self.reason(stay)),
        }
    }

    /// `turn 12`, `step 12.7`
    pub fn what(&self) -> String {
        self.of.as_ref().map_or_else(|| "the session".into(), named)
    }

    fn reason(&self, stay: &Stay) -> String {
        match stay {
            Stay::Step { session, step } if *session != self.session => format!("{}:{}", short_id(session), step.turn),
            Stay::Step { step, .. } if self.of.as_ref().is_some_and(|of| of.turn == step.turn) => named(step),
            Stay::Step { step, .. } => format!("turn {}", step.turn),
            Stay::Unsaved => "unsaved typing".into(),
            Stay::NoRecordedTurn => "no recorded turn".into(),
            Stay::FileGone => "the file is gone".into(),
            Stay::FileThere => "there is such a file again".into(),
            Stay::NotKnown => "not known".into(),
        }
    }
}

fn named(step: &StepRef) -> String {
    if step.steps.is_empty() { format!("turn {}", step.turn) } else { format!("step {}", step.label()) }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::fixture::{ROOT, view};

    fn step(turn: u32, steps: &[u32]) -> StepRef {
        StepRef { turn, steps: steps.to_vec() }
    }

    fn by(session: &str, turn: u32, steps: &[u32]) -> Stay {
        Stay::Step { session: session.into(), step: step(turn, steps) }
    }

    /// Of turn 12, or of step 12.7.
    fn check(steps: &[u32], (undone, hunks, files): (u32, u32, u32), made: &[&str], stays: &[Stay], expect: Expect) {
        let undoing = Undoing {
            session: "9f3c1a2b-7d14".into(),
            of: Some(step(12, steps)),
            hunks,
            undone,
            files,
            made: made.iter().map(|path| format!("{ROOT}/{path}").into()).collect(),
            stays: stays.to_vec(),
        };
        expect.assert_eq(&undoing.words(&view()));
    }

    #[test]
    fn words() {
        let later = by("9f3c1a2b-7d14", 14, &[2]);
        check(
            &[],
            (14, 16, 3),
            &[],
            &[later.clone(), Stay::Unsaved],
            expect![
                "Undo turn 12: 14 of 16 hunks in 3 files. 2 hunks were changed later (turn 14; unsaved typing) and stay."
            ],
        );
        check(&[], (16, 16, 3), &[], &[], expect!["Undo turn 12: 16 hunks in 3 files."]);
        check(
            &[7],
            (1, 2, 1),
            &[],
            &[by("9f3c1a2b-7d14", 12, &[9])],
            expect!["Undo step 12.7: 1 of 2 hunks in 1 file. 1 hunk was changed later (step 12.9) and stays."],
        );
        check(
            &[],
            (1, 4, 1),
            &[],
            &[by("019d7e8e-1111", 2, &[1]), later.clone(), later.clone()],
            expect!["Undo turn 12: 1 of 4 hunks in 1 file. 3 hunks were changed later (019d7e8e:2; turn 14) and stay."],
        );
        check(
            &[],
            (0, 0, 0),
            &["src/retry.rs", "tests/retry.rs"],
            &[],
            expect!["Undo turn 12. It made src/retry.rs, tests/retry.rs, which nobody changed."],
        );
        check(
            &[],
            (1, 2, 1),
            &["src/retry.rs"],
            &[Stay::NoRecordedTurn],
            expect![
                "Undo turn 12: 1 of 2 hunks in 1 file. 1 hunk was changed later (no recorded turn) and stays. It made src/retry.rs, which nobody changed."
            ],
        );
        check(&[], (0, 2, 0), &[], &[], expect!["Nothing of turn 12 stands any more."]);
        check(
            &[],
            (0, 2, 0),
            &[],
            &[Stay::NoRecordedTurn, Stay::FileGone],
            expect![
                "Nothing of turn 12 stands any more. 2 hunks were changed later (no recorded turn; the file is gone) and stay."
            ],
        );
        check(
            &[],
            (1, 3, 1),
            &[],
            &[Stay::NotKnown, Stay::FileThere],
            expect![
                "Undo turn 12: 1 of 3 hunks in 1 file. 1 hunk was changed later (there is such a file again) and stays. 1 hunk stays: no log tells the text before."
            ],
        );
    }
}
