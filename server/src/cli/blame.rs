//! `turnlens blame`: who wrote each line of a file.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use provenance::LineNow;
use serde_json::json;
use trace::StepKey;
use workspace::FileView;

use super::here::Here;
use super::lines::Lines;
use super::out::{Table, painted, plain};
use super::{Exit, not_found, out, wrong_use};
use crate::answers::Answers;

/// Who wrote each line of a file
#[derive(clap::Args)]
pub(super) struct Args {
    file: Option<PathBuf>,

    /// Only these lines: 10,20 or 10,+5
    #[arg(short = 'L', value_name = "A,B", value_parser = Lines::parse, conflicts_with = "explain")]
    lines: Option<Lines>,

    /// Take the file's text from standard input: an open, unsaved buffer
    #[arg(long, value_name = "-", value_parser = ["-"])]
    contents: Option<String>,

    /// Say why one line is said to be somebody's, or nobody's
    #[arg(long, value_name = "[FILE:]LINE")]
    explain: Option<String>,

    /// The form that git has for programs
    #[arg(long, conflicts_with_all = ["json", "explain"])]
    porcelain: bool,
}

pub(super) fn run(args: Args, here: &Here) -> anyhow::Result<Exit> {
    let (file, line) = file_and_line(args.file, args.explain)?;
    let path = here.path(&file);
    let shown = file.display().to_string();
    if path.is_dir() {
        return Err(wrong_use(format!("{shown} is a folder; blame tells of files")));
    }
    let answers = here.answers();
    let view = match args.contents {
        Some(_) => {
            let mut text = Vec::new();
            std::io::stdin().lock().read_to_end(&mut text).context("cannot read standard input")?;
            answers.moment.text(&path, &String::from_utf8_lossy(&text))
        }
        None => answers.moment.file(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => not_found(format!("there is no file {shown}")),
            _ => anyhow::Error::from(error).context(format!("cannot read {shown}")),
        })?,
    };
    let count = view.blame.lines.len();
    if let Some(line) = line {
        let (line, _) = line.within(&shown, count)?;
        return explain(here, &answers, &view, line);
    }
    let (first, last) = match args.lines {
        Some(lines) => lines.within(&shown, count)?,
        None => (1, u32::try_from(count).unwrap_or(u32::MAX)),
    };
    if here.globals.json {
        out::json(&as_json(&file.to_string_lossy(), &view, first, last))?;
    } else if args.porcelain {
        out::print(&porcelain(&answers, &file, &view, first, last))?;
    } else {
        if view.text.contains('\0') {
            here.out.note(&format!("{shown} looks like no text."));
        }
        here.out.show(&gutters(here, &view, first, last))?;
        if answers.moment.logs().sessions().next().is_none() {
            here.out.note(&here.no_logs());
        }
    }
    Ok(Exit::DONE)
}

/// `FILE --explain LINE` or `--explain FILE:LINE`.
fn file_and_line(file: Option<PathBuf>, explain: Option<String>) -> anyhow::Result<(PathBuf, Option<Lines>)> {
    let line = |text: &str| match text.parse::<u32>() {
        Ok(_) => Lines::parse(text).map_err(wrong_use),
        Err(_) => Err(wrong_use(format!("“{text}” is no line: write --explain 41 or --explain src/a.rs:41"))),
    };
    match (file, explain) {
        (Some(file), None) => Ok((file, None)),
        (file, Some(place)) => match (file, place.rsplit_once(':')) {
            (_, Some((file, text))) if !file.is_empty() => Ok((file.into(), Some(line(text)?))),
            (Some(file), _) => Ok((file, Some(line(&place)?))),
            (None, _) => Err(wrong_use("which line? Write --explain src/a.rs:41")),
        },
        (None, None) => Err(wrong_use("which file? Write turnlens blame FILE")),
    }
}

fn explain(here: &Here, answers: &Answers<'_>, view: &FileView, line: u32) -> anyhow::Result<Exit> {
    let explanation = answers.explain(view, line - 1);
    let text = lens::explanation_text(&explanation, &here.view());
    if here.globals.json {
        let mut entry = line_as_json(view, line as usize - 1);
        entry["text"] = json!(text);
        out::json(&entry)?;
        return Ok(Exit::DONE);
    }
    let mut lines = text.splitn(2, '\n');
    let (head, rest) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    out::print(&format!("{}\n{rest}", here.out.paint.bold(head)))?;
    let is_unknown = matches!(explanation.verdict, lens::Verdict::NotKnown | lens::Verdict::NotKnownYet { .. });
    if is_unknown {
        out::print(&format!("\n{}\n", lens::unanswered(&answers.unanswered(view, line - 1), &here.view())))?;
    }
    Ok(Exit::DONE)
}

