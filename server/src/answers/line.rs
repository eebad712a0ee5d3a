//! One line of code: its hover, its history, and why it is said to be somebody's.

use lens::{
    Because, CodeHover, Doubt, Explanation, Fact, FactKind, HistoryEntry, HoverForm, LastCommit, LineHistory, Links,
    Markup, Unanswered, Verdict,
};
use provenance::{Account, Between, Fit, LineNow, Stage};
use trace::{Evidence, StepKey, Timestamp};
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
        if origin.evidence == Evidence::Inferred {
            doubts.push(Doubt::Inferred { command: at.step.text.head.clone(), step: step.label().into() });
        }
        if let Some(from) = self.stood(file, line) {
            doubts.push(Doubt::Moved { from, turn: None });
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
            let told = Teller { answers: self, known, session, somebody: origin.is_some() };
            let mut facts = told.story(
                &story,
                file.stood_elsewhere(line).is_none().then(|| known.account(file, line as usize)).flatten(),
            );
            if origin.is_none() {
                told.missing(&mut facts);
            }
            facts
        });
        if let Some(from) = self.stood(file, line) {
            facts.push(Fact { at: None, kind: FactKind::Moved { from, step: None } });
        }
        if facts.len() > MOST_FACTS {
            let last = facts.split_off(facts.len() - MOST_FACTS / 2);
            facts.truncate(MOST_FACTS / 2);
            facts.extend(last);
        }
        if let Some(commit) = self.moment.last_commit(file, line) {
            let hash: Box<str> = commit.id.short().into();
            let is_told = |fact: &Fact| matches!(&fact.kind, FactKind::Commit { hash: told, .. } if *told == hash);
            if !facts.iter().any(is_told) {
                insert(&mut facts, commit.at, FactKind::Commit { hash, line: Some(line + 1) });
            }
        }
        for former in self.moment.former_names(&file.path) {
            let commit = former.commit.map(|commit| commit.short().into());
            insert(&mut facts, former.at, FactKind::Former { path: former.path.into(), commit });
        }
        // A pipe would be waited for.
        let saved = file.path.is_file() && std::fs::read_to_string(&file.path).is_ok_and(|disk| *disk == *file.text);
        let here = Some(line + 1);
        facts.push(Fact {
            at: None,
            kind: FactKind::Now { saved: here.filter(|_| saved), buffer: here.filter(|_| !saved) },
        });
        Explanation { path: file.path.to_string_lossy().into(), line: line + 1, text: text.into(), verdict, facts }
    }

    /// Where a line (from 0) stood before it was moved: `src/net.rs:210`.
    fn stood(&self, file: &FileView, line: u32) -> Option<Box<str>> {
        let place = |path: &std::path::Path, line: u32| {
            let path = self.frame.view().path(&path.to_string_lossy()).into_owned();
            format!("{path}:{}", line + 1).into()
        };
        if let Some(elsewhere) = file.stood_elsewhere(line) {
            let stood: Box<str> = place(&elsewhere.path, elsewhere.there);
            return Some(
                elsewhere
                    .commit
                    .map_or(stood.clone(), |commit| format!("{stood}, before commit {}", commit.short()).into()),
            );
        }
        let stood = self.moment.with_timeline(&file.path, |known| known.timeline.stood(&file.blame, line as usize))?;
        Some(place(&file.path, stood.line))
    }
}

/// Puts a fact in its place by time, before what holds now.
fn insert(facts: &mut Vec<Fact>, at: Timestamp, kind: FactKind) {
    let before = facts.iter().position(|fact| fact.at > Some(at)).unwrap_or(facts.len());
    facts.insert(before, Fact { at: Some(at), kind });
}

/// Tells what is known of a line in the words of one session.
struct Teller<'a> {
    answers: &'a Answers<'a>,
    known: &'a FileHistory<'a>,
    session: Option<&'a str>,
    /// Somebody is named.
    somebody: bool,
}

