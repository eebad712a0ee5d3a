//! Sessions for tests, written as text.
//!
//! A line is `[TIME] WORD REST`; lines that begin with `|` go on with the text of the line above; lines that are
//! indented are the steps of the sub-agent above them. See [`RETRY`].

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use trace::*;

use crate::now::{Now, StepLife};
use crate::view::{Settings, View};
use crate::{Rendered, Source};

pub(crate) const ROOT: &str = "/home/anna/src/fetchd";

/// An hour east of UTC.
struct East;

impl Zone for East {
    fn civil(&self, at: Timestamp) -> Civil {
        let minutes = at.0.div_euclid(60_000) + 60;
        let days = minutes.div_euclid(1440);
        // Howard Hinnant's days_to_civil.
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        Civil {
            year: (yoe + era * 400 + i64::from(month <= 2)) as i16,
            month: month as u8,
            day: (doy - (153 * mp + 2) / 5 + 1) as u8,
            hour: (minutes.rem_euclid(1440) / 60) as u8,
            minute: (minutes.rem_euclid(60)) as u8,
            second: (at.0.div_euclid(1000).rem_euclid(60)) as u8,
            offset: 60,
        }
    }
}

/// A moment of the fixtures' zone: `2026-11-20 14:02[:11]`.
pub(crate) fn at(text: &str) -> Timestamp {
    let numbers: Vec<i64> = text.split(['-', ' ', ':']).map(|part| part.parse().expect("a moment")).collect();
    let [year, month, day, hour, minute] = numbers[..5] else { panic!("no moment: {text}") };
    let (y, m) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719_468;
    let seconds = numbers.get(5).copied().unwrap_or(0);
    Timestamp((((days * 24 + hour) * 60 + minute - 60) * 60 + seconds) * 1000)
}

/// Half an hour after the mock-up's session ended.
pub(crate) fn view() -> View<'static> {
    View {
        now: at("2026-11-20 15:30"),
        zone: &East,
        settings: Settings::default(),
        root: Some(ROOT),
        home: Some("/home/anna"),
        live: None,
    }
}

/// A session and its bodies in memory.
pub(crate) struct Fixture {
    pub(crate) session: Session,
    bodies: Memory,
}

#[derive(Default)]
struct Memory {
    bodies: HashMap<(LogId, Place), Arc<Content>>,
    gone: bool,
    read: Cell<usize>,
}

impl Bodies for Memory {
    fn body(&self, log: LogId, place: Place) -> Body {
        self.read.set(self.read.get() + 1);
        match self.bodies.get(&(log, place)) {
            Some(content) if !self.gone => Body::Here(content.clone()),
            _ => Body::Gone,
        }
    }
}

/// What became of steps, by their labels.
#[derive(Default)]
pub(crate) struct Known(pub(crate) HashMap<String, StepLife>);

impl Now for Known {
    fn step(&self, _: &str, turn: u32, steps: &[u32]) -> Option<StepLife> {
        self.0.get(&steps.iter().fold(turn.to_string(), |label, step| format!("{label}.{step}"))).cloned()
    }
}

impl Fixture {
    pub(crate) fn of(text: &str) -> Fixture {
        let mut builder = Builder::default();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let mut body: Vec<&str> = Vec::new();
            while let Some(more) = lines.peek().and_then(|next| next.trim_start().strip_prefix('|')) {
                body.push(more.strip_prefix(' ').unwrap_or(more));
                lines.next();
            }
            if !line.trim().is_empty() {
                builder.line(line, &body.join("\n"));
            }
        }
        builder.finish()
    }

    /// The fixture's first records: what the log held at an earlier time.
    pub(crate) fn prefix(text: &str, records: usize) -> Fixture {
        let mut seen = 0;
        let is_record = |line: &str| line.trim_start().starts_with(|c: char| c.is_ascii_digit());
        let lines = text.lines().take_while(|line| {
            seen += usize::from(is_record(line));
            seen <= records
        });
        Fixture::of(&lines.map(|line| format!("{line}\n")).collect::<String>())
    }

    pub(crate) fn source(&self) -> Source<'_> {
        Source { session: &self.session, bodies: &self.bodies, view: view() }
    }

    pub(crate) fn without_bodies(mut self) -> Fixture {
        self.bodies.gone = true;
        self
    }

    /// How many bodies were read.
    pub(crate) fn read(&self) -> usize {
        self.bodies.read.get()
    }
}

