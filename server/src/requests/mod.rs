//! The requests, one file each: snapshot, then the feature in a pool, then the answer.
//!
//! What the trait `LanguageServer` has no method for is registered here by name.

use tower_lsp::LspServiceBuilder;

use crate::lsp::Server;

pub(crate) mod actions;
mod changes;
pub(crate) mod code_lens;
pub(crate) mod commands;
mod content;
pub(crate) mod definition;
mod doctor;
mod edit;
mod history;
pub(crate) mod hover;
pub(crate) mod inlay;
mod line;
mod lines;
pub(crate) mod links;
pub(crate) mod outline;
mod restore;
mod sessions;
pub(crate) mod symbols;
pub(crate) mod target;
mod testing;
mod undo;

pub(crate) fn register(service: LspServiceBuilder<Server>) -> LspServiceBuilder<Server> {
    let mut service = service
        .custom_method("workspace/textDocumentContent", Server::content)
        .custom_method("turnlens/textDocumentContent", Server::content)
        .custom_method("turnlens/line", Server::line)
        .custom_method("turnlens/lines", Server::lines)
        .custom_method("turnlens/next", Server::next)
        .custom_method("turnlens/turnChanges", Server::turn_changes)
        .custom_method("turnlens/stepDiff", Server::step_diff)
        .custom_method("turnlens/peek", Server::peek)
        .custom_method("turnlens/history", Server::history)
        .custom_method("turnlens/fileHistory", Server::file_history)
        .custom_method("turnlens/explain", Server::explain)
        .custom_method("turnlens/sessions", Server::sessions)
        .custom_method("turnlens/undo", Server::undo)
        .custom_method("turnlens/deletedFiles", Server::deleted_files)
        .custom_method("turnlens/status", Server::status)
        .custom_method("turnlens/search", Server::search)
        .custom_method("turnlens/copy", Server::copy)
        .custom_method("turnlens/doctor", Server::doctor);
    if testing::is_wanted() {
        service = testing::register(service);
    }
    service
}
