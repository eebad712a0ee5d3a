//! Lines that were broken or joined: the same tokens in the same order over other line ends.

use std::ops::Range;

use crate::flow::{push_mark, reformatted};
use crate::text::Words;
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
    let before: Vec<Vec<&str>> = old.iter().map(|line| split(words.text(line.id))).collect();
    let after: Vec<Vec<&str>> = new.iter().map(|line| split(words.text(line.id))).collect();
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
fn block(old: &[Vec<&str>], new: &[Vec<&str>], x: usize, y: usize) -> Option<Block> {
    if !same(old[x].first()?, new[y].first()?) {
        return None;
    }
    let (a, b) = (flat(old, x), flat(new, y));
    let mut made_of: Vec<Vec<usize>> = Vec::new();
    for (at, (from, to)) in a.iter().zip(&b).enumerate() {
        if !same(from.text, to.text) {
            return None;
        }
        made_of.resize(to.line - y + 1, Vec::new());
        let sources = made_of.last_mut()?;
        if sources.last() != Some(&from.line) {
            sources.push(from.line);
        }
        if ends_line(&a, at) && ends_line(&b, at) {
            return Some(Block { old: x..from.line + 1, new: y..to.line + 1, made_of });
        }
    }
    None
}

#[derive(Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    line: usize,
}

/// The tokens of the lines from `from` on, without commas before a closing bracket.
fn flat<'a>(lines: &[Vec<&'a str>], from: usize) -> Vec<Token<'a>> {
    let mut all: Vec<Token<'a>> = Vec::new();
    for (line, tokens) in lines.iter().enumerate().skip(from).take(MOST_IN_BLOCK) {
        for text in tokens {
            let closes = matches!(*text, ")" | "]" | "}");
            if closes && all.len() > 1 && all.last().is_some_and(|last| last.text == ",") {
                all.pop();
            }
            all.push(Token { text, line });
        }
    }
    all
}

/// Whether nothing comes after this token on its line, but a comma.
fn ends_line(tokens: &[Token<'_>], at: usize) -> bool {
    let line = tokens[at].line;
    match &tokens[at + 1..] {
        [comma, rest @ ..] if comma.line == line => {
            comma.text == "," && rest.first().is_none_or(|next| next.line != line)
        }
        _ => true,
    }
}

fn same(a: &str, b: &str) -> bool {
    let quoted = |text: &str| text.len() >= 2 && text.starts_with(['"', '\'']);
    a == b || quoted(a) && quoted(b) && a[1..a.len() - 1] == b[1..b.len() - 1]
}

/// The tokens of a line: words, strings that end on it, and single signs.
fn split(line: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let len = match first {
            '"' | '\'' => string_end(rest, first).unwrap_or(first.len_utf8()),
            c if in_word(c) => rest.find(|c| !in_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(len);
        tokens.push(token);
        rest = after.trim_start();
    }
    tokens
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
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
