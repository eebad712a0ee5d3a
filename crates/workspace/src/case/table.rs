//! Texts as rows of numbers.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

/// The parts of a text between its line ends, as numbers of the table. A text that ends with a line end has an empty
/// last part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Text(pub(super) Vec<u32>);

/// Each line once.
#[derive(Default)]
pub(super) struct Table {
    pub(super) lines: Vec<String>,
    numbers: FxHashMap<String, u32>,
}

impl Table {
    pub(super) fn line(&mut self, line: &str) -> u32 {
        if let Some(known) = self.numbers.get(line) {
            return *known;
        }
        let number = u32::try_from(self.lines.len()).unwrap_or(u32::MAX);
        self.lines.push(line.to_owned());
        self.numbers.insert(line.to_owned(), number);
        number
    }

    pub(super) fn rows<'a>(&mut self, lines: impl Iterator<Item = &'a str>) -> Text {
        Text(lines.map(|line| self.line(line)).collect())
    }

    pub(super) fn text(&mut self, text: &str) -> Text {
        self.rows(text.split('\n'))
    }
}
