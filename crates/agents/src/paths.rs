//! Paths as logs spell them, which may come from another system than the one that reads.

use std::borrow::Cow;

/// `path` made absolute by the folder in which the agent worked. What is absolute on any system stays as it is.
pub(crate) fn absolute<'p>(cwd: Option<&str>, path: &'p str) -> Cow<'p, str> {
    match cwd {
        Some(cwd) if !is_absolute(path) => Cow::Owned(join(cwd, path)),
        _ => Cow::Borrowed(path),
    }
}

fn is_absolute(path: &str) -> bool {
    let bytes = path.as_bytes();
    let drive =
        bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':' && matches!(bytes[2], b'\\' | b'/');
    drive || path.starts_with(['/', '\\', '~'])
}

/// Joins by the separator that `folder` uses, and resolves `.` and `..`.
fn join(folder: &str, path: &str) -> String {
    let windows = folder.contains('\\') && !folder.starts_with('/');
    let (separator, separators): (char, &[char]) = if windows { ('\\', &['/', '\\']) } else { ('/', &['/']) };
    let mut joined = folder.trim_end_matches(separators).to_owned();
    for name in path.split(separators) {
        match name {
            "" | "." => {}
            ".." => joined.truncate(joined.rfind(separators).unwrap_or(joined.len())),
            name => {
                joined.push(separator);
                joined.push_str(name);
            }
        }
    }
    if joined.is_empty() { separator.into() } else { joined }
}

#[cfg(test)]
mod tests {
    use super::absolute;

    #[test]
    fn joined_by_the_logs_own_rules() {
        let check = |cwd: &str, path: &str, expected: &str| assert_eq!(absolute(Some(cwd), path), expected);
        check("/w", "src/a.rs", "/w/src/a.rs");
        check("/w/", "./src/../a.rs", "/w/a.rs");
        check("/w", ".", "/w");
        check("/", "a.rs", "/a.rs");
        check("/w", "../../..", "/");
        check("/w", "/x/a.rs", "/x/a.rs");
        check("/w", "~/a.rs", "~/a.rs");
        check(r"C:\w", r"src\a.rs", r"C:\w\src\a.rs");
        check(r"C:\w", "src/a.rs", r"C:\w\src\a.rs");
        check(r"C:\w", r"D:\a.rs", r"D:\a.rs");
        check("/w", r"a\b", r"/w/a\b");
        assert_eq!(absolute(None, "a.rs"), "a.rs");
    }
}
