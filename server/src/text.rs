//! Open documents: their text as ropes, positions in every encoding, edits as they arrive.
//!
//! Two kinds of lines meet here. *LSP lines* end at `\n`, `\r\n` or a lone `\r`. *Engine lines* are those of
//! `provenance::lines`: they end at `\n`, a `\r` before it is no part of them, and a final line end begins no line.
//! They differ only in texts with lone carriage returns, and in the empty LSP line after a final line end.

use std::sync::Arc;

use dashmap::DashMap;
use memchr::{memchr, memchr_iter, memrchr};
use ropey::Rope;
use tower_lsp::lsp_types::{Position, Range, TextDocumentContentChangeEvent};

use crate::uri::DocumentKey;

/// What a position's `character` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    Utf16,
    Utf32,
}

/// An edit in engine lines: `old_lines` lines from `start_line` on became `new_lines` lines. Lines outside are the same
/// as before, and neither side begins or ends with a line that the edit left as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LineSplice {
    pub(crate) start_line: usize,
    pub(crate) old_lines: usize,
    pub(crate) new_lines: usize,
}

impl From<&LineSplice> for provenance::LineSplice {
    fn from(splice: &LineSplice) -> provenance::LineSplice {
        provenance::LineSplice { start: splice.start_line, old: splice.old_lines, new: splice.new_lines }
    }
}

/// The text of an open document at one moment. Cloning costs nothing that depends on its size.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    /// As the client writes it; answers use the same form.
    pub(crate) uri: Arc<str>,
    pub(crate) language: Arc<str>,
    pub(crate) version: i32,
    rope: Rope,
    /// How many `\n` are in the text. ropey counts LSP line ends, so the difference tells of lone carriage returns.
    newlines: usize,
}

impl Document {
    pub(crate) fn new(uri: &str, language: &str, version: i32, text: &str) -> Document {
        let newlines = count_newlines(text.as_bytes());
        Document { uri: uri.into(), language: language.into(), version, rope: Rope::from_str(text), newlines }
    }

    pub(crate) fn text(&self) -> String {
        self.rope.to_string()
    }

    /// Makes one change; `None` if no engine line differs after it. Positions outside the text count as its nearest
    /// position, those inside a character as its start.
    pub(crate) fn apply(&mut self, change: &TextDocumentContentChangeEvent, encoding: Encoding) -> Option<LineSplice> {
        let (start, end) = match change.range {
            Some(range) => self.bytes_of(range, encoding),
            None => (0, self.rope.len_bytes()),
        };
        let edit = LineEdit::before(self, start, end, &change.text);
        self.replace(start, end, &change.text);
        edit.after(self)
    }

    fn replace(&mut self, start: usize, end: usize, text: &str) {
        self.newlines -= self.newlines_in(start, end);
        self.newlines += count_newlines(text.as_bytes());
        if start == 0 && end == self.rope.len_bytes() {
            self.rope = Rope::from_str(text);
            return;
        }
        let at = self.rope.byte_to_char(start);
        self.rope.remove(at..self.rope.byte_to_char(end));
        self.rope.insert(at, text);
    }

    /// The byte at a position, on the boundary of a character.
    pub(crate) fn byte_of(&self, position: Position, encoding: Encoding) -> usize {
        let line = position.line as usize;
        if line >= self.rope.len_lines() {
            return self.rope.len_bytes();
        }
        let (start, end) = self.line_chars(line);
        let character = position.character as usize;
        let char = match encoding {
            Encoding::Utf8 => {
                let byte = self.rope.char_to_byte(start).saturating_add(character);
                self.rope.byte_to_char(byte.min(self.rope.char_to_byte(end)))
            }
            Encoding::Utf16 => {
                let unit = self.rope.char_to_utf16_cu(start).saturating_add(character);
                self.rope.utf16_cu_to_char(unit.min(self.rope.char_to_utf16_cu(end)))
            }
            Encoding::Utf32 => start.saturating_add(character).min(end),
        };
        self.rope.char_to_byte(char)
    }

