//! One line of code: its hover, its history, and why it is said to be somebody's.

use lens::{
    CodeHover, Doubt, Explanation, Fact, FactKind, HistoryEntry, HoverForm, LastCommit, LineHistory, Links, Markup,
    Unanswered, Verdict,
};
use provenance::{LineNow, Stage};
use trace::{Evidence, StepKind, Timestamp};
use workspace::{FileHistory, FileView, StepRef, Told};

use super::{Answers, place_of};

/// Stages of a line's story that are told at most.
const MOST_FACTS: usize = 12;
/// Commands that are named where nobody can be.
const MOST_COMMANDS: usize = 4;

impl Answers<'_> {
    /// Who wrote the lines `from` to `to` (from 1, both included), the newest first.
    pub(crate) fn line_history(&self, file: &FileView, from: u32, to: u32) -> LineHistory {
        let mut entries: Vec<(Option<Timestamp>, HistoryEntry)> = Vec::new();
        let mut steps: Vec<(StepRef, Vec<u32>)> = Vec::new();
        let mut unknown_before: Vec<(Timestamp, Option<Box<str>>)> = Vec::new();
        let mut first_seen = false;
        let last = (to as usize).min(file.blame.lines.len());
        self.moment.with_timeline(&file.path, |known| {
            for line in (from as usize).max(1) - 1..last {
                let mut newer: Option<StepRef> = None;
                for link in known.timeline.history(&file.blame, line) {
                    match link.by.step.and_then(|step| known.view.step_of(step)) {
                        Some(step) => {
                            newer = Some(step.clone());
                            match steps.iter_mut().find(|(other, _)| other.call == step.call) {
                                Some((_, lines)) => lines.push(link.line + 1),
                                None => steps.push((step.clone(), vec![link.line + 1])),
                            }
                        }
                        None if link.by.first_seen => first_seen = true,
                        None => unknown_before.push((link.by.at, newer.as_ref().map(|step| step.label().into()))),
                    }
                }
                if known.timeline.history(&file.blame, line).is_empty() {
                    first_seen = true;
                }
            }
        });
        for (step, lines) in &steps {
            let hunks = self.hunks_of(step, file, lines);
            let entry = HistoryEntry::Step { writer: self.writer(step), step: place_of(step), hunks };
            entries.push((Some(step.at), entry));
        }
        unknown_before.dedup();
        entries.extend(unknown_before.into_iter().map(|(at, before)| (Some(at), HistoryEntry::Nobody { before })));
        entries.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let mut entries: Vec<HistoryEntry> = entries.into_iter().map(|(_, entry)| entry).collect();
        if first_seen || entries.is_empty() {
            entries.extend(self.commit_entry(file, from));
        }
        LineHistory { path: file.path.to_string_lossy().into(), from, to, entries }
    }

    fn commit_entry(&self, file: &FileView, line: u32) -> Option<HistoryEntry> {
        let commit = self.moment.last_commit(file, line.checked_sub(1)?)?;
        let folder = file.path.parent().map(|folder| folder.to_string_lossy().into());
        let (hash, author) = (commit.id.short().into(), commit.author.into());
        Some(HistoryEntry::Commit { hash, author, at: Some(commit.at), folder })
    }

    /// The hunks of a step's change to the file that hold these lines (from 1, right after the step).
    fn hunks_of(&self, step: &StepRef, file: &FileView, lines: &[u32]) -> Vec<trace::Hunk> {
        let texts = self.moment.with_timeline(&file.path, |known| {
            let key = known.number(&step.call)?;
            known.timeline.around(key, key)
        });
        let Some((before, after)) = texts else { return Vec::new() };
        let mut hunks = lens::between(&before.unwrap_or_default(), &after);
        hunks.retain(|hunk| {
            let end = hunk.new_start + hunk.new_lines().count() as u32;
            lines.iter().any(|line| (hunk.new_start..end).contains(line))
        });
        hunks
    }

    /// Where the step that wrote a line (from 0) shows it: which of its edits, and the line right after it, from 1.
    pub(crate) fn place_in_step(&self, file: &FileView, line: u32) -> Option<(StepRef, u32, u32)> {
        let step = file.step(line as usize)?.clone();
        let key = file.blame.lines.get(line as usize).copied().flatten()?.step;
        let written = self.moment.with_timeline(&file.path, |known| {
            let fate = known.timeline.fate(&file.blame, key);
            fate.lines.iter().find(|written| written.now == LineNow::At(line)).map(|written| written.line + 1)
        });
        let edit = self.edit_of(&step, file).unwrap_or(0);
        Some((step, edit, written.unwrap_or(0)))
    }

    /// Which of a step's edits is of this file.
    pub(crate) fn edit_of(&self, step: &StepRef, file: &FileView) -> Option<u32> {
        let view = self.moment.session_view(&step.session)?;
        let at = view.session.step(step.turn, &step.numbers)?;
        let same = |path: &str| self.moment.local(&view.session, path) == file.path;
        let edits = at.step.edits();
        if edits.len() == 1 {
            return Some(0);
        }
        edits.iter().position(|edit| same(&edit.path)).map(|at| at as u32)
    }

    /// The hover over a line (from 0). `None`: nobody is known to have written it.
    pub(crate) fn code_hover(
        &self,
        file: &FileView,
        line: u32,
        form: HoverForm,
        markup: Markup,
        links: &dyn Links,
    ) -> Option<String> {
        let (step, edit, written) = self.place_in_step(file, line)?;
        let origin = file.blame.lines.get(line as usize).copied().flatten()?;
        let view = self.moment.session_view(&step.session)?;
        let at = view.session.step(step.turn, &step.numbers)?;
        let mut doubts = Vec::new();
        if origin.evidence == Evidence::Reformatted {
            doubts.push(Doubt::Reformatted { by: None });
        }
        if step.numbers.len() > 1
            && let Some(starter) = view.session.step(step.turn, &step.numbers[..1])
        {
            let name = starter.step.detail.clone().unwrap_or_else(|| starter.step.text.head.clone());
            doubts.push(Doubt::SubAgent { name, step: step.label().into() });
        }
        let agent = lens::agent_name(step.agent.short(), origin.evidence);
        let path = at.step.edits().get(edit as usize).map(|edit| edit.path.clone()).unwrap_or_default();
        let hover = CodeHover {
            source: self.source(&view),
            step: &place_of(&step),
            agent: &agent,
            path: &path,
            line: (written > 0).then_some(written),
            doubts: &doubts,
        };
        lens::code_hover(&hover, form, markup, links)
    }

    /// Why nothing is said of a line (from 0).
    pub(crate) fn unanswered(&self, file: &FileView, line: u32) -> Unanswered {
        if let Some((done, total)) = file.reading {
            return Unanswered::Reading { done: done as u32, total: total as u32 };
        }
        let Some(commit) = self.moment.last_commit(file, line) else { return Unanswered::NoTurn { last: None } };
        let last = LastCommit { hash: commit.id.short().into(), author: commit.author.into(), at: commit.at };
        match commit.agent_trailer {
            Some(agent) => Unanswered::Named { last, agent: agent.into() },
            None => Unanswered::NoTurn { last: Some(last) },
        }
    }

    /// The chain of proofs for a line (from 0), or where it breaks.
    pub(crate) fn explain(&self, file: &FileView, line: u32) -> Explanation {
        let text = provenance::lines(&file.text).nth(line as usize).unwrap_or_default();
        let origin = file.blame.lines.get(line as usize).copied().flatten();
        let step = file.step(line as usize);
        let verdict = match (origin.zip(step), file.reading) {
            (Some((origin, step)), _) => Verdict::Written {
                agent: step.agent.full().into(),
                step: step.label().into(),
                session: step.session.as_ref().into(),
                at: Some(step.at),
                evidence: origin.evidence,
            },
            (None, Some((done, total))) => Verdict::NotKnownYet { done: done as u32, total: total as u32 },
            (None, None) => Verdict::NotKnown,
        };
        let session = step.map(|step| &*step.session);
        let mut facts = self.moment.with_timeline(&file.path, |known| {
            let story = known.timeline.story(&file.blame, line as usize);
            story_facts(&story, known, session, &|from, to| self.commands_between(known, session, from, to))
        });
        if facts.len() > MOST_FACTS {
            let last = facts.split_off(facts.len() - MOST_FACTS / 2);
            facts.truncate(MOST_FACTS / 2);
            facts.extend(last);
        }
        if let Some(commit) = self.moment.last_commit(file, line) {
            let fact = FactKind::Commit { hash: commit.id.short().into(), line: Some(line + 1) };
            let at = facts.iter().position(|fact| fact.at > Some(commit.at)).unwrap_or(facts.len());
            facts.insert(at, Fact { at: Some(commit.at), kind: fact });
        }
        let saved = std::fs::read_to_string(&file.path).is_ok_and(|disk| *disk == *file.text);
        let here = Some(line + 1);
        facts.push(Fact {
            at: None,
            kind: FactKind::Now { saved: here.filter(|_| saved), buffer: here.filter(|_| !saved) },
        });
        Explanation { path: file.path.to_string_lossy().into(), line: line + 1, text: text.into(), verdict, facts }
    }

    /// Commands that ran between two moments in sessions that touched the file.
    fn commands_between(
        &self,
        known: &FileHistory<'_>,
        session: Option<&str>,
        from: Timestamp,
        to: Timestamp,
    ) -> Vec<(Box<str>, Box<str>)> {
        let mut sessions: Vec<&str> = known.view.steps.iter().flatten().map(|step| &*step.session).collect();
        sessions.sort_unstable();
        sessions.dedup();
        let mut commands = Vec::new();
        for id in sessions {
            let Some(view) = self.moment.session_view(id) else { continue };
            let between = |at: &trace::StepAt<'_>| at.step.at.is_some_and(|at| from <= at && at <= to);
            let ran = view.session.steps();
            let ran = ran.iter().filter(|at| at.step.kind == StepKind::Command && between(at));
            commands.extend(ran.map(|at| (at.step.text.head.clone(), name(id, &at.label(), session))));
        }
        commands.truncate(MOST_COMMANDS);
        commands
    }
}

