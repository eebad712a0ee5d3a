//! A small world in which agents, people, formatters, commands and git work on one file, and what is told of it.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

/// A line of the file, with what a formatter made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) letter: char,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Plain,
    Indented,
    WithComma,
    Broken,
}

impl Unit {
    pub(super) fn plain(letter: char) -> Unit {
        Unit { letter, form: Form::Plain }
    }

    /// Lines of the file that it takes.
    pub(super) fn lines(self) -> usize {
        if self.form == Form::Broken { 2 } else { 1 }
    }

    fn spelled(self) -> String {
        let letter = self.letter;
        match self.form {
            Form::Broken if !letter.is_alphabetic() => letter.to_string(),
            Form::Plain => letter.to_string(),
            Form::Indented => format!(">{letter}"),
            Form::WithComma => format!("{letter},"),
            Form::Broken => format!("{letter}/"),
        }
    }
}

pub(super) type Text = Vec<Unit>;

pub(super) fn spelled(text: &[Unit]) -> String {
    text.iter().map(|unit| unit.spelled()).collect()
}

fn lines(text: &[Unit]) -> usize {
    text.iter().map(|unit| unit.lines()).sum()
}

/// Something that is done. Numbers choose among what is there.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    Agent { tree: u8, log: u8, way: Way, place: Span, insert: u8 },
    Person { tree: u8, place: Span, insert: u8, told: bool },
    Format { tree: u8, place: Span, form: u8, by: By },
    Move { tree: u8, place: Span, to: u8, by: By },
    Command { tree: u8, log: u8, command: Command, place: Span, insert: u8 },
    Look { tree: u8, log: u8, shown: bool },
    NextTurn { log: u8 },
    Commit { tree: u8 },
    Checkout { tree: u8, commit: u8, told: bool },
    Merge { tree: u8, commit: u8 },
    Revert { tree: u8, commit: u8 },
    Rewind { tree: u8, log: u8, edits: u8, restored: bool },
}

/// Lines of the file: where they begin and how many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    at: u8,
    len: u8,
}

/// How an agent's log tells of an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The whole texts before and after (Claude Code, Gemini).
    Whole,
    /// The strings that were replaced (Claude Code in long files).
    Strings,
    /// Unified hunks (Codex).
    Hunks,
    /// The whole text after and hunks (Claude Code's writes).
    After,
}

/// Who reformats or moves lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Agent(u8),
    /// Somebody of whom nothing is told (`false`) or only that he did something.
    Person(bool),
    /// A command in a log.
    Command(u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Append,
    Sed,
    Opaque,
    /// It may have written the file and did not.
    Innocent,
}

/// What becomes of what was told.
#[derive(Clone, Debug)]
pub(super) enum Loss {
    Gone,
    /// The log tells only a part.
    Poorer(u8),
    /// A line's text was replaced by stars.
    Redacted(u8),
}

/// A whole history.
#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) first: u8,
    pub(super) first_seen: bool,
    pub(super) deeds: Vec<Deed>,
    /// Before an edit that does not tell the text that it found, the agent reads the file.
    pub(super) thorough: bool,
    /// Whenever somebody else changes the file, that is told.
    pub(super) people_told: bool,
    /// By how much each log's clock is off.
    pub(super) clocks: [i8; 3],
    pub(super) losses: Vec<(u8, Loss)>,
}

/// What may happen in a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One agent and people in one worktree, nothing lost.
    Plain,
    /// All of it.
    Everything,
}

