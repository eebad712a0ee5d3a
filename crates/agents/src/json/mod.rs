//! Reading JSON that others wrote: fields of unexpected types count as not told, they fail no record.

mod parse;
mod skip;
mod text;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

pub(crate) use parse::{LITERAL, Parser, Raw, Unfit};
pub(crate) use text::{Text, Told};

/// A string, borrowed where it holds no escapes. `None`: absent, or no string.
#[derive(Clone, Debug, Default)]
pub(crate) struct Str<'a>(Option<Cow<'a, str>>);

impl<'a> Str<'a> {
    pub(crate) fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Like [`Str::get`]; an empty string counts as absent.
    pub(crate) fn filled(&self) -> Option<&str> {
        self.get().filter(|text| !text.is_empty())
    }

    pub(crate) fn or_empty(&self) -> &str {
        self.get().unwrap_or_default()
    }

    pub(crate) fn is(&self, text: &str) -> bool {
        self.get() == Some(text)
    }

    pub(crate) fn take(self) -> Option<Cow<'a, str>> {
        self.0
    }
}

impl<'a> From<&'a str> for Str<'a> {
    fn from(text: &'a str) -> Str<'a> {
        Str(Some(Cow::Borrowed(text)))
    }
}

impl<'a> From<Cow<'a, str>> for Str<'a> {
    fn from(text: Cow<'a, str>) -> Str<'a> {
        Str(Some(text))
    }
}

impl From<String> for Str<'_> {
    fn from(text: String) -> Self {
        Str(Some(Cow::Owned(text)))
    }
}

/// `true`, or anything else.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flag(pub(crate) bool);

/// A whole number. `None`: absent, or no whole number.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Num(pub(crate) Option<i64>);

impl Num {
    /// Negative numbers count as not told.
    pub(crate) fn count(self) -> Option<u64> {
        self.0.and_then(|number| u64::try_from(number).ok())
    }

    pub(crate) fn small(self) -> Option<u32> {
        self.0.and_then(|number| u32::try_from(number).ok())
    }
}

/// An object read as `T`. `None`: absent, or no object.
#[derive(Clone, Debug)]
pub(crate) struct Obj<T>(pub(crate) Option<T>);

impl<T> Default for Obj<T> {
    fn default() -> Obj<T> {
        Obj(None)
    }
}

/// The objects of an array, with `None` for elements that are no objects. Empty: absent, or no array.
#[derive(Clone, Debug)]
pub(crate) struct List<T>(pub(crate) Vec<Obj<T>>);

impl<T> Default for List<T> {
    fn default() -> List<T> {
        List(Vec::new())
    }
}

impl<T> List<T> {
    pub(crate) fn objects(&self) -> impl Iterator<Item = &T> {
        self.0.iter().filter_map(|element| element.0.as_ref())
    }
}

/// The entries of an object whose keys are data, in their order. Values that are no objects are `None`. Empty: absent,
/// or no object.
#[derive(Clone, Debug)]
pub(crate) struct Pairs<'a, T>(pub(crate) Vec<(Str<'a>, Obj<T>)>);

impl<T> Default for Pairs<'_, T> {
    fn default() -> Self {
        Pairs(Vec::new())
    }
}

/// Consumes what is left of an array or object that stands where something else was expected.
pub(crate) fn drain_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<(), A::Error> {
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

pub(crate) fn drain_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

/// The methods of a visitor to whom the named kinds of value say nothing.
macro_rules! nothing {
    ($value:expr; $($kind:ident)*) => { $(nothing!(@ $kind $value);)* };
    (@ bool $value:expr) => { fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> { Ok($value) } };
    (@ numbers $value:expr) => {
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> { Ok($value) }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> { Ok($value) }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> { Ok($value) }
    };
    (@ str $value:expr) => { fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> { Ok($value) } };
    (@ unit $value:expr) => { fn visit_unit<E>(self) -> Result<Self::Value, E> { Ok($value) } };
    (@ seq $value:expr) => {
        fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
            $crate::json::drain_seq(seq)?;
            Ok($value)
        }
    };
    (@ map $value:expr) => {
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            $crate::json::drain_map(map)?;
            Ok($value)
        }
    };
}
pub(crate) use nothing;

