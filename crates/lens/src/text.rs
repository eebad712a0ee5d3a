//! Other people's text made fit to show: control characters as symbols, fences that hold, cuts, counts.

use std::borrow::Cow;

/// One line with its escape sequences and control characters as symbols. Characters that turn the direction of
/// writing, which can make text read as what it is not, are replaced.
pub fn clean(line: &str) -> Cow<'_, str> {
    if !line.chars().any(needs_symbol) {
        return Cow::Borrowed(line);
    }
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        rest = match c {
            '\x1b' | '\u{9b}' => after_escape(rest),
            _ => &rest[c.len_utf8()..],
        };
        shown.push(symbol(c));
    }
    Cow::Owned(shown)
}

fn needs_symbol(c: char) -> bool {
    symbol(c) != c
}

fn symbol(c: char) -> char {
    match c {
        '\t' => c,
        '\x1b' | '\u{80}'..='\u{9f}' => '␛',
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('␀'),
        '\x7f' => '␡',
        '\u{2028}' | '\u{2029}' => '␤',
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c => c,
    }
}

/// What follows the escape sequence at the start of `text`; a broken sequence is only its first character.
fn after_escape(text: &str) -> &str {
    let mut chars = text.chars();
    let introducer = match chars.next() {
        Some('\u{9b}') => Some('['),
        _ => chars.next(),
    };
    let rest = chars.as_str();
    let first = text.chars().next().map_or(0, char::len_utf8);
    match introducer {
        Some('[') => match rest.find(|c: char| !matches!(c, ' '..='?')) {
            Some(end) if matches!(rest.as_bytes().get(end), Some(b'@'..=b'~')) => &rest[end + 1..],
            _ => &text[first..],
        },
        Some(']') => match rest.find(['\x07', '\x1b']) {
            Some(end) if rest[end..].starts_with('\x07') => &rest[end + 1..],
            Some(end) if rest[end..].starts_with("\x1b\\") => &rest[end + 2..],
            _ => &text[first..],
        },
        Some('0'..='~') => rest,
        _ => &text[first..],
    }
}

/// Cleaned, white space collapsed to single blanks: for titles and rows.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(1024));
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&clean(word));
    }
    line
}

/// At most `width` characters; what is longer ends in `…`.
pub fn cut(text: &str, width: usize) -> Cow<'_, str> {
    match text.char_indices().nth(width) {
        None => Cow::Borrowed(text),
        Some(_) => {
            let end = text.char_indices().nth(width.saturating_sub(1)).map_or(0, |(at, _)| at);
            Cow::Owned(format!("{}…", text[..end].trim_end()))
        }
    }
}

/// As [`cut`], but at a word where one ends in the last third.
pub(crate) fn cut_at_word(text: &str, width: usize) -> Cow<'_, str> {
    if text.char_indices().nth(width).is_none() {
        return Cow::Borrowed(text);
    }
    let end = text.char_indices().nth(width.saturating_sub(1)).map_or(0, |(at, _)| at);
    let head = &text[..end];
    let word = head.rfind(' ').filter(|at| at * 3 >= end * 2).unwrap_or(end);
    Cow::Owned(format!("{}…", head[..word].trim_end_matches([' ', ',', '.', ';', ':'])))
}

/// Words in lines of at most `width` characters (a longer word has a line of its own), at most `most` lines; and
/// whether something is left out.
pub(crate) fn wrap(text: &str, width: usize, most: usize) -> (Vec<String>, bool) {
    let mut lines: Vec<String> = Vec::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        let count = lines.len();
        match lines.last_mut() {
            Some(line) if used + 1 + length <= width => {
                line.push(' ');
                line.push_str(word);
                used += 1 + length;
            }
            _ if count == most => return (lines, true),
            _ => {
                lines.push(word.to_owned());
                used = length;
            }
        }
    }
    (lines, false)
}

/// A fence of backticks longer than any in these lines.
pub(crate) fn fence<'t>(lines: impl Iterator<Item = &'t str>) -> String {
    "`".repeat(lines.map(|line| longest_run(line, '`')).max().unwrap_or(0).max(2) + 1)
}

/// `` `code` ``, with as many backticks as it takes.
pub(crate) fn code_span(code: &str) -> String {
    let ticks = match longest_run(code, '`') {
        0 => 1,
        1 => 2,
        n => n + 1,
    };
    let ticks = "`".repeat(ticks);
    match code.starts_with('`') || code.ends_with('`') {
        true => format!("{ticks} {code} {ticks}"),
        false => format!("{ticks}{code}{ticks}"),
    }
}

