//! A deserializer of texts that serde's derived readers take: what [`super::skip`] passes over is not looked at, strings
//! are borrowed, and half characters in them are replaced.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::skip;

/// A value as it stands in the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw<'a>(&'a str);

impl<'a> Raw<'a> {
    pub(crate) fn get(self) -> &'a str {
        self.0
    }

    /// The value at the beginning of a text.
    #[cfg(test)]
    pub(super) fn of(text: &'a str) -> Raw<'a> {
        Raw(text)
    }
}

/// By this name of a type a [`Raw`] is asked for.
const RAW: &str = "turnlens::Raw";
/// By this name values of any kind are asked for, strings as they stand between their quotes.
pub(crate) const LITERAL: &str = "turnlens::Literal";

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Raw<'a>, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = &'de str;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value, as it stands")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<&'de str, E> {
                Ok(text)
            }
        }
        deserializer.deserialize_newtype_struct(RAW, Read).map(Raw)
    }
}

/// The text is no value of the type that was asked for.
#[derive(Debug)]
pub(crate) struct Unfit;

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is not the JSON that was expected")
    }
}

impl std::error::Error for Unfit {}

impl de::Error for Unfit {
    fn custom<T: fmt::Display>(_: T) -> Unfit {
        Unfit
    }

    // Not even made, where serde would.
    fn invalid_type(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Unfit {
        Unfit
    }
}

/// Reads values from a place of a text on.
pub(crate) struct Parser<'de> {
    text: &'de str,
    at: usize,
    depth: u32,
}

impl<'de> Parser<'de> {
    pub(crate) fn new(text: &'de str) -> Parser<'de> {
        Parser { text, at: 0, depth: 0 }
    }

    /// Bytes that were read.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    fn bytes(&self) -> &'de [u8] {
        self.text.as_bytes()
    }

    /// The first byte of what comes next.
    #[inline]
    fn peek(&mut self) -> Result<u8, Unfit> {
        self.at = skip::space(self.bytes(), self.at);
        self.bytes().get(self.at).copied().ok_or(Unfit)
    }

    fn take(&mut self, byte: u8) -> Result<(), Unfit> {
        match self.peek()? == byte {
            true => {
                self.at += 1;
                Ok(())
            }
            false => Err(Unfit),
        }
    }

    fn word(&mut self, word: &str) -> Result<(), Unfit> {
        match self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            true => {
                self.at += word.len();
                Ok(())
            }
            false => Err(Unfit),
        }
    }

    fn pass_over(&mut self) -> Result<&'de str, Unfit> {
        let begin = skip::space(self.bytes(), self.at);
        self.at = skip::value(self.bytes(), begin).ok_or(Unfit)?;
        self.text.get(begin..self.at).ok_or(Unfit)
    }

    fn string(&mut self) -> Result<Cow<'de, str>, Unfit> {
        super::unescaped(self.literal()?).ok_or(Unfit)
    }

    /// The inside of a string as it stands.
    fn literal(&mut self) -> Result<&'de str, Unfit> {
        let begin = self.at;
        self.at = skip::string(self.bytes(), begin).ok_or(Unfit)?;
        self.text.get(begin + 1..self.at - 1).ok_or(Unfit)
    }

    fn number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Unfit> {
        let number = skip::number(self.bytes(), self.at).ok_or(Unfit)?;
        let text = self.text.get(self.at..number.end).ok_or(Unfit)?;
        self.at = number.end;
        if number.is_whole {
            if let Ok(number) = text.parse() {
                return visitor.visit_i64(number);
            }
            if let Ok(number) = text.parse() {
                return visitor.visit_u64(number);
            }
        }
        visitor.visit_f64(text.parse().map_err(|_| Unfit)?)
    }

    /// What stands between brackets.
    fn inside<T>(&mut self, read: impl FnOnce(&mut Inside<'_, 'de>) -> Result<T, Unfit>, end: u8) -> Result<T, Unfit> {
        self.at += 1;
        self.depth += 1;
        if self.depth > skip::DEEPEST {
            return Err(Unfit);
        }
        let value = read(&mut Inside { parser: self, end, is_first: true })?;
        self.depth -= 1;
        self.take(end)?;
        Ok(value)
    }
}

