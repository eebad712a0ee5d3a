//! Where HEAD has been, here and in the other worktrees, and what its moves did to a file.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::refs::file::log::{LineRef, iter};
use rustc_hash::FxHashMap;
use trace::Timestamp;

use crate::commits::timestamp;
use crate::graph::FileGraph;
use crate::reading::Commits;
use crate::{BlobId, CommitId, Repo};

/// One move of HEAD in this worktree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadMove {
    pub at: Timestamp,
    /// `None`: HEAD had no commit before.
    pub from: Option<CommitId>,
    /// `None`: HEAD has no commit since.
    pub to: Option<CommitId>,
    /// What moved it: `commit: …`, `checkout: moving from … to …`, `reset: …`.
    pub message: String,
}

/// A move of HEAD between two commits that do not have a file alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileMove {
    pub at: Timestamp,
    /// The root of the worktree whose HEAD moved.
    pub root: PathBuf,
    /// The commits; `None`: there was none.
    pub commits: (Option<CommitId>, Option<CommitId>),
    /// The file in the first of them; `None`: it had none.
    pub from: Option<BlobId>,
    /// The file in the second of them; `None`: it had none.
    pub to: Option<BlobId>,
    pub kind: MoveKind,
}

/// What moved HEAD, by the first words of the reflog's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MoveKind {
    /// What lay in the index was committed, also to end a merge with conflicts: no file was written.
    Commit,
    /// The same, in place of the commit before.
    Amend,
    /// A branch, or a commit, was checked out, also into a new worktree. Files that it has alike were left as they
    /// were.
    Checkout,
    /// A merge, or a fast-forward.
    Merge,
    /// A fetch and then a merge; or, told by `--rebase`, a rebase.
    Pull,
    /// Each step of a rebase is one move.
    Rebase,
    CherryPick,
    Revert,
    /// A patch out of a mail.
    Apply,
    /// The message does not tell whether files were written: `--hard` and `--soft` look alike.
    Reset,
    /// The first checkout of a clone.
    Clone,
    /// Another.
    Other,
}

impl MoveKind {
    fn of(message: &[u8]) -> MoveKind {
        let (action, _) = message.split_once_str(": ").unwrap_or((message, b""));
        let word = action.split(|byte| !byte.is_ascii_alphabetic() && *byte != b'-').next().unwrap_or_default();
        match (word, action) {
            (b"commit", b"commit (amend)") => MoveKind::Amend,
            (b"commit", _) => MoveKind::Commit,
            (b"checkout", _) => MoveKind::Checkout,
            (b"merge", _) => MoveKind::Merge,
            (b"pull", _) => MoveKind::Pull,
            (b"rebase", _) => MoveKind::Rebase,
            (b"cherry-pick", _) => MoveKind::CherryPick,
            (b"revert", _) => MoveKind::Revert,
            (b"am", _) => MoveKind::Apply,
            (b"reset", _) => MoveKind::Reset,
            (b"clone", _) => MoveKind::Clone,
            // `git worktree add` gives no reason.
            (b"", b"") => MoveKind::Checkout,
            _ => MoveKind::Other,
        }
    }
}

impl Repo {
    /// The moves of HEAD that git still knows, oldest first. They keep commits that were amended or thrown away.
    pub fn head_moves(&self) -> Vec<HeadMove> {
        let git = self.git();
        let Ok(head) = git.head() else { return Vec::new() };
        let mut log = head.log_iter();
        let Ok(Some(lines)) = log.all() else { return Vec::new() };
        lines.flatten().map(|line| head_move(&line)).collect()
    }

    /// The moves of HEAD, in this worktree and in all others, between commits that do not have `rel` alike; oldest
    /// first. Moves from or to a commit that is gone are left out.
    ///
    /// A move to the same commit is none, though `git reset --hard` and `git stash` note one and write files:
    /// [`Repo::head_moves`] has those.
    pub fn file_moves(&self, rel: &str) -> Vec<FileMove> {
        let git = self.walking_git();
        let mut commits = Commits::new(&git, self.shared());
        let moves = self.with_graph(rel, &mut commits, |graph, commits| {
            let mut moves = Vec::new();
            for (root, git_dir) in self.heads() {
                let log = self.logs().read(&git_dir.join("logs").join("HEAD"));
                moves.extend(log.iter().filter_map(|line| file_move(line, &root, graph, commits)));
            }
            moves.sort_by_key(|step| step.at);
            moves
        });
        moves.unwrap_or_default()
    }

