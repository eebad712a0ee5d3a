//! What lies above single logs, kept up to date log by log and published as a whole.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use trace::LogId;

use crate::cache::{Saved, SavedLog, SavedOrigin};
use crate::copies::{Copies, Origin, Twin};
use crate::file::{LogFile, Outcome, Read};
use crate::logs::{Known, Logs, Trouble};
use crate::store::Store;
use crate::summary::LogSummary;
use crate::{Changed, Index, lock};

/// The next moment in the making.
pub(crate) struct Publisher {
    next: Logs,
    copies: Copies,
    /// Logs that `copies` does not know yet.
    unlearned: Vec<LogId>,
    /// The newest version of each log that was taken, also of those that are gone.
    versions: FxHashMap<LogId, u64>,
    /// Logs that could not be read.
    bad_files: BTreeMap<PathBuf, String>,
    /// What could not be looked at when logs were last looked for.
    bad_folders: BTreeMap<PathBuf, String>,
    /// How far the first reading is, in logs, and whether it has come to its end.
    progress: (usize, usize),
    is_read: bool,
    /// Who reads logs before their turn and has not published them yet.
    ahead: usize,
}

/// What a publication tells of the first reading.
#[derive(Clone, Copy)]
pub(crate) enum Stage {
    AsBefore,
    Progress(usize, usize),
    /// Every log was read once.
    AllRead,
    /// What was read before its turn is in it.
    NoMoreAhead,
}

impl Index {
    /// Says that somebody reads logs before their turn: not all is read until that is published.
    pub(crate) fn read_ahead(&self) {
        lock(&self.publisher).ahead += 1;
    }

    /// Takes over what was read and makes it visible.
    pub(crate) fn publish(&self, outcomes: Vec<Outcome>, stage: Stage) -> Changed {
        let mut publisher = lock(&self.publisher);
        let reading = publisher.reading_after(stage);
        let changed = publisher.take_all(outcomes);
        changed.gone.iter().for_each(|log| self.store.shelf.forget(*log));
        if !changed.gone.is_empty() {
            lock(&self.bodies).forget(&changed.gone);
        }
        let next = &mut publisher.next;
        let last = self.published.load();
        let is_same = changed.is_empty() && last.reading == reading && Arc::ptr_eq(&last.trouble, &next.trouble);
        if !changed.is_empty() {
            next.content += 1;
        }
        if !is_same {
            next.generation += 1;
            next.reading = reading;
        }
        // What only the cache cares for, a file's new time, is no news to anybody else.
        if !is_same || last.content != next.content {
            self.published.store(Arc::new(next.clone()));
        }
        changed
    }

    /// Makes visible what an earlier process knew.
    pub(crate) fn publish_saved(&self, files: Vec<Arc<LogFile>>, saved: Saved) {
        let mut publisher = lock(&self.publisher);
        publisher.take_saved(files, saved);
        publisher.next.generation += 1;
        self.published.store(Arc::new(publisher.next.clone()));
    }

    /// Takes over what could not be looked at; told with the next publication.
    pub(crate) fn set_bad_folders(&self, bad: BTreeMap<PathBuf, String>) {
        let mut publisher = lock(&self.publisher);
        if publisher.bad_folders != bad {
            publisher.bad_folders = bad;
            publisher.tell_trouble();
        }
    }
}

impl Publisher {
    pub(crate) fn new(store: Arc<Store>) -> Publisher {
        Publisher {
            next: Logs::new(store),
            copies: Copies::default(),
            unlearned: Vec::new(),
            versions: FxHashMap::default(),
            bad_files: BTreeMap::new(),
            bad_folders: BTreeMap::new(),
            progress: (0, 0),
            is_read: false,
            ahead: 0,
        }
    }

    fn reading_after(&mut self, stage: Stage) -> Option<(usize, usize)> {
        match stage {
            Stage::AsBefore => {}
            Stage::Progress(done, total) => self.progress = (done, total),
            Stage::AllRead => self.is_read = true,
            Stage::NoMoreAhead => self.ahead = self.ahead.saturating_sub(1),
        }
        (!self.is_read || self.ahead > 0).then_some(self.progress)
    }

