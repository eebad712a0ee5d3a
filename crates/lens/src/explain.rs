//! Why a line is said to be a turn's, or why nothing is said.

use trace::{Evidence, Timestamp};

use crate::document::{Page, Row};
use crate::rendered::Rendered;
use crate::text::{clean, columns, count, one_line, pad, short_id};
use crate::view::View;

#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    pub path: Box<str>,
    /// From 1.
    pub line: u32,
    pub text: Box<str>,
    pub verdict: Verdict,
    /// In the order in which they are told.
    pub facts: Vec<Fact>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    Written {
        /// The agent's full name.
        agent: Box<str>,
        /// `1.5`
        step: Box<str>,
        session: Box<str>,
        at: Option<Timestamp>,
        evidence: Evidence,
    },
    NotKnown,
    /// Logs are still being read.
    NotKnownYet {
        done: u32,
        total: u32,
    },
}

/// One line of the chain. `at` is `None` for what holds now.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    pub at: Option<Timestamp>,
    pub kind: FactKind,
}

/// Steps are named as they are written, `1.3`; with a session, `9f3c1a2b:1.3`, where it is another's.
#[derive(Clone, Debug, PartialEq)]
pub enum FactKind {
    /// The file was read whole.
    Read {
        by: Option<Box<str>>,
        step: Box<str>,
        lines: u32,
        there: bool,
    },
    /// An edit wrote the line. Whether the text that the log says it found equals the read told before.
    Adds {
        step: Box<str>,
        equals_read: bool,
    },
    /// An edit of the file that left the line as it was.
    Keeps {
        step: Box<str>,
    },
    /// An edit took the line away.
    Removes {
        step: Box<str>,
    },
    /// A command ran that may have written the file.
    Command {
        command: Box<str>,
        step: Box<str>,
        changed: bool,
    },
    /// A formatter changed only how the line is laid out.
    Reformatted {
        command: Box<str>,
        step: Box<str>,
    },
    /// The same run of lines stood at another place before.
    Moved {
        from: Box<str>,
        step: Option<Box<str>>,
    },
    Commit {
        hash: Box<str>,
        line: Option<u32>,
    },
    /// The file had another name until then.
    Former {
        path: Box<str>,
        commit: Option<Box<str>>,
    },
    /// The step told before came at another time than its log's clock says.
    Misdated,
    /// An edit of which nothing tells what text it found.
    Unreplayed {
        step: Box<str>,
    },
    /// A read or an edit whose text the log has no more.
    Gone {
        step: Box<str>,
    },
    /// A step wrote the whole file; nothing tells what stood there before.
    OverUnknown {
        step: Box<str>,
    },
    /// Nobody told the change, but only one command can have made it. `named`: because its text names this file.
    Inferred {
        command: Box<str>,
        step: Box<str>,
        named: bool,
    },
    /// What another tool's note says.
    Note {
        commit: Box<str>,
        agent: Box<str>,
    },
    /// Between the fact before and the one after, nobody is named; these commands (step, text) ran there.
    Gap {
        commands: Vec<(Box<str>, Box<str>)>,
        because: Because,
    },
    /// The line in the saved file and in the open document.
    Now {
        saved: Option<u32>,
        buffer: Option<u32>,
    },
}

/// Why nobody is named for a change that no edit told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// Nothing proves that it was a command and not a person.
    Undecided,
    /// The log tells that somebody changed the file by hand.
    ByHand,
    /// An edit was made there, and nothing tells what text it found.
    Waiting,
    /// What the worktree held is known from another one only.
    Elsewhere,
    /// The clocks of logs are proven wrong, so that it is not sure what ran there.
    Clocks,
    /// None of the commands makes such a change.
    Shape,
    /// A line with the same text stood there before.
    Alike,
}

/// The document of an explanation.
pub fn explanation(explanation: &Explanation, view: &View<'_>) -> Rendered {
    let mut page = Page::default();
    for line in explanation_text(explanation, view).lines() {
        page.push(Row::of(line));
    }
    page.finish()
}

/// The same as plain text, for a terminal.
pub fn explanation_text(explanation: &Explanation, view: &View<'_>) -> String {
    let place = format!("{}:{}", clean(&view.path(&explanation.path)), explanation.line);
    let mut text = format!("{place}      {}\n\n{}\n\n", clean(explanation.text.trim()), verdict(explanation, view));
    let moments: Vec<String> = moments(explanation, view);
    let width = moments.iter().map(|moment| columns(moment)).max().unwrap_or(0);
    for (fact, moment) in explanation.facts.iter().zip(&moments) {
        for (at, line) in words(&fact.kind).into_iter().enumerate() {
            let moment = if at == 0 { moment } else { "" };
            text.push_str(&format!("  {}  {line}\n", pad(moment, width)));
        }
    }
    text
}

