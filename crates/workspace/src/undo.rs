//! Taking back what a turn or a step did to files, from the texts as they are now. Nothing is written here.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use provenance::{MergedFate, changed_ranges, lines, merge};
use trace::{EditStub, Session, StepAt, StepKey, Timestamp};

use crate::file::{FileHistory, StepRef};
use crate::{Moment, SessionView};

/// What undoing comes to in one file.
#[derive(Clone, Debug)]
pub struct FileUndo {
    /// As the log spells it.
    pub spelled: Box<str>,
    /// Where it is here.
    pub here: PathBuf,
    /// The text that was undone from: the open buffer's, else the disk's. `None`: there is no file.
    pub now: Option<Arc<str>>,
    pub outcome: Outcome,
    /// Hunks of the change, and how many of them are taken back.
    pub hunks: usize,
    pub undone: usize,
    /// Hunks that are left as they are.
    pub stays: Vec<Stays>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Unchanged,
    /// The file holds this.
    Text(String),
    /// The file holds nothing that the change did not put there: it can go.
    Delete,
    /// The file was deleted, and held this before.
    Create(String),
}

/// A hunk that is not taken back.
#[derive(Clone, Debug, PartialEq)]
pub struct Stays {
    /// The lines of the text now (from 0) that stand in its place.
    pub lines: Range<u32>,
    pub because: Because,
}

/// Why a hunk is not taken back.
#[derive(Clone, Debug, PartialEq)]
pub enum Because {
    /// A later step changed the same lines.
    Step(Box<StepRef>),
    /// They were changed in the editor and are not saved.
    Unsaved,
    /// They were changed, by no recorded turn.
    Nobody,
    /// The file is gone.
    FileGone,
    /// The file was deleted, and there is one again.
    FileThere,
    /// No log tells the text before.
    NotKnown,
}

impl Moment<'_> {
    /// What undoing these steps of one session comes to, file by file in the order of first edit. `open` gives the text
    /// of a file that an editor holds.
    pub fn undo(
        &self,
        view: &SessionView,
        steps: &[StepAt<'_>],
        open: &dyn Fn(&Path) -> Option<Arc<str>>,
    ) -> Vec<FileUndo> {
        let undone: Vec<&str> = steps.iter().filter_map(|at| at.step.call.as_deref()).collect();
        let of_file = |file: EditedFile<'_>| self.undo_file(&view.session, &file, &undone, open);
        edited_files(steps).into_iter().filter_map(of_file).collect()
    }

    fn undo_file(
        &self,
        session: &Session,
        file: &EditedFile<'_>,
        undone: &[&str],
        open: &dyn Fn(&Path) -> Option<Arc<str>>,
    ) -> Option<FileUndo> {
        let here = self.local(session, file.spelled);
        let buffer = open(&here);
        self.with_timeline(&here, |known| {
            let saved = here.is_file().then(|| known.view.text.clone());
            let now = buffer.or_else(|| saved.clone());
            let told = Told { known, undone, saved };
            told.undo(file, &here, now)
        })
    }
}

/// A file with the edits of it that are taken back, in the order in which they happened.
struct EditedFile<'a> {
    spelled: &'a str,
    edits: Vec<(Timestamp, &'a Arc<str>, &'a EditStub)>,
}

fn edited_files<'a>(steps: &'a [StepAt<'a>]) -> Vec<EditedFile<'a>> {
    let mut files: Vec<EditedFile<'a>> = Vec::new();
    for at in steps {
        let (Some(call), Some(result)) = (&at.step.call, &at.step.result) else { continue };
        for edit in at.step.edits() {
            let when = result.at.or(at.step.at).unwrap_or_default();
            match files.iter_mut().find(|file| *file.spelled == *edit.path) {
                Some(file) => file.edits.push((when, call, edit)),
                None => files.push(EditedFile { spelled: &edit.path, edits: vec![(when, call, edit)] }),
            }
        }
    }
    // Sub-agents that ran side by side are told one after the other.
    files.iter_mut().for_each(|file| file.edits.sort_by_key(|(when, ..)| *when));
    files
}

/// What is known of one file.
struct Told<'a> {
    known: &'a FileHistory<'a>,
    /// The calls of all steps that are taken back.
    undone: &'a [&'a str],
    /// The text on disk.
    saved: Option<Arc<str>>,
}

