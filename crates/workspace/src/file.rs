//! Who wrote each line of one file: its timeline, kept and grown as logs grow.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;

use provenance::{Blame, EventKey, Slot, Timeline};
use trace::{Agent, LogId, StepKey, StepKind, Timestamp};

use crate::gather::{Clue, Depth, StepNumbers, Told, What, read_text};
use crate::mapping::{HERE, Target, real};
use crate::{Moment, Workspace};

/// How long git is asked for the commit of a line.
const LIMIT: repo::Limit = repo::Limit { commits: 20_000, time: std::time::Duration::from_millis(500) };
/// A file larger than this is shown without origins.
const MOST_BYTES: u64 = 16 << 20;

/// What is kept of a file between questions.
#[derive(Default)]
pub(crate) struct FileState {
    pub(crate) timeline: Timeline,
    pub(crate) numbers: StepNumbers,
    /// The logs that the timeline was made of, as they were, and the commit that was `HEAD`.
    made_of: Option<(u64, Option<repo::CommitId>)>,
    pub(crate) depth: Depth,
    /// Commands wrote it, whose texts leave out what stood there before.
    told_by_commands: bool,
    disk: Option<Disk>,
    /// The steps by number, for the publication of the logs that is told beside them.
    steps: Option<(u64, Arc<Vec<Option<StepRef>>>)>,
    /// The file in the commit that is `HEAD`.
    head: Option<(Option<repo::CommitId>, Arc<str>)>,
}

/// The file on disk, and the answer for it.
struct Disk {
    stamp: (Option<SystemTime>, u64),
    text: Arc<str>,
    blame: Option<Arc<Blame>>,
}

/// The answer for one text of a file.
#[derive(Clone)]
pub struct FileView {
    pub path: PathBuf,
    /// The text answered for.
    pub text: Arc<str>,
    /// One origin for each line, and what is needed to ask further.
    pub blame: Arc<Blame>,
    /// The steps that origins name, by number.
    pub steps: Arc<Vec<Option<StepRef>>>,
    /// Logs were still being read: what is not known may be known in a moment.
    pub reading: Option<(usize, usize)>,
    /// Lines that came from other files of the worktree.
    pub elsewhere: Arc<[Elsewhere]>,
}

/// A line that stood in another file before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// From 0.
    pub line: u32,
    /// The other file.
    pub path: PathBuf,
    /// Its line there, from 0.
    pub there: u32,
    /// The commit that took it from there. `None`: that is not committed yet, and the commit that is `HEAD` has it.
    pub commit: Option<repo::CommitId>,
}

/// A file's timeline with the answer for the file as it is on disk.
pub struct FileHistory<'a> {
    pub timeline: &'a Timeline,
    pub view: &'a FileView,
    numbers: &'a StepNumbers,
}

impl FileHistory<'_> {
    /// The number by which the timeline knows the step with this call.
    pub fn number(&self, call: &str) -> Option<StepKey> {
        let at = self.numbers.calls.iter().position(|(_, known)| &**known == call)?;
        Some(StepKey(at as u32))
    }

    /// How a line (from 0) of a text of this file that no edit told came by its author, or stayed without.
    pub fn account(&self, file: &FileView, line: usize) -> Option<provenance::Account> {
        self.timeline.account(&file.blame, &file.text, line, HERE)
    }

    /// What told the state that this event proves.
    pub fn told(&self, key: EventKey) -> Option<Told> {
        self.numbers.told.get(&key).copied()
    }
}

/// A step as a line's origin tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct StepRef {
    pub agent: Agent,
    pub session: Arc<str>,
    pub turn: u32,
    /// `[7]` for 12.7, `[7, 3]` for a sub-agent's.
    pub numbers: Vec<u32>,
    pub call: Arc<str>,
    pub kind: StepKind,
    pub at: Timestamp,
    /// When its turn ended.
    pub turn_ended: Timestamp,
    pub title: Box<str>,
}

impl StepRef {
    /// `12.7`, `12.7.3`.
    pub fn label(&self) -> String {
        self.numbers.iter().fold(self.turn.to_string(), |label, number| format!("{label}.{number}"))
    }