#[derive(Default)]
struct Builder {
    path: Option<DerivedPath>,
    sides: Vec<DerivedPath>,
    bodies: HashMap<(LogId, Place), Arc<Content>>,
    inherited: Option<(u32, Arc<str>)>,
    places: u64,
    strong: String,
}

impl Builder {
    fn line(&mut self, line: &str, body: &str) {
        let is_side = line.starts_with("  ");
        let (first, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        match first.starts_with(|c: char| c.is_ascii_digit()) {
            false => self.fact(first, rest),
            true => {
                let date = if first.contains(' ') { String::new() } else { "2026-11-20 ".to_owned() };
                let moment = at(&format!("{date}{first}"));
                let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
                self.record(is_side, moment, word, rest, body);
            }
        }
    }

    fn path(&mut self) -> &mut DerivedPath {
        self.path.get_or_insert_with(|| path(LogId(0), None))
    }

    /// What is not a record by itself.
    fn fact(&mut self, word: &str, rest: &str) {
        let text: Option<Arc<str>> = Some(rest.into());
        match word {
            "session" => self.path().session = rest.into(),
            "version" => self.path().version = text,
            "model" => self.path().model = text,
            "branch" => self.path().branch = text,
            "cwd" => self.path().cwd = text,
            "title" => self.path().titles.custom = Some(rest.into()),
            "abandoned" => self.turn(|turn| turn.abandoned = Some(at(&format!("2026-11-20 {rest}")))),
            "images" => self.turn(|turn| {
                if let Some(prompt) = &mut turn.prompt {
                    prompt.images = rest.parse().expect("a number");
                }
            }),
            "inherited" => {
                let (turns, session) = rest.split_once(' ').expect("turns and a session");
                self.inherited = Some((turns.parse().expect("a number"), session.into()));
            }
            _ => panic!("no such word: {word}"),
        }
    }

    fn turn(&mut self, change: impl FnOnce(&mut Turn)) {
        change(self.path().turns.last_mut().expect("a turn"));
    }

    fn place(&mut self, log: LogId, content: Content) -> Place {
        self.places += 1;
        let place = Place { at: self.places, len: 1, part: 0, check: 0 };
        self.bodies.insert((log, place), Arc::new(content));
        place
    }

    fn record(&mut self, is_side: bool, moment: Timestamp, word: &str, rest: &str, body: &str) {
        let log = if is_side { self.sides.last().expect("an agent above").log } else { LogId(0) };
        let path = self.path();
        path.started.get_or_insert(moment);
        path.ended = path.ended.max(Some(moment));
        if word == "turn" || word == "slash" {
            return self.begin(moment, word, &join(rest, body));
        }
        if is_side {
            let side = self.sides.last_mut().expect("an agent above");
            side.started.get_or_insert(moment);
            side.ended = Some(moment);
        }
        self.turn(|turn| turn.ended = Some(moment));
        if word == "tokens" {
            let numbers: Vec<u64> = rest.split(' ').map(|n| n.parse().expect("a number")).collect();
            let tokens = Tokens {
                input: numbers[0],
                cache_write: numbers.get(1).copied().unwrap_or(0),
                cache_read: numbers.get(2).copied().unwrap_or(0),
                output: numbers.get(3).copied().unwrap_or(0),
                cache_write_hour: 0,
            };
            let response = Response { id: None, model: Some("claude-opus-4-5".into()), tokens };
            match self.sides.last_mut().filter(|_| is_side) {
                Some(side) => side.turns.last_mut().expect("its turn").responses.push(response),
                None => self.turn(|turn| turn.responses.push(response)),
            }
            return;
        }
        if let Some(kind) = note(word, rest) {
            let place = self.place(log, Content::default());
            if word == "interrupted" {
                self.turn(|turn| turn.interrupted = true);
            }
            return self.turn(|turn| {
                let after = turn.steps.len() as u32;
                turn.notes.push(Note { after, at: Some(moment), place, kind });
            });
        }
        let mut step = self.step(log, moment, word, rest, body);
        let path = match self.sides.last_mut().filter(|_| is_side) {
            Some(side) => side,
            None => self.path.as_mut().expect("a session"),
        };
        let (call, side) = (&step.call, step.result.as_ref().and_then(|result| result.side.clone()));
        if let (Some(call), true) = (call, side.is_some()) {
            path.callers.push(Caller { call: call.clone(), side, task: None });
        }
        let steps = &mut path.turns.last_mut().expect("a turn").steps;
        step.number = steps.len() as u32 + 1;
        steps.push(step);
    }

    fn begin(&mut self, moment: Timestamp, word: &str, text: &str) {
        let place = self.place(LogId(0), Content { text: text.into(), ..Content::default() });
        let own = title::of_prompt(text, 0);
        let title = match title::is_weak(text) && !self.strong.is_empty() && word == "turn" {
            true => title::after(&self.strong, &own),
            false => {
                self.strong = own.clone();
                own
            }
        };
        let prompt = (word == "turn").then(|| Prompt {
            text: Excerpt::with_limit(text, Prompt::LIMIT),
            source: PromptSource::Typed,
            images: 0,
        });
        let command = (word == "slash").then(|| text.into());
        let path = self.path();
        let number = path.turns.len() as u32 + 1;
        path.turns.push(Arc::new(Turn {
            number,
            record: None,
            place: Some(place),
            prompt,
            command,
            title: title.into(),
            started: Some(moment),
            ended: Some(moment),
            model: None,
            branch: None,
            cwd: None,
            steps: Default::default(),
            notes: Default::default(),
            responses: Default::default(),
            interrupted: false,
            abandoned: None,
        }));
    }

    fn step(&mut self, log: LogId, moment: Timestamp, word: &str, rest: &str, body: &str) -> Step {
        let text = join(rest, body);
        match word {
            "text" | "thought" => {
                let kind = if word == "text" { StepKind::Text } else { StepKind::Thought };
                let place = self.place(log, Content { text: text.clone(), ..Content::default() });
                step(kind, moment, place, &text)
            }
            "read" => {
                let (path, lines) = rest.split_once(' ').unwrap_or((rest, ""));
                let mut step = self.call(log, moment, StepKind::Read, "Read", path, "");
                step.files = vec![absolute(path).into()];
                step.detail = (!lines.is_empty()).then(|| lines.into());
                self.result(log, &mut step, moment, 0, Content { text: body.into(), ..Content::default() });
                step
            }
            "search" => {
                let (what, matches) = rest.rsplit_once(" = ").expect("a number of matches");
                let (pattern, folder) = what.split_once(" in ").unwrap_or((what, ""));
                let mut step = self.call(log, moment, StepKind::Search, "Grep", pattern, "");
                step.detail = (!folder.is_empty()).then(|| folder.into());
                self.result(log, &mut step, moment, 0, Content::default());
                step.result.as_mut().expect("a result").count = Some(matches.parse().expect("a number"));
                step
            }
            "run" => self.run(log, moment, rest, body),
            "edit" | "write" | "new" | "delete" => self.edit(log, moment, word, rest, body),
            "edit-failed" | "refused" => {
                let mut step = self.call(log, moment, StepKind::Edit, "Edit", &absolute(rest), "");
                step.files = vec![absolute(rest).into()];
                self.result(log, &mut step, moment, 0, Content { text: body.into(), ..Content::default() });
                let result = step.result.as_mut().expect("a result");
                (result.error, result.refused) = (true, word == "refused");
                step
            }
            "calls" => {
                let (tool, subject) = rest.split_once(' ').unwrap_or((rest, ""));
                self.call(log, moment, StepKind::Other, tool, subject, subject)
            }
            "agent" => self.agent(log, moment, rest, body),
            _ => panic!("no such word: {word}"),
        }
    }

    /// `[TENTHS] [exit N|no-status|running] [commit HASH FILES] COMMAND`
    fn run(&mut self, log: LogId, moment: Timestamp, rest: &str, output: &str) -> Step {
        let (tenths, rest) = rest.split_once(' ').expect("tenths of a second");
        let (status, rest) = rest.split_once(' ').expect("a status");
        let (commit, command) = match rest.strip_prefix("commit ") {
            Some(rest) => {
                let (hash, rest) = rest.split_once(' ').expect("a hash");
                let (files, rest) = rest.split_once(' ').expect("a number of files");
                (Some((hash, files)), rest)
            }
            None => (None, rest),
        };
        let command = command.replace("\\n", "\n");
        let mut step = self.call(log, moment, StepKind::Command, "Bash", &command, &command);
        if status == "running" {
            return step;
        }
        let tenths = tenths.parse().expect("a number");
        self.result(log, &mut step, moment, tenths, Content { text: output.into(), ..Content::default() });
        let result = step.result.as_mut().expect("a result");
        result.exit = status.parse().ok();
        result.error = result.exit.is_some_and(|status| status != 0);
        if let Some((hash, files)) = commit {
            (result.commit, result.count) = (Some(hash.into()), files.parse().ok());
        }
        step
    }

    /// `edit PATH[ PATH]…` with hunks, where a line `PATH` in the body begins the next file's; `new PATH` and
    /// `write PATH` with the text.
    fn edit(&mut self, log: LogId, moment: Timestamp, word: &str, path: &str, body: &str) -> Step {
        let tool = if matches!(word, "write" | "new") { "Write" } else { "Edit" };
        let path = absolute(path);
        let mut step = self.call(log, moment, StepKind::Edit, tool, &path, "");
        step.files = vec![path.as_str().into()];
        let changes = match word {
            "new" => vec![change(&path, None, Some(&format!("{body}\n")), true, false)],
            "delete" => vec![change(&path, Some(&format!("{body}\n")), None, false, true)],
            _ => hunks_of_files(&path, body),
        };
        let edits = changes.iter().map(stub).collect();
        self.result(log, &mut step, moment, 0, Content { changes, ..Content::default() });
        step.result.as_mut().expect("a result").edits = edits;
        step
    }

    /// `KIND SECONDS DESCRIPTION`, the body is its answer.
    fn agent(&mut self, log: LogId, moment: Timestamp, rest: &str, answer: &str) -> Step {
        let (kind, rest) = rest.split_once(' ').expect("a kind");
        let (seconds, description) = rest.split_once(' ').expect("seconds");
        let mut step = self.call(log, moment, StepKind::Agent, "Task", description, "");
        step.detail = Some(kind.into());
        let tenths = seconds.parse::<i64>().expect("a number") * 10;
        let side: Arc<str> = format!("side-{}", self.sides.len() + 1).into();
        self.result(log, &mut step, moment, tenths, Content { text: answer.into(), ..Content::default() });
        step.result.as_mut().expect("a result").side = Some(side.clone());
        let owner = Owner { session: "9f3c1a2b".into(), side };
        let mut own = path(LogId(self.sides.len() as u32 + 1), Some(owner));
        own.turns.push(Arc::new(Turn {
            number: 1,
            record: None,
            place: None,
            prompt: Some(Prompt { text: Excerpt::of(description), source: PromptSource::Task, images: 0 }),
            command: None,
            title: description.into(),
            started: Some(moment),
            ended: None,
            model: None,
            branch: None,
            cwd: None,
            steps: Default::default(),
            notes: Default::default(),
            responses: Default::default(),
            interrupted: false,
            abandoned: None,
        }));
        self.sides.push(own);
        step
    }

    fn call(&mut self, log: LogId, at: Timestamp, kind: StepKind, tool: &str, subject: &str, input: &str) -> Step {
        let record = format!("{{\n  \"tool\": \"{tool}\"\n}}");
        let place = self.place(log, Content { input: input.into(), record, ..Content::default() });
        let mut step = step(kind, at, place, subject);
        step.call = Some(format!("call-{}", self.places).into());
        step.tool = Some(tool.into());
        step
    }

    fn result(&mut self, log: LogId, step: &mut Step, at: Timestamp, tenths: i64, content: Content) {
        let output = Excerpt::of(&content.text);
        let content = Content { record: "{\n  \"result\": true\n}".into(), ..content };
        let place = self.place(log, content);
        step.result = Some(Box::new(StepResult {
            place,
            at: Some(Timestamp(at.0 + tenths * 100)),
            order: self.places as u32,
            error: false,
            refused: false,
            interrupted: false,
            exit: None,
            output,
            edits: Vec::new(),
            whole_read: None,
            side: None,
            commit: None,
            count: None,
        }));
    }

    fn finish(mut self) -> Fixture {
        let path = self.path.take().unwrap_or_else(|| path(LogId(0), None));
        let sides: Vec<Arc<DerivedPath>> = self.sides.into_iter().map(Arc::new).collect();
        let mut session = Session::join(Arc::new(path), &sides);
        session.inherited = self.inherited;
        Fixture { session, bodies: Memory { bodies: self.bodies, ..Memory::default() } }
    }
}

fn join(rest: &str, body: &str) -> String {
    match (rest.is_empty(), body.is_empty()) {
        (false, false) => format!("{rest}\n{body}"),
        (true, _) => body.to_owned(),
        (_, true) => rest.to_owned(),
    }
}

fn absolute(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("{ROOT}/{path}") }
}

