//! What the agent said before an edit and what ran after it.

use trace::{Grown, LogId, Session, Step, StepKind};

use super::Markup;
use crate::document::Source;
use crate::rendered::StepRef;
use crate::text::{cut_at_word, one_line};

const SAID: usize = 160;

/// Commands that look and do not judge.
const LOOKS: [&str; 20] = [
    "ls", "cat", "head", "tail", "sed", "grep", "rg", "find", "fd", "echo", "pwd", "wc", "git", "mkdir", "which",
    "tree", "touch", "rm", "mv", "cp",
];

/// A command and how it came out, the first time after an edit and, where it failed, the first time that it passed.
struct Ran {
    command: String,
    first: (Outcome, String),
    then: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    /// The log does not tell.
    Ran,
}

impl Outcome {
    fn of(step: &Step) -> Option<Outcome> {
        let result = step.result.as_ref()?;
        match result.exit {
            _ if result.refused || result.interrupted => None,
            Some(0) => Some(Outcome::Passed),
            Some(_) => Some(Outcome::Failed),
            None if result.error => Some(Outcome::Failed),
            None => Some(Outcome::Ran),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::Ran => "ran",
        }
    }
}

/// How the labels of the runs stand in the sentence.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Labels {
    /// `failed, then passed in 12.11`
    Last,
    /// `failed (1.9), then passed (1.11)`
    All,
}

/// `After it: …`
pub(super) fn after(session: &Session, step: &StepRef, labels: Labels, markup: Markup) -> Option<String> {
    let ran = ran_after(session, step)?;
    let (outcome, label) = &ran.first;
    let first = match (labels, &ran.then) {
        (Labels::All, _) => format!("{} ({label})", outcome.word()),
        (Labels::Last, None) => format!("{} in {label}", outcome.word()),
        (Labels::Last, Some(_)) => outcome.word().to_owned(),
    };
    let then = match (labels, &ran.then) {
        (_, None) => String::new(),
        (Labels::All, Some(label)) => format!(", then passed ({label})"),
        (Labels::Last, Some(label)) => format!(", then passed in {label}"),
    };
    Some(format!("After it: {} {first}{then}", markup.code(&ran.command)))
}

fn ran_after(session: &Session, step: &StepRef) -> Option<Ran> {
    let later = later_steps(session, step)?;
    let mut checks =
        later.into_iter().filter(|(_, step)| step.kind == StepKind::Command).filter_map(|(label, step)| {
            let command = command(step);
            let word = command.split(' ').next().unwrap_or_default();
            let judges = !LOOKS.contains(&word);
            Some((Outcome::of(step)?, label, command)).filter(|_| judges)
        });
    let (outcome, label, command) = checks.next()?;
    let passed = match outcome {
        Outcome::Failed => checks.find(|(outcome, _, again)| *again == command && *outcome == Outcome::Passed),
        Outcome::Passed | Outcome::Ran => None,
    };
    Some(Ran { command, first: (outcome, label), then: passed.map(|(_, label, _)| label) })
}

/// The steps behind a step, those of the turn after those of its own sub-agent.
fn later_steps<'s>(session: &'s Session, step: &StepRef) -> Option<Vec<(String, &'s Step)>> {
    let mut later = Vec::new();
    let mut above = step.steps.clone();
    while let Some(number) = above.pop() {
        let (steps, _) = level(session, step.turn, &above)?;
        for next in steps.iter().skip(number as usize) {
            let numbers = [&*above, &[next.number]].concat();
            later.push((StepRef { turn: step.turn, steps: numbers }.label(), next));
        }
    }
    Some(later)
}

/// The steps of a turn, or of the sub-agent that the step `above` started.
fn level<'s>(session: &'s Session, turn: u32, above: &[u32]) -> Option<(&'s Grown<Step>, LogId)> {
    match above {
        [] => session.path.turn(turn).map(|turn| (&turn.steps, session.path.log)),
        _ => {
            let at = session.step(turn, above)?;
            session.side(at.step).map(|side| (&side.steps, side.log))
        }
    }
}

/// White space collapsed, a leading `cd … &&` stripped.
fn command(step: &Step) -> String {
    let command = one_line(&step.text.head);
    match command.strip_prefix("cd ").and_then(|rest| rest.split_once(" && ")) {
        Some((_, rest)) => rest.to_owned(),
        None => command,
    }
}

/// The sentence that the agent said before a step.
pub(super) fn said_before(source: &Source<'_>, step: &StepRef) -> Option<String> {
    let (number, above) = step.steps.split_last()?;
    let (steps, log) = level(source.session, step.turn, above)?;
    let before = steps.iter().take((*number as usize).saturating_sub(1));
    let words = before.rev().find(|step| step.kind == StepKind::Text)?;
    let whole = match words.text.is_whole() {
        true => None,
        false => source.content(log, words.place),
    };
    let text = whole.as_ref().map_or(&*words.text.head, |content| &content.text);
    last_sentence(text)
}

fn last_sentence(text: &str) -> Option<String> {
    let is_prose = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with(['`', '~', '|', '#']);
    let line = one_line(text.lines().rev().find(is_prose)?);
    let mut ends = line
        .char_indices()
        .filter(|(at, c)| matches!(c, '.' | '!' | '?') && line[at + c.len_utf8()..].starts_with(' ') && *at > 0);
    let start = ends.next_back().map_or(0, |(at, c)| at + c.len_utf8() + 1);
    let sentence = line.get(start..)?.trim().trim_start_matches(['-', '*', '>', ' ']);
    (!sentence.is_empty()).then(|| cut_at_word(sentence, SAID).into_owned())
}
