//! A session as a person sees it: its own log and those of its sub-agents, joined.

use std::sync::Arc;

use crate::{DerivedPath, LogId, Side, Step, Turn};

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
        let from_logs = logs_of_sides.iter().filter_map(|log| side_of_log(log));
        let all: Vec<Arc<Side>> = path.sides.iter().cloned().chain(from_logs).collect();
        let mut sides: Vec<(Arc<str>, Arc<Side>)> = Vec::new();
        for side in all {
            // The same sub-agent can lie in its own log and, shorter, inside the parent's: the longer one counts.
            let Some(call) = call_of(&path, logs_of_sides, &side) else { continue };
            match sides.iter_mut().find(|(known, _)| *known == call) {
                Some((_, known)) if known.id == side.id => {
                    if side.steps.len() > known.steps.len() {
                        *known = side;
                    }
                }
                Some(_) => {}
                None => sides.push((call, side)),
            }
        }
        sides.sort_by(|a, b| a.0.cmp(&b.0));
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
        for step in &turn.steps {
            self.collect(turn, &[], step, self.path.log, all);
        }
    }

    fn collect<'a>(
        &'a self,
        turn: &'a Arc<Turn>,
        above: &[u32],
        step: &'a Step,
        log: LogId,
        all: &mut Vec<StepAt<'a>>,
    ) {
        const DEEPEST: usize = 8;
        let numbers = [above, &[step.number]].concat();
        let side = self.side(step).filter(|_| numbers.len() < DEEPEST);
        all.push(StepAt { turn, numbers: numbers.clone(), step, log });
        if let Some(side) = side {
            for inner in &side.steps {
                self.collect(turn, &numbers, inner, side.log, all);
            }
        }
    }
}

/// A sub-agent's log as a side of its parent.
fn side_of_log(log: &Arc<DerivedPath>) -> Option<Arc<Side>> {
    let owner = log.owner.as_ref()?;
    let mut steps: Vec<Step> = log.turns.iter().flat_map(|turn| turn.steps.iter().cloned()).collect();
    for (at, step) in steps.iter_mut().enumerate() {
        step.number = u32::try_from(at + 1).unwrap_or(u32::MAX);
    }
    Some(Arc::new(Side {
        id: owner.side.clone(),
        log: log.log,
        task: log.turns.first().and_then(|turn| turn.prompt.clone()),
        started: log.started,
        ended: log.ended,
        steps,
        responses: log.turns.iter().flat_map(|turn| turn.responses.iter().cloned()).collect(),
    }))
}

fn call_of(path: &DerivedPath, logs_of_sides: &[Arc<DerivedPath>], side: &Side) -> Option<Arc<str>> {
    let steps = || path.all_steps().chain(logs_of_sides.iter().flat_map(|log| log.all_steps()));
    let names_it = |step: &&Step| step.result.as_ref().is_some_and(|result| result.side.as_ref() == Some(&side.id));
    if let Some(step) = steps().find(names_it) {
        return step.call.clone();
    }
    let logs = || std::iter::once(path).chain(logs_of_sides.iter().map(|log| &**log));
    if let Some((call, _)) = logs().flat_map(|log| &log.side_calls).find(|(_, id)| *id == side.id) {
        return Some(call.clone());
    }
    let task = &side.task.as_ref()?.text;
    let mut same = steps().filter(|step| step.kind == crate::StepKind::Agent && asks_for(step, task));
    match (same.next(), same.next()) {
        (Some(step), None) => step.call.clone(),
        _ => None,
    }
}

fn asks_for(step: &Step, task: &crate::Excerpt) -> bool {
    step.task.as_deref().is_some_and(|asked| !asked.is_empty() && task.head.starts_with(asked))
}
