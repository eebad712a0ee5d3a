//! Lines that came from another file of the worktree: since the last commit, or in a commit.

use std::path::PathBuf;
use std::sync::Arc;

use provenance::{Blame, is_small, lines, moved_from};
use repo::{CommitId, Repo};
use rustc_hash::{FxHashMap, FxHashSet};
use trace::{Evidence, LineOrigin, StepKey};

use crate::Moment;
use crate::file::{Elsewhere, FileView, StepRef};
use crate::gained::Gained;
use crate::lost::{Lost, hash};

/// Telling lines of unknown origin from which on it is worth to look.
const LEAST_LINES: usize = 3;
/// Files that lost lines that are looked at. Of more than that it is not known from which one a line came.
pub(crate) const MOST_FILES: usize = 64;

/// What was found for one text of a file.
#[derive(Clone, Default)]
pub(crate) struct Found {
    generation: u64,
    text: Arc<str>,
    lost: Option<Arc<Lost>>,
    gained: Option<Arc<Gained>>,
    origins: Arc<[Origin]>,
}

/// A line (from 0), who wrote it, and where it stood.
type Origin = (usize, StepRef, Elsewhere);

/// Another file, before it lost lines and after.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) before: String,
    pub(crate) now: String,
    /// The commit in which it lost them. `None`: that is not committed yet.
    pub(crate) commit: Option<CommitId>,
}

/// Sources of lines that came at one time, and which lines may be among them.
struct Sources {
    open: Vec<bool>,
    files: Vec<Source>,
}

