//! What `sed -i` and `perl -i` do to a text.

use regex::{Regex, RegexBuilder};

use crate::pattern;
use crate::perl::PerlScript;
use crate::sed::{Action, Address, Command, End, Part, Pattern, SedScript, Spot};

/// What is done to each of some files. It tells more once it is made ready: see [`Script::compile`].
#[derive(Clone, Debug, PartialEq)]
pub struct Script(Kind);

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Sed(SedScript),
    Perl(PerlScript),
    Unknown,
}

impl Script {
    pub(crate) fn of_sed(script: SedScript) -> Script {
        Script(Kind::Sed(script))
    }

    pub(crate) fn of_perl(script: Option<PerlScript>) -> Script {
        Script(script.map_or(Kind::Unknown, Kind::Perl))
    }

    /// The script, ready to be applied. `None`: what it does to a text is not known (it may be anything).
    pub fn compile(&self) -> Option<Substitution> {
        Some(Substitution(match &self.0 {
            Kind::Sed(script) => {
                let mut ranges = 0;
                let commands = compile_all(&script.commands, script.extended, true, &mut ranges)?;
                Ready::Sed { commands, quiet: script.quiet, ranges }
            }
            Kind::Perl(script) => Ready::Perl(script.compile()?),
            Kind::Unknown => return None,
        }))
    }
}

/// A script ready to be applied.
#[derive(Clone, Debug)]
pub struct Substitution(Ready);

#[derive(Clone, Debug)]
enum Ready {
    Sed { commands: Vec<Step>, quiet: bool, ranges: usize },
    Perl(crate::perl::Ready),
}

impl Substitution {
    /// What becomes of one line (without its end), wherever it stands: no line where it is deleted, several where some
    /// are put before or behind it. `None`: that depends on where it stands, or on other lines.
    pub fn line(&self, line: &str) -> Option<Vec<String>> {
        match &self.0 {
            Ready::Sed { commands, quiet, .. } => {
                let mut cycle = Cycle { here: None, ranges: &mut [], space: line.to_owned(), out: Out::default() };
                let quiet = *quiet;
                cycle.run_to_end(commands, quiet)?;
                Some(cycle.out.lines.iter().flat_map(|line| line.split('\n')).map(str::to_owned).collect())
            }
            Ready::Perl(perl) => perl.line(line),
        }
    }

    /// What becomes of a whole file. `None`: a pattern was too dear to apply.
    pub fn text(&self, text: &str) -> Option<String> {
        match &self.0 {
            Ready::Sed { commands, quiet, ranges } => {
                let lines: Vec<&str> = text.strip_suffix('\n').unwrap_or(text).split('\n').collect();
                let lines = if text.is_empty() { &[][..] } else { &lines[..] };
                let mut ranges = vec![Range::Waiting; *ranges];
                let mut out = Out::default();
                for (n, line) in lines.iter().enumerate() {
                    let here = Some(Here { number: n + 1, is_last: n + 1 == lines.len() });
                    let mut cycle = Cycle { here, ranges: &mut ranges, space: (*line).to_owned(), out };
                    cycle.run_to_end(commands, *quiet)?;
                    out = cycle.out;
                }
                let mut result = out.lines.join("\n");
                if !out.lines.is_empty() && (text.ends_with('\n') || out.has_end) {
                    result.push('\n');
                }
                Some(result)
            }
            Ready::Perl(perl) => perl.text(text),
        }
    }
}

// ---- sed

#[derive(Clone, Debug)]
struct Step {
    address: Place,
    negated: bool,
    action: Done,
}

#[derive(Clone, Debug)]
enum Place {
    Every,
    One(Mark),
    Range { number: usize, from: Mark, end: Until },
}

#[derive(Clone, Debug)]
enum Mark {
    Line(usize),
    Last,
    Match(Regex),
    Step { first: usize, step: usize },
}

#[derive(Clone, Debug)]
enum Until {
    At(Mark),
    After(usize),
}