pub(super) fn histories(kind: Kind, most: usize) -> impl Strategy<Value = History> {
    let everything = kind == Kind::Everything;
    let rarely = move |few: u32| if everything { few } else { 0 };
    let off = prop_oneof![6 => Just(0i8), rarely(2) + 1 => if everything { -6i8..7 } else { 0i8..1 }];
    let loss = prop_oneof![Just(Loss::Gone), any::<u8>().prop_map(Loss::Poorer), any::<u8>().prop_map(Loss::Redacted)];
    let losses = prop::collection::vec((any::<u8>(), loss), 0..=if everything { 4 } else { 0 });
    let losses = prop_oneof![Just(Vec::new()), losses];
    let deeds = prop::collection::vec(deed(kind), 1..most);
    let flags = (any::<bool>(), prop::bool::weighted(0.7), any::<bool>());
    (0u8..9, flags, deeds, [off.clone(), off.clone(), off], losses).prop_map(
        move |(first, (first_seen, thorough, people_told), deeds, clocks, losses)| History {
            first,
            first_seen,
            deeds,
            thorough: thorough || !everything,
            people_told,
            clocks,
            losses,
        },
    )
}

fn deed(kind: Kind) -> BoxedStrategy<Deed> {
    let everything = kind == Kind::Everything;
    let tree = if everything { prop_oneof![5 => Just(0u8), 1 => 0u8..3].boxed() } else { Just(0u8).boxed() };
    let log = if everything { (0u8..3).boxed() } else { Just(0u8).boxed() };
    let span = || (any::<u8>(), 0u8..5).prop_map(|(at, len)| Span { at, len });
    let way = prop_oneof![3 => Just(Way::Whole), 2 => Just(Way::Strings), 2 => Just(Way::Hunks), 1 => Just(Way::After)];
    let agent = (tree.clone(), log.clone(), way, span(), 0u8..4)
        .prop_map(|(tree, log, way, place, insert)| Deed::Agent { tree, log, way, place, insert });
    let person = (tree.clone(), span(), 0u8..3, any::<bool>()).prop_map(|(tree, place, insert, told)| Deed::Person {
        tree,
        place,
        insert,
        told,
    });
    let look = (tree.clone(), log.clone(), prop::bool::weighted(if everything { 0.3 } else { 0.0 }))
        .prop_map(|(tree, log, shown)| Deed::Look { tree, log, shown });
    if !everything {
        return prop_oneof![4 => agent, 2 => person, 1 => look].boxed();
    }
    let by = prop_oneof![
        log.clone().prop_map(By::Agent),
        any::<bool>().prop_map(By::Person),
        log.clone().prop_map(By::Command)
    ];
    let format = (tree.clone(), span(), 0u8..4, by.clone()).prop_map(|(tree, place, form, by)| Deed::Format {
        tree,
        place,
        form,
        by,
    });
    let shift = (tree.clone(), (any::<u8>(), 1u8..9), any::<u8>(), by)
        .prop_map(|(tree, (at, len), to, by)| Deed::Move { tree, place: Span { at, len }, to, by });
    let which = prop_oneof![Just(Command::Append), Just(Command::Sed), Just(Command::Opaque), Just(Command::Innocent)];
    let command = (tree.clone(), log.clone(), which, span(), 0u8..3)
        .prop_map(|(tree, log, command, place, insert)| Deed::Command { tree, log, command, place, insert });
    let next_turn = log.clone().prop_map(|log| Deed::NextTurn { log });
    let commit = tree.clone().prop_map(|tree| Deed::Commit { tree });
    let checkout = (tree.clone(), any::<u8>(), prop::bool::weighted(0.8))
        .prop_map(|(tree, commit, told)| Deed::Checkout { tree, commit, told });
    let merge = (tree.clone(), any::<u8>()).prop_map(|(tree, commit)| Deed::Merge { tree, commit });
    let revert = (tree.clone(), any::<u8>()).prop_map(|(tree, commit)| Deed::Revert { tree, commit });
    let rewind = (tree, log, 1u8..4, any::<bool>()).prop_map(|(tree, log, edits, restored)| Deed::Rewind {
        tree,
        log,
        edits,
        restored,
    });
    prop_oneof![
        10 => agent, 4 => person, 3 => look, 2 => format, 2 => shift, 2 => command, 1 => next_turn, 2 => commit,
        1 => checkout, 1 => merge, 1 => revert, 1 => rewind
    ]
    .boxed()
}