fn verdict(explanation: &Explanation, view: &View<'_>) -> String {
    match &explanation.verdict {
        Verdict::NotKnown => "Not known.".into(),
        Verdict::NotKnownYet { done, total } => {
            format!("Not known yet: {done} of {} are read.", count((*total).into(), "session"))
        }
        Verdict::Written { agent, step, session, at, evidence } => {
            let when = at.map(|at| format!(", {}", view.moment(at))).unwrap_or_default();
            let session = short_id(session);
            format!("Written by {agent} in step {step} of session {session}{when}.   {}", evidence.id())
        }
    }
}

/// The clock, with the date where it is neither the one that the verdict names nor, without one, today's.
fn moments(explanation: &Explanation, view: &View<'_>) -> Vec<String> {
    let named = match explanation.verdict {
        Verdict::Written { at: Some(at), .. } => view.date(at),
        _ => view.date(view.now),
    };
    let moment = |fact: &Fact| match (fact.at, &fact.kind) {
        (None, FactKind::Now { .. }) => "now".to_owned(),
        (None, _) => String::new(),
        (Some(at), _) if view.date(at) == named => view.seconds(at),
        (Some(at), _) => format!("{} {}", view.date(at), view.seconds(at)),
    };
    explanation.facts.iter().map(moment).collect()
}

fn words(kind: &FactKind) -> Vec<String> {
    vec![match kind {
        FactKind::Read { by: Some(agent), step, there: true, .. } => {
            format!("read whole by {agent} ({step}): it is there")
        }
        FactKind::Read { by: Some(agent), step, there: false, .. } => {
            format!("read whole by {agent} ({step}): it is not there")
        }
        FactKind::Read { by: None, step, lines, there } => {
            let among = if *there { "is among them" } else { "is not among them" };
            format!("read whole ({step}): {}, this line {among}", count((*lines).into(), "line"))
        }
        FactKind::Adds { step, equals_read: true } => {
            format!("edit ({step}) adds it; the text before in the log equals that read")
        }
        FactKind::Adds { step, equals_read: false } => format!("edit ({step}) adds it"),
        FactKind::Keeps { step } => format!("edit ({step}): the line did not change"),
        FactKind::Removes { step } => format!("edit ({step}) takes it away"),
        FactKind::Command { command, step, changed: false } => {
            format!("{} ({step}): the line did not change", one_line(command))
        }
        FactKind::Command { command, step, changed: true } => {
            format!("{} ({step}): the line changed", one_line(command))
        }
        FactKind::Reformatted { command, step } => {
            format!("{} ({step}): only its layout changed", one_line(command))
        }
        FactKind::Moved { from, step: Some(step) } => format!("moved from {} ({step})", clean(from)),
        FactKind::Moved { from, step: None } => format!("moved from {}", clean(from)),
        FactKind::Commit { hash, line: Some(line) } => format!("commit {hash} has it at line {line}"),
        FactKind::Commit { hash, line: None } => format!("commit {hash}: this line is not there"),
        FactKind::Note { commit, agent } => format!("the note on commit {commit} names {}", one_line(agent)),
        FactKind::Former { path, commit: Some(commit) } => {
            format!("until commit {commit} the file was {}", clean(path))
        }
        FactKind::Former { path, commit: None } => format!("in the last commit the file is {}", clean(path)),
        FactKind::Misdated => "the clock of its log is off: the texts prove that it came here".into(),
        FactKind::Unreplayed { step } => {
            format!("edit ({step}): the log leaves out the text that it found, and no known text fits")
        }
        FactKind::Gone { step } => format!("{step} touched the file; its text is gone from the log"),
        FactKind::OverUnknown { step } => return over_unknown(step),
        FactKind::Inferred { command, step, named } => return inferred(command, step, *named),
        FactKind::Gap { commands, because } => return gap(commands, *because),
        FactKind::Now { saved, buffer } => match (saved, buffer) {
            (Some(saved), Some(buffer)) if saved == buffer => format!("saved file and buffer have it at line {saved}"),
            (Some(saved), Some(buffer)) => format!("saved file has it at line {saved}, buffer at line {buffer}"),
            (Some(saved), None) => format!("saved file has it at line {saved}"),
            (None, Some(buffer)) => format!("only the buffer has it, at line {buffer}; it is not saved"),
            (None, None) => "it is gone".into(),
        },
    }]
}

fn over_unknown(step: &str) -> Vec<String> {
    vec![
        format!("{step} wrote the whole file, and nothing tells what stood there before."),
        "Which lines were its own is not known. So nobody is named.".into(),
    ]
}

