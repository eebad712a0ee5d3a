//! What became of the lines of a step.

use std::sync::Arc;

use lens::{AddedLine, Gone, LineNow, Now, Place, RemovedLine, Span, StepLife};
use workspace::{FileHistory, FileView};

use super::Answers;

impl Now for Answers<'_> {
    fn step(&self, session: &str, turn: u32, steps: &[u32]) -> Option<StepLife> {
        let key = (Arc::from(session), turn, steps.to_vec());
        if let Some(known) = self.lives.borrow().get(&key) {
            return known.clone();
        }
        let life = self.life(session, turn, steps);
        self.lives.borrow_mut().insert(key, life.clone());
        life
    }
}

impl Answers<'_> {
    fn life(&self, session: &str, turn: u32, steps: &[u32]) -> Option<StepLife> {
        let view = self.moment.session_view(session)?;
        let at = view.session.step(turn, steps)?;
        let call = at.step.call.as_deref()?;
        if at.step.edits().is_empty() || self.moment.reading().is_some() {
            return None;
        }
        let mut life = StepLife::default();
        for edit in at.step.edits() {
            let here = self.moment.local(&view.session, &edit.path);
            let buffer = self.buffer(&here);
            self.moment.with_timeline(&here, |file| {
                let now = buffer.as_deref().unwrap_or(file.view);
                self.add_file(&mut life, file, now, &edit.path, call);
            });
        }
        life.added.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
        life.removed.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
        life.now.sort();
        Some(life)
    }

    /// Adds what became of a step's lines in one file, the text of which is `now`.
    fn add_file(&self, life: &mut StepLife, file: &FileHistory<'_>, now: &FileView, spelled: &str, call: &str) {
        let Some(step) = file.number(call) else { return };
        let path: Box<str> = now.path.to_string_lossy().into();
        let place = |line: u32| Place { path: path.clone(), line: line + 1 };
        let fate = file.timeline.fate(&now.blame, step);
        let places: Vec<(u32, Option<u32>)> = fate
            .lines
            .iter()
            .map(|line| (line.line, if let provenance::LineNow::At(now) = line.now { Some(now) } else { None }))
            .collect();
        let near = |line: u32| {
            let living = places.iter().filter_map(|(written, now)| Some((written.abs_diff(line), (*now)?)));
            living.min().map(|(_, now)| place(now))
        };
        for line in &fate.lines {
            life.written += 1;
            let now = match line.now {
                provenance::LineNow::At(now) => {
                    life.live += 1;
                    add_to_spans(&mut life.now, &path, now + 1);
                    LineNow::At(place(now))
                }
                provenance::LineNow::Gone(by) => {
                    let step = by.and_then(|by| by.step).and_then(|step| file.view.step_of(step));
                    let by = step.map_or(Gone::NoRecordedTurn, |step| Gone::By(self.writer(step)));
                    count_gone(&mut life.gone, &by);
                    LineNow::Gone { by, near: near(line.line) }
                }
            };
            life.added.push(AddedLine { path: spelled.into(), line: line.line + 1, now });
        }
        for gone in file.timeline.removed(step) {
            let writer = gone.step.and_then(|step| file.view.step_of(step)).map(|step| self.writer(step));
            life.removed.push(RemovedLine {
                path: spelled.into(),
                line: gone.line + 1,
                writer,
                near: near(gone.place),
            });
        }
    }
}

fn add_to_spans(spans: &mut Vec<Span>, path: &str, line: u32) {
    match spans.last_mut() {
        Some(last) if *last.path == *path && last.to + 1 == line => last.to = line,
        _ => spans.push(Span { path: path.into(), from: line, to: line }),
    }
}

fn count_gone(gone: &mut Vec<(Gone, u32)>, by: &Gone) {
    let same = |known: &Gone| match (known, by) {
        (Gone::By(a), Gone::By(b)) => (&a.session, a.turn) == (&b.session, b.turn),
        (a, b) => a == b,
    };
    match gone.iter_mut().find(|(known, _)| same(known)) {
        Some((_, count)) => *count += 1,
        None => gone.push((by.clone(), 1)),
    }
}
