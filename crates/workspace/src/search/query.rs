//! What is asked for.

use std::ops::Range;

use ::search::{Case, Need, Pattern};
use trace::{Agent, Timestamp};

/// Characters of a hit that are told, and how many of them stand before the first place found.
const SHOWN: usize = 160;
const SHOWN_BEFORE: usize = 50;

/// Which of a record's texts is searched; what weighs more comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    Prompt,
    Answer,
    /// What a tool was called with.
    Tool,
    Thought,
    /// What a tool gave back.
    Output,
}

impl Field {
    pub const ALL: [Field; 5] = [Field::Prompt, Field::Answer, Field::Tool, Field::Thought, Field::Output];

    pub fn id(self) -> &'static str {
        match self {
            Field::Prompt => "prompt",
            Field::Answer => "answer",
            Field::Thought => "thought",
            Field::Tool => "tool",
            Field::Output => "output",
        }
    }
}

impl std::str::FromStr for Field {
    type Err = String;

    fn from_str(name: &str) -> Result<Field, String> {
        let found = Field::ALL.into_iter().find(|field| field.id() == name);
        found.ok_or_else(|| format!("“{name}” is no field: write prompt, answer, thought, tool or output."))
    }
}

/// What to look for. All of it has to be true of one record.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Each has to be found in the record's text.
    patterns: Vec<Pattern>,
    /// Empty: all.
    pub fields: Vec<Field>,
    pub agent: Option<Agent>,
    /// Ends of paths.
    files: Vec<Box<str>>,
    tools: Vec<Box<str>>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    errors_only: bool,
}

impl Query {
    /// Words, `word*` where only its beginning is known, `"a phrase"`, `/a regular expression/`, and `in:prompt`,
    /// `agent:claude-code`, `file:src/a.rs`, `tool:Bash`, `since:7d`, `until:yesterday`, `is:error`, `case:yes` (small
    /// and capital letters are told apart, as an expression does anyway). `when` understands words for times. Fails
    /// with a sentence that says what is wrong.
    pub fn parse(text: &str, when: &dyn Fn(&str) -> Option<Timestamp>) -> Result<Query, String> {
        let mut query = Query::default();
        let parts = parts(text);
        let is_told = parts.iter().any(|part| matches!(part, Part::Word("case:yes")));
        let case = if is_told { Case::Told } else { Case::Ignored };
        for part in parts {
            match part {
                Part::Phrase(text) => query.patterns.push(pattern(text, Pattern::phrase(text, case))?),
                Part::Regex(text) => query.patterns.push(expression(text)?),
                Part::Word(word) => query.take_word(word, case, when)?,
            }
        }
        query.unless_empty()
    }

    /// The whole text is one regular expression.
    pub fn regex(text: &str) -> Result<Query, String> {
        Query { patterns: vec![expression(text)?], ..Query::default() }.unless_empty()
    }

    fn unless_empty(self) -> Result<Query, String> {
        let asks = !self.patterns.is_empty() || !self.files.is_empty() || !self.tools.is_empty() || self.errors_only;
        if asks { Ok(self) } else { Err("There is nothing to search for: write a word of it.".into()) }
    }

    fn take_word(&mut self, word: &str, case: Case, when: &dyn Fn(&str) -> Option<Timestamp>) -> Result<(), String> {
        let time =
            |text: &str| when(text).ok_or_else(|| format!("“{text}” is no time: write 7d, yesterday or 2026-11-03."));
        match word.split_once(':') {
            Some(("in", field)) => self.fields.push(field.parse()?),
            Some(("agent", name)) => {
                let known = Agent::ALL.into_iter().find(|a| a.id() == name || a.short().eq_ignore_ascii_case(name));
                self.agent = Some(known.ok_or_else(|| format!("“{name}” is no agent that is known."))?);
            }
            Some(("file", path)) if !path.is_empty() => self.files.push(path.replace('\\', "/").into()),
            Some(("tool", tool)) if !tool.is_empty() => self.tools.push(tool.into()),
            Some(("since", text)) => self.since = Some(time(text)?),
            Some(("until", text)) => self.until = Some(time(text)?),
            Some(("is", "error")) => self.errors_only = true,
            Some(("case", "yes" | "no")) => {}
            _ => {
                let beginning = word.strip_suffix('*').filter(|beginning| !beginning.is_empty());
                let made = match beginning {
                    Some(beginning) => Pattern::beginning(beginning, case),
                    None => Pattern::phrase(word, case),
                };
                self.patterns.push(pattern(word, made)?);
            }
        }
        Ok(())
    }

