//! Which logs repeat the records of others: forks and resumed copies.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use trace::{DerivedPath, LogId, RecordId, Timestamp, Turn};

/// The log of which another is a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) log: LogId,
    /// So many turns, from the first, are in it as a whole.
    pub(crate) turns: u32,
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
    /// Both logs have records of their own; what is appended cannot change which are older.
    is_final: bool,
}

pub(crate) type Paths<'a> = dyn Fn(LogId) -> Option<&'a Arc<DerivedPath>> + 'a;

impl Copies {
    /// Takes note of turns that are new in a log.
    pub(crate) fn learn<'a>(&mut self, log: LogId, turns: impl Iterator<Item = &'a Arc<Turn>>) {
        for record in turns.filter_map(|turn| first_record(turn)) {
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
    pub(crate) fn forget(&mut self, path: &DerivedPath) -> Vec<LogId> {
        for record in path.turns.iter().filter_map(|turn| first_record(turn)) {
            let Some(holders) = self.holders.get_mut(&record) else { continue };
            holders.others.retain(|other| *other != path.log);
            if holders.first != path.log {
                continue;
            }
            match holders.others.pop() {
                Some(next) => holders.first = next,
                None => drop(self.holders.remove(&record)),
            }
        }
        let twins = self.twins.remove(&path.log).unwrap_or_default();
        for twin in &twins {
            self.verdicts.remove(&pair(*twin, path.log));
            if let Some(others) = self.twins.get_mut(twin) {
                others.remove(&path.log);
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
    pub(crate) fn origin(&mut self, log: LogId, paths: &Paths<'_>) -> Option<Origin> {
        let path = paths(log)?;
        let mut twins: Vec<LogId> = self.twins.get(&log)?.iter().copied().collect();
        twins.sort();
        let mut best: Option<Origin> = None;
        for twin in twins {
            let Some(other) = paths(twin).filter(|other| other.owner.is_some() == path.owner.is_some()) else {
                continue;
            };
            if self.older(path, other) != twin {
                continue;
            }
            let turns = shared_turns(path, other);
            let is_better = match best {
                None => true,
                Some(best) if best.turns == turns => {
                    paths(best.log).is_some_and(|known| self.older(known, other) == twin)
                }
                Some(best) => best.turns < turns,
            };
            if is_better {
                best = Some(Origin { log: twin, turns });
            }
        }
        best
    }

    fn older(&mut self, a: &DerivedPath, b: &DerivedPath) -> LogId {
        let key = pair(a.log, b.log);
        if let Some(known) = self.verdicts.get(&key).filter(|known| known.is_final) {
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

/// Where all records of one log lie in the other it is the origin, else the one whose own records are older; where
/// that does not decide, the smaller id of a session.
fn judge(a: &DerivedPath, b: &DerivedPath) -> Verdict {
    let (a_in_b, b_in_a) = (a.records.is_subset(&b.records), b.records.is_subset(&a.records));
    let by_name = if (&a.session, a.log) <= (&b.session, b.log) { a.log } else { b.log };
    match (a_in_b, b_in_a) {
        (true, true) => Verdict { older: by_name, is_final: false },
        (true, false) => Verdict { older: a.log, is_final: false },
        (false, true) => Verdict { older: b.log, is_final: false },
        (false, false) => {
            let (own_of_a, own_of_b) = (first_own(a, b), first_own(b, a));
            let older = match (own_of_a, own_of_b) {
                (Some(of_a), Some(of_b)) if of_a < of_b => a.log,
                (Some(of_a), Some(of_b)) if of_b < of_a => b.log,
                _ => by_name,
            };
            // Records without a step or prompt have no time that is known here.
            Verdict { older, is_final: own_of_a.is_some() && own_of_b.is_some() }
        }
    }
}

/// The time of the first record that the other log does not have.
fn first_own(path: &DerivedPath, other: &DerivedPath) -> Option<Timestamp> {
    let begins = path.turns.iter().map(|turn| (turn.record, turn.started));
    let steps = path.turns.iter().flat_map(|turn| &turn.steps).map(|step| (step.record, step.at));
    let is_own = |record: Option<RecordId>| record.is_some_and(|record| !other.records.contains(record));
    let first_begun = begins.filter(|(record, _)| is_own(*record)).find_map(|(_, at)| at);
    let first_done = steps.filter(|(record, _)| is_own(*record)).find_map(|(_, at)| at);
    match (first_begun, first_done) {
        (Some(begun), Some(done)) => Some(begun.min(done)),
        (begun, done) => begun.or(done),
    }
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

fn first_record(turn: &Turn) -> Option<RecordId> {
    turn.record.or_else(|| turn.steps.first()?.record)
}