fn longest_run(line: &str, mark: char) -> usize {
    let (mut longest, mut run) = (0, 0);
    for c in line.chars() {
        run = if c == mark { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// The fence that a Markdown text leaves open at its end, if any.
pub(crate) fn open_fence<'t>(lines: impl Iterator<Item = &'t str>) -> Option<String> {
    let mut open: Option<(char, usize)> = None;
    for line in lines {
        let line = line.trim_start_matches([' ', '>']);
        let Some(mark) = line.chars().next().filter(|c| matches!(c, '`' | '~')) else { continue };
        let length = line.chars().take_while(|c| *c == mark).count();
        let info = line[length..].trim();
        open = match open {
            None if length >= 3 && !(mark == '`' && info.contains('`')) => Some((mark, length)),
            Some((other, needed)) if other == mark && length >= needed && info.is_empty() => None,
            unchanged => unchanged,
        };
    }
    open.map(|(mark, length)| mark.to_string().repeat(length))
}

/// Text in which no character means anything to Markdown, bare addresses included.
pub(crate) fn escape_markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '!' | '$' | '&') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped.replace("://", ":\\//").replace("www.", "www\\.")
}

/// As [`escape_markdown`], for text at the start of a line, where it could begin a list or a rule.
pub(crate) fn escape_markdown_line(text: &str) -> String {
    let mut escaped = escape_markdown(text);
    let digits = escaped.len() - escaped.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if escaped.starts_with(['-', '+', '=']) || (digits > 0 && escaped[digits..].starts_with(['.', ')'])) {
        escaped.insert(digits, '\\');
    }
    escaped
}

/// `61,204`
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 line`, `1,204 lines`, `4 matches`
pub fn count(n: u64, word: &str) -> String {
    let plural = if n == 1 {
        ""
    } else if word.ends_with("ch") {
        "es"
    } else {
        "s"
    };
    format!("{} {word}{plural}", thousands(n))
}

/// Columns that a text takes in a fixed-width font.
pub fn columns(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

fn is_wide(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{1f300}'..='\u{1faff}')
}

/// Padded with blanks on the right to `width` columns.
pub fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// The first eight characters of a session's id.
pub fn short_id(session: &str) -> &str {
    session.char_indices().nth(8).map_or(session, |(at, _)| &session[..at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check_clean(line: &str, expect: Expect) {
        expect.assert_eq(&clean(line));
    }

    #[test]
    fn control_characters() {
        check_clean("plain\ttext", expect!["plain\ttext"]);
        check_clean("\x1b[1;31merror\x1b[0m: x", expect!["␛error␛: x"]);
        check_clean("\x1b]8;;http://x\x07link\x1b]8;;\x1b\\", expect!["␛link␛"]);
        check_clean("\x1b]52;c;broken", expect!["␛]52;c;broken"]);
        check_clean("\x1b[31", expect!["␛[31"]);
        check_clean("10 %\r20 %\x07\x7f\u{9b}2J", expect!["10 %␍20 %␇␡␛"]);
        check_clean("a\u{202e}b\u{2028}c\x1b", expect!["a\u{fffd}b␤c␛"]);
    }

    #[test]
    fn cuts() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("äöü", 2), "ä…");
        assert_eq!(cut_at_word("one two three four", 10), "one two…");
        assert_eq!(wrap("one two three", 7, 3), (vec!["one two".into(), "three".into()], false));
        assert_eq!(wrap("one two three", 7, 1), (vec!["one two".into()], true));
        assert_eq!(wrap("", 7, 1), (Vec::new(), false));
    }

    #[test]
    fn fences() {
        assert_eq!(fence(["a", "b"].into_iter()), "```");
        assert_eq!(fence(["````", "b"].into_iter()), "`````");
        assert_eq!(code_span("a`b"), "``a`b``");
        assert_eq!(code_span("`"), "`` ` ``");
        assert_eq!(open_fence("a\n```rust\nb\n```\n".lines()), None);
        assert_eq!(open_fence("a\n~~~~\n~~~\n".lines()), Some("~~~~".into()));
    }

    #[test]
    fn markdown_is_escaped() {
        assert_eq!(escape_markdown("[x](http://y) *b* `c`"), "\\[x\\](http:\\//y) \\*b\\* \\`c\\`");
        assert_eq!(escape_markdown("1. a <b> & #c"), "1. a \\<b\\> \\& \\#c");
        assert_eq!(escape_markdown_line("12. a"), "12\\. a");
        assert_eq!(escape_markdown_line("- a. b (c)"), "\\- a. b (c)");
        assert_eq!(escape_markdown_line("12 a. b"), "12 a. b");
    }

    #[test]
    fn numbers() {
        assert_eq!([thousands(0), thousands(999), thousands(61_204)], ["0", "999", "61,204"]);
        assert_eq!([count(1, "match"), count(4, "match"), count(2, "line")], ["1 match", "4 matches", "2 lines"]);
        assert_eq!(pad("给加", 6), "给加  ");
    }
}