    /// The position of a byte. Beyond the text it is the end, inside a character its start, inside a line end the end
    /// of the line.
    pub(crate) fn position_of(&self, byte: usize, encoding: Encoding) -> Position {
        let char = self.rope.byte_to_char(byte.min(self.rope.len_bytes()));
        let line = self.rope.char_to_line(char);
        let (start, end) = self.line_chars(line);
        let char = char.min(end);
        let character = match encoding {
            Encoding::Utf8 => self.rope.char_to_byte(char) - self.rope.char_to_byte(start),
            Encoding::Utf16 => self.rope.char_to_utf16_cu(char) - self.rope.char_to_utf16_cu(start),
            Encoding::Utf32 => char - start,
        };
        Position { line: clamp_u32(line), character: clamp_u32(character) }
    }

    /// A range as bytes, in order even where the client's was not.
    pub(crate) fn bytes_of(&self, range: Range, encoding: Encoding) -> (usize, usize) {
        let start = self.byte_of(range.start, encoding);
        let end = self.byte_of(range.end, encoding);
        (start.min(end), start.max(end))
    }

    /// The engine line that a byte stands in, from 0. At the end of a text with a final line end it is the number of
    /// lines, which is no line.
    pub(crate) fn engine_line_of(&self, byte: usize) -> usize {
        let byte = byte.min(self.rope.len_bytes());
        if self.has_lone_returns() { self.newlines_in(0, byte) } else { self.rope.byte_to_line(byte) }
    }

    /// The LSP line on which an engine line begins; beyond the last line, the last.
    pub(crate) fn lsp_line_of(&self, engine_line: usize) -> usize {
        if !self.has_lone_returns() {
            return engine_line.min(self.rope.len_lines() - 1);
        }
        let mut left = engine_line;
        let mut before = 0;
        for chunk in self.rope.chunks() {
            let here = count_newlines(chunk.as_bytes());
            if left <= here {
                let end = left.checked_sub(1).and_then(|nth| memchr_iter(b'\n', chunk.as_bytes()).nth(nth));
                return self.rope.byte_to_line(before + end.map_or(0, |end| end + 1));
            }
            left -= here;
            before += chunk.len();
        }
        self.rope.len_lines() - 1
    }

    /// The LSP line that a position stands on, with the text of the line.
    pub(crate) fn line_text(&self, position: Position) -> String {
        let line = (position.line as usize).min(self.rope.len_lines() - 1);
        let (start, end) = self.line_chars(line);
        self.rope.slice(start..end).to_string()
    }

    /// How many engine lines begin in the text.
    pub(crate) fn engine_lines(&self) -> usize {
        self.newlines + 1
    }

    /// The first and the last-but-one character of an LSP line, without its line end.
    fn line_chars(&self, line: usize) -> (usize, usize) {
        let start = self.rope.line_to_char(line);
        let mut end = self.rope.line_to_char(line + 1);
        if line + 1 < self.rope.len_lines() {
            end -= 1;
            if end > start && self.rope.char(end) == '\n' && self.rope.char(end - 1) == '\r' {
                end -= 1;
            }
        }
        (start, end)
    }

    fn has_lone_returns(&self) -> bool {
        self.rope.len_lines() - 1 != self.newlines
    }

    fn newlines_in(&self, start: usize, end: usize) -> usize {
        self.rope.byte_slice(start..end).chunks().map(|chunk| count_newlines(chunk.as_bytes())).sum()
    }

    /// Where the engine line with this byte begins.
    fn engine_line_start(&self, byte: usize) -> usize {
        let before = self.rope.byte_slice(..byte);
        let (mut chunks, ..) = before.chunks_at_byte(byte);
        let mut chunk_end = byte;
        while let Some(chunk) = chunks.prev() {
            let chunk_start = chunk_end - chunk.len();
            if let Some(newline) = memrchr(b'\n', chunk.as_bytes()) {
                return chunk_start + newline + 1;
            }
            chunk_end = chunk_start;
        }
        0
    }

    /// Where the engine line with this byte ends: at its `\n` or at the end of the text.
    fn engine_line_end(&self, byte: usize) -> usize {
        let mut at = byte;
        for chunk in self.rope.byte_slice(byte..).chunks() {
            match memchr(b'\n', chunk.as_bytes()) {
                Some(newline) => return at + newline,
                None => at += chunk.len(),
            }
        }
        at
    }
}

