//! The commit that wrote a line.

use gix::ObjectId;
use gix::diff::Rewrites;
use gix::object::tree::diff::ChangeDetached;
use imara_diff::{Algorithm, Diff, InternedInput};

use crate::blobs::blob_text;
use crate::commits::info;
use crate::graph::{Budget, Commits, FileGraph, Found, Limit};
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
        let git = self.git();
        let mut commits = Commits::new(&git);
        let mut budget = Budget::new(limit);
        let number = usize::try_from(line.checked_sub(1)?).ok()?;
        let mut line = Line { rel: rel.to_owned(), commit: git.head_id().ok()?.detach(), number };
        loop {
            let rel = line.rel.clone();
            match self.with_graph(&rel, |graph| trace_line(line, graph, &mut commits, &mut budget))? {
                Told::WrittenIn(commit) => return info(&git, commit),
                Told::CameFrom(before) => line = before,
                Told::Unknown => return None,
            }
        }
    }
}

fn trace_line(line: Line, graph: &mut FileGraph, commits: &mut Commits<'_>, budget: &mut Budget) -> Told {
    let Found::Version(mut at) = graph.find(line.commit, commits, budget) else { return Told::Unknown };
    let mut number = line.number;
    let Some(mut text) = text_of(graph, at, commits.git) else { return Told::Unknown };
    if imara_diff::sources::byte_lines(&text).count() <= number {
        return Told::Unknown;
    }
    'version: loop {
        let Some(version) = graph.version(at) else { return Told::Unknown };
        let commit = version.commit;
        let mut unknown = false;
        let mut without = Vec::new();
        for parent in version.parents.clone() {
            let before = match graph.find(parent, commits, budget) {
                Found::Version(before) => before,
                Found::Never => {
                    without.push(parent);
                    continue;
                }
                Found::Unknown => {
                    unknown = true;
                    continue;
                }
                Found::NotYet => return Told::Unknown,
            };
            if graph.version(before).is_some_and(|version| version.blob.is_none()) {
                without.push(parent);
                continue;
            }
            let Some(text_before) = text_of(graph, before, commits.git) else { return Told::Unknown };
            if let Some(number_before) = line_before(&text_before, &text, number) {
                (at, number, text) = (before, number_before, text_before);
                continue 'version;
            }
        }
        let renamed = without.into_iter().find_map(|parent| {
            let (rel, blob) = renamed_from(commits.git, parent, commit, &line.rel)?;
            let number = line_before(&blob_text(commits.git, blob)?, &text, number)?;
            Some(Line { rel, commit: parent, number })
        });
        return match renamed {
            Some(line) => Told::CameFrom(line),
            None if unknown => Told::Unknown,
            None => Told::WrittenIn(commit),
        };
    }
}

fn text_of(graph: &FileGraph, version: usize, git: &gix::Repository) -> Option<Vec<u8>> {
    blob_text(git, graph.version(version)?.blob?)
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

/// The name and the blob that `rel` had in `parent`, if `commit` renamed it.
fn renamed_from(git: &gix::Repository, parent: ObjectId, commit: ObjectId, rel: &str) -> Option<(String, ObjectId)> {
    let tree = |id| git.find_commit(id).ok()?.tree().ok();
    let (old, new) = (tree(parent)?, tree(commit)?);
    let rewrites = Rewrites { copies: None, limit: 400, ..Rewrites::default() };
    let options = gix::diff::Options::default().with_rewrites(Some(rewrites));
    let changes = git.diff_tree_to_tree(&old, &new, options).ok()?;
    changes.into_iter().find_map(|change| match change {
        ChangeDetached::Rewrite { source_location, source_id, location, .. } if location == rel => {
            Some((source_location.to_string(), source_id))
        }
        _ => None,
    })
}