/// A line of the story.
#[derive(Clone, Debug)]
struct Line {
    tree: u8,
    log: u8,
    turn: Option<u32>,
    left_behind: bool,
    body: String,
    poorer: Vec<String>,
    parents: Vec<usize>,
    /// The text before an edit.
    before: Option<Text>,
}

#[derive(Clone, Debug)]
struct Commit {
    text: Text,
    parents: Vec<usize>,
    told: Option<usize>,
}

/// The log of commits and that of what git wrote.
const COMMITS: u8 = 8;
const MOVES: u8 = 9;

/// A history as it went.
pub(super) struct World {
    letters: Letters,
    trees: [Option<Text>; 3],
    /// The text that was told last.
    last_told: [Option<Text>; 3],
    heads: [Option<usize>; 3],
    commits: Vec<Commit>,
    turns: [u32; 3],
    next_step: u32,
    lines: Vec<Line>,
    /// For each letter the steps that wrote it: that made it, moved it, or brought it back.
    pub(super) writers: BTreeMap<char, Vec<u32>>,
    /// The steps that are commands.
    pub(super) commands: BTreeSet<u32>,
    /// Somebody changed the file of whom nothing was told.
    pub(super) untold: bool,
    people_told: bool,
    thorough: bool,
}

/// Which letters new lines have.
enum Letters {
    /// Each another one.
    Unique(u32),
    Few,
}

const FEW: [char; 4] = ['a', 'b', '}', ')'];

impl World {
    /// Lets a history happen where each line is unlike all others.
    pub(super) fn unique(history: &History) -> World {
        World::of(history, Letters::Unique(0))
    }

    /// Lets a history happen where there are only four lines.
    pub(super) fn of_few(history: &History) -> World {
        World::of(history, Letters::Few)
    }

    fn of(history: &History, letters: Letters) -> World {
        let mut world = World {
            letters,
            trees: [None, None, None],
            last_told: [None, None, None],
            heads: [None; 3],
            commits: Vec::new(),
            turns: [0; 3],
            next_step: 0,
            lines: Vec::new(),
            writers: BTreeMap::new(),
            commands: BTreeSet::new(),
            untold: false,
            people_told: history.people_told,
            thorough: history.thorough,
        };
        let first = world.new_units(history.first.into(), 77);
        world.trees[0] = Some(first);
        if history.first_seen {
            world.look(0, 0, "seen");
        }
        for deed in &history.deeds {
            world.happen(deed);
        }
        world
    }

    /// The worktrees that exist, with their texts.
    pub(super) fn texts(&self) -> impl Iterator<Item = (u16, &Text)> {
        self.trees.iter().enumerate().filter_map(|(tree, text)| Some((tree as u16, text.as_ref()?)))
    }

    /// What is told, in the words of [`super::story`].
    pub(super) fn story(&self, history: &History) -> String {
        let mut bodies: Vec<Option<String>> = self.lines.iter().map(|line| Some(line.body.clone())).collect();
        for (which, loss) in &history.losses {
            let at = usize::from(*which) % bodies.len().max(1);
            let Some(body) = bodies.get_mut(at) else { continue };
            *body = match loss {
                Loss::Gone => None,
                Loss::Poorer(how) => {
                    let poorer = &self.lines[at].poorer;
                    poorer.get(usize::from(*how) % poorer.len().max(1)).cloned()
                }
                Loss::Redacted(which) => body.as_ref().map(|body| redacted(body, usize::from(*which))),
            };
        }
        let mut numbers = vec![None; bodies.len()];
        let mut told = String::new();
        let mut count = 0usize;
        for (at, body) in bodies.iter().enumerate() {
            let Some(body) = body else { continue };
            numbers[at] = Some(count);
            let line = &self.lines[at];
            if line.tree > 0 {
                told += &format!("@{} ", line.tree);
            }
            if line.log > 0 {
                told += &format!("&{} ", line.log);
            }
            if let Some(turn) = line.turn {
                told += &format!("%{turn} ");
            }
            let off = history.clocks.get(usize::from(line.log)).copied().unwrap_or_default();
            if off != 0 {
                told += &format!("~{} ", count as i64 + i64::from(off));
            }
            if line.left_behind {
                told += "! ";
            }
            told += body.trim_end();
            let parents: Vec<String> =
                line.parents.iter().filter_map(|parent| numbers[*parent]).map(|parent| parent.to_string()).collect();
            if !parents.is_empty() {
                told += &format!(" < {}", parents.join(" "));
            }
            told.push('\n');
            count += 1;
        }
        told
    }

