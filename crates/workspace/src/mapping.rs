//! Which path of a log is which file here.
//!
//! A log names files where they were when it was written: the same place, behind a link, in a linked worktree that may
//! be gone, in a clone elsewhere or on another machine.

use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dashmap::DashMap;
use index::LogSummary;
use provenance::Tree;
use repo::Repo;
use trace::{Bodies, DerivedPath, LogId};

/// `logs.pathMappings`: a folder as logs name it, and where it is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathMapping {
    pub in_log: String,
    pub here: String,
}

/// Answers that cost a look into git, by log, folder in the log, and repository.
#[derive(Default)]
pub(crate) struct Cache {
    relocated: DashMap<(LogId, String, PathBuf), Known>,
}

/// Whether a folder of a log is this repository: yes is final, no is as old as the log was long.
#[derive(Clone, Copy)]
struct Known {
    same: bool,
    records: u32,
}

impl Cache {
    pub(crate) fn clear(&self) {
        self.relocated.clear();
    }
}

/// Texts shorter than this are alike in too many repositories to prove anything.
const TELLING_BYTES: usize = 64;
/// Texts of a log that are held against git before it is said that git knows none of them.
const MOST_TEXTS: usize = 40;

/// Milliseconds between a commit and the end of the command that made it, hooks and all.
const COMMIT_TAKES: u64 = 10 * 60 * 1000;

/// A file here, as the paths of logs are held against it.
pub(crate) struct Target<'a> {
    /// The file, without links on the way.
    pub(crate) path: PathBuf,
    pub(crate) repo: Option<&'a Repo>,
    /// The path in the repository.
    pub(crate) rel: Option<String>,
    /// This worktree and the linked ones: root and number.
    roots: Vec<(PathBuf, Tree)>,
}

impl<'a> Target<'a> {
    /// This worktree and the linked ones.
    pub(crate) fn roots(&self) -> &[(PathBuf, Tree)] {
        &self.roots
    }

    pub(crate) fn new(path: &Path, repo: Option<&'a Repo>) -> Target<'a> {
        let path = real(path);
        let rel = repo.and_then(|repo| repo.relative(&path));
        let mut roots: Vec<(PathBuf, Tree)> = Vec::new();
        if let Some(repo) = repo {
            let linked = repo.worktrees().into_iter().map(|worktree| worktree.root);
            let others = repo.main_root().into_iter().chain(linked).filter(|root| root != repo.root());
            roots.push((repo.root().to_owned(), HERE));
            roots.extend(others.enumerate().map(|(at, root)| (root, Tree(at as u16 + 1))));
        }
        Target { path, repo, rel, roots }
    }
}

/// A log that names a path: what is always known of it, and the way to the rest.
pub(crate) struct Log<'l> {
    pub(crate) summary: &'l LogSummary,
    pub(crate) load: &'l dyn Fn() -> Option<Arc<DerivedPath>>,
}

/// The worktree in which the file asked about lies.
pub(crate) const HERE: Tree = Tree(0);
/// Linked worktrees come before; clones elsewhere are numbered from here by their folder.
const ELSEWHERE: u16 = 1 << 12;

/// The worktree whose state of the target the path of a log names; `None`: another file.
pub(crate) fn tree_of(
    target: &Target<'_>,
    spelled: &str,
    log: &Log<'_>,
    mappings: &[PathMapping],
    cache: &Cache,
    bodies: &dyn Bodies,
) -> Option<Tree> {
    let spelled = forward_slashes(spelled);
    for mapping in mappings {
        if let Some(rest) = below(&spelled, &forward_slashes(&mapping.in_log)) {
            let here = Path::new(&mapping.here).join(rest);
            return (real(&here) == target.path).then_some(HERE);
        }
    }
    if Path::new(&spelled) == target.path || same_file(&spelled, &target.path) {
        return Some(HERE);
    }
    let rel = target.rel.as_deref()?;
    for (root, tree) in &target.roots {
        let root = forward_slashes(&root.to_string_lossy());
        if below(&spelled, &root).is_some_and(|rest| rest == rel) {
            return Some(*tree);
        }
    }
    let folder = spelled.strip_suffix(rel)?.strip_suffix('/')?;
    // A folder here that is this file's neighbour by name only.
    if target.repo.is_some_and(|repo| below(&forward_slashes(&repo.root().to_string_lossy()), folder).is_some()) {
        return None;
    }
    let known = git_knows(target.repo?, folder, log, cache, bodies);
    known.then(|| {
        let mut hasher = rustc_hash::FxHasher::default();
        folder.hash(&mut hasher);
        Tree(ELSEWHERE + (hasher.finish() % u64::from(ELSEWHERE)) as u16)
    })
}

