//! What is found in one session.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use ::search::Places;
use index::{LogSummary, Records};
use rustc_hash::FxHashMap;
use trace::{Content, Excerpt, LogId, Place, Session, Step, StepAt, StepKind, Timestamp, Turn};

use super::query::{Field, Query};
use crate::Moment;

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

/// The hits of one session, in its order, or a portion of them.
#[derive(Clone, Debug)]
pub struct HitsOfSession {
    pub path: Arc<LogSummary>,
    /// The first ones.
    pub hits: Vec<Hit>,
    /// All, also those that are not listed.
    pub total: usize,
    /// The field that weighs the most among those with a hit.
    pub best: Field,
}

/// Hits of a session's first portion, so that they are told before the others are found; each portion is larger than
/// the one before.
const FIRST_PORTION: usize = 20;

/// Takes portions of a session's hits.
pub(super) type Tell<'t> = dyn FnMut(HitsOfSession) + 't;

impl HitsOfSession {
    /// Takes the portion that comes behind it.
    pub(super) fn append(&mut self, next: HitsOfSession) {
        self.hits.extend(next.hits);
        self.total += next.total;
        self.best = self.best.min(next.best);
    }
}

/// The search of one session.
struct Search<'s> {
    moment: &'s Moment<'s>,
    query: &'s Query,
    path: &'s Arc<LogSummary>,
    session: &'s Session,
    /// Where something may be, by log. Logs that are not here were not looked through.
    places: FxHashMap<LogId, &'s Places<'s>>,
    records: FxHashMap<LogId, Option<Records>>,
    /// Hits that may still be listed.
    most: usize,
    /// Those of the portion that is being found, all of them that there are, and the best of their fields.
    hits: Vec<Hit>,
    total: usize,
    best: Option<Field>,
    /// How many make a portion.
    portion: usize,
}

impl Moment<'_> {
    /// Tells what is found at these places of a session's logs (in the order of [`Moment::group`]): nothing where the
    /// session is told of by another log.
    pub(super) fn hits_of(
        &self,
        query: &Query,
        path: &Arc<LogSummary>,
        places: &[Places<'_>],
        most: usize,
        stop: &dyn Fn() -> bool,
        tell: &mut Tell<'_>,
    ) {
        let session = self.logs.load_session(&path.session).filter(|session| session.path.log == path.log);
        let Some(session) = session else { return };
        let logs = std::iter::once(&path.log).chain(self.logs.side_logs(&path.session));
        let logs = logs.filter(|log| self.logs.extent(**log).is_some()).copied();
        let mut search = Search {
            moment: self,
            query,
            path,
            session: &session,
            places: logs.zip(places).collect(),
            records: FxHashMap::default(),
            most,
            hits: Vec::new(),
            total: 0,
            best: None,
            portion: FIRST_PORTION,
        };
        for turn in &session.path.turns {
            if stop() {
                break;
            }
            search.prompt(turn);
            search.steps(turn, stop, tell);
        }
        search.hand_over(tell);
    }

    fn is_copy(&self, log: LogId, record: Option<trace::RecordId>) -> bool {
        record.is_some_and(|record| self.logs.origin_log(log, record) != log)
    }
}

