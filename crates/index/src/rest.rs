//! What outlives the process: everything that was read, in the cache.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use agents::Env;
use trace::Agent;

use crate::cache::{Cache, CacheReport, Saved, SavedLog, log_key, summaries_name};
use crate::file::{LogFile, Stamp};
use crate::store::Store;
use crate::{Index, lock};

/// A log that grew while we looked and was written so lately is about to grow: what goes on from it stays in memory.
const QUIET: Duration = Duration::from_secs(10 * 60);

/// What is kept on disk.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of all files together.
    pub budget: u64,
    /// Bytes of a log from which on its derived path is kept. Below, reading the log anew takes about as long as
    /// reading a file of ours, of which there would be thousands.
    pub smallest_spine: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { budget: caches::BUDGET, smallest_spine: 1 << 20 }
    }
}

impl Index {
    /// [`Index::of_agents`] that keeps what it read in this folder, and begins with what was kept there. Several
    /// processes may share it.
    pub fn with_cache(env: Env, agents: &[Agent], folder: &Path) -> Index {
        Index::with_limits(env, agents, folder, Limits::default())
    }

    /// The same with other limits.
    pub fn with_limits(env: Env, agents: &[Agent], folder: &Path, limits: Limits) -> Index {
        let cache = Cache::at(folder, limits.budget);
        Index::with_store(env, agents, Store::with_cache(cache, limits.smallest_spine))
    }

    /// What is in the cache. `None`: there is none.
    pub fn cache_report(&self) -> Option<CacheReport> {
        let cache = self.store.cache.as_ref()?;
        let is_kept = cache.mark(&self.summaries_name()).is_some();
        let logs = if is_kept { self.snapshot().summaries().count() as u64 } else { 0 };
        Some(CacheReport { logs, ..cache.report() })
    }

    /// Writes what was read since the last time into the cache, and lets go of what nobody needs in memory. Takes a
    /// while where much was read; nothing waits for it.
    pub fn save(&self) {
        let Some(cache) = &self.store.cache else { return };
        let files: Vec<Arc<LogFile>> = lock(&self.registry).files().cloned().collect();
        let now = SystemTime::now();
        let is_quiet = |stamp: Option<Stamp>| {
            let modified = stamp.and_then(|stamp| stamp.modified);
            modified.is_some_and(|time| now.duration_since(time).is_ok_and(|age| age > QUIET))
        };
        for file in files {
            if file.rest(&self.store, &is_quiet) {
                // Somebody wanted to read it meanwhile.
                self.refresh_paths(&[file.path.to_path_buf()]);
            }
            if !cache.is_writable() {
                return;
            }
        }
        self.save_summaries(cache);
    }

    fn save_summaries(&self, cache: &Cache) {
        let logs = self.snapshot();
        let name = self.summaries_name();
        let mut saved = lock(&self.saved);
        // Another process may have put what it knew in the place of what this one knows.
        if *saved == (logs.content, cache.mark(&name)) || logs.reading().is_some() {
            return;
        }
        if let Some(written) = cache.write(&name, [bitcode::encode(&logs.saved()).into()].into_iter()) {
            *saved = (logs.content, Some(written));
            cache.tidy();
        }
    }

    /// Begins with what an earlier process knew, once. [`Index::refresh`] does it, too.
    pub fn restore(&self) {
        self.restored.call_once(|| {
            let Some(cache) = &self.store.cache else { return };
            let name = self.summaries_name();
            lock(&self.saved).1 = cache.mark(&name);
            let Some(found) = cache.open(&name, 1) else { return };
            match found.sections.first().map(|section| bitcode::decode::<Saved>(section)) {
                Some(Ok(saved)) => self.take_saved(saved),
                _ => cache.drop_damaged(&name),
            }
        });
    }

    fn take_saved(&self, saved: Saved) {
        let mut registry = lock(&self.registry);
        registry.reserve(saved.logs.len());
        let reader = |log: &SavedLog| self.readers.iter().find(|reader| reader.agent() == log.summary.agent).copied();
        let file = |log: &SavedLog| Some(registry.add_saved(reader(log)?, log));
        let files: Option<Vec<_>> = saved.logs.iter().map(file).collect();
        drop(registry);
        let Some(files) = files else { return };
        self.publish_saved(files, saved);
    }

    /// Who reads other folders, or logs of other agents, has other summaries.
    fn summaries_name(&self) -> String {
        let mut roots: Vec<(Agent, PathBuf)> = self.each_root().map(|(reader, root)| (reader.agent(), root)).collect();
        roots.sort();
        let names: Vec<_> =
            roots.iter().flat_map(|(agent, root)| [agent.id().into(), root.to_string_lossy()]).collect();
        summaries_name(log_key(names.iter().map(|name| &**name)))
    }
}
