//! Finding where something was asked, said or done: a scan over the texts of sessions.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use index::LogSummary;
use regex::{Regex, RegexBuilder};
use rustc_hash::FxHashSet;
use trace::{Agent, Excerpt, LogId, Place, StepAt, StepKind, Timestamp, Turn};

use crate::{Moment, SessionView};

/// Characters of a hit that are told, and how many of them stand before the first place found.
const SHOWN: usize = 160;
const SHOWN_BEFORE: usize = 50;
/// A log of more bytes is not looked through as a whole before its records are.
const MOST_BYTES_AT_ONCE: u64 = 64 << 20;
/// A regular expression that needs more memory is refused.
const MOST_REGEX_BYTES: usize = 4 << 20;

/// Which of a record's texts is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    Prompt,
    Answer,
    Thought,
    /// What a tool was called with.
    Tool,
    /// What a tool gave back.
    Output,
}

impl Field {
    pub const ALL: [Field; 5] = [Field::Prompt, Field::Answer, Field::Thought, Field::Tool, Field::Output];

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
    needles: Vec<Needle>,
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

#[derive(Clone, Debug)]
struct Needle {
    regex: Regex,
    /// The bytes of a record that holds it hold this, too, in any case.
    is_plain: bool,
}

/// One record in which everything was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    pub turn: u32,
    /// Empty: the turn's prompt.
    pub numbers: Vec<u32>,
    /// The step's call.
    pub call: Option<Arc<str>>,
    pub at: Option<Timestamp>,
    pub field: Field,
    /// The file of an edit, as the log spells it, and the line (from 1; 0: not told).
    pub edit: Option<(Box<str>, u32)>,
    /// The line of the first place found, cut.
    pub text: String,
    /// All places found in `text`, in order and without overlap.
    pub found: Vec<Range<usize>>,
}

/// The hits of one session, in its order.
#[derive(Clone, Debug)]
pub struct HitsOfSession {
    pub path: Arc<LogSummary>,
    pub hits: Vec<Hit>,
}

#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Records with a hit.
    pub total: usize,
    /// Sessions with a hit.
    pub sessions: usize,
    /// The first ones, the newest session first.
    pub listed: Vec<HitsOfSession>,
}

impl Query {
    /// Words, `"a phrase"`, `/a regular expression/`, and `in:prompt`, `agent:claude-code`, `file:src/a.rs`,
    /// `tool:Bash`, `since:7d`, `until:yesterday`, `is:error`. `when` understands words for times. Fails with a
    /// sentence that says what is wrong.
    pub fn parse(text: &str, when: &dyn Fn(&str) -> Option<Timestamp>) -> Result<Query, String> {
        let mut query = Query::default();
        for part in parts(text) {
            match part {
                Part::Phrase(phrase) => query.needles.push(Needle::phrase(phrase)?),
                Part::Regex(regex) => query.needles.push(Needle::regex(regex)?),
                Part::Word(word) => query.take_word(word, when)?,
            }
        }
        query.unless_empty()
    }

    /// The whole text is one regular expression.
    pub fn regex(text: &str) -> Result<Query, String> {
        Query { needles: vec![Needle::regex(text)?], ..Query::default() }.unless_empty()
    }

    fn unless_empty(self) -> Result<Query, String> {
        let asks = !self.needles.is_empty() || !self.files.is_empty() || !self.tools.is_empty() || self.errors_only;
        if asks { Ok(self) } else { Err("There is nothing to search for: write a word of it.".into()) }
    }

