//! The arguments of `sed`, and its scripts.

use crate::field::Field;

/// How deep blocks may lie in each other.
const DEPTH: u32 = 20;

/// A call of `sed`.
pub(crate) struct Call {
    pub(crate) script: SedScript,
    /// With `-i`: the ending of the backups, which may be empty.
    pub(crate) in_place: Option<String>,
    pub(crate) files: Vec<Field>,
}

/// A script as far as it was understood.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SedScript {
    pub(crate) commands: Vec<Command>,
    /// `-n`: only what is printed stays.
    pub(crate) quiet: bool,
    pub(crate) extended: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Command {
    pub(crate) address: Address,
    pub(crate) negated: bool,
    pub(crate) action: Action,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Address {
    Every,
    One(Spot),
    Range(Spot, End),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Spot {
    Line(usize),
    Last,
    Match(Pattern),
    Step { first: usize, step: usize },
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum End {
    At(Spot),
    After(usize),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pattern {
    pub(crate) text: String,
    pub(crate) any_case: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    Substitute {
        pattern: Pattern,
        by: Vec<Part>,
        all: bool,
        nth: usize,
        print: bool,
    },
    Delete,
    Print,
    Append(String),
    Insert(String),
    Change(String),
    Block(Vec<Command>),
    Transliterate(Vec<(char, char)>),
    /// Something else that writes no other file.
    Other,
    /// `w`, `e`: other files, other programs.
    Elsewhere,
}

/// What a match is replaced by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    Text(String),
    /// 0: the whole match.
    Group(usize),
}

impl SedScript {
    pub(crate) fn writes_elsewhere(&self) -> bool {
        fn any(commands: &[Command]) -> bool {
            commands.iter().any(|command| match &command.action {
                Action::Elsewhere => true,
                Action::Block(inner) => any(inner),
                _ => false,
            })
        }
        any(&self.commands)
    }
}

/// `None`: the arguments were not understood.
pub(crate) fn read(args: &[Field]) -> Option<Call> {
    let (mut quiet, mut extended, mut in_place) = (false, false, None);
    let mut scripts: Vec<String> = Vec::new();
    let mut operands: Vec<&Field> = Vec::new();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        if arg.loose {
            return None;
        }
        // BSD: the ending of backups is an argument of its own, often an empty one.
        if in_place == Some(String::new()) && arg.is("") && scripts.is_empty() && operands.is_empty() {
            continue;
        }
        let text = match arg.literal() {
            Some(text) if text.starts_with('-') && text != "-" => text,
            _ if arg.is_option() => return None,
            _ => {
                operands.push(arg);
                continue;
            }
        };
        match text {
            "--quiet" | "--silent" => quiet = true,
            "--regexp-extended" => extended = true,
            "--in-place" => in_place = Some(String::new()),
            "--separate" | "--unbuffered" | "--posix" | "--sandbox" | "--debug" => {}
            "--expression" => scripts.push(rest.next()?.literal()?.to_owned()),
            "--" => operands.extend(rest.by_ref()),
            _ if text.starts_with("--in-place=") => in_place = Some(text["--in-place=".len()..].to_owned()),
            _ if text.starts_with("--expression=") => scripts.push(text["--expression=".len()..].to_owned()),
            _ if text.starts_with("--") => return None,
            _ => {
                let mut letters = text[1..].chars();
                while let Some(letter) = letters.next() {
                    match letter {
                        'n' => quiet = true,
                        'E' | 'r' => extended = true,
                        's' | 'u' => {}
                        'e' => {
                            let behind = letters.as_str();
                            scripts.push(if behind.is_empty() {
                                rest.next()?.literal()?.to_owned()
                            } else {
                                behind.to_owned()
                            });
                            break;
                        }
                        'i' | 'I' => {
                            in_place = Some(letters.as_str().to_owned());
                            break;
                        }
                        'l' => {
                            if letters.as_str().is_empty() {
                                rest.next()?;
                            }
                            break;
                        }
                        _ => return None,
                    }
                }
            }
        }
    }
    // BSD: `-i .bak SCRIPT FILES`; nowhere does a script begin like that.
    if in_place == Some(String::new())
        && scripts.is_empty()
        && operands.len() > 2
        && operands[0].head().starts_with('.')
    {
        in_place = Some(operands.remove(0).literal()?.to_owned());
    }
    let mut operands = operands.into_iter();
    if scripts.is_empty() {
        scripts.push(operands.next()?.literal()?.to_owned());
    }
    let text = scripts.join("\n");
    quiet |= text.starts_with("#n\n");
    let commands = Parser { rest: &text, extended }.commands(0)?;
    let script = SedScript { commands, quiet, extended };
    let files: Vec<Field> = operands.cloned().collect();
    Some(Call { script, in_place, files })
}

struct Parser<'t> {
    rest: &'t str,
    extended: bool,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn eat(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn number(&mut self) -> Option<usize> {
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.rest.split_at(digits);
        self.rest = rest;
        number.parse().ok()
    }

    fn commands(&mut self, depth: u32) -> Option<Vec<Command>> {
        let mut commands = Vec::new();
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n', ';']);
            match self.peek() {
                None if depth == 0 => return Some(commands),
                None => return None,
                Some('}') if depth > 0 => {
                    self.next();
                    return Some(commands);
                }
                Some('#') => self.line(),
                Some(_) => commands.push(self.command(depth)?),
            }
        }
    }

    fn line(&mut self) {
        self.rest = self.rest.find('\n').map_or("", |at| &self.rest[at..]);
    }

    fn command(&mut self, depth: u32) -> Option<Command> {
        let address = self.address()?;
        self.blanks();
        let mut negated = false;
        while self.eat("!") {
            negated = true;
            self.blanks();
        }
        let action = match self.next()? {
            '{' if depth < DEPTH => Action::Block(self.commands(depth + 1)?),
            's' => self.substitute()?,
            'y' => self.transliterate()?,
            'd' => self.ended(Action::Delete)?,
            'p' => self.ended(Action::Print)?,
            'a' => self.text().map_or(Action::Other, Action::Append),
            'i' => self.text().map_or(Action::Other, Action::Insert),
            'c' => self.text().map_or(Action::Other, Action::Change),
            'D' | 'P' | 'h' | 'H' | 'g' | 'G' | 'x' | 'n' | 'N' | '=' | 'z' | 'F' => self.ended(Action::Other)?,
            'q' | 'Q' | 'l' | 'L' => {
                self.blanks();
                self.number();
                self.ended(Action::Other)?
            }
            'b' | 't' | 'T' | ':' => {
                let end = self.rest.find(['\n', ';', '}']).unwrap_or(self.rest.len());
                self.rest = &self.rest[end..];
                Action::Other
            }
            'r' | 'R' => {
                self.line();
                Action::Other
            }
            'w' | 'W' | 'e' => {
                self.line();
                Action::Elsewhere
            }
            _ => return None,
        };
        Some(Command { address, negated, action })
    }

    fn ended(&mut self, action: Action) -> Option<Action> {
        self.blanks();
        match self.peek() {
            None | Some('\n' | '\r' | ';' | '}' | '#') => Some(action),
            Some(_) => None,
        }
    }

    fn address(&mut self) -> Option<Address> {
        let Some(from) = self.spot()? else { return Some(Address::Every) };
        self.blanks();
        if !self.eat(",") {
            return Some(Address::One(from));
        }
        self.blanks();
        let end = if self.eat("+") {
            End::After(self.number()?)
        } else if self.eat("~") {
            return None;
        } else {
            End::At(self.spot()??)
        };
        Some(Address::Range(from, end))
    }

    /// The outer `None`: a spot that was not understood; the inner: there is none.
    fn spot(&mut self) -> Option<Option<Spot>> {
        Some(Some(match self.peek() {
            Some('0'..='9') => {
                let first = self.number()?;
                if self.eat("~") { Spot::Step { first, step: self.number()? } } else { Spot::Line(first) }
            }
            Some('$') => {
                self.next();
                Spot::Last
            }
            Some('/') => {
                self.next();
                self.matching('/')?
            }
            Some('\\') => {
                self.next();
                let delimiter = self.next()?;
                self.matching(delimiter)?
            }
            _ => return Some(None),
        }))
    }

    fn matching(&mut self, delimiter: char) -> Option<Spot> {
        let text = self.pattern(delimiter)?;
        let any_case = self.eat("I");
        if self.eat("M") { None } else { Some(Spot::Match(Pattern { text, any_case })) }
    }

    /// A pattern up to its delimiter and past it.
    fn pattern(&mut self, delimiter: char) -> Option<String> {
        let mut text = String::new();
        loop {
            let c = self.next()?;
            if c == delimiter {
                return Some(text);
            }
            match c {
                '\n' => return None,
                '\\' => match self.next()? {
                    c if c == delimiter => {
                        // With its meaning, or without: the versions of sed do not agree.
                        let has_meaning = if self.extended { "|+?(){}.*^$[]" } else { ".*^$[]" };
                        if has_meaning.contains(c) || c.is_alphanumeric() {
                            return None;
                        }
                        text.push(c);
                    }
                    c => text.extend(['\\', c]),
                },
                '[' => {
                    text.push('[');
                    self.bracket(&mut text)?;
                }
                c => text.push(c),
            }
        }
    }

    /// In a bracket the delimiter means itself.
    fn bracket(&mut self, text: &mut String) -> Option<()> {
        if self.eat("^") {
            text.push('^');
        }
        if self.eat("]") {
            text.push(']');
        }
        loop {
            match self.next()? {
                ']' => {
                    text.push(']');
                    return Some(());
                }
                '\n' => return None,
                '[' if self.rest.starts_with(':') => {
                    let end = self.rest.find(":]")?;
                    text.push('[');
                    text.push_str(&self.rest[..end + 2]);
                    self.rest = &self.rest[end + 2..];
                }
                c => text.push(c),
            }
        }
    }

    fn substitute(&mut self) -> Option<Action> {
        let delimiter = self.next().filter(|c| !matches!(c, '\n' | '\\'))?;
        let text = self.pattern(delimiter)?;
        let by = self.replacement(delimiter)?;
        let (mut all, mut nth, mut print, mut any_case, mut other) = (false, 1, false, false, false);
        let mut elsewhere = false;
        loop {
            match self.peek() {
                Some('g') => all = true,
                Some('p') => print = true,
                Some('i' | 'I') => any_case = true,
                Some('m' | 'M') => other = true,
                Some('e') => elsewhere = true,
                Some('w') => {
                    elsewhere = true;
                    self.line();
                    break;
                }
                Some('0'..='9') => {
                    nth = self.number()?.max(1);
                    continue;
                }
                _ => break,
            }
            self.next();
        }
        self.ended(Action::Other)?;
        if elsewhere {
            return Some(Action::Elsewhere);
        }
        // An empty pattern is the one before.
        match by {
            Some(by) if !other && !text.is_empty() => {
                Some(Action::Substitute { pattern: Pattern { text, any_case }, by, all, nth, print })
            }
            _ => Some(Action::Other),
        }
    }

    /// The inner `None`: it changes case or has other escapes.
    fn replacement(&mut self, delimiter: char) -> Option<Option<Vec<Part>>> {
        let (mut parts, mut text, mut is_plain) = (Vec::new(), String::new(), true);
        loop {
            let c = self.next()?;
            if c == delimiter {
                break;
            }
            let group = match c {
                '&' => 0,
                '\\' => match self.next()? {
                    c if c == delimiter => {
                        text.push(c);
                        continue;
                    }
                    c @ '0'..='9' => c as usize - '0' as usize,
                    'n' => {
                        text.push('\n');
                        continue;
                    }
                    't' => {
                        text.push('\t');
                        continue;
                    }
                    c => {
                        is_plain &= !c.is_ascii_alphabetic();
                        text.push(c);
                        continue;
                    }
                },
                c => {
                    text.push(c);
                    continue;
                }
            };
            parts.push(Part::Text(std::mem::take(&mut text)));
            parts.push(Part::Group(group));
        }
        parts.push(Part::Text(text));
        Some(is_plain.then_some(parts))
    }

    fn transliterate(&mut self) -> Option<Action> {
        let delimiter = self.next().filter(|c| !matches!(c, '\n' | '\\'))?;
        let mut side = || {
            let mut chars = Vec::new();
            loop {
                match self.next()? {
                    c if c == delimiter => return Some(chars),
                    '\\' => match self.next()? {
                        'n' => chars.push('\n'),
                        c if c == delimiter || c == '\\' => chars.push(c),
                        _ => return None,
                    },
                    c => chars.push(c),
                }
            }
        };
        let (from, to) = (side()?, side()?);
        self.ended(Action::Other)?;
        Some(if from.len() == to.len() {
            Action::Transliterate(from.into_iter().zip(to).collect())
        } else {
            return None;
        })
    }

    /// The text of `a`, `i`, `c`, without its last line end. `None`: with escapes that not all versions read alike.
    fn text(&mut self) -> Option<String> {
        self.blanks();
        let is_long = self.eat("\\");
        let mut is_plain = true;
        if is_long {
            // `a\` and the text on the next line, or `a\text`.
            self.blanks_before_line_end();
            self.eat("\n");
        }
        let mut text = String::new();
        while let Some(c) = self.peek() {
            if c == '\n' {
                break;
            }
            self.next();
            match c {
                '\\' => match self.next() {
                    Some('\n') => text.push('\n'),
                    Some('\\') => text.push('\\'),
                    Some('t') => text.push('\t'),
                    Some(c) => {
                        is_plain &= !c.is_ascii_alphanumeric();
                        text.push(c);
                    }
                    None => is_plain = false,
                },
                c => text.push(c),
            }
        }
        is_plain.then_some(text)
    }

    fn blanks_before_line_end(&mut self) {
        let rest = self.rest.trim_start_matches([' ', '\t', '\r']);
        if rest.starts_with('\n') {
            self.rest = rest;
        }
    }
}
