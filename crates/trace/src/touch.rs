//! What a command may have done to files, without its texts: enough to pass over the steps that cannot have touched a
//! file, without reading their bodies.

use std::sync::Arc;

use bitcode::{Decode, Encode};

/// The touches of one step. A step that only reads has none (see [`crate::Step::touches`]).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Touches {
    /// The folder in which the command began, where the log tells it.
    pub cwd: Option<Arc<str>>,
    pub list: Box<[Touch]>,
}

impl Touches {
    /// What the step may have done to this file. `path` is absolute and without `.` and `..`.
    pub fn of<'t>(&'t self, path: &'t str) -> impl Iterator<Item = TouchKind> + 't {
        let touches = self.list.iter().filter(move |touch| touch.covers(path, self.cwd.as_deref()));
        touches.map(|touch| touch.kind)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Touch {
    pub kind: TouchKind,
    /// The files that may have been changed, and all below them where they are folders. `None`: any file.
    pub targets: Option<Box<[Target]>>,
}

impl Touch {
    pub fn covers(&self, path: &str, cwd: Option<&str>) -> bool {
        self.targets.as_ref().is_none_or(|targets| targets.iter().any(|target| target.covers(path, cwd)))
    }
}

/// How a file may have been changed. Of all but [`TouchKind::Build`] and [`TouchKind::Program`] the command line tells
/// more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub enum TouchKind {
    /// Written anew or appended to.
    Write,
    /// Edited line by line: `sed -i`.
    Substitute,
    /// By a formatter.
    Format,
    Move,
    Copy,
    Remove,
    /// Brought to another state that git knows.
    Git,
    /// By a build or test tool, which may write generated files and normally writes no source.
    Build,
    /// By a program that is not known to only read.
    Program,
}

/// Files that a command line names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Target {
    /// A file or folder: absolute, below home (`~/…`) or relative to the folder in which the command began. Without
    /// `.`, and with `..` only at the beginning.
    Path(Box<str>),
    /// A shell pattern of the same form, with `*` and `?` for anything inside a name, `**` for any folders, `[…]` for
    /// one character and `\` before a character that means itself: `src/**/*.rs`.
    Glob(Box<str>),
    /// Only the end of the path is known: `/src/a.rs`, `.rs`. Empty: nothing is known.
    Ending(Box<str>),
}

impl Target {
    /// Whether this certainly names the file: nothing of its path is unknown, and it is the same letter by letter, or
    /// matches. `path` and `cwd` as in [`Target::covers`], which says what *may* be named.
    pub fn names(&self, path: &str, cwd: Option<&str>) -> bool {
        match self {
            Target::Path(_) => self.place(cwd).is_some_and(|named| named == path.replace('\\', "/")),
            Target::Glob(pattern) => absolute(pattern, cwd).is_some() && self.covers(path, cwd),
            Target::Ending(_) => false,
        }
    }

    /// The one path that this certainly names, absolute and as it is spelled, with `/` between names.
    pub fn place(&self, cwd: Option<&str>) -> Option<String> {
        let slashes = |path: &str| path.replace('\\', "/");
        match self {
            Target::Path(named) => joined(&slashes(named), cwd.map(slashes).as_deref()),
            Target::Glob(_) | Target::Ending(_) => None,
        }
    }

    /// Whether the file may be one of these or lie below one. `path` is absolute and without `.` and `..`; `cwd` is the
    /// folder in which the command began. Case is not told apart, for many file systems do not either; symbolic links
    /// are the caller's.
    pub fn covers(&self, path: &str, cwd: Option<&str>) -> bool {
        let path = normal(path);
        match self {
            Target::Path(named) => covers_path(&normal(named), &path, cwd),
            Target::Glob(pattern) => match absolute(&pattern.to_lowercase(), cwd) {
                Some(pattern) => matches_segments(&segments(&in_drive(&pattern, &path)), &segments(&path)),
                None => {
                    let loose = format!("**/{}", without_parents(&pattern.to_lowercase()));
                    matches_segments(&segments(&loose), &segments(&path))
                }
            },
            Target::Ending(end) => {
                let end = normal(end);
                path.ends_with(&end) || path.contains(&format!("{end}/"))
            }
        }
    }
}