    fn take_word(&mut self, word: &str, when: &dyn Fn(&str) -> Option<Timestamp>) -> Result<(), String> {
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
            _ => self.needles.push(Needle::phrase(word)?),
        }
        Ok(())
    }

    fn asks_for(&self, field: Field) -> bool {
        self.fields.is_empty() || self.fields.contains(&field)
    }

    /// Whether only steps can be meant.
    fn is_of_steps(&self) -> bool {
        !self.files.is_empty() || !self.tools.is_empty() || self.errors_only
    }

    fn is_in_time(&self, at: Option<Timestamp>) -> bool {
        let is_late = self.since.is_none_or(|since| at.is_some_and(|at| at >= since));
        is_late && self.until.is_none_or(|until| at.is_some_and(|at| at < until))
    }

    fn accepts(&self, step: &trace::Step) -> bool {
        let paths = || step.files.iter().chain(step.edits().iter().map(|edit| &edit.path));
        let of_file = |file: &str| paths().any(|path| ends_in(path, file));
        let of_tool = |tool: &str| step.tool.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(tool));
        self.files.iter().all(|file| of_file(file))
            && (self.tools.is_empty() || self.tools.iter().any(|tool| of_tool(tool)))
            && (!self.errors_only || step.failed())
    }

    fn finds(&self, text: &str) -> bool {
        self.needles.iter().all(|needle| needle.regex.is_match(text))
    }

    /// Whether a record of this log can hold everything, told by the log's bytes.
    fn can_be_in(&self, log: &Path) -> bool {
        let plain: Vec<&Needle> = self.needles.iter().filter(|needle| needle.is_plain).collect();
        let is_small = || std::fs::metadata(log).is_ok_and(|meta| meta.len() <= MOST_BYTES_AT_ONCE);
        if plain.is_empty() || !is_small() {
            return true;
        }
        let Ok(bytes) = std::fs::read(log) else { return true };
        let text = String::from_utf8_lossy(&bytes);
        plain.iter().all(|needle| needle.regex.is_match(&text))
    }

    /// The line of the first place found, and all places in it.
    fn excerpt(&self, text: &str) -> (String, Vec<Range<usize>>) {
        let first = self.needles.iter().filter_map(|needle| needle.regex.find(text)).min_by_key(|found| found.start());
        let at = first.map_or(0, |found| found.start());
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
        let mut found: Vec<Range<usize>> =
            self.needles.iter().flat_map(|needle| needle.regex.find_iter(&cut).map(|found| found.range())).collect();
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

impl Needle {
    fn phrase(text: &str) -> Result<Needle, String> {
        let pattern = text.split_whitespace().map(regex::escape).collect::<Vec<_>>().join(r"\s+");
        let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let mut builder = RegexBuilder::new(&pattern);
        let regex = builder.case_insensitive(true).size_limit(MOST_REGEX_BYTES).build();
        let regex = regex.map_err(|_| format!("“{text}” is too long to search for."))?;
        Ok(Needle { regex, is_plain })
    }

    fn regex(text: &str) -> Result<Needle, String> {
        let built = RegexBuilder::new(text).multi_line(true).size_limit(MOST_REGEX_BYTES).build();
        let regex = built.map_err(|error| format!("/{text}/ is no regular expression: {error}"))?;
        Ok(Needle { regex, is_plain: false })
    }
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

impl Moment<'_> {
    /// Looks through these sessions, in their order. At most `most` hits are listed. Records that a session only
    /// repeats are found in the one that they come from.
    pub fn search<'p>(
        &self,
        query: &Query,
        sessions: impl IntoIterator<Item = &'p Arc<LogSummary>>,
        most: usize,
    ) -> Found {
        let mut found = Found::default();
        let mut room = most;
        for path in sessions {
            if query.agent.is_some_and(|agent| agent != path.agent) {
                continue;
            }
            let Some(view) = self.session_view(&path.session).filter(|view| view.session.path.log == path.log) else {
                continue;
            };
            let mut hits = self.search_session(query, &view);
            if hits.is_empty() {
                continue;
            }
            found.total += hits.len();
            found.sessions += 1;
            hits.truncate(room);
            room -= hits.len();
            if !hits.is_empty() {
                found.listed.push(HitsOfSession { path: path.clone(), hits });
            }
        }
        found
    }

    fn search_session(&self, query: &Query, view: &SessionView) -> Vec<Hit> {
        let session = &view.session;
        let sides = self.logs.sides_of(&session.path.session).map(|side| side.log);
        let logs = std::iter::once(session.path.log).chain(sides);
        let is_possible = |log: &LogId| self.logs.file(*log).is_none_or(|file| query.can_be_in(file));
        let possible: FxHashSet<LogId> = logs.filter(is_possible).collect();
        let mut hits = Vec::new();
        if possible.is_empty() {
            return hits;
        }
        for turn in &session.path.turns {
            if possible.contains(&session.path.log) && !query.is_of_steps() {
                hits.extend(self.search_prompt(query, session.path.log, turn));
            }
            let mut steps = Vec::new();
            session.steps_of(turn, &mut steps);
            for at in steps.iter().filter(|at| possible.contains(&at.log) && query.accepts(at.step)) {
                if !at.step.record.is_some_and(|record| self.is_copy(at.log, record)) {
                    self.search_step(query, at, &mut hits);
                }
            }
        }
        hits
    }

    fn is_copy(&self, log: LogId, record: trace::RecordId) -> bool {
        self.logs.origin_log(log, record) != log
    }

    fn search_prompt(&self, query: &Query, log: LogId, turn: &Turn) -> Option<Hit> {
        if !query.asks_for(Field::Prompt) || turn.record.is_some_and(|record| self.is_copy(log, record)) {
            return None;
        }
        let text = match (&turn.prompt, &turn.command) {
            (Some(prompt), _) => self.whole(log, &prompt.text, turn.place),
            (None, Some(command)) => command.to_string(),
            (None, None) => return None,
        };
        hit(query, Field::Prompt, &text, turn.started).map(|hit| Hit { turn: turn.number, ..hit })
    }

    fn search_step(&self, query: &Query, at: &StepAt<'_>, hits: &mut Vec<Hit>) {
        let step = at.step;
        let mut look = |field: Field, text: &dyn Fn() -> String, when: Option<Timestamp>| {
            if !query.asks_for(field) || !query.is_in_time(when) {
                return;
            }
            let edit = step.edits().first().map(|edit| (edit.path.clone(), edit.line)).filter(|_| field == Field::Tool);
            let found = hit(query, field, &text(), when);
            let (turn, numbers, call) = (at.turn.number, at.numbers.clone(), step.call.clone());
            hits.extend(found.map(|hit| Hit { turn, numbers, call, edit, ..hit }));
        };
        match step.kind {
            StepKind::Text => look(Field::Answer, &|| self.whole(at.log, &step.text, Some(step.place)), step.at),
            StepKind::Thought => look(Field::Thought, &|| self.whole(at.log, &step.text, Some(step.place)), step.at),
            _ => {
                look(Field::Tool, &|| self.input(at), step.at);
                if let Some(result) = &step.result {
                    let output = || self.whole(at.log, &result.output, Some(result.place));
                    look(Field::Output, &output, result.at.or(step.at));
                }
            }
        }
    }

    /// A text of which the beginning is known; where its record is gone, that beginning.
    fn whole(&self, log: LogId, excerpt: &Excerpt, place: Option<Place>) -> String {
        let body = || Some(self.bodies().body(log, place?).content()?.text.clone());
        let known = || excerpt.head.to_string();
        if excerpt.is_whole() { known() } else { body().unwrap_or_else(known) }
    }

    /// What a tool was called with: the command itself, or the values of the input.
    fn input(&self, at: &StepAt<'_>) -> String {
        if at.step.kind == StepKind::Command && at.step.text.is_whole() {
            return at.step.text.head.to_string();
        }
        let body = self.bodies().body(at.log, at.step.place);
        let Some(content) = body.content() else { return at.step.text.head.to_string() };
        // What was written comes first: that is what the excerpt shows.
        let changes = content.changes.iter().flat_map(|change| {
            let replaced = change.replacements.iter().flat_map(|one| [&*one.new, &*one.old]);
            change.after.as_deref().into_iter().chain(replaced).chain([&*change.path])
        });
        let texts: Vec<&str> = changes.collect();
        if texts.is_empty() { content.input.clone() } else { texts.join("\n") }
    }
}

fn hit(query: &Query, field: Field, text: &str, at: Option<Timestamp>) -> Option<Hit> {
    if !query.is_in_time(at) || text.is_empty() || !query.finds(text) {
        return None;
    }
    let (text, found) = query.excerpt(text);
    Some(Hit { turn: 0, numbers: Vec::new(), call: None, at, field, edit: None, text, found })
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
        assert!(query.is_of_steps() && query.needles.is_empty());
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
