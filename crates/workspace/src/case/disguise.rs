//! Lines without what they say: words are replaced by invented ones, white space and signs stay.
//!
//! What the engine asks of texts must stay: which lines and tokens are equal, which are small, and where a replaced
//! string stands. A string may begin or end inside of a word; there the word is cut, everywhere, and its parts are
//! replaced for themselves.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

/// Words that make a line small; they stand in every program and stay.
const KEPT: [&str; 12] =
    ["return", "end", "else", "pass", "break", "fi", "done", "esac", "do", "then", "begin", "default"];

/// Letters of a word that may not occur in the disguise.
const TELLING: usize = 4;
/// How often the cuts are bettered: each one may make another one needed.
const MOST_ROUNDS: usize = 16;
/// Inventions of one word that are tried before it is made longer.
const MOST_TRIED: u64 = 400;

/// The lines in disguise, in their order. `edges`: first and last lines of strings that are looked for in others.
pub(super) fn disguise(lines: &[String], edges: &[&str]) -> Vec<String> {
    let cuts = Cuts::of(lines, edges);
    let mut words = Invented::beside(lines);
    lines.iter().map(|line| parts(line).map(|part| words.part(part, &cuts)).collect()).collect()
}

/// Words, and single characters between them.
fn parts(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let word = || rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        let len = if first.is_alphanumeric() { word() } else { first.len_utf8() };
        let (part, after) = rest.split_at(len);
        rest = after;
        Some(part)
    })
}

fn is_word(part: &str) -> bool {
    part.starts_with(char::is_alphanumeric)
}

/// For each word that is cut: where, in bytes.
struct Cuts<'a>(FxHashMap<&'a str, BTreeSet<usize>>);

impl<'a> Cuts<'a> {
    fn of(lines: &'a [String], edges: &[&'a str]) -> Cuts<'a> {
        let inside: FxHashSet<(&str, &str, usize)> =
            edges.iter().flat_map(|edge| lines.iter().flat_map(|line| cut_words(line, edge))).collect();
        let mut cuts: FxHashMap<&str, BTreeSet<usize>> = FxHashMap::default();
        for _ in 0..MOST_ROUNDS {
            let before: usize = cuts.values().map(BTreeSet::len).sum();
            for (word, fragment, at) in &inside {
                let end = at + fragment.len();
                // What cuts the one cuts the other.
                let of_fragment: Vec<usize> = cuts.get(fragment).into_iter().flatten().map(|cut| cut + at).collect();
                let of_word = cuts.entry(word).or_default();
                of_word.extend([*at, end].into_iter().filter(|cut| *cut > 0 && *cut < word.len()));
                of_word.extend(of_fragment);
                let back: Vec<usize> =
                    of_word.iter().filter(|cut| *at < **cut && **cut < end).map(|cut| cut - at).collect();
                cuts.entry(fragment).or_default().extend(back);
            }
            if cuts.values().map(BTreeSet::len).sum::<usize>() == before {
                break;
            }
        }
        Cuts(cuts)
    }

    fn pieces<'w>(&self, word: &'w str) -> Vec<&'w str> {
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in self.0.get(word).into_iter().flatten().chain([&word.len()]) {
            pieces.extend(word.get(from..*cut));
            from = *cut;
        }
        pieces
    }
}

/// Words of `line` in which `edge` begins or ends: the word, the part of it that `edge` has, and where.
fn cut_words<'a>(line: &'a str, edge: &'a str) -> Vec<(&'a str, &'a str, usize)> {
    let (Some(first), Some(last)) = (parts(edge).next(), parts(edge).last()) else { return Vec::new() };
    if !is_word(first) && !is_word(last) {
        return Vec::new();
    }
    let mut cut = Vec::new();
    for (at, _) in line.match_indices(edge) {
        for (fragment, from) in [(first, at), (last, at + edge.len() - last.len())] {
            let (before, after) = line.split_at(from);
            let start = before.rfind(|c: char| !c.is_alphanumeric());
            let start = start.map_or(0, |sign| sign + before[sign..].chars().next().map_or(1, char::len_utf8));
            let end = from + after.find(|c: char| !c.is_alphanumeric()).unwrap_or(after.len());
            if is_word(fragment) && end - start > fragment.len() {
                cut.push((&line[start..end], fragment, from - start));
            }
        }
    }
    cut
}

