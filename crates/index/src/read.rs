//! Finding logs and reading what is new in them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsStr;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use agents::{Found, Reader};
use rustc_hash::FxHashSet;

use crate::file::{LogFile, Outcome, Stamp};
use crate::publish::Stage;
use crate::{Changed, Index, Progress, lock};

/// Threads that read logs at the same time: as many as there are processors, within bounds. One alone would wait for the
/// disk, and each holds a log in memory.
const FEWEST_THREADS: usize = 2;
const MOST_THREADS: usize = 8;
/// How long what was read waits for more before it is published. At first a person waits for anything at all: then it is
/// a quarter as long as all the reading before.
const BATCH: Duration = Duration::from_millis(100);
const FIRST_BATCH: Duration = Duration::from_millis(2);
/// Bytes of a log's beginning that are read, and shown, before the rest of it: a page or more. Most logs are shorter.
const PIECE: u64 = 1 << 20;
/// The most that is read of a log at once: what was read of it is held until it is known that the log goes on.
const MOST_PIECE: u64 = 16 << 20;

impl Index {
    /// Looks for logs and reads what is new in them, newest first. What was read is published as it comes; on return
    /// all of it is. Files whose length and time did not change are not opened.
    pub fn refresh(&self, progress: &(dyn Fn(Progress) + Sync)) -> Changed {
        self.refresh_first(&[], progress)
    }

