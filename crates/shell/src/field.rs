//! Words after expansion: what is known of the arguments that a program sees, and of the paths they name.

use trace::Target;

/// One argument.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Field {
    pub(crate) pieces: Vec<Piece>,
    /// It may be any number of arguments, also options.
    pub(crate) loose: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    Text(String),
    /// A shell pattern.
    Glob(String),
    /// Any text at all.
    Any,
    /// The folder in which the command line began.
    Start,
    /// The home folder.
    Home,
}

/// Where relative paths lie.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Folder {
    /// Absolute, below `~`, or relative to where the command line began (empty: there).
    Known(String),
    Unknown,
}

impl Field {
    pub(crate) fn text(text: impl Into<String>) -> Field {
        Field { pieces: vec![Piece::Text(text.into())], loose: false }
    }

    pub(crate) fn any() -> Field {
        Field { pieces: vec![Piece::Any], loose: false }
    }

    pub(crate) fn loose() -> Field {
        Field { pieces: vec![Piece::Any], loose: true }
    }

    pub(crate) fn glob(folder: &str, pattern: &str) -> Field {
        Field { pieces: vec![Piece::Text(folder.into()), Piece::Glob(pattern.into())], loose: false }
    }

    pub(crate) fn push_text(&mut self, text: &str) {
        if let Some(Piece::Text(last)) = self.pieces.last_mut() {
            last.push_str(text);
        } else if !text.is_empty() {
            self.pieces.push(Piece::Text(text.to_owned()));
        }
    }

    pub(crate) fn push(&mut self, piece: Piece) {
        match piece {
            Piece::Text(text) => self.push_text(&text),
            Piece::Any if self.pieces.last() == Some(&Piece::Any) => {}
            piece => self.pieces.push(piece),
        }
    }

    /// The argument where all of it is known.
    pub(crate) fn literal(&self) -> Option<&str> {
        match &*self.pieces {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    pub(crate) fn is(&self, text: &str) -> bool {
        self.literal() == Some(text)
    }

    /// What it begins with, as far as that is known.
    pub(crate) fn head(&self) -> &str {
        match self.pieces.first() {
            Some(Piece::Text(text)) => text,
            _ => "",
        }
    }

    /// Whether it begins like an option. What nobody knows is none if it is quoted.
    pub(crate) fn is_option(&self) -> bool {
        self.head().starts_with('-') && !self.is("-")
    }

    /// Whether it is a name of a file rather than any other word.
    pub(crate) fn looks_like_path(&self) -> bool {
        let text = self.head();
        let known = || {
            let name = text.rsplit('/').next().unwrap_or_default();
            let has_ending = name.rsplit_once('.').is_some_and(|(stem, ending)| {
                !stem.is_empty() && (1..=8).contains(&ending.len()) && ending.bytes().all(|b| b.is_ascii_alphanumeric())
            });
            (has_ending || text.contains('/')) && !text.contains("://") && !text.contains([' ', '\n'])
        };
        !self.is_option() && (self.pieces.iter().any(|piece| !matches!(piece, Piece::Text(_))) || known())
    }

    /// The files that it names.
    pub(crate) fn target(&self, folder: &Folder) -> Target {
        if let Some(last) = self.pieces.iter().rposition(|piece| *piece == Piece::Any) {
            return ending("", &self.pieces[last + 1..]);
        }
        let (from_start, from_home) = match self.pieces.first() {
            Some(Piece::Start) => (true, false),
            Some(Piece::Home) => (false, true),
            _ => (false, false),
        };
        let is_glob = self.pieces.iter().any(|piece| matches!(piece, Piece::Glob(_)));
        let mut name = if from_home { "~".to_owned() } else { String::new() };
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) if is_glob => push_escaped(&mut name, text),
                Piece::Text(text) => name.push_str(text),
                Piece::Glob(pattern) => name.push_str(pattern),
                Piece::Start | Piece::Home | Piece::Any => {}
            }
        }
        if from_start {
            name = name.trim_start_matches('/').to_owned();
        }
        let start = Folder::Known(String::new());
        let folder = if from_start { &start } else { folder };
        // A file of this name, not home.
        if name.starts_with('~') && !from_home {
            name.insert_str(0, "./");
        }
        match join(folder, &name, is_glob) {
            Some(path) if is_glob => Target::Glob(path.into()),
            Some(path) => Target::Path(path.into()),
            None => ending("/", &self.pieces),
        }
    }

    /// The folder that it names.
    pub(crate) fn folder(&self, from: &Folder) -> Folder {
        match self.target(from) {
            Target::Path(path) => Folder::Known(path.into()),
            _ => Folder::Unknown,
        }
    }
}

impl Folder {
    pub(crate) fn target(&self) -> Target {
        match self {
            Folder::Known(path) => Target::Path(path.as_str().into()),
            Folder::Unknown => Target::Ending("".into()),
        }
    }
}

fn push_escaped(pattern: &mut String, text: &str) {
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
}

pub(crate) fn is_absolute(path: &str) -> bool {
    let bytes = path.as_bytes();
    let has_drive = || bytes.get(1) == Some(&b':') && bytes.first().is_some_and(u8::is_ascii_alphabetic);
    path.starts_with('/') || has_drive()
}

/// `name` as seen from where the command line began, without `.` and with `..` only at the beginning. `None`: nobody
/// knows.
fn join(folder: &Folder, name: &str, is_glob: bool) -> Option<String> {
    let is_home = |path: &str| path == "~" || path.starts_with("~/");
    let whole = if is_absolute(name) || is_home(name) {
        name.to_owned()
    } else {
        match folder {
            Folder::Unknown => return None,
            Folder::Known(folder) if folder.is_empty() => name.to_owned(),
            Folder::Known(folder) if is_glob => {
                let mut whole = String::new();
                push_escaped(&mut whole, folder);
                format!("{whole}/{name}")
            }
            Folder::Known(folder) => format!("{folder}/{name}"),
        }
    };
    normal(&whole, is_glob)
}

fn normal(path: &str, is_glob: bool) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => match names.last() {
                Some(&"..") | None => {
                    if !path.starts_with('/') {
                        names.push("..");
                    }
                }
                // The folder above home, or above one of several.
                Some(&"~") => return None,
                Some(last) if is_glob && last.contains("**") => return None,
                Some(_) => {
                    names.pop();
                }
            },
            name => names.push(name),
        }
    }
    let joined = names.join("/");
    Some(if path.starts_with('/') { format!("/{joined}") } else { joined })
}

/// What is known of a path that ends in these pieces: `before` stands right before them, what is before that is not
/// known.
fn ending(before: &str, pieces: &[Piece]) -> Target {
    let mut text = before.to_owned();
    for piece in pieces {
        match piece {
            Piece::Text(more) => text.push_str(more),
            // Nothing before it is certain.
            Piece::Glob(_) | Piece::Any | Piece::Start | Piece::Home => text.clear(),
        }
    }
    let text = text.trim_end_matches('/');
    let (mut known, mut rest) = ("", text);
    loop {
        let (above, name) = rest.rsplit_once('/').map_or((None, rest), |(above, name)| (Some(above), name));
        let is_name = !matches!(name, "." | "..") && (!name.is_empty() || above.is_none());
        match above {
            _ if !is_name => break,
            Some(above) => (known, rest) = (text.get(above.len()..).unwrap_or_default(), above),
            // The end of a name whose beginning is not known.
            None => {
                known = text;
                break;
            }
        }
    }
    Target::Ending(known.into())
}