fn inferred(command: &str, step: &str, named: bool) -> Vec<String> {
    let command = one_line(command);
    let why = match named {
        true => format!("Only {step} {command} names it as what it writes, and the change has its shape."),
        false => format!("Only {step} {command} ran there, in the turn that knew both texts."),
    };
    vec!["Between the two no logged edit touched this file.".into(), why]
}

fn gap(commands: &[(Box<str>, Box<str>)], because: Because) -> Vec<String> {
    let why = match because {
        Because::ByHand => "Between the two somebody edited this file by hand, as the log tells. So nobody is named.",
        Because::Waiting => {
            "Between the two an agent edited this file, and nothing tells what text it found. So nobody is named."
        }
        Because::Elsewhere => "What this worktree held before is known from another one only. So nobody is named.",
        Because::Clocks => {
            "The clocks of two logs disagree here: what ran between the two is not sure. So nobody is named."
        }
        Because::Alike => {
            return vec![
                "A line with this text stood there before. Whether it is this one, the two texts do not tell.".into(),
                "So nobody is named.".into(),
            ];
        }
        Because::Undecided | Because::Shape => return gap_of(commands, because),
    };
    vec![why.into()]
}

/// Where commands ran that may have written the line, or none.
fn gap_of(commands: &[(Box<str>, Box<str>)], because: Because) -> Vec<String> {
    let named: Vec<String> = commands.iter().map(|(step, command)| format!("{step} {}", one_line(command))).collect();
    let named = named.join(", ");
    let ran = match commands.len() {
        0 => return vec!["Between the two no logged edit touched this file. So nobody is named.".into()],
        1 => "one command ran".to_owned(),
        n => format!("{} commands ran", number_word(n)),
    };
    let head = format!("Between the two no logged edit touched this file, and {ran}");
    if because == Because::Shape {
        return vec![format!("{head} that may write it, but not so:"), format!("{named}. So nobody is named.")];
    }
    vec![format!("{head} that may have written it:"), format!("{named}. A person may have, too. So nobody is named.")]
}

