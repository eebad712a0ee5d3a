//! A session: pages of whole turns.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use trace::{EditStub, Excerpt, Session, StepKind, Turn};

use super::page::{Page, Row};
use super::steps::has_matches;
use super::{PAGE_BYTES, Source, turn};
use crate::document_id::{Filter, Part as DocumentPart};
use crate::now::Live;
use crate::rendered::{DocLensKind, FoldKind, Rendered, TokenKind};
use crate::text::{one_line, short_id};

/// A page whose estimate is over this takes no further turn. What it has then leaves room for one that grows.
const FULL: usize = PAGE_BYTES * 5 / 8;

/// The pages of a session, as first and last turn. It depends on the log alone and reads no body; a closed page never
/// changes as the log grows. No more turns are looked at than those of the pages that are asked for.
pub fn pages(session: &Session) -> impl Iterator<Item = (u32, u32)> {
    let mut turns = session.path.turns.iter();
    std::iter::from_fn(move || {
        let first = turns.next()?;
        let (mut last, mut filled) = (first.number, estimate(first));
        // Decided by the turns before it: the last one stays on its page while it grows.
        while filled < FULL
            && let Some(turn) = turns.next()
        {
            last = turn.number;
            filled += estimate(turn);
        }
        Some((first.number, last))
    })
}

/// Bytes that a turn will take, from the beginnings of its texts and from how they are cut.
fn estimate(turn: &Turn) -> usize {
    const DIFF_LINE: usize = 45;
    const OUTPUT: usize = 1_000;
    let prompt = turn.prompt.as_ref().map_or(0, |prompt| bytes(&prompt.text).min(4_000));
    let steps = turn.steps.iter().map(|step| match step.kind {
        StepKind::Text => bytes(&step.text),
        StepKind::Thought => bytes(&step.text).min(330),
        _ => {
            let lines = |edit: &EditStub| edit.added.saturating_add(edit.removed).min(54) as usize + 6;
            let edits: usize = step.edits().iter().map(|edit| lines(edit) * DIFF_LINE + 80).sum();
            let output = step.result.as_ref().filter(|_| step.failed()).map_or(0, |result| bytes(&result.output));
            40 + step.text.head.len().min(120) + edits + output.min(OUTPUT)
        }
    });
    200 + prompt + steps.sum::<usize>()
}

/// The size of a whole text, by that of its beginning.
fn bytes(text: &Excerpt) -> usize {
    text.head.len().saturating_mul(text.chars as usize) / text.head.chars().count().max(1)
}

/// The page that begins with the turn `from` and goes to the turn `to`, else to the page's end.
pub fn session_page(source: &Source<'_>, from: u32, to: Option<u32>) -> Rendered {
    let mut page = Page::default();
    header(source, &mut page, if from > 1 { Some(format!("from turn {from}")) } else { None });
    let mut pages = pages(source.session);
    let end = pages.find(|(_, last)| *last >= from).map_or(0, |(_, last)| last);
    let end = to.unwrap_or(end);
    let turns = source.session.path.turns.range((from as usize).saturating_sub(1)..end as usize);
    let inherited = source.session.inherited.as_ref().filter(|_| from == 1);
    let mut fold_from = None;
    if let Some((count, session)) = inherited {
        fold_from = Some(page.push_block(inherited_row(*count, session)));
    }
    for turn in turns {
        write_within_limit(source, &mut page, turn, None);
        if let (Some(start), Some((count, _))) = (fold_from, inherited)
            && turn.number == (*count).min(end)
        {
            page.fold(start, FoldKind::Comment);
        }
    }
    let total = u32::try_from(source.session.path.turns.len()).unwrap_or(u32::MAX);
    match end < total {
        true => {
            goes_on(source, &mut page, end + 1, pages.find(|(first, _)| *first > end).filter(|(_, last)| *last < total))
        }
        false => live_row(source, &mut page),
    }
    page.finish()
}

