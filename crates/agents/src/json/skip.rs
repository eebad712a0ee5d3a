//! Where JSON values end, found without making anything of them. Most bytes of a log are texts that a scan only passes
//! over, so this is what a scan costs.
//!
//! A value is checked in its structure. What stands between the quotes of a string is not: agents cut texts in the middle
//! of a character or an escape, and no record is lost for that.

use memchr::memchr;
use wide::u8x16;

/// Objects and lists inside each other: as many as serde_json takes.
pub(super) const DEEPEST: u32 = 128;
/// Bytes that are looked at here: to call for more costs more than that.
const NEAR: usize = 64;

/// The place behind the white space at `at`.
#[inline]
pub(super) fn space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\t' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The place behind the value at `at`. `None`: there is none, or it has no end.
pub(super) fn value(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = space(bytes, at);
    // What is open: a bit each, set for an object, the innermost lowest.
    let (mut open, mut depth) = (0u128, 0);
    loop {
        at = match bytes.get(at)? {
            b'"' => string(bytes, at)?,
            begin @ (b'{' | b'[') => {
                depth += 1;
                if depth > DEEPEST {
                    return None;
                }
                let is_object = *begin == b'{';
                open = open << 1 | u128::from(is_object);
                let inside = space(bytes, at + 1);
                match (is_object, bytes.get(inside)?) {
                    (true, b'}') | (false, b']') => (open, depth, at) = (open >> 1, depth - 1, inside + 1),
                    (true, _) => {
                        at = key(bytes, inside)?;
                        continue;
                    }
                    (false, _) => {
                        at = inside;
                        continue;
                    }
                }
                at
            }
            _ => plain(bytes, at)?,
        };
        loop {
            if depth == 0 {
                return Some(at);
            }
            at = space(bytes, at);
            match (open & 1 == 1, bytes.get(at)?) {
                (true, b',') => {
                    at = key(bytes, space(bytes, at + 1))?;
                    break;
                }
                (false, b',') => {
                    at = space(bytes, at + 1);
                    break;
                }
                (true, b'}') | (false, b']') => (open, depth, at) = (open >> 1, depth - 1, at + 1),
                _ => return None,
            }
        }
    }
}

/// The place of the value behind the key at `at`.
fn key(bytes: &[u8], at: usize) -> Option<usize> {
    let colon = space(bytes, string(bytes, at)?);
    (bytes.get(colon) == Some(&b':')).then(|| space(bytes, colon + 1))
}

/// The place behind the string at `at`.
#[inline]
pub(super) fn string(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    let end = find(b'"', bytes, at + 1)?;
    match bytes.get(end - 1) {
        Some(b'\\') => behind_escaped(bytes, at + 1, end),
        _ => Some(end + 1),
    }
}

/// The place behind the string whose inside begins at `begin`, and of which the quote at `end` may be escaped.
fn behind_escaped(bytes: &[u8], begin: usize, mut end: usize) -> Option<usize> {
    loop {
        let escapes = bytes.get(begin..end)?.iter().rev().take_while(|byte| **byte == b'\\').count();
        // Two backslashes stand for one: only one that is left over escapes the quote.
        if escapes % 2 == 0 {
            return Some(end + 1);
        }
        end = find(b'"', bytes, end + 1)?;
    }
}

/// The first place from `at` on where this byte stands. It is most often near.
#[inline]
pub(super) fn find(byte: u8, bytes: &[u8], mut at: usize) -> Option<usize> {
    let near = at + NEAR;
    while at < near
        && let Some(next) = bytes.get(at..).and_then(<[u8]>::first_chunk)
    {
        let same = u8x16::new(*next).simd_eq(u8x16::splat(byte)).to_bitmask();
        if same != 0 {
            return Some(at + same.trailing_zeros() as usize);
        }
        at += next.len();
    }
    Some(at + memchr(byte, bytes.get(at..)?)?)
}

/// The place behind the number, `true`, `false` or `null` at `at`.
fn plain(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let word = |word: &[u8]| rest.starts_with(word).then_some(at + word.len());
    match rest.first()? {
        b't' => word(b"true"),
        b'f' => word(b"false"),
        b'n' => word(b"null"),
        _ => number(bytes, at).map(|number| number.end),
    }
}

