//! `{a,b}`: one word of a command line that stands for several.

use crate::syntax::Part;

/// How many words one word may become, and how many braces are looked at.
const MOST: usize = 64;

/// What a word's parts become. `None`: too many to tell.
pub(crate) fn expand(parts: &[Part]) -> Option<Vec<Vec<Bit<'_>>>> {
    let is_brace = |part: &&Part| matches!(part, Part::Brace(_));
    if parts.iter().filter(is_brace).count() > MOST {
        return None;
    }
    let bits = parts.iter().map(Bit::Part).collect();
    let mut words = Vec::new();
    expand_into(bits, 0, &mut words)?;
    Some(words)
}

#[derive(Clone, Copy)]
pub(crate) enum Bit<'p> {
    Part(&'p Part),
    /// One of a sequence, `{1..9}`.
    OneOfMany,
}

impl Bit<'_> {
    fn brace(self) -> Option<char> {
        match self {
            Bit::Part(Part::Brace(c)) => Some(*c),
            _ => None,
        }
    }
}

/// Looks for a group from `from` on.
fn expand_into<'p>(bits: Vec<Bit<'p>>, from: usize, words: &mut Vec<Vec<Bit<'p>>>) -> Option<()> {
    let mut open = from;
    while let Some(at) = bits.iter().skip(open).position(|bit| bit.brace() == Some('{')).map(|at| at + open) {
        let Some((commas, close)) = group(&bits, at) else {
            open = at + 1;
            continue;
        };
        let around = |middle: &[Bit<'p>]| [&bits[..at], middle, &bits[close + 1..]].concat();
        if commas.is_empty() {
            if !is_sequence(&bits[at + 1..close]) {
                open = at + 1;
                continue;
            }
            return expand_into(around(&[Bit::OneOfMany]), at, words);
        }
        let mut start = at + 1;
        for end in commas.into_iter().chain([close]) {
            expand_into(around(&bits[start..end]), at, words)?;
            start = end + 1;
        }
        return Some(());
    }
    words.push(bits);
    (words.len() <= MOST).then_some(())
}

/// The commas and the end of the group that begins at `open`.
fn group(bits: &[Bit<'_>], open: usize) -> Option<(Vec<usize>, usize)> {
    let (mut commas, mut depth) = (Vec::new(), 0usize);
    for (at, bit) in bits.iter().enumerate().skip(open + 1) {
        match bit.brace() {
            Some('{') => depth += 1,
            Some('}') if depth == 0 => return Some((commas, at)),
            Some('}') => depth -= 1,
            Some(_) if depth == 0 => commas.push(at),
            _ => {}
        }
    }
    None
}

fn is_sequence(inside: &[Bit<'_>]) -> bool {
    inside.iter().any(|bit| matches!(bit, Bit::Part(Part::Text(text)) if text.contains("..")))
}
