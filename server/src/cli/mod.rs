//! The command line: one file a sub-command.

use clap::{Parser, Subcommand};

mod blame;
mod demo;
mod lsp;
mod open;
pub(crate) mod out;

/// From any line of code to the agent turn that wrote it, and back.
#[derive(Parser)]
#[command(name = "turnlens", version, arg_required_else_help = true)]
struct Cli {
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Blame(blame::Args),
    Demo(demo::Args),
    Lsp(lsp::Args),
}

/// How a command ended, as its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit(pub(crate) u8);

impl Exit {
    /// Did what was asked.
    pub(crate) const DONE: Exit = Exit(0);
    /// Could not: permission, damage. Beside it: 0 done, 1 asked and not found, 2 wrong use.
    pub(crate) const FAILED: Exit = Exit(3);
}

impl From<Exit> for i32 {
    fn from(exit: Exit) -> i32 {
        exit.0.into()
    }
}

/// Runs what the arguments say. Wrong use ends the process with 2, inside clap.
pub(crate) fn run() -> Exit {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Blame(args) => blame::run(args, cli.json),
        Command::Demo(args) => demo::run(args, cli.json),
        Command::Lsp(args) => lsp::run(args),
    };
    result.unwrap_or_else(|error| {
        out::complain(format_args!("{error:#}"));
        Exit::FAILED
    })
}