impl<'de: 'a, 'a> Deserialize<'de> for Str<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Str<'a>, D::Error> {
        struct Read<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Read<'a> {
            type Value = Str<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Str<'a>, E> {
                Ok(Str(Some(Cow::Borrowed(text))))
            }
            fn visit_str<E>(self, text: &str) -> Result<Str<'a>, E> {
                Ok(Str(Some(Cow::Owned(text.to_owned()))))
            }
            fn visit_string<E>(self, text: String) -> Result<Str<'a>, E> {
                Ok(Str(Some(Cow::Owned(text))))
            }
            nothing!(Str(None); bool numbers unit seq map);
        }
        deserializer.deserialize_any(Read(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Flag, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Flag;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true or false")
            }
            fn visit_bool<E>(self, flag: bool) -> Result<Flag, E> {
                Ok(Flag(flag))
            }
            nothing!(Flag(false); numbers str unit seq map);
        }
        deserializer.deserialize_any(Read)
    }
}

impl<'de> Deserialize<'de> for Num {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Num, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Num;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }
            fn visit_i64<E>(self, number: i64) -> Result<Num, E> {
                Ok(Num(Some(number)))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Num, E> {
                Ok(Num(i64::try_from(number).ok()))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Num, E> {
                Ok(Num(None))
            }
            nothing!(Num(None); bool str unit seq map);
        }
        deserializer.deserialize_any(Read)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Obj<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Obj<T>, D::Error> {
        struct Read<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Read<T> {
            type Value = Obj<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Obj<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|object| Obj(Some(object)))
            }
            nothing!(Obj(None); bool numbers str unit seq);
        }
        deserializer.deserialize_any(Read(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<List<T>, D::Error> {
        struct Read<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Read<T> {
            type Value = List<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List<T>, A::Error> {
                let mut list = Vec::new();
                while let Some(element) = seq.next_element()? {
                    list.push(element);
                }
                Ok(List(list))
            }
            nothing!(List::default(); bool numbers str unit map);
        }
        deserializer.deserialize_any(Read(PhantomData))
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Pairs<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pairs<'a, T>, D::Error> {
        struct Read<'a, T>(PhantomData<(&'a (), T)>);
        impl<'de: 'a, 'a, T: Deserialize<'de>> Visitor<'de> for Read<'a, T> {
            type Value = Pairs<'a, T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'a, T>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
            nothing!(Pairs::default(); bool numbers str unit seq);
        }
        deserializer.deserialize_any(Read(PhantomData))
    }
}

/// The whole text as `T`.
pub(crate) fn from_str<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Unfit> {
    let mut parser = Parser::new(text);
    let value = T::deserialize(&mut parser)?;
    match text.get(parser.at()..) {
        Some(rest) if rest.trim_ascii().is_empty() => Ok(value),
        _ => Err(Unfit),
    }
}

/// A value inside a record, read only where it is wanted. What does not fit is as good as absent.
pub(crate) fn read<'a, T: Deserialize<'a> + Default>(raw: Option<Raw<'a>>) -> T {
    raw.and_then(|raw| from_str(raw.get()).ok()).unwrap_or_default()
}

/// The text of a string that was left as it stands. `None`: absent, or no string.
pub(crate) fn text(raw: Option<Raw<'_>>) -> Option<Cow<'_, str>> {
    unescaped(raw?.get().strip_prefix('"')?.strip_suffix('"')?)
}

/// What the inside of a string literal stands for. Escapes of half a character are replaced, those that mean nothing stand
/// for what they escape.
fn unescaped(inside: &str) -> Option<Cow<'_, str>> {
    let bytes = inside.as_bytes();
    let Some(mut next) = skip::find(b'\\', bytes, 0) else { return Some(Cow::Borrowed(inside)) };
    let mut text = String::with_capacity(inside.len());
    let mut at = 0;
    loop {
        text.push_str(inside.get(at..next)?);
        if next == inside.len() {
            return Some(Cow::Owned(text));
        }
        let (c, len) = escaped(inside.get(next..)?);
        text.push(c);
        at = (next + len).min(inside.len());
        next = skip::find(b'\\', bytes, at).unwrap_or(bytes.len());
    }
}

/// The character of the escape at the beginning of `text`, and the escape's length.
fn escaped(text: &str) -> (char, usize) {
    let simple = match text.as_bytes().get(1) {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'u') => {
            return match (code_unit(text), text.get(6..).and_then(code_unit)) {
                (Some(high @ 0xD800..0xDC00), Some(low @ 0xDC00..0xE000)) => {
                    let code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                    (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
                }
                (Some(unit), _) => (char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), 6),
                (None, _) => (char::REPLACEMENT_CHARACTER, 2),
            };
        }
        Some(_) => {
            let other = text.chars().nth(1).unwrap_or(char::REPLACEMENT_CHARACTER);
            return (other, 1 + other.len_utf8());
        }
        None => char::REPLACEMENT_CHARACTER,
    };
    (simple, 2)
}

pub(crate) fn is_string(raw: Option<Raw<'_>>) -> bool {
    raw.is_some_and(|raw| raw.get().starts_with('"'))
}

