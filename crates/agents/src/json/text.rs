//! Texts that may be long and of which often only the beginning is wanted: they are left as they stand in the log.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use trace::Excerpt;

use super::parse::LITERAL;
use super::{escaped, nothing, skip, unescaped};

/// A string as it stands between its quotes. `None`: absent, or no string.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Text<'a>(Option<&'a str>);

/// A text with what is kept of most texts, made where records are read: on several threads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told<'a> {
    pub(crate) text: Text<'a>,
    pub(crate) excerpt: Excerpt,
}

impl<'a> Text<'a> {
    /// Of what stands between the quotes of a literal.
    pub(crate) fn of(inside: &'a str) -> Text<'a> {
        Text(Some(inside))
    }

    /// The whole text.
    pub(crate) fn get(self) -> Option<Cow<'a, str>> {
        unescaped(self.0?)
    }

    pub(crate) fn or_empty(self) -> Cow<'a, str> {
        self.get().unwrap_or_default()
    }

    /// Its beginning and how long it is; the rest is not made.
    fn excerpt(self, limit: usize) -> Excerpt {
        let inside = self.0.unwrap_or_default();
        let (chars, lines) = measured(inside);
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Excerpt { head: beginning(inside, limit).into(), chars: count(chars), lines: count(lines) }
    }
}

impl Told<'_> {
    /// Whether there is nothing but white space.
    pub(crate) fn is_blank(&self) -> bool {
        let is_blank = |text: &str| text.trim().is_empty();
        is_blank(&self.excerpt.head) && (self.excerpt.is_whole() || is_blank(&self.text.or_empty()))
    }
}

/// The first characters of the text that stands in a literal.
fn beginning(inside: &str, limit: usize) -> String {
    let mut text = String::with_capacity(inside.len().min(limit));
    let (mut at, mut room) = (0, limit);
    while room > 0
        && let Some(rest) = inside.get(at..).filter(|rest| !rest.is_empty())
    {
        // No character takes more than four bytes.
        let near = &rest.as_bytes()[..rest.len().min(4 * room)];
        let until = skip::find(b'\\', near, 0).unwrap_or(near.len());
        let plain = first_chars(rest, until, room);
        text.push_str(plain);
        room -= plain.chars().count();
        at += plain.len();
        if room > 0 && inside.as_bytes().get(at) == Some(&b'\\') {
            let (c, len) = escaped(&inside[at..]);
            text.push(c);
            room -= 1;
            at += len;
        }
    }
    text
}

/// At most so many characters, and so many bytes.
fn first_chars(text: &str, bytes: usize, chars: usize) -> &str {
    let end = boundary(text, bytes);
    match text.as_bytes()[..end].get(..chars) {
        None => &text[..end],
        Some(head) if head.is_ascii() => &text[..chars],
        Some(_) => &text[..text.char_indices().nth(chars).map_or(end, |(at, _)| at.min(end))],
    }
}

/// The last place up to `at` where a character begins or the text ends.
fn boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (at.saturating_sub(3)..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(at)
}

/// Characters and lines, as [`str::lines`] counts them, of the text that stands in a literal.
fn measured(inside: &str) -> (usize, usize) {
    let bytes = inside.as_bytes();
    let mut sums = Sums::default();
    let mut at = 0;
    while at < bytes.len() {
        let mut end = boundary(inside, at + Sums::MOST);
        // No escape goes on behind a part.
        while end > at && bytes[end - 1] == b'\\' {
            end -= 1;
        }
        at = match sums.add(&bytes[at..end]) {
            true if end > at => end,
            _ => sums.add_one_by_one(inside, at, end.max(at + 1)),
        };
    }
    (sums.chars, sums.line_ends + usize::from(sums.chars > 0 && !sums.ends_line))
}

#[derive(Default)]
struct Sums {
    chars: usize,
    line_ends: usize,
    /// The last character ends a line.
    ends_line: bool,
}