impl Search<'_> {
    fn hand_over(&mut self, tell: &mut Tell<'_>) {
        let Some(best) = self.best.take() else { return };
        let (hits, total) = (std::mem::take(&mut self.hits), std::mem::take(&mut self.total));
        self.most -= hits.len();
        self.portion *= 4;
        tell(HitsOfSession { path: self.path.clone(), hits, total, best });
    }

    fn may_hold(&self, log: LogId, place: Place) -> bool {
        let bytes = place.at..place.at.saturating_add(u64::from(place.len));
        self.places.get(&log).is_some_and(|places| places.touch(bytes))
    }

    fn prompt(&mut self, turn: &Turn) {
        let log = self.session.path.log;
        if self.query.is_of_steps()
            || !self.query.asks_for(Field::Prompt)
            || !turn.place.is_none_or(|place| self.may_hold(log, place))
            || self.moment.is_copy(log, turn.record)
        {
            return;
        }
        let text = match (&turn.prompt, &turn.command) {
            (Some(prompt), _) => self.whole(log, &prompt.text, turn.place),
            (None, Some(command)) => command.to_string(),
            (None, None) => return,
        };
        self.look(Field::Prompt, &text, turn.started, |hit| Hit { turn: turn.number, ..hit });
    }

    fn steps(&mut self, turn: &Arc<Turn>, stop: &dyn Fn() -> bool, tell: &mut Tell<'_>) {
        let mut steps = Vec::new();
        let wanted = |log: LogId, step: &Step| {
            let of_result = || step.result.as_ref().is_some_and(|result| self.may_hold(log, result.place));
            (self.may_hold(log, step.place) || of_result()) && self.query.accepts(step)
        };
        let session = self.session;
        session.steps_where(turn, &wanted, &mut steps);
        for at in steps {
            if stop() {
                return;
            }
            if !self.moment.is_copy(at.log, at.step.record) {
                self.step(&at);
            }
            if self.total >= self.portion {
                self.hand_over(tell);
            }
        }
    }

    fn step(&mut self, at: &StepAt<'_>) {
        let step = at.step;
        let of_step = |hit: Hit| Hit {
            turn: at.turn.number,
            numbers: at.numbers.clone(),
            call: step.call.clone(),
            edit: step.edits().first().map(|edit| (edit.path.clone(), edit.line)).filter(|_| hit.field == Field::Tool),
            ..hit
        };
        let said = match step.kind {
            StepKind::Text => Some(Field::Answer),
            StepKind::Thought => Some(Field::Thought),
            _ => None,
        };
        let field = said.unwrap_or(Field::Tool);
        if self.query.asks_for(field) && self.may_hold(at.log, step.place) && self.query.is_in_time(step.at) {
            let text = if said.is_some() { self.whole(at.log, &step.text, Some(step.place)) } else { self.input(at) };
            self.look(field, &text, step.at, of_step);
        }
        let Some(result) = step.result.as_ref().filter(|_| said.is_none()) else { return };
        let when = result.at.or(step.at);
        if self.query.asks_for(Field::Output) && self.may_hold(at.log, result.place) && self.query.is_in_time(when) {
            let text = self.whole(at.log, &result.output, Some(result.place));
            self.look(Field::Output, &text, when, of_step);
        }
    }

    fn look(&mut self, field: Field, text: &str, at: Option<Timestamp>, place: impl FnOnce(Hit) -> Hit) {
        if !self.query.is_in_time(at) || text.is_empty() || !self.query.finds(text) {
            return;
        }
        self.total += 1;
        self.best = Some(self.best.map_or(field, |best| best.min(field)));
        if self.hits.len() < self.most {
            let (text, found) = self.query.excerpt(text);
            let hit = Hit { turn: 0, numbers: Vec::new(), call: None, at, field, edit: None, text, found };
            self.hits.push(place(hit));
        }
    }

    /// A text of which the beginning is known; where its record is gone, that beginning.
    fn whole(&mut self, log: LogId, excerpt: &Excerpt, place: Option<Place>) -> String {
        let known = || excerpt.head.to_string();
        if excerpt.is_whole() {
            return known();
        }
        place.and_then(|place| self.content(log, place)).map_or_else(known, |content| content.text)
    }

    /// What a tool was called with: the command itself, or the values of the input.
    fn input(&mut self, at: &StepAt<'_>) -> String {
        let known = &at.step.text;
        if at.step.kind == StepKind::Command && known.is_whole() && !known.head.is_empty() {
            return known.head.to_string();
        }
        let Some(content) = self.content(at.log, at.step.place) else { return at.step.text.head.to_string() };
        // What was written comes first: that is what the excerpt shows.
        let changes = content.changes.iter().flat_map(|change| {
            let replaced = change.replacements.iter().flat_map(|one| [&*one.new, &*one.old]);
            change.after.as_deref().into_iter().chain(replaced).chain([&*change.path])
        });
        let texts: Vec<&str> = changes.collect();
        match texts.is_empty() {
            true if at.step.kind == StepKind::Command => content.input,
            true => readable(&content.input).into_owned(),
            false => texts.join("\n"),
        }
    }

    fn content(&mut self, log: LogId, place: Place) -> Option<Content> {
        let index = &self.moment.workspace.index;
        self.records.entry(log).or_insert_with(|| index.records(log)).as_mut()?.content(place)
    }
}

/// JSON as a person reads it: its strings as the texts that they stand for.
fn readable(input: &str) -> Cow<'_, str> {
    if !input.starts_with(['{', '[']) || !input.contains('\\') {
        return Cow::Borrowed(input);
    }
    let mut text = String::with_capacity(input.len());
    let mut rest = input;
    while let Some(begin) = rest.find('"') {
        let (before, literal) = rest.split_at(begin);
        let mut strings = serde_json::Deserializer::from_str(literal).into_iter::<String>();
        let Some(Ok(value)) = strings.next() else { break };
        text.push_str(before);
        text.push('"');
        text.push_str(&value);
        text.push('"');
        rest = literal.get(strings.byte_offset()..).unwrap_or_default();
    }
    text.push_str(rest);
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read() {
        let check = |input: &str, expected: &str| assert_eq!(readable(input), expected);
        check(
            "{\n  \"a\": \"x\\ny \\\"z\\\" \\u00e9\",\n  \"b\": 1\n}",
            "{\n  \"a\": \"x\ny \"z\" é\",\n  \"b\": 1\n}",
        );
        check("echo \"a\\n\"", "echo \"a\\n\"");
        check("{\"a\": \"half \\ud83d\"}", "{\"a\": \"half \\ud83d\"}");
        check("{\"cut \\", "{\"cut \\");
    }
}
