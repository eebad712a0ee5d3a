//! Mends params that real clients send and lsp-types rejects. A `didChange` that is rejected is worse than any guess:
//! from then on the client and we have different texts.

use serde_json::{Map, Value, json};

pub(crate) fn params(method: &str, params: &mut Option<Value>) {
    // Some clients write `null` where there are none.
    *params = params.take().filter(|params| !params.is_null());
    match method {
        // They have none, and tower-lsp answers -32602 to `null`, `{}` and `[]`.
        "shutdown" => *params = None,
        // Everything about the client is read by `profile`; an odd value must not fail the handshake.
        "initialize" => *params = Some(json!({ "capabilities": {} })),
        "initialized" => *params = Some(json!({})),
        "workspace/didChangeConfiguration" => {
            let settings = params.as_mut().and_then(|params| params.get_mut("settings")).map(Value::take);
            *params = Some(json!({ "settings": settings }));
        }
        "textDocument/didOpen" => {
            if let Some(document) = text_document(params) {
                document.entry("languageId").or_insert_with(|| "".into());
                mend_version(document);
            }
        }
        "textDocument/didChange" => {
            if let Some(document) = text_document(params) {
                mend_version(document);
            }
            let changes = params.as_mut().and_then(|params| params.get_mut("contentChanges"));
            for change in changes.and_then(Value::as_array_mut).into_iter().flatten() {
                mend_change(change);
            }
        }
        _ => {}
    }
    // Positions stand in the params of nearly every request.
    if let Some(params) = params {
        for key in ["position", "range"] {
            if let Some(value) = params.get_mut(key) {
                mend_position(value);
            }
        }
    }
}

fn text_document(params: &mut Option<Value>) -> Option<&mut Map<String, Value>> {
    params.as_mut()?.get_mut("textDocument")?.as_object_mut()
}

/// Old clients leave the version out or send `null`.
fn mend_version(document: &mut Map<String, Value>) {
    let version = document.get("version").and_then(Value::as_i64).and_then(|version| i32::try_from(version).ok());
    document.insert("version".into(), version.unwrap_or_default().into());
}

fn mend_change(change: &mut Value) {
    let Some(change) = change.as_object_mut() else { return };
    // Deprecated, never needed, and wrong in some clients.
    change.remove("rangeLength");
    if let Some(range) = change.get_mut("range") {
        mend_position(range);
    }
}

/// Numbers of a position or range as far as they are none of `u32`: negative, fractional, `Number.MAX_VALUE`.
fn mend_position(value: &mut Value) {
    let Some(object) = value.as_object_mut() else { return };
    for (key, value) in object {
        match (key.as_str(), value) {
            ("start" | "end", value) => mend_position(value),
            ("line" | "character", value @ Value::Number(_)) => {
                // Casting from a float saturates at both ends.
                let whole = value.as_f64().unwrap_or_default() as u32;
                *value = whole.into();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tower_lsp::lsp_types::{DidChangeTextDocumentParams, DidOpenTextDocumentParams, HoverParams};

    fn mended(method: &str, json: Value) -> Value {
        let mut mended = Some(json);
        params(method, &mut mended);
        mended.unwrap_or_default()
    }

    #[test]
    fn changes() {
        let json = mended(
            "textDocument/didChange",
            json!({
                "textDocument": { "uri": "file:///a", "version": null },
                "contentChanges": [
                    { "range": { "start": { "line": -1, "character": 0 }, "end": { "line": 1e300, "character": 2.0 } },
                      "rangeLength": -7, "text": "x" },
                    { "range": null, "text": "y" },
                ],
            }),
        );
        let params: DidChangeTextDocumentParams = serde_json::from_value(json).expect("typed");
        let range = params.content_changes[0].range.expect("a range");
        assert_eq!((range.start.line, range.end.line, range.end.character), (0, u32::MAX, 2));
        assert_eq!(params.content_changes[1].range, None);
        assert_eq!(params.text_document.version, 0);
    }

    #[test]
    fn opened_without_version_and_language() {
        let json = mended("textDocument/didOpen", json!({ "textDocument": { "uri": "file:///a", "text": "x" } }));
        assert!(serde_json::from_value::<DidOpenTextDocumentParams>(json).is_ok());
    }

    #[test]
    fn positions_of_requests() {
        let position = json!({ "line": 4294967296u64, "character": -3 });
        let json =
            mended("textDocument/hover", json!({ "textDocument": { "uri": "file:///a" }, "position": position }));
        let params: HoverParams = serde_json::from_value(json).expect("typed");
        assert_eq!(params.text_document_position_params.position.line, u32::MAX);
    }

    #[test]
    fn no_params() {
        for json in [json!(null), json!({}), json!([]), json!(3)] {
            assert_eq!(mended("shutdown", json.clone()), Value::Null);
            assert_eq!(mended("initialized", json.clone()), json!({}));
            assert_eq!(mended("workspace/didChangeConfiguration", json), json!({ "settings": null }));
        }
    }
}