    /// What the bytes of a record with a hit must hold.
    pub(super) fn need(&self) -> Need {
        Need::all(self.patterns.iter().map(|pattern| pattern.need().clone()))
    }

    pub(super) fn asks_for(&self, field: Field) -> bool {
        self.fields.is_empty() || self.fields.contains(&field)
    }

    /// Whether only steps can be meant.
    pub(super) fn is_of_steps(&self) -> bool {
        !self.files.is_empty() || !self.tools.is_empty() || self.errors_only
    }

    pub(super) fn is_in_time(&self, at: Option<Timestamp>) -> bool {
        let is_late = self.since.is_none_or(|since| at.is_some_and(|at| at >= since));
        is_late && self.until.is_none_or(|until| at.is_some_and(|at| at < until))
    }

    pub(super) fn accepts(&self, step: &trace::Step) -> bool {
        let paths = || step.files.iter().chain(step.edits().iter().map(|edit| &edit.path));
        let of_file = |file: &str| paths().any(|path| ends_in(path, file));
        let of_tool = |tool: &str| step.tool.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(tool));
        self.files.iter().all(|file| of_file(file))
            && (self.tools.is_empty() || self.tools.iter().any(|tool| of_tool(tool)))
            && (!self.errors_only || step.failed())
    }

    pub(super) fn finds(&self, text: &str) -> bool {
        self.patterns.iter().all(|pattern| pattern.is_match(text))
    }

    /// The line of the first place found, and all places in it.
    pub(super) fn excerpt(&self, text: &str) -> (String, Vec<Range<usize>>) {
        let first =
            self.patterns.iter().filter_map(|pattern| pattern.find_iter(text).next()).min_by_key(|found| found.start);
        let at = first.map_or(0, |found| found.start);
        let begin = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let line = text[begin..].lines().next().unwrap_or_default();
        let lead = line.len() - line.trim_start().len();
        let before = line.get(..at - begin).unwrap_or_default().chars().count();
        let skipped = if line.chars().count() > SHOWN { before.saturating_sub(SHOWN_BEFORE) } else { 0 };
        let from = line.char_indices().nth(skipped).map_or(0, |(at, _)| at).max(if skipped == 0 { lead } else { 0 });
        let shown = &line[from..];
        let to = shown.char_indices().nth(SHOWN).map_or(shown.len(), |(at, _)| at);
        let dots = |is_cut: bool| if is_cut { "…" } else { "" };
        let cut = format!("{}{}{}", dots(skipped > 0), shown[..to].trim_end(), dots(to < shown.len()));
        let mut found: Vec<Range<usize>> = self.patterns.iter().flat_map(|pattern| pattern.find_iter(&cut)).collect();
        found.retain(|range| !range.is_empty());
        found.sort_by_key(|range| (range.start, range.end));
        let mut end = 0;
        found.retain(|range| {
            let is_free = range.start >= end;
            end = if is_free { range.end } else { end };
            is_free
        });
        (cut, found)
    }
}

fn pattern(text: &str, made: Result<Pattern, impl std::error::Error>) -> Result<Pattern, String> {
    made.map_err(|_| format!("“{text}” is too long to search for."))
}

fn expression(text: &str) -> Result<Pattern, String> {
    Pattern::regex(text).map_err(|error| format!("/{text}/ is no regular expression: {error}"))
}

enum Part<'q> {
    Word(&'q str),
    Phrase(&'q str),
    Regex(&'q str),
}

/// A quote or a slash that is not closed is part of a word.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let closed = |mark: char| {
            let inner = rest[1..].find(mark).map(|end| &rest[1..=end])?;
            let behind = &rest[inner.len() + 2..];
            let ends = behind.is_empty() || behind.starts_with(char::is_whitespace);
            (ends && !inner.trim().is_empty()).then_some((inner, behind))
        };
        let quoted = if matches!(first, '"' | '/') { closed(first) } else { None };
        rest = match quoted {
            Some((inner, behind)) => {
                parts.push(if first == '"' { Part::Phrase(inner) } else { Part::Regex(inner) });
                behind
            }
            None => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                parts.push(Part::Word(&rest[..end]));
                &rest[end..]
            }
        }
        .trim_start();
    }
    parts
}

