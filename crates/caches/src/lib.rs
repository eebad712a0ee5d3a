//! Where our own files lie, and how they are written: in folders that nobody else can look into, whole or not at all.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::NamedTempFile;

/// The ending of a file that is being written.
const NEW: &str = "new";
/// A file that was never put in its place is left over from a process that was killed.
const LEFT_OVER: Duration = Duration::from_secs(60 * 60);

/// Bytes that may lie in the folders `index` and `search` together.
pub const BUDGET: u64 = 512 << 20;
/// How many of them `search` may take. Whatever it leaves is the index's.
pub const BUDGET_OF_SEARCH: u64 = BUDGET / 4;

/// The folder of one kind of our files: below `$XDG_CACHE_HOME/turnlens`, or where this system keeps caches. `None`: this
/// user has no folder for caches.
pub fn folder(kind: &str) -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || set("HOME").or_else(|| set("USERPROFILE"));
    let of_system = || match () {
        () if cfg!(windows) => set("LOCALAPPDATA"),
        () if cfg!(target_os = "macos") => home().map(|home| home.join("Library/Caches")),
        () => home().map(|home| home.join(".cache")),
    };
    Some(set("XDG_CACHE_HOME").or_else(of_system)?.join("turnlens").join(kind))
}

/// Bytes of all files in this folder and below it, as far as it can be read.
pub fn bytes_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let bytes = entries.filter_map(|entry| {
        let meta = entry.metadata().ok()?;
        Some(if meta.is_dir() { bytes_in(&entry.path()) } else { meta.len() })
    });
    bytes.sum()
}

/// Makes a folder that nobody else can look into, with those above it. One that exists stays as it is.
pub fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    // On Windows the folder inherits the rights of the user's own caches.
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A new file in this folder under a name that no other writer has, of this process or another. Only its owner may read
/// it; dropped, it is gone.
pub fn new_file(folder: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(".").suffix(&format!(".{NEW}")).tempfile_in(folder)
}

/// Writes a file whole: who reads meanwhile sees the one before, and of several writers the last one stands.
/// Gives what the system says of the file that was written, whoever came after.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<Metadata> {
    write_by(path, |file| file.write_all(bytes))
}

/// The same of a file that is filled piece by piece.
pub fn write_by(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<Metadata> {
    let folder = path.parent().unwrap_or(Path::new("."));
    make_private(folder)?;
    let mut new = new_file(folder)?;
    fill(new.as_file_mut())?;
    new.persist(path).map_err(|error| error.error)?.metadata()
}

/// Whether this is a file that is being written, or was.
pub fn is_new(path: &Path) -> bool {
    path.extension() == Some(OsStr::new(NEW))
}

/// Removes what killed processes left in this folder. What they write right now stays.
pub fn remove_left_over(folder: &Path) {
    let now = SystemTime::now();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten().filter(|entry| is_new(&entry.path())) {
        let written = entry.metadata().and_then(|meta| meta.modified());
        if written.is_ok_and(|time| now.duration_since(time).is_ok_and(|age| age > LEFT_OVER)) {
            // It is tried again the next time.
            _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> =
            fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path()).collect();
        files.sort();
        files
    }

    #[test]
    fn many_writers_of_one_process_do_not_meet() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("caches/a");
        let texts = ["one".repeat(1_000), "two".repeat(2_000)];
        std::thread::scope(|scope| {
            for text in &texts {
                let path = &path;
                scope.spawn(move || {
                    for _ in 0..200 {
                        write(path, text.as_bytes()).expect("written");
                    }
                });
            }
            while !path.exists() {}
            for _ in 0..200 {
                let found = fs::read_to_string(&path).expect("always there");
                assert!(texts.contains(&found), "{} bytes", found.len());
            }
        });
        assert_eq!(files(path.parent().expect("a folder")), [path]);
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let occupied = folder.path().join("a");
        fs::create_dir_all(occupied.join("b")).expect("a folder");
        assert!(write(&occupied, b"text").is_err());
        assert_eq!(files(folder.path()), [occupied]);
    }

    #[test]
    fn what_is_left_over_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let [old, recent, other] = ["old.new", "recent.new", "old"].map(|name| folder.path().join(name));
        for path in [&old, &recent, &other] {
            fs::write(path, "half").expect("written");
        }
        let before = SystemTime::now() - 2 * LEFT_OVER;
        for path in [&old, &other] {
            fs::File::options().write(true).open(path).expect("there").set_modified(before).expect("a time");
        }
        remove_left_over(folder.path());
        assert_eq!(files(folder.path()), [other, recent]);
    }

    #[test]
    fn all_that_lies_in_a_folder_is_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        write(&folder.path().join("a"), b"four").expect("written");
        write(&folder.path().join("below/deep/b"), b"five!").expect("written");
        assert_eq!(bytes_in(folder.path()), 9);
        assert_eq!(bytes_in(&folder.path().join("gone")), 0);
    }

    #[cfg(unix)]
    #[test]
    fn others_cannot_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("caches/a");
        write(&path, b"secret").expect("written");
        let mode = |path: &Path| path.metadata().expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().expect("a folder"))), (0o600, 0o700));
    }
}
