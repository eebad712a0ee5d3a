//! What a client can do, resolved once from its raw `initialize`.
//!
//! Read from JSON and not from lsp-types: those know nothing of LSP 3.18 and reject what real clients send, `null` for
//! a capability for one. Anything missing, `null` or of an unexpected shape counts as not offered.

use std::path::PathBuf;

use serde_json::Value;

use crate::text::Encoding;
use crate::uri::DocumentKey;

/// `SymbolKind.Event`.
const EVENT: u64 = 24;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientProfile {
    /// Name and version as the client gives them, for the log and for `doctor`.
    pub(crate) name: String,
    /// The process to outlive us, if the client told.
    pub(crate) process_id: Option<u32>,
    /// Root folders, in the client's order.
    pub(crate) folders: Vec<PathBuf>,
    pub(crate) encoding: Encoding,
    pub(crate) virtual_docs: VirtualDocs,
    /// Ids of commands that the client implements itself.
    pub(crate) commands: Vec<String>,
    pub(crate) hover_links: HoverLinks,
    pub(crate) hover_markdown: bool,
    pub(crate) hierarchical_symbols: bool,
    /// `SymbolKind.Event` may stand in an outline; a client that lists no kinds knows those of LSP 1 alone.
    pub(crate) event_in_outline: bool,
    /// … and among the symbols of the workspace.
    pub(crate) event_in_workspace: bool,
    pub(crate) line_folding_only: bool,
    /// `LocationLink` may answer `textDocument/definition`.
    pub(crate) definition_links: bool,
    pub(crate) code_action_literals: bool,
    pub(crate) apply_edit: bool,
    pub(crate) workspace_edit: WorkspaceEdits,
    pub(crate) show_document: bool,
    pub(crate) work_done_progress: bool,
    /// `workspace/configuration` is answered.
    pub(crate) configuration: bool,
    /// `workspace/didChangeConfiguration` is sent only where it was registered.
    pub(crate) registers_configuration: bool,
    pub(crate) refresh: Refresh,
}

/// Which forms of a `WorkspaceEdit` the client takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WorkspaceEdits {
    pub(crate) document_changes: bool,
    pub(crate) create: bool,
    pub(crate) delete: bool,
    /// Changes that need confirmation are shown to a person first.
    pub(crate) previews: bool,
}

/// Which refresh requests the client takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refresh {
    pub(crate) code_lens: bool,
    pub(crate) inlay_hint: bool,
    pub(crate) folding_range: bool,
    pub(crate) semantic_tokens: bool,
}

/// The door by which a client gets documents that are no files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VirtualDocs {
    /// `workspace/textDocumentContent`.
    Standard,
    /// `turnlens/textDocumentContent`: the same under our name.
    Custom,
    /// Read-only files in a cache folder.
    Files,
}

/// What links in hovers are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HoverLinks {
    Command,
    Uri,
    None,
}

