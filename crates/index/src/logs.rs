//! One published moment of all logs.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agents::Cursor;
use rustc_hash::FxHashMap;
use trace::{DerivedPath, Grown, LogId, RecordId, Session, Timestamp};

use crate::copies::Origin;
use crate::file::{LogFile, Stamp};
use crate::spines::Spine;
use crate::store::Store;
use crate::summary::{FileUse, LogSummary};
use crate::touches::{Touch, Touches};

/// All logs as they were known at one moment: their summaries, and the way to their derived paths.
///
/// Summaries never change; cloning an `Arc` of this keeps that moment. A path that is loaded later may be newer.
#[derive(Clone)]
pub struct Logs {
    pub(crate) generation: u64,
    /// Grows with every change of what is saved.
    pub(crate) content: u64,
    pub(crate) reading: Option<(usize, usize)>,
    /// By the log's id.
    pub(crate) known: Grown<Option<Known>>,
    /// Logs that are no sub-agent's, the one with the newest record first.
    pub(crate) newest: Vec<(Reverse<Option<Timestamp>>, LogId)>,
    pub(crate) sessions: Arc<FxHashMap<Arc<str>, Members>>,
    pub(crate) touches: Arc<Touches>,
    pub(crate) origins: Arc<FxHashMap<LogId, Origin>>,
    pub(crate) trouble: Arc<[Trouble]>,
    pub(crate) store: Arc<Store>,
}

#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) summary: Arc<LogSummary>,
    pub(crate) file: Arc<LogFile>,
    /// See [`crate::file::Outcome::epoch`].
    pub(crate) epoch: u32,
    /// How far the log was read for the summary, and what its file looked like then.
    pub(crate) cursor: Cursor,
    pub(crate) stamp: Option<Stamp>,
}

/// The logs of one session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Members {
    pub(crate) own: Vec<LogId>,
    pub(crate) of_sides: Vec<LogId>,
}

/// How much of which file was read of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent<'a> {
    pub log: LogId,
    pub file: &'a Path,
    /// Bytes, those of half a record at the end left out.
    pub len: u64,
    /// Another number: the file was read anew from its beginning.
    pub epoch: u32,
}

/// A file or folder that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub path: PathBuf,
    pub error: String,
}

impl Logs {
    /// All logs, sub-agents' included, in the order of their ids.
    pub fn summaries(&self) -> impl Iterator<Item = &Arc<LogSummary>> {
        self.known.iter().flatten().map(|known| &known.summary)
    }

    pub fn summary(&self, log: LogId) -> Option<&Arc<LogSummary>> {
        self.known(log).map(|known| &known.summary)
    }

    /// The derived path of a log, as it is now: from memory, else from the cache, else by reading the log, which may
    /// take long. `None`: the log was not there at this moment, or cannot be read any more.
    pub fn load(&self, log: LogId) -> Option<Arc<DerivedPath>> {
        self.spine(log).map(|spine| spine.path.clone())
    }

    fn spine(&self, log: LogId) -> Option<Arc<Spine>> {
        self.store.load(&self.known(log)?.file)
    }

    /// The log's file.
    pub fn file(&self, log: LogId) -> Option<&Path> {
        self.known(log).map(|known| &*known.file.path)
    }

