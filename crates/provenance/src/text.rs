//! Lines as numbers.

use std::hash::{DefaultHasher, Hasher};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxHasher;

/// The lines of a text, split at `\n`, each without its line end (`\n` or `\r\n`). A final line end begins no line.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let mut rest = (!text.is_empty()).then_some(body);
    std::iter::from_fn(move || {
        let text = rest?;
        let line = match memchr::memchr(b'\n', text.as_bytes()) {
            Some(end) => {
                rest = text.get(end + 1..);
                &text[..end]
            }
            None => {
                rest = None;
                text
            }
        };
        Some(line.strip_suffix('\r').unwrap_or(line))
    })
}

/// Whether a line says nothing about who wrote it: blank, or brackets and punctuation.
pub fn is_small(line: &str) -> bool {
    !line.chars().any(|c| c.is_alphanumeric() || c == '_') || is_small_word(line.trim())
}

fn is_small_word(line: &str) -> bool {
    let word = line.trim_end_matches(|c: char| !c.is_alphanumeric());
    matches!(word, "return" | "end" | "else" | "pass" | "break" | "fi" | "done" | "esac" | "do" | "then" | "begin")
        || matches!(word, "} else" | "default")
}

/// A line's text as a number; equal numbers are equal texts.
pub(crate) type LineId = u32;

/// What a line's text is but for white space and what formatters add; see [`tokens`].
pub(crate) type Tokens = u64;

/// What the engine asks of a line's number.
pub(crate) trait Words {
    fn text(&self, id: LineId) -> &str;

    /// The same for lines whose tokens are the same.
    fn tokens(&self, id: LineId) -> Tokens {
        tokens(self.text(id))
    }

    /// Whether two lines have the same tokens.
    fn same_tokens(&self, a: LineId, b: LineId) -> bool {
        a == b || same_tokens(self.text(a), self.text(b))
    }

    /// See [`is_small`].
    fn small(&self, id: LineId) -> bool {
        is_small(self.text(id))
    }
}

/// Numbers for lines. One for each timeline. All texts lie in one string, one after the other.
#[derive(Default)]
pub(crate) struct Interner {
    texts: String,
    /// Where each line ends in `texts`.
    ends: Vec<u32>,
    numbers: HashTable<LineId>,
}

impl Interner {
    pub(crate) fn line(&mut self, line: &str) -> LineId {
        let Interner { texts, ends, numbers } = self;
        let hash = hash_of(line);
        let entry =
            numbers.entry(hash, |id| text_at(texts, ends, *id) == line, |id| hash_of(text_at(texts, ends, *id)));
        match entry {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(free) => {
                // A line beyond the four billionth byte has no number of its own: it is like no other line.
                let Some(end) = u32::try_from(texts.len() + line.len()).ok() else { return LineId::MAX };
                let id = number(ends.len());
                texts.push_str(line);
                ends.push(end);
                free.insert(id);
                id
            }
        }
    }

    pub(crate) fn find(&self, line: &str) -> Option<LineId> {
        self.numbers.find(hash_of(line), |id| text_at(&self.texts, &self.ends, *id) == line).copied()
    }

    pub(crate) fn text_lines(&mut self, text: &str) -> Vec<LineId> {
        lines(text).map(|line| self.line(line)).collect()
    }

    /// Bytes that are kept beside the texts themselves.
    pub(crate) fn bytes(&self) -> usize {
        self.ends.capacity() * 4 + self.numbers.allocation_size()
    }
}

impl Words for Interner {
    fn text(&self, id: LineId) -> &str {
        text_at(&self.texts, &self.ends, id)
    }
}

fn text_at<'a>(texts: &'a str, ends: &[u32], id: LineId) -> &'a str {
    let at = id as usize;
    let start = at.checked_sub(1).and_then(|before| ends.get(before)).map_or(0, |end| *end as usize);
    ends.get(at).and_then(|end| texts.get(start..*end as usize)).unwrap_or_default()
}

/// Numbers for the lines of one more text, over those of a timeline that stays as it is.
pub(crate) struct Overlay<'a> {
    base: &'a Interner,
    more: Interner,
}

