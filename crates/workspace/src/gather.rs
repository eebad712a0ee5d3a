//! The events of one file: everything that logs prove about it, in the order in which it happened.

use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::Arc;

use provenance::{Chain, Event, EventKey, Happening, Seen, Slot, Tree, TurnKey};
use rustc_hash::{FxHashMap, FxHasher};
use trace::{DerivedPath, Grown, LogId, Place, Step, StepKey, Timestamp};

use crate::Moment;
use crate::commands::{self, Run};
use crate::mapping::{Log, Target, file_name, tree_of};

/// Something that a log or git tells of the file: where its body lies and when it happened.
#[derive(Clone, Debug)]
pub(crate) struct Clue {
    pub(crate) key: EventKey,
    pub(crate) at: Timestamp,
    pub(crate) log: LogId,
    pub(crate) order: u32,
    pub(crate) tree: Tree,
    pub(crate) turn: Option<TurnKey>,
    pub(crate) left_behind: bool,
    /// The file's name then.
    pub(crate) name: Arc<str>,
    pub(crate) what: What,
}

impl Clue {
    pub(crate) fn slot(&self) -> Slot {
        Slot { key: self.key, chain: Chain(self.log.0), at: self.at }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Read {
        place: Place,
        id: Arc<str>,
    },
    Edit {
        result: Place,
        call: Place,
        id: Arc<str>,
        path: Box<str>,
        nth: u32,
        created: bool,
    },
    Backup {
        name: Box<str>,
    },
    Commit {
        blob: repo::BlobId,
        commit: repo::CommitId,
        parents: Vec<EventKey>,
    },
    /// git wrote the file.
    Brought {
        blob: repo::BlobId,
        commit: Option<repo::CommitId>,
    },
    /// A command whose text holds what it wrote; `first`: nothing is known of the file from before.
    Wrote {
        run: Run,
        first: bool,
    },
    /// A command that may have written the file.
    Ran(Run),
    /// Somebody else changed the file.
    ByHand,
}

/// Files that tell nothing by their path alone: which step is which number in a file's timeline.
#[derive(Default)]
pub(crate) struct StepNumbers {
    pub(crate) calls: Vec<(LogId, Arc<str>)>,
    numbers: FxHashMap<(LogId, Arc<str>), StepKey>,
    pub(crate) told: FxHashMap<EventKey, Told>,
}

/// What told a state of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Read(StepKey),
    Edit(StepKey),
    Commit(repo::CommitId),
}

impl StepNumbers {
    fn of(&mut self, log: LogId, call: &Arc<str>) -> StepKey {
        let next = StepKey(self.calls.len() as u32);
        *self.numbers.entry((log, call.clone())).or_insert_with(|| {
            self.calls.push((log, call.clone()));
            next
        })
    }
}

/// How much is asked beside the logs and the agents' backups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Depth {
    #[default]
    Logs,
    /// Also the file in the commits before, where nothing else tells the text that an edit found.
    Commits,
}

/// Versions of a file in git that are looked at as the text that an edit may have found.
pub(crate) const MOST_COMMITS: usize = 400;
pub(crate) const LIMIT: repo::Limit = repo::Limit { commits: 50_000, time: std::time::Duration::from_secs(2) };