pub(super) struct Number {
    pub(super) end: usize,
    /// It has neither a fraction nor an exponent.
    pub(super) is_whole: bool,
}

pub(super) fn number(bytes: &[u8], at: usize) -> Option<Number> {
    let digits = |at: usize| {
        let end = bytes.get(at..)?.iter().position(|byte| !byte.is_ascii_digit()).map_or(bytes.len(), |len| at + len);
        (end > at).then_some(end)
    };
    let first = at + usize::from(bytes.get(at) == Some(&b'-'));
    let mut end = digits(first)?;
    if bytes.get(first) == Some(&b'0') && end > first + 1 {
        return None;
    }
    let mut is_whole = true;
    if bytes.get(end) == Some(&b'.') {
        (end, is_whole) = (digits(end + 1)?, false);
    }
    if let Some(b'e' | b'E') = bytes.get(end) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        (end, is_whole) = (digits(end + 1 + sign)?, false);
    }
    Some(Number { end, is_whole })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn ends(text: &str) -> Option<usize> {
        value(text.as_bytes(), 0)
    }

    #[test]
    fn values_end_where_they_end() {
        for whole in [
            "1",
            "-1.5e+3",
            "0",
            "true",
            "null",
            r#""""#,
            r#""a\"b""#,
            r#""a\\""#,
            r#""\\\"\\""#,
            "[]",
            "{}",
            "[1, [2]]",
            r#"{"a" : {"b":[ ]}, "c":"}"}"#,
            r#""a text that is longer than what is looked at in words\\""#,
            r#""0123456789012345678901234567890\"0123456789""#,
        ] {
            assert_eq!(ends(whole), Some(whole.len()), "{whole}");
            assert_eq!(ends(&format!("{whole}, 7")), Some(whole.len()), "{whole}");
        }
    }

    #[test]
    fn what_is_no_value_has_no_end() {
        for broken in [
            "",
            "x",
            "01",
            "1.",
            "-",
            "1e",
            "tru",
            r#"""#,
            r#""a\""#,
            "[1",
            "[1,]",
            "[1 2]",
            "{",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{a:1}"#,
            "{]",
            "[}",
            r#"{"a":"x{"b":1}"}"#,
        ] {
            assert_eq!(ends(broken), None, "{broken}");
        }
        assert_eq!(ends(&"[".repeat(500)), None);
        let deep = "[".repeat(128) + &"]".repeat(128);
        assert_eq!((ends(&deep), ends(&format!("[{deep}]"))), (Some(256), None));
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            Just(Value::Null),
            r#"[a\\"\n{}\[\]:, é]{0,50}"#.prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((r#"[a"\\]{0,3}"#, inner), 0..4)
                    .prop_map(|all| Value::Object(all.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_value_is_passed_over(json in any_value(), is_pretty in any::<bool>(), behind in ".{0,3}") {
            let text = if is_pretty { serde_json::to_string_pretty(&json) } else { serde_json::to_string(&json) };
            let text = text.unwrap_or_default();
            // A number goes on where digits follow.
            let whole = format!("[{text}]");
            prop_assert_eq!(ends(&(whole.clone() + &behind)), Some(whole.len()));
            for cut in (0..whole.len()).filter(|cut| whole.is_char_boundary(*cut)) {
                prop_assert_eq!(ends(&whole[..cut]), None);
            }
        }

        /// What it takes and serde_json does not differs inside of strings alone.
        #[test]
        fn it_takes_what_serde_takes(text in r#"[{}\[\]",:\\ 01.eE+\-tfn"]{0,12}"#) {
            let mut stream = serde_json::Deserializer::from_str(&text).into_iter::<serde::de::IgnoredAny>();
            if let Some(Ok(_)) = stream.next() {
                prop_assert_eq!(ends(&text), Some(stream.byte_offset()));
            } else if !text.contains('\\') {
                let is_followed = ends(&text).is_some_and(|end| !text[end..].is_empty());
                prop_assert!(ends(&text).is_none() || is_followed, "{text}");
            }
        }
    }
}
