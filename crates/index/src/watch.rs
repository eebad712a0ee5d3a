//! Following logs as they grow: the system tells, and where it does not we look.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use notify::{ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::file::Stamp;
use crate::{Changed, Index, lock};

/// A record is written in several pieces, and a step is several records: so long nothing must come before they are
/// read …
const QUIET: Duration = Duration::from_millis(10);
/// … but they are read at the latest after this time.
const PATIENCE: Duration = Duration::from_millis(30);
/// How often is looked where the system does not tell.
const TICK: Duration = Duration::from_secs(2);
/// So long after a change the cache is told of it. A process that is killed before reads that again.
const SAVE_AFTER: Duration = Duration::from_secs(30);
/// So many of the newest logs are looked at with every tick, because some systems (Windows while the writer keeps
/// the file open, network folders) tell of growth late or never.
const LOOKED_AT: usize = 8;

pub(crate) type OnChange = Box<dyn Fn(Changed) + Send + Sync>;

/// Follows all logs until it is dropped.
pub struct Watch {
    messages: Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

enum Message {
    Event(notify::Result<Event>),
    Stop,
}

struct Follower {
    index: Arc<Index>,
    on_change: OnChange,
    messages: Receiver<Message>,
    /// `None`: this system gives no watcher now.
    watcher: Option<RecommendedWatcher>,
    roots: Vec<Root>,
    /// When what changed is to be saved. `None`: nothing changed since the last time.
    save_at: Option<Instant>,
    saving: Option<JoinHandle<()>>,
}

struct Root {
    path: PathBuf,
    /// The path as the system may tell it, without links. Known once the root is watched.
    real: PathBuf,
    state: RootState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum RootState {
    Watched,
    /// It is there and cannot be watched: all of it is looked through with every tick.
    Polled,
    Missing,
}

/// What happened since the last time that logs were read.
#[derive(Default)]
struct Pending {
    paths: BTreeSet<PathBuf>,
    /// The system lost track, or a root came or went.
    everything: bool,
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.paths.is_empty() && !self.everything
    }
}

impl Index {
    /// Follows all logs from now on, on a thread of its own: reads what is new and then calls `on_change` there. What
    /// changed before is found by the next [`Index::refresh`], so watch first.
    pub fn watch(self: &Arc<Self>, on_change: Box<dyn Fn(Changed) + Send + Sync>) -> Watch {
        self.watch_by(on_change, |tell| notify::recommended_watcher(tell).ok())
    }

    /// The same with this watcher; without one logs are looked at now and then.
    pub(crate) fn watch_by(
        self: &Arc<Self>,
        on_change: OnChange,
        watcher: impl FnOnce(Box<dyn Fn(notify::Result<Event>) + Send>) -> Option<RecommendedWatcher>,
    ) -> Watch {
        let (messages, receiver) = crossbeam_channel::unbounded();
        let sender = messages.clone();
        let tell = move |event| {
            // Nobody listens any more only while the watch is being dropped.
            let _ = sender.send(Message::Event(event));
        };
        let roots = self.roots().into_iter();
        let mut watcher = Follower {
            index: self.clone(),
            on_change,
            messages: receiver,
            watcher: watcher(Box::new(tell)),
            roots: roots.map(|path| Root { real: path.clone(), path, state: RootState::Missing }).collect(),
            save_at: None,
            saving: None,
        };
        watcher.watch_roots();
        let thread = std::thread::Builder::new().name("turnlens-logs".into()).spawn(move || watcher.run()).ok();
        Watch { messages, thread }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.messages.send(Message::Stop);
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            // A panic there was told there.
            let _ = thread.join();
        }
    }
}

