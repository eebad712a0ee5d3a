//! The patches of `apply_patch`, as the model writes them, and where they stand in commands and scripts.

use std::borrow::Cow;
use std::sync::Arc;

use trace::{Change, EditStub, Replacement};

use crate::paths::absolute;
use crate::unified;

const BEGIN: &str = "*** Begin Patch";
const END: &str = "*** End Patch";
const FILE: [(&str, Verb); 3] =
    [("*** Add File: ", Verb::Add), ("*** Update File: ", Verb::Update), ("*** Delete File: ", Verb::Delete)];
const MOVE: &str = "*** Move to: ";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Add,
    Update,
    Delete,
}

/// What a patch asks for in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FilePatch<'p> {
    pub(super) verb: Verb,
    pub(super) path: &'p str,
    pub(super) moved_to: Option<&'p str>,
    /// The lines of each hunk with their signs; of a file that is added one hunk of `+` lines.
    hunks: Vec<Vec<&'p str>>,
}

/// The files of every patch in `text`, in their order. What is no patch is passed over.
pub(super) fn read(text: &str) -> Vec<FilePatch<'_>> {
    let mut files: Vec<FilePatch<'_>> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let marker = line.trim();
        if marker.ends_with(BEGIN) && !inside {
            // Behind the name of the command and an opening quote, too.
            inside = true;
        } else if marker.starts_with(END) {
            inside = false;
        } else if inside {
            take_line(line, &mut files);
        }
    }
    files
}

fn take_line<'p>(line: &'p str, files: &mut Vec<FilePatch<'p>>) {
    if let Some((path, verb)) = FILE.iter().find_map(|(marker, verb)| Some((line.strip_prefix(marker)?, *verb))) {
        files.push(FilePatch { verb, path: path.trim(), moved_to: None, hunks: Vec::new() });
        return;
    }
    let Some(file) = files.last_mut() else { return };
    if let Some(path) = line.strip_prefix(MOVE) {
        file.moved_to = Some(path.trim());
    } else if line.starts_with("@@") {
        file.hunks.push(Vec::new());
    } else if line.starts_with("***") {
        // `*** End of File` says where the hunk stands, not what is in it.
    } else if line.starts_with(['+', '-', ' ']) || line.is_empty() {
        match file.hunks.last_mut() {
            Some(hunk) => hunk.push(line),
            None => file.hunks.push(vec![line]),
        }
    }
}

/// The patches that a command line hands to `apply_patch`: by a here-document or as its argument.
pub(super) fn in_command(command: &str) -> Option<&str> {
    let at = command.find("apply_patch").or_else(|| command.find("applypatch"))?;
    command[at..].contains(BEGIN).then(|| &command[at..])
}

/// The folder that `cd FOLDER && apply_patch …` goes to first.
pub(super) fn folder_of_command(command: &str) -> Option<&str> {
    let (folder, behind) = command.trim_start().strip_prefix("cd ")?.split_once("&&")?;
    let name = behind.trim_start();
    (name.starts_with("apply_patch") || name.starts_with("applypatch")).then(|| folder.trim().trim_matches(['"', '\'']))
}

/// The files that patches inside the strings of a script name. Their texts are not taken from there: escapes and
/// concatenations are the script's own.
pub(super) fn files_in_script(script: &str) -> Vec<String> {
    let mut found: Vec<(usize, &str)> = Vec::new();
    for (marker, _) in FILE {
        found.extend(script.match_indices(marker).map(|(at, _)| (at, &script[at + marker.len()..])));
    }
    found.sort_by_key(|(at, _)| *at);
    let name = |rest: &str| -> String {
        let mut name = String::new();
        let mut chars = rest.chars();
        while let Some(c) = chars.next() {
            match c {
                // A backslash of a Windows path is escaped; any other escape ends the line.
                '\\' if chars.as_str().starts_with('\\') => {
                    chars.next();
                    name.push('\\');
                }
                '\\' | '\n' | '\r' | '"' | '`' => break,
                c => name.push(c),
            }
        }
        name.trim().to_owned()
    };
    found.into_iter().map(|(_, rest)| name(rest)).filter(|name| !name.is_empty()).collect()
}

