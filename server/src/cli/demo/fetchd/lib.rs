//! Fetches pages and sends what it makes of them on.

pub mod http;
pub mod loader;
pub mod uploader;
