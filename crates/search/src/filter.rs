//! What may be in a block of a log, told by a few kilobytes: which groups of three bytes it holds.
//!
//! Letters of ASCII count in lower case. Each group is one bit of a field (a Bloom filter with one hash: a needle has
//! many groups, so more bits for each would only fill the field). No text can be had back from it.

use std::ops::Range;

use memchr::memmem;

use crate::need::{self, Need, Run};

/// A block ends with the first line that ends behind so many bytes.
pub(crate) const BLOCK: usize = 256 << 10;
/// The field of a block is at most the 24th part of it …
const SHARE: usize = 24;
/// … and has at most so many bits, as a power of two.
const MOST_BITS: u32 = 20;
const FEWEST_BITS: u32 = 9;
/// Odd, and its bits are well mixed: 2^64 divided by the golden ratio.
const MIX: u64 = 0x9E37_79B9_7F4A_7C15;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// A power of two of them. Empty: anything may be in the block.
    pub(crate) words: Box<[u64]>,
}

/// A block of a log, from a line's beginning to a line's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub at: u64,
    pub len: u64,
    pub filter: Filter,
}

/// The blocks of one log, from its beginning, without a gap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocks(pub(crate) Vec<Block>);

/// What a filter is asked for a [`Need`], made once for all filters.
#[derive(Clone, Debug)]
pub enum Probe {
    /// Nothing can be told.
    Nothing,
    /// All these groups are in the block.
    Groups(Vec<u64>),
    All(Vec<Probe>),
    Any(Vec<Probe>),
}

impl Filter {
    /// Of the bytes of whole lines.
    pub fn of(bytes: &[u8]) -> Filter {
        if is_odd(bytes) {
            return Filter { words: Box::default() };
        }
        let field = (bytes.len() * 8 / SHARE).checked_ilog2().unwrap_or(0).clamp(FEWEST_BITS, MOST_BITS);
        let mut words = vec![0u64; 1 << (field - 6)];
        let shift = 64 - field;
        each_group(bytes, |group| {
            let bit = group.wrapping_mul(MIX) >> shift;
            if let Some(word) = words.get_mut((bit >> 6) as usize) {
                *word |= 1 << (bit & 63);
            }
        });
        Filter { words: words.into() }
    }

    pub fn can_hold(&self, probe: &Probe) -> bool {
        match probe {
            Probe::Nothing => true,
            Probe::Groups(groups) => groups.iter().all(|group| self.has(*group)),
            Probe::All(probes) => probes.iter().all(|probe| self.can_hold(probe)),
            Probe::Any(probes) => probes.iter().any(|probe| self.can_hold(probe)),
        }
    }

    fn has(&self, group: u64) -> bool {
        let Some(bits) = (self.words.len() * 64).checked_ilog2() else { return true };
        let bit = group.wrapping_mul(MIX) >> (64 - bits);
        self.words.get((bit >> 6) as usize).is_none_or(|word| word & (1 << (bit & 63)) != 0)
    }

    /// Bytes that it takes.
    pub fn size(&self) -> usize {
        self.words.len() * size_of::<u64>()
    }

    /// The share of bits that are set: how likely a group that is not in the block seems to be.
    pub fn fill(&self) -> f64 {
        let set: u32 = self.words.iter().map(|word| word.count_ones()).sum();
        f64::from(set) / (self.words.len().max(1) * 64) as f64
    }
}

impl Blocks {
    /// Bytes of the log that the blocks cover.
    pub fn end(&self) -> u64 {
        self.0.last().map_or(0, |last| last.at + last.len)
    }

    /// Where to read on: the last block is made anew where it was not full.
    pub fn resume(&self) -> u64 {
        self.0.last().map_or(0, |last| if last.len < BLOCK as u64 { last.at } else { last.at + last.len })
    }

    /// Takes bytes of the log from [`Blocks::resume`] on, as many as there are.
    pub fn push(&mut self, bytes: &[u8]) {
        let mut at = self.resume();
        self.0.retain(|block| block.at < at);
        let mut rest = bytes;
        while !rest.is_empty() {
            let (block, behind) = rest.split_at(block_len(rest));
            self.0.push(Block { at, len: block.len() as u64, filter: Filter::of(block) });
            at += block.len() as u64;
            rest = behind;
        }
    }

    /// The parts of the log's first `end` bytes in which something may be, in order, neighbours as one. What no block
    /// covers is among them.
    pub fn possible(&self, probe: &Probe, end: u64) -> Vec<Range<u64>> {
        let mut parts: Vec<Range<u64>> = Vec::new();
        let mut put = |part: Range<u64>| match parts.last_mut() {
            Some(last) if last.end == part.start => last.end = part.end,
            _ => parts.push(part),
        };
        for block in self.0.iter().filter(|block| block.filter.can_hold(probe)) {
            put(block.at.min(end)..(block.at + block.len).min(end));
        }
        if self.end() < end {
            put(self.end()..end);
        }
        parts.retain(|part| !part.is_empty());
        parts
    }

    pub fn iter(&self) -> impl Iterator<Item = &Block> {
        self.0.iter()
    }

    /// Bytes that the filters take.
    pub fn size(&self) -> usize {
        self.0.iter().map(|block| block.filter.size() + size_of::<Block>()).sum()
    }
}

/// The length of the block at the beginning of `bytes`.
fn block_len(bytes: &[u8]) -> usize {
    let Some(rest) = bytes.get(BLOCK..) else { return bytes.len() };
    memchr::memchr(b'\n', rest).map_or(bytes.len(), |end| BLOCK + end + 1)
}

