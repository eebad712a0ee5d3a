//! The commits that git still knows, whether HEAD leads to them or not.

use std::path::{Path, PathBuf};

use gix::ObjectId;
use rustc_hash::FxHashSet;

use crate::Repo;

/// Files beside HEAD that name commits: where it was before something large, and what is being merged or picked.
const BESIDE_HEAD: [&str; 5] = ["HEAD", "ORIG_HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"];

impl Repo {
    /// HEAD's commit, then those beside it, those that the reflogs name (of HEAD in each worktree, of the stash, of
    /// the branches; the newest of each log first), and the branches. Each once; some may be gone.
    pub(crate) fn known_commits(&self, git: &gix::Repository) -> Vec<ObjectId> {
        let mut known = Known::default();
        known.extend(git.head_id().ok().map(|id| id.detach()));
        for (_, git_dir) in self.heads() {
            for name in BESIDE_HEAD {
                known.extend(ids_in(&git_dir.join(name)));
            }
            self.add_log(&git_dir.join("logs").join("HEAD"), &mut known);
        }
        let logs = self.common_dir().join("logs").join("refs");
        self.add_log(&logs.join("stash"), &mut known);
        for log in files_below(&logs.join("heads")) {
            self.add_log(&log, &mut known);
        }
        known.extend(branches(git));
        known.order
    }

    fn add_log(&self, log: &Path, known: &mut Known) {
        known.extend(self.logs().read(log).iter().rev().flat_map(|line| [line.to, line.from]).flatten());
    }
}

#[derive(Default)]
struct Known {
    order: Vec<ObjectId>,
    seen: FxHashSet<ObjectId>,
}

impl Extend<ObjectId> for Known {
    fn extend<T: IntoIterator<Item = ObjectId>>(&mut self, ids: T) {
        self.order.extend(ids.into_iter().filter(|id| self.seen.insert(*id)));
    }
}

/// The commits that a file names, one on each line; none if it names a branch.
fn ids_in(file: &Path) -> Vec<ObjectId> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().filter_map(|line| ObjectId::from_hex(line.trim().as_bytes()).ok()).collect()
}

/// The tips of the branches, and of the stash.
fn branches(git: &gix::Repository) -> Vec<ObjectId> {
    let Ok(references) = git.references() else { return Vec::new() };
    let branches = references.local_branches().into_iter().flatten().flatten();
    let stash = git.try_find_reference("refs/stash").ok().flatten();
    branches.chain(stash).filter_map(|reference| Some(reference.try_id()?.detach())).collect()
}

/// All files below a folder, by name.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    files.sort();
    files
}
