//! The commit that wrote a line.

use gix::ObjectId;
use gix::object::tree::diff::ChangeDetached;
use imara_diff::sources::byte_lines;
use imara_diff::{Algorithm, Diff, InternedInput};
use rustc_hash::FxHashMap;

use crate::blobs::blob_text;
use crate::commits::info;
use crate::graph::{Budget, FileGraph, FileThere, Found, Limit, Version, is_file};
use crate::reading::Commits;
use crate::{CommitInfo, Repo};

/// A line of a file in a commit.
struct Line {
    rel: String,
    commit: ObjectId,
    /// From 0.
    number: usize,
}

/// What one file's history says of a line.
enum Told {
    WrittenIn(ObjectId),
    /// The file came by another name; the line is this one.
    CameFrom(Line),
    Unknown,
}

impl Repo {
    /// The commit that wrote line `line` (from 1) of `rel` as HEAD has it, as `git blame` finds it: renames are
    /// followed. `None`: there is no such line, or the limit or the edge of a shallow clone came first.
    pub fn last_commit_of_line(&self, rel: &str, line: u32, limit: Limit) -> Option<CommitInfo> {
        let git = self.walking_git();
        let mut commits = Commits::new(&git, self.shared());
        let mut budget = Budget::new(limit);
        let number = usize::try_from(line.checked_sub(1)?).ok()?;
        let mut line = Line { rel: rel.to_owned(), commit: git.head_id().ok()?.detach(), number };
        loop {
            let rel = line.rel.clone();
            match self.with_graph(&rel, &mut commits, |graph, commits| trace_line(line, graph, commits, &mut budget))? {
                Told::WrittenIn(commit) => return info(&git, commit),
                Told::CameFrom(before) => line = before,
                Told::Unknown => return None,
            }
        }
    }
}

fn trace_line(line: Line, graph: &mut FileGraph, commits: &mut Commits<'_>, budget: &mut Budget) -> Told {
    let git = commits.git;
    let mut commit = line.commit;
    let mut number = line.number;
    loop {
        let Found::Version(at) = graph.find(commit, commits, budget) else { return Told::Unknown };
        let Some(version) = graph.version(at) else { return Told::Unknown };
        let Some(text) = version.blob.and_then(|blob| blob_text(git, blob)) else { return Told::Unknown };
        if byte_lines(&text).count() <= number {
            return Told::Unknown;
        }
        match line_in_parents(git, version, &text, number) {
            Some(before) => (commit, number) = before,
            None => return came_from(git, version, &text, number, &line.rel),
        }
    }
}

/// The first parent that has the line, and where.
fn line_in_parents(git: &gix::Repository, version: &Version, text: &[u8], number: usize) -> Option<(ObjectId, usize)> {
    version.parents.iter().find_map(|parent| {
        let FileThere::Blob(blob) = parent.file else { return None };
        Some((parent.commit, line_before(&blob_text(git, blob)?, text, number)?))
    })
}

/// For a line that no parent has in the file of this name.
fn came_from(git: &gix::Repository, version: &Version, text: &[u8], number: usize, rel: &str) -> Told {
    let without_it = version.parents.iter().filter(|parent| matches!(parent.file, FileThere::None));
    let mut other_names = without_it.filter_map(|parent| {
        let (rel, blob) = renamed_from(git, parent.commit, version, text, rel)?;
        let number = line_before(&blob_text(git, blob)?, text, number)?;
        Some(Line { rel, commit: parent.commit, number })
    });
    match other_names.next() {
        Some(line) => Told::CameFrom(line),
        None if version.parents.iter().any(|parent| matches!(parent.file, FileThere::Unknown)) => Told::Unknown,
        None => Told::WrittenIn(version.commit),
    }
}

/// Which line of `before` is line `number` of `after`; both from 0.
fn line_before(before: &[u8], after: &[u8], number: usize) -> Option<usize> {
    let input = InternedInput::new(before, after);
    let mut diff = Diff::compute(Algorithm::Myers, &input);
    diff.postprocess_lines(&input);
    let number = u32::try_from(number).ok()?;
    let mut before_here = number;
    for hunk in diff.hunks().take_while(|hunk| hunk.after.start <= number) {
        if hunk.after.contains(&number) {
            return None;
        }
        before_here = hunk.before.end + (number - hunk.after.end);
    }
    usize::try_from(before_here).ok()
}

/// How many deleted files are read to find the one that was renamed.
const MOST_READ: usize = 100;

/// The name and the blob that `rel` had in `parent`, if `version` renamed it: among the files that it deleted the one
/// with the same text, else the most similar one of at least half the bytes.
fn renamed_from(
    git: &gix::Repository,
    parent: ObjectId,
    version: &Version,
    text: &[u8],
    rel: &str,
) -> Option<(String, ObjectId)> {
    let mut deleted = deleted_files(git, parent, version.commit)?;
    let file_name = |rel: &str| rel.rsplit('/').next().map(str::to_owned);
    deleted.sort_by_key(|(other, _)| file_name(other) != file_name(rel));
    if let Some(same) = deleted.iter().find(|(_, blob)| Some(*blob) == version.blob) {
        return Some(same.clone());
    }
    let similar = deleted.into_iter().take(MOST_READ).filter_map(|(rel, blob)| {
        let before = blob_text(git, blob)?;
        let kept = kept_bytes(&before, text) * 100 / before.len().max(text.len()).max(1);
        (kept >= 50).then_some((kept, rel, blob))
    });
    // Of two alike, the one with the same file name: it comes first.
    let best = similar.reduce(|best, other| if other.0 > best.0 { other } else { best });
    best.map(|(_, rel, blob)| (rel, blob))
}

fn deleted_files(git: &gix::Repository, parent: ObjectId, commit: ObjectId) -> Option<Vec<(String, ObjectId)>> {
    let tree = |id| git.find_commit(id).ok()?.tree().ok();
    let changes = git.diff_tree_to_tree(&tree(parent)?, &tree(commit)?, gix::diff::Options::default()).ok()?;
    let deleted = changes.into_iter().filter_map(|change| match change {
        ChangeDetached::Deletion { location, entry_mode, id, .. } if is_file(entry_mode) => {
            Some((String::from_utf8(location.into()).ok()?, id))
        }
        _ => None,
    });
    Some(deleted.collect())
}

/// The bytes of the lines that both texts have.
fn kept_bytes(before: &[u8], after: &[u8]) -> usize {
    let mut lines = FxHashMap::<&[u8], usize>::default();
    for line in byte_lines(before) {
        *lines.entry(line).or_default() += 1;
    }
    let kept = byte_lines(after).filter(|line| match lines.get_mut(line) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    });
    kept.map(<[u8]>::len).sum()
}
