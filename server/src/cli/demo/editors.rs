//! The demo opened in an editor, with its own logs alone.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::super::{Exit, not_found, setup};
use super::Demo;

/// Where the cursor stands: in the loop that the agent wrote.
const LINE: &str = "15";

/// Neovim as the person has it, with the plugin that this program carries.
pub(super) fn nvim(demo: &Demo) -> anyhow::Result<Exit> {
    let program = setup::find_program("nvim").ok_or_else(|| not_found("nvim is not on PATH"))?;
    let plugin = demo.home.join("nvim-plugin");
    setup::write_plugin(&plugin)?;
    let mut nvim = editor(demo, &program)?;
    // A comma would end the path in 'runtimepath'.
    let path = plugin.to_string_lossy().replace('\\', "/").replace(',', "\\,").replace(' ', "\\ ");
    nvim.arg("--cmd").arg(format!("set runtimepath^={path}"));
    nvim.arg(format!("+{LINE}")).arg(demo.repo.join("src").join("loader.rs"));
    run(nvim, "nvim")
}

/// VS Code in a window of its own: one that runs already would keep its surroundings, and so read the person's logs.
pub(super) fn code(demo: &Demo) -> anyhow::Result<Exit> {
    let program = setup::find_program("code").ok_or_else(|| not_found("code is not on PATH"))?;
    let mut code = editor(demo, &program)?;
    code.arg("--new-window").arg("--user-data-dir").arg(demo.home.join("vscode"));
    if let Some(sources) = extension_sources() {
        let mut option = OsString::from("--extensionDevelopmentPath=");
        option.push(sources);
        code.arg(option);
    }
    let file = demo.repo.join("src").join("loader.rs");
    code.arg(&demo.repo).arg("--goto").arg(format!("{}:{LINE}", file.display()));
    run(code, "code")
}

fn editor(demo: &Demo, program: &Path) -> anyhow::Result<Command> {
    let own = std::env::current_exe().context("cannot tell where this program lies")?;
    let folders = own.parent().map(Path::to_owned).into_iter();
    let others = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(folders.chain(std::env::split_paths(&others)))?;
    let mut command = Command::new(program);
    command.current_dir(&demo.repo).env("PATH", path).env("CLAUDE_CONFIG_DIR", demo.home.join(".claude"));
    Ok(command)
}

/// The extension in the sources, where this program was built there. Otherwise an installed one serves.
fn extension_sources() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    let folders = own.ancestors().map(|folder| folder.join("editors").join("vscode"));
    folders.into_iter().find(|folder| folder.join("package.json").is_file() && folder.join("dist").is_dir())
}

fn run(mut command: Command, name: &str) -> anyhow::Result<Exit> {
    let ended = command.status().with_context(|| format!("cannot start {name}"))?;
    Ok(Exit(u8::try_from(ended.code().unwrap_or(1)).unwrap_or(1)))
}
