//! `turnlens` alone, and `turnlens help`.

use clap::CommandFactory as _;

use super::{Cli, Exit, out, wrong_use};

/// Explain turnlens or one of its commands
#[derive(clap::Args)]
pub(super) struct Args {
    /// Every command and option
    #[arg(long)]
    all: bool,

    command: Option<String>,
}

const SHORT: &str = "\
turnlens: from any line of code to the agent turn that wrote it, and back

  turnlens blame FILE      who wrote each line
  turnlens sessions        what agents worked on here
  turnlens show @          the newest session: prompts, steps, diffs
  turnlens diff @:last     what the last turn changed
  turnlens status          what is not committed, by turn
  turnlens search WORDS    where something was asked or done
To try it: turnlens demo. All commands: turnlens help --all
";

/// Nine lines for whoever types nothing but the name.
pub(super) fn short() -> anyhow::Result<Exit> {
    out::print(SHORT)?;
    Ok(Exit::DONE)
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let mut cli = Cli::command();
    cli.build();
    match &args.command {
        Some(name) => {
            let command = cli.find_subcommand_mut(name);
            let command = command
                .ok_or_else(|| wrong_use(format!("there is no command {name}; turnlens help --all lists all")))?;
            out::print(&command.render_long_help().to_string())?;
        }
        None if args.all => out::print(&cli.render_long_help().to_string())?,
        None => return short(),
    }
    Ok(Exit::DONE)
}
