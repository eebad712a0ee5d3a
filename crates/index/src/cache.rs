//! Our own files, from which a log that did not change is known again without being read: private, checked, and worth
//! nothing to anybody: whatever is wrong with one, it is dropped, and the logs are read.
//!
//! A file is written aside and renamed, so a reader sees it whole or not at all, and of two servers the last one wins.
//! Every file says by itself of which log it is and how far it goes, so files of different servers and moments can
//! lie beside each other. Each format has its folder: an older program does not see the files of a newer one.

mod file;
mod saved;

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use crate::lock;
use file::Damage;
pub(crate) use file::Mark;
pub(crate) use file::{Opened, Section};

pub(crate) use saved::{Saved, SavedLog, SavedOrigin, SpineHead, log_key};

/// Grows with every change of a type that is written.
const FORMAT: u32 = 4;
/// The ending of spines' files.
const SPINE: &str = "spine";

/// The folder of the cache.
pub(crate) struct Cache {
    base: PathBuf,
    folder: PathBuf,
    budget: u64,
    dropped: Arc<AtomicU64>,
    trouble: Mutex<Option<String>>,
}

/// What `turnlens doctor` tells of the cache.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheReport {
    pub folder: PathBuf,
    /// Of all its files.
    pub bytes: u64,
    pub budget: u64,
    /// Logs that are known from it without being read.
    pub logs: u64,
    /// Of them those whose turns lie in it, too.
    pub paths: u64,
    /// Files that were damaged, of an old format or too many, and were removed since the start.
    pub dropped: u64,
    /// Why it cannot be written or read.
    pub trouble: Option<String>,
}

impl Cache {
    /// A cache below this folder, which is made when something is written.
    pub(crate) fn at(base: &Path, budget: u64) -> Cache {
        Cache {
            base: base.to_owned(),
            folder: base.join(format!("v{FORMAT}")),
            budget,
            dropped: Arc::default(),
            trouble: Mutex::default(),
        }
    }

    /// A file, with its first `sections` sections. `None`: there is none that could be used.
    pub(crate) fn open(&self, name: &str, sections: usize) -> Option<Opened> {
        let path = self.folder.join(name);
        let damaged = {
            let (path, dropped) = (path.clone(), self.dropped.clone());
            Arc::new(move || remove(&path, &dropped))
        };
        match file::open(&path, FORMAT, sections, damaged) {
            Ok(found) => Some(found),
            Err(Damage::Missing) => None,
            Err(Damage::Unreadable(error)) => {
                self.tell(&path, &error);
                None
            }
            Err(Damage::Damaged) => {
                self.remove(&path);
                None
            }
        }
    }

    /// Takes a file for damaged whose sections do not hold what they should.
    pub(crate) fn drop_damaged(&self, name: &str) {
        self.remove(&self.folder.join(name));
    }

    /// Says that a file was used, so that others are removed before it.
    pub(crate) fn used(&self, name: &str) {
        let now = || fs::OpenOptions::new().write(true).open(self.folder.join(name))?.set_modified(SystemTime::now());
        // Then it counts as unused since it was written.
        let _ = now();
    }

    /// By what a file is known. `None`: there is none.
    pub(crate) fn mark(&self, name: &str) -> Option<Mark> {
        file::mark(&self.folder.join(name))
    }

    /// The mark of the file that was written. `None`: it was not written; [`CacheReport::trouble`] says why.
    pub(crate) fn write<'s>(&self, name: &str, sections: impl ExactSizeIterator<Item = Cow<'s, [u8]>>) -> Option<Mark> {
        let path = self.folder.join(name);
        match file::write(&path, FORMAT, sections) {
            Ok(mark) => {
                *lock(&self.trouble) = None;
                mark
            }
            Err(error) => {
                self.tell(&path, &error);
                None
            }
        }
    }

    /// Whether the last attempt to write did not fail.
    pub(crate) fn is_writable(&self) -> bool {
        lock(&self.trouble).is_none()
    }

    /// Removes what is left over, what is of older formats, and the files that were not used for the longest time while
    /// all together, and those for searches, are larger than the budget.
    pub(crate) fn tidy(&self) {
        self.remove_older_formats();
        caches::remove_left_over(&self.folder);
        let mut files = self.files();
        let mut bytes: u64 = files.iter().map(|file| file.bytes).sum();
        bytes += caches::bytes_in(&self.base.with_file_name("search"));
        files.retain(|file| file.path.extension() == Some(OsStr::new(SPINE)));
        files.sort_by_key(|file| file.used);
        for file in files {
            if bytes <= self.budget {
                return;
            }
            self.remove(&file.path);
            bytes = bytes.saturating_sub(file.bytes);
        }
    }

    pub(crate) fn report(&self) -> CacheReport {
        let files = self.files();
        CacheReport {
            folder: self.base.clone(),
            bytes: files.iter().map(|file| file.bytes).sum(),
            budget: self.budget,
            logs: 0,
            paths: files.iter().filter(|file| file.path.extension() == Some(OsStr::new(SPINE))).count() as u64,
            dropped: self.dropped.load(Ordering::Relaxed),
            trouble: lock(&self.trouble).clone(),
        }
    }

    fn remove_older_formats(&self) {
        let older =
            |name: &OsStr| name.to_str()?.strip_prefix('v')?.parse::<u32>().ok().filter(|format| *format < FORMAT);
        let entries = fs::read_dir(&self.base).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| older(&entry.file_name()).is_some()) {
            if fs::remove_dir_all(entry.path()).is_ok() {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn files(&self) -> Vec<CacheFile> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let file = |entry: fs::DirEntry| {
            let meta = entry.metadata().ok()?;
            Some(CacheFile { path: entry.path(), bytes: meta.len(), used: meta.modified().ok()? })
        };
        entries.filter_map(file).collect()
    }

    fn remove(&self, path: &Path) {
        remove(path, &self.dropped);
    }

    fn tell(&self, path: &Path, error: &io::Error) {
        *lock(&self.trouble) = Some(format!("{}: {error}", path.display()));
    }
}