fn step(kind: StepKind, at: Timestamp, place: Place, text: &str) -> Step {
    Step {
        number: 0,
        kind,
        at: Some(at),
        place,
        record: None,
        text: Excerpt::of(text),
        call: None,
        tool: None,
        detail: None,
        task: None,
        files: Vec::new(),
        touches: None,
        result: None,
    }
}

fn note(word: &str, rest: &str) -> Option<NoteKind> {
    Some(match word {
        "compacted" => {
            let mut words = rest.split(' ');
            NoteKind::Compacted(Compaction {
                automatic: words.next().map(|how| how == "automatic"),
                tokens_before: words.next().and_then(|n| n.parse().ok()),
                summary_chars: words.next().and_then(|n| n.parse().ok()),
            })
        }
        "system" => NoteKind::System(rest.into()),
        "unknown" => NoteKind::Unknown(rest.into()),
        "command" => NoteKind::Command(rest.into()),
        "interrupted" => NoteKind::Interrupted,
        _ => return None,
    })
}

fn change(path: &str, before: Option<&str>, after: Option<&str>, created: bool, deleted: bool) -> Change {
    Change {
        path: path.into(),
        before: before.map(Into::into),
        after: after.map(Into::into),
        replacements: Vec::new(),
        hunks: Vec::new(),
        created,
        deleted,
        user_modified: false,
        moved_to: None,
    }
}

