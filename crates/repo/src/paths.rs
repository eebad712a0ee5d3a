//! Paths as the file system has them, and as a repository has them.

use std::path::{Component, Path, PathBuf};

/// `path` with all links resolved as far as it exists, the rest of it put in order (`a/../b` is `b`). `None`: there
/// is no current folder for a relative path to start from.
pub(crate) fn canonical(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    let parts: Vec<Component<'_>> = path.components().collect();
    for existing in (1..=parts.len()).rev() {
        let (head, rest) = parts.split_at(existing);
        if let Ok(real) = head.iter().collect::<PathBuf>().canonicalize() {
            return Some(join_in_order(plain(real), rest));
        }
    }
    Some(join_in_order(PathBuf::new(), &parts))
}

/// The nearest folder at or above `path` that exists.
pub(crate) fn nearest_folder(path: &Path) -> Option<&Path> {
    path.ancestors().find(|folder| folder.is_dir())
}

fn join_in_order(mut base: PathBuf, rest: &[Component<'_>]) -> PathBuf {
    for part in rest {
        match part {
            Component::ParentDir => {
                base.pop();
            }
            Component::CurDir => {}
            _ => base.push(part),
        }
    }
    base
}

/// Windows answers `\\?\C:\…`, which neither git nor an editor says: `C:\…`.
#[cfg(windows)]
fn plain(path: PathBuf) -> PathBuf {
    use std::path::Prefix;

    let mut parts = path.components();
    let start = match parts.next() {
        Some(Component::Prefix(prefix)) => match prefix.kind() {
            Prefix::VerbatimDisk(disk) => format!("{}:\\", char::from(disk)),
            Prefix::VerbatimUNC(server, share) => {
                format!("\\\\{}\\{}\\", server.to_string_lossy(), share.to_string_lossy())
            }
            _ => return path,
        },
        _ => return path,
    };
    let rest = parts.filter(|part| !matches!(part, Component::RootDir));
    std::iter::once(PathBuf::from(start)).chain(rest.map(|part| PathBuf::from(part.as_os_str()))).collect()
}

#[cfg(not(windows))]
fn plain(path: PathBuf) -> PathBuf {
    path
}

/// The `/`-separated form of a path below a root; `None` for the root itself, for what lies in `.git` and for names
/// that are no Unicode.
pub(crate) fn to_rel(below_root: &Path) -> Option<String> {
    let mut rel = String::new();
    for part in below_root.components() {
        let Component::Normal(name) = part else { return None };
        let name = name.to_str()?;
        if name == ".git" {
            return None;
        }
        if !rel.is_empty() {
            rel.push('/');
        }
        rel.push_str(name);
    }
    (!rel.is_empty()).then_some(rel)
}

/// The names in a path of a repository; `None` if it is not one that git could hold.
pub(crate) fn names(rel: &str) -> Option<Vec<&[u8]>> {
    let fine = |name: &str| !matches!(name, "" | "." | ".." | ".git") && !name.contains('\0');
    rel.split('/').map(|name| fine(name).then_some(name.as_bytes())).collect()
}