/// One edit with the texts around it. `None`: there was no file.
struct Edit {
    step: StepKey,
    before: Option<String>,
    after: Option<String>,
}

/// A hunk of a step that something came over, with its lines right after that step.
struct Lost {
    step: StepKey,
    hunk: Range<u32>,
    /// The line where it stands in the text without what could be taken out.
    line: u32,
}

impl Told<'_> {
    /// `None`: the edits came to nothing.
    fn undo(&self, file: &EditedFile<'_>, here: &Path, now: Option<Arc<str>>) -> Option<FileUndo> {
        let mut undo = FileUndo {
            spelled: file.spelled.into(),
            here: here.to_owned(),
            now,
            outcome: Outcome::Unchanged,
            hunks: 0,
            undone: 0,
            stays: Vec::new(),
        };
        let edits: Vec<Edit> = file.edits.iter().filter_map(|(_, call, stub)| self.edit(call, stub)).collect();
        for _ in edits.len()..file.edits.len() {
            undo.hunks += 1;
            undo.stays.push(Stays { lines: 0..0, because: Because::NotKnown });
        }
        if let Some(last) = edits.last() {
            let (before, lost) = self.text_before(&edits);
            match (&before, &last.after) {
                (None, None) => {}
                (Some(before), None) => put_back(&mut undo, before),
                (_, Some(after)) => self.take_out(&mut undo, last.step, after, before.as_deref()),
            }
            self.name_lost(&mut undo, before.as_deref().unwrap_or_default(), lost);
        }
        (undo.hunks > 0).then_some(undo)
    }

    /// `None`: its texts are not known.
    fn edit(&self, call: &str, stub: &EditStub) -> Option<Edit> {
        let step = self.known.number(call)?;
        let (before, after) = self.known.timeline.around(step, step)?;
        if before.is_none() && !stub.created || stub.moved_to.is_some() {
            return None;
        }
        Some(Edit { step, before, after: (!stub.deleted).then_some(after) })
    }

    /// The text after the last of these edits without any of them: where others changed the file in between, with what
    /// they did; and the hunks that cannot be told from theirs.
    fn text_before(&self, edits: &[Edit]) -> (Option<String>, Vec<Lost>) {
        let follows = |pair: &[Edit]| matches!(pair, [first, second] if first.after == second.before);
        let (Some(first), Some(last)) = (edits.first(), edits.last()) else { return (None, Vec::new()) };
        if edits.windows(2).all(follows) {
            return (first.before.clone(), Vec::new());
        }
        let mut text = last.after.clone().unwrap_or_default();
        let mut lost: Vec<Lost> = Vec::new();
        for edit in edits.iter().rev() {
            let after = edit.after.as_deref().unwrap_or_default();
            let merged = merge(after, &text, edit.before.as_deref().unwrap_or_default());
            let stay = merged.hunks.iter().filter(|hunk| hunk.fate == MergedFate::Stays);
            for known in &mut lost {
                known.line = shifted(known.line, &merged.hunks);
            }
            lost.extend(stay.map(|hunk| Lost {
                step: edit.step,
                hunk: hunk.base.clone(),
                line: shifted(hunk.ours.start, &merged.hunks),
            }));
            text = merged.text;
        }
        let is_made = first.before.is_none() && text.is_empty();
        ((!is_made).then_some(text), lost)
    }

    fn take_out(&self, undo: &mut FileUndo, last: StepKey, after: &str, before: Option<&str>) {
        let theirs = before.unwrap_or_default();
        let Some(now) = undo.now.clone() else {
            let hunks = changed_ranges(after, theirs).len();
            undo.hunks += hunks;
            // A file that it made is as gone as it was before.
            let stays = if before.is_some() { hunks } else { 0 };
            undo.stays.extend((0..stays).map(|_| Stays { lines: 0..0, because: Because::FileGone }));
            return;
        };
        let merged = merge(after, &now, theirs);
        undo.hunks += merged.hunks.len();
        undo.undone += merged.count(MergedFate::Applied);
        // What is unsaved is told by the saved text, where the same hunk still stands.
        let saved = self.saved.as_deref().filter(|saved| **saved != *now).map(|saved| merge(after, saved, theirs));
        for (at, hunk) in merged.hunks.iter().enumerate().filter(|(_, hunk)| hunk.fate == MergedFate::Stays) {
            let stood = saved.as_ref().and_then(|saved| saved.hunks.get(at)).map(|hunk| hunk.fate);
            let because = match stood {
                Some(MergedFate::Applied) => Because::Unsaved,
                _ => self.because(last, hunk.base.clone()),
            };
            undo.stays.push(Stays { lines: hunk.ours.clone(), because });
        }
        if before.is_none() && merged.text.is_empty() {
            (undo.hunks, undo.undone) = (undo.hunks.max(1), undo.undone.max(1));
            undo.outcome = Outcome::Delete;
        } else if merged.text != *now {
            undo.outcome = Outcome::Text(merged.text);
        }
    }

    /// Tells hunks that others changed between the edits, with their place in the text now.
    fn name_lost(&self, undo: &mut FileUndo, before: &str, lost: Vec<Lost>) {
        if lost.is_empty() {
            return;
        }
        let now = undo.now.clone().unwrap_or_default();
        let places = Places::new(before, &now);
        for Lost { step, hunk, line } in lost {
            let line = places.now(line);
            undo.hunks += 1;
            undo.stays.push(Stays { lines: line..line, because: self.because(step, hunk) });
        }
    }

    /// Who changed lines of the file after a step had left it so.
    fn because(&self, step: StepKey, lines: Range<u32>) -> Because {
        let changes = self.known.timeline.later_changes(&self.known.view.blame, step, lines);
        let steps = changes.iter().rev().filter_map(|change| self.known.view.step_of(change.step?));
        let mut others = steps.filter(|step| !self.undone.contains(&&*step.call));
        others.next().map_or(Because::Nobody, |step| Because::Step(Box::new(step.clone())))
    }
}

