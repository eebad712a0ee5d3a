//! The hover over a line of code.

use trace::StepAt;

use super::after::{Labels, after, said_before};
use super::{HoverLink, Links, Markup};
use crate::diff::{self, DiffLine};
use crate::document::{Source, place_text};
use crate::rendered::{Sign, StepRef};
use crate::text::{clean, cut, cut_at_word, fence, one_line, short_id};

/// The most lines of a hover: a hover is about twelve lines high and scrolls.
const COMPACT_LINES: usize = 10;
const FULL_LINES: usize = 18;
const COMPACT_CHANGES: usize = 4;
const FULL_CHANGES: usize = 8;
const DIFF_WIDTH: usize = 100;
const PROMPT_WIDTH: usize = 160;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoverForm {
    /// On recent lines, in diff editors and in peeks.
    Full,
    Compact,
    /// Agent, turn, time and prompt in one line.
    Line,
}

/// A line of code and the step that wrote it.
pub struct CodeHover<'a> {
    pub source: Source<'a>,
    pub step: &'a StepRef,
    /// The agent as it is shown: [`crate::agent_name`].
    pub agent: &'a str,
    /// The file as the step's edit names it, and the line there after the step, from 1.
    pub path: &'a str,
    pub line: Option<u32>,
    pub doubts: &'a [Doubt],
}

/// Why the origin is not as plain as it looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    Reformatted {
        /// The formatter and the step that ran it, `13.1`.
        by: Option<(Box<str>, Box<str>)>,
    },
    Moved {
        /// `src/net.rs:210`
        from: Box<str>,
        turn: Option<u32>,
    },
    Inferred {
        /// The one command, and its step, `12.8`.
        command: Box<str>,
        step: Box<str>,
    },
    /// A note of another tool (`git-ai`) on a commit.
    Note {
        tool: Box<str>,
        commit: Box<str>,
    },
    /// `test-writer`, `12.4.3`
    SubAgent {
        name: Box<str>,
        step: Box<str>,
    },
    Disagrees {
        line: u32,
        commit: Box<str>,
        says: Box<str>,
    },
}

impl Doubt {
    fn words(&self, markup: Markup) -> String {
        let text = |text: &str| markup.text(&one_line(text));
        match self {
            Doubt::Reformatted { by: Some((tool, step)) } => format!("Reformatted since by {} ({step}).", text(tool)),
            Doubt::Reformatted { by: None } => "Reformatted since.".into(),
            Doubt::Moved { from, turn: Some(turn) } => format!("Moved from {} in turn {turn}.", text(from)),
            Doubt::Moved { from, turn: None } => format!("Moved from {}.", text(from)),
            Doubt::Inferred { command, step } => {
                let command = markup.code(&one_line(command));
                format!("Inferred: between two known texts of this file only {command} ({step}) ran.")
            }
            Doubt::Note { tool, commit } => {
                format!("Told by a {} note on commit {commit}; the session is not on this computer.", text(tool))
            }
            Doubt::SubAgent { name, step } => format!("By the sub-agent \"{}\" ({step}).", text(name)),
            Doubt::Disagrees { line, commit, says } => {
                format!("Line {line} and the note on commit {commit} disagree: the note says {}.", text(says))
            }
        }
    }
}

