//! Which logs touched which path.

use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;
use trace::LogId;

use crate::summary::{FileUse, LogSummary};

/// A log that edited a file or read it whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Touch {
    pub log: LogId,
    /// The file's path as the log spells it.
    pub path: Box<str>,
}

/// By the last part of the path.
type ByName = FxHashMap<Arc<str>, Arc<Vec<Touch>>>;

/// Made of all summaries when somebody asks: a list of sessions does not. From then on it is changed with them.
#[derive(Clone, Default)]
pub(crate) struct Touches(OnceLock<ByName>);

impl Touches {
    /// `all`: the summaries that this belongs to.
    pub(crate) fn get<'s>(&self, all: impl Iterator<Item = &'s Arc<LogSummary>>) -> &ByName {
        self.0.get_or_init(|| {
            let mut by_name = ByName::default();
            all.for_each(|summary| learn(&mut by_name, summary.log, summary.files.iter()));
            by_name
        })
    }

    /// Takes note of what a log touches now instead of `before`. Both lists are in the order of their paths. Whoever
    /// changes has asked before.
    pub(crate) fn change(&mut self, log: LogId, before: &[FileUse], now: &[FileUse]) {
        let mut by_name = self.0.take().unwrap_or_default();
        learn(&mut by_name, log, now.iter().filter(|file| !has(before, file)));
        forget(&mut by_name, log, before.iter().filter(|file| !has(now, file)));
        self.0 = by_name.into();
    }
}

fn learn<'f>(by_name: &mut ByName, log: LogId, files: impl Iterator<Item = &'f FileUse>) {
    for file in files {
        let name = file_name(&file.path);
        let touches = match by_name.get_mut(name) {
            Some(touches) => touches,
            None => by_name.entry(name.into()).or_default(),
        };
        let touch = Touch { log, path: file.path.clone() };
        let touches = Arc::make_mut(touches);
        let at = match touches.last() {
            Some(last) if *last > touch => touches.partition_point(|known| *known < touch),
            _ => touches.len(),
        };
        touches.insert(at, touch);
    }
}

fn forget<'f>(by_name: &mut ByName, log: LogId, files: impl Iterator<Item = &'f FileUse>) {
    for file in files {
        let name = file_name(&file.path);
        let Some(touches) = by_name.get_mut(name) else { continue };
        let touches = Arc::make_mut(touches);
        touches.retain(|touch| touch.log != log || touch.path != file.path);
        if touches.is_empty() {
            by_name.remove(name);
        }
    }
}

fn has(files: &[FileUse], file: &FileUse) -> bool {
    files.binary_search_by(|known| known.path.cmp(&file.path)).is_ok()
}

/// The last part of a path, whichever system wrote it.
fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}
