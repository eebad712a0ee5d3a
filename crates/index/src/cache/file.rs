//! One file: a head with the length and the check of each section, then the sections.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

const MAGIC: [u8; 8] = *b"turnlens";
/// Magic, format, number of sections.
const HEAD: usize = 16;
/// Length and check of one section.
const ENTRY: usize = 12;
/// The check of the head.
const CHECK: usize = 4;
const MOST_SECTIONS: usize = 1 << 16;

/// By what a file is known to be the one that was written: how many sections it has, and the length and the check of the
/// first. Its time and its inode do not tell: files are renamed over each other within one tick of the clock, and inodes
/// are used again at once.
pub(crate) type Mark = [u8; HEAD + ENTRY];

/// Why a file could not be used.
pub(super) enum Damage {
    Missing,
    Unreadable(io::Error),
    /// It is not what was written.
    Damaged,
}

impl From<io::Error> for Damage {
    fn from(error: io::Error) -> Damage {
        match error.kind() {
            io::ErrorKind::NotFound => Damage::Missing,
            io::ErrorKind::UnexpectedEof => Damage::Damaged,
            _ => Damage::Unreadable(error),
        }
    }
}

/// A file of which the first sections were read.
pub(crate) struct Opened {
    pub(crate) sections: Vec<Vec<u8>>,
    /// Those behind them, which are read when they are asked for.
    pub(crate) rest: Vec<Section>,
}

/// A section that was not read yet. What is renamed over its file or deleted stays open here.
#[derive(Clone)]
pub(crate) struct Section {
    file: Arc<File>,
    at: u64,
    pub(crate) len: usize,
    check: u32,
    damaged: Arc<OnDamage>,
}

/// Is told that a section of a file is damaged.
pub(super) type OnDamage = dyn Fn() + Send + Sync;

impl Section {
    /// `None`: it is damaged, or cannot be read.
    pub(crate) fn read(&self) -> Option<Vec<u8>> {
        let mut bytes = vec![0; self.len];
        let is_read = read_exactly_at(&self.file, &mut bytes, self.at).is_ok();
        if !is_read || check(&[&bytes]) != self.check {
            (self.damaged)();
            return None;
        }
        Some(bytes)
    }
}

/// Opens a file and reads its first `wanted` sections.
pub(super) fn open(path: &Path, format: u32, wanted: usize, damaged: Arc<OnDamage>) -> Result<Opened, Damage> {
    let mut file = File::open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(Damage::Damaged);
    }
    let start = exactly(&mut file, HEAD)?;
    let count = number(&start, 12) as usize;
    if start.get(..8) != Some(&MAGIC) || number(&start, 8) != format || count < wanted || count > MOST_SECTIONS {
        return Err(Damage::Damaged);
    }
    let entries = exactly(&mut file, count * ENTRY)?;
    let told = exactly(&mut file, CHECK)?;
    if number(&told, 0) != check(&[&start, &entries]) {
        return Err(Damage::Damaged);
    }
    let mut at = head_len(count);
    let mut sections = Vec::with_capacity(wanted);
    let mut behind = Vec::with_capacity(count - wanted);
    for entry in entries.chunks_exact(ENTRY) {
        let told = (u64::from(number(entry, 0)) | u64::from(number(entry, 4)) << 32, number(entry, 8));
        let end = at.checked_add(told.0).filter(|end| *end <= meta.len()).ok_or(Damage::Damaged)?;
        let len = usize::try_from(told.0).map_err(|_| Damage::Damaged)?;
        if sections.len() < wanted {
            let section = exactly(&mut file, len)?;
            if check(&[&section]) != told.1 {
                return Err(Damage::Damaged);
            }
            sections.push(section);
        } else {
            behind.push((at, len, told.1));
        }
        at = end;
    }
    let file = Arc::new(file);
    let section = |(at, len, check)| Section { file: file.clone(), at, len, check, damaged: damaged.clone() };
    Ok(Opened { sections, rest: behind.into_iter().map(section).collect() })
}

/// The mark of the file that lies at a path now. `None`: there is none.
pub(super) fn mark(path: &Path) -> Option<Mark> {
    let mut mark = [0; HEAD + ENTRY];
    File::open(path).ok()?.read_exact(&mut mark).ok()?;
    Some(mark)
}

/// Writes one section after the other, of which each is made when its turn comes.
pub(super) fn write<'s>(
    path: &Path,
    format: u32,
    sections: impl ExactSizeIterator<Item = Cow<'s, [u8]>>,
) -> io::Result<Option<Mark>> {
    let count = sections.len();
    let mut head = Vec::with_capacity(HEAD + count * ENTRY + CHECK);
    caches::write_by(path, |file| {
        head.extend(MAGIC);
        head.extend(format.to_le_bytes());
        head.extend(u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
        file.seek(SeekFrom::Start(head_len(count)))?;
        for section in sections {
            head.extend((section.len() as u64).to_le_bytes());
            head.extend(check(&[&section]).to_le_bytes());
            file.write_all(&section)?;
        }
        let of_head = check(&[&head]);
        head.extend(of_head.to_le_bytes());
        file.rewind()?;
        file.write_all(&head)
    })?;
    Ok(head.first_chunk().copied())
}

fn head_len(sections: usize) -> u64 {
    (HEAD + sections * ENTRY + CHECK) as u64
}

#[cfg(unix)]
fn read_exactly_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

#[cfg(windows)]
fn read_exactly_at(file: &File, mut bytes: &mut [u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => (bytes, at) = (&mut bytes[read..], at + read as u64),
        }
    }
    Ok(())
}

fn exactly(file: &mut File, len: usize) -> Result<Vec<u8>, Damage> {
    let mut bytes = Vec::with_capacity(len.min(64 << 20));
    file.take(len as u64).read_to_end(&mut bytes)?;
    if bytes.len() == len { Ok(bytes) } else { Err(Damage::Damaged) }
}

fn check(parts: &[&[u8]]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize()
}

fn number(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    four.map_or(0, u32::from_le_bytes)
}
