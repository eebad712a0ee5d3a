//! The command line: one file a sub-command.

use std::fmt;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use trace::{Agent, Timestamp};

mod address;
mod blame;
mod cat;
mod completions;
mod demo;
mod diff;
mod doctor;
mod help;
mod here;
mod lines;
mod log;
mod lsp;
pub(crate) mod out;
mod report;
mod resume;
mod search;
mod sessions;
mod setup;
mod show;
mod status;
mod timings;
pub(crate) mod when;

use crate::time::LocalZone;
use here::Here;

/// From any line of code to the agent turn that wrote it, and back.
#[derive(Parser)]
#[command(name = "turnlens", version, disable_help_subcommand = true, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    globals: Globals,

    #[command(subcommand)]
    command: Option<Command>,
}

/// Options of every command.
#[derive(clap::Args)]
#[command(next_help_heading = "Everywhere")]
struct Globals {
    /// Work in this folder
    #[arg(short = 'C', value_name = "DIR", global = true)]
    folder: Option<PathBuf>,

    /// Only sessions of this agent, as in claude-code
    #[arg(long, value_name = "NAME", global = true, value_parser = agent)]
    agent: Option<Agent>,

    /// Sessions of this repository, or of all
    #[arg(long, value_name = "PATH|all", global = true)]
    repo: Option<PathBuf>,

    /// Only what is as new: yesterday, monday, 7d, 2026-11-03, an RFC 3339 time
    #[arg(long, value_name = "WHEN", global = true, value_parser = when::parse)]
    since: Option<Timestamp>,

    /// Only what is older
    #[arg(long, value_name = "WHEN", global = true, value_parser = when::parse)]
    until: Option<Timestamp>,

    /// At most so many
    #[arg(short = 'n', value_name = "N", global = true, value_parser = from_one)]
    most: Option<usize>,

    /// Print JSON; its forms only grow
    #[arg(long, global = true)]
    json: bool,

    /// Colours; auto heeds NO_COLOR, CLICOLOR and CLICOLOR_FORCE
    #[arg(long, value_name = "WHEN", global = true, value_enum, default_value_t = Color::Auto)]
    color: Color,

    /// Do not start a pager (TURNLENS_PAGER, PAGER, else less)
    #[arg(long, global = true)]
    no_pager: bool,

    /// Say nothing of progress
    #[arg(short, long, global = true)]
    quiet: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

fn agent(name: &str) -> Result<Agent, String> {
    let known = Agent::ALL.into_iter().find(|agent| agent.id() == name || agent.short().eq_ignore_ascii_case(name));
    known.ok_or_else(|| format!("known are: {}", Agent::ALL.map(Agent::id).join(", ")))
}

#[derive(Subcommand)]
enum Command {
    Blame(blame::Args),
    Status(status::Args),
    Sessions(sessions::Args),
    Show(show::Args),
    Diff(diff::Args),
    Log(log::Args),
    Cat(cat::Args),
    Search(search::Args),
    Resume(resume::Args),
    Report(report::Args),
    Doctor(doctor::Args),
    Demo(demo::Args),
    Setup(setup::Args),
    Completions(completions::Args),
    Lsp(lsp::Args),
    Help(help::Args),
}

/// How a command ended, as its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit(pub(crate) u8);

impl Exit {
    /// Did what was asked.
    pub(crate) const DONE: Exit = Exit(0);
    /// Asked and not found.
    pub(crate) const NOT_FOUND: Exit = Exit(1);
    /// Wrong use.
    pub(crate) const WRONG_USE: Exit = Exit(2);
    /// Could not: permission, damage.
    pub(crate) const FAILED: Exit = Exit(3);
}

impl From<Exit> for i32 {
    fn from(exit: Exit) -> i32 {
        exit.0.into()
    }
}

/// Why a command ends without an answer, and with which exit code. Other errors end it with [`Exit::FAILED`].
#[derive(Debug)]
struct Refusal(Exit, String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.1)
    }
}

impl std::error::Error for Refusal {}

fn not_found(why: impl Into<String>) -> anyhow::Error {
    Refusal(Exit::NOT_FOUND, why.into()).into()
}

fn wrong_use(why: impl Into<String>) -> anyhow::Error {
    Refusal(Exit::WRONG_USE, why.into()).into()
}

/// Runs what the arguments say. Wrong use that clap finds ends the process with 2.
pub(crate) fn run() -> Exit {
    let Cli { globals, command } = Cli::parse();
    let result = match command {
        None => help::short(),
        Some(Command::Blame(args)) => with_logs(globals, |here| blame::run(args, here)),
        Some(Command::Status(args)) => with_logs(globals, |here| status::run(args, here)),
        Some(Command::Sessions(args)) => with_logs(globals, |here| sessions::run(args, here)),
        Some(Command::Show(args)) => with_logs(globals, |here| show::run(args, here)),
        Some(Command::Diff(args)) => with_logs(globals, |here| diff::run(args, here)),
        Some(Command::Log(args)) => with_logs(globals, |here| log::run(args, here)),
        Some(Command::Cat(args)) => with_logs(globals, |here| cat::run(args, here)),
        Some(Command::Search(args)) => with_logs(globals, |here| search::run(args, here)),
        Some(Command::Resume(args)) => with_logs(globals, |here| resume::run(args, here)),
        Some(Command::Report(args)) => with_logs(globals, |here| report::run(args, here)),
        Some(Command::Doctor(args)) if args.timings => timings::run(&globals),
        Some(Command::Doctor(args)) => with_logs(globals, |here| doctor::run(args, here)),
        Some(Command::Demo(args)) => demo::run(args, globals),
        Some(Command::Setup(args)) => setup::run(args),
        Some(Command::Completions(args)) => completions::run(args),
        Some(Command::Lsp(args)) => lsp::run(args),
        Some(Command::Help(args)) => help::run(args),
    };
    result.unwrap_or_else(|error| {
        out::complain(format_args!("{error:#}"));
        error.downcast_ref::<Refusal>().map_or(Exit::FAILED, |refusal| refusal.0)
    })
}

/// Runs a command over all logs, and keeps what was read for the next one.
fn with_logs(globals: Globals, run: impl FnOnce(&Here) -> anyhow::Result<Exit>) -> anyhow::Result<Exit> {
    LocalZone::look_ahead();
    let here = Here::open(globals)?;
    let index = here.workspace.index();
    let exit = std::thread::scope(|scope| {
        scope.spawn(|| index.save());
        run(&here)
    });
    // What the command itself read.
    index.save();
    // The process ends: what is known of thousands of logs need not be freed piece by piece.
    std::mem::forget(here);
    exit
}

fn from_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| "write a number from 1".into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_fit_together() {
        super::Cli::command().debug_assert();
    }
}
