//! The case of one line: all events from which its origin was told, so that a wrong name can be reported and replayed.
//!
//! A case holds no text of the person: see [`disguise`]. It reads back as a test.

mod disguise;
mod table;

use std::path::Path;
use std::sync::Arc;

use provenance::{
    Chain, Event, EventKey, Happening, Rewrite, Seen, Slot, Timeline, Tree, TurnKey, Writes, lines, moved_from,
};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use trace::{Change, Evidence, Hunk, Replacement, StepKey, Timestamp};

use self::table::{Table, Text};
use crate::Moment;
use crate::foreign::Source;
use crate::gather::StepNumbers;
use crate::mapping::{HERE, Target, real};

/// A case as it stands in a file. Texts are rows of numbers of `lines`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// The version that gave the answer.
    turnlens: String,
    /// The line asked about, from 1.
    line: usize,
    /// What was said of it. `None`: not known.
    answer: Option<Answer>,
    lines: Vec<String>,
    /// The text asked about.
    text: Text,
    /// In the order of their clocks.
    events: Vec<Told>,
    /// The other file that the line came from.
    #[serde(default, skip_serializing_if = "is_default")]
    from: Option<OtherFile>,
}

/// Another file, which lost lines when this one got some.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct OtherFile {
    before: Text,
    after: Text,
    /// The lines of the file asked about, from 1, that may have come from there.
    open: Vec<usize>,
    events: Vec<Told>,
}

/// A step by its number in the case, and on what evidence it was named. One that wrote the line in another file has the
/// number that it has there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub step: u32,
    pub evidence: String,
}

/// An event. Which it is of them is its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Told {
    chain: u32,
    /// Milliseconds since the first one.
    at: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    tree: u16,
    #[serde(default, skip_serializing_if = "is_default")]
    turn: Option<u64>,
    #[serde(default, skip_serializing_if = "is_default")]
    left_behind: bool,
    #[serde(flatten)]
    what: What,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
enum What {
    /// Its texts are gone from the log.
    Gone,
    Here {
        text: Text,
    },
    Shown {
        text: Text,
    },
    Commit {
        text: Text,
        #[serde(default, skip_serializing_if = "is_default")]
        parents: Vec<u64>,
    },
    Edit {
        step: u32,
        #[serde(flatten)]
        change: Changed,
    },
    Ran {
        step: u32,
        writes: Vec<May>,
    },
    ByHand,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Changed {
    #[serde(skip_serializing_if = "is_default")]
    before: Option<Text>,
    #[serde(skip_serializing_if = "is_default")]
    after: Option<Text>,
    /// Old text, new text, whether all places.
    #[serde(skip_serializing_if = "is_default")]
    replaced: Vec<(Text, Text, bool)>,
    /// First line before and after, and the lines with their signs.
    #[serde(skip_serializing_if = "is_default")]
    hunks: Vec<(u32, u32, Text)>,
    #[serde(skip_serializing_if = "is_default")]
    created: bool,
    #[serde(skip_serializing_if = "is_default")]
    deleted: bool,
    #[serde(skip_serializing_if = "is_default")]
    user_modified: bool,
    #[serde(skip_serializing_if = "is_default")]
    moved: bool,
}

/// How a command may have written the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum May {
    Anything,
    OldText,
    Formats,
    Whole,
    AtTheEnd,
    /// What it makes of each line of the case that it does not leave as it is; `None`: not known.
    Lines(Vec<(u32, Option<Text>)>),
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Lines that a rewriting command is asked about at most.
const MOST_REWRITTEN: usize = 20_000;

/// The events of a file as they are told.
type Events = Vec<(Slot, Option<Event>)>;

/// Another file with its events, before and after it lost lines, and the lines that may have come from there.
struct Other<'a> {
    source: &'a Source,
    open: &'a [bool],
    told: Events,
}

