//! The requests, one file each: snapshot, then the feature in a pool, then the answer.
//!
//! What the trait `LanguageServer` has no method for is registered here by name.

use tower_lsp::LspServiceBuilder;

use crate::lsp::Server;

pub(crate) mod code_lens;
pub(crate) mod commands;
mod content;
pub(crate) mod definition;
pub(crate) mod hover;
mod line;
pub(crate) mod links;
pub(crate) mod target;
mod testing;

pub(crate) fn register(service: LspServiceBuilder<Server>) -> LspServiceBuilder<Server> {
    let mut service = service
        .custom_method("workspace/textDocumentContent", Server::content)
        .custom_method("turnlens/textDocumentContent", Server::content)
        .custom_method("turnlens/line", Server::line);
    if testing::is_wanted() {
        service = testing::register(service);
    }
    service
}
