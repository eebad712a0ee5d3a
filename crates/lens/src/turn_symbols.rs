//! Turns among the workspace's symbols, by their prompts, behind a `?` so that they never stand among functions.

use std::sync::Arc;

use trace::{DerivedPath, Timestamp};

use crate::text::{one_line, short_id};

const MOST: usize = 128;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnSymbol {
    /// `? Add retry to the loader`
    pub name: String,
    /// `Claude · 9f3c1a2b`
    pub container: String,
    pub session: Box<str>,
    pub turn: u32,
    pub at: Option<Timestamp>,
}

/// Turns whose title or prompt matches, best and newest first. A query without `?` finds nothing, unless `always`.
pub fn turn_symbols(
    query: &str,
    always: bool,
    sessions: impl IntoIterator<Item = Arc<DerivedPath>>,
) -> Vec<TurnSymbol> {
    let wanted = match query.trim_start().strip_prefix('?') {
        Some(rest) => rest,
        None if always => query,
        None => return Vec::new(),
    };
    let wanted = wanted.to_lowercase();
    let words: Vec<&str> = wanted.split_whitespace().collect();
    let mut found: Vec<(Rank, TurnSymbol)> = Vec::new();
    for path in sessions {
        let container = format!("{} · {}", path.agent.short(), short_id(&path.session));
        for turn in &path.turns {
            let prompt = turn.prompt.as_ref().map_or(turn.command.as_deref(), |prompt| Some(&prompt.text.head));
            let Some(rank) = rank(&words, &turn.title, prompt.unwrap_or_default()) else { continue };
            let symbol = TurnSymbol {
                name: format!("? {}", one_line(&turn.title)),
                container: container.clone(),
                session: (*path.session).into(),
                turn: turn.number,
                at: turn.started,
            };
            found.push((rank, symbol));
        }
    }
    found.sort_by(|(a, one), (b, other)| {
        a.cmp(b).then(other.at.cmp(&one.at)).then_with(|| (&one.session, one.turn).cmp(&(&other.session, other.turn)))
    });
    found.into_iter().take(MOST).map(|(_, symbol)| symbol).collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Title,
    Prompt,
    /// The letters stand in the title in this order, as editors' own filters take it.
    Letters,
}

fn rank(words: &[&str], title: &str, prompt: &str) -> Option<Rank> {
    let title = title.to_lowercase();
    if words.iter().all(|word| title.contains(word)) {
        return Some(Rank::Title);
    }
    if words.iter().all(|word| contains(prompt, word)) {
        return Some(Rank::Prompt);
    }
    let mut letters = title.chars();
    let in_order = words.iter().flat_map(|word| word.chars()).all(|wanted| letters.any(|letter| letter == wanted));
    in_order.then_some(Rank::Letters)
}

/// Whether a text contains a word in lower case. Prompts are long and many and asked at every key: no copy is made.
fn contains(text: &str, word: &str) -> bool {
    let Some(first) = word.bytes().next().filter(|_| word.is_ascii()) else {
        return word.is_empty() || text.to_lowercase().contains(word);
    };
    let bytes = text.as_bytes();
    let mut starts = (0..bytes.len()).filter(|at| bytes[*at].eq_ignore_ascii_case(&first));
    starts.any(|at| bytes.get(at..at + word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word.as_bytes())))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::fixture::{Fixture, RETRY};

    fn check(query: &str, always: bool, expect: Expect) {
        let session = Fixture::of(RETRY).session;
        let found = turn_symbols(query, always, [session.path.clone()]);
        let show = |symbol: &TurnSymbol| format!("{} | {} | {}\n", symbol.name, symbol.container, symbol.turn);
        expect.assert_eq(&found.iter().map(show).collect::<String>());
    }

    #[test]
    fn only_behind_a_question_mark() {
        check("retry", false, expect![""]);
        check(
            "retry",
            true,
            expect![[r#"
            ? Add retry to the loader → yes | Claude · 9f3c1a2b | 2
            ? Add retry to the loader | Claude · 9f3c1a2b | 1
        "#]],
        );
        check(
            "?retry",
            false,
            expect![[r#"
            ? Add retry to the loader → yes | Claude · 9f3c1a2b | 2
            ? Add retry to the loader | Claude · 9f3c1a2b | 1
        "#]],
        );
        check(
            "? commit FORMAT",
            false,
            expect![[r#"
            ? format and commit | Claude · 9f3c1a2b | 3
        "#]],
        );
        check(
            "?4xx",
            false,
            expect![[r#"
            ? Add retry to the loader | Claude · 9f3c1a2b | 1
        "#]],
        );
        check(
            "?fmtcmt",
            false,
            expect![[r#"
            ? format and commit | Claude · 9f3c1a2b | 3
        "#]],
        );
        check(
            "?",
            false,
            expect![[r#"
            ? format and commit | Claude · 9f3c1a2b | 3
            ? Add retry to the loader → yes | Claude · 9f3c1a2b | 2
            ? Add retry to the loader | Claude · 9f3c1a2b | 1
        "#]],
        );
        check("?nothing like it", false, expect![""]);
        assert!(contains("Größe: ÄNDERN", "ändern") && contains("Größe", "gr") && !contains("Größe", "grosse"));
    }
}