    /// `9f3c1a2b:12.7`, as short as people write it.
    pub fn address(&self) -> String {
        format!("{}:{}", short_session(&self.session), self.label())
    }
}

/// The first eight characters of a session's id.
pub fn short_session(session: &str) -> &str {
    session.char_indices().nth(8).map_or(session, |(at, _)| &session[..at])
}

impl FileView {
    /// Where a line (from 0) stood that came from another file.
    pub fn stood_elsewhere(&self, line: u32) -> Option<&Elsewhere> {
        self.elsewhere.iter().find(|known| known.line == line)
    }

    /// The step that wrote a line (from 0).
    pub fn step(&self, line: usize) -> Option<&StepRef> {
        let origin = self.blame.lines.get(line).copied().flatten()?;
        self.step_of(origin.step)
    }

    pub fn step_of(&self, key: StepKey) -> Option<&StepRef> {
        self.steps.get(key.0 as usize)?.as_ref()
    }
}

impl Moment<'_> {
    /// Who wrote the lines of a file as it is on disk. `Err`: it cannot be read.
    pub fn file(&self, path: &Path) -> std::io::Result<FileView> {
        let told = self.with_state(path, |state| {
            let text = state.read_disk(path)?;
            let blame = state.disk_blame();
            Ok(state.told(self, path, text, blame))
        });
        told.map(|told| self.unless_reading(told))
    }

    /// Who wrote the lines of a text that the file had in the commit that is `HEAD`.
    pub(crate) fn text_at_head(&self, path: &Path, text: &str) -> FileView {
        self.with_state(path, |state| {
            let blame = Arc::new(state.timeline.blame(text, HERE));
            state.answer(self, path, text.into(), blame)
        })
    }

    /// Who wrote the lines of a text that the file had in an earlier commit. `None`: it is not known as one.
    pub(crate) fn text_of_commit(&self, path: &Path, text: &str) -> Option<FileView> {
        self.with_depth(path, Depth::Commits, |state| {
            let blame = Arc::new(state.timeline.blame_known(text, HERE)?);
            Some(state.answer(self, path, text.into(), blame))
        })
    }

    /// Who wrote the lines of a text that is the file's, open and perhaps not saved.
    pub fn text(&self, path: &Path, text: &str) -> FileView {
        let told = self.with_state(path, |state| {
            let base = state.read_disk(path).ok();
            let blame = match base {
                Some(base) if *base == *text => state.disk_blame(),
                Some(base) => {
                    let saved = state.disk_blame();
                    Arc::new(state.timeline.blame_over(&saved, &base, text, HERE))
                }
                None => Arc::new(state.timeline.blame(text, HERE)),
            };
            state.told(self, path, text.into(), blame)
        });
        self.unless_reading(told)
    }

    /// Who wrote the lines of a buffer whose lines were followed since it was the file `base`.
    pub fn buffer(&self, path: &Path, base: &str, text: &str, follower: &provenance::Follower) -> FileView {
        let told = self.with_state(path, |state| {
            let saved = match state.read_disk(path) {
                Ok(disk) if *disk == *base => state.disk_blame(),
                Ok(disk) => {
                    let saved = state.disk_blame();
                    Arc::new(state.timeline.blame_over(&saved, &disk, base, HERE))
                }
                Err(_) => Arc::new(state.timeline.blame(base, HERE)),
            };
            let blame = Arc::new(state.timeline.blame_buffer(&saved, base, text, follower, HERE));
            state.told(self, path, text.into(), blame)
        });
        self.unless_reading(told)
    }

    /// The lines of a file's text (from 0) that its `HEAD` commit does not have. `None`: the file lies outside of git.
    pub fn not_in_head(&self, file: &FileView) -> Option<Vec<std::ops::Range<u32>>> {
        let path = real(&file.path);
        let repo = self.workspace.repo(&path)?;
        let rel = repo.relative(&path)?;
        let commit = repo.head().commit;
        let state = self.workspace.files.entry(path).or_default().clone();
        let mut state = lock(&state);
        let known = state.head.take().filter(|(of, _)| *of == commit).map(|(_, text)| text);
        let text = known.unwrap_or_else(|| {
            let blob = repo.blob_at_head(&rel).unwrap_or_default();
            String::from_utf8_lossy(&blob).as_ref().into()
        });
        state.head = Some((commit, text.clone()));
        drop(state);
        Some(provenance::changed_ranges(&text, &file.text).into_iter().map(|range| range.new).collect())
    }

    /// The commit that last changed a line (from 0) of a file's text, as far as `HEAD` has it.
    pub fn last_commit(&self, file: &FileView, line: u32) -> Option<repo::CommitInfo> {
        let path = real(&file.path);
        let repo = self.workspace.repo(&path)?;
        let rel = repo.relative(&path)?;
        let blob = repo.blob_at_head(&rel)?;
        let head = String::from_utf8_lossy(&blob);
        let mut shift = 0i64;
        for range in provenance::changed_ranges(&head, &file.text) {
            if line < range.new.start {
                break;
            }
            if range.new.contains(&line) {
                return None;
            }
            shift = i64::from(range.old.end) - i64::from(range.new.end);
        }
        let line = u32::try_from(i64::from(line) + shift).ok()?;
        repo.last_commit_of_line(&rel, line + 1, LIMIT)
    }

    /// Asks something of a file's timeline, with the answer for the text on disk (for no text, where it is gone).
    pub fn with_timeline<T>(&self, path: &Path, ask: impl FnOnce(&FileHistory<'_>) -> T) -> T {
        self.with_state(path, |state| {
            let text = state.read_disk(path).ok();
            let blame = if text.is_some() { state.disk_blame() } else { Arc::new(state.timeline.blame("", HERE)) };
            let view = state.answer(self, path, text.unwrap_or_default(), blame);
            ask(&FileHistory { timeline: &state.timeline, view: &view, numbers: &state.numbers })
        })
    }

    pub(crate) fn with_state<T>(&self, path: &Path, ask: impl FnOnce(&mut FileState) -> T) -> T {
        self.with_depth(path, Depth::Logs, ask)
    }

    /// `least`: how much is asked beside the logs at least.
    fn with_depth<T>(&self, path: &Path, least: Depth, ask: impl FnOnce(&mut FileState) -> T) -> T {
        let path = real(path);
        let state = self.workspace.files.entry(path.clone()).or_default().clone();
        let mut state = lock(&state);
        let repo = self.workspace.repo(&path);
        let target = Target::new(&path, repo.as_ref());
        state.depth = state.depth.max(least);
        state.grow(self, &target);
        if state.depth == Depth::Logs && state.wants_commits(self, &target) {
            state.depth = Depth::Commits;
            state.grow(self, &target);
        }
        ask(&mut state)
    }

    /// The answer with lines from other files. While logs are still being read an old state's author may yet be
    /// refuted: nobody is named.
    fn unless_reading(&self, (view, untold): (FileView, Vec<bool>)) -> FileView {
        if self.reading().is_none() {
            return self.with_foreign(view, &untold);
        }
        FileView { blame: Arc::new(Blame::unknown(view.blame.lines.len())), reading: self.reading(), ..view }
    }
}