/// The object at the beginning of `text` as `T`, and its length in bytes.
pub(crate) fn first<'a, T: Deserialize<'a>>(text: &'a str) -> Option<(T, usize)> {
    let mut parser = Parser::new(text);
    let object = T::deserialize(&mut parser).ok()?;
    Some((object, parser.at()))
}

/// The length of the object at the beginning of `bytes`, whatever its strings hold.
pub(crate) fn extent(bytes: &[u8]) -> Option<usize> {
    if bytes.first() != Some(&b'{') {
        return None;
    }
    skip::value(bytes, 0)
}

/// The value of the escape `\uXXXX` at the beginning of `text`.
fn code_unit(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
}

/// Lines of the text that a string literal stands for, counted without making the text. 0 for other values.
pub(crate) fn lines(literal: Raw<'_>) -> usize {
    let Some(inside) = literal.get().strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return 0 };
    let bytes = inside.as_bytes();
    let (mut at, mut ends, mut after_last_end) = (0, 0, 0);
    while let Some(step) = bytes.get(at..).and_then(|rest| memchr::memchr(b'\\', rest)) {
        at += step + 2;
        if bytes.get(at - 1) == Some(&b'n') {
            ends += 1;
            after_last_end = at;
        }
    }
    ends + usize::from(after_last_end < bytes.len())
}

/// Valid JSON with line breaks and two spaces a level. Order, numbers and escapes stay as they stand.
pub(crate) fn pretty(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + json.len() / 4);
    let mut depth = 0usize;
    let mut rest = json.trim();
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        match c {
            '"' => {
                let end = string_end(rest);
                out.push_str(&rest[..end]);
                rest = &rest[end..];
                continue;
            }
            '{' | '[' => {
                out.push(c);
                let inner = after.trim_start();
                if inner.starts_with(['}', ']']) {
                    out.push_str(&inner[..1]);
                    rest = &inner[1..];
                    continue;
                }
                depth += 1;
                break_line(&mut out, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                break_line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                break_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_whitespace() => {}
            c => out.push(c),
        }
        rest = after;
    }
    out
}

fn break_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

/// The length of the string literal at the beginning of `text`.
fn string_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while let Some(step) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += step;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use proptest::prelude::*;

    #[test]
    fn half_characters_are_replaced_and_whole_ones_kept() {
        let check = |literal: &str, told: &str| assert_eq!(text(Some(Raw::of(literal))).as_deref(), Some(told));
        check(r#""a\ud83db""#, "a\u{fffd}b");
        check(r#""\ud83d\ude00""#, "😀");
        check(r#""\ude00\ud83d\ude00""#, "\u{fffd}😀");
        check(r#""\\ud83d""#, "\\ud83d");
        check(r#""\u12 \é\x""#, "\u{fffd}12 éx");
    }

    #[test]
    fn texts_are_those_of_serde() {
        let check = |literal: &str| {
            let told = serde_json::from_str::<String>(literal).ok();
            assert_eq!(text(Some(Raw::of(literal))).as_deref(), told.as_deref(), "{literal}");
        };
        for literal in [
            r#""""#,
            r#""a""#,
            r#""\n\t\r\b\f\/\\\"""#,
            r#""a\u00e9 \ud83d\ude00\\u0041 é""#,
            r#""\\\\""#,
            "1",
            "[\"a\"]",
            "null",
        ] {
            check(literal);
        }
        let half = r#""a\ud83d\n\ude00""#;
        assert_eq!(text(Some(Raw::of(half))).as_deref(), Some("a\u{fffd}\n\u{fffd}"));
    }

    #[test]
    fn pretty_keeps_order_and_escapes() {
        expect![[r#"
            {
              "z": [
                1.50,
                {},
                []
              ],
              "a": "x,{\"\u00e9\n"
            }"#]]
        .assert_eq(&pretty(r#"{"z":[1.50,{ },[]],"a":"x,{\"\u00e9\n"}"#));
    }

    #[test]
    fn lines_are_those_of_the_text() {
        for text in ["", "a", "a\nb", "a\nb\n", "\n", "\\n", "\\\n\"\\", "\u{8}\n\u{1}"] {
            let literal = serde_json::to_string(text).unwrap_or_default();
            assert_eq!(lines(Raw::of(&literal)), text.lines().count(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back(told in ".*") {
            let literal = serde_json::to_string(&told).unwrap_or_default();
            let text = text(Some(Raw::of(&literal)));
            prop_assert_eq!(text.as_deref(), Some(&*told));
        }

        #[test]
        fn nothing_panics(text in ".*", bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            pretty(&text);
            super::text(Some(Raw::of(&format!("\"{text}\""))));
            extent(&bytes);
        }
    }
}
