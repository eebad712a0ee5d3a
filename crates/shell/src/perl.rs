//! `perl -pi -e 's/…/…/'`: the arguments and scripts of Perl where it works like `sed -i`.

use regex::Regex;

use crate::field::Field;
use crate::script::{self, Script, regex};
use crate::sed::Part;

pub(crate) struct Call {
    pub(crate) script: Script,
    /// The ending of the backups.
    pub(crate) suffix: String,
    pub(crate) files: Vec<Field>,
}

/// Substitutions, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PerlScript {
    steps: Vec<Replace>,
    /// `-0777`: the file is one line.
    whole: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Replace {
    pattern: String,
    by: Vec<Part>,
    all: bool,
    flags: String,
}

/// `None`: not in place, or code that may do anything.
pub(crate) fn read(args: &[Field]) -> Option<Call> {
    let (mut prints, mut suffix, mut whole) = (false, None, false);
    let mut code: Vec<String> = Vec::new();
    let mut files: Vec<Field> = Vec::new();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        if arg.loose {
            return None;
        }
        let text = match arg.literal() {
            Some("--") => {
                files.extend(rest.by_ref().cloned());
                break;
            }
            Some(text) if text.starts_with('-') && text.len() > 1 && files.is_empty() => text,
            _ if arg.is_option() => return None,
            _ => {
                files.push(arg.clone());
                continue;
            }
        };
        let mut letters = text[1..].chars();
        while let Some(letter) = letters.next() {
            match letter {
                'p' => prints = true,
                'w' => {}
                '0' => {
                    let digits = letters.as_str().bytes().take_while(u8::is_ascii_digit).count();
                    whole |= &letters.as_str()[..digits] == "777";
                    // `-0`: lines end with NUL, which texts do not hold.
                    whole |= digits == 0;
                    if digits != 0 && !whole {
                        return None;
                    }
                    letters = letters.as_str()[digits..].chars();
                }
                'e' | 'E' => {
                    let behind = letters.as_str();
                    code.push(if behind.is_empty() { rest.next()?.literal()?.to_owned() } else { behind.to_owned() });
                    break;
                }
                'i' => {
                    suffix = Some(letters.as_str().to_owned());
                    break;
                }
                _ => return None,
            }
        }
    }
    let (true, Some(suffix)) = (prints && !code.is_empty(), suffix) else { return None };
    // Only substitutions: other code may open any file.
    let steps = Parser { rest: &code.join("\n") }.steps()?;
    let script = steps.into_iter().collect::<Option<Vec<Replace>>>().map(|steps| PerlScript { steps, whole });
    Some(Call { script: Script::of_perl(script), suffix, files })
}

struct Parser<'t> {
    rest: &'t str,
}

impl Parser<'_> {
    /// `None`: not all of it are substitutions. An inner `None` is one whose outcome is not known, and that is harmless.
    fn steps(&mut self) -> Option<Vec<Option<Replace>>> {
        let mut steps = Vec::new();
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n', ';']);
            if self.rest.is_empty() {
                return Some(steps);
            }
            steps.push(self.step()?);
            self.rest = self.rest.trim_start_matches([' ', '\t']);
            if !self.rest.is_empty() && !self.rest.starts_with([';', '\n']) {
                return None;
            }
        }
    }

    fn step(&mut self) -> Option<Option<Replace>> {
        self.rest = self.rest.strip_prefix('s')?;
        let open = self.rest.chars().next().filter(|c| c.is_ascii_punctuation() && !matches!(c, '_' | '\'' | '\\'))?;
        self.rest = &self.rest[open.len_utf8()..];
        let close = match open {
            '{' => '}',
            '(' => ')',
            '[' => ']',
            '<' => '>',
            other => other,
        };
        let pattern = self.until(open, close)?;
        if open != close {
            self.rest = self.rest.trim_start();
            self.rest = self.rest.strip_prefix(open)?;
        }
        let by = self.until(open, close)?;
        let end = self.rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(self.rest.len());
        let (flags, rest) = self.rest.split_at(end);
        self.rest = rest;
        // `e` runs code, and so do `(?{…})` and `@{[…]}`.
        if flags.contains('e')
            || pattern.contains("(?{")
            || pattern.contains("(??")
            || by.contains("@{")
            || pattern.contains("@{")
            || by.contains("${\\")
        {
            return None;
        }
        let is_known = flags.chars().all(|c| "gims".contains(c));
        let parts = replacement(&by, close);
        let interpolates = pattern.contains('@') && !pattern.contains("\\@") || has_variable(&pattern);
        Some(match parts {
            Some(by) if is_known && !interpolates && !pattern.is_empty() => Some(Replace {
                pattern: unescaped(&pattern, close),
                by,
                all: flags.contains('g'),
                flags: flags.chars().filter(|c| *c != 'g').collect(),
            }),
            _ => None,
        })
    }

    /// Up to the closing delimiter and past it; brackets nest.
    fn until(&mut self, open: char, close: char) -> Option<String> {
        let mut depth = 0u32;
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            if c == '\\' {
                chars.next();
            } else if c == close && depth == 0 {
                let text = self.rest[..at].to_owned();
                self.rest = &self.rest[at + close.len_utf8()..];
                return Some(text);
            } else if c == close {
                depth -= 1;
            } else if c == open {
                depth += 1;
            }
        }
        None
    }
}