impl<'a> Overlay<'a> {
    pub(crate) fn new(base: &'a Interner) -> Overlay<'a> {
        Overlay { base, more: Interner::default() }
    }

    pub(crate) fn text_lines<'t>(&mut self, lines: impl Iterator<Item = &'t str>) -> Vec<LineId> {
        lines.map(|line| self.line(line)).collect()
    }

    pub(crate) fn sum(&self, ids: &[LineId]) -> Sum {
        let first_new = number(self.base.ends.len());
        Sum::of(ids.iter().map(|id| (*id < first_new).then_some(*id)))
    }

    fn line(&mut self, line: &str) -> LineId {
        self.base.find(line).unwrap_or_else(|| number(self.base.ends.len()).saturating_add(self.more.line(line)))
    }
}

impl Words for Overlay<'_> {
    fn text(&self, id: LineId) -> &str {
        match id.checked_sub(number(self.base.ends.len())) {
            Some(further) => self.more.text(further),
            None => self.base.text(id),
        }
    }
}

/// A hash of a line without what a formatter may change: white space that parts no words, a comma at the end, the kind
/// of quotes. White space inside of double quotes counts.
pub(crate) fn tokens(line: &str) -> Tokens {
    let mut hasher = DefaultHasher::new();
    hasher.write(squeeze(line).trim_end_matches(',').as_bytes());
    hasher.finish()
}

/// Whether two lines differ only in what a formatter may change.
pub(crate) fn same_tokens(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (Squeezed::of(a), Squeezed::of(b));
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(x), Some(y)) if x == y => {}
            (x, y) => {
                // Commas at the end say nothing.
                let only_commas =
                    |next: Option<char>, rest: Squeezed<'_>| next.into_iter().chain(rest).all(|c| c == ',');
                return only_commas(x, a) && only_commas(y, b);
            }
        }
    }
}

/// The same for lines that have the same [`tokens`]: formatters leave letters and digits alone.
pub(crate) fn sum_of_letters(line: &str) -> u32 {
    let letter = |byte: u8| if byte.is_ascii_alphanumeric() { u32::from(byte) } else { 0 };
    line.bytes().fold(0, |sum, byte| sum.wrapping_add(letter(byte)))
}

/// A line without white space that parts no words, with one kind of quotes.
pub(crate) fn squeeze(line: &str) -> String {
    let mut squeezed = String::with_capacity(line.len());
    squeezed.extend(Squeezed::of(line));
    squeezed
}

/// See [`squeeze`].
struct Squeezed<'a> {
    rest: std::str::Chars<'a>,
    /// What comes after the blank that was told last.
    next: Option<char>,
    last: Option<char>,
    quoted: bool,
}

impl Squeezed<'_> {
    fn of(line: &str) -> Squeezed<'_> {
        Squeezed { rest: line.trim().chars(), next: None, last: None, quoted: false }
    }

    fn tell(&mut self, c: char) -> Option<char> {
        self.quoted ^= c == '"' && self.last != Some('\\');
        self.last = Some(if c == '\'' { '"' } else { c });
        self.last
    }
}

impl Iterator for Squeezed<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        if let Some(c) = self.next.take() {
            return self.tell(c);
        }
        let mut c = self.rest.next()?;
        if c.is_whitespace() && !self.quoted {
            // White space at the end was cut off: something follows.
            c = self.rest.find(|c| !c.is_whitespace())?;
            if in_word(c) && self.last.is_some_and(in_word) {
                (self.next, self.last) = (Some(c), Some(' '));
                return self.last;
            }
        }
        self.tell(c)
    }
}

/// Whether a character is part of a word.
pub(crate) fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Four billion different lines do not fit in memory.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn hash_of(line: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(line.as_bytes());
    hasher.finish()
}

/// The lines of a text as far as a timeline knows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    /// As [`hash`] has it, of the lines that are known.
    pub(crate) hash: u64,
    pub(crate) known: usize,
    pub(crate) unknown: usize,
}