impl Moment<'_> {
    /// The case of a line (from 0) of a file as it is on disk, with its texts as they are.
    pub fn case(&self, path: &Path, line: usize) -> std::io::Result<Case> {
        let view = self.file(path)?;
        let untold = self.with_state(path, |state| {
            let blame = state.disk_blame();
            state.timeline.untold(&blame)
        });
        let from = u32::try_from(line).ok().and_then(|line| self.source_of(&view, &untold, line));
        let other = from.as_ref().map(|(source, open)| Other { source, open, told: self.events(&source.path) });
        Ok(Case::of(&self.events(path), &view.text, line, other))
    }

    fn events(&self, path: &Path) -> Events {
        let depth = self.with_state(path, |state| state.depth);
        let path = real(path);
        let repo = self.workspace.repo(&path);
        let target = Target::new(&path, repo.as_ref());
        let mut numbers = StepNumbers::default();
        let clues = self.clues(&target, depth);
        clues.iter().map(|clue| (clue.slot(), self.event(clue, &target, &mut numbers))).collect()
    }
}

impl Case {
    /// The case of a line (from 0) of `text`.
    fn of(told: &[(Slot, Option<Event>)], text: &str, line: usize, other: Option<Other<'_>>) -> Case {
        let mut table = Table::default();
        let text = table.text(text);
        let mut events = events(told, &mut table);
        let mut from = other.as_ref().map(|Other { source, open, told }| OtherFile {
            before: table.text(&source.before),
            after: table.text(&source.now),
            open: (1..).zip(*open).filter(|(_, open)| **open).map(|(line, _)| line).collect(),
            events: self::events(told, &mut table),
        });
        // What commands make of lines is asked when all lines are known.
        let known = table.lines.clone();
        ask_commands(&mut events, told, &known, &mut table);
        if let (Some(from), Some(other)) = (&mut from, &other) {
            ask_commands(&mut from.events, &other.told, &known, &mut table);
        }
        let turnlens = env!("CARGO_PKG_VERSION").to_owned();
        let mut case = Case { turnlens, line: line + 1, answer: None, lines: table.lines, text, events, from };
        case.answer = case.replay();
        case
    }

    /// What was said of the line when the case was made.
    pub fn answer(&self) -> Option<&Answer> {
        self.answer.as_ref()
    }

    /// What the engine says of the line now.
    pub fn replay(&self) -> Option<Answer> {
        let (timeline, text) = (self.timeline(&self.events), self.read(&self.text));
        let blame = timeline.blame(&text, HERE);
        let line = self.line.checked_sub(1)?;
        match blame.lines.get(line).copied()? {
            Some(origin) => Some(Answer { step: origin.step.0, evidence: origin.evidence.id().to_owned() }),
            None => self.replay_other(self.from.as_ref()?, &text, &timeline.untold(&blame), line),
        }
    }

    /// What the history of another file says of a line that came from there.
    fn replay_other(&self, from: &OtherFile, text: &str, untold: &[bool], line: usize) -> Option<Answer> {
        let open: Vec<bool> = (1..).zip(untold).map(|(line, untold)| *untold && from.open.contains(&line)).collect();
        let before = self.read(&from.before);
        let pairs = moved_from(&before, &self.read(&from.after), text, &open);
        let (_, there) = pairs.into_iter().find(|(here, _)| *here == line)?;
        let origin = self.timeline(&from.events).blame(&before, HERE).lines.get(there).copied().flatten()?;
        Some(Answer { step: origin.step.0, evidence: Evidence::Moved.id().to_owned() })
    }

    fn timeline(&self, events: &[Told]) -> Timeline {
        let slots: Vec<Slot> = events.iter().enumerate().map(|(at, told)| told.slot(at)).collect();
        let mut timeline = Timeline::new();
        timeline.sync(&slots, |which| self.event(events, which));
        timeline
    }

    /// The same case without its texts: each word is another, equal ones are equal. Its answer is this one's.
    pub fn disguised(&self) -> Case {
        let mut edges: Vec<&str> = Vec::new();
        for told in self.events.iter().chain(self.from.iter().flat_map(|from| &from.events)) {
            let What::Edit { change, .. } = &told.what else { continue };
            for text in change.replaced.iter().flat_map(|(old, new, _)| [old, new]) {
                let ends = [text.0.first(), text.0.last()];
                edges.extend(ends.iter().flatten().filter_map(|line| Some(self.lines.get(**line as usize)?.as_str())));
            }
        }
        Case { lines: disguise::disguise(&self.lines, &edges), ..self.clone() }
    }

