//! What the end-to-end tests in `tests/` share.

pub mod lsp;
