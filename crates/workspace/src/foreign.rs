//! Lines that came from another file of the worktree since the last commit.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use provenance::{Blame, is_small, lines, moved_from};
use repo::{ChangeKind, Repo};
use rustc_hash::FxHashSet;
use trace::{Evidence, LineOrigin, StepKey};

use crate::Moment;
use crate::file::{Elsewhere, FileView, StepRef};
use crate::gather::read_text;

/// Telling lines of unknown origin from which on it is worth to look.
const LEAST_LINES: usize = 3;
/// Changed files that are looked at.
const MOST_FILES: usize = 64;

/// What was found for one text of a file.
#[derive(Clone, Default)]
pub(crate) struct Found {
    generation: u64,
    text: Arc<str>,
    origins: Vec<Origin>,
}

/// A line (from 0), who wrote it, and where it stood.
type Origin = (usize, Evidence, StepRef, Elsewhere);

impl Moment<'_> {
    /// Gives lines that stood in another file of the worktree, and are gone there, to their authors.
    pub(crate) fn with_foreign(&self, view: FileView, untold: &[bool]) -> FileView {
        let told = lines(&view.text).zip(untold).filter(|(line, untold)| **untold && !is_small(line)).count();
        if told < LEAST_LINES {
            return view;
        }
        let known = self.workspace.foreign.get(&view.path).map(|found| found.clone());
        let generation = self.logs.generation();
        let is_same = |found: &Found| found.generation == generation && found.text == view.text;
        let found = known.filter(is_same).unwrap_or_else(|| {
            let origins = self.look_elsewhere(&view, untold).unwrap_or_default();
            let found = Found { generation, text: view.text.clone(), origins };
            self.workspace.foreign.insert(view.path.clone(), found.clone());
            found
        });
        found.add_to(view)
    }

    fn look_elsewhere(&self, view: &FileView, untold: &[bool]) -> Option<Vec<Origin>> {
        let repo = self.workspace.repo(&view.path)?;
        let own = repo.relative(&view.path)?;
        let wanted: FxHashSet<&str> = lines(&view.text)
            .zip(untold)
            .filter(|(line, untold)| **untold && !is_small(line))
            .map(|(line, _)| line)
            .collect();
        let changed = repo.changed_files(false).ok()?;
        let lost_lines = |kind: ChangeKind| kind != ChangeKind::Added;
        let others = changed.iter().filter(|file| lost_lines(file.kind) && file.rel != own).take(MOST_FILES);
        let sources: Vec<Source> = others.filter_map(|file| Source::read(&repo, &file.rel, &wanted)).collect();
        let mut origins: Vec<Origin> = Vec::new();
        let mut twice: FxHashSet<usize> = FxHashSet::default();
        for source in &sources {
            let pairs = moved_from(&source.before, &source.now, &view.text, untold);
            let Some(then) = (!pairs.is_empty()).then(|| self.text_at_head(&source.path, &source.before)) else {
                continue;
            };
            for (here, there) in pairs {
                let Some(origin) = then.blame.lines.get(there).copied().flatten() else { continue };
                let Some(step) = then.step_of(origin.step) else { continue };
                if origins.iter().any(|(line, ..)| *line == here) {
                    twice.insert(here);
                }
                let elsewhere = Elsewhere { line: here as u32, path: source.path.clone(), there: there as u32 };
                origins.push((here, Evidence::Moved, step.clone(), elsewhere));
            }
        }
        // From two files: it is not known from which.
        origins.retain(|(line, ..)| !twice.contains(line));
        Some(origins)
    }
}

/// A file that lost lines.
struct Source {
    path: PathBuf,
    before: String,
    now: String,
}

impl Source {
    fn read(repo: &Repo, rel: &str, wanted: &FxHashSet<&str>) -> Option<Source> {
        let before = String::from_utf8(repo.blob_at_head(rel)?).ok()?;
        if lines(&before).filter(|line| wanted.contains(line)).take(LEAST_LINES).count() < LEAST_LINES {
            return None;
        }
        let path: PathBuf = repo.root().join(Path::new(rel));
        let now = read_text(&path).unwrap_or_default();
        Some(Source { path, before, now })
    }
}

impl Found {
    fn add_to(&self, view: FileView) -> FileView {
        if self.origins.is_empty() {
            return view;
        }
        let mut steps: Vec<Option<StepRef>> = view.steps.to_vec();
        let mut blame: Blame = (*view.blame).clone();
        let mut elsewhere = Vec::new();
        for (line, evidence, step, stood) in &self.origins {
            let known = steps.iter().position(|known| known.as_ref() == Some(step));
            let number = known.unwrap_or_else(|| {
                steps.push(Some(step.clone()));
                steps.len() - 1
            });
            if let Some(origin) = blame.lines.get_mut(*line).filter(|origin| origin.is_none()) {
                *origin = Some(LineOrigin { step: StepKey(number as u32), evidence: *evidence });
                elsewhere.push(stood.clone());
            }
        }
        FileView { blame: Arc::new(blame), steps: Arc::new(steps), elsewhere: elsewhere.into(), ..view }
    }
}