/// The engine lines that an edit touches, before it.
struct LineEdit {
    start_line: usize,
    block_start: usize,
    old_block: String,
    /// Whether the old block ends where the text ends.
    at_end: bool,
    /// Length of the new block, `\n` after it not counted.
    new_len: usize,
    /// Whole lines were put in or taken out before the last line of the block, which stays as it is.
    before_last: bool,
}

impl LineEdit {
    fn before(document: &Document, start: usize, end: usize, text: &str) -> LineEdit {
        let block_start = document.engine_line_start(start);
        let block_end = document.engine_line_end(end);
        LineEdit {
            start_line: document.engine_line_of(start),
            block_start,
            old_block: document.rope.byte_slice(block_start..block_end).to_string(),
            at_end: block_end == document.rope.len_bytes(),
            new_len: block_end - block_start - (end - start) + text.len(),
            before_last: block_start == start
                && document.engine_line_start(end) == end
                && (text.is_empty() || text.ends_with('\n')),
        }
    }

    fn after(self, document: &Document) -> Option<LineSplice> {
        let block_end = self.block_start + self.new_len;
        let new_block = document.rope.byte_slice(self.block_start..block_end).to_string();
        let mut old: &[&str] = &self.lines(&self.old_block);
        let mut new: &[&str] = &self.lines(&new_block);
        let mut start_line = self.start_line;
        while let ([first, old_rest @ ..], [same, new_rest @ ..]) = (old, new)
            && first == same
        {
            (old, new) = (old_rest, new_rest);
            start_line += 1;
        }
        while let ([old_rest @ .., last], [new_rest @ .., same]) = (old, new)
            && last == same
        {
            (old, new) = (old_rest, new_rest);
        }
        let changed = !(old.is_empty() && new.is_empty());
        changed.then_some(LineSplice { start_line, old_lines: old.len(), new_lines: new.len() })
    }

    fn lines<'a>(&self, block: &'a str) -> Vec<&'a str> {
        let mut lines: Vec<&str> = block.split('\n').collect();
        if self.before_last || self.at_end && lines.last().is_some_and(|last| last.is_empty()) {
            lines.pop();
        }
        lines.iter().map(|line| line.strip_suffix('\r').unwrap_or(line)).collect()
    }
}

fn count_newlines(bytes: &[u8]) -> usize {
    memchr_iter(b'\n', bytes).count()
}

fn clamp_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The column of a byte of a line, in units of the encoding. A byte beyond the line is its end, one inside a character
/// that character's start.
pub(crate) fn column_of(line: &str, byte: usize, encoding: Encoding) -> u32 {
    let boundary = (0..=byte.min(line.len())).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
    let before = &line[..boundary];
    clamp_u32(match encoding {
        Encoding::Utf8 => before.len(),
        Encoding::Utf16 => before.encode_utf16().count(),
        Encoding::Utf32 => before.chars().count(),
    })
}

/// The byte of a line at a column, on the boundary of a character.
pub(crate) fn byte_at(line: &str, column: u32, encoding: Encoding) -> usize {
    let mut left = column as usize;
    for (at, c) in line.char_indices() {
        let units = match encoding {
            Encoding::Utf8 => c.len_utf8(),
            Encoding::Utf16 => c.len_utf16(),
            Encoding::Utf32 => 1,
        };
        if left < units {
            return at;
        }
        left -= units;
    }
    line.len()
}

/// All open documents. Written by the loop alone, in the order of arrival; read by anyone.
#[derive(Default)]
pub(crate) struct Documents {
    open: DashMap<DocumentKey, Arc<Document>>,
}

impl Documents {
    /// All that are open now.
    pub(crate) fn all(&self) -> Vec<(DocumentKey, Arc<Document>)> {
        self.open.iter().map(|open| (open.key().clone(), Arc::clone(&open))).collect()
    }

    pub(crate) fn open(&self, key: DocumentKey, document: Document) {
        self.open.insert(key, Arc::new(document));
    }

    pub(crate) fn close(&self, key: &DocumentKey) -> Option<Arc<Document>> {
        self.open.remove(key).map(|(_, document)| document)
    }

