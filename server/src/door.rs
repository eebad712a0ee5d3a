//! Documents as files, for clients that take nothing else: read-only, in a private folder of our own.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use lens::DocumentId;
use tempfile::NamedTempFile;

use crate::log;

/// Files that were not written for so long are deleted at the start …
const MOST_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// … and so are the oldest where all of them together are larger.
const MOST_BYTES: u64 = 256 << 20;

/// The folder with the files. Nothing outside of it is ever written or deleted.
pub(crate) struct Door {
    /// `None`: this user has no folder for caches.
    folder: Option<PathBuf>,
}

impl Door {
    pub(crate) fn new() -> Door {
        Door { folder: caches::folder("documents") }
    }

    #[cfg(test)]
    fn at(folder: &Path) -> Door {
        Door { folder: Some(folder.to_owned()) }
    }

    /// The document whose file this is. `None`: the path lies elsewhere, or is no document's.
    pub(crate) fn document_of(&self, path: &Path) -> Option<DocumentId> {
        let folder = self.folder.as_deref()?;
        let inside = path.strip_prefix(folder).ok().map(Path::to_owned).or_else(|| {
            // As the editor spells it, links resolved.
            path.strip_prefix(folder.canonicalize().ok()?).ok().map(Path::to_owned)
        })?;
        if !inside.components().all(|part| matches!(part, Component::Normal(_))) {
            return None;
        }
        DocumentId::from_path(inside.to_str()?)
    }

    /// Writes a document's file, if it does not hold this text already, and gives its path.
    pub(crate) fn write(&self, id: &DocumentId, name: &str, text: &str) -> io::Result<PathBuf> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "there is no folder for caches; set XDG_CACHE_HOME");
        let folder = self.folder.as_deref().ok_or_else(missing)?;
        let path = folder.join(id.path(name));
        if is_same(&path, text) {
            return Ok(path);
        }
        make_private(folder)?;
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent)?;
        let new = caches::new_file(parent)?;
        write_read_only(new.as_file(), text)?;
        replace(new, &path)?;
        Ok(path)
    }

    /// Deletes files that are old, and the oldest while all are too large together.
    pub(crate) fn prune(&self) {
        self.prune_to(MOST_AGE, MOST_BYTES);
    }

    fn prune_to(&self, most_age: Duration, most_bytes: u64) {
        let Some(folder) = self.folder.as_deref() else { return };
        let mut files = Vec::new();
        collect(folder, &mut files);
        files.retain(|file| file.path.file_name() != Some(OsStr::new(".gitignore")));
        files.sort_by_key(|file| file.written);
        let mut bytes: u64 = files.iter().map(|file| file.bytes).sum();
        let now = SystemTime::now();
        for file in files {
            let age = now.duration_since(file.written).unwrap_or_default();
            if age <= most_age && bytes <= most_bytes {
                break;
            }
            bytes -= file.bytes;
            if let Err(error) = remove(&file.path) {
                log::info!("cannot delete {}: {error}", file.path.display());
            }
        }
        remove_empty_folders(folder);
    }
}

fn is_same(path: &Path, text: &str) -> bool {
    let same_length = fs::metadata(path).is_ok_and(|known| known.len() == text.len() as u64);
    same_length && fs::read(path).is_ok_and(|known| known == text.as_bytes())
}

fn make_private(folder: &Path) -> io::Result<()> {
    let ignore = folder.join(".gitignore");
    if ignore.exists() {
        return Ok(());
    }
    caches::make_private(folder)?;
    fs::write(ignore, "*\n")
}

fn write_read_only(mut file: &fs::File, text: &str) -> io::Result<()> {
    file.write_all(text.as_bytes())?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o444))?;
    #[cfg(not(unix))]
    {
        let mut rights = file.metadata()?.permissions();
        rights.set_readonly(true);
        file.set_permissions(rights)?;
    }
    Ok(())
}