    fn take_saved(&mut self, files: Vec<Arc<LogFile>>, saved: Saved) {
        let ids: Vec<LogId> = files.iter().map(|file| file.id).collect();
        self.versions.reserve(ids.len());
        Arc::make_mut(&mut self.next.sessions).reserve(ids.len());
        let mut origins = FxHashMap::default();
        for (file, saved) in files.into_iter().zip(saved.logs) {
            self.versions.insert(file.id, SAVED_VERSION);
            let (cursor, stamp) = (saved.cursor(), Some(saved.stamp()));
            let SavedLog { mut summary, origin, .. } = saved;
            summary.log = file.id;
            let summary = Arc::new(summary);
            self.place(None, Some(&summary), file.id);
            if let Some(SavedOrigin { log, turns, own }) = origin
                && let Some(log) = ids.get(log as usize)
            {
                origins.insert(file.id, Origin { log: *log, turns, own: own.into() });
            }
            self.next.set_known(file.id, Some(Known { summary, file, epoch: 0, cursor, stamp }));
        }
        self.next.newest.sort();
        self.next.origins = Arc::new(origins);
        self.unlearned = ids;
    }

    fn take_all(&mut self, outcomes: Vec<Outcome>) -> Changed {
        let mut changed = Changed::default();
        let mut copies_of_gone = Vec::new();
        for outcome in outcomes {
            let log = outcome.file.id;
            match self.take(outcome, &mut copies_of_gone) {
                Some(true) => changed.logs.push(log),
                Some(false) => changed.gone.push(log),
                None => {}
            }
        }
        for logs in [&mut changed.logs, &mut changed.gone] {
            logs.sort();
            logs.dedup();
        }
        if !changed.is_empty() {
            self.next.newest.sort();
            self.find_origins([&changed.logs[..], &changed.gone, &copies_of_gone].concat());
        }
        changed
    }

    /// Whether a log is there now (`true`) or not any more; `None` where nothing changed.
    fn take(&mut self, outcome: Outcome, copies_of_gone: &mut Vec<LogId>) -> Option<bool> {
        let Outcome { file, version, epoch, read, cursor, stamp, .. } = outcome;
        if self.versions.get(&file.id).is_some_and(|newest| *newest >= version) {
            return None;
        }
        let before = self.next.known(file.id).cloned();
        let (now, trouble) = match read {
            Read::Unchanged => {
                // It does not count as a version: an older reading may be about to be published by another thread.
                if let Some(known) = before.filter(|known| known.cursor == cursor && known.stamp != stamp) {
                    self.next.content += 1;
                    self.next.set_known(file.id, Some(Known { stamp, ..known }));
                }
                return None;
            }
            Read::There(summary) => (Some(summary), None),
            Read::Gone => (None, None),
            Read::Failed(error) => (None, Some(error.to_string())),
        };
        self.learn_saved();
        self.versions.insert(file.id, version);
        match trouble {
            Some(error) => {
                self.bad_files.insert(file.path.to_path_buf(), error);
                self.tell_trouble();
            }
            None => {
                if self.bad_files.remove(&*file.path).is_some() {
                    self.tell_trouble();
                }
            }
        }
        let is_continued = before.as_ref().is_some_and(|before| before.epoch == epoch);
        let before = before.map(|known| known.summary);
        let is_there = now.is_some();
        if before.is_none() && !is_there {
            return None;
        }
        self.place(before.as_deref(), now.as_deref(), file.id);
        if let Some(before) = before.as_ref().filter(|_| !is_continued) {
            copies_of_gone.extend(self.copies.forget(before.log, before.heads.iter()));
        }
        if let Some(summary) = &now {
            let known = before.as_ref().filter(|_| is_continued).map_or(0, |before| before.heads.len());
            self.copies.learn(summary.log, summary.heads.iter().skip(known));
        }
        self.touch(file.id, before.as_deref(), now.as_deref());
        let known = now.map(|summary| Known { summary, file: file.clone(), epoch, cursor, stamp });
        self.next.set_known(file.id, known);
        Some(is_there)
    }