/// What stands for each piece of a word, and for each strange sign.
struct Invented {
    pieces: FxHashMap<String, String>,
    used: FxHashSet<String>,
    signs: Vec<char>,
    /// Of the originals, in small letters.
    telling: FxHashSet<String>,
}

impl Invented {
    fn beside(lines: &[String]) -> Invented {
        let words = lines.iter().flat_map(|line| line.split(|c: char| !c.is_alphabetic()));
        let telling = words.filter(|word| word.chars().count() >= TELLING).map(str::to_lowercase).collect();
        Invented { pieces: FxHashMap::default(), used: FxHashSet::default(), signs: Vec::new(), telling }
    }

    fn part(&mut self, part: &str, cuts: &Cuts<'_>) -> String {
        if is_word(part) {
            return cuts.pieces(part).into_iter().map(|piece| self.piece(piece)).collect();
        }
        part.chars().map(|sign| self.sign(sign)).collect()
    }

    /// Signs of the program stay; any other is a drawing.
    fn sign(&mut self, sign: char) -> char {
        if sign.is_ascii() || sign.is_whitespace() {
            return sign;
        }
        let at = self.signs.iter().position(|known| *known == sign).unwrap_or_else(|| {
            self.signs.push(sign);
            self.signs.len() - 1
        });
        // Braille patterns, then private characters: neither are letters.
        let code = if at < 256 { 0x2800 + at } else { 0xF_0000 + at };
        u32::try_from(code).ok().and_then(char::from_u32).unwrap_or('\u{2800}')
    }

    fn piece(&mut self, piece: &str) -> String {
        if KEPT.contains(&piece) {
            return piece.to_owned();
        }
        if let Some(known) = self.pieces.get(piece) {
            return known.clone();
        }
        let number = self.pieces.len() as u64;
        let mut tried = 0;
        let invented = loop {
            let word = invent(piece, number, tried);
            if !self.used.contains(&word) && !self.tells(&word) {
                break word;
            }
            tried += 1;
        };
        self.used.insert(invented.clone());
        self.pieces.insert(piece.to_owned(), invented.clone());
        invented
    }

    /// Whether a word of the originals stands in it, or one that makes a line small.
    fn tells(&self, word: &str) -> bool {
        let small = word.to_lowercase();
        let bytes = small.len();
        let holds = |from: usize| {
            (from + TELLING..=bytes).any(|to| small.get(from..to).is_some_and(|part| self.telling.contains(part)))
        };
        KEPT.contains(&word) || (0..bytes).any(holds)
    }
}

/// A word with letters and figures where `piece` has them. It depends on nothing else of the piece.
fn invent(piece: &str, number: u64, tried: u64) -> String {
    const SMALL: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
    const LARGE: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const FIGURES: &[u8] = b"0123456789";
    let longer = usize::try_from(tried / MOST_TRIED).unwrap_or(0);
    let mut state =
        number.wrapping_add(1).wrapping_mul(0xd134_2543_de82_ef95) ^ tried.wrapping_mul(0x2545_f491_4f6c_dd1d);
    let last = piece.chars().last();
    let letter = |c: char| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let letters = if c.is_numeric() {
            FIGURES
        } else if c.is_uppercase() {
            LARGE
        } else {
            SMALL
        };
        char::from(letters[(mixed % letters.len() as u64) as usize])
    };
    piece.chars().chain(std::iter::repeat_n(last, longer).flatten()).map(letter).collect()
}
