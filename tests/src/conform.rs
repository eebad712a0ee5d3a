//! Whether what the server says is LSP, and something that this client offered to take.
//!
//! Shapes are those of `gen-lsp-types`, which is generated from the protocol's metamodel (3.18): a message has to be
//! readable as its type, and the type written again has to be the message, so that a field too much shows as well as
//! one too few.

use std::fmt::Write as _;

use gen_lsp_types::{Notification, Request};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The rules of one session; before `initialize` nothing is offered.
#[derive(Default)]
pub struct Conformance {
    capabilities: Value,
    /// A plugin of ours, which takes our own notifications.
    knows_us: bool,
}

impl Conformance {
    /// The rules for whoever sent these params of `initialize`.
    pub fn new(params: &Value) -> Conformance {
        let options = &params["initializationOptions"];
        let options = options.get("turnlens").unwrap_or(options);
        let knows_us =
            options["virtualDocuments"] == true || options["commands"].as_array().is_some_and(|c| !c.is_empty());
        Conformance { capabilities: params["capabilities"].clone(), knows_us }
    }

    fn at(&self, pointer: &str) -> &Value {
        self.capabilities.pointer(pointer).unwrap_or(&Value::Null)
    }

    fn offers(&self, pointer: &str) -> bool {
        self.at(pointer) == &Value::Bool(true)
    }

    fn lists(&self, pointer: &str, value: &Value) -> bool {
        self.at(pointer).as_array().is_some_and(|list| list.contains(value))
    }

    /// What is wrong with a request or notification of the server's.
    pub fn message(&self, message: &Value) -> Option<String> {
        let method = message["method"].as_str().unwrap_or_default();
        let shape = match message.get("id") {
            Some(id) if !(id.is_i64() || id.is_string()) => Some(format!("no id of a request: {id}")),
            Some(_) => request_params(method, &message["params"]),
            None => notification_params(method, &message["params"]),
        };
        let mut keys = message.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
        let unknown = keys.find(|key| !["jsonrpc", "id", "method", "params"].contains(key));
        let unknown = unknown.map(|key| format!("{key} is no part of a message"));
        let refused = (!self.takes(method)).then(|| format!("{method} was not offered"));
        shape.or(unknown).or(refused).or_else(|| match method {
            "workspace/applyEdit" => self.edit(&message["params"]["edit"]),
            _ => None,
        })
    }

    /// Whether this client takes a request or notification of the server's.
    fn takes(&self, method: &str) -> bool {
        match method {
            "window/showMessage" | "window/logMessage" | "window/showMessageRequest" => true,
            "window/showDocument" => self.offers("/window/showDocument/support"),
            "window/workDoneProgress/create" | "$/progress" => self.offers("/window/workDoneProgress"),
            "workspace/applyEdit" => self.offers("/workspace/applyEdit"),
            "workspace/configuration" => self.offers("/workspace/configuration"),
            "client/registerCapability" => self.offers("/workspace/didChangeConfiguration/dynamicRegistration"),
            "workspace/codeLens/refresh" => self.offers("/workspace/codeLens/refreshSupport"),
            "workspace/inlayHint/refresh" => self.offers("/workspace/inlayHint/refreshSupport"),
            "workspace/semanticTokens/refresh" => self.offers("/workspace/semanticTokens/refreshSupport"),
            "workspace/foldingRange/refresh" => self.offers("/workspace/foldingRange/refreshSupport"),
            "workspace/textDocumentContent/refresh" => !self.at("/workspace/textDocumentContent").is_null(),
            _ => self.knows_us && method.starts_with("turnlens/"),
        }
    }

    /// What is wrong with the result of a request.
    pub fn result(&self, method: &str, result: &Value) -> Option<String> {
        result_shape(method, result).or_else(|| {
            let told = match method {
                "initialize" => self.encoding(&result["capabilities"]["positionEncoding"]),
                "textDocument/hover" => self.hover(result),
                "textDocument/documentSymbol" => self.document_symbols(result),
                "workspace/symbol" => self.kinds(result, "/workspace/symbol/symbolKind/valueSet"),
                "textDocument/definition" => self.links(result),
                "textDocument/foldingRange" => self.folds(result),
                "textDocument/codeAction" => self.actions(result),
                "textDocument/documentLink" => self.tooltips(result),
                _ => None,
            };
            told.map(|told| format!("{told} to {method}, which this client did not offer to take: {result}"))
        })
    }

