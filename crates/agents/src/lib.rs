//! Finds the logs of coding agents, reads them from a cursor on, and reads a body at its place.
//!
//! One module an agent, each a [`Reader`]; [`jsonl`] has what logs of JSON lines share. A reader keeps no log in
//! memory and fails on no record: what it does not understand it counts ([`Scan::broken`]) or tells
//! ([`trace::What::Unknown`]).

mod claude;
mod codex;
mod commands;
mod env;
mod files;
mod gemini;
mod ids;
mod json;
mod jsonl;
mod names;
mod paths;
mod recent;
mod records;
#[cfg(test)]
mod show;
mod unified;
mod words;

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use trace::{Agent, Content, Entry, Place};

pub use env::Env;
pub use files::Trouble;
pub use jsonl::{Cursor, Identity, Memory, Scan};
pub use records::Records;

/// A log that lies on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub agent: Agent,
    pub path: PathBuf,
    /// Bytes.
    pub len: u64,
    /// For noticing changes only: copying and syncing set it anew.
    pub modified: Option<SystemTime>,
    /// See [`file_key`].
    pub file: (u64, u64),
}

/// Takes entries in the order of their log. A long log is read on several threads, which call it in turns.
pub type Sink<'a> = dyn FnMut(Entry) + Send + 'a;

/// What is known of one agent's logs.
pub trait Reader: Send + Sync {
    fn agent(&self) -> Agent;

    /// The folders where this agent's logs are looked for, existing or not.
    fn roots(&self, env: &Env) -> Vec<PathBuf>;

    /// Hands out every log below `root`, and every folder or file that could not be read. Links are not followed.
    fn walk(&self, root: &Path, found: &mut dyn FnMut(Found), trouble: &mut dyn FnMut(Trouble));

    /// [`Reader::walk`] for callers to whom what is unreadable is as good as absent.
    fn discover(&self, root: &Path, found: &mut dyn FnMut(Found)) {
        self.walk(root, found, &mut |_| {});
    }

    /// Whether `path` is what [`Reader::walk`] would hand out. A file that does not exist (any more) is judged by its
    /// name.
    fn is_log(&self, root: &Path, path: &Path) -> bool;

    /// Whether the place of a log says that its session began in this folder. Nothing is opened for it, so where the
    /// place says nothing the answer is no.
    fn is_of_folder(&self, path: &Path, folder: &Path) -> bool {
        let _ = (path, folder);
        false
    }

    /// Hands out the entries of the records behind `from`, in the order of the log.
    ///
    /// Fails only where the file cannot be opened or read; the error names it.
    fn scan(&self, path: &Path, from: &Cursor, sink: &mut Sink<'_>) -> io::Result<Scan>;

    /// [`Reader::scan`] that stops at the end of a line soon after `limit` bytes behind `from`, so that the beginning
    /// of a long log is there at once. [`Scan::more`] says whether it did; another scan from the new cursor
    /// goes on there, and reads nothing again but [`Cursor::PROOF`] and the half of a line.
    ///
    /// A log that is written anew as a whole is read as a whole, whatever the limit.
    fn scan_part(&self, path: &Path, from: &Cursor, limit: u64, sink: &mut Sink<'_>) -> io::Result<Scan> {
        let _ = limit;
        self.scan(path, from, sink)
    }

    /// What the bytes of the file at `place` say, without [`Content::record`]. `None`: they are another record's.
    fn content(&self, bytes: &[u8], place: Place) -> Option<Content>;

    /// Everything that the record at `place` says. `None`: the file is gone, or another record lies there now.
    fn body(&self, path: &Path, place: Place) -> io::Result<Option<Content>>;

    /// Where the backup `name` lies that `session`, told of in the log at `path`, made of a file. It may be deleted.
    fn backup(&self, path: &Path, session: &str, name: &str) -> Option<PathBuf>;
}

/// By what a file is told from others that bear its name later: device and inode; where there are none, the time of
/// creation and 0.
#[cfg(unix)]
pub fn file_key(meta: &std::fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (meta.dev(), meta.ino())
}

/// By what a file is told from others that bear its name later.
#[cfg(not(unix))]
pub fn file_key(meta: &std::fs::Metadata) -> (u64, u64) {
    let created = meta.created().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    (created.map_or(0, |since| since.as_nanos() as u64), 0)
}

/// The readers of all agents, in the order of [`Agent::ALL`].
pub fn readers() -> &'static [&'static dyn Reader] {
    &[&claude::Claude, &codex::Codex, &gemini::Gemini]
}

pub fn reader(agent: Agent) -> &'static dyn Reader {
    readers().iter().copied().find(|reader| reader.agent() == agent).unwrap_or(&claude::Claude)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_agent_has_its_reader() {
        let agents: Vec<Agent> = readers().iter().map(|reader| reader.agent()).collect();
        assert_eq!(agents, Agent::ALL);
    }
}
