//! The steps of a turn or a sub-agent, as they stand in every document.

use std::borrow::Cow;
use std::iter::Peekable;
use std::sync::Arc;

use trace::{
    Change, Content, EditStub, Excerpt, LogId, Note, NoteKind, Place, Prompt, Side, Step, StepAt, StepKind, Turn,
};

use super::numbers::plus_minus;
use super::page::{Page, Row};
use super::{LINE_WIDTH, Source, of_step};
use crate::diff::{self, DiffLine};
use crate::document_id::{Filter, Part as DocumentPart};
use crate::rendered::{DocLensKind, FoldKind, LinkTarget, Part, Sign, StepRef, Symbol, SymbolKind, TokenKind};
use crate::text::{clean, code_span, count, cut, fence, one_line, open_fence, thousands, wrap};
use crate::time::{run_time, work_time};
use crate::view::{Thinking, View};

const PROMPT_LINES: usize = 40;
const THOUGHT_LINES: usize = 3;
const DIFF_LINES: usize = 60;
const NEW_FILE_LINES: usize = 12;
/// The width in which thoughts and answers are wrapped where they are cut by lines.
const WRAP: usize = 100;
/// A command or subject in a row.
const SUBJECT_WIDTH: usize = 120;

/// Writes the steps of one turn.
pub(crate) struct Steps<'a, 'p> {
    pub(crate) source: &'a Source<'a>,
    pub(crate) page: &'p mut Page,
    pub(crate) turn: &'a Arc<Turn>,
    /// Only the steps that it lets through.
    pub(crate) only: Option<&'a Filter>,
    /// Bodies are left out: the page would be too large.
    pub(crate) brief: bool,
    said_that_log_is_gone: bool,
}

impl<'a, 'p> Steps<'a, 'p> {
    pub(crate) fn new(source: &'a Source<'a>, page: &'p mut Page, turn: &'a Arc<Turn>) -> Steps<'a, 'p> {
        Steps { source, page, turn, only: None, brief: false, said_that_log_is_gone: false }
    }

    /// The prompt, or the command that began the turn, as a block quote.
    pub(crate) fn prompt(&mut self) {
        let turn = self.turn;
        let step = StepRef::turn(turn.number);
        if let Some(prompt) = &turn.prompt {
            let link = self.source.link(DocumentPart::Prompt(turn.number), "");
            self.quote(prompt, turn.place.map(|place| (self.source.session.path.log, place)), &link, &step);
        } else if let Some(command) = &turn.command {
            self.page.blank();
            let from = self.page.line();
            self.page.push(Row::of("> ").and(&one_line(command)));
            self.page.anchor(from, &step, Part::Body);
        }
    }

    pub(crate) fn quote(&mut self, prompt: &Prompt, place: Option<(LogId, Place)>, link: &LinkTarget, step: &StepRef) {
        let limit = if self.brief { PROMPT_LINES / 10 } else { PROMPT_LINES };
        let head = &prompt.text.head;
        let text = match place {
            Some((log, place)) if !prompt.text.is_whole() && head.lines().count() <= limit => {
                self.source.content(log, place).map(|content| content.text.clone())
            }
            _ => None,
        };
        let is_whole = text.is_some() || prompt.text.is_whole();
        let text = text.as_deref().unwrap_or(head).trim_end();
        let total = if is_whole { text.lines().count() } else { prompt.text.lines as usize };
        self.page.blank();
        let from = self.page.line();
        let mut shown = 0;
        for line in text.lines().take(limit) {
            let row = Row::of(if line.trim().is_empty() { ">" } else { "> " });
            self.page.push(cut_line(row, line.trim_end(), link));
            shown += 1;
        }
        if total > shown {
            self.page.push(more_lines(Row::of("> "), total - shown, link));
        }
        if prompt.images > 0 {
            let images = if prompt.images == 1 { "[image]".into() } else { format!("[{} images]", prompt.images) };
            self.page.push(Row::of("> ").and(&images));
        }
        self.page.anchor(from, step, Part::Body);
    }

