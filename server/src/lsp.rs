//! The protocol's side of the server: what is announced, and which handler takes what.
//!
//! Notification handlers have no `.await`. Request handlers take their snapshot before the first `.await`, give work to
//! the pools, and never wait for the client.

use std::sync::Arc;

use serde_json::{Value, json};
use tower_lsp::jsonrpc::{self, Error};
use tower_lsp::lsp_types::request::{RegisterCapability, WorkspaceConfiguration};
use tower_lsp::lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionParams, CodeActionProviderCapability, CodeActionResponse, CodeLens,
    CodeLensOptions, CodeLensParams, ConfigurationItem, ConfigurationParams, DidChangeConfigurationParams,
    DidChangeTextDocumentParams, DidChangeWorkspaceFoldersParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, DidSaveTextDocumentParams, DocumentLink, DocumentLinkOptions, DocumentLinkParams,
    DocumentSymbolParams, DocumentSymbolResponse, ExecuteCommandOptions, ExecuteCommandParams, FoldingRange,
    FoldingRangeParams, FoldingRangeProviderCapability, GotoDefinitionParams, GotoDefinitionResponse, Hover,
    HoverParams, HoverProviderCapability, InitializeParams, InitializeResult, InitializedParams, InlayHint,
    InlayHintParams, Location, OneOf, ReferenceParams, Registration, RegistrationParams, SemanticTokensFullOptions,
    SemanticTokensOptions, SemanticTokensParams, SemanticTokensRangeParams, SemanticTokensRangeResult,
    SemanticTokensResult, SemanticTokensServerCapabilities, ServerCapabilities, ServerInfo, SymbolInformation,
    TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions, WorkDoneProgressOptions,
    WorkspaceFoldersServerCapabilities, WorkspaceServerCapabilities, WorkspaceSymbolParams,
};
use tower_lsp::{LanguageServer, LspService};

use crate::answers::documents::hash_of;
use crate::log;
use crate::pool::Lane;
use crate::profile::ClientProfile;
use crate::requests;
use crate::requests::target::Target;
use crate::state::State;
use crate::text::{Document, Encoding};
use crate::uri::DocumentKey;

pub(crate) struct Server {
    pub(crate) state: Arc<State>,
}

pub(crate) fn service(state: Arc<State>) -> LspService<Server> {
    // tower-lsp's own handle to the client is not used; see `client`.
    let service = LspService::build(|_| Server { state });
    requests::register(service).finish().0
}

/// The last touch to a result, as JSON: what lsp-types has no fields for.
pub(crate) fn finish_result(
    method: &str,
    result: Result<Value, Error>,
    profile: &ClientProfile,
) -> Result<Value, Error> {
    let mut result = result?;
    if method == "initialize" {
        result["capabilities"]["positionEncoding"] = json!(match profile.encoding {
            Encoding::Utf8 => "utf-8",
            Encoding::Utf16 => "utf-16",
            Encoding::Utf32 => "utf-32",
        });
        result["capabilities"]["workspace"]["textDocumentContent"] = json!({ "schemes": [lens::SCHEME] });
    }
    Ok(result)
}

