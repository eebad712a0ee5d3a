//! A small HTTP client.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;

pub type Body = Vec<u8>;

/// A request that did not succeed.
#[derive(Debug)]
pub struct Error {
    status: Option<u16>,
}

impl Error {
    pub fn new(status: Option<u16>) -> Error {
        Error { status }
    }

    /// The answer's status. `None`: there was no answer.
    pub fn status(&self) -> Option<u16> {
        self.status
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "the server answered {status}"),
            None => write!(f, "the server did not answer"),
        }
    }
}

impl From<io::Error> for Error {
    fn from(_: io::Error) -> Error {
        Error::new(None)
    }
}

#[derive(Default)]
pub struct Client;

impl Client {
    pub fn new() -> Client {
        Client
    }

    pub fn get(&self, url: &str) -> Result<Body, Error> {
        self.ask("GET", url, &[])
    }

    pub fn put(&self, url: &str, body: Body) -> Result<(), Error> {
        self.ask("PUT", url, &body).map(drop)
    }

    fn ask(&self, method: &str, url: &str, body: &[u8]) -> Result<Body, Error> {
        let (host, path) = url.split_once('/').unwrap_or((url, ""));
        let mut server = TcpStream::connect(host)?;
        let length = body.len();
        write!(
            server,
            "{method} /{path} HTTP/1.0\r\ncontent-length: {length}\r\n\r\n"
        )?;
        server.write_all(body)?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer)?;
        let text = String::from_utf8_lossy(&answer);
        let status = text
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        match status {
            Some(200..=299) => Ok(answer),
            status => Err(Error::new(status)),
        }
    }
}
