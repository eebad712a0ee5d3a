//! What the bytes of a record must hold for a pattern to be found in one of its texts.
//!
//! A text is not in the bytes as it is read: JSON escapes it, at times twice; readers trim it, join its parts with
//! blanks and line breaks, and make paths whole. What survives all of that are runs of letters, digits, `_`, `-` and
//! `.`, and of characters beyond ASCII. Everything else a pattern asks for is left to its regular expression.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Characters that may stand at one place of a run; a class of more ends the run.
const MOST_VARIANTS: usize = 6;
/// A run is cut here: more of it would not make it rarer.
const LONGEST_RUN: usize = 64;
/// Ways to write a window's beginning that are looked for at once.
const MOST_SPELLINGS: usize = 16;
/// Characters of a window.
const WINDOW: usize = 4;

#[derive(Clone, Debug, PartialEq)]
pub enum Need {
    /// Any record may match.
    Nothing,
    Run(Run),
    All(Vec<Need>),
    Any(Vec<Need>),
}

/// Characters that stand one after the other, each one of a few (`k`, `K` and the sign for Kelvin).
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub(crate) sets: Vec<Vec<char>>,
}

impl Need {
    pub(crate) fn of(hir: &Hir) -> Need {
        let mut collected = Collected::default();
        collected.walk(hir);
        collected.close();
        Need::all(collected.needs)
    }

    /// What all of these need.
    pub fn all(needs: impl IntoIterator<Item = Need>) -> Need {
        let mut needs: Vec<Need> = needs.into_iter().filter(|need| *need != Need::Nothing).collect();
        match needs.len() {
            0 => Need::Nothing,
            1 => needs.remove(0),
            _ => Need::All(needs),
        }
    }

    /// Runs of which one lies in every record that matches: those that are the rarest, by what is known of letters.
    pub(crate) fn rarest(&self) -> Option<Vec<&Run>> {
        match self {
            Need::Nothing => None,
            Need::Run(run) => Some(vec![run]),
            Need::All(needs) => {
                let each = needs.iter().filter_map(Need::rarest);
                each.max_by_key(|runs| runs.iter().map(|run| run.rarity()).min())
            }
            Need::Any(needs) => {
                let each: Option<Vec<Vec<&Run>>> = needs.iter().map(Need::rarest).collect();
                Some(each?.into_iter().flatten().collect())
            }
        }
    }
}

#[derive(Default)]
struct Collected {
    needs: Vec<Need>,
    open: Vec<Vec<char>>,
}

impl Collected {
    fn walk(&mut self, hir: &Hir) {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                Ok(text) => text.chars().for_each(|c| self.put(vec![c])),
                Err(_) => self.close(),
            },
            HirKind::Class(class) => match members(class) {
                Some(set) => self.put(set),
                None => self.close(),
            },
            HirKind::Repetition(repeated) => {
                if repeated.min > 0 {
                    self.walk(&repeated.sub);
                }
                self.close();
            }
            HirKind::Capture(capture) => self.walk(&capture.sub),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.walk(part)),
            HirKind::Alternation(branches) => {
                self.close();
                let needs: Vec<Need> = branches.iter().map(Need::of).collect();
                if !needs.contains(&Need::Nothing) {
                    self.needs.push(Need::Any(needs));
                }
            }
        }
    }

    fn put(&mut self, set: Vec<char>) {
        if !set.iter().all(|c| is_plain(*c)) || self.open.len() == LONGEST_RUN {
            self.close();
        }
        if set.iter().all(|c| is_plain(*c)) {
            self.open.push(set);
        }
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.needs.push(Need::Run(Run { sets: std::mem::take(&mut self.open) }));
        }
    }
}

/// Whether a character is in a record's bytes wherever it is in a text of it, beside the same neighbours.
pub(crate) fn is_plain(c: char) -> bool {
    match c {
        '_' | '-' | '.' => true,
        // What stands for bytes that are no text.
        char::REPLACEMENT_CHARACTER => false,
        c if c.is_ascii() => c.is_ascii_alphanumeric(),
        c => !c.is_whitespace() && !c.is_control(),
    }
}