impl<'de> Deserializer<'de> for &mut Parser<'de> {
    type Error = Unfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.peek()? {
            b'"' => match self.string()? {
                Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
                Cow::Owned(text) => visitor.visit_string(text),
            },
            b'{' => self.inside(|inside| visitor.visit_map(inside), b'}'),
            b'[' => self.inside(|inside| visitor.visit_seq(inside), b']'),
            b't' => self.word("true").and_then(|()| visitor.visit_bool(true)),
            b'f' => self.word("false").and_then(|()| visitor.visit_bool(false)),
            b'n' => self.word("null").and_then(|()| visitor.visit_unit()),
            _ => self.number(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.peek()? {
            b'n' => self.word("null").and_then(|()| visitor.visit_none()),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Unfit> {
        match name {
            RAW => visitor.visit_borrowed_str(self.pass_over()?),
            LITERAL if self.peek()? == b'"' => visitor.visit_borrowed_str(self.literal()?),
            LITERAL => self.deserialize_any(visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.pass_over()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier
    }
}

/// The items of a list or the entries of an object.
struct Inside<'p, 'de> {
    parser: &'p mut Parser<'de>,
    end: u8,
    is_first: bool,
}

impl Inside<'_, '_> {
    /// Whether another one comes; then the parser stands before it.
    fn goes_on(&mut self) -> Result<bool, Unfit> {
        if self.parser.peek()? == self.end {
            return Ok(false);
        }
        if !std::mem::take(&mut self.is_first) {
            self.parser.take(b',')?;
            self.parser.peek()?;
        }
        Ok(true)
    }
}

impl<'de> de::SeqAccess<'de> for &mut Inside<'_, 'de> {
    type Error = Unfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unfit> {
        if !self.goes_on()? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.parser).map(Some)
    }
}

impl<'de> de::MapAccess<'de> for &mut Inside<'_, 'de> {
    type Error = Unfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unfit> {
        if !self.goes_on()? {
            return Ok(None);
        }
        let key = seed.deserialize(Key(&mut *self.parser))?;
        self.parser.take(b':')?;
        Ok(Some(key))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Unfit> {
        seed.deserialize(&mut *self.parser)
    }
}

/// The key at which the parser stands.
struct Key<'p, 'de>(&'p mut Parser<'de>);

impl<'de> Deserializer<'de> for Key<'_, 'de> {
    type Error = Unfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0.string()? {
            Cow::Borrowed(key) => visitor.visit_borrowed_str(key),
            Cow::Owned(key) => visitor.visit_string(key),
        }
    }

    /// Names of fields are compared as they stand, without being taken for a text first. None of them needs an escape.
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_borrowed_bytes(self.0.literal()?.as_bytes())
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::Value;

    use super::*;
    use crate::json::{Str, from_str};

    #[test]
    fn values_stand_as_they_are() {
        #[derive(Deserialize)]
        struct Told<'a> {
            #[serde(borrow)]
            a: Raw<'a>,
            #[serde(borrow)]
            b: Option<Raw<'a>>,
            c: Option<Raw<'a>>,
            #[serde(borrow)]
            d: Str<'a>,
        }
        let told: Told<'_> = from_str(r#" {"x":[{}], "a" : {"b": [1, "\ud83d"]} ,"b":null,"d":"\ud83d" } "#)
            .unwrap_or_else(|_| panic!("read"));
        assert_eq!(told.a.get(), r#"{"b": [1, "\ud83d"]}"#);
        assert!(told.b.is_none() && told.c.is_none());
        assert_eq!(told.d.get(), Some("\u{fffd}"));
    }

    #[test]
    fn what_does_not_fit_is_no_value() {
        for broken in
            [r#"{"a":1} x"#, r#"{"a":1"#, r#"{"a" 1}"#, r#"{"a":1,}"#, r#"{"a":[1,]}"#, r#"{"a":1 "b":2}"#, "{1:2}"]
        {
            assert!(from_str::<BTreeMap<String, Value>>(broken).is_err(), "{broken}");
        }
        assert!(from_str::<Value>(&"[".repeat(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn it_reads_what_serde_reads(text in r#"[{}\[\]",:\\nu 01.e+\-aé"]{0,14}"#) {
            if let Ok(told) = serde_json::from_str::<Value>(&text) {
                let read = from_str::<Value>(&text).map_err(|_| TestCaseError::fail("not read"))?;
                prop_assert_eq!(read, told);
            }
        }

        #[test]
        fn any_strings_and_numbers_come_back(told in prop::collection::btree_map(".{0,40}", (".{0,90}", any::<i64>(), any::<f64>()), 0..4)) {
            let json = serde_json::to_string(&told).unwrap_or_default();
            let read = from_str::<BTreeMap<String, (String, i64, f64)>>(&json).map_err(|_| TestCaseError::fail("not read"))?;
            prop_assert_eq!(read.keys().collect::<Vec<_>>(), told.keys().collect::<Vec<_>>());
            for ((text, whole, _), (told, number, _)) in read.values().zip(told.values()) {
                prop_assert_eq!((text, whole), (told, number));
            }
        }
    }
}
