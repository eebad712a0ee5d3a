//! `turnlens cat`: a file as it was at a step.

use std::path::{Path, PathBuf};

use trace::{Change, StepAt};
use workspace::Located;

use super::here::Here;
use super::{Exit, address, not_found, out};
use crate::answers::Answers;

/// Print a file as it was after a turn or a step
#[derive(clap::Args)]
pub(super) struct Args {
    address: String,
    file: PathBuf,

    /// As it was before
    #[arg(long)]
    before: bool,
}

pub(super) fn run(args: Args, here: &Here) -> anyhow::Result<Exit> {
    let answers = here.answers();
    let located = address::locate(here, &answers, &address::parse(&args.address)?)?;
    let asked = Asked { answers: &answers, located: &located, path: here.path(&args.file) };
    let text = if args.before { asked.before() } else { asked.after() };
    let when = if args.before { "before" } else { "after" };
    let text = text.ok_or_else(|| {
        let (file, at) = (args.file.display(), address::of_located(&located));
        not_found(format!(
            "No log tells what {file} held {when} {at}. turnlens log {file} lists the states that are known."
        ))
    })?;
    if here.globals.json {
        let file = args.file.to_string_lossy();
        out::json(&serde_json::json!({ "file": file, "address": address::of_located(&located), "text": text }))?;
    } else {
        out::print(&text)?;
    }
    Ok(Exit::DONE)
}

struct Asked<'a> {
    answers: &'a Answers<'a>,
    located: &'a Located,
    path: PathBuf,
}

impl Asked<'_> {
    /// After the last edit in what was asked for, else after the last one before it, else before the first one after.
    fn after(&self) -> Option<String> {
        let edits = self.edits();
        let (_, last) = self.meant()?;
        match edits.iter().rev().find(|(at, ..)| *at <= last) {
            Some((_, step, index)) => self.text_after(step, *index),
            None => edits.first().and_then(|(_, step, index)| self.text_before(step, *index)),
        }
    }

    /// Before the first edit in what was asked for or behind it, else after the last one before it.
    fn before(&self) -> Option<String> {
        let edits = self.edits();
        let (first, _) = self.meant()?;
        match edits.iter().find(|(at, ..)| *at >= first) {
            Some((_, step, index)) => self.text_before(step, *index),
            None => edits.last().and_then(|(_, step, index)| self.text_after(step, *index)),
        }
    }

    /// The first and the last step that are meant, as their places among all steps.
    fn meant(&self) -> Option<(usize, usize)> {
        let Located { turn, steps, .. } = self.located;
        let all = self.located.view.session.steps();
        let is_meant = |at: &StepAt<'_>| (*turn == 0 || at.turn.number == *turn) && at.numbers.starts_with(steps);
        Some((all.iter().position(is_meant)?, all.iter().rposition(is_meant)?))
    }

    /// The edits of the file in this session: the step's place among all, the step, the number of its edit.
    fn edits(&self) -> Vec<(usize, StepAt<'_>, usize)> {
        let session = &self.located.view.session;
        let target = real(&self.path);
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let is_file =
            |spelled: &str| spelled.ends_with(&name) && real(&self.answers.moment.local(session, spelled)) == target;
        let mut edits = Vec::new();
        for (place, at) in session.steps().into_iter().enumerate() {
            for (index, edit) in at.step.edits().iter().enumerate().filter(|(_, edit)| is_file(&edit.path)) {
                _ = edit;
                edits.push((place, at.clone(), index));
            }
        }
        edits
    }

    /// The log's own text where it has one, for that has the line ends; else the one that follows from all logs.
    fn text_after(&self, at: &StepAt<'_>, index: usize) -> Option<String> {
        let from_log = self.change(at, index).and_then(|change| lens::after_of(&change).map(|text| text.into_owned()));
        from_log.or_else(|| self.known(at, index).map(|(_, after)| after))
    }

    fn text_before(&self, at: &StepAt<'_>, index: usize) -> Option<String> {
        let from_log = self.change(at, index).and_then(|change| change.before.map(|text| text.to_string()));
        from_log.or_else(|| self.known(at, index).and_then(|(before, _)| before))
    }

    fn known(&self, at: &StepAt<'_>, index: usize) -> Option<(Option<String>, String)> {
        let edit = at.step.edits().get(index)?;
        self.answers.moment.file_at(&self.located.view.session, at, &edit.path)
    }

    fn change(&self, at: &StepAt<'_>, index: usize) -> Option<Change> {
        let places = [at.step.result.as_ref().map(|result| result.place), Some(at.step.place)];
        let bodies = self.answers.moment.bodies();
        let changes = places.into_iter().flatten().find_map(|place| {
            let body = bodies.body(at.log, place);
            body.content().map(|content| content.changes.clone()).filter(|changes| !changes.is_empty())
        });
        changes?.into_iter().nth(index)
    }
}

fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
