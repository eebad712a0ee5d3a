//! Messages, word for word.

use trace::Timestamp;

use crate::text::{count, one_line, thousands};
use crate::view::View;

/// Why nothing can be said of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// No evidence at all.
    NoTurn { last: Option<LastCommit> },
    /// The commit names an agent, whose log is not here.
    Named { last: LastCommit, agent: Box<str> },
    /// Logs are still being read.
    Reading { done: u32, total: u32 },
}

/// The commit that last changed a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastCommit {
    /// Abbreviated.
    pub hash: Box<str>,
    pub author: Box<str>,
    pub at: Timestamp,
}

/// What is said of a line without origin, when asked.
pub fn unanswered(why: &Unanswered, view: &View<'_>) -> String {
    const NO_TURN: &str = "No recorded turn wrote this line.";
    match why {
        Unanswered::NoTurn { last: None } => NO_TURN.into(),
        Unanswered::NoTurn { last: Some(last) } => {
            format!("{NO_TURN} Last commit: {}, {}, {}.", last.hash, one_line(&last.author), view.when(last.at))
        }
        Unanswered::Named { last, agent } => format!(
            "{NO_TURN} Commit {} by {} names {agent}; its log is not on this computer.",
            last.hash,
            one_line(&last.author)
        ),
        Unanswered::Reading { done, total } => format!(
            "Still reading: {} of {}. This line is not known yet.",
            thousands((*done).into()),
            count((*total).into(), "session")
        ),
    }
}

/// What an archive knows of a turn whose log is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownOfGoneLog {
    /// The agent's full name, and after how many days it deletes logs.
    pub deleted_by: Box<str>,
    pub days: u32,
    /// `prompt`, `diff`
    pub known: Vec<Box<str>>,
}

pub fn log_gone(known: Option<&KnownOfGoneLog>) -> String {
    match known {
        None => "The log of this turn is gone.".into(),
        Some(KnownOfGoneLog { deleted_by, days, known }) => format!(
            "The log of this turn is gone (deleted by {deleted_by} after {days} days). Known from it: {}.",
            known.join(", ")
        ),
    }
}

/// `places` are folders as they are shown, `~/.claude`.
pub fn no_sessions(places: &[&str]) -> String {
    const NAMED: usize = 2;
    let named = places.iter().take(NAMED).copied().collect::<Vec<&str>>().join(", ");
    match places.len() {
        0 => "No agent sessions found.".into(),
        1 | NAMED => format!("No agent sessions found. Looked in {named}."),
        n => format!("No agent sessions found. Looked in {named}, … ({}).", count(n as u64, "place")),
    }
}

pub fn nothing_to_undo(turn: u32) -> String {
    format!("Nothing of turn {turn} stands any more.")
}

pub fn running_elsewhere(pid: u32) -> String {
    format!("This session is running in another terminal (pid {pid}).")
}

pub fn folder_gone(folder: &str) -> String {
    format!("The folder {folder} of this session is gone. Copy the command instead.")
}

/// `key` as written, without the prefix; the setting that is nearest to it.
pub fn unknown_setting(key: &str, nearest: Option<&str>) -> String {
    match nearest {
        Some(nearest) => format!("turnlens.{key} is not a setting. Did you mean turnlens.{nearest}?"),
        None => format!("turnlens.{key} is not a setting."),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::fixture::{at, view};

    fn check(why: Unanswered, expect: Expect) {
        expect.assert_eq(&unanswered(&why, &view()));
    }

    #[test]
    fn lines_without_origin() {
        let last = LastCommit { hash: "9f3c1a2".into(), author: "Anna".into(), at: at("2026-11-03 10:00") };
        check(Unanswered::NoTurn { last: None }, expect!["No recorded turn wrote this line."]);
        check(
            Unanswered::NoTurn { last: Some(last.clone()) },
            expect!["No recorded turn wrote this line. Last commit: 9f3c1a2, Anna, 3 Nov."],
        );
        check(
            Unanswered::Named { last, agent: "Claude Code".into() },
            expect![
                "No recorded turn wrote this line. Commit 9f3c1a2 by Anna names Claude Code; its log is not on this computer."
            ],
        );
        check(
            Unanswered::Reading { done: 312, total: 1001 },
            expect!["Still reading: 312 of 1,001 sessions. This line is not known yet."],
        );
    }

    #[test]
    fn messages() {
        let all = [
            log_gone(None),
            log_gone(Some(&KnownOfGoneLog {
                deleted_by: "Claude Code".into(),
                days: 30,
                known: vec!["prompt".into(), "diff".into()],
            })),
            no_sessions(&["~/.claude"]),
            no_sessions(&["~/.claude", "~/.codex", "c", "d", "e", "f", "g"]),
            nothing_to_undo(12),
            running_elsewhere(4312),
            folder_gone("~/src/fetchd"),
            unknown_setting("codelens", Some("codeLens.scope")),
        ];
        expect![[r#"
            The log of this turn is gone.
            The log of this turn is gone (deleted by Claude Code after 30 days). Known from it: prompt, diff.
            No agent sessions found. Looked in ~/.claude.
            No agent sessions found. Looked in ~/.claude, ~/.codex, … (7 places).
            Nothing of turn 12 stands any more.
            This session is running in another terminal (pid 4312).
            The folder ~/src/fetchd of this session is gone. Copy the command instead.
            turnlens.codelens is not a setting. Did you mean turnlens.codeLens.scope?"#]]
        .assert_eq(&all.join("\n"));
    }
}