/// Whether a folder that a log names is a clone of this repository: git here knows a text that the log's session read
/// or wrote there.
fn git_knows(repo: &Repo, folder: &str, log: &Log<'_>, cache: &Cache, bodies: &dyn Bodies) -> bool {
    let Log { summary: log, load } = log;
    let began_here = log.start_commit.as_deref().is_some_and(|commit| repo.commit(commit).is_some());
    let lies_there = |cwd: &str| cwd.trim_end_matches('/') == folder || below(cwd, folder).is_some();
    let worked_there = log.cwds.iter().chain(&log.cwd).any(|cwd| lies_there(&forward_slashes(cwd)));
    if worked_there && began_here {
        return true;
    }
    let key = (log.log, folder.to_owned(), repo.common_dir().to_owned());
    if let Some(known) = cache.relocated.get(&key)
        && (known.same || known.records == log.tally.records)
    {
        return known.same;
    }
    let Some(path) = load() else { return false };
    if worked_there && made_commit_of(repo, &path) {
        cache.relocated.insert(key, Known { same: true, records: log.tally.records });
        return true;
    }
    let in_folder = |path: &str| below(&forward_slashes(path), folder).is_some();
    let mut asked = 0;
    let same = path.all_steps().filter_map(|step| step.result.as_ref()).any(|result| {
        let touches = result.edits.iter().any(|edit| in_folder(&edit.path));
        let reads = result.whole_read.as_deref().is_some_and(in_folder);
        if asked >= MOST_TEXTS || !(touches || reads) {
            return false;
        }
        asked += 1;
        let body = bodies.body(log.log, result.place);
        let Some(content) = body.content() else { return false };
        let changed = content.changes.iter().filter(|change| in_folder(&change.path));
        let texts = changed.flat_map(|change| [&change.before, &change.after]).flatten();
        let seen = content.observed.iter().filter(|seen| in_folder(&seen.path)).map(|seen| &seen.text);
        texts.chain(seen).any(|text| text.len() >= TELLING_BYTES && repo.has_blob_of(text.as_bytes()))
    });
    cache.relocated.insert(key, Known { same, records: log.tally.records });
    same
}

/// Whether a commit that the log's session made is here. Logs abbreviate its id, so its time must be right, too.
fn made_commit_of(repo: &Repo, log: &DerivedPath) -> bool {
    let made = log.all_steps().filter_map(|step| step.result.as_ref());
    let made = made.filter_map(|result| Some((result.commit.as_deref()?, result.at?)));
    made.take(MOST_TEXTS)
        .any(|(id, at)| repo.commit(id).is_some_and(|commit| commit.at.0.abs_diff(at.0) <= COMMIT_TAKES))
}

/// The rest of a path below a folder; both with forward slashes.
fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    path.strip_prefix(folder.trim_end_matches('/'))?.strip_prefix('/')
}

/// `C:\a\b` as `C:/a/b`. A path of this machine with a backslash in a name on Unix is left as it is.
pub(crate) fn forward_slashes(path: &str) -> String {
    let windows = path.len() > 2 && path.as_bytes()[1] == b':' && path.as_bytes()[0].is_ascii_alphabetic();
    if windows || path.starts_with("\\\\") || cfg!(windows) { path.replace('\\', "/") } else { path.to_owned() }
}

/// The last part of a path as a log spells it.
pub(crate) fn file_name(path: &str) -> &str {
    let windows = path.as_bytes().get(1) == Some(&b':');
    path.rsplit(|c| c == '/' || (c == '\\' && windows)).next().unwrap_or(path)
}

/// A path without links and `..`; where the file does not exist, its nearest folder's.
pub(crate) fn real(path: &Path) -> PathBuf {
    let mut missing: Vec<&std::ffi::OsStr> = Vec::new();
    let mut at = path;
    loop {
        if let Ok(found) = at.canonicalize() {
            return missing.iter().rev().fold(found, |path, part| path.join(part));
        }
        let (Some(parent), Some(name)) = (at.parent(), at.file_name()) else { return path.to_owned() };
        missing.push(name);
        at = parent;
    }
}

fn same_file(spelled: &str, target: &Path) -> bool {
    let spelled = Path::new(spelled);
    spelled.is_absolute() && spelled.file_name() == target.file_name() && real(spelled) == target
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_paths() {
        assert_eq!(below("/a/b/c", "/a"), Some("b/c"));
        assert_eq!(below("/ab/c", "/a"), None);
        assert_eq!(forward_slashes(r"C:\git\x.rs"), "C:/git/x.rs");
        assert_eq!(file_name(r"C:\git\x.rs"), "x.rs");
        assert_eq!(file_name("/a/b.rs"), "b.rs");
        assert_eq!(file_name(r"/a/odd\name"), r"odd\name");
    }

    #[test]
    fn real_paths_of_what_is_not_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("its path");
        assert_eq!(real(&folder.path().join("no/such/file")), root.join("no/such/file"));
    }
}
