//! Sends what was made of a page on.

use crate::http::{Body, Client, Error};
use crate::retry::retry;
use std::time::Duration;

/// Puts `body` at `url`.
pub fn send(url: &str, body: Body) -> Result<(), Error> {
    let client = Client::new();
    retry(3, Duration::from_millis(200), || {
        client.put(url, body.clone())
    })?;
    Ok(())
}
