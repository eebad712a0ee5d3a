//! Looking through the files of logs on two threads.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::{Blocks, Probe, Scanner, stamp};

/// Threads that read and decode.
const THREADS: usize = 2;
/// Bytes read at once: they stay in the processor's own cache.
const CHUNK: usize = 128 << 10;
/// A larger piece of a log is shared between the threads.
const PIECE: u64 = 4 << 20;

/// A log, or what is known of it.
#[derive(Clone)]
pub struct Part<'a> {
    pub path: &'a Path,
    /// Bytes from the beginning that are looked through.
    pub len: u64,
    pub blocks: Option<Arc<Blocks>>,
}

/// Logs whose hits are told together.
pub struct Group<'a> {
    pub parts: Vec<Part<'a>>,
}

/// Where records lie that may match, in one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Places {
    /// Anywhere.
    All,
    /// At these offsets, in order.
    At(Vec<u64>),
}

impl Places {
    /// Whether one of them lies in these bytes.
    pub fn touch(&self, bytes: Range<u64>) -> bool {
        match self {
            Places::All => true,
            Places::At(offsets) => {
                let first = offsets.partition_point(|offset| *offset < bytes.start);
                offsets.get(first).is_some_and(|offset| *offset < bytes.end)
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        matches!(self, Places::At(offsets) if offsets.is_empty())
    }
}

/// A piece of a log.
struct Piece {
    group: usize,
    part: usize,
    bytes: Range<u64>,
}

/// What was found of a group so far.
struct Open {
    /// Pieces to come.
    left: usize,
    places: Vec<Places>,
}

/// Looks through `groups` for what `scanner` finds, passing over blocks that by `probe` cannot hold it. For each group
/// with a place, `read` says what is told of it (on any thread), and `tell` is handed that in the order of the groups,
/// until it breaks off or `is_cancelled`. A file that cannot be read has nothing in it.
pub fn hunt<T: Send>(
    groups: &[Group<'_>],
    scanner: &Scanner,
    probe: &Probe,
    is_cancelled: &(dyn Fn() -> bool + Sync),
    read: &(dyn Fn(usize, &[Places]) -> Option<T> + Sync),
    tell: &mut dyn FnMut(T) -> ControlFlow<()>,
) {
    let (pieces, open) = divide(groups, scanner, probe);
    if pieces.is_empty() {
        return;
    }
    let (next, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let stop = || is_over.load(Ordering::Relaxed) || is_cancelled();
    let (sender, told) = crossbeam_channel::unbounded::<(usize, Option<T>)>();
    let (pieces, open, next, stop) = (&pieces, &open, &next, &stop);
    std::thread::scope(|scope| {
        for _ in 0..THREADS.min(pieces.len()) {
            let sender = sender.clone();
            scope.spawn(move || {
                let mut buffer = Vec::new();
                while let Some(piece) = pieces.get(next.fetch_add(1, Ordering::Relaxed)).filter(|_| !stop()) {
                    let found = look(groups, piece, scanner, &mut buffer, stop);
                    if let Some(places) = close(open, piece, found) {
                        let some = if places.iter().all(Places::is_empty) { None } else { read(piece.group, &places) };
                        // The other end is gone only where nothing more is wanted.
                        _ = sender.send((piece.group, some));
                    }
                }
            });
        }
        drop(sender);
        in_order(open, &told, tell);
        is_over.store(true, Ordering::Relaxed);
    });
}

/// Hands on what comes in whatever order in the order of the groups.
fn in_order<T>(
    open: &[Mutex<Open>],
    told: &crossbeam_channel::Receiver<(usize, Option<T>)>,
    tell: &mut dyn FnMut(T) -> ControlFlow<()>,
) {
    let mut waiting: std::collections::BTreeMap<usize, Option<T>> = std::collections::BTreeMap::new();
    let mut next = 0;
    while let Ok((group, some)) = told.recv() {
        waiting.insert(group, some);
        while next < open.len() {
            let some = match waiting.remove(&next) {
                Some(some) => some,
                // Nothing of this group was looked at.
                None if open.get(next).is_some_and(|open| lock(open).places.is_empty()) => None,
                None => break,
            };
            next += 1;
            if some.is_some_and(|some| tell(some).is_break()) {
                return;
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The pieces to be read, and for each group what is awaited; its places are empty where nothing is.
fn divide(groups: &[Group<'_>], scanner: &Scanner, probe: &Probe) -> (Vec<Piece>, Vec<Mutex<Open>>) {
    let mut pieces = Vec::new();
    let mut open = Vec::with_capacity(groups.len());
    for (group, logs) in groups.iter().enumerate() {
        let before = pieces.len();
        for (part, log) in logs.parts.iter().enumerate() {
            let possible = match &log.blocks {
                Some(blocks) if probe.tells() => blocks.possible(probe, log.len),
                _ => std::iter::once(0..log.len).collect(),
            };
            for bytes in possible {
                // Where bytes tell nothing none are read here.
                let step = if scanner.finds_all() { u64::MAX } else { PIECE };
                let mut at = bytes.start;
                while at < bytes.end {
                    let to = at.saturating_add(step).min(bytes.end);
                    pieces.push(Piece { group, part, bytes: at..to });
                    at = to;
                }
            }
        }
        let left = pieces.len() - before;
        let nothing = Places::At(Vec::new());
        let places = if left == 0 { Vec::new() } else { vec![nothing; logs.parts.len()] };
        open.push(Mutex::new(Open { left, places }));
    }
    (pieces, open)
}

/// Adds what was found in a piece; gives all places of its group if it was the last.
fn close(open: &[Mutex<Open>], piece: &Piece, found: Places) -> Option<Vec<Places>> {
    let mut open = lock(open.get(piece.group)?);
    match (open.places.get_mut(piece.part)?, found) {
        (Places::At(all), Places::At(found)) => all.extend(found),
        (places, Places::All) => *places = Places::All,
        (Places::All, _) => {}
    }
    open.left -= 1;
    if open.left > 0 {
        return None;
    }
    for places in &mut open.places {
        if let Places::At(offsets) = places {
            offsets.sort();
        }
    }
    Some(open.places.clone())
}

fn look(
    groups: &[Group<'_>],
    piece: &Piece,
    scanner: &Scanner,
    buffer: &mut Vec<u8>,
    stop: &dyn Fn() -> bool,
) -> Places {
    if scanner.finds_all() {
        return Places::All;
    }
    let mut offsets = Vec::new();
    if let Some(part) = groups.get(piece.group).and_then(|group| group.parts.get(piece.part)) {
        let end = (piece.bytes.end + scanner.overlap() as u64).min(part.len);
        // A log that is gone holds nothing.
        _ = scan_file(part.path, piece.bytes.start..end, scanner, buffer, stop, &mut |at| offsets.push(at));
    }
    Places::At(offsets)
}

fn scan_file(
    path: &Path,
    bytes: Range<u64>,
    scanner: &Scanner,
    buffer: &mut Vec<u8>,
    stop: &dyn Fn() -> bool,
    found: &mut dyn FnMut(u64),
) -> io::Result<()> {
    let mut file = stamp::open(path)?;
    file.seek(SeekFrom::Start(bytes.start))?;
    buffer.resize(CHUNK, 0);
    // Bytes at the buffer's beginning that were looked through with those before them.
    let mut kept = 0;
    let mut at = bytes.start;
    while at < bytes.end && !stop() {
        let most = usize::try_from(bytes.end - at).unwrap_or(usize::MAX).min(CHUNK - kept);
        let read = file.read(buffer.get_mut(kept..kept + most).unwrap_or_default())?;
        if read == 0 {
            break;
        }
        let filled = kept + read;
        scanner.scan(buffer.get(..filled).unwrap_or_default(), at - kept as u64, found);
        at += read as u64;
        kept = scanner.overlap().min(filled);
        buffer.copy_within(filled - kept..filled, 0);
    }
    Ok(())
}