    /// The turn's own steps with the notes between them.
    pub(crate) fn turn_steps(&mut self) {
        let turn = self.turn;
        let log = self.source.session.path.log;
        let mut notes = turn.notes.iter().peekable();
        for step in &turn.steps {
            self.notes_before(&mut notes, step.number);
            self.step(&[step.number], step, log);
        }
        self.notes_before(&mut notes, u32::MAX);
    }

    pub(crate) fn side_steps(&mut self, above: &[u32], side: &'a Side) {
        for step in &side.steps {
            self.step(&[above, &[step.number]].concat(), step, side.log);
        }
    }

    /// Writes the notes that stand before the step, those of one kind of row folded together.
    fn notes_before<'n>(&mut self, notes: &mut Peekable<impl Iterator<Item = &'n Note>>, step: u32) {
        let mut rows: Option<u32> = None;
        while let Some(note) = notes.next_if(|note| note.after < step) {
            if self.only.is_some() {
                continue;
            }
            if let NoteKind::Compacted(compaction) = &note.kind {
                self.end_of_rows(rows.take());
                self.compaction(compaction);
                continue;
            }
            let text = note_text(self.turn.number, note);
            let line = match rows {
                None => self.page.push_block(Row::of(&text).token(TokenKind::Comment)),
                Some(_) => self.page.push(Row::of(&text).token(TokenKind::Comment)),
            };
            rows.get_or_insert(line);
        }
        self.end_of_rows(rows);
    }

    fn end_of_rows(&mut self, first: Option<u32>) {
        if let Some(first) = first {
            self.page.fold(first, FoldKind::Region);
            self.page.anchor(first, &StepRef::turn(self.turn.number), Part::Body);
        }
    }

    fn compaction(&mut self, compaction: &trace::Compaction) {
        self.page.push_block(Row::of("---"));
        let line = self.page.push_block(Row::of(&compaction_text(compaction)).token(TokenKind::Comment));
        self.page.push_block(Row::of("---"));
        let (name, detail) = ("Context compacted".into(), String::new());
        self.page.symbol(Symbol { name, detail, kind: SymbolKind::Compaction, line, end: line, children: Vec::new() });
    }

    fn step(&mut self, numbers: &[u32], step: &'a Step, log: LogId) {
        if !self.only.is_none_or(|filter| passes(filter, step)) {
            return;
        }
        let at = StepAt { turn: self.turn, numbers: numbers.to_vec(), step, log };
        match step.kind {
            StepKind::Text => self.words(&at),
            StepKind::Thought => self.thought(&at),
            StepKind::Agent => self.agent(&at),
            _ if !step.edits().is_empty() => self.edit(&at),
            StepKind::Edit | StepKind::Command | StepKind::Other if stopped(step) => self.failure(&at),
            _ => self.row(&at),
        }
    }

    /// The agent's words to the person: never cut.
    fn words(&mut self, at: &StepAt<'_>) {
        let text = self.text_of(at, &at.step.text);
        if text.trim().is_empty() {
            return;
        }
        self.page.blank();
        let (from, step) = (self.page.line(), step_ref(at));
        let limit = if self.brief { NEW_FILE_LINES } else { usize::MAX };
        let text = text.trim_matches('\n');
        self.page.push_lines(text.lines().take(limit));
        if let Some(open) = open_fence(text.lines().take(limit)) {
            self.page.push(Row::of(&open));
        }
        let more = text.lines().count().saturating_sub(limit);
        if more > 0 {
            let link = self.source.link(of_step(&step, |turn, steps| DocumentPart::Output { turn, steps }), "");
            self.page.push_block(more_lines(Row::default(), more, &link));
        }
        self.page.anchor(from, &step, Part::Body);
    }

    fn thought(&mut self, at: &StepAt<'_>) {
        let (step, text) = (step_ref(at), &at.step.text);
        let label = match text.chars {
            0 => format!("*{} Thought, not recorded.*", at.label()),
            chars => format!("*{} Thought, {}.*", at.label(), count(chars.into(), "character")),
        };
        let link = self.source.link(of_step(&step, |turn, steps| DocumentPart::Thought { turn, steps }), "");
        match self.source.view.settings.show_thinking {
            Thinking::Hidden => {}
            Thinking::Open if !self.brief => {
                self.page.blank();
                let from = self.page.line();
                self.page.push(Row::of(&label).token(TokenKind::Comment));
                let whole = self.text_of(at, text);
                if !whole.trim().is_empty() {
                    self.page.blank();
                    self.page.push_lines(whole.trim_matches('\n').lines());
                }
                self.page.fold(from, FoldKind::Comment);
                self.page.anchor(from, &step, Part::Body);
            }
            Thinking::Open | Thinking::Folded => {
                let tail = (!text.is_whole()).then(|| ("…".to_owned(), link.clone()));
                self.excerpt(&label, &text.head, tail, &link, &step);
            }
        }
    }

    /// A label and the first lines of a text, wrapped. What follows is `tail`; where the lines are cut and there is
    /// no tail, `…` with a link to the whole.
    fn excerpt(
        &mut self,
        label: &str,
        text: &str,
        tail: Option<(String, LinkTarget)>,
        whole: &LinkTarget,
        step: &StepRef,
    ) {
        let (lines, is_cut) = wrap(&format!("{label} {}", one_line(text)), WRAP, THOUGHT_LINES);
        self.page.blank();
        let from = self.page.line();
        let tail = tail.or_else(|| is_cut.then(|| ("…".to_owned(), whole.clone())));
        let last = lines.len().saturating_sub(1);
        for (at, line) in lines.iter().enumerate() {
            let row = Row::of(line).token(TokenKind::Comment);
            self.page.push(match &tail {
                Some((text, target)) if at == last => match text.strip_prefix("… ") {
                    Some(words) => row.and(" … ").link(words, target.clone()),
                    None => row.and(" ").link(text, target.clone()),
                },
                _ => row,
            });
        }
        self.page.fold(from, FoldKind::Comment);
        self.page.anchor(from, step, Part::Body);
    }

    fn edit(&mut self, at: &StepAt<'_>) {
        let (step, edits) = (step_ref(at), at.step.edits());
        let one = if edits.len() == 1 && at.step.kind != StepKind::Command { edits.first() } else { None };
        let row = match one {
            Some(edit) => self.edit_row(Row::of(&format!("### {} ", at.label())), at, edit),
            None if at.step.kind == StepKind::Command => {
                self.subject(Row::of(&format!("### {} ", at.label())), at).dot(&outcome(at.step).unwrap_or_default())
            }
            None => {
                let sum = |of: fn(&EditStub) -> u32| edits.iter().map(|edit| u64::from(of(edit))).sum();
                let files = count(edits.len() as u64, "file");
                let numbers = plus_minus(sum(|edit| edit.added), sum(|edit| edit.removed));
                Row::of(&format!("### {} Edit {files} {numbers}", at.label()))
            }
        };
        let line = self.heading(row, at);
        let new_file = edits.iter().all(|edit| edit.created);
        let kinds: &[DocLensKind] = match new_file {
            true => &[DocLensKind::Life, DocLensKind::Undo, DocLensKind::Raw],
            false => &[DocLensKind::Life, DocLensKind::Diff, DocLensKind::Before, DocLensKind::Undo, DocLensKind::Raw],
        };
        self.page.lens(line, Some(&step), kinds);
        let content = self.source.changes_of(at);
        for (index, edit) in edits.iter().enumerate() {
            if one.is_none() {
                let row = self.edit_row(Row::default(), at, edit);
                let line = self.page.push_block(row);
                self.page.anchor(line, &step, Part::Body);
            }
            match content.as_deref().and_then(|content| change_of(content, index, edit)) {
                Some(change) => self.diff(&step, index, edit, change),
                None => self.log_is_gone(),
            }
        }
        self.page.stretch_symbol();
    }

    /// `Edit src/loader.rs:40 +12 −1`, `Write src/retry.rs · new file, 14 lines`
    fn edit_row(&self, row: Row, at: &StepAt<'_>, edit: &EditStub) -> Row {
        let line = (edit.line > 0 && !edit.created && !edit.deleted).then_some(edit.line);
        let row = row.and(edit_verb(at.step, edit)).and(" ");
        let row = self.place(row, &edit.path, line, None, &step_ref(at));
        match () {
            () if edit.created => row.dot(&format!("new file, {}", count(edit.added.into(), "line"))),
            () if edit.deleted => row.dot(&count(edit.removed.into(), "line")),
            () => row.and(" ").and(&plus_minus(edit.added.into(), edit.removed.into())),
        }
    }

    fn diff(&mut self, step: &StepRef, index: usize, edit: &EditStub, change: &Change) {
        let hunks = diff::hunks_of(change);
        let total: usize = hunks.iter().map(|hunk| hunk.lines.len()).sum();
        if total == 0 {
            return;
        }
        let form = crate::document_id::Form::Then;
        let link = self.source.link(of_step(step, |turn, steps| DocumentPart::Changes { turn, steps, form }), "");
        let limit = if edit.created { NEW_FILE_LINES } else { DIFF_LINES };
        if self.brief {
            let line = self.page.push_block(more_lines(Row::default(), total, &link));
            self.page.anchor(line, step, Part::Cut { edit: number(index) });
            return;
        }
        let marks = fence(hunks.iter().flat_map(|hunk| &hunk.lines).take(limit).map(|line| &**line));
        let start = self.page.push_block(Row::of(&format!("{marks}diff")));
        self.page.anchor(start, step, Part::Body);
        let mut left = limit;
        for hunk in hunks.iter() {
            if left == 0 {
                break;
            }
            let line = self.page.push(Row::of(&diff::header(hunk)).token(TokenKind::Hunk));
            self.page.anchor(line, step, Part::Body);
            for line in diff::numbered(hunk).take(left) {
                self.diff_line(step, index, &line, &link);
                left -= 1;
            }
        }
        let end = self.page.line();
        if total > limit {
            self.page.push(more_lines(Row::default(), total - limit, &link));
            self.page.anchor(end, step, Part::Cut { edit: number(index) });
        }
        let close = self.page.push(Row::of(&marks));
        self.page.anchor(close, step, Part::Body);
        self.page.fold(start, FoldKind::Region);
    }

    fn diff_line(&mut self, step: &StepRef, edit: usize, line: &DiffLine<'_>, link: &LinkTarget) {
        let row = match line.sign {
            Sign::Added => Row::default().token(TokenKind::Inserted),
            Sign::Removed => Row::default().token(TokenKind::Deleted),
            Sign::Context => Row::default(),
        };
        let from = self.page.push(cut_line(row, line.text, link));
        let edit = number(edit);
        self.page.anchor(from, step, Part::Diff { edit, sign: line.sign, old: line.old, new: line.new });
    }

    /// A command, an edit or another call that did not do what was asked.
    fn failure(&mut self, at: &StepAt<'_>) {
        let row = self.subject(Row::of(&format!("### {} ", at.label())), at);
        let row = row.dot(&self.outcome(at).unwrap_or_default()).dot(&self.run_time(at).unwrap_or_default());
        self.heading(row, at);
        self.output(at);
        self.page.stretch_symbol();
    }

    fn output(&mut self, at: &StepAt<'_>) {
        let Some(result) = &at.step.result else { return };
        let text = match result.output.is_whole() {
            true => Cow::Borrowed(&*result.output.head),
            false => match self.source.content(at.log, result.place) {
                Some(content) => Cow::Owned(content.text.clone()),
                None => Cow::Borrowed(&*result.output.head),
            },
        };
        let lines: Vec<&str> = text.trim_end().lines().collect();
        if lines.is_empty() {
            return;
        }
        let step = step_ref(at);
        let link = self.source.link(of_step(&step, |turn, steps| DocumentPart::Output { turn, steps }), "");
        if self.brief {
            let line = self.page.push_block(more_lines(Row::default(), lines.len(), &link));
            self.page.anchor(line, &step, Part::Body);
            return;
        }
        let room = self.source.view.settings.output_lines as usize;
        let (first, last) = if lines.len() <= room { (lines.len(), 0) } else { (room / 3, room - room / 3) };
        let (head, tail) = (&lines[..first], &lines[lines.len() - last..]);
        let marks = fence(head.iter().chain(tail).copied());
        let start = self.page.push_block(Row::of(&format!("{marks}text")));
        for line in head {
            self.page.push(cut_line(Row::default(), line, &link));
        }
        let more = lines.len() - first - last;
        if more > 0 {
            self.page.push(more_lines(Row::default(), more, &link));
        }
        for line in tail {
            self.page.push(cut_line(Row::default(), line, &link));
        }
        self.page.push(Row::of(&marks));
        self.page.fold(start, FoldKind::Region);
        self.page.anchor(start, &step, Part::Body);
    }

    /// A step that changes nothing: one row.
    fn row(&mut self, at: &StepAt<'_>) {
        let row = self.subject(Row::of(&format!("- {} ", at.label())), at);
        let row = row.dot(&self.outcome(at).unwrap_or_default());
        let row = match at.step.result.as_ref().and_then(|result| result.commit.as_deref()) {
            Some(hash) => self.commit(row, at, hash),
            None => row.dot(&self.run_time(at).unwrap_or_default()).dot(&self.matches(at).unwrap_or_default()),
        };
        let line = self.page.push_list_row(row);
        let step = step_ref(at);
        self.page.anchor(line, &step, Part::Head);
        if at.step.kind == StepKind::Command {
            self.page.lens(line, Some(&step), &[DocLensKind::Life]);
        }
    }

    /// ` · commit 4be19d2, 5 files`
    fn commit(&self, row: Row, at: &StepAt<'_>, hash: &str) -> Row {
        let folder = self.turn.cwd.as_deref().or(self.source.session.path.cwd.as_deref()).map(Into::into);
        let target = LinkTarget::Commit { hash: hash.into(), folder };
        let row = row.and(" · ").link(&format!("commit {hash}"), target);
        match at.step.result.as_ref().and_then(|result| result.count) {
            Some(files) => row.and(&format!(", {}", count(files.into(), "file"))),
            None => row,
        }
    }

    fn agent(&mut self, at: &StepAt<'_>) {
        let (step, side) = (step_ref(at), self.source.session.side(at.step));
        let steps = side.map(|side| count(side.steps.len() as u64, "step"));
        let row = self.subject(Row::of(&format!("### {} ", at.label())), at);
        let row = row.dot(steps.as_deref().unwrap_or_default());
        let row = match at.step.result.as_ref() {
            Some(result) if stopped(at.step) || result.at.is_none() => row.dot(&outcome(at.step).unwrap_or_default()),
            Some(result) => match (at.step.at, result.at) {
                (Some(from), Some(to)) => row.dot(&work_time(from, to)),
                _ => row,
            },
            None => row.dot(&self.outcome(at).unwrap_or_default()),
        };
        let mark = self.page.symbols();
        let start = self.page.push_block(row.token(TokenKind::Heading));
        self.page.anchor(start, &step, Part::Head);
        if let Some(side) = side
            && at.numbers.len() < DEEPEST
        {
            self.edits_of_side(&at.numbers, side);
        }
        self.answer(at, steps.as_deref());
        self.page.fold(start, FoldKind::Region);
        let symbol = step_symbol(at, &self.source.view, start);
        if let Some(symbol) = symbol {
            self.page.symbol_over(mark, symbol);
        }
    }

    fn edits_of_side(&mut self, above: &[u32], side: &'a Side) {
        for step in &side.steps {
            let numbers = [above, &[step.number]].concat();
            let at = StepAt { turn: self.turn, numbers, step, log: side.log };
            if !step.edits().is_empty() {
                self.edit(&at);
            }
            if let Some(inner) = self.source.session.side(step)
                && at.numbers.len() < DEEPEST
            {
                self.edits_of_side(&at.numbers, inner);
            }
        }
    }

    /// `*Its answer:* Four tests: … all 5 steps`
    fn answer(&mut self, at: &StepAt<'_>, steps: Option<&str>) {
        let step = step_ref(at);
        let whole = self.source.link(of_step(&step, |turn, steps| DocumentPart::Output { turn, steps }), "");
        let side = self.source.link(of_step(&step, |turn, steps| DocumentPart::Side { turn, steps }), &side_name(at));
        let tail = steps.map(|steps| (format!("… all {steps}"), side));
        match at.step.result.as_ref().map(|result| &result.output).filter(|output| output.chars > 0) {
            Some(output) => {
                let cut = (!output.is_whole()).then(|| ("…".to_owned(), whole.clone()));
                self.excerpt("*Its answer:*", &output.head, tail.or(cut), &whole, &step);
            }
            None => {
                if let Some((text, target)) = tail {
                    let words = text.strip_prefix("… ").unwrap_or(&text);
                    let line = self.page.push_block(Row::of("… ").link(words, target));
                    self.page.anchor(line, &step, Part::Body);
                }
            }
        }
    }

    /// A heading of the third level with its anchor and its symbol.
    fn heading(&mut self, row: Row, at: &StepAt<'_>) -> u32 {
        let line = self.page.push_block(row.token(TokenKind::Heading));
        self.page.anchor(line, &step_ref(at), Part::Head);
        if let Some(symbol) = step_symbol(at, &self.source.view, line) {
            self.page.symbol(symbol);
        }
        line
    }

    /// What a step does: `Run …`, `Read …`, `Search … in …`.
    fn subject(&self, row: Row, at: &StepAt<'_>) -> Row {
        let (step, text) = (at.step, &at.step.text);
        let first_line = one_line(text.head.trim().lines().next().unwrap_or_default());
        match step.kind {
            StepKind::Command => {
                let row = row.and("Run ").and(&code_span(&cut(&first_line, SUBJECT_WIDTH)));
                match (text.lines as usize).saturating_sub(1) {
                    0 => row,
                    more => {
                        let part = of_step(&step_ref(at), |turn, steps| DocumentPart::Input { turn, steps });
                        more_lines(row.and(" "), more, &self.source.link(part, ""))
                    }
                }
            }
            StepKind::Read => {
                let path = step.files.first().map_or(&*text.head, |path| path);
                self.place(row.and("Read "), path, None, step.detail.as_deref(), &step_ref(at))
            }
            StepKind::Edit => {
                let path = step.files.first().map_or(&*text.head, |path| path);
                self.place(row.and(if is_write(step) { "Write " } else { "Edit " }), path, None, None, &step_ref(at))
            }
            StepKind::Search => {
                let row = row.and("Search ").and(&code_span(&cut(&first_line, SUBJECT_WIDTH)));
                match step.detail.as_deref() {
                    Some(folder) => row.and(" in ").and(&self.source.view.path(folder)),
                    None => row,
                }
            }
            StepKind::Agent => {
                let row = match step.detail.as_deref() {
                    Some(kind) => row.and(&format!("Agent \"{}\"", one_line(kind))),
                    None => row.and("Agent"),
                };
                row.dot(&cut(&first_line, SUBJECT_WIDTH))
            }
            StepKind::Text | StepKind::Thought | StepKind::Other => {
                let row = row.and(step.tool.as_deref().unwrap_or("Step"));
                match first_line.is_empty() {
                    true => row,
                    false => row.and(" ").and(&code_span(&cut(&first_line, SUBJECT_WIDTH))),
                }
            }
        }
    }

    /// `src/loader.rs:40` with its link; `lines` is what a read says of itself, `1-88`.
    fn place(&self, row: Row, path: &str, line: Option<u32>, lines: Option<&str>, step: &StepRef) -> Row {
        let first = lines.and_then(|lines| lines.split('-').next()).and_then(|first| first.parse().ok());
        let target = LinkTarget::Code { path: path.into(), line: line.or(first), at: step.clone() };
        row.link(&place_text(&self.source.view, path, line, lines), target)
    }

    fn outcome(&self, at: &StepAt<'_>) -> Option<String> {
        // A call of a running turn may yet have a result.
        match at.step.result {
            None if self.source.is_open(self.turn.number) => None,
            _ => outcome(at.step),
        }
    }

    fn run_time(&self, at: &StepAt<'_>) -> Option<String> {
        if at.step.kind != StepKind::Command {
            return None;
        }
        run_time(at.step.at?, at.step.result.as_ref()?.at?)
    }

    fn matches(&self, at: &StepAt<'_>) -> Option<String> {
        let matches = at.step.result.as_ref().filter(|_| at.step.kind == StepKind::Search)?.count?;
        Some(count(matches.into(), "match"))
    }

    /// The whole text of a step's own record.
    fn text_of<'t>(&mut self, at: &StepAt<'_>, text: &'t Excerpt) -> Cow<'t, str> {
        if text.is_whole() {
            return Cow::Borrowed(&text.head);
        }
        match self.source.content(at.log, at.step.place) {
            Some(content) => Cow::Owned(content.text.clone()),
            None => {
                self.log_is_gone();
                Cow::Borrowed(&text.head)
            }
        }
    }

    /// Said once in a turn.
    fn log_is_gone(&mut self) {
        if !self.said_that_log_is_gone {
            self.page.push_block(Row::of(&format!("*{}*", crate::words::log_gone(None))).token(TokenKind::Comment));
            self.said_that_log_is_gone = true;
        }
    }
}