fn covers_path(named: &str, path: &str, cwd: Option<&str>) -> bool {
    let is_at_or_below = |folder: &str| {
        let folder = folder.trim_end_matches('/');
        path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    match absolute(named, cwd) {
        Some(named) => is_at_or_below(&in_drive(&named, path)),
        // Where the command began is not known: any folder may be it.
        None => {
            let tail = without_parents(named);
            tail.is_empty() || path.ends_with(&format!("/{tail}")) || path.contains(&format!("/{tail}/"))
        }
    }
}

/// Lower case and `/` between names, so that what one file system takes for the same is the same.
fn normal(path: &str) -> String {
    let lower = path.to_lowercase();
    if lower.contains('\\') { lower.replace('\\', "/") } else { lower }
}

fn is_absolute(path: &str) -> bool {
    path.starts_with('/') || path.as_bytes().get(1) == Some(&b':')
}

/// `named` from the root on, in lower case where it is relative. `None`: what it begins with is not known.
fn absolute(named: &str, cwd: Option<&str>) -> Option<String> {
    joined(named, cwd.map(normal).as_deref())
}

/// The same as it is spelled.
fn joined(named: &str, cwd: Option<&str>) -> Option<String> {
    if is_absolute(named) {
        return Some(named.to_owned());
    }
    if named == "~" || named.starts_with("~/") {
        return None;
    }
    let cwd = cwd?;
    let (mut folder, mut rest) = (cwd.trim_end_matches('/'), named);
    while let Some(after) = rest.strip_prefix("..") {
        folder = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
        rest = after.strip_prefix('/').unwrap_or(after);
    }
    Some(if rest.is_empty() { folder.to_owned() } else { format!("{folder}/{rest}") })
}

/// What is known of a path for certain where its beginning is not.
fn without_parents(named: &str) -> &str {
    let mut rest = named.strip_prefix('~').map_or(named, |rest| rest.trim_start_matches('/'));
    while let Some(after) = rest.strip_prefix("..") {
        rest = after.trim_start_matches('/');
    }
    rest
}

/// `/d/x` and `/mnt/d/x` as `d:/x` where the other path is spelled like that: shells on Windows name drives so.
fn in_drive<'n>(named: &'n str, path: &str) -> std::borrow::Cow<'n, str> {
    let Some((drive, _)) = path.split_once(":/").filter(|(drive, _)| drive.len() == 1) else { return named.into() };
    let behind = named.strip_prefix("/mnt/").or_else(|| named.strip_prefix("/cygdrive/"));
    match behind.or_else(|| named.strip_prefix('/')).and_then(|rest| rest.strip_prefix(drive)) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{drive}:{rest}").into(),
        _ => named.into(),
    }
}

fn segments(path: &str) -> Vec<&str> {
    path.split('/').filter(|segment| !segment.is_empty()).collect()
}

/// Whether the pattern matches the path or a folder above it.
fn matches_segments(pattern: &[&str], path: &[&str]) -> bool {
    // reached[n]: what was seen of the pattern so far matches the first n names.
    let mut reached = vec![false; path.len() + 1];
    reached[0] = true;
    for segment in pattern {
        if *segment == "**" {
            let mut any = false;
            reached.iter_mut().for_each(|at| {
                any |= *at;
                *at = any;
            });
        } else {
            for n in (0..path.len()).rev() {
                reached[n + 1] = reached[n] && matches_name(segment, path[n]);
            }
            reached[0] = false;
        }
    }
    reached.contains(&true)
}

