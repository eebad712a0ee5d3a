//! `turnlens demo`: a small repository with an agent's log of its own, to try everything on.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::json;

use super::{Exit, out};

mod git;
mod log;
mod story;

/// Make a small repository with a session's log and show what is known of it
#[derive(clap::Args)]
pub(super) struct Args {
    /// Open it in an editor, with the demo's logs alone
    #[arg(long, value_enum, value_name = "EDITOR")]
    editor: Option<Editor>,

    /// Make it in this folder [default: below the cache folder]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Editor {
    Nvim,
    Code,
    None,
}

/// Where a demo lies.
struct Demo {
    repo: PathBuf,
    home: PathBuf,
}

/// Says which demo lies beside it, so that another folder is never taken for one.
const MARKER: &str = "turnlens-demo.txt";
/// The marker of a demo that is whole. Goes up when the story changes.
const WHOLE: &str = "turnlens demo, story 1\n";
const UNFINISHED: &str = "turnlens demo, unfinished\n";

pub(super) fn run(args: Args, json: bool) -> anyhow::Result<Exit> {
    let demo = make(&args.dir.map_or_else(default_folder, Ok)?)?;
    if json {
        out::json(&json!({ "repo": demo.repo.to_string_lossy(), "home": demo.home.to_string_lossy() }));
    }
    Ok(Exit::DONE)
}

/// Below the caches, so that it can be thrown away.
fn default_folder() -> anyhow::Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let local = if cfg!(windows) { set("LOCALAPPDATA") } else { None };
    let home = || ["HOME", "USERPROFILE"].into_iter().find_map(set).map(|home| home.join(".cache"));
    let caches = set("XDG_CACHE_HOME").or(local).or_else(home).unwrap_or_else(std::env::temp_dir);
    Ok(caches.join("turnlens").join("demo"))
}

/// The demo in this folder; made now if it is not there yet.
fn make(folder: &Path) -> anyhow::Result<Demo> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let folder = plain(folder.canonicalize().with_context(|| format!("cannot open {}", folder.display()))?);
    let demo = Demo { repo: folder.join("repo"), home: folder.join("home") };
    let marker = folder.join(MARKER);
    match std::fs::read_to_string(&marker) {
        Ok(text) if text == WHOLE => return Ok(demo),
        Ok(_) => demo.remove()?,
        Err(_) if is_empty(&folder)? => {}
        Err(_) => bail!("{} is neither empty nor a demo; choose another folder with --dir", folder.display()),
    }
    let write = |text| std::fs::write(&marker, text).with_context(|| format!("cannot write {}", marker.display()));
    write(UNFINISHED)?;
    for folder in [&demo.repo, &demo.home] {
        std::fs::create_dir(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    story::tell(&demo.repo, &demo.home, jiff::Timestamp::now())?;
    write(WHOLE)?;
    Ok(demo)
}

/// A path as people and agents write it, where Windows has a longer form (`\\?\C:\`).
fn plain(path: PathBuf) -> PathBuf {
    match path.to_str().and_then(|path| path.strip_prefix(r"\\?\")) {
        Some(short) if short.as_bytes().get(1) == Some(&b':') => PathBuf::from(short),
        _ => path,
    }
}

fn is_empty(folder: &Path) -> anyhow::Result<bool> {
    let mut entries = folder.read_dir().with_context(|| format!("cannot look into {}", folder.display()))?;
    Ok(entries.next().is_none())
}

impl Demo {
    /// Removes what an earlier version or a broken-off attempt left.
    fn remove(&self) -> anyhow::Result<()> {
        for folder in [&self.repo, &self.home].into_iter().filter(|folder| folder.exists()) {
            std::fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        Ok(())
    }
}
