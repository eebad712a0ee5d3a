//! `turnlens report`: the case of a line without its texts, for a report of a wrong name.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use workspace::{Answer, Case};

use super::here::Here;
use super::lines::Lines;
use super::{Exit, not_found, out, wrong_use};

/// Write the case of a line without its texts, to report a wrong name
///
/// Words, names and times in it are invented; what was equal is equal, so it gives the same answer.
#[derive(clap::Args)]
pub(super) struct Args {
    #[arg(value_name = "FILE:LINE", required_unless_present = "check")]
    place: Option<String>,

    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    out: Option<PathBuf>,

    /// Read a case and say whether its answer is still the same
    #[arg(long, value_name = "FILE", conflicts_with = "place")]
    check: Option<PathBuf>,
}

pub(super) fn run(args: Args, here: &Here) -> anyhow::Result<Exit> {
    match (&args.check, &args.place) {
        (Some(file), _) => check(here, file),
        (None, Some(place)) => write(here, place, args.out.as_deref()),
        (None, None) => Err(wrong_use("which line? Write turnlens report src/a.rs:41")),
    }
}

fn write(here: &Here, place: &str, target: Option<&Path>) -> anyhow::Result<Exit> {
    let (file, line) = place
        .rsplit_once(':')
        .filter(|(file, line)| !file.is_empty() && line.parse::<u32>().is_ok())
        .ok_or_else(|| wrong_use(format!("“{place}” names no line: write turnlens report src/a.rs:41")))?;
    let path = here.path(Path::new(file));
    let answers = here.answers();
    let view = answers.moment.file(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => not_found(format!("there is no file {file}")),
        _ => anyhow::Error::from(error).context(format!("cannot read {file}")),
    })?;
    let (line, _) = Lines::parse(line).map_err(wrong_use)?.within(file, view.blame.lines.len())?;
    let at = line as usize - 1;
    let case = answers.moment.case(&path, at).with_context(|| format!("cannot read {file}"))?;
    let shown = view.blame.lines.get(at).copied().flatten().map(|origin| origin.evidence.id());
    if shown != case.answer().map(|answer| &*answer.evidence) {
        bail!(
            "the answer for {file}:{line} ({}) does not come from what a case holds: the histories of this file and of the \
             one that the line came from. Please report it in words: turnlens blame --explain {file}:{line}",
            shown.unwrap_or("not known")
        );
    }
    let disguised = case.disguised();
    if disguised.replay().as_ref() != case.answer() {
        bail!(
            "without its texts the case of {file}:{line} gives another answer, so it would show nothing. \
             Please report it in words: turnlens blame --explain {file}:{line}"
        );
    }
    let json = disguised.to_json() + "\n";
    match target {
        Some(target) => fs::write(target, json).with_context(|| format!("cannot write {}", target.display()))?,
        None => out::print(&json)?,
    }
    here.out.note(&format!(
        "The case gives the same answer: {}. It holds no text, name, path or time of yours.",
        words(case.answer())
    ));
    Ok(Exit::DONE)
}

fn check(here: &Here, file: &Path) -> anyhow::Result<Exit> {
    let shown = file.display();
    let json = fs::read_to_string(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => not_found(format!("there is no file {shown}")),
        _ => anyhow::Error::from(error).context(format!("cannot read {shown}")),
    })?;
    let case = Case::from_json(&json).map_err(|why| wrong_use(format!("{shown} is no case: {why}")))?;
    let now = case.replay();
    let same = now.as_ref() == case.answer();
    if here.globals.json {
        out::json(&serde_json::json!({ "same": same, "then": case.answer(), "now": now }))?;
    } else if same {
        out::print(&format!("The same answer: {}.\n", words(case.answer())))?;
    } else {
        out::print(&format!("Another answer: {}; it was: {}.\n", words(now.as_ref()), words(case.answer())))?;
    }
    Ok(if same { Exit::DONE } else { Exit::NOT_FOUND })
}

fn words(answer: Option<&Answer>) -> String {
    answer.map_or("not known".to_owned(), |answer| format!("step {} of the case, {}", answer.step, answer.evidence))
}