    /// The document as it is now; later changes do not reach it.
    pub(crate) fn get(&self, key: &DocumentKey) -> Option<Arc<Document>> {
        self.open.get(key).map(|document| Arc::clone(&document))
    }

    /// Makes the changes in their order and gives what they did to engine lines, each in terms of the text that the
    /// one before left. `None` if the document is not open.
    pub(crate) fn change(
        &self,
        key: &DocumentKey,
        version: i32,
        changes: &[TextDocumentContentChangeEvent],
        encoding: Encoding,
    ) -> Option<Vec<LineSplice>> {
        let mut document = Document::clone(&*self.get(key)?);
        let splices = changes.iter().filter_map(|change| document.apply(change, encoding)).collect();
        document.version = version;
        self.open.insert(key.clone(), Arc::new(document));
        Some(splices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestRunner};

    const ENCODINGS: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32];

    fn document(text: &str) -> Document {
        Document::new("file:///a", "text", 1, text)
    }

    fn position(line: u32, character: u32) -> Position {
        Position { line, character }
    }

    fn change(range: Option<(Position, Position)>, text: &str) -> TextDocumentContentChangeEvent {
        let range = range.map(|(start, end)| Range { start, end });
        TextDocumentContentChangeEvent { range, range_length: None, text: text.into() }
    }

    /// `from` and `to` are `line:character` in UTF-16.
    fn check(text: &str, from: &str, to: &str, new: &str, expect: Expect) {
        let parse = |at: &str| {
            let (line, character) = at.split_once(':').expect("line:character");
            position(line.parse().expect("a line"), character.parse().expect("a character"))
        };
        let mut document = document(text);
        let splice = document.apply(&change(Some((parse(from), parse(to))), new), Encoding::Utf16);
        let splice = splice.map_or("no line".into(), |s| format!("{} -{} +{}", s.start_line, s.old_lines, s.new_lines));
        expect.assert_eq(&format!("{:?} {splice}", document.text()));
    }