impl Moment<'_> {
    /// The clues about a file in the order in which they happened.
    pub(crate) fn clues(&self, target: &Target<'_>, depth: Depth) -> Vec<Clue> {
        let mut clues = Vec::new();
        self.clues_of_file(target, depth, &mut clues);
        self.clues_of_moves(target, depth, &mut clues);
        if depth >= Depth::Commits {
            self.clues_of_former_names(target, &mut clues);
        }
        // In one log its own order counts, whatever the clock did; between logs only the clocks tell.
        clues.sort_by_key(|clue| (clue.log, clue.order));
        clues.dedup_by_key(|clue| clue.key);
        let mut latest: FxHashMap<LogId, Timestamp> = FxHashMap::default();
        for clue in &mut clues {
            let latest = latest.entry(clue.log).or_insert(clue.at);
            *latest = clue.at.max(*latest);
            clue.at = *latest;
        }
        clues.sort_by_key(|clue| (clue.at, clue.log, clue.order));
        commands::leave_out_crowds(&mut clues);
        commands::mark_first(&mut clues, depth);
        clues
    }

    pub(crate) fn clues_of_file(&self, target: &Target<'_>, depth: Depth, clues: &mut Vec<Clue>) {
        let settings = self.workspace.settings();
        let name = target.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut of_log: FxHashMap<LogId, FxHashMap<Box<str>, Tree>> = FxHashMap::default();
        for touch in self.logs.touching(&name) {
            let Some(summary) = self.logs.summary(touch.log) else { continue };
            let log = Log { summary, load: &|| self.logs.load(touch.log) };
            let (cache, bodies) = (&self.workspace.mappings, self.bodies());
            let tree = tree_of(target, &touch.path, &log, &settings.path_mappings, cache, bodies);
            if let Some(tree) = tree {
                of_log.entry(touch.log).or_default().insert(touch.path.clone(), tree);
            }
        }
        let name: Arc<str> = name.into();
        for (log, paths) in &of_log {
            if let Some(log) = self.logs.load(*log) {
                self.clues_of_log(&log, paths, &name, clues);
            }
        }
        self.clues_of_commands(target, &of_log, &name, clues);
        if depth >= Depth::Commits {
            self.clues_of_git(target, &name, clues);
        }
    }

    fn clues_of_log(
        &self,
        log: &DerivedPath,
        paths: &FxHashMap<Box<str>, Tree>,
        name: &Arc<str>,
        clues: &mut Vec<Clue>,
    ) {
        let file = name;
        let mut edits: Vec<(u32, Timestamp)> = Vec::new();
        for (turn, left_behind, steps) in parts_of(log) {
            for step in steps {
                let (Some(result), Some(call)) = (&step.result, &step.call) else { continue };
                let at = result.at.or(step.at).unwrap_or_default();
                let of_file = result.edits.iter().any(|edit| paths.contains_key(&edit.path));
                if of_file {
                    edits.push((result.order, at));
                }
                let clue = |tree: Tree, what: What, nth: u32| Clue {
                    key: key(log.log, result.place, nth, left_behind),
                    at,
                    log: log.log,
                    order: result.order * 2 + 1,
                    tree,
                    turn,
                    left_behind,
                    name: name.clone(),
                    what,
                };
                if let Some(tree) = result.whole_read.as_deref().and_then(|path| paths.get(path)) {
                    clues.push(clue(*tree, What::Read { place: result.place, id: call.clone() }, 0));
                }
                let own = result.edits.iter().filter_map(|edit| Some((edit, *paths.get(&*edit.path)?)));
                for (nth, (edit, tree)) in own.enumerate() {
                    // A copied record is told as the origin's.
                    let copied = step.record.is_some_and(|record| self.logs.origin_log(log.log, record) != log.log);
                    if copied {
                        continue;
                    }
                    let (id, path, created) = (call.clone(), edit.path.clone(), edit.created);
                    let before = result.edits.iter().take_while(|other| !std::ptr::eq(*other, edit));
                    let of_path = before.filter(|other| other.path == edit.path).count() as u32;
                    let what = What::Edit { result: result.place, call: step.place, id, path, nth: of_path, created };
                    clues.push(clue(tree, what, nth as u32 + 1));
                }
            }
        }
        edits.sort_unstable_by_key(|(order, ..)| *order);
        for (record, backup) in log.backups.iter() {
            // In a fork, a copied record names a backup of the session that it was copied from.
            if self.logs.origin_log(log.log, *record) != log.log {
                continue;
            }
            let (Some(tree), Some(name), Some(made)) = (paths.get(&*backup.path), &backup.name, backup.at) else {
                continue;
            };
            // Made right before an edit of the file, while its call waited.
            let Some((order, at)) = edits.iter().find(|(_, at)| *at >= made) else { continue };
            let mut hasher = FxHasher::default();
            (log.log.0, &**name).hash(&mut hasher);
            clues.push(Clue {
                key: EventKey(hasher.finish()),
                at: *at,
                log: log.log,
                order: order * 2,
                tree: *tree,
                turn: None,
                left_behind: false,
                name: file.clone(),
                what: What::Backup { name: name.clone() },
            });
        }
        for (at, path) in &log.changed_outside {
            let Some(tree) = paths.get(&**path) else { continue };
            // The agent learns of it with the next prompt; its order among the log's records is that of its time.
            let order = edits.iter().rev().find(|(_, edited)| edited <= at).map_or(0, |(order, _)| order * 2 + 2);
            let mut hasher = FxHasher::default();
            (log.log.0, at.0, &**path).hash(&mut hasher);
            clues.push(Clue {
                key: EventKey(hasher.finish()),
                at: *at,
                log: log.log,
                order,
                tree: *tree,
                turn: None,
                left_behind: false,
                name: file.clone(),
                what: What::ByHand,
            });
        }
    }

    /// The event that a clue tells, with its texts. `None`: its body is gone or holds nothing of the file.
    pub(crate) fn event(&self, clue: &Clue, target: &Target<'_>, numbers: &mut StepNumbers) -> Option<Event> {
        let what = match &clue.what {
            What::Read { place, id } => {
                let told = Told::Read(numbers.of(clue.log, id));
                numbers.told.insert(clue.key, told);
                let body = self.bodies().body(clue.log, *place);
                let seen = body.content()?.observed.first()?.text.clone();
                Happening::Seen { text: seen, how: Seen::Shown, parents: Vec::new() }
            }
            What::Edit { result, call, id, path, nth, created } => {
                let step = numbers.of(clue.log, id);
                numbers.told.insert(clue.key, Told::Edit(step));
                let mut change = self.change(clue, (*result, *call), path, *nth)?;
                // A call does not know whether it will make the file; its result told.
                change.created |= *created;
                Happening::Edit { step, change: Arc::new(change) }
            }
            What::Backup { name } => {
                let text = read_text(&self.workspace.index.backup(clue.log, name)?)?;
                Happening::Seen { text: text.into(), how: Seen::Here, parents: Vec::new() }
            }
            What::Commit { blob, commit, parents } => {
                numbers.told.insert(clue.key, Told::Commit(*commit));
                let text = String::from_utf8(target.repo?.blob(*blob)?).ok()?;
                Happening::Seen { text: text.into(), how: Seen::Somewhere, parents: parents.clone() }
            }
            What::Brought { blob, commit } => {
                numbers.told.extend(commit.map(|commit| (clue.key, Told::Commit(commit))));
                let text = String::from_utf8(target.repo?.blob(*blob)?).ok()?;
                Happening::Seen { text: text.into(), how: Seen::Here, parents: Vec::new() }
            }
            What::Wrote { run, first } => {
                let step = numbers.of(clue.log, &run.id);
                numbers.told.insert(clue.key, Told::Edit(step));
                self.wrote(clue, run, *first, step)?
            }
            What::Ran(run) => self.ran(clue, run, numbers.of(clue.log, &run.id)),
            What::ByHand => Happening::ByHand,
        };
        let Clue { key, at, tree, turn, left_behind, .. } = *clue;
        Some(Event { key, at, tree, turn, left_behind, what })
    }

    /// What a result proves; where it holds no texts, what the call asked for, which the result says was done.
    /// `nth` of several changes of that file.
    fn change(&self, clue: &Clue, (result, call): (Place, Place), path: &str, nth: u32) -> Option<trace::Change> {
        let of_file = |content: &trace::Content| {
            // One patch may change several files of one name; a call may spell its paths relative to a folder.
            let mut same = content.changes.iter().filter(|change| names(&change.path, path));
            let is_alike = |path: &str| path.starts_with("..") && file_name(path) == &*clue.name;
            let mut alike = content.changes.iter().filter(|change| is_alike(&change.path));
            same.nth(nth as usize).or_else(|| alike.next().filter(|_| alike.next().is_none())).cloned()
        };
        let from_result = self.bodies().body(clue.log, result).content().and_then(of_file);
        from_result.or_else(|| self.bodies().body(clue.log, call).content().and_then(of_file))
    }
}