fn remove(path: &Path, dropped: &AtomicU64) {
    if fs::remove_file(path).is_ok() {
        dropped.fetch_add(1, Ordering::Relaxed);
    }
}

struct CacheFile {
    path: PathBuf,
    bytes: u64,
    /// When it was written or used last.
    used: SystemTime,
}

/// The name of the file with a log's spine.
pub(crate) fn spine_name(key: u128) -> String {
    format!("{key:032x}.{SPINE}")
}

/// The name of the file with all summaries of the logs below these roots.
pub(crate) fn summaries_name(key: u128) -> String {
    format!("{key:032x}.summaries")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use trace::{
        Backup, Call, Compaction, Context, EditStub, Entry, Excerpt, LogId, Place, Prompt, PromptSource, RecordId,
        StepKind, Target, Timestamp, TitleSource, Tokens, ToolResult, Touch, TouchKind, Touches, Turn, Usage, What,
    };

    use super::*;
    use crate::Deriver;
    use crate::summary::Summer;

    /// What an older program wrote must not be taken for what this one writes.
    #[test]
    fn the_format_is_the_one_of_its_number() {
        let path_of = |name: &str| -> Box<str> { format!("/w/{name}").into() };
        let edit = EditStub {
            path: path_of("a.rs"),
            added: 3,
            removed: 1,
            line: 7,
            created: false,
            deleted: true,
            moved_to: Some(path_of("b.rs")),
        };
        let touches = Touches {
            cwd: Some("/w".into()),
            list: Box::new([Touch { kind: TouchKind::Write, targets: Some(Box::new([Target::Glob("*.rs".into())])) }]),
        };
        let call = Call {
            id: "c".into(),
            tool: "Edit".into(),
            kind: StepKind::Edit,
            subject: Excerpt::of("a.rs"),
            detail: Some("d".into()),
            task: Some("t".into()),
            files: vec![path_of("a.rs")],
            touches: Some(touches.into()),
        };
        let result = ToolResult {
            call: "c".into(),
            error: false,
            refused: false,
            interrupted: true,
            exit: Some(-1),
            output: Excerpt::of("out\nput"),
            edits: vec![edit],
            whole_read: Some(path_of("c.rs")),
            side: Some("s".into()),
            commit: Some("abc".into()),
            count: Some(5),
        };
        let tokens = Tokens { input: 1, cache_write: 2, cache_write_hour: 1, cache_read: 3, output: 4 };
        let backup = Backup { path: path_of("a.rs"), name: Some("n".into()), at: Some(Timestamp(5)) };
        let prompt = Prompt { text: Excerpt::of("Do it"), source: PromptSource::Typed, images: 1 };
        let entries = [
            What::Context(Context { cwd: Some("/w".into()), branch: Some("main".into()), ..Context::default() }),
            What::Prompt(prompt),
            What::Call(call),
            What::Result(result),
            What::Usage(Usage { response: Some(RecordId::new(9)), model: Some("m".into()), tokens }),
            What::Backups { prompt: RecordId::new(1), files: vec![backup] },
            What::ChangedOutside { path: path_of("d.rs") },
            What::Compacted(Compaction { automatic: Some(true), tokens_before: Some(8), summary_chars: None }),
            What::Title(TitleSource::Generated, "Title".into()),
            What::Unknown("x".into()),
            What::SlashCommand("/x".into()),
        ];
        let mut deriver = Deriver::new(LogId(0), trace::Agent::Codex, "log");
        for (at, what) in (0u32..).zip(entries) {
            let place = Place { at: u64::from(at), len: 1, part: 0, check: at };
            let id = Some(RecordId::new(u128::from(at)));
            deriver.push(Entry { place, id, parent: None, at: Some(Timestamp(i64::from(at))), side: None, what });
        }
        deriver.count(100, 11, &[3]);
        let summary = Summer::default().sum(&deriver.snapshot()).summary;
        let (path, rest) = deriver.into_parts();
        let turns: Vec<Arc<Turn>> = path.turns.iter().cloned().collect();
        let all = [bitcode::encode(&path), bitcode::encode(&turns), bitcode::encode(&rest), bitcode::encode(&*summary)];
        let told: Vec<String> =
            all.iter().map(|bytes| format!("{}:{:08x}", bytes.len(), crc32fast::hash(bytes))).collect();
        // Where this differs raise FORMAT, and then update it.
        expect!["4 111:1b154c81 257:240cc044 156:f5dcfaae 115:98603514"]
            .assert_eq(&format!("{FORMAT} {}", told.join(" ")));
    }
}