    fn encoding(&self, chosen: &Value) -> Option<String> {
        let fits = chosen == "utf-16" || self.lists("/general/positionEncodings", chosen);
        (!fits).then(|| format!("{chosen} as encoding"))
    }

    fn hover(&self, hover: &Value) -> Option<String> {
        let kind = hover.get("contents")?.get("kind")?;
        let fits = kind == "plaintext" || self.lists("/textDocument/hover/contentFormat", kind);
        (!fits).then(|| format!("{kind} as answer"))
    }

    fn document_symbols(&self, symbols: &Value) -> Option<String> {
        let is_tree = symbols.as_array()?.iter().any(|symbol| symbol.get("selectionRange").is_some());
        if is_tree && !self.offers("/textDocument/documentSymbol/hierarchicalDocumentSymbolSupport") {
            return Some("a tree as answer".into());
        }
        self.kinds(symbols, "/textDocument/documentSymbol/symbolKind/valueSet")
    }

    /// Without a list of kinds a client knows those of the first version, 1 to 18.
    fn kinds(&self, symbols: &Value, known: &str) -> Option<String> {
        symbols.as_array()?.iter().find_map(|symbol| {
            let kind = &symbol["kind"];
            let fits = match self.at(known) {
                Value::Null => kind.as_i64().is_some_and(|kind| kind <= 18),
                _ => self.lists(known, kind),
            };
            let below = || self.kinds(symbol.get("children")?, known);
            if fits { below() } else { Some(format!("a symbol of the kind {kind}")) }
        })
    }

    fn links(&self, places: &Value) -> Option<String> {
        let is_link = places.as_array()?.iter().any(|place| place.get("targetUri").is_some());
        (is_link && !self.offers("/textDocument/definition/linkSupport")).then(|| "a LocationLink".into())
    }

    fn folds(&self, folds: &Value) -> Option<String> {
        const FOLDING: &str = "/textDocument/foldingRange";
        folds.as_array()?.iter().find_map(|fold| {
            let has_columns = fold.get("startCharacter").is_some() || fold.get("endCharacter").is_some();
            if has_columns && self.offers(&format!("{FOLDING}/lineFoldingOnly")) {
                return Some("columns of a fold".into());
            }
            let has_text = fold.get("collapsedText").is_some();
            (has_text && !self.offers(&format!("{FOLDING}/foldingRange/collapsedText"))).then(|| "a fold's text".into())
        })
    }

    fn actions(&self, actions: &Value) -> Option<String> {
        const ACTION: &str = "/textDocument/codeAction";
        // A command has a string for a command, an action an object or none.
        let mut literals = actions.as_array()?.iter().filter(|action| !action["command"].is_string());
        literals.find_map(|action| {
            if !self.at(&format!("{ACTION}/codeActionLiteralSupport")).is_object() {
                return Some("an action that is no command".into());
            }
            let optional =
                [("disabled", "disabledSupport"), ("isPreferred", "isPreferredSupport"), ("data", "dataSupport")];
            let unwanted = optional
                .iter()
                .find(|(key, support)| action.get(key).is_some() && !self.offers(&format!("{ACTION}/{support}")));
            unwanted.map(|(key, _)| format!("{key} of an action")).or_else(|| self.edit(action.get("edit")?))
        })
    }

    fn tooltips(&self, links: &Value) -> Option<String> {
        let has = links.as_array()?.iter().any(|link| link.get("tooltip").is_some());
        (has && !self.offers("/textDocument/documentLink/tooltipSupport")).then(|| "a link's tooltip".into())
    }

    fn edit(&self, edit: &Value) -> Option<String> {
        const EDIT: &str = "/workspace/workspaceEdit";
        let changes = edit.get("documentChanges").and_then(Value::as_array);
        // Who takes operations on files takes the list that they stand in.
        let takes_list = self.offers(&format!("{EDIT}/documentChanges"))
            || self.at(&format!("{EDIT}/resourceOperations")).is_array();
        if changes.is_some() && !takes_list {
            return Some("documentChanges in an edit".into());
        }
        let operations = changes.into_iter().flatten().filter_map(|change| change.get("kind"));
        let mut unwanted = operations.filter(|kind| !self.lists(&format!("{EDIT}/resourceOperations"), kind));
        if let Some(kind) = unwanted.next() {
            return Some(format!("{kind} in an edit"));
        }
        let annotated = edit.get("changeAnnotations").is_some();
        (annotated && self.at(&format!("{EDIT}/changeAnnotationSupport")).is_null())
            .then(|| "annotations in an edit".into())
    }
}

