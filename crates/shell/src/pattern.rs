//! Patterns of `sed` (basic and extended ones of POSIX, with GNU's additions) as patterns of the `regex` crate.

/// `None`: it has no equal there: references to groups, alternatives of which POSIX takes the longest.
pub(crate) fn convert(pattern: &str, extended: bool) -> Option<String> {
    let mut converter =
        Converter { chars: pattern.chars().peekable(), extended, out: String::new(), groups: vec![Group::default()] };
    converter.run()?;
    match &*converter.groups {
        [group] if group.is_plain() => Some(converter.out),
        _ => None,
    }
}

struct Converter<'p> {
    chars: std::iter::Peekable<std::str::Chars<'p>>,
    extended: bool,
    out: String,
    groups: Vec<Group>,
}

/// A group under construction, for the alternatives in it.
#[derive(Default)]
struct Group {
    /// What each alternative before this one begins with, and all of it where it is plain text.
    before: Vec<Alternative>,
    now: Alternative,
    /// Something stands before in this alternative; whether it can be repeated.
    state: State,
}

#[derive(Default)]
struct Alternative {
    /// The literal characters at its beginning.
    head: String,
    /// Nothing else stands in it.
    is_text: bool,
    /// The head is over.
    is_over: bool,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum State {
    #[default]
    Start,
    Atom,
    Repeated,
}

impl Group {
    /// Whether it does not matter which alternative is tried first: no two can match at one place, or none is the
    /// beginning of another.
    fn is_plain(&self) -> bool {
        let all: Vec<&Alternative> = self.before.iter().chain([&self.now]).collect();
        let agree = |a: &Alternative, b: &Alternative| match (a.head.chars().next(), b.head.chars().next()) {
            (Some(first), Some(second)) if first != second => true,
            (Some(_), Some(_)) => {
                let is_text = a.is_text && !a.is_over && b.is_text && !b.is_over;
                is_text && !a.head.starts_with(&b.head) && !b.head.starts_with(&a.head)
            }
            _ => false,
        };
        all.iter().enumerate().all(|(n, a)| all[n + 1..].iter().all(|b| agree(a, b)))
    }

    fn literal(&mut self, c: char) {
        if !self.now.is_over {
            self.now.head.push(c);
            self.now.is_text = true;
        }
        self.state = State::Atom;
    }

    fn other(&mut self, state: State) {
        self.now.is_over = true;
        self.state = state;
    }

    /// What was last may be missing.
    fn repeat(&mut self) {
        if !self.now.is_over {
            self.now.head.pop();
        }
        self.other(State::Repeated);
    }
}

impl Converter<'_> {
    fn group(&mut self) -> Option<&mut Group> {
        self.groups.last_mut()
    }

    fn run(&mut self) -> Option<()> {
        while let Some(c) = self.chars.next() {
            match c {
                '\\' => self.escape()?,
                '[' => self.bracket()?,
                '.' => {
                    // Also a line end, which stands in what `N` joined.
                    self.out.push_str("(?s:.)");
                    self.group()?.other(State::Atom);
                }
                '*' => self.repeat("*")?,
                '^' if self.extended || self.group()?.state == State::Start => {
                    self.out.push_str(r"\A");
                    self.group()?.now.is_over = true;
                }
                '$' if self.is_at_end() => {
                    self.out.push_str(r"\z");
                    self.group()?.now.is_over = true;
                }
                '(' if self.extended => self.open()?,
                ')' if self.extended => self.close()?,
                '|' if self.extended => self.alternative()?,
                '+' if self.extended => self.repeat("+")?,
                '?' if self.extended => self.repeat("?")?,
                '{' if self.extended => self.interval("}")?,
                c => self.literal(c)?,
            }
        }
        Some(())
    }

    fn literal(&mut self, c: char) -> Option<()> {
        if regex::escape(c.encode_utf8(&mut [0; 4])).len() > c.len_utf8() {
            self.out.push('\\');
        }
        self.out.push(c);
        self.group()?.literal(c);
        Some(())
    }

    fn is_at_end(&mut self) -> bool {
        let mut ahead = self.chars.clone();
        match ahead.next() {
            None => true,
            Some('\\') if !self.extended => matches!(ahead.next(), Some(')' | '|')),
            // Elsewhere it is an anchor that nothing can follow.
            Some(_) => self.extended,
        }
    }

    fn escape(&mut self) -> Option<()> {
        let c = self.chars.next()?;
        match c {
            '(' if !self.extended => self.open(),
            ')' if !self.extended => self.close(),
            '|' if !self.extended => self.alternative(),
            '{' if !self.extended => self.interval("\\}"),
            '+' if !self.extended => self.repeat("+"),
            '?' if !self.extended => self.repeat("?"),
            'n' => self.literal('\n'),
            't' => self.literal('\t'),
            'w' | 'W' | 's' | 'S' => {
                self.out.extend(['\\', c]);
                self.group()?.other(State::Atom);
                Some(())
            }
            'b' | 'B' => {
                self.out.extend(['\\', c]);
                self.group()?.now.is_over = true;
                Some(())
            }
            '<' | '>' => {
                self.out.push_str(if c == '<' { r"\b{start}" } else { r"\b{end}" });
                self.group()?.now.is_over = true;
                Some(())
            }
            c if c.is_ascii_alphanumeric() || matches!(c, '`' | '\'') => None,
            c => self.literal(c),
        }
    }

