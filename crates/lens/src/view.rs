//! For whom something is rendered: when, in which zone, with which settings, from which folder.

use std::borrow::Cow;

use trace::{Timestamp, Zone};

use crate::now::Live;

/// Everything a rendering depends on besides the log.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub now: Timestamp,
    pub zone: &'a dyn Zone,
    pub settings: Settings,
    /// The repository's or workspace's folder: paths below it are written relative to it.
    pub root: Option<&'a str>,
    /// The person's home: other paths below it begin with `~/`.
    pub home: Option<&'a str>,
    /// What the session does at this moment. Only the session's document shows it.
    pub live: Option<&'a Live>,
}

/// The settings `document.*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Lines of a tool's output that are shown before the cut.
    pub output_lines: u32,
    pub show_thinking: Thinking,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { output_lines: 12, show_thinking: Thinking::Folded }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thinking {
    /// Three lines.
    Folded,
    /// Whole.
    Open,
    Hidden,
}

impl View<'_> {
    /// A path as it is shown: relative to the root, else to the home, with `/` between its parts.
    pub fn path<'p>(&self, path: &'p str) -> Cow<'p, str> {
        let path = slashes(path);
        if let Some(inner) = self.root.and_then(|root| below(&path, root)) {
            return Cow::Owned(inner.to_owned());
        }
        self.below_home(path)
    }

    /// A folder as the header shows it: with `~`, never relative.
    pub(crate) fn folder<'p>(&self, path: &'p str) -> Cow<'p, str> {
        self.below_home(slashes(path))
    }

    fn below_home<'p>(&self, path: Cow<'p, str>) -> Cow<'p, str> {
        match self.home.and_then(|home| below(&path, home)) {
            Some(inner) => Cow::Owned(format!("~/{inner}")),
            None => path,
        }
    }
}

/// Windows paths with `/`; others as they are, where `\` may be part of a name.
fn slashes(path: &str) -> Cow<'_, str> {
    let bytes = path.as_bytes();
    let has_drive = bytes.first().is_some_and(u8::is_ascii_alphabetic) && bytes.get(1) == Some(&b':');
    match (has_drive || path.starts_with("\\\\")) && path.contains('\\') {
        true => Cow::Owned(path.replace('\\', "/")),
        false => Cow::Borrowed(path),
    }
}

fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    let folder = slashes(folder);
    let inner = path.strip_prefix(folder.trim_end_matches('/'))?.strip_prefix('/')?;
    (!inner.is_empty()).then_some(inner)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::fixture::view;

    fn check(path: &str, expect: Expect) {
        expect.assert_eq(&view().path(path));
    }

    #[test]
    fn paths() {
        check("/home/anna/src/fetchd/src/a.rs", expect!["src/a.rs"]);
        check("/home/anna/src/fetchd2/src/a.rs", expect!["~/src/fetchd2/src/a.rs"]);
        check("/home/anna/src/fetchd", expect!["~/src/fetchd"]);
        check("/etc/hosts", expect!["/etc/hosts"]);
        check("src/a.rs", expect!["src/a.rs"]);
        check("C:\\code\\a.rs", expect!["C:/code/a.rs"]);
        check("/odd\\name", expect!["/odd\\name"]);
    }
}