impl Follower {
    fn run(mut self) {
        let mut next_look = Instant::now() + TICK;
        loop {
            let mut pending = Pending::default();
            match self.messages.recv_deadline(next_look) {
                Ok(Message::Event(event)) => {
                    self.collect(event, &mut pending);
                    if self.wait_for_quiet(&mut pending).is_break() {
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.look(&mut pending);
                    self.save();
                    next_look = Instant::now() + TICK;
                }
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
            self.read(pending);
        }
    }

    fn wait_for_quiet(&mut self, pending: &mut Pending) -> std::ops::ControlFlow<()> {
        let latest = Instant::now() + PATIENCE;
        loop {
            match self.messages.recv_deadline(latest.min(Instant::now() + QUIET)) {
                Ok(Message::Event(event)) => self.collect(event, pending),
                Err(RecvTimeoutError::Timeout) => return std::ops::ControlFlow::Continue(()),
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return std::ops::ControlFlow::Break(()),
            }
            if Instant::now() >= latest {
                return std::ops::ControlFlow::Continue(());
            }
        }
    }

    fn collect(&mut self, event: notify::Result<Event>, pending: &mut Pending) {
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                pending.everything = true;
                if matches!(error.kind, ErrorKind::MaxFilesWatch) {
                    // A folder that came later is not watched, and nobody says which.
                    self.roots.iter_mut().for_each(|root| root.state = RootState::Polled);
                }
                return;
            }
        };
        pending.everything |= event.need_rescan();
        // Our own reading is an access, too.
        if matches!(event.kind, EventKind::Access(_)) {
            return;
        }
        for path in event.paths {
            let path = self.as_we_spell(path);
            if self.roots.iter().any(|root| root.path.starts_with(&path)) {
                pending.everything = true;
                self.forget_missing_roots();
            }
            pending.paths.insert(path);
        }
    }

    fn as_we_spell(&self, path: PathBuf) -> PathBuf {
        let in_other_words = |root: &Root| Some(root.path.join(path.strip_prefix(&root.real).ok()?));
        if self.roots.iter().any(|root| path.starts_with(&root.path)) {
            return path;
        }
        self.roots.iter().find_map(in_other_words).unwrap_or(path)
    }

    fn read(&mut self, pending: Pending) {
        if pending.is_empty() {
            return;
        }
        let changed = if pending.everything {
            self.index.refresh(&|_| {})
        } else {
            self.index.refresh_paths(&Vec::from_iter(pending.paths))
        };
        if !changed.is_empty() {
            self.save_at.get_or_insert(Instant::now() + SAVE_AFTER);
            (self.on_change)(changed);
        }
    }

    /// Saves what changed, when it is time, beside the following.
    fn save(&mut self) {
        let is_due = self.save_at.is_some_and(|at| at <= Instant::now());
        if !is_due || self.saving.as_ref().is_some_and(|saving| !saving.is_finished()) {
            return;
        }
        self.save_at = None;
        let index = self.index.clone();
        self.saving = std::thread::Builder::new().name("turnlens-saving".into()).spawn(move || index.save()).ok();
    }

    /// What the system does not tell.
    fn look(&mut self, pending: &mut Pending) {
        self.forget_missing_roots();
        pending.everything = self.watch_roots() || self.roots.iter().any(|root| root.state == RootState::Polled);
        let logs = self.index.snapshot();
        for path in logs.sessions().take(LOOKED_AT).filter_map(|path| logs.file(path.log)) {
            let Some(stamp) = Stamp::of(path) else { continue };
            let is_read = lock(&self.index.registry).get(path).is_some_and(|file| file.is_read(stamp));
            if !is_read {
                pending.paths.insert(path.to_owned());
            }
        }
    }

    /// Watches the roots that are there and are not watched yet. Gives whether there was one: logs may have come with
    /// it.
    fn watch_roots(&mut self) -> bool {
        let mut has_new = false;
        for root in self.roots.iter_mut().filter(|root| root.state != RootState::Watched) {
            if !root.path.exists() {
                root.state = RootState::Missing;
                continue;
            }
            let watched = self.watcher.as_mut().map(|watcher| watcher.watch(&root.path, RecursiveMode::Recursive));
            if matches!(watched, Some(Ok(()))) {
                root.state = RootState::Watched;
                root.real = real(&root.path);
                has_new = true;
            } else {
                root.state = RootState::Polled;
            }
        }
        has_new
    }

    fn forget_missing_roots(&mut self) {
        for root in self.roots.iter_mut().filter(|root| root.state == RootState::Watched) {
            // A root that was moved away and made anew is another folder.
            if !root.path.exists() || real(&root.path) != root.real {
                if let Some(watcher) = &mut self.watcher {
                    // Most systems have dropped the watch with the folder.
                    let _ = watcher.unwatch(&root.path);
                }
                root.state = RootState::Missing;
            }
        }
    }
}

fn real(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}