fn replace(new: NamedTempFile, old: &Path) -> io::Result<()> {
    // Windows does not rename over a file that may only be read.
    if cfg!(windows) && old.exists() {
        remove(old)?;
    }
    new.persist(old).map(drop).map_err(|error| error.error)
}

fn remove(path: &Path) -> io::Result<()> {
    #[cfg(windows)]
    {
        let mut rights = fs::metadata(path)?.permissions();
        #[expect(clippy::permissions_set_readonly_false, reason = "Windows deletes no file that may only be read")]
        rights.set_readonly(false);
        fs::set_permissions(path, rights)?;
    }
    fs::remove_file(path)
}

struct OldFile {
    path: PathBuf,
    written: SystemTime,
    bytes: u64,
}

/// The files below a folder. Links are not followed.
fn collect(folder: &Path, files: &mut Vec<OldFile>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(known) = entry.metadata() else { continue };
        if known.is_dir() {
            collect(&entry.path(), files);
        } else if known.is_file() {
            let written = known.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            files.push(OldFile { path: entry.path(), written, bytes: known.len() });
        }
    }
}

/// Removes the empty folders below a folder.
fn remove_empty_folders(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_empty_folders(&entry.path());
            // Fails where it is not empty, as it should.
            _ = fs::remove_dir(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lens::Part;
    use trace::Agent;

    fn turn(number: u32) -> DocumentId {
        DocumentId::Trace { agent: Agent::ClaudeCode, session: "9f3c1a2b".into(), part: Part::Turn(number) }
    }

    #[test]
    fn a_document_is_a_file() {
        let caches = tempfile::tempdir().expect("a folder");
        let folder = caches.path().join("documents");
        let door = Door::at(&folder);
        let path = door.write(&turn(1), "Add retry", "one\n").expect("written");
        assert_eq!(path.strip_prefix(&folder), Ok(Path::new("claude-code/9f3c1a2b/1/add-retry.trace.md")));
        assert_eq!(door.document_of(&path), Some(turn(1)));
        assert!(fs::metadata(&path).expect("a file").permissions().readonly());
        assert_eq!(fs::read_to_string(folder.join(".gitignore")).expect("a file"), "*\n");
        assert_eq!(door.write(&turn(1), "Add retry", "two\n").expect("written"), path);
        assert_eq!(fs::read_to_string(&path).expect("a file"), "two\n");
        let beside: Vec<_> = fs::read_dir(path.parent().expect("a folder")).expect("readable").collect();
        assert_eq!(beside.len(), 1);
        assert_eq!(door.document_of(&folder.join("../documents/claude-code/9f3c1a2b/1/a.trace.md")), None);
        assert_eq!(door.document_of(Path::new("/elsewhere/claude-code/9f3c1a2b/1/a.trace.md")), None);
    }

    #[cfg(unix)]
    #[test]
    fn the_folder_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let caches = tempfile::tempdir().expect("a folder");
        let folder = caches.path().join("documents");
        Door::at(&folder).write(&turn(1), "a", "").expect("written");
        assert_eq!(fs::metadata(&folder).expect("a folder").permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn old_files_go_and_nothing_else() {
        let caches = tempfile::tempdir().expect("a folder");
        let folder = caches.path().join("documents");
        let beside = caches.path().join("beside.txt");
        fs::write(&beside, "mine").expect("written");
        let door = Door::at(&folder);
        let paths = [1, 2, 3].map(|number| door.write(&turn(number), "a", "1234").expect("written"));
        door.prune_to(MOST_AGE, 12);
        assert!(paths.iter().all(|path| path.exists()));
        door.prune_to(MOST_AGE, 4);
        assert_eq!(paths.iter().filter(|path| path.exists()).count(), 1);
        door.prune_to(Duration::ZERO, 0);
        assert!(!paths.iter().any(|path| path.exists()));
        assert!(!folder.join("claude-code").exists());
        assert!(beside.exists() && folder.join(".gitignore").exists());
    }
}
