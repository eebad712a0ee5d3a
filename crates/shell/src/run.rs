//! Walks through a parsed command line as a shell would, and notes what each command does to files.

use std::collections::HashMap;
use std::rc::Rc;

use trace::Target;

use crate::act::{Act, Effect, Effects, Sure};
use crate::brace::{self, Bit};
use crate::field::{Field, Folder, Piece};
use crate::syntax::{
    Assign, Chain, Command, DEPTH, Dest, Join, List, Part, Pipeline, Redirect, Script, Stage, Word, parse,
};

/// What is assumed of `cd`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cd {
    Works,
    Fails,
}

pub(crate) fn run(command: &str, cd: Cd) -> Effects {
    let mut run = Run {
        acts: Vec::new(),
        unchecked_cd: false,
        scope: Scope {
            folder: Folder::Known(String::new()),
            before: Folder::Unknown,
            variables: Rc::default(),
            functions: Rc::default(),
            doubtful: false,
            stops_on_error: false,
            checks_pipes: false,
            cd_unchecked: false,
            moves: 0,
        },
        sure: Sure::Done,
        // Work is bounded by the length of the text, whatever loops and functions make of it.
        fuel: 20_000 + command.len().saturating_mul(8),
        depth: 0,
        conditions: 0,
        split: None,
        cd,
    };
    run.text(command, Output::Unknown);
    if run.fuel == 0 {
        run.acts.push(Effect { act: not_understood(), sure: Sure::Maybe });
    }
    Effects { acts: run.acts, unchecked_cd: run.unchecked_cd }
}

fn not_understood() -> Act {
    Act::Program { name: String::new(), names: Vec::new() }
}

pub(crate) struct Run {
    acts: Vec<Effect>,
    unchecked_cd: bool,
    pub(crate) scope: Scope,
    sure: Sure,
    fuel: usize,
    depth: u32,
    /// How many commands around this one only ask for its status: `set -e` does nothing there.
    conditions: u32,
    /// A variable's text that bash splits into several arguments and zsh does not.
    split: Option<String>,
    cd: Cd,
}

/// What a subshell takes over and does not give back.
#[derive(Clone)]
pub(crate) struct Scope {
    pub(crate) folder: Folder,
    /// The folder before the last `cd`.
    pub(crate) before: Folder,
    variables: Rc<HashMap<String, Field>>,
    functions: Rc<HashMap<String, Function>>,
    /// An `exit` or the like was passed: what follows may not be reached.
    pub(crate) doubtful: bool,
    /// `set -e`, `set -o pipefail`
    pub(crate) stops_on_error: bool,
    pub(crate) checks_pipes: bool,
    /// See [`Effects::unchecked_cd`].
    cd_unchecked: bool,
    /// How often the folder was changed.
    moves: u32,
}

#[derive(Clone)]
struct Function {
    body: Rc<Stage>,
    documents: Rc<Vec<Word>>,
}

/// What goes to the next command of a pipeline, or into a file.
#[derive(Clone, Debug)]
pub(crate) enum Output {
    Text(String),
    /// Names of files, one in a line.
    Paths(Vec<Field>),
    Unknown,
}

impl Output {
    pub(crate) fn nothing() -> Output {
        Output::Text(String::new())
    }

