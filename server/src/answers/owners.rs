//! The lines of a file by the step that wrote them, as lenses want them.

use std::collections::HashMap;

use trace::{Evidence, StepKey};
use workspace::FileView;

use super::Answers;

/// For each line who wrote it, as a place in the table; `steps` is the table's steps.
pub(crate) struct Owners {
    pub(crate) of_line: Vec<Option<u32>>,
    pub(crate) table: Vec<lens::Owner>,
    pub(crate) steps: Vec<StepKey>,
}

const HOUR_MS: f64 = 3_600_000.0;

impl Answers<'_> {
    pub(crate) fn owners(&self, file: &FileView) -> Owners {
        let uncommitted = self.moment.not_in_head(file);
        let mut fresh = vec![uncommitted.is_none(); file.blame.lines.len()];
        for range in uncommitted.into_iter().flatten() {
            if let Some(lines) = fresh.get_mut(range.start as usize..range.end as usize) {
                lines.fill(true);
            }
        }
        let mut owners = Owners { of_line: Vec::with_capacity(fresh.len()), table: Vec::new(), steps: Vec::new() };
        let mut known: HashMap<(StepKey, bool, bool), u32> = HashMap::new();
        let mut turns: HashMap<(&str, u32), u64> = HashMap::new();
        for (origin, fresh) in file.blame.lines.iter().zip(fresh) {
            let told = origin.and_then(|origin| Some((origin, file.step_of(origin.step)?)));
            owners.of_line.push(told.map(|(origin, step)| {
                let inferred = origin.evidence == Evidence::Inferred;
                *known.entry((origin.step, fresh, inferred)).or_insert_with(|| {
                    let next = turns.len() as u64;
                    let turn = *turns.entry((&step.session, step.turn)).or_insert(next);
                    let age = (self.frame.now.0 - step.turn_ended.0) as f64;
                    owners.table.push(lens::Owner {
                        agent: step.agent.short().into(),
                        title: step.title.clone(),
                        at: Some(step.at),
                        turn,
                        inferred,
                        recent: fresh || age < self.frame.recent_hours * HOUR_MS,
                    });
                    owners.steps.push(origin.step);
                    owners.table.len() as u32 - 1
                })
            }));
        }
        owners
    }
}