    pub fn to_json(&self) -> String {
        // A case is made of numbers and strings only, of which each has a form in JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// `Err`: this is no case, and why.
    pub fn from_json(json: &str) -> Result<Case, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    fn event(&self, events: &[Told], which: usize) -> Option<Event> {
        let told = events.get(which)?;
        let what = match &told.what {
            What::Gone => return None,
            What::Here { text } => self.seen(text, Seen::Here, &[]),
            What::Shown { text } => self.seen(text, Seen::Shown, &[]),
            What::Commit { text, parents } => self.seen(text, Seen::Somewhere, parents),
            What::Edit { step, change } => {
                Happening::Edit { step: StepKey(*step), change: Arc::new(self.change(change)) }
            }
            What::Ran { step, writes } => Happening::Ran {
                step: StepKey(*step),
                writes: writes.iter().map(|writes| self.writes(writes)).collect(),
            },
            What::ByHand => Happening::ByHand,
        };
        Some(Event {
            key: EventKey(which as u64),
            at: Timestamp(told.at),
            tree: Tree(told.tree),
            turn: told.turn.map(TurnKey),
            left_behind: told.left_behind,
            what,
        })
    }

    fn seen(&self, text: &Text, how: Seen, parents: &[u64]) -> Happening {
        let parents = parents.iter().map(|key| EventKey(*key)).collect();
        Happening::Seen { text: self.read(text).into(), how, parents }
    }

    fn change(&self, change: &Changed) -> Change {
        let hunk = |(old_start, new_start, lines): &(u32, u32, Text)| Hunk {
            old_start: *old_start,
            new_start: *new_start,
            lines: lines.0.iter().map(|line| self.line_of(*line).into()).collect(),
        };
        let replacement = |(old, new, all): &(Text, Text, bool)| Replacement {
            old: self.read(old).into(),
            new: self.read(new).into(),
            all: *all,
        };
        Change {
            path: "file".into(),
            before: change.before.as_ref().map(|text| self.read(text).into()),
            after: change.after.as_ref().map(|text| self.read(text).into()),
            replacements: change.replaced.iter().map(replacement).collect(),
            hunks: change.hunks.iter().map(hunk).collect(),
            created: change.created,
            deleted: change.deleted,
            user_modified: change.user_modified,
            moved_to: change.moved.then(|| "elsewhere".into()),
        }
    }

    fn writes(&self, may: &May) -> Writes {
        match may {
            May::Anything => Writes::Anything,
            May::OldText => Writes::OldText,
            May::Formats => Writes::Formats,
            May::Whole => Writes::Whole,
            May::AtTheEnd => Writes::AtTheEnd,
            May::Lines(made) => {
                let of_line = |(old, new): &(u32, Option<Text>)| {
                    let new = new.as_ref().map(|new| new.0.iter().map(|line| self.line_of(*line).to_owned()).collect());
                    (self.line_of(*old).to_owned(), new)
                };
                let made: FxHashMap<String, Option<Vec<String>>> = made.iter().map(of_line).collect();
                let rewrite = move |line: &str| made.get(line).cloned().unwrap_or_else(|| Some(vec![line.to_owned()]));
                Writes::Lines(Rewrite(Arc::new(rewrite)))
            }
        }
    }

    fn line_of(&self, line: u32) -> &str {
        self.lines.get(line as usize).map(String::as_str).unwrap_or_default()
    }

    fn read(&self, text: &Text) -> String {
        text.0.iter().map(|line| self.line_of(*line)).collect::<Vec<_>>().join("\n")
    }
}

/// Events as they stand in a case, but for what commands make of lines.
fn events(told: &[(Slot, Option<Event>)], table: &mut Table) -> Vec<Told> {
    let mut numbers = Numbers::of(told);
    let first = told.iter().map(|(slot, _)| slot.at.0).min().unwrap_or_default();
    let of_one = |(slot, event): &(Slot, Option<Event>)| Told {
        chain: numbers.chains.of(slot.chain),
        at: slot.at.0.saturating_sub(first),
        tree: event.as_ref().map_or(0, |event| event.tree.0),
        turn: event.as_ref().and_then(|event| event.turn).map(|turn| u64::from(numbers.turns.of(turn))),
        left_behind: event.as_ref().is_some_and(|event| event.left_behind),
        what: event.as_ref().map_or(What::Gone, |event| What::of(&event.what, &numbers.keys, table)),
    };
    told.iter().map(of_one).collect()
}

fn ask_commands(events: &mut [Told], told: &[(Slot, Option<Event>)], known: &[String], table: &mut Table) {
    for (event, (_, told)) in events.iter_mut().zip(told) {
        if let (What::Ran { writes: may, .. }, Some(Event { what: Happening::Ran { writes, .. }, .. })) =
            (&mut event.what, told)
        {
            may.extend(writes.iter().map(|writes| May::of(writes, known, table)));
        }
    }
}

impl Told {
    fn slot(&self, at: usize) -> Slot {
        Slot { key: EventKey(at as u64), chain: Chain(self.chain), at: Timestamp(self.at) }
    }
}

impl What {
    fn of(what: &Happening, keys: &FxHashMap<EventKey, u64>, table: &mut Table) -> What {
        match what {
            Happening::Seen { text, how, parents } => {
                let text = table.text(text);
                let parents = parents.iter().filter_map(|key| keys.get(key).copied()).collect();
                match how {
                    Seen::Here => What::Here { text },
                    Seen::Shown => What::Shown { text },
                    Seen::Somewhere => What::Commit { text, parents },
                }
            }
            Happening::Edit { step, change } => What::Edit { step: step.0, change: Changed::of(change, table) },
            Happening::Ran { step, .. } => What::Ran { step: step.0, writes: Vec::new() },
            Happening::ByHand => What::ByHand,
        }
    }
}

impl Changed {
    fn of(change: &Change, table: &mut Table) -> Changed {
        let Change { before, after, replacements, hunks, created, deleted, user_modified, moved_to, path: _ } = change;
        Changed {
            before: before.as_ref().map(|text| table.text(text)),
            after: after.as_ref().map(|text| table.text(text)),
            replaced: replacements.iter().map(|one| (table.text(&one.old), table.text(&one.new), one.all)).collect(),
            hunks: hunks
                .iter()
                .map(|hunk| (hunk.old_start, hunk.new_start, table.rows(hunk.lines.iter().map(|line| &**line))))
                .collect(),
            created: *created,
            deleted: *deleted,
            user_modified: *user_modified,
            moved: moved_to.is_some(),
        }
    }
}

impl May {
    fn of(writes: &Writes, known: &[String], table: &mut Table) -> May {
        match writes {
            Writes::Anything => May::Anything,
            Writes::OldText => May::OldText,
            Writes::Formats => May::Formats,
            Writes::Whole => May::Whole,
            Writes::AtTheEnd => May::AtTheEnd,
            Writes::Lines(rewrite) => {
                let mut made = Vec::new();
                for line in known.iter().take(MOST_REWRITTEN) {
                    let line = lines(line).next().unwrap_or_default();
                    let new = (rewrite.0)(line);
                    let stays = new.as_ref().is_some_and(|new| matches!(new.as_slice(), [only] if only == line));
                    if !stays {
                        let new = new.map(|new| table.rows(new.iter().map(String::as_str)));
                        made.push((table.line(line), new));
                    }
                }
                May::Lines(made)
            }
        }
    }
}

/// Small numbers for names that tell of the person's machine.
struct Numbers {
    chains: Numbered<Chain>,
    turns: Numbered<TurnKey>,
    keys: FxHashMap<EventKey, u64>,
}

impl Numbers {
    fn of(told: &[(Slot, Option<Event>)]) -> Numbers {
        let keys = told.iter().enumerate().map(|(at, (slot, _))| (slot.key, at as u64)).collect();
        Numbers { chains: Numbered(Vec::new()), turns: Numbered(Vec::new()), keys }
    }
}

struct Numbered<T>(Vec<T>);

impl<T: PartialEq> Numbered<T> {
    fn of(&mut self, name: T) -> u32 {
        let at = self.0.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.0.push(name);
            self.0.len() - 1
        });
        u32::try_from(at).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests;
