//! The commit that wrote a line.

use gix::ObjectId;
use imara_diff::sources::byte_lines;
use imara_diff::{Algorithm, Diff, InternedInput};

use crate::blobs::blob_text;
use crate::commits::info;
use crate::graph::{Budget, FileGraph, FileThere, Found, Limit, Version};
use crate::reading::Commits;
use crate::renames::{Wanted, deleted_files};
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
        let wanted = Wanted { git, rel, blob: version.blob?, text };
        let source = wanted.renamed_from(deleted_files(git, parent.commit, version.commit)?)?;
        let number = line_before(&blob_text(git, source.blob)?, text, number)?;
        Some(Line { rel: source.rel, commit: parent.commit, number })
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
