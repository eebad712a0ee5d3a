//! The requests, one file each: snapshot, then the feature in a pool, then the answer.
//!
//! What the trait `LanguageServer` has no method for is registered here by name.

use tower_lsp::LspServiceBuilder;

use crate::lsp::Server;

mod testing;

pub(crate) fn register(mut service: LspServiceBuilder<Server>) -> LspServiceBuilder<Server> {
    if testing::is_wanted() {
        service = testing::register(service);
    }
    service
}