fn story_facts(
    story: &[Stage],
    known: &FileHistory<'_>,
    session: Option<&str>,
    commands: &dyn Fn(Timestamp, Timestamp) -> Vec<(Box<str>, Box<str>)>,
) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut before: Option<&Stage> = None;
    for stage in story {
        let there = stage.line.is_some();
        let was_there = before.is_some_and(|before| before.line.is_some());
        let step = stage.by.step.and_then(|step| known.view.step_of(step));
        let told_by = known.told(stage.by.key).and_then(|told| match told {
            Told::Read(step) | Told::Edit(step) => known.view.step_of(step),
            Told::Commit(_) => None,
        });
        let label = |step: &StepRef| name(&step.session, &step.label(), session);
        let read_before = before.is_some_and(|before| matches!(known.told(before.by.key), Some(Told::Read(_))));
        let kind = match (step, told_by) {
            (Some(step), _) if there && !was_there => {
                Some(FactKind::Adds { step: label(step), equals_read: read_before })
            }
            (Some(step), _) if there => Some(FactKind::Keeps { step: label(step) }),
            (Some(step), _) if was_there => Some(FactKind::Removes { step: label(step) }),
            (Some(_), _) => None,
            (None, Some(by)) => {
                let agent = Some(by.agent.short().into()).filter(|_| session != Some(&*by.session));
                Some(FactKind::Read { by: agent, step: label(by), lines: stage.lines, there })
            }
            (None, None) => None,
        };
        if let Some(kind) = kind {
            let appeared = step.is_none() && there && !was_there && before.is_some();
            facts.push(Fact { at: Some(stage.by.at), kind });
            if appeared && let Some(before) = before {
                facts.push(Fact { at: None, kind: FactKind::Gap { commands: commands(before.by.at, stage.by.at) } });
            }
        }
        before = Some(stage);
    }
    facts
}

/// A step's label, with its session where that is another.
fn name(id: &str, label: &str, session: Option<&str>) -> Box<str> {
    match session {
        Some(session) if session != id => format!("{}:{label}", workspace::short_session(id)).into(),
        _ => label.into(),
    }
}