impl ClientProfile {
    /// `params` are those of `initialize`; `null` is a client that offers nothing.
    pub(crate) fn new(params: &Value) -> ClientProfile {
        let at = |pointer: &str| params.pointer(&format!("/capabilities/{pointer}")).unwrap_or(&Value::Null);
        let yes = |pointer: &str| at(pointer) == &Value::Bool(true);
        let lists = |pointer: &str, word: &str| strings(at(pointer)).any(|s| s == word);
        let knows_event =
            |pointer: &str| at(pointer).as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == EVENT));
        let virtual_docs = virtual_docs(option(params, "virtualDocuments"), at("workspace/textDocumentContent"));
        ClientProfile {
            name: client_name(params),
            process_id: params["processId"].as_u64().and_then(|id| u32::try_from(id).ok()),
            folders: folders(params),
            encoding: encoding(at("general/positionEncodings")),
            virtual_docs,
            commands: option(params, "commands").into_iter().flat_map(strings).map(str::to_owned).collect(),
            hover_links: hover_links(option(params, "hoverLinks"), virtual_docs),
            hover_markdown: lists("textDocument/hover/contentFormat", "markdown"),
            hierarchical_symbols: yes("textDocument/documentSymbol/hierarchicalDocumentSymbolSupport"),
            event_in_outline: knows_event("textDocument/documentSymbol/symbolKind/valueSet"),
            event_in_workspace: knows_event("workspace/symbol/symbolKind/valueSet"),
            line_folding_only: yes("textDocument/foldingRange/lineFoldingOnly"),
            definition_links: yes("textDocument/definition/linkSupport"),
            code_action_literals: at("textDocument/codeAction/codeActionLiteralSupport").is_object(),
            apply_edit: yes("workspace/applyEdit"),
            workspace_edit: WorkspaceEdits {
                document_changes: yes("workspace/workspaceEdit/documentChanges"),
                create: lists("workspace/workspaceEdit/resourceOperations", "create"),
                delete: lists("workspace/workspaceEdit/resourceOperations", "delete"),
                // Neovim and kak-lsp take annotations and ask nobody. Whoever groups them on a label *and* tells
                // refactorings from other edits has a place where they are looked at.
                previews: yes("workspace/workspaceEdit/documentChanges")
                    && yes("workspace/workspaceEdit/changeAnnotationSupport/groupsOnLabel")
                    && yes("workspace/workspaceEdit/metadataSupport"),
            },
            show_document: yes("window/showDocument/support"),
            work_done_progress: yes("window/workDoneProgress"),
            configuration: yes("workspace/configuration"),
            registers_configuration: yes("workspace/didChangeConfiguration/dynamicRegistration"),
            refresh: Refresh {
                code_lens: yes("workspace/codeLens/refreshSupport"),
                inlay_hint: yes("workspace/inlayHint/refreshSupport"),
                folding_range: yes("workspace/foldingRange/refreshSupport"),
                semantic_tokens: yes("workspace/semanticTokens/refreshSupport"),
            },
        }
    }

    /// Whether this is a plugin of ours, which takes our own notifications.
    pub(crate) fn knows_us(&self) -> bool {
        !self.commands.is_empty() || self.virtual_docs == VirtualDocs::Custom
    }

    /// Whether lenses and actions may carry this command of the client's.
    pub(crate) fn has_command(&self, id: &str) -> bool {
        self.commands.iter().any(|command| command == id)
    }
}

/// An initialization option, with or without our name around it.
fn option<'a>(params: &'a Value, key: &str) -> Option<&'a Value> {
    let options = params.get("initializationOptions")?;
    let dotted = format!("turnlens.{key}");
    options.pointer(&format!("/turnlens/{key}")).or_else(|| options.get(dotted)).or_else(|| options.get(key))
}

fn client_name(params: &Value) -> String {
    let word = |key: &str| params["clientInfo"][key].as_str().unwrap_or_default();
    format!("{} {}", word("name"), word("version")).trim().to_owned()
}

/// UTF-8 needs no conversion; UTF-16 is what every client can do; UTF-32 only where the client prefers it to UTF-16.
fn encoding(offered: &Value) -> Encoding {
    let offered: Vec<&str> = strings(offered).collect();
    if offered.contains(&"utf-8") {
        Encoding::Utf8
    } else if offered.first() == Some(&"utf-32") {
        Encoding::Utf32
    } else {
        Encoding::Utf16
    }
}

fn virtual_docs(wish: Option<&Value>, standard: &Value) -> VirtualDocs {
    match wish {
        Some(Value::Bool(true)) => VirtualDocs::Custom,
        Some(Value::String(word)) if word == "files" => VirtualDocs::Files,
        _ if standard.is_object() || standard == &Value::Bool(true) => VirtualDocs::Standard,
        _ => VirtualDocs::Files,
    }
}

/// Links with our scheme are dropped by VS Code and handed to the desktop by Neovim, so without a word of the client's
/// only links to files are made.
fn hover_links(wish: Option<&Value>, virtual_docs: VirtualDocs) -> HoverLinks {
    match wish.and_then(Value::as_str) {
        Some("command") => HoverLinks::Command,
        Some("uri") => HoverLinks::Uri,
        None if virtual_docs == VirtualDocs::Files => HoverLinks::Uri,
        _ => HoverLinks::None,
    }
}

