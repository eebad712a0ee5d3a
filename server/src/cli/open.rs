//! Reading all logs for one command.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use workspace::{Env, Index, Settings, Workspace};

/// Reads every log there is and gives what can be asked of them.
pub(super) fn workspace() -> Workspace {
    let index = Arc::new(Index::new(Env::from_process()));
    index.refresh(&|_| {});
    Workspace::new(index, Settings::default())
}

/// The folder that the command works in: `-C DIR`, else where it was started.
pub(super) fn folder(chosen: Option<&Path>) -> anyhow::Result<PathBuf> {
    let here = std::env::current_dir().context("the folder that turnlens was started in is gone")?;
    let folder = chosen.map_or_else(|| here.clone(), |dir| here.join(dir));
    anyhow::ensure!(folder.is_dir(), "{} is not a folder", folder.display());
    Ok(folder)
}
