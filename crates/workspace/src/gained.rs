//! In which commit each line of a file came to it, and which other files lost lines there.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use provenance::{is_small, lines};
use repo::{BlobId, CommitId, CommittedFile, Repo, StateBefore, StateKind};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::Moment;
use crate::file::FileView;
use crate::foreign::{MOST_FILES, Source};
use crate::lost::{gone, hash};

/// Versions of a file that are looked at, and how long git is asked for them.
const MOST_VERSIONS: usize = 200;
const LIMIT: repo::Limit = repo::Limit { commits: 20_000, time: std::time::Duration::from_millis(500) };
/// Commits of one file in which lines may have come from others that are looked at.
const MOST_COMMITS: usize = 8;

/// The commit in which each telling line of a file came last, as of one `HEAD`.
#[derive(Default)]
pub(crate) struct Gained {
    head: Option<CommitId>,
    /// By the line's hash. `None`: git does not tell.
    commits: FxHashMap<u64, Option<CommitId>>,
}

impl Moment<'_> {
    /// Asked of git once for each commit that is `HEAD`.
    pub(crate) fn gained(&self, repo: &Repo, rel: &str) -> Arc<Gained> {
        let head = repo.head().commit;
        let path = repo.root().join(rel);
        if let Some(known) = self.workspace.gained.get(&path).filter(|known| known.head == head) {
            return known.clone();
        }
        let gained = Arc::new(Gained { head, commits: gained(repo, rel) });
        self.workspace.gained.insert(path, gained.clone());
        gained
    }

    /// Whether agents worked on this file, or on others of its repository.
    pub(crate) fn are_agents_known_in(&self, view: &FileView) -> bool {
        let Some(repo) = self.workspace.repo(&crate::mapping::real(&view.path)) else { return false };
        let generation = self.logs.generation();
        let known = self.workspace.agents_in.get(repo.root()).map(|known| *known);
        if view.blame.state.is_some() || known.is_some_and(|(of, known)| known && of == generation) {
            return true;
        }
        if known.is_some_and(|(of, _)| of == generation) {
            return false;
        }
        let is_known = self.logs.touched_paths().any(|path| Path::new(path).starts_with(repo.root()));
        self.workspace.agents_in.insert(repo.root().to_owned(), (generation, is_known));
        is_known
    }

    /// The files, but `own`, that lost some of the wanted lines in a commit.
    pub(crate) fn lost_in(&self, repo: &Repo, commit: CommitId, own: &str, wanted: &FxHashSet<u64>) -> Vec<Source> {
        let key = (repo.common_dir().to_owned(), commit);
        let known = self.workspace.shown.get(&key).map(|files| files.clone());
        let files = known.unwrap_or_else(|| {
            let files: Arc<[LostInCommit]> = files_with_less(repo, commit).into();
            self.workspace.shown.insert(key, files.clone());
            files
        });
        if files.len() > MOST_FILES {
            return Vec::new();
        }
        let others = files.iter().filter(|file| file.rel != own && file.has_lost(repo, wanted));
        let source = |file: &LostInCommit| {
            let (before, now) = file.texts(repo)?;
            Some(Source { path: repo.root().join(&file.rel), before, now, commit: Some(commit) })
        };
        others.filter_map(source).collect()
    }
}

/// A file of which a commit took something, or all.
pub(crate) struct LostInCommit {
    rel: String,
    before: BlobId,
    after: Option<BlobId>,
    /// The telling lines that it has no more.
    gone: OnceLock<FxHashSet<u64>>,
}

impl LostInCommit {
    fn texts(&self, repo: &Repo) -> Option<(String, String)> {
        let text = |blob| String::from_utf8(repo.blob(blob)?).ok();
        Some((text(self.before)?, self.after.map_or(Some(String::new()), text)?))
    }

    fn has_lost(&self, repo: &Repo, wanted: &FxHashSet<u64>) -> bool {
        let of_texts = || self.texts(repo).map(|(before, now)| gone(&before, &now)).unwrap_or_default();
        let gone = self.gone.get_or_init(of_texts);
        !wanted.is_disjoint(gone)
    }
}

fn files_with_less(repo: &Repo, commit: CommitId) -> Vec<LostInCommit> {
    let files = repo.show(&commit.to_string()).map(|shown| shown.files).unwrap_or_default();
    let of_file = |file: CommittedFile| {
        Some(LostInCommit { rel: file.rel, before: file.before?, after: file.after, gone: OnceLock::new() })
    };
    files.into_iter().filter_map(of_file).take(MOST_FILES + 1).collect()
}

fn gained(repo: &Repo, rel: &str) -> FxHashMap<u64, Option<CommitId>> {
    let of_head: FxHashSet<CommitId> =
        repo.history(rel, LIMIT).versions.into_iter().map(|version| version.commit.id).collect();
    let states = repo.states(rel, LIMIT).states;
    let mut texts: Vec<Option<Arc<FxHashSet<u64>>>> = vec![None; states.len()];
    let mut commits = FxHashMap::default();
    for (at, state) in states.iter().enumerate().take(MOST_VERSIONS) {
        if state.kind != StateKind::Commit || !of_head.contains(&state.commit) {
            continue;
        }
        let mut text_of = |at: usize| -> Arc<FxHashSet<u64>> {
            let known = texts.get(at).cloned().flatten();
            known.unwrap_or_else(|| {
                let blob = states.get(at).and_then(|state| repo.blob(state.blob?)).unwrap_or_default();
                let text = String::from_utf8_lossy(&blob);
                let made: Arc<FxHashSet<u64>> =
                    Arc::new(lines(&text).filter(|line| !is_small(line)).map(hash).collect());
                if let Some(place) = texts.get_mut(at) {
                    *place = Some(made.clone());
                }
                made
            })
        };
        let own = text_of(at);
        let before: Vec<Option<Arc<FxHashSet<u64>>>> = state
            .parents
            .iter()
            .map(|parent| match parent {
                StateBefore::State(at) => Some(text_of(*at)),
                StateBefore::Nothing => Some(Arc::default()),
                StateBefore::Unknown => None,
            })
            .collect();
        // A merge is shown as what differs from one of its parents.
        let is_told = before.len() < 2 && before.iter().all(Option::is_some);
        let was_there = |line: &u64| before.iter().flatten().any(|text| text.contains(line));
        for line in own.iter().filter(|line| !was_there(line)) {
            commits.entry(*line).or_insert(is_told.then_some(state.commit));
        }
    }
    commits
}

impl Gained {
    pub(crate) fn commit_of(&self, line: &str) -> Option<CommitId> {
        self.commits.get(&hash(line)).copied().flatten()
    }

    /// The commits in which wanted lines came, those with most of them first.
    pub(crate) fn commits_of(&self, wanted: &FxHashSet<u64>) -> Vec<CommitId> {
        let mut counts: FxHashMap<CommitId, usize> = FxHashMap::default();
        wanted
            .iter()
            .filter_map(|line| self.commits.get(line).copied().flatten())
            .for_each(|commit| *counts.entry(commit).or_default() += 1);
        let mut commits: Vec<(usize, String, CommitId)> =
            counts.into_iter().map(|(commit, count)| (count, commit.to_string(), commit)).collect();
        commits.sort_by(|a, b| (b.0, &a.1).cmp(&(a.0, &b.1)));
        commits.into_iter().take(MOST_COMMITS).map(|(.., commit)| commit).collect()
    }
}
