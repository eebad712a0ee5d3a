//! Sends what was made of a page on.

use crate::http::{Body, Client, Error};

/// Puts `body` at `url`.
pub fn send(url: &str, body: Body) -> Result<(), Error> {
    let client = Client::new();
    client.put(url, body)?;
    Ok(())
}
