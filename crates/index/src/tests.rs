//! What no real log does on demand: errors and panics of a reader.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io;
use std::path::Path;

use agents::{Cursor, Found, Scan, Sink};
use trace::{Agent, Content, Entry, Excerpt, Prompt, PromptSource, What};

use super::*;

/// A log is a file of one word; the word says what happens on reading it.
struct Fake;

impl Reader for Fake {
    fn agent(&self) -> Agent {
        Agent::ClaudeCode
    }

    fn roots(&self, env: &Env) -> Vec<PathBuf> {
        env.home.iter().cloned().collect()
    }

    fn walk(&self, root: &Path, found: &mut dyn FnMut(Found), trouble: &mut dyn FnMut(agents::Trouble)) {
        for path in fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()) {
            let meta = path.metadata().unwrap();
            if meta.is_dir() {
                trouble(agents::Trouble { path, error: io::Error::other("locked") });
            } else {
                found(Found { agent: self.agent(), path, len: meta.len(), modified: None, file: (0, 0) });
            }
        }
    }

    fn is_log(&self, _: &Path, path: &Path) -> bool {
        !path.is_dir()
    }

    fn scan(&self, path: &Path, _: &Cursor, sink: &mut Sink<'_>) -> io::Result<Scan> {
        let word = fs::read_to_string(path)?;
        let text = Excerpt::of(&word);
        let place = Place { at: 0, len: 0, part: 0, check: 0 };
        let what = What::Prompt(Prompt { text, source: PromptSource::Typed, images: 0 });
        sink(Entry { place, id: None, parent: None, at: None, side: None, what });
        match word.as_str() {
            "error" => Err(io::Error::other("no luck")),
            "panic" => panic!("a defect that this test wants"),
            _ => Ok(Scan {
                cursor: Cursor { offset: word.len() as u64, records: 1, ..Cursor::default() },
                restarted: true,
                ..Scan::default()
            }),
        }
    }

    fn content(&self, _: &[u8], _: Place) -> Option<Content> {
        None
    }

    fn body(&self, _: &Path, _: Place) -> io::Result<Option<Content>> {
        Ok(None)
    }

    fn backup(&self, _: &Path, _: &str, _: &str) -> Option<PathBuf> {
        None
    }
}

fn index(home: &Path) -> Index {
    let env = Env { home: Some(home.to_owned()), ..Env::default() };
    Index { readers: vec![&Fake], ..Index::new(env) }
}

fn trouble(index: &Index) -> Vec<(String, String)> {
    let logs = index.snapshot();
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    logs.trouble().iter().map(|trouble| (name(&trouble.path), trouble.error.clone())).collect()
}

fn turns(index: &Index) -> Vec<u32> {
    index.snapshot().summaries().map(|log| log.turns).collect()
}

#[test]
fn trouble_is_told_and_passes() {
    let home = tempfile::tempdir().unwrap();
    let write = |name: &str, word: &str| fs::write(home.path().join(name), word).unwrap();
    write("a", "error");
    write("b", "panic");
    write("c", "fine");
    fs::create_dir(home.path().join("d")).unwrap();
    let index = index(home.path());
    index.refresh(&|_| {});
    assert_eq!(turns(&index), [1]);
    let told = |name: &str, error: &str| (name.to_owned(), error.to_owned());
    assert_eq!(
        trouble(&index),
        [told("a", "no luck"), told("b", "reading this log ends in a defect of Turnlens"), told("d", "locked")]
    );

    // What came before the error is not there twice.
    write("a", "fine");
    write("b", "good");
    fs::remove_dir(home.path().join("d")).unwrap();
    index.refresh(&|_| {});
    assert_eq!((turns(&index), trouble(&index)), (vec![1, 1, 1], vec![]));

    // A log that turns bad is not there any more, and neither when it is gone.
    write("c", "error");
    assert_eq!(index.refresh_paths(&[home.path().join("c")]).gone.len(), 1);
    assert_eq!((turns(&index), trouble(&index)), (vec![1, 1], vec![told("c", "no luck")]));
    fs::remove_file(home.path().join("c")).unwrap();
    index.refresh(&|_| {});
    assert_eq!((turns(&index), trouble(&index)), (vec![1, 1], vec![]));
}

#[test]
fn without_a_watcher_logs_are_looked_at() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("a"), "one").unwrap();
    let index = Arc::new(index(home.path()));
    let (changed, changes) = crossbeam_channel::unbounded();
    let watch = index.watch_by(Box::new(move |change| drop(changed.send(change))), |_| None);
    index.refresh(&|_| {});
    for word in ["longer", "longer yet"] {
        fs::write(home.path().join("a"), word).unwrap();
        let change = changes.recv_timeout(std::time::Duration::from_secs(30)).unwrap();
        assert_eq!(change, Changed { logs: vec![LogId(0)], gone: vec![] });
    }
    drop(watch);
}