fn lock(state: &Mutex<FileState>) -> MutexGuard<'_, FileState> {
    state.lock().unwrap_or_else(|poisoned| {
        // A question that broke off may have left half a timeline: begin again.
        let mut state = poisoned.into_inner();
        *state = FileState::default();
        state
    })
}

impl FileState {
    /// Takes in what the logs and git tell since the last time.
    fn grow(&mut self, moment: &Moment<'_>, target: &Target<'_>) {
        let commit = target.repo.filter(|_| self.depth == Depth::Commits).and_then(|repo| repo.head().commit);
        let made_of = (moment.logs.generation(), commit);
        if self.made_of == Some(made_of) {
            return;
        }
        let clues = moment.clues(target, self.depth);
        let by_command = |clue: &Clue| match &clue.what {
            What::Wrote { .. } => true,
            What::Ran(run) => run.names_it(),
            _ => false,
        };
        self.told_by_commands = clues.iter().any(by_command);
        let slots: Vec<Slot> = clues.iter().map(Clue::slot).collect();
        let numbers = &mut self.numbers;
        self.timeline.sync(&slots, |which| moment.event(clues.get(which)?, target, numbers));
        self.made_of = Some(made_of);
        if let Some(disk) = &mut self.disk {
            disk.blame = None;
        }
    }

