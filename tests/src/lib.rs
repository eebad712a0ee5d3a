//! What the end-to-end tests in `tests/` share.

pub mod conform;
pub mod demo;
pub mod fuzz;
pub mod home;
pub mod lsp;

/// Says that a test was skipped, and why.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub fn skip(why: &str) {
    eprintln!("skipped: {why}");
}
