//! `turnlens show`: a session, a turn or a step as it can be read.

use lens::{Rendered, TokenKind};
use serde_json::{Value, json};
use trace::{StepAt, Timestamp, Turn};
use workspace::Located;

use super::here::Here;
use super::out::Paint;
use super::{Exit, address, out, sessions, wrong_use};
use crate::answers::Answers;
use crate::time::rfc3339;

/// Show a session, a turn or a step
#[derive(clap::Args)]
pub(super) struct Args {
    /// SESSION[:TURN[.STEP]], @ for the newest session here, @2 for the one before, :last for the last turn that edited
    #[arg(default_value = "@")]
    address: String,

    /// Only this turn
    #[arg(long, value_name = "N")]
    turn: Option<String>,

    /// The records as they stand in the log
    #[arg(long)]
    raw: bool,

    /// Whole thoughts, inputs and outputs
    #[arg(long)]
    full: bool,

    /// Go on with what comes, as the log grows
    #[arg(long, conflicts_with_all = ["raw", "full"])]
    follow: bool,
}

pub(super) fn run(args: Args, here: &Here) -> anyhow::Result<Exit> {
    let answers = here.answers();
    let wanted = match &args.turn {
        Some(turn) => format!("{}:{turn}", args.address.split(':').next().unwrap_or("@")),
        None => args.address.clone(),
    };
    let located = address::locate(here, &answers, &address::parse(&wanted)?)?;
    if here.globals.json && args.follow {
        return Err(wrong_use("--follow has no JSON form"));
    }
    if here.globals.json {
        out::json(&as_json(here, &answers, &located))?;
    } else if args.follow {
        follow(here, located)?;
    } else if args.raw {
        here.out.show(&records(&answers, &located))?;
    } else if args.full {
        here.out.show(&whole(here, &answers, &located))?;
    } else {
        here.out.show(&page(here.out.paint, &answers, &located))?;
    }
    Ok(Exit::DONE)
}

/// Prints the document, and then what comes to it, for as long as somebody reads.
fn follow(here: &Here, located: Located) -> anyhow::Result<()> {
    let (changed, changes) = std::sync::mpsc::channel();
    let index = here.workspace.index();
    // Nobody listens any more only when this has ended.
    let _watch = index.watch(Box::new(move |_| _ = changed.send(())));
    // What was written before the watch began.
    index.refresh(&|_| {});
    let Located { view, turn, steps } = located;
    let id = view.session.path.session.clone();
    let mut shown = String::new();
    loop {
        let answers = here.answers();
        // While its log is away there is nothing new in it.
        if let Some(view) = answers.moment.session_view(&id) {
            let text = page(here.out.paint, &answers, &Located { view, turn, steps: steps.clone() });
            if !out::print_while_read(news(&shown, &text).as_bytes())? {
                return Ok(());
            }
            shown = text;
        }
        if changes.recv().is_err() {
            return Ok(());
        }
    }
}

/// Lines at a document's beginning that tell of its end, too: when, how much.
const HEADER: usize = 5;

/// What stands in a document and did not stand in it when it was shown last. A step that was told before it had ended
/// is told once more.
fn news<'t>(shown: &str, text: &'t str) -> &'t str {
    let (before, now): (Vec<&str>, Vec<&str>) =
        (shown.split_inclusive('\n').collect(), text.split_inclusive('\n').collect());
    // Of a turn that goes on, the numbers grow.
    let numbers = |at: usize| at >= 2 && now[at - 1] == "\n" && now[at - 2].contains("## Turn ");
    let is_known = |at: &usize| before.get(*at).is_some_and(|line| *line == now[*at] || *at < HEADER || numbers(*at));
    let known = (0..now.len()).take_while(is_known).map(|at| now[at].len()).sum();
    text.get(known..).unwrap_or_default()
}

