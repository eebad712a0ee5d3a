//! From the text of a command line to its parts: words, redirections, pipelines, lists, compound commands.
//!
//! One pass from left to right; what is nested is read where it stands, to a bounded depth. Texts of here-documents and
//! of backticks are read once more, each on its own.

use std::rc::Rc;

/// How deep commands may lie in each other.
pub(crate) const DEPTH: u32 = 40;

/// Bytes in which `[…]` must end to be taken for one.
const LONGEST_BRACKET: usize = 64;

/// The text is no shell command that this reader understands.
#[derive(Debug)]
pub(crate) struct Unclear;

type Parsed<T> = Result<T, Unclear>;

#[derive(Debug, Default)]
pub(crate) struct List {
    pub(crate) items: Vec<Chain>,
}

/// Pipelines joined by `&&` and `||`.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) first: Pipeline,
    pub(crate) rest: Vec<(Join, Pipeline)>,
    pub(crate) background: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Join {
    And,
    Or,
}

#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) negated: bool,
    pub(crate) stages: Vec<Stage>,
}

/// A command with its redirections. `merged`: `|&`, its errors go down the pipe, too.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) command: Command,
    pub(crate) redirects: Vec<Redirect>,
    pub(crate) merged: bool,
}

#[derive(Debug)]
pub(crate) enum Command {
    Simple {
        assigns: Vec<Assign>,
        words: Vec<Word>,
    },
    Subshell(List),
    Group(List),
    If {
        arms: Vec<(List, List)>,
        otherwise: Option<List>,
    },
    While {
        condition: List,
        body: List,
    },
    For {
        name: String,
        words: Option<Vec<Word>>,
        body: List,
    },
    Case {
        word: Word,
        bodies: Vec<List>,
    },
    Function {
        name: String,
        body: Rc<Stage>,
    },
    /// `[[ … ]]`, and what else reads words and does nothing with them.
    Test(Vec<Word>),
    /// `(( … ))`: no file, but any variable.
    Arithmetic,
}

#[derive(Debug)]
pub(crate) struct Assign {
    pub(crate) name: String,
    /// `None`: an array, or an element of one.
    pub(crate) value: Option<Word>,
    /// What stands in it all the same.
    pub(crate) inner: Vec<Word>,
}

#[derive(Debug)]
pub(crate) struct Redirect {
    /// Which of the command's files: 0, 1, 2, … `None`: what the operator means by itself.
    pub(crate) fd: Option<u32>,
    pub(crate) to: Dest,
}

#[derive(Debug)]
pub(crate) enum Dest {
    Read(Word),
    Write(Word),
    Append(Word),
    /// `&>`, `>&file`: output and errors.
    WriteBoth(Word),
    AppendBoth(Word),
    /// `<>`
    Open(Word),
    /// `2>&1`: to where that one goes. `None`: closed, or a number that only the run knows.
    Same(Option<u32>),
    /// The text of a here-document, by its number (see [`Script::documents`]).
    Document(usize),
    /// `<<<`
    Line(Word),
}

#[derive(Debug, Default)]
pub(crate) struct Word {
    pub(crate) parts: Vec<Part>,
}

#[derive(Debug)]
pub(crate) enum Part {
    Text(String),
    /// `*`, `?`, `[…]` outside of quotes.
    Glob(String),
    /// `~` at the beginning.
    Tilde,
    /// `{`, `,` or `}` outside of quotes.
    Brace(char),
    Variable {
        name: String,
        quoted: bool,
    },
    /// Known only when it runs. What stands in it is run all the same.
    Unknown {
        quoted: bool,
        inner: Vec<Part>,
    },
    /// `$( … )` or backticks.
    Output {
        script: Script,
        quoted: bool,
    },
    /// `<( … )`, `>( … )`
    Process {
        script: Script,
        writes: bool,
    },
}

/// A list with the here-documents that belong to it.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) list: List,
    pub(crate) documents: Rc<Vec<Word>>,
    /// Something behind the list was not understood.
    pub(crate) unclear: bool,
}

