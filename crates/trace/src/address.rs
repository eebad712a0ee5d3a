//! Addresses: `SESSION[:TURN[.STEP[.STEP]]]`, as people type and copy them.

use std::fmt;
use std::str::FromStr;

/// A place in a trace, as typed. What it names is looked up by whoever knows the sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub session: SessionRef,
    pub turn: Option<TurnRef>,
    /// A step's number, then a sub-agent's step's. Empty: the turn.
    pub steps: Vec<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionRef {
    /// `@`, `@2`: the newest session of this repository (1), the one before (2), …
    Recent(u32),
    /// An id, or a beginning of one.
    Id(Box<str>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnRef {
    Number(u32),
    /// The last turn that edited.
    Last,
}

impl FromStr for Address {
    type Err = String;

    /// Fails with a sentence that says what is wrong.
    fn from_str(text: &str) -> Result<Address, String> {
        let (session, rest) = match text.split_once(':') {
            Some((session, rest)) => (session, Some(rest)),
            None => (text, None),
        };
        let session = match session.strip_prefix('@') {
            Some("") => SessionRef::Recent(1),
            Some(n) => match n.parse() {
                Ok(n) if n > 0 => SessionRef::Recent(n),
                _ => return Err(format!("“{text}” is no address: after @ stands a number, as in @2.")),
            },
            // `:12` is the turn of the newest session.
            None if session.is_empty() && rest.is_some() => SessionRef::Recent(1),
            None if session.is_empty() => return Err("An address is empty.".into()),
            None => SessionRef::Id(session.into()),
        };
        let Some(rest) = rest else { return Ok(Address { session, turn: None, steps: Vec::new() }) };
        let mut parts = rest.split('.');
        let turn = match parts.next() {
            Some("last") => TurnRef::Last,
            Some(n) => TurnRef::Number(number(text, n)?),
            None => return Err(format!("“{text}” is no address: a turn's number is missing.")),
        };
        let steps = parts.map(|n| number(text, n)).collect::<Result<Vec<u32>, String>>()?;
        Ok(Address { session, turn: Some(turn), steps })
    }
}

fn number(address: &str, part: &str) -> Result<u32, String> {
    match part.parse() {
        Ok(n) if n > 0 => Ok(n),
        _ => Err(format!(
            "“{address}” is no address: “{part}” is no number from 1. Write SESSION:TURN.STEP, as in 9f3c:12.7."
        )),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.session {
            SessionRef::Recent(1) => f.write_str("@")?,
            SessionRef::Recent(n) => write!(f, "@{n}")?,
            SessionRef::Id(id) => f.write_str(id)?,
        }
        match self.turn {
            None => return Ok(()),
            Some(TurnRef::Number(n)) => write!(f, ":{n}")?,
            Some(TurnRef::Last) => f.write_str(":last")?,
        }
        self.steps.iter().try_for_each(|step| write!(f, ".{step}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, expect: Expect) {
        expect.assert_eq(&match text.parse::<Address>() {
            Ok(address) => address.to_string(),
            Err(error) => error,
        });
    }

    #[test]
    fn forms() {
        check("9f3c1a2b", expect!["9f3c1a2b"]);
        check("9f3c:12", expect!["9f3c:12"]);
        check("9f3c:12.7.3", expect!["9f3c:12.7.3"]);
        check("@", expect!["@"]);
        check("@2:last", expect!["@2:last"]);
        check(":last", expect!["@:last"]);
        check("@x", expect!["“@x” is no address: after @ stands a number, as in @2."]);
        check(
            "9f3c:0",
            expect!["“9f3c:0” is no address: “0” is no number from 1. Write SESSION:TURN.STEP, as in 9f3c:12.7."],
        );
        check("", expect!["An address is empty."]);
    }
}
