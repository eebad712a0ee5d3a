//! `turnlens completions`: what a shell completes.

use clap::CommandFactory as _;

use super::{Cli, Exit, out};

/// Print what a shell needs to complete turnlens' words
#[derive(clap::Args)]
pub(super) struct Args {
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "turnlens", &mut script);
    out::print_bytes(&script)?;
    Ok(Exit::DONE)
}