/// Whether `path` is the file `end`, or lies at it: `src/a.rs` for `/w/src/a.rs`.
fn ends_in(path: &str, end: &str) -> bool {
    let path = crate::mapping::forward_slashes(path);
    path.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with('/') || end.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn parse(query: &str) -> Result<Query, String> {
        Query::parse(query, &|text| (text == "7d").then_some(Timestamp(7)))
    }

    /// What is found in a text, in brackets; `-`: not everything is in it.
    fn check(query: &str, text: &str, expect: Expect) {
        let told = match parse(query) {
            Err(error) => error,
            Ok(query) if !query.finds(text) => "-".into(),
            Ok(query) => {
                let (mut line, found) = query.excerpt(text);
                for range in found.iter().rev() {
                    line.insert(range.end, ']');
                    line.insert(range.start, '[');
                }
                line
            }
        };
        expect.assert_eq(&told);
    }

    #[test]
    fn words_phrases_and_expressions() {
        check("retry", "first\n  add a Retry, and retry\n", expect!["add a [Retry], and [retry]"]);
        check("retry loader", "the loader\nretry", expect!["the [loader]"]);
        check("retry loader", "retry", expect!["-"]);
        check("\"back off\"", "it backs off, then back\n off", expect!["it backs off, then back"]);
        check("\"back off\"", "back   off", expect!["[back   off]"]);
        check("/re.ry$/", "no\nretry", expect!["[retry]"]);
        check("/RETRY/", "retry", expect!["-"]);
        check("/a b/ c", "c a b", expect!["[c] [a b]"]);
        check("src/a.rs", "in src/a.rs", expect!["in [src/a.rs]"]);
        check("\"open", "an \"open one", expect!["an [\"open] one"]);
        check("a.b", "axb", expect!["-"]);
        check("retr*", "a Retrying loop, no iretry", expect!["a [Retrying] loop, no iretry"]);
        check("try*", "retry", expect!["-"]);
        check("*", "a * b", expect!["a [*] b"]);
        check("Retry case:yes", "retry", expect!["-"]);
        check("\"the Retry\" case:yes", "the Retry", expect!["[the Retry]"]);
        check("ab b", "cab", expect!["c[ab]"]);
        check("größe", "die GRÖSSE und die GRÖßE", expect!["die GRÖSSE und die [GRÖßE]"]);
    }

    #[test]
    fn what_cannot_be_searched_for() {
        check("", "", expect!["There is nothing to search for: write a word of it."]);
        check("in:prompt", "", expect!["There is nothing to search for: write a word of it."]);
        check("in:title x", "", expect!["“title” is no field: write prompt, answer, thought, tool or output."]);
        check("since:tomorrow x", "", expect!["“tomorrow” is no time: write 7d, yesterday or 2026-11-03."]);
        check("agent:nobody x", "", expect!["“nobody” is no agent that is known."]);
        assert!(parse("/(/").is_err_and(|error| error.starts_with("/(/ is no regular expression: ")));
        let query = parse("in:tool in:output agent:claude since:7d tool:Bash is:error").expect("a query");
        assert_eq!(query.fields, [Field::Tool, Field::Output]);
        assert_eq!((query.agent, query.since), (Some(Agent::ClaudeCode), Some(Timestamp(7))));
        assert!(query.is_of_steps() && query.patterns.is_empty());
    }

    #[test]
    fn long_lines_are_cut_around_the_first_place() {
        let text = format!("{} needle {}", "before ".repeat(40), "after ".repeat(40));
        let (cut, found) = parse("needle").expect("a query").excerpt(&text);
        assert!(cut.starts_with('…') && cut.ends_with('…') && cut.chars().count() <= SHOWN + 2, "{cut}");
        assert_eq!(found.iter().map(|range| &cut[range.clone()]).collect::<Vec<_>>(), ["needle"]);
    }

    #[test]
    fn files_by_the_end_of_their_path() {
        assert!(ends_in("/w/src/a.rs", "a.rs") && ends_in("/w/src/a.rs", "src/a.rs") && ends_in("a.rs", "a.rs"));
        assert!(ends_in(r"C:\w\src\a.rs", "src/a.rs"));
        assert!(!ends_in("/w/src/ba.rs", "a.rs") && !ends_in("/w/src/a.rs", "src"));
    }
}