    fn open(&mut self) -> Option<()> {
        self.out.push('(');
        self.group()?.now.is_over = true;
        self.groups.push(Group::default());
        Some(())
    }

    fn close(&mut self) -> Option<()> {
        self.out.push(')');
        let group = self.groups.pop()?;
        if !group.is_plain() {
            return None;
        }
        self.group()?.other(State::Atom);
        Some(())
    }

    fn alternative(&mut self) -> Option<()> {
        self.out.push('|');
        let group = self.group()?;
        let done = std::mem::take(&mut group.now);
        group.before.push(done);
        group.state = State::Start;
        Some(())
    }

    fn repeat(&mut self, sign: &str) -> Option<()> {
        let state = self.group()?.state;
        match state {
            // At the beginning it is a star.
            State::Start if sign == "*" && !self.extended => self.literal('*'),
            // Twice: here it would mean as little as possible.
            State::Start | State::Repeated => None,
            State::Atom => {
                self.out.push_str(sign);
                self.group()?.repeat();
                Some(())
            }
        }
    }

    fn interval(&mut self, end: &str) -> Option<()> {
        if self.group()?.state != State::Atom {
            return None;
        }
        let mut inside = String::new();
        loop {
            match self.chars.next()? {
                '}' if end == "}" => break,
                '\\' if end == "\\}" && self.chars.next()? == '}' => break,
                c @ ('0'..='9' | ',') if inside.len() < 8 => inside.push(c),
                _ => return None,
            }
        }
        let low = if inside.starts_with(',') { "0" } else { "" };
        self.out.push_str(&format!("{{{low}{inside}}}"));
        self.group()?.repeat();
        Some(())
    }

    fn bracket(&mut self) -> Option<()> {
        self.out.push('[');
        if self.chars.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut is_first = true;
        loop {
            match self.chars.next()? {
                ']' if !is_first => break,
                '[' if matches!(self.chars.peek(), Some(':')) => self.class()?,
                '[' if matches!(self.chars.peek(), Some('.' | '=')) => return None,
                '-' => {
                    let is_range = !is_first && self.chars.peek().is_some_and(|c| *c != ']');
                    self.out.push_str(if is_range { "-" } else { r"\-" });
                }
                '\\' => match self.chars.peek() {
                    Some('n') => {
                        self.chars.next();
                        self.out.push_str(r"\n");
                    }
                    Some('t') => {
                        self.chars.next();
                        self.out.push_str(r"\t");
                    }
                    Some(']') => self.out.push_str(r"\\"),
                    Some(c) if c.is_ascii_alphanumeric() => return None,
                    _ => self.out.push_str(r"\\"),
                },
                c => {
                    if matches!(c, '[' | ']' | '&' | '~' | '^') {
                        self.out.push('\\');
                    }
                    self.out.push(c);
                }
            }
            is_first = false;
        }
        self.out.push(']');
        self.group()?.other(State::Atom);
        Some(())
    }

    /// `[:alpha:]` inside of a bracket.
    fn class(&mut self) -> Option<()> {
        let name: String = self.chars.clone().skip(1).take_while(char::is_ascii_alphabetic).collect();
        let known = [
            "alpha", "digit", "alnum", "upper", "lower", "space", "blank", "punct", "print", "graph", "cntrl", "xdigit",
        ];
        if !known.contains(&&*name) || !self.chars.clone().skip(1 + name.len()).take(2).eq([':', ']']) {
            return None;
        }
        self.out.push_str(&format!("[:{name}:]"));
        self.chars.nth(name.len() + 2);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(pattern: &str, expect: Expect) {
        let show = |extended| convert(pattern, extended).unwrap_or_else(|| "-".into());
        expect.assert_eq(&format!("{}  {}", show(false), show(true)));
    }

    #[test]
    fn basic_and_extended() {
        check("a.c", expect![[r"a(?s:.)c  a(?s:.)c"]]);
        check("f(x)", expect![[r"f\(x\)  f(x)"]]);
        check(r"\(a*\)b\+", expect![[r"(a*)b+  \(a*\)b\+"]]);
        check("a+|b?", expect![[r"a\+\|b\?  -"]]);
        check("*a^b$c", expect![[r"\*a\^b\$c  -"]]);
        check("^[^]a-z[:space:]]*$", expect![[r"\A[^\]a-z[:space:]]*\z  \A[^\]a-z[:space:]]*\z"]]);
        check(r"[\.]\<w\>", expect![[r"[\\.]\b{start}w\b{end}  [\\.]\b{start}w\b{end}"]]);
        check("a{2,}", expect![[r"a\{2,\}  a{2,}"]]);
        check(r"\{a\}", expect![[r"-  \{a\}"]]);
    }

    #[test]
    fn what_posix_would_match_otherwise_is_left_alone() {
        check("(foo|bar)", expect![[r"\(foo\|bar\)  (foo|bar)"]]);
        check("(a|ab)", expect![[r"\(a\|ab\)  -"]]);
        check("x|[ab]", expect![[r"x\|[ab]  -"]]);
        check("fo*|bar", expect![[r"fo*\|bar  fo*|bar"]]);
        check(r"\(a\)\1", expect!["-  -"]);
        check("a**", expect!["-  -"]);
        check("a+?", expect![[r"a\+\?  -"]]);
    }
}