#[derive(Clone, Debug)]
enum Done {
    Substitute { regex: Regex, by: Vec<Part>, all: bool, nth: usize, print: bool },
    Delete,
    Print,
    Append(String),
    Insert(String),
    Change(String),
    Block(Vec<Step>),
    Transliterate(Vec<(char, char)>),
}

pub(crate) fn regex(pattern: &str, any_case: bool) -> Option<Regex> {
    RegexBuilder::new(pattern).case_insensitive(any_case).size_limit(1 << 20).build().ok()
}

/// `is_always_reached`: by every line. Else a range may not see the lines where it begins and ends, and the versions of
/// sed do not agree on what it does then.
fn compile_all(
    commands: &[Command],
    extended: bool,
    mut is_always_reached: bool,
    ranges: &mut usize,
) -> Option<Vec<Step>> {
    let regex = |pattern: &Pattern| regex(&pattern::convert(&pattern.text, extended)?, pattern.any_case);
    let mark = |spot: &Spot| {
        Some(match spot {
            Spot::Line(number) => Mark::Line(*number),
            Spot::Last => Mark::Last,
            Spot::Match(pattern) if pattern.text.is_empty() => return None,
            Spot::Match(pattern) => Mark::Match(regex(pattern)?),
            Spot::Step { first, step } => Mark::Step { first: *first, step: *step },
        })
    };
    let step = |command: &Command| {
        let address = match &command.address {
            Address::Every => Place::Every,
            Address::One(spot) => Place::One(mark(spot)?),
            Address::Range(..) if !is_always_reached => return None,
            Address::Range(from, end) => {
                *ranges += 1;
                let end = match end {
                    End::At(spot) => Until::At(mark(spot)?),
                    End::After(count) => Until::After(*count),
                };
                Place::Range { number: *ranges - 1, from: mark(from)?, end }
            }
        };
        let action = match &command.action {
            Action::Substitute { pattern, by, all, nth, print } => {
                Done::Substitute { regex: regex(pattern)?, by: by.clone(), all: *all, nth: *nth, print: *print }
            }
            Action::Delete => Done::Delete,
            Action::Print => Done::Print,
            Action::Append(text) => Done::Append(text.clone()),
            Action::Insert(text) => Done::Insert(text.clone()),
            // Of a range it changes all lines to one text; other forms are rare.
            Action::Change(_) if matches!(command.address, Address::Range(..)) => return None,
            Action::Change(text) => Done::Change(text.clone()),
            Action::Block(commands) => Done::Block(compile_all(commands, extended, false, ranges)?),
            Action::Transliterate(pairs) => Done::Transliterate(pairs.clone()),
            Action::Other | Action::Elsewhere => return None,
        };
        is_always_reached &= !matches!(action, Done::Delete | Done::Change(_) | Done::Block(_));
        Some(Step { address, negated: command.negated, action })
    };
    commands.iter().map(step).collect()
}

#[derive(Clone, Copy)]
struct Here {
    number: usize,
    is_last: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Range {
    Waiting,
    /// Up to the line of this number, or to one that its end tells.
    Inside(Option<usize>),
}

#[derive(Default)]
struct Out {
    lines: Vec<String>,
    /// The last line has an end whether or not the text has one: it is not the text's last line.
    has_end: bool,
}

impl Out {
    fn put(&mut self, line: String, has_end: bool) {
        self.lines.push(line);
        self.has_end = has_end;
    }
}

/// What sed does to one line.
struct Cycle<'r> {
    /// `None`: the line may stand anywhere.
    here: Option<Here>,
    ranges: &'r mut [Range],
    space: String,
    out: Out,
}

enum Next {
    Go,
    /// The line is done, and not printed.
    Deleted,
}