/// A session reduced to the steps that a filter lets through.
pub fn filtered(source: &Source<'_>, filter: &Filter) -> Rendered {
    let mut page = Page::default();
    let name = match filter {
        Filter::Prompts => "only prompts".to_owned(),
        Filter::Errors => "only errors".to_owned(),
        Filter::Edits => "only edits".to_owned(),
        Filter::Tool(tool) => format!("only {tool}"),
    };
    header(source, &mut page, Some(name));
    for turn in source.session.path.turns.iter().filter(|turn| has_matches(filter, turn)) {
        write_within_limit(source, &mut page, turn, Some(filter));
    }
    page.finish()
}

/// Writes a turn; where the page gets too large by it, without its bodies.
fn write_within_limit(source: &Source<'_>, page: &mut Page, turn: &Arc<Turn>, only: Option<&Filter>) {
    let before = page.mark();
    turn::write_in_session(source, page, turn, only, false);
    if page.bytes() > PAGE_BYTES {
        page.back_to(&before);
        turn::write_in_session(source, page, turn, only, true);
    }
}

/// Five lines, so that nothing below it moves when it changes.
fn header(source: &Source<'_>, page: &mut Page, part: Option<String>) {
    let (path, view) = (&source.session.path, &source.view);
    let row = Row::of("# ").and(&source.title());
    let line = page.push(row.dot(part.as_deref().unwrap_or_default()).token(TokenKind::Heading));
    page.lens(
        line,
        None,
        &[
            DocLensKind::Life,
            DocLensKind::Changes,
            DocLensKind::Resume,
            DocLensKind::FindInSession,
            DocLensKind::Filter,
            DocLensKind::Export,
        ],
    );
    page.blank();
    let version = path.version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
    let row = Row::of(path.agent.full()).and(&version);
    let row = row.dot(path.model.as_deref().unwrap_or_default()).dot(path.branch.as_deref().unwrap_or_default());
    page.push(row.dot(&path.cwd.as_deref().map(|cwd| view.folder(cwd)).unwrap_or_default()));
    let ended = if view.live.is_some() { None } else { path.ended };
    let when = path.started.map(|from| {
        let (date, span, offset) = (view.date(from), view.span(from, ended), view.offset(from));
        format!("{date} {span} {offset}")
    });
    page.push(Row::of(&when.unwrap_or_default()).dot(&format!("session {}", path.session)));
    page.blank();
}

/// `*Turns 1–3 are inherited from session 77ab01c2 (fork).*`
fn inherited_row(turns: u32, session: &Arc<str>) -> Row {
    let row = Row::of(&match turns {
        1 => "*Turn 1 is inherited from ".to_owned(),
        _ => format!("*Turns 1–{turns} are inherited from "),
    });
    let target = crate::rendered::LinkTarget::Session { session: (**session).into(), step: None };
    row.link(&format!("session {}", short_id(session)), target).and(" (fork).*").token(TokenKind::Comment)
}

/// The last line of a page that is not the last. `next` is the page that follows, unless that is the last one: it has no
/// end yet.
fn goes_on(source: &Source<'_>, page: &mut Page, from: u32, next: Option<(u32, u32)>) {
    let to = next.filter(|(first, _)| *first == from).map(|(_, last)| last);
    let link = source.link(DocumentPart::Turns { from, to }, &source.title());
    let row = Row::of("*The session goes on with ").link(&format!("turn {from}"), link).and(".*");
    page.push_block(row.token(TokenKind::Comment));
}

/// The one line that may change while a session runs.
fn live_row(source: &Source<'_>, page: &mut Page) {
    let row = match source.view.live {
        None => return,
        Some(Live::Working { what, since }) => {
            format!("*working: {}, since {}*", one_line(what), source.view.seconds(*since))
        }
        Some(Live::Waits { since }) => format!("*waits for the person since {}*", source.view.seconds(*since)),
    };
    page.push_block(Row::of(&row).token(TokenKind::Comment));
}
