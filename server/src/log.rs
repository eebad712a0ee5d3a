//! The server's log: one line a message, to stderr or a file, as loud as `TURNLENS_LOG` says.
//!
//! Nothing that stands in an agent's log or in a buffer is ever written here: people paste these lines into issues.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::Context;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Error,
    Warn,
    Info,
    Debug,
}

impl Level {
    /// `RUST_LOG`-like words. An unknown word is as good as `debug`: whoever sets the variable wants to see something.
    fn parse(word: &str) -> Option<Level> {
        match word.to_ascii_lowercase().as_str() {
            "" | "off" => None,
            "error" => Some(Level::Error),
            "warn" => Some(Level::Warn),
            "info" => Some(Level::Info),
            _ => Some(Level::Debug),
        }
    }
}

struct Log {
    level: Level,
    /// `None`: stderr.
    file: Option<Mutex<File>>,
}

static LOG: OnceLock<Log> = OnceLock::new();

/// Starts the log. Called once, before any thread is started; without it nothing is written.
pub(crate) fn start(file: Option<&Path>) -> anyhow::Result<()> {
    let open = |path: &Path| {
        File::options()
            .create(true)
            .append(true)
            .open(path)
            .with_context(|| format!("cannot open the log file {}", path.display()))
    };
    let file = file.map(open).transpose()?.map(Mutex::new);
    let level = match std::env::var("TURNLENS_LOG") {
        Ok(word) => Level::parse(&word),
        // Whoever names a file wants to read something in it.
        Err(_) => Some(if file.is_some() { Level::Info } else { Level::Warn }),
    };
    if let Some(level) = level {
        _ = LOG.set(Log { level, file });
    }
    panic::set_hook(Box::new(write_panic));
    Ok(())
}

pub(crate) fn write(level: Level, message: fmt::Arguments<'_>) {
    let Some(log) = LOG.get().filter(|log| level <= log.level) else { return };
    let line = format!("{} {level:?} {message}\n", jiff::Timestamp::now().strftime("%H:%M:%S%.3fZ"));
    // A log that cannot be written must not end the server: stderr may be closed, the disk full.
    _ = match &log.file {
        Some(file) => file.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes()),
        None => io::stderr().lock().write_all(line.as_bytes()),
    };
}

fn write_panic(info: &PanicHookInfo<'_>) {
    let thread = std::thread::current();
    let payload = info.payload();
    let message = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref().map(String::as_str));
    // Messages of the standard library quote the text they failed on (`byte index 3 is inside 'é' of "…"`).
    let message = message.and_then(|message| message.split(['`', '\'', '"']).next()).unwrap_or_default();
    match info.location() {
        Some(place) => error!("panic in {} at {place}: {message}", thread.name().unwrap_or("a thread")),
        None => error!("panic in {}: {message}", thread.name().unwrap_or("a thread")),
    }
}

macro_rules! error { ($($t:tt)*) => { crate::log::write(crate::log::Level::Error, format_args!($($t)*)) } }
macro_rules! warning { ($($t:tt)*) => { crate::log::write(crate::log::Level::Warn, format_args!($($t)*)) } }
macro_rules! info { ($($t:tt)*) => { crate::log::write(crate::log::Level::Info, format_args!($($t)*)) } }
macro_rules! debug { ($($t:tt)*) => { crate::log::write(crate::log::Level::Debug, format_args!($($t)*)) } }
pub(crate) use {debug, error, info, warning};
