//! What commands that agents ran did, or may have done, to a file.

use std::path::Path;
use std::sync::Arc;

use index::LogSummary;
use provenance::{EventKey, Happening, Rewrite, Tree, Writes};
use rustc_hash::FxHashMap;
use shell::{Act, Effect, Effects, Sure};
use trace::{Change, DerivedPath, LogId, Place, StepKey, StepResult, Target as Named, TouchKind, Touches};

use crate::Moment;
use crate::gather::{Clue, Depth, What, key, parts_of};
use crate::mapping::{HERE, Target, forward_slashes};

/// A command that may have written the file.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) id: Arc<str>,
    call: Place,
    pub(crate) touches: Arc<Touches>,
    pub(crate) kinds: Vec<TouchKind>,
    /// The file as the log would spell it.
    pub(crate) path: Arc<str>,
    pub(crate) failed: bool,
}

/// Numbers of clues of one result, beside those of its edits.
const WROTE: u32 = 1 << 16;
const RAN: u32 = WROTE + 1;

/// Commands that may have done anything, between two proofs, that are told: with two it is nobody's already.
const MOST_OF_A_CROWD: usize = 2;

impl Moment<'_> {
    /// `known`: by which paths a log is known to call the file.
    pub(crate) fn clues_of_commands(
        &self,
        target: &Target<'_>,
        known: &FxHashMap<LogId, FxHashMap<Box<str>, Tree>>,
        name: &Arc<str>,
        clues: &mut Vec<Clue>,
    ) {
        for summary in self.logs.summaries().filter(|summary| summary.has_commands) {
            let names = names_in(summary, target, known.get(&summary.log));
            let Some(log) = (!names.is_empty()).then(|| self.logs.load(summary.log)).flatten() else { continue };
            for (path, tree) in names {
                self.commands_of_log(&log, &path, tree, name, clues);
            }
        }
    }

    fn commands_of_log(&self, log: &DerivedPath, path: &Arc<str>, tree: Tree, name: &Arc<str>, clues: &mut Vec<Clue>) {
        for (turn, left_behind, steps) in parts_of(log) {
            for step in steps {
                let (Some(touches), Some(result), Some(id)) = (&step.touches, &step.result, &step.call) else {
                    continue;
                };
                let kinds: Vec<TouchKind> = touches.of(path).filter(|kind| *kind != TouchKind::Build).collect();
                let copied = || step.record.is_some_and(|record| self.logs.origin_log(log.log, record) != log.log);
                if kinds.is_empty() || result.refused || copied() {
                    continue;
                }
                let failed = result.error || result.interrupted || result.exit.is_some_and(|status| status != 0);
                let run = Run {
                    id: id.clone(),
                    call: step.place,
                    touches: touches.clone(),
                    kinds,
                    path: path.clone(),
                    failed,
                };
                let clue = |part: u32, what: What| Clue {
                    key: key(log.log, result.place, part, left_behind),
                    at: at(result, step.at),
                    log: log.log,
                    order: result.order * 2 + 1,
                    tree,
                    turn,
                    left_behind,
                    name: name.clone(),
                    what,
                };
                if run.kinds.contains(&TouchKind::Write) && !failed {
                    clues.push(clue(WROTE, What::Wrote { run: run.clone(), first: false }));
                }
                clues.push(clue(RAN, What::Ran(run)));
            }
        }
    }

    /// The text that the command line itself holds, where it certainly went into this file.
    pub(crate) fn wrote(&self, clue: &Clue, run: &Run, first: bool, step: StepKey) -> Option<Happening> {
        let effects = self.effects(clue, run).filter(|effects| !effects.unchecked_cd)?.acts;
        let last = effects.iter().rev().find(|effect| run.is_about(&effect.act))?;
        let text = whole_text(last).filter(|_| run.is_named_by(&last.act))?;
        let change = Change {
            path: (*run.path).into(),
            before: None,
            after: Some(text.into()),
            replacements: Vec::new(),
            hunks: Vec::new(),
            created: first,
            deleted: false,
            user_modified: false,
            moved_to: None,
        };
        Some(Happening::Edit { step, change: Arc::new(change) })
    }

    /// How the command may have written the file.
    pub(crate) fn ran(&self, clue: &Clue, run: &Run, step: StepKey) -> Happening {
        let by_kind = || run.kinds.iter().filter_map(|kind| of_kind(*kind)).collect();
        if run.failed || !run.kinds.iter().any(|kind| matches!(kind, TouchKind::Write | TouchKind::Substitute)) {
            return Happening::Ran { step, writes: by_kind() };
        }
        let Some(effects) = self.effects(clue, run) else { return Happening::Ran { step, writes: by_kind() } };
        let sure = !effects.unchecked_cd;
        let mut writes: Vec<Writes> = effects.acts.iter().filter_map(|effect| run.writes(effect, sure)).collect();
        // What may happen when a `cd` fails is in the summary alone.
        let told = |kind: &TouchKind| !matches!(kind, TouchKind::Write | TouchKind::Substitute);
        writes.extend(run.kinds.iter().filter(|kind| told(kind)).filter_map(|kind| of_kind(*kind)));
        Happening::Ran { step, writes }
    }

    pub(crate) fn effects(&self, clue: &Clue, run: &Run) -> Option<Effects> {
        let body = self.bodies().body(clue.log, run.call);
        Some(shell::effects(&body.content()?.input))
    }
}

impl Clue {
    /// Whether it tells something of the file's text.
    pub(crate) fn tells(&self) -> bool {
        !matches!(self.what, What::Ran(_) | What::ByHand)
    }

    pub(crate) fn is_before(&self, other: &Clue) -> bool {
        if self.log == other.log { self.order < other.order } else { self.at < other.at }
    }
}

