//! What is looked for in one text.

use regex::{Regex, RegexBuilder};

use crate::need::Need;

/// A regular expression that needs more memory is refused.
const MOST_REGEX_BYTES: usize = 4 << 20;

/// Whether `a` finds `A`: every letter that has cases, as Unicode's simple folding pairs them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Case {
    #[default]
    Ignored,
    Told,
}

/// A word, a phrase or a regular expression, and what the bytes of a record must hold for it to be found there.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
    need: Need,
}

impl Pattern {
    /// The words of `text` one after the other, with any white space between them.
    pub fn phrase(text: &str, case: Case) -> Result<Pattern, regex::Error> {
        Pattern::new(&words(text), case)
    }

    /// Like [`Pattern::phrase`], but only where a word begins, and found to that word's end.
    pub fn beginning(text: &str, case: Case) -> Result<Pattern, regex::Error> {
        let starts_word = text.chars().next().is_some_and(|first| first.is_alphanumeric() || first == '_');
        let edge = if starts_word { r"\b" } else { "" };
        Pattern::new(&format!(r"{edge}{}\w*", words(text)), case)
    }

    /// `^` and `$` are the ends of lines.
    pub fn regex(text: &str) -> Result<Pattern, regex::Error> {
        Pattern::new(text, Case::Told)
    }

    fn new(pattern: &str, case: Case) -> Result<Pattern, regex::Error> {
        let is_blind = case == Case::Ignored;
        let mut builder = RegexBuilder::new(pattern);
        let regex = builder.case_insensitive(is_blind).multi_line(true).size_limit(MOST_REGEX_BYTES).build()?;
        let mut parser = regex_syntax::ParserBuilder::new();
        let parsed = parser.case_insensitive(is_blind).multi_line(true).build().parse(pattern);
        // What `regex` takes this takes, too: it is its own parser.
        let need = parsed.map_or(Need::Nothing, |hir| Need::of(&hir));
        Ok(Pattern { regex, need })
    }

    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The places found, in order and without overlap.
    pub fn find_iter<'t>(&self, text: &'t str) -> impl Iterator<Item = std::ops::Range<usize>> + use<'_, 't> {
        self.regex.find_iter(text).map(|found| found.range())
    }

    pub fn need(&self) -> &Need {
        &self.need
    }
}

fn words(text: &str) -> String {
    text.split_whitespace().map(regex::escape).collect::<Vec<_>>().join(r"\s+")
}
