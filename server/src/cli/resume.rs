//! `turnlens resume`: take up a session again.

use std::path::Path;
use std::process::Command;

use anyhow::Context;
use serde_json::json;

use super::here::Here;
use super::{Exit, address, not_found, out};
use crate::answers::resume_command;

/// Take up a session again, in its folder
#[derive(clap::Args)]
pub(super) struct Args {
    #[arg(default_value = "@")]
    address: String,

    /// Only print the command
    #[arg(long)]
    print: bool,
}

pub(super) fn run(args: Args, here: &Here) -> anyhow::Result<Exit> {
    let answers = here.answers();
    let located = address::locate(here, &answers, &address::parse(&args.address)?)?;
    let path = &located.view.session.path;
    let command = resume_command(path.agent, &path.session)
        .ok_or_else(|| not_found("The id of this session is none that an agent gives; it is put into no command."))?;
    let folder = path.cwd.as_deref();
    let is_live = here.summary_of(&answers, path.log).is_some_and(|summary| summary.live);
    if here.globals.json {
        out::json(&json!({ "command": command, "cwd": folder, "live": is_live }))?;
        return Ok(Exit::DONE);
    }
    if args.print {
        out::print(&match folder {
            Some(folder) if Path::new(folder) != here.folder => format!("cd {} && {command}\n", quoted(folder)),
            _ => format!("{command}\n"),
        })?;
        return Ok(Exit::DONE);
    }
    if is_live {
        return Err(not_found("This session is running in another terminal. --print shows the command."));
    }
    if let Some(gone) = folder.filter(|folder| !Path::new(folder).is_dir()) {
        let folder = here.shown(gone.as_ref());
        return Err(not_found(format!("The folder {folder} of this session is gone. --print shows the command.")));
    }
    start(&command, folder)
}

fn start(command: &str, folder: Option<&str>) -> anyhow::Result<Exit> {
    let mut words = command.split_whitespace();
    let program = words.next().unwrap_or_default();
    // On Windows agents are often scripts, which only the shell finds.
    let mut agent = if cfg!(windows) { Command::new("cmd") } else { Command::new(program) };
    if cfg!(windows) {
        agent.args(["/C", program]);
    }
    agent.args(words);
    folder.map(|folder| agent.current_dir(folder));
    let ended = agent.status().with_context(|| format!("cannot start {program}; is it installed and on PATH?"))?;
    Ok(Exit(u8::try_from(ended.code().unwrap_or(1)).unwrap_or(1)))
}

/// As a word of a shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:".contains(c);
    match (text.chars().all(is_plain), cfg!(windows)) {
        (true, _) => text.to_owned(),
        (false, true) => format!("\"{text}\""),
        (false, false) => format!("'{}'", text.replace('\'', r"'\''")),
    }
}
