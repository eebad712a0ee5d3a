//! Lines that were broken or joined: the same tokens in the same order over other line ends.

use std::ops::Range;

use crate::flow::{push_mark, reformatted};
use crate::text::{Words, in_word};
use crate::timeline::{How, Line, Mark, MarkId};

/// Lines of a region in which blocks are looked for.
const MOST_LINES: usize = 400;
/// Lines that one block may have.
const MOST_IN_BLOCK: usize = 40;

/// For each new line (by its place among `new`) that was made of old lines by breaking and joining them alone: its mark.
/// A block is told only where it stands at one place of `old`.
pub(crate) fn reflow(words: &impl Words, marks: &mut Vec<Mark>, old: &[Line], new: &[Line]) -> Vec<(usize, MarkId)> {
    if old.len() > MOST_LINES || new.len() > MOST_LINES {
        return Vec::new();
    }
    let before: Vec<&str> = old.iter().map(|line| words.text(line.id)).collect();
    let after: Vec<&str> = new.iter().map(|line| words.text(line.id)).collect();
    let mut told = Vec::new();
    let (mut from, mut at) = (0, 0);
    while at < new.len() {
        let mut found = (from..old.len()).filter_map(|x| block(&before, &after, x, at));
        match (found.next(), found.next()) {
            (Some(block), None) if block.is_telling(words, new) => {
                told.extend(block.told(marks, old));
                (from, at) = (block.old.end, block.new.end);
            }
            _ => at += 1,
        }
    }
    told
}

struct Block {
    old: Range<usize>,
    new: Range<usize>,
    /// For each new line the old lines of which it has tokens.
    made_of: Vec<Vec<usize>>,
}

impl Block {
    fn is_telling(&self, words: &impl Words, new: &[Line]) -> bool {
        let broken = self.old.len() > 1 || self.new.len() > 1;
        broken && new[self.new.clone()].iter().any(|line| !words.small(line.id))
    }

    /// A line made of lines of several authors is nobody's.
    fn told(&self, marks: &mut Vec<Mark>, old: &[Line]) -> Vec<(usize, MarkId)> {
        let mark_of = |x: &usize| old[*x].mark;
        let mut told = Vec::new();
        for (at, sources) in self.new.clone().zip(&self.made_of) {
            let Some(first) = sources.first().map(mark_of) else { continue };
            let step = |mark: MarkId| marks.get(mark as usize).and_then(|mark| mark.step);
            let mark = if sources.iter().all(|x| step(mark_of(x)) == step(first)) {
                reformatted(marks, first)
            } else {
                let node = marks.get(first as usize).map(|mark| mark.node).unwrap_or(crate::NodeId(0));
                push_mark(marks, Mark { node, step: None, how: How::Written })
            };
            told.push((at, mark));
        }
        told
    }
}

/// The smallest block of whole lines that begins with the old line `x` and the new line `y`.
fn block(old: &[&str], new: &[&str], x: usize, y: usize) -> Option<Block> {
    if !may_begin(old.get(x)?, new.get(y)?) {
        return None;
    }
    let (mut a, mut b) = (Flat::from(old, x), Flat::from(new, y));
    let mut made_of: Vec<Vec<usize>> = Vec::new();
    for at in 0.. {
        let (from, to) = (a.token(at)?, b.token(at)?);
        if !same(from.text, to.text) {
            return None;
        }
        made_of.resize(to.line - y + 1, Vec::new());
        let sources = made_of.last_mut()?;
        if sources.last() != Some(&from.line) {
            sources.push(from.line);
        }
        if a.ends_line(at) && b.ends_line(at) {
            return Some(Block { old: x..from.line + 1, new: y..to.line + 1, made_of });
        }
    }
    None
}

/// Whether the one line begins as the other does and goes on so as long as both go on. Only a comma may be missing.
fn may_begin(old: &str, new: &str) -> bool {
    let mut both = split(old).zip(split(new)).peekable();
    both.peek().is_some() && both.find(|(a, b)| !same(a, b)).is_none_or(|(a, b)| a == "," || b == ",")
}

#[derive(Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    line: usize,
}

/// The tokens of some lines, without commas before a closing bracket, read as far as they are asked for.
struct Flat<'t, 'a> {
    lines: &'t [&'a str],
    /// The line that is read next, and the first that is not.
    next: usize,
    end: usize,
    tokens: Vec<Token<'a>>,
}

impl<'t, 'a> Flat<'t, 'a> {
    fn from(lines: &'t [&'a str], from: usize) -> Flat<'t, 'a> {
        Flat { lines, next: from, end: lines.len().min(from + MOST_IN_BLOCK), tokens: Vec::new() }
    }

    fn token(&mut self, at: usize) -> Option<Token<'a>> {
        // The last one that was read may be a comma that the next one takes away.
        while self.tokens.len() <= at + 1 && self.next < self.end {
            self.read_line();
        }
        self.tokens.get(at).copied()
    }

    fn read_line(&mut self) {
        let line = self.next;
        for text in self.lines.get(line).into_iter().flat_map(|line| split(line)) {
            let closes = matches!(text, ")" | "]" | "}");
            if closes && self.tokens.len() > 1 && self.tokens.last().is_some_and(|last| last.text == ",") {
                self.tokens.pop();
            }
            self.tokens.push(Token { text, line });
        }
        self.next += 1;
    }

    /// Whether nothing comes after this token on its line, but a comma.
    fn ends_line(&mut self, at: usize) -> bool {
        let Some(line) = self.token(at).map(|token| token.line) else { return true };
        let on_line = |token: Option<Token<'a>>| token.filter(|token| token.line == line);
        match (on_line(self.token(at + 1)), on_line(self.token(at + 2))) {
            (None, _) => true,
            (Some(comma), None) => comma.text == ",",
            (Some(_), Some(_)) => false,
        }
    }
}

fn same(a: &str, b: &str) -> bool {
    let quoted = |text: &str| text.len() >= 2 && text.starts_with(['"', '\'']);
    a == b || quoted(a) && quoted(b) && a[1..a.len() - 1] == b[1..b.len() - 1]
}

/// The tokens of a line: words, strings that end on it, and single signs.
fn split(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line.trim_start();
    std::iter::from_fn(move || {
        let len = match rest.chars().next()? {
            quote @ ('"' | '\'') => string_end(rest, quote).unwrap_or(quote.len_utf8()),
            c if in_word(c) => rest.find(|c| !in_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(len);
        rest = after.trim_start();
        Some(token)
    })
}

/// The length of the string at the beginning of `text`, with its quotes.
fn string_end(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(at + c.len_utf8()),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks() {
        let made_of = |old: &[&str], new: &[&str]| block(old, new, 0, 0).map(|block| (block.old, block.new));
        assert_eq!(made_of(&["f(a, b);"], &["f(", "    a,", "    b,", ");", "x"]), Some((0..1, 0..4)));
        assert_eq!(made_of(&["f(", "  a", ")", "y"], &["f(a)", "x"]), Some((0..3, 0..1)));
        assert_eq!(made_of(&["f(a)"], &["f(b)"]), None);
        // What comes after a blank line does not begin with it.
        assert_eq!(made_of(&["", "f(a)"], &["f(a)"]), None);
        assert_eq!(made_of(&["f(a)"], &["", "f(a)"]), None);
    }
}
