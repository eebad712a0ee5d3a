//! Claude Code: `<config>/projects/<slug>/<session>.jsonl`, sub-agents in `…/<session>/subagents/agent-<id>.jsonl` or,
//! older, beside the session as `agent-<id>.jsonl`, oldest inside the session's own file.
//!
//! What the entries tell, beyond what [`trace::What`] says:
//! - A compaction makes two entries: the boundary (what began it, tokens before), then the summary (its characters).
//! - In a sub-agent's own log no entry but its [`trace::What::Context`] has a `side`: the agent's id.
//! - A title of [`trace::TitleSource::Summary`] has as `parent` the leaf of the conversation that it sums up, which
//!   may lie in another log.
//! - A shell escape is a slash command that begins with `!`.

mod body;
mod known;
mod patch;
mod record;
mod said;
mod scan;
mod system;
#[cfg(test)]
mod tests;
mod tools;

use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use trace::{Agent, Content, Place};

use crate::files::{self, Trouble};
use crate::json::{self, Str};
use crate::jsonl::{self, Cursor, Log, Memory, Scan};
use crate::{Env, Found, Reader, Sink};
use scan::{OwnSide, Scanner};

/// The place's part for the task that a progress record repeats beside a sub-agent's message.
const PART_TASK: u16 = u16::MAX;
/// The model of messages that the client made up.
const SYNTHETIC: &str = "<synthetic>";
/// Bytes before a cursor without memory that are looked at again, for the calls whose results are to come.
const LOOK_BACK: u64 = 512 << 10;
/// Bytes at a log's beginning in which its first folder is told.
const BEGINNING: u64 = 256 << 10;

pub(crate) struct Claude;

impl Reader for Claude {
    fn agent(&self) -> Agent {
        Agent::ClaudeCode
    }

    fn roots(&self, env: &Env) -> Vec<PathBuf> {
        let mut roots: Vec<PathBuf> = match env.var("CLAUDE_CONFIG_DIR") {
            Some(folders) => folders
                .split(',')
                .map(str::trim)
                .filter(|folder| !folder.is_empty())
                .map(|folder| env.expand(folder))
                .collect(),
            None => {
                env.home.iter().flat_map(|home| [home.join(".claude"), home.join(".config").join("claude")]).collect()
            }
        };
        for root in env.extra(Agent::ClaudeCode) {
            if !roots.contains(&root) {
                roots.push(root);
            }
        }
        roots
    }

    fn walk(&self, root: &Path, found: &mut dyn FnMut(Found), trouble: &mut dyn FnMut(Trouble)) {
        let base = logs_folder(root);
        files::walk(Agent::ClaudeCode, &base, &|path| is_called_log(&base, path), found, trouble);
    }

    fn is_log(&self, root: &Path, path: &Path) -> bool {
        let base = logs_folder(root);
        // Watchers tell paths with the links in them resolved.
        let is_below = is_log_below(&base, path) || base.canonicalize().is_ok_and(|real| is_log_below(&real, path));
        is_below && files::absent_or_regular(path)
    }

    fn is_of_folder(&self, path: &Path, folder: &Path) -> bool {
        let slug = slug(&folder.to_string_lossy());
        path.ancestors().any(|part| part.file_name().is_some_and(|name| name == OsStr::new(&slug)))
    }

    fn scan(&self, path: &Path, from: &Cursor, sink: &mut Sink<'_>) -> io::Result<Scan> {
        self.scan_part(path, from, u64::MAX, sink)
    }

    fn scan_part(&self, path: &Path, from: &Cursor, limit: u64, sink: &mut Sink<'_>) -> io::Result<Scan> {
        scan(path, from, limit, sink).map_err(|error| files::named(path, error))
    }

    fn content(&self, bytes: &[u8], place: Place) -> Option<Content> {
        (jsonl::check(bytes) == place.check).then(|| body::content(bytes, place.part))?
    }

    fn body(&self, path: &Path, place: Place) -> io::Result<Option<Content>> {
        let bytes = jsonl::object_at(path, place).map_err(|error| files::named(path, error))?;
        Ok(bytes.and_then(|bytes| body::whole(&bytes, place.part)))
    }

    fn backup(&self, path: &Path, session: &str, name: &str) -> Option<PathBuf> {
        // The nearest one: a home folder can lie below a folder of that name.
        let logs = path.ancestors().skip(1).find(|folder| folder.file_name() == Some(OsStr::new("projects")))?;
        let config = logs.parent()?;
        (is_name(session) && is_name(name)).then(|| config.join("file-history").join(session).join(name))
    }
}

/// How a log's name ends.
const LOG: &[u8] = b".jsonl";

/// `<root>/projects`; where there is none, the root itself is a folder of logs.
fn logs_folder(root: &Path) -> PathBuf {
    let projects = root.join("projects");
    if projects.is_dir() { projects } else { root.to_owned() }
}

/// By what Claude Code calls a project: `/w/my.app` is `-w-my-app`.
fn slug(folder: &str) -> String {
    folder.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

fn is_log_below(base: &Path, path: &Path) -> bool {
    path.starts_with(base) && is_called_log(base, path)
}

/// Whether a file below `base` bears a log's name.
fn is_called_log(base: &Path, path: &Path) -> bool {
    let Some(name) = path.file_name() else { return false };
    let is_list_of_prompts = || name == "history.jsonl" && path.parent() == Some(base);
    name.len() > LOG.len() && name.as_encoded_bytes().ends_with(LOG) && !is_list_of_prompts()
}

/// Whether a word of a log can be the name of one file or folder, and leads nowhere else.
fn is_name(word: &str) -> bool {
    let mut components = Path::new(word).components();
    matches!((components.next(), components.next()), (Some(Component::Normal(_)), None))
        && !word.contains(['/', '\\', ':'])
}

/// Whose log `agent-<id>.jsonl` is. Below `<session>/subagents` the folder says of which session, whatever the
/// records do: those of a resumed session keep the id of the one before.
fn side_of(path: &Path) -> Option<OwnSide> {
    let agent = path.file_stem()?.to_str()?.strip_prefix("agent-")?.into();
    let subagents = path.ancestors().skip(1).find(|folder| folder.file_name() == Some(OsStr::new("subagents")));
    let session = subagents.and_then(|folder| folder.parent()?.file_name()?.to_str());
    Some(OwnSide { agent, parent: session.map(Arc::from) })
}

fn scan(path: &Path, from: &Cursor, limit: u64, sink: &mut Sink<'_>) -> io::Result<Scan> {
    let mut log = Log::open(path, from)?;
    let mut scanner = Scanner::new(side_of(path), sink);
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

/// Makes up for a memory that was lost, as far as the last records before the cursor tell what was in it.
fn look_back(log: &mut Log, scanner: &mut Scanner<'_>) -> io::Result<()> {
    if log.start.offset > LOOK_BACK {
        scanner.known.first_cwd = first_cwd(&log.head(BEGINNING)?);
    }
    scanner.muted = true;
    log.replay(LOOK_BACK, scanner)?;
    scanner.muted = false;
    Ok(())
}

fn first_cwd(beginning: &[u8]) -> Option<Arc<str>> {
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Cwd<'a> {
        #[serde(borrow)]
        cwd: Str<'a>,
    }
    beginning.split(|byte| *byte == b'\n').find_map(|line| {
        let (record, _) = json::first::<Cwd<'_>>(std::str::from_utf8(line).ok()?)?;
        record.cwd.filled().map(Arc::from)
    })
}
