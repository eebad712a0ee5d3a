//! Changes over files: of a step, of a turn, and those that are not committed, by turn.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use provenance::changed_ranges;
use repo::Repo;
use trace::{Session, StepAt};

use crate::file::{FileView, StepRef};
use crate::gather::read_text;
use crate::mapping::{Log, Target, forward_slashes, tree_of};
use crate::{Moment, SessionView};

/// One file changed by a turn or a step: before its first edit and after its last.
#[derive(Clone, Debug)]
pub struct FileChange {
    /// As the log spells it.
    pub spelled: Box<str>,
    /// Where it is here.
    pub here: PathBuf,
    /// `None`: there was no such file, or its text is not known.
    pub before: Option<String>,
    /// `None`: the text is not known.
    pub after: Option<String>,
    pub created: bool,
    pub deleted: bool,
    pub added: u32,
    pub removed: u32,
}

/// What is not committed, by turn.
#[derive(Clone, Debug, Default)]
pub struct Uncommitted {
    pub files: Vec<UncommittedFile>,
    /// Newest first.
    pub turns: Vec<TurnShare>,
}

#[derive(Clone, Debug)]
pub struct UncommittedFile {
    pub rel: String,
    pub added: u32,
    pub removed: u32,
    /// Lines (from 0) that no recorded turn wrote.
    pub nobodys: Vec<u32>,
    /// Removed lines that no recorded turn's change is beside.
    pub nobodys_removed: u32,
}

/// The part of one turn.
#[derive(Clone, Debug)]
pub struct TurnShare {
    pub step: StepRef,
    pub files: Vec<ChangedLines>,
}

/// Lines of one file.
#[derive(Clone, Debug)]
pub struct ChangedLines {
    pub rel: String,
    /// From 0.
    pub lines: Vec<u32>,
    pub removed: u32,
}

impl TurnShare {
    pub fn added(&self) -> usize {
        self.files.iter().map(|file| file.lines.len()).sum()
    }

    pub fn removed(&self) -> u32 {
        self.files.iter().map(|file| file.removed).sum()
    }
}

impl Moment<'_> {
    /// The net changes of steps from the turn `from` to `to`, one for each file, in the order of first edit.
    pub fn changes(&self, view: &SessionView, steps: &[StepAt<'_>]) -> Vec<FileChange> {
        let session = &view.session;
        let one = |span: EditedFile<'_>| {
            let here = self.local(session, span.spelled);
            let texts = self
                .with_timeline(&here, |file| file.timeline.around(file.number(span.first)?, file.number(span.last)?));
            let (before, after) = texts.map_or((None, None), |(before, after)| (before, Some(after)));
            let (mut added, mut removed) = (span.added, span.removed);
            if let Some(after) = &after {
                let ranges = changed_ranges(before.as_deref().unwrap_or_default(), after);
                added = ranges.iter().map(|range| range.new.len() as u32).sum();
                removed = ranges.iter().map(|range| range.old.len() as u32).sum();
            }
            let (created, deleted) = (span.created, span.deleted);
            FileChange { spelled: span.spelled.into(), here, before, after, created, deleted, added, removed }
        };
        edited_files(steps).into_iter().map(one).collect()
    }

    /// The file before and after one step. `None`: not known.
    pub fn file_at(&self, session: &Session, at: &StepAt<'_>, spelled: &str) -> Option<(Option<String>, String)> {
        let call = at.step.call.clone()?;
        let result = at.step.result.as_ref()?;
        if result.whole_read.as_deref() == Some(spelled) {
            let body = self.bodies().body(at.log, result.place);
            let text = body.content()?.observed.first()?.text.to_string();
            return Some((Some(text.clone()), text));
        }
        let here = self.local(session, spelled);
        self.with_timeline(&here, |file| {
            let key = file.number(&call)?;
            file.timeline.around(key, key)
        })
    }

    /// Where a file that a session names is here. The path as spelled where nothing better is known.
    pub fn local(&self, session: &Session, spelled: &str) -> PathBuf {
        let settings = self.workspace.settings();
        let path = forward_slashes(spelled);
        for mapping in &settings.path_mappings {
            let folder = forward_slashes(&mapping.in_log);
            let rest = path.strip_prefix(folder.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/'));
            if let Some(rest) = rest {
                return Path::new(&mapping.here).join(rest);
            }
        }
        let as_spelled = PathBuf::from(&path);
        if as_spelled.is_file() {
            return as_spelled;
        }
        self.in_known_repos(session, &path).unwrap_or(as_spelled)
    }

    /// The same file in a repository that is open here: its path's longest end that the repository knows.
    fn in_known_repos(&self, session: &Session, path: &str) -> Option<PathBuf> {
        let settings = self.workspace.settings();
        for repo in self.workspace.repos() {
            let ends = path.match_indices('/').map(|(at, _)| &path[at + 1..]).filter(|end| !end.is_empty());
            for rel in ends {
                if !repo.knows_path(rel) {
                    continue;
                }
                let here = repo.root().join(rel);
                let target = Target::new(&here, Some(&repo));
                let (cache, bodies) = (&self.workspace.mappings, self.bodies());
                let Some(summary) = self.logs.summary(session.path.log) else { continue };
                let log = Log { summary, load: &|| Some(session.path.clone()) };
                if tree_of(&target, path, &log, &settings.path_mappings, cache, bodies).is_some() {
                    return Some(here);
                }
            }
        }
        None
    }

    /// What is not committed (or, `staged`, what is staged) in a repository, by the turn that wrote it.
    pub fn uncommitted(&self, repo: &Repo, staged: bool) -> anyhow::Result<Uncommitted> {
        let mut all = Uncommitted::default();
        for changed in repo.changed_files(staged)? {
            let path = repo.root().join(&changed.rel);
            let old = repo.blob_at_head(&changed.rel).unwrap_or_default();
            let new = match staged {
                true => repo.index_blob(&changed.rel).map(|blob| String::from_utf8_lossy(&blob).into_owned()),
                false => read_text(&path),
            };
            let (old, new) = (String::from_utf8_lossy(&old), new.unwrap_or_default());
            if old.contains('\0') || new.contains('\0') {
                continue;
            }
            let view = self.text(&path, &new);
            all.add(&changed.rel, &old, &new, &view);
        }
        all.turns.sort_by_key(|turn| std::cmp::Reverse(turn.step.turn_ended));
        Ok(all)
    }
}