impl FilePatch<'_> {
    pub(super) fn stub(&self, folder: Option<&str>) -> EditStub {
        let signed = |sign: char| {
            let lines = self.hunks.iter().flatten().filter(|line| line.starts_with(sign)).count();
            u32::try_from(lines).unwrap_or(u32::MAX)
        };
        EditStub {
            added: signed('+'),
            removed: signed('-'),
            line: u32::from(self.verb == Verb::Add),
            created: self.verb == Verb::Add,
            deleted: self.verb == Verb::Delete,
            moved_to: self.moved_to.map(|path| absolute(folder, path).into()),
            ..unified::stub(absolute(folder, self.path).into())
        }
    }

    /// The change, if the patch was applied. Its hunks have no line numbers, so they are told as replaced texts.
    pub(super) fn change(&self, folder: Option<&str>) -> Change {
        let added = || self.hunks.iter().flatten().filter_map(|line| line.strip_prefix('+'));
        let replacements = self.hunks.iter().map(|hunk| replacement(hunk)).filter(|one| one.old != one.new);
        Change {
            after: (self.verb == Verb::Add).then(|| Arc::from(lines(added()))),
            replacements: if self.verb == Verb::Update { replacements.collect() } else { Vec::new() },
            created: self.verb == Verb::Add,
            deleted: self.verb == Verb::Delete,
            moved_to: self.moved_to.map(|path| absolute(folder, path).into()),
            ..unified::no_change(absolute(folder, self.path).into())
        }
    }
}

fn replacement(hunk: &[&str]) -> Replacement {
    // A context line that is empty has lost its blank.
    let side = |signs: [char; 2]| {
        lines(hunk.iter().filter(|line| line.is_empty() || line.starts_with(signs)).map(|line| match line.is_empty() {
            true => "",
            false => &line[1..],
        }))
    };
    Replacement { old: side([' ', '-']).into(), new: side([' ', '+']).into(), all: false }
}

fn lines<'l>(lines: impl Iterator<Item = &'l str>) -> Cow<'l, str> {
    Cow::Owned(lines.flat_map(|line| [line, "\n"]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, expect: Expect) {
        let mut told = String::new();
        for file in read(text) {
            let (stub, change) = (file.stub(Some("/w")), file.change(Some("/w")));
            told.push_str(&format!("{:?} {} +{} -{}", file.verb, stub.path, stub.added, stub.removed));
            told.push_str(&stub.moved_to.map_or(String::new(), |path| format!(" → {path}")));
            told.push_str(&change.after.map_or(String::new(), |text| format!("\n  {text:?}")));
            for one in change.replacements {
                told.push_str(&format!("\n  {:?} → {:?}", one.old, one.new));
            }
            told.push('\n');
        }
        expect.assert_eq(&told);
    }

    #[test]
    fn patches() {
        check(
            "*** Begin Patch\n*** Add File: a.rs\n+one\n+\n+two\n*** Update File: /x/b.rs\n*** Move to: c.rs\n@@ fn b\n keep\n-old\n+new\n\n@@\n+first\n last\n*** End of File\n*** Delete File: d.rs\n*** End Patch\n",
            expect![[r#"
                Add /w/a.rs +3 -0
                  "one\n\ntwo\n"
                Update /x/b.rs +2 -1 → /w/c.rs
                  "keep\nold\n\n" → "keep\nnew\n\n"
                  "last\n" → "first\nlast\n"
                Delete /w/d.rs +0 -0
            "#]],
        );
        check(
            "*** Begin Patch\n*** Update File: a\n-x\n+y\n",
            expect![[r#"
                Update /w/a +1 -1
                  "x\n" → "y\n"
            "#]],
        );
        check("no patch\n*** Add File: a\n+x", expect![""]);
        check("*** Begin Patch\n+x\n@@\n*** End Patch", expect![""]);
    }

    #[test]
    fn commands_and_scripts() {
        let command = "cd sub && apply_patch <<'EOF'\n*** Begin Patch\n*** Delete File: a\n*** End Patch\nEOF";
        assert_eq!(in_command(command).map(read).map(|files| files.len()), Some(1));
        assert_eq!(folder_of_command(command), Some("sub"));
        assert_eq!(in_command("echo '*** Begin Patch'"), None);
        assert_eq!(in_command("which apply_patch"), None);
        let quoted = "apply_patch \"*** Begin Patch\n*** Delete File: a\n*** End Patch\"";
        assert_eq!(in_command(quoted).map(read).map(|files| files.len()), Some(1));
        let script = r#"const p = "*** Begin Patch\n*** Add File: C:\\x\\a.rs\n+y\n*** Update File: b c.rs\n@@"; tools.apply_patch(`*** Begin Patch
*** Delete File: d
*** End Patch`)"#;
        assert_eq!(files_in_script(script), [r"C:\x\a.rs", "b c.rs", "d"]);
    }
}
