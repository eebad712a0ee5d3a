//! In which commit each line of a file came to it, and which other files lost lines there.

use std::path::Path;
use std::sync::Arc;

use provenance::{is_small, lines};
use repo::{CommitId, CommittedFile, Repo, StateBefore, StateKind};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::Moment;
use crate::file::FileView;
use crate::foreign::{LEAST_LINES, MOST_FILES, Source};
use crate::lost::{gone, has_some, hash};

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
    pub(crate) fn lost_in(&self, repo: &Repo, commit: CommitId, own: &str, wanted: &FxHashSet<&str>) -> Vec<Source> {
        let key = (repo.common_dir().to_owned(), commit);
        let known = self.workspace.shown.get(&key).map(|files| files.clone());
        let files = known.unwrap_or_else(|| {
            let files: Arc<[CommittedFile]> = files_with_less(repo, commit).into();
            self.workspace.shown.insert(key, files.clone());
            files
        });
        if files.len() > MOST_FILES {
            return Vec::new();
        }
        let source = |file: &CommittedFile| {
            let text = |blob| String::from_utf8(repo.blob(blob)?).ok();
            let before = text(file.before?)?;
            if !has_some(wanted, |wanted| lines(&before).any(|line| hash(line) == wanted)) {
                return None;
            }
            let now = file.after.map_or(Some(String::new()), text)?;
            let gone = gone(&before, &now);
            let path = repo.root().join(&file.rel);
            has_some(wanted, |line| gone.contains(&line)).then_some(Source { path, before, now, commit: Some(commit) })
        };
        files.iter().filter(|file| file.rel != own).filter_map(source).collect()
    }
}

/// The files of which a commit took something, or all.
fn files_with_less(repo: &Repo, commit: CommitId) -> Vec<CommittedFile> {
    let files = repo.show(&commit.to_string()).map(|shown| shown.files).unwrap_or_default();
    files.into_iter().filter(|file| file.before.is_some()).take(MOST_FILES + 1).collect()
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

    /// The commits in which enough of the wanted lines came.
    pub(crate) fn commits_of(&self, wanted: &FxHashSet<&str>) -> Vec<CommitId> {
        let mut counts: FxHashMap<CommitId, usize> = FxHashMap::default();
        wanted
            .iter()
            .filter_map(|line| self.commit_of(line))
            .for_each(|commit| *counts.entry(commit).or_default() += 1);
        let mut commits: Vec<(usize, String, CommitId)> = counts
            .into_iter()
            .filter(|(_, count)| *count >= LEAST_LINES)
            .map(|(commit, count)| (count, commit.to_string(), commit))
            .collect();
        commits.sort_by(|a, b| (b.0, &a.1).cmp(&(a.0, &b.1)));
        commits.into_iter().take(MOST_COMMITS).map(|(.., commit)| commit).collect()
    }
}
