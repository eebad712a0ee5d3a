//! A session as a person sees it: its own log and those of its sub-agents, joined.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::{Caller, DerivedPath, Grown, LogId, Side, Step, Turn, Turns};

/// A session's derived path with the sub-agents that its steps started.
#[derive(Clone, Debug)]
pub struct Session {
    pub path: Arc<DerivedPath>,
    /// The call that started a sub-agent, with what it did. Sorted by the call's id.
    sides: Vec<(Arc<str>, Arc<Side>)>,
    /// Turns, from the first, that are copies of another session's (a fork, a resumed copy), and that session's id.
    pub inherited: Option<(u32, Arc<str>)>,
}

/// A step and where it stands.
#[derive(Clone, Debug)]
pub struct StepAt<'a> {
    pub turn: &'a Arc<Turn>,
    /// `[7]`, in a sub-agent `[7, 3]`.
    pub numbers: Vec<u32>,
    pub step: &'a Step,
    /// The log in which the step's places lie.
    pub log: LogId,
}

impl StepAt<'_> {
    /// `12.7`, `12.7.3`.
    pub fn label(&self) -> String {
        self.numbers.iter().fold(self.turn.number.to_string(), |label, number| format!("{label}.{number}"))
    }
}

impl Session {
    /// Joins a session's own log with the logs of its sub-agents. A sub-agent belongs to the call whose result names
    /// it, else to the call that the log says started it, else to the one call with the very same task.
    pub fn join(path: Arc<DerivedPath>, logs_of_sides: &[Arc<DerivedPath>]) -> Session {
        let logs = logs_of_sides.iter().filter_map(|log| Some((log.clone(), Side::of_log(log)?)));
        Session::join_sides(path, &logs.collect::<Vec<_>>())
    }

    /// [`Session::join`] for whoever keeps what [`Side::of_log`] made of each log.
    pub fn join_sides(path: Arc<DerivedPath>, logs: &[(Arc<DerivedPath>, Arc<Side>)]) -> Session {
        let callers = Callers::of(&path, logs);
        let mut sides: BTreeMap<Arc<str>, Arc<Side>> = BTreeMap::new();
        for side in path.sides.iter().chain(logs.iter().map(|(_, side)| side)) {
            let Some(call) = callers.of_side(side) else { continue };
            match sides.entry(call.clone()) {
                Entry::Vacant(free) => drop(free.insert(side.clone())),
                // The same sub-agent can lie in its own log and, shorter, inside the parent's: the longer one counts.
                Entry::Occupied(mut known)
                    if known.get().id == side.id && known.get().steps.len() < side.steps.len() =>
                {
                    known.insert(side.clone());
                }
                Entry::Occupied(_) => {}
            }
        }
        let sides = sides.into_iter().collect();
        Session { path, sides, inherited: None }
    }

    /// The sub-agent that a step started.
    pub fn side(&self, step: &Step) -> Option<&Arc<Side>> {
        let call = step.call.as_ref()?;
        let at = self.sides.binary_search_by(|(known, _)| known.cmp(call)).ok()?;
        Some(&self.sides[at].1)
    }

