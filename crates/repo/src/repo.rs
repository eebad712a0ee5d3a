//! Finding and opening a repository.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gix::ThreadSafeRepository;
use gix::odb::pack::cache::lru::MemoryCappedHashmap;
use gix::open::Permissions;
use gix::sec::Permission;
use gix::sec::trust::Mapping;

use crate::graph::Graphs;
use crate::paths;
use crate::reading::Shared;
use crate::reflog::Logs;

/// A repository as one of its worktrees sees it. Cheap to clone, shared between threads. What it answers is always
/// read anew from disk, but for its configuration.
#[derive(Clone)]
pub struct Repo {
    inner: Arc<Inner>,
}

struct Inner {
    git: ThreadSafeRepository,
    root: PathBuf,
    common_dir: PathBuf,
    /// File names come decomposed from the disk and are composed in git (macOS).
    precompose: bool,
    graphs: Graphs,
    shared: Shared,
    logs: Logs,
}

/// Bytes of trees and texts that one walk through history keeps, to restore others from; git keeps 96 MB.
const WALKING_CACHE: usize = 32 << 20;

impl Repo {
    /// The repository in whose worktree `path` lies: a file or a folder, or what would be one. `None`: there is none,
    /// it is bare, or it cannot be read.
    pub fn discover(path: &Path) -> Option<Repo> {
        Repo::discover_with(path, permissions)
    }

    /// `permissions` says which configuration is read, besides the repository's own.
    pub(crate) fn discover_with(path: &Path, permissions: fn() -> Permissions) -> Option<Repo> {
        let path = paths::canonical(path)?;
        let options = || with_system_config(gix::open::Options::default().permissions(permissions()));
        let trust = Mapping { full: options(), reduced: options() };
        let folder = paths::nearest_folder(&path)?;
        let git = ThreadSafeRepository::discover_opts(folder, Default::default(), trust).ok()?;
        Repo::from_git(git.to_thread_local())
    }

    fn from_git(mut git: gix::Repository) -> Option<Repo> {
        drop_filter_programs(&mut git)?;
        let root = paths::canonical(git.workdir()?)?;
        if !root.is_dir() || git.head().is_err() {
            return None;
        }
        let common_dir = paths::canonical(git.common_dir())?;
        let precompose = git.config_snapshot().boolean("core.precomposeUnicode").unwrap_or(false);
        let (graphs, shared, logs) = Default::default();
        let inner = Inner { git: git.into_sync(), root, common_dir, precompose, graphs, shared, logs };
        Some(Repo { inner: Arc::new(inner) })
    }

    /// The root folder of this worktree, links resolved.
    pub fn root(&self) -> &Path {
        &self.inner.root
    }

    /// The git folder that all worktrees of the repository share, links resolved.
    pub fn common_dir(&self) -> &Path {
        &self.inner.common_dir
    }

    /// `path` as the repository names it: relative to the root, `/`-separated. Links in it are resolved, and it need
    /// not exist. `None`: it lies outside, or in a repository or a linked worktree inside this one, it is the root, it
    /// lies in `.git`, or its name is no Unicode.
    pub fn relative(&self, path: &Path) -> Option<String> {
        let path = paths::canonical(path)?;
        let mut folders = path.ancestors().skip(1).take_while(|folder| *folder != self.root());
        if folders.any(|folder| folder.join(".git").exists()) {
            return None;
        }
        let rel = paths::to_rel(path.strip_prefix(self.root()).ok()?)?;
        Some(if self.inner.precompose { gix::utils::str::precompose(rel.into()).into_owned() } else { rel })
    }

    /// Where the file lies on disk in this worktree; `None` if `rel` is no path of a repository.
    pub(crate) fn on_disk(&self, rel: &str) -> Option<PathBuf> {
        paths::names(rel)?;
        Some(self.root().join(rel))
    }

    /// A handle for this thread, with caches of its own.
    pub(crate) fn git(&self) -> gix::Repository {
        self.inner.git.to_thread_local()
    }

    /// A handle for reading many trees and texts that are stored as differences from each other.
    pub(crate) fn walking_git(&self) -> gix::Repository {
        let mut git = self.git();
        git.objects.set_pack_cache(|| Box::new(MemoryCappedHashmap::new(WALKING_CACHE)));
        git
    }

    pub(crate) fn graphs(&self) -> &Graphs {
        &self.inner.graphs
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.inner.shared
    }

    pub(crate) fn logs(&self) -> &Logs {
        &self.inner.logs
    }
}

impl std::fmt::Debug for Repo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Repo").field(&self.root()).finish()
    }
}

/// The person's configuration counts (ignored files, line ends), the variables that git hands to its children do not:
/// an editor that `git commit` started would see the index and the objects of that commit in every repository.
fn permissions() -> Permissions {
    let mut permissions = Permissions::all();
    permissions.env.git_prefix = Permission::Deny;
    permissions.env.objects = Permission::Deny;
    permissions
}

/// Git for Windows keeps its settings (`core.autocrlf` among them) beside its programs; asking `git` where that is
/// would start it.
#[cfg(windows)]
fn with_system_config(options: gix::open::Options) -> gix::open::Options {
    let places = [("ProgramFiles", r"Git\etc\gitconfig"), ("ProgramData", r"Git\config")];
    let files =
        places.iter().filter_map(|(variable, file)| Some(PathBuf::from(std::env::var_os(variable)?).join(file)));
    let found = files.clone().find(|file| file.is_file()).or_else(|| files.last());
    options.system_config_path(found.unwrap_or_default())
}

#[cfg(not(windows))]
fn with_system_config(options: gix::open::Options) -> gix::open::Options {
    options
}

/// Forgets the programs of `filter.*`, for comparing a file with its blob would start them.
fn drop_filter_programs(git: &mut gix::Repository) -> Option<()> {
    let mut config = git.config_snapshot_mut();
    let filters: Vec<_> = config.sections_and_ids_by_name("filter").into_iter().flatten().map(|(_, id)| id).collect();
    for id in filters {
        config.remove_section_by_id(id);
    }
    config.commit().ok()?;
    Some(())
}