    fn and(self, next: Output) -> Output {
        match (self, next) {
            (Output::Text(before), Output::Text(after)) if before.is_empty() => Output::Text(after),
            (Output::Text(mut before), Output::Text(after)) => {
                before.push_str(&after);
                Output::Text(before)
            }
            (Output::Text(empty), other) | (other, Output::Text(empty)) if empty.is_empty() => other,
            _ => Output::Unknown,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Output::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// What stands around the commands of a script.
#[derive(Clone, Copy)]
struct Around<'s> {
    documents: &'s Rc<Vec<Word>>,
    input: &'s Output,
}

impl Run {
    // ---- what programs.rs and git.rs use

    pub(crate) fn act(&mut self, act: Act) {
        let sure = if self.scope.doubtful { Sure::Maybe } else { self.sure };
        self.unchecked_cd |= self.scope.cd_unchecked;
        self.acts.push(Effect { act, sure });
    }

    /// Something that may have written any file.
    pub(crate) fn program(&mut self, name: &str, args: &[Field]) -> Output {
        const MOST: usize = 64;
        let names = args.iter().filter(|arg| arg.looks_like_path()).take(MOST);
        let names = names.map(|arg| arg.target(&self.scope.folder)).collect();
        self.act(Act::Program { name: name.to_owned(), names });
        Output::Unknown
    }

    pub(crate) fn target(&self, field: &Field) -> Target {
        field.target(&self.scope.folder)
    }

    pub(crate) fn targets<'f>(&self, fields: impl IntoIterator<Item = &'f Field>) -> Vec<Target> {
        fields.into_iter().map(|field| self.target(field)).collect()
    }

    pub(crate) fn change_folder(&mut self, to: Folder) {
        if self.cd == Cd::Fails {
            return;
        }
        self.scope.before = std::mem::replace(&mut self.scope.folder, to);
        self.scope.moves += 1;
    }

    pub(crate) fn assign(&mut self, name: &str, value: Field) {
        let value = if self.sure == Sure::Maybe { Field::any() } else { value };
        self.copies(Rc::strong_count(&self.scope.variables), self.scope.variables.len());
        Rc::make_mut(&mut self.scope.variables).insert(name.to_owned(), value);
    }

    /// From here on nothing is known of any variable.
    pub(crate) fn forget_variables(&mut self) {
        self.scope.variables = Rc::default();
    }

    /// Whether a variable is set that makes tests rewrite what they expect (`export UPDATE_EXPECT=1`).
    pub(crate) fn asks_for_more(&self) -> bool {
        const WORDS: [&str; 7] = ["UPDATE", "BLESS", "OVERWRITE", "REGEN", "RECORD", "GOLDEN", "SNAPSHOT"];
        self.scope.variables.keys().any(|name| WORDS.iter().any(|word| name.contains(word)))
    }

    fn copies(&mut self, owners: usize, len: usize) {
        if owners > 1 {
            self.burn(len);
        }
    }

    /// Too deep: nothing more is looked at, and anything may have been done.
    fn give_up(&mut self) -> Output {
        self.fuel = 0;
        Output::Unknown
    }

    fn is_exhausted(&self) -> bool {
        self.fuel == 0
    }

    fn burn(&mut self, amount: usize) {
        self.fuel = self.fuel.saturating_sub(amount);
    }

    /// Runs a text as a script of its own in this shell.
    pub(crate) fn text(&mut self, text: &str, input: Output) -> Output {
        if self.depth >= DEPTH {
            return self.give_up();
        }
        self.burn(text.len());
        let script = parse(text, self.depth);
        self.depth += 1;
        let output = self.script(&script, &input);
        self.depth -= 1;
        output
    }

    /// Runs something of which the shell itself learns nothing: not where it went nor what it assigned.
    pub(crate) fn subshell<T>(&mut self, run: impl FnOnce(&mut Run) -> T) -> T {
        let (scope, sure) = (self.scope.clone(), self.sure);
        let result = run(self);
        (self.scope, self.sure) = (scope, sure);
        result
    }

    /// The same in a process of its own, which sees no variables that are not exported.
    pub(crate) fn child(&mut self, text: &str, input: Output) -> Output {
        self.subshell(|run| {
            run.forget_variables();
            run.scope.functions = Rc::default();
            (run.scope.stops_on_error, run.scope.checks_pipes) = (false, false);
            run.text(text, input)
        })
    }

    /// Runs what is a condition, where that is so: `set -e` does nothing in it.
    fn asked<T>(&mut self, is_condition: bool, run: impl FnOnce(&mut Run) -> T) -> T {
        self.conditions += u32::from(is_condition);
        let result = run(self);
        self.conditions -= u32::from(is_condition);
        result
    }

    /// Runs what may not be reached.
    fn maybe(&mut self, run: impl FnOnce(&mut Run)) {
        let (sure, moves) = (std::mem::replace(&mut self.sure, Sure::Maybe), self.scope.moves);
        run(self);
        self.sure = sure;
        if self.scope.moves != moves {
            self.scope.folder = Folder::Unknown;
        }
    }

    // ---- lists

    fn script(&mut self, script: &Script, input: &Output) -> Output {
        let output = self.list(&script.list, Around { documents: &script.documents, input });
        if !script.unclear {
            return output;
        }
        self.act(not_understood());
        Output::Unknown
    }

    fn list(&mut self, list: &List, around: Around<'_>) -> Output {
        let sure = self.sure;
        let mut output = Output::nothing();
        for (n, chain) in list.items.iter().enumerate() {
            if self.is_exhausted() {
                return Output::Unknown;
            }
            let is_last = n + 1 == list.items.len();
            let stops = self.scope.stops_on_error && self.conditions == 0;
            let is_checked = is_last || (stops && chain.rest.is_empty() && !chain.first.negated);
            self.sure = if is_checked { sure } else { sure.min(Sure::Tried) };
            let moves = self.scope.moves;
            output = output.and(self.chain(chain, around));
            if self.scope.moves != moves && !is_checked && !leaves_on_failure(chain) {
                self.scope.cd_unchecked = true;
            }
        }
        self.sure = sure;
        output
    }

    fn chain(&mut self, chain: &Chain, around: Around<'_>) -> Output {
        if chain.background {
            let run = |run: &mut Run| run.maybe(|run| drop(run.chain_in_order(chain, around)));
            self.subshell(run);
            return Output::Unknown;
        }
        self.chain_in_order(chain, around)
    }

    fn chain_in_order(&mut self, chain: &Chain, around: Around<'_>) -> Output {
        let (sure, moves) = (self.sure, self.scope.moves);
        let leaves = leaves_on_failure(chain);
        let rest = if leaves { &chain.rest[..chain.rest.len() - 1] } else { &chain.rest[..] };
        let is_and = rest.iter().all(|(join, _)| *join == Join::And);
        let all_succeed = is_and && (sure == Sure::Done || leaves);
        let mut level = if rest.is_empty() || all_succeed { sure } else { sure.min(Sure::Tried) };
        self.sure = level;
        let count = rest.len();
        let mut output = self.asked(count > 0, |run| run.pipeline(&chain.first, around));
        let mut is_solid = hardly_fails(&chain.first);
        let mut moved_maybe = false;
        for (n, (join, pipeline)) in rest.iter().enumerate() {
            level = match join {
                Join::And if all_succeed || is_solid => level,
                _ => Sure::Maybe,
            };
            if *join == Join::Or && self.scope.moves != moves {
                self.scope.cd_unchecked = true;
            }
            is_solid &= *join == Join::And && hardly_fails(pipeline);
            let before = self.scope.moves;
            self.sure = level;
            output = match self.asked(n + 1 < count, |run| run.pipeline(pipeline, around)) {
                next if level > Sure::Maybe => output.and(next),
                _ => Output::Unknown,
            };
            moved_maybe |= level == Sure::Maybe && self.scope.moves != before && sure != Sure::Maybe;
        }
        self.sure = sure;
        if moved_maybe {
            self.scope.folder = Folder::Unknown;
        }
        output
    }

    fn pipeline(&mut self, pipeline: &Pipeline, around: Around<'_>) -> Output {
        let sure = self.sure;
        if pipeline.negated {
            self.sure = sure.min(Sure::Tried);
        }
        let moves = self.scope.moves;
        let output = match &*pipeline.stages {
            [stage] => self.asked(pipeline.negated, |run| run.stage(stage, around)),
            stages => {
                let last = self.sure;
                let others = if self.scope.checks_pipes { last } else { last.min(Sure::Tried) };
                let mut flow = around.input.clone();
                for (n, stage) in stages.iter().enumerate() {
                    self.sure = if n + 1 == stages.len() { last } else { others };
                    let around = Around { input: &flow, ..around };
                    let output = self.subshell(|run| run.stage(stage, around));
                    flow = if stage.merged && output.text().is_none_or(|text| !text.is_empty()) {
                        Output::Unknown
                    } else {
                        output
                    };
                }
                flow
            }
        };
        // What follows may be what is done where `cd` failed.
        self.scope.cd_unchecked |= pipeline.negated && self.scope.moves != moves;
        self.sure = sure;
        output
    }

    // ---- commands

    fn stage(&mut self, stage: &Stage, around: Around<'_>) -> Output {
        self.burn(1);
        if self.depth >= DEPTH || self.is_exhausted() {
            return self.give_up();
        }
        self.depth += 1;
        let plan = self.plan(&stage.redirects, around);
        let input = plan.input.clone();
        let inside = Around { input: input.as_ref().unwrap_or(around.input), ..around };
        let output = self.command(&stage.command, inside);
        let output = self.redirected(plan, output);
        self.depth -= 1;
        output
    }

    fn command(&mut self, command: &Command, around: Around<'_>) -> Output {
        match command {
            Command::Simple { assigns, words } => self.simple(assigns, words, around),
            Command::Subshell(list) => self.subshell(|run| run.list(list, around)),
            Command::Group(list) => self.list(list, around),
            Command::If { arms, otherwise } => {
                for (n, (condition, body)) in arms.iter().enumerate() {
                    let is_run = n == 0;
                    if is_run {
                        let sure = self.sure;
                        self.sure = sure.min(Sure::Tried);
                        self.condition(condition, around);
                        self.sure = sure;
                    } else {
                        self.maybe(|run| run.condition(condition, around));
                    }
                    self.branch(body, around);
                }
                otherwise.iter().for_each(|body| self.branch(body, around));
                Output::Unknown
            }
            Command::While { condition, body } => {
                self.forget_changes(&[condition, body]);
                self.maybe(|run| {
                    run.condition(condition, Around { input: &Output::Unknown, ..around });
                    run.list(body, Around { input: &Output::Unknown, ..around });
                });
                Output::Unknown
            }
            Command::For { name, words, body } => self.for_each(name, words.as_deref(), body, around),
            Command::Case { word, bodies } => {
                self.word(word, around);
                bodies.iter().for_each(|body| self.branch(body, around));
                Output::Unknown
            }
            Command::Function { name, body } => {
                let function = Function { body: body.clone(), documents: around.documents.clone() };
                self.copies(Rc::strong_count(&self.scope.functions), self.scope.functions.len());
                Rc::make_mut(&mut self.scope.functions).insert(name.clone(), function);
                Output::nothing()
            }
            Command::Test(words) => {
                words.iter().for_each(|word| drop(self.word(word, around)));
                Output::nothing()
            }
            Command::Arithmetic => {
                self.forget_variables();
                Output::nothing()
            }
        }
    }

    fn condition(&mut self, condition: &List, around: Around<'_>) {
        let moves = self.scope.moves;
        self.asked(true, |run| run.list(condition, around));
        // The body may be what is done where `cd` failed.
        self.scope.cd_unchecked |= self.scope.moves != moves;
    }

    fn branch(&mut self, body: &List, around: Around<'_>) {
        let folder = self.scope.folder.clone();
        let moves = self.scope.moves;
        self.maybe(|run| drop(run.list(body, around)));
        // The other branches begin where this one began; behind all of them nobody knows.
        if self.scope.moves != moves && folder != self.scope.folder {
            self.scope.folder = Folder::Unknown;
        }
    }

    fn for_each(&mut self, name: &str, words: Option<&[Word]>, body: &List, around: Around<'_>) -> Output {
        const MOST: usize = 64;
        let fields: Vec<Field> = match words {
            Some(words) => words.iter().flat_map(|word| self.fields(word, around)).collect(),
            None => vec![Field::loose()],
        };
        let doubtful = self.scope.doubtful;
        let is_open = fields.len() > MOST || fields.iter().any(|field| field.loose);
        let output = if is_open || fields.iter().any(|field| field.literal().is_none()) {
            self.forget_changes(&[body]);
            let values = if is_open { vec![Field::any()] } else { fields };
            for value in values {
                let sure = std::mem::replace(&mut self.sure, Sure::Done);
                self.assign(name, value);
                self.sure = sure;
                self.maybe(|run| drop(run.list(body, around)));
            }
            Output::Unknown
        } else {
            let sure = self.sure;
            let mut output = Output::nothing();
            for (n, field) in fields.iter().enumerate() {
                if self.is_exhausted() {
                    break;
                }
                self.sure = if n + 1 == fields.len() { sure } else { sure.min(Sure::Tried) };
                self.assign(name, field.clone());
                let moves = self.scope.moves;
                output = output.and(self.list(body, around));
                self.scope.cd_unchecked |= self.scope.moves != moves;
            }
            self.sure = sure;
            output
        };
        // A `break` ends here; whether an `exit` was meant is not told apart.
        self.scope.doubtful = doubtful || (self.scope.doubtful && has_exit(body));
        output
    }

    /// Before what may run any number of times: what it assigns is not known in any round.
    fn forget_changes(&mut self, lists: &[&List]) {
        let mut names = Names::default();
        lists.iter().for_each(|list| names.of_list(list));
        // What a function does is not looked at.
        let calls = !self.scope.functions.is_empty();
        if names.any || calls {
            self.forget_variables();
        } else if !names.assigned.is_empty() {
            self.copies(Rc::strong_count(&self.scope.variables), self.scope.variables.len());
            let variables = Rc::make_mut(&mut self.scope.variables);
            names.assigned.iter().for_each(|name| drop(variables.remove(name)));
        }
        if names.moves || calls {
            self.scope.folder = Folder::Unknown;
        }
    }

    fn simple(&mut self, assigns: &[Assign], words: &[Word], around: Around<'_>) -> Output {
        let mut values = Vec::new();
        for assign in assigns {
            let value = match &assign.value {
                Some(word) => self.word(word, around),
                None => {
                    assign.inner.iter().for_each(|word| drop(self.word(word, around)));
                    Field::loose()
                }
            };
            values.push((assign.name.as_str(), value));
        }
        if words.is_empty() {
            values.into_iter().for_each(|(name, value)| self.assign(name, value));
            return Output::nothing();
        }
        self.split = None;
        let acts = self.acts.len();
        let fields: Vec<Field> = words.iter().flat_map(|word| self.fields(word, around)).collect();
        let split = self.split.take();
        let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
        let output = self.call(&fields, &names, around.input);
        // zsh does not split a variable's text: it would have named another file.
        if let Some(text) = split
            && self.acts.len() > acts
        {
            let name = fields.first().and_then(Field::literal).unwrap_or_default().to_owned();
            self.program(&name, &[Field::text(text)]);
        }
        output
    }

    /// Runs a program, a builtin or a function with its arguments.
    pub(crate) fn call(&mut self, fields: &[Field], env: &[&str], input: &Output) -> Output {
        let Some((first, args)) = fields.split_first() else { return Output::nothing() };
        self.burn(fields.len());
        let name = match first.literal() {
            Some(name) if !first.loose => name,
            _ => return self.program("", fields),
        };
        if self.depth >= DEPTH || self.is_exhausted() {
            return self.give_up();
        }
        self.depth += 1;
        let output = match self.scope.functions.get(name).cloned() {
            Some(function) => self.function(&function, args, input),
            None => self.builtin_or_program(name, args, env, input),
        };
        self.depth -= 1;
        output
    }

    fn function(&mut self, function: &Function, args: &[Field], input: &Output) -> Output {
        for n in 1..10 {
            let value = args.get(n - 1).cloned().unwrap_or_default();
            let value = if args.iter().take(n).any(|arg| arg.loose) { Field::loose() } else { value };
            self.assign(&n.to_string(), value);
        }
        let doubtful = self.scope.doubtful;
        let output = self.stage(&function.body, Around { documents: &function.documents, input });
        self.scope.doubtful = doubtful || self.scope.doubtful;
        output
    }

    // ---- words

    /// A word that stays one: no splitting.
    fn word(&mut self, word: &Word, around: Around<'_>) -> Field {
        let mut field = Field::default();
        for (n, part) in word.parts.iter().enumerate() {
            self.part(part, word.parts.get(n + 1), &mut field, around);
        }
        field
    }

    /// The arguments that a word becomes.
    fn fields(&mut self, word: &Word, around: Around<'_>) -> Vec<Field> {
        self.burn(1);
        if let [Part::Output { script, quoted: false }] = &*word.parts {
            return match self.output_of(script, around) {
                Output::Paths(paths) => paths,
                Output::Text(text) => self.split_text(&text),
                Output::Unknown => vec![Field::loose()],
            };
        }
        if let [Part::Variable { name, quoted: false }] = &*word.parts
            && let Some(value) = self.variable(name)
        {
            return match value.literal() {
                Some(text) => self.split_text(text),
                None => vec![value],
            };
        }
        if !word.parts.iter().any(|part| matches!(part, Part::Brace('{'))) {
            return vec![self.word(word, around)];
        }
        let Some(words) = brace::expand(&word.parts) else {
            self.word(word, around);
            return vec![Field::loose()];
        };
        let mut fields = Vec::new();
        for bits in words {
            self.burn(1 + bits.len());
            let mut field = Field::default();
            for (n, bit) in bits.iter().enumerate() {
                match bit {
                    Bit::OneOfMany => field.push(Piece::Any),
                    Bit::Part(part) => {
                        let next = match bits.get(n + 1) {
                            Some(Bit::Part(next)) => Some(*next),
                            _ => None,
                        };
                        self.part(part, next, &mut field, around);
                    }
                }
            }
            fields.push(field);
        }
        fields
    }

    /// A text outside of quotes as the arguments that it becomes in bash.
    pub(crate) fn split_text(&mut self, text: &str) -> Vec<Field> {
        self.burn(text.len() / 8);
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        if words.len() > 1 {
            self.split = Some(text.trim().to_owned());
        }
        let field = |word: &str| {
            if word.contains(['*', '?', '[']) {
                Field { pieces: vec![Piece::Glob(word.to_owned())], loose: false }
            } else {
                Field::text(word)
            }
        };
        words.into_iter().map(field).collect()
    }

    fn part(&mut self, part: &Part, next: Option<&Part>, field: &mut Field, around: Around<'_>) {
        match part {
            Part::Text(text) => {
                self.burn(text.len() / 16);
                field.push_text(text);
            }
            Part::Glob(pattern) => field.push(Piece::Glob(pattern.clone())),
            Part::Tilde => field.push(match next {
                None => Piece::Home,
                Some(Part::Text(text)) if text.starts_with('/') => Piece::Home,
                Some(_) => Piece::Any,
            }),
            Part::Brace(c) => field.push_text(c.encode_utf8(&mut [0; 4])),
            Part::Variable { name, quoted } => match self.variable(name) {
                Some(value) => {
                    field.loose |= value.loose && field.pieces.is_empty();
                    self.burn(value.pieces.len());
                    if let Some(text) = value.literal() {
                        self.burn(text.len() / 16);
                        if !quoted && text.contains(char::is_whitespace) {
                            self.split = Some(text.to_owned());
                        }
                    }
                    value.pieces.into_iter().for_each(|piece| field.push(piece));
                }
                None => push_unknown(field, *quoted),
            },
            Part::Unknown { quoted, inner } => {
                let mut ignored = Field::default();
                inner.iter().for_each(|part| self.part(part, None, &mut ignored, around));
                push_unknown(field, *quoted);
            }
            Part::Output { script, quoted } => match self.output_of(script, around) {
                Output::Text(text) => {
                    let text = text.trim_end_matches('\n');
                    if !quoted && text.contains(char::is_whitespace) {
                        self.split = Some(text.to_owned());
                    }
                    field.push_text(text);
                }
                Output::Paths(paths) => match <[Field; 1]>::try_from(paths) {
                    Ok([path]) if !path.loose => path.pieces.into_iter().for_each(|piece| field.push(piece)),
                    _ => push_unknown(field, *quoted),
                },
                Output::Unknown => push_unknown(field, *quoted),
            },
            Part::Process { script, writes } => {
                let input = if *writes { &Output::Unknown } else { around.input };
                self.subshell(|run| {
                    run.sure = run.sure.min(Sure::Tried);
                    run.script(script, input)
                });
                field.push_text("/dev/fd/63");
            }
        }
    }

    fn output_of(&mut self, script: &Script, around: Around<'_>) -> Output {
        let output = self.subshell(|run| {
            run.sure = run.sure.min(Sure::Tried);
            run.scope.stops_on_error = false;
            run.script(script, around.input)
        });
        match output {
            Output::Text(text) => Output::Text(text.trim_end_matches('\n').to_owned()),
            other => other,
        }
    }

    fn variable(&self, name: &str) -> Option<Field> {
        let of_folder = |folder: &Folder| match folder {
            Folder::Known(path) if crate::field::is_absolute(path) => Field::text(path.clone()),
            Folder::Known(path) if path == "~" || path.starts_with("~/") => {
                Field { pieces: vec![Piece::Home, Piece::Text(path[1..].to_owned())], loose: false }
            }
            Folder::Known(path) => Field { pieces: vec![Piece::Start, Piece::Text(format!("/{path}"))], loose: false },
            Folder::Unknown => Field::any(),
        };
        if let Some(value) = self.scope.variables.get(name) {
            return Some(value.clone());
        }
        match name {
            "HOME" => Some(Field { pieces: vec![Piece::Home], loose: false }),
            "PWD" => Some(of_folder(&self.scope.folder)),
            "OLDPWD" => Some(of_folder(&self.scope.before)),
            _ => None,
        }
    }

    /// The folder in which commands run now, as `pwd` prints it.
    pub(crate) fn here(&self) -> Output {
        self.variable("PWD").map_or(Output::Unknown, |field| Output::Paths(vec![field]))
    }

    // ---- redirections

    fn plan(&mut self, redirects: &[Redirect], around: Around<'_>) -> Plan {
        let mut plan = Plan { input: None, files: Vec::new(), out: Sink::Inherited, errors: Sink::Inherited };
        for redirect in redirects {
            self.burn(1);
            match &redirect.to {
                Dest::Read(word) => {
                    self.word(word, around);
                    if redirect.fd.is_none_or(|fd| fd == 0) {
                        plan.input = Some(Output::Unknown);
                    }
                }
                Dest::Document(number) => {
                    let text = around.documents.get(*number).map(|word| self.word(word, around)).unwrap_or_default();
                    if redirect.fd.is_none_or(|fd| fd == 0) {
                        let text = text.literal();
                        plan.input = Some(text.map_or(Output::Unknown, |text| Output::Text(text.to_owned())));
                    }
                }
                Dest::Line(word) => {
                    let text = self.word(word, around);
                    plan.input = Some(match text.literal() {
                        Some(text) => Output::Text(format!("{text}\n")),
                        None => Output::Unknown,
                    });
                }
                Dest::Write(word) => self.open(&mut plan, redirect.fd, word, false, around),
                Dest::Append(word) | Dest::Open(word) => self.open(&mut plan, redirect.fd, word, true, around),
                Dest::WriteBoth(word) | Dest::AppendBoth(word) => {
                    let append = matches!(redirect.to, Dest::AppendBoth(_));
                    self.open(&mut plan, Some(1), word, append, around);
                    plan.errors = plan.out;
                }
                Dest::Same(from) => {
                    let sink = match from {
                        Some(1) => plan.out,
                        Some(2) => plan.errors,
                        _ => Sink::Elsewhere,
                    };
                    match redirect.fd.unwrap_or(1) {
                        1 => plan.out = sink,
                        2 => plan.errors = sink,
                        _ => {}
                    }
                }
            }
        }
        plan
    }

    fn open(&mut self, plan: &mut Plan, fd: Option<u32>, word: &Word, append: bool, around: Around<'_>) {
        let field = self.word(word, around);
        let sink = match field.literal() {
            Some("/dev/null") => Sink::Nowhere,
            Some(path) if path.starts_with("/dev/") => Sink::Elsewhere,
            _ => {
                plan.files.push(OpenFile { target: self.target(&field), append });
                Sink::File(plan.files.len() - 1)
            }
        };
        match fd.unwrap_or(1) {
            1 => plan.out = sink,
            2 => plan.errors = sink,
            _ => {
                if let Some(file) = plan.files.last_mut().filter(|_| matches!(sink, Sink::File(_))) {
                    // What is written to a number that only the command knows.
                    plan.out = if plan.out == Sink::Inherited { Sink::Elsewhere } else { plan.out };
                    file.append |= append;
                }
            }
        }
    }

    /// Notes what the redirections wrote; gives what is left for the next command.
    fn redirected(&mut self, plan: Plan, output: Output) -> Output {
        for (n, file) in plan.files.into_iter().enumerate() {
            let text = if plan.out == Sink::File(n) {
                output.text().map(str::to_owned)
            } else if plan.errors != Sink::File(n) && plan.out != Sink::Elsewhere {
                // Opened, and then another was.
                Some(String::new())
            } else {
                None
            };
            self.burn(text.as_ref().map_or(0, |text| text.len() / 16));
            self.act(Act::Write { target: file.target, text, append: file.append });
        }
        match plan.out {
            Sink::Inherited => output,
            Sink::Nowhere | Sink::File(_) => Output::nothing(),
            Sink::Elsewhere => Output::Unknown,
        }
    }
}

struct Plan {
    input: Option<Output>,
    files: Vec<OpenFile>,
    out: Sink,
    errors: Sink,
}

struct OpenFile {
    target: Target,
    append: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Sink {
    Inherited,
    Nowhere,
    File(usize),
    /// A terminal, a number that only the run knows.
    Elsewhere,
}

fn push_unknown(field: &mut Field, quoted: bool) {
    field.loose |= !quoted && field.pieces.is_empty();
    field.push(Piece::Any);
}

/// `… || exit 1`
fn leaves_on_failure(chain: &Chain) -> bool {
    let Some((Join::Or, last)) = chain.rest.last() else { return false };
    let [Stage { command: Command::Simple { words, .. }, .. }] = &*last.stages else { return false };
    let mut words = words.iter().map(Word::plain);
    matches!(words.next(), Some(Some("exit" | "return"))) && words.next() != Some(Some("0"))
}

/// Commands of which it may be assumed that they do not fail.
fn hardly_fails(pipeline: &Pipeline) -> bool {
    let [Stage { command: Command::Simple { words, .. }, .. }] = &*pipeline.stages else { return false };
    let name = words.first().map(Word::plain);
    !pipeline.negated
        && matches!(
            name,
            None | Some(Some(
                "cd" | "mkdir" | "echo" | "printf" | "pwd" | "true" | ":" | "export" | "set" | "sleep" | "date"
            ))
        )
}

fn has_exit(list: &List) -> bool {
    let mut names = Names::default();
    names.of_list(list);
    names.exits
}

/// What a piece of script may change in the shell itself.
#[derive(Default)]
struct Names {
    assigned: Vec<String>,
    /// Any variable.
    any: bool,
    moves: bool,
    exits: bool,
}

impl Names {
    fn of_list(&mut self, list: &List) {
        for chain in &list.items {
            self.of_pipeline(&chain.first);
            chain.rest.iter().for_each(|(_, pipeline)| self.of_pipeline(pipeline));
        }
    }