/// The hover's text. `None`: there is no such step.
pub fn code_hover(asked: &CodeHover<'_>, form: HoverForm, markup: Markup, links: &dyn Links) -> Option<String> {
    let at = asked.source.session.step(asked.step.turn, &asked.step.steps)?;
    let head = head(asked, &at, form, markup, links);
    let prompt = prompt(&at, form);
    if form == HoverForm::Line {
        let prompt = prompt.first().map(|line| format!(" · {}", markup.text(line)));
        return Some(format!("{head}{}", prompt.unwrap_or_default()));
    }
    let mut tail: Vec<String> = Vec::new();
    if form == HoverForm::Full {
        let said = said_before(&asked.source, asked.step);
        tail.extend(said.map(|said| format!("\"{}\"", markup.text(&said))));
        tail.extend(after(asked.source.session, asked.step, Labels::Last, markup));
    }
    tail.extend(asked.doubts.iter().map(|doubt| doubt.words(markup)));
    let most = if form == HoverForm::Full { FULL_LINES } else { COMPACT_LINES };
    let mut lines = vec![head];
    if !prompt.is_empty() {
        lines.push(String::new());
        let quote = if markup == Markup::Markdown { "> " } else { "" };
        lines.extend(prompt.iter().map(|line| format!("{quote}{}", markup.line(line))));
    }
    let room = most.saturating_sub(lines.len() + tail.len());
    let diff = diff(asked, &at, form, markup, room);
    let separated = diff.is_empty() && !tail.is_empty() && lines.len() + tail.len() < most;
    if separated {
        lines.push(String::new());
    }
    lines.extend(diff);
    lines.extend(tail);
    lines.truncate(most);
    Some(hard_breaks(&lines, markup))
}

/// Lines that follow each other directly are one paragraph to Markdown unless the first ends in two blanks.
fn hard_breaks(lines: &[String], markup: Markup) -> String {
    let mut text = String::new();
    let mut in_fence = false;
    for (at, line) in lines.iter().enumerate() {
        let is_fence = line.starts_with("```");
        in_fence ^= is_fence;
        text.push_str(line);
        let plain = |line: &String| !line.is_empty() && !line.starts_with("```");
        let goes_on = lines.get(at + 1).is_some_and(plain) && plain(line) && !in_fence;
        if goes_on && markup == Markup::Markdown {
            text.push_str("  ");
        }
        if at + 1 < lines.len() {
            text.push('\n');
        }
    }
    text
}

fn head(asked: &CodeHover<'_>, at: &StepAt<'_>, form: HoverForm, markup: Markup, links: &dyn Links) -> String {
    let session = &*asked.source.session.path.session;
    let url = |link: HoverLink| links.url(link, session, asked.step);
    let mut parts = vec![markup.bold(asked.agent)];
    let turn = format!("turn {}", asked.step.turn);
    let address = || format!("{}:{}", short_id(session), asked.step.label());
    parts.push(markup.link(&turn, url(HoverLink::Turn)).unwrap_or_else(address));
    // The moment of the result, which is when the file changed; lenses and the status bar name the same.
    let changed = at.step.result.as_ref().and_then(|result| result.at);
    parts.extend(changed.or(at.step.at).or(at.turn.started).map(|at| asked.source.view.when_in_words(at)));
    let wanted: &[(&str, HoverLink)] = match form {
        HoverForm::Full => &[("diff", HoverLink::Diff), ("history", HoverLink::History), ("undo", HoverLink::Undo)],
        HoverForm::Compact => &[("diff", HoverLink::Diff), ("history", HoverLink::History)],
        HoverForm::Line => &[],
    };
    parts.extend(wanted.iter().filter_map(|(name, link)| markup.link(name, url(*link))));
    parts.join(" · ")
}

/// The prompt's first lines; of a weak prompt also what it follows.
fn prompt(at: &StepAt<'_>, form: HoverForm) -> Vec<String> {
    let most = if form == HoverForm::Full { 2 } else { 1 };
    let text = match (&at.turn.prompt, &at.turn.command) {
        // "yes" says nothing by itself.
        (Some(prompt), _) if trace::title::is_weak(&prompt.text.head) && at.turn.title.contains('→') => {
            &at.turn.title
        }
        (Some(prompt), _) => &prompt.text.head,
        (None, Some(command)) => command,
        (None, None) => return Vec::new(),
    };
    let lines = text.lines().map(one_line).filter(|line| !line.is_empty());
    lines.take(most).map(|line| cut_at_word(&line, PROMPT_WIDTH).into_owned()).collect()
}

