//! Loads pages and takes them apart.

use crate::http::{Body, Client, Error};

/// The page at `url`.
pub fn load(url: &str) -> Result<Body, Error> {
    let client = Client::new();
    let body = client.get(url)?;
    Ok(body)
}

/// The lines of a page that say something.
pub fn lines(body: &Body) -> Vec<String> {
    let text = String::from_utf8_lossy(body);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}