/// Reads a command line. What stands before something that is not understood is kept: a shell runs it.
pub(crate) fn parse(text: &str, depth: u32) -> Script {
    let mut parser = Parser { text, at: 0, depth, pending: Vec::new(), documents: Vec::new() };
    let mut list = List::default();
    let read = parser.list_into(&mut list);
    let unclear = read.is_err() || parser.at < text.len();
    Script { list, documents: Rc::new(parser.documents), unclear }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: u32,
    /// Here-documents whose text begins behind the next line end.
    pending: Vec<Pending>,
    documents: Vec<Word>,
}

struct Pending {
    number: usize,
    end: String,
    strip_tabs: bool,
    literal: bool,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn looks_at(&self, text: &str) -> bool {
        self.rest().starts_with(text)
    }

    fn eat(&mut self, text: &str) -> bool {
        let is_there = self.looks_at(text);
        if is_there {
            self.at += text.len();
        }
        is_there
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEPTH {
            return Err(Unclear);
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    // ---- blanks, line ends, here-documents

    fn skip_blanks(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t' | '\r') => self.at += 1,
                Some('\\') if self.looks_at("\\\n") => self.at += 2,
                Some('\\') if self.looks_at("\\\r\n") => self.at += 3,
                Some('#') => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
                _ => return,
            }
        }
    }

    fn skip_lines(&mut self) -> Parsed<()> {
        loop {
            self.skip_blanks();
            if !self.line_end()? {
                return Ok(());
            }
        }
    }

    fn line_end(&mut self) -> Parsed<bool> {
        if !self.eat("\n") {
            return Ok(false);
        }
        for pending in std::mem::take(&mut self.pending) {
            self.document(pending)?;
        }
        Ok(true)
    }

    fn document(&mut self, pending: Pending) -> Parsed<()> {
        let mut text = String::new();
        loop {
            let rest = self.rest();
            if rest.is_empty() {
                break;
            }
            let line = &rest[..rest.find('\n').map_or(rest.len(), |at| at + 1)];
            self.at += line.len();
            let line = if pending.strip_tabs { line.trim_start_matches('\t') } else { line };
            if line.trim_end_matches('\n') == pending.end || line.trim_end_matches(['\r', '\n']) == pending.end {
                break;
            }
            text.push_str(line);
        }
        let is_literal = pending.literal || !text.contains(['$', '`', '\\']);
        let word = if is_literal { Word { parts: vec![Part::Text(text)] } } else { self.expanded(&text)? };
        if let Some(document) = self.documents.get_mut(pending.number) {
            *document = word;
        }
        Ok(())
    }

    /// The text of a here-document in which variables and commands are replaced.
    fn expanded(&mut self, text: &str) -> Parsed<Word> {
        if self.depth >= DEPTH {
            return Err(Unclear);
        }
        let documents = std::mem::take(&mut self.documents);
        let mut inner = Parser { text, at: 0, depth: self.depth + 1, pending: Vec::new(), documents };
        let parts = inner.double_quoted(None);
        self.documents = inner.documents;
        Ok(Word { parts: parts? })
    }

    // ---- lists

    fn list(&mut self) -> Parsed<List> {
        let mut list = List::default();
        self.deeper(|parser| parser.list_into(&mut list))?;
        Ok(list)
    }

    /// Reads up to what ends a list: a closing bracket, a closing word, the end of the text.
    fn list_into(&mut self, list: &mut List) -> Parsed<()> {
        loop {
            self.skip_lines()?;
            if self.rest().is_empty() || self.is_at_list_end() {
                return Ok(());
            }
            let mut chain = self.chain()?;
            self.skip_blanks();
            let ends = match self.peek() {
                None => false,
                Some('\n') => true,
                Some(';') if self.looks_at(";;") || self.looks_at(";&") => false,
                Some(';') => {
                    self.at += 1;
                    true
                }
                Some('&') if !self.looks_at("&&") => {
                    self.at += 1;
                    // zsh: `&!`, `&|`.
                    let _ = self.eat("!") || self.eat("|");
                    chain.background = true;
                    true
                }
                Some(_) => false,
            };
            list.items.push(chain);
            if !ends {
                let is_end = self.rest().is_empty() || self.is_at_list_end();
                return if is_end { Ok(()) } else { Err(Unclear) };
            }
        }
    }

