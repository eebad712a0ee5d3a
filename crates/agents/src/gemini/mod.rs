//! Gemini CLI: `<home>/tmp/<project>/chats/session-<time>-<id>.json` or `.jsonl`, sub-agents in
//! `…/chats/<session>/<id>.json`. The project is a hash of its folder, or a name that lists of the client explain.
//!
//! A log is small and is written anew as a whole, or its lines replace each other, so it is read as a whole each time
//! that it changed: each such scan is a restart.
//!
//! What the entries tell, beyond what [`trace::What`] says:
//! - One message is one record, with its words, thoughts, calls and results as parts.
//! - A prompt has a parent only where the person went back before it.

mod body;
mod record;
mod root;
mod scan;
#[cfg(test)]
mod tests;
mod tools;

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use trace::{Agent, Content, Place};

use crate::files::{self, Trouble};
use crate::jsonl::{self, Cursor, Memory, Scan};
use crate::{Env, Found, Reader, Sink};
use record::Log;
use scan::{Scanner, Whose};

/// The place's parts for thoughts; 0 is what the message says.
const PART_THOUGHTS: u16 = 1;
/// The place's parts for calls, each followed by the part of its result.
const PART_CALLS: u16 = 1_000;
const CHATS: &str = "chats";

pub(crate) struct Gemini;

impl Reader for Gemini {
    fn agent(&self) -> Agent {
        Agent::Gemini
    }

    fn roots(&self, env: &Env) -> Vec<PathBuf> {
        let home = env.var("GEMINI_CLI_HOME").map(|home| env.expand(home)).or_else(|| env.home.clone());
        let mut roots: Vec<PathBuf> = home.map(|home| home.join(".gemini")).into_iter().collect();
        for root in env.extra(Agent::Gemini) {
            if !roots.contains(&root) {
                roots.push(root);
            }
        }
        roots
    }

    fn walk(&self, root: &Path, found: &mut dyn FnMut(Found), trouble: &mut dyn FnMut(Trouble)) {
        let base = logs_folder(root);
        files::walk(Agent::Gemini, &base, &|path| is_log_below(&base, path), found, trouble);
    }

    fn is_log(&self, root: &Path, path: &Path) -> bool {
        let base = logs_folder(root);
        // Watchers tell paths with the links in them resolved.
        let is_below = is_log_below(&base, path) || base.canonicalize().is_ok_and(|real| is_log_below(&real, path));
        is_below && files::absent_or_regular(path)
    }

    fn is_of_folder(&self, path: &Path, folder: &Path) -> bool {
        let hash = root::hash_of(&folder.to_string_lossy());
        path.ancestors().any(|part| part.file_name().is_some_and(|name| name == OsStr::new(&hash)))
    }

    fn scan(&self, path: &Path, from: &Cursor, sink: &mut Sink<'_>) -> io::Result<Scan> {
        scan(path, from, sink).map_err(|error| files::named(path, error))
    }

    fn content(&self, bytes: &[u8], place: Place) -> Option<Content> {
        (jsonl::check(bytes) == place.check).then(|| body::content(bytes, place.part))?
    }

    fn body(&self, path: &Path, place: Place) -> io::Result<Option<Content>> {
        let bytes = jsonl::object_at(path, place).map_err(|error| files::named(path, error))?;
        Ok(bytes.and_then(|bytes| body::whole(&bytes, place.part)))
    }

    fn backup(&self, _: &Path, _: &str, _: &str) -> Option<PathBuf> {
        None
    }
}

/// `<root>/tmp`; where there is none, the root itself is a folder of projects.
fn logs_folder(root: &Path) -> PathBuf {
    let tmp = root.join("tmp");
    if tmp.is_dir() { tmp } else { root.to_owned() }
}

/// `<project>/chats/session-….json`, `<project>/chats/<session>/….json`, or the same as lines.
fn is_log_below(base: &Path, path: &Path) -> bool {
    let Ok(below) = path.strip_prefix(base) else { return false };
    let folders: Vec<&OsStr> = below.parent().into_iter().flat_map(Path::iter).collect();
    let is_named = below.extension().is_some_and(|end| end == "json" || end == "jsonl");
    is_named && matches!(folders.as_slice(), [_, chats] | [_, chats, _] if *chats == CHATS)
}

/// The session in whose folder a sub-agent's log lies.
fn parent_session(path: &Path) -> Option<Arc<str>> {
    let folder = path.parent()?;
    let is_inside = folder.parent().and_then(Path::file_name) == Some(OsStr::new(CHATS));
    folder.file_name().and_then(OsStr::to_str).filter(|_| is_inside).map(Arc::from)
}

fn scan(path: &Path, from: &Cursor, sink: &mut Sink<'_>) -> io::Result<Scan> {
    let (bytes, identity) = jsonl::whole(path)?;
    let len = bytes.len() as u64;
    let bytes_again = from.offset.min(len);
    if from.identity.as_ref() == Some(&identity) && from.offset == len {
        return Ok(Scan { cursor: from.clone(), bytes_again, ..Scan::default() });
    }
    let text = String::from_utf8_lossy(&bytes);
    let is_lines = path.extension() == Some(OsStr::new("jsonl"));
    let log = if is_lines { Log::of_lines(&text) } else { Log::of_document(&text) };
    let whose = Whose { parent: parent_session(path), root: root::root_of(path, &log) };
    let records = Scanner::new(&whose, sink).log(&log);
    Ok(Scan {
        cursor: Cursor { offset: len, records, identity: Some(identity), memory: Memory::default() },
        restarted: *from != Cursor::default(),
        broken: log.broken,
        bytes_read: len - bytes_again,
        bytes_again,
        more: false,
    })
}
