//! `turnlens doctor`: what was found where, what could not be read, and what to do next.

use super::here::Here;
use super::{Exit, out};
use crate::answers::doctor::{Asker, Report};

/// What was found where, what could not be read, and what to do next
#[derive(clap::Args)]
pub(super) struct Args {
    /// How fast the server reads and answers here, and how many lines it can tell of
    #[arg(long)]
    pub(super) timings: bool,
}

pub(super) fn run(_: Args, here: &Here) -> anyhow::Result<Exit> {
    let answers = here.answers();
    let of_repo = here.repo.as_ref().map(|_| here.sessions(&answers).len());
    let report = Report::new(&answers, of_repo);
    if here.globals.json {
        out::json(&report.json())?;
    } else {
        out::print(&report.text(&here.frame, Asker::Terminal(here.out.paint), None))?;
    }
    Ok(if report.trouble.is_empty() { Exit::DONE } else { Exit::FAILED })
}
