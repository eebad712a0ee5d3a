//! Looking through the files of many logs on several threads.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender};

use crate::places::{Looker, Part, Places};
use crate::{Probe, Scanner};

/// Threads that read and decode: as many as there are processors, within bounds.
const FEWEST_THREADS: usize = 2;
const MOST_THREADS: usize = 8;
/// Groups that a thread takes on at once.
const RUN: usize = 16;

/// Logs whose hits are told together.
pub struct Group<'a> {
    pub parts: Vec<Part<'a>>,
}

/// What is told of one group, at the places in its parts: in as many portions as one likes, until nobody wants more.
pub type Read<'r, T> = dyn Fn(usize, &[Places<'_>], &dyn Fn() -> bool, &mut dyn FnMut(T)) + Sync + 'r;

/// Looks through `count` groups for what `scanner` finds, passing over blocks that by `probe` cannot hold it. For each
/// group with a place, `read` says what is told of it (on any thread), and `tell` is handed that in the order of the
/// groups, until it breaks off or `is_cancelled`. A file that cannot be read has nothing in it.
pub fn hunt<'g, T: Send>(
    count: usize,
    group: &(dyn Fn(usize) -> Group<'g> + Sync),
    scanner: &Scanner,
    probe: &Probe,
    is_cancelled: &(dyn Fn() -> bool + Sync),
    read: &Read<'_, T>,
    tell: &mut dyn FnMut(T) -> ControlFlow<()>,
) {
    let is_over = AtomicBool::new(false);
    let stop = || is_over.load(Ordering::Relaxed) || is_cancelled();
    let looker = Looker::new(scanner, &stop);
    let (next, large) = (AtomicUsize::new(0), Mutex::default());
    let hunter = Hunter { count, group, probe, read, looker: &looker, stop: &stop, next: &next, large: &large };
    let (sender, told) = crossbeam_channel::unbounded();
    std::thread::scope(|scope| {
        let processors = std::thread::available_parallelism().map_or(FEWEST_THREADS, NonZero::get);
        for _ in 0..processors.clamp(FEWEST_THREADS, MOST_THREADS).min(count.div_ceil(RUN)) {
            let (hunter, sender) = (&hunter, sender.clone());
            scope.spawn(move || {
                hunter.hunt(&sender);
                drop(sender);
                hunter.help();
            });
        }
        drop(sender);
        in_order(&told, tell);
        is_over.store(true, Ordering::Relaxed);
    });
}

/// What the threads share.
struct Hunter<'h, 'g, 'r, T> {
    count: usize,
    group: &'h (dyn Fn(usize) -> Group<'g> + Sync),
    probe: &'h Probe,
    read: &'h Read<'r, T>,
    looker: &'h Looker<'h>,
    stop: &'h (dyn Fn() -> bool + Sync),
    /// The first run of groups that nobody took on yet.
    next: &'h AtomicUsize,
    /// Groups with which others can help.
    large: &'h Mutex<Vec<Arc<Vec<Places<'h>>>>>,
}

/// Something of a run of groups, or `None`: that was all.
type Told<T> = (usize, Option<T>);

impl<'h, 'g: 'h, T> Hunter<'h, 'g, '_, T> {
    fn hunt(&self, sender: &Sender<Told<T>>) {
        loop {
            let run = self.next.fetch_add(1, Ordering::Relaxed);
            let groups = run.saturating_mul(RUN)..run.saturating_add(1).saturating_mul(RUN).min(self.count);
            if groups.is_empty() {
                return;
            }
            for group in groups {
                if (self.stop)() {
                    return;
                }
                // The other end is gone only where nothing more is wanted.
                self.one(group, &mut |some| _ = sender.send((run, Some(some))));
            }
            _ = sender.send((run, None));
        }
    }

    fn one(&self, number: usize, tell: &mut dyn FnMut(T)) {
        let group: Group<'h> = (self.group)(number);
        let places: Vec<Places<'h>> =
            group.parts.iter().map(|part| Places::of(part, self.probe, self.looker)).collect();
        let places = Arc::new(places);
        if places.iter().map(Places::pieces).sum::<usize>() > 1 {
            lock(self.large).push(places.clone());
        }
        if places.iter().any(Places::is_any) {
            (self.read)(number, &places, self.stop, tell);
        }
    }

    /// Looks through pieces of groups that others are still at.
    fn help(&self) {
        let large = lock(self.large).clone();
        large.iter().flat_map(|places| places.iter()).for_each(Places::look_ahead);
    }
}

/// Hands on what comes in whatever order in the order of the runs.
fn in_order<T>(told: &Receiver<Told<T>>, tell: &mut dyn FnMut(T) -> ControlFlow<()>) {
    let mut waiting: BTreeMap<usize, Vec<Option<T>>> = BTreeMap::new();
    let mut next = 0;
    while let Ok((run, some)) = told.recv() {
        waiting.entry(run).or_default().push(some);
        while let Some(come) = waiting.remove(&next) {
            for some in come {
                let Some(some) = some else {
                    next += 1;
                    continue;
                };
                if tell(some).is_break() {
                    return;
                }
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