    /// The step at `12.7` (`turn` 12, `numbers` [7]) or `12.7.3` ([7, 3]).
    pub fn step(&self, turn: u32, numbers: &[u32]) -> Option<StepAt<'_>> {
        let turn = self.path.turn(turn)?;
        let (first, rest) = numbers.split_first()?;
        let mut step = turn.steps.get((*first as usize).checked_sub(1)?)?;
        let mut log = self.path.log;
        for number in rest {
            let side = self.side(step)?;
            (step, log) = (side.steps.get((*number as usize).checked_sub(1)?)?, side.log);
        }
        Some(StepAt { turn, numbers: numbers.to_vec(), step, log })
    }

    /// The step whose call has this id.
    pub fn step_of_call(&self, call: &str) -> Option<StepAt<'_>> {
        self.steps().into_iter().find(|at| at.step.call.as_deref() == Some(call))
    }

    /// All steps of the session in the order of the trace, those of sub-agents behind the step that started them.
    pub fn steps(&self) -> Vec<StepAt<'_>> {
        let mut all = Vec::new();
        for turn in &self.path.turns {
            self.steps_of(turn, &mut all);
        }
        all
    }

    /// All steps of one turn, those of sub-agents behind the step that started them.
    pub fn steps_of<'a>(&'a self, turn: &'a Arc<Turn>, all: &mut Vec<StepAt<'a>>) {
        self.steps_where(turn, &|_, _| true, all);
    }

    /// Those of them that are `wanted`, by the log in which they lie.
    pub fn steps_where<'a>(
        &'a self,
        turn: &'a Arc<Turn>,
        wanted: &dyn Fn(LogId, &Step) -> bool,
        all: &mut Vec<StepAt<'a>>,
    ) {
        let mut numbers = Vec::new();
        for step in &turn.steps {
            self.collect(turn, &mut numbers, step, self.path.log, wanted, all);
        }
    }

    fn collect<'a>(
        &'a self,
        turn: &'a Arc<Turn>,
        numbers: &mut Vec<u32>,
        step: &'a Step,
        log: LogId,
        wanted: &dyn Fn(LogId, &Step) -> bool,
        all: &mut Vec<StepAt<'a>>,
    ) {
        const DEEPEST: usize = 8;
        numbers.push(step.number);
        if wanted(log, step) {
            all.push(StepAt { turn, numbers: numbers.clone(), step, log });
        }
        if let Some(side) = self.side(step).filter(|_| numbers.len() < DEEPEST) {
            for inner in &side.steps {
                self.collect(turn, numbers, inner, side.log, wanted, all);
            }
        }
        numbers.pop();
    }
}

impl Side {
    /// A sub-agent's log as a side of its parent. `None`: it is no sub-agent's.
    pub fn of_log(log: &DerivedPath) -> Option<Arc<Side>> {
        let owner = log.owner.as_ref()?;
        let turns = &log.turns;
        let (steps, responses) = match (turns.len(), turns.first()) {
            (1, Some(turn)) => (turn.steps.clone(), turn.responses.clone()),
            _ => (number_anew(turns), turns.iter().flat_map(|turn| &turn.responses).cloned().collect()),
        };
        Some(Arc::new(Side {
            id: owner.side.clone(),
            log: log.log,
            task: log.turns.first().and_then(|turn| turn.prompt.clone()),
            started: log.started,
            ended: log.ended,
            steps,
            responses,
        }))
    }
}

/// The steps of several turns as those of one side.
fn number_anew(turns: &Turns) -> Grown<Step> {
    let all = turns.iter().flat_map(|turn| &turn.steps);
    all.zip(1..).map(|(step, number)| Step { number, ..step.clone() }).collect()
}

/// Which call started which sub-agent, as far as the logs of a session say.
struct Callers<'a> {
    /// By the sub-agent that a call's result names: the call.
    by_result: HashMap<&'a str, &'a Arc<str>>,
    /// By the sub-agent that the log says was started: the call.
    by_word: HashMap<&'a str, &'a Arc<str>>,
    /// Calls that start a sub-agent, with the beginning of its task.
    by_task: Vec<(&'a str, &'a Arc<str>)>,
}

impl<'a> Callers<'a> {
    fn of(path: &'a DerivedPath, logs: &'a [(Arc<DerivedPath>, Arc<Side>)]) -> Callers<'a> {
        let mut callers = Callers { by_result: HashMap::new(), by_word: HashMap::new(), by_task: Vec::new() };
        for log in std::iter::once(path).chain(logs.iter().map(|(log, _)| &**log)) {
            for (call, side) in &log.side_calls {
                callers.by_word.entry(side).or_insert(call);
            }
            for Caller { call, side, task } in &log.callers {
                if let Some(side) = side {
                    callers.by_result.entry(side).or_insert(call);
                }
                callers.by_task.extend(task.as_deref().map(|task| (task, call)));
            }
        }
        callers
    }

    fn of_side(&self, side: &Side) -> Option<&'a Arc<str>> {
        let told = self.by_result.get(&*side.id).or_else(|| self.by_word.get(&*side.id));
        told.copied().or_else(|| {
            let task = &side.task.as_ref()?.text.head;
            let mut same = self.by_task.iter().filter(|(asked, _)| task.starts_with(asked));
            match (same.next(), same.next()) {
                (Some((_, call)), None) => Some(call),
                _ => None,
            }
        })
    }
}
