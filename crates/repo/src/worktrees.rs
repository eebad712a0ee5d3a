//! The other worktrees of a repository.

use std::path::{Path, PathBuf};

use crate::{Repo, paths};

/// A linked worktree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worktree {
    /// Its root folder, links resolved as far as it exists.
    pub root: PathBuf,
    /// `None`: its HEAD is detached.
    pub branch: Option<String>,
    /// The folder is gone; only what git knows of it still stands.
    pub prunable: bool,
}

impl Repo {
    /// The root of the main worktree, links resolved; this one's own if it is the main one. `None`: the repository is
    /// bare and has only linked worktrees.
    pub fn main_root(&self) -> Option<PathBuf> {
        paths::canonical(self.git().main_repo().ok()?.workdir()?)
    }

    /// All linked worktrees, in the order of their names in git, this one among them if it is linked.
    pub fn worktrees(&self) -> Vec<Worktree> {
        let git = self.git();
        let proxies = git.worktrees().unwrap_or_default();
        proxies.iter().filter_map(|proxy| linked(proxy.git_dir(), &proxy.base().ok()?)).collect()
    }
}

fn linked(admin_dir: &Path, root: &Path) -> Option<Worktree> {
    let root = paths::canonical(root)?;
    let prunable = !root.join(".git").exists();
    Some(Worktree { branch: branch_of(&admin_dir.join("HEAD")), prunable, root })
}

fn branch_of(head: &Path) -> Option<String> {
    let text = std::fs::read_to_string(head).ok()?;
    text.trim_end().strip_prefix("ref: refs/heads/").map(str::to_owned)
}