    fn tell_trouble(&mut self) {
        let all = self.bad_folders.iter().chain(&self.bad_files);
        let mut trouble: Vec<Trouble> =
            all.map(|(path, error)| Trouble { path: path.clone(), error: error.clone() }).collect();
        trouble.sort_by(|a, b| a.path.cmp(&b.path));
        self.next.trouble = trouble.into();
    }

    /// Keeps the order of sessions and the members of each.
    fn place(&mut self, before: Option<&LogSummary>, now: Option<&LogSummary>, log: LogId) {
        let age = |path: &LogSummary| path.owner.is_none().then_some(Reverse(path.ended));
        let (old_age, new_age) = (before.and_then(age), now.and_then(age));
        if old_age != new_age {
            if old_age.is_some() {
                self.next.newest.retain(|(_, known)| *known != log);
            }
            self.next.newest.extend(new_age.map(|age| (age, log)));
        }
        let name = |path: &LogSummary| (path.session.clone(), path.owner.is_some());
        let (old_name, new_name) = (before.map(name), now.map(name));
        if old_name == new_name {
            return;
        }
        let sessions = Arc::make_mut(&mut self.next.sessions);
        if let Some((session, is_side)) = old_name
            && let Some(members) = sessions.get_mut(&session)
        {
            let logs = if is_side { &mut members.of_sides } else { &mut members.own };
            logs.retain(|known| *known != log);
            if members.own.is_empty() && members.of_sides.is_empty() {
                sessions.remove(&session);
            }
        }
        if let Some((session, is_side)) = new_name {
            let members = sessions.entry(session).or_default();
            let logs = if is_side { &mut members.of_sides } else { &mut members.own };
            let at = logs.partition_point(|known| *known < log);
            logs.insert(at, log);
        }
    }

    fn find_origins(&mut self, changed: Vec<LogId>) {
        let next = &self.next;
        let twin = |log| Some(Twin::new(next.known(log)?.clone(), next.load(log)?));
        let concerned = self.copies.concerned(&changed);
        let found: Vec<_> = concerned.into_iter().map(|log| (log, self.copies.origin(log, &twin))).collect();
        for (log, origin) in found {
            if self.next.origins.get(&log) == origin.as_ref() {
                continue;
            }
            let origins = Arc::make_mut(&mut self.next.origins);
            match origin {
                Some(origin) => drop(origins.insert(log, origin)),
                None => drop(origins.remove(&log)),
            }
        }
    }

    /// Keeps which log touched which path.
    fn touch(&mut self, log: LogId, before: Option<&LogSummary>, now: Option<&LogSummary>) {
        let files = |summary: Option<&LogSummary>| summary.map_or_else(Arc::default, |summary| summary.files.clone());
        let (before, now) = (files(before), files(now));
        if !Arc::ptr_eq(&before, &now) {
            self.next.touches.get(self.next.summaries());
            Arc::make_mut(&mut self.next.touches).change(log, &before, &now);
        }
    }

    /// Takes note of the records of what an earlier process read. Nothing needs them before the first log changes.
    fn learn_saved(&mut self) {
        for log in std::mem::take(&mut self.unlearned) {
            if let Some(known) = self.next.known(log) {
                self.copies.learn(log, known.summary.heads.iter());
            }
        }
    }
}

impl Logs {
    /// All that a later process needs to know these logs again. Logs whose paths are no text are left out.
    pub(crate) fn saved(&self) -> Saved {
        let known = self.known.iter().flatten().filter(|known| known.stamp.is_some());
        let known: Vec<(&str, &Known)> = known.filter_map(|known| Some((known.file.path.to_str()?, known))).collect();
        let index: FxHashMap<LogId, u32> =
            known.iter().zip(0..).map(|((_, known), at)| (known.summary.log, at)).collect();
        let origin = |log: LogId| {
            let Origin { log, turns, own } = self.origins.get(&log)?;
            Some(SavedOrigin { log: *index.get(log)?, turns: *turns, own: own.to_vec() })
        };
        let saved = |(path, known): &(&str, &Known)| {
            let summary = &known.summary;
            Some(SavedLog::new(path, known.stamp?, &known.cursor, summary, origin(summary.log)))
        };
        Saved { logs: known.iter().filter_map(saved).collect() }
    }
}

/// The version of what an earlier process read: the next reading is newer.
const SAVED_VERSION: u64 = 1;