/// Whether `told` is the path, or the end of it.
fn names(told: &str, path: &str) -> bool {
    let told = told.strip_prefix("./").unwrap_or(told);
    path.strip_suffix(told).is_some_and(|folder| folder.is_empty() || folder.ends_with(['/', '\\']))
}

/// The steps of a log: the turn they belong to, and whether the person went back to before it.
pub(crate) fn parts_of(log: &DerivedPath) -> impl Iterator<Item = (Option<TurnKey>, bool, &Grown<Step>)> {
    let turn_key = |number: u32| Some(TurnKey(u64::from(log.log.0) << 32 | u64::from(number)));
    let turns = log.turns.iter().map(move |turn| (turn_key(turn.number), turn.abandoned.is_some(), &turn.steps));
    turns.chain(log.sides.iter().map(move |side| (turn_key(u32::MAX), false, &side.steps)))
}

pub(crate) fn key(log: LogId, place: Place, nth: u32, left_behind: bool) -> EventKey {
    let mut hasher = FxHasher::default();
    (log.0, place, nth, left_behind).hash(&mut hasher);
    EventKey(hasher.finish())
}

/// The text of a file, if it is one: a pipe would be waited for, and a device may never end. Bytes that are no UTF-8 are
/// replaced: such lines are nobody's.
pub(crate) fn read_text(path: &Path) -> Option<String> {
    if !std::fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let bytes = std::fs::read(path).ok()?;
    Some(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}