    fn new_letter(&mut self, seed: usize) -> char {
        match &mut self.letters {
            Letters::Unique(next) => {
                *next += 1;
                unique_letter(*next - 1)
            }
            Letters::Few => FEW[seed % FEW.len()],
        }
    }

    fn new_units(&mut self, count: usize, seed: usize) -> Text {
        // Of few letters, which come is drawn from the seed.
        (0..count).map(|n| Unit::plain(self.new_letter(((seed + n) * 2_654_435_761) >> 7))).collect()
    }

    fn text(&mut self, tree: u8) -> Text {
        let first = self.trees[0].clone().unwrap_or_default();
        self.trees[usize::from(tree)].get_or_insert(first).clone()
    }

    fn set(&mut self, tree: u8, text: Text) {
        self.trees[usize::from(tree)] = Some(text);
    }

    fn step(&mut self, brought: &[Unit]) -> u32 {
        self.next_step += 1;
        for unit in brought {
            self.writers.entry(unit.letter).or_default().push(self.next_step);
        }
        self.next_step
    }

    fn tell(&mut self, tree: u8, log: u8, body: String) -> &mut Line {
        let turn = self.turns.get(usize::from(log)).map(|turn| turn * 3 + u32::from(log));
        self.lines.push(Line {
            tree,
            log,
            turn,
            left_behind: false,
            body,
            poorer: Vec::new(),
            parents: Vec::new(),
            before: None,
        });
        self.lines.last_mut().expect("a line")
    }

    fn look(&mut self, tree: u8, log: u8, how: &str) {
        let text = self.text(tree);
        self.tell(tree, log, format!("{how} {}", spelled(&text)));
        self.last_told[usize::from(tree)] = Some(text);
    }

    /// Somebody changed the file.
    fn by_hand(&mut self, tree: u8, told: bool) {
        if told || self.people_told {
            self.tell(tree, 0, "byhand".into()).turn = None;
        } else {
            self.untold = true;
        }
    }