impl Probe {
    pub fn new(need: &Need) -> Probe {
        match need {
            Need::Nothing => Probe::Nothing,
            Need::Run(run) => of_run(run),
            Need::All(needs) => Probe::All(needs.iter().map(Probe::new).collect()),
            Need::Any(needs) => Probe::Any(needs.iter().map(Probe::new).collect()),
        }
    }

    /// Whether a filter can ever say no.
    pub fn tells(&self) -> bool {
        match self {
            Probe::Nothing => false,
            Probe::Groups(groups) => !groups.is_empty(),
            Probe::All(probes) => probes.iter().any(Probe::tells),
            Probe::Any(probes) => probes.iter().all(Probe::tells),
        }
    }
}

fn of_run(run: &Run) -> Probe {
    let groups = |bytes: &[u8]| {
        let mut groups = Vec::new();
        each_group(bytes, |group| groups.push(group));
        groups
    };
    let plain = Probe::Groups(run.ascii_parts().iter().flat_map(|part| groups(part)).collect());
    if run.is_ascii() {
        return plain;
    }
    // Beyond ASCII a writer escapes or does not: the window's characters all, or one of them by its number.
    let spelled = run.spellings().into_iter().map(String::into_bytes);
    let escaped = run.window_chars().filter(|c| !c.is_ascii()).flat_map(escapes);
    Probe::All(vec![plain, Probe::Any(spelled.chain(escaped).map(|bytes| Probe::Groups(groups(&bytes))).collect())])
}

/// The escapes of a character; groups are the same in upper and lower case.
fn escapes(c: char) -> Option<Vec<u8>> {
    let mut units = [0; 2];
    c.encode_utf16(&mut units).last().map(|unit| format!("u{unit:04x}").into_bytes())
}

fn each_group(bytes: &[u8], mut put: impl FnMut(u64)) {
    let mut group = 0u64;
    for (at, byte) in bytes.iter().enumerate() {
        group = (group << 8 | u64::from(byte.to_ascii_lowercase())) & 0xFF_FFFF;
        if at >= 2 {
            put(group);
        }
    }
}

/// Whether something of ASCII is written in another way than as itself: as `\u0065`, or as one of the two letters from
/// beyond that fold to ASCII. No writer known does; then the groups prove nothing.
fn is_odd(bytes: &[u8]) -> bool {
    let is_plain_escape = |at: usize| {
        let digits = bytes.get(at + 2..at + 6).and_then(|digits| std::str::from_utf8(digits).ok());
        let c = digits.and_then(|digits| char::from_u32(u32::from_str_radix(digits, 16).ok()?));
        c.is_some_and(|c| (c.is_ascii() && need::is_plain(c)) || c == '\\' || need::is_odd(c))
    };
    ["\\u00", "\\u01", "\\u21"].iter().any(|begin| memmem::find_iter(bytes, begin).any(is_plain_escape))
        || ["\u{212A}", "\u{17F}"].iter().any(|letter| memmem::find(bytes, letter.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Case, Pattern};

    fn probe(words: &str) -> Probe {
        Probe::new(Pattern::phrase(words, Case::Ignored).expect("a pattern").need())
    }

    #[test]
    fn what_is_in_a_block_and_what_is_not() {
        let filter =
            Filter::of(format!("{{\"text\":\"The Größe of caf\\u00E9 东京\"}}\n{}", " ".repeat(9_000)).as_bytes());
        for words in ["the", "größe", "GRÖSSE", "café", "东京", "of caf", "xy", ""] {
            let is_there = words != "GRÖSSE";
            assert_eq!(filter.can_hold(&probe(words)), is_there, "{words}");
        }
        for words in ["needle", "grüße", "cafè", "京东", "the needle"] {
            assert!(!filter.can_hold(&probe(words)), "{words}");
        }
    }

    #[test]
    fn ascii_that_is_escaped_may_be_anything() {
        for odd in ["n\\u0065edle", "\\u212Aelvin", "\u{17F}", "\\\\u006e"] {
            assert!(Filter::of(odd.as_bytes()).can_hold(&probe("whatever")), "{odd}");
        }
        for plain in ["\\u001b[0m", "\\u003ca\\u003e", "\\u00e9", "u0065", "\\u00"] {
            assert!(!Filter::of(plain.as_bytes()).can_hold(&probe("whatever")), "{plain}");
        }
    }

    #[test]
    fn blocks_are_whole_lines_and_grow() {
        let line = format!("{}\n", "word ".repeat(20_000));
        let text = line.repeat(8);
        let mut whole = Blocks::default();
        whole.push(text.as_bytes());
        let ends: Vec<u64> = whole.iter().map(|block| block.at + block.len).collect();
        assert_eq!(ends, [3, 6, 8].map(|lines| lines * line.len() as u64));

        let mut grown = Blocks::default();
        for lines in 1..=8 {
            let from = grown.resume() as usize;
            grown.push(&text.as_bytes()[from..lines * line.len()]);
        }
        assert_eq!(grown, whole);
        let parts = |word: &str, end: u64| {
            whole.possible(&probe(word), end).iter().map(|part| (part.start, part.end)).collect::<Vec<_>>()
        };
        assert_eq!(parts("needle", whole.end() + 5), [(whole.end(), whole.end() + 5)]);
        assert_eq!(parts("word", whole.end()), [(0, whole.end())]);
        assert!(whole.size() * 20 <= text.len(), "{} bytes", whole.size());
    }
}
