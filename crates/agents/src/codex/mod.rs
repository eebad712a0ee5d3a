//! Codex: `<home>/sessions/YYYY/MM/DD/rollout-<time>-<session>.jsonl`, old ones in `<home>/archived_sessions`.
//!
//! What the entries tell, beyond what [`trace::What`] says:
//! - Records have no ids. An entry's is made of its turn's own id (in old logs its time) and what it says, so that the
//!   copies in a fork, which bear other times, have the same.
//! - A prompt stands in a message and in an event: it is told once, by the event where there is one.
//! - A patch's result is the event that tells what it changed. Patches that a script applies have ids of their own:
//!   they are edits of the script's call, and the place of its result reaches from the first of them to its output.
//! - A prompt has a parent only where the person went back before it.
//! - The log of a sub-agent begins with records of its parent; they are not told.

mod body;
mod known;
mod patch;
mod record;
mod said;
mod scan;
#[cfg(test)]
mod tests;
mod tools;

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use trace::{Agent, Content, Place};

use crate::files::{self, Trouble};
use crate::jsonl::{self, Cursor, Log, Memory, Scan};
use crate::{Env, Found, Reader, Sink};
use scan::Scanner;

/// The place's part for the result in a record that tells of a call and its result at once.
const PART_RESULT: u16 = 1;
/// The place's part where it reaches over several records. Its check is that of the last of them.
const PART_SPAN: u16 = 2;
/// Bytes before a cursor without memory that are looked at again, for the calls whose results are to come.
const LOOK_BACK: u64 = 1 << 20;
/// Bytes at a log's beginning that tell whose log it is.
const BEGINNING: u64 = 512 << 10;
const SESSIONS: &str = "sessions";
const ARCHIVE: &str = "archived_sessions";

pub(crate) struct Codex;

impl Reader for Codex {
    fn agent(&self) -> Agent {
        Agent::Codex
    }

    fn roots(&self, env: &Env) -> Vec<PathBuf> {
        let own = match env.var("CODEX_HOME") {
            Some(folder) => Some(env.expand(folder)),
            None => env.home.as_ref().map(|home| home.join(".codex")),
        };
        let mut roots: Vec<PathBuf> = own.into_iter().collect();
        for root in env.extra(Agent::Codex) {
            if !roots.contains(&root) {
                roots.push(root);
            }
        }
        roots
    }

    fn walk(&self, root: &Path, found: &mut dyn FnMut(Found), trouble: &mut dyn FnMut(Trouble)) {
        for base in bases(root) {
            files::walk(Agent::Codex, &base, &|path| is_called_log(root, &base, path), found, trouble);
        }
    }

    fn is_log(&self, root: &Path, path: &Path) -> bool {
        let is_below = |base: PathBuf| {
            // Watchers tell paths with the links in them resolved.
            is_log_below(root, &base, path) || base.canonicalize().is_ok_and(|real| is_log_below(root, &real, path))
        };
        bases(root).into_iter().any(is_below) && files::absent_or_regular(path)
    }

    fn scan(&self, path: &Path, from: &Cursor, sink: &mut Sink<'_>) -> io::Result<Scan> {
        self.scan_part(path, from, u64::MAX, sink)
    }

    fn scan_part(&self, path: &Path, from: &Cursor, limit: u64, sink: &mut Sink<'_>) -> io::Result<Scan> {
        scan(path, from, limit, sink).map_err(|error| files::named(path, error))
    }

    fn content(&self, bytes: &[u8], place: Place) -> Option<Content> {
        body::content(bytes, place)
    }

    fn body(&self, path: &Path, place: Place) -> io::Result<Option<Content>> {
        let bytes = jsonl::bytes_at(path, place).map_err(|error| files::named(path, error))?;
        Ok(bytes.and_then(|bytes| body::whole(&bytes, place)))
    }

    fn backup(&self, _: &Path, _: &str, _: &str) -> Option<PathBuf> {
        None
    }
}

/// The folders of logs; where neither is there, the root itself is one.
fn bases(root: &Path) -> Vec<PathBuf> {
    let named: Vec<PathBuf> = [SESSIONS, ARCHIVE].iter().map(|name| root.join(name)).collect();
    if named.iter().any(|base| base.is_dir()) { named } else { vec![root.to_owned()] }
}

fn is_log_below(root: &Path, base: &Path, path: &Path) -> bool {
    path.starts_with(base) && is_called_log(root, base, path)
}

/// Whether a file below `base` bears a log's name.
fn is_called_log(root: &Path, base: &Path, path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    name.starts_with("rollout-") && name.ends_with(".jsonl") && !(base.ends_with(ARCHIVE) && is_active(root, name))
}

/// Whether a log that lies in the archive lies among the sessions, too: then that one counts.
fn is_active(root: &Path, name: &str) -> bool {
    let mut date = name.trim_start_matches("rollout-").splitn(4, ['-', 'T']);
    let mut day = root.join(SESSIONS);
    for part in date.by_ref().take(3) {
        day.push(part);
    }
    day.join(name).is_file()
}

fn scan(path: &Path, from: &Cursor, limit: u64, sink: &mut Sink<'_>) -> io::Result<Scan> {
    let mut log = Log::open(path, from)?;
    let mut scanner = Scanner::new(sink);
    match log.start.memory.recall() {
        Some(known) => scanner.known = known,
        None if log.start.offset > 0 => look_back(&mut log, &mut scanner)?,
        None => {}
    }
    let mut scan = log.read(limit, &mut scanner)?;
    scan.cursor.records = scan.cursor.records.saturating_add(scanner.records);
    scan.cursor.memory = Memory::of(scanner.known);
    Ok(scan)
}

/// Makes up for a memory that was lost, as far as the first records and the last before the cursor tell what was in it.
fn look_back(log: &mut Log, scanner: &mut Scanner<'_>) -> io::Result<()> {
    scanner.muted = true;
    if log.start.offset > LOOK_BACK {
        log.replay_beginning(BEGINNING, scanner)?;
    }
    log.replay(LOOK_BACK, scanner)?;
    scanner.muted = false;
    Ok(())
}