/// The step's diff around the line, with its fence, in at most `room` lines.
fn diff(asked: &CodeHover<'_>, at: &StepAt<'_>, form: HoverForm, markup: Markup, room: usize) -> Vec<String> {
    let Some(content) = asked.source.changes_of(at) else { return Vec::new() };
    let Some(change) = content.changes.iter().find(|change| &*change.path == asked.path).or(content.changes.first())
    else {
        return Vec::new();
    };
    let hunks = diff::hunks_of(change);
    let is_asked = |line: &DiffLine<'_>| line.sign == Sign::Added && Some(line.new) == asked.line;
    let hunk = hunks.iter().find(|hunk| diff::numbered(hunk).any(|line| is_asked(&line))).or(hunks.first());
    let Some(hunk) = hunk else { return Vec::new() };
    let changed: Vec<DiffLine<'_>> = diff::numbered(hunk).filter(|line| line.sign != Sign::Context).collect();
    let asked_at = changed.iter().position(is_asked).unwrap_or(0);
    let is_full = form == HoverForm::Full;
    let fenced = if markup == Markup::Markdown { 2 } else { 0 };
    // A blank line before, the fence, and in the full form the place and what is left out.
    let most = match form {
        HoverForm::Full => FULL_CHANGES.min(room.saturating_sub(fenced + 3)),
        _ => COMPACT_CHANGES.min(room.saturating_sub(fenced + 1)),
    };
    let shown = window(changed.len(), asked_at, most);
    if shown.is_empty() {
        return Vec::new();
    }
    let left_out = changed.len() - shown.len();
    let mut body: Vec<String> = Vec::new();
    if is_full {
        let edit = at.step.edits().iter().find(|edit| edit.path == change.path);
        let line = edit.map(|edit| edit.line).filter(|line| *line > 0);
        body.push(format!("@@ {} @@", place_text(&asked.source.view, &change.path, line, None)));
    }
    let shown = changed.get(shown).unwrap_or_default();
    body.extend(shown.iter().map(|line| cut(&clean(line.text), DIFF_WIDTH).into_owned()));
    if is_full && left_out > 0 {
        body.push(format!("… {left_out} more {}", if left_out == 1 { "line" } else { "lines" }));
    }
    let mut lines = vec![String::new()];
    let marks = fence(body.iter().map(String::as_str));
    if markup == Markup::Markdown {
        lines.push(format!("{marks}diff"));
    }
    lines.extend(body);
    if markup == Markup::Markdown {
        lines.push(marks);
    }
    lines
}

