//! Filters in a private folder, so that the next start finds them made.
//!
//! The logs are dealt to a number of files by their paths. Each file is written aside and renamed, so two servers may
//! do so at once: the later one's stands. A file that is damaged or of another version is as good as absent.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::filter::{Block, Blocks, Filter};
use crate::filters::{Filters, Known, Subject};
use crate::stamp::Stamp;

/// Another number for every change of the form.
const VERSION: u32 = 1;
const MAGIC: &[u8; 8] = b"TLfilter";
const FILES: u32 = 64;

pub struct Store {
    folder: PathBuf,
    budget: u64,
    /// By file: of which logs how much was written there last.
    written: Mutex<HashMap<u32, u32>>,
}

impl Store {
    /// In a folder of its own below that of the user's caches.
    pub fn new(folder: PathBuf) -> Store {
        Store::with_budget(folder, caches::BUDGET_OF_SEARCH)
    }

    /// The same with at most so many bytes of filters.
    pub fn with_budget(folder: PathBuf, budget: u64) -> Store {
        Store { folder, budget, written: Mutex::default() }
    }

    /// Puts the filters of these logs that are stored and still hold into `filters`; gives for how many logs. Reads on
    /// two threads: a command waits for it.
    pub fn load(&self, subjects: &[Subject<'_>], filters: &Filters) -> usize {
        let wanted: HashMap<&Path, Subject<'_>> = subjects.iter().map(|log| (log.path, *log)).collect();
        let (loaded, next, now) = (AtomicUsize::new(0), AtomicU32::new(0), SystemTime::now());
        let load = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= FILES {
                    return;
                }
                for (path, stamp, blocks) in self.read(number).unwrap_or_default() {
                    let Some(subject) = wanted.get(&*path) else { continue };
                    let holds = stamp.holds(&path, blocks.end(), now).unwrap_or(false);
                    if holds && filters.of(subject.id, subject.epoch).is_none() {
                        filters.put(*subject, stamp, blocks);
                        loaded.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(load);
            load();
        });
        loaded.into_inner()
    }

    /// Bytes that lie in the folder.
    pub fn size(&self) -> u64 {
        caches::bytes_in(&self.folder)
    }

    /// Writes what is not written yet, of the logs that changed last as many as there is room for. Fails where the folder cannot be written to; the error names it.
    pub fn save(&self, filters: &Filters) -> io::Result<()> {
        let mut dealt: HashMap<u32, Vec<Arc<Known>>> = HashMap::new();
        for log in newest(filters.all(), self.budget) {
            dealt.entry(number_of(&log.path)).or_default().push(log);
        }
        for number in (0..FILES).filter(|number| !dealt.contains_key(number)) {
            // Nothing is left of logs that are gone.
            self.written().remove(&number);
            _ = fs::remove_file(self.path(number));
        }
        for (number, mut logs) in dealt {
            logs.sort_by(|a, b| a.path.cmp(&b.path));
            let hash = hash_of(&logs);
            if self.written().get(&number) != Some(&hash) {
                caches::write(&self.path(number), &encode(&logs)).map_err(|error| named(&self.folder, error))?;
                self.written().insert(number, hash);
            }
        }
        caches::remove_left_over(&self.folder);
        Ok(())
    }

    fn written(&self) -> std::sync::MutexGuard<'_, HashMap<u32, u32>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, number: u32) -> PathBuf {
        self.folder.join(format!("filters-{number:02}"))
    }

    fn read(&self, number: u32) -> Option<Vec<(PathBuf, Stamp, Blocks)>> {
        let mut bytes = Vec::new();
        File::open(self.path(number)).ok()?.read_to_end(&mut bytes).ok()?;
        decode(&bytes)
    }
}

/// The logs that changed last, as many as have filters of no more than `budget` bytes.
fn newest(mut logs: Vec<Arc<Known>>, budget: u64) -> Vec<Arc<Known>> {
    logs.sort_by_key(|log| std::cmp::Reverse(log.stamp.modified));
    let mut bytes = 0;
    logs.retain(|log| {
        bytes += size_of_log(log);
        bytes <= budget
    });
    logs
}