fn members(class: &Class) -> Option<Vec<char>> {
    let ranges: Vec<(char, char)> = match class {
        Class::Unicode(class) => class.ranges().iter().map(|range| (range.start(), range.end())).collect(),
        Class::Bytes(class) if class.is_ascii() => {
            class.ranges().iter().map(|range| (range.start().into(), range.end().into())).collect()
        }
        Class::Bytes(_) => return None,
    };
    let all: Vec<char> = ranges.iter().flat_map(|(first, last)| *first..=*last).take(MOST_VARIANTS + 1).collect();
    (!all.is_empty() && all.len() <= MOST_VARIANTS).then_some(all)
}

impl Run {
    /// Where to begin looking for it: the part whose first bytes are the rarest.
    pub(crate) fn window(&self) -> std::ops::Range<usize> {
        let windows = (0..self.sets.len()).map(|from| self.window_from(from));
        windows.max_by_key(|window| (self.rarity_of(window.clone()), std::cmp::Reverse(window.start))).unwrap_or(0..0)
    }

    fn window_from(&self, from: usize) -> std::ops::Range<usize> {
        let mut spellings = 1;
        let mut to = from;
        for set in self.sets.iter().skip(from).take(WINDOW) {
            spellings *= set.len();
            if spellings > MOST_SPELLINGS && to > from {
                break;
            }
            to += 1;
        }
        from..to
    }

    pub(crate) fn rarity(&self) -> u32 {
        self.rarity_of(self.window())
    }

    fn rarity_of(&self, window: std::ops::Range<usize>) -> u32 {
        self.sets
            .get(window)
            .unwrap_or_default()
            .iter()
            .map(|set| set.iter().map(|c| bits(*c)).min().unwrap_or(0))
            .sum()
    }

    /// The window's texts, all its variants.
    pub(crate) fn spellings(&self) -> Vec<String> {
        let mut all = vec![String::new()];
        for set in self.sets.get(self.window()).unwrap_or_default() {
            all = all.iter().flat_map(|text| set.iter().map(move |c| format!("{text}{c}"))).collect();
        }
        all
    }

    /// Characters of the window.
    pub(crate) fn window_chars(&self) -> impl Iterator<Item = char> + '_ {
        self.sets.get(self.window()).unwrap_or_default().iter().flatten().copied()
    }

    /// Its parts in ASCII, in lower case: they lie in the bytes in some case, wherever nothing in ASCII is escaped and
    /// no letter from beyond stands for one of ASCII.
    pub(crate) fn ascii_parts(&self) -> Vec<Vec<u8>> {
        let mut parts = vec![Vec::new()];
        for set in &self.sets {
            let mut folded: Vec<u8> =
                set.iter().filter(|c| c.is_ascii()).map(|c| c.to_ascii_lowercase() as u8).collect();
            folded.dedup();
            let is_one = folded.len() == 1 && set.iter().all(|c| c.is_ascii() || is_odd(*c));
            match (parts.last_mut(), folded.first()) {
                (Some(part), Some(byte)) if is_one => part.push(*byte),
                _ => parts.push(Vec::new()),
            }
        }
        parts
    }

    pub(crate) fn is_ascii(&self) -> bool {
        self.sets.iter().flatten().all(|c| c.is_ascii() || is_odd(*c))
    }
}

/// Letters beyond ASCII that fold to one of it: the sign for Kelvin and the long s.
pub(crate) fn is_odd(c: char) -> bool {
    matches!(c, '\u{212A}' | '\u{17F}')
}

/// About how many bits a character tells, in logs of code and English in JSON.
fn bits(c: char) -> u32 {
    match c.to_ascii_lowercase() {
        'e' | 't' | 's' | 'n' | 'i' | 'a' | 'o' | 'r' => 4,
        'l' | 'c' | 'd' | 'u' | 'm' | 'p' | '.' | '-' => 5,
        'f' | 'h' | 'g' | 'b' | 'y' | '_' | 'v' | 'w' | '0'..='9' => 6,
        'k' | 'x' => 7,
        'z' | 'j' | 'q' => 8,
        // In logs that hold such letters they are many.
        _ => 6,
    }
}
