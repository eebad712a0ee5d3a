//! Changes to files as a `WorkspaceEdit`, in the form that the client takes. The server itself writes no file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value, json};
use tower_lsp::lsp_types::request::Request;
use tower_lsp::lsp_types::{Position, Range};
use url::Url;

use super::target::file_uri;
use crate::profile::ClientProfile;
use crate::state::State;
use crate::text::{Document, Encoding};

/// `workspace/applyEdit`, with an edit that lsp-types would read without its annotations.
pub(super) enum ApplyEdit {}

impl Request for ApplyEdit {
    type Params = Value;
    type Result = Value;
    const METHOD: &'static str = "workspace/applyEdit";
}

/// The files that the client has open, as they are now. To be taken before the first `.await`.
#[derive(Clone)]
pub(super) struct OpenFiles(Vec<(PathBuf, Arc<Document>)>);

impl OpenFiles {
    pub(super) fn of(state: &State) -> OpenFiles {
        let all = state.documents.all().into_iter();
        OpenFiles(all.filter_map(|(key, document)| Some((key.file_path()?, document))).collect())
    }

    /// The document that is this file, also where the client reaches it through a link.
    pub(super) fn get(&self, path: &Path) -> Option<&Arc<Document>> {
        let same = |known: &Path| known == path || (known.file_name() == path.file_name() && real(known) == real(path));
        self.0.iter().find(|(known, _)| same(known)).map(|(_, document)| document)
    }
}

fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// A change and the annotation that it carries where the client shows annotations.
struct Annotated<T>(T, &'static str);

enum Change {
    Text { uri: Url, version: Option<i32>, edits: Vec<Annotated<(Range, String)>> },
    Create { uri: Url, text: String },
    Delete { uri: Url },
}

/// A `WorkspaceEdit` in the making.
pub(super) struct Edit<'a> {
    open: &'a OpenFiles,
    encoding: Encoding,
    changes: Vec<Annotated<Change>>,
}

impl<'a> Edit<'a> {
    pub(super) fn new(open: &'a OpenFiles, encoding: Encoding) -> Edit<'a> {
        Edit { open, encoding, changes: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Lines of a file become others, so that its text `now` becomes `then`; and at the beginnings of the lines
    /// `noted` stands an edit that changes nothing, for its annotation's sake.
    pub(super) fn text(
        &mut self,
        path: &Path,
        now: &str,
        then: &str,
        annotation: &'static str,
        noted: &[(u32, &'static str)],
    ) {
        let Some((uri, version)) = self.document(path) else { return };
        let document = Document::new(uri.as_str(), "", 0, now);
        let at = |byte: usize| document.position_of(byte, self.encoding);
        let change = |splice: provenance::TextSplice| {
            let range = Range { start: at(splice.range.start), end: at(splice.range.end) };
            Annotated((range, splice.text), annotation)
        };
        let mut edits: Vec<Annotated<(Range, String)>> =
            provenance::splices(now, then).into_iter().map(change).collect();
        edits.extend(noted.iter().map(|(line, annotation)| {
            let start = start_of(&document, *line);
            Annotated((Range { start, end: start }, String::new()), annotation)
        }));
        if !edits.is_empty() {
            self.changes.push(Annotated(Change::Text { uri, version, edits }, annotation));
        }
    }

    pub(super) fn create(&mut self, path: &Path, text: &str, annotation: &'static str) {
        if let Some(uri) = file_uri(path) {
            self.changes.push(Annotated(Change::Create { uri, text: text.to_owned() }, annotation));
        }
    }

    pub(super) fn delete(&mut self, path: &Path, annotation: &'static str) {
        if let Some((uri, _)) = self.document(path) {
            self.changes.push(Annotated(Change::Delete { uri }, annotation));
        }
    }

    /// A place in this edit where one can stand that changes nothing: the first change.
    pub(super) fn note_first(&mut self, annotation: &'static str) {
        for Annotated(change, _) in &mut self.changes {
            if let Change::Text { edits, .. } = change
                && let Some(Annotated((range, _), _)) = edits.first()
            {
                let start = range.start;
                edits.push(Annotated((Range { start, end: start }, String::new()), annotation));
                return;
            }
        }
    }

    /// The URI by which the client knows a file, with the version that it has open.
    fn document(&self, path: &Path) -> Option<(Url, Option<i32>)> {
        match self.open.get(path) {
            Some(open) => Some((Url::parse(&open.uri).ok()?, Some(open.version))),
            None => Some((file_uri(path)?, None)),
        }
    }

    /// `annotations`: by name, for a client that shows them before it does anything.
    pub(super) fn to_json(&self, profile: &ClientProfile, annotations: Option<&Map<String, Value>>) -> Value {
        let is_plain = |change: &Annotated<Change>| matches!(change.0, Change::Text { .. });
        if !profile.workspace_edit.document_changes && self.changes.iter().all(is_plain) {
            let mut changes = Map::new();
            for Annotated(change, _) in &self.changes {
                if let Change::Text { uri, edits, .. } = change {
                    changes.insert(uri.to_string(), edits.iter().map(|edit| text_edit(edit, false)).collect());
                }
            }
            return json!({ "changes": changes });
        }
        let is_annotated = annotations.is_some();
        let changes: Vec<Value> = self.changes.iter().flat_map(|change| to_json(change, is_annotated)).collect();
        let mut edit = json!({ "documentChanges": changes });
        if let Some(annotations) = annotations {
            edit["changeAnnotations"] = json!(annotations);
        }
        edit
    }
}

/// The beginning of a line as the engine counts.
pub(super) fn start_of(document: &Document, line: u32) -> Position {
    let line = document.lsp_line_of(line as usize);
    Position { line: u32::try_from(line).unwrap_or(u32::MAX), character: 0 }
}

fn to_json(Annotated(change, annotation): &Annotated<Change>, is_annotated: bool) -> Vec<Value> {
    let with_annotation = |mut operation: Value| {
        if is_annotated {
            operation["annotationId"] = json!(annotation);
        }
        operation
    };
    match change {
        Change::Text { uri, version, edits } => {
            let edits: Vec<Value> = edits.iter().map(|edit| text_edit(edit, is_annotated)).collect();
            vec![json!({ "textDocument": { "uri": uri, "version": version }, "edits": edits })]
        }
        Change::Create { uri, text } => {
            let start = Position::default();
            let whole = Annotated((Range { start, end: start }, text.clone()), annotation);
            vec![
                with_annotation(json!({ "kind": "create", "uri": uri, "options": { "ignoreIfExists": true } })),
                json!({
                    "textDocument": { "uri": uri, "version": null },
                    "edits": [text_edit(&whole, is_annotated)],
                }),
            ]
        }
        Change::Delete { uri } => {
            vec![with_annotation(json!({ "kind": "delete", "uri": uri, "options": { "ignoreIfNotExists": true } }))]
        }
    }
}

fn text_edit(Annotated((range, text), annotation): &Annotated<(Range, String)>, is_annotated: bool) -> Value {
    let mut edit = json!({ "range": range, "newText": text });
    if is_annotated {
        edit["annotationId"] = json!(annotation);
    }
    edit
}