/// Bytes of one log in a file.
fn size_of_log(log: &Known) -> u64 {
    let numbers: usize = log.blocks.iter().map(|block| 3 + block.filter.words.len()).sum();
    (log.path.as_os_str().len() + (6 + numbers) * size_of::<u64>()) as u64
}

fn number_of(path: &Path) -> u32 {
    crc32fast::hash(path.as_os_str().as_encoded_bytes()) % FILES
}

fn hash_of(logs: &[Arc<Known>]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for log in logs {
        hasher.update(log.path.as_os_str().as_encoded_bytes());
        hasher.update(&log.blocks.end().to_le_bytes());
        hasher.update(&log.stamp.tail.to_le_bytes());
    }
    hasher.finalize()
}

fn named(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Magic, version and a hash of the rest; then each log: its path, stamp and blocks. Numbers are little-endian. Logs
/// whose paths are no text are left out: they are read anew with each start.
fn encode(logs: &[Arc<Known>]) -> Vec<u8> {
    let mut body = Vec::new();
    for log in logs {
        let Some(path) = log.path.to_str() else { continue };
        put(&mut body, &[path.len() as u64]);
        body.extend(path.as_bytes());
        let Stamp { len, modified, head, tail } = log.stamp;
        put(&mut body, &[len, modified, head.into(), tail.into(), log.blocks.0.len() as u64]);
        for block in &log.blocks.0 {
            put(&mut body, &[block.at, block.len, block.filter.words.len() as u64]);
            put(&mut body, &block.filter.words);
        }
    }
    let mut bytes = MAGIC.to_vec();
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(crc32fast::hash(&body).to_le_bytes());
    bytes.extend(body);
    bytes
}

fn put(bytes: &mut Vec<u8>, numbers: &[u64]) {
    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}

/// `None`: damaged, or of another version.
fn decode(bytes: &[u8]) -> Option<Vec<(PathBuf, Stamp, Blocks)>> {
    let rest = bytes.strip_prefix(MAGIC)?.strip_prefix(&VERSION.to_le_bytes())?;
    let (hash, body) = rest.split_first_chunk::<4>()?;
    if crc32fast::hash(body) != u32::from_le_bytes(*hash) {
        return None;
    }
    let mut body = Body(body);
    let mut logs = Vec::new();
    while !body.0.is_empty() {
        logs.push(body.log()?);
    }
    Some(logs)
}

struct Body<'b>(&'b [u8]);