fn matches_name(pattern: &str, name: &str) -> bool {
    // A pattern that matches no file stays as it is, and is then a name.
    if pattern.contains('[') && pattern.replace('\\', "") == name {
        return true;
    }
    let pattern = pieces(pattern);
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n, mut back) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some(Piece::Many) => {
                back = Some((p, n));
                p += 1;
            }
            Some(piece) if *piece == Piece::One || *piece == Piece::Char(name[n]) => (p, n) = (p + 1, n + 1),
            _ => match back {
                Some((star, from)) => {
                    back = Some((star, from + 1));
                    (p, n) = (star + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|piece| *piece == Piece::Many)
}

#[derive(PartialEq)]
enum Piece {
    Many,
    One,
    Char(char),
}

fn pieces(pattern: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        pieces.push(match c {
            '*' => Piece::Many,
            '?' => Piece::One,
            '\\' => Piece::Char(chars.next().unwrap_or('\\')),
            // Which characters it names is not looked at: to match too much is safe.
            '[' if chars.as_str().contains(']') => {
                let inside = chars.as_str().get(1..).and_then(|rest| rest.find(']')).map_or(0, |at| at + 2);
                chars = chars.as_str().get(inside..).unwrap_or_default().chars();
                Piece::One
            }
            c => Piece::Char(c),
        });
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    /// Which of the paths the target covers, for a command that began in `/repo`.
    fn check(target: Target, paths: &[&str], expect: Expect) {
        let covered: Vec<&str> = paths.iter().copied().filter(|path| target.covers(path, Some("/repo"))).collect();
        expect.assert_eq(&covered.join(" "));
    }

    #[test]
    fn what_is_certainly_named() {
        let path = |path: &str| Target::Path(path.into());
        let names = |target: &Target, cwd| target.names("/repo/src/a.rs", cwd);
        for named in [path("src/a.rs"), path("/repo/src/a.rs"), Target::Glob("src/*.rs".into())] {
            assert!(names(&named, Some("/repo")), "{named:?}");
        }
        // All of these may be the file.
        for perhaps in [path("src"), path("SRC/a.rs"), path("~/src/a.rs"), Target::Ending("/a.rs".into())] {
            assert!(perhaps.covers("/repo/src/a.rs", Some("/repo")) && !names(&perhaps, Some("/repo")), "{perhaps:?}");
        }
        for unknown_folder in [path("src/a.rs"), Target::Glob("src/*.rs".into())] {
            assert!(unknown_folder.covers("/repo/src/a.rs", None) && !names(&unknown_folder, None));
        }
    }

    #[test]
    fn paths() {
        let paths = ["/repo/src/a.rs", "/repo/src/b/a.rs", "/repo/a.rs", "/a.rs", "/repo/SRC/A.RS", "/other/src/a.rs"];
        check(Target::Path("src/a.rs".into()), &paths, expect!["/repo/src/a.rs /repo/SRC/A.RS"]);
        check(Target::Path("src".into()), &paths, expect!["/repo/src/a.rs /repo/src/b/a.rs /repo/SRC/A.RS"]);
        check(Target::Path("../a.rs".into()), &paths, expect!["/a.rs"]);
        check(Target::Path("../other".into()), &paths, expect!["/other/src/a.rs"]);
        check(Target::Path("".into()), &paths, expect!["/repo/src/a.rs /repo/src/b/a.rs /repo/a.rs /repo/SRC/A.RS"]);
        check(
            Target::Path("~/src".into()),
            &paths,
            expect!["/repo/src/a.rs /repo/src/b/a.rs /repo/SRC/A.RS /other/src/a.rs"],
        );
        check(Target::Ending("/src/a.rs".into()), &paths, expect!["/repo/src/a.rs /repo/SRC/A.RS /other/src/a.rs"]);
        check(Target::Ending("src".into()), &paths[..2], expect!["/repo/src/a.rs /repo/src/b/a.rs"]);
    }

    #[test]
    fn patterns() {
        let paths = ["/repo/src/a.rs", "/repo/src/b/a.rs", "/repo/a.rs", "/repo/a*.rs", "/repo/src/a.md"];
        check(Target::Glob("src/*.rs".into()), &paths, expect!["/repo/src/a.rs"]);
        check(Target::Glob("src/**/*.rs".into()), &paths, expect!["/repo/src/a.rs /repo/src/b/a.rs"]);
        check(Target::Glob(r"a\*.rs".into()), &paths, expect!["/repo/a*.rs"]);
        check(Target::Glob("[!x]??s".into()), &paths, expect!["/repo/a.rs"]);
        check(Target::Glob("[ab]".into()), &["/repo/[ab]", "/repo/a", "/repo/ab"], expect!["/repo/[ab] /repo/a"]);
        check(Target::Glob("s*".into()), &paths, expect!["/repo/src/a.rs /repo/src/b/a.rs /repo/src/a.md"]);
        check(Target::Glob("**".into()), &paths[..2], expect!["/repo/src/a.rs /repo/src/b/a.rs"]);
    }

    #[test]
    fn unknown_folders_and_drives() {
        assert!(Target::Path("src/a.rs".into()).covers("/x/src/a.rs", None));
        assert!(!Target::Path("src/a.rs".into()).covers("/x/a.rs", None));
        assert!(Target::Path("../../a.rs".into()).covers("/x/a.rs", None));
        assert!(Target::Glob("../*.rs".into()).covers("/x/a.rs", None));
        assert!(Target::Path("/d/repo/a.rs".into()).covers(r"D:\repo\a.rs", None));
        assert!(Target::Path("/mnt/d/repo/a.rs".into()).covers("d:/repo/a.rs", None));
        assert!(Target::Path("src/a.rs".into()).covers(r"D:\repo\src\a.rs", Some(r"D:\repo")));
        assert!(!Target::Path("/d/repo/a.rs".into()).covers("/repo/a.rs", None));
    }

    #[test]
    fn of_a_step() {
        let write = Touch { kind: TouchKind::Write, targets: Some(Box::new([Target::Path("a.rs".into())])) };
        let build = Touch { kind: TouchKind::Build, targets: None };
        let touches = Touches { cwd: Some("/repo".into()), list: Box::new([write, build]) };
        assert_eq!(touches.of("/repo/a.rs").collect::<Vec<_>>(), [TouchKind::Write, TouchKind::Build]);
        assert_eq!(touches.of("/repo/b.rs").collect::<Vec<_>>(), [TouchKind::Build]);
    }
}