impl Uncommitted {
    fn add(&mut self, rel: &str, old: &str, new: &str, view: &FileView) {
        let mut file =
            UncommittedFile { rel: rel.into(), added: 0, removed: 0, nobodys: Vec::new(), nobodys_removed: 0 };
        for range in changed_ranges(old, new) {
            let removed = range.old.len() as u32;
            (file.added, file.removed) = (file.added + range.new.len() as u32, file.removed + removed);
            let mut taken = false;
            for line in range.new {
                match view.step(line as usize) {
                    Some(step) => {
                        let share = self.share(step, rel);
                        share.lines.push(line);
                        // What stood in its place was removed by whoever wrote there first.
                        share.removed += if taken { 0 } else { removed };
                        taken = true;
                    }
                    None => file.nobodys.push(line),
                }
            }
            file.nobodys_removed += if taken { 0 } else { removed };
        }
        self.files.push(file);
    }

    fn share(&mut self, step: &StepRef, rel: &str) -> &mut ChangedLines {
        let same = |share: &TurnShare| share.step.session == step.session && share.step.turn == step.turn;
        let turn = self.turns.iter().position(same).unwrap_or_else(|| {
            self.turns.push(TurnShare { step: step.clone(), files: Vec::new() });
            self.turns.len() - 1
        });
        let files = &mut self.turns[turn].files;
        let file = files.iter().position(|file| file.rel == rel).unwrap_or_else(|| {
            files.push(ChangedLines { rel: rel.into(), lines: Vec::new(), removed: 0 });
            files.len() - 1
        });
        &mut files[file]
    }
}

/// What of a turn's change to a file still stands.
#[derive(Clone, Debug)]
pub struct Standing {
    pub spelled: Box<str>,
    pub here: PathBuf,
    /// The file as it is.
    pub now: Arc<str>,
    /// The same without what still stands of the change.
    pub without: String,
    /// Hunks of the change, and how many of them stand.
    pub hunks: usize,
    pub stands: usize,
}

impl Moment<'_> {
    /// What still stands of the changes of steps of one session, file by file: in the buffer that `buffer` gives for a
    /// file, else on disk. Files whose texts are not known are left out.
    pub fn standing(
        &self,
        view: &SessionView,
        steps: &[StepAt<'_>],
        buffer: &dyn Fn(&Path) -> Option<Arc<FileView>>,
    ) -> Vec<Standing> {
        let session = &view.session;
        let one = |EditedFile { spelled, first, last, .. }: EditedFile<'_>| {
            let here = self.local(session, spelled);
            let open = buffer(&here);
            self.with_timeline(&here, |file| {
                let now = open.as_deref().unwrap_or(file.view);
                let (first, last) = (file.number(first)?, file.number(last)?);
                let (before, after) = file.timeline.around(first, last)?;
                let now_of = file.timeline.lines_now(&now.blame, last)?;
                let (without, hunks, stands) = without(&before.unwrap_or_default(), &after, &now_of, &now.text);
                Some(Standing {
                    spelled: spelled.into(),
                    here: here.clone(),
                    now: now.text.clone(),
                    without,
                    hunks,
                    stands,
                })
            })
        };
        edited_files(steps).into_iter().filter_map(one).collect()
    }
}

