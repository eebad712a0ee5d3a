//! JSON-RPC messages, read from bodies as tolerantly as can be.

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value};
use tower_lsp::jsonrpc::{Error, ErrorCode};

/// What a client sent.
#[derive(Debug)]
pub(crate) enum Incoming {
    Request {
        id: RequestId,
        method: String,
        params: Option<Value>,
    },
    Notification {
        method: String,
        params: Option<Value>,
    },
    /// An answer to a request of ours.
    Reply {
        id: Value,
        answer: Result<Value, Error>,
    },
    /// No message. `id` is `null` where none could be read.
    Bad {
        id: RequestId,
        error: Error,
    },
}

/// A request's id as JSON text, so that it goes back exactly as it came: `7`, `"7"` and `7.0` are three ids.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RequestId(Box<str>);

impl RequestId {
    pub(crate) fn null() -> RequestId {
        RequestId("null".into())
    }

    /// `None` for what is neither number nor string.
    pub(crate) fn from_json(id: &Value) -> Option<RequestId> {
        matches!(id, Value::Number(_) | Value::String(_)).then(|| RequestId(id.to_string().into()))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Incoming {
    pub(crate) fn bad(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Incoming {
        Incoming::Bad { id: RequestId::null(), error: error(code, message) }
    }

    pub(crate) fn parse(body: &[u8]) -> Incoming {
        let Ok(text) = std::str::from_utf8(body) else {
            return Incoming::bad(ErrorCode::ParseError, "The message is not UTF-8.");
        };
        match parse_json(text) {
            Ok(Value::Object(message)) => Incoming::from_object(message),
            Ok(Value::Array(_)) => Incoming::bad(ErrorCode::InvalidRequest, "Batches are not part of LSP."),
            Ok(_) => Incoming::bad(ErrorCode::InvalidRequest, "A message is a JSON object."),
            // The error's own words tell a place, never content.
            Err(error) => Incoming::bad(ErrorCode::ParseError, format!("The message is not JSON: {error}.")),
        }
    }

    fn from_object(mut message: Map<String, Value>) -> Incoming {
        let id = message.remove("id");
        match (message.remove("method"), id) {
            (Some(Value::String(method)), None) => Incoming::Notification { method, params: message.remove("params") },
            (Some(Value::String(method)), Some(id)) => match RequestId::from_json(&id) {
                Some(id) => Incoming::Request { id, method, params: message.remove("params") },
                None => Incoming::bad(ErrorCode::InvalidRequest, "A request's id is a number or a string."),
            },
            (Some(_), id) => Incoming::no_message(id, "A method is a string."),
            (None, Some(id)) if message.contains_key("error") => {
                let error = message.remove("error").and_then(|error| serde_json::from_value(error).ok());
                let unknown = || Error::new(ErrorCode::InternalError);
                // Some clients send `"error": null` beside the result.
                match message.remove("result") {
                    Some(result) if error.is_none() => Incoming::Reply { id, answer: Ok(result) },
                    _ => Incoming::Reply { id, answer: Err(error.unwrap_or_else(unknown)) },
                }
            }
            (None, Some(id)) => match message.remove("result") {
                Some(result) => Incoming::Reply { id, answer: Ok(result) },
                None => Incoming::no_message(Some(id), "The message has no method, result or error."),
            },
            (None, None) => Incoming::no_message(None, "The message has no method, result or error."),
        }
    }

    fn no_message(id: Option<Value>, why: &'static str) -> Incoming {
        let id = id.as_ref().and_then(RequestId::from_json).unwrap_or_else(RequestId::null);
        Incoming::Bad { id, error: error(ErrorCode::InvalidRequest, why) }
    }
}

pub(crate) fn error(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Error {
    Error { code, message: message.into(), data: None }
}

/// A reply as it goes over the wire.
pub(crate) fn reply(id: &RequestId, answer: &Result<Value, Error>) -> Vec<u8> {
    let (key, body) = match answer {
        Ok(result) => ("result", result.to_string()),
        Err(error) => ("error", serde_json::to_string(error).unwrap_or_else(|_| "{\"code\":-32603}".into())),
    };
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"{key}\":{body}}}").into_bytes()
}

fn parse_json(text: &str) -> serde_json::Result<Value> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).or_else(|error| match mend_lone_surrogates(text) {
        Some(mended) => serde_json::from_str(&mended),
        None => Err(error),
    })
}

/// JavaScript clients can send half of a surrogate pair as `\ud83d`, which is no Unicode text. U+FFFD stands in for it:
/// one UTF-16 unit as well, so later positions hold. `None` if there is nothing to mend.
fn mend_lone_surrogates(text: &str) -> Option<String> {
    let mut mended = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('\\')) {
        at += found;
        let unit = |at: usize| {
            let escape = text.get(at..at + 6)?.strip_prefix("\\u")?;
            u16::from_str_radix(escape, 16).ok()
        };
        match unit(at) {
            Some(0xd800..=0xdbff) if matches!(unit(at + 6), Some(0xdc00..=0xdfff)) => at += 12,
            Some(0xd800..=0xdfff) => {
                mended.push_str(&text[copied..at]);
                mended.push_str("\\ufffd");
                at += 6;
                copied = at;
            }
            // Any other escape: the backslash and what it escapes, which may be a backslash.
            _ => at += 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
        }
    }
    (copied > 0).then(|| mended + &text[copied..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(body: &[u8], expect: Expect) {
        expect.assert_eq(&match Incoming::parse(body) {
            Incoming::Request { id, method, params } => format!("request {id} {method} {params:?}"),
            Incoming::Notification { method, params } => format!("notification {method} {params:?}"),
            Incoming::Reply { id, answer } => format!("reply {id} {answer:?}"),
            Incoming::Bad { id, error } => format!("bad {id} {} {}", error.code, error.message),
        });
    }

    #[test]
    fn messages() {
        check(br#"{"jsonrpc":"2.0","id":7,"method":"a"}"#, expect!["request 7 a None"]);
        check(
            "\u{feff}{\"id\":\"7\",\"method\":\"a\",\"params\":null}".as_bytes(),
            expect![[r#"request "7" a Some(Null)"#]],
        );
        check(br#"{"jsonrpc":"2.0","method":"a","params":[1]}"#, expect!["notification a Some(Array [Number(1)])"]);
        check(br#"{"id":1,"result":null}"#, expect!["reply 1 Ok(Null)"]);
        check(br#"{"id":1,"result":2,"error":null}"#, expect!["reply 1 Ok(Number(2))"]);
        check(
            br#"{"id":1,"error":{"code":-32601,"message":"no"}}"#,
            expect![[r#"reply 1 Err(Error { code: MethodNotFound, message: "no", data: None })"#]],
        );
        check(
            br#"{"id":1,"error":"strange"}"#,
            expect![[r#"reply 1 Err(Error { code: InternalError, message: "Internal error", data: None })"#]],
        );
    }

    #[test]
    fn no_messages() {
        check(b"", expect!["bad null -32700 The message is not JSON: EOF while parsing a value at line 1 column 0."]);
        check(
            b"{\"a\":",
            expect!["bad null -32700 The message is not JSON: EOF while parsing a value at line 1 column 5."],
        );
        check(b"{\"a\":\"\xff\"}", expect!["bad null -32700 The message is not UTF-8."]);
        check(b"[]", expect!["bad null -32600 Batches are not part of LSP."]);
        check(b"3", expect!["bad null -32600 A message is a JSON object."]);
        check(b"{}", expect!["bad null -32600 The message has no method, result or error."]);
        check(br#"{"id":4}"#, expect!["bad 4 -32600 The message has no method, result or error."]);
        check(br#"{"id":4,"method":5}"#, expect!["bad 4 -32600 A method is a string."]);
        check(br#"{"id":null,"method":"a"}"#, expect!["bad null -32600 A request's id is a number or a string."]);
        check(
            "[".repeat(100_000).as_bytes(),
            expect!["bad null -32700 The message is not JSON: recursion limit exceeded at line 1 column 128."],
        );
    }

    #[test]
    fn half_a_surrogate_pair() {
        let mend = |text| mend_lone_surrogates(text).unwrap_or_else(|| "nothing to mend".into());
        expect![[r#""a\ufffdb""#]].assert_eq(&mend(r#""a\ud83db""#));
        expect![[r#""\ufffd\ud83d\ude00\ufffd""#]].assert_eq(&mend(r#""\ud83d\ud83d\ude00\ude00""#));
        expect!["nothing to mend"].assert_eq(&mend(r#""\\ud83d \u00e9 \ud83d\ude00 é""#));
        expect!["nothing to mend"].assert_eq(&mend(r#""\"#));
        check(
            br#"{"method":"a","params":{"text":"x\ud83dy"}}"#,
            expect![[r#"notification a Some(Object {"text": String("x�y")})"#]],
        );
    }
}
