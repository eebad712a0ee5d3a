//! What goes to the terminal.

use std::fmt;
use std::io::{self, Write};

/// Says on stderr why a command failed. A stderr that is closed is nobody's problem.
pub(crate) fn complain(message: fmt::Arguments<'_>) {
    _ = writeln!(io::stderr().lock(), "turnlens: {message}");
}

/// Prints one JSON value. A reader that has left ends the command quietly.
pub(crate) fn json(value: &serde_json::Value) {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let _ = serde_json::to_writer(&mut out, value)
        .map_err(io::Error::from)
        .and_then(|()| writeln!(out))
        .and_then(|()| out.flush());
}