fn number_word(n: usize) -> String {
    const WORDS: [&str; 13] =
        ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    WORDS.get(n).map_or_else(|| n.to_string(), |word| (*word).to_owned())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::fixture::{ROOT, at, view};

    fn check(explanation: Explanation, expect: Expect) {
        let text = explanation_text(&explanation, &view());
        assert_eq!(super::explanation(&explanation, &view()).text, text);
        expect.assert_eq(&text);
    }

    fn fact(moment: &str, kind: FactKind) -> Fact {
        Fact { at: (!moment.is_empty()).then(|| at(moment)), kind }
    }

    #[test]
    fn a_proven_line() {
        check(
            Explanation {
                path: format!("{ROOT}/src/loader.rs").into(),
                line: 47,
                text: "                sleep(wait);".into(),
                verdict: Verdict::Written {
                    agent: "Claude Code".into(),
                    step: "1.5".into(),
                    session: "9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77".into(),
                    at: Some(at("2026-11-20 14:05:02")),
                    evidence: Evidence::Recorded,
                },
                facts: vec![
                    fact(
                        "2026-11-20 14:03:11",
                        FactKind::Read { by: None, step: "1.3".into(), lines: 214, there: false },
                    ),
                    fact("2026-11-20 14:05:02", FactKind::Adds { step: "1.5".into(), equals_read: true }),
                    fact(
                        "2026-11-20 14:57:40",
                        FactKind::Command { command: "cargo fmt".into(), step: "3.1".into(), changed: false },
                    ),
                    fact("2026-11-20 14:58:01", FactKind::Commit { hash: "4be19d2".into(), line: Some(47) }),
                    fact("", FactKind::Now { saved: Some(47), buffer: Some(47) }),
                ],
            },
            expect![[r#"
                src/loader.rs:47      sleep(wait);

                Written by Claude Code in step 1.5 of session 9f3c1a2b, 2026-11-20 14:05.   recorded

                  14:03:11  read whole (1.3): 214 lines, this line is not among them
                  14:05:02  edit (1.5) adds it; the text before in the log equals that read
                  14:57:40  cargo fmt (3.1): the line did not change
                  14:58:01  commit 4be19d2 has it at line 47
                  now       saved file and buffer have it at line 47
            "#]],
        );
    }

    #[test]
    fn a_line_of_nobody() {
        let commands =
            vec![("2.7".into(), "cargo add rand --dev (wt/uploader)".into()), ("2.9".into(), "cargo update".into())];
        check(
            Explanation {
                path: format!("{ROOT}/Cargo.toml").into(),
                line: 14,
                text: "rand = \"0.9\"".into(),
                verdict: Verdict::NotKnown,
                facts: vec![
                    fact("2026-11-20 13:55:00", FactKind::Commit { hash: "3ab77f0".into(), line: None }),
                    fact(
                        "2026-11-20 14:55:10",
                        FactKind::Read { by: Some("Claude".into()), step: "3.0".into(), lines: 20, there: true },
                    ),
                    fact("", FactKind::Gap { commands, because: Because::Undecided }),
                ],
            },
            expect![[r#"
                Cargo.toml:14      rand = "0.9"

                Not known.

                  13:55:00  commit 3ab77f0: this line is not there
                  14:55:10  read whole by Claude (3.0): it is there
                            Between the two no logged edit touched this file, and two commands ran that may have written it:
                            2.7 cargo add rand --dev (wt/uploader), 2.9 cargo update. A person may have, too. So nobody is named.
            "#]],
        );
    }

    fn check_facts(kinds: Vec<FactKind>, expect: Expect) {
        let explanation = Explanation {
            path: format!("{ROOT}/src/a.rs").into(),
            line: 3,
            text: "x".into(),
            verdict: Verdict::NotKnown,
            facts: kinds.into_iter().map(|kind| fact("", kind)).collect(),
        };
        let text = explanation_text(&explanation, &view());
        let rows: Vec<&str> = text.lines().skip(4).map(str::trim).collect();
        expect.assert_eq(&rows.join("\n"));
    }

    #[test]
    fn where_the_chain_breaks() {
        let step = || Box::<str>::from("3.4");
        let commands = || vec![(step(), Box::<str>::from("sed -i s/a/b/ src/a.rs"))];
        check_facts(
            vec![
                FactKind::Former { path: "src/b.rs".into(), commit: Some("3ab77f0".into()) },
                FactKind::Former { path: "src/b.rs".into(), commit: None },
                FactKind::Misdated,
                FactKind::Unreplayed { step: step() },
                FactKind::Gone { step: step() },
                FactKind::OverUnknown { step: step() },
            ],
            expect![[r#"
                until commit 3ab77f0 the file was src/b.rs
                in the last commit the file is src/b.rs
                the clock of its log is off: the texts prove that it came here
                edit (3.4): the log leaves out the text that it found, and no known text fits
                3.4 touched the file; its text is gone from the log
                3.4 wrote the whole file, and nothing tells what stood there before.
                Which lines were its own is not known. So nobody is named."#]],
        );
        check_facts(
            vec![
                FactKind::Inferred { command: "sed -i s/a/b/ src/a.rs".into(), step: step(), named: true },
                FactKind::Inferred { command: "make gen".into(), step: step(), named: false },
            ],
            expect![[r#"
                Between the two no logged edit touched this file.
                Only 3.4 sed -i s/a/b/ src/a.rs names it as what it writes, and the change has its shape.
                Between the two no logged edit touched this file.
                Only 3.4 make gen ran there, in the turn that knew both texts."#]],
        );
        check_facts(
            {
                use Because::{Alike, ByHand, Clocks, Elsewhere, Shape, Undecided, Waiting};
                [Undecided, ByHand, Waiting, Elsewhere, Clocks, Shape, Alike]
                    .map(|because| FactKind::Gap { commands: commands(), because })
                    .into()
            },
            expect![[r#"
                Between the two no logged edit touched this file, and one command ran that may have written it:
                3.4 sed -i s/a/b/ src/a.rs. A person may have, too. So nobody is named.
                Between the two somebody edited this file by hand, as the log tells. So nobody is named.
                Between the two an agent edited this file, and nothing tells what text it found. So nobody is named.
                What this worktree held before is known from another one only. So nobody is named.
                The clocks of two logs disagree here: what ran between the two is not sure. So nobody is named.
                Between the two no logged edit touched this file, and one command ran that may write it, but not so:
                3.4 sed -i s/a/b/ src/a.rs. So nobody is named.
                A line with this text stood there before. Whether it is this one, the two texts do not tell.
                So nobody is named."#]],
        );
    }

    #[test]
    fn other_days_have_their_date() {
        check(
            Explanation {
                path: format!("{ROOT}/Cargo.toml").into(),
                line: 1,
                text: "[package]".into(),
                verdict: Verdict::NotKnown,
                facts: vec![
                    fact("2026-11-19 22:46:00", FactKind::Commit { hash: "3ab77f0".into(), line: Some(1) }),
                    fact("2026-11-20 14:05:02", FactKind::Keeps { step: "1.5".into() }),
                ],
            },
            expect![[r#"
                Cargo.toml:1      [package]

                Not known.

                  2026-11-19 22:46:00  commit 3ab77f0 has it at line 1
                  14:05:02             edit (1.5): the line did not change
            "#]],
        );
    }
}
