//! The hits of a search.

use trace::Timestamp;

use super::page::{Page, Row};
use crate::DocumentId;
use crate::rendered::{FoldKind, LinkTarget, Part, Rendered, StepRef, Symbol, SymbolKind, TokenKind};
use crate::text::{count, one_line, pad, short_id, thousands};
use crate::view::View;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchResults {
    pub query: Box<str>,
    /// All hits, also those that are not listed.
    pub total: u64,
    pub sessions: Vec<SearchSession>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SearchSession {
    pub session: Box<str>,
    pub document: DocumentId,
    /// The agent's short name.
    pub agent: Box<str>,
    pub title: Box<str>,
    pub started: Option<Timestamp>,
    pub hits: Vec<SearchHit>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SearchHit {
    pub step: StepRef,
    /// `prompt`, `answer`, `thought`, `tool`, `output`, `edit`.
    pub field: Box<str>,
    /// The file and line of an edit, as it was then.
    pub place: Option<(Box<str>, u32)>,
    /// The hit with its surroundings.
    pub text: Box<str>,
    /// What was found, as byte ranges of `text`, in order and without overlap.
    pub found: Vec<std::ops::Range<usize>>,
}

impl SearchSession {
    /// What a pick says below a hit: `Claude · turn 12 · Add retry to the loader · 3 Nov`.
    pub fn description(&self, hit: &SearchHit, view: &View<'_>) -> String {
        let when = self.started.map(|at| format!(" · {}", view.when(at))).unwrap_or_default();
        format!("{} · turn {} · {}{when}", self.agent, hit.step.turn, one_line(&self.title))
    }
}

pub fn search_results(results: &SearchResults, view: &View<'_>) -> Rendered {
    let mut page = Page::default();
    let sessions = count(results.sessions.len() as u64, "session");
    let hits = count(results.total, "hit");
    let heading = format!("# \"{}\" · {hits} in {sessions}", one_line(&results.query));
    page.push(Row::of(&heading).token(TokenKind::Heading));
    let mut listed = 0;
    for session in &results.sessions {
        let mark = page.symbols();
        let title = one_line(&session.title);
        let row = Row::of("## ").and(&session.agent).and(" · ");
        let row = row.link(&title, LinkTarget::Document(session.document.clone(), title.clone()));
        let row = row.dot(&session.started.map(|at| view.date(at)).unwrap_or_default());
        let start = page.push_block(row.dot(short_id(&session.session)).token(TokenKind::Heading));
        page.anchor_of(Some(&session.session), start, &StepRef::default(), Part::Head);
        page.blank();
        write_hits(&mut page, view, session);
        listed += session.hits.len() as u64;
        page.fold(start, FoldKind::Section);
        let (name, detail) = (title, count(session.hits.len() as u64, "hit"));
        let kind = SymbolKind::Group;
        page.symbol_over(mark, Symbol { name, detail, kind, line: start, end: start, children: Vec::new() });
    }
    if results.total > listed {
        let more = format!("*{} more hits are not listed.*", thousands(results.total - listed));
        page.push_block(Row::of(&more).token(TokenKind::Comment));
    }
    page.finish()
}

fn write_hits(page: &mut Page, view: &View<'_>, session: &SearchSession) {
    let labels = session.hits.iter().map(|hit| hit.step.label().len());
    let label_width = labels.max().unwrap_or(0);
    let field_width = session.hits.iter().map(|hit| hit.field.len()).max().unwrap_or(0);
    for hit in &session.hits {
        let label = hit.step.label();
        let gap = " ".repeat(label_width.saturating_sub(label.len()) + 1);
        let target = LinkTarget::Session { session: session.session.clone(), step: Some(hit.step.clone()) };
        let row = Row::of("- ").link(&label, target).and(&gap).and(&pad(&hit.field, field_width)).and("   ");
        let row = match &hit.place {
            Some((path, line)) => {
                row.and(&super::place_text(view, path, (*line > 0).then_some(*line), None)).and("   ")
            }
            None => row,
        };
        let line = page.push_list_row(row.and(&marked(&hit.text, &hit.found)));
        page.anchor_of(Some(&session.session), line, &hit.step, Part::Head);
    }
}

/// The text on one line with what was found in `**`.
fn marked(text: &str, found: &[std::ops::Range<usize>]) -> String {
    let mut marked = String::with_capacity(text.len() + 8);
    let mut next = 0;
    for range in found {
        let (Some(before), Some(hit)) = (text.get(next..range.start), text.get(range.clone())) else { continue };
        marked.push_str(&spaces(before));
        marked.push_str(&format!("**{}**", spaces(hit)));
        next = range.end;
    }
    marked.push_str(&spaces(text.get(next..).unwrap_or_default()));
    marked
}

/// White space of any kind as single blanks, also at the ends.
fn spaces(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_whitespace() {
            true if line.ends_with(' ') => {}
            true => line.push(' '),
            false => line.push(c),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use trace::Agent;

    use super::*;
    use crate::document_id::{Part as DocumentPart, session_key};
    use crate::fixture::{ROOT, at, view};

    fn hit(step: &[u32], field: &str, place: Option<(&str, u32)>, text: &str) -> SearchHit {
        let found = text.match_indices("retry").map(|(at, hit)| at..at + hit.len()).collect();
        let place = place.map(|(path, line)| (format!("{ROOT}/{path}").into(), line));
        let step = StepRef { turn: step[0], steps: step[1..].to_vec() };
        SearchHit { step, field: field.into(), place, text: text.into(), found }
    }

    #[test]
    fn hits() {
        let session = "9f3c1a2b-7d14";
        let part = DocumentPart::Session;
        let document = DocumentId::Trace { agent: Agent::ClaudeCode, session: session_key(session), part };
        let results = SearchResults {
            query: "retry".into(),
            total: 7,
            sessions: vec![SearchSession {
                session: session.into(),
                document,
                agent: "Claude".into(),
                title: "Add retry to the loader".into(),
                started: Some(at("2026-11-20 14:02")),
                hits: vec![
                    hit(&[1], "prompt", None, "Add retry to the loader:\nthree attempts, back off 200 ms, 400 ms."),
                    hit(&[1, 5], "edit", Some(("src/loader.rs", 40)), "`let body = loop {` … for retry of transient"),
                    hit(&[2, 4, 3], "edit", Some(("tests/retry.rs", 1)), "`use fetchd::retry::retry;` \u{1b}[0m"),
                ],
            }],
        };
        let session = &results.sessions[0];
        expect!["Claude · turn 1 · Add retry to the loader · 14:02"]
            .assert_eq(&session.description(&session.hits[1], &view()));
        let rendered = search_results(&results, &view());
        expect![[r##"
            # "retry" · 7 hits in 1 session

            ## Claude · Add retry to the loader · 2026-11-20 · 9f3c1a2b

            - 1     prompt   Add **retry** to the loader: three attempts, back off 200 ms, 400 ms.
            - 1.5   edit     src/loader.rs:40   `let body = loop {` … for **retry** of transient
            - 2.4.3 edit     tests/retry.rs:1   `use fetchd::**retry**::**retry**;` ␛

            *4 more hits are not listed.*
        "##]]
        .assert_eq(&rendered.text);
        assert_eq!(crate::spot(&rendered, 5).map(|anchor| anchor.step.label()), Some("1.5".into()));
    }

    #[test]
    fn ranges_that_do_not_fit_are_left_out() {
        assert_eq!(marked("añb", &[2..3, 0..9]), "añb");
    }
}