    /// Whether the logs alone leave something open: an edit that finds no text, a command that leaves out what it found,
    /// a text that no log tells, or lines that may have come from a file that is gone.
    fn wants_commits(&mut self, moment: &Moment<'_>, target: &Target<'_>) -> bool {
        if target.repo.is_none() {
            return self.told_by_commands;
        }
        if self.told_by_commands || !self.timeline.unresolved().is_empty() || moment.may_be_renamed(target) {
            return true;
        }
        let known = |text: &str, timeline: &Timeline| timeline.blame_known(text, HERE).is_some();
        !self.timeline.is_empty() && self.read_disk(&target.path).is_ok_and(|text| !known(&text, &self.timeline))
    }

    pub(crate) fn read_disk(&mut self, path: &Path) -> std::io::Result<Arc<str>> {
        let meta = std::fs::metadata(path)?;
        if !meta.is_file() {
            let reason = if meta.is_dir() { "is a folder" } else { "is not a regular file" };
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, reason));
        }
        if meta.len() > MOST_BYTES {
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "is larger than 16 MB"));
        }
        let stamp = (meta.modified().ok(), meta.len());
        if let Some(disk) = self.disk.as_ref().filter(|disk| disk.stamp == stamp) {
            return Ok(disk.text.clone());
        }
        let text: Arc<str> = match std::fs::read(path) {
            Ok(_) => read_text(path).unwrap_or_default().into(),
            Err(error) => return Err(error),
        };
        self.disk = Some(Disk { stamp, text: text.clone(), blame: None });
        Ok(text)
    }

    pub(crate) fn disk_blame(&mut self) -> Arc<Blame> {
        let Some(disk) = &mut self.disk else { return Arc::default() };
        let timeline = &self.timeline;
        disk.blame.get_or_insert_with(|| Arc::new(timeline.blame(&disk.text, HERE))).clone()
    }

    /// The answer of the file's own history, and which lines it leaves open.
    fn told(&mut self, moment: &Moment<'_>, path: &Path, text: Arc<str>, blame: Arc<Blame>) -> (FileView, Vec<bool>) {
        let untold = self.timeline.untold(&blame);
        (self.answer(moment, path, text, blame), untold)
    }

    fn answer(&mut self, moment: &Moment<'_>, path: &Path, text: Arc<str>, blame: Arc<Blame>) -> FileView {
        let generation = moment.logs.generation();
        let known = self.steps.take().filter(|(of, _)| *of == generation).map(|(_, steps)| steps);
        let steps = known.unwrap_or_else(|| {
            Arc::new(self.numbers.calls.iter().map(|(log, call)| moment.step_ref(*log, call)).collect())
        });
        self.steps = Some((generation, steps.clone()));
        FileView { path: path.to_owned(), text, blame, steps, reading: None, elsewhere: Arc::default() }
    }
}

impl Moment<'_> {
    /// A step by its log and call, as its session tells it.
    fn step_ref(&self, log: LogId, call: &Arc<str>) -> Option<StepRef> {
        let path = self.logs.summary(log)?;
        let session = self.session_view(&path.session)?;
        let at = session.step_of_call(call)?;
        let when = at.step.result.as_ref().and_then(|result| result.at).or(at.step.at).unwrap_or_default();
        Some(StepRef {
            agent: path.agent,
            session: path.session.clone(),
            turn: at.turn.number,
            numbers: at.numbers.clone(),
            call: call.clone(),
            kind: at.step.kind,
            at: when,
            turn_ended: at.turn.ended.unwrap_or(when),
            title: at.turn.title.clone(),
        })
    }
}

impl Workspace {
    /// Forgets files that nobody asked about, so that memory follows what is open. Keeps those in `open`.
    pub fn forget_files(&self, open: &dyn Fn(&Path) -> bool) {
        self.files.retain(|path, _| open(path));
        self.foreign.retain(|path, _| open(path));
        self.gained.retain(|path, _| open(path));
        self.shown.clear();
    }
}
