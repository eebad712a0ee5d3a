//! Open buffers: their lines, followed from the text that was read from disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dashmap::DashMap;
use provenance::{Follower, LineSplice, line_count};

use crate::Moment;
use crate::file::FileView;
use crate::mapping::real;

/// The buffers of one editor, by file.
#[derive(Default)]
pub struct Buffers {
    open: DashMap<PathBuf, Buffer>,
    saves: AtomicU64,
}

#[derive(Clone)]
struct Buffer {
    /// The file as the editor names it.
    path: PathBuf,
    /// The text when it was opened or saved last.
    base: Arc<str>,
    follower: Follower,
}

impl Buffers {
    /// A buffer was opened, or saved, with this text.
    pub fn opened(&self, path: &Path, text: &str) {
        let follower = Follower::new(line_count(text));
        let before = self.open.insert(real(path), Buffer { path: path.to_owned(), base: text.into(), follower });
        self.saves.fetch_add(u64::from(before.is_some()), Ordering::Relaxed);
    }

    /// Grows whenever a buffer is saved: lines may have gone from one file to another.
    pub fn saves(&self) -> u64 {
        self.saves.load(Ordering::Relaxed)
    }

    /// Lines of a buffer became others. Lines are counted as the engine counts them.
    pub fn changed(&self, path: &Path, splice: LineSplice) {
        if let Some(mut buffer) = self.open.get_mut(&real(path)) {
            buffer.follower.change(splice);
        }
    }

    /// The whole text of a buffer was replaced.
    pub fn replaced(&self, path: &Path, lines: usize) {
        if let Some(mut buffer) = self.open.get_mut(&real(path)) {
            buffer.follower.replace_all(lines);
        }
    }

    pub fn closed(&self, path: &Path) {
        self.open.remove(&real(path));
    }

    /// The path by which the editor names a file that is open there.
    pub fn name_of(&self, path: &Path) -> Option<PathBuf> {
        self.open.get(&real(path)).map(|buffer| buffer.path.clone())
    }

    pub fn is_open(&self, path: &Path) -> bool {
        self.open.contains_key(path)
    }
}

impl Moment<'_> {
    /// Who wrote the lines of an open buffer that holds `text` now.
    pub fn open_file(&self, path: &Path, text: &str) -> FileView {
        let buffer = self.workspace.buffers.open.get(&real(path)).map(|buffer| buffer.clone());
        match buffer {
            Some(buffer) => self.buffer(path, &buffer.base, text, &buffer.follower),
            None => self.text(path, text),
        }
    }
}