    /// The worktrees, the main one among them, each with the folder in which its HEAD lies. The folder of a worktree
    /// itself may be gone.
    pub(crate) fn heads(&self) -> Vec<(PathBuf, PathBuf)> {
        let git = self.git();
        let main = self.main_root().map(|root| (root, self.common_dir().to_owned()));
        let proxies = git.worktrees().unwrap_or_default();
        let linked = proxies.iter().filter_map(|proxy| {
            let root = crate::paths::canonical(&proxy.base().ok()?)?;
            Some((root, proxy.git_dir().to_owned()))
        });
        main.into_iter().chain(linked).collect()
    }
}

fn head_move(line: &LineRef<'_>) -> HeadMove {
    let LogLine { at, from, to, .. } = LogLine::of(line);
    HeadMove { at, from: from.map(CommitId), to: to.map(CommitId), message: line.message.to_str_lossy().into_owned() }
}

/// `None`: both commits have the file alike, or one is gone.
fn file_move(line: &LogLine, root: &Path, graph: &mut FileGraph, commits: &mut Commits<'_>) -> Option<FileMove> {
    let renamed_branch = line.kind == MoveKind::Other && (line.from.is_none() || line.to.is_none());
    if line.from == line.to || renamed_branch {
        return None;
    }
    let mut blob_in = |commit: Option<ObjectId>| match commit {
        Some(commit) => graph.blob(commit, commits),
        None => Some(None),
    };
    let (from, to) = (blob_in(line.from)?, blob_in(line.to)?);
    (from != to).then(|| FileMove {
        at: line.at,
        root: root.to_owned(),
        commits: (line.from.map(CommitId), line.to.map(CommitId)),
        from: from.map(BlobId),
        to: to.map(BlobId),
        kind: line.kind,
    })
}

/// A line of a reflog.
pub(crate) struct LogLine {
    pub(crate) at: Timestamp,
    pub(crate) from: Option<ObjectId>,
    pub(crate) to: Option<ObjectId>,
    pub(crate) kind: MoveKind,
}

impl LogLine {
    fn of(line: &LineRef<'_>) -> LogLine {
        let commit = |id: ObjectId| (!id.is_null()).then_some(id);
        LogLine {
            at: timestamp(line.signature.seconds()),
            from: commit(line.previous_oid()),
            to: commit(line.new_oid()),
            kind: MoveKind::of(line.message),
        }
    }
}

/// The reflogs as they were read last; one that grew is read anew.
#[derive(Default)]
pub(crate) struct Logs(Mutex<FxHashMap<PathBuf, Log>>);

struct Log {
    stamp: Stamp,
    lines: Arc<[LogLine]>,
}

/// Length, and when it was written.
type Stamp = (u64, Option<SystemTime>);

/// How many reflogs are remembered.
const KEPT: usize = 2_000;

impl Logs {
    /// Empty: there is no such log, or it cannot be read. Lines that are none are skipped.
    pub(crate) fn read(&self, path: &Path) -> Arc<[LogLine]> {
        let Ok(metadata) = path.metadata() else { return Arc::default() };
        let stamp = stamp(&metadata);
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(log) = lock().get(path)
            && log.stamp == stamp
        {
            return log.lines.clone();
        }
        let Ok(text) = std::fs::read(path) else { return Arc::default() };
        let lines: Arc<[LogLine]> = iter::forward(&text).flatten().map(|line| LogLine::of(&line)).collect();
        let mut kept = lock();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(path.to_owned(), Log { stamp, lines: lines.clone() });
        lines
    }
}

fn stamp(file: &Metadata) -> Stamp {
    (file.len(), file.modified().ok())
}
