//! Lines as numbers.

use std::sync::Arc;

use rustc_hash::FxHashMap;

/// The lines of a text, split at `\n`, each without its line end (`\n` or `\r\n`). A final line end begins no line.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let none = text.is_empty();
    body.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).filter(move |_| !none)
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

/// What the engine asks of a line's number.
pub(crate) trait Words {
    fn text(&self, id: LineId) -> &str;
    /// The same for lines whose texts differ only in white space.
    fn tokens(&self, id: LineId) -> u32;
    /// See [`is_small`].
    fn small(&self, id: LineId) -> bool;
}

/// Numbers for lines. One for each timeline.
#[derive(Default)]
pub(crate) struct Interner {
    ids: FxHashMap<Arc<str>, LineId>,
    known: Vec<Known>,
    squeezed: FxHashMap<Box<str>, u32>,
}

struct Known {
    text: Arc<str>,
    tokens: u32,
    small: bool,
}

impl Interner {
    pub(crate) fn line(&mut self, line: &str) -> LineId {
        if let Some(id) = self.ids.get(line) {
            return *id;
        }
        let id = number(self.known.len());
        let next = number(self.squeezed.len());
        let tokens = *self.squeezed.entry(squeeze(line)).or_insert(next);
        let text: Arc<str> = line.into();
        self.ids.insert(text.clone(), id);
        self.known.push(Known { text, tokens, small: is_small(line) });
        id
    }

    pub(crate) fn text_lines(&mut self, text: &str) -> Vec<LineId> {
        lines(text).map(|line| self.line(line)).collect()
    }
}

impl Words for Interner {
    fn text(&self, id: LineId) -> &str {
        self.known.get(id as usize).map_or("", |known| &known.text)
    }

    fn tokens(&self, id: LineId) -> u32 {
        self.known.get(id as usize).map_or(u32::MAX, |known| known.tokens)
    }

    fn small(&self, id: LineId) -> bool {
        self.known.get(id as usize).is_none_or(|known| known.small)
    }
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

    fn line(&mut self, line: &str) -> LineId {
        match self.base.ids.get(line) {
            Some(id) => *id,
            None => number(self.base.known.len()) + self.more.line(line),
        }
    }

    fn further(&self, id: LineId) -> Option<LineId> {
        id.checked_sub(number(self.base.known.len()))
    }
}

impl Words for Overlay<'_> {
    fn text(&self, id: LineId) -> &str {
        self.further(id).map_or_else(|| self.base.text(id), |id| self.more.text(id))
    }

    fn tokens(&self, id: LineId) -> u32 {
        let Some(further) = self.further(id) else { return self.base.tokens(id) };
        let known = self.base.squeezed.get(&squeeze(self.more.text(further)));
        known.copied().unwrap_or_else(|| number(self.base.squeezed.len()) + self.more.tokens(further))
    }

    fn small(&self, id: LineId) -> bool {
        self.further(id).map_or_else(|| self.base.small(id), |id| self.more.small(id))
    }
}

fn squeeze(line: &str) -> Box<str> {
    line.chars().filter(|c| !c.is_whitespace()).collect::<String>().into()
}

/// Four billion different lines do not fit in memory.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A hash of a sequence of lines, the same for the same sequence. Equal hashes are checked line by line.
pub(crate) fn hash(ids: impl IntoIterator<Item = LineId>) -> u64 {
    use std::hash::{Hash, Hasher};
    let mut hasher = rustc_hash::FxHasher::default();
    for id in ids {
        id.hash(&mut hasher);
    }
    hasher.finish()
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
    fn small_lines() {
        for small in ["", "   ", "}", "    });", "} else {", "return;", "end", "---"] {
            assert!(is_small(small), "{small}");
        }
        for telling in ["x", "continue;", "return Err(error);", "_ => {}"] {
            assert!(!is_small(telling), "{telling}");
        }
    }
}
