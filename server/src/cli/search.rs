//! `turnlens search`: where something was asked, said or done.

use serde_json::json;
use workspace::{Field, Found, Hit, Query};

use super::here::Here;
use super::out::{Paint, Table, painted, plain};
use super::{Exit, address, out, when, wrong_use};
use crate::time::rfc3339;

/// Find where something was asked, said or done
#[derive(clap::Args)]
#[command(
    after_help = "Inside a query: in:prompt|answer|thought|tool|output, file:src/a.rs, tool:Bash, agent:claude,\n\
                        since:7d, is:error, case:yes, \"a phrase\", beginn*, /regex/. All words have to be in one record."
)]
pub(super) struct Args {
    #[arg(required = true)]
    query: Vec<String>,

    /// Only there: prompt, answer, thought, tool or output; may be given again
    #[arg(long = "in", value_name = "FIELD")]
    fields: Vec<Field>,

    /// The query is one regular expression
    #[arg(long)]
    regex: bool,

    /// Only how many there are
    #[arg(short, long)]
    count: bool,
}

/// Hits that are listed where -n does not say how many.
const MOST: usize = 1_000;

pub(super) fn run(args: Args, here: &Here) -> anyhow::Result<Exit> {
    let answers = here.answers();
    let text = args.query.join(" ");
    let query = if args.regex { Query::regex(&text) } else { Query::parse(&text, &|word| when::parse(word).ok()) };
    let mut query = query.map_err(wrong_use)?;
    query.fields.extend(args.fields);
    query.since = query.since.or(here.globals.since);
    query.until = query.until.or(here.globals.until);
    let sessions = here.sessions(&answers);
    if let Some(folder) = caches::folder("search") {
        here.workspace.load_filters(folder, sessions.iter().copied());
    }
    let found = answers.moment.search(&query, sessions.iter().copied(), here.globals.most.unwrap_or(MOST));
    let exit = if found.total > 0 { Exit::DONE } else { Exit::NOT_FOUND };
    if here.globals.json {
        out::json(&as_json(&found, args.count))?;
    } else if args.count {
        out::print(&format!("{}\n", found.total))?;
    } else if found.total > 0 {
        here.out.show(&list(here, &found))?;
    } else if sessions.is_empty() {
        here.out.note(&here.no_sessions(&answers));
    } else {
        let scope = if here.repo.is_some() { "; --repo all looks through other folders' too" } else { "" };
        here.out.note(&format!("Nothing found in {}{scope}.", lens::count(sessions.len() as u64, "session")));
    }
    Ok(exit)
}

/// The form is fixed: other tools hold on to it. It only grows.
fn as_json(found: &Found, count_only: bool) -> serde_json::Value {
    let hits = found.listed.iter().filter(|_| !count_only).flat_map(|session| {
        session.hits.iter().map(|hit| {
            json!({
                "session": &*session.path.session,
                "agent": session.path.agent.id(),
                "turn": hit.turn,
                "step": hit.call.as_deref(),
                "at_step": address::label(hit.turn, &hit.numbers),
                "field": hit.field.id(),
                "file": hit.edit.as_ref().map(|(file, _)| &**file),
                "at": hit.at.map(rfc3339),
                "text": hit.text,
                "found": hit.found.iter().map(|range| [range.start, range.end]).collect::<Vec<_>>(),
            })
        })
    });
    // All are counted, however few are listed.
    json!({ "total": found.total, "sessions": found.sessions, "hits": hits.collect::<Vec<_>>() })
}

/// One hit a line, below a head for each session.
fn list(here: &Here, found: &Found) -> String {
    let (paint, view) = (here.out.paint, here.view());
    let mut text = String::new();
    for session in &found.listed {
        let path = &session.path;
        let title = match lens::one_line(path.title()) {
            title if title.is_empty() => "Untitled session".into(),
            title => title,
        };
        let when = path.started.map(|at| view.when_in_words(at)).unwrap_or_default();
        let head = format!("{} · {}", paint.agent(path.agent.short()), paint.bold(&title));
        text.push_str(&format!("{head} · {}\n", paint.dim(&when)));
        let mut table = Table::default();
        for hit in &session.hits {
            table.push(row(here, paint, &path.session, hit));
        }
        text.push_str(&table.print(2, 2));
        text.push('\n');
    }
    let listed: usize = found.listed.iter().map(|session| session.hits.len()).sum();
    let (hits, sessions) = (lens::count(found.total as u64, "hit"), lens::count(found.sessions as u64, "session"));
    let cut = if listed < found.total { format!(", {} listed", lens::thousands(listed as u64)) } else { String::new() };
    text.push_str(&paint.dim(&format!("{hits} in {sessions}{cut}")));
    text.push('\n');
    text
}

/// Columns that stand beside an address and a text.
const FIELD_AND_GAPS: usize = 16;

fn row(here: &Here, paint: Paint, session: &str, hit: &Hit) -> Vec<(String, String)> {
    let address = address::of(session, hit.turn, &hit.numbers);
    let field = if hit.edit.is_some() { "edit" } else { hit.field.id() };
    let place = match &hit.edit {
        Some((file, 0)) => format!("{} ", lens::clean(&here.view().path(file))),
        Some((file, line)) => format!("{}:{line} ", lens::clean(&here.view().path(file))),
        None => String::new(),
    };
    let used = lens::columns(&address) + lens::columns(&place) + FIELD_AND_GAPS;
    let hit_text = here.out.fit(&hit.text, used);
    let mut shown = String::new();
    let mut marked = String::new();
    let mut next = 0;
    for range in &hit.found {
        let (Some(before), Some(found)) = (hit_text.get(next..range.start), hit_text.get(range.clone())) else {
            continue;
        };
        let (before, found) = (lens::clean(before).replace('\t', " "), lens::clean(found).into_owned());
        shown.push_str(&before);
        shown.push_str(&found);
        marked.push_str(&before);
        marked.push_str(&paint.found(&found));
        next = range.end;
    }
    let rest = lens::clean(hit_text.get(next..).unwrap_or_default()).replace('\t', " ");
    let text = (format!("{place}{shown}{rest}"), format!("{}{marked}{rest}", paint.dim(&place)));
    vec![painted(address, |text| paint.address(text)), plain(field), text]
}