/// `workspaceFolders`, else `rootUri`, else `rootPath`.
fn folders(params: &Value) -> Vec<PathBuf> {
    let folders = params["workspaceFolders"].as_array().map(Vec::as_slice).unwrap_or_default();
    let folders: Vec<PathBuf> = folders.iter().filter_map(|folder| folder_path(&folder["uri"])).collect();
    if !folders.is_empty() {
        return folders;
    }
    let root_path = || params["rootPath"].as_str().filter(|path| !path.is_empty()).map(PathBuf::from);
    folder_path(&params["rootUri"]).or_else(root_path).into_iter().collect()
}

pub(crate) fn folder_path(uri: &Value) -> Option<PathBuf> {
    DocumentKey::parse(uri.as_str()?).file_path()
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use serde_json::json;
    use std::path::Path;

    /// One line for what a client is taken for.
    fn summary(profile: &ClientProfile) -> String {
        let can = [
            ("markdown", profile.hover_markdown),
            ("hierarchy", profile.hierarchical_symbols),
            ("events", profile.event_in_outline && profile.event_in_workspace),
            ("line-folds", profile.line_folding_only),
            ("links", profile.definition_links),
            ("literals", profile.code_action_literals),
            ("edit", profile.apply_edit),
            ("preview", profile.workspace_edit.previews),
            ("show", profile.show_document),
            ("progress", profile.work_done_progress),
            ("config", profile.configuration),
            ("config-registered", profile.registers_configuration),
            ("lens-refresh", profile.refresh.code_lens),
            ("inlay-refresh", profile.refresh.inlay_hint),
            ("fold-refresh", profile.refresh.folding_range),
            ("token-refresh", profile.refresh.semantic_tokens),
        ];
        let can: Vec<&str> = can.iter().filter(|(_, can)| *can).map(|(word, _)| *word).collect();
        format!("{:?} {:?} {:?}: {}", profile.encoding, profile.virtual_docs, profile.hover_links, can.join(" "))
    }

    fn check(params: Value, expect: Expect) {
        expect.assert_eq(&summary(&ClientProfile::new(&params)));
    }

    #[test]
    fn nothing_offered() {
        let null_format = json!({ "hover": { "contentFormat": null } });
        for params in [
            Value::Null,
            json!([]),
            json!({ "capabilities": null }),
            json!({ "capabilities": { "textDocument": null, "workspace": null, "general": null } }),
            json!({ "capabilities": { "window": { "showDocument": null }, "textDocument": null_format } }),
            json!({ "capabilities": 3, "initializationOptions": "x", "workspaceFolders": {}, "processId": "x" }),
        ] {
            check(params, expect!["Utf16 Files Uri: "]);
        }
    }

    #[test]
    fn encodings() {
        let encoding = |offered: Value| {
            ClientProfile::new(&json!({ "capabilities": { "general": { "positionEncodings": offered } } })).encoding
        };
        assert_eq!(encoding(json!(["utf-16", "utf-8"])), Encoding::Utf8);
        assert_eq!(encoding(json!(["utf-32", "utf-8", "utf-16"])), Encoding::Utf8);
        assert_eq!(encoding(json!(["utf-32"])), Encoding::Utf32);
        assert_eq!(encoding(json!(["utf-32", "utf-16"])), Encoding::Utf32);
        assert_eq!(encoding(json!(["utf-16", "utf-32"])), Encoding::Utf16);
        assert_eq!(encoding(json!(["utf-7", null])), Encoding::Utf16);
        assert_eq!(encoding(json!([])), Encoding::Utf16);
    }

    #[test]
    fn doors() {
        let with = |options: Value| {
            let capabilities = json!({ "workspace": { "textDocumentContent": {} } });
            ClientProfile::new(&json!({ "capabilities": capabilities, "initializationOptions": options }))
        };
        assert_eq!(with(Value::Null).virtual_docs, VirtualDocs::Standard);
        assert_eq!(with(json!({ "virtualDocuments": "auto" })).virtual_docs, VirtualDocs::Standard);
        assert_eq!(with(json!({ "virtualDocuments": true })).virtual_docs, VirtualDocs::Custom);
        assert_eq!(with(json!({ "virtualDocuments": "files" })).virtual_docs, VirtualDocs::Files);
        assert_eq!(with(json!({ "turnlens": { "virtualDocuments": "files" } })).virtual_docs, VirtualDocs::Files);
        assert_eq!(with(json!({ "turnlens.virtualDocuments": "files" })).virtual_docs, VirtualDocs::Files);
        assert_eq!(with(Value::Null).hover_links, HoverLinks::None);
        assert_eq!(with(json!({ "hoverLinks": "command" })).hover_links, HoverLinks::Command);
        assert_eq!(with(json!({ "virtualDocuments": "files", "hoverLinks": "none" })).hover_links, HoverLinks::None);
        let profile = with(json!({ "commands": ["turnlens.openTurn", 3] }));
        assert!(profile.has_command("turnlens.openTurn") && !profile.has_command("turnlens.openCode"));
    }

    #[cfg(unix)]
    #[test]
    fn root_folders() {
        let folders = |params: Value| ClientProfile::new(&params).folders;
        let two =
            json!([{ "uri": "file:///a%20b", "name": "" }, { "uri": "file:///c" }, { "uri": "vscode-remote:/d" }]);
        assert_eq!(
            folders(json!({ "workspaceFolders": two, "rootUri": "file:///e" })),
            ["/a b", "/c"].map(PathBuf::from)
        );
        assert_eq!(
            folders(json!({ "workspaceFolders": [], "rootUri": "file:///e", "rootPath": "/f" })),
            [Path::new("/e")]
        );
        assert_eq!(folders(json!({ "workspaceFolders": null, "rootUri": null, "rootPath": "/f" })), [Path::new("/f")]);
        assert!(folders(json!({ "rootUri": "", "rootPath": "" })).is_empty());
    }

    /// What each editor said in `initialize`.
    #[test]
    fn real_editors() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/clients");
        let files = std::fs::read_dir(&folder).expect("the folder of clients");
        let mut lines: Vec<String> = files
            .map(|file| file.expect("a file").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .map(|path| {
                let params = serde_json::from_slice(&std::fs::read(&path).expect("readable")).expect("JSON");
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                format!("{name}: {}\n", summary(&ClientProfile::new(&params)))
            })
            .collect();
        lines.sort();
        expect![[r#"
            emacs-28-eglot-1.9: Utf16 Files Uri: hierarchy links literals edit config
            emacs-30-eglot-1.17: Utf8 Files Uri: hierarchy links literals edit show progress config
            emacs-30-lsp-mode-8: Utf16 Files Uri: markdown hierarchy events links literals edit progress config lens-refresh
            helix-25.07: Utf8 Files Uri: markdown events literals edit show progress config
            kak-lsp-22: Utf8 Files Uri: markdown hierarchy events literals edit progress config lens-refresh inlay-refresh token-refresh
            neovim-0.10: Utf16 Standard None: markdown hierarchy events links literals edit show progress config lens-refresh inlay-refresh token-refresh
            neovim-0.11: Utf8 Standard None: markdown hierarchy events line-folds links literals edit show progress config lens-refresh inlay-refresh token-refresh
            neovim-0.12: Utf8 Standard None: markdown hierarchy events line-folds links literals edit show progress config lens-refresh inlay-refresh token-refresh
            vim-ale-3.3: Utf16 Files Uri: literals
            vscode-1.139: Utf16 Standard None: markdown hierarchy events line-folds links literals edit preview show progress config config-registered lens-refresh inlay-refresh fold-refresh token-refresh
            zed-0.160: Utf16 Files Uri: markdown links literals edit progress config config-registered inlay-refresh
        "#]].assert_eq(&lines.concat());
    }
}
