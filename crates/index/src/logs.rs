//! One published moment of all logs.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use rustc_hash::FxHashMap;
use trace::{DerivedPath, Grown, LogId, RecordId, Session, Side, Timestamp};

use crate::copies::Origin;
use crate::lock;

/// All logs as they were known at one moment. Nothing in it ever changes; cloning an `Arc` of it keeps that moment.
pub struct Logs {
    pub(crate) generation: u64,
    pub(crate) reading: Option<(usize, usize)>,
    /// By the log's id.
    pub(crate) known: Grown<Option<Known>>,
    /// Logs that are no sub-agent's, the one with the newest record first.
    pub(crate) newest: Vec<(Reverse<Option<Timestamp>>, LogId)>,
    pub(crate) sessions: Arc<FxHashMap<Arc<str>, Members>>,
    pub(crate) touches: Arc<FxHashMap<Box<str>, Arc<Vec<Touch>>>>,
    pub(crate) origins: Arc<FxHashMap<LogId, Origin>>,
    pub(crate) trouble: Arc<[Trouble]>,
    joined: Mutex<FxHashMap<Arc<str>, Session>>,
}

#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) path: Arc<DerivedPath>,
    pub(crate) file: Arc<Path>,
    /// See [`crate::file::Outcome::epoch`].
    pub(crate) epoch: u32,
    /// The log as a side of its session, made when that is first joined. Shared by all moments that have this path.
    pub(crate) side: Arc<OnceLock<Option<Arc<Side>>>>,
}

impl Known {
    fn side(&self) -> Option<&Arc<Side>> {
        self.side.get_or_init(|| Side::of_log(&self.path)).as_ref()
    }
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

/// A log that edited a file or read it whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Touch {
    pub log: LogId,
    /// The file's path as the log spells it.
    pub path: Box<str>,
}

/// A file or folder that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub path: PathBuf,
    pub error: String,
}

impl Logs {
    /// All logs, sub-agents' included, in the order of their ids.
    pub fn paths(&self) -> impl Iterator<Item = &Arc<DerivedPath>> {
        self.known.iter().flatten().map(|known| &known.path)
    }

    pub fn get(&self, log: LogId) -> Option<&Arc<DerivedPath>> {
        self.known(log).map(|known| &known.path)
    }

    /// The log's file.
    pub fn file(&self, log: LogId) -> Option<&Path> {
        self.known(log).map(|known| &*known.file)
    }

    /// Which bytes of which file the log is, as far as it was read.
    pub fn extent(&self, log: LogId) -> Option<Extent<'_>> {
        let Known { path, file, epoch, .. } = self.known(log)?;
        Some(Extent { log, file, len: path.tally.bytes, epoch: *epoch })
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
    pub fn sessions(&self) -> impl Iterator<Item = &Arc<DerivedPath>> {
        self.newest.iter().filter_map(|(_, log)| self.get(*log)).filter(|path| !path.turns.is_empty())
    }

    /// The logs of the sub-agents of a session, in the order of their ids.
    pub fn sides_of(&self, session: &str) -> Vec<Arc<DerivedPath>> {
        let members = self.sessions.get(session).into_iter().flat_map(|members| &members.of_sides);
        members.filter_map(|log| self.get(*log).cloned()).collect()
    }

    /// The session with this whole id, joined with its sub-agents. Where several logs bear the id (a home folder that
    /// was copied), the one with the most records counts.
    pub fn session(&self, id: &str) -> Option<Session> {
        if let Some(joined) = lock(&self.joined).get(id) {
            return Some(joined.clone());
        }
        let members = self.sessions.get(id)?;
        let own = members.own.iter().filter_map(|log| self.known(*log));
        let path = own.max_by_key(|known| (known.path.records.len(), Reverse(&known.file)))?.path.clone();
        let of_sides = members.of_sides.iter().filter_map(|log| self.known(*log));
        let sides: Vec<_> = of_sides.filter_map(|known| Some((known.path.clone(), known.side()?.clone()))).collect();
        let mut session = Session::join_sides(path, &sides);
        session.inherited = self.inherited(session.path.log);
        lock(&self.joined).insert(id.into(), session.clone());
        Some(session)
    }

    /// How many of a log's first turns are copies of another session's, and the id of that session: the oldest that
    /// has them all.
    pub fn inherited(&self, log: LogId) -> Option<(u32, Arc<str>)> {
        let origin = self.origins.get(&log).filter(|origin| origin.turns > 0)?;
        Some((origin.turns, self.get(origin.log)?.session.clone()))
    }

    /// The log as whose a record is to be told: where `log` holds a copy of it the oldest log that has it, else `log`
    /// itself.
    pub fn origin_log(&self, log: LogId, record: RecordId) -> LogId {
        const LONGEST_CHAIN: usize = 64;
        let mut log = log;
        for _ in 0..LONGEST_CHAIN {
            let Some(origin) = self.origins.get(&log) else { break };
            if !self.get(origin.log).is_some_and(|path| path.records.contains(record)) {
                break;
            }
            log = origin.log;
        }
        log
    }

    /// The logs that edited a file of this name (`loader.rs`) or read one whole, each with the paths by which they
    /// call it.
    pub fn touching(&self, file_name: &str) -> &[Touch] {
        self.touches.get(file_name).map_or(&[], |touches| touches)
    }

    /// All paths of files that logs edited or read whole, as they spell them.
    pub fn touched_paths(&self) -> impl Iterator<Item = &str> {
        self.touches.values().flat_map(|touches| touches.iter()).map(|touch| &*touch.path)
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

impl Default for Logs {
    /// Before anything was read.
    fn default() -> Logs {
        Logs {
            generation: 0,
            reading: Some((0, 0)),
            known: Grown::default(),
            newest: Vec::new(),
            sessions: Arc::default(),
            touches: Arc::default(),
            origins: Arc::default(),
            trouble: Arc::default(),
            joined: Mutex::default(),
        }
    }
}

impl Clone for Logs {
    /// The beginning of the next moment: sessions are joined anew there.
    fn clone(&self) -> Logs {
        Logs {
            generation: self.generation,
            reading: self.reading,
            known: self.known.clone(),
            newest: self.newest.clone(),
            sessions: self.sessions.clone(),
            touches: self.touches.clone(),
            origins: self.origins.clone(),
            trouble: self.trouble.clone(),
            joined: Mutex::default(),
        }
    }
}