fn put_back(undo: &mut FileUndo, before: &str) {
    undo.hunks += 1;
    match undo.now {
        None => {
            undo.undone += 1;
            undo.outcome = Outcome::Create(before.to_owned());
        }
        Some(_) => undo.stays.push(Stays { lines: 0..0, because: Because::FileThere }),
    }
}

/// Where a line is after the hunks above it were taken out.
fn shifted(line: u32, hunks: &[provenance::MergedHunk]) -> u32 {
    let above = |hunk: &&provenance::MergedHunk| hunk.fate == MergedFate::Applied && hunk.ours.end <= line;
    let grown = |hunk: &provenance::MergedHunk| hunk.theirs.len() as i64 - hunk.ours.len() as i64;
    let shift: i64 = hunks.iter().filter(above).map(grown).sum();
    u32::try_from(i64::from(line) + shift).unwrap_or(0)
}

/// Where lines of one text are in another, as near as can be told: for naming, never for changing.
struct Places {
    now: Vec<Option<u32>>,
}

impl Places {
    fn new(from: &str, to: &str) -> Places {
        let mut numbers: HashMap<String, u32> = HashMap::new();
        let mut ids = |text: &str| -> Vec<u32> {
            let number = |line: &str| {
                let next = numbers.len() as u32;
                *numbers.entry(line.to_owned()).or_insert(next)
            };
            lines(text).map(number).collect()
        };
        let (old, new) = (ids(from), ids(to));
        let mut now = vec![None; old.len()];
        for (at, found) in (0..).zip(&provenance::align(&old, &new).0) {
            if let Some(place) = found.old().and_then(|line| now.get_mut(line as usize)) {
                *place = Some(at);
            }
        }
        Places { now }
    }

    fn now(&self, line: u32) -> u32 {
        let above = (0..=line as usize).rev().find_map(|at| Some((at, self.now.get(at).copied().flatten()?)));
        above.map_or(0, |(at, now)| now + (line - at as u32).min(1))
    }
}
