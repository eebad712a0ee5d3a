//! Finding logs and reading what is new in them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use agents::{Found, Reader};
use rustc_hash::FxHashSet;

use crate::file::{LogFile, Outcome, Stamp};
use crate::{Changed, Index, Progress, lock};

/// Logs that are read at the same time.
const THREADS: usize = 2;
/// How long what was read waits for more before it is published.
const BATCH: Duration = Duration::from_millis(100);

impl Index {
    /// Looks for logs and reads what is new in them, newest first. What was read is published as it comes; on return
    /// all of it is. Files whose length and time did not change are not opened.
    pub fn refresh(&self, progress: &(dyn Fn(Progress) + Sync)) -> Changed {
        self.restore();
        let found = self.discover();
        let there: FxHashSet<&Path> = found.iter().map(|(_, found)| &*found.path).collect();
        let (gone, new) = {
            let mut registry = lock(&self.registry);
            let gone: Vec<Arc<LogFile>> =
                registry.files().filter(|file| !there.contains(&*file.path)).cloned().collect();
            let mut new: Vec<(&Found, Arc<LogFile>)> =
                found.iter().map(|(reader, found)| (found, registry.get_or_add(*reader, &found.path))).collect();
            new.retain(|(found, file)| {
                !file.is_read(Stamp { len: found.len, modified: found.modified, file: found.file })
            });
            new.sort_by(|(a, _), (b, _)| b.modified.cmp(&a.modified).then_with(|| a.path.cmp(&b.path)));
            (gone, new.into_iter().map(|(_, file)| file).collect::<Vec<_>>())
        };
        let logs = self.snapshot();
        let is_told = |file: &LogFile| {
            logs.summary(file.id).is_some() || logs.trouble().iter().any(|trouble| trouble.path == *file.path)
        };
        let gone = gone.into_iter().filter(|file| is_told(file));
        let files: Vec<Arc<LogFile>> = gone.chain(new).collect();
        let is_first = logs.reading().is_some();
        self.first_refreshes.fetch_add(usize::from(is_first), Ordering::SeqCst);
        let changed = self.read_all(&files, is_first, progress);
        let is_last = self.first_refreshes.fetch_sub(usize::from(is_first), Ordering::SeqCst) == 1;
        // Tells also what could not be looked at.
        self.publish(Vec::new(), self.snapshot().reading().filter(|_| !(is_first && is_last)));
        changed
    }

    /// Reads what is new in these files, as far as they are logs; folders among them are searched.
    pub fn refresh_paths(&self, paths: &[PathBuf]) -> Changed {
        self.restore();
        let roots: Vec<_> = self.each_root().collect();
        let mut files: Vec<Arc<LogFile>> = Vec::new();
        for path in paths {
            match self.log_at(path, &roots) {
                At::Log(file) => files.push(file),
                At::Elsewhere => {}
                // Logs may have come with it, or gone with it.
                At::Folder => return self.refresh(&|_| {}),
            }
        }
        files.sort_by_key(|file| file.id);
        files.dedup_by_key(|file| file.id);
        self.read_all(&files, false, &|_| {})
    }

    fn log_at(&self, path: &Path, roots: &[(&'static dyn Reader, PathBuf)]) -> At {
        let of_root = roots.iter().find(|(reader, root)| path.starts_with(root) && reader.is_log(root, path));
        let mut registry = lock(&self.registry);
        if let Some(known) = registry.get(path) {
            return At::Log(known.clone());
        }
        let exists = path.symlink_metadata();
        if exists.as_ref().is_ok_and(|meta| meta.is_dir()) {
            return At::Folder;
        }
        match (of_root, exists) {
            (Some((reader, _)), Ok(_)) => At::Log(registry.get_or_add(*reader, path)),
            (_, Err(_)) if registry.files().any(|file| file.path.starts_with(path)) => At::Folder,
            _ => At::Elsewhere,
        }
    }

    /// Every log below every root. What could not be looked at is trouble from now on, or no more.
    fn discover(&self) -> Vec<(&'static dyn Reader, Found)> {
        let mut all = Vec::new();
        let mut bad = BTreeMap::new();
        for (reader, root) in self.each_root() {
            reader.walk(&root, &mut |found| all.push((reader, found)), &mut |trouble| {
                bad.insert(trouble.path, trouble.error.to_string());
            });
        }
        self.set_bad_folders(bad);
        all
    }

    /// Reads on two threads, in this order, while this one publishes.
    fn read_all(&self, files: &[Arc<LogFile>], is_first: bool, progress: &(dyn Fn(Progress) + Sync)) -> Changed {
        let total = files.len();
        let next = AtomicUsize::new(0);
        let mut done = 0;
        let mut changed = Changed::default();
        let mut batch: Vec<Outcome> = Vec::new();
        let reading = |done: usize| is_first.then_some((done, total));
        let mut publish = |batch: &mut Vec<Outcome>, done: usize| {
            let reading = reading(done).or_else(|| self.snapshot().reading());
            let Changed { logs, gone } = self.publish(std::mem::take(batch), reading);
            changed.logs.extend(logs);
            changed.gone.extend(gone);
            progress(Progress { done, total });
        };
        if total == 1 {
            // The usual case of a growing log needs no threads.
            batch.extend(files[0].read(&self.store));
            batch.iter().for_each(|outcome| self.store.count_outcome(outcome));
            publish(&mut batch, total);
        } else if total > 1 {
            publish(&mut batch, 0);
            std::thread::scope(|scope| {
                let (sender, outcomes) = crossbeam_channel::unbounded();
                for _ in 0..THREADS.min(total) {
                    let (sender, next) = (sender.clone(), &next);
                    scope.spawn(move || {
                        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                            // The other end is gone only after a panic there.
                            let _ = sender.send(file.read(&self.store));
                            if self.store.is_full() && file.rest(&self.store, &|_| false) {
                                let _ = sender.send(file.read(&self.store));
                            }
                        }
                    });
                }
                drop(sender);
                let mut due = Instant::now() + BATCH;
                while let Ok(outcome) = outcomes.recv() {
                    done = (done + 1).min(total);
                    outcome.iter().for_each(|outcome| self.store.count_outcome(outcome));
                    batch.extend(outcome);
                    if Instant::now() >= due {
                        publish(&mut batch, done);
                        due = Instant::now() + BATCH;
                    }
                }
            });
            publish(&mut batch, done);
        }
        for logs in [&mut changed.logs, &mut changed.gone] {
            logs.sort();
            logs.dedup();
        }
        changed
    }
}

/// What lies at a path.
enum At {
    Log(Arc<LogFile>),
    /// A folder, or nothing where logs lay below.
    Folder,
    Elsewhere,
}
