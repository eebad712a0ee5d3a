//! What the end-to-end tests in `tests/` share.

pub mod demo;
pub mod lsp;
