//! Addresses as they are typed, and what they name here.

use trace::{Address, SessionRef, StepAt, TurnRef};
use workspace::{Located, short_session};

use super::here::Here;
use super::{not_found, wrong_use};
use crate::answers::Answers;

/// A number shorter than the beginning of a session's id is a turn of the newest session: `12`, `12.7`.
const SHORTEST_ID: usize = 4;

pub(super) fn parse(text: &str) -> anyhow::Result<Address> {
    let is_turn =
        |text: &str| text == "last" || text.split('.').all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    let short = if is_turn(text) && (text.contains('.') || text.len() < SHORTEST_ID || text == "last") {
        format!("@:{text}").parse()
    } else {
        text.parse()
    };
    short.map_err(|why: String| wrong_use(why))
}

/// What an address names, among the sessions that the options leave.
pub(super) fn locate(here: &Here, answers: &Answers<'_>, address: &Address) -> anyhow::Result<Located> {
    let mut address = address.clone();
    if let SessionRef::Recent(n) = address.session {
        let sessions = here.sessions(answers);
        if sessions.is_empty() {
            return Err(not_found(here.no_sessions(answers)));
        }
        let edited = |path: &&&std::sync::Arc<workspace::LogSummary>| here.summary(answers, path).edits > 0;
        // The last turn that edited, whichever session's: the newest may only have been asked something.
        let found = match address.turn {
            Some(TurnRef::Last) if n == 1 => sessions.iter().find(edited).or(sessions.first()),
            _ => sessions.get(n as usize - 1),
        };
        let found = found.ok_or_else(|| {
            let sessions = lens::count(sessions.len() as u64, "session");
            not_found(format!("There is no @{n}: {sessions} here."))
        })?;
        address.session = SessionRef::Id((&*found.session).into());
    }
    answers.moment.locate(&address, here.repo.as_ref()).map_err(not_found)
}

/// The steps that are meant: one (with those of its sub-agent), a turn's, or all of the session.
pub(super) fn steps(located: &Located) -> Vec<StepAt<'_>> {
    let session = &located.view.session;
    let mut all = Vec::new();
    for turn in session.path.turns.iter().filter(|turn| located.turn == 0 || turn.number == located.turn) {
        session.steps_of(turn, &mut all);
    }
    all.retain(|at| at.numbers.starts_with(&located.steps));
    all
}

/// `9f3c1a2b`, `9f3c1a2b:12`, `9f3c1a2b:12.7`
pub(super) fn of_located(located: &Located) -> String {
    of(&located.view.session.path.session, located.turn, &located.steps)
}

pub(super) fn of(session: &str, turn: u32, steps: &[u32]) -> String {
    let session = short_session(session);
    if turn == 0 { session.to_owned() } else { format!("{session}:{}", label(turn, steps)) }
}

/// `12`, `12.7`
pub(super) fn label(turn: u32, steps: &[u32]) -> String {
    lens::StepRef { turn, steps: steps.to_vec() }.label()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    fn check(text: &str, expect: Expect) {
        expect.assert_eq(&super::parse(text).map_or_else(|why| why.to_string(), |address| address.to_string()));
    }

    #[test]
    fn typed_addresses() {
        check("@", expect!["@"]);
        check("@2:last", expect!["@2:last"]);
        check("last", expect!["@:last"]);
        check("12", expect!["@:12"]);
        check("12.7.3", expect!["@:12.7.3"]);
        check("1234", expect!["1234"]);
        check("9f3c:12.7", expect!["9f3c:12.7"]);
        check(
            "9f3c:x",
            expect!["“9f3c:x” is no address: “x” is no number from 1. Write SESSION:TURN.STEP, as in 9f3c:12.7."],
        );
        check("", expect!["An address is empty."]);
    }
}