impl Sums {
    /// Sums of so few bytes fit into a byte, so that many are taken at once.
    const MOST: usize = 255;

    /// False: an escape is among them that takes more than a look at each byte and the one behind it.
    fn add(&mut self, part: &[u8]) -> bool {
        let (mut chars, mut escapes, mut line_ends, mut hard) = (0u8, 0u8, 0u8, 0u8);
        let Some(last) = part.last() else { return true };
        for (byte, behind) in part.iter().zip(&part[1..]) {
            let is_escape = u8::from(*byte == b'\\');
            // All but the bytes that go on with a character.
            chars += u8::from(*byte as i8 >= -0x40);
            escapes += is_escape;
            line_ends += (is_escape & u8::from(*behind == b'n')) + u8::from(*byte == b'\n');
            hard |= is_escape & (u8::from(*behind == b'\\') | u8::from(*behind == b'u'));
        }
        if hard != 0 {
            return false;
        }
        // The escaped character was counted, too.
        self.chars += usize::from(chars - escapes) + usize::from(*last as i8 >= -0x40);
        self.line_ends += usize::from(line_ends) + usize::from(*last == b'\n');
        self.ends_line = part.ends_with(b"\\n") || *last == b'\n';
        true
    }

    /// The place behind the last character that begins before `end`.
    fn add_one_by_one(&mut self, inside: &str, mut at: usize, end: usize) -> usize {
        while at < end
            && let Some(rest) = inside.get(at..)
            && let Some(next) = rest.chars().next()
        {
            let (c, len) = if next == '\\' { escaped(rest) } else { (next, next.len_utf8()) };
            self.chars += 1;
            self.ends_line = c == '\n';
            self.line_ends += usize::from(self.ends_line);
            at += len;
        }
        at
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text<'a>, D::Error> {
        struct Read<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Read<'a> {
            type Value = Text<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, inside: &'de str) -> Result<Text<'a>, E> {
                Ok(Text::of(inside))
            }
            nothing!(Text(None); bool numbers unit seq map);
        }
        deserializer.deserialize_newtype_struct(LITERAL, Read(PhantomData))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Told<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Told<'a>, D::Error> {
        Text::deserialize(deserializer).map(Told::from)
    }
}

impl<'a> From<Text<'a>> for Told<'a> {
    fn from(text: Text<'a>) -> Told<'a> {
        Told { text, excerpt: text.excerpt(Excerpt::LIMIT) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(inside: &str) {
        let text = Text::of(inside);
        let whole = text.or_empty();
        for limit in [0, 1, 3, 7, 64, 400] {
            assert_eq!(text.excerpt(limit), Excerpt::with_limit(&whole, limit), "{inside:?} up to {limit}");
        }
        assert_eq!(Told::from(text).is_blank(), whole.trim().is_empty(), "{inside:?}");
    }

    #[test]
    fn excerpts_are_those_of_the_text() {
        for inside in [
            "",
            r"\n",
            r"a\nb",
            r"a\nb\n",
            r"\\n",
            r"\\\n",
            r"é\u00e9\ud83d\ude00😀",
            r"\u000a",
            r"a\u000A",
            r"\ud83d",
            r"\u12",
            r"\",
            r"\é",
            r" \t\n ",
            "a\nb",
        ] {
            check(inside);
        }
        for len in 240..270 {
            for end in [r"\\", r"\n", r"\\\n", r"\u000a", r"\ud83d\ude00", "é", r"\é"] {
                check(&("x".repeat(len) + end));
                check(&("x".repeat(len) + end + "é\nx"));
            }
            check(&r"\".repeat(len));
        }
    }

    proptest! {
        #[test]
        fn any_literal_is_measured(parts in prop::collection::vec(r"[a-z é😀]{0,90}|\\\\|\\n|\\u000a|\\ud83d\\ude00|\\", 0..12)) {
            check(&parts.concat());
        }
    }
}