impl Teller<'_> {
    /// `account`: how the line came, where no edit told it.
    fn story(&self, story: &[Stage], account: Option<Account>) -> Vec<Fact> {
        let mut facts = Vec::new();
        let mut before: Option<&Stage> = None;
        let mut gap = match &account {
            Some(Account::Between(between)) => Some(between),
            _ => None,
        };
        for stage in story {
            if let Some(kind) = self.stage(stage, before, account.as_ref()) {
                facts.push(Fact { at: Some(stage.by.at), kind });
                if self.known.timeline.is_misdated(stage.by.key) {
                    facts.push(Fact { at: None, kind: FactKind::Misdated });
                }
            }
            if let Some(between) = gap.take_if(|between| between.after.is_some_and(|after| after.key == stage.by.key)) {
                facts.push(Fact { at: None, kind: self.between(between) });
            }
            before = Some(stage);
        }
        // It came with the text asked about.
        facts.extend(gap.map(|between| Fact { at: None, kind: self.between(between) }));
        facts
    }

    fn stage(&self, stage: &Stage, before: Option<&Stage>, account: Option<&Account>) -> Option<FactKind> {
        let there = stage.line.is_some();
        let was_there = before.is_some_and(|before| before.line.is_some());
        let told = self.known.told(stage.by.key);
        if let Some(step) = stage.by.step.and_then(|step| self.known.view.step_of(step)) {
            let step = self.label(step);
            let over_unknown = matches!(account, Some(Account::OverUnknown(key)) if stage.by.step == Some(*key));
            let read_before =
                before.is_some_and(|before| matches!(self.known.told(before.by.key), Some(Told::Read(_))));
            return match (there, was_there) {
                (true, false) if over_unknown => Some(FactKind::OverUnknown { step }),
                (true, false) => Some(FactKind::Adds { step, equals_read: read_before }),
                (true, true) => Some(FactKind::Keeps { step }),
                (false, true) => Some(FactKind::Removes { step }),
                (false, false) => None,
            };
        }
        match told? {
            Told::Read(by) | Told::Edit(by) => {
                let by = self.known.view.step_of(by)?;
                let agent = Some(by.agent.short().into()).filter(|_| self.session != Some(&*by.session));
                Some(FactKind::Read { by: agent, step: self.label(by), lines: stage.lines, there })
            }
            Told::Commit(_) if before.is_some() && there == was_there => None,
            Told::Commit(commit) => {
                let line = stage.line.map(|line| line + 1);
                Some(FactKind::Commit { hash: commit.short().into(), line })
            }
        }
    }

    /// Who may have made a change that nobody told, and why one or none of them is named.
    fn between(&self, between: &Between) -> FactKind {
        let with = |least: Fit| between.suspects.iter().filter(move |suspect| suspect.fit >= least);
        let commands = |least: Fit| with(least).take(MOST_COMMANDS).filter_map(|one| self.command(one.step)).collect();
        let only = with(Fit::Formats).max_by_key(|one| one.fit).filter(|_| self.somebody);
        let may = with(Fit::Formats).count() > 0;
        match only.and_then(|one| Some((self.command(one.step)?, one.fit == Fit::Named))) {
            Some(((step, command), named)) => FactKind::Inferred { command, step, named },
            None => match between.doubt.map(because).or(between.alike.then_some(Because::Alike)) {
                Some(because) => FactKind::Gap { commands: Vec::new(), because },
                None if may => FactKind::Gap { commands: commands(Fit::Formats), because: Because::Undecided },
                None => FactKind::Gap { commands: commands(Fit::Not), because: Because::Shape },
            },
        }
    }

    /// Edits and reads of the file that could not be replayed.
    fn missing(&self, facts: &mut Vec<Fact>) {
        let step_of = |key| match self.known.told(key)? {
            Told::Read(step) | Told::Edit(step) => self.known.view.step_of(step),
            Told::Commit(_) => None,
        };
        for step in self.known.timeline.unreplayed().filter_map(step_of) {
            insert(facts, step.at, FactKind::Unreplayed { step: self.label(step) });
        }
        for step in self.known.timeline.gone().filter_map(step_of) {
            insert(facts, step.at, FactKind::Gone { step: self.label(step) });
        }
    }

    /// The step of a command, and its text.
    fn command(&self, step: StepKey) -> Option<(Box<str>, Box<str>)> {
        let step = self.known.view.step_of(step)?;
        let view = self.answers.moment.session_view(&step.session)?;
        let at = view.session.step(step.turn, &step.numbers)?;
        Some((self.label(step), at.step.text.head.clone()))
    }

    fn label(&self, step: &StepRef) -> Box<str> {
        name(&step.session, &step.label(), self.session)
    }
}

fn because(doubt: provenance::Doubt) -> Because {
    use provenance::Doubt;
    match doubt {
        Doubt::ByHand => Because::ByHand,
        Doubt::Waiting => Because::Waiting,
        Doubt::Elsewhere => Because::Elsewhere,
        Doubt::Clocks => Because::Clocks,
    }
}

/// A step's label, with its session where that is another.
fn name(id: &str, label: &str, session: Option<&str>) -> Box<str> {
    match session {
        Some(session) if session != id => format!("{}:{label}", workspace::short_session(id)).into(),
        _ => label.into(),
    }
}
