//! The files of a worktree that lost lines since the last commit.

use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use provenance::{is_small, lines};
use repo::{ChangeKind, CommitId, Repo};
use rustc_hash::{FxHashSet, FxHasher};

use crate::Moment;
use crate::foreign::{MOST_FILES, Source};
use crate::gather::read_text;

/// How much longer than it took to look over a worktree what was found is taken for true, as long as nothing was saved
/// here and the files found are as they were.
const TIMES_AS_LONG: u32 = 20;

/// The files that are not as `HEAD` has them and may have lost lines.
pub(crate) struct Lost {
    commit: Option<CommitId>,
    files: Vec<LostFrom>,
}

/// When a worktree was looked over.
pub(crate) struct Look {
    saves: u64,
    at: Instant,
    took: Duration,
    found: Arc<Lost>,
}

struct LostFrom {
    rel: String,
    path: PathBuf,
    stamp: Stamp,
    /// The telling lines that it has no more.
    gone: OnceLock<FxHashSet<u64>>,
}

type Stamp = (Option<SystemTime>, u64);

impl Moment<'_> {
    /// Looked for anew when somebody may have changed a file since.
    pub(crate) fn lost(&self, repo: &Repo) -> Arc<Lost> {
        let (commit, saves) = (repo.head().commit, self.workspace.buffers.saves());
        let looks = &self.workspace.looks;
        let known = looks.get(repo.root()).map(|look| {
            let holds = look.saves == saves && look.at.elapsed() < look.took * TIMES_AS_LONG;
            (look.found.clone(), holds)
        });
        if let Some((found, true)) = &known
            && found.commit == commit
            && found.files.iter().all(|file| file.stamp == stamp(&file.path))
        {
            return found.clone();
        }
        let at = Instant::now();
        let before = known.map(|(found, _)| found);
        let found = Arc::new(Lost { commit, files: lost_files(repo) });
        // The same again: what was made of it holds.
        let found = before.filter(|before| before.is_like(&found)).unwrap_or(found);
        let look = Look { saves, at, took: at.elapsed(), found: found.clone() };
        looks.insert(repo.root().to_owned(), look);
        found
    }
}

fn lost_files(repo: &Repo) -> Vec<LostFrom> {
    let changed = repo.changed_files(false).unwrap_or_default().into_iter();
    let of_file = |rel: String| {
        let path = repo.root().join(Path::new(&rel));
        LostFrom { stamp: stamp(&path), path, rel, gone: OnceLock::new() }
    };
    changed.filter(|file| file.kind != ChangeKind::Added).map(|file| of_file(file.rel)).take(MOST_FILES + 1).collect()
}

fn stamp(path: &Path) -> Stamp {
    std::fs::metadata(path).map_or((None, 0), |meta| (meta.modified().ok(), meta.len()))
}

impl Lost {
    fn is_like(&self, other: &Lost) -> bool {
        let same = |(a, b): (&LostFrom, &LostFrom)| a.rel == b.rel && a.stamp == b.stamp;
        self.commit == other.commit
            && self.files.len() == other.files.len()
            && self.files.iter().zip(&other.files).all(same)
    }

    /// The files, but `own`, that lost some of the wanted lines.
    pub(crate) fn sources(&self, repo: &Repo, own: &str, wanted: &FxHashSet<u64>) -> Vec<Source> {
        if self.files.len() > MOST_FILES {
            return Vec::new();
        }
        let others = self.files.iter().filter(|file| file.rel != own && file.has_lost(repo, wanted));
        others.filter_map(|file| file.read(repo)).collect()
    }
}

impl LostFrom {
    fn read(&self, repo: &Repo) -> Option<Source> {
        let before = String::from_utf8(repo.blob_at_head(&self.rel)?).ok()?;
        let now = read_text(&self.path).unwrap_or_default();
        Some(Source { path: self.path.clone(), before, now, commit: None })
    }

    fn has_lost(&self, repo: &Repo, wanted: &FxHashSet<u64>) -> bool {
        let gone = self.gone.get_or_init(|| {
            let Some(source) = self.read(repo) else { return FxHashSet::default() };
            gone(&source.before, &source.now)
        });
        !wanted.is_disjoint(gone)
    }
}

/// The telling lines of a text that another one does not have.
pub(crate) fn gone(before: &str, now: &str) -> FxHashSet<u64> {
    let still: FxHashSet<u64> = lines(now).map(hash).collect();
    lines(before).filter(|line| !is_small(line)).map(hash).filter(|line| !still.contains(line)).collect()
}

pub(crate) fn hash(line: &str) -> u64 {
    let mut hasher = FxHasher::default();
    line.hash(&mut hasher);
    hasher.finish()
}