/// At most `most` of `all` lines, with `asked` among them.
fn window(all: usize, asked: usize, most: usize) -> std::ops::Range<usize> {
    let length = most.min(all);
    let from = match asked < length {
        true => 0,
        false => (asked + 1 + length / 2).min(all) - length,
    };
    from..from + length
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::fixture::{Fixture, RETRY, ROOT};
    use crate::hover::NoLinks;

    struct Commands;

    impl Links for Commands {
        fn url(&self, link: HoverLink, session: &str, step: &StepRef) -> Option<String> {
            Some(format!("command:{link:?}?{}:{}", short_id(session), step.label()))
        }
    }

    fn step(label: &str) -> StepRef {
        let mut numbers = label.split('.').map(|n| n.parse().expect("a number"));
        StepRef { turn: numbers.next().expect("a turn"), steps: numbers.collect() }
    }

    struct Case<'a> {
        text: &'a str,
        step: &'a str,
        place: (&'a str, u32),
        form: HoverForm,
        doubts: &'a [Doubt],
    }

    fn hover(case: &Case<'_>, markup: Markup, links: &dyn Links) -> String {
        let fixture = Fixture::of(case.text);
        let path = format!("{ROOT}/{}", case.place.0);
        let asked = CodeHover {
            source: fixture.source(),
            step: &step(case.step),
            agent: "Claude",
            path: &path,
            line: Some(case.place.1),
            doubts: case.doubts,
        };
        let text = code_hover(&asked, case.form, markup, links).expect("a step");
        let most = if case.form == HoverForm::Full { FULL_LINES } else { COMPACT_LINES };
        assert!(text.lines().count() <= most, "{text}");
        text
    }

    fn check(label: &str, place: (&str, u32), form: HoverForm, expect: Expect) {
        let case = Case { text: RETRY, step: label, place, form, doubts: &[] };
        expect.assert_eq(&hover(&case, Markup::Markdown, &Commands));
    }

    #[test]
    fn full() {
        check(
            "1.7",
            ("src/loader.rs", 41),
            HoverForm::Full,
            expect![[r#"
            **Claude** · [turn 1](command:Turn?9f3c1a2b:1.7) · today 14:05 · [diff](command:Diff?9f3c1a2b:1.7) · [history](command:History?9f3c1a2b:1.7) · [undo](command:Undo?9f3c1a2b:1.7)

            > Add retry to the loader: three attempts, back off 200 ms, 400 ms. Do not retry on 4xx.  
            > The error type is in src/http.rs.

            ```diff
            @@ src/loader.rs:40 @@
            -    let body = client.get(url)?;
            +    let mut wait = Duration::from_millis(200);
            +    let mut left = 3;
            +    let body = loop {
            +        match client.get(url) {
            +            Err(e) if left > 1 && e.is_transient() => {
            +                left -= 1;
            … 6 more lines
            ```
            "The loader gives up at the first network error, so the call goes into a loop."  
            After it: `cargo test -p fetchd` failed, then passed in 1.13"#]],
        );
        check(
            "1.7",
            ("src/loader.rs", 50),
            HoverForm::Full,
            expect![[r#"
            **Claude** · [turn 1](command:Turn?9f3c1a2b:1.7) · today 14:05 · [diff](command:Diff?9f3c1a2b:1.7) · [history](command:History?9f3c1a2b:1.7) · [undo](command:Undo?9f3c1a2b:1.7)

            > Add retry to the loader: three attempts, back off 200 ms, 400 ms. Do not retry on 4xx.  
            > The error type is in src/http.rs.

            ```diff
            @@ src/loader.rs:40 @@
            +                left -= 1;
            +                sleep(wait);
            +                wait *= 2;
            +            }
            +            other => break other?,
            +        }
            +    };
            … 6 more lines
            ```
            "The loader gives up at the first network error, so the call goes into a loop."  
            After it: `cargo test -p fetchd` failed, then passed in 1.13"#]],
        );
    }

    #[test]
    fn compact() {
        check(
            "2.3",
            ("src/uploader.rs", 22),
            HoverForm::Compact,
            expect![[r#"
            **Claude** · [turn 2](command:Turn?9f3c1a2b:2.3) · today 14:24 · [diff](command:Diff?9f3c1a2b:2.3) · [history](command:History?9f3c1a2b:2.3)

            > Add retry to the loader → yes

            ```diff
            -    client.put(url, body)?;
            +    retry(3, Duration::from_millis(200), || {
            +        client.put(url, body.clone())
            +    })?;
            ```"#]],
        );
        check(
            "1.7",
            ("src/loader.rs", 46),
            HoverForm::Compact,
            expect![[r#"
            **Claude** · [turn 1](command:Turn?9f3c1a2b:1.7) · today 14:05 · [diff](command:Diff?9f3c1a2b:1.7) · [history](command:History?9f3c1a2b:1.7)

            > Add retry to the loader: three attempts, back off 200 ms, 400 ms. Do not retry on 4xx.

            ```diff
            +                left -= 1;
            +                sleep(wait);
            +                wait *= 2;
            +            }
            ```"#]],
        );
        check(
            "2.4.3",
            ("tests/retry.rs", 5),
            HoverForm::Compact,
            expect![[r#"
            **Claude** · [turn 2](command:Turn?9f3c1a2b:2.4.3) · today 14:26 · [diff](command:Diff?9f3c1a2b:2.4.3) · [history](command:History?9f3c1a2b:2.4.3)

            > Add retry to the loader → yes

            ```diff
            +fn first_try() {
            +    assert_eq!(calls(1), 1);
            +}
            +
            ```"#]],
        );
    }

    #[test]
    fn line() {
        check(
            "1.7",
            ("src/loader.rs", 41),
            HoverForm::Line,
            expect![
                "**Claude** · [turn 1](command:Turn?9f3c1a2b:1.7) · today 14:05 · Add retry to the loader: three attempts, back off 200 ms, 400 ms. Do not retry on 4xx."
            ],
        );
    }

    #[test]
    fn without_links_and_markup() {
        let case = Case {
            text: RETRY,
            step: "1.7",
            place: ("src/loader.rs", 46),
            form: HoverForm::Compact,
            doubts: &[Doubt::Reformatted { by: Some(("rustfmt".into(), "13.1".into())) }],
        };
        expect![[r#"
            **Claude** · 9f3c1a2b:1.7 · today 14:05

            > Add retry to the loader: three attempts, back off 200 ms, 400 ms. Do not retry on 4xx.

            ```diff
            +                left -= 1;
            +                sleep(wait);
            +                wait *= 2;
            ```
            Reformatted since by rustfmt (13.1)."#]]
        .assert_eq(&hover(&case, Markup::Markdown, &NoLinks));
        expect![[r#"
            Claude · 9f3c1a2b:1.7 · today 14:05

            Add retry to the loader: three attempts, back off 200 ms, 400 ms. Do not retry on 4xx.

            +                left -= 1;
            +                sleep(wait);
            +                wait *= 2;
            +            }
            Reformatted since by rustfmt (13.1)."#]]
        .assert_eq(&hover(&case, Markup::Plain, &Commands));
    }

    #[test]
    fn doubts_leave_room() {
        let doubts = [
            Doubt::Moved { from: "src/net.rs:210".into(), turn: Some(13) },
            Doubt::Inferred { command: "make gen".into(), step: "12.8".into() },
            Doubt::Note { tool: "git-ai".into(), commit: "9f3c1a2".into() },
            Doubt::SubAgent { name: "test-writer".into(), step: "12.4.3".into() },
            Doubt::Disagrees { line: 41, commit: "9f3c1a2".into(), says: "Codex".into() },
        ];
        let case =
            Case { text: RETRY, step: "1.7", place: ("src/loader.rs", 46), form: HoverForm::Full, doubts: &doubts };
        expect![[r#"
            **Claude** · [turn 1](command:Turn?9f3c1a2b:1.7) · today 14:05 · [diff](command:Diff?9f3c1a2b:1.7) · [history](command:History?9f3c1a2b:1.7) · [undo](command:Undo?9f3c1a2b:1.7)

            > Add retry to the loader: three attempts, back off 200 ms, 400 ms. Do not retry on 4xx.  
            > The error type is in src/http.rs.

            ```diff
            @@ src/loader.rs:40 @@
            +                sleep(wait);
            +                wait *= 2;
            … 11 more lines
            ```
            "The loader gives up at the first network error, so the call goes into a loop."  
            After it: `cargo test -p fetchd` failed, then passed in 1.13  
            Moved from src/net.rs:210 in turn 13.  
            Inferred: between two known texts of this file only `make gen` (12.8) ran.  
            Told by a git-ai note on commit 9f3c1a2; the session is not on this computer.  
            By the sub-agent "test-writer" (12.4.3).  
            Line 41 and the note on commit 9f3c1a2 disagree: the note says Codex."#]].assert_eq(&hover(&case, Markup::Markdown, &Commands));
        hover(&Case { form: HoverForm::Compact, ..case }, Markup::Markdown, &Commands);
    }

    #[test]
    fn other_peoples_text_is_escaped() {
        let text = "14:02 turn ![x](http://a) <b> **bold** \u{1b}[31mred\n14:03 edit a.md\n| @@ -1,1 +1,2 @@\n| +```\n| +[x](y)\n";
        let case = Case { text, step: "1.1", place: ("a.md", 1), form: HoverForm::Full, doubts: &[] };
        expect![[r#"
            **Claude** · 9f3c1a2b:1.1 · today 14:03

            > \!\[x\](http:\//a) \<b\> \*\*bold\*\* ␛red

            ````diff
            @@ a.md:1 @@
            +```
            +[x](y)
            ````"#]]
        .assert_eq(&hover(&case, Markup::Markdown, &NoLinks));
    }
}