/// Reads and writes `value` as a `T`: the two have to be equal.
fn shape<T: DeserializeOwned + Serialize>(what: &str, value: &Value) -> Option<String> {
    let typed: T = match serde_json::from_value(value.clone()) {
        Ok(typed) => typed,
        Err(error) => return Some(format!("{what}: {error}: {value}")),
    };
    let again = serde_json::to_value(&typed).expect("JSON");
    (again != *value).then(|| {
        let mut told = format!("{what} is not what its type says\n");
        differences("", value, &again, &mut told);
        told
    })
}

fn differences(at: &str, sent: &Value, typed: &Value, told: &mut String) {
    match (sent, typed) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            for key in keys {
                differences(
                    &format!("{at}/{key}"),
                    a.get(key).unwrap_or(&Value::Null),
                    b.get(key).unwrap_or(&Value::Null),
                    told,
                );
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().for_each(|(n, (a, b))| differences(&format!("{at}/{n}"), a, b, told));
        }
        _ if sent == typed => {}
        _ => _ = writeln!(told, "  {at}: sent {sent}, typed {typed}"),
    }
}

fn params_of<R: Request>(value: &Value) -> Option<String> {
    shape::<R::Params>(&format!("params of {:?}", R::METHOD), value)
}

fn result_of<R: Request>(value: &Value) -> Option<String> {
    shape::<R::Result>(&format!("the result of {:?}", R::METHOD), value)
}

fn told_by<N: Notification>(value: &Value) -> Option<String> {
    shape::<N::Params>(&format!("params of {:?}", N::METHOD), value)
}

/// The server's requests.
fn request_params(method: &str, params: &Value) -> Option<String> {
    use gen_lsp_types as lsp;
    match method {
        "client/registerCapability" => params_of::<lsp::RegistrationRequest>(params),
        "window/showDocument" => params_of::<lsp::ShowDocumentRequest>(params),
        "window/showMessageRequest" => params_of::<lsp::ShowMessageRequest>(params),
        "window/workDoneProgress/create" => params_of::<lsp::WorkDoneProgressCreateRequest>(params),
        "workspace/applyEdit" => params_of::<lsp::ApplyWorkspaceEditRequest>(&without_annotations(params)),
        "workspace/configuration" => params_of::<lsp::ConfigurationRequest>(params),
        "workspace/textDocumentContent/refresh" => params_of::<lsp::TextDocumentContentRefreshRequest>(params),
        "workspace/codeLens/refresh"
        | "workspace/foldingRange/refresh"
        | "workspace/inlayHint/refresh"
        | "workspace/semanticTokens/refresh" => (!params.is_null()).then(|| format!("{method} has no params")),
        _ => Some(format!("{method} is no request of a server in LSP")),
    }
}

/// The server's notifications.
fn notification_params(method: &str, params: &Value) -> Option<String> {
    use gen_lsp_types as lsp;
    match method {
        "window/logMessage" => told_by::<lsp::LogMessageNotification>(params),
        "window/showMessage" => told_by::<lsp::ShowMessageNotification>(params),
        "$/progress" => told_by::<lsp::ProgressNotification>(params).or_else(|| progress(&params["value"])),
        // Our own are described in `editors/PROTOCOL.md`.
        _ if method.starts_with("turnlens/") => None,
        _ => Some(format!("{method} is no notification of a server in LSP")),
    }
}

/// An edit whose parts carry no annotations: the type reads an annotated part as one without, which comes first.
fn without_annotations(params: &Value) -> Value {
    let mut params = params.clone();
    let changes = params["edit"].get_mut("documentChanges").and_then(Value::as_array_mut);
    for change in changes.into_iter().flatten() {
        for edit in change.get_mut("edits").and_then(Value::as_array_mut).into_iter().flatten() {
            if edit.as_object_mut().and_then(|edit| edit.remove("annotationId")).is_some_and(|id| !id.is_string()) {
                return Value::Null;
            }
        }
    }
    params
}