impl Sum {
    pub(crate) fn of(ids: impl Iterator<Item = Option<LineId>>) -> Sum {
        ids.fold(Sum::default(), |sum, id| match id {
            Some(id) => Sum { hash: sum.hash.wrapping_add(share(id)), known: sum.known + 1, ..sum },
            None => Sum { unknown: sum.unknown + 1, ..sum },
        })
    }

    pub(crate) fn with(self, other: Sum) -> Sum {
        let hash = self.hash.wrapping_add(other.hash);
        Sum { hash, known: self.known + other.known, unknown: self.unknown + other.unknown }
    }

    /// Of a part of it.
    pub(crate) fn without(self, part: Sum) -> Sum {
        let hash = self.hash.wrapping_sub(part.hash);
        let less = |all: usize, part: usize| all.saturating_sub(part);
        Sum { hash, known: less(self.known, part.known), unknown: less(self.unknown, part.unknown) }
    }
}

/// What a line adds to the hash of a text. Texts of the same lines in another order have the same hash: the sum can be
/// kept up while lines come and go. Equal hashes are checked line by line.
pub(crate) fn share(id: LineId) -> u64 {
    let mut x = u64::from(id).wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

pub(crate) fn hash(ids: impl IntoIterator<Item = LineId>) -> u64 {
    ids.into_iter().fold(0, |sum, id| sum.wrapping_add(share(id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends() {
        let all = |text| lines(text).collect::<Vec<_>>();
        assert_eq!(all(""), Vec::<&str>::new());
        assert_eq!(all("\n"), [""]);
        assert_eq!(all("a"), ["a"]);
        assert_eq!(all("a\r\nb\r\n"), ["a", "b"]);
        assert_eq!(all("a\n\nb"), ["a", "", "b"]);
        assert_eq!(all("a\u{2028}b\rc\n"), ["a\u{2028}b\rc"]);
    }

    #[test]
    fn what_formatters_change() {
        for (a, b) in [
            ("    f(a, b)", "f(a,b)"),
            ("let  x = 1;", "let x=1;"),
            ("x,", "x"),
            ("say('a b');", "say(\"a b\");"),
            ("\tif x {", "if x{"),
        ] {
            assert_eq!(tokens(a), tokens(b), "{a} {b}");
            assert!(same_tokens(a, b), "{a} {b}");
        }
        for (a, b) in [("let x", "letx"), ("\"a b\"", "\"ab\""), ("f(a)", "f(b)"), ("a - -b", "a--c")] {
            assert_ne!(tokens(a), tokens(b), "{a} {b}");
            assert!(!same_tokens(a, b), "{a} {b}");
        }
    }

    #[test]
    fn numbers_of_lines() {
        let mut interner = Interner::default();
        let ids = interner.text_lines("a\n\nb\na\n");
        assert_eq!(ids, [0, 1, 2, 0]);
        assert_eq!(ids.iter().map(|id| interner.text(*id)).collect::<Vec<_>>(), ["a", "", "b", "a"]);
        let mut more = Overlay::new(&interner);
        let ids = more.text_lines(["b", "c", "c"].into_iter());
        assert_eq!(ids, [2, 3, 3]);
        assert_eq!((more.text(2), more.text(3)), ("b", "c"));
    }

    #[test]
    fn small_lines() {
        for small in ["", "   ", "}", "    });", "} else {", "return;", "end", "---"] {
            assert!(is_small(small), "{small}");
        }
        for telling in ["x", "continue;", "return Err(error);", "_ => {}"] {
            assert!(!is_small(telling), "{telling}");
        }
    }

    proptest::proptest! {
        /// Compared character by character is compared as a whole.
        #[test]
        fn the_same_tokens(a in "[ab_, '\"\\\\(]{0,8}", b in "[ab_, '\"\\\\(]{0,8}") {
            proptest::prop_assert_eq!(same_tokens(&a, &b), tokens(&a) == tokens(&b), "{:?} {:?}", a, b);
            proptest::prop_assert!(!same_tokens(&a, &b) || sum_of_letters(&a) == sum_of_letters(&b));
        }
    }
}