    fn is_at_list_end(&self) -> bool {
        const WORDS: [&str; 8] = ["then", "else", "elif", "fi", "do", "done", "esac", "}"];
        self.looks_at(")")
            || self.looks_at(";;")
            || self.looks_at(";&")
            || self.reserved().is_some_and(|word| WORDS.contains(&word))
    }

    /// The plain word that stands here, where it may be a reserved one.
    fn reserved(&self) -> Option<&'t str> {
        let rest = self.rest();
        let end = rest.find([' ', '\t', '\r', '\n', ';', '&', '|', '<', '>', '(', ')']).unwrap_or(rest.len());
        rest.get(..end).filter(|word| (1..=8).contains(&word.len()))
    }

    fn eat_reserved(&mut self, word: &str) -> bool {
        let is_there = self.reserved() == Some(word);
        if is_there {
            self.at += word.len();
        }
        is_there
    }

    fn expect_reserved(&mut self, word: &str) -> Parsed<()> {
        self.skip_lines()?;
        if self.eat_reserved(word) { Ok(()) } else { Err(Unclear) }
    }

    fn chain(&mut self) -> Parsed<Chain> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            self.skip_blanks();
            let join = if self.eat("&&") {
                Join::And
            } else if self.eat("||") {
                Join::Or
            } else {
                return Ok(Chain { first, rest, background: false });
            };
            self.skip_lines()?;
            rest.push((join, self.pipeline()?));
        }
    }

    fn pipeline(&mut self) -> Parsed<Pipeline> {
        let mut negated = false;
        while self.eat_reserved("!") {
            negated = true;
            self.skip_blanks();
        }
        let mut stages = vec![self.stage()?];
        loop {
            self.skip_blanks();
            if self.looks_at("||") || !self.looks_at("|") {
                return Ok(Pipeline { negated, stages });
            }
            self.at += 1;
            if self.eat("&")
                && let Some(last) = stages.last_mut()
            {
                last.merged = true;
            }
            self.skip_lines()?;
            stages.push(self.stage()?);
        }
    }

    // ---- commands

    fn stage(&mut self) -> Parsed<Stage> {
        self.skip_blanks();
        let mut redirects = Vec::new();
        let command = match self.compound()? {
            Some(command) => {
                while self.redirect(&mut redirects)? {}
                command
            }
            None => self.simple(&mut redirects)?,
        };
        Ok(Stage { command, redirects, merged: false })
    }

    fn compound(&mut self) -> Parsed<Option<Command>> {
        if self.looks_at("((") {
            self.arithmetic("((", "))")?;
            return Ok(Some(Command::Arithmetic));
        }
        if self.eat("(") {
            let list = self.list()?;
            return if self.eat(")") { Ok(Some(Command::Subshell(list))) } else { Err(Unclear) };
        }
        let Some(word) = self.reserved() else { return Ok(None) };
        if !matches!(word, "{" | "if" | "while" | "until" | "for" | "select" | "case" | "function" | "[[" | "coproc") {
            return Ok(None);
        }
        self.at += word.len();
        let command = match word {
            "{" => {
                let list = self.list()?;
                self.expect_reserved("}")?;
                Command::Group(list)
            }
            "if" => self.conditional()?,
            "while" | "until" => {
                let condition = self.list()?;
                let body = self.body()?;
                Command::While { condition, body }
            }
            "for" | "select" => self.loop_over_words()?,
            "case" => self.case()?,
            "function" => {
                self.skip_blanks();
                let name = self.name().to_owned();
                self.skip_blanks();
                if self.eat("(") {
                    self.skip_blanks();
                    if !self.eat(")") {
                        return Err(Unclear);
                    }
                }
                self.function(name)?
            }
            "[[" => self.test()?,
            _ => return Err(Unclear),
        };
        Ok(Some(command))
    }

    fn conditional(&mut self) -> Parsed<Command> {
        let mut arms = Vec::new();
        loop {
            let condition = self.list()?;
            self.expect_reserved("then")?;
            arms.push((condition, self.list()?));
            self.skip_lines()?;
            if self.eat_reserved("elif") {
                continue;
            }
            let otherwise = if self.eat_reserved("else") { Some(self.list()?) } else { None };
            self.expect_reserved("fi")?;
            return Ok(Command::If { arms, otherwise });
        }
    }

    fn body(&mut self) -> Parsed<List> {
        self.expect_reserved("do")?;
        let body = self.list()?;
        self.expect_reserved("done")?;
        Ok(body)
    }

    fn loop_over_words(&mut self) -> Parsed<Command> {
        self.skip_blanks();
        if self.looks_at("((") {
            self.arithmetic("((", "))")?;
            self.skip_blanks();
            self.eat(";");
            let body = self.body()?;
            return Ok(Command::While { condition: List::default(), body });
        }
        let name = self.name().to_owned();
        if name.is_empty() {
            return Err(Unclear);
        }
        self.skip_lines()?;
        let words = if self.eat_reserved("in") {
            let mut words = Vec::new();
            loop {
                self.skip_blanks();
                match self.peek() {
                    None => return Err(Unclear),
                    Some('\n' | ';') => break,
                    Some(_) => words.push(self.word()?.ok_or(Unclear)?),
                }
            }
            Some(words)
        } else {
            None
        };
        self.skip_blanks();
        self.eat(";");
        Ok(Command::For { name, words, body: self.body()? })
    }

    fn case(&mut self) -> Parsed<Command> {
        self.skip_blanks();
        let word = self.word()?.ok_or(Unclear)?;
        self.expect_reserved("in")?;
        let mut bodies = Vec::new();
        loop {
            self.skip_lines()?;
            if self.eat_reserved("esac") {
                return Ok(Command::Case { word, bodies });
            }
            self.eat("(");
            loop {
                self.skip_blanks();
                self.word()?.ok_or(Unclear)?;
                self.skip_blanks();
                if !self.eat("|") {
                    break;
                }
            }
            if !self.eat(")") {
                return Err(Unclear);
            }
            bodies.push(self.list()?);
            let _ = self.eat(";;&") || self.eat(";;") || self.eat(";&");
        }
    }

    fn function(&mut self, name: String) -> Parsed<Command> {
        self.skip_lines()?;
        let body = self.deeper(|parser| parser.stage())?;
        Ok(Command::Function { name, body: Rc::new(body) })
    }

    /// The inside of `[[ … ]]`, of which only the commands in its words matter.
    fn test(&mut self) -> Parsed<Command> {
        let mut words = Vec::new();
        loop {
            self.skip_lines()?;
            if self.eat_reserved("]]") {
                return Ok(Command::Test(words));
            }
            match self.peek() {
                None => return Err(Unclear),
                Some('(' | ')' | '<' | '>' | '|' | '&' | ';') => self.at += 1,
                Some(_) => words.push(self.word()?.ok_or(Unclear)?),
            }
        }
    }

    /// Skips `(( … ))`. What runs a command inside of it is not understood.
    fn arithmetic(&mut self, open: &str, close: &str) -> Parsed<()> {
        if !self.eat(open) {
            return Err(Unclear);
        }
        let mut depth = 0u32;
        loop {
            if depth == 0 && self.eat(close) {
                return Ok(());
            }
            if self.looks_at("$(") || self.looks_at("`") {
                return Err(Unclear);
            }
            match self.next().ok_or(Unclear)? {
                '(' => depth += 1,
                ')' => depth = depth.checked_sub(1).ok_or(Unclear)?,
                _ => {}
            }
        }
    }

    fn simple(&mut self, redirects: &mut Vec<Redirect>) -> Parsed<Command> {
        let (mut assigns, mut words): (Vec<Assign>, Vec<Word>) = (Vec::new(), Vec::new());
        loop {
            self.skip_blanks();
            if self.redirect(redirects)? {
                continue;
            }
            if words.is_empty()
                && let Some(assign) = self.assign()?
            {
                assigns.push(assign);
                continue;
            }
            if self.looks_at("(") {
                let name = words.first().and_then(Word::plain).map(str::to_owned);
                self.at += 1;
                self.skip_blanks();
                return match name {
                    Some(name) if words.len() == 1 && assigns.is_empty() && self.eat(")") => self.function(name),
                    _ => Err(Unclear),
                };
            }
            match self.word()? {
                // `export A=(…)`, `declare -a a=(…)`.
                Some(word) if self.looks_at("(") && word.plain().is_some_and(|word| word.ends_with('=')) => {
                    self.at += 1;
                    words.push(word);
                    words.extend(self.array()?);
                }
                Some(word) => words.push(word),
                None if words.is_empty() && assigns.is_empty() && redirects.is_empty() => return Err(Unclear),
                None => return Ok(Command::Simple { assigns, words }),
            }
        }
    }

    /// `NAME=value`, `NAME+=value`, `NAME[i]=value`, `NAME=( … )`
    fn assign(&mut self) -> Parsed<Option<Assign>> {
        let start = self.at;
        let name = self.name().to_owned();
        if name.is_empty() {
            return Ok(None);
        }
        let mut is_plain = true;
        if self.looks_at("[") {
            let index = self.rest().bytes().take(LONGEST_BRACKET).take_while(|b| !b" \t\n\"'`$(".contains(b));
            match index.clone().position(|byte| byte == b']') {
                Some(end) => self.at += end + 1,
                None => {
                    self.at = start;
                    return Ok(None);
                }
            }
            is_plain = false;
        }
        is_plain &= !self.eat("+");
        if !self.eat("=") {
            self.at = start;
            return Ok(None);
        }
        if self.eat("(") {
            return Ok(Some(Assign { name, value: None, inner: self.array()? }));
        }
        let word = self.word()?.unwrap_or_default();
        Ok(Some(match is_plain {
            true => Assign { name, value: Some(word), inner: Vec::new() },
            false => Assign { name, value: None, inner: vec![word] },
        }))
    }

    /// The words up to `)`.
    fn array(&mut self) -> Parsed<Vec<Word>> {
        let mut words = Vec::new();
        loop {
            self.skip_lines()?;
            if self.eat(")") {
                return Ok(words);
            }
            words.push(self.word()?.ok_or(Unclear)?);
        }
    }

    fn name(&mut self) -> &'t str {
        let rest = self.rest();
        let is_inside =
            |(at, c): &(usize, char)| c.is_ascii_alphabetic() || *c == '_' || (*at > 0 && c.is_ascii_digit());
        let end = rest.char_indices().take_while(is_inside).last().map_or(0, |(at, c)| at + c.len_utf8());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    // ---- redirections

    fn redirect(&mut self, redirects: &mut Vec<Redirect>) -> Parsed<bool> {
        self.skip_blanks();
        let start = self.at;
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let fd = self.rest().get(..digits).and_then(|digits| digits.parse().ok());
        self.at += digits;
        // `{name}>file` opens a file with a number that the shell chooses.
        if digits == 0 && self.looks_at("{") {
            let rest = self.rest();
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '{'));
            if let Some(end) = end.filter(|end| rest[*end..].starts_with("}<") || rest[*end..].starts_with("}>")) {
                self.at += end + 1;
            }
        }
        let is_process = self.looks_at("<(") || self.looks_at(">(");
        let is_operator = self.looks_at("<") || self.looks_at(">") || self.looks_at("&>");
        if is_process || !is_operator {
            self.at = start;
            return Ok(false);
        }
        let to = self.dest()?;
        redirects.push(Redirect { fd, to });
        Ok(true)
    }

    fn dest(&mut self) -> Parsed<Dest> {
        if self.eat("<<<") {
            return Ok(Dest::Line(self.dest_word()?));
        }
        if self.eat("<<") {
            return self.here_document();
        }
        // zsh: `>!` is `>|`; in bash it names a file.
        for operator in [">>!", ">!", "&>!", "&>|", ">>|", "&>>!", "&>>|"] {
            if self.looks_at(operator) {
                return Err(Unclear);
            }
        }
        if self.eat("<>") {
            return Ok(Dest::Open(self.dest_word()?));
        }
        if self.eat("<&") {
            return self.dest_word().map(|_| Dest::Same(None));
        }
        if self.eat("&>>") || self.eat(">>&") {
            return Ok(Dest::AppendBoth(self.dest_word()?));
        }
        if self.eat("&>") {
            return Ok(Dest::WriteBoth(self.dest_word()?));
        }
        if self.eat(">&") {
            let word = self.dest_word()?;
            let text = word.plain().unwrap_or_default();
            let fd = text.strip_suffix('-').unwrap_or(text);
            return Ok(match fd.parse() {
                Ok(fd) => Dest::Same(Some(fd)),
                Err(_) if text == "-" => Dest::Same(None),
                Err(_) => Dest::WriteBoth(word),
            });
        }
        if self.eat(">>") {
            return Ok(Dest::Append(self.dest_word()?));
        }
        if self.eat(">|") || self.eat(">") {
            return Ok(Dest::Write(self.dest_word()?));
        }
        if self.eat("<") {
            return Ok(Dest::Read(self.dest_word()?));
        }
        Err(Unclear)
    }

    fn dest_word(&mut self) -> Parsed<Word> {
        self.skip_blanks();
        self.word()?.ok_or(Unclear)
    }

    fn here_document(&mut self) -> Parsed<Dest> {
        let strip_tabs = self.eat("-");
        self.skip_blanks();
        let (end, literal) = self.delimiter()?;
        let number = self.documents.len();
        self.documents.push(Word::default());
        self.pending.push(Pending { number, end, strip_tabs, literal });
        Ok(Dest::Document(number))
    }

    /// The word that ends a here-document, and whether it was quoted.
    fn delimiter(&mut self) -> Parsed<(String, bool)> {
        let (mut end, mut quoted) = (String::new(), false);
        let start = self.at;
        loop {
            match self.peek() {
                None | Some(' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')') => break,
                Some(quote @ ('\'' | '"')) => {
                    self.at += 1;
                    let inside = self.rest().find(quote).ok_or(Unclear)?;
                    end.push_str(self.rest().get(..inside).unwrap_or_default());
                    self.at += inside + 1;
                    quoted = true;
                }
                Some('\\') => {
                    self.at += 1;
                    end.extend(self.next());
                    quoted = true;
                }
                Some('$' | '`') => return Err(Unclear),
                Some(c) => {
                    end.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
        if self.at == start { Err(Unclear) } else { Ok((end, quoted)) }
    }

    // ---- words

    /// The word that stands here. `None`: none does.
    fn word(&mut self) -> Parsed<Option<Word>> {
        let start = self.at;
        let mut parts = Parts::default();
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | ')' => break,
                '<' | '>' => {
                    if !self.rest()[1..].starts_with('(') {
                        break;
                    }
                    self.at += 2;
                    let script = self.script()?;
                    parts.push(Part::Process { script, writes: c == '>' });
                }
                '(' => {
                    // bash: `!(a|b)`; zsh: `*(.)`. Elsewhere a bracket ends the word.
                    if !parts.ends_in_glob(&self.text[start..self.at]) {
                        break;
                    }
                    self.pattern_group()?;
                    parts.push(Part::Glob("**".into()));
                    parts.push(Part::Unknown { quoted: true, inner: Vec::new() });
                }
                '\'' => {
                    self.at += 1;
                    let end = self.rest().find('\'').ok_or(Unclear)?;
                    parts.text(&self.rest()[..end]);
                    self.at += end + 1;
                }
                '"' => {
                    self.at += 1;
                    parts.text("");
                    self.double_quoted(Some('"'))?.into_iter().for_each(|part| parts.push(part));
                }
                '\\' => {
                    self.at += 1;
                    match self.next() {
                        Some('\n') => {}
                        Some(c) => parts.char(c),
                        None => parts.char('\\'),
                    }
                }
                '$' => match self.dollar(false)? {
                    Some(part) => parts.push(part),
                    None => parts.char('$'),
                },
                '`' => {
                    self.at += 1;
                    parts.push(self.backticks(false)?);
                }
                '~' if self.at == start => {
                    self.at += 1;
                    parts.push(Part::Tilde);
                }
                '*' | '?' => {
                    self.at += 1;
                    parts.push(Part::Glob(c.into()));
                }
                '[' => self.bracket(&mut parts),
                '{' | '}' | ',' => {
                    self.at += 1;
                    parts.push(Part::Brace(c));
                }
                _ => {
                    let rest = self.rest();
                    let end = rest.find(is_special).unwrap_or(rest.len()).max(c.len_utf8());
                    parts.text(&rest[..end]);
                    self.at += end;
                }
            }
        }
        Ok((self.at > start).then_some(Word { parts: parts.0 }))
    }

    /// `[a-z]`, or a bracket that means itself.
    fn bracket(&mut self, parts: &mut Parts) {
        let inside =
            self.rest().bytes().take(LONGEST_BRACKET).skip(2).take_while(|b| !b" \t\n;&|<>()'\"`$\\/".contains(b));
        match inside.clone().position(|byte| byte == b']') {
            Some(end) => {
                let pattern = self.rest().get(..end + 3).unwrap_or("[");
                parts.push(Part::Glob(pattern.to_owned()));
                self.at += pattern.len();
            }
            None => {
                self.at += 1;
                parts.char('[');
            }
        }
    }

    fn pattern_group(&mut self) -> Parsed<()> {
        let mut depth = 0u32;
        loop {
            match self.next().ok_or(Unclear)? {
                '(' => depth += 1,
                ')' if depth <= 1 => return Ok(()),
                ')' => depth -= 1,
                '$' | '`' | '\'' | '"' | '\\' | '\n' => return Err(Unclear),
                _ => {}
            }
        }
    }

    /// What stands in double quotes, up to `end` and past it; `None`: up to the end of the text.
    fn double_quoted(&mut self, end: Option<char>) -> Parsed<Vec<Part>> {
        let mut parts = Parts::default();
        loop {
            let rest = self.rest();
            let plain = rest.find(['"', '\\', '$', '`']).unwrap_or(rest.len());
            parts.text(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                None if end.is_none() => return Ok(parts.0),
                None => return Err(Unclear),
                Some('"') => {
                    self.at += 1;
                    if end.is_some() {
                        return Ok(parts.0);
                    }
                    parts.char('"');
                }
                Some('\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some('\n') => self.at += 1,
                        Some(c @ ('$' | '`' | '\\')) => {
                            self.at += 1;
                            parts.char(c);
                        }
                        Some('"') if end.is_some() => {
                            self.at += 1;
                            parts.char('"');
                        }
                        _ => parts.char('\\'),
                    }
                }
                Some('`') => {
                    self.at += 1;
                    parts.push(self.backticks(true)?);
                }
                Some(_) => match self.dollar(true)? {
                    Some(part) => parts.push(part),
                    None => parts.char('$'),
                },
            }
        }
    }

    /// What a `$` begins. `None`: it means itself, and was passed.
    fn dollar(&mut self, quoted: bool) -> Parsed<Option<Part>> {
        self.at += 1;
        let unknown = || Part::Unknown { quoted, inner: Vec::new() };
        Ok(Some(match self.peek() {
            Some('(') if self.looks_at("((") => {
                self.arithmetic("((", "))")?;
                // A number: it is one word and no option.
                Part::Unknown { quoted: true, inner: Vec::new() }
            }
            Some('(') => {
                self.at += 1;
                Part::Output { script: self.script()?, quoted }
            }
            Some('{') => {
                self.at += 1;
                self.braced_variable(quoted)?
            }
            Some('\'') if !quoted => {
                self.at += 1;
                self.escaped()?
            }
            // The text of a message: the quote that follows is read as any.
            Some('"') if !quoted => Part::Text(String::new()),
            Some('[') => return Err(Unclear),
            Some(c) if c.is_ascii_alphabetic() || c == '_' => Part::Variable { name: self.name().to_owned(), quoted },
            Some(c @ '0'..='9') => {
                self.at += 1;
                Part::Variable { name: c.into(), quoted }
            }
            Some('?' | '!' | '#' | '-' | '$') => {
                self.at += 1;
                Part::Unknown { quoted: true, inner: Vec::new() }
            }
            Some('@' | '*') => {
                self.at += 1;
                unknown()
            }
            _ => return Ok(None),
        }))
    }

    fn braced_variable(&mut self, quoted: bool) -> Parsed<Part> {
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let name = if digits > 0 {
            self.at += digits;
            self.text.get(self.at - digits..self.at).unwrap_or_default()
        } else {
            self.name()
        };
        if !name.is_empty() && self.eat("}") {
            return Ok(Part::Variable { name: name.to_owned(), quoted });
        }
        let inner = self.deeper(|parser| parser.inside_braces())?;
        Ok(Part::Unknown { quoted, inner })
    }

    /// The rest of `${name:-…}` up to its `}`: commands may stand in it.
    fn inside_braces(&mut self) -> Parsed<Vec<Part>> {
        let mut parts = Parts::default();
        loop {
            match self.peek().ok_or(Unclear)? {
                '}' => {
                    self.at += 1;
                    return Ok(parts.0);
                }
                '\'' => {
                    // Inside of double quotes it means itself: both are tried by taking the nearer end.
                    self.at += 1;
                    let rest = self.rest();
                    let end = rest.find(['\'', '}', '"', '`', '$']).ok_or(Unclear)?;
                    if rest[end..].starts_with('\'') {
                        self.at += end + 1;
                    } else if !rest[end..].starts_with('}') {
                        return Err(Unclear);
                    }
                }
                '"' => {
                    self.at += 1;
                    self.double_quoted(Some('"'))?.into_iter().for_each(|part| parts.push(part));
                }
                '\\' => {
                    self.at += 1;
                    self.next();
                }
                '`' => {
                    self.at += 1;
                    parts.push(self.backticks(true)?);
                }
                '$' => {
                    if let Some(part) = self.deeper(|parser| parser.dollar(true))? {
                        parts.push(part);
                    }
                }
                c => self.at += c.len_utf8(),
            }
        }
    }

    /// The inside of `$'…'`.
    fn escaped(&mut self) -> Parsed<Part> {
        let rest = self.rest();
        let mut end = 0;
        loop {
            end += rest.get(end..).and_then(|rest| rest.find(['\'', '\\'])).ok_or(Unclear)?;
            if rest[end..].starts_with('\'') {
                break;
            }
            end += 1 + rest[end + 1..].chars().next().ok_or(Unclear)?.len_utf8();
        }
        self.at += end + 1;
        Ok(match crate::escapes::decode(&rest[..end], crate::escapes::Style::Quoted) {
            Some(text) => Part::Text(text),
            None => Part::Unknown { quoted: true, inner: Vec::new() },
        })
    }

    /// A list up to `)` and past it.
    fn script(&mut self) -> Parsed<Script> {
        let before = (std::mem::take(&mut self.documents), std::mem::take(&mut self.pending));
        let list = self.list()?;
        self.skip_blanks();
        // A here-document that begins in the brackets and whose text would stand behind them is not understood.
        if !self.eat(")") || !self.pending.is_empty() {
            return Err(Unclear);
        }
        let documents = std::mem::take(&mut self.documents);
        (self.documents, self.pending) = before;
        Ok(Script { list, documents: Rc::new(documents), unclear: false })
    }

    fn backticks(&mut self, quoted: bool) -> Parsed<Part> {
        let mut inside = String::new();
        loop {
            match self.next().ok_or(Unclear)? {
                '`' => break,
                '\\' => match self.next().ok_or(Unclear)? {
                    c @ ('`' | '\\' | '$') => inside.push(c),
                    '"' if quoted => inside.push('"'),
                    c => inside.extend(['\\', c]),
                },
                c => inside.push(c),
            }
        }
        if self.depth >= DEPTH {
            return Err(Unclear);
        }
        let script = parse(&inside, self.depth + 1);
        if script.unclear { Err(Unclear) } else { Ok(Part::Output { script, quoted }) }
    }
}

fn is_special(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t'
            | '\r'
            | '\n'
            | ';'
            | '&'
            | '|'
            | '<'
            | '>'
            | '('
            | ')'
            | '\''
            | '"'
            | '\\'
            | '$'
            | '`'
            | '*'
            | '?'
            | '['
            | '{'
            | '}'
            | ','
    )
}

impl Word {
    /// The word's text where it is plain text alone.
    pub(crate) fn plain(&self) -> Option<&str> {
        match &*self.parts {
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }
}

/// Parts under construction: neighbouring texts become one.
#[derive(Default)]
struct Parts(Vec<Part>);

impl Parts {
    fn text(&mut self, text: &str) {
        match self.0.last_mut() {
            Some(Part::Text(last)) => last.push_str(text),
            _ => self.0.push(Part::Text(text.to_owned())),
        }
    }

    fn char(&mut self, c: char) {
        self.text(c.encode_utf8(&mut [0; 4]));
    }

    fn push(&mut self, part: Part) {
        match part {
            Part::Text(text) => self.text(&text),
            part => self.0.push(part),
        }
    }

    fn ends_in_glob(&self, written: &str) -> bool {
        matches!(self.0.last(), Some(Part::Glob(_))) || written.ends_with(['@', '!', '+'])
    }
}
