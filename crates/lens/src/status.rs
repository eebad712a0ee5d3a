//! One line on the origin of a line: in status bars, at the end of lines, in lenses.

use trace::{Evidence, Timestamp};

use crate::now::Live;
use crate::text::{cut, one_line, thousands};
use crate::view::View;

/// The title in a status bar, in characters.
const STATUS_TITLE: usize = 32;

/// The agent's name as it is shown: with a question mark where the origin is inferred.
pub fn agent_name(short: &str, evidence: Evidence) -> String {
    match evidence {
        Evidence::Inferred => format!("{short}?"),
        _ => short.to_owned(),
    }
}

/// `Claude · 14:32 · Add retry to the loader`: status bar, end of the line.
pub fn line_status(agent: &str, at: Option<Timestamp>, title: &str, view: &View<'_>) -> String {
    join(agent, &at.map(|at| view.when(at)).unwrap_or_default(), &cut(&one_line(title), STATUS_TITLE))
}

/// `Claude · Add retry to the loader · 14:32`: lenses in code.
pub fn lens_text(agent: &str, at: Option<Timestamp>, title: &str, view: &View<'_>) -> String {
    join(agent, &one_line(title), &at.map(|at| view.when(at)).unwrap_or_default())
}

fn join(first: &str, second: &str, third: &str) -> String {
    [first, second, third].into_iter().filter(|part| !part.is_empty()).collect::<Vec<&str>>().join(" · ")
}

/// How far the reading of logs has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    pub done: u32,
    pub total: u32,
}

/// `Turnlens 312 of 1,001`
pub fn reading_status(reading: Reading) -> String {
    format!("Turnlens {} of {}", thousands(reading.done.into()), thousands(reading.total.into()))
}

/// What running sessions do, by agent: `Claude working`, `Claude waits`, `2 working, 1 waits`.
pub fn live_status(live: &[(&str, &Live)]) -> String {
    let working = live.iter().filter(|(_, live)| matches!(live, Live::Working { .. })).count();
    let waits = live.len() - working;
    match live {
        [] => String::new(),
        [(agent, Live::Working { .. })] => format!("{agent} working"),
        [(agent, Live::Waits { .. })] => format!("{agent} waits"),
        _ if waits == 0 => format!("{working} working"),
        _ if working == 0 => format!("{waits} wait"),
        _ => format!("{working} working, {waits} {}", if waits == 1 { "waits" } else { "wait" }),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::fixture::{at, view};

    fn check(agent: &str, moment: &str, title: &str, expect: Expect) {
        let (view, at) = (view(), Some(at(moment)));
        expect.assert_eq(&format!("{}\n{}", line_status(agent, at, title, &view), lens_text(agent, at, title, &view)));
    }

    #[test]
    fn lines() {
        check(
            "Claude",
            "2026-11-20 14:32",
            "Add retry to the loader",
            expect![[r#"
                Claude · 14:32 · Add retry to the loader
                Claude · Add retry to the loader · 14:32"#]],
        );
        check(
            "Codex",
            "2026-11-03 09:00",
            "Please look at the whole of the parser and…",
            expect![[r#"
            Codex · 3 Nov · Please look at the whole of the…
            Codex · Please look at the whole of the parser and… · 3 Nov"#]],
        );
        check(
            &agent_name("Claude", Evidence::Inferred),
            "2025-11-03 09:00",
            "make gen",
            expect![[r#"
            Claude? · 3 Nov 2025 · make gen
            Claude? · make gen · 3 Nov 2025"#]],
        );
    }

    #[test]
    fn states() {
        let working = Live::Working { what: "Bash cargo test".into(), since: at("2026-11-20 14:57") };
        let waits = Live::Waits { since: at("2026-11-20 14:57") };
        assert_eq!(live_status(&[]), "");
        assert_eq!(live_status(&[("Claude", &working)]), "Claude working");
        assert_eq!(live_status(&[("Claude", &waits)]), "Claude waits");
        assert_eq!(live_status(&[("Claude", &working), ("Codex", &waits), ("Pi", &working)]), "2 working, 1 waits");
        assert_eq!(reading_status(Reading { done: 312, total: 1001 }), "Turnlens 312 of 1,001");
    }
}