/// Hunks as in a unified diff; a line that begins with none of `@ +-` names the next file. A body that has
/// `--- before` and `--- after` holds whole texts instead.
fn hunks_of_files(path: &str, body: &str) -> Vec<Change> {
    if let Some((before, after)) = body.strip_prefix("--- before\n").and_then(|body| body.split_once("--- after\n")) {
        return vec![change(path, Some(before), Some(&format!("{after}\n")), false, false)];
    }
    let mut changes = vec![change(path, None, None, false, false)];
    for line in body.lines() {
        let last = changes.last_mut().expect("a change");
        if let Some(header) = line.strip_prefix("@@ -") {
            let starts: Vec<u32> = header
                .split(" +")
                .map(|side| side.split([',', ' ']).next().unwrap_or("").parse().expect("a line"))
                .collect();
            last.hunks.push(Hunk { old_start: starts[0], new_start: starts[1], lines: Vec::new() });
        } else if line.is_empty() || line.starts_with([' ', '-', '+', '\\']) {
            let line = if line.is_empty() { " " } else { line };
            last.hunks.last_mut().expect("a hunk").lines.push(line.into());
        } else {
            changes.push(change(&absolute(line), None, None, false, false));
        }
    }
    changes
}

fn stub(change: &Change) -> EditStub {
    let hunks = crate::hunks_of(change);
    let lines = || hunks.iter().flat_map(crate::diff::numbered);
    let count = |sign| lines().filter(|line| line.sign == sign).count() as u32;
    let first = lines().find(|line| line.sign != crate::Sign::Context).map_or(0, |line| line.new);
    EditStub {
        path: change.path.clone(),
        added: count(crate::Sign::Added),
        removed: count(crate::Sign::Removed),
        line: first,
        created: change.created,
        deleted: change.deleted,
        moved_to: change.moved_to.clone(),
    }
}