    #[test]
    fn edits() {
        check("ab\ncd", "0:1", "0:1", "X", expect![[r#""aXb\ncd" 0 -1 +1"#]]);
        check("ab\ncd", "0:1", "1:1", "", expect![[r#""ad" 0 -2 +1"#]]);
        check("ab\ncd\nef", "1:0", "2:0", "", expect![[r#""ab\nef" 1 -1 +0"#]]);
        check("a\na\na", "1:0", "1:0", "a\n", expect![[r#""a\na\na\na" 1 -0 +1"#]]);
        check("ab\ncd", "0:2", "0:2", "\n", expect![[r#""ab\n\ncd" 1 -0 +1"#]]);
        check("ab\ncd", "0:0", "0:0", "\n", expect![[r#""\nab\ncd" 0 -0 +1"#]]);
        check("", "0:0", "0:0", "a", expect![[r#""a" 0 -0 +1"#]]);
        check("a\n", "1:0", "1:0", "b", expect![[r#""a\nb" 1 -0 +1"#]]);
        check("a\nb", "1:1", "1:1", "\n", expect![[r#""a\nb\n" no line"#]]);
        check("a\nb", "1:0", "1:1", "", expect![[r#""a\n" 1 -1 +0"#]]);
        check("a", "0:0", "0:1", "", expect![[r#""" 0 -1 +0"#]]);
    }

    #[test]
    fn line_ends() {
        check("a\r\nb\r\n", "0:1", "1:0", "\n", expect![[r#""a\nb\r\n" no line"#]]);
        check("a\r\nb", "1:0", "1:1", "c", expect![[r#""a\r\nc" 1 -1 +1"#]]);
        // A lone `\r` ends an LSP line, not an engine line.
        check("a\rb\nc", "1:0", "1:1", "x", expect![[r#""a\rx\nc" 0 -1 +1"#]]);
        check("a\rb\nc", "2:0", "2:1", "x", expect![[r#""a\rb\nx" 1 -1 +1"#]]);
        // These end a line for ropey's defaults, not for LSP.
        check("a\u{2028}b\u{85}c\u{b}d\ne", "1:0", "1:1", "x", expect![[r#""a\u{2028}b\u{85}c\u{b}d\nx" 1 -1 +1"#]]);
    }

    #[test]
    fn positions_outside_count_as_the_nearest() {
        check("ab\ncd", "0:9", "0:9", "X", expect![[r#""abX\ncd" 0 -1 +1"#]]);
        check("ab\r\ncd", "0:9", "0:9", "X", expect![[r#""abX\r\ncd" 0 -1 +1"#]]);
        check("ab\ncd", "9:9", "9:9", "X", expect![[r#""ab\ncdX" 1 -1 +1"#]]);
        check("ab", "0:4294967295", "0:0", "X", expect![[r#""X" 0 -1 +1"#]]);
        // In the middle of a surrogate pair.
        check("a😀b", "0:2", "0:3", "", expect![[r#""ab" 0 -1 +1"#]]);
    }

    #[test]
    fn a_whole_text_is_told_by_the_lines_that_differ() {
        let mut document = document("a\nb\nc\nd\n");
        let splice = document.apply(&change(None, "a\nX\nY\nc\nd\n"), Encoding::Utf16);
        assert_eq!(splice, Some(LineSplice { start_line: 1, old_lines: 1, new_lines: 2 }));
    }

    #[test]
    fn lines_with_lone_returns() {
        let document = document("a\rb\nc\rd\re\nf");
        let lines: Vec<usize> = (0..5).map(|line| document.lsp_line_of(line)).collect();
        assert_eq!(lines, [0, 2, 5, 5, 5]);
        assert_eq!(document.engine_line_of(document.byte_of(position(4, 0), Encoding::Utf16)), 1);
    }

    #[test]
    fn what_is_not_open_is_not_changed() {
        let documents = Documents::default();
        let key = DocumentKey::parse("file:///a");
        assert_eq!(documents.change(&key, 1, &[change(None, "x")], Encoding::Utf8), None);
        documents.open(key.clone(), document("a"));
        let before = documents.get(&key).expect("open");
        // The version goes back: tolerated.
        let splices = documents.change(&key, 0, &[change(None, "b"), change(None, "c")], Encoding::Utf8);
        assert_eq!(splices.map(|splices| splices.len()), Some(2));
        assert_eq!(before.text(), "a");
        assert_eq!(documents.get(&key).map(|document| (document.text(), document.version)), Some(("c".into(), 0)));
        documents.close(&key);
        assert!(documents.get(&key).is_none());
    }

    /// The same, as simply as can be: a `String`.
    struct Model(String);

    impl Model {
        /// Byte ranges of the LSP lines, line ends not included.
        fn lines(&self) -> Vec<(usize, usize)> {
            let bytes = self.0.as_bytes();
            let mut lines = Vec::new();
            let (mut start, mut i) = (0, 0);
            while i < bytes.len() {
                let end_len = match (bytes[i], bytes.get(i + 1)) {
                    (b'\r', Some(b'\n')) => 2,
                    (b'\r' | b'\n', _) => 1,
                    _ => 0,
                };
                if end_len > 0 {
                    lines.push((start, i));
                    start = i + end_len;
                }
                i += end_len.max(1);
            }
            lines.push((start, bytes.len()));
            lines
        }

        fn byte_of(&self, position: Position, encoding: Encoding) -> usize {
            let lines = self.lines();
            let Some(&(start, end)) = lines.get(position.line as usize) else { return self.0.len() };
            let mut units = 0;
            for (at, char) in self.0[start..end].char_indices() {
                units += units_of(char, encoding);
                if units > position.character as usize {
                    return start + at;
                }
            }
            end
        }

        fn apply(&mut self, from: Position, to: Position, text: &str, encoding: Encoding) {
            let (a, b) = (self.byte_of(from, encoding), self.byte_of(to, encoding));
            self.0.replace_range(a.min(b)..a.max(b), text);
        }
    }

    fn units_of(char: char, encoding: Encoding) -> usize {
        match encoding {
            Encoding::Utf8 => char.len_utf8(),
            Encoding::Utf16 => char.len_utf16(),
            Encoding::Utf32 => 1,
        }
    }

    fn engine_lines(text: &str) -> Vec<String> {
        provenance::lines(text).map(str::to_owned).collect()
    }

    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("\n"),
            Just("\n"),
            Just("\r\n"),
            Just("\r"),
            Just("\u{2028}"),
            Just("😀"),
            Just("é"),
            Just("e\u{301}"),
            Just("ab"),
            Just("}"),
            Just("\t"),
            Just(""),
            Just("long long long long line"),
        ];
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    fn any_position() -> impl Strategy<Value = Position> {
        (0u32..14, prop_oneof![0u32..30, Just(u32::MAX)]).prop_map(|(line, character)| position(line, character))
    }

    /// 10,000 edits in each encoding: text, line numbers and splices agree with the model after each.
    #[test]
    fn random_edits_agree_with_a_string() {
        for encoding in ENCODINGS {
            let edit = (any_position(), any_position(), text(), prop::bool::weighted(0.03));
            let edits = (text(), proptest::collection::vec(edit, 100));
            let mut runner = TestRunner::new(Config { cases: 100, failure_persistence: None, ..Config::default() });
            let result = runner.run(&edits, |(text, edits)| {
                let mut document = document(&text);
                let mut model = Model(text);
                let mut lines = engine_lines(&model.0);
                for (from, to, text, whole) in edits {
                    let splice = if whole {
                        model.0 = text.clone();
                        document.apply(&change(None, &text), encoding)
                    } else {
                        model.apply(from, to, &text, encoding);
                        document.apply(&change(Some((from, to)), &text), encoding)
                    };
                    prop_assert_eq!(document.text(), model.0.as_str());
                    prop_assert_eq!(document.newlines, model.0.matches('\n').count());
                    let new_lines = engine_lines(&model.0);
                    if let Some(LineSplice { start_line, old_lines, new_lines: added }) = splice {
                        let added = new_lines[start_line..start_line + added].to_vec();
                        lines.splice(start_line..start_line + old_lines, added);
                    }
                    prop_assert_eq!(&lines, &new_lines);
                    let at = model.byte_of(from, encoding);
                    prop_assert_eq!(document.byte_of(from, encoding), at);
                    prop_assert_eq!(document.byte_of(document.position_of(at, encoding), encoding), at);
                    let line = model.0[..at].matches('\n').count();
                    prop_assert_eq!(document.engine_line_of(at), line);
                    let line_start = model.0[..at].rfind('\n').map_or(0, |newline| newline + 1);
                    let lsp_line = model.lines().iter().position(|(start, _)| *start == line_start);
                    prop_assert_eq!(Some(document.lsp_line_of(line)), lsp_line);
                }
                Ok(())
            });
            if let Err(error) = result {
                panic!("{encoding:?}: {error}");
            }
        }
    }

    /// Every edit of every small text, where line ends meet text ends.
    #[test]
    fn small_edits_agree_with_engine_lines() {
        fn texts(length: usize) -> Vec<String> {
            let mut all = vec![String::new()];
            let mut longest = all.clone();
            for _ in 0..length {
                let longer = |text: &String| ["a", "\n", "\r"].map(|piece| format!("{text}{piece}"));
                longest = longest.iter().flat_map(longer).collect();
                all.extend_from_slice(&longest);
            }
            all
        }
        for text in texts(4) {
            for (start, end) in (0..=text.len()).flat_map(|start| (start..=text.len()).map(move |end| (start, end))) {
                for new in texts(2) {
                    let mut document = document(&text);
                    let ends = [start, end].map(|byte| document.position_of(byte, Encoding::Utf8));
                    let splice = document.apply(&change(Some((ends[0], ends[1])), &new), Encoding::Utf8);
                    let (mut lines, new_lines) = (engine_lines(&text), engine_lines(&document.text()));
                    if let Some(LineSplice { start_line, old_lines, new_lines: added }) = splice {
                        let added = new_lines[start_line..start_line + added].to_vec();
                        lines.splice(start_line..start_line + old_lines, added);
                    }
                    assert_eq!(lines, new_lines, "{text:?} {start}..{end} {new:?}: {splice:?}");
                }
            }
        }
    }
}
