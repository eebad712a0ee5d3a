//! `turnlens setup`: puts the plugin that the binary carries where the editor finds it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

use super::{Exit, not_found, out};

/// Install the plugin for an editor
#[derive(clap::Args)]
pub(super) struct Args {
    #[arg(value_enum)]
    editor: Editor,

    /// Only say what would be done
    #[arg(long)]
    print: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Editor {
    Nvim,
    Code,
}

/// The files of `editors/nvim`, by their paths in it.
const PLUGIN: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/nvim_plugin.rs"));

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    match args.editor {
        Editor::Nvim => nvim(args.print),
        Editor::Code => code(args.print),
    }
}

fn nvim(print: bool) -> anyhow::Result<Exit> {
    let folder = nvim_data()?.join("site").join("pack").join("turnlens").join("start").join("turnlens");
    if print {
        out::print(&format!("{}\n", folder.display()))?;
        let files = with_tags();
        out::print(&files.iter().map(|(path, _)| format!("  {path}\n")).collect::<String>())?;
        return Ok(Exit::DONE);
    }
    write_plugin(&folder)?;
    out::print(&format!(
        "The plugin is in {}.\nStart Neovim in a repository that an agent worked in; :checkhealth turnlens says what was found, \
         :help turnlens the rest.\n",
        folder.display()
    ))?;
    if find_program("turnlens").is_none() {
        out::complain(format_args!("turnlens is not on PATH, where the plugin looks for it; put its folder there"));
    }
    Ok(Exit::DONE)
}

/// `stdpath('data')`
fn nvim_data() -> anyhow::Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let name = std::env::var("NVIM_APPNAME").ok().filter(|name| !name.is_empty()).unwrap_or_else(|| "nvim".into());
    let data = match cfg!(windows) {
        true => set("XDG_DATA_HOME").or_else(|| set("LOCALAPPDATA")).map(|data| data.join(format!("{name}-data"))),
        false => set("XDG_DATA_HOME")
            .or_else(|| set("HOME").map(|home| home.join(".local").join("share")))
            .map(|data| data.join(name)),
    };
    data.context("Neovim's data folder is not known: HOME is not set")
}

/// Writes the plugin into a folder of its own; what an earlier version left there goes.
pub(super) fn write_plugin(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        let is_ours = folder.join("plugin").join("turnlens.lua").is_file() && !folder.join(".git").exists();
        ensure!(is_ours, "{} holds something else; move it away first", folder.display());
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot replace {}", folder.display()))?;
    }
    for (path, text) in with_tags() {
        let path = path.split('/').fold(folder.to_owned(), |folder, part| folder.join(part));
        let write = || {
            path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            std::fs::write(&path, text)
        };
        write().with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The plugin's files and the tags of its help, which Neovim would make only when told to.
fn with_tags() -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> =
        PLUGIN.iter().map(|(path, text)| ((*path).to_owned(), text.to_vec())).collect();
    let mut tags: Vec<String> = Vec::new();
    for (path, text) in PLUGIN {
        let Some(name) = path.strip_prefix("doc/").filter(|name| name.ends_with(".txt")) else { continue };
        let text = String::from_utf8_lossy(text);
        tags.extend(text.split_whitespace().filter_map(help_tag).map(|tag| format!("{tag}\t{name}\t/*{tag}*\n")));
    }
    tags.sort();
    files.push(("doc/tags".into(), tags.concat().into_bytes()));
    files
}

/// The tag in `*turnlens-maps*`.
fn help_tag(word: &str) -> Option<&str> {
    let tag = word.strip_prefix('*')?.strip_suffix('*')?;
    (!tag.is_empty() && !tag.contains(['*', '|'])).then_some(tag)
}

fn code(print: bool) -> anyhow::Result<Exit> {
    let package = package()?;
    let Some(package) = package else {
        return Err(not_found(
            "There is no turnlens*.vsix beside this program. Build one in editors/vscode of the sources (npm ci; npm run package) \
             and install it: code --install-extension turnlens.vsix",
        ));
    };
    let command = format!("code --install-extension {} --force", package.display());
    if print {
        out::print(&format!("{command}\n"))?;
        return Ok(Exit::DONE);
    }
    let Some(code) = find_program("code") else {
        bail!(
            "code is not on PATH. In VS Code run “Shell Command: Install 'code' command in PATH”, or install {} by “Extensions: Install from VSIX…”",
            package.display()
        );
    };
    let ended = Command::new(code).arg("--install-extension").arg(&package).arg("--force").status();
    let ended = ended.context("cannot start code")?;
    ensure!(ended.success(), "{command} failed");
    Ok(Exit::DONE)
}

/// The extension's package beside this program, the newest by its name.
fn package() -> anyhow::Result<Option<PathBuf>> {
    let program = std::env::current_exe().context("cannot tell where this program lies")?;
    let folder = program.parent().unwrap_or(Path::new("."));
    let entries = folder.read_dir().with_context(|| format!("cannot look into {}", folder.display()))?;
    let is_package = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("turnlens") && name.ends_with(".vsix")
    };
    Ok(entries.flatten().map(|entry| entry.path()).filter(is_package).max())
}

/// Where a program lies on PATH.
pub(super) fn find_program(name: &str) -> Option<PathBuf> {
    let endings: &[&str] = if cfg!(windows) { &[".exe", ".cmd", ".bat"] } else { &[""] };
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    let candidates =
        folders.iter().flat_map(|folder| endings.iter().map(move |ending| folder.join(format!("{name}{ending}"))));
    candidates.into_iter().find(|path| path.is_file())
}