/// The document, for a step its part of it.
pub(super) fn page(paint: Paint, answers: &Answers<'_>, located: &Located) -> String {
    let source = answers.source(&located.view);
    if located.turn == 0 {
        let mut text = String::new();
        for (at, (from, to)) in lens::pages(&located.view.session).enumerate() {
            let page = lens::session_page(&source, from, Some(to));
            // The header stands once.
            let begin = if at == 0 { 0 } else { first_turn(&page) };
            text.push_str(&colored(paint, &page, begin, usize::MAX));
        }
        if text.is_empty() {
            text = colored(paint, &lens::session_page(&source, 1, None), 0, usize::MAX);
        }
        return text;
    }
    let Some(page) = lens::turn(&source, located.turn) else { return String::new() };
    if located.steps.is_empty() {
        return colored(paint, &page, 0, usize::MAX);
    }
    let is_meant = |anchor: &&lens::Anchor| anchor.step.steps.starts_with(&located.steps);
    let lines = page.anchors.iter().filter(is_meant).map(|anchor| (anchor.line, anchor.line + anchor.lines));
    let (begin, _) = lines.clone().min().unwrap_or((0, 0));
    let end = lines.map(|(_, end)| end).max().unwrap_or(0);
    // Up to what comes next: closing fences belong to it.
    let next = page.anchors.iter().find(|anchor| anchor.line >= end).map_or(usize::MAX, |anchor| anchor.line as usize);
    colored(paint, &page, begin as usize, next)
}

fn first_turn(page: &Rendered) -> usize {
    page.symbols.first().map_or(0, |symbol| symbol.line as usize)
}

/// Lines of a document, coloured by its tokens.
fn colored(paint: Paint, page: &Rendered, begin: usize, end: usize) -> String {
    let mut text = String::new();
    let mut tokens = page.tokens.iter().peekable();
    for (number, line) in page.text.lines().enumerate().take(end).skip(begin) {
        while tokens.next_if(|token| (token.line as usize) < number).is_some() {}
        let mut next = 0;
        while let Some(token) = tokens.next_if(|token| token.line as usize == number) {
            let (start, stop) = (token.start as usize, (token.end as usize).min(line.len()));
            let (Some(before), Some(inside)) = (line.get(next..start), line.get(start..stop)) else { continue };
            text.push_str(before);
            text.push_str(&match token.kind {
                TokenKind::Heading => paint.bold(inside),
                TokenKind::Inserted => paint.added(inside),
                TokenKind::Deleted => paint.removed(inside),
                TokenKind::Hunk => paint.hunk(inside),
                TokenKind::Comment => paint.dim(inside),
            });
            next = stop;
        }
        text.push_str(line.get(next..).unwrap_or_default());
        text.push('\n');
    }
    text.trim_end_matches('\n').to_owned() + "\n"
}

/// The records of the steps, calls and results, as the log has them.
fn records(answers: &Answers<'_>, located: &Located) -> String {
    let mut text = String::new();
    let mut add = |log, place| {
        let record = answers.moment.bodies().body(log, place).content().map(|content| content.record.clone());
        text.push_str(record.as_deref().unwrap_or("The log of this record is gone."));
        text.push('\n');
    };
    let session = &located.view.session;
    let turns = session.path.turns.iter().filter(|turn| located.turn == 0 || turn.number == located.turn);
    for turn in turns {
        if let Some(place) = turn.place.filter(|_| located.steps.is_empty()) {
            add(session.path.log, place);
        }
        let mut steps = Vec::new();
        session.steps_of(turn, &mut steps);
        for at in steps.iter().filter(|at| at.numbers.starts_with(&located.steps)) {
            add(at.log, at.step.place);
            at.step.result.iter().for_each(|result| add(at.log, result.place));
        }
    }
    text
}

/// Nothing is cut: each step with all that went in and came out.
fn whole(here: &Here, answers: &Answers<'_>, located: &Located) -> String {
    let paint = here.out.paint;
    let mut text = String::new();
    let bodies = answers.moment.bodies();
    let mut part = |head: &str, body: &str| {
        if !body.trim().is_empty() {
            let lines = body.lines().map(|line| lens::clean(line).into_owned() + "\n").collect::<String>();
            text.push_str(&format!("{}\n\n{}\n", paint.bold(head), lines));
        }
    };
    let mut turn = 0;
    for at in address::steps(located) {
        if at.turn.number != turn {
            turn = at.turn.number;
            let prompt = prompt(answers, located, at.turn).unwrap_or_default();
            part(&format!("{turn} · {}", lens::one_line(&at.turn.title)), &prompt);
        }
        let body = bodies.body(at.log, at.step.place);
        let content = body.content();
        let name = at.step.tool.as_deref().unwrap_or(at.step.kind.id());
        let head = format!("{} {name}", at.label());
        match &at.step.call {
            None => part(&head, content.map_or(&at.step.text.head, |content| &content.text)),
            Some(_) => part(&head, content.map_or(&at.step.text.head, |content| &content.input)),
        }
        if let Some(result) = &at.step.result {
            let body = bodies.body(at.log, result.place);
            part(
                &format!("{} result", at.label()),
                body.content().map_or(&result.output.head, |content| &content.text),
            );
        }
    }
    text
}