impl Moment<'_> {
    /// Gives lines that stood in another file of the worktree, and went from there when they came here, to their
    /// authors.
    pub(crate) fn with_foreign(&self, view: FileView, untold: &[bool]) -> FileView {
        if telling(&view.text, untold) < LEAST_LINES || !self.are_agents_known_in(&view) {
            return view;
        }
        let Some((repo, own)) = self.place_of(&view) else { return view };
        let (lost, gained) = (self.lost(&repo), self.gained(&repo, &own));
        let known = self.workspace.foreign.get(&view.path).map(|found| found.clone());
        let generation = self.logs.generation();
        let is_same = |found: &Found| {
            let (known_lost, known_gained) = (found.lost.as_ref(), found.gained.as_ref());
            found.generation == generation
                && found.text == view.text
                && known_lost.is_some_and(|known| Arc::ptr_eq(known, &lost))
                && known_gained.is_some_and(|known| Arc::ptr_eq(known, &gained))
        };
        let found = known.filter(is_same).unwrap_or_else(|| {
            let mut left = untold.to_vec();
            let mut origins = Vec::new();
            for sources in self.sources(&repo, &own, &view.text, untold, &lost, &gained) {
                let open: Vec<bool> = sources.open.iter().zip(&left).map(|(open, left)| *open && *left).collect();
                let found = self.found_in(&view.text, &sources.files, &open);
                found.iter().for_each(|(line, ..)| left[*line] = false);
                origins.extend(found);
            }
            let text = view.text.clone();
            let (lost, gained) = (Some(lost.clone()), Some(gained.clone()));
            let found = Found { generation, text, lost, gained, origins: origins.into() };
            self.workspace.foreign.insert(view.path.clone(), found.clone());
            found
        });
        found.add_to(view)
    }

    fn place_of(&self, view: &FileView) -> Option<(Repo, String)> {
        let path = crate::mapping::real(&view.path);
        let repo = self.workspace.repo(&path)?;
        let own = repo.relative(&path)?;
        Some((repo, own))
    }

    /// The files that lost lines when this one got some, the latest time first.
    fn sources(
        &self,
        repo: &Repo,
        own: &str,
        text: &str,
        untold: &[bool],
        lost: &Lost,
        gained: &Gained,
    ) -> Vec<Sources> {
        let is_wanted = |(line, untold): &(&str, &bool)| **untold && !is_small(line);
        let wanted: FxHashSet<u64> = lines(text).zip(untold).filter(is_wanted).map(|(line, _)| hash(line)).collect();
        let mut all = vec![Sources { open: untold.to_vec(), files: lost.sources(repo, own, &wanted) }];
        let mut counts: FxHashMap<&str, usize> = FxHashMap::default();
        lines(text).for_each(|line| *counts.entry(line).or_default() += 1);
        // Of a line that stands at several places git does not tell which one came when.
        let is_common = |line: &str| is_small(line) || counts.get(line).is_some_and(|count| *count > 1);
        for commit in gained.commits_of(&wanted) {
            let came =
                |(line, untold): (&str, &bool)| *untold && (is_common(line) || gained.commit_of(line) == Some(commit));
            let came: Vec<bool> = lines(text).zip(untold).map(came).collect();
            all.push(Sources { open: came, files: self.lost_in(repo, commit, own, &wanted) });
        }
        all
    }

    /// The lines of a text that are `open` and stood in one of these files.
    fn found_in(&self, text: &str, sources: &[Source], open: &[bool]) -> Vec<Origin> {
        let mut origins: Vec<Origin> = Vec::new();
        let (mut seen, mut twice) = (FxHashSet::default(), FxHashSet::default());
        for source in sources {
            let pairs = moved_from(&source.before, &source.now, text, open);
            // From two files: it is not known from which.
            twice.extend(pairs.iter().map(|(here, _)| *here).filter(|here| !seen.insert(*here)));
            let Some(then) = (!pairs.is_empty()).then(|| self.text_before(source)).flatten() else { continue };
            for (here, there) in pairs {
                let Some(step) = then.step(there) else { continue };
                let (path, commit) = (source.path.clone(), source.commit);
                let elsewhere = Elsewhere { line: here as u32, path, there: there as u32, commit };
                origins.push((here, step.clone(), elsewhere));
            }
        }
        origins.retain(|(line, ..)| !twice.contains(line));
        origins
    }

    /// Who wrote the lines of a source before it lost some.
    pub(crate) fn text_before(&self, source: &Source) -> Option<FileView> {
        match source.commit {
            None => Some(self.text_at_head(&source.path, &source.before)),
            Some(_) => self.text_of_commit(&source.path, &source.before),
        }
    }

    /// The source of a line (from 0) that came from another file, and which lines may have come with it.
    pub(crate) fn source_of(&self, view: &FileView, untold: &[bool], line: u32) -> Option<(Source, Vec<bool>)> {
        let stood = view.stood_elsewhere(line)?;
        let (repo, own) = self.place_of(view)?;
        let (lost, gained) = (self.lost(&repo), self.gained(&repo, &own));
        let all = self.sources(&repo, &own, &view.text, untold, &lost, &gained);
        let sources = all.into_iter().find(|sources| {
            sources.files.iter().any(|source| source.path == stood.path && source.commit == stood.commit)
        })?;
        let source = sources.files.into_iter().find(|source| source.path == stood.path)?;
        Some((source, sources.open))
    }
}

/// Lines of unknown origin that tell something.
fn telling(text: &str, untold: &[bool]) -> usize {
    lines(text).zip(untold).filter(|(line, untold)| **untold && !is_small(line)).count()
}

impl Found {
    fn add_to(&self, view: FileView) -> FileView {
        if self.origins.is_empty() {
            return view;
        }
        let mut steps: Vec<Option<StepRef>> = view.steps.to_vec();
        let mut blame: Blame = (*view.blame).clone();
        let mut elsewhere = Vec::new();
        for (line, step, stood) in &*self.origins {
            let known = steps.iter().position(|known| known.as_ref() == Some(step));
            let number = known.unwrap_or_else(|| {
                steps.push(Some(step.clone()));
                steps.len() - 1
            });
            if let Some(origin) = blame.lines.get_mut(*line).filter(|origin| origin.is_none()) {
                *origin = Some(LineOrigin { step: StepKey(number as u32), evidence: Evidence::Moved });
                elsewhere.push(stood.clone());
            }
        }
        FileView { blame: Arc::new(blame), steps: Arc::new(steps), elsewhere: elsewhere.into(), ..view }
    }
}
