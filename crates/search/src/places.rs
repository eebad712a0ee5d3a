//! Where in a log records lie that may match: looked for piece by piece, and only when somebody asks for a piece.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::{Blocks, Probe, Scanner, stamp};

/// Bytes read at once: they stay in the processor's own cache.
const CHUNK: usize = 128 << 10;
/// Bytes of a log that are looked through together, at most.
const PIECE: u64 = 1 << 20;

/// A log, or what is known of it.
#[derive(Clone)]
pub struct Part<'a> {
    pub path: &'a Path,
    /// Bytes from the beginning that are looked through.
    pub len: u64,
    pub blocks: Option<Arc<Blocks>>,
}

/// Where records lie that may match, in one log.
pub enum Places<'h> {
    /// Anywhere.
    All,
    /// In some pieces of its file.
    In(Pieces<'h>),
}

pub struct Pieces<'h> {
    path: &'h Path,
    len: u64,
    /// In order, without overlap.
    pieces: Vec<Piece>,
    /// The first piece that nobody took on yet.
    next: AtomicUsize,
    looker: &'h Looker<'h>,
}

struct Piece {
    bytes: Range<u64>,
    /// Offsets in order, once it was looked through.
    found: OnceLock<Box<[u64]>>,
}

/// Looks through pieces of files.
pub(crate) struct Looker<'h> {
    scanner: &'h Scanner,
    stop: &'h (dyn Fn() -> bool + Sync),
    /// Those that nobody reads into right now.
    buffers: Mutex<Vec<Vec<u8>>>,
}

impl<'h> Places<'h> {
    /// All of a log but the blocks that by `probe` cannot hold it.
    pub(crate) fn of(part: &Part<'h>, probe: &Probe, looker: &'h Looker<'h>) -> Places<'h> {
        if looker.scanner.finds_all() && part.len > 0 {
            return Places::All;
        }
        let possible = match &part.blocks {
            Some(blocks) if probe.tells() => blocks.possible(probe, part.len),
            _ if part.len == 0 => Vec::new(),
            _ => std::iter::once(0..part.len).collect(),
        };
        let pieces = possible.into_iter().flat_map(cut).map(|bytes| Piece { bytes, found: OnceLock::new() });
        Places::In(Pieces {
            path: part.path,
            len: part.len,
            pieces: pieces.collect(),
            next: AtomicUsize::new(0),
            looker,
        })
    }

    /// Whether one of them lies in these bytes.
    pub fn touch(&self, bytes: Range<u64>) -> bool {
        let Places::In(all) = self else { return true };
        let first = all.pieces.partition_point(|piece| piece.bytes.end <= bytes.start);
        let here = all.pieces.iter().skip(first).take_while(|piece| piece.bytes.start < bytes.end);
        here.map(|piece| all.look(piece)).any(|offsets| {
            let first = offsets.partition_point(|offset| *offset < bytes.start);
            offsets.get(first).is_some_and(|offset| *offset < bytes.end)
        })
    }

    /// Whether there is one at all. Looks no further than to the first.
    pub(crate) fn is_any(&self) -> bool {
        let Places::In(all) = self else { return true };
        let is_some = |piece: &Piece| !all.look(piece).is_empty();
        // Others may look through pieces as well; their last ones are waited for.
        std::iter::from_fn(|| all.take()).any(is_some) || all.pieces.iter().any(is_some)
    }

    /// Looks through what nobody has taken on.
    pub(crate) fn look_ahead(&self) {
        let Places::In(all) = self else { return };
        while let Some(piece) = all.take() {
            all.look(piece);
        }
    }

    /// Pieces that may have to be looked through.
    pub(crate) fn pieces(&self) -> usize {
        match self {
            Places::All => 1,
            Places::In(all) => all.pieces.len(),
        }
    }

    /// All offsets. `None`: anywhere.
    #[cfg(test)]
    pub(crate) fn offsets(&self) -> Option<Vec<u64>> {
        let Places::In(all) = self else { return None };
        let mut offsets: Vec<u64> = all.pieces.iter().flat_map(|piece| all.look(piece)).copied().collect();
        offsets.sort();
        offsets.dedup();
        Some(offsets)
    }
}

fn cut(bytes: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let pieces = (bytes.end - bytes.start).div_ceil(PIECE);
    (0..pieces).map(move |piece| {
        let at = bytes.start + piece * PIECE;
        at..(at + PIECE).min(bytes.end)
    })
}

impl Pieces<'_> {
    fn take(&self) -> Option<&Piece> {
        self.pieces.get(self.next.fetch_add(1, Ordering::Relaxed))
    }

    fn look<'p>(&self, piece: &'p Piece) -> &'p [u64] {
        piece.found.get_or_init(|| {
            let mut offsets = Vec::new();
            let end = piece.bytes.end.saturating_add(self.looker.scanner.overlap() as u64).min(self.len);
            // A log that is gone holds nothing.
            _ = self.looker.look(self.path, piece.bytes.start..end, &mut |at| offsets.push(at));
            offsets.into()
        })
    }
}

impl<'h> Looker<'h> {
    pub(crate) fn new(scanner: &'h Scanner, stop: &'h (dyn Fn() -> bool + Sync)) -> Looker<'h> {
        Looker { scanner, stop, buffers: Mutex::default() }
    }

    fn look(&self, path: &Path, bytes: Range<u64>, found: &mut dyn FnMut(u64)) -> io::Result<()> {
        let buffers = || self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = buffers().pop().unwrap_or_else(|| vec![0; CHUNK]);
        let looked = self.look_with(&mut buffer, path, bytes, found);
        buffers().push(buffer);
        looked
    }

    fn look_with(
        &self,
        buffer: &mut [u8],
        path: &Path,
        bytes: Range<u64>,
        found: &mut dyn FnMut(u64),
    ) -> io::Result<()> {
        let mut file = stamp::open(path)?;
        if bytes.start > 0 {
            file.seek(SeekFrom::Start(bytes.start))?;
        }
        // Bytes at the buffer's beginning that were looked through with those before them.
        let mut kept = 0;
        let mut at = bytes.start;
        while at < bytes.end && !(self.stop)() {
            let most = usize::try_from(bytes.end - at).unwrap_or(usize::MAX).min(CHUNK - kept);
            let read = file.read(buffer.get_mut(kept..kept + most).unwrap_or_default())?;
            if read == 0 {
                break;
            }
            let filled = kept + read;
            self.scanner.scan(buffer.get(..filled).unwrap_or_default(), at - kept as u64, found);
            at += read as u64;
            kept = self.scanner.overlap().min(filled);
            buffer.copy_within(filled - kept..filled, 0);
        }
        Ok(())
    }
}
