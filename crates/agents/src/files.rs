//! Walking folders of logs.

use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

use trace::Agent;

use crate::{Found, file_key};

/// A folder or file that could not be looked at.
#[derive(Debug)]
pub struct Trouble {
    pub path: PathBuf,
    pub error: io::Error,
}

/// Hands out every regular file below `base` that `is_log` says is one, in the order of paths. `base` itself may be a
/// link (people move their logs to another disk); links below it are not followed, so that no log is found twice and
/// nothing outside is read.
pub(crate) fn walk(
    agent: Agent,
    base: &Path,
    is_log: &dyn Fn(&Path) -> bool,
    found: &mut dyn FnMut(Found),
    trouble: &mut dyn FnMut(Trouble),
) {
    let mut folders = vec![base.to_owned()];
    while let Some(folder) = folders.pop() {
        let mut entries = match list(&folder) {
            Ok(entries) => entries,
            // Most agents are not installed: a root that is absent is no trouble.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                trouble(Trouble { path: folder, error });
                continue;
            }
        };
        entries.sort_by_cached_key(DirEntry::file_name);
        let mut below = Vec::new();
        for entry in entries {
            let path = entry.path();
            // What kind of thing it is the folder itself tells; only of logs more is asked.
            let meta = match entry.file_type() {
                Ok(kind) if kind.is_dir() => {
                    below.push(path);
                    continue;
                }
                // On Windows the folder tells an old length of what somebody writes right now.
                Ok(kind) if kind.is_file() && is_log(&path) && cfg!(windows) => fs::symlink_metadata(&path),
                Ok(kind) if kind.is_file() && is_log(&path) => entry.metadata(),
                Ok(_) => continue,
                Err(error) => Err(error),
            };
            match meta {
                Ok(meta) => {
                    let (len, modified, file) = (meta.len(), meta.modified().ok(), file_key(&meta));
                    found(Found { agent, len, modified, file, path });
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => trouble(Trouble { path, error }),
            }
        }
        folders.extend(below.into_iter().rev());
    }
}

fn list(folder: &Path) -> io::Result<Vec<DirEntry>> {
    fs::read_dir(folder)?.collect()
}

/// Whether nothing lies at `path`, or a regular file that is no link.
pub(crate) fn absent_or_regular(path: &Path) -> bool {
    fs::symlink_metadata(path).map_or(true, |meta| meta.is_file())
}

/// The same error, saying of which file.
pub(crate) fn named(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