/// A file that steps edited: the calls of its first and its last edit, and what their results count.
struct EditedFile<'a> {
    spelled: &'a str,
    first: &'a Arc<str>,
    last: &'a Arc<str>,
    created: bool,
    deleted: bool,
    added: u32,
    removed: u32,
}

/// The files that steps edited, in the order of first edit.
fn edited_files<'a>(steps: &'a [StepAt<'a>]) -> Vec<EditedFile<'a>> {
    let mut files: Vec<EditedFile<'a>> = Vec::new();
    for at in steps {
        let Some(call) = &at.step.call else { continue };
        for edit in at.step.edits() {
            let at = files.iter().position(|file| *file.spelled == *edit.path).unwrap_or_else(|| {
                let (spelled, created) = (&*edit.path, edit.created);
                let file =
                    EditedFile { spelled, first: call, last: call, created, deleted: false, added: 0, removed: 0 };
                files.push(file);
                files.len() - 1
            });
            let file = &mut files[at];
            (file.last, file.deleted) = (call, edit.deleted);
            (file.added, file.removed) = (file.added + edit.added, file.removed + edit.removed);
        }
    }
    files
}

/// The text now without the hunks of a change that still stand in it.
fn without(before: &str, after: &str, now_of: &[Option<u32>], now: &str) -> (String, usize, usize) {
    let old: Vec<&str> = provenance::lines(before).collect();
    let mut lines: Vec<&str> = provenance::lines(now).collect();
    let now_at = |line: u32| now_of.get(line as usize).copied().flatten();
    let ranges = changed_ranges(before, after);
    let mut stands = 0;
    // From the end, so that places above stay where they are.
    for range in ranges.iter().rev() {
        let old_lines = &old[range.old.start as usize..range.old.end as usize];
        let place = if range.new.is_empty() {
            let above = range.new.start.checked_sub(1).map(now_at);
            let below = if (range.new.start as usize) < now_of.len() { Some(now_at(range.new.start)) } else { None };
            match (above, below) {
                (None, Some(Some(0))) => Some((0, 0)),
                (Some(Some(above)), Some(Some(below))) if above + 1 == below => Some((below, below)),
                (Some(Some(above)), None) if above as usize + 1 == lines.len() => Some((above + 1, above + 1)),
                _ => None,
            }
        } else {
            let first = now_at(range.new.start);
            let in_order = |(at, line): (u32, u32)| now_at(line) == first.map(|first| first + at);
            let whole = first.is_some() && (0..).zip(range.new.clone()).all(in_order);
            first.filter(|_| whole).map(|first| (first, first + range.new.len() as u32))
        };
        if let Some((from, to)) = place
            && to as usize <= lines.len()
        {
            lines.splice(from as usize..to as usize, old_lines.iter().copied());
            stands += 1;
        }
    }
    let mut text = lines.join("\n");
    if !lines.is_empty() && (now.ends_with('\n') || now.is_empty()) {
        text.push('\n');
    }
    (text, ranges.len(), stands)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_that_stand_are_taken_out() {
        let same = |count: u32| (0..count).map(Some).collect::<Vec<_>>();
        assert_eq!(without("a\nb\n", "a\nX\nb\n", &same(3), "a\nX\nb\n"), ("a\nb\n".into(), 1, 1));
        // The line was changed since: it stays.
        let changed = [Some(0), None, Some(2)];
        assert_eq!(without("a\nb\n", "a\nX\nb\n", &changed, "a\nY\nb\n"), ("a\nY\nb\n".into(), 1, 0));
        // A deletion is put back where its neighbours still meet.
        assert_eq!(without("a\nb\nc\n", "a\nc\n", &same(2), "a\nc\n"), ("a\nb\nc\n".into(), 1, 1));
        assert_eq!(without("a\nb\nc\n", "a\nc\n", &[Some(0), Some(2)], "a\nH\nc\n"), ("a\nH\nc\n".into(), 1, 0));
        assert_eq!(without("", "a\n", &same(1), "a\n"), (String::new(), 1, 1));
    }
}