    fn happen(&mut self, deed: &Deed) {
        match *deed {
            Deed::Agent { tree, log, way, place, insert } => {
                let text = self.text(tree);
                let seed = usize::from(place.at) + usize::from(insert);
                let new = self.new_units(insert.into(), seed);
                let (from, to) = place.in_text(text.len());
                self.edit(tree, log, way, from, to, new);
            }
            Deed::Person { tree, place, insert, told } => {
                let mut text = self.text(tree);
                let new = self.new_units(insert.into(), usize::from(place.at) + 9);
                let (from, to) = place.in_text(text.len());
                text.splice(from..to, new);
                self.set(tree, text);
                self.by_hand(tree, told);
            }
            Deed::Format { tree, place, form, by } => {
                let mut text = self.text(tree);
                let (from, to) = place.in_text(text.len());
                let form = [Form::Plain, Form::Indented, Form::WithComma, Form::Broken][usize::from(form) % 4];
                text[from..to].iter_mut().for_each(|unit| unit.form = form);
                self.changed(tree, text, &[], by, "formats");
            }
            Deed::Move { tree, place, to, by } => {
                let mut text = self.text(tree);
                let (from, end) = place.in_text(text.len());
                let block: Text = text.drain(from..end).collect();
                let to = usize::from(to) % (text.len() + 1);
                text.splice(to..to, block.iter().copied());
                self.changed(tree, text, &block, by, "any");
            }
            Deed::Command { tree, log, command, place, insert } => self.command(tree, log, command, place, insert),
            Deed::Look { tree, log, shown } => self.look(tree, log, if shown { "shown" } else { "seen" }),
            Deed::NextTurn { log } => self.turns[usize::from(log)] += 1,
            Deed::Commit { tree } => {
                self.text(tree);
                let parents = self.heads[usize::from(tree)].into_iter().collect();
                self.commit(tree, parents);
            }
            Deed::Checkout { tree, commit, told } => {
                let Some(commit) = self.choose(commit) else { return };
                self.text(tree);
                self.set(tree, self.commits[commit].text.clone());
                self.heads[usize::from(tree)] = Some(commit);
                self.brought(tree, told);
            }
            Deed::Merge { tree, commit } => {
                let (Some(theirs), Some(ours)) = (self.choose(commit), self.heads[usize::from(tree)]) else { return };
                let base = self.base(ours, theirs).map(|base| self.commits[base].text.clone()).unwrap_or_default();
                let text = self.text(tree);
                let merged = merged(&base, &text, &self.commits[theirs].text);
                self.set(tree, merged);
                self.commit(tree, vec![ours, theirs]);
                self.brought(tree, true);
            }
            Deed::Revert { tree, commit } => {
                let Some(commit) = self.choose(commit) else { return };
                let Commit { text: was, parents, .. } = self.commits[commit].clone();
                let before = parents.first().map(|parent| self.commits[*parent].text.clone()).unwrap_or_default();
                let text = self.text(tree);
                self.set(tree, merged(&was, &text, &before));
                let parents = self.heads[usize::from(tree)].into_iter().collect();
                self.commit(tree, parents);
                self.brought(tree, true);
            }
            Deed::Rewind { tree, log, edits, restored } => {
                let own = |(at, line): (usize, &Line)| {
                    (line.tree == tree && line.log == log && line.before.is_some() && !line.left_behind).then_some(at)
                };
                let edits: Vec<usize> =
                    self.lines.iter().enumerate().rev().filter_map(own).take(edits.into()).collect();
                let Some(first) = edits.last().copied() else { return };
                // All that the log told since lies on the way that was left.
                for line in self.lines[first..].iter_mut().filter(|line| line.log == log && line.turn.is_some()) {
                    line.left_behind = true;
                }
                if restored && let Some(before) = self.lines[first].before.clone() {
                    self.set(tree, before);
                }
                self.untold = true;
            }
        }
    }

    fn edit(&mut self, tree: u8, log: u8, way: Way, from: usize, to: usize, new: Text) {
        let before = self.text(tree);
        let (plain_from, plain_to) = (from, to);
        let way = if before.is_empty() { Way::Whole } else { way };
        let (from, to) = string_around(&before, from, to);
        let is_once = from < to && before.windows(to - from).filter(|part| *part == &before[from..to]).count() == 1;
        let way = if way == Way::Strings && !is_once { Way::Whole } else { way };
        if self.thorough
            && matches!(way, Way::Strings | Way::Hunks)
            && self.last_told[usize::from(tree)].as_ref() != Some(&before)
        {
            self.look(tree, log, "seen");
        }
        let mut after = before.clone();
        after.splice(plain_from..plain_to, new.iter().copied());
        let step = self.step(&new);
        let replaced: Text = [&before[from..plain_from], new.as_slice(), &before[plain_to..to]].concat();
        let hunks = format!("{step} hunks {}", hunk(&before, plain_from, plain_to, &new));
        let whole = format!("{step} {} -> {}", spelled(&before), spelled(&after));
        let strings = format!("{step} {}=>{}", spelled(&before[from..to]), spelled(&replaced));
        let with_after = format!("{hunks} then {}", spelled(&after));
        let (body, poorer) = match way {
            Way::Whole if before.is_empty() => (format!("{step} new {}", spelled(&after)), vec![whole]),
            Way::Whole => (whole, vec![hunks, strings, with_after]),
            Way::Strings => (strings, vec![hunks]),
            Way::Hunks => (hunks, Vec::new()),
            Way::After => (with_after, vec![hunks]),
        };
        let line = self.tell(tree, log, body);
        (line.poorer, line.before) = (poorer, Some(before));
        self.set(tree, after.clone());
        self.last_told[usize::from(tree)] = Some(after);
    }