/// Sub-agents of sub-agents, as deep as [`trace::Session::steps`] goes.
const DEEPEST: usize = 8;

pub(crate) fn step_ref(at: &StepAt<'_>) -> StepRef {
    StepRef { turn: at.turn.number, steps: at.numbers.clone() }
}

/// The change that tells of an edit of the same record.
pub(crate) fn change_of<'c>(content: &'c Content, index: usize, edit: &EditStub) -> Option<&'c Change> {
    let same = |change: &&Change| change.path == edit.path;
    content.changes.get(index).filter(same).or_else(|| content.changes.iter().find(same))
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The name of a sub-agent's document.
pub(crate) fn side_name(at: &StepAt<'_>) -> String {
    at.step.detail.as_deref().filter(|kind| !kind.is_empty()).unwrap_or("sub-agent").to_owned()
}

/// `src/loader.rs:40`
pub(crate) fn place_text(view: &View<'_>, path: &str, line: Option<u32>, lines: Option<&str>) -> String {
    let path = view.path(path);
    let path = clean(&path);
    match (line, lines) {
        (Some(line), _) => format!("{path}:{line}"),
        (None, Some(lines)) => format!("{path}:{}", clean(lines)),
        (None, None) => path.into_owned(),
    }
}

fn edit_verb(step: &Step, edit: &EditStub) -> &'static str {
    match () {
        () if edit.deleted => "Delete",
        () if edit.created || is_write(step) => "Write",
        () => "Edit",
    }
}