    /// The same, with logs of sessions in these folders before all others, as far as their places say so.
    pub fn refresh_first(&self, folders: &[PathBuf], progress: &(dyn Fn(Progress) + Sync)) -> Changed {
        let found = self.restore_and_discover();
        let there: FxHashSet<&OsStr> = found.iter().map(|(_, found)| found.path.as_os_str()).collect();
        let (gone, new) = {
            let mut registry = lock(&self.registry);
            let gone: Vec<Arc<LogFile>> =
                registry.files().filter(|file| !there.contains(file.path.as_os_str())).cloned().collect();
            let mut new: Vec<(&Found, Arc<LogFile>)> =
                found.iter().map(|(reader, found)| (found, registry.get_or_add(*reader, &found.path))).collect();
            new.retain(|(found, file)| {
                !file.is_read(Stamp { len: found.len, modified: found.modified, file: found.file })
            });
            let is_other = |file: &LogFile| !folders.iter().any(|folder| file.reader.is_of_folder(&file.path, folder));
            new.sort_by_cached_key(|(found, file)| (is_other(file), Reverse(found.modified), found.path.clone()));
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
        self.publish(Vec::new(), if is_first && is_last { Stage::AllRead } else { Stage::AsBefore });
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

    /// Reads the beginnings of logs that nobody read yet and whose files bear this name: somebody waits for them while
    /// others are read. Who found them reads the rest.
    pub fn read_first(&self, name: &str) -> Changed {
        let logs = self.snapshot();
        let is_wanted = |file: &&Arc<LogFile>| {
            let stem = file.path.file_stem().unwrap_or_default();
            logs.summary(file.id).is_none() && stem.to_string_lossy().contains(name) && !file.was_read()
        };
        let wanted: Vec<Arc<LogFile>> = lock(&self.registry).files().filter(is_wanted).cloned().collect();
        if wanted.is_empty() {
            return Changed::default();
        }
        self.read_ahead();
        let mut read = Vec::new();
        for file in wanted {
            self.read_piece(&file, PIECE, &mut |outcome, _| read.extend(outcome));
        }
        self.publish(read, Stage::NoMoreAhead)
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

    /// The two have nothing to do with each other, and a person waits for the first list.
    fn restore_and_discover(&self) -> Vec<(&'static dyn Reader, Found)> {
        if self.restored.is_completed() {
            return self.discover();
        }
        std::thread::scope(|scope| {
            scope.spawn(|| self.restore());
            self.discover()
        })
    }

    /// Every log below every root. What could not be looked at is trouble from now on, or no more.
    fn discover(&self) -> Vec<(&'static dyn Reader, Found)> {
        let (mut all, mut bad) = (Vec::new(), BTreeMap::new());
        std::thread::scope(|scope| {
            let walk = |(reader, root): (&'static dyn Reader, PathBuf)| {
                let (mut found, mut trouble) = (Vec::new(), Vec::new());
                reader.walk(&root, &mut |log| found.push((reader, log)), &mut |told| trouble.push(told));
                (found, trouble)
            };
            let walks: Vec<_> = self.each_root().map(|root| scope.spawn(move || walk(root))).collect();
            for walk in walks {
                let (found, trouble) = walk.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                all.extend(found);
                bad.extend(trouble.into_iter().map(|trouble| (trouble.path, trouble.error.to_string())));
            }
        });
        self.set_bad_folders(bad);
        all
    }

    /// Reads on several threads while this one publishes: the beginnings in this order, and beside them what is left of long
    /// logs, one after the other.
    fn read_all(&self, files: &[Arc<LogFile>], is_first: bool, progress: &(dyn Fn(Progress) + Sync)) -> Changed {
        let total = files.len();
        let mut done = 0;
        let mut changed = Changed::default();
        let mut batch: Vec<Outcome> = Vec::new();
        let mut publish = |batch: &mut Vec<Outcome>, done: usize| {
            let stage = if is_first { Stage::Progress(done, total) } else { Stage::AsBefore };
            let Changed { logs, gone } = self.publish(std::mem::take(batch), stage);
            changed.logs.extend(logs);
            changed.gone.extend(gone);
            progress(Progress { done, total });
        };
        if let [file] = files {
            // The usual case of a growing log needs no threads.
            self.read_in_pieces(file, PIECE, &mut |outcome, has_more| {
                batch.extend(outcome);
                publish(&mut batch, usize::from(!has_more));
            });
        } else if total > 1 {
            publish(&mut batch, 0);
            let queue = &Queue::new(files);
            let read = &Mutex::new(Vec::new());
            let mut publish_read = || {
                let read = std::mem::take(&mut *lock(read));
                if read.is_empty() {
                    return;
                }
                done += read.iter().filter(|(_, has_more)| !has_more).count();
                batch.extend(read.into_iter().filter_map(|(outcome, _)| outcome));
                publish(&mut batch, done);
            };
            std::thread::scope(|scope| {
                let (reads, all_is_read) = mpsc::channel::<()>();
                let processors = std::thread::available_parallelism().map_or(FEWEST_THREADS, NonZero::get);
                for _ in 0..processors.clamp(FEWEST_THREADS, MOST_THREADS).min(total) {
                    let reads = reads.clone();
                    scope.spawn(move || {
                        self.work_off(queue, &mut |outcome, has_more| lock(read).push((outcome, has_more)));
                        drop(reads);
                    });
                }
                drop(reads);
                let began = Instant::now();
                let mut pause = FIRST_BATCH;
                // To be woken for each log would take as long as some of them take to be read.
                while all_is_read.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                    let now = Instant::now();
                    publish_read();
                    // Publishing costs with what there is: it must not become most of the work.
                    pause = (began.elapsed() / 4).clamp(FIRST_BATCH, BATCH).max(now.elapsed() * 20);
                }
            });
            publish_read();
        }
        for logs in [&mut changed.logs, &mut changed.gone] {
            logs.sort();
            logs.dedup();
        }
        changed
    }

    /// Reads as long as there is something to read.
    fn work_off(&self, queue: &Queue<'_>, told: &mut dyn FnMut(Option<Outcome>, bool)) {
        while let Some(work) = queue.next() {
            match work {
                Work::Beginning(file) => {
                    if self.read_piece(file, PIECE, told) {
                        queue.put_rest(file.clone());
                    }
                }
                Work::Rest(file) => {
                    self.read_in_pieces(&file, 4 * PIECE, told);
                    queue.rest_is_read();
                }
            }
        }
    }

    /// Reads a log to its end, in pieces that double.
    fn read_in_pieces(&self, file: &Arc<LogFile>, first: u64, told: &mut dyn FnMut(Option<Outcome>, bool)) {
        let mut limit = first;
        while self.read_piece(file, limit, told) {
            limit = (2 * limit).min(MOST_PIECE);
        }
    }

    /// Whether there is more to read.
    fn read_piece(&self, file: &Arc<LogFile>, limit: u64, told: &mut dyn FnMut(Option<Outcome>, bool)) -> bool {
        let outcome = file.read(&self.store, limit);
        let has_more = outcome.as_ref().is_some_and(|outcome| outcome.has_more);
        outcome.iter().for_each(|outcome| self.store.count_outcome(outcome));
        // Somebody may have wanted to read it while it was written.
        let again = !has_more && self.store.is_full() && file.rest(&self.store, &|_| true);
        told(outcome, has_more || again);
        has_more || again
    }
}

/// Logs that are to be read.
struct Queue<'f> {
    files: &'f [Arc<LogFile>],
    next: AtomicUsize,
    rests: Mutex<Rests>,
}

/// What is left of long logs.
#[derive(Default)]
struct Rests {
    logs: VecDeque<Arc<LogFile>>,
    /// Who reads one right now.
    readers: usize,
}

enum Work<'f> {
    Beginning(&'f Arc<LogFile>),
    Rest(Arc<LogFile>),
}

impl<'f> Queue<'f> {
    fn new(files: &'f [Arc<LogFile>]) -> Queue<'f> {
        Queue { files, next: AtomicUsize::new(0), rests: Mutex::default() }
    }

    /// A single thread leaves the beginnings to others, so that a log longer than all others is not read last, alone.
    fn next(&self) -> Option<Work<'f>> {
        let beside = || self.next_rest(|rests| rests.readers == 0);
        beside().or_else(|| self.next_beginning()).or_else(|| self.next_rest(|_| true))
    }

    fn next_beginning(&self) -> Option<Work<'f>> {
        self.files.get(self.next.fetch_add(1, Ordering::Relaxed)).map(Work::Beginning)
    }

    fn next_rest(&self, is_free: impl Fn(&Rests) -> bool) -> Option<Work<'f>> {
        let mut rests = lock(&self.rests);
        let log = if is_free(&rests) { rests.logs.pop_front()? } else { return None };
        rests.readers += 1;
        Some(Work::Rest(log))
    }

    fn put_rest(&self, file: Arc<LogFile>) {
        lock(&self.rests).logs.push_back(file);
    }

    fn rest_is_read(&self) {
        lock(&self.rests).readers -= 1;
    }
}

/// What lies at a path.
enum At {
    Log(Arc<LogFile>),
    /// A folder, or nothing where logs lay below.
    Folder,
    Elsewhere,
}