impl Run {
    fn covers(&self, named: &Named) -> bool {
        named.covers(&self.path, self.touches.cwd.as_deref())
    }

    fn is_about(&self, act: &Act) -> bool {
        match act {
            Act::Write { target, .. } => self.covers(target),
            Act::Substitute { targets, .. } | Act::Format { targets, .. } | Act::Remove { targets, .. } => {
                targets.iter().any(|named| self.covers(named))
            }
            Act::Move { from, to } | Act::Copy { from, to } => {
                self.covers(to) || from.iter().any(|named| self.covers(named))
            }
            Act::Git(_) | Act::Build { .. } | Act::Program { .. } => false,
        }
    }

    /// Whether its text may name the file as one that it writes.
    pub(crate) fn names_it(&self) -> bool {
        !self.kinds.iter().all(|kind| matches!(kind, TouchKind::Program | TouchKind::Git | TouchKind::Format))
    }

    /// Whether an act's text certainly names this file as one that it writes: what only may be it names nobody.
    fn is_named_by(&self, act: &Act) -> bool {
        let names = |named: &Named| named.names(&self.path, self.touches.cwd.as_deref());
        match act {
            Act::Write { target, .. } => names(target),
            Act::Substitute { targets, .. } => targets.iter().any(names),
            _ => false,
        }
    }

    /// `None`: not this file, or it is told by its text. `sure`: the paths are those that the command had.
    fn writes(&self, effect: &Effect, sure: bool) -> Option<Writes> {
        let writes = matches!(effect.act, Act::Write { .. } | Act::Substitute { .. });
        if !writes || !self.is_about(&effect.act) {
            return None;
        }
        if !sure || !self.is_named_by(&effect.act) {
            return Some(Writes::Anything);
        }
        match &effect.act {
            Act::Write { append: true, .. } => Some(Writes::AtTheEnd),
            Act::Write { .. } if whole_text(effect).is_some() => None,
            Act::Write { .. } => Some(Writes::Whole),
            Act::Substitute { script, .. } => Some(match script.compile() {
                Some(script) => Writes::Lines(Rewrite(Arc::new(move |line: &str| script.line(line)))),
                None => Writes::Anything,
            }),
            _ => None,
        }
    }
}

/// The whole text that an act surely wrote.
fn whole_text(effect: &Effect) -> Option<&str> {
    match &effect.act {
        Act::Write { text: Some(text), append: false, target: Named::Path(_) } if effect.sure == Sure::Done => {
            Some(text)
        }
        _ => None,
    }
}

/// What a kind of touch is without the command's text.
fn of_kind(kind: TouchKind) -> Option<Writes> {
    match kind {
        TouchKind::Format => Some(Writes::Formats),
        TouchKind::Move | TouchKind::Copy | TouchKind::Remove | TouchKind::Git => Some(Writes::OldText),
        TouchKind::Write | TouchKind::Substitute | TouchKind::Program => Some(Writes::Anything),
        TouchKind::Build => None,
    }
}

fn at(result: &StepResult, called: Option<trace::Timestamp>) -> trace::Timestamp {
    result.at.or(called).unwrap_or_default()
}

/// By which paths a log would call the file, and in which worktree that is.
fn names_in(log: &LogSummary, target: &Target<'_>, known: Option<&FxHashMap<Box<str>, Tree>>) -> Vec<(Arc<str>, Tree)> {
    let mut names: Vec<(Arc<str>, Tree)> = Vec::new();
    let mut add = |path: &str, tree: Tree| {
        if !names.iter().any(|(_, known)| *known == tree) {
            names.push((path.into(), tree));
        }
    };
    for (path, tree) in known.into_iter().flatten() {
        add(path, *tree);
    }
    let cwds = || log.cwds.iter().chain(&log.cwd);
    for (root, tree) in target.roots() {
        if cwds().any(|cwd| Path::new(&**cwd).starts_with(root)) {
            let path = target.rel.as_ref().map(|rel| root.join(rel));
            add(&forward_slashes(&path.as_deref().unwrap_or(&target.path).to_string_lossy()), *tree);
        }
    }
    if target.rel.is_none() && target.path.parent().is_some_and(|folder| cwds().any(|cwd| folder.starts_with(&**cwd))) {
        add(&forward_slashes(&target.path.to_string_lossy()), HERE);
    }
    names
}

/// Leaves out programs that may have done anything where enough others may have, too.
pub(crate) fn leave_out_crowds(clues: &mut Vec<Clue>) {
    let only = |run: &Run, kind: TouchKind| run.kinds.iter().all(|known| *known == kind);
    let mut crowd: FxHashMap<Tree, usize> = FxHashMap::default();
    clues.retain(|clue| match &clue.what {
        What::Ran(run) if only(run, TouchKind::Program) => {
            let count = crowd.entry(clue.tree).or_default();
            *count += 1;
            *count <= MOST_OF_A_CROWD
        }
        What::Ran(_) => true,
        _ => {
            crowd.remove(&clue.tree);
            true
        }
    });
    if clues.iter().all(|clue| matches!(&clue.what, What::Ran(run) if !run.names_it())) {
        clues.clear();
    }
}

/// A command's whole text is the beginning of a file of which nothing is known from before.
pub(crate) fn mark_first(clues: &mut [Clue], depth: Depth) {
    if depth < Depth::Commits {
        return;
    }
    let first = clues.iter_mut().find(|clue| clue.tells());
    if let Some(Clue { key, what: What::Wrote { first, .. }, .. }) = first {
        *first = true;
        // Another event than the one that left open what stood there before.
        *key = EventKey(!key.0);
    }
}