fn is_write(step: &Step) -> bool {
    step.tool.as_deref().is_some_and(|tool| tool.eq_ignore_ascii_case("write"))
}

/// Whether a call did not do what was asked: it failed, was refused or stopped.
pub(crate) fn stopped(step: &Step) -> bool {
    step.failed() || step.result.as_ref().is_some_and(|result| result.refused || result.interrupted)
}

/// The words for the outcome of a call. `None`: it succeeded and there is nothing to say.
pub(crate) fn outcome(step: &Step) -> Option<String> {
    let Some(result) = &step.result else { return step.call.is_some().then(|| "result not recorded".into()) };
    match () {
        () if result.refused => Some("refused by the person".into()),
        () if result.interrupted => Some("interrupted by the person".into()),
        () if let Some(status) = result.exit => Some(format!("exit {status}")),
        () if !result.error => None,
        () if step.kind == StepKind::Edit => Some("failed, nothing changed".into()),
        () => Some("failed".into()),
    }
}

/// How a step stands in an outline; `None` for steps that do not.
pub(crate) fn step_symbol(at: &StepAt<'_>, view: &View<'_>, line: u32) -> Option<Symbol> {
    let (step, edits) = (at.step, at.step.edits());
    let label = at.label();
    let make =
        |kind, name: String, detail: String| Some(Symbol { name, detail, kind, line, end: line, children: Vec::new() });
    if step.kind == StepKind::Agent {
        let kind = step.detail.as_deref().map_or_else(|| one_line(&step.text.head), one_line);
        return make(SymbolKind::Agent, format!("{label} Agent {kind}"), String::new());
    }
    match edits {
        [] if stopped(step) && matches!(step.kind, StepKind::Edit | StepKind::Command | StepKind::Other) => {
            let short = match (&step.kind, step.result.as_ref()) {
                (StepKind::Edit, Some(result)) if result.error && !result.refused => "failed".into(),
                _ => outcome(step).unwrap_or_default(),
            };
            make(SymbolKind::Failed, format!("{label} {}", plain_subject(step, view)), short)
        }
        [] => None,
        [edit] if step.kind != StepKind::Command => {
            let name = format!("{label} {} {}", edit_verb(step, edit), place_text(view, &edit.path, None, None));
            let detail = match () {
                () if edit.created => format!("+{}", thousands(edit.added.into())),
                () if edit.deleted => format!("−{}", thousands(edit.removed.into())),
                () => plus_minus(edit.added.into(), edit.removed.into()),
            };
            make(SymbolKind::Edit, name, detail)
        }
        edits => {
            let sum = |of: fn(&EditStub) -> u32| edits.iter().map(|edit| u64::from(of(edit))).sum();
            let detail = plus_minus(sum(|edit| edit.added), sum(|edit| edit.removed));
            let name = match step.kind {
                StepKind::Command => plain_subject(step, view),
                _ => format!("Edit {}", count(edits.len() as u64, "file")),
            };
            make(SymbolKind::Edit, format!("{label} {name}"), detail)
        }
    }
}