fn path(log: LogId, owner: Option<Owner>) -> DerivedPath {
    DerivedPath {
        log,
        agent: Agent::ClaudeCode,
        session: "9f3c1a2b-7d14-4c0e-9a52-6b1f0e8d3c77".into(),
        owner,
        forked_from: None,
        cwd: Some(ROOT.into()),
        cwds: vec![ROOT.into()],
        branch: None,
        start_commit: None,
        version: None,
        model: None,
        entrypoint: None,
        started: None,
        ended: None,
        titles: Titles::default(),
        turns: Turns::default(),
        sides: Vec::new(),
        side_calls: Vec::new(),
        callers: Vec::new(),
        backups: Default::default(),
        changed_outside: Vec::new(),
        records: Default::default(),
        open: false,
        tally: Tally::default(),
    }
}

/// The text with its lens rows above their lines.
pub(crate) fn with_lenses(fixture: &Fixture, rendered: &Rendered, now: &dyn Now) -> String {
    let mut shown = String::new();
    let mut lenses = rendered.lenses.iter().peekable();
    for (number, line) in (0..).zip(rendered.text.lines()) {
        let mut row: Vec<String> = Vec::new();
        while let Some(lens) = lenses.next_if(|lens| lens.line == number) {
            row.extend(lens.title(&fixture.session, &view(), now));
        }
        if !row.is_empty() {
            shown.push_str(&format!("⟦ {} ⟧\n", row.join(" | ")));
        }
        shown.push_str(line);
        shown.push('\n');
    }
    shown
}

/// The session of the mock-up.
pub(crate) const RETRY: &str = include_str!("fixture/retry.txt");
