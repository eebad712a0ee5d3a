//! Finding in bytes what a pattern needs.

use aho_corasick::packed::{Config, MatchKind, Searcher};
use aho_corasick::{AhoCorasick, Input, Span};
use memchr::memchr2;

use crate::need::{Need, Run};

/// What escapes are made of: where JSON stands in JSON these may be escaped themselves, and then anything may be there.
const OF_ESCAPES: &str = "\\u0123456789abcdefABCDEF";

/// Finds the places in a log's bytes at which a record may match.
pub struct Scanner {
    runs: Vec<Sought>,
    /// UTF-16 units of the windows' characters: escaped they are found by their number.
    units: Vec<u16>,
    finder: Option<Finder>,
    longest: usize,
}

/// A run and its window's first character.
struct Sought {
    run: Run,
    from: usize,
}

enum Finder {
    /// With vectors, where the machine has them.
    Packed(Searcher),
    Plain(AhoCorasick),
}

impl Finder {
    fn new(spellings: &[Vec<u8>]) -> Option<Finder> {
        let packed = Config::new().match_kind(MatchKind::LeftmostFirst).builder().extend(spellings).build();
        packed.map(Finder::Packed).or_else(|| AhoCorasick::new(spellings).ok().map(Finder::Plain))
    }

    fn find(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let span = Span { start: from, end: bytes.len() };
        match self {
            Finder::Packed(searcher) => searcher.find_in(bytes, span),
            Finder::Plain(automaton) => automaton.find(Input::new(bytes).span(span)),
        }
        .map(|found| found.start())
    }
}

/// How a character stands at a place.
enum Stands {
    /// In so many bytes.
    Plain(usize),
    /// It may be escaped, or lie behind the end of the bytes.
    Perhaps,
    No,
}

impl Scanner {
    pub fn new(need: &Need) -> Scanner {
        let runs = need.rarest().unwrap_or_default();
        let mut spellings: Vec<Vec<u8>> = runs.iter().flat_map(|run| run.spellings()).map(String::into_bytes).collect();
        let escapable = runs.iter().flat_map(|run| run.window_chars()).chain(OF_ESCAPES.chars());
        let mut units: Vec<u16> = escapable.map(last_unit).collect();
        units.sort();
        units.dedup();
        spellings.extend(units.iter().flat_map(|unit| escapes(*unit)));
        spellings.sort();
        spellings.dedup();
        let runs =
            runs.into_iter().map(|run| Sought { from: run.window().start, run: run.clone() }).collect::<Vec<_>>();
        let finder = if runs.is_empty() { None } else { Finder::new(&spellings) };
        Scanner { runs, units, finder, longest: spellings.iter().map(Vec::len).max().unwrap_or(0) }
    }

    /// Whether nothing can be told by bytes: every record may match.
    pub fn finds_all(&self) -> bool {
        self.finder.is_none()
    }

    /// Bytes of two pieces of a log that have to be looked through together so that nothing between them is missed.
    pub fn overlap(&self) -> usize {
        self.longest.saturating_sub(1)
    }

    /// Hands out the offset of a place in each record that may match, `at` being that of the first byte. Of one record
    /// several may be told.
    pub fn scan(&self, bytes: &[u8], at: u64, found: &mut dyn FnMut(u64)) {
        let Some(finder) = &self.finder else { return };
        let mut from = 0;
        while let Some(place) = finder.find(bytes, from) {
            let is_there = self.runs.iter().any(|sought| sought.is_at(bytes, place)) || self.is_escape(bytes, place);
            from = place + 1;
            if is_there {
                found(at + place as u64);
                // Several records can lie on one line, but each begins and ends with a brace.
                match memchr2(b'{', b'}', bytes.get(from..).unwrap_or_default()) {
                    Some(end) => from += end + 1,
                    None => return,
                }
            }
        }
    }

    /// Whether one of the windows' characters stands here as an escape, `u0065`, of whatever depth.
    fn is_escape(&self, bytes: &[u8], place: usize) -> bool {
        let is_escaped = place.checked_sub(1).is_none_or(|before| bytes.get(before) == Some(&b'\\'));
        if bytes.get(place) != Some(&b'u') || !is_escaped {
            return false;
        }
        let Some(digits) = bytes.get(place + 1..place + 5) else { return true };
        let unit = std::str::from_utf8(digits).ok().and_then(|digits| u16::from_str_radix(digits, 16).ok());
        unit.is_some_and(|unit| self.units.binary_search(&unit).is_ok())
    }
}

impl Sought {
    /// Whether the whole run may stand around its window at `place`.
    fn is_at(&self, bytes: &[u8], place: usize) -> bool {
        let (before, behind) = self.run.sets.split_at(self.from.min(self.run.sets.len()));
        let mut to = place;
        for set in behind {
            match forward(set, bytes.get(to..).unwrap_or_default()) {
                Stands::Plain(len) => to += len,
                Stands::Perhaps => break,
                Stands::No => return false,
            }
        }
        let mut from = place;
        for set in before.iter().rev() {
            match backward(set, bytes.get(..from).unwrap_or_default()) {
                Stands::Plain(len) => from -= len,
                Stands::Perhaps => break,
                Stands::No => return false,
            }
        }
        true
    }
}

fn forward(set: &[char], rest: &[u8]) -> Stands {
    let mut utf8 = [0; 4];
    for c in set {
        let spelled = c.encode_utf8(&mut utf8).as_bytes();
        if rest.starts_with(spelled) {
            return Stands::Plain(spelled.len());
        }
        if spelled.starts_with(rest) {
            return Stands::Perhaps;
        }
    }
    if rest.first() == Some(&b'\\') { Stands::Perhaps } else { Stands::No }
}

fn backward(set: &[char], before: &[u8]) -> Stands {
    const ESCAPE: usize = 6;
    let mut utf8 = [0; 4];
    for c in set {
        let spelled = c.encode_utf8(&mut utf8).as_bytes();
        if before.ends_with(spelled) {
            return Stands::Plain(spelled.len());
        }
    }
    let Some(escape) = before.len().checked_sub(ESCAPE).and_then(|at| before.get(at..)) else { return Stands::Perhaps };
    let is_escape = escape.starts_with(b"\\u") && escape.iter().skip(2).all(u8::is_ascii_hexdigit);
    if is_escape { Stands::Perhaps } else { Stands::No }
}

/// The UTF-16 unit with which a character's escape ends.
fn last_unit(c: char) -> u16 {
    let mut units = [0; 2];
    c.encode_utf16(&mut units).last().copied().unwrap_or_default()
}

/// What the escape of a unit holds behind its backslashes. Those of ASCII have their beginnings in common, for they are
/// rare enough.
fn escapes(unit: u16) -> Vec<Vec<u8>> {
    match unit {
        ..0x80 => vec![format!("u00{:x}", unit >> 4).into_bytes()],
        _ => vec![format!("u{unit:04x}").into_bytes(), format!("u{unit:04X}").into_bytes()],
    }
}