    fn of_pipeline(&mut self, pipeline: &Pipeline) {
        pipeline.stages.iter().for_each(|stage| self.of_command(&stage.command));
    }

    fn of_command(&mut self, command: &Command) {
        match command {
            Command::Simple { assigns, words } => {
                self.assigned.extend(assigns.iter().map(|assign| assign.name.clone()));
                self.of_words(words);
            }
            Command::Subshell(list) | Command::Group(list) => self.of_list(list),
            Command::If { arms, otherwise } => {
                arms.iter().flat_map(|(condition, body)| [condition, body]).for_each(|list| self.of_list(list));
                otherwise.iter().for_each(|list| self.of_list(list));
            }
            Command::While { condition, body } => [condition, body].into_iter().for_each(|list| self.of_list(list)),
            Command::For { name, body, .. } => {
                self.assigned.push(name.clone());
                self.of_list(body);
            }
            Command::Case { bodies, .. } => bodies.iter().for_each(|list| self.of_list(list)),
            Command::Function { body, .. } => self.of_command(&body.command),
            Command::Test(_) => {}
            Command::Arithmetic => self.any = true,
        }
    }

    fn of_words(&mut self, words: &[Word]) {
        let mut words = words.iter().map(Word::plain);
        match words.next() {
            Some(Some("cd" | "pushd" | "popd")) => self.moves = true,
            Some(Some("exit" | "return" | "exec")) => self.exits = true,
            Some(Some("printf")) => self.any |= words.next() == Some(Some("-v")),
            Some(Some("read")) => self.assigned.extend(words.flatten().map(str::to_owned)),
            Some(
                Some(
                    "export" | "local" | "declare" | "typeset" | "readonly" | "let" | "mapfile" | "readarray"
                    | "getopts" | "unset" | "eval" | "source" | "." | "set" | "shift" | "builtin" | "command",
                )
                | None,
            ) => self.any = true,
            Some(Some(_)) | None => {}
        }
    }
}