fn plain_subject(step: &Step, view: &View<'_>) -> String {
    let first_line = one_line(step.text.head.trim().lines().next().unwrap_or_default());
    match step.kind {
        StepKind::Edit => {
            let path = step.files.first().map_or(&*step.text.head, |path| path);
            let verb = if is_write(step) { "Write" } else { "Edit" };
            format!("{verb} {}", place_text(view, path, None, None))
        }
        StepKind::Command => format!("Run {}", cut(&first_line, SUBJECT_WIDTH)),
        _ => format!("{} {}", step.tool.as_deref().unwrap_or("Step"), cut(&first_line, SUBJECT_WIDTH)),
    }
}

fn note_text(turn: u32, note: &Note) -> String {
    let label = format!("{turn}.{}", note.after);
    let stop = |text: String| if text.ends_with('.') { text } else { format!("{text}.") };
    match &note.kind {
        NoteKind::Interrupted => format!("*{label} interrupted by the person.*"),
        NoteKind::Command(command) => format!("*{label} the person ran {}.*", code_span(&one_line(command))),
        NoteKind::System(text) => format!("*{label} {}*", stop(cut(&one_line(text), SUBJECT_WIDTH * 2).into_owned())),
        NoteKind::Unknown(name) => format!("*{label} Not understood: record of type \"{}\".*", one_line(name)),
        NoteKind::Compacted(compaction) => compaction_text(compaction),
    }
}