/// The form is fixed: other tools hold on to it. It only grows.
fn as_json(file: &str, view: &FileView, first: u32, last: u32) -> serde_json::Value {
    let lines: Vec<_> = (first as usize..=last as usize).map(|line| line_as_json(view, line - 1)).collect();
    json!({ "file": file, "lines": lines })
}

fn line_as_json(view: &FileView, at: usize) -> serde_json::Value {
    let origin = view.blame.lines.get(at).copied().flatten();
    match origin.and_then(|origin| Some((origin, view.step_of(origin.step)?))) {
        None => json!({ "line": at + 1, "origin": "unknown" }),
        Some((origin, step)) => json!({
            "line": at + 1,
            "origin": "turn",
            "agent": step.agent.id(),
            "session": &*step.session,
            "turn": step.turn,
            "step": &*step.call,
            "at_step": step.label(),
            "evidence": origin.evidence.id(),
            "at": crate::time::rfc3339(step.at),
        }),
    }
}

/// As git blame has it: a gutter and the line. The gutter of a line of nobody is blank.
fn gutters(here: &Here, view: &FileView, first: u32, last: u32) -> String {
    let (paint, times) = (here.out.paint, here.view());
    let mut table = Table::default();
    let lines: Vec<&str> = provenance::lines(&view.text).collect();
    for line in first..=last {
        let at = line as usize - 1;
        let origin = view.blame.lines.get(at).copied().flatten();
        let number = format!("{line:>width$}", width = last.to_string().len());
        let mut cells = match origin.zip(view.step(at)) {
            Some((origin, step)) => {
                let agent = lens::agent_name(step.agent.short(), origin.evidence);
                vec![
                    painted(step.address(), |text| paint.address(text)),
                    painted(agent, |text| paint.agent(text)),
                    painted(times.moment(step.at), |text| paint.dim(text)),
                ]
            }
            None => vec![plain(""), plain(""), plain("")],
        };
        let text = lens::clean(lines.get(at).copied().unwrap_or_default()).into_owned();
        cells.push(painted(number, |text| paint.dim(text)));
        cells.push(plain(text));
        table.push(cells);
    }
    table.print(0, 2)
}

/// Git's form for programs, with addresses for commits. Lines of nobody have a name of zeros, as lines that are not
/// committed have in git.
fn porcelain(answers: &Answers<'_>, file: &Path, view: &FileView, first: u32, last: u32) -> String {
    const NOBODY: &str = "0000000000000000000000000000000000000000";
    let then = lines_then(answers, view);
    let lines: Vec<&str> = provenance::lines(&view.text).collect();
    let mut text = String::new();
    let mut told: Vec<String> = Vec::new();
    for line in first..=last {
        let at = line as usize - 1;
        let origin = view.blame.lines.get(at).copied().flatten();
        let (name, original) = match origin.zip(view.step(at)) {
            Some((origin, step)) => {
                let original = then.get(&(origin.step, line - 1)).map_or(line, |then| then + 1);
                (format!("{}:{}", step.session, step.label()), original)
            }
            None => (NOBODY.to_owned(), line),
        };
        _ = writeln!(text, "{name} {original} {line} 1");
        if !told.contains(&name) {
            match origin.zip(view.step(at)) {
                Some((origin, step)) => {
                    let time = step.at.0.div_euclid(1000);
                    _ = writeln!(
                        text,
                        "author {}\nauthor-mail <{}>\nauthor-time {time}\nauthor-tz +0000\nsummary {}\nstep {}\nevidence {}",
                        step.agent.full(),
                        step.agent.id(),
                        lens::one_line(&step.title),
                        step.call,
                        origin.evidence.id()
                    );
                }
                None => text.push_str("author unknown\nsummary No recorded turn wrote this line.\n"),
            }
            _ = writeln!(text, "filename {}", file.display());
            told.push(name);
        }
        _ = writeln!(text, "\t{}", lines.get(at).copied().unwrap_or_default());
    }
    text
}

/// For a line now and the step that wrote it: the line right after the step. All from 0.
fn lines_then(answers: &Answers<'_>, view: &FileView) -> HashMap<(StepKey, u32), u32> {
    let mut steps: Vec<StepKey> = view.blame.lines.iter().flatten().map(|origin| origin.step).collect();
    steps.sort_unstable();
    steps.dedup();
    answers.moment.with_timeline(&view.path, |known| {
        let fates = steps.iter().map(|step| (*step, known.timeline.fate(&view.blame, *step)));
        let lines = fates.flat_map(|(step, fate)| {
            fate.lines.into_iter().filter_map(move |written| match written.now {
                LineNow::At(now) => Some(((step, now), written.line)),
                LineNow::Gone(_) => None,
            })
        });
        lines.collect()
    })
}
