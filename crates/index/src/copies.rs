//! Which logs repeat the records of others: forks and resumed copies.

use std::cmp::Ordering;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use trace::{DerivedPath, LogId, RecordId, Timestamp, Turn};

use crate::logs::Known;
use crate::summary::{FileUse, edits_of, first_record};

/// The log of which another is a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) log: LogId,
    /// So many turns, from the first, are in it as a whole.
    pub(crate) turns: u32,
    /// The edits of the copy that are its own.
    pub(crate) own: Arc<[FileUse]>,
}

/// Finds the logs that share records. Candidates share the record of a turn's prompt, so logs that share nothing
/// are never compared.
#[derive(Default)]
pub(crate) struct Copies {
    /// By the record that begins a turn.
    holders: FxHashMap<RecordId, Holders>,
    twins: FxHashMap<LogId, FxHashSet<LogId>>,
    verdicts: FxHashMap<(LogId, LogId), Verdict>,
}

/// Nearly all records have one holder.
struct Holders {
    first: LogId,
    others: Vec<LogId>,
}

#[derive(Clone, Copy)]
struct Verdict {
    older: LogId,
    /// By which it was found: the first record that only the log with the smaller id has, and the first that only the
    /// other has. As long as that is so, nothing that is appended changes it.
    own: Option<(RecordId, RecordId)>,
}

impl Verdict {
    fn holds(&self, a: &DerivedPath, b: &DerivedPath) -> bool {
        let (a, b) = if a.log < b.log { (a, b) } else { (b, a) };
        self.own.is_some_and(|(of_a, of_b)| !b.records.contains(of_a) && !a.records.contains(of_b))
    }
}

/// A log that shares records with others.
pub(crate) struct Twin {
    known: Known,
    path: Arc<DerivedPath>,
}

impl Twin {
    pub(crate) fn new(known: Known, path: Arc<DerivedPath>) -> Twin {
        Twin { known, path }
    }
}

pub(crate) type Logs<'a> = dyn Fn(LogId) -> Option<Twin> + 'a;

impl Copies {
    /// Takes note of the records that begin turns which are new in a log.
    pub(crate) fn learn<'a>(&mut self, log: LogId, heads: impl Iterator<Item = &'a RecordId>) {
        for record in heads.copied() {
            let Some(holders) = self.holders.get_mut(&record) else {
                self.holders.insert(record, Holders { first: log, others: Vec::new() });
                continue;
            };
            if holders.first == log || holders.others.contains(&log) {
                continue;
            }
            for other in std::iter::once(holders.first).chain(holders.others.iter().copied()) {
                self.twins.entry(log).or_default().insert(other);
                self.twins.entry(other).or_default().insert(log);
            }
            holders.others.push(log);
        }
    }

    /// Forgets a log that is gone or was replaced; gives the logs whose origin it may have been.
    pub(crate) fn forget<'a>(&mut self, log: LogId, heads: impl Iterator<Item = &'a RecordId>) -> Vec<LogId> {
        for record in heads {
            let Some(holders) = self.holders.get_mut(record) else { continue };
            holders.others.retain(|other| *other != log);
            if holders.first != log {
                continue;
            }
            match holders.others.pop() {
                Some(next) => holders.first = next,
                None => drop(self.holders.remove(record)),
            }
        }
        let twins = self.twins.remove(&log).unwrap_or_default();
        for twin in &twins {
            self.verdicts.remove(&pair(*twin, log));
            if let Some(others) = self.twins.get_mut(twin) {
                others.remove(&log);
            }
        }
        twins.into_iter().collect()
    }

    /// The logs that must be looked at again when these changed: they themselves and those that share with them.
    pub(crate) fn concerned(&self, changed: &[LogId]) -> Vec<LogId> {
        let twins = changed.iter().filter_map(|log| self.twins.get(log)).flatten();
        let mut all: Vec<LogId> = changed.iter().chain(twins).copied().collect();
        all.sort();
        all.dedup();
        all
    }

    /// The log of which `log` is a copy: among those that are older the one with the most of its turns, of several
    /// the oldest.
    pub(crate) fn origin(&mut self, log: LogId, logs: &Logs<'_>) -> Option<Origin> {
        let mut twins: Vec<LogId> = self.twins.get(&log)?.iter().copied().collect();
        twins.sort();
        let known = logs(log)?;
        let mut best: Option<(Twin, u32)> = None;
        for twin in twins {
            let is_side = known.path.owner.is_some();
            let Some(other) = logs(twin).filter(|other| other.path.owner.is_some() == is_side) else { continue };
            if self.older(&known, &other) != twin {
                continue;
            }
            let turns = shared_turns(&known.path, &other.path);
            let is_better = match &best {
                None => true,
                Some((best, most)) if *most == turns => self.older(best, &other) == twin,
                Some((_, most)) => *most < turns,
            };
            if is_better {
                best = Some((other, turns));
            }
        }
        let (best, turns) = best?;
        let own = edits_of(&known.path, &|record| !best.path.records.contains(record));
        Some(Origin { log: best.path.log, turns, own: own.into() })
    }

    fn older(&mut self, a: &Twin, b: &Twin) -> LogId {
        let key = pair(a.path.log, b.path.log);
        if let Some(known) = self.verdicts.get(&key).filter(|known| known.holds(&a.path, &b.path)) {
            return known.older;
        }
        let verdict = judge(a, b);
        self.verdicts.insert(key, verdict);
        verdict.older
    }
}