fn compaction_text(compaction: &trace::Compaction) -> String {
    let how = match compaction.automatic {
        Some(true) => ": automatic",
        Some(false) => ": by the person",
        None => "",
    };
    let at = match (compaction.tokens_before, how.is_empty()) {
        (Some(tokens), false) => format!(", at {} tokens", thousands(tokens)),
        (Some(tokens), true) => format!(" at {} tokens", thousands(tokens)),
        (None, _) => String::new(),
    };
    let summary = match compaction.summary_chars {
        Some(chars) => format!(" The agent went on from a summary of {}.", count(chars.into(), "character")),
        None => String::new(),
    };
    format!("*Context compacted{how}{at}.{summary}*")
}

fn passes(filter: &Filter, step: &Step) -> bool {
    match filter {
        Filter::Prompts => false,
        Filter::Errors => stopped(step),
        Filter::Edits => !step.edits().is_empty(),
        Filter::Tool(tool) => step.tool.as_deref().is_some_and(|name| trace::title::slug(name) == **tool),
    }
}

pub(crate) fn has_matches(filter: &Filter, turn: &Turn) -> bool {
    *filter == Filter::Prompts || turn.steps.iter().any(|step| passes(filter, step))
}

/// `… 34 more lines`
pub(crate) fn more_lines(row: Row, more: usize, link: &LinkTarget) -> Row {
    let line = if more == 1 { "line" } else { "lines" };
    row.link(&format!("… {} more {line}", thousands(more as u64)), link.clone())
}

/// A line of a body; where it is too long, with a link to the whole body at the cut.
fn cut_line(row: Row, line: &str, link: &LinkTarget) -> Row {
    match line.char_indices().nth(LINE_WIDTH) {
        None => row.and(line),
        Some((end, _)) => row.and(&line[..end]).link("…", link.clone()),
    }
}
