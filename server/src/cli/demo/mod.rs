//! `turnlens demo`: a small repository with an agent's log of its own, to try everything on.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use lens::{HoverForm, Markup, NoLinks, Scope};
use serde_json::json;
use workspace::{Env, FileView, Index};

use super::here::Here;
use super::{Exit, Globals, address, out, show};
use crate::answers::Answers;

mod editors;
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

/// What is shown of it.
const FILE: &str = "src/loader.rs";
const LINE_TEXT: &str = "sleep(wait);";

pub(super) fn run(args: Args, globals: Globals) -> anyhow::Result<Exit> {
    let folder = args.dir.map_or_else(default_folder, Ok)?;
    let demo = make(&folder)?;
    match args.editor {
        Some(Editor::Nvim) => return editors::nvim(&demo),
        Some(Editor::Code) => return editors::code(&demo),
        Some(Editor::None) | None => {}
    }
    if globals.json {
        out::json(&json!({ "repo": demo.repo.to_string_lossy(), "home": demo.home.to_string_lossy() }))?;
        return Ok(Exit::DONE);
    }
    let env = Env { home: Some(demo.home.clone()), ..Env::default() };
    let here = Here::open_with(Globals { folder: Some(demo.repo.clone()), ..globals }, env.clone(), Index::new(env))?;
    here.out.show(&tour(&here, &demo)?)?;
    Ok(Exit::DONE)
}

/// The lenses of one file, the hover of one line, the session, and how to go on.
fn tour(here: &Here, demo: &Demo) -> anyhow::Result<String> {
    let paint = here.out.paint;
    let answers = here.answers();
    let path = demo.repo.join("src").join("loader.rs");
    let file = answers.moment.file(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut text = format!(
        "A small repository, and the log of the session in which an agent changed it:\n  {}\n  {}\n",
        demo.repo.display(),
        demo.home.display()
    );
    let mut part = |head: &str, body: &str| text.push_str(&format!("\n{}\n\n{}\n", paint.bold(head), body.trim_end()));
    part(&format!("{FILE} in an editor, with its lenses"), &with_lenses(here, &answers, &file));
    let line = provenance::lines(&file.text).position(|line| line.contains(LINE_TEXT)).unwrap_or(0) as u32;
    let hover = answers.code_hover(&file, line, HoverForm::Full, Markup::Plain, &NoLinks);
    part(&format!("The hover of line {}", line + 1), &hover.unwrap_or_default());
    let session = address::locate(here, &answers, &address::parse("@")?)?;
    part("The session", &show::page(paint, &answers, &session));
    text.push_str(&how_to_go_on(demo));
    Ok(text)
}

/// The file with its lenses above the lines on which they stand.
fn with_lenses(here: &Here, answers: &Answers<'_>, file: &FileView) -> String {
    let owners = answers.owners(file);
    let lines: Vec<&str> = provenance::lines(&file.text).collect();
    let lenses = lens::code_lenses(&lines, &owners.of_line, &owners.table, false, Scope::Auto, &here.view());
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        let on_line: Vec<&str> =
            lenses.iter().filter(|lens| lens.line as usize == number).map(|lens| &*lens.title).collect();
        if !on_line.is_empty() {
            text.push_str(&here.out.paint.dim(&format!("      ⟦ {} ⟧", on_line.join(" | "))));
            text.push('\n');
        }
        text.push_str(&format!("{:>4}  {line}\n", number + 1));
    }
    text
}

fn how_to_go_on(demo: &Demo) -> String {
    let (config, repo) = (demo.home.join(".claude"), &demo.repo);
    let set = if cfg!(windows) { "set" } else { "export" };
    format!(
        "
To try it by hand, with these logs alone:
  {set} CLAUDE_CONFIG_DIR={}
  cd {}
  turnlens status
  turnlens blame src/uploader.rs
  turnlens diff @:2
  turnlens demo --editor nvim    or    turnlens demo --editor code

With your own: go into a repository in which Claude Code worked, and leave CLAUDE_CONFIG_DIR as it was.
Nothing has to be set up; turnlens reads the logs where they are. turnlens doctor says what it finds.
",
        config.display(),
        repo.display()
    )
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
