//! Walking folders of logs.

use std::fs;
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
        let mut paths = match list(&folder) {
            Ok(paths) => paths,
            // Most agents are not installed: a root that is absent is no trouble.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                trouble(Trouble { path: folder, error });
                continue;
            }
        };
        paths.sort();
        let mut below = Vec::new();
        for path in paths {
            match fs::symlink_metadata(&path) {
                Ok(meta) if meta.is_dir() => below.push(path),
                Ok(meta) if meta.is_file() && is_log(&path) => {
                    let (len, modified, file) = (meta.len(), meta.modified().ok(), file_key(&meta));
                    found(Found { agent, len, modified, file, path });
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => trouble(Trouble { path, error }),
            }
        }
        folders.extend(below.into_iter().rev());
    }
}

fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect()
}

/// Whether nothing lies at `path`, or a regular file that is no link.
pub(crate) fn absent_or_regular(path: &Path) -> bool {
    fs::symlink_metadata(path).map_or(true, |meta| meta.is_file())
}

/// The same error, saying of which file.
pub(crate) fn named(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