fn pair(a: LogId, b: LogId) -> (LogId, LogId) {
    (a.min(b), a.max(b))
}

/// What a log says that it was forked from is the origin. Else, where all records of one log lie in the other, it is
/// the origin, else the one whose own records are older; where that does not decide, the smaller id of a session (and where a whole home was copied, the smaller path).
fn judge(a: &Twin, b: &Twin) -> Verdict {
    let (a, b) = if a.path.log < b.path.log { (a, b) } else { (b, a) };
    let is_a_first = (&a.path.session, &a.known.file.path) <= (&b.path.session, &b.known.file.path);
    let (a, b) = (&a.path, &b.path);
    let by_name = if is_a_first { a.log } else { b.log };
    let undecided = |older: LogId| Verdict { older, own: None };
    match (a.forked_from.as_ref() == Some(&b.session), b.forked_from.as_ref() == Some(&a.session)) {
        (true, false) => return undecided(b.log),
        (false, true) => return undecided(a.log),
        _ => {}
    }
    match (a.records.is_subset(&b.records), b.records.is_subset(&a.records)) {
        (true, true) => undecided(by_name),
        (true, false) => undecided(a.log),
        (false, true) => undecided(b.log),
        (false, false) => match (first_own(a, b), first_own(b, a)) {
            (Some((of_a, at_a)), Some((of_b, at_b))) => {
                let older = match at_a.cmp(&at_b) {
                    Ordering::Less => a.log,
                    Ordering::Greater => b.log,
                    Ordering::Equal => by_name,
                };
                Verdict { older, own: Some((of_a, of_b)) }
            }
            // Only records that are neither prompts nor steps, whose times are not known here.
            _ => undecided(by_name),
        },
    }
}

/// The first prompt or step that the other log does not have, and its time.
fn first_own(path: &DerivedPath, other: &DerivedPath) -> Option<(RecordId, Timestamp)> {
    let all = path.turns.iter().flat_map(|turn| {
        let steps = turn.steps.iter().map(|step| (step.record, step.at));
        std::iter::once((turn.record, turn.started)).chain(steps)
    });
    let mut timed = all.filter_map(|(record, at)| Some((record?, at?)));
    timed.find(|(record, _)| !other.records.contains(*record))
}

/// How many turns, from the first, the other log has as a whole.
fn shared_turns(path: &DerivedPath, other: &DerivedPath) -> u32 {
    let has = |record: Option<RecordId>| record.is_none_or(|record| other.records.contains(record));
    let is_shared = |turn: &&Arc<Turn>| {
        let last = turn.steps.last().and_then(|step| step.record);
        first_record(turn).is_some() && has(first_record(turn)) && has(last)
    };
    u32::try_from(path.turns.iter().take_while(is_shared).count()).unwrap_or(u32::MAX)
}