fn progress(value: &Value) -> Option<String> {
    use gen_lsp_types as lsp;
    match value["kind"].as_str() {
        Some("begin") => shape::<lsp::WorkDoneProgressBegin>("the beginning of progress", value),
        Some("report") => shape::<lsp::WorkDoneProgressReport>("progress", value),
        Some("end") => shape::<lsp::WorkDoneProgressEnd>("the end of progress", value),
        _ => Some(format!("no progress: {value}")),
    }
}

/// Answers to the client's requests. Our own methods have no shape in LSP.
fn result_shape(method: &str, result: &Value) -> Option<String> {
    use gen_lsp_types as lsp;
    match method {
        "initialize" => result_of::<lsp::InitializeRequest>(result),
        "shutdown" => (!result.is_null()).then(|| format!("the result of shutdown is {result}")),
        "codeLens/resolve" => result_of::<lsp::CodeLensResolveRequest>(result),
        "documentLink/resolve" => result_of::<lsp::DocumentLinkResolveRequest>(result),
        "textDocument/codeAction" => result_of::<lsp::CodeActionRequest>(result),
        "textDocument/codeLens" => result_of::<lsp::CodeLensRequest>(result),
        "textDocument/definition" => result_of::<lsp::DefinitionRequest>(result),
        "textDocument/documentLink" => result_of::<lsp::DocumentLinkRequest>(result),
        "textDocument/documentSymbol" => result_of::<lsp::DocumentSymbolRequest>(result),
        "textDocument/foldingRange" => result_of::<lsp::FoldingRangeRequest>(result),
        "textDocument/hover" => result_of::<lsp::HoverRequest>(result),
        "textDocument/inlayHint" => result_of::<lsp::InlayHintRequest>(result),
        "textDocument/references" => result_of::<lsp::ReferencesRequest>(result),
        "textDocument/semanticTokens/full" => result_of::<lsp::SemanticTokensRequest>(result),
        "textDocument/semanticTokens/range" => result_of::<lsp::SemanticTokensRangeRequest>(result),
        "workspace/executeCommand" => result_of::<lsp::ExecuteCommandRequest>(result),
        "workspace/symbol" => result_of::<lsp::WorkspaceSymbolRequest>(result),
        "workspace/textDocumentContent" => result_of::<lsp::TextDocumentContentRequest>(result),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn shapes() {
        let range = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 0, "character": 1 } });
        assert_eq!(result_shape("textDocument/codeLens", &json!([{ "range": range }])), None);
        assert_eq!(result_shape("textDocument/codeLens", &Value::Null), None);
        for wrong in [
            json!([{ "range": range, "title": "x" }]),
            json!([{}]),
            json!("x"),
            json!([{ "range": range, "command": null }]),
        ] {
            assert!(result_shape("textDocument/codeLens", &wrong).is_some(), "{wrong}");
        }
        assert_eq!(notification_params("window/showMessage", &json!({ "type": 2, "message": "x" })), None);
        assert!(notification_params("window/showMessage", &json!({ "type": 2 })).is_some());
        assert!(request_params("workspace/no/refresh", &Value::Null).is_some());
    }

    #[test]
    fn what_a_client_takes() {
        let bare = Conformance::default();
        let hover = json!({ "contents": { "kind": "markdown", "value": "x" } });
        assert!(bare.result("textDocument/hover", &hover).is_some());
        let refresh = json!({ "jsonrpc": "2.0", "id": 1, "method": "workspace/codeLens/refresh" });
        assert!(bare.message(&refresh).is_some());
        let able = Conformance::new(&json!({ "capabilities": {
            "workspace": { "codeLens": { "refreshSupport": true } },
            "textDocument": { "hover": { "contentFormat": ["markdown"] } },
        } }));
        assert_eq!((able.result("textDocument/hover", &hover), able.message(&refresh)), (None, None));
        let live = json!({ "jsonrpc": "2.0", "method": "turnlens/liveChanged", "params": {} });
        assert!(able.message(&live).is_some());
        let ours = Conformance::new(&json!({ "initializationOptions": { "commands": ["x"] } }));
        assert_eq!(ours.message(&live), None);
        let create = json!({ "documentChanges": [{ "kind": "create", "uri": "file:///a" }] });
        assert!(able.edit(&create).is_some());
    }
}