    /// Which bytes of which file the log is, as far as it was read.
    pub fn extent(&self, log: LogId) -> Option<Extent<'_>> {
        let Known { summary, file, epoch, .. } = self.known(log)?;
        Some(Extent { log, file: &file.path, len: summary.tally.bytes, epoch: *epoch })
    }

    /// The logs of a session's sub-agents.
    pub fn side_logs(&self, session: &str) -> &[LogId] {
        self.sessions.get(session).map_or(&[], |members| &members.of_sides)
    }

    pub(crate) fn known(&self, log: LogId) -> Option<&Known> {
        self.known.get(log.0 as usize)?.as_ref()
    }

    pub(crate) fn set_known(&mut self, log: LogId, known: Option<Known>) {
        let index = log.0 as usize;
        while self.known.len() <= index {
            self.known.push(None);
        }
        if let Some(slot) = self.known.get_mut(index) {
            *slot = known;
        }
    }

    /// The logs that are no sub-agent's, the one with the newest record first. Copies of sessions are among them; a log
    /// in which nothing was said or done is none.
    pub fn sessions(&self) -> impl Iterator<Item = &Arc<LogSummary>> {
        self.newest.iter().filter_map(|(_, log)| self.summary(*log)).filter(|summary| summary.turns > 0)
    }

    /// The logs of the sub-agents of a session, in the order of their ids.
    pub fn sides_of(&self, session: &str) -> impl Iterator<Item = &Arc<LogSummary>> {
        let members = self.sessions.get(session).into_iter().flat_map(|members| &members.of_sides);
        members.filter_map(|log| self.summary(*log))
    }

    /// The derived paths of the sub-agents of a session, in the order of their ids. See [`Logs::load`].
    pub fn load_sides(&self, session: &str) -> Vec<Arc<DerivedPath>> {
        self.sides_of(session).filter_map(|side| self.load(side.log)).collect()
    }

    /// The session with this whole id, joined with its sub-agents. Where several logs bear the id (a home folder that
    /// was copied), the one with the most records counts. See [`Logs::load`].
    pub fn load_session(&self, id: &str) -> Option<Session> {
        let members = self.sessions.get(id)?;
        let own = members.own.iter().filter_map(|log| self.known(*log));
        let most = own.max_by_key(|known| (known.summary.records, Reverse(&known.file.path)))?;
        let path = self.load(most.summary.log)?;
        let of_sides = members.of_sides.iter().filter_map(|log| self.spine(*log));
        let sides: Vec<_> = of_sides.filter_map(|spine| Some((spine.path.clone(), spine.side()?.clone()))).collect();
        let mut session = Session::join_sides(path, &sides);
        session.inherited = self.inherited(session.path.log);
        Some(session)
    }

    /// The edits of a log that are its own and no copies of another's.
    pub fn own_files(&self, summary: &LogSummary) -> Arc<[FileUse]> {
        self.origins.get(&summary.log).map_or_else(|| summary.files.clone(), |origin| origin.own.clone())
    }

    /// How many of a log's first turns are copies of another session's, and the id of that session: the oldest that
    /// has them all.
    pub fn inherited(&self, log: LogId) -> Option<(u32, Arc<str>)> {
        let origin = self.origins.get(&log).filter(|origin| origin.turns > 0)?;
        Some((origin.turns, self.summary(origin.log)?.session.clone()))
    }

    /// The log as whose a record is to be told: where `log` holds a copy of it the oldest log that has it, else `log`
    /// itself. Loads the paths of logs that have copies; see [`Logs::load`].
    pub fn origin_log(&self, log: LogId, record: RecordId) -> LogId {
        const LONGEST_CHAIN: usize = 64;
        let mut log = log;
        for _ in 0..LONGEST_CHAIN {
            let Some(origin) = self.origins.get(&log) else { break };
            if !self.load(origin.log).is_some_and(|path| path.records.contains(record)) {
                break;
            }
            log = origin.log;
        }
        log
    }

    /// The logs that edited a file of this name (`loader.rs`) or read one whole, each with the paths by which they
    /// call it.
    pub fn touching(&self, file_name: &str) -> &[Touch] {
        self.touches.get(self.summaries()).get(file_name).map_or(&[], |touches| touches)
    }

    /// All paths of files that logs edited or read whole, as they spell them.
    pub fn touched_paths(&self) -> impl Iterator<Item = &str> {
        self.touches.get(self.summaries()).values().flat_map(|touches| touches.iter()).map(|touch| &*touch.path)
    }

    /// How many logs were read, of how many, while they are read for the first time. `None`: all were.
    pub fn reading(&self) -> Option<(usize, usize)> {
        self.reading
    }

    /// Grows with every publication.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// What could not be read, in the order of paths.
    pub fn trouble(&self) -> &[Trouble] {
        &self.trouble
    }
}

impl Logs {
    /// Before anything was read.
    pub(crate) fn new(store: Arc<Store>) -> Logs {
        Logs {
            generation: 0,
            content: 0,
            reading: Some((0, 0)),
            known: Grown::default(),
            newest: Vec::new(),
            sessions: Arc::default(),
            touches: Arc::default(),
            origins: Arc::default(),
            trouble: Arc::default(),
            store,
        }
    }
}
