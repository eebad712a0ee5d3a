//! Line ranges as git writes them: `-L 10,20`, `-L 10,+5`, `-L 41,60:src/a.rs`.

use super::{not_found, wrong_use};

/// Lines from 1, the last included. `None`: to the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lines {
    first: u32,
    last: Option<u32>,
}

impl Lines {
    /// Fails with a sentence that says what can be written.
    pub(super) fn parse(text: &str) -> Result<Lines, String> {
        let wrong = || format!("“{text}” is no range of lines: write 10,20 or 10,+5");
        let number = |text: &str| text.parse::<u32>().ok().filter(|n| *n > 0).ok_or_else(wrong);
        let (first, last) = text.split_once(',').unwrap_or((text, text));
        let first = if first.is_empty() { 1 } else { number(first)? };
        let last = match last {
            "" => None,
            _ if last.starts_with('+') => Some(first.saturating_add(number(&last[1..])? - 1)),
            _ => Some(number(last)?),
        };
        // git takes the two in any order.
        Ok(match last {
            Some(last) if last < first => Lines { first: last, last: Some(first) },
            _ => Lines { first, last },
        })
    }

    /// `41,60:src/a.rs`
    pub(super) fn parse_with_file(text: &str) -> anyhow::Result<(Lines, String)> {
        let (lines, file) = text
            .split_once(':')
            .filter(|(_, file)| !file.is_empty())
            .ok_or_else(|| wrong_use(format!("-L {text} names no file: write -L 41,60:src/a.rs")))?;
        Ok((Lines::parse(lines).map_err(wrong_use)?, file.to_owned()))
    }

    /// The first and the last line in a file of `count` lines, from 1.
    pub(super) fn within(&self, file: &str, count: usize) -> anyhow::Result<(u32, u32)> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if self.first > count {
            let lines = lens::count(count.into(), "line");
            return Err(not_found(format!("{file} has {lines}, no line {}", self.first)));
        }
        Ok((self.first, self.last.unwrap_or(count).min(count)))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(text: &str, expect: Expect) {
        let told = match Lines::parse(text) {
            Ok(lines) => match lines.within("a.rs", 30) {
                Ok((first, last)) => format!("{first}-{last}"),
                Err(error) => error.to_string(),
            },
            Err(error) => error,
        };
        expect.assert_eq(&told);
    }

    #[test]
    fn ranges() {
        check("10,20", expect!["10-20"]);
        check("20,10", expect!["10-20"]);
        check("10", expect!["10-10"]);
        check("10,+5", expect!["10-14"]);
        check("10,", expect!["10-30"]);
        check(",5", expect!["1-5"]);
        check("28,400", expect!["28-30"]);
        check("31,40", expect!["a.rs has 30 lines, no line 31"]);
        check("0,4", expect!["“0,4” is no range of lines: write 10,20 or 10,+5"]);
        check("a", expect!["“a” is no range of lines: write 10,20 or 10,+5"]);
    }
}