impl Cycle<'_> {
    fn run_to_end(&mut self, steps: &[Step], quiet: bool) -> Option<()> {
        let mut behind = Vec::new();
        let next = self.run(steps, &mut behind)?;
        if matches!(next, Next::Go) && !quiet {
            let line = std::mem::take(&mut self.space);
            self.put(line);
        }
        behind.into_iter().for_each(|text| self.out.put(text, true));
        Some(())
    }

    /// Prints the line, or what became of it.
    fn put(&mut self, line: String) {
        let is_last = self.here.is_some_and(|here| here.is_last);
        self.out.put(line, !is_last);
    }

    fn run(&mut self, steps: &[Step], behind: &mut Vec<String>) -> Option<Next> {
        for step in steps {
            if self.is_at(&step.address)? == step.negated {
                continue;
            }
            match &step.action {
                Done::Substitute { regex, by, all, nth, print } => {
                    if let Some(changed) = replace(regex, &self.space, by, *all, *nth) {
                        self.space = changed;
                        if *print {
                            self.put(self.space.clone());
                        }
                    }
                }
                Done::Delete => return Some(Next::Deleted),
                Done::Print => self.put(self.space.clone()),
                Done::Append(text) => behind.push(text.clone()),
                Done::Insert(text) => self.out.put(text.clone(), true),
                Done::Change(text) => {
                    self.out.put(text.clone(), true);
                    return Some(Next::Deleted);
                }
                Done::Block(steps) => {
                    if matches!(self.run(steps, behind)?, Next::Deleted) {
                        return Some(Next::Deleted);
                    }
                }
                Done::Transliterate(pairs) => {
                    let change = |c: char| pairs.iter().find(|(from, _)| *from == c).map_or(c, |(_, to)| *to);
                    self.space = self.space.chars().map(change).collect();
                }
            }
        }
        Some(Next::Go)
    }

    fn is_at(&mut self, place: &Place) -> Option<bool> {
        match place {
            Place::Every => Some(true),
            Place::One(mark) => self.is_marked(mark),
            Place::Range { number, from, end } => {
                let here = self.here?;
                let state = *self.ranges.get(*number)?;
                // `0,/x/` begins before the first line.
                let begins_early = matches!(from, Mark::Line(0)) && here.number == 1;
                if state == Range::Waiting && !begins_early {
                    if !self.is_marked(from)? {
                        return Some(false);
                    }
                    let until = match end {
                        Until::After(count) => Some(here.number + count),
                        Until::At(Mark::Line(line)) => Some(*line),
                        Until::At(_) => None,
                    };
                    let is_over = until.is_some_and(|until| until <= here.number);
                    self.set(*number, if is_over { Range::Waiting } else { Range::Inside(until) });
                    return Some(true);
                }
                let is_end = match (state, end) {
                    (Range::Inside(Some(until)), _) => here.number >= until,
                    (_, Until::At(mark)) => self.is_marked(mark)?,
                    (_, Until::After(_)) => false,
                };
                self.set(
                    *number,
                    if is_end {
                        Range::Waiting
                    } else {
                        Range::Inside(match state {
                            Range::Inside(until) => until,
                            Range::Waiting => None,
                        })
                    },
                );
                Some(true)
            }
        }
    }

    fn set(&mut self, number: usize, range: Range) {
        if let Some(known) = self.ranges.get_mut(number) {
            *known = range;
        }
    }

    fn is_marked(&self, mark: &Mark) -> Option<bool> {
        Some(match mark {
            Mark::Match(regex) => regex.is_match(&self.space),
            Mark::Line(number) => self.here?.number == *number,
            Mark::Last => self.here?.is_last,
            Mark::Step { first, step } => {
                let number = self.here?.number;
                if *step == 0 { number == *first } else { number >= *first && (number - first) % step == 0 }
            }
        })
    }
}

/// The text with its matches from the `nth` on replaced (all of them or one). `None`: nothing matched.
pub(crate) fn replace(regex: &Regex, text: &str, by: &[Part], all: bool, nth: usize) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut last = 0;
    let mut is_changed = false;
    for (n, groups) in regex.captures_iter(text).enumerate() {
        if n + 1 < nth {
            continue;
        }
        let Some(whole) = groups.get(0) else { break };
        out.push_str(text.get(last..whole.start()).unwrap_or_default());
        for part in by {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Group(number) => out.push_str(groups.get(*number).map_or("", |group| group.as_str())),
            }
        }
        last = whole.end();
        is_changed = true;
        if !all {
            break;
        }
    }
    out.push_str(text.get(last..).unwrap_or_default());
    is_changed.then_some(out)
}