#[tower_lsp::async_trait]
impl LanguageServer for Server {
    /// The params are bare: `State::initialize` has read the raw ones.
    async fn initialize(&self, _: InitializeParams) -> jsonrpc::Result<InitializeResult> {
        let sync = TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(true.into()),
            ..TextDocumentSyncOptions::default()
        };
        let folders =
            WorkspaceFoldersServerCapabilities { supported: Some(true), change_notifications: Some(OneOf::Left(true)) };
        Ok(InitializeResult {
            capabilities: ServerCapabilities {
                text_document_sync: Some(TextDocumentSyncCapability::Options(sync)),
                code_lens_provider: Some(CodeLensOptions { resolve_provider: Some(true) }),
                hover_provider: Some(HoverProviderCapability::Simple(true)),
                definition_provider: Some(OneOf::Left(true)),
                code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
                    code_action_kinds: Some(vec![CodeActionKind::from(requests::actions::KIND)]),
                    work_done_progress_options: WorkDoneProgressOptions::default(),
                    resolve_provider: None,
                })),
                references_provider: Some(OneOf::Left(true)),
                document_symbol_provider: Some(OneOf::Left(true)),
                workspace_symbol_provider: Some(OneOf::Left(true)),
                folding_range_provider: Some(FoldingRangeProviderCapability::Simple(true)),
                inlay_hint_provider: Some(OneOf::Left(true)),
                semantic_tokens_provider: Some(SemanticTokensServerCapabilities::SemanticTokensOptions(
                    SemanticTokensOptions {
                        legend: requests::outline::legend(),
                        range: Some(true),
                        full: Some(SemanticTokensFullOptions::Bool(true)),
                        work_done_progress_options: WorkDoneProgressOptions::default(),
                    },
                )),
                document_link_provider: Some(DocumentLinkOptions {
                    resolve_provider: Some(true),
                    work_done_progress_options: WorkDoneProgressOptions::default(),
                }),
                execute_command_provider: Some(ExecuteCommandOptions {
                    commands: requests::commands::ALL.map(str::to_owned).into(),
                    work_done_progress_options: WorkDoneProgressOptions::default(),
                }),
                workspace: Some(WorkspaceServerCapabilities {
                    workspace_folders: Some(folders),
                    file_operations: None,
                }),
                ..ServerCapabilities::default()
            },
            server_info: Some(ServerInfo { name: "turnlens".into(), version: Some(env!("CARGO_PKG_VERSION").into()) }),
        })
    }

    async fn initialized(&self, _: InitializedParams) {
        self.state.tell_complaints();
        let profile = self.state.profile();
        if profile.registers_configuration {
            let state = self.state.clone();
            self.state.detach("registering for settings", async move { register_for_settings(&state).await });
        }
        if profile.configuration {
            self.pull_settings();
        }
        crate::news::start(&self.state);
        self.state.follow_logs();
        let door = self.state.door.clone();
        self.state.pools.start_job(Lane::Background, move || door.prune());
    }

    async fn shutdown(&self) -> jsonrpc::Result<()> {
        Ok(())
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        let opened = params.text_document;
        let document = Document::new(opened.uri.as_str(), &opened.language_id, opened.version, &opened.text);
        let key = DocumentKey::from_url(&opened.uri);
        match self.state.target(&opened.uri) {
            Target::Code(target) => self.state.snapshot().engine.workspace.buffers.opened(&target.path, &opened.text),
            Target::Ours(_) => self.state.news.has(key.clone(), hash_of(&opened.text)),
            Target::Other => {}
        }
        self.state.documents.open(key, document);
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        let key = DocumentKey::from_url(&params.text_document.uri);
        let encoding = self.state.profile().encoding;
        let version = params.text_document.version;
        let Some(splices) = self.state.documents.change(&key, version, &params.content_changes, encoding) else {
            return log::info!("a change to a document that is not open was left out");
        };
        if let Target::Code(target) = self.state.target(&params.text_document.uri) {
            let engine = self.state.snapshot().engine;
            for splice in &splices {
                engine.workspace.buffers.changed(&target.path, splice.into());
            }
            self.state.move_rows(&key, version, &splices);
            self.state.typed();
        }
    }

    async fn did_save(&self, params: DidSaveTextDocumentParams) {
        let uri = params.text_document.uri;
        let key = DocumentKey::from_url(&uri);
        if let (Target::Code(target), Some(document)) = (self.state.target(&uri), self.state.documents.get(&key)) {
            let engine = self.state.snapshot().engine;
            engine.workspace.buffers.opened(&target.path, &document.text());
            engine.saved(&key);
            self.state.news.lenses_changed();
        }
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        let uri = params.text_document.uri;
        let key = DocumentKey::from_url(&uri);
        self.state.documents.close(&key);
        self.state.news.closed(&key);
        if let Target::Code(target) = self.state.target(&uri) {
            let engine = self.state.snapshot().engine;
            engine.workspace.buffers.closed(&target.path);
            engine.closed(&key);
        }
    }

    async fn code_lens(&self, params: CodeLensParams) -> jsonrpc::Result<Option<Vec<CodeLens>>> {
        requests::code_lens::lenses(self, params).await
    }

    async fn code_lens_resolve(&self, lens: CodeLens) -> jsonrpc::Result<CodeLens> {
        requests::code_lens::resolve(self, lens).await
    }

    async fn hover(&self, params: HoverParams) -> jsonrpc::Result<Option<Hover>> {
        requests::hover::hover(self, params).await
    }

    async fn goto_definition(&self, params: GotoDefinitionParams) -> jsonrpc::Result<Option<GotoDefinitionResponse>> {
        requests::definition::definition(self, params).await
    }

    async fn code_action(&self, params: CodeActionParams) -> jsonrpc::Result<Option<CodeActionResponse>> {
        requests::actions::actions(self, params).await
    }

    async fn inlay_hint(&self, params: InlayHintParams) -> jsonrpc::Result<Option<Vec<InlayHint>>> {
        requests::inlay::hints(self, params).await
    }

    async fn symbol(&self, params: WorkspaceSymbolParams) -> jsonrpc::Result<Option<Vec<SymbolInformation>>> {
        requests::symbols::symbols(self, params).await
    }

    async fn document_symbol(&self, params: DocumentSymbolParams) -> jsonrpc::Result<Option<DocumentSymbolResponse>> {
        requests::outline::symbols(self, params).await
    }

    async fn folding_range(&self, params: FoldingRangeParams) -> jsonrpc::Result<Option<Vec<FoldingRange>>> {
        requests::outline::folds(self, params).await
    }

    async fn semantic_tokens_full(
        &self,
        params: SemanticTokensParams,
    ) -> jsonrpc::Result<Option<SemanticTokensResult>> {
        requests::outline::tokens(self, params).await
    }

    async fn semantic_tokens_range(
        &self,
        params: SemanticTokensRangeParams,
    ) -> jsonrpc::Result<Option<SemanticTokensRangeResult>> {
        requests::outline::tokens_in_range(self, params).await
    }

    async fn references(&self, params: ReferenceParams) -> jsonrpc::Result<Option<Vec<Location>>> {
        requests::outline::references(self, params).await
    }

    async fn document_link(&self, params: DocumentLinkParams) -> jsonrpc::Result<Option<Vec<DocumentLink>>> {
        requests::links::links(self, params).await
    }

    async fn document_link_resolve(&self, link: DocumentLink) -> jsonrpc::Result<DocumentLink> {
        requests::links::resolve(self, link).await
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> jsonrpc::Result<Option<Value>> {
        requests::commands::execute(self, params).await
    }

    async fn did_change_configuration(&self, params: DidChangeConfigurationParams) {
        // Clients that want to be asked send nothing, `null` or `{}`.
        let told_something = params.settings.as_object().is_some_and(|settings| !settings.is_empty());
        if self.state.profile().configuration && !told_something {
            self.pull_settings();
        } else {
            self.state.configure(&params.settings);
            self.state.tell_complaints();
        }
    }

    async fn did_change_workspace_folders(&self, params: DidChangeWorkspaceFoldersParams) {
        self.state.change_folders(&params.event);
    }
}

impl Server {
    /// Asks for the settings; until the answer comes the ones before stay.
    fn pull_settings(&self) {
        let state = self.state.clone();
        self.state.detach("asking for settings", async move {
            let item = ConfigurationItem { scope_uri: None, section: Some("turnlens".into()) };
            match state.client.ask::<WorkspaceConfiguration>(ConfigurationParams { items: vec![item] }).await {
                Ok(sections) => {
                    let section = sections.into_iter().next().unwrap_or_default();
                    state.configure(&json!({ "turnlens": section }));
                    state.tell_complaints();
                }
                Err(error) => log::info!("the client did not tell its settings: {error}"),
            }
        });
    }
}

async fn register_for_settings(state: &State) {
    let registration = Registration {
        id: "turnlens-settings".into(),
        method: "workspace/didChangeConfiguration".into(),
        register_options: Some(json!({ "section": "turnlens" })),
    };
    let params = RegistrationParams { registrations: vec![registration] };
    if let Err(error) = state.client.ask::<RegisterCapability>(params).await {
        log::info!("the client did not register us for its settings: {error}");
    }
}
