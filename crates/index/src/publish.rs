//! What lies above single logs, kept up to date log by log and published as a whole.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use trace::{DerivedPath, LogId, Turn};

use crate::copies::Copies;
use crate::file::{Outcome, Read};
use crate::logs::{Known, Logs, Touch, Trouble};
use crate::{Changed, Index, lock};

/// The next moment in the making.
#[derive(Default)]
pub(crate) struct Publisher {
    next: Logs,
    copies: Copies,
    /// The newest version of each log that was taken, also of those that are gone.
    versions: FxHashMap<LogId, u64>,
    /// The paths that each log is known to have touched.
    touched: FxHashMap<LogId, FxHashSet<Box<str>>>,
    /// Logs that could not be read.
    bad_files: BTreeMap<PathBuf, String>,
    /// What could not be looked at when logs were last looked for.
    bad_folders: BTreeMap<PathBuf, String>,
}

impl Index {
    /// Takes over what was read and makes it visible.
    pub(crate) fn publish(&self, outcomes: Vec<Outcome>, reading: Option<(usize, usize)>) -> Changed {
        let mut publisher = lock(&self.publisher);
        let changed = publisher.take_all(outcomes);
        for log in &changed.logs {
            if let Some(path) = publisher.next.get(*log) {
                self.paths.insert(*log, path.clone());
            }
        }
        changed.gone.iter().for_each(|log| drop(self.paths.remove(log)));
        if !changed.gone.is_empty() {
            lock(&self.bodies).forget(&changed.gone);
        }
        let next = &mut publisher.next;
        let last = self.published.load();
        let is_same = changed.is_empty() && last.reading == reading && Arc::ptr_eq(&last.trouble, &next.trouble);
        if !is_same {
            next.generation += 1;
            next.reading = reading;
            self.published.store(Arc::new(next.clone()));
        }
        changed
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
        let Outcome { file, version, epoch, read, .. } = outcome;
        let newest = self.versions.entry(file.id).or_default();
        if *newest >= version {
            return None;
        }
        *newest = version;
        let before = self.next.known(file.id);
        let is_continued = before.is_some_and(|before| before.epoch == epoch);
        let before = before.map(|before| before.path.clone());
        let (path, trouble) = match read {
            Read::Unchanged => return None,
            Read::Path(path) => (Some(path), None),
            Read::Gone => (None, None),
            Read::Failed(error) => (None, Some(error.to_string())),
        };
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
        if let Some(before) = before.as_ref().filter(|_| !is_continued) {
            copies_of_gone.extend(self.copies.forget(before));
            self.forget_touches(before.log);
        }
        let is_there = path.is_some();
        if before.is_none() && !is_there {
            return None;
        }
        self.place(before.as_deref(), path.as_deref(), file.id);
        let continued = before.filter(|_| is_continued);
        if let Some(path) = &path {
            let turns = new_turns(continued.as_deref(), path);
            self.copies.learn(path.log, turns);
            self.learn_touches(continued.as_deref(), path);
        }
        let known = path.map(|path| Known { path, file: file.path.clone(), epoch, side: Arc::default() });
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
    fn place(&mut self, before: Option<&DerivedPath>, now: Option<&DerivedPath>, log: LogId) {
        let age = |path: &DerivedPath| path.owner.is_none().then_some(Reverse(path.ended));
        let (old_age, new_age) = (before.and_then(age), now.and_then(age));
        if old_age != new_age {
            if old_age.is_some() {
                self.next.newest.retain(|(_, known)| *known != log);
            }
            self.next.newest.extend(new_age.map(|age| (age, log)));
        }
        let name = |path: &DerivedPath| (path.session.clone(), path.owner.is_some());
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
        let known = |log| next.known(log);
        let concerned = self.copies.concerned(&changed);
        let found: Vec<_> = concerned.into_iter().map(|log| (log, self.copies.origin(log, &known))).collect();
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

    fn learn_touches(&mut self, before: Option<&DerivedPath>, path: &DerivedPath) {
        let touched = self.touched.entry(path.log).or_default();
        let mut learn = |file: &str| {
            if touched.contains(file) {
                return;
            }
            touched.insert(file.into());
            let name = file_name(file);
            let touches = Arc::make_mut(&mut self.next.touches);
            let logs = match touches.get_mut(name) {
                Some(logs) => logs,
                None => touches.entry(name.into()).or_default(),
            };
            let touch = Touch { log: path.log, path: file.into() };
            let logs = Arc::make_mut(logs);
            let at = logs.partition_point(|known| *known < touch);
            logs.insert(at, touch);
        };
        let old = before.map_or((&[][..], &[][..]), |before| (&before.turns, &before.sides));
        let turns = changed(old.0, &path.turns).map(|(old, turn)| (old.map(|old| &old.steps), &turn.steps));
        let sides = changed(old.1, &path.sides).map(|(old, side)| (old.map(|old| &old.steps), &side.steps));
        let steps = turns.chain(sides).flat_map(|(old, steps)| steps.changed_since(old));
        for result in steps.filter_map(|step| step.result.as_ref()) {
            result.edits.iter().for_each(|edit| learn(&edit.path));
            result.whole_read.iter().for_each(|file| learn(file));
        }
    }

    fn forget_touches(&mut self, log: LogId) {
        let Some(touched) = self.touched.remove(&log) else { return };
        let touches = Arc::make_mut(&mut self.next.touches);
        for file in touched {
            let name = file_name(&file);
            let Some(logs) = touches.get_mut(name) else { continue };
            let logs = Arc::make_mut(logs);
            logs.retain(|touch| touch.log != log);
            if logs.is_empty() {
                touches.remove(name);
            }
        }
    }
}

/// The turns that the log did not have before.
fn new_turns<'a>(before: Option<&DerivedPath>, path: &'a DerivedPath) -> impl Iterator<Item = &'a Arc<Turn>> + use<'a> {
    // The last turn before may have got its first record since.
    let known = before.map_or(0, |before| before.turns.len().saturating_sub(1));
    path.turns.iter().skip(known)
}

/// What a snapshot does not share with the one before, each with what it was there.
fn changed<'a, T>(before: &'a [Arc<T>], now: &'a [Arc<T>]) -> impl Iterator<Item = (Option<&'a Arc<T>>, &'a Arc<T>)> {
    let paired = now.iter().enumerate().map(|(at, item)| (before.get(at), item));
    paired.filter(|(old, item)| !old.is_some_and(|old| Arc::ptr_eq(old, item)))
}

/// The last part of a path, whichever system wrote it.
fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}