/// The whole prompt of a turn, where one began it.
fn prompt(answers: &Answers<'_>, located: &Located, turn: &Turn) -> Option<String> {
    let Some(prompt) = &turn.prompt else { return turn.command.as_deref().map(str::to_owned) };
    let whole = || {
        let body = answers.moment.bodies().body(located.view.session.path.log, turn.place?);
        body.content().map(|content| content.text.clone())
    };
    let known = || prompt.text.head.to_string();
    Some(if prompt.text.is_whole() { known() } else { whole().unwrap_or_else(known) })
}

/// The form is fixed: other tools hold on to it. It only grows.
fn as_json(here: &Here, answers: &Answers<'_>, located: &Located) -> Value {
    let session = &located.view.session;
    let turns = session.path.turns.iter().filter(|turn| located.turn == 0 || turn.number == located.turn);
    let time = |at: Option<Timestamp>| at.map(rfc3339);
    let turn = |turn: &std::sync::Arc<Turn>| {
        let mut steps = Vec::new();
        session.steps_of(turn, &mut steps);
        steps.retain(|at| at.numbers.starts_with(&located.steps));
        json!({
            "turn": turn.number,
            "title": &*turn.title,
            "prompt": prompt(answers, located, turn),
            "started": time(turn.started),
            "ended": time(turn.ended),
            "abandoned": turn.abandoned.is_some(),
            "steps": steps.iter().map(step_as_json).collect::<Vec<_>>(),
        })
    };
    let summary = here.summary_of(answers, session.path.log);
    json!({ "session": summary.as_ref().map(sessions::told), "turns": turns.map(turn).collect::<Vec<_>>() })
}

fn step_as_json(at: &StepAt<'_>) -> Value {
    let step = at.step;
    let mut files: Vec<&str> =
        step.files.iter().chain(step.edits().iter().map(|edit| &edit.path)).map(|path| &**path).collect();
    files.dedup();
    let result = step.result.as_ref();
    json!({
        "step": step.call.as_deref(),
        "at_step": at.label(),
        "kind": step.kind.id(),
        "tool": step.tool.as_deref(),
        "text": &*step.text.head,
        "files": files,
        "at": step.at.map(rfc3339),
        "ended": result.and_then(|result| result.at).map(rfc3339),
        "exit": result.and_then(|result| result.exit),
        "failed": step.failed(),
        "edits": step.edits().iter().map(|edit| {
            json!({ "file": &*edit.path, "line": edit.line, "added": edit.added, "removed": edit.removed, "created": edit.created, "deleted": edit.deleted })
        }).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::news;

    #[test]
    fn only_what_is_new_is_told() {
        let head = "# Title\n\nClaude\n14:02 – 14:09\n\n## Turn 1 · Title\n\n14:02 · 1 step\n\n> Do it\n\n";
        let later = head.replace("14:09", "14:10").replace("1 step", "2 steps");
        assert_eq!(news("", head), head);
        assert_eq!(news(head, head), "");
        assert_eq!(news(head, &format!("{later}- 1.1 Read a.rs\n")), "- 1.1 Read a.rs\n");
        // A command that ended since, and what came behind it.
        let before = format!("{head}- 1.1 Run `ls` · result not recorded\n");
        let after = format!("{later}- 1.1 Run `ls` · exit 0\n\nDone.\n");
        assert_eq!(news(&before, &after), "- 1.1 Run `ls` · exit 0\n\nDone.\n");
        // What became shorter has nothing new.
        assert_eq!(news(&before, "# Title\n"), "");
    }
}