impl Body<'_> {
    fn log(&mut self) -> Option<(PathBuf, Stamp, Blocks)> {
        let len = self.count()?;
        let (path, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        let path = PathBuf::from(std::str::from_utf8(path).ok()?);
        let (len, modified) = (self.number()?, self.number()?);
        let (head, tail) = (u32::try_from(self.number()?).ok()?, u32::try_from(self.number()?).ok()?);
        let mut blocks = Vec::new();
        let mut end = 0;
        for _ in 0..self.number()? {
            let block = self.block()?;
            if block.at != end {
                return None;
            }
            end = block.at.checked_add(block.len)?;
            blocks.push(block);
        }
        Some((path, Stamp { len, modified, head, tail }, Blocks(blocks)))
    }

    fn block(&mut self) -> Option<Block> {
        let (at, len, count) = (self.number()?, self.number()?, self.count()?);
        let (words, rest) = self.0.split_at_checked(count.checked_mul(8)?)?;
        self.0 = rest;
        let words: Box<[u64]> = words.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
        (words.is_empty() || words.len().is_power_of_two()).then_some(Block { at, len, filter: Filter { words } })
    }

    fn count(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Case, Pattern, Probe};

    fn subject(path: &Path) -> Subject<'_> {
        Subject { id: 0, path, len: path.metadata().map_or(0, |meta| meta.len()), epoch: 0 }
    }

    fn possible(filters: &Filters, path: &Path, word: &str) -> usize {
        let probe = Probe::new(Pattern::phrase(word, Case::Ignored).expect("a pattern").need());
        filters.of(0, 0).expect("filters").possible(&probe, subject(path).len).len()
    }

    #[test]
    fn stored_filters_hold_as_long_as_the_file_only_grows() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("a.jsonl");
        let cache = folder.path().join("cache");
        fs::write(&log, "one two three\n").expect("a log");
        let filters = Filters::default();
        assert_eq!(filters.update(subject(&log), &|| false).expect("read"), 14);
        assert_eq!(filters.update(subject(&log), &|| false).expect("read"), 0, "read once");
        Store::new(cache.clone()).save(&filters).expect("saved");

        let load = || {
            let filters = Filters::default();
            (Store::new(cache.clone()).load(&[subject(&log)], &filters), filters)
        };
        let (loaded, filters) = load();
        assert_eq!((loaded, possible(&filters, &log, "needle"), possible(&filters, &log, "two")), (1, 0, 1));

        fs::write(&log, "one two three\nneedle\n").expect("a log");
        let (loaded, filters) = load();
        assert_eq!((loaded, possible(&filters, &log, "needle")), (1, 1), "what was appended is not covered");
        filters.update(subject(&log), &|| false).expect("read");
        assert_eq!((possible(&filters, &log, "needle"), possible(&filters, &log, "nothing")), (1, 0));

        fs::write(&log, "one twX three\nneedle\n").expect("a log");
        assert_eq!(load().0, 0, "another text");
        fs::remove_file(&log).expect("removed");
        assert_eq!(load().0, 0);
    }

    #[test]
    fn what_changed_last_is_kept_within_the_budget() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = folder.path().join("cache");
        let filters = Filters::default();
        let paths: Vec<PathBuf> = (0..6).map(|n| folder.path().join(format!("{n}.jsonl"))).collect();
        for (id, path) in (0u32..).zip(&paths) {
            fs::write(path, format!("{id} {}\n", "word ".repeat(9_000))).expect("a log");
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000 + u64::from(id));
            File::options().write(true).open(path).and_then(|file| file.set_modified(time)).expect("a time");
            filters.update(Subject { id, ..subject(path) }, &|| false).expect("read");
        }
        let all = filters.all();
        let of_one = size_of_log(&all[0]);
        assert_eq!(encode(&all).len() as u64, of_one * 6 + 16);
        Store::with_budget(cache.clone(), of_one * 4).save(&filters).expect("saved");
        assert!((of_one * 4..of_one * 5).contains(&caches::bytes_in(&cache)));
        let loaded = Filters::default();
        let subjects: Vec<Subject<'_>> =
            (0u32..).zip(&paths).map(|(id, path)| Subject { id, ..subject(path) }).collect();
        assert_eq!(Store::new(cache).load(&subjects, &loaded), 4);
        assert_eq!((0..6).filter(|id| loaded.of(*id, 0).is_some()).collect::<Vec<_>>(), [2, 3, 4, 5]);
    }

    #[test]
    fn what_is_damaged_is_as_good_as_absent() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("a.jsonl");
        fs::write(&log, "one two three\n".repeat(40_000)).expect("a log");
        let filters = Filters::default();
        filters.update(subject(&log), &|| false).expect("read");
        let bytes = encode(&filters.all());
        assert!(decode(&bytes).is_some_and(|logs| logs.len() == 1 && logs[0].2 == *filters.all()[0].blocks));
        for at in (0..bytes.len()).step_by(97) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 4;
            assert!(decode(&damaged).is_none(), "at {at}");
            assert!(decode(&bytes[..at]).is_none(), "cut at {at}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn others_cannot_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("a.jsonl");
        let cache = folder.path().join("cache");
        fs::write(&log, "one two three\n").expect("a log");
        let filters = Filters::default();
        filters.update(subject(&log), &|| false).expect("read");
        Store::new(cache.clone()).save(&filters).expect("saved");
        let mode = |path: &Path| path.metadata().expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&cache), 0o700);
        let files: Vec<PathBuf> = fs::read_dir(&cache).expect("a folder").map(|e| e.expect("a file").path()).collect();
        assert_eq!(files.iter().map(|file| mode(file)).collect::<Vec<_>>(), [0o600]);
    }
}