/// A delimiter that was escaped for being one. One with a meaning of its own keeps the escape.
fn unescaped(pattern: &str, close: char) -> String {
    if "/,#!~%:;\"@=".contains(close) {
        pattern.replace(&format!("\\{close}"), &close.to_string())
    } else {
        pattern.to_owned()
    }
}

/// `$name` in a pattern is a variable; `$` before `)`, `|` and at the end is none.
fn has_variable(pattern: &str) -> bool {
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '$' if chars.peek().is_some_and(|c| !matches!(c, ')' | '|')) => return true,
            _ => {}
        }
    }
    false
}

/// `None`: variables, changes of case, escapes that are not known.
fn replacement(by: &str, close: char) -> Option<Vec<Part>> {
    let (mut parts, mut text) = (Vec::new(), String::new());
    let mut chars = by.chars().peekable();
    while let Some(c) = chars.next() {
        let mut is_bare = true;
        let group = match c {
            '@' if chars.peek().is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '{' | '$' | ':')) => {
                return None;
            }
            '$' => match chars.next()? {
                c @ '0'..='9' => c.to_digit(10)?,
                '&' => 0,
                '{' => {
                    let number = chars.next()?.to_digit(10)?;
                    if chars.next()? != '}' {
                        return None;
                    }
                    is_bare = false;
                    number
                }
                _ => return None,
            },
            '\\' => match chars.next()? {
                c @ '1'..='9' => c.to_digit(10)?,
                'n' => {
                    text.push('\n');
                    continue;
                }
                't' => {
                    text.push('\t');
                    continue;
                }
                c if c == close || !c.is_ascii_alphanumeric() => {
                    text.push(c);
                    continue;
                }
                _ => return None,
            },
            c => {
                text.push(c);
                continue;
            }
        };
        // `$10` and `$1[0]` are something else.
        if is_bare && chars.peek().is_some_and(|c| c.is_ascii_digit() || matches!(c, '[' | '{')) {
            return None;
        }
        parts.push(Part::Text(std::mem::take(&mut text)));
        parts.push(Part::Group(usize::try_from(group).ok()?));
    }
    parts.push(Part::Text(text));
    Some(parts)
}

impl PerlScript {
    pub(crate) fn compile(&self) -> Option<Ready> {
        let steps = self.steps.iter().map(|step| {
            let has_end = step.pattern.contains('$') && !step.flags.contains('m');
            // `$` also matches before a line end at the end of the text, which is kept out of what is matched; that is
            // the same only if nothing in the pattern could have taken that line end.
            let takes_line_end =
                ["\\s", "\\n", "\\W", "\\D", "\\v", "\\R", "[^", "\\H"].iter().any(|word| step.pattern.contains(word))
                    || (step.flags.contains('s') && step.pattern.contains('.'));
            if has_end && (takes_line_end || self.whole) {
                return None;
            }
            let flags: String = step.flags.chars().filter(|c| "ims".contains(*c)).collect();
            let pattern = if flags.is_empty() { step.pattern.clone() } else { format!("(?{flags}:{})", step.pattern) };
            let regex = regex(&pattern, false)?;
            // Where nothing may be matched, Perl finds it at other places: right behind a match, not behind the last line.
            let finds_nothing = |text: &str| regex.find_iter(text).any(|found| found.is_empty());
            let may_be_empty = finds_nothing("") || finds_nothing("ab c\n\n");
            if may_be_empty && (step.all || step.flags.contains('m')) {
                return None;
            }
            Some(Compiled { regex, by: step.by.clone(), all: step.all, has_end })
        });
        Some(Ready { steps: steps.collect::<Option<Vec<Compiled>>>()?, whole: self.whole })
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Ready {
    steps: Vec<Compiled>,
    whole: bool,
}

#[derive(Clone, Debug)]
struct Compiled {
    regex: Regex,
    by: Vec<Part>,
    all: bool,
    has_end: bool,
}

impl Ready {
    pub(crate) fn line(&self, line: &str) -> Option<Vec<String>> {
        if self.whole {
            return None;
        }
        let changed = self.apply(format!("{line}\n"));
        let changed = changed.strip_suffix('\n')?;
        Some(changed.split('\n').map(str::to_owned).collect())
    }

    pub(crate) fn text(&self, text: &str) -> Option<String> {
        if self.whole {
            return Some(self.apply(text.to_owned()));
        }
        Some(text.split_inclusive('\n').map(|line| self.apply(line.to_owned())).collect())
    }

    fn apply(&self, mut text: String) -> String {
        for step in &self.steps {
            let has_end = step.has_end && text.ends_with('\n');
            if has_end {
                text.pop();
            }
            if let Some(changed) = script::replace(&step.regex, &text, &step.by, step.all, 1) {
                text = changed;
            }
            if has_end {
                text.push('\n');
            }
        }
        text
    }
}
