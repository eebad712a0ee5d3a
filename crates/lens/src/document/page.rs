//! Writes a document line by line, with what stands over the lines.

use crate::rendered::{
    Anchor, DocLens, DocLensKind, Fold, FoldKind, Link, LinkTarget, Part, Rendered, StepRef, Symbol, Token, TokenKind,
};
use crate::text::clean;

#[derive(Default)]
pub(crate) struct Page {
    out: Rendered,
    lines: u32,
    last: Last,
}

/// What the last line is; it decides whether a blank line has to follow.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Last {
    #[default]
    Blank,
    ListRow,
    Block,
}

/// A state of a page to which it can go back.
pub(crate) struct Mark {
    text: usize,
    anchors: usize,
    folds: usize,
    symbols: usize,
    links: usize,
    tokens: usize,
    lenses: usize,
    lines: u32,
    last: Last,
}

impl Page {
    pub(crate) fn finish(mut self) -> Rendered {
        // The outer of two folds that begin together stands first.
        self.out.folds.sort_by_key(|fold| (fold.start, std::cmp::Reverse(fold.end)));
        self.out
    }

    /// The number of the line that comes next.
    pub(crate) fn line(&self) -> u32 {
        self.lines
    }

    pub(crate) fn bytes(&self) -> usize {
        self.out.text.len()
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            text: self.out.text.len(),
            anchors: self.out.anchors.len(),
            folds: self.out.folds.len(),
            symbols: self.out.symbols.len(),
            links: self.out.links.len(),
            tokens: self.out.tokens.len(),
            lenses: self.out.lenses.len(),
            lines: self.lines,
            last: self.last,
        }
    }

    pub(crate) fn back_to(&mut self, mark: &Mark) {
        self.out.text.truncate(mark.text);
        self.out.anchors.truncate(mark.anchors);
        self.out.folds.truncate(mark.folds);
        self.out.symbols.truncate(mark.symbols);
        self.out.links.truncate(mark.links);
        self.out.tokens.truncate(mark.tokens);
        self.out.lenses.truncate(mark.lenses);
        self.lines = mark.lines;
        self.last = mark.last;
    }

    /// A blank line, unless there is one.
    pub(crate) fn blank(&mut self) {
        if self.last != Last::Blank {
            self.out.text.push('\n');
            self.lines += 1;
            self.last = Last::Blank;
        }
    }

    /// Writes a line and returns its number.
    pub(crate) fn push(&mut self, row: Row) -> u32 {
        let line = self.lines;
        let links = row.links.into_iter();
        self.out.links.extend(links.map(|(start, end, target)| Link { line, start, end, target }));
        if let Some(kind) = row.token
            && !row.text.is_empty()
        {
            self.out.tokens.push(Token { line, start: 0, end: bytes(&row.text), kind });
        }
        self.last = if row.text.is_empty() { Last::Blank } else { Last::Block };
        self.out.text.push_str(&row.text);
        self.out.text.push('\n');
        self.lines += 1;
        line
    }

    /// A row of a list: rows stand together, a blank line around them.
    pub(crate) fn push_list_row(&mut self, row: Row) -> u32 {
        if self.last == Last::Block {
            self.blank();
        }
        let line = self.push(row);
        self.last = Last::ListRow;
        line
    }

    /// A line with a blank line before it.
    pub(crate) fn push_block(&mut self, row: Row) -> u32 {
        self.blank();
        self.push(row)
    }

    /// Lines of a text as they are, but for control characters.
    pub(crate) fn push_lines<'t>(&mut self, lines: impl Iterator<Item = &'t str>) {
        for line in lines {
            self.push(Row::of(line));
        }
    }

    /// Says of what the lines since `from` tell.
    pub(crate) fn anchor(&mut self, from: u32, step: &StepRef, part: Part) {
        self.anchor_of(None, from, step, part);
    }

    pub(crate) fn anchor_of(&mut self, session: Option<&str>, from: u32, step: &StepRef, part: Part) {
        if self.lines > from {
            let session = session.map(Into::into);
            self.out.anchors.push(Anchor { line: from, lines: self.lines - from, session, step: step.clone(), part });
        }
    }

    /// Folds from `start` to the line last written.
    pub(crate) fn fold(&mut self, start: u32, kind: FoldKind) {
        let end = self.lines.saturating_sub(1);
        if end > start {
            self.out.folds.push(Fold { start, end, kind });
        }
    }

    pub(crate) fn lens(&mut self, line: u32, step: Option<&StepRef>, kinds: &[DocLensKind]) {
        let lens = |kind: &DocLensKind| DocLens { line, step: step.cloned(), kind: *kind };
        self.out.lenses.extend(kinds.iter().map(lens));
    }

    pub(crate) fn symbol(&mut self, symbol: Symbol) {
        self.out.symbols.push(symbol);
    }

    /// Makes all symbols since `mark` children of this one.
    pub(crate) fn symbol_over(&mut self, mark: usize, mut symbol: Symbol) {
        symbol.children = self.out.symbols.split_off(mark.min(self.out.symbols.len()));
        symbol.end = symbol.end.max(self.lines.saturating_sub(1));
        self.out.symbols.push(symbol);
    }

    /// Lets the last symbol go to the line last written.
    pub(crate) fn stretch_symbol(&mut self) {
        if let Some(symbol) = self.out.symbols.last_mut() {
            symbol.end = symbol.end.max(self.lines.saturating_sub(1));
        }
    }

    pub(crate) fn symbols(&self) -> usize {
        self.out.symbols.len()
    }
}

/// A line in the making. What goes in is cleaned of control characters.
#[derive(Default)]
pub(crate) struct Row {
    text: String,
    links: Vec<(u32, u32, LinkTarget)>,
    token: Option<TokenKind>,
}

impl Row {
    pub(crate) fn of(text: &str) -> Row {
        Row { text: clean(text).into_owned(), ..Row::default() }
    }

    pub(crate) fn and(mut self, text: &str) -> Row {
        self.text.push_str(&clean(text));
        self
    }

    /// Behind ` · `, unless it is empty or the row is.
    pub(crate) fn dot(mut self, text: &str) -> Row {
        if !text.is_empty() {
            self.text.push_str(if self.text.is_empty() { "" } else { " · " });
            self.text.push_str(&clean(text));
        }
        self
    }

    pub(crate) fn link(mut self, text: &str, target: LinkTarget) -> Row {
        let start = bytes(&self.text);
        self.text.push_str(&clean(text));
        self.links.push((start, bytes(&self.text), target));
        self
    }

    /// Colours the whole line.
    pub(crate) fn token(mut self, kind: TokenKind) -> Row {
        self.token = Some(kind);
        self
    }

    pub(crate) fn columns(&self) -> usize {
        crate::text::columns(&self.text)
    }
}

fn bytes(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}