    /// A change of lines that were there before: `brought` are those that came to stand elsewhere.
    fn changed(&mut self, tree: u8, text: Text, brought: &[Unit], by: By, command: &str) {
        let before = self.text(tree);
        match by {
            By::Agent(log) => {
                let step = self.step(brought);
                // Where lines changed places, which of them were moved is a matter of view.
                let all: Vec<char> = if brought.is_empty() { Vec::new() } else { moved_letters(&before, &text) };
                for letter in all {
                    self.writers.entry(letter).or_default().push(step);
                }
                let line = self.tell(tree, log, format!("{step} {} -> {}", spelled(&before), spelled(&text)));
                line.before = Some(before);
                self.last_told[usize::from(tree)] = Some(text.clone());
            }
            By::Person(told) => self.by_hand(tree, told),
            By::Command(log) => {
                let all = if brought.is_empty() { Vec::new() } else { moved_letters(&before, &text) };
                let step = self.step(&[]);
                self.commands.insert(step);
                for letter in all {
                    self.writers.entry(letter).or_default().push(step);
                }
                self.tell(tree, log, format!("{step} ran {command}"));
            }
        }
        self.set(tree, text);
    }

    fn command(&mut self, tree: u8, log: u8, command: Command, place: Span, insert: u8) {
        let mut text = self.text(tree);
        let new = self.new_units(usize::from(insert) + 1, place.at.into());
        let (from, to) = place.in_text(text.len());
        let body = match command {
            Command::Append => {
                let step = self.step(&new);
                text.extend(new);
                format!("{step} ran append")
            }
            Command::Sed => {
                let Some(unit) = text.get(from).copied() else { return };
                let step = self.step(&new[..1]);
                let made = Unit { letter: new[0].letter, ..unit };
                text.iter_mut().filter(|line| **line == unit).for_each(|line| *line = made);
                format!("{step} ran sed {} {}", unit.spelled(), made.spelled())
            }
            Command::Opaque => {
                let step = self.step(&new);
                text.splice(from..to, new);
                format!("{step} ran any")
            }
            Command::Innocent => {
                let kinds = ["any", "old", "formats", "append"];
                format!("{} ran {}", self.step(&[]), kinds[usize::from(place.at) % kinds.len()])
            }
        };
        self.commands.insert(self.next_step);
        self.tell(tree, log, body);
        self.set(tree, text);
    }

    fn choose(&self, commit: u8) -> Option<usize> {
        (!self.commits.is_empty()).then(|| usize::from(commit) % self.commits.len())
    }

    fn commit(&mut self, tree: u8, parents: Vec<usize>) {
        let text = self.text(tree);
        let same = parents.iter().copied().find(|parent| self.commits[*parent].text == text);
        let told = match same {
            // git tells only of commits that changed the file.
            Some(parent) => self.commits[parent].told,
            None => {
                let told = parents.iter().filter_map(|parent| self.commits[*parent].told).collect();
                let line = self.tell(0, COMMITS, format!("blob {}", spelled(&text)));
                line.parents = told;
                Some(self.lines.len() - 1)
            }
        };
        self.heads[usize::from(tree)] = Some(self.commits.len());
        self.commits.push(Commit { text, parents, told });
    }

    /// git wrote the file; of the worktree at hand its reflog tells.
    fn brought(&mut self, tree: u8, told: bool) {
        if tree == 0 && told {
            self.look(0, MOVES, "seen");
        } else {
            self.by_hand(tree, false);
        }
    }

