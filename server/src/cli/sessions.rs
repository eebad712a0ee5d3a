//! `turnlens sessions`: what agents worked on here.

use std::path::PathBuf;

use serde::Serialize;
use workspace::{Summary, short_session};

use super::here::Here;
use super::out::{Table, painted, plain};
use super::{Exit, out};
use crate::answers::Answers;
use crate::time::rfc3339;

/// What agents worked on here, the newest first
#[derive(clap::Args)]
pub(super) struct Args {
    /// Only sessions that edited this file
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Only sessions whose agent is at work
    #[arg(long)]
    live: bool,

    /// Sub-agents too, below the session that they belong to
    #[arg(long)]
    helpers: bool,
}

pub(super) fn run(args: Args, here: &Here) -> anyhow::Result<Exit> {
    let answers = here.answers();
    let of_file = args.file.as_ref().map(|file| answers.moment.sessions_of_file(&here.path(file)));
    let is_of_file = |id: &str| of_file.as_ref().is_none_or(|ids| ids.iter().any(|known| **known == *id));
    let all = here.sessions(&answers).into_iter().filter(|path| is_of_file(&path.session));
    let mut summaries: Vec<Summary> = all.map(|path| here.summary(&answers, path)).collect();
    summaries.retain(|summary| !args.live || summary.live);
    summaries.truncate(here.globals.most.unwrap_or(usize::MAX));
    if here.globals.json {
        let sessions = summaries.iter().map(|summary| with_helpers(&answers, summary, args.helpers)).collect();
        out::json(&List { sessions })?;
        return Ok(Exit::DONE);
    }
    if summaries.is_empty() {
        here.out.note(&match (&args.file, args.live) {
            (Some(file), _) if !here.sessions(&answers).is_empty() => format!("No session edited {}.", file.display()),
            (_, true) if !here.sessions(&answers).is_empty() => "No agent is at work here.".into(),
            _ => here.no_sessions(&answers),
        });
        return Ok(Exit::DONE);
    }
    here.out.show(&list(here, &answers, &summaries, args.helpers))?;
    Ok(Exit::DONE)
}

/// What `--json` prints. The form is fixed: other tools hold on to it. It only grows.
#[derive(Serialize)]
struct List<'a> {
    sessions: Vec<Told<'a>>,
}

#[derive(Serialize)]
pub(super) struct Told<'a> {
    added: u64,
    agent: &'static str,
    cwd: Option<&'a str>,
    edits: usize,
    ended: Option<String>,
    files: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    helpers: Option<Vec<Helper>>,
    id: &'a str,
    live: bool,
    removed: u64,
    started: Option<String>,
    title: &'a str,
    tool_calls: usize,
    turns: usize,
}

pub(super) fn told(summary: &Summary) -> Told<'_> {
    Told {
        added: summary.added,
        agent: summary.agent.id(),
        cwd: summary.cwd.as_deref(),
        edits: summary.edits,
        ended: summary.ended.map(rfc3339),
        files: summary.files,
        helpers: None,
        id: &summary.id,
        live: summary.live,
        removed: summary.removed,
        started: summary.started.map(rfc3339),
        title: &summary.title,
        tool_calls: summary.tool_calls,
        turns: summary.turns,
    }
}

fn with_helpers<'a>(answers: &Answers<'_>, summary: &'a Summary, helpers: bool) -> Told<'a> {
    Told { helpers: helpers.then(|| helpers_of(answers, &summary.id)), ..told(summary) }
}

/// A sub-agent as a session's step started it.
#[derive(Serialize)]
struct Helper {
    /// `2.4`
    #[serde(rename = "at_step")]
    label: String,
    name: String,
    steps: usize,
    task: String,
}

fn helpers_of(answers: &Answers<'_>, session: &str) -> Vec<Helper> {
    let Some(view) = answers.moment.session_view(session) else { return Vec::new() };
    let steps = view.session.steps();
    let with_side = steps.iter().filter_map(|at| Some((at, view.session.side(at.step)?)));
    with_side
        .map(|(at, side)| Helper {
            label: at.label(),
            name: at.step.detail.as_deref().unwrap_or("agent").to_owned(),
            task: lens::one_line(&at.step.text.head),
            steps: side.steps.len(),
        })
        .collect()
}

fn list(here: &Here, answers: &Answers<'_>, summaries: &[Summary], helpers: bool) -> String {
    const TITLE: usize = 48;
    // What stands in the other columns, at its widest.
    const OTHER_COLUMNS: usize = 76;
    let (paint, view) = (here.out.paint, here.view());
    let folders = here.repo.is_none();
    let mut table = Table::default();
    for summary in summaries {
        let title = match lens::one_line(&summary.title) {
            title if title.is_empty() => "Untitled session".into(),
            title => lens::cut(&title, TITLE).into_owned(),
        };
        let when = summary.started.map(|started| {
            let span = view.span(started, summary.ended.filter(|_| !summary.live));
            format!("{} {span}", view.date(started))
        });
        let turns = lens::count(summary.turns as u64, "turn");
        let files = match summary.files {
            0 => plain("–"),
            n => {
                let files = lens::count(n as u64, "file");
                let (added, removed) = (summary.added, summary.removed);
                (format!("{files} +{added} −{removed}"), format!("{files} {}", paint.plus_minus(added, removed)))
            }
        };
        let mut cells = vec![
            painted(if summary.live { "●" } else { "" }, |text| paint.added(text)),
            painted(short_session(&summary.id), |text| paint.address(text)),
            painted(summary.agent.short(), |text| paint.agent(text)),
            painted(here.out.fit(&title, OTHER_COLUMNS), |text| paint.bold(text)),
            painted(when.unwrap_or_default(), |text| paint.dim(text)),
            plain(turns),
            files,
        ];
        if folders {
            cells.push(plain(summary.cwd.as_deref().map(|cwd| here.shown(cwd.as_ref())).unwrap_or_default()));
        }
        table.push(cells);
        for helper in if helpers { helpers_of(answers, &summary.id) } else { Vec::new() } {
            let task = here.out.fit(&format!("{} · {}", helper.name, helper.task), OTHER_COLUMNS);
            let steps = lens::count(helper.steps as u64, "step");
            table.push(vec![plain(""), plain(""), plain(helper.label), plain(task), plain(""), plain(steps)]);
        }
    }
    table.print(0, 2)
}
