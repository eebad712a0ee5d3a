//! What differs between two texts, for showing and counting. Who wrote a line is never decided by it.

use std::ops::Range;

use imara_diff::{Algorithm, Diff, InternedInput};

use crate::text::lines;

/// Old lines replaced by new ones, both from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedRange {
    pub old: Range<u32>,
    pub new: Range<u32>,
}

/// The changed runs of lines from one text to another, by a histogram diff with its hunks slid to where people read
/// them.
pub fn changed_ranges(old: &str, new: &str) -> Vec<ChangedRange> {
    let mut input = InternedInput::default();
    input.update_before(lines(old));
    input.update_after(lines(new));
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
    diff.hunks().map(|hunk| ChangedRange { old: hunk.before, new: hunk.after }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(changed_ranges("a\nb\n", "a\nb"), []);
        assert_eq!(changed_ranges("a\nb\nc\n", "a\nX\nY\nc\n"), [ChangedRange { old: 1..2, new: 1..3 }]);
        assert_eq!(changed_ranges("", "a\n"), [ChangedRange { old: 0..0, new: 0..1 }]);
    }
}
