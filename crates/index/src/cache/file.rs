//! One file: a head with the length and the check of each section, then the sections.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

const MAGIC: [u8; 8] = *b"turnlens";
/// Magic, format, number of sections.
const HEAD: usize = 16;
/// Length and check of one section.
const ENTRY: usize = 12;
/// The check of the head.
const CHECK: usize = 4;
const MOST_SECTIONS: usize = 1 << 16;

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

/// The first `wanted` sections. Nothing behind them is read.
pub(super) fn read(path: &Path, format: u32, wanted: usize) -> Result<Vec<Vec<u8>>, Damage> {
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
    let mut sections = Vec::with_capacity(wanted);
    for entry in entries.chunks_exact(ENTRY).take(wanted) {
        let len = u64::from(number(entry, 0)) | u64::from(number(entry, 4)) << 32;
        if len > meta.len() {
            return Err(Damage::Damaged);
        }
        let section = exactly(&mut file, usize::try_from(len).map_err(|_| Damage::Damaged)?)?;
        if check(&[&section]) != number(entry, 8) {
            return Err(Damage::Damaged);
        }
        sections.push(section);
    }
    Ok(sections)
}

pub(super) fn write(path: &Path, format: u32, sections: &[&[u8]]) -> io::Result<Metadata> {
    let mut head = Vec::with_capacity(HEAD + sections.len() * ENTRY + CHECK);
    head.extend(MAGIC);
    head.extend(format.to_le_bytes());
    head.extend(u32::try_from(sections.len()).unwrap_or(u32::MAX).to_le_bytes());
    for section in sections {
        head.extend((section.len() as u64).to_le_bytes());
        head.extend(check(&[section]).to_le_bytes());
    }
    let of_head = check(&[&head]);
    head.extend(of_head.to_le_bytes());
    let parts: Vec<&[u8]> = std::iter::once(&*head).chain(sections.iter().copied()).collect();
    caches::write(path, &parts)
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