    fn base(&self, ours: usize, theirs: usize) -> Option<usize> {
        let all = |from: usize| {
            let mut open = vec![from];
            let mut all = Vec::new();
            while let Some(at) = open.pop() {
                all.push(at);
                open.extend(&self.commits[at].parents);
            }
            all
        };
        let of_ours = all(ours);
        all(theirs).into_iter().filter(|commit| of_ours.contains(commit)).max()
    }
}

impl Span {
    fn in_text(self, len: usize) -> (usize, usize) {
        let from = usize::from(self.at) % (len + 1);
        (from, (from + usize::from(self.len)).min(len))
    }
}

/// The lines that a replaced string is made of: at least one, and only one place.
fn string_around(text: &[Unit], mut from: usize, mut to: usize) -> (usize, usize) {
    let places = |from: usize, to: usize| text.windows(to - from).filter(|part| *part == &text[from..to]).count();
    while !text.is_empty() && (from == to || places(from, to) > 1) {
        if to < text.len() {
            to += 1;
        } else if from > 0 {
            from -= 1;
        } else {
            break;
        }
    }
    (from, to)
}

/// A unified hunk with up to three lines around.
fn hunk(before: &[Unit], from: usize, to: usize, new: &[Unit]) -> String {
    let (head, tail) = (from.saturating_sub(3), (to + 3).min(before.len()));
    let at = lines(&before[..head]) + 1;
    let part = |sign: &str, units: &[Unit]| {
        if units.is_empty() { String::new() } else { format!("{sign}{}", spelled(units)) }
    };
    format!(
        "{at}/{at} {}{}{}{}",
        part("=", &before[head..from]),
        part("-", &before[from..to]),
        part("+", new),
        part("=", &before[to..tail])
    )
}

/// Letters of lines that some account of the change takes for moved.
fn moved_letters(before: &[Unit], after: &[Unit]) -> Vec<char> {
    let head = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let tail = before[head..].iter().rev().zip(after[head..].iter().rev()).take_while(|(a, b)| a == b).count();
    after[head..after.len() - tail].iter().map(|unit| unit.letter).collect()
}

/// What `theirs` changed since `base`, on `ours`.
fn merged(base: &[Unit], ours: &[Unit], theirs: &[Unit]) -> Text {
    let has = |text: &[Unit], letter: char| text.iter().any(|unit| unit.letter == letter);
    let mut merged: Text = ours.to_vec();
    merged.retain(|unit| has(theirs, unit.letter) || !has(base, unit.letter));
    for (at, unit) in theirs.iter().enumerate() {
        if has(base, unit.letter) || has(&merged, unit.letter) {
            continue;
        }
        let above =
            theirs[..at].iter().rev().find_map(|above| merged.iter().position(|unit| unit.letter == above.letter));
        merged.insert(above.map_or(0, |above| above + 1), *unit);
    }
    merged
}

fn redacted(body: &str, which: usize) -> String {
    let first = body.find(' ').unwrap_or_default();
    let (head, text) = body.split_at(first);
    // The words of a story have small Latin letters; those of unique lines begin elsewhere.
    let letters: Vec<char> = text.chars().filter(|c| c.is_alphabetic() && !c.is_ascii_lowercase()).collect();
    match letters.get(which % letters.len().max(1)) {
        Some(letter) => format!("{head}{}", text.replace(*letter, "*")),
        None => body.to_owned(),
    }
}

/// Letters that the words of a story do not have.
fn unique_letter(number: u32) -> char {
    let ranges = [('A', 26), ('α', 17), ('σ', 7), ('а', 32), ('А', 32), ('ა', 33), ('一', 20_000)];
    let mut rest = number;
    for (first, count) in ranges {
        if rest < count {
            return char::from_u32(first as u32 + rest).unwrap_or('?');
        }
        rest -= count;
    }
    '?'
}
