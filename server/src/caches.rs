//! Where our own files lie.

use std::path::PathBuf;

/// `$XDG_CACHE_HOME/turnlens`, or where this system keeps caches. `None`: this user has no folder for caches.
pub(crate) fn folder() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || set("HOME").or_else(|| set("USERPROFILE"));
    let of_system = || match () {
        () if cfg!(windows) => set("LOCALAPPDATA"),
        () if cfg!(target_os = "macos") => home().map(|home| home.join("Library/Caches")),
        () => home().map(|home| home.join(".cache")),
    };
    Some(set("XDG_CACHE_HOME").or_else(of_system)?.join("turnlens"))
}

/// Where what was read of the logs is kept.
pub(crate) fn of_logs() -> Option<PathBuf> {
    Some(folder()?.join("index"))
}
