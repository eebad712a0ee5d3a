//! What Turnlens needs from git, in process: blobs, the history of a file, its states that only reflogs and stashes
//! keep, the names that it had before, worktrees, what is not committed.
//!
//! No process is ever started: `git` is not run, nor any filter program that the configuration names. Nothing is ever
//! written. A repository that cannot be read is no repository ([`Repo::discover`] gives `None`), an object that is
//! missing is an answer that is missing; a person is never bothered with either.
//!
//! Paths of the file system are [`std::path::Path`]; paths in a repository are `/`-separated strings, relative to the
//! worktree's root, here always called `rel`.

mod blobs;
mod changes;
mod commits;
mod graph;
mod history;
mod id;
mod known;
mod line;
mod paths;
mod reading;
mod reflog;
mod renames;
mod repo;
mod show;
mod states;
mod trailer;
mod worktrees;

#[cfg(test)]
mod tests;

pub use blobs::{Blobs, Head};
pub use changes::{ChangeKind, ChangedFile};
pub use commits::CommitInfo;
pub use graph::Limit;
pub use history::{FileVersion, History};
pub use id::{BlobId, CommitId, git_blob_hash};
pub use reflog::{FileMove, HeadMove, MoveKind};
pub use renames::Origin;
pub use repo::Repo;
pub use show::{CommittedFile, Shown};
pub use states::{FileState, StateBefore, StateKind, States};
pub use worktrees::Worktree;
